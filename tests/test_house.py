"""The house itself: which way imports point, what the wheel holds, and that it works from any folder."""

import ast
import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "survey_pipeline"

# Each room may import from rooms on lower floors only; rooms on one floor know nothing of each other's insides, except for
# what stands behind a room's name here.
FLOORS: tuple[dict[str, set[str]], ...] = (
    {
        "names": set(),
        "errors": set(),
        "language": set(),
        "texts": set(),
        "periods": set(),
        "plain": set(),
        "plural": set(),
        "spreadsheets": set(),
    },
    {"instrument": {"periods"}},
    {
        "levels": set(),
        "outcomes": set(),
        "people": set(),
        "release": set(),
        "request": set(),
        "codebook": set(),
        "diary": set(),
        "look": set(),
        "reports": set(),
        "spool": set(),
    },
    {
        "joining": set(),
        "made_from": {"reports"},
        "corrections": set(),
        "exports": {"spool"},
        "ledger": set(),
        "personal": set(),
        "statistics": set(),
        "trend": set(),
        "waves": set(),
        "sample": {"diary"},
    },
    {"translated": {"joining", "reports"}},
    {
        "policy": {"personal"},
        "render": {"codebook", "look", "periods", "spreadsheets", "statistics", "translated", "trend"},
    },
    {"lint": {"render"}},
    {"answers": set(), "drift": {"exports", "personal", "plural"}, "count": set(), "estimate": {"statistics"}},
    {
        "schema": {"answers"},
        "ingest": {"answers", "corrections", "diary", "exports", "personal"},
        "person_weeks": {"count", "diary", "estimate", "statistics"},
        "weighting": {"count"},
        "design": {"count", "estimate"},
        "coarsen": {"joining"},
        "disclose": {"statistics", "policy"},
        "proof": {"policy", "statistics"},
    },
    {
        "approval": {"disclose", "ledger", "personal", "plural", "spreadsheets"},
        "draft": {"answers", "exports", "ingest", "personal"},
        "validate": {"diary", "exports", "ingest", "personal", "schema"},
        "cleaning_log": {"answers", "codebook", "corrections", "personal", "schema", "spreadsheets"},
    },
    {
        "reading": {
            "corrections",
            "diary",
            "drift",
            "exports",
            "ingest",
            "personal",
            "policy",
            "schema",
            "spool",
            "validate",
        },
        "storage": {"corrections", "count", "diary", "ledger", "person_weeks"},
    },
    {"released_people": {"people", "plural", "storage"}},
    {"proving": {"disclose", "proof"}},
    {
        "assemble": {
            "coarsen",
            "design",
            "disclose",
            "estimate",
            "periods",
            "person_weeks",
            "proof",
            "proving",
            "reading",
        }
    },
    {
        "stages": {
            "approval",
            "assemble",
            "coarsen",
            "corrections",
            "count",
            "design",
            "diary",
            "drift",
            "exports",
            "ledger",
            "people",
            "person_weeks",
            "personal",
            "plural",
            "policy",
            "proof",
            "reading",
            "released_people",
            "storage",
            "weighting",
        }
    },
    {"rendering": {"assemble", "drift", "look", "made_from", "render", "reports", "stages", "storage", "translated"}},
    {
        "auditing": {
            "coarsen",
            "diary",
            "joining",
            "ledger",
            "plural",
            "policy",
            "proof",
            "reading",
            "spreadsheets",
            "stages",
            "storage",
        },
        "linting": {"drift", "lint", "plural", "reports", "storage", "translated"},
        "reviewing": {
            "approval",
            "assemble",
            "coarsen",
            "estimate",
            "ledger",
            "person_weeks",
            "policy",
            "released_people",
            "rendering",
            "reports",
            "stages",
            "storage",
        },
    },
    {
        "withdrawing": {
            "approval",
            "corrections",
            "ingest",
            "ledger",
            "people",
            "plural",
            "policy",
            "reading",
            "released_people",
            "rendering",
            "reviewing",
            "stages",
            "storage",
        },
    },
    {"pipeline": {"reading", "rendering", "reviewing", "stages", "storage", "withdrawing"}},
    {"console": {"drift", "pipeline", "plural", "reading"}},
    {
        "cli": {
            "auditing",
            "cleaning_log",
            "codebook",
            "console",
            "corrections",
            "draft",
            "exports",
            "ingest",
            "ledger",
            "linting",
            "pipeline",
            "plural",
            "policy",
            "reading",
            "rendering",
            "reports",
            "reviewing",
            "sample",
            "spreadsheets",
            "stages",
            "storage",
            "translated",
            "waves",
            "withdrawing",
        },
        "__init__": set(),
    },
)
EVERYWHERE = {"names", "errors", "language", "plain", "texts", "instrument", "levels", "outcomes", "release", "request"}


def modules() -> dict[str, list[Path]]:
    rooms: dict[str, list[Path]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        rooms.setdefault(path.relative_to(PACKAGE).parts[0].removesuffix(".py"), []).append(path)
    return rooms


def imported_rooms(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "survey_pipeline":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("survey_pipeline."):
            found.add((node.module or "").split(".")[1])
        elif isinstance(node, ast.Import):
            found |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("survey_pipeline.")}
    return found


def test_every_module_has_a_floor() -> None:
    assert set(modules()) == {room for floor in FLOORS for room in floor}


@pytest.mark.parametrize("height", range(len(FLOORS)))
def test_imports_point_down(height: int) -> None:
    below = {room for floor in FLOORS[:height] for room in floor}
    for room, allowed in FLOORS[height].items():
        if room == "__init__":
            continue
        imported = {name for path in modules()[room] for name in imported_rooms(path)} - {room}
        assert imported <= below, f"{room} looks up at {imported - below}"
        assert imported <= allowed | EVERYWHERE, f"{room} looks inside {imported - allowed - EVERYWHERE}"


def test_the_library_knows_nothing_of_the_orchestrator() -> None:
    for paths in modules().values():
        for path in paths:
            assert "prefect" not in path.read_text(encoding="utf-8").lower(), path.name


def test_every_module_says_what_belongs_in_it() -> None:
    for room, paths in modules().items():
        if room == "__init__":
            continue
        head = ast.get_docstring(ast.parse(paths[0].read_text(encoding="utf-8"))) or ""
        assert "belongs here" in head and "does not" in head, room


def test_heavy_imports_wait_until_they_are_needed() -> None:
    code = (
        "import sys, survey_pipeline.cli; print([m for m in ('matplotlib', 'prefect', 'jinja2') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip() == "[]"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    # A data file that lies in the tree must not get into the wheel, so one is put there while it is built.
    stray = ROOT / "schemas" / "magnesium" / "answers-left-here.csv"
    stray.write_text("a person's answers\n", encoding="utf-8")
    try:
        build = [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "--quiet",
            "--no-deps",
            "--no-build-isolation",
            "-w",
            str(out),
            str(ROOT),
        ]
        subprocess.run(build, check=True, timeout=300, capture_output=True, env=_quiet_pip())
    finally:
        stray.unlink()
    return next(out.glob("*.whl"))


def _quiet_pip() -> dict[str, str]:
    return {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


@pytest.mark.slow
def test_the_wheel_holds_code_templates_and_instruments_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    suffixes = {Path(name).suffix for name in names if ".dist-info/" not in name}
    assert suffixes <= {".py", ".jinja", ".css", ".po", ".toml", ".typed", ""}
    assert "survey_pipeline/translations/de.po" in names
    assert "survey_pipeline/lint/words/de.toml" in names
    assert "survey_pipeline/schemas/theme.toml" in names
    assert "survey_pipeline/schemas/magnesium/es.po" in names
    assert "survey_pipeline/schemas/magnesium/instrument.toml" in names
    assert "survey_pipeline/schemas/disclosure.toml" in names
    assert "survey_pipeline/schemas/policies/nhs.toml" in names
    assert "survey_pipeline/py.typed" in names
    assert any(name.endswith(".jinja") for name in names)
    assert not any("answers-left-here" in name for name in names)


@pytest.mark.slow
def test_the_installed_wheel_works_from_any_folder(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(site), str(wheel)]
    subprocess.run(install, check=True, timeout=300, capture_output=True, env=_quiet_pip())
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    # -I keeps the checkout out of the path, so that only the installed copy can answer.
    start = (
        f"import sys; sys.path.insert(0, {str(site)!r})\n"
        "import survey_pipeline\n"
        f"assert survey_pipeline.__file__.startswith({str(site)!r})\n"
        "from survey_pipeline.cli import main\n"
    )
    commands = (
        "sample -i magnesium -w 2026-01 --rows 100 -o made.csv --quiet",
        "run made.csv -i magnesium -w 2026-01 --language es --quiet",
    )
    for command in commands:
        done = subprocess.run(
            [sys.executable, "-I", "-c", f"{start}main({command.split()!r})"],
            cwd=elsewhere,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stderr}"
    page = (elsewhere / "reports" / "magnesium" / "2026-01" / "index.html").read_text(encoding="utf-8")
    assert '<html lang="es"' in page


def test_locks_name_no_host_and_hash_everything() -> None:
    for lock in ("requirements.lock", "requirements-dev.lock"):
        lines = (ROOT / lock).read_text(encoding="utf-8").splitlines()
        assert not [line for line in lines if "://" in line]
        pinned = [i for i, line in enumerate(lines) if "==" in line and not line.startswith((" ", "#"))]
        assert pinned
        assert all(lines[i + 1].strip().startswith("--hash=sha256:") for i in pinned)


def test_what_running_needs_has_no_development_tools() -> None:
    runtime = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert not [tool for tool in ("pytest==", "mypy==", "ruff==", "hypothesis==") if f"\n{tool}" in runtime]


def test_the_trap_of_the_web_framework_is_kept_shut() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert "fastapi<0.151" in project["dependencies"]


def test_no_answers_are_committed() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    data = [
        name
        for name in listed.stdout.splitlines()
        if Path(name).suffix in {".csv", ".xlsx", ".parquet", ".sav", ".dta"}
    ]
    ours = (
        "reports/sample/",
        "tests/doses.csv",  # phrases that the project's own people made up
        "docs/proof-simulations.csv",  # what attacks on invented communities found
    )
    assert all(name.startswith(ours) for name in data)

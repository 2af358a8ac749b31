"""Every command in the README is run here, in order, in a copy of the project; and the committed sample report must be what
they make, byte for byte, of the same invented answers.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sample_report import ADDED_BY_HAND, INSTRUMENT, SAMPLE, WAVES, kept

from survey_pipeline.names import INVENTED, INVENTED_HEADING

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
LEFT_OUT = {
    ".venv",
    ".git",
    ".mypy_cache",
    ".ruff_cache",
    ".pytest_cache",
    ".hypothesis",
    "warehouse",
    "exports",
    ".survey-pipeline",
}


def commands() -> list[str]:
    """The lines of the README's shell blocks, comments taken off."""
    blocks = re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL)
    return [line.split("  #")[0].strip() for block in blocks for line in block.splitlines() if line.strip()]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project that has just been run once by its own first command."""
    copy = tmp_path_factory.mktemp("readme") / "project"
    shutil.copytree(ROOT, copy, ignore=lambda folder, names: LEFT_OUT & set(names) if Path(folder) == ROOT else set())
    lend_environment(copy)
    done = in_project(copy, "make run")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "reports/magnesium/2026-03/index.html" in done.stdout
    (copy / "said.txt").write_text(done.stdout + done.stderr, encoding="utf-8")
    return copy


def lend_environment(copy: Path) -> None:
    """The environment of this test run, marked as made, so that `make` installs nothing into it on the copy's behalf."""
    (copy / ".venv").mkdir()
    for part in Path(sys.prefix).iterdir():
        (copy / ".venv" / part.name).symlink_to(part)
    for stamp in (".run", ".test"):
        (copy / ".venv" / stamp).unlink(missing_ok=True)
        (copy / ".venv" / stamp).touch()


def in_project(project: Path, command: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PREFECT_HOME": str(project / ".survey-pipeline" / "prefect")}
    return subprocess.run(
        ["bash", "-c", command], cwd=project, env=environment, capture_output=True, text=True, timeout=600, check=False
    )


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def test_the_two_commands_are_there() -> None:
    assert "    make run " in README
    assert "    make test " in README
    targets = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "\nrun:" in targets
    assert "\ntest:" in targets


def test_it_fits_on_one_screen() -> None:
    assert len(README.splitlines()) <= 70


def newest(project: Path) -> Path:
    """The report of the newest wave, as the first command made it."""
    return project / "reports" / INSTRUMENT / max(WAVES)


@pytest.mark.slow
def test_the_sample_report_holds_the_same_files(project: Path) -> None:
    fresh = newest(project)
    committed = [path.relative_to(SAMPLE).as_posix() for path in sorted(SAMPLE.rglob("*")) if path.is_file()]
    assert sorted(set(committed) - set(ADDED_BY_HAND)) == kept(fresh)


@pytest.mark.slow
def test_the_sample_report_says_the_same_words_and_numbers(project: Path) -> None:
    """Pictures are drawn by libraries that may differ between machines in their last pixel; everything else is compared."""
    fresh = newest(project)
    texts = [name for name in kept(fresh) if not name.endswith((".png", ".svg", ".html"))]
    assert {
        "newsletter.md",
        "tables/form_by_outcome.csv",
        "tables/dose_by_outcome.csv",
        "tables/who_answered.csv",
    } <= set(texts)
    for name in texts:
        assert (SAMPLE / name).read_bytes() == (fresh / name).read_bytes(), f"{name}: run `make sample-report` and look"


@pytest.mark.slow
def test_the_page_of_the_sample_report_tells_the_same(project: Path) -> None:
    def words(page: Path) -> str:
        return page.read_text(encoding="utf-8").split("<svg", 1)[0]

    assert words(SAMPLE / "index.html") == words(newest(project) / "index.html")


def test_everything_in_the_sample_report_says_that_it_is_invented() -> None:
    assert "Invented data" in (SAMPLE / "index.html").read_text(encoding="utf-8")
    assert "nvented" in (SAMPLE / "newsletter.md").read_text(encoding="utf-8").split("\n\n", 3)[1]
    for table in sorted((SAMPLE / "tables").glob("*.csv")):
        rows = table.read_text(encoding="utf-8").splitlines()
        assert len(rows) > 1
        assert all(f",{INVENTED}," in row for row in rows[1:]), table.name
    assert INVENTED_HEADING.startswith("INVENTED")


@pytest.mark.slow
def test_make_run_is_quiet(project: Path) -> None:
    said = (project / "said.txt").read_text(encoding="utf-8")
    assert not [word for word in ("Traceback", "prefect", "WARNING", "INFO", "telemetry") if word in said], said
    assert len(said.splitlines()) < 60


@pytest.mark.slow
def test_every_command_works_and_the_same_again_changes_no_byte(project: Path) -> None:
    """The commands end with the flows that `make run` runs, on the same answers, which are invented anew here."""
    before = {name: contents(project / name) for name in ("exports", f"reports/{INSTRUMENT}")}
    assert len([name for name in before[f"reports/{INSTRUMENT}"] if name.endswith("index.html")]) == len(WAVES) + 1
    assert len(commands()) >= 7
    for command in ("make samples", *commands()):
        done = in_project(project, command)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    assert (project / "exact.csv").is_file()
    assert {name: contents(project / name) for name in before} == before


def test_every_file_it_points_to_exists() -> None:
    links = set(re.findall(r"\]\((?!https?:)([^)#]+)\)", README)) | set(re.findall(r'(?:src|href)="([^"]+)"', README))
    assert len(links) >= 6
    assert not [link for link in links if not (ROOT / link).exists()]

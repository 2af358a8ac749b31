"""The flows as people and schedules call them: what they say, what Prefect keeps, and what never reaches it.

Programs run in processes of their own with a Prefect home of their own; retries and deployments use one test server. Every
wait is bounded.
"""

import ast
import base64
import csv
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from survey_pipeline import pipeline
from survey_pipeline.errors import InputRefused
from survey_pipeline.pipeline import run_wave
from survey_pipeline.request import RunRequest
from survey_pipeline.stages import CountedWave, ReadWave, ReleasedWave, count_wave

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient

ROOT = Path(__file__).parents[1]
FLOWS = ROOT / "flows"
MUSIC = ROOT / "tests" / "instruments" / "music.toml"
WAVES = ("2026-01", "2026-02")
PATIENCE = 240
"""Seconds after which a program counts as hanging; a busy machine needs thirty."""

FREE_TEXT, DOSE_WORDS, REFUSED = "MARKERFREETEXT4711", "MARKERDOSEWORDS4712", "MARKERREFUSED4713"
MARKERS = (FREE_TEXT, DOSE_WORDS, REFUSED)
HEADINGS = (
    *("Timestamp", "Permissions", "Fav genre", "Hours per day", "While working"),
    *("Anxiety", "Depression", "Insomnia", "OCD", "Music effects", "Comments"),
)

WITHOUT_HEADINGS = ("2026-01-01", *MARKERS, *("an answer" + " too" * number for number in range(7)))
"""What stands in the first line of a file whose headings were cut off: somebody's answers."""


# --- Exports, programs, and looking everywhere ------------------------------------------------------------------------


def answers(number: int) -> list[str]:
    genre = ("Rock", "Pop", "Metal", "Classical")[number % 4]
    scales = [str((number * step) % 11) for step in (1, 3, 5, 7)]
    return [
        f"{number}",
        "I understand.",
        genre,
        str(number % 5),
        ("Yes", "No")[number % 2],
        *scales,
        "Improve",
        FREE_TEXT,
    ]


def write_export(path: Path, rows: int = 200, headings: tuple[str, ...] = HEADINGS) -> Path:
    """Sound answers, a dose in words, a refused genre (its row is set aside) and a row without consent."""
    people = [answers(number) for number in range(rows)]
    people[0][3] = f"as much as I can, {DOSE_WORDS}"
    people[1][2] = REFUSED
    people[2][1] = ""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([headings, *people])
    return path


@dataclass(frozen=True)
class Place:
    """A folder to work in: exports, home and Prefect's own home."""

    folder: Path

    @property
    def exports(self) -> Path:
        return self.folder / "exports"

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def prefect(self) -> Path:
        return self.folder / "prefect"

    @property
    def environment(self) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT", "SURVEY_"))}
        return {**clean, "PREFECT_HOME": str(self.prefect)}

    def run(self, program: str, *arguments: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(FLOWS / program), *map(str, arguments), "--instrument", str(MUSIC)],
            cwd=self.folder,
            env={**self.environment, **more},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with sqlite3.connect(self.prefect / "prefect.db") as database:
            return database.execute(sql).fetchall()


def everything_in(folder: Path) -> str:
    """All that lies in a folder, as text: raw bytes, every row of every database, and whatever is written in base64."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    raw = [path.read_bytes().decode("latin-1") for path in files]
    coded = [_decoded(run) for text in raw for run in re.findall(r"[A-Za-z0-9+/]{24,}={0,2}", text)]
    return "\n".join([*raw, *coded, *(_dump(path) for path in files if path.suffix == ".db")])


def _decoded(run: str) -> str:
    return base64.b64decode(run[: len(run) // 4 * 4]).decode("latin-1")


def _dump(database: Path) -> str:
    with sqlite3.connect(database) as connection:
        tables = connection.execute("select name from sqlite_master where type = 'table'").fetchall()
        return "\n".join(repr(connection.execute(f'select * from "{name}"').fetchall()) for (name,) in tables)


def bytes_and_times(folder: Path) -> dict[Path, tuple[bytes, int]]:
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*") if path.is_file()}


def assert_quiet(output: str) -> None:
    assert "Traceback" not in output
    assert "prefect" not in output.lower()
    assert " | " not in output, "a log line"


# --- A backfill, and the same again -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Backfilled:
    """A finished backfill and what it said."""

    place: Place
    done: subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def backfilled(tmp_path_factory: pytest.TempPathFactory) -> Backfilled:
    place = Place(tmp_path_factory.mktemp("backfilled"))
    for wave in WAVES:
        write_export(place.exports / f"music-{wave}.csv", rows=200 + 10 * WAVES.index(wave))
    return Backfilled(place, place.run("backfill.py", "exports", "--home", "home"))


@pytest.fixture
def place(tmp_path: Path, backfilled: Backfilled) -> Place:
    """A folder to work in, with Prefect's home as an earlier run left it: to make one anew takes longer than most tests."""
    place = Place(tmp_path)
    shutil.copytree(backfilled.place.prefect, place.prefect)
    return place


@pytest.mark.slow
def test_a_backfill_publishes_every_wave_and_says_so(backfilled: Backfilled) -> None:
    done = backfilled.done
    assert (done.returncode, done.stderr) == (0, "")
    for wave in WAVES:
        assert f"music {wave}: published release 1" in done.stdout
        assert (backfilled.place.home / "reports" / "music" / wave / "index.html").is_file()
    assert "200 rows read = 198 kept + 1 set aside + left out: 1 no consent" in done.stdout
    assert (
        done.stdout.splitlines()[-1] == f"The newest wave is 2026-02: {Path('home/reports/music/2026-02/index.html')}"
    )
    assert_quiet(done.stdout)


@pytest.mark.slow
def test_the_same_again_changes_no_byte_of_any_report(backfilled: Backfilled) -> None:
    """A wave by itself here; a whole backfill again is shown by the README's own commands."""
    place = backfilled.place
    before = bytes_and_times(place.home / "reports")
    by_hand = place.run("publish_wave.py", "exports/music-2026-01.csv", "--wave", "2026-01", "--home", "home")
    assert (by_hand.returncode, by_hand.stdout.count("unchanged since release 1")) == (0, 1), by_hand.stderr
    assert bytes_and_times(place.home / "reports") == before


@pytest.mark.slow
def test_no_answer_is_anywhere_but_in_the_warehouse(backfilled: Backfilled) -> None:
    place = backfilled.place
    kept_by_prefect = everything_in(place.prefect)
    assert "publish 2026-01" in kept_by_prefect, "the search finds what is there"
    said = backfilled.done.stdout + backfilled.done.stderr
    for marker in MARKERS:
        assert marker in (place.exports / "music-2026-01.csv").read_text(encoding="utf-8")
        assert marker not in kept_by_prefect
        assert marker not in said
        assert marker not in everything_in(place.home / "reports")


@pytest.mark.slow
def test_prefect_shows_the_stages_by_name(backfilled: Backfilled) -> None:
    runs = backfilled.place.query("select name, state_type from flow_run")
    assert {("backfill exports", "COMPLETED"), *((f"publish {wave}", "COMPLETED") for wave in WAVES)} <= set(runs)
    stages = backfilled.place.query("select distinct name from task_run")
    assert {name for (name,) in stages} >= {"ingest", "count", "disclose", "render"}


@pytest.mark.slow
def test_prefect_keeps_progress_counts_and_the_release(backfilled: Backfilled) -> None:
    kept = {key: json.loads(str(data)) for key, data in backfilled.place.query("select key, data from artifact")}
    assert kept["backfill-exports-progress"] == 100
    assert kept["publish-2026-01-progress"] == 100
    page = kept["music-2026-01-counts"]
    for line in ("| read | 200 |", "| kept | 198 |", "| quarantined | 1 |", "| excluded: no_consent | 1 |"):
        assert line in page
    assert "| hours_per_day | not_a_number | 1 |" in page
    assert "| favourite_genre | unknown_option | 1 |" in page
    rows = json.loads(kept["music-2026-01-release"])
    assert {row["table"] for row in rows} >= {"form_by_outcome", "dose_by_outcome"}
    hidden = [row for row in rows if row["status"] == "suppressed"]
    assert all(row[name] is None for row in hidden for name in ("estimate", "ci_lower", "ci_upper", "n_respondents"))
    assert any(row["estimate"] is not None for row in rows)


# --- What goes wrong --------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_backfill_ends_at_the_wave_that_cannot_be_taken(place: Place) -> None:
    write_export(place.exports / "music-2026-01.csv")
    # Without headings, the first person's answers stand in their place.
    write_export(place.exports / "music-2026-02.csv", headings=WITHOUT_HEADINGS)
    write_export(place.exports / "music-2026-03.csv", rows=220)
    done = place.run("backfill.py", "exports", "--home", "home")
    assert done.returncode == 3
    assert "No heading of 'music-2026-02.csv' is a question of 'music'" in done.stderr
    assert "The wave 2026-02 was not published. Not begun: 2026-03." in done.stderr
    assert_quiet(done.stdout + done.stderr)
    there = sorted(path.name for path in (place.home / "reports" / "music").iterdir())
    assert there == ["2026-01", "feed.xml", "index.html", "trend_over_waves.csv"]
    failed = place.query("select message from flow_run_state where type = 'FAILED'")
    assert {message for (message,) in failed} == {
        "Stopped by InputRefused. Why stands in the output of the run, not here."
    }
    kept_by_prefect = everything_in(place.prefect)
    assert not [marker for marker in MARKERS if marker in kept_by_prefect]


@pytest.mark.parametrize(
    ("program", "arguments", "problem"),
    [
        ("backfill.py", ["nowhere"], "There is no folder 'nowhere'."),
        ("publish_wave.py", ["--folder", "nowhere"], "There is no folder 'nowhere'."),
        ("publish_wave.py", ["a.csv"], "Give either exports and their wave, or a folder of waves."),
        ("publish_wave.py", ["a.csv", "--wave", "2026", "--folder", "x"], "Give either exports and their wave"),
        ("publish_wave.py", ["a.csv", "--wave", "January"], "'January' is not a wave."),
        ("publish_wave.py", ["--folder", "x", "--instrumnet", "y"], "unrecognized arguments"),
    ],
)
def test_wrong_usage_is_told_before_a_server_is_started(
    tmp_path: Path, program: str, arguments: list[str], problem: str
) -> None:
    place = Place(tmp_path)
    done = place.run(program, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert problem in done.stderr
    assert "Traceback" not in done.stderr
    assert not (place.prefect / "prefect.db").exists()


def test_a_server_that_does_not_answer_is_told_in_a_sentence(tmp_path: Path) -> None:
    place = Place(tmp_path)
    write_export(place.exports / "music-2026-01.csv")
    # Nothing listens on port 9 of this machine.
    done = place.run("publish_wave.py", "--folder", "exports", PREFECT_API_URL="http://127.0.0.1:9/api")
    assert (done.returncode, done.stdout) == (2, "")
    assert "does not answer" in done.stderr
    assert "Traceback" not in done.stderr


SLEEPER = """
import pathlib, sys, time
sys.path.insert(0, {flows!r})
import orchestration, publish_wave
from survey_pipeline import pipeline

def sleep(*references, tell):
    pathlib.Path("asleep").touch()
    time.sleep({patience})

pipeline.count_wave = sleep
orchestration.run_as_program(publish_wave.main)
"""
"""publish_wave, with a stage that takes long enough to be interrupted."""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "killpg"), reason="no process groups here")
@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_run_that_is_stopped_says_one_line(place: Place, name: str, code: int) -> None:
    write_export(place.exports / "music-2026-01.csv")
    script = SLEEPER.format(flows=str(FLOWS), patience=PATIENCE)
    process = subprocess.Popen(
        [sys.executable, "-c", script, "--folder", "exports", "--home", "home", "--instrument", str(MUSIC)],
        cwd=place.folder,
        env=place.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        wait_until(lambda: (place.folder / "asleep").exists() or process.poll() is not None)
        os.killpg(process.pid, getattr(signal, name))  # as a terminal and a service manager do: server and all
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (process.returncode, out) == (code, "")
    assert err == "Stopped from outside. Nothing is half made: run again to go on.\n"


def wait_until(done: Callable[[], object], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not done() and time.monotonic() < end:
        time.sleep(0.1)
    assert done()


# --- Stages, without Prefect ------------------------------------------------------------------------------------------


@pytest.fixture
def flows_on_the_path(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.syspath_prepend(str(FLOWS))
    os.environ.setdefault("PREFECT_HOME", str(tmp_path_factory.mktemp("prefect")))


def request(folder: Path) -> RunRequest:
    export = write_export(folder / "music-2026-01.csv")
    return RunRequest(exports=(export,), instrument=str(MUSIC), wave="2026-01", home=folder / "home")


def test_stages_hand_each_other_references_only(tmp_path: Path) -> None:
    seen: list[tuple[str, Any]] = []

    def record(stage: str, function: Callable[..., Any], /, *references: Any) -> Any:
        result = function(*references)
        seen.extend((stage, reference) for reference in (*references, result))
        return result

    run_wave(request(tmp_path), record)
    kinds = {type(reference) for _, reference in seen}
    assert kinds == {RunRequest, ReadWave, CountedWave, ReleasedWave, tuple}
    for stage, reference in seen:
        assert len(repr(reference)) < 4000, stage
        assert not [marker for marker in MARKERS if marker in repr(reference)], stage


def test_whoever_imports_prefect_settles_it_first() -> None:
    for path in FLOWS.glob("*.py"):
        nodes = [node for node in ast.parse(path.read_text(encoding="utf-8")).body if not isinstance(node, ast.Expr)]
        modules = [name for node in nodes for name in imported(node)]
        of_prefect = [i for i, name in enumerate(modules) if name.split(".")[0] == "prefect"]
        assert not of_prefect or modules.index("prefect_settings") < min(of_prefect), path.name


def imported(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []


# --- Retries, on a test server ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[SyncPrefectClient]":
    os.environ.setdefault("PREFECT_HOME", str(tmp_path_factory.mktemp("prefect")))
    sys.path.insert(0, str(FLOWS))
    import orchestration
    from prefect.client.orchestration import get_client
    from prefect.testing.utilities import prefect_test_harness

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(orchestration, "RETRY_AFTER_SECONDS", [0, 0])
        with prefect_test_harness(server_startup_timeout=120), get_client(sync_client=True) as client:
            yield client
    sys.path.remove(str(FLOWS))


def publish(folder: Path) -> Any:
    from publish_wave import PublishWave, publish_wave

    write_export(folder / "exports" / "music-2026-01.csv")
    asked = PublishWave(folder=folder / "exports", instrument=str(MUSIC), home=folder / "home")
    return publish_wave(asked, return_state=True)


def attempts(server: "SyncPrefectClient", state: Any, stage: str) -> int:
    """How often Prefect says that it tried a stage; it hears of the last attempt a little later."""
    from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId

    mine = FlowRunFilter(id=FlowRunFilterId(any_=[state.state_details.flow_run_id]))

    def counts() -> list[int]:
        runs = server.read_task_runs(flow_run_filter=mine)
        return [run.run_count for run in runs if run.name == stage and run.state and run.state.is_final()]

    wait_until(counts, 60)
    return counts()[0]


def everything_prefect_has() -> str:
    from prefect.settings import get_current_settings

    settings = get_current_settings()
    url = settings.server.database.connection_url
    assert url is not None
    database = Path(url.get_secret_value().split("///")[1])
    return everything_in(settings.home) + everything_in(database.parent)


def stumble(error: Exception, times: int, then: Callable[..., Any]) -> Callable[..., Any]:
    left = [error] * times

    def stage(*references: Any, **options: Any) -> Any:
        if left:
            raise left.pop()
        return then(*references, **options)

    return stage


@pytest.mark.slow
def test_a_stage_that_fails_twice_succeeds_at_the_third_attempt(
    server: "SyncPrefectClient", tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(pipeline, "count_wave", stumble(OSError(FREE_TEXT), 2, count_wave))
    state = publish(tmp_path)
    assert state.is_completed()
    assert attempts(server, state, "count") == 3
    assert attempts(server, state, "ingest") == 1
    assert FREE_TEXT not in everything_prefect_has()
    said = capsys.readouterr()
    assert "published release 1" in said.out
    assert said.err == "Trying the stage count again after OSError.\n" * 2


@pytest.mark.slow
def test_what_the_user_must_mend_is_not_tried_again(
    server: "SyncPrefectClient", tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from orchestration import succeeded

    refusal = InputRefused("Two columns are headed alike.", "Rename one.")
    monkeypatch.setattr(pipeline, "count_wave", stumble(refusal, 9, count_wave))
    state = publish(tmp_path)
    assert (state.is_failed(), attempts(server, state, "count")) == (True, 1)
    assert capsys.readouterr().err == "Two columns are headed alike.\nRename one.\n"
    with pytest.raises(InputRefused) as stopped:
        succeeded(state)
    assert stopped.value is refusal


@pytest.mark.slow
def test_a_fault_of_ours_is_told_without_its_message(
    server: "SyncPrefectClient", tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(pipeline, "count_wave", stumble(ValueError(FREE_TEXT), 9, count_wave))
    state = publish(tmp_path)
    assert (state.is_failed(), attempts(server, state, "count")) == (True, 3)
    assert "A fault of ours, not of your files: ValueError" in (said := capsys.readouterr().err)
    assert FREE_TEXT not in said + everything_prefect_has()


@pytest.mark.slow
def test_the_search_would_find_what_prefect_is_shown(server: "SyncPrefectClient") -> None:
    """Without our wrapper Prefect keeps an error's text: the tests above could fail."""
    import prefect

    @prefect.flow(name="careless", persist_result=False)
    def careless() -> None:
        raise ValueError("MARKERCARELESS")

    assert careless(return_state=True).is_failed()
    assert "MARKERCARELESS" in everything_prefect_has()


@pytest.mark.slow
def test_the_progress_bar_is_as_long_as_the_run(tmp_path: Path, flows_on_the_path: None) -> None:
    from publish_wave import N_STAGES

    called: list[str] = []

    def record(stage: str, function: Callable[..., Any], /, *references: Any) -> Any:
        called.append(stage)
        return function(*references)

    run_wave(request(tmp_path), record)
    assert len(called) == N_STAGES


@pytest.mark.slow
@pytest.mark.parametrize("parts", [("music", "2026-Q1", "counts"), ("Folder with spaces", "progress"), ("_a_", "ü!")])
def test_names_of_artifacts_suit_prefect(flows_on_the_path: None, parts: tuple[str, ...]) -> None:
    from artifacts import key

    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", key(*parts))


# --- Deployments ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def deployed(server: "SyncPrefectClient", tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project, deployed for real from a folder of its own."""
    from prefect.client.schemas.actions import WorkPoolCreate

    project = tmp_path_factory.mktemp("project")
    shutil.copytree(FLOWS, project / "flows", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "schemas", project / "schemas")
    shutil.copy(ROOT / "prefect.yaml", project)
    server.create_work_pool(WorkPoolCreate(name="survey-pipeline", type="process"))
    done = prefect_command(server, project, "--no-prompt", "deploy", "--all")
    assert done.returncode == 0, done.stdout + done.stderr
    return project


def prefect_command(server: "SyncPrefectClient", project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """As an engineer would call it: with Prefect's own settings and home."""
    place = Place(project)
    return subprocess.run(
        [sys.executable, "-m", "prefect", *arguments],
        cwd=project,
        env={**place.environment, "PREFECT_API_URL": str(server.api_url)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@pytest.mark.slow
def test_the_schedule_is_monthly(server: "SyncPrefectClient", deployed: Path) -> None:
    (plan,) = server.read_deployment_by_name("publish-wave/publish-wave").schedules
    assert plan.active
    assert plan.schedule.model_dump(include={"cron", "timezone"}) == {"cron": "0 6 1 * *", "timezone": "UTC"}
    assert server.read_deployment_by_name("backfill/backfill").schedules == []


@pytest.mark.slow
def test_a_worker_publishes_the_newest_wave_unattended(server: "SyncPrefectClient", deployed: Path) -> None:
    write_export(deployed / "exports" / "magnesium" / "music-2026-01.csv")
    write_export(deployed / "exports" / "magnesium" / "music-2026-02.csv")
    run = run_by_worker(server, deployed, "publish-wave/publish-wave")
    assert (run.state_name, run.name) == ("Completed", "publish the newest wave")
    there = sorted(path.name for path in (deployed / "reports" / "music").iterdir())
    assert there == ["2026-02", "feed.xml", "index.html", "trend_over_waves.csv"]


@pytest.mark.slow
def test_a_worker_that_is_refused_fails_in_one_word(server: "SyncPrefectClient", deployed: Path) -> None:
    write_export(deployed / "exports" / "magnesium" / "music-2026-03.csv", headings=WITHOUT_HEADINGS)
    run = run_by_worker(server, deployed, "publish-wave/publish-wave")
    assert run.state_name == "Failed"
    assert run.state.message == "Stopped by InputRefused. Why stands in the output of the run, not here."
    assert not [marker for marker in MARKERS if marker in everything_prefect_has()]


def run_by_worker(server: "SyncPrefectClient", project: Path, deployment: str) -> Any:
    known = server.read_deployment_by_name(deployment)
    asked = {**known.parameters["asked"], "instrument": str(MUSIC)}
    created = server.create_flow_run_from_deployment(known.id, parameters={"asked": asked})
    done = prefect_command(server, project, "worker", "start", "--pool", "survey-pipeline", "--run-once")
    assert not [marker for marker in MARKERS if marker in done.stdout + done.stderr]
    return server.read_flow_run(created.id)

"""A whole run: the same inputs give the same bytes, no row is lost, and whatever stops a run leaves the last good wave."""

import json
import random
import signal
import subprocess
import sys
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from club import CLUB, MARKER, MUSIC_EXPORT, MUSIC_INSTRUMENT, Said, call, club, contents, rows, write

from survey_pipeline import RunRequest, exports, run_wave, stages
from survey_pipeline.errors import InputRefused, WarehouseBusy
from survey_pipeline.exports import RowsDoNotAddUp
from survey_pipeline.exports.files import open_sheet
from survey_pipeline.exports.sheet import Cells, Sheet
from survey_pipeline.pipeline import plainly
from survey_pipeline.reading import Reading, open_exports, silently
from survey_pipeline.reports import write_file, write_files
from survey_pipeline.spool import Spool
from survey_pipeline.stages import exact_estimates
from survey_pipeline.storage import Warehouse, latest
from survey_pipeline.validate import QUARANTINE_SCHEMA


def request(home: Path, instrument: Path, *found: Path, wave: str = "2026-01", **more: Any) -> RunRequest:
    return RunRequest.checked(exports=found, instrument=str(instrument), wave=wave, home=home, **more)


def versions(home: Path) -> dict[str, int]:
    """The version of every table of a warehouse."""
    warehouse = Warehouse(home / "warehouse")
    tables = [path.parent.relative_to(home / "warehouse") for path in (home / "warehouse").rglob("_delta_log")]
    return {str(table): warehouse.version(str(table)) for table in tables}


TABLES = {"responses/club", "quarantine", "tallies", "released_people/club", "waves", "releases", "secret"}


@pytest.fixture
def export(tmp_path: Path) -> Path:
    return write(tmp_path / "a.csv", [*rows(60), *rows(3, 60, form=MARKER), *rows(2, 70, pain="11")])


# --- The same inputs -----------------------------------------------------------------------------------------------------


def test_the_same_inputs_again_change_nothing(home: Path, instrument_file: Path, export: Path, tmp_path: Path) -> None:
    asked = request(home, instrument_file, export)
    first = run_wave(asked)
    before, at = contents(home), versions(home)
    assert first.releases[0].is_new and set(at) == TABLES
    renamed = tmp_path / "called otherwise.csv"
    renamed.write_bytes(export.read_bytes())
    for again in (asked, request(home, instrument_file, renamed), asked.model_copy(update={"correction": "no need"})):
        done = run_wave(again)
        assert not done.releases[0].is_new and (done.exports, done.reports) == (first.exports, first.reports)
        assert versions(home) == at and contents(home) == before


def test_the_same_inputs_elsewhere_and_in_another_order_give_the_same_reports(
    tmp_path: Path, instrument_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = write(tmp_path / "a.csv", rows(40)), write(tmp_path / "b.csv", rows(40, 30))
    one = run_wave(request(tmp_path / "one", instrument_file, first, second))
    monkeypatch.setattr(exports, "BATCH_ROWS", 7)
    two = run_wave(request(tmp_path / "two", instrument_file, second, first))
    assert one.exports == two.exports
    assert contents(tmp_path / "one" / "reports") == contents(tmp_path / "two" / "reports")


def test_a_correction_is_a_second_release_and_the_first_stays_in_the_ledger(
    home: Path, instrument_file: Path, export: Path, tmp_path: Path
) -> None:
    run_wave(request(home, instrument_file, export))
    (first,) = Warehouse(home / "warehouse").releases("club")
    more = write(tmp_path / "more.csv", [*rows(70), *rows(2, 70, pain="11"), *rows(18, 72)])
    with pytest.raises(InputRefused, match="already published"):
        run_wave(request(home, instrument_file, more))
    done = run_wave(request(home, instrument_file, more, correction="late answers"))
    ledger = Warehouse(home / "warehouse").releases("club")
    assert [stored.release.release_number for stored in ledger] == [1, 2] and ledger[0] == first
    assert latest(ledger)["2026-01"].release.correction == "late answers" and done.releases[0].release_number == 2


def test_a_correction_splits_no_level_that_was_published_merged(
    tmp_path: Path, instrument_file: Path, home: Path
) -> None:
    few = [*rows(60, form="Citrate"), *rows(30, 60, form="Oxide"), *rows(8, 90, form="A mix")]
    more = [*few, *rows(40, 100, form="A mix")]
    for number, (people, why) in enumerate([(few, None), (more, "late answers")]):
        export = write(tmp_path / f"{number}.csv", people)
        run_wave(
            RunRequest.checked(
                exports=(export,), instrument=str(instrument_file), wave="2026-01", home=home, correction=why
            )
        )
    first, second = [stored.release.levels["form"] for stored in Warehouse(home / "warehouse").releases("club")]
    assert [level.label for level in first] == [level.label for level in second] == ["Citrate", "Oxide or A mix"]


def test_a_refused_correction_costs_nothing_of_what_was_published(
    home: Path, instrument_file: Path, export: Path, tmp_path: Path
) -> None:
    run_wave(request(home, instrument_file, export))
    reports = contents(home / "reports")
    few = write(tmp_path / "few.csv", rows(3))
    assert (
        call("run", few, "-i", instrument_file, "-w", "2026-01", "--home", home, "--correction", "by mistake").code == 5
    )
    assert contents(home / "reports") == reports
    done = run_wave(request(home, instrument_file, export))
    assert not done.releases[0].is_new and contents(home / "reports") == reports
    assert estimate_of(exact_estimates(request(home, instrument_file, export), club(), "2026-01"), "count") == 62


def test_a_wave_that_could_not_be_published_is_published_once_it_can_be(
    home: Path, instrument_file: Path, tmp_path: Path
) -> None:
    few = write(tmp_path / "few.csv", rows(3))
    assert call("run", few, "-i", instrument_file, "-w", "2026-01", "--home", home).code == 5
    done = run_wave(request(home, instrument_file, write(tmp_path / "more.csv", rows(30))))
    assert done.releases[0].release_number == 1 and done.exports[0].rows_kept == 30


def test_an_instrument_may_grow_between_waves(home: Path, instrument_file: Path, export: Path, tmp_path: Path) -> None:
    run_wave(request(home, instrument_file, export))
    fatigue = '[items.fatigue]\nlabel = "Fatigue"\nquestion = "Fatigue?"\ntheme = "health"\nkind = "scale"\n'
    grown = instrument_file.read_text(encoding="utf-8") + f'{fatigue}role = "outcome"\nminimum = 0\nmaximum = 10\n'
    instrument_file.write_text(grown.replace('outcomes = ["pain"]', 'outcomes = ["pain", "fatigue"]'), encoding="utf-8")
    answered = [one | {"Fatigue?": "4"} for one in rows(50, 200)]
    run_wave(request(home, instrument_file, write(tmp_path / "b.csv", answered, answered[0]), wave="2026-02"))
    found = Warehouse(home / "warehouse").scan("responses/club").group_by("wave").agg(pl.col("fatigue").count())
    assert dict(found.collect().iter_rows()) == {"2026-01": 0, "2026-02": 50}
    for wave, outcomes in (("2026-01", {"pain"}), ("2026-02", {"pain", "fatigue"})):
        table = exact_estimates(request(home, instrument_file, export), club(), wave)
        assert set(table.filter(pl.col("table") == "form_by_outcome")["outcome"]) == outcomes


def estimate_of(table: pl.DataFrame, statistic: str, outcome: str = "respondents", level: str = "all") -> float:
    wanted = (pl.col("statistic") == statistic) & (pl.col("outcome") == outcome) & (pl.col("level") == level)
    return float(table.filter(wanted)["estimate"][0])


# --- No row is lost ------------------------------------------------------------------------------------------------------


def without_the_last(frames: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    yield from (frame.head(frame.height - 1) for frame in frames)


def with_one_twice(frames: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    yield from (pl.concat([frame, frame.head(1).with_columns(record=pl.lit(10_000, pl.Int64))]) for frame in frames)


class LosesKeptRows(Reading):
    def kept(self, key: dict[str, str]) -> Iterator[pl.DataFrame]:
        return without_the_last(super().kept(key))


class DoublesKeptRows(Reading):
    def kept(self, key: dict[str, str]) -> Iterator[pl.DataFrame]:
        return with_one_twice(super().kept(key))


class LosesSpool(Spool):
    """Loses what `lost` says of a frame of reasons."""

    lost = pl.lit(False)

    def frames(self) -> Iterator[pl.DataFrame]:
        yield from (frame.filter(~self.lost) for frame in super().frames())


class LosesRowsOnTheSpool(LosesSpool):
    lost = pl.col("whole_row") & (pl.col("record") == pl.col("record").max().over("whole_row"))


class LosesAnswersOnTheSpool(LosesSpool):
    lost = ~pl.col("whole_row")


class LosesQuarantinedRows(Reading):
    spool_of_another_kind: type[Spool] = LosesRowsOnTheSpool

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.spool = self.spool_of_another_kind(pl.DataFrame(schema=QUARANTINE_SCHEMA))


class LosesRefusedAnswers(LosesQuarantinedRows):
    spool_of_another_kind = LosesAnswersOnTheSpool


class ForgetsToCount(Reading):
    def _count(self, *arguments: Any) -> None:
        super()._count(*arguments)
        self.counts["a.csv"].kept -= 1


class LosesARow:
    """The cells of a file, without the last row."""

    def __init__(self, cells: Cells) -> None:
        self.cells = cells

    def batches(self, columns: Sequence[int], skip: int, rows: int) -> Iterator[pl.DataFrame]:
        yield pl.concat(self.cells.batches(columns, skip, rows))[:-1]


def open_without_a_row(path: Path, by_hand: exports.ByHand) -> Sheet:
    sheet = open_sheet(path, by_hand)
    return replace(sheet, cells=LosesARow(sheet.cells))


FAULTY = [LosesKeptRows, DoublesKeptRows, LosesQuarantinedRows, LosesRefusedAnswers, ForgetsToCount, None]


@pytest.mark.parametrize("faulty", FAULTY)
def test_a_run_stops_before_anything_counts_if_rows_do_not_add_up(
    home: Path, instrument_file: Path, export: Path, faulty: type[Reading] | None
) -> None:
    asked = request(home, instrument_file, export)
    with pytest.MonkeyPatch.context() as patch:
        if faulty:
            patch.setattr(stages, "Reading", faulty)
        else:
            patch.setattr(exports, "open_sheet", open_without_a_row)
        with pytest.raises(RowsDoNotAddUp):
            run_wave(asked)
    warehouse = Warehouse(home / "warehouse")
    assert warehouse.wave("club", "2026-01") is None and warehouse.releases("club") == []
    assert not (home / "reports").exists()
    assert run_wave(asked).exports[0].rows_read == 65


def test_reading_takes_a_batch_at_a_time_and_keeps_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "BATCH_ROWS", 10)
    reading = Reading(open_exports([write(tmp_path / "a.csv", rows(200))]), club(), silently)
    stream, seen = reading.kept({}), list[weakref.ref[pl.DataFrame]]()
    for done in range(1, 21):
        seen.append(weakref.ref(next(stream)))
        assert reading.counts["a.csv"].read == 10 * done
        assert sum(frame() is not None for frame in seen) <= 1


# --- Stages and what passes between them ---------------------------------------------------------------------------------


def test_stages_are_called_in_order_and_only_references_pass_between_them(
    home: Path, instrument_file: Path, export: Path
) -> None:
    called: list[str] = []

    def watched(stage: str, function: Callable[..., Any], /, *references: Any) -> Any:
        result = plainly(stage, function, *references)
        called.append(stage)
        assert MARKER not in repr((references, result)) and "shape:" not in repr((references, result))
        return result

    told: list[tuple[str, int]] = []
    run_wave(request(home, instrument_file, export), call=watched, tell=lambda stage, n: told.append((stage, n)))
    assert called == ["ingest", "count", "disclose", "render"]
    assert ("ingest", 65) in told and ("count", 62) in told


def test_a_second_run_in_the_same_process_is_told_to_wait(home: Path, instrument_file: Path, export: Path) -> None:
    asked = request(home, instrument_file, export)

    def meanwhile(stage: str, function: Callable[..., Any], /, *references: Any) -> Any:
        with pytest.raises(WarehouseBusy):
            run_wave(asked)
        return plainly(stage, function, *references)

    assert run_wave(asked, call=meanwhile).releases[0].is_new


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the instrument and two exports lie, the second for a correction."""
    folder = tmp_path_factory.mktemp("exports")
    (folder / "club.toml").write_text(CLUB, encoding="utf-8")
    write(folder / "a.csv", [*rows(62), *rows(3, 62, form=MARKER)])
    write(folder / "more.csv", rows(80))
    return folder


def both(home: Path, folder: Path) -> list[RunRequest]:
    """A wave, and its correction."""
    first = request(home, folder / "club.toml", folder / "a.csv")
    return [first, request(home, folder / "club.toml", folder / "more.csv", correction="late answers")]


@pytest.fixture(scope="module")
def undisturbed(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The reports of both, if nothing stops them."""
    home = tmp_path_factory.mktemp("undisturbed")
    for asked in both(home, folder):
        run_wave(asked)
    return contents(home / "reports")


@pytest.mark.parametrize("stage", ["ingest", "count", "disclose", "render"])
@pytest.mark.parametrize("after", [False, True])
def test_a_run_that_stops_at_any_stage_is_made_good_by_running_again(
    home: Path, folder: Path, undisturbed: dict[str, bytes], stage: str, after: bool
) -> None:
    def stopping(name: str, function: Callable[..., Any], /, *references: Any) -> Any:
        if name == stage and not after:
            raise OSError("the disk is full")
        result = plainly(name, function, *references)
        if name == stage:
            raise OSError("the disk is full")
        return result

    for n_kept, asked in zip((62, 80), both(home, folder), strict=True):
        with pytest.raises(OSError, match="disk is full"):
            run_wave(asked, call=stopping)
        if n_kept == 80 or (stage, after) != ("ingest", False):
            in_force = 62 if (stage, after) == ("ingest", False) else n_kept
            assert estimate_of(exact_estimates(asked, club(), "2026-01"), "count") == in_force
        run_wave(asked)
    assert contents(home / "reports") == undisturbed
    assert len(Warehouse(home / "warehouse").releases("club")) == 2


def test_a_file_is_put_in_its_place_whole_and_left_alone_if_nothing_changed(tmp_path: Path) -> None:
    path, half = tmp_path / "reports" / "index.html", tmp_path / "reports" / ".index.html.half"
    write_file(path, b"one")
    at = path.stat()
    half.write_bytes(b"what a killed run left")
    write_file(path, b"one")
    assert path.stat().st_mtime_ns == at.st_mtime_ns and path.stat().st_ino == at.st_ino and not half.exists()
    half.write_bytes(b"what a killed run left")
    write_file(path, b"two")
    assert contents(tmp_path / "reports") == {"index.html": b"two"}


def test_a_folder_of_rendered_files_holds_those_and_nothing_else(tmp_path: Path) -> None:
    write_files(tmp_path / "wave", {"index.html": b"1", "charts/old.svg": b"2"})
    (tmp_path / "wave" / ".old.half").write_bytes(b"")
    (tmp_path / "other").write_bytes(b"3")
    paths = write_files(tmp_path / "wave", {"index.html": b"1", "charts/new.svg": b"4"})
    assert contents(tmp_path) == {"other": b"3", "wave/index.html": b"1", "wave/charts/new.svg": b"4"}
    assert paths == [tmp_path / "wave" / "charts" / "new.svg", tmp_path / "wave" / "index.html"]


# --- Killed without warning ----------------------------------------------------------------------------------------------

RUN = """
import sys
from survey_pipeline.cli import main
from survey_pipeline.render import render
print("ready", flush=True)
main(sys.argv[1:])
"""
TRIES = 4


def killed_after(seconds: float, arguments: list[str]) -> int:
    """Start a run, kill it so long after it has begun, and give its exit code (negative if it was killed)."""
    command = [sys.executable, "-c", RUN, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout and process.stdout.readline() == "ready\n"
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        process.stdout.read()
        return process.wait(timeout=60)


@pytest.mark.slow
def test_a_run_that_is_killed_at_any_moment_leaves_the_last_good_wave_and_recovers(
    tmp_path: Path, instrument_file: Path, export: Path
) -> None:
    late = [*rows(70), *rows(2, 70, pain="11"), *rows(2928, 72)]
    more = write(tmp_path / "more.csv", [*late, *rows(20, 3000, form=MARKER)])
    published = ("run", export, "-i", instrument_file, "-w", "2026-01", "--home")
    corrected = ("run", more, "-i", instrument_file, "-w", "2026-01", "--correction", "late answers", "--home")
    for step in (published, corrected):
        began = time.monotonic()
        assert call(*step, tmp_path / "undisturbed").code == 0
        lasted = time.monotonic() - began
    expected, chance, killed = contents(tmp_path / "undisturbed" / "reports"), random.Random(20260101), 0
    for number in range(TRIES):
        home = tmp_path / f"disturbed-{number}"
        moment = lasted * (number + chance.random()) / TRIES
        step = published if number % 2 else corrected
        if step is corrected:
            assert call(*published, home).code == 0
        killed += killed_after(moment, [str(word) for word in (*step, home)]) == -signal.SIGKILL
        history = call("history", "--home", home, "--json").document
        assert [one["release_number"] for one in history["releases"]] in (
            [[1], [1, 2]] if step is corrected else [[], [1]]
        )
        if history["releases"]:
            assert call("estimates", "-i", instrument_file, "-w", "2026-01", "--home", home).code == 0
            assert call("report", "-i", instrument_file, "--home", home).code == 0
        assert call(*step, home).code == call(*corrected, home).code == 0
        assert contents(home / "reports") == expected, moment
    assert killed >= TRIES / 2


# --- A survey that nobody here made ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> tuple[Said, Path]:
    if not MUSIC_EXPORT.exists():
        pytest.skip("the shared files are not here")
    home = tmp_path_factory.mktemp("music")
    return call("run", MUSIC_EXPORT, "-i", MUSIC_INSTRUMENT, "-w", "2022", "--home", home, "--json"), home


def test_the_music_survey_reads_every_row_and_refuses_one_answer(music: tuple[Said, Path]) -> None:
    said, home = music
    (export,) = said.document["exports"]
    assert (said.code, export["rows_read"], export["rows_kept"], export["rows_quarantined"]) == (0, 736, 736, 0)
    assert export["rows_excluded"] == {} and export["values_refused"] == {"insomnia": {"not_on_scale": 1}}
    assert (
        export["columns_read"] == 33 and len(export["columns_dropped"]) == 33 - 8 and "BPM" in export["columns_dropped"]
    )
    quarantine = call("quarantine", "-i", MUSIC_INSTRUMENT, "-w", "2022", "--home", home)
    assert quarantine.out == "insomnia: not_on_scale, value refused, 1 time\n"


@pytest.mark.parametrize(
    ("outcome", "mean", "n", "n_missing"),
    [
        ("anxiety", 5.8376358696, 736, 0),
        ("depression", 4.7961956522, 736, 0),
        ("insomnia", (736 * 3.7384510870 - 3.5) / 735, 735, 1),
        ("ocd", 2.6372282609, 736, 0),
    ],
)
def test_the_music_surveys_exact_means(
    music: tuple[Said, Path], outcome: str, mean: float, n: int, n_missing: int
) -> None:
    said = call("estimates", "-i", MUSIC_INSTRUMENT, "-w", "2022", "--home", music[1], "--json")
    found = [
        row
        for row in said.document["estimates"]
        if (row["table"], row["level"], row["outcome"], row["statistic"]) == ("form_by_outcome", "all", outcome, "mean")
    ]
    assert [(row["n_respondents"], row["n_missing"]) for row in found] == [(n, n_missing)]
    assert found[0]["estimate"] == pytest.approx(mean, abs=1e-9)


def test_the_music_surveys_report_is_there_and_holds_no_exact_count(music: tuple[Said, Path]) -> None:
    said, home = music
    assert all(Path(path).is_file() for path in said.document["reports"])
    release = json.loads((home / "reports" / "music" / "2022" / "release.json").read_text(encoding="utf-8"))
    counts = {row["n_respondents"] for row in release["rows"] if row["n_respondents"] is not None}
    assert counts and all(count % 5 == 0 for count in counts)

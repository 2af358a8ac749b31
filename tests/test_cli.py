"""The command line: what a steward types, reads and is refused. Every refusal is a sentence, a next step and an exit code."""

import csv
import io
import json
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from club import CLUB, HEADINGS, MARKER, Said, as_csv, call, contents, row, rows, write

from survey_pipeline.instrument import load_instrument
from survey_pipeline.names import TIDY_COLUMNS
from survey_pipeline.reading import open_exports
from survey_pipeline.storage import Warehouse

PROGRAM = Path(sys.executable).parent / "survey-pipeline"
SAID_BEFORE_A_FAULT = ("Traceback", "fault of ours", "Error:", "polars", "pandera", "DeltaError")


@pytest.fixture
def run(instrument_file: Path, home: Path) -> Callable[..., Said]:
    """Run a wave of the club, with further options."""

    def run_it(*exports: Path, wave: str = "2026-01", more: tuple[str | Path, ...] = ()) -> Said:
        return call("run", *exports, "--instrument", instrument_file, "--wave", wave, "--home", home, *more)

    return run_it


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """An export with a bad row, a bad answer and rows that do not count, which can be published all the same."""
    messy = [*rows(60), row(60, pain=f"{MARKER}1"), row(61, form=f"{MARKER}2"), row(62, consent="No"), {}, row(5)]
    return write(tmp_path / "good.csv", messy)


@pytest.fixture
def published(run: Callable[..., Said], good: Path) -> Said:
    done = run(good)
    assert (done.code, done.err) == (0, "")
    return done


def refused(said: Said, code: int, *words: str) -> None:
    """One plain sentence, one next step, the promised code, nothing else, and nobody's answer."""
    assert said.code == code, said
    assert said.out == ""
    assert [word for word in words if word not in said.err] == []
    problem, next_step = said.err.strip().split("\n")
    assert problem.rstrip()[-1] in ".?" and len(next_step) > 5
    assert MARKER not in said.err and not [word for word in SAID_BEFORE_A_FAULT if word in said.err]


# --- Bad exports -------------------------------------------------------------------------------------------------------

GOOD = as_csv(rows(60))
LAST = GOOD.splitlines()[-1]
BAD_EXPORTS: dict[str, tuple[str | bytes | None, tuple[str, ...]]] = {
    "missing": (None, ("There is no file", "bad.csv'.", "Check the name")),
    "empty": ("", ("'bad.csv' is empty", "Export the answers again")),
    "headings alone": (GOOD.splitlines()[0] + "\n", ("holds headings but no answers",)),
    "latin-1 late": (GOOD.encode() + LAST.replace("No", f"caf\xe9{MARKER}").encode("latin-1"), ("UTF-8", "line 62")),
    "latin-1 headings": (GOOD.replace("Pain", "Schm\xe4rz").encode("latin-1"), ("not UTF-8",)),
    "a misspelt heading": (
        GOOD.replace("Which form do you take?", "Which from do you take?"),
        ("no column for the item 'form'", "Column 4 is headed almost so."),
    ),
    "another survey": (
        f"Colour,Shape\n{MARKER},{MARKER}\n",
        ("No heading of 'bad.csv' is a question of 'club'.", "right survey"),
    ),
    "a heading twice": (GOOD.replace("Pain from 0 to 10", "How much a day?"), ("Two columns", "'dose'")),
    "many long rows": (
        GOOD + f"{LAST},{MARKER}\n" * 20,
        ("20 of 80 rows", "row 61", "more cells than the 10 headings"),
    ),
    "a spreadsheet": (b"PK\x03\x04\x14\x00\x08\x08\x08\x00\x8f\x9a" + MARKER.encode(), ("damaged",)),
    "a page": (f"<!DOCTYPE html><html><body>{MARKER}</body></html>", ("web page",)),
    "no headings": (GOOD.split("\n", 1)[1], ("'bad.csv'",)),
}


def bad_export(folder: Path, kind: str) -> Path:
    content, path = BAD_EXPORTS[kind][0], folder / "bad.csv"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("kind", BAD_EXPORTS)
def test_a_bad_export_is_refused_and_leaves_nothing(
    run: Callable[..., Said], home: Path, tmp_path: Path, kind: str
) -> None:
    refused(run(bad_export(tmp_path, kind), more=("--json",)), 3, *BAD_EXPORTS[kind][1])
    assert not home.exists() or contents(home) == {}


@pytest.mark.parametrize("kind", BAD_EXPORTS)
def test_check_refuses_what_run_refuses(instrument_file: Path, tmp_path: Path, kind: str) -> None:
    said = call("check", bad_export(tmp_path, kind), "--instrument", instrument_file, "--json")
    refused(said, 3, *BAD_EXPORTS[kind][1])


@pytest.mark.parametrize("kind", ["missing", "latin-1 late", "a spreadsheet", "a page"])
def test_check_without_an_instrument_refuses_what_cannot_be_read(tmp_path: Path, kind: str) -> None:
    refused(call("check", bad_export(tmp_path, kind)), 3, *BAD_EXPORTS[kind][1])


def test_bad_exports_leave_a_published_wave_as_it_is(
    run: Callable[..., Said], published: Said, home: Path, tmp_path: Path, good: Path, instrument_file: Path
) -> None:
    before = contents(home)
    for kind in BAD_EXPORTS:
        path = bad_export(tmp_path, kind)
        for wave in ("2026-01", "2026-02"):
            assert run(path, wave=wave, more=("--correction", "a test")).code == 3, kind
        path.unlink(missing_ok=True)
    refused(run(tmp_path), 3, "is a folder")
    assert contents(home) == before
    again = run(good)
    assert (
        again.out == published.out.replace("published release", "unchanged since release") and contents(home) == before
    )
    assert call("estimates", "-i", instrument_file, "-w", "2026-01", "--home", home).code == 0


ODD_ROWS = {
    "a long row": f"{LAST},{MARKER}\n",
    "a short row": f"{MARKER},Yes\n",
    "an open quotation mark": f'"{MARKER}{LAST}\n',
}


@pytest.mark.parametrize("kind", ODD_ROWS)
def test_a_row_that_cannot_be_read_for_certain_is_set_aside_and_nothing_of_it_is_kept(
    run: Callable[..., Said], home: Path, tmp_path: Path, instrument_file: Path, kind: str
) -> None:
    path = tmp_path / "odd.csv"
    path.write_text(GOOD + ODD_ROWS[kind] + as_csv(rows(5, 200)).split("\n", 1)[1], encoding="utf-8")
    said = run(path, more=("--json",))
    (export,) = said.document["exports"]
    assert (export["rows_read"], export["rows_kept"], export["rows_quarantined"]) == (66, 65, 1)
    assert export["rows_irregular"] == 1 and export["values_refused"] == {"(row)": {"irregular_record": 1}}
    assert not [name for name, content in contents(home).items() if MARKER.encode() in content]
    told = call("quarantine", "-i", instrument_file, "-w", "2026-01", "--home", home)
    assert told.out == "(row): irregular_record, row set aside, 1 time\n"


def test_an_export_in_utf_16_is_read(run: Callable[..., Said], tmp_path: Path) -> None:
    path = tmp_path / "good.csv"
    path.write_bytes(GOOD.encode("utf-16"))
    (export,) = run(path, more=("--json",)).document["exports"]
    assert (export["rows_kept"], export["encoding"]) == (60, "utf-16-le")


def test_one_bad_export_of_two_stops_both(run: Callable[..., Said], home: Path, tmp_path: Path, good: Path) -> None:
    refused(run(good, bad_export(tmp_path, "many long rows")), 3, "20 of 80 rows of 'bad.csv'")
    assert contents(home) == {}


def test_a_row_that_turns_out_bad_after_the_writing_began_leaves_the_last_good_wave(
    run: Callable[..., Said], published: Said, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file changes between the look at it and the reading: more than any check beforehand can see."""
    from survey_pipeline import exports

    monkeypatch.setattr(exports, "BATCH_ROWS", 10)
    path, before, opened = write(tmp_path / "new.csv", rows(40, 100)), contents(home), open_exports

    def open_and_change(paths: Any, by_hand: Any) -> Any:
        found = opened(paths, by_hand)
        write(path, rows(30, 100))
        return found

    monkeypatch.setattr("survey_pipeline.stages.open_exports", open_and_change)
    said = run(path, more=("--correction", "a test"))
    assert said.code == 1 and "RowsDoNotAddUp" in said.err and MARKER not in said.err
    assert contents(home) == before


# --- Wrong usage and bad instruments -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wave",
    ["2026-13", "26-01", "2026-1", "2026-01-01", "January", "", "2026-W54", "2026-Q5", "\uff12\uff10\uff12\uff16"],
)
def test_a_mistyped_wave_is_refused_with_what_one_looks_like(
    run: Callable[..., Said], good: Path, home: Path, instrument_file: Path, wave: str
) -> None:
    refused(run(good, wave=wave), 2, "is not a wave.", "2026-Q1")
    for command in ("estimates", "quarantine", "report"):
        refused(call(command, "-i", instrument_file, "-w", wave, "--home", home), 2, "is not a wave.", "2026-Q1")
    assert not home.exists()


def test_an_unknown_instrument_is_refused_with_the_known_ones(good: Path, home: Path) -> None:
    refused(
        call("run", good, "--instrument", "magnesum", "--wave", "2026-01", "--home", home),
        2,
        "There is no instrument 'magnesum'. Did you mean 'magnesium'?",
        "Give a path to an instrument.toml, or one of: magnesium",
    )
    assert not home.exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("maximum = 10\n", "maximun = 10\n"), ("Unknown key 'maximun'", "Did you mean 'maximum'?")),
        (('kind = "scale"', 'kind = "scael"'), ("items.pain.kind",)),
        (('name = "club"', 'name = "club'), ("not valid TOML", "line 2")),
        (('exposure = "form"', 'exposure = "from"'), ("'from'", "Did you mean 'form'?")),
        (('name = "club"', 'name = "caf\xe9"'), ("cannot be read as UTF-8",)),
    ],
)
def test_a_bad_instrument_is_refused_with_its_place(
    run: Callable[..., Said],
    good: Path,
    home: Path,
    instrument_file: Path,
    change: tuple[str, str],
    words: tuple[str, ...],
) -> None:
    instrument_file.write_bytes(CLUB.replace(*change, 1).encode("latin-1"))
    refused(run(good), 3, *words)
    assert not home.exists()


def test_a_missing_option_is_wrong_usage_and_names_it(good: Path) -> None:
    said = call("run", good, "--wave", "2026-01")
    assert said.code == 2 and "--instrument" in said.err and said.out == ""
    assert call("rnu").code == 2 and call("run", "--hepl").code == 2


def test_exact_numbers_and_answers_are_not_written_among_the_reports(
    published: Said, home: Path, instrument_file: Path, tmp_path: Path
) -> None:
    before, wave = contents(home), ("-i", instrument_file, "-w", "2026-01", "--home", home)
    for command in ("estimates", "quarantine"):
        refused(call(command, *wave, "--out", home / "reports" / "x.csv"), 2, "not for publication", "--out")
        inside = home / "warehouse" / ".." / "reports" / "club" / "x.csv"
        refused(call(command, *wave, "--out", inside), 2, "among the reports")
        (tmp_path / "site").mkdir(exist_ok=True)
        elsewhere = ("--reports", tmp_path / "site", "--out", tmp_path / "site" / "x.csv")
        refused(call(command, *wave, *elsewhere), 2, "among the reports")
        refused(call(command, *wave, "--out", tmp_path / "absent" / "x.csv"), 2, "cannot be written")
    assert contents(home) == before and contents(tmp_path / "site") == {}


def test_what_is_not_for_publication_is_for_its_owner_and_over_nothing_else(
    published: Said, home: Path, instrument_file: Path, good: Path, tmp_path: Path
) -> None:
    wave, before, out = ("-i", instrument_file, "-w", "2026-01", "--home", home), good.read_bytes(), tmp_path / "x.csv"
    for command in ("estimates", "quarantine"):
        refused(call(command, *wave, "--out", good), 2, "is there already and holds something else")
        assert call(command, *wave, "--out", out).code == 0
        first = out.read_bytes()
        out.chmod(0o644)
        assert call(command, *wave, "--out", out).code == 0 and out.read_bytes() == first
        assert out.stat().st_mode & 0o777 == 0o600
        out.unlink()
    assert good.read_bytes() == before and (home / "warehouse").stat().st_mode & 0o777 == 0o700


def test_a_link_into_the_reports_is_among_the_reports(
    published: Said, home: Path, instrument_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(home / "reports")
    said = call("estimates", "-i", instrument_file, "-w", "2026-01", "--home", home, "-o", tmp_path / "link" / "x.csv")
    refused(said, 2, "among the reports")


def test_a_wave_that_is_not_there_is_refused_with_those_that_are(
    published: Said, home: Path, instrument_file: Path
) -> None:
    wave, before = ("-i", instrument_file, "-w", "2026-07", "--home", home), contents(home)
    for command in ("estimates", "quarantine"):
        refused(call(command, *wave), 2, "holds no wave '2026-07' of 'club'", "Waves there: 2026-01")
    refused(call("report", *wave), 2, "The wave '2026-07' of 'club' has not been published", "Published: 2026-01")
    assert contents(home) == before


def test_an_empty_warehouse_is_not_made_by_looking_into_it(home: Path, instrument_file: Path) -> None:
    wave = ("-i", instrument_file, "-w", "2026-01", "--home", home)
    for command in ("estimates", "quarantine"):
        refused(call(command, *wave), 2, "holds no wave", "Run it first")
    refused(
        call("report", "-i", instrument_file, "--home", home), 2, "Nothing of 'club' has been published", "Run a wave"
    )
    assert call("history", "--home", home).out == "Nothing has been published from this warehouse yet.\n"
    assert not home.exists()


# --- Too few answers, corrections, a busy warehouse --------------------------------------------------------------------


def test_fewer_than_ten_answers_are_not_published_and_ten_are(
    run: Callable[..., Said], home: Path, tmp_path: Path, instrument_file: Path
) -> None:
    refused(
        run(write(tmp_path / "few.csv", rows(9))), 5, "Fewer than 10 answers could be used", "wait for more answers"
    )
    assert not (home / "reports").exists()
    refused(call("report", "-i", instrument_file, "--home", home), 2, "Nothing of 'club' has been published")
    refused(call("report", "-i", instrument_file, "--home", home, "-w", "2026-01"), 2, "Nothing of 'club'")
    history = call("history", "--home", home, "--json").document
    assert [wave["exports"][0]["rows_read"] for wave in history["waves"]] == [9] and history["releases"] == []
    assert run(write(tmp_path / "enough.csv", rows(10))).code == 0
    assert (home / "reports" / "club" / "2026-01" / "index.html").is_file()


def test_other_exports_for_a_published_wave_need_a_reason(
    run: Callable[..., Said], published: Said, home: Path, tmp_path: Path, good: Path
) -> None:
    before = contents(home)
    more = write(tmp_path / "more.csv", [*rows(60), row(60, pain=f"{MARKER}1"), *rows(29, 61)])
    refused(run(more), 3, "The wave '2026-01' is already published", '--correction "why"')
    refused(run(more, more=("--correction", "")), 2, "correction", "at least 3 characters")
    said = run(more, more=("--correction", "ask jane@example.org"))
    refused(said, 2, "The reason of the correction holds e-mail addresses", "without naming anybody")
    assert "jane" not in said.err
    assert contents(home) == before
    assert "published release 2" in run(more, more=("--correction", "late answers")).out
    refused(run(good), 3, "already published")
    history = call("history", "--home", home, "--json").document["releases"]
    assert [(entry["release_number"], entry["correction"]) for entry in history] == [(1, None), (2, "late answers")]
    assert "release 2 (correction: late answers)" in call("history", "--home", home).out


def test_another_instrument_for_a_published_wave_needs_a_reason_too(
    run: Callable[..., Said], published: Said, good: Path, instrument_file: Path
) -> None:
    instrument_file.write_text(CLUB.replace("# comment", "") + "\n# only a comment\n", encoding="utf-8")
    assert "unchanged since release 1" in run(good).out
    instrument_file.write_text(CLUB.replace('label = "Pain"', 'label = "Ache"'), encoding="utf-8")
    refused(run(good), 3, "another instrument")


def test_an_export_is_one_waves_and_waves_are_of_one_length(
    run: Callable[..., Said], published: Said, home: Path, good: Path, tmp_path: Path
) -> None:
    before = contents(home)
    refused(run(good, wave="2026-02"), 3, "'good.csv' is already published, as wave '2026-01'.")
    other = write(tmp_path / "other.csv", rows(40, 500))
    for wave in ("2026", "2026-Q1", "2026-W05"):
        refused(run(other, wave=wave), 2, f"The wave '{wave}' is of another length than the wave '2026-01'")
    assert contents(home) == before
    assert run(other, wave="2025-12").code == 0


HOLD = """
import sys
from survey_pipeline.storage import Warehouse
with Warehouse(sys.argv[1]).held():
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def busy(home: Path) -> Iterator[None]:
    """Another process is at work in the warehouse."""
    command = [sys.executable, "-c", HOLD, str(home / "warehouse")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stdout.readline() == "held\n"
        yield
        process.communicate("", timeout=30)


def test_a_warehouse_in_use_is_said_to_be(
    published: Said, busy: None, run: Callable[..., Said], home: Path, good: Path, instrument_file: Path
) -> None:
    before = contents(home)
    refused(run(good), 6, "Another run is using the warehouse.", "Wait until it has ended")
    refused(call("report", "-i", instrument_file, "--home", home), 6, "Another run is using the warehouse.")
    assert call("estimates", "-i", instrument_file, "-w", "2026-01", "--home", home).code == 0
    assert contents(home) == before


# --- What is said when all is well -------------------------------------------------------------------------------------

PER_EXPORT = {
    *("file", "sha256", "tool", "encoding", "separator", "header_rows", "rows_read", "columns_read", "rows_kept"),
    *("rows_quarantined", "rows_excluded", "values_refused", "columns_dropped", "detected_because"),
}


def test_json_of_run_and_check_holds_what_is_promised(
    run: Callable[..., Said], good: Path, home: Path, instrument_file: Path
) -> None:
    ran = run(good, more=("--json",))
    checked = call("check", good, "--instrument", instrument_file, "--json")
    for said, wave in ((ran, "2026-01"), (checked, None)):
        document = said.document
        assert (said.code, said.err, document["instrument"], document["wave"]) == (0, "", "club", wave)
        assert {"instrument", "wave", "exports", "releases", "reports"} <= set(document)
        (export,) = document["exports"]
        assert set(export) >= PER_EXPORT
        assert (
            export["rows_read"]
            == 65
            == export["rows_kept"] + export["rows_quarantined"] + sum(export["rows_excluded"].values())
        )
        assert export["rows_excluded"] == {"empty_row": 1, "identical_row": 1, "no_consent": 1}
        assert export["values_refused"] == {"form": {"unknown_option": 1}, "pain": {"not_a_number": 1}}
        assert export["columns_dropped"] == [HEADINGS[name] for name in ("timestamp", "consent", "member", "comment")]
        assert (export["tool"], export["encoding"], export["separator"]) == ("google_forms", "utf-8", ",")
        assert (export["header_rows"], export["columns_read"]) == (1, 10)
    assert ran.document["releases"][0]["release_number"] == 1 and checked.document["releases"] == []
    assert [Path(path).exists() for path in ran.document["reports"]] == [True, True] and not checked.document["reports"]


@pytest.mark.parametrize("command", ["run", "check", "estimates", "report", "quarantine", "history", "codebook"])
def test_with_json_stdout_holds_one_document_and_nothing_else(
    published: Said, home: Path, good: Path, instrument_file: Path, command: str
) -> None:
    places, instrument, wave = ("--home", home), ("--instrument", instrument_file), ("--wave", "2026-01")
    needed: dict[str, tuple[str | Path, ...]] = {
        "run": (good, *instrument, *wave, *places, "--verbose"),
        "check": (good, *instrument, "--verbose"),
        "report": (*instrument, *places),
        "history": places,
        "codebook": instrument,
    }
    said = call(command, *needed.get(command, (*instrument, *wave, *places)), "--json")
    assert said.code == 0 and isinstance(json.loads(said.out), dict)
    assert "NaN" not in said.out and "Infinity" not in said.out


def test_the_words_add_up_as_the_numbers_do(published: Said, home: Path, instrument_file: Path) -> None:
    first, read, second, *rest = published.out.splitlines()
    assert first == (
        "good.csv: 65 rows read = 61 kept + 1 set aside + left out: 1 empty row, 1 identical row, 1 no consent"
    )
    assert read.startswith("  read as google_forms: the first heading is 'Timestamp'")
    shows = f"`survey-pipeline quarantine --instrument {instrument_file} --wave 2026-01 --home {home}` shows the rules."
    assert second == f"  2 answers were refused; {shows}"
    assert rest[0].startswith("club 2026-01: published release 1 (") and MARKER not in published.out
    assert rest[1:] == [str(home / "reports" / "club" / "2026-01" / name) for name in ("index.html", "newsletter.md")]


def test_the_command_that_shows_the_rules_can_be_copied(good: Path, instrument_file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "my folder"
    folder.mkdir()
    instrument = instrument_file.rename(folder / "the club.toml")
    for place in (("--home", folder), ("--home", tmp_path, "--warehouse", folder / "ware house")):
        said = call("run", good, "-i", instrument, "-w", "2026-01", *place)
        assert said.code == 0, said
        program, *copied = shlex.split(said.out.partition("refused; `")[2].partition("`")[0])
        assert program == "survey-pipeline" and "form: unknown_option" in call(*copied).out


def test_things_are_counted_in_the_plural(run: Callable[..., Said], tmp_path: Path) -> None:
    twice = [*rows(40), *rows(3), row(40, consent="No"), row(41, consent="No"), {}, {}]
    assert "left out: 2 empty rows, 3 identical rows, 2 no consent" in run(write(tmp_path / "a.csv", twice)).out


def test_help_lists_the_exit_codes() -> None:
    said = " ".join(call("--help").out.split())
    assert "3 input refused" in said and "130 stopped from outside" in said


@pytest.mark.parametrize("more", [("--json",), ("--verbose",), ()])
def test_check_without_an_instrument_does_not_show_answers_as_headings(tmp_path: Path, more: tuple[str, ...]) -> None:
    path = tmp_path / "headless.csv"
    path.write_text(GOOD.split("\n", 1)[1], encoding="utf-8")
    said = call("check", path, *more)
    refused(said, 3, "The first row of 'headless.csv' looks like answers, not like headings.", "Export it again")


def test_a_wave_whose_form_has_no_column_is_refused(
    run: Callable[..., Said], home: Path, tmp_path: Path, instrument_file: Path
) -> None:
    instrument_file.write_text(CLUB.replace("required = true\nseveral_as", "several_as"), encoding="utf-8")
    columns = [heading for name, heading in HEADINGS.items() if name != "form"]
    refused(run(write(tmp_path / "a.csv", rows(60), columns)), 3, "has no column for the item 'form'")
    assert not home.exists() or contents(home) == {}


def test_exact_numbers_are_marked_as_the_release_has_them(published: Said, home: Path, instrument_file: Path) -> None:
    said = call("estimates", "-i", instrument_file, "-w", "2026-01", "--home", home, "-q")
    place = list(TIDY_COLUMNS).index("status")
    statuses = [row[place] for row in csv.reader(said.out.splitlines()[1:])]
    (document,) = (home / "reports").rglob("release.json")
    rows = json.loads(document.read_text(encoding="utf-8"))["rows"]
    assert {row["status"] for row in rows} >= {"ok", "suppressed"}
    assert statuses == [row["status"] for row in rows]


def test_quiet_says_nothing(run: Callable[..., Said], good: Path, home: Path, instrument_file: Path) -> None:
    wave = ("-i", instrument_file, "-w", "2026-01", "--home", home)
    assert run(good, more=("--quiet",)) == call("check", good, "-i", instrument_file, "-q") == Said(0, "", "")
    assert call("quarantine", *wave, "-q") == call("history", "--home", home, "-q") == Said(0, "", "")
    assert call("report", "-i", instrument_file, "--home", home, "-q") == Said(0, "", "")
    said = call("estimates", *wave, "-q")
    assert said.err == "" and said.out.startswith(",".join(TIDY_COLUMNS))


def test_verbose_says_why_a_file_was_read_as_it_was_and_what_was_dropped(
    run: Callable[..., Said], good: Path, instrument_file: Path
) -> None:
    for said in (run(good, more=("--verbose",)), call("check", good, "-i", instrument_file, "--verbose")):
        assert "  read as google_forms: the first heading is 'Timestamp'" in said.out
        dropped = said.out.partition("  columns of which nothing is stored:\n")[2].splitlines()[:4]
        headings = [HEADINGS[name] for name in ("timestamp", "consent", "member", "comment")]
        assert [line.strip().rpartition(": ")[0].partition(": a resp")[0] for line in dropped] == headings
        assert "  refused in form: unknown_option 1 time\n  refused in pain: not_a_number 1 time\n" in said.out
        assert MARKER not in said.out and said.err == ""
    alone = call("check", good, "--verbose").out
    assert [line.strip() for line in alone.splitlines()[1:]] == list(HEADINGS.values())


def test_an_item_that_was_not_asked_is_said_to_be(run: Callable[..., Said], tmp_path: Path) -> None:
    columns = [heading for name, heading in HEADINGS.items() if name not in ("since", "stopped")]
    said = run(write(tmp_path / "a.csv", rows(30), columns))
    assert "stopped" in said.out and "since" in said.out and said.code == 0


def test_check_writes_nothing(
    good: Path, tmp_path: Path, instrument_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = contents(tmp_path)
    assert call("check", good, "-i", instrument_file).code == call("check", good).code == 0
    assert contents(tmp_path) == before and sorted(path.name for path in tmp_path.iterdir()) == [
        "club.toml",
        "good.csv",
    ]


def test_check_without_an_instrument_says_how_the_file_reads(good: Path) -> None:
    said = call("check", good)
    assert said.out.startswith(
        "good.csv: 65 rows, 10 columns (the first heading is 'Timestamp', as Google Forms writes it"
    )
    (export,) = call("check", good, "--json").document["exports"]
    assert (export["rows_read"], export["columns_read"], export["separator"]) == (65, 10, ",")
    assert export["headings"] == list(HEADINGS.values()) and "sha256" in export and MARKER not in said.out


def test_places_come_from_the_environment_and_options_go_first(
    good: Path, tmp_path: Path, instrument_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in {"HOME": "a", "INSTRUMENT": instrument_file, "QUIET": "1"}.items():
        monkeypatch.setenv(f"SURVEY_PIPELINE_{name}", str(value))
    assert call("run", good, "-w", "2026-01") == Said(0, "", "")
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["reports", "warehouse"]
    monkeypatch.setenv("SURVEY_PIPELINE_WAREHOUSE", "b")
    monkeypatch.setenv("SURVEY_PIPELINE_REPORTS", "c")
    monkeypatch.setenv("SURVEY_PIPELINE_JSON", "1")
    monkeypatch.setenv("SURVEY_PIPELINE_QUIET", "0")
    assert call("run", good, "-w", "2026-01").document["reports"][0] == str(Path("c/club/2026-01/index.html"))
    assert Warehouse("b").instruments() == ["club"] and (tmp_path / "c/club/2026-01/index.html").is_file()
    assert call("run", good, "-w", "2026-01", "--home", "d", "--warehouse", "e", "--reports", "f").code == 0
    assert Warehouse("e").instruments() == ["club"] and (tmp_path / "f").is_dir() and not (tmp_path / "d").exists()
    refused(call("estimates", "-w", "2026-01", "-o", tmp_path / "c" / "x.csv"), 2, "among the reports")


def test_the_default_home_is_the_current_folder(
    good: Path, tmp_path: Path, instrument_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert call("run", good, "-i", instrument_file, "-w", "2026-01").code == 0
    assert {path.name for path in tmp_path.iterdir()} == {"warehouse", "reports", "club.toml", "good.csv"}


# --- For the steward ---------------------------------------------------------------------------------------------------


def test_quarantine_shows_counts_and_what_was_written_only_in_a_file(
    published: Said, home: Path, instrument_file: Path, tmp_path: Path
) -> None:
    wave = ("-i", instrument_file, "-w", "2026-01", "--home", home)
    said = call("quarantine", *wave)
    assert said.out == "form: unknown_option, row set aside, 1 time\npain: not_a_number, value refused, 1 time\n"
    assert call("quarantine", *wave, "--json").document == {
        "instrument": "club",
        "wave": "2026-01",
        "refused": [
            {"item": "form", "rule": "unknown_option", "whole_row": True, "n": 1},
            {"item": "pain", "rule": "not_a_number", "whole_row": False, "n": 1},
        ],
        "corrections": {"set_to": 0, "dropped": 0, "kept_out": 0},
        "corrections_of_other_exports": 0,
    }
    out = tmp_path / "refused.csv"
    written = call("quarantine", *wave, "--out", out)
    assert MARKER not in said.out + said.err + written.out + written.err
    found = list(csv.DictReader(io.StringIO(out.read_text(encoding="utf-8-sig"))))
    assert [(one["row"], one["item"], one["value"]) for one in found] == [
        ("61", "pain", f"{MARKER}1"),
        ("62", "form", f"{MARKER}2"),
    ]
    assert "2 refused or corrected answers" in written.err and "keep the file on this machine" in written.err


def test_a_wave_without_bad_answers_has_an_empty_quarantine(
    run: Callable[..., Said], tmp_path: Path, home: Path, instrument_file: Path
) -> None:
    assert run(write(tmp_path / "clean.csv", rows(30))).code == 0
    assert call("quarantine", "-i", instrument_file, "-w", "2026-01", "--home", home).out == "Nothing was refused.\n"


def test_estimates_are_exact_and_can_go_to_a_file(
    published: Said, home: Path, instrument_file: Path, tmp_path: Path
) -> None:
    wave = ("-i", instrument_file, "-w", "2026-01", "--home", home)
    said = call("estimates", *wave)
    found = list(csv.DictReader(io.StringIO(said.out)))
    assert list(found[0]) == list(TIDY_COLUMNS) and "not for publication" in said.err
    (mean,) = [
        one for one in found if (one["table"], one["level"], one["statistic"]) == ("form_by_outcome", "all", "mean")
    ]
    answers = [number * 7 % 11 for number in range(60)]
    assert float(mean["estimate"]) == pytest.approx(sum(answers) / 60, abs=1e-12)
    assert (mean["n_respondents"], mean["n_missing"]) == ("60", "1")
    out = tmp_path / "exact.csv"
    with_file = call("estimates", *wave, "--out", out, "--json")
    assert out.read_text(encoding="utf-8") == said.out
    assert with_file.document["instrument"] == "club" and len(with_file.document["estimates"]) == len(found)
    assert len(call("estimates", *wave, "--finest").out) > 0


def test_estimates_hold_no_formulas(
    run: Callable[..., Said], good: Path, home: Path, instrument_file: Path, tmp_path: Path
) -> None:
    instrument_file.write_text(CLUB.replace('label = "Oxide"', 'label = "=1+1"'), encoding="utf-8")
    good.write_text(good.read_text(encoding="utf-8").replace("Oxide", "=1+1"), encoding="utf-8")
    assert run(good).code == 0
    wave, out = ("-i", instrument_file, "-w", "2026-01", "--home", home), tmp_path / "exact.csv"
    printed = call("estimates", *wave, "--finest").out
    assert call("estimates", *wave, "--finest", "-o", out).code == 0
    for text in (printed, out.read_text(encoding="utf-8")):
        levels = {one["level"] for one in csv.DictReader(io.StringIO(text))}
        assert "'=1+1" in levels and "=1+1" not in levels


def test_history_says_what_each_wave_and_release_was_made_from(published: Said, home: Path, good: Path) -> None:
    document = call("history", "--home", home, "--json").document
    (wave,), (release,) = document["waves"], document["releases"]
    assert (wave["instrument"], wave["wave"], wave["exports"][0]["file"]) == ("club", "2026-01", "good.csv")
    assert release["inputs_sha256"] == [wave["exports"][0]["sha256"]] and release["release_number"] == 1
    for versions in (wave, release):
        assert (versions["responses_version"], versions["tally_version"]) == (0, 0)
    words = call("history", "--home", home).out
    assert "club 2026-01 read from good.csv (65 rows)" in words and release["inputs_sha256"][0][:12] in words


def test_reports_are_rendered_again_to_the_same_bytes(
    published: Said, run: Callable[..., Said], home: Path, instrument_file: Path, tmp_path: Path
) -> None:
    import shutil

    assert run(write(tmp_path / "next.csv", rows(70, 200)), wave="2026-02").code == 0
    before = contents(home / "reports")
    shutil.rmtree(home / "reports")
    said = call("report", "-i", instrument_file, "--home", home, "--json")
    assert contents(home / "reports") == before and len(said.document["reports"]) == 4
    (home / "reports" / "club" / "2026-02" / "index.html").unlink()
    (home / "reports" / "club" / "2026-02" / "stray.txt").write_text("left here")
    assert call("report", "-i", instrument_file, "--home", home, "-w", "2026-02").code == 0
    assert contents(home / "reports") == before


# --- The program as it is installed ------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_installed_program_says_the_same(good: Path, home: Path, instrument_file: Path, tmp_path: Path) -> None:
    def installed(*arguments: str | Path) -> Said:
        done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=120, cwd=tmp_path)
        return Said(done.returncode, done.stdout, done.stderr)

    wave = ("--instrument", instrument_file, "--wave", "2026-01", "--home", home)
    done = installed("run", good, *wave, "--json")
    assert (done.code, done.err) == (0, "") and done.document["exports"][0]["rows_read"] == 65
    refused(installed("run", bad_export(tmp_path, "many long rows"), *wave), 3, "20 of 80 rows")
    assert installed("history", "--home", home).out.count("release 1") == 1


@pytest.mark.slow
def test_a_run_that_is_interrupted_says_so_and_is_made_good_by_running_again(
    run: Callable[..., Said], home: Path, instrument_file: Path, tmp_path: Path
) -> None:
    path = write(tmp_path / "many.csv", rows(20_000))
    command = [str(word) for word in (PROGRAM, "run", path, "-i", instrument_file, "-w", "2026-01", "--home", home)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while not (home / "warehouse").exists() and process.poll() is None:
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "") and err.startswith("Stopped from outside.") and err.count("\n") == 1
    assert not (home / "reports").exists()
    assert "20000 rows read = 20000 kept" in run(path).out


def test_the_version_is_that_of_the_package() -> None:
    assert call("--version").out.strip() == metadata.version("survey-pipeline")


def test_a_fault_of_ours_says_its_place_and_nobodys_answer(
    run: Callable[..., Said], good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from survey_pipeline import reading

    def broken(*_: object) -> None:
        raise KeyError(MARKER)

    monkeypatch.setattr(reading, "validate", broken)
    said = run(good)
    assert said.code == 1 and "KeyError in reading.py, line" in said.err and MARKER not in said.err
    assert "Traceback" not in said.err and said.out == ""
    monkeypatch.setenv("SURVEY_PIPELINE_TRACEBACK", "1")
    with pytest.raises(KeyError):
        run(good)


def test_the_shipped_instrument_is_found_by_name() -> None:
    assert call("codebook", "-i", "magnesium", "--json").document["instrument"] == load_instrument("magnesium").name


def test_a_backfill_leaves_published_waves_as_they_are_and_goes_on(
    tmp_path: Path, home: Path, instrument_file: Path
) -> None:
    folder = tmp_path / "waves"
    folder.mkdir()
    write(folder / "club-2026-01.csv", rows(60))
    assert call("backfill", folder, "-i", instrument_file, "--home", home).code == 0
    published = contents(home / "reports" / "club" / "2026-01")
    write(folder / "club-2026-01.csv", rows(61))
    write(folder / "club-2026-02.csv", rows(62, 100))
    said = call("backfill", folder, "-i", instrument_file, "--home", home)
    assert said.code == 0
    assert said.err == "The wave '2026-01' is already published, from other exports. It stays as it is.\n"
    assert contents(home / "reports" / "club" / "2026-01") == published
    assert (home / "reports" / "club" / "2026-02" / "index.html").is_file()

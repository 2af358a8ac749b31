"""A survey whose every text wants to do harm goes from its export to all files, and does none in any of them."""

import csv
import io
import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import browser as asked
import hostile
import polars as pl
import pytest
from browser import opened, pages_of, running
from club import Said, call
from hostile import READERS, files_of
from playwright.sync_api import Browser

PEOPLE = 240
WAVES = ("2026-01", "2026-02")
AT_MOST = {".html": 1_500_000, ".svg": 500_000, ".png": 1_000_000, ".md": 100_000, ".txt": 100_000}
"""Bytes of a file, however long labels are: nobody waits for more on a telephone, and no chart needs more."""
MAIL_AT_MOST = 100_000
LOGS = ("quarantine.csv", "quarantine.xlsx")
FORMULAS = "=+-@\uff1d\uff0b\uff0d\uff20"
LEFT_ALONE = frozenset("\n\t")
TELLING = "Text 0 <script>window.__pwned"
"""Stands in the title of the hostile survey, and so in every page."""


@dataclass(frozen=True)
class Done:
    """A survey that was run: its folder, and what the command line said."""

    folder: Path
    said: tuple[Said, ...]

    @property
    def reports(self) -> Path:
        return self.folder / "home" / "reports"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running() as started:
        yield started


def run(survey: hostile.Survey, folder: Path) -> Done:
    """Two waves, and every file that a command writes."""
    instrument, home = folder / "instrument.toml", ("--home", folder / "home")
    instrument.write_text(survey.instrument, encoding="utf-8")
    chosen = ("--instrument", instrument)
    exports = [exported(survey, folder, number) for number in range(len(WAVES))]
    said = [
        *(call("run", path, *chosen, "--wave", wave, *home) for path, wave in zip(exports, WAVES, strict=True)),
        call("check", exports[0], *chosen, "--verbose"),
        call("estimates", *chosen, "--wave", WAVES[0], *home, "--out", folder / "estimates.csv"),
        *(call("quarantine", *chosen, "--wave", WAVES[0], *home, "--out", folder / name) for name in LOGS),
    ]
    for name, form in (("codebook.md", "page"), ("codebook.csv", "csv")):
        (folder / name).write_text(call("codebook", *chosen, "--format", form).out, encoding="utf-8", newline="")
    return Done(folder, tuple(said))


def exported(survey: hostile.Survey, folder: Path, number: int) -> Path:
    """The export of a wave, under a name that wants to do harm as well."""
    path = folder / f"=1+{number} <script>alert(5)<script> {{{{ 7*7 }}}}.csv"
    people = range(number * PEOPLE, (number + 1) * PEOPLE)
    path.write_text(hostile.export(survey, people), encoding="utf-8", newline="")
    return path


@pytest.fixture(scope="module")
def hostile_run(tmp_path_factory: pytest.TempPathFactory) -> Done:
    return run(hostile.hostile(), tmp_path_factory.mktemp("hostile"))


@pytest.fixture(scope="module")
def tame_run(tmp_path_factory: pytest.TempPathFactory) -> Done:
    return run(hostile.tame(), tmp_path_factory.mktemp("tame"))


def written(done: Done, suffix: str) -> list[Path]:
    """The files of a kind that the program wrote: reports, and what commands made for the steward."""
    warehouse, found = done.folder / "home" / "warehouse", files_of(done.folder, suffix)
    return [path for path in found if not path.name.startswith("=1") and warehouse not in path.parents]


# --- From the export to the files ----------------------------------------------------------------------------------------


def test_a_hostile_survey_runs_like_a_tame_one(hostile_run: Done, tame_run: Done) -> None:
    assert [one.code for one in hostile_run.said] == [one.code for one in tame_run.said] == [0] * len(tame_run.said)
    of_both = [
        sorted(path.relative_to(one.reports) for path in files_of(one.reports, "")) for one in (hostile_run, tame_run)
    ]
    assert of_both[0] == of_both[1]


def test_what_the_command_line_says_cannot_take_over_a_terminal(hostile_run: Done) -> None:
    for one in hostile_run.said:
        assert not _unseen(one.err), one.err[:200]
        assert not _unseen(one.out), one.out[:200]


def _unseen(text: str) -> set[str]:
    """Controls, marks that turn text, and what else cannot be seen."""
    return {mark for mark in set(text) - LEFT_ALONE if unicodedata.category(mark) in ("Cc", "Cf", "Cs", "Zl", "Zp")}


def test_every_kind_of_file_is_looked_at(hostile_run: Done) -> None:
    kinds = {path.suffix for path in files_of(hostile_run.reports, "")}
    assert {".html", ".md", ".txt", ".svg", ".csv", ".parquet", ".xlsx", ".json", ".xml", ".png"} <= kinds
    assert kinds <= {*READERS, ".csv", ".parquet", ".json", ".png"}


@pytest.mark.parametrize("suffix", sorted(READERS))
def test_nothing_stands_in_a_file_for_people_that_is_not_ours(hostile_run: Done, tame_run: Done, suffix: str) -> None:
    read = READERS[suffix]
    allowed = [read(path.read_bytes()) for path in written(tame_run, suffix)]
    elements = {one for made in allowed for one in made.elements}
    leads_to = {one for made in allowed for one in made.leads_to}
    for path in written(hostile_run, suffix):
        made = read(path.read_bytes())
        foreign = [*(made.elements - elements), *(made.leads_to - leads_to)]
        # A cleaning log holds what people wrote to the letter, so that it can be corrected.
        foreign += [] if path.name in LOGS else [*_unseen(made.text)]
        assert not foreign, path.name


@pytest.mark.parametrize("suffix", [".html", ".md", ".txt", ".xml", ".xlsx"])
def test_hostile_labels_are_read_as_they_were_written(hostile_run: Done, suffix: str) -> None:
    texts = [
        READERS[suffix](path.read_bytes()).text.replace("\\", "") for path in files_of(hostile_run.reports, suffix)
    ]
    assert any(TELLING in text for text in texts)
    assert any("{{ 7*7 }}" in text for text in texts)


def test_addresses_in_labels_do_not_become_links_in_markdown(hostile_run: Done) -> None:
    texts = [path.read_text(encoding="utf-8") for path in files_of(hostile_run.reports, ".md")]
    assert any("evil" in text for text in texts)
    assert not [found[0] for text in texts if (found := re.search(r"(?<!\\)://|www\.|mailto:|\w@", text))]


def test_files_stay_small_however_long_labels_are(hostile_run: Done) -> None:
    for path in files_of(hostile_run.reports, ""):
        size, name = path.stat().st_size, path.name
        assert (name, size) < (name, AT_MOST.get(path.suffix, size + 1))
        assert not (name.startswith("newsletter") and path.suffix == ".html" and size > MAIL_AT_MOST), (name, size)


# --- For programs ------------------------------------------------------------------------------------------------------


def test_no_cell_of_a_table_runs_and_no_row_is_torn(hostile_run: Done, tame_run: Done) -> None:
    for path in written(hostile_run, ".csv"):
        lines = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))
        twin = tame_run.folder / path.relative_to(hostile_run.folder)
        assert len(lines) == len(list(csv.reader(io.StringIO(twin.read_text(encoding="utf-8"), newline="")))), path.name
        assert len({len(line) for line in lines}) == 1, path.name
        assert not [cell[:40] for line in lines for cell in line if _could_run(cell)], path.name


def _could_run(cell: str) -> bool:
    """Whether a spreadsheet would take the cell for a formula, whatever comes before it and cannot be seen."""
    seen = "".join(mark for mark in cell if not (mark.isspace() or unicodedata.category(mark) in ("Cc", "Cf", "Cn")))
    return seen.startswith(tuple(FORMULAS)) and not _is_number(cell)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def test_parquet_tables_are_sound(hostile_run: Done, tame_run: Done) -> None:
    for path in files_of(hostile_run.reports, ".parquet"):
        frame, twin = (pl.read_parquet(one) for one in (path, tame_run.reports / path.relative_to(hostile_run.reports)))
        assert (frame.schema, frame.height) == (twin.schema, twin.height), path.name


def test_json_is_sound_and_has_the_keys_of_its_twin(hostile_run: Done, tame_run: Done) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    for path in files_of(hostile_run.reports, ".json"):
        found = json.loads(path.read_bytes(), parse_constant=refuse)
        assert (
            found.keys() == json.loads((tame_run.reports / path.relative_to(hostile_run.reports)).read_bytes()).keys()
        )


# --- In the browser ----------------------------------------------------------------------------------------------------


def test_no_script_of_a_label_runs_and_nothing_is_fetched(browser: Browser, hostile_run: Done) -> None:
    for path in pages_of(hostile_run.reports):
        with opened(browser, path, hostile_run.reports) as shown:
            shown.unfold()
            shown.page.wait_for_load_state("networkidle")
            assert shown.ask("() => typeof window.__pwned") == "undefined", path
            assert (shown.left, shown.said, shown.dialogs) == ([], [], []), path
            assert "<script>" in shown.page.inner_text("body"), path


def test_drawings_opened_by_themselves_run_nothing(browser: Browser, hostile_run: Done) -> None:
    for path in files_of(hostile_run.reports, ".svg"):
        with opened(browser, path, hostile_run.reports) as shown:
            assert shown.ask("() => typeof window.__pwned") == "undefined", path
            assert (shown.left, shown.said, shown.dialogs) == ([], [], []), path


@pytest.mark.parametrize("width", [360, 1440])
def test_labels_without_end_are_wrapped(browser: Browser, hostile_run: Done, width: int) -> None:
    for path in pages_of(hostile_run.reports):
        with opened(browser, path, hostile_run.reports, width=width) as shown:
            shown.unfold()
            assert not shown.ask(asked.SIDEWAYS), path
            assert not shown.ask(asked.CUT_OFF), path

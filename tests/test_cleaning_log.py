"""The cleaning log: what people fill in comes back as they meant it, or is refused with its row, its column and no value."""

import csv
import io
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import fastexcel
import polars as pl
import pytest
import xlsxwriter
from club import MARKER, Said, call, club, contents, row, rows, write
from hypothesis import given
from hypothesis import strategies as st

from survey_pipeline.cleaning_log import as_csv, as_xlsx, check_log, entries, log_of, read_log
from survey_pipeline.cleaning_log.entries import LOG_COLUMNS
from survey_pipeline.cleaning_log.files import Line
from survey_pipeline.cleaning_log.words import ACTIONS, MEANINGS, NOTES
from survey_pipeline.corrections import CORRECTIONS_SCHEMA, NO_CORRECTIONS, Action
from survey_pipeline.errors import InputRefused, WrongUsage
from survey_pipeline.names import WHOLE_RECORD, Rule
from survey_pipeline.spreadsheets import guarded, unguarded
from survey_pipeline.storage import Warehouse
from survey_pipeline.validate import QUARANTINE_SCHEMA

SHA, OTHER_SHA = "abcdef012345" + "0" * 52, "fedcba987654" + "0" * 52
EXPORTS = {"a.csv": SHA, "b.csv": OTHER_SHA}
Filled = Mapping[str, str]


def refused(*cells: tuple[str, int, str | None, str, str | None, bool]) -> pl.DataFrame:
    """A quarantine of (export, record, item, rule, value, whole_row)."""
    return pl.DataFrame([(*cell, None, None) for cell in cells], schema=QUARANTINE_SCHEMA, orient="row")


QUARANTINE = refused(
    ("a.csv", 7, "pain", "not_a_number", "eight", False),
    ("a.csv", 8, "form", "unknown_option", "=Zitrat", True),
    ("a.csv", 8, "dose", "out_of_range", "2000", True),
    ("a.csv", 9, "form", "required_missing", None, True),
    ("b.csv", 7, "side_effects", "unknown_option", "boredom", False),
    ("b.csv", 8, "since", "not_a_date", "then", False),
    ("b.csv", 9, "", "irregular_record", None, True),
)
FOUND = entries(QUARANTINE, NO_CORRECTIONS, EXPORTS)
LOG = log_of(FOUND, club())


def line(number: int = 2, /, **cells: str) -> Line:
    """A line about the pain of row 7 in a.csv, with some of its cells replaced."""
    sound = {"export_sha256": "sha256:abcdef012345", "row": "7", "item": "pain", "rule": "not_a_number"}
    return Line(number, sound | {"what_to_do": "", "new_value": "", "why": ""} | cells)


def decided(*lines: Line, found: pl.DataFrame = FOUND) -> list[tuple[Any, ...]]:
    done = check_log(lines, found, club())
    assert done.schema == NO_CORRECTIONS.schema
    return done.select("export_sha256", "record", "item", "action", "new_value", "why").rows()


def problems(*lines: Line, found: pl.DataFrame = FOUND) -> list[str]:
    with pytest.raises(InputRefused) as error:
        check_log(lines, found, club())
    assert error.value.exit_code == 3 and error.value.next_step.startswith("Nothing was stored.")
    assert MARKER not in str(error.value)
    return [text.strip() for text in error.value.problem.split("\n")[1:]]


# --- What stands in the log ---------------------------------------------------------------------------------------------


def test_the_log_has_a_line_for_each_refused_answer() -> None:
    assert tuple(LOG.columns) == LOG_COLUMNS and set(LOG.schema.values()) == {pl.String}
    first = LOG.row(0, named=True)
    assert first == {
        "export": "a.csv",
        "export_sha256": "sha256:abcdef012345",
        "row": "7",
        "item": "pain",
        "question": "Pain",
        "value": "eight",
        "rule": "not_a_number",
        "meaning": "A number was asked for, and this is not plainly one.",
        "what_happened": "only this answer is left out",
        "allowed": "0 to 10",
        "what_to_do": "",
        "new_value": "",
        "why": "",
    }
    assert LOG.height == QUARANTINE.height and LOG.null_count().sum_horizontal().item() == 0
    happened = dict(zip(LOG.select("row", "item").rows(), LOG["what_happened"], strict=True))
    assert happened["8", "form"] == "the whole row is set aside"
    assert happened["8", "dose"] == "this answer is left out, and the row is set aside for another answer"


def test_own_words_beside_other_are_said_to_count_as_other() -> None:
    found = entries(refused(("a.csv", 7, "form", "other_text", "my own mix", False)), NO_CORRECTIONS, EXPORTS)
    assert log_of(found, club())["what_happened"].to_list() == ["the answer counts as 'other'"]


def test_the_log_says_what_may_be_written() -> None:
    allowed = dict(zip(LOG["item"], LOG["allowed"], strict=True))
    assert allowed["form"].startswith("citrate = Citrate; ") and allowed["form"].endswith("; cannot be dropped")
    assert allowed["side_effects"].endswith("; several with commas between")
    assert allowed["dose"] == "0 to 1000 mg/day"
    assert allowed["since"] == "a date such as 2026-03-31" and allowed[""] == ""


def test_every_rule_is_explained_in_words() -> None:
    assert {rule.value for rule in Rule} <= set(MEANINGS)
    assert all(meaning.endswith(".") and "_" not in meaning for meaning in MEANINGS.values())
    assert set(ACTIONS.values()) == set(Action) and all(any(word in note for note in NOTES) for word in ACTIONS)


def test_earlier_corrections_are_filled_in_and_stay_when_nothing_is_refused_any_more() -> None:
    before = check_log([line(what_to_do="set to", new_value="8", why="on paper")], FOUND, club())
    now = log_of(entries(QUARANTINE.filter(pl.col("item") != "pain"), before, EXPORTS), club())
    (shown,) = now.filter(pl.col("item") == "pain").rows(named=True)
    assert (shown["what_to_do"], shown["new_value"], shown["why"]) == ("set to", "8", "on paper")
    assert (shown["value"], shown["rule"], shown["export"]) == ("eight", "not_a_number", "a.csv")
    assert shown["what_happened"] == "corrected, or taken back, since it was refused" and now.height == LOG.height


def test_a_correction_that_is_refused_itself_shows_what_was_written_first() -> None:
    before = check_log([line(what_to_do="set to", new_value="8")], FOUND, club())
    again = refused(("a.csv", 7, "pain", "out_of_range", "8", False))
    (shown,) = log_of(entries(again, before, EXPORTS), club()).rows(named=True)
    assert (shown["value"], shown["rule"], shown["new_value"]) == ("eight", "out_of_range", "8")


def test_corrections_of_other_exports_are_not_shown() -> None:
    before = check_log([line(what_to_do="drop")], FOUND, club())
    new_content = {"a.csv": "9" * 64, "b.csv": OTHER_SHA}
    assert entries(QUARANTINE, before, new_content)["action"].null_count() == QUARANTINE.height


def test_nothing_refused_is_an_empty_log(tmp_path: Path) -> None:
    empty = log_of(entries(QUARANTINE.clear(), NO_CORRECTIONS, EXPORTS), club())
    for name, content in (("x.csv", as_csv(empty)), ("x.xlsx", as_xlsx(empty))):
        (tmp_path / name).write_bytes(content)
        assert read_log(tmp_path / name) == []


# --- No formulas --------------------------------------------------------------------------------------------------------

NASTY = ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "\nx", "'=x", "''-x", " =x", "'\t", "\N{FULLWIDTH EQUALS SIGN}x"]
NASTY += ["\u200b=x", "\ufeff+1", "\x00-1", "\u00a0\u2060 @x", "\u202e=x", "'\u200b=x", "\u3164=x", "\ufe0f=x", "'"]


@pytest.mark.parametrize("text", NASTY[:-1])
def test_what_could_be_a_formula_gets_an_apostrophe(text: str) -> None:
    assert guarded(text) == f"'{text}" and unguarded(guarded(text)) == text


@pytest.mark.parametrize("text", ["", "5", "'", "'twas", "''", "a=b", "1-2", " x", "x\t="])
def test_what_could_not_be_one_stays(text: str) -> None:
    assert guarded(text) == unguarded(text) == text


TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
CELL = st.builds(str.__add__, st.sampled_from(["", *NASTY, ";", ",", '"', "\r\n"]), TEXT)


@given(st.lists(st.tuples(*[CELL] * len(LOG_COLUMNS)), max_size=5))
def test_csv_loses_nothing_and_holds_no_formula(cells: list[tuple[str, ...]]) -> None:
    written = as_csv(pl.DataFrame(cells, schema=dict.fromkeys(LOG_COLUMNS, pl.String), orient="row"))
    raw = list(csv.reader(io.StringIO(written.decode("utf-8-sig"), newline="")))
    assert [tuple(map(unguarded, one)) for one in raw] == [LOG_COLUMNS, *cells]
    assert not [cell for one in raw for cell in one if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_a_workbook_holds_text_alone(tmp_path: Path) -> None:
    nasty = pl.DataFrame({name: [*NASTY, "\x00\x08_x0041_\ufffe", "x" * 40_000] for name in LOG_COLUMNS})
    shown = log_of(FOUND, club()).clear().vstack(nasty.with_columns(pl.all().str.head(32_000)))
    content = as_xlsx(shown)
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        sheet = parts.read("xl/worksheets/sheet2.xml").decode()
        assert "<f>" not in sheet and "externalLink" not in "".join(parts.namelist())
    cells = fastexcel.read_excel(content).load_sheet("log", header_row=None, dtypes="string").to_polars()
    assert cells.row(0) == LOG_COLUMNS and cells.row(1)[5] == "=1+1" and cells.row(9)[5] == "''-x"


def test_a_workbook_says_how_to_fill_it_in_and_offers_the_actions() -> None:
    content = as_xlsx(LOG)
    book = fastexcel.read_excel(content)
    assert book.sheet_names == ["how to fill it in", "log"]
    said = " ".join(filter(None, book.load_sheet(0, header_row=None, dtypes="string").to_polars().to_series()))
    assert "Keep it on this machine" in said and all(word in said for word in ACTIONS)
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        sheet = parts.read("xl/worksheets/sheet2.xml").decode()
    assert '"set to,drop,keep out,take back"' in sheet.replace("&quot;", '"') and 'sqref="K2:K8"' in sheet
    assert 'state="frozen"' in sheet and "<cols>" in sheet and as_xlsx(LOG) == content


def test_more_lines_than_a_workbook_holds_go_to_csv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("survey_pipeline.cleaning_log.files.MOST_ROWS", LOG.height)
    assert as_xlsx(LOG)
    monkeypatch.setattr("survey_pipeline.cleaning_log.files.MOST_ROWS", LOG.height - 1)
    with pytest.raises(WrongUsage, match=r"ends in \.csv"):
        as_xlsx(LOG)


def test_a_very_long_answer_is_shown_in_part() -> None:
    found = entries(refused(("a.csv", 1, "pain", "not_a_number", "x" * 100_000, False)), NO_CORRECTIONS, EXPORTS)
    assert len(log_of(found, club())["value"][0]) == 32_000


# --- Reading it back ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Files:
    """The log with the first line filled in, written as people's programs write it."""

    folder: Path

    @property
    def rows(self) -> list[tuple[str, ...]]:
        first = {**LOG.row(0, named=True), "what_to_do": "Set to", "new_value": "8", "why": "Füllung"}
        return [LOG_COLUMNS, tuple(first.values()), *LOG.rows()[1:]]

    def write(self, content: bytes, name: str = "log.csv") -> Path:
        path = self.folder / name
        path.write_bytes(content)
        return path

    def csv(self, found: list[tuple[str, ...]], separator: str = ",", encoding: str = "utf-8") -> Path:
        text = io.StringIO(newline="")
        csv.writer(text, delimiter=separator).writerows([[guarded(cell) for cell in one] for one in found])
        return self.write(text.getvalue().encode(encoding))

    def book(self, fill: Callable[[Any, Any], None], sheet: str = "log") -> Path:
        content = io.BytesIO()
        book = xlsxwriter.Workbook(content, {"in_memory": True})
        fill(book, book.add_worksheet(sheet))
        book.close()
        return self.write(content.getvalue(), "log.xlsx")


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


MEANT = [(SHA, 7, "pain", "set_to", "8", "Füllung")]
SAVED: dict[str, Callable[[Files], Path]] = {
    "as it was": lambda files: files.csv(files.rows),
    "semicolons": lambda files: files.csv(files.rows, ";"),
    "semicolons of the West": lambda files: files.csv(files.rows, ";", "cp1252"),
    "a byte order mark": lambda files: files.csv(files.rows, encoding="utf-8-sig"),
    "Unicode text": lambda files: files.csv(files.rows, "\t", "utf-16"),
    "columns in another order": lambda files: files.csv([one[::-1] for one in files.rows]),
    "more columns": lambda files: files.csv([("x", *one, "y", "") for one in files.rows]),
    "fewer columns": lambda files: files.csv([(one[1], *one[2:4], one[6], *one[10:]) for one in files.rows]),
    "empty rows": lambda files: files.csv([one for row in files.rows for one in (row, ("",) * 13, (" ",), ())]),
    "a title above": lambda files: files.csv([("Cleaning log of March",), (), *files.rows]),
    "other headings": lambda files: files.csv(
        [tuple(h.upper().replace("_", " ") for h in LOG_COLUMNS), *files.rows[1:]]
    ),
    "short rows": lambda files: files.csv([files.rows[0], files.rows[1], *(one[:8] for one in files.rows[2:])]),
    "a workbook": lambda files: files.book(lambda _, sheet: text_cells(sheet, files.rows)),
    "another sheet name": lambda files: files.book(lambda _, sheet: text_cells(sheet, files.rows), "Tabelle1"),
    "numbers": lambda files: files.book(lambda _, sheet: text_cells(sheet, files.rows, number=True)),
}


def text_cells(sheet: Any, found: list[tuple[str, ...]], *, number: bool = False) -> None:
    for place, cells in enumerate(found):
        for column, cell in enumerate(cells):
            if number and cell.isdigit():
                sheet.write_number(place, column, int(cell))
            elif cell:
                sheet.write_string(place, column, cell)


@pytest.mark.parametrize("saved", SAVED)
def test_a_log_is_read_however_it_was_saved(files: Files, saved: str) -> None:
    assert decided(*read_log(SAVED[saved](files))) == MEANT


@pytest.mark.parametrize("typed", ["set to", "SET TO", " Set  To ", "set_to", "Set-to", "set to.", "set\u00a0to"])
def test_an_action_is_read_however_it_is_typed(files: Files, typed: str) -> None:
    rows = [files.rows[0], (*files.rows[1][:10], typed, " 8 ", "Füllung\n")]
    assert decided(*read_log(files.csv(rows))) == MEANT


def test_a_date_that_a_spreadsheet_made_of_a_text_is_that_date(files: Files) -> None:
    def fill(book: Any, sheet: Any) -> None:
        text_cells(sheet, [LOG_COLUMNS, LOG.row(5)])
        sheet.write_string(1, 10, "set to")
        sheet.write_datetime(1, 11, datetime(2026, 3, 31), book.add_format({"num_format": "dd.mm.yyyy"}))

    assert decided(*read_log(files.book(fill))) == [(OTHER_SHA, 8, "since", "set_to", "2026-03-31", None)]


def test_rows_are_numbered_as_a_spreadsheet_shows_them(files: Files) -> None:
    blank = ("",) * len(LOG_COLUMNS)
    broken = (*LOG.row(0)[:5], "two\nlines", *LOG.row(0)[6:])
    rows = [LOG_COLUMNS, blank, broken, blank, (*LOG.row(1)[:10], "dorp", "", "")]
    for path in (files.csv(rows), files.book(lambda _, sheet: text_cells(sheet, rows))):
        assert problems(*read_log(path))[0].startswith("row 5, what_to_do: must be one of")


NO_LOGS: dict[str, tuple[bytes, str]] = {
    "an export": (b"Timestamp,Pain\n2026,3\n", "is no cleaning log: it has no column 'export_sha256'"),
    "empty": (b"", "is no cleaning log"),
    "bytes": (bytes(range(256)) * 4, "is no cleaning log"),
    "a column short": (b"export_sha256,row,item,rule,what_to_do\nx,1,2,3,4\n", "it has no column 'new_value'"),
    "a column twice": (b"export_sha256,row,item,rule,what_to_do,new_value,new value\n", "has two columns 'new_value'"),
    "an old workbook": (b"\xd0\xcf\x11\xe0" + bytes(600), "a workbook of the old kind, or locked"),
    "a broken workbook": (b"PK\x03\x04" + MARKER.encode(), "cannot be read as a workbook"),
    "an endless cell": (b"export_sha256,row\n" + b"x" * 200_000 + b"\n", "cannot be read as CSV"),
}


@pytest.mark.parametrize("kind", NO_LOGS)
def test_what_is_no_log_is_refused(files: Files, kind: str) -> None:
    content, words = NO_LOGS[kind]
    with pytest.raises(InputRefused) as error:
        read_log(files.write(content))
    assert words in error.value.problem and error.value.next_step and MARKER not in str(error.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="There is no file"):
        read_log(tmp_path / "absent.csv")
    with pytest.raises(InputRefused, match="is a folder"):
        read_log(tmp_path)


# --- What may stand -----------------------------------------------------------------------------------------------------


def test_each_action_is_taken_over() -> None:
    form = {"row": "8", "item": "form", "rule": "unknown_option"}
    assert decided(line(what_to_do="set to", new_value="8", why="on paper")) == [
        (SHA, 7, "pain", "set_to", "8", "on paper")
    ]
    assert decided(line(what_to_do="drop")) == [(SHA, 7, "pain", "drop", None, None)]
    assert decided(line(what_to_do="take back")) == [(SHA, 7, "pain", "take_back", None, None)]
    assert decided(line(**form, what_to_do="keep out")) == [(SHA, 8, "form", "keep_out", None, None)]
    kept = check_log([line(**form, what_to_do="keep out")], FOUND, club())
    assert kept.select("rule", "value").row(0) == ("unknown_option", "=Zitrat")


def test_blank_lines_decide_nothing() -> None:
    assert decided() == decided(line(), line(why="looked at it")) == []
    assert decided(*read_log_of(LOG)) == []


def read_log_of(log: pl.DataFrame) -> list[Line]:
    return [Line(number, cells) for number, cells in enumerate(log.rows(named=True), 2)]


READS = [
    ("pain", "not_a_number", "7", "10", "8"),
    ("form", "required_missing", "9", "Citrat", "citrate"),
    ("form", "unknown_option", "8", "A mix", "Oxide"),
    ("dose", "out_of_range", "8", "1000", "two hundred"),
]


@pytest.mark.parametrize(("item", "rule", "record", "one", "other"), READS)
def test_a_new_value_is_read_as_the_export_is(item: str, rule: str, record: str, one: str, other: str) -> None:
    for value in (one, other):
        (done,) = decided(line(item=item, rule=rule, row=record, what_to_do="set to", new_value=value))
        assert done[1:5] == (int(record), item, "set_to", value)


def test_several_options_may_be_set() -> None:
    at_b = {"export_sha256": "fedcba987654", "item": "side_effects", "rule": "unknown_option"}
    assert decided(line(**at_b, what_to_do="set to", new_value="nausea, cramps"))[0][4] == "nausea, cramps"
    (wrong,) = problems(line(**at_b, what_to_do="set to", new_value="Nausea, None of these"))
    assert wrong.startswith("row 2, new_value: cannot stand for 'side_effects'") and "exclude each other" in wrong


PAIN = "row 2, new_value: cannot stand for 'pain' (allowed: 0 to 10). "
WRONG: dict[str, tuple[dict[str, str], str]] = {
    "a word for a number": ({"new_value": f"{MARKER}"}, f"{PAIN}{MEANINGS['not_a_number']}"),
    "too high": ({"new_value": "11"}, f"{PAIN}{MEANINGS['out_of_range']}"),
    "too low": ({"new_value": "-1"}, f"{PAIN}{MEANINGS['out_of_range']}"),
    "off the scale": ({"new_value": "7.5"}, f"{PAIN}{MEANINGS['not_on_scale']}"),
    "no answer": ({"new_value": "n/a"}, f"{PAIN}This means 'no answer': use 'drop' for that."),
    "no value": ({"new_value": ""}, "row 2, new_value: is empty"),
    "a value to drop": ({"what_to_do": "drop", "new_value": "8"}, "row 2, new_value: must be empty unless"),
    "a value to keep out": ({"what_to_do": "keep out", "new_value": "8"}, "row 2, new_value: must be empty unless"),
    "no action": ({"what_to_do": "", "new_value": "8"}, "row 2, what_to_do: is empty, but there is a new value"),
    "a misspelt action": ({"what_to_do": "keepout"}, "row 2, what_to_do: must be one of 'set to', "),
    "an answer as action": ({"what_to_do": MARKER}, "row 2, what_to_do: must be one of 'set to', "),
    "another export": ({"export_sha256": "sha256:aaaaaaaaaaaa"}, "row 2, export_sha256: this wave has no"),
    "half an export": ({"export_sha256": "sha256:abcdef"}, "row 2, export_sha256: this wave has no"),
    "another row": ({"row": "6"}, "row 2, row: nothing was refused in such a row"),
    "no row": ({"row": MARKER}, "row 2, row: nothing was refused in such a row"),
    "another item": ({"item": "dose"}, "row 2, item: nothing was refused at such an item"),
    "no item": ({"item": MARKER}, "row 2, item: nothing was refused at such an item"),
    "another rule": ({"rule": "out_of_range"}, "row 2, rule: that answer was refused for another reason"),
    "a long note": ({"why": "x" * 501}, "row 2, why: is longer than 500 characters"),
    "an address in the note": ({"why": f"{MARKER}@example.org told me"}, "row 2, why: seems to hold e-mail addresses"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_line_that_may_not_stand_is_named_by_row_and_column(kind: str) -> None:
    cells, words = WRONG[kind]
    (wrong,) = problems(line(**({"what_to_do": "set to", "new_value": "8"} | cells)))
    assert wrong.startswith(words)


def test_a_near_action_is_suggested() -> None:
    assert problems(line(what_to_do="keepout"))[0].endswith("Did you mean 'keep out'?")
    assert problems(line(what_to_do="sett to"))[0].endswith("Did you mean 'set to'?")


def test_a_required_answer_is_not_dropped() -> None:
    at = {"row": "9", "item": "form", "rule": "required_missing"}
    (wrong,) = problems(line(**at, what_to_do="drop"))
    assert wrong == "row 2, what_to_do: this answer is required and cannot be dropped; use 'set to' or 'keep out'"
    assert problems(line(**at, what_to_do="set to", new_value="none of them"))[0].startswith("row 2, new_value: cannot")


@pytest.mark.parametrize("item", [None, WHOLE_RECORD])
@pytest.mark.parametrize("action", ["drop", "keep out", "set to"])
def test_a_row_whose_cells_cannot_be_told_apart_is_mended_in_the_export_only(action: str, item: str | None) -> None:
    at = {"export_sha256": "fedcba987654", "row": "9", "item": item or "", "rule": "irregular_record"}
    found = entries(refused(("b.csv", 9, item, "irregular_record", None, True)), NO_CORRECTIONS, EXPORTS)
    (wrong,) = problems(line(**at, what_to_do=action), found=found)
    assert wrong == "row 2, what_to_do: the cells of this row cannot be told apart; mend the export itself"


def test_an_item_that_the_instrument_no_longer_has() -> None:
    found = entries(refused(("a.csv", 7, "mood", "not_a_number", "x", False)), NO_CORRECTIONS, EXPORTS)
    assert problems(line(item="mood", what_to_do="drop"), found=found) == [
        "row 2, item: the instrument has no such item any more"
    ]


@pytest.mark.parametrize(
    "why", ["says eight twice", "paper form 12, page 3", "seen on 2026-03-04; our own trial", "8 -> 0.8"]
)
def test_a_plain_note_is_taken(why: str) -> None:
    assert decided(line(what_to_do="drop", why=why)) == [(SHA, 7, "pain", "drop", None, why)]


def test_two_lines_about_one_answer_must_say_the_same() -> None:
    one, same = line(what_to_do="set to", new_value="8"), line(3, what_to_do="set to", new_value="8")
    assert len(decided(one, same)) == 1
    for other in (line(3, what_to_do="set to", new_value="7"), line(3, what_to_do="drop")):
        assert problems(one, other) == ["row 3, what_to_do: row 2 says something else about the same answer"]


def test_ten_problems_are_told_at_once_and_the_rest_counted() -> None:
    many = [line(number, what_to_do="set to", new_value="99") for number in range(2, 14)]
    told = problems(*many)
    assert (
        len(told) == 11 and told[-1] == "and 2 more" and told[0].startswith("row 2,") and told[9].startswith("row 11,")
    )
    with pytest.raises(InputRefused, match=r"^'x\.csv' cannot be applied: 1 thing is not right\.\n  row 2, new_value"):
        check_log(many[:1], FOUND, club(), "'x.csv'")


def test_what_was_taken_over_can_be_taken_over_again() -> None:
    lines = [
        line(what_to_do="set to", new_value="8", why="on paper"),
        line(3, row="8", item="dose", rule="out_of_range", what_to_do="drop"),
    ]
    first = check_log(lines, FOUND, club())
    later = entries(QUARANTINE.clear(), first, EXPORTS)
    assert check_log(lines, later, club()).sort("record").equals(first.sort("record"))
    assert check_log(read_log_of(log_of(later, club())), later, club()).sort("record").equals(first.sort("record"))
    assert first.schema == pl.Schema(CORRECTIONS_SCHEMA)


# --- The command --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Wave:
    """A wave that was run, and the command that cleans it."""

    folder: Path
    instrument: Path
    export: Path

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def run(self, *more: str) -> Said:
        return call("run", self.export, "-i", self.instrument, "-w", "2026-01", "--home", self.home, *more)

    def clean(self, *more: str | Path) -> Said:
        return call("quarantine", "-i", self.instrument, "-w", "2026-01", "--home", self.home, *more)

    def filled(self, filled: Mapping[tuple[str, str], tuple[str, ...]], name: str = "filled.csv") -> Path:
        """A new log, filled in by row and item."""
        log = self.folder / "unfilled.csv"
        log.unlink(missing_ok=True)
        assert self.clean("--out", log).code == 0
        with log.open(encoding="utf-8-sig", newline="") as text:
            first, *lines = csv.reader(text)
        done = [[*one[:10], *filled[one[2], one[3]]] if (one[2], one[3]) in filled else one for one in lines]
        assert {(one[2], one[3]) for one in done} >= set(filled)
        with (self.folder / name).open("w", encoding="utf-8", newline="") as text:
            csv.writer(text).writerows([first, *done])
        return self.folder / name

    def corrections(self) -> list[tuple[Any, ...]]:
        found = Warehouse(self.home / "warehouse").corrections("club", "2026-01")
        return found.select("record", "item", "action", "new_value", "why").rows()

    def responses(self) -> list[tuple[Any, ...]]:
        """The kept rows that were not sound as written."""
        store = Warehouse(self.home / "warehouse")
        found = store.responses("club", "2026-01", store.version("responses/club")).filter(pl.col("record") > 60)
        return found.select("record", "pain", "form", "dose").sort("record").collect().rows()


MESSY = [
    *rows(60),
    row(60, pain=f"={MARKER}1"),
    row(61, form=f"{MARKER}2"),
    row(62, form="", pain=f"{MARKER}3"),
    row(63, dose="2000"),
]
FILLED = {
    ("61", "pain"): ("Set to", "8", "on paper"),
    ("62", "form"): ("set to", "Citrat", ""),
    ("63", "form"): ("keep out", "", "a test"),
    ("64", "dose"): ("DROP", "", ""),
}
NOT_USED = (
    "4 corrections (2 answers set, 1 dropped, 1 row kept out) were made for another download of an export and are not used: "
    "make them again for this one, see docs/cleaning.md."
)
STORED = [
    (61, "pain", "set_to", "8", "on paper"),
    (62, "form", "set_to", "Citrat", None),
    (63, "form", "keep_out", None, "a test"),
    (64, "dose", "drop", None, None),
]


FEW_MAY_DIFFER = """
name = "test"
least_difference = 1
looser = "Corrections of a few answers show what becomes of each."
"""


@pytest.fixture
def wave(tmp_path: Path, instrument_file: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wave]:
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "disclosure.toml").write_text(FEW_MAY_DIFFER, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    made = Wave(tmp_path, instrument_file, write(tmp_path / "messy.csv", MESSY))
    before = made.export.read_bytes()
    assert made.run().code == 0
    yield made
    assert made.export.read_bytes() == before


def test_counts_are_shown_and_no_value(wave: Wave) -> None:
    said = wave.clean()
    assert said.out.splitlines()[0] == "dose: out_of_range, value refused, 1 time" and MARKER not in str(said)
    assert wave.clean("--json").document["corrections"] == {"set_to": 0, "dropped": 0, "kept_out": 0}


@pytest.mark.parametrize("name", ["log.csv", "log.xlsx", "LOG.XLSX"])
def test_a_log_is_written_for_its_owner(wave: Wave, name: str) -> None:
    out = wave.folder / name
    said = wave.clean("--out", out)
    assert (
        said.code == 0 and "5 refused or corrected answers" in said.err and "keep the file on this machine" in said.err
    )
    assert MARKER not in str(said) and out.stat().st_mode & 0o777 == 0o600
    first = out.read_bytes()
    out.chmod(0o644)  # as a spreadsheet may leave it
    assert wave.clean("--out", out).code == 0 and out.read_bytes() == first and out.stat().st_mode & 0o777 == 0o600
    values = [f"={MARKER}1", f"{MARKER}2", "", f"{MARKER}3", "2000"]
    assert [one["value"] for one in read_log(out)] == values


@pytest.mark.parametrize("name", ["log.ods", "log", "log.xls", "log.csv.txt"])
def test_a_log_is_a_workbook_or_csv(wave: Wave, name: str) -> None:
    said = wave.clean("--out", wave.folder / name)
    assert said.code == 2 and ".xlsx or .csv" in said.err and not (wave.folder / name).exists()


def test_a_log_goes_over_nothing_else_and_not_over_what_was_filled_in(wave: Wave) -> None:
    log = wave.filled(FILLED)
    before = log.read_bytes()
    for out, words in ((wave.export, "holds something else"), (log, "is filled in and has not been applied")):
        said = wave.clean("--out", out)
        assert (said.code, said.out) == (2, "") and words in said.err and "another --out" in said.err
    assert log.read_bytes() == before
    assert wave.clean("--apply", log).code == wave.clean("--out", log).code == 0
    assert [one["what_to_do"] for one in read_log(log)] == ["set to", "set to", "keep out", "", "drop"]


def test_to_write_and_to_apply_are_two_steps(wave: Wave) -> None:
    log = wave.filled(FILLED)
    said = wave.clean("--out", log, "--apply", log)
    assert said.code == 2 and "cannot be used together" in said.err and wave.corrections() == []


def test_corrections_are_stored_once_and_used_by_the_next_run(wave: Wave) -> None:
    log = wave.filled(FILLED)
    said = wave.clean("--apply", log)
    assert (said.code, said.err) == (0, "") and MARKER not in said.out
    assert said.out.splitlines() == [
        "filled.csv: 4 corrections, 0 taken back.",
        "Corrections: 2 answers set, 1 dropped, 1 row kept out.",
        'Run the wave again to use them; one that is published asks for --correction "why".',
    ]
    assert wave.corrections() == STORED
    stored = contents(wave.home / "warehouse")
    assert wave.clean("--apply", log, "--json").document["applied"] == {
        "file": "filled.csv",
        "corrections": 4,
        "taken_back": 0,
        "changed": False,
    }
    assert contents(wave.home / "warehouse") == stored
    again = wave.run()
    assert (
        again.code == 3 and "already published" in again.err and "corrections" in again.err and MARKER not in str(again)
    )
    done = wave.run("--correction", "answers were cleaned", "--json").document["exports"][0]
    assert (done["rows_read"], done["rows_kept"], done["rows_quarantined"]) == (64, 63, 0)
    assert done["rows_excluded"] == {"kept_out": 1} and done["values_refused"] == {}
    assert wave.responses() == [(61, 8.0, "citrate", 400.0), (62, 9.0, "citrate", 400.0), (64, 1.0, "none", None)]
    assert wave.clean().out.startswith("Nothing was refused.\nCorrections: 2 answers set")
    assert "Nothing has changed" in wave.clean("--apply", log).out and wave.run().code == 0


def test_a_few_corrections_of_a_published_wave_wait_for_more(tmp_path: Path, instrument_file: Path) -> None:
    """What differs from the release before would give these few away."""
    wave = Wave(tmp_path, instrument_file, write(tmp_path / "messy.csv", MESSY))
    assert wave.run().code == 0 and wave.clean("--apply", wave.filled(FILLED)).code == 0
    said = wave.run("--correction", "cleaned")
    assert (said.code, said.out) == (5, "") and "by fewer than 10 people" in said.err
    assert said.err.endswith("It takes at least 9 more new or changed answers.\n") and MARKER not in said.err


def test_a_double_of_a_corrected_row_stays_a_double(wave: Wave) -> None:
    """Which rows were handed in twice is told from what was written: else a correction would bring the double back."""
    twice = write(wave.folder / "twice.csv", [*MESSY, MESSY[60]])
    both = Wave(wave.folder, wave.instrument, twice)
    assert both.run("--correction", "the whole export").code == 0
    assert both.clean("--apply", both.filled({("61", "pain"): FILLED["61", "pain"]})).code == 0
    done = both.run("--correction", "cleaned", "--json").document["exports"][0]
    assert done["rows_excluded"] == {"identical_row": 1} and (done["rows_read"], done["rows_kept"]) == (65, 62)


def test_a_blank_log_changes_nothing(wave: Wave) -> None:
    assert wave.clean("--apply", wave.filled(FILLED)).code == 0
    blank = wave.filled(dict.fromkeys(FILLED, ("", "", "")), "blank.csv")
    before = contents(wave.home)
    said = wave.clean("--apply", blank)
    assert said.out.splitlines()[0] == "blank.csv: 0 corrections, 0 taken back. Nothing has changed."
    assert contents(wave.home) == before and wave.corrections() == STORED


def test_a_later_log_adds_replaces_and_takes_back(wave: Wave) -> None:
    first, second = (
        {("61", "pain"): FILLED["61", "pain"]},
        {("61", "pain"): ("set to", "7", ""), ("64", "dose"): ("drop", "", "")},
    )
    assert wave.clean("--apply", wave.filled(first)).code == wave.clean("--apply", wave.filled(second)).code == 0
    assert wave.corrections() == [(61, "pain", "set_to", "7", None), STORED[3]]
    back = wave.filled({("61", "pain"): ("take back", "", "")}, "back.csv")
    assert wave.clean("--apply", back).out.splitlines()[:2] == [
        "back.csv: 1 correction, 1 taken back.",
        "Corrections: 0 answers set, 1 dropped, 0 rows kept out.",
    ]
    assert wave.run("--correction", "a dose was no dose").code == 0
    shown = [one["item"] for one in wave.clean("--json").document["refused"]]
    assert shown.count("pain") == 2 and "dose" not in shown
    assert "Nothing has changed" in wave.clean("--apply", back).out


def test_nothing_is_stored_unless_all_is_right(wave: Wave) -> None:
    log = wave.filled(FILLED | {("63", "pain"): ("set to", f"{MARKER}4", "")})
    before = contents(wave.home)
    said = wave.clean("--apply", log)
    assert (said.code, said.out) == (3, "") and MARKER not in said.err
    assert said.err.splitlines() == [
        "'filled.csv' cannot be applied: 1 thing is not right.",
        f"  row 5, new_value: cannot stand for 'pain' (allowed: 0 to 10). {MEANINGS['not_a_number']}",
        "Nothing was stored. Mend these rows of the file (the headings are row 1), save it, and apply it again.",
    ]
    assert contents(wave.home) == before


def test_a_log_of_another_export_does_not_fit(wave: Wave) -> None:
    log = wave.filled(FILLED)
    assert wave.clean("--apply", log).code == 0
    (wave.folder / "more").mkdir()
    more = write(wave.folder / "more" / "messy.csv", [*MESSY, row(70)])
    new = Wave(wave.folder, wave.instrument, more)
    ran = new.run("--correction", "one more answer")
    assert ran.code == 0 and NOT_USED in ran.out.splitlines() and MARKER not in str(ran)
    assert new.run("--json").document["remarks"] == [NOT_USED]
    said = wave.clean("--apply", log)
    assert said.code == 3 and said.err.count("export_sha256: this wave has no refused answers from such an export") == 4
    document = wave.clean("--json").document
    assert document["corrections"] == {"set_to": 0, "dropped": 0, "kept_out": 0}
    assert document["corrections_of_other_exports"] == 4
    assert "Not used: 4 corrections of exports that have been replaced." in wave.clean().out


def test_corrections_made_again_for_a_second_download_are_no_longer_missed(wave: Wave) -> None:
    assert wave.clean("--apply", wave.filled(FILLED)).code == 0
    assert wave.run("--correction", "cleaned", "--json").document["remarks"] == []
    (wave.folder / "more").mkdir()
    more = write(wave.folder / "more" / "messy.csv", [row(70), *MESSY])
    new = Wave(wave.folder, wave.instrument, more)
    assert new.run("--correction", "one more answer").code == 0
    again = {(str(int(place) + 1), item): said for (place, item), said in FILLED.items()}
    assert new.clean("--apply", new.filled(dict([next(iter(again.items()))]), "one.csv")).code == 0
    said = new.run("--correction", "cleaned in part", "--json").document["remarks"]
    assert said[0].startswith("3 corrections (1 answer set, 1 dropped, 1 row kept out) were made for another download")
    assert new.clean("--apply", new.filled(again, "all.csv")).code == 0
    assert new.run("--correction", "cleaned again", "--json").document["remarks"] == []


def test_a_wave_that_is_not_there_is_not_made(tmp_path: Path, instrument_file: Path, home: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_bytes(as_csv(LOG))
    said = call("quarantine", "-i", instrument_file, "-w", "2026-01", "--home", home, "--apply", log)
    assert said.code == 2 and "holds no wave" in said.err and not home.exists()


def test_values_are_in_the_log_the_quarantine_and_the_corrections_alone(wave: Wave) -> None:
    secret = "424.25"
    log = wave.filled(FILLED | {("64", "dose"): ("set to", secret, "")})
    said = [
        wave.clean("--apply", log),
        wave.run("--correction", "cleaned", "--verbose"),
        wave.clean(),
        wave.clean("--json"),
    ]
    assert [one.code for one in said] == [0] * 4 and MARKER not in str(said) and secret not in str(said)
    for path, content in contents(wave.home).items():
        if not path.startswith(("warehouse/quarantine/", "warehouse/corrections/")):
            assert MARKER.encode() not in content, path
        if not path.startswith(("warehouse/responses/", "warehouse/corrections/")):
            assert secret.encode() not in content, path

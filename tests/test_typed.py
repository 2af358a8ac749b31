"""Typed files: a number, a date or a text comes out of any of them as the text that says the same."""

import csv
import re
import zipfile
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pyreadstat
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from survey_pipeline.errors import InputRefused, UserError, WrongUsage
from survey_pipeline.exports.sheet import HEAD_ROWS, ByHand, Irregular, Meta, Sheet
from survey_pipeline.exports.typed import labelled, package, parquet, read_typed
from survey_pipeline.exports.typed.cells import length_texts, number_texts

SAMPLES = Path(__file__).parents[2] / "shared/exports/spss"
KINDS = {
    ".xlsx": "xlsx",
    ".parquet": "parquet",
    ".sav": "spss",
    ".zsav": "spss",
    ".por": "spss",
    ".dta": "stata",
    ".xpt": "sas",
}
Row = tuple[str | None, ...]


def read(path: Path, **by_hand: str) -> Sheet:
    return read_typed(path, KINDS[path.suffix], "fingerprint", ByHand(**by_hand))  # type: ignore[arg-type]  # texts only


def rows(sheet: Sheet, at_a_time: int = 7) -> list[Row]:
    return [row for batch in sheet.cells.batches(range(sheet.width), 0, at_a_time) for row in batch.rows()]


def under_the_names(sheet: Sheet) -> list[Row]:
    return rows(sheet)[1:]


def workbook(path: Path, *sheets: Sequence[Sequence[Any]], **options: Any) -> Path:
    """A workbook with sheets 'Sheet1', 'Sheet2' ...; dates and times are formatted as such."""
    shown = {"default_date_format": "yyyy-mm-dd hh:mm:ss", "strings_to_numbers": False, **options}
    with xlsxwriter.Workbook(path, shown) as book:
        for cells in sheets:
            sheet = book.add_worksheet()
            for place, row in enumerate(cells):
                for column, cell in enumerate(row):
                    write = sheet.write_string if isinstance(cell, str) else sheet.write
                    write(place, column, cell)
    return path


# --- Numbers and times --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (7.0, "7"),
        (0.1, "0.1"),
        (-1.5, "-1.5"),
        (-0.0, "0"),
        (1234.0, "1234"),
        (1.23, "1.23"),
        (1.234, "1.2340"),
        (-1000.125, "-1000.1250"),
        (1.2345, "1.2345"),
        (1e21, "1" + "0" * 21),
        (1e-7, "0.0000001"),
        (1 / 3, "0.3333333333333333"),
        (float("nan"), None),
    ],
)
def test_a_number_is_said_in_the_fewest_plain_digits(number: float, text: str | None) -> None:
    assert number_texts(pl.Series([number])).to_list() == [text]


@pytest.mark.parametrize(
    ("numbers", "texts"),
    [
        (pl.Series([0.1, 1e10], dtype=pl.Float32), ["0.1", "10000000000"]),
        (pl.Series([Decimal("7.00"), Decimal("1.50"), Decimal("-0.00")]), ["7", "1.5", "0"]),
        (pl.Series([Decimal("1.234")]), ["1.2340"]),
        (pl.Series([2**100, -1], dtype=pl.Int128), [str(2**100), "-1"]),
        (pl.Series([10, 100, None]), ["10", "100", None]),
    ],
)
def test_every_kind_of_number_is_said_alike(numbers: pl.Series, texts: list[str | None]) -> None:
    assert number_texts(numbers).to_list() == texts


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False)))
def test_no_number_is_changed_and_none_can_be_taken_for_a_thousand(numbers: list[float]) -> None:
    texts = number_texts(pl.Series(numbers, dtype=pl.Float64)).to_list()
    assert [float(text) for text in texts] == numbers
    assert not [text for text in texts if not re.fullmatch(r"-?\d+(\.\d{1,2}|\.\d{4,})?", text)]


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(), "00:00:00"),
        (timedelta(hours=10, minutes=10, seconds=10), "10:10:10"),
        (timedelta(hours=23, minutes=59, seconds=59, milliseconds=500), "23:59:59.5"),
        (timedelta(days=1, hours=12), "36:00:00"),
        (timedelta(minutes=-1), "-00:01:00"),
        (None, None),
    ],
)
def test_a_length_of_time_counts_hours_on(length: timedelta | None, text: str | None) -> None:
    assert length_texts(pl.Series([length], dtype=pl.Duration("us"))).to_list() == [text]


# --- What stands in the file is what is read ----------------------------------------------------------------------------

TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"]) | st.sampled_from("\n\t\xa0"), max_size=6)
PLAIN_TEXTS = st.text(st.characters(categories=["Lu", "Ll", "Lo", "Nd", "Po"]), max_size=6)
NUMBERS = st.integers(-(10**15), 10**15).map(float) | st.decimals(-10_000, 10_000, places=3).map(float)
DATES = st.dates(date(1901, 1, 1), date(2100, 1, 1))
MOMENTS = st.datetimes(datetime(1901, 1, 1, 0, 0, 1), datetime(2100, 1, 1)).map(
    lambda m: m.replace(microsecond=0, second=m.second or 1)
)
CLOCKS = st.times().map(lambda clock: clock.replace(microsecond=0))


def said(value: Any) -> str | None:
    """The text that says a value, told without the code that is tested."""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        decimals = f"{value:.4f}" if re.search(r"\.\d{3}$", str(value)) else str(value)
        return decimals.removesuffix(".0").replace("-0.0", "0")
    if value is None or isinstance(value, datetime | date | time):
        return None if value is None else str(value)
    return str(value) if str(value).strip() else None


def without_end(table: list[Row]) -> list[Row]:
    while table and not any(table[-1]):
        table.pop()
    return table


@given(st.lists(st.tuples(TEXTS, NUMBERS | TEXTS | st.booleans() | st.none(), DATES, MOMENTS, CLOCKS), max_size=6))
@settings(max_examples=60)
def test_a_workbook_is_read_cell_by_cell(table: list[tuple[Any, ...]]) -> None:
    headings = ("a text", "1.234", "date", "when", "clock")
    with TemporaryDirectory() as folder:
        sheet = read(workbook(Path(folder) / "export.xlsx", [headings, *table], remove_timezone=True))
    moments = [tuple(said(cell) for cell in row) for row in table]
    assert rows(sheet) == [headings, *moments]
    assert (sheet.records, sheet.width) == (len(table) + 1, 5)


COLUMNS = {"text": pl.String, "number": pl.Float64, "whole": pl.Int64, "truth": pl.Boolean, "date": pl.Date}
TYPED_ROWS = st.tuples(
    PLAIN_TEXTS, *(st.none() | cell for cell in (NUMBERS, st.integers(-99, 99), st.booleans(), DATES))
)
TIMED_ROWS = st.tuples(st.none() | MOMENTS, st.none() | CLOCKS)


def frame(table: list[tuple[Any, ...]]) -> pl.DataFrame:
    return pl.DataFrame(table, schema={**COLUMNS, "moment": pl.Datetime("us"), "clock": pl.Time}, orient="row")


def written(path: Path, table: pl.DataFrame) -> Path:
    """A table in the format that the name of the file says."""
    write: dict[str, Callable[..., Any]] = {
        ".parquet": pl.DataFrame.write_parquet,
        ".sav": pyreadstat.write_sav,
        ".zsav": lambda table, path: pyreadstat.write_sav(table, path, compress=True),
        ".dta": pyreadstat.write_dta,
        ".xpt": pyreadstat.write_xport,
        ".por": pyreadstat.write_por,
    }
    write[path.suffix](table, path)
    return path


@pytest.mark.parametrize("suffix", [".parquet", ".sav", ".zsav", ".dta", ".xpt"])
@given(table=st.lists(st.tuples(TYPED_ROWS, TIMED_ROWS).map(lambda both: both[0] + both[1]), min_size=1, max_size=6))
@settings(max_examples=30)
def test_a_table_is_read_cell_by_cell(suffix: str, table: list[tuple[Any, ...]]) -> None:
    with TemporaryDirectory() as folder:
        sheet = read(written(Path(folder) / f"export{suffix}", frame(table)))
    truths = {"TRUE": "TRUE", "FALSE": "FALSE"} if suffix == ".parquet" else {"TRUE": "1", "FALSE": "0"}
    expected = [tuple(said(float(c) if type(c) is int else c) for c in row) for row in table]
    assert rows(sheet)[0] == tuple(frame([]).columns)
    assert under_the_names(sheet) == [(*row[:3], row[3] and truths[row[3]], *row[4:]) for row in expected]
    assert sheet.records == len(table) + 1


def test_a_portable_file_is_read_cell_by_cell(tmp_path: Path) -> None:
    table = pl.DataFrame(
        {"Q1": [1.0, None, 2.5], "Q2": ["a", "", "b c"], "Q3": [date(1583, 1, 1), None, date(2026, 3, 14)]}
    )
    sheet = read(written(tmp_path / "export.por", table))
    assert rows(sheet)[0] == ("Q1", "Q2", "Q3")
    assert under_the_names(sheet) == [("1", "a", "1583-01-01"), (None, None, None), ("2.5", "b c", "2026-03-14")]
    assert "declares as missing" in sheet.reasons[-1]


@pytest.mark.parametrize("suffix", [".parquet", ".sav", ".dta", ".xpt", ".por"])
@pytest.mark.parametrize("height", [1, 4, 5, 41])
def test_batches_neither_lose_nor_double_a_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, height: int
) -> None:
    for module in (labelled, parquet):
        monkeypatch.setattr(module, "BATCH_CELLS", 8)
    sheet = read(written(tmp_path / f"export{suffix}", pl.DataFrame({"A": range(height), "B": ["x"] * height})))
    assert rows(sheet, at_a_time=3) == [("A", "B"), *((str(place), "x") for place in range(height))]
    assert sheet.records == height + 1
    assert sheet.head == tuple(rows(sheet)[:HEAD_ROWS])


# --- Workbooks ----------------------------------------------------------------------------------------------------------


def test_cells_are_read_by_their_kind_and_not_by_their_look(tmp_path: Path) -> None:
    table = [
        ["7", 7],
        ["1.234", 1.234],
        ["TRUE", True],
        ["true", False],
        ["2026-03-14 00:00:00", 0.5],
        ["1e3", 1e3],
        ["#N/A", 1 / 3],
    ]
    assert rows(read(workbook(tmp_path / "export.xlsx", table))) == [
        ("7", "7"),
        ("1.234", "1.2340"),
        ("TRUE", "TRUE"),
        ("true", "FALSE"),
        ("2026-03-14 00:00:00", "0.5"),
        ("1e3", "1000"),
        ("#N/A", "0.3333333333333333"),
    ]


def test_midnight_is_left_out_of_a_column_of_dates_only(tmp_path: Path) -> None:
    midnight, morning = datetime(2026, 3, 14), datetime(2026, 3, 14, 8, 30)
    sheet = read(workbook(tmp_path / "export.xlsx", [["date", "time"], [midnight, midnight], [midnight, morning]]))
    assert rows(sheet)[1:] == [("2026-03-14", "2026-03-14 00:00:00"), ("2026-03-14", "2026-03-14 08:30:00")]


def test_a_workbook_that_counts_days_from_1904_says_the_same_dates(tmp_path: Path) -> None:
    sheet = read(workbook(tmp_path / "export.xlsx", [[date(2026, 3, 14)]], date_1904=True))
    assert rows(sheet) == [("2026-03-14",)]


def test_formulas_give_what_they_came_to_and_errors_are_empty_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "export.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("Form1")
        for row, (formula, value) in enumerate([("=1+1", 2), ('="a"&"b"', "ab"), ("=1/0", "#DIV/0!"), ("=TRUE", True)]):
            sheet.write_formula(row, 0, formula, None, value)
    read_sheet = read(path)
    assert rows(read_sheet) == [("2",), ("ab",), (None,), ("TRUE",)]
    assert read_sheet.reasons == (
        "a workbook; its only sheet is 'Form1'",
        "cells with an error such as #N/A, read as empty: 1",
    )


def test_spaces_of_a_text_are_kept_and_a_cell_of_spaces_is_empty(tmp_path: Path) -> None:
    sheet = read(workbook(tmp_path / "export.xlsx", [["How\xa0often?", "  lead", "trail "], [" ", "\xa0", "a\nb"]]))
    assert rows(sheet) == [("How\xa0often?", "  lead", "trail "), (None, None, "a\nb")]


def test_empty_rows_within_are_records_and_those_around_are_none(tmp_path: Path) -> None:
    path = tmp_path / "export.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.merge_range(3, 1, 3, 3, "Which?")
        sheet.write_row(4, 1, ["a", "b", "c"])
        sheet.write_row(7, 1, [1, 2])
        sheet.write_row(9, 1, [" ", ""], book.add_format({"bold": True}))
    read_sheet = read_typed(path, "xlsx", "", ByHand(header_rows=2))
    empty = (None, None, None)
    assert rows(read_sheet) == [("Which?", None, None), ("a", "b", "c"), empty, empty, ("1", "2", None)]
    assert read_sheet.head[0] == ("Which?", "", "")
    assert (read_sheet.records, read_sheet.width) == (5, 3)


def several_sheets(path: Path) -> Path:
    with xlsxwriter.Workbook(path) as book:
        for name, height in (("Read me", 1), ("Form1", 3), ("Form2", 3), ("Hidden", 9), ("Empty", 0)):
            sheet = book.add_worksheet(name)
            sheet.write_column(0, 0, [name] * height)
            if name == "Hidden":
                sheet.hide()
        chart = book.add_chart({"type": "line"})
        chart.add_series({"values": "=Form1!$A$1:$A$3"})
        book.add_chartsheet("Picture").set_chart(chart)
    return path


def test_the_first_sheet_with_the_most_filled_rows_is_taken_and_it_is_said(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    sheet = read(several_sheets(tmp_path / "export.xlsx"))
    assert rows(sheet) == [("Form1",)] * 3
    assert sheet.reasons == (
        "a workbook; the sheet 'Form1' of 5 holds the answers: of 3 with content it is the first of those with the most"
        " filled rows",
    )
    assert capfd.readouterr() == ("", "")


def test_a_sheet_is_taken_by_hand_even_a_hidden_one(tmp_path: Path) -> None:
    sheet = read(several_sheets(tmp_path / "export.xlsx"), sheet="Hidden")
    assert sheet.records == 9
    assert sheet.reasons == ("a workbook; its sheet 'Hidden' was set by hand",)


@pytest.mark.parametrize(
    ("name", "hint"), [("form1", "Did you mean 'Form1'?"), ("Picture", "Its sheets are 'Read me',")]
)
def test_a_sheet_that_is_not_there_is_a_wrong_call(tmp_path: Path, name: str, hint: str) -> None:
    with pytest.raises(WrongUsage, match=re.escape(hint)):
        read(several_sheets(tmp_path / "export.xlsx"), sheet=name)


@pytest.mark.parametrize("above", [[], [["Tea survey 2026"], []]])
@pytest.mark.parametrize("other", [["Id", "Age", "City"], ["id ", "AGE.", None, "City"]])
def test_answers_under_the_same_headings_in_two_sheets_are_refused(
    tmp_path: Path, above: list[list[str]], other: list[str | None]
) -> None:
    first, second = ["Id", "Age", "City"], ["2", "3", "Ulm"]
    path = workbook(tmp_path / "export.xlsx", [["Notes"]], [*above, first, second, second], [other, second])
    with pytest.raises(InputRefused, match="2 sheets hold answers under the same headings") as stopped:
        read(path)
    assert "Ulm" not in str(stopped.value) and "--sheet" in stopped.value.next_step
    assert read(path, sheet="Sheet3").records == 2


def test_sheets_with_other_headings_are_told_by_their_rows(tmp_path: Path) -> None:
    sheet = read(workbook(tmp_path / "export.xlsx", [["Id"], ["1"]], [["Name"], ["x"], ["y"]], [["Id"]]))
    assert sheet.records == 3 and sheet.reasons[0].endswith("of 3 with content it has the most filled rows")


HEADINGS = ["Id", "Age", "City", "Dose"]
ANSWERS = [["1", "33", "x", "y"], ["2", "44", "x", "y"]]


@pytest.mark.parametrize(
    "above", [[["Tea survey 2026"]], [["Tea survey 2026"], []], [["Tea"], ["exported", "2026-01-31"], []]]
)
def test_titles_above_the_headings_of_a_workbook_are_left_out(tmp_path: Path, above: list[list[str]]) -> None:
    path = workbook(tmp_path / "export.xlsx", [*above, HEADINGS, *ANSWERS])
    sheet = read(path)
    assert rows(sheet) == [tuple(row) for row in (HEADINGS, *ANSWERS)] and sheet.head[0] == tuple(HEADINGS)
    assert f"{len(above)} line{'s' * (len(above) > 1)} above the headings left out" in sheet.reasons
    assert read_typed(path, "xlsx", "", ByHand(header_rows=1)).head[0][0] == above[0][0]


def test_totals_below_the_answers_of_a_workbook_are_not_read(tmp_path: Path) -> None:
    sheet = read(workbook(tmp_path / "export.xlsx", [HEADINGS, *ANSWERS, [], ["Total:", 77], ["Mean", 38.5]]))
    assert sheet.irregular == tuple(Irregular(place, 4, "a total below the answers") for place in (4, 5))
    assert sheet.records == 6 and rows(sheet)[3:] == [(None,) * 4] * 3


def test_a_hidden_sheet_is_taken_where_no_other_has_content(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "export.xlsx") as book:
        book.add_worksheet("Front")
        hidden = book.add_worksheet("Answers")
        hidden.write(0, 0, "x")
        hidden.hide()
    assert read(tmp_path / "export.xlsx").reasons == ("a workbook; the hidden sheet 'Answers' of 2 holds the answers",)


@pytest.mark.parametrize("sheets", [[[]], [[], []], [[[" "]]]])
def test_a_workbook_without_content_is_refused(tmp_path: Path, sheets: list[list[list[str]]]) -> None:
    with pytest.raises(InputRefused, match=r"is empty|holds no answers"):
        read(workbook(tmp_path / "export.xlsx", *sheets))


# --- Workbooks that would fill the memory -------------------------------------------------------------------------------


def test_a_stray_cell_far_away_is_refused_before_the_sheet_is_loaded(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "export.xlsx") as book:
        sheet = book.add_worksheet("Form1")
        sheet.write(0, 0, "secret")
        sheet.write(1_048_575, 16_383, "secret")
    with pytest.raises(InputRefused, match="reaches over 1048576 rows and 16384 columns"):
        read(tmp_path / "export.xlsx")


@pytest.mark.parametrize("chunk", [7, 64, 1 << 22])
def test_how_far_a_sheet_reaches_is_told_wherever_its_bytes_are_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(package, "CHUNK", chunk)
    monkeypatch.setattr(package, "MOST_CELLS", 3 * 28)
    narrow = workbook(tmp_path / "narrow.xlsx", [["x"] * 28] * 3)
    assert read(narrow).width == 28
    with pytest.raises(InputRefused, match="reaches over 3 rows and 29 columns"):
        read(workbook(tmp_path / "wide.xlsx", [["x"] * 29] * 3))


def without_references(path: Path) -> Path:
    """The same workbook as some programs write it: cells in their order, without saying where they stand."""
    bare = path.with_name(f"bare-{path.name}")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(bare, "w") as new:
        for entry in old.namelist():
            content = old.read(entry)
            new.writestr(entry, re.sub(rb' r="[A-Z]*\d+"', b"", content) if "worksheets/" in entry else content)
    return bare


def test_cells_without_references_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = without_references(workbook(tmp_path / "export.xlsx", [["a", "b"], ["c", 1]]))
    assert rows(read(bare)) == [("a", "b"), ("c", "1")]
    monkeypatch.setattr(package, "MOST_CELLS", 3)
    with pytest.raises(InputRefused, match="reaches over 2 rows and 2 columns"):
        read(bare)


@pytest.mark.parametrize(
    "limits",
    [{"LARGEST_UNPACKED": 1 << 20}, {"RATIO_MATTERS_FROM": 1 << 20, "LARGEST_RATIO": 50}],
    ids=["size", "ratio"],
)
def test_an_archive_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limits: dict[str, int]
) -> None:
    path = workbook(tmp_path / "export.xlsx", [["secret"]])
    assert read(path).records == 1
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/large.bin", bytes(4 << 20))
    for name, limit in limits.items():
        monkeypatch.setattr(package, name, limit)
    with pytest.raises(InputRefused, match="would fill 4 MB once unpacked"):
        read(path)


# --- Labels and missing values ------------------------------------------------------------------------------------------


def test_what_an_spss_file_says_of_a_column_is_kept_beside_its_codes(tmp_path: Path) -> None:
    table = pl.DataFrame({"pain": [1.0, 2.0, -99.0, None], "city": ["רמלה", "x", "", "ZZ"]})
    pyreadstat.write_sav(
        table,
        tmp_path / "export.sav",
        column_labels={"pain": "כאב", "city": "City"},
        variable_value_labels={"pain": {1: "little", 2: "a lot", -99: "refused"}},
        missing_ranges={"pain": [-99, -98], "city": ["ZZ"]},
    )
    sheet = read(tmp_path / "export.sav")
    assert under_the_names(sheet) == [("1", "רמלה"), ("2", "x"), ("-99", None), (None, "ZZ")]
    assert sheet.meta == (
        Meta("כאב", {"1": "little", "2": "a lot", "-99": "refused"}, frozenset({"-99", "-98"})),
        Meta("City", {}, frozenset({"ZZ"})),
    )
    assert sheet.reasons == ("a file of SPSS (.sav); columns: 2, of which 1 label their codes",)


def test_a_range_of_missing_values_is_told_by_those_that_occur(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labelled, "BATCH_CELLS", 2)
    numbers = pl.DataFrame({"q": [-999.5, -1.0, 0.0, 0.5, 7.0, 8.0]})
    missing: dict[str, Any] = {"q": [{"lo": -999.5, "hi": 0}, 8]}
    pyreadstat.write_sav(numbers, tmp_path / "export.sav", missing_ranges=missing)
    sheet = read(tmp_path / "export.sav")
    assert under_the_names(sheet) == [("-999.5",), ("-1",), ("0",), ("0.5",), ("7",), ("8",)]
    assert sheet.meta[0].missing == {"-999.5", "-1", "0", "8"}


def test_stata_s_kinds_of_missing_stand_in_the_cells_as_stata_writes_them(tmp_path: Path) -> None:
    pyreadstat.write_dta(
        pl.DataFrame({"pain": pl.Series([1, "a", "z", None], dtype=pl.Object), "age": [30, 40, 50, 60]}),
        tmp_path / "export.dta",
        variable_value_labels={"pain": {1: "little", "a": "refused"}},  # type: ignore[dict-item]  # takes letters too
        missing_user_values={"pain": ["a", "z"]},
    )
    sheet = read(tmp_path / "export.dta")
    assert under_the_names(sheet) == [("1", "30"), (".a", "40"), (".z", "50"), (None, "60")]
    assert sheet.meta == (Meta("", {"1": "little", ".a": "refused"}, frozenset({".a", ".z"})), Meta())


@pytest.mark.parametrize(
    ("suffix", "shown", "count", "text"),
    [
        (".sav", "EDATE10", 13744944000.0, "2018-05-06"),
        (".sav", "MOYR8", 6825600.0, "1583-01-01"),
        (".sav", "DATETIME23.2", 13992862921.5, "2026-03-14 10:22:01.5"),
        (".sav", "TIME8", 36610.0, "10:10:10"),
        (".sav", "DTIME12", 129600.0, "36:00:00"),
        (".sav", "DATE11", 1e300, "1" + "0" * 300),
        (".sav", "F8.2", 1.234, "1.2340"),
        (".dta", "%tdDD/NN/CCYY", 24179.0, "2026-03-14"),
        (".dta", "%-td", -137696.0, "1583-01-01"),
        (".dta", "%tcDD/NN/CCYY_HH:MM", 2089102920000.0, "2026-03-14 10:22:00"),
        (".dta", "%tcHH:MM", 36600000.0, "10:10:00"),
        (".dta", "%9.0g", 24179.0, "24179"),
        (".xpt", "YYMMDD10.", 24179.0, "2026-03-14"),
        (".xpt", "E8601DT19.", 2089102921.0, "2026-03-14 10:22:01"),
        (".xpt", "TIME8.", 36610.0, "10:10:10"),
        (".xpt", "BEST12.", 24179.0, "24179"),
    ],
)
def test_a_count_is_the_moment_that_its_column_shows(
    tmp_path: Path, suffix: str, shown: str, count: float, text: str
) -> None:
    path = tmp_path / f"export{suffix}"
    write: dict[str, Callable[..., None]] = {
        ".sav": pyreadstat.write_sav,
        ".dta": pyreadstat.write_dta,
        ".xpt": pyreadstat.write_xport,
    }
    write[suffix](pl.DataFrame({"q": [count, None]}), path, variable_format={"q": shown})
    assert under_the_names(read(path)) == [(text,), (None,)]


def test_stata_s_short_numbers_get_no_noise() -> None:
    """Read as doubles, they look like 0.10000000149011612. No library at hand writes them, so a column is made up."""
    column = labelled._Column("q", "", pl.Float32(), number_texts, {}, ())
    assert column.read([0.10000000149011612, 6.5, None]).to_list() == ["0.1", "6.5", None]


# --- Parquet ------------------------------------------------------------------------------------------------------------


def test_every_type_of_a_parquet_column_becomes_text(tmp_path: Path) -> None:
    table = pl.DataFrame(
        {
            "category": pl.Series(["a", None], dtype=pl.Categorical),
            "decimal": pl.Series([Decimal("1.50"), None]),
            "big": pl.Series([2**64 - 1, None], dtype=pl.UInt64),
            "zoned": pl.Series([datetime(2026, 3, 14, 10), None]).dt.replace_time_zone("Europe/Berlin"),
            "length": pl.Series([timedelta(hours=25), None]),
            "several": pl.Series([["a", None, "b"], []], dtype=pl.List(pl.String)),
            "numbers": pl.Series([[1.5, 2.0], None], dtype=pl.List(pl.Float64)),
            "nothing": pl.Series([None, None], dtype=pl.Null),
        }
    )
    values = ("a", "1.5", str(2**64 - 1), "2026-03-14 10:00:00+01:00", "25:00:00", "a;b", "1.5;2", None)
    assert under_the_names(read(written(tmp_path / "export.parquet", table))) == [values, (None,) * 8]


@pytest.mark.parametrize("cell", [{"a": "secret"}, b"secret", [["secret"]], [b"secret"]])
def test_a_table_within_a_cell_is_refused(tmp_path: Path, cell: Any) -> None:
    path = written(tmp_path / "export.parquet", pl.DataFrame({"fine": ["secret"], "odd": [cell]}))
    with pytest.raises(InputRefused, match=r"The column 'odd' of 'export\.parquet' holds") as refused:
        read(path)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("name", ["wave=1/export.parquet", "[a]*.parquet"])
def test_a_path_is_taken_as_it_is_written(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    assert rows(read(written(path, pl.DataFrame({"q": [1]})))) == [("q",), ("1",)]


# --- What cannot be read for certain ------------------------------------------------------------------------------------

OLE = bytes.fromhex("d0cf11e0a1b11ae1")


def zipped(members: dict[str, bytes]) -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "archive"
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        return path.read_bytes()


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("a.xlsx", OLE + bytes(900) + "EncryptedPackage".encode("utf-16-le"), "is protected by a password"),
        ("a.xlsx", OLE + bytes(900), "is a workbook of an old kind"),
        ("a.xlsx", b"secret,secret\n", "is no workbook"),
        ("a.xlsx", zipped({"secret.txt": b"secret"}), "is no workbook"),
        ("a.xlsx", zipped({"xl/workbook.bin": b"secret"}), "is no workbook"),
        ("a.xlsx", zipped({"xl/workbook.xml": b"<secret", "xl/_rels/workbook.xml.rels": b"<a/>"}), "is damaged"),
        ("a.parquet", b"PAR1secret", "is no Parquet file"),
        ("a.sav", b"secret", "does not begin as a file of SPSS does"),
        ("a.sav", b"$FL2secret", "is a damaged file of SPSS"),
        ("a.por", b"ASCII SPSS PORT FILE secret" * 9, "is a damaged file of SPSS"),
        ("a.dta", b"secret", "does not begin as a file of Stata does"),
        ("a.dta", b"<stata_dta>secret", "is a damaged file of Stata"),
        ("a.xpt", b"secret", "does not begin as a file of SAS does"),
    ],
)
def test_what_is_no_file_of_its_kind_is_refused(tmp_path: Path, name: str, content: bytes, problem: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputRefused, match=problem) as refused:
        read(tmp_path / name)
    assert refused.value.next_step
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("suffix", KINDS)
def test_a_file_that_was_cut_off_is_refused_and_nothing_of_it_quoted(tmp_path: Path, suffix: str) -> None:
    table = pl.DataFrame({"Q1": [f"secret{place}" for place in range(99)], "Q2": range(99)})
    path = tmp_path / f"export{suffix}"
    table.write_excel(path) if suffix == ".xlsx" else written(path, table)
    whole = path.read_bytes()
    assert read(path).records == 100
    for share in (0.2, 0.5, 0.8, 0.99):
        path.write_bytes(whole[: int(len(whole) * share) - 1])
        with pytest.raises(InputRefused) as refused:
            read(path)
        assert "secret" not in str(refused.value)
        assert refused.value.__cause__ is None


@pytest.mark.parametrize("suffix", KINDS)
@given(places=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=9))
@settings(max_examples=20)
def test_a_damaged_file_is_read_or_refused_and_never_fails_otherwise(
    suffix: str, places: list[tuple[float, int]]
) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"export{suffix}"
        table = pl.DataFrame({"Q1": ["secret"] * 9, "Q2": range(9)})
        table.write_excel(path) if suffix == ".xlsx" else written(path, table)
        content = bytearray(path.read_bytes())
        for share, byte in places:
            content[int(share * len(content))] = byte
        path.write_bytes(content)
        try:
            read(path)
        except UserError as error:
            assert "secret" not in str(error)


def test_a_transport_file_with_two_tables_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "export.xpt", pl.DataFrame({"q": [1.0, 2.0]}))
    whole = path.read_bytes()
    path.write_bytes(whole + whole[240:])
    with pytest.raises(InputRefused, match="holds 2 tables"):
        read(path)


def test_a_file_that_says_it_holds_more_rows_than_it_does_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(labelled._Table, "_batches", lambda self, rows: iter([{"q": [1.0]}]))
    with pytest.raises(InputRefused, match="says it holds 2 rows, and has 1"):
        read(written(tmp_path / "export.sav", pl.DataFrame({"q": [1.0, 2.0]})))


def in_encoding(path: Path, text: str, encoding: str) -> Path:
    """A file that says it is UTF-8 and holds a text in another encoding."""
    held = text.encode(encoding)
    written(path, pl.DataFrame({"q": ["~" * len(held)]}))
    path.write_bytes(path.read_bytes().replace(b"~" * len(held), held))
    return path


@pytest.mark.parametrize("suffix", [".sav", ".dta"])
@pytest.mark.parametrize(("text", "encoding"), [("שלוםשלום", "iso-8859-8"), ("привет", "cp1251")])
def test_texts_in_another_encoding_than_the_file_says_are_read_with_the_one_set_by_hand(
    tmp_path: Path, suffix: str, text: str, encoding: str
) -> None:
    path = in_encoding(tmp_path / f"export{suffix}", text, encoding)
    with pytest.raises(InputRefused, match="in another encoding than it says"):
        read(path)
    sheet = read(path, encoding=encoding)
    assert under_the_names(sheet) == [(text,)]
    assert sheet.encoding == encoding


@pytest.mark.parametrize("encoding", ["cp1255", "windows-1255", "CP1258"])
def test_an_encoding_whose_last_letters_would_be_lost_is_refused(tmp_path: Path, encoding: str) -> None:
    path = in_encoding(tmp_path / "export.sav", "secret", "ascii")
    with pytest.raises(InputRefused, match=f"The last letter .* {encoding}"):
        read(path, encoding=encoding)


# --- Real files ---------------------------------------------------------------------------------------------------------

needs_samples = pytest.mark.skipif(not SAMPLES.is_dir(), reason="the sample exports are not beside this checkout")


def twin(name: str) -> list[Row]:
    """A sample's CSV, its moments and numbers as they are said here."""

    def cell(text: str) -> str | None:
        plain = text.replace("#NULL!", "").replace("T", " ").removesuffix(".000000")
        plain = str(float(plain)) if re.fullmatch(r"-?[\d.]+", plain) else plain
        return re.sub(r"^0:", "00:", plain.removesuffix(".0")) or None

    with (SAMPLES / name).open(encoding="utf-8-sig") as file:
        return [tuple(map(cell, row)) for row in list(csv.reader(file))[1:]]


@needs_samples
@pytest.mark.parametrize("suffix", [".sav", ".zsav", ".por", ".dta", ".xpt"])
def test_each_sample_says_what_its_twin_says(suffix: str) -> None:
    sheet = read(SAMPLES / f"sample{suffix}")
    assert under_the_names(sheet) == twin("sample.csv")
    if suffix != ".xpt":
        assert sheet.meta[4] == Meta("labeled", {"1": "Male", "2": "Female"})


@needs_samples
def test_missing_values_of_the_samples_are_kept_apart() -> None:
    sheet = read(SAMPLES / "sample_missing.sav")
    assert under_the_names(sheet) == twin("sample_missing_user.csv")
    assert [sorted(meta.missing) for meta in sheet.meta] == [[], ["-1", "2500"], [], [], ["-1"], ["-1", "-2", "-3"], []]
    assert read(SAMPLES / "missing_char.sav").meta == (Meta("", {"a": "labeled"}, frozenset({"Z"})),)
    stata = read(SAMPLES / "missing_test.dta")
    assert under_the_names(stata) == [(".a", ".b", ".c", ".x", ".y", ".z", None, None, "1")]
    assert stata.meta[0] == Meta("", {".a": "missing"}, frozenset({".a"}))


@needs_samples
def test_samples_in_other_scripts_and_of_all_types_are_read() -> None:
    assert rows(read(SAMPLES / "hebrews.sav"))[0] == ("ותק_ב",)
    assert under_the_names(read(SAMPLES / "tegulu.sav")) == [("210", "నేను గతంలో వాడిన బ")]
    sheet = read(SAMPLES / "simple_alltypes.sav")
    assert [row[1] for row in under_the_names(sheet)[:4]] == ["2000-01-01", "2000-01-02", "1950-12-24", "1776-07-04"]
    assert [row[2] for row in under_the_names(sheet)] == ["-9", None, "1.2340", "999", "3.14159", None]
    assert sheet.meta[2].missing == {"-9", "999"}

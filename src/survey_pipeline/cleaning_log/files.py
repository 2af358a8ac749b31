"""Files: the cleaning log as a workbook or CSV, written for people and read back as people and spreadsheets leave it.

What belongs here: bytes from lines and lines from bytes. What does not: what the lines mean (`checks`), and what a
spreadsheet could take for a formula (`spreadsheets`).
"""

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

import polars as pl

from survey_pipeline.cleaning_log.entries import LOG_COLUMNS, ROW, WHAT_TO_DO
from survey_pipeline.cleaning_log.words import ACTIONS, NOTES
from survey_pipeline.corrections import EXPORT_SHA256, NEW_VALUE, WHY
from survey_pipeline.errors import InputRefused, WrongUsage
from survey_pipeline.names import ITEM, RULE
from survey_pipeline.spreadsheets import guarded, unguarded
from survey_pipeline.texts import fold

NEEDED: Final = (EXPORT_SHA256, ROW, ITEM, RULE, WHAT_TO_DO, NEW_VALUE)
"""Without these columns a file is no cleaning log."""
FILLED_IN: Final = (WHAT_TO_DO, NEW_VALUE, WHY)
LOG_SHEET: Final = "log"
HEAD_ROWS: Final = 20
"""Rows among which the headings may stand: somebody may have put a title above them."""
MOST_ROWS: Final = 1_048_575
"""Of a workbook, under the headings."""
MIDNIGHT: Final = re.compile(r"(\d{4}-\d\d-\d\d)[ T]00:00:00(?:\.0+)?")
"""What a spreadsheet makes of a date."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
OLD_WORKBOOK: Final = b"\xd0\xcf\x11\xe0"
WORKBOOK: Final = b"PK\x03\x04"


@dataclass(frozen=True)
class Line:
    """A line of a log that was filled in: its number in the file, the headings being 1, and its cells by column."""

    number: int
    cells: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")


def filled(lines: Iterable[Line]) -> list[Line]:
    """The lines that say something: an action, or a value that lacks one."""
    return [line for line in lines if line[WHAT_TO_DO] or line[NEW_VALUE]]


def unapplied(path: Path, log: pl.DataFrame) -> bool:
    """Whether a log that lies at `path` was filled in beyond what `log` says already.

    Raises `InputRefused` if what lies there is no cleaning log.
    """

    def said(line: Mapping[str, str]) -> tuple[str, ...]:
        return tuple(line.get(column, "") for column in (EXPORT_SHA256, ROW, ITEM, *FILLED_IN))

    there = {said(line.cells) for line in read_log(path) if any(line[column] for column in FILLED_IN)}
    return not there <= {said(row) for row in log.iter_rows(named=True)}


# --- Writing ------------------------------------------------------------------------------------------------------------


def as_csv(log: pl.DataFrame) -> bytes:
    """The log as CSV. It begins with a byte order mark, without which Excel garbles accents."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(log.columns)
    writer.writerows([guarded(cell) for cell in row] for row in log.iter_rows())
    return codecs.BOM_UTF8 + text.getvalue().encode()


_WIDTHS = {"export": 18, EXPORT_SHA256: 22, ROW: 7, ITEM: 18, "question": 26, "value": 30, RULE: 18, "meaning": 44}
_WIDTHS |= {"what_happened": 24, "allowed": 34, WHAT_TO_DO: 13, NEW_VALUE: 20, WHY: 34}
_NOT_IN_XML = dict.fromkeys((0xFFFE, 0xFFFF))
_ALWAYS = datetime(2000, 1, 1)
"""Stands for the time of writing, so that the same log is the same bytes."""


def as_xlsx(log: pl.DataFrame) -> bytes:
    """The log as a workbook: how to fill it in, then the lines. Every cell is text, so that nothing in it can run."""
    import xlsxwriter  # not needed before a log is written

    if log.height > MOST_ROWS:
        raise WrongUsage(
            "There are more refused answers than a workbook can hold.", "Give --out a name that ends in .csv."
        )
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content, {"in_memory": True})  # else it leaves answers in temporary files
    book.set_properties({"created": _ALWAYS})
    notes = book.add_worksheet("how to fill it in")
    notes.set_column(0, 0, 120, book.add_format({"text_wrap": True}))
    for place, line in enumerate(NOTES):
        notes.write_string(place, 0, line, book.add_format({"bold": place == 0, "text_wrap": True}))
    _write_lines(book, book.add_worksheet(LOG_SHEET), log)
    book.close()
    return content.getvalue()


def _write_lines(book: Any, sheet: Any, log: pl.DataFrame) -> None:
    text = book.add_format({"num_format": "@", "valign": "top", "text_wrap": True})
    to_fill = book.add_format(
        {"num_format": "@", "valign": "top", "text_wrap": True, "bg_color": "#FFF8DC", "border": 4}
    )
    heading = book.add_format({"bold": True, "bottom": 1})
    for column, name in enumerate(log.columns):
        sheet.set_column(column, column, _WIDTHS[name], text)
        sheet.write_string(0, column, name, heading)
    formats = [to_fill if name in FILLED_IN else text for name in log.columns]
    for number, cells in enumerate(log.iter_rows(), start=1):
        for column, (cell, layout) in enumerate(zip(cells, formats, strict=True)):
            sheet.write_string(number, column, cell.translate(_NOT_IN_XML), layout)
    sheet.freeze_panes(1, 0)
    _offer_actions(sheet, log)


def _offer_actions(sheet: Any, log: pl.DataFrame) -> None:
    if log.is_empty():
        return
    place = log.columns.index(WHAT_TO_DO)
    wrong = {"error_title": "what_to_do", "error_message": f"Choose one of: {', '.join(ACTIONS)}; or leave it empty."}
    sheet.data_validation(1, place, log.height, place, {"validate": "list", "source": list(ACTIONS), **wrong})
    sheet.autofilter(0, 0, log.height, log.width - 1)


# --- Reading ------------------------------------------------------------------------------------------------------------


def read_log(path: Path) -> list[Line]:
    """The lines of a log that are not empty, as a spreadsheet may have saved it.

    Raises `InputRefused` if the file cannot be read or is no cleaning log.
    """
    content = _content(path)
    sheets = list(_sheets(content, path.name))
    head, rows = max(
        ((_head(rows), rows) for rows in sheets), key=lambda found: len(found[0].needed), default=(Head(), [])
    )
    _refuse_other_files(head, path.name)
    found = (Line(number, _cells(row, head.places)) for number, row in enumerate(rows, 1) if number > head.number)
    return [line for line in found if any(line.cells.values())]


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except IsADirectoryError:
        raise InputRefused(
            f"'{path.name}' is a folder, not a cleaning log.", "Name the file that was filled in."
        ) from None
    except OSError:
        raise InputRefused(f"There is no file '{path}' that can be read.", "Check the name and the folder.") from None


def _sheets(content: bytes, name: str) -> Iterator[list[Sequence[str]]]:
    if content.startswith(OLD_WORKBOOK):
        raise InputRefused(f"'{name}' is a workbook of the old kind, or locked with a password.", "Save it as .xlsx.")
    return _of_workbook(content, name) if content.startswith(WORKBOOK) else _of_text(content, name)


def _of_workbook(content: bytes, name: str) -> Iterator[list[Sequence[str]]]:
    import fastexcel

    try:
        book = fastexcel.read_excel(content)
        for sheet in book.sheet_names:
            cells = book.load_sheet(sheet, header_row=None, dtypes="string").to_polars()
            yield [tuple(unguarded(cell or "") for cell in row) for row in cells.iter_rows()]
    except fastexcel.FastExcelError:  # its message may quote a cell
        raise InputRefused(f"'{name}' cannot be read as a workbook.", "Save it again as .xlsx or as CSV.") from None


def _of_text(content: bytes, name: str) -> Iterator[list[Sequence[str]]]:
    text = _decoded(content)

    def rows(separator: str, most: int | None = None) -> list[Sequence[str]]:
        found = islice(csv.reader(io.StringIO(text, newline=""), delimiter=separator), most)
        return [tuple(map(unguarded, row)) for row in found]

    try:
        yield rows(max(",;\t", key=lambda separator: len(_head(rows(separator, HEAD_ROWS)).needed)))
    except csv.Error:
        raise InputRefused(f"'{name}' cannot be read as CSV.", "Save it again as .xlsx or as CSV.") from None


def _decoded(content: bytes) -> str:
    """UTF-8, or what Excel makes of it: 'Unicode text' is UTF-16, and plain 'CSV' the code page of the West."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


@dataclass(frozen=True)
class Head:
    """The row of headings: its number in the file, and where each known column stands."""

    number: int = 0
    places: Mapping[str, int] | None = None
    twice: tuple[str, ...] = ()

    @property
    def needed(self) -> set[str]:
        return set(self.places or ()) & set(NEEDED)


def _head(rows: Sequence[Sequence[str]]) -> Head:
    heads = [_read_head(number, row) for number, row in enumerate(rows[:HEAD_ROWS], 1)]
    return max(heads, key=lambda head: len(head.needed), default=Head())


def _read_head(number: int, row: Sequence[str]) -> Head:
    names = [re.sub(r"[\s\-]+", "_", fold(cell)) for cell in row]
    known = [name for name in names if name in LOG_COLUMNS]
    return Head(
        number, {name: names.index(name) for name in known}, tuple(name for name in known if known.count(name) > 1)
    )


def _refuse_other_files(head: Head, name: str) -> None:
    again = "Write the log with --out, and fill in that file."
    if missing := [column for column in NEEDED if column not in head.needed]:
        raise InputRefused(f"'{name}' is no cleaning log: it has no column {', '.join(map(repr, missing))}.", again)
    if head.twice:
        raise InputRefused(f"'{name}' has two columns '{head.twice[0]}'.", "Take one of them away.")


def _cells(row: Sequence[str], places: Mapping[str, int] | None) -> dict[str, str]:
    cells = {column: _tidy(row[place]) for column, place in (places or {}).items() if place < len(row)}
    return cells | {WHAT_TO_DO: _word(cells.get(WHAT_TO_DO, ""))}


def _word(text: str) -> str:
    """'Set_to' and 'SET TO' are 'set to'."""
    return " ".join(re.sub(r"[_\-]", " ", fold(text)).split())


def _tidy(cell: str) -> str:
    """Without what people type or spreadsheets add unseen: spaces of any kind, control characters, the time of a date."""
    text = " ".join(_CONTROL.sub(" ", cell).split())
    return found.group(1) if (found := MIDNIGHT.fullmatch(text)) else text

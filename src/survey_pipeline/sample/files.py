"""Files: laid-out columns as bytes, the same bytes every time.

What belongs here: delimited text, workbooks, Parquet, SPSS and Stata files, and the type that a column's texts have in
common where a file knows types. What does not: which columns there are (`layouts`).

Files that say when they were made say the same day, as the same sample must give the same bytes.
"""

import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import IO, Any, Final, Literal, Protocol

import polars as pl

from survey_pipeline.sample.sent import Column, Integers, as_frame

Part = tuple[Sequence[Column], Integers]
"""The columns of some rows, and the order in which the rows stand in the file."""
Number = float | str
"""In Stata, missing answers are letters."""

MADE: Final = datetime(2000, 1, 1)
MOST_EXCEL_ROWS: Final = 1_048_576
MOST_DIFFERENT_CELLS: Final = 100_000
ROWS_OF_A_GROUP: Final = 100_000
STATA_VERSION: Final = 14
"""Older readers than the newest can open it, and texts may be in any script."""
BELOW_EVERY_ANSWER: Final = 1001
SPSS_MADE: Final = (92, MADE.strftime("%d %b %y%H:%M:%S").encode())
"""Where an SPSS file says when it was made, and how."""
STATA_MADE: Final = (b"<timestamp>\x11", MADE.strftime("%d %b %Y %H:%M").encode())


class Container(Protocol):
    """A kind of file."""

    @property
    def suffix(self) -> str:
        """How the names of such files must end, because other programs go by it; empty where it does not matter."""
        ...

    @property
    def most_rows(self) -> float:
        """How many rows fit, headings not counted."""
        ...

    def write(self, path: Path, parts: Iterable[Part]) -> None:
        """Write all parts to a new file."""
        ...


# --- Text ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Delimited:
    """Text with separators. Memory is bounded by one part."""

    header_rows: int = 1
    separator: str = ","
    encoding: str = "utf-8"
    with_mark: bool = False
    """Whether a byte order mark stands at the beginning."""
    line_end: str = "\r\n"
    quotes_everything: bool = False
    ends_with_empty_line: bool = False
    suffix: str = ""
    most_rows: float = float("inf")

    def write(self, path: Path, parts: Iterable[Part]) -> None:
        """Header rows, then every part as it comes."""
        with path.open("wb") as file:
            file.write("\ufeff".encode(self.encoding) if self.with_mark else b"")
            for number, (columns, order) in enumerate(parts):
                if number == 0:
                    self._put(file, self._headings(columns))
                self._put(file, as_frame(columns, order))
            file.write(self.line_end.encode(self.encoding) if self.ends_with_empty_line else b"")

    def _headings(self, columns: Sequence[Column]) -> pl.DataFrame:
        return pl.DataFrame(
            {
                str(i): pl.Series(column.headings[: self.header_rows], dtype=pl.String)
                for i, column in enumerate(columns)
            }
        )

    def _put(self, file: IO[bytes], frame: pl.DataFrame) -> None:
        if self.encoding == "utf-8":
            self._write(frame, file)
        else:
            buffer = BytesIO()
            self._write(frame, buffer)
            file.write(buffer.getvalue().decode().encode(self.encoding))

    def _write(self, frame: pl.DataFrame, file: IO[bytes]) -> None:
        style: Literal["always", "necessary"] = "always" if self.quotes_everything else "necessary"
        frame.write_csv(
            file, include_header=False, separator=self.separator, line_terminator=self.line_end, quote_style=style
        )


# --- What a column's texts have in common ----------------------------------------------------------------------------


class Sort(StrEnum):
    """What all texts of a column are."""

    WHOLE = "whole"
    NUMBER = "number"
    DATE = "date"
    TIME = "time"
    TEXT = "text"


SORTS: Final = {
    Sort.WHOLE: r"-?(0|[1-9][0-9]{0,14})",
    Sort.NUMBER: r"-?(0|[1-9][0-9]{0,14})\.[0-9]{1,9}",
    Sort.DATE: r"[0-9]{4}-[0-9]{2}-[0-9]{2}",
    Sort.TIME: r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}",
}


def sort_of(text: str) -> Sort:
    """What one text is."""
    return next((sort for sort, pattern in SORTS.items() if re.fullmatch(pattern, text)), Sort.TEXT)


def common(sorts: Iterable[Sort]) -> Sort | None:
    """What several texts are together; None if there are none."""
    found = set(sorts)
    if found == {Sort.WHOLE, Sort.NUMBER}:
        return Sort.NUMBER
    return found.pop() if len(found) == 1 else Sort.TEXT if found else None


def _sort_of_all(texts: pl.Series) -> Sort | None:
    return common(sort_of(text) for text in texts.unique().drop_nulls())


def _typed(column: pl.Expr, sort: Sort | None) -> pl.Expr:
    match sort:
        case Sort.WHOLE:
            return column.cast(pl.Int64)
        case Sort.NUMBER:
            return column.cast(pl.Float64)
        case Sort.DATE:
            return column.str.to_date("%Y-%m-%d")
        case Sort.TIME:
            return column.str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="ms")
        case _:
            return column


# --- Workbooks -------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=MOST_DIFFERENT_CELLS)
def _cell(text: str) -> tuple[Sort, Any]:
    """A text as a spreadsheet holds it: numbers as numbers, days and times as such, anything else as text."""
    sort = sort_of(text)
    if sort in (Sort.WHOLE, Sort.NUMBER):
        return sort, float(text)
    return sort, datetime.fromisoformat(text) if sort in (Sort.DATE, Sort.TIME) else text


@dataclass(frozen=True)
class Workbook:
    """An Excel workbook with one sheet, written row by row."""

    suffix: str = ".xlsx"
    most_rows: float = MOST_EXCEL_ROWS - 1

    def write(self, path: Path, parts: Iterable[Part]) -> None:
        """One heading a column, then the rows."""
        import xlsxwriter

        with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as book:
            book.set_properties({"created": MADE})
            formats = {Sort.DATE: "yyyy-mm-dd", Sort.TIME: "yyyy-mm-dd hh:mm:ss"}
            styles = {sort: book.add_format({"num_format": layout}) for sort, layout in formats.items()}
            sheet = book.add_worksheet("Sheet1")
            for place, texts in enumerate(_rows(parts)):
                _write_row(sheet, place, texts, styles)


def _rows(parts: Iterable[Part]) -> Iterator[Sequence[str | None]]:
    for number, (columns, order) in enumerate(parts):
        if number == 0:
            yield [column.headings[0] for column in columns]
        yield from as_frame(columns, order).iter_rows()


def _write_row(sheet: Any, row: int, texts: Sequence[str | None], styles: Mapping[Sort, Any]) -> None:
    for place, text in enumerate(texts):
        if not text:
            continue
        sort, value = _cell(text)
        if sort in styles:
            sheet.write_datetime(row, place, value, styles[sort])
        elif sort is Sort.TEXT:
            sheet.write_string(row, place, value)
        else:
            sheet.write_number(row, place, value)


# --- Parquet ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Parquet:
    """A Parquet file. A column of which every text is a number, or a day, is one of numbers, or days."""

    suffix: str = ".parquet"
    most_rows: float = float("inf")

    def write(self, path: Path, parts: Iterable[Part]) -> None:
        """Put every part aside as text first: only after the last one it is known what a column's texts are."""
        with tempfile.TemporaryDirectory() as folder:
            headings: list[str] = []
            sorts: dict[str, set[Sort]] = {}
            for number, (columns, order) in enumerate(parts):
                headings = headings or [column.headings[0] or "" for column in columns]
                frame = as_frame(columns, order)
                frame.write_parquet(Path(folder) / f"{number:06d}.parquet")
                for name in frame.columns:
                    sorts.setdefault(name, set()).update(filter(None, [_sort_of_all(frame[name])]))
            typed = (_typed(pl.col(name), common(found)).alias(headings[int(name)]) for name, found in sorts.items())
            text = pl.scan_parquet(sorted(Path(folder).glob("*.parquet")))
            text.select(typed).sink_parquet(path, maintain_order=True, row_group_size=ROWS_OF_A_GROUP)


# --- SPSS and Stata --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Variable:
    """A column as a statistics program holds it."""

    name: str
    label: str
    cells: pl.Series
    labels: Mapping[Number, str]
    missing: tuple[Number, ...]


@dataclass(frozen=True)
class Statistics:
    """An SPSS (.sav) or Stata (.dta) file, built as a whole.

    A closed answer is a number with a label. Words that are no option get the next numbers and are labelled with themselves;
    words for "no answer" are declared as missing. A number with words among its answers is a variable of text.
    """

    suffix: str
    most_rows: float = float("inf")

    def write(self, path: Path, parts: Iterable[Part]) -> None:
        """All parts as one table, with variable labels, value labels and missing values."""
        variables = [self._variable(column) for column in _joined(parts)]
        frame = pl.DataFrame([variable.cells.alias(variable.name) for variable in variables])
        labels: Labels = {variable.name: variable.label for variable in variables}
        values = {variable.name: dict(variable.labels) for variable in variables if variable.labels}
        missing = {variable.name: variable.missing for variable in variables if variable.missing}
        if self.suffix == ".sav":
            _write_spss(path, frame, labels, values, missing)
        else:
            _write_stata(path, frame, labels, values, missing)

    def _variable(self, column: Column) -> Variable:
        name, label = (heading or "" for heading in column.headings[:2])
        given = column.cells.unique().drop_nulls().sort().to_list()
        answers = [text for text in given if text not in column.no_answer]
        sort = common(map(sort_of, answers))
        known: dict[Number, str] = {}
        if column.values:
            numbers = _numbers(column, answers)
            known = _turned(numbers)
        elif sort in (Sort.WHOLE, Sort.NUMBER):
            numbers = {text: float(text) for text in answers}
        else:
            cells = column.cells.to_frame().select(_typed(pl.first(), _sort_of_all(column.cells))).to_series()
            return Variable(name, label, cells, {}, ())
        missing = dict(zip(filter(column.no_answer.__contains__, given), self._missing(numbers.values()), strict=False))
        codes = {**numbers, **missing}
        dtype = pl.Object if missing and self.suffix == ".dta" else pl.Float64
        cells = pl.Series([None if text is None else codes[text] for text in column.cells], dtype=dtype)
        return Variable(name, label, cells, {**known, **_turned(missing)}, tuple(missing.values()))

    def _missing(self, numbers: Iterable[float]) -> Sequence[Number]:
        """What may stand for "no answer": letters in Stata, numbers below every answer in SPSS."""
        if self.suffix == ".dta":
            return "abcdefghijklmnopqrstuvwxyz"
        below = int(min((0.0, *numbers))) - BELOW_EVERY_ANSWER
        return [float(below - place) for place in range(100)]


def _turned(codes: Mapping[str, float] | Mapping[str, Number]) -> dict[Number, str]:
    return {code: text for text, code in codes.items()}


def _numbers(column: Column, answers: Iterable[str]) -> dict[str, float]:
    """The number of each closed answer, and of words that are none."""
    texts = dict.fromkeys((*column.values, *answers))
    return {text: float(number) for number, text in enumerate(texts, start=column.first_value)}


def _joined(parts: Iterable[Part]) -> list[Column]:
    """The columns of all parts as one."""
    heads: Sequence[Column] = ()
    frames = []
    for columns, order in parts:
        heads = heads or columns
        frames.append(as_frame(columns, order))
    whole = pl.concat(frames)
    return [
        Column(head.headings, cells, head.values, head.first_value, head.no_answer)
        for head, cells in zip(heads, whole.get_columns(), strict=True)
    ]


Labels = dict[str, str | None]
ValueLabels = dict[str, dict[Any, str]]
Missing = Mapping[str, Sequence[Any]]


def _write_spss(path: Path, frame: pl.DataFrame, labels: Labels, values: ValueLabels, missing: Missing) -> None:
    import pyreadstat

    ranges: Any = {name: [{"lo": min(codes), "hi": max(codes)}] for name, codes in missing.items()}
    pyreadstat.write_sav(
        frame, path, column_labels=labels, variable_value_labels=values, missing_ranges=ranges, row_compress=True
    )
    with path.open("r+b") as file:
        file.seek(SPSS_MADE[0])
        file.write(SPSS_MADE[1])


def _write_stata(path: Path, frame: pl.DataFrame, labels: Labels, values: ValueLabels, missing: Missing) -> None:
    import pyreadstat

    pyreadstat.write_dta(
        frame,
        path,
        column_labels=labels,
        variable_value_labels=values,
        missing_user_values={name: list(codes) for name, codes in missing.items()},
        version=STATA_VERSION,
    )
    before, made = STATA_MADE
    with path.open("r+b") as file:
        file.seek(file.read(1000).index(before) + len(before))
        file.write(made)

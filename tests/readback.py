"""Reading back: what the published files of a wave say, each turned into rows that can be held against the release.

What belongs here: a reader for each format, and the comparison with the release. What does not: making files, and what is
expected of one release. Every reader of files for analysts gives `Rows`: by the name of a table, its rows in order, each by
the columns of the release (`names.TIDY_COLUMNS`, or those of `release.ComparisonRow` and `release.TestRow`) as far as the
format holds them. What people read is given as a tree of `Element`s, and its numbers and sentences are read from their words
in the language that is spoken.
"""

import json
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from html.parser import HTMLParser
from io import BytesIO
from string import Formatter
from typing import Any, Final

import fastexcel
import openpyxl
import polars as pl

from survey_pipeline import names
from survey_pipeline.language import MINUS, locale, say, say_in, speaking, whole, written
from survey_pipeline.release import ComparisonRow, Release, Row, TestRow
from survey_pipeline.render.columns import COLUMNS
from survey_pipeline.render.phrases import level_label
from survey_pipeline.render.sheets import STATUSES
from survey_pipeline.render.slim import SHEET

Rows = dict[str, list[dict[str, Any]]]
Files = Mapping[str, bytes]

NUMBERS = frozenset(
    name
    for model in (Row, ComparisonRow, TestRow)
    for name, field in model.model_fields.items()
    if str(field.annotation) in ("float | None", "int | None")
)
"""Columns of numbers, of any table."""
CODES = (names.EXPOSURE, names.OUTCOME, names.STATISTIC)
SAYS = frozenset({*CODES, names.LEVEL, names.COMPARED_WITH, names.STATUS, *NUMBERS})
"""Columns that every format holds."""


def of_release(release: Release) -> Rows:
    """What the release says itself: the truth to which every format is held."""
    found: Rows = {}
    for row in release.rows:
        found.setdefault(row.table, []).append(row.model_dump(mode="json"))
    others = (("comparisons", release.comparisons), ("tests", release.tests))
    return found | {name: [row.model_dump(mode="json") for row in rows] for name, rows in others if rows}


def of_json(files: Files) -> Rows:
    """What `release.json` says, read as plain JSON."""
    document = json.loads(files["release.json"])
    found: Rows = {}
    for row in document["rows"]:
        found.setdefault(row["table"], []).append(row)
    return found | {name: document[name] for name in ("comparisons", "tests") if document[name]}


def of_csv(files: Files) -> Rows:
    """What the CSV files say. Nothing is guessed: numbers are read from their text."""
    tables = {name: pl.read_csv(BytesIO(files[path]), infer_schema=False) for name, path in _tables(files, ".csv")}
    return {name: [_numbers_of(row) for row in table.iter_rows(named=True)] for name, table in tables.items()}


def of_parquet(files: Files) -> Rows:
    """What the Parquet files say."""
    return {name: pl.read_parquet(BytesIO(files[path])).to_dicts() for name, path in _tables(files, ".parquet")}


def of_workbook(files: Files) -> Rows:
    """What `tables.xlsx` says in the language that is spoken, read by openpyxl from the table of each sheet."""
    book = openpyxl.load_workbook(BytesIO(files["tables.xlsx"]))
    found: Rows = {}
    for sheet in book.worksheets[2:]:
        ((name, span),) = sheet.tables.items()
        headings, *cells = [[cell.value for cell in row] for row in sheet[span]]
        rows = _rows_of(headings, cells)
        found[name.removeprefix("table_")] = [_cells_that_are_numbers(row) for row in rows]
    return found


def of_workbook_again(files: Files) -> Rows:
    """The same, read by fastexcel: headings are found by their first word."""
    book = fastexcel.read_excel(files["tables.xlsx"])
    found: Rows = {}
    for sheet in book.sheet_names[2:]:
        frame = book.load_sheet(sheet, header_row=None, dtypes="string", skip_whitespace_tail_rows=True).to_polars()
        cells = [list(row) for row in frame.iter_rows()]
        start = next(place for place, row in enumerate(cells) if row[0] == say(COLUMNS[_first(sheet)].heading))
        found[sheet] = [_numbers_of(row) for row in _rows_of(cells[start], cells[start + 1 :])]
    return found


def _first(sheet: str) -> str:
    return names.TABLE if sheet in ("comparisons", "tests") else names.EXPOSURE


def differences(found: Rows, release: Release, columns: frozenset[str] = SAYS) -> list[str]:
    """Every cell in which a format differs from the release, and every row too few or too many; nothing where it agrees.

    Of a label, spaces, what cannot be printed and the apostrophe that disarms it do not count; it may stand as it is shown.
    """
    truth = of_release(release)
    problems = [f"table {name}" for name in {*truth} ^ {*found}]
    for name in {*truth} & {*found}:
        if len(truth[name]) != len(found[name]):
            problems.append(f"{name}: {len(found[name])} rows and not {len(truth[name])}")
        for true, told in zip(truth[name], found[name], strict=False):
            problems += _differ(name, true, told, columns)
    return problems


def formulas(files: Files) -> list[str]:
    """Cells of the workbook that are formulas, or links to anywhere outside it."""
    book = openpyxl.load_workbook(BytesIO(files["tables.xlsx"]))
    cells = (cell for sheet in book.worksheets for row in sheet.iter_rows() for cell in row)
    running = [f"{cell.parent.title} {cell.coordinate}" for cell in cells if cell.data_type == "f"]
    parts = zipfile.ZipFile(BytesIO(files["tables.xlsx"]))
    outside = [name for name in parts.namelist() if b'TargetMode="External"' in parts.read(name)]
    return running + outside


def _differ(table: str, true: dict[str, Any], told: dict[str, Any], columns: frozenset[str]) -> Iterator[str]:
    for column in columns & true.keys():
        is_same = told[column] == true[column]
        if column in (names.LEVEL, names.COMPARED_WITH):
            is_same = _bare(told[column]) in map(_bare, (true[column], level_label(true[column])))
        if not is_same:
            yield f"{table}: {column} is {told[column]!r} and not {true[column]!r}"


def _bare(text: str) -> str:
    return " ".join("".join(mark if mark.isprintable() else " " for mark in text.removeprefix("'")).split())


def _tables(files: Files, suffix: str) -> list[tuple[str, str]]:
    paths = [path for path in files if path.startswith("tables/") and path.endswith(suffix)]
    return [(path.removeprefix("tables/").removesuffix(suffix), path) for path in paths]


def _rows_of(headings: Sequence[Any], cells: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
    """Rows of a sheet by the columns of the release: codes from the last columns, statuses from their words."""
    columns = [_column(str(heading)) for heading in headings]
    statuses = {say(word): str(status) for status, word in STATUSES.items()}
    found = []
    for row in cells:
        told = {column: cell for column, cell in zip(columns, row, strict=True) if column}
        told[names.STATUS] = statuses[told[names.STATUS]]
        found.append(told)
    return found


def _column(heading: str) -> str | None:
    """The column of a heading. Where a column stands twice, in words and as a code, the code counts."""
    for name, column in COLUMNS.items():
        if heading == say("Code: {column}", column=name):
            return name
        if heading == say(column.heading) and name not in CODES:
            return name
    return None


def _cells_that_are_numbers(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row whose numbers are numbers: a word in the place of one says that there is none."""
    return {column: None if column in NUMBERS and isinstance(cell, str) else cell for column, cell in row.items()}


def _numbers_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """The same of a row whose cells were all read as text."""
    return {column: _float(cell) if column in NUMBERS else cell for column, cell in row.items()}


def _float(text: Any) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


# --- What people read --------------------------------------------------------------------------------------------------

VOID: Final = frozenset({"meta", "link", "img", "br", "input", "hr"})
"""Elements of HTML that hold nothing."""


@dataclass
class Element:
    """An element of HTML or SVG with what stands in it."""

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    inside: list["Element | str"] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Its words, in one line; spaces that may not be broken stay."""
        return re.sub("[ \\n\\t]+", " ", "".join(self.pieces())).strip(" ")

    def pieces(self) -> Iterator[str]:
        """Its words as they stand in it, one by one."""
        for one in self.inside:
            yield from (one,) if isinstance(one, str) else one.pieces()

    def all(self, *names_of: str) -> Iterator["Element"]:
        """Elements of some names inside it, in order; inside one that is found nothing more is looked for."""
        for one in self.inside:
            if isinstance(one, Element) and one.name in names_of:
                yield one
            elif isinstance(one, Element):
                yield from one.all(*names_of)

    def everything(self) -> Iterator["Element"]:
        """Each element inside it, however deep."""
        for one in self.inside:
            if isinstance(one, Element):
                yield one
                yield from one.everything()

    def has(self, mark: str) -> bool:
        """Whether it is of a class."""
        return mark in self.attributes.get("class", "").split()


class _Tree(HTMLParser):
    """Puts elements into one another; one that is not closed, or closed twice, is an error."""

    def __init__(self) -> None:
        super().__init__()
        self.open = [Element("document")]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        made = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].inside.append(made)
        self.open += [] if tag in VOID else [made]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].inside.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        closed = self.open.pop()
        assert closed.name == tag, f"<{closed.name}> is closed by </{tag}>"

    def handle_data(self, data: str) -> None:
        self.open[-1].inside.append(data)


def tree(document: bytes | str) -> Element:
    """A page as a tree."""
    reader = _Tree()
    reader.feed(document.decode() if isinstance(document, bytes) else document)
    reader.close()
    (root,) = reader.open
    _as_looked_at(root)
    return root


def _as_looked_at(root: Element) -> None:
    """Gives back to the elements of drawings the styles that the page says in one sheet (`survey_pipeline.render.slim`)."""
    sheets = (one.text for one in root.all("style") if one.attributes.get("id") == SHEET)
    styles = {name: said for sheet in sheets for name, said in re.findall(r"\.(\w+) \{ (.*?) \}", sheet)}
    for drawing in root.all("svg"):
        for one in drawing.everything():
            if (name := one.attributes.get("class", "")) in styles:
                one.attributes["style"] = styles[name]


# --- Numbers and sentences, in the language that is spoken -------------------------------------------------------------


def numbers_in(text: str) -> list[Decimal]:
    """Every number of a text in its order, read as the language writes numbers."""
    return [_decimal(found) for found in _number(locale()).findall(text)]


def number(text: str) -> Decimal | None:
    """The number that a text is; None where it is something else. It has as many decimals as are written."""
    return _decimal(text) if _number(locale()).fullmatch(text) else None


@cache
def _marks(language: str) -> tuple[str, str]:
    """What stands between thousands, and before decimals."""
    with speaking(language):
        return whole(12345)[2:-3], written(Decimal("0.5"))[1:-1]


@cache
def _number(language: str) -> re.Pattern[str]:
    group, sign = map(re.escape, _marks(language))
    return re.compile(rf"{MINUS}?(?:\d{{1,3}}(?:{group}\d{{3}})+(?!\d)|\d+)(?:{sign}\d+)?")


def _decimal(text: str) -> Decimal:
    group, sign = _marks(locale())
    return Decimal(text.replace(group, "").replace(sign, ".").replace(MINUS, "-"))


def parts(text: str, message: str, context: str = "") -> dict[str, str] | None:
    """What stands in the braces of a sentence of the program, if a text is that sentence; None where it is another one."""
    found = pattern(message, context).fullmatch(text)
    return found.groupdict() if found else None


def pattern(message: str, context: str = "") -> re.Pattern[str]:
    """A sentence of the program as the language says it, with a group for each of its braces that stays in its sentence."""
    return _pattern(message, context, locale())


@cache
def _pattern(message: str, context: str, language: str) -> re.Pattern[str]:
    holes = dict.fromkeys(name for _, name, _, _ in Formatter().parse(message) if name)
    given = {name: f"\ue000{name}\ue001" for name in holes}
    with speaking(language):
        said = say_in(context, message, **given) if context else say(message, **given)
    text = re.escape(said)
    for name in holes:
        first = rf"(?P<{name}>(?:(?!\. ).)+?)"
        text = text.replace(f"\ue000{name}\ue001", first, 1).replace(f"\ue000{name}\ue001", f"(?P={name})")
    return re.compile(text)

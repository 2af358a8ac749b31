"""Sorting: which columns of the page's tables can be sorted by their numbers, and by which number each cell is sorted.

What belongs here: reading the number that a cell shows back from its words, as the language writes it. What does not: what
stands in cells (`grids`), and the sorting itself, which the page's script does. Without a script tables stand as they are.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from survey_pipeline.language import MINUS, whole, written
from survey_pipeline.render.grids import Cell, Grid, Line


@dataclass(frozen=True)
class SortableCell:
    """A cell with the number by which it is sorted, as programs write it; "" where it holds a word."""

    text: str
    muted: bool
    number: str


@dataclass(frozen=True)
class SortableLine:
    """A row; `whole` where it is about everybody who answered, and keeps its place."""

    label: str
    cells: tuple[SortableCell, ...]
    whole: bool


@dataclass(frozen=True)
class SortableGrid:
    """A table with, for each column, whether it is sorted by numbers; otherwise it is sorted by its words."""

    caption: str
    head: str
    columns: tuple[str, ...]
    by_number: tuple[bool, ...]
    lines: tuple[SortableLine, ...]


def sortable(grid: Grid) -> SortableGrid:
    """A table of the page as its script needs it."""
    columns = range(len(grid.columns))
    by_number = tuple(_is_numeric([line.cells[place] for line in grid.lines]) for place in columns)
    lines = tuple(_line(line, by_number) for line in grid.lines)
    return SortableGrid(grid.caption, grid.head, grid.columns, by_number, lines)


def _line(line: Line, by_number: Sequence[bool]) -> SortableLine:
    cells = (
        SortableCell(cell.text, cell.muted, number_in(cell) if numeric else "")
        for cell, numeric in zip(line.cells, by_number, strict=True)
    )
    return SortableLine(line.label, tuple(cells), line.whole)


def _is_numeric(cells: Sequence[Cell]) -> bool:
    """Whether a column holds numbers to set in order: amounts that words turn around, such as "0.8 lower", are none."""
    told = [cell for cell in cells if not cell.muted]
    return bool(told) and any(map(number_in, told)) and not any(map(_is_turned, told))


def number_in(cell: Cell) -> str:
    """The number at the start of a cell, as programs write it; "" where there is none."""
    found = None if cell.muted else _number().match(cell.text)
    if found is None:
        return ""
    plain = found[0].replace(_group(), "").replace(_sign(), ".").replace(MINUS, "-")
    return str(Decimal(plain))


def _is_turned(cell: Cell) -> bool:
    """Whether a word behind a number without a range in brackets may say that it is below zero."""
    number = _number().pattern
    return bool(re.fullmatch(rf"{number}(\s[^\W\d]+\s{number})?\s[^\W\d]+", cell.text))


def _number() -> re.Pattern[str]:
    return re.compile(rf"[{MINUS}-]?\d[\d{re.escape(_group())}]*(?:{re.escape(_sign())}\d+)?")


def _sign() -> str:
    """What stands before decimals in the language spoken now."""
    return written(Decimal("0.5"))[1:-1]


def _group() -> str:
    """What stands between thousands."""
    return whole(12345)[2:-3]

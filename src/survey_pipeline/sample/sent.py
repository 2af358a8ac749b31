"""Sent: what invented people answered, before it is known in which tool's export it will stand.

What belongs here: answers by question with everything that a tool needs to write them its own way, and the columns that it
makes of them. What does not: drawing the answers (`write`), any tool's habits (`layouts`) and any file (`files`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from survey_pipeline.instrument import Item
from survey_pipeline.names import INVENTED_HEADING
from survey_pipeline.sample.cells import Cell

Integers = npt.NDArray[np.int64]

INVENTED_TEXT = "invented"


@dataclass(frozen=True)
class Question:
    """What some people answered to one question: few different cells and where each person's is, or words of their own."""

    number: int
    """From 1, in the instrument's order."""
    name: str
    item: Item
    cells: tuple[Cell, ...] = ()
    places: Integers = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    words: pl.Series | None = None

    def written(self, how: Callable[[Cell], str | None]) -> pl.Series:
        """Everybody's answer, each different cell written once. Words stay as they are."""
        if self.words is not None:
            return self.words
        return pl.Series([how(cell) for cell in self.cells], dtype=pl.String).gather(self.places)


@dataclass(frozen=True)
class Sent:
    """The answers of some neighbouring rows, and when each was sent. `order`: the rows as they stand in the export, as
    one that was sent twice stands there twice.
    """

    first_row: int
    seconds: Integers
    questions: tuple[Question, ...]
    order: Integers

    @property
    def height(self) -> int:
        """How many rows there are."""
        return len(self.seconds)

    @property
    def numbers(self) -> pl.Series:
        """The rows' numbers, from 1."""
        return pl.int_range(self.first_row + 1, self.first_row + self.height + 1, eager=True)

    def times(self, layout: str, later: int = 0) -> pl.Series:
        """When the rows were sent, or some seconds later, in a tool's own way of writing it."""
        return as_times(self.seconds + later, layout)

    def always(self, text: str | None) -> pl.Series:
        """The same in every row."""
        return pl.Series([text], dtype=pl.String).new_from_index(0, self.height)


@dataclass(frozen=True)
class Column:
    """One column of an export: a heading a header row, then its cells as text.

    In files that know types the headings are a variable's name and its label. `values` are then the texts that have a
    number each, from `first_value` up, and `no_answer` those that are declared as missing.
    """

    headings: tuple[str | None, ...]
    cells: pl.Series
    values: tuple[str, ...] = ()
    first_value: int = 1
    no_answer: tuple[str, ...] = ()


def as_times(seconds: Integers, layout: str) -> pl.Series:
    """Seconds since 1970 as text."""
    return (pl.Series(seconds, dtype=pl.Int64) * 1000).cast(pl.Datetime("ms")).dt.strftime(layout)


def invented(sent: Sent, *below: str | None) -> Column:
    """The last column, which says that no answer is anybody's; `below`: what stands in further header rows."""
    return Column((INVENTED_HEADING, *below), sent.always(INVENTED_TEXT))


def as_frame(columns: Sequence[Column], order: Integers) -> pl.DataFrame:
    """The cells of columns, named by their place, as rows of an export."""
    frame = pl.DataFrame({str(place): column.cells for place, column in enumerate(columns)})
    return frame.select(pl.all().gather(order))

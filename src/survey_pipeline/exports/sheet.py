"""Sheet: the cells of one file as text, before anybody asks which tool wrote them.

What belongs here: the one shape that every kind of file is brought into. What does not: bringing it there (`files`), and
what a column means (`layout`, `tools`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import polars as pl

from survey_pipeline.spool import Spool

HEAD_ROWS = 30
"""Records at the beginning of a file from which separator and tool are told."""


@dataclass(frozen=True)
class Irregular:
    """A record that does not fit the headings: its number, headings not counted, its cells, and what is wrong.

    Where a cell begins and ends is not certain, so nothing of it is kept: any cell may be any question's answer.
    """

    record: int
    fields: int
    reason: str


@dataclass(frozen=True)
class Meta:
    """What a typed file says of one column, beside its name."""

    label: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    """Codes as they stand in the cells, and their labels."""
    missing: frozenset[str] = frozenset()
    """Texts of cells that the file declares as missing."""


class Cells(Protocol):
    """Where the cells of a file lie: every record that fits, all of it text, an empty cell null."""

    def batches(self, columns: Sequence[int], skip: int, rows: int) -> Iterator[pl.DataFrame]:
        """The chosen columns (named by their place: "0", "1" ...), without the first `skip` records, some rows at a time."""
        ...


class Spooled:
    """Cells that were put aside on disk, in an unnamed file, because they could not be read from the export again."""

    def __init__(self, width: int) -> None:
        self.width = width
        self._spool = Spool(pl.DataFrame(schema={str(place): pl.String for place in range(width)}))

    def add(self, frame: pl.DataFrame) -> None:
        """Put some records aside: all columns, named by their place, all text, an empty cell null."""
        self._spool.add(frame)

    def batches(self, columns: Sequence[int], skip: int, rows: int) -> Iterator[pl.DataFrame]:
        for frame in self._spool.frames():
            chosen = frame.select(str(place) for place in columns)[skip:]
            skip = max(0, skip - frame.height)
            yield from chosen.iter_slices(rows)


@dataclass(frozen=True)
class Sheet:
    """One file. `head`: its first records (at most `HEAD_ROWS`), headings and all, without a preamble above them.

    `records`: how many records there are, the head's included, without empty lines at the end; irregular ones count.
    `irregular`: numbered among all records from 0, so that a heading row more or less is taken off later.
    """

    sha256: str
    kind: str
    """csv, xlsx, parquet, spss, stata, sas."""
    encoding: str
    separator: str
    """"" for files that need none."""
    head: tuple[tuple[str, ...], ...]
    width: int
    records: int
    irregular: tuple[Irregular, ...]
    cells: Cells
    reasons: tuple[str, ...]
    """Clauses that say what was found and why, for `detected_because`."""
    meta: tuple[Meta, ...] = ()
    """A typed file's knowledge of each column; empty for text."""
    is_quoted: bool = False
    """Whether every heading stands in quotation marks, needed or not."""


@dataclass(frozen=True)
class ByHand:
    """What a user says about a file, so that it is not detected."""

    tool: str | None = None
    encoding: str | None = None
    separator: str | None = None
    header_rows: int | None = None
    sheet: str | None = None
    """Of a workbook: the name of the sheet that holds the answers."""


DETECT = ByHand()
"""Nothing set by hand."""

"""Reading an export file: which tool wrote it, where its headings are, how it is encoded, and its rows as text.

What belongs here: everything about the file as a file, and the reason for each thing detected. Nothing is typed, renamed or
dropped: an `Export` says what stands in the file. What does not: the meaning of an answer (`ingest`), or what an answer
may be (`answers`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from survey_pipeline.errors import InputRefused
from survey_pipeline.exports.files import open_sheet
from survey_pipeline.exports.layout import Column, Layout
from survey_pipeline.exports.sheet import ByHand, Irregular, Sheet
from survey_pipeline.exports.tools import recognise
from survey_pipeline.names import INVENTED_HEADING

__all__ = ["BATCH_ROWS", "ByHand", "Column", "Export", "Irregular", "Layout", "RowsDoNotAddUp", "read_export"]

BATCH_ROWS = 100_000
"""Rows read at a time. 100,000 rows of 80 short answers are about 150 MB as text."""
MOST_IRREGULAR = 0.2
"""A file of which a larger share of rows does not fit its headings was not read as it was written."""


class RowsDoNotAddUp(RuntimeError):
    """A fault of ours: rows were lost or doubled on the way, so the run stops before anything counts."""


@dataclass(frozen=True)
class Export:
    """One survey tool's export, as it lies on disk."""

    path: Path
    sheet: Sheet
    layout: Layout

    @property
    def sha256(self) -> str:
        """The fingerprint of the file's bytes."""
        return self.sheet.sha256

    @property
    def tool(self) -> str:
        return self.layout.tool

    @property
    def encoding(self) -> str:
        return self.sheet.encoding

    @property
    def separator(self) -> str:
        return self.sheet.separator

    @property
    def header_rows(self) -> int:
        return self.layout.header_rows

    @property
    def headings(self) -> tuple[str, ...]:
        """One a column, as shown to people."""
        return tuple(column.heading for column in self.layout.columns)

    @cached_property
    def distinct_headings(self) -> tuple[str, ...]:
        """The same, a repeated or empty one with its column's number."""
        return tuple(_distinct(self.headings))

    @property
    def detected_because(self) -> str:
        return "; ".join((self.layout.because, *self.sheet.reasons))

    @property
    def records(self) -> int:
        """How many rows the file holds below its headings, irregular ones too."""
        return self.sheet.records - self.header_rows

    @cached_property
    def irregular(self) -> tuple[Irregular, ...]:
        """Records whose cells cannot be told apart for certain, numbered from 1 without the headings."""
        return tuple(
            Irregular(odd.record - self.header_rows + 1, odd.fields, odd.reason) for odd in self.sheet.irregular
        )

    @cached_property
    def frame(self) -> pl.DataFrame:
        """Every row that fits the headings as text, columns named as in the file (a repeated one by its number too)."""
        names = {str(place): name for place, name in enumerate(self.distinct_headings)}
        empty = pl.DataFrame(schema=dict.fromkeys(names, pl.String))
        whole = pl.concat([empty, *(batch for _, batch in self.batches(range(len(names))))])
        return whole.rename(names)

    @property
    def is_invented(self) -> bool:
        """Whether the sample generator made it: the file says so itself."""
        return any(INVENTED_HEADING in column.names for column in self.layout.columns)

    def batches(self, columns: Sequence[int], rows: int | None = None) -> Iterator[tuple[pl.Series, pl.DataFrame]]:
        """The chosen columns (by place: "0", "1" ...) as text, in the order of the file, with their records' numbers.

        An empty cell is null. Irregular records are left out. Memory is bounded by the batch. Raises `RowsDoNotAddUp` if the
        rows read are not the records that were counted.
        """
        done = 0
        for batch in self.sheet.cells.batches(columns, self.header_rows, rows or BATCH_ROWS):
            left = self.records - done
            done += batch.height
            if batch.height <= left:
                yield self._regular(done - batch.height, batch)
            elif self._is_padding(batch[left:]):
                done = self.records
                yield self._regular(done - left, batch.head(left))
        if done != self.records:
            raise RowsDoNotAddUp(f"{self.records} records of an export were counted, and {done} read")

    def _is_padding(self, after_the_end: pl.DataFrame) -> bool:
        """Empty lines at the end of a file are no records."""
        blank = pl.all().is_null() | (pl.all().str.strip_chars() == "")
        return bool(after_the_end.select(pl.all_horizontal(blank).all()).item())

    def _regular(self, before: int, batch: pl.DataFrame) -> tuple[pl.Series, pl.DataFrame]:
        """The rows that fit, with their numbers; `before`: how many rows came before them."""
        numbers = pl.int_range(before + 1, before + batch.height + 1, dtype=pl.Int64, eager=True)
        if not self.irregular:
            return numbers, batch
        fits = ~numbers.is_in([odd.record for odd in self.irregular])
        return numbers.filter(fits), batch.filter(fits)

    def refuse_unreadable(self) -> None:
        """Raise `InputRefused` if there is no row, or so many do not fit the headings that these were not understood."""
        if self.irregular and self.irregular[0].record < 1:
            raise InputRefused(
                f"One of the rows of headings of '{self.path.name}' has {self.irregular[0].reason}.",
                "Export the answers again, or set the number of header rows by hand (--header-rows).",
            )
        if not self.records:
            raise InputRefused(
                f"'{self.path.name}' holds headings but no answers.", "Export it again, with its answers."
            )
        if len(self.irregular) > MOST_IRREGULAR * self.records:
            first = self.irregular[0]
            raise InputRefused(
                f"{len(self.irregular)} of {self.records} rows of '{self.path.name}' cannot be read for certain:"
                f" row {first.record} (headings not counted) has {first.reason}.",
                "Export the answers again, or set the separator, encoding or tool by hand (see --help).",
            )


def _distinct(headings: Sequence[str]) -> list[str]:
    """Headings, a repeated or empty one with its column's number."""
    names: list[str] = []
    for place, heading in enumerate(headings, start=1):
        numbered = f"{heading} [{place}]".strip()
        names.append(numbered if heading in names or not heading.strip() else heading)
    return names


def read_export(path: str | Path, **by_hand: Any) -> Export:
    """Look through an export without loading it: kind, tool, encoding, separator and headings.

    `by_hand` sets what is otherwise detected: `tool`, `encoding`, `separator`, `header_rows`, `sheet`.
    Raises `InputRefused` for a missing, empty or unreadable file, a folder, and a file without headings.
    """
    known = {entry.name for entry in fields(ByHand)}
    if unknown := set(by_hand) - known:
        raise TypeError(f"read_export() knows nothing of {', '.join(sorted(unknown))}")
    given, hand = Path(path), ByHand(**by_hand)
    sheet = open_sheet(given, hand)
    return Export(given, sheet, recognise(sheet, hand))

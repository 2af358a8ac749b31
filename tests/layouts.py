"""Exports of any layout, at hand without a file: what a tool says of its columns, and their cells.

What belongs here: making an `Export` of the small survey in `club`. What does not: expectations.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from survey_pipeline.exports import Column, Export, Layout
from survey_pipeline.exports.sheet import Sheet

ALWAYS = (Column("May we count your answers?", ("May we count your answers?",)), Column("Form taken", ("Form taken",)))


class InMemory:
    """Cells that are at hand."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self.frame = frame

    def batches(self, columns: Sequence[int], skip: int, rows: int) -> Iterator[pl.DataFrame]:
        yield from self.frame.select(str(place) for place in columns)[skip:].iter_slices(rows)


def export_of(columns: Sequence[Column], rows: Sequence[Sequence[str | None]] = (), **layout: object) -> Export:
    """An export of any layout; the consent and the form come first."""
    everything = (*ALWAYS, *columns)
    names = [str(place) for place in range(len(everything))]
    frame = pl.DataFrame(
        [["Yes, you may.", "Oxide", *row] for row in [[None] * len(columns), *rows]],
        schema=dict.fromkeys(names, pl.String),
        orient="row",
    )
    sheet = Sheet("0" * 64, "csv", "utf-8", ",", ((),), len(names), frame.height, (), InMemory(frame), ())
    return Export(Path("a.csv"), sheet, Layout("any", 1, everything, "it says so", **layout))  # type: ignore[arg-type]

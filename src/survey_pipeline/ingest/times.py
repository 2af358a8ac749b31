"""Times: when a row was handed in, in the ways in which survey tools write it.

What belongs here: one column of texts to seconds. What does not: dates that people give as answers (`answers`).
"""

from collections import Counter
from collections.abc import Iterable
from typing import Final

import polars as pl

FORMATS: Final = (
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%m/%d/%Y %I:%M:%S %p",
    "%m/%d/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M:%S",
    "%d.%m.%Y %H:%M:%S",
    "%m/%d/%Y %I:%M %p",
    "%m/%d/%Y %H:%M",
    "%d.%m.%Y %H:%M",
)
"""A column is in one of them throughout: the one that reads the most of it."""
ZONE: Final = r"\s*(?:Z|UTC|[+-]\d\d:?\d\d|(?:GMT|UTC)[+-]\d{1,2}|[A-Z]{3,4})$"
FRACTION: Final = r"(:\d\d)\.\d+"


def format_of(batches: Iterable[pl.Series]) -> str:
    """The format that reads the most of a column; of equals, the first."""
    unread = Counter[str]()
    for texts in batches:
        unread.update({layout: _read(texts, layout).null_count() for layout in FORMATS})
    return min(FORMATS, key=lambda layout: unread[layout])


def seconds_since_1970(texts: pl.Series, layout: str) -> pl.Series:
    """A column of times as Int64 seconds, null where a cell cannot be read. Its time zone is left aside: only distances
    within one column are of use.
    """
    return _read(texts, layout).dt.epoch("s").rename("seconds")


def _read(texts: pl.Series, layout: str) -> pl.Series:
    plain = texts.str.strip_chars().str.replace(ZONE, "").str.replace(FRACTION, "$1")
    return plain.str.replace("\u202f", " ", literal=True).str.to_datetime(layout, strict=False, time_unit="ms")

"""Quartiles: they tell how many lie at or below a value, and so how many reached a threshold.

What belongs here: hiding a quartile that would tell of a hidden count. What does not: sums (`sums`), which hold for whole
counts alone.
"""

from collections.abc import Sequence

from survey_pipeline import names
from survey_pipeline.disclose.rows import ANSWERED, Key, Row, is_share, kind_of, where

QUARTILES = ("quartile_1", "quartile_3")


def hide_quartiles(rows: Sequence[Row], hidden: list[bool]) -> None:
    """Hide both quartiles beside a hidden threshold of the same scale and level.

    With 30 answers, a first quartile beyond the threshold says that at most 7 reached it, one within it that 8 did or more.
    The median says no more than the half of at least 20, so nothing of a count under 10.
    """
    gone = {_scale(row) for row, hide in zip(rows, hidden, strict=True) if hide and _is_threshold(row)}
    for place, row in enumerate(rows):
        hidden[place] |= row[names.STATISTIC] in QUARTILES and _scale(row) in gone


def _scale(row: Row) -> Key:
    return (*where(row), str(row[names.OUTCOME]))


def _is_threshold(row: Row) -> bool:
    return is_share(row) and row["among"] == ANSWERED and kind_of(row) != "share"

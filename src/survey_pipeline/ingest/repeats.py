"""Repeats: which rows are by somebody who has answered before, and which of them counts.

What belongs here: comparing marks (hashes of codes, tokens or whole answers) over the batches and exports of a wave. What
does not: making the marks (`ingest`), and rows that are left out whoever they are by.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from survey_pipeline.names import Exclusion

KEY_BYTES = 16
SECONDS = "seconds"
"""The column of marks that says when a row was handed in."""
ROWS = "rows"
"""A column of marks that is always there, so that rows without a mark are rows all the same."""


@dataclass
class Seen:
    """What has been handed in before in this wave: hashes, never the answers themselves."""

    rows: "Hashes" = field(default_factory=lambda: Hashes())
    marks: "dict[str, Hashes]" = field(default_factory=lambda: defaultdict(Hashes))
    last_time: dict[int, int] = field(default_factory=dict)
    """Of each hash of answers, when it was last handed in."""


class Hashes:
    """A growing sorted set of 64-bit hashes: 8 bytes a row, whatever the row holds."""

    def __init__(self) -> None:
        self._known = np.empty(0, dtype=np.uint64)

    def is_new(self, hashes: pl.Series) -> pl.Series:
        """Whether each hash appears for the first time, here and in all earlier calls; null hashes are always new."""
        new = hashes.is_first_distinct() & ~hashes.is_in(self._met_before(hashes).implode()) | hashes.is_null()
        fresh = hashes.filter(new).drop_nulls().to_numpy()
        self._known = np.sort(np.concatenate([self._known, fresh]), kind="stable")
        return new

    def _met_before(self, hashes: pl.Series) -> pl.Series:
        """Which of these hashes are known; sorted first, so that looking them up walks through memory in order."""
        sought = hashes.drop_nulls().unique().sort().to_numpy()
        place = np.searchsorted(self._known, sought)
        inside = place < len(self._known)
        met = sought[inside][self._known[place[inside]] == sought[inside]]
        return pl.Series(met, dtype=pl.UInt64)


def short(hashes: pl.Series) -> pl.Series:
    """The first 64 bits of keyed hashes: enough to tell the rows of one wave apart (birthday bound: 1 in 10 million for 2
    million rows).
    """
    if hashes.dtype != pl.Binary:
        return hashes
    there = hashes.is_not_null()
    bits: npt.NDArray[np.uint64] = np.frombuffer(b"".join(hashes.drop_nulls().to_list()), dtype=np.uint64)
    numbers = pl.Series(hashes.name, [None], dtype=pl.UInt64).new_from_index(0, len(hashes))
    return numbers.scatter(there.arg_true(), pl.Series(bits[:: KEY_BYTES // 8]))


def repeats(marks: pl.DataFrame, stays: pl.Series, seen: Seen, minutes: float | None) -> pl.Series:
    """Why a row is not counted, since it is by somebody who was met before, here or in an earlier batch or export; null for
    the others. The first one counts.

    Only rows that stay count: one that is set aside must not make the same person's sound one a repeat.
    """
    reasons = pl.Series("repeat", [None], dtype=pl.String).new_from_index(0, len(stays))
    for name in marks.columns:
        if name in (SECONDS, ROWS):
            continue
        hashes = short(marks[name]).set(~stays | reasons.is_not_null(), None)
        again = ~_is_new(name, hashes, marks, seen, minutes)
        reasons = reasons.set(again & reasons.is_null(), name.split(":")[0])
    return reasons


def _is_new(name: str, hashes: pl.Series, marks: pl.DataFrame, seen: Seen, minutes: float | None) -> pl.Series:
    if name != Exclusion.SAME_ANSWERS_SOON:
        return seen.marks[name].is_new(hashes)
    known = (
        _soon(hash_, at, seen, (minutes or 0) * 60)
        for hash_, at in zip(hashes.to_list(), marks[SECONDS].to_list(), strict=True)
    )
    return ~pl.Series(list(known), dtype=pl.Boolean)


def _soon(hash_: int | None, at: int | None, seen: Seen, seconds: float) -> bool:
    """Whether the same answers were handed in shortly before; a row without a time is nobody's repeat."""
    if hash_ is None or at is None:
        return False
    before, seen.last_time[hash_] = seen.last_time.get(hash_), at
    return before is not None and abs(at - before) <= seconds


def superseded(marks: Sequence[pl.DataFrame], minutes: float | None) -> pl.Series:
    """The same for a survey in which the last one counts: rows of all batches, one after the other, all of them sound.

    Read from the end, what counts last comes first.
    """
    everything = pl.concat(marks, how="diagonal").reverse()
    stays = pl.repeat(True, everything.height, eager=True)
    return repeats(everything, stays, Seen(), minutes).reverse()

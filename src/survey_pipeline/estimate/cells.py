"""Cells: the part of a tally that one statistic is computed from.

What belongs here: value pairs with how many people gave them (and their weights), and choosing among them. What does not:
which statistics are made of them (`figures`).
"""

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from survey_pipeline.names import (
    BASELINE_VALUE,
    FOLLOW_UP_VALUE,
    LEVEL,
    N_RESPONDENTS,
    SUM_OF_SQUARED_WEIGHTS,
    SUM_OF_WEIGHTS,
)
from survey_pipeline.statistics import Counts, Numbers, Sample, Weighed, WeightedSample, without_noise

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Cells:
    """The part of the tally for one level and outcome: value pairs (NaN is no answer), how many people gave them and, in
    surveys with weights, the sums of their weights and of the squares. `n_design`: people in the whole weighted sample;
    `unconcerned`: where set, which cells hold people whom the question does not concern.
    """

    before: Numbers
    after: Numbers
    n: Counts
    weights: Numbers | None = None
    squared_weights: Numbers | None = None
    n_design: int | None = None
    unconcerned: Flags | None = None

    @property
    def n_unconcerned(self) -> int:
        """People whom the question does not concern: neither answering nor missing."""
        return 0 if self.unconcerned is None else int(self.n[self.unconcerned].sum())

    @property
    def n_people(self) -> int:
        return int(self.n.sum())

    @property
    def is_weighted(self) -> bool:
        return self.weights is not None

    def where(self, chosen: Flags) -> "Cells":
        """Some of the cells only."""
        weights = None if self.weights is None else self.weights[chosen]
        squared = None if self.squared_weights is None else self.squared_weights[chosen]
        unconcerned = None if self.unconcerned is None else self.unconcerned[chosen]
        return Cells(
            self.before[chosen], self.after[chosen], self.n[chosen], weights, squared, self.n_design, unconcerned
        )

    def counted(self, values: Numbers) -> tuple[Numbers, Counts]:
        """Different values, ascending, and their counts; people without a value are left out."""
        different, (counts,) = _added(values, self.n)
        return different, counts.astype(np.int64)

    def sample(self, values: Numbers) -> Sample:
        """The same as a sample."""
        return Sample(*self.counted(values))

    def weighted_sample(self, values: Numbers) -> WeightedSample:
        """The same with weights, which there must be."""
        assert self.weights is not None and self.squared_weights is not None
        different, (counts, *weights) = _added(values, self.n, self.weights, self.squared_weights)
        return WeightedSample(different, counts.astype(np.int64), *weights)

    def weighed(self, chosen: Flags) -> Weighed:
        """How many people are in some of the cells, and how much they weigh."""
        assert self.weights is not None and self.squared_weights is not None
        n = int(self.n[chosen].sum())
        return Weighed(n, float(self.weights[chosen].sum()), float(self.squared_weights[chosen].sum()))


def _added(values: Numbers, *amounts: Numbers | Counts) -> tuple[Numbers, list[Numbers]]:
    """Different values, ascending, and the sums of the amounts that go with each; NaN is left out. What binary arithmetic
    leaves behind goes: 7.1 - 7.0 and 6.1 - 6.0 are one change, not two.
    """
    values = without_noise(values)
    there = ~np.isnan(values)
    different, place = np.unique(values[there], return_inverse=True)
    sums = (np.bincount(place, weights=each[there], minlength=len(different)) for each in amounts)
    return different, [np.asarray(each, dtype=np.float64) for each in sums]


@dataclass(frozen=True)
class Part:
    """The cells of one exposure and outcome, by level."""

    everybody: Cells
    place: npt.NDArray[np.int64]
    """Of each cell, the place of its level among `codes`."""
    codes: tuple[str, ...]

    def at(self, members: Collection[str]) -> Cells:
        """The cells of the levels of these codes."""
        wanted = np.array([code in members for code in self.codes], dtype=np.bool_)
        return self.everybody.where(wanted[self.place])


def part_of(rows: pl.DataFrame, *, weighted: bool = False) -> Part:
    """Some rows of a tally, of one exposure and outcome; with `weighted`, with their weights."""
    codes = {code: place for place, code in enumerate(dict.fromkeys(rows[LEVEL].to_list()))}
    place = np.array([codes[code] for code in rows[LEVEL].to_list()], dtype=np.int64)
    return Part(cells_of(rows, weighted=weighted), place, tuple(codes))


def has_weights(tally: pl.DataFrame) -> bool:
    """Whether the people of a tally count differently."""
    return tally.height > 0 and SUM_OF_WEIGHTS in tally.columns and not tally[SUM_OF_WEIGHTS].null_count()


def cells_of(rows: pl.DataFrame, *, weighted: bool = False) -> Cells:
    """The cells of some rows of a tally; the same pair of values may stand once for each level."""
    before, after = (rows[name].fill_null(float("nan")).to_numpy() for name in (BASELINE_VALUE, FOLLOW_UP_VALUE))
    unconcerned = rows[FOLLOW_UP_VALUE].is_nan().fill_null(False).to_numpy()
    cells = Cells(before, after, rows[N_RESPONDENTS].to_numpy(), unconcerned=unconcerned)
    if not weighted:
        return cells
    weights, squared = (rows[name].cast(pl.Float64).to_numpy() for name in (SUM_OF_WEIGHTS, SUM_OF_SQUARED_WEIGHTS))
    return replace(cells, weights=weights, squared_weights=squared, n_design=cells.n_people)

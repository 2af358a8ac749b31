"""Counted values: different values in ascending order and how often each occurs.

What belongs here: samples, how several are laid side by side, and sums that do not depend on the order of their terms.
What does not: what is estimated from them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import fsum, sqrt

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
DECIMALS = 9
"""More than any answer has, and less than binary arithmetic blurs."""


@dataclass(frozen=True, eq=False)
class Sample:
    """A group of people's numbers: `values` (different, ascending) and `counts` (how many people gave each, above 0)."""

    values: Numbers
    counts: Counts

    @cached_property
    def n(self) -> int:
        return int(self.counts.sum())

    @cached_property
    def mean(self) -> float | None:
        return weighted_centre(self.values, self.counts) if self.n else None

    @cached_property
    def variance(self) -> float | None:
        """With n - 1; None for fewer than two people."""
        if self.mean is None or self.n < 2:
            return None
        return total(self.counts * (self.values - self.mean) ** 2) / (self.n - 1)

    @cached_property
    def sd(self) -> float | None:
        return None if self.variance is None else sqrt(self.variance)

    @cached_property
    def skewness(self) -> float | None:
        """The third central moment over the second to the power 1.5; None where all values are the same."""
        if self.mean is None or not self.sd:
            return None
        away = self.values - self.mean
        second, third = (total(self.counts * away**power) / self.n for power in (2, 3))
        return float(third / second**1.5)


def total(terms: npt.ArrayLike) -> float:
    """The sum rounded once, so that neither the order of the terms nor the processor changes a digit."""
    return fsum(np.asarray(terms, dtype=np.float64).tolist())


def weighted_centre(values: Numbers, weights: Numbers | Counts) -> float:
    """The sum of weight times value by the sum of weights; of values that are all the same, exactly that value."""
    if values.min() == values.max():
        return float(values[0])
    return total(values * weights) / total(weights)


def without_noise(values: Numbers) -> Numbers:
    """To 9 decimals: 7.1 - 7.0 and 6.1 - 6.0 are the same change, and tied, although binary arithmetic tells them apart."""
    rounded: Numbers = np.round(values, DECIMALS) + 0.0  # no minus zero
    return rounded


def sample_of(values: npt.ArrayLike, counts: npt.ArrayLike | None = None) -> Sample:
    """A sample from values in any order, repeated or not, each as often as its count (once, without counts).

    NaN is no answer: it is left out, as are counts of 0. Values are freed of binary noise.
    """
    given = without_noise(np.asarray(values, dtype=np.float64).ravel())
    times = np.ones(given.size, np.int64) if counts is None else np.asarray(counts, dtype=np.int64).ravel()
    there = ~np.isnan(given) & (times > 0)
    different, place = np.unique(given[there], return_inverse=True)
    summed = np.zeros(different.size, np.int64)
    np.add.at(summed, place, times[there])
    return Sample(different, summed)


def side_by_side(groups: Sequence[Sample]) -> tuple[Numbers, Counts]:
    """All different values of the groups, ascending, and a table of counts: a row for each group, a column for each value."""
    values = np.unique(np.concatenate([np.empty(0), *(group.values for group in groups)]))
    table = np.zeros((len(groups), values.size), np.int64)
    for row, group in zip(table, groups, strict=True):
        row[np.searchsorted(values, group.values)] += group.counts
    return values, table


def ordered(values: Numbers, counts: Counts, rank: int) -> float:
    """The value with this rank, from 0, among all counted values in ascending order."""
    return float(values[np.searchsorted(np.cumsum(counts), rank, side="right")])

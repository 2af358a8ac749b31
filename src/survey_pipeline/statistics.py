"""Statistics of counted values: each a small function of values and how often they occur.

What belongs here: formulas, each with its source. What does not: tables, levels, and what may be published. Intervals are
two-sided, 95 per cent. All functions take `values` and `counts` of equal length, counts above 0, values ascending.
"""

from dataclasses import dataclass
from math import floor, sqrt

import numpy as np
import numpy.typing as npt
from scipy.special import bdtr, bdtrik, ndtri, stdtrit

Numbers = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
CONFIDENCE = 0.95
Z = float(ndtri(0.5 + CONFIDENCE / 2))


@dataclass(frozen=True)
class Estimated:
    """A statistic with its uncertainty; None where it is not defined (one person has no standard error)."""

    estimate: float | None = None
    standard_error: float | None = None
    ci_lower: float | None = None
    ci_upper: float | None = None


def mean(values: Numbers, counts: Counts) -> Estimated:
    """Arithmetic mean with Student's t interval, n - 1 degrees of freedom."""
    n = int(counts.sum())
    if n == 0:
        return Estimated()
    centre = float(values @ counts) / n
    if n == 1:
        return Estimated(centre)
    error = sqrt(float(counts @ (values - centre) ** 2) / (n - 1) / n)
    return mean_of(centre, error, n)


def mean_of(centre: float, error: float, n: int) -> Estimated:
    """A mean with this standard error, and Student's t interval for n people."""
    reach = float(stdtrit(n - 1, 0.5 + CONFIDENCE / 2)) * error
    return Estimated(centre, error, centre - reach, centre + reach)


def median(values: Numbers, counts: Counts) -> Estimated:
    """Median (the mean of the two middle values where n is even; R's quantile type 2 and 7 agree) with the interval
    between two order statistics that holds it with at least 95 per cent (Conover 1999, section 3.2).
    """
    n = int(counts.sum())
    if n == 0:
        return Estimated()
    middle = (_ordered(values, counts, (n - 1) // 2) + _ordered(values, counts, n // 2)) / 2
    outer = median_interval_rank(n)
    if outer is None:
        return Estimated(middle)
    return Estimated(middle, None, _ordered(values, counts, outer), _ordered(values, counts, n - 1 - outer))


def median_interval_rank(n: int) -> int | None:
    """From 0, the largest rank r with P(Binomial(n, 1/2) <= r) at most 2.5 per cent; None if n is too small for any."""
    tail = (1 - CONFIDENCE) / 2
    rank = floor(float(bdtrik(tail, n, 0.5))) if n else -1
    while rank >= 0 and float(bdtr(rank, n, 0.5)) > tail:
        rank -= 1
    return rank if rank >= 0 else None


def _ordered(values: Numbers, counts: Counts, rank: int) -> float:
    """The value with this rank, from 0, among all counted values in ascending order."""
    return float(values[np.searchsorted(np.cumsum(counts), rank, side="right")])


def share(n_events: int, n: int) -> Estimated:
    """A proportion with its standard error and Wilson's score interval (Wilson 1927)."""
    if n == 0:
        return Estimated()
    p = n_events / n
    centre = (p + Z * Z / (2 * n)) / (1 + Z * Z / n)
    reach = Z * sqrt(p * (1 - p) / n + Z * Z / (4 * n * n)) / (1 + Z * Z / n)
    return Estimated(p, sqrt(p * (1 - p) / n), max(0.0, centre - reach), min(1.0, centre + reach))

"""Medians and other quantiles of counted values, with intervals between order statistics.

What belongs here: quantiles of people who count alike. What does not: quantiles of weighted people (`weighted`).
"""

from functools import lru_cache
from math import floor
from typing import Literal

from scipy.special import bdtr, bdtrik

from survey_pipeline.statistics.counted import Counts, Numbers, ordered
from survey_pipeline.statistics.results import LOWER_TAIL, Estimated

NEARLY = 1e-9
"""0.7 of 10 people is 7 people in binary arithmetic too (R has its own such tolerance)."""


def median(values: Numbers, counts: Counts) -> Estimated:
    """Median (the mean of the two middle values where n is even; R's quantile type 2 and 7 agree) with the interval
    between two order statistics that holds it with at least 95 per cent (Conover 1999, section 3.2).
    """
    return quantile(values, counts, 0.5)


def median_interval_rank(n: int) -> int | None:
    """From 0, the largest rank r with P(Binomial(n, 1/2) <= r) at most 2.5 per cent; None if n is too small for any."""
    ranks = quantile_interval_ranks(n, 0.5)
    return None if ranks is None else ranks[0]


def quantile(values: Numbers, counts: Counts, p: float, kind: Literal[2, 7] = 2) -> Estimated:
    """The quantile at 0 < p < 1 with its interval between two order statistics; it has no standard error.

    `kind` is the type in R's `quantile` (Hyndman and Fan 1996). 2, our default: the value which p of the people do not
    exceed, the mean of two where p n is whole; it is nearly always a value that somebody gave, and numpy calls it
    "averaged_inverted_cdf". 7, the default of R and numpy: interpolated at rank (n - 1) p.
    """
    n = int(counts.sum())
    if n == 0:
        return Estimated()
    estimate = (_averaged if kind == 2 else _interpolated)(values, counts, p, n)
    ranks = quantile_interval_ranks(n, p)
    if ranks is None:
        return Estimated(estimate)
    return Estimated(estimate, None, *(ordered(values, counts, rank) for rank in ranks))


def quantile_interval_ranks(n: int, p: float) -> tuple[int, int] | None:
    """From 0, the ranks of two order statistics that hold the quantile with at least 95 per cent, at most 2.5 per cent
    beyond either (Conover 1999, section 3.2); None if n is too small for any. Ties only make the interval safer.
    """
    lower = _rank_below(n, p)
    from_the_top = _rank_below(n, 1 - p)
    if lower is None or from_the_top is None:
        return None
    return lower, n - 1 - from_the_top


@lru_cache(maxsize=4096)
def _rank_below(n: int, p: float) -> int | None:
    """The largest r with P(Binomial(n, p) <= r) at most 2.5 per cent."""
    rank = floor(float(bdtrik(LOWER_TAIL, n, p))) + 1 if n else -1
    while rank >= 0 and float(bdtr(rank, n, p)) > LOWER_TAIL:
        rank -= 1
    return rank if rank >= 0 else None


def _averaged(values: Numbers, counts: Counts, p: float, n: int) -> float:
    below = floor(n * p + NEARLY)
    upper = ordered(values, counts, min(below, n - 1))
    if n * p > below + NEARLY or below == 0:
        return upper
    return (ordered(values, counts, below - 1) + upper) / 2


def _interpolated(values: Numbers, counts: Counts, p: float, n: int) -> float:
    place = (n - 1) * p
    below = floor(place + NEARLY)
    part = max(0.0, place - below)
    lower, upper = ordered(values, counts, below), ordered(values, counts, min(below + 1, n - 1))
    return lower + part * (upper - lower)

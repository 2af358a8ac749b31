"""Whether an outcome goes up or down along ordered groups, such as bands of a dose.

What belongs here: tests for a trend, a monotone fit, and what holds whichever place people of uncertain place are given.
What does not: tests that know no order (`groups`). Groups of nobody take no part, but keep their place in the order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt

import numpy as np

from survey_pipeline.statistics.counted import Counts, Numbers, Sample, side_by_side, total
from survey_pipeline.statistics.results import DOWN, FLAT, UP, Tested, direction_of, p_of_chi_squared, p_of_z

NO_SIGN = 1e-9
"""A sum smaller than this part of the sum of its terms' sizes is 0 but for the arithmetic."""


def jonckheere_terpstra(groups: Sequence[Sample]) -> Tested:
    """Jonckheere (1954) and Terpstra's (1952) test over groups in their order, two-sided, standard normal, with the variance
    for ties (Hollander, Wolfe and Chicken 2014, section 6.2) and without continuity correction.

    `statistic` is z, above 0 where later groups have the greater values. The same as statsmodels' and as the z of
    Kendall's tau between group and value in R. A variance without the ties, which some programs use, makes |z| smaller.
    None where there is one group or all values are the same.
    """
    there = [group for group in groups if group.n]
    if len(there) < 2:
        return Tested()
    _, table = side_by_side(there)
    variance = _variance_of_pairs(table.sum(axis=1).tolist(), table.sum(axis=0).tolist())
    if variance <= 0:
        return Tested()
    z = _rising_minus_falling(table) / sqrt(variance)
    return Tested(z, None, None, p_of_z(z), direction_of(z))


def _rising_minus_falling(table: Counts) -> int:
    """Pairs of people of different groups whose values go the way of their groups, minus those that go against it."""
    earlier = np.cumsum(table, axis=0) - table
    below = np.cumsum(earlier, axis=1) - earlier
    above = earlier.sum(axis=1, keepdims=True) - below - earlier
    return int((table * (below - above)).sum())


def _variance_of_pairs(in_groups: list[int], at_values: list[int]) -> float:
    """Of rising minus falling pairs if there is no trend (Kendall 1970, chapter 4), with ties in groups and values."""
    n = sum(in_groups)

    def ties(power: int) -> tuple[int, int]:
        terms = {1: lambda t: t * (t - 1), 2: lambda t: t * (t - 1) * (t - 2), 3: lambda t: t * (t - 1) * (2 * t + 5)}
        return sum(map(terms[power], in_groups)), sum(map(terms[power], at_values))

    variance = (n * (n - 1) * (2 * n + 5) - sum(ties(3))) / 18
    variance += ties(1)[0] * ties(1)[1] / (2 * n * (n - 1))
    if n > 2:
        variance += ties(2)[0] * ties(2)[1] / (9 * n * (n - 1) * (n - 2))
    return variance


def cochran_armitage(
    events: Sequence[int], totals: Sequence[int], scores: Sequence[float] | None = None, *, n_minus_1: bool = False
) -> Tested:
    """Cochran (1954) and Armitage's (1955) chi-squared for a trend of shares over groups in their order, 1 degree of freedom.

    `scores` are the groups' places, 0, 1, 2, ... unless given. The variance is that with N, as R's prop.trend.test; with
    `n_minus_1` the chi-squared is (N - 1) / N of it, as R's coin::independence_test. None where nobody or everybody has
    the event, or all people have one score.
    """
    k, n = np.array(events, np.float64), np.array(totals, np.float64)
    x = np.arange(len(totals), dtype=np.float64) if scores is None else np.array(scores, np.float64)
    if not n.sum() or not 0 < k.sum() < n.sum():
        return Tested()
    everybody, p = float(n.sum()), float(k.sum() / n.sum())
    away = x - total(n * x) / everybody
    spread = p * (1 - p) * total(n * away * away)
    if spread <= 0:
        return Tested()
    trend = total(away * (k - n * p))
    chi_squared = trend * trend / spread * ((everybody - 1) / everybody if n_minus_1 else 1.0)
    sure = abs(trend) > NO_SIGN * total(np.abs(away) * k)
    return Tested(chi_squared, 1, None, p_of_chi_squared(chi_squared, 1), direction_of(trend) if sure else FLAT)


def isotonic(means: Sequence[float | None], weights: Sequence[float], increasing: bool = True) -> list[float | None]:
    """The monotone line nearest to the groups' means by weighted least squares (pool adjacent violators; Barlow and others
    1972): an aid for the eye in a drawing, never an estimate. None where a group has no mean or no weight.
    """
    from scipy.optimize import isotonic_regression  # a fifth of a second, which most commands need not wait

    there = [place for place, (m, w) in enumerate(zip(means, weights, strict=True)) if m is not None and w > 0]
    fitted: list[float | None] = [None] * len(means)
    if there:
        found = isotonic_regression(
            [means[i] for i in there], weights=[weights[i] for i in there], increasing=increasing
        )
        for place, value in zip(there, found.x.tolist(), strict=True):
            fitted[place] = value
    return fitted


def monotone_direction(means: Sequence[float | None]) -> str | None:
    """UP or DOWN where the means only rise or only fall (or stay), FLAT where all are the same; None for any other shape and
    for fewer than two means.
    """
    there = [mean for mean in means if mean is not None]
    ways = {direction_of(later - earlier) for earlier, later in pairwise(there)}
    if not ways or {UP, DOWN} <= ways:
        return None
    return next(iter(ways - {FLAT}), FLAT)


@dataclass(frozen=True)
class WorstCase(Tested):
    """The least and the greatest sum of place times (value - mean) that any reading of the places could give."""

    least: float | None = None
    greatest: float | None = None


def worst_case_direction(low_places: Numbers, high_places: Numbers, values: Numbers, counts: Counts) -> WorstCase:
    """The direction that holds whichever band each person is really in: the sign of the covariance of place and value.

    One element for each cell: people with this value who may be in any place from `low_places` to `high_places`. The sum is
    greatest where those above the mean are in their highest place and those below in their lowest, and least the other
    way round; both bounds are reached (Manski 2003). UP or DOWN where both have that sign, FLAT where readings
    differ, None for nobody. No p-value: this is about what is not known, not about chance.
    """
    n = int(counts.sum())
    if n == 0:
        return WorstCase()
    away = counts * (values - total(values * counts) / n)
    greatest, least = (np.where((away > 0) == up, high_places, low_places) * away for up in (True, False))
    smallest, largest = _signed(least), _signed(greatest)
    one_way = direction_of(smallest) == direction_of(largest)
    return WorstCase(direction=direction_of(smallest) if one_way else FLAT, least=smallest, greatest=largest)


def _signed(terms: Numbers) -> float:
    found = total(terms)
    return found if abs(found) > NO_SIGN * total(np.abs(terms)) else 0.0

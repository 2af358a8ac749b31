"""Differences between two groups: first minus second.

What belongs here: differences of means and of shares, from summaries. What does not: standardised differences
(`effects`), more than two groups (`groups`).
"""

from math import sqrt

from survey_pipeline.statistics.results import Compared, Estimated, are_numbers, p_of_chi_squared, p_of_t, t_quantile
from survey_pipeline.statistics.shares import share


def difference_of_means(
    mean1: float | None, se1: float | None, n1: int, mean2: float | None, se2: float | None, n2: int
) -> Compared:
    """Welch's t (1947): no equal variances assumed; degrees of freedom by Satterthwaite (1946), as R's t.test.

    Nothing but the difference where a group has one person (no standard error); no interval where both are constant.
    """
    if mean1 is None or mean2 is None:
        return Compared()
    if se1 is None or se2 is None or min(n1, n2) < 2:
        return Compared(mean1 - mean2)
    return _welch(mean1 - mean2, se1 * se1, n1, se2 * se2, n2)


def _welch(difference: float, variance1: float, n1: int, variance2: float, n2: int) -> Compared:
    variance = variance1 + variance2
    error = sqrt(variance)
    if variance == 0 or not are_numbers(difference / error):
        return Compared(difference, error)
    one, two = variance1 / variance, variance2 / variance
    freedom = 1 / (one * one / (n1 - 1) + two * two / (n2 - 1))
    reach = t_quantile(freedom) * error
    p = p_of_t(difference / error, freedom)
    return Compared(difference, error, difference - reach, difference + reach, freedom, p)


def difference_of_shares(k1: int, n1: int, k2: int, n2: int) -> Compared:
    """Newcombe's hybrid score interval (1998, Statistics in Medicine 17:873-890, method 10: Wilson's intervals joined,
    no continuity correction) and the p-value of Pearson's chi-squared without continuity correction.

    `standard_error` is that of the unpooled difference. No p-value where nobody or everybody has the event.
    """
    one, two = share(k1, n1), share(k2, n2)
    if one.estimate is None or two.estimate is None:
        return Compared()
    error = sqrt((one.standard_error or 0) ** 2 + (two.standard_error or 0) ** 2)
    difference = one.estimate - two.estimate
    lower, upper = difference - _away(one, two), difference + _away(two, one)
    pooled = (k1 + k2) / (n1 + n2)
    variance = pooled * (1 - pooled) * (1 / n1 + 1 / n2)
    p = p_of_chi_squared(difference * difference / variance, 1) if variance > 0 else None
    return Compared(difference, error, max(-1.0, lower), min(1.0, upper), 1.0, p)


def _away(downwards: Estimated, upwards: Estimated) -> float:
    """How far the difference may lie from its estimate when one share is at its lower and the other at its upper end."""
    low = (downwards.estimate or 0) - (downwards.ci_lower or 0)
    high = (upwards.ci_upper or 0) - (upwards.estimate or 0)
    return sqrt(low * low + high * high)

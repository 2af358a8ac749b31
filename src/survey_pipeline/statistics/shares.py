"""Shares: how many of how many.

What belongs here: a proportion and its intervals from two counts. What does not: differences of proportions
(`differences`), weights (`weighted`).
"""

from math import sqrt

from scipy.special import betaincinv

from survey_pipeline.statistics.results import LOWER_TAIL, UPPER_TAIL, Estimated, Z


def share(n_events: int, n: int) -> Estimated:
    """A proportion with its standard error and Wilson's score interval (Wilson 1927), without continuity correction."""
    if n == 0:
        return Estimated()
    p = n_events / n
    centre = (p + Z * Z / (2 * n)) / (1 + Z * Z / n)
    reach = Z * sqrt(p * (1 - p) / n + Z * Z / (4 * n * n)) / (1 + Z * Z / n)
    return Estimated(p, sqrt(p * (1 - p) / n), max(0.0, centre - reach), min(1.0, centre + reach))


def beta_interval(p: float, n: float) -> tuple[float, float]:
    """Clopper and Pearson's exact interval (1934) of the share p among n people; with an effective n, which need not be
    whole, the interval of Korn and Graubard (1998, Survey Methodology 24:193-201).
    """
    events, others = n * p, n * (1 - p)
    lower = float(betaincinv(events, others + 1, LOWER_TAIL)) if events > 0 else 0.0
    upper = float(betaincinv(events + 1, others, UPPER_TAIL)) if others > 0 else 1.0
    return lower, upper

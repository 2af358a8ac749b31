"""Effect sizes: differences in units of a standard deviation.

What belongs here: standardised differences and changes with intervals from the noncentral t distribution. What does not:
differences in an item's own units (`differences`).
"""

from math import exp, hypot, isfinite, lgamma, log, sqrt

from scipy.special import chdtri, nctdtr

from survey_pipeline.statistics.counted import Counts, Numbers, Sample
from survey_pipeline.statistics.results import LOWER_TAIL, UPPER_TAIL, Estimated, Z

MOST_T = 1e3
"""Beyond it the noncentral t distribution is not to be had in double precision, and its limit for great t is used."""


def hedges_g(
    mean1: float | None, sd1: float | None, n1: int, mean2: float | None, sd2: float | None, n2: int
) -> Estimated:
    """Hedges' g (1981): the difference of means by the pooled standard deviation, times the exact correction J.

    The interval is that of R's effectsize: the noncentralities for which the observed t is at either end of the central
    95 per cent, in units of g (Steiger 2004); solved here to full precision. The standard error is the large-sample one
    (Hedges and Olkin 1985, chapter 5). None where a group has fewer than two people or both are constant.
    """
    if mean1 is None or mean2 is None or sd1 is None or sd2 is None or min(n1, n2) < 2:
        return Estimated()
    freedom = n1 + n2 - 2
    pooled = sqrt(((n1 - 1) * sd1 * sd1 + (n2 - 1) * sd2 * sd2) / freedom)
    if pooled == 0 or not isfinite((mean1 - mean2) / pooled):
        return Estimated()
    d, unit, j = (mean1 - mean2) / pooled, sqrt(1 / n1 + 1 / n2), correction(freedom)
    lower, upper = _noncentralities(d / unit, freedom)
    g = d * j
    return Estimated(g, sqrt(unit * unit + g * g / (2 * (n1 + n2))), lower * unit * j, upper * unit * j)


def correction(degrees_of_freedom: int) -> float:
    """Hedges' exact J, which makes the standardised difference unbiased (1981, equation 6e)."""
    half = degrees_of_freedom / 2
    return exp(lgamma(half) - log(half) / 2 - lgamma(half - 0.5))


def standardised_change(values: Numbers, counts: Counts) -> Estimated:
    """The mean change by the standard deviation of the change (Cohen's d_z), of people with both values.

    `values` are changes. The interval is by the noncentral t distribution with n - 1 degrees of freedom, exact for normal
    changes; the standard error is the large-sample one. d_z depends on the correlation of baseline and follow-up
    (`correlation`), so it must not be compared with g between groups (Lakens 2013). None where the change is constant.
    """
    sample = Sample(values, counts)
    if sample.mean is None or not sample.sd:
        return Estimated()
    d = sample.mean / sample.sd
    if not isfinite(d):
        return Estimated()
    root = sqrt(sample.n)
    lower, upper = _noncentralities(d * root, sample.n - 1)
    return Estimated(d, sqrt(1 / sample.n + d * d / (2 * sample.n)), lower / root, upper / root)


def _noncentralities(t: float, freedom: int) -> tuple[float, float]:
    """The noncentrality parameters under which the observed t is at the upper and at the lower end of what is expected."""
    if t < 0:
        lower, upper = _noncentralities(-t, freedom)
        return -upper, -lower
    if t > MOST_T:
        return _far_out(t, freedom)
    lowest, highest = t - Z, t + Z
    while _below(t, freedom, lowest) < UPPER_TAIL:
        # At a noncentrality of -Z any t above 0 is at or beyond this end, whatever the degrees of freedom.
        lowest = max(-Z - 1, t - 2 * (t - lowest))
    while _below(t, freedom, highest) > LOWER_TAIL:
        highest = t + 2 * (highest - t)
    return _solved(t, freedom, UPPER_TAIL, lowest, t), _solved(t, freedom, LOWER_TAIL, t, highest)


def _below(t: float, freedom: int, noncentrality: float) -> float:
    return float(nctdtr(freedom, noncentrality, t))


def _solved(t: float, freedom: int, probability: float, lowest: float, highest: float) -> float:
    from scipy.optimize import brentq  # a fifth of a second, which most commands need not wait

    def beyond(noncentrality: float) -> float:
        return _below(t, freedom, noncentrality) - probability

    return float(brentq(beyond, lowest, highest, xtol=1e-14, rtol=1e-14))


def _far_out(t: float, freedom: int) -> tuple[float, float]:
    """Where t is that great, its scatter is that of the standard deviation (chi) and hardly of the mean (normal)."""
    lowest, highest = (sqrt(float(chdtri(freedom, 1 - end)) / freedom) for end in (LOWER_TAIL, UPPER_TAIL))
    return t - hypot(t * (1 - lowest), Z), t + hypot(t * (highest - 1), Z)

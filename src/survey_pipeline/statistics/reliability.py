"""Whether an estimate rests on enough: marks, never secrecy.

What belongs here: the presentation standards of the US National Center for Health Statistics for proportions (Parker and
others 2017, Vital and Health Statistics 2(175)), and what we use for means, which they do not cover. What does not: whether
a number may be published.
"""

from enum import StrEnum

from survey_pipeline.statistics.results import Estimated
from survey_pipeline.statistics.shares import beta_interval

LEAST_EFFECTIVE_N = 30
"""Fewer people, or people who tell as much as fewer, are too few (2(175), standard on sample size)."""
WIDE = 0.30
"""An interval of this width or wider is too wide, whatever the share (2(175), standard on absolute width)."""
NARROW = 0.05
"""An interval of this width or narrower is narrow enough, however rare the event (2(175), the same standard)."""
WIDE_FOR_ITS_SHARE = 1.30
"""Between the two, an interval wider than this part of the share is too wide (2(175), standard on relative width)."""
SKEWED = 25
"""So many people for each unit of squared skewness make a mean's interval hold (Cochran 1977, Sampling Techniques)."""
LEAST_DEGREES_OF_FREEDOM = 8
"""Fewer, and the standard error itself is too uncertain: a statistician looks (2(175), standard on degrees of freedom)."""


class Reliability(StrEnum):
    """What an estimate is worth: as it stands, after a statistician has looked at it, or not enough."""

    RELIABLE = "reliable"
    REVIEW = "review"
    UNRELIABLE = "unreliable"


def reliability_of_share(
    p: float | None, n: int, effective_n: float | None = None, degrees_of_freedom: float | None = None
) -> Reliability:
    """The standards for a share p among n people, by its Korn-Graubard interval at the effective n (never above n; n itself
    without weights, where the interval is Clopper and Pearson's).

    A share of 0 or 1 is left to review where its interval is not too wide: relative width means nothing there. The footnote
    of the standards for a share whose complement would be too uncertain is not given, since complements are not shown.
    """
    effective = min(float(n), n if effective_n is None else effective_n)
    if p is None or effective < LEAST_EFFECTIVE_N:
        return Reliability.UNRELIABLE
    lower, upper = beta_interval(p, effective)
    if is_wide(upper - lower, p):
        return Reliability.UNRELIABLE
    few = degrees_of_freedom is not None and degrees_of_freedom < LEAST_DEGREES_OF_FREEDOM
    return Reliability.REVIEW if few or not 0 < p < 1 else Reliability.RELIABLE


def is_wide(width: float, p: float) -> bool:
    """Whether an interval of this width is too wide for the share p."""
    if width >= WIDE:
        return True
    return width > NARROW and p > 0 and width / p > WIDE_FOR_ITS_SHARE


def reliability_of_mean(
    found: Estimated,
    n: int,
    effective_n: float | None = None,
    *,
    span: float | None = None,
    skewness: float | None = None,
) -> Reliability:
    """For means, our own rule after the standards for shares: at least 30 people (effective people, with weights), and where
    the scale's `span` (greatest minus least possible value) is known an interval under 0.30 of it, since a share is the
    mean of a scale from 0 to 1. The relative width is not used: a mean change may well be 0, of which nothing is a part.

    Where the answers' `skewness` is known, more people than `SKEWED` times its square: with fewer, Student's interval holds
    the true mean too rarely (see docs/simulations.md).
    """
    effective = min(float(n), n if effective_n is None else effective_n)
    if found.estimate is None or effective < LEAST_EFFECTIVE_N:
        return Reliability.UNRELIABLE
    if skewness is not None and effective <= SKEWED * skewness**2:
        return Reliability.UNRELIABLE
    if span is None or found.ci_lower is None or found.ci_upper is None:
        return Reliability.RELIABLE
    return Reliability.UNRELIABLE if found.ci_upper - found.ci_lower >= WIDE * span else Reliability.RELIABLE

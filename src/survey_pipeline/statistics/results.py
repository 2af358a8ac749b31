"""What the formulas give back: estimates, comparisons and tests, each with None where it is not defined.

What belongs here: the shapes of results, the level of confidence, and the distributions that turn a statistic into a
p-value. What does not: formulas. All intervals and p-values are two-sided.
"""

from dataclasses import dataclass
from math import isfinite

from scipy.special import chdtrc, fdtrc, ndtr, ndtri, stdtr, stdtrit

CONFIDENCE = 0.95
"""Of every interval."""
UPPER_TAIL = 0.5 + CONFIDENCE / 2
"""The cumulative probability at the upper end of a two-sided interval."""
LOWER_TAIL = 0.5 - CONFIDENCE / 2
"""The cumulative probability at its lower end."""
Z = float(ndtri(UPPER_TAIL))
"""The standard normal quantile of an interval's upper end."""

UP, DOWN, FLAT = "up", "down", "flat"
"""Where the outcome's number goes with more of an ordered exposure."""


@dataclass(frozen=True)
class Estimated:
    """A statistic with its uncertainty; None where it is not defined (one person has no standard error)."""

    estimate: float | None = None
    standard_error: float | None = None
    ci_lower: float | None = None
    ci_upper: float | None = None


@dataclass(frozen=True)
class Compared(Estimated):
    """A difference between two groups, first minus second, with its test; None where it is not defined."""

    degrees_of_freedom: float | None = None
    p_value: float | None = None


@dataclass(frozen=True)
class Tested:
    """A test over several groups; None where it is not defined (one group, constant values).

    `direction` is UP, DOWN or FLAT for tests along an order of the groups, None for all others.
    """

    statistic: float | None = None
    degrees_of_freedom: float | None = None
    degrees_of_freedom_2: float | None = None
    p_value: float | None = None
    direction: str | None = None


def t_quantile(degrees_of_freedom: float) -> float:
    """Student's t at the upper end of a two-sided interval."""
    return float(stdtrit(degrees_of_freedom, UPPER_TAIL))


def p_of_t(t: float, degrees_of_freedom: float) -> float:
    """The two-sided p-value of Student's t."""
    return 2 * float(stdtr(degrees_of_freedom, -abs(t)))


def p_of_z(z: float) -> float:
    """The two-sided p-value of a standard normal."""
    return 2 * float(ndtr(-abs(z)))


def p_of_chi_squared(chi_squared: float, degrees_of_freedom: float) -> float:
    """The p-value of a chi-squared statistic."""
    return float(chdtrc(degrees_of_freedom, chi_squared))


def p_of_f(f: float, degrees_of_freedom: float, degrees_of_freedom_2: float) -> float:
    """The p-value of an F statistic."""
    return float(fdtrc(degrees_of_freedom, degrees_of_freedom_2, f))


def direction_of(number: float) -> str:
    """The direction that a signed statistic shows."""
    return UP if number > 0 else DOWN if number < 0 else FLAT


def are_numbers(*numbers: float) -> bool:
    """Whether none of them is infinite or undefined, as after a division by an all but constant sample's variance."""
    return all(isfinite(number) for number in numbers)

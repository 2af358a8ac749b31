"""Digits: how many of them a number deserves.

What belongs here: rounding by how many people a number rests on, and to significant digits. What does not: rounding counts of
people, which is a rule of secrecy (`policy`).
"""

from math import floor, log10

from survey_pipeline.statistics.results import Estimated

MAX_DECIMALS = 2
ERROR_DIGITS = 2
"""Significant digits of a standard error (as of an uncertainty in the GUM, JCGM 100:2008, 7.2.6)."""


def decimals_for(n: int) -> int:
    """How many decimals n people support: one answer moves a mean by about 1 / n, and the last digit must not show it.

    From n = 20 one decimal, from 200 two: the last digit then stands for at least two answers of one step.
    """
    return max(0, min(MAX_DECIMALS, floor(log10(n / 2)))) if n >= 2 else 0


def significant(value: float, digits: int = ERROR_DIGITS) -> float:
    """A number with so many significant digits: 0.1464 becomes 0.15, and 12.6 becomes 13."""
    return round(value, digits - 1 - floor(log10(abs(value)))) if value else 0.0


def in_short(found: Estimated, decimals: int) -> Estimated:
    """An estimate and its interval to so many decimals, its standard error to two significant digits.

    With an error cut off like the estimate, nobody could work on: of 0.146 to one decimal a third would be lost.
    """
    estimate, lower, upper = (
        None if number is None else round(number, decimals) + 0.0
        for number in (found.estimate, found.ci_lower, found.ci_upper)
    )
    error = None if found.standard_error is None else significant(found.standard_error)
    return Estimated(estimate, error, lower, upper)

"""Periods: which days a wave stands for, so that bounds and waves of different lengths can be compared.

What belongs here: a wave's first and last day, and whether it lies between bounds. What does not: finding the waves of a
folder (`waves`), and what is asked in one (`instrument`).
"""

from calendar import monthrange
from datetime import date

Period = tuple[int, int]
"""The first and the last day, counted from the first day of the year 1."""


def period(wave: str) -> Period:
    """The days of a year, a quarter or a month. A week stands for its Thursday alone: the year of a week's number is the
    year of that day, and so is its month, by custom.
    """
    written, _, part = wave.partition("-")
    year = max(int(written), 1)
    if part.startswith("W"):
        thursday = date.fromisocalendar(year, 1, 4).toordinal() + 7 * (int(part[1:]) - 1)
        return thursday, thursday
    first, last = _months(part)
    return date(year, first, 1).toordinal(), date(year, last, monthrange(year, last)[1]).toordinal()


def _months(part: str) -> tuple[int, int]:
    if not part:
        return 1, 12
    if part.startswith("Q"):
        return 3 * int(part[1:]) - 2, 3 * int(part[1:])
    return int(part), int(part)


def is_between(wave: str, since: str | None, until: str | None) -> bool:
    """Whether some day of a wave lies between two bounds, both included; a bound that is None is none.

    So 2025-07 is not after the year 2025, and the year 2025 reaches to a bound in any of its months.
    """
    return _reaches(since, wave) and _reaches(wave, until)


def meet(since: str | None, until: str | None, other_since: str | None, other_until: str | None) -> bool:
    """Whether two stretches of time share a day."""
    return _reaches(since, other_until) and _reaches(other_since, until)


def _reaches(earlier: str | None, later: str | None) -> bool:
    """Whether `earlier` begins before `later` is over."""
    return earlier is None or later is None or period(earlier)[0] <= period(later)[1]

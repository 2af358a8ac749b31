"""The table of how far ours and the reference figures differ.

What belongs here: gathering all entries, and the page made of them. What does not: computing them.
"""

from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from math import ceil, inf, log10
from types import ModuleType

from agreement.entry import TEN_DIGITS, Entry

SOURCES = ("base", "weights", "survey")
HEAD = """# Agreement with R

Each statistic beside the same one computed by R 4.2.2 (base R, effectsize, coin, survey 4.1-1) on the same rows: how many
values were compared, and the largest relative difference, rounded up to a power of ten (1e-13 at least: the figures have
15 digits). 1e-10 is ten significant digits. This page is made by `make agreement`; a test holds that it is up to date.

"""
COLUMNS = ("statistic", "our function", "reference", "values", "largest relative difference", "allowed")
EXACT = 1e-13
"""The reference figures have 15 digits, so smaller differences say nothing, and would not be the same on every machine."""


def all_entries() -> list[Entry]:
    """The entries of every source there is."""
    return [entry for source in _sources() for entry in source.entries()]


def not_compared() -> dict[str, str]:
    """Reference figures that ours are not compared with, by their place, and why."""
    return {place: why for source in _sources() for place, why in getattr(source, "NOT_COMPARED", {}).items()}


def _sources() -> list[ModuleType]:
    return [import_module(f"agreement.{name}") for name in SOURCES if find_spec(f"agreement.{name}")]


def page(entries: Sequence[Entry], left_out: Mapping[str, str]) -> str:
    """The page, the same bytes for the same figures."""
    lines = [COLUMNS, ("---",) * len(COLUMNS), *_rows(entries)]
    table = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    reasons = "".join(f"- `{place}`: {why}\n" for place, why in left_out.items())
    return f"{HEAD}{table}\n{len(entries)} values are compared.\n{NOTE}{reasons}"


NOTE = """
Where more is allowed than ten digits, the reference is itself no more accurate: effectsize finds the limits of Hedges' g by a
numerical search that stops early, while ours solve the same equation to the last digits; R's "logit" interval is that of a
fitted model, whose fit stops early too.

## Not compared

"""


def _rows(entries: Sequence[Entry]) -> Iterator[tuple[str, ...]]:
    together: dict[tuple[str, str, str], list[Entry]] = {}
    for entry in entries:
        place = " ".join(entry.reference.split()[:2])
        together.setdefault((entry.statistic, f"`{entry.code}`", f"`{place}`"), []).append(entry)
    for key, found in together.items():
        worst = max(entry.relative_difference for entry in found)
        yield (*key, str(len(found)), rounded_up(worst), rounded_up(max(entry.accuracy for entry in found)))


def rounded_up(difference: float) -> str:
    """A power of ten that the difference does not exceed."""
    if difference == inf:
        return "not defined in one of them"
    return f"1e{ceil(log10(max(difference, EXACT)) - TEN_DIGITS)}"

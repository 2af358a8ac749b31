"""Stretches: the best of all ways to join neighbours of a row.

What belongs here: the search, for any row and any worth. What does not: what a stretch is worth.
"""

from collections.abc import Callable
from dataclasses import dataclass

Stretch = tuple[int, int]
"""Its first place, and the one after its last."""
Worth = Callable[[int, int], tuple[int, ...] | None]
"""Of a stretch, by its first place and the one after its last: what counts first, what counts next, ...; None where it must
not be."""


@dataclass(frozen=True)
class _Way:
    """A way to join the first few places, with the sums of what its stretches are worth and where they start."""

    worth: tuple[int, ...] = ()
    starts: tuple[int, ...] = ()

    @property
    def rank(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        return self.worth, self.starts


def best_stretches(n: int, worth: Worth) -> tuple[Stretch, ...] | None:
    """The way to cut `n` places into stretches whose worths have the greatest sum: the first part of it, then the next, ...

    Of several, the one whose first stretch is the longest, then the second, ... None if there is no way. All parts of a worth
    are sums, so what is best up to a place is made of what is best up to an earlier one and a last stretch: a dynamic
    programme of n squared steps.
    """
    best: list[_Way | None] = [_Way()]
    for end in range(1, n + 1):
        found = (_longer(best[start], start, worth(start, end)) for start in range(end))
        best.append(max((way for way in found if way is not None), key=lambda way: way.rank, default=None))
    last = best[-1]
    return None if last is None else tuple(zip(last.starts, (*last.starts[1:], n), strict=True))


def _longer(way: _Way | None, start: int, worth: tuple[int, ...] | None) -> _Way | None:
    """A way that goes on with a stretch; None where there is no way or no such stretch."""
    if way is None or worth is None:
        return None
    return _Way(tuple(map(sum, zip(way.worth or (0,) * len(worth), worth, strict=True))), (*way.starts, start))

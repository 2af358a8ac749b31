"""Crossings: the levels of two items together.

What belongs here: one cut of the second item for all levels of the first. What does not: the levels of the items themselves
(`answers`).
"""

from collections.abc import Iterator, Mapping, Sequence

from survey_pipeline.coarsen.answers import Sets, cuts, held_together
from survey_pipeline.coarsen.needs import Needs
from survey_pipeline.coarsen.stretches import best_stretches
from survey_pipeline.instrument import Code
from survey_pipeline.joining import as_one
from survey_pipeline.levels import Crossing, Level, crossed, is_special, split


def choose_crossing(
    crossing: Crossing,
    needs: Needs,
    levels: Mapping[str, Sequence[Level]],
    earlier: Sequence[Level],
    together: Sets = (),
) -> tuple[Level, ...]:
    """The levels of the first item within that cut of the second under which the most people are in cells that can be shown;
    of several such cuts, the finest.

    There is one cut for all levels of the first item, and it joins only whole levels of the second: so the cells of a row add
    up to a level of the first item, and those of a column to one or more levels of the second, to the last person. `levels`:
    those of the items.
    """
    first = levels[crossing.first.name]
    held = (*(frozenset(level.members) for level in earlier), *together)
    columns = [columns_of(crossing, codes) for codes in held]
    ways = _ways(crossing, levels[crossing.second.name], columns)
    if crossing.second.is_ordered:
        ways = (_best_stretches(crossing, first, cut, needs) for cut in ways)
    return crossed(first, max(ways, key=lambda cut: (_people_shown(first, cut, needs), len(cut))))


def columns_of(crossing: Crossing, codes: frozenset[Code]) -> frozenset[Code]:
    """The atoms of the second item that some atoms of the crossing lie in."""
    return split(crossing, Level(code="cells", label="", members=tuple(sorted(codes))))[1]


def _ways(crossing: Crossing, second: Sequence[Level], together: Sets) -> Iterator[tuple[Level, ...]]:
    """The second item's levels, with people outside every answer together; and all that declared groups make of them."""
    item = crossing.second.item
    held = held_together(item, second, together)
    for cut in [held] if crossing.second.is_ordered else cuts(item, held):
        apart = [level for level in cut if is_special(level)]
        yield (*(level for level in cut if not is_special(level)), *((as_one(item, apart),) if apart else ()))


def _people_shown(first: Sequence[Level], cut: Sequence[Level], needs: Needs) -> int:
    """How many people are in cells that are large enough."""
    return sum(needs.people(cell) for cell in crossed(first, cut) if needs.met(cell))


def _best_stretches(
    crossing: Crossing, first: Sequence[Level], cut: Sequence[Level], needs: Needs
) -> tuple[Level, ...]:
    """Of all ways to join neighbouring bands, but not all of them, that under which the most people are in cells that can be
    shown; of several, the finest, and then the most even (the least sum of squares of the bands' people).
    """
    bands = [level for level in cut if not is_special(level)]
    item = crossing.second.item

    def worth(start: int, end: int) -> tuple[int, ...] | None:
        if end - start == len(bands) > 1:
            return None
        column = (as_one(item, bands[start:end]),)
        n = sum(needs.people(cell) for cell in crossed(first, column))
        return _people_shown(first, column, needs), 1, -n * n

    stretches = best_stretches(len(bands), worth) or ()
    joined = (as_one(item, bands[start:end]) for start, end in stretches)
    return (*joined, *(level for level in cut if is_special(level)))

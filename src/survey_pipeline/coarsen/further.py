"""Further: the least that can be merged beyond levels that are there, for the proof when hiding alone does not do.

What belongs here: choosing two levels (or a declared group) to put together next. What does not: putting them together
(`coarsen`, by its argument `together`).
"""

from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from survey_pipeline import names
from survey_pipeline.coarsen.answers import declared_groups, stands_apart
from survey_pipeline.instrument import Code, Instrument, Item
from survey_pipeline.levels import ByItem, Crossing, Level, exposure_of, is_ordered, is_special, split

Places = tuple[int, ...]


def next_coarser(
    levels: Mapping[str, Sequence[Level]], exposure: str, instrument: Instrument, tally: pl.DataFrame
) -> frozenset[Code] | None:
    """The least further merge of an exposure's levels: the codes of atoms to put into one level, for `coarsen`'s `together`.

    It is the smallest level that has a partner, with the one that brings the fewest people: a neighbour of a band, another
    answer, a declared group. None where nothing is left to merge, and for exposures that have no levels of their own. In a
    crossing two columns are merged: the codes are those of its first row, and the other rows follow.
    """
    found, mine = exposure_of(instrument, exposure), levels.get(exposure, ())
    people = [_people(tally, exposure, level) for level in mine]
    if isinstance(found, ByItem):
        return _codes(mine, _least_way(found.item, mine, people))
    if not isinstance(found, Crossing) or not mine:
        return None
    # The levels of a crossing are its rows, one after the other, each of the same columns.
    row = [level for level in mine if split(found, level)[0] == split(found, mine[0])[0]]
    columns = [
        Level(code=f"column_{at}", label="", members=tuple(split(found, cell)[1])) for at, cell in enumerate(row)
    ]
    sizes = [sum(people[at :: len(row)]) for at in range(len(row))]
    return _codes(row, _least_way(found.second.item, columns, sizes))


def _people(tally: pl.DataFrame, exposure: str, level: Level) -> int:
    """How many people are in a level."""
    there = (pl.col(names.EXPOSURE) == exposure) & (pl.col(names.OUTCOME) == names.RESPONDENTS)
    mine = tally.filter(there & pl.col(names.LEVEL).is_in(level.members))
    return int(mine[names.N_RESPONDENTS].sum())


def _codes(levels: Sequence[Level], places: Places | None) -> frozenset[Code] | None:
    return None if places is None else frozenset(code for at in places for code in levels[at].members)


def _least_way(item: Item, levels: Sequence[Level], people: Sequence[int]) -> Places | None:
    """The places of the levels to merge: those of the smallest level that has a partner, by the way that takes the fewest
    people.
    """
    for at in sorted(range(len(levels)), key=lambda place: people[place]):
        ways = [*(_neighbours(levels, at) if is_ordered(item) else _partners(item, levels, at))]
        if ways:
            return min(ways, key=lambda way: (sum(people[place] for place in way), len(way)))
    return None


def _neighbours(levels: Sequence[Level], at: int) -> Iterator[Places]:
    """A band with the one before or after it; people outside every band with others of these."""
    alike = [place for place, level in enumerate(levels) if is_special(level) == is_special(levels[at])]
    where = alike.index(at)
    near = alike if is_special(levels[at]) else [*alike[max(where - 1, 0) : where], *alike[where + 1 : where + 2]]
    yield from ((at, place) for place in near if place != at)


def _partners(item: Item, levels: Sequence[Level], at: int) -> Iterator[Places]:
    """An answer with another one, unless one of them stands apart; or with its companions in a declared group."""
    for group in declared_groups(item):
        touched = [place for place, level in enumerate(levels) if not set(group.members).isdisjoint(level.members)]
        if at in touched and len(touched) > 1:
            yield tuple(touched)
    free = [place for place, level in enumerate(levels) if not stands_apart(item, level)]
    yield from ((at, place) for place in free if at in free and place != at)

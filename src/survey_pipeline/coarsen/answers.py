"""Answers: the levels of one item.

What belongs here: the search for the best levels along the declared groups and among neighbouring bands, and keeping together
what belongs together. What does not: what a level needs (`needs`), crossings of two items (`crossings`).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, product
from math import prod

from survey_pipeline.coarsen.needs import Needs
from survey_pipeline.coarsen.stretches import best_stretches
from survey_pipeline.instrument import Code, Item
from survey_pipeline.joining import as_one, place
from survey_pipeline.levels import SPECIAL, Level, atoms, is_ordered, is_special, partitions

Sets = Sequence[frozenset[Code]]

MOST_CUTS = 5000
"""So many ways to cut an item along its groups are tried: enough for any groups of twenty options. Where there are more, two
remain: no groups at all, and each level that is too small goes up to its groups, which can merge more than it must."""


def choose_levels(
    item: Item, needs: Needs, earlier: Sequence[Level] | None = None, together: Sets = ()
) -> tuple[Level, ...]:
    """The finest levels that meet their needs: stretches of bands, or declared groups and a pool.

    `earlier` levels and the codes of each set in `together` stay together. An answer that excludes all others ("none": the
    comparison) is merged with others only where a declared group says so; if it is still too small, it stays a level of its
    own and is hidden.
    """
    steps = (held_together(item, _without_nobody(levels, needs), together) for levels in _steps(item, earlier))
    if is_ordered(item):
        return max((_joined_neighbours(item, levels, needs) for levels in steps), key=len)
    return _best_cut(item, next(steps), needs)


def _without_nobody(levels: Sequence[Level], needs: Needs) -> tuple[Level, ...]:
    """That nobody left the question out is no secret, and no level."""
    return tuple(level for level in levels if not is_special(level) or needs.people(level))


# --- What stays together ---------------------------------------------------------------------------------------------------


def _steps(item: Item, earlier: Sequence[Level] | None) -> tuple[tuple[Level, ...], ...]:
    """The declared partitions; or the earlier levels alone, with what the instrument has learnt to ask since and without
    what it asks no more.

    Bands that were cut anew since cannot be carried on: their stretches mean other doses.
    """
    finest = {atom.code: atom for atom in atoms(item)}
    known = {member for level in earlier or () for member in level.members}
    if earlier is None or (is_ordered(item) and not set(finest) - SPECIAL <= known <= set(finest)):
        return partitions(item)
    kept = (_still_there(item, level, finest) for level in earlier)
    return ((*chain.from_iterable(kept), *(atom for code, atom in finest.items() if code not in known)),)


def _still_there(item: Item, level: Level, finest: dict[Code, Level]) -> Iterator[Level]:
    """An earlier level as it was published, or what is left of it."""
    left = [finest[code] for code in level.members if code in finest]
    if len(left) == len(level.members):
        yield level
    elif left:
        yield as_one(item, left)


def held_together(item: Item, levels: Sequence[Level], together: Sets) -> tuple[Level, ...]:
    """Levels of which those that share codes with one set are one level; of bands, with those between them."""
    found = tuple(levels)
    for codes in together:
        touched = {at for at, level in enumerate(found) if not codes.isdisjoint(level.members)}
        if is_ordered(item):
            bands = [at for at in touched if not is_special(found[at])]
            outside = touched.difference(bands)
            found = _with_one(item, found, outside)
            touched = set(range(min(bands), max(bands) + 1)) if bands else set()
        found = _with_one(item, found, touched)
    return found


def _with_one(item: Item, levels: tuple[Level, ...], joined: Iterable[int]) -> tuple[Level, ...]:
    """Levels of which those at some places are one, at the first of these places."""
    places = sorted(joined)
    if len(places) < 2:
        return levels
    one = as_one(item, [levels[at] for at in places])
    found = (one if at == places[0] else level for at, level in enumerate(levels) if at not in places[1:])
    return tuple(found)


# --- Neighbours ------------------------------------------------------------------------------------------------------------


def _joined_neighbours(item: Item, levels: Sequence[Level], needs: Needs) -> tuple[Level, ...]:
    """The most stretches of neighbouring bands that all meet their needs; of several ways, that with the most stretches whose
    means can be shown, then the most even (the least sum of squares of their people). All bands in one if there is no way.

    People outside every band (not stated, not concerned) are no neighbours of a band: they are pooled by themselves, and
    what is still too small there is left to be hidden.
    """
    bands = [level for level in levels if not is_special(level)]
    apart = [level for level in levels if is_special(level)]

    def worth(start: int, end: int) -> tuple[int, ...] | None:
        stretch = bands[start:end]
        return (1, needs.is_easy(*stretch), -(needs.people(*stretch) ** 2)) if needs.met(*stretch) else None

    stretches = best_stretches(len(bands), worth) or ((0, len(bands)),)
    joined = (as_one(item, bands[start:end]) for start, end in stretches)
    return (*joined, *_published(item, _with_pool(item, apart, needs), needs))


# --- Groups and a pool -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Tree:
    """A level, and the levels of which the instrument declares it to be made."""

    level: Level
    below: tuple["_Tree", ...] = ()

    @property
    def n_cuts(self) -> int:
        return 1 + prod(tree.n_cuts for tree in self.below) if self.below else 1

    def cuts(self) -> Iterator[tuple[Level, ...]]:
        """Every way to cut it along the groups, finest first."""
        if self.below:
            yield from _cuts(self.below)
        yield (self.level,)

    def climbed(self, needs: Needs) -> tuple[Level, ...]:
        """Its parts; itself, as soon as one of them is too small."""
        parts = tuple(chain.from_iterable(tree.climbed(needs) for tree in self.below))
        return parts if parts and all(map(needs.met, parts)) else (self.level,)


def _trees(item: Item, levels: Sequence[Level]) -> tuple[_Tree, ...]:
    """The levels below the declared groups that hold whole levels, one within the other."""
    trees = [_Tree(level) for level in levels]
    for group in declared_groups(item):
        touched = [tree for tree in trees if not set(group.members).isdisjoint(tree.level.members)]
        if len(touched) > 1 and all(set(group.members).issuperset(tree.level.members) for tree in touched):
            trees = [*(tree for tree in trees if tree not in touched), _Tree(group, tuple(touched))]
    return tuple(trees)


def declared_groups(item: Item) -> tuple[Level, ...]:
    """The groups of an item without bands, each as a level, from fine to coarse."""
    return tuple(level for step in partitions(item)[1:] for level in step if level.merged)


def cuts(item: Item, levels: Sequence[Level]) -> Iterator[tuple[Level, ...]]:
    """Every way to put whole levels together along the declared groups, finest first; of more than `MOST_CUTS`, the first."""
    trees = _trees(item, levels)
    few = prod(tree.n_cuts for tree in trees) <= MOST_CUTS
    yield from _cuts(trees) if few else [tuple(levels)]


def _climbed(item: Item, levels: Sequence[Level], needs: Needs) -> tuple[Level, ...]:
    """The way in which each level that is too small goes up to its groups, until it is large enough or there are no more."""
    return tuple(chain.from_iterable(tree.climbed(needs) for tree in _trees(item, levels)))


def _cuts(trees: Sequence[_Tree]) -> Iterator[tuple[Level, ...]]:
    for parts in product(*(tuple(tree.cuts()) for tree in trees)):
        yield tuple(chain.from_iterable(parts))


@dataclass(frozen=True)
class _Cut:
    """Levels with a name of their own, and levels that are pooled."""

    named: tuple[Level, ...]
    pool: tuple[Level, ...] = ()

    @property
    def levels(self) -> tuple[tuple[Level, ...], ...]:
        """The levels that are published, each by its parts."""
        return (*((level,) for level in self.named), *filter(None, (self.pool,)))

    def rank(self, needs: Needs) -> tuple[int, ...]:
        """What is best: the fewest levels that must be hidden, then the most that can be shown, then the most whose means can
        be shown, then the most people in levels with a name of their own, then the most even (least sum of squares).
        """
        met = [level for level in self.levels if needs.met(*level)]
        hidden = sum(needs.people(*level) > 0 and not needs.met(*level) for level in self.levels)
        named = sum(needs.people(level) for level in self.named if needs.met(level))
        uneven = sum(needs.people(*level) ** 2 for level in self.levels)
        return -hidden, len(met), sum(needs.is_easy(*level) for level in met), named, -uneven


def _best_cut(item: Item, levels: Sequence[Level], needs: Needs) -> tuple[Level, ...]:
    """The best levels along the declared groups: of each group, the members stand alone or together, and what is then too
    small is pooled with as few people as can be.
    """
    ways = chain(cuts(item, levels), [_climbed(item, levels, needs)])
    best = max((_with_pool(item, cut, needs) for cut in ways), key=lambda cut: cut.rank(needs))
    return _published(item, best, needs)


def _with_pool(item: Item, levels: Sequence[Level], needs: Needs) -> _Cut:
    """A cut whose levels that are too small are pooled, with one of the others where that is not enough.

    One is always enough, since it brings all that is needed. It is the one with the fewest people, unless another lets one
    more mean be shown.
    """
    apart = [level for level in levels if stands_apart(item, level)]
    small = [level for level in levels if level not in apart and not needs.met(level)]
    fine = [level for level in levels if level not in apart and needs.met(level)]
    if small and fine and not needs.met(*small):
        chosen = max(fine, key=lambda one: (needs.is_easy(*small, one) - needs.is_easy(one), -needs.people(one)))
        fine.remove(chosen)
        small.append(chosen)
    return _Cut((*fine, *apart), tuple(small))


def stands_apart(item: Item, level: Level) -> bool:
    """Whether a level is an answer that excludes all others, which only a declared group may put together with others."""
    return level.members in {(option.code,) for option in item.options if option.exclusive}


def _published(item: Item, cut: _Cut, needs: Needs) -> tuple[Level, ...]:
    """The levels of a cut: in the instrument's order, merged ones after the others, answers that stand apart last. An answer
    of the latter that nobody gave is no level.
    """
    levels = [as_one(item, parts) for parts in cut.levels]
    there = (level for level in levels if needs.people(level) or not stands_apart(item, level))
    return tuple(sorted(there, key=lambda level: (stands_apart(item, level), level.merged, place(item, level))))

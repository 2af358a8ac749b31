"""Coarsen: the finest levels of each exposure at which the main findings may be shown.

What belongs here: merging small levels with their declared groups or neighbours before anything is hidden, because a merged
table tells more and leaks less than one with holes. What does not: hiding single cells (`disclose`). One exposure has one
set of levels in all tables of a release, so that tables cannot be played off against each other. A crossing is cut along
the levels of its items, so that its rows and columns add up to theirs.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from survey_pipeline import names
from survey_pipeline.instrument import Instrument, Item, Threshold
from survey_pipeline.levels import (
    SPECIAL,
    ByItem,
    Crossing,
    DoseReading,
    Exposure,
    Level,
    atoms,
    crossed,
    exposure_of,
    is_ordered,
    is_special,
    partitions,
    split,
)
from survey_pipeline.names import NOT_STATED
from survey_pipeline.outcomes import BEING_THERE, Outcome, exposures, reached
from survey_pipeline.release import Policy

Amounts = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Levels = Mapping[str, Sequence[Level]]


@dataclass(frozen=True)
class Needs:
    """What each atom brings to a level (atoms x components) and how much of each component a level must have."""

    brings: Mapping[str, Amounts]
    least: Amounts

    def people(self, level: Level) -> int:
        """How many people are in a level."""
        return int(self._sum(level)[0])

    def met(self, level: Level) -> bool:
        return bool((self._sum(level) >= self.least).all())

    def _sum(self, level: Level) -> Amounts:
        parts = [self.brings[member] for member in level.members if member in self.brings]
        return np.asarray(np.sum(parts, axis=0, dtype=np.int64))


def coarsen(
    tally: pl.DataFrame, instrument: Instrument, policy: Policy, earlier: Levels | None = None
) -> dict[str, tuple[Level, ...]]:
    """For each exposure, levels that hold everybody once and are large enough to be shown.

    `earlier` holds the levels of the wave before: what was merged there stays merged, so that waves can be compared.
    Exposures without levels (everybody, and doses that are intervals) have none. The levels of a crossing are those of its
    first item within one cut of its second; those of a dose read again are the dose's.
    """
    by_name = {name: exposure_of(instrument, name) for name in exposures(instrument)}
    before = earlier or {}
    found: dict[str, tuple[Level, ...]] = dict.fromkeys(by_name, ())
    for name, exposure in by_name.items():
        if isinstance(exposure, ByItem):
            found[name] = choose_levels(exposure.item, _needs(tally, exposure, instrument, policy), before.get(name))
    for name, exposure in by_name.items():
        if isinstance(exposure, Crossing):
            needs = _needs(tally, exposure, instrument, policy)
            found[name] = _choose_crossing(exposure, needs, found, before.get(name, ()))
        elif isinstance(exposure, DoseReading) and not exposure.is_interval:
            found[name] = found[exposure.dose.name]
    return found


def _needs(tally: pl.DataFrame, exposure: Exposure, instrument: Instrument, policy: Policy) -> Needs:
    mine = tally.filter(pl.col(names.EXPOSURE) == exposure.name)
    primary = [o for o in exposures(instrument)[exposure.name] if o.primary or o is BEING_THERE]
    codes = [atom.code for atom in exposure.atoms]
    main = headline(primary)
    brings = np.hstack([_amounts(outcome, mine, codes, outcome is main) for outcome in primary])
    least = np.array([n for o in primary for n in _least(o, policy, o is main)])
    reachable = brings.sum(axis=0) >= least
    reachable[0] = True
    return Needs(dict(zip(codes, brings[:, reachable], strict=True)), least[reachable])


def headline(outcomes: Sequence[Outcome]) -> Outcome | None:
    """The outcome whose responders must be shown for every level: the first with a primary threshold. To ask as much of
    every outcome would merge nearly everything; where another's responders are too few, that cell is hidden instead.
    """
    return next((o for o in outcomes if any(threshold.primary for threshold in o.thresholds)), None)


def _amounts(outcome: Outcome, tally: pl.DataFrame, codes: Sequence[str], is_headline: bool) -> Amounts:
    """For each atom (a row) the people with an answer, and for the headline's primary thresholds the responders and the
    others.
    """
    cells = tally.filter(pl.col(names.OUTCOME) == outcome.name)
    n, place = cells[names.N_RESPONDENTS].to_numpy(), _places(cells[names.LEVEL], codes)
    sums = [np.bincount(place[chosen], n[chosen], len(codes)) for chosen in _counted(outcome, cells, is_headline)]
    return np.column_stack(sums).astype(np.int64)


def _places(levels: pl.Series, codes: Sequence[str]) -> npt.NDArray[np.int64]:
    known = {code: place for place, code in enumerate(codes)}
    return levels.replace_strict(known, return_dtype=pl.Int64).to_numpy()


def _counted(outcome: Outcome, cells: pl.DataFrame, is_headline: bool) -> Iterator[Flags]:
    """Which cells of the tally each component counts."""
    before, after = (
        cells[name].fill_null(float("nan")).to_numpy() for name in (names.BASELINE_VALUE, names.FOLLOW_UP_VALUE)
    )
    yield ~np.isnan(after - before if outcome.baseline else after)
    for threshold in _must_show(outcome, is_headline):
        responds, could = reached(threshold, outcome, before, after)
        yield responds & could
        yield could & ~responds


def _least(outcome: Outcome, policy: Policy, is_headline: bool) -> list[int]:
    if outcome is BEING_THERE:
        return [policy.min_n_for_statistics]
    both_sides = [policy.min_n] * (2 * len(_must_show(outcome, is_headline)))
    return [policy.min_n if outcome.is_share else policy.min_n_for_statistics, *both_sides]


def _must_show(outcome: Outcome, is_headline: bool) -> list[Threshold]:
    return [threshold for threshold in outcome.thresholds if threshold.primary and is_headline]


def choose_levels(item: Item, needs: Needs, earlier: Sequence[Level] | None = None) -> tuple[Level, ...]:
    """The finest levels that meet their needs: declared bands and neighbours, or declared groups and then a pool.

    An answer that excludes all others ("none": the comparison) is merged with others only where a declared group says so;
    if it is still too small, it stays a level of its own and is hidden.
    """
    steps = [_without_nobody(levels, needs) for levels in _steps(item, earlier)]
    if is_ordered(item):
        return max((_merge_neighbours(levels, needs) for levels in steps), key=len)
    levels = steps[0]
    for wider in steps[1:]:
        levels = _up_one_step(levels, wider, needs)
    unlike_others = {option.code for option in item.options if option.exclusive}
    apart = [level for level in levels if level.code in unlike_others]
    pooled = _pool([level for level in levels if level not in apart], needs)
    return (*pooled, *(level for level in apart if needs.people(level)))


def _without_nobody(levels: Sequence[Level], needs: Needs) -> tuple[Level, ...]:
    """That nobody left the question out is no secret, and no level."""
    return tuple(level for level in levels if not is_special(level) or needs.people(level))


def _steps(item: Item, earlier: Sequence[Level] | None) -> tuple[tuple[Level, ...], ...]:
    """The declared partitions; or the earlier levels alone, with what the instrument has learnt to ask since.

    Bands that were cut anew since cannot be carried on: their stretches mean other doses.
    """
    finest = {atom.code: atom for atom in atoms(item)}
    known = {member for level in earlier or () for member in level.members}
    new = set(finest) - known
    if earlier is None or not known <= set(finest) or (is_ordered(item) and not new <= SPECIAL):
        return partitions(item)
    return ((*earlier, *(atom for code, atom in finest.items() if code in new)),)


def _up_one_step(levels: Sequence[Level], wider: Sequence[Level], needs: Needs) -> tuple[Level, ...]:
    """Replace a level that is too small by its group in the wider partition, and only that one."""
    small = {member for level in levels if not needs.met(level) for member in level.members}
    taken = [group for group in wider if group.merged and small & set(group.members)]
    gone = {member for group in taken for member in group.members}
    return (*(level for level in levels if not set(level.members) <= gone), *taken)


def _pool(levels: Sequence[Level], needs: Needs) -> tuple[Level, ...]:
    """Put all levels that are still too small together, with the smallest of the others while that is not enough."""
    small = [level for level in levels if not needs.met(level)]
    fine = sorted((level for level in levels if needs.met(level)), key=lambda level: (-needs.people(level), level.code))
    while small and fine and not needs.met(merge(small)):
        small.append(fine.pop())
    kept = [level for level in levels if level in fine]
    return (*kept, merge(small)) if small else tuple(kept)


def _merge_neighbours(levels: Sequence[Level], needs: Needs) -> tuple[Level, ...]:
    """Merge a band that is too small with the smaller of its neighbours, until all are large enough or one is left.

    People outside every band (not stated, not concerned) are no neighbours of a band: they are pooled by themselves, and
    what is still too small there is left to be hidden.
    """
    bands = [level for level in levels if not is_special(level)]
    apart = [level for level in levels if is_special(level)]
    while len(bands) > 1 and (small := [place for place, band in enumerate(bands) if not needs.met(band)]):
        place = min(small, key=lambda i: (needs.people(bands[i]), i))
        left = min(
            (i for i in (place - 1, place) if 0 <= i < len(bands) - 1),
            key=lambda i: needs.people(bands[i]) + needs.people(bands[i + 1]),
        )
        bands[left : left + 2] = [merge(bands[left : left + 2], {band.code for band in bands})]
    return (*bands, *(_pool(apart, needs) if apart else ()))


# --- Crossings -----------------------------------------------------------------------------------------------------------


def _choose_crossing(crossing: Crossing, needs: Needs, levels: Levels, earlier: Sequence[Level]) -> tuple[Level, ...]:
    """The levels of the first item within that cut of the second under which the most people are in cells that can be shown;
    of several such cuts, the finest.

    There is one cut for all levels of the first item, and it joins only whole levels of the second: so the cells of a row add
    up to a level of the first item, and those of a column to one or more levels of the second, to the last person.
    """
    first = levels[crossing.first.name]
    cuts = list(_cuts(crossing, levels[crossing.second.name], earlier))
    if crossing.second.is_ordered:
        cuts = [_best_stretches(first, cut, needs) for cut in cuts]
    return crossed(first, max(cuts, key=lambda cut: (_people_shown(first, cut, needs), len(cut))))


def _cuts(crossing: Crossing, second: Sequence[Level], earlier: Sequence[Level]) -> Iterator[tuple[Level, ...]]:
    """The second item's levels, with people outside every answer together; and what is declared that joins whole levels."""
    together = [split(crossing, level)[1] for level in earlier]
    apart = [level for level in second if is_special(level)]
    answers = _kept_together([level for level in second if not is_special(level)], together)
    pool = (merge(apart),) if apart else ()
    yield (*answers, *pool)
    for declared in () if crossing.second.is_ordered else crossing.second.partitions[1:]:
        if not all(any(set(level.members) <= set(wider.members) for wider in declared) for level in answers):
            continue
        yield (*(wider for wider in declared if not is_special(wider)), *pool)


def _kept_together(levels: Sequence[Level], together: Sequence[Collection[str]]) -> tuple[Level, ...]:
    """Levels of which some belong together, since they did so in the wave before."""
    parts: list[list[Level]] = []
    for level in levels:
        joined = next((part for part in parts if any(_share(part, level, group) for group in together)), None)
        parts.append([level]) if joined is None else joined.append(level)
    lower_case = SPECIAL | {level.code for level in levels}
    return tuple(merge(part, lower_case) for part in parts)


def _share(part: Sequence[Level], level: Level, group: Collection[str]) -> bool:
    return not set(group).isdisjoint(level.members) and any(not set(group).isdisjoint(one.members) for one in part)


def _people_shown(first: Sequence[Level], cut: Sequence[Level], needs: Needs) -> int:
    """How many people are in cells that are large enough."""
    return sum(needs.people(cell) for cell in crossed(first, cut) if needs.met(cell))


@dataclass(frozen=True)
class _Way:
    """A way to join the first few bands, and what is to be said for it."""

    shown: int = 0
    unevenness: int = 0
    levels: tuple[Level, ...] = ()

    @property
    def rank(self) -> tuple[int, int, int]:
        return self.shown, len(self.levels), -self.unevenness


def _best_stretches(first: Sequence[Level], cut: Sequence[Level], needs: Needs) -> tuple[Level, ...]:
    """Of all ways to join neighbouring bands, but not all of them, that under which the most people are in cells that can be
    shown; of several, the finest, and then the most even (the least sum of squares of the bands' people).

    All three are sums over the bands, so what is best up to a band is made of what is best up to an earlier one and a last
    stretch of bands.
    """
    bands = [level for level in cut if not is_special(level)]
    best = [_Way()]
    for end in range(1, len(bands) + 1):
        starts = (start for start in range(end) if end - start < max(len(bands), 2))
        best.append(
            max((_with(best[start], bands, start, end, first, needs) for start in starts), key=lambda w: w.rank)
        )
    return (*best[-1].levels, *(level for level in cut if is_special(level)))


def _with(way: _Way, bands: Sequence[Level], start: int, end: int, first: Sequence[Level], needs: Needs) -> _Way:
    """A way that goes on with some bands as one."""
    last = merge(bands[start:end], {band.code for band in bands})
    n = sum(needs.people(cell) for cell in crossed(first, (last,)))
    return _Way(way.shown + _people_shown(first, (last,), needs), way.unevenness + n * n, (*way.levels, last))


# --- Labels --------------------------------------------------------------------------------------------------------------


def merge(levels: Sequence[Level], lower_case: Collection[str] = SPECIAL) -> Level:
    """Several levels as one, labelled by all of them; labels of the codes in `lower_case` do not start as a sentence does."""
    if len(levels) == 1:
        return levels[0]
    ordered = sorted(levels, key=lambda level: (is_special(level), level.code == NOT_STATED))
    first, *others = ordered
    return Level(
        code="_or_".join(level.code for level in ordered),
        label=_joined([first.label, *(_inside(level, lower_case) for level in others)]),
        members=tuple(member for level in ordered for member in level.members),
        merged=True,
    )


def _inside(level: Level, lower_case: Collection[str]) -> str:
    """A label as it stands inside a sentence: "Over 600 mg" becomes "over 600 mg", "EDM" stays."""
    starts_a_sentence = level.code in lower_case and level.label[1:2].islower()
    return level.label[0].lower() + level.label[1:] if starts_a_sentence else level.label


def _joined(labels: Sequence[str]) -> str:
    return labels[0] if len(labels) == 1 else f"{', '.join(labels[:-1])} or {labels[-1]}"

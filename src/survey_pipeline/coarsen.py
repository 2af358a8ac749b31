"""Coarsen: the finest levels of each exposure at which the main findings may be shown.

What belongs here: merging small levels with their declared groups or neighbours before anything is hidden, because a merged
table tells more and leaks less than one with holes. What does not: hiding single cells (`disclose`). One exposure has one
set of levels in all tables of a release, so that tables cannot be played off against each other.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from survey_pipeline import names
from survey_pipeline.estimate import cells_of, figures
from survey_pipeline.instrument import Instrument, Item
from survey_pipeline.levels import Level, atoms, is_ordered, partitions
from survey_pipeline.names import NOT_APPLICABLE, NOT_STATED
from survey_pipeline.outcomes import BEING_THERE, Outcome, exposures
from survey_pipeline.release import Policy

Amounts = npt.NDArray[np.int64]
SPECIAL = frozenset({NOT_STATED, NOT_APPLICABLE})


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
    tally: pl.DataFrame, instrument: Instrument, policy: Policy, earlier: Mapping[str, Sequence[Level]] | None = None
) -> dict[str, tuple[Level, ...]]:
    """For each exposure, levels that hold everybody once and are large enough to be shown.

    `earlier` holds the levels of the wave before: what was merged there stays merged, so that waves can be compared.
    """
    return {
        name: choose_levels(instrument.items[name], _needs(tally, name, instrument, policy), (earlier or {}).get(name))
        for name in exposures(instrument)
    }


def _needs(tally: pl.DataFrame, exposure: str, instrument: Instrument, policy: Policy) -> Needs:
    mine = tally.filter(pl.col(names.EXPOSURE) == exposure)
    primary = [o for o in exposures(instrument)[exposure] if o.primary or o is BEING_THERE]
    codes = [atom.code for atom in atoms(instrument.items[exposure])]
    main = headline(primary)
    brings = np.array([[n for o in primary for n in _amounts(o, mine, code, o is main)] for code in codes])
    least = np.array([n for o in primary for n in _least(o, policy, o is main)])
    reachable = brings.sum(axis=0) >= least
    reachable[0] = True
    return Needs(dict(zip(codes, brings[:, reachable], strict=True)), least[reachable])


def headline(outcomes: Sequence[Outcome]) -> Outcome | None:
    """The outcome whose responders must be shown for every level: the first with a primary threshold. To ask as much of
    every outcome would merge nearly everything; where another's responders are too few, that cell is hidden instead.
    """
    return next((o for o in outcomes if any(threshold.primary for threshold in o.thresholds)), None)


def _amounts(outcome: Outcome, tally: pl.DataFrame, code: str, is_headline: bool) -> list[int]:
    """People with an answer, and for the headline's primary thresholds the responders and the others."""
    people = cells_of(tally.filter((pl.col(names.OUTCOME) == outcome.name) & (pl.col(names.LEVEL) == code)))
    if outcome is BEING_THERE:
        return [people.n_people]
    found = {figure.statistic: figure for figure in figures(outcome, people)}
    main = found["share"] if outcome.is_share else found["mean_change" if outcome.baseline else "mean"]
    shares = [found[name] for name in _must_show(outcome, is_headline)]
    return [main.n, *(n for figure in shares for n in (figure.n_events or 0, figure.n - (figure.n_events or 0)))]


def _least(outcome: Outcome, policy: Policy, is_headline: bool) -> list[int]:
    if outcome is BEING_THERE:
        return [policy.min_n_for_statistics]
    both_sides = [policy.min_n] * (2 * len(_must_show(outcome, is_headline)))
    return [policy.min_n if outcome.is_share else policy.min_n_for_statistics, *both_sides]


def _must_show(outcome: Outcome, is_headline: bool) -> list[str]:
    return [threshold.name for threshold in outcome.thresholds if threshold.primary and is_headline]


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
    return tuple(level for level in levels if not _is_special(level) or needs.people(level))


def _is_special(level: Level) -> bool:
    """Whether a level holds only people outside every answer: who left it out, or whom the question does not concern."""
    return SPECIAL.issuperset(level.members)


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
    bands = [level for level in levels if not _is_special(level)]
    apart = [level for level in levels if _is_special(level)]
    while len(bands) > 1 and (small := [place for place, band in enumerate(bands) if not needs.met(band)]):
        place = min(small, key=lambda i: (needs.people(bands[i]), i))
        left = min(
            (i for i in (place - 1, place) if 0 <= i < len(bands) - 1),
            key=lambda i: needs.people(bands[i]) + needs.people(bands[i + 1]),
        )
        bands[left : left + 2] = [merge(bands[left : left + 2], {band.code for band in bands})]
    return (*bands, *(_pool(apart, needs) if apart else ()))


def merge(levels: Sequence[Level], lower_case: Collection[str] = SPECIAL) -> Level:
    """Several levels as one, labelled by all of them; labels of the codes in `lower_case` do not start as a sentence does."""
    if len(levels) == 1:
        return levels[0]
    ordered = sorted(levels, key=lambda level: (_is_special(level), level.code == NOT_STATED))
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

"""Needs: how large a level must be, so that the main findings can be shown of it.

What belongs here: what each atom of an exposure brings to a level, and how much of it a level must have. What does not: which
levels are made (`answers`, `crossings`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from survey_pipeline import names
from survey_pipeline.instrument import Code, Instrument, Threshold
from survey_pipeline.levels import Exposure, Level
from survey_pipeline.outcomes import BEING_THERE, Outcome, exposures, reached
from survey_pipeline.release import Policy

Amounts = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Needs:
    """What each atom brings to a level (atoms x components) and how much of each component a level must have.

    The first component is people. `averaged`: the components that are people with an answer of which a mean is shown.
    `few`: so many who left a question out may be told, fewer may not; `roomy`: from so many people on, a mean beside their
    number tells nothing about fewer than that.
    """

    brings: Mapping[Code, Amounts]
    least: Amounts
    averaged: tuple[int, ...] = ()
    few: int = 1
    roomy: int = 0
    _known: dict[tuple[tuple[Code, ...], ...], "_Size"] = field(default_factory=dict, compare=False, repr=False)

    def people(self, *levels: Level) -> int:
        """How many people are in some levels."""
        return self._size(levels).people

    def met(self, *levels: Level) -> bool:
        """Whether some levels, taken as one, are large enough."""
        return self._size(levels).is_met

    def is_easy(self, *levels: Level) -> bool:
        """Whether some levels, taken as one, can show their means although it stays hidden how few left the question out."""
        return self._size(levels).is_easy

    def _size(self, levels: Sequence[Level]) -> "_Size":
        """Kept for the next time: a search asks for the same levels over and over."""
        key = tuple([level.members for level in levels])
        if key not in self._known:
            self._known[key] = self._sized([code for members in key for code in members])
        return self._known[key]

    def _sized(self, codes: Sequence[Code]) -> "_Size":
        parts = [self.brings[code] for code in codes if code in self.brings]
        sums: Amounts = np.asarray(np.sum([np.zeros_like(self.least), *parts], axis=0, dtype=np.int64))
        hides_few = any(0 < sums[0] - sums[one] < self.few for one in self.averaged)
        return _Size(int(sums[0]), bool((sums >= self.least).all()), bool(sums[0] >= self.roomy) or not hides_few)


@dataclass(frozen=True)
class _Size:
    """How many people a level has, and what can be shown of it."""

    people: int
    is_met: bool
    is_easy: bool


def needs_of(tally: pl.DataFrame, exposure: Exposure, instrument: Instrument, policy: Policy) -> Needs:
    """What the levels of an exposure need. What not even everybody together brings, no level needs.

    `tally`: the counts of `count.tally`. That a mean can be shown beside a hidden number of people who left the question out
    is no need, only better than that it cannot: it takes `min_n_for_statistics` answers and room for `min_n` without one.
    """
    mine = tally.filter(pl.col(names.EXPOSURE) == exposure.name)
    primary = [o for o in exposures(instrument)[exposure.name] if o.primary or o is BEING_THERE]
    codes = [atom.code for atom in exposure.atoms]
    main = headline(primary)
    brings = np.hstack([_amounts(outcome, mine, codes, outcome is main) for outcome in primary])
    least = np.array([n for o in primary for n in _least(o, policy, o is main)])
    is_mean = np.array([flag for o in primary for flag in _is_mean(o, o is main)])
    reachable = brings.sum(axis=0) >= least
    reachable[0] = True
    return Needs(
        dict(zip(codes, brings[:, reachable], strict=True)),
        least[reachable],
        tuple(np.flatnonzero(is_mean[reachable]).tolist()),
        policy.min_n,
        policy.min_n_for_statistics + policy.min_n,
    )


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


def _is_mean(outcome: Outcome, is_headline: bool) -> list[bool]:
    """Of each component, whether it counts the answers to a question that concerns everybody, of which a mean is shown."""
    averaged = outcome is not BEING_THERE and not outcome.is_share and not outcome.is_conditional
    return [averaged, *[False] * (2 * len(_must_show(outcome, is_headline)))]


def _must_show(outcome: Outcome, is_headline: bool) -> list[Threshold]:
    return [threshold for threshold in outcome.thresholds if threshold.primary and is_headline]

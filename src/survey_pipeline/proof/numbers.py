"""Numbers: what each published number says of the counts behind it.

What belongs here: rounded counts, shares, means with their printed digits and intervals, quantiles, numbers of rows at each
stage - and what it says that a row is shown at all. What does not: what holds whatever was published (`knowledge`).

Not among the equations, since they are functions of what is (tests of a method's words hold that): intervals of shares,
differences of shares, charts and sentences. Not written down, since they are no linear functions of counts: standard errors,
correlations, standardised changes, what would be expected anyway, p-values, and differences of means beyond the means
themselves. Weighted estimates say nothing here but how many people they are of.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from math import ceil, floor, inf
from operator import ge, gt
from types import MappingProxyType

from survey_pipeline import statistics
from survey_pipeline.policy import round_count, rounding_range
from survey_pipeline.proof.knowledge import Counts, aside_of, asked_of, events_in, events_of, structure, sum_of
from survey_pipeline.proof.system import Source, System
from survey_pipeline.proof.told import (
    ANSWERED,
    BEFORE,
    BOTH,
    COULD_IMPROVE,
    EVERYONE,
    MISSING,
    PEOPLE,
    Line,
    Place,
    Suffix,
    Terms,
    Told,
    question_of,
)

MEANS = ("mean", "mean_baseline", "mean_change")
QUANTILES = {"quartile_1": 0.25, "median": 0.5, "quartile_3": 0.75, "median_change": 0.5}
HALF_A_DIGIT = 0.5 + 1e-6
DECIMALS_OF_SHARES = 4
Range = tuple[float, float]
Where = tuple[str, str]
"""An exposure and a level of it, as published."""
NOTHING: Mapping[Suffix, float] = MappingProxyType({})


@dataclass(frozen=True)
class Numbers:
    """What the rows of one release say; each is the source of what it says, unless it can be taken back no more."""

    counts: Counts
    told: Told
    taken_for_good: bool = False

    def say(self) -> None:
        """Write down what every shown row says, and the stages."""
        for line in {each.about: each for each in self.told.lines if each.is_shown}.values():
            self._row(line)
        self._stages()

    @property
    def _system(self) -> System:
        return self.counts.system

    @property
    def _fewest(self) -> int:
        return self.told.policy.min_n

    @property
    def _hidden(self) -> Range:
        """What is said of a number of people by not telling it."""
        return 0, self._fewest - 1

    def _source(self, line: Line) -> Source | None:
        return None if self.taken_for_good else line.about

    def _range(self, published: int) -> Range:
        return rounding_range(published, self.told.policy)

    def _row(self, line: Line) -> None:
        places = self.counts.parts.places(line, self.told)
        said = _Said(self.counts, places, self._source(line))
        self._people(line, said)
        if line.is_share:
            self._share(line, said)
        elif not line.is_presence:
            said.that({asked_of(line): 1.0}, self.told.policy.min_n_for_statistics, inf)
        if line.outcome and line.statistic in MEANS and not self.told.instrument.is_weighted:
            self._mean(line, said)
        if line.statistic in QUANTILES and _is_of_whole_numbers(line) and not self.told.instrument.is_weighted:
            self._quantile(line, said)

    # --- How many people ----------------------------------------------------------------------------------------------

    def _people(self, line: Line, said: "_Said") -> None:
        """See `disclose.rows.told_people` for whom the number beside an estimate stands."""
        n = line.row.n_respondents or 0
        if line.is_presence:
            _Said(self.counts, (EVERYONE,), said.source).that({PEOPLE: 1.0}, *self._range(n))
        elif line.outcome is None:
            said.that({asked_of(line): 1.0}, *self._range(n))
        elif line.outcome.left_out:
            self._asked(line, n, 0, said)
        else:
            self._answers(line, n, said)
            self._gap(line, said)

    def _asked(self, line: Line, n: int, shift: int, said: "_Said", less: Mapping[Suffix, float] = NOTHING) -> None:
        """A number tells of everybody in the level, while those whom the question does not concern are few; else of the
        others. `shift`: how many more they are; `less`: who is not among them besides.
        """
        least, most = (end + shift for end in self._range(n))
        aside = {} if line.condition is None else {aside_of(line.condition): -1.0}
        are_few = self._few_aside(line)
        if are_few is None:
            said.that({PEOPLE: 1.0, **less}, least, inf)
            said.that({PEOPLE: 1.0, **aside, **less}, -inf, most)
            return
        said.that({PEOPLE: 1.0, **less} | ({} if are_few else aside), least, most)
        if line.condition is not None:
            said.that({aside_of(line.condition): 1.0}, *self._few_or_many(are_few))

    def _few_or_many(self, are_few: bool) -> Range:
        return self._hidden if are_few else (self._fewest, inf)

    def _answers(self, line: Line, n: int, said: "_Said") -> None:
        """For whom the number stands: for those who answered, or for those who were asked; without those who began at 0, if
        these are many.
        """
        few_began = self._few_at_nothing(line)
        if few_began is None:
            said.that({asked_of(line): 1.0}, -inf, self._range(n)[1])
            return
        less = {} if few_began else {_at_nothing(line): -1.0}
        if line.among == COULD_IMPROVE:
            said.that({_at_nothing(line): 1.0}, *self._few_or_many(few_began))
        shift = self._fewest_rounded if self._are_few_together(line) else 0
        if line.row.n_missing is None or shift:
            self._asked(line, n, shift, said, less)
        elif (standing := self._standing(line)) is not None:
            said.that({standing: 1.0, **less}, *self._range(n))

    def _standing(self, line: Line) -> Suffix | None:
        """Where those who left out one answer are few, those who gave the other stand for those who gave both:
        `disclose.rows.told_gap`.
        """
        assert line.outcome is not None
        once = self._few_once(line)
        if once is None or once == (False, False):
            return _answered(line)
        if None in once:
            return None
        return question_of(line.outcome), ANSWERED if once[0] else BEFORE

    def _gap(self, line: Line, said: "_Said") -> None:
        """How many are missing, with those who are not concerned while these are few."""
        once, missing, n = self._few_once(line), missing_of(line), line.row.n_missing
        if n is None:
            self._counted_gap(line, missing, *self._hidden, said)
        elif once is None or once == (False, False):
            self._counted_gap(line, missing, *self._range(n), said)
        else:
            self._counted_gap(line, missing, self._fewest, 2 * (self._fewest - 1) if all(once) else inf, said)
        if n is not None and once in ((True, False), (False, True)):
            self._counted_gap(line, missing_among(line, ANSWERED if once[0] else BEFORE), *self._range(n), said)
        for among, is_few in zip((BEFORE, ANSWERED), once or (), strict=False):
            if is_few is not None:
                self._counted_gap(line, missing_among(line, among), *self._few_or_many(is_few), said)

    def _counted_gap(self, line: Line, missing: Suffix, least: float, most: float, said: "_Said") -> None:
        are_few = self._few_aside(line)
        silent = {missing: 1.0} | ({} if line.condition is None else {aside_of(line.condition): 1.0})
        said.that({missing: 1.0} if are_few is False else silent, least, most if are_few is not None else inf)
        said.that({missing: 1.0}, -inf, most)

    @property
    def _fewest_rounded(self) -> int:
        return round_count(self._fewest, self.told.policy)

    def _are_few_together(self, line: Line) -> bool:
        """Whether few lack either answer, and yet not few lack the one or the other."""
        return line.row.n_missing is not None and self._few_once(line) == (True, True)

    # --- What is few --------------------------------------------------------------------------------------------------

    def _case(self, line: Line, name: str) -> bool | None:
        """Whether something is few that is told nowhere; None where that is not known."""
        return self.told.cases.get((*line.about[:3], name))

    def _few_aside(self, line: Line) -> bool | None:
        """Whether those whom the question does not concern are few, as a number of those who were asked shows beside that of
        all in the level.
        """
        if line.condition is None:
            return True
        known = self._case(line, "aside")
        return self._few_asides.get((*_where(line), *aside_of(line.condition))) if known is None else known

    def _few_at_nothing(self, line: Line) -> bool | None:
        """Whether those who began at 0 are few, as the numbers of those who could improve and of the others show."""
        if line.among != COULD_IMPROVE:
            return True
        known, of_both = self._case(line, "at nothing"), self._both.get((*_where(line), line.row.outcome))
        return known if known is not None or of_both is None else of_both == line.row.n_respondents

    def _few_once(self, line: Line) -> tuple[bool | None, bool | None] | None:
        """Of a row among those who answered before and now, whether few lack the one answer, and the other."""
        if line.among not in (BOTH, COULD_IMPROVE):
            return None
        return self._few_gap(line, BEFORE), self._few_gap(line, ANSWERED)

    def _few_gap(self, line: Line, among: str) -> bool | None:
        known = self._case(line, among)
        return self._few_gaps.get((*_where(line), line.row.outcome, among)) if known is None else known

    @cached_property
    def _shown(self) -> tuple[Line, ...]:
        return tuple(line for line in self.told.lines if line.is_shown and line.outcome is not None)

    @cached_property
    def _few_asides(self) -> Mapping[tuple[str, ...], bool]:
        few: dict[tuple[str, ...], bool] = {}
        for line in self._shown:
            whole = self._wholes.get(_where(line))
            tells = line.row.n_missing is None and line.among != COULD_IMPROVE
            if line.condition is not None and whole is not None and tells:
                few[*_where(line), *aside_of(line.condition)] = line.row.n_respondents == whole
        return few

    @cached_property
    def _few_gaps(self) -> Mapping[tuple[str, ...], bool]:
        once = (line for line in self._shown if line.among in (BEFORE, ANSWERED))
        return {(*_where(line), line.row.outcome, line.among): line.row.n_missing is None for line in once}

    @cached_property
    def _both(self) -> Mapping[tuple[str, str, str], int]:
        both = (line for line in self._shown if line.among == BOTH)
        return {(*_where(line), line.row.outcome): line.row.n_respondents or 0 for line in both}

    @cached_property
    def _wholes(self) -> Mapping[Where, int]:
        """How many people levels are told to hold: from rows of who answered, and of questions that concern everybody and
        that few left out.
        """
        found: dict[Where, int] = {}
        for line in self._shown:
            n = line.row.n_respondents or 0
            if line.is_presence:
                found[_where(line)] = n if _is_all(line) else round((line.row.estimate or 0.0) * n)
            elif line.condition is None and line.among != COULD_IMPROVE and line.row.n_missing is None:
                found.setdefault(_where(line), n)
        base = self.told.policy.rounding_base
        return {where: round(n / base) * base for where, n in found.items()}

    # --- Shares -------------------------------------------------------------------------------------------------------

    def _share(self, line: Line, said: "_Said") -> None:
        """Both sides are of min_n people at least; the events are the share of the number that stands beside it."""
        if line.is_presence:
            self._presence(line, said)
            return
        events, others = events_of(line)
        said.that({others: 1.0}, self._fewest, inf)
        said.that({events: 1.0}, *self._events(line))

    def _presence(self, line: Line, said: "_Said") -> None:
        if not _is_all(line):
            said.that({PEOPLE: 1.0}, *self._events(line))

    def _events(self, line: Line) -> Range:
        if self.told.instrument.is_weighted:
            return self._fewest, inf
        n, told = line.row.n_respondents or 0, line.row.estimate or 0.0
        if line.row.statistic == "count":
            return self._range(round(told))
        slack, base = HALF_A_DIGIT * 10**-DECIMALS_OF_SHARES, self.told.policy.rounding_base
        fewest, most = ceil((told - slack) * n / base), floor((told + slack) * n / base)
        return self._range(fewest * base)[0], self._range(max(fewest, most) * base)[1]

    # --- Means and quantiles ------------------------------------------------------------------------------------------

    def _mean(self, line: Line, said: "_Said") -> None:
        """A mean times its people is a sum of answers. Half way between the ends of its interval lies the mean again."""
        outcome, row = line.outcome, line.row
        assert outcome is not None
        if row.estimate is None:
            return
        slack = HALF_A_DIGIT * 10.0 ** -statistics.decimals_for(row.n_respondents or 0)
        middles = [row.estimate]
        if row.ci_lower is not None and row.ci_upper is not None:
            middles.append((row.ci_lower + row.ci_upper) / 2)
        total, n = sum_of(outcome, line.statistic), asked_of(line)
        for middle in middles:
            said.that({total: 1.0, n: -(middle - slack)}, 0, inf)
            said.that({total: 1.0, n: -(middle + slack)}, -inf, 0)

    def _quantile(self, line: Line, said: "_Said") -> None:
        """How many lie on one side of a threshold, by on which side a quantile lies, and the ends of its interval: these are
        answers of the people at two ranks (`statistics.quantile`).
        """
        part, n = QUANTILES[line.statistic], asked_of(line)
        fewest, most = self._answers_behind(line)
        ranks = statistics.quantile_interval_ranks(fewest, part), statistics.quantile_interval_ranks(most, part)
        for below, is_below in self._edges(line):
            if line.row.estimate is not None:
                at_edge = (0, inf) if is_below(line.row.estimate) else (-inf, 0)
                said.that({below: 1.0, n: -part}, *at_edge)
            for end, value in enumerate((line.row.ci_lower, line.row.ci_upper)):
                if value is not None and ranks[0] and ranks[1]:
                    said.that({below: 1.0}, *((ranks[0][end] + 1, inf) if is_below(value) else (-inf, ranks[1][end])))

    def _answers_behind(self, line: Line) -> tuple[int, int]:
        """The fewest and the most people whose answers a quantile can be of."""
        least, most = self._range(line.row.n_respondents or 0)
        return max(self.told.policy.min_n_for_statistics, int(least) - 2 * (self._fewest - 1)), int(most)

    def _edges(self, line: Line) -> Iterator[tuple[Suffix, Callable[[float], bool]]]:
        """The thresholds of a quantile's numbers: who lies at or below each, and whether a number does."""
        outcome = line.outcome
        assert outcome is not None
        is_lower = outcome.better != "higher"
        for each in outcome.thresholds:
            events, others = events_in(outcome, each.name)
            if line.among == BOTH and each.points is not None:
                edge = -each.points if is_lower else each.points
                yield (events, partial(ge, edge)) if is_lower else (others, partial(gt, edge))
            elif line.among == ANSWERED and each.at_most is not None:
                yield events, partial(ge, each.at_most)
            elif line.among == ANSWERED and each.at_least is not None:
                yield others, partial(gt, each.at_least)

    # --- Stages -------------------------------------------------------------------------------------------------------

    def _stages(self) -> None:
        """Rows read are rows left out and rows used, and a row that is used is a person."""
        release = self.told.release
        number = f"{release.wave} {release.release_number}"
        keys = {stage.stage: self._system.unknown(("stage", number, stage.stage)) for stage in release.stages}
        for stage in release.stages:
            if stage.n is not None:
                self._system.row({keys[stage.stage]: 1.0}, *self._range(stage.n))
        if "rows_read" in keys and "rows_kept" in keys:
            read = keys.pop("rows_read")
            self._system.row(dict.fromkeys(keys.values(), 1.0) | {read: -1.0}, 0, 0)
            self._system.row({keys["rows_kept"]: 1.0, self.counts.key(EVERYONE, PEOPLE): -1.0}, 0, 0)


@dataclass(frozen=True)
class _Said:
    """What a row says of the people of some places."""

    counts: Counts
    places: Sequence[Place]
    source: Source | None

    def that(self, weights: Mapping[Suffix, float], least: float, most: float) -> None:
        """A weighted sum of what is counted at these places lies between two numbers."""
        terms: Terms = {}
        for what, weight in weights.items():
            terms |= self.counts.terms(self.places, what, weight, of_people=what[-1] != "sum")
        self.counts.system.row(terms, least, most, self.source)


def missing_of(line: Line) -> Suffix:
    """Those who left a row's question out."""
    return missing_among(line, BOTH if line.among == COULD_IMPROVE else line.among)


def missing_among(line: Line, among: str) -> Suffix:
    """Those who left a row's question out before, now, or either time."""
    assert line.outcome is not None
    question = question_of(line.outcome)
    return (question, MISSING) if among == ANSWERED else (question, among, MISSING)


def _answered(line: Line) -> Suffix:
    """Those who answered before, now, or both, as the row is about."""
    assert line.outcome is not None
    return question_of(line.outcome), BOTH if line.among == COULD_IMPROVE else line.among


def _at_nothing(line: Line) -> Suffix:
    """Those who could not improve, as they were at 0 before."""
    assert line.outcome is not None
    return events_in(line.outcome, "baseline_zero")[0]


def _is_of_whole_numbers(line: Line) -> bool:
    """Whether a quantile's digits show it as it is: half a step of any other scale could be rounded past a threshold."""
    return line.outcome is not None and line.outcome.grid.is_whole


def _where(line: Line) -> Where:
    return line.about[:2]


def _is_all(line: Line) -> bool:
    return line.about[0] == line.row.level


def knowledge(told: Sequence[Told]) -> Counts:
    """All that is known from some releases on the same people; the last is the new one, of which rows can still be hidden."""
    counts = structure(told)
    for one in told:
        Numbers(counts, one, taken_for_good=one is not told[-1]).say()
    counts.over_places()
    return counts

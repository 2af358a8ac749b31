"""Knowledge: what somebody knows who holds some releases on the same people, as a system of equations.

What belongs here: how the counts behind a survey's tables hang together, whatever was published: parts and wholes, answers
and gaps, thresholds that lie within each other, questions that decide whom another one concerns. What does not: what the
numbers of a row say (`numbers`), and conclusions (`attack`).

Unknowns are counts of people, and sums of answers, of the parts into which all published levels can be cut, so that linked
tables, and a release and its correction on the same people, say things of the same unknowns.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from math import inf

from survey_pipeline.instrument import Condition, Instrument, Item, Kind
from survey_pipeline.levels import lies_above
from survey_pipeline.names import NOT_APPLICABLE, NOT_STATED, option_column
from survey_pipeline.outcomes import Outcome
from survey_pipeline.proof.nested import EVENTS, OTHERS, Reached, improved, on_scale, wider
from survey_pipeline.proof.parts import Parts
from survey_pipeline.proof.system import System
from survey_pipeline.proof.told import (
    ANSWERED,
    BEFORE,
    BOTH,
    COULD_IMPROVE,
    DIARY_KEPT,
    EVERYONE,
    MISSING,
    PEOPLE,
    SHARE,
    Line,
    Place,
    Suffix,
    Terms,
    Told,
    options_of,
    question_of,
)

Inside = Callable[[str], bool | None]
"""Whether people of these codes are among those counted; None where some may be."""
TOTAL = "sum"
ASIDE = "not"
Ends = tuple[float, float]
CHANGE, BASELINE, NOW = "mean_change", "mean_baseline", "mean"


@dataclass
class Counts:
    """The unknowns of some releases, by place and by what is counted there."""

    system: System
    parts: Parts
    seen: dict[str, dict[Suffix, bool]] = field(default_factory=dict)
    """What is counted by each exposure, and whether it is a number of people (else a sum of answers)."""
    in_whole_answers: set[str] = field(default_factory=set)
    """The outcomes whose answers, and with them their sums, are whole numbers."""
    _keys: dict[tuple[Place, Suffix], tuple[str, ...]] = field(default_factory=dict)

    def key(self, at: Place, what: Suffix, *, of_people: bool = True) -> tuple[str, ...]:
        """The unknown that counts something at a place."""
        found = self._keys.get((at, what))
        if found is None:
            found = self._keys[at, what] = self._named(at, what, of_people)
        return found

    def _named(self, at: Place, what: Suffix, of_people: bool) -> tuple[str, ...]:
        key = (*at, *what)
        if key not in self.system:
            whole = of_people or what[0] in self.in_whole_answers
            self.system.unknown(key, 0.0 if of_people else -inf, whole=whole, is_sum=not of_people)
        if at != EVERYONE:
            self.seen.setdefault(at[0], {}).setdefault(what, of_people)
        return key

    def terms(self, places: Iterable[Place], what: Suffix, weight: float = 1.0, *, of_people: bool = True) -> Terms:
        """What is counted at some places together."""
        return {self.key(at, what, of_people=of_people): weight for at in places}

    @property
    def hubs(self) -> list[tuple[str, ...]]:
        """The counts that all questions share: people, and those whom some questions do not concern."""
        return [key for key in self.system.keys if key[-1] == PEOPLE[0] or ASIDE in key]

    def adds_up(self, at: Place, total: Suffix, *parts: Suffix) -> None:
        """At a place, one count is the sum of others."""
        self.system.row(dict.fromkeys((self.key(at, part) for part in parts), 1.0) | {self.key(at, total): -1.0}, 0, 0)

    def within(self, at: Place, fewer: Suffix, more: Suffix) -> None:
        """At a place, all who are counted in one count are in another, too."""
        self.system.row({self.key(at, more): 1.0, self.key(at, fewer): -1.0}, 0, inf)

    def over_places(self) -> None:
        """Parts add up: to everybody, and those of a crossing to those of both exposures that it crosses."""
        for some, others in self.parts.equal():
            exposures = {at[0] for at in others}
            for exposure in exposures:
                for what, of_people in self._of_both(some, exposure):
                    left = self.terms(some, what, -1.0, of_people=of_people)
                    self.system.row(self.terms(others, what, of_people=of_people) | left, 0, 0)

    def _of_both(self, some: Sequence[Place], exposure: str) -> list[tuple[Suffix, bool]]:
        mine = self.seen.get(exposure, {})
        theirs = mine if EVERYONE in some else self.seen.get(some[0][0], {})
        return [(what, of_people) for what, of_people in mine.items() if what in theirs]


def sum_of(outcome: Outcome, statistic: str) -> Suffix:
    """The sum of the answers behind a mean."""
    return outcome.name, statistic, TOTAL


def aside_of(condition: Condition) -> Suffix:
    """Those whom a question does not concern: the same people for all questions with the same condition."""
    return ASIDE, condition.item, *condition.values


def asked_of(line: Line) -> Suffix:
    """Those in the denominator of a row."""
    if line.outcome is None:
        return PEOPLE if line.row.outcome == "diary_kept" else (line.row.outcome, "in the diary")
    return PEOPLE if line.is_presence else (question_of(line.outcome), _now(line.outcome, line.among))


def _now(outcome: Outcome, among: str) -> str:
    """Of a question that was left out, the rows are among all whom it concerns."""
    return "concerned" if outcome.left_out else among


def events_of(line: Line) -> tuple[Suffix, Suffix]:
    """Of a share, those whom it counts and those whom it does not."""
    if line.outcome is None:
        return DIARY_KEPT, ("no diary kept",)
    if line.outcome.left_out:
        return (line.outcome.item, MISSING), (line.outcome.item, ANSWERED)
    return events_in(line.outcome, line.statistic)


def events_in(outcome: Outcome, statistic: str) -> tuple[Suffix, Suffix]:
    """Of an outcome, those whom a statistic counts and those whom it does not."""
    if statistic == "baseline_zero":
        return (outcome.name, statistic, EVENTS), (outcome.item, COULD_IMPROVE)
    return (outcome.name, statistic, EVENTS), (outcome.name, statistic, OTHERS)


@dataclass(frozen=True)
class Structure:
    """What follows from the questions alone."""

    counts: Counts
    instrument: Instrument

    @property
    def system(self) -> System:
        return self.counts.system

    def of(self, told: Told) -> None:
        """Everything about the rows of a release, at every place."""
        if not self.instrument.is_weighted:
            outcomes = (line.outcome for line in told.lines if line.outcome is not None)
            self.counts.in_whole_answers |= {each.name for each in outcomes if each.grid.is_whole}
        first = {(line.row.exposure, line.row.outcome): line for line in told.lines if not line.is_presence}
        at_places = {
            (at, line.row.outcome): line
            for line in first.values()
            for at in self.counts.parts.all_places(line.row.exposure)
        }
        for (at, _), line in at_places.items():
            self._at(at, line)

    def _at(self, at: Place, line: Line) -> None:
        if line.outcome is None:
            self._in_diary(at, line)
            return
        self._answers(at, line.outcome, line.condition)
        self._shares(at, line.outcome)
        if not line.outcome.is_share:
            self._scale(at, line.outcome)
        if line.outcome.baseline:
            self._before_and_now(at, line.outcome, line.condition)
        self._same_question(at, line.outcome)

    def _in_diary(self, at: Place, line: Line) -> None:
        """Who answered in a diary keeps one."""
        self.counts.adds_up(at, PEOPLE, DIARY_KEPT, ("no diary kept",))
        if line.row.outcome != "diary_kept":
            self.counts.within(at, asked_of(line), DIARY_KEPT)

    # --- Who answered -------------------------------------------------------------------------------------------------

    def _answers(self, at: Place, outcome: Outcome, condition: Condition | None) -> None:
        """Everybody has answered a question, or has left it out, or is not concerned."""
        question = question_of(outcome)
        aside = (aside_of(condition),) if condition else ()
        self.counts.adds_up(at, PEOPLE, (question, ANSWERED), (question, MISSING), *aside)
        self.counts.adds_up(at, (question, "concerned"), (question, ANSWERED), (question, MISSING))
        if outcome.reading:
            self.counts.within(at, (outcome.item, ANSWERED), (question, ANSWERED))
        if condition:
            self._whom_it_concerns(at, condition)

    def _whom_it_concerns(self, at: Place, condition: Condition) -> None:
        values = {*condition.values, NOT_STATED}
        aside = {self.counts.key(at, aside_of(condition)): 1.0}
        self._between(at, condition.item, aside, lambda code: code not in values)
        for name, item in self.instrument.items.items():
            if item.applies_if and aside_of(item.applies_if) == aside_of(condition):
                self._between(at, name, aside, lambda code: code == NOT_APPLICABLE)

    # --- Shares -------------------------------------------------------------------------------------------------------

    def _shares(self, at: Place, outcome: Outcome) -> None:
        if outcome.left_out or not outcome.is_share:
            return
        events, others = events_in(outcome, SHARE)
        self.counts.adds_up(at, (question_of(outcome), ANSWERED), events, others)
        self._limits(at, outcome)
        self._options(at, outcome)

    def _options(self, at: Place, outcome: Outcome) -> None:
        """Options that exclude each other add up to those who answered, others to as many or more; nobody chose another one
        beside one that excludes all others.
        """
        names = options_of(outcome, self.instrument)
        if not names or names[0] != outcome.name:
            return
        asked = self.counts.key(at, (question_of(outcome), ANSWERED))
        chosen = {name: self.counts.key(at, (name, SHARE, EVENTS)) for name in names}
        self.system.row(dict.fromkeys(chosen.values(), 1.0) | {asked: -1.0}, 0, 0 if outcome.one_of else inf)
        for option in () if outcome.one_of else self.instrument.items[outcome.item].options:
            alone = chosen[option_column(outcome.item, option.code)]
            for other in (each for each in chosen.values() if option.exclusive and each != alone):
                self.system.row({asked: 1.0, alone: -1.0, other: -1.0}, 0, inf)

    def _limits(self, at: Place, outcome: Outcome) -> None:
        """Who is above a limit is above a lower one, and who is above it under some reading is so under the worst case."""
        for more in wider(outcome, self.instrument.items[outcome.item]):
            self.counts.within(at, (outcome.name, SHARE, EVENTS), (more, SHARE, EVENTS))

    # --- Scales -------------------------------------------------------------------------------------------------------

    def _scale(self, at: Place, outcome: Outcome) -> None:
        """A sum of answers lies between as many times the lowest and the highest; thresholds cut those who answered."""
        low, high = outcome.grid.start, outcome.grid.start + outcome.grid.step * (outcome.grid.size - 1)
        answered, reached = (question_of(outcome), ANSWERED), on_scale(outcome)
        self._bounded(at, sum_of(outcome, NOW), answered, low, high)
        for _, side in reached:
            self.counts.adds_up(at, answered, *events_in(outcome, side.statistic))
        total = {self.counts.key(at, sum_of(outcome, NOW), of_people=False): 1.0}
        self._cut(at, total, answered, reached, (low, high), outcome.grid.step)

    def _bounded(self, at: Place, total: Suffix, n: Suffix, low: float, high: float) -> None:
        key, people = self.counts.key(at, total, of_people=False), self.counts.key(at, n)
        self.system.row({key: 1.0, people: -low}, 0, inf)
        self.system.row({key: 1.0, people: -high}, -inf, 0)

    def _cut(
        self, at: Place, total: Terms, n: Suffix, reached: Sequence[Reached], ends: Ends, step: float = 0.0
    ) -> None:
        """Who reaches more has reached less; and what that says of a sum of what lies between two `ends`. Who does not reach
        a threshold lies so much beneath it as `step`.
        """
        self._nested(at, reached)
        if reached:
            (least, most), thresholds = ends, [much for much, _ in reached]
            self.system.row(total | self._steps(at, n, reached, [least, *thresholds]), 0, inf)
            beneath = [much - step for much in thresholds]
            self.system.row(total | self._steps(at, n, reached, [*beneath, most]), -inf, 0)

    def _nested(self, at: Place, reached: Sequence[Reached]) -> None:
        for (low, more), (high, fewer) in pairwise(reached):
            between = {self.counts.key(at, more.suffix): 1.0, self.counts.key(at, fewer.suffix): -1.0}
            self.system.row(between, 0, 0 if low == high else inf)

    def _steps(self, at: Place, n: Suffix, reached: Sequence[Reached], ends: Sequence[float]) -> Terms:
        """What everybody adds to a sum, taken off, and what each threshold adds for those who reach it."""
        more = {side.suffix: before - after for (_, side), (before, after) in zip(reached, pairwise(ends), strict=True)}
        return {self.counts.key(at, what): weight for what, weight in ({n: -ends[0]} | more).items()}

    # --- Before and now -----------------------------------------------------------------------------------------------

    def _before_and_now(self, at: Place, outcome: Outcome, condition: Condition | None) -> None:
        question, counts = question_of(outcome), self.counts
        aside = (aside_of(condition),) if condition else ()
        for among in (BEFORE, BOTH):
            counts.adds_up(at, PEOPLE, (question, among), (question, among, MISSING), *aside)
            counts.adds_up(at, (question, among, "concerned"), (question, among), (question, among, MISSING))
        counts.within(at, (question, BOTH), (question, BEFORE))
        counts.within(at, (question, BOTH), (question, ANSWERED))
        some = {counts.key(at, (question, each)): -1.0 for each in (BEFORE, ANSWERED)}
        asked = {counts.key(at, PEOPLE): 1.0} | {counts.key(at, each): -1.0 for each in aside}
        self.system.row(asked | some | {counts.key(at, (question, BOTH)): 1.0}, 0, inf)
        counts.adds_up(at, (question, BOTH), *events_in(outcome, "baseline_zero"))
        self._changes(at, outcome)

    def _changes(self, at: Place, outcome: Outcome) -> None:
        """How much people improved, and what that says of the sum of all changes, taken towards what is better."""
        low, reach = outcome.grid.start, outcome.grid.step * (outcome.grid.size - 1)
        question, by_rule = question_of(outcome), improved(outcome)
        self._bounded(at, sum_of(outcome, BASELINE), (question, BEFORE), low, low + reach)
        self._bounded(at, sum_of(outcome, CHANGE), (question, BOTH), -reach, reach)
        for among, found in ((COULD_IMPROVE, by_rule["percent"]), (BOTH, by_rule["points"])):
            for _, side in found:
                self.counts.adds_up(at, (question, among), *events_in(outcome, side.statistic))
        self._nested(at, by_rule["percent"])
        sign = 1.0 if outcome.better == "higher" else -1.0
        total = {self.counts.key(at, sum_of(outcome, CHANGE), of_people=False): sign}
        self._cut(at, total, (question, BOTH), by_rule["points"], (-reach, reach))

    # --- The same answers, told in two ways ---------------------------------------------------------------------------

    def _same_question(self, at: Place, outcome: Outcome) -> None:
        """Where people are told apart by the very question, how many gave an answer is how many are in its levels."""
        if not outcome.is_share or outcome.reading is not None:
            return
        item = self.instrument.items[outcome.item]
        events, others = events_in(outcome, SHARE)
        if outcome.left_out:
            events, others = (outcome.item, MISSING), (outcome.item, ANSWERED)
        for kind, what in (("events", events), ("others", others), ("missing", (outcome.item, MISSING))):
            self._between(at, outcome.item, {self.counts.key(at, what): 1.0}, partial(_is_in, outcome, item, kind))

    def _between(self, at: Place, exposure: str, counted: Terms, inside: Inside) -> None:
        """Those counted are no fewer than the people of parts that lie inside, and no more than those of parts that may."""
        for cut in self.counts.parts.cut_by(at, exposure):
            wholly = [there for codes, there in cut if all(inside(code) is True for code in codes)]
            partly = [there for codes, there in cut if any(inside(code) is not False for code in codes)]
            self.system.row(counted | self.counts.terms(wholly, PEOPLE, -1.0), 0, inf)
            self.system.row(counted | self.counts.terms(partly, PEOPLE, -1.0), -inf, 0)


def _is_in(outcome: Outcome, item: Item, kind: str, code: str) -> bool | None:
    """Whether people of a code of the outcome's own question are among its events, its others, or the missing."""
    if code == NOT_APPLICABLE:
        return False
    if outcome.left_out:
        return (code == NOT_STATED) == (kind != "others")
    if code == NOT_STATED or kind == "missing":
        return code == NOT_STATED and kind == "missing"
    said = _says_yes(outcome, item, code)
    return None if said is None else said == (kind == "events")


def _says_yes(outcome: Outcome, item: Item, code: str) -> bool | None:
    if outcome.above is not None:
        return lies_above(code, outcome.above, item)
    if outcome.code:
        return code == outcome.code
    if item.kind is Kind.YES_NO:
        return code == "yes"
    return outcome.name == option_column(outcome.item, code) if code in item.codes else None


def structure(told: Sequence[Told]) -> Counts:
    """The unknowns behind some releases on the same people, and what follows from the questions alone."""
    counts = Counts(System(), Parts.of(told))
    counts.key(EVERYONE, PEOPLE)
    for exposure in counts.parts.by_exposure:
        counts.terms(list(counts.parts.all_places(exposure)), PEOPLE)
    for one in told:
        Structure(counts, one.instrument).of(one)
    return counts

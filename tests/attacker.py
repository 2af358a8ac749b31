"""An attacker who holds a release and wants a count of fewer than ten people.

The attacker knows the instrument, the policy and every published row of every table, and writes all of it down as linear
constraints on the counts behind: rounding and printed digits are intervals, levels add up to everybody, options to those
who answered, means to sums on a bounded scale, and answers to one question say who is asked another. For each small hidden
count, linear programming then gives the least and the most it can be.

What belongs here: what can be known and concluded. None of it uses the code that hides. What does not: expectations.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import pairwise
from math import ceil, floor, inf
from typing import Any

import numpy as np
import polars as pl
from scipy.optimize import linprog
from scipy.sparse import csr_array

from survey_pipeline.instrument import Condition, Instrument, Item, Kind
from survey_pipeline.levels import band_ends
from survey_pipeline.outcomes import Outcome, exposures
from survey_pipeline.release import Policy, Release

POLICY = Policy()
MIN_N, BASE = POLICY.min_n, POLICY.rounding_base
Key = tuple[str, ...]
Row = Mapping[str, Any]
MEANS = ("mean", "mean_baseline", "mean_change")
QUARTILES = {"quartile_1": 0.25, "median": 0.5, "quartile_3": 0.75}
HALF_A_DIGIT = 0.5 + 1e-6


def behind(published: int) -> tuple[float, float]:
    """What a published count can have been."""
    return (0, 0) if published == 0 else (max(MIN_N, published - BASE // 2), published + BASE // 2)


@dataclass
class Programme:
    """Linear constraints on named unknowns."""

    bounds: dict[Key, tuple[float, float]] = field(default_factory=dict)
    equal: list[tuple[dict[Key, float], float]] = field(default_factory=list)
    at_most: list[tuple[dict[Key, float], float]] = field(default_factory=list)

    def unknown(self, key: Key, least: float = 0, most: float = inf) -> Key:
        known = self.bounds.get(key, (0 if least == 0 else least, inf))
        self.bounds[key] = (max(known[0], least), min(known[1], most))
        return key

    def sums(self, total: Key, parts: Iterable[Key]) -> None:
        self.equal.append(({total: -1.0} | dict.fromkeys(parts, 1.0), 0.0))

    def no_more(self, terms: dict[Key, float], most: float = 0.0) -> None:
        """The weighted sum of some unknowns is at most so much."""
        self.at_most.append((terms, most))

    def interval(self, terms: Mapping[Key, float]) -> tuple[int, int]:
        """The least and the most a whole number can be that is a weighted sum of unknowns. Nothing may be added after."""
        cost = np.zeros(len(self._place))
        for key, weight in terms.items():
            cost[self._place[key]] = weight
        least, most = (self._least(sign * cost) for sign in (1, -1))
        return ceil(least - 1e-6), floor(-most + 1e-6) if most > -inf else 10**9

    @cached_property
    def _place(self) -> dict[Key, int]:
        return {key: i for i, key in enumerate(self.bounds)}

    @cached_property
    def _matrices(self) -> tuple[Any, ...]:
        return tuple(part for rows in (self.at_most, self.equal) for part in _matrix(rows, self._place))

    def _least(self, cost: Any) -> float:
        bounds = [(low, None if high == inf else high) for low, high in self.bounds.values()]
        found = linprog(cost, *self._matrices, bounds=bounds)
        if found.status == 3:
            return -inf
        assert found.status == 0, found.message
        return float(found.fun)


def _matrix(rows: list[tuple[dict[Key, float], float]], place: Mapping[Key, int]) -> tuple[Any, Any]:
    cells = [(i, place[key], weight) for i, (terms, _) in enumerate(rows) for key, weight in terms.items()]
    row, column, weight = zip(*cells, strict=True)
    return csr_array((weight, (row, column)), shape=(len(rows), len(place))), [right for _, right in rows]


class Attacker:
    """Everything that can be known from a release, and what can be concluded from it."""

    def __init__(self, release: Release, instrument: Instrument) -> None:
        self.outcomes = {(e, o.name): o for e, found in exposures(instrument).items() for o in found}
        self.instrument, self.published = instrument, release.levels
        self.known = Programme()
        self.rows = [row.model_dump(mode="json") for row in release.rows]
        self.levels: dict[str, list[str]] = {}
        for row in self.rows:
            if row["level"] not in self.levels.setdefault(row["exposure"], []):
                self.levels[row["exposure"]].append(row["level"])
        self._what_everybody_knows(instrument)
        for name in (spec.cut_by for spec in instrument.tables if spec.by):
            self._over_a_crossing(name, release)
        for row in self.rows:
            if row["status"] not in ("suppressed", "not_asked"):
                self._what_a_row_says(row)
        self._what_questions_say_of_each_other()
        self._what_stages_say(release)

    # What the counts behind a row are called. Everybody is the same everybody in every table.

    def where(self, row: Row) -> Key:
        return ("all",) if row["level"] == "all" else (row["exposure"], row["level"])

    def people(self, row: Row) -> Key:
        return self.known.unknown((*self.where(row), "people"))

    def outcome(self, row: Row) -> Outcome:
        return self.outcomes[row["exposure"], row["outcome"]]

    def is_diary(self, row: Row) -> bool:
        """Whether a row is about a diary, which nobody is asked for."""
        return (row["exposure"], row["outcome"]) not in self.outcomes

    def question(self, row: Row) -> str:
        """What one must have answered to be in a row: of a dose read again, the number or the words beside it."""
        question = str(row["outcome"].split("__")[0])
        return f"{question} as read" if not self.is_diary(row) and self.outcome(row).reading else question

    def condition(self, row: Row) -> Condition | None:
        question = row["outcome"].split("__")[0]
        return None if self.is_diary(row) or not question else self.instrument.items[question].applies_if

    def aside(self, row: Row, condition: Condition) -> Key:
        """The people whom a question does not concern: the same for all questions with this condition."""
        return self.known.unknown((*self.where(row), "not", condition.item, *condition.values))

    def asked(self, row: Row, among: str | None = None) -> Key:
        """The denominator of a row."""
        if row["outcome"] == "respondents":
            return self.known.unknown(("all", "people"))
        if row["outcome"] == "diary_kept":
            return self.people(row)
        if among is None and not self.is_diary(row) and self.outcome(row).left_out:
            return self.known.unknown((*self.where(row), self.question(row), "concerned"))
        return self.known.unknown((*self.where(row), self.question(row), among or self.among(row)))

    def among(self, row: Row) -> str:
        if self.is_diary(row):
            return "keeps"
        statistic = row["statistic"].removesuffix("_anyway")
        thresholds = {threshold.name: threshold for threshold in self.outcome(row).thresholds}
        if (threshold := thresholds.get(statistic)) and threshold.needs_baseline:
            return "both" if threshold.points else "above zero"
        if statistic.startswith("improved"):
            return "above zero"
        of_both = ("mean_change", "median_change", "standardised_change", "correlation_before_now", "baseline_zero")
        return {"mean_baseline": "before", **dict.fromkeys(of_both, "both")}.get(statistic, "after")

    def events(self, row: Row, statistic: str | None = None) -> Key:
        if row["outcome"] == "respondents":
            return self.people(row)
        said = (statistic or row["statistic"]).replace("count", "share")
        return self.known.unknown((*self.where(row), row["outcome"], said, "events"))

    def total(self, row: Row, statistic: str = "mean") -> Key:
        """The sum of all answers behind a mean, which may be negative for a change."""
        return self.known.unknown((*self.where(row), row["outcome"], statistic, "sum"), least=-inf)

    def is_share(self, row: Row) -> bool:
        """Whether a row is about how many of its people something holds for."""
        if row["outcome"] == "respondents" or self.is_diary(row):
            return bool(row["statistic"] == "share")
        thresholds = {threshold.name for threshold in self.outcome(row).thresholds}
        of_people = row["statistic"] in {"share", "count", "baseline_zero", *thresholds}
        return of_people or (row["statistic"].startswith("improved_") and not row["statistic"].endswith("_anyway"))

    # What follows from the questions alone.

    def _what_everybody_knows(self, instrument: Instrument) -> None:
        for row in self.rows:
            if row["exposure"] == "respondents":
                continue
            if self.is_diary(row):
                self._in_the_diary(row)
            elif row["outcome"] != "respondents":
                self._within_a_level(row, instrument)
            if row["level"] == "all":
                self._over_levels(row)

    def _over_levels(self, row: Row) -> None:
        levels = [{**row, "level": level} for level in self.levels[row["exposure"]] if level != "all"]
        counts: list[Callable[[Row], Key]] = [self.people]
        if row["outcome"] != "respondents":
            counts.append(self.asked)
            if self.is_share(row):
                counts.append(self.events)
            elif row["statistic"] in MEANS:
                counts.append(lambda each: self.total(each, row["statistic"]))
        for count in counts if levels else ():
            self.known.sums(count(row), [count(level) for level in levels])

    def _over_a_crossing(self, exposure: str, release: Release) -> None:
        """Cells add up to the levels of either item that are made of the same answers."""
        inside = {level.label: [m.split("__x__") for m in level.members] for level in release.levels[exposure]}
        rows = [row for row in self.rows if row["exposure"] == exposure and row["level"] == "all"]
        for side, item in enumerate(exposure.split("_by_")):
            for answers in {frozenset(pair[side] for pair in pairs) for pairs in inside.values()}:
                cells = [label for label, pairs in inside.items() if answers == {pair[side] for pair in pairs}]
                wholes = [level.label for level in release.levels[item] if answers >= set(level.members)]
                for row in rows:
                    self._add_up(row, (exposure, cells), (item, wholes))

    def _add_up(self, row: Row, *sides: tuple[str, list[str]]) -> None:
        one, other = ([{**row, "exposure": e, "level": level} for level in levels] for e, levels in sides)
        counts: list[Callable[[Row], Key]] = [self.people]
        if (sides[1][0], row["outcome"]) in self.outcomes or self.is_diary(row):
            counts += [self.asked, *([self.events] if self.is_share(row) else [])]
        for count in counts:
            terms = dict.fromkeys(map(count, one), 1.0) | dict.fromkeys(map(count, other), -1.0)
            self.known.equal.append((terms, 0.0))

    def _within_a_level(self, row: Row, instrument: Instrument) -> None:
        asked, outcome, know = self.asked(row), self.outcome(row), self.known
        know.no_more(dict.fromkeys(self._concerned(row), -1.0) | self._concerned(row, -1) | {asked: 1})
        if self.is_share(row):
            know.no_more({self.events(row): 1, asked: -1})
        if outcome.left_out:
            self._left_out(row)
            return
        question = row["outcome"].split("__")[0]
        if outcome.above is not None:
            self._limits(row, instrument.items[question])
        elif (options := instrument.items[question].options) and outcome.is_share:
            chosen = [self.events({**row, "outcome": f"{question}__{option.code}"}) for option in options]
            know.no_more(dict.fromkeys(chosen, -1.0) | {asked: 1.0})  # everybody chose something
            if outcome.one_of:
                know.sums(asked, chosen)
            for alone in (one for one, option in zip(chosen, options, strict=True) if option.exclusive):
                for other in chosen if not outcome.one_of else ():
                    if other != alone:
                        know.no_more({other: 1, alone: 1, asked: -1})
        if not outcome.is_share:
            self._on_the_scale(row, outcome)
        if outcome.baseline:
            self._before_and_after(row, outcome)

    def _concerned(self, row: Row, sign: float = 1) -> dict[Key, float]:
        """The people whom a row's question concerns, as a sum."""
        condition = self.condition(row)
        aside = {self.aside(row, condition): -sign} if condition else {}
        return {self.people(row): sign} | aside

    def _missing(self, row: Row, answered: Key) -> dict[Key, float]:
        return self._concerned(row) | {answered: -1}

    def _in_the_diary(self, row: Row) -> None:
        """Who answered in a diary keeps one, and who keeps one answered."""
        kept = self.events({**row, "outcome": "diary_kept", "statistic": "share"})
        self.known.no_more({kept: 1, self.people(row): -1})
        if row["outcome"] != "diary_kept":
            self.known.no_more({self.asked(row): 1, kept: -1})

    def _left_out(self, row: Row) -> None:
        """A question was left out by all whom it concerns and who did not answer it."""
        question, know = row["outcome"].split("__")[0], self.known
        know.equal.append((self._concerned(row) | {self.asked(row): -1}, 0.0))
        if any(o.item == question and not o.left_out for o in self.outcomes.values()):
            answered = know.unknown((*self.where(row), question, "after"))
            know.equal.append((self._missing(row, answered) | {self.events(row): -1.0}, 0.0))

    def _limits(self, row: Row, item: Item) -> None:
        """Who is above a limit is above a lower one, and who is above it under some reading is so under the worst case."""
        question, _, tail = row["outcome"].partition("__above_")
        reading = self.outcome(row).reading
        ordered = sorted(item.limits, key=lambda limit: limit.above)
        ending = f"__{reading}" if reading else ""
        for lower, higher in pairwise(f"{question}__above_{limit.code}{ending}" for limit in ordered):
            self.known.no_more({self.events({**row, "outcome": higher}): 1, self.events({**row, "outcome": lower}): -1})
        if reading and reading != "worst_case":
            worst = f"{question}__above_{tail.removesuffix(ending)}__worst_case"
            self.known.no_more({self.events(row): 1, self.events({**row, "outcome": worst}): -1})
        if reading:
            plain = self.known.unknown((*self.where(row), question, "after"))
            self.known.no_more({plain: 1, self.asked(row): -1})

    def _on_the_scale(self, row: Row, outcome: Outcome) -> None:
        low, step = outcome.grid.start, outcome.grid.step
        high = low + step * (outcome.grid.size - 1)
        asked, total = self.asked(row, "after"), self.total(row)
        self.known.no_more({asked: low, total: -1})
        self.known.no_more({total: 1, asked: -high})
        for threshold in outcome.thresholds:
            if threshold.at_most is not None:
                events, last = self.events(row, threshold.name), threshold.at_most
                self.known.no_more({total: 1, events: high - last, asked: -high})
                self.known.no_more({total: -1, events: low - last - step, asked: last + step})

    def _before_and_after(self, row: Row, outcome: Outcome) -> None:
        before, after, both, above = (self.asked(row, among) for among in ("before", "after", "both", "above zero"))
        know = self.known
        know.no_more({both: 1, before: -1})
        know.no_more({both: 1, after: -1})
        know.no_more({before: 1, after: 1, both: -1, self.people(row): -1})
        know.sums(both, [above, self.events(row, "baseline_zero")])
        reach = outcome.grid.step * (outcome.grid.size - 1)
        for statistic, asked, low, high in (
            ("mean_baseline", before, outcome.grid.start, outcome.grid.start + reach),
            ("mean_change", both, -reach, reach),
        ):
            total = self.total(row, statistic)
            know.no_more({asked: low, total: -1})
            know.no_more({total: 1, asked: -high})
        by_per_cent = sorted(
            [(t.percent, t.name) for t in outcome.thresholds if t.percent]
            + [(float(p), f"improved_{p}") for p in outcome.responder_curve if p not in (30, 50)]
        )
        for (_, lower), (_, higher) in pairwise(by_per_cent):
            know.no_more({self.events(row, higher): 1, self.events(row, lower): -1})

    # What the release says.

    def _what_a_row_says(self, row: Row) -> None:
        asked, know = self.asked(row), self.known
        know.unknown(asked, *behind(row["n_respondents"]))
        if self.is_share(row):
            events = self.events(row)
            told = row["estimate"] if row["statistic"] == "count" else row["estimate"] * row["n_respondents"]
            know.unknown(events, *behind(round(told / BASE) * BASE))
            if (row["outcome"], row["level"]) != ("respondents", "all"):
                know.no_more({events: 1, asked: -1}, -MIN_N)
        elif row["statistic"] in MEANS:
            self._what_a_mean_says(row, asked)
        if row["outcome"] != "respondents" and not self.is_diary(row) and not self.outcome(row).left_out:
            low, high = (0, MIN_N - 1) if row["n_missing"] is None else behind(row["n_missing"])
            answered = self.asked(row, "both") if self.among(row) == "above zero" else asked
            missing = self._missing(row, answered)
            know.no_more(missing, high)
            know.no_more({key: -weight for key, weight in missing.items()}, -low)
        if row["statistic"] in QUARTILES:
            self._what_a_quartile_says(row, asked)

    def _what_a_mean_says(self, row: Row, asked: Key) -> None:
        self.known.unknown(asked, POLICY.min_n_for_statistics)
        n, total = row["n_respondents"], self.total(row, row["statistic"])
        decimals = 2 if n >= 200 else 1
        slack = HALF_A_DIGIT * 10**-decimals
        self.known.no_more({total: 1, asked: -(row["estimate"] + slack)})
        self.known.no_more({total: -1, asked: row["estimate"] - slack})

    def _what_a_quartile_says(self, row: Row, asked: Key) -> None:
        """How many lie at or below a value that counts as a threshold, as the quartile lies at or below it, or above."""
        part = QUARTILES[row["statistic"]]
        for threshold in self.outcome(row).thresholds:
            if threshold.at_most is not None:
                below = {self.events(row, threshold.name): 1.0}
                is_below = row["estimate"] <= threshold.at_most
            elif threshold.at_least is not None:
                below = {asked: 1.0, self.events(row, threshold.name): -1.0}
                is_below = row["estimate"] < threshold.at_least
            else:
                continue
            sign = -1 if is_below else 1
            terms = {key: sign * weight for key, weight in below.items()}
            self.known.no_more(terms | {asked: terms.get(asked, 0.0) - sign * part})

    # What questions say of each other.

    def _what_questions_say_of_each_other(self) -> None:
        seen: set[Key] = set()
        for row in self.rows:
            if row["outcome"] == "respondents" or self.is_diary(row) or row["level"] == "all" == row["exposure"]:
                continue
            if condition := self.condition(row):
                self._whom_it_concerns(row, condition, seen)
            outcome = self.outcome(row)
            key = (*self.where(row), row["outcome"], row["statistic"])
            is_plain = outcome.is_share and outcome.reading is None and row["statistic"] in ("share", "count")
            if is_plain and key not in seen:
                seen.add(key)
                self._the_same_question(row, outcome)

    def _whom_it_concerns(self, row: Row, condition: Condition, seen: set[Key]) -> None:
        aside = self.aside(row, condition)
        if aside in seen:
            return
        seen.add(aside)
        values = {*condition.values, "not_stated"}
        self._between(row, condition.item, {aside: 1}, lambda atom: atom not in values)
        for name, item in self.instrument.items.items():
            if item.applies_if and (item.applies_if.item, item.applies_if.values) == (condition.item, condition.values):
                self._between(row, name, {aside: 1}, lambda atom: atom == "not_applicable")

    def _the_same_question(self, row: Row, outcome: Outcome) -> None:
        """Where people are told apart by the very question, how many gave an answer is how many are in its levels."""
        item, asked = self.instrument.items[outcome.item], self.asked(row)
        answered = asked if not outcome.left_out else None
        for kind, terms in (
            ("events", {self.events(row): 1.0}),
            ("others", {asked: 1.0, self.events(row): -1.0}),
            ("missing", self._missing(row, answered) if answered else None),
        ):
            if terms:
                self._between(row, outcome.item, terms, partial(_kind_of, outcome, item, kind))

    def _between(self, row: Row, exposure: str, terms: dict[Key, float], inside: Callable[[str], bool | None]) -> None:
        """People are no fewer than those in levels that lie wholly inside, and no more than those that lie in part inside.
        Where it cannot be told of an atom, it may be inside or not.
        """
        for parts in self._parts(row, exposure):
            wholly = [key for members, key in parts if all(inside(atom) is True for atom in members)]
            partly = [key for members, key in parts if any(inside(atom) is not False for atom in members)]
            self.known.no_more(dict.fromkeys(wholly, 1.0) | {key: -weight for key, weight in terms.items()})
            self.known.no_more(dict.fromkeys(partly, -1.0) | terms)

    def _parts(self, row: Row, exposure: str) -> Iterator[list[tuple[Collection[str], Key]]]:
        """Ways to cut the people of a row by the levels of an exposure: its atoms in each part, and the people there."""
        if row["level"] == "all":
            if exposure in self.published:
                levels = self.published[exposure]
                yield [(one.members, self.people({"exposure": exposure, "level": one.label})) for one in levels]
            return
        mine = next(one for one in self.published[row["exposure"]] if one.label == row["level"])
        if row["exposure"] == exposure:
            yield [(mine.members, self.people(row))]
        sides = row["exposure"].split("_by_")
        if len(sides) == 2 and exposure in sides:
            pairs = [member.split("__x__")[sides.index(exposure)] for member in mine.members]
            yield [(set(pairs), self.people(row))]
        for crossing, side in ((f"{row['exposure']}_by_{exposure}", 0), (f"{exposure}_by_{row['exposure']}", 1)):
            cells: list[tuple[Collection[str], Key]] = []
            for one in self.published.get(crossing, ()):
                members = [member.split("__x__") for member in one.members]
                if {pair[side] for pair in members} == set(mine.members):
                    here = self.people({"exposure": crossing, "level": one.label})
                    cells.append(({pair[1 - side] for pair in members}, here))
            if cells:
                yield cells

    # What stages say.

    def _what_stages_say(self, release: Release) -> None:
        keys = {stage.stage: self.known.unknown(("stage", stage.stage)) for stage in release.stages}
        for stage in release.stages:
            if stage.n is not None:
                self.known.unknown(keys[stage.stage], *behind(stage.n))
        read = keys.pop("rows_read")
        self.known.sums(read, keys.values())
        self.known.sums(("all", "people"), [keys["rows_kept"]])

    # What can be concluded.

    def counts(self, row: Row, exact: Row) -> Iterator[tuple[str, dict[Key, float], int]]:
        """The counts behind a row: a name, how it is made of unknowns, and the truth."""
        yield "people", {self.people(row): 1}, exact["n_level"]
        if row["outcome"] == "respondents":
            return
        n = exact["n_respondents"]
        if self.is_diary(row):
            yield from self._of_a_diary(row, exact)
            return
        yield "respondents", {self.asked(row): 1}, n
        if self.is_share(row):
            yield "events", {self.events(row): 1}, exact["n_events"]
            yield "others", {self.asked(row): 1, self.events(row): -1}, n - exact["n_events"]
        answered = self.asked(row, "both") if self.among(row) == "above zero" else self.asked(row)
        yield "missing", self._missing(row, answered), exact["n_missing"]
        if (condition := self.condition(row)) and self.among(row) != "above zero" and not self.outcome(row).left_out:
            yield "aside", {self.aside(row, condition): 1}, exact["n_level"] - n - exact["n_missing"]

    def _of_a_diary(self, row: Row, exact: Row) -> Iterator[tuple[str, dict[Key, float], int]]:
        n = exact["n_respondents"]
        if row["outcome"] != "diary_kept":
            yield "respondents", {self.asked(row): 1}, n
            return
        yield "events", {self.events(row): 1}, exact["n_events"]
        yield "others", {self.people(row): 1, self.events(row): -1}, n - exact["n_events"]


@dataclass(frozen=True)
class Found:
    """What the attacker concludes of one small count."""

    kind: str
    truth: int
    least: int
    most: int
    about: tuple[str, str, str, str]

    @property
    def is_too_close(self) -> bool:
        return self.least > 1 or self.most < MIN_N - 1


def attack(release: Release, exact: pl.DataFrame, instrument: Instrument) -> list[Found]:
    """What the attacker concludes of every count from 1 to 9, each once."""
    attacker = Attacker(release, instrument)
    wanted: dict[Any, tuple[str, dict[Key, float], int, tuple[str, str, str, str]]] = {}
    for row, truth in zip(attacker.rows, exact.iter_rows(named=True), strict=True):
        if row["exposure"] == "respondents":
            continue
        for kind, terms, n in attacker.counts(row, truth):
            if 0 < n < MIN_N:
                about = (row["exposure"], row["level"], row["outcome"], row["statistic"])
                wanted.setdefault(tuple(sorted(terms.items())), (kind, terms, n, about))
    return [_conclusion(attacker.known, *each) for each in wanted.values()]


def _conclusion(
    known: Programme, kind: str, terms: Mapping[Key, float], n: int, about: tuple[str, str, str, str]
) -> Found:
    least, most = known.interval(terms)
    assert least <= n <= most, "what the attacker believes must be true"
    return Found(kind, n, least, most, about)


def _kind_of(outcome: Outcome, item: Item, kind: str, atom: str) -> bool | None:
    """Whether people in an atom of an item are among the events of one of its outcomes (or the others, or the missing)."""
    found = _is_event(atom, outcome, item)
    if atom == "not_applicable":
        return False
    if outcome.left_out:
        return (atom == "not_stated") == (kind == "events")
    if kind == "missing" or atom == "not_stated":
        return atom == "not_stated" and kind == "missing"
    return None if found is None else found == (kind == "events")


def _is_event(atom: str, outcome: Outcome, item: Item) -> bool | None:
    if outcome.above is not None and atom.startswith("stretch_"):
        place, ends = int(atom.removeprefix("stretch_")), band_ends(item)
        starts, ends_at = ends[place - 1][0] if place else -inf, ends[place][0]
        starts_beyond = place > 0 and (starts > outcome.above or (starts == outcome.above and ends[place - 1][1]))
        return True if starts_beyond else False if ends_at <= outcome.above else None
    if outcome.code:
        return atom == outcome.code
    if item.kind is Kind.YES_NO:
        return atom == "yes"
    if item.kind is Kind.CHOICES and item.level_codes.count(atom):
        alone = [option.code for option in item.options]
        return outcome.name == f"{outcome.item}__{atom}" if atom in alone else None
    return None

"""What an attacker knows who holds a release: linear constraints on the counts behind it.

The attacker knows the instrument, the policy and every published row of every table, and writes all of it down: rounding
and printed digits are intervals, levels add up to everybody, options to those who answered, means to sums on a bounded scale,
and answers to one question say who is asked another.

The constraints are a relaxation: people need not be whole, and where the rules leave two cases open ("few enough to be told
together", or not) anything between the two is allowed. A real attacker may know more; but what this one concludes is true.

What belongs here: what can be known of one release. None of it uses the code that hides or proves. What does not: knowing
two releases (`together`), and what is concluded (`attacker`).
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from itertools import pairwise, product
from math import inf
from typing import Any

from linear import Key, Programme, Terms

from survey_pipeline.instrument import Condition, Instrument, Item, Kind, Threshold
from survey_pipeline.levels import band_ends
from survey_pipeline.outcomes import Outcome, exposures
from survey_pipeline.release import Release

Row = Mapping[str, Any]
Apart = tuple[Terms, Key]
"""People who are told by themselves where they are many, and the case that they are."""
Counted = tuple[str, dict[Key, float], int]
"""A count behind a row: its kind, how it is made of unknowns, and the truth."""
MEANS = ("mean", "mean_baseline", "mean_change")
QUARTILES = {"quartile_1": 0.25, "median": 0.5, "quartile_3": 0.75}
HALF_A_DIGIT = 0.5 + 1e-6
CASE, STAGE, SUM = "case", "stage", "sum"
"""How unknowns are called that are no counts of people in a level."""


class Attacker:
    """Everything that can be known from a release, and what can be concluded from it."""

    def __init__(
        self, release: Release, instrument: Instrument, known: Programme | None = None, tag: tuple[str, ...] = ()
    ) -> None:
        self.outcomes = {(e, o.name): o for e, found in exposures(instrument).items() for o in found}
        self.instrument, self.published, self.policy = instrument, release.levels, release.policy
        self.known, self.tag = known if known is not None else Programme(), tag
        self.cases: dict[Key, Terms] = {}
        self.rows: list[Row] = [vars(row) for row in release.rows]
        self.most = self._most_people(release)
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

    def _most_people(self, release: Release) -> float:
        """No count of people is more than the answers used."""
        kept = [stage.n for stage in release.stages if stage.stage == "rows_kept" and stage.n is not None]
        return self.behind(kept[0])[1] if kept else 10**6

    def behind(self, published: int) -> tuple[float, float]:
        """What a published count can have been."""
        half = self.policy.rounding_base // 2
        return (0, 0) if published == 0 else (max(self.policy.min_n, published - half), published + half)

    # What the counts behind a row are called. Everybody is the same everybody in every table.

    def where(self, row: Row) -> Key:
        return (*self.tag, *(("all",) if row["level"] == "all" else (row["exposure"], row["level"])))

    def count(self, row: Row, *what: str) -> Key:
        """Some people in the level of a row."""
        return self.known.unknown((*self.where(row), *what), most=self.most)

    def people(self, row: Row) -> Key:
        return self.count(row, "people")

    def case(self, row: Row, *what: str) -> Key:
        """1 where a count is at least min_n, 0 where it is less."""
        return self.known.unknown((CASE, *self.where(row), *what), most=1)

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
        return self.count(row, "not", condition.item, *condition.values)

    def asked(self, row: Row, among: str | None = None) -> Key:
        """The denominator of a row."""
        if row["outcome"] == "respondents":
            return self.people({"level": "all"})
        if row["outcome"] == "diary_kept":
            return self.people(row)
        if among is None and not self.is_diary(row) and self.outcome(row).left_out:
            return self.count(row, self.question(row), "concerned")
        return self.count(row, self.question(row), among or self.among(row))

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
        return self.count(row, row["outcome"], said, "events")

    def total(self, row: Row, statistic: str = "mean") -> Key:
        """The sum of all answers behind a mean, which may be negative for a change."""
        return self.known.unknown((*self.where(row), row["outcome"], statistic, SUM), least=-inf)

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
            self.known.equals(terms)

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
        know.equals(self._concerned(row) | {self.asked(row): -1})
        if any(o.item == question and not o.left_out for o in self.outcomes.values()):
            answered = self.count(row, question, "after")
            know.equals(self._missing(row, answered) | {self.events(row): -1.0})

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
            plain = self.count(row, question, "after")
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
        rows = [
            {**row, "statistic": threshold.name} for threshold in outcome.thresholds if not threshold.needs_baseline
        ]
        for lower, higher in pairwise(sorted(rows, key=lambda row: self.reached(row) or ("", 0.0))):
            self.known.no_more(between(self.beyond(higher), self.beyond(lower)))

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
        if row["statistic"].endswith("_anyway"):
            return  # of the same people as the row beside it
        asked = self.asked(row)
        self._how_many(row, asked)
        if self.is_share(row):
            self._what_a_share_says(row, asked)
        elif row["statistic"] in MEANS:
            self._what_a_mean_says(row, asked)
        elif row["statistic"] in QUARTILES:
            self._what_a_quartile_says(row, asked)

    def _what_a_share_says(self, row: Row, asked: Key) -> None:
        events, base = self.events(row), self.policy.rounding_base
        told = row["estimate"] if row["statistic"] == "count" else row["estimate"] * row["n_respondents"]
        self.known.unknown(events, *self.behind(round(told / base) * base))
        if (row["outcome"], row["level"]) != ("respondents", "all"):
            self.known.no_more({events: 1, asked: -1}, -self.policy.min_n)

    # How many people stand beside an estimate: those who were asked, while few of them are missing or set aside.

    def _how_many(self, row: Row, asked: Key) -> None:
        low, high = self.behind(row["n_respondents"])
        people = {self.people(row): 1.0}
        if row["outcome"] == "respondents" or self.is_diary(row):
            self.known.unknown(asked, low, high)
        elif self.outcome(row).left_out:
            self._told(people, self._not_concerned(row), low, high)
        else:
            self.known.unknown(asked, self._fewest(row))
            self._how_many_answered(row, asked, low, high)

    def _how_many_answered(self, row: Row, asked: Key, low: float, high: float) -> None:
        """A number of people missing is told where they are many; where it is empty, they are counted with the others."""
        among, answered, began = self.among(row), asked, list[Apart]()
        if among == "above zero":
            answered = self.asked(row, "both")
            began = [({answered: 1.0, asked: -1.0}, self.case(row, self.question(row), "began at 0"))]
        people, apart = {self.people(row): 1.0}, self._not_concerned(row)
        gap = people | {answered: -1.0}
        if row["n_missing"] is None:
            self._told(gap, apart, 0, self.policy.min_n - 1)
            self._told(people, [*apart, *began], low, high)
        elif among in ("both", "above zero"):
            told = (CASE, *self.where(row), self.question(row), "told missing")
            self.known.unknown(told, *self.behind(row["n_missing"]))
            self._told(people | {told: -1.0}, [*apart, *began], low, high)
            self._missing_once(row, gap, told, apart)
        else:
            self._told(gap, apart, *self.behind(row["n_missing"]))
            self.known.unknown(asked, low, high)

    def _missing_once(self, row: Row, gap: Terms, told: Key, apart: "list[Apart]") -> None:
        """Of people who lack one of two answers or both, the number told is that of all of them where many lack the one and
        many the other; that of those who lack the one where few lack the other; and min_n where few lack either.
        """
        most, once = self.most, dict[Key, Terms]()
        self._told({**gap, told: -1.0}, apart, 0, inf)
        for among in ("before", "after"):
            lacking = {self.people(row): 1.0, self.asked(row, among): -1.0}
            many = self.case(row, self.question(row), "missing", among)
            self._told({**lacking, told: -1.0}, apart, -inf, 0)
            self._told({**lacking, many: -float(self.policy.min_n)}, apart, 0, inf)
            self._told({**lacking, many: -most}, apart, -inf, self.policy.min_n - 1)
            once[many] = lacking
            if not apart:
                self.cases[many] = lacking
        self._told({**gap, told: -1.0} | dict.fromkeys(once, most), apart, -inf, 2 * most)
        for many, mine in once.items():
            other = next(key for key in once if key != many)
            self._told({**mine, told: -1.0, many: -most, other: most}, apart, -most, inf)
        self.known.no_more({told: 1.0} | dict.fromkeys(once, -most), self.policy.min_n)

    def _fewest(self, row: Row) -> float:
        """What is shown needs enough people, and a share enough on either side."""
        return 2 * self.policy.min_n if self.is_share(row) else self.policy.min_n_for_statistics

    def _not_concerned(self, row: Row) -> "list[Apart]":
        """Whom the question does not concern; nobody for most questions."""
        condition = self.condition(row)
        if not condition:
            return []
        return [({self.aside(row, condition): 1.0}, self.case(row, "not", condition.item, *condition.values))]

    def _told(self, total: Terms, apart: "list[Apart]", low: float, high: float) -> None:
        """A sum without those parts that are min_n or more lies in a range: for each part it is open whether it is taken off.

        With `case` 1 where a part is taken off: whatever else is taken off and need not be, was less than min_n each; and
        whatever else is not taken off and must be, was no more than all people.
        """
        for part, case in apart:
            self._is_case(part, case)
        for off in product((False, True), repeat=len(apart)):
            terms, wrongly, rightly = _plus(total, {}, 1), dict[Key, float](), dict[Key, float]()
            for (part, case), is_off in zip(apart, off, strict=True):
                if is_off:
                    terms = _plus(terms, part, -1)
                    wrongly[case] = 1.0 - self.policy.min_n
                else:
                    rightly[case] = -self.most
            if high < inf:
                self.known.no_more(terms | rightly, high)
            if low > -inf:
                self.known.no_less(terms | wrongly, low + sum(wrongly.values()))

    def _is_case(self, terms: Terms, case: Key) -> None:
        """The case is that a count is min_n or more."""
        self.cases[case] = terms
        self.known.no_less({**terms, case: -float(self.policy.min_n)})
        self.known.no_more({**terms, case: -self.most}, self.policy.min_n - 1)

    def _what_a_mean_says(self, row: Row, asked: Key) -> None:
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
        keys = {stage.stage: self.known.unknown((STAGE, stage.stage, *self.tag)) for stage in release.stages}
        for stage in release.stages:
            if stage.n is not None:
                self.known.unknown(keys[stage.stage], *self.behind(stage.n))
        read = keys.pop("rows_read")
        self.known.sums(read, keys.values())
        self.known.sums(self.people({"level": "all"}), [keys["rows_kept"]])

    # What can be concluded.

    def counts(self, row: Row, exact: Row) -> Iterator[Counted]:
        """The counts behind a row: a name, how it is made of unknowns, and the truth."""
        yield "people", {self.people(row): 1.0}, exact["n_level"]
        if row["outcome"] == "respondents":
            return
        n = exact["n_respondents"]
        if self.is_diary(row):
            yield from self._of_a_diary(row, exact)
            return
        yield "respondents", {self.asked(row): 1.0}, n
        if self.is_share(row):
            yield "events", {self.events(row): 1.0}, exact["n_events"]
            yield "others", {self.asked(row): 1.0, self.events(row): -1.0}, n - exact["n_events"]
        answered = self.asked(row, "both") if self.among(row) == "above zero" else self.asked(row)
        yield "missing", self._missing(row, answered), exact["n_missing"]
        if (condition := self.condition(row)) and self.among(row) != "above zero" and not self.outcome(row).left_out:
            yield "aside", {self.aside(row, condition): 1.0}, exact["n_level"] - n - exact["n_missing"]

    # Counts that lie within each other.

    def reached(self, row: Row) -> tuple[str, float] | None:
        """Of a share that counts who reaches something: a name for what is reached, and how much of it."""
        if row["outcome"] == "respondents" or self.is_diary(row):
            return None
        outcome, statistic = self.outcome(row), str(row["statistic"])
        if outcome.above is not None:
            return f"above {outcome.item} {outcome.reading}", outcome.above
        if (found := self._threshold(row)) is None:
            percent = statistic.removeprefix("improved_")
            return (f"{outcome.name} %", float(percent)) if percent.isdecimal() else None
        if found.needs_baseline:
            return f"{outcome.name} {'%' if found.percent else 'points'}", found.percent or found.points or 0.0
        if found.at_most is not None:
            return outcome.name, found.at_most + outcome.grid.step
        return outcome.name, found.at_least or 0.0

    def _threshold(self, row: Row) -> Threshold | None:
        return {each.name: each for each in self.outcome(row).thresholds}.get(row["statistic"])

    def _is_down(self, row: Row) -> bool:
        """Whether those are counted who do not go beyond a threshold."""
        found = self._threshold(row)
        return found is not None and found.at_most is not None

    def beyond(self, row: Row) -> dict[Key, float]:
        """Those who reach it."""
        events = self.events(row)
        return {self.asked(row): 1.0, events: -1.0} if self._is_down(row) else {events: 1.0}

    def truly_beyond(self, row: Row, exact: Row) -> int:
        events = int(exact["n_events"])
        return int(exact["n_respondents"]) - events if self._is_down(row) else events

    def _of_a_diary(self, row: Row, exact: Row) -> Iterator[Counted]:
        n = exact["n_respondents"]
        if row["outcome"] != "diary_kept":
            yield "respondents", {self.asked(row): 1.0}, n
            return
        yield "events", {self.events(row): 1.0}, exact["n_events"]
        yield "others", {self.people(row): 1.0, self.events(row): -1.0}, n - exact["n_events"]


def between(lower: Terms, higher: Terms) -> dict[Key, float]:
    """Those who reach the one thing and not the other one."""
    return {key: lower.get(key, 0.0) - higher.get(key, 0.0) for key in {**lower, **higher}}


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


def _plus(terms: Terms, others: Terms, factor: float) -> dict[Key, float]:
    """The sum of two weighted sums, without what cancels out."""
    found = dict(terms)
    for key, weight in others.items():
        found[key] = found.get(key, 0.0) + factor * weight
    return {key: weight for key, weight in found.items() if weight}

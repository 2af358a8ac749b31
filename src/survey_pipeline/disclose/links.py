"""What the questions of a survey say of each other: counts that an outsider who knows the questions can set equal.

What belongs here: whom a question does not concern, by the question that decides; answers that are levels as well; limits
that are nested; options that exclude all others. What does not: sums that every row has by itself (`sums`), and any number.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from survey_pipeline import names
from survey_pipeline.disclose.rows import (
    ANSWERED,
    Key,
    Row,
    Sum,
    aside,
    events,
    is_nonresponse,
    is_presence,
    is_share,
    kind_of,
    missing,
    others,
    people,
    respondents,
    where,
)
from survey_pipeline.instrument import LEFT_OUT, Condition, Instrument, Item, Kind
from survey_pipeline.levels import Crossing, Level, exposure_of, lies_above, split
from survey_pipeline.names import ALL_LEVELS, NOT_APPLICABLE, NOT_STATED, READING_WORST_CASE, option_column
from survey_pipeline.outcomes import Outcome, exposures

Inside = Callable[[str], bool | None]
"""Whether people in an atom are among those counted; None where some may be."""
Known = tuple[str, str, str]
"""An exposure, one of its levels, and an exposure by which something is known of the people in it."""
Part = tuple[frozenset[str], tuple[str, str, str]]
"""A level's atoms, and the people in it."""


@dataclass(frozen=True)
class Links:
    """What can be known of a survey besides its numbers: its questions, and the levels of its tables."""

    instrument: Instrument
    levels: Mapping[str, Sequence[Level]]

    def sums(self, rows: Sequence[Row]) -> list[Sum]:
        """All that adds up because of the questions."""
        single = {(*where(row), row[names.OUTCOME], kind_of(row)): row for row in rows if not is_presence(row)}
        known = [row for row in single.values() if str(row[names.OUTCOME]) in self._outcomes]
        found = [each for row in known if is_share(row) for each in self._of_row(row, single)]
        return found + [each for row in known for each in self._of_condition(row)]

    @cached_property
    def _outcomes(self) -> dict[str, Outcome]:
        return {outcome.name: outcome for found in exposures(self.instrument).values() for outcome in found}

    def _item(self, row: Row) -> Item:
        return self.instrument.items[self._outcomes[str(row[names.OUTCOME])].item]

    # --- Whom a question concerns ------------------------------------------------------------------------------------

    def _of_condition(self, row: Row) -> Iterator[Sum]:
        """Whom a question does not concern: the same people for all questions with the same condition."""
        condition = self._item(row).applies_if
        if condition is None:
            return
        unconcerned = (*where(row), "not", condition.item, *condition.values)
        yield Sum(aside(row), (unconcerned,))
        values = {*condition.values, NOT_STATED}
        yield from self._between(row, condition.item, unconcerned, lambda atom: atom not in values)
        for name in self._with_the_same(condition):
            yield from self._between(row, name, unconcerned, lambda atom: atom == NOT_APPLICABLE)

    def _with_the_same(self, condition: Condition) -> Iterator[str]:
        """Questions that concern the same people and by whose answers people are told apart."""
        for name in self.levels:
            item = self.instrument.items.get(name)
            if item and item.applies_if and _who(item.applies_if) == _who(condition):
                yield name

    # --- The same answers, told in two ways --------------------------------------------------------------------------

    def _of_row(self, row: Row, single: Mapping[tuple[object, ...], Row]) -> Iterator[Sum]:
        outcome = self._outcomes[str(row[names.OUTCOME])]
        if kind_of(row) != "share":
            return
        if outcome.above is not None:
            yield from self._of_limit(row, outcome, single)
        if outcome.reading is None:
            yield from self._of_answers(row, outcome)
        if self._is_exclusive(outcome):
            for other in self._options_beside(row, outcome, single):
                yield Sum(others(row), (events(other), (*events(other), "others of", *others(row))))

    def _of_answers(self, row: Row, outcome: Outcome) -> Iterator[Sum]:
        """Where people are told apart by the very question, how many said so is how many are in its levels."""
        counts = {"events": events(row), "others": others(row)}
        if not is_nonresponse(row):
            counts |= {"missing": missing(row), "answered": respondents(row)}
        for kind, key in counts.items():
            yield from self._between(row, outcome.item, key, _among(kind, outcome, self._item(row)))

    def _of_limit(self, row: Row, outcome: Outcome, single: Mapping[tuple[object, ...], Row]) -> Iterator[Sum]:
        """Who is above a limit is above a lower one, and who is above it under some reading is so under the worst case. All
        readings are of the same people; a dose in numbers is read where there are no words, so some may have words alone.
        """
        item, read = self._item(row), outcome.reading or "as answered"
        answered = (*where(row), outcome.item, read if outcome.reading is None else "as read", ANSWERED)
        yield Sum(respondents(row), (answered,))
        if outcome.reading:
            plain = (*where(row), outcome.item, "as answered", ANSWERED)
            yield Sum(answered, (plain, (*plain, "words alone")))
        elif gap := single.get((*where(row), option_column(outcome.item, LEFT_OUT), "share")):
            yield Sum(missing(row), (events(gap),))
        for wider in _wider(outcome, item):
            if found := single.get((*where(row), wider, "share")):
                rest = (*events(found), "not", *events(row))
                yield Sum(events(found), (events(row), rest))
                yield Sum(others(row), (others(found), rest))

    def _is_exclusive(self, outcome: Outcome) -> bool:
        item = self.instrument.items.get(outcome.item)
        if item is None or item.kind is not Kind.CHOICES:
            return False
        return any(o.exclusive and option_column(outcome.item, o.code) == outcome.name for o in item.options)

    def _options_beside(self, row: Row, outcome: Outcome, single: Mapping[tuple[object, ...], Row]) -> Iterator[Row]:
        for option in self._item(row).options:
            name = option_column(outcome.item, option.code)
            if name != outcome.name and (found := single.get((*where(row), name, "share"))):
                yield found

    # --- Levels ------------------------------------------------------------------------------------------------------

    def _between(self, row: Row, exposure: str, counted: Key, inside: Inside) -> Iterator[Sum]:
        """Those counted are all people of the levels inside, and some of those that lie in part inside. The row's
        other people are all the rest.
        """
        for parts in self._parts(row, exposure):
            within: list[Key] = []
            without: list[Key] = []
            for atoms, level in parts:
                said = {inside(atom) for atom in atoms}
                if len(said) == 1 and None not in said:
                    (within if said == {True} else without).append(level)
                    continue
                within.append((*level, "in", *counted))
                without.append((*level, "not in", *counted))
                yield Sum(level, (within[-1], without[-1]))
            yield Sum(counted, tuple(within))
            yield Sum(people(row), (counted, *without))

    def _parts(self, row: Row, exposure: str) -> Iterator[list[Part]]:
        """The ways in which a row's people are cut by the levels of an exposure."""
        mine, level = str(row[names.EXPOSURE]), str(row[names.LEVEL])
        if level == ALL_LEVELS:
            if self.levels.get(exposure):
                yield [(frozenset(one.members), (exposure, one.label, "people")) for one in self.levels[exposure]]
            return
        yield from self._cells.get((mine, level, exposure), ())

    @cached_property
    def _cells(self) -> dict[Known, list[list[Part]]]:
        """What is known of the people in a level by an exposure, from the level itself and from crossings."""
        found: dict[Known, list[list[Part]]] = {}
        for name, levels in self.levels.items():
            exposure = exposure_of(self.instrument, name)
            crossing = exposure if isinstance(exposure, Crossing) else None
            cut = self._crossed(crossing, levels) if crossing else _by_itself(name, levels)
            for key, parts in cut:
                found.setdefault(key, []).append(parts)
        return found

    def _crossed(self, crossing: Crossing, cells: Sequence[Level]) -> Iterator[tuple[Known, list[Part]]]:
        """Cells by each of both sides, and levels of each side by the cells that they are made of."""
        sides = {(crossing.name, cell.label, "people"): split(crossing, cell) for cell in cells}
        factors = (crossing.first.name, crossing.second.name)
        for side, factor in enumerate(factors):
            yield from (((*key[:2], factor), [(both[side], key)]) for key, both in sides.items())
            for level in self.levels.get(factor, ()):
                inside = [(both[1 - side], key) for key, both in sides.items() if both[side] == set(level.members)]
                if inside:
                    yield (factor, level.label, factors[1 - side]), inside


def _by_itself(name: str, levels: Sequence[Level]) -> Iterator[tuple[Known, list[Part]]]:
    for level in levels:
        yield (name, level.label, name), [(frozenset(level.members), (name, level.label, "people"))]


def _who(condition: Condition) -> tuple[str, Collection[str]]:
    return condition.item, frozenset(condition.values)


def _wider(outcome: Outcome, item: Item) -> Iterator[str]:
    """The outcomes among whose people are all that are above a limit."""
    ending = f"__{outcome.reading}" if outcome.reading else ""
    limits = sorted(item.limits, key=lambda limit: limit.above)
    named = {limit.code: option_column(outcome.item, f"above_{limit.code}") for limit in limits}
    for lower, higher in pairwise(limits):
        if named[higher.code] + ending == outcome.name:
            yield named[lower.code] + ending
    if outcome.reading and outcome.reading != READING_WORST_CASE:
        yield option_column(outcome.name.removesuffix(ending), READING_WORST_CASE)


def _among(kind: str, outcome: Outcome, item: Item) -> Inside:
    """Whether people in an atom of the outcome's own question are events, others, missing, or have answered."""

    def inside(atom: str) -> bool | None:
        if atom == NOT_APPLICABLE:
            return False
        if outcome.left_out:
            return (atom == NOT_STATED) == (kind == "events")
        if atom == NOT_STATED or kind in ("missing", "answered"):
            return (atom == NOT_STATED) == (kind == "missing")
        said = _is_event(atom, outcome, item)
        return None if said is None else said == (kind == "events")

    return inside


def _is_event(atom: str, outcome: Outcome, item: Item) -> bool | None:
    """Whether people in an atom said yes to an outcome of the same question; None where some of them may have."""
    if outcome.above is not None:
        return lies_above(atom, outcome.above, item)
    if outcome.code:
        return atom == outcome.code
    if item.kind is Kind.YES_NO:
        return atom == "yes"
    alone = {option.code for option in item.options}
    return outcome.name == option_column(outcome.item, atom) if atom in alone else None

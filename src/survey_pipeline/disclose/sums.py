"""How the counts behind the rows hang together, and what can be told of each from the others.

What belongs here: the sums (levels add up to everybody, events and others to the respondents, options to those who answered,
a crossing to the levels it crosses, responders at a higher threshold to those at a lower one) and narrowing by them. What
does not: choosing what to hide (`protect`).
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from survey_pipeline import names
from survey_pipeline.disclose.rows import (
    ANSWERED,
    COULD_IMPROVE,
    DIARY_KEPT,
    KEEPS_DIARY,
    SHARE,
    WITH_MISSING,
    Interval,
    Key,
    Row,
    Sum,
    aside,
    began_at_nothing,
    both,
    concerned,
    count_of,
    events,
    grouped,
    is_nonresponse,
    is_presence,
    is_share,
    line_of,
    missing,
    others,
    people,
    question,
    respondents,
    silent,
    where,
)
from survey_pipeline.names import ALL_LEVELS, N_EVENTS

Places = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]
MOST = 10**12
"""More than any count of people; sums of as many as there are keys still are exact in binary arithmetic."""
MOST_ROUNDS = 200
ANYTHING: Interval = (0, MOST)
Side = tuple[int, bool]
"""The number of a key, and whether its lower bound is meant."""


# --- What adds up -----------------------------------------------------------------------------------------------------


def sums_of(rows: Sequence[Row]) -> list[Sum]:
    """All that adds up among the rows."""
    found = [each for row in rows if row["among"] in WITH_MISSING for each in _of_people(row)]
    found += [Sum(respondents(row), (events(row), others(row))) for row in rows if _has_others(row)]
    found += [*_of_levels(rows), *_of_crossings(rows), *_of_thresholds(rows), *_of_options(rows), *_of_gaps(rows)]
    found += [Sum(people(row), (respondents(row), aside(row))) for row in rows if row["gap_of"]]
    found += [each for row in rows if row["among"] == COULD_IMPROVE for each in _of_pairs(row)]
    found += [_of_diary(row) for row in rows if row["among"] == KEEPS_DIARY]
    return list(dict.fromkeys(found))


def _of_people(row: Row) -> Iterator[Sum]:
    """Everybody has answered, or has not, or is not concerned."""
    yield Sum(people(row), (respondents(row), silent(row)))
    if row["is_conditional"]:
        yield Sum(silent(row), (missing(row), aside(row)))
        yield Sum(concerned(row), (respondents(row), missing(row)))
        yield Sum(people(row), (concerned(row), aside(row)))


def _of_pairs(row: Row) -> Iterator[Sum]:
    """Who could improve answered before and now, and is among those who answered before, and now."""
    yield Sum(both(row), (respondents(row), began_at_nothing(row)))
    for among in ("answered_before", ANSWERED):
        more = (*where(row), question(row), among)
        yield Sum(more, (both(row), (*more, "but not", *both(row))))


def _of_diary(row: Row) -> Sum:
    """Who answered in a diary keeps one."""
    kept = events({**row, names.OUTCOME: DIARY_KEPT, names.STATISTIC: SHARE})
    return Sum(kept, (respondents(row), (*respondents(row), "not")))


def _has_others(row: Row) -> bool:
    return is_share(row) and not (is_presence(row) and row[names.LEVEL] == ALL_LEVELS)


def _counts_in(row: Row) -> list[Callable[[Row], Key]]:
    """The counts of a row that add up over levels."""
    if is_presence(row):
        return [people]
    gaps = [missing] if row["among"] in WITH_MISSING else []
    return [people, respondents, *gaps, *([events, others] if is_share(row) else [])]


def _of_levels(rows: Sequence[Row]) -> Iterator[Sum]:
    """The levels of one statistic add up to everybody."""
    for places in grouped(rows, line_of):
        everybody = next((rows[place] for place in places if rows[place][names.LEVEL] == ALL_LEVELS), None)
        levels = [rows[place] for place in places if rows[place][names.LEVEL] != ALL_LEVELS]
        if everybody is not None and levels:
            for count in _counts_in(everybody):
                yield Sum(count(everybody), tuple(dict.fromkeys(map(count, levels))))


def sides_of(row: Row) -> list[tuple[str, ...]]:
    """Of a level of a crossing, each side: an exposure and those of its levels that hold the same people as all levels of
    the crossing that say the same. Nothing for other levels.
    """
    return [tuple(side) for side in row["part_of"] or ()]  # type: ignore[attr-defined]


def _of_crossings(rows: Sequence[Row]) -> Iterator[Sum]:
    """The levels of a crossing add up to the levels that it crosses. Where several of these were merged differently, both
    sides add up to the same number, which stands nowhere.
    """
    crossed = [row for row in rows if sides_of(row)]
    for side in (0, 1):
        for places in grouped(crossed, lambda row: (sides_of(row)[side], line_of(row))):  # noqa: B023
            inside = [crossed[place] for place in places]
            exposure, *labels = sides_of(inside[0])[side]
            outside = [{**inside[0], names.EXPOSURE: exposure, names.LEVEL: label} for label in labels]
            for count in _counts_in(inside[0]):
                parts, wholes = (tuple(dict.fromkeys(map(count, found))) for found in (inside, outside))
                total = wholes[0] if len(wholes) == 1 else ("together", *wholes[0], *labels)
                yield Sum(total, parts)
                if len(wholes) > 1:
                    yield Sum(total, wholes)


def _of_thresholds(rows: Sequence[Row]) -> Iterator[Sum]:
    """Who improved by 50 % improved by 30 % too. The threshold that fewer people reach is the higher one."""
    improved = [row for row in rows if row["among"] == COULD_IMPROVE]
    totals = Counter[object]()
    for row in improved:
        totals[row[names.OUTCOME], row[names.STATISTIC]] += count_of(row, N_EVENTS)
    for places in grouped(improved, lambda row: (row[names.TABLE], *where(row), row[names.OUTCOME])):
        nested = sorted(
            (improved[place] for place in places), key=lambda row: -totals[row[names.OUTCOME], row[names.STATISTIC]]
        )
        for lower, higher in pairwise(nested):
            yield Sum(events(lower), (events(higher), (*events(lower), "not", *events(higher))))


def _of_options(rows: Sequence[Row]) -> Iterator[Sum]:
    """Options that exclude each other add up to those who answered; options chosen together to as many or more."""
    options = [row for row in rows if is_share(row) and (row["one_of"] or row["some_of"]) and not is_nonresponse(row)]
    for places in grouped(options, lambda row: (*where(row), row[names.EXPOSURE], question(row))):
        chosen = [options[place] for place in places]
        yield Sum(respondents(chosen[0]), tuple(dict.fromkeys(map(events, chosen))), chosen[0]["some_of"] is not None)


def _of_gaps(rows: Sequence[Row]) -> Iterator[Sum]:
    """Those who left a question out are the ones who are missing from its estimates, and people in the level "not stated" of
    its answers.
    """
    gaps = {row["gap_of"]: row for row in rows if is_nonresponse(row)}
    everybody = (row for row in rows if row[names.LEVEL] == ALL_LEVELS and row["among"] == ANSWERED)
    for row in {question(row): row for row in everybody if question(row) in gaps}.values():
        yield Sum(missing(row), (events(gaps[question(row)]),))
    silent = (row for row in rows if row["not_stated"] is not None and row[names.EXPOSURE] in gaps)
    for row in {where(row): row for row in silent}.values():
        rest = () if row["not_stated"] else ((*people(row), "not silent"),)
        yield Sum(people(row), (events(gaps[row[names.EXPOSURE]]), *rest))


def equals_of(keys: Collection[Key], sums: Sequence[Sum]) -> set[Key]:
    """These counts under all their names: a sum of a single part says that two are the same."""
    names_of = defaultdict[Key, list[Key]](list)
    for each in sums:
        if len(each.parts) == 1 and not each.or_more:
            names_of[each.total].append(each.parts[0])
            names_of[each.parts[0]].append(each.total)
    found, open_ = set(keys), list(keys)
    while open_:
        new = set(names_of[open_.pop()]) - found
        found |= new
        open_ += new
    return found


# --- What can be told -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Web:
    """Sums as arrays over numbered keys: `owner` says to which sum each of `parts` belongs."""

    number: dict[Key, int]
    total: Places
    parts: Places
    owner: Places
    or_more: npt.NDArray[np.bool_]

    def narrow(self, low: Numbers, high: Numbers) -> tuple[Numbers, Numbers]:
        """What can be told of each key from these ranges and sums, each sum by itself, again and again."""
        for _ in range(MOST_ROUNDS):
            before = low, high
            low, high = self._once(low, high)
            if np.array_equal(low, before[0]) and np.array_equal(high, before[1]):
                break
        return low, high

    def behind(self, low: Numbers, high: Numbers, told: Collection[Side]) -> set[int]:
        """The keys from which these bounds follow, through all sums that give just them; `low` and `high` as `narrow` leaves
        them.
        """
        found, open_ = set(told), list(told)
        while open_:
            number, is_low = open_.pop()
            here, there = (low, high) if is_low else (high, low)
            new = {*self._from_parts(number, here, is_low), *self._from_total(number, here, there, is_low)} - found
            found |= new
            open_ += new
        return {number for number, _ in found}

    def _from_parts(self, number: int, here: Numbers, is_low: bool) -> Iterator[Side]:
        """The parts of sums with this total, where their bounds together are its bound."""
        for each in self._sums_of_total[number]:
            parts = self.parts[self._start[each] : self._start[each + 1]]
            if not (is_low and self.or_more[each]) and here[parts].sum() == here[number]:
                yield from ((part, is_low) for part in parts.tolist())

    def _from_total(self, number: int, here: Numbers, there: Numbers, is_low: bool) -> Iterator[Side]:
        """The totals of sums with this part, and the other parts, where what they leave is its bound."""
        for each in self._sums_of_part[number]:
            parts, total = self.parts[self._start[each] : self._start[each + 1]], int(self.total[each])
            alone = bool(self.or_more[each]) and not is_low
            rest = 0.0 if alone else there[parts].sum() - there[number]
            if here[total] - rest == here[number]:
                yield total, is_low
                yield from () if alone else ((part, not is_low) for part in parts.tolist() if part != number)

    @cached_property
    def _start(self) -> Places:
        """Where the parts of each sum begin, and after the last where they end."""
        return np.searchsorted(self.owner, np.arange(len(self.total) + 1))

    @cached_property
    def _sums_of_total(self) -> dict[int, list[int]]:
        return _by(self.total, np.arange(len(self.total)))

    @cached_property
    def _sums_of_part(self) -> dict[int, list[int]]:
        return _by(self.parts, self.owner)

    def _once(self, low: Numbers, high: Numbers) -> tuple[Numbers, Numbers]:
        low, high = low.copy(), high.copy()
        least, most = (np.bincount(self.owner, side[self.parts], len(self.total)) for side in (low, high))
        np.maximum.at(low, self.total, np.where(self.or_more, 0, least))
        np.minimum.at(high, self.total, most)
        rest = most[self.owner] - high[self.parts], least[self.owner] - low[self.parts]
        whole = low[self.total][self.owner], high[self.total][self.owner]
        np.maximum.at(low, self.parts, whole[0] - rest[0])
        np.minimum.at(high, self.parts, np.where(self.or_more[self.owner], whole[1], whole[1] - rest[1]))
        return low, high


def _by(keys: Places, sums: Places) -> dict[int, list[int]]:
    """Sums by key; nothing for others."""
    found = defaultdict[int, list[int]](list)
    for key, each in zip(keys.tolist(), sums.tolist(), strict=True):
        found[key].append(each)
    return found


def web_of(sums: Sequence[Sum], more: Sequence[Key] = ()) -> Web:
    """The sums as arrays; `more` are keys that must have a number though no sum holds them."""
    keys = dict.fromkeys(key for each in sums for key in (each.total, *each.parts))
    number = {key: place for place, key in enumerate(keys | dict.fromkeys(more))}
    sizes = [len(each.parts) for each in sums]
    return Web(
        number,
        np.array([number[each.total] for each in sums], dtype=np.int64),
        np.array([number[part] for each in sums for part in each.parts], dtype=np.int64),
        np.repeat(np.arange(len(sums)), sizes),
        np.array([each.or_more for each in sums], dtype=np.bool_),
    )


def narrowed(known: Mapping[Key, Interval], sums: Sequence[Sum]) -> dict[Key, Interval]:
    """What can be told of each count from these ranges and sums."""
    web = web_of(sums, tuple(known))
    ranges = [known.get(key, ANYTHING) for key in web.number]
    low, high = (np.array([each[side] for each in ranges], dtype=np.float64) for side in (0, 1))
    low, high = web.narrow(low, high)
    return {key: (int(low[place]), int(high[place])) for key, place in web.number.items()}

"""Claims: what each number of a sentence counts.

What belongs here: telling shares, points, averages, numbers of people and ranges from doses, dates and page numbers. What
does not: whether they are right.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise

from survey_pipeline.language import SOURCE
from survey_pipeline.lint.marking import Marked, Number
from survey_pipeline.lint.vocabulary import BEFORE, FRACTION, GROUP, LEVEL, MARKS, NOW, NUMBER, Vocabulary, vocabulary

_COARSEST = 0.05
"""A share written coarsely ("two in five") may be at most so far from the released one."""
_ROUNDED_PEOPLE = 0.05
"""A number of people said with "about" may be rounded to two digits: at most one part in twenty away."""
_EPSILON = 1e-6
APOSTROPHE = "\N{RIGHT SINGLE QUOTATION MARK}"
_LARGE_BASES = (10, 20, 100, 1000, 10000)


class Kind(StrEnum):
    """What a number counts."""

    SHARE = "share"
    POINTS = "points"
    VALUE = "value"
    """An average on a scale, or any number whose unit is not told."""
    PEOPLE = "people"
    EVENTS = "events"
    """So many of so many people."""
    THRESHOLD = "threshold"
    """By how much at least somebody improved: a part of the definition."""


class Part(StrEnum):
    """Whether a number is the thing itself or an end of its range."""

    POINT = "point"
    LOW = "low"
    HIGH = "high"


@dataclass(frozen=True)
class Claim:
    """A number that says something about people who answered. `value` is in the units of the release (shares from 0 to 1),
    and `tolerance` how far the released number may be from it, going by how it is written. `index`: its mark in the sentence;
    `start`, `end`: its words in the sentence.
    """

    kind: Kind
    value: float
    tolerance: float
    index: int
    start: int
    end: int
    part: Part = Part.POINT
    bound: int = 0
    """-1 for "fewer than", 1 for "more than"."""
    whole: float | None = None
    """Of "34 of 85": the 85."""
    base: float = 1.0
    """What it was written in: 100 of "40 in 100"."""
    is_scale: bool = False
    """Whether it may be a mark on a scale as well, such as "5.6 out of 10"."""
    is_about: bool = False

    def fits(self, number: float) -> bool:
        """Whether a released number is the one that is claimed."""
        near = self.tolerance + _EPSILON
        if self.bound < 0:
            return self.value - max(near, _COARSEST) <= number < self.value + _EPSILON
        if self.bound > 0:
            return self.value - _EPSILON < number <= self.value + max(near, _COARSEST)
        return abs(number - self.value) <= near


class Reader:
    """Reads the claims of one marked sentence; each number is taken once."""

    def __init__(self, marked: Marked, words: Vocabulary) -> None:
        self.marked, self.words = marked, words
        self.text = marked.text
        self.taken: set[int] = set()
        self.claims: list[Claim] = []

    def read(self) -> tuple[Claim, ...]:
        """All claims, from left to right."""
        self._scales()
        self._thresholds()
        self._of_so_many()
        self._ranges()
        self._shares()
        self._points()
        self._neutral_before()
        self._people()
        self._neutral()
        self._like_the_last()
        self._values()
        return tuple(sorted(self.claims, key=lambda claim: claim.start))

    # --- Pieces ----------------------------------------------------------------------------------------------------------

    def _after(self, place: int, key: str, limit: int = 70) -> re.Match[str] | None:
        """What follows a sign, if it is one of an entry's patterns."""
        pattern = self.words.pattern("claims", key)
        return re.compile(rf" ?(?:{pattern.pattern})", re.I).match(self.text, place + 1, place + limit)

    def _before(self, place: int, key: str) -> bool:
        return self.words.pattern("claims", key).search(self.text[max(0, place - 40) : place]) is not None

    def _signs(self, *signs: str) -> list[tuple[int, int, Number]]:
        """Where untaken numbers stand: place in the marked text, number of the mark, the number."""
        found = []
        index = -1
        for place, sign in enumerate(self.text):
            index += sign in MARKS
            number = self.marked.marks[index].number if sign in signs else None
            if number and index not in self.taken and not self._is_rare(place, number):
                found.append((place, index, number))
        return found

    def _is_rare(self, place: int, number: Number) -> bool:
        """Words such as "one" are numbers only where they count people in so many."""
        if not number.in_words or number.value > 1 or self.text[place] == FRACTION:
            return False
        return self._after(place, "in") is None

    def _indices(self, start: int, end: int) -> list[int]:
        """The numbers of the marks of numbers in a part of the marked text."""
        first = self.marked.index_at(start)
        signs = [sign for sign in self.text[start:end] if sign in MARKS]
        return [first + place for place, sign in enumerate(signs) if sign in (NUMBER, FRACTION)]

    def _number(self, index: int) -> Number:
        number = self.marked.marks[index].number
        assert number is not None
        return number

    def _add(self, claim: Claim, place: int) -> None:
        self.taken.add(claim.index)
        bound = -1 if self._before(place, "less_than") else 1 if self._before(place, "more_than") else 0
        self.claims.append(replace(claim, bound=bound, is_about=self._before(place, "about")))

    def _claim(self, kind: Kind, index: int, stop: int | None = None, scale: float = 1.0, **more: object) -> Claim:
        """A claim of one number; `scale`: what it is written in, `stop`: where its words end in the marked text."""
        mark, number = self.marked.marks[index], self._number(index)
        end = mark.end if stop is None else self.marked.span(stop - 1, stop)[1]
        tolerance = number.unit / 2 / scale
        if kind is Kind.SHARE and not number.in_words and scale >= 100:
            tolerance = min(tolerance, _COARSEST)
        elif kind is Kind.SHARE:
            tolerance = min(max(tolerance, 0.0), _COARSEST)
        claim = Claim(kind, number.value / scale, tolerance, index, mark.start, end, base=scale)
        return replace(claim, **more)  # type: ignore[arg-type]

    # --- Kinds of claims -------------------------------------------------------------------------------------------------

    def _scales(self) -> None:
        """The ends of a scale, such as from 0 to 10."""
        if not self.words.has("claims", "scale_cue", self.text) and not self._is_zero_to_ten():
            return
        for found in self.words.pattern("claims", "scale").finditer(self.text):
            ends = self._indices(found.start(), found.end())
            if len(ends) == 2 and self._number(ends[0]).value in (0, 1) and self._number(ends[1]).value >= 5:
                self.taken |= {*ends}

    def _is_zero_to_ten(self) -> bool:
        values = [one.number.value for one in self.marked.marks if one.number]
        return (0.0, 10.0) in pairwise(values)

    def _threshold_words(self) -> Iterator[re.Match[str]]:
        """In the language of the text, or in English: a survey's labels may not be translated."""
        for words in dict.fromkeys((self.words.language, SOURCE)):
            yield from vocabulary(words).pattern("claims", "threshold").finditer(self.text)

    def _thresholds(self) -> None:
        for found in self._threshold_words():
            for index in self._indices(found.start(), found.end()):
                if index not in self.taken:
                    share = re.search(r"point|punkt|punto", found[0], re.I) is None
                    claim = self._claim(Kind.THRESHOLD, index, found.end(), 100.0 if share else 1.0)
                    self.taken.add(index)
                    self.claims.append(replace(claim, base=100.0 if share else 1.0))

    def _of_so_many(self) -> None:
        """Out of 100 people, 40 did; of 85 people, 34 did."""
        for found in self.words.pattern("claims", "of").finditer(self.text):
            numbers = self._indices(found.start(), found.end())
            if len(numbers) != 2 or self.taken & {*numbers}:
                continue
            whole, part = (self._number(index) for index in numbers)
            is_article = part.in_words and part.value <= 1
            if part.value > whole.value or whole.value < 2 or is_article or self._has_unit(found.end()):
                continue
            self._pair(numbers[1], numbers[0], found.end() - 1, found.end())

    def _has_unit(self, place: int) -> bool:
        found = self.words.pattern("claims", "neutral_after").match(self.text, place)
        return found is not None

    def _pair(self, part: int, whole: int, place: int, stop: int) -> None:
        """A share of so many: of a round number it is a share, of any other the number of people must be right as well."""
        base = self._number(whole)
        self.taken.add(whole)
        few = base.in_words or base.value in _LARGE_BASES or base.value <= 20
        kind = Kind.SHARE if few else Kind.EVENTS
        is_scale = base.value == 10 and self.words.has("claims", "average", self.text)
        more: dict[str, object] = {"whole": base.value, "is_scale": is_scale}
        if part > whole:
            more["start"] = self.marked.marks[whole].start
        self._add(self._claim(kind, part, max(stop, 1), base.value, **more), place)

    def _ranges(self) -> None:
        """Two ends, and what they count: in 100, per cent, points or nothing."""
        for found in self.words.pattern("claims", "between").finditer(self.text):
            ends = self._indices(found.start(), found.end())
            if len(ends) != 2 or self.taken & {*ends} or self._number(ends[0]).value > self._number(ends[1]).value:
                continue
            last = found.end() - 1
            if self._after(last, "neutral_after") and not self._after(last, "in"):
                self.taken |= {*ends}
                continue
            kind, scale = self._unit_after(last)
            for index, part in zip(ends, (Part.LOW, Part.HIGH), strict=True):
                self._add(self._claim(kind, index, scale=scale, part=part), found.start())

    def _unit_after(self, place: int) -> tuple[Kind, float]:
        """What the second end of a range is followed by."""
        if found := self._after(place, "in"):
            base = self._indices(found.start(), found.end())
            self.taken |= {*base}
            return Kind.SHARE, self._number(base[0]).value
        if self._after(place, "per_cent"):
            return Kind.SHARE, 100.0
        if self._after(place, "points"):
            return Kind.POINTS, 1.0
        return (Kind.PEOPLE, 1.0) if self._after(place, "people_after") else (Kind.VALUE, 1.0)

    def _shares(self) -> None:
        for place, index, _ in self._signs(NUMBER):
            if index in self.taken:
                continue
            if found := self._after(place, "in"):
                base = self._indices(found.start(), found.end())
                if base and self._has_unit(found.end()):
                    self.taken |= {index, *base}
                elif (
                    base
                    and base[0] not in self.taken
                    and self._number(base[0]).value >= max(2, self._number(index).value)
                ):
                    self._pair(index, base[0], place, found.end())
            elif found := self._after(place, "per_cent"):
                self._add(self._claim(Kind.SHARE, index, found.end(), 100.0), place)
        for place, index, number in self._signs(FRACTION):
            if self._after(place, "fraction_of"):
                claim = self._claim(Kind.SHARE, index)
                self._add(replace(claim, value=number.value, tolerance=_COARSEST), place)

    def _points(self) -> None:
        for place, index, _ in self._signs(NUMBER):
            if found := self._after(place, "points"):
                self._add(self._claim(Kind.POINTS, index, found.end()), place)

    def _neutral_before(self) -> None:
        for place, index, _ in self._signs(NUMBER):
            if self._before(place, "neutral_before"):
                self.taken.add(index)

    def _people(self) -> None:
        for place, index, number in self._signs(NUMBER):
            found = self._after(place, "people_after") or self._based_on(place)
            if number.unit < 1 or not found:
                continue
            if self._before(place, "neutral_before") or (
                number.value in _LARGE_BASES and self._before(place, "out_of")
            ):
                self.taken.add(index)
                continue
            claim = self._claim(Kind.PEOPLE, index, found.end())
            self._add(claim, place)
            self.claims[-1] = _rounded(self.claims[-1])

    def _based_on(self, place: int) -> re.Match[str] | None:
        """The end of "from about 85", where nothing says what is counted."""
        return re.compile(r"(?=\s*[).,;]|$)").match(self.text, place + 1) if self._before(place, "based_on") else None

    def _neutral(self) -> None:
        for place, index, _ in self._signs(NUMBER):
            if self._has_unit(place + 1):
                self.taken.add(index)

    def _like_the_last(self) -> None:
        """Of "40 in 100 with citrate, 31 with oxide": the 31."""
        shares = [claim for claim in self.claims if claim.kind is Kind.SHARE and claim.part is Part.POINT]
        points = [claim for claim in self.claims if claim.kind is Kind.POINTS and claim.part is Part.POINT]
        known = shares or points
        for place, index, number in self._signs(NUMBER) if known else ():
            follows = re.match(rf"(?: [\w{APOSTROPHE}']+){{0,4}} [{LEVEL}{GROUP}{NOW}{BEFORE}]", self.text[place + 1 :])
            scale = known[0].base
            if (follows and not number.in_words and number.value <= scale) or (follows and known is points):
                self._add(self._claim(known[0].kind, index, scale=scale), place)

    def _values(self) -> None:
        """Numbers without a unit: averages, where the sentence speaks of one or they have decimals."""
        speaks = self.words.has("claims", "average", self.text)
        for place, index, number in self._signs(NUMBER):
            if number.in_words or (number.unit >= 1 and not speaks):
                continue
            self._add(self._claim(Kind.VALUE, index), place)


def _rounded(claim: Claim) -> Claim:
    """A number of people; with "about", two digits are enough where there are more."""
    value = claim.value
    if claim.is_about and value >= 1000 and value % 100 == 0:
        return replace(claim, tolerance=value * _ROUNDED_PEOPLE)
    return replace(claim, tolerance=0.0)


def claims(marked: Marked, words: Vocabulary) -> tuple[Claim, ...]:
    """The claims of a sentence, from left to right."""
    return Reader(marked, words).read()

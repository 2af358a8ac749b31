"""Marking: a sentence in which each wave, thing and number is exchanged for a mark, so that patterns can speak of them.

What belongs here: finding waves, dates, things and numbers in a sentence. What does not: judging them.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from survey_pipeline.lint.prose import Sentence
from survey_pipeline.lint.things import Thing, Things
from survey_pipeline.lint.vocabulary import (
    BEFORE,
    DATE,
    FRACTION,
    MARKS,
    NOW,
    NUMBER,
    OTHER_WAVE,
    Vocabulary,
)

_DIGITS = re.compile(r"(?<![\w.,:/])(?P<digits>\d{1,3}(?:[,. ]\d{3})+(?!\d)|\d+)(?P<decimals>[.,]\d+)?(?![\d:/])")
_PHONE = re.compile(r"(?<!\w)[+0]\d[\d /()-]{5,}\d(?!\w)")
_TIME = re.compile(
    r"\b\d{1,2}:\d{2}\b|\b\d{1,2}\.\d{2}(?= ?(?:am|pm|Uhr|h)\b)|\b\d{1,2}/\d{1,2}(?:/\d{2,4})?\b|"
    r"\b\d{1,2}\.\d{1,2}\.\d{2,4}\b"
)
_ISO_DATE = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
_WAVE_NAME = re.compile(r"(?<![\w-])(\d{4}-(?:0[1-9]|1[0-2]|Q[1-4]|W\d{2}))(?![\w-])")


@dataclass(frozen=True)
class Number:
    """A number as it was written. `unit`: the least step in which it was written, such as 0.1 of 2.5."""

    value: float
    unit: float
    in_words: bool = False


@dataclass(frozen=True)
class Wave:
    """A wave that is named: by its code where that can be told."""

    code: str | None
    is_bare: bool = False
    """Whether it is a month or a year alone, which may mean something else."""


@dataclass(frozen=True)
class Mark:
    """Something found in a sentence, and where its words stand in it."""

    sign: str
    start: int
    end: int
    number: Number | None = None
    thing: Thing | None = None
    wave: Wave | None = None


@dataclass(frozen=True)
class Marked:
    """A sentence with its marks: `text` holds one sign for each of them, `at` where each of its characters came from."""

    sentence: Sentence
    text: str
    at: tuple[int, ...]
    marks: tuple[Mark, ...]

    def index_at(self, place: int) -> int:
        """Which mark stands at a place of the marked text."""
        return sum(sign in MARKS for sign in self.text[:place])

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The place of some marked text in the sentence."""
        last = self.text[end - 1] if end > start else ""
        stop = self.marks[self.index_at(end - 1)].end if last in MARKS and last else self.at[end - 1] + 1
        return self.at[start], stop

    def things(self, *signs: str) -> list[tuple[int, Thing]]:
        """The things of some kinds, with the numbers of their marks."""
        return [(place, one.thing) for place, one in enumerate(self.marks) if one.sign in signs and one.thing]

    def waves(self) -> list[tuple[int, Mark]]:
        """The waves that are named, with the numbers of their marks."""
        return [(place, one) for place, one in enumerate(self.marks) if one.sign in (NOW, BEFORE, OTHER_WAVE)]


@dataclass(frozen=True)
class Calendar:
    """Which wave a text is about, and which was the one before."""

    now: str
    before: str | None

    def sign(self, code: str) -> str:
        """What stands for a wave."""
        return NOW if code == self.now else BEFORE if code == self.before else OTHER_WAVE


def mark(sentence: Sentence, things: Things, words: Vocabulary, calendar: Calendar) -> Marked:
    """A sentence with everything in it marked; what was found first keeps its place."""
    taken: list[Mark] = []
    text = sentence.text
    for found in (
        *_dates(text, words),
        *_waves(text, words, calendar),
        *(Mark(thing.kind, start, end, thing=thing) for start, end, thing in things.find(text)),
        *_fractions(text, words),
        *_numbers(text, words),
    ):
        if all(found.end <= one.start or found.start >= one.end for one in taken):
            taken.append(found)
    return _exchanged(sentence, sorted(taken, key=lambda one: one.start))


def _exchanged(sentence: Sentence, marks: list[Mark]) -> Marked:
    parts: list[str] = []
    at: list[int] = []
    position = 0
    for one in marks:
        parts += [sentence.text[position : one.start], one.sign]
        at += [*range(position, one.start), one.start]
        position = one.end
    parts.append(sentence.text[position:])
    at += range(position, len(sentence.text))
    return Marked(sentence, "".join(parts), tuple(at), tuple(marks))


# --- Waves and dates ---------------------------------------------------------------------------------------------------


def _dates(text: str, words: Vocabulary) -> Iterator[Mark]:
    patterns = [_ISO_DATE, *(_dated(form, words) for form in words.entry("waves", "day_month")), _PHONE, _TIME]
    for pattern in patterns:
        yield from (Mark(DATE, found.start(), found.end()) for found in pattern.finditer(text))


def _months(words: Vocabulary) -> str:
    long, short = words.entry("waves", "months"), words.entry("waves", "short_months")
    return "|".join(f"(?P<m{place}>{one}|{short[place - 1]})" for place, one in enumerate(long, 1))


def _dated(form: str, words: Vocabulary) -> re.Pattern[str]:
    """A pattern with its months and years written out; month names begin with the capital that the language gives them."""
    months = re.sub(r"\?P<\w+>", "?:", _months(words))
    text = form.replace("{month}", f"(?:{months})").replace("{year}", r"(?:19|20)\d{2}")
    return re.compile(rf"(?<!\w){text}(?!\w)", 0 if words.entry("waves", "months")[0][0].isupper() else re.I)


def _waves(text: str, words: Vocabulary, calendar: Calendar) -> Iterator[Mark]:
    yield from _told(text, words, calendar)
    for found in _WAVE_NAME.finditer(text):
        yield _wave(found, found[1], calendar)
    for key in ("month_year", "quarters", "quarter", "week", "bare_month", "bare_year"):
        for form in words.entry("waves", key):
            for found in _wave_pattern(form, words).finditer(text):
                code = _code(found, words, calendar, key)
                if code:
                    yield _wave(found, code, calendar, is_bare=key.startswith("bare"))


def _told(text: str, words: Vocabulary, calendar: Calendar) -> Iterator[Mark]:
    for key, sign, code in (("this", NOW, calendar.now), ("last", BEFORE, calendar.before)):
        for found in words.pattern("waves", key).finditer(text):
            yield Mark(sign, found.start(), found.end(), wave=Wave(code))


def _wave(found: re.Match[str], code: str, calendar: Calendar, is_bare: bool = False) -> Mark:
    return Mark(calendar.sign(code), found.start(), found.end(), wave=Wave(code, is_bare))


def _wave_pattern(form: str, words: Vocabulary) -> re.Pattern[str]:
    text = form.replace("{month}", f"(?:{_months(words)})").replace("{year}", r"(?P<y>(?:19|20)\d{2})")
    flags = 0 if words.entry("waves", "months")[0][0].isupper() and "{month}" in form else re.I
    return re.compile(rf"(?<![\w-]){text}(?![\w-])", flags)


def _code(found: re.Match[str], words: Vocabulary, calendar: Calendar, key: str) -> str | None:
    """The wave that some words name; a month or year alone is taken as the one that is nearest."""
    given = found.groupdict()
    year = given.get("y") or calendar.now[:4]
    if key == "bare_year":
        return year if len(calendar.now) == len(year) or year != calendar.now[:4] else None
    if given.get("q"):
        quarter = words.entry("waves", "quarter_words").get(given["q"].casefold(), given["q"])
        return f"{year}-Q{quarter}"
    if given.get("w"):
        return f"{year}-W{int(given['w']):02d}"
    month = next((int(name[1:]) for name, text in given.items() if text and re.fullmatch(r"m\d+", name)), None)
    return f"{year}-{month:02d}" if month else None


# --- Numbers -----------------------------------------------------------------------------------------------------------


def _fractions(text: str, words: Vocabulary) -> Iterator[Mark]:
    for pattern, value in words.fractions:
        for found in pattern.finditer(text):
            yield Mark(FRACTION, found.start(), found.end(), number=Number(value, 0.1, in_words=True))


def _numbers(text: str, words: Vocabulary) -> Iterator[Mark]:
    for found in _DIGITS.finditer(text):
        number = _of_digits(found, words.entry("numbers", "decimal"))
        if number:
            yield Mark(NUMBER, found.start(), found.end(), number=number)
    for found in words.number_words.finditer(text):
        value = words.numbers[" ".join(found[0].casefold().split())]
        yield Mark(NUMBER, found.start(), found.end(), number=Number(value, 1.0, in_words=True))


def _of_digits(found: re.Match[str], decimal: str) -> Number | None:
    """A number in digits. Three digits behind a mark are thousands where the language groups so, else decimals."""
    digits, decimals = found["digits"], found["decimals"] or ""
    grouped = re.findall(r"[,. ]", digits)
    if grouped and set(grouped) == {decimal}:
        digits, decimals = digits.replace(decimal, ".", 1), ""
        text = digits
    else:
        text = re.sub(r"\D", "", digits) + decimals.replace(",", ".")
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    exponent = value.as_tuple().exponent
    return Number(float(value), 10.0 ** (exponent if isinstance(exponent, int) else 0))


def signs_between(marked: Marked, first: int, second: int) -> str:
    """The marked text between two marks."""
    places = [place for place, sign in enumerate(marked.text) if sign in MARKS]
    return marked.text[places[first] + 1 : places[second]]


def place_of(marked: Marked, index: int) -> int:
    """Where the sign of a mark stands in the marked text."""
    return [place for place, sign in enumerate(marked.text) if sign in MARKS][index]


def nearest(index: int, places: Iterable[int]) -> int | None:
    """The nearest of some marks."""
    return min(places, key=lambda one: abs(one - index), default=None)

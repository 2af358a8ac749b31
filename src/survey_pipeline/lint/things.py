"""Things: the groups and outcomes of a survey, by the words with which people call them.

What belongs here: which words stand for which level or outcome. What does not: numbers, and what is said about them.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from survey_pipeline import names
from survey_pipeline.instrument import Instrument, Role
from survey_pipeline.lint.vocabulary import ALL, GROUP, LEVEL, MARKS, OUTCOME, SUBSTANCE, Vocabulary
from survey_pipeline.plain import clean
from survey_pipeline.release import PublishedLevel, Release

_SHORTEST = 3
_NO_LABELS = frozenset({names.NOT_STATED, names.NOT_APPLICABLE, "yes", "no", "other", "another", "both", "none", "all"})
"""Levels and answers whose labels are words of every day: they are known by the vocabulary's names alone."""
_CROSSINGS = names.CROSSED


@dataclass(frozen=True)
class Thing:
    """What some words stand for: `kind` is a mark of the vocabulary. A level has an exposure and its published label, which
    is empty where the release does not show it by itself; an outcome has its name.
    """

    kind: str
    name: str = ""
    exposure: str = ""
    level: str = ""
    called: str = ""
    may_be: tuple[str, ...] = ()
    """Of words that may mean several outcomes, such as "None of these": the others."""


class Things:
    """All that a release tells apart and asks, to be found in sentences."""

    def __init__(self, release: Release, instrument: Instrument, words: Vocabulary) -> None:
        self._release, self._instrument, self._words = release, instrument, words

    @cached_property
    def chosen(self) -> frozenset[str]:
        """The exposures that people choose for themselves: everything but who they are."""
        items = self._instrument.items
        return frozenset(one for one in self._release.levels if one in items and items[one].role is not Role.STRATUM)

    @cached_property
    def _entries(self) -> tuple[tuple[str, Thing], ...]:
        found: dict[str, Thing] = {}
        for pattern, thing in (*self._levels(), *self._outcomes(), *self._others()):
            known = found.setdefault(pattern.casefold(), thing)
            if thing.kind == known.kind == OUTCOME and thing.name != known.name:
                found[pattern.casefold()] = replace(known, may_be=(*known.may_be, thing.name))
        return tuple(sorted(found.items(), key=lambda entry: len(entry[0]), reverse=True))

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        parts = (f"(?P<t{place}>{pattern})" for place, (pattern, _) in enumerate(self._entries))
        return re.compile(rf"(?<![\w{''.join(MARKS)}])(?:{'|'.join(parts)})(?![\w])", re.I)

    def find(self, text: str) -> Iterator[tuple[int, int, Thing]]:
        """Where things are named in a text, from left to right."""
        for found in self._pattern.finditer(text):
            if found.lastgroup and found[0]:
                yield found.start(), found.end(), self._entries[int(found.lastgroup[1:])][1]

    # --- What things are called ------------------------------------------------------------------------------------------

    def _names(self, code: str) -> Sequence[str]:
        """What people call a code, as the vocabulary knows it."""
        return tuple(self._words.words["names"].get(code, ()))

    def _labelled(self, label: str) -> str:
        """A label as a pattern; one of the words of every day only where it stands in quotation marks."""
        is_common = clean(label).casefold() in self._words.entry("things", "common")
        return _in_quotes(label) if is_common else _of_label(label)

    def _levels(self) -> Iterator[tuple[str, Thing]]:
        exposures = [one for one in self._release.levels if _CROSSINGS not in one and one in self._instrument.items]
        first = [self._instrument.form, self._instrument.dose]
        for exposure in sorted(exposures, key=lambda one: first.index(one) if one in first else len(first)):
            for level in self._release.levels[exposure]:
                yield from self._level(exposure, level)
            yield from self._unpublished(exposure)

    def _level(self, exposure: str, level: PublishedLevel) -> Iterator[tuple[str, Thing]]:
        kind = LEVEL if exposure in self.chosen else GROUP
        thing = Thing(kind, level.code, exposure, level.label, clean(level.label))
        if level.code not in _NO_LABELS or len(clean(level.label).split()) > 1:
            yield from ((self._labelled(label), thing) for label in (level.label,) if _is_known(label))
        if exposure in (self._instrument.form, self._instrument.dose) or kind == GROUP:
            yield from ((pattern, thing) for pattern in self._names(level.code))

    def _unpublished(self, exposure: str) -> Iterator[tuple[str, Thing]]:
        """Answers that the release does not show by themselves."""
        item = self._instrument.items[exposure]
        published = {level.code for level in self._release.levels[exposure]}
        for option in item.options:
            if option.code in published or option.code in _NO_LABELS:
                continue
            thing = Thing(LEVEL if exposure in self.chosen else GROUP, option.code, exposure, "", clean(option.label))
            yield from ((self._labelled(label), thing) for label in (option.label,) if _is_known(label))
            yield from ((pattern, thing) for pattern in self._names(option.code))

    def _outcomes(self) -> Iterator[tuple[str, Thing]]:
        asked = dict.fromkeys(row.outcome for row in self._release.rows if row.table not in _ABOUT_ANSWERING)
        for outcome in asked:
            yield from ((pattern, Thing(OUTCOME, outcome)) for pattern in self._names(outcome))
            label = self._label(outcome)
            if label and _is_known(label):
                is_common = outcome.rpartition("__")[2] in _NO_LABELS
                yield _in_quotes(label) if is_common else self._labelled(label), Thing(OUTCOME, outcome)

    def _label(self, outcome: str) -> str:
        """An outcome's label, where it says by itself what it is about."""
        items = self._instrument.items
        if outcome in items:
            return "" if items[outcome].role is Role.DIARY else clean(items[outcome].label)
        item, _, code = outcome.partition("__")
        options = items[item].options if item in items else ()
        return next((clean(one.label) for one in options if one.code == code), "")

    def _others(self) -> Iterator[tuple[str, Thing]]:
        yield from ((pattern, Thing(ALL, level=names.ALL_LEVELS)) for pattern in self._names("all"))
        yield from ((pattern, Thing(SUBSTANCE)) for pattern in self._words.entry("things", "substance"))


_ABOUT_ANSWERING = (names.WHO_ANSWERED, names.ITEM_NONRESPONSE)
_AMOUNT = re.compile(r"[\d\W]*")


def _is_known(label: str) -> bool:
    return len(clean(label)) >= _SHORTEST


_OPENING = '"\N{LEFT DOUBLE QUOTATION MARK}\N{DOUBLE LOW-9 QUOTATION MARK}«'
_CLOSING = '"\N{RIGHT DOUBLE QUOTATION MARK}\N{LEFT DOUBLE QUOTATION MARK}»'


def _in_quotes(label: str) -> str:
    """A label that is made of words of every day, such as "None of these": only where it stands in quotation marks."""
    return rf"(?<=[{_OPENING}])\s?{re.escape(clean(label))}\s?(?=[{_CLOSING}])"


def _of_label(label: str) -> str:
    """A label as a pattern. One of digits, such as "18 to 29", is none where the same words are a share or a range."""
    text = clean(label)
    escaped = re.sub(r"\\?\s+", r"\\s+", re.escape(text))
    if not any(mark.isdigit() for mark in text):
        return escaped
    return rf"(?<!between )(?<!range )(?<!from ){escaped}(?!\s*(?:in|out|of|%|von|de cada|per)\b|\s*%)"


def kinds(things: Iterable[Thing], *wanted: str) -> tuple[Thing, ...]:
    """The things of some kinds, each once, in order."""
    return tuple(dict.fromkeys(thing for thing in things if thing.kind in wanted))

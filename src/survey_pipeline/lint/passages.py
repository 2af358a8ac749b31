"""Passages: each sentence with its marks and claims, and whether it speaks of our own survey at all.

What belongs here: what a check has to know of a sentence, and what every check is given. What does not: any check.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from survey_pipeline.instrument import Instrument
from survey_pipeline.lint.claims import Claim, Kind, claims
from survey_pipeline.lint.facts import Facts
from survey_pipeline.lint.marking import Calendar, Marked, mark
from survey_pipeline.lint.prose import Sentence, blocks, sentences
from survey_pipeline.lint.references import Rows
from survey_pipeline.lint.things import Things
from survey_pipeline.lint.vocabulary import Vocabulary


@dataclass(frozen=True)
class Desk:
    """What a text is checked against. `before`: the release of the wave before, where it is known."""

    facts: Facts
    before: Facts | None
    things: Things
    words: Vocabulary
    calendar: Calendar
    rows: Rows

    @cached_property
    def own_words(self) -> frozenset[str]:
        """The sentences of the instrument that every report prints: limits, trials, whom to ask."""
        return frozenset(_own_sentences(self.facts.view.instrument, self.words))


@dataclass(frozen=True)
class Passage:
    """One sentence as the checks see it. `is_trial`: it tells what somebody else found; `is_own`: it is the instrument's."""

    number: int
    marked: Marked
    claims: tuple[Claim, ...]
    is_trial: bool
    is_own: bool

    @property
    def sentence(self) -> Sentence:
        return self.marked.sentence

    @property
    def is_question(self) -> bool:
        return self.sentence.text.rstrip().endswith("?")

    @property
    def has_people(self) -> bool:
        """Whether it says how many people something is based on."""
        return any(claim.kind in (Kind.PEOPLE, Kind.EVENTS) for claim in self.claims)


def split(text: str, suffix: str, words: Vocabulary) -> Iterator[Sentence]:
    """The sentences of a text."""
    abbreviations = "|".join(words.entry("sentences", "abbreviations"))
    ordinals = "|".join(words.entry("sentences", "after_ordinals"))
    months = "|".join(words.entry("waves", "months"))
    before_stop = re.compile(rf"(?:^|[\s(])(?:{abbreviations})$", re.I)
    after_number = re.compile(rf"\d{{1,2}}\.\s+(?:{ordinals}|{months})\b") if ordinals else re.compile(r"(?!)")
    yield from sentences(blocks(text, suffix), before_stop, after_number)


def passages(text: str, suffix: str, desk: Desk) -> tuple[Passage, ...]:
    """The passages of a text in order."""
    found: list[Passage] = []
    every = list(split(text, suffix, desk.words))
    with_reference = _blocks_with_reference(every, desk.words)
    for number, sentence in enumerate(every):
        before = found[-1] if found and found[-1].sentence.block == sentence.block else None
        marked = mark(sentence, desk.things, desk.words, desk.calendar)
        is_trial = _is_trial(sentence, before, desk.words, sentence.block in with_reference)
        is_own = _plain(sentence.text) in desk.own_words
        read = () if is_trial or is_own else claims(marked, desk.words)
        found.append(Passage(number, marked, read, is_trial, is_own))
    return tuple(found)


def _is_trial(sentence: Sentence, before: Passage | None, words: Vocabulary, has_reference: bool) -> bool:
    """Whether a sentence quotes a trial: it says so and its paragraph has a reference, or it goes on from one that does."""
    text = sentence.text
    if words.has("trials", "ours", text):
        return False
    if words.has("trials", "cues", text):
        return has_reference
    return before is not None and before.is_trial and words.has("trials", "goes_on", text)


def _blocks_with_reference(every: Sequence[Sentence], words: Vocabulary) -> frozenset[int]:
    return frozenset(one.block for one in every if words.has("trials", "references", one.text))


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _own_sentences(instrument: Instrument, words: Vocabulary) -> Iterator[str]:
    texts = (
        *instrument.cannot_say,
        *instrument.safety,
        *(f"{one.text}" for one in instrument.evidence),
        *(f"{one.text} {one.source}" for one in instrument.evidence),
        *(f"{one.text} ({one.source})" for one in instrument.evidence),
        instrument.ask,
        instrument.about,
        instrument.recruitment,
        instrument.contact,
        instrument.title,
    )
    for text in texts:
        yield from (_plain(one.text) for one in split(text, ".txt", words))

"""Lint: a newsletter that somebody wrote, checked against the release it quotes, and its references filled.

What belongs here: the functions that others call, and putting the checks together. What does not: reading files, and any
number that the release does not hold. Nothing of a text is ever run.
"""

from collections.abc import Iterator, Sequence

from survey_pipeline.instrument import Instrument
from survey_pipeline.language import language_of, say, speaking, whole
from survey_pipeline.lint.check_comparisons import check_comparisons
from survey_pipeline.lint.check_numbers import Numbers, check_waves
from survey_pipeline.lint.check_words import check_advice, check_causes, check_reports
from survey_pipeline.lint.ease import FEWEST_WORDS, ease, words_of
from survey_pipeline.lint.facts import Facts
from survey_pipeline.lint.findings import Finding, Found, Rule, Severity, errors
from survey_pipeline.lint.marking import Calendar
from survey_pipeline.lint.passages import Desk, Passage, passages
from survey_pipeline.lint.prose import line_and_column
from survey_pipeline.lint.references import BRACES, Filled, Rows, fill_in
from survey_pipeline.lint.things import Things
from survey_pipeline.lint.vocabulary import vocabulary
from survey_pipeline.release import Release
from survey_pipeline.render.view import View

__all__ = ["Finding", "Rule", "Severity", "errors", "fill", "lint"]

LONGEST_SENTENCE = 20
"""Words; the reports keep to it too."""
_WORST = 3
_MOST_WORDS_QUOTED = 8


def fill(
    text: str, release: Release, instrument: Instrument, *, language: str | None = None
) -> tuple[str, tuple[Finding, ...]]:
    """A text with its references filled in words of the report, and what could not be filled: that stays as it is.

    `release` and `instrument` with their labels in the language of the text; `language`: its code, else the instrument's.
    """
    with speaking(language or instrument.language):
        filled = fill_in(text, Rows(View(release, instrument)))
    return filled.text, filled.findings


def lint(
    text: str,
    release: Release,
    instrument: Instrument,
    previous: Release | None = None,
    *,
    incomparable: frozenset[str] = frozenset(),
    language: str | None = None,
    suffix: str = ".md",
) -> tuple[Finding, ...]:
    """What is wrong with a text that quotes a release, in the order of the text; findings are in the text's language.

    `previous`: the release of the wave before, `incomparable`: the items that mean something else in it. `suffix`: .html for
    HTML; everything else is read as Markdown, of which plain text is a part.
    """
    spoken = language or instrument.language
    with speaking(spoken):
        desk = _desk(release, instrument, previous, incomparable, language_of(spoken))
        filled = fill_in(text, desk.rows)
        prose = BRACES.sub(lambda braces: " " * len(braces[0]), filled.text)
        found = [_placed(one, passage, filled, text) for passage, one in _check(prose, suffix, desk)]
        return tuple(sorted({*filled.findings, *_once_a_reference(found, filled, text)}, key=_in_order))


def _once_a_reference(found: Sequence[Finding], filled: Filled, text: str) -> Iterator[Finding]:
    """Of what is wrong with the words that fill one reference, only the first: they are all one mistake."""
    places = {line_and_column(text, one.start) for one in filled.references}
    seen: set[tuple[int, int]] = set()
    for one in found:
        place = (one.line, one.column)
        if place not in seen:
            yield one
        if place in places:
            seen.add(place)


def _in_order(finding: Finding) -> tuple[int, int, str, str]:
    return finding.line, finding.column, finding.rule.value, finding.words


def _desk(
    release: Release, instrument: Instrument, previous: Release | None, incomparable: frozenset[str], language: str
) -> Desk:
    view, words = View(release, instrument), vocabulary(language)
    before = Facts(View(previous, instrument, incomparable)) if previous else None
    calendar = Calendar(release.wave, previous.wave if previous else None)
    return Desk(Facts(view), before, Things(release, instrument, words), words, calendar, Rows(view))


def _check(text: str, suffix: str, desk: Desk) -> Iterator[tuple[Passage, Found]]:
    """Every check of every sentence."""
    every = passages(text, suffix, desk)
    numbers = Numbers(desk)
    for passage in every:
        yield from ((passage, one) for one in numbers.check(passage))
        yield from ((passage, one) for one in check_waves(passage, desk))
        said = [
            *check_causes(passage, desk),
            *check_advice(passage, desk),
            *check_comparisons(passage, desk, numbers.context.outcomes),
        ]
        # What no list of words foresees is said only of sentences in which nothing else is found.
        yield from ((passage, one) for one in said or check_reports(passage, desk))
    yield from numbers.without_people(every)
    yield from _hard(every, desk)


def _placed(one: Found, passage: Passage, filled: Filled, text: str) -> Finding:
    """A finding with its place in the text as it was written, references not filled."""
    sentence = passage.sentence
    place = filled.places[sentence.places[min(one.start, len(sentence.places) - 1)]]
    line, column = line_and_column(text, place)
    return Finding(one.rule, line, column, sentence.text[one.start : one.end].strip(), one.why, one.better)


# --- Reading age -------------------------------------------------------------------------------------------------------


def _hard(every: Sequence[Passage], desk: Desk) -> Iterator[tuple[Passage, Found]]:
    """Sentences that are too long, and those that make a whole text too hard."""
    prose = [one for one in every if not one.sentence.is_heading and len(words_of(one.sentence.text)) > 2]
    for passage in prose:
        n = len(words_of(passage.sentence.text))
        if n > LONGEST_SENTENCE and not passage.is_own:
            yield passage, _long(passage, n)
    language = desk.words.language
    texts = [one.sentence.text for one in prose]
    whole_text = ease(texts, language)
    if whole_text and whole_text.is_too_hard and sum(len(words_of(text)) for text in texts) >= FEWEST_WORDS:
        for passage in sorted(prose, key=lambda one: _hardness(one, language), reverse=True)[:_WORST]:
            yield passage, _too_hard(passage, whole_text.age, whole_text.score)


def _hardness(passage: Passage, language: str) -> float:
    found = ease([passage.sentence.text], language)
    return 0.0 if found is None else -found.score if found.age is None else found.score


def _quoted(passage: Passage) -> int:
    """Where the first words of a sentence end."""
    words = passage.sentence.text.split(" ")[:_MOST_WORDS_QUOTED]
    return len(" ".join(words))


def _long(passage: Passage, n: int) -> Found:
    why = say("This sentence has {n} words; up to {most} are easy to read.", n=whole(n), most=whole(LONGEST_SENTENCE))
    return Found(Rule.LONG_SENTENCE, 0, _quoted(passage), why, say("Make two sentences of it."))


def _too_hard(passage: Passage, age: float | None, score: float) -> Found:
    if age is None:
        why = say(
            "The text is hard to read (INFLESZ {score}; 55 or more is normal). This is one of its hardest sentences.",
            score=whole(round(score)),
        )
    else:
        why = say(
            "The text asks for a reading age of {age}; 12 to 14 is right. This is one of its hardest sentences.",
            age=whole(round(age)),
        )
    return Found(Rule.READING_AGE, 0, _quoted(passage), why, say("Use shorter words and shorter sentences."))

"""Words: causes and advice, by the vocabulary of the language.

What belongs here: when such words count, and what could be said instead. What does not: the words themselves (`words/`).
"""

import re
from collections.abc import Iterator
from typing import Final

from survey_pipeline.language import say
from survey_pipeline.lint.check_numbers import outcomes_of
from survey_pipeline.lint.findings import Found, Rule
from survey_pipeline.lint.passages import Desk, Passage
from survey_pipeline.lint.vocabulary import LEVEL, OUTCOME, SUBSTANCE
from survey_pipeline.plain import clean
from survey_pipeline.render.phrases import inline

_CLAUSE: Final = re.compile(r"[;:\N{EN DASH}\N{EM DASH}]\s|,\s(?=\S+\s)")


_FEWEST_WORDS: Final = 3
"""Fewer words than this say nothing by themselves."""


def check_causes(passage: Passage, desk: Desk) -> Iterator[Found]:
    """Words that say that something did something. Not in questions, of trials, or where a negation comes before them."""
    if passage.is_trial or passage.is_own or _asks_openly(passage, desk):
        return
    yield from _found(passage, desk, "causal", Rule.CAUSE)


def _asks_openly(passage: Passage, desk: Desk) -> bool:
    """Whether it is a question that does not take its answer for granted, as "why does it work?" does."""
    return passage.is_question and not desk.words.has("causal", "loaded_questions", passage.sentence.text)


def check_advice(passage: Passage, desk: Desk) -> Iterator[Found]:
    """Words that tell readers what to take. Whom to ask may be told."""
    if not passage.is_own:
        yield from _found(passage, desk, "advice", Rule.ADVICE)


def check_reports(passage: Passage, desk: Desk) -> Iterator[Found]:
    """Sentences about what is taken that are neither what people reported nor a plain fact: whatever words they use, they may
    say a cause, give advice or compare. This finds what no list of words foresees.
    """
    if (
        passage.is_trial
        or passage.is_own
        or passage.claims
        or _is_a_title(passage)
        or not _is_about_taking(passage, desk)
    ):
        return
    text = passage.sentence.text
    asks = bool(outcomes_of(passage.marked)) or desk.words.has("claims", "better", text)
    if desk.words.has("report", "said", text) or (not asks and desk.words.has("report", "facts", text)):
        return
    why = say("This says something about what people take, and it is not what people reported.")
    yield Found(Rule.NO_REPORT, 0, len(passage.sentence.text), why, _reported(passage, desk))


def _is_a_title(passage: Passage) -> bool:
    """Whether it is a heading or a few words that say nothing by themselves."""
    return passage.sentence.is_heading or len(passage.sentence.text.split()) < _FEWEST_WORDS


def _is_about_taking(passage: Passage, desk: Desk) -> bool:
    """Whether a sentence names a form or dose; or what is taken at all, together with an outcome."""
    main = (desk.facts.view.instrument.form, desk.facts.view.instrument.dose)
    marks = passage.marked.marks
    if any(one.thing and one.thing.kind == LEVEL and one.thing.exposure in main for one in marks):
        return True
    return any(one.sign == SUBSTANCE for one in marks) and bool(outcomes_of(passage.marked))


def _found(passage: Passage, desk: Desk, section: str, rule: Rule) -> Iterator[Found]:
    """The first match of a section's patterns that nothing excuses."""
    text = passage.marked.text
    for match in desk.words.pattern(section, "patterns").finditer(text):
        if match[0].strip() and not _is_excused(text, match, desk, section):
            start, end = passage.marked.span(match.start() + _leading(match[0]), match.end())
            why, better = _told(rule, passage, desk)
            yield Found(rule, start, end, why, better)
            return


def _leading(text: str) -> int:
    return len(text) - len(text.lstrip(' ,;:.!"(\N{LEFT DOUBLE QUOTATION MARK}\N{EN DASH}\N{EM DASH}'))


def _is_excused(text: str, match: re.Match[str], desk: Desk, section: str) -> bool:
    if desk.words.has(section, "unless", text[: match.end()]):
        return True
    if "negations" not in desk.words.words[section]:
        return False
    clause = _CLAUSE.split(text[: match.start()])[-1]
    return desk.words.has(section, "negations", clause) or desk.words.has(section, "negations", match[0])


def _told(rule: Rule, passage: Passage, desk: Desk) -> tuple[str, str]:
    if rule is Rule.ADVICE:
        why = say("That is advice. What members reported cannot say what is good for a reader.")
        return why, say("Leave it out, or say: ask a pharmacist or doctor.")
    why = say("That says a cause. People chose for themselves, so none of this can show what caused what.")
    return why, _reported(passage, desk)


def _reported(passage: Passage, desk: Desk) -> str:
    """What people reported, of the group and the outcome that the sentence names."""
    levels = [thing.called or clean(thing.level) for _, thing in passage.marked.things(LEVEL)]
    outcomes = [thing.name for _, thing in passage.marked.things(OUTCOME)]
    label = inline(desk.facts.view.item_label(desk.facts.view.item_name(outcomes[0]))) if outcomes else ""
    if levels and label:
        return say(
            "Say what people reported: “People in the group {group} reported … ({outcome})”.",
            group=levels[0],
            outcome=label,
        )
    return say("Say what people reported: “People who took … reported …”.")

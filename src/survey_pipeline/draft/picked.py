"""Picked: which questions are likely the form, the dose and the outcomes of a survey.

What belongs here: a guess, and what else it could have been. It is marked in the draft as a guess. What does not: writing it.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from survey_pipeline.draft.asking import ABOUT_PEOPLE, CONSENT, may_name_people_or_places
from survey_pipeline.draft.question import Question
from survey_pipeline.instrument import Kind

MOST_OUTCOMES = 8
FORM_OPTIONS = range(3, 21)
FORM = re.compile(
    r"\bform\b|\bwhich\b|\bkind\b|\btype\b|\bsort\b|\bbrand\b|\bfav|\bprefer|\bmostly?\b|\bmain\b|\bprepared\b|\bwelche|\bart\b",
    re.IGNORECASE,
)
DOSE = re.compile(
    r"\bdose\b|\bdosis\b|\bhow much\b|\bhow many\b|\bhow often\b|\bhow long\b|\bper (?:day|week|month)\b|\ba day\b|\bdaily\b|"
    r"\bmg\b|\bhours\b|\bfrequency\b|\bwie (?:viele?|oft|lange)\b",
    re.IGNORECASE,
)
OUTCOME = re.compile(
    r"\bpain\b|\bsleep|\bfatigue|\bstress\b|\banxi|\bdepress|\bsatisf|\bwell-?being\b|\bquality of\b|\bmood\b|\bhealth\b|"
    r"\binsomnia\b|\beffects?\b|\bimprove|\bschmerz|\bschlaf|\bdolor\b|\bdouleur",
    re.IGNORECASE,
)
BEFORE = re.compile(r"\bbefore\b|\bbaseline\b|\bvorher\b|\bantes de\b|\bavant\b", re.IGNORECASE)
"""The score before goes with the one now: as the outcome's `baseline`."""
Score = Callable[[Question], float]


@dataclass(frozen=True)
class Picked:
    """The codes picked for three lines of the draft, and what else could stand there."""

    form: str
    dose: str
    outcomes: tuple[str, ...]
    other_forms: tuple[str, ...]
    other_doses: tuple[str, ...]
    other_outcomes: tuple[str, ...]

    @property
    def is_thin(self) -> bool:
        """Whether one question stands in two of the lines, as there are not enough different ones."""
        return self.form == self.dose or bool({self.form, self.dose} & set(self.outcomes))


def pick(asked: Sequence[Question]) -> Picked | None:
    """The likeliest ones; None if nothing tells people apart, or nothing can be shown of them."""
    proposed = [question for question in asked if _may_be_picked(question)]
    with_levels = [question for question in proposed if question.found.has_levels]
    measurable = [question for question in proposed if question.found.is_measurable]
    if not with_levels or not measurable:
        return None
    forms = _ranked(
        [question for question in with_levels if question.found.kind is Kind.CHOICE] or with_levels, _as_form
    )
    doses = _ranked([question for question in with_levels if question is not forms[0]] or with_levels, _as_dose)
    used = {forms[0].code, doses[0].code}
    left = [question for question in measurable if question.code not in used] or measurable
    shown = _outcomes(_ranked(left, _as_outcome))
    return Picked(
        forms[0].code,
        doses[0].code,
        tuple(question.code for question in left if question in shown),
        _codes(forms[1:]),
        _codes([question for question in doses[1:] if question.found.is_numeric]),
        _codes([question for question in left if question not in shown]),
    )


def _may_be_picked(question: Question) -> bool:
    """Neither consent, nor a question whose answers are people or places."""
    said = (question.label, question.question, question.code.replace("_", " "))
    if any(map(CONSENT.search, said)):
        return False
    return not (question.found.kind in (Kind.CHOICE, Kind.CHOICES) and may_name_people_or_places(said))


def _codes(questions: Sequence[Question]) -> tuple[str, ...]:
    return tuple(question.code for question in questions)


def _ranked(questions: Sequence[Question], score: Score) -> list[Question]:
    return sorted(questions, key=lambda question: -score(question))


def _said(question: Question, pattern: re.Pattern[str]) -> bool:
    return pattern.search(question.label) is not None or pattern.search(question.code.replace("_", " ")) is not None


def _as_form(question: Question) -> float:
    found = question.found
    right_size = 3 * (len(found.options) in FORM_OPTIONS) + (found.kind is Kind.CHOICE)
    return (
        right_size
        + 2 * _said(question, FORM)
        - 3 * _said(question, ABOUT_PEOPLE)
        - 2 * found.are_codes
        - _is_row(question)
        - 3 * (len(found.options) == 1)
    )


def _as_dose(question: Question) -> float:
    found = question.found
    kind = {Kind.NUMBER: 4, Kind.CHOICE: 1}.get(found.kind, 0)
    return kind + 3 * _said(question, DOSE) + bool(found.unit) - 5 * _said(question, ABOUT_PEOPLE) - _is_row(question)


def _as_outcome(question: Question) -> float:
    kind = {Kind.SCALE: 4, Kind.CHOICE: 1, Kind.YES_NO: 1}.get(question.found.kind, 0)
    before = _said(question, BEFORE)
    one_option = len(question.found.options) == 1
    return kind + 2 * _said(question, OUTCOME) - 3 * _said(question, ABOUT_PEOPLE) - 4 * one_option - 3 * before


def _is_row(question: Question) -> bool:
    """Whether it looks like a row of a grid."""
    return question.question.endswith("]")


def _outcomes(ranked: Sequence[Question]) -> list[Question]:
    """The scales, if there are any; else the likeliest closed questions."""
    scales = [question for question in ranked if question.found.kind is Kind.SCALE]
    scales = [question for question in scales if not _said(question, BEFORE)] or scales
    best = [question for question in ranked if _as_outcome(question) >= _as_outcome(ranked[0]) - 2]
    return (scales or best)[: MOST_OUTCOMES if scales else MOST_OUTCOMES // 2]

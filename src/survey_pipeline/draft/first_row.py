"""First row: whether the headings of a file of nothing but words may be somebody's answers.

What belongs here: comparing the first row with the rows below it. What does not: rows that surely are answers (`personal`).
"""

import re
from collections.abc import Mapping, Sequence

from survey_pipeline.draft.asking import ABOUT_PEOPLE, CONSENT
from survey_pipeline.draft.counted import Texts
from survey_pipeline.exports import Export
from survey_pipeline.exports.layout import Part
from survey_pipeline.personal import named
from survey_pipeline.texts import fold

WORDS = re.compile(r"[^\W\d_][^\d_?\u00bf:\[\]/|<>=]*")
"""Words as people answer them: no digit, and none of the signs of a question, a field or a code."""
FIELD = re.compile(
    r"\b(?:id|no|nr|number|name|date|time|timestamp|type|kind|form|dose|amount|status|language|comments?|notes?|remarks?|"
    r"answer|question|question\w*|survey|code|group|category|score|level|frequency|effects?|symptoms?|pain|sleep|mood|stress|"
    r"fatigue|age|gender|sex|country|education|job|datum|zeit|frage|antwort|schmerz\w*|schlaf|dosis|fecha|pregunta|respuesta|"
    r"how|what|which|when|why|do|does|did|are|you|your|wie|was|welche[rsmn]?|wann|warum|sie|ihre?[nrms]?|cu[aá]l|qu[eé]|"
    r"c[oó]mo|su|tu)\b",
    re.IGNORECASE,
)
"""What headings are typically called, and words by which somebody is asked."""
LIKE_THE_OTHERS = 0.5
NEARLY_ALL = 0.9


def may_be_answers(export: Export, texts: Mapping[int, Texts]) -> bool:
    """Whether the first row looks like a row like the others. Nobody can tell for certain, so it is only said."""
    columns = export.layout.columns
    below = [(columns[place].heading, found) for place, found in texts.items() if found.counts]
    if export.header_rows != 1 or not below or any(column.part is not Part.ANSWER for column in columns):
        return False
    if not all(_are_words(found) and _may_be_one(heading, found) for heading, found in below):
        return False
    alike = sum(_is_alike(heading, list(found.counts)) for heading, found in below)
    return alike >= LIKE_THE_OTHERS * len(below)


def _are_words(found: Texts) -> bool:
    return found.rows([text for text in found.counts if WORDS.fullmatch(text)]) >= NEARLY_ALL * found.filled


def _may_be_one(heading: str, found: Texts) -> bool:
    """What people answered below may be an answer above, whatever it is called."""
    plain = heading.strip()
    if fold(plain) in map(fold, found.counts):
        return True
    typical = FIELD.search(plain) or ABOUT_PEOPLE.search(plain) or CONSENT.search(plain) or named((plain,))
    return not plain or (WORDS.fullmatch(plain) is not None and not typical)


def _is_alike(heading: str, answers: Sequence[str]) -> bool:
    """Given below as well, or of as many words and begun alike."""
    if fold(heading) in map(fold, answers):
        return True
    lengths = [len(text.split()) for text in answers]
    alike = heading[:1].isupper() == (sum(text[:1].isupper() for text in answers) * 2 > len(answers))
    return bool(heading.strip()) and alike and min(lengths) <= len(heading.split()) <= max(lengths)

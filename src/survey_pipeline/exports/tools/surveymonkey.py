"""SurveyMonkey: a row of questions over a row of options, or both in one row as 'question - option'.

What belongs here: its own columns, carrying a question to the right over its options, and telling an option from a question
that holds a dash. What does not: several options in one cell, which are read as any joined answer is (`answers`).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from survey_pipeline.exports.layout import Column, Layout, Part
from survey_pipeline.exports.sheet import Sheet
from survey_pipeline.exports.tools.clues import (
    Clue,
    Tool,
    cells,
    dashes,
    distinct,
    folded,
    headings,
    names,
    parts,
    place_of,
    without_tags,
)
from survey_pipeline.texts import fold

IDS = frozenset({"respondentid", "respondent id", "respondent_id"})
OWN = IDS | {
    *("collectorid", "collector id", "collector_id", "startdate", "start date", "date_created", "enddate", "end date"),
    *("date_modified", "ip address", "ip_address", "email address", "email_address", "first name", "first_name"),
    *("lastname", "last name", "last_name", "firstname", "language", "collector name", "custom data 1", "custom_1"),
    *("teilnehmer-id", "collector-id", "startdatum", "enddatum", "ip-adresse", "e-mail-adresse", "vorname", "nachname"),
    *("benutzerdefinierte daten 1", "adresse ip", "adresse email", "prénom", "nom de famille"),
}
WHOLE = frozenset(
    {
        *("response", "open-ended response", "antwort", "offene antwort", "beantwortung mit offenem ende", "réponse"),
        *("réponse ouverte", "respuesta", "respuesta abierta", "resposta", "resposta aberta", "risposta", "antwoord"),
        *("risposta aperta", "open antwoord", "réponse en champ libre"),
    }
)
"""What stands under a question that has one answer."""
SPECIFY = frozenset(
    {
        *("other (please specify)", "other (please specify):", "other - please specify", "sonstiges (bitte angeben)"),
        *("autre (veuillez préciser)", "otro (especifique)", "altro (specificare)", "outro (especifique)"),
        "anders (geef nadere toelichting)",
    }
)
"""As SurveyMonkey heads a field for one's own words."""
OTHER = frozenset({"other", "sonstiges", "autre", "otro", "altro", "outro", "anders"})
"""An option that may have such a field or be ticked like any other."""
COMMENT = frozenset({"comment", "comments", "additional comments", "kommentar", "kommentare", "comentario"})


def told(sheet: Sheet) -> Clue | None:
    """The respondent's id comes first; below it, a second row of headings leaves the cell blank."""
    texts, below = folded(sheet), folded(sheet, 1)
    first = next((text for text in texts if text), "")
    if first in IDS:
        rows = 2 if not below[texts.index(first)] and any(below) else 1
        return Clue(rows, f"the first heading is the respondent's id, as SurveyMonkey writes it, over {_rows(rows)}")
    if sum(text in WHOLE for text in below) > 1 and not below[0]:
        return Clue(2, "the second row says 'Response' under the questions, as SurveyMonkey does")
    return None


def _rows(rows: int) -> str:
    return "a second row of headings" if rows > 1 else "the answers"


@dataclass(frozen=True)
class Asked:
    """What stands above a column; `option` is empty over a whole answer."""

    question: str
    option: str = ""
    also: tuple[tuple[str, str], ...] = ()
    """Other ways to cut a heading in two, where both parts may hold a dash."""


def layout(sheet: Sheet, clue: Clue) -> Layout:
    """An option's column is known as a whole and by its question and option."""
    asked = _two_rows(sheet) if clue.header_rows > 1 else _one_row(sheet)
    part = _parts(sheet, clue, asked)
    texts = folded(sheet)
    return Layout(
        TOOL.name,
        clue.header_rows,
        tuple(_column(sheet, place, clue, each, part[place]) for place, each in enumerate(asked)),
        clue.because,
        submitted=place_of(texts, "enddate", "end date", "enddatum", "date_modified", "startdate", "start date"),
        token=place_of(texts, *sorted(IDS)),
    )


def _two_rows(sheet: Sheet) -> list[Asked]:
    """Blanks in the first row continue the question to their left, as long as the second row says something."""
    asked: list[Asked] = []
    question = ""
    for above, below in zip(headings(sheet), headings(sheet, 1), strict=True):
        question = above if above.strip() or not below.strip() else question
        asked.append(Asked(question, "" if fold(below) in WHOLE else below.strip()))
    return asked


def _one_row(sheet: Sheet) -> list[Asked]:
    """'question - option' is cut where most columns are cut alike; a question may hold a dash itself."""
    written = headings(sheet)
    cuts = [dashes(text) for text in written]
    alike = Counter(fold(question) for found in cuts for question in {question for question, _ in found})
    whole = frozenset(fold(text) for text in written)
    return [_cut(sheet, place, text, cuts[place], alike, whole) for place, text in enumerate(written)]


def _cut(
    sheet: Sheet, place: int, text: str, cuts: Sequence[tuple[str, str]], alike: Counter[str], whole: frozenset[str]
) -> Asked:
    """An option needs a second column of its question, or cells that hold nothing but its own text."""
    found = cells(sheet, place, 1)
    sure = [
        (question, option)
        for question, option in cuts
        if alike[fold(question)] > 1 or fold(question) in whole or found == {fold(option)}
    ]
    return Asked(*max(sure, key=lambda cut: alike[fold(cut[0])]), tuple(sure)) if sure else Asked(text)


def _parts(sheet: Sheet, clue: Clue, asked: Sequence[Asked]) -> list[Part]:
    free = {place: part for place, each in enumerate(asked) if (part := _free_words(sheet, place, clue, asked))}
    choices = {
        place: (fold(each.question), (each.option,))
        for place, each in enumerate(asked)
        if each.option and place not in free
    }
    told = parts(sheet, clue.header_rows, choices)
    own = dict.fromkeys(range(_own(asked)), Part.TOOL)
    found = told | free | own
    return [found.get(place, Part.ANSWER) for place in range(sheet.width)]


def _own(asked: Sequence[Asked]) -> int:
    """How many columns at the beginning are the tool's own: a later question may be called 'Language' too."""
    return len(list(takewhile(lambda each: not each.option and fold(each.question) in OWN | {""}, asked)))


def _free_words(sheet: Sheet, place: int, clue: Clue, asked: Sequence[Asked]) -> Part | None:
    """Words beside the options. Where "Other" stands twice, the first says that it was ticked."""
    option = fold(asked[place].option)
    if option in COMMENT:
        return Part.COMMENT
    if option not in SPECIFY | OTHER or asked[place] in asked[place + 1 :]:
        return None
    found = cells(sheet, place, clue.header_rows)
    return None if found <= {option} and (found or option in OTHER) else Part.OTHER


def _column(sheet: Sheet, place: int, clue: Clue, each: Asked, part: Part) -> Column:
    question, option = without_tags(each.question), without_tags(each.option)
    joined = [f"{text} - {option}" for text in (each.question, question)] if option else [each.question, question]
    if clue.header_rows == 1:
        joined += names(sheet, place, 1)
    heading = headings(sheet)[place] if clue.header_rows == 1 else joined[-1]
    if not option:
        return Column(heading, distinct(*joined), part)
    questions, options = [cut[0] for cut in each.also], [cut[1] for cut in each.also]
    return Column(
        heading,
        distinct(*joined),
        part,
        distinct(each.question, question, *questions),
        distinct(each.option, option, *options),
    )


TOOL = Tool("surveymonkey", told, layout)

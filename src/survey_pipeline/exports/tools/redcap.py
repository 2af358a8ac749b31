"""REDCap: raw exports under variable names, and exports of labels.

What belongs here: forms and their status, ticked options, events and repeated entries, as REDCap names them. What does not:
the data dictionary, from which an instrument is made and not a run.
"""

import re
from collections.abc import Sequence

from survey_pipeline.errors import InputRefused
from survey_pipeline.exports.layout import Column, Layout, Mark, Part
from survey_pipeline.exports.sheet import Sheet
from survey_pipeline.exports.tools.clues import (
    Choice,
    Clue,
    Tool,
    cells,
    distinct,
    folded,
    headings,
    names,
    place_of,
    places_of,
    without_tags,
)

VARIABLE = re.compile(r"[a-z][a-z0-9_]*")
OPTION = re.compile(r"(?P<field>[a-z][a-z0-9_]*?)___(?P<code>\w+)")
"""field___1. A minus became a fourth underscore, and letters were made small."""
LABELLED = re.compile(r"(?P<label>.*?)\s*\(choice=(?P<option>.*)\)", re.DOTALL)
EVENT = ("redcap_event_name", "event name")
INSTRUMENT = ("redcap_repeat_instrument", "repeat instrument")
INSTANCE = ("redcap_repeat_instance", "repeat instance")
PERSON = (
    *("redcap_survey_identifier", "redcap_data_access_group", "survey identifier", "data access group"),
    *("redcap_survey_timestamp", "survey timestamp"),
)
OWN = frozenset({*EVENT, *INSTRUMENT, *INSTANCE, *PERSON})
STATUS = frozenset({"0", "1", "2", "incomplete", "unverified", "complete"})
OPENED = frozenset({"1", "2", "unverified", "complete"})
"""A form's states in which somebody looked through it, so that an option not ticked was seen."""
BEGUN = frozenset({"[not completed]"})
RECORD = frozenset(
    f"{what}{joint}id" for what in ("record", "study", "participant", "subject", "patient") for joint in ("_", "")
)
DICTIONARIES = (("variable / field name", "form name"), ("field_name", "form_name"))


def told(sheet: Sheet) -> Clue | None:
    """REDCap's own columns, or a record id, variable names and forms with a status; or the marks of an export of labels."""
    texts = folded(sheet)
    _refuse_dictionary(texts)
    if any(text.startswith("redcap_") and text in OWN for text in texts):
        return Clue(1, "a heading begins with 'redcap_', as only REDCap's own columns do")
    if _raw(sheet):
        return Clue(1, "a record id comes first and each form ends with a '_complete' column, as REDCap writes them")
    if any(LABELLED.fullmatch(text) for text in headings(sheet)):
        return Clue(1, "headings hold '(choice=...)', as REDCap's exports of labels do")
    if _labels(sheet, texts):
        return Clue(1, "forms end with a 'Complete?' column or entries repeat, as in REDCap's exports of labels")
    return None


def _refuse_dictionary(texts: Sequence[str]) -> None:
    if tuple(texts[:2]) in DICTIONARIES:
        raise InputRefused(
            "The file is a REDCap data dictionary, which holds questions and no answers.",
            "`survey-pipeline init NAME --from FILE` reads it; run with the data export.",
        )


def _raw(sheet: Sheet) -> bool:
    written = [text for text in headings(sheet) if text.strip()]
    variables = all(VARIABLE.fullmatch(text) for text in written)
    options = any(OPTION.fullmatch(text) for text in written)
    forms = len(_forms(sheet, folded(sheet)))
    ends = written[-1].endswith("_complete") and (written[0] in RECORD or forms > 1)
    return variables and forms > 0 and (options or ends)


def _labels(sheet: Sheet, texts: Sequence[str]) -> bool:
    states = [place for place in _forms(sheet, texts) if texts[place] == "complete?" and cells(sheet, place, 1)]
    return bool(states) or {INSTRUMENT[1], INSTANCE[1]} <= set(texts)


def _forms(sheet: Sheet, texts: Sequence[str]) -> list[int]:
    """The places of the forms' states: every cell in the head is one."""
    named = [place for place, text in enumerate(texts) if text.endswith("_complete") or text == "complete?"]
    return [place for place in named if cells(sheet, place, 1) <= STATUS]


def layout(sheet: Sheet, clue: Clue) -> Layout:
    """Columns by form. Only a survey tells who did not hand in: elsewhere a form's state is often left at 0."""
    texts = folded(sheet)
    forms = _forms(sheet, texts)
    surveys = _surveys(texts, forms)
    own = {*forms, *surveys, *places_of(texts, OWN), *_record(texts)}
    columns = tuple(
        _own(sheet, place, clue) if place in own else _column(sheet, place, clue, forms) for place in range(sheet.width)
    )
    return Layout(
        TOOL.name,
        clue.header_rows,
        columns,
        clue.because,
        unfinished=tuple(Mark(place, BEGUN) for place in surveys[:1]),
        repeated=_repeated(texts),
        event=place_of(texts, *EVENT),
        submitted=surveys[0] if surveys else None,
    )


def _surveys(texts: Sequence[str], forms: Sequence[int]) -> list[int]:
    """The places of the times at which forms were handed in as surveys, the one by which people come in first."""
    known = {texts[place].removesuffix("_complete") + "_timestamp" for place in forms}
    return places_of(texts, known | {"survey timestamp", "redcap_survey_timestamp"})


def _record(texts: Sequence[str]) -> range:
    """The record id is the first column that has a name; a row number may stand before it."""
    return range(next((place for place, text in enumerate(texts) if text), -1) + 1)


def _repeated(texts: Sequence[str]) -> tuple[Mark, ...]:
    """A repeating form's entries name the form; a repeating event's only count, from 1."""
    form, count = place_of(texts, *INSTRUMENT), place_of(texts, *INSTANCE)
    marks = (form, frozenset({""})), (count, frozenset({"", "1"}))
    return tuple(Mark(place, once, turned=True) for place, once in marks if place is not None)


def _own(sheet: Sheet, place: int, clue: Clue) -> Column:
    return Column(headings(sheet)[place], names(sheet, place, clue.header_rows), Part.TOOL)


def _column(sheet: Sheet, place: int, clue: Clue, forms: Sequence[int]) -> Column:
    heading, known_as = headings(sheet)[place], names(sheet, place, clue.header_rows)
    choice = _choice(heading)
    if choice is None:
        return Column(heading, known_as)
    return Column(heading, known_as, Part.OPTION, choice.question, choice.option, _seen(place, forms))


def _choice(heading: str) -> Choice | None:
    if raw := OPTION.fullmatch(heading.strip()):
        code = raw["code"]
        return Choice((raw["field"],), distinct(code, f"-{code[1:]}" if code.startswith("_") else ""))
    if labelled := LABELLED.fullmatch(heading.strip()):
        label, option = labelled["label"], labelled["option"].strip("'")
        return Choice(distinct(label, without_tags(label)), distinct(option, without_tags(option)))
    return None


def _seen(place: int, forms: Sequence[int]) -> Mark:
    """A form's state stands behind its fields. Without one nobody can tell: a form that was never opened holds 0 as well."""
    state = next((form for form in forms if form > place), None)
    return Mark(place, frozenset()) if state is None else Mark(state, OPENED)


TOOL = Tool("redcap", told, layout)

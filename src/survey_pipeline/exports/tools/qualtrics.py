"""Qualtrics: three rows of headings (names, texts, import ids), two in older exports, one where somebody tidied up.

What belongs here: Qualtrics' own columns, states and import ids, and what its names and texts say of options. What does not:
several codes in one cell, which are read as any joined answer is (`answers`).
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

from survey_pipeline.exports.layout import Column, Layout, Mark, Part
from survey_pipeline.exports.sheet import Sheet
from survey_pipeline.exports.tools.clues import (
    Choice,
    Clue,
    Tool,
    distinct,
    folded,
    headings,
    names,
    parts,
    place_of,
    without_tags,
)
from survey_pipeline.texts import fold

IMPORT_ID = re.compile(r"""\s*\{\s*["']ImportId["']\s*:\s*["'](?P<id>[^"']*)["']""")
"""Told by its beginning: it is not always valid JSON."""
SURE = frozenset({"responseid", "recordeddate", "distributionchannel", "recipientlastname", "recipientemail"})
OWN = SURE | {
    *("startdate", "enddate", "status", "ipaddress", "progress", "duration (in seconds)", "duration", "finished"),
    *("recipientfirstname", "externalreference", "externaldatareference", "externaldata", "locationlatitude"),
    *("locationlongitude", "locationaccuracy", "userlanguage", "responseset", "responsesetid", "name", "emailaddress"),
    *("_recordid", "q_recaptchascore", "q_relevantidduplicate", "q_relevantidduplicatescore", "q_relevantidfraudscore"),
    *("q_duplicaterespondent", "q_totalduration", "q_unansweredpercentage", "q_unansweredquestions", "q_language"),
}
OLD = re.compile(r"v\d+")
"""Names of Qualtrics' own columns in older exports; the row below tells which is which."""
CHOICE = re.compile(r"(?P<question>.+)_(?P<code>x?\d+)")
QUESTION = re.compile(r"QID\d+")
FREE_TEXT = re.compile(r"QID\d+[_-]TEXT")
WORDS = re.compile(r".*[_-]TEXT")
ENTRY = re.compile(r".*#\d.*")
"""A column of a side-by-side question: its texts are answers, not words beside one."""
SELECTED = re.compile(r"\s*-\s*(Selected Choice|Ausgewählte Auswahl|Ausgewählte Option)(?=\s*(-|$))")
CUT = re.compile(r"(?P<question>.*\S)\s+-\s+(?P<option>\S.*)", re.DOTALL)
PREVIEW = {
    "status": frozenset(
        {
            *("1", "2", "9", "17", "survey preview", "survey test", "survey preview spam", "offline survey preview"),
            *("umfragevorschau", "umfragetest"),
        }
    ),
    "distributionchannel": frozenset({"preview", "test"}),
}
"""What Qualtrics' own columns say of answers that the survey's makers gave to try it."""
UNFINISHED = frozenset({"0", "false", "no", "falsch", "nein", "faux", "non", "falso"})
SEEN_UNANSWERED = frozenset({"-99"})


def told(sheet: Sheet) -> Clue | None:
    """Import ids in the third row are Qualtrics' alone; so are some of its columns, whose texts may stand below them."""
    if _import_ids(sheet):
        return Clue(3, "the third row holds Qualtrics' import ids")
    texts, below = folded(sheet), folded(sheet, 1)
    if OLD.fullmatch(texts[0]) and below[0] in {"responseid", "response id"}:
        return Clue(2, "the first headings are V1, V2 ... and the second row names them, as older Qualtrics exports do")
    if not SURE & set(texts) or len(OWN & set(texts)) < 3:
        return None
    rows = 2 if len(sheet.head) > 1 and _names_times(texts, below) else 1
    return Clue(rows, f"Qualtrics' own columns are there, and {rows} row{'s' * (rows > 1)} of headings")


def _import_ids(sheet: Sheet) -> bool:
    found = [IMPORT_ID.match(text) is not None for text in headings(sheet, 2) if text.strip()]
    return bool(found) and 2 * sum(found) > len(found)


def _names_times(texts: Sequence[str], below: Sequence[str]) -> bool:
    """A time holds digits; its heading in any language does not."""
    times = [place for place, text in enumerate(texts) if text in {"startdate", "enddate", "recordeddate"}]
    return any(below[place] for place in times) and not any(re.search(r"\d", below[place]) for place in times)


@dataclass(frozen=True)
class Asked:
    """What stands above a column."""

    name: str
    text: str
    import_id: str

    @property
    def own(self) -> str:
        """Which of Qualtrics' own columns it is, "" for none."""
        texts = (self.text, self.name) if OLD.fullmatch(fold(self.name)) else (self.name,)
        asked = QUESTION.match(self.import_id)
        return "" if asked else next((fold(text) for text in texts if fold(text) in OWN), "")


def layout(sheet: Sheet, clue: Clue) -> Layout:
    """Names, texts and import ids of every column; trial answers and unfinished ones by Qualtrics' own word."""
    asked = _asked(sheet, clue)
    own = [each.own for each in asked]
    return Layout(
        TOOL.name,
        clue.header_rows,
        _columns(sheet, clue, asked),
        clue.because,
        unfinished=_unfinished(own),
        preview=tuple(Mark(own.index(name), trial) for name, trial in PREVIEW.items() if name in own),
        submitted=place_of(own, "recordeddate", "enddate"),
        token=place_of(own, "responseid", "_recordid"),
        missing=SEEN_UNANSWERED,
    )


def _unfinished(own: Sequence[str]) -> tuple[Mark, ...]:
    finished, progress = place_of(own, "finished"), place_of(own, "progress")
    if finished is not None:
        return (Mark(finished, UNFINISHED),)
    return () if progress is None else (Mark(progress, frozenset({"100"}), turned=True),)


def _asked(sheet: Sheet, clue: Clue) -> list[Asked]:
    """Three rows are names, texts and import ids; of two, the second may be either."""
    rows = [headings(sheet, row) for row in range(clue.header_rows)]
    asked = []
    for above in zip(*rows, strict=True):
        ids = [found["id"] for text in above if (found := IMPORT_ID.match(text))]
        texts = [text for text in above[1:] if text.strip() and not IMPORT_ID.match(text)]
        asked.append(Asked(above[0], texts[0] if texts else "", ids[0] if ids else ""))
    return asked


def _columns(sheet: Sheet, clue: Clue, asked: Sequence[Asked]) -> tuple[Column, ...]:
    choices = _choices(asked)
    told = parts(
        sheet,
        clue.header_rows,
        {
            place: (choice.question[0], choice.option)
            for place, choice in choices.items()
            if not _is_words(asked[place])
        },
        SEEN_UNANSWERED,
    )
    return tuple(
        _column(sheet, place, clue, each, choices.get(place), told.get(place, Part.ANSWER))
        for place, each in enumerate(asked)
    )


def _column(sheet: Sheet, place: int, clue: Clue, each: Asked, choice: Choice | None, part: Part) -> Column:
    text = without_tags(SELECTED.sub("", each.text))
    old = OLD.fullmatch(each.name.casefold()) and each.own
    known_as = [name for name in names(sheet, place, clue.header_rows) if not IMPORT_ID.match(name)]
    if not each.own:
        known_as += [text, each.import_id, f"{each.name}. {text}" if text else ""]
    if each.own or _is_words(each):
        part = Part.TOOL if each.own else Part.OTHER
    heading = each.text if old else each.name or each.text
    return Column(
        heading, distinct(*known_as), part, choice.question if choice else (), choice.option if choice else ()
    )


def _is_words(each: Asked) -> bool:
    """Words beside a choice. A question of its own that asks for a text is none, nor is a side-by-side question's."""
    if FREE_TEXT.fullmatch(each.import_id) or ENTRY.fullmatch(each.name):
        return False
    return bool(WORDS.fullmatch(each.name) or WORDS.fullmatch(each.import_id))


def _choices(asked: Sequence[Asked]) -> dict[int, Choice]:
    """Columns whose names say that they belong to one question: its options, the rows of a matrix, or a choice's words."""
    stems: dict[int, tuple[str, str]] = {}
    for place, each in enumerate(asked):
        found = CHOICE.fullmatch(re.sub(r"[_-]TEXT$", "", each.name))
        if found and not each.own and (not each.import_id or QUESTION.match(each.import_id)):
            stems[place] = found["question"], found["code"]
    groups: defaultdict[str, list[int]] = defaultdict(list)
    for place, (question, _) in stems.items():
        groups[question].append(place)
    cuts = {place: cut for group in groups.values() for place, cut in _cuts(asked, group).items()}
    return {place: _choice(asked[place], *stems[place], *cuts[place]) for place in stems}


def _choice(each: Asked, stem: str, code: str, question: str, option: str) -> Choice:
    above = re.sub(r"[_-][^_-]+([_-]TEXT)?$", "", each.import_id)
    plain = without_tags(SELECTED.sub("", question))
    return Choice(distinct(stem, above, question, plain), distinct(code, option, without_tags(option)))


def _cuts(asked: Sequence[Asked], group: Sequence[int]) -> Mapping[int, tuple[str, str]]:
    """The question and the option of each text. What all texts of a question begin with is the question."""
    question = _shared([asked[place].text for place in group if not _is_words(asked[place])])
    if not question:
        return {place: _cut(asked[place].text) for place in group}
    return {place: (question, _behind(asked[place].text, question)) for place in group}


def _shared(texts: Sequence[str]) -> str:
    """What several texts begin with, up to the dash before their options; "" if there is none."""
    alike = takewhile(lambda letters: len(set(letters)) == 1, zip(*texts, strict=False)) if len(texts) > 1 else ()
    beginning = "".join(letters[0] for letters in alike)
    return beginning.rpartition(" - " if " - " in beginning else "-")[0].rstrip()


def _cut(text: str) -> tuple[str, str]:
    found = CUT.fullmatch(text)
    return (found["question"], found["option"]) if found else (text, "")


def _behind(text: str, question: str) -> str:
    return re.sub(r"^\s*-\s*", "", text.removeprefix(question)) if text.startswith(question) else ""


TOOL = Tool("qualtrics", told, layout, header_rows=None)

"""KoboToolbox and ODK: names of a form's questions behind those of its groups.

What belongs here: the columns that both add to a form, groups, and the two ways in which several answers are written. What
does not: repeated groups' own files, of which each row is an entry and not a person (they are marked so).
"""

import re
from collections import Counter
from collections.abc import Sequence

from survey_pipeline.exports.layout import TICKED, UNTICKED, Column, Layout, Mark, Part
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
)
from survey_pipeline.texts import fold

SURE = frozenset(
    {
        *("_submission_time", "_uuid", "__version__", "_xform_id_string", "formhub/uuid", "_validation_status"),
        *("meta/instanceid", "meta.instanceid", "meta-instanceid", "_parent_index", "_parent_table_name"),
        *("_submission__id", "_submission__uuid", "parent_key"),
    }
)
"""Headings that nobody else writes; two of the tool's own tell it if one of these is among them."""
OWN = SURE | {
    *("_id", "_index", "_notes", "_status", "_submitted_by", "_tags", "_geolocation", "_attachments", "key"),
    *("start", "end", "today", "username", "deviceid", "subscriberid", "simserial", "phonenumber", "audit", "email"),
    *(
        "submissiondate",
        "submitterid",
        "reviewstate",
        "submittername",
        "attachmentspresent",
        "attachmentsexpected",
        "edits",
        "formversion",
        "status",
        "instanceid",
    ),
    *("meta/instancename", "meta.instancename", "meta-instancename", "meta/rootuuid", "_submission__submission_time"),
    *("_submission__submitted_by", "_submission___version__", "_submission__tags", "_submission__notes", "_table_name"),
    *("_submission__validation_status", "_submission__status", "_bamboo_dataset_id", "__system/submissiondate"),
}
PLACE = ("latitude", "longitude", "altitude", "precision")
XML_NAME = re.compile(r"[A-Za-z_][\w.-]*")
INSIDE = {"meta.instanceid": ".", "meta-instanceid": "-"}
"""What a group is joined to its questions by, where it is not a slash."""
CENTRAL = frozenset({"submissiondate", "key"})
ZERO_ONE = frozenset({"0", "1", "0.0", "1.0"})
OTHER = frozenset({"other", "other_specify", "autre", "otro", "andere", "sonstiges"})


def told(sheet: Sheet) -> Clue | None:
    """Columns that the tool adds, the four columns of a place, or groups before the names of questions."""
    texts = folded(sheet)
    if SURE & set(texts) and len(OWN & set(texts)) > 1:
        return Clue(1, f"KoboToolbox's and ODK's own columns are there ('{min(SURE & set(texts))}')")
    if set(texts) >= CENTRAL:
        return Clue(1, "ODK's own columns 'SubmissionDate' and 'KEY' are there")
    if _places(texts):
        return Clue(
            1, "a place is followed by its latitude, longitude, altitude and precision, as KoboToolbox writes it"
        )
    if sheet.separator == ";" and _grouped(headings(sheet)):
        return Clue(1, "questions stand behind their groups, joined by a slash, as KoboToolbox writes them")
    return None


def told_by_marks_of_its_file(sheet: Sheet) -> Clue | None:
    """Nothing but semicolons and every heading in quotation marks: so KoboToolbox writes its CSV files, and no other tool
    here that leaves no mark of its own. An export without the tool's own columns shows no more.
    """
    if sheet.separator == ";" and sheet.is_quoted:
        return Clue(1, "semicolons and every heading in quotation marks, as KoboToolbox writes its CSV files")
    return None


def _places(texts: Sequence[str]) -> list[int]:
    """The columns into which the cell of a place is taken apart."""
    apart = {f"_{text.rsplit('/', 1)[-1]}_{part}" for text in texts for part in PLACE}
    found = [place for place, text in enumerate(texts) if text.rsplit("/", 1)[-1] in apart]
    return found if len(found) >= len(PLACE) else []


def _grouped(written: Sequence[str]) -> bool:
    """At least two questions of one group, and nothing but names that a form may hold."""
    levels = [text.split("/") for text in written]
    groups = Counter(level[0] for level in levels if len(level) > 1)
    return max(groups.values(), default=0) > 1 and all(XML_NAME.fullmatch(name) for level in levels for name in level)


def layout(sheet: Sheet, clue: Clue) -> Layout:
    """A question is known by its name alone too, if no other has it; options stand behind their question."""
    texts = folded(sheet)
    own = {*places_of(texts, OWN), *_places(texts)}
    joint = next((joint for text, joint in INSIDE.items() if text in texts), "/")
    repeats = place_of(texts, "_parent_index", "parent_key")
    return Layout(
        TOOL.name,
        clue.header_rows,
        _columns(sheet, clue, own, joint),
        clue.because,
        repeated=() if repeats is None else (Mark(repeats, frozenset({""}), turned=True),),
        submitted=place_of(texts, "_submission_time", "submissiondate", "_submission__submission_time", "end"),
        token=place_of(texts, "_uuid", "meta/instanceid", "meta-instanceid", "meta.instanceid", "key", "_id"),
    )


def _columns(sheet: Sheet, clue: Clue, own: set[int], joint: str) -> tuple[Column, ...]:
    written = headings(sheet)
    choices = _choices(sheet, clue, own, joint)
    leaves = [_leaf(text, joint) for text in written]
    often = Counter(leaf for place, leaf in enumerate(leaves) if place not in choices)
    return tuple(
        _option(sheet, place, clue, choices[place])
        if place in choices
        else _question(
            sheet, place, clue, "" if place in own or often[leaves[place]] > 1 else leaves[place], place in own
        )
        for place in range(sheet.width)
    )


def _leaf(heading: str, joint: str) -> str:
    """A question's own name; a point or a hyphen joins names of a form only, and no sentences."""
    if joint != "/" and not XML_NAME.fullmatch(heading):
        return heading
    return heading.rsplit(joint, 1)[-1]


def _choices(sheet: Sheet, clue: Clue, own: set[int], joint: str) -> dict[int, Choice]:
    """Columns of one option stand behind their question and a slash. Where groups are joined by a slash too, the question
    must have a column itself, or most of what stands behind it be 0 and 1.
    """
    written = headings(sheet)
    whole = frozenset(text for text in written if text.strip())
    found: dict[int, Choice] = {}
    for place, text in enumerate(written):
        above = _above(text, whole)
        option = text[len(above) + 1 :]
        if above and option and place not in own and (above in whole or joint != "/" or _ticked(sheet, above, clue)):
            found[place] = Choice(distinct(above, _leaf(above, joint)), (option,))
    return found


def _above(text: str, whole: frozenset[str]) -> str:
    """What stands before the last slash, or before an earlier one if that is a question's whole heading."""
    before = [text[:place] for place, letter in enumerate(text) if letter == "/"]
    return next((question for question in reversed(before) if question in whole), before[-1] if before else "")


def _ticked(sheet: Sheet, above: str, clue: Clue) -> bool:
    """Whether most of the columns behind a name hold 0 and 1 and nothing else."""
    group = [place for place, text in enumerate(headings(sheet)) if text.rpartition("/")[0] == above]
    found = [cells(sheet, place, clue.header_rows) for place in group]
    told = [each <= ZERO_ONE for each in found if each]
    return len(group) > 1 and 2 * sum(told) > len(told)


def _question(sheet: Sheet, place: int, clue: Clue, leaf: str, own: bool) -> Column:
    known_as = names(sheet, place, clue.header_rows, leaf)
    return Column(headings(sheet)[place], known_as, Part.TOOL if own else Part.ANSWER)


def _option(sheet: Sheet, place: int, clue: Clue, choice: Choice) -> Column:
    """Words under the option "other" are the person's own."""
    words = fold(choice.option[0]) in OTHER and not cells(sheet, place, clue.header_rows) <= TICKED | UNTICKED
    part = Part.OTHER if words else Part.OPTION
    return Column(headings(sheet)[place], names(sheet, place, clue.header_rows), part, choice.question, choice.option)


TOOL = Tool("kobo", told, layout)

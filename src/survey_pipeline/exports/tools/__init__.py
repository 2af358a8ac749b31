"""Tools: which survey tool wrote a sheet, and what its columns therefore mean.

What belongs here: the registry, one small module a tool, and choosing among them. What does not: reading files (`files`), and
the survey's own items (`ingest`).
"""

from dataclasses import replace

from survey_pipeline.errors import InputRefused, WrongUsage, did_you_mean
from survey_pipeline.exports.layout import Layout
from survey_pipeline.exports.sheet import DETECT, ByHand, Sheet
from survey_pipeline.exports.tools import (
    google_forms,
    kobo,
    limesurvey,
    microsoft_forms,
    plain,
    qualtrics,
    redcap,
    surveymonkey,
)
from survey_pipeline.exports.tools.clues import Clue, Tool, headings

SURVEY_TOOLS = (
    qualtrics.TOOL,
    redcap.TOOL,
    limesurvey.TOOL,
    kobo.TOOL,
    surveymonkey.TOOL,
    microsoft_forms.TOOL,
    google_forms.TOOL,
)
"""Asked in this order: whose marks can least be another's comes first."""
TOOLS = {tool.name: tool for tool in SURVEY_TOOLS} | plain.tools()
"""Every tool by its name, plain kinds of files too."""
TEXT_KINDS = frozenset({"csv", "xlsx"})
"""Kinds of files whose headings may be a survey tool's; the others say themselves what their columns are."""


def recognise(sheet: Sheet, by_hand: ByHand = DETECT) -> Layout:
    """The layout of a sheet, told from its first records.

    Raises `InputRefused` if there are no headings, or not those of a tool set by hand, and `WrongUsage` for an unknown tool
    or a number of heading rows that cannot be.
    """
    _refuse_without_headings(sheet)
    tool, clue = _chosen(sheet, by_hand) if by_hand.tool else _detected(sheet)
    return tool.layout(sheet, _by_hand(sheet, clue, by_hand.header_rows))


def _refuse_without_headings(sheet: Sheet) -> None:
    if not sheet.head or not any(text.strip() for text in headings(sheet)):
        raise InputRefused("The first row holds no headings.", "Export the answers with their questions.")


def _detected(sheet: Sheet) -> tuple[Tool, Clue]:
    for tool in SURVEY_TOOLS if sheet.kind in TEXT_KINDS else ():
        if clue := tool.told(sheet):
            return tool, clue
    if clue := kobo.told_by_marks_of_its_file(sheet):
        return kobo.TOOL, clue
    return TOOLS[sheet.kind], plain.told(sheet)


def _chosen(sheet: Sheet, by_hand: ByHand) -> tuple[Tool, Clue]:
    """The tool that a user named. Its own marks still tell how many rows of headings there are."""
    tool = _known(by_hand.tool or "")
    if tool.name in plain.KINDS and tool.name != sheet.kind:
        raise InputRefused(
            f"The file is no {tool.name} file: it was read as {sheet.kind}.", "Leave the tool out to have it detected."
        )
    seen = tool.told(sheet)
    rows = seen.header_rows if seen else tool.header_rows or by_hand.header_rows
    if rows is None:
        raise InputRefused(
            f"The headings are not written as {tool.name} writes them: none of its own columns is there.",
            "Leave the tool out to have it detected, or set the number of header rows by hand as well.",
        )
    return tool, Clue(rows, f"the tool {tool.name} was set by hand")


def _known(name: str) -> Tool:
    if name not in TOOLS:
        raise WrongUsage(
            f"'{name}' is no survey tool that can be read.{did_you_mean(name, TOOLS)}",
            f"It can be: {', '.join(TOOLS)}.",
        )
    return TOOLS[name]


def _by_hand(sheet: Sheet, clue: Clue, rows: int | None) -> Clue:
    if rows is None:
        return clue
    if not 1 <= rows <= len(sheet.head):
        raise WrongUsage(
            f"There cannot be {rows} rows of headings in the {len(sheet.head)} rows that were looked at.",
            "There is at least one; leave the number out to have it detected.",
        )
    return replace(clue, header_rows=rows, because=f"{clue.because}; the number of header rows was set by hand")

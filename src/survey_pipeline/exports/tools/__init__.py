"""Tools: which survey tool wrote a sheet, and what its columns therefore mean.

What belongs here: the registry, one small module a tool. What does not: reading files (`files`), and the survey's own items
(`ingest`).
"""

from survey_pipeline.exports.layout import Column, Layout
from survey_pipeline.exports.sheet import DETECT, ByHand, Sheet


def recognise(sheet: Sheet, by_hand: ByHand = DETECT) -> Layout:
    """The layout of a sheet, told from its first rows."""
    headings = sheet.head[0]
    tool, because = "csv", "no survey tool's own headings were found"
    if headings[0] == "Timestamp":
        tool, because = "google_forms", "the first heading is 'Timestamp', as Google Forms writes it"
    return Layout(tool, 1, tuple(Column(heading, (heading,)) for heading in headings), because)

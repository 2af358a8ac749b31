"""Clues: what the modules of the single tools share when they look at the first records of a sheet.

What belongs here: the shape of a tool, and looking at headings and cells without knowing whose they are. What does not: any
one tool's words (its own module), and choosing among the tools (the package itself).
"""

import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from survey_pipeline.exports.layout import TICKED, UNTICKED, Column, Layout, Part
from survey_pipeline.exports.sheet import Sheet
from survey_pipeline.texts import fold

TAG = re.compile(r"</?[A-Za-z][^<>]*>")
SPACE = re.compile(r"\s+")
DASH = re.compile(r"\s+-\s+")


@dataclass(frozen=True)
class Clue:
    """How many rows of headings there are, and the clause that says what was seen."""

    header_rows: int
    because: str


@dataclass(frozen=True)
class Tool:
    """One survey tool: `told` says whether it wrote a sheet, `layout` what the columns then mean."""

    name: str
    told: Callable[[Sheet], Clue | None]
    layout: Callable[[Sheet, Clue], Layout]
    header_rows: int | None = 1
    """Rows of headings if nothing but a user's word tells the tool. None: they cannot be told without its own marks."""


@dataclass(frozen=True)
class Choice:
    """A column of one option: the question and the option it belongs to, each by all its texts."""

    question: tuple[str, ...]
    option: tuple[str, ...]


def headings(sheet: Sheet, row: int = 0) -> tuple[str, ...]:
    """One row of the head, as long as the sheet is wide."""
    cells = sheet.head[row] if row < len(sheet.head) else ()
    return (*cells[: sheet.width], *[""] * (sheet.width - len(cells)))


def folded(sheet: Sheet, row: int = 0) -> tuple[str, ...]:
    """The same, as they are compared."""
    return tuple(fold(text) for text in headings(sheet, row))


def cells(sheet: Sheet, place: int, header_rows: int) -> frozenset[str]:
    """The different texts below a heading that are not blank, as they are compared."""
    below = (record[place] for record in sheet.head[header_rows:] if place < len(record))
    return frozenset(fold(text) for text in below) - {""}


def place_of(texts: Sequence[str], *wanted: str) -> int | None:
    """Where the first of the wanted texts stands."""
    return next((texts.index(text) for text in wanted if text in texts), None)


def places_of(texts: Sequence[str], wanted: Iterable[str]) -> list[int]:
    """Every place where one of the wanted texts stands."""
    known = frozenset(wanted)
    return [place for place, text in enumerate(texts) if text in known]


def distinct(*texts: str) -> tuple[str, ...]:
    """Texts that are not blank, each once, in their order."""
    return tuple(dict.fromkeys(text for text in texts if text.strip()))


def without_tags(text: str) -> str:
    """A text without the HTML tags that some tools leave in it."""
    return SPACE.sub(" ", TAG.sub(" ", text)).strip() if TAG.search(text) else text


def names(sheet: Sheet, place: int, header_rows: int, *more: str) -> tuple[str, ...]:
    """All that stands above a column, with and without HTML tags, and what a tool makes of it."""
    above = [headings(sheet, row)[place] for row in range(header_rows)]
    return distinct(*above, *(without_tags(text) for text in above), *more)


def brackets_at_end(text: str) -> tuple[str, tuple[str, ...]]:
    """'Question [Row][Column]' as the question and what stands in the brackets behind it."""
    inside: list[str] = []
    text = text.rstrip()
    while (start := _opening(text)) is not None:
        inside.insert(0, text[start + 1 : -1].strip())
        text = text[:start].rstrip()
    return text, tuple(inside)


def _opening(text: str) -> int | None:
    """Where the bracket opens that the last character of a text closes."""
    depth = 0
    for place in range(len(text) - 1, -1, -1) if text.endswith("]") else ():
        depth += (text[place] == "]") - (text[place] == "[")
        if depth == 0:
            return place
    return None


def dashes(text: str) -> list[tuple[str, str]]:
    """Every way to cut 'Question - Option' in two, the longest question first."""
    cuts = [(text[: found.start()].rstrip(), text[found.end() :].strip()) for found in DASH.finditer(text)]
    return [(question, option) for question, option in reversed(cuts) if question and option]


def parts(
    sheet: Sheet,
    header_rows: int,
    choices: Mapping[int, tuple[Hashable, Sequence[str]]],
    missing: frozenset[str] = frozenset(),
) -> dict[int, Part]:
    """Whether columns that share a question are its options or questions of their own, as an array's rows are.

    `choices`: of each column its question and the texts of its option. Headings look alike, so the cells decide: as long as
    most hold ticks or the option's own text and nothing else, they are options. It is a hint: names are given for both.
    """
    groups: defaultdict[Hashable, list[bool]] = defaultdict(list)
    for place, (question, option) in choices.items():
        if found := cells(sheet, place, header_rows) - missing:
            groups[question].append(_ticks(found, option))
    return {
        place: Part.OPTION if 2 * sum(groups[question]) >= len(groups[question]) else Part.ANSWER
        for place, (question, _) in choices.items()
    }


def _ticks(found: frozenset[str], option: Sequence[str]) -> bool:
    return found <= TICKED | UNTICKED | {fold(text) for text in option}


def plain_column(sheet: Sheet, place: int, header_rows: int, part: Part = Part.ANSWER) -> Column:
    """A column that is known by what stands above it and by nothing else."""
    known_as = names(sheet, place, header_rows)
    return Column(known_as[0] if known_as else "", known_as, part)

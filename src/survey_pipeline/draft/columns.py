"""Columns: the questions of an export, out of its columns' names and what stands below them.

What belongs here: which columns belong to one question, by which of their names it can be known for certain, and its code.
What does not: what the answers look like (`kinds`).
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from survey_pipeline.draft import first_row, kinds
from survey_pipeline.draft.asking import ABOUT_PEOPLE, may_name_people_or_places
from survey_pipeline.draft.counted import Texts, count_texts
from survey_pipeline.draft.question import (
    Found,
    Question,
    Questions,
    dropped,
    item_slug,
    readable,
    shortened,
    slug,
    unused,
)
from survey_pipeline.exports import Column, Export
from survey_pipeline.exports.layout import Part
from survey_pipeline.exports.tools.clues import brackets_at_end, without_tags
from survey_pipeline.texts import fold

CODE = re.compile(r"[A-Za-z][^\s]{0,39}")
CODE_OF_ROW = re.compile(r"[A-Z]{1,4}\d+|\d+")
MOST_HEADINGS = 3
WORDS_BESIDE = {Part.OTHER: "own words beside an option", Part.COMMENT: "own words beside an answer"}
RESPONDENT = re.compile(
    r"\b(?:respondent|participant|member|person|personal|your own|your personal|teilnehmer)[ _-]?(?:code|id|key)\b"
    r"|\bpseudonym\b|^(?:your )?code$|^token$|\bself-made code\b|\bteilnehmercode\b|\bcódigo personal\b",
    re.IGNORECASE,
)
"""What people call the code by which somebody who answers again is recognised."""
THEMES = {True: "about you", False: "questions"}
NOT_STORED = "not stored"
NAMES = "may name people or places"
TOOL_NAMES = {
    "google_forms": "Google Forms",
    "limesurvey": "LimeSurvey",
    "redcap": "REDCap",
    "kobo": "KoboToolbox",
    "qualtrics": "Qualtrics",
    "surveymonkey": "SurveyMonkey",
    "microsoft_forms": "Microsoft Forms",
    "csv": "CSV",
    "xlsx": "XLSX",
    "parquet": "Parquet",
    "spss": "SPSS",
    "stata": "Stata",
    "sas": "SAS",
}


@dataclass
class _Asked:
    """The columns of one question: one that holds the whole answer, or one an option, or both."""

    whole: int | None = None
    options: list[int] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    """All texts by which the question may be known, the one shown to people first."""


def questions_of(export: Export) -> Questions:
    """Everything that an export tells of its survey."""
    asked = _grouped(export)
    texts = count_texts(export, [place for one in asked for place in _places(one)])
    grids = _grids(export.layout.columns, asked, texts)
    owners = _owners(asked, export.layout.columns)
    drafted, left_out, taken = [], list(_beside(export)), set[str]()
    for number, one in enumerate(asked, start=1):
        sure = [name for name in one.names if len(owners[fold(name)]) == 1]
        if not sure:
            left_out += _not_sure(export, one)
            continue
        question = _question(export.layout.columns, one, sure, texts, grids)
        reserved = {name for name, known in owners.items() if known != {number - 1}} | taken
        taken.add(code := unused(question.code, reserved, f"question_{number}"))
        drafted.append(replace(question, code=code))
    no_answer = {fold(text): text for place in texts for text in texts[place].no_answer}
    source = f"{_shown(export.tool)} export with {export.records} {'row' if export.records == 1 else 'rows'}"
    events = _events(export)
    return Questions(
        source,
        tuple(drafted),
        tuple(left_out),
        tuple(no_answer[text] for text in sorted(no_answer)),
        tuple(events),
        export.records - max(events.values(), default=export.records),
        maybe_headless=first_row.may_be_answers(export, texts),
    )


def _events(export: Export) -> dict[str, int]:
    """How many rows each event has, the most frequent first."""
    place = export.layout.event
    if place is None:
        return {}
    counts = count_texts(export, [place], export.records)[place].counts
    return {text: counts[text] for text in sorted(counts, key=lambda text: -counts[text])}


def _shown(tool: str) -> str:
    """A tool's name as people write it, with its article."""
    name = TOOL_NAMES.get(tool, tool)
    return f"{'an' if name[0] in 'AEIOSX' and name.isupper() else 'a'} {name}"


# --- Which columns belong together ---------------------------------------------------------------------------------------


def _grouped(export: Export) -> list[_Asked]:
    """Questions in the order of their first column. A cell with all answers goes with the columns of its options."""
    groups: dict[str, _Asked] = {}
    found: list[_Asked] = []
    columns = export.layout.columns
    for place, column in enumerate(columns):
        if column.part is Part.OPTION and column.question:
            key = fold(column.question[0])
            if key not in groups:
                found.append(groups.setdefault(key, _Asked()))
            groups[key].options.append(place)
            groups[key].names += [name for name in column.question if name not in groups[key].names]
        elif column.part not in WORDS_BESIDE:
            found.append(_Asked(place, [], list(column.names)))
    return [one for one in found if not _is_part_of(one, groups)]


def _is_part_of(one: _Asked, groups: dict[str, _Asked]) -> bool:
    """Whether a whole answer's column belongs to a group, to which it is then added."""
    if one.whole is None or one.options:
        return False
    group = next((groups[folded] for folded in map(fold, one.names) if folded in groups), None)
    if group is None:
        return False
    group.whole = one.whole
    group.names += [name for name in one.names if name not in group.names]
    return True


def _places(one: _Asked) -> list[int]:
    return one.options or ([] if one.whole is None else [one.whole])


def _owners(asked: Sequence[_Asked], columns: Sequence[Column]) -> defaultdict[str, set[int]]:
    """By which questions each folded name is claimed, those of their options' columns included."""
    owners: defaultdict[str, set[int]] = defaultdict(set)
    for number, one in enumerate(asked):
        for name in (*one.names, *(name for place in one.options for name in columns[place].names)):
            owners[fold(name)].add(number)
    return owners


def _beside(export: Export) -> Iterator[tuple[str, str]]:
    """Columns of free words: they are read past whatever the instrument says."""
    for column in export.layout.columns:
        if column.part in WORDS_BESIDE:
            yield column.heading, WORDS_BESIDE[column.part]


def _not_sure(export: Export, one: _Asked) -> Iterator[tuple[str, str]]:
    """The columns of a question by whose names it cannot be known, and why."""
    for place in sorted({*one.options, *([] if one.whole is None else [one.whole])}):
        heading = export.layout.columns[place].heading
        if heading.strip():
            yield heading, "another column has the same heading: rename one of them in the survey or in the export"
        else:
            yield f"Column {place + 1}", "it has no heading"


def _grids(columns: Sequence[Column], asked: Sequence[_Asked], texts: dict[int, Texts]) -> dict[str, Texts]:
    """The answers to all rows of each grid, by its question: a row in which nobody said "never" offers it all the same.

    Each text counts as often as in the row where most people gave it, so that nobody counts twice.
    """
    grids: dict[str, Counter[str]] = {}
    for one in asked:
        if one.whole is not None and not one.options and (grid := _grid(columns[one.whole])):
            grids[grid] = grids.get(grid, Counter()) | Counter(texts[one.whole].counts)
    return {grid: Texts(counts) for grid, counts in grids.items()}


def _grid(column: Column) -> str:
    """The question of which a column's own is a row; "" if it is none."""
    if column.part is not Part.ANSWER:
        return ""
    if column.question:
        return fold(column.question[0])
    question, rows = brackets_at_end(column.heading)
    return fold(question) if rows else ""


# --- One question ------------------------------------------------------------------------------------------------------


def _question(
    columns: Sequence[Column], one: _Asked, sure: Sequence[str], texts: dict[int, Texts], grids: dict[str, Texts]
) -> Question:
    """`sure`: the names by which it cannot be taken for another."""
    shown = next((name for name in sure if " " in name.strip()), sure[0])
    label = _label(columns, one, shown)
    found = _found(columns, one, label, texts, grids)
    identifies = one.whole is not None and not one.options and _is_respondent(columns[one.whole], shown)
    codes = [name for name in sure if name != shown and " " not in name][:MOST_HEADINGS]
    theme = NOT_STORED if found.dropped or identifies else THEMES[ABOUT_PEOPLE.search(label) is not None]
    return Question(
        _code(sure, label),
        " ".join(shown.split()),
        shortened(label),
        theme,
        dropped("a code of the respondent's own") if identifies else found,
        tuple(codes),
        identifies=identifies,
    )


def _label(columns: Sequence[Column], one: _Asked, shown: str) -> str:
    """The question's own words: without the code that stands before them, and for a row of a grid with the row first."""
    if one.whole is not None and not one.options and (row := _row(columns[one.whole])):
        return row
    texts = [_without_groups(without_tags(name), one.names) for name in one.names if " " in name.strip()]
    plain = [text for text in texts if any(other != text and other.endswith(f". {text}") for other in texts)]
    return min(plain, key=len) if plain else (texts or [readable(without_tags(shown))])[0]


def _without_groups(text: str, names: Sequence[str]) -> str:
    """Of a question behind its groups, the last part: the question by itself, if that is another of its names."""
    alone = [name for name in names if name.strip() and text.endswith(f"/{name}")]
    return min(alone, key=len, default=text)


def _row(column: Column) -> str:
    """'Row: question'. A row that only has a code says nothing."""
    worded = [*map(without_tags, (*column.option[-1:], *column.question[-1:]))]
    if len(worded) < 2 or " " not in worded[1]:
        return ""
    return worded[1] if CODE_OF_ROW.fullmatch(worded[0]) else ": ".join(worded)


def _found(
    columns: Sequence[Column], one: _Asked, label: str, texts: dict[int, Texts], grids: dict[str, Texts]
) -> Found:
    if one.options:
        options = [_option(columns[place]) for place in one.options]
        return kinds.ticked(options, [texts[place] for place in one.options])
    column = columns[one.whole or 0]
    if column.part is Part.TOOL:
        return dropped("the survey tool's own")
    mine = texts[one.whole or 0]
    found = kinds.told(mine, label, column.names, column.labels)
    whole = grids.get(_grid(column))
    found = found if whole is None else kinds.as_in_grid(found, mine, whole, label, column.names)
    asks = not column.labels and may_name_people_or_places((*column.names, *column.question, *column.option))
    return dropped(NAMES) if asks and kinds.are_own_words(found) else found


def _option(column: Column) -> tuple[str, tuple[str, ...]]:
    """An option by its label; its code is another way to write it."""
    return (column.option[-1], column.option[:-1]) if column.option else (column.heading, ())


def _is_respondent(column: Column, shown: str) -> bool:
    return column.part is Part.ANSWER and RESPONDENT.search(shown) is not None


def _code(sure: Sequence[str], label: str) -> str:
    """The survey tool's own code if it is a short name, else a code out of the question's words."""
    named = [name for name in sure if CODE.fullmatch(name)]
    leaves = [name for name in named if any(other.endswith(f"{joint}{name}") for other in named for joint in "/.-")]
    made = slug((leaves or named)[0]) if named else ""
    return made or item_slug(label)

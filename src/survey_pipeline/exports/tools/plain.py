"""Plain: a table that no survey tool has marked as its own, or a typed file that says itself what its columns are.

What belongs here: names, labels, codes and user-missing values of SPSS, Stata, SAS and Parquet files, and the headings of
any other table. What does not: the habits of a survey tool.
"""

from collections import Counter

from survey_pipeline.exports.layout import Column, Layout, Part
from survey_pipeline.exports.sheet import Meta, Sheet
from survey_pipeline.exports.tools.clues import Choice, Clue, Tool, dashes, distinct, headings, parts, plain_column

KINDS = ("csv", "xlsx", "parquet", "spss", "stata", "sas")
BECAUSE = {
    "csv": "no survey tool's own headings were found",
    "xlsx": "no survey tool's own headings were found",
    "parquet": "the file names its columns itself",
    "spss": "the file names its variables itself, as SPSS writes them",
    "stata": "the file names its variables itself, as Stata writes them",
    "sas": "the file names its variables itself, as SAS writes them",
}


def told(sheet: Sheet) -> Clue:
    """Any sheet can be read plainly."""
    return Clue(1, BECAUSE.get(sheet.kind, BECAUSE["csv"]))


def layout(sheet: Sheet, clue: Clue) -> Layout:
    """Columns by their headings, or by what the file knows of them."""
    columns = _typed(sheet, clue.header_rows) if sheet.meta else _untyped(sheet, clue.header_rows)
    return Layout(sheet.kind, clue.header_rows, columns, clue.because)


def tools() -> dict[str, Tool]:
    """One a kind of file, so that a user can ask for plain reading by name."""
    return {kind: Tool(kind, told, layout) for kind in KINDS}


def _untyped(sheet: Sheet, rows: int) -> tuple[Column, ...]:
    return tuple(plain_column(sheet, place, rows) for place in range(sheet.width))


def _typed(sheet: Sheet, rows: int) -> tuple[Column, ...]:
    choices = _dichotomies(sheet)
    part = parts(sheet, rows, {place: (choice.question[0], choice.option) for place, choice in choices.items()})
    return tuple(
        _variable(name, meta, choices.get(place), part.get(place, Part.ANSWER))
        for place, (name, meta) in enumerate(zip(headings(sheet), sheet.meta, strict=True))
    )


def _variable(name: str, meta: Meta, choice: Choice | None, part: Part) -> Column:
    return Column(
        name,
        distinct(name, meta.label),
        part,
        choice.question if choice else (),
        choice.option if choice else (),
        labels=meta.values,
        missing=meta.missing,
    )


def _dichotomies(sheet: Sheet) -> dict[int, Choice]:
    """Variables that are numbered or named as parts of one, and whose labels begin with one question."""
    written = headings(sheet)
    named = {place: found for place, name in enumerate(written) if (found := _part_of_set(name))}
    cuts = {place: [*dashes(sheet.meta[place].label), *_at_colon(sheet.meta[place].label)] for place in named}
    alike = Counter(question for found in cuts.values() for question, _ in found)
    shared = {place: [cut for cut in found if alike[cut[0]] > 1] for place, found in cuts.items()}
    return {
        place: Choice(
            (named[place][0], *(question for question, _ in found)), (named[place][1], *(option for _, option in found))
        )
        for place, found in shared.items()
        if found
    }


def _part_of_set(name: str) -> tuple[str, str] | None:
    """'q1_2' as the second of q1, 'form__citrate' as an option of form."""
    whole, joint, part = name.partition("__") if "__" in name else name.rpartition("_")
    return (whole, part) if whole and joint and part else None


def _at_colon(label: str) -> list[tuple[str, str]]:
    question, colon, option = label.partition(": ")
    return [(question.strip(), option.strip())] if colon and question.strip() and option.strip() else []

"""Sheets: what stands on each sheet of the workbook, cell by cell, in the reader's language.

What belongs here: titles, headings, words in place of numbers, the cover's and the notes' lines. What does not: formats,
widths and the file itself (`workbook`), and the files for programs (`tables`). One row of a sheet is one row of the CSV of
its table, in the same order.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Final, Literal

from survey_pipeline import names
from survey_pipeline.language import later, say, wave_in_words
from survey_pipeline.names import Status
from survey_pipeline.plain import clean
from survey_pipeline.release import ComparisonRow, Row, TestRow
from survey_pipeline.render import methods, rules, words
from survey_pipeline.render.codes import (
    DIFFERENCE,
    Anything,
    everything,
    exposure_label,
    outcome_label,
    statistic_label,
)
from survey_pipeline.render.columns import COLUMNS
from survey_pipeline.render.estimators import METHOD, comparison, estimator, test
from survey_pipeline.render.phrases import level_label
from survey_pipeline.render.tables import COMPARISONS, TESTS
from survey_pipeline.render.view import NO_NUMBERS, View

Cell = str | float | int
Kind = Literal["text", "number", "count"]
TEXT: Final[Kind] = "text"

STATUSES: Final = {
    Status.OK: later("shown"),
    Status.MERGED: later("merged"),
    Status.UNRELIABLE: later("uncertain"),
    Status.SUPPRESSED: words.HIDDEN,
    Status.NOT_ASKED: words.NOT_READ,
}
"""The word of each status; of the last two it stands in place of every number."""
MEANT: Final = {
    Status.OK: later("The number is shown as it is."),
    Status.MERGED: later(
        "The number is shown; its group was put together from smaller ones, so that nobody can be picked out."
    ),
    Status.UNRELIABLE: later("The number is shown, but rests on too few people or has too wide a range to lean on."),
    Status.SUPPRESSED: later("The number is not published, so that nobody can be picked out. It is not 0."),
    Status.NOT_ASKED: later("This wave holds no answers to the question. It is not 0."),
}
NOT_GIVEN: Final = later("not given")
"""In a cell of a row that is shown: this statistic has no such number, or it is not published."""
NOTES_OF_READING: Final = (
    later("One row is one number: one statistic of one outcome in one group. No cells are merged and none is empty."),
    later("Shares are fractions from 0 to 1: 0.3 is 30 in 100. A change is now minus before."),
    later("Numbers are as exact as they are published, and the same as in the report and the other files."),
    later(
        "The same rows stand in tables/*.csv and tables/*.parquet, and all of them in release.json. "
        "There, nothing stands where a word stands here."
    ),
    later("What each code means stands in codebook.csv, what each file holds in datapackage.json."),
)
NOTES_OF_WORDS: Final = (
    later("Where nothing of a row may be shown, the word of its status stands in place of every number. It is not 0."),
    later("“not given”: this statistic has no such number, or it is not published. The notes on columns say which."),
    later("“fewer than” a number: so few people left the question out, perhaps nobody, that they are not told."),
)
TITLES: Final = {COMPARISONS: later("Two groups compared"), TESTS: later("Tests over all groups")}
AS_CODES: Final = (names.EXPOSURE, names.OUTCOME, names.STATISTIC)
"""Columns that stand on a sheet twice: in words, and at the end as the code by which the row is found in other files."""
SAID_ABOVE: Final = frozenset({names.INSTRUMENT, names.WAVE})
"""Columns that are the same in all rows of a sheet, so that its first lines say them. A table's own name is its sheet's."""
DIRECTIONS: Final = {"up": later("up"), "down": later("down"), "flat": later("flat")}
FAMILIES: Final = {"primary": later("declared beforehand"), "grid": later("all others")}


@dataclass(frozen=True)
class Sheet:
    """One table on a sheet of its own. `name`: the name of its files; `lines`: sentences between the title and the table.

    `kinds`: what each column holds; `rows`: a tuple a row, a cell a heading. Numbers are numbers, everything else is text.
    """

    name: str
    title: str
    lines: tuple[str, ...]
    headings: tuple[str, ...]
    kinds: tuple[Kind, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class Cover:
    """The first sheet: the survey's title, sentences, and what the other sheets are called in the list of contents."""

    title: str
    lines: tuple[str, ...]


def cover(view: View) -> Cover:
    """Whose numbers these are, of when, and what they can show."""
    release, instrument = view.release, view.instrument
    lines = (
        _whose(view),
        *_invented(view),
        clean(instrument.about),
        clean(instrument.recruitment),
        say("This is release {number} of the wave.", number=release.release_number)
        if release.release_number > 1
        else "",
        say("Corrected: {why}", why=clean(release.correction)) if release.correction else "",
        say(words.NO_CAUSE),
        say("Words that stand in place of numbers are explained on the sheet of notes."),
        say("Contact: {contact}", contact=clean(instrument.contact)) if instrument.contact else "",
    )
    return Cover(clean(instrument.title), tuple(filter(None, lines)))


def sheets(view: View) -> tuple[Sheet, ...]:
    """A sheet for each table, in the order of the release, then comparisons and tests where there are any."""
    release = view.release
    of_table: dict[str, list[Row]] = {}
    for row in release.rows:
        of_table.setdefault(row.table, []).append(row)
    found = [_sheet(view, table, words.table_title(view, table), rows) for table, rows in of_table.items()]
    others = ((COMPARISONS, release.comparisons), (TESTS, release.tests))
    return (*found, *(_sheet(view, name, say(TITLES[name]), rows) for name, rows in others if rows))


def notes(view: View) -> Sheet:
    """How to read the other sheets: a line a thing, with its topic."""
    topics = (
        (say("Reading the tables"), map(say, NOTES_OF_READING)),
        (say("Words in place of numbers"), map(say, NOTES_OF_WORDS)),
        (say("Status"), _statuses()),
        (say("Columns"), _columns(view)),
        (say("Statistics"), _statistics(view)),
        (say("Thresholds"), _thresholds(view)),
        (say("Methods"), _methods(view)),
        (say("What may be published"), _rules(view)),
        (say("Limits"), _limits(view)),
    )
    rows = tuple((topic, line) for topic, lines in topics for line in lines if line)
    lines = (_whose(view), *_invented(view))
    return Sheet("notes", say("Notes: how to read the tables"), lines, (say("Topic"), say("Note")), (TEXT, TEXT), rows)


# --- Sheets of tables --------------------------------------------------------------------------------------------------


def _sheet(view: View, name: str, title: str, rows: Sequence[Anything]) -> Sheet:
    kinds = _kinds(rows[0], SAID_ABOVE | {names.TABLE} if isinstance(rows[0], Row) else SAID_ABOVE)
    codes = (*AS_CODES, METHOD)
    headings = (*(say(COLUMNS[column].heading) for column in kinds), *map(_code_heading, codes))
    lines = (_whose(view), *_invented(view), say(words.NO_CAUSE))
    said = cache(partial(_in_words, view))  # thousands of rows say the same words
    cells = tuple(_cells(row, kinds, view, said) for row in rows)
    return Sheet(name, title, lines, headings, (*kinds.values(), *(TEXT for _ in codes)), cells)


def _kinds(row: Anything, without: Collection[str]) -> dict[str, Kind]:
    """What each column of a sheet holds, by its name."""
    kinds: dict[str, Kind] = {"float | None": "number", "int | None": "count"}
    fields = type(row).model_fields.items()
    return {name: kinds.get(str(field.annotation), TEXT) for name, field in fields if name not in without}


def _code_heading(column: str) -> str:
    """The heading of a code; a table's headings must differ in more than capitals."""
    return say("Code: {column}", column=column)


Said = Callable[[str, str, str, str], str]
"""A column's text in words, of a row of an outcome and a statistic."""


def _cells(row: Anything, columns: Iterable[str], view: View, said: Said) -> tuple[Cell, ...]:
    codes = (str(getattr(row, column)) for column in AS_CODES)
    method = said(METHOD, type(row).__name__, row.outcome, row.statistic)
    return (*(_cell(row, column, view, said) for column in columns), *codes, method)


def _cell(row: Anything, column: str, view: View, said: Said) -> Cell:
    value = getattr(row, column)
    if column == names.STATUS:
        return say(STATUSES[row.status])
    if value is None:
        return _instead(row, column, view)
    return said(column, value, row.outcome, row.statistic) if isinstance(value, str) else value


def _instead(row: Anything, column: str, view: View) -> str:
    """The word in place of a number: of the status where nothing of the row is shown."""
    if row.status in NO_NUMBERS:
        return say(STATUSES[row.status])
    if isinstance(row, Row) and column == names.N_MISSING:
        return words.missing(row, view.release.policy.min_n)
    return say(NOT_GIVEN)


def _in_words(view: View, column: str, value: str, outcome: str, statistic: str) -> str:
    if column == METHOD:
        return _method(view, value, outcome, statistic)
    if column == names.EXPOSURE:
        return exposure_label(view, value)
    if column == names.OUTCOME:
        return outcome_label(view, value, statistic)
    if column == names.STATISTIC:
        return statistic_label(view, outcome, value)
    if column in (names.LEVEL, names.COMPARED_WITH):
        return level_label(value)
    known = {"direction": DIRECTIONS, "family": FAMILIES, "adjustment": methods.ADJUSTMENTS}.get(column, {})
    return say(known[value]) if value in known else clean(value)


def _method(view: View, kind: str, outcome: str, statistic: str) -> str:
    """How a statistic was worked out; `kind`: the name of the row's type."""
    if kind == ComparisonRow.__name__:
        return comparison(statistic, view.instrument)
    if kind == TestRow.__name__:
        return test(statistic, view.instrument)
    return estimator(outcome, statistic, view.instrument) or say(NOT_GIVEN)


def _whose(view: View) -> str:
    title, community = clean(view.instrument.title), clean(view.instrument.community)
    return say(
        "Survey: {survey}. Community: {community}. Wave: {wave}.",
        survey=title,
        community=community,
        wave=wave_in_words(view.release.wave),
    )


def _invented(view: View) -> tuple[str, ...]:
    return (say(words.INVENTED_LONG),) if view.release.is_invented else ()


# --- Notes -------------------------------------------------------------------------------------------------------------


def _statuses() -> Iterator[str]:
    for status in Status:
        told = {"word": say(STATUSES[status]), "name": str(status), "meaning": say(MEANT[status])}
        yield say("{word} (in the files: {name}): {meaning}", **told)


def _columns(view: View) -> Iterator[str]:
    """What each column holds, with its name in the files."""
    release = view.release
    rows = [next(iter(part), None) for part in (release.rows, release.comparisons, release.tests)]
    found = dict.fromkeys(name for row in rows if row for name in type(row).model_fields if name not in SAID_ABOVE)
    for name in found:
        column, empty = COLUMNS[name], COLUMNS[name].empty
        told = {"heading": say(column.heading), "name": name, "meaning": say(column.about)}
        if empty:
            yield say("{heading} (in the files: {name}): {meaning} Without a number: {why}", **told, why=say(empty))
        else:
            yield say("{heading} (in the files: {name}): {meaning}", **told)
    yield say(
        "Columns whose heading begins with “Code” hold the codes of the files, and the short name of the method in English."
    )


def _statistics(view: View) -> Iterator[str]:
    """The name of each statistic in the files; of those with a rule of their own `_thresholds` tells."""
    labels: dict[str, None] = {}
    for row in everything(view):
        if view.measure(row.outcome, row.statistic.removeprefix(DIFFERENCE)).threshold is None:
            label = statistic_label(view, row.outcome, row.statistic)
            labels[say("{statistic} (in the files: {name})", statistic=label, name=row.statistic)] = None
    yield from labels
    if view.release.comparisons:
        yield say("A difference has {name} before the name of what differs.", name=DIFFERENCE)


def _thresholds(view: View) -> Iterator[str]:
    for measure in view.thresholds():
        if measure.threshold:
            yield say(
                "{statistic} (in the files: {name}). Source: {source}",
                statistic=measure.statistic_label,
                name=measure.statistic,
                source=clean(measure.threshold.source),
            )


def _methods(view: View) -> Iterator[str]:
    release, instrument = view.release, view.instrument
    yield " ".join((say(words.HOW_RANGES_ARE_MEANT), *methods.ranges(instrument)))
    yield methods.shares_from(instrument)
    yield from methods.weighting(instrument)
    yield from methods.tests_made(release, instrument)
    yield from methods.anyway_rests_on(release, instrument)


def _rules(view: View) -> Iterator[str]:
    policy = view.release.policy
    yield from rules.in_short(policy)
    yield from rules.in_full(policy)
    yield rules.looser(policy)


def _limits(view: View) -> Iterator[str]:
    yield say(words.NO_CAUSE)
    yield from words.limits(view.instrument)
    yield from map(clean, view.instrument.cannot_say)

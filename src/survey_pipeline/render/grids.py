"""Grids: published numbers as tables of the page.

What belongs here: which rows and columns a table has, and what stands in its cells. What does not: which tables the page
shows and under which heading (`page`, `lesser`), and how they look (`templates`).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby, takewhile
from typing import Final

from survey_pipeline import names
from survey_pipeline.language import later, per_cent, say, say_in, whole
from survey_pipeline.names import Status
from survey_pipeline.release import Row
from survey_pipeline.render import anyway, phrases, words
from survey_pipeline.render.measure import ANYWAY, PERSON_WEEKS, READINGS, WITHOUT_UNIT, Measure
from survey_pipeline.render.view import Comparison, View, is_shown

NUMBERS = later("The numbers as a table")
BETWEEN = "__x__"
"""Stands between the codes of two levels that are crossed."""
CLEARLY_OTHER = 0.1
"""A number says its own people where they differ from those of the first one by more than this part of them, and by more than
their rounding."""

CURVE: Final = {
    "lower": (
        later("{outcome}: how many were at least so much lower"),
        later("People in 100 whose {outcome} was at least so much lower"),
        later("{per_cent} lower, in 100"),
    ),
    "higher": (
        later("{outcome}: how many were at least so much higher"),
        later("People in 100 whose {outcome} was at least so much higher"),
        later("{per_cent} higher, in 100"),
    ),
    None: (
        later("{outcome}: how many were at least so much better"),
        later("People in 100 whose {outcome} was at least so much better"),
        later("{per_cent} better, in 100"),
    ),
}
"""Name, caption and columns of a responder curve, by which way is better."""


@dataclass(frozen=True)
class Cell:
    """One cell of a table; `muted` where it holds a word instead of a number."""

    text: str
    muted: bool = False


@dataclass(frozen=True)
class Line:
    """A row of a table; `whole` where it is about everybody who answered."""

    label: str
    cells: tuple[Cell, ...]
    whole: bool = False


@dataclass(frozen=True)
class Grid:
    """A table of the page: a short name for the line that unfolds it, a caption, and a heading for its first column, "Group"
    where nothing else is given.
    """

    name: str
    caption: str
    columns: tuple[str, ...]
    lines: tuple[Line, ...]
    head: str = field(default_factory=lambda: say("Group"))


# --- A row for each level ----------------------------------------------------------------------------------------------


def outcome_grid(view: View, table: str, outcome: str) -> Grid:
    """One outcome: a row for each level, a column for each statistic but the responder curve's."""
    found = view.for_table(table, outcome)
    columns = (*(column_of(one) for one in found), *_count_columns(found, view))
    label = found[0].measure.label
    return Grid(label, _caption(label, found[0], view), columns, _with_counts(found, view))


def curve_grid(view: View, table: str, outcome: str) -> Grid | None:
    """The responder curve of an outcome; None where the release has none."""
    found = view.curve(table, outcome)
    if not found:
        return None
    measure = found[0].measure
    name, what, column = CURVE[measure.item.better if measure.item else None]
    columns = tuple(say(column, per_cent=per_cent(view_per_cent(one))) for one in found)
    caption = _caption(say(what, outcome=phrases.inline(measure.label)), found[0], view)
    return Grid(say(name, outcome=measure.label), caption, (*columns, say("People")), _lines(found, view))


def view_per_cent(found: Comparison) -> str:
    """By how many per cent people improved at least."""
    threshold = found.measure.threshold
    return phrases.plain(threshold.percent if threshold and threshold.percent else found.measure.improved_by or 0)


def option_grids(view: View, table: str) -> Iterator[Grid]:
    """Closed questions: a row for each level, a column for each answer."""
    options = [found for found in view.options(table) if found.measure.limit is None]
    for name, group in groupby(options, key=lambda found: view.item_name(found.measure.outcome)):
        found = list(group)
        columns = (*(_in_100(one.measure.label) for one in found), *_count_columns(found, view))
        label = view.item_label(name)
        yield Grid(label, _caption(label, found[0], view), columns, _with_counts(found, view))


def headline_grid(view: View, table: str) -> Grid | None:
    """The headline measure of each outcome but closed questions, each beside what might be expected anyway."""
    outcomes = [outcome for outcome in view.outcomes(table) if _is_measured(view, table, outcome)]
    if not outcomes:
        return None
    found = [one for outcome in outcomes for one in _with_band(view, table, outcome)]
    first = found[0]
    columns = (*(_full_column(one) for one in found), _count_columns(found, view)[0])
    return Grid(say(NUMBERS), _caption(say("The main numbers"), first, view), columns, _lines(found, view))


def limit_grids(view: View, table: str) -> Iterator[Grid]:
    """How many were above each limit: a row for each level, a column for each reading of the dose."""
    options = (found for found in view.options(table) if found.measure.limit)
    for label, group in groupby(options, key=lambda found: found.measure.label):
        found = list(group)
        columns = (*(_in_100(say(READINGS[one.measure.reading])) for one in found), *_count_columns(found, view))
        yield Grid(words.how_many_above(label), _caption(label, found[0], view), columns, _with_counts(found, view))


def count_grid(view: View, table: str) -> Grid:
    """How many people gave each answer, of how many who answered, by level."""
    found = view.counts(table)
    levels = [names.ALL_LEVELS, *(row.level for row in found[0].levels)]
    columns = tuple(words.named(one.measure, view) for one in found)
    lines = tuple(
        Line(
            phrases.level_label(level), tuple(_counted(row_at(one, level)) for one in found), level == names.ALL_LEVELS
        )
        for level in levels
    )
    caption = _caption(say("How many people said so"), found[0], view)
    return Grid(say("The counts as a table"), caption, columns, lines)


def _counted(row: Row | None) -> Cell:
    return Cell(words.counted(row), muted=not is_shown(row))


def _count_columns(found: Sequence[Comparison], view: View) -> tuple[str, str]:
    """The headings of people and missing answers: whose they are, where not all numbers are of the same people."""
    of = {(view.item_name(one.measure.outcome), one.measure.base, one.measure.reading) for one in found}
    if len(of) > 1:
        return say("People (first number shown)"), say("No answer (first number shown)")
    return say("People"), say("No answer")


def _caption(label: str, found: Comparison, view: View) -> str:
    if found.exposure == names.EVERYBODY:
        return say("{what}, everybody who answered", what=label)
    return say("{what} by {exposure}", what=label, exposure=phrases.inline(view.exposure_label(found.exposure)))


def _in_100(label: str) -> str:
    """The heading of a column of shares."""
    return say("{what}, in 100", what=label)


def _with_unit(label: str, measure: Measure) -> str:
    """What a number is, and what it counts."""
    return _in_100(label) if measure.is_share else say("{what}, {unit}", what=label, unit=phrases.points(measure))


def _is_measured(view: View, table: str, outcome: str) -> bool:
    return view.statistics(table, outcome) not in (("share",), ("count",))


def _with_band(view: View, table: str, outcome: str) -> Iterator[Comparison]:
    """The headline measure, what might be expected anyway, and of a diary how many weeks there are."""
    headline = view.headline(table, outcome)
    yield from _with_weeks(view, headline)
    if headline.bands:
        yield view.comparison(table, outcome, f"{headline.measure.statistic}{ANYWAY}")


def _with_weeks(view: View, found: Comparison) -> Iterator[Comparison]:
    yield found
    if PERSON_WEEKS in view.statistics(found.table, found.measure.outcome) and found.measure.statistic != PERSON_WEEKS:
        yield view.comparison(found.table, found.measure.outcome, PERSON_WEEKS)


def column_of(found: Comparison) -> str:
    """A statistic with its unit. What might be expected anyway stands right of its number, and needs no name of its own."""
    if found.measure.statistic in WITHOUT_UNIT:
        return found.measure.statistic_label
    label = say("Expected anyway") if found.measure.is_band else found.measure.statistic_label
    return _with_unit(label, found.measure)


def _full_column(found: Comparison) -> str:
    """A statistic with its outcome and unit."""
    column, label = column_of(found), found.measure.label
    is_named = found.measure.is_band or label.casefold() in column.casefold()
    return column if is_named else f"{label}: {phrases.inline(column)}"


def row_at(found: Comparison, level: str) -> Row | None:
    """The row of a level, or of everybody."""
    if level == names.ALL_LEVELS:
        return found.everybody
    return next((row for row in found.levels if row.level == level), None)


def _with_counts(found: Sequence[Comparison], view: View) -> tuple[Line, ...]:
    """A row for each level, with the people and the missing answers of the first statistic that is shown."""
    return tuple(
        Line(line.label, (*line.cells[:-1], *_counts(rows, view)), line.whole)
        for line, rows in zip(_lines(found, view), _rows_by_level(found), strict=True)
    )


def _lines(found: Sequence[Comparison], view: View) -> tuple[Line, ...]:
    """A row for each level, with the people of the first statistic; the numbers of a column have the same decimals."""
    places = [phrases.decimals((one.everybody, *one.levels)) for one in found]
    return tuple(
        Line(
            phrases.level_label(level),
            (*_cells(rows, found, places, view), _counts(rows, view)[0]),
            level == names.ALL_LEVELS,
        )
        for level, rows in zip(_levels(found), _rows_by_level(found), strict=True)
    )


def _levels(found: Sequence[Comparison]) -> list[str]:
    return [names.ALL_LEVELS, *(row.level for row in found[0].levels)]


def _rows_by_level(found: Sequence[Comparison]) -> list[list[Row | None]]:
    return [[row_at(one, level) for one in found] for level in _levels(found)]


def _cells(
    rows: Sequence[Row | None], found: Sequence[Comparison], places: Sequence[int], view: View
) -> Iterator[Cell]:
    """The numbers of a level; one that rests on clearly other people than the first that is shown says on how many."""
    first = next((row for row in rows if is_shown(row)), None)
    for row, one, digits in zip(rows, found, places, strict=True):
        other = "" if one.measure.is_band else _other_people(row, first, view.release.policy.rounding_base)
        yield Cell(f"{words.cell(row, one.measure, digits)}{other}", muted=not is_shown(row))


def _other_people(row: Row | None, first: Row | None, rounding_base: int) -> str:
    if row is None or first is None or row.n_respondents is None or first.n_respondents is None:
        return ""
    differs = abs(row.n_respondents - first.n_respondents) > max(CLEARLY_OTHER * first.n_respondents, rounding_base)
    return f", {phrases.people(row.n_respondents)}" if differs else ""


def _counts(rows: Sequence[Row | None], view: View) -> tuple[Cell, Cell]:
    """People and missing answers of the first statistic that is shown; none of a level that is hidden throughout."""
    first = next((row for row in rows if row and is_shown(row)), None) or next((row for row in rows if row), None)
    if first is None or not is_shown(first):
        word = say(words.NOT_READ if first and first.status is Status.NOT_ASKED else words.HIDDEN)
        return Cell(word, muted=True), Cell(word, muted=True)
    people = say_in("a cell of a table", "not known") if first.n_respondents is None else whole(first.n_respondents)
    return Cell(people), Cell(words.missing(first, view.release.policy.min_n))


# --- A row for each answer ---------------------------------------------------------------------------------------------


def answers_grid(view: View, table: str) -> Grid | None:
    """Tables of everybody: a row for each answer or outcome. None where all are hidden or there is none."""
    headlines = (view.headline(table, outcome) for outcome in view.outcomes(table))
    found = [one for headline in headlines for one in _with_weeks(view, headline)]
    if not found:
        return None
    lines = tuple(_answer_line(one, view) for one in found)
    is_mixed = any(not one.measure.is_share for one in found)
    columns = (say("In 100, or as it says") if is_mixed else say("In 100"), say("People"), say("No answer"))
    caption = say("{what}, everybody who answered", what=view.title(table))
    return Grid(say(NUMBERS), caption, columns, lines, say("Answer"))


def _answer_line(found: Comparison, view: View) -> Line:
    row, measure = found.everybody, found.measure
    label = words.named(measure, view)
    if not measure.is_share:
        label = f"{label}: {phrases.inline(column_of(found))}"
    cell = Cell(words.cell(row, measure, phrases.decimals((row,))), muted=not is_shown(row))
    return Line(label, (cell, *_counts([row], view)))


def gaps_grid(view: View) -> Grid | None:
    """How many left each question out; None where the release does not say."""
    table = names.ITEM_NONRESPONSE
    found = view.options(table)
    if not found:
        return None
    lines = tuple(_gap_line(one, view) for one in found)
    name, columns = say(words.LEFT_OUT), (say("Left out, in 100"), say("People asked"))
    return Grid(name, name, columns, lines, say("Question"))


def _gap_line(found: Comparison, view: View) -> Line:
    row = found.everybody
    left_out = Cell(words.cell(row, found.measure), muted=not is_shown(row))
    return Line(view.item_label(view.item_name(found.measure.outcome)), (left_out, _counts([row], view)[0]))


# --- Two exposures -----------------------------------------------------------------------------------------------------


def crossed_grids(view: View, table: str) -> Iterator[Grid]:
    """A table of two exposures: for each outcome, the first one's levels as rows and the second one's as columns.

    Nothing where the levels of the release do not tell which pair they are.
    """
    pairs = _pairs(view, view.exposure(table)) if _is_crossed(view, table) else None
    for outcome in view.outcomes(table) if pairs else ():
        found = view.headline(table, outcome)
        yield _crossed(found, pairs or {}, view)


def _is_crossed(view: View, table: str) -> bool:
    return any(spec.by and spec.cut_by == view.exposure(table) for spec in view.instrument.tables)


def _pairs(view: View, crossing: str) -> dict[str, tuple[str, str]] | None:
    """Of each published level, by its label, the labels of the two levels that it crosses.

    A label is the first one's, a comma and the second one's. What levels with the same first part have in common up to a
    comma is the first one's. None where that does not tell the second one's alike throughout.
    """
    by_first: dict[str, dict[str, str]] = {}
    for level in view.release.levels.get(crossing, ()):
        first, _, second = level.code.partition(BETWEEN)
        by_first.setdefault(first, {})[second] = level.label
    found, seconds = dict[str, tuple[str, str]](), dict[str, str]()
    for labels in by_first.values():
        start = _common_start(labels.values())
        for second, label in labels.items():
            rest = label[len(start) + 2 :]
            if not (start and rest) or seconds.setdefault(second, rest) != rest:
                return None
            found[label] = (start, rest)
    return found or None


def _common_start(labels: Iterable[str]) -> str:
    """What labels have in common up to a comma."""
    parts = zip(*(label.split(", ") for label in labels), strict=False)
    return ", ".join(part[0] for part in takewhile(lambda part: len(set(part)) == 1, parts))


def _crossed(found: Comparison, pairs: dict[str, tuple[str, str]], view: View) -> Grid:
    by_pair = {pairs[row.level]: row for row in found.levels if row.level in pairs}
    down, across = (tuple(dict.fromkeys(pair[side] for pair in pairs.values())) for side in (0, 1))
    places = phrases.decimals(found.levels)
    lines = tuple(
        Line(
            phrases.level_label(one), tuple(_crossed_cell(by_pair.get((one, other)), found, places) for other in across)
        )
        for one in down
    )
    what = _with_unit(words.what(found.measure), found.measure)
    return Grid(found.measure.label, _caption(what, found, view), tuple(map(phrases.sentence, across)), lines)


def _crossed_cell(row: Row | None, found: Comparison, places: int) -> Cell:
    text = words.cell(row, found.measure, places)
    told = row is not None and is_shown(row) and found.measure.is_improvement
    expected = anyway.in_brief(found.band_of(row), found.measure) if row is not None and told else ""
    both = say("{number}; {range} expected anyway", number=text, range=expected) if expected else text
    return Cell(both, muted=not is_shown(row))

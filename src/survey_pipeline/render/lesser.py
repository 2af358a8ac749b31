"""More tables: what the page shows without a chart, each under a heading with a plain sentence and its numbers folded.

What belongs here: how each sort of table is told. What does not: its cells (`grids`), and the tables with charts (`page`).
"""

from dataclasses import dataclass
from itertools import groupby

from survey_pipeline import names
from survey_pipeline.language import say
from survey_pipeline.release import Row
from survey_pipeline.render import grids, words
from survey_pipeline.render.grids import Grid
from survey_pipeline.render.view import View


@dataclass(frozen=True)
class Part:
    """A table under its own heading: a plain sentence, lists of lines (each with a heading or none), and folded tables."""

    name: str
    title: str
    sentences: tuple[str, ...]
    lists: tuple[tuple[str, tuple[str, ...]], ...]
    grids: tuple[Grid, ...]


def parts(view: View) -> tuple[Part, ...]:
    """Every lesser table, in the order of the release."""
    return tuple(part(view, table) for table in view.lesser)


def part(view: View, table: str) -> Part:
    """One lesser table, told by what it is: counts, limits, two exposures, everybody, or one exposure."""
    if view.shows_counts(table):
        return _of_counts(view, table)
    if any(found.measure.limit for found in view.options(table)):
        return _of_limits(view, table)
    if crossed := tuple(grids.crossed_grids(view, table)):
        return Part(table, view.title(table), (say(words.CROSSED),), (), crossed)
    if view.exposure(table) == names.EVERYBODY:
        return _of_everybody(view, table)
    return _by_one(view, table)


def _of_counts(view: View, table: str) -> Part:
    found = view.counts(table)
    lines = tuple(words.count_sentence(one, view) for one in found)
    by_level = (grids.count_grid(view, table),) if any(one.levels for one in found) else ()
    return Part(table, view.title(table), (say(words.COUNTS),), (("", lines),), by_level)


def _of_limits(view: View, table: str) -> Part:
    found = [one for one in view.options(table) if one.measure.limit]
    by_limit = groupby(found, key=lambda one: one.measure.label)
    lists = tuple((words.how_many_above(label), tuple(map(words.limit_line, group))) for label, group in by_limit)
    is_read_again = any(one.measure.item and one.measure.item.readings for one in found)
    of_dose = (say(words.LIMITS_OF_DOSE), say(words.NO_ADVICE), view.instrument.ask) if is_read_again else ()
    sentences = tuple(filter(None, of_dose))
    shown = (*grids.limit_grids(view, table), *grids.option_grids(view, table))
    return Part(table, view.title(table), sentences, lists, shown)


def _of_everybody(view: View, table: str) -> Part:
    found = grids.answers_grid(view, table)
    sentence = say(words.DIARY) if _is_of_weeks(view, table) else say(words.OF_EVERYBODY)
    return Part(table, view.title(table), (sentence,), (), (found,) if found else ())


def _by_one(view: View, table: str) -> Part:
    measured = grids.headline_grid(view, table)
    found = (*((measured,) if measured else ()), *grids.option_grids(view, table))
    sentence = say(words.DIARY) if _is_of_weeks(view, table) else words.beside_chosen(view, view.exposure(table))
    return Part(table, view.title(table), (sentence,), (), found)


def _is_of_weeks(view: View, table: str) -> bool:
    return any("person_week_mean" in view.statistics(table, outcome) for outcome in view.outcomes(table))


def rows_of(view: View, tables: tuple[str, ...]) -> tuple[Row, ...]:
    """The published rows of some tables."""
    return tuple(row for row in view.release.rows if row.table in tables)

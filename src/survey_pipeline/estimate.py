"""Estimate: the tally becomes exact estimates with their uncertainty, still unpublished.

What belongs here: which statistics each outcome has, who is in each denominator, and one tidy row for each. What does not:
the formulas (`statistics`), and whether a row may be shown (`disclose`).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from survey_pipeline import names, statistics
from survey_pipeline.instrument import Instrument, Kind, Threshold
from survey_pipeline.levels import Level, partitions
from survey_pipeline.names import ALL_LEVELS, BASELINE_VALUE, FOLLOW_UP_VALUE, N_RESPONDENTS, RESPONDENTS, WHO_ANSWERED
from survey_pipeline.outcomes import BEING_THERE, Outcome, Table, tables
from survey_pipeline.statistics import Counts, Estimated, Numbers

Flags = npt.NDArray[np.bool_]
Levels = Mapping[str, Sequence[Level]]
"""For each exposure, the levels to estimate, which together hold everybody once."""

ANSWERED, ANSWERED_BEFORE, ANSWERED_BOTH = "answered", "answered_before", "answered_both"
COULD_IMPROVE, EVERYBODY = "could_improve", "everybody"
"""Who is in a denominator."""

TOLERANCE = 1e-9
"""30 % of 7 is 2.1, and 2.1 must reach it in binary arithmetic too."""

ESTIMATES_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    names.TABLE: pl.String,
    names.EXPOSURE: pl.String,
    names.LEVEL: pl.String,
    names.OUTCOME: pl.String,
    names.STATISTIC: pl.String,
    names.ESTIMATE: pl.Float64,
    names.STANDARD_ERROR: pl.Float64,
    names.CI_LOWER: pl.Float64,
    names.CI_UPPER: pl.Float64,
    names.N_RESPONDENTS: pl.Int64,
    names.N_MISSING: pl.Int64,
    names.N_EVENTS: pl.Int64,
    "n_level": pl.Int64,
    "merged": pl.Boolean,
    "not_asked": pl.Boolean,
    "one_of": pl.String,
    "some_of": pl.String,
    "among": pl.String,
    "n_alike": pl.Int64,
}
"""Exact estimates: `n_events` is the count behind a share (null otherwise), `n_level` everybody in the level, `one_of` the
question with one answer whose options exclude each other, `some_of` the question of which everybody who answered it chose
at least one option, `among` who is in the denominator (the same people in all rows of an outcome and level that say the
same), `n_alike` how many of a number's respondents gave its commonest value (null for shares)."""
ROWS_SCHEMA = {name: kind for name, kind in ESTIMATES_SCHEMA.items() if name != "some_of"}


@dataclass(frozen=True)
class Cells:
    """The part of the tally for one level and outcome: value pairs (NaN is no answer) and how many people gave them."""

    before: Numbers
    after: Numbers
    n: Counts

    @property
    def n_people(self) -> int:
        return int(self.n.sum())

    def where(self, chosen: Flags) -> "Cells":
        """Some of the cells only."""
        return Cells(self.before[chosen], self.after[chosen], self.n[chosen])

    def counted(self, values: Numbers) -> tuple[Numbers, Counts]:
        """Different values, ascending, and their counts; people without a value are left out."""
        there = ~np.isnan(values)
        different, place = np.unique(values[there], return_inverse=True)
        return different, np.bincount(place, weights=self.n[there], minlength=len(different)).astype(np.int64)


@dataclass(frozen=True)
class Figure:
    """One statistic of one level: the estimate, its denominator and, for a share, the count of events."""

    statistic: str
    estimated: Estimated
    n: int
    n_events: int | None = None
    n_aside: int = 0
    """People with an answer to whom the statistic does not apply: neither in the denominator nor missing."""
    among: str = ANSWERED
    n_alike: int | None = None


def estimate(tally: pl.DataFrame, instrument: Instrument, levels: Levels | None = None) -> pl.DataFrame:
    """Every statistic of every table from a tally (`count.TALLY_SCHEMA`); columns as `ESTIMATES_SCHEMA`.

    `levels` chooses the levels of each exposure; without it, the finest declared ones. `all` is everybody asked.
    """
    rows = [_number_answered(tally, instrument)]
    for table in tables(instrument):
        rows.extend(_table_rows(table, tally, _levels_of(table, instrument, levels)))
    found = pl.DataFrame(rows, schema=ROWS_SCHEMA, orient="row")
    several = pl.col(names.OUTCOME).replace_strict(
        _questions_of_options(instrument), default=None, return_dtype=pl.String
    )
    return found.with_columns(several.alias("some_of")).select(list(ESTIMATES_SCHEMA))


def _questions_of_options(instrument: Instrument) -> dict[str, str]:
    """For each option that may be chosen together with others, its question."""
    several = {name: item for name, item in instrument.items.items() if item.kind is Kind.CHOICES}
    return {column: name for name, item in several.items() for column in item.columns(name)}


def _levels_of(table: Table, instrument: Instrument, levels: Levels | None) -> Sequence[Level]:
    return (levels or {}).get(table.exposure) or partitions(instrument.items[table.exposure])[0]


def _number_answered(tally: pl.DataFrame, instrument: Instrument) -> tuple[object, ...]:
    """How many answers were used at all: the same for every exposure, taken from the form."""
    there = (pl.col(names.EXPOSURE) == instrument.form) & (pl.col(names.OUTCOME) == RESPONDENTS)
    n = int(tally.filter(there)[N_RESPONDENTS].sum())
    everyone = Level(code=ALL_LEVELS, label=ALL_LEVELS, members=())
    table = Table(WHO_ANSWERED, RESPONDENTS, (BEING_THERE,))
    return _row(table, BEING_THERE, everyone, Figure("count", Estimated(float(n)), n, among=EVERYBODY), n, asked=True)


def _table_rows(table: Table, tally: pl.DataFrame, levels: Sequence[Level]) -> Iterator[tuple[object, ...]]:
    mine = tally.filter(pl.col(names.EXPOSURE) == table.exposure)
    everyone = Level(code=ALL_LEVELS, label=ALL_LEVELS, members=tuple(m for level in levels for m in level.members))
    for outcome in table.outcomes:
        cells = mine.filter(pl.col(names.OUTCOME) == outcome.name)
        everybody, codes = cells_of(cells), cells[names.LEVEL]
        asked = {figure.statistic for figure in _figures(table, outcome, everybody, everybody) if figure.n}
        for level in (everyone, *levels):
            people = everybody.where(codes.is_in(list(level.members)).to_numpy())
            for figure in _figures(table, outcome, people, everybody):
                yield _row(table, outcome, level, figure, people.n_people, asked=figure.statistic in asked)


def _figures(table: Table, outcome: Outcome, people: Cells, everybody: Cells) -> Iterator[Figure]:
    if table.name == WHO_ANSWERED:
        return _presence(people, everybody.n_people)
    return figures(outcome, people)


def _row(
    table: Table, outcome: Outcome, level: Level, figure: Figure, n_people: int, *, asked: bool
) -> tuple[object, ...]:
    found = figure.estimated
    numbers = (found.estimate, found.standard_error, found.ci_lower, found.ci_upper)
    missing = 0 if outcome is BEING_THERE else n_people - figure.n - figure.n_aside
    words = (table.name, table.exposure, level.label, outcome.name, figure.statistic)
    counts = (figure.n, missing, figure.n_events, n_people)
    return (*words, *numbers, *counts, level.merged, not asked, outcome.one_of, figure.among, figure.n_alike)


def cells_of(rows: pl.DataFrame) -> Cells:
    """The cells of some rows of a tally; the same pair of values may stand once for each level."""
    before, after = (rows[name].fill_null(float("nan")).to_numpy() for name in (BASELINE_VALUE, FOLLOW_UP_VALUE))
    return Cells(before, after, rows[N_RESPONDENTS].to_numpy())


def _presence(people: Cells, total: int) -> Iterator[Figure]:
    """Who answered: the share of everybody who is in this level."""
    yield Figure("share", statistics.share(people.n_people, total), total, people.n_people, among=EVERYBODY)


def figures(outcome: Outcome, people: Cells) -> Iterator[Figure]:
    """Every statistic that an outcome has, for one level."""
    if outcome.is_share:
        yield _event_share("share", people, people.after == 1, ~np.isnan(people.after))
        return
    yield from _once(outcome, people)
    if outcome.baseline:
        yield from _before_and_after(outcome, people)


def _once(outcome: Outcome, people: Cells) -> Iterator[Figure]:
    yield _number("mean", statistics.mean, people, people.after)
    yield _number("median", statistics.median, people, people.after)
    answered = ~np.isnan(people.after)
    for threshold in outcome.thresholds:
        if not threshold.needs_baseline:
            yield _event_share(threshold.name, people, _reached(people.after, threshold), answered)


def _before_and_after(outcome: Outcome, people: Cells) -> Iterator[Figure]:
    change = people.after - people.before
    yield _number("mean_baseline", statistics.mean, people, people.before, ANSWERED_BEFORE)
    yield _number("mean_change", statistics.mean, people, change, ANSWERED_BOTH)
    yield _number("median_change", statistics.median, people, change, ANSWERED_BOTH)
    yield _event_share("baseline_zero", people, people.before == 0, ~np.isnan(change), ANSWERED_BOTH)
    for threshold in outcome.thresholds:
        if threshold.needs_baseline:
            yield _responders(threshold, outcome, people, change)


def _number(
    statistic: str,
    formula: Callable[[Numbers, Counts], Estimated],
    people: Cells,
    values: Numbers,
    among: str = ANSWERED,
) -> Figure:
    different, counts = people.counted(values)
    n_alike = int(counts.max(initial=0))
    return Figure(statistic, formula(different, counts), int(counts.sum()), among=among, n_alike=n_alike)


def _event_share(
    statistic: str, people: Cells, event: Flags, asked: Flags, among: str = ANSWERED, n_aside: int = 0
) -> Figure:
    n, n_events = int(people.n[asked].sum()), int(people.n[asked & event].sum())
    return Figure(statistic, statistics.share(n_events, n), n, n_events, n_aside, among)


def _responders(threshold: Threshold, outcome: Outcome, people: Cells, change: Numbers) -> Figure:
    """Responders among people with both values. By per cent, people who start at 0 cannot improve: they are set aside."""
    improvement = change if outcome.better == "higher" else -change
    both = ~np.isnan(change)
    if threshold.points is not None:
        return _event_share(threshold.name, people, improvement >= threshold.points - TOLERANCE, both, ANSWERED_BOTH)
    possible = both & (people.before > 0)
    reached = improvement >= people.before * (threshold.percent or 0) / 100 - TOLERANCE
    aside = int(people.n[both & ~possible].sum())
    return _event_share(threshold.name, people, reached, possible, COULD_IMPROVE, aside)


def _reached(values: Numbers, threshold: Threshold) -> Flags:
    if threshold.at_least is not None:
        return values >= threshold.at_least
    return values <= (threshold.at_most if threshold.at_most is not None else np.inf)

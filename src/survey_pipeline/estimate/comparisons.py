"""Comparisons: two levels of an exposure, one outcome.

What belongs here: which pairs are compared in which statistics, from tidy rows alone, so that what is published of a
comparison is made of published rows and gives away nothing beyond them. What does not: formulas (`statistics`), and tests
over all levels (`lines`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from math import sqrt

import polars as pl

from survey_pipeline import names, statistics
from survey_pipeline.estimate.families import (
    ADJUSTMENT,
    FAMILY,
    FAMILY_SIZE,
    GRID,
    P_ADJUSTED,
    adjusted,
    laddered,
    worst,
)
from survey_pipeline.estimate.rows import Levels, level_of_comparison, levels_of, shown_tables
from survey_pipeline.instrument import Instrument
from survey_pipeline.levels import ByItem, exposure_of, is_special
from survey_pipeline.names import ESTIMATE, ITEM_NONRESPONSE, N_RESPONDENTS, STANDARD_ERROR, STATUS, WHO_ANSWERED
from survey_pipeline.outcomes import Outcome, Table
from survey_pipeline.statistics import Compared, Estimated

COMPARISONS_SCHEMA: dict[str, type[pl.DataType]] = {
    names.TABLE: pl.String,
    names.EXPOSURE: pl.String,
    names.LEVEL: pl.String,
    names.COMPARED_WITH: pl.String,
    names.OUTCOME: pl.String,
    names.STATISTIC: pl.String,
    ESTIMATE: pl.Float64,
    STANDARD_ERROR: pl.Float64,
    names.CI_LOWER: pl.Float64,
    names.CI_UPPER: pl.Float64,
    N_RESPONDENTS: pl.Int64,
    names.N_COMPARED: pl.Int64,
    names.P_VALUE: pl.Float64,
    FAMILY: pl.String,
    FAMILY_SIZE: pl.Int64,
    P_ADJUSTED: pl.Float64,
    ADJUSTMENT: pl.String,
    STATUS: pl.String,
}
"""One row a pair, outcome and statistic: `level` minus `compared_with`. `n_respondents` of the level, `n_compared` of the
other. `hedges_g` has no p-value of its own, and so no family."""
HEDGES_G = "hedges_g"
DECIMALS = {False: 2, True: 4}
"""Of published differences: in an item's own units (and standard deviations), and of shares."""
Key = tuple[str, str, str, str]
Row = Mapping[str, object]


@dataclass(frozen=True)
class Side:
    """One of two rows as they are compared."""

    estimate: float | None
    standard_error: float | None
    n: int
    status: str | None


def compare(rows: pl.DataFrame, instrument: Instrument, levels: Levels) -> pl.DataFrame:
    """Every comparison that the rows allow; columns as `COMPARISONS_SCHEMA`.

    `rows`: tidy columns, exact or published; with a column `status`, a comparison has the stronger word of both its rows. A
    row without a number gives a comparison without any. Each answer of an exposure is compared with its level of
    comparison, if it has one, and each form with each other form. Levels of people who gave no answer take no part.

    With weights, differences are those of weighted means and shares by their own standard errors, and there is no Hedges
    g: the standard deviation of weighted people is not among the rows.
    """
    sides = _sides(rows)
    made = [
        _row(table, pair, outcome, statistic, sides, instrument)
        for table in tables_with_findings(instrument)
        for pair in pairs(instrument, table.exposure, levels)
        for outcome in table.outcomes
        for statistic in compared_statistics(outcome, weighted=instrument.weighting is not None)
    ]
    return adjusted(pl.DataFrame(made, schema=COMPARISONS_SCHEMA)).select(list(COMPARISONS_SCHEMA))


def published_comparisons(rows: pl.DataFrame, instrument: Instrument, levels: Levels) -> pl.DataFrame:
    """The comparisons that are published: made of published rows, rounded, p-values on the ladder.

    The rows' own rounding goes into them, so that a p-value may lie on another step than that of the exact comparison.
    """
    found = laddered(compare(rows, instrument, levels))
    numbers = (ESTIMATE, STANDARD_ERROR, names.CI_LOWER, names.CI_UPPER)
    share = (pl.col(names.STATISTIC) != HEDGES_G) & ~pl.col(names.STATISTIC).str.starts_with("difference_mean")
    return found.with_columns(
        (pl.when(share).then(pl.col(name).round(DECIMALS[True])).otherwise(pl.col(name).round(DECIMALS[False])) + 0.0)
        for name in numbers
    )


def tables_with_findings(instrument: Instrument) -> Iterator[Table]:
    """Tables whose levels may be compared: of one item each, showing more than counts."""
    for table in shown_tables(instrument):
        is_plain = table.shows == "everything" and isinstance(exposure_of(instrument, table.exposure), ByItem)
        if is_plain and table.name not in (WHO_ANSWERED, ITEM_NONRESPONSE):
            yield table


def answer_levels(instrument: Instrument, exposure: str, levels: Levels) -> tuple[str, ...]:
    """The labels of an exposure's levels that are answers."""
    return tuple(level.label for level in levels_of(instrument, exposure, levels) if not is_special(level))


def pairs(instrument: Instrument, exposure: str, levels: Levels) -> tuple[tuple[str, str], ...]:
    """Which levels are compared with which, by label; the level of comparison always stands second."""
    answers = answer_levels(instrument, exposure, levels)
    usual = level_of_comparison(instrument, exposure, levels)
    first = tuple((label, usual.label) for label in answers if label != usual.label) if usual else ()
    if exposure != instrument.form:
        return first
    others = [label for label in answers if usual is None or label != usual.label]
    return (*first, *combinations(others, 2))


def compared_statistics(outcome: Outcome, *, weighted: bool = False) -> tuple[str, ...]:
    """The statistics of the rows that are compared, and Hedges g."""
    if outcome.is_share:
        return ("share",)
    primary = (threshold.name for threshold in outcome.thresholds if threshold.primary)
    return (mean_of(outcome), *(() if weighted else (HEDGES_G,)), *primary)


def mean_of(outcome: Outcome) -> str:
    """The mean by which a scale is judged: the change, where there is a baseline."""
    return "mean_change" if outcome.baseline else "mean"


def _sides(rows: pl.DataFrame) -> dict[Key, Side]:
    status = rows[STATUS] if STATUS in rows.columns else [names.Status.OK] * rows.height
    words = rows.select(names.TABLE, names.LEVEL, names.OUTCOME, names.STATISTIC).rows()
    numbers = rows.select(ESTIMATE, STANDARD_ERROR, N_RESPONDENTS).rows()
    return {
        key: Side(estimate, error, n or 0, said)
        for key, (estimate, error, n), said in zip(words, numbers, status, strict=True)
    }


NOWHERE = Side(None, None, 0, None)


def _row(
    table: Table,
    pair: tuple[str, str],
    outcome: Outcome,
    statistic: str,
    sides: Mapping[Key, Side],
    instrument: Instrument,
) -> Row:
    source = mean_of(outcome) if statistic == HEDGES_G else statistic
    one, other = (sides.get((table.name, level, outcome.name, source), NOWHERE) for level in pair)
    is_there = one.estimate is not None and other.estimate is not None
    found = (
        _difference(statistic, outcome, one, other, weighted=instrument.weighting is not None)
        if is_there
        else Compared()
    )
    numbers = asdict(found)
    return {
        names.TABLE: table.name,
        names.EXPOSURE: table.exposure,
        names.LEVEL: pair[0],
        names.COMPARED_WITH: pair[1],
        names.OUTCOME: outcome.name,
        names.STATISTIC: HEDGES_G if statistic == HEDGES_G else f"difference_{statistic}",
        **{name: numbers[name] for name in (ESTIMATE, STANDARD_ERROR, names.CI_LOWER, names.CI_UPPER)},
        N_RESPONDENTS: one.n if is_there else None,
        names.N_COMPARED: other.n if is_there else None,
        names.P_VALUE: numbers.get(names.P_VALUE),
        FAMILY: GRID,
        STATUS: worst([one.status, other.status]),
    }


def _difference(statistic: str, outcome: Outcome, one: Side, other: Side, *, weighted: bool) -> Estimated:
    if statistic == HEDGES_G:
        return statistics.hedges_g(one.estimate, _sd(one), one.n, other.estimate, _sd(other), other.n)
    if weighted or statistic == mean_of(outcome):
        return statistics.difference_of_means(
            one.estimate, one.standard_error, one.n, other.estimate, other.standard_error, other.n
        )
    return statistics.difference_of_shares(events_of(one), one.n, events_of(other), other.n)


def _sd(side: Side) -> float | None:
    return None if side.standard_error is None else side.standard_error * sqrt(side.n)


def events_of(side: Side) -> int:
    """How many people a share counts. Of a published share of more than some thousands, to the accuracy of its digits."""
    return round((side.estimate or 0.0) * side.n)


def sides_at(rows: pl.DataFrame, table: Table, outcome: Outcome, statistic: str, labels: Sequence[str]) -> list[Side]:
    """The rows of one statistic at several levels, in their order."""
    mine = rows.filter(
        pl.col(names.TABLE) == table.name, pl.col(names.OUTCOME) == outcome.name, pl.col(names.STATISTIC) == statistic
    )
    found = _sides(mine)
    return [found.get((table.name, label, outcome.name, statistic), NOWHERE) for label in labels]

"""Comparisons: two levels of an exposure, one outcome.

What belongs here: which pairs are compared in which statistics, from tidy rows alone, and how they are rounded where both
rows are published. What does not: formulas (`statistics`), whether a row is published (`disclose`), and tests over all levels
(`lines`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass
from itertools import combinations
from math import sqrt
from typing import Any

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
from survey_pipeline.instrument import NONE_TICKED, Instrument
from survey_pipeline.levels import SPECIAL, ByItem, DoseReading, Level, exposure_of, is_special
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
SHARE_DECIMALS = 4
"""Of published differences of shares, which are made of rounded counts."""
TWO_DECIMALS = 2
"""Of published numbers without a unit: Hedges g, and differences of weighted shares, which are not made of counts."""
Key = tuple[str, str, str, str]
Row = Mapping[str, Any]
NUMBERS = names.NUMBERS[:4]
"""Estimate, standard error and interval."""


@dataclass(frozen=True)
class Side:
    """One of two rows as they are compared."""

    estimate: float | None
    standard_error: float | None
    n: int
    status: str | None
    by_design: bool
    """Whether the error knows of strata and clusters."""


def compare(rows: pl.DataFrame, instrument: Instrument, levels: Levels) -> pl.DataFrame:
    """Every comparison that the rows allow; columns as `COMPARISONS_SCHEMA`.

    `rows`: tidy columns, exact or published; with a column `status`, a comparison has the stronger word of both its rows. A
    row without a number gives a comparison without any. Each answer of an exposure is compared with its level of
    comparison, if it has one, and each form with each other form. Levels of people who gave no answer take no part.

    With weights, differences are those of weighted means and shares by their own standard errors, and there is no Hedges
    g: the standard deviation of weighted people is not among the rows. With strata or clusters there is the difference alone,
    without error, interval and p-value: two levels share clusters, so that their errors do not add up, and how many degrees
    of freedom there are is not among the rows; by the number of people, a p-value would be far too small.
    """
    return _framed(_compared(rows, instrument, levels))


def _framed(made: Sequence[Row]) -> pl.DataFrame:
    return adjusted(pl.DataFrame(made, schema=COMPARISONS_SCHEMA)).select(list(COMPARISONS_SCHEMA))


def _compared(rows: pl.DataFrame, instrument: Instrument, levels: Levels) -> list[Row]:
    sides = _sides(rows)
    return [
        _row(table, pair, outcome, statistic, sides, instrument)
        for table in tables_with_findings(instrument)
        for pair in pairs(instrument, table.exposure, levels)
        for outcome in table.outcomes
        for statistic in compared_statistics(outcome, weighted=instrument.weighting is not None)
    ]


def published_comparisons(
    exact: pl.DataFrame, rows: pl.DataFrame, instrument: Instrument, levels: Levels
) -> pl.DataFrame:
    """The comparisons that are published, of `exact` rows and the published `rows` made of them, in the same order.

    Only where both rows are published. Numbers are those of the exact rows, rounded last, but for a difference of shares,
    whose estimate, error and interval come from rounded counts, as those of published shares do. p-values come from the
    exact rows, are adjusted among the published comparisons, and are rounded up to the ladder: each is an upper bound.
    """
    pairs_of_rows = zip(_compared(exact, instrument, levels), _compared(rows, instrument, levels), strict=True)
    of_counts = instrument.weighting is None
    made = [_published(true, told, of_counts=of_counts) for true, told in pairs_of_rows]
    return laddered(_framed(made))


def _published(true: Row, told: Row, *, of_counts: bool) -> Row:
    """A comparison as it is published: `true` is that of the exact rows, `told` that of the published ones."""
    if told[ESTIMATE] is None:
        return told
    is_share = not str(true[names.STATISTIC]).startswith((HEDGES_G, "difference_mean"))
    if is_share and of_counts:
        short = {name: None if told[name] is None else round(told[name], SHARE_DECIMALS) + 0.0 for name in NUMBERS}
    else:
        n = min(told[N_RESPONDENTS], told[names.N_COMPARED])
        decimals = TWO_DECIMALS if is_share or true[names.STATISTIC] == HEDGES_G else statistics.decimals_for(n)
        rounded = statistics.in_short(Estimated(*(true[name] for name in NUMBERS)), decimals)
        short = dict(zip(NUMBERS, astuple(rounded), strict=True))
    return {**told, **short, names.P_VALUE: true[names.P_VALUE]}


def tables_with_findings(instrument: Instrument) -> Iterator[Table]:
    """Tables whose levels may be compared: of one item each, showing more than counts."""
    for table in shown_tables(instrument):
        is_plain = table.shows == "everything" and isinstance(exposure_of(instrument, table.exposure), ByItem)
        if is_plain and table.name not in (WHO_ANSWERED, ITEM_NONRESPONSE):
            yield table


def answer_levels(instrument: Instrument, exposure: str, levels: Levels) -> tuple[str, ...]:
    """The labels of an exposure's levels that are answers."""
    return tuple(level.label for level in levels_of(instrument, exposure, levels) if not is_special(level))


def tested_levels(instrument: Instrument, exposure: str, levels: Levels) -> tuple[Level, ...]:
    """The levels of an exposure over which a line is tested: answers that stand beside each other. A dose that is read again
    has those of the dose.

    Of an exposure without an order, levels made of nothing but options that exclude all others ("none", "stopped") take no
    part, nor those who ticked nothing: whether forms differ is not whether people who take none differ from the others.
    """
    found = exposure_of(instrument, exposure)
    name = found.dose.name if isinstance(found, DoseReading) else exposure
    unlike = {NONE_TICKED} | {o.code for o in found.item.options if o.exclusive} if isinstance(found, ByItem) else set()
    left_out = SPECIAL if found.is_ordered else SPECIAL | unlike
    return tuple(level for level in levels_of(instrument, name, levels) if not left_out.issuperset(level.members))


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
    by_design = rows["by_design"].fill_null(False) if "by_design" in rows.columns else [False] * rows.height
    numbers = rows.select(ESTIMATE, STANDARD_ERROR, N_RESPONDENTS).rows()
    return {
        key: Side(estimate, error, n or 0, said, picked)
        for key, (estimate, error, n), said, picked in zip(words, numbers, status, by_design, strict=True)
    }


NOWHERE = Side(None, None, 0, None, by_design=False)


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
        **{name: numbers[name] for name in NUMBERS},
        N_RESPONDENTS: one.n if is_there else None,
        names.N_COMPARED: other.n if is_there else None,
        names.P_VALUE: numbers.get(names.P_VALUE),
        FAMILY: GRID,
        STATUS: worst([one.status, other.status]),
    }


def _difference(statistic: str, outcome: Outcome, one: Side, other: Side, *, weighted: bool) -> Estimated:
    if statistic == HEDGES_G:
        return statistics.hedges_g(one.estimate, _sd(one), one.n, other.estimate, _sd(other), other.n)
    if one.by_design or other.by_design:
        return statistics.difference_of_means(one.estimate, None, one.n, other.estimate, None, other.n)
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

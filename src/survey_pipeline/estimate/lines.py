"""Lines: one outcome over all levels of an exposure, with its tests.

What belongs here: which tests a line has, in which family, and whether a dose finding holds under every reading of the dose.
What does not: formulas (`statistics`), and pairs of levels (`comparisons`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from survey_pipeline import names, statistics
from survey_pipeline.estimate.cells import Cells, cells_of, part_of
from survey_pipeline.estimate.comparisons import Side, events_of, mean_of, sides_at, tables_with_findings, tested_levels
from survey_pipeline.estimate.families import (
    ADJUSTMENT,
    FAMILY,
    FAMILY_SIZE,
    GRID,
    P_ADJUSTED,
    PRIMARY,
    adjusted,
    laddered,
    worst,
)
from survey_pipeline.estimate.rows import Levels
from survey_pipeline.instrument import Instrument
from survey_pipeline.levels import DoseReading, Level, exposure_of, intervals_of
from survey_pipeline.names import (
    N_RESPONDENTS,
    P_VALUE,
    READING_COMPOUND,
    READING_LABEL_ELEMENTAL,
    READING_WORST_CASE,
    STATUS,
    Status,
    option_column,
)
from survey_pipeline.outcomes import Outcome, Table, tables, worst_cases
from survey_pipeline.release import Policy
from survey_pipeline.statistics import DOWN, UP, Numbers, Sample, Tested

KRUSKAL_WALLIS, WELCH_ANOVA = "kruskal_wallis", "welch_anova"
JONCKHEERE_TERPSTRA, COCHRAN_ARMITAGE = "jonckheere_terpstra", "cochran_armitage"
WORST_CASE_DIRECTION = "worst_case_direction"
TEST_STATISTIC, DIRECTION, N_LEVELS, N_SMALLEST = "test_statistic", "direction", "n_levels", "n_smallest"
DEGREES_OF_FREEDOM, DEGREES_OF_FREEDOM_2 = "degrees_of_freedom", "degrees_of_freedom_2"
TESTS_SCHEMA: dict[str, type[pl.DataType]] = {
    names.TABLE: pl.String,
    names.EXPOSURE: pl.String,
    names.OUTCOME: pl.String,
    names.STATISTIC: pl.String,
    TEST_STATISTIC: pl.Float64,
    DEGREES_OF_FREEDOM: pl.Float64,
    DEGREES_OF_FREEDOM_2: pl.Float64,
    P_VALUE: pl.Float64,
    DIRECTION: pl.String,
    N_LEVELS: pl.Int64,
    N_RESPONDENTS: pl.Int64,
    FAMILY: pl.String,
    FAMILY_SIZE: pl.Int64,
    P_ADJUSTED: pl.Float64,
    ADJUSTMENT: pl.String,
    STATUS: pl.String,
}
"""One row a table, outcome and test. `direction`: where the outcome's number goes with more of an ordered exposure.
`n_levels`: how many levels with people were tested. Published rows have neither test statistic nor second degrees of
freedom."""
LINES_SCHEMA = TESTS_SCHEMA | {N_SMALLEST: pl.Int64}
"""Exact tests: `n_smallest` is the number of people in the smallest level that holds anybody."""
Row = dict[str, object]


# --- Exact ------------------------------------------------------------------------------------------------------------


def tested_lines(tally: pl.DataFrame, estimates: pl.DataFrame, instrument: Instrument, levels: Levels) -> pl.DataFrame:
    """Every test of every line; columns as `LINES_SCHEMA`.

    `estimates`: the exact rows of the same tally and levels. Scales are tested in their change, where there is a baseline.
    Kruskal-Wallis of a yes or no is Pearson's chi-squared times (n - 1) / n. The primary family are Kruskal-Wallis over
    forms and Jonckheere-Terpstra over doses of primary outcomes; everything else is the grid. A line that stands in
    several tables is tested once. Tests of ranks and of counts are not given for weighted surveys: no such test is among
    the methods, and one that leaves the weights out would be about other people. Where people were picked by strata or
    clusters there are none at all: all of these take everybody as picked alone, and their p-values would be far too small.
    """
    if estimates["by_design"].any():
        return pl.DataFrame(schema=LINES_SCHEMA)
    made: dict[tuple[object, ...], Row] = {}
    for line in _lines(tally, instrument, levels):
        for row in line.rows(estimates):
            made.setdefault((row[names.EXPOSURE], row[names.OUTCOME], row[names.STATISTIC]), row)
    return adjusted(pl.DataFrame(list(made.values()), schema=LINES_SCHEMA)).select(list(LINES_SCHEMA))


def _lines(tally: pl.DataFrame, instrument: Instrument, levels: Levels) -> Iterator["_Line"]:
    read_again = [t for t in tables(instrument) if isinstance(exposure_of(instrument, t.exposure), DoseReading)]
    for table in (*tables_with_findings(instrument), *read_again, *worst_cases(instrument)):
        chosen = tested_levels(instrument, table.exposure, levels)
        mine = tally.filter(pl.col(names.EXPOSURE) == table.exposure)
        for outcome in table.outcomes:
            yield _Line(table, outcome, instrument, chosen, mine.filter(pl.col(names.OUTCOME) == outcome.name))


@dataclass(frozen=True)
class _Line:
    """One outcome over the levels of one exposure, with its part of the tally."""

    table: Table
    outcome: Outcome
    instrument: Instrument
    levels: tuple[Level, ...]
    part: pl.DataFrame

    @cached_property
    def groups(self) -> list[Sample]:
        """The answers (or changes) at each level."""
        part = part_of(self.part)
        inside = (part.at(level.members) for level in self.levels)
        return [each.sample(self._values(each)) for each in inside]

    def _values(self, cells: Cells) -> Numbers:
        return cells.after - cells.before if self.outcome.baseline else cells.after

    def rows(self, estimates: pl.DataFrame) -> Iterator[Row]:
        """The tests of the line, as rows."""
        exposure = exposure_of(self.instrument, self.table.exposure)
        if isinstance(exposure, DoseReading):
            yield from self._worst_case(exposure) if exposure.is_interval else self._read_again()
            return
        if not self.instrument.weighting:
            yield self._row(KRUSKAL_WALLIS, statistics.kruskal_wallis(self.groups))
        if not self.outcome.is_share or exposure.is_ordered:
            yield from _from_rows(self, estimates, is_ordered=exposure.is_ordered)
        if exposure.is_ordered and not self.outcome.is_share and not self.instrument.weighting:
            yield self._row(JONCKHEERE_TERPSTRA, statistics.jonckheere_terpstra(self.groups))

    def _read_again(self) -> Iterator[Row]:
        if self.instrument.weighting:
            return
        if self.outcome.is_share:
            events = [int(group.counts[group.values == 1].sum()) for group in self.groups]
            yield self._row(COCHRAN_ARMITAGE, statistics.cochran_armitage(events, [g.n for g in self.groups]))
        else:
            yield self._row(JONCKHEERE_TERPSTRA, statistics.jonckheere_terpstra(self.groups))

    def _worst_case(self, exposure: DoseReading) -> Iterator[Row]:
        places = intervals_of(exposure.dose.item)
        part = self.part.filter(pl.col(names.LEVEL).is_in(list(places)))
        cells = cells_of(part)
        ends = np.array([places[code] for code in part[names.LEVEL]], dtype=np.float64).reshape(-1, 2)
        values = self._values(cells)
        there = ~np.isnan(values)
        found = statistics.worst_case_direction(ends[there, 0], ends[there, 1], values[there], cells.n[there])
        if not self.instrument.weighting:
            n = int(cells.n[there].sum())
            yield self._row(WORST_CASE_DIRECTION, found) | {N_LEVELS: None, N_RESPONDENTS: n, N_SMALLEST: n}

    def _row(self, statistic: str, found: Tested) -> Row:
        sizes = [group.n for group in self.groups if group.n]
        return self._words(statistic) | {
            **_numbers(found),
            N_LEVELS: len(sizes),
            N_RESPONDENTS: sum(sizes),
            N_SMALLEST: min(sizes, default=0),
        }

    def _words(self, statistic: str) -> Row:
        main = {self.instrument.form: KRUSKAL_WALLIS, self.instrument.dose: JONCKHEERE_TERPSTRA}
        is_primary = self.outcome.primary and main.get(self.table.exposure) == statistic
        return {
            names.TABLE: self.table.name,
            names.EXPOSURE: self.table.exposure,
            names.OUTCOME: self.outcome.name,
            names.STATISTIC: statistic,
            FAMILY: PRIMARY if is_primary else GRID,
            STATUS: Status.OK,
        }


def _numbers(found: Tested) -> Row:
    return {
        TEST_STATISTIC: found.statistic,
        DEGREES_OF_FREEDOM: found.degrees_of_freedom,
        DEGREES_OF_FREEDOM_2: found.degrees_of_freedom_2,
        P_VALUE: found.p_value,
        DIRECTION: found.direction,
    }


def _from_rows(line: _Line, rows: pl.DataFrame, *, is_ordered: bool) -> Iterator[Row]:
    """The tests that tidy rows are enough for: Welch's of means, Cochran and Armitage's of shares."""
    statistic = "share" if line.outcome.is_share else mean_of(line.outcome)
    sides = sides_at(rows, line.table, line.outcome, statistic, [level.label for level in line.levels])
    if not line.outcome.is_share:
        yield line._row(WELCH_ANOVA, welch_anova(sides))
    elif is_ordered and not line.instrument.weighting:
        yield line._row(COCHRAN_ARMITAGE, cochran_armitage(sides))


def welch_anova(sides: Sequence[Side]) -> Tested:
    """Welch's test from rows of means: the variance is the squared standard error times n, weighted or not."""
    variances = [None if s.standard_error is None else s.standard_error**2 * s.n for s in sides]
    return statistics.welch_anova([side.estimate for side in sides], variances, [side.n for side in sides])


def cochran_armitage(sides: Sequence[Side]) -> Tested:
    """The test for a trend from rows of shares, with scores 0, 1, 2, ... and the variance with N."""
    return statistics.cochran_armitage([events_of(side) for side in sides], [side.n for side in sides])


# --- Published --------------------------------------------------------------------------------------------------------


def published_tests(
    lines: pl.DataFrame, rows: pl.DataFrame, instrument: Instrument, levels: Levels, policy: Policy
) -> pl.DataFrame:
    """The tests that are published; columns as `TESTS_SCHEMA`.

    `lines`: the exact ones. `rows`: the published rows. A line is shown only where every tested level of its exposure is.
    p-values are adjusted among the published lines and rounded up to the ladder, so that each is an upper bound; the test
    statistic, which would tell the exact one, is not published, nor are the second degrees of freedom. A dose that is read
    again is shown with the dose as answered, if each of its levels has enough people, and without their number and that of
    the levels: the difference to the others would tell who can be read one way only.
    """
    by_name = {(t.name, o.name): (t, o) for t in tables_with_findings(instrument) for o in t.outcomes}
    made = []
    for line in lines.iter_rows(named=True):
        table, outcome = by_name[line[names.TABLE], line[names.OUTCOME]]
        statistic = "share" if outcome.is_share else mean_of(outcome)
        labels = [level.label for level in tested_levels(instrument, table.exposure, levels)]
        sides = sides_at(rows, table, outcome, statistic, labels)
        made.append(_published(line, sides, read_again=line[names.EXPOSURE] != table.exposure, policy=policy))
    return laddered(adjusted(pl.DataFrame(made, schema=LINES_SCHEMA))).select(list(TESTS_SCHEMA))


def _published(line: Row, sides: Sequence[Side], *, read_again: bool, policy: Policy) -> Row:
    status = worst([side.status for side in sides])
    too_few = read_again and int(str(line[N_SMALLEST])) < policy.min_n_for_statistics
    if status in (Status.SUPPRESSED, Status.NOT_ASKED) or too_few:
        nothing = dict.fromkeys((*_numbers(Tested()), N_LEVELS, N_RESPONDENTS))
        return {**line, **nothing, STATUS: status if status == Status.NOT_ASKED else Status.SUPPRESSED}
    n = None if read_again else sum(side.n for side in sides)
    n_levels = None if read_again else line[N_LEVELS]
    kept_back = dict.fromkeys((TEST_STATISTIC, DEGREES_OF_FREEDOM_2))
    return {**line, **kept_back, N_LEVELS: n_levels, N_RESPONDENTS: n, STATUS: status}


# --- Dose honesty -----------------------------------------------------------------------------------------------------


def dose_finding_holds(tests: pl.DataFrame, outcome: str) -> bool | None:
    """Whether an outcome goes the same way with more of the dose as answered, under each reading of it, and wherever in their
    intervals the doses lie. Only then may it be called a finding.

    `tests`: exact or published, columns as `TESTS_SCHEMA`. None where the dose is not read again, or a direction is not told.
    """
    trends = (JONCKHEERE_TERPSTRA, COCHRAN_ARMITAGE, WORST_CASE_DIRECTION)
    mine = tests.filter(pl.col(names.OUTCOME) == outcome, pl.col(names.STATISTIC).is_in(trends))
    directions = dict(mine.select(names.EXPOSURE, DIRECTION).iter_rows())
    ending = option_column("", READING_WORST_CASE)
    dose = next((name.removesuffix(ending) for name in directions if name.endswith(ending)), None)
    if dose is None:
        return None
    readings = (READING_LABEL_ELEMENTAL, READING_COMPOUND, READING_WORST_CASE)
    found = {directions.get(name) for name in (dose, *(option_column(dose, reading) for reading in readings))}
    return None if None in found else found in ({UP}, {DOWN})

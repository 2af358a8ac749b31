"""Rows: every statistic of every table, one tidy row each.

What belongs here: going through tables, levels and outcomes, and what a row must say of itself for `disclose`. What does not:
which statistics there are (`figures`, `bands`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from survey_pipeline import names
from survey_pipeline.estimate.bands import UsualLevel, bands
from survey_pipeline.estimate.cells import Cells, has_weights, part_of
from survey_pipeline.estimate.figures import (
    ANSWERED_BOTH,
    COULD_IMPROVE,
    EVERYBODY,
    Figure,
    counts,
    figures,
    presence,
)
from survey_pipeline.instrument import Instrument, Kind
from survey_pipeline.levels import Crossing, DoseReading, Level, exposure_of, partitions_of, split
from survey_pipeline.names import ALL_LEVELS, N_RESPONDENTS, NOT_STATED, RESPONDENTS, WHO_ANSWERED
from survey_pipeline.outcomes import BEING_THERE, Outcome, Table, tables
from survey_pipeline.statistics import Estimated
from survey_pipeline.statistics.anyway import usual

Levels = Mapping[str, Sequence[Level]]
"""For each exposure, the levels to estimate, which together hold everybody once."""
Row = dict[str, object]

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
    names.N_ASIDE: pl.Int64,
    names.N_MISSING_BEFORE: pl.Int64,
    names.N_MISSING_NOW: pl.Int64,
    "n_effective": pl.Float64,
    "by_design": pl.Boolean,
    "is_conditional": pl.Boolean,
    "span": pl.Float64,
    "skewness": pl.Float64,
    "gap_of": pl.String,
    "not_stated": pl.Boolean,
    "usual_of": pl.List(pl.String),
    "part_of": pl.List(pl.List(pl.String)),
}
"""Exact estimates: `n_events` is the count behind a share (null otherwise), `n_level` everybody in the level, `one_of` the
question with one answer whose options exclude each other, `some_of` the question of which everybody who answered it
chose at least one option, `among` who is in the denominator (the same people in all rows of an outcome and level that
say the same), `n_alike` how many of a number's respondents gave its commonest value (null for shares), `n_aside` people who
answered and to whom the statistic does not apply (they began at 0), `n_missing_before` and `n_missing_now` how many left out
either of two answers, `n_effective`
Kish's effective n (null without weights), `by_design` whether error and interval know of strata and clusters (null: no),
`is_conditional` whether the question concerns some people only, `span` the greatest minus the least value of the
outcome's scale, `skewness` of the values behind a mean, `gap_of` the question that was left out by those whom the row
counts, `not_stated` whether the level is just those who left the exposure's question out (false where others are in it
too, null where they are not in it), `usual_of` the exposure and level whose mean a band takes for the usual one,
`part_of` of a level of a crossing, for both crossed exposures, the exposure and those of its levels which together hold
the people of all levels of the crossing that say the same."""


def estimate(tally: pl.DataFrame, instrument: Instrument, levels: Levels | None = None) -> pl.DataFrame:
    """Every statistic of every table from a tally (`count.TALLY_SCHEMA`); columns as `ESTIMATES_SCHEMA`.

    `levels` chooses the levels of each exposure; without it, the finest declared ones. `all` is everybody asked. A dose
    that is read again gives no rows: see `lines`.
    """
    maker = _Maker(tally, instrument, levels or {})
    rows = [maker.number_answered(), *(row for table in shown_tables(instrument) for row in maker.table(table))]
    return pl.DataFrame(rows, schema=ESTIMATES_SCHEMA)


def shown_tables(instrument: Instrument) -> Iterator[Table]:
    """Tables with rows of their own."""
    return (t for t in tables(instrument) if not isinstance(exposure_of(instrument, t.exposure), DoseReading))


def levels_of(instrument: Instrument, exposure: str, levels: Levels) -> tuple[Level, ...]:
    """The levels of an exposure: the chosen ones, or else the finest declared."""
    return tuple(levels[exposure] if exposure in levels else partitions_of(instrument, exposure)[0])


def level_of_comparison(instrument: Instrument, exposure: str, levels: Levels) -> Level | None:
    """The level with which an exposure's others are compared: nothing where it was merged, so that it is another one."""
    code = exposure_of(instrument, exposure).comparison
    members = {m for level in partitions_of(instrument, exposure)[0] if level.code == code for m in level.members}
    found = (level for level in levels_of(instrument, exposure, levels) if members and members == set(level.members))
    return next(found, None)


@dataclass(frozen=True)
class _Maker:
    """What all rows are made of."""

    counted: pl.DataFrame
    instrument: Instrument
    levels: Levels

    @cached_property
    def parts(self) -> dict[tuple[str, str], pl.DataFrame]:
        """The tally by exposure and outcome."""
        by = self.counted.partition_by([names.EXPOSURE, names.OUTCOME], as_dict=True, include_key=True)
        return {(str(exposure), str(outcome)): part for (exposure, outcome), part in by.items()}

    def part(self, exposure: str, outcome: str) -> pl.DataFrame:
        return self.parts.get((exposure, outcome), self.counted.clear())

    @cached_property
    def weighted(self) -> bool:
        return has_weights(self.counted)

    @cached_property
    def questions(self) -> dict[str, str]:
        """For each option that may be chosen together with others, its question."""
        several = {name: item for name, item in self.instrument.items.items() if item.kind is Kind.CHOICES}
        return {column: name for name, item in several.items() for column in item.columns(name)}

    def number_answered(self) -> Row:
        """How many answers were used at all: the same for every exposure, taken from the form."""
        n = int(self.part(self.instrument.form, RESPONDENTS)[N_RESPONDENTS].sum())
        figure = Figure("count", Estimated(float(n)), n, among=EVERYBODY)
        table = Table(WHO_ANSWERED, RESPONDENTS, (BEING_THERE,))
        everyone = Level(code=ALL_LEVELS, label=ALL_LEVELS, members=())
        nobody = part_of(self.counted.clear()).everybody
        return self._row(table, BEING_THERE, everyone, figure, nobody) | {"not_asked": False, "n_level": n}

    def table(self, table: Table) -> Iterator[Row]:
        """The rows of one table: outcome by outcome, everybody first."""
        levels = levels_of(self.instrument, table.exposure, self.levels)
        sides = sides_of(self.instrument, table.exposure, self.levels)
        for outcome in table.outcomes:
            part = part_of(self.part(table.exposure, outcome.name), weighted=self.weighted)
            whole = list(self._figures(table, outcome, part.everybody, part.everybody))
            asked = _asked(whole)
            everyone = Level(code=ALL_LEVELS, label=ALL_LEVELS, members=())
            for level in (everyone, *levels):
                people = part.everybody if level is everyone else part.at(set(level.members))
                found = whole if level is everyone else self._figures(table, outcome, people, part.everybody)
                for figure in found:
                    row = self._row(table, outcome, level, figure, people)
                    yield row | {"not_asked": figure.among not in asked, "part_of": sides.get(level.code)}

    def _figures(self, table: Table, outcome: Outcome, people: Cells, everybody: Cells) -> Iterator[Figure]:
        if table.name == WHO_ANSWERED:
            yield from presence(people, everybody)
        elif table.shows == "counts":
            yield from counts(outcome, people)
        else:
            yield from figures(outcome, people)
            yield from bands(outcome, people, self.usual(outcome))

    def usual(self, outcome: Outcome) -> UsualLevel | None:
        """How people fared who took none, by the form's level of comparison; nothing where that is not shown by form."""
        if outcome.retest is None or self.instrument.weighting is not None:
            return None
        if outcome.name not in self._usual:
            self._usual[outcome.name] = self._usual_of(outcome)
        return self._usual[outcome.name]

    @cached_property
    def _usual(self) -> dict[str, UsualLevel | None]:
        return {}

    def _usual_of(self, outcome: Outcome) -> UsualLevel | None:
        form = self.instrument.form
        level = level_of_comparison(self.instrument, form, self.levels)
        if level is None:
            return None
        cells = part_of(self.part(form, outcome.name)).at(level.members)
        found = usual(cells.before, cells.after, cells.n)
        return UsualLevel(form, level.label, found) if found else None

    def _row(self, table: Table, outcome: Outcome, level: Level, figure: Figure, people: Cells) -> Row:
        found = figure.estimated
        is_band = figure.statistic.endswith("_anyway")
        used = self.usual(outcome) if is_band else None
        return {
            names.TABLE: table.name,
            names.EXPOSURE: table.exposure,
            names.LEVEL: level.label,
            names.OUTCOME: outcome.name,
            names.STATISTIC: figure.statistic,
            names.ESTIMATE: found.estimate,
            names.STANDARD_ERROR: found.standard_error,
            names.CI_LOWER: found.ci_lower,
            names.CI_UPPER: found.ci_upper,
            names.N_RESPONDENTS: figure.n,
            names.N_MISSING: _n_missing(outcome, figure, people),
            names.N_EVENTS: figure.n_events,
            "n_level": people.n_people,
            "merged": level.merged,
            "one_of": outcome.one_of if not outcome.left_out else None,
            "some_of": None if outcome.left_out else self.questions.get(outcome.name),
            "among": figure.among,
            "n_alike": figure.n_alike,
            names.N_ASIDE: figure.n_aside,
            **_missing_once(outcome, people),
            "n_effective": figure.n_effective,
            "is_conditional": outcome.is_conditional,
            "span": None if outcome.is_share else outcome.grid.step * (outcome.grid.size - 1),
            "skewness": figure.skewness,
            "gap_of": outcome.item if outcome.left_out else None,
            "not_stated": level.members == (NOT_STATED,) if NOT_STATED in level.members else None,
            "usual_of": [used.exposure, used.label] if used else None,
        }


def _asked(figures: Sequence[Figure]) -> set[str]:
    """Of whom an outcome was asked (`among`). Where everybody began at 0, nobody could improve, and yet they were asked."""
    found = {figure.among for figure in figures if figure.n}
    return found | ({COULD_IMPROVE} if ANSWERED_BOTH in found else set())


def _n_missing(outcome: Outcome, figure: Figure, people: Cells) -> int:
    """Of the people whom the question concerns, those who did not answer."""
    return 0 if outcome is BEING_THERE else people.n_people - people.n_unconcerned - figure.n - figure.n_aside


def _missing_once(outcome: Outcome, people: Cells) -> dict[str, int]:
    """Of an outcome asked before and now, how many of those whom it concerns left out the one, and the other."""
    if outcome.baseline is None:
        return {}
    asked = people.n_people - people.n_unconcerned
    answers = {names.N_MISSING_BEFORE: people.before, names.N_MISSING_NOW: people.after}
    return {name: asked - int(people.n[~np.isnan(values)].sum()) for name, values in answers.items()}


def sides_of(instrument: Instrument, exposure: str, levels: Levels) -> dict[str, list[list[str]]]:
    """By code of a crossing's levels, what stands in `part_of`; empty for any other exposure."""
    crossing = exposure_of(instrument, exposure)
    if not isinstance(crossing, Crossing):
        return {}
    mine = levels_of(instrument, exposure, levels)
    sides = {level.code: split(crossing, level) for level in mine}
    found: dict[str, list[list[str]]] = {level.code: [] for level in mine}
    for side, factor in enumerate((crossing.first.name, crossing.second.name)):
        groups = _joined(levels_of(instrument, factor, levels), [both[side] for both in sides.values()])
        for code, both in sides.items():
            together = next(group for group in groups if any(both[side] & set(level.members) for level in group))
            found[code].append([factor, *(level.label for level in together)])
    return found


def _joined(levels: Sequence[Level], stretches: Sequence[frozenset[str]]) -> list[list[Level]]:
    """Levels in groups, so that each stretch of atoms lies within one group."""
    groups = [[level] for level in levels]
    for stretch in stretches:
        touched = [group for group in groups if any(stretch & set(level.members) for level in group)]
        groups = [group for group in groups if group not in touched]
        groups.append([level for group in touched for level in group])
    return groups

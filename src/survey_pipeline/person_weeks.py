"""Person-weeks: what diaries say, as sums that hold no person, and the means over person-weeks that follow from them.

What belongs here: adding up person-weeks (`diary.person_weeks`) by the level that their people are in, and estimates from the
sums alone. The sums are exact whole numbers: tallies of parts add to the tally of the whole, and merged levels are sums of
levels, since each person is in one level. What does not: how entries become person-weeks (`diary`), and what may be shown.

A person's weeks resemble each other, so people are the clusters. With T the sum of a person's weekly means and N how many
weeks they have, the mean over person-weeks is a ratio, y = sum T / sum N, with the linearised (Taylor) variance
m / (m - 1) x sum (T - y N)^2 / (sum N)^2 for m people (Cochran 1977, section 11.4, without the finite population correction;
Lumley 2010, section 2.2), and Student's t interval with m - 1 degrees of freedom, as R's survey and svy have it for a single
stage of clusters.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import sqrt
from typing import Any

import polars as pl

from survey_pipeline import names, statistics
from survey_pipeline.count import level_place
from survey_pipeline.diary import DECIMALS, DiaryTable, diary_tables, measured
from survey_pipeline.estimate import ESTIMATES_SCHEMA, Levels
from survey_pipeline.estimate.rows import levels_of, sides_of
from survey_pipeline.instrument import Instrument, Kind
from survey_pipeline.levels import Level, exposure_of
from survey_pipeline.names import ALL_LEVELS, EVERYBODY, EXPOSURE, LEVEL, NOT_STATED, OUTCOME, RESPONDENT
from survey_pipeline.statistics import Estimated

PERSON_WEEK_MEAN = "person_week_mean"
PERSON_WEEKS = "person_weeks"
"""How many person-weeks the mean is over."""
DIARY_KEPT = "diary_kept"
"""The outcome that says whether somebody has at least one entry that counts."""
DAYS_OF_A_WEEK = 420
"""The least number that 1, 2, ... 7 divide: this many times the mean of a week's entries is as exact as the entries are."""
UNIT = DAYS_OF_A_WEEK * 10**DECIMALS
"""Weekly means are added in whole numbers of 1 / UNIT of the item's unit."""
LONG = pl.Decimal(38, 0)
SUMS = ("n_people", "n_person_weeks", "sum_t", "sum_tt", "sum_tn", "sum_nn", "n_asked", "n_alike")
DIARY_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    EXPOSURE: pl.String,
    LEVEL: pl.String,
    OUTCOME: pl.String,
    "n_people": pl.Int64,
    "n_person_weeks": pl.Int64,
    "sum_t": LONG,
    "sum_tt": LONG,
    "sum_tn": LONG,
    "sum_nn": pl.Int64,
    "n_asked": pl.Int64,
    "n_alike": pl.Int64,
}
"""One row a level (an atom) of an exposure and a diary outcome.

`n_people`: people with an answer in any week; `n_person_weeks`: the sum of N, their weeks with an answer; `sum_t`, `sum_tt`,
`sum_tn`, `sum_nn`: the sums of T, T^2, T N and N^2 over them, T in 1 / `UNIT` of the item's unit; `n_asked`: everybody in
the level; `n_alike`: how many of them have the commonest mean of all their weeks (when levels are added, at most that many).
Of the outcome `diary_kept`, T is 1 for everybody with an entry, and N is their weeks."""


# --- From person-weeks to sums -----------------------------------------------------------------------------------------


def levels_of_people(responses: pl.LazyFrame, instrument: Instrument) -> pl.LazyFrame:
    """The kept rows' respondents (a hash, null without a code) with their level of each exposure that a diary is shown by."""
    shown = dict.fromkeys(table.exposure for table in diary_tables(instrument) if table.exposure != EVERYBODY)
    return responses.select(RESPONDENT, *(_level(name, instrument) for name in shown))


def _level(exposure: str, instrument: Instrument) -> pl.Expr:
    found = exposure_of(instrument, exposure)
    codes = {place: atom.code for place, atom in enumerate(found.atoms)}
    return level_place(found, instrument).replace_strict(codes, return_dtype=pl.String).alias(exposure)


def diary_tally(
    person_weeks: pl.DataFrame, levels: pl.LazyFrame | pl.DataFrame, instrument: Instrument
) -> pl.DataFrame:
    """The sums of `DIARY_SCHEMA` of person-weeks (`diary.person_weeks_schema`); empty where there are none.

    `levels`: as `levels_of_people` gives them, a row a kept response.
    """
    if person_weeks.is_empty() or not diary_tables(instrument):
        return pl.DataFrame(schema=DIARY_SCHEMA)
    everybody = levels.lazy().with_columns(pl.lit(EVERYBODY).alias(EVERYBODY))
    exposures = [name for name in everybody.collect_schema().names() if name != RESPONDENT]
    keepers = person_weeks.lazy().select(RESPONDENT).unique()
    theirs = _one_level_each(everybody.join(keepers, on=RESPONDENT, how="semi"), exposures).collect()
    people = {name: _of_people(person_weeks, name) for name in measured(instrument)}
    people[DIARY_KEPT] = _of_keepers(person_weeks)
    asked = {name: everybody.group_by(pl.col(name).alias(LEVEL)).len("n_asked").collect() for name in exposures}
    parts = [
        _sums(found.join(theirs, on=RESPONDENT), exposure, outcome, asked[exposure])
        for outcome, found in people.items()
        for exposure in exposures
    ]
    return add([pl.concat(parts)])


def _one_level_each(levels: pl.LazyFrame, exposures: Sequence[str]) -> pl.LazyFrame:
    """Somebody with several kept rows is in one of their levels: the first by its code."""
    return levels.group_by(RESPONDENT).agg(pl.col(exposures).min())


def _of_people(person_weeks: pl.DataFrame, name: str) -> pl.DataFrame:
    """Each person's T and N for one outcome: columns `respondent`, `t`, `n`."""
    there = person_weeks.filter(pl.col(name).is_not_null())
    exact = (pl.col(name) * UNIT).round().cast(pl.Int64)
    return there.group_by(RESPONDENT).agg(t=exact.sum(), n=pl.len().cast(pl.Int64))


def _of_keepers(person_weeks: pl.DataFrame) -> pl.DataFrame:
    return person_weeks.group_by(RESPONDENT).agg(t=pl.lit(1, dtype=pl.Int64), n=pl.len().cast(pl.Int64))


def _sums(people: pl.DataFrame, exposure: str, outcome: str, asked: pl.DataFrame) -> pl.DataFrame:
    """Sums of whole numbers of any length, so that the order of people changes nothing."""
    t, n = pl.col("t").cast(pl.Int128), pl.col("n").cast(pl.Int128)
    long = [each.sum().cast(LONG).alias(name) for name, each in (("sum_t", t), ("sum_tt", t * t), ("sum_tn", t * n))]
    sums = people.group_by(pl.col(exposure).alias(LEVEL)).agg(
        pl.len().cast(pl.Int64).alias("n_people"),
        pl.col("n").sum().alias("n_person_weeks"),
        *long,
        (pl.col("n") * pl.col("n")).sum().alias("sum_nn"),
        (pl.col("t") / pl.col("n")).unique_counts().max().cast(pl.Int64).alias("n_alike"),
    )
    whole = asked.join(sums, on=LEVEL, how="left").with_columns(
        pl.lit(exposure).alias(EXPOSURE), pl.lit(outcome).alias(OUTCOME)
    )
    return whole.select(pl.col(name).cast(kind) for name, kind in DIARY_SCHEMA.items())


def add(tallies: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """The tally of several parts together, if nobody has person-weeks in two of them."""
    together = pl.concat([pl.DataFrame(schema=DIARY_SCHEMA), *tallies])
    keys = [EXPOSURE, LEVEL, OUTCOME]
    return together.group_by(keys).agg(pl.col(SUMS).sum()).sort(keys).cast(pl.Schema(DIARY_SCHEMA))


# --- From sums to estimates --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sums:
    """The sums of one level and outcome: what `DIARY_SCHEMA` says."""

    n_people: int = 0
    n_person_weeks: int = 0
    sum_t: int = 0
    sum_tt: int = 0
    sum_tn: int = 0
    sum_nn: int = 0
    n_asked: int = 0
    n_alike: int = 0


def person_week_mean(sums: Sums, unit: int = UNIT) -> Estimated:
    """The mean over person-weeks in the item's units, with its standard error by person and Student's t interval with one
    degree of freedom less than there are people. No standard error for a single person, and nothing for nobody.
    """
    m, weeks = sums.n_people, sums.n_person_weeks
    if not weeks:
        return Estimated()
    mean = Fraction(sums.sum_t, weeks)
    centre = float(mean / unit)
    if m == 1:
        return Estimated(centre)
    squares = sums.sum_tt - 2 * mean * sums.sum_tn + mean * mean * sums.sum_nn
    variance = Fraction(m, m - 1) * squares / (weeks * unit) ** 2
    return statistics.mean_of(centre, sqrt(variance), m)


def diary_rows(tally: pl.DataFrame, instrument: Instrument, levels: Levels | None = None) -> pl.DataFrame:
    """Every diary row of every table that lists diary items; columns as `estimate.ESTIMATES_SCHEMA`.

    For each level and outcome the `person_week_mean` and the number of `person_weeks` behind it, and once a level the
    `share` of everybody who keeps a diary. A diary is optional, so nobody is missing. `levels` chooses the levels of each
    exposure; without it, the finest declared ones.
    """
    rows = [row for table in diary_tables(instrument) for row in _table_rows(table, tally, instrument, levels or {})]
    return pl.DataFrame(rows, schema=ESTIMATES_SCHEMA)


def _table_rows(
    table: DiaryTable, tally: pl.DataFrame, instrument: Instrument, levels: Levels
) -> Iterator[dict[str, Any]]:
    cut, sides = levels_of(instrument, table.exposure, levels), sides_of(instrument, table.exposure, levels)
    outcomes = (DIARY_KEPT, *(() if table.n_only else table.outcomes))
    for outcome in outcomes:
        everybody = _sum(tally, EVERYBODY, outcome, [EVERYBODY])
        told = {"not_asked": everybody.n_people == 0, "span": _span(outcome, instrument)}
        everyone = Level(code=ALL_LEVELS, label=ALL_LEVELS, members=())
        inside = [(level, _sum(tally, table.exposure, outcome, level.members)) for level in cut]
        for level, sums in ((everyone, everybody), *inside):
            for row in _rows(table, outcome, level, sums):
                yield row | told | {"part_of": sides.get(level.code)}


def _rows(table: DiaryTable, outcome: str, level: Level, sums: Sums) -> Iterator[dict[str, Any]]:
    """The rows of one level and outcome: a share, or a mean and how many person-weeks it is over."""
    row = _row(table, outcome, level, sums)
    yield row
    if outcome != DIARY_KEPT:
        weeks = float(sums.n_person_weeks) if sums.n_person_weeks else None
        no_interval = dict.fromkeys((names.STANDARD_ERROR, names.CI_LOWER, names.CI_UPPER))
        yield row | no_interval | {names.STATISTIC: PERSON_WEEKS, names.ESTIMATE: weeks}


def _span(outcome: str, instrument: Instrument) -> float | None:
    """The greatest minus the least value that an answer can have."""
    item = instrument.items.get(outcome)
    if item is None or item.kind is Kind.YES_NO:
        return None if item is None else 1.0
    return None if item.maximum is None or item.minimum is None else item.maximum - item.minimum


def _sum(tally: pl.DataFrame, exposure: str, outcome: str, members: Sequence[str]) -> Sums:
    mine = (pl.col(EXPOSURE) == exposure) & (pl.col(OUTCOME) == outcome) & pl.col(LEVEL).is_in(list(members))
    found = tally.filter(mine).select(pl.col(SUMS).sum()).row(0)
    return Sums(*(int(each) for each in found))


def _row(table: DiaryTable, outcome: str, level: Level, sums: Sums) -> dict[str, Any]:
    kept = outcome == DIARY_KEPT
    found = statistics.share(sums.n_people, sums.n_asked) if kept else person_week_mean(sums)
    return {
        names.TABLE: table.name,
        names.EXPOSURE: table.exposure,
        names.LEVEL: level.label,
        names.OUTCOME: outcome,
        names.STATISTIC: "share" if kept else PERSON_WEEK_MEAN,
        names.ESTIMATE: found.estimate,
        names.STANDARD_ERROR: found.standard_error,
        names.CI_LOWER: found.ci_lower,
        names.CI_UPPER: found.ci_upper,
        names.N_RESPONDENTS: sums.n_asked if kept else sums.n_people,
        names.N_MISSING: 0,
        names.N_EVENTS: sums.n_people if kept else None,
        "n_level": sums.n_asked,
        "merged": level.merged,
        "among": "everybody" if kept else "keeps_diary",
        "n_alike": None if kept else sums.n_alike,
        names.N_ASIDE: 0,
        "not_stated": level.members == (NOT_STATED,) if NOT_STATED in level.members else None,
    }

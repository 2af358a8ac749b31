"""Trend: what everybody who answered said, wave after wave.

What belongs here: setting the published numbers of all waves side by side, and breaking a series where its question was
changed. What does not: any new number, and words for what is seen (`render`). Other people answer each wave: nothing is
subtracted, and no line is fitted.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from survey_pipeline import names
from survey_pipeline.release import TIDY_SCHEMA, Release, Row

TREND_OVER_WAVES = "trend_over_waves"
SERIES = "series"
"""From 1, one more after each change of the question: only numbers of one series may be compared."""
TREND_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    **TIDY_SCHEMA,
    names.PROVENANCE: pl.String,
    SERIES: pl.Int64,
}
Key = tuple[str, str]


def trend(releases: Sequence[Release], changed: Mapping[str, frozenset[str]]) -> pl.DataFrame:
    """The rows of everybody (level `all`) of all waves, each outcome and statistic once a wave; columns as `TREND_SCHEMA`,
    with the wave as exposure and level, in the order of outcomes, then of waves.

    `releases`: the ones in force, one a wave; `changed`: by wave, the items that mean something else than in the wave before.
    """
    ordered = sorted(releases, key=lambda release: release.wave)
    series = {key: list(_series(key, ordered, changed)) for key in _keys(ordered)}
    lines = [line for found in series.values() for line in found]
    return pl.DataFrame(lines, schema=TREND_SCHEMA, orient="row")


def _keys(releases: Sequence[Release]) -> list[Key]:
    """Every outcome and statistic that some wave has of everybody, in the order of the newest wave, then of older ones."""
    found = ((row.outcome, row.statistic) for release in reversed(releases) for row in release.rows if _is_told(row))
    return list(dict.fromkeys(found))


def _is_told(row: Row) -> bool:
    return row.level == names.ALL_LEVELS and row.table != names.WHO_ANSWERED


def _series(
    key: Key, releases: Sequence[Release], changed: Mapping[str, frozenset[str]]
) -> Iterator[tuple[object, ...]]:
    number = 1
    for place, release in enumerate(releases):
        number += bool(place) and _is_of(key[0], changed.get(release.wave, frozenset()))
        row = _row_of(key, release)
        if row is not None:
            yield _line(row, release, number)


def _is_of(outcome: str, items: frozenset[str]) -> bool:
    """Whether an outcome is one of these items, or one of their options."""
    parents = (outcome[: match.start()] for match in re.finditer("__", outcome))
    return not items.isdisjoint({outcome, *parents})


def _row_of(key: Key, release: Release) -> Row | None:
    """The row of everybody in the first table that has one."""
    return next((row for row in release.rows if _is_told(row) and (row.outcome, row.statistic) == key), None)


def _line(row: Row, release: Release, series: int) -> tuple[object, ...]:
    told = row.model_dump(mode="json") | {
        names.TABLE: TREND_OVER_WAVES,
        names.EXPOSURE: names.WAVE,
        names.LEVEL: release.wave,
    }
    return (*(told[name] for name in TIDY_SCHEMA), release.provenance, series)

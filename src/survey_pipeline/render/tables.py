"""Files for programs: each table as CSV, and the release as JSON.

What belongs here: writing published rows so that every program reads them alike. What does not: words and layout.
"""

from collections.abc import Sequence
from json import dumps

import polars as pl

from survey_pipeline import names
from survey_pipeline.instrument import Instrument
from survey_pipeline.release import Release
from survey_pipeline.render.estimators import METHOD, comparison, estimator, test
from survey_pipeline.spreadsheets import harmless_frame


def csv(release: Release, table: str, instrument: Instrument) -> bytes:
    """A table as CSV: tidy columns, `provenance` and `method`, nothing where there is no number."""
    frame = release.frame(table)
    named = frame.select(names.OUTCOME, names.STATISTIC).iter_rows()
    return _csv(frame, release, [estimator(outcome, statistic, instrument) for outcome, statistic in named])


def comparisons_csv(release: Release, instrument: Instrument) -> bytes:
    """All comparisons of two levels as CSV, columns as `release.ComparisonRow`, `provenance` and `method`."""
    frame = release.comparison_frame()
    return _csv(frame, release, [comparison(statistic, instrument) for statistic in frame[names.STATISTIC]])


def tests_csv(release: Release, instrument: Instrument) -> bytes:
    """All tests over the levels of an exposure as CSV, columns as `release.TestRow`, `provenance` and `method`."""
    frame = release.test_frame()
    return _csv(frame, release, [test(statistic, instrument) for statistic in frame[names.STATISTIC]])


def _csv(frame: pl.DataFrame, release: Release, methods: Sequence[str]) -> bytes:
    told = frame.with_columns(
        pl.lit(release.provenance).alias(names.PROVENANCE), pl.Series(METHOD, methods, dtype=pl.String)
    )
    return harmless_frame(told).write_csv(line_terminator="\n", null_value="").encode()


def json(release: Release) -> bytes:
    """The whole release, keys in the order of its model."""
    return (dumps(release.model_dump(mode="json"), ensure_ascii=False, indent=1) + "\n").encode()

"""Files for programs: each table as CSV and Parquet, and the release as JSON.

What belongs here: writing published rows so that every program reads them alike. What does not: words and layout.
"""

from collections.abc import Sequence
from io import BytesIO
from json import dumps
from typing import Final

import polars as pl

from survey_pipeline import names
from survey_pipeline.instrument import Instrument
from survey_pipeline.release import Release
from survey_pipeline.render.estimators import METHOD, comparison, estimator, test
from survey_pipeline.spreadsheets import harmless_frame

COMPARISONS: Final = "comparisons"
TESTS: Final = "tests"
"""Names of the two tables that are made of the others."""


def frames(release: Release, instrument: Instrument) -> dict[str, pl.DataFrame]:
    """Every table by its name, in the order of the release, then comparisons and tests where there are any. Columns as
    `names.TIDY_COLUMNS`, `release.ComparisonRow` and `release.TestRow`, each with `provenance` and `method` behind them.
    """
    found = {table: _tidy(release, table, instrument) for table in release.tables}
    if release.comparisons:
        found[COMPARISONS] = _comparisons(release, instrument)
    return found | ({TESTS: _tests(release, instrument)} if release.tests else {})


def as_csv(frame: pl.DataFrame) -> bytes:
    """A table as CSV: no text that a spreadsheet could take for a formula, nothing where there is no number."""
    return harmless_frame(frame).write_csv(line_terminator="\n", null_value="").encode()


def as_parquet(frame: pl.DataFrame) -> bytes:
    """A table as Parquet: the columns and types of the CSV, texts exactly as in the release, null where there is no number.

    The file names the library that wrote it, with its version, and no time: the same library gives the same bytes.
    """
    content = BytesIO()
    frame.write_parquet(content, compression="zstd")
    return content.getvalue()


def csv(release: Release, table: str, instrument: Instrument) -> bytes:
    """One table as CSV: tidy columns, `provenance` and `method`."""
    return as_csv(_tidy(release, table, instrument))


def comparisons_csv(release: Release, instrument: Instrument) -> bytes:
    """All comparisons of two levels as CSV, columns as `release.ComparisonRow`, `provenance` and `method`."""
    return as_csv(_comparisons(release, instrument))


def tests_csv(release: Release, instrument: Instrument) -> bytes:
    """All tests over the levels of an exposure as CSV, columns as `release.TestRow`, `provenance` and `method`."""
    return as_csv(_tests(release, instrument))


def json(release: Release) -> bytes:
    """The whole release, keys in the order of its model."""
    return (dumps(release.model_dump(mode="json"), ensure_ascii=False, indent=1) + "\n").encode()


def _tidy(release: Release, table: str, instrument: Instrument) -> pl.DataFrame:
    frame = release.frame(table)
    named = frame.select(names.OUTCOME, names.STATISTIC)
    found = {(outcome, how): estimator(outcome, how, instrument) for outcome, how in named.unique().iter_rows()}
    return _told(frame, release, [found[outcome, how] for outcome, how in named.iter_rows()])


def _comparisons(release: Release, instrument: Instrument) -> pl.DataFrame:
    frame = release.comparison_frame()
    return _told(frame, release, [comparison(statistic, instrument) for statistic in frame[names.STATISTIC]])


def _tests(release: Release, instrument: Instrument) -> pl.DataFrame:
    frame = release.test_frame()
    return _told(frame, release, [test(statistic, instrument) for statistic in frame[names.STATISTIC]])


def _told(frame: pl.DataFrame, release: Release, methods: Sequence[str]) -> pl.DataFrame:
    """A table with where its numbers come from."""
    return frame.with_columns(
        pl.lit(release.provenance).alias(names.PROVENANCE), pl.Series(METHOD, methods, dtype=pl.String)
    )

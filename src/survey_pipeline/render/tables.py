"""Files for programs: each table as CSV, and the release as JSON.

What belongs here: writing published rows so that every program reads them alike. What does not: words and layout.
"""

from json import dumps

import polars as pl

from survey_pipeline import names
from survey_pipeline.release import Release
from survey_pipeline.spreadsheets import harmless_frame


def csv(release: Release, table: str) -> bytes:
    """A table as CSV: tidy columns and `provenance`, nothing where there is no number."""
    return _csv(release.frame(table), release)


def comparisons_csv(release: Release) -> bytes:
    """All comparisons of two levels as CSV, columns as `release.ComparisonRow` and `provenance`."""
    return _csv(release.comparison_frame(), release)


def tests_csv(release: Release) -> bytes:
    """All tests over the levels of an exposure as CSV, columns as `release.TestRow` and `provenance`."""
    return _csv(release.test_frame(), release)


def _csv(frame: pl.DataFrame, release: Release) -> bytes:
    told = frame.with_columns(pl.lit(release.provenance).alias(names.PROVENANCE))
    return harmless_frame(told).write_csv(line_terminator="\n", null_value="").encode()


def json(release: Release) -> bytes:
    """The whole release, keys in the order of its model."""
    return (dumps(release.model_dump(mode="json"), ensure_ascii=False, indent=1) + "\n").encode()

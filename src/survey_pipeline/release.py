"""The release: every published number of a wave, and what is said about where it came from.

What belongs here: the model of `release.json` and reading its rows as frames. What does not: deciding what may be
published (`disclose`) and putting it into words (`render`). Whatever stands in a release is safe to show to anybody.
"""

from collections.abc import Sequence
from typing import Literal

import polars as pl
from pydantic import BaseModel, ConfigDict

from survey_pipeline import names
from survey_pipeline.names import Status

FORMAT = "survey-pipeline release 1"

TIDY_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    **dict.fromkeys(names.TIDY_COLUMNS[:7], pl.String),
    **dict.fromkeys(names.NUMBERS[:4], pl.Float64),
    names.N_RESPONDENTS: pl.Int64,
    names.N_MISSING: pl.Int64,
    names.STATUS: pl.String,
}
"""Types of the tidy tables: seven words, four numbers, two counts, a status."""


class Part(BaseModel):
    """Frozen, and refusing what it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Row(Part):
    """One published statistic. Where `status` is suppressed or not_asked, every number is None."""

    instrument: str
    wave: str
    table: str
    exposure: str
    level: str
    outcome: str
    statistic: str
    estimate: float | None
    standard_error: float | None
    ci_lower: float | None
    ci_upper: float | None
    n_respondents: int | None
    n_missing: int | None
    status: Status


class ComparisonRow(Part):
    """Two levels compared in one statistic of an outcome, where both rows are published: `level` minus `compared_with`.

    P-values are upper bounds from a ladder (`estimate.families`); `family_size` is the number of tests that `p_adjusted`
    allows for. Where `status` is suppressed or not_asked, every number is None.
    """

    instrument: str
    wave: str
    table: str
    exposure: str
    level: str
    compared_with: str
    outcome: str
    statistic: str
    estimate: float | None
    standard_error: float | None
    ci_lower: float | None
    ci_upper: float | None
    n_respondents: int | None
    n_compared: int | None
    p_value: float | None
    family: str | None
    family_size: int | None
    p_adjusted: float | None
    adjustment: str | None
    status: Status


class TestRow(Part):
    """A test of one outcome over all levels of an exposure that are answers; see `ComparisonRow` for what is common.

    `direction`: "up", "down" or "flat", where the outcome's number goes with more of an ordered exposure.
    """

    __test__ = False
    """Not a test of this program."""

    instrument: str
    wave: str
    table: str
    exposure: str
    outcome: str
    statistic: str
    test_statistic: float | None
    degrees_of_freedom: float | None
    degrees_of_freedom_2: float | None
    p_value: float | None
    direction: str | None
    n_levels: int | None
    n_respondents: int | None
    family: str | None
    family_size: int | None
    p_adjusted: float | None
    adjustment: str | None
    status: Status


class PublishedLevel(Part):
    """A level as published: its label, the labels of what was merged into it, and the instrument's finest codes."""

    code: str
    label: str
    made_of: tuple[str, ...]
    members: tuple[str, ...]
    merged: bool


class StageCount(Part):
    """How many rows were left after a stage, rounded; None where the true count is from 1 to min_n - 1."""

    stage: str
    label: str
    n: int | None
    hidden: bool


class Policy(Part):
    """What may be published: see `schemas/disclosure.toml` for the reasons."""

    name: str = "default"
    min_n: int = 10
    min_n_for_statistics: int = 20
    rounding_base: int = 5
    protection: Literal["mark"] = "mark"


class InstrumentSummary(Part):
    """Which instrument, in which version, the release was made with."""

    name: str
    title: str
    version: str
    fingerprint: str


class Release(Part):
    """All that is published of one wave. Times and table versions are in the warehouse's history, not here: the same
    inputs give the same release at any time.
    """

    format: str = FORMAT
    instrument: InstrumentSummary
    wave: str
    release_number: int
    correction: str | None
    provenance: str
    inputs_sha256: tuple[str, ...]
    policy: Policy
    stages: tuple[StageCount, ...]
    corrections: tuple[StageCount, ...] = ()
    """Answers that the steward corrected before they were counted, where there were any."""
    levels: dict[str, tuple[PublishedLevel, ...]]
    """By exposure, in the order in which they are shown."""
    rows: tuple[Row, ...]
    comparisons: tuple[ComparisonRow, ...] = ()
    tests: tuple[TestRow, ...] = ()

    @property
    def is_invented(self) -> bool:
        return self.provenance == names.INVENTED

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of the tables, in the order in which they were made."""
        return tuple(dict.fromkeys(row.table for row in self.rows))

    def frame(self, table: str | None = None) -> pl.DataFrame:
        """The rows (of one table) as a tidy frame, columns as `names.TIDY_COLUMNS`."""
        chosen = [row.model_dump(mode="json") for row in self.rows if table in (None, row.table)]
        return pl.DataFrame(chosen, schema=TIDY_SCHEMA)

    def comparison_frame(self) -> pl.DataFrame:
        """The comparisons as a frame, columns as `ComparisonRow`."""
        return _framed(ComparisonRow, self.comparisons)

    def test_frame(self) -> pl.DataFrame:
        """The tests as a frame, columns as `TestRow`."""
        return _framed(TestRow, self.tests)


def _framed(model: type[Part], parts: Sequence[Part]) -> pl.DataFrame:
    kinds = {name: field.annotation for name, field in model.model_fields.items()}
    schema = {name: _COLUMN_TYPES.get(str(kind), pl.String) for name, kind in kinds.items()}
    return pl.DataFrame([part.model_dump(mode="json") for part in parts], schema=schema)


_COLUMN_TYPES: dict[str, type[pl.DataType]] = {"float | None": pl.Float64, "int | None": pl.Int64}

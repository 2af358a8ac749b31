"""The release: every published number of a wave, and what is said about where it came from.

What belongs here: the model of `release.json` and reading its rows as frames. What does not: deciding what may be
published (`disclose`) and putting it into words (`render`). Whatever stands in a release is safe to show to anybody.
"""

from collections.abc import Sequence
from typing import Any, Literal

import polars as pl
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from survey_pipeline import names
from survey_pipeline.names import Status

FORMAT = "survey-pipeline release 2"
"""2: the number beside an estimate counts those who are too few to be told apart from its respondents."""

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


class Rules(Part):
    """What may be published, as a policy file says it: see `schemas/disclosure.toml` for the reasons.

    `min_n`, `min_n_for_statistics`, `rounding_base`, `least_difference`: people. `protection`: "mark", or how many values a
    hidden count must at least be able to take. `looser`: why the rules are looser than the default, where they are.
    """

    name: str = "default"
    min_n: int = 10
    min_n_for_statistics: int = Field(default=20, validate_default=True)
    rounding_base: int = 5
    protection: Literal["mark"] | int = Field(default="mark", validate_default=True)
    least_difference: int | None = None
    require_approval: bool = Field(default=False, strict=True)
    looser: str | None = None

    @field_validator("name")
    @classmethod
    def _is_named(cls, name: str) -> str:
        if not name.strip():
            raise ValueError("a policy needs a name; it is printed in every release")
        return name

    @field_validator("min_n", "min_n_for_statistics", "rounding_base", "least_difference", mode="before")
    @classmethod
    def _counts_people(cls, number: Any, about: ValidationInfo) -> Any:
        unsaid = number is None and about.field_name == "least_difference"
        if not unsaid and (type(number) is not int or number < 1):
            raise ValueError("it must be a whole number, 1 or more")
        return number

    @field_validator("min_n_for_statistics")
    @classmethod
    def _is_no_less_than_a_count_needs(cls, number: int, about: ValidationInfo) -> int:
        if number < about.data.get("min_n", 1):
            raise ValueError(f"an average needs at least as many people as a count, and min_n is {about.data['min_n']}")
        return number

    @field_validator("protection", mode="before")
    @classmethod
    def _is_a_mark_or_a_width(cls, protection: Any, about: ValidationInfo) -> Any:
        widest = about.data.get("min_n", 2)
        if protection != "mark" and (type(protection) is not int or not 2 <= protection <= widest):
            raise ValueError(f'it must be "mark", or a whole number from 2 to min_n, which is {widest}')
        return protection


class Policy(Rules):
    """The rules that a release was made under; more is stricter in every number. `based_on`: the preset they came from.
    `tightened`: the rules that the survey's own file made stricter.
    """

    based_on: str | None = None
    tightened: tuple[str, ...] = ()

    @property
    def people_between(self) -> int:
        """Two releases about the same people differ by nobody or by at least so many."""
        return self.min_n if self.least_difference is None else self.least_difference

    @property
    def values_needed(self) -> int:
        """How many values a hidden count must at least be able to take; with the mark, the 1 to min_n - 1 that it says."""
        return self.min_n - 1 if self.protection == "mark" else self.protection

    def protects(self, least: int, most: int) -> bool:
        """Whether a hidden count is protected, where all that is published leaves it any value from `least` to `most`."""
        if self.protection == "mark":
            return least <= 1 and most >= self.min_n - 1
        return most - least + 1 >= self.protection

    @property
    def numbers(self) -> dict[str, int]:
        """The rules of which more is stricter, by key."""
        told = {key: int(getattr(self, key)) for key in ("min_n", "min_n_for_statistics", "rounding_base")}
        return {**told, "least_difference": self.people_between}

    @property
    def loosened(self) -> dict[str, tuple[int, int]]:
        """The rules looser than the default, by key: what they ask for, and what would be usual.

        A width is looser where it is narrower than what the policy's own mark says.
        """
        usual = Policy().numbers
        found = {key: (number, usual[key]) for key, number in self.numbers.items() if number < usual[key]}
        narrow = self.values_needed < self.min_n - 1
        return {**found, **({"protection": (self.values_needed, self.min_n - 1)} if narrow else {})}

    @property
    def fingerprinted(self) -> str:
        """What tells a policy from another. Rules that came later count only where they say something, so that what was
        published before them is still known as made under the same policy.
        """
        unsaid = {key for key in _CAME_LATER if getattr(self, key) == type(self).model_fields[key].default}
        return self.model_dump_json(exclude=unsaid)


_CAME_LATER = ("least_difference", "require_approval", "looser", "based_on", "tightened")


class HiddenCount(Part):
    """A count that is hidden, and what all that is published leaves it: with `least` 1 it may be 1 or fewer, otherwise it is
    known to be at least so many; without `most` it may be min_n - 1, as its mark says, or more, otherwise it is known to be
    at most so many. One that is known to be min_n or more has that as `least`. `counted`:
    people, respondents, events, others, missing, or those between two shown rows ("events but not events of responder_50").
    """

    exposure: str
    level: str
    outcome: str
    statistic: str
    counted: str
    least: int
    most: int | None


class Proof(Part):
    """That no hidden count can be worked out: how it was proved, and the interval that is left to each.

    `unknowns` and `equations`: the size of the system. `together_with`: earlier releases about the same people whose numbers
    are in it, as wave and release number.
    """

    solver: str
    unknowns: int
    equations: int
    together_with: tuple[tuple[str, int], ...] = ()
    hidden_counts: tuple[HiddenCount, ...] = ()


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
    proof: Proof | None = None

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

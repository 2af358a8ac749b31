"""The pipeline finds what is true of invented people: their truths are known, so its estimates can be held against them.

80 communities are invented from 80 seeds. Over them, the 95 per cent interval of the mean change must hold the true mean
change 95 times in 100, for each form with 500 or more people, give or take what chance allows.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl
import pytest

from survey_pipeline import Instrument, estimate, load_instrument, tally
from survey_pipeline.count import columns_needed
from survey_pipeline.exports import read_export
from survey_pipeline.instrument import Role
from survey_pipeline.reading import Reading, silently
from survey_pipeline.sample import SamplePlan, load_plan, true_mean_change, write_sample
from survey_pipeline.sample.plan import Diaries

SEEDS = range(80)
ROWS = 3000
WAVE = "2026-01"
ENOUGH = 500
NOMINAL = 0.95
Found = tuple[str, str, bool]


@pytest.fixture(scope="module")
def magnesium() -> Instrument:
    return load_instrument("magnesium")


@pytest.fixture(scope="module")
def looked_at(magnesium: Instrument) -> Instrument:
    """The survey with the one table that is looked at, its questions, and averages alone: the rest of what people answered
    would be read and worked out for nothing.
    """
    (by_form,) = (table for table in magnesium.tables if table.name == "form_by_outcome")
    names = {by_form.exposure, *by_form.outcomes, *(f"{outcome}_baseline" for outcome in by_form.outcomes)}
    plain = {"retest": None, "responder_curve": (), "thresholds": (), "limits": ()}
    kept = {Role.CONSENT, Role.IDENTIFIER}
    items = {
        name: item.model_copy(update=plain)
        for name, item in magnesium.items.items()
        if name in names or item.role in kept
    }
    parts = {name: getattr(magnesium, name) for name in Instrument.model_fields}
    return Instrument.model_construct(**parts | {"tables": (by_form,), "who_answered": (), "items": items})


@pytest.fixture(scope="module")
def plan() -> SamplePlan:
    return load_plan("magnesium").model_copy(update={"diaries": Diaries()})


def estimates_of(export: Path, instrument: Instrument) -> pl.DataFrame:
    kept = pl.concat(Reading([read_export(export)], instrument, silently).kept({}))
    return estimate(tally(kept.select(columns_needed(instrument)), instrument), instrument)


@dataclass
class Community:
    """How people are invented, what is looked at of their answers, and the truths of each form and outcome found so far."""

    whole: Instrument
    looked_at: Instrument
    plan: SamplePlan
    folder: Path
    truths: dict[tuple[str, str], float] = field(default_factory=dict)

    def truth(self, level: str, outcome: str) -> float:
        if (level, outcome) not in self.truths:
            found = true_mean_change(self.whole, self.plan, WAVE, level, outcome, self.whole.form)
            self.truths[level, outcome] = found
        return self.truths[level, outcome]

    def intervals(self, seed: int) -> Iterator[Found]:
        """For each form and outcome of one community: whether the truth lies in the interval."""
        export = self.folder / "made.csv"
        write_sample(self.whole, self.plan, WAVE, ROWS, seed, export)
        rows = estimates_of(export, self.looked_at).filter(
            (pl.col("table") == "form_by_outcome") & (pl.col("statistic") == "mean_change") & (pl.col("level") != "all")
        )
        for row in rows.filter(pl.col("n_respondents") >= ENOUGH).iter_rows(named=True):
            truth = self.truth(row["level"], row["outcome"])
            yield row["level"], row["outcome"], row["ci_lower"] <= truth <= row["ci_upper"]


@pytest.fixture(scope="module")
def community(
    tmp_path_factory: pytest.TempPathFactory, magnesium: Instrument, looked_at: Instrument, plan: SamplePlan
) -> Community:
    return Community(magnesium, looked_at, plan, tmp_path_factory.mktemp("truths"))


@pytest.fixture(scope="module")
def found(community: Community) -> pl.DataFrame:
    rows = [row for seed in SEEDS for row in community.intervals(seed)]
    return pl.DataFrame(rows, schema=["level", "outcome", "held"], orient="row")


@pytest.mark.slow
def test_true_mean_changes_lie_in_their_intervals_at_the_nominal_rate(found: pl.DataFrame) -> None:
    # Outcomes of one person hang together, so each form and outcome is judged by itself: 80 draws have a standard error
    # of 2.4 points, and 16 such lines stay within 3.3 of them unless something is wrong.
    lines = found.group_by("level", "outcome").agg(n=pl.len(), rate=pl.col("held").mean()).filter(pl.col("n") >= 60)
    assert lines.height >= 16
    margin = 3.3 * (NOMINAL * (1 - NOMINAL) / lines["n"]).sqrt()
    assert lines.filter((pl.col("rate") - NOMINAL).abs() > margin).is_empty(), lines.sort("rate")


@pytest.mark.slow
def test_over_everything_the_rate_is_the_nominal_one(found: pl.DataFrame) -> None:
    rate = found["held"].mean()
    assert isinstance(rate, float)
    assert abs(rate - NOMINAL) < 0.015, rate


@pytest.mark.slow
def test_the_test_would_notice_a_bias(found: pl.DataFrame, community: Community) -> None:
    """Truths that are off by a quarter of a point are found out with a few communities only."""
    pairs = found.select("level", "outcome").unique().iter_rows()
    shifted = replace(
        community, truths={(level, outcome): community.truth(level, outcome) + 0.25 for level, outcome in pairs}
    )
    held = [row[2] for seed in range(5) for row in shifted.intervals(seed)]
    assert sum(held) / len(held) < 0.8

"""The pipeline finds what is true of invented people: their truths are known, so its estimates can be held against them.

80 communities are invented from 80 seeds. Over them, the 95 per cent interval of the mean change must hold the true mean
change 95 times in 100, for each form with 500 or more people, give or take what chance allows.
"""

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from survey_pipeline import Instrument, estimate, load_instrument, tally
from survey_pipeline.count import columns_needed
from survey_pipeline.exports import read_export
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
    """The survey with the one table that is looked at, without bands and curves: the rest would be made for nothing."""
    whole = load_instrument("magnesium")
    (by_form,) = (table for table in whole.tables if table.name == "form_by_outcome")
    plain = {"retest": None, "responder_curve": (), "limits": ()}
    items = {name: item.model_copy(update=plain) for name, item in whole.items.items()}
    return whole.model_copy(update={"tables": (by_form,), "who_answered": (), "items": items})


@pytest.fixture(scope="module")
def plan() -> SamplePlan:
    return load_plan("magnesium").model_copy(update={"diaries": Diaries()})


def estimates_of(export: Path, instrument: Instrument) -> pl.DataFrame:
    kept = pl.concat(Reading([read_export(export)], instrument, silently).kept({}))
    return estimate(tally(kept.select(columns_needed(instrument)), instrument), instrument)


def intervals(
    seed: int, folder: Path, instrument: Instrument, plan: SamplePlan, truths: dict[tuple[str, str], float]
) -> Iterator[Found]:
    """For each form and outcome of one community: whether the truth lies in the interval."""
    export = folder / "made.csv"
    write_sample(instrument, plan, WAVE, ROWS, seed, export)
    rows = estimates_of(export, instrument).filter(
        (pl.col("table") == "form_by_outcome") & (pl.col("statistic") == "mean_change") & (pl.col("level") != "all")
    )
    for row in rows.filter(pl.col("n_respondents") >= ENOUGH).iter_rows(named=True):
        level, outcome = row["level"], row["outcome"]
        if (level, outcome) not in truths:
            truths[level, outcome] = true_mean_change(instrument, plan, WAVE, level, outcome, instrument.form)
        yield level, outcome, row["ci_lower"] <= truths[level, outcome] <= row["ci_upper"]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory, magnesium: Instrument, plan: SamplePlan) -> pl.DataFrame:
    folder, truths = tmp_path_factory.mktemp("truths"), dict[tuple[str, str], float]()
    rows = [row for seed in SEEDS for row in intervals(seed, folder, magnesium, plan, truths)]
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
def test_the_test_would_notice_a_bias(
    found: pl.DataFrame, tmp_path: Path, magnesium: Instrument, plan: SamplePlan
) -> None:
    """Truths that are off by a quarter of a point are found out with a few communities only."""
    shifted: dict[tuple[str, str], float] = {}
    for level, outcome in found.select("level", "outcome").unique().iter_rows():
        shifted[level, outcome] = true_mean_change(magnesium, plan, WAVE, level, outcome, magnesium.form) + 0.25
    held = [row[2] for seed in range(5) for row in intervals(seed, tmp_path, magnesium, plan, shifted)]
    assert sum(held) / len(held) < 0.8

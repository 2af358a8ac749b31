"""Weights: they fit the margins, stay within bounds, and are the same in whatever order the answers come."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from agreement.reference import ARE_AT_HAND, figures, rows
from agreement.survey import cut_in_equal_parts, entries, schools, weights_of
from builders import community, item, people, survey
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal, assert_series_equal

from survey_pipeline import design, weighting
from survey_pipeline.count import tally
from survey_pipeline.errors import InputRefused
from survey_pipeline.estimate import estimate
from survey_pipeline.instrument import Instrument, Item, Role, Weighting
from survey_pipeline.names import WEIGHT

SEX = {"item": "sex", "shares": {"female": 0.5, "male": 0.5}, "source": "Census"}
STOPPED = {"item": "stopped", "shares": {"yes": 0.3, "no": 0.7}, "source": "Register"}
NUMBER = {"required": True, "minimum": 0.001}


def weighted(instrument: Instrument | None = None, **weights: Any) -> Instrument:
    """The test survey (or another) with weights."""
    return (instrument or survey()).model_copy(update={"weighting": Weighting(why="To test.", **weights)})


def with_weight_item(name: str = "census_weight", **more: Any) -> Instrument:
    """The test survey with an item that holds the weight."""
    plain = survey(**{name: item("Weight", "number", "detail", **NUMBER)})
    items = plain.items | {name: plain.items[name].model_copy(update={"role": Role.WEIGHT})}
    return weighted(plain.model_copy(update={"items": items}), **more)


def cells(responses: pl.DataFrame, instrument: Instrument) -> pl.DataFrame:
    return weighting.cell_weights(weighting.count_cells([responses], instrument), instrument)


def shares(fit: pl.DataFrame) -> dict[tuple[str, str], float]:
    return {(name, answer): share for name, answer, share in fit.select("item", "answer", "share_weighted").iter_rows()}


# --- Margins ---------------------------------------------------------------------------------------------------------------


def test_post_stratification_gives_each_group_its_share_of_the_weight() -> None:
    instrument = weighted(margins=[SEX], method="post_stratify")
    responses = people(instrument, (6, {"sex": "female"}), (2, {"sex": "male"}))
    assert weighting.weights(responses, instrument).to_list() == pytest.approx([4 / 6] * 6 + [2.0] * 2, rel=1e-12)


def test_raking_of_one_margin_is_post_stratification() -> None:
    responses = community(300, 3)
    one, other = (weighting.weights(responses, weighted(margins=[SEX], method=m)) for m in ("rake", "post_stratify"))
    assert_series_equal(one, other, abs_tol=1e-12)


@given(seed=st.integers(0, 50), female=st.floats(0.05, 0.95), stopped=st.floats(0.05, 0.95))
def test_weights_fit_every_margin(seed: int, female: float, stopped: float) -> None:
    margins = [
        SEX | {"shares": {"female": female, "male": 1 - female}},
        STOPPED | {"shares": {"yes": stopped, "no": 1 - stopped}},
    ]
    instrument = weighted(margins=margins)
    found = cells(community(400, seed, missing=0.0), instrument)
    fit = shares(weighting.margin_fit(found, instrument))
    rest = 1 - fit["sex", "other"] if ("sex", "other") in fit else 1.0
    assert fit["sex", "female"] == pytest.approx(female * rest, rel=1e-9)
    assert fit["stopped", "yes"] == pytest.approx(stopped, rel=1e-9)
    assert (found[WEIGHT] * found["n_respondents"]).sum() == pytest.approx(400, rel=1e-12)
    assert found[WEIGHT].min() > 0  # type: ignore[operator]


def test_whoever_the_margin_says_nothing_of_keeps_their_share_of_the_sample() -> None:
    instrument = weighted(margins=[SEX])
    groups = [(4, "female"), (2, "male"), (3, "other"), (1, None)]
    responses = people(instrument, *((n, {"sex": sex}) for n, sex in groups))
    fit = weighting.margin_fit(cells(responses, instrument), instrument)
    assert shares(fit) == pytest.approx(
        {("sex", "female"): 0.3, ("sex", "male"): 0.3, ("sex", "other"): 0.3, ("sex", "not_stated"): 0.1}
    )
    declared = dict(fit.select("answer", "declared_share").iter_rows())
    assert declared == {"female": 0.5, "male": 0.5, "other": None, "not_stated": None}


def test_a_margin_may_be_of_the_bands_of_a_number() -> None:
    dose = {"item": "dose", "shares": {"low": 0.2, "middle": 0.3, "high": 0.5}, "source": "Register"}
    instrument = weighted(margins=[dose])
    by_mouth = [(5, {"by_mouth": "oral", "dose": mg}) for mg in (100.0, 200.0, 400.0, 500.0)]
    responses = people(instrument, *by_mouth, (20, {"by_mouth": "skin"}))
    fit = shares(weighting.margin_fit(cells(responses, instrument), instrument))
    expected = {"low": 0.1, "middle": 0.15, "high": 0.25, "not_applicable": 0.5}
    assert fit == pytest.approx({("dose", answer): share for answer, share in expected.items()})
    assert weighting.columns_needed(instrument) == ["dose", "by_mouth"]


def test_shares_that_add_up_to_nearly_one_are_scaled() -> None:
    instrument = weighted(margins=[SEX | {"shares": {"female": 0.5, "male": 0.4995}}])
    responses = people(instrument, (3, {"sex": "female"}), (3, {"sex": "male"}))
    assert weighting.weights(responses, instrument).mean() == pytest.approx(1, rel=1e-12)


def test_a_group_that_nobody_is_in_is_refused() -> None:
    instrument = weighted(margins=[SEX])
    responses = people(instrument, (6, {"sex": "female"}), (2, {"sex": None}))
    with pytest.raises(InputRefused, match=r"a share for 'Male', but nobody gave that answer.*Merge") as refused:
        weighting.weights(responses, instrument)
    assert not any(digit in str(refused.value) for digit in "0123456789")


def test_margins_that_cannot_be_met_together_are_refused() -> None:
    instrument = weighted(margins=[SEX, STOPPED])
    responses = people(instrument, (6, {"sex": "female", "stopped": True}), (4, {"sex": "male", "stopped": False}))
    with pytest.raises(InputRefused, match="No weights fit all margins at once"):
        weighting.weights(responses, instrument)


def test_margins_can_be_met_once_a_combination_was_given() -> None:
    instrument = weighted(margins=[SEX, STOPPED])
    groups = [(6, "female", True), (4, "male", False), (1, "female", False)]
    responses = people(instrument, *((n, {"sex": sex, "stopped": stopped}) for n, sex, stopped in groups))
    fit = shares(weighting.margin_fit(cells(responses, instrument), instrument))
    assert fit["stopped", "yes"] == pytest.approx(0.3, rel=1e-9)


def test_an_item_that_is_not_asked_in_the_wave_is_refused() -> None:
    later = survey(stopped=item("Stopped", "yes_no", "safety", since="2027"))
    instrument = weighted(later, margins=[STOPPED])
    assert weighting.margin_items(instrument.in_wave("2027")) == ("stopped",)
    with pytest.raises(InputRefused, match="'stopped', which is not asked in this wave"):
        weighting.margin_items(instrument.in_wave("2026"))


# --- Order and batches -----------------------------------------------------------------------------------------------------


@given(seed=st.integers(0, 20), cut=st.integers(1, 299))
def test_weights_do_not_depend_on_the_order_of_rows_or_batches(seed: int, cut: int) -> None:
    instrument = weighted(margins=[SEX, STOPPED], trim=(0.5, 1.6))
    responses = community(300, 5)
    other = responses.sample(fraction=1, shuffle=True, seed=seed)
    batches = [other[:cut], other[cut:]]
    again = weighting.cell_weights(weighting.count_cells(batches, instrument), instrument)
    assert again.equals(cells(responses, instrument))
    attached = weighting.attach(batches[0], again, instrument)
    assert attached.drop(WEIGHT).equals(batches[0])
    assert attached[WEIGHT].equals(weighting.weights(other, instrument)[:cut])


def test_a_wave_without_answers_has_no_weights() -> None:
    instrument = weighted(margins=[SEX])
    assert weighting.weights(community(10, 1).clear(), instrument).to_list() == []


# --- Trimming --------------------------------------------------------------------------------------------------------------


@given(seed=st.integers(0, 30), lower=st.floats(0, 0.9), upper=st.floats(1.1, 5))
def test_trimmed_weights_are_within_bounds_and_one_on_average(seed: int, lower: float, upper: float) -> None:
    instrument = weighted(margins=[SEX, STOPPED], trim=(lower, upper))
    found = weighting.weights(community(300, seed), instrument)
    assert found.min() >= lower - 1e-9  # type: ignore[operator]
    assert found.max() <= upper + 1e-9  # type: ignore[operator]
    assert found.mean() == pytest.approx(1, rel=1e-9)


def test_trimming_cells_is_trimming_people() -> None:
    import svy

    responses, bounds = community(500, 8), (0.6, 1.8)
    untrimmed = weighting.weights(responses, weighted(margins=[SEX, STOPPED]))
    sample = svy.Sample(pl.DataFrame({"w": untrimmed}), svy.Design(wgt="w"))
    people_trimmed = (
        sample.weighting.trim(lower=bounds[0], upper=bounds[1], min_cell_size=1, max_iter=1000, tol=1e-12)
        .data.lazy()
        .collect()["trim_wgt"]
    )
    found = weighting.weights(responses, weighted(margins=[SEX, STOPPED], trim=bounds))
    assert untrimmed.max() > bounds[1]  # type: ignore[operator]
    assert_series_equal(found, people_trimmed, check_names=False, rel_tol=1e-12)


def test_weights_within_bounds_are_not_trimmed() -> None:
    responses = community(300, 8)
    free, bound = (weighting.weights(responses, weighted(margins=[SEX], trim=trim)) for trim in (None, (0.0, 100.0)))
    assert free.equals(bound)


# --- Weights that come with the answers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["census_weight", "weight"])
def test_weights_that_come_with_answers_are_scaled_to_one_on_average(name: str) -> None:
    instrument = with_weight_item(name)
    responses = people(instrument, (1, {name: 10.0}), (2, {name: 20.0}), (1, {name: 30.0}))
    assert weighting.columns_needed(instrument) == [name]
    assert weighting.weights(responses, instrument).to_list() == pytest.approx([0.5, 1.0, 1.0, 1.5])


@pytest.mark.parametrize("weight", [None, 0.0, -1.0, float("inf"), float("nan")])
def test_a_weight_that_cannot_be_used_is_refused(weight: float | None) -> None:
    instrument = with_weight_item()
    responses = people(instrument, (3, {"census_weight": 10.0}), (1, {"census_weight": weight}))
    with pytest.raises(InputRefused, match=r"missing, infinite or not above 0.*required = true"):
        weighting.weights(responses, instrument)


def test_without_weights_everybody_weighs_one() -> None:
    plain = survey()
    assert weighting.weights(community(5, 1), plain).to_list() == [1.0] * 5
    assert weighting.margin_items(plain) == ()
    assert weighting.columns_needed(plain) == []


# --- What weights are for --------------------------------------------------------------------------------------------------


@given(seed=st.integers(0, 10))
def test_estimates_from_sums_of_weights_are_those_of_the_rows(seed: int) -> None:
    import svy

    instrument = weighted(margins=[SEX, STOPPED])
    responses = community(400, seed)
    batch = weighting.attach(responses, cells(responses, instrument), instrument)
    found = estimate(tally(batch, instrument), instrument)
    sample = svy.Sample(batch.with_columns(value=pl.col("pain"), level=pl.col("form")), svy.Design(wgt=WEIGHT))
    _same(found, design.mean(sample, None), "all", "mean")
    _same(found, design.quantile(sample, None), "all", "median", numbers=("est",))
    by_form = design.mean(sample, "form")
    _same(found, by_form.filter(pl.col("form") == "citrate"), "Citrate", "mean", numbers=("est", "se"))


def _same(
    found: pl.DataFrame,
    theirs: pl.DataFrame,
    level: str,
    statistic: str,
    numbers: tuple[str, ...] = ("est", "se", "lci", "uci"),
) -> None:
    names = {"est": "estimate", "se": "standard_error", "lci": "ci_lower", "uci": "ci_upper"}
    about = (pl.col("table") == "form_by_outcome") & (pl.col("outcome") == "pain")
    ours = found.filter(about, pl.col("level") == level, pl.col("statistic") == statistic)
    expected = [theirs[number][0] for number in numbers]
    assert ours.select(names[number] for number in numbers).row(0) == pytest.approx(expected, rel=1e-9)


def test_everybody_alike_gives_the_estimates_without_weights_back() -> None:
    plain = survey()
    responses = community(200, 4, missing=0.0)  # who did not answer is a part of the weighted sample all the same
    alike = responses.with_columns(pl.lit(7.0).alias("census_weight"))
    instrument = with_weight_item()
    batch = weighting.attach(alike, cells(alike, instrument), instrument)
    assert batch[WEIGHT].unique().to_list() == [1.0]
    means = pl.col("statistic") == "mean"
    numbers = ["table", "level", "outcome", "estimate", "standard_error", "ci_lower", "ci_upper", "n_respondents"]
    everybody = (pl.col("level") == "all") & means & (pl.col("table") != "item_nonresponse")
    one = estimate(tally(batch, instrument), instrument).filter(everybody).select(numbers)
    other = estimate(tally(responses, plain), plain).filter(everybody).select(numbers)
    assert_frame_equal(one, other, rel_tol=1e-9)


# --- Beside R --------------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not ARE_AT_HAND, reason="the reference figures are not at hand")
def test_figures_agree_with_those_of_r() -> None:
    found = list(entries())
    assert len(found) > 1000
    assert [entry for entry in found if not entry.agrees] == []


@pytest.mark.skipif(not ARE_AT_HAND, reason="the reference figures are not at hand")
def test_trimmed_weights_differ_from_those_of_r_only_in_how_the_rest_is_shared_out() -> None:
    case = figures("survey_reference")["weighting_apiclus1"]
    before = np.array(case["calibrate_linear_stype_api99"]["weights"])
    theirs = case["trimWeights_linear_20_50_strict"]["weights"]
    assert cut_in_equal_parts(before, 20, 50).tolist() == pytest.approx(theirs, rel=1e-10)


@pytest.mark.skipif(not ARE_AT_HAND, reason="the reference figures are not at hand")
def test_raked_weights_do_not_stop_early() -> None:
    """R's default stops at margins that are wrong by up to one school; ours are further from it than from the exact ones."""
    case = figures("survey_reference")["weighting_apiclus1"]
    ours = weights_of("apiclus1", schools("rake", "stype", "sch.wide"))[WEIGHT].to_numpy()
    assert len(ours) == rows("apiclus1").height
    apart = {
        key: np.abs(ours - case[key]["weights"]).max() for key in ("rake_default_eps1", "rake_stype_schwide_eps1e12")
    }
    assert apart["rake_stype_schwide_eps1e12"] < 1e-9 < apart["rake_default_eps1"]


def test_the_weighting_library_is_loaded_only_where_there_are_weights() -> None:
    code = "import sys, survey_pipeline.weighting, survey_pipeline.design; sys.exit('svy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


def test_what_the_page_says_can_be_declared() -> None:
    page = (Path(__file__).parents[1] / "docs/weights.md").read_text(encoding="utf-8")
    blocks = [tomllib.loads(block) for block in re.findall(r"```toml\n(.*?)```", page, flags=re.DOTALL)]
    margins, given_weight, picked = blocks
    assert [m.item for m in Weighting.model_validate(margins["weighting"]).margins] == ["sex", "age_group"]
    assert Item.model_validate(given_weight["items"]["sampling_weight"]).role is Role.WEIGHT
    assert Weighting.model_validate(picked["weighting"]).clusters == "clinic"

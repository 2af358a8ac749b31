"""Designs: strata and clusters widen or narrow what is known, and the estimates stay what they are."""

from typing import Any

import numpy as np
import polars as pl
import pytest
from agreement.reference import ARE_AT_HAND, figures, rows
from builders import community, item, options, people, survey
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from survey_pipeline import design
from survey_pipeline.count import tally
from survey_pipeline.estimate import estimate
from survey_pipeline.instrument import LEFT_OUT, Instrument, Weighting
from survey_pipeline.names import EVERYBODY, option_column
from survey_pipeline.statistics import Z
from survey_pipeline.weighting import attach, cell_weights, count_cells

CLINICS = tuple(f"clinic_{i}" for i in range(6))
INTERVAL = ["standard_error", "ci_lower", "ci_upper"]


def designed(**weights: Any) -> Instrument:
    """The test survey, whose people were picked by region and clinic."""
    places = {
        "region": item("Region", "choice", "stratum", options=options("north", "south")),
        "clinic": item("Clinic", "choice", "stratum", options=options(*CLINICS)),
        "household": item("Household", "number", "stratum"),
    }
    return survey(**places).model_copy(update={"weighting": Weighting(why="To test.", **weights)})


def answers(n: int, seed: int, missing: float = 0.04) -> pl.DataFrame:
    """Answers of people of three clinics in each of two regions, who answer alike within a clinic."""
    rng = np.random.default_rng(seed)
    clinic = rng.integers(0, 6, n)
    plain = community(n, seed, missing)
    moved = (pl.col("pain") + pl.Series((clinic % 3).astype(float))).clip(0, 10)
    return plain.with_columns(
        moved.alias("pain"),
        pl.Series("region", np.where(clinic < 3, "north", "south")),
        pl.Series("clinic", [CLINICS[i] for i in clinic]),
        pl.Series("household", np.arange(n).astype(float)),
    )


def row(found: pl.DataFrame, level: str, outcome: str, statistic: str, exposure: str = "form") -> dict[str, Any]:
    about = {"exposure": exposure, "level": level, "outcome": outcome, "statistic": statistic}
    return found.filter(*(pl.col(name) == word for name, word in about.items())).row(0, named=True)


def exact(responses: pl.DataFrame, instrument: Instrument) -> pl.DataFrame:
    return estimate(tally(responses, instrument), instrument)


def with_design(responses: pl.DataFrame, instrument: Instrument) -> pl.DataFrame:
    return design.with_design(exact(responses, instrument), responses, instrument)


def linearised(value: np.ndarray, stratum: np.ndarray, cluster: np.ndarray) -> float:
    """The standard error of the mean of the values that are there, by hand (Särndal, Swensson and Wretman 1992, 5.7)."""
    there = ~np.isnan(value)
    influence = np.where(there, (np.nan_to_num(value) - value[there].mean()) / there.sum(), 0.0)
    variance = 0.0
    for one in np.unique(stratum):
        totals = [influence[(stratum == one) & (cluster == c)].sum() for c in np.unique(cluster[stratum == one])]
        variance += len(totals) * float(np.var(totals, ddof=1))
    return float(np.sqrt(variance))


# --- The whole design ------------------------------------------------------------------------------------------------------


@given(seed=st.integers(0, 15))
@settings(max_examples=8)
def test_standard_errors_are_those_of_the_linearised_mean(seed: int) -> None:
    instrument, responses = designed(strata="region", clusters="clinic"), answers(300, seed)
    found = with_design(responses, instrument)
    stratum, cluster = (responses[name].to_numpy() for name in ("region", "clinic"))
    pain = responses["pain"].cast(pl.Float64).to_numpy()
    assert row(found, "all", "pain", "mean")["standard_error"] == pytest.approx(
        linearised(pain, stratum, cluster), rel=1e-9
    )
    citrate = np.where(responses["form"].fill_null("").to_numpy() == "citrate", pain, np.nan)
    assert row(found, "Citrate", "pain", "mean")["standard_error"] == pytest.approx(
        linearised(citrate, stratum, cluster), rel=1e-9
    )
    change = pain - responses["pain_before"].to_numpy()
    assert row(found, "all", "pain", "mean_change")["standard_error"] == pytest.approx(
        linearised(change, stratum, cluster), rel=1e-9
    )
    stopped = responses["stopped"].cast(pl.Float64).to_numpy()
    assert row(found, "all", "stopped", "share")["standard_error"] == pytest.approx(
        linearised(stopped, stratum, cluster), rel=1e-9
    )


def test_only_uncertainty_changes() -> None:
    instrument, responses = designed(strata="region", clusters="clinic"), answers(300, 1)
    before, after = exact(responses, instrument), with_design(responses, instrument)
    told = [*INTERVAL, "by_design", "n_effective"]
    assert_frame_equal(after.drop(told), before.drop(told))
    assert set(after.filter(pl.col("statistic") == "mean_change")["by_design"]) == {True}
    assert set(after.filter(pl.col("statistic").str.ends_with("_anyway"))["by_design"]) <= {False}
    assert after.columns == before.columns


def test_a_survey_without_design_is_left_as_it_is() -> None:
    responses = answers(50, 1)
    plain = exact(responses, designed(margins=[]))
    assert design.with_design(plain, responses, designed(margins=[])) is plain
    assert not design.has_design(survey())


def test_people_who_were_picked_alone_have_the_interval_of_the_mean() -> None:
    """With a cluster a person, the linearised error is the classical one."""
    instrument, responses = designed(clusters="household"), answers(200, 2, missing=0.0)
    before, after = exact(responses, instrument), with_design(responses, instrument)
    for statistic in ("mean", "mean_baseline", "mean_change"):
        ours, classical = (row(frame, "all", "pain", statistic) for frame in (after, before))
        assert [ours[name] for name in INTERVAL] == pytest.approx([classical[name] for name in INTERVAL], rel=1e-9)


def test_people_of_unknown_cluster_are_picked_alone() -> None:
    instrument, responses = designed(clusters="clinic"), answers(200, 2)
    nowhere = responses.with_columns(pl.lit(None, dtype=pl.String).alias("clinic"))
    alone = with_design(responses, designed(clusters="household"))
    found = with_design(nowhere, instrument)
    measured = pl.col("table") == "form_by_outcome"
    assert_frame_equal(found.filter(measured).select(INTERVAL), alone.filter(measured).select(INTERVAL), rel_tol=1e-9)


def test_the_same_answers_twice_from_a_household_tell_nothing_more() -> None:
    instrument, responses = designed(clusters="household"), answers(200, 3)
    once, twice = (with_design(part, instrument) for part in (responses, pl.concat([responses, responses])))
    for name in ("standard_error", "ci_lower", "ci_upper"):
        assert row(twice, "all", "pain", "mean")[name] == pytest.approx(
            row(once, "all", "pain", "mean")[name], rel=1e-9
        )


@given(seed=st.integers(0, 5))
@settings(max_examples=3)
def test_the_order_of_rows_does_not_matter(seed: int) -> None:
    instrument, responses = designed(strata="region", clusters="clinic"), answers(150, 4)
    other = responses.sample(fraction=1, shuffle=True, seed=seed)
    one, two = (with_design(part, instrument).select(INTERVAL) for part in (responses, other))
    assert_frame_equal(one, two, rel_tol=1e-9, abs_tol=1e-12)


def test_an_item_may_be_called_like_a_part_of_the_design() -> None:
    named = survey(stratum=item("Region", "choice", "stratum", options=options("north", "south")))
    instrument = named.model_copy(update={"weighting": Weighting(why="To test.", strata="stratum")})
    responses = answers(100, 6).drop("clinic", "household").rename({"region": "stratum"})
    some = responses.with_columns(pl.when(pl.int_range(pl.len()) % 10 > 0).then("stratum").alias("stratum"))
    found = row(with_design(some, instrument), "all", option_column("stratum", LEFT_OUT), "share", exposure=EVERYBODY)
    assert found["estimate"] == pytest.approx(0.1)
    assert [found[name] for name in INTERVAL] == pytest.approx([0.0, 0.1, 0.1], abs=1e-12)  # it is what the strata are


# --- Strata with one cluster -----------------------------------------------------------------------------------------------


def test_a_stratum_with_one_cluster_widens_rather_than_narrows() -> None:
    instrument, responses = designed(strata="region", clusters="clinic"), answers(300, 5)
    lonely = responses.with_columns(
        pl.when(pl.col("region") == "south").then(pl.lit(CLINICS[5])).otherwise("clinic").alias("clinic")
    )
    found = row(with_design(lonely, instrument), "all", "pain", "mean")
    pain = lonely["pain"].cast(pl.Float64).to_numpy()
    there = ~np.isnan(pain)
    influence = np.where(there, (np.nan_to_num(pain) - pain[there].mean()) / there.sum(), 0.0)
    clinics = lonely["clinic"].to_numpy()
    north = [influence[clinics == clinic].sum() for clinic in CLINICS[:3]]
    south = influence[clinics == CLINICS[5]].sum()
    left_out = 3 * float(np.var(north, ddof=1))
    assert found["standard_error"] > np.sqrt(left_out)
    assert found["standard_error"] ** 2 == pytest.approx(left_out + south**2, rel=1e-9)


def test_nothing_is_known_where_every_stratum_has_one_cluster() -> None:
    instrument, responses = designed(strata="region", clusters="clinic"), answers(100, 5)
    one_each = responses.with_columns(
        pl.col("region").replace({"north": CLINICS[0], "south": CLINICS[3]}).alias("clinic")
    )
    found = row(with_design(one_each, instrument), "all", "pain", "mean")
    assert [found[name] for name in INTERVAL] == [None] * 3
    assert found["estimate"] is not None


def test_nothing_is_known_where_everybody_is_in_one_cluster() -> None:
    instrument, responses = designed(clusters="clinic"), answers(100, 5)
    found = row(
        with_design(responses.with_columns(pl.lit(CLINICS[0]).alias("clinic")), instrument), "all", "pain", "mean"
    )
    assert [found[name] for name in INTERVAL] == [None] * 3


# --- Each kind of statistic ------------------------------------------------------------------------------------------------


@given(seed=st.integers(0, 10))
@settings(max_examples=5)
def test_intervals_hold_their_estimate(seed: int) -> None:
    instrument = designed(strata="region", clusters="clinic")
    found = with_design(answers(200, seed), instrument).filter(pl.col("ci_lower").is_not_null())
    tolerance = 1e-9
    outside = (pl.col("estimate") < pl.col("ci_lower") - tolerance) | (
        pl.col("estimate") > pl.col("ci_upper") + tolerance
    )
    assert found.filter(outside, pl.col("statistic") != "standardised_change").is_empty()
    shares = found.filter(pl.col("n_events").is_not_null(), pl.col("statistic") == "share")
    assert shares.filter((pl.col("ci_lower") < 0) | (pl.col("ci_upper") > 1)).is_empty()


def test_where_nobody_counts_the_interval_starts_at_nobody() -> None:
    instrument = designed(clusters="household")
    responses = people(
        instrument, *((1, {"form": "citrate", "stopped": False, "household": float(i)}) for i in range(30))
    )
    found = row(with_design(responses, instrument), "all", "stopped", "share")
    assert (found["estimate"], found["ci_lower"]) == (0.0, 0.0)
    assert found["ci_upper"] == pytest.approx(1 - 0.025 ** (1 / 30), rel=1e-9)


def test_medians_have_an_interval_and_no_standard_error() -> None:
    found = with_design(answers(300, 7), designed(strata="region", clusters="clinic"))
    for statistic in ("median", "median_change"):
        one = row(found, "all", "pain", statistic)
        assert one["standard_error"] is None
        assert one["ci_lower"] <= one["estimate"] <= one["ci_upper"]


def test_who_answered_has_the_interval_of_the_design() -> None:
    instrument, responses = designed(clusters="clinic"), answers(300, 7)
    found = row(with_design(responses, instrument), "Female", "respondents", "share", exposure="sex")
    female = (responses["sex"].fill_null("") == "female").cast(pl.Float64).to_numpy()
    expected = linearised(female, np.zeros(300), responses["clinic"].to_numpy())
    assert found["standard_error"] == pytest.approx(expected, rel=1e-9)


def test_clusters_that_differ_make_the_mean_less_certain() -> None:
    instrument, responses = designed(clusters="clinic"), answers(600, 8)
    simple, clustered = (row(f(responses, instrument), "all", "pain", "mean") for f in (exact, with_design))
    assert clustered["standard_error"] > simple["standard_error"]
    reach = clustered["ci_upper"] - clustered["estimate"]
    assert reach > Z * clustered["standard_error"]  # few clusters: Student's t with 5 degrees of freedom


# --- Beside R --------------------------------------------------------------------------------------------------------------


def schools(design_of: str, name: str) -> tuple[Instrument, pl.DataFrame]:
    """The reference's schools as a survey: scores as scales, the weight and what they were picked by as items."""
    score = {"minimum": 0, "maximum": 1000}
    above = {"name": "above_700", "label": "Above 700", "source": "R", "at_least": 701}
    items = {
        "stype": item("Type", "choice", "exposure", options=options("e", "h", "m")),
        "api00": item("Score", "scale", "outcome", better="higher", thresholds=[above], **score),
        "api99": item("Score before", "scale", "outcome", better="higher", **score),
        "pw": item("Weight", "number", "weight", required=True, minimum=0.001),
        "dnum": item("District", "number", "stratum"),
    }
    words = dict.fromkeys(("title", "version", "community", "about"), "Schools")
    tables = [{"name": "types", "title": "Types", "exposure": "stype", "outcomes": ["api00", "api99"]}]
    given_too = {"form": "stype", "dose": "stype", "tables": tables, "weighting": {"why": "R", **{design_of: name}}}
    instrument = Instrument.model_validate({"name": "schools", **words, "items": items, **given_too})
    file = "apistrat" if design_of == "strata" else "apiclus1"
    frame = rows(file).with_columns(
        pl.col("stype").str.to_lowercase(), pl.col("api00", "api99", "dnum").cast(pl.Float64)
    )
    cells = cell_weights(count_cells([frame], instrument), instrument)
    return instrument, attach(frame, cells, instrument)


@pytest.mark.skipif(not ARE_AT_HAND, reason="the reference figures are not at hand")
@pytest.mark.parametrize(
    ("design_of", "name", "case"), [("strata", "stype", "apistrat_nofpc"), ("clusters", "dnum", "apiclus1_nofpc")]
)
def test_a_survey_has_the_figures_of_r(design_of: str, name: str, case: str) -> None:
    instrument, responses = schools(design_of, name)
    found, theirs = with_design(responses, instrument), figures("survey_reference")[case]
    mean = theirs["svymean_api00_api99"]
    expected = [mean["est"][0], mean["se"][0], mean["ci_t_degf"]["lo"][0], mean["ci_t_degf"]["hi"][0]]
    assert _numbers(found, "all", "api00", "mean") == pytest.approx(expected, rel=1e-10)
    for i, level in enumerate(theirs["svyby_api99_by_stype_mean"]["level"]):
        by = theirs["svyby_api99_by_stype_mean"]
        expected = [by["est"][i], by["se"][i]]
        assert _numbers(found, level, "api99", "mean", exposure="stype")[:2] == pytest.approx(expected, rel=1e-10)
    beta = theirs["svyciprop_api00_gt_700"]["beta"]
    expected = [beta["est"], beta["lo"], beta["hi"]]
    estimate_and_ends = _numbers(found, "all", "api00", "above_700")
    assert [estimate_and_ends[i] for i in (0, 2, 3)] == pytest.approx(expected, rel=1e-10)
    quantile = theirs["svyquantile_api00_ci_qrule_math"]["mean"]
    expected = [quantile["est"][1], quantile["lo"][1], quantile["hi"][1]]
    median = _numbers(found, "all", "api00", "median")
    assert [median[i] for i in (0, 2, 3)] == expected


def _numbers(
    found: pl.DataFrame, level: str, outcome: str, statistic: str, exposure: str = "stype"
) -> list[float | None]:
    one = row(found, level, outcome, statistic, exposure)
    return [one["estimate"], *(one[name] for name in INTERVAL)]

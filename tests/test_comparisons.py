"""Comparisons and tests: which there are, that published ones are exact ones rounded, families, and dose honesty."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
import pytest
from builders import FORMS, community, export_report, item, options, people, survey
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from survey_pipeline import statistics
from survey_pipeline.assemble import exact_frames, make_release
from survey_pipeline.coarsen import coarsen
from survey_pipeline.count import tally
from survey_pipeline.design import with_design
from survey_pipeline.disclose import disclose
from survey_pipeline.estimate import (
    COMPARISONS_SCHEMA,
    LADDER,
    TESTS_SCHEMA,
    compare,
    dose_finding_holds,
    estimate,
    on_ladder,
    published_comparisons,
    published_tests,
)
from survey_pipeline.estimate import tested_lines as exact_lines
from survey_pipeline.estimate.families import adjusted, worst
from survey_pipeline.instrument import Instrument, Weighting
from survey_pipeline.levels import Level
from survey_pipeline.names import WEIGHT
from survey_pipeline.release import Policy, Release
from survey_pipeline.render import tables

POLICY = Policy()
SURVEY = survey()
WITH_NONE = survey(form=SURVEY.items["form"].model_dump(mode="json") | {"comparison": "oxide"})
Row = Mapping[str, Any]


def compared(answers: pl.DataFrame, instrument: Instrument = WITH_NONE) -> pl.DataFrame:
    """The exact comparisons at the finest levels."""
    return compare(estimate(tally(answers, instrument), instrument), instrument, {})


def lines(answers: pl.DataFrame, instrument: Instrument = SURVEY) -> pl.DataFrame:
    counted = tally(answers, instrument)
    return exact_lines(counted, estimate(counted, instrument), instrument, {})


def only(frame: pl.DataFrame, **words: str) -> Row:
    return frame.row(by_predicate=pl.all_horizontal(pl.col(k) == v for k, v in words.items()), named=True)


# --- Which pairs ------------------------------------------------------------------------------------------------------


def test_each_form_is_compared_with_each_other_and_the_level_of_comparison_stands_second() -> None:
    mood = compared(community(50, 1)).filter(pl.col("outcome") == "mood", pl.col("statistic") == "difference_mean")
    by_form = mood.filter(pl.col("exposure") == "form")
    assert by_form.height == 6 * 5 // 2
    assert by_form.filter(pl.col("compared_with") == "Oxide").height == 5
    assert "Oxide" not in by_form["level"] and "Not stated" not in {*by_form["level"], *by_form["compared_with"]}
    assert mood.filter(pl.col("exposure") == "dose").is_empty()  # no level of comparison is declared


def test_other_exposures_are_compared_with_their_level_of_comparison_only() -> None:
    described = WITH_NONE.items["dose"].model_dump(mode="json") | {"comparison": "low"}
    found = compared(community(50, 1), survey(dose=described)).filter(pl.col("exposure") == "dose")
    assert set(found.select("level", "compared_with").rows()) == {
        ("200 to 400", "Under 200"),
        ("Over 400", "Under 200"),
    }


def test_a_level_of_comparison_that_was_merged_is_another_one() -> None:
    levels = [Level(code="a", label="Oxide or mix", members=("oxide", "mix"), merged=True)]
    levels += [Level(code=code, label=code.capitalize(), members=(code,)) for code in ("citrate", "malate")]
    counted = tally(community(50, 1), WITH_NONE)
    chosen = {"form": levels}
    found = compare(estimate(counted, WITH_NONE, chosen), WITH_NONE, chosen).filter(pl.col("outcome") == "mood")
    assert set(found.select("level", "compared_with").rows()) == {
        ("Oxide or mix", "Citrate"),
        ("Oxide or mix", "Malate"),
        ("Citrate", "Malate"),
    }


def test_scales_shares_and_primary_thresholds_are_compared() -> None:
    found = compared(community(80, 2)).filter(pl.col("level") == "Citrate", pl.col("compared_with") == "Oxide")
    by_outcome = {
        outcome: set(statistics)
        for outcome, statistics in found.group_by("outcome").agg("statistic").iter_rows()
        if outcome in ("pain", "mood", "stopped")
    }
    assert by_outcome == {
        "pain": {"difference_mean_change", "hedges_g", "difference_responder_30"},  # responder_50 is not primary
        "mood": {"difference_mean", "hedges_g"},
        "stopped": {"difference_share"},
    }


# --- The same as on the rows ------------------------------------------------------------------------------------------


def changes(answers: pl.DataFrame, form: str) -> np.ndarray[Any, Any]:
    mine = answers.filter(pl.col("form") == form).select(pl.col("pain") - pl.col("pain_before")).to_series()
    return mine.drop_nulls().to_numpy()


@settings(max_examples=15)
@given(st.integers(0, 10_000), st.integers(30, 200), st.sampled_from([0.0, 0.3]))
def test_comparisons_are_what_the_rows_give(seed: int, n: int, missing: float) -> None:
    answers = community(n, seed, missing)
    found = compared(answers)
    words = {"level": "Citrate", "compared_with": "Oxide", "exposure": "form"}
    one, other = changes(answers, "citrate"), changes(answers, "oxide")
    row = only(found, outcome="pain", statistic="difference_mean_change", **words)
    assert (row["n_respondents"], row["n_compared"]) == (len(one), len(other))
    if min(len(one), len(other)) < 2:
        assert row["p_value"] is None
        return
    assert row["estimate"] == pytest.approx(one.mean() - other.mean(), abs=1e-12)
    if one.std() or other.std():
        welch = stats.ttest_ind(one, other, equal_var=False)
        assert row["p_value"] == pytest.approx(welch.pvalue, rel=1e-9)
        pooled = np.sqrt(
            ((len(one) - 1) * one.var(ddof=1) + (len(other) - 1) * other.var(ddof=1)) / (len(one) + len(other) - 2)
        )
        g = only(found, outcome="pain", statistic="hedges_g", **words)
        j = statistics.effects.correction(len(one) + len(other) - 2)
        assert g["estimate"] == pytest.approx((one.mean() - other.mean()) / pooled * j, rel=1e-9)


@settings(max_examples=15)
@given(st.integers(0, 10_000), st.integers(3, 200), st.sampled_from([0.0, 0.5]))
def test_tests_over_levels_are_what_the_rows_give(seed: int, n: int, missing: float) -> None:
    answers = community(n, seed, missing)
    found = lines(answers)
    groups = [group for form in SURVEY.items["form"].codes if len(group := changes(answers, form))]
    row = only(found, exposure="form", outcome="pain", statistic="kruskal_wallis")
    assert row["n_respondents"] == sum(map(len, groups))
    if len(groups) < 2 or len(np.unique(np.concatenate(groups))) < 2:
        assert row["p_value"] is None
        return
    expected = stats.kruskal(*groups)
    assert row["test_statistic"] == pytest.approx(expected.statistic, rel=1e-9, abs=1e-12)
    assert row["p_value"] == pytest.approx(expected.pvalue, rel=1e-9)
    welch = only(found, exposure="form", outcome="pain", statistic="welch_anova")
    if all(len(group) > 1 and group.std() for group in groups):
        remade = statistics.welch_anova(
            [g.mean() for g in groups], [g.var(ddof=1) for g in groups], [len(g) for g in groups]
        )
        assert welch["p_value"] == pytest.approx(remade.p_value, rel=1e-9)
    else:
        assert welch["p_value"] is None


@pytest.mark.parametrize(("step", "direction"), [(-1, "down"), (1, "up"), (0, None)])
def test_a_trend_has_a_direction(step: int, direction: str | None) -> None:
    doses = (100.0, 300.0, 500.0)
    groups = [
        (30, {"form": "oxide", "by_mouth": "oral", "dose": dose, "pain_before": 5.0, "pain": 5.0 + step * place})
        for place, dose in enumerate(doses)
    ]
    found = lines(people(SURVEY, *groups))
    row = only(found, exposure="dose", outcome="pain", statistic="jonckheere_terpstra")
    assert row["direction"] == direction
    assert (row["p_value"] is None) == (step == 0)


def test_shares_over_doses_have_a_test_for_a_trend() -> None:
    events, dose = (5, 15, 25), (100.0, 300.0, 500.0)
    groups = [
        (n, {"form": "oxide", "by_mouth": "oral", "dose": mg, "effect": effect})
        for k, mg in zip(events, dose, strict=True)
        for n, effect in ((k, "better"), (40 - k, "same"))
    ]
    found = lines(people(SURVEY, *groups))
    row = only(found, exposure="dose", outcome="effect__better", statistic="cochran_armitage")
    expected = statistics.cochran_armitage(events, (40, 40, 40))
    assert (row["test_statistic"], row["direction"]) == (expected.statistic, "up")
    assert row["n_levels"] == 3


def test_with_weights_differences_are_weighted_and_ranks_are_not_tested() -> None:
    rng = np.random.default_rng(1)
    answers = community(300, 8).with_columns(pl.Series(WEIGHT, rng.integers(1, 9, 300) / 4))
    margin = {"item": "sex", "shares": {"female": 0.5, "male": 0.5}, "source": "test"}
    weighting = Weighting.model_validate({"why": "test", "margins": [margin]})
    instrument = WITH_NONE.model_copy(update={"weighting": weighting})
    counted = tally(answers, instrument)
    rows = estimate(counted, instrument)
    found = compare(rows, instrument, {})
    assert "hedges_g" not in found["statistic"]
    for outcome, statistic in (("mood", "mean"), ("stopped", "share")):
        words = {"outcome": outcome, "exposure": "form"}
        one, other = (only(rows, level=level, statistic=statistic, **words) for level in ("Citrate", "Oxide"))
        row = only(found, level="Citrate", compared_with="Oxide", statistic=f"difference_{statistic}", **words)
        assert row["estimate"] == pytest.approx(one["estimate"] - other["estimate"])
        assert row["standard_error"] == pytest.approx(np.hypot(one["standard_error"], other["standard_error"]))
        assert (row["n_respondents"], row["n_compared"]) == (one["n_respondents"], other["n_respondents"])
    assert set(exact_lines(counted, rows, instrument, {})["statistic"]) == {"welch_anova"}


# --- Families ---------------------------------------------------------------------------------------------------------


def test_the_primary_family_is_declared_outcomes_by_form_and_dose() -> None:
    found = lines(community(200, 3))
    primary = found.filter(pl.col("family") == "primary")
    assert set(primary.select("exposure", "outcome", "statistic").rows()) == {
        ("form", "pain", "kruskal_wallis"),
        ("dose", "pain", "jonckheere_terpstra"),
    }
    assert set(primary["family_size"]) == {2} and set(primary["adjustment"]) == {"holm"}
    grid = found.filter(pl.col("family") == "grid")
    assert set(grid["family_size"]) == {grid.height} and set(grid["adjustment"]) == {"benjamini_hochberg"}
    assert grid["p_adjusted"].to_list() == pytest.approx(stats.false_discovery_control(grid["p_value"]), rel=1e-12)


def test_what_has_no_p_value_is_in_no_family() -> None:
    frame = pl.DataFrame({"family": ["primary", "primary", "grid"], "p_value": [0.01, None, 0.2]})
    found = adjusted(frame).select("family", "family_size", "p_adjusted", "adjustment").rows()
    assert found == [("primary", 1, 0.01, "holm"), (None, None, None, None), ("grid", 1, 0.2, "benjamini_hochberg")]


@pytest.mark.parametrize(
    ("p", "step"), [(0.0, 0.001), (0.001, 0.001), (0.0011, 0.002), (0.05, 0.05), (0.0501, 0.1), (0.51, 1.0), (1.0, 1.0)]
)
def test_p_values_go_up_to_the_next_step(p: float, step: float) -> None:
    assert on_ladder(p) == step


def test_no_p_value_is_on_no_step() -> None:
    assert on_ladder(None) is None


@pytest.mark.parametrize(
    ("statuses", "word"),
    [
        (["ok", "ok"], "ok"),
        (["ok", "merged"], "merged"),
        (["unreliable", "merged"], "unreliable"),
        (["suppressed", "not_asked"], "suppressed"),
        (["ok", None], "not_asked"),
        ([], "not_asked"),
    ],
)
def test_the_strongest_word_of_several_rows_counts(statuses: Sequence[str | None], word: str) -> None:
    assert worst(statuses) == word


# --- What is published ------------------------------------------------------------------------------------------------


def released(answers: pl.DataFrame, instrument: Instrument = WITH_NONE) -> Release:
    report = [export_report(answers.height, answers.height)]
    return make_release(tally(answers, instrument), instrument, POLICY, "2026-01", report)


def exact_of(answers: pl.DataFrame, name: str) -> pl.DataFrame:
    counted = tally(answers, WITH_NONE)
    return exact_frames(counted, WITH_NONE, coarsen(counted, WITH_NONE, POLICY), POLICY)[name]


@pytest.mark.parametrize(("n", "seed"), [(120, 1), (300, 2), (1500, 3)])
def test_published_comparisons_are_the_exact_ones_rounded_where_both_rows_are_shown(n: int, seed: int) -> None:
    answers = community(n, seed)
    release, exact = released(answers), exact_of(answers, "comparisons")
    rows = {(r.table, r.level, r.outcome, r.statistic): r for r in release.rows}
    seen: set[str] = set()
    for row, true in zip(release.comparisons, exact.iter_rows(named=True), strict=True):
        source = row.statistic.removeprefix("difference_")
        source = source if source != "hedges_g" else "mean_change" if row.outcome == "pain" else "mean"
        sides = [rows[row.table, level, row.outcome, source] for level in (row.level, row.compared_with)]
        assert (row.estimate is None) == any(side.estimate is None for side in sides)
        if row.estimate is None:
            assert row.status == "suppressed" and row.n_respondents is row.n_compared is row.p_value is None
            continue
        seen.add(row.statistic)
        assert (row.n_respondents, row.n_compared) == (sides[0].n_respondents, sides[1].n_respondents)
        assert row.p_value == on_ladder(true["p_value"])
        if source in ("mean", "mean_change"):
            fewest = min(side.n_respondents or 0 for side in sides)
            decimals = 2 if row.statistic == "hedges_g" else statistics.decimals_for(fewest)
            numbers = [row.estimate, row.ci_lower, row.ci_upper]
            assert numbers == [round(true[name], decimals) for name in ("estimate", "ci_lower", "ci_upper")]
            assert row.standard_error == float(f"{true['standard_error']:.1e}")
        else:
            k = [round((side.estimate or 0) * (side.n_respondents or 0)) for side in sides]
            of_counts = statistics.difference_of_shares(k[0], sides[0].n_respondents, k[1], sides[1].n_respondents)  # type: ignore[arg-type]
            numbers = [row.estimate, row.standard_error, row.ci_lower, row.ci_upper]
            expected = [of_counts.estimate, of_counts.standard_error, of_counts.ci_lower, of_counts.ci_upper]
            assert numbers == pytest.approx(expected, abs=0.00005001)
    assert {"difference_mean_change", "difference_mean", "hedges_g", "difference_responder_30"} <= seen


@pytest.mark.parametrize("name", ["comparisons", "tests"])
@pytest.mark.parametrize(("n", "seed"), [(130, 2), (300, 2), (600, 4)])  # whose groups the proof does not merge
def test_every_published_p_value_is_an_upper_bound_of_the_exact_one(name: str, n: int, seed: int) -> None:
    answers = community(n, seed)
    release, exact = released(answers), exact_of(answers, name)
    shown = release.comparison_frame() if name == "comparisons" else release.test_frame()
    steps = {*shown["p_value"].drop_nulls(), *shown["p_adjusted"].drop_nulls()}
    assert steps and steps <= set(LADDER)
    there = shown["p_value"].is_not_null()
    again = adjusted(exact.filter(there))  # those that are published, by their exact p-values
    assert shown.filter(there)["p_value"].to_list() == [on_ladder(p) for p in again["p_value"]]
    assert shown.filter(there)["p_adjusted"].to_list() == [on_ladder(p) for p in again["p_adjusted"]]
    assert shown.filter(there)["family_size"].to_list() == again["family_size"].to_list()


def test_the_error_of_a_difference_between_few_people_is_not_cut_off_with_its_decimals() -> None:
    # Differences of 20 people and more have one decimal; with one, this error would be a fifth off.
    groups = [(20, 3.0), (20, 5.0)], [(15, 3.0), (15, 5.0)]
    answers = [
        (n, {"form": f, "mood": m}) for f, each in zip(("citrate", "oxide"), groups, strict=True) for n, m in each
    ]
    counted = tally(people(WITH_NONE, *answers), WITH_NONE)
    levels = {"form": [Level(code=f, label=f.capitalize(), members=(f,)) for f in ("citrate", "oxide")]}
    exact = estimate(counted, WITH_NONE, levels)
    found = published_comparisons(exact, disclose(exact, POLICY), WITH_NONE, levels)
    row = only(found, outcome="mood", level="Citrate", compared_with="Oxide", statistic="difference_mean")
    error = float(np.hypot(np.sqrt(40 / 39 / 40), np.sqrt(30 / 29 / 30)))
    assert (row["standard_error"], round(error, 4)) == (0.25, 0.2452)
    assert row["ci_upper"] == 0.5 and row["p_value"] == 1.0 and row["estimate"] == 0.0


@pytest.mark.parametrize(
    ("error", "told"),
    [(0.0, 0.0), (0.1464, 0.15), (0.0996, 0.1), (0.0123, 0.012), (1.26, 1.3), (12.6, 13.0), (146.0, 150.0)],
)
def test_errors_are_told_in_two_digits_that_count(error: float, told: float) -> None:
    assert statistics.significant(error) == told


def test_no_published_test_tells_its_statistic() -> None:
    shown, exact = released(community(600, 4)).test_frame(), exact_of(community(600, 4), "tests")
    told = shown["p_value"].is_not_null()
    assert {"kruskal_wallis", "welch_anova", "jonckheere_terpstra", "cochran_armitage"} <= {
        *shown.filter(told)["statistic"]
    }
    assert shown["test_statistic"].null_count() == shown["degrees_of_freedom_2"].null_count() == shown.height
    welch = pl.col("statistic") == "welch_anova"
    assert exact.filter(welch)["degrees_of_freedom_2"].null_count() < exact.filter(welch).height
    assert exact["test_statistic"].null_count() == 0


def test_where_people_were_picked_by_clusters_there_are_differences_alone() -> None:
    instrument = WITH_NONE.model_copy(update={"weighting": Weighting(why="test", clusters="sex")})
    answers = community(300, 8)
    counted = tally(answers, instrument)
    picked = with_design(estimate(counted, instrument), answers, instrument)
    found = compare(picked, instrument, {})
    alone = compare(estimate(counted, instrument), instrument, {})
    assert found["estimate"].to_list() == alone["estimate"].to_list()
    assert found["estimate"].null_count() < found.height
    for name in ("standard_error", "ci_lower", "ci_upper", "p_value", "p_adjusted", "family_size"):
        assert found[name].null_count() == found.height > alone[name].null_count(), name
    assert exact_lines(counted, picked, instrument, {}).is_empty()
    told = published_comparisons(picked, disclose(picked, POLICY), instrument, {})
    assert told["estimate"].null_count() < told.height == told["standard_error"].null_count()


# --- Which levels are tested ------------------------------------------------------------------------------------------

WITHOUT = [{**option, "exclusive": option["code"] in ("oxide", "taurate")} for option in options(*FORMS)]
EXCLUSIVE = survey(form=SURVEY.items["form"].model_dump(mode="json") | {"options": WITHOUT, "comparison": "oxide"})


@pytest.mark.parametrize(
    ("apart", "tested"),
    [
        (("oxide",), ("citrate", "malate")),
        (("oxide", "taurate"), ("citrate", "malate")),  # merged, but of people who take none all the same
        (("oxide", "not_stated"), ("citrate", "malate")),
        (("oxide", "mix"), ("citrate", "malate", "oxide", "mix")),
    ],
)
def test_answers_that_exclude_all_others_are_compared_but_take_no_part_in_tests(
    apart: Sequence[str], tested: Sequence[str]
) -> None:
    answers = community(400, 9, missing=0.1)
    levels = {"form": [Level(code=code, label=code, members=(code,)) for code in ("citrate", "malate")]}
    levels["form"].append(Level(code="apart", label="apart", members=tuple(apart)))
    counted = tally(answers, EXCLUSIVE)
    rows = estimate(counted, EXCLUSIVE, levels)
    words = {"exposure": "form", "outcome": "mood"}
    row = only(exact_lines(counted, rows, EXCLUSIVE, levels), **words, statistic="kruskal_wallis")
    there = answers.drop_nulls("mood")
    sides = [[form] for form in tested[:2]] + ([list(tested[2:])] if tested[2:] else [])
    groups = [there.filter(pl.col("form").is_in(side))["mood"].to_numpy() for side in sides]
    assert row["p_value"] == pytest.approx(stats.kruskal(*groups).pvalue, rel=1e-9)
    assert (row["n_levels"], row["n_respondents"]) == (len(groups), sum(map(len, groups)))
    welch = only(exact_lines(counted, rows, EXCLUSIVE, levels), **words, statistic="welch_anova")
    assert (welch["n_levels"], welch["degrees_of_freedom"]) == (len(groups), len(groups) - 1)
    pairs = compare(rows, EXCLUSIVE, levels).filter(pl.col("outcome") == "mood", pl.col("exposure") == "form")
    assert "apart" in {*pairs["level"], *pairs["compared_with"]}


def test_a_hidden_level_that_is_not_tested_hides_no_test() -> None:
    sizes = {"citrate": 60, "malate": 50, "oxide": 12}
    groups = [(1, {"form": form, "mood": float(1 + i % 7)}) for form, n in sizes.items() for i in range(n)]
    levels = {"form": [Level(code=code, label=code, members=(code,)) for code in sizes]}
    counted = tally(people(EXCLUSIVE, *groups), EXCLUSIVE)
    exact = estimate(counted, EXCLUSIVE, levels)
    shown = exact.with_columns(
        pl.when(pl.col("level") == "oxide").then(pl.lit("suppressed")).otherwise(pl.lit("ok")).alias("status")
    )
    for instrument, there in ((EXCLUSIVE, True), (SURVEY, False)):
        lines_ = exact_lines(counted, exact, instrument, levels)
        told = only(
            published_tests(lines_, shown, instrument, levels, POLICY),
            exposure="form",
            outcome="mood",
            statistic="kruskal_wallis",
        )
        assert (told["p_value"] is not None) is there
        assert told["n_respondents"] == (110 if there else None)


def test_levels_without_people_are_not_counted_among_those_tested() -> None:
    answers = people(
        SURVEY, *((5, {"form": form, "mood": mood}) for form in ("citrate", "oxide") for mood in (2.0, 5.0))
    )
    row = only(lines(answers), exposure="form", outcome="mood", statistic="kruskal_wallis")
    assert row["n_levels"] == 2  # of six declared forms
    assert only(lines(answers), exposure="form", outcome="mood", statistic="welch_anova")["n_levels"] == 2


# --- What is shown ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("oxide", "shown"), [(19, False), (20, True)])
def test_a_line_is_shown_only_where_every_answer_is(oxide: int, shown: bool) -> None:
    sizes = {"citrate": 60, "malate": 50, "oxide": oxide}
    groups = [(1, {"form": form, "mood": float(1 + i % 7)}) for form, n in sizes.items() for i in range(n)]
    levels = {"form": [Level(code=code, label=code.capitalize(), members=(code,)) for code in sizes]}
    counted = tally(people(SURVEY, *groups), SURVEY)
    exact = estimate(counted, SURVEY, levels)
    rows = disclose(exact, POLICY)
    found = published_tests(exact_lines(counted, exact, SURVEY, levels), rows, SURVEY, levels, POLICY)
    row = only(found, exposure="form", outcome="mood", statistic="kruskal_wallis")
    numbers = ("p_value", "degrees_of_freedom", "n_levels", "n_respondents", "p_adjusted", "family_size")
    assert [row[name] is not None for name in numbers] == [shown] * len(numbers)
    assert (row["status"] == "suppressed") is not shown
    told = compare(rows, SURVEY, levels).filter(pl.col("outcome") == "mood", pl.col("statistic") == "difference_mean")
    hidden = told.filter(pl.col("status") == "suppressed").select("level", "compared_with").rows()
    # Oxide takes the smallest of the others with it, so one pair of three would need a third level to be told.
    assert bool(hidden) is not shown
    assert told.filter(pl.col("status") == "suppressed")["estimate"].null_count() == len(hidden)


def test_exact_comparisons_say_whether_they_would_be_published() -> None:
    answers = community(150, 5)
    counted = tally(answers, WITH_NONE)
    release = released(answers)
    levels = coarsen(counted, WITH_NONE, POLICY)
    exact = exact_frames(counted, WITH_NONE, levels, POLICY, published=release.frame())
    assert exact["estimates"]["status"].to_list() == [row.status for row in release.rows]
    assert exact["comparisons"]["status"].to_list() == [row.status for row in release.comparisons]
    assert exact["tests"]["status"].to_list() == [row.status for row in release.tests]
    assert exact["comparisons"].schema == pl.Schema(COMPARISONS_SCHEMA)
    assert exact["tests"].schema == pl.Schema(TESTS_SCHEMA)
    hidden = exact["comparisons"].filter(pl.col("status") == "suppressed", pl.col("n_respondents") > 1)
    assert hidden["estimate"].null_count() < hidden.height


def test_before_there_is_a_release_the_proof_may_hide_more() -> None:
    answers = community(150, 5)
    counted = tally(answers, WITH_NONE)
    exact = exact_frames(counted, WITH_NONE, coarsen(counted, WITH_NONE, POLICY), POLICY)["estimates"]
    both = list(zip(exact["status"], released(answers).rows, strict=True))
    assert all(row.status == "suppressed" for status, row in both if status == "suppressed")
    assert any(row.status == "suppressed" for status, row in both if status != "suppressed")


def test_an_older_release_has_neither_and_a_new_one_comes_back_the_same() -> None:
    release = released(community(120, 6))
    assert Release.model_validate_json(release.model_dump_json()) == release
    old = release.model_dump(mode="json")
    del old["comparisons"], old["tests"]
    assert Release.model_validate(old).comparisons == () == Release.model_validate(old).tests


def test_files_for_programs_have_a_line_a_row() -> None:
    release = released(community(120, 6))
    for text, rows in (
        (tables.comparisons_csv(release, WITH_NONE), release.comparisons),
        (tables.tests_csv(release, WITH_NONE), release.tests),
    ):
        table = pl.read_csv(text)
        assert table.height == len(rows) > 0
        assert table.columns[:2] == ["instrument", "wave"] and "provenance" in table.columns
        assert table["status"].to_list() == [row.status for row in rows]


# --- Dose honesty -----------------------------------------------------------------------------------------------------


def told(**directions: str | None) -> pl.DataFrame:
    """Tests of pain by the dose as answered and as read again."""
    tests = [
        {
            "exposure": "dose" + exposure.removeprefix("answered"),
            "outcome": "pain",
            "statistic": "worst_case_direction" if exposure.endswith("worst_case") else "jonckheere_terpstra",
            "direction": direction,
        }
        for exposure, direction in directions.items()
    ]
    return pl.DataFrame(tests, schema=TESTS_SCHEMA)


@pytest.mark.parametrize(
    ("directions", "holds"),
    [
        (("down", "down", "down", "down"), True),
        (("up", "up", "up", "up"), True),
        (("down", "down", "down", "flat"), False),
        (("down", "up", "down", "down"), False),
        (("down", "down", "up", "down"), False),
        (("flat", "flat", "flat", "flat"), False),
        (("down", None, "down", "down"), None),
        ((None, "down", "down", "down"), None),
    ],
)
def test_a_dose_finding_holds_where_all_readings_agree(directions: Sequence[str | None], holds: bool | None) -> None:
    names = ("answered", "__label_elemental", "__compound", "__worst_case")
    assert dose_finding_holds(told(**dict(zip(names, directions, strict=True))), "pain") is holds


WORDS = item("Words", "dose", "detail", compounds=[{"code": "oxide", "texts": ["oxide"], "elemental_percent": [60.3]}])
READ_AGAIN = survey(words=WORDS, dose=SURVEY.items["dose"].model_dump(mode="json") | {"readings": "words"})


def dose(mg: float, compound: float, before: float, after: float) -> dict[str, Any]:
    """Somebody whose words say so many mg, which may be of the compound: then `compound` mg count."""
    ends = {"low": compound, "high": mg, "written_low": mg, "written_high": mg}
    words = {f"words__{end}_mg_per_day": value for end, value in ends.items()} | {"words__basis": "unknown"}
    return {"form": "oxide", "by_mouth": "oral", "dose": mg, "pain_before": before, "pain": after, **words}


@pytest.mark.parametrize(
    ("compound", "holds"),
    [
        ({150.0: 120.0, 300.0: 250.0, 500.0: 450.0}, True),  # in the same band, whichever is meant
        ({150.0: 120.0, 300.0: 150.0, 500.0: 150.0}, False),  # if the compound is meant, all are in one
    ],
)
def test_a_trend_by_dose_is_a_finding_only_if_it_is_one_under_each_reading(
    compound: Mapping[float, float], holds: bool
) -> None:
    after = {150.0: 7.0, 300.0: 5.0, 500.0: 3.0}
    groups = [(20, dose(mg, compound[mg], 8.0, now)) for mg, now in after.items()]
    groups += [(20, dose(mg, compound[mg], 8.0, now - 1.0)) for mg, now in after.items()]
    found = lines(people(READ_AGAIN, *groups), READ_AGAIN)
    mine = found.filter(pl.col("outcome") == "pain", pl.col("direction").is_not_null())
    assert dict(mine.select("exposure", "direction").rows())["dose"] == "down"
    assert bool(dose_finding_holds(found, "pain")) is holds
    assert set(found.filter(pl.col("exposure").str.contains("__"))["family"].drop_nulls()) <= {"grid"}


def test_a_dose_read_again_has_no_rows_and_its_tests_do_not_tell_how_many_they_are_about() -> None:
    answers = [(1, dose(100.0 + 100 * (i % 5), 90.0 + 100 * (i % 5), 8.0, float(i % 7))) for i in range(200)]
    release = released(people(READ_AGAIN, *answers), READ_AGAIN)
    assert not any("__label" in row.exposure or "__worst" in row.exposure for row in release.rows)
    assert not any("__" in exposure for exposure in release.levels)
    read = [row for row in release.tests if row.exposure.startswith("dose__")]
    assert {row.statistic for row in read} == {"jonckheere_terpstra", "worst_case_direction"}
    assert all(row.n_respondents is row.n_levels is None for row in read)
    assert any(row.direction is not None for row in read)


def test_without_readings_nothing_is_said_of_them() -> None:
    assert dose_finding_holds(told(answered="down"), "pain") is None
    assert dose_finding_holds(told(answered="down"), "mood") is None

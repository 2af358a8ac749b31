"""Estimates from the tally are what a calculation on the rows gives, with the right people in every denominator."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
import pytest
from builders import FORMS, community, item, people, percent, scale, survey
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.weightstats import DescrStatsW

from survey_pipeline.count import tally
from survey_pipeline.disclose import disclose
from survey_pipeline.estimate import ESTIMATES_SCHEMA, estimate
from survey_pipeline.instrument import Instrument, Weighting
from survey_pipeline.levels import partitions
from survey_pipeline.names import WEIGHT
from survey_pipeline.release import Policy

SURVEY = survey()
LABELS = {form.capitalize(): form for form in FORMS}


def estimated(answers: pl.DataFrame, instrument: Instrument = SURVEY) -> pl.DataFrame:
    return estimate(tally(answers, instrument), instrument)


def one(rows: pl.DataFrame, outcome: str, statistic: str, level: str = "all", exposure: str = "form") -> dict[str, Any]:
    """The only row about something; an outcome shown in several tables by one exposure has one of each."""
    words = {"exposure": exposure, "level": level, "outcome": outcome, "statistic": statistic}
    return rows.row(by_predicate=pl.all_horizontal(pl.col(k) == v for k, v in words.items()), named=True)


def pain(*groups: tuple[int, float | None, float | None], instrument: Instrument = SURVEY) -> pl.DataFrame:
    """Estimates of people given as (how many, pain before, pain after)."""
    answers = [(n, {"form": "citrate", "pain_before": before, "pain": after}) for n, before, after in groups]
    return estimated(people(instrument, *answers), instrument)


# --- The same as on the rows ----------------------------------------------------------------------------------------------


def on_rows(rows: pl.DataFrame) -> dict[tuple[str, str], tuple[float | None, int, int]]:
    """(estimate, n, n missing) of each statistic, from the rows of a level themselves."""
    both = rows.drop_nulls(["pain_before", "pain"]).with_columns(change=pl.col("pain") - pl.col("pain_before"))
    possible = both.filter(pl.col("pain_before") > 0)
    mood, side, effect = (rows[name].drop_nulls() for name in ("mood", "side__nausea", "effect"))
    events: Mapping[tuple[str, str], tuple[pl.Series, int]] = {
        ("pain", "responder_30"): (possible["change"] <= -0.3 * possible["pain_before"] + 1e-9, both.height),
        ("pain", "responder_50"): (possible["change"] <= -0.5 * possible["pain_before"] + 1e-9, both.height),
        ("pain", "baseline_zero"): (both["pain_before"] == 0, both.height),
        ("mood", "much_better"): (mood <= 2, len(mood)),
        ("side__nausea", "share"): (side, len(side)),
        ("effect__same", "share"): (effect == "same", len(effect)),
    }
    numbers: Mapping[tuple[str, str], tuple[Any, pl.Series]] = {
        ("pain", "mean"): (np.mean, rows["pain"].drop_nulls()),
        ("pain", "median"): (np.median, rows["pain"].drop_nulls()),
        ("pain", "mean_baseline"): (np.mean, rows["pain_before"].drop_nulls()),
        ("pain", "mean_change"): (np.mean, both["change"]),
        ("pain", "median_change"): (np.median, both["change"]),
        ("mood", "mean"): (np.mean, mood),
    }
    shares = {about: (_mean(event), len(event), rows.height - n) for about, (event, n) in events.items()}
    others = {
        about: (float(f(values.to_numpy())) if len(values) else None, len(values), rows.height - len(values))
        for about, (f, values) in numbers.items()
    }
    return shares | others


def _mean(event: pl.Series) -> float | None:
    return int(event.sum()) / len(event) if len(event) else None


@settings(max_examples=15)
@given(st.integers(0, 10_000), st.integers(0, 150), st.sampled_from([0.0, 0.1, 0.6]))
def test_the_tally_gives_what_the_rows_give(seed: int, n: int, missing: float) -> None:
    answers = community(n, seed, missing)
    found = estimated(answers)
    levels = {"all": answers, "Not stated": answers.filter(pl.col("form").is_null())}
    levels |= {label: answers.filter(pl.col("form") == code) for label, code in LABELS.items()}
    for level, rows in levels.items():
        for about, (expected, n_respondents, n_missing) in on_rows(rows).items():
            row = one(found, *about, level)
            assert row["estimate"] == (None if expected is None else pytest.approx(expected, rel=1e-12, abs=1e-12)), (
                about
            )
            assert (row["n_respondents"], row["n_missing"], row["n_level"]) == (
                n_respondents,
                n_missing,
                rows.height,
            ), about


def test_coarser_levels_give_what_their_rows_give() -> None:
    answers = community(200, 5)
    levels = {"form": partitions(SURVEY.items["form"])[1]}
    found = estimate(tally(answers, SURVEY), SURVEY, levels)
    rare = answers.filter(pl.col("form").is_in(["taurate", "mix"]) | pl.col("form").is_null())
    row = one(found, "mood", "mean", "Rare forms")
    assert row["estimate"] == pytest.approx(rare["mood"].mean())
    assert row["merged"] is True
    assert one(found, "mood", "mean", "Citrate")["merged"] is False


def test_everybody_is_the_same_in_every_table() -> None:
    found = estimated(community(120, 6, missing=0.2)).filter(
        pl.col("level") == "all", pl.col("outcome") != "respondents"
    )
    numbers = [name for name in ESTIMATES_SCHEMA if name not in ("table", "exposure", "merged")]
    by_form, by_dose = (found.filter(pl.col("table") == f"{x}_by_outcome").select(numbers) for x in ("form", "dose"))
    assert by_form.equals(by_dose)
    assert by_form.height > 10


# --- The same as scipy, statsmodels and numpy say --------------------------------------------------------------------------

PAIRS = st.lists(
    st.tuples(st.sampled_from([None, *map(float, range(11))]), st.sampled_from([None, *map(float, range(11))])),
    min_size=0,
    max_size=60,
)


def with_curve(**more: Any) -> Instrument:
    """The survey with a responder curve for pain, of which 30 is a threshold of its own."""
    return survey(pain=SURVEY.items["pain"].model_dump(mode="json") | {"responder_curve": [10, 30, 60], **more})


@settings(max_examples=60)
@given(PAIRS)
def test_numbers_of_any_answers_are_those_of_the_rows(pairs: list[tuple[float | None, float | None]]) -> None:
    instrument = with_curve()
    groups = [(1, {"form": "citrate", "pain_before": before, "pain": after}) for before, after in pairs]
    found = estimated(people(instrument, *groups), instrument)
    after = np.array([now for _, now in pairs if now is not None])
    both = np.array([(was, now) for was, now in pairs if was is not None and now is not None]).reshape(-1, 2)
    numbers_of(found, "mean", after)
    numbers_of(found, "mean_change", both[:, 1] - both[:, 0])
    for name, p in (("quartile_1", 0.25), ("median", 0.5), ("quartile_3", 0.75)):
        expected = np.quantile(after, p, method="averaged_inverted_cdf") if len(after) else None
        assert one(found, "pain", name, "Citrate")["estimate"] == (
            None if expected is None else pytest.approx(expected)
        )
    for per_cent in (10, 60):
        shares_of(found, f"improved_{per_cent}", both, per_cent)
    assert "improved_30" not in found["statistic"]


def numbers_of(found: pl.DataFrame, statistic: str, values: Any) -> None:
    row = one(found, "pain", statistic, "Citrate")
    assert row["n_respondents"] == len(values)
    if len(values) > 1:
        lower, upper = DescrStatsW(values).tconfint_mean()
        expected = (values.mean(), stats.sem(values), lower, upper)
        numbers = [row[name] for name in ("estimate", "standard_error", "ci_lower", "ci_upper")]
        assert numbers == pytest.approx(expected, rel=1e-9, abs=1e-12)
    else:
        assert row["standard_error"] is row["ci_lower"] is row["ci_upper"] is None
    if statistic == "mean_change":
        d = one(found, "pain", "standardised_change", "Citrate")["estimate"]
        spread = values.std(ddof=1) if len(values) > 1 else 0
        assert d == (pytest.approx(values.mean() / spread, abs=1e-12) if spread else None)


def shares_of(found: pl.DataFrame, statistic: str, both: Any, per_cent: int) -> None:
    could = both[both[:, 0] > 0]
    k = int(((could[:, 0] - could[:, 1]) >= could[:, 0] * per_cent / 100 - 1e-9).sum())
    row = one(found, "pain", statistic, "Citrate")
    assert (row["n_events"], row["n_respondents"]) == (k, len(could))
    if len(could):
        wilson = stats.binomtest(k, len(could)).proportion_ci(method="wilson")
        assert (row["ci_lower"], row["ci_upper"]) == pytest.approx((wilson.low, wilson.high), rel=1e-9, abs=1e-12)


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.integers(1, 80))
def test_weighted_estimates_are_those_of_the_weighted_rows(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    weights = rng.integers(1, 9, n) / 4
    answers = community(n, seed, missing=0.1).with_columns(pl.Series(WEIGHT, weights))
    instrument = SURVEY.model_copy(update={"weighting": weighting()})
    found = estimate(tally(answers, instrument), instrument)
    there = answers.drop_nulls("mood")
    mood, w = there["mood"].to_numpy(), there[WEIGHT].to_numpy()
    row = one(found, "mood", "mean")
    assert row["n_respondents"] == len(mood)
    assert not {"standardised_change", "correlation_before_now"} & set(found["statistic"])
    if not len(mood):
        return
    described = DescrStatsW(mood, weights=w)
    assert row["estimate"] == pytest.approx(described.mean, rel=1e-9)
    assert row["n_effective"] == pytest.approx(w.sum() ** 2 / (w**2).sum(), rel=1e-9)
    influence = w * (mood - described.mean) / w.sum()
    if len(mood) > 1:
        assert row["standard_error"] == pytest.approx(np.sqrt((influence**2).sum() * n / (n - 1)), rel=1e-9, abs=1e-12)
    much = one(found, "mood", "much_better")
    assert (much["n_events"], much["estimate"]) == (int((mood <= 2).sum()), pytest.approx(w[mood <= 2].sum() / w.sum()))


def weighting() -> Weighting:
    share = {"item": "sex", "shares": {"female": 0.5, "male": 0.5}, "source": "test"}
    return Weighting.model_validate({"why": "test", "margins": [share]})


# --- Other tables ---------------------------------------------------------------------------------------------------------


def with_table(instrument: Instrument = SURVEY, **table: Any) -> Instrument:
    described = instrument.model_dump(mode="json")
    described["tables"].append({"name": "more", "title": "More", **table})
    return Instrument.model_validate(described)


def test_a_table_of_counts_has_nothing_but_counts() -> None:
    instrument = with_table(exposure="form", outcomes=["stopped"], shows="counts")
    answers = people(instrument, (4, {"form": "citrate", "stopped": True}), (9, {"form": "citrate", "stopped": False}))
    found = estimated(answers, instrument).filter(pl.col("table") == "more", pl.col("level") == "Citrate")
    row = found.row(0, named=True)
    assert found.height == 1
    assert (row["statistic"], row["estimate"], row["n_events"], row["n_respondents"]) == ("count", 4.0, 4, 13)
    assert row["standard_error"] is row["ci_lower"] is row["ci_upper"] is None


def test_a_table_of_everybody_has_one_level() -> None:
    found = estimated(community(50, 3), with_table(outcomes=["mood"])).filter(pl.col("table") == "more")
    assert set(found["level"]) == {"all"} and set(found["exposure"]) == {"everybody"}
    by_form = estimated(community(50, 3)).filter(pl.col("table") == "form_by_outcome", pl.col("level") == "all")
    numbers = ["statistic", "estimate", "n_respondents", "n_missing"]
    assert found.select(numbers).equals(by_form.filter(pl.col("outcome") == "mood").select(numbers))


def test_a_crossing_says_of_which_levels_it_is_a_part() -> None:
    instrument = with_table(exposure="form", by="sex", outcomes=["mood"])
    answers = community(150, 4)
    found = estimated(answers, instrument)
    row = one(found, "mood", "mean", "Citrate, female", "form_by_sex")
    mine = answers.filter(pl.col("form") == "citrate", pl.col("sex") == "female")
    assert row["estimate"] == pytest.approx(mine["mood"].mean())
    assert row["part_of"] == [["form", "Citrate"], ["sex", "Female"]]
    assert one(found, "mood", "mean", "Citrate")["part_of"] is None
    merged = {"form": partitions(instrument.items["form"])[1]}
    joined = estimate(tally(answers, instrument), instrument, merged)
    row = one(joined, "mood", "mean", "Taurate, female", "form_by_sex")  # finer than the level it is a part of
    assert row["part_of"] == [["form", "Rare forms"], ["sex", "Female"]]


def test_who_left_a_question_out_is_a_share_of_those_it_concerns() -> None:
    answers = people(
        SURVEY,
        (6, {"form": "citrate", "by_mouth": "oral", "dose": 100.0}),
        (3, {"form": "citrate", "by_mouth": "oral"}),
        (2, {"form": "citrate", "by_mouth": "skin"}),
    )
    row = one(estimated(answers), "dose__left_out", "share", exposure="everybody")
    assert (row["n_events"], row["n_respondents"], row["n_missing"], row["gap_of"]) == (3, 9, 0, "dose")


# --- What would be expected anyway --------------------------------------------------------------------------------------

RETEST = {"lowest": 0.6, "highest": 0.8, "source": "test"}


def with_none(retest: Mapping[str, Any] | None = RETEST, comparison: str | None = "oxide") -> Instrument:
    """The survey, where those who took oxide say how people are in general."""
    form = SURVEY.items["form"].model_dump(mode="json") | {"comparison": comparison}
    return survey(form=form, pain=SURVEY.items["pain"].model_dump(mode="json") | {"retest": retest})


def test_beside_a_change_stands_what_would_be_expected_anyway() -> None:
    instrument = with_none()
    pairs = ((4, 4), (4, 6), (5, 5), (6, 3), (6, 7))  # 5 on average, before and now
    usual = [(20, {"form": "oxide", "pain_before": float(was), "pain": float(now)}) for was, now in pairs]
    taking = [(10, {"form": "citrate", "pain_before": float(was), "pain": 4.0}) for was in (7, 8, 9)]
    found = estimated(people(instrument, *usual, *taking), instrument)
    row = one(found, "pain", "mean_change_anyway", "Citrate")
    assert row["estimate"] == pytest.approx((1 - 0.7) * (5.0 - 8.0))
    assert row["ci_lower"] < (1 - 0.6) * (5.0 - 8.0) < row["estimate"] < (1 - 0.8) * (5.0 - 8.0) < row["ci_upper"]
    assert row["standard_error"] is None and row["usual_of"] == ["form", "Oxide"]
    change, share = (one(found, "pain", name, "Citrate") for name in ("mean_change", "responder_30"))
    anyway = one(found, "pain", "responder_30_anyway", "Citrate")
    for name in ("n_respondents", "n_missing", "among"):
        assert (row[name], anyway[name]) == (change[name], share[name])
    assert 0 < anyway["ci_lower"] <= anyway["estimate"] <= anyway["ci_upper"] < 1
    assert "responder_50_anyway" not in found["statistic"]  # not primary


@pytest.mark.parametrize("instrument", [with_none(retest=None), with_none(comparison=None)])
def test_without_a_range_of_correlations_or_people_who_took_none_nothing_is_expected(instrument: Instrument) -> None:
    found = estimated(community(200, 7), instrument)
    assert not found["statistic"].str.ends_with("_anyway").any()


@pytest.mark.parametrize(("n", "there"), [(29, False), (30, True)])
def test_few_people_who_took_none_say_nothing_of_the_usual(n: int, there: bool) -> None:
    usual = [(1, {"form": "oxide", "pain_before": float(place % 5), "pain": float(place % 8)}) for place in range(n)]
    found = estimated(people(with_none(), *usual), with_none())
    assert found["statistic"].str.ends_with("_anyway").any() == there


# --- Responders -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("per_cent", "before", "after", "responds"),
    [
        (30, 10, 7, True),  # 30 % of 10 is 3
        (30, 10, 8, False),
        (30, 7, 4.9, True),  # 30 % of 7 is 2.1, which binary arithmetic makes 2.0999999999999996
        (30, 7, 5, False),
        (30, 3, 2.1, True),
        (30, 1, 0, True),
        (50, 7, 3.5, True),
        (50, 7, 3.6, False),
        (50, 10, 5, True),
        (50, 10, 6, False),
        (30, 5, 5, False),
        (30, 5, 9, False),  # worse
        (13.2, 10, 8.7, False),
        (13.2, 10, 8.6, True),
    ],
)
def test_a_responder_is_one_from_the_threshold_on(per_cent: float, before: float, after: float, responds: bool) -> None:
    tenths: dict[str, Any] = {"step": 0.1, "baseline": "pain_before", "better": "lower"}
    instrument = survey(
        pain_before=scale("Pain before", "baseline", step=0.1),
        pain=scale("Pain", thresholds=[percent("responder", per_cent)], **tenths),
    )
    found = pain((4, before, after), instrument=instrument)
    assert one(found, "pain", "responder")["n_events"] == (4 if responds else 0)


@pytest.mark.parametrize(
    ("better", "rule", "before", "after", "responds"),
    [
        ("higher", {"percent": 30}, 5, 6, False),
        ("higher", {"percent": 30}, 5, 7, True),
        ("higher", {"percent": 30}, 7, 4, False),  # down is worse
        ("higher", {"points": 2}, 5, 7, True),
        ("higher", {"points": 2}, 5, 6, False),
        ("higher", {"points": 2}, 7, 5, False),
        ("lower", {"points": 2}, 7, 5, True),
        ("lower", {"points": 2}, 7, 6, False),
        ("lower", {"points": 2}, 5, 7, False),
        ("higher", {"at_least": 7}, 0, 7, True),
        ("higher", {"at_least": 7}, 0, 6, False),
        ("lower", {"at_most": 2}, 0, 2, True),
        ("lower", {"at_most": 2}, 0, 3, False),
    ],
)
def test_better_says_which_way_improvement_goes(
    better: str, rule: dict[str, float], before: float, after: float, responds: bool
) -> None:
    threshold = {"name": "responder", "label": "Responder", "source": "test", **rule}
    instrument = survey(pain=scale("Pain", baseline="pain_before", better=better, thresholds=[threshold]))
    found = pain((3, before, after), instrument=instrument)
    assert one(found, "pain", "responder")["n_events"] == (3 if responds else 0)


def test_people_who_start_at_nothing_cannot_improve_by_per_cent_and_are_set_aside() -> None:
    found = pain((12, 10, 5), (5, 0, 0), (3, 0, 4), (7, None, 4), (11, 6, None))
    responders = one(found, "pain", "responder_50")
    assert (responders["n_respondents"], responders["n_events"], responders["estimate"]) == (12, 12, 1.0)
    assert responders["n_missing"] == 18  # those set aside did answer
    at_zero = one(found, "pain", "baseline_zero")
    assert (at_zero["n_respondents"], at_zero["n_events"], at_zero["n_missing"]) == (20, 8, 18)


def test_each_statistic_has_its_own_denominator() -> None:
    found = pain((10, 8, 4), (4, None, 6), (3, 5, None), (2, None, None))
    n = {
        s: one(found, "pain", s)["n_respondents"]
        for s in ("mean", "median", "mean_baseline", "mean_change", "responder_30")
    }
    assert n == {"mean": 14, "median": 14, "mean_baseline": 13, "mean_change": 10, "responder_30": 10}
    missing = {s: one(found, "pain", s)["n_missing"] for s in n}
    assert missing == {"mean": 5, "median": 5, "mean_baseline": 6, "mean_change": 9, "responder_30": 9}
    assert one(found, "pain", "mean_change")["estimate"] == -4.0


def test_rows_with_the_same_denominator_say_so() -> None:
    found = pain((10, 8, 4), (4, None, 6), (3, 0, 0)).filter(pl.col("exposure") == "form", pl.col("level") == "all")
    sizes = found.filter(pl.col("outcome") == "pain").group_by("among").agg(pl.col("n_respondents").unique())
    assert {among: sorted(n) for among, n in sizes.iter_rows()} == {
        "answered": [17],
        "answered_before": [13],
        "answered_both": [13],
        "could_improve": [10],
    }


def test_the_commonest_value_is_counted() -> None:
    found = pain((10, 8, 4), (4, 9, 5), (3, 5, 5))
    alike = {s: one(found, "pain", s)["n_alike"] for s in ("mean", "mean_baseline", "mean_change", "responder_30")}
    assert alike == {"mean": 10, "mean_baseline": 10, "mean_change": 14, "responder_30": None}


@pytest.mark.parametrize(("before", "asked"), [(0.0, True), (None, False)])
def test_who_began_at_nothing_was_asked_and_who_said_nothing_was_not(before: float | None, asked: bool) -> None:
    found = pain((30, before, 1.0), (10, before, 2.0))
    row = one(found, "pain", "responder_30", "Citrate")
    assert (row["n_respondents"], row["not_asked"]) == (0, not asked)
    assert one(found, "pain", "mean_change")["not_asked"] is not asked
    assert one(found, "pain", "mean")["not_asked"] is False
    told = disclose(found, Policy()).filter(pl.col("statistic").is_in(["responder_30", "responder_50"]))
    assert set(told["status"]) == {"suppressed" if asked else "not_asked"}


# --- Before and now together ------------------------------------------------------------------------------------------------


@settings(max_examples=30)
@given(PAIRS)
def test_the_correlation_of_before_and_now_is_that_of_the_rows(pairs: list[tuple[float | None, float | None]]) -> None:
    found = pain(*((1, before, after) for before, after in pairs))
    row, change = (one(found, "pain", name) for name in ("correlation_before_now", "mean_change"))
    for name in ("n_respondents", "n_missing", "among", "not_asked", "span"):
        assert row[name] == (change[name] if name != "span" else 10.0)
    both = np.array([(was, now) for was, now in pairs if was is not None and now is not None]).reshape(-1, 2)
    if len(both) < 2 or not both.std(axis=0).all():
        assert row["estimate"] is None
        return
    expected = stats.pearsonr(both[:, 0], both[:, 1])
    assert row["estimate"] == pytest.approx(expected.statistic, abs=1e-12)
    assert row["standard_error"] is None
    if len(both) > 3 and abs(row["estimate"]) < 1 - 1e-9:
        interval = expected.confidence_interval(0.95)
        assert (row["ci_lower"], row["ci_upper"]) == pytest.approx((interval.low, interval.high), rel=1e-6)


@pytest.mark.parametrize(("n_others", "shown"), [(9, False), (10, True)])
@pytest.mark.parametrize("alike", ["before", "now", "change"])
def test_a_correlation_is_hidden_where_nearly_all_are_alike(alike: str, n_others: int, shown: bool) -> None:
    pairs = {
        "before": lambda place: (5.0, float(place % 5)),
        "now": lambda place: (float(place % 5), 5.0),
        "change": lambda place: (float(place % 5), float(place % 5)),
    }
    others = {"before": (7.0, 2.0), "now": (2.0, 7.0), "change": (6.0, 3.0)}
    found = pain(*((1, *pairs[alike](place)) for place in range(60)), (n_others, *others[alike]))
    told = disclose(found, Policy())
    row = one(told, "pain", "correlation_before_now")
    assert (row["status"] != "suppressed") is shown
    if shown:
        assert row["estimate"] == round(row["estimate"], 2) and row["ci_lower"] == round(row["ci_lower"], 2)
        assert row["ci_lower"] < row["estimate"] < row["ci_upper"] and row["standard_error"] is None


# --- Shares -----------------------------------------------------------------------------------------------------------------


def test_options_know_their_question() -> None:
    found = estimated(people(SURVEY, (3, {"effect": "same", "side__nausea": True, "stopped": False})))
    questions = {
        name: one(found, name, "share")[of] for name, of in (("effect__same", "one_of"), ("side__nausea", "some_of"))
    }
    assert questions == {"effect__same": "effect", "side__nausea": "side"}
    assert one(found, "effect__same", "share")["some_of"] is None
    assert one(found, "stopped", "share")["one_of"] is None is one(found, "stopped", "share")["some_of"]


def test_who_answered_is_a_share_of_everybody() -> None:
    found = estimated(people(SURVEY, (30, {"sex": "female"}), (10, {"sex": "male"}), (5, {})))
    female = one(found, "respondents", "share", "Female", "sex")
    assert (female["n_respondents"], female["n_events"], female["n_missing"]) == (45, 30, 0)
    assert female["estimate"] == pytest.approx(30 / 45)
    assert one(found, "respondents", "share", "Not stated", "sex")["n_events"] == 5
    everybody = one(found, "respondents", "share", "all", "sex")
    assert (everybody["n_respondents"], everybody["n_events"]) == (45, 45)
    assert one(found, "respondents", "count", exposure="respondents")["estimate"] == 45.0


@pytest.mark.parametrize(
    ("answers", "not_asked"), [({"form": "citrate"}, True), ({"form": "citrate", "mood": 3.0}, False)]
)
def test_what_nobody_answered_was_not_asked(answers: dict[str, object], not_asked: bool) -> None:
    found = estimated(people(SURVEY, (3, answers)))
    for level in ("all", "Citrate", "Oxide"):
        assert one(found, "mood", "mean", level)["not_asked"] is not_asked


def test_no_answers_at_all_give_rows_without_estimates() -> None:
    found = estimated(community(0, 1))
    assert found.height > 0
    assert found.filter(pl.col("statistic") != "count")["estimate"].null_count() == found.height - 1
    assert (found["n_respondents"] == 0).all()


def test_estimates_have_their_columns_in_order_and_come_alike_every_time() -> None:
    answers = community(90, 8)
    first = estimated(answers)
    assert first.schema == pl.Schema(ESTIMATES_SCHEMA)
    assert first.equals(estimated(answers.reverse()))


def test_an_exposure_of_yes_and_no_has_two_levels_and_not_stated() -> None:
    instrument = survey(form=item("Takes any", "yes_no", "exposure"))
    found = estimated(
        people(instrument, (4, {"form": True, "mood": 2.0}), (3, {"form": False, "mood": 5.0}), (1, {"mood": 7.0})),
        instrument,
    )
    assert [one(found, "mood", "mean", level)["estimate"] for level in ("Yes", "No", "Not stated")] == [2.0, 5.0, 7.0]

"""Weighted statistics are those of the weighted rows; reliability is marked on both sides of each boundary."""

from typing import Literal

import numpy as np
import pytest
from counting import is_sound, numbers
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.regression.linear_model import WLS

from survey_pipeline.statistics import (
    Compared,
    Estimated,
    Reliability,
    Weighed,
    WeightedSample,
    beta_interval,
    kish_design_effect,
    kish_effective_n,
    mean,
    median,
    quantile,
    quantile_interval_ranks,
    reliability_of_mean,
    reliability_of_share,
    sample_of,
    weighted_difference,
    weighted_mean,
    weighted_quantile,
    weighted_share,
)
from survey_pipeline.statistics.reliability import is_wide
from survey_pipeline.statistics.weighted import Interval

weighted_rows = st.lists(st.tuples(numbers, st.sampled_from([0.25, 0.5, 1.0, 1.5, 4.0])), min_size=1, max_size=30)


def weighed(rows: list[tuple[float, float]]) -> WeightedSample:
    values, weights = (np.array([row[i] for row in rows]) for i in (0, 1))
    different = np.unique(values)
    here = [weights[values == value] for value in different]
    return WeightedSample(
        different,
        np.array([w.size for w in here], np.int64),
        np.array([w.sum() for w in here]),
        np.array([(w**2).sum() for w in here]),
    )


NOBODY = weighed([])
KINDS: tuple[Literal[2, 7], ...] = (2, 7)
INTERVALS: tuple[Interval, ...] = ("beta", "logit", "mean")


# --- Weighted means -----------------------------------------------------------------------------------------------------


@settings(max_examples=200)
@given(weighted_rows)
def test_a_weighted_mean_is_that_of_the_rows(rows: list[tuple[float, float]]) -> None:
    found = weighted_mean(weighed(rows))
    assert is_sound(found)
    values, weights = (np.array([row[i] for row in rows]) for i in (0, 1))
    n, centre = len(rows), np.average(values, weights=weights)
    assert found.estimate == pytest.approx(centre, rel=1e-12)
    if n == 1:
        assert found == Estimated(found.estimate)
        return
    influence = weights * (values - centre) / weights.sum()
    error = np.sqrt(n / (n - 1) * (influence**2).sum())
    reach = stats.t.ppf(0.975, n - 1) * error
    assert found.standard_error == pytest.approx(error, rel=1e-9, abs=1e-12)
    assert (found.ci_lower, found.ci_upper) == pytest.approx((centre - reach, centre + reach), rel=1e-9, abs=1e-9)


@settings(max_examples=100)
@given(st.lists(numbers, min_size=1, max_size=30))
def test_equal_weights_change_nothing_about_a_mean(values: list[float]) -> None:
    plain, found = sample_of(values), weighted_mean(weighed([(value, 2.5) for value in values]))
    expected = mean(plain.values, plain.counts)
    assert (found.estimate, found.standard_error) == pytest.approx((expected.estimate, expected.standard_error))


@settings(max_examples=100)
@given(weighted_rows)
def test_doubled_weights_change_nothing(rows: list[tuple[float, float]]) -> None:
    double = weighed([(value, 2 * weight) for value, weight in rows])
    for formula in (weighted_mean, lambda s: weighted_quantile(s, 0.5)):
        one, two = formula(weighed(rows)), formula(double)
        assert (two.estimate, two.standard_error) == pytest.approx((one.estimate, one.standard_error))
    people = weighed(rows).everybody()
    assert kish_effective_n(double.everybody()) == pytest.approx(kish_effective_n(people))
    assert kish_design_effect(people) == pytest.approx(people.n / (kish_effective_n(people) or 0))


def test_weighted_statistics_of_nobody() -> None:
    assert weighted_mean(NOBODY) == Estimated() == weighted_quantile(NOBODY, 0.5)
    assert weighted_difference(NOBODY, weighed([(1.0, 1.0)])) == Compared()
    assert weighted_share(Weighed(), Weighed()) == Estimated()
    assert kish_effective_n(Weighed()) is None is kish_design_effect(Weighed())


@settings(max_examples=150)
@given(weighted_rows, weighted_rows)
def test_a_weighted_difference_is_a_regression_on_the_group(
    one: list[tuple[float, float]], two: list[tuple[float, float]]
) -> None:
    found = weighted_difference(weighed(one), weighed(two))
    assert is_sound(found)
    if min(len(one), len(two)) < 2 or len({v for v, _ in one}) == len({v for v, _ in two}) == 1:
        assert found.p_value is None
        return
    values, weights = (np.array([row[i] for row in one + two]) for i in (0, 1))
    first = np.repeat([1.0, 0.0], [len(one), len(two)])
    fit = WLS(values, np.column_stack([np.ones(values.size), first]), weights=weights)
    n = values.size
    robust = fit.fit().get_robustcov_results("HC0").cov_params()[1][1]
    error = np.sqrt(robust * n / (n - 1))
    assert found.standard_error == pytest.approx(error, rel=1e-7)
    assert found.p_value == pytest.approx(2 * stats.t.sf(abs((found.estimate or 0) / error), n - 2), rel=1e-6)


# --- Weighted shares ----------------------------------------------------------------------------------------------------


@settings(max_examples=200)
@given(st.lists(st.tuples(st.booleans(), st.sampled_from([0.25, 1.0, 3.0])), min_size=1, max_size=40))
def test_a_weighted_share_is_the_weighted_mean_of_yes_and_no(rows: list[tuple[bool, float]]) -> None:
    sample = weighed([(float(event), weight) for event, weight in rows])
    others, events = sample.up_to(0.5)
    expected = weighted_mean(sample)
    for found in (
        weighted_share(events, others),
        weighted_share(events, others, interval="logit"),
        weighted_share(events, others, interval="mean"),
    ):
        assert is_sound(found)
        assert (found.estimate, found.standard_error) == pytest.approx((expected.estimate, expected.standard_error))
        if found.ci_lower is not None and found.ci_upper is not None and found.estimate is not None:
            assert found.ci_lower <= found.estimate <= found.ci_upper


def test_a_share_of_people_who_weigh_the_same_has_nearly_the_exact_interval() -> None:
    found = weighted_share(Weighed(30, 30, 30), Weighed(70, 70, 70))
    assert (found.ci_lower, found.ci_upper) == pytest.approx(beta_interval(0.3, 99), rel=1e-12)  # n - 1 in the variance


@pytest.mark.parametrize("interval", INTERVALS)
def test_where_nobody_or_everybody_has_the_event_the_exact_interval_stays(interval: Interval) -> None:
    people = Weighed(50, 100.0, 250.0)  # 40 effective people
    nobody = weighted_share(Weighed(), people, interval=interval)
    everybody = weighted_share(people, Weighed(), interval=interval)
    assert (nobody.estimate, nobody.standard_error, nobody.ci_lower) == (0, 0, 0)
    assert (everybody.estimate, everybody.standard_error, everybody.ci_upper) == (1, 0, 1)
    assert (nobody.ci_upper, everybody.ci_lower) == pytest.approx((1 - 0.025 ** (1 / 40), 0.025 ** (1 / 40)))


def test_what_is_left_of_the_weights_by_subtraction_is_nobody() -> None:
    """Sums of everybody minus sums of all of them leave a crumb of weight, but no person."""
    people, crumb = Weighed(50, 100.0, 250.0), Weighed(0, 1.4e-14, -2.8e-14)
    assert weighted_share(people, crumb).estimate == 1
    assert weighted_share(crumb, people).estimate == 0


def test_weights_too_small_to_be_squared_give_no_error() -> None:
    assert weighted_share(Weighed(2, 2e-9, 0.0), Weighed(3, 3e-9, 0.0)) == Estimated(0.4)


@settings(max_examples=200)
@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_exact_interval_is_scipys(k_of_n: tuple[int, int]) -> None:
    k, n = k_of_n
    expected = stats.binomtest(k, n).proportion_ci(method="exact")
    assert beta_interval(k / n, n) == pytest.approx((expected.low, expected.high), rel=1e-9, abs=1e-12)


# --- Quantiles ----------------------------------------------------------------------------------------------------------


@settings(max_examples=200)
@given(st.lists(numbers, min_size=1, max_size=50), st.sampled_from([0.05, 0.1, 0.25, 0.3, 0.5, 0.7, 0.75, 0.9]))
def test_quantiles_of_counted_values_are_those_of_the_rows(values: list[float], p: float) -> None:
    sample = sample_of(values)
    found, between = (quantile(sample.values, sample.counts, p, kind=kind) for kind in KINDS)
    # numpy takes 0.7 of 10 as a little under 7; R and we take it as 7, so it is asked at p in whole people.
    exact = round(p * len(values)) / len(values) if abs(p * len(values) - round(p * len(values))) < 1e-9 else p
    assert found.estimate == pytest.approx(np.quantile(values, exact, method="averaged_inverted_cdf"))
    assert between.estimate == pytest.approx(np.quantile(values, p))
    lowest = weighted_quantile(weighed([(value, 1.0) for value in values]), p).estimate
    assert lowest == pytest.approx(np.quantile(values, exact, method="inverted_cdf"))


@settings(max_examples=200)
@given(st.integers(0, 300), st.sampled_from([0.1, 0.25, 0.5, 0.75, 0.9]))
def test_a_quantiles_interval_is_the_narrowest_with_a_fortieth_on_each_side(n: int, p: float) -> None:
    ranks = quantile_interval_ranks(n, p)
    below, above = stats.binom(n, p).cdf, stats.binom(n, p).sf
    if ranks is None:
        assert n == 0 or below(0) > 0.025 or above(n - 1) > 0.025
        return
    low, high = ranks
    assert below(low) <= 0.025 < below(low + 1)
    assert above(high) <= 0.025 < above(high - 1)


def test_a_median_is_the_middle_quantile_and_weighs_everybody_alike() -> None:
    values = [1.0, 2.0, 2.0, 3.0, 5.0, 8.0, 9.0, 9.0, 10.0]
    sample = sample_of(values)
    assert median(sample.values, sample.counts) == quantile(sample.values, sample.counts, 0.5)
    assert weighted_quantile(weighed([(v, 3.0) for v in values]), 0.5).estimate == 5.0


@settings(max_examples=100)
@given(weighted_rows, st.sampled_from([0.1, 0.5, 0.9]))
def test_weighted_quantiles_lie_in_their_intervals(rows: list[tuple[float, float]], p: float) -> None:
    found = weighted_quantile(weighed(rows), p)
    assert is_sound(found)
    assert found.estimate in {value for value, _ in rows}
    if found.ci_lower is not None and found.ci_upper is not None and found.estimate is not None:
        assert found.ci_lower <= found.estimate <= found.ci_upper


# --- Samples ------------------------------------------------------------------------------------------------------------


def test_a_sample_is_sorted_merged_and_without_missing_answers() -> None:
    sample = sample_of([3.0, float("nan"), 1.0, 3.0, -0.0, 0.0], [1, 5, 0, 2, 1, 1])
    assert (sample.values.tolist(), sample.counts.tolist()) == ([0.0, 3.0], [2, 3])
    assert (sample.n, sample.mean) == (5, 1.8)
    assert sample.variance == pytest.approx(2.7)


def test_binary_noise_breaks_no_ties() -> None:
    sample = sample_of([7.1 - 7.0, 6.1 - 6.0, 0.3 - 0.2])
    assert (sample.values.tolist(), sample.counts.tolist()) == ([0.1], [3])
    assert (sample.mean, sample.variance) == (0.1, 0.0)


def test_samples_of_nobody_and_of_one() -> None:
    nobody, one = sample_of([]), sample_of([4.0])
    assert (nobody.n, nobody.mean, nobody.variance, nobody.sd) == (0, None, None, None)
    assert (one.n, one.mean, one.variance, one.sd) == (1, 4.0, None, None)


# --- Reliability --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("p", "n", "effective_n", "freedom", "expected"),
    [
        (None, 0, None, None, Reliability.UNRELIABLE),
        (0.1, 29, None, None, Reliability.UNRELIABLE),
        (0.1, 100, 29.9, None, Reliability.UNRELIABLE),  # a hundred people who tell as much as 29.9
        (0.5, 46, None, None, Reliability.UNRELIABLE),  # the exact interval of 23 of 46 is 0.302 wide
        (0.5, 48, None, None, Reliability.RELIABLE),  # of 24 of 48 it is 0.295
        (0.1, 90, None, None, Reliability.UNRELIABLE),  # 9 of 90: 0.135 wide, 135 per cent of 0.1
        (0.1, 100, None, None, Reliability.RELIABLE),  # 10 of 100: 0.127 wide, 127 per cent
        (0.01, 1000, None, None, Reliability.RELIABLE),  # 0.014 wide: narrow enough although 135 per cent of 0.01
        (0.5, 100, 200.0, None, Reliability.RELIABLE),  # never more than there are people
        (0.5, 100, None, 7.0, Reliability.REVIEW),
        (0.5, 100, None, 8.0, Reliability.RELIABLE),
        (0.0, 30, None, None, Reliability.REVIEW),
        (1.0, 1000, None, None, Reliability.REVIEW),
    ],
)
def test_reliability_of_shares(
    p: float | None, n: int, effective_n: float | None, freedom: float | None, expected: Reliability
) -> None:
    assert reliability_of_share(p, n, effective_n, freedom) == expected


def test_more_effective_people_than_people_count_as_people() -> None:
    assert reliability_of_share(0.5, 44, 1000.0) == Reliability.UNRELIABLE


@pytest.mark.parametrize(
    ("width", "p", "wide"),
    [
        (0.2999, 0.5, False),
        (0.30, 0.5, True),
        (0.05, 0.01, False),
        (0.0501, 0.01, True),
        (0.13, 0.1, False),
        (0.1301, 0.1, True),
    ],
)
def test_the_widths_on_both_sides_of_each_boundary(width: float, p: float, wide: bool) -> None:
    assert is_wide(width, p) == wide


@pytest.mark.parametrize(
    ("n", "effective_n", "span", "width", "expected"),
    [
        (29, None, None, 0.1, Reliability.UNRELIABLE),
        (30, None, None, 9.9, Reliability.RELIABLE),
        (100, 29.0, None, 0.1, Reliability.UNRELIABLE),
        (100, None, 10.0, 3.0, Reliability.UNRELIABLE),
        (100, None, 10.0, 2.9, Reliability.RELIABLE),
    ],
)
def test_reliability_of_means(
    n: int, effective_n: float | None, span: float | None, width: float, expected: Reliability
) -> None:
    found = Estimated(0.0, 1.0, -width / 2, width / 2)
    assert reliability_of_mean(found, n, effective_n, span=span) == expected


def test_no_mean_is_unreliable() -> None:
    assert reliability_of_mean(Estimated(), 100) == Reliability.UNRELIABLE

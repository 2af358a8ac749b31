"""Differences, effect sizes and adjustments agree with scipy and statsmodels, and with worked figures of their sources."""

from collections.abc import Sequence

import numpy as np
import pytest
from agreement.reference import ARE_AT_HAND, figures
from counting import is_sound, some
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep

from survey_pipeline.statistics import (
    Compared,
    Estimated,
    Sample,
    benjamini_hochberg,
    clustered_mean,
    correlation,
    difference_of_means,
    difference_of_shares,
    family_size,
    hedges_g,
    holm,
    mean,
    sample_of,
    standardised_change,
)
from survey_pipeline.statistics.effects import correction

of_constants = pytest.mark.filterwarnings("ignore:Precision loss:RuntimeWarning")
"""scipy warns where a group is constant; its variance is 0 all the same."""


def difference(one: Sequence[float], two: Sequence[float]) -> Compared:
    first, second = (mean(s.values, s.counts) for s in (sample_of(one), sample_of(two)))
    return difference_of_means(
        first.estimate, first.standard_error, len(one), second.estimate, second.standard_error, len(two)
    )


def g_of(one: Sample, two: Sample) -> Estimated:
    return hedges_g(one.mean, one.sd, one.n, two.mean, two.sd, two.n)


# --- Means --------------------------------------------------------------------------------------------------------------


@of_constants
@settings(max_examples=200)
@given(some, some)
def test_a_difference_of_means_is_welchs(one: list[float], two: list[float]) -> None:
    found = difference(one, two)
    assert is_sound(found)
    assert found.estimate == pytest.approx(np.mean(one) - np.mean(two), abs=1e-12)
    if min(len(one), len(two)) < 2 or (len(set(one)) < 2 and len(set(two)) < 2):
        assert found.p_value is found.ci_lower is None
        return
    expected = stats.ttest_ind(one, two, equal_var=False)
    interval = expected.confidence_interval()
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-8)
    assert found.degrees_of_freedom == pytest.approx(expected.df, rel=1e-10)
    assert (found.ci_lower, found.ci_upper) == pytest.approx((interval.low, interval.high), rel=1e-9, abs=1e-10)


@pytest.mark.parametrize(
    ("one", "two", "expected"),
    [
        ([], [1.0, 2.0], Compared()),
        ([3.0], [1.0, 2.0], Compared(1.5)),  # one person has no standard error
        ([3.0, 3.0], [1.0, 1.0], Compared(2.0, 0.0)),  # nothing to measure a difference of constants by
    ],
)
def test_a_difference_of_few(one: list[float], two: list[float], expected: Compared) -> None:
    assert difference(one, two) == expected


# --- Shares -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("k1", "n1", "k2", "n2", "lower", "upper"),
    [  # Newcombe 1998, Table II, method 10
        (56, 70, 48, 80, 0.0524, 0.3339),
        (9, 10, 3, 10, 0.1705, 0.8090),
        (5, 56, 0, 29, -0.0381, 0.1926),
        (0, 10, 0, 10, -0.2775, 0.2775),
        (10, 10, 0, 20, 0.6791, 1.0),
        (10, 10, 0, 10, 0.6075, 1.0),
    ],
)
def test_newcombes_own_examples(k1: int, n1: int, k2: int, n2: int, lower: float, upper: float) -> None:
    found = difference_of_shares(k1, n1, k2, n2)
    assert (found.ci_lower, found.ci_upper) == pytest.approx((lower, upper), abs=5.1e-5)


a_share = st.integers(1, 80).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@settings(max_examples=200)
@given(a_share, a_share)
def test_a_difference_of_shares_is_newcombes(one: tuple[int, int], two: tuple[int, int]) -> None:
    found = difference_of_shares(*one, *two)
    assert is_sound(found)
    expected = confint_proportions_2indep(*one, *two, method="newcomb", compare="diff")
    assert (found.ci_lower, found.ci_upper) == pytest.approx(expected, rel=1e-9, abs=1e-12)
    table = np.array([[one[0], one[1] - one[0]], [two[0], two[1] - two[0]]])
    if not table.sum(axis=0).all():
        assert found.p_value is None
        return
    assert found.p_value == pytest.approx(stats.chi2_contingency(table, correction=False).pvalue, rel=1e-8)


def test_a_share_of_nobody_has_no_difference() -> None:
    assert difference_of_shares(0, 0, 1, 2) == Compared() == difference_of_shares(1, 2, 0, 0)


# --- Effect sizes -------------------------------------------------------------------------------------------------------


@of_constants
@settings(max_examples=150)
@given(some, some)
def test_hedges_g_and_its_interval(one: list[float], two: list[float]) -> None:
    found = g_of(sample_of(one), sample_of(two))
    assert is_sound(found)
    if min(len(one), len(two)) < 2 or (len(set(one)) < 2 and len(set(two)) < 2):
        assert found == Estimated()
        return
    t = stats.ttest_ind(one, two)
    unit = np.sqrt(1 / len(one) + 1 / len(two)) * correction(int(t.df))
    assert found.estimate == pytest.approx(t.statistic * unit, rel=1e-9, abs=1e-12)
    assert found.ci_lower is not None and found.ci_upper is not None and found.estimate is not None
    assert found.ci_lower < found.estimate < found.ci_upper
    if abs(t.statistic) < 30:  # the observed t stands at either end of what the ends of the interval expect
        assert stats.nct.sf(t.statistic, t.df, found.ci_lower / unit) == pytest.approx(0.025, abs=1e-9)
        assert stats.nct.cdf(t.statistic, t.df, found.ci_upper / unit) == pytest.approx(0.025, abs=1e-9)


@settings(max_examples=100)
@given(some, some)
def test_the_other_way_round_g_has_the_other_sign(one: list[float], two: list[float]) -> None:
    found, back = g_of(sample_of(one), sample_of(two)), g_of(sample_of(two), sample_of(one))
    if found.estimate is not None:
        assert back.estimate == -found.estimate
        assert (back.ci_lower, back.ci_upper) == pytest.approx((-(found.ci_upper or 0), -(found.ci_lower or 0)))


@pytest.mark.parametrize(
    ("freedom", "j"),
    [(2, 1 / np.sqrt(np.pi)), (4, np.sqrt(2 / np.pi)), (3, np.sqrt(np.pi / 6)), (197, 0.996187247644458)],
)
def test_the_correction_in_closed_form_and_as_in_r(freedom: int, j: float) -> None:
    assert correction(freedom) == pytest.approx(j, rel=1e-12)


def test_great_differences_have_intervals_too() -> None:
    """Past what the noncentral t can be computed for, the interval goes on where it was: no jump, no error."""
    for n in (2, 5, 300):
        ends = [hedges_g(t, 1.0, n, 0.0, 1.0, n) for t in (999 * np.sqrt(2 / n), 1001 * np.sqrt(2 / n), 1e6)]
        assert all(is_sound(end) for end in ends)
        (before, after), far = ends[:2], ends[2]
        assert (after.ci_lower, after.ci_upper) == pytest.approx((before.ci_lower, before.ci_upper), rel=3e-3)
        assert far.ci_lower is not None and far.ci_upper is not None and far.ci_lower < 1e6 < far.ci_upper * 2


@pytest.mark.skipif(not ARE_AT_HAND, reason="the reference figures are not at hand")
def test_where_effectsize_and_we_differ_ours_solves_the_equation_better() -> None:
    case = figures("base_reference")["two_group_insomnia_by_while_working"]
    n1, n2 = case["n1"], case["n2"]
    found = hedges_g(case["mean1"], case["sd1"], n1, case["mean2"], case["sd2"], n2)
    unit = np.sqrt(1 / n1 + 1 / n2) * case["J_exact"]
    t = case["student_t"]["statistic"]

    def off(lower: float) -> float:
        return float(abs(stats.nct.sf(t, n1 + n2 - 2, lower / unit) - 0.025))

    assert found.ci_lower is not None
    assert off(found.ci_lower) < 1e-12 < 1e-9 < off(case["effectsize_hedges_g"]["lo"]) < 1e-7


@settings(max_examples=150)
@given(some)
def test_a_standardised_change_is_the_mean_by_its_own_spread(changes: list[float]) -> None:
    sample = sample_of(changes)
    found = standardised_change(sample.values, sample.counts)
    assert is_sound(found)
    if len(set(changes)) < 2:
        assert found == Estimated()
        return
    t = stats.ttest_1samp(changes, 0).statistic
    root = np.sqrt(len(changes))
    assert found.estimate == pytest.approx(t / root, rel=1e-9)
    assert found.ci_lower is not None and found.ci_upper is not None
    if abs(t) < 30:
        assert stats.nct.sf(t, len(changes) - 1, found.ci_lower * root) == pytest.approx(0.025, abs=1e-9)
        assert stats.nct.cdf(t, len(changes) - 1, found.ci_upper * root) == pytest.approx(0.025, abs=1e-9)


def test_changes_of_nobody_and_of_one() -> None:
    for changes in ([], [2.0], [2.0, 2.0]):
        sample = sample_of(changes)
        assert standardised_change(sample.values, sample.counts) == Estimated()


# --- Two numbers of the same people -------------------------------------------------------------------------------------


@settings(max_examples=150)
@given(st.lists(st.tuples(st.integers(0, 10), st.integers(0, 10), st.integers(1, 4)), max_size=12))
def test_a_correlation_of_counted_pairs_is_that_of_the_rows(pairs: list[tuple[int, int, int]]) -> None:
    first, second, counts = (np.array([pair[i] for pair in pairs]) for i in range(3))
    found = correlation(first.astype(float), second.astype(float), counts.astype(np.int64))
    assert is_sound(found)
    one, two = (np.repeat(part, counts.astype(int)) for part in (first, second))
    if len(set(one)) < 2 or len(set(two)) < 2:
        assert found == Estimated()
        return
    r = stats.pearsonr(one, two)
    assert found.estimate == pytest.approx(r.statistic, rel=1e-9, abs=1e-12)
    if one.size < 4 or abs(r.statistic) > 1 - 1e-9:
        return
    interval = r.confidence_interval()
    assert (found.ci_lower, found.ci_upper) == pytest.approx((interval.low, interval.high), rel=1e-7, abs=1e-9)


def test_a_mean_of_people_who_answer_once_each_is_a_mean() -> None:
    values = [1.0, 2.0, 2.0, 7.0]
    sample = sample_of(values)
    once = clustered_mean(np.array(values), np.ones(4, np.int64))
    assert once.estimate == 3.0
    assert once.standard_error == pytest.approx(mean(sample.values, sample.counts).standard_error, rel=1e-12)


def test_the_same_answer_again_tells_nothing_new() -> None:
    """Five weeks of the same answer leave the uncertainty as it was: it is the people who are a sample."""
    values = np.array([1.0, 2.0, 2.0, 7.0])
    once, often = (clustered_mean(values * n, np.full(4, n)) for n in (1, 5))
    assert (often.estimate, often.standard_error) == pytest.approx((once.estimate, once.standard_error))


def test_person_weeks_of_nobody_and_of_one_person() -> None:
    assert clustered_mean(np.empty(0), np.empty(0, np.int64)) == Estimated()
    assert clustered_mean(np.array([6.0]), np.array([3])) == Estimated(2.0)


# --- Families of tests --------------------------------------------------------------------------------------------------

p_values = st.lists(st.none() | st.floats(0, 1), max_size=20)


@settings(max_examples=200)
@given(p_values)
def test_adjusted_p_values_are_those_of_the_definitions(given_p: list[float | None]) -> None:
    """Holm's as his paper defines them (statsmodels' take long), Benjamini and Hochberg's by statsmodels."""
    there = [p for p in given_p if p is not None]
    assert family_size(given_p) == len(there)
    step_down = [max((len(there) - sum(q < r for q in there)) * r for r in there if r <= p) for p in there]
    theirs = multipletests(there, method="fdr_bh")[1].tolist() if there else []
    for ours, expected in ((holm(given_p), step_down), (benjamini_hochberg(given_p), theirs)):
        assert [p is None for p in ours] == [p is None for p in given_p]
        found = [p for p in ours if p is not None]
        assert found == pytest.approx([min(1.0, p) for p in expected], rel=1e-12)
        assert all(p <= adjusted <= 1 for p, adjusted in zip(there, found, strict=True))


def test_a_family_of_none_and_of_one() -> None:
    assert holm([]) == benjamini_hochberg([]) == []
    assert holm([None]) == benjamini_hochberg([None]) == [None]
    assert holm([0.04, None]) == benjamini_hochberg([0.04, None]) == [0.04, None]


def test_holms_adjustment_is_statsmodels() -> None:
    raw = [0.2, 0.001, 0.04, 0.04, 0.0, 1.0, 0.013]
    assert holm(raw) == pytest.approx(multipletests(raw, method="holm")[1].tolist(), rel=1e-12)


def test_adjustments_by_hand() -> None:
    assert holm([0.03, 0.01, None, 0.02]) == pytest.approx([0.04, 0.03, None, 0.04])
    assert benjamini_hochberg([0.03, 0.01, None, 0.02]) == pytest.approx([0.03, 0.03, None, 0.03])

"""Tests over several groups agree with scipy and statsmodels on the rows, whatever shape the data have."""

import warnings
from collections.abc import Sequence

import numpy as np
import pytest
from counting import filled, groups_of_people, is_sound, numbers, samples
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.nonparametric import jonckheere_terpstra as theirs_jonckheere
from statsmodels.stats.oneway import anova_oneway

from survey_pipeline import statistics
from survey_pipeline.statistics import (
    Sample,
    WorstCase,
    chi_squared,
    cochran_armitage,
    isotonic,
    jonckheere_terpstra,
    kruskal_wallis,
    monotone_direction,
    sample_of,
    welch_anova,
    worst_case_direction,
)

NO_TEST = statistics.Tested()
UNDEFINED: list[list[list[float]]] = [[], [[]], [[3.0]], [[1.0, 2.0], []], [[4.0] * 3, [4.0] * 2], [[], [], []]]
"""No group, nobody, one person, one group, constant values, several groups of nobody."""


def welch(groups: Sequence[Sample]) -> statistics.Tested:
    return welch_anova([g.mean for g in groups], [g.variance for g in groups], [g.n for g in groups])


# --- Any difference -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("groups", UNDEFINED)
def test_without_a_difference_to_find_there_is_no_test(groups: list[list[float]]) -> None:
    assert kruskal_wallis(samples(groups)) == NO_TEST
    assert jonckheere_terpstra(samples(groups)) == NO_TEST
    assert welch(samples(groups)) == NO_TEST


@settings(max_examples=300)
@given(groups_of_people)
def test_kruskal_wallis_is_that_of_the_rows(groups: list[list[float]]) -> None:
    found, rows = kruskal_wallis(samples(groups)), filled(groups)
    assert is_sound(found)
    if len(rows) < 2 or len(set(np.concatenate(rows))) < 2:
        assert found == NO_TEST
        return
    expected = stats.kruskal(*rows)
    assert (found.statistic, found.p_value) == pytest.approx((expected.statistic, expected.pvalue), rel=1e-9, abs=1e-11)
    assert (found.degrees_of_freedom, found.direction) == (len(rows) - 1, None)


@settings(max_examples=100)
@given(groups_of_people, st.randoms(use_true_random=False))
def test_the_order_of_groups_and_people_changes_no_digit(groups: list[list[float]], chance: object) -> None:
    again = [list(group) for group in groups]
    for group in again:
        chance.shuffle(group)  # type: ignore[attr-defined]
    assert jonckheere_terpstra(samples(again)) == jonckheere_terpstra(samples(groups))
    chance.shuffle(again)  # type: ignore[attr-defined]
    assert kruskal_wallis(samples(again)) == kruskal_wallis(samples(groups))
    assert welch(samples(again)) == welch(samples(groups))


@settings(max_examples=200)
@given(groups_of_people)
def test_welchs_anova_is_that_of_the_rows(groups: list[list[float]]) -> None:
    found, rows = welch(samples(groups)), filled(groups)
    assert is_sound(found)
    if len(rows) < 2 or any(len(set(row)) < 2 for row in rows):
        assert found == NO_TEST
        return
    expected = stats.f_oneway(*rows, equal_var=False)
    assert (found.statistic, found.p_value) == pytest.approx((expected.statistic, expected.pvalue), rel=1e-8, abs=1e-11)
    theirs = anova_oneway(rows, use_var="unequal", welch_correction=True)
    assert (found.degrees_of_freedom, found.degrees_of_freedom_2) == pytest.approx(theirs.df, rel=1e-9)


def test_welchs_anova_of_two_groups_is_welchs_t_squared() -> None:
    rows = [np.array([1.0, 2.0, 4.0, 4.5]), np.array([3.0, 3.5, 9.0])]
    t = stats.ttest_ind(*rows, equal_var=False)
    found = welch([sample_of(row) for row in rows])
    assert (found.statistic, found.p_value) == pytest.approx((t.statistic**2, t.pvalue), rel=1e-10)
    assert found.degrees_of_freedom_2 == pytest.approx(t.df, rel=1e-10)


@pytest.mark.parametrize(
    "table", [[], [[]], [[3, 4]], [[3], [4]], [[0, 0], [3, 4]], [[0, 3], [0, 4]], [[0, 0], [0, 0]]]
)
def test_a_table_of_one_row_or_column_has_no_chi_squared(table: list[list[int]]) -> None:
    assert chi_squared(table) == NO_TEST


@settings(max_examples=200)
@given(st.integers(2, 4).flatmap(lambda k: st.lists(st.lists(st.integers(0, 30), min_size=k, max_size=k), min_size=2)))
def test_chi_squared_is_scipys_without_correction(table: list[list[int]]) -> None:
    found = chi_squared(table)
    counts = np.array(table)
    counts = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    assert is_sound(found)
    if min(counts.shape) < 2:
        assert found == NO_TEST
        return
    expected = stats.chi2_contingency(counts, correction=False)
    assert (found.statistic, found.p_value) == pytest.approx((expected.statistic, expected.pvalue), rel=1e-9, abs=1e-11)
    assert found.degrees_of_freedom == expected.dof


# --- Trends -------------------------------------------------------------------------------------------------------------


@settings(max_examples=300)
@given(groups_of_people)
def test_jonckheere_terpstra_is_that_of_the_rows(groups: list[list[float]]) -> None:
    found, rows = jonckheere_terpstra(samples(groups)), filled(groups)
    assert is_sound(found)
    if len(rows) < 2 or len(set(np.concatenate(rows))) < 2:
        assert found == NO_TEST
        return
    expected = theirs_jonckheere(rows, alternative="two-sided")
    assert (found.statistic, found.p_value) == pytest.approx((expected.zstat, expected.pvalue), rel=1e-9, abs=1e-12)


@settings(max_examples=100)
@given(groups_of_people)
def test_the_other_way_round_a_trend_is_the_other_way_round(groups: list[list[float]]) -> None:
    found, back = jonckheere_terpstra(samples(groups)), jonckheere_terpstra(samples(groups[::-1]))
    assert back.p_value == found.p_value
    assert back.direction == {"up": "down", "down": "up"}.get(found.direction or "", found.direction)


def test_jonckheere_terpstra_by_hand() -> None:
    """Groups 1 2, 2 3, 4: of 8 pairs 7 rise and one is a tie, so rising minus falling is 7; its variance is 14.067."""
    found = jonckheere_terpstra(samples([[1, 2], [2, 3], [4]]))
    pairs = (5 * 4 * 15 - 2 * (2 * 1 * 9) - 2 * 1 * 9) / 18 + (2 * 2) * 2 / (2 * 5 * 4)
    assert found.statistic == pytest.approx(7 / np.sqrt(pairs), rel=1e-12)
    assert found.direction == "up"


def test_a_trend_of_many_millions_does_not_overflow() -> None:
    many = [Sample(np.array([0.0, 1.0]), np.array(n)) for n in ([3_000_000, 2_000_000], [2_999_000, 2_001_000])]
    found, pair = jonckheere_terpstra(many), stats.chi2_contingency([[3e6, 2e6], [2.999e6, 2.001e6]], correction=False)
    assert found.statistic is not None
    assert found.statistic**2 == pytest.approx(pair.statistic, rel=1e-6)


events_of = st.lists(
    st.integers(0, 30).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), min_size=1, max_size=6
)


@settings(max_examples=300)
@given(events_of, st.booleans())
def test_cochran_armitage_is_a_correlation_squared_times_n(counts: list[tuple[int, int]], smaller: bool) -> None:
    """Chi-squared is N r^2 (N - 1 in the other version), r being that of score and event among all people."""
    events, totals = [k for k, _ in counts], [n for _, n in counts]
    found = cochran_armitage(events, totals, n_minus_1=smaller)
    assert is_sound(found)
    score = np.repeat(np.arange(len(totals)), totals)
    event = np.concatenate([np.repeat([1, 0], [k, n - k]) for k, n in counts])
    if len(set(score)) < 2 or len(set(event)) < 2:
        assert found == NO_TEST
        return
    r = np.corrcoef(score, event)[0, 1]
    n = len(score)
    chi = (n - 1 if smaller else n) * r * r
    assert (found.statistic, found.p_value) == pytest.approx((chi, stats.chi2.sf(chi, 1)), rel=1e-7, abs=1e-9)
    assert found.direction == ("flat" if abs(r) < 1e-12 else "up" if r > 0 else "down")


def test_a_group_of_nobody_keeps_its_place_in_the_order() -> None:
    with_gap = cochran_armitage([1, 0, 3, 9], [10, 0, 10, 10])
    assert with_gap == cochran_armitage([1, 3, 9], [10, 10, 10], [0, 2, 3])
    assert with_gap != cochran_armitage([1, 3, 9], [10, 10, 10])


@settings(max_examples=200)
@given(st.lists(st.tuples(st.none() | numbers, st.integers(0, 5).map(float)), max_size=8), st.booleans())
def test_isotonic_lines_are_scipys_where_there_is_anybody(
    groups: list[tuple[float | None, float]], increasing: bool
) -> None:
    fitted = isotonic([m for m, _ in groups], [w for _, w in groups], increasing=increasing)
    there = [(m, w) for m, w in groups if m is not None and w > 0]
    assert [f is None for f in fitted] == [m is None or w == 0 for m, w in groups]
    line = [f for f in fitted if f is not None]
    assert line == sorted(line, reverse=not increasing)
    assert sum(f * w for f, (_, w) in zip(line, there, strict=True)) == pytest.approx(sum(m * w for m, w in there))


def test_isotonic_by_hand() -> None:
    assert isotonic([1.0, 3.0, None, 2.0, 5.0], [1, 1, 9, 3, 1]) == [1.0, 2.25, None, 2.25, 5.0]


@pytest.mark.parametrize(
    ("means", "direction"),
    [
        ([], None),
        ([1.0], None),
        ([None, 2.0, None], None),
        ([1.0, 1.0], "flat"),
        ([1.0, 2.0, 2.0, 3.0], "up"),
        ([3.0, None, 2.0, 2.0], "down"),
        ([1.0, 2.0, 1.0], None),
    ],
)
def test_a_shape_that_is_not_monotone_has_no_direction(means: list[float | None], direction: str | None) -> None:
    assert monotone_direction(means) == direction


# --- The worst case -----------------------------------------------------------------------------------------------------


def worst(cells: Sequence[tuple[int, int, float, int]]) -> WorstCase:
    low, high, values, counts = (np.array(part) for part in zip(*cells, strict=True))
    return worst_case_direction(low.astype(float), high.astype(float), values.astype(float), counts.astype(np.int64))


def test_where_places_are_certain_the_worst_case_is_the_case() -> None:
    found = worst([(0, 0, 1.0, 2), (1, 1, 2.0, 2), (2, 2, 6.0, 1)])
    assert (found.least, found.greatest) == pytest.approx((6.4, 6.4))
    assert found.direction == "up"


def test_a_direction_needs_every_reading() -> None:
    certain = [(0, 0, 1.0, 10), (2, 2, 3.0, 10)]
    assert worst([*certain, (0, 2, 2.5, 1)]).direction == "up"
    assert worst([*certain, (0, 2, 9.0, 30)]).direction == "flat"
    assert worst([(0, 0, 3.0, 10), (2, 2, 1.0, 10)]).direction == "down"


def test_the_worst_case_of_nobody_and_of_constant_values() -> None:
    none = np.empty(0)
    assert worst_case_direction(none, none, none, np.empty(0, np.int64)) == WorstCase()
    assert worst([(0, 2, 0.1, 3), (1, 2, 0.1, 7)]).direction == "flat"


@settings(max_examples=150)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), numbers, st.integers(1, 3)), min_size=1, max_size=5))
def test_the_worst_case_bounds_every_reading_and_is_reached(cells: list[tuple[int, int, float, int]]) -> None:
    cells = [(min(a, b), max(a, b), value, n) for a, b, value, n in cells]
    found = worst(cells)
    centre = sum(v * n for *_, v, n in cells) / sum(n for *_, n in cells)
    readings = [0.0]
    for low, high, value, n in cells:
        for _ in range(n):
            ends = (low * (value - centre), high * (value - centre))
            readings = [so_far + end for so_far in (min(readings), max(readings)) for end in ends]
    assert (found.least, found.greatest) == pytest.approx((min(readings), max(readings)), abs=1e-9)
    signs = {np.sign(round(end, 9)) for end in (min(readings), max(readings))}
    assert found.direction == {(1,): "up", (-1,): "down"}.get(tuple(signs), "flat")


def test_no_warning_is_hidden_in_tiny_variances() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = welch_anova([1.0, 2.0, 3.0], [5e-324, 1e-300, 1.0], [5, 5, 5])
    assert is_sound(found)

"""Formulas agree with scipy and with R, at both sides of every boundary, and counting values changes nothing."""

import json
from math import comb
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from builders import REFERENCE
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from survey_pipeline import statistics
from survey_pipeline.statistics import Counts, Estimated, Numbers, mean, median, median_interval_rank, share

FIGURES = REFERENCE / "base_reference.json"
FIRST_200 = REFERENCE / "mxmh_first200.csv"
with_reference = pytest.mark.skipif(not FIGURES.exists(), reason="the reference figures are not at hand")

answers = st.lists(st.sampled_from([0.0, 0.5, 1.0, 2.0, 5.0, 7.5, 10.0]), min_size=1, max_size=60)


def counted(values: npt.ArrayLike) -> tuple[Numbers, Counts]:
    different, counts = np.unique(np.asarray(values, dtype=float), return_counts=True)
    return different, counts.astype(np.int64)


def reference() -> Any:
    return json.loads(FIGURES.read_text(encoding="utf-8"))


def column(name: str) -> tuple[Numbers, Counts]:
    values = pl.read_csv(FIRST_200, infer_schema_length=None)[name].drop_nulls().cast(pl.Float64)
    return counted(values.to_numpy())


# --- Shares -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("k", "n"), [(0, 1), (1, 1), (0, 10), (10, 10), (1, 2), (1, 5), (3, 17), (155, 199), (1, 100_000)]
)
def test_a_share_has_wilsons_interval(k: int, n: int) -> None:
    interval = stats.binomtest(k, n).proportion_ci(method="wilson")
    found = share(k, n)
    assert found.estimate == k / n
    assert found.standard_error == pytest.approx(np.sqrt(k / n * (1 - k / n) / n), rel=1e-12)
    assert (found.ci_lower, found.ci_upper) == pytest.approx((interval.low, interval.high), rel=1e-10, abs=1e-15)


def test_a_share_of_nobody_is_nothing() -> None:
    assert share(0, 0) == Estimated()


@settings(max_examples=200)
@given(st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_a_shares_interval_holds_it_and_stays_between_0_and_1(k_of_n: tuple[int, int]) -> None:
    found = share(*k_of_n)
    assert found.ci_lower is not None and found.ci_upper is not None and found.estimate is not None
    assert 0 <= found.ci_lower <= found.estimate + 1e-12
    assert found.estimate - 1e-12 <= found.ci_upper <= 1


@with_reference
def test_shares_agree_with_r() -> None:
    figures = reference()
    cases = [
        figures["prop_while_working_yes"],
        *figures["prop_edge"].values(),
        *figures["wilson_by_freq_lofi_insomnia_ge5"].values(),
    ]
    assert len(cases) == 10
    for case in cases:
        found = share(case["k"], case["n"])
        assert found.estimate == pytest.approx(case["p"], rel=1e-10)
        assert (found.ci_lower, found.ci_upper) == pytest.approx(tuple(case["wilson"]), rel=1e-10, abs=1e-15)


# --- Means --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "estimate", "standard_error"),
    [
        ([], None, None),
        ([4.0], 4.0, None),  # one person has no standard error
        ([4.0, 6.0], 5.0, 1.0),
        ([3.0, 3.0, 3.0], 3.0, 0.0),
    ],
)
def test_a_mean_of_few(values: list[float], estimate: float | None, standard_error: float | None) -> None:
    found = mean(*counted(values))
    assert (found.estimate, found.standard_error) == (estimate, standard_error)
    assert (found.ci_lower is None) == (standard_error is None)


@settings(max_examples=200)
@given(answers.filter(lambda values: len(set(values)) > 1))
def test_a_mean_of_counted_values_is_the_mean_of_the_rows(values: list[float]) -> None:
    found = mean(*counted(values))
    error = stats.sem(values)
    low, high = stats.t.interval(0.95, len(values) - 1, loc=np.mean(values), scale=error)
    assert (found.estimate, found.standard_error) == pytest.approx((np.mean(values), error), rel=1e-10)
    assert (found.ci_lower, found.ci_upper) == pytest.approx((low, high), rel=1e-10, abs=1e-10)


@with_reference
@pytest.mark.parametrize("name", ["age", "hours", "anxiety", "depression", "insomnia", "ocd"])
def test_means_and_medians_agree_with_r(name: str) -> None:
    expected = reference()["mean"][name]
    values, counts = column(name)
    found = mean(values, counts)
    assert counts.sum() == expected["n"]
    assert (found.estimate, found.standard_error) == pytest.approx((expected["mean"], expected["se"]), rel=1e-10)
    assert (found.ci_lower, found.ci_upper) == pytest.approx(tuple(expected["t_ci"]), rel=1e-10)
    assert median(values, counts).estimate == expected["median"]


# --- Medians ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "rank"),
    [
        (0, None),
        (1, None),
        (2, None),
        (5, None),  # (1/2)^5 is 3.1 %: no two order statistics hold the median with 95 per cent
        (6, 0),  # (1/2)^6 is 1.6 %: the smallest and the greatest do
        (8, 0),
        (9, 1),
        (10, 1),
        (17, 4),
        (199, 85),
        (200, 85),
    ],
)
def test_the_rank_of_a_medians_interval(n: int, rank: int | None) -> None:
    assert median_interval_rank(n) == rank


@settings(max_examples=200)
@given(st.integers(6, 400))
def test_a_medians_interval_is_the_narrowest_that_holds_95_per_cent(n: int) -> None:
    rank = median_interval_rank(n)
    assert rank is not None

    def outside(r: int) -> float:
        return sum(comb(n, i) for i in range(r + 1)) * 2.0 ** (1 - n)

    assert outside(rank) <= 0.05 < outside(rank + 1)


@settings(max_examples=200)
@given(answers)
def test_a_median_of_counted_values_is_the_median_of_the_rows(values: list[float]) -> None:
    found, ordered = median(*counted(values)), sorted(values)
    assert found.estimate == np.median(values)
    rank = median_interval_rank(len(values))
    expected = (None, None) if rank is None else (ordered[rank], ordered[-1 - rank])
    assert (found.ci_lower, found.ci_upper) == expected
    assert found.standard_error is None


def test_a_median_of_nobody_is_nothing() -> None:
    assert median(*counted([])) == Estimated()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1.0], 1.0),
        ([1.0, 2.0], 1.5),
        ([1.0, 2.0, 10.0], 2.0),
        ([0.0] * 3 + [1.0] * 3, 0.5),
        ([0.0] * 4 + [1.0] * 3, 0.0),
    ],
)
def test_a_median_of_few(values: list[float], expected: float) -> None:
    assert median(*counted(values)).estimate == expected


def test_a_medians_interval_covers_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    found = [median(*counted(rng.normal(size=41).round(6))) for _ in range(2000)]
    holds = sum(f.ci_lower <= 0 <= f.ci_upper for f in found if f.ci_lower is not None and f.ci_upper is not None)
    rank = median_interval_rank(41)
    assert rank is not None
    nominal = 1 - 2 * float(stats.binom.cdf(rank, 41, 0.5))
    assert nominal >= 0.95
    assert abs(holds / 2000 - nominal) < 4 * np.sqrt(nominal * (1 - nominal) / 2000)


@with_reference
@pytest.mark.parametrize("name", ["age", "hours", "anxiety", "insomnia"])
def test_median_intervals_agree_with_r(name: str) -> None:
    expected = reference()["median_ci_exact"][name]
    found = median(*column(name))
    assert (found.ci_lower, found.ci_upper) == (expected["lo"], expected["hi"])
    assert median_interval_rank(expected["n"]) == expected["rank_lo"] - 1  # R counts from 1


@with_reference
@pytest.mark.parametrize("n", [5, 6, 10, 17])
def test_median_intervals_of_few_agree_with_r(n: int) -> None:
    expected = reference()["median_ci_exact"][f"small_n{n}"]
    found = median(*counted(np.arange(1, n + 1)))
    assert (found.ci_lower, found.ci_upper) == (expected["lo"], expected["hi"])


# --- Reliability of a mean of skewed answers ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "counts"), [([0.0, 1.0, 5.0], [50, 30, 4]), ([0.0, 10.0], [95, 5]), ([1.0, 2.0, 3.0], [10, 20, 10])]
)
def test_skewness_is_scipys(values: list[float], counts: list[int]) -> None:
    sample = statistics.Sample(np.array(values), np.array(counts))
    assert sample.skewness == pytest.approx(stats.skew(np.repeat(values, counts)), rel=1e-12, abs=1e-12)


def test_skewness_of_answers_that_are_all_the_same_is_not_defined() -> None:
    assert statistics.Sample(np.array([3.0]), np.array([40])).skewness is None
    assert statistics.Sample(np.array([]), np.array([], dtype=np.int64)).skewness is None


@pytest.mark.parametrize(
    ("n", "skewness", "expected"),
    [
        (100, 2.0, "unreliable"),
        (101, 2.0, "reliable"),
        (101, -2.0, "reliable"),
        (99, -2.0, "unreliable"),
        (40, None, "reliable"),
    ],
)
def test_a_mean_of_skewed_answers_needs_more_people(n: int, skewness: float | None, expected: str) -> None:
    found = statistics.Estimated(1.0, 0.1, 0.8, 1.2)
    assert statistics.reliability_of_mean(found, n, skewness=skewness) == expected

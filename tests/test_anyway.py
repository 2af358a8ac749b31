"""The band of what people would report anyway: worked by hand, and against a bivariate normal distribution."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import multivariate_normal, norm, t

from survey_pipeline.statistics import Counts, Estimated, Numbers, mean
from survey_pipeline.statistics.anyway import (
    MINIMUM_USUAL,
    Band,
    Usual,
    chances,
    expected_change,
    expected_share,
    is_beyond,
    usual,
)

GRID = np.arange(11.0)
Counted = tuple[Numbers, Counts]


def counted(*pairs: tuple[float, int]) -> Counted:
    return np.array([value for value, _ in pairs], float), np.array([n for _, n in pairs], np.int64)


def level(*given: tuple[float, float, int]) -> Usual:
    """From answers before and now, and how many people gave both."""
    before, now = (np.array([pair[side] for pair in given], float) for side in (0, 1))
    found = usual(before, now, np.array([n for _, _, n in given], np.int64))
    assert found is not None
    return found


def unmoved(*pairs: tuple[float, int]) -> Usual:
    """Everybody says now what they said before."""
    return level(*((value, value, n) for value, n in pairs))


def share(
    before: Counted,
    of: Usual | None,
    low: float,
    high: float,
    *,
    percent: float | None = None,
    points: float | None = None,
) -> Band | None:
    return expected_share(*before, of, low, high, grid=GRID, better="lower", percent=percent, points=points)


NONE_TAKEN = level((3, 3, 15), (3, 5, 10), (5, 3, 10), (5, 5, 30), (5, 7, 10), (7, 5, 10), (7, 7, 15))
"""Mean 5 before and now, with the same spread; a hundred people."""
BETTER_NOW = level((4, 3, 25), (4, 5, 25), (6, 3, 25), (6, 5, 25))
"""Mean 5 before and 4 now, each with variance 1 and without correlation; a hundred people."""

# --- The ordinary course ------------------------------------------------------------------------------------------------


def test_the_level_of_a_line_is_the_mean_of_what_it_leaves_with_its_interval() -> None:
    # Of now - before / 2 there is 3 - 2, 5 - 2, 3 - 3 and 5 - 3.
    plain = mean(*counted((0, 25), (1, 25), (2, 25), (3, 25)))
    assert plain.estimate is not None and plain.ci_upper is not None
    assert BETTER_NOW.level(0.5) == pytest.approx((1.5, plain.ci_upper - 1.5))
    assert BETTER_NOW.level(0.8) == pytest.approx((4 - 0.8 * 5, t.ppf(0.975, 99) * (1.64 / 99) ** 0.5))


def test_few_people_or_all_alike_show_no_course() -> None:
    before, now = np.array([4.0, 6.0]), np.array([5.0, 3.0])
    few, enough = (np.array([MINIMUM_USUAL - n, 1]) for n in (2, 1))
    assert usual(before, now, few) is None
    assert usual(before, now, enough) is not None
    assert usual(np.array([4.0, 4.0]), now, enough) is None
    assert usual(before, np.array([4.0, 4.0]), enough) is None
    assert usual(np.empty(0), np.empty(0), np.empty(0, np.int64)) is None


@pytest.mark.parametrize("missing", [(np.nan, 2.0), (2.0, np.nan), (np.nan, np.nan)])
def test_people_without_both_answers_show_no_course(missing: tuple[float, float]) -> None:
    before, now = np.array([4.0, 6.0, missing[0]]), np.array([5.0, 3.0, missing[1]])
    assert usual(before, now, np.array([MINIMUM_USUAL - 2, 1, 100])) is None
    found = usual(before, now, np.array([MINIMUM_USUAL - 1, 1, 100]))
    assert found is not None and found.level(0)[0] == pytest.approx((5 * 29 + 3) / 30)


# --- The expected change ------------------------------------------------------------------------------------------------


def test_who_began_three_points_above_is_expected_part_of_the_way_back() -> None:
    band = expected_change(*counted((7, 10), (9, 10)), NONE_TAKEN, 0.4, 0.8)
    low, high = NONE_TAKEN.level(0.4)[1], NONE_TAKEN.level(0.8)[1]
    assert band is not None
    assert band.estimate == pytest.approx((1 - 0.6) * (5 - 8))
    assert (band.lower, band.upper) == pytest.approx(((1 - 0.4) * (5 - 8) - low, (1 - 0.8) * (5 - 8) + high))


def test_what_moved_everybody_is_expected_besides() -> None:
    band = expected_change(*counted((6, 20), (8, 20)), BETTER_NOW, 0.5, 0.8)
    reach = t.ppf(0.975, 99) * np.sqrt([1.25 / 99, 1.64 / 99])
    assert band is not None
    assert band.estimate == pytest.approx(-1 + (1 - 0.65) * (5 - 7))
    assert (band.lower, band.upper) == pytest.approx((-1 - 0.5 * 2 - reach[0], -1 - 0.2 * 2 + reach[1]))


def test_who_began_like_those_who_take_none_is_expected_to_change_like_them() -> None:
    band = expected_change(*counted((5, 40)), BETTER_NOW, 0.4, 0.8)
    reach = t.ppf(0.975, 99) * (1.64 / 99) ** 0.5
    assert band is not None
    assert (band.lower, band.estimate, band.upper) == pytest.approx((-1 - reach, -1, -1 + reach))


def test_without_people_or_a_course_nothing_is_expected() -> None:
    assert expected_change(*counted(), NONE_TAKEN, 0.4, 0.8) is None
    assert expected_change(*counted((8, 20)), None, 0.4, 0.8) is None
    assert share(counted(), NONE_TAKEN, 0.4, 0.8, percent=30) is None
    assert share(counted((8, 20)), None, 0.4, 0.8, percent=30) is None


answers = st.lists(st.integers(0, 10), min_size=1, max_size=40)


def tallied(given: Sequence[int] | Numbers) -> Counted:
    values, counts = np.unique(np.asarray(given, float), return_counts=True)
    return values, counts.astype(np.int64)


@given(answers, answers, st.floats(0, 0.9), st.floats(0, 0.09))
def test_bands_hold_their_estimate_and_add_up_over_groups(
    first: list[int], second: list[int], lowest: float, width: float
) -> None:
    parts = [expected_change(*tallied(group), NONE_TAKEN, lowest, lowest + width) for group in (first, second)]
    whole = expected_change(*tallied(first + second), NONE_TAKEN, lowest, lowest + width)
    assert whole is not None and whole.lower - 1e-12 <= whole.estimate <= whole.upper + 1e-12
    together = sum(
        n * part.estimate for n, part in zip((len(first), len(second)), parts, strict=True) if part is not None
    )
    assert whole.estimate == pytest.approx(together / len(first + second), abs=1e-12)


pairs = st.lists(st.tuples(st.integers(0, 10), st.integers(0, 10)), min_size=MINIMUM_USUAL, max_size=60)
ranges = st.tuples(st.floats(0, 0.9), st.floats(0, 0.09)).map(lambda drawn: (drawn[0], drawn[0] + drawn[1]))


@given(pairs, ranges, st.sampled_from(["lower", "higher"]))
def test_those_who_take_none_are_never_beyond_their_own_band(
    given: list[tuple[int, int]], retest: tuple[float, float], better: str
) -> None:
    before, now = np.array(given, float).T
    found = usual(before, now, np.ones(len(given), np.int64))
    band = expected_change(*tallied(before), found, *retest)
    if found is None or band is None:
        assert not np.ptp(before) or not np.ptp(now)
    else:
        own = mean(*tallied(now - before))
        assert band.estimate == pytest.approx(own.estimate, abs=1e-9)
        assert not is_beyond(own, band, better)


@given(pairs, answers, ranges)
def test_where_nothing_moved_people_are_expected_part_of_the_way_back_to_the_mean(
    given: list[tuple[int, int]], started: list[int], retest: tuple[float, float]
) -> None:
    there = np.array([[*pair, *reversed(pair)] for pair in given], float).reshape(
        -1, 2
    )  # as often one way as the other
    found = usual(there[:, 0], there[:, 1], np.ones(len(there), np.int64))
    band = expected_change(*tallied(started), found, *retest)
    if band is None:
        assert not np.ptp(there)
    else:
        corners = [(1 - rho) * (there.mean() - np.mean(started)) for rho in retest]
        assert band.estimate == pytest.approx(sum(corners) / 2, abs=1e-9)
        assert band.lower <= min(corners) + 1e-9 and max(corners) - 1e-9 <= band.upper


@given(pairs, answers, ranges)
def test_no_correlation_inside_the_range_leads_out_of_the_band(
    given: list[tuple[int, int]], started: list[int], retest: tuple[float, float]
) -> None:
    before, now = np.array(given, float).T
    found = usual(before, now, np.ones(len(given), np.int64))
    whole = expected_change(*tallied(started), found, *retest)
    for rho in np.linspace(*retest, 7).tolist():
        one = expected_change(*tallied(started), found, rho, rho)
        assert (one is None) == (whole is None)
        assert one is None or whole is None or (whole.lower - 1e-9 <= one.lower and one.upper <= whole.upper + 1e-9)


def beyond_of(rng: np.random.Generator, drift: float, effect: float, n: int = 100) -> bool:
    """Whether n people who began after a bad week are beyond, where everybody drifts, and they have an effect besides."""
    retest, mu = rng.uniform(0.4, 0.8), rng.uniform(5, 7)
    weeks = [np.sqrt(retest) * rng.standard_normal(5 * n)] * 2
    before, now = (mu + 2 * (usually + np.sqrt(1 - retest) * rng.standard_normal(5 * n)) for usually in weeks)
    takes = np.argsort(before + 2 * rng.gumbel(size=5 * n)) >= 4 * n
    now = np.rint(now + drift + effect * takes).clip(0, 10)
    before = np.rint(before).clip(0, 10)
    none = np.flatnonzero(rng.random(5 * n) < 0.3)
    course = usual(before[none], now[none], np.ones(len(none), np.int64))
    band = expected_change(*tallied(before[takes]), course, 0.4, 0.8)
    return is_beyond(mean(*tallied((now - before)[takes])), band, "lower")


@pytest.mark.parametrize("drift", [0.0, -1.0, -2.0, 1.0])
def test_a_drift_of_everybody_is_seldom_taken_for_an_effect_and_hides_few(drift: float) -> None:
    rng = np.random.default_rng(7)
    found = [np.mean([beyond_of(rng, drift, effect) for _ in range(200)]) for effect in (0.0, -1.5)]
    assert found[0] <= 0.05
    assert found[1] >= 0.60


# --- The expected share -------------------------------------------------------------------------------------------------


def test_without_any_correlation_everybody_answers_like_those_who_take_none() -> None:
    many = unmoved((3, 25_000), (5, 50_000), (7, 25_000))
    # 30 % better than 8 is 5 or less: three in four. One person is spread over all answers, hence not quite.
    found = share(counted((8, 20)), many, 0, 0, percent=30)
    assert found is not None and found.estimate == pytest.approx(0.75, abs=1e-5)


def test_with_all_but_full_correlation_nobody_gets_better() -> None:
    found = share(counted((5, 20)), NONE_TAKEN, 0.98, 0.98, points=2)
    assert found is not None and found.estimate < 0.02


def test_with_all_but_full_correlation_people_move_as_those_of_their_rank() -> None:
    moved = level((3, 2, 25_000), (5, 4, 50_000), (7, 6, 25_000))
    one, two = (share(counted((5, 20)), moved, 0.98, 0.98, points=points) for points in (1, 2))
    assert one is not None and one.estimate > 0.97
    assert two is not None and two.estimate < 0.03


def test_where_everybody_is_better_more_would_be_better_anyway() -> None:
    found = [share(counted((7, 10), (8, 10)), of, 0.4, 0.8, percent=30) for of in (NONE_TAKEN, BETTER_NOW)]
    assert found[0] is not None and found[1] is not None
    assert found[1].estimate > found[0].estimate


def test_by_per_cent_people_at_zero_are_left_out_and_by_points_they_are_not() -> None:
    with_zero, without = counted((0, 20), (8, 20)), counted((8, 20))
    assert share(with_zero, NONE_TAKEN, 0.4, 0.8, percent=30) == share(without, NONE_TAKEN, 0.4, 0.8, percent=30)
    assert share(counted((0, 20)), NONE_TAKEN, 0.4, 0.8, percent=30) is None
    both, one = (share(people, NONE_TAKEN, 0.4, 0.8, points=2) for people in (with_zero, without))
    assert both is not None and one is not None and both.estimate == pytest.approx(one.estimate / 2)


def test_a_threshold_is_reached_exactly_in_binary_arithmetic_too() -> None:
    # 30 % of 10 is 3: from 10 to 7 counts, from 10 to 8 does not.
    rows = chances(NONE_TAKEN, GRID, 0.6)
    found = share(counted((10, 5)), NONE_TAKEN, 0.6, 0.6, percent=30)
    assert found is not None and found.estimate == pytest.approx(rows[10, :8].sum())


def test_higher_is_better_is_the_same_turned_round() -> None:
    people, turned = counted((6, 10), (8, 30)), counted((2, 30), (4, 10))
    down = expected_share(*people, NONE_TAKEN, 0.4, 0.8, grid=GRID, better="lower", points=2)
    up = expected_share(*turned, NONE_TAKEN, 0.4, 0.8, grid=GRID, better="higher", points=2)
    assert down is not None and up is not None
    assert (down.estimate, down.lower, down.upper) == pytest.approx((up.estimate, up.lower, up.upper), abs=1e-6)


@pytest.mark.parametrize("retest", [0.0, 0.4, 0.8])
@pytest.mark.parametrize(("mean_now", "sd_now"), [(6, 2), (4, 1.5), (7, 3)])
def test_chances_are_distributions_with_the_correlation_asked_for(
    retest: float, mean_now: float, sd_now: float
) -> None:
    start, end = (shares / shares.sum() for shares in (norm.pdf(GRID, 6, 2), norm.pdf(GRID, mean_now, sd_now)))
    pairs = [(was, now, int(1e7 * p * q)) for was, p in enumerate(start) for now, q in enumerate(end)]
    rows = chances(level(*pairs), GRID, retest)
    assert rows.sum(axis=1) == pytest.approx(1)
    assert start @ rows == pytest.approx(end, abs=2e-3)
    before, now = GRID - start @ GRID, GRID - end @ GRID
    correlation = (start * before) @ rows @ now / np.sqrt((start @ before**2) * (end @ now**2))
    assert correlation == pytest.approx(retest, abs=2e-3)


def test_chances_are_those_of_a_rounded_and_cut_bivariate_normal() -> None:
    mu, sd, latent = 6.5, 2.2, 0.6
    edges = (np.concatenate([[-30], GRID[:-1] + 0.5, [30]]) - mu) / sd
    below = multivariate_normal([0, 0], [[1, latent], [latent, 1]]).cdf
    corners = np.array([[float(below([a, b])) for b in edges] for a in edges])
    joint = np.diff(np.diff(corners, axis=0), axis=1)
    answered = joint.sum(axis=0)
    centred = GRID - answered @ GRID
    retest = float(centred @ joint @ centred / (answered @ centred**2))
    many = unmoved(*((float(value), round(1e8 * p)) for value, p in zip(GRID, answered, strict=True)))
    expected = joint / joint.sum(axis=1, keepdims=True)
    frequent = answered > 0.001
    assert chances(many, GRID, retest)[frequent] == pytest.approx(expected[frequent], abs=2e-3)


@given(answers, st.floats(0, 0.8), st.sampled_from([{"percent": 30.0}, {"percent": 50.0}, {"points": 2.0}]))
def test_shares_are_shares_and_lie_in_their_band(before: list[int], lowest: float, threshold: dict[str, float]) -> None:
    found = share(tallied(before), NONE_TAKEN, lowest, lowest + 0.1, **threshold)
    if found is None:
        assert "percent" in threshold and not any(before)
    else:
        assert 0 <= found.lower <= found.estimate <= found.upper <= 1 + 1e-12


def test_an_answer_nobody_who_takes_none_gave_has_a_place_as_well() -> None:
    found = share(counted((10, 20)), NONE_TAKEN, 0.4, 0.8, points=2)
    assert found is not None and 0.5 < found.estimate < 1


# --- Beyond -------------------------------------------------------------------------------------------------------------


def observed(lower: float | None, upper: float | None) -> Estimated:
    return Estimated(None if lower is None or upper is None else (lower + upper) / 2, 0.1, lower, upper)


@pytest.mark.parametrize(
    ("lower", "upper", "better", "beyond"),
    [
        (-2.0, -1.01, "lower", True),
        (-2.0, -1.0, "lower", False),
        (-2.0, -0.9, "lower", False),
        (0.51, 1.0, "lower", False),
        (0.51, 1.0, "higher", True),
        (0.5, 1.0, "higher", False),
        (-2.0, -1.01, "higher", False),
    ],
)
def test_beyond_is_the_whole_interval_on_the_better_side_of_the_whole_band(
    lower: float, upper: float, better: str, beyond: bool
) -> None:
    assert is_beyond(observed(lower, upper), Band(-0.2, -1.0, 0.5), better) is beyond


def test_nothing_is_beyond_without_a_band_or_an_interval() -> None:
    assert not is_beyond(observed(-9, -8), None, "lower")
    assert not is_beyond(observed(None, None), Band(0, -1, 1), "lower")
    assert not is_beyond(Estimated(-9.0), Band(0, -1, 1), "lower")

"""The band of what people would report anyway: worked by hand, and against a bivariate normal distribution."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import multivariate_normal, norm

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


def level(*pairs: tuple[float, int]) -> Usual:
    found = usual(*counted(*pairs))
    assert found is not None
    return found


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


NONE_TAKEN = level((3, 25), (5, 50), (7, 25))
"""Mean 5; a hundred people."""

# --- The usual level ----------------------------------------------------------------------------------------------------


def test_the_usual_level_is_the_mean_with_its_interval() -> None:
    plain = mean(*counted((3, 25), (5, 50), (7, 25)))
    found = (NONE_TAKEN.mean, NONE_TAKEN.ci_lower, NONE_TAKEN.ci_upper)
    assert found == pytest.approx((plain.estimate, plain.ci_lower, plain.ci_upper))
    assert NONE_TAKEN.sd == pytest.approx(np.std([3] * 25 + [5] * 50 + [7] * 25, ddof=1))


def test_few_people_or_all_alike_tell_no_usual_level() -> None:
    assert usual(*counted((4, MINIMUM_USUAL - 2), (6, 1))) is None
    assert usual(*counted((4, MINIMUM_USUAL - 1), (6, 1))) is not None
    assert usual(*counted((4, 100))) is None
    assert usual(*counted()) is None


# --- The expected change ------------------------------------------------------------------------------------------------


def test_who_began_three_points_above_is_expected_part_of_the_way_back() -> None:
    band = expected_change(*counted((7, 10), (9, 10)), NONE_TAKEN, 0.4, 0.8)
    low, high = NONE_TAKEN.ci_lower, NONE_TAKEN.ci_upper
    assert band is not None
    assert band.estimate == pytest.approx((1 - 0.6) * (5 - 8))
    assert (band.lower, band.upper) == pytest.approx(((1 - 0.4) * (low - 8), (1 - 0.8) * (high - 8)))


def test_who_began_as_usual_is_expected_to_stay_within_the_uncertainty() -> None:
    band = expected_change(*counted((5, 40)), NONE_TAKEN, 0.4, 0.8)
    reach = 0.6 * (NONE_TAKEN.ci_upper - 5)
    assert band is not None
    assert (band.lower, band.estimate, band.upper) == pytest.approx((-reach, 0, reach), abs=1e-12)


def test_without_people_or_usual_level_nothing_is_expected() -> None:
    assert expected_change(*counted(), NONE_TAKEN, 0.4, 0.8) is None
    assert expected_change(*counted((8, 20)), None, 0.4, 0.8) is None
    assert share(counted(), NONE_TAKEN, 0.4, 0.8, percent=30) is None
    assert share(counted((8, 20)), None, 0.4, 0.8, percent=30) is None


answers = st.lists(st.integers(0, 10), min_size=1, max_size=40)


def tallied(given: list[int]) -> Counted:
    values, counts = np.unique(np.array(given, float), return_counts=True)
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


# --- The expected share -------------------------------------------------------------------------------------------------


def test_without_any_correlation_everybody_answers_like_those_who_take_none() -> None:
    many = level((3, 25_000), (5, 50_000), (7, 25_000))
    # 30 % better than 8 is 5 or less: three in four. One person is spread over all answers, hence not quite.
    found = share(counted((8, 20)), many, 0, 0, percent=30)
    assert found is not None and found.estimate == pytest.approx(0.75, abs=1e-5)


def test_with_all_but_full_correlation_nobody_gets_better() -> None:
    found = share(counted((5, 20)), NONE_TAKEN, 0.98, 0.98, points=2)
    assert found is not None and found.estimate < 0.02


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
    mirror = level((3, 25), (5, 50), (7, 25))
    down = expected_share(*people, mirror, 0.4, 0.8, grid=GRID, better="lower", points=2)
    up = expected_share(*turned, mirror, 0.4, 0.8, grid=GRID, better="higher", points=2)
    assert down is not None and up is not None
    assert (down.estimate, down.lower, down.upper) == pytest.approx((up.estimate, up.lower, up.upper), abs=1e-6)


@pytest.mark.parametrize("retest", [0.0, 0.4, 0.8])
def test_chances_are_distributions_with_the_correlation_asked_for(retest: float) -> None:
    shares = norm.pdf(GRID, 6, 2)
    many = level(*((float(value), int(1e6 * p)) for value, p in zip(GRID, shares / shares.sum(), strict=True)))
    rows = chances(many, GRID, retest)
    start = many.counts / many.counts.sum()
    assert rows.sum(axis=1) == pytest.approx(1)
    assert start @ rows == pytest.approx(start, abs=2e-3)
    centred = GRID - start @ GRID
    correlation = (start * centred) @ rows @ centred / (start @ centred**2)
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
    many = level(*((float(value), round(1e8 * p)) for value, p in zip(GRID, answered, strict=True)))
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

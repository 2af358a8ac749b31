"""How often a 95 per cent interval holds the true value, for bounded answers of many shapes and 30 to 3,000 people.

What belongs here: drawing answers whose distribution is known exactly, and asking whether each interval holds the truth. What
does not: formulas of intervals; those are the project's own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.special import ndtr

from simulate.communities import HIGHEST, Numbers
from survey_pipeline import statistics
from survey_pipeline.statistics import Estimated, Sample, WeightedSample

SIZES = (30, 100, 300, 1000, 3000)
"""People in a group; of two groups, in each."""
SCALE = np.arange(HIGHEST + 1.0)
CHANGES = np.arange(-float(HIGHEST), HIGHEST + 1.0)
WEIGHTS = np.array([0.5, 1.0, 2.0, 4.0])

Draw = Callable[[np.random.Generator, int], Estimated]


def _bell(values: Numbers, mean: float, sd: float) -> Numbers:
    """A normal distribution rounded to these values and cut at their ends."""
    return np.asarray(np.diff(ndtr((np.concatenate([[-np.inf], values[:-1] + 0.5, [np.inf]]) - mean) / sd)))


def _falling(values: Numbers, ratio: float) -> Numbers:
    """Each value less frequent than the one before by this ratio: skewed."""
    chances = ratio ** (values - values[0])
    return np.asarray(chances / chances.sum())


ANSWERS: dict[str, Numbers] = {
    "symmetric": _bell(SCALE, 5, 2),
    "skewed": _falling(SCALE, 0.6),
    "6 in 10 at the bottom": 0.6 * (SCALE == 0) + 0.4 * _bell(SCALE, 4, 2.5),
    "19 in 20 at the bottom": 0.95 * (SCALE == 0) + 0.05 * _bell(SCALE, 6, 2),
    "7 in 10 at the top": 0.7 * (SCALE == HIGHEST) + 0.3 * _bell(SCALE, 6, 2.5),
}
"""How often each answer from 0 to 10 is given."""
DIFFERENCES: dict[str, Numbers] = {
    "symmetric": _bell(CHANGES, -1, 2),
    "half unchanged, the others better": 0.5 * (CHANGES == 0) + 0.5 * _bell(CHANGES, -2, 1.5),
    "9 in 10 unchanged, the others much better": 0.9 * (CHANGES == 0) + 0.1 * _bell(CHANGES, -5, 1.5),
}
"""How often each change from -10 to 10 is seen."""
SHARES = (0.02, 0.1, 0.3, 0.5)
PAIRS_OF_SHARES = ((0.02, 0.1), (0.1, 0.3), (0.3, 0.5))


@dataclass(frozen=True)
class Case:
    """A statistic of a known distribution: its true value, and how to draw people and estimate it."""

    statistic: str
    shape: str
    truth: float
    draw: Draw


def cases() -> list[Case]:
    """All of them, in the order in which they are printed."""
    return [
        *(Case("mean", shape, _mean(SCALE, p), partial(_one_mean, SCALE, p)) for shape, p in ANSWERS.items()),
        *(
            Case("mean_change", shape, _mean(CHANGES, p), partial(_one_mean, CHANGES, p))
            for shape, p in DIFFERENCES.items()
        ),
        *(Case("median", shape, _median(SCALE, p), partial(_one_median, p)) for shape, p in ANSWERS.items()),
        *(Case("share", f"{100 * p:g} in 100", p, partial(_one_share, p)) for p in SHARES),
        *(_two_means(shape, p) for shape, p in ANSWERS.items()),
        *(_two_shares(one, two) for one, two in PAIRS_OF_SHARES),
        *(_effect(shape, p) for shape, p in ANSWERS.items()),
        *(_weighted_mean_case(shape, p) for shape, p in ANSWERS.items()),
        *(_weighted_share_case(p) for p in SHARES),
    ]


@dataclass(frozen=True)
class Covered:
    """Of some intervals of a case: how many hold the true value; how many are sound by Cochran's rule; and how many of those
    hold it (both 0 where the rule says nothing of the statistic).
    """

    holding: int
    sound: int
    sound_holding: int


def covered(task: tuple[int, int, int, tuple[int, ...]]) -> Covered:
    """Draw and estimate again and again; a task (case, people, repeats, seed) for a worker."""
    place, n_people, repeats, seed = task
    case, rng = cases()[place], np.random.default_rng(seed)
    found = [case.draw(rng, n_people) for _ in range(repeats)]
    holding = [_holds(one, case.truth) for one in found]
    sound = [isinstance(one, Sounded) and one.sound for one in found]
    return Covered(sum(holding), sum(sound), sum(one and other for one, other in zip(holding, sound, strict=True)))


@dataclass(frozen=True)
class Sounded(Estimated):
    """A mean, and whether its sample is large enough for its skewness."""

    sound: bool = False


def is_sound(people: Sample) -> bool:
    """Cochran's rule (Sampling Techniques, 3rd edition 1977, section 2.15): n above 25 times the squared skewness."""
    if people.mean is None or not people.sd:
        return False
    away = people.values - people.mean
    second, third = (float(people.counts @ away**power) / people.n for power in (2, 3))
    return people.n > 25 * third**2 / second**3


def _holds(found: Estimated, truth: float) -> bool:
    """An interval that cannot be given holds nothing."""
    if found.ci_lower is None or found.ci_upper is None:
        return False
    return found.ci_lower - 1e-12 <= truth <= found.ci_upper + 1e-12


def _mean(values: Numbers, chances: Numbers) -> float:
    return float(values @ chances)


def _sd(values: Numbers, chances: Numbers) -> float:
    return float(np.sqrt(chances @ (values - values @ chances) ** 2))


def _median(values: Numbers, chances: Numbers) -> float:
    return float(values[np.searchsorted(np.cumsum(chances), 0.5)])


def _people(values: Numbers, chances: Numbers, rng: np.random.Generator, n: int) -> Sample:
    counts = rng.multinomial(n, chances)
    return Sample(values[counts > 0], counts[counts > 0].astype(np.int64))


def _one_mean(values: Numbers, chances: Numbers, rng: np.random.Generator, n: int) -> Estimated:
    people = _people(values, chances, rng, n)
    found = statistics.mean(people.values, people.counts)
    numbers = (found.estimate, found.standard_error, found.ci_lower, found.ci_upper)
    return Sounded(*numbers, sound=is_sound(people))


def _one_median(chances: Numbers, rng: np.random.Generator, n: int) -> Estimated:
    people = _people(SCALE, chances, rng, n)
    return statistics.median(people.values, people.counts)


def _one_share(p: float, rng: np.random.Generator, n: int) -> Estimated:
    return statistics.share(int(rng.binomial(n, p)), n)


def _better(chances: Numbers) -> Numbers:
    """The same people with 3 in 10 of them one point lower."""
    lower = np.append(chances[1:], 0.0)
    lower[0] += chances[0]
    return 0.7 * chances + 0.3 * lower


def _two_means(shape: str, chances: Numbers) -> Case:
    other = _better(chances)

    def draw(rng: np.random.Generator, n: int) -> Estimated:
        one, two = (_one_mean(SCALE, p, rng, n) for p in (chances, other))
        return statistics.difference_of_means(one.estimate, one.standard_error, n, two.estimate, two.standard_error, n)

    return Case("difference_mean", shape, _mean(SCALE, chances) - _mean(SCALE, other), draw)


def _two_shares(one: float, two: float) -> Case:
    def draw(rng: np.random.Generator, n: int) -> Estimated:
        return statistics.difference_of_shares(int(rng.binomial(n, one)), n, int(rng.binomial(n, two)), n)

    return Case("difference_share", f"{100 * one:g} and {100 * two:g} in 100", one - two, draw)


def _effect(shape: str, chances: Numbers) -> Case:
    other = _better(chances)
    pooled = np.sqrt((_sd(SCALE, chances) ** 2 + _sd(SCALE, other) ** 2) / 2)

    def draw(rng: np.random.Generator, n: int) -> Estimated:
        one, two = (_people(SCALE, p, rng, n) for p in (chances, other))
        return statistics.hedges_g(one.mean, one.sd, n, two.mean, two.sd, n)

    return Case("hedges_g", shape, float((_mean(SCALE, chances) - _mean(SCALE, other)) / pooled), draw)


def _weighing(chances: Numbers) -> Numbers:
    """How often each value (rows) comes with each weight (columns): people with higher values weigh more."""
    place = np.linspace(0, 1, len(chances))[:, np.newaxis]
    low, high = np.array([0.4, 0.3, 0.2, 0.1]), np.array([0.1, 0.2, 0.3, 0.4])
    return np.asarray(chances[:, np.newaxis] * ((1 - place) * low + place * high))


def _weighted_people(chances: Numbers, rng: np.random.Generator, n: int) -> WeightedSample:
    joint = _weighing(chances)
    counts = rng.multinomial(n, joint.ravel()).reshape(joint.shape)
    there = counts.sum(axis=1) > 0
    found = counts[there]
    values = np.arange(float(len(chances)))[there]
    return WeightedSample(values, found.sum(axis=1).astype(np.int64), found @ WEIGHTS, found @ WEIGHTS**2)


def _weighted_truth(values: Numbers, chances: Numbers) -> float:
    weights = _weighing(chances) @ WEIGHTS
    return float(values @ weights / weights.sum())


def _weighted_mean_case(shape: str, chances: Numbers) -> Case:
    def draw(rng: np.random.Generator, n: int) -> Estimated:
        return statistics.weighted_mean(_weighted_people(chances, rng, n))

    return Case("weighted_mean", shape, _weighted_truth(SCALE, chances), draw)


def _weighted_share_case(p: float) -> Case:
    chances = np.array([1 - p, p])

    def draw(rng: np.random.Generator, n: int) -> Estimated:
        others, events = _weighted_people(chances, rng, n).up_to(0.0)
        return statistics.weighted_share(events, others)

    truth = _weighted_truth(np.array([0.0, 1.0]), chances)
    return Case("weighted_share", f"{100 * truth:.0f} in 100 by weight", truth, draw)

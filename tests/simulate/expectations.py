"""Which way of saying what is expected anyway comes nearest to the truth, in large populations of many shapes.

What belongs here: the straight line of the sources, a normal distribution rounded and cut, and a normal copula, each against
what the population truly does. What does not: what is unknown in a real survey; here the mean and the correlation are given.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.special import ndtr

from simulate.bands import GRID, RESPONDER_PERCENT, counted, paired, responders
from simulate.communities import HIGHEST, Numbers
from survey_pipeline.statistics import anyway

N_PEOPLE = 400_000
PICKED = (0.5, 1.0, 2.0)
"""How strongly people are picked by their baseline: by so many standard deviations, were it normal."""

Make = Callable[[np.random.Generator], Numbers]


def _normal(mean: float, sd: float) -> Make:
    return lambda rng: rng.normal(mean, sd, N_PEOPLE)


def _spells(rng: np.random.Generator) -> Numbers:
    """One week in five is three points worse."""
    return np.where(rng.random(N_PEOPLE) < 0.2, 3.0, 0.0) + rng.normal(0, 0.8, N_PEOPLE)


SHAPES: dict[str, tuple[Make, Make]] = {
    "normal, in the middle of the scale": (_normal(5.5, 1.5), _normal(0, 1.3)),
    "heaped at the top of the scale": (_normal(9, 2), _normal(0, 1.5)),
    "heaped at the bottom of the scale": (_normal(1.5, 2), _normal(0, 1.5)),
    "usual levels skewed": (lambda rng: rng.gamma(1.5, 1.6, N_PEOPLE), _normal(0, 1.3)),
    "two kinds of people": (
        lambda rng: rng.choice([3.0, 7.5], N_PEOPLE) + rng.normal(0, 0.7, N_PEOPLE),
        _normal(0, 1.5),
    ),
    "rare bad weeks, three points worse": (_normal(4, 1.5), _spells),
}
"""How usual levels are spread, and the departures of a week from them."""


@dataclass(frozen=True)
class Missed:
    """By how much each way misses the true mean change (points) and the true share of responders (0 to 1)."""

    shape: str
    picked: float
    change: float
    line: float
    normal: float
    copula: float
    share: float
    share_normal: float
    share_copula: float


@cache
def missed(task: tuple[str, tuple[int, ...]]) -> list[Missed]:
    """All strengths of picking for one shape; a task for a worker."""
    shape, seed = task
    rng = np.random.default_rng(seed)
    make_usual, make_week = SHAPES[shape]
    usual = make_usual(rng)
    before, now = (np.clip(np.rint(usual + make_week(rng)), 0, HIGHEST) for _ in range(2))
    return [_missed(shape, strength, before, now, rng) for strength in PICKED]


def _missed(shape: str, strength: float, before: Numbers, now: Numbers, rng: np.random.Generator) -> Missed:
    retest, mean, sd = float(np.corrcoef(before, now)[0, 1]), float(now.mean()), float(now.std())
    chance = np.exp(strength * (before - before.mean()) / before.std())
    picked = rng.random(len(before)) < chance / np.quantile(chance, 0.98)
    level, baselines = anyway.usual(*paired(before, now)), counted(before[picked])
    line = anyway.expected_change(*baselines, level, retest, retest)
    share = anyway.expected_share(
        *baselines, level, retest, retest, grid=GRID, better="lower", percent=RESPONDER_PERCENT
    )
    assert level is not None and line is not None and share is not None
    normal, copula = _rounded_normal(mean, sd, retest), anyway.chances(level, GRID, retest)
    places, counts = baselines[0].astype(int), baselines[1] / baselines[1].sum()
    truth = float((now - before)[picked].mean())
    responding = responders(before[picked], now[picked], "lower").estimate or 0.0
    return Missed(
        shape,
        float(before[picked].mean()) - mean,
        truth,
        line.estimate - truth,
        float(counts @ (normal @ GRID - GRID)[places]) - truth,
        float(counts @ (copula @ GRID - GRID)[places]) - truth,
        responding,
        _share(normal, places, counts) - responding,
        share.estimate - responding,
    )


def _rounded_normal(mean: float, sd: float, retest: float) -> Numbers:
    """The chance of each answer now for each answer before, by a normal distribution rounded and cut at the ends."""
    centres = mean + retest * (GRID - mean)
    edges = np.concatenate([[-np.inf], GRID[:-1] + 0.5, [np.inf]])
    return np.asarray(np.diff(ndtr((edges - centres[:, np.newaxis]) / (sd * np.sqrt(1 - retest**2))), axis=1))


def _share(chances: Numbers, places: np.ndarray, counts: Numbers) -> float:
    """Responders among those who can improve."""
    reached = GRID[:, np.newaxis] - GRID >= RESPONDER_PERCENT / 100 * GRID[:, np.newaxis] - anyway.TOLERANCE
    weights = counts * (GRID[places] > 0)
    return float(weights @ (chances * reached).sum(axis=1)[places] / weights.sum())

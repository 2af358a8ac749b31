"""What people with this baseline would report anyway: the band of regression to the mean.

What belongs here: the expected change and the expected share of responders if nothing had been taken, and the rule by which
an observed change lies beyond them. What does not: wording, levels, and which group stands for the usual level.

Whoever starts something in a bad spell is better later, whatever was started: untreated people with an equal baseline
improve as much (Whitney and Von Korff 1992, Pain 50:281). Let answers before and now have the same mean mu and standard
deviation in an unselected community, and the correlation rho. If people were picked by their baseline answer, in whatever
way, the expected answer now of somebody who began at x is mu + rho (x - mu) (Davis 1976, Am J Epidemiol 104:493; Barnett,
van der Pols and Dobson 2005, Int J Epidemiol 34:215). Neither mu nor rho is known here: mu is the mean now of people who
take none, with its interval, and rho lies in a range that the instrument declares. They are let vary over all these values,
as in BMC Med Res Methodol 2008;8:52 for mu alone, and that is the band.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from itertools import product
from math import sqrt

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from survey_pipeline.statistics.counted import Counts, Numbers, Sample, total
from survey_pipeline.statistics.results import Estimated, t_quantile

MINIMUM_USUAL = 30
"""Fewer people than this say nothing reliable of a usual level: the least effective sample of the NCHS standards (Vital
Health Stat 2(175), 2017)."""
N_CORRELATIONS = 5
"""In so many steps the range of correlations is gone through for shares, which may have their extreme inside it."""
TOLERANCE = 1e-9
"""30 % of 7 is 2.1, and 2.1 must reach it in binary arithmetic too."""
N_CORRECTIONS = 3
"""So many steps find the correlation of normal scores to a thousandth."""
HIGHEST_LATENT = 0.999
FEW_CELLS, NODES_OF_FEW, NODES_OF_MANY = 21, 7, 3
"""At so many places each cell of a baseline is integrated: the cells of a long scale are narrow."""
_FARTHEST = 1e-12
_SHIFTS = np.linspace(-4, 4, 401)


@dataclass(frozen=True)
class Usual:
    """How an unselected part of the community is now, in the item's units: the mean with its 95 % interval, the standard
    deviation, and the answers themselves (`values` ascending, `counts` people).
    """

    mean: float
    sd: float
    ci_lower: float
    ci_upper: float
    values: Numbers = field(repr=False, compare=False)
    counts: Counts = field(repr=False, compare=False)


@dataclass(frozen=True)
class Band:
    """What would be expected anyway: at the usual level and the middle correlation, and the least and the most over both."""

    estimate: float
    lower: float
    upper: float


def usual(values: Numbers, counts: Counts) -> Usual | None:
    """The community's usual level from the answers now of people who were not picked for a bad spell (who take none).

    `values` ascending, `counts` people. None with fewer than `MINIMUM_USUAL` people, or where all say the same.
    """
    sample = Sample(values, counts)
    if sample.mean is None or not sample.sd or sample.n < MINIMUM_USUAL:
        return None
    reach = t_quantile(sample.n - 1) * sample.sd / sqrt(sample.n)
    return Usual(sample.mean, sample.sd, sample.mean - reach, sample.mean + reach, values, counts)


def expected_change(
    before_values: Numbers,
    before_counts: Counts,
    usual: Usual | None,
    retest_lowest: float,
    retest_highest: float,
) -> Band | None:
    """The mean change (now minus before, in the item's units) expected anyway of people with these baselines.

    `before_values`, `before_counts`: baselines of the people with both answers. The expectation is the mean over
    them of (1 - rho) (mu - x); `lower` and `upper` are its least and greatest value over the correlations from
    `retest_lowest` to `retest_highest` and mu within its interval. None without people or without a usual level.

    The straight line is kept on bounded scales too: distributions rounded and cut to the grid come no nearer to the truth
    (`docs/simulations.md`).
    """
    n = int(before_counts.sum())
    if usual is None or n == 0:
        return None
    before = total(before_values * before_counts) / n
    middle = (retest_lowest + retest_highest) / 2
    levels, correlations = (usual.ci_lower, usual.ci_upper), (retest_lowest, retest_highest)
    # The expectation is linear in mu and in rho, so that its extremes lie in the corners.
    corners = [(1 - rho) * (mu - before) for mu, rho in product(levels, correlations)]
    return Band((1 - middle) * (usual.mean - before), min(corners), max(corners))


def expected_share(
    before_values: Numbers,
    before_counts: Counts,
    usual: Usual | None,
    retest_lowest: float,
    retest_highest: float,
    *,
    grid: Numbers,
    better: str,
    percent: float | None = None,
    points: float | None = None,
) -> Band | None:
    """The share (0 to 1) of people with these baselines who would reach a threshold anyway.

    `grid`: every answer the item takes, ascending and equally spaced. `better`: "lower" or "higher". Exactly one of
    `percent` (of the own baseline; people who start at 0 are left out, as in the observed share) and `points`. None
    without people or without a usual level.

    Answers before and now of the unselected community are joined by a normal copula: both are distributed as the answers
    now of people who take none, and have the correlation rho. The share is the mean over the baselines of the chance to
    reach the threshold. Where answers heap at an end of the scale a normal distribution, rounded and cut, misses the true
    share by 3 or 4 in 100, and this by less than 1. Where usual levels or weeks are far from normal both miss
    (`docs/simulations.md`). The lowest and the highest share are sought over the same range as those of `expected_change`.
    """
    counts = before_counts if percent is None else np.where(before_values > 0, before_counts, 0)
    if usual is None or not counts.sum():
        return None
    reached = _reaches(before_values, grid, better, percent, points)
    shares, places = _smoothed(usual, grid), _places(before_values, grid)

    def share(rho: float, shift: float) -> float:
        reaching = (_transitions(shares, _latent(shares, rho), shift)[places] * reached).sum(axis=1)
        return total(counts * reaching) / int(counts.sum())

    correlations = np.linspace(retest_lowest, retest_highest, N_CORRELATIONS).tolist()
    shifts = [_shift(shares, (mean - grid[0]) / _step(grid)) for mean in (usual.ci_lower, usual.ci_upper)]
    middle = share((retest_lowest + retest_highest) / 2, 0.0)
    found = [middle, *(share(rho, shift) for rho, shift in product(correlations, shifts))]
    return Band(middle, min(found), max(found))


def is_beyond(observed: Estimated, band: Band | None, better: str) -> bool:
    """Whether the whole 95 % interval of an observed change lies on the better side of the whole band.

    `better`: "lower" or "higher", for a change in the item's units; for a share of responders it is "higher". False where
    the band or the interval is not defined.
    """
    if band is None or observed.ci_lower is None or observed.ci_upper is None:
        return False
    return observed.ci_upper < band.lower if better == "lower" else observed.ci_lower > band.upper


def chances(usual: Usual, grid: Numbers, retest: float) -> Numbers:
    """The chance of each answer now (columns) for each answer before (rows), if nothing had been taken and the correlation
    were `retest`. Both axes are the grid's values.
    """
    shares = _smoothed(usual, grid)
    return _transitions(shares, _latent(shares, retest), 0.0)


# --- The chance of each answer now, for each answer before -----------------------------------------------------------------


def _places(values: Numbers, grid: Numbers) -> npt.NDArray[np.intp]:
    """The place on the grid of each value."""
    places: npt.NDArray[np.intp] = np.rint((values - grid[0]) / _step(grid)).astype(np.intp).clip(0, len(grid) - 1)
    return places


def _step(grid: Numbers) -> float:
    return float(grid[-1] - grid[0]) / max(1, len(grid) - 1)


def _reaches(
    before: Numbers, grid: Numbers, better: str, percent: float | None, points: float | None
) -> npt.NDArray[np.bool_]:
    """For each baseline (rows) and answer now (columns), whether the threshold is reached."""
    change = grid[np.newaxis, :] - before[:, np.newaxis]
    least = before * (percent or 0) / 100 if points is None else np.full_like(before, points)
    return (change if better == "higher" else -change) >= least[:, np.newaxis] - TOLERANCE


def _smoothed(usual: Usual, grid: Numbers) -> tuple[float, ...]:
    """How often each answer of the grid is given, per person. One person is spread over all of them, so that an answer nobody
    happened to give has a place as well.
    """
    counts = np.full(len(grid), 1 / len(grid))
    np.add.at(counts, _places(usual.values, grid), usual.counts)
    return tuple((counts / counts.sum()).tolist())


@lru_cache(maxsize=256)
def _transitions(shares: tuple[float, ...], correlation: float, shift: float) -> Numbers:
    """The chance of each answer now (columns) for each answer before (rows) under a normal copula.

    `shares`: how often each answer is given, in the grid's order; `correlation` and `shift` (of the answers now) are those of
    the normal scores. Within a cell of the baseline the scores are integrated by Gauss-Legendre quadrature.
    """
    nodes, weights = np.polynomial.legendre.leggauss(NODES_OF_FEW if len(shares) <= FEW_CELLS else NODES_OF_MANY)
    ends = np.concatenate([[0.0], np.cumsum(shares)]).clip(0, 1)
    inside = ends[:-1, np.newaxis] + np.diff(ends)[:, np.newaxis] * (nodes + 1) / 2
    scores = ndtri(inside.clip(_FARTHEST, 1 - _FARTHEST))[:, :, np.newaxis]
    edges = np.concatenate([[-np.inf], ndtri(ends[1:-1]), [np.inf]]) - shift
    below = ndtr((edges - correlation * scores) / sqrt(1 - correlation**2))
    found: Numbers = np.tensordot(weights / 2, np.diff(below, axis=2), axes=(0, 1))
    found.setflags(write=False)  # it is kept for the next who asks
    return found


@lru_cache(maxsize=256)
def _latent(shares: tuple[float, ...], retest: float) -> float:
    """The correlation of the normal scores with which the answers themselves have the correlation `retest`.

    Rounding and the ends of a scale weaken a correlation, so this one is higher.
    """
    places = np.arange(len(shares), dtype=float)
    centred = places - np.dot(places, shares)
    weights, found = np.array(shares) * centred, retest
    for _ in range(N_CORRECTIONS):
        made = float(weights @ _transitions(shares, found, 0.0) @ centred) / float(weights @ centred)
        found = min(HIGHEST_LATENT, found * retest / made) if made else found
    return found


def _shift(shares: tuple[float, ...], mean_place: float) -> float:
    """By how much all normal scores have to be moved so that the mean answer lies at this place of the grid."""
    edges = ndtri(np.cumsum(shares)[:-1].clip(_FARTHEST, 1 - _FARTHEST))
    means = ndtr(_SHIFTS[:, np.newaxis] - edges).sum(axis=1)
    return float(np.interp(mean_place, means, _SHIFTS))

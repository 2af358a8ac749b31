"""What people with this baseline would report anyway: the band of regression to the mean and of the ordinary course.

What belongs here: the expected change and the expected share of responders if nothing had been taken, and the rule by which
an observed change lies beyond them. What does not: wording, levels, and which group shows the ordinary course.

Whoever starts something in a bad spell is better later, whatever was started: untreated people with an equal baseline
improve as much (Whitney and Von Korff 1992, Pain 50:281). If people were picked by their answer before, x, in whatever way,
the expected answer now lies on a straight line in x (Davis 1976, Am J Epidemiol 104:493; Barnett, van der Pols and Dobson
2005, Int J Epidemiol 34:215). Two numbers make the line, its slope rho and its level T:

    expected answer now = T + rho x

T is taken from a comparison group, people who take none and were not picked for a bad spell: the mean of y - rho x over
those of them with both answers, x before and y now. So whatever moved everybody between the two answers (a season, a drift,
a past remembered as worse than it was) is in the band. Where nothing moved, T is (1 - rho) mu, and the line is the one of
the sources, mu + rho (x - mu).

This is analysis of covariance (Vickers and Altman 2001, BMJ 323:1123) with a slope that is declared, not estimated: rho goes
through the instrument's range of retest correlations. Where both answers are given on one day, the one before leans on the
one now; that ties them closer than two weeks are tied, while people began by how they were, not by how they remember it. So
an estimated slope would be too steep, expect too little and make findings up. In thirty people it would also be as uncertain
as the whole range. With rho fixed, y - rho x is one number a person, so that its mean has Student's interval, however before
and now hang together. Unknown means were first let vary over a range in BMC Med Res Methodol 2008;8:52.

The slope is rho itself. Where the answers now spread less or more than those before, a regression's would be rho times the
ratio of both standard deviations. That ratio knows no bounds where nearly everybody began alike, and its error would be in no
interval; in simulated communities that were moved two points along the scale it made no difference, since the declared range
is far wider than what it changes.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from math import sqrt

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from survey_pipeline.statistics.counted import Counts, Numbers, sample_of, total
from survey_pipeline.statistics.results import Estimated, t_quantile

MINIMUM_USUAL = 30
"""Fewer people than this say nothing reliable of the ordinary course: the least effective sample of the NCHS standards (Vital
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

Shares = tuple[float, ...]
"""How often each answer of a grid is given; together 1."""
Margins = tuple[Shares, Shares]
"""The same before and now."""


@dataclass(frozen=True, eq=False)
class Usual:
    """The ordinary course: people who were not picked for a bad spell, in the item's units. Each place of the arrays is a
    pair of answers, `before` and `now`, and `counts` how many people gave it.
    """

    before: Numbers = field(repr=False)
    now: Numbers = field(repr=False)
    counts: Counts = field(repr=False)

    def level(self, slope: float) -> tuple[float, float]:
        """The level of a line with this slope, the mean of now - slope * before, and how far its 95 % interval reaches.

        Student's t with n - 1 degrees of freedom: each person gives one number, so both answers may hang together.
        """
        sample = sample_of(self.now - slope * self.before, self.counts)
        assert sample.mean is not None and sample.sd is not None
        return sample.mean, t_quantile(sample.n - 1) * sample.sd / sqrt(sample.n)


@dataclass(frozen=True)
class Band:
    """What would be expected anyway: at the middle correlation, and the least and the most over all that is not known."""

    estimate: float
    lower: float
    upper: float


def usual(before: Numbers, now: Numbers, counts: Counts) -> Usual | None:
    """The ordinary course, from people who were not picked for a bad spell (who take none).

    `before`, `now`: one element for each pair of answers, in any order, NaN where there is none; `counts`: how many people
    gave the pair. People without both answers are left out. None with fewer than `MINIMUM_USUAL` people, or where they all
    say the same before, or now.
    """
    both = ~np.isnan(now - before) & (counts > 0)
    found = Usual(before[both], now[both], counts[both])
    if found.counts.sum() < MINIMUM_USUAL or not np.ptp(found.before) or not np.ptp(found.now):
        return None
    return found


def expected_change(
    before_values: Numbers,
    before_counts: Counts,
    usual: Usual | None,
    retest_lowest: float,
    retest_highest: float,
) -> Band | None:
    """The mean change (now minus before, in the item's units) expected anyway of people with these baselines.

    `before_values`, `before_counts`: baselines of the people with both answers. With their mean x, the expectation is
    T - (1 - rho) x; `lower` and `upper` are its least and greatest value over the correlations from `retest_lowest` to
    `retest_highest` and T within its interval at each. None without people or without an ordinary course. Of the comparison
    group itself its own mean change is expected, whatever the correlation.

    The straight line is kept on bounded scales too: distributions rounded and cut to the grid come no nearer to the truth
    (`docs/simulations.md`).
    """
    n = int(before_counts.sum())
    if usual is None or n == 0:
        return None
    before = total(before_values * before_counts) / n
    # The expectation is linear in rho, and how far its interval reaches is convex: both extremes are at an end of the range.
    ends = [_change(usual, rho, before) for rho in (retest_lowest, retest_highest)]
    middle, _ = _change(usual, (retest_lowest + retest_highest) / 2, before)
    return Band(middle, min(one - reach for one, reach in ends), max(one + reach for one, reach in ends))


def _change(usual: Usual, rho: float, before: float) -> tuple[float, float]:
    """The expected change of somebody who began here, and how far its interval reaches."""
    level, reach = usual.level(rho)
    return level - (1 - rho) * before, reach


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
    without people or without an ordinary course.

    Answers before and now of the unselected community are joined by a normal copula: they are distributed as the answers
    before and as the answers now of people who take none, and have the correlation rho. So a person keeps about the rank
    among them, and what moved everybody moves the person too. The share is the mean over the baselines of the chance to
    reach the threshold. Where answers heap at an end of the scale a normal distribution, rounded and cut, misses the true
    share by 3 or 4 in 100, and this by less than 1. Where usual levels or weeks are far from normal both miss
    (`docs/simulations.md`). The lowest and the highest share are sought over the same range as those of `expected_change`:
    at each correlation the answers now are moved as far as the interval of T reaches.
    """
    counts = before_counts if percent is None else np.where(before_values > 0, before_counts, 0)
    if usual is None or not counts.sum():
        return None
    reached = _reaches(before_values, grid, better, percent, points)
    margins, places = _margins(usual, grid), _places(before_values, grid)

    def share(rho: float, shift: float) -> float:
        reaching = (_transitions(margins, _latent(margins, rho), shift)[places] * reached).sum(axis=1)
        return total(counts * reaching) / int(counts.sum())

    correlations = np.linspace(retest_lowest, retest_highest, N_CORRELATIONS).tolist()
    middle = share((retest_lowest + retest_highest) / 2, 0.0)
    found = [middle, *(share(rho, shift) for rho in correlations for shift in _shifts(usual, margins, grid, rho))]
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
    margins = _margins(usual, grid)
    return _transitions(margins, _latent(margins, retest), 0.0)


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


def _margins(usual: Usual, grid: Numbers) -> Margins:
    """How often each answer of the grid is given before, and now."""
    return _smoothed(usual.before, usual.counts, grid), _smoothed(usual.now, usual.counts, grid)


def _smoothed(values: Numbers, counts: Counts, grid: Numbers) -> Shares:
    """How often each answer of the grid is given, per person. One person is spread over all of them, so that an answer nobody
    happened to give has a place as well.
    """
    smoothed = np.bincount(_places(values, grid), counts, len(grid)) + 1 / len(grid)
    return tuple((smoothed / smoothed.sum()).tolist())


@lru_cache(maxsize=256)
def _transitions(margins: Margins, correlation: float, shift: float) -> Numbers:
    """The chance of each answer now (columns) for each answer before (rows) under a normal copula.

    `margins`: how often each answer is given before and now, in the grid's order; `correlation` and `shift` (of the answers
    now) are those of the normal scores. Within a cell of the baseline the scores are integrated by Gauss-Legendre quadrature.
    """
    before, now = (np.concatenate([[0.0], np.cumsum(shares)]).clip(0, 1) for shares in margins)
    nodes, weights = np.polynomial.legendre.leggauss(NODES_OF_FEW if len(before) <= FEW_CELLS + 1 else NODES_OF_MANY)
    inside = before[:-1, np.newaxis] + np.diff(before)[:, np.newaxis] * (nodes + 1) / 2
    scores = ndtri(inside.clip(_FARTHEST, 1 - _FARTHEST))[:, :, np.newaxis]
    edges = np.concatenate([[-np.inf], ndtri(now[1:-1]), [np.inf]]) - shift
    below = ndtr((edges - correlation * scores) / sqrt(1 - correlation**2))
    found: Numbers = np.tensordot(weights / 2, np.diff(below, axis=2), axes=(0, 1))
    found.setflags(write=False)  # it is kept for the next who asks
    return found


@lru_cache(maxsize=256)
def _latent(margins: Margins, retest: float) -> float:
    """The correlation of the normal scores with which the answers themselves have the correlation `retest`.

    Rounding, the ends of a scale, and margins of different shape weaken a correlation, so this one is higher.
    """
    centred = [np.arange(len(shares)) - np.dot(np.arange(len(shares)), shares) for shares in margins]
    weighted = [np.array(shares) * places for shares, places in zip(margins, centred, strict=True)]
    spread = sqrt(float(weighted[0] @ centred[0]) * float(weighted[1] @ centred[1]))
    found = retest
    for _ in range(N_CORRECTIONS):
        made = float(weighted[0] @ _transitions(margins, found, 0.0) @ centred[1]) / spread
        found = min(HIGHEST_LATENT, found * retest / made) if made else found
    return found


def _shifts(usual: Usual, margins: Margins, grid: Numbers, rho: float) -> list[float]:
    """By how much the normal scores now have to be moved so that the mean answer now lies as far to either side of the
    comparison group's as the interval of T reaches at this correlation.
    """
    now, (_, reach) = total(usual.now * usual.counts) / int(usual.counts.sum()), usual.level(rho)
    return [_shift(margins[1], (mean - grid[0]) / _step(grid)) for mean in (now - reach, now + reach)]


def _shift(shares: Shares, mean_place: float) -> float:
    """By how much all normal scores have to be moved so that the mean answer lies at this place of the grid."""
    edges = ndtri(np.cumsum(shares)[:-1].clip(_FARTHEST, 1 - _FARTHEST))
    means = ndtr(_SHIFTS[:, np.newaxis] - edges).sum(axis=1)
    return float(np.interp(mean_place, means, _SHIFTS))

"""Whether several groups differ at all, whatever their order.

What belongs here: tests over groups without an order. What does not: trends (`trends`), pairs (`differences`).
Groups of nobody take no part; with fewer than two others there is no test.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from survey_pipeline.statistics.counted import Counts, Numbers, Sample, side_by_side, total
from survey_pipeline.statistics.results import Tested, are_numbers, p_of_chi_squared, p_of_f


def kruskal_wallis(groups: Sequence[Sample]) -> Tested:
    """Kruskal and Wallis's H (1952) with the correction for ties, chi-squared with groups - 1 degrees of freedom.

    As R's kruskal.test and scipy's kruskal; None where all values are the same.
    """
    there = [group for group in groups if group.n]
    _, table = side_by_side(there)
    ranks, n = midranks(table.sum(axis=0)), int(table.sum())
    spread = total(table.sum(axis=0) * (ranks - (n + 1) / 2) ** 2)
    if len(there) < 2 or spread == 0:
        return Tested()
    in_groups = table.sum(axis=1)
    mean_ranks = (table @ ranks) / in_groups
    h = (n - 1) * total(in_groups * (mean_ranks - (n + 1) / 2) ** 2) / spread
    return Tested(h, len(there) - 1, None, p_of_chi_squared(h, len(there) - 1))


def midranks(counts: Counts) -> Numbers:
    """The mean rank, from 1, of the people who share each value, in ascending order of the values."""
    ranks: Numbers = np.cumsum(counts) - (counts - 1) / 2
    return ranks


def welch_anova(means: Sequence[float | None], variances: Sequence[float | None], ns: Sequence[int]) -> Tested:
    """Welch's test that all means are equal, with unequal variances (1951), as R's oneway.test.

    F with groups - 1 and Welch's degrees of freedom. None where a group has one person or is constant: its weight
    n / variance is not defined.
    """
    there = [(m, v, n) for m, v, n in zip(means, variances, ns, strict=True) if n]
    if len(there) < 2 or any(m is None or not v or n < 2 for m, v, n in there):
        return Tested()
    return _welch_f(
        np.array([m for m, _, _ in there]), np.array([n / (v or 1) for _, v, n in there]), [n for *_, n in there]
    )


def _welch_f(means: Numbers, weights: Numbers, ns: Sequence[int]) -> Tested:
    k = len(ns)
    if not are_numbers(float(np.sum(weights)), float(np.sum(weights * means * means))):
        return Tested()
    centre = total(weights * means) / total(weights)
    between = total(weights * (means - centre) ** 2) / (k - 1)
    unequal = total((1 - weights / total(weights)) ** 2 / (np.array(ns) - 1)) / (k * k - 1)
    f, freedom = between / (1 + 2 * (k - 2) * unequal), 1 / (3 * unequal)
    return Tested(f, k - 1, freedom, p_of_f(f, k - 1, freedom))


def chi_squared(table: npt.ArrayLike) -> Tested:
    """Pearson's chi-squared of a table of counts (groups by answers), without continuity correction, as R's
    chisq.test(correct = FALSE). Rows and columns of nobody take no part.
    """
    counts = np.atleast_2d(np.asarray(table, dtype=np.float64))
    counts = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    if min(counts.shape) < 2:
        return Tested()
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum()
    statistic, freedom = (
        total(((counts - expected) ** 2 / expected).ravel()),
        (counts.shape[0] - 1) * (counts.shape[1] - 1),
    )
    return Tested(statistic, freedom, None, p_of_chi_squared(statistic, freedom))

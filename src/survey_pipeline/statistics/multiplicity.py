"""Many tests at once: p-values adjusted for the size of their family.

What belongs here: adjustments of a list of p-values. None is no test: it stays None and is not counted in the family, as
NA in R's p.adjust. What does not: which tests make a family.
"""

from collections.abc import Sequence

import numpy as np

from survey_pipeline.statistics.counted import Numbers


def family_size(p_values: Sequence[float | None]) -> int:
    """How many tests the family has."""
    return sum(p is not None for p in p_values)


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Holm's adjustment (1979): the probability of any false finding in the family stays at its level."""
    given = _given(p_values)
    order = np.argsort(given, kind="stable")
    steps = np.maximum.accumulate(given[order] * np.arange(given.size, 0, -1))
    return _back(p_values, order, steps)


def benjamini_hochberg(p_values: Sequence[float | None]) -> list[float | None]:
    """Benjamini and Hochberg's adjustment (1995): the expected share of false findings among the findings."""
    given = _given(p_values)
    order = np.argsort(given, kind="stable")[::-1]
    steps = np.minimum.accumulate(given[order] * (given.size / np.arange(given.size, 0, -1)))
    return _back(p_values, order, steps)


def _given(p_values: Sequence[float | None]) -> Numbers:
    return np.array([p for p in p_values if p is not None], dtype=np.float64)


def _back(p_values: Sequence[float | None], order: np.ndarray, steps: Numbers) -> list[float | None]:
    adjusted = np.empty(steps.size)
    adjusted[order] = np.minimum(steps, 1.0)
    in_order = iter(adjusted.tolist())
    return [None if p is None else next(in_order) for p in p_values]

"""What follows from each sum by itself, which is quick to see, so that little is left to solve.

What belongs here: narrowing bounds, and finding the parts that have nothing to do with each other. What does not: solving.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

from survey_pipeline.proof.system import Compiled, Flags, Floats, Whole

ROUNDS = 25
TOLERANCE = 1e-6
"""Numbers this near count as equal; in terms of a sum's own size where that is greater than one."""


CONTRADICTION = "What is known contradicts itself: no world fits it."


class Contradiction(ValueError):
    """No world fits what is known: the system was written down wrongly."""


@dataclass(frozen=True)
class Narrowed:
    """Bounds of unknowns (columns) after narrowing, and the sums that still say more than those do.

    `matrix` (rows left, columns) has only unknowns that are not settled; what the settled ones add is taken off `row_least`
    and `row_most`. `part` (columns) numbers the connected parts.
    """

    least: Floats
    most: Floats
    matrix: csr_array
    row_least: Floats
    row_most: Floats
    part: Whole

    @property
    def settled(self) -> Flags:
        found: Flags = self.most - self.least <= 1e-9
        return found


@dataclass(frozen=True)
class _Entries:
    """The weights of the rows still known, one by one."""

    row: Whole
    column: Whole
    weight: Floats
    least: Floats
    most: Floats

    @property
    def rows(self) -> int:
        return len(self.least)


def narrow(system: Compiled, known: Flags, links: Sequence[Whole] = ()) -> Narrowed:
    """Narrow all bounds by the rows that are `known`. Unknowns of a link (columns) are kept in one part.

    Raises `Contradiction` if some unknown could be nothing at all.
    """
    entries = _entries(system, known)
    least, most = _whole_bounds(system.least, system.most, system.counts)
    for _ in range(ROUNDS):
        before = least, most
        least, most = _narrower(entries, least, most, system.counts)
        if not (np.any(least > before[0] + TOLERANCE) or np.any(most < before[1] - TOLERANCE)):
            break
    return _without_settled(entries, least, most, links)


def _entries(system: Compiled, known: Flags) -> _Entries:
    lengths = np.diff(system.start)
    number = np.cumsum(known) - 1
    row = np.repeat(np.arange(system.rows), lengths)
    kept = known[row] & (system.weight != 0)
    return _Entries(
        number[row[kept]], system.index[kept], system.weight[kept], system.row_least[known], system.row_most[known]
    )


def _whole_bounds(least: Floats, most: Floats, whole: Flags) -> tuple[Floats, Floats]:
    least = np.where(whole, np.ceil(least - TOLERANCE), least)
    most = np.where(whole, np.floor(most + TOLERANCE), most)
    slack = TOLERANCE * np.maximum(1, np.abs(np.where(np.isfinite(least), least, 0)))
    if np.any(least > most + slack):
        raise Contradiction(CONTRADICTION)
    return least, np.maximum(least, most)


def _ends(entries: _Entries, least: Floats, most: Floats) -> tuple[Floats, Floats]:
    """Per entry, the least and the most it adds to its sum."""
    low, high = entries.weight * least[entries.column], entries.weight * most[entries.column]
    return np.minimum(low, high), np.maximum(low, high)


def _narrower(entries: _Entries, least: Floats, most: Floats, whole: Flags) -> tuple[Floats, Floats]:
    low, high = _ends(entries, least, most)
    no_more = entries.most[entries.row] - _others(entries, low)
    no_less = entries.least[entries.row] - _others(entries, high)
    with np.errstate(invalid="ignore"):
        one, other = no_less / entries.weight, no_more / entries.weight
    positive = entries.weight > 0
    least, most = least.copy(), most.copy()
    np.maximum.at(least, entries.column, _eased(np.where(positive, one, other), whole[entries.column], -1))
    np.minimum.at(most, entries.column, _eased(np.where(positive, other, one), whole[entries.column], 1))
    return _whole_bounds(least, most, whole)


def _others(entries: _Entries, ends: Floats) -> Floats:
    """Per entry, the sum of the ends of all other entries of its row."""
    infinite = ~np.isfinite(ends)
    finite: Floats = np.where(infinite, 0.0, ends)
    sums = np.bincount(entries.row, finite, entries.rows)[entries.row] - finite
    unbounded = np.bincount(entries.row, infinite, entries.rows)[entries.row] - infinite > 0
    sign = np.sign(ends[infinite])[0] if infinite.any() else 1.0
    return np.where(unbounded, sign * np.inf, sums)


def _eased(bound: Floats, whole: Flags, side: int) -> Floats:
    """Bounds of what is no whole number are kept a little wide, so that errors of the arithmetic rule nothing out."""
    finite = np.isfinite(bound)
    slack = np.where(finite & ~whole, 1e-9 * np.maximum(1, np.abs(np.where(finite, bound, 0))), 0)
    eased: Floats = bound + side * slack
    return eased


def _without_settled(entries: _Entries, least: Floats, most: Floats, links: Sequence[Whole]) -> Narrowed:
    settled = most - least <= 1e-9
    fixed = settled[entries.column]
    known = np.bincount(entries.row[fixed], entries.weight[fixed] * least[entries.column[fixed]], entries.rows)
    rows = _still_telling(entries, least, most)
    kept = rows[entries.row] & ~fixed
    place = (np.cumsum(rows) - 1)[entries.row[kept]]
    shape = int(rows.sum()), len(least)
    matrix = csr_array((entries.weight[kept], (place, entries.column[kept])), shape=shape)
    part = connected(matrix, links)
    return Narrowed(least, most, matrix, (entries.least - known)[rows], (entries.most - known)[rows], part)


def _still_telling(entries: _Entries, least: Floats, most: Floats) -> Flags:
    """Rows that the bounds of their unknowns do not imply already."""
    low, high = (np.bincount(entries.row, ends, entries.rows) for ends in _ends(entries, least, most))
    size = np.maximum(1, np.abs(np.where(np.isfinite(low), low, 0)))
    slack = 1e-9 * size
    if np.any((low > entries.most + TOLERANCE * size) | (high < entries.least - TOLERANCE * size)):
        raise Contradiction(CONTRADICTION)
    telling: Flags = (low < entries.least - slack) | (high > entries.most + slack)
    return telling


def connected(matrix: csr_array, links: Sequence[Whole] = ()) -> Whole:
    """Numbers of the parts of unknowns that hang together by rows or links."""
    lengths = np.diff(matrix.indptr)
    first = np.repeat(matrix.indices[matrix.indptr[:-1][lengths > 0]], lengths[lengths > 0])
    ends = [(first, matrix.indices), *((np.repeat(link[:1], len(link)), link) for link in links)]
    one, other = (np.concatenate(side) for side in zip(*ends, strict=True))
    columns = matrix.shape[1]
    graph = coo_array((np.ones(len(one), dtype=np.int8), (one, other)), shape=(columns, columns))
    labels: NDArray[np.int32] = connected_components(graph.tocsr(), directed=False)[1]
    return labels.astype(np.int64)


def between(matrix: csr_array, least: Floats, most: Floats) -> tuple[Floats, Floats]:
    """Between what the bounds of the unknowns (columns) alone keep each sum (rows of the matrix)."""
    up, down = matrix.maximum(0), matrix.minimum(0)
    with np.errstate(invalid="ignore"):
        low, high = (up @ one + down @ other for one, other in ((least, most), (most, least)))
    return np.nan_to_num(low, nan=-np.inf, neginf=-np.inf), np.nan_to_num(high, nan=np.inf, posinf=np.inf)

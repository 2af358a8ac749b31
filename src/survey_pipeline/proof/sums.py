"""Sums: the whole sums of answers that go with counts of people.

What belongs here: finding, for counts that are settled, sums of answers in whole numbers. What does not: looking for counts
(`attack`), and which sums are whole at all (`knowledge`).

Where the counts are settled, each sum lies between two ends, and sums add up over the parts of a group: a network flow, the
corners of which are whole numbers (Hoffman and Kruskal 1956, Ann Math Stud 38:223). To search counts and sums at once in
whole numbers takes many times as long.
"""

from dataclasses import dataclass
from math import inf

import numpy as np
from scipy.sparse import csr_array, eye_array, hstack

from survey_pipeline.proof.narrow import TOLERANCE
from survey_pipeline.proof.solver import Outcome, Programme
from survey_pipeline.proof.system import Flags, Floats, Whole

Bounds = tuple[Floats, Floats]


def whole_world(
    programme: Programme, counts: Flags, sums: "Sums", also: Flags | None = None
) -> tuple[Outcome, Floats | None]:
    """A world (columns of the part) of a programme in whole numbers, if there is one. Of the sums only those are looked for
    along with the `counts` that turn out not to follow from them, and those that are known not to (`also`).
    """
    along = np.zeros(len(counts), dtype=np.bool_) if also is None else also
    while True:
        programme.whole(counts | along)
        outcome = programme.solve()
        if outcome is not Outcome.FOUND:
            return outcome, None
        values = programme.values[: len(counts)]
        world, lacking = sums.whole(np.where(counts, np.round(values), values))
        if not lacking.any():
            return outcome, world
        along = along | lacking if np.any(lacking & ~along) else sums.among(counts)


@dataclass(frozen=True)
class Sums:
    """The sums among the unknowns of a part: `which` (columns of the part) they are.

    `alone` (rows) are about one sum and counts besides, `together` (rows) about several sums; each with the weights of the
    sums (`of_sums`: rows, sums) and of all columns (`of_all`: rows, columns).
    """

    which: Whole
    bounds: Bounds
    alone: "_Rows"
    together: "_Rows"

    @classmethod
    def of(cls, matrix: csr_array, rows: Bounds, columns: Bounds, is_sum: Flags) -> "Sums":
        which = np.flatnonzero(is_sum)
        sums_in_row = np.diff(matrix[:, which].indptr)
        alone, together = (_Rows.of(matrix, rows, which, found) for found in (sums_in_row == 1, sums_in_row > 1))
        return cls(which, (columns[0][which], columns[1][which]), alone, together)

    def among(self, columns: Flags) -> Flags:
        """All of them, as flags of the columns."""
        every = np.zeros_like(columns)
        every[self.which] = True
        return every

    def whole(self, world: Floats) -> tuple[Floats, Flags]:
        """A world with the counts of this one and with whole sums; and the sums (columns) for which there are none."""
        lacking = np.zeros(len(world), dtype=np.bool_)
        found = np.round(world[self.which])
        if np.abs(world[self.which] - found).max(initial=0) > TOLERANCE:
            found, failed = self._found(world)
            lacking[self.which] = failed
        made = world.copy()
        made[self.which] = found
        return made, lacking

    def _found(self, world: Floats) -> tuple[Floats, Flags]:
        """Whole sums, as few rows broken as can be; and which sums are in a broken row, or whole nowhere."""
        least, most = self._ends(world)
        flow = self._flow(least, most, world)
        if np.any(least > most) or flow.solve() is not Outcome.FOUND:
            return world[self.which], (least > most) | bool(np.all(least <= most))
        found, missed = np.split(flow.values, [len(self.which)])
        is_broken = missed.reshape(2, -1).sum(axis=0) > TOLERANCE
        in_broken = abs(self.together.of_sums).T @ is_broken.astype(np.float64) > 0
        return np.round(found), in_broken | (np.abs(found - np.round(found)) > TOLERANCE)

    def _flow(self, least: Floats, most: Floats, world: Floats) -> Programme:
        """The sums between their ends, then by how much each row of several sums is fallen short of, and exceeded."""
        rows, sums = self.together.of_sums.shape
        missed = eye_array(rows, format="csr")
        matrix = csr_array(hstack([self.together.of_sums, missed, -missed], format="csr"))
        columns = np.append(least, np.zeros(2 * rows)), np.append(most, np.full(2 * rows, inf))
        programme = Programme(matrix, self.together.left(world, self.which), columns)
        programme.costs(np.append(np.zeros(sums), np.ones(2 * rows)))
        return programme

    def _ends(self, world: Floats) -> Bounds:
        """Between which whole numbers each sum lies, by the rows that are about no other sum."""
        low, high = (end / self.alone.of_sums.data for end in self.alone.left(world, self.which))
        least, most = self.bounds[0].copy(), self.bounds[1].copy()
        np.maximum.at(least, self.alone.of_sums.indices, np.minimum(low, high))
        np.minimum.at(most, self.alone.of_sums.indices, np.maximum(low, high))
        return np.ceil(least - TOLERANCE), np.floor(most + TOLERANCE)


@dataclass(frozen=True)
class _Rows:
    """Some rows of a part."""

    of_sums: csr_array
    of_all: csr_array
    bounds: Bounds

    @classmethod
    def of(cls, matrix: csr_array, rows: Bounds, which: Whole, chosen: Flags) -> "_Rows":
        mine = matrix[np.flatnonzero(chosen)]
        return cls(csr_array(mine[:, which]), mine, (rows[0][chosen], rows[1][chosen]))

    def left(self, world: Floats, which: Whole) -> Bounds:
        """What the counts leave to the sums."""
        counts = world.copy()
        counts[which] = 0
        taken = self.of_all @ counts
        return self.bounds[0] - taken, self.bounds[1] - taken

"""Pieces: the parts of a system that have nothing to do with each other, as arrays.

What belongs here: taking a part out of a system, and a smaller part out of it around a world; whether a world fits. What does
not: looking for worlds (`search`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

import numpy as np
from scipy.sparse import csr_array, vstack

from survey_pipeline.proof.narrow import TOLERANCE, Narrowed, connected
from survey_pipeline.proof.system import Compiled, Flags, Floats, Whole

CHUNK = 700
FEWEST_SEARCHES = 2
"""Targets of a part that are at most searched together, sharing their worlds; and how many searches are made at least, for
two processors. Fixed, so that the number of workers changes nothing.
"""

NOTHING: Whole = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True)
class Part:
    """A connected part of a system with some of its targets.

    `matrix` (rows, columns of the part), `goals` (targets here, columns of the part); `offset` (targets here) is what settled
    unknowns add. `targets` are the places of the targets in the whole attack. `start` (columns of the part): some
    world in whole numbers, if one is known.
    """

    targets: Whole
    goals: csr_array
    offset: Floats
    matrix: csr_array
    rows: tuple[Floats, Floats]
    columns: tuple[Floats, Floats]
    counts: Flags
    sums: Flags
    hubs: Flags
    start: Floats | None = None


def parts_of(
    system: Compiled,
    narrowed: Narrowed,
    targets: csr_array,
    open_: Whole,
    hubs: Whole | None = None,
    start: Floats | None = None,
) -> Iterator[Part]:
    """The parts that have an open target, in a fixed order, in groups of targets. `start` (columns): as in `Part`."""
    is_hub = np.zeros(system.columns, dtype=np.bool_)
    is_hub[NOTHING if hubs is None else hubs] = True
    offset = targets @ np.where(narrowed.settled, narrowed.least, 0)
    found = pieces(narrowed)
    groups = _grouped(_part_of_targets(targets, narrowed.part, narrowed.settled, open_))
    searches = ceil(FEWEST_SEARCHES / max(1, len(groups)))
    for label, mine in groups.items():
        here, matrix, rows, columns = found.get(label) or _piece(narrowed, NOTHING, NOTHING)
        kinds = system.counts[here], system.sums[here], is_hub[here]
        # Hard ones stand side by side: dealt out, no search has all of them.
        hands = max(ceil(len(mine) / CHUNK), min(searches, len(mine)))
        for hand in range(hands):
            chosen = open_[mine[hand::hands]]
            goals, begin = targets[chosen][:, here], None if start is None else start[here]
            yield Part(chosen, goals, offset[chosen], matrix, rows, columns, *kinds, begin)


Piece = tuple[Whole, csr_array, tuple[Floats, Floats], tuple[Floats, Floats]]
"""Columns, with the matrix and the bounds of rows and columns of them alone."""


def pieces(narrowed: Narrowed) -> dict[int, Piece]:
    """What hangs together, by its number in `part`."""
    lengths = np.diff(narrowed.matrix.indptr)
    of_row = np.full(len(lengths), -1)
    of_row[lengths > 0] = narrowed.part[narrowed.matrix.indices[narrowed.matrix.indptr[:-1][lengths > 0]]]
    rows, columns = _grouped(of_row), _grouped(np.where(narrowed.settled, -1, narrowed.part))
    return {label: _piece(narrowed, here, rows.get(label, NOTHING)) for label, here in columns.items()}


def _piece(narrowed: Narrowed, here: Whole, there: Whole) -> Piece:
    rows = narrowed.row_least[there], narrowed.row_most[there]
    return here, narrowed.matrix[there][:, here], rows, (narrowed.least[here], narrowed.most[here])


def around(part: Part, free: Flags, world: Floats) -> tuple[Part, Whole]:
    """A part in which only some unknowns are `free` (columns) and the others are as in a world; and the places of the targets
    that are about them.
    """
    taken_up = np.where(free, 0, world)
    there = np.flatnonzero(abs(part.matrix) @ free.astype(np.float64) > 0)
    mine = np.flatnonzero(abs(part.goals) @ free.astype(np.float64) > 0)
    matrix, goals, chosen = part.matrix[there], part.goals[mine], np.flatnonzero(free)
    taken = matrix @ taken_up
    rows = part.rows[0][there] - taken, part.rows[1][there] - taken
    columns = part.columns[0][free], part.columns[1][free]
    offset, kinds = part.offset[mine] + goals @ taken_up, (part.counts[free], part.sums[free], part.hubs[free])
    return Part(part.targets[mine], goals[:, chosen], offset, matrix[:, chosen], rows, columns, *kinds), mine


def apart(part: Part, free: Flags) -> Iterator[Flags]:
    """What is free (columns), by what hangs together while all else stays as it is; a small part is solved as one."""
    if not part.hubs.any():
        yield free
        return
    chosen = np.flatnonzero(free)
    labels = connected(csr_array(vstack([part.matrix[:, chosen], part.goals[:, chosen]])))
    for mine in _grouped(labels).values():
        here = np.zeros_like(free)
        here[chosen[mine]] = True
        yield here


def _part_of_targets(targets: csr_array, part: Whole, settled: Flags, open_: Whole) -> Whole:
    """The part of each open target; -2 for those all of whose unknowns are settled."""
    labels = np.full(len(open_), -2)
    for place, target in enumerate(open_):
        columns = targets.indices[targets.indptr[target] : targets.indptr[target + 1]]
        unsettled = columns[~settled[columns]]
        if len(unsettled):
            labels[place] = part[unsettled[0]]
    return labels


def _grouped(labels: Whole) -> dict[int, Whole]:
    """The places of each label, -1 left out, in the order of the labels."""
    order = np.argsort(labels, kind="stable")
    found, first = np.unique(labels[order], return_index=True)
    groups = zip(found.tolist(), np.split(order, first[1:]), strict=True) if len(order) else ()
    return {label: group for label, group in groups if label != -1}


def fits(part: Part, world: Floats) -> bool:
    """Whether a world keeps all rows and bounds, but for what rounding counts by `TOLERANCE` can have moved."""
    size = _size(world)
    columns = (world >= part.columns[0] - TOLERANCE * size) & (world <= part.columns[1] + TOLERANCE * size)
    return bool(fitting(part, world).all() and columns.all())


def fitting(part: Part, world: Floats) -> Flags:
    """The rows that a world keeps."""
    sums, slack = part.matrix @ world, TOLERANCE * (_size(world) + abs(part.matrix) @ np.ones(len(world)))
    found: Flags = (sums >= part.rows[0] - slack) & (sums <= part.rows[1] + slack)
    return found


def _size(world: Floats) -> float:
    return float(max(1.0, 1e-3 * np.abs(world).max(initial=0)))


def from_bounds(part: Part) -> Floats:
    """What the bounds of the unknowns alone say of each target (targets here, 2)."""
    goals = part.goals.tocoo()
    ends = [goals.data * bound[goals.col] for bound in part.columns]
    low, high = (np.bincount(goals.row, pick(*ends), len(part.targets)) for pick in (np.minimum, np.maximum))
    return np.column_stack([low, high]) + part.offset[:, None]

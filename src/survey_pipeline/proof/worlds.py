"""Worlds: some world that fits a system, whatever it is like, and what was seen in worlds.

What belongs here: finding a first world, as a whole or part by part. What does not: worlds in which targets go as far as they
must (`search`).
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import numpy as np

from survey_pipeline.proof.narrow import TOLERANCE, Narrowed
from survey_pipeline.proof.pieces import Piece, pieces
from survey_pipeline.proof.solver import Outcome, Programme
from survey_pipeline.proof.sums import Sums, whole_world
from survey_pipeline.proof.system import Compiled, Flags, Floats, Key

Name = tuple[tuple[Key, float], ...]
"""A target by its terms."""
Done = TypeVar("Done")


@dataclass
class Worlds:
    """What was seen in worlds that fit; those that fit a system fit one in which less is known. Grows.

    `ends`: the least and the most that was seen of each target. `one`: one of these worlds.
    """

    ends: dict[Name, tuple[float, float]] = field(default_factory=dict)
    one: dict[Key, float] = field(default_factory=dict)

    def take(self, other: "Worlds") -> None:
        """Add what was seen later."""
        self.ends.update(other.ends)
        self.one.update(other.one)


def some_world(narrowed: Narrowed, costs: Floats, whole: Flags) -> Floats | None:
    """A world that fits, with low costs; None where none was found in time. What is not `whole` may be in fractions."""
    columns = narrowed.least, narrowed.most
    programme = Programme(narrowed.matrix, (narrowed.row_least, narrowed.row_most), columns, whole)
    programme.costs(costs)
    return programme.values if programme.solve() is Outcome.FOUND else None


def tidied(world: Floats) -> Floats:
    """What is whole but for errors of the arithmetic is whole."""
    whole = np.round(world)
    return np.where(np.abs(world - whole) <= TOLERANCE, whole, world)


def world_of(
    system: Compiled, narrowed: Narrowed, costs: Floats, like: Floats, workers: int | None = None
) -> Floats | None:
    """A world in whole numbers, with low costs, part by part; None where none was found in time. Parts that fit are taken as
    they are in a world (columns) that it may be `like`, whatever they cost there.
    """
    misfitting = _misfitting(narrowed, like, system.whole)
    left = [piece for label, piece in pieces(narrowed).items() if label in misfitting]
    found = all_done([partial(_whole, system, piece, costs, like[piece[0]]) for piece in left], workers)
    world = np.where(narrowed.settled, narrowed.least, like)
    for (here, *_), part in zip(left, found, strict=True):
        if part is None:
            return None
        world[here] = part
    return world


def _whole(system: Compiled, piece: Piece, costs: Floats, like: Floats) -> Floats | None:
    """A part in whole numbers: with the counts that are whole as they are, or if there is none, with any."""
    here, matrix, rows, (least, most) = piece
    counts, sums = system.counts[here], Sums.of(matrix, rows, (least, most), system.sums[here])
    stays = counts & (like == np.round(like)) & (like >= least) & (like <= most)
    for columns in ((np.where(stays, like, least), np.where(stays, like, most)), (least, most)):
        programme = Programme(matrix, rows, columns, counts)
        programme.costs(costs[here])
        found = whole_world(programme, counts, sums)[1]
        if found is not None:
            return found
    return None


def _misfitting(narrowed: Narrowed, world: Floats, whole: Flags) -> set[int]:
    """The parts in which some row or bound is not kept, or something is not `whole` (columns)."""
    slack = TOLERANCE * np.maximum(1, abs(narrowed.matrix) @ np.ones(len(world)))
    sums = narrowed.matrix @ world
    rows = (sums < narrowed.row_least - slack) | (sums > narrowed.row_most + slack)
    outside = (world < narrowed.least - TOLERANCE) | (world > narrowed.most + TOLERANCE)
    broken = whole & (np.abs(world - np.round(world)) > TOLERANCE)
    columns = outside | broken | (abs(narrowed.matrix).T @ rows.astype(np.float64) > 0)
    return set(narrowed.part[columns].tolist())


def all_done(jobs: Sequence[Callable[[], Done]], workers: int | None) -> list[Done]:
    """The results in the order of the jobs. Threads will do: the solver lets others run while it works."""
    workers = min(len(jobs), workers or os.cpu_count() or 1)
    if workers <= 1:
        return [job() for job in jobs]
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(lambda job: job(), jobs))

"""What can be concluded from a system: whether each hidden number could still be as small and as great as it must seem.

What belongs here: searching for possible worlds. What does not: what is known (`knowledge`), and what to do about it
(`repair`).

Every world found is a witness for all targets at once, so most targets need no search of their own. Where the linear
programme finds a world in fractions of people only, the search goes on in whole numbers.
"""

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from math import ceil, floor, inf
from typing import TypeVar

import numpy as np
from scipy.sparse import block_array, csr_array, eye_array

from survey_pipeline.proof.narrow import CONTRADICTION, TOLERANCE, Contradiction, Narrowed, narrow
from survey_pipeline.proof.solver import Outcome, Programme
from survey_pipeline.proof.system import Compiled, Flags, Floats, Key, Source, System, Whole

__all__ = ["Attack", "Contradiction", "Interval", "Target", "Verdict", "Worlds", "exact_bounds"]

CHUNK = 400
FEWEST_CHUNKS = 2
"""Targets searched together, sharing their worlds, and how many of these groups a part has at least; fixed, so that the
number of workers changes nothing.
"""

WORTH_ANOTHER = 0.1
"""Worlds for many targets at once are made as long as each settles this share of those that are left."""

STEPS_AROUND = 3
"""How often more is set free around fractions of people before the search gives up staying near a world."""

WORTH_HOLDING = 25
"""With fewer targets left it is quicker to search the whole."""
PUSHES = (0, -1, 1)
"""Worlds around which is searched first: any, one with many people in the groups, one with few."""

LOW, HIGH = 0, 1


@dataclass(frozen=True)
class Interval:
    """From the least to the most that a number can be."""

    least: float
    most: float


@dataclass(frozen=True)
class Target:
    """A weighted sum of unknowns that must seem possibly <= `lower` and possibly >= `upper` to the attacker."""

    terms: Mapping[Key, float]
    lower: float
    upper: float


@dataclass(frozen=True)
class Verdict:
    """`found`: least and most seen in possible worlds; on a side that is not safe, the bound that was found instead.

    `undecided`: a search was given up, and its side counts as not safe.
    """

    found: Interval
    safe_low: bool
    safe_high: bool
    undecided: bool = False

    @property
    def safe(self) -> bool:
        return self.safe_low and self.safe_high


Worlds = dict[tuple[tuple[Key, float], ...], tuple[float, float]]
"""The least and the most that was seen of each target in worlds that fit, by its terms. Worlds that fit a system fit one in
which less is known.
"""


def _name(terms: Mapping[Key, float]) -> tuple[tuple[Key, float], ...]:
    return tuple(sorted(terms.items()))


class Attack:
    """An attack on some targets that can be repeated as more and more is hidden.

    `workers` (default: the processors there are) never changes a verdict. `hubs` are unknowns that hold everything together,
    such as how many people are in a group: while they stay as they are in one world, the rest falls into small parts in which
    most targets are settled quickly, and only what is left is searched as a whole. `worlds`: what was seen before, with more
    published than now. Raises `KeyError` for a target with an
    unknown that the system does not have; `verdicts` raises `Contradiction` if no world fits the system.
    """

    def __init__(
        self,
        system: System,
        targets: Sequence[Target],
        hidden: Collection[Source] = (),
        *,
        hubs: Collection[Key] = (),
        worlds: Worlds | None = None,
        workers: int | None = None,
    ) -> None:
        self._system = system.compiled()
        self._names = [_name(target.terms) for target in targets]
        self._hubs = np.array([self._system.place[key] for key in hubs], dtype=np.int64)
        self._targets = _matrix(self._system, [target.terms for target in targets])
        self._needed = np.array([[target.lower, target.upper] for target in targets], dtype=np.float64).reshape(-1, 2)
        seen = [(worlds or {}).get(name, (inf, -inf)) for name in self._names]
        self._seen = np.array(seen, dtype=np.float64).reshape(-1, 2)
        self._bound = np.tile([-inf, inf], (len(targets), 1))
        self._undecided = np.zeros((len(targets), 2), dtype=np.bool_)
        self._hidden = set(hidden)
        self._workers = workers
        self._fresh = True

    @property
    def worlds(self) -> Worlds:
        """What was seen of each target in worlds that fit."""
        return {name: (float(low), float(high)) for name, (low, high) in zip(self._names, self._seen, strict=True)}

    def hide(self, sources: Collection[Source]) -> None:
        """Take back more. What was found possible stays possible."""
        self._fresh |= not self._hidden.issuperset(sources)
        self._hidden |= set(sources)

    @property
    def hidden(self) -> set[Source]:
        return set(self._hidden)

    def verdicts(self) -> list[Verdict]:
        """One for each target, in their order. Only what is not yet known to be safe is searched again."""
        open_ = np.flatnonzero(~self._safe().all(axis=1))
        if self._fresh and len(open_):
            self._search(open_)
        self._fresh = False
        safe = self._safe()
        found: Floats = np.where(safe, self._seen, self._bound)
        given_up: Flags = np.any(self._undecided & ~safe, axis=1)
        return [
            Verdict(Interval(*map(float, found[i])), bool(safe[i, LOW]), bool(safe[i, HIGH]), bool(given_up[i]))
            for i in range(len(found))
        ]

    def _safe(self) -> Flags:
        return _reached(self._seen, self._needed)

    def _search(self, open_: Whole) -> None:
        known = self._system.known(self._hidden)
        narrowed = narrow(self._system, known, _links(self._targets))
        bound = _bounds(self._targets, narrowed)
        self._bound[open_] = bound[open_]
        within = _reached(bound, self._needed)
        held = False
        for push in PUSHES if len(self._hubs) else ():
            open_ = np.flatnonzero(np.any(~self._safe() & within, axis=1))
            if len(open_) >= WORTH_HOLDING:
                held |= self._search_around(push, known, open_, at_any_cost=push == PUSHES[-1] and not held)
        open_ = np.flatnonzero(np.any(~self._safe() & within, axis=1))
        for part, found in self._searched(self._system, known, open_):
            self._seen[part.targets] = found.seen
            self._bound[part.targets] = found.bound
            self._undecided[part.targets] = found.undecided

    def _search_around(self, push: int, known: Flags, open_: Whole, *, at_any_cost: bool) -> bool:
        """Look for worlds in which the hubs are as in one world that was found: what is seen there was seen, what is not may
        be elsewhere. Gives whether there was such a world.
        """
        costs = np.zeros(self._system.columns)
        costs[self._hubs] = push
        around = self._held(known, costs, at_any_cost=at_any_cost)
        for part, found in self._searched(around, known, open_) if around else ():
            self._seen[part.targets] = found.seen
        return around is not None

    def _held(self, known: Flags, costs: Floats, *, at_any_cost: bool) -> Compiled | None:
        """The system with its hubs held where some world has them; None where none was found in time. Where only the hubs
        are in whole numbers, the rest nearly always can be; to search all in whole numbers at once takes much longer.
        """
        narrowed = narrow(self._system, known)
        of_hubs = np.zeros(self._system.columns, dtype=np.bool_)
        of_hubs[self._hubs] = True
        found = _some_world(self._system, narrowed, costs, of_hubs)
        around = None if found is None else self._with_hubs(np.round(found))
        if around is not None and _has_whole_worlds(around, known):
            return around
        whole = _some_world(self._system, narrowed, costs, self._system.whole) if at_any_cost else None
        return None if whole is None else self._with_hubs(whole)

    def _with_hubs(self, world: Floats) -> Compiled:
        least, most = self._system.least.copy(), self._system.most.copy()
        least[self._hubs] = most[self._hubs] = world[self._hubs]
        return replace(self._system, least=least, most=most)

    def _searched(self, system: Compiled, known: Flags, open_: Whole) -> list[tuple["_Part", "_Found"]]:
        parts = list(_parts(system, narrow(system, known, _links(self._targets)), self._targets, open_))
        jobs = [partial(_searched, part, self._needed[part.targets], self._seen[part.targets]) for part in parts]
        return list(zip(parts, _all_done(jobs, self._workers), strict=True))


def _bounds(targets: csr_array, narrowed: Narrowed) -> Floats:
    """What the bounds of the unknowns alone say of each target (targets, 2)."""
    up, down = targets.maximum(0), targets.minimum(0)
    with np.errstate(invalid="ignore"):
        low, high = (
            up @ one + down @ other for one, other in ((narrowed.least, narrowed.most), (narrowed.most, narrowed.least))
        )
    return np.column_stack([np.nan_to_num(low, nan=-inf, neginf=-inf), np.nan_to_num(high, nan=inf, posinf=inf)])


def _has_whole_worlds(system: Compiled, known: Flags) -> bool:
    try:
        narrowed = narrow(system, known)
    except Contradiction:
        return False
    return _some_world(system, narrowed, np.zeros(system.columns), system.whole) is not None


def _some_world(system: Compiled, narrowed: Narrowed, costs: Floats, whole: Flags) -> Floats | None:
    """A world that fits, with low costs; None where none was found in time. What is not `whole` may be in fractions."""
    columns = narrowed.least, narrowed.most
    programme = Programme(narrowed.matrix, (narrowed.row_least, narrowed.row_most), columns, whole)
    programme.costs(costs)
    if programme.solve() is not Outcome.FOUND:
        return None
    values = programme.values
    world: Floats = np.where(whole, np.round(values), values)
    return world


def exact_bounds(
    system: System,
    targets: Sequence[Mapping[Key, float]],
    hidden: Collection[Source] = (),
    *,
    workers: int | None = None,
) -> list[Interval]:
    """The least and most of each target by linear programming; a count is taken to whole numbers inwards.

    Never narrower than the truth, and as wide where the worlds at the ends are in whole numbers. Raises as `Attack`.
    """
    compiled = system.compiled()
    matrix = _matrix(compiled, targets)
    narrowed = narrow(compiled, compiled.known(hidden), _links(matrix))
    parts = list(_parts(compiled, narrowed, matrix, np.arange(len(targets))))
    found = np.empty((len(targets), 2))
    for part, ends in zip(parts, _all_done([partial(_ends, part) for part in parts], workers), strict=True):
        found[part.targets] = ends
    return [_inwards(terms, compiled, least, most) for terms, (least, most) in zip(targets, found, strict=True)]


def _inwards(terms: Mapping[Key, float], system: Compiled, least: float, most: float) -> Interval:
    if not all(system.whole[system.place[key]] and weight == int(weight) for key, weight in terms.items()):
        return Interval(float(least), float(most))
    low = ceil(least - TOLERANCE) if least > -inf else least
    return Interval(float(low), float(floor(most + TOLERANCE) if most < inf else most))


def _matrix(system: Compiled, targets: Sequence[Mapping[Key, float]]) -> csr_array:
    """The weights of targets (targets, columns)."""
    start = np.cumsum([0, *map(len, targets)])
    index = np.array([system.place[key] for terms in targets for key in terms], dtype=np.int64)
    weight = np.array([weight for terms in targets for weight in terms.values()], dtype=np.float64)
    return csr_array((weight, index, start), shape=(len(targets), system.columns))


def _links(targets: csr_array) -> list[Whole]:
    lengths = np.diff(targets.indptr)
    return [targets.indices[targets.indptr[i] : targets.indptr[i + 1]] for i in np.flatnonzero(lengths > 1)]


def _reached(seen: Floats, needed: Floats) -> Flags:
    """Per target and side, whether some world goes as far as is needed."""
    low = seen[:, LOW] <= needed[:, LOW] + TOLERANCE
    return np.column_stack([low, seen[:, HIGH] >= needed[:, HIGH] - TOLERANCE])


# --- Parts that have nothing to do with each other --------------------------------------------------------------------


@dataclass(frozen=True)
class _Part:
    """A connected part of a system with some of its targets.

    `matrix` (rows, columns of the part), `goals` (targets here, columns of the part); `offset` (targets here) is what settled
    unknowns add. `targets` are the places of the targets in the whole attack.
    """

    targets: Whole
    goals: csr_array
    offset: Floats
    matrix: csr_array
    rows: tuple[Floats, Floats]
    columns: tuple[Floats, Floats]
    whole: Flags


def _parts(system: Compiled, narrowed: Narrowed, targets: csr_array, open_: Whole) -> Iterator[_Part]:
    """The parts that have an open target, in a fixed order, in groups of targets."""
    settled = narrowed.settled
    offset = targets @ np.where(settled, narrowed.least, 0)
    lengths = np.diff(narrowed.matrix.indptr)
    of_row = np.full(len(lengths), -1)
    of_row[lengths > 0] = narrowed.part[narrowed.matrix.indices[narrowed.matrix.indptr[:-1][lengths > 0]]]
    rows, columns = _grouped(of_row), _grouped(np.where(settled, -1, narrowed.part))
    for label, mine in _grouped(_part_of_targets(targets, narrowed.part, settled, open_)).items():
        here, there = columns.get(label, _NONE), rows.get(label, _NONE)
        matrix = narrowed.matrix[there][:, here]
        told = narrowed.row_least[there], narrowed.row_most[there]
        bounds = narrowed.least[here], narrowed.most[here]
        size = min(CHUNK, ceil(len(mine) / FEWEST_CHUNKS))
        for first in range(0, len(mine), size):
            chosen = open_[mine[first : first + size]]
            goals = targets[chosen][:, here]
            yield _Part(chosen, goals, offset[chosen], matrix, told, bounds, system.whole[here])


_NONE: Whole = np.zeros(0, dtype=np.int64)


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


Done = TypeVar("Done")


def _all_done(jobs: Sequence[Callable[[], Done]], workers: int | None) -> list[Done]:
    """The results in the order of the jobs. Threads will do: the solver lets others run while it works."""
    workers = min(len(jobs), workers or os.cpu_count() or 1)
    if workers <= 1:
        return [job() for job in jobs]
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(lambda job: job(), jobs))


# --- The least and the most -------------------------------------------------------------------------------------------


def _ends(part: _Part) -> Floats:
    """Least and most (targets here, 2) by linear programming."""
    programme = Programme(part.matrix, part.rows, part.columns)
    found = np.empty((len(part.targets), 2))
    for i in range(len(found)):
        goal = part.goals[[i]].toarray()[0]
        for side, sign in ((LOW, 1.0), (HIGH, -1.0)):
            found[i, side] = part.offset[i] + sign * _least(programme, sign * goal)
    return found


def _least(programme: Programme, costs: Floats) -> float:
    programme.costs(costs)
    outcome = programme.solve()
    if outcome is Outcome.IMPOSSIBLE:
        raise Contradiction(CONTRADICTION)
    return programme.value if outcome is Outcome.FOUND else -inf


# --- Searching for worlds ---------------------------------------------------------------------------------------------


@dataclass
class _Found:
    """What a search knows of its targets so far (targets here, 2 sides)."""

    seen: Floats
    bound: Floats
    undecided: Flags


def _searched(part: _Part, needed: Floats, seen: Floats) -> _Found:
    search = _Search(part, needed, seen)
    for side in (LOW, HIGH):
        search.many(side)
        for i in search.pending(side):
            search.one(int(i), side)
    return search.found


class _Search:
    """One part's programmes: columns of the part, then by how much each target misses its low, then its high end.

    To make a target as small as it must seem is to bring its first miss down to nothing.
    """

    def __init__(self, part: _Part, needed: Floats, seen: Floats) -> None:
        self.part, self.needed = part, needed - part.offset[:, None]
        self.count, self.columns = len(part.targets), part.matrix.shape[1]
        self.found = _Found(seen.copy(), _from_bounds(part), np.zeros((self.count, 2), dtype=np.bool_))
        self.linear = self._programme(None)
        self._integral: Programme | None = None
        self._costs = np.zeros(self.columns + 2 * self.count)
        self._pattern = abs(part.matrix)

    def _programme(self, whole: Flags | None) -> Programme:
        part, n, nothing = self.part, self.count, np.full(self.count, -inf)
        here = eye_array(n, format="csr")
        matrix = block_array(
            [[part.matrix, None, None], [part.goals, -here, None], [part.goals, None, here]], format="csr"
        )
        least = np.concatenate([part.rows[0], nothing, self.needed[:, HIGH]])
        most = np.concatenate([part.rows[1], self.needed[:, LOW], -nothing])
        columns = (
            np.concatenate([part.columns[0], np.zeros(2 * n)]),
            np.concatenate([part.columns[1], np.full(2 * n, inf)]),
        )
        return Programme(csr_array(matrix), (least, most), columns, whole, only_costs_change=whole is None)

    @property
    def integral(self) -> Programme:
        """The same programme in whole numbers."""
        if self._integral is None:
            self._integral = self._programme(
                np.concatenate([self.part.whole, np.zeros(2 * self.count, dtype=np.bool_)])
            )
        return self._integral

    def pending(self, side: int) -> Whole:
        """Targets for which no world was seen, and none has been ruled out by bounds."""
        ruled_out = ~_reached(self.found.bound, self.needed + self.part.offset[:, None])[:, side]
        return np.flatnonzero(~self._safe(side) & ~ruled_out)

    def _safe(self, side: int) -> Flags:
        return _reached(self.found.seen, self.needed + self.part.offset[:, None])[:, side]

    def _misses(self, side: int, targets: Whole) -> Whole:
        """The columns of misses."""
        columns: Whole = self.columns + side * self.count + targets
        return columns

    def many(self, side: int) -> None:
        """Worlds in which as many targets as possible go as far as they must."""
        pending = self.pending(side)
        while len(pending) > 1:
            if self._pushed(self._misses(side, pending)) is Outcome.FOUND:
                self._witness_near(_NONE)
            left = self.pending(side)
            if len(pending) - len(left) < max(1, WORTH_ANOTHER * len(pending)):
                return
            pending = left

    def _pushed(self, misses: Whole) -> Outcome:
        self._costs = np.zeros(self.columns + 2 * self.count)
        self._costs[misses] = 1.0
        self.linear.costs(self._costs)
        outcome = self.linear.solve()
        if outcome is Outcome.IMPOSSIBLE:
            raise Contradiction(CONTRADICTION)
        return outcome

    def one(self, i: int, side: int) -> None:
        """Settle one side of one target, unless an earlier world has done so."""
        if self._safe(side)[i]:
            return
        outcome, miss = self._pushed(self._misses(side, np.array([i]))), self.linear.value
        if outcome is not Outcome.FOUND:
            self.found.undecided[i, side] = True
        elif miss > TOLERANCE:
            reached = self.needed[i, side] + self.part.offset[i]
            self.found.bound[i, side] = reached + (miss if side == LOW else -miss)
        else:
            self._witness_near(self._misses(side, np.array([i])))
            if not self._safe(side)[i]:
                self._in_whole_numbers(i, side)

    def _in_whole_numbers(self, i: int, side: int) -> None:
        outcome = self._solved_whole(self.part.columns, self._misses(side, np.array([i])))
        if outcome is Outcome.FOUND:
            self._take(self.integral.values)
        if not self._safe(side)[i]:
            # Further than needed is ruled out; how far short of it the truth stays is not looked for.
            reached = self.needed[i, side] + self.part.offset[i]
            self.found.bound[i, side] = reached + (1 if side == LOW else -1) * (outcome is Outcome.IMPOSSIBLE)
            self.found.undecided[i, side] = outcome is not Outcome.IMPOSSIBLE

    def _solved_whole(self, bounds: tuple[Floats, Floats], no_miss: Whole, missed: Floats | None = None) -> Outcome:
        """Search a world in whole numbers without some misses, and with about as few as can be of those that cost."""
        nothing = np.zeros(self.columns + 2 * self.count)
        self.integral.costs(nothing if missed is None else missed)
        most = np.full(2 * self.count, inf)
        most[no_miss - self.columns] = 0
        every = np.arange(self.columns + 2 * self.count)
        least = np.concatenate([bounds[0], np.zeros(2 * self.count)])
        self.integral.bounds(every, least, np.concatenate([bounds[1], most]))
        return self.integral.solve()

    def _witness_near(self, no_miss: Whole) -> None:
        """Take the world just found, or one in whole numbers that differs only around where this has fractions of people."""
        values, missed = self.linear.values, self._costs
        world = values[: self.columns]
        rounded = np.round(world)
        broken = self.part.whole & (np.abs(world - rounded) > TOLERANCE)
        if not broken.any():
            self._take(values)
            return
        for _ in range(STEPS_AROUND):
            fixed = self.part.whole & ~broken
            least, most = (np.where(fixed, rounded, bound) for bound in self.part.columns)
            if self._solved_whole((least, most), no_miss, missed) is Outcome.FOUND:
                self._take(self.integral.values)
                return
            broken = self._around(broken)

    def _around(self, columns: Flags) -> Flags:
        """These columns and all that share a row with one of them."""
        rows = self._pattern @ columns.astype(np.float64)
        reached: Flags = self._pattern.T @ rows > 0
        return reached | columns

    def _take(self, values: Floats) -> None:
        """Count a world as a witness, if it is one when its counts are rounded to the whole numbers that they nearly are."""
        world = np.where(self.part.whole, np.round(values[: self.columns]), values[: self.columns])
        if not _fits(self.part, world):
            return
        reached = self.part.goals @ world + self.part.offset
        self.found.seen[:, LOW] = np.minimum(self.found.seen[:, LOW], reached)
        self.found.seen[:, HIGH] = np.maximum(self.found.seen[:, HIGH], reached)


def _fits(part: _Part, world: Floats) -> bool:
    """Whether a world keeps all rows and bounds, but for what rounding counts by `TOLERANCE` can have moved."""
    size = max(1.0, 1e-3 * np.abs(world).max(initial=0))
    sums, slack = part.matrix @ world, TOLERANCE * (size + abs(part.matrix) @ np.ones(len(world)))
    rows = (sums >= part.rows[0] - slack) & (sums <= part.rows[1] + slack)
    columns = (world >= part.columns[0] - TOLERANCE * size) & (world <= part.columns[1] + TOLERANCE * size)
    return bool(rows.all() and columns.all())


def _from_bounds(part: _Part) -> Floats:
    """What the bounds of the unknowns alone say of each target (targets here, 2)."""
    goals = part.goals.tocoo()
    ends = [goals.data * bound[goals.col] for bound in part.columns]
    low, high = (np.bincount(goals.row, pick(*ends), len(part.targets)) for pick in (np.minimum, np.maximum))
    return np.column_stack([low, high]) + part.offset[:, None]

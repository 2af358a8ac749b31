"""What can be concluded from a system: whether each hidden number could still be as small and as great as it must seem.

What belongs here: around which worlds is searched, and what follows for each target. What does not: the search in one part of
a system (`search`), what is known (`knowledge`), and what to do about it (`repair`).

Every world found is a witness for all targets at once, so most targets need no search of their own.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import ceil, floor, inf

import numpy as np
from scipy.sparse import csr_array

from survey_pipeline.proof.narrow import CONTRADICTION, TOLERANCE, Contradiction, Narrowed, between, narrow
from survey_pipeline.proof.pieces import Part, parts_of
from survey_pipeline.proof.search import (
    HIGH,
    LOW,
    WORTH_ANOTHER,
    Found,
    reached,
    searched,
)
from survey_pipeline.proof.solver import Outcome, Programme
from survey_pipeline.proof.system import Compiled, Flags, Floats, Key, Source, System, Whole
from survey_pipeline.proof.worlds import Name, Worlds, all_done, some_world, tidied, world_of

__all__ = ["Attack", "Contradiction", "Interval", "Target", "Verdict", "Worlds", "exact_bounds"]

ANY = (None,)
AROUND = (ANY, (LOW, HIGH), (LOW, HIGH))
"""Worlds around which is searched first: any, then those in which what is still open is little, and much."""
FEW = 20
"""Targets for which no worlds are made together: they are searched one by one."""


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


def _name(terms: Mapping[Key, float]) -> Name:
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
        # What is asked for twice is searched once.
        asked = [(_name(target.terms), target.lower, target.upper) for target in targets]
        once = dict(zip(asked, targets, strict=True))
        places = {each: place for place, each in enumerate(once)}
        self._asked, targets = [places[each] for each in asked], list(once.values())
        self._names = [name for name, _, _ in once]
        self._hubs = np.array([self._system.place[key] for key in hubs], dtype=np.int64)
        self._targets = _matrix(self._system, [target.terms for target in targets])
        # What is asked for is searched itself, not what follows.
        named = np.isin(np.arange(self._system.columns), self._targets.indices)
        self._system = replace(self._system, sums=self._system.sums & ~named)
        self._needed = np.array([[target.lower, target.upper] for target in targets], dtype=np.float64).reshape(-1, 2)
        before = worlds or Worlds()
        self._before = np.array([before.one.get(key, 0.0) for key in self._system.place]) if before.one else None
        seen = [before.ends.get(name, (inf, -inf)) for name in self._names]
        self._seen = np.array(seen, dtype=np.float64).reshape(-1, 2)
        self._bound = np.tile([-inf, inf], (len(targets), 1))
        self._undecided = np.zeros((len(targets), 2), dtype=np.bool_)
        self._hidden = set(hidden)
        self._workers = workers
        self._fresh = True
        self._held: _Held | None = None

    @property
    def around(self) -> Compiled | None:
        """The system with its hubs as in some world, once one was found."""
        return None if self._held is None else self._held.system

    @property
    def worlds(self) -> Worlds:
        """What was seen so far, for attacks in which less is known."""
        ends = {name: (float(low), float(high)) for name, (low, high) in zip(self._names, self._seen, strict=True)}
        if self._held is None:
            return Worlds(ends)
        return Worlds(ends, dict(zip(self._system.place, self._held.world.tolist(), strict=True)))

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
            for i in self._asked
        ]

    def _safe(self) -> Flags:
        return reached(self._seen, self._needed)

    def _search(self, open_: Whole) -> None:
        known = self._system.known(self._hidden)
        narrowed = narrow(self._system, known, _links(self._targets))
        bound = np.column_stack(between(self._targets, narrowed.least, narrowed.most))
        self._bound[open_] = bound[open_]
        within = reached(bound, self._needed)
        if len(self._hubs):
            self._search_near_hubs(known, narrowed, within)
        open_ = np.flatnonzero(np.any(~self._safe() & within, axis=1))
        for part, found in self._searched(self._system, narrowed, open_):
            self._seen[part.targets] = found.seen
            self._bound[part.targets] = found.bound
            self._undecided[part.targets] = found.undecided

    def _search_near_hubs(self, known: Flags, narrowed: Narrowed, within: Flags) -> None:
        """Look around some world, then around worlds that go where targets are still open."""
        before = inf
        for sides in AROUND:
            open_ = np.flatnonzero(np.any(~self._safe() & within, axis=1))
            fewest = 1 if sides == ANY else FEW
            if len(open_) < fewest or before - len(open_) < WORTH_ANOTHER * len(open_):
                return
            before = len(open_)
            costs = [self._towards(side, open_) for side in sides if side is None or self._is_open(side, open_)]
            found = self._as_before(known) if sides == ANY else None
            jobs = [partial(self._held_towards, known, narrowed, each) for each in costs]
            held = [found] if found else all_done(jobs, self._workers)
            self._held = self._held or held[0]
            for each in held:
                self._search_around(each, open_)

    def _is_open(self, side: int, targets: Whole) -> bool:
        return not self._safe()[targets, side].all()

    def _towards(self, side: int | None, open_: Whole) -> Floats:
        """Costs (columns) of worlds in which the targets that are open on a side go that way."""
        if side is None:
            return np.zeros(self._system.columns)
        mine = self._targets[open_[~self._safe()[open_, side]]]
        costs: Floats = np.asarray(mine.sum(axis=0), dtype=np.float64) * (1 if side == LOW else -1)
        return costs

    def _search_around(self, held: "_Held | None", open_: Whole) -> None:
        """Look for worlds with the hubs as in one world: what is seen there was seen, what is not may be elsewhere."""
        left = open_[~self._safe()[open_].all(axis=1)]
        for part, found in self._searched(held.system, held.narrowed, left) if held else ():
            self._seen[part.targets] = found.seen

    def _as_before(self, known: Flags) -> "_Held | None":
        """The hubs as in a world of before, if that still fits."""
        return None if self._before is None else self._held_as(self._before, known)

    def _held_towards(self, known: Flags, narrowed: Narrowed, costs: Floats) -> "_Held | None":
        """The hubs where some world with low costs has them; None where none was found in time. Where only the hubs are in
        whole numbers, the rest nearly always can be; all in whole numbers at once takes much longer, and is tried for the
        first world alone.
        """
        of_hubs = np.zeros(self._system.columns, dtype=np.bool_)
        of_hubs[self._hubs] = True
        found = some_world(narrowed, costs, of_hubs)
        held = None if found is None else self._held_as(tidied(found), known)
        if held is not None or self._held is not None:
            return held
        whole = world_of(self._system, narrowed, costs, np.zeros(len(costs)), self._workers)
        return None if whole is None else self._held_in(whole, known)

    def _held_as(self, world: Floats, known: Flags) -> "_Held | None":
        """The hubs as in a world (columns), if there is one in whole numbers with such hubs."""
        try:
            held = self._held_in(world, known)
            whole = world_of(held.system, held.narrowed, np.zeros(len(world)), world, self._workers)
        except Contradiction:
            return None
        return None if whole is None else replace(held, world=whole)

    def _held_in(self, world: Floats, known: Flags) -> "_Held":
        system = held_at(self._system, self._hubs, world)
        return _Held(system, narrow(system, known, _links(self._targets)), world)

    def _searched(self, system: Compiled, narrowed: Narrowed, open_: Whole) -> list[tuple[Part, Found]]:
        start = self._held.world if self._held else None
        parts = list(parts_of(system, narrowed, self._targets, open_, self._hubs, start))
        jobs = [partial(searched, part, self._needed[part.targets], self._seen[part.targets]) for part in parts]
        return list(zip(parts, all_done(jobs, self._workers), strict=True))


@dataclass(frozen=True)
class _Held:
    """A system with its hubs as in a `world` (columns) in whole numbers, and what is known of it then."""

    system: Compiled
    narrowed: Narrowed
    world: Floats


def held_at(system: Compiled, hubs: Whole, world: Floats) -> Compiled:
    """The system with its hubs as in a world (columns)."""
    least, most = system.least.copy(), system.most.copy()
    least[hubs] = most[hubs] = world[hubs]
    return replace(system, least=least, most=most)


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
    parts = list(parts_of(compiled, narrowed, matrix, np.arange(len(targets))))
    found = np.empty((len(targets), 2))
    for part, ends in zip(parts, all_done([partial(_ends, part) for part in parts], workers), strict=True):
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


# --- The least and the most -------------------------------------------------------------------------------------------


def _ends(part: Part) -> Floats:
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

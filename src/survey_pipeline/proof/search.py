"""Searching a part of a system: worlds in whole numbers in which targets go as far as they must.

What belongs here: the search in one part. What does not: taking parts out of a system (`pieces`), in what order which worlds
are looked for, and what follows for a target (`attack`).

A linear programme brings as many targets as it can to where they must be. Its world is mostly in fractions of people here and
there; one in whole numbers is looked for nearby.
"""

from dataclasses import dataclass
from functools import cached_property
from math import inf

import numpy as np
from scipy.sparse import block_array, csr_array, eye_array, vstack

from survey_pipeline.proof.narrow import CONTRADICTION, TOLERANCE, Contradiction, connected
from survey_pipeline.proof.pieces import NOTHING, Part, apart, around, fits, fitting, from_bounds
from survey_pipeline.proof.solver import Outcome, Programme
from survey_pipeline.proof.sums import Sums, whole_world
from survey_pipeline.proof.system import Flags, Floats, Whole

LOW, HIGH = 0, 1

WORTH_ANOTHER = 0.1
"""Worlds for many targets at once are made as long as each settles this share of those that are left."""

LEAST_WEIGHT = 0.01
"""Of a target beside others, the greatest being 1."""

STEPS_AROUND = 3
"""How often more is set free around fractions of people before the search gives up staying near a world."""


def reached(seen: Floats, needed: Floats) -> Flags:
    """Per target and side, whether some world goes as far as is needed."""
    low = seen[:, LOW] <= needed[:, LOW] + TOLERANCE
    return np.column_stack([low, seen[:, HIGH] >= needed[:, HIGH] - TOLERANCE])


@dataclass
class Found:
    """What a search knows of its targets so far (targets here, 2 sides)."""

    seen: Floats
    bound: Floats
    undecided: Flags


def searched(part: Part, needed: Floats, seen: Floats) -> Found:
    """What can be said of a part's targets: `needed` and `seen` so far (targets here, 2). Raises `Contradiction`."""
    search = _Search(part, needed, seen)
    for side in (LOW, HIGH):
        search.many(side)
        for i in search.pending(side):
            search.one(int(i), side)
    return search.found


@dataclass(frozen=True)
class _Aimed:
    """A part's rows, then one for each target's low and one for its high end. Columns: the part's, then by how much each
    target misses its low, then its high end.
    """

    matrix: csr_array
    rows: tuple[Floats, Floats]
    columns: tuple[Floats, Floats]

    @classmethod
    def of(cls, part: Part, needed: Floats) -> "_Aimed":
        n, nothing = len(part.targets), np.full(len(part.targets), -inf)
        here = eye_array(n, format="csr")
        goals = [part.goals, -here, None], [part.goals, None, here]
        matrix = csr_array(block_array([[part.matrix, None, None], *goals], format="csr"))
        least = np.concatenate([part.rows[0], nothing, needed[:, HIGH]])
        most = np.concatenate([part.rows[1], needed[:, LOW], -nothing])
        columns = np.append(part.columns[0], np.zeros(2 * n)), np.append(part.columns[1], np.full(2 * n, inf))
        return cls(matrix, (least, most), columns)


def _aimed(part: Part, needed: Floats, whole: Flags | None) -> Programme:
    """The programme of a part, in fractions or with what is `whole` in whole numbers."""
    aimed = _Aimed.of(part, needed)
    return Programme(aimed.matrix, aimed.rows, aimed.columns, whole)


def _moved(part: Part, needed: Floats, whole: Flags | None) -> Programme:
    """The programme of a part, in fractions or with what is `whole` in whole numbers: its columns and misses, then how far
    each hub is above and below where it starts, which costs.
    """
    assert part.start is not None
    hubs, aimed = np.flatnonzero(part.hubs), _Aimed.of(part, needed)
    here = eye_array(len(hubs), format="csr")
    of_hubs = eye_array(aimed.matrix.shape[1], format="csr")[hubs]
    matrix = csr_array(block_array([[aimed.matrix, None, None], [of_hubs, -here, here]], format="csr"))
    rows = np.append(aimed.rows[0], part.start[hubs]), np.append(aimed.rows[1], part.start[hubs])
    none = np.zeros(2 * len(hubs))
    columns = np.append(aimed.columns[0], none), np.append(aimed.columns[1], none + inf)
    programme = Programme(matrix, rows, columns, whole)
    programme.costs(np.append(np.zeros(aimed.matrix.shape[1]), none + 1))
    return programme


def _are_whole(numbers: Floats) -> bool:
    return bool(np.abs(numbers - np.round(numbers)).max(initial=0) <= TOLERANCE)


def _unlike(count: int) -> Floats:
    """Weights that are all unlike, the same each time: where not all targets can be had at once, a world then gives some of
    them up and has the others, instead of falling a little short of each.
    """
    weights: Floats = np.random.default_rng(count).uniform(LEAST_WEIGHT, 1, count)
    return weights


class _Search:
    """One part's programmes: columns of the part, then by how much each target misses its low, then its high end.

    To make a target as small as it must seem is to bring its first miss down to nothing.
    """

    def __init__(self, part: Part, needed: Floats, seen: Floats) -> None:
        self.part, self.needed = part, needed - part.offset[:, None]
        self.count, self.columns = len(part.targets), part.matrix.shape[1]
        self.found = Found(seen.copy(), from_bounds(part), np.zeros((self.count, 2), dtype=np.bool_))
        self.linear = _aimed(part, self.needed, None)
        self._sums = Sums.of(part.matrix, part.rows, part.columns, part.sums)
        self._costs = np.zeros(self.columns + 2 * self.count)
        self._pattern = abs(part.matrix)

    @cached_property
    def integral(self) -> Programme:
        """The same programme in whole numbers."""
        return _aimed(self.part, self.needed, self.part.counts)

    @cached_property
    def _near_start(self) -> Programme:
        """Hubs are moved as little as can be, in fractions of people, which is quick and mostly enough."""
        return _moved(self.part, self.needed, None)

    @cached_property
    def _near_start_in_whole_numbers(self) -> Programme:
        return _moved(self.part, self.needed, self.part.hubs)

    def pending(self, side: int) -> Whole:
        """Targets for which no world was seen, and none has been ruled out by bounds."""
        ruled_out = ~reached(self.found.bound, self.needed + self.part.offset[:, None])[:, side]
        return np.flatnonzero(~self._safe(side) & ~ruled_out)

    def _safe(self, side: int) -> Flags:
        return reached(self.found.seen, self.needed + self.part.offset[:, None])[:, side]

    def _misses(self, side: int, targets: Whole) -> Whole:
        """The columns of misses."""
        columns: Whole = self.columns + side * self.count + targets
        return columns

    def many(self, side: int) -> None:
        """Worlds in which as many targets as possible go as far as they must."""
        pending = self.pending(side)
        while len(pending) > 1:
            if self._pushed(self._misses(side, pending), _unlike(len(pending))) is Outcome.FOUND:
                self._witness_near(NOTHING)
            left = self.pending(side)
            if len(pending) - len(left) < max(1, WORTH_ANOTHER * len(pending)):
                return
            pending = left

    def _pushed(self, misses: Whole, weights: Floats | float = 1.0) -> Outcome:
        self._costs = np.zeros(self.columns + 2 * self.count)
        self._costs[misses] = weights
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
        miss = self._misses(side, np.array([i]))
        outcome = self._with_hubs_moved(miss)
        if outcome is not Outcome.IMPOSSIBLE and not self._safe(side)[i]:
            outcome = self._without(miss)
        if not self._safe(side)[i]:
            # Further than needed is ruled out; how far short of it the truth stays is not looked for.
            reached = self.needed[i, side] + self.part.offset[i]
            self.found.bound[i, side] = reached + (1 if side == LOW else -1) * (outcome is Outcome.IMPOSSIBLE)
            self.found.undecided[i, side] = outcome is not Outcome.IMPOSSIBLE

    def _with_hubs_moved(self, no_miss: Whole) -> Outcome:
        """Move the hubs as little as it takes from where they are in some world, and search a world in whole numbers around
        them, where all falls into small parts. Impossible where hubs in whole numbers alone rule it out.
        """
        hubs = self.part.hubs
        if self.part.start is None or not hubs.any():
            return Outcome.GIVEN_UP
        outcome, moved = self._moved_least(no_miss)
        if moved is not None:
            world = np.where(hubs, np.round(moved), self.part.start)
            goal = (no_miss - self.columns) % self.count
            self._wish_for_all_pending()
            self._found_around(world, self._disturbed(world, goal), np.zeros_like(hubs), no_miss)
        return outcome

    def _wish_for_all_pending(self) -> None:
        """What is open still costs what it misses, so that a world that is searched for one target serves others, too."""
        self._costs = np.zeros(self.columns + 2 * self.count)
        for side in (LOW, HIGH):
            pending = self.pending(side)
            self._costs[self._misses(side, pending)] = _unlike(len(pending))

    def _moved_least(self, no_miss: Whole) -> tuple[Outcome, Floats | None]:
        """A world (columns of the part) with hubs in whole numbers that are moved as little as can be."""
        outcome, world = self._with_no(no_miss, self._near_start)
        if world is None or _are_whole(world[self.part.hubs]):
            return outcome, world
        return self._with_no(no_miss, self._near_start_in_whole_numbers)

    def _with_no(self, no_miss: Whole, programme: Programme) -> tuple[Outcome, Floats | None]:
        """The world (columns of the part) that a programme finds without some misses."""
        self._bar(programme, no_miss)
        outcome = programme.solve()
        return outcome, programme.values[: self.columns] if outcome is Outcome.FOUND else None

    def _disturbed(self, world: Floats, goal: Whole) -> Flags:
        """What hangs together (columns), hubs left out, with a row that a world does not fit or with some targets."""
        misfit = ~fitting(self.part, world)
        about = abs(self.part.matrix[misfit]).sum(axis=0) + abs(self.part.goals[goal]).sum(axis=0)
        mine = np.unique(self._question[(np.asarray(about) > 0) & ~self.part.hubs])
        found: Flags = np.isin(self._question, mine) & ~self.part.hubs
        return found

    @cached_property
    def _question(self) -> Whole:
        """What hangs together otherwise than by hubs, by a number (columns); -1 for hubs."""
        found = np.full(self.columns, -1)
        chosen = np.flatnonzero(~self.part.hubs)
        found[chosen] = connected(csr_array(vstack([self.part.matrix[:, chosen], self.part.goals[:, chosen]])))
        return found

    def _bar(self, programme: Programme, no_miss: Whole) -> None:
        """Allow no world with some misses."""
        misses = self.columns + np.arange(2 * self.count)
        most = np.full(2 * self.count, inf)
        most[no_miss - self.columns] = 0
        programme.bounds(misses, np.zeros(2 * self.count), most)

    def _without(self, no_miss: Whole) -> Outcome:
        """Search a world in whole numbers without some misses, and take it."""
        self._bar(self.integral, no_miss)
        outcome, world = whole_world(self.integral, self.part.counts, self._sums)
        if world is not None:
            self._take(world)
        return outcome

    def _witness_near(self, no_miss: Whole) -> None:
        """Take the world just found, or one in whole numbers that differs only around where this has fractions of people, or
        sums that cannot be whole.
        """
        counts, values = self.part.counts, self.linear.values[: self.columns]
        world = np.where(counts, np.round(values), values)
        broken = np.abs(world - values) > TOLERANCE
        lacking = np.zeros_like(broken)
        if not broken.any():
            found, lacking = self._sums.whole(world)
            if not lacking.any():
                self._take(found)
                return
        for step in range(STEPS_AROUND):
            if self._hangs_together(broken):
                return
            if self._found_around(world, ~counts | broken, lacking, no_miss) is Outcome.FOUND:
                return
            broken = self._near(broken | lacking, may_move_hubs=step == STEPS_AROUND - 2)

    def _hangs_together(self, free: Flags) -> bool:
        """Whether hubs are free, and everything with them: where it is known from where, they are moved otherwise."""
        return self.part.start is not None and bool(np.any(free & self.part.hubs))

    def _found_around(self, world: Floats, free: Flags, lacking: Flags, no_miss: Whole) -> Outcome:
        """Search a world in whole numbers that differs from this one only in what is free, without some misses and with about
        as few as can be of those that cost; take it.
        """
        made = world.copy()
        for here in apart(self.part, free):
            part, mine = around(self.part, here, world)
            misses = np.append(self._misses(LOW, mine), self._misses(HIGH, mine))
            columns = part.matrix.shape[1]
            programme = _aimed(part, self.needed[mine] + (self.part.offset[mine] - part.offset)[:, None], part.counts)
            programme.costs(np.append(np.zeros(columns), self._costs[misses]))
            most = np.where(np.isin(misses, no_miss), 0, inf)
            programme.bounds(columns + np.arange(len(misses)), np.zeros(len(misses)), most)
            sums = Sums.of(part.matrix, part.rows, part.columns, part.sums)
            outcome, found = whole_world(programme, part.counts, sums, lacking[here])
            if found is None:
                return outcome
            made[here] = found
        self._take(made)
        return Outcome.FOUND

    def _near(self, columns: Flags, *, may_move_hubs: bool) -> Flags:
        """These columns and all that share a row with one of them; of the hubs, from which everything is near, only where
        nothing else is left to try.
        """
        rows = self._pattern @ columns.astype(np.float64)
        reached: Flags = self._pattern.T @ rows > 0
        return columns | (reached if may_move_hubs else reached & ~self.part.hubs)

    def _take(self, world: Floats) -> None:
        """Count a world (columns of the part) as a witness, if it is one."""
        if not fits(self.part, world):
            return
        reached = self.part.goals @ world + self.part.offset
        self.found.seen[:, LOW] = np.minimum(self.found.seen[:, LOW], reached)
        self.found.seen[:, HIGH] = np.maximum(self.found.seen[:, HIGH], reached)

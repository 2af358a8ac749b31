"""Elastic: all that is known, where what was published may be broken at a price.

What belongs here: such a programme of a whole system, and of what is near a target. What does not: which rows to hide
(`repair`).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf

import numpy as np
from scipy.sparse import block_array, csr_array, eye_array
from scipy.sparse.csgraph import connected_components

from survey_pipeline.proof.attack import Target
from survey_pipeline.proof.narrow import TOLERANCE, between, narrow
from survey_pipeline.proof.pieces import NOTHING
from survey_pipeline.proof.solver import Outcome, Programme
from survey_pipeline.proof.system import Compiled, Flags, Floats, Key, Whole

HUB = -1
"""In place of the number of a part."""
FEW_COLUMNS = 50
"""Parts of fewer unknowns are taken together: to begin with each takes longer than to solve it."""
MOVED = 1.0
"""What it costs to move a hub by one person from where it is in a world: little, beside a row of ten people or more. Where
hubs stay, what was not looked at still fits.
"""


class NotPossible(ValueError):
    """Hiding everything published would not be enough: what is always known settles the number."""


class Elastic:
    """All rows of a system; those with a source may be broken.

    Columns: the unknowns, how far each row with a source is fallen short of and how far it is exceeded, how far each target
    misses its low and its high end, then how far each of the `hubs` is above and below where it is in some world.
    """

    def __init__(
        self, system: Compiled, targets: Mapping[int, Target], hubs: Mapping[Key, float] | None = None
    ) -> None:
        self.system, self.count = system, len(targets)
        self.order = {target: place for place, target in enumerate(targets)}
        self.targets = list(targets.values())
        self._said = _Said.by(system)
        self.source = self._said.source[np.concatenate(self._said.loose)]
        self.places = system.columns + np.arange(len(self.source))
        self.hubs = np.array([system.place[key] for key in hubs or ()], dtype=np.int64)
        self._start = np.array(list((hubs or {}).values()), dtype=np.float64)
        self._programmes: dict[bool, Programme] = {}

    def _programme(self, whole: Flags | None = None) -> Programme:
        in_whole_numbers = whole is not None
        if in_whole_numbers not in self._programmes:
            self._programmes[in_whole_numbers] = self._made(in_whole_numbers)
        programme = self._programmes[in_whole_numbers]
        if whole is not None:
            programme.whole(whole)
        return programme

    def _made(self, whole: bool) -> Programme:
        said, none, more = self._said, np.full(self.count, inf), self._width - self.system.columns
        lower, upper = [t.lower for t in self.targets], [t.upper for t in self.targets]
        rows = (
            np.concatenate([said.least, -none, upper, self._start]),
            np.concatenate([said.most, lower, none, self._start]),
        )
        columns = np.append(said.columns[0], np.zeros(more)), np.append(said.columns[1], np.full(more, inf))
        return Programme(self._matrix(), rows, columns, self.system.whole if whole else None)

    @property
    def _width(self) -> int:
        return self.system.columns + len(self.source) + 2 * self.count + 2 * len(self.hubs)

    def _matrix(self) -> csr_array:
        """Rows of the system, then one for each target's low end and one for its high end, and one for each hub."""
        said, here, moved = self._said, eye_array(self.count), eye_array(len(self.hubs))
        short, over = (eye_array(len(said.least), format="csc")[:, rows] for rows in said.loose)
        goals, of_hubs = _goals(self.system, self.targets), eye_array(self.system.columns, format="csr")[self.hubs]
        none = [None, None]
        blocks = [
            [said.matrix, short, -over, *none, *none],
            [goals, *none, -here, None, *none],
            [goals, *none, None, here, *none],
            [of_hubs, *none, *none, -moved, moved],
        ]
        return csr_array(block_array(blocks))

    @property
    def unknowns(self) -> Floats:
        """The unknowns (columns) in the last world that was found in whole numbers, hubs rounded."""
        return np.round(self._programmes[True].values[: self.system.columns])

    def goal(self, target: int, low: bool) -> Whole:
        """The column of the miss that must be nothing; none for a target that is not here."""
        if target not in self.order:
            return np.zeros(0, dtype=np.int64)
        return np.array([self.system.columns + len(self.source) + (0 if low else self.count) + self.order[target]])

    def broken(self, goal: Whole, price: Floats, whole: Flags | None = None) -> Floats | None:
        """How far each source is broken in the cheapest world (sources), in fractions or with what is `whole` (columns) in
        whole numbers; None if the search was given up.
        """
        programme = self._programme(whole)
        programme.costs(self._costs(MOVED, price))
        outcome = self._solved(programme, goal, np.full(len(self.source), inf))
        if outcome is Outcome.IMPOSSIBLE:
            raise NotPossible("What is always known settles this number, whatever is hidden.")
        if outcome is not Outcome.FOUND:
            return None
        slack = programme.values[self.places]
        broken: Floats = np.bincount(self.source, slack, len(self.system.sources)).astype(np.float64)
        return broken

    def possible(self, goal: Whole, may_break: Flags) -> bool:
        """Whether the goal can be reached when only some sources may be broken."""
        programme = self._programme()
        programme.costs(self._costs(0))
        return self._solved(programme, goal, self._broken_at_most(may_break)) is Outcome.FOUND

    def moved(self, goal: Whole, may_break: Flags) -> Floats | None:
        """Where the hubs are, moved as little as can be, when the goal is reached and only some sources are broken; None if
        that cannot be.
        """
        programme = self._programme()
        programme.costs(self._costs(MOVED))
        outcome = self._solved(programme, goal, self._broken_at_most(may_break))
        return programme.values[self.hubs] if outcome is Outcome.FOUND else None

    def fits(self, hubs: Floats, may_break: Flags) -> bool:
        """Whether the hubs can be there when only some sources may be broken."""
        programme = self._programme()
        programme.costs(self._costs(0))
        return self._solved(programme, NOTHING, self._broken_at_most(may_break), (hubs, hubs)) is Outcome.FOUND

    def _costs(self, moved: float, price: Floats | None = None) -> Floats:
        costs = np.zeros(self._width)
        costs[self._width - 2 * len(self.hubs) :] = moved
        costs[self.places] = 0 if price is None else price[self.source]
        return costs

    def _broken_at_most(self, may_break: Flags) -> Floats:
        most: Floats = np.where(may_break[self.source], inf, 0)
        return most

    def _solved(
        self, programme: Programme, goal: Whole, broken_at_most: Floats, hubs: tuple[Floats, Floats] | None = None
    ) -> Outcome:
        """What is set for one question is set for each, so that nothing is left over from another."""
        misses = self.system.columns + len(self.places) + np.arange(2 * self.count)
        least, most = hubs or (self._said.columns[0][self.hubs], self._said.columns[1][self.hubs])
        columns = np.concatenate([self.places, misses, self.hubs])
        lower = np.concatenate([np.zeros(len(columns) - len(least)), least])
        upper = np.concatenate([broken_at_most, np.where(np.isin(misses, goal), 0, inf), most])
        programme.bounds(columns, lower, upper)
        return programme.solve()


@dataclass(frozen=True)
class _Said:
    """What the rows of a system say besides what always follows: `least` and `most` (rows) of sums with weights of at most 1
    (`matrix`: rows, columns), so that rows of means do not look worse broken than rows of counts. `columns`: what is always
    known of the unknowns. `source` (rows) is -1 for what is always known.
    """

    matrix: csr_array
    least: Floats
    most: Floats
    source: Whole
    columns: tuple[Floats, Floats]

    @classmethod
    def by(cls, system: Compiled) -> "_Said":
        always = narrow(system, system.source < 0)
        size = _greatest(system)
        weight = system.weight / np.repeat(size, np.diff(system.start))
        # A copy: sorting an array's indices would sort those of the system.
        matrix = csr_array((weight, system.index, system.start), shape=(system.rows, system.columns), copy=True)
        # What was never to be shown may be written down as a row that nothing fits; it is hidden and says nothing.
        sound, follows = system.row_least <= system.row_most, between(matrix, always.least, always.most)
        least = np.where(sound & (system.row_least / size > follows[0] + TOLERANCE), system.row_least / size, -inf)
        most = np.where(sound & (system.row_most / size < follows[1] - TOLERANCE), system.row_most / size, inf)
        kept = np.flatnonzero((least > -inf) | (most < inf))
        bounds = always.least, always.most
        return cls(csr_array(matrix[kept]), least[kept], most[kept], system.source[kept], bounds)

    @property
    def loose(self) -> tuple[Whole, Whole]:
        """The rows that may be fallen short of, and those that may be exceeded."""
        short, over = (np.flatnonzero((self.source >= 0) & np.isfinite(end)) for end in (self.least, self.most))
        return short, over


def _greatest(system: Compiled) -> Floats:
    """The greatest weight of each row; 1 for a row without any."""
    size, filled = np.zeros(system.rows), np.diff(system.start) > 0
    size[filled] = np.maximum.reduceat(np.abs(system.weight), system.start[:-1][filled])
    greatest: Floats = np.where(size > 0, size, 1)
    return greatest


def _goals(system: Compiled, targets: Sequence[Target]) -> csr_array:
    terms = [(i, system.place[key], weight) for i, target in enumerate(targets) for key, weight in target.terms.items()]
    row, column = (np.array([term[i] for term in terms], dtype=np.int64) for i in (0, 1))
    weight = np.array([term[2] for term in terms], dtype=np.float64)
    return csr_array((weight, (row, column)), shape=(len(targets), system.columns))


class Near:
    """What is known near each target: of its own question, say, and of the `hubs` that hold all questions together.

    Much less than what is known in all, and mostly what settles what is cheapest; never more, so that what is cheapest by it
    is no dearer. `start`: where the hubs are in a world that fits all that is known.
    """

    def __init__(
        self,
        system: Compiled,
        targets: Sequence[Target],
        hubs: Collection[Key],
        start: Mapping[Key, float] | None = None,
    ) -> None:
        self._system, self._targets = system, targets
        self._start = {hub: start[hub] for hub in hubs} if start else {}
        self.is_hub = np.zeros(system.columns, dtype=np.bool_)
        self.is_hub[[system.place[key] for key in hubs]] = True
        self._part: Whole = np.where(self.is_hub, HUB, _few_together(_parts_without(system, self.is_hub)))
        self._models: dict[frozenset[int], Elastic] = {}

    @property
    def parts(self) -> frozenset[int]:
        """All parts, by number."""
        return frozenset(self._part.tolist()) - {HUB}

    def columns(self, parts: Collection[int]) -> Flags:
        """The unknowns (columns) of some parts."""
        found: Flags = np.isin(self._part, list(parts))
        return found

    def parts_of(self, target: int) -> frozenset[int]:
        """The parts that a target is about; none for what is about hubs alone."""
        return self._parts_of[target]

    def to(self, parts: frozenset[int]) -> Elastic:
        """What is known of some parts and the hubs."""
        if parts not in self._models:
            mine = {i: target for i, target in enumerate(self._targets) if self._parts_of[i] <= parts}
            self._models[parts] = Elastic(self._system.within(self.columns(parts) | self.is_hub), mine, self._start)
        return self._models[parts]

    def not_fitting(self, parts: frozenset[int], hubs: Floats, may_break: Flags) -> frozenset[int]:
        """The other parts that do not fit with the hubs there, when only some sources may be broken."""
        others = sorted(self.parts - parts)
        return frozenset(part for part in others if not self.to(frozenset({part})).fits(hubs, may_break))

    def side_by_side(self) -> list[int]:
        """The places of the targets, those about the same parts next to each other."""
        return sorted(range(len(self._targets)), key=lambda target: sorted(self._parts_of[target]))

    @cached_property
    def _parts_of(self) -> list[frozenset[int]]:
        columns = ([self._system.place[key] for key in target.terms] for target in self._targets)
        return [frozenset(self._part[each].tolist()) - {HUB} for each in columns]


def _parts_without(system: Compiled, hubs: Flags) -> Whole:
    """The part (columns) of each unknown when what runs through the hubs does not count."""
    lengths = np.diff(system.start)
    row = np.repeat(np.arange(system.rows), lengths)
    kept = ~hubs[system.index]
    pattern = csr_array(
        (np.ones(int(kept.sum())), (row[kept], system.index[kept])), shape=(system.rows, system.columns)
    )
    labels: Whole = connected_components(csr_array(pattern.T @ pattern), directed=False)[1].astype(np.int64)
    return labels


def _few_together(part: Whole) -> Whole:
    """The parts (columns) with those of few unknowns as one."""
    is_small = np.bincount(part)[part] < FEW_COLUMNS
    together: Whole = np.where(is_small, part.max(initial=0) + 1, part)
    return together

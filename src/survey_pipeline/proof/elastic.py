"""Elastic: all that is known, where what was published may be broken at a price.

What belongs here: such a programme of a whole system, and of what is near a target. What does not: which rows to hide
(`repair`).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from math import inf

import numpy as np
from scipy.sparse import block_array, csr_array, diags_array, eye_array
from scipy.sparse.csgraph import connected_components

from survey_pipeline.proof.attack import Target
from survey_pipeline.proof.solver import Outcome, Programme
from survey_pipeline.proof.system import Compiled, Flags, Floats, Key, Whole


class NotPossible(ValueError):
    """Hiding everything published would not be enough: what is always known settles the number."""


class Elastic:
    """All rows of a system; those with a source may be broken.

    Columns: the unknowns, how far each row with a source is fallen short of and how far it is exceeded, then how far each
    target misses its low and its high end.
    """

    def __init__(self, system: Compiled, targets: Mapping[int, Target]) -> None:
        self.system, self.count = system, len(targets)
        self.order = {target: place for place, target in enumerate(targets)}
        self.loose = np.flatnonzero(system.source >= 0)
        self.source = np.concatenate([system.source[self.loose]] * 2)
        self.places = system.columns + np.arange(len(self.source))
        self.targets = list(targets.values())
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
        system, more = self.system, len(self.source) + 2 * self.count
        nothing, lower, upper = (
            np.full(self.count, inf),
            [t.lower for t in self.targets],
            [t.upper for t in self.targets],
        )
        # What was never to be shown may be written down as a row that nothing fits; it is hidden and says nothing.
        sound = system.row_least <= system.row_most
        least = np.concatenate([np.where(sound, system.row_least, -inf), -nothing, upper])
        most = np.concatenate([np.where(sound, system.row_most, inf), lower, nothing])
        columns = np.append(system.least, np.zeros(more)), np.append(system.most, np.full(more, inf))
        return Programme(self._matrix(), (least, most), columns, system.whole if whole else None)

    def _matrix(self) -> csr_array:
        """Rows of the system, then one for each target's low end and one for its high end."""
        system, here = self.system, eye_array(self.count)
        rows = csr_array((system.weight, system.index, system.start), shape=(system.rows, system.columns))
        # A row is as much broken as its greatest weight says: rows of means do not look worse than rows of counts.
        size, filled = np.ones(system.rows), np.diff(system.start) > 0
        size[filled] = np.maximum.reduceat(np.abs(system.weight), system.start[:-1][filled])
        slack = diags_array(size, format="csc")[:, self.loose]
        goals = _goals(system, self.targets)
        low, high = [goals, None, None, -here, None], [goals, None, None, None, here]
        return csr_array(block_array([[rows, slack, -slack, None, None], low, high]))

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
        costs = np.zeros(self.system.columns + len(self.source) + 2 * self.count)
        costs[self.places] = price[self.source]
        programme.costs(costs)
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
        programme.costs(np.zeros(self.system.columns + len(self.source) + 2 * self.count))
        return self._solved(programme, goal, np.where(may_break[self.source], inf, 0)) is Outcome.FOUND

    def _solved(self, programme: Programme, goal: Whole, most: Floats) -> Outcome:
        programme.bounds(self.places, np.zeros(len(most)), most)
        programme.bounds(goal, np.zeros(len(goal)), np.zeros(len(goal)))
        outcome = programme.solve()
        programme.bounds(goal, np.zeros(len(goal)), np.full(len(goal), inf))
        return outcome


def _goals(system: Compiled, targets: Sequence[Target]) -> csr_array:
    terms = [(i, system.place[key], weight) for i, target in enumerate(targets) for key, weight in target.terms.items()]
    row, column = (np.array([term[i] for term in terms], dtype=np.int64) for i in (0, 1))
    weight = np.array([term[2] for term in terms], dtype=np.float64)
    return csr_array((weight, (row, column)), shape=(len(targets), system.columns))


class Near:
    """What is known near each target: of its own question, say, and of the `hubs` that hold all questions together.

    Much less than what is known in all, and mostly what settles what is cheapest; never more, so that what is cheapest by it
    is no dearer.
    """

    def __init__(self, system: Compiled, targets: Sequence[Target], hubs: Collection[Key]) -> None:
        self._system, self._targets = system, targets
        self.is_hub = np.zeros(system.columns, dtype=np.bool_)
        self.is_hub[[system.place[key] for key in hubs]] = True
        self._part = _parts_without(system, self.is_hub) if len(hubs) else self.is_hub.astype(np.int64)
        self._models: dict[int, Elastic] = {}

    def to(self, target: int) -> "Elastic | None":
        """None for what is about a hub, or about several parts, or where all hangs together."""
        part = self._part_of(target)
        if part is None or not self.is_hub.any():
            return None
        if part not in self._models:
            mine = {i: self._targets[i] for i in range(len(self._targets)) if self._part_of(i) == part}
            self._models[part] = Elastic(self._system.within((self._part == part) | self.is_hub), mine)
        return self._models[part]

    def parts(self) -> Iterator[Flags]:
        """The unknowns (columns) of each part, hubs left out."""
        labels = np.where(self.is_hub, -1, self._part)
        return (labels == label for label in np.unique(labels[labels >= 0]))

    def _part_of(self, target: int) -> int | None:
        parts = self._parts_of(target)
        return parts.pop() if len(parts) == 1 else None

    def _parts_of(self, target: int) -> set[int]:
        columns = [self._system.place[key] for key in self._targets[target].terms]
        return {int(self._part[column]) for column in columns if not self.is_hub[column]}


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

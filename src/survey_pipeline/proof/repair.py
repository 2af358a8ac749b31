"""What to take back so that less can be concluded.

What belongs here: choosing further published things to hide, as cheaply as can be. What does not: the attack itself
(`attack`), which also has the last word on whether it was enough.

Method: every published row may be broken at a price, and a linear programme looks for the cheapest world in which the target
is as far as it must be. What had to be broken is what to hide. Weighing anew what was broken little (Candes, Wakin and Boyd
2008, J Fourier Anal Appl 14:877) leaves few rows broken; what turns out not to be needed is dropped again.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
from scipy.sparse import block_array, csr_array, diags_array, eye_array
from scipy.sparse.csgraph import connected_components

from survey_pipeline.proof.attack import Attack, Target, Worlds, held_at
from survey_pipeline.proof.narrow import TOLERANCE
from survey_pipeline.proof.solver import Outcome, Programme
from survey_pipeline.proof.system import Compiled, Flags, Floats, Key, Source, System, Whole

ROUNDS = 4
"""Times that what was broken is weighed anew."""

LITTLE = 0.05
"""What is broken by less than this share of the most that is broken weighs no more for it, so that no weight is endless."""


NOT_MUCH = 2.5
"""How many times as dear as by what is known near a target is still taken; else all that is known is searched."""


class NotPossible(ValueError):
    """Hiding everything published would not be enough: what is always known settles the number."""


def cheapest_to_hide(
    system: System,
    hidden: Collection[Source],
    target: Mapping[Key, float],
    cost: Callable[[Source], float],
    *,
    at_most: float | None = None,
    at_least: float | None = None,
) -> set[Source]:
    """Few and cheap published things that, hidden too, let the target be as low as `at_most` or as high as `at_least`.

    Give one of the two. Costs are greater than 0. Empty if nothing more need be hidden. What is found is enough in fractions
    of people and nearly always in whole people: attack again. Raises `NotPossible`. For many targets, use `Repair`.
    """
    if (at_most is None) == (at_least is None):
        raise ValueError("Give either `at_most` or `at_least`.")
    needed = Target(target, inf if at_most is None else at_most, -inf if at_least is None else at_least)
    return Repair(system, [needed], cost, hidden).cheapest(0, low=at_most is not None)


class Repair:
    """Finds what to hide for one target after another; keeps in mind what is hidden already.

    `rounds`: times that what was broken is weighed anew, for fewer rows. Without `in_whole_numbers` what is found is enough
    in fractions of people, which it mostly is in whole ones too: attack again. Raises `KeyError` for a target with an unknown
    that the system does not have.
    """

    def __init__(
        self,
        system: System,
        targets: Sequence[Target],
        cost: Callable[[Source], float],
        hidden: Collection[Source] = (),
        *,
        hubs: Collection[Key] = (),
        around: Compiled | None = None,
        worlds: Worlds | None = None,
        in_whole_numbers: bool = True,
        rounds: int = ROUNDS,
    ) -> None:
        self._rounds = rounds
        self._in_whole = in_whole_numbers
        self._system, self._targets, self._hubs, self._worlds = system, targets, hubs, worlds
        self._hidden = set(hidden)
        self._sources = list(system.sources)
        self._cost = np.array([cost(source) for source in self._sources], dtype=np.float64)
        self._model = _Elastic(system.compiled(), dict(enumerate(targets)))
        self._near = _Near(system.compiled(), targets, hubs)
        self._held = None if around is None else _Near(around, targets, hubs)

    def hide(self, sources: Iterable[Source]) -> None:
        """Take back more."""
        self._hidden |= set(sources)

    @property
    def hidden(self) -> set[Source]:
        return set(self._hidden)

    def cheapest(self, target: int, *, low: bool) -> set[Source]:
        """What to hide for one side of a target, by its place; it is not hidden yet. Raises `NotPossible`."""
        free = np.array([source in self._hidden for source in self._sources], dtype=np.bool_)
        chosen = self._chosen_near(target, low, free)
        if chosen is None:
            chosen = self._chosen(self._model, target, low, free)
        found = {self._sources[i] for i in chosen}
        if not self._in_whole or self._is_enough(target, low, found):
            return found
        return found | self._in_whole_numbers(target, low, free)

    def _chosen_near(self, target: int, low: bool, free: Flags) -> Whole | None:
        """What is cheapest by what is known near the target alone, or else while the hubs are as in one world. None where the
        first is not enough by all that is known, and the second is much dearer or there is none.
        """
        near = self._near.to(target)
        if near is None:
            return None
        chosen = self._chosen(near, target, low, free)
        if self._is_possible(target, low, free, chosen):
            return chosen
        held = self._chosen_around(target, low, free)
        cheap = held is not None and self._cost[held].sum() <= NOT_MUCH * self._cost[chosen].sum() + TOLERANCE
        return held if cheap else None

    def _is_possible(self, target: int, low: bool, free: Flags, chosen: Whole) -> bool:
        """Whether all that is known lets the target be there when this is hidden too. What is possible while the hubs are as
        in one world is possible, and quicker to see.
        """
        may = free.copy()
        may[chosen] = True
        held = None if self._held is None else self._held.to(target)
        models = (self._model,) if held is None else (held, self._model)
        return any(model.possible(model.goal(target, low), may) for model in models)

    def _chosen_around(self, target: int, low: bool, free: Flags) -> Whole | None:
        held = None if self._held is None else self._held.to(target)
        try:
            return None if held is None else self._chosen(held, target, low, free)
        except NotPossible:
            return None

    def _chosen(self, model: "_Elastic", target: int, low: bool, free: Flags) -> Whole:
        goal = model.goal(target, low)
        return self._pruned(model, goal, free, self._few(model, goal, free))

    def _few(self, model: "_Elastic", goal: Whole, free: Flags) -> Whole:
        """The cheapest set of sources that any round has broken."""
        price = self._cost
        best: Whole | None = None
        for _ in range(self._rounds + 1):
            broken = model.broken(goal, np.where(free, 0, price))
            if broken is None:
                break
            used = np.flatnonzero((broken > TOLERANCE) & ~free)
            if best is None or self._cost[used].sum() < self._cost[best].sum() - TOLERANCE:
                best = used
            if len(used) <= 1:  # fewer cannot be
                break
            price = self._cost / (broken / broken[used].max() + LITTLE)
        if best is None:
            raise NotPossible("No way was found to hide this number.")
        return best

    def _pruned(self, model: "_Elastic", goal: Whole, free: Flags, chosen: Whole) -> Whole:
        """Without those that are not needed, the dearest dropped first."""
        kept = list(chosen)
        for source in sorted(chosen, key=lambda i: -self._cost[i]) if len(kept) > 1 else ():
            without = [other for other in kept if other != source]
            may = free.copy()
            may[without] = True
            if model.possible(goal, may):
                kept = without
        return np.array(kept, dtype=np.int64)

    def _is_enough(self, target: int, low: bool, found: set[Source]) -> bool:
        needed = self._targets[target]
        one = Target(needed.terms, needed.lower if low else inf, -inf if low else needed.upper)
        attack = Attack(self._system, [one], self._hidden | found, hubs=self._hubs, worlds=self._worlds)
        (verdict,) = attack.verdicts()
        return verdict.safe

    def _in_whole_numbers(self, target: int, low: bool, free: Flags) -> set[Source]:
        """What is cheap in whole people: while the hubs are as in one world, or where the target is as it must be, if that is
        enough; or by all that is known, which takes long.
        """
        for way in (self._people_held, self._people_apart):
            found = way(target, low, free)
            if found and self._is_enough(target, low, found):
                return found
        broken = self._model.broken(self._model.goal(target, low), self._price(free), self._model.system.whole)
        return self._used(broken, free)

    def _people_held(self, target: int, low: bool, free: Flags) -> set[Source]:
        held = None if self._held is None else self._held.to(target)
        return set() if held is None else self._broken_by_people(held, target, low, free)

    def _people_apart(self, target: int, low: bool, free: Flags) -> set[Source]:
        """What each part breaks with the hubs where the target is as it must be."""
        found: set[Source] = set()
        if not self._hubs:
            return found
        goal, hubs = self._model.goal(target, low), self._near.is_hub
        if self._model.broken(goal, self._price(free), hubs) is None:
            return found
        held = held_at(self._model.system, np.flatnonzero(hubs), self._model.unknowns)
        for columns in self._near.parts():
            system = held.within(columns | hubs)
            is_here = self._targets[target].terms.keys() <= system.place.keys()
            model = _Elastic(system, {target: self._targets[target]} if is_here else {})
            found |= self._broken_by_people(model, target, low, free)
        return found

    def _broken_by_people(self, model: "_Elastic", target: int, low: bool, free: Flags) -> set[Source]:
        try:
            broken = model.broken(model.goal(target, low), self._price(free), model.system.whole)
        except NotPossible:
            return set()
        return self._used(broken, free)

    def _price(self, free: Flags) -> Floats:
        return np.where(free, 0, self._cost)

    def _used(self, broken: Floats | None, free: Flags) -> set[Source]:
        used = () if broken is None else np.flatnonzero((broken > TOLERANCE) & ~free)
        return {self._sources[i] for i in used}


def until_safe(
    system: System,
    targets: Sequence[Target],
    cost: Callable[[Source], float],
    hidden: Collection[Source] = (),
    *,
    workers: int | None = None,
) -> set[Source]:
    """What to hide besides what is hidden, so that the attacker cannot tell any target more closely than it must seem.

    Proved by an attack. The targets that need the most room come first, one after another, so it is good, not always the
    best there is. Raises `NotPossible`.
    """
    repair, attack = Repair(system, targets, cost, hidden), Attack(system, targets, hidden, workers=workers)
    while unsafe := {i: found for i, found in enumerate(attack.verdicts()) if not found.safe}:
        before = repair.hidden
        for i in sorted(unsafe, key=lambda i: targets[i].lower - targets[i].upper):
            for safe, low in ((unsafe[i].safe_low, True), (unsafe[i].safe_high, False)):
                repair.hide(() if safe else repair.cheapest(i, low=low))
        if repair.hidden == before:
            raise NotPossible("No way was found to hide this number.")
        attack.hide(repair.hidden)
    return repair.hidden - set(hidden)


class _Elastic:
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


class _Near:
    """What is known near each target: of its own question, say, and of the `hubs` that hold all questions together.

    Much less than what is known in all, and mostly what settles what is cheapest; never more, so that what is cheapest by it
    is no dearer.
    """

    def __init__(self, system: Compiled, targets: Sequence[Target], hubs: Collection[Key]) -> None:
        self._system, self._targets = system, targets
        self.is_hub = np.zeros(system.columns, dtype=np.bool_)
        self.is_hub[[system.place[key] for key in hubs]] = True
        self._part = _parts_without(system, self.is_hub) if len(hubs) else self.is_hub.astype(np.int64)
        self._models: dict[int, _Elastic] = {}

    def to(self, target: int) -> "_Elastic | None":
        """None for what is about a hub, or about several parts, or where all hangs together."""
        part = self._part_of(target)
        if part is None or not self.is_hub.any():
            return None
        if part not in self._models:
            mine = {i: self._targets[i] for i in range(len(self._targets)) if self._part_of(i) == part}
            self._models[part] = _Elastic(self._system.within((self._part == part) | self.is_hub), mine)
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


# --- Plain tables -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Table:
    """Cells with their values, all at least 0, and which of them are the sums of which others."""

    values: Mapping[Key, float]
    sums: Sequence[tuple[Key, Sequence[Key]]]

    def system(self) -> System:
        """Every cell is a source by its own name; sums hold as well as they do in the values themselves."""
        system = System()
        for cell, value in self.values.items():
            system.unknown(cell, whole=False)
            system.says(cell, value, value, cell)
        for total, parts in self.sums:
            left = sum(self.values[part] for part in parts) - self.values[total]
            system.row({total: -1.0} | dict.fromkeys(parts, 1.0), left, left)
        return system


def protect_cells(
    table: Table, needed: Mapping[Key, tuple[float, float]], cost: Callable[[Key], float] = lambda cell: 1.0
) -> set[Key]:
    """The cells to hide with the primary ones, so that each of those could be as much lower and higher as is needed.

    `needed`: for each primary cell, how far below and above its value it must seem possible. Good, not always the best there
    is; no cell of the answer could be shown again. Raises `NotPossible`, and `ValueError` for a cell that needs no room at
    all, such as a tenth of nothing: it would be given away.
    """
    if exact := [cell for cell, room in needed.items() if sum(room) <= 0]:
        raise ValueError(f"Primary cells must need some room: {exact}")
    system, targets = table.system(), _as_targets(table, needed)
    cells: dict[Source, Key] = {cell: cell for cell in table.values}
    more = {cells[source] for source in until_safe(system, targets, lambda source: cost(cells[source]), needed)}
    return _taken_back(system, targets, set(needed), more, cost)


def _as_targets(table: Table, needed: Mapping[Key, tuple[float, float]]) -> list[Target]:
    values = table.values
    return [Target({cell: 1.0}, values[cell] - low, values[cell] + high) for cell, (low, high) in needed.items()]


def _taken_back(
    system: System, targets: Sequence[Target], primary: set[Key], more: set[Key], cost: Callable[[Key], float]
) -> set[Key]:
    """The dearest first, shown again where all stays safe without hiding it."""
    kept = set(more)
    for cell in sorted(more, key=lambda cell: (-cost(cell), cell)):
        if all(verdict.safe for verdict in Attack(system, targets, primary | kept - {cell}).verdicts()):
            kept.discard(cell)
    return kept

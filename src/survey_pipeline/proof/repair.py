"""What to take back so that less can be concluded.

What belongs here: choosing further published things to hide, as cheaply as can be. What does not: the attack itself
(`attack`), which also has the last word on whether it was enough; and the programmes in which rows may be broken (`elastic`).

Method: every published row may be broken at a price, and a linear programme looks for the cheapest world in which the target
is as far as it must be. What had to be broken is what to hide. Weighing anew what was broken little (Candes, Wakin and Boyd
2008, J Fourier Anal Appl 14:877) leaves few rows broken; what turns out not to be needed is dropped again.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cached_property
from math import inf

import numpy as np

from survey_pipeline.proof.attack import Attack, Target, Worlds, held_at
from survey_pipeline.proof.elastic import Elastic, Near, NotPossible
from survey_pipeline.proof.narrow import TOLERANCE
from survey_pipeline.proof.system import Compiled, Flags, Floats, Key, Source, System, Whole

ROUNDS = 4
"""Times that what was broken is weighed anew."""

LITTLE = 0.05
"""What is broken by less than this share of the most that is broken weighs no more for it, so that no weight is endless."""


NOT_MUCH = 2.5
"""How many times as dear as by what is known near a target, or as a usual row, is still taken."""


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
        self._usual = float(np.median(self._cost)) if len(self._cost) else 0.0
        start = {} if around is None else {hub: float(around.least[around.place[hub]]) for hub in hubs}
        self._near = Near(system.compiled(), targets, hubs, start)
        self._held = None if around is None else Near(around, targets, hubs)

    @cached_property
    def _model(self) -> Elastic:
        """All that is known."""
        return Elastic(self._system.compiled(), dict(enumerate(self._targets)))

    def hide(self, sources: Iterable[Source]) -> None:
        """Take back more."""
        self._hidden |= set(sources)

    @property
    def hidden(self) -> set[Source]:
        return set(self._hidden)

    def cheapest(self, target: int, *, low: bool) -> set[Source]:
        """What to hide for one side of a target, by its place; it is not hidden yet. Raises `NotPossible`."""
        free = np.array([source in self._hidden for source in self._sources], dtype=np.bool_)
        held = self._held if self._hubs else None
        chosen = self._chosen_near(held, target, low, free) if held else self._chosen(self._model, target, low, free)
        found = {self._sources[i] for i in chosen}
        if not self._in_whole or self._is_enough(target, low, found):
            return found
        return found | self._in_whole_numbers(target, low, free)

    def _chosen_near(self, held: Near, target: int, low: bool, free: Flags) -> Whole:
        """What is cheapest by what is known near the target, if that is enough; or while the hubs are as in one world, if
        that is not much dearer; or by what is known near the target and wherever the hubs can then not be.
        """
        parts = self._near.parts_of(target)
        chosen, beyond = self._chosen_in(parts, held, target, low, free)
        if beyond:
            around = self._chosen_around(held.to(parts), target, low, free)
            if around is not None and self._is_cheap(around, chosen):
                return around
        while beyond:
            parts |= beyond
            chosen, beyond = self._chosen_in(parts, held, target, low, free)
        return chosen

    def _chosen_in(
        self, parts: frozenset[int], held: Near, target: int, low: bool, free: Flags
    ) -> tuple[Whole, frozenset[int]]:
        """What is cheapest by what is known of some parts; and the other parts, where that is not enough for them."""
        near = self._near.to(parts)
        chosen = self._chosen(near, target, low, free)
        may = free.copy()
        may[chosen] = True
        # What is possible while the hubs are as in one world is possible, and quicker to see.
        around = held.to(parts)
        if around.possible(around.goal(target, low), may):
            return chosen, frozenset()
        hubs = near.moved(near.goal(target, low), may)
        return chosen, self._near.not_fitting(parts, hubs, may) if hubs is not None else self._near.parts - parts

    def _is_cheap(self, around: Whole, near: Whole) -> bool:
        usual = max(self._cost[near].sum(), self._usual)
        return bool(self._cost[around].sum() <= NOT_MUCH * usual + TOLERANCE)

    def _chosen_around(self, model: Elastic, target: int, low: bool, free: Flags) -> Whole | None:
        try:
            return self._chosen(model, target, low, free)
        except NotPossible:
            return None

    def _chosen(self, model: Elastic, target: int, low: bool, free: Flags) -> Whole:
        goal = model.goal(target, low)
        return self._pruned(model, goal, free, self._few(model, goal, free))

    def _few(self, model: Elastic, goal: Whole, free: Flags) -> Whole:
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

    def _pruned(self, model: Elastic, goal: Whole, free: Flags, chosen: Whole) -> Whole:
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
        parts = self._near.parts_of(target)
        return self._broken_by_people(self._held.to(parts), target, low, free) if self._held and parts else set()

    def _people_apart(self, target: int, low: bool, free: Flags) -> set[Source]:
        """What each part breaks with the hubs where the target is as it must be."""
        found: set[Source] = set()
        if not self._hubs:
            return found
        goal, hubs = self._model.goal(target, low), self._near.is_hub
        if self._model.broken(goal, self._price(free), hubs) is None:
            return found
        held = held_at(self._model.system, np.flatnonzero(hubs), self._model.unknowns)
        for part in sorted(self._near.parts):
            system = held.within(self._near.columns({part}) | hubs)
            is_here = self._targets[target].terms.keys() <= system.place.keys()
            model = Elastic(system, {target: self._targets[target]} if is_here else {})
            found |= self._broken_by_people(model, target, low, free)
        return found

    def _broken_by_people(self, model: Elastic, target: int, low: bool, free: Flags) -> set[Source]:
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

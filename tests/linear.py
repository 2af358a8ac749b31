"""Linear constraints on named unknowns, and how far each unknown can go.

What belongs here: keeping constraints, and asking HiGHS for the least and the most. What does not: what the unknowns mean.

A relaxation: unknowns may be fractions, so a real attacker, who knows that people are whole, may find a narrower interval
than a linear programme does. What a linear programme excludes is excluded for whole numbers too: its conclusions are sound.
`Programme.integers_allow` asks the sharper question for single unknowns, at more cost.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import ceil, floor, inf
from typing import Any

import highspy
import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

Key = tuple[str, ...]
Terms = Mapping[Key, float]
"""A weighted sum of unknowns."""
Numbers = npt.NDArray[np.float64]
SLACK = 1e-5
"""What rounding errors of the solver can come to."""
UNBOUNDED = 10**9
MOST_NODES = 300
"""Of a search among whole numbers; it is by nodes and not by seconds, so that the same question gets the same answer."""
QUIETLY: dict[str, bool | int | str] = {"output_flag": False, "threads": 1, "random_seed": 0}
OF_WHOLE_NUMBERS = {**QUIETLY, "mip_max_nodes": MOST_NODES}
OF_FRACTIONS = {**QUIETLY, "presolve": "off", "simplex_strategy": 4}
"""The primal simplex method goes on from the last solution where only the question changes."""
ANEW: dict[str, str | int] = {"presolve": "choose", "simplex_strategy": 1}
SURE = (highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kUnbounded)


class Contradiction(Exception):
    """No numbers at all keep all constraints."""


@dataclass
class Programme:
    """Linear constraints on named unknowns."""

    bounds: dict[Key, tuple[float, float]] = field(default_factory=dict)
    equal: dict[frozenset[tuple[Key, float]], float] = field(default_factory=dict)
    at_most: dict[frozenset[tuple[Key, float]], float] = field(default_factory=dict)

    def unknown(self, key: Key, least: float = 0, most: float = inf) -> Key:
        known = self.bounds.get(key)
        self.bounds[key] = (least, most) if known is None else (max(known[0], least), min(known[1], most))
        return key

    def sums(self, total: Key, parts: Iterable[Key]) -> None:
        self.equals({total: -1.0} | dict.fromkeys(parts, 1.0))

    def equals(self, terms: Terms, right: float = 0.0) -> None:
        """The weighted sum of some unknowns is so much."""
        self.equal[frozenset(terms.items())] = right

    def no_more(self, terms: Terms, most: float = 0.0) -> None:
        """The weighted sum of some unknowns is at most so much."""
        key = frozenset(terms.items())
        self.at_most[key] = min(most, self.at_most.get(key, inf))

    def no_less(self, terms: Terms, least: float = 0.0) -> None:
        self.no_more({key: -weight for key, weight in terms.items()}, -least)

    def interval(self, terms: Terms) -> tuple[int, int]:
        """The least and the most a whole number can be that is a weighted sum of unknowns. Nothing may be added after."""
        return self._solver.interval(self._weights([terms]))

    def intervals(self, wanted: Sequence[Terms], low: float, high: float) -> list[tuple[int, int]]:
        """The interval of each, exactly where it does not reach from `low` to `high`; where it does, some interval inside it
        that reaches from `low` to `high`.
        """
        return self._solver.intervals(self._weights(wanted), low, high) if wanted else []

    def settle(self, key: Key, value: float) -> None:
        """An unknown is known to be so much; this may be said after questions were asked."""
        self.bounds[key] = (value, value)
        self._solver.settle(self._place[key], value)

    def allows(self, truths: Sequence[tuple[Terms, float]]) -> bool:
        """Whether these sums can be all these numbers at once."""
        return self._solver.allows(self._weights([terms for terms, _ in truths]), [right for _, right in truths])

    def integers_allow(self, terms: Terms, least: float, most: float) -> bool:
        """Whether the sum can lie in a range if all unknowns are whole numbers; yes if the search was given up."""
        matrix = self._weights([terms])
        return _Solver(self._model(matrix, least, most, whole=True)).is_feasible()

    @cached_property
    def _place(self) -> dict[Key, int]:
        return {key: i for i, key in enumerate(self.bounds)}

    @cached_property
    def _solver(self) -> "_Solver":
        return _Solver(self._model())

    def _weights(self, sums: Iterable[Terms]) -> Any:
        return _matrix([terms.items() for terms in sums], self._place)

    def _model(self, more: Any = None, least: float = 0, most: float = 0, *, whole: bool = False) -> highspy.HighsLp:
        constraints = [*self.equal, *self.at_most]
        rows, rights = _matrix(constraints, self._place), [*self.equal.values(), *self.at_most.values()]
        lower, upper = [*self.equal.values(), *([-inf] * len(self.at_most))], rights
        if more is not None:
            rows, lower, upper = _stacked(rows, more), [*lower, least], [*upper, most]
        bounds = np.array(list(self.bounds.values()), dtype=np.float64).reshape(-1, 2)
        return _lp(rows, np.array(lower), np.array(upper), bounds, whole)


def _matrix(rows: Sequence[Iterable[tuple[Key, float]]], place: Mapping[Key, int]) -> Any:
    cells = [(i, place[key], weight) for i, terms in enumerate(rows) for key, weight in terms]
    row, column, weight = zip(*cells, strict=True) if cells else ((), (), ())
    return csr_array((weight, (row, column)), shape=(len(rows), len(place)), dtype=np.float64)


def _stacked(one: Any, other: Any) -> Any:
    starts = np.concatenate([one.indptr, other.indptr[1:] + one.indptr[-1]])
    parts = (np.concatenate([getattr(one, name), getattr(other, name)]) for name in ("data", "indices"))
    return csr_array((*parts, starts), shape=(one.shape[0] + other.shape[0], one.shape[1]))


def _lp(rows: Any, lower: Numbers, upper: Numbers, bounds: Numbers, whole: bool) -> highspy.HighsLp:
    found = highspy.HighsLp()
    found.num_row_, found.num_col_ = rows.shape
    found.col_cost_ = np.zeros(rows.shape[1])
    found.col_lower_, found.col_upper_ = bounds[:, 0], bounds[:, 1]
    found.row_lower_, found.row_upper_ = lower, upper
    found.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    found.a_matrix_.start_, found.a_matrix_.index_, found.a_matrix_.value_ = rows.indptr, rows.indices, rows.data
    if whole:  # with bounds of whole numbers that are none, HiGHS 1.15 denies what it should not
        found.col_lower_, found.col_upper_ = np.ceil(bounds[:, 0] - 1e-6), np.floor(bounds[:, 1] + 1e-6)
        found.integrality_ = [highspy.HighsVarType.kInteger] * rows.shape[1]
    return found


class _Solver:
    """One model, of which many questions are asked: each starts where the one before ended."""

    def __init__(self, model: highspy.HighsLp) -> None:
        self.highs, self.size = highspy.Highs(), model.num_col_  # type: ignore[no-untyped-call]
        for name, value in (OF_WHOLE_NUMBERS if len(model.integrality_) else OF_FRACTIONS).items():
            self.highs.setOptionValue(name, value)
        self.highs.passModel(model)
        self._cost = np.zeros(self.size)

    def is_feasible(self) -> bool:
        """Asked twice before it is denied: HiGHS 1.15 simplifies some models of whole numbers until nothing is left of them,
        though they have solutions that it finds without simplifying.
        """
        if self._is_possible():
            return True
        self.highs.setOptionValue("presolve", "off")
        return self._is_possible()

    def _is_possible(self) -> bool:
        self.highs.run()
        return bool(self.highs.getModelStatus() != highspy.HighsModelStatus.kInfeasible)

    def settle(self, place: int, value: float) -> None:
        self.highs.changeColBounds(place, value, value)

    def allows(self, weights: Any, rights: Sequence[float]) -> bool:
        n_rows = self.highs.getNumRow()
        right = np.array(rights, dtype=np.float64)
        self._ask(np.zeros(self.size))
        self.highs.addRows(len(rights), right, right, weights.nnz, weights.indptr[:-1], weights.indices, weights.data)
        found = self.is_feasible()
        self.highs.deleteRows(len(rights), np.arange(n_rows, n_rows + len(rights), dtype=np.int32))
        return found

    def interval(self, weights: Any) -> tuple[int, int]:
        least, most = (self._least(sign * weights.toarray()[0]) for sign in (1, -1))
        return ceil(least - SLACK) if least > -inf else -UNBOUNDED, floor(-most + SLACK) if most > -inf else UNBOUNDED

    def intervals(self, weights: Any, low: float, high: float) -> list[tuple[int, int]]:
        least, most = self._reached(weights, 1.0, low), self._reached(weights, -1.0, -high)
        found = [(ceil(one - SLACK), floor(SLACK - other)) for one, other in zip(least, most, strict=True)]
        return [
            each if each[0] <= low and each[1] >= high else self.interval(weights[[place]])
            for place, each in enumerate(found)
        ]

    def _reached(self, weights: Any, sign: float, enough: float) -> Numbers:
        """How low each sum (times the sign) can be made. Every solution is a case that can be, for all sums at once: first
        all those that no case brings low enough together, as long as that helps, then each by itself.
        """
        found = np.full(weights.shape[0], inf)
        while len(still := np.flatnonzero(found > enough + SLACK)):
            before = len(still)
            self._least(sign * np.asarray(weights[still].sum(axis=0)).ravel())
            self._note(found, weights, sign)
            if len(np.flatnonzero(found > enough + SLACK)) >= max(1, 0.7 * before):
                break
        for place in np.flatnonzero(found > enough + SLACK).tolist():
            if found[place] > enough + SLACK:
                least = self._least(sign * weights[[place]].toarray()[0])
                self._note(found, weights, sign)
                found[place] = least
        return np.maximum(found, -UNBOUNDED)

    def _note(self, found: Numbers, weights: Any, sign: float) -> None:
        """What the newest solution says of all sums; nothing where there was none, as the question had no end."""
        if self.highs.getModelStatus() == highspy.HighsModelStatus.kOptimal:
            np.minimum(found, sign * (weights @ np.array(self.highs.getSolution().col_value)), out=found)

    def _ask(self, cost: Numbers) -> None:
        changed = np.flatnonzero(cost != self._cost).astype(np.int32)
        if len(changed):
            self.highs.changeColsCost(len(changed), changed, cost[changed])
        self._cost = cost

    def _least(self, cost: Numbers) -> float:
        """The least of a sum; minus infinity where it has no end, or HiGHS finds none. Raises `Contradiction` if nothing is
        possible.
        """
        self._ask(cost)
        status = self._run()
        if status == highspy.HighsModelStatus.kOptimal:
            return float(self.highs.getInfo().objective_function_value)
        if status == highspy.HighsModelStatus.kInfeasible:
            raise Contradiction(self.highs.modelStatusToString(status))
        return -inf

    def _run(self) -> highspy.HighsModelStatus:
        """Now and then the solver loses its way from one solution to the next: then it begins anew, in its usual way."""
        self.highs.run()
        if self.highs.getModelStatus() in SURE:
            return self.highs.getModelStatus()
        for name, value in ANEW.items():
            self.highs.setOptionValue(name, value)
        self.highs.clearSolver()
        self.highs.run()
        for name in ANEW:
            self.highs.setOptionValue(name, OF_FRACTIONS[name])
        return self.highs.getModelStatus()

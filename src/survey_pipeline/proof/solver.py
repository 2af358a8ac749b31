"""The solver HiGHS, as little of it as is needed: one model, solved again and again with other aims.

What belongs here: talking to `highspy`. What does not: what the numbers mean.
"""

from enum import StrEnum, auto

import highspy
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from survey_pipeline.proof.narrow import TOLERANCE
from survey_pipeline.proof.system import Flags, Floats, Whole

SOLVER = f"HiGHS {highspy.Highs().version()}"  # type: ignore[no-untyped-call]
"""Which solver proves: stands in every certificate."""
NODES = 2000
"""Branches searched for a world in whole numbers before it is given up. A count, not a time: the same on every machine."""


class Outcome(StrEnum):
    """How a search ended."""

    FOUND = auto()
    IMPOSSIBLE = auto()
    UNBOUNDED = auto()
    GIVEN_UP = auto()


ENDS = {
    highspy.HighsModelStatus.kOptimal: Outcome.FOUND,
    highspy.HighsModelStatus.kModelEmpty: Outcome.FOUND,
    highspy.HighsModelStatus.kInfeasible: Outcome.IMPOSSIBLE,
    highspy.HighsModelStatus.kUnbounded: Outcome.UNBOUNDED,
}
OPTIONS: dict[str, bool | int | float | str] = {"output_flag": False, "threads": 1, "random_seed": 0}
DUAL_SIMPLEX, PRIMAL_SIMPLEX = 1, 4
"""With other costs alone the last solution still fits, so that the primal simplex goes on from there."""
IN_WHOLE_NUMBERS: dict[str, bool | int | float | str] = {
    "mip_max_nodes": NODES,
    "mip_feasibility_tolerance": 1e-7,
    "mip_rel_gap": 0.3,
    "mip_heuristic_run_feasibility_jump": False,
    "mip_detect_symmetry": False,
}


class Programme:
    """Minimise a weighted sum of columns, where sums of columns (rows) and the columns themselves lie between bounds.

    `matrix` (rows, columns). With `whole` (columns), those columns are whole numbers. The last basis is kept, so that solving
    again with other costs is quick. Uses one thread, and lets other Python threads run while it solves.
    """

    def __init__(
        self,
        matrix: csr_array,
        rows: tuple[Floats, Floats],
        columns: tuple[Floats, Floats],
        whole: Flags | None = None,
    ) -> None:
        self._still_fits = False
        self._columns = matrix.shape[1]
        self._every: NDArray[np.int32] = np.arange(self._columns, dtype=np.int32)
        self._least, self._most = columns[0].copy(), columns[1].copy()
        self._highs = highspy.Highs()  # type: ignore[no-untyped-call]
        for name, value in (OPTIONS | ({} if whole is None else IN_WHOLE_NUMBERS)).items():
            self._highs.setOptionValue(name, value)
        self._highs.passModel(_model(matrix, rows, columns))
        self._whole: NDArray[np.uint8] = np.zeros(self._columns, dtype=np.uint8)
        if whole is not None:
            self.whole(whole)

    def whole(self, whole: Flags) -> None:
        """Which of the first columns are whole numbers; none of those after them is."""
        of_all = np.zeros(self._columns, dtype=np.uint8)
        of_all[: len(whole)] = whole
        if not np.array_equal(of_all, self._whole):
            self._still_fits = False
            self._highs.changeColsIntegrality(self._columns, self._every, of_all)
            self._whole = of_all
            least, most = _inwards(self._least[: len(whole)], self._most[: len(whole)], whole)
            self._highs.changeColsBounds(len(whole), self._every[: len(whole)], _finite(least), _finite(most))

    def costs(self, costs: Floats) -> None:
        self._highs.changeColsCost(self._columns, self._every, costs)

    def bounds(self, columns: Whole, least: Floats, most: Floats) -> None:
        """Of columns that are no whole numbers."""
        if np.array_equal(least, self._least[columns]) and np.array_equal(most, self._most[columns]):
            return
        self._still_fits = False
        self._least[columns], self._most[columns] = least, most
        self._highs.changeColsBounds(len(columns), columns.astype(np.int32), _finite(least), _finite(most))

    def solve(self) -> Outcome:
        self._highs.setOptionValue("simplex_strategy", PRIMAL_SIMPLEX if self._still_fits else DUAL_SIMPLEX)
        self._highs.run()
        status = self._highs.getModelStatus()
        if status == highspy.HighsModelStatus.kUnboundedOrInfeasible:
            status = self._without_presolve()
        if status == highspy.HighsModelStatus.kUnknown:
            # The last basis can be a bad one to go on from.
            self._highs.clearSolver()
            self._highs.run()
            status = self._highs.getModelStatus()
        found = self._highs.getInfo().primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
        self._still_fits = status == highspy.HighsModelStatus.kOptimal and not self._whole.any()
        stopped = status == highspy.HighsModelStatus.kSolutionLimit
        return Outcome.FOUND if stopped and found else ENDS.get(status, Outcome.GIVEN_UP)

    def _without_presolve(self) -> highspy.HighsModelStatus:
        """Presolve may see that there is no optimum without knowing why."""
        self._highs.setOptionValue("presolve", "off")
        self._highs.run()
        self._highs.setOptionValue("presolve", "choose")
        return self._highs.getModelStatus()

    @property
    def value(self) -> float:
        """What was minimised."""
        return float(self._highs.getObjectiveValue())

    @property
    def values(self) -> Floats:
        """The columns in the solution."""
        return np.asarray(self._highs.getSolution().col_value, dtype=np.float64)

    @property
    def duals(self) -> Floats:
        """The reduced costs of the columns."""
        return np.asarray(self._highs.getSolution().col_dual, dtype=np.float64)


def _inwards(least: Floats, most: Floats, whole: Flags) -> tuple[Floats, Floats]:
    """Bounds of whole numbers as whole numbers: with others HiGHS 1.15 rules out worlds that fit."""
    return np.where(whole, np.ceil(least - TOLERANCE), least), np.where(whole, np.floor(most + TOLERANCE), most)


def _model(matrix: csr_array, rows: tuple[Floats, Floats], columns: tuple[Floats, Floats]) -> highspy.HighsLp:
    model = highspy.HighsLp()
    model.num_row_, model.num_col_ = matrix.shape
    model.col_cost_ = np.zeros(matrix.shape[1])
    model.row_lower_, model.row_upper_ = (_finite(bound) for bound in rows)
    model.col_lower_, model.col_upper_ = (_finite(bound) for bound in columns)
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = matrix.indptr.astype(np.int32)
    model.a_matrix_.index_ = matrix.indices.astype(np.int32)
    model.a_matrix_.value_ = matrix.data.astype(np.float64)
    return model


def _finite(bound: Floats) -> Floats:
    return np.clip(bound, -highspy.kHighsInf, highspy.kHighsInf)

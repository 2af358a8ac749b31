"""Cells: plain tables of numbers, with the totals that they add up to.

What belongs here: choosing cells to hide with those that must be hidden, as statistical offices' programs do it; the worked
cases of others are such tables. What does not: surveys, whose rows say more than one number (`repair`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from survey_pipeline.proof.attack import Attack, Target
from survey_pipeline.proof.repair import until_safe
from survey_pipeline.proof.system import Key, Source, System


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

"""What is measured by which exposure: the instrument's tables, unfolded into single outcomes on a grid of values.

What belongs here: compiling tables to exposures and outcomes, for counting, estimating and coarsening alike. What does not:
any count or number of people.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from survey_pipeline.instrument import Instrument, Item, Kind, Threshold
from survey_pipeline.names import RESPONDENTS, WHO_ANSWERED, option_column


@dataclass(frozen=True)
class Grid:
    """The values an outcome can take: `start`, `start + step`, ... (`size` of them)."""

    start: float
    step: float
    size: int

    def value(self, place: int) -> float | None:
        """The value at a place; place 0 is 'no answer'."""
        return None if place == 0 else self.start + self.step * (place - 1)


YES_OR_NO = Grid(start=0.0, step=1.0, size=2)
PRESENT = Grid(start=1.0, step=1.0, size=1)


@dataclass(frozen=True)
class Outcome:
    """One thing measured once, or before and after: its columns in the responses and the grid of its values."""

    name: str
    column: str | None
    grid: Grid
    baseline: str | None = None
    code: str | None = None
    """Where set, the outcome is whether `column` holds this code."""
    better: str | None = None
    primary: bool = False
    thresholds: tuple[Threshold, ...] = ()

    @property
    def one_of(self) -> str | None:
        """The question whose options exclude each other, of which this outcome is one."""
        return self.column if self.code else None

    @property
    def is_share(self) -> bool:
        """Yes or no for each person, so that a share is all there is to say."""
        return self.grid == YES_OR_NO


BEING_THERE = Outcome(name=RESPONDENTS, column=None, grid=PRESENT)


@dataclass(frozen=True)
class Table:
    """A table of the release: outcomes by the levels of one exposure."""

    name: str
    exposure: str
    outcomes: tuple[Outcome, ...]


def tables(instrument: Instrument) -> tuple[Table, ...]:
    """Every table of an instrument, its own and who answered, in the order in which they are published."""
    declared = tuple(
        Table(
            spec.name,
            spec.exposure,
            tuple(o for name in spec.outcomes for o in outcomes_of(name, instrument.items[name])),
        )
        for spec in instrument.tables
    )
    return (*declared, *(Table(WHO_ANSWERED, name, (BEING_THERE,)) for name in instrument.who_answered))


def exposures(instrument: Instrument) -> dict[str, tuple[Outcome, ...]]:
    """Each exposure with all outcomes that some table shows by it, and the number of people itself."""
    found: dict[str, dict[str, Outcome]] = {}
    for table in tables(instrument):
        found.setdefault(table.exposure, {RESPONDENTS: BEING_THERE}).update({o.name: o for o in table.outcomes})
    return {exposure: tuple(outcomes.values()) for exposure, outcomes in found.items()}


def outcomes_of(name: str, item: Item) -> Iterator[Outcome]:
    """The outcomes that one item gives: itself, or whether each of its options was chosen."""
    if item.kind is Kind.CHOICE:
        yield from (
            Outcome(option_column(name, code), name, YES_OR_NO, code=code, primary=item.primary) for code in item.codes
        )
    elif item.kind is Kind.CHOICES:
        yield from (Outcome(column, column, YES_OR_NO, primary=item.primary) for column in item.columns(name))
    elif item.kind is Kind.YES_NO:
        yield Outcome(name, name, YES_OR_NO, primary=item.primary)
    else:
        yield Outcome(name, name, _scale(item), item.baseline, None, item.better, item.primary, item.thresholds)


def _scale(item: Item) -> Grid:
    start, end, step = item.minimum or 0.0, item.maximum or 0.0, item.step or 1.0
    return Grid(start, step, round((end - start) / step) + 1)

"""What is measured by which exposure: the instrument's tables, unfolded into single outcomes on a grid of values.

What belongs here: compiling tables to exposures and outcomes, for counting, estimating and coarsening alike, and who counts
as a responder. What does not: any count or number of people, and the levels of an exposure (`levels`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
import numpy.typing as npt

from survey_pipeline.instrument import (
    LEFT_OUT,
    NOT_ASKED_OF_PEOPLE,
    READINGS,
    Instrument,
    Item,
    Kind,
    Retest,
    Role,
    TableSpec,
    Threshold,
)
from survey_pipeline.names import (
    EVERYBODY,
    ITEM_NONRESPONSE,
    READING_WORST_CASE,
    RESPONDENTS,
    WHO_ANSWERED,
    option_column,
)

Flags = npt.NDArray[np.bool_]
Values = npt.NDArray[np.float64]

TOLERANCE = 1e-9
"""30 % of 7 is 2.1, and 2.1 must reach it in binary arithmetic too."""


@dataclass(frozen=True)
class Grid:
    """The values an outcome can take: `start`, `start + step`, ... (`size` of them)."""

    start: float
    step: float
    size: int

    @property
    def is_whole(self) -> bool:
        """Whether all values are whole numbers."""
        return float(self.start).is_integer() and float(self.step).is_integer()

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
    item: str = ""
    """The question it is about; empty for simply being there."""
    responder_curve: tuple[int, ...] = ()
    retest: Retest | None = None
    above: float | None = None
    """Where set, the outcome is whether `column` lies above it."""
    reading: str | None = None
    """Of a limit: how the words beside the number are read; without it the number counts as it was answered."""
    left_out: bool = False
    """Whether the outcome is that somebody left the question out whom it concerns."""
    is_conditional: bool = False
    """Whether the question concerns some people only: the others neither answer it nor leave it out."""

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
    """A table of the release: outcomes by the levels of one exposure.

    A table of the dose stands here again, with the same name and its primary outcomes, for each reading of the dose.
    `shows`: "everything" that the outcomes have, or "counts" of people alone, without any comparison.
    """

    name: str
    exposure: str
    outcomes: tuple[Outcome, ...]
    shows: str = "everything"


def tables(instrument: Instrument) -> tuple[Table, ...]:
    """Every table of an instrument, its own, item nonresponse and who answered, in the order in which they are published.

    Each table of a dose that has words beside it is followed by the same table for each reading in which everybody has one
    dose. The worst case is no table, see `worst_cases`.
    """
    declared = chain.from_iterable(_with_readings(spec, instrument) for spec in instrument.tables)
    who = (Table(WHO_ANSWERED, name, (BEING_THERE,)) for name in instrument.who_answered)
    return (*declared, *_nonresponse(instrument), *who)


def _with_readings(spec: TableSpec, instrument: Instrument) -> Iterator[Table]:
    table = _table(spec, instrument)
    if table.outcomes:
        yield table
    for reading in READINGS if _is_read_again(table, instrument) else ():
        if reading != READING_WORST_CASE:
            yield _read_again(table, reading)


def _table(spec: TableSpec, instrument: Instrument) -> Table:
    others = [name for name in spec.outcomes if instrument.items[name].role is not Role.DIARY]
    outcomes = (o for name in others for o in outcomes_of(name, instrument.items[name]))
    return Table(spec.name, spec.cut_by, tuple(outcomes), spec.shows)


def _is_read_again(table: Table, instrument: Instrument) -> bool:
    """Only what the report shows first is read again: each reading costs a pass over the answers."""
    is_main = table.shows == "everything" and any(outcome.primary for outcome in table.outcomes)
    return is_main and instrument.is_read_again(table.exposure)


def _read_again(table: Table, reading: str) -> Table:
    primary = tuple(outcome for outcome in table.outcomes if outcome.primary)
    return Table(table.name, option_column(table.exposure, reading), primary)


def worst_cases(instrument: Instrument) -> tuple[Table, ...]:
    """Each table of a dose with words beside it, by the interval in which each person's dose lies. It has no levels, so no
    rows: what can be asked of it is only whether a direction holds wherever in the intervals the doses are.
    """
    found = (_table(spec, instrument) for spec in instrument.tables)
    return tuple(_read_again(table, READING_WORST_CASE) for table in found if _is_read_again(table, instrument))


def _nonresponse(instrument: Instrument) -> Iterator[Table]:
    """How many left each question out: of every survey, without being declared."""
    asked = {name: item for name, item in instrument.asked.items() if item.is_stored}
    questions = {name: item for name, item in asked.items() if item.role not in NOT_ASKED_OF_PEOPLE}
    if questions:
        yield Table(ITEM_NONRESPONSE, EVERYBODY, tuple(map(_left_out, questions, questions.values())))


def _left_out(name: str, item: Item) -> Outcome:
    return Outcome(
        option_column(name, LEFT_OUT),
        item.columns(name)[0],
        YES_OR_NO,
        item=name,
        left_out=True,
        is_conditional=bool(item.applies_if),
    )


def exposures(instrument: Instrument) -> dict[str, tuple[Outcome, ...]]:
    """Each exposure with all outcomes that some table shows by it, and the number of people itself.

    The items of a crossing are there too, and so are the worst cases of dose readings.
    """
    found: dict[str, dict[str, Outcome]] = {}
    for table in (*tables(instrument), *worst_cases(instrument)):
        found.setdefault(table.exposure, {RESPONDENTS: BEING_THERE}).update({o.name: o for o in table.outcomes})
    for spec in instrument.tables:
        for name in spec.factors:
            found.setdefault(name, {RESPONDENTS: BEING_THERE})
    return {exposure: tuple(outcomes.values()) for exposure, outcomes in found.items()}


def outcomes_of(name: str, item: Item) -> Iterator[Outcome]:
    """The outcomes that one item gives: itself, whether each of its options was chosen, or whether it lies above a limit."""
    for outcome in (*_of_answers(name, item), *_limits(name, item)):
        yield replace(outcome, item=name, is_conditional=item.applies_if is not None)


def _of_answers(name: str, item: Item) -> Iterator[Outcome]:
    if item.kind is Kind.CHOICE:
        for code in item.codes:
            yield Outcome(option_column(name, code), name, YES_OR_NO, code=code, primary=item.primary)
    elif item.kind in (Kind.CHOICES, Kind.YES_NO):
        yield from (Outcome(column, column, YES_OR_NO, primary=item.primary) for column in item.columns(name))
    elif item.kind is Kind.SCALE:
        yield _measured(name, item)


def _measured(name: str, item: Item) -> Outcome:
    return Outcome(
        name,
        name,
        _scale(item),
        baseline=item.baseline,
        better=item.better,
        primary=item.primary,
        thresholds=item.thresholds,
        responder_curve=item.responder_curve,
        retest=item.retest,
    )


def _limits(name: str, item: Item) -> Iterator[Outcome]:
    """Whether the number lies above each limit: as it was answered, and under each reading of the words beside it."""
    for limit in item.limits:
        plain = option_column(name, f"above_{limit.code}")
        yield Outcome(plain, name, YES_OR_NO, above=limit.above)
        for reading in READINGS if item.readings else ():
            yield Outcome(option_column(plain, reading), name, YES_OR_NO, above=limit.above, reading=reading)


def _scale(item: Item) -> Grid:
    start, end, step = item.minimum or 0.0, item.maximum or 0.0, item.step or 1.0
    return Grid(start, step, round((end - start) / step) + 1)


# --- Responders -----------------------------------------------------------------------------------------------------------


def thresholds_of(outcome: Outcome) -> tuple[Threshold, ...]:
    """The thresholds an outcome declares, and those of its responder curve that are not among them."""
    declared = {threshold.percent for threshold in outcome.thresholds}
    curve = (per_cent for per_cent in outcome.responder_curve if per_cent not in declared)
    return (*outcome.thresholds, *map(improved_by, curve))


def improved_by(per_cent: int) -> Threshold:
    """A point of the responder curve: at least so many per cent of the own baseline."""
    return Threshold(
        name=f"improved_{per_cent}",
        label=f"At least {per_cent} % better",
        percent=per_cent,
        source="cumulative responder curve, Farrar 2006, J Pain Symptom Manage 31:369",
    )


def reached(threshold: Threshold, outcome: Outcome, before: Values, after: Values) -> tuple[Flags, Flags]:
    """Who counts as a responder, and who could: flags for each pair of values (NaN is no answer).

    By per cent, people who start at 0 cannot improve: they are in neither. Improvement is in the direction that is better.
    """
    if not threshold.needs_baseline:
        high = after >= threshold.at_least if threshold.at_least is not None else after <= (threshold.at_most or 0)
        return high, ~np.isnan(after)
    change = after - before
    improvement = change if outcome.better == "higher" else -change
    if threshold.points is not None:
        return improvement >= threshold.points - TOLERANCE, ~np.isnan(change)
    enough = improvement >= before * (threshold.percent or 0) / 100 - TOLERANCE
    could = ~np.isnan(change) & (before > 0)
    return enough & could, could

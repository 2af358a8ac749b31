"""Count: responses become the tally, the only thing that later stages see of them.

What belongs here: placing each respondent in a level of each exposure and a cell of each outcome, and adding up. The tally
is a sufficient statistic for every estimate (see `estimate`), holds no person, and tallies of parts add to the tally of the
whole. What does not: merging levels (`coarsen`) or any arithmetic on counts other than adding.

Of a survey with weights the tally holds their sums too. They are added as decimals of twelve places, so that the order in
which rows come makes no difference to the last digit. Whoever has no weight is in no cell, not even in that of being there:
all numbers of one table are then about the same people. (A weight that comes with the answer is required, see `instrument`,
so that rows without one have been set aside and told before.)
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import or_

import numpy as np
import numpy.typing as npt
import polars as pl

from survey_pipeline.instrument import BASES, NONE_TICKED, SEVERAL, Condition, Instrument, Item, Kind
from survey_pipeline.levels import ByItem, Crossing, DoseReading, Exposure, Level, band_ends, exposure_of
from survey_pipeline.names import (
    BASELINE_VALUE,
    EXPOSURE,
    FOLLOW_UP_VALUE,
    LEVEL,
    N_RESPONDENTS,
    NOT_APPLICABLE,
    NOT_STATED,
    OUTCOME,
    READING_LABEL_ELEMENTAL,
    READING_WORST_CASE,
    SUM_OF_SQUARED_WEIGHTS,
    SUM_OF_WEIGHTS,
    WEIGHT,
    option_column,
)
from survey_pipeline.outcomes import Grid, Outcome, exposures

Places = npt.NDArray[np.int32]
Cells = npt.NDArray[np.int64]
Key = tuple[str, str]
NOT_CONCERNED = float("nan")
"""Stands in the tally where a value would, for people whom the question does not concern."""

UNKNOWN = "unknown"
"""The basis of a dose whose words do not say which weight they mean: see `answers.doses.Basis`."""
DECIMALS = pl.Decimal(38, 12)
TALLY_KEYS: dict[str, type[pl.DataType]] = {
    EXPOSURE: pl.String,
    LEVEL: pl.String,
    OUTCOME: pl.String,
    BASELINE_VALUE: pl.Float64,
    FOLLOW_UP_VALUE: pl.Float64,
}
SUMS_OF_WEIGHTS = (SUM_OF_WEIGHTS, SUM_OF_SQUARED_WEIGHTS)
TALLY_SUMS: dict[str, pl.DataType | type[pl.DataType]] = {
    N_RESPONDENTS: pl.Int64,
    **dict.fromkeys(SUMS_OF_WEIGHTS, DECIMALS),
}
TALLY_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {**TALLY_KEYS, **TALLY_SUMS}
"""One row a non-empty cell: level is the finest code (an atom); a null value is 'no answer', and NaN for a follow-up stands
for people whom the question does not concern. The sums of the weights and of their squares are null where the survey has no
weights.
"""


def tally(responses: pl.DataFrame | pl.LazyFrame, instrument: Instrument) -> pl.DataFrame:
    """Count responses (columns as stored) by exposure level and outcome value; columns as `TALLY_SCHEMA`.

    The responses of a survey with weights have a column `names.WEIGHT` (Float64) besides.
    """
    return tally_batches([responses.lazy().collect()], instrument)


def tally_batches(batches: Iterable[pl.DataFrame], instrument: Instrument) -> pl.DataFrame:
    """The tally of responses that come in parts: the same as the tally of the whole, with memory for one part."""
    cubes = _cubes(instrument)
    if instrument.is_weighted:
        return add(rows for batch in batches for rows in _weighted(_with_weight(batch), cubes))
    counts = {cube.key: np.zeros(cube.size, dtype=np.int64) for cube in cubes}
    for batch in batches:
        for cube, cells in _cells(batch, cubes):
            counts[cube.key] += np.bincount(cells, minlength=cube.size)
    rows = (_rows(cube, cells := np.flatnonzero(counts[cube.key]), counts[cube.key][cells]) for cube in cubes)
    return pl.concat([pl.DataFrame(schema=TALLY_SCHEMA), *rows]).sort(list(TALLY_KEYS))


def add(tallies: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """The tally of several parts together: partitions, waves and machines merge by summation."""
    together = pl.concat([pl.DataFrame(schema=TALLY_SCHEMA), *tallies])
    sums = [pl.when(pl.col(name).count() > 0).then(pl.col(name).sum()).alias(name) for name in TALLY_SUMS]
    return together.group_by(list(TALLY_KEYS)).agg(sums).sort(list(TALLY_KEYS))


def columns_needed(instrument: Instrument) -> list[str]:
    """The columns of the responses that counting reads."""
    by_exposure = exposures(instrument)
    cut = [column for name in by_exposure for column in _columns_of(exposure_of(instrument, name), instrument)]
    measured = [c for outcomes in by_exposure.values() for o in outcomes for c in _columns_read(o, instrument)]
    return list(dict.fromkeys([*cut, *measured, *([WEIGHT] if instrument.is_weighted else [])]))


def _columns_of(exposure: Exposure, instrument: Instrument) -> Iterator[str]:
    for name in exposure.factors:
        yield from instrument.items[name].columns(name)
        yield from _condition_columns(instrument.items[name].applies_if, instrument)
    if isinstance(exposure, DoseReading):
        yield from _columns_of_words(exposure.dose.item, instrument)


def _columns_read(outcome: Outcome, instrument: Instrument) -> Iterator[str]:
    yield from (column for column in (outcome.column, outcome.baseline) if column)
    item = instrument.items.get(outcome.item)
    if item and outcome.left_out:
        yield from item.columns(outcome.item)
    if item and outcome.is_conditional:
        yield from _condition_columns(item.applies_if, instrument)
    if item and outcome.reading:
        yield from _columns_of_words(item, instrument)


def _columns_of_words(dose: Item, instrument: Instrument) -> Iterator[str]:
    """What a dose is read again by: its words, and the answer to which weight they mean."""
    if dose.readings:
        yield from instrument.items[dose.readings].columns(dose.readings)
    if dose.basis in instrument.asked:
        yield dose.basis


def _condition_columns(condition: Condition | None, instrument: Instrument) -> tuple[str, ...]:
    asked = instrument.stored.get(condition.item) if condition else None
    return asked.columns(condition.item) if condition and asked else ()


# --- Cubes: levels x values before x values after -----------------------------------------------------------------------


@dataclass(frozen=True)
class Cube:
    """The cells of one exposure and outcome, and the expressions that place a respondent in them."""

    exposure: str
    levels: tuple[Level, ...]
    outcome: Outcome
    level: pl.Expr
    value: pl.Expr

    @property
    def key(self) -> Key:
        return self.exposure, self.outcome.name

    @cached_property
    def shape(self) -> tuple[int, int, int]:
        """Levels, baseline values, follow-up values; each axis of values has 'no answer' first, the latter 'not concerned'
        last where the question does not concern everybody.
        """
        n_before, n_after = _value_axes(self.outcome)
        return len(self.levels), n_before, n_after

    @cached_property
    def size(self) -> int:
        return int(np.prod(self.shape))


def _cubes(instrument: Instrument) -> list[Cube]:
    found = []
    for name, outcomes in exposures(instrument).items():
        exposure = exposure_of(instrument, name)
        level, levels = level_place(exposure, instrument), exposure.atoms
        found += [Cube(name, levels, outcome, level, _value_cell(outcome, instrument)) for outcome in outcomes]
    return found


def _cells(batch: pl.DataFrame, cubes: Iterable[Cube]) -> Iterator[tuple[Cube, Cells]]:
    """For each cube the cell (a place in the flattened cube) of every respondent, in one array that is used for all."""
    cubes = list(cubes)
    levels = _places(batch, {cube.exposure: cube.level for cube in cubes})
    values = _places(batch, {cube.outcome.name: cube.value for cube in cubes})
    cells = np.empty(batch.height, dtype=np.int64)
    for cube in cubes:
        np.multiply(levels[cube.exposure], cube.size // len(cube.levels), out=cells, dtype=np.int64)
        yield cube, np.add(cells, values[cube.outcome.name], out=cells)


def _places(batch: pl.DataFrame, places: Mapping[str, pl.Expr]) -> dict[str, Places]:
    """All places asked for, in one go over the batch."""
    found = batch.select(place.cast(pl.Int32).alias(name) for name, place in places.items())
    return {name: found[name].to_numpy() for name in found.columns}


def _rows(cube: Cube, cells: Cells, n: Cells, weights: pl.DataFrame | None = None) -> pl.DataFrame:
    """Cells with at least one person as rows of a tally; `weights` holds their two sums, cell by cell."""
    level, before, after = np.unravel_index(cells, cube.shape)
    codes = pl.Series([atom.code for atom in cube.levels], dtype=pl.String)
    grid = cube.outcome.grid
    values = pl.Series([*map(grid.value, range(grid.size + 1)), NOT_CONCERNED], dtype=pl.Float64)
    columns = {
        EXPOSURE: pl.Series([cube.exposure]).new_from_index(0, len(cells)),
        LEVEL: codes.gather(level),
        OUTCOME: pl.Series([cube.outcome.name]).new_from_index(0, len(cells)),
        BASELINE_VALUE: values.gather(before),
        FOLLOW_UP_VALUE: values.gather(after),
        N_RESPONDENTS: n,
    }
    nothing = {name: pl.Series([None], dtype=DECIMALS).new_from_index(0, len(cells)) for name in SUMS_OF_WEIGHTS}
    sums = nothing if weights is None else {name: weights[name] for name in SUMS_OF_WEIGHTS}
    return pl.DataFrame(columns | sums, schema=TALLY_SCHEMA)


def _with_weight(batch: pl.DataFrame) -> pl.DataFrame:
    """The rows that have a weight."""
    return batch.filter(pl.col(WEIGHT).is_finite())


def _weighted(batch: pl.DataFrame, cubes: Iterable[Cube]) -> Iterator[pl.DataFrame]:
    """The tally of a batch, a frame a cube."""
    weights = batch.select(
        pl.col(WEIGHT).cast(DECIMALS).alias(SUM_OF_WEIGHTS),
        (pl.col(WEIGHT) ** 2).cast(DECIMALS).alias(SUM_OF_SQUARED_WEIGHTS),
    )
    for cube, cells in _cells(batch, cubes):
        by_cell = weights.with_columns(pl.Series("cell", cells)).group_by("cell")
        summed = by_cell.agg(pl.len().alias(N_RESPONDENTS), pl.all().sum()).sort("cell")
        yield _rows(cube, summed["cell"].to_numpy(), summed[N_RESPONDENTS].to_numpy(), summed)


# --- Values ----------------------------------------------------------------------------------------------------------------


def _value_cell(outcome: Outcome, instrument: Instrument) -> pl.Expr:
    after = follow_up_place(outcome, instrument)
    if outcome.baseline is None:
        return after
    return _grid_place(pl.col(outcome.baseline), outcome.grid) * _value_axes(outcome)[1] + after


def _value_axes(outcome: Outcome) -> tuple[int, int]:
    n = outcome.grid.size + 1
    return n if outcome.baseline else 1, n + outcome.is_conditional


def follow_up_place(outcome: Outcome, instrument: Instrument) -> pl.Expr:
    """The place of an answer on the outcome's grid: 0 for none, and one more than there are values for those whom the
    question does not concern.
    """
    if outcome.column is None:
        return pl.repeat(1, pl.len())
    item = instrument.items[outcome.item]
    place = _grid_place(_answer(outcome, item, instrument), outcome.grid)
    if not outcome.is_conditional:
        return place
    return pl.when(_concerns(item.applies_if, instrument)).then(place).otherwise(outcome.grid.size + 1)


def _answer(outcome: Outcome, item: Item, instrument: Instrument) -> pl.Expr:
    if outcome.left_out:
        return _is_left_out(outcome.item, item)
    if outcome.above is not None:
        return _read_as(ByItem(outcome.item, item), outcome.reading, instrument) > outcome.above
    column = pl.col(str(outcome.column))
    return column if outcome.code is None else column == outcome.code


def _grid_place(value: pl.Expr, grid: Grid) -> pl.Expr:
    """0 for no answer, then 1 for the grid's first value, 2 for the second ..."""
    return (((value.cast(pl.Float64) - grid.start) / grid.step).round() + 1).fill_null(0)


def _is_left_out(name: str, item: Item) -> pl.Expr:
    """Whether nothing of an answer is there. Of a dose in words the amount decides: a text that could not be read is none."""
    columns = item.columns(name)[:1] if item.kind is Kind.DOSE else item.columns(name)
    return pl.all_horizontal(pl.col(column).is_null() for column in columns)


def _read_as(dose: ByItem, reading: str | None, instrument: Instrument) -> pl.Expr:
    """A number as it was answered, or as the words beside it are read. Under the worst case, the highest it can be."""
    if reading is None:
        return pl.col(dose.name)
    if reading == READING_WORST_CASE:
        return _interval(dose, instrument)[1]
    return _reading(dose, reading, instrument)


# --- Whom a question concerns ----------------------------------------------------------------------------------------------


def _concerns(condition: Condition | None, instrument: Instrument) -> pl.Expr:
    """Whom a question concerns: everybody who did not say otherwise. Who left the deciding question out is not sent away."""
    asked = instrument.stored.get(condition.item) if condition else None
    if condition is None or asked is None:
        return pl.lit(True)
    if asked.kind is Kind.CHOICES:
        return reduce(or_, (pl.col(option_column(condition.item, code)) for code in condition.values)).fill_null(True)
    column = pl.col(condition.item)
    if asked.kind is Kind.YES_NO:
        column = pl.when(column).then(pl.lit("yes")).when(~column).then(pl.lit("no"))
    return column.is_in(list(condition.values)).fill_null(True)


# --- Levels ----------------------------------------------------------------------------------------------------------------


def level_place(exposure: Exposure, instrument: Instrument) -> pl.Expr:
    """The place of a respondent's level among the exposure's atoms."""
    if isinstance(exposure, ByItem):
        return _item_place(exposure, exposure, _answer_place(exposure.name, exposure.item), instrument)
    if isinstance(exposure, Crossing):
        first, second = (level_place(factor, instrument) for factor in (exposure.first, exposure.second))
        return first * len(exposure.second.atoms) + second
    if isinstance(exposure, DoseReading):
        return _item_place(exposure, exposure.dose, _dose_place(exposure, instrument), instrument)
    return pl.repeat(0, pl.len())


def _item_place(exposure: Exposure, by: ByItem, answer: pl.Expr, instrument: Instrument) -> pl.Expr:
    """The place of an answer among the atoms; people without one, or whom the question does not concern, come last."""
    codes = [atom.code for atom in exposure.atoms]
    place = answer.cast(pl.Int64).fill_null(codes.index(NOT_STATED))
    if by.item.applies_if is None:
        return place
    return pl.when(_concerns(by.item.applies_if, instrument)).then(place).otherwise(codes.index(NOT_APPLICABLE))


def _answer_place(name: str, item: Item) -> pl.Expr:
    if item.kind is Kind.YES_NO:
        return (~pl.col(name)).cast(pl.Int64)
    if item.kind is Kind.CHOICES:
        return _ticked_place(name, item)
    if item.options:
        codes = {code: i for i, code in enumerate(item.codes)}
        return pl.col(name).replace_strict(codes, default=None, return_dtype=pl.Int64)
    return _stretch(pl.col(name), item)


def _ticked_place(name: str, item: Item) -> pl.Expr:
    """The place of the one option ticked; who ticked several, or saw the question and ticked none, has another."""
    ticks = [pl.col(column).cast(pl.Int64) for column in item.columns(name)]
    n = pl.sum_horizontal(ticks, ignore_nulls=False)
    alone = pl.sum_horizontal([tick * place for place, tick in enumerate(ticks)], ignore_nulls=False)
    several = pl.when(n > 1).then(item.level_codes.index(item.several_as or SEVERAL))
    none = item.level_codes.index(NONE_TICKED) if NONE_TICKED in item.level_codes else None
    return pl.when(n == 1).then(alone).otherwise(several.when(n == 0).then(pl.lit(none, dtype=pl.Int64)))


def _stretch(value: pl.Expr, item: Item) -> pl.Expr:
    """The place of a number among the stretches between any two band ends."""
    passed = [value > end if inside else value >= end for end, inside in band_ends(item)[:-1]]
    return pl.sum_horizontal([beyond.cast(pl.Int64) for beyond in passed], ignore_nulls=False)


# --- Doses read again ------------------------------------------------------------------------------------------------------


def _dose_place(exposure: DoseReading, instrument: Instrument) -> pl.Expr:
    item = exposure.dose.item
    if not exposure.is_interval:
        return _stretch(_reading(exposure.dose, exposure.reading, instrument), item)
    low, high = (_stretch(end, item) for end in _interval(exposure.dose, instrument))
    return _triangle(low, high, len(band_ends(item)))


def _triangle(low: pl.Expr, high: pl.Expr, n: int) -> pl.Expr:
    """The place of a pair among (0, 0), (0, 1), ..., (1, 1), (1, 2), ...: see `levels.intervals_of`."""
    return low * (2 * n - low - 1) // 2 + high


def _reading(dose: ByItem, reading: str, instrument: Instrument) -> pl.Expr:
    """One dose for everybody, in mg a day; who wrote no words that could be read has the dose that was answered.

    Where the words or the person's answer say which weight is meant, both readings are the middle of what it can be. Where
    neither does, the one takes the written amount (its middle) as elemental, the other as the weight of the compound with
    the least in it.
    """
    low, high = _interval(dose, instrument)
    written = (_words(dose, "written_low_mg_per_day") + _words(dose, "written_high_mg_per_day")) / 2
    undecided = (_words(dose, "basis") == UNKNOWN) & ~reduce(or_, (_is_said(dose, one, instrument) for one in BASES))
    apart = written if reading == READING_LABEL_ELEMENTAL else low
    return pl.when(undecided).then(apart).otherwise((low + high) / 2).fill_null(pl.col(dose.name))


def _interval(dose: ByItem, instrument: Instrument) -> tuple[pl.Expr, pl.Expr]:
    """The lowest and the highest dose that agree with the words, or the dose that was answered where there are none.

    Where only the person says which weight is meant, that answer narrows the interval of the words and never leaves it. The
    lowest dose that is stored already is that of the compound with the least in it, or of each of several, so of the weight
    of a compound only the highest is worked out.
    """
    low, high = (_words(dose, f"{end}_mg_per_day") for end in ("low", "high"))
    if dose.item.basis in instrument.asked:
        written_low, written_high = (_words(dose, f"written_{end}_mg_per_day") for end in ("low", "high"))
        elemental, weighed = (_is_said(dose, basis, instrument) for basis in BASES)
        of_compound = pl.when(weighed).then(written_high * _most_elemental(dose, instrument))
        low, high = (
            pl.when(elemental).then(pl.min_horizontal(written_low, high)).otherwise(low),
            pl.when(elemental).then(written_high).otherwise(of_compound).fill_null(high).clip(low, high),
        )
    return low.fill_null(pl.col(dose.name)), high.fill_null(pl.col(dose.name))


def _most_elemental(dose: ByItem, instrument: Instrument) -> pl.Expr:
    """The highest share of a compound's weight that is elemental: of the one that was named, else of any declared."""
    compounds = instrument.items[dose.item.readings or ""].compounds
    shares = {one.code: max(one.elemental_percent) / 100 for one in compounds}
    named = _words(dose, "compound").replace_strict(shares, default=None, return_dtype=pl.Float64)
    return named.fill_null(max(shares.values(), default=1.0))


def _is_said(dose: ByItem, basis: str, instrument: Instrument) -> pl.Expr:
    """Whether the words do not say which weight they mean, and the person does: this one."""
    if dose.item.basis not in instrument.asked:
        return pl.lit(False)
    return (_words(dose, "basis") == UNKNOWN) & pl.col(dose.item.basis or "").eq_missing(pl.lit(basis))


def _words(dose: ByItem, part: str) -> pl.Expr:
    """What is stored of the words beside a dose: one of `DOSE_PARTS`."""
    return pl.col(option_column(dose.item.readings or "", part))

"""Count: responses become the tally, the only thing that later stages see of them.

What belongs here: placing each respondent in a level of each exposure and a cell of each outcome, and adding up. The tally
is a sufficient statistic for every estimate (see `estimate`), holds no person, and tallies of parts add to the tally of the
whole. What does not: merging levels (`coarsen`) or any arithmetic on counts other than adding.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt
import polars as pl

from survey_pipeline.instrument import Instrument, Item, Kind
from survey_pipeline.levels import atoms, band_ends
from survey_pipeline.names import BASELINE_VALUE, EXPOSURE, FOLLOW_UP_VALUE, LEVEL, N_RESPONDENTS, OUTCOME
from survey_pipeline.outcomes import Grid, Outcome, exposures

Places = npt.NDArray[np.int64]
Key = tuple[str, str]

TALLY_SCHEMA: dict[str, type[pl.DataType]] = {
    EXPOSURE: pl.String,
    LEVEL: pl.String,
    OUTCOME: pl.String,
    BASELINE_VALUE: pl.Float64,
    FOLLOW_UP_VALUE: pl.Float64,
    N_RESPONDENTS: pl.Int64,
}
"""One row a non-empty cell: level is the finest code (an atom); a null value is 'no answer'."""


def tally(responses: pl.DataFrame | pl.LazyFrame, instrument: Instrument) -> pl.DataFrame:
    """Count responses (columns as stored) by exposure level and outcome value; columns as `TALLY_SCHEMA`."""
    return tally_batches([responses.lazy().collect()], instrument)


def tally_batches(batches: Iterable[pl.DataFrame], instrument: Instrument) -> pl.DataFrame:
    """The tally of responses that come in parts: the same as the tally of the whole, with memory for one part."""
    counts = {key: np.zeros(np.prod(shape), dtype=np.int64) for key, shape in _shapes(instrument).items()}
    for batch in batches:
        for key, cells in _cells(batch, instrument).items():
            counts[key] += np.bincount(cells, minlength=len(counts[key]))
    return _as_frame(counts, instrument)


def add(tallies: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """The tally of several parts together: partitions, waves and machines merge by summation."""
    keys = list(TALLY_SCHEMA)[:-1]
    together = pl.concat([pl.DataFrame(schema=TALLY_SCHEMA), *tallies])
    return together.group_by(keys).agg(pl.col(N_RESPONDENTS).sum()).sort(keys)


def columns_needed(instrument: Instrument) -> list[str]:
    """The columns of the responses that counting reads."""
    by_exposure = exposures(instrument)
    conditions = [item.applies_if.item for item in map(instrument.items.get, by_exposure) if item and item.applies_if]
    measured = [c for outcomes in by_exposure.values() for o in outcomes for c in (o.column, o.baseline) if c]
    return list(dict.fromkeys([*by_exposure, *conditions, *measured]))


def _shapes(instrument: Instrument) -> dict[Key, tuple[int, int, int]]:
    """For each exposure and outcome: levels x baseline values x follow-up values, each value axis with 'no answer' first."""
    return {
        (exposure, outcome.name): (len(atoms(instrument.items[exposure])), *_value_axes(outcome))
        for exposure, outcomes in exposures(instrument).items()
        for outcome in outcomes
    }


def _value_axes(outcome: Outcome) -> tuple[int, int]:
    return (outcome.grid.size + 1 if outcome.baseline else 1), outcome.grid.size + 1


def _cells(batch: pl.DataFrame, instrument: Instrument) -> dict[Key, Places]:
    """For each exposure and outcome, the cell (a place in the flattened cube) of every respondent."""
    by_exposure = exposures(instrument)
    outcomes = {outcome.name: outcome for found in by_exposure.values() for outcome in found}
    levels = _places(batch, {name: level_place(name, instrument.items[name]) for name in by_exposure})
    values = _places(batch, {name: _value_cell(outcome) for name, outcome in outcomes.items()})
    return {
        (name, outcome.name): levels[name] * np.prod(_value_axes(outcome)) + values[outcome.name]
        for name, found in by_exposure.items()
        for outcome in found
    }


def _value_cell(outcome: Outcome) -> pl.Expr:
    after = _follow_up_place(outcome)
    if outcome.baseline is None:
        return after
    return _grid_place(pl.col(outcome.baseline), outcome.grid) * (outcome.grid.size + 1) + after


def _places(batch: pl.DataFrame, places: Mapping[str, pl.Expr]) -> dict[str, Places]:
    """All places asked for, in one go over the batch."""
    found = batch.select(place.cast(pl.Int64).alias(name) for name, place in places.items())
    return {name: found[name].to_numpy() for name in found.columns}


def _follow_up_place(outcome: Outcome) -> pl.Expr:
    if outcome.column is None:
        return pl.repeat(1, pl.len())
    column = pl.col(outcome.column)
    return _grid_place(column if outcome.code is None else column == outcome.code, outcome.grid)


def _grid_place(value: pl.Expr, grid: Grid) -> pl.Expr:
    """0 for no answer, then 1 for the grid's first value, 2 for the second ..."""
    return (((value.cast(pl.Float64) - grid.start) / grid.step).round() + 1).fill_null(0)


def level_place(name: str, item: Item) -> pl.Expr:
    """The place of a respondent's level among the exposure's atoms; the last is 'not stated'."""
    n_atoms = len(atoms(item))
    place = _answer_place(name, item).fill_null(n_atoms - 1)
    if item.applies_if is None:
        return place
    concerns = pl.col(item.applies_if.item).is_in(list(item.applies_if.values)).fill_null(False)
    return pl.when(concerns | pl.col(item.applies_if.item).is_null()).then(place).otherwise(n_atoms - 2)


def _answer_place(name: str, item: Item) -> pl.Expr:
    column = pl.col(name)
    if item.kind is Kind.YES_NO:
        return (~column).cast(pl.Int64)
    if item.options:
        return column.replace_strict(
            {code: i for i, code in enumerate(item.codes)}, default=None, return_dtype=pl.Int64
        )
    passed = [column > end if inside else column >= end for end, inside in band_ends(item)[:-1]]
    return pl.sum_horizontal([beyond.cast(pl.Int64) for beyond in passed], ignore_nulls=False)


def _as_frame(counts: Mapping[Key, npt.NDArray[np.int64]], instrument: Instrument) -> pl.DataFrame:
    shapes = _shapes(instrument)
    by_name = {(e, o.name): o for e, outcomes in exposures(instrument).items() for o in outcomes}
    parts = [_cube_frame(key, cube.reshape(shapes[key]), instrument, by_name[key]) for key, cube in counts.items()]
    return add(parts)


def _cube_frame(key: Key, cube: npt.NDArray[np.int64], instrument: Instrument, outcome: Outcome) -> pl.DataFrame:
    level, before, after = np.nonzero(cube)
    codes = [atom.code for atom in atoms(instrument.items[key[0]])]
    return pl.DataFrame(
        {
            EXPOSURE: [key[0]] * len(level),
            LEVEL: [codes[place] for place in level],
            OUTCOME: [key[1]] * len(level),
            BASELINE_VALUE: [outcome.grid.value(int(place)) for place in before],
            FOLLOW_UP_VALUE: [outcome.grid.value(int(place)) for place in after],
            N_RESPONDENTS: cube[level, before, after],
        },
        schema=TALLY_SCHEMA,
    )

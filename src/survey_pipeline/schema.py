"""The pandera schemas: what the instrument makes of an answer, and what our own tables must look like.

What belongs here: compiling an instrument to a pandera schema whose check names are our rules. What does not: reading text
(`answers`), and deciding what happens to a row that fails (`validate`).
"""

from typing import Any

import pandera.polars as pa
import polars as pl
from pandera.api.polars.types import PolarsData
from pandera.config import ValidationDepth, config_context

from survey_pipeline.answers import stored_types
from survey_pipeline.instrument import Instrument, Item, Kind
from survey_pipeline.names import Rule


def responses_schema(instrument: Instrument) -> pa.DataFrameSchema:
    """A schema of all stored columns; a failed check carries the name of the rule that failed."""
    columns = {
        column: pa.Column(kind, _checks(item), nullable=not item.required or _may_be_empty(column))
        for name, item in instrument.stored.items()
        for column, kind in stored_types(name, item).items()
    }
    return pa.DataFrameSchema(columns, strict=True, name=instrument.name)


def _may_be_empty(column: str) -> bool:
    """A dose that was read need not name its compound."""
    return column.endswith("__compound")


def _checks(item: Item) -> list[pa.Check]:
    if item.kind is Kind.CHOICE:
        return [pa.Check.isin(list(item.codes), error=Rule.UNKNOWN_OPTION.value)]
    if item.is_numeric:
        return [*_range(item), *_grid(item)]
    return []


def _range(item: Item) -> list[pa.Check]:
    low, high, error = item.minimum, item.maximum, Rule.OUT_OF_RANGE.value
    if low is not None and high is not None:
        return [pa.Check.in_range(low, high, error=error)]
    bounds = ((pa.Check.ge, low), (pa.Check.le, high))
    return [check(bound, error=error) for check, bound in bounds if bound is not None]


def _grid(item: Item) -> list[pa.Check]:
    """A scale takes only its own steps: whole numbers unless the instrument says otherwise."""
    step = item.step or (1.0 if item.kind is Kind.SCALE else None)
    if step is None:
        return []
    start = item.minimum or 0.0

    def on_grid(data: PolarsData) -> pl.LazyFrame:
        steps = (pl.col(data.key or "*") - start) / step
        return data.lazyframe.select((steps - steps.round()).abs() < 1e-9)

    return [pa.Check(on_grid, name=Rule.NOT_ON_SCALE.value, error=Rule.NOT_ON_SCALE.value)]


def failures(schema: pa.DataFrameSchema, frame: pl.DataFrame) -> pl.DataFrame:
    """Which cells break which rule: columns `row` (place in the frame), `column`, `rule`. Holds no value.

    An environment in which pandera's checks are switched off does not switch them off here.

    Raises `TypeError` if the frame's columns or types are not the schema's: a fault of ours, never of the data.
    """
    try:
        with config_context(validation_enabled=True, validation_depth=ValidationDepth.SCHEMA_AND_DATA):
            schema.validate(frame, lazy=True)
    except pa.errors.SchemaErrors as error:
        return _by_cell(error.failure_cases)
    return pl.DataFrame(schema={"row": pl.UInt32, "column": pl.String, "rule": pl.String})


def _by_cell(cases: Any) -> pl.DataFrame:
    if cases.get_column("index").null_count():
        raise TypeError("the columns or types of a batch are not those of its schema")
    rule = pl.col("check").replace({"not_nullable": Rule.REQUIRED_MISSING.value})
    found: pl.DataFrame = cases.select(row=pl.col("index").cast(pl.UInt32), column="column", rule=rule)
    return found

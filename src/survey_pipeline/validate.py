"""Validate: every answer against the instrument; what may not stand goes to quarantine with its reason, never away.

What belongs here: applying the compiled pandera schema to a batch and parting it into kept rows and quarantine. A bad value
of an optional item is refused and the row kept without it; a bad or missing required item quarantines the whole row.
What does not: the checks themselves (`schema`) and where the parts are written (`storage`).
"""

from dataclasses import dataclass

import pandera.polars as pa
import polars as pl

from survey_pipeline.ingest import Batch
from survey_pipeline.instrument import Instrument
from survey_pipeline.names import EXPORT, ITEM, RECORD, RULE, VALUE, WHOLE_ROW
from survey_pipeline.schema import failures

QUARANTINE_SCHEMA: dict[str, type[pl.DataType]] = {
    EXPORT: pl.String,
    RECORD: pl.Int64,
    ITEM: pl.String,
    RULE: pl.String,
    VALUE: pl.String,
    WHOLE_ROW: pl.Boolean,
    "answers": pl.String,
}
"""One row a reason. `value` is what was written; `answers` is the whole row as JSON where the row is quarantined."""


@dataclass(frozen=True)
class Validated:
    """A batch, parted: rows kept (typed, refused values null) and the reasons for the rest."""

    kept: pl.DataFrame
    quarantine: pl.DataFrame
    n_quarantined: int


def validate(batch: Batch, instrument: Instrument, schema: pa.DataFrameSchema) -> Validated:
    """Part a batch by its rules. Rows in = rows kept + rows quarantined."""
    refused = _all_refusals(batch, instrument, failures(schema, batch.answers))
    required = [name for name, item in instrument.stored.items() if item.required]
    bad_rows = refused.filter(pl.col("item").is_in(required))["row"].unique().sort()
    stays = pl.Series([True]).new_from_index(0, batch.answers.height).scatter(bad_rows, False)
    kept = _without_refused(batch.answers, instrument, refused).insert_column(0, batch.records)
    kept.insert_column(0, pl.Series(EXPORT, [batch.export.path.name]).new_from_index(0, kept.height))
    return Validated(kept.filter(stays), _quarantine(batch, refused, bad_rows), len(bad_rows))


def _all_refusals(batch: Batch, instrument: Instrument, failed: pl.DataFrame) -> pl.DataFrame:
    """Cells that could not be read, then those that break a rule; a cell is refused once, for its first reason."""
    items = {column: name for name, item in instrument.stored.items() for column in item.columns(name)}
    broken = failed.select("row", item=pl.col("column").replace(items), rule="rule")
    return pl.concat([batch.refused, broken]).unique(["row", "item"], keep="first", maintain_order=True)


def _without_refused(answers: pl.DataFrame, instrument: Instrument, refused: pl.DataFrame) -> pl.DataFrame:
    for (name,), cells in refused.group_by(["item"], maintain_order=True):
        for column in instrument.items[str(name)].columns(str(name)):
            answers = answers.with_columns(answers[column].scatter(cells["row"], None))
    return answers


def _quarantine(batch: Batch, refused: pl.DataFrame, bad_rows: pl.Series) -> pl.DataFrame:
    whole = pl.col("row").is_in(bad_rows.implode())
    texts = batch.texts.select(name for name in batch.texts.columns)
    reasons = refused.with_columns(whole.alias(WHOLE_ROW)).sort("row", maintain_order=True)
    return reasons.select(
        pl.lit(batch.export.path.name).alias(EXPORT),
        batch.records.gather(reasons["row"]).alias(RECORD),
        pl.col("item").alias(ITEM),
        pl.col("rule").alias(RULE),
        _written(texts, reasons).alias(VALUE),
        WHOLE_ROW,
        _rows_as_json(texts, reasons).alias("answers"),
    )


def _written(texts: pl.DataFrame, reasons: pl.DataFrame) -> pl.Series:
    """What stood in each refused cell; null where nothing did."""
    cells = zip(reasons["row"], reasons["item"], strict=True)
    return pl.Series([texts[item][row] if item in texts.columns else None for row, item in cells], dtype=pl.String)


def _rows_as_json(texts: pl.DataFrame, reasons: pl.DataFrame) -> pl.Series:
    rows = texts[reasons["row"]].select(pl.struct(pl.all()).struct.json_encode()).to_series()
    return rows.set(~reasons[WHOLE_ROW], None)

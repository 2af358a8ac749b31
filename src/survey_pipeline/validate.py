"""Validate: every answer against the instrument; what may not stand goes to quarantine with its reason, never away.

What belongs here: applying the compiled pandera schema to a batch and parting it into kept rows and quarantine. A bad value
of an optional item is refused and the row kept without it; a bad or missing required item quarantines the whole row.
What does not: the checks themselves (`schema`) and where the parts are written (`storage`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pandera.polars as pa
import polars as pl

from survey_pipeline.ingest import Batch, repeats
from survey_pipeline.instrument import Instrument
from survey_pipeline.names import EXPORT, ITEM, RECORD, RULE, VALUE, WHOLE_ROW, Exclusion
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
    """A batch, parted: rows kept (typed, refused values null), the reasons for those set aside, and what is left out."""

    kept: pl.DataFrame
    quarantine: pl.DataFrame
    n_quarantined: int
    excluded: Mapping[str, int]


def validate(batch: Batch, instrument: Instrument, schema: pa.DataFrameSchema) -> Validated:
    """Part a batch by its rules. Rows read = rows kept + rows quarantined + rows excluded."""
    refused = _all_refusals(batch, instrument, failures(schema, batch.answers))
    required = [name for name, item in instrument.stored.items() if item.required]
    bad_rows = refused.filter(pl.col("item").is_in(required))["row"].unique().sort()
    stays = pl.Series([True]).new_from_index(0, batch.answers.height).scatter(bad_rows, False)
    again = repeats(batch, stays)
    refused = refused.filter(~pl.col("row").is_in(again.arg_true().implode()))
    kept = _without_refused(batch.answers, instrument, refused).insert_column(0, batch.records)
    kept.insert_column(0, pl.Series(EXPORT, [batch.export.path.name]).new_from_index(0, kept.height))
    left_out = {Exclusion.SAME_RESPONDENT.value: n} if (n := int(again.sum())) else {}
    reasons = _quarantine(batch, instrument, refused, bad_rows)
    return Validated(kept.filter(stays & ~again), reasons, len(bad_rows), {**batch.excluded, **left_out})


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


def _quarantine(batch: Batch, instrument: Instrument, refused: pl.DataFrame, bad_rows: pl.Series) -> pl.DataFrame:
    parts = [_reasons(batch, str(item), cells) for (item,), cells in refused.group_by(["item"], maintain_order=True)]
    reasons = pl.concat([pl.DataFrame(schema=_REASONS), *parts]).sort("row", maintain_order=True)
    whole = _rows_as_json(
        batch.texts.select(name for name in instrument.stored if name in batch.texts.columns), bad_rows
    )
    return reasons.join(whole, on="row", how="left", maintain_order="left").select(
        pl.lit(batch.export.path.name).alias(EXPORT),
        pl.lit(batch.records).gather(pl.col("row")).alias(RECORD),
        pl.col("item").alias(ITEM),
        pl.col("rule").alias(RULE),
        VALUE,
        pl.col("answers").is_not_null().alias(WHOLE_ROW),
        "answers",
    )


_REASONS: dict[str, type[pl.DataType]] = {"row": pl.UInt32, "item": pl.String, "rule": pl.String, VALUE: pl.String}


def _reasons(batch: Batch, item: str, cells: pl.DataFrame) -> pl.DataFrame:
    """The refused cells of one item, with what was written there; null where nothing was."""
    nothing = pl.Series([None], dtype=pl.String).new_from_index(0, cells.height)
    written = batch.texts[item].gather(cells["row"]) if item in batch.texts.columns else nothing
    return cells.with_columns(written.alias(VALUE)).select(list(_REASONS))


def _rows_as_json(texts: pl.DataFrame, rows: pl.Series) -> pl.DataFrame:
    """Whole rows as written, without what is never stored: free words and respondents' codes."""
    whole = texts[rows].select(answers=pl.struct(pl.all()).struct.json_encode())
    return whole.with_columns(rows.alias("row"))

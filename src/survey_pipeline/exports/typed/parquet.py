"""Parquet: a table with typed columns and nothing said about them but their names.

What belongs here: each type of column as text. What does not: SPSS, Stata and SAS files, which label their columns
(`labelled`).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from survey_pipeline.errors import InputRefused
from survey_pipeline.exports.sheet import ByHand, Meta, Sheet
from survey_pipeline.exports.typed.cells import (
    CLOCK,
    DATE,
    MOMENT,
    length_texts,
    moment_texts,
    names_as_record,
    number_texts,
    put_aside,
    refusing,
    truth_texts,
    without_blanks,
)

if TYPE_CHECKING:
    from polars._typing import PolarsDataType

BATCH_CELLS = 2_000_000
JOINS_ANSWERS = ";"
"""Between several answers of one cell, as Microsoft Forms writes them."""


def read_parquet(path: Path, kind: str, sha256: str, by_hand: ByHand) -> Sheet:
    """All columns as text, some rows at a time."""
    with refusing(f"'{path.name}' is no Parquet file, or a damaged one.", "Export it again, or as CSV."):
        table = pl.scan_parquet(path, glob=False, hive_partitioning=False)
        schema = table.collect_schema()
        _refuse_unreadable(path.name, schema)
        aside = put_aside(_frames(table, schema), len(schema))
    return Sheet(
        sha256=sha256,
        kind=kind,
        encoding="utf-8",
        separator="",
        head=aside.head,
        width=len(schema),
        records=aside.records,
        irregular=(),
        cells=aside.cells,
        reasons=(f"a Parquet file; columns: {len(schema)}",),
        meta=(Meta(),) * len(schema),
    )


def _refuse_unreadable(name: str, schema: pl.Schema) -> None:
    if not schema:
        raise InputRefused(f"The table in '{name}' has no columns.", "Export the answers again.")
    odd = [column for column, dtype in schema.items() if not _is_readable(dtype)]
    if odd:
        raise InputRefused(
            f"The column '{odd[0]}' of '{name}' holds tables or bytes within a cell{_others(len(odd) - 1)}.",
            "Write each part into a column of its own, or leave the column out.",
        )


def _others(count: int) -> str:
    return f", as do {count} others" if count else ""


def _is_readable(dtype: "PolarsDataType") -> bool:
    if isinstance(dtype, pl.List | pl.Array):
        return not dtype.inner.is_nested() and _is_readable(dtype.inner)
    return not dtype.is_nested() and dtype not in (pl.Binary, pl.Object)


def _frames(table: pl.LazyFrame, schema: pl.Schema) -> Iterator[pl.DataFrame]:
    yield names_as_record(schema.names())
    rows = max(1, BATCH_CELLS // len(schema))
    for batch in table.collect_batches(chunk_size=rows, maintain_order=True):
        yield pl.DataFrame([without_blanks(_texts(column)) for column in batch])


def _texts(column: pl.Series) -> pl.Series:
    """A column as text, by its type; what has no way of its own (texts, categories) is cast."""
    dtype = column.dtype
    if isinstance(dtype, pl.List | pl.Array):
        return _joined(column)
    if dtype.is_numeric():
        return number_texts(column)
    if isinstance(dtype, pl.Datetime):
        return moment_texts(column, MOMENT + ("%:z" if dtype.time_zone else ""))
    ways = {pl.Boolean: truth_texts, pl.Duration: length_texts, pl.Date: _dates, pl.Time: _clocks}
    return ways.get(dtype.base_type(), _cast)(column)


def _dates(column: pl.Series) -> pl.Series:
    return moment_texts(column, DATE)


def _clocks(column: pl.Series) -> pl.Series:
    return moment_texts(column, CLOCK)


def _cast(column: pl.Series) -> pl.Series:
    return column.cast(pl.String)


def _joined(column: pl.Series) -> pl.Series:
    """Several answers in one cell; a list without any says as little as no list."""
    lists = column.arr.to_list() if isinstance(column.dtype, pl.Array) else column
    rows = lists.to_frame("answers").with_row_index("row").explode("answers", empty_as_null=True, keep_nulls=True)
    texts = rows.select("row", answers=_texts(rows["answers"]))
    joined = texts.group_by("row", maintain_order=True).agg(pl.col("answers").drop_nulls().str.join(JOINS_ANSWERS))
    return joined["answers"].alias(column.name)

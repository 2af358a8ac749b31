"""Corrections: what a steward decided about single answers, and how that changes what an export says before it is read.

What belongs here: the frame of corrections, and pure functions on it: applying it to a batch of texts, joining new ones to
earlier ones, counting and fingerprinting them. What does not: the file in which a steward fills them in and whether one may
stand (`cleaning_log`), and where they are kept (`storage`).

An export is never changed. A correction belongs to the export's content (its sha256), not to the file's name.
"""

import json
from collections.abc import Iterable
from enum import StrEnum
from hashlib import sha256
from typing import Final

import polars as pl

from survey_pipeline.names import ITEM, RECORD, RULE, VALUE

EXPORT_SHA256: Final = "export_sha256"
ACTION: Final = "action"
NEW_VALUE: Final = "new_value"
WHY: Final = "why"


class Action(StrEnum):
    """What is done about a refused answer."""

    SET_TO = "set_to"
    DROP = "drop"
    KEEP_OUT = "keep_out"
    TAKE_BACK = "take_back"
    """An earlier correction no longer counts. It stays in the list, so that it can be looked at and changed."""


CELL: Final = (EXPORT_SHA256, RECORD, ITEM)
"""What a correction is about; there is one at most for each."""
CORRECTIONS_SCHEMA: Final[dict[str, type[pl.DataType]]] = {
    EXPORT_SHA256: pl.String,
    RECORD: pl.Int64,
    ITEM: pl.String,
    RULE: pl.String,
    VALUE: pl.String,
    ACTION: pl.String,
    NEW_VALUE: pl.String,
    WHY: pl.String,
}
"""One row a correction. `rule` and `value` are why it was refused and what was written, so that it can be looked at and taken
back when the quarantine holds it no longer. `new_value` is null unless the action is `set_to`.
"""
NO_CORRECTIONS: Final = pl.DataFrame(schema=CORRECTIONS_SCHEMA)
DECIDES: Final = (*CELL, ACTION, NEW_VALUE)
"""The columns that change what is counted; the others say more about it."""


def of_exports(corrections: pl.DataFrame, sha256s: Iterable[str]) -> pl.DataFrame:
    """The corrections of these exports. Those of an export that was handed in anew do not fit it any more."""
    return corrections.filter(pl.col(EXPORT_SHA256).is_in(list(sha256s)))


# --- Applying -----------------------------------------------------------------------------------------------------------


def correct(texts: pl.DataFrame, records: pl.Series, corrections: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
    """A batch as written, with the corrections of its export applied; and which of its rows are kept out.

    `texts`: a column an item, not read yet; `records`: the number of each row; `corrections`: of this one export. Gives texts
    of the same height, and a Boolean column of it. An item without a column gets one where a value is set: what a steward
    entered is never left aside in silence.
    """
    kept_out = pl.repeat(False, len(records), eager=True).alias(Action.KEEP_OUT)
    if corrections.is_empty():
        return texts, kept_out
    rows = pl.DataFrame(
        {RECORD: records.cast(pl.Int64), "row": pl.int_range(len(records), dtype=pl.UInt32, eager=True)}
    )
    mine = corrections.join(rows, on=RECORD, how="inner", maintain_order="left")
    out = mine.filter(pl.col(ACTION) == Action.KEEP_OUT)["row"]
    changes = mine.filter(pl.col(ACTION).is_in([Action.SET_TO, Action.DROP]))
    for (item,), cells in changes.group_by([ITEM], maintain_order=True):
        texts = _with_cells(texts, str(item), cells)
    return texts, kept_out.scatter(out, True)


def _with_cells(texts: pl.DataFrame, item: str, cells: pl.DataFrame) -> pl.DataFrame:
    written = texts[item].clone() if item in texts.columns else _blank(item, texts.height)
    changed = written.scatter(cells["row"], _new_texts(cells))
    return texts.with_columns(changed) if item in texts.columns or changed.null_count() < texts.height else texts


def _blank(item: str, height: int) -> pl.Series:
    return pl.Series(item, [None], dtype=pl.String).new_from_index(0, height)


def _new_texts(cells: pl.DataFrame) -> pl.Series:
    is_set = pl.col(ACTION) == Action.SET_TO
    return cells.select(pl.when(is_set).then(pl.col(NEW_VALUE))).to_series()


# --- Keeping and counting -----------------------------------------------------------------------------------------------


def merged(standing: pl.DataFrame, given: pl.DataFrame) -> pl.DataFrame:
    """All corrections after new ones were given: each takes the place of an earlier one of the same answer."""
    return in_order(pl.concat([standing.join(given, on=CELL, how="anti"), given]))


def in_order(corrections: pl.DataFrame) -> pl.DataFrame:
    """The same rows are the same frame, in whatever order they came."""
    return corrections.select(CORRECTIONS_SCHEMA.keys()).sort(CELL)


def in_force(corrections: pl.DataFrame) -> pl.DataFrame:
    """Without what was taken back."""
    return corrections.filter(pl.col(ACTION) != Action.TAKE_BACK)


def fingerprint(corrections: pl.DataFrame) -> str:
    """The same for the same decisions, whatever their order and notes; "" where there are none.

    Never to be shown by itself: a few short answers can be guessed from it.
    """
    rows = in_force(corrections).select(DECIDES).sort(DECIDES, nulls_last=True).rows()
    if not rows:
        return ""
    return sha256(json.dumps(rows, ensure_ascii=True, separators=(",", ":")).encode()).hexdigest()


def summary(corrections: pl.DataFrame) -> dict[str, int]:
    """How many answers were set and dropped, in rows that are used, and how many rows are kept out."""
    row = [EXPORT_SHA256, RECORD]
    out = corrections.filter(pl.col(ACTION) == Action.KEEP_OUT).select(row).unique()
    used = corrections.join(out, on=row, how="anti")[ACTION]
    return {
        "set_to": int((used == Action.SET_TO).sum()),
        "dropped": int((used == Action.DROP).sum()),
        "kept_out": out.height,
    }

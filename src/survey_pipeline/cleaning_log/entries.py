"""Entries: the answers that a correction may be about, and the lines of the log that show them.

What belongs here: joining the quarantine with the corrections made before, and putting the result into words. Pure. What does
not: files (`files`).
"""

from collections.abc import Mapping
from typing import Final

import polars as pl

from survey_pipeline.cleaning_log.words import (
    ANSWER_LEFT_OUT,
    CORRECTED,
    COUNTED_AS_OTHER,
    FOR_ANOTHER_REASON,
    MEANINGS,
    ROW_SET_ASIDE,
    WORDS,
)
from survey_pipeline.codebook import answers_of
from survey_pipeline.corrections import ACTION, CELL, EXPORT_SHA256, NEW_VALUE, WHY, of_exports
from survey_pipeline.instrument import Instrument, Item, Kind
from survey_pipeline.names import EXPORT, ITEM, RECORD, RULE, VALUE, WHOLE_ROW, Rule

ROW: Final = "row"
WHAT_TO_DO: Final = "what_to_do"
LOG_COLUMNS: Final = (
    EXPORT,
    EXPORT_SHA256,
    ROW,
    ITEM,
    "question",
    VALUE,
    RULE,
    "meaning",
    "what_happened",
    "allowed",
    WHAT_TO_DO,
    NEW_VALUE,
    WHY,
)
"""The columns of the log, all of them text. The last three are filled in; the row's other answers are in the export."""
SHA_SHOWN: Final = 12
SHA_PREFIX: Final = "sha256:"
"""Before the beginning of the checksum, so that no spreadsheet takes it for a number."""
RULE_BEFORE: Final = f"{RULE}_before"
"""Of an entry: for what reason the answer was refused when it was corrected."""
LONGEST_SHOWN: Final = 32_000
"""Characters of an answer that are shown: a little less than a workbook's cell takes."""


def entries(refused: pl.DataFrame, corrections: pl.DataFrame, exports: Mapping[str, str]) -> pl.DataFrame:
    """Every answer that a correction may be about: those refused, and those corrected before, with what was decided.

    `exports`: the sha256 of each export of the wave, by its name. `whole_row` is null where nothing is refused any more.
    """
    sha = pl.col(EXPORT).replace_strict(exports, return_dtype=pl.String).alias(EXPORT_SHA256)
    there = refused.select(sha, RECORD, pl.col(ITEM).fill_null(""), RULE, VALUE, WHOLE_ROW)
    both = there.join(of_exports(corrections, exports.values()), on=CELL, how="full", coalesce=True, suffix="_before")
    names = {sha: name for name, sha in exports.items()}
    return both.select(
        pl.col(EXPORT_SHA256).replace_strict(names, return_dtype=pl.String).alias(EXPORT),
        *CELL,
        pl.coalesce(RULE, RULE_BEFORE),
        RULE_BEFORE,
        pl.coalesce(f"{VALUE}_before", VALUE).alias(VALUE),
        WHOLE_ROW,
        ACTION,
        NEW_VALUE,
        WHY,
    ).sort(EXPORT, RECORD, ITEM, RULE)


def log_of(found: pl.DataFrame, instrument: Instrument) -> pl.DataFrame:
    """The lines of the log, one an entry, with what was decided before filled in."""
    questions = {name: item.label for name, item in instrument.items.items()}
    required = {True: "; cannot be dropped", False: ""}
    allowed = {name: f"{takes(item)}{required[item.required]}" for name, item in instrument.stored.items()}
    lines = found.select(
        EXPORT,
        (pl.lit(SHA_PREFIX) + pl.col(EXPORT_SHA256).str.head(SHA_SHOWN)).alias(EXPORT_SHA256),
        pl.col(RECORD).cast(pl.String).alias(ROW),
        ITEM,
        _in_words(ITEM, questions).alias("question"),
        pl.col(VALUE).str.head(LONGEST_SHOWN),
        RULE,
        _in_words(RULE, MEANINGS).alias("meaning"),
        _what_happened(instrument).alias("what_happened"),
        _in_words(ITEM, allowed).alias("allowed"),
        _in_words(ACTION, WORDS).alias(WHAT_TO_DO),
        NEW_VALUE,
        WHY,
    )
    return lines.select(pl.all().fill_null(""))


def _in_words(column: str, words: Mapping[str, str]) -> pl.Expr:
    return pl.col(column).replace_strict(dict(words), default="", return_dtype=pl.String)


def _what_happened(instrument: Instrument) -> pl.Expr:
    optional = pl.col(ITEM).is_in([name for name, item in instrument.stored.items() if not item.required])
    answer = pl.when(pl.col(RULE) == Rule.OTHER_TEXT).then(pl.lit(COUNTED_AS_OTHER)).otherwise(pl.lit(ANSWER_LEFT_OUT))
    row = pl.when(optional).then(pl.lit(FOR_ANOTHER_REASON)).otherwise(pl.lit(ROW_SET_ASIDE))
    refused = pl.when(pl.col(WHOLE_ROW)).then(row).otherwise(answer)
    return pl.when(pl.col(WHOLE_ROW).is_null()).then(pl.lit(CORRECTED)).otherwise(refused)


_EXAMPLES: Final = {
    Kind.DATE: "a date such as 2026-03-31",
    Kind.DOSE: "an amount for a day, such as 200 mg elemental magnesium a day",
}


def takes(item: Item) -> str:
    """What may be written as the new value."""
    several = "; several with commas between" if item.kind is Kind.CHOICES else ""
    unit = f" {item.unit}" if item.unit else ""
    return _EXAMPLES.get(item.kind) or f"{answers_of(item)}{unit}{several}"

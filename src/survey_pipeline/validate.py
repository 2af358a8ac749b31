"""Validate: every answer against the instrument; what may not stand goes to quarantine with its reason, never away.

What belongs here: applying the compiled pandera schema to a batch and parting it into kept rows and quarantine. A bad value
of an optional item is refused and the row kept without it; a bad or missing required item quarantines the whole row. Of rows
that are left out as repeats, the diary's answers are judged in the same way: their refusals are in quarantine too, never as
whole rows, so that the rows still add up.
What does not: the checks themselves (`schema`) and where the parts are written (`storage`).
"""

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field

import pandera.polars as pa
import polars as pl

from survey_pipeline.diary import as_entries, columns_of, holds_entry
from survey_pipeline.exports import Export
from survey_pipeline.ingest import Batch
from survey_pipeline.ingest.repeats import repeats
from survey_pipeline.instrument import Instrument, Role
from survey_pipeline.names import EXPORT, ITEM, RECORD, RESPONDENT, RULE, VALUE, WHOLE_RECORD, WHOLE_ROW, Rule
from survey_pipeline.personal import Personal, contained
from survey_pipeline.schema import failures

UNSURE = frozenset({Personal.FREE_TEXT, Personal.NAME})
"""What a few refused answers cannot tell: unknown options are words too."""
QUARANTINE_SCHEMA: dict[str, type[pl.DataType]] = {
    EXPORT: pl.String,
    RECORD: pl.Int64,
    ITEM: pl.String,
    RULE: pl.String,
    VALUE: pl.String,
    WHOLE_ROW: pl.Boolean,
    "answers": pl.String,
    RESPONDENT: pl.Binary,
}
"""One row a reason. `value` is what was written; `answers` is the whole row as JSON where the row is quarantined;
`respondent` is by whom it is, as a keyed hash, so that it can be withdrawn."""


@dataclass(frozen=True)
class Validated:
    """A batch, parted: rows kept (typed, refused values null), the reasons for those set aside, and what is left out.

    `marks`: of the rows kept, what tells a repeated answer; `entries`: the diary's, of these rows and of repeats
    (`diary.entries_schema`; no columns where the survey has no diary), in the order of the rows.
    """

    kept: pl.DataFrame
    quarantine: pl.DataFrame
    n_quarantined: int
    excluded: Mapping[str, int]
    marks: pl.DataFrame
    entries: pl.DataFrame = field(default_factory=pl.DataFrame)


def validate(batch: Batch, instrument: Instrument, schema: pa.DataFrameSchema) -> Validated:
    """Part a batch by its rules. Rows read = rows kept + rows quarantined + rows excluded.

    Where the last answer of a person counts, repeats are left in: only the whole wave tells them.
    """
    refused = _all_refusals(batch, instrument, failures(schema, batch.answers))
    required = [name for name, item in instrument.stored.items() if item.required]
    lost = pl.col("item").is_in(required) & (pl.col("rule") != Rule.OTHER_TEXT.value)
    bad_rows = refused.filter(lost)["row"].unique().sort()
    stays = pl.repeat(True, batch.answers.height, eager=True).scatter(bad_rows, False)
    again = _repeats(batch, instrument, stays)
    diary, repeated = columns_of(instrument), again.is_not_null().arg_true().implode()
    refused = refused.filter(~pl.col("row").is_in(repeated) | pl.col("item").is_in(diary))
    answers = _without_refused(batch.answers, instrument, refused)
    kept = _with_keys(answers, batch, instrument)
    reasons = _quarantine(batch, instrument, refused, bad_rows)
    nothing = reasons.clear(), pl.DataFrame()
    of_repeats, entries = _entries(batch, answers, stays, instrument, schema) if diary else nothing
    counts = again.drop_nulls().value_counts(name="n")
    counted = stays & again.is_null()
    return Validated(
        kept.filter(counted),
        pl.concat([reasons, of_repeats]),
        len(bad_rows),
        {**batch.excluded, **dict(counts.iter_rows())},
        batch.marks.filter(counted),
        entries,
    )


def _entries(
    batch: Batch, answers: pl.DataFrame, stays: pl.Series, instrument: Instrument, schema: pa.DataFrameSchema
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The reasons for what is refused in rows that hold an entry only, and the entries of a batch, in the order of its rows.

    Of sound rows all of them, also of repeats: whose they are, and which of them counts, is known at the end of the wave.
    """
    sound = as_entries(answers, _who(batch), batch.export.path.name, batch.records, instrument).filter(stays)
    repeated = batch.entries
    if repeated is None:
        return pl.DataFrame(schema=QUARANTINE_SCHEMA), sound.filter(holds_entry(sound, instrument))
    refused = _all_refusals(repeated, instrument, failures(_diary_alone(schema, instrument), repeated.answers))
    read = _without_refused(repeated.answers, instrument, refused)
    further = as_entries(read, _who(repeated), repeated.export.path.name, repeated.records, instrument)
    entries = pl.concat([sound, further]).sort(RECORD, maintain_order=True)
    no_row = pl.Series([], dtype=pl.UInt32)
    return _quarantine(repeated, instrument, refused, no_row), entries.filter(holds_entry(entries, instrument))


def _diary_alone(schema: pa.DataFrameSchema, instrument: Instrument) -> pa.DataFrameSchema:
    """Nothing is required of a repeated entry: it is no person's answers as a whole."""
    columns = {name: copy(schema.columns[name]) for name in columns_of(instrument)}
    for column in columns.values():
        column.nullable = True
    return pa.DataFrameSchema(columns, strict=True, name=schema.name)


def _who(batch: Batch) -> pl.Series:
    """By whom each row is, as a keyed hash; null where nobody gave a code."""
    nobody = pl.Series([None], dtype=pl.Binary).new_from_index(0, batch.answers.height)
    return batch.respondents.to_series(0) if batch.respondents.width else nobody


def _repeats(batch: Batch, instrument: Instrument, stays: pl.Series) -> pl.Series:
    rules = instrument.duplicates
    if rules.keep == "last":
        return pl.Series([None], dtype=pl.String).new_from_index(0, len(stays))
    return repeats(batch.marks, stays, batch.seen, rules.same_answers_within_minutes)


def _with_keys(answers: pl.DataFrame, batch: Batch, instrument: Instrument) -> pl.DataFrame:
    """Answers with where they stand in the export and, where people gave a code, by whom they are."""
    where = [pl.lit(batch.export.path.name).alias(EXPORT), pl.lit(batch.records).alias(RECORD)]
    who = [pl.lit(_who(batch)).alias(RESPONDENT)] if instrument.with_role(Role.IDENTIFIER) else []
    return answers.select(*where, *who, pl.all())


def _all_refusals(batch: Batch, instrument: Instrument, failed: pl.DataFrame) -> pl.DataFrame:
    """Cells that could not be read, then those that break a rule; a cell is refused once, for its first reason."""
    items = {column: name for name, item in instrument.stored.items() for column in item.columns(name)}
    broken = failed.select("row", item=pl.col("column").replace(items), rule="rule")
    return pl.concat([batch.refused, broken]).unique(["row", "item"], keep="first", maintain_order=True)


def _without_refused(answers: pl.DataFrame, instrument: Instrument, refused: pl.DataFrame) -> pl.DataFrame:
    nulled = refused.filter(pl.col("rule") != Rule.OTHER_TEXT.value)
    for (name,), cells in nulled.group_by(["item"], maintain_order=True):
        for column in instrument.items[str(name)].columns(str(name)):
            answers = answers.with_columns(answers[column].scatter(cells["row"], None))
    return answers


def _quarantine(batch: Batch, instrument: Instrument, refused: pl.DataFrame, bad_rows: pl.Series) -> pl.DataFrame:
    texts = _without_people(batch.texts, refused.filter(pl.col("rule") == Rule.OTHER_TEXT.value))
    parts = [_reasons(texts, str(item), cells) for (item,), cells in refused.group_by(["item"], maintain_order=True)]
    reasons = pl.concat([pl.DataFrame(schema=_REASONS), *parts]).sort("row", maintain_order=True)
    whole = _rows_as_json(texts.select(name for name in instrument.stored if name in texts.columns), bad_rows)
    return reasons.join(whole, on="row", how="left", maintain_order="left").select(
        pl.lit(batch.export.path.name).alias(EXPORT),
        pl.lit(batch.records).gather(pl.col("row")).alias(RECORD),
        pl.col("item").alias(ITEM),
        pl.col("rule").alias(RULE),
        VALUE,
        pl.col("answers").is_not_null().alias(WHOLE_ROW),
        "answers",
        pl.lit(_who(batch)).gather(pl.col("row")).alias(RESPONDENT),
    )


_REASONS: dict[str, type[pl.DataType]] = {"row": pl.UInt32, "item": pl.String, "rule": pl.String, VALUE: pl.String}


def _reasons(texts: pl.DataFrame, item: str, cells: pl.DataFrame) -> pl.DataFrame:
    """The refused cells of one item, with what was written there; null where nothing was."""
    nothing = pl.Series([None], dtype=pl.String).new_from_index(0, cells.height)
    written = texts[item].gather(cells["row"]) if item in texts.columns else nothing
    return cells.with_columns(written.alias(VALUE)).select(list(_REASONS))


def _without_people(texts: pl.DataFrame, noted: pl.DataFrame) -> pl.DataFrame:
    """Own words beside "other" are listed for the steward, but not those in which somebody names themselves or others."""
    for (name,), cells in noted.group_by(["item"], maintain_order=True):
        column = texts[str(name)]
        n = column.len() - column.null_count()
        personal = [row for row in cells["row"] if contained([column[row] or ""], out_of=n, apart_from=UNSURE)]
        texts = texts.with_columns(column.scatter(personal, None))
    return texts


def irregular_rows(export: Export) -> pl.DataFrame:
    """The records whose cells cannot be told apart, as quarantined rows: which ones and why, and nothing of what they hold,
    since any cell may be of a column that is never stored.
    """
    records = [odd.record for odd in export.irregular]
    return pl.DataFrame(
        {
            EXPORT: export.path.name,
            RECORD: records,
            ITEM: WHOLE_RECORD,
            RULE: Rule.IRREGULAR_RECORD.value,
            WHOLE_ROW: True,
        },
        schema_overrides={RECORD: pl.Int64},
    ).select(
        *(
            pl.col(name) if name not in (VALUE, "answers", RESPONDENT) else pl.lit(None, dtype=kind).alias(name)
            for name, kind in QUARANTINE_SCHEMA.items()
        )
    )


def _rows_as_json(texts: pl.DataFrame, rows: pl.Series) -> pl.DataFrame:
    """Whole rows as written, without what is never stored: free words and respondents' codes."""
    whole = texts[rows].select(answers=pl.struct(pl.all()).struct.json_encode())
    return whole.with_columns(rows.alias("row"))

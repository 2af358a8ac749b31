"""Diary: short entries that people repeat as often as they like, each about one day, known as theirs by their code.

What belongs here: which of a survey's items make up a diary, which rows hold an entry, and how entries become person-weeks:
one row for each person and week, with the mean of that week's entries. What does not: reading and judging a cell (`ingest`,
`validate`), and any estimate (`person_weeks`).

An entry is a row with a respondent's code, a day and at least one measured answer. It counts if the person is a kept
respondent of the wave, since consent was given there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import polars as pl

from survey_pipeline.instrument import Instrument, Item, Kind, Role
from survey_pipeline.names import EXPORT, NOTHING_TICKED, RECORD, RESPONDENT
from survey_pipeline.texts import fold

DAY = "day"
WEEK = "week"
"""ISO 8601 year and week as one number: 202601 is the first week of 2026."""
N_ENTRIES = "n_entries"
MEASURED = (Kind.SCALE, Kind.NUMBER, Kind.YES_NO)
"""Kinds of which a mean can be taken; yes is 1 and no is 0, so that their mean is a share of days."""
DECIMALS = 4
"""Diary answers are taken to this many decimals, so that sums are whole numbers and the same in any order."""
COUNTED, SAME_DAY, OF_NOBODY = "entries_counted", "entries_of_a_day_told_before", "entries_of_nobody_counted"
"""What becomes of entries: each of an export's is one of these."""


# --- Which items make up a diary -----------------------------------------------------------------------------------------


def day_of(instrument: Instrument) -> str | None:
    """The item that says which day an entry is about: the first of kind date and role diary that is asked."""
    diary = instrument.with_role(Role.DIARY)
    return next((name for name, item in diary.items() if item.kind is Kind.DATE), None)


def measured(instrument: Instrument) -> dict[str, Item]:
    """The items of a diary of which means are taken, by name. None where there is no day or nobody gives a code."""
    if day_of(instrument) is None or not instrument.with_role(Role.IDENTIFIER):
        return {}
    return {name: item for name, item in instrument.with_role(Role.DIARY).items() if item.kind in MEASURED}


def columns_of(instrument: Instrument) -> list[str]:
    """The columns of the responses that entries are made of: the day first. Empty where the survey has no diary."""
    day, answers = day_of(instrument), measured(instrument)
    return [day, *answers] if day is not None and answers else []


@dataclass(frozen=True)
class DiaryTable:
    """A table of diary outcomes: by the levels of one exposure, or of `everybody`. `n_only`: how many keep one, no means."""

    name: str
    exposure: str
    outcomes: tuple[str, ...]
    n_only: bool = False


def diary_tables(instrument: Instrument) -> tuple[DiaryTable, ...]:
    """The diary's part of every declared table that lists diary items, in order; other outcomes are `outcomes.tables`'."""
    known = measured(instrument)
    found = (
        DiaryTable(
            spec.name,
            spec.cut_by,
            tuple(name for name in spec.outcomes if name in known),
            spec.shows == "counts",
        )
        for spec in instrument.tables
    )
    return tuple(table for table in found if table.outcomes)


# --- Which rows hold an entry ------------------------------------------------------------------------------------------


def only_entries(texts: pl.DataFrame, instrument: Instrument) -> pl.Series:
    """Whether each row holds an entry and no other answer, going by what is written: such a row is no person of its own.

    A consent that is left blank there is no refusal, since it was asked for before; any other answer than the agreed one is.
    """
    rows = pl.int_range(texts.height, eager=True)
    there = set(texts.columns)
    day, *answers = columns_of(instrument) or [""]
    code = next((name for name in instrument.with_role(Role.IDENTIFIER) if name in there), None)
    if day not in there or code is None:
        return pl.repeat(False, texts.height, dtype=pl.Boolean, eager=True)
    for name in (day, code):
        rows = rows.filter(~_blank(texts[name].gather(rows)))
    others = [name for name, item in instrument.stored.items() if item.role not in (Role.DIARY, Role.CONSENT)]
    for name in (name for name in others if name in there):
        rows = rows.filter(_blank(texts[name].gather(rows)))
    said = pl.repeat(False, len(rows), dtype=pl.Boolean, eager=True)
    for name in (name for name in answers if name in there):
        said |= ~_blank(texts[name].gather(rows))
    rows = rows.filter(said)
    rows = rows.filter(~refuses(texts[rows], instrument))
    return pl.repeat(False, texts.height, dtype=pl.Boolean, eager=True).scatter(rows, True)


def refuses(texts: pl.DataFrame, instrument: Instrument) -> pl.Series:
    """Whether each row says something else than yes where consent is asked for; a blank says nothing."""
    refused = pl.repeat(False, texts.height, dtype=pl.Boolean, eager=True)
    for name, item in instrument.with_role(Role.CONSENT).items():
        if name in texts.columns:
            agreed = {fold(text) for text in item.consent_texts}
            others = [text for text in texts[name].unique().drop_nulls() if fold(text) not in {*agreed, ""}]
            refused |= texts[name].is_in(others).fill_null(False)
    return refused


def _blank(texts: pl.Series) -> pl.Series:
    """Options that were left unticked are no answer of somebody who only keeps the diary."""
    return texts.is_null() | texts.str.strip_chars().is_in(["", NOTHING_TICKED])


# --- Entries to person-weeks -------------------------------------------------------------------------------------------


def entries_schema(instrument: Instrument) -> dict[str, type[pl.DataType]]:
    """The columns of entries on their way: where from, by whom, the day and what was answered (yes is 1, no is 0)."""
    answers = dict.fromkeys(measured(instrument), pl.Float64)
    return {EXPORT: pl.String, RECORD: pl.Int64, RESPONDENT: pl.Binary, DAY: pl.Date, **answers}


def person_weeks_schema(instrument: Instrument) -> dict[str, type[pl.DataType]]:
    """The columns that are kept of a diary: a row a person and week, with the mean of each answer in the item's units."""
    answers = dict.fromkeys(measured(instrument), pl.Float64)
    return {RESPONDENT: pl.Binary, WEEK: pl.Int64, N_ENTRIES: pl.Int64, **answers}


def as_entries(
    answers: pl.DataFrame, respondents: pl.Series, export: str, records: pl.Series, instrument: Instrument
) -> pl.DataFrame:
    """Rows of typed answers with the columns of `entries_schema`, as many as there are; see `holds_entry`."""
    day, *others = columns_of(instrument)
    return answers.select(
        pl.lit(export).alias(EXPORT),
        pl.lit(records).cast(pl.Int64).alias(RECORD),
        pl.lit(respondents).alias(RESPONDENT),
        pl.col(day).alias(DAY),
        pl.col(others).cast(pl.Float64),
    )


def holds_entry(rows: pl.DataFrame, instrument: Instrument) -> pl.Series:
    """Whether each row (`entries_schema`) is an entry: somebody's, of a day, with a measured answer."""
    said = pl.any_horizontal(pl.col(list(measured(instrument))).is_not_null())
    return rows.select(pl.col(RESPONDENT).is_not_null() & pl.col(DAY).is_not_null() & said).to_series()


@dataclass(frozen=True)
class Diary:
    """The person-weeks of a wave, and by export what became of its entries."""

    person_weeks: pl.DataFrame
    entries: Mapping[str, Mapping[str, int]]


def diary_of(entries: pl.DataFrame, respondents: pl.DataFrame | pl.LazyFrame, instrument: Instrument) -> Diary:
    """Entries (`entries_schema`, in the order in which they were handed in) of the people counted, as person-weeks.

    `respondents`: the kept respondents of the wave, a column `respondent`. Of several entries of one person about one day,
    the first or the last counts, as `duplicates.keep` says.
    """
    theirs = _of_people_counted(entries, respondents)
    keep: Literal["first", "last"] = "last" if instrument.duplicates.keep == "last" else "first"
    counted = theirs.unique([RESPONDENT, DAY], keep=keep, maintain_order=True)
    met, known, used = (dict(frame[EXPORT].value_counts().iter_rows()) for frame in (entries, theirs, counted))
    became = {
        export: {
            COUNTED: used.get(export, 0),
            SAME_DAY: known.get(export, 0) - used.get(export, 0),
            OF_NOBODY: n - known.get(export, 0),
        }
        for export, n in met.items()
    }
    return Diary(person_weeks(counted, instrument), became)


def _of_people_counted(entries: pl.DataFrame, respondents: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame:
    """Where nobody keeps a diary, nobody is looked for."""
    if entries.is_empty():
        return entries
    writers = entries.lazy().select(RESPONDENT).unique()
    known = writers.join(respondents.lazy().select(RESPONDENT), on=RESPONDENT, how="semi").collect()
    return entries.join(known, on=RESPONDENT, how="semi", maintain_order="left")


def person_weeks(entries: pl.DataFrame, instrument: Instrument) -> pl.DataFrame:
    """One row for each person and week, by person and week: how many entries, and the mean of each answer.

    An answer that is missing in an entry is left out of its mean; one that is missing all week is null.
    """
    week = pl.col(DAY).dt.iso_year().cast(pl.Int64) * 100 + pl.col(DAY).dt.week().cast(pl.Int64)
    means = [_mean(name).alias(name) for name in measured(instrument)]
    weeks = entries.group_by(RESPONDENT, week.alias(WEEK)).agg(pl.len().cast(pl.Int64).alias(N_ENTRIES), *means)
    return weeks.sort(RESPONDENT, WEEK).select(person_weeks_schema(instrument).keys())


def _mean(name: str) -> pl.Expr:
    """Of whole numbers of the last decimal: their sum is exact, so that no order of entries changes a bit of it."""
    answers = (pl.col(name) * 10**DECIMALS).round().cast(pl.Int64)
    there = answers.count()
    return pl.when(there > 0).then(answers.sum() / (there * 10**DECIMALS))

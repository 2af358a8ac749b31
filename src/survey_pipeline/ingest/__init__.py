"""Ingest: an export's rows, batch by batch, as typed answers of the instrument.

What belongs here: which rows the instrument's declared rules leave out, and reading every cell; of rows that are no more than
an entry of a diary, the diary's cells. What does not: opening files (`exports`), which column is which
item (`columns`), whether a value may stand (`validate`), and storing anything (`storage`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from hashlib import blake2b

import polars as pl

from survey_pipeline.answers import Reader, read_answers, reader
from survey_pipeline.corrections import NO_CORRECTIONS, correct
from survey_pipeline.diary import columns_of, only_entries, refuses
from survey_pipeline.exports import Export
from survey_pipeline.exports.layout import Mark
from survey_pipeline.ingest.columns import Match, item_texts, marked, marks_of, match_columns
from survey_pipeline.ingest.repeats import KEY_BYTES, ROWS, SECONDS, Seen
from survey_pipeline.ingest.times import format_of, seconds_since_1970
from survey_pipeline.instrument import Instrument, Item, Role
from survey_pipeline.names import RECORD, Exclusion
from survey_pipeline.texts import fold


@dataclass(frozen=True)
class Batch:
    """Some rows of one export that no declared rule left out.

    `texts`: the answers as written, a column an item; `answers`: the same, typed, columns as stored; `refused`: columns
    `row`, `item`, `rule`; `respondents`: who answered, as keyed hashes, a column an identifier; `marks`: what tells a
    repeated answer (see `repeats`); all have the rows of `records`, their numbers in the export.
    """

    export: Export
    records: pl.Series
    texts: pl.DataFrame
    answers: pl.DataFrame
    refused: pl.DataFrame
    respondents: pl.DataFrame
    marks: pl.DataFrame
    seen: Seen
    n_read: int
    excluded: Mapping[str, int]
    entries: "Batch | None" = None
    """Of the rows left out as repeated entries: the answers to the diary's items alone; None where there are none."""


@dataclass(frozen=True)
class How:
    """How one export is read: where its items stand, how their texts are read, and what the steward has corrected."""

    export: Export
    instrument: Instrument
    matches: Mapping[str, Match]
    readers: Mapping[str, Reader]
    key: bytes
    corrections: pl.DataFrame
    time_format: str = ""
    withdrawn: frozenset[bytes] = frozenset()

    @property
    def places(self) -> list[int]:
        """The columns to be read."""
        layout = self.export.layout
        items = [place for match in self.matches.values() for place in match.places]
        marks = [mark.place for mark in (*layout.unfinished, *layout.preview, *layout.repeated)]
        single = [place for place in (layout.event, layout.token, layout.submitted) if place is not None]
        return sorted({*items, *marks, *single, *(mark.place for mark in marks_of(self.export, self.matches))})


def batches(
    export: Export,
    instrument: Instrument,
    seen: Seen,
    key: bytes = b"",
    corrections: pl.DataFrame = NO_CORRECTIONS,
    withdrawn: frozenset[bytes] = frozenset(),
) -> Iterator[Batch]:
    """Read an export batch by batch. `seen` carries over what earlier batches and exports of the wave held; `key` is the
    warehouse's secret, with which respondents' codes are hashed; `withdrawn`: whose answers count no more, as such hashes.
    """
    readers = {name: reader(item, instrument.missing) for name, item in instrument.stored.items()}
    matches, time_format = match_columns(export, instrument), _time_format(export, instrument)
    how = How(export, instrument, matches, readers, key, corrections, time_format, withdrawn)
    for records, raw in export.batches(how.places):
        yield _batch(how, raw, records.alias(RECORD), seen)


def _time_format(export: Export, instrument: Instrument) -> str:
    """How the times of an export are written, told from all of them, so that 3/4 is the same day in every batch."""
    place = export.layout.submitted
    if place is None or not instrument.duplicates.same_answers_within_minutes:
        return ""
    return format_of(batch.to_series() for _, batch in export.batches([place]))


def _batch(how: How, raw: pl.DataFrame, records: pl.Series, seen: Seen) -> Batch:
    found = item_texts(raw, how.export, how.matches, how.instrument)
    written = found.texts
    all_texts, kept_out = correct(written, records, how.corrections)
    reason = exclusions(raw, written, kept_out, how, seen)
    kept = reason.is_null()
    unseen = {column: rows.filter(kept) for column, rows in found.unseen.items()}
    texts = all_texts.filter(kept)
    read = read_answers(texts, how.instrument.stored, how.readers)
    respondents = _respondents(texts, how)
    return Batch(
        how.export,
        records.filter(kept),
        texts,
        _without_unseen(read.answers, unseen),
        read.refused,
        respondents,
        _marks(raw, written, kept, respondents, how),
        seen,
        raw.height,
        _count(reason),
        _entries(all_texts, records, reason, how, seen),
    )


def _entries(texts: pl.DataFrame, records: pl.Series, reason: pl.Series, how: How, seen: Seen) -> Batch | None:
    """What the repeated entries say in the diary, but not those of people who refuse consent there."""
    items = {name: how.instrument.items[name] for name in columns_of(how.instrument)}
    repeated = (reason == Exclusion.REPEATED_ENTRY.value).fill_null(False)
    if not items or not repeated.any():
        return None
    rows = repeated & ~refuses(texts, how.instrument)
    mine = texts.filter(rows)
    read = read_answers(mine, items, how.readers)
    who, nothing = _respondents(mine, how), pl.DataFrame()
    return Batch(how.export, records.filter(rows), mine, read.answers, read.refused, who, nothing, seen, 0, {})


def _without_unseen(answers: pl.DataFrame, unseen: Mapping[str, pl.Series]) -> pl.DataFrame:
    """An option that somebody was not shown is not asked, not "no"; but a tick that the steward set stays."""
    nulled = {column: rows & ~answers[column].fill_null(False) for column, rows in unseen.items()}
    return answers.with_columns(
        pl.when(~pl.lit(rows)).then(pl.col(column)).alias(column) for column, rows in nulled.items() if rows.any()
    )


def _count(reason: pl.Series) -> dict[str, int]:
    return dict(reason.drop_nulls().value_counts(sort=True, name="n").sort(reason.name).iter_rows())


# --- Rows that a declared rule leaves out --------------------------------------------------------------------------------


def exclusions(raw: pl.DataFrame, texts: pl.DataFrame, kept_out: pl.Series, how: How, seen: Seen) -> pl.Series:
    """Why each row is left out by a declared rule, null where it is not. The first reason that applies counts. `texts` are
    the answers as written: correcting one of two identical rows does not make it another.

    Who answered before is asked later, of sound rows only (`repeats`). A row that holds only an entry of a diary is a
    repeated entry, and not one without consent, which is asked for once.
    """
    layout, declared = how.export.layout, how.instrument.completeness
    rules = {Exclusion.WITHDRAWN: _withdrawn(texts, how)} if how.withdrawn else {}
    rules |= {Exclusion.EMPTY_ROW: _empty(texts, how.instrument), Exclusion.KEPT_OUT: kept_out}
    if layout.preview and declared.previews == "exclude":
        rules[Exclusion.PREVIEW] = _any(raw, layout.preview)
    if layout.repeated:
        rules[Exclusion.REPEATED_ENTRY] = _any(raw, layout.repeated)
    if layout.event is not None and declared.event:
        rules[Exclusion.OTHER_EVENT] = marked(raw, Mark(layout.event, frozenset({fold(declared.event)}), turned=True))
    if layout.unfinished and declared.unfinished == "exclude":
        rules[Exclusion.UNFINISHED] = _any(raw, layout.unfinished)
    if how.instrument.duplicates.identical_rows:
        counted = ~reduce(pl.Series.__or__, rules.values())
        rules[Exclusion.IDENTICAL_ROW] = ~seen.rows.is_new(_hashes(texts, how.instrument).set(~counted, None))
    if columns_of(how.instrument):
        entries = only_entries(texts, how.instrument) & ~reduce(pl.Series.__or__, rules.values())
        rules[Exclusion.REPEATED_ENTRY] = rules.get(Exclusion.REPEATED_ENTRY, entries) | entries
    for name, item in how.instrument.with_role(Role.CONSENT).items():
        rules[Exclusion.NO_CONSENT] = ~_consents(texts, name, item)
    return _first_reason(rules, raw.height)


def _withdrawn(texts: pl.DataFrame, how: How) -> pl.Series:
    """Whatever else may be said of a row: who has withdrawn it is left out for that, and nobody's double."""
    found = (who.is_in(list(how.withdrawn)).fill_null(False) for who in _respondents(texts, how))
    return reduce(pl.Series.__or__, found, pl.repeat(False, texts.height, eager=True))


def _any(raw: pl.DataFrame, marks: tuple[Mark, ...]) -> pl.Series:
    return reduce(pl.Series.__or__, (marked(raw, mark) for mark in marks))


def _empty(texts: pl.DataFrame, instrument: Instrument) -> pl.Series:
    """Rows without an answer to any question, whoever sent them and whenever: nobody has answered there. Column by column:
    after the first one hardly any row is left to look at.
    """
    asked = [
        name for name in texts.columns if name in instrument.stored and name not in instrument.with_role(Role.CONSENT)
    ]
    rows = pl.int_range(texts.height, eager=True)
    for name in asked:
        left = texts[name].gather(rows)
        rows = rows.filter(left.is_null() | (left.str.strip_chars() == ""))
    return pl.repeat(False, texts.height, eager=True).scatter(rows, True)


def _hashes(texts: pl.DataFrame, instrument: Instrument) -> pl.Series:
    """Rows as hashes that are the same wherever a column stands, and whether an unanswered one is there at all."""
    nothing = pl.lit(None, dtype=pl.String)
    columns = [pl.col(name) if name in texts.columns else nothing.alias(name) for name in instrument.items]
    return texts.select(columns).hash_rows()


def _consents(texts: pl.DataFrame, name: str, item: Item) -> pl.Series:
    """A blank is no consent. An export without the column never comes this far."""
    agreed = {fold(text) for text in item.consent_texts}
    yes = [text for text in texts[name].unique().drop_nulls() if fold(text) in agreed]
    return texts[name].is_in(yes).fill_null(False)


def _first_reason(rules: Mapping[Exclusion, pl.Series], height: int) -> pl.Series:
    flags = pl.DataFrame({rule.value: applies for rule, applies in rules.items()})
    reasons = [pl.when(pl.col(rule.value)).then(pl.lit(rule.value)) for rule in rules]
    return flags.select(reason=pl.coalesce(reasons)).to_series() if height else pl.Series("reason", [], dtype=pl.String)


# --- Who answered ----------------------------------------------------------------------------------------------------------


def _respondents(texts: pl.DataFrame, how: How) -> pl.DataFrame:
    """Who answered, as keyed hashes of the codes people gave, in whatever case; null where they gave none."""
    there = [name for name in how.instrument.with_role(Role.IDENTIFIER) if name in texts.columns]
    hashes = [keyed_hashes(_as_codes(texts[name], how.instrument, name), how.key) for name in there]
    return pl.DataFrame(hashes) if there else texts.select()


def _as_codes(texts: pl.Series, instrument: Instrument, name: str) -> pl.Series:
    """Codes as people mean them: in whatever case, and "n/a" is nobody's."""
    folded = texts.str.strip_chars().str.to_lowercase().str.normalize("NFC")
    nobody = {fold(text) for text in (*instrument.missing, *instrument.items[name].missing)}
    return folded.set(folded.is_in(list(nobody)).fill_null(False), None) if nobody else folded


def respondent_of(code: str, instrument: Instrument, key: bytes) -> bytes | None:
    """The keyed hash under which the answers of somebody with this code are stored; None where the code is nobody's."""
    hashes = (
        keyed_hashes(_as_codes(pl.Series([code]), instrument, name), key)[0]
        for name in instrument.with_role(Role.IDENTIFIER)
    )
    return next((found for found in hashes if found is not None), None)


def keyed_hashes(codes: pl.Series, key: bytes) -> pl.Series:
    """Codes as 128-bit keyed hashes (BLAKE2b, RFC 7693): without the key nobody can try out which code a hash stands for.

    A blank code is nobody's.
    """
    said = codes.str.strip_chars().cast(pl.Binary).to_list()
    digests = [blake2b(code, key=key, digest_size=KEY_BYTES).digest() if code else None for code in said]
    return pl.Series(codes.name, digests, dtype=pl.Binary)


def _marks(
    raw: pl.DataFrame, written: pl.DataFrame, kept: pl.Series, respondents: pl.DataFrame, how: How
) -> pl.DataFrame:
    """What tells a repeated answer, a column a rule that the instrument declares; of the rows kept."""
    rules, layout = how.instrument.duplicates, how.export.layout
    marks: dict[str, pl.Series] = {}
    if rules.same_respondent:
        marks |= {f"{Exclusion.SAME_RESPONDENT}:{name}": respondents[name] for name in respondents.columns}
    if rules.same_token and layout.token is not None:
        marks[Exclusion.SAME_TOKEN] = keyed_hashes(raw[str(layout.token)].filter(kept), how.key)
    if rules.same_answers_within_minutes and layout.submitted is not None:
        stored = [name for name in how.instrument.stored if name in written.columns]
        marks[Exclusion.SAME_ANSWERS_SOON] = written.select(stored).hash_rows().filter(kept)
        marks[SECONDS] = seconds_since_1970(raw[str(layout.submitted)].filter(kept), how.time_format)
    everyone = pl.repeat(0, int(kept.sum()), dtype=pl.Int8, eager=True).alias(ROWS)
    return pl.DataFrame({ROWS: everyone, **marks})

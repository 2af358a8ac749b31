"""Ingest: an export's rows, batch by batch, as typed answers of the instrument.

What belongs here: which column is which item, which rows the instrument's declared rules leave out, and reading every cell.
What does not: opening files (`exports`), whether a value may stand (`validate`), and storing anything (`storage`).
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

import numpy as np
import polars as pl

from survey_pipeline.answers import Reader, read_answers, reader
from survey_pipeline.errors import InputRefused
from survey_pipeline.exports import Export
from survey_pipeline.instrument import Instrument, Item, Role, headings_to_items
from survey_pipeline.names import RECORD, Exclusion
from survey_pipeline.texts import fold


@dataclass(frozen=True)
class Batch:
    """Some rows of one export that no declared rule left out.

    `texts`: the answers as written, a column an item; `answers`: the same, typed, columns as stored; `refused`: columns
    `row`, `item`, `rule`; `respondents`: hashes of who answered, a column an identifier, null where there is none; all
    have the rows of `records`, their numbers in the export.
    """

    export: Export
    records: pl.Series
    texts: pl.DataFrame
    answers: pl.DataFrame
    refused: pl.DataFrame
    respondents: pl.DataFrame
    seen: "Seen"
    n_read: int
    excluded: Mapping[str, int]


@dataclass
class Seen:
    """What has been handed in before in this wave: hashes, never the answers themselves."""

    rows: "Hashes" = field(default_factory=lambda: Hashes())
    respondents: "dict[str, Hashes]" = field(default_factory=lambda: defaultdict(Hashes))


class Hashes:
    """A growing sorted set of 64-bit hashes: 8 bytes a row, whatever the row holds."""

    def __init__(self) -> None:
        self._known = np.empty(0, dtype=np.uint64)

    def is_new(self, hashes: pl.Series) -> pl.Series:
        """Whether each hash appears for the first time, here and in all earlier calls; null hashes are always new."""
        new = hashes.is_first_distinct() & ~hashes.is_in(self._met_before(hashes).implode()) | hashes.is_null()
        fresh = hashes.filter(new).drop_nulls().to_numpy()
        self._known = np.sort(np.concatenate([self._known, fresh]), kind="stable")
        return new

    def _met_before(self, hashes: pl.Series) -> pl.Series:
        """Which of these hashes are known; sorted first, so that looking them up walks through memory in order."""
        sought = hashes.drop_nulls().unique().sort().to_numpy()
        place = np.searchsorted(self._known, sought)
        inside = place < len(self._known)
        met = sought[inside][self._known[place[inside]] == sought[inside]]
        return pl.Series(met, dtype=pl.UInt64)


def match_columns(export: Export, instrument: Instrument) -> dict[str, int]:
    """The place of each item's column in an export.

    Raises `InputRefused` if a required item has no column, one item has several, or no item has any.
    """
    items = headings_to_items(export.headings, instrument)
    places: dict[str, int] = {}
    for place, heading in enumerate(export.headings):
        if name := items.get(heading):
            _refuse_twice(name, places, export)
            places[name] = place
    _refuse_absent(places, export, instrument)
    if not instrument.stored.keys() & places:
        raise InputRefused(
            f"No heading of '{export.path.name}' is a question of '{instrument.name}'.",
            "Check that it is the right survey, or add the headings to the instrument.",
        )
    return places


def _refuse_twice(name: str, places: dict[str, int], export: Export) -> None:
    if name in places:
        raise InputRefused(
            f"Two columns of '{export.path.name}' are headed as the item '{name}'.", "Remove or rename one of them."
        )


def _refuse_absent(places: dict[str, int], export: Export, instrument: Instrument) -> None:
    """A required answer and consent must have been asked for. A near heading is named by its place only: in a file
    without headings, the words there are somebody's answer.
    """
    for name, item in instrument.items.items():
        if name not in places and (item.required or item.role is Role.CONSENT):
            raise InputRefused(
                f"'{export.path.name}' has no column for the item '{name}' ('{item.question}').{_nearest(item, export)}",
                "Check that the first line holds the headings and that it is the right survey, or add the heading as it "
                "stands there to the item's `headings` in the instrument.",
            )


def _nearest(item: Item, export: Export) -> str:
    near = get_close_matches(item.question, export.headings, n=1)
    return f" Column {export.headings.index(near[0]) + 1} is headed almost so." if near else ""


def dropped_columns(export: Export, instrument: Instrument) -> list[str]:
    """Headings whose answers are not stored: undeclared, or declared as identifier, free text or to be dropped."""
    items = headings_to_items(export.headings, instrument)
    return [heading for heading in export.headings if items.get(heading) not in instrument.stored]


def batches(export: Export, instrument: Instrument, seen: Seen) -> Iterator[Batch]:
    """Read an export batch by batch. `seen` carries over what earlier batches and exports of the wave held."""
    places = match_columns(export, instrument)
    names = {str(place): name for name, place in places.items()}
    readers = {name: reader(item, instrument.missing) for name, item in instrument.stored.items()}
    for records, raw in export.batches(sorted(places.values())):
        yield _batch(export, instrument, raw.rename(names), readers, seen, records)


def _batch(
    export: Export,
    instrument: Instrument,
    raw: pl.DataFrame,
    readers: Mapping[str, Reader],
    seen: Seen,
    records: pl.Series,
) -> Batch:
    reason = exclusions(raw, instrument, seen)
    kept = reason.is_null()
    texts = raw.filter(kept)
    read = read_answers(texts, instrument.stored, readers)
    return Batch(
        export,
        records.alias(RECORD).filter(kept),
        texts,
        read.answers,
        read.refused,
        _respondents(texts, instrument),
        seen,
        raw.height,
        _count(reason),
    )


def _count(reason: pl.Series) -> dict[str, int]:
    return dict(reason.drop_nulls().value_counts(sort=True, name="n").sort(reason.name).iter_rows())


def exclusions(raw: pl.DataFrame, instrument: Instrument, seen: Seen) -> pl.Series:
    """Why each row is left out by a declared rule, null where it is not. The first reason that applies counts.

    Who answered before is asked later, of sound rows only (`repeats`).
    """
    rules = {Exclusion.EMPTY_ROW: _empty(raw)}
    if instrument.duplicates.identical_rows:
        rules[Exclusion.IDENTICAL_ROW] = ~seen.rows.is_new(_hashes(raw, instrument))
    for name, item in instrument.with_role(Role.CONSENT).items():
        rules[Exclusion.NO_CONSENT] = ~_consents(raw, name, item)
    return _first_reason(rules, raw.height)


def _empty(raw: pl.DataFrame) -> pl.Series:
    """Rows of nothing but blanks. Column by column: after the first one hardly any row is left to look at."""
    rows = pl.int_range(raw.height, eager=True)
    for column in raw.get_columns():
        texts = column.gather(rows)
        rows = rows.filter(texts.is_null() | (texts.str.strip_chars() == ""))
    return pl.repeat(False, raw.height, eager=True).scatter(rows, True)


def _hashes(raw: pl.DataFrame, instrument: Instrument) -> pl.Series:
    """Rows as hashes that are the same wherever a column stands, and whether an unanswered one is there at all."""
    nothing = pl.lit(None, dtype=pl.String)
    columns = [pl.col(name) if name in raw.columns else nothing.alias(name) for name in instrument.items]
    return raw.select(columns).hash_rows()


def _consents(raw: pl.DataFrame, name: str, item: Item) -> pl.Series:
    """A blank is no consent. An export without the column never comes this far."""
    agreed = {fold(text) for text in item.consent_texts}
    yes = [text for text in raw[name].unique().drop_nulls() if fold(text) in agreed]
    return raw[name].is_in(yes).fill_null(False)


def _respondents(texts: pl.DataFrame, instrument: Instrument) -> pl.DataFrame:
    """Who answered, as hashes: a column an identifier; none where the same respondent may answer twice."""
    identifiers = instrument.with_role(Role.IDENTIFIER) if instrument.duplicates.same_respondent else {}
    codes = {name: pl.col(name).str.strip_chars() for name in identifiers if name in texts.columns}
    return texts.select(pl.when(code != "").then(code.hash()).alias(name) for name, code in codes.items())


def repeats(batch: Batch, stays: pl.Series) -> pl.Series:
    """Which rows are by a respondent who was met before, here or in an earlier batch or export.

    Only rows that stay count: one that is set aside must not make the same person's sound one a repeat.
    """
    again = pl.repeat(False, len(stays), eager=True)
    for name in batch.respondents.columns:
        hashes = batch.respondents[name].set(~stays | again, None)
        again |= ~batch.seen.respondents[name].is_new(hashes)
    return again


def _first_reason(rules: Mapping[Exclusion, pl.Series], height: int) -> pl.Series:
    flags = pl.DataFrame({rule.value: applies for rule, applies in rules.items()})
    reasons = [pl.when(pl.col(rule.value)).then(pl.lit(rule.value)) for rule in rules]
    return flags.select(reason=pl.coalesce(reasons)).to_series() if height else pl.Series("reason", [], dtype=pl.String)

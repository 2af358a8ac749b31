"""Ingest: an export's rows, batch by batch, as typed answers of the instrument.

What belongs here: which column is which item, which rows the instrument's declared rules leave out, and reading every cell.
What does not: opening files (`exports`), whether a value may stand (`validate`), and storing anything (`storage`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from survey_pipeline.answers import Reader, fold, read_column, reader
from survey_pipeline.errors import InputRefused, did_you_mean
from survey_pipeline.exports import Export
from survey_pipeline.instrument import Instrument, Item, Role, headings_to_items
from survey_pipeline.names import RECORD, Exclusion


@dataclass(frozen=True)
class Batch:
    """Some rows of one export that no declared rule left out.

    `texts`: the answers as written, a column an item; `answers`: the same, typed, columns as stored; `refused`: columns
    `row`, `item`, `rule`; all have the rows of `records`, their numbers in the export.
    """

    export: Export
    records: pl.Series
    texts: pl.DataFrame
    answers: pl.DataFrame
    refused: pl.DataFrame
    n_read: int
    excluded: Mapping[str, int]


@dataclass
class Seen:
    """What has been handed in before in this wave: hashes, never the answers themselves."""

    rows: "Hashes" = field(default_factory=lambda: Hashes())
    respondents: "Hashes" = field(default_factory=lambda: Hashes())


class Hashes:
    """A growing sorted set of 64-bit hashes: 8 bytes a row, whatever the row holds."""

    def __init__(self) -> None:
        self._known = np.empty(0, dtype=np.uint64)

    def is_new(self, hashes: pl.Series) -> pl.Series:
        """Whether each hash appears for the first time, here and in all earlier calls; null hashes are always new."""
        values = hashes.fill_null(0).to_numpy()
        place = np.searchsorted(self._known, values).clip(max=max(len(self._known) - 1, 0))
        known = self._known[place] == values if len(self._known) else np.zeros(len(values), dtype=bool)
        new = hashes.is_first_distinct() & ~pl.Series(known) | hashes.is_null()
        fresh = hashes.filter(new).drop_nulls().to_numpy()
        self._known = np.sort(np.concatenate([self._known, fresh]), kind="stable")
        return new


def match_columns(export: Export, instrument: Instrument) -> dict[str, int]:
    """The place of each item's column in an export.

    Raises `InputRefused` if a required item has no column, or one item has several.
    """
    items = headings_to_items(export.headings, instrument)
    places: dict[str, int] = {}
    for place, heading in enumerate(export.headings):
        if name := items.get(heading):
            _refuse_twice(name, places, export)
            places[name] = place
    _refuse_absent(places, export, instrument)
    return places


def _refuse_twice(name: str, places: dict[str, int], export: Export) -> None:
    if name in places:
        raise InputRefused(
            f"Two columns of '{export.path.name}' are headed as the item '{name}'.", "Remove or rename one of them."
        )


def _refuse_absent(places: dict[str, int], export: Export, instrument: Instrument) -> None:
    for name, item in instrument.items.items():
        if item.required and name not in places:
            near = did_you_mean(item.question, export.headings)
            raise InputRefused(
                f"'{export.path.name}' has no column for the required item '{name}' ('{item.question}').{near}",
                "Check that it is the right survey, or add the heading to the instrument.",
            )


def dropped_columns(export: Export, instrument: Instrument) -> list[str]:
    """Headings whose answers are not stored: undeclared, or declared as identifier, free text or to be dropped."""
    items = headings_to_items(export.headings, instrument)
    return [heading for heading in export.headings if items.get(heading) not in instrument.stored]


def batches(export: Export, instrument: Instrument, seen: Seen) -> Iterator[Batch]:
    """Read an export batch by batch. `seen` carries over what earlier batches and exports of the wave held."""
    places = match_columns(export, instrument)
    names = {str(place): name for name, place in places.items()}
    readers = {name: reader(item, instrument.missing) for name, item in instrument.stored.items()}
    first = 1
    for raw in export.batches(sorted(places.values())):
        yield _batch(export, instrument, raw.rename(names), readers, seen, first)
        first += raw.height


def _batch(
    export: Export, instrument: Instrument, raw: pl.DataFrame, readers: Mapping[str, Reader], seen: Seen, first: int
) -> Batch:
    reason = exclusions(raw, instrument, seen)
    records = pl.int_range(first, first + raw.height, dtype=pl.Int64, eager=True).alias(RECORD)
    kept = reason.is_null()
    texts = raw.filter(kept)
    answers, refused = typed(texts, instrument, readers)
    return Batch(export, records.filter(kept), texts, answers, refused, raw.height, _count(reason))


def _count(reason: pl.Series) -> dict[str, int]:
    return dict(reason.drop_nulls().value_counts(sort=True, name="n").sort(reason.name).iter_rows())


def exclusions(raw: pl.DataFrame, instrument: Instrument, seen: Seen) -> pl.Series:
    """Why each row is left out by a declared rule, null where it is not. The first reason that applies counts."""
    rules = {Exclusion.EMPTY_ROW: raw.select(pl.all_horizontal(pl.all().is_null())).to_series()}
    if instrument.duplicates.identical_rows:
        rules[Exclusion.IDENTICAL_ROW] = ~seen.rows.is_new(raw.hash_rows())
    for name, item in instrument.with_role(Role.CONSENT).items():
        rules[Exclusion.NO_CONSENT] = ~_consents(raw, name, item)
    for name in instrument.with_role(Role.IDENTIFIER) if instrument.duplicates.same_respondent else ():
        rules[Exclusion.SAME_RESPONDENT] = _same_respondent(raw, name, seen, rules)
    return _first_reason(rules, raw.height)


def _consents(raw: pl.DataFrame, name: str, item: Item) -> pl.Series:
    """A blank is no consent; a survey without the column asked for none."""
    if name not in raw.columns:
        return pl.repeat(True, raw.height, eager=True)
    yes = [text for text in raw[name].unique().drop_nulls() if fold(text) == fold(item.consent_answer)]
    return raw[name].is_in(yes).fill_null(False)


def _same_respondent(raw: pl.DataFrame, name: str, seen: Seen, earlier: Mapping[Exclusion, pl.Series]) -> pl.Series:
    """A row that is left out anyway must not make the respondent's good row a repeat."""
    if name not in raw.columns:
        return pl.repeat(False, raw.height, eager=True)
    out = _first_reason(dict(earlier), raw.height).is_not_null()
    code = raw[name].str.strip_chars()
    hashes = code.hash().set(code.is_null() | (code == "").fill_null(False) | out, None)
    return ~seen.respondents.is_new(hashes)


def _first_reason(rules: Mapping[Exclusion, pl.Series], height: int) -> pl.Series:
    flags = pl.DataFrame({rule.value: applies for rule, applies in rules.items()})
    reasons = [pl.when(pl.col(rule.value)).then(pl.lit(rule.value)) for rule in rules]
    return flags.select(reason=pl.coalesce(reasons)).to_series() if height else pl.Series("reason", [], dtype=pl.String)


def typed(
    texts: pl.DataFrame, instrument: Instrument, readers: Mapping[str, Reader]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Texts to typed answers, and the refused cells (`row`, `item`, `rule`). An item without a column is all null."""
    answers: list[pl.Series] = []
    refused: list[pl.DataFrame] = []
    for name, item in instrument.stored.items():
        column = texts[name] if name in texts.columns else pl.repeat(None, texts.height, dtype=pl.String, eager=True)
        read = read_column(column, name, item, readers[name])
        answers.extend(read.values)
        refused.append(_refused_cells(name, read.refused))
    return pl.DataFrame(answers), pl.concat(refused)


def _refused_cells(name: str, rules: pl.Series) -> pl.DataFrame:
    rows = rules.is_not_null().arg_true()
    return pl.DataFrame(
        {"row": rows.cast(pl.UInt32), "item": [name] * len(rows), "rule": rules.gather(rows)},
        schema_overrides={"item": pl.String},
    )

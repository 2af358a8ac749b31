"""Reading a wave: one pass over its exports, with everything that became of every row counted.

What belongs here: joining ingest and validate into one stream of kept rows, and the report of an export. What does not:
storing anything (`stages`), and how a row is read or judged (`ingest`, `validate`).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl

from survey_pipeline import names
from survey_pipeline.corrections import NO_CORRECTIONS, summary
from survey_pipeline.diary import Diary, columns_of, diary_of, entries_schema
from survey_pipeline.drift import Drift, against_instrument, counted, documents, in_answers, together
from survey_pipeline.errors import InputRefused
from survey_pipeline.exports import Export, RowsDoNotAddUp, read_export
from survey_pipeline.ingest import batches
from survey_pipeline.ingest.columns import Match, match_columns
from survey_pipeline.ingest.dropped import dropped_columns, refuse_personal_columns
from survey_pipeline.ingest.repeats import Seen, superseded
from survey_pipeline.instrument import Instrument, Item, Kind, Role
from survey_pipeline.personal import Personal, contained
from survey_pipeline.policy import policy_in_force
from survey_pipeline.schema import responses_schema
from survey_pipeline.spool import Spool
from survey_pipeline.validate import QUARANTINE_SCHEMA, UNSURE, Validated, irregular_rows, validate

MOST_TEXTS_KEPT = 5_000
"""Different refused texts of one item that are looked through."""
FEWEST_UNKNOWN = 10
MOST_UNKNOWN = 0.2
"""If more than one in five answers to a closed question are unknown, its options are not those that were offered."""
OFFERED = frozenset({Kind.CHOICE, Kind.CHOICES, Kind.YES_NO, Kind.SCALE})
NOT_OFFERED = frozenset(
    {names.Rule.UNKNOWN_OPTION, names.Rule.NOT_A_NUMBER, names.Rule.NOT_ON_SCALE, names.Rule.OUT_OF_RANGE}
)
PROVE = "proving that nobody is given away"
"""A stage that reads no rows, and can take half a minute."""
Tell = Callable[[str, int], None]
"""Called with a stage and how many rows it has done so far, for a progress bar."""


def silently(stage: str, rows: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class ExportReport:
    """What became of one export: rows_read = rows_kept + rows_quarantined + the sum of rows_excluded."""

    file: str
    sha256: str
    tool: str
    encoding: str
    separator: str
    header_rows: int
    rows_read: int
    columns_read: int
    rows_kept: int
    rows_quarantined: int
    rows_excluded: dict[str, int]
    values_refused: dict[str, dict[str, int]]
    other_texts: dict[str, int]
    """By item: how often people wrote something in their own words, which counts as "other"."""
    columns_dropped: list[str]
    columns_dropped_because: dict[str, str]
    rows_irregular: int
    items_not_asked: list[str]
    detected_because: str
    invented: bool
    drift: list[dict[str, Any]] = field(default_factory=list)
    """What is not as the instrument says: see `drift`."""
    corrected: dict[str, int] = field(default_factory=dict)
    """How many answers and rows the steward has corrected: see `corrections.summary`."""
    diary: dict[str, int] = field(default_factory=dict)
    """What became of the entries of diaries: see `diary.Diary`. Empty before it is known who is counted."""


@dataclass
class Counts:
    """Where the rows of one export went so far."""

    read: int = 0
    kept: int = 0
    quarantined: int = 0
    excluded: dict[str, int] = field(default_factory=dict)
    refused: dict[str, dict[str, int]] = field(default_factory=dict)
    other_texts: dict[str, int] = field(default_factory=dict)
    answered: dict[str, int] = field(default_factory=dict)
    refused_texts: dict[str, set[str]] = field(default_factory=dict, repr=False)
    """By item, some of what was refused: looked through for personal data, and never to be shown."""
    diary: dict[str, int] = field(default_factory=dict)
    answers: pl.DataFrame | None = field(default=None, repr=False)
    """What drift is told from (see `drift.counted`). Holds texts: never to be shown as it is."""


def open_exports(paths: Sequence[Path], by_hand: Mapping[str, Any] | None = None) -> list[Export]:
    """The exports of a wave, by name, each looked through once.

    Raises `InputRefused` if one cannot be read or holds no answers, or if two have one name or the same content.
    """
    exports = [read_export(path, **(by_hand or {})) for path in sorted(paths, key=lambda path: (path.name, path))]
    _refuse_one_name(exports)
    _refuse_one_content(exports)
    for export in exports:
        export.refuse_unreadable()
    return exports


def _refuse_one_name(exports: Sequence[Export]) -> None:
    """Rows in quarantine are found again by their export's name."""
    for one, other in pairwise(exports):
        if one.path.name == other.path.name:
            raise InputRefused(f"Two exports are called '{one.path.name}'.", "Rename one of them, or leave it out.")


def _refuse_one_content(exports: Sequence[Export]) -> None:
    """The same export twice would count everybody twice."""
    known: dict[str, str] = {}
    for export in exports:
        first = known.setdefault(export.sha256, export.path.name)
        if first != export.path.name:
            raise InputRefused(f"'{first}' and '{export.path.name}' are the same export.", "Leave one of them out.")


Corrections = Mapping[str, pl.DataFrame]
"""What the steward has corrected, by the fingerprint of the export."""


class Reading:
    """One pass over the exports of a wave: kept rows stream out, quarantine is put aside, everything is counted.

    `key`: the secret with which respondents' codes are hashed; the warehouse's own where anything is stored. `withdrawn`:
    whose answers are left out, as such hashes.
    """

    def __init__(
        self,
        exports: Sequence[Export],
        instrument: Instrument,
        tell: Tell,
        corrections: Corrections | None = None,
    ) -> None:
        self.exports, self.instrument, self.tell = exports, instrument, tell
        self.corrections = corrections or {}
        self.key = b""
        self.withdrawn: frozenset[bytes] = frozenset()
        self.counts = {export.path.name: Counts() for export in exports}
        self.spool = Spool(pl.DataFrame(schema=QUARANTINE_SCHEMA))
        self.entries = Spool(pl.DataFrame(schema=entries_schema(instrument)))
        self.schema = responses_schema(instrument)
        for export in exports:
            refuse_personal_columns(export, instrument, match_columns(export, instrument))
            _refuse_several_events(export, instrument)

    def empty(self, key: dict[str, str]) -> pl.DataFrame:
        """An empty frame with the columns of the kept rows. Of a diary, only its person-weeks are kept: see `diary`."""
        diary = columns_of(self.instrument)
        stored = {name: column.dtype.type for name, column in self.schema.columns.items() if name not in diary}
        who = {names.RESPONDENT: pl.Binary} if self.instrument.with_role(Role.IDENTIFIER) else {}
        return keyed(pl.DataFrame(schema={names.EXPORT: pl.String, names.RECORD: pl.Int64, **who, **stored}), key)

    def kept(self, key: dict[str, str]) -> Iterator[pl.DataFrame]:
        """The rows kept, batch by batch, each with the wave it belongs to."""
        parts = self._validated() if self.instrument.duplicates.keep == "first" else self._last_ones()
        diary = columns_of(self.instrument)
        return (keyed(part.kept.drop(diary), key) for part in parts)

    def diary(self, respondents: pl.DataFrame | pl.LazyFrame) -> Diary:
        """The diaries of the people counted, once all rows have been read; `respondents`: their column of the kept rows.

        Memory is that of all entries of the wave.
        """
        diary = diary_of(pl.concat([self.entries.empty, *self.entries.frames()]), respondents, self.instrument)
        for export, became in diary.entries.items():
            self.counts[export].diary = dict(became)
        return diary

    def _validated(self) -> Iterator[Validated]:
        seen, done = Seen(), 0
        for export in self.exports:
            self._set_aside_irregular(export)
            corrections = self.corrections.get(export.sha256, NO_CORRECTIONS)
            for batch in batches(export, self.instrument, seen, self.key, corrections, self.withdrawn):
                part = validate(batch, self.instrument, self.schema)
                self._count(export, batch.n_read, part)
                self._keep_refused(self.counts[export.path.name], part)
                self.spool.add(part.quarantine)
                self.entries.add(part.entries)
                self.tell("ingest", done := done + batch.n_read)
                yield part
            refuse_what_was_not_understood(export, self.instrument, self.counts[export.path.name])

    def _last_ones(self) -> Iterator[Validated]:
        """Where a person's last answer counts, all of them must have been read before any can be kept."""
        aside, marks = Spool(pl.DataFrame()), []
        for part in self._validated():
            aside.add(part.kept)
            marks.append(part.marks)
        again = superseded(marks, self.instrument.duplicates.same_answers_within_minutes) if marks else pl.Series()
        done = 0
        for frame in aside.frames():
            reasons = again[done : done + frame.height]
            done += frame.height
            self._count_superseded(frame, reasons)
            yield Validated(frame.filter(reasons.is_null()), self.spool.empty, 0, {}, pl.DataFrame())

    def _count_superseded(self, frame: pl.DataFrame, reasons: pl.Series) -> None:
        left_out = frame.select(names.EXPORT, reason=reasons).drop_nulls("reason")
        for name, reason, n in left_out.group_by(names.EXPORT, "reason").len().iter_rows():
            counts = self.counts[name]
            counts.kept -= n
            counts.excluded[reason] = counts.excluded.get(reason, 0) + n

    def _set_aside_irregular(self, export: Export) -> None:
        odd = irregular_rows(export)
        self.spool.add(odd)
        self._count(export, odd.height, Validated(odd.clear(), odd, odd.height, {}, pl.DataFrame()))

    def _keep_refused(self, counts: Counts, part: Validated) -> None:
        """Some of what was refused is kept for a moment, to see what the whole export is like."""
        for name, item in self.instrument.stored.items():
            n = max((int(part.kept[column].count()) for column in item.columns(name)), default=0)
            counts.answered[name] = counts.answered.get(name, 0) + n
        for (name,), rows in part.quarantine.filter(pl.col(names.RULE) != names.Rule.OTHER_TEXT).group_by([names.ITEM]):
            texts = counts.refused_texts.setdefault(str(name), set())
            written = rows[names.VALUE].drop_nulls().unique(maintain_order=True)
            texts.update(written.head(MOST_TEXTS_KEPT - len(texts)))

    def _count(self, export: Export, n_read: int, part: Validated) -> None:
        counts = self.counts[export.path.name]
        counts.read += n_read
        counts.kept += part.kept.height
        counts.quarantined += part.n_quarantined
        answers = counted(part.kept, part.quarantine, self.instrument)
        counts.answers = together([*([] if counts.answers is None else [counts.answers]), answers])
        for reason, n in part.excluded.items():
            counts.excluded[reason] = counts.excluded.get(reason, 0) + n
        for item, rule, n in (
            part.quarantine.group_by(names.ITEM, names.RULE).len().sort(names.ITEM, names.RULE).iter_rows()
        ):
            if rule == names.Rule.OTHER_TEXT:
                counts.other_texts[item] = counts.other_texts.get(item, 0) + n
            else:
                rules = counts.refused.setdefault(item, {})
                rules[rule] = rules.get(rule, 0) + n


def refuse_what_was_not_understood(export: Export, instrument: Instrument, counts: Counts) -> None:
    """Raise `InputRefused`, before anything is stored, if a column holds personal data, or if so many answers to a closed
    question are none of its options that the others are no fair picture.
    """
    for name, texts in counts.refused_texts.items():
        if item := instrument.items.get(name):
            _refuse_personal(export, name, item, sorted(texts), counts)
            _refuse_other_options(export, name, item, counts)


def _refuse_personal(export: Export, name: str, item: Item, texts: Sequence[str], counts: Counts) -> None:
    """A closed answer that was read is one of the survey's own; only what could not be read can hold a person's data."""
    unsure = {*UNSURE, Personal.BIRTH_DATE} if item.kind is Kind.DATE else UNSURE
    n = counts.answered.get(name, 0) + sum(counts.refused.get(name, {}).values())
    if found := contained(texts, out_of=max(n, len(texts)), apart_from=unsure):
        raise InputRefused(
            f"The column of the item '{name}' ('{item.label}') in '{export.path.name}' holds {found.kind.phrase}."
            " Nothing of this run was stored.",
            "Take them out of the export, or give the item the role 'drop', and run again.",
        )


def _refuse_other_options(export: Export, name: str, item: Item, counts: Counts) -> None:
    """Other than of a number or a dose in words, of which some are always beyond reading, every answer was offered."""
    found = counts.refused.get(name, {})
    unknown = sum(n for rule, n in found.items() if rule in NOT_OFFERED)
    all_answers = counts.answered.get(name, 0) + sum(found.values())
    if item.kind in OFFERED and unknown >= FEWEST_UNKNOWN and unknown > MOST_UNKNOWN * all_answers:
        raise InputRefused(
            f"{unknown} of {all_answers} answers to '{name}' in '{export.path.name}' are none that the instrument offers,"
            " so the others would be no fair picture.",
            "Correct the options, spellings or the scale in the instrument (`fixes` for yes and no), or drop the item.",
        )


def _refuse_several_events(export: Export, instrument: Instrument) -> None:
    """Who answers at several events has a row at each: counted together, one person would be several."""
    place = export.layout.event
    if place is None or instrument.completeness.event:
        return
    events = {text for _, batch in export.batches([place]) for text in batch.to_series().unique().drop_nulls()}
    if len(events) > 1:
        raise InputRefused(
            f"'{export.path.name}' holds the answers of {len(events)} events, so that one person has several rows.",
            "Name the event to count in the instrument: completeness = { event = ... }.",
        )


def keyed(frame: pl.DataFrame, key: dict[str, str]) -> pl.DataFrame:
    """A frame with the wave it belongs to as its first columns."""
    return frame.select(*(pl.lit(value, dtype=pl.String).alias(name) for name, value in key.items()), pl.all())


def report_of(export: Export, instrument: Instrument, reading: Reading, wave: str | None = None) -> ExportReport:
    """What became of an export, once it has been read to its end; raises `RowsDoNotAddUp` if a row is not accounted for."""
    asked = instrument.in_wave(wave) if wave else instrument
    counts, matches = reading.counts[export.path.name], match_columns(export, asked)
    dropped = dropped_columns(export, asked, matches)
    if counts.read != counts.kept + counts.quarantined + sum(counts.excluded.values()):
        raise RowsDoNotAddUp("rows read are not rows kept, quarantined and excluded")
    return ExportReport(
        file=export.path.name,
        sha256=export.sha256,
        tool=export.tool,
        encoding=export.encoding,
        separator=export.separator,
        header_rows=export.header_rows,
        rows_read=counts.read,
        columns_read=len(export.headings),
        rows_kept=counts.kept,
        rows_quarantined=counts.quarantined,
        rows_excluded=dict(sorted(counts.excluded.items())),
        values_refused=dict(sorted(counts.refused.items())),
        other_texts=dict(sorted(counts.other_texts.items())),
        columns_dropped=list(dropped),
        columns_dropped_because=dropped,
        rows_irregular=len(export.irregular),
        items_not_asked=[name for name in asked.stored if name not in matches],
        detected_because=export.detected_because,
        invented=export.is_invented,
        corrected=summary(reading.corrections.get(export.sha256, NO_CORRECTIONS)),
        diary=dict(counts.diary),
        drift=documents(_drift(export, instrument, counts, matches, wave)),
    )


def _drift(
    export: Export, instrument: Instrument, counts: Counts, matches: Mapping[str, Match], wave: str | None
) -> list[Drift]:
    found = against_instrument(export.layout.columns, matches, instrument, wave)
    if counts.answers is None:
        return found
    return [*found, *in_answers(counts.answers, instrument, policy_in_force(instrument).min_n, counts.answered)]


def check_exports(
    paths: Sequence[Path],
    instrument: Instrument,
    tell: Tell = silently,
    by_hand: Mapping[str, Any] | None = None,
    wave: str | None = None,
) -> tuple[ExportReport, ...]:
    """Read and validate exports and write nothing. Without a wave, every item counts as asked."""
    exports = open_exports(paths, by_hand)
    reading = Reading(exports, instrument.in_wave(wave) if wave else instrument, tell)
    for _ in reading.kept({}):
        pass
    return tuple(report_of(export, instrument, reading, wave) for export in exports)

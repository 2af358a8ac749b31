"""The stages: what each takes from the warehouse, does, and puts back.

What belongs here: one function a stage, from a reference (a wave and table versions) to a reference. What does not: their
order (`pipeline`) and how the work itself is done (the module of each stage).
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from typing import Any

import polars as pl

from survey_pipeline import names, weighting
from survey_pipeline.approval import refuse_rejected, standing_proposal, waiting_with
from survey_pipeline.assemble import (
    ByDesign,
    as_estimated,
    earlier_levels,
    exact_frames,
    make_release,
)
from survey_pipeline.coarsen import coarsen
from survey_pipeline.corrections import (
    ACTION,
    CELL,
    NEW_VALUE,
    NO_CORRECTIONS,
    fingerprint,
    in_force,
    of_exports,
    summary,
)
from survey_pipeline.count import columns_needed, tally_batches
from survey_pipeline.design import design_items, has_design, with_design
from survey_pipeline.diary import columns_of
from survey_pipeline.drift import between, documents, incomparable
from survey_pipeline.errors import AlreadyPublished, InputRefused, WrongUsage
from survey_pipeline.exports import Export, RowsDoNotAddUp
from survey_pipeline.instrument import Instrument, Role, load_instrument
from survey_pipeline.ledger import Entry, Kind
from survey_pipeline.levels import cut_anew, factors
from survey_pipeline.people import People, differences, digests
from survey_pipeline.person_weeks import diary_tally, levels_of_people
from survey_pipeline.personal import mentioned
from survey_pipeline.plural import n_of
from survey_pipeline.policy import policy_in_force
from survey_pipeline.proof.told import Told
from survey_pipeline.reading import ExportReport, Reading, Tell, keyed, open_exports, report_of, silently
from survey_pipeline.release import FORMAT, Policy, Release
from survey_pipeline.released_people import keep_people, people_of_wave, refuse_too_near
from survey_pipeline.request import NOTHING_BY_HAND, ByHand, Places, RunRequest, wave_style
from survey_pipeline.storage import StoredRelease, Warehouse, known_wave, latest, stored_release


@dataclass(frozen=True)
class ReadWave:
    """Reference to a wave's responses: what was read, and in which table versions it lies."""

    instrument: str
    wave: str
    fingerprint: str
    responses_version: int
    quarantine_version: int
    exports: tuple[ExportReport, ...]
    changes: tuple[dict[str, Any], ...] = ()
    """What the instrument asks otherwise than in the wave before: see `drift`."""
    remarks: tuple[str, ...] = ()
    """What the steward should know besides, in plain sentences."""


@dataclass(frozen=True)
class CountedWave:
    """Reference to a wave's tally."""

    instrument: str
    wave: str
    tally_version: int
    diary_tally_version: int | None = None
    """None where the survey has no diary."""


@dataclass(frozen=True)
class ReleasedWave:
    """Reference to a release in the ledger."""

    instrument: str
    wave: str
    release_number: int
    rows_published: int
    rows_suppressed: int
    is_new: bool
    waits_for_approval: bool = False
    remarks: tuple[str, ...] = ()
    """What the steward should know besides, in plain sentences."""


# --- ingest and validate ----------------------------------------------------------------------------------------------


def ingest_wave(request: RunRequest, tell: Tell = silently) -> ReadWave:
    """Exports to responses and quarantine, each replaced in one commit."""
    instrument, warehouse = load_instrument(request.instrument), Warehouse(request.warehouse_location)
    _refuse_personal_reason(request.correction)
    exports = open_exports(request.exports, request.by_hand.given)
    standing = warehouse.corrections(instrument.name, request.wave)
    corrections = of_exports(standing, (one.sha256 for one in exports))
    fingerprint = fingerprint_of(exports, instrument, policy_in_force(instrument), corrections, request.by_hand)
    _refuse_other_waves(warehouse, instrument, request, exports)
    known, since = warehouse.wave(instrument.name, request.wave), None
    if request.correction or not _is_but_withdrawn(warehouse, instrument, known, exports, corrections, fingerprint):
        refuse_rejected(warehouse.ledger(instrument.name), request.wave, fingerprint)
        _refuse_other_inputs(warehouse, instrument, request, exports, fingerprint)
    elif known:
        since = known["withdrawn_since"]
    if known is None or known["fingerprint"] != fingerprint:
        _store_wave(warehouse, instrument, request.wave, exports, corrections, fingerprint, tell, since)
        known = warehouse.wave(instrument.name, request.wave)
    changes = _changes(warehouse, instrument, request.wave)
    return replace(read_wave(known or {}), changes=changes, remarks=_not_used(standing, corrections))


def _refuse_personal_reason(reason: str | None) -> None:
    if reason and (told := mentioned(reason)):
        raise WrongUsage(
            f"The reason of the correction holds {told.phrase}, and it is printed in the report.",
            "Say why without naming anybody.",
        )


def _not_used(standing: pl.DataFrame, used: pl.DataFrame) -> tuple[str, ...]:
    """Says that corrections were made for exports that are not among those of the run, and not made again for these."""
    decided = [names.ITEM, names.VALUE, ACTION, NEW_VALUE]
    others = in_force(standing).join(used, on=CELL, how="anti")
    left = others.join(in_force(used), on=decided, how="anti", nulls_equal=True)
    if left.is_empty():
        return ()
    n = summary(left)
    parts = f"{n_of(n['set_to'], 'answer')} set, {n['dropped']} dropped, {n_of(n['kept_out'], 'row')} kept out"
    were, them = ("was", "it") if left.height == 1 else ("were", "them")
    return (
        f"{n_of(left.height, 'correction')} ({parts}) {were} made for another download of an export and "
        f"{'is' if left.height == 1 else 'are'} not used: make {them} again for this one, see docs/cleaning.md.",
    )


def _changes(warehouse: Warehouse, instrument: Instrument, wave: str) -> tuple[dict[str, Any], ...]:
    """What has changed in the instrument since the wave before, as it was read then."""
    before = [row for row in warehouse.waves(instrument.name) if row[names.WAVE] < wave]
    if not before:
        return ()
    asked_then = Instrument.model_validate_json(before[-1]["instrument_definition"])
    return tuple(documents(between(asked_then, instrument, before[-1][names.WAVE], wave)))


def fingerprint_of(
    exports: Sequence[Export],
    instrument: Instrument,
    policy: Policy,
    corrections: pl.DataFrame = NO_CORRECTIONS,
    by_hand: ByHand = NOTHING_BY_HAND,
) -> str:
    """The same for the same exports, instrument, policy, corrections and settings, whatever the files are called."""
    settings = json.dumps(by_hand.given, sort_keys=True) if by_hand.given else ""
    made_of = [instrument.fingerprint, policy.fingerprinted, fingerprint(corrections), settings]
    parts = [*sorted(export.sha256 for export in exports), *filter(None, made_of)]
    return sha256("\n".join(parts).encode()).hexdigest()


def _refuse_other_inputs(
    warehouse: Warehouse, instrument: Instrument, request: RunRequest, exports: Sequence[Export], fingerprint: str
) -> None:
    published = latest(warehouse.releases(instrument.name)).get(request.wave)
    waits = waiting_with(warehouse.ledger(instrument.name), request.wave, fingerprint)
    if published and published.fingerprint != fingerprint and not request.correction and not waits:
        raise AlreadyPublished(
            f"The wave '{request.wave}' is already published, from {_what_differs(published.release, exports, instrument)}.",
            'If that is meant, run again with --correction "why"; the reason is printed in the report.',
        )


def _is_but_withdrawn(
    warehouse: Warehouse,
    instrument: Instrument,
    known: Mapping[str, Any] | None,
    exports: Sequence[Export],
    corrections: pl.DataFrame,
    fingerprint: str,
) -> bool:
    """Whether other exports than those published hold the same answers but for those that people have withdrawn since: the
    steward has deleted these there too, as told to. Costs one more pass, once for each new export.
    """
    standing = latest(warehouse.releases(instrument.name)).get(known[names.WAVE]) if known else None
    if not known or not standing or known["withdrawn_since"] != standing.fingerprint:
        return False
    made_of = standing.release.instrument.fingerprint, standing.release.policy
    if fingerprint in (known["fingerprint"], standing.fingerprint):
        return True
    if made_of != (instrument.fingerprint, policy_in_force(instrument)):
        return False
    reading = _reading(warehouse, instrument, known[names.WAVE], exports, corrections, silently)
    there = people_of_wave(warehouse, instrument.name, known[names.WAVE], known["responses_version"])
    return differences(digests(reading.kept({}), warehouse.secret()), there) == (0, 0)


def _what_differs(release: Release, exports: Sequence[Export], instrument: Instrument) -> str:
    differs = {
        "other exports": sorted(release.inputs_sha256) != sorted(export.sha256 for export in exports),
        "another instrument": release.instrument.fingerprint != instrument.fingerprint,
        "another disclosure policy": release.policy != policy_in_force(instrument),
    }
    return " and ".join(what for what, does in differs.items() if does) or "other corrections or settings"


def _refuse_other_waves(
    warehouse: Warehouse, instrument: Instrument, request: RunRequest, exports: Sequence[Export]
) -> None:
    """One export is one wave's, and the waves of a survey are all years, all quarters, all months or all weeks: a quarter
    beside its months would publish the same people twice, and a difference of the two somebody in particular.
    """
    ledger = latest(warehouse.releases(instrument.name))
    others = {wave: stored.release for wave, stored in ledger.items() if wave != request.wave}
    for wave, release in others.items():
        if twice := [export.path.name for export in exports if export.sha256 in release.inputs_sha256]:
            raise InputRefused(f"'{twice[0]}' is already published, as wave '{wave}'.", "Check the wave, or the file.")
    if unlike := [wave for wave in others if wave_style(wave) != wave_style(request.wave)]:
        raise WrongUsage(
            f"The wave '{request.wave}' is of another length than the wave '{unlike[0]}' of the same survey.",
            "Keep to years, quarters, months or weeks, so that nobody is counted in two waves.",
        )


def _store_wave(
    warehouse: Warehouse,
    instrument: Instrument,
    wave: str,
    exports: Sequence[Export],
    corrections: pl.DataFrame,
    fingerprint: str,
    tell: Tell,
    withdrawn_since: str | None = None,
) -> None:
    key, asked = {names.INSTRUMENT: instrument.name, names.WAVE: wave}, instrument.in_wave(wave)
    reading = _reading(warehouse, instrument, wave, exports, corrections, tell)
    responses = warehouse.replace_wave(f"responses/{instrument.name}", reading.kept(key), reading.empty(key), key)
    refused = (keyed(frame, key) for frame in reading.spool.frames())
    quarantine = warehouse.replace_wave("quarantine", refused, keyed(reading.spool.empty, key), key)
    diary = _store_diary(warehouse, asked, wave, reading, responses)
    reports = [report_of(export, instrument, reading, wave) for export in exports]
    _reconcile(warehouse, instrument, wave, (responses, quarantine), reports)
    warehouse.put_wave(
        {
            **key,
            "fingerprint": fingerprint,
            "responses_version": responses,
            "quarantine_version": quarantine,
            "tally_version": None,
            "exports": json.dumps([asdict(report) for report in reports]),
            "instrument_definition": instrument.model_dump_json(),
            "diary_version": diary,
            "diary_tally_version": None,
            "withdrawn_since": withdrawn_since
            or _withdrawn_since(warehouse, instrument.name, wave, fingerprint, reports),
        }
    )


def _reading(
    warehouse: Warehouse,
    instrument: Instrument,
    wave: str,
    exports: Sequence[Export],
    corrections: pl.DataFrame,
    tell: Tell,
) -> Reading:
    by_export = {export.sha256: of_exports(corrections, [export.sha256]) for export in exports}
    reading = Reading(exports, instrument.in_wave(wave), tell, by_export)
    if instrument.with_role(Role.IDENTIFIER) or instrument.duplicates.same_token:
        reading.key = warehouse.secret()
        reading.withdrawn = warehouse.withdrawn_from(instrument.name, wave)
    return reading


def _withdrawn_since(
    warehouse: Warehouse, instrument: str, wave: str, fingerprint: str, reports: Sequence[ExportReport]
) -> str | None:
    """The release that was made of the same inputs, if answers in them have been withdrawn."""
    standing = latest(warehouse.releases(instrument)).get(wave)
    left_out = any(report.rows_excluded.get(names.Exclusion.WITHDRAWN) for report in reports)
    return fingerprint if left_out and standing and standing.fingerprint == fingerprint else None


def _store_diary(
    warehouse: Warehouse, instrument: Instrument, wave: str, reading: Reading, responses_version: int
) -> int | None:
    """The person-weeks of those whose rows were kept; no table where the survey has no diary."""
    if not columns_of(instrument):
        return None
    kept = warehouse.responses(instrument.name, wave, responses_version).select(names.RESPONDENT)
    return warehouse.put_diary(instrument.name, wave, reading.diary(kept).person_weeks)


def _reconcile(
    warehouse: Warehouse, instrument: Instrument, wave: str, versions: tuple[int, int], reports: Sequence[ExportReport]
) -> None:
    """Compare what was read of each export with what the tables hold of it now."""
    rows, reasons = pl.col(names.RECORD).n_unique(), pl.len()
    refused = warehouse.quarantine(instrument.name, wave, versions[1])
    kept = _by_export(warehouse.responses(instrument.name, wave, versions[0]), rows)
    set_aside, n_reasons = _by_export(refused.filter(pl.col(names.WHOLE_ROW)), rows), _by_export(refused, reasons)
    for report in reports:
        stored = kept.get(report.file, 0), set_aside.get(report.file, 0)
        if report.rows_read != sum(stored) + sum(report.rows_excluded.values()):
            raise RowsDoNotAddUp(f"{report.rows_read} rows read, {stored} stored, {report.rows_excluded} excluded")
        refusals = sum(sum(rules.values()) for rules in report.values_refused.values())
        if n_reasons.get(report.file, 0) != refusals + sum(report.other_texts.values()):
            raise RowsDoNotAddUp("the quarantine does not hold every refused answer")


def _by_export(rows: pl.LazyFrame, counted: pl.Expr) -> dict[str, int]:
    return dict(rows.group_by(names.EXPORT).agg(counted.alias("n")).collect().iter_rows())


def read_wave(row: Mapping[str, Any]) -> ReadWave:
    """The reference to a wave, from its row of `waves`."""
    return ReadWave(
        instrument=row[names.INSTRUMENT],
        wave=row[names.WAVE],
        fingerprint=row["fingerprint"],
        responses_version=row["responses_version"],
        quarantine_version=row["quarantine_version"],
        exports=tuple(ExportReport(**report) for report in json.loads(row["exports"])),
    )


# --- count ------------------------------------------------------------------------------------------------------------


def count_wave(request: RunRequest, read: ReadWave, tell: Tell = silently) -> CountedWave:
    """Responses to the tally: one more pass, over the few typed columns that tables are made of."""
    instrument, warehouse = load_instrument(request.instrument), Warehouse(request.warehouse_location)
    row = known_wave(warehouse, read.instrument, read.wave)
    if row["fingerprint"] != read.fingerprint or row["tally_version"] is None:
        tally = _count_responses(warehouse, instrument, read.wave, read.responses_version, tell)
        row["tally_version"] = warehouse.put_tally(read.instrument, read.wave, tally)
        row["diary_tally_version"] = _put_diary_tally(warehouse, instrument, row)
        warehouse.put_wave(row)
    return CountedWave(read.instrument, read.wave, row["tally_version"], row["diary_tally_version"])


def count_again(
    warehouse: Warehouse, row: Mapping[str, Any], responses_version: int, diary_version: int | None
) -> None:
    """Put new tallies of a wave (its row of `waves`) in the place of the old ones, from other versions of its answers, with
    the instrument as it was when the wave was read.
    """
    instrument = Instrument.model_validate_json(row["instrument_definition"])
    moved = {**row, "responses_version": responses_version, "diary_version": diary_version}
    tally = _count_responses(warehouse, instrument, row[names.WAVE], responses_version)
    warehouse.put_tally(instrument.name, row[names.WAVE], tally)
    _put_diary_tally(warehouse, instrument, moved)


def _put_diary_tally(warehouse: Warehouse, instrument: Instrument, row: Mapping[str, Any]) -> int | None:
    if row["diary_version"] is None:
        return None
    return warehouse.put_diary_tally(instrument.name, row[names.WAVE], _count_diary(warehouse, instrument, row))


def _count_diary(warehouse: Warehouse, instrument: Instrument, row: Mapping[str, Any]) -> pl.DataFrame:
    """The person-weeks of a wave, added up by the levels of their people."""
    if row["diary_version"] is None:
        return warehouse.diary_tally(instrument.name, row[names.WAVE], None)
    asked, wave = instrument.in_wave(row[names.WAVE]), row[names.WAVE]
    responses = warehouse.responses(instrument.name, wave, row["responses_version"])
    weeks = warehouse.diary(instrument.name, wave, row["diary_version"])
    return diary_tally(weeks, levels_of_people(responses, asked), asked)


def _count_responses(
    warehouse: Warehouse, instrument: Instrument, wave: str, version: int, tell: Tell = silently
) -> pl.DataFrame:
    responses = warehouse.responses(instrument.name, wave, version)
    needed = dict.fromkeys([*columns_needed(instrument), *weighting.columns_needed(instrument)])
    parts = _told(_batches(responses, needed), tell)
    return tally_batches(_weighted(parts, responses, instrument), instrument)


def _batches(responses: pl.LazyFrame, columns: Iterable[str]) -> Iterator[pl.DataFrame]:
    there = responses.collect_schema().names()
    chosen = responses.select(column for column in columns if column in there)
    return chosen.collect_batches(chunk_size=250_000, maintain_order=False)


def _weighted(parts: Iterator[pl.DataFrame], responses: pl.LazyFrame, instrument: Instrument) -> Iterator[pl.DataFrame]:
    """The parts as they are; in a survey with weights, with the weight of each answer, made of the whole wave's margins."""
    if not instrument.is_weighted:
        return parts
    cells = weighting.count_cells(_batches(responses, weighting.columns_needed(instrument)), instrument)
    weights = weighting.cell_weights(cells, instrument)
    return (weighting.attach(part, weights, instrument) for part in parts)


def _told(parts: Iterator[pl.DataFrame], tell: Tell) -> Iterator[pl.DataFrame]:
    done = 0
    for part in parts:
        yield part
        tell("count", done := done + part.height)


# --- estimate and disclose --------------------------------------------------------------------------------------------


def disclose_wave(
    request: RunRequest, read: ReadWave, counted: CountedWave, *, also_if_unchanged: bool = False
) -> ReleasedWave:
    """The tally to a release in the ledger; the release that is there, if it was made from the same inputs. Where the policy
    asks for approval, a proposal is entered instead, and waits. `also_if_unchanged`: a new release of the same inputs, of
    which people have withdrawn theirs.

    Raises `NotSafeToPublish` if an earlier release and this one together would give somebody away.
    """
    instrument, warehouse = load_instrument(request.instrument), Warehouse(request.warehouse_location)
    ledger, policy = warehouse.releases(instrument.name), policy_in_force(instrument)
    standing = latest(ledger).get(read.wave)
    if standing and standing.fingerprint == read.fingerprint and not also_if_unchanged:
        return released_wave(standing.release, is_new=False)
    entries = warehouse.ledger(instrument.name)
    proposal = standing_proposal(entries, read.wave, read.fingerprint)
    if policy.require_approval and proposal:
        return released_wave(stored_release(proposal).release, is_new=False, waits=True)
    compared = refuse_too_near(warehouse, instrument.name, read.wave, read.responses_version, policy)
    tally = warehouse.tally(read.instrument, read.wave, counted.tally_version)
    diary = warehouse.diary_tally(read.instrument, read.wave, counted.diary_tally_version)
    by_design = _by_design(warehouse, instrument.in_wave(read.wave), read.wave, read.responses_version)
    release = make_release(
        tally,
        instrument,
        policy,
        read.wave,
        read.exports,
        _with_levels_of(ledger, instrument),
        request.correction or _reason_proposed(entries, read),
        diary,
        by_design,
        _told_before(ledger, compared.same, instrument),
    )
    stored = StoredRelease(
        release, read.fingerprint, read.responses_version, counted.tally_version, instrument.model_dump_json()
    )
    return replace(_enter(warehouse, request, stored), remarks=compared.remarks)


def _told_before(ledger: Sequence[StoredRelease], same: Sequence[People], instrument: Instrument) -> list[Told]:
    """Earlier releases about exactly the same answers, but for questions that were changed since."""
    return told_together(ledger, {(one.wave, one.release_number) for one in same}, instrument)


def told_together(
    ledger: Sequence[StoredRelease], about: Collection[tuple[str, int]], instrument: Instrument
) -> list[Told]:
    """The releases of these waves and numbers, but for questions that mean something else in `instrument`."""
    mine = [stored for stored in ledger if (stored.release.wave, stored.release.release_number) in about]
    asked = ((stored, Instrument.model_validate_json(stored.instrument_definition)) for stored in mine)
    return [
        Told(stored.release, then.in_wave(stored.release.wave)).without(incomparable(then, instrument))
        for stored, then in asked
        if stored.release.format == FORMAT
    ]


def _reason_proposed(entries: Sequence[Entry], read: ReadWave) -> str | None:
    """Why the same inputs were proposed as a correction, so that they can be proposed anew without saying it again."""
    waits = waiting_with(entries, read.wave, read.fingerprint)
    return waits.correction if waits else None


def _enter(warehouse: Warehouse, places: Places, stored: StoredRelease) -> ReleasedWave:
    """As a release, or as a proposal if somebody must approve it first."""
    release = stored.release
    waits = release.policy.require_approval
    if waits:
        places.review_folder(release.instrument.name, release.wave)  # refused before anything is entered
    else:
        keep_people(warehouse, stored)
    warehouse.add_release(stored, Kind.PROPOSAL if waits else Kind.RELEASE)
    return released_wave(release, is_new=True, waits=waits)


def _by_design(warehouse: Warehouse, instrument: Instrument, wave: str, version: int) -> ByDesign:
    """Where people were picked by strata or clusters, what only rows can tell: how sure an estimate is. It happens on the
    steward's machine, and nothing of the rows but errors and intervals comes back.
    """
    if not has_design(instrument):
        return as_estimated
    responses = warehouse.responses(instrument.name, wave, version)
    needed = dict.fromkeys(
        [*columns_needed(instrument), *weighting.columns_needed(instrument), *design_items(instrument)]
    )
    rows = pl.concat(_weighted(_batches(responses, needed), responses, instrument))
    return lambda estimates, levels: with_design(estimates, rows, instrument, levels)


def _with_levels_of(ledger: Sequence[StoredRelease], instrument: Instrument) -> list[Release]:
    """The releases without the levels of items whose bands end elsewhere now: the same names would mean other numbers."""
    asked = [(stored.release, Instrument.model_validate_json(stored.instrument_definition)) for stored in ledger]
    return [_without_levels(release, cut_anew(then, instrument), then) for release, then in asked]


def _without_levels(release: Release, items: frozenset[str], instrument: Instrument) -> Release:
    kept = {name: found for name, found in release.levels.items() if items.isdisjoint(factors(instrument, name))}
    return release if len(kept) == len(release.levels) else release.model_copy(update={"levels": kept})


def _releases(ledger: Sequence[StoredRelease]) -> list[Release]:
    return [stored.release for stored in ledger]


def released_wave(release: Release, *, is_new: bool, waits: bool = False) -> ReleasedWave:
    """The reference to a release, or to a proposal that `waits`."""
    suppressed = sum(row.status is names.Status.SUPPRESSED for row in release.rows)
    return ReleasedWave(
        release.instrument.name,
        release.wave,
        release.release_number,
        len(release.rows) - suppressed,
        suppressed,
        is_new,
        waits,
    )


# --- for the steward --------------------------------------------------------------------------------------------------


EXACT = ("estimates", "comparisons", "tests")
"""What there is of exact numbers: a row a statistic, a row a pair of levels, a row a test over all levels."""


def exact_estimates(
    places: Places, instrument: Instrument, wave: str, *, finest: bool = False, what: str = "estimates"
) -> pl.DataFrame:
    """The exact, unpublished estimates of a wave (or one of the others in `EXACT`), with the status each row would have when
    published.

    At the levels that would be published, or at the finest the instrument declares: the instrument as it was when the wave
    was read, since its answers were typed by that. What the wave's release hides is marked so; before there is one, the proof
    may hide more than is marked.
    """
    warehouse = Warehouse(places.warehouse_location)
    row = known_wave(warehouse, instrument.name, wave)
    instrument = Instrument.model_validate_json(row["instrument_definition"])
    ledger, policy = warehouse.releases(instrument.name), policy_in_force(instrument)
    tally = _tally_of(warehouse, instrument, row)
    asked = instrument.in_wave(wave)
    diary = _diary_tally_of(warehouse, instrument, row)
    levels = (
        {}
        if finest
        else coarsen(tally, asked, policy, earlier_levels(_with_levels_of(ledger, instrument), wave, asked))
    )
    words = [pl.lit(instrument.name).alias(names.INSTRUMENT), pl.lit(wave).alias(names.WAVE)]
    by_design = _by_design(warehouse, asked, wave, row["responses_version"])
    stored = None if finest else latest(ledger).get(wave)
    published = stored.release.frame() if stored else None
    return exact_frames(tally, asked, levels, policy, diary, by_design, published)[what].select(*words, pl.all())


def _tally_of(warehouse: Warehouse, instrument: Instrument, row: Mapping[str, Any]) -> pl.DataFrame:
    """The tally of a wave as read; counted anew where a run was stopped before it had done so."""
    if row["tally_version"] is None:
        return _count_responses(warehouse, instrument, row[names.WAVE], row["responses_version"])
    return warehouse.tally(instrument.name, row[names.WAVE], row["tally_version"])


def _diary_tally_of(warehouse: Warehouse, instrument: Instrument, row: Mapping[str, Any]) -> pl.DataFrame:
    """The tally of a wave's diaries; counted anew where a run was stopped before it had done so."""
    if row["tally_version"] is None:
        return _count_diary(warehouse, instrument, row)
    return warehouse.diary_tally(instrument.name, row[names.WAVE], row["diary_tally_version"])

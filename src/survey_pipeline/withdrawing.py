"""Withdrawing: a person takes their answers back.

What belongs here: taking somebody's answers out of every table and every version of it, and publishing the waves again as
soon as that gives nobody away. What does not: leaving the person out when an export is read again (`ingest`), and telling
whether a release lies too near to another (`people`).

In which order: who has withdrawn is entered first, so that whatever stops the rest, running it again completes it. A wave
goes on lying in its old table versions until all of its new ones are there; only then are the old files deleted.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import polars as pl

from survey_pipeline.approval import overtaken_by, put_away, waiting
from survey_pipeline.corrections import EXPORT_SHA256, of_exports, summary
from survey_pipeline.errors import NotSafeToPublish, UserError, WrongUsage
from survey_pipeline.ingest import respondent_of
from survey_pipeline.instrument import Instrument, Role, load_instrument
from survey_pipeline.ledger import Entry, Kind
from survey_pipeline.names import EXPORT, INSTRUMENT, ITEM, RECORD, RESPONDENT, RULE, WAVE, WHOLE_ROW, Exclusion, Rule
from survey_pipeline.people import differences
from survey_pipeline.plural import n_of
from survey_pipeline.policy import policy_in_force
from survey_pipeline.reading import ExportReport
from survey_pipeline.release import Release
from survey_pipeline.released_people import BATCH_ROWS, earlier_people, keep_all_people, people_of_wave
from survey_pipeline.rendering import render_wave
from survey_pipeline.request import Places, RunRequest
from survey_pipeline.reviewing import show_proposal
from survey_pipeline.stages import (
    CountedWave,
    ReadWave,
    ReleasedWave,
    count_again,
    disclose_wave,
    read_wave,
    released_wave,
)
from survey_pipeline.storage import TABLES_OF_PEOPLE, Warehouse, known_wave, latest

WITHDRAWN: str = "answers withdrawn"
"""Why a wave is published again; printed in the report."""
NEXT_STEPS = (
    "Delete the person's row in the export files and in the survey tool too: this program never changes those.",
    "Backups of the warehouse still hold the answers; delete or replace them.",
)
ANSWERS = ("responses/{}", "diaries/{}", "quarantine", "corrections", "tallies", "diary_tallies")
"""Every table that holds answers, or counts from which somebody's could be told."""


@dataclass(frozen=True)
class Withdrawal:
    """What a withdrawal did, for people and for `--json`. It names nobody."""

    instrument: str
    rows: dict[str, int]
    """By wave, how many rows of the person were taken out: of responses and of rows set aside."""
    releases: tuple[ReleasedWave, ...] = ()
    held_back: dict[str, str] = field(default_factory=dict)
    """By wave, what its published report waits for."""
    reports: tuple[str, ...] = ()
    proposals: tuple[ReleasedWave, ...] = ()
    """What waits for approval instead of being released."""
    review: tuple[str, ...] = ()
    """Where a reviewer begins to look at what waits, for each."""
    remarks: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return json.loads(json.dumps({**asdict(self), "next_steps": NEXT_STEPS}))  # type: ignore[no-any-return]


def withdraw(places: Places, instrument: str, code: str, wave: str | None = None) -> Withdrawal:
    """Take somebody's answers out of all waves (or out of one), and publish these again where that gives nobody away.
    Again, it completes what was interrupted, and otherwise changes nothing.

    Raises `WrongUsage` if the survey asks for no code, or if no answers are known under this one.
    """
    asked, warehouse = load_instrument(instrument), Warehouse(places.warehouse_location)
    _refuse_without_codes(asked)
    with warehouse.held():
        who = _who(warehouse, asked, code)
        found = {row[WAVE]: row for row in warehouse.waves(asked.name) if wave in (None, row[WAVE])}
        rows = {name: n for name, row in found.items() if (n := _n_rows(warehouse, row, who))}
        if not rows and not _is_entered(warehouse, asked.name, wave, who):
            raise _unknown(wave)
        _enter(warehouse, asked.name, wave, who)
        for name in rows:
            _take_out(warehouse, found[name], who)
        _forget(warehouse, asked.name)
        return _publish(places, instrument, asked, rows)


def _refuse_without_codes(instrument: Instrument) -> None:
    if not instrument.with_role(Role.IDENTIFIER):
        raise WrongUsage(
            f"The survey '{instrument.name}' asks for no code by which a person's answers could be found.",
            "Delete the row in the export and run the wave again with --correction; for the next wave, ask for a code: an "
            "item with the role 'identifier', see docs/withdrawal.md.",
        )


def _who(warehouse: Warehouse, instrument: Instrument, code: str) -> bytes:
    """A warehouse without a secret has never met a code."""
    if not warehouse.exists("secret"):
        raise _unknown(None)
    who = respondent_of(code, instrument, warehouse.secret())
    if who is None:
        raise WrongUsage(
            "That is no code: it is empty, or stands for no answer.", "Give the code as the person gave it."
        )
    return who


def _unknown(wave: str | None) -> WrongUsage:
    where = "No wave in the warehouse" if wave is None else f"The wave '{wave}'"
    verb = "holds" if wave is None else "does not hold"
    return WrongUsage(
        f"{where} {verb} answers under this code. Nothing was changed.",
        "Check how the person wrote it; small and capital letters do not matter. Answers given without a code cannot be "
        "found in this way.",
    )


def _is_entered(warehouse: Warehouse, instrument: str, wave: str | None, who: bytes) -> bool:
    mine = (pl.col(RESPONDENT) == who) & pl.col(WAVE).eq_missing(pl.lit(wave, pl.String))
    return warehouse.withdrawn(instrument).filter(mine).height > 0


def _enter(warehouse: Warehouse, instrument: str, wave: str | None, who: bytes) -> None:
    """In the list of those who are left out from now on, and in the ledger, where nothing tells who it was or how often they
    had answered. Before anything is deleted, it is kept whose answers are published: later releases are compared with those.
    """
    keep_all_people(warehouse, instrument)
    if not _is_entered(warehouse, instrument, wave, who):
        warehouse.add_withdrawn(instrument, wave, who)
    entered = sum(entry.kind is Kind.WITHDRAWAL for entry in warehouse.ledger(instrument))
    for of_wave in warehouse.withdrawn(instrument)[WAVE].to_list()[entered:]:
        warehouse.add_entry(Entry(instrument, Kind.WITHDRAWAL, of_wave))


# --- Taking rows out --------------------------------------------------------------------------------------------------


def _places_of(warehouse: Warehouse, row: Mapping[str, Any], who: bytes) -> pl.DataFrame:
    """Where somebody's rows stood: columns `export`, `record` and whether the row was kept. Of rows that were set aside,
    only where the warehouse knows by whom they are.
    """
    kept = _of(warehouse.responses(row[INSTRUMENT], row[WAVE], row["responses_version"]), who)
    aside = _of(warehouse.quarantine(row[INSTRUMENT], row[WAVE], row["quarantine_version"]), who)
    here = kept.select(EXPORT, RECORD, pl.lit(True).alias("kept"))
    there = aside.select(EXPORT, RECORD, pl.lit(False).alias("kept"))
    both = pl.concat([here, there]).collect()
    return both.unique([EXPORT, RECORD], keep="first", maintain_order=True)


def _of(rows: pl.LazyFrame, who: bytes) -> pl.LazyFrame:
    known = RESPONDENT in rows.collect_schema().names()
    return rows.filter(pl.col(RESPONDENT) == pl.lit(who, pl.Binary) if known else pl.lit(False))


def _n_rows(warehouse: Warehouse, row: Mapping[str, Any], who: bytes) -> int:
    n = _places_of(warehouse, row, who).height
    if n or row["diary_version"] is None:
        return n
    weeks = warehouse.diary(row[INSTRUMENT], row[WAVE], row["diary_version"])
    return weeks.filter(pl.col(RESPONDENT) == who).height


def _take_out(warehouse: Warehouse, row: dict[str, Any], who: bytes) -> None:
    """Somebody's answers out of one wave, and of the counts made of them. `waves` is written last."""
    name, wave, places = row[INSTRUMENT], row[WAVE], _places_of(warehouse, row, who)
    refused = warehouse.quarantine(name, wave, row["quarantine_version"]).collect()
    gone = refused.join(places, on=[EXPORT, RECORD], how="semi")
    _take_out_corrections(warehouse, row, places)
    versions = {
        "responses_version": _without(warehouse, row, "responses_version", places),
        "quarantine_version": _without(warehouse, row, "quarantine_version", places),
        "diary_version": _without_weeks(warehouse, row, who),
    }
    count_again(warehouse, row, int(versions["responses_version"] or 0), versions["diary_version"])
    corrections = warehouse.corrections(name, wave)
    reports = [ExportReport(**report) for report in json.loads(row["exports"])]
    told = [_report_without(report, places, gone, corrections) for report in reports]
    warehouse.put_wave(
        {
            **row,
            **versions,
            "tally_version": warehouse.version("tallies"),
            "diary_tally_version": None if row["diary_version"] is None else warehouse.version("diary_tallies"),
            "exports": json.dumps([asdict(report) for report in told]),
            "withdrawn_since": _since(warehouse, row),
        }
    )


def _since(warehouse: Warehouse, row: Mapping[str, Any]) -> str | None:
    """The release from which the wave differs by withdrawn answers alone: not where another correction is under way."""
    standing = latest(warehouse.releases(row[INSTRUMENT])).get(row[WAVE])
    alike = standing and standing.fingerprint in (row["fingerprint"], row["withdrawn_since"])
    return standing.fingerprint if standing and alike else None


def _key(row: Mapping[str, Any]) -> dict[str, str]:
    return {INSTRUMENT: row[INSTRUMENT], WAVE: row[WAVE]}


def _stored(warehouse: Warehouse, row: Mapping[str, Any], version: str) -> pl.LazyFrame:
    """The rows of a wave in one of its tables, as they are in force."""
    table = TABLES_OF_PEOPLE[version].format(row[INSTRUMENT])
    mine = (pl.col(INSTRUMENT) == row[INSTRUMENT]) & (pl.col(WAVE) == row[WAVE])
    return warehouse.scan(table, row[version]).filter(mine)


def _put(warehouse: Warehouse, row: Mapping[str, Any], version: str, rows: pl.LazyFrame) -> int:
    table = TABLES_OF_PEOPLE[version].format(row[INSTRUMENT])
    batches = rows.collect_batches(chunk_size=BATCH_ROWS, maintain_order=True)
    return warehouse.replace_wave(table, batches, pl.DataFrame(schema=rows.collect_schema()), _key(row))


def _without(warehouse: Warehouse, row: Mapping[str, Any], version: str, places: pl.DataFrame) -> int:
    rows = _stored(warehouse, row, version)
    there = places.lazy().select(EXPORT, RECORD)
    return _put(warehouse, row, version, rows.join(there, on=[EXPORT, RECORD], how="anti", maintain_order="left"))


def _without_weeks(warehouse: Warehouse, row: Mapping[str, Any], who: bytes) -> int | None:
    if row["diary_version"] is None:
        return None
    weeks = _stored(warehouse, row, "diary_version").filter(pl.col(RESPONDENT) != pl.lit(who, pl.Binary))
    return _put(warehouse, row, "diary_version", weeks)


def _take_out_corrections(warehouse: Warehouse, row: Mapping[str, Any], places: pl.DataFrame) -> None:
    """Also those of exports that were replaced since and that no release was made from: whose they are cannot be told, and
    they are used no more.
    """
    before = warehouse.corrections(row[INSTRUMENT], row[WAVE])
    sha256s = {report["file"]: report["sha256"] for report in json.loads(row["exports"])}
    standing = latest(warehouse.releases(row[INSTRUMENT])).get(row[WAVE])
    used = {*sha256s.values(), *(standing.release.inputs_sha256 if standing else ())}
    cells = places.select(pl.col(EXPORT).replace_strict(sha256s, return_dtype=pl.String).alias(EXPORT_SHA256), RECORD)
    after = of_exports(before, used).join(cells, on=[EXPORT_SHA256, RECORD], how="anti")
    if after.height < before.height:
        warehouse.put_corrections(row[INSTRUMENT], row[WAVE], after)


# --- What became of an export -----------------------------------------------------------------------------------------


def _report_without(
    report: ExportReport, places: pl.DataFrame, gone: pl.DataFrame, corrections: pl.DataFrame
) -> ExportReport:
    """As it would be if the export were read now; but what became of entries of diaries stays as it was told then."""
    mine, refused = places.filter(pl.col(EXPORT) == report.file), gone.filter(pl.col(EXPORT) == report.file)
    aside = refused.filter(pl.col(WHOLE_ROW))[RECORD].n_unique()
    kept = int(mine["kept"].sum())
    withdrawn = report.rows_excluded.get(Exclusion.WITHDRAWN, 0) + kept + aside
    others = {Exclusion.WITHDRAWN.value: withdrawn} if withdrawn else {}
    in_own_words = dict(refused.filter(pl.col(RULE) == Rule.OTHER_TEXT)[ITEM].value_counts().iter_rows())
    return replace(
        report,
        rows_kept=report.rows_kept - kept,
        rows_quarantined=report.rows_quarantined - aside,
        rows_excluded=dict(sorted({**report.rows_excluded, **others}.items())),
        values_refused=_values_left(report.values_refused, refused),
        other_texts=_left(report.other_texts, in_own_words),
        corrected=summary(of_exports(corrections, [report.sha256])),
    )


def _values_left(refused: Mapping[str, Mapping[str, int]], gone: pl.DataFrame) -> dict[str, dict[str, int]]:
    left = {
        item: _left(rules, dict(gone.filter(pl.col(ITEM) == item)[RULE].value_counts().iter_rows()))
        for item, rules in refused.items()
    }
    return {item: rules for item, rules in left.items() if rules}


def _left(counts: Mapping[str, int], gone: Mapping[str, int]) -> dict[str, int]:
    return {name: n - gone.get(name, 0) for name, n in counts.items() if n > gone.get(name, 0)}


# --- Nothing left in earlier versions ---------------------------------------------------------------------------------


def _forget(warehouse: Warehouse, instrument: str) -> None:
    """Delete what earlier versions of the tables hold, files and log. Before that, every wave that lies in one of the tables
    (some hold the waves of all surveys) is made to lie in their newest versions.
    """
    tables = [table for table in (one.format(instrument) for one in ANSWERS) if warehouse.exists(table)]
    waves = [row for name in warehouse.instruments() for row in warehouse.waves(name)]
    for row in waves:
        _bring_forward(warehouse, row, tables)
    _point_at_newest(warehouse, waves, tables)
    for table in tables:
        warehouse.forget_rows(table)
        warehouse.close_history(table)
    _point_at_newest(warehouse, waves, tables)
    for table in tables:
        warehouse.forget_history(table)


def _bring_forward(warehouse: Warehouse, row: Mapping[str, Any], tables: Sequence[str]) -> None:
    """A run that was stopped may have left a wave in newer versions than those in force: the wave in force is put back."""
    for version, table in _lies_in(row, tables):
        if warehouse.files_of(table, _key(row)) != warehouse.files_of(table, _key(row), row[version]):
            _put(warehouse, row, version, _stored(warehouse, row, version))


def _lies_in(row: Mapping[str, Any], tables: Sequence[str]) -> Iterator[tuple[str, str]]:
    for version, table in TABLES_OF_PEOPLE.items():
        if table.format(row[INSTRUMENT]) in tables and row[version] is not None:
            yield version, table.format(row[INSTRUMENT])


def _point_at_newest(warehouse: Warehouse, waves: Sequence[dict[str, Any]], tables: Sequence[str]) -> None:
    for row in waves:
        newest = {version: warehouse.version(table) for version, table in _lies_in(row, tables)}
        known = known_wave(warehouse, row[INSTRUMENT], row[WAVE])
        if any(known[version] != number for version, number in newest.items()):
            warehouse.put_wave({**known, **newest})


# --- Publishing again -------------------------------------------------------------------------------------------------


def disclose_or_wait(request: RunRequest, read: ReadWave, counted: CountedWave) -> ReleasedWave:
    """The stage that makes a release, also where people have withdrawn their answers since: the wave is then published again
    by itself as soon as that gives nobody away. Until then the release stands, and a remark says what it waits for.
    """
    warehouse = Warehouse(request.warehouse_location)
    standing = latest(warehouse.releases(read.instrument)).get(read.wave)
    since = known_wave(warehouse, read.instrument, read.wave)["withdrawn_since"]
    if standing is None or since != standing.fingerprint:
        return disclose_wave(request, read, counted)
    if _is_published(warehouse, read):
        return released_wave(standing.release, is_new=False)
    asked = request.model_copy(update={"correction": request.correction or WITHDRAWN})
    stands = released_wave(standing.release, is_new=False)
    if rejected := put_away(warehouse.ledger(read.instrument), read.wave, read.fingerprint):
        return replace(stands, remarks=(_was_rejected(rejected),))
    try:
        return disclose_wave(asked, read, counted, also_if_unchanged=True)
    except NotSafeToPublish as held_back:
        if request.correction:
            raise
        return replace(stands, remarks=(_waits(read.wave, held_back),))


def _is_published(warehouse: Warehouse, read: ReadWave) -> bool:
    """Whether the release in force counts exactly the answers that are in the warehouse."""
    mine = people_of_wave(warehouse, read.instrument, read.wave, read.responses_version)
    known = earlier_people(warehouse, warehouse.releases(read.instrument))
    in_force = [one for one in known if one.in_force and one.wave == read.wave]
    return any(differences(mine, one.digests) == (0, 0) for one in in_force)


def _waits(wave: str, held_back: UserError) -> str:
    return (
        f"The published report of wave {wave} still counts answers that have been withdrawn: made again now, the two would "
        f"give those people away. {held_back.next_step} Then it is published again by itself."
    )


def _was_rejected(rejection: Entry) -> str:
    return (
        f"The published report of wave {rejection.wave} still counts answers that have been withdrawn. Made without them, it "
        "is proposed again when somebody else withdraws, or once the exports, the corrections, the instrument or the policy "
        f"have changed. As it is, it was rejected by {rejection.by}: {rejection.reason}"
    )


def _publish(places: Places, given: str, instrument: Instrument, rows: Mapping[str, int]) -> Withdrawal:
    """Publish every wave again that waits for it."""
    warehouse = Warehouse(places.warehouse_location)
    done = Withdrawal(instrument.name, dict(rows))
    for row in warehouse.waves(instrument.name):
        standing = latest(warehouse.releases(instrument.name)).get(row[WAVE])
        if standing is None or row["withdrawn_since"] != standing.fingerprint:
            continue
        if _asks_otherwise(standing.release, instrument):
            why = (
                f"The survey or its policy has changed since wave {row[WAVE]} was read: run it again with --correction."
            )
            done = replace(done, held_back={**done.held_back, row[WAVE]: why})
        else:
            done = _published(done, places, given, row)
    return replace(done, remarks=_overtaken(warehouse.ledger(instrument.name), warehouse.waves(instrument.name)))


def _overtaken(entries: Sequence[Entry], waves: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Of what waits and may hold answers that have been withdrawn since."""
    waits = [proposal for row in waves if (proposal := waiting(entries, row[WAVE]))]
    return tuple(
        f"What waits for approval of wave {proposal.wave} was made before this withdrawal: run that wave again, and it is "
        "proposed anew."
        for proposal in waits
        if overtaken_by(entries, proposal)
    )


def _asks_otherwise(release: Release, instrument: Instrument) -> bool:
    made_of = release.instrument.fingerprint, release.policy
    return made_of != (instrument.fingerprint, policy_in_force(instrument))


def _published(done: Withdrawal, places: Places, given: str, row: dict[str, Any]) -> Withdrawal:
    wave, read = row[WAVE], read_wave(row)
    request = RunRequest.model_construct(  # checked of old; nothing is read, so there are no exports
        **places.model_dump() | {"exports": (), "instrument": given, "wave": wave}
    )
    counted = CountedWave(read.instrument, wave, row["tally_version"], row["diary_tally_version"])
    released = disclose_or_wait(request, read, counted)
    if released.remarks and not released.is_new:
        return replace(done, held_back={**done.held_back, wave: " ".join(released.remarks)})
    if released.waits_for_approval:
        review = show_proposal(request, released)
        return replace(done, proposals=(*done.proposals, released), review=(*done.review, *review))
    if not released.is_new:
        return done
    pages = render_wave(places, released)
    return replace(done, releases=(*done.releases, released), reports=(*done.reports, *pages))


def words_of(done: Withdrawal) -> list[str]:
    """What a withdrawal did, in plain sentences, and what the steward must do besides."""
    waves = ", ".join(f"{wave} ({n_of(n, 'row')})" for wave, n in done.rows.items())
    taken = f"Taken out of the warehouse for good: {waves}." if waves else "These answers were taken out before."
    published = [f"{one.wave}: published release {one.release_number}." for one in done.releases]
    waits = [
        f"{one.wave}: release {one.release_number} waits for approval. Look at: {page}"
        for one, page in zip(done.proposals, done.review, strict=True)
    ]
    return [taken, *published, *waits, *done.held_back.values(), *done.remarks, *NEXT_STEPS]

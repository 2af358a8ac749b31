"""Storage: the only room that opens the warehouse, a folder or object-store URL of Delta tables.

What belongs here: reading and writing tables, one wave at a time in one commit, and keeping two runs out of each other's
way. What does not: what the tables mean. `waves` is written last: it names the versions of the other tables that make up a
wave, so a run killed at any moment leaves the last good wave in force.

Tables: `responses/<instrument>`, `diaries/<instrument>` (person-weeks), `quarantine` and `corrections` (by instrument and
wave), `tallies`, `diary_tallies`, `released_people/<instrument>` (by wave and release), `withdrawn`, `waves`, `releases`
(the ledger: append-only, see `ledger`).
"""

import json
import os
import secrets
import shutil
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import arro3.core as arro3
import polars as pl
from deltalake import CommitProperties, DeltaTable, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError
from filelock import FileLock, Timeout

from survey_pipeline.corrections import CORRECTIONS_SCHEMA, NO_CORRECTIONS, in_order
from survey_pipeline.count import TALLY_KEYS, TALLY_SCHEMA
from survey_pipeline.diary import WEEK
from survey_pipeline.errors import InputRefused, WarehouseBusy, WrongUsage
from survey_pipeline.ledger import Entry, Kind, chained
from survey_pipeline.names import EXPOSURE, INSTRUMENT, LEVEL, OUTCOME, RESPONDENT, WAVE
from survey_pipeline.person_weeks import DIARY_SCHEMA
from survey_pipeline.release import Release

LOCK = ".lock"
KEY_BYTES = 32
LOG_KEPT = "delta.logRetentionDuration"
BY_WAVE = (INSTRUMENT, WAVE)
GONE = (DeltaError, OSError, pl.exceptions.PolarsError)
"""What is raised where a version of a table is not there any more."""
WAVES_SCHEMA: dict[str, type[pl.DataType]] = {
    INSTRUMENT: pl.String,
    WAVE: pl.String,
    "fingerprint": pl.String,
    "responses_version": pl.Int64,
    "quarantine_version": pl.Int64,
    "tally_version": pl.Int64,
    "exports": pl.String,
    "instrument_definition": pl.String,
    "diary_version": pl.Int64,
    "diary_tally_version": pl.Int64,
    "withdrawn_since": pl.String,
}
"""One row a wave: what it was made of, and in which table versions it lies; versions of tallies are null until it is
counted, and those of diaries where the survey has none. `withdrawn_since`: the fingerprint of the release from which the wave
differs only because people have withdrawn their answers since."""
WITHDRAWN_SCHEMA: dict[str, type[pl.DataType]] = {
    INSTRUMENT: pl.String,
    WAVE: pl.String,
    RESPONDENT: pl.Binary,
    "entry": pl.Int64,
}
"""One row a withdrawal: by whom, as a keyed hash. `wave` is null where the answers of all waves were withdrawn."""
TABLES_OF_PEOPLE = {
    "responses_version": "responses/{}",
    "quarantine_version": "quarantine",
    "tally_version": "tallies",
    "diary_version": "diaries/{}",
    "diary_tally_version": "diary_tallies",
}
"""The tables in which a wave lies, each by the column of `waves` that holds its version; {} stands for the instrument."""
RELEASES_SCHEMA: dict[str, type[pl.DataType]] = {
    INSTRUMENT: pl.String,
    WAVE: pl.String,
    "release_number": pl.Int64,
    "fingerprint": pl.String,
    "correction": pl.String,
    "responses_version": pl.Int64,
    "tally_version": pl.Int64,
    "instrument_definition": pl.String,
    "document": pl.String,
    "entry": pl.Int64,
    "kind": pl.String,
    "document_sha256": pl.String,
    "by": pl.String,
    "reason": pl.String,
    "notes": pl.String,
    "previous_sha256": pl.String,
    "sha256": pl.String,
}
"""One row an entry of the ledger (`ledger.Entry`), never changed. Releases from before there were entries have null in what
follows the document."""


@dataclass(frozen=True)
class StoredRelease:
    """A release as the ledger keeps it."""

    release: Release
    fingerprint: str
    responses_version: int
    tally_version: int
    instrument_definition: str


class Warehouse:
    """The tables of one warehouse. Nothing is created before something is written."""

    def __init__(self, location: str | Path) -> None:
        self.location = str(location)

    @property
    def is_local(self) -> bool:
        return "://" not in self.location

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other runs out while a wave is made. The system lets go of the lock when a process dies, however it dies.
        A run that stores nothing leaves nothing.

        Raises `WarehouseBusy` if another run holds it. Object stores have no locks: there, a commit that meets
        another one's change fails instead.
        """
        if not self.is_local:
            yield
            return
        made = _make_folder(Path(self.location))
        lock = FileLock(Path(self.location) / LOCK, mode=0o600, blocking=False)
        try:
            lock.acquire()
        except Timeout:
            raise WarehouseBusy(
                "Another run is using the warehouse.", "Wait until it has ended, then run again."
            ) from None
        try:
            yield
        finally:
            _leave_no_trace(Path(self.location), made)
            lock.release()

    # --- Any table ----------------------------------------------------------------------------------------------------

    def _uri(self, table: str) -> str:
        return f"{self.location.rstrip('/')}/{table}"

    def exists(self, table: str) -> bool:
        return DeltaTable.is_deltatable(self._uri(table))

    def version(self, table: str) -> int:
        return DeltaTable(self._uri(table)).version()

    def scan(self, table: str, version: int | None = None) -> pl.LazyFrame:
        """A table, as it is or as it was at a version."""
        if not self.is_local:
            return pl.scan_delta(self._uri(table), version=version)
        return pl.scan_delta(_LocalTable(self._uri(table), version=version))

    def history(self, table: str) -> list[dict[str, Any]]:
        """The commits of a table, newest first."""
        return DeltaTable(self._uri(table)).history() if self.exists(table) else []

    def replace_wave(
        self, table: str, batches: Iterable[pl.DataFrame], schema: pl.DataFrame, key: dict[str, str]
    ) -> int:
        """Put `batches` in the place of whatever the table holds for `key`, in one commit; gives the new version.

        `schema` is an empty frame with the batches' columns. Memory is bounded by one batch. Whatever stops the batches
        halfway is raised as it is, and the table stays as it was.
        """
        stream = _Stream(batches, schema)
        if self.exists(table):
            self._refuse_other_kinds(table, schema)
            where = " AND ".join(f"{name} = '{value}'" for name, value in key.items())
            return self._write(table, stream, {"mode": "overwrite", "predicate": where, "schema_mode": "merge"}, key)
        return self._write(table, stream, {"mode": "error"}, key)

    def _refuse_other_kinds(self, table: str, schema: pl.DataFrame) -> None:
        """A column keeps its type for good: the table would turn the new answers into the old type, or stop."""
        before = self.scan(table).collect_schema()
        for column, kind in schema.schema.items():
            if before.get(column, kind) != kind:
                raise InputRefused(
                    f"'{column}' is of another kind than in the waves that are already in the warehouse.",
                    "Give the item a new name in the instrument, or use another warehouse.",
                )

    def append(self, table: str, rows: pl.DataFrame, key: dict[str, str]) -> int:
        """Add rows in one commit; nothing that stands is touched."""
        return self._write(table, _Stream([rows], rows.clear()), {"mode": "append"}, key)

    def _write(
        self, table: str, stream: "_Stream", how: dict[str, Any], key: dict[str, str], after: int | None = None
    ) -> int:
        """`after`: the version that the commit must follow on at once; if another one came between, it fails."""
        onto = self._uri(table) if after is None else DeltaTable(self._uri(table), version=after)
        retries = None if after is None else 0
        try:
            with for_the_owner_alone():
                write_deltalake(
                    onto,
                    stream.reader(),
                    partition_by=list(key) or None,
                    commit_properties=CommitProperties(custom_metadata=key, max_commit_retries=retries),
                    **how,
                )
        except CommitFailedError:
            raise WarehouseBusy(
                "The warehouse was changed by another run.", "Run again: nothing was half written."
            ) from None
        except DeltaError:
            if stream.stopped_by is None:
                raise
            raise stream.stopped_by from None
        return self.version(table)

    # --- Responses and quarantine -------------------------------------------------------------------------------------

    def responses(self, instrument: str, wave: str, version: int) -> pl.LazyFrame:
        """The kept rows of a wave, columns as stored."""
        return self.scan(f"responses/{instrument}", version).filter(pl.col(WAVE) == wave)

    def quarantine(self, instrument: str, wave: str, version: int) -> pl.LazyFrame:
        """The refused rows and values of a wave, with reasons. Nothing but this and `corrections` holds them."""
        return self.scan("quarantine", version).filter((pl.col(INSTRUMENT) == instrument) & (pl.col(WAVE) == wave))

    # --- Diaries ------------------------------------------------------------------------------------------------------

    def put_diary(self, instrument: str, wave: str, person_weeks: pl.DataFrame) -> int:
        """Put a wave's person-weeks (`diary.person_weeks_schema`) in the place of the earlier ones; gives the new version."""
        key = {INSTRUMENT: instrument, WAVE: wave}
        words = (pl.lit(value, dtype=pl.String).alias(name) for name, value in key.items())
        frame = person_weeks.select(*words, pl.all())
        return self.replace_wave(f"diaries/{instrument}", [frame], frame.clear(), key)

    def diary(self, instrument: str, wave: str, version: int) -> pl.DataFrame:
        """A wave's person-weeks, by person and week; answers of items that only other waves asked are null."""
        mine = self.scan(f"diaries/{instrument}", version).filter(pl.col(WAVE) == wave)
        return mine.drop(INSTRUMENT, WAVE).sort(RESPONDENT, WEEK).collect()

    # --- Corrections --------------------------------------------------------------------------------------------------

    def corrections(self, instrument: str, wave: str) -> pl.DataFrame:
        """What the steward has corrected in a wave's exports: columns and order as `corrections` keeps them."""
        if not self.exists("corrections"):
            return NO_CORRECTIONS
        mine = (pl.col(INSTRUMENT) == instrument) & (pl.col(WAVE) == wave)
        return in_order(self.scan("corrections").filter(mine).select(CORRECTIONS_SCHEMA.keys()).collect())

    def put_corrections(self, instrument: str, wave: str, corrections: pl.DataFrame) -> int:
        """Put all corrections of a wave in the place of the earlier ones, in one commit; gives the new version."""
        key = {INSTRUMENT: instrument, WAVE: wave}
        words = (pl.lit(value, dtype=pl.String).alias(name) for name, value in key.items())
        frame = in_order(corrections).select(*words, pl.all())
        return self.replace_wave("corrections", [frame], frame.clear(), key)

    # --- Secret -------------------------------------------------------------------------------------------------------

    def secret(self) -> bytes:
        """The key with which this warehouse hashes respondents' codes; made when it is first asked for.

        It never leaves the warehouse: with it anybody could try out whose code a hash stands for.
        """
        if not self.exists("secret"):
            made = pl.DataFrame({"key": [secrets.token_bytes(KEY_BYTES)]}, schema={"key": pl.Binary})
            self._write("secret", _Stream([made], made.clear()), {"mode": "error"}, {})
        key: bytes = self.scan("secret").collect().item()
        return key

    # --- Waves --------------------------------------------------------------------------------------------------------

    def wave(self, instrument: str, wave: str) -> dict[str, Any] | None:
        """The row of `waves` for a wave, or None if it has not been read yet."""
        found = self._rows("waves", instrument).filter(pl.col(WAVE) == wave).collect()
        return found.row(0, named=True) if found.height else None

    def put_wave(self, row: dict[str, Any]) -> None:
        """Make a wave's new versions the ones in force."""
        frame = pl.DataFrame([row], schema=WAVES_SCHEMA)
        self.replace_wave("waves", [frame], frame.clear(), {name: row[name] for name in BY_WAVE})

    def _rows(self, table: str, instrument: str) -> pl.LazyFrame:
        schema = RELEASES_SCHEMA if table == "releases" else WAVES_SCHEMA
        if not self.exists(table):
            return pl.LazyFrame(schema=schema)
        rows = self.scan(table).filter(pl.col(INSTRUMENT) == instrument)
        added = schema.keys() - rows.collect_schema().names()
        return rows.with_columns(pl.lit(None, dtype=schema[name]).alias(name) for name in sorted(added))

    # --- People of releases, and people who withdrew ------------------------------------------------------------------

    def put_released_people(self, instrument: str, wave: str, release_number: int, digests: pl.Series) -> int:
        """Keep the digests (`people.digests`) of a release's answers, in the place of any of the same number."""
        key = {WAVE: wave, "release_number": release_number}
        frame = pl.DataFrame({"digest": digests}).select(
            *(pl.lit(value).alias(name) for name, value in key.items()), "digest"
        )
        frame = frame.cast({"release_number": pl.Int64})
        words = {name: str(value) for name, value in key.items()}
        return self.replace_wave(f"released_people/{instrument}", [frame], frame.clear(), words)

    def released_people(self, instrument: str, wave: str, release_number: int) -> pl.Series | None:
        """The digests of a release's answers; None where none were kept."""
        if not self.exists(f"released_people/{instrument}"):
            return None
        mine = (pl.col(WAVE) == wave) & (pl.col("release_number") == release_number)
        found = self.scan(f"released_people/{instrument}").filter(mine).select("digest").collect().to_series()
        return found if len(found) else None

    def withdrawn(self, instrument: str) -> pl.DataFrame:
        """Who has withdrawn their answers (`WITHDRAWN_SCHEMA`), in the order in which they did."""
        if not self.exists("withdrawn"):
            return pl.DataFrame(schema=WITHDRAWN_SCHEMA)
        return self.scan("withdrawn").filter(pl.col(INSTRUMENT) == instrument).sort("entry").collect()

    def withdrawn_from(self, instrument: str, wave: str) -> frozenset[bytes]:
        """Whose answers of a wave are withdrawn, as keyed hashes."""
        mine = self.withdrawn(instrument).filter(pl.col(WAVE).is_null() | (pl.col(WAVE) == wave))
        return frozenset(mine[RESPONDENT].to_list())

    def add_withdrawn(self, instrument: str, wave: str | None, respondent: bytes) -> None:
        """Enter a withdrawal: nothing but by whom, as a keyed hash, and of which wave."""
        row = (instrument, wave, respondent, self.withdrawn(instrument).height + 1)
        self.append("withdrawn", pl.DataFrame([row], schema=WITHDRAWN_SCHEMA, orient="row"), {INSTRUMENT: instrument})

    # --- Forgetting ---------------------------------------------------------------------------------------------------

    def files_of(self, table: str, key: dict[str, str], version: int | None = None) -> set[str]:
        """The files in which a table holds `key` at a version: the same files are the same rows."""
        parts = [(name, "=", value) for name, value in key.items()]
        return set(DeltaTable(self._uri(table), version=version).file_uris(file_pruning_predicate=parts))

    def forget_rows(self, table: str) -> None:
        """Delete every file of rows that are in no version but earlier ones. The version of now can still be read."""
        opened = DeltaTable(self._uri(table))
        with for_the_owner_alone():
            opened.vacuum(retention_hours=0, dry_run=False, enforce_retention_duration=False, full=self.is_local)

    def close_history(self, table: str) -> int:
        """Let the history of a table begin anew with its present state: see `forget_history`. Gives the version with
        which it begins.
        """
        with for_the_owner_alone():
            DeltaTable(self._uri(table)).alter.set_table_properties({LOG_KEPT: "interval 0 seconds"})
        return self.version(table)

    def forget_history(self, table: str) -> None:
        """Delete the entries of a table's log before the version that `close_history` gave: they hold the least and the
        greatest answer of every file there ever was.
        """
        with for_the_owner_alone():
            opened = DeltaTable(self._uri(table))
            opened.create_checkpoint()
            opened.cleanup_metadata()
            opened.alter.set_table_properties({LOG_KEPT: "interval 30 days"})

    # --- Tallies ------------------------------------------------------------------------------------------------------

    def put_tally(self, instrument: str, wave: str, tally: pl.DataFrame) -> int:
        key = {INSTRUMENT: instrument, WAVE: wave}
        frame = tally.select(pl.lit(instrument).alias(INSTRUMENT), pl.lit(wave).alias(WAVE), *TALLY_SCHEMA)
        return self.replace_wave("tallies", [frame], frame.clear(), key)

    def tally(self, instrument: str, wave: str, version: int) -> pl.DataFrame:
        """A wave's tally, columns and order as counted."""
        mine = (pl.col(INSTRUMENT) == instrument) & (pl.col(WAVE) == wave)
        rows = self.scan("tallies", version).filter(mine)
        return rows.select(_as_tally(rows.collect_schema().names())).sort(list(TALLY_KEYS)).collect()

    def put_diary_tally(self, instrument: str, wave: str, tally: pl.DataFrame) -> int:
        """Put the tally of a wave's diaries (`person_weeks.DIARY_SCHEMA`) in the place of the earlier one."""
        key = {INSTRUMENT: instrument, WAVE: wave}
        frame = tally.select(pl.lit(instrument).alias(INSTRUMENT), pl.lit(wave).alias(WAVE), *DIARY_SCHEMA)
        return self.replace_wave("diary_tallies", [frame], frame.clear(), key)

    def diary_tally(self, instrument: str, wave: str, version: int | None) -> pl.DataFrame:
        """The tally of a wave's diaries, columns and order as counted; without a version, an empty one."""
        if version is None:
            return pl.DataFrame(schema=DIARY_SCHEMA)
        mine = (pl.col(INSTRUMENT) == instrument) & (pl.col(WAVE) == wave)
        found = self.scan("diary_tallies", version).filter(mine).select(DIARY_SCHEMA.keys())
        return found.sort(EXPOSURE, LEVEL, OUTCOME).collect()

    # --- Releases -----------------------------------------------------------------------------------------------------

    def releases(self, instrument: str) -> list[StoredRelease]:
        """All releases of an instrument, by wave and then number."""
        released = (entry for entry in self.ledger(instrument) if entry.kind is Kind.RELEASE)
        in_turn = sorted(released, key=lambda entry: (entry.wave or "", entry.release_number or 0))
        return [stored_release(entry) for entry in in_turn]

    def ledger(self, instrument: str) -> list[Entry]:
        """The entries of an instrument by number, as they stand: `ledger.problems` says whether they are sound.

        Releases from before there were entries come first, by wave and number, and are chained on the fly: the first entry
        that was made as one holds the hash of the last of them, and so vouches for all.
        """
        rows = self._rows("releases", instrument).sort("entry", WAVE, "release_number", nulls_last=False).collect()
        entries: list[Entry] = []
        for row in rows.select(RELEASES_SCHEMA.keys()).iter_rows(named=True):
            entries.append(chained(entries, _old(row)) if row["entry"] is None else _entry(row))
        return entries

    def add_entry(self, new: Entry) -> Entry:
        """Enter what happened as the next of its instrument's entries, in one commit; gives it with its number and hashes.

        Raises `WarehouseBusy` if another run entered something at the same time.
        """
        after = self.version("releases") if self.exists("releases") else None
        entry = chained(self.ledger(new.instrument), new)
        rows = pl.DataFrame([asdict(entry)], schema=RELEASES_SCHEMA)
        how = {"mode": "error"} if after is None else {"mode": "append", "schema_mode": "merge"}
        self._write("releases", _Stream([rows], rows.clear()), how, {INSTRUMENT: new.instrument}, after)
        return entry

    def add_release(
        self, stored: StoredRelease, kind: Kind = Kind.RELEASE, notes: dict[str, Any] | None = None
    ) -> Entry:
        """Enter a release, or the proposal of one. `notes` are exported with the ledger: see `ledger.Entry`."""
        release = stored.release
        return self.add_entry(
            Entry(
                instrument=release.instrument.name,
                kind=kind,
                wave=release.wave,
                release_number=release.release_number,
                fingerprint=stored.fingerprint,
                correction=release.correction,
                responses_version=stored.responses_version,
                tally_version=stored.tally_version,
                instrument_definition=stored.instrument_definition,
                document=release.model_dump_json(),
                notes=json.dumps(notes, sort_keys=True) if notes else None,
            )
        )

    def instruments(self) -> list[str]:
        """The instruments of which the warehouse holds waves."""
        if not self.exists("waves"):
            return []
        return self.scan("waves").select(INSTRUMENT).unique().sort(INSTRUMENT).collect().to_series().to_list()

    def waves(self, instrument: str) -> list[dict[str, Any]]:
        """The rows of `waves` for an instrument, by wave."""
        return list(self._rows("waves", instrument).sort(WAVE).collect().iter_rows(named=True))


def _as_tally(there: Collection[str]) -> list[pl.Expr]:
    """The columns of a tally. What was counted before there were weights has none of their sums: they are null."""
    known = [pl.col(name) for name in TALLY_SCHEMA if name in there]
    return known + [pl.lit(None, dtype=kind).alias(name) for name, kind in TALLY_SCHEMA.items() if name not in there]


@contextmanager
def for_the_owner_alone() -> Iterator[None]:
    """New files and folders are the owner's alone, also where the folder that they come into is open to others."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def _make_folder(folder: Path) -> list[Path]:
    """Make a folder with what is above it; gives what was not there before, the innermost first."""
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        raise WrongUsage(
            f"The folder '{folder}' cannot be made for the warehouse.", "Choose another one with --home or --warehouse."
        ) from None
    return made


def _leave_no_trace(folder: Path, made: Iterable[Path]) -> None:
    """Folders that were made and into which nothing came go again; while they are held, so that nobody else uses them."""
    if any(path.is_file() and path.name != LOCK for path in folder.rglob("*")):
        return
    for path in made:
        with suppress(OSError):
            shutil.rmtree(path) if path == folder else path.rmdir()


def latest(releases: Iterable[StoredRelease]) -> dict[str, StoredRelease]:
    """For each wave, the release in force: the last correction."""
    return {stored.release.wave: stored for stored in releases}


def stored_release(entry: Entry) -> StoredRelease:
    """The release that an entry holds: of a release or a proposal."""
    held = asdict(entry)
    return StoredRelease(
        release=Release.model_validate(json.loads(held["document"])),
        **{field.name: held[field.name] for field in fields(StoredRelease) if field.name != "release"},
    )


def _old(row: dict[str, Any]) -> Entry:
    """A release from before there were entries, not yet placed."""
    known = {name: value for name, value in row.items() if value is not None}
    return Entry(**{**known, "kind": Kind.RELEASE})


def _entry(row: dict[str, Any]) -> Entry:
    """An entry as it stands, also where somebody has given it a kind that there is not."""
    return Entry(**{**row, "kind": Kind(row["kind"]) if row["kind"] in set(Kind) else row["kind"]})


class _LocalTable(DeltaTable):
    """A table in a folder of any name: deltalake writes spaces and accents of the folder as in a web address, and then the
    files are not found.
    """

    def file_uris(self, *filters: Any, **more: Any) -> list[str]:
        root = self.table_uri.removeprefix("file://")
        uris: list[str] = super().file_uris(*filters, **more)
        return [unquote(root) + uri.removeprefix(root) if uri.startswith(root) else uri for uri in uris]


class _Stream:
    """Frames on their way into a table. What stops them is kept: the writer would wrap it, and quote it."""

    def __init__(self, frames: Iterable[pl.DataFrame], schema: pl.DataFrame) -> None:
        self.frames, self.schema = frames, schema
        self.stopped_by: BaseException | None = None

    def reader(self) -> arro3.RecordBatchReader:
        return arro3.RecordBatchReader.from_batches(arro3.Table.from_arrow(self.schema).schema, self._batches())

    def _batches(self) -> Iterator[arro3.RecordBatch]:
        try:
            for frame in self.frames:
                yield from arro3.Table.from_arrow(frame.rechunk()).to_batches()
        except (Exception, KeyboardInterrupt) as error:
            self.stopped_by = error
            # Its words stay on this side: a null among them, as in a hostile label, would end the whole process.
            raise RuntimeError("stopped") from None


def known_wave(warehouse: Warehouse, instrument: str, wave: str) -> dict[str, Any]:
    """The row of a wave that must have been read; raises `WrongUsage` naming the waves there are."""
    row = warehouse.wave(instrument, wave)
    if row is None:
        there = [known[WAVE] for known in warehouse.waves(instrument)]
        raise WrongUsage(
            f"The warehouse holds no wave '{wave}' of '{instrument}'.",
            f"Waves there: {', '.join(there)}." if there else "Run it first.",
        )
    return row

"""Storage: the only room that opens the warehouse, a folder or object-store URL of Delta tables.

What belongs here: reading and writing tables, one wave at a time in one commit, and keeping two runs out of each other's
way. What does not: what the tables mean. `waves` is written last: it names the versions of the other tables that make up a
wave, so a run killed at any moment leaves the last good wave in force.

Tables: `responses/<instrument>`, `diaries/<instrument>` (person-weeks), `quarantine` and `corrections` (by instrument and
wave), `tallies`, `diary_tallies`, `waves`, `releases` (append-only).
"""

import json
import os
import secrets
import shutil
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
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
from survey_pipeline.names import EXPOSURE, INSTRUMENT, LEVEL, OUTCOME, RESPONDENT, WAVE
from survey_pipeline.person_weeks import DIARY_SCHEMA
from survey_pipeline.release import Release

LOCK = ".lock"
KEY_BYTES = 32
BY_WAVE = (INSTRUMENT, WAVE)
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
}
"""One row a wave: what it was made of, and in which table versions it lies; versions of tallies are null until it is
counted, and those of diaries where the survey has none."""
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
}
"""One row a release, never changed: `document` is its release.json."""


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

    def _write(self, table: str, stream: "_Stream", how: dict[str, Any], key: dict[str, str]) -> int:
        try:
            with _for_the_owner_alone():
                write_deltalake(
                    self._uri(table),
                    stream.reader(),
                    partition_by=list(key) or None,
                    commit_properties=CommitProperties(custom_metadata=key),
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
        """All releases of an instrument, by wave and then number: the ledger."""
        rows = self._rows("releases", instrument).sort(WAVE, "release_number").collect()
        return [_stored(row) for row in rows.iter_rows(named=True)]

    def add_release(self, stored: StoredRelease) -> None:
        """Enter a release in the ledger."""
        release = stored.release
        row = {
            INSTRUMENT: release.instrument.name,
            WAVE: release.wave,
            "release_number": release.release_number,
            "fingerprint": stored.fingerprint,
            "correction": release.correction,
            "responses_version": stored.responses_version,
            "tally_version": stored.tally_version,
            "instrument_definition": stored.instrument_definition,
            "document": release.model_dump_json(),
        }
        self.append("releases", pl.DataFrame([row], schema=RELEASES_SCHEMA), {INSTRUMENT: release.instrument.name})

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
def _for_the_owner_alone() -> Iterator[None]:
    """New files and folders are the owner's alone, also where the warehouse's own folder is open to others."""
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


def _stored(row: dict[str, Any]) -> StoredRelease:
    return StoredRelease(
        release=Release.model_validate(json.loads(row["document"])),
        fingerprint=row["fingerprint"],
        responses_version=row["responses_version"],
        tally_version=row["tally_version"],
        instrument_definition=row["instrument_definition"],
    )


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
            raise


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

"""Folder: published files as anybody has them, read back into a release and attacked.

What belongs here: reading the tables of a report, with or without its `release.json`, and whether the two say the same. What
does not: the attack (`attacked`), and what a label holds (`labels`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import polars as pl
from pydantic import ValidationError

from survey_pipeline import names
from survey_pipeline.auditing.attacked import CONTRADICTORY, Audit, Audited, attacked
from survey_pipeline.auditing.labels import Understood, levels_of
from survey_pipeline.diary import diary_tables
from survey_pipeline.errors import InputRefused
from survey_pipeline.instrument import Instrument
from survey_pipeline.ledger import Entry, Problem, unknown_reports
from survey_pipeline.outcomes import exposures
from survey_pipeline.policy import policy_in_force
from survey_pipeline.proof.told import Told
from survey_pipeline.reading import Tell, silently
from survey_pipeline.release import (
    FORMAT,
    TIDY_SCHEMA,
    InstrumentSummary,
    Policy,
    Release,
    Row,
)
from survey_pipeline.spreadsheets import harmless_frame, unguarded

RELEASE = "release.json"
NOT_TIDY = ("comparisons.csv", "tests.csv")
"""Tables of a report that follow from the others."""
DIARY_KEPT = "diary_kept"


def audit_folder(
    folder: Path,
    instrument: Instrument,
    policy: Policy | None = None,
    ledger: Sequence[Entry] = (),
    tell: Tell = silently,
) -> Audit:
    """Audit a report, or copies of its tables, as an outsider has them.

    With `release.json`, its levels, policy, stages and certificate are used, and the tables must say the same. Without it,
    `policy` is taken (default: the one in force here), and levels are read from their labels. `ledger`: entries of which the
    release must be one. Raises `InputRefused` for a folder that is no report of this survey.
    """
    published = Published(folder, instrument)
    return published.audit(policy or policy_in_force(instrument), ledger, tell)


def altered_reports(release_documents: Mapping[str, str]) -> list[Problem]:
    """The tables that do not say what the `release.json` beside them says; its path and text are given."""
    found: list[Problem] = []
    for path, text in release_documents.items():
        try:
            release = Release.model_validate_json(text)
        except ValidationError:
            continue  # said of the ledger already
        found += altered_tables(Path(path).parent, release)
    return found


def altered_tables(folder: Path, release: Release) -> Iterator[Problem]:
    """The tables of a folder that do not say what a release says."""
    frames = {table: release.frame(table) for table in release.tables}
    frames |= {"comparisons": release.comparison_frame(), "tests": release.test_frame()}
    for table, path in tables_in(folder).items():
        if table in frames and (said := _differs(path, harmless_frame(frames[table]))):
            yield Problem(release.instrument.name, f"{path} {said}")


def tables_in(folder: Path) -> dict[str, Path]:
    """The tables by name: in a report they lie in a folder of their own."""
    inside = folder / "tables"
    return {path.stem: path for path in sorted((inside if inside.is_dir() else folder).glob("*.csv"))}


@dataclass(frozen=True)
class Published:
    """The files of a folder."""

    folder: Path
    instrument: Instrument

    def audit(self, policy: Policy, ledger: Sequence[Entry], tell: Tell) -> Audit:
        problems = self.problems + tuple(self._not_in_ledger(ledger))
        release, remarks = (self.release, ()) if self.release else self._from_tables(policy)
        self._refuse_other_survey(release)
        release, more = self._known(release)
        plain = replace(
            self._plain(release), remarks=(*_said_of(release), *self._made_otherwise(release), *remarks, *more)
        )
        if release.format != FORMAT:
            return Audit(problems, (replace(plain, not_proved=f"it is of an older format ({release.format})"),))
        tell(f"attack {release.instrument.name} {release.wave}", len(release.rows))
        return self._attacked(release, plain, problems)

    def _attacked(self, release: Release, plain: Audited, problems: tuple[Problem, ...]) -> Audit:
        from survey_pipeline.proof.attack import Contradiction

        try:
            found = attacked([Told(release, self.instrument.in_wave(release.wave))])
        except Contradiction:
            return Audit((*problems, Problem(self.instrument.name, f"{self.folder}: {CONTRADICTORY}")))
        told = replace(plain, hidden=found.hidden, shown=found.shown, unsettled=found.unsettled, solver=found.solver)
        return Audit(problems, (told,))

    def _plain(self, release: Release) -> Audited:
        return Audited(
            title=str(self.folder),
            instrument=release.instrument.name,
            wave=release.wave,
            release_number=release.release_number or None,
            policy=release.policy.name,
            is_certified=release.proof is not None,
        )

    # --- release.json -------------------------------------------------------------------------------------------------

    @cached_property
    def release(self) -> Release | None:
        """The release as it was published; None where there is none, or none that can be read."""
        text = self._release_text
        try:
            return None if text is None else Release.model_validate_json(text)
        except ValidationError:
            return None

    @cached_property
    def _release_text(self) -> str | None:
        path = self.folder / RELEASE
        return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else None

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Where the files of the folder contradict each other."""
        if self._release_text is not None and self.release is None:
            said = f"{self.folder / RELEASE} is no release that can be read"
            return (Problem(self.instrument.name, said),)
        return tuple(altered_tables(self.folder, self.release)) if self.release else ()

    def _not_in_ledger(self, ledger: Sequence[Entry]) -> list[Problem]:
        text = self._release_text
        return [] if text is None or not ledger else unknown_reports(ledger, {str(self.folder / RELEASE): text})

    # --- Tables -------------------------------------------------------------------------------------------------------

    def _from_tables(self, policy: Policy) -> tuple[Release, tuple[str, ...]]:
        """A release of the rows of the tables, and what had to be left out."""
        rows = [row for path in tables_in(self.folder).values() if path.name not in NOT_TIDY for row in rows_of(path)]
        if not rows:
            raise InputRefused(
                f"The folder '{self.folder}' holds no published tables.",
                "Give the folder of a report, such as reports/magnesium/2026-03, or one with copies of its tables as CSV.",
            )
        of = {(row.instrument, row.wave) for row in rows}
        if len(of) > 1:
            raise InputRefused(
                f"The folder '{self.folder}' holds tables of several waves.", "Put each wave into a folder of its own."
            )
        return self._made_of(rows, policy)

    def _made_of(self, rows: Sequence[Row], policy: Policy) -> tuple[Release, tuple[str, ...]]:
        understood = self._levels(rows)
        gone = {(name, label) for name, found in understood.items() for label in found.unknown}
        named = self.instrument
        release = Release(
            instrument=InstrumentSummary(
                name=rows[0].instrument, title=named.title, version=named.version, fingerprint=named.fingerprint
            ),
            wave=rows[0].wave,
            release_number=0,
            correction=None,
            provenance=names.REAL,
            inputs_sha256=(),
            policy=policy,
            stages=(),
            levels={name: found.levels for name, found in understood.items()},
            rows=tuple(row for row in rows if (row.exposure, row.level) not in gone),
        )
        left_out = (
            f"left out, since it cannot be told whom it holds: '{label}' of {name}" for name, label in sorted(gone)
        )
        return release, tuple(left_out)

    def _levels(self, rows: Sequence[Row]) -> Mapping[str, Understood]:
        found: dict[str, dict[str, None]] = {}
        for row in (each for each in rows if each.exposure in self._exposures):
            mine = found.setdefault(row.exposure, {})
            if row.level != names.ALL_LEVELS:
                mine[row.level] = None
        return {name: levels_of(self.instrument, name, list(labels)) for name, labels in found.items()}

    # --- The survey ---------------------------------------------------------------------------------------------------

    def _refuse_other_survey(self, release: Release) -> None:
        if release.instrument.name != self.instrument.name:
            raise InputRefused(
                f"The folder '{self.folder}' is of the survey '{release.instrument.name}', not of "
                f"'{self.instrument.name}'.",
                "Give that survey's instrument with --instrument.",
            )

    def _made_otherwise(self, release: Release) -> tuple[str, ...]:
        if release.instrument.fingerprint == self.instrument.fingerprint:
            return ()
        return (f"made with another state of the instrument (version {release.instrument.version}) than the one given",)

    def _known(self, release: Release) -> tuple[Release, tuple[str, ...]]:
        """Without rows of which the instrument does not know what they are about."""
        known = [self._is_known(row, release) for row in release.rows]
        rows = tuple(row for row, is_known in zip(release.rows, known, strict=True) if is_known)
        strange = {row.table for row, is_known in zip(release.rows, known, strict=True) if not is_known}
        levels = {name: found for name, found in release.levels.items() if name in self._exposures}
        said = (f"left out in part, since the instrument does not ask all of it: {table}" for table in sorted(strange))
        return release.model_copy(update={"rows": rows, "levels": levels}), tuple(said)

    def _is_known(self, row: Row, release: Release) -> bool:
        labels = {level.label for level in release.levels.get(row.exposure, ())} | {names.ALL_LEVELS}
        return (row.exposure, row.outcome) in self._outcomes and row.level in labels

    @cached_property
    def _outcomes(self) -> frozenset[tuple[str, str]]:
        """What there can be rows of, by exposure and name; how many people there are stands by itself."""
        found = {(name, one.name) for name, outcomes in exposures(self.instrument).items() for one in outcomes}
        for table in diary_tables(self.instrument):
            found |= {(table.exposure, outcome) for outcome in (names.RESPONDENTS, DIARY_KEPT, *table.outcomes)}
        return frozenset({*found, (names.RESPONDENTS, names.RESPONDENTS)})

    @property
    def _exposures(self) -> frozenset[str]:
        return frozenset(exposure for exposure, _ in self._outcomes if exposure != names.RESPONDENTS)


def _said_of(release: Release) -> Iterator[str]:
    beside = [
        f"release {number} of wave {wave}" for wave, number in (release.proof.together_with if release.proof else ())
    ]
    if beside:
        yield f"attacked by itself: it was proved together with {' and '.join(beside)} too"


# --- Reading ----------------------------------------------------------------------------------------------------------


def rows_of(path: Path) -> list[Row]:
    """The rows of a published table; none of a file that is no such table.

    Raises `InputRefused` for a table in which something else stands where a number belongs.
    """
    frame = _read(path, TIDY_SCHEMA)
    if frame is None:
        return []
    try:
        return [Row.model_validate(_unguarded(row)) for row in frame.iter_rows(named=True)]
    except ValidationError:
        raise InputRefused(f"The file '{path}' is no published table.", "Take the file as it was published.") from None


def _unguarded(row: Mapping[str, object]) -> dict[str, object]:
    return {name: unguarded(value) if isinstance(value, str) else value for name, value in row.items()}


def _read(path: Path, schema: Mapping[str, pl.DataType | type[pl.DataType]]) -> pl.DataFrame | None:
    """The columns of a table; None where it has not all of them."""
    try:
        texts = pl.read_csv(path, infer_schema=False)
        return texts.select(pl.col(name).cast(kind) for name, kind in schema.items())
    except pl.exceptions.ColumnNotFoundError:
        return None
    except (pl.exceptions.PolarsError, OSError, UnicodeDecodeError):
        raise InputRefused(f"The file '{path}' is no published table.", "Take the file as it was published.") from None


def _differs(path: Path, released: pl.DataFrame) -> str | None:
    """What a table says otherwise than the release, in words; None where they say the same."""
    try:
        there = _read(path, released.schema)
    except InputRefused:
        return "holds something else than numbers where these belong"
    if there is None or there.height != released.height:
        return f"has other rows or columns than {RELEASE} beside it"
    if there.equals(released):
        return None
    pairs = zip(there.iter_rows(named=True), released.iter_rows(named=True), strict=True)
    row, what = next((told, name) for told, mine in pairs for name in mine if told[name] != mine[name])
    about = ", ".join(str(row[name]) for name in (names.LEVEL, names.OUTCOME, names.STATISTIC) if row.get(name))
    return f"does not say what {RELEASE} beside it says: {what} of {about}"

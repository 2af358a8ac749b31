"""History: a whole ledger is proved again, release by release, from what stands in it alone.

What belongs here: which entries were tampered with, and which releases are attacked together. What does not: the attack
(`attacked`), and opening the warehouse: entries and reports are given.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pydantic import ValidationError

from survey_pipeline.auditing.attacked import CONTRADICTORY, Attacked, Audit, Audited, attacked
from survey_pipeline.instrument import Instrument
from survey_pipeline.ledger import (
    Entry,
    Kind,
    Problem,
    by_instrument,
    hash_of,
    hashed,
    not_continued,
    problems,
    unknown_reports,
)
from survey_pipeline.proof.told import Told
from survey_pipeline.reading import Tell, silently
from survey_pipeline.release import FORMAT
from survey_pipeline.stages import told_together
from survey_pipeline.storage import StoredRelease, stored_release


def audit_ledger(
    entries: Sequence[Entry],
    release_documents: Mapping[str, str] | None = None,
    kept: Sequence[Entry] = (),
    tell: Tell = silently,
) -> Audit:
    """Look for tampering, and attack every release anew as its readers could.

    `release_documents`: the `release.json` of published reports, by path and with their text. `kept`: a ledger that was
    exported earlier, of which this one must be the continuation.
    """
    found = [*problems(entries), *unknown_reports(entries, release_documents or {}), *not_continued(kept, entries)]
    audited = [one for _, chain in by_instrument(entries) for one in _of_chain(chain, tell)]
    return Audit((*found, *(each for each, _ in audited if each)), tuple(each for _, each in audited if each))


def _of_chain(chain: Sequence[Entry], tell: Tell) -> Iterator[tuple[Problem | None, Audited | None]]:
    """A problem for what cannot be, what was found of the rest."""
    released = [_Released.of(entry) for entry in chain if entry.kind is Kind.RELEASE and is_as_entered(entry)]
    readable = [one.stored for one in released if one.stored]
    for one in released:
        yield one.audited(readable, tell)


def is_as_entered(entry: Entry) -> bool:
    """Whether an entry holds what was entered; what was tampered with is not attacked."""
    return entry.sha256 == hash_of(entry) and entry.document_sha256 == hashed(str(entry.document))


@dataclass(frozen=True)
class _Released:
    """A release of the ledger; `stored` is None where this version cannot read it."""

    entry: Entry
    stored: StoredRelease | None

    @classmethod
    def of(cls, entry: Entry) -> "_Released":
        try:
            Instrument.model_validate_json(entry.instrument_definition or "")
            return cls(entry, stored_release(entry))
        except ValidationError:
            return cls(entry, None)

    @property
    def _plain(self) -> Audited:
        entry = self.entry
        return Audited(
            title=f"{entry.instrument}: entry {entry.entry}, {entry.title}",
            instrument=entry.instrument,
            wave=entry.wave or "",
            release_number=entry.release_number,
            entry=entry.entry,
        )

    def audited(self, readable: Sequence[StoredRelease], tell: Tell) -> tuple[Problem | None, Audited | None]:
        """What was found of the release, or the problem that its numbers cannot be."""
        from survey_pipeline.proof.attack import Contradiction

        if self.stored is None:
            return None, replace(self._plain, not_proved="this version of the program cannot read it")
        if why := _not_proved(self.stored, readable):
            return None, replace(self._plain, not_proved=why)
        told = _told(self.stored, readable)
        tell(f"attack {self.entry.instrument} {self.entry.wave}", len(self.stored.release.rows))
        try:
            return None, self._with(attacked(told), self.stored)
        except Contradiction:
            return Problem(self.entry.instrument, f"{self._plain.title}: {CONTRADICTORY}", self.entry.entry), None

    def _with(self, found: Attacked, stored: StoredRelease) -> Audited:
        proof = stored.release.proof
        beside = proof.together_with if proof else ()
        return replace(
            self._plain,
            policy=stored.release.policy.name,
            solver=found.solver,
            together_with=tuple(f"release {number} of wave {wave}" for wave, number in beside),
            hidden=found.hidden,
            shown=found.shown,
            unsettled=found.unsettled,
            is_certified=True,
        )


def _not_proved(stored: StoredRelease, readable: Sequence[StoredRelease]) -> str | None:
    release = stored.release
    if release.format != FORMAT:
        return f"it is of an older format ({release.format}), from before there were proofs"
    if release.proof is None:
        return "it has no proof"
    there = {(one.release.wave, one.release.release_number) for one in readable}
    missing = [f"release {number} of wave {wave}" for wave, number in release.proof.together_with]
    gone = [name for name, about in zip(missing, release.proof.together_with, strict=True) if about not in there]
    return f"it was proved together with {' and '.join(gone)}, which cannot be read here" if gone else None


def _told(stored: StoredRelease, readable: Sequence[StoredRelease]) -> list[Told]:
    """The earlier releases that a release was proved together with, and itself."""
    instrument = Instrument.model_validate_json(stored.instrument_definition)
    about = set(stored.release.proof.together_with) if stored.release.proof else set()
    return [*told_together(readable, about, instrument), Told(stored.release, instrument.in_wave(stored.release.wave))]

"""The ledger: what was published, proposed, rejected and withdrawn, each entry holding the hash of the one before it.

What belongs here: an entry, how entries are chained, what is wrong with a chain, and the file to which a ledger is exported.
What does not: where it is kept (`storage`), and who may decide what (`approval`).

Whoever can rewrite the whole table can also hash it anew. Against that, keep an exported ledger elsewhere: `not_continued`
compares it with the ledger of today.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from survey_pipeline.errors import InputRefused
from survey_pipeline.release import Release

NOTHING_BEFORE: Final = "0" * 64
"""What the first entry has in the place of the hash of the one before it."""
NOT_HASHED: Final = frozenset({"document", "sha256"})
"""Parts that an entry is not hashed over: the document stands in it by its own hash, so that it can be verified where the
document may not be shown."""


class Kind(StrEnum):
    """What an entry says."""

    RELEASE = "release"
    PROPOSAL = "proposal"
    """A release that waits for somebody's approval."""
    REJECTION = "rejection"
    WITHDRAWAL = "withdrawal"


@dataclass(frozen=True)
class Entry:
    """One entry. All of it but the document of a proposal is exported: nothing here may hold what may not be told to anybody,
    such as an exact number of people.
    """

    instrument: str
    kind: Kind
    wave: str | None = None
    """None where the entry is about no wave in particular."""
    release_number: int | None = None
    fingerprint: str | None = None
    correction: str | None = None
    responses_version: int | None = None
    tally_version: int | None = None
    instrument_definition: str | None = None
    document: str | None = None
    """The release as JSON. A rejection has none, and in an exported ledger a proposal has none either."""
    document_sha256: str | None = None
    by: str | None = None
    """Who decided."""
    reason: str | None = None
    notes: str | None = None
    """Whatever else belongs to it, as JSON."""
    entry: int = 0
    """From 1; 0 for what is not entered yet."""
    previous_sha256: str = ""
    sha256: str = ""

    @property
    def title(self) -> str:
        """What the entry is, for people."""
        number = f" {self.release_number}" if self.release_number is not None else ""
        wave = f" of wave {self.wave}" if self.wave is not None else ""
        return f"the {self.kind}{number}{wave}"

    @property
    def notes_read(self) -> dict[str, Any]:
        """The notes; none where there are none."""
        return dict(json.loads(self.notes)) if self.notes else {}


@dataclass(frozen=True)
class Problem:
    """Something that is not as it was entered."""

    instrument: str
    what: str
    """One plain sentence that names the entry or the file."""
    entry: int | None = None

    def __str__(self) -> str:
        return self.what


# --- Chaining ---------------------------------------------------------------------------------------------------------


def chained(entries: Sequence[Entry], new: Entry) -> Entry:
    """`new` as the next entry of its instrument's chain, after `entries`."""
    last = entries[-1] if entries else None
    placed = replace(
        new,
        entry=last.entry + 1 if last else 1,
        document_sha256=new.document_sha256 if new.document is None else hashed(new.document),
        previous_sha256=last.sha256 if last else NOTHING_BEFORE,
    )
    return replace(placed, sha256=hash_of(placed))


def hash_of(entry: Entry) -> str:
    """SHA-256 of the canonical JSON (keys sorted, no spaces, UTF-8) of all parts but those in `NOT_HASHED`. What is None
    is left out: an entry keeps its hash when entries get a new part one day.
    """
    told = {name: value for name, value in asdict(entry).items() if value is not None and name not in NOT_HASHED}
    return hashed(canonical(told))


def hashed(text: str) -> str:
    """SHA-256 of a text in UTF-8."""
    return sha256(text.encode()).hexdigest()


def canonical(document: Mapping[str, Any]) -> str:
    """The one way in which a JSON document is written to be hashed."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


# --- Verifying --------------------------------------------------------------------------------------------------------


def problems(entries: Iterable[Entry]) -> list[Problem]:
    """What is wrong with the chains of one or more instruments, each chain in the order of its entries' numbers."""
    return [problem for _, chain in by_instrument(entries) for problem in _in_chain(chain)]


def by_instrument(entries: Iterable[Entry]) -> Iterator[tuple[str, list[Entry]]]:
    """The chain of each instrument, by name and then number."""
    ordered = sorted(entries, key=lambda entry: (entry.instrument, entry.entry))
    for instrument, chain in groupby(ordered, lambda entry: entry.instrument):
        yield instrument, list(chain)


def _in_chain(chain: Sequence[Entry]) -> Iterator[Problem]:
    number, sha = 0, NOTHING_BEFORE
    for entry in chain:
        if entry.entry != number + 1:
            yield Problem(entry.instrument, _gap(number, entry), entry.entry)
        elif entry.previous_sha256 != sha:
            yield _problem(entry, "what stands before it is not what stood there when it was entered")
        if not _is_as_entered(entry):
            yield _problem(entry, "its content is not what was entered")
        number, sha = entry.entry, entry.sha256


def _gap(before: int, entry: Entry) -> str:
    if entry.entry <= before:
        return f"entry {entry.entry} is there more than once"
    missing = range(before + 1, entry.entry)
    if len(missing) == 1:
        return f"entry {missing[0]} is missing"
    return f"entries {missing[0]} to {missing[-1]} are missing"


def _is_as_entered(entry: Entry) -> bool:
    """A release shows its document; of others, it may be missing."""
    if entry.document is None:
        return entry.sha256 == hash_of(entry) and entry.kind is not Kind.RELEASE
    return entry.sha256 == hash_of(entry) and entry.document_sha256 == hashed(entry.document)


def _problem(entry: Entry, what: str) -> Problem:
    return Problem(entry.instrument, f"entry {entry.entry}, {entry.title}: {what}", entry.entry)


def not_continued(kept: Iterable[Entry], entries: Iterable[Entry]) -> list[Problem]:
    """Where a ledger that was exported earlier (`kept`) is not the beginning of the ledger of today: entries that are gone or
    that are others now. This is what shows that the last entries were cut off, or all of them written anew.
    """
    today = {(entry.instrument, entry.entry): entry.sha256 for entry in entries}
    found = []
    for entry in kept:
        there = today.get((entry.instrument, entry.entry))
        if there != entry.sha256:
            what = "is not in the ledger any more" if there is None else "is another one in the ledger now"
            found.append(_problem(entry, f"it was exported, and {what}"))
    return found


def unknown_reports(entries: Iterable[Entry], release_documents: Mapping[str, str]) -> list[Problem]:
    """Which `release.json` files, by path and with their text, are no release of the ledger: altered, or never entered (or
    entered and then cut off). An earlier release of a corrected wave is known too.
    """
    releases = [entry for entry in entries if entry.kind is Kind.RELEASE and entry.document is not None]
    known = {_as_read_today(str(entry.document)) for entry in releases}
    entered = {(entry.instrument, entry.wave, entry.release_number) for entry in releases}
    found = (_unknown(path, text, known, entered) for path, text in sorted(release_documents.items()))
    return [problem for problem in found if problem]


def _unknown(path: str, text: str, known: set[str | None], entered: set[tuple[Any, ...]]) -> Problem | None:
    sha = _as_read_today(text)
    if sha is None:
        return Problem("", f"{path} is no release that can be read")
    if sha in known:
        return None
    release = Release.model_validate_json(text)
    name, wave, number = release.instrument.name, release.wave, release.release_number
    if (name, wave, number) in entered:
        return Problem(name, f"{path} is not the release {number} of wave {wave} that was entered in the ledger")
    return Problem(name, f"{path} holds a release {number} of wave {wave} that is not in the ledger")


def _as_read_today(text: str) -> str | None:
    """The hash of a release however it is laid out, and with the parts that releases have got since; None if it is none."""
    try:
        return hashed(canonical(Release.model_validate_json(text).model_dump(mode="json")))
    except ValidationError:
        return None


# --- Files ------------------------------------------------------------------------------------------------------------


def exported(entries: Iterable[Entry]) -> bytes:
    """Chains as JSON lines, an entry a line in canonical form, by instrument and number. Of what is not (or not yet)
    published, the hash of the document stands for it.
    """
    shown = (entry for _, chain in by_instrument(entries) for entry in chain)
    lines = [canonical(asdict(_for_anybody(entry))) + "\n" for entry in shown]
    return "".join(lines).encode()


def _for_anybody(entry: Entry) -> Entry:
    return entry if entry.kind is Kind.RELEASE else replace(entry, document=None)


def read_ledger(path: Path) -> list[Entry]:
    """The entries of an exported ledger, as they stand there: `problems` says whether they are sound.

    Raises `InputRefused` for a file that is no exported ledger.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
        return [_entry(line) for line in lines[:-1]] if lines[-1] == "" else _cut_off(path)
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, ValidationError):
        raise InputRefused(
            f"The file '{path.name}' is no exported ledger.",
            "Give a file that `survey-pipeline history --ledger FILE` has written.",
        ) from None


def _cut_off(path: Path) -> list[Entry]:
    raise InputRefused(
        f"The last line of '{path.name}' is cut off.", "Export the ledger again, or copy the file again."
    )


_NAMES: Final = {field.name for field in fields(Entry)}
_IN_ALL: Final = {"instrument", "kind", "entry", "previous_sha256", "sha256"}
_ADAPTER: Final = TypeAdapter(Entry)


def _entry(line: str) -> Entry:
    document = json.loads(line)
    if not isinstance(document, dict) or not _IN_ALL <= document.keys() <= _NAMES:
        raise json.JSONDecodeError("not an entry", "", 0)
    return _ADAPTER.validate_python(document)

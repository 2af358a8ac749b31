"""Linting: a written text, read from its file, beside the release it quotes, wherever that lies.

What belongs here: finding the release in force and the one before it, reading and writing files, and the words about it at a
terminal. What does not: the checks (`lint`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from survey_pipeline.drift import incomparable
from survey_pipeline.errors import InputRefused, WrongUsage
from survey_pipeline.instrument import Instrument, load_instrument
from survey_pipeline.language import language_of, speaking
from survey_pipeline.lint import Finding, Severity, errors, fill, lint
from survey_pipeline.plural import n_of
from survey_pipeline.release import Release
from survey_pipeline.reports import release_documents, write_file
from survey_pipeline.request import Places
from survey_pipeline.storage import Warehouse, latest
from survey_pipeline.translated import in_language, translations, with_labels

GATE = 4
"""The exit code where a text has findings that keep it from being sent."""
_LARGEST = 5_000_000
"""Bytes: no newsletter is longer, and a mistyped name of a film or a warehouse is told at once."""


@dataclass(frozen=True)
class Published:
    """A release with its instrument, as it was when the release was made."""

    release: Release
    instrument: Instrument


@dataclass(frozen=True)
class Linted:
    """What was found in a file. `language`: in which it was read and is spoken of; `filled`: where its text was
    written with the references filled.
    """

    file: str
    instrument: str
    wave: str
    language: str
    findings: tuple[Finding, ...]
    filled: str | None = None

    @property
    def exit_code(self) -> int:
        """0 where nothing keeps the text from being sent."""
        return GATE if errors(self.findings) else 0

    def as_json(self) -> dict[str, Any]:
        """One document: what was checked against what, and every finding."""
        counts = {one.value: sum(found.severity is one for found in self.findings) for one in Severity}
        return {
            "file": self.file,
            "instrument": self.instrument,
            "wave": self.wave,
            "language": self.language,
            "filled": self.filled,
            "counts": counts,
            "findings": [found.as_json() for found in self.findings],
        }

    def in_words(self) -> list[str]:
        """The findings for a terminal, what keeps the text from being sent first."""
        with speaking(self.language):
            lines = [
                one.in_words(self.file)
                for one in sorted(self.findings, key=lambda one: list(Severity).index(one.severity))
            ]
        return [*lines, self._in_all(), *([f"Filled: {self.filled}"] if self.filled else [])]

    def _in_all(self) -> str:
        found = len(errors(self.findings))
        others = len(self.findings) - found
        beside = f" {n_of(others, 'remark')} beside." if others else ""
        against = f"checked against {self.instrument} {self.wave}"
        return f"{self.file}: {n_of(found, 'finding') if found else 'nothing to mend'}, {against}.{beside}"


def lint_file(path: Path, places: Places, wave: str | None = None, out: Path | None = None) -> Linted:
    """Check a text against the release in force: of the instrument and language of `places`, else of the only instrument
    there is and in its own language; of `wave`, else of the newest. `out`: where the text is written, references filled.

    Raises `InputRefused` if the file cannot be read, `WrongUsage` if there is no such release or `out` cannot be written.
    """
    text = _read(path)
    published = _published(places)
    chosen = wave or max(published)
    if chosen not in published:
        raise WrongUsage(f"The wave '{chosen}' has not been published.", f"Published: {', '.join(sorted(published))}.")
    now = published[chosen]
    before = published.get(max((one for one in published if one < chosen), default=""))
    language = places.language or now.instrument.language
    shown, instrument = _in_words(now, places, language)
    previous = _in_words(before, places, language)[0] if before else None
    broken = incomparable(before.instrument, now.instrument) if before else frozenset()
    found = lint(text, shown, instrument, previous, incomparable=broken, language=language, suffix=path.suffix)
    if out:
        _write(fill(text, shown, instrument, language=language)[0], out, path)
    name = now.release.instrument.name
    return Linted(str(path), name, chosen, language, found, str(out) if out else None)


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > _LARGEST:
            raise InputRefused(f"The file '{path.name}' is too large for a newsletter.", "Check its name.")
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise InputRefused(
            f"The file '{path.name}' cannot be read as UTF-8 text.", "Check its name, or save it again as UTF-8."
        ) from None


def _write(text: str, out: Path, source: Path) -> None:
    if out.resolve() == source.resolve():
        raise WrongUsage("The filled text would replace the text with the references.", "Choose another --fill.")
    try:
        write_file(out, text.encode())
    except OSError:
        raise WrongUsage(f"The file '{out}' cannot be written.", "Choose another --fill.") from None


def _in_words(found: Published, places: Places, language: str) -> tuple[Release, Instrument]:
    """A release and its instrument with the labels that readers of a language see."""
    own = language_of(language) == language_of(found.instrument.language)
    words = None if own else translations(places.instrument or found.instrument.name, language)
    shown = in_language(found.instrument, language, words) if words else found.instrument
    with speaking(language):
        return with_labels(found.release, found.instrument, shown), shown


# --- Where releases lie ------------------------------------------------------------------------------------------------


def _published(places: Places) -> dict[str, Published]:
    """The releases in force by wave: from the warehouse, else from the folder of reports."""
    store = Warehouse(places.warehouse_location)
    stored = store.instruments()
    name = _name(places, sorted({*stored, *_in_reports(places.reports_folder)}))
    if name in stored and (ledger := latest(store.releases(name))):
        return {
            wave: Published(one.release, Instrument.model_validate_json(one.instrument_definition))
            for wave, one in ledger.items()
        }
    documents = release_documents(places.reports_folder, [name])
    if not documents:
        raise WrongUsage(f"Nothing of '{name}' has been published here yet.", "Say where with --home, or run a wave.")
    instrument = load_instrument(places.instrument or name)
    releases = [_release(path, text) for path, text in documents.items()]
    return {release.wave: Published(release, instrument.in_wave(release.wave)) for release in releases}


def _release(path: str, text: str) -> Release:
    try:
        return Release.model_validate_json(text)
    except ValidationError:
        raise InputRefused(f"'{path}' is no release.", "Render the report again: survey-pipeline report.") from None


def _in_reports(folder: Path) -> Sequence[str]:
    return sorted({path.parent.parent.name for path in folder.glob("*/*/release.json")})


def _name(places: Places, known: Sequence[str]) -> str:
    """The instrument that was asked for, else the only one there is."""
    if places.instrument is not None:
        return places.instrument if places.instrument in known else load_instrument(places.instrument).name
    if len(known) != 1:
        there = f"There are: {', '.join(known)}." if known else "Say where with --home."
        problem = "There are several surveys." if known else "Nothing has been published here yet."
        raise WrongUsage(problem, f"{'Choose one with --instrument. ' if known else ''}{there}")
    return known[0]

"""The render stage: reports from the ledger, made again only where something changed.

What belongs here: which reports a release changes, what each is made from, and where it goes. What does not: what stands in a
report (`render`), and how it is known that nothing changed (`made_from`).
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from survey_pipeline.assemble import release_before
from survey_pipeline.drift import incomparable
from survey_pipeline.errors import WrongUsage
from survey_pipeline.instrument import Instrument
from survey_pipeline.language import language_of
from survey_pipeline.look import load_theme
from survey_pipeline.made_from import Note, digest_of
from survey_pipeline.reports import write_file, write_files
from survey_pipeline.request import Places
from survey_pipeline.stages import ReleasedWave
from survey_pipeline.storage import StoredRelease, Warehouse, latest
from survey_pipeline.translated import translations

if TYPE_CHECKING:
    from survey_pipeline.render import Style

Ledger = Sequence[StoredRelease]
PAGES = ("index.html", "newsletter.md")
"""What a run names at its end, of all the files of a report."""


def render_wave(places: Places, released: ReleasedWave) -> tuple[str, ...]:
    """The report of a wave, of the wave after it (which tells what changed), and the list of waves; those that would be made
    from what they were made from, and lie there as they were made, are left as they are.

    Gives the paths of this wave's pages.
    """
    ledger = Warehouse(places.warehouse_location).releases(released.instrument)
    waves = sorted(latest(ledger))
    mine = waves.index(released.wave)
    _render(places, ledger, waves[mine : mine + 2])
    return _pages(places, released.instrument, released.wave)


def render_again(places: Places, instrument: str, wave: str | None = None) -> tuple[str, ...]:
    """Reports from the ledger alone, whether or not something changed: of one wave, or of all of them; gives the paths of
    their pages.
    """
    warehouse = Warehouse(places.warehouse_location)
    ledger = warehouse.releases(instrument)
    _refuse_unpublished(latest(ledger), instrument, wave)
    waves = [wave] if wave else sorted(latest(ledger))
    with warehouse.held():
        _render(places, ledger, waves, anew=True)
    return tuple(page for each in waves for page in _pages(places, instrument, each))


def _refuse_unpublished(ledger: Mapping[str, StoredRelease], instrument: str, wave: str | None) -> None:
    if not ledger:
        raise WrongUsage(f"Nothing of '{instrument}' has been published from this warehouse yet.", "Run a wave first.")
    if wave is not None and wave not in ledger:
        raise WrongUsage(
            f"The wave '{wave}' of '{instrument}' has not been published.", f"Published: {', '.join(sorted(ledger))}."
        )


def _pages(places: Places, instrument: str, wave: str) -> tuple[str, ...]:
    return tuple(str(places.report_folder(instrument, wave) / page) for page in PAGES)


def _render(places: Places, ledger: Ledger, waves: Sequence[str], *, anew: bool = False) -> None:
    """The reports of some waves, and the list of all."""
    for wave in waves:
        _render_one(places, ledger, latest(ledger)[wave], anew)
    _render_index(places, ledger, anew)


# --- The report of a wave ---------------------------------------------------------------------------------------------


def _render_one(places: Places, ledger: Ledger, stored: StoredRelease, anew: bool) -> None:
    folder = places.report_folder(stored.release.instrument.name, stored.release.wave)
    note = Note.about(folder, places.reports_folder)
    digest = digest_of("a wave", *_origins(places, [*_before(ledger, stored), stored]))
    if anew or not note.holds(digest):
        files = report_files(places, ledger, stored)
        write_files(folder, files)
        note.write(digest, files)


def report_files(places: Places, ledger: Ledger, stored: StoredRelease) -> dict[str, bytes]:
    """The files of a report by path: of a release in the ledger, or of one that is proposed beside it."""
    from survey_pipeline.render import render  # the plotting library takes half a second to import

    instrument, before = _asked(stored), _before(ledger, stored)
    broken = incomparable(_asked(before[0]), instrument) if before else frozenset()
    previous = before[0].release if before else None
    return render(stored.release, instrument, previous, broken, _style(places, instrument))


def _before(ledger: Ledger, stored: StoredRelease) -> list[StoredRelease]:
    """The release in force of the wave before, if there is one."""
    found = release_before([one.release for one in ledger], stored.release.wave)
    return [latest(ledger)[found.wave]] if found else []


def _asked(stored: StoredRelease) -> Instrument:
    """The instrument as it was when a release was made."""
    return Instrument.model_validate_json(stored.instrument_definition)


# --- The list of waves ------------------------------------------------------------------------------------------------


def _render_index(places: Places, ledger: Ledger, anew: bool) -> None:
    in_force = [stored for _, stored in sorted(latest(ledger).items())]
    folder = places.reports_folder / in_force[-1].release.instrument.name
    note = Note.about(folder, places.reports_folder, shared=True)
    digest = digest_of("the list", *_origins(places, in_force))
    if anew or not note.holds(digest):
        files = _index_files(places, in_force)
        for name, content in files.items():
            write_file(folder / name, content)
        note.write(digest, files)


def _index_files(places: Places, in_force: Ledger) -> dict[str, bytes]:
    from survey_pipeline.render import render_index

    changed = {now.release.wave: incomparable(_asked(before), _asked(now)) for before, now in pairwise(in_force)}
    instrument = _asked(in_force[-1])
    return render_index([stored.release for stored in in_force], instrument, changed, _style(places, instrument))


# --- What they are made from ------------------------------------------------------------------------------------------


def _style(places: Places, instrument: Instrument) -> "Style":
    """How reports are written: in the language that was asked for, else the instrument's, with what lies beside its file."""
    from survey_pipeline.render import Style

    language = places.language or instrument.language
    where = places.instrument or instrument.name
    own = language_of(language) == language_of(instrument.language)
    return Style(language, None if own else translations(where, language), load_theme(where))


def _origins(places: Places, releases: Ledger) -> Iterator[str]:
    """All that the files made of these releases depend on, the newest one's style included, as texts."""
    for stored in releases:
        yield stored.release.model_dump_json()
        yield stored.instrument_definition
    instrument = _asked(releases[-1])
    style = _style(places, instrument)
    yield style.spoken(instrument)
    yield style.of(instrument).model_dump_json() if style.words else ""
    yield from (style.theme.file.model_dump_json(), style.theme.logo, style.theme.font)

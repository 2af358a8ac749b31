"""Reviewing: putting a proposal before a reviewer, and doing what the reviewer decides.

What belongs here: writing and removing the review bundle, and entering an approval or a rejection. What does not: what a
bundle holds and what may be decided (`approval`), and making the proposal (`stages`).
"""

import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import polars as pl

from survey_pipeline.approval import PAGE, Proposed, bundle, decided, marks, waiting
from survey_pipeline.assemble import earlier_levels
from survey_pipeline.coarsen import coarsen
from survey_pipeline.errors import NotSafeToPublish
from survey_pipeline.estimate import estimate
from survey_pipeline.instrument import Instrument
from survey_pipeline.ledger import Entry, Kind, problems
from survey_pipeline.person_weeks import diary_rows
from survey_pipeline.policy import policy_in_force
from survey_pipeline.released_people import keep_people
from survey_pipeline.rendering import render_wave, report_files
from survey_pipeline.reports import write_files
from survey_pipeline.request import Places, RunRequest
from survey_pipeline.stages import ReleasedWave, released_wave
from survey_pipeline.storage import StoredRelease, Warehouse, for_the_owner_alone, known_wave, stored_release

# --- What waits -------------------------------------------------------------------------------------------------------


def show_proposal(request: RunRequest, waits: ReleasedWave) -> tuple[str, ...]:
    """Write the review bundle of what waits, readable by its owner alone; gives the path of the page to begin with."""
    warehouse = Warehouse(request.warehouse_location)
    entry = waiting(warehouse.ledger(waits.instrument), waits.wave)
    assert entry is not None, "a run has just met it"
    folder = request.review_folder(waits.instrument, waits.wave)
    files = bundle(_proposed(warehouse, request, entry))
    with for_the_owner_alone():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        write_files(folder, files)
    return (str(folder / PAGE),)


def _proposed(warehouse: Warehouse, request: RunRequest, entry: Entry) -> Proposed:
    ledger, stored = warehouse.releases(entry.instrument), stored_release(entry)
    earlier = [one.release for one in ledger if one.release.wave == entry.wave]
    why = marks(_exact(warehouse, ledger, stored), stored.release, earlier)
    files = report_files(request, ledger, stored)
    return Proposed(stored.release, entry, why, files, _options(request))


def _exact(warehouse: Warehouse, ledger: Sequence[StoredRelease], stored: StoredRelease) -> pl.DataFrame:
    """The estimates that a proposal was made of, as `estimate.ESTIMATES_SCHEMA`: only their counts are looked at.

    A run has just read the same inputs, so the tallies in force are those of the proposal.
    """
    release, wave = stored.release, stored.release.wave
    asked = Instrument.model_validate_json(stored.instrument_definition).in_wave(wave)
    row = known_wave(warehouse, asked.name, wave)
    tally = warehouse.tally(asked.name, wave, row["tally_version"])
    known = earlier_levels([one.release for one in ledger], wave, asked)
    levels = coarsen(tally, asked, release.policy, known) | earlier_levels([release], wave, asked)
    weeks = warehouse.diary_tally(asked.name, wave, row["diary_tally_version"])
    return pl.concat([estimate(tally, asked, levels), diary_rows(weeks, asked, levels)])


def _options(request: RunRequest) -> tuple[str, ...]:
    """What names the survey, the wave and the places in a command that can be copied."""
    given = ["--instrument", request.instrument, "--wave", request.wave]
    places = {"--home": request.home, "--warehouse": request.warehouse, "--reports": request.reports}
    for option, value in {**places, "--language": request.language}.items():
        given += [option, str(value)] if value not in (None, Path()) else []
    return tuple(given)


# --- What is decided --------------------------------------------------------------------------------------------------


def approve(places: Places, instrument: Instrument, wave: str, by: str, reason: str) -> tuple[Entry, tuple[str, ...]]:
    """Publish what waits, as it was proposed; gives its entry in the ledger and the paths of the wave's pages.

    Raises `WrongUsage` if nothing waits, `NotSafeToPublish` if the ledger is not as it was entered or has grown since, or if
    the policy has changed.
    """
    warehouse = Warehouse(places.warehouse_location)
    with warehouse.held():
        entries = warehouse.ledger(instrument.name)
        new = decided(entries, instrument.name, wave, Kind.RELEASE, by, reason)
        stored = stored_release(new)
        _refuse_altered(entries)
        _refuse_other_policy(stored, instrument)
        keep_people(warehouse, stored)
        entry = _entered(warehouse, places, new)
        return entry, render_wave(places, released_wave(stored.release, is_new=True))


def reject(places: Places, instrument: Instrument, wave: str, by: str, reason: str) -> Entry:
    """Put away what waits; the same inputs are not proposed again. Raises `WrongUsage` if nothing waits."""
    warehouse = Warehouse(places.warehouse_location)
    with warehouse.held():
        entries = warehouse.ledger(instrument.name)
        return _entered(warehouse, places, decided(entries, instrument.name, wave, Kind.REJECTION, by, reason))


def _refuse_altered(entries: Sequence[Entry]) -> None:
    if found := problems(entries):
        raise NotSafeToPublish(
            f"The ledger is not as it was entered: {found[0]}.", "Find out who changed the warehouse, and when."
        )


def _refuse_other_policy(stored: StoredRelease, instrument: Instrument) -> None:
    if stored.release.policy != policy_in_force(instrument):
        raise NotSafeToPublish(
            "The disclosure policy has changed since this was proposed.", "Run the wave again: it is then made anew."
        )


def _entered(warehouse: Warehouse, places: Places, new: Entry) -> Entry:
    """The bundle goes first: whatever stops this in between, none is left of what waits no more, and a run makes it again."""
    _remove_bundle(places, new.instrument, str(new.wave))
    return warehouse.add_entry(new)


def _remove_bundle(places: Places, instrument: str, wave: str) -> None:
    """The bundle of a wave, and the folders that held nothing else."""
    folder = places.review_folder(instrument, wave)
    shutil.rmtree(folder, ignore_errors=True)
    for above in (folder.parent, folder.parent.parent):
        with suppress(OSError):
            above.rmdir()

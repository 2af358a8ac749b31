"""Checking: the commands whose exit code is the answer.

What belongs here: audit, of what was published, and lint, of what somebody wrote about it. What does not: how either is
judged (`auditing`, `linting`).
"""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Annotated

import typer

from survey_pipeline import auditing
from survey_pipeline.cli.options import (
    AsJson,
    Home,
    Language,
    OptionalWave,
    Quiet,
    ReportsAt,
    WarehouseAt,
    setting,
    wave_if_given,
)
from survey_pipeline.cli.showing import show
from survey_pipeline.console import echo, progress
from survey_pipeline.errors import WrongUsage
from survey_pipeline.instrument import load_instrument
from survey_pipeline.ledger import Entry, read_ledger
from survey_pipeline.policy import load_policy, policy_for
from survey_pipeline.reading import Tell
from survey_pipeline.reports import release_documents
from survey_pipeline.request import Places
from survey_pipeline.storage import Warehouse


def audit(
    folders: Annotated[
        list[Path] | None, typer.Argument(help="Published reports, or folders with copies of their tables.")
    ] = None,
    instrument: Annotated[str | None, setting("--instrument", "-i", help="A shipped instrument or a path.")] = None,
    policy: Annotated[
        Path | None,
        typer.Option("--policy", help="The rules they were published under, where no release.json says so."),
    ] = None,
    ledger: Annotated[
        Path | None,
        typer.Option("--ledger", help="A ledger that `history --ledger` wrote, instead of the warehouse's."),
    ] = None,
    kept: Annotated[
        Path | None, typer.Option("--kept", help="A ledger exported earlier: is that of today its continuation?")
    ] = None,
    home: Home = Path(),
    warehouse: WarehouseAt = None,
    reports: ReportsAt = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Prove all that was published again, from the ledger or from published files alone.

    Exit codes: 0 intact and proved, 3 tampered with, 4 not all of it could be proved, 5 somebody is given away.
    """
    if kept if folders else policy:
        raise WrongUsage("--policy is for published files, and --kept for a ledger.", "Leave the other one out.")
    entries = read_ledger(ledger) if ledger else None
    with progress(quiet=quiet) as tell:
        if folders:
            found = _audit_folders(folders, instrument, policy, entries or [], tell)
        else:
            places = Places(home=home, warehouse=warehouse, reports=reports)
            found = _audit_history(places, instrument, entries, read_ledger(kept) if kept else [], tell)
    show(auditing.as_json(found), as_json, quiet, lambda: echo("\n".join(auditing.words_of(found))))
    raise typer.Exit(found.exit_code)


def _audit_folders(
    folders: Sequence[Path], instrument: str | None, policy: Path | None, ledger: Sequence[Entry], tell: Tell
) -> auditing.Audit:
    if instrument is None:
        raise WrongUsage("The questions of the survey are needed.", "Give its instrument with --instrument.")
    loaded = load_instrument(instrument)
    rules = None if policy is None else policy_for(loaded, load_policy(policy))
    return auditing.together([auditing.audit_folder(each, loaded, rules, ledger, tell) for each in folders])


def _audit_history(
    places: Places, instrument: str | None, given: Sequence[Entry] | None, kept: Sequence[Entry], tell: Tell
) -> auditing.Audit:
    store = Warehouse(places.warehouse_location)
    known = store.instruments() if given is None else sorted({entry.instrument for entry in given})
    wanted = known if instrument is None else [_name_of(instrument, known)]
    entries = [entry for name in wanted for entry in store.ledger(name)] if given is None else given
    mine, before = ([entry for entry in some if entry.instrument in wanted] for some in (entries, kept))
    documents = release_documents(places.reports_folder, wanted)
    altered = auditing.Audit(tuple(auditing.altered_reports(documents)))
    return auditing.together([auditing.audit_ledger(mine, documents, before, tell), altered])


def _name_of(instrument: str, known: Collection[str]) -> str:
    return instrument if instrument in known else load_instrument(instrument).name


def lint(
    file: Annotated[Path, typer.Argument(help="A written text: Markdown, HTML or plain text.")],
    fill: Annotated[
        Path | None, typer.Option("--fill", "--out", "-o", help="Write the text with its references filled.")
    ] = None,
    instrument: Annotated[str | None, setting("--instrument", "-i", help="Without it, the only one there is.")] = None,
    wave: OptionalWave = None,
    home: Home = Path(),
    warehouse: WarehouseAt = None,
    reports: ReportsAt = None,
    language: Language = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Check a newsletter that somebody wrote against the release it quotes, and fill its references.

    Exit codes: 0 nothing to mend (remarks aside), 3 the file cannot be read, 4 something has to be mended.
    """
    from survey_pipeline.linting import lint_file

    places = Places(home=home, warehouse=warehouse, reports=reports, instrument=instrument, language=language)
    done = lint_file(file, places, wave_if_given(wave), fill)
    show(done.as_json(), as_json, quiet, lambda: echo("\n".join(done.in_words())))
    raise typer.Exit(done.exit_code)

"""Looking: the commands that show what is there and change none of it.

What belongs here: estimates, codebook and history. What does not: what comes of exports (`publishing`), and what was refused
(`cleaning`).
"""

import json
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from survey_pipeline import names
from survey_pipeline.cli.options import AsJson, Home, InstrumentName, Quiet, ReportsAt, WarehouseAt, WaveName
from survey_pipeline.cli.showing import show, told_of
from survey_pipeline.cli.writing import is_filled, refuse_reports_folder, something_else, write_bytes, write_csv
from survey_pipeline.console import echo, words
from survey_pipeline.errors import InputRefused, WrongUsage
from survey_pipeline.instrument import load_instrument
from survey_pipeline.ledger import Entry, Kind, exported, read_ledger
from survey_pipeline.plain import on_terminal
from survey_pipeline.plural import n_of
from survey_pipeline.request import Places, check_wave
from survey_pipeline.spreadsheets import harmless_frame
from survey_pipeline.stages import exact_estimates
from survey_pipeline.storage import Warehouse


def estimates(
    instrument: InstrumentName,
    wave: WaveName,
    home: Home = Path(),
    warehouse: WarehouseAt = None,
    reports: ReportsAt = None,
    finest: Annotated[bool, typer.Option("--finest", help="At the finest levels, before anything is merged.")] = False,
    comparisons: Annotated[bool, typer.Option("--comparisons", help="Pairs of levels instead, with p-values.")] = False,
    tests: Annotated[bool, typer.Option("--tests", help="Tests over all levels instead.")] = False,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write a CSV file instead of to stdout.")] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """The exact estimates of a wave. For the steward: NOT for publication."""
    places = Places(home=home, warehouse=warehouse, reports=reports)
    refuse_reports_folder(out, places)
    loaded = load_instrument(instrument)
    if comparisons and tests:
        raise WrongUsage("Comparisons and tests have different columns.", "Ask for --comparisons or for --tests.")
    what = "comparisons" if comparisons else "tests" if tests else "estimates"
    table = exact_estimates(places, loaded, check_wave(wave), finest=finest, what=what)
    if out:
        write_csv(table, out)
    if not quiet:
        words.print("[bold]Exact numbers: not for publication.[/bold] Keep them on this machine.")
    if as_json:
        typer.echo(json.dumps({"instrument": loaded.name, "wave": wave, what: table.to_dicts()}, allow_nan=False))
    elif not out:
        typer.echo(harmless_frame(table).write_csv(), nl=False)


class CodebookFormat(StrEnum):
    """A page to read or a table to work with."""

    PAGE = "page"
    CSV = "csv"


def codebook(
    instrument: InstrumentName,
    form: Annotated[CodebookFormat, typer.Option("--format")] = CodebookFormat.PAGE,
    as_json: AsJson = False,
) -> None:
    """What the instrument asks, as a page or a table."""
    from survey_pipeline.codebook import codebook_page, codebook_table

    loaded = load_instrument(instrument)
    if as_json:
        typer.echo(json.dumps({"instrument": loaded.name, "items": codebook_table(loaded).to_dicts()}))
    else:
        page = form is CodebookFormat.PAGE
        table = harmless_frame(codebook_table(loaded))
        typer.echo(on_terminal(codebook_page(loaded)) if page else table.write_csv(), nl=False)


def history(
    home: Home = Path(),
    warehouse: WarehouseAt = None,
    ledger: Annotated[
        Path | None, typer.Option("--ledger", help="Write the ledger, as JSON lines: keep a copy elsewhere.")
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Waves, releases and table versions, what each was made from, and who approved or rejected it."""
    store = Warehouse(Places(home=home, warehouse=warehouse).warehouse_location)
    instruments = store.instruments()
    waves = [wave for name in instruments for wave in _waves(store, name)]
    releases = [release for name in instruments for release in _releases(store, name)]
    entries = [entry for name in instruments for entry in store.ledger(name)]
    if ledger:
        _export_ledger(entries, ledger)
    document = {"waves": waves, "releases": releases, "ledger": [told_of(entry) for entry in entries]}
    show(document, as_json, quiet, lambda: _tell_history(waves, releases, entries))


def _export_ledger(entries: Sequence[Entry], out: Path) -> None:
    """Over nothing but another exported ledger."""
    if is_filled(out):
        try:
            read_ledger(out)
        except InputRefused:
            raise something_else(out, "--ledger") from None
    write_bytes(exported(entries), out, "--ledger")


def _waves(store: Warehouse, instrument: str) -> Iterator[dict[str, Any]]:
    for row in store.waves(instrument):
        exports = json.loads(row["exports"])
        yield {
            **{name: row[name] for name in (names.INSTRUMENT, names.WAVE)},
            **{name: row[name] for name in ("responses_version", "quarantine_version", "tally_version")},
            "exports": [{name: export[name] for name in ("file", "sha256", "rows_read")} for export in exports],
        }


def _releases(store: Warehouse, instrument: str) -> Iterator[dict[str, Any]]:
    for stored in store.releases(instrument):
        yield {
            "instrument": instrument,
            "wave": stored.release.wave,
            "release_number": stored.release.release_number,
            "correction": stored.release.correction,
            "inputs_sha256": list(stored.release.inputs_sha256),
            "responses_version": stored.responses_version,
            "tally_version": stored.tally_version,
        }


def _tell_history(
    waves: Sequence[dict[str, Any]], releases: Sequence[dict[str, Any]], entries: Sequence[Entry]
) -> None:
    for wave in waves:
        read = ", ".join(f"{export['file']} ({n_of(export['rows_read'], 'row')})" for export in wave["exports"])
        echo(f"{wave['instrument']} {wave['wave']} read from {read}; responses version {wave['responses_version']}")
    for entry in releases:
        inputs = ", ".join(sha[:12] for sha in entry["inputs_sha256"])
        why = f" (correction: {entry['correction']})" if entry["correction"] else ""
        where = f"responses version {entry['responses_version']}, tally version {entry['tally_version']}"
        echo(f"{entry['instrument']} {entry['wave']} release {entry['release_number']}{why}: from {inputs}; {where}")
    for decision in entries:
        if decision.kind is not Kind.RELEASE or decision.by:
            _tell_decision(decision)
    if not releases:
        echo("Nothing has been published from this warehouse yet.")


DONE = {
    Kind.RELEASE: "approved",
    Kind.PROPOSAL: "proposed",
    Kind.REJECTION: "rejected",
    Kind.WITHDRAWAL: "answers withdrawn",
}


def _tell_decision(entry: Entry) -> None:
    what = " ".join(filter(None, (entry.instrument, entry.wave)))
    number = f" release {entry.release_number}" if entry.release_number is not None else ""
    by = f" by {entry.by}" if entry.by else ""
    why = f": {entry.reason}" if entry.reason else ""
    echo(f"{what}{number} {DONE.get(entry.kind, entry.kind)}{by}{why}")

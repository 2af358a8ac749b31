"""Cleaning: the command with which a steward sees what was refused and corrects it.

What belongs here: quarantine, and the cleaning log on its way out and back. What does not: what a log says (`cleaning_log`)
and what a correction does (`corrections`).
"""

import json
from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer

from survey_pipeline import names
from survey_pipeline.cli.options import AsJson, Home, InstrumentName, Quiet, ReportsAt, WarehouseAt, WaveName
from survey_pipeline.cli.showing import show
from survey_pipeline.cli.writing import is_filled, refuse_reports_folder, something_else, write_bytes
from survey_pipeline.console import echo, words
from survey_pipeline.corrections import fingerprint, in_force, merged, of_exports, summary
from survey_pipeline.errors import InputRefused, WrongUsage
from survey_pipeline.instrument import Instrument, load_instrument
from survey_pipeline.plural import n_of
from survey_pipeline.request import Places, check_wave
from survey_pipeline.storage import Warehouse, known_wave


def quarantine(
    instrument: InstrumentName,
    wave: WaveName,
    home: Home = Path(),
    warehouse: WarehouseAt = None,
    reports: ReportsAt = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Write the cleaning log to fill in: a .xlsx or .csv file.")
    ] = None,
    apply: Annotated[
        Path | None, typer.Option("--apply", help="Take over the corrections from a filled cleaning log.")
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Refused rows and values with their reasons. What was written is shown only in the file that --out names.

    That file is a cleaning log: say in it what to do about each answer, and give it back with --apply. Corrections are
    used when the wave is run again.
    """
    places, loaded = Places(home=home, warehouse=warehouse, reports=reports), load_instrument(instrument)
    store, wave = Warehouse(places.warehouse_location), check_wave(wave)
    _refuse_log_options(out, apply, places)
    document: dict[str, Any] = {"instrument": loaded.name, "wave": wave}
    if apply:
        document["applied"] = _apply_log(store, loaded, wave, apply)
    document |= _refused_and_corrected(store, loaded.name, wave)
    if out:
        _write_log(_entries(store, loaded.name, wave), loaded, out)
    show(document, as_json, quiet, lambda: _tell_applied(document) if apply else _tell_refused(document))


def _refused_and_corrected(store: Warehouse, instrument: str, wave: str) -> dict[str, Any]:
    """Counts alone; corrections of exports that were replaced are counted apart, since they are not used."""
    refused, corrected = _refused(store, instrument, wave), in_force(store.corrections(instrument, wave))
    counts = refused.group_by(names.ITEM, names.RULE, names.WHOLE_ROW).len("n")
    mine = of_exports(corrected, _sha256s(store, instrument, wave).values())
    return {
        "refused": counts.sort(names.ITEM, names.RULE, names.WHOLE_ROW).to_dicts(),
        "corrections": summary(mine),
        "corrections_of_other_exports": corrected.height - mine.height,
    }


def _refuse_log_options(out: Path | None, apply: Path | None, places: Places) -> None:
    if out and apply:
        raise WrongUsage(
            "--out and --apply cannot be used together.", "Apply the filled log first, then write a new one."
        )
    if out and out.suffix.casefold() not in (".xlsx", ".csv"):
        raise WrongUsage("A cleaning log is a workbook or CSV.", "Give --out a name that ends in .xlsx or .csv.")
    refuse_reports_folder(out, places)


def _refused(store: Warehouse, instrument: str, wave: str) -> pl.DataFrame:
    return store.quarantine(instrument, wave, known_wave(store, instrument, wave)["quarantine_version"]).collect()


def _sha256s(store: Warehouse, instrument: str, wave: str) -> dict[str, str]:
    exports = json.loads(known_wave(store, instrument, wave)["exports"])
    return {export["file"]: export["sha256"] for export in exports}


def _entries(store: Warehouse, instrument: str, wave: str) -> pl.DataFrame:
    from survey_pipeline.cleaning_log import entries

    sha256s = _sha256s(store, instrument, wave)
    return entries(_refused(store, instrument, wave), store.corrections(instrument, wave), sha256s)


def _write_log(found: pl.DataFrame, instrument: Instrument, out: Path) -> None:
    from survey_pipeline.cleaning_log import as_csv, as_xlsx, log_of

    log = log_of(found, instrument)
    _refuse_losing(out, log)
    write_bytes(as_csv(log) if out.suffix.casefold() == ".csv" else as_xlsx(log), out)
    words.print(
        f"{n_of(log.height, 'refused or corrected answer')} in {out}. They are people's own: keep the file on this machine. "
        "Fill in what_to_do (set to, drop, keep out, take back; empty leaves it as it is), new_value and why, "
        "then give it back with --apply.",
        markup=False,
    )


def _refuse_losing(out: Path, log: pl.DataFrame) -> None:
    """A log may be written again, but over nothing else, and not over what somebody has filled in and not applied."""
    from survey_pipeline.cleaning_log import unapplied

    if not is_filled(out):
        return
    try:
        lost = unapplied(out, log)
    except InputRefused:
        raise something_else(out) from None
    if lost:
        raise WrongUsage(
            f"The file '{out}' is filled in and has not been applied.", "Apply it first, or choose another --out."
        )


def _apply_log(store: Warehouse, instrument: Instrument, wave: str, path: Path) -> dict[str, Any]:
    """Check a filled log and put its corrections into force; nothing is stored unless all of it is right."""
    from survey_pipeline.cleaning_log import check_log, read_log

    with store.held():
        found, before = _entries(store, instrument.name, wave), store.corrections(instrument.name, wave)
        given = check_log(read_log(path), found, instrument, f"'{path.name}'")
        after = merged(before, given)
        if not after.equals(before):
            store.put_corrections(instrument.name, wave, after)
    n, changed = in_force(given).height, fingerprint(after) != fingerprint(before)
    return {"file": path.name, "corrections": n, "taken_back": given.height - n, "changed": changed}


def _tell_applied(document: dict[str, Any]) -> None:
    done = document["applied"]
    changed = "" if done["changed"] else " Nothing has changed."
    echo(f"{done['file']}: {n_of(done['corrections'], 'correction')}, {done['taken_back']} taken back.{changed}")
    _tell_corrections(document)
    if done["changed"]:
        echo('Run the wave again to use them; one that is published asks for --correction "why".')


def _tell_refused(document: dict[str, Any]) -> None:
    for row in document["refused"]:
        counted = "counted as other" if row[names.RULE] == names.Rule.OTHER_TEXT else "value refused"
        what = "row set aside" if row[names.WHOLE_ROW] else counted
        echo(f"{row[names.ITEM] or 'whole row'}: {row[names.RULE]}, {what}, {n_of(row['n'], 'time')}")
    if not document["refused"]:
        echo("Nothing was refused.")
    _tell_corrections(document)


def _tell_corrections(document: dict[str, Any]) -> None:
    n, unused = document["corrections"], document["corrections_of_other_exports"]
    if any(n.values()):
        sets, rows = n_of(n["set_to"], "answer"), n_of(n["kept_out"], "row")
        echo(f"Corrections: {sets} set, {n['dropped']} dropped, {rows} kept out.")
    if unused:
        they = "It fits" if unused == 1 else "They fit"
        echo(f"Not used: {n_of(unused, 'correction')} of exports that have been replaced. {they} no other file.")

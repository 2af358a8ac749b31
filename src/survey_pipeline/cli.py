"""The command line: words and exit codes around the pipeline.

What belongs here: arguments, exit codes and what each command shows. What does not: any step of a run, and the words that the
flows say too (`console`). With `--json`, stdout holds one JSON document and nothing else.
"""

import json
import os
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict
from enum import StrEnum
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer
from typer.exceptions import TyperException

from survey_pipeline import auditing, names
from survey_pipeline.console import STOPPED, echo, progress, tell_error, tell_exports, tell_run, words
from survey_pipeline.corrections import fingerprint, in_force, merged, of_exports, summary
from survey_pipeline.errors import AlreadyPublished, InputRefused, Rejected, UserError, WrongUsage
from survey_pipeline.exports import read_export
from survey_pipeline.ingest.dropped import refuse_answers_as_headings
from survey_pipeline.instrument import Instrument, load_instrument
from survey_pipeline.ledger import Entry, Kind, exported, read_ledger
from survey_pipeline.pipeline import run_wave
from survey_pipeline.plain import on_terminal
from survey_pipeline.plural import n_of
from survey_pipeline.policy import load_policy, policy_for
from survey_pipeline.reading import Tell, check_exports
from survey_pipeline.reports import release_documents
from survey_pipeline.request import ByHand, Places, RunRequest, check_wave
from survey_pipeline.reviewing import approve as approve_proposal
from survey_pipeline.reviewing import reject as reject_proposal
from survey_pipeline.spreadsheets import harmless_frame
from survey_pipeline.stages import exact_estimates, render_again
from survey_pipeline.storage import Warehouse, known_wave
from survey_pipeline.withdrawing import withdraw as withdraw_answers
from survey_pipeline.withdrawing import words_of as words_of_withdrawal

app = typer.Typer(
    name="survey-pipeline",
    add_completion=False,
    pretty_exceptions_enable=False,
)

Exports = Annotated[list[Path], typer.Argument(help="Exports of one wave, as the survey tool wrote them.")]
InstrumentName = Annotated[
    str, typer.Option("--instrument", "-i", envvar="SURVEY_PIPELINE_INSTRUMENT", help="A shipped instrument or a path.")
]
WaveName = Annotated[str, typer.Option("--wave", "-w", help="2026, 2026-03, 2026-Q1 or 2026-W09.")]
OptionalWave = Annotated[str | None, typer.Option("--wave", "-w", help="2026, 2026-03, 2026-Q1 or 2026-W09.")]
Home = Annotated[
    Path, typer.Option("--home", envvar="SURVEY_PIPELINE_HOME", help="The folder with warehouse/ and reports/.")
]
WarehouseAt = Annotated[
    str | None, typer.Option("--warehouse", envvar="SURVEY_PIPELINE_WAREHOUSE", help="A folder or object-store URL.")
]
ReportsAt = Annotated[
    Path | None, typer.Option("--reports", envvar="SURVEY_PIPELINE_REPORTS", help="Where reports go.")
]
Language = Annotated[
    str | None,
    typer.Option(
        "--language",
        envvar="SURVEY_PIPELINE_LANGUAGE",
        help="In which language reports are written: en, de or es. Without it, in the instrument's own.",
    ),
]
AsJson = Annotated[
    bool,
    typer.Option("--json", envvar="SURVEY_PIPELINE_JSON", help="One JSON document on stdout, and nothing else there."),
]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", envvar="SURVEY_PIPELINE_QUIET", help="Say nothing unless something is wrong.")
]
Verbose = Annotated[
    bool,
    typer.Option(
        "--verbose",
        "-v",
        envvar="SURVEY_PIPELINE_VERBOSE",
        help="Say more: why a file was read as it was, which columns were left out, which rules answers broke.",
    ),
]
Why = Annotated[
    str | None,
    typer.Option(
        "--correction",
        help="Why a published wave is made again from other inputs. Printed in the report: name nobody.",
    ),
]
ToolName = Annotated[
    str | None, typer.Option("--tool", help="The survey tool that wrote the exports, instead of detecting it.")
]
Encoding = Annotated[str | None, typer.Option("--encoding", help="Such as utf-8 or cp1252, instead of detecting it.")]
Separator = Annotated[str | None, typer.Option("--separator", help="Such as ';', instead of detecting it.")]
HeaderRows = Annotated[
    int | None, typer.Option("--header-rows", min=1, max=10, help="How many rows of headings, instead of detecting it.")
]
SheetName = Annotated[str | None, typer.Option("--sheet", help="Of a workbook: the sheet that holds the answers.")]
INTERRUPTED = 130


@app.callback(invoke_without_command=True)
def top(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Say which version this is.")] = False,
) -> None:
    """Survey exports go in; only numbers that are true, honest and safe to publish come out.

    Exit codes: 0 done, 1 a fault of ours, 2 wrong usage, 3 input refused, 4 quality gate failed, 5 not safe to publish,
    6 warehouse in use, 130 stopped from outside.
    """
    if version:
        typer.echo(metadata.version("survey-pipeline"))
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command()
def run(
    exports: Exports,
    instrument: InstrumentName,
    wave: WaveName,
    home: Home = Path(),
    warehouse: WarehouseAt = None,
    reports: ReportsAt = None,
    language: Language = None,
    correction: Why = None,
    tool: ToolName = None,
    encoding: Encoding = None,
    separator: Separator = None,
    header_rows: HeaderRows = None,
    sheet: SheetName = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Make one wave: read, validate, count, estimate, disclose, render."""
    request = RunRequest.checked(
        exports=tuple(exports),
        instrument=instrument,
        wave=wave,
        home=home,
        warehouse=warehouse,
        reports=reports,
        language=language,
        correction=correction,
        by_hand=ByHand(tool=tool, encoding=encoding, separator=separator, header_rows=header_rows, sheet=sheet),
    )
    with progress(quiet=quiet) as tell:
        done = run_wave(request, tell=tell)
    _show(done.as_json(), as_json, quiet, lambda: tell_run(done, request, verbose=verbose))


@app.command()
def check(
    exports: Exports,
    instrument: Annotated[
        str | None,
        typer.Option(
            "--instrument", "-i", envvar="SURVEY_PIPELINE_INSTRUMENT", help="Without it, only how a file reads."
        ),
    ] = None,
    wave: OptionalWave = None,
    tool: ToolName = None,
    encoding: Encoding = None,
    separator: Separator = None,
    header_rows: HeaderRows = None,
    sheet: SheetName = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Read and validate exports; write nothing."""
    by_hand = ByHand(tool=tool, encoding=encoding, separator=separator, header_rows=header_rows, sheet=sheet).given
    if instrument is None:
        read = _how_they_read(exports, by_hand)
        _show(read, as_json, quiet, lambda: _tell_how_they_read(read["exports"], verbose=verbose))
        return
    loaded = load_instrument(instrument)
    with progress(quiet=quiet) as tell:
        found = check_exports(exports, loaded, tell, by_hand, None if wave is None else check_wave(wave))
    document = {"instrument": loaded.name, "wave": wave, "exports": [asdict(report) for report in found]}
    _show({**document, "releases": [], "reports": []}, as_json, quiet, lambda: tell_exports(found, verbose=verbose))


def _how_they_read(exports: Sequence[Path], by_hand: Mapping[str, Any]) -> dict[str, Any]:
    def described(path: Path) -> dict[str, Any]:
        export = read_export(path, **by_hand)
        refuse_answers_as_headings(export)
        return {
            "file": path.name,
            "sha256": export.sha256,
            "tool": export.tool,
            "encoding": export.encoding,
            "separator": export.separator,
            "header_rows": export.header_rows,
            "rows_read": export.records,
            "rows_irregular": len(export.irregular),
            "columns_read": len(export.headings),
            "headings": list(export.headings),
            "detected_because": export.detected_because,
        }

    read = [described(path) for path in exports]
    return {"instrument": None, "wave": None, "exports": read, "releases": [], "reports": []}


def _tell_how_they_read(exports: Sequence[Mapping[str, Any]], *, verbose: bool = False) -> None:
    for found in exports:
        echo(
            f"{found['file']}: {n_of(found['rows_read'], 'row')}, {n_of(found['columns_read'], 'column')}"
            f" ({found['detected_because']})"
        )
        if verbose:
            echo("\n".join(f"  {heading}" for heading in found["headings"]))


class Tool(StrEnum):
    """Survey tools whose exports can be invented, spelt as `sample.TOOLS` (which would have to be imported for its names)."""

    GOOGLE_FORMS = "google_forms"
    LIMESURVEY = "limesurvey"
    LIMESURVEY_TEXT = "limesurvey_text"
    REDCAP = "redcap"
    REDCAP_LABELS = "redcap_labels"
    KOBO = "kobo"
    ODK = "odk"
    QUALTRICS = "qualtrics"
    QUALTRICS_LEGACY = "qualtrics_legacy"
    QUALTRICS_TSV = "qualtrics_tsv"
    SURVEYMONKEY = "surveymonkey"
    SURVEYMONKEY_ONE_ROW = "surveymonkey_one_row"
    MICROSOFT_FORMS = "microsoft_forms"
    CSV = "csv"
    XLSX = "xlsx"
    PARQUET = "parquet"
    SPSS = "spss"
    STATA = "stata"


@app.command()
def sample(
    instrument: InstrumentName,
    wave: WaveName,
    out: Annotated[Path, typer.Option("--out", "-o", help="The file to write.")],
    rows: Annotated[int, typer.Option(min=0, help="How many people to invent.")] = 1200,
    tool: Annotated[str, typer.Option(help=f"Which tool's format: {', '.join(Tool)}.")] = Tool.GOOGLE_FORMS,
    seed: Annotated[int, typer.Option(help="The same seed gives the same file.")] = 1,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Invent an export, clearly labelled as invented."""
    from survey_pipeline.sample import load_plan, write_sample

    _refuse_replacing_answers(out)
    plan = load_plan(instrument)
    summary = write_sample(load_instrument(instrument), plan, check_wave(wave), rows, seed, out, tool)
    _show(asdict(summary), as_json, quiet, lambda: words.print(f"Invented data: {rows} people in {out}"))


def _refuse_replacing_answers(out: Path) -> None:
    """Only an invented export may be replaced by an invented export."""
    if out.is_file() and out.stat().st_size and not read_export(out).is_invented:
        raise WrongUsage(f"The file '{out}' is there already and is not invented.", "Choose another --out.")


@app.command()
def backfill(
    folder: Annotated[Path, typer.Argument(help="A folder of waves: sub-folders or files named after them.")],
    instrument: InstrumentName,
    home: Home = Path(),
    warehouse: WarehouseAt = None,
    reports: ReportsAt = None,
    language: Language = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Make every wave found in a folder, in order. Waves that were published from other inputs stay as they are."""
    from survey_pipeline.waves import find_waves

    runs = []
    for wave, exports in find_waves(folder).items():
        request = RunRequest.checked(
            exports=exports,
            instrument=instrument,
            wave=wave,
            home=home,
            warehouse=warehouse,
            reports=reports,
            language=language,
        )
        try:
            with progress(quiet=quiet) as tell:
                runs.append(run_wave(request, tell=tell))
        except (AlreadyPublished, Rejected) as error:
            words.print(on_terminal(f"{error.problem} It stays as it is."), markup=False)
            continue
        if not quiet and not as_json:
            tell_run(runs[-1], request, verbose=verbose)
    if as_json:
        typer.echo(json.dumps({"waves": [done.as_json() for done in runs]}, indent=2))


@app.command()
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
    _refuse_reports_folder(out, places)
    loaded = load_instrument(instrument)
    if comparisons and tests:
        raise WrongUsage("Comparisons and tests have different columns.", "Ask for --comparisons or for --tests.")
    what = "comparisons" if comparisons else "tests" if tests else "estimates"
    table = exact_estimates(places, loaded, check_wave(wave), finest=finest, what=what)
    if out:
        _write_csv(table, out)
    if not quiet:
        words.print("[bold]Exact numbers: not for publication.[/bold] Keep them on this machine.")
    if as_json:
        typer.echo(json.dumps({"instrument": loaded.name, "wave": wave, what: table.to_dicts()}, allow_nan=False))
    elif not out:
        typer.echo(harmless_frame(table).write_csv(), nl=False)


def _refuse_reports_folder(out: Path | None, places: Places) -> None:
    if out and out.resolve().is_relative_to(places.reports_folder.resolve()):
        raise WrongUsage("What is not for publication may not be written among the reports.", "Choose another --out.")


def _write_csv(table: pl.DataFrame, out: Path) -> None:
    """Write what is not for publication: readable by its owner alone, and over nothing but a file of the same kind."""
    _refuse_overwriting(out, table.clear().write_csv().strip())
    try:
        with open(out, "wb", opener=_for_the_owner) as file:
            harmless_frame(table).write_csv(file)
    except OSError:
        raise WrongUsage(f"The file '{out}' cannot be written.", "Choose another --out.") from None


def _for_the_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _refuse_overwriting(out: Path, first_line: str) -> None:
    """A file may be made again, but never lose what another one held: a name is easily mistyped as an export's."""
    if not out.is_file() or out.stat().st_size == 0:
        return
    with out.open("rb") as file:
        there = file.readline().decode("utf-8", errors="replace").lstrip("\ufeff").strip()
    if there != first_line:
        raise WrongUsage(f"The file '{out}' is there already and holds something else.", "Choose another --out.")


@app.command()
def report(
    instrument: InstrumentName,
    wave: OptionalWave = None,
    home: Home = Path(),
    warehouse: WarehouseAt = None,
    reports: ReportsAt = None,
    language: Language = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Render the reports again, from the releases alone."""
    places = Places(home=home, warehouse=warehouse, reports=reports, instrument=instrument, language=language)
    paths = render_again(places, load_instrument(instrument).name, None if wave is None else check_wave(wave))
    _show({"reports": list(paths)}, as_json, quiet, lambda: echo("\n".join(paths)))


@app.command()
def translate(
    instrument: InstrumentName,
    to: Annotated[str, typer.Option("--to", help="Into which language: de or es.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Where the file goes, instead of beside the instrument.")
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Write or update the file in which a survey's own words are translated, for reports in another language."""
    from survey_pipeline.translated import draft_beside

    language = Places(language=to).language or to
    path, todo, texts = draft_beside(instrument, language, out)
    document = {"file": str(path), "texts": texts, "not_translated": todo}
    _show(document, as_json, quiet, lambda: echo(f"{path}: {todo} of {n_of(texts, 'text')} not translated yet"))


class CodebookFormat(StrEnum):
    """A page to read or a table to work with."""

    PAGE = "page"
    CSV = "csv"


@app.command()
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


@app.command()
def init(
    name: Annotated[str, typer.Argument(help="The new survey's code: small letters, digits and underscores.")],
    source: Annotated[Path, typer.Option("--from", help="An export, a REDCap data dictionary or an XLSForm.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder below which schemas/NAME/ is made.")] = Path(),
    tool: ToolName = None,
    encoding: Encoding = None,
    separator: Separator = None,
    header_rows: HeaderRows = None,
    sheet: SheetName = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Draft an instrument for a new survey. Look it through: three of its lines are to be edited."""
    from survey_pipeline.draft import draft, place_for, save

    place = place_for(name, out)
    by_hand = ByHand(tool=tool, encoding=encoding, separator=separator, header_rows=header_rows, sheet=sheet).given
    made = draft(name, source, **by_hand)
    save(made, place)
    document = {"instrument": name, "file": str(place), **made.as_json()}
    _show(document, as_json, quiet, lambda: echo("\n".join(made.told(place, source))))


@app.command()
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
    _show(document, as_json, quiet, lambda: _tell_applied(document) if apply else _tell_refused(document))


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
    _refuse_reports_folder(out, places)


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
    _write_for_the_owner(as_csv(log) if out.suffix.casefold() == ".csv" else as_xlsx(log), out)
    words.print(
        f"{n_of(log.height, 'refused or corrected answer')} in {out}. They are people's own: keep the file on this machine. "
        "Fill in what_to_do (set to, drop, keep out, take back; empty leaves it as it is), new_value and why, "
        "then give it back with --apply.",
        markup=False,
    )


def _refuse_losing(out: Path, log: pl.DataFrame) -> None:
    """A log may be written again, but over nothing else, and not over what somebody has filled in and not applied."""
    from survey_pipeline.cleaning_log import unapplied

    if not out.is_file() or out.stat().st_size == 0:
        return
    try:
        lost = unapplied(out, log)
    except InputRefused:
        raise WrongUsage(
            f"The file '{out}' is there already and holds something else.", "Choose another --out."
        ) from None
    if lost:
        raise WrongUsage(
            f"The file '{out}' is filled in and has not been applied.", "Apply it first, or choose another --out."
        )


def _write_for_the_owner(content: bytes, out: Path, option: str = "--out") -> None:
    try:
        with open(out, "wb", opener=_for_the_owner) as file:
            out.chmod(0o600)
            file.write(content)
    except OSError:
        raise WrongUsage(f"The file '{out}' cannot be written.", f"Choose another {option}.") from None


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


By = Annotated[str, typer.Option("--by", help="Who decides. Kept in the ledger for good.")]
Reason = Annotated[str, typer.Option("--reason", help="Why. Kept in the ledger for good: name nobody who answered.")]


@app.command()
def approve(
    instrument: InstrumentName,
    wave: WaveName,
    by: By,
    reason: Reason,
    home: Home = Path(),
    warehouse: WarehouseAt = None,
    reports: ReportsAt = None,
    language: Language = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Publish what waits for approval, as it was proposed. Look at its review bundle first."""
    places = Places(home=home, warehouse=warehouse, reports=reports, instrument=instrument, language=language)
    entry, pages = approve_proposal(places, load_instrument(instrument), check_wave(wave), by, reason)
    words_of = [f"{entry.instrument} {entry.wave}: published release {entry.release_number}, approved by {entry.by}"]
    document = {**_told_of(entry), "reports": list(pages)}
    _show(document, as_json, quiet, lambda: echo("\n".join([*words_of, *pages])))


@app.command()
def reject(
    instrument: InstrumentName,
    wave: WaveName,
    by: By,
    reason: Reason,
    home: Home = Path(),
    warehouse: WarehouseAt = None,
    reports: ReportsAt = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Put away what waits for approval. The same exports and settings are not proposed again; others are."""
    places = Places(home=home, warehouse=warehouse, reports=reports)
    entry = reject_proposal(places, load_instrument(instrument), check_wave(wave), by, reason)
    said = f"{entry.instrument} {entry.wave}: nothing is published, rejected by {entry.by}"
    _show(_told_of(entry), as_json, quiet, lambda: echo(said))


# Whatever is mistyped here may be somebody's code, so that no message may quote it: all of it is taken as codes.
@app.command(context_settings={"ignore_unknown_options": True})
def withdraw(
    instrument: InstrumentName,
    code: Annotated[
        list[str] | None, typer.Argument(help="The code that the person gave. Better: --code-from-file -")
    ] = None,
    code_from_file: Annotated[
        Path | None,
        typer.Option(
            "--code-from-file", help="A file that holds the code; - reads what is typed, so that no history has it."
        ),
    ] = None,
    wave: OptionalWave = None,
    home: Home = Path(),
    warehouse: WarehouseAt = None,
    reports: ReportsAt = None,
    language: Language = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Take a person's answers out of the warehouse for good, in all waves or in one.

    Their waves are published again as soon as that gives nobody away. Delete the rows in the exports and the survey tool too.
    """
    places = Places(home=home, warehouse=warehouse, reports=reports, instrument=instrument, language=language)
    given = _one_code(code or [], code_from_file)
    done = withdraw_answers(places, instrument, given, None if wave is None else check_wave(wave))
    _show(done.as_json(), as_json, quiet, lambda: echo("\n".join(words_of_withdrawal(done))))


def _one_code(codes: Sequence[str], path: Path | None) -> str:
    if len(codes) + (path is not None) != 1:
        raise WrongUsage(
            "It takes one code, and either the code itself or --code-from-file.",
            "Look at the spelling of the options; put a code with spaces into quotes.",
        )
    try:
        text = codes[0] if path is None else sys.stdin.read() if path == Path("-") else path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise WrongUsage("The file with the code cannot be read.", "Check its name.") from None
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) != 1:
        raise WrongUsage("There must be one code, on one line.", "Withdraw one person after the other.")
    return lines[0]


@app.command()
def audit(
    folders: Annotated[
        list[Path] | None, typer.Argument(help="Published reports, or folders with copies of their tables.")
    ] = None,
    instrument: Annotated[
        str | None,
        typer.Option("--instrument", "-i", envvar="SURVEY_PIPELINE_INSTRUMENT", help="A shipped instrument or a path."),
    ] = None,
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
    if policy if not folders else kept:
        raise WrongUsage("--policy is for published files, and --kept for a ledger.", "Leave the other one out.")
    entries = read_ledger(ledger) if ledger else None
    with progress(quiet=quiet) as tell:
        if folders:
            found = _audit_folders(folders, instrument, policy, entries or [], tell)
        else:
            places = Places(home=home, warehouse=warehouse, reports=reports)
            found = _audit_history(places, instrument, entries, read_ledger(kept) if kept else [], tell)
    _show(auditing.as_json(found), as_json, quiet, lambda: echo("\n".join(auditing.words_of(found))))
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


@app.command()
def lint(
    file: Annotated[Path, typer.Argument(help="A written text: Markdown, HTML or plain text.")],
    fill: Annotated[
        Path | None, typer.Option("--fill", "--out", "-o", help="Write the text with its references filled.")
    ] = None,
    instrument: Annotated[
        str | None,
        typer.Option(
            "--instrument", "-i", envvar="SURVEY_PIPELINE_INSTRUMENT", help="Without it, the only one there is."
        ),
    ] = None,
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
    done = lint_file(file, places, None if wave is None else check_wave(wave), fill)
    _show(done.as_json(), as_json, quiet, lambda: echo("\n".join(done.in_words())))
    raise typer.Exit(done.exit_code)


@app.command()
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
    waves = [entry for name in store.instruments() for entry in _waves(store, name)]
    releases = [entry for name in store.instruments() for entry in _releases(store, name)]
    entries = [entry for name in store.instruments() for entry in store.ledger(name)]
    if ledger:
        _export_ledger(entries, ledger)
    document = {"waves": waves, "releases": releases, "ledger": [_told_of(entry) for entry in entries]}
    _show(document, as_json, quiet, lambda: _tell_history(waves, releases, entries))


def _export_ledger(entries: Sequence[Entry], out: Path) -> None:
    """Over nothing but another exported ledger."""
    if out.is_file() and out.stat().st_size:
        try:
            read_ledger(out)
        except InputRefused:
            raise WrongUsage(
                f"The file '{out}' is there already and holds something else.", "Choose another --ledger."
            ) from None
    _write_for_the_owner(exported(entries), out, "--ledger")


TOLD_OF_ENTRIES = ("instrument", "entry", "kind", "wave", "release_number", "by", "reason", "sha256")


def _told_of(entry: Entry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in TOLD_OF_ENTRIES}


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


def _show(document: dict[str, Any], as_json: bool, quiet: bool, tell: Callable[[], None]) -> None:
    if as_json:
        typer.echo(json.dumps(document, indent=2, ensure_ascii=False))
    elif not quiet:
        tell()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; the exit code says what kind of trouble there was."""
    try:
        code = app(args=list(arguments) if arguments is not None else None, standalone_mode=False)
        if code == INTERRUPTED:  # typer makes an exit code of an interruption
            raise KeyboardInterrupt
        sys.exit(code)
    except (KeyboardInterrupt, typer.Abort):
        words.print(STOPPED)
        sys.exit(INTERRUPTED)
    except TyperException as error:
        words.print(error.format_message(), markup=False)
        words.print("`survey-pipeline --help` and `survey-pipeline COMMAND --help` say how to call it.", markup=False)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:
        if os.environ.get("SURVEY_PIPELINE_TRACEBACK") and not isinstance(error, UserError):
            raise
        tell_error(error)
        sys.exit(getattr(error, "exit_code", 1))

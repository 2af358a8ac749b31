"""Publishing: the commands of a steward who has exports and wants reports.

What belongs here: run, check, backfill and report, and how exports read before there is an instrument. What does not: any
step of a run (`pipeline`), and the words about one (`console`).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from survey_pipeline.cli.options import (
    AsJson,
    Encoding,
    Exports,
    HeaderRows,
    Home,
    InstrumentName,
    Language,
    OptionalWave,
    Quiet,
    ReportsAt,
    Separator,
    SheetName,
    ToolName,
    Verbose,
    WarehouseAt,
    WaveName,
    setting,
    wave_if_given,
)
from survey_pipeline.cli.showing import show
from survey_pipeline.console import echo, progress, tell_exports, tell_run, words
from survey_pipeline.errors import AlreadyPublished, Rejected
from survey_pipeline.exports import read_export
from survey_pipeline.ingest.dropped import refuse_answers_as_headings
from survey_pipeline.instrument import load_instrument
from survey_pipeline.pipeline import run_wave
from survey_pipeline.plain import on_terminal
from survey_pipeline.plural import n_of
from survey_pipeline.reading import check_exports
from survey_pipeline.rendering import render_again
from survey_pipeline.request import ByHand, Places, RunRequest


def run(
    exports: Exports,
    instrument: InstrumentName,
    wave: WaveName,
    home: Home = Path(),
    warehouse: WarehouseAt = None,
    reports: ReportsAt = None,
    language: Language = None,
    correction: Annotated[
        str | None,
        typer.Option(help="Why a published wave is made again from other inputs. Printed in the report: name nobody."),
    ] = None,
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
    show(done.as_json(), as_json, quiet, lambda: tell_run(done, request, verbose=verbose))


def check(
    exports: Exports,
    instrument: Annotated[str | None, setting("--instrument", "-i", help="Without it, only how a file reads.")] = None,
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
        show(read, as_json, quiet, lambda: _tell_how_they_read(read["exports"], verbose=verbose))
        return
    loaded = load_instrument(instrument)
    with progress(quiet=quiet) as tell:
        found = check_exports(exports, loaded, tell, by_hand, wave_if_given(wave))
    document = {"instrument": loaded.name, "wave": wave, "exports": [asdict(report) for report in found]}
    show({**document, "releases": [], "reports": []}, as_json, quiet, lambda: tell_exports(found, verbose=verbose))


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
    paths = render_again(places, load_instrument(instrument).name, wave_if_given(wave))
    show({"reports": list(paths)}, as_json, quiet, lambda: echo("\n".join(paths)))

"""The console: what a person at a terminal reads while a run is at work and when it is done.

What belongs here: progress, the words about a run, and what may be said of an error, for command line and flows.
What does not: arguments and exit codes (`cli`). Results go to stdout, progress and everything else to stderr.
"""

import shlex
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import starmap
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from survey_pipeline.drift import Drift, DriftKind, lines
from survey_pipeline.errors import UserError
from survey_pipeline.names import Exclusion
from survey_pipeline.pipeline import WaveRun
from survey_pipeline.plain import on_terminal
from survey_pipeline.plural import n_of
from survey_pipeline.reading import ExportReport, Tell, silently
from survey_pipeline.request import RunRequest

words = Console(stderr=True, highlight=False, soft_wrap=True)
VERBOSE = "--verbose shows the rules."
PERSONAL = ("named as", "holds")
"""How the reasons begin for which a column of personal data is dropped."""
STOPPED = "Stopped from outside. Nothing is half made: run again to go on."


@contextmanager
def progress(*, quiet: bool = False) -> Iterator[Tell]:
    """A progress line on stderr while a run is at work; nothing where stderr is no terminal."""
    if quiet or not words.is_terminal:
        yield silently
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TextColumn("{task.fields[rows]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=words, transient=True) as bar:
        tasks: dict[str, Any] = {}

        def tell(stage: str, rows: int) -> None:
            tasks.setdefault(stage, bar.add_task(stage, rows="") if stage not in tasks else None)
            bar.update(tasks[stage], completed=rows, rows=f"{rows:,} rows" if rows else "")

        yield tell


def tell_run(done: WaveRun, request: RunRequest | None = None, *, verbose: bool = False) -> None:
    """What a run did, for the steward: exact counts. `request`: what was asked for, so that commands can be copied."""
    tell_exports(done.exports, f"`{_quarantine(done, request)}` shows the rules.", verbose=verbose)
    _tell_drift(done.changes)
    for remark in done.remarks:
        echo(remark)
    for released in done.releases:
        what = "published" if released.is_new else "unchanged since"
        hidden = f", {released.rows_suppressed} hidden" if released.rows_suppressed else ""
        numbers = f"{released.rows_published} numbers{hidden}"
        echo(f"{done.instrument} {done.wave}: {what} release {released.release_number} ({numbers})")
    for proposed in done.proposals:
        since = "" if proposed.is_new else "still "
        echo(f"{done.instrument} {done.wave}: release {proposed.release_number} {since}waits for approval. Look at:")
    for path in (*done.reports, *done.review):
        echo(path)


def _quarantine(done: WaveRun, request: RunRequest | None) -> str:
    """The command that shows what was refused, with the places that the run was given."""
    instrument = request.instrument if request else done.instrument
    words = ["survey-pipeline", "quarantine", "--instrument", instrument, "--wave", done.wave]
    if request and request.warehouse:
        words += ["--warehouse", request.warehouse]
    elif request and request.home != Path():
        words += ["--home", str(request.home)]
    return shlex.join(words)


def echo(text: str) -> None:
    """Lines on stdout. What they quote, such as a file's headings, does nothing to the terminal."""
    typer.echo(on_terminal(text))


def tell_exports(exports: Sequence[ExportReport], which_rules: str = VERBOSE, *, verbose: bool = False) -> None:
    """What became of the rows of each export. `which_rules` says where to look for the rules that answers broke."""
    for report in exports:
        left_out = ", ".join(starmap(_left_out, report.rows_excluded.items())) or "0"
        echo(
            f"{report.file}: {n_of(report.rows_read, 'row')} read = {report.rows_kept} kept"
            f" + {report.rows_quarantined} set aside + left out: {left_out}"
        )
        echo(f"  read as {report.tool}: {report.detected_because}")
        for line in _remarks(report, which_rules):
            echo(f"  {line}")
        _tell_drift(report.drift, "  ")
        if verbose:
            _tell_more(report)


def _remarks(report: ExportReport, which_rules: str) -> Iterator[str]:
    """What the steward may want to look at."""
    refused = sum(n for rules in report.values_refused.values() for n in rules.values()) - report.rows_irregular
    if report.rows_irregular:
        n = report.rows_irregular
        yield f"{_n(n, 'row')} could not be read for certain and {'is' if n == 1 else 'are'} set aside whole"
    if refused:
        yield f"{_n(refused, 'answer')} {'was' if refused == 1 else 'were'} refused; {which_rules}"
    for item, n in report.other_texts.items():
        yield f"{_n(n, 'answer')} to {item} in people's own words: counted as 'other'"
    personal = [heading for heading, why in report.columns_dropped_because.items() if why.startswith(PERSONAL)]
    if personal:
        yield f"personal data, not stored: {', '.join(personal)}"


def _n(n: int, thing: str) -> str:
    return n_of(n, thing)


MANY: dict[str, str] = {
    reason: f"{reason.replace('_', ' ')}s" for reason in (Exclusion.EMPTY_ROW, Exclusion.IDENTICAL_ROW)
}
MANY |= {Exclusion.PREVIEW: "previews", Exclusion.REPEATED_ENTRY: "repeated entries"}
"""Reasons that are things to be counted. The others have no plural."""


def _left_out(reason: str, n: int) -> str:
    one = reason.replace("_", " ")
    return n_of(n, one, MANY.get(reason, one))


def _tell_drift(found: Iterable[Mapping[str, Any]], indent: str = "") -> None:
    """What is not as it was, or not as the instrument says, and what to do."""
    for line in lines(Drift(**{**one, "what": DriftKind(one["what"])}) for one in found):
        echo(f"{indent}{line}")


def _tell_more(report: ExportReport) -> None:
    echo(f"  sha256 {report.sha256}")
    echo(f"  columns of which nothing is stored:{'' if report.columns_dropped else ' none'}")
    for heading, why in report.columns_dropped_because.items():
        echo(f"    {heading}: {why}")
    for item, rules in report.values_refused.items():
        echo(f"  refused in {item}: {', '.join(rule + ' ' + n_of(n, 'time') for rule, n in rules.items())}")


def tell_error(error: Exception) -> None:
    """A user's error as its sentence and next step; a fault of ours by its kind and place only."""
    lines = (error.problem, error.next_step) if isinstance(error, UserError) else (fault(error),)
    for line in filter(None, lines):
        words.print(on_terminal(line), markup=False)


def fault(error: Exception) -> str:
    """What may be said of a fault of ours: its kind and place. A message or traceback could quote an answer."""
    frames = traceback.extract_tb(error.__traceback__)
    place = next((frame for frame in reversed(frames) if "survey_pipeline" in Path(frame.filename).parts), frames[-1])
    where = f"{type(error).__name__} in {Path(place.filename).name}, line {place.lineno}"
    return (
        f"A fault of ours, not of your files: {where}.\n"
        "Please report that line. SURVEY_PIPELINE_TRACEBACK=1 shows more, and may quote answers: do not share what it shows."
    )

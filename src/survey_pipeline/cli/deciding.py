"""Deciding: the commands with which a person decides what is published.

What belongs here: approve, reject and withdraw. What does not: what follows from a decision (`reviewing`, `withdrawing`).
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from survey_pipeline.cli.options import (
    AsJson,
    Home,
    InstrumentName,
    Language,
    OptionalWave,
    Quiet,
    ReportsAt,
    WarehouseAt,
    WaveName,
    wave_if_given,
)
from survey_pipeline.cli.showing import show, told_of
from survey_pipeline.console import echo
from survey_pipeline.errors import WrongUsage
from survey_pipeline.instrument import load_instrument
from survey_pipeline.request import Places, check_wave
from survey_pipeline.reviewing import approve as approve_proposal
from survey_pipeline.reviewing import reject as reject_proposal
from survey_pipeline.withdrawing import withdraw as withdraw_answers
from survey_pipeline.withdrawing import words_of

By = Annotated[str, typer.Option("--by", help="Who decides. Kept in the ledger for good.")]
Reason = Annotated[str, typer.Option("--reason", help="Why. Kept in the ledger for good: name nobody who answered.")]


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
    said = f"{entry.instrument} {entry.wave}: published release {entry.release_number}, approved by {entry.by}"
    document = {**told_of(entry), "reports": list(pages)}
    show(document, as_json, quiet, lambda: echo("\n".join([said, *pages])))


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
    show(told_of(entry), as_json, quiet, lambda: echo(said))


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
    done = withdraw_answers(places, instrument, given, wave_if_given(wave))
    show(done.as_json(), as_json, quiet, lambda: echo("\n".join(words_of(done))))


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

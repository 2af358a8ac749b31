"""Options that several commands share, each spelt once.

What belongs here: what such an option is called, whether the environment may set it, and its help. What does not: options of
a single command, which stand beside it, and what is done with any of them.
"""

from pathlib import Path
from typing import Annotated, Any

import typer

from survey_pipeline.request import check_wave


def setting(*flags: str, help: str) -> Any:
    """An option that may be set in the environment too, under the name of its first flag."""
    return typer.Option(*flags, envvar=f"SURVEY_PIPELINE_{flags[0].removeprefix('--').upper()}", help=help)


def wave_if_given(wave: str | None) -> str | None:
    """What `OptionalWave` holds, checked."""
    return None if wave is None else check_wave(wave)


Exports = Annotated[list[Path], typer.Argument(help="Exports of one wave, as the survey tool wrote them.")]
InstrumentName = Annotated[str, setting("--instrument", "-i", help="A shipped instrument or a path.")]
WAVE = typer.Option("--wave", "-w", help="2026, 2026-03, 2026-Q1 or 2026-W09.")
WaveName = Annotated[str, WAVE]
OptionalWave = Annotated[str | None, WAVE]

# Where things lie, and in which language.
Home = Annotated[Path, setting("--home", help="The folder with warehouse/ and reports/.")]
WarehouseAt = Annotated[str | None, setting("--warehouse", help="A folder or object-store URL.")]
ReportsAt = Annotated[Path | None, setting("--reports", help="Where reports go.")]
Language = Annotated[
    str | None,
    setting(
        "--language",
        help="In which language reports are written: en, de or es. Without it, in the instrument's own.",
    ),
]

# What a user says of an export, so that it is not detected.
ToolName = Annotated[
    str | None, typer.Option("--tool", help="The survey tool that wrote the exports, instead of detecting it.")
]
Encoding = Annotated[str | None, typer.Option("--encoding", help="Such as utf-8 or cp1252, instead of detecting it.")]
Separator = Annotated[str | None, typer.Option("--separator", help="Such as ';', instead of detecting it.")]
HeaderRows = Annotated[
    int | None, typer.Option("--header-rows", min=1, max=10, help="How many rows of headings, instead of detecting it.")
]
SheetName = Annotated[str | None, typer.Option("--sheet", help="Of a workbook: the sheet that holds the answers.")]

# How much is said, and in which form.
AsJson = Annotated[bool, setting("--json", help="One JSON document on stdout, and nothing else there.")]
Quiet = Annotated[bool, setting("--quiet", "-q", help="Say nothing unless something is wrong.")]
Verbose = Annotated[
    bool,
    setting(
        "--verbose",
        "-v",
        help="Say more: why a file was read as it was, which columns were left out, which rules answers broke.",
    ),
]

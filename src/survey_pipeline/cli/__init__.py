"""The command line: words and exit codes around the pipeline.

What belongs here: the commands in the order in which they are listed, and what an exit code means. Each kind of work has a
module of commands; what they share is in `options`, `showing` and `writing`. What does not: any step of a run, and the words
that the flows say too (`console`). With `--json`, stdout holds one JSON document and nothing else.
"""

import os
import sys
from collections.abc import Callable, Sequence
from importlib import metadata
from typing import Annotated

import typer
from typer.exceptions import TyperException

from survey_pipeline.cli.checking import audit, lint
from survey_pipeline.cli.cleaning import quarantine
from survey_pipeline.cli.deciding import approve, reject, withdraw
from survey_pipeline.cli.drafting import Tool, init, sample, translate
from survey_pipeline.cli.looking import codebook, estimates, history
from survey_pipeline.cli.publishing import backfill, check, report, run
from survey_pipeline.console import STOPPED, tell_error, words
from survey_pipeline.errors import UserError

__all__ = ["Tool", "app", "main"]

INTERRUPTED = 130
COMMANDS: tuple[Callable[..., None], ...] = (
    run,
    check,
    sample,
    backfill,
    estimates,
    report,
    translate,
    codebook,
    init,
    quarantine,
    approve,
    reject,
    withdraw,
    audit,
    lint,
    history,
)

app = typer.Typer(
    name="survey-pipeline",
    add_completion=False,
    pretty_exceptions_enable=False,
)


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


# Whatever is mistyped after `withdraw` may be somebody's code, so that no message may quote it: all of it is taken as codes.
for command in COMMANDS:
    app.command(context_settings={"ignore_unknown_options": command is withdraw})(command)


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

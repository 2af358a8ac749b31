"""Showing: what a command found, as JSON or in words.

What belongs here: what more than one command shows in the same way. What does not: the words about a run, which the flows
say too (`console`), and files (`writing`).
"""

import json
from collections.abc import Callable
from typing import Any

import typer

from survey_pipeline.ledger import Entry

TOLD_OF_ENTRIES = ("instrument", "entry", "kind", "wave", "release_number", "by", "reason", "sha256")


def show(document: dict[str, Any], as_json: bool, quiet: bool, tell: Callable[[], None]) -> None:
    """The document on stdout, or else `tell` unless nothing is to be said."""
    if as_json:
        typer.echo(json.dumps(document, indent=2, ensure_ascii=False))
    elif not quiet:
        tell()


def told_of(entry: Entry) -> dict[str, Any]:
    """What is shown of an entry of the ledger."""
    return {name: getattr(entry, name) for name in TOLD_OF_ENTRIES}

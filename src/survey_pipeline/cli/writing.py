"""Writing: files that are not for publication, readable by their owner alone.

What belongs here: how such a file is opened and what it may not replace. What does not: what stands in it, and reports,
which are published (`render`).
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import polars as pl

from survey_pipeline.errors import WrongUsage
from survey_pipeline.request import Places
from survey_pipeline.spreadsheets import harmless_frame


def refuse_reports_folder(out: Path | None, places: Places) -> None:
    """What lies among the reports is published with them."""
    if out and out.resolve().is_relative_to(places.reports_folder.resolve()):
        raise WrongUsage("What is not for publication may not be written among the reports.", "Choose another --out.")


def is_filled(out: Path) -> bool:
    """Whether something is there already that could be lost."""
    return out.is_file() and out.stat().st_size > 0


def something_else(out: Path, option: str = "--out") -> WrongUsage:
    """A file may be made again, but never lose what another one held: a name is easily mistyped as an export's."""
    return WrongUsage(f"The file '{out}' is there already and holds something else.", f"Choose another {option}.")


def write_csv(table: pl.DataFrame, out: Path) -> None:
    """Over nothing but a table with the same columns."""
    _refuse_overwriting(out, table.clear().write_csv().strip())
    with _for_the_owner(out, "--out") as file:
        harmless_frame(table).write_csv(file)


def _refuse_overwriting(out: Path, first_line: str) -> None:
    if not is_filled(out):
        return
    with out.open("rb") as file:
        there = file.readline().decode("utf-8", errors="replace").lstrip("\ufeff").strip()
    if there != first_line:
        raise something_else(out)


def write_bytes(content: bytes, out: Path, option: str = "--out") -> None:
    """Over whatever is there: the caller has looked at it. `option` named the file."""
    with _for_the_owner(out, option) as file:
        file.write(content)


@contextmanager
def _for_the_owner(out: Path, option: str) -> Iterator[BinaryIO]:
    try:
        with open(out, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            if out.is_file():  # one that was there may have been for everybody
                out.chmod(0o600)
            yield file
    except OSError:
        raise WrongUsage(f"The file '{out}' cannot be written.", f"Choose another {option}.") from None

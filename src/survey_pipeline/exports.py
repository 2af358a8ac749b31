"""Reading an export file: where its headings are, how it is encoded, and its rows as text.

What belongs here: everything about the file as a file, and the reason for each thing detected. Nothing is typed, renamed or
dropped: an `Export` says what stands in the file. What does not: the meaning of a column (`ingest`), or what an answer
may be (`answers`).
"""

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import polars as pl

from survey_pipeline.errors import InputRefused
from survey_pipeline.names import INVENTED_HEADING

BATCH_ROWS = 100_000
"""Rows read at a time. 100,000 rows of 80 short answers are about 150 MB as text."""


@dataclass(frozen=True)
class Export:
    """One survey tool's export, as it lies on disk."""

    path: Path
    sha256: str
    tool: str
    encoding: str
    separator: str
    header_rows: int
    headings: tuple[str, ...]
    detected_because: str

    @cached_property
    def frame(self) -> pl.DataFrame:
        """Every row and column as text, headings as in the file (a repeated one gets its column number)."""
        texts = [
            text if self.headings.index(text) == i else f"{text} [{i + 1}]" for i, text in enumerate(self.headings)
        ]
        return self._scan().collect().rename({str(i): text for i, text in enumerate(texts)})

    @property
    def is_invented(self) -> bool:
        """Whether the sample generator made it: the file says so itself."""
        return INVENTED_HEADING in self.headings

    def batches(self, columns: Sequence[int], rows: int = BATCH_ROWS) -> Iterator[pl.DataFrame]:
        """The chosen columns (named by their place, "0", "1", ...) as text, in the order of the file.

        An empty cell is null. Memory is bounded by the batch. Raises `InputRefused` where a row cannot be read.
        """
        chosen = self._scan().select(str(place) for place in columns)
        try:
            yield from chosen.collect_batches(chunk_size=rows, maintain_order=True)
        except pl.exceptions.ComputeError as error:
            raise InputRefused(*_why_unreadable(self.path.name, str(error))) from None

    def _scan(self) -> pl.LazyFrame:
        return pl.scan_csv(self.path, infer_schema=False, separator=self.separator, with_column_names=_by_place)


def _by_place(headings: list[str]) -> list[str]:
    return [str(place) for place in range(len(headings))]


def read_export(path: str | Path) -> Export:
    """Look at an export without loading it: kind, encoding, headings, and its fingerprint.

    Raises `InputRefused` for a missing, empty or unreadable file, a folder, and text that is not UTF-8.
    """
    path = Path(path)
    _refuse_what_is_no_file(path)
    headings = _headings(path)
    tool, reason = _tool(headings)
    return Export(
        path=path,
        sha256=_sha256(path),
        tool=tool,
        encoding="utf-8",
        separator=",",
        header_rows=1,
        headings=headings,
        detected_because=f"{reason}; the first line is valid UTF-8 and holds {len(headings)} headings separated by commas",
    )


def _refuse_what_is_no_file(path: Path) -> None:
    if path.is_dir():
        raise InputRefused(
            f"'{path.name}' is a folder, not an export.", "Name the files, or use `backfill` for a folder of waves."
        )
    if not path.is_file():
        raise InputRefused(f"There is no file '{path.name}'.", "Check the name and the folder, then run again.")
    if path.stat().st_size == 0:
        raise InputRefused(f"The file '{path.name}' is empty.", "Export the answers again from the survey tool.")


def _headings(path: Path) -> tuple[str, ...]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as text:
            headings = next(csv.reader(text), [])
    except UnicodeDecodeError:
        raise InputRefused(*_why_unreadable(path.name, "utf-8")) from None
    except csv.Error:
        raise InputRefused(
            f"The first line of '{path.name}' cannot be read as headings.", "Export the answers as CSV."
        ) from None
    if not any(heading.strip() for heading in headings):
        raise InputRefused(
            f"The first line of '{path.name}' holds no headings.", "Export the answers with their questions."
        )
    return tuple(headings)


def _tool(headings: tuple[str, ...]) -> tuple[str, str]:
    if headings[0] == "Timestamp":
        return "google_forms", "the first heading is 'Timestamp', as Google Forms writes it"
    return "csv", "no survey tool's own headings were found"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        digest = sha256()
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _why_unreadable(name: str, problem: str) -> tuple[str, str]:
    """Polars' own message may quote a cell, so only its kind is told."""
    if "utf-8" in problem:
        return f"The file '{name}' is not UTF-8 text.", "Save it as 'CSV UTF-8' and run again."
    if "more fields" in problem:
        return f"A row of '{name}' has more cells than there are headings.", "Export it again, or mend the row."
    return (
        f"The rows of '{name}' cannot be read: a quotation mark may be left open.",
        "Export it again, or mend the row.",
    )


def repeated(headings: Sequence[str]) -> set[str]:
    """Headings that stand more than once."""
    return {heading for heading, count in Counter(headings).items() if count > 1}

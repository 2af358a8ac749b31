"""Reading an export file: where its headings are, how it is encoded, and its rows as text.

What belongs here: everything about the file as a file, and the reason for each thing detected. Nothing is typed, renamed or
dropped: an `Export` says what stands in the file. What does not: the meaning of a column (`ingest`), or what an answer
may be (`answers`).
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path

import polars as pl

from survey_pipeline.errors import InputRefused, WrongUsage
from survey_pipeline.exports.records import Contents, Irregular, look_through
from survey_pipeline.names import INVENTED_HEADING

BATCH_ROWS = 100_000
"""Rows read at a time. 100,000 rows of 80 short answers are about 150 MB as text."""
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
ROWS_TRIED = 20
"""Rows from which the separator is told: the one that cuts each of them into as many cells, and into the most."""


class RowsDoNotAddUp(RuntimeError):
    """A fault of ours: rows were lost or doubled on the way, so the run stops before anything counts."""


@dataclass(frozen=True)
class Export:
    """One survey tool's export, as it lies on disk."""

    path: Path
    tool: str
    encoding: str
    separator: str
    header_rows: int
    headings: tuple[str, ...]
    detected_because: str

    @cached_property
    def contents(self) -> Contents:
        """What one look at every byte tells; raises `InputRefused` where the file cannot be read as text and records."""
        return look_through(self.path, self.separator, len(self.headings))

    @property
    def sha256(self) -> str:
        """The fingerprint of the file's bytes."""
        return self.contents.sha256

    @property
    def irregular(self) -> tuple[Irregular, ...]:
        """Records with more or fewer cells than there are headings."""
        return self.contents.irregular

    @cached_property
    def frame(self) -> pl.DataFrame:
        """Every row that fits the headings as text, columns named as in the file (a repeated one by its number too)."""
        everything = self._scan().collect().head(self.contents.records)
        bad = pl.Series([odd.record - 1 for odd in self.irregular], dtype=pl.Int64)
        fits = ~pl.int_range(everything.height, eager=True).is_in(bad.implode())
        return everything.rename({str(i): name for i, name in enumerate(_distinct(self.headings))}).filter(fits)

    @property
    def is_invented(self) -> bool:
        """Whether the sample generator made it: the file says so itself."""
        return INVENTED_HEADING in self.headings

    def batches(self, columns: Sequence[int], rows: int | None = None) -> Iterator[pl.DataFrame]:
        """The chosen columns (named by their place, "0", "1", ...) as text, in the order of the file.

        An empty cell is null. Memory is bounded by the batch. Raises `InputRefused` for a file with irregular records, and
        `RowsDoNotAddUp` if the rows read are not the records that one look at the bytes has counted.
        """
        self.refuse_irregular()
        chosen, left = self._scan().select(str(place) for place in columns), self.contents.records
        for batch in chosen.collect_batches(chunk_size=rows or BATCH_ROWS, maintain_order=True):
            if left > 0:
                yield batch.head(left)
            left -= batch.height
        if left != -self.contents.empty_lines_at_end:
            raise RowsDoNotAddUp(f"{left} records of an export were not read, beside the empty lines at its end")

    def _scan(self) -> pl.LazyFrame:
        """Every row; what is irregular is told by the look at the bytes, since this reader pads and cuts in silence."""
        return pl.scan_csv(
            self.path,
            infer_schema=False,
            separator=self.separator,
            with_column_names=_by_place,
            null_values="",
            truncate_ragged_lines=True,
        )

    def refuse_irregular(self) -> None:
        """Raise `InputRefused` if a record does not fit the headings."""
        if not self.irregular:
            return
        first, others = self.irregular[0], len(self.irregular) - 1
        more = f", and {others} more rows do not fit either" if others else ""
        raise InputRefused(
            f"Row {first.record} of '{self.path.name}' (headings not counted) has {first.reason}{more}.",
            "Export the answers again, or mend the row.",
        )


def _by_place(headings: list[str]) -> list[str]:
    return [str(place) for place in range(len(headings))]


def _distinct(headings: Sequence[str]) -> list[str]:
    """Headings, a repeated or empty one with its column's number."""
    names: list[str] = []
    for place, heading in enumerate(headings, start=1):
        numbered = f"{heading} [{place}]".strip()
        names.append(numbered if heading in names or not heading.strip() else heading)
    return names


def read_export(path: str | Path, *, separator: str | None = None) -> Export:
    """Look at an export without loading it: kind, encoding, separator and headings. `separator` sets it by hand.

    Raises `InputRefused` for a missing, empty or unreadable file, a folder, and headings that are not UTF-8 text.
    """
    path = Path(path)
    _refuse_what_is_no_file(path)
    found = _separator_by_hand(separator) or _separator(path)
    headings = _headings(path, found)
    tool, reason = _tool(headings)
    return Export(
        path=path,
        tool=tool,
        encoding="utf-8",
        separator=found,
        header_rows=1,
        headings=headings,
        detected_because=f"{reason}; the first line is valid UTF-8 and holds {len(headings)} headings separated by"
        f" {SEPARATORS.get(found, found)}{' (set by hand)' if separator else ''}",
    )


def _refuse_what_is_no_file(path: Path) -> None:
    if path.is_dir():
        raise InputRefused(
            f"'{path.name}' is a folder, not an export.", "Name the files, or use `backfill` for a folder of waves."
        )
    if not path.is_file():
        raise InputRefused(f"There is no file '{path}'.", "Check the name and the folder, then run again.")
    if path.stat().st_size == 0:
        raise InputRefused(f"The file '{path.name}' is empty.", "Export the answers again from the survey tool.")


def _separator_by_hand(separator: str | None) -> str | None:
    if separator is not None and (len(separator) != 1 or not separator.isascii() or separator in '"\r\n'):
        raise WrongUsage("A separator is one character such as ',' or ';'.", "Leave it out to have it detected.")
    return separator


def _separator(path: Path) -> str:
    """The separator that cuts the first rows alike, and into the most cells; a comma where nothing tells."""

    def score(separator: str) -> tuple[bool, int]:
        widths = [len(cells) for cells in _first_rows(path, separator) if any(cell.strip() for cell in cells)]
        return len(set(widths)) == 1 and widths[0] > 1, max(widths, default=0)

    return max(SEPARATORS, key=score)


def _first_rows(path: Path, separator: str, n: int = ROWS_TRIED) -> list[list[str]]:
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as text:
            return list(islice(csv.reader(text, delimiter=separator), n))
    except csv.Error:
        return []
    except OSError:
        raise InputRefused(f"The file '{path.name}' cannot be opened.", "Check that you may read it.") from None


def _headings(path: Path, separator: str) -> tuple[str, ...]:
    """The first row. A NUL byte in it tells UTF-16 or a file that is no text at all; later rows are looked at later."""
    headings = next(iter(_first_rows(path, separator, 1)), [])
    if any(odd in heading for heading in headings for odd in ("\0", "\N{REPLACEMENT CHARACTER}")):
        raise InputRefused(f"The file '{path.name}' is not UTF-8 text.", "Save it as 'CSV UTF-8' and run again.")
    if not any(heading.strip() for heading in headings):
        raise InputRefused(
            f"The first line of '{path.name}' holds no headings.", "Export the answers with their questions, as CSV."
        )
    return tuple(headings)


def _tool(headings: tuple[str, ...]) -> tuple[str, str]:
    if headings[0] == "Timestamp":
        return "google_forms", "the first heading is 'Timestamp', as Google Forms writes it"
    return "csv", "no survey tool's own headings were found"

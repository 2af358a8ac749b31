"""Files: the way in. A path becomes a `Sheet`, whatever kind of file it is.

What belongs here: telling kinds of files apart and calling who reads them. What does not: how one kind is read, and which
survey tool wrote a file (`tools`).
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import polars as pl

from survey_pipeline.errors import InputRefused, WrongUsage
from survey_pipeline.exports.records import look_through
from survey_pipeline.exports.sheet import DETECT, HEAD_ROWS, ByHand, Sheet

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
ROWS_TRIED = 20
"""Rows from which the separator is told: the one that cuts each of them into as many cells, and into the most."""


def open_sheet(path: Path, by_hand: ByHand = DETECT) -> Sheet:
    """The cells of an export file.

    Raises `InputRefused` for a missing, empty or unreadable file, a folder, and cells that are no text.
    """
    _refuse_what_is_no_file(path)
    separator = _separator_by_hand(by_hand.separator) or _separator(path)
    headings = _headings(path, separator)
    contents = look_through(path, separator, len(headings))
    return Sheet(
        sha256=contents.sha256,
        kind="csv",
        encoding="utf-8",
        separator=separator,
        head=tuple(tuple(cells) for cells in _first_rows(path, separator, HEAD_ROWS)),
        width=len(headings),
        records=contents.records + 1,
        irregular=contents.irregular,
        cells=PlainCells(path, separator, len(headings)),
        reasons=(
            f"the first line is valid UTF-8 and holds {len(headings)} headings separated by"
            f" {SEPARATORS.get(separator, separator)}{' (set by hand)' if by_hand.separator else ''}",
        ),
    )


@dataclass(frozen=True)
class PlainCells:
    """The cells of a well-formed UTF-8 file, read from where it lies."""

    path: Path
    separator: str
    width: int

    def batches(self, columns: Sequence[int], skip: int, rows: int) -> Iterator[pl.DataFrame]:
        """Every row; what is irregular is told by the look at the bytes, since this reader pads and cuts in silence."""
        everything = pl.scan_csv(
            self.path,
            has_header=False,
            schema={str(place): pl.String for place in range(self.width)},
            separator=self.separator,
            null_values="",
            truncate_ragged_lines=True,
        )
        chosen = everything.slice(skip).select(str(place) for place in columns)
        yield from chosen.collect_batches(chunk_size=rows, maintain_order=True)


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

"""Records: one look at an export's bytes, before anything is read from it.

What belongs here: the fingerprint, whether the text is UTF-8, whether every quotation mark is where it may be, and how many
cells each record has. Counted without the reader of cells, so that the two can be held against each other: a reader that
pads a short record and cuts a long one would shift a person's answers in silence. What does not: what stands in a cell.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from survey_pipeline.errors import InputRefused
from survey_pipeline.exports.sheet import Irregular

Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.intp]

BOM = b"\xef\xbb\xbf"
NEWLINE, RETURN, QUOTE = b'\n\r"'
CHUNK = 1 << 22
LONGEST_RECORD = 1 << 26
"""More bytes than any person's answers: a quotation mark was left open."""
MOST_IRREGULAR = 1_000
"""More records than this that do not fit the headings are not worth a list."""


@dataclass(frozen=True)
class Contents:
    """What one look at the bytes tells. Empty lines at the end are no records; elsewhere they are empty ones."""

    sha256: str
    records: int
    empty_lines_at_end: int
    irregular: tuple[Irregular, ...]


def look_through(path: Path, separator: str, n_headings: int) -> Contents:
    """Look at every byte once, with memory for a few chunks.

    Raises `InputRefused` for text that is not UTF-8, a quotation mark that is open or inside a cell, and a file of which
    most records do not fit the headings.
    """
    look = _Look(path.name, ord(separator), n_headings)
    digest, rest = sha256(), b""
    for chunk in _chunks(path):
        digest.update(chunk)
        rest = look.at(rest + chunk)
    look.at_the_end(rest)
    return Contents(digest.hexdigest(), look.records - look.empty, look.empty, tuple(look.irregular))


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


@dataclass
class _Look:
    """Where a look has come to. Every buffer it is shown begins with a record."""

    name: str
    separator: int
    n_headings: int
    records: int = -1
    """The headings are a record too, until they are taken off: so this starts before the first answer."""
    empty: int = 0
    irregular: list[Irregular] = field(default_factory=list)

    def at(self, buffer: bytes) -> bytes:
        """Look at the whole records of a buffer; gives the rest of it."""
        data = self._text(buffer)
        ends = self._ends(data)
        if len(ends) == 0:
            self._refuse_endless(buffer)
            return buffer
        self._count(data, ends)
        return buffer[len(buffer) - len(data) + int(ends[-1]) + 1 :]

    def at_the_end(self, rest: bytes) -> None:
        """Look at a last record without a newline."""
        if rest and self.at(rest if rest.endswith(b"\n") else rest + b"\n"):
            raise self._open_quote(self.records + 1)

    def _text(self, buffer: bytes) -> Bytes:
        """A buffer without the mark by which some programs begin UTF-8 files."""
        skip = len(BOM) if self.records < 0 and buffer.startswith(BOM) else 0
        return np.frombuffer(buffer, dtype=np.uint8, offset=skip)

    def _ends(self, data: Bytes) -> Places:
        """The newlines that end a record: those outside quotation marks."""
        return _outside(np.flatnonzero(data == NEWLINE), np.flatnonzero(data == QUOTE))

    def _count(self, data: Bytes, ends: Places) -> None:
        whole = data[: ends[-1] + 1]
        starts = np.concatenate([[0], ends[:-1] + 1])
        quotes = np.flatnonzero(whole == QUOTE)
        self._refuse_what_is_no_text(whole, ends)
        self._refuse_stray_quotes(whole, quotes, ends)
        self._refuse_bare_returns(whole, quotes, ends)
        cells = self._separators(whole, starts, quotes) + 1
        empty = _empty(whole, starts, ends)
        for place in np.flatnonzero((cells != self.n_headings) & ~empty):
            empty[place] = not whole[starts[place] : ends[place]].tobytes().strip()
            if not empty[place]:
                self._note(self.records + 1 + int(place), int(cells[place]))
        self.records += len(ends)
        self.empty = _at_the_end(empty) + (self.empty if empty.all() else 0)

    def _separators(self, whole: Bytes, starts: Places, quotes: Places) -> Places:
        """How many separators each record has outside quotation marks.

        Counted in stretches between starts and quotation marks, of which every second one in a quoted cell is left out: a
        flag for each byte would cost three times as much.
        """
        stretches = np.sort(np.concatenate([starts, quotes]), kind="stable")
        counts = np.add.reduceat((whole == self.separator).view(np.uint8), stretches, dtype=np.int64)
        inside = np.searchsorted(quotes, stretches, side="right") % 2 == 1
        records = np.searchsorted(starts, stretches, side="right") - 1
        return np.bincount(records[~inside], weights=counts[~inside], minlength=len(starts)).astype(np.intp)

    def _note(self, record: int, cells: int) -> None:
        what = "more" if cells > self.n_headings else "fewer"
        self.irregular.append(Irregular(record, cells, f"{what} cells than the {self.n_headings} headings"))
        if len(self.irregular) > MOST_IRREGULAR:
            raise InputRefused(
                f"More than {MOST_IRREGULAR} rows of '{self.name}' do not fit its headings.",
                "Export the answers again, as CSV with one separator throughout.",
            )

    def _refuse_what_is_no_text(self, whole: Bytes, ends: Places) -> None:
        if _is_text(whole):
            return
        try:
            whole.tobytes().decode()
        except UnicodeDecodeError as error:
            raise InputRefused(
                f"The file '{self.name}' is not UTF-8 text: see {_row(self._record_at(error.start, ends))}.",
                "Save it as 'CSV UTF-8' and run again.",
            ) from None

    def _refuse_stray_quotes(self, whole: Bytes, quotes: Places, ends: Places) -> None:
        before, after = whole[quotes[0::2] - 1], whole[quotes[1::2] + 1]
        opens = np.isin(before, (self.separator, NEWLINE, QUOTE)) | (quotes[0::2] == 0)
        closes = np.isin(after, (self.separator, NEWLINE, RETURN, QUOTE))
        if stray := [int(places[0]) for places in (quotes[0::2][~opens], quotes[1::2][~closes]) if len(places)]:
            raise self._open_quote(self._record_at(min(stray), ends))

    def _refuse_bare_returns(self, whole: Bytes, quotes: Places, ends: Places) -> None:
        """A return without a newline ends a row for some programs and is part of a cell for others."""
        returns = np.flatnonzero(whole == RETURN)
        bare = _outside(returns[whole[returns + 1] != NEWLINE], quotes)
        if len(bare):
            raise InputRefused(
                f"In '{self.name}', {_row(self._record_at(bare[0], ends))} has a line break of an unusual kind.",
                "Open it in a spreadsheet and save it as 'CSV UTF-8'.",
            )

    def _record_at(self, place: int, ends: Places) -> int:
        return self.records + 1 + int(np.searchsorted(ends, place))

    def _refuse_endless(self, buffer: bytes) -> None:
        if len(buffer) > LONGEST_RECORD:
            raise self._open_quote(self.records + 1)

    def _open_quote(self, record: int) -> InputRefused:
        return InputRefused(
            f"In '{self.name}', {_row(record)} has a quotation mark that is left open or stands inside a cell.",
            "Export the answers again, or mend that row.",
        )


def _row(record: int) -> str:
    return f"row {record} (headings not counted)" if record else "the row of headings"


def _is_text(data: Bytes) -> bool:
    """Whether bytes are UTF-8. Asked of polars, which looks at many at once; it does not say where they are not."""
    try:
        pl.Series([data.tobytes()], dtype=pl.Binary).cast(pl.String)
    except pl.exceptions.PolarsError:
        return False
    return True


def _outside(places: Places, quotes: Places) -> Places:
    """Those places that do not stand between quotation marks; a doubled mark closes and opens again."""
    outside: Places = places[np.searchsorted(quotes, places) % 2 == 0]
    return outside


def _empty(whole: Bytes, starts: Places, ends: Places) -> npt.NDArray[np.bool_]:
    lengths = ends - starts
    empty: npt.NDArray[np.bool_] = (lengths == 0) | ((lengths == 1) & (whole[starts] == RETURN))
    return empty


def _at_the_end(empty: npt.NDArray[np.bool_]) -> int:
    full = np.flatnonzero(~empty)
    return len(empty) - 1 - int(full[-1]) if len(full) else len(empty)

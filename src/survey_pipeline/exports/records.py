"""Records: one look at a plain export's bytes, before anything is read from it.

What belongs here: the fingerprint, whether the text is plain (UTF-8, every quotation mark where it may be, no zero bytes),
and how many cells each record has. Counted without the reader of cells, so that the two can be held against each other: a
reader that pads a short record and cuts a long one would shift a person's answers in silence. What does not: what stands
in a cell, and text that is not plain (`careful`).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from survey_pipeline.errors import InputRefused
from survey_pipeline.exports.dialect import why_odd
from survey_pipeline.exports.edges import LONGEST_TOTAL, ROWS_AT_THE_END, TOTAL_BELOW, totals
from survey_pipeline.exports.knife import LONGEST_RECORD, Dialect, Knife
from survey_pipeline.exports.sheet import Irregular

Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.intp]

BOM = b"\xef\xbb\xbf"
NEWLINE, RETURN, QUOTE = b'\n\r"'
CHUNK = 1 << 22
PROOF = 8
"""Separators in whole lines that fit the headings: so many are no chance, in a cell's text or after an open mark."""
HEADINGS_AGAIN = "the headings once more"
MOST_IRREGULAR = 100_000
"""More records than this that do not fit the headings are not worth a list."""
BLANK = re.compile(rb'\s*(?:"\s*")?\s*')
FEW_EXTRA = 4
"""Blank cells at the end of a row that are looked for in all rows at once."""
PROBES = 5
"""Bytes by which most records are told from the row of headings."""


@dataclass(frozen=True)
class Contents:
    """What one look at the bytes tells. Empty lines at the end are no records; elsewhere they are empty ones."""

    sha256: str
    records: int
    empty_lines_at_end: int
    irregular: tuple[Irregular, ...]


class NotPlain(Exception):
    """The ends of records or cells are not certain at a glance: the text must be read with care. Holds where and why."""


def look_through(path: Path, separator: str, n_headings: int) -> Contents:
    """Look at every byte once, with memory for a few chunks.

    Raises `NotPlain` for text that is not UTF-8, a quotation mark that is open or inside a cell, zero bytes, unusual line
    ends and a second table, and `InputRefused` for a file of which most records do not fit the headings.
    """
    look = _Look(path.name, ord(separator), n_headings)
    digest, rest = sha256(), b""
    for chunk in _chunks(path):
        digest.update(chunk)
        rest = look.at(rest + chunk)
    look.at_the_end(rest)
    irregular = tuple(sorted(look.irregular, key=lambda odd: odd.record))
    return Contents(digest.hexdigest(), look.records - look.empty, look.empty, irregular)


def too_many_irregular(name: str) -> InputRefused:
    """A file that was not understood."""
    return InputRefused(
        f"More than {MOST_IRREGULAR} rows of '{name}' do not fit its headings.",
        "Export the answers again, as CSV with one separator throughout.",
    )


def look_like_rows(fitting: int, lines: int, width: int) -> bool:
    """Whether lines inside a cell are more likely rows: at least half of them fit the headings by themselves, with so many
    separators that it is no chance.
    """
    return fitting * (width - 1) >= PROOF and fitting * 2 >= lines


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
    headings: bytes = b""
    last: list[bytes] = field(default_factory=list)
    """The last records; one that is too long for a total only in part."""

    def at(self, buffer: bytes) -> bytes:
        """Look at the whole records of a buffer (they end at newlines outside quotation marks); gives the rest of it."""
        data = self._text(buffer)
        newlines, quotes = np.flatnonzero(data == NEWLINE), np.flatnonzero(data == QUOTE)
        ends = _outside(newlines, quotes)
        if len(ends) == 0:
            self._refuse_endless(buffer)
            return buffer
        self._count(data[: ends[-1] + 1], newlines[newlines <= ends[-1]], quotes[quotes < ends[-1]], ends)
        return buffer[len(buffer) - len(data) + int(ends[-1]) + 1 :]

    def at_the_end(self, rest: bytes) -> None:
        """Look at a last record without a newline."""
        if rest and self.at(rest if rest.endswith(b"\n") else rest + b"\n"):
            raise self._open_quote(self.records + 1)
        self._note_totals()

    def _text(self, buffer: bytes) -> Bytes:
        """A buffer without the mark by which some programs begin UTF-8 files."""
        skip = len(BOM) if self.records < 0 and buffer.startswith(BOM) else 0
        return np.frombuffer(buffer, dtype=np.uint8, offset=skip)

    def _count(self, whole: Bytes, newlines: Places, quotes: Places, ends: Places) -> None:
        starts = np.concatenate([[0], ends[:-1] + 1])
        self._check_text(whole, ends)
        self._check_returns(whole, quotes, ends)
        self._check_quotes(whole, quotes, ends)
        self._check_lines_in_cells(whole, newlines, ends)
        cells = self._separators(whole, starts, quotes) + 1
        empty = _empty(whole, starts, ends)
        odd = (cells != self.n_headings) & ~empty
        odd &= ~self._ends_blank(whole, ends, cells - self.n_headings)
        for place in np.flatnonzero(odd):
            record = whole[starts[place] : ends[place]].tobytes()
            empty[place] = not record.strip()
            if not self._is_blank_beyond(record, int(cells[place])):
                self._note(int(place), record, int(cells[place]), empty)
        self._note_headings_again(whole, starts, ends, empty)
        self._keep_last(whole, starts, ends)
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

    # --- Records that do not fit ---

    def _ends_blank(self, whole: Bytes, ends: Places, extra: Places) -> npt.NDArray[np.bool_]:
        """Records whose cells beyond the headings are all empty: the reader of cells leaves these out."""
        blank = (extra > 0) & (extra <= FEW_EXTRA)
        last = ends - 1 - (whole[ends - 1] == RETURN)
        for place in range(FEW_EXTRA):
            blank &= (place >= extra) | (whole[np.maximum(last - place, 0)] == self.separator)
        return blank

    def _is_blank_beyond(self, record: bytes, cells: int) -> bool:
        """Whether a record holds nothing at all, or nothing beyond the headings."""
        sign = bytes([self.separator])
        if not record.replace(sign, b"").strip():
            return True
        beyond = record.rsplit(sign, max(0, cells - self.n_headings))[1:]
        return bool(beyond) and all(BLANK.fullmatch(cell) for cell in beyond)

    def _note(self, place: int, record: bytes, cells: int, empty: npt.NDArray[np.bool_]) -> None:
        """List an irregular record; below an empty line it may begin a second table."""
        number = self.records + 1 + place
        if self._is_below_an_empty_line(place, empty):
            raise NotPlain(f"{_row(number)} stands below an empty line and does not fit the headings")
        why = why_odd(record.decode(), cells, self.n_headings, chr(self.separator))
        self._list(Irregular(number, cells, why))

    def _note_headings_again(self, whole: Bytes, starts: Places, ends: Places, empty: npt.NDArray[np.bool_]) -> None:
        heading = self.headings = self.headings or whole[: ends[0]].tobytes()
        alike = np.flatnonzero(ends - starts == len(heading))
        for probe in np.linspace(0, len(heading) - 1, PROBES).astype(int) if heading else ():
            alike = alike[whole[starts[alike] + probe] == heading[probe]]
        for place in map(int, alike):
            number = self.records + 1 + place
            if number and whole[starts[place] : ends[place]].tobytes() == heading:
                if self._is_below_an_empty_line(place, empty):
                    raise NotPlain(f"{_row(number)} stands below an empty line and holds the headings once more")
                self._list(Irregular(number, self.n_headings, HEADINGS_AGAIN))

    def _keep_last(self, whole: Bytes, starts: Places, ends: Places) -> None:
        places = zip(starts[-ROWS_AT_THE_END:], ends[-ROWS_AT_THE_END:], strict=True)
        new = (whole[start : min(end, start + LONGEST_TOTAL)].tobytes() for start, end in places)
        self.last = [*self.last, *new][-ROWS_AT_THE_END:]

    def _note_totals(self) -> None:
        """List totals below the answers, whether or not they fit the headings."""
        last = self.last[len(self.last) == self.records + 1 :]
        knife = Knife(Dialect(chr(self.separator), ""))
        rows = [knife.cut(record.decode(errors="replace").rstrip("\r")).cells for record in last]
        found = {self.records + 1 - len(rows) + place: rows[place] for place in totals(rows, self.n_headings)}
        self.irregular = [odd for odd in self.irregular if odd.record not in found]
        self.irregular += [Irregular(number, len(row), TOTAL_BELOW) for number, row in found.items()]

    def _is_below_an_empty_line(self, place: int, empty: npt.NDArray[np.bool_]) -> bool:
        return bool(empty[place - 1] if place else self.empty)

    def _list(self, odd: Irregular) -> None:
        self.irregular.append(odd)
        if len(self.irregular) > MOST_IRREGULAR:
            raise too_many_irregular(self.name)

    # --- Text that is not plain ---

    def _check_text(self, whole: Bytes, ends: Places) -> None:
        text = whole.tobytes()
        if not _is_text(text):
            raise NotPlain("not all of it is UTF-8")
        if (zero := text.find(0)) >= 0:
            raise NotPlain(f"{_row(self._record_at(zero, ends))} has a zero byte")

    def _check_quotes(self, whole: Bytes, quotes: Places, ends: Places) -> None:
        before, after = whole[quotes[0::2] - 1], whole[quotes[1::2] + 1]
        opens = np.isin(before, (self.separator, NEWLINE, QUOTE)) | (quotes[0::2] == 0)
        closes = np.isin(after, (self.separator, NEWLINE, RETURN, QUOTE))
        if stray := [int(places[0]) for places in (quotes[0::2][~opens], quotes[1::2][~closes]) if len(places)]:
            raise self._open_quote(self._record_at(min(stray), ends))

    def _check_returns(self, whole: Bytes, quotes: Places, ends: Places) -> None:
        """A return without a newline ends a row for some programs and is part of a cell for others."""
        returns = np.flatnonzero(whole == RETURN)
        bare = _outside(returns[whole[returns + 1] != NEWLINE], quotes)
        if len(bare):
            raise NotPlain(f"{_row(self._record_at(bare[0], ends))} has a line break of an unusual kind")

    def _check_lines_in_cells(self, whole: Bytes, newlines: Places, ends: Places) -> None:
        """Whole lines inside quotation marks that look like rows: a mark may have been left open."""
        if len(newlines) == len(ends):
            return
        record = np.searchsorted(ends, newlines)
        inner = np.flatnonzero((record[1:-1] == record[:-2]) & (record[1:-1] == record[2:])) + 1
        fits = [self._separators_between(whole, newlines[line - 1], newlines[line]) for line in inner]
        record = record[inner]
        lines, fitting = np.bincount(record), np.bincount(record, weights=np.equal(fits, self.n_headings - 1))
        doubtful = (fitting * (self.n_headings - 1) >= PROOF) & (fitting * 2 >= lines)
        if doubtful.any():
            raise NotPlain(f"{_row(self.records + 1 + int(doubtful.argmax()))} has a cell of lines that look like rows")

    def _separators_between(self, whole: Bytes, start: np.intp, end: np.intp) -> int:
        return whole[start:end].tobytes().count(self.separator)

    def _record_at(self, place: int, ends: Places) -> int:
        return self.records + 1 + int(np.searchsorted(ends, place))

    def _refuse_endless(self, buffer: bytes) -> None:
        if len(buffer) > LONGEST_RECORD:
            raise self._open_quote(self.records + 1)

    def _open_quote(self, record: int) -> NotPlain:
        return NotPlain(f"{_row(record)} has a quotation mark that is left open or stands inside a cell")


def _row(record: int) -> str:
    return f"row {record} (headings not counted)" if record else "the row of headings"


def _is_text(data: bytes) -> bool:
    """Whether bytes are UTF-8. Asked of polars, which looks at many at once; it does not say where they are not."""
    try:
        pl.Series([data], dtype=pl.Binary).cast(pl.String)
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

"""Careful: a text that is not plain, cut record by record.

What belongs here: telling for each record whether its cells are certain. One that fits is put aside as well-formed text and
read in blocks; one that does not is listed with its reason. A quotation mark that stays open never swallows rows: what
follows is read again only when whole lines fit the headings of their own. What does not: bytes (`encodings`), and guessing
how the text is cut (`dialect`).
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice

import polars as pl

from survey_pipeline.errors import InputRefused
from survey_pipeline.exports.dialect import why_odd
from survey_pipeline.exports.edges import LONGEST_TOTAL, ROWS_AT_THE_END, TOTAL_BELOW, WORDS, is_total
from survey_pipeline.exports.encodings import CUT
from survey_pipeline.exports.knife import LONGEST_RECORD, OPEN, Cut, Dialect, Knife, Lines
from survey_pipeline.exports.records import (
    HEADINGS_AGAIN,
    MOST_IRREGULAR,
    PROOF,
    look_like_rows,
    too_many_irregular,
)
from survey_pipeline.exports.sheet import HEAD_ROWS, Irregular, Spooled

WHITE = " \t\r\n\v\f"
BLOCK = 1 << 23
"""Characters of well-formed text that are read into cells at a time."""
MOST_WASTED = 4 * LONGEST_RECORD
"""Characters that may be looked at in vain for the ends of cells."""

AFTER_OPEN = "its place after a quotation mark that is left open"
LIKE_ROWS = "a quotation mark before lines that look like rows of their own"
ZERO = "a zero byte"
CUT_OFF = "an end that is cut off"
SECOND_TABLE = "its place in a second table, below an empty line"


@dataclass(frozen=True)
class Record:
    """One record: well-formed text if its cells are certain; how many cells; else why not."""

    text: str
    fields: int
    odd: str = ""
    by_width: bool = False
    """Whether nothing but its number of cells is wrong with it."""
    is_total: bool = False
    """Whether it would be a total at the end of the file, though its number of cells is wrong."""

    @property
    def is_empty_line(self) -> bool:
        """At the end of a file it is no record; a row of nothing but separators is one."""
        return not self.fields


# --- Records -----------------------------------------------------------------------------------------------------------


class Records:
    """The records of a text under `width` headings, the headings among them."""

    def __init__(self, text: Iterable[str], dialect: Dialect, width: int, name: str) -> None:
        self.lines = Lines(text, name)
        self.knife, self.width, self.name = Knife(dialect), width, name
        self.separator, self.quote = dialect.separator, dialect.quote
        self.is_verbatim = dialect.quote == '"' and not (dialect.spaced or dialect.backslash)
        self.lost = False
        self.wasted = 0
        other = rf"[^{re.escape(self.separator)}\0]"
        self._bad = re.compile(rf"\0(?:{other}|(?<={other}\0))")

    def __iter__(self) -> Iterator[Record]:
        for line in self.lines:
            if self.lost and line.strip() and not self._found_again(line):
                yield Record("", line.count(self.separator) + 1, AFTER_OPEN)
            else:
                yield from self._at(line)

    def _at(self, line: str) -> Iterator[Record]:
        body = line.rstrip("\r\n")
        simple = self.quote not in body and '"' not in body and "\0" not in body and self.is_verbatim
        if simple and body.count(self.separator) + 1 == self.width and self.width > 1:
            yield Record(body, self.width)
        elif not body.replace(self.separator, "").strip():
            yield Record("", body.count(self.separator) + 1 if body.strip(WHITE) else 0)
        elif "\0" in body:
            yield Record("", body.count(self.separator) + 1, CUT_OFF if body.endswith(CUT) else ZERO)
        elif self._is_clean(body):
            yield self._judged(body, self._outside(body).count(self.separator) + 1, verbatim=body)
        else:
            yield from self._cut(line)

    def _outside(self, body: str) -> str:
        """What stands outside quotation marks, a zero in the place of each quoted stretch."""
        return "\0".join(body.split(self.quote)[::2])

    def _is_clean(self, body: str) -> bool:
        """Whether every mark is where it may be, as a glance tells: this holds for nearly all records."""
        return self.is_verbatim and body.count('"') % 2 == 0 and not self._bad.search(self._outside(body))

    def _cut(self, line: str) -> Iterator[Record]:
        cut = self.knife.cut(line)
        if cut.open:
            yield from self._over_several_lines(line, cut)
        elif cut.doubt:
            yield Record("", len(cut.cells), cut.doubt)
        else:
            yield self._judged(line.rstrip("\r\n"), len(cut.cells), cut.cells)

    def _judged(self, body: str, fields: int, cells: list[str] | None = None, verbatim: str = "") -> Record:
        """A record whose cells are certain: whether they fit the headings."""
        if fields > self.width:
            cells = cells or self.knife.cut(body).cells
            if not any(cell.strip() for cell in cells[self.width :]):
                return Record(self._written(cells[: self.width]), self.width)
        if fields != self.width:
            cells = cells or self.knife.cut(body).cells
            why = why_odd(body, fields, self.width, self.separator)
            return Record("", fields, why, by_width=True, is_total=is_total(cells, self.width))
        return Record(verbatim or self._written(cells or []), fields)

    def _written(self, cells: list[str]) -> str:
        """Cells as well-formed text."""
        return self.separator.join(map(self._quoted, cells)) or '""'

    def _quoted(self, cell: str) -> str:
        needed = '"' in cell or self.separator in cell or "\n" in cell or "\r" in cell
        return '"' + cell.replace('"', '""') + '"' if needed else cell

    # --- A cell over several lines ---

    def _over_several_lines(self, line: str, cut: Cut) -> Iterator[Record]:
        lines, cells, closed = self._closed(line, cut)
        if not closed:
            self.lines.again(lines[1:])
            self.lost = True
            yield Record("", len(cut.cells), OPEN)
        elif self._look_like_rows(lines):
            yield from (Record("", each.count(self.separator) + 1, LIKE_ROWS) for each in lines)
        else:
            yield self._judged("".join(lines).rstrip("\r\n"), len(cells), cells)

    def _closed(self, line: str, cut: Cut) -> tuple[list[str], list[str], bool]:
        """All lines of a record whose last cell is open, its cells, and whether they come to a certain end."""
        lines, cells, parts, size = [line], cut.cells[:-1], [cut.cells[-1]], len(line)
        for after in self.lines:
            lines.append(after)
            size += len(after)
            cut = self.knife.cut(after, inside=True)
            parts.append(cut.cells[0])
            if cut.doubt or "\0" in after or size > LONGEST_RECORD:
                break
            if len(cut.cells) > 1 or not cut.open:
                cells.append("".join(parts))
                cells += cut.cells[1:-1] if cut.open else cut.cells[1:]
                parts = [cut.cells[-1]]
            if not cut.open:
                return lines, cells, True
        self._refuse_waste(size)
        return lines, cells, False

    def _look_like_rows(self, lines: list[str]) -> bool:
        """Whether so many whole lines in cells fit the headings by themselves that a mark may have been left open."""
        inner = lines[1:-1]
        fit = sum(line.count(self.separator) == self.width - 1 for line in inner)
        return look_like_rows(fit, len(inner), self.width)

    def _found_again(self, line: str) -> bool:
        """Whether rows begin again after an open mark: some lines fit the headings, each by itself."""
        run: list[str] = [line]
        while self.lost and self._fits(run[-1]):
            after = next(self.lines, None)
            enough = len(run) * (self.width - 1) >= PROOF and (len(run) > 1 or after is None)
            self.lost = not enough
            if after is None:
                break
            run.append(after)
        self.lines.again(run[1:])
        return not self.lost

    def _fits(self, line: str) -> bool:
        cut = self.knife.cut(line)
        return len(cut.cells) == self.width and not cut.open and not cut.doubt and "\0" not in line

    def _refuse_waste(self, size: int) -> None:
        self.wasted += size
        if self.wasted > MOST_WASTED:
            raise InputRefused(
                f"In '{self.name}', quotation marks are left open again and again.",
                "Export the answers again from the survey tool.",
            )


# --- Tables ------------------------------------------------------------------------------------------------------------


def one_table(records: Iterable[Record]) -> Iterator[Record]:
    """Records, those of a second table below the first marked as such: below an empty line, the headings again or at least
    two records of another width. An empty line ends it.
    """
    headings, second, after_blank = None, False, False
    waiting: Record | None = None
    for record in records:
        if waiting:
            second = waiting.fields == record.fields and record.by_width
            yield _in_second(waiting) if second else waiting
            waiting = None
        again = headings is not None and bool(record.text) and record.text == headings
        second = (second or (again and after_blank)) and not record.is_empty_line
        if after_blank and record.by_width and not second:
            waiting = record
        elif second:
            yield _in_second(record)
        else:
            yield replace(record, text="", odd=HEADINGS_AGAIN) if again else record
        after_blank = record.is_empty_line
        headings = record.text if headings is None else headings
    if waiting:
        yield waiting


def _in_second(record: Record) -> Record:
    return replace(record, text="", odd=SECOND_TABLE)


def totals_marked(records: Iterable[Record], separator: str, width: int) -> Iterator[Record]:
    """Records, those marked that hold totals and after which nothing but totals and empty rows comes."""
    above, last = iter(records), _Last(separator, width)
    yield from islice(above, 1)
    waiting: deque[tuple[Record, bool]] = deque()
    for record in above:
        is_one = last.is_total(record)
        waiting.append((record, is_one))
        if not (is_one or last.is_empty(record)):
            yield from (before for before, _ in waiting)
            waiting.clear()
        elif len(waiting) > ROWS_AT_THE_END:
            yield waiting.popleft()[0]
    for record, is_one in waiting:
        yield replace(record, text="", odd=TOTAL_BELOW) if is_one else record


class _Last:
    """What can stand at the end of a file below the answers. Asked of each record, so a glance tells for nearly all."""

    def __init__(self, separator: str, width: int) -> None:
        self.width, self.knife = width, Knife(Dialect(separator, ""))
        blank = rf"[\s\"{re.escape(separator)}]*+"
        self._empty = re.compile(blank)
        self._word = re.compile(rf"{blank}(?:{'|'.join(WORDS)})", re.IGNORECASE)

    def is_empty(self, record: Record) -> bool:
        return not record.odd and self._empty.fullmatch(record.text) is not None

    def is_total(self, record: Record) -> bool:
        if not self._word.match(record.text):
            return record.is_total
        return is_total(self.knife.cut(record.text[:LONGEST_TOTAL]).cells, self.width)


# --- Putting aside -----------------------------------------------------------------------------------------------------


@dataclass
class Aside:
    """Records put aside as cells, an irregular one as an empty row, and the list of the irregular ones."""

    separator: str
    width: int
    name: str
    records: int = 0
    empty_at_end: int = 0
    irregular: list[Irregular] = field(default_factory=list)
    head: list[tuple[str, ...]] = field(default_factory=list)
    _texts: list[str] = field(default_factory=list)
    _size: int = 0

    @cached_property
    def cells(self) -> Spooled:
        return Spooled(self.width)

    def add(self, record: Record) -> None:
        """Empty lines wait until something comes after them: at the end they are no records."""
        if record.is_empty_line:
            self.empty_at_end += 1
            return
        for _ in range(self.empty_at_end):
            self._put("", "")
        self.empty_at_end = 0
        self._put(record.text, record.odd, record.fields)

    def _put(self, text: str, odd: str, fields: int = 0) -> None:
        if odd:
            self.irregular.append(Irregular(self.records, fields, odd))
            if len(self.irregular) > MOST_IRREGULAR:
                raise too_many_irregular(self.name)
        self._texts.append(text or self._empty)
        self._size += len(text) + self.width
        self.records += 1
        if self._size > BLOCK:
            self.flush()

    @cached_property
    def _empty(self) -> str:
        return self.separator * (self.width - 1) or '""'

    def flush(self) -> None:
        """Read the texts into cells. An empty row comes first, so that no byte of the first one is taken for a mark."""
        if not self._texts:
            return
        frame = pl.read_csv(
            "\n".join([self._empty, *self._texts, ""]).encode(),
            has_header=False,
            schema={str(place): pl.String for place in range(self.width)},
            separator=self.separator,
            null_values="",
            truncate_ragged_lines=True,
        )[1:]
        if frame.height != len(self._texts):
            raise RuntimeError(f"{len(self._texts)} records of an export were put aside, and {frame.height} read back")
        self._keep_head(frame)
        self.cells.add(frame)
        self._texts, self._size = [], 0

    def _keep_head(self, frame: pl.DataFrame) -> None:
        for row in frame.head(HEAD_ROWS - len(self.head)).rows():
            self.head.append(tuple(cell or "" for cell in row))


def read_carefully(text: Iterable[str], dialect: Dialect, width: int, name: str) -> Aside:
    """Put all records of a text aside. Raises `InputRefused` where quotation marks make no sense at all."""
    aside = Aside(dialect.separator, width, name)
    records = one_table(_below(Records(text, dialect, width, name), dialect.above))
    for record in totals_marked(records, dialect.separator, width):
        aside.add(record)
    aside.flush()
    return aside


def head_of(begun: str, dialect: Dialect, width: int, name: str) -> tuple[tuple[str, ...], ...]:
    """The first records of a plain text, told from its beginning, which may end in the middle of a cell."""
    aside = Aside(dialect.separator, width, name)
    for record in islice(_below(Records([begun], dialect, width, name), dialect.above), HEAD_ROWS):
        if record.odd == OPEN:
            break
        aside.add(record)
    aside.flush()
    return tuple(aside.head)


def _below(records: Records, above: int) -> Records:
    for _ in range(above):
        next(records.lines, None)
    return records

"""Knife: lines of text, and how one line is cut into cells in a given dialect.

What belongs here: cutting, and saying where the cells of a line are not certain. What does not: which dialect it is
(`dialect`), and what becomes of records (`careful`).
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

from survey_pipeline.errors import InputRefused

LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+")
LONGEST_RECORD = 1 << 26
"""More bytes than any person's answers: a quotation mark was left open."""

OPEN = "a quotation mark that is left open"
STRAY = "a quotation mark that is left open or stands inside a cell"
BACKSLASHED = "a quotation mark after a backslash, which may or may not end its cell"
SPACED = "a space before a quotation mark, so that a separator may or may not belong to a cell"


@dataclass(frozen=True)
class Dialect:
    """How a text is cut. `above`: lines before the headings, which are no records."""

    separator: str
    because: str
    quote: str = '"'
    backslash: bool = False
    """Whether a backslash takes the meaning from the quotation mark after it."""
    spaced: bool = False
    """Whether a space after a separator belongs to it."""
    above: int = 0
    notes: tuple[str, ...] = ()

    @property
    def is_plain(self) -> bool:
        """Whether cells can be read from where the file lies."""
        return self.quote == '"' and not (self.backslash or self.spaced or self.above)


@dataclass(frozen=True)
class Cut:
    """One line, cut. `open`: its last cell goes on in the next line. `doubt`: why the cells are not certain."""

    cells: list[str]
    open: bool = False
    doubt: str = ""


# --- Lines -------------------------------------------------------------------------------------------------------------


class Lines:
    """Physical lines with their ends, whatever these are; some can be handed back and come again."""

    def __init__(self, text: Iterable[str], name: str) -> None:
        self._lines = _lines(text, name)
        self._again: deque[str] = deque()

    def __iter__(self) -> "Lines":
        return self

    def __next__(self) -> str:
        return self._again.popleft() if self._again else next(self._lines)

    def again(self, lines: list[str]) -> None:
        self._again.extendleft(reversed(lines))


def _lines(text: Iterable[str], name: str) -> Iterator[str]:
    rest = ""
    for chunk in text:
        whole = rest + chunk
        known = len(whole) - whole.endswith("\r")  # a newline may follow, which would belong to it
        end = 1 + max(whole.rfind("\n", 0, known), whole.rfind("\r", 0, known))
        yield from LINE.findall(whole, 0, end)
        rest = whole[end:]
        if len(rest) > LONGEST_RECORD:
            raise InputRefused(f"A line of '{name}' is longer than any person's answers.", "Export it again, as CSV.")
    yield from LINE.findall(rest)


# --- One line ----------------------------------------------------------------------------------------------------------


class Knife:
    """Cuts lines into cells in one dialect."""

    def __init__(self, dialect: Dialect) -> None:
        self.separator, self.quote = dialect.separator, dialect.quote
        self.spaced, self.backslash = dialect.spaced, dialect.backslash
        sign, mark = re.escape(self.separator), re.escape(self.quote)
        self._closing = re.compile(rf"{mark} *(?=\Z|{sign})")

    def cut(self, line: str, *, inside: bool = False) -> Cut:
        """Cut a line; `inside`: it begins within a cell that was opened before."""
        body = line.rstrip("\r\n")
        cells: list[str] = []
        place = 0
        while True:
            cell, place, doubt = self._quoted(body, place) if inside else self._cell(body, place)
            cells.append(cell)
            if doubt:
                return Cut(cells + body[place:].split(self.separator)[1:], False, doubt)
            if place < 0:
                cells[-1] += line[len(body) :]
                return Cut(cells, True)
            if place >= len(body):
                return Cut(cells)
            place, inside = place + 1, False

    def _cell(self, body: str, place: int) -> tuple[str, int, str]:
        """A cell from its first character: its text, where it ends (-1: in another line), and any doubt."""
        start = place
        while body.startswith(" ", start):
            start += 1
        is_quoted = body.startswith(self.quote, start)
        if is_quoted and (start == place or self.spaced):
            return self._quoted(body, start + 1)
        end = self._border(body, place)
        if is_quoted and self._hides(body, start, end):
            return body[place:end], end, SPACED
        return body[start if self.spaced else place : end], end, ""

    def _border(self, body: str, place: int) -> int:
        found = body.find(self.separator, place)
        return found if found >= 0 else len(body)

    def _hides(self, body: str, start: int, end: int) -> bool:
        """Whether a cell that begins with spaces and a mark would end elsewhere if the mark opened it."""
        closing = self._closing.search(body, start + 1)
        return closing is None or closing.end() != end

    def _quoted(self, body: str, place: int) -> tuple[str, int, str]:
        """The rest of a quoted cell. A mark inside that neither is doubled nor ends the cell is text if the cell ends at
        the same place whichever way it is read.
        """
        end = self._mark(body, place)
        if end < 0:
            return self._meant(body[place:]), -1, ""
        if closing := self._closing.match(body, end):
            return self._meant(body[place:end]), closing.end(), ""
        last = self._closing.search(body, end + 1)
        border = self._border(body, end)
        if last is None or last.end() != border:
            return body[place:end], border, STRAY
        if body.find("\\" + self.quote, place, last.start()) >= 0:
            return body[place:end], border, BACKSLASHED
        return self._meant(body[place : last.start()]), border, ""

    def _mark(self, body: str, place: int) -> int:
        """The next quotation mark that is not doubled and not taken its meaning from, or -1."""
        start = place
        while (place := body.find(self.quote, place)) >= 0:
            escaped = self.backslash and self._is_escaped(body, start, place)
            if not escaped and not body.startswith(self.quote, place + 1):
                return place
            place += 1 if escaped else 2
        return -1

    def _is_escaped(self, body: str, start: int, place: int) -> bool:
        """Whether an odd number of backslashes stands before a place."""
        before = place
        while before > start and body[before - 1] == "\\":
            before -= 1
        return (place - before) % 2 == 1

    def _meant(self, text: str) -> str:
        """What is written inside quotation marks, without what protects it."""
        if self.backslash:
            text = re.sub(rf"\\([\\{self.quote}])", r"\1", text)
        return text.replace(self.quote * 2, self.quote)


# --- The beginning of a text ----


def first_rows(begun: str, dialect: Dialect, rows: int) -> Iterator[Cut]:
    """The first rows as they are cut, before anybody knows how many headings there are."""
    lines, knife = Lines([begun], ""), Knife(dialect)
    for line in islice(lines, dialect.above, dialect.above + rows):
        cut = knife.cut(line)
        while cut.open and (after := next(lines, None)):
            more = knife.cut(after, inside=True)
            joined = [*cut.cells[:-1], cut.cells[-1] + more.cells[0], *more.cells[1:]]
            cut = Cut(joined, more.open, more.doubt)
        yield replace(cut, doubt=OPEN) if cut.open else cut

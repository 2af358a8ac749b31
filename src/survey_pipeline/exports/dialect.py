"""Dialect: how a text is cut into rows and cells.

What belongs here: separator, quotation mark, escapes, line ends, and what stands above the headings, told from the beginning
of a text, each with its reason; and what is wrong with a record that does not fit. What does not: cutting (`careful`).
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from itertools import islice

from survey_pipeline.errors import InputRefused, WrongUsage, did_you_mean
from survey_pipeline.exports.edges import LONGEST_PREAMBLE, NUMBER, reason, rows_above
from survey_pipeline.exports.knife import LINE, Dialect, first_rows
from survey_pipeline.exports.unpack import refuse_as

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
NAMED = {"comma": ",", "semicolon": ";", "tab": "\t", "\\t": "\t", "pipe": "|", "bar": "|"}
ROWS_TRIED = 100
"""Records from which the separator is told: the one that cuts most of them into as many cells as the headings."""
SAMPLE = 1 << 18
LONGEST_SAMPLE = 1 << 24
"""Characters from which a dialect is told: more only where lines are long."""
MOST_COLUMNS = 20_000
LINES_IN_A_CELL = 50
FEW_STRANGE = 20
"""Places of control characters that may be there."""
EXCEL_SEPARATOR = re.compile(r'"?sep=([,;:|\t])"?[,;:|\s]*', re.IGNORECASE)
MARKUP = (
    (re.compile(r"\s*<(!doctype html|html|head|body|table|meta|script)\b", re.IGNORECASE), "html"),
    (re.compile(r"\s*<\?xml\b", re.IGNORECASE), "xml"),
    (re.compile(r'\s*(\{\s*("[^"\n]*"\s*:|\}|\n)|\[\s*([\[{\]]|"[^"\n]*"\s*,?\s*\n|-?\d+\s*,?\s*\n))'), "json"),
)


# --- By hand -----------------------------------------------------------------------------------------------------------


def separator_by_hand(separator: str | None) -> str | None:
    """The separator that a user wrote, or named. Raises `WrongUsage` for what cannot be one."""
    if separator is None:
        return None
    meant = NAMED.get(separator.strip().lower(), separator) if len(separator) > 1 else separator
    if len(meant) != 1 or not meant.isascii() or meant in "\"'\r\n\0":
        near = did_you_mean(separator, NAMED) if len(separator) > 2 else ""
        raise WrongUsage(
            f"A separator is one character such as ',' or ';', or its name, such as 'tab'.{near}",
            "Leave it out to have it detected.",
        )
    return meant


# --- The beginning of a text -------------------------------------------------------------------------------------------


def sample(text: Iterable[str]) -> str:
    """The beginning of a text, whole lines where there are any."""
    begun = ""
    for chunk in text:
        begun += chunk
        enough = len(begun) > SAMPLE and begun.count("\n", 0, LONGEST_SAMPLE) + begun.count("\r") > ROWS_TRIED
        if enough or len(begun) > LONGEST_SAMPLE:
            return begun[: 1 + max(begun.rfind("\n"), begun.rfind("\r"))] or begun
    return begun


def refuse_what_is_no_table(begun: str, name: str) -> None:
    """Raise `InputRefused` for text that is something else than a table, and say what."""
    head = begun[:4096]
    for mark, kind in MARKUP:
        if mark.match(head):
            raise refuse_as(kind, name)
    strange = len(re.findall(r"\0+|[\x01-\x08\x0e-\x1f\x7f-\x9f]", head))
    if strange > max(FEW_STRANGE, len(head) // 50):
        raise InputRefused(
            f"The file '{name}' is no text: it holds bytes that no survey tool writes.",
            "Export the answers as CSV or as an Excel workbook (.xlsx).",
        )


def dialect_of(begun: str, separator: str | None, *, titled: bool = True) -> Dialect:
    """How a text is cut, told from its beginning; `separator`: set by hand; `titled`: whether rows of few cells may stand
    above the headings.
    """
    lines = _lines(begun)
    first = EXCEL_SEPARATOR.fullmatch(lines[0].rstrip("\r\n")) if lines else None
    below = lines[1:] if first else lines
    chosen = separator or (first.group(1) if first else _separator(below))
    dialect = _quoting("".join(below), Dialect(chosen, _why(separator, first)))
    above = (titled and _titles(below, dialect)) or _preamble(below, dialect)
    return replace(dialect, above=above + bool(first), notes=(*dialect.notes, *reason(above)))


def _why(separator: str | None, first: "re.Match[str] | None") -> str:
    if separator:
        return " (set by hand)"
    return ", as its first line says" if first else ""


def _lines(text: str) -> list[str]:
    return [found.group() for found in islice(LINE.finditer(text), ROWS_TRIED * 4)]


def _separator(lines: list[str]) -> str:
    """The separator that cuts the rows as the headings, most of them, and into the most cells; else a comma."""

    def score(separator: str) -> tuple[bool, bool, float, int]:
        widths = [n for n in _widths(lines, separator, '"') if n]
        usual, times = _usual(widths)
        if usual < 2:
            return False, False, 0.0, sum(widths[:1])
        return True, usual == widths[0], times / len(widths), usual

    return max(SEPARATORS, key=score)


def _usual(widths: list[int]) -> tuple[int, int]:
    """How many cells most rows have; the headings' number where several are as frequent."""
    counts = Counter(widths)
    return max(counts.items(), key=lambda pair: (pair[1], pair[0] in widths[:1], pair[0]), default=(0, 0))


def _widths(lines: list[str], separator: str, quote: str) -> list[int]:
    """How many cells each row has, blank lines none; quotation marks taken as they come."""
    return [
        0 if not row.strip() else 1 + sum(part.count(separator) for part in row.split(quote)[::2])
        for row in islice(_rows(lines, quote), ROWS_TRIED)
    ]


def _rows(lines: list[str], quote: str) -> list[str]:
    """Lines, joined where a quotation mark is open; not where it seems to stay open."""
    rows: list[str] = []
    place = 0
    while place < len(lines):
        end, marks = place + 1, lines[place].count(quote)
        while marks % 2 and end < min(len(lines), place + LINES_IN_A_CELL):
            marks += lines[end].count(quote)
            end += 1
        end = place + 1 if marks % 2 else end
        rows.append("".join(lines[place:end]))
        place = end
    return rows


# --- Quotation marks ---------------------------------------------------------------------------------------------------


def _quoting(text: str, dialect: Dialect) -> Dialect:
    """Which quotation mark is used, whether spaces come before it, and whether backslashes come before it inside."""
    cut = re.escape(dialect.separator)
    if _is_single_quoted(text, dialect.separator):
        dialect = replace(dialect, quote="'", notes=("cells are quoted by apostrophes",))
    quote = dialect.quote
    spaced = re.search(rf"{cut} +{quote}", text) is not None and re.search(rf"{cut}{quote}", text) is None
    if spaced and dialect.separator != " ":
        dialect = replace(dialect, spaced=True, notes=(*dialect.notes, "a space after each separator belongs to it"))
    if _is_escaped(text, dialect):
        dialect = replace(dialect, backslash=True, notes=(*dialect.notes, "quotation marks follow a backslash"))
    return dialect


def _is_single_quoted(text: str, separator: str) -> bool:
    """No cell begins with the usual mark, several begin and end with an apostrophe, and none only begins with one."""
    cut = re.escape(separator)
    begins = rf"(?:^|{cut}) *"
    if re.search(rf'{begins}"', text, re.MULTILINE):
        return False
    opened = len(re.findall(rf"{begins}'", text, re.MULTILINE))
    closed = len(re.findall(rf"{begins}'(?:[^']|'')*'(?=\r|\n|{cut}|\Z)", text, re.MULTILINE))
    return opened >= 2 and opened == closed


def _is_escaped(text: str, dialect: Dialect) -> bool:
    """A backslash comes before marks inside quoted cells, and no mark is doubled there: both together say nothing."""
    mark, both = dialect.quote, replace(dialect, backslash=True)
    if "\\" + mark not in text or not any(row.doubt for row in first_rows(text, dialect, ROWS_TRIED)):
        return False
    rows = list(first_rows(text, both, ROWS_TRIED))
    doubled = text.replace("\\" + mark, "\\").count(mark * 2) - sum(not cell for row in rows for cell in row.cells)
    return doubled <= 0 and not any(row.doubt for row in rows)


# --- What stands above the headings ------------------------------------------------------------------------------------


def _titles(lines: list[str], dialect: Dialect) -> int:
    """How many lines above the headings hold titles in a row of few cells, or nothing; none if a title goes over lines."""
    rows = [row.cells for row in first_rows("".join(lines), dialect, ROWS_TRIED)]
    above = rows_above(rows)
    return 0 if set("".join(cell for row in rows[:above] for cell in row)) & set("\r\n") else above


def _preamble(lines: list[str], dialect: Dialect) -> int:
    """How many lines stand above the headings: empty ones, comments, and a title of one cell."""
    widths = _widths(lines, dialect.separator, dialect.quote)
    usual, times = _usual([n for n in widths if n])
    above = 0
    for line in lines[:LONGEST_PREAMBLE]:
        n = 1 + line.count(dialect.separator)
        is_comment = line.startswith("#") and n != usual
        if not (not line.strip() or (usual > 1 and is_comment) or (usual > 2 and times > 1 and n == 1)):
            break
        above += 1
    if not above or above == len(lines) or not _is_heading(lines[above], dialect, usual):
        return 0
    return above


def _is_heading(line: str, dialect: Dialect, usual: int) -> bool:
    """Whether a line can be the headings: as many as there are cells, and no number among them."""
    cells = [cell.strip(f" {dialect.quote}\r\n") for cell in line.split(dialect.separator)]
    odd = line.count(dialect.quote) % 2 == 1
    return odd or (len(cells) >= usual and not any(NUMBER.fullmatch(cell[:40]) for cell in cells))


# --- What is wrong with a record ---------------------------------------------------------------------------------------


def why_odd(text: str, cells: int, width: int, separator: str) -> str:
    """What a record has that does not fit `width` headings."""
    if text.startswith("#"):
        return "a comment where answers should be"
    others = (sign for sign in SEPARATORS if sign != separator)
    if other := next((sign for sign in others if width > 1 and text.count(sign) == width - 1), None):
        return f"{SEPARATORS[other]} between its cells, other than the headings"
    return f"{'more' if cells > width else 'fewer'} cells than the {width} headings"


def padding(head: Iterable[tuple[str, ...]]) -> int:
    """How many columns at the end are blank in every row of the head, the headings too."""
    rows = [row for row in head if any(cell.strip() for cell in row)]
    width = len(rows[0]) if rows else 0
    rows = [row for row in rows if len(row) >= width - 1]
    last = max((place for row in rows for place, cell in enumerate(row[:width], 1) if cell.strip()), default=width)
    return width - last

"""Spreadsheets: keeping them from taking a text for a formula, and texts within what a cell holds.

What belongs here: the guards that every CSV file and workbook of ours goes through. What does not: what stands in a file.
"""

from typing import Final

import polars as pl

SIGNS: Final = frozenset(
    "=+-@\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}\N{FULLWIDTH HYPHEN-MINUS}\N{FULLWIDTH COMMERCIAL AT}"
)
"""With one of these a formula begins, also in the wide letters of Asian keyboards."""
BREAKS: Final = ("\t", "\r", "\n")
"""What stands behind one of these at the beginning may end up in a cell of its own."""
MOST_IN_A_CELL: Final = 32_767
"""Characters that a workbook's cell can hold, counted in units of UTF-16."""
ELLIPSIS: Final = "\N{HORIZONTAL ELLIPSIS}"
_UNSEEN: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\u2800")
"""Fillers and joiners that show nothing although they count as letters or marks."""


def guarded(text: str) -> str:
    """A cell that no spreadsheet takes for a formula: an apostrophe goes before what might be one."""
    return f"'{text}" if _could_run(text.lstrip("'")) else text


def unguarded(text: str) -> str:
    """The cell as it was: exactly that apostrophe is taken off again."""
    return text[1:] if text.startswith("'") and _could_run(text.lstrip("'")) else text


def harmless(text: str) -> str:
    """A label on one line that a spreadsheet will not take for a formula: an apostrophe goes before it."""
    line = " ".join(text.split())
    return f"'{line}" if _could_run(text) else line


def fitting(text: str, most: int = MOST_IN_A_CELL) -> str:
    """A text that is no longer than `most` characters, counted in units of UTF-16: the rest becomes an ellipsis."""
    units = text.encode("utf-16-le")
    if len(units) <= 2 * most:
        return text
    return units[: 2 * (most - 1)].decode("utf-16-le", errors="ignore") + ELLIPSIS


def harmless_frame(frame: pl.DataFrame) -> pl.DataFrame:
    """A frame for CSV, all of its texts harmless; numbers stay as they are."""
    return frame.with_columns(_harmless_column(column) for column in frame.get_columns() if column.dtype == pl.String)


def _harmless_column(column: pl.Series) -> pl.Series:
    """Each text is looked at once: a published table says the same words in thousands of rows."""
    safe = {text: harmless(text) for text in column.unique() if text is not None}
    return pl.Series(column.name, [safe.get(text) for text in column], dtype=pl.String)


def _could_run(text: str) -> bool:
    """Whether a sign comes first, whatever stands before it and is not seen."""
    first = next((mark for mark in text if not _is_unseen(mark)), "")
    return first in SIGNS or text.startswith(BREAKS)


def _is_unseen(mark: str) -> bool:
    """Spaces, controls, zero-width marks, byte order marks, and selectors of variants."""
    return mark.isspace() or not mark.isprintable() or mark in _UNSEEN or "\ufe00" <= mark <= "\ufe0f"

"""Edges: rows above and below a table that are no part of it: titles, and totals as spreadsheets add them.

What belongs here: telling such rows by their cells alone, whatever kind of file they stand in; only where it is certain. What
does not: lines of text (`dialect`), and what becomes of the rows (`records`, `careful`, `typed`).
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

Row = Sequence[str | None]

NUMBER = re.compile(r"[-+]?[\d.,:/ -]*\d[\d.,:/ -]*%?")
LONGEST_PREAMBLE = 20
"""Rows above the headings."""
MOST_TITLE_CELLS = 2
FEWEST_HEADINGS = 3
"""Filled cells in the row below a title; and at least twice as many as the title has."""
ROWS_AT_THE_END = 40
"""Records among which totals are looked for."""
LONGEST_TOTAL = 1 << 16
TOTAL_BELOW = "a total below the answers"
WORDS = (
    *("total", "sum", "average", "mean", "count", "median", "min", "max"),
    *("summe", "gesamt", "mittelwert", "durchschnitt", "anzahl", "suma", "promedio", "media"),
)
TOTAL = re.compile(rf"(?:{'|'.join(WORDS)})\s*:?\s*(?:[-+]?\d[\d., ]*%?)?", re.IGNORECASE)


def reason(above: int) -> tuple[str, ...]:
    """What is said of rows above the headings."""
    return (f"{above} {'lines' if above > 1 else 'line'} above the headings left out",) if above else ()


# --- Titles ------------------------------------------------------------------------------------------------------------


def rows_above(rows: Sequence[Row]) -> int:
    """How many rows stand above the headings: titles, and empty rows beside them; none unless that is certain."""
    above = titles = 0
    for row in rows[:LONGEST_PREAMBLE]:
        filled = len(_filled(row))
        if filled and not _is_title(row):
            break
        above, titles = above + 1, max(titles, filled)
    return above if titles and _are_headings(rows[above:], titles) else 0


def _filled(row: Row) -> list[str]:
    return [cell.strip() for cell in row if cell and cell.strip()]


def _is_title(row: Row) -> bool:
    """One or two filled cells, at the beginning."""
    filled = len(_filled(row))
    return filled <= MOST_TITLE_CELLS and len(_filled(row[:filled])) == filled


def _are_headings(rows: Sequence[Row], titles: int) -> bool:
    """Whether rows begin with headings: many more cells than a title, as wide as the others, no numbers, and texts that most
    often do not come again below, as answers do.
    """
    first = _filled(rows[0]) if rows else []
    usual = Counter(len(row) for row in rows if _filled(row)).most_common(1)
    return (
        len(first) >= max(FEWEST_HEADINGS, 2 * titles)
        and len(rows[0]) >= usual[0][0]
        and not any(NUMBER.fullmatch(cell[:40]) for cell in first)
        and _repeated(rows) * 2 <= len(first)
    )


def _repeated(rows: Sequence[Row]) -> int:
    """How many cells of the first row stand in their column once more, in a row that differs."""
    others = [row for row in rows[1:] if row != rows[0]]
    return sum(
        bool(cell and cell.strip()) and any(row[place : place + 1] == rows[0][place : place + 1] for row in others)
        for place, cell in enumerate(rows[0])
    )


# --- Totals ------------------------------------------------------------------------------------------------------------


def is_total(row: Row, width: int) -> bool:
    """Whether a row begins with a word for a total, and at most half of its cells are filled."""
    filled = _filled(row)
    return bool(filled) and len(filled) * 2 <= width and TOTAL.fullmatch(filled[0][:80]) is not None


def totals(last: Sequence[Row], width: int) -> Iterator[int]:
    """The places of totals among the last rows: nothing but totals and empty rows comes after them."""
    for place in reversed(range(len(last))):
        if is_total(last[place], width):
            yield place
        elif _filled(last[place]):
            return

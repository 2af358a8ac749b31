"""Workbook: all tables of a wave as one file that people open, `tables.xlsx`.

What belongs here: formats, widths, links and the names of sheets. What does not: what stands in the cells (`sheets`).

It follows the guidance of the UK Government Analysis Function on spreadsheets: a cover sheet with contents, notes, one table
a sheet that is a real table with a heading for each column, no merged or empty cells, words and not symbols where there is
no number, a plain sans-serif font of 12 points, no meaning by colour. Every text is written as text, so that nothing can run.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from io import BytesIO
from typing import Any, Final

from survey_pipeline.language import locale, say
from survey_pipeline.plain import clean
from survey_pipeline.render.sheets import Cell, Cover, Kind, Sheet, cover, notes, sheets
from survey_pipeline.render.view import View
from survey_pipeline.spreadsheets import fitting, harmless

WORKBOOK: Final = "tables.xlsx"
ALWAYS: Final = datetime(2000, 1, 1)
"""Stands for the time of writing, so that the same release is the same bytes."""
FONT: Final = {"font_name": "Arial", "font_size": 12, "font_scheme": "none", "valign": "top"}
PIXELS_OF_A_ROW: Final = 21
"""What a line of 12 points needs."""
LONGEST_NAME: Final = 31
"""Characters of a sheet's name."""
TAKEN: Final = "history"
"""A name that spreadsheet programs keep for themselves."""
LONGEST_PROPERTY: Final = 255
NARROWEST, WIDEST, PAGE_WIDE = 12, 44, 110
"""Widths of columns, in characters: of tables, and of the sheets that are read as a page."""
SAMPLED: Final = 500
"""Rows by which a column's width is chosen."""
STYLE: Final = "Table Style Light 1"
"""Black on white with rows in two shades of grey."""


def workbook(view: View) -> bytes:
    """The workbook of a release, in the language that is spoken. The same release gives the same bytes."""
    import xlsxwriter  # not needed before a report is written

    content = BytesIO()
    safe = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
    look = {"default_format_properties": dict(FONT), "default_row_height": PIXELS_OF_A_ROW}
    book = xlsxwriter.Workbook(content, safe | look)
    _say_whose(book, view)
    _Writer(book).write(cover(view), notes(view), sheets(view))
    book.close()
    return content.getvalue()


def _say_whose(book: Any, view: View) -> None:
    """The properties of the document."""
    title = f"{clean(view.release.instrument.title)}, {view.release.wave}"
    about = {"title": clean(view.instrument.title), "subject": title, "author": clean(view.instrument.community)}
    fitted = {key: fitting(text, LONGEST_PROPERTY) for key, text in about.items()}
    book.set_properties({**fitted, "category": view.release.provenance, "created": ALWAYS})
    book.set_custom_property("Language", locale())


def sheet_names(wanted: Iterable[str]) -> list[str]:
    """Names of sheets: at most 31 characters, no two alike but for capitals, none that programs keep for themselves."""
    found: list[str] = []
    taken = {TAKEN}
    for name in wanted:
        given = _free(name, taken)
        taken.add(given.casefold())
        found.append(given)
    return found


def _free(name: str, taken: set[str]) -> str:
    """The name itself, cut where it is too long, with a number behind it where it is taken."""
    plain = "".join(" " if mark in "[]:*?/\\'" else mark for mark in name).strip()
    number, given = 1, plain[:LONGEST_NAME]
    while given.casefold() in taken:
        number += 1
        given = f"{plain[: LONGEST_NAME - len(str(number)) - 1]}_{number}"
    return given


@lru_cache(maxsize=4096)
def texts(text: str) -> str:
    """A text as it stands in a cell: nothing that could run when the cell is edited or saved as CSV, and not too long."""
    return fitting(harmless(text))


class _Writer:
    """Writes sheets into a workbook that is open."""

    def __init__(self, book: Any) -> None:
        self.book = book
        self.wrapped = book.add_format({"text_wrap": True})
        self.title = book.add_format({"bold": True, "font_size": 16})
        self.heading = book.add_format({"bold": True, "text_wrap": True})
        self.line = book.add_format()
        self.word = book.add_format({"align": "right"})
        self.numbers = {"number": book.add_format(), "count": book.add_format({"num_format": "#,##0"})}
        self.link = book.add_format({"underline": 1, "font_color": "#0000C0"})

    def write(self, front: Cover, notes: Sheet, tables: Sequence[Sheet]) -> None:
        shown = (notes, *tables)
        first, *others = sheet_names([say("Cover"), say("Notes"), *(sheet.name for sheet in tables)])
        pages = [self.book.add_worksheet(name) for name in (first, *others)]
        self._cover(pages[0], front, list(zip(others, shown, strict=True)))
        self._notes(pages[1], notes, first)
        for page, sheet in zip(pages[2:], tables, strict=True):
            self._table(page, sheet, first)

    def _cover(self, page: Any, front: Cover, contents: Sequence[tuple[str, Sheet]]) -> None:
        page.set_column(0, 0, PAGE_WIDE)
        page.write_string(0, 0, texts(front.title), self.title)
        for row, line in enumerate(front.lines, start=1):
            page.write_string(row, 0, texts(line), self.wrapped)
        start = len(front.lines) + 1
        page.write_string(start, 0, say("Contents"), self.heading)
        for row, (name, sheet) in enumerate(contents, start=start + 1):
            self._link(page, row, name, sheet.title if sheet is contents[0][1] else f"{name}: {sheet.title}")
        _for_paper(page)

    def _notes(self, page: Any, sheet: Sheet, contents: str) -> None:
        top = self._head(page, sheet, contents)
        page.set_column(0, 0, WIDEST * 2 // 3)
        page.set_column(1, 1, PAGE_WIDE)
        for row, cells in enumerate(sheet.rows, start=top + 1):
            for column, cell in enumerate(cells):
                page.write_string(row, column, texts(str(cell)), self.wrapped)
        self._as_table(page, sheet, top, "notes")

    def _table(self, page: Any, sheet: Sheet, contents: str) -> None:
        top = self._head(page, sheet, contents)
        for row, cells in enumerate(sheet.rows, start=top + 1):
            for column, (cell, kind) in enumerate(zip(cells, sheet.kinds, strict=True)):
                self._cell(page, (row, column), cell, kind)
        for column, width in enumerate(_widths(sheet)):
            page.set_column(column, column, width)
        self._as_table(page, sheet, top, f"table_{sheet.name}")

    def _cell(self, page: Any, place: tuple[int, int], cell: Cell, kind: Kind) -> None:
        """A number as a number; a text as text, to the right where numbers are expected."""
        if isinstance(cell, str):
            page.write_string(*place, texts(cell), self.wrapped if kind == "text" else self.word)
        else:
            page.write_number(*place, cell, self.numbers[kind])

    def _head(self, page: Any, sheet: Sheet, contents: str) -> int:
        """The lines above a table, and in which row (from 0) its headings stand."""
        page.write_string(0, 0, texts(sheet.title), self.title)
        for row, line in enumerate(sheet.lines, start=1):
            page.write_string(row, 0, texts(line), self.line)
        self._link(page, len(sheet.lines) + 1, contents, say("Back to the contents"))
        return len(sheet.lines) + 2

    def _link(self, page: Any, row: int, sheet: str, text: str) -> None:
        page.write_url(row, 0, f"internal:'{sheet}'!A1", self.link, texts(text))

    def _as_table(self, page: Any, sheet: Sheet, top: int, name: str) -> None:
        """Makes a table of what was written, with its headings, and keeps them in sight."""
        headings = [{"header": texts(heading), "header_format": self.heading} for heading in sheet.headings]
        title = fitting(sheet.title, LONGEST_PROPERTY)
        told = {"name": name[:LONGEST_PROPERTY], "title": title, "description": title}
        last = top + max(len(sheet.rows), 1)
        page.add_table(top, 0, last, len(headings) - 1, {"columns": headings, "style": STYLE, **told})
        page.freeze_panes(top + 1, 0)
        page.repeat_rows(top)
        _for_paper(page)


def _for_paper(page: Any) -> None:
    """A4 across, as wide as one sheet of paper."""
    page.set_landscape()
    page.set_paper(9)
    page.fit_to_pages(1, 0)


def _widths(sheet: Sheet) -> Iterable[float]:
    """Of each column, by its longest text in the first rows."""
    for place, heading in enumerate(sheet.headings):
        longest = max((len(str(cells[place])) for cells in sheet.rows[:SAMPLED]), default=0)
        needed = max(longest, max(map(len, heading.split()), default=0) + 3)
        yield min(max(needed * 1.15, NARROWEST), WIDEST)

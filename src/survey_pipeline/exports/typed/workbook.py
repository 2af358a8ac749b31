"""Workbooks: one sheet of an Excel workbook (.xlsx, .xlsm) as text, every row a record.

What belongs here: which sheet holds the answers, and what kind each cell is of. What does not: the archive around the sheets
(`package`), and which rows are headings (`tools`).
"""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import polars as pl

from survey_pipeline.errors import InputRefused, WrongUsage, did_you_mean
from survey_pipeline.exports.edges import ROWS_AT_THE_END, TOTAL_BELOW, reason, rows_above, totals
from survey_pipeline.exports.sheet import ByHand, Irregular, Sheet
from survey_pipeline.exports.typed.cells import (
    length_texts,
    number_texts,
    put_aside,
    refusing,
    truth_texts,
    without_blanks,
)
from survey_pipeline.exports.typed.package import SAVE_AS, Part, worksheets
from survey_pipeline.texts import fold

if TYPE_CHECKING:
    from fastexcel import ExcelReader

SLICE_ROWS = 50_000
ROWS_TRIED = 100
"""Rows by which a title above the headings is told from answers."""
NOT_ALL_TEXT = r"^-?\d|^true$|^false$"
"""Columns without such a text hold texts only. A year far away begins with a plus sign: no survey was answered then."""
LONGEST_LENGTH = timedelta(days=61)
"""Excel's own calendar errs until March 1900, so an earlier "date" is a time of day or a length of time."""
Kind = Literal["string", "boolean", "float", "duration"]
KINDS: tuple[Kind, ...] = ("boolean", "float", "duration")


def read_workbook(path: Path, kind: str, sha256: str, by_hand: ByHand) -> Sheet:
    """The sheet that holds the answers, without empty rows above the first and below the last.

    The reader keeps the whole sheet in memory, and so do its texts: about 100 bytes a cell, bounded by `MOST_CELLS`.
    """
    workbook = _Workbook.opened(path)
    part, because = workbook.chosen(by_hand.sheet)
    texts = _without_end(workbook.texts(part))
    above = rows_above(texts.head(ROWS_TRIED).rows()) if by_hand.header_rows is None else 0
    texts = texts[above:]
    if not texts.height:
        raise InputRefused(f"The sheet '{part.name}' of '{path.name}' is empty.", "Name the sheet that holds answers.")
    odd = _totals(texts)
    aside = put_aside(_emptied(texts, odd).iter_slices(SLICE_ROWS), texts.width)
    return Sheet(
        sha256=sha256,
        kind=kind,
        encoding="utf-8",
        separator="",
        head=aside.head,
        width=texts.width,
        records=aside.records,
        irregular=odd,
        cells=aside.cells,
        reasons=(because, *reason(above), *_errors(part.errors)),
    )


def _totals(texts: pl.DataFrame) -> tuple[Irregular, ...]:
    """Totals below the answers, numbered among all rows from 0."""
    last = texts[1:].tail(ROWS_AT_THE_END).rows()
    first = texts.height - len(last)
    return tuple(Irregular(first + place, texts.width, TOTAL_BELOW) for place in sorted(totals(last, texts.width)))


def _emptied(texts: pl.DataFrame, odd: tuple[Irregular, ...]) -> pl.DataFrame:
    """Rows that are not read are empty ones here: nothing of them is kept."""
    if not odd:
        return texts
    is_odd = pl.int_range(pl.len()).is_in([one.record for one in odd])
    return texts.with_columns(pl.when(~is_odd).then(pl.all()))


def _errors(count: int) -> tuple[str, ...]:
    return (f"cells with an error such as #N/A, read as empty: {count}",) if count else ()


@dataclass(frozen=True)
class _Content:
    """How many rows of a sheet are filled, titles not counted, and the folded cells of the first of them."""

    rows: int
    headings: tuple[str, ...]


@dataclass(frozen=True)
class _Workbook:
    path: Path
    parts: tuple[Part, ...]
    reader: "ExcelReader"

    @classmethod
    def opened(cls, path: Path) -> "_Workbook":
        """A workbook whose reader goes by its bytes: given a path, it would go by the ending of its name."""
        import fastexcel

        parts = worksheets(path)
        with refusing(f"The workbook '{path.name}' is damaged.", SAVE_AS):
            return cls(path, parts, fastexcel.read_excel(path.read_bytes()))

    def chosen(self, by_hand: str | None) -> tuple[Part, str]:
        """The sheet that holds the answers, and why it is thought to."""
        if by_hand is not None:
            return self._named(by_hand), f"a workbook; its sheet '{by_hand}' was set by hand"
        if len(self.parts) == 1:
            return self.parts[0], f"a workbook; its only sheet is '{self.parts[0].name}'"
        filled = self._candidates()
        self._refuse_twins(list(filled.values()))
        part = max(filled, key=lambda part: filled[part].rows)
        ties = sum(content.rows == filled[part].rows for content in filled.values())
        return part, f"a workbook; {self._why(part, len(filled), ties)}"

    def _named(self, name: str) -> Part:
        for part in self.parts:
            if part.name == name:
                return part
        names = [part.name for part in self.parts]
        raise WrongUsage(
            f"The workbook '{self.path.name}' has no sheet '{name}'.{did_you_mean(name, names)}",
            f"Its sheets are {', '.join(map(repr, names))}." if names else "It has none.",
        )

    def _candidates(self) -> "dict[Part, _Content]":
        """Sheets with content and what it is like; hidden ones only if no other has any."""
        filled = {part: content for part in self.parts if (content := self._content(part)).rows}
        if not filled:
            raise InputRefused(f"The workbook '{self.path.name}' holds no answers.", "Export it again.")
        return {part: content for part, content in filled.items() if not part.hidden} or filled

    def _content(self, part: Part) -> "_Content":
        texts = self._load(part, "string")
        if not texts.width:
            return _Content(0, ())
        filled = texts.filter(pl.any_horizontal(pl.all().str.strip_chars() != ""))
        head = filled.head(ROWS_TRIED).rows()
        above = rows_above(head)
        folded = (text for cell in (head[above] if head else ()) if (text := fold(cell or "")))
        return _Content(filled.height - above, tuple(folded))

    def _refuse_twins(self, contents: "list[_Content]") -> None:
        """Answers under the same headings in several sheets belong together: none of them is the whole."""
        alike = Counter(content.headings for content in contents if content.rows > 1)
        twins = max(alike.values(), default=0)
        if twins > 1:
            raise InputRefused(
                f"In the workbook '{self.path.name}', {twins} sheets hold answers under the same headings.",
                "Name one of them (--sheet), or put all answers into one sheet.",
            )

    def _why(self, part: Part, with_content: int, ties: int) -> str:
        hidden = "hidden " if part.hidden else ""
        why = f"the {hidden}sheet '{part.name}' of {len(self.parts)} holds the answers"
        most = "is the first of those with the most filled rows" if ties > 1 else "has the most filled rows"
        return f"{why}: of {with_content} with content it {most}" if with_content > 1 else why

    def texts(self, part: Part) -> pl.DataFrame:
        """All cells as text.

        Asked for texts, the reader gives each cell as one, but rounds numbers and does not say what is a number and what is
        a text that looks like one. So columns that may hold other things than texts are asked for again, as truths (only
        numbers and truths are), as numbers, and as lengths of time (only dates and times are).
        """
        texts = self._load(part, "string")
        mixed = texts.select(pl.all().str.contains(NOT_ALL_TEXT).any())
        names = [name for name in texts.columns if mixed[name].item()]
        if names:
            kinds = [self._load(part, kind, names) for kind in KINDS]
            texts = texts.with_columns(_typed(texts[name], *(frame[name] for frame in kinds)) for name in names)
        return texts.with_columns(without_blanks(column) for column in texts)

    def _load(self, part: Part, kind: Kind, columns: list[str] | None = None) -> pl.DataFrame:
        with refusing(f"The sheet '{part.name}' of '{self.path.name}' is damaged.", SAVE_AS):
            sheet = self.reader.load_sheet(part.name, header_row=None, dtypes=kind, use_columns=columns)
            return sheet.to_polars() if sheet.width else pl.DataFrame()


def _typed(texts: pl.Series, truths: pl.Series, numbers: pl.Series, lengths: pl.Series) -> pl.Series:
    """One column, each cell by its kind."""
    is_truth = truths.is_not_null() & texts.is_in(["true", "false"])
    plain = texts.zip_with(truths.is_null(), number_texts(numbers))
    return _times(plain.zip_with(~is_truth, truth_texts(truths)), lengths)


def _times(texts: pl.Series, lengths: pl.Series) -> pl.Series:
    """Dates and times; midnight is left out of a column of dates, and kept beside other times of day."""
    if lengths.null_count() == lengths.len():
        return texts
    is_date, is_length = lengths >= LONGEST_LENGTH, lengths < LONGEST_LENGTH
    moments = texts.str.replace(r"(\.\d*?)0+$", "$1")
    if texts.filter(is_date).str.ends_with(" 00:00:00").all():
        moments = moments.str.replace(r" 00:00:00$", "")
    return moments.zip_with(is_date, length_texts(lengths).zip_with(is_length, texts))


def _without_end(texts: pl.DataFrame) -> pl.DataFrame:
    """Without empty rows at the end: they are no records."""
    if not texts.width:
        return texts
    filled = texts.select(pl.any_horizontal(pl.all().is_not_null())).to_series().arg_true()
    return texts.head(int(filled[-1]) + 1 if filled.len() else 0)

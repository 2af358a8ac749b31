"""Files: the way in. A path becomes a `Sheet`, whatever kind of file it is.

What belongs here: telling kinds of files apart and calling who reads them. What does not: how one kind is read, and which
survey tool wrote a file (`tools`).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import polars as pl

from survey_pipeline.errors import InputRefused, WrongUsage
from survey_pipeline.exports.careful import head_of, read_carefully
from survey_pipeline.exports.dialect import (
    MOST_COLUMNS,
    ROWS_TRIED,
    SEPARATORS,
    dialect_of,
    padding,
    refuse_what_is_no_table,
    sample,
    separator_by_hand,
)
from survey_pipeline.exports.encodings import (
    CUT,
    UTF_8,
    Encoding,
    NotEncodedSo,
    begins_as,
    decoded,
    encoding_by_hand,
    told_from_words,
    where,
)
from survey_pipeline.exports.knife import LINE, Dialect, first_rows
from survey_pipeline.exports.records import NotPlain, look_through
from survey_pipeline.exports.sheet import DETECT, ByHand, Cells, Sheet
from survey_pipeline.exports.unpack import TYPED, Source, content, fingerprint

HEAD_BYTES = 1 << 16


def open_sheet(path: Path, by_hand: ByHand = DETECT) -> Sheet:
    """The cells of an export file.

    Raises `InputRefused` for a missing, empty or unreadable file, a folder, and what is no table of answers, and `WrongUsage`
    for an encoding or separator that nobody knows.
    """
    by_hand = replace(
        by_hand, encoding=encoding_by_hand(by_hand.encoding), separator=separator_by_hand(by_hand.separator)
    )
    _refuse_what_is_no_file(path)
    with content(path) as (kind, source):
        _refuse_what_does_not_apply(kind if kind in TYPED else "csv", source.name, by_hand)
        sheet = _read_typed(path, kind, source, by_hand) if kind in TYPED else _read_text(source, by_hand)
        packed = (f"the file is packed with {source.packed}",) if source.packed else ()
        return replace(sheet, reasons=(*packed, *sheet.reasons))


def _read_typed(path: Path, kind: str, source: Source, by_hand: ByHand) -> Sheet:
    from survey_pipeline.exports.typed import read_typed  # it takes a second, and few exports need it

    return read_typed(source.path, kind, fingerprint(path), by_hand)


SAYS_ITSELF = {
    "csv": ("sheet",),
    "xlsx": ("encoding", "separator"),
    "parquet": ("encoding", "separator", "sheet"),
    **dict.fromkeys(("spss", "stata", "sas"), ("separator", "sheet")),
}
"""What cannot be set by hand for a kind of file, since it has none or says it itself."""


def _refuse_what_does_not_apply(kind: str, name: str, by_hand: ByHand) -> None:
    for what in SAYS_ITSELF[kind]:
        if getattr(by_hand, what) is not None:
            shown = "text in a table" if kind == "csv" else "a workbook" if kind == "xlsx" else f"a file of {kind}"
            raise WrongUsage(f"'{name}' is {shown}, for which no {what} can be set.", f"Leave the {what} out.")


def _refuse_what_is_no_file(path: Path) -> None:
    if path.is_dir():
        raise InputRefused(
            f"'{path.name}' is a folder, not an export.", "Name the files, or use `backfill` for a folder of waves."
        )
    if not path.is_file():
        raise InputRefused(f"There is no file '{path}'.", "Check the name and the folder, then run again.")
    if path.stat().st_size == 0:
        raise InputRefused(f"The file '{path.name}' is empty.", "Export the answers again from the survey tool.")


# --- Text ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Begun:
    """What the beginning of a text tells: how it is encoded and cut, and its headings."""

    encoding: Encoding
    dialect: Dialect
    text: str
    width: int
    padding: int
    """Blank columns beyond that width. They are columns of the file all the same, and counted."""
    reasons: tuple[str, ...]

    @property
    def is_quoted(self) -> bool:
        """Whether every heading stands in quotation marks."""
        lines = (found.group() for found in LINE.finditer(self.text))
        first = next(islice(lines, self.dialect.above, None), "").strip("\ufeff\r\n")
        between = f'"{self.dialect.separator}"'
        return first[:1] == first[-1:] == '"' and first.count(between) == self.width + self.padding - 1

    def padded(self, head: Iterable[tuple[str, ...]]) -> tuple[tuple[str, ...], ...]:
        """Records with their blank cells at the end."""
        return tuple((*cells, *[""] * self.padding) for cells in head)


def _read_text(source: Source, by_hand: ByHand) -> Sheet:
    """Read text as UTF-8, or as a mark or the user says; as something else only after it proved not to be that."""
    encoding = begins_as(source.head(HEAD_BYTES), source.name, by_hand.encoding)
    is_open = not by_hand.encoding and encoding.name == UTF_8 and not encoding.mark
    try:
        return _read_as(source, encoding, by_hand)
    except NotEncodedSo as stopped:
        if not is_open:
            raise _not_throughout(source, encoding, stopped) from None
        encoding = told_from_words(source, stopped.byte)
    try:
        return _read_as(source, encoding, by_hand)
    except NotEncodedSo as stopped:
        raise _not_throughout(source, encoding, stopped) from None


def _not_throughout(source: Source, encoding: Encoding, stopped: NotEncodedSo) -> InputRefused:
    return InputRefused(
        f"The file '{source.name}' is not {encoding.name.upper()} text throughout: see {where(source, stopped.byte)}.",
        "Export the answers again, as 'CSV UTF-8', or set another encoding by hand (--encoding).",
    )


def _read_as(source: Source, encoding: Encoding, by_hand: ByHand) -> Sheet:
    begun = _beginning(source, encoding, by_hand)
    why_careful = ""
    if encoding.name == UTF_8 and not source.packed and begun.dialect.is_plain:
        try:
            return _read_plain(source.path, begun)
        except NotPlain as stopped:
            why_careful = f"{stopped}, so each record was looked at by itself"
    return _read_with_care(source, begun, why_careful)


def _beginning(source: Source, encoding: Encoding, by_hand: ByHand) -> _Begun:
    text = sample(decoded(source.chunks(HEAD_BYTES), encoding))
    refuse_what_is_no_table(text, source.name)
    dialect = dialect_of(text, by_hand.separator, titled=by_hand.header_rows is None)
    rows = list(first_rows(text, dialect, ROWS_TRIED))
    _refuse_no_headings(rows[0].cells if rows else [], rows[0].doubt if rows else "", source.name)
    off = padding(tuple(row.cells) for row in rows)
    width = len(rows[0].cells) - off
    cut = SEPARATORS.get(dialect.separator, f"'{dialect.separator}'")
    reasons = (
        encoding.because,
        f"its first row holds {width} heading{'s' if width > 1 else ''} separated by {cut}{dialect.because}",
        *dialect.notes,
        *(
            [f"{off} blank columns at its end are padding"]
            if off > 1
            else ["a blank column at its end is padding"] * off
        ),
    )
    return _Begun(encoding, dialect, text, width, off, reasons)


def _refuse_no_headings(headings: list[str], doubt: str, name: str) -> None:
    if "\0" in "".join(headings):
        odd = "an end that is cut off" if headings[-1].endswith(CUT) else "a zero byte"
        raise InputRefused(f"The row of headings of '{name}' has {odd}.", "Export the answers again.")
    if doubt:
        raise InputRefused(f"In '{name}', the row of headings has {doubt}.", "Export the answers again.")
    if len(headings) > MOST_COLUMNS:
        raise InputRefused(
            f"'{name}' has {len(headings)} columns; no survey has more than {MOST_COLUMNS}.",
            "Check the separator, or export fewer questions.",
        )
    if not any(heading.strip() for heading in headings):
        raise InputRefused(
            f"The first line of '{name}' holds no headings.", "Export the answers with their questions, as CSV."
        )


def _read_plain(path: Path, begun: _Begun) -> Sheet:
    contents = look_through(path, begun.dialect.separator, begun.width)
    return Sheet(
        sha256=contents.sha256,
        kind="csv",
        encoding=begun.encoding.name,
        separator=begun.dialect.separator,
        head=begun.padded(head_of(begun.text, begun.dialect, begun.width, path.name)),
        width=begun.width + begun.padding,
        records=contents.records + 1,
        irregular=contents.irregular,
        cells=PlainCells(path, begun.dialect.separator, begun.width + begun.padding),
        reasons=begun.reasons,
        is_quoted=begun.is_quoted,
    )


def _read_with_care(source: Source, begun: _Begun, why: str) -> Sheet:
    text = decoded(source.chunks(), begun.encoding)
    aside = read_carefully(text, begun.dialect, begun.width, source.name)
    return Sheet(
        sha256=fingerprint(source.path),
        kind="csv",
        encoding=begun.encoding.name,
        separator=begun.dialect.separator,
        head=begun.padded(aside.head),
        width=begun.width + begun.padding,
        records=aside.records,
        irregular=tuple(aside.irregular),
        cells=Padded(aside.cells, begun.width) if begun.padding else aside.cells,
        reasons=(*begun.reasons, *([why] if why else [])),
        is_quoted=begun.is_quoted,
    )


@dataclass(frozen=True)
class Padded:
    """Cells with blank columns behind them."""

    cells: Cells
    width: int

    def batches(self, columns: Sequence[int], skip: int, rows: int) -> Iterator[pl.DataFrame]:
        """As of any cells; a column beyond the width is blank."""
        inside = [place for place in columns if place < self.width] or [0]
        blank = [pl.lit(None, dtype=pl.String).alias(str(place)) for place in columns if place >= self.width]
        for batch in self.cells.batches(inside, skip, rows):
            yield batch.with_columns(blank).select(str(place) for place in columns)


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

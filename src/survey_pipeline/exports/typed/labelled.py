"""Labelled tables: SPSS (.sav, .zsav, .por), Stata (.dta) and SAS (.xpt) files, which say what their codes mean.

What belongs here: cells as text, with the labels of columns and codes and with the values that the file declares as missing.
What does not: tables without labels (`parquet`), and whether a missing value was refused, skipped or not applicable.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from survey_pipeline.errors import InputRefused
from survey_pipeline.exports.sheet import ByHand, Meta, Sheet
from survey_pipeline.exports.typed.cells import (
    DATE,
    MOMENT,
    length_texts,
    moment_texts,
    names_as_record,
    number_texts,
    put_aside,
    refusing,
    without_blanks,
)

if TYPE_CHECKING:
    from pyreadstat import metadata_container

BATCH_CELLS = 2_000_000
NAMES = {"spss": "SPSS", "stata": "Stata", "sas": "SAS"}
LOSES_LETTERS = frozenset({"cp1255", "cp1258", "1255", "1258"})
"""Hebrew and Vietnamese of Windows."""
UNIX = datetime(1970, 1, 1)
ORIGINS = {"spss": datetime(1582, 10, 14), "stata": datetime(1960, 1, 1), "sas": datetime(1960, 1, 1)}
SAS_LINE = 80
SAS_TABLE = b"HEADER RECORD*******MEMB"
CHUNK = SAS_LINE << 16
DAY = 86_400_000
"""Milliseconds, in which all moments are counted here."""
YEAR_ONE, YEAR_TEN_THOUSAND = -62_135_596_800_000, 253_402_300_800_000
FORMAT = re.compile(r"(.*?[A-Z])\d*(\.\d*)?")
STATA_CLOCK = re.compile(r"%-?t[cC][Hh]{1,2}:?[Mm]{2}(:?[Ss]{2}(\.s+)?)?([_ ]*[aA]\.?[mM]\.?)?")
SPSS_SHAPES = {
    "date": ("DATE", "ADATE", "EDATE", "JDATE", "SDATE", "QYR", "MOYR", "WKYR"),
    "moment": ("DATETIME", "YMDHMS"),
    "time": ("TIME", "DTIME", "MTIME"),
}
SAS_DATES = re.compile(
    r"DATE|JULIAN|MONYY|WEEKDAT[EX]|WORDDAT[EX]|NLDATE|([DMY]{6}|YYMM|MMYY)[BCDNPS]?|[BE]8601DA|IS8601DA"
)
SAS_MOMENTS = re.compile(r"DATETIME|DATEAMPM|MDYAMPM|NLDATM|[BE]8601D[TN]|IS8601DT")
SAS_TIMES = re.compile(r"TIME|TIMEAMPM|TOD|HHMM|MMSS|NLTIME|[BE]8601TM|IS8601TM")


def read_labelled(path: Path, kind: str, sha256: str, by_hand: ByHand) -> Sheet:
    """All columns as text, some rows at a time; codes stay codes, and what they mean is told beside them."""
    form = _form(path, kind)
    if form == "xpt":
        _refuse_cut_or_several(path)
    table = _Table(path, kind, form, _reader(form, by_hand.encoding))
    with table.refusing():
        first = table.look(by_hand.encoding)
        columns = [_Column.of(kind, name, first) for name in first.column_names]
        aside = put_aside(table.frames(columns), len(columns))
        table.refuse_fewer(aside.records - 1, first.number_rows)
    return Sheet(
        sha256=sha256,
        kind=kind,
        encoding=by_hand.encoding or first.file_encoding or "",
        separator="",
        head=aside.head,
        width=len(columns),
        records=aside.records,
        irregular=(),
        cells=aside.cells,
        reasons=tuple(_reasons(kind, form, columns)),
        meta=tuple(column.meta() for column in columns),
    )


def _reasons(kind: str, form: str, columns: "Sequence[_Column]") -> Iterator[str]:
    labelled = sum(bool(column.values) for column in columns)
    yield f"a file of {NAMES[kind]} (.{form}); columns: {len(columns)}, of which {labelled} label their codes"
    if form == "por":
        yield "values that a .por file declares as missing are read as empty"


def _form(path: Path, kind: str) -> str:
    """Which of a program's formats a file has, by its first bytes: names lie."""
    with path.open("rb") as file:
        start = file.read(512)
    forms = {
        "sav": kind == "spss" and start.startswith((b"$FL2", b"$FL3")),
        "por": kind == "spss" and b"SPSS PORT FILE" in start.replace(b"\r", b"").replace(b"\n", b""),
        "dta": kind == "stata" and (start.startswith(b"<stata_dta>") or start[:2] in _OLD_STATA),
        "xpt": kind == "sas" and start.startswith(b"HEADER RECORD*******LIB"),
    }
    for form, is_it in forms.items():
        if is_it:
            return form
    raise InputRefused(f"'{path.name}' does not begin as a file of {NAMES[kind]} does.", _NEXT_STEP[kind])


_OLD_STATA = frozenset(bytes([version, byte_order]) for version in range(104, 116) for byte_order in (1, 2))
_NEXT_STEP = {
    "spss": "Save it in SPSS as .sav, or export it as CSV.",
    "stata": "Save it in Stata as .dta, or export it as CSV.",
    "sas": "Save it in SAS as a transport file (.xpt), or export it as CSV.",
}


def _refuse_cut_or_several(path: Path) -> None:
    """A transport file consists of whole lines of 80 bytes. The reader passes over all tables but the first in silence."""
    tables, rest = 0, b""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            tables += (rest + chunk).count(SAS_TABLE)
            rest = chunk[-len(SAS_TABLE) + 1 :]
    if path.stat().st_size % SAS_LINE:
        raise InputRefused(f"The end of '{path.name}' is missing.", "Copy or export it again.")
    if tables != 1:
        raise InputRefused(f"'{path.name}' holds {tables} tables.", "Export each table into a file of its own.")


Reader = Callable[..., "tuple[dict[str, list[Any]], metadata_container]"]


def _reader(form: str, encoding: str | None) -> Reader:
    """The function that reads a format, with what it can be told: not all take an encoding, or keep missing values apart."""
    import pyreadstat

    read: dict[str, Any] = {
        "sav": partial(pyreadstat.read_sav, user_missing=True, encoding=encoding),
        "dta": partial(pyreadstat.read_dta, user_missing=True, encoding=encoding),
        "xpt": partial(pyreadstat.read_xport, encoding=encoding),
        "por": pyreadstat.read_por,
    }
    return partial(read[form], output_format="dict", disable_datetime_conversion=True)


@dataclass(frozen=True)
class _Table:
    path: Path
    kind: str
    form: str
    read: Reader

    def refusing(self) -> AbstractContextManager[None]:
        name = NAMES[self.kind]
        return refusing(
            f"'{self.path.name}' is a damaged file of {name}, or its texts are in another encoding than it says.",
            "Save it again, or set its encoding by hand (see --help).",
        )

    def look(self, encoding: str | None) -> "metadata_container":
        """What the file says about its columns."""
        _, meta = self.read(self.path.absolute(), metadataonly=True)
        self._refuse_losing_letters(encoding or meta.file_encoding or "")
        names = meta.column_names
        if not names or len(set(names)) != len(names):
            raise InputRefused(
                f"The columns of '{self.path.name}' have no names, or one name twice.", _NEXT_STEP[self.kind]
            )
        return meta

    def _refuse_losing_letters(self, encoding: str) -> None:
        """Where a letter may wait for an accent, the reader's converter keeps the last one of each text to itself."""
        if encoding.lower().replace("windows-", "cp") in LOSES_LETTERS:
            raise InputRefused(
                f"The last letter of each text in '{self.path.name}' would be lost, as they are in {encoding}.",
                "Save it again as Unicode (UTF-8), or export it as CSV.",
            )

    def refuse_fewer(self, read: int, said: int | None) -> None:
        """A file that says how many rows it holds (.por and .xpt do not) must hold them."""
        if said is not None and read != said:
            raise InputRefused(f"'{self.path.name}' says it holds {said} rows, and has {read}.", _NEXT_STEP[self.kind])

    def frames(self, columns: "Sequence[_Column]") -> Iterator[pl.DataFrame]:
        yield names_as_record([column.name for column in columns])
        for cells in self._batches(max(1, BATCH_CELLS // len(columns))):
            yield pl.DataFrame([column.read(cells[column.name]) for column in columns])

    def _batches(self, rows: int) -> Iterator[Mapping[str, list[Any]]]:
        """Some rows at a time. Each batch reads the file from its beginning, which is quick for rows that are passed over."""
        done, height = 0, rows
        while height == rows:
            cells, _ = self.read(self.path.absolute(), row_offset=done, row_limit=rows)
            height = len(next(iter(cells.values())))
            done += height
            yield cells


@dataclass(frozen=True)
class _Column:
    """One column: what the file says of it, and which of its declared missing values occur."""

    name: str
    label: str
    dtype: pl.DataType
    to_text: Callable[[pl.Series], pl.Series]
    values: Mapping[Any, str]
    ranges: Sequence[Mapping[str, Any]]
    missing: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, kind: str, name: str, meta: "metadata_container") -> "_Column":
        ranges: Sequence[Any] = meta.missing_ranges.get(name, ())
        return cls(
            name=name,
            label=meta.column_names_to_labels.get(name) or "",
            dtype=_DTYPES[meta.readstat_variable_types[name]],
            to_text=_way(kind, meta.readstat_variable_types[name], meta.original_variable_types[name] or ""),
            values=meta.variable_value_labels.get(name, {}),
            ranges=ranges,
        )

    def read(self, cells: list[Any]) -> pl.Series:
        """Cells as text; a code for one kind of missing (".a") that stands among numbers is kept as such."""
        if self.dtype == pl.String:
            texts = pl.Series(self.name, cells, dtype=pl.String)
            self._note(texts, texts)
            return without_blanks(texts)
        numbers, tags = self._apart(cells)
        texts = self.to_text(numbers)
        self._note(numbers, texts)
        self.missing.update(tags.drop_nulls().unique())
        return texts.zip_with(texts.is_not_null(), tags)

    def _apart(self, cells: list[Any]) -> tuple[pl.Series, pl.Series]:
        """Numbers, and Stata's .a to .z among them as Stata writes them; few columns have any."""
        try:
            return pl.Series(self.name, cells, self.dtype), pl.Series([None] * len(cells), dtype=pl.String)
        except TypeError:
            tags = [f".{cell}" if isinstance(cell, str) else None for cell in cells]
            numbers = [None if tag else cell for tag, cell in zip(tags, cells, strict=True)]
            return pl.Series(self.name, numbers, self.dtype), pl.Series(tags, dtype=pl.String)

    def _note(self, raw: pl.Series, texts: pl.Series) -> None:
        for one in self.ranges:
            inside = raw.is_between(pl.lit(one["lo"]), pl.lit(one["hi"]))
            self.missing.update(texts.filter(inside).drop_nulls().unique())

    def meta(self) -> Meta:
        declared = [one["lo"] for one in self.ranges if one["lo"] == one["hi"]]
        return Meta(
            label=self.label,
            values=dict(zip(self._codes(list(self.values)), self.values.values(), strict=True)),
            missing=frozenset(self.missing).union(self._codes(declared)),
        )

    def _codes(self, codes: list[Any]) -> list[str]:
        """Codes as they stand in the cells."""
        return [text or "" for text in self.read(codes)]


_DTYPES: dict[str, pl.DataType] = {
    "string": pl.String(),
    "int8": pl.Int64(),
    "int16": pl.Int64(),
    "int32": pl.Int64(),
    "float": pl.Float32(),
    "double": pl.Float64(),
}


def _way(kind: str, stored: str, shown: str) -> Callable[[pl.Series], pl.Series]:
    """How a column's numbers become text: as numbers, or as what they count from the program's first day."""
    if stored == "string":
        return without_blanks
    shape, unit = {"spss": _spss, "stata": _stata, "sas": _sas}[kind](shown)
    return partial(_moments, shape, unit, ORIGINS[kind]) if shape else number_texts


def _spss(shown: str) -> tuple[str, int]:
    name = _format_name(shown)
    return next((shape for shape, names in SPSS_SHAPES.items() if name in names), ""), 1_000


def _stata(shown: str) -> tuple[str, int]:
    plain = shown.replace("%-", "%")
    if plain.startswith(("%td", "%d")):
        return "date", DAY
    if plain.startswith(("%tc", "%tC")):
        return ("time" if STATA_CLOCK.fullmatch(plain) else "moment"), 1
    return "", 1


def _sas(shown: str) -> tuple[str, int]:
    name = _format_name(shown)
    if SAS_DATES.fullmatch(name):
        return "date", DAY
    return ("moment" if SAS_MOMENTS.fullmatch(name) else "time" if SAS_TIMES.fullmatch(name) else ""), 1_000


def _format_name(shown: str) -> str:
    """DATETIME of "DATETIME23.2"."""
    found = FORMAT.fullmatch(shown)
    return found.group(1) if found else ""


def _moments(shape: str, unit: int, origin: datetime, counts: pl.Series) -> pl.Series:
    """Counts of days, seconds or milliseconds as text. One that is no moment between the years 1 and 9999 stays a number."""
    numbers = counts.cast(pl.Float64)
    since = 0 if shape == "time" else (UNIX - origin).days * DAY
    milli = (numbers * unit).round() - since
    sound = milli.is_between(YEAR_ONE, YEAR_TEN_THOUSAND, closed="left").fill_null(value=False)
    whole = milli.zip_with(sound, pl.Series([None], dtype=pl.Float64)).cast(pl.Int64)
    return _SHAPES[shape](whole).zip_with(sound, number_texts(counts))


_SHAPES: dict[str, Callable[[pl.Series], pl.Series]] = {
    "date": lambda milli: moment_texts(milli.cast(pl.Datetime("ms")), DATE),
    "moment": lambda milli: moment_texts(milli.cast(pl.Datetime("ms")), MOMENT),
    "time": lambda milli: length_texts(milli.cast(pl.Duration("ms"))),
}

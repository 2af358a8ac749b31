"""Package: a workbook is a zip archive, and is looked at as one before its cells are read.

What belongs here: the refusal of archives that would not fit into memory once unpacked, and where each sheet lies. What does
not: cells (`workbook`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO
from xml.etree import ElementTree
from zipfile import ZipFile, is_zipfile

import numpy as np
import numpy.typing as npt

from survey_pipeline.errors import InputRefused
from survey_pipeline.exports.typed.cells import refusing

Bytes = npt.NDArray[np.uint8]

LARGEST_UNPACKED = 2 << 30
LARGEST_RATIO = 200
RATIO_MATTERS_FROM = 100 << 20
"""A small file may be packed as tightly as it likes."""
MOST_CELLS = 30_000_000
"""From the first used cell to the last, empty ones included: the reader keeps a whole sheet, at about 100 bytes a cell."""
LARGEST_CONTENTS = 10 << 20
"""Bytes of the list of sheets."""
CHUNK = 1 << 22
LONGEST_REFERENCE = 10
"""Such as XFD1048576."""
OLE = bytes.fromhex("d0cf11e0a1b11ae1")
SAVE_AS = "Open it in a spreadsheet and save it as an Excel workbook (.xlsx)."


@dataclass(frozen=True)
class Part:
    """One worksheet: its name, whether people see it, and how many of its cells hold an error such as #N/A."""

    name: str
    hidden: bool
    errors: int


def worksheets(path: Path) -> tuple[Part, ...]:
    """The worksheets of a workbook, in their order; sheets that are a chart are none.

    Raises `InputRefused` for what is no workbook, is encrypted or broken, or would be too large in memory.
    """
    _refuse_other_kinds(path)
    with refusing(f"The workbook '{path.name}' is damaged.", SAVE_AS), ZipFile(path) as package:
        _refuse_bombs(path.name, package)
        return tuple(
            Part(name, hidden, _look_through(path.name, name, package, member))
            for name, hidden, member in _sheets(path.name, package)
        )


def _refuse_other_kinds(path: Path) -> None:
    with path.open("rb") as file:
        start = file.read(len(OLE))
    if start == OLE and _holds(path, "EncryptedPackage".encode("utf-16-le")):
        raise InputRefused(f"The workbook '{path.name}' is protected by a password.", "Save it without one.")
    if start == OLE:
        raise InputRefused(f"'{path.name}' is a workbook of an old kind (.xls).", SAVE_AS)
    if not is_zipfile(path):
        raise InputRefused(f"'{path.name}' is no workbook, or only a part of one.", SAVE_AS)


def _holds(path: Path, mark: bytes) -> bool:
    with path.open("rb") as file:
        last = b""
        while chunk := file.read(CHUNK):
            if mark in last + chunk:
                return True
            last = chunk[-len(mark) :]
    return False


def _refuse_bombs(name: str, package: ZipFile) -> None:
    entries = package.infolist()
    if any(entry.flag_bits & 1 for entry in entries):
        raise InputRefused(f"The workbook '{name}' is protected by a password.", "Save it without one.")
    unpacked, packed = (sum(sizes) for sizes in zip(*((e.file_size, e.compress_size) for e in entries), strict=True))
    tight = unpacked > RATIO_MATTERS_FROM and unpacked > LARGEST_RATIO * packed
    if unpacked > LARGEST_UNPACKED or tight:
        raise InputRefused(
            f"The workbook '{name}' would fill {unpacked >> 20} MB once unpacked.",
            "Export the answers as CSV, or in several files.",
        )


def _sheets(name: str, package: ZipFile) -> Iterator[tuple[str, bool, str]]:
    """Name, whether hidden, and member of each worksheet."""
    folder = PurePosixPath("xl")
    if "xl/workbook.xml" not in package.namelist():
        raise InputRefused(f"'{name}' is no workbook that can be read.", SAVE_AS)
    targets = {
        link.get("Id"): str(folder / link.get("Target", "")).removeprefix("/")
        for link in _contents(package, "xl/_rels/workbook.xml.rels").iterfind(".//{*}Relationship")
        if link.get("Type", "").endswith("/worksheet")
    }
    for sheet in _contents(package, "xl/workbook.xml").iterfind(".//{*}sheet"):
        link = next((value for key, value in sheet.items() if key.endswith("}id")), None)
        if link in targets:
            yield sheet.get("name", ""), sheet.get("state", "visible") != "visible", targets[link]


def _contents(package: ZipFile, member: str) -> ElementTree.Element:
    if package.getinfo(member).file_size > LARGEST_CONTENTS:
        raise ValueError("a list of sheets is not that long")
    return ElementTree.fromstring(package.read(member))


def _look_through(name: str, sheet: str, package: ZipFile, member: str) -> int:
    """How many cells hold an error. Refuses a sheet of which first and last cell are too far apart."""
    look = _Look()
    with package.open(member) as xml:
        for chunk in _whole_tags(xml):
            look.at(chunk)
    if look.rows * look.columns > MOST_CELLS:
        raise InputRefused(
            f"The sheet '{sheet}' of '{name}' reaches over {look.rows} rows and {look.columns} columns.",
            "Delete stray cells far below or beside the answers, or export the answers as CSV.",
        )
    return look.errors


def _whole_tags(xml: IO[bytes]) -> Iterator[bytes]:
    rest = b""
    while chunk := xml.read(CHUNK):
        whole, mark, after = (rest + chunk).rpartition(b"<")
        yield whole
        rest = mark + after
    yield rest


class _Look:
    """How far the cells of a sheet reach, by their references ("B7") or, where they have none, by counting."""

    def __init__(self) -> None:
        self.rows = self.columns = self.errors = 0
        self._rows_counted = self._cells_in_row = 0

    def at(self, chunk: bytes) -> None:
        row, column = _furthest(np.frombuffer(chunk + bytes(LONGEST_REFERENCE), dtype=np.uint8))
        self.errors += chunk.count(b' t="e"')
        self._count(chunk)
        self.rows = max(self.rows, row, self._rows_counted)
        self.columns = max(self.columns, column)

    def _count(self, chunk: bytes) -> None:
        begun, *others = (row.count(b"<c ") + row.count(b"<c>") for row in chunk.split(b"<row"))
        self._rows_counted += len(others)
        self.columns = max(self.columns, self._cells_in_row + begun, *others, 0)
        self._cells_in_row = others[-1] if others else self._cells_in_row + begun


def _furthest(data: Bytes) -> tuple[int, int]:
    """The greatest row and column among all references: letters are the column in base 26, digits the row."""
    quoted = (data[2:] == ord('"')) | (data[2:] == ord("'"))
    at = np.flatnonzero((data[:-2] == ord("r")) & (data[1:-1] == ord("=")) & quoted) + 3
    row, column, inside = (np.zeros(len(at), dtype=np.int64), np.zeros(len(at), dtype=np.int64), np.ones(len(at), bool))
    for step in range(LONGEST_REFERENCE):
        byte = data[np.minimum(at + step, len(data) - 1)].astype(np.int64)
        letter = (byte >= ord("A")) & (byte <= ord("Z")) & inside & (row == 0)
        digit = (byte >= ord("0")) & (byte <= ord("9")) & inside
        column = np.where(letter, column * 26 + byte - ord("A") + 1, column)
        row = np.where(digit, row * 10 + byte - ord("0"), row)
        inside &= letter | digit
    return int(row.max(initial=0)), int(column.max(initial=0))

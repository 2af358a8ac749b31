"""Unpack: what kind of file lies there, told from its first bytes, and what is inside a packed one.

What belongs here: kinds by their marks, gzip, and zip with one export inside, all within bounds: a packed file of some
kilobytes can hold terabytes. What does not: text (`encodings`, `dialect`, `careful`), and tables with types (`typed`).
"""

import gzip
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path, PosixPath
from typing import IO, Protocol
from zipfile import BadZipFile, ZipFile, ZipInfo

from survey_pipeline.errors import InputRefused

CHUNK = 1 << 22
LOOKED_AT = 1 << 12
"""Bytes from which the kind of a file is told."""
LARGEST_UNPACKED = 4 << 30
MOST_EXPANSION = 200
"""Survey answers grow to five or twenty times their packed size; what grows more was made to fill a disk."""
ALWAYS_UNPACKED = 1 << 24
"""Bytes that may be unpacked whatever the expansion."""
LARGEST_DIRECTORY = 1 << 22
"""Bytes of an archive's list of contents."""

OPEN_FILES = Path("/proc/self/fd")
"""Where Linux shows a process its own open files."""
TYPED = frozenset({"xlsx", "parquet", "spss", "stata", "sas"})
MARKS = (
    (0, b"PAR1", "parquet"),
    (0, b"$FL2", "spss"),
    (0, b"$FL3", "spss"),
    (0, b"<stata_dta>", "stata"),
    (0, b"HEADER RECORD*******LIB", "sas"),
    (0, bytes(12) + b"\xc2\xea\x81\x60", "sas"),
    (0, b"\x1f\x8b", "gzip"),
    (0, b"PK\x03\x04", "zip"),
    (0, b"PK\x05\x06", "zip"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old excel"),
    (0, b"%PDF-", "pdf"),
    (0, b"\x89PNG", "picture"),
    (0, b"GIF8", "picture"),
    (0, b"\xff\xd8\xff", "picture"),
    (0, b"II*\x00", "picture"),
    (0, b"MM\x00*", "picture"),
    (8, b"WEBP", "picture"),
    (4, b"ftypheic", "picture"),
    (0, b"{\\rtf", "rtf"),
    (0, b"SQLite format 3\x00", "database"),
    (0, b"ARROW1", "feather"),
    (0, b"\x89HDF", "database"),
    (0, b"BZh", "other packing"),
    (0, b"\xfd7zXZ\x00", "other packing"),
    (0, b"7z\xbc\xaf\x27\x1c", "other packing"),
    (0, b"Rar!\x1a", "other packing"),
    (0, b"\x28\xb5\x2f\xfd", "other packing"),
    (257, b"ustar", "other packing"),
)
AS_TABLE = "Export the answers as CSV or as an Excel workbook (.xlsx)."
REFUSED = {
    "old excel": (
        "an Excel 97 workbook or a workbook locked with a password",
        "Open it and save it as .xlsx without a password, or as 'CSV UTF-8'.",
    ),
    "xlsb": ("a binary Excel workbook", "Open it and save it as .xlsx."),
    "opendocument": ("an OpenDocument file", "Open it and save it as .xlsx, or as CSV in UTF-8."),
    "office": ("a text document or a presentation", AS_TABLE),
    "pdf": ("a PDF document", AS_TABLE),
    "picture": ("a picture", AS_TABLE),
    "rtf": ("a text document", AS_TABLE),
    "database": ("a database", AS_TABLE),
    "feather": ("an Arrow file", "Save it as Parquet, or as CSV."),
    "other packing": ("packed in a way that is not read here", "Unpack it, or pack it as .gz or .zip."),
    "html": ("a web page", f"The survey tool may have asked you to log in. {AS_TABLE}"),
    "xml": ("XML", AS_TABLE),
    "json": ("JSON", AS_TABLE),
}


class Stream(Protocol):
    """Bytes, from the beginning to the end."""

    def read(self, size: int, /) -> bytes: ...
    def close(self) -> None: ...


@dataclass(frozen=True)
class Source:
    """The bytes of one export, to be read from the beginning as often as needed. `packed`: how, or nothing."""

    name: str
    path: Path
    open: Callable[[], Stream]
    packed: str = ""

    def chunks(self, size: int = CHUNK) -> Iterator[bytes]:
        """All bytes, some at a time."""
        try:
            with closing(self.open()) as file:
                while chunk := file.read(size):
                    yield chunk
        except (EOFError, zlib.error, gzip.BadGzipFile, BadZipFile):
            raise InputRefused(
                f"The packed file '{self.name}' is damaged or cut off.", "Download it again, or pack it again."
            ) from None
        except OSError:
            raise InputRefused(f"The file '{self.name}' cannot be opened.", "Check that you may read it.") from None

    def head(self, size: int = LOOKED_AT) -> bytes:
        """The first bytes."""
        return next(self.chunks(size), b"")


def lying(path: Path, name: str = "") -> Source:
    """A file as it lies."""
    return Source(name or path.name, path, lambda: path.open("rb"))


@contextmanager
def content(path: Path) -> Iterator[tuple[str, Source]]:
    """What a file is, and its bytes, unpacked where it is packed. Raises `InputRefused` for what cannot be an export."""
    source = lying(path)
    kind = kind_of(source)
    if kind in PACKED:
        source = _inside(source, PACKED[kind](path), kind)
        kind = kind_of(source)
        _refuse_packed_again(kind, source)
    if kind in REFUSED:
        raise refuse_as(kind, source.name)
    if kind in TYPED and source.packed:
        with _put_down(source, kind) as source:
            yield kind, source
    else:
        yield kind, source


def kind_of(source: Source) -> str:
    """What a file is by its first bytes; "text" where nothing else tells."""
    head = source.head()
    for start, mark, kind in MARKS:
        if head.startswith(mark, start):
            return kind if kind != "zip" else _kind_inside(head) if source.packed else _kind_of_zip(source)
    old_stata = len(head) > 3 and 102 <= head[0] <= 115 and head[1] in (1, 2) and head[2:4] == b"\x01\x00"
    if old_stata:
        return "stata"
    return "spss" if b"SPSSPORT" in head[:600] else "text"


def fingerprint(path: Path) -> str:
    """The SHA-256 of a file's bytes, as they lie there."""
    digest = sha256()
    for chunk in lying(path).chunks():
        digest.update(chunk)
    return digest.hexdigest()


def refuse_as(kind: str, name: str) -> InputRefused:
    """A file that is something else than answers in a table."""
    what, next_step = REFUSED[kind]
    return InputRefused(f"The file '{name}' is {what}, not a table of answers.", next_step)


def _refuse_packed_again(kind: str, source: Source) -> None:
    if kind in PACKED:
        raise InputRefused(f"In '{source.name}' lies another packed file.", "Unpack it, and hand in what is inside.")


def _inside(outer: Source, opened: Callable[[], Stream], packed: str) -> Source:
    inner = Source(outer.name, outer.path, opened, packed)
    if not inner.head():
        raise InputRefused(f"The file '{outer.name}' is packed and empty.", "Export the answers again.")
    return inner


@contextmanager
def _put_down(source: Source, kind: str) -> Iterator[Source]:
    """The bytes as a file, gone when done."""
    with tempfile.TemporaryFile() as file:
        file.writelines(source.chunks())
        file.flush()
        with _path_of(file, source.name) as path:
            if kind == "xlsx" and (inside := _kind_of_zip(lying(path, source.name))) != "xlsx":
                _refuse_packed_again(inside, source)
                raise refuse_as(inside, source.name)
            yield replace(lying(path, source.name), packed=source.packed)


class _Unnamed(PosixPath):
    """A way to an open file that no folder lists, so that nothing is left of it even if the process is killed.

    `name` is the one that people know.
    """

    shown = ""

    @property
    def name(self) -> str:
        return self.shown


@contextmanager
def _path_of(file: IO[bytes], name: str) -> Iterator[Path]:
    """A path to an open file without a name; where the system knows none, a copy in a folder that only this user may open."""
    path = OPEN_FILES / str(file.fileno())
    if path.exists():
        unnamed = _Unnamed(path)
        unnamed.shown = name
        yield unnamed
        return
    with tempfile.TemporaryDirectory(prefix="survey-pipeline-") as folder:
        copy = Path(folder) / name
        copy.touch(mode=0o600)
        file.seek(0)
        with copy.open("wb") as named:
            shutil.copyfileobj(file, named)
        yield copy


def _open_gzip(path: Path) -> Callable[[], Stream]:
    return lambda: _Bounded(gzip.GzipFile(path), path.name, path.stat().st_size)


# --- Zip ---------------------------------------------------------------------------------------------------------------


def _kind_inside(head: bytes) -> str:
    """What a zip file inside another file is likely to be: its list of contents cannot be looked at yet."""
    return "xlsx" if any(name in head for name in (b"[Content_Types].xml", b"xl/", b"_rels/", b"docProps/")) else "zip"


def _kind_of_zip(source: Source) -> str:
    """Workbooks and documents are zip files too."""
    with _opened(source.path, source.name) as archive:
        names = set(archive.namelist())
        if "xl/workbook.bin" in names:
            return "xlsb"
        if "mimetype" in names and "content.xml" in names:
            return "opendocument"
        if "[Content_Types].xml" not in names:
            return "zip"
        if not any(name.startswith("xl/") for name in names):
            return "office"
        _refuse_bomb(archive, source.name, source.path.stat().st_size)
        return "xlsx"


@contextmanager
def _opened(path: Path, name: str) -> Iterator[ZipFile]:
    _refuse_endless_directory(path, name)
    try:
        with ZipFile(path) as archive:
            yield archive
    except (BadZipFile, EOFError, zlib.error, NotImplementedError, RuntimeError, ValueError, OSError):
        raise InputRefused(f"The file '{name}' is a damaged zip file or workbook.", "Save or pack it again.") from None


def _refuse_endless_directory(path: Path, name: str) -> None:
    """The list of contents is read as a whole, so its size is looked at first: it stands at the end of the file."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - (1 << 16) - 22))
        tail = file.read()
    place = tail.rfind(b"PK\x05\x06")
    size = int.from_bytes(tail[place + 12 : place + 16], "little") if place >= 0 else 0
    if size > LARGEST_DIRECTORY:
        raise _too_large(name)


def _refuse_bomb(archive: ZipFile, name: str, packed: int) -> None:
    """Unpack everything once and count: what the list of contents says about sizes need not be true."""
    total = 0
    for info in archive.infolist():
        if info.flag_bits & 1:
            raise InputRefused(f"The workbook '{name}' is encrypted.", "Save it without a password.")
        with archive.open(_of_any_size(info)) as member:
            while chunk := member.read(CHUNK):
                total += len(chunk)
                if _is_bomb(total, packed):
                    raise _too_large(name)


def _of_any_size(info: ZipInfo) -> ZipInfo:
    info.file_size = LARGEST_UNPACKED * 2
    return info


def _open_zip(path: Path) -> Callable[[], Stream]:
    """How to open the one export in an archive."""
    with _opened(path, path.name) as archive:
        members = [info for info in archive.infolist() if not _is_litter(info)]
    if len(members) != 1:
        raise InputRefused(
            f"The archive '{path.name}' holds {len(members) or 'no'} files, and one export was expected.",
            "Unpack it, and name the exports one by one.",
        )
    if members[0].flag_bits & 1:
        raise InputRefused(f"The archive '{path.name}' is encrypted.", "Unpack it with its password first.")
    return lambda: _open_member(path, members[0].filename)


def _open_member(path: Path, member: str) -> Stream:
    archive = ZipFile(path)
    try:
        opened = archive.open(_of_any_size(archive.getinfo(member)))
    except (NotImplementedError, RuntimeError):
        archive.close()
        raise BadZipFile from None
    return _Bounded(opened, path.name, path.stat().st_size, archive.close)


def _is_litter(info: ZipInfo) -> bool:
    """What computers add on their own: folders, and files beside the files."""
    parts = Path(info.filename).parts
    return info.is_dir() or "__MACOSX" in parts or parts[-1].startswith("._") or parts[-1] in (".DS_Store", "Thumbs.db")


# --- Bounds ------------------------------------------------------------------------------------------------------------


@dataclass
class _Bounded:
    """A stream that is being unpacked, and counted."""

    stream: Stream
    name: str
    packed: int
    after: Callable[[], None] = lambda: None
    unpacked: int = 0

    def read(self, size: int) -> bytes:
        data = self.stream.read(size)
        self.unpacked += len(data)
        if _is_bomb(self.unpacked, self.packed):
            raise _too_large(self.name)
        return data

    def close(self) -> None:
        self.stream.close()
        self.after()


def _is_bomb(unpacked: int, packed: int) -> bool:
    return unpacked > min(LARGEST_UNPACKED, max(ALWAYS_UNPACKED, MOST_EXPANSION * packed))


def _too_large(name: str) -> InputRefused:
    return InputRefused(
        f"The file '{name}' unpacks to far more than its size allows for answers.",
        "Unpack it yourself if you trust it, and hand in what is inside.",
    )


PACKED: dict[str, Callable[[Path], Callable[[], Stream]]] = {"gzip": _open_gzip, "zip": _open_zip}

"""What the files of a folder were made from, so that a run in which nothing changed does not make them again.

What belongs here: the digest of what something is made from, and the note that is kept of it. What does not: making anything,
and which texts something is made from (`rendering`).
"""

import json
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.metadata import distributions
from pathlib import Path

from survey_pipeline.reports import write_file

PACKAGE = Path(__file__).parent
NOTES = ".made_from"
"""The folder of notes, beside what they are about, so that both move together."""


def digest_of(*texts: str) -> str:
    """Of texts, each as long as it is, and of the code that makes something of them."""
    found = sha256(code_digest().encode())
    for text in texts:
        found.update(f"\n{len(text)}\n{text}".encode())
    return found.hexdigest()


@cache
def code_digest() -> str:
    """Of this package's files, of the Python that runs them, and of everything that is installed: a newer library may draw
    otherwise.
    """
    files = (file for file in sorted(PACKAGE.rglob("*")) if file.is_file() and "__pycache__" not in file.parts)
    code = [f"{file.relative_to(PACKAGE)} {_hash(file.read_bytes())}" for file in files]
    installed = sorted({f"{found.name} {found.version}" for found in distributions()})
    return _hash("\n".join([sys.version, *installed, *code]).encode())


def _hash(content: bytes) -> str:
    return sha256(content).hexdigest()


@dataclass(frozen=True)
class Note:
    """What some files in a folder were made from, and their hashes, in a file of its own outside. A note that cannot be read,
    or written, is as good as none.
    """

    file: Path
    folder: Path
    shared: bool = False
    """Whether other things may lie in the folder too."""

    @classmethod
    def about(cls, folder: Path, top: Path, *, shared: bool = False) -> "Note":
        """The note on a folder somewhere in the folder `top`."""
        return cls(top / NOTES / f"{folder.relative_to(top).as_posix()}.json", folder, shared)

    def holds(self, digest: str) -> bool:
        """Whether the files were made from this, and lie there as they were made."""
        try:
            noted = json.loads(self.file.read_text(encoding="utf-8"))
            return bool(noted["made_from"] == digest and self._found(noted["files"]) == noted["files"])
        except (OSError, ValueError, LookupError, TypeError):
            return False

    def _found(self, names: Iterable[str]) -> dict[str, str]:
        files = (file for file in self.folder.rglob("*") if file.is_file())
        there = names if self.shared else [file.relative_to(self.folder).as_posix() for file in files]
        return {name: _hash((self.folder / name).read_bytes()) for name in there}

    def write(self, digest: str, files: Mapping[str, bytes]) -> None:
        """Note that these files, by path in the folder, were made from this: after they were written."""
        noted = {"made_from": digest, "files": {name: _hash(content) for name, content in sorted(files.items())}}
        with suppress(OSError):
            write_file(self.file, json.dumps(noted, indent=0).encode())

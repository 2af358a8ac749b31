"""The reports' folder: putting rendered files where people find them.

What belongs here: writing files so that a reader never meets half of one, and finding the releases among them. What does not:
what stands in them (`render`).
"""

from collections.abc import Iterable, Mapping
from pathlib import Path


def write_files(folder: Path, files: Mapping[str, bytes]) -> list[Path]:
    """Write files (relative path to content) into a folder and remove what else lies there; unchanged ones stay untouched.

    Only for folders that hold nothing but rendered files. Gives the paths, sorted.
    """
    wanted = {folder / name: content for name, content in files.items()}
    for path, content in wanted.items():
        write_file(path, content)
    for stale in [path for path in folder.rglob("*") if path.is_file() and path not in wanted]:
        stale.unlink()
    return sorted(wanted)


def write_file(path: Path, content: bytes) -> None:
    """Put a whole file in its place in one step. The half of a run that was killed goes by a known name, and goes."""
    half = path.with_name(f".{path.name}.half")
    if path.is_file() and path.read_bytes() == content:
        half.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    half.write_bytes(content)
    half.replace(path)


def release_documents(folder: Path, instruments: Iterable[str]) -> dict[str, str]:
    """The `release.json` of every wave of these instruments in a folder of reports, by path and with its text."""
    found = [path for name in sorted(set(instruments)) for path in sorted((folder / name).glob("*/release.json"))]
    return {str(path): path.read_text(encoding="utf-8", errors="replace") for path in found}

"""The reports' folder: putting rendered files where people find them.

What belongs here: writing files so that a reader never meets half of one. What does not: what stands in them (`render`).
"""

from collections.abc import Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile


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
    """Put a whole file in its place in one step."""
    if path.is_file() and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as half:
        half.write(content)
    Path(half.name).chmod(0o644)
    Path(half.name).replace(path)

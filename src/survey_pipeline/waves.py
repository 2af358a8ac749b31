"""Waves in a folder: which exports belong to which wave, told by the names of files and sub-folders alone.

What belongs here: finding and ordering. What does not: opening an export (`exports`), and making a wave (`pipeline`).
"""

import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from survey_pipeline.errors import WrongUsage
from survey_pipeline.names import WAVE_PATTERN

Found = tuple[str, Path]
"""A wave, and one of its exports."""

WAVE_AT_THE_END = re.compile(rf"(?:^|[-_ ])({WAVE_PATTERN.strip('^$')})(?:\.[A-Za-z]\w*)*$")
"""magnesium-2026-01.csv, magnesium_2026-Q1.csv, 2026.csv. Not report-2026.01.csv: that would pass for the whole year."""
HIDDEN = (".", "~$")
"""How names begin that systems and office programs use for files of their own."""
HOW_TO_NAME = (
    "Let a file's name end in its wave, such as magnesium-2026-01.csv, or put it into a folder named as the wave, "
    "such as 2026-01; move everything else elsewhere."
)


def find_waves(folder: str | Path) -> dict[str, tuple[Path, ...]]:
    """The waves in a folder, in order, each with its exports.

    A wave is a sub-folder named as one, with everything in it, or the files whose names end in it. Hidden files do not
    count, nor do empty sub-folders.

    Raises `WrongUsage` for a folder that is not there or holds no export, and for files that fit no wave.
    """
    entries = _entries(_existing(Path(folder)))
    if strangers := [path.name for path in entries if _wave_of(path) is None]:
        raise WrongUsage(f"No wave can be told from {_listed(strangers)}.", HOW_TO_NAME)
    found = sorted(export for path in entries for export in _exports(path))
    if not found:
        raise WrongUsage(f"The folder '{Path(folder).name}' holds no exports.", HOW_TO_NAME)
    return {wave: tuple(path for _, path in exports) for wave, exports in groupby(found, key=lambda export: export[0])}


def newest_wave(folder: str | Path) -> tuple[str, tuple[Path, ...]]:
    """The last wave in a folder, with its exports; raises as `find_waves` does."""
    return list(find_waves(folder).items())[-1]


def _existing(folder: Path) -> Path:
    if not folder.is_dir():
        raise WrongUsage(f"There is no folder '{folder.name}'.", "Check its name, then run again.")
    return folder


def _entries(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith(HIDDEN))


def _wave_of(path: Path) -> str | None:
    if path.is_dir():
        return path.name if re.match(WAVE_PATTERN, path.name) else None
    ending = WAVE_AT_THE_END.search(path.name)
    return ending[1] if ending else None


def _exports(path: Path) -> Iterator[Found]:
    """An export with its wave; of a folder, everything in it."""
    wave = _wave_of(path) or ""
    yield from ((wave, inside) for inside in (_entries(path) if path.is_dir() else [path]))


def _listed(names: list[str]) -> str:
    shown, more = names[:5], len(names) - 5
    return ", ".join(f"'{name}'" for name in shown) + (f" and {more} more" if more > 0 else "")

"""A spool: frames put aside on disk while a stream runs, and read back once.

What belongs here: an unnamed temporary file that the system removes even if the process is killed, since quarantined answers
must not lie about. What does not: anything kept after the run (`storage`).
"""

import tempfile
import weakref
from collections.abc import Iterator
from itertools import pairwise

import polars as pl


class Spool:
    """Frames of one schema, in the order in which they were added."""

    def __init__(self, empty: pl.DataFrame) -> None:
        self.empty = empty
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the spool, and has no name
        weakref.finalize(self, self._file.close)
        self._ends: list[int] = [0]

    def add(self, frame: pl.DataFrame) -> None:
        """Put a frame aside; an empty one takes no room."""
        if frame.height:
            frame.write_parquet(self._file)
            self._ends.append(self._file.tell())

    def frames(self) -> Iterator[pl.DataFrame]:
        """Read everything back, a frame at a time."""
        for start, end in pairwise(self._ends):
            self._file.seek(start)
            yield pl.read_parquet(self._file.read(end - start))
        self._file.seek(self._ends[-1])

"""A spool: frames put aside on disk while a stream runs, and read back once.

What belongs here: an unnamed temporary file that the system removes even if the process is killed, since quarantined answers
must not lie about. What does not: anything kept after the run (`storage`).
"""

import tempfile
from collections.abc import Iterator

import polars as pl


class Spool:
    """Frames of one schema, in the order in which they were added."""

    def __init__(self, schema: dict[str, type[pl.DataType]]) -> None:
        self.empty = pl.DataFrame(schema=schema)
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the spool, and has no name
        self._starts: list[int] = []

    def add(self, frame: pl.DataFrame) -> None:
        """Put a frame aside; an empty one takes no room."""
        if frame.height:
            self._starts.append(self._file.tell())
            frame.write_ipc_stream(self._file)

    def frames(self) -> Iterator[pl.DataFrame]:
        """Read everything back, a frame at a time."""
        ends = [*self._starts[1:], self._file.tell()]
        for start, end in zip(self._starts, ends, strict=True):
            self._file.seek(start)
            yield pl.read_ipc_stream(self._file.read(end - start))
        self._file.seek(0, 2)

"""What was attacked already: a run that was ended goes on where it was, as long as no code has changed that it can depend on.

What belongs here: keeping the result of each community in a file of its own, and taking those that stand in the record. What
does not: attacking, and what the record looks like (`record`).
"""

import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from prove.depends import code_digest
from prove.judge import Judged, Task, judge
from prove.record import recorded


@dataclass(frozen=True)
class Kept:
    """Attacks on communities, each done once; called in any process."""

    folder: Path
    record: Mapping[Task, Judged] = field(default_factory=dict)

    @classmethod
    def under(cls, folder: Path, record: Path | None = None) -> "Kept":
        """In a folder for the code as it is now, and in the record where that was made by the same code."""
        made = folder / code_digest()
        made.mkdir(parents=True, exist_ok=True)
        return cls(made, recorded(record) if record else {})

    def __call__(self, task: Task) -> Judged:
        if task in self.record:
            return self.record[task]
        file = self.folder / f"{'-'.join(map(str, task.seed))}-{task.protection}-{task.plain:d}{task.whole:d}.pickle"
        if file.exists():
            found: Judged = pickle.loads(file.read_bytes())
            return found
        judged = judge(task)
        half = file.with_suffix(".half")
        half.write_bytes(pickle.dumps(judged))
        half.replace(file)
        return judged

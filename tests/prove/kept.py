"""What was attacked already: a run that was ended goes on where it was, as long as no line of the code has changed.

What belongs here: keeping the result of each community in a file of its own. What does not: attacking.
"""

import hashlib
import pickle
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from prove.judge import Judged, Task, judge

TESTS = Path(__file__).parents[1]
ATTACKER = ("attacker", "builders", "knowledge", "linear", "linked", "together")
CODE = (TESTS.parent / "src", TESTS.parent / "schemas", TESTS / "prove", *(TESTS / f"{name}.py" for name in ATTACKER))
"""All that a result can depend on, and more."""


@dataclass(frozen=True)
class Kept:
    """Attacks on communities, each done once; called in any process."""

    folder: Path

    @classmethod
    def under(cls, folder: Path) -> "Kept":
        """In a folder for the code as it is now."""
        made = folder / code_digest(CODE)
        made.mkdir(parents=True, exist_ok=True)
        return cls(made)

    def __call__(self, task: Task) -> Judged:
        file = self.folder / f"{'-'.join(map(str, task.seed))}-{task.protection}-{task.plain:d}{task.whole:d}.pickle"
        if file.exists():
            found: Judged = pickle.loads(file.read_bytes())
            return found
        judged = judge(task)
        half = file.with_suffix(".half")
        half.write_bytes(pickle.dumps(judged))
        half.replace(file)
        return judged


def code_digest(places: Iterable[Path]) -> str:
    """Of some files, and all files of code in some folders, with their names."""
    found = (file for place in places for file in ([place] if place.is_file() else place.rglob("*")))
    files = sorted(file for file in found if file.suffix in (".py", ".toml"))
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.relative_to(TESTS.parent)}\n{file.stat().st_size}\n".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]

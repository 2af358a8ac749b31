"""The record: what became of each community, as a CSV file beside the page, for whoever wants to count for themselves.

What belongs here: writing it, and reading back what was made by the code as it is now. What does not: attacking, and times,
which are not the same twice.
"""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from io import StringIO
from pathlib import Path
from typing import Any, Final

from prove.depends import code_digest
from prove.judge import Judged, Task

COUNTERS: Final = ("releases", "small", "found", "under", "whole", "told")
BROKEN: Final = "broken"
TASK: Final = ("code", "seed", "community", "protection", "plain", "whole")
"""The columns by which a row is known; "code" is the digest of all that its result can depend on."""
BETWEEN: Final = ": "


def as_csv(results: Iterable[tuple[Task, Judged]]) -> str:
    """A row a community, in the order given: how it was asked, then its counts. Nothing stands for 0."""
    rows = [{**_known_by(task), **_counts(judged)} for task, judged in results]
    counts = sorted({name for row in rows for name in row}.difference(TASK))
    text = StringIO()
    writer = csv.DictWriter(text, (*TASK, *counts), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def recorded(file: Path) -> dict[Task, Judged]:
    """What the record says that was made by the code as it is now; nothing where there is none."""
    return _read(file, code_digest()) if file.exists() else {}


def of_any_code(file: Path) -> dict[Task, Judged]:
    """All that the record says, whatever code it was made by."""
    return _read(file)


def _read(file: Path, code: str | None = None) -> dict[Task, Judged]:
    with file.open(encoding="utf-8", newline="") as lines:
        return {_task(row): _judged(row) for row in csv.DictReader(lines) if code in (None, row["code"])}


def _known_by(task: Task) -> dict[str, Any]:
    seed, place = task.seed
    asked = (code_digest(), seed, place, task.protection, int(task.plain), int(task.whole))
    return dict(zip(TASK, asked, strict=True))


def _task(row: Mapping[str, str]) -> Task:
    flags = {name: row[name] == "1" for name in ("plain", "whole")}
    return Task((int(row["seed"]), int(row["community"])), row["protection"], **flags)


def _counts(judged: Judged) -> dict[str, int]:
    counted = {(name, key): n for name in COUNTERS for key, n in getattr(judged, name).items() if n}
    broken = {(BROKEN, key): int(is_broken) for key, is_broken in judged.broken.items()}
    return {BETWEEN.join(_words(name, key)): n for (name, key), n in (counted | broken).items()}


def _words(name: str, key: str | tuple[str | int, ...]) -> Iterator[str]:
    yield name
    yield from (key,) if isinstance(key, str) else map(str, key)


def _judged(row: Mapping[str, str]) -> Judged:
    judged = Judged()
    for column, n in row.items():
        name, *key = column.split(BETWEEN)
        if not n or name not in (*COUNTERS, BROKEN) or not key:
            continue
        if name == BROKEN:
            judged.broken[key[0]] = n == "1"
        else:
            counter: Counter[Any] = getattr(judged, name)
            counter[_key(key)] = int(n)
    return judged


def _key(words: list[str]) -> str | tuple[str | int, ...]:
    """As the counters have it: a place is a number, and what is alone is no tuple."""
    found = tuple(int(word) if word.isdecimal() else word for word in words)
    return words[0] if len(words) == 1 else found

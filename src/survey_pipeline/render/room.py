"""Room: a survey's words made short enough for an e-mail or a drawing.

What belongs here: the one rule for labels and texts that are too long. What does not: escaping (each format does that for
itself), and which words go into a newsletter (`letter`).

Nobody writes a label of 10,000 characters, but an export may hold one. It is cut with an ellipsis, everywhere alike, and two
labels that begin alike stay two.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import count
from typing import Any, Final

from pydantic import BaseModel

from survey_pipeline import names
from survey_pipeline.language import say_n
from survey_pipeline.plain import clean
from survey_pipeline.release import Release
from survey_pipeline.render.view import View

ELLIPSIS: Final = "\N{HORIZONTAL ELLIPSIS}"
LABELS: Final = frozenset({"label", "otherwise", "title", "unit"})
"""The keys of an instrument under which labels stand."""


@dataclass(frozen=True)
class Room:
    """How much of a survey's own words a newsletter has room for: characters of a label and of a text, lines of a list."""

    label: int
    text: int
    lines: int


IN_A_DRAWING: Final = 120
"""Characters of a label in a chart: four lines. The table beneath has all of it."""
ROOMS: Final = (Room(160, 1_200, 40), Room(80, 400, 12), Room(40, 160, 5))
"""From what any survey needs to what an e-mail can hold at worst; the first that fits is taken."""


def cut(text: str, most: int) -> str:
    """A text on one line, at most so many characters long; where something is left out it ends with an ellipsis."""
    whole = clean(text)
    return whole if len(whole) <= most else _begun(whole, most)


def _begun(whole: str, most: int) -> str:
    return f"{whole[: most - 1].rstrip()}{ELLIPSIS}"


def cut_list(texts: Iterable[str], room: Room) -> tuple[str, ...]:
    """The lines of a list that there is room for, and how many more there are."""
    every = [cut(text, room.text) for text in texts]
    kept, left = every[: room.lines], len(every) - room.lines
    more = (say_n("{n} more line is in the report.", "{n} more lines are in the report.", left),) if left > 0 else ()
    return (*kept, *more)


# --- Labels that are too long ------------------------------------------------------------------------------------------


def in_room(view: View, room: Room, *others: View) -> View:
    """A release and its instrument with their long labels cut. `others` are shown beside it: what is one label in several of
    them is cut alike. The same object where no label is too long.
    """
    short = cut_apart({label for one in (view, *others) for label in _labels_of(one)}, room.label)
    if not short:
        return view

    def renamed(label: str) -> str:
        return short.get(label, label)

    instrument = _with_labels("", view.instrument, renamed, room.label)
    return replace(view, release=_renamed(view.release, renamed), instrument=instrument)


def cut_apart(labels: Iterable[str], most: int) -> dict[str, str]:
    """The labels that are too long, each with what it is cut to. No two are cut to the same, nor to another label."""
    cleaned = {label: clean(label) for label in set(labels)}
    taken, short = {*cleaned.values()}, dict[str, str]()
    for label in sorted(label for label, whole in cleaned.items() if len(whole) > most):
        short[label] = next(one for one in _numbered(cleaned[label], most) if one not in taken)
        taken.add(short[label])
    return short


def _numbered(label: str, most: int) -> Iterator[str]:
    """What a label may be cut to, from the plainest on."""
    yield _begun(label, most)
    for place in count(2):
        number = f" ({place})"
        yield f"{_begun(label, most - len(number))}{number}"


def _labels_of(view: View) -> Iterator[str]:
    yield from _labels_in("", view.instrument)
    yield from (row.level for row in view.release.rows if row.level != names.ALL_LEVELS)
    for levels in view.release.levels.values():
        yield from (label for level in levels for label in (level.label, *level.made_of))


def _labels_in(key: str, part: Any) -> Iterator[str]:
    if isinstance(part, str):
        yield from (part,) if key in LABELS else ()
    elif isinstance(part, BaseModel):
        for name in type(part).model_fields:
            yield from _labels_in(name, getattr(part, name))
    elif isinstance(part, tuple | Mapping):
        for value in part.values() if isinstance(part, Mapping) else part:
            yield from _labels_in(key, value)


def _with_labels(key: str, part: Any, renamed: Callable[[str], str], most: int) -> Any:
    """A part of an instrument with its labels cut; how it speaks of the people of a level goes where that is too long."""
    if isinstance(part, str):
        return renamed(part) if key in LABELS else "" if key == "people" and len(part) > most else part
    if isinstance(part, BaseModel):
        inside = {name: _with_labels(name, getattr(part, name), renamed, most) for name in type(part).model_fields}
        return part.model_copy(update=inside)
    if isinstance(part, dict):
        return {name: _with_labels(key, value, renamed, most) for name, value in part.items()}
    return tuple(_with_labels(key, value, renamed, most) for value in part) if isinstance(part, tuple) else part


def _renamed(release: Release, renamed: Callable[[str], str]) -> Release:
    levels = {
        exposure: tuple(
            level.model_copy(update={"label": renamed(level.label), "made_of": tuple(map(renamed, level.made_of))})
            for level in found
        )
        for exposure, found in release.levels.items()
    }
    rows = tuple(row.model_copy(update={"level": renamed(row.level)}) for row in release.rows)
    return release.model_copy(update={"levels": levels, "rows": rows})

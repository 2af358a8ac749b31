"""Joining: several levels as one, and what that is called.

What belongs here: making one level of several. What it is called depends on what it holds and on the instrument alone, never
on how many people are in it: an order by size would tell which hidden number is the larger one. What does not: which levels
are merged (`coarsen`), and sentences about it (`render`).
"""

from collections.abc import Collection, Iterator, Sequence
from decimal import Decimal

from survey_pipeline.instrument import Code, Item
from survey_pipeline.language import say, written
from survey_pipeline.levels import SPECIAL, Level, atoms, band_ends, is_ordered, is_special, partitions

End = tuple[float, bool]
"""Where a band ends, and whether that number still belongs to it."""


def as_one(item: Item, levels: Sequence[Level]) -> Level:
    """Levels of an item as one, in the item's order. Bands must be neighbours.

    Where the instrument declares a level of just these codes, it is that one. Bands are called by where they begin and end,
    anything else by all of its parts.
    """
    if len(levels) == 1:
        return levels[0]
    held = {code for level in levels for code in level.members}
    members = tuple(atom.code for atom in atoms(item) if atom.code in held)
    if declared := next((level for level in _declared(item) if set(level.members) == held), None):
        return declared.model_copy(update={"merged": True})
    parts = sorted(levels, key=lambda level: place(item, level)) if is_ordered(item) else list(_parts(item, members))
    return Level(code="_or_".join(part.code for part in parts), label=_label(item, parts), members=members, merged=True)


def place(item: Item, level: Level) -> int:
    """The place of a level's first atom among the item's: answers in the instrument's order, then people outside them."""
    return min(at for at, atom in enumerate(atoms(item)) if atom.code in level.members)


def _declared(item: Item) -> Iterator[Level]:
    for levels in partitions(item):
        yield from levels


def _parts(item: Item, members: Collection[Code]) -> Iterator[Level]:
    """The widest declared groups that lie within some codes, and the codes beside them."""
    left, found = set(members), list[Level]()
    for level in sorted(_declared(item), key=lambda level: -len(level.members)):
        if left.issuperset(level.members):
            left -= set(level.members)
            found.append(level)
    yield from sorted(found, key=lambda level: place(item, level))


def _label(item: Item, parts: Sequence[Level]) -> str:
    listed = _joined([parts[0].label, *(_inside(part) for part in parts[1:])])
    if not is_ordered(item) or any(map(is_special, parts)):
        return listed
    places = [place(item, part) for part in parts]
    label = _stretch(item, min(places), max(places) + len(parts[-1].members) - 1)
    return listed if label in {level.label for level in _declared(item)} else label


def _stretch(item: Item, first: int, last: int) -> str:
    """What the numbers of some neighbouring stretches are called: no wider and no narrower than they are."""
    ends = band_ends(item)
    # A unit with digits is a scale, such as 0-10: it is not said after a number.
    unit = f" {item.unit}" if item.unit and not any(mark.isdigit() for mark in item.unit) else ""
    return _between(ends[first - 1] if first else None, ends[last] if last < len(ends) - 1 else None, unit)


def _between(start: End | None, end: End | None, unit: str) -> str:
    """What lies between two ends, in words; None is no end. Beside each stands whether the number itself lies below it."""
    if start is None:
        return say("Any value") if end is None else _until(end, unit)
    if end is None:
        return _after(start, unit)
    (low, is_below), (high, is_in) = start, end
    given = {"low": _number(low), "high": _number(high), "unit": unit}
    if is_below:
        return (
            say("Over {low} and up to {high}{unit}", **given)
            if is_in
            else say("Over {low} and under {high}{unit}", **given)
        )
    return say("{low} to {high}{unit}", **given) if is_in else say("{low} to under {high}{unit}", **given)


def _after(start: End, unit: str) -> str:
    number, is_below = _number(start[0]), start[1]
    if is_below:
        return say("Over {number}{unit}", number=number, unit=unit)
    return say("{number}{unit} or more", number=number, unit=unit)


def _until(end: End, unit: str) -> str:
    number, is_in = _number(end[0]), end[1]
    if is_in:
        return say("Up to {number}{unit}", number=number, unit=unit)
    return say("Under {number}{unit}", number=number, unit=unit)


def _number(value: float) -> str:
    """Without decimals where it is whole."""
    return written(Decimal(f"{value:.0f}" if value == int(value) else repr(value)))


def _inside(level: Level) -> str:
    """A label after others: "Not stated" becomes "not stated". An option's own may be a name, and stays."""
    return level.label[0].lower() + level.label[1:] if SPECIAL.issuperset(level.members) else level.label


def _joined(labels: Sequence[str]) -> str:
    return say("{most} or {last}", most=", ".join(labels[:-1]), last=labels[-1])

"""Levels: the ways in which an exposure cuts people into groups, from the finest upwards.

What belongs here: the sorts of exposure (an item, everybody, two items crossed, a dose read again), their atoms (the finest
levels, in which people are counted) and the declared partitions made of them. What does not: which of them may be published
(`coarsen`), and any number of people.

Everybody is in exactly one atom of every exposure. That holds for questions with several answers too: whoever ticked several
options is in the level "several", and not in one level for each.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import inf

from survey_pipeline.instrument import NONE_TICKED, READINGS, SEVERAL, Band, Code, Group, Instrument, Item, Kind, Strict
from survey_pipeline.language import begins_small, say
from survey_pipeline.names import (
    ALL_LEVELS,
    CROSSED,
    EVERYBODY,
    NOT_APPLICABLE,
    NOT_STATED,
    READING_WORST_CASE,
    option_column,
)

SPECIAL = frozenset({NOT_STATED, NOT_APPLICABLE})
"""Atoms of people outside every answer."""


class Level(Strict):
    """A level of an exposure as it could be published: a label and the finest codes it is made of."""

    code: Code
    label: str
    members: tuple[Code, ...]
    merged: bool = False
    """Whether it is wider than the finest level the instrument declares."""


def atoms(item: Item) -> tuple[Level, ...]:
    """The finest levels in which people are counted: an exposure's codes, or the stretches between any two band ends.

    Bands that overlap with wider ones (200-299 and up to 250) are cut at every end, so that each published band is a
    sum of atoms. People who gave no answer, or whom the item does not concern, are atoms too: everybody is counted.
    """
    apart: tuple[Level, ...] = (_special(NOT_STATED, say("Not stated")),)
    if item.applies_if:
        apart = (_special(NOT_APPLICABLE, item.applies_if.otherwise), *apart)
    return (*_closed_atoms(item), *apart)


def _special(code: str, label: str) -> Level:
    return Level(code=code, label=label, members=(code,))


def _closed_atoms(item: Item) -> tuple[Level, ...]:
    if item.kind is Kind.YES_NO:
        return (_special("yes", say("Yes")), _special("no", say("No")))
    if item.options:
        labels = {SEVERAL: say("Several of these"), NONE_TICKED: say("None ticked")} | {
            one.code: one.label for one in item.options
        }
        return tuple(_special(code, labels[code]) for code in item.level_codes)
    return tuple(_special(f"stretch_{place}", f"stretch {place}") for place in range(len(band_ends(item))))


def band_ends(item: Item) -> tuple[tuple[float, bool], ...]:
    """Every value at which some band of the item ends, low to high, and whether it still belongs to the lower side."""
    return tuple(sorted({band.end for bands in (item.bands, *item.wider_bands) for band in bands}))


def lies_above(code: str, limit: float, item: Item) -> bool | None:
    """Whether a stretch between two ends of bands lies above a limit; None where the limit lies within it."""
    place, ends = int(code.rpartition("_")[2]), band_ends(item)
    start, is_before = ends[place - 1] if place else (-inf, True)
    if start > limit or (start == limit and is_before):
        return True
    return False if ends[place][0] <= limit else None


def cut_anew(before: Instrument, now: Instrument) -> frozenset[str]:
    """The items of both instruments whose bands end at other values now."""
    both = (name for name, item in before.items.items() if item.bands and name in now.items)
    return frozenset(name for name in both if band_ends(before.items[name]) != band_ends(now.items[name]))


def partitions(item: Item) -> tuple[tuple[Level, ...], ...]:
    """The declared ways of cutting an exposure into levels, finest first. Each covers every atom exactly once."""
    if item.bands:
        return tuple(_banded(item, bands) for bands in (item.bands, *item.wider_bands))
    finest = atoms(item)
    return (finest, *(_grouped(finest, groups) for groups in item.groups))


def _banded(item: Item, bands: tuple[Band, ...]) -> tuple[Level, ...]:
    ends = band_ends(item)
    starts = (-1, *(ends.index(band.end) for band in bands))
    levels = tuple(
        Level(
            code=band.code,
            label=band.label,
            members=tuple(f"stretch_{i}" for i in range(start + 1, ends.index(band.end) + 1)),
            merged=bands is not item.bands,
        )
        for start, band in zip(starts, bands, strict=False)
    )
    return (*levels, *(level for level in atoms(item) if level.code in (NOT_STATED, NOT_APPLICABLE)))


def _grouped(finest: tuple[Level, ...], groups: tuple[Group, ...]) -> tuple[Level, ...]:
    grouped = {member for group in groups for member in group.of}
    alone = tuple(level for level in finest if level.code not in grouped)
    merged = tuple(Level(code=group.code, label=group.label, members=group.of, merged=True) for group in groups)
    return (*alone, *merged)


def is_ordered(item: Item) -> bool:
    """Whether levels have neighbours: only neighbours of such an exposure may be merged."""
    return bool(item.bands)


def is_special(level: Level) -> bool:
    """Whether a level holds only people outside every answer: who left it out, or whom the question does not concern."""
    return SPECIAL.issuperset(level.members)


# --- Sorts of exposure ---------------------------------------------------------------------------------------------------


class Exposure(ABC):
    """What a table tells people apart by. Everybody is in exactly one of its atoms."""

    name: str

    @property
    @abstractmethod
    def atoms(self) -> tuple[Level, ...]: ...

    @property
    @abstractmethod
    def partitions(self) -> tuple[tuple[Level, ...], ...]:
        """The declared ways of cutting it into levels, finest first; one without levels where only everybody is shown."""

    @property
    @abstractmethod
    def factors(self) -> tuple[str, ...]:
        """The items whose answers decide."""

    @property
    def is_ordered(self) -> bool:
        """Whether its levels run from less to more."""
        return False

    @property
    def comparison(self) -> Code | None:
        """The level with which the others are compared."""
        return None


@dataclass(frozen=True)
class Everybody(Exposure):
    """Nobody is told apart."""

    name: str = EVERYBODY

    @property
    def factors(self) -> tuple[str, ...]:
        return ()

    @property
    def atoms(self) -> tuple[Level, ...]:
        return (_special(EVERYBODY, ALL_LEVELS),)

    @property
    def partitions(self) -> tuple[tuple[Level, ...], ...]:
        return ((),)


@dataclass(frozen=True)
class ByItem(Exposure):
    """The answers to one item."""

    name: str
    item: Item

    @property
    def atoms(self) -> tuple[Level, ...]:
        return atoms(self.item)

    @property
    def partitions(self) -> tuple[tuple[Level, ...], ...]:
        return partitions(self.item)

    @property
    def factors(self) -> tuple[str, ...]:
        return (self.name,)

    @property
    def is_ordered(self) -> bool:
        return is_ordered(self.item)

    @property
    def comparison(self) -> Code | None:
        return self.item.comparison


@dataclass(frozen=True)
class Crossing(Exposure):
    """The answers to two items together: the atoms are all pairs, the first item's varying slowest."""

    name: str
    first: ByItem
    second: ByItem

    @property
    def atoms(self) -> tuple[Level, ...]:
        return tuple(cross(*pair) for pair in product(self.first.atoms, self.second.atoms))

    @property
    def partitions(self) -> tuple[tuple[Level, ...], ...]:
        return tuple(crossed(*pair) for pair in product(self.first.partitions, self.second.partitions))

    @property
    def factors(self) -> tuple[str, ...]:
        return (self.first.name, self.second.name)


@dataclass(frozen=True)
class DoseReading(Exposure):
    """A dose read again from the words beside it, and from what the person says they mean, with the bands of the dose; see
    `docs/doses.md`.

    Under the worst case it is not one dose but an interval. Its atoms are then pairs of places among the dose's stretches:
    that of the lowest and that of the highest possible dose. They make no levels, as the intervals overlap.
    """

    name: str
    dose: ByItem
    written: str
    """The item of kind dose that holds the words as they were read."""
    reading: str

    @property
    def is_interval(self) -> bool:
        return self.reading == READING_WORST_CASE

    @property
    def atoms(self) -> tuple[Level, ...]:
        if not self.is_interval:
            return self.dose.atoms
        intervals = (_special(code, code.replace("_", " ")) for code in intervals_of(self.dose.item))
        return (*intervals, *(atom for atom in self.dose.atoms if is_special(atom)))

    @property
    def partitions(self) -> tuple[tuple[Level, ...], ...]:
        return ((),) if self.is_interval else self.dose.partitions

    @property
    def factors(self) -> tuple[str, ...]:
        return (self.dose.name,)

    @property
    def is_ordered(self) -> bool:
        return not self.is_interval

    @property
    def comparison(self) -> Code | None:
        return None if self.is_interval else self.dose.comparison


def intervals_of(item: Item) -> dict[Code, tuple[int, int]]:
    """Of a number with bands: the code of each pair of stretches, with the places of its lower and its higher stretch.

    In the order of a triangle's rows: (0, 0), (0, 1), ..., (1, 1), (1, 2), ...
    """
    n = len(band_ends(item))
    return {f"stretch_{low}_to_{high}": (low, high) for low in range(n) for high in range(low, n)}


def cross(first: Level, second: Level) -> Level:
    """The people who are in both levels."""
    return Level(
        code=f"{first.code}{CROSSED}{second.code}",
        label=f"{first.label}, {_inside(second.label)}",
        members=tuple(f"{one}{CROSSED}{other}" for one, other in product(first.members, second.members)),
        merged=first.merged or second.merged,
    )


def crossed(first: Sequence[Level], second: Sequence[Level]) -> tuple[Level, ...]:
    """Each level of one exposure within each of another."""
    return tuple(cross(one, other) for one, other in product(first, second))


# --- By name -------------------------------------------------------------------------------------------------------------


def exposure_of(instrument: Instrument, name: str) -> Exposure:
    """The exposure of this name.

    Raises `KeyError` if the instrument has none: a fault of ours.
    """
    if name in instrument.items:
        return ByItem(name, instrument.items[name])
    if name == EVERYBODY:
        return Everybody()
    return _made(instrument)[name]


def _made(instrument: Instrument) -> dict[str, Exposure]:
    """The exposures that have no item of their name."""
    crossings = (_crossing(instrument, *table.factors) for table in instrument.tables if table.by)
    readings = (one for name in instrument.items for one in readings_of(instrument, name))
    return {one.name: one for one in (*crossings, *readings)}


def _crossing(instrument: Instrument, first: str, second: str) -> Crossing:
    one, other = (ByItem(name, instrument.items[name]) for name in (first, second))
    return Crossing(f"{first}_by_{second}", one, other)


def readings_of(instrument: Instrument, name: str) -> tuple[DoseReading, ...]:
    """The ways in which the words beside a dose let it be read again; none where there are no such words."""
    if not instrument.is_read_again(name):
        return ()
    dose = ByItem(name, instrument.items[name])
    written = dose.item.readings or ""
    return tuple(DoseReading(option_column(name, reading), dose, written, reading) for reading in READINGS)


def atoms_of(instrument: Instrument, exposure: str) -> tuple[Level, ...]:
    """The finest levels of an exposure, in which people are counted."""
    return exposure_of(instrument, exposure).atoms


def partitions_of(instrument: Instrument, exposure: str) -> tuple[tuple[Level, ...], ...]:
    """The declared ways of cutting an exposure into levels, finest first; `((),)` where there is nothing to cut."""
    return exposure_of(instrument, exposure).partitions


def is_ordered_of(instrument: Instrument, exposure: str) -> bool:
    """Whether the levels of an exposure run from less to more."""
    return exposure_of(instrument, exposure).is_ordered


def comparison_of(instrument: Instrument, exposure: str) -> Code | None:
    """The code of the level with which an exposure's other levels are compared, if one is declared."""
    return exposure_of(instrument, exposure).comparison


def factors(instrument: Instrument, exposure: str) -> tuple[str, ...]:
    """The items by which an exposure tells people apart: none, one or two."""
    return exposure_of(instrument, exposure).factors


def parents(
    instrument: Instrument, exposure: str, level: Level, levels: Mapping[str, Sequence[Level]]
) -> dict[str, tuple[Level, ...]]:
    """For each factor of a crossing, the levels of `levels` which together hold just the people of `level`'s row or column.

    One for the first factor; for the second one or more, whose sum is the column. Empty for any other exposure.
    """
    found = exposure_of(instrument, exposure)
    if not isinstance(found, Crossing):
        return {}
    sides = split(found, level)
    return {
        factor.name: tuple(one for one in levels[factor.name] if side.issuperset(one.members))
        for factor, side in zip((found.first, found.second), sides, strict=True)
    }


def split(crossing: Crossing, level: Level) -> tuple[frozenset[Code], frozenset[Code]]:
    """The atoms of the first and of the second factor of which a crossing's level is made."""
    pairs = {cross(*pair).code: pair for pair in product(crossing.first.atoms, crossing.second.atoms)}
    of = [pairs[member] for member in level.members if member in pairs]
    return frozenset(one.code for one, _ in of), frozenset(other.code for _, other in of)


def made_of(instrument: Instrument, exposure: str, level: Level) -> tuple[str, ...]:
    """The answers or bands of which a level is made, in words and in the instrument's order.

    Its own label for crossings, and for wider bands that end elsewhere than the finest ones.
    """
    found = exposure_of(instrument, exposure)
    if not isinstance(found, ByItem):
        return (level.label,)
    parts = [one for one in found.partitions[0] if set(one.members) <= set(level.members)]
    is_all = sum(len(one.members) for one in parts) == len(level.members)
    return tuple(one.label for one in parts) if is_all else (level.label,)


def _inside(label: str) -> str:
    """A label as it stands behind another: "Over 600 mg" becomes "over 600 mg", "EDM" stays, and so do German nouns."""
    return label[:1].lower() + label[1:] if label[1:2].islower() and begins_small() else label

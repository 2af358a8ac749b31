"""Levels: the ways in which an exposure cuts people into groups, from the finest upwards.

What belongs here: atoms (the finest levels, in which people are counted) and the declared partitions made of them.
What does not: which of them may be published (`coarsen`), and any number of people.
"""

from survey_pipeline.instrument import Band, Code, Group, Item, Kind, Strict
from survey_pipeline.names import NOT_APPLICABLE, NOT_STATED


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
    apart: tuple[Level, ...] = (_special(NOT_STATED, "Not stated"),)
    if item.applies_if:
        apart = (_special(NOT_APPLICABLE, item.applies_if.otherwise), *apart)
    return (*_closed_atoms(item), *apart)


def _special(code: str, label: str) -> Level:
    return Level(code=code, label=label, members=(code,))


def _closed_atoms(item: Item) -> tuple[Level, ...]:
    if item.kind is Kind.YES_NO:
        return (_special("yes", "Yes"), _special("no", "No"))
    if item.options:
        return tuple(_special(option.code, option.label) for option in item.options)
    return tuple(_special(f"stretch_{place}", f"stretch {place}") for place in range(len(band_ends(item))))


def band_ends(item: Item) -> tuple[tuple[float, bool], ...]:
    """Every value at which some band of the item ends, low to high, and whether it still belongs to the lower side."""
    return tuple(sorted({band.end for bands in (item.bands, *item.wider_bands) for band in bands}))


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

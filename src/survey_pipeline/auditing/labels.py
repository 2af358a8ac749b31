"""Labels: which answers stand behind a published label, as somebody can tell who has the questions and the tables alone.

What belongs here: reading the label of a declared or merged level back into its finest codes. What does not: how merged
levels get their labels (`joining`); where its words change, what is read here must change with them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from survey_pipeline.instrument import Code, Instrument, Item
from survey_pipeline.joining import as_one
from survey_pipeline.levels import ByItem, Crossing, DoseReading, Exposure, Level, exposure_of, is_special
from survey_pipeline.release import PublishedLevel
from survey_pipeline.spreadsheets import harmless

Codes = frozenset[Code]
COMMA, OR = ", ", " or "


@dataclass(frozen=True)
class Understood:
    """The levels of an exposure, in their order, and the labels of which it cannot be told what they hold."""

    levels: tuple[PublishedLevel, ...]
    unknown: tuple[str, ...] = ()


def levels_of(instrument: Instrument, exposure: str, labels: Sequence[str]) -> Understood:
    """The levels behind the labels of an exposure. Everybody is in exactly one of them, so that a single label that says
    nothing by itself holds what the others leave.

    Where several say nothing, they are left out, and one level without a label stands for all of their people. Raises
    `KeyError` if the instrument has no such exposure.
    """
    found = exposure_of(instrument, exposure)
    reader = Reader(found)
    read = _settled({label: set(reader.read(label)) for label in labels})
    unknown = tuple(label for label in labels if label not in read)
    rest = {atom.code for atom in found.atoms} - {code for codes in read.values() for code in codes}
    if len(unknown) == 1 and rest:
        read, unknown = {**read, unknown[0]: frozenset(rest)}, ()
    levels = [_published(label, read[label]) for label in labels if label in read]
    return Understood((*levels, *([_published("", frozenset(rest))] if unknown and rest else [])), unknown)


def _settled(possible: Mapping[str, set[Codes]]) -> dict[str, Codes]:
    """The labels that hold one thing only, given that no two of them hold the same people."""
    known: dict[str, Codes] = {}
    before = -1
    while len(known) > before:
        before = len(known)
        for label, ways in possible.items():
            others = [codes for other, codes in known.items() if other != label]
            left = [codes for codes in ways if not any(codes & other for other in others)]
            if len(left) == 1:
                known[label] = left[0]
    return known


def _published(label: str, members: Codes) -> PublishedLevel:
    return PublishedLevel(
        code="level", label=label, made_of=(label,), members=tuple(sorted(members)), merged=len(members) > 1
    )


@dataclass(frozen=True)
class Reader:
    """Reads labels of one exposure."""

    exposure: Exposure
    parts: "tuple[Reader, ...]" = field(init=False)
    """Of a crossing, the readers of its two items."""

    def __post_init__(self) -> None:
        crossing = self.exposure if isinstance(self.exposure, Crossing) else None
        object.__setattr__(self, "parts", (Reader(crossing.first), Reader(crossing.second)) if crossing else ())

    def read(self, label: str) -> Iterator[Codes]:
        """All that a label may hold. What the instrument declares goes before what may be made of several levels."""
        declared = [frozenset(level.members) for level in self._declared if harmless(level.label) == harmless(label)]
        if declared:
            yield from declared
        elif self.parts:
            yield from self._crossed(label)
        else:
            yield from _joined(label, self._pieces, frozenset())

    @cached_property
    def _declared(self) -> tuple[Level, ...]:
        return tuple(level for levels in self.exposure.partitions for level in levels)

    @cached_property
    def _pieces(self) -> tuple[Level, ...]:
        """What labels are made of: declared levels, and of numbers any stretch from one end of a band to another."""
        item = _item_of(self.exposure)
        if item is None or not self.exposure.is_ordered:
            return self._declared
        atoms = [atom for atom in self.exposure.atoms if not is_special(atom)]
        runs = [atoms[start:end] for start in range(len(atoms)) for end in range(start + 1, len(atoms) + 1)]
        return (*self._declared, *(as_one(item, run) for run in runs))

    def _crossed(self, label: str) -> Iterator[Codes]:
        """A cell is called by its row and then its column, which begins small; see `levels.cross`."""
        assert isinstance(self.exposure, Crossing)
        first, second = self.parts
        for place in (i for i in range(len(label)) if label.startswith(COMMA, i)):
            row, column = label[:place], label[place + len(COMMA) :]
            columns = {codes for text in (column, column[:1].upper() + column[1:]) for codes in second.read(text)}
            for one in set(first.read(row)):
                yield from (_cells(self.exposure, one, other) for other in columns)


def _cells(crossing: Crossing, row: Codes, column: Codes) -> Codes:
    """The atoms of a crossing that lie in a row and a column."""
    pairs = zip(_pairs(crossing), crossing.atoms, strict=True)
    return frozenset(cell.code for (one, other), cell in pairs if one in row and other in column)


def _pairs(crossing: Crossing) -> list[tuple[Code, Code]]:
    return [(one.code, other.code) for one in crossing.first.atoms for other in crossing.second.atoms]


def _item_of(exposure: Exposure) -> Item | None:
    if isinstance(exposure, DoseReading):
        return exposure.dose.item
    return exposure.item if isinstance(exposure, ByItem) else None


def _joined(text: str, pieces: Sequence[Level], held: Codes, is_last: bool = False) -> Iterator[Codes]:
    """Every way to read a list such as "Citrate, malate or not stated" as pieces that hold nobody twice."""
    for piece in pieces:
        if held & frozenset(piece.members):
            continue
        together = held | frozenset(piece.members)
        for label in {piece.label, *([_small(piece.label)] if held and is_special(piece) else [])}:
            if text == label and (is_last or not held):
                yield together
            for mark in (COMMA, OR) if not is_last else ():
                if text.startswith(label + mark):
                    yield from _joined(text[len(label + mark) :], pieces, together, mark == OR)


def _small(label: str) -> str:
    return label[0].lower() + label[1:]

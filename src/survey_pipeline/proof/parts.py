"""Parts: the finest groups of people that published levels are made of, and how they add up.

What belongs here: cutting the levels of several releases on the same people into parts that all of them are sums of, and
which parts of one exposure hold the same people as which of another. What does not: any number.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from survey_pipeline.instrument import Instrument
from survey_pipeline.levels import Crossing, exposure_of
from survey_pipeline.names import ALL_LEVELS, CROSSED
from survey_pipeline.proof.told import EVERYONE, Line, Place, Told

Codes = frozenset[str]


@dataclass(frozen=True)
class Parts:
    """The parts of each exposure, by the finest codes that each is made of; together they hold everybody once."""

    by_exposure: Mapping[str, tuple[Codes, ...]]
    instrument: Instrument
    _of_levels: dict[tuple[str, Codes], tuple[Place, ...]] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, told: Sequence[Told]) -> "Parts":
        """Of some releases on the same people: the coarsest parts of which the levels of all of them are sums."""
        cuts: dict[str, list[list[Codes]]] = {}
        for one in told:
            for exposure, levels in one.release.levels.items():
                if levels:
                    cuts.setdefault(exposure, []).append([frozenset(level.members) for level in levels])
        return cls({exposure: _common(found) for exposure, found in cuts.items()}, told[-1].instrument)

    def places(self, line: Line, told: Told) -> tuple[Place, ...]:
        """The parts that together hold the people of a row."""
        if line.row.level == ALL_LEVELS:
            return (EVERYONE,)
        return self.of_level(told, line.row.exposure, line.row.level)

    def of_level(self, told: Told, exposure: str, label: str) -> tuple[Place, ...]:
        """The parts that together make up a published level."""
        members = told.members[exposure, label]
        found = self._of_levels.get((exposure, members))
        if found is None:
            found = tuple(place(exposure, part) for part in self.by_exposure[exposure] if part <= members)
            self._of_levels[exposure, members] = found
        return found

    def all_places(self, exposure: str) -> Iterator[Place]:
        """Everybody, and each part of an exposure."""
        yield EVERYONE
        yield from (place(exposure, part) for part in self.by_exposure.get(exposure, ()))

    @cached_property
    def codes(self) -> dict[Place, Codes]:
        """The codes of each part."""
        return {place(exposure, part): part for exposure, parts in self.by_exposure.items() for part in parts}

    @cached_property
    def crossings(self) -> tuple[Crossing, ...]:
        """The exposures that are two others crossed."""
        found = (exposure_of(self.instrument, exposure) for exposure in self.by_exposure)
        return tuple(each for each in found if isinstance(each, Crossing))

    def equal(self) -> Iterator[tuple[list[Place], list[Place]]]:
        """Parts that together hold the same people as others: of an exposure everybody, of a crossing what it crosses."""
        for exposure, parts in self.by_exposure.items():
            yield [EVERYONE], [place(exposure, part) for part in parts]
        for crossing in self.crossings:
            for side, factor in enumerate((crossing.first.name, crossing.second.name)):
                yield from self._of_side(crossing.name, side, factor)

    def _of_side(self, crossing: str, side: int, factor: str) -> Iterator[tuple[list[Place], list[Place]]]:
        cells = {part: side_of(part, side) for part in self.by_exposure[crossing]}
        for group in _joined(self.by_exposure.get(factor, ()), cells.values()):
            codes = frozenset().union(*group)
            inside = [place(crossing, part) for part, mine in cells.items() if mine <= codes]
            yield [place(factor, part) for part in group], inside

    def cut_by(self, at: Place, exposure: str) -> Iterator[list[tuple[Codes, Place]]]:
        """Ways in which the people of a place are cut by an exposure: the codes of each part there, and its people."""
        if at == EVERYONE:
            if mine := self.by_exposure.get(exposure):
                yield [(part, place(exposure, part)) for part in mine]
            return
        if at[0] == exposure:
            yield [(self.codes[at], at)]
        for crossing in self.crossings:
            yield from self._cut_by_crossing(at, exposure, crossing)

    def _cut_by_crossing(self, at: Place, exposure: str, crossing: Crossing) -> Iterator[list[tuple[Codes, Place]]]:
        factors = (crossing.first.name, crossing.second.name)
        if exposure not in factors:
            return
        side, parts = factors.index(exposure), self.by_exposure[crossing.name]
        if at[0] == crossing.name:
            yield [(side_of(self.codes[at], side), at)]
        elif at[0] == factors[1 - side]:
            inside = [part for part in parts if side_of(part, 1 - side) & self.codes[at]]
            if inside and all(side_of(part, 1 - side) <= self.codes[at] for part in inside):
                yield [(side_of(part, side), place(crossing.name, part)) for part in inside]


def place(exposure: str, part: Codes) -> Place:
    """The name of a part."""
    return exposure, " ".join(sorted(part))


def side_of(part: Codes, side: int) -> Codes:
    """The codes of one side of a part of a crossing."""
    return frozenset(code.split(CROSSED)[side] for code in part)


def _common(cuts: Iterable[Sequence[Codes]]) -> tuple[Codes, ...]:
    """The coarsest parts of which the sets of all cuts are sums."""
    first, *more = cuts
    parts = list(first)
    for cut in more:
        parts = [part & other for part in parts for other in cut if part & other]
    return tuple(parts)


def _joined(parts: Iterable[Codes], sides: Collection[Codes]) -> list[list[Codes]]:
    """Parts in the smallest groups such that each side lies within one group."""
    groups = [[part] for part in parts]
    for side in sides:
        touched = [group for group in groups if any(side & part for part in group)]
        groups = [group for group in groups if group not in touched]
        groups.append([part for group in touched for part in group])
    return groups

"""What somebody who holds everything published knows: sums of unknown counts that lie between two numbers.

What belongs here: naming unknowns and writing down what is known of them. What does not: drawing conclusions (`attack`), or
what a table of this project says (`knowledge`).
"""

from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

Key = tuple[str, ...]
"""The name of an unknown: a count of people, or a sum of answers."""

Source = Hashable
"""The name of a published thing: if it were hidden, nobody would know what it says."""

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Compiled:
    """A system as arrays, for solvers: `rows` sums of `columns` unknowns, the weights row by row (CSR).

    `start` (rows + 1), `index` and `weight` (weights): row i holds weights `start[i]` to `start[i + 1]`. `row_least` and
    `row_most` bound the sums, `least` and `most` (columns) the unknowns. `whole` (columns): whole numbers, and among them
    those that are `sums` of answers; the others are counts. `source` (rows): the place in `sources` of what says so, -1 for
    what is always known.
    """

    start: Whole
    index: Whole
    weight: Floats
    row_least: Floats
    row_most: Floats
    source: Whole
    least: Floats
    most: Floats
    whole: Flags
    sums: Flags
    place: Mapping[Key, int]
    sources: Mapping[Source, int]

    @property
    def counts(self) -> Flags:
        """The unknowns (columns) that are counts of people."""
        return self.whole & ~self.sums

    @property
    def rows(self) -> int:
        return len(self.row_least)

    @property
    def columns(self) -> int:
        return len(self.least)

    def known(self, hidden: Collection[Source]) -> Flags:
        """Per row, whether it is still known when some published things are hidden. Names of nothing published do no harm."""
        gone = np.zeros(len(self.sources) + 1, dtype=np.bool_)
        gone[[self.sources[source] for source in hidden if source in self.sources]] = True
        gone[-1] = False
        known: Flags = ~gone[self.source]
        return known

    def within(self, columns: Flags) -> "Compiled":
        """What is known of some unknowns alone (columns): rows that are about others besides are left out."""
        lengths = np.diff(self.start)
        outside = np.bincount(np.repeat(np.arange(self.rows), lengths), ~columns[self.index], self.rows) > 0
        kept = ~outside
        entries = np.repeat(kept, lengths)
        place = np.cumsum(columns) - 1
        return Compiled(
            np.append(0, np.cumsum(lengths[kept])),
            place[self.index[entries]],
            self.weight[entries],
            self.row_least[kept],
            self.row_most[kept],
            self.source[kept],
            self.least[columns],
            self.most[columns],
            self.whole[columns],
            self.sums[columns],
            {key: int(place[column]) for key, column in self.place.items() if columns[column]},
            self.sources,
        )


class System:
    """Unknowns by name, and what is known of them; grows only."""

    def __init__(self) -> None:
        self._place: dict[Key, int] = {}
        self._least: list[float] = []
        self._most: list[float] = []
        self._whole: list[bool] = []
        self._sums: list[bool] = []
        self._start: list[int] = [0]
        self._index: list[int] = []
        self._weight: list[float] = []
        self._row_least: list[float] = []
        self._row_most: list[float] = []
        self._source: list[int] = []
        self._sources: dict[Source, int] = {}
        self._compiled: Compiled | None = None

    def __contains__(self, key: object) -> bool:
        return key in self._place

    @property
    def keys(self) -> Collection[Key]:
        """All unknowns, in the order in which they were named."""
        return self._place.keys()

    @property
    def sources(self) -> Collection[Source]:
        """All published things, in the order in which they were named."""
        return self._sources.keys()

    @property
    def rows(self) -> int:
        return len(self._row_least)

    def unknown(
        self, key: Key, least: float | None = None, most: float = inf, *, whole: bool = True, is_sum: bool = False
    ) -> Key:
        """Name an unknown, or narrow for good what it can be; a new one is at least 0 unless said otherwise.

        `whole` says that it is a whole number: a count or, with `is_sum`, a sum of answers, which is looked for once the
        counts are settled. Both are settled where the unknown is first named.
        """
        self._compiled = None
        place = self._place.setdefault(key, len(self._place))
        if place == len(self._least):
            self._least.append(0.0 if least is None else least)
            self._most.append(most)
            self._whole.append(whole)
            self._sums.append(whole and is_sum)
        else:
            self._least[place] = max(self._least[place], -inf if least is None else least)
            self._most[place] = min(self._most[place], most)
        return key

    def row(self, terms: Mapping[Key, float], least: float, most: float, source: Source | None = None) -> None:
        """Know that a weighted sum of unknowns lies between two numbers (either may be infinite).

        `source` is the published thing that says so; None is for what is always known, such as that parts make up a whole.
        Raises `KeyError` for an unknown that was never named: a slip in a name would make the attacker know too little.
        """
        self._compiled = None
        place = self._place
        self._index.extend([place[key] for key in terms])
        self._weight.extend(terms.values())
        self._start.append(len(self._index))
        self._row_least.append(least)
        self._row_most.append(most)
        self._source.append(-1 if source is None else self._sources.setdefault(source, len(self._sources)))

    def says(self, key: Key, least: float, most: float, source: Source | None = None) -> None:
        """Know of a single unknown that it lies between two numbers."""
        self.row({key: 1.0}, least, most, source)

    def sums(self, total: Key, parts: Iterable[Key], source: Source | None = None) -> None:
        """Know that an unknown is the sum of others."""
        self.row({total: -1.0} | dict.fromkeys(parts, 1.0), 0.0, 0.0, source)

    def compiled(self) -> Compiled:
        """As arrays; made anew only after something was added."""
        if self._compiled is None:
            self._compiled = self._made()
        return self._compiled

    def _made(self) -> Compiled:
        numbers: list[list[Any]] = [self._weight, self._row_least, self._row_most, self._least, self._most]
        weight, row_least, row_most, least, most = (np.asarray(found, dtype=np.float64) for found in numbers)
        places: list[list[int]] = [self._start, self._index, self._source]
        start, index, source = (np.asarray(found, dtype=np.int64) for found in places)
        whole, sums = (np.asarray(found, dtype=np.bool_) for found in (self._whole, self._sums))
        names, sources = dict(self._place), dict(self._sources)
        return Compiled(start, index, weight, row_least, row_most, source, least, most, whole, sums, names, sources)

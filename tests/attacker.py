"""An attacker who holds releases and wants a count of fewer than ten people.

From all that is known of a release (`knowledge`), or of several releases of the same people (`together`), linear programming
gives the least and the most that each small hidden count can be. The truth is used for judging only.

What belongs here: asking for each small count, and what is found. What does not: what is known, and how questions are
answered (`linear`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from math import inf

import polars as pl
from knowledge import Attacker, Row, between
from linear import Contradiction, Key, Programme, Terms
from together import Overlap, Relation, link, same_levels

from survey_pipeline.instrument import Instrument
from survey_pipeline.release import Policy, Release

__all__ = ["MIN_N", "POLICY", "Attacker", "Contradiction", "Count", "Found", "Knowledge", "Programme", "Seen", "attack"]

POLICY = Policy()
MIN_N = POLICY.min_n
WORDS = ("table", "exposure", "level", "outcome", "statistic")
About = tuple[str, str, str, str]


@dataclass(frozen=True)
class Count:
    """A count behind the rows: its kind, how it is made of unknowns, the truth, and the first row that it stands behind."""

    kind: str
    terms: Terms
    truth: int
    about: About


@dataclass(frozen=True)
class Found:
    """What the attacker concludes of one small count."""

    kind: str
    truth: int
    least: int
    most: int
    about: About
    min_n: int = MIN_N

    @property
    def is_too_close(self) -> bool:
        """Whether it is told more closely than its mark tells it: from 1 to min_n - 1."""
        return self.least > 1 or self.most < self.min_n - 1

    def is_within(self, width: int) -> bool:
        """Whether it can take fewer than so many values."""
        return self.most - self.least + 1 < width


@dataclass(frozen=True)
class Seen:
    """A release with its instrument, and the exact rows by which the attacker is judged."""

    release: Release
    instrument: Instrument
    exact: pl.DataFrame
    atoms: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """The people in each piece of an exposure that no release can cut (see `together.Piece`), where they are known."""

    @cached_property
    def truths(self) -> dict[tuple[str, ...], Row]:
        """Exact rows by their words."""
        return {tuple(row[name] for name in WORDS): row for row in self.exact.iter_rows(named=True)}


class Knowledge:
    """All that is known of releases of the same people; `relations` say how each hangs together with the one before."""

    def __init__(self, seen: Sequence[Seen], relations: Sequence[Relation] = ()) -> None:
        self.seen, self.known = seen, Programme()
        tags: list[tuple[str, ...]] = [(), *((f"release {place}",) for place in range(2, len(seen) + 1))]
        self.attackers = [
            Attacker(one.release, one.instrument, self.known, tag) for one, tag in zip(seen, tags, strict=True)
        ]
        self.counts = [_counts(*each) for each in zip(self.attackers, seen, strict=True)]
        for place, relation in enumerate(relations, 1):
            overlaps = link(self.attackers[place - 1], self.attackers[place], relation)
            self.counts.append([_overlap(each, seen[place]) for each in overlaps if _is_known(each, seen[place])])
        self.differences = list(self._differences()) if relations else []
        self._settle()

    def attack(self) -> list[Found]:
        """What is concluded of every small count behind any of the releases."""
        return self._conclude([count for counts in self.counts for count in counts])

    def attack_differences(self) -> list[Found]:
        """What is concluded of the small counts of people by which a release differs from the one before."""
        return self._conclude(self.differences)

    def is_found_whole(self, place: int) -> bool:
        """Whether whole numbers exclude an end of what the mark of the small count at this place says."""
        terms = self._small([count for counts in self.counts for count in counts])[place].terms
        ends = ((-inf, 1.0), (self.min_n - 1.0, inf))
        return not all(self.known.integers_allow(terms, *end) for end in ends)

    def is_true(self) -> bool:
        """Whether all that is believed agrees with what is true."""
        return self.known.allows([(count.terms, count.truth) for counts in self.counts for count in counts])

    @property
    def min_n(self) -> int:
        return min(one.release.policy.min_n for one in self.seen)

    def _settle(self) -> None:
        """Which of two cases a rule followed, where all that is known together says so."""
        cases = {case: terms for attacker in self.attackers for case, terms in attacker.cases.items()}
        found = self.known.intervals(list(cases.values()), self.min_n - 1, self.min_n)
        for case, (least, most) in zip(cases, found, strict=True):
            if most < self.min_n:
                self.known.settle(case, 0)
            elif least >= self.min_n:
                self.known.settle(case, 1)

    def _conclude(self, counts: Sequence[Count]) -> list[Found]:
        small = self._small(counts)
        intervals = self.known.intervals([count.terms for count in small], 1, self.min_n - 1)
        return [
            Found(count.kind, count.truth, *interval, count.about, self.min_n)
            for count, interval in zip(small, intervals, strict=True)
        ]

    def _small(self, counts: Sequence[Count]) -> "list[Count]":
        return [count for count in counts if 0 < count.truth < self.min_n]

    def _differences(self) -> "list[Count]":
        """By how many people each count of a release differs from the same count of the one before."""
        found = []
        for place in range(1, len(self.attackers)):
            before, after = self.attackers[place - 1 : place + 1]
            there = {(count.kind, *count.about): count for count in self.counts[place - 1]}
            names = same_levels(before, after)
            for count in self.counts[place]:
                exposure, level, outcome, statistic = count.about
                name = names.get((exposure, level), "")
                old = there.get((count.kind, exposure, name, outcome, statistic))
                if old is not None:
                    found.append(_difference(old, count))
        return found


def attack(release: Release, exact: pl.DataFrame, instrument: Instrument) -> list[Found]:
    """What the attacker concludes of every count from 1 to 9 behind one release, each once."""
    found = Knowledge([Seen(release, instrument, exact)]).attack()
    assert all(each.least <= each.truth <= each.most for each in found), "what the attacker believes must be true"
    return found


def _counts(attacker: Attacker, seen: Seen) -> list[Count]:
    """Every count behind a release, each once."""
    found: dict[frozenset[tuple[Key, float]], Count] = {}
    for row in attacker.rows:
        truth = seen.truths.get(tuple(row[name] for name in WORDS))
        if truth is None or row["exposure"] == "respondents" or row["statistic"].endswith("_anyway"):
            continue
        about = (row["exposure"], row["level"], row["outcome"], row["statistic"])
        for kind, terms, n in attacker.counts(row, truth):
            found.setdefault(frozenset(terms.items()), Count(kind, terms, n, about))
    return [*found.values(), *_between(attacker, seen)]


def _between(attacker: Attacker, seen: Seen) -> list[Count]:
    """Those who reach one threshold and not another one, as two rows of a level may tell."""
    chains: dict[tuple[str, ...], dict[float, Reaching]] = {}
    for row in attacker.rows:
        truth = seen.truths.get(tuple(row[name] for name in WORDS))
        reached = None if truth is None else attacker.reached(row)
        if truth is not None and reached is not None:
            chain = chains.setdefault((*attacker.where(row), reached[0]), {})
            chain[reached[1]] = Reaching(row, attacker.beyond(row), attacker.truly_beyond(row, truth))
    pairs = (pair for chain in chains.values() for pair in combinations([chain[much] for much in sorted(chain)], 2))
    return [_apart(*pair) for pair in pairs]


@dataclass(frozen=True)
class Reaching:
    """Those who reach something, in a row: how they are made of unknowns, and how many they are."""

    row: Row
    terms: Terms
    truth: int


def _apart(lower: Reaching, higher: Reaching) -> Count:
    row, name = lower.row, f"{lower.row['outcome']} and not {higher.row['outcome']}"
    statistics = f"{lower.row['statistic']} and not {higher.row['statistic']}"
    about = (row["exposure"], row["level"], name, statistics)
    return Count("between", between(lower.terms, higher.terms), lower.truth - higher.truth, about)


def _is_known(overlap: Overlap, seen: Seen) -> bool:
    return all((overlap.exposure, atom) in seen.atoms for atom in overlap.piece)


def _overlap(overlap: Overlap, seen: Seen) -> Count:
    """The people whom two levels of two releases have in common."""
    truth = sum(seen.atoms[overlap.exposure, atom] for atom in overlap.piece)
    return Count("overlap", {overlap.key: 1.0}, truth, (overlap.exposure, overlap.label, "", ""))


def _difference(old: Count, new: Count) -> Count:
    """How many more the new count is than the old one, or how many fewer."""
    sign = 1 if new.truth >= old.truth else -1
    terms = _times(new.terms, sign) | _times(old.terms, -sign)
    return Count(new.kind, terms, abs(new.truth - old.truth), new.about)


def _times(terms: Terms, factor: float) -> dict[Key, float]:
    return {key: factor * weight for key, weight in terms.items()}

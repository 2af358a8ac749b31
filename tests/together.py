"""What two releases of the same people say together.

What belongs here: cutting people into the pieces that the levels of both releases are made of, and how the counts of each
piece hang together if everybody is the same, or if people only came, or only went. What does not: what one release says.

People who came and went in numbers that nobody knows leave no constraint between two counts: a release with both says no more
than by itself.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import inf
from typing import Literal

import polars as pl
from knowledge import CASE, STAGE, SUM, Attacker
from linear import Key

from survey_pipeline.instrument import Instrument
from survey_pipeline.levels import band_ends

Relation = Literal["same", "added", "gone", "anything"]
"""How the people (and answers) of a release hang together with those of the one before."""
Piece = frozenset[str]
"""People who gave one of these answers: codes, or for numbers the stretches between any two ends of bands."""
Level = tuple[str, str]
Sizes = Mapping[Level, Piece]


@dataclass(frozen=True)
class Overlap:
    """The people whom two levels of two releases have in common, and neither release shows."""

    exposure: str
    label: str
    piece: Piece
    key: Key


def link(before: Attacker, after: Attacker, relation: Relation) -> list[Overlap]:
    """Write down what two releases of the same people say together. Returns whom they cut out if everybody is the same."""
    found: list[Overlap] = []
    if relation == "anything":
        return found
    old, new = pieces_of(before, after), pieces_of(after, before)
    counts = _counts(before), _counts(after)
    for exposure, *what in sorted(set(counts[0]) & set(counts[1])):
        if what[-1] == SUM and relation != "same":
            continue
        sides = [counts[place][exposure, *what] for place in (0, 1)]
        if exposure == "all":
            _relate(before, sides[0]["all"], sides[1]["all"], relation)
        else:
            overlaps = _link_levels(before, exposure, sides, (old, new), relation)
            found += overlaps if relation == "same" and what == ["people"] else []
    return found


def pieces_of(attacker: Attacker, other: Attacker) -> dict[Level, Piece]:
    """The answers that each published level is made of, named alike in both releases."""
    found = {}
    for exposure, levels in attacker.published.items():
        factors = exposure.split("_by_") if exposure not in attacker.instrument.items else [exposure]
        for level in levels:
            found[exposure, level.label] = frozenset(
                name for member in level.members for name in _named(member, factors, attacker, other)
            )
    return found


def same_levels(before: Attacker, after: Attacker) -> dict[Level, str]:
    """The label that each level had in the release before, if it had one; "all" of every exposure."""
    old = {(exposure, piece): label for (exposure, label), piece in pieces_of(before, after).items()}
    new = pieces_of(after, before)
    alike = {
        (exposure, label): old[exposure, piece] for (exposure, label), piece in new.items() if (exposure, piece) in old
    }
    return alike | {(exposure, "all"): "all" for exposure in after.levels}


def _named(member: str, factors: list[str], attacker: Attacker, other: Attacker) -> Iterator[str]:
    sides = member.split("__x__")
    named = [
        stretches(side, factor, attacker.instrument, other.instrument)
        for side, factor in zip(sides, factors, strict=True)
    ]
    yield from ("__x__".join(each) for each in product(*named))


def stretches(member: str, factor: str, mine: Instrument, other: Instrument) -> list[str]:
    """A stretch between the ends of one instrument's bands, as the stretches between the ends of both instruments'."""
    if not member.startswith("stretch_"):
        return [member]
    ends, theirs = band_ends(mine.items[factor]), band_ends(other.items[factor])
    place = int(member.removeprefix("stretch_"))
    start = ends[place - 1] if place else (-inf, True)
    return [f"up to {end}" for end in sorted({*ends, *theirs}) if start < end <= ends[place]]


def _counts(attacker: Attacker) -> dict[tuple[str, ...], dict[str, Key]]:
    """What is counted, by exposure and by what, in which levels."""
    found: dict[tuple[str, ...], dict[str, Key]] = {}
    for key in list(attacker.known.bounds):
        if key[0] in (CASE, STAGE, "piece") or key[: len(attacker.tag)] != attacker.tag:
            continue
        if not attacker.tag and key[0].startswith("release "):
            continue
        exposure, *rest = key[len(attacker.tag) :]
        level, what = ("all", rest) if exposure == "all" else (rest[0], rest[1:])
        found.setdefault((exposure, *what), {})[level] = key
    return found


def _link_levels(
    before: Attacker, exposure: str, sides: list[dict[str, Key]], sizes: tuple[Sizes, Sizes], relation: Relation
) -> list[Overlap]:
    """Levels that are the same people are set beside each other; others are cut into the pieces that both are made of."""
    old, new = (
        {label: size[exposure, label] for label in side if (exposure, label) in size}
        for side, size in zip(sides, sizes, strict=True)
    )
    cuts: list[dict[str, list[Key]]] = [{}, {}]
    found = []
    for one, other in product(old, new):
        if old[one] == new[other]:
            _relate(before, sides[0][one], sides[1][other], relation)
        elif old[one] & new[other]:
            keys = [("piece", str(place), *sides[0][one], *sides[1][other]) for place in (0, 1)]
            for key in keys:
                before.known.unknown(key, -inf if key[-1] == SUM else 0)
            _relate(before, keys[0], keys[1], relation)
            cuts[0].setdefault(one, []).append(keys[0])
            cuts[1].setdefault(other, []).append(keys[1])
            found.append(Overlap(exposure, f"{one} and {other}", old[one] & new[other], keys[0]))
    for side, cut in zip(sides, cuts, strict=True):
        for label, parts in cut.items():
            before.known.sums(side[label], parts)
    return found


def atoms_of(answers: pl.Series, exposure: str, instruments: Sequence[Instrument]) -> dict[tuple[str, str], int]:
    """How many people gave which answer, named as pieces are; for numbers, between any two ends of bands."""
    item = instruments[0].items[exposure]
    if not item.bands:
        return {(exposure, str(code)): n for code, n in answers.drop_nulls().value_counts().iter_rows()}
    ends = sorted({end for one in instruments for end in band_ends(one.items[exposure])})
    up_to = [int(((answers <= value) if closed else (answers < value)).sum()) for value, closed in ends]
    return {(exposure, f"up to {end}"): n - less for end, n, less in zip(ends, up_to, [0, *up_to], strict=False)}


def _relate(before: Attacker, old: Key, new: Key, relation: Relation) -> None:
    if relation == "same":
        before.known.equals({old: 1.0, new: -1.0})
    elif relation == "added":
        before.known.no_more({old: 1.0, new: -1.0})
    else:
        before.known.no_more({new: 1.0, old: -1.0})

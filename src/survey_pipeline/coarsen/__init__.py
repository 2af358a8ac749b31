"""Coarsen: the finest levels of each exposure at which the main findings may be shown.

What belongs here: merging small levels with their declared groups or neighbours before anything is hidden, because a merged
table tells more and leaks less than one with holes. What does not: hiding single cells (`disclose`). One exposure has one
set of levels in all tables of a release, so that tables cannot be played off against each other. A crossing is cut along
the levels of its items, so that its rows and columns add up to theirs.
"""

from collections.abc import Collection, Mapping, Sequence

import polars as pl

from survey_pipeline.coarsen.answers import choose_levels
from survey_pipeline.coarsen.crossings import choose_crossing
from survey_pipeline.coarsen.further import next_coarser
from survey_pipeline.coarsen.needs import needs_of
from survey_pipeline.instrument import Code, Instrument
from survey_pipeline.levels import ByItem, Crossing, DoseReading, Level, exposure_of
from survey_pipeline.outcomes import exposures
from survey_pipeline.release import Policy

__all__ = ["Levels", "Together", "choose_levels", "coarsen", "needs_of", "next_coarser"]

Levels = Mapping[str, Sequence[Level]]
Together = Mapping[str, Sequence[Collection[Code]]]
"""By exposure, codes of atoms that must be in one level."""


def coarsen(
    tally: pl.DataFrame,
    instrument: Instrument,
    policy: Policy,
    earlier: Levels | None = None,
    together: Together | None = None,
) -> dict[str, tuple[Level, ...]]:
    """For each exposure, levels that hold everybody once and are large enough to be shown.

    `earlier` holds the levels of the wave before: what was merged there stays merged, so that waves can be compared.
    `together` asks for more: the codes of each set are put into one level, in a crossing alike in every row. To go on from
    levels found before, hand these in as `earlier` and what `next_coarser` gives as `together`.
    Exposures without levels (everybody, and doses that are intervals) have none. The levels of a crossing are those of its
    first item within one cut of its second; those of a dose read again are the dose's.

    Raises `ValueError` if the codes of a set cannot be in one level: a fault of ours.
    """
    by_name = {name: exposure_of(instrument, name) for name in exposures(instrument)}
    before, asked = earlier or {}, {name: tuple(map(frozenset, sets)) for name, sets in (together or {}).items()}
    found: dict[str, tuple[Level, ...]] = dict.fromkeys(by_name, ())
    for name, exposure in by_name.items():
        if isinstance(exposure, ByItem):
            needs = needs_of(tally, exposure, instrument, policy)
            found[name] = choose_levels(exposure.item, needs, before.get(name), asked.get(name, ()))
    for name, exposure in by_name.items():
        if isinstance(exposure, Crossing):
            needs = needs_of(tally, exposure, instrument, policy)
            found[name] = choose_crossing(exposure, needs, found, before.get(name, ()), asked.get(name, ()))
        elif isinstance(exposure, DoseReading) and not exposure.is_interval:
            found[name] = found[exposure.dose.name]
    _check_together(found, asked)
    return found


def _check_together(found: Levels, asked: Mapping[str, Sequence[frozenset[Code]]]) -> None:
    for name, sets in asked.items():
        published = {code for level in found[name] for code in level.members}
        for codes in sets:
            there = codes & published
            if there and not any(there.issubset(level.members) for level in found[name]):
                raise ValueError(f"the levels of {name} cannot be put together as asked")

"""Nested: counts of people that lie within each other, such as those who improved by 50 % among those who did by 30 %.

What belongs here: which thresholds and limits count some of the people whom another one counts. What does not: the equations
(`knowledge`), and whether those between two of them can be told (`behind`, `attack`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

from survey_pipeline.instrument import Item
from survey_pipeline.names import READING_WORST_CASE, option_column
from survey_pipeline.outcomes import Outcome, thresholds_of
from survey_pipeline.proof.told import SHARE, Suffix

EVENTS, OTHERS = "events", "others"


@dataclass(frozen=True)
class Side:
    """Those on one side of a threshold: whom a statistic of an outcome counts, or whom it does not."""

    outcome: str
    statistic: str
    counted: str = EVENTS

    @property
    def suffix(self) -> Suffix:
        """By which name they are counted at a place."""
        return self.outcome, self.statistic, self.counted

    @property
    def words(self) -> str:
        """What is counted, as a certificate names it."""
        return " ".join(part for part in (self.outcome, self.statistic) if part != SHARE)


Reached = tuple[float, Side]
"""What it takes to be counted, and those who are."""


def nested(outcome: Outcome, item: Item) -> Iterator[tuple[Side, Side]]:
    """Each two counts of an outcome of which the first holds everybody whom the second counts; of a limit, the first may be
    one of another outcome.
    """
    yield from _thresholds(outcome)
    for name in wider(outcome, item):
        yield Side(name, SHARE), Side(outcome.name, SHARE)


@lru_cache(maxsize=1024)
def _thresholds(outcome: Outcome) -> tuple[tuple[Side, Side], ...]:
    chains = (*improved(outcome).values(), on_scale(outcome))
    pairs = (pair for chain in chains for pair in combinations(chain, 2))
    return tuple((more, fewer) for (low, more), (high, fewer) in pairs if low < high)


def on_scale(outcome: Outcome) -> list[Reached]:
    """Who answered so much or more, the least first; of a threshold downwards, those whom it does not count."""
    name, step, all_ = outcome.name, outcome.grid.step, outcome.thresholds
    found = [(each.at_least, Side(name, each.name)) for each in all_ if each.at_least is not None]
    found += [(each.at_most + step, Side(name, each.name, OTHERS)) for each in all_ if each.at_most is not None]
    return _by_least(found)


def improved(outcome: Outcome) -> dict[str, list[Reached]]:
    """Who improved by so many per cent or more, and by so many points, the least first."""
    sides = [(each, Side(outcome.name, each.name)) for each in thresholds_of(outcome)]
    per_cent = [(each.percent, side) for each, side in sides if each.percent is not None]
    points = [(each.points, side) for each, side in sides if each.points is not None]
    return {"percent": _by_least(per_cent), "points": _by_least(points)}


def _by_least(found: list[Reached]) -> list[Reached]:
    return sorted(found, key=lambda reached: reached[0])


def wider(outcome: Outcome, item: Item) -> Iterator[str]:
    """The outcomes that count everybody whom one about a limit counts: who is above it is above a lower one, and who is above
    it under some reading is so under the worst case.
    """
    if outcome.above is None:
        return
    for reading in dict.fromkeys((outcome.reading, READING_WORST_CASE if outcome.reading else None)):
        for limit in item.limits:
            is_itself = (limit.above, reading) == (outcome.above, outcome.reading)
            if limit.above <= outcome.above and not is_itself:
                name = option_column(outcome.item, f"above_{limit.code}")
                yield option_column(name, reading) if reading else name

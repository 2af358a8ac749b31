"""Told: what each published row is about, as somebody reads it who knows the questions.

What belongs here: a row with its outcome, whose answers it is about, and which of the parts of people it holds. What does
not: what follows from it (`knowledge`, `numbers`).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from types import MappingProxyType

from survey_pipeline.instrument import Condition, Instrument, Kind, Threshold
from survey_pipeline.levels import factors
from survey_pipeline.names import ALL_LEVELS, RESPONDENTS, option_column
from survey_pipeline.outcomes import BEING_THERE, Outcome, exposures, thresholds_of
from survey_pipeline.release import Policy, Release, Row

Place = tuple[str, ...]
"""Everybody (`EVERYONE`), or the people of one part of an exposure: its name and the part's."""
Suffix = tuple[str, ...]
"""What is counted of the people of a place."""
Terms = dict[tuple[str, ...], float]
EVERYONE: Place = (ALL_LEVELS,)
PEOPLE: Suffix = ("people",)
DIARY_KEPT: Suffix = ("diary kept",)
ANSWERED, BEFORE, BOTH, COULD_IMPROVE = "answered", "answered before", "answered both", "could improve"
MISSING = "missing"
OF_BOTH = frozenset(
    {
        "mean_change",
        "median_change",
        "standardised_change",
        "correlation_before_now",
        "baseline_zero",
        "mean_change_anyway",
    }
)
SHARE, COUNT, ANYWAY = "share", "count", "_anyway"


Cases = Mapping[tuple[str, str, str, str], bool]
"""By exposure, level, outcome and whom: whether they are few, where an attacker is taken to know even that."""


@dataclass(frozen=True)
class Told:
    """A release and what one must know to read it: the instrument as it was asked in the wave. With `cases`, an attacker
    knows besides for whom the number beside an estimate stands, also where the rows that would show it are hidden.
    """

    release: Release
    instrument: Instrument
    cases: Cases = field(default_factory=dict)

    def without(self, items: Collection[str]) -> "Told":
        """What is told but of some items: they mean something else now, so that nothing of them is known to be the same."""
        outcomes = {name for (_, name), outcome in self.outcomes.items() if outcome.item in items}
        apart = {name for name in self.release.levels if set(factors(self.instrument, name)) & set(items)}
        rows = (row for row in self.release.rows if row.outcome not in outcomes and row.exposure not in apart)
        levels = {name: found for name, found in self.release.levels.items() if name not in apart}
        return Told(self.release.model_copy(update={"rows": tuple(rows), "levels": levels}), self.instrument)

    def with_cases(self, cases: Cases) -> "Told":
        """The same, where somebody knows these cases; no row is read anew for it."""
        told = replace(self, cases=cases)
        vars(told).update(lines=self.lines, outcomes=self.outcomes, members=self.members)
        return told

    @property
    def policy(self) -> Policy:
        return self.release.policy

    @cached_property
    def outcomes(self) -> dict[tuple[str, str], Outcome]:
        """By exposure and name."""
        return {(name, one.name): one for name, found in exposures(self.instrument).items() for one in found}

    @cached_property
    def members(self) -> dict[tuple[str, str], frozenset[str]]:
        """The finest codes of each published level, by exposure and label."""
        levels = self.release.levels
        return {(name, one.label): frozenset(one.members) for name, found in levels.items() for one in found}

    @cached_property
    def lines(self) -> tuple["Line", ...]:
        return tuple(self._line(row) for row in self.release.rows)

    def _line(self, row: Row) -> "Line":
        outcome = BEING_THERE if row.outcome == RESPONDENTS else self.outcomes.get((row.exposure, row.outcome))
        item = self.instrument.items.get(outcome.item) if outcome else None
        return Line(row, outcome, item.applies_if if item else None)


@dataclass(frozen=True)
class Line:
    """A row, and the outcome that it is about; none for a diary, which nobody is asked for."""

    row: Row
    outcome: Outcome | None
    condition: Condition | None

    @property
    def is_shown(self) -> bool:
        return self.row.n_respondents is not None

    @property
    def is_presence(self) -> bool:
        return self.outcome is BEING_THERE

    @cached_property
    def statistic(self) -> str:
        """A count of people and the share that it makes are one and the same."""
        return SHARE if self.row.statistic == COUNT else self.row.statistic

    @cached_property
    def about(self) -> tuple[str, str, str, str]:
        """What the row is about, in whichever tables it stands: everybody is the same everybody in all of them."""
        exposure = ALL_LEVELS if self.row.level == ALL_LEVELS else self.row.exposure
        return exposure, self.row.level, self.row.outcome, self.statistic

    @cached_property
    def is_share(self) -> bool:
        """Whether the row tells how many of some people something holds for."""
        if self.outcome is None or self.is_presence:
            return self.statistic == SHARE
        return (
            self.statistic == SHARE or self.statistic == "baseline_zero" or self.statistic in responders(self.outcome)
        )

    @cached_property
    def among(self) -> str:
        """Whose answers the row is about."""
        if self.outcome is None or self.statistic.startswith("mean_baseline"):
            return BEFORE
        name = self.statistic.removesuffix(ANYWAY)
        per_cent = responders(self.outcome).get(name)
        if per_cent is None:
            return BOTH if name in OF_BOTH else ANSWERED
        return {"percent": COULD_IMPROVE, "points": BOTH}.get(per_cent, ANSWERED)


@lru_cache(maxsize=1024)
def responders(outcome: Outcome) -> Mapping[str, str]:
    """The statistics of an outcome that count responders, and by what they do: percent, points, at_least or at_most."""
    return MappingProxyType({each.name: _rule(each) for each in thresholds_of(outcome)})


def _rule(threshold: Threshold) -> str:
    return next(name for name in ("percent", "points", "at_least", "at_most") if getattr(threshold, name) is not None)


def question_of(outcome: Outcome) -> str:
    """The question that one must have answered to be counted; of words beside a number, either of both."""
    return f"{outcome.item} as read" if outcome.reading else outcome.item


def options_of(outcome: Outcome, instrument: Instrument) -> tuple[str, ...]:
    """The names of all outcomes that the options of the same question give."""
    item = instrument.items.get(outcome.item)
    if item is None or outcome.left_out or item.kind not in (Kind.CHOICE, Kind.CHOICES):
        return ()
    return tuple(option_column(outcome.item, code) for code in item.codes)

"""Measures: what a single published number is about, with what the instrument says of it.

What belongs here: reading an outcome's and a statistic's name, and their short labels in the language that is spoken. What
does not: any number, and sentences (`words`).
"""

import re
from dataclasses import dataclass
from typing import Final

from survey_pipeline import names
from survey_pipeline.instrument import LEFT_OUT, Instrument, Item, Limit, Threshold
from survey_pipeline.language import later, say, say_in
from survey_pipeline.plain import clean

ANYWAY: Final = "_anyway"
"""Behind the name of a statistic: what might be expected anyway, going by where people began."""
PERSON_WEEKS: Final = "person_weeks"
_IMPROVED: Final = re.compile(r"improved_([0-9]+)")
_NO_BETTER: Final = frozenset({"baseline_zero", "correlation_before_now", PERSON_WEEKS})
_OPPOSITE: Final = {"lower": "higher", "higher": "lower"}
STATISTICS: Final = {
    "mean": later("Average"),
    "mean_baseline": later("Average before"),
    "mean_change": later("Average change"),
    "median": later("Middle answer (median)"),
    "median_change": later("Middle change (median)"),
    "quartile_1": later("A quarter of people were at or below"),
    "quartile_3": later("Three quarters of people were at or below"),
    "standardised_change": later("Average change, in standard deviations of the changes"),
    "share": later("Share"),
    "count": later("People who said so"),
    "baseline_zero": later("Started at 0"),
    "hedges_g": later("Effect size (Hedges' g)"),
    "person_week_mean": later("Average over everybody's weeks"),
    PERSON_WEEKS: later("Weeks of people (person-weeks)"),
    "correlation_before_now": later("Correlation of before and now"),
}
WITHOUT_UNIT: Final = frozenset({"standardised_change", "correlation_before_now", PERSON_WEEKS})
"""Statistics that are not in the item's units."""
READINGS: Final = {
    "": later("Dose as people gave it"),
    names.READING_LABEL_ELEMENTAL: later("If labels give elemental weight"),
    names.READING_COMPOUND: later("If labels give the whole compound's weight"),
    names.READING_WORST_CASE: later("At the highest dose that people's words allow"),
}
"""How a dose is read, in words; "" is the number that was answered."""
NOT_ASKED_FOR: Final = {
    names.RESPONDENTS: later("Respondents"),
    names.EVERYBODY: later("Everybody"),
    "diary_kept": later("Diary kept"),
}
"""What a release holds beside the items of its instrument."""


@dataclass(frozen=True)
class Measure:
    """One statistic of one outcome, with what the instrument says of it."""

    outcome: str
    statistic: str
    label: str
    item: Item | None
    is_option: bool
    excludes_others: bool = False
    """Whether it is an answer such as 'None of these'."""
    limit: Limit | None = None
    reading: str = ""
    """Of a limit: how the dose is read."""

    @property
    def base(self) -> str:
        """The statistic, or the one to which it says what might be expected anyway."""
        return self.statistic.removesuffix(ANYWAY)

    @property
    def is_band(self) -> bool:
        """Whether it is what might be expected anyway."""
        return self.statistic.endswith(ANYWAY)

    @property
    def threshold(self) -> Threshold | None:
        thresholds = self.item.thresholds if self.item else ()
        return next((found for found in thresholds if found.name == self.base), None)

    @property
    def improved_by(self) -> int | None:
        """Of a point of the responder curve, by how many per cent people improved at least."""
        found = _IMPROVED.fullmatch(self.base)
        return int(found.group(1)) if found else None

    @property
    def is_share(self) -> bool:
        return self.threshold is not None or self.improved_by is not None or self.base in ("share", "baseline_zero")

    @property
    def is_change(self) -> bool:
        return self.base in ("mean_change", "median_change")

    @property
    def needs_two_answers(self) -> bool:
        """Whether it is told from an answer and the one before."""
        curve = self.is_change or self.improved_by is not None or self.base == "standardised_change"
        return curve or (self.threshold is not None and self.threshold.needs_baseline)

    @property
    def is_improvement(self) -> bool:
        """Whether it says how much better people were than before, so that some of it might be reported anyway."""
        return self.needs_two_answers and self.better is not None and not self.is_band

    @property
    def statistic_label(self) -> str:
        label = self._base_label
        return say("{label}: expected anyway", label=label) if self.is_band else label

    @property
    def _base_label(self) -> str:
        if self.threshold:
            return clean(self.threshold.label)
        if self.improved_by is not None:
            return _improved(self.improved_by, self.item.better if self.item else None)
        known = STATISTICS.get(self.base)
        return say(known) if known else clean(self.base.replace("_", " ").capitalize())

    @property
    def better(self) -> str | None:
        """Which way the printed number is better for the person; None where the instrument does not say."""
        better = self.item.better if self.item and not self.is_option and self.base not in _NO_BETTER else None
        if better is None or not self.is_share:
            return better
        if self.threshold is None or self.threshold.needs_baseline:
            return "higher"
        return better if self.threshold.at_least is not None else _OPPOSITE[better]


def _improved(per_cent: int, better: str | None) -> str:
    """A point of the responder curve in words, by which way is better."""
    if better is None:
        return say("At least {per_cent} % better", per_cent=per_cent)
    if better == "lower":
        return say("At least {per_cent} % lower", per_cent=per_cent)
    return say("At least {per_cent} % higher", per_cent=per_cent)


def measure_of(outcome: str, statistic: str, instrument: Instrument) -> Measure:
    """The measure of an outcome: an item, one of its answers, a limit of it, or that it was left out."""
    name = item_name(outcome, instrument)
    item, code = instrument.items.get(name), outcome[len(name) + 2 :]
    option = next((one for one in item.options if one.code == code), None) if item else None
    limit, reading = _limit_of(item, code)
    label = option.label if option else _label(outcome, item, limit, code)
    excludes = option is not None and option.exclusive
    return Measure(outcome, statistic, clean(label), item, bool(code), excludes, limit, reading)


def item_name(outcome: str, instrument: Instrument) -> str:
    """The item an outcome belongs to: itself, or the item of which it is an option, a limit or a gap."""
    if outcome in instrument.items:
        return outcome
    whole = (outcome[: match.start()] for match in re.finditer("__", outcome))
    return next((name for name in whole if name in instrument.items), outcome)


def _label(outcome: str, item: Item | None, limit: Limit | None, code: str) -> str:
    if limit:
        return limit.label
    if code == LEFT_OUT:
        return say_in("people who gave no answer", "Left out")
    return item.label if item else label_of(outcome)


def label_of(name: str) -> str:
    """A label for what is no item of the instrument: the program's own, or the name in plain letters."""
    known = NOT_ASKED_FOR.get(name)
    return say(known) if known else name.replace("_", " ").capitalize()


def _limit_of(item: Item | None, code: str) -> tuple[Limit | None, str]:
    """The limit that an outcome is about, and the reading of the dose; (None, "") for any other outcome."""
    for limit in item.limits if item else ():
        of_limit = f"above_{limit.code}"
        for reading in READINGS:
            if code == (names.option_column(of_limit, reading) if reading else of_limit):
                return limit, reading
    return None, ""

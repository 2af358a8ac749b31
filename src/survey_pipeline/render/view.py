"""What a release gives to show: its rows sorted into comparisons, with the instrument's words beside them.

What belongs here: choosing and ordering rows, and looking up labels. What does not: sentences (`words`), drawing
(`charts`) and layout (`page`, `newsletter`). Nothing here computes a number that is shown.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from scipy.special import ndtri

from survey_pipeline import names
from survey_pipeline.instrument import Instrument, Item, Kind, Threshold
from survey_pipeline.levels import is_ordered
from survey_pipeline.names import Status
from survey_pipeline.release import PublishedLevel, Release, Row

CHARTS_WITHOUT_PRIMARY = 5
"""How many scales of a table are drawn where the instrument calls none of its items primary."""
NO_NUMBERS = (Status.SUPPRESSED, Status.NOT_ASKED)
_OPPOSITE = {"lower": "higher", "higher": "lower"}
_STATISTICS = {
    "mean": "Average",
    "mean_baseline": "Average before",
    "mean_change": "Average change",
    "median": "Middle answer (median)",
    "median_change": "Middle change (median)",
    "share": "Share",
    "count": "Answers",
    "baseline_zero": "Started at 0",
    "hedges_g": "Effect size (Hedges' g)",
}


def clean(text: str) -> str:
    """One line of printable text: labels come from people and may hold line breaks or invisible marks that turn text."""
    return " ".join("".join(mark if mark.isprintable() else " " for mark in text).split())


def is_shown(row: Row | None) -> bool:
    """Whether a row has a number to show."""
    return row is not None and row.status not in NO_NUMBERS and row.estimate is not None


def _is_no_answer(level: PublishedLevel) -> bool:
    """Whether a level holds people who gave no answer, alone or with those whom the question does not concern."""
    return names.NOT_STATED in level.members and {*level.members} <= {names.NOT_STATED, names.NOT_APPLICABLE}


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

    @property
    def threshold(self) -> Threshold | None:
        thresholds = self.item.thresholds if self.item else ()
        return next((found for found in thresholds if found.name == self.statistic), None)

    @property
    def is_share(self) -> bool:
        return self.threshold is not None or self.statistic in ("share", "baseline_zero")

    @property
    def is_change(self) -> bool:
        return self.statistic.endswith("_change")

    @property
    def needs_two_answers(self) -> bool:
        """Whether it is told from an answer and the one before."""
        return self.is_change or (self.threshold is not None and self.threshold.needs_baseline)

    @property
    def statistic_label(self) -> str:
        if self.threshold:
            return clean(self.threshold.label)
        return _STATISTICS.get(self.statistic, clean(self.statistic.replace("_", " ").capitalize()))

    @property
    def better(self) -> str | None:
        """Which way the printed number is better for the person; None where the instrument does not say."""
        better = self.item.better if self.item and not self.is_option and self.statistic != "baseline_zero" else None
        if self.threshold is None or better is None:
            return better
        if self.threshold.needs_baseline:
            return "higher"
        return better if self.threshold.at_least is not None else _OPPOSITE[better]


@dataclass(frozen=True)
class Comparison:
    """One measure of one table: everybody who answered, and each level of the exposure in the order of the table."""

    table: str
    exposure: str
    measure: Measure
    ordered: bool
    everybody: Row | None
    levels: tuple[Row, ...]
    not_compared: frozenset[str] = frozenset()
    """Levels that are no answer, such as 'Not stated': shown, but never said to differ."""

    @property
    def shown(self) -> tuple[Row, ...]:
        return tuple(row for row in self.levels if is_shown(row))

    @property
    def hidden(self) -> tuple[Row, ...]:
        return tuple(row for row in self.levels if row.status is Status.SUPPRESSED)

    @property
    def is_not_read(self) -> bool:
        """Whether the wave holds no answers to the question at all: nothing of it is hidden."""
        rows = [*self.levels, *([self.everybody] if self.everybody else [])]
        return bool(rows) and all(row.status is Status.NOT_ASKED for row in rows)

    @property
    def sorted(self) -> tuple[Row, ...]:
        """Shown levels: a dose in its own order, others from the best reported to the worst."""
        if self.ordered:
            return self.shown
        downwards = -1 if self.measure.better == "lower" else 1
        return tuple(sorted(self.shown, key=lambda row: -downwards * (row.estimate or 0)))

    @property
    def compared(self) -> tuple[Row, ...]:
        """Levels of which something may be said: shown, an answer, and not marked unreliable."""
        return tuple(r for r in self.shown if r.status is not Status.UNRELIABLE and r.level not in self.not_compared)

    @cached_property
    def pair(self) -> tuple[Row, Row] | None:
        """The highest and the lowest level, where their ranges stay apart after allowing for all pairs of levels.

        The two are picked as the extremes of g levels, that is out of m = g(g-1)/2 pairs, and with many pairs some lie
        apart by chance. So each range is widened about its estimate by z(1 - 0.05/(2m)) / z(0.975) (Bonferroni): the
        chance that any pair of a line is called apart though none differs stays at 5 in 100 or less. With m = 1 the
        factor is 1. Outcomes are not allowed for, only the levels of one line.
        """
        known = [row for row in self.compared if row.ci_lower is not None and row.ci_upper is not None]
        if len(known) < 2:
            return None
        factor = _widening(len(known))
        high = max(known, key=lambda row: _widened(row, factor)[0])
        low = min(known, key=lambda row: _widened(row, factor)[1])
        return (high, low) if _widened(high, factor)[0] > _widened(low, factor)[1] else None

    @property
    def apart(self) -> bool:
        """Whether some two levels may be said to differ."""
        return self.pair is not None


def _widening(groups: int) -> float:
    """How much wider a 95 % range gets when all pairs of so many groups are allowed for."""
    pairs = groups * (groups - 1) // 2
    return float(ndtri(1 - 0.05 / (2 * pairs)) / ndtri(0.975))


def _widened(row: Row, factor: float) -> tuple[float, float]:
    estimate, low, high = row.estimate or 0.0, row.ci_lower or 0.0, row.ci_upper or 0.0
    return estimate - factor * (estimate - low), estimate + factor * (high - estimate)


@dataclass(frozen=True)
class View:
    """A release together with the instrument's words for it.

    `incomparable`, of the wave before: items that were changed since, so that nothing of them is set beside this wave.
    """

    release: Release
    instrument: Instrument
    incomparable: frozenset[str] = frozenset()

    def may_compare(self, *names: str) -> bool:
        """Whether none of some items and outcomes was changed since."""
        return self.incomparable.isdisjoint(map(self.item_name, names))

    def members(self, exposure: str) -> dict[str, frozenset[str]]:
        """The finest codes of each published level of an exposure, by its label."""
        return {level.label: frozenset(level.members) for level in self.release.levels.get(exposure, ())}

    @cached_property
    def _rows(self) -> dict[tuple[str, str, str], dict[str, tuple[Row, ...]]]:
        """Rows by table, exposure and outcome, then by statistic, each in the order of the release."""
        found: dict[tuple[str, str, str], dict[str, tuple[Row, ...]]] = {}
        for row in self.release.rows:
            statistics = found.setdefault((row.table, row.exposure, row.outcome), {})
            statistics[row.statistic] = (*statistics.get(row.statistic, ()), row)
        return found

    @property
    def tables(self) -> tuple[str, ...]:
        """Tables of outcomes: the form's first, then the dose's; who answered is told apart."""
        first = [self.instrument.form, self.instrument.dose]
        ranks = {exposure: rank for rank, exposure in enumerate(dict.fromkeys(first))}
        others = [table for table in self.release.tables if table != names.WHO_ANSWERED]
        return tuple(
            sorted(others, key=lambda table: (not self._has_primary(table), ranks.get(self.exposure(table), 9)))
        )

    def _has_primary(self, table: str) -> bool:
        return any(item.primary for item in self._items(table)) or not self._any_primary

    @property
    def _any_primary(self) -> bool:
        return any(item.primary for item in self.instrument.items.values())

    def exposure(self, table: str) -> str:
        return next((row.exposure for row in self.release.rows if row.table == table), "")

    def outcomes(self, table: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(outcome for name, _, outcome in self._rows if name == table))

    def _items(self, table: str) -> Iterator[Item]:
        found = (self.item_of(outcome)[0] for outcome in self.outcomes(table))
        yield from (item for item in found if item)

    def item_name(self, outcome: str) -> str:
        """The item an outcome belongs to: itself, or the item whose option it is."""
        if outcome in self.instrument.items:
            return outcome
        whole = (outcome[: match.start()] for match in re.finditer("__", outcome))
        return next((name for name in whole if name in self.instrument.items), outcome)

    def item_of(self, outcome: str) -> tuple[Item | None, str]:
        """The item of an outcome, and the code of the option (empty if the outcome is the whole item)."""
        name = self.item_name(outcome)
        return self.instrument.items.get(name), outcome[len(name) + 2 :]

    def measure(self, outcome: str, statistic: str) -> Measure:
        item, code = self.item_of(outcome)
        option = next((option for option in item.options if option.code == code), None) if item else None
        label = option.label if option else item.label if item else outcome
        return Measure(outcome, statistic, clean(label), item, bool(code), option is not None and option.exclusive)

    def item_label(self, name: str) -> str:
        item = self.instrument.items.get(name)
        return clean(item.label if item else name.replace("_", " ").capitalize())

    def title(self, table: str) -> str:
        spec = next((spec for spec in self.instrument.tables if spec.name == table), None)
        return clean(spec.title if spec else table.replace("_", " ").capitalize())

    def statistics(self, table: str, outcome: str) -> tuple[str, ...]:
        """The statistics a table has of an outcome, in the order of the release."""
        return tuple(self._rows.get((table, self.exposure(table), outcome), {}))

    def comparison(self, table: str, outcome: str, statistic: str) -> Comparison:
        exposure = self.exposure(table)
        rows = self._rows.get((table, exposure, outcome), {}).get(statistic, ())
        item = self.instrument.items.get(exposure)
        everybody = next((row for row in rows if row.level == names.ALL_LEVELS), None)
        levels = tuple(sorted((row for row in rows if row is not everybody), key=lambda row: self._place(row)))
        measure = self.measure(outcome, statistic)
        no_answer = frozenset(level.label for level in self.release.levels.get(exposure, ()) if _is_no_answer(level))
        return Comparison(table, exposure, measure, item is not None and is_ordered(item), everybody, levels, no_answer)

    def _place(self, row: Row) -> int:
        """Where a level stands among the published levels of its exposure."""
        labels = [level.label for level in self.release.levels.get(row.exposure, ())]
        return labels.index(row.level) if row.level in labels else len(labels)

    def for_table(self, table: str, outcome: str) -> tuple[Comparison, ...]:
        """All statistics of an outcome, the drawn one first, then other shares, then before, now and change."""
        first = self.headline(table, outcome).measure.statistic
        order = ("mean_baseline", "mean", "mean_change", "median", "median_change")
        found = [self.comparison(table, outcome, statistic) for statistic in self.statistics(table, outcome)]
        ranks = {statistic: place for place, statistic in enumerate(order, 2)}
        return tuple(
            sorted(found, key=lambda one: 0 if one.measure.statistic == first else ranks.get(one.measure.statistic, 1))
        )

    def headline(self, table: str, outcome: str) -> Comparison:
        """The measure that is drawn: the primary threshold, else a change, a mean or a share."""
        statistics = self.statistics(table, outcome)
        item = self.item_of(outcome)[0]
        thresholds = item.thresholds if item else ()
        wanted = [threshold.name for threshold in thresholds if threshold.primary]
        wanted += [threshold.name for threshold in thresholds if threshold.needs_baseline]
        wanted += ["mean_change", "mean", "share", *statistics]
        return self.comparison(table, outcome, next(name for name in wanted if name in statistics))

    def charted(self, table: str) -> tuple[Comparison, ...]:
        """One comparison for each primary outcome of a table."""
        outcomes = [name for name in self.outcomes(table) if name in self.instrument.items]
        items = self.instrument.items
        if self._any_primary:
            chosen = [name for name in outcomes if items[name].primary]
        else:
            chosen = [name for name in outcomes if items[name].kind is Kind.SCALE][:CHARTS_WITHOUT_PRIMARY]
        return tuple(self.headline(table, outcome) for outcome in chosen)

    def options(self, table: str) -> tuple[Comparison, ...]:
        """Shares of the answers to closed questions: what a table without scales is about."""
        found = (self.comparison(table, outcome, "share") for outcome in self.outcomes(table))
        return tuple(comparison for comparison in found if comparison.everybody or comparison.levels)

    @property
    def primary(self) -> tuple[Comparison, ...]:
        """What 'In short' is about: the charted comparisons of the form's and the dose's tables."""
        exposures = (self.instrument.form, self.instrument.dose)
        return tuple(
            found for table in self.tables if self.exposure(table) in exposures for found in self.charted(table)
        )

    @property
    def answers_used(self) -> int | None:
        """The published number of answers the release was made of."""
        rows = self._rows.get((names.WHO_ANSWERED, names.RESPONDENTS, names.RESPONDENTS), {}).get("count", ())
        total = next((row for row in rows if row.level == names.ALL_LEVELS), None)
        return total.n_respondents if total and is_shown(total) else None

    @property
    def answered(self) -> dict[str, tuple[Row, ...]]:
        """Who answered: the share of each level, by exposure."""
        found = {
            exposure: statistics.get("share", ())
            for (table, exposure, outcome), statistics in self._rows.items()
            if table == names.WHO_ANSWERED and outcome == names.RESPONDENTS and exposure != names.RESPONDENTS
        }
        return {
            exposure: tuple(row for row in rows if row.level != names.ALL_LEVELS) for exposure, rows in found.items()
        }

    def thresholds(self) -> tuple[Measure, ...]:
        """The measures of the release that count people by a threshold."""
        used = dict.fromkeys((row.outcome, row.statistic) for row in self.release.rows)
        measures = (self.measure(outcome, statistic) for outcome, statistic in used)
        return tuple(measure for measure in measures if measure.threshold)

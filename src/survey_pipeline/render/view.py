"""What a release gives to show: its rows sorted into comparisons, with the instrument's words beside them.

What belongs here: choosing and ordering rows and tables, and looking up labels. What does not: sentences (`words`), drawing
(`charts`) and layout (`page`, `newsletter`). Nothing here computes a number that is shown.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from scipy.special import ndtri

from survey_pipeline import names
from survey_pipeline.instrument import Instrument, Item, Kind, Role
from survey_pipeline.language import say
from survey_pipeline.levels import is_ordered
from survey_pipeline.names import Status
from survey_pipeline.plain import clean
from survey_pipeline.release import PublishedLevel, Release, Row
from survey_pipeline.render.dose import Directions, directions_of
from survey_pipeline.render.measure import ANYWAY, Measure, item_name, label_of, measure_of
from survey_pipeline.render.phrases import inline

CHARTS_WITHOUT_PRIMARY = 5
"""How many scales of a table are drawn where the instrument calls none of its items primary."""
CLOSED_OUTCOMES = (Role.SAFETY, Role.OUTCOME)
"""Closed questions of these roles are drawn; others, such as what people do alongside, stand in tables."""
ABOUT_ANSWERING = (names.WHO_ANSWERED, names.ITEM_NONRESPONSE)
ORDER = (
    "mean_baseline",
    "mean",
    "mean_change",
    "median",
    "quartile_1",
    "quartile_3",
    "median_change",
    "standardised_change",
    "correlation_before_now",
    "baseline_zero",
    "person_weeks",
)
"""In a table's columns, after the shares of people who improved."""
NO_NUMBERS = (Status.SUPPRESSED, Status.NOT_ASKED)


def is_shown(row: Row | None) -> bool:
    """Whether a row has a number to show."""
    return row is not None and row.status not in NO_NUMBERS and row.estimate is not None


def per_cent_of(measure: Measure) -> int | None:
    """Of a share of people who improved by per cent, by how many at least."""
    declared = measure.threshold.percent if measure.threshold and measure.threshold.percent else None
    return measure.improved_by if declared is None else round(declared)


def _is_closed_outcome(measure: Measure) -> bool:
    """Whether it is an answer to a closed question about how people fare, such as a side effect."""
    return measure.item is not None and measure.item.role in CLOSED_OUTCOMES and measure.limit is None


def course_of(levels: Iterable[PublishedLevel], item: Item | None) -> str | None:
    """The level of those with whom an exposure's others are compared, if it stands alone."""
    return next((level.label for level in levels if item and level.members == (item.comparison,)), None)


def _is_no_answer(level: PublishedLevel) -> bool:
    """Whether a level holds only people who gave no answer, or whom the question does not concern."""
    return {*level.members} <= {names.NOT_STATED, names.NOT_APPLICABLE}


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
    bands: tuple[Row, ...] = ()
    """What might be expected anyway, of everybody and of each level, where the release has it."""
    course: str | None = None
    """The level whose course is what is expected of the others: it has no band of its own."""
    others: tuple["Comparison", ...] = ()
    """Of an improvement that speaks for its outcome: the outcome's other measures with a band, such as the average change."""
    directions: Directions | None = None
    """Of a dose that may be read in several ways: where the outcome goes with more of it, under each reading."""

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
        factor = widening(len(known))
        high = max(known, key=lambda row: widened(row, factor)[0])
        low = min(known, key=lambda row: widened(row, factor)[1])
        return (high, low) if widened(high, factor)[0] > widened(low, factor)[1] else None

    @property
    def depends_on_reading(self) -> bool:
        """Whether a dose's direction is not the same under every reading, or not known: then nothing is a finding."""
        return self.directions is not None and self.directions.agreed is None

    @property
    def apart(self) -> bool:
        """Whether some two levels may be said to differ."""
        return self.pair is not None and not self.depends_on_reading

    @property
    def trend(self) -> str | None:
        """Where the outcome goes with more of a dose, where that is a finding: "up" or "down"."""
        return self.directions.agreed if self.directions and self.directions.is_clear else None

    @property
    def is_uneven(self) -> bool:
        """Whether the numbers of an ordered exposure neither rise nor fall all the way."""
        values = [row.estimate or 0.0 for row in self.compared]
        return self.ordered and values not in (sorted(values), sorted(values, reverse=True))

    def band_of(self, row: Row) -> Row | None:
        """What might be expected anyway of the people of a row."""
        return next((band for band in self.bands if band.level == row.level != self.course), None)


def widening(groups: int) -> float:
    """How much wider a 95 % range gets when all pairs of so many groups are allowed for."""
    pairs = groups * (groups - 1) // 2
    return float(ndtri(1 - 0.05 / (2 * pairs)) / ndtri(0.975))


def widened(row: Row, factor: float) -> tuple[float, float]:
    """The range of a row, so many times as wide about its estimate."""
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

    @cached_property
    def tables(self) -> tuple[str, ...]:
        """Tables of outcomes: the form's first, then the dose's; who answered is told apart."""
        first = [self.instrument.form, self.instrument.dose]
        ranks = {exposure: rank for rank, exposure in enumerate(dict.fromkeys(first))}
        others = [table for table in self.release.tables if table not in ABOUT_ANSWERING]
        return tuple(
            sorted(others, key=lambda table: (not self._has_primary(table), ranks.get(self.exposure(table), 9)))
        )

    @cached_property
    def sections(self) -> tuple[str, ...]:
        """Tables that are a part of the page of their own, with charts: the primary outcomes by form and by dose, and of the
        tables of side effects and other closed outcomes the first that asks the same.
        """
        found: dict[str, frozenset[str]] = {}
        for table in self.tables:
            if self.charted(table):
                found[table] = frozenset()
            elif self._is_of_closed_outcomes(table) and frozenset(self.outcomes(table)) not in found.values():
                found[table] = frozenset(self.outcomes(table))
        return tuple(found)

    @property
    def lesser(self) -> tuple[str, ...]:
        """All other tables, in the order of the release."""
        return tuple(table for table in self.release.tables if table not in {*self.sections, *ABOUT_ANSWERING})

    def is_main(self, table: str) -> bool:
        """Whether a table is about the form or the dose; where no table is, all of them count as such."""
        return self.exposure(table) in self._main_exposures

    @cached_property
    def _main_exposures(self) -> frozenset[str]:
        asked, main = frozenset(self._exposures.values()), {self.instrument.form, self.instrument.dose}
        return asked & main or asked

    def _is_of_closed_outcomes(self, table: str) -> bool:
        """Whether a table shows answers such as side effects by form or dose."""
        found = self.options(table)
        return self.is_main(table) and any(_is_closed_outcome(one.measure) for one in found)

    def shows_counts(self, table: str) -> bool:
        """Whether a table shows how many people said so and nothing else."""
        return bool(self.counts(table))

    def _has_primary(self, table: str) -> bool:
        return any(item.primary for item in self._items(table)) or not self._any_primary

    @cached_property
    def _any_primary(self) -> bool:
        return any(item.primary for item in self.instrument.items.values())

    def exposure(self, table: str) -> str:
        return self._exposures.get(table, "")

    @cached_property
    def _exposures(self) -> dict[str, str]:
        return {table: exposure for table, exposure, _ in reversed(self._rows)}

    def outcomes(self, table: str) -> tuple[str, ...]:
        return self._outcomes.get(table, ())

    @cached_property
    def _outcomes(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, dict[str, None]] = {}
        for table, _, outcome in self._rows:
            found.setdefault(table, {})[outcome] = None
        return {table: tuple(outcomes) for table, outcomes in found.items()}

    def _items(self, table: str) -> Iterator[Item]:
        found = (self.instrument.items.get(self.item_name(outcome)) for outcome in self.outcomes(table))
        yield from (item for item in found if item)

    def item_name(self, outcome: str) -> str:
        """The item an outcome belongs to: itself, or the item whose option it is."""
        return item_name(outcome, self.instrument)

    def measure(self, outcome: str, statistic: str) -> Measure:
        return measure_of(outcome, statistic, self.instrument)

    def item_label(self, name: str) -> str:
        item = self.instrument.items.get(name)
        return clean(item.label if item else label_of(name))

    def exposure_label(self, exposure: str) -> str:
        """What people are told apart by: an item, two items, or nothing."""
        spec = next((spec for spec in self.instrument.tables if spec.cut_by == exposure and spec.by), None)
        if spec is None:
            return self.item_label(exposure)
        first, second = map(self.item_label, spec.factors)
        return say("{most} and {last}", most=first, last=inline(second))

    def title(self, table: str) -> str:
        spec = next((spec for spec in self.instrument.tables if spec.name == table), None)
        return clean(spec.title if spec else table.replace("_", " ").capitalize())

    def statistics(self, table: str, outcome: str) -> tuple[str, ...]:
        """The statistics a table has of an outcome, in the order of the release."""
        return tuple(self._rows.get((table, self.exposure(table), outcome), {}))

    def comparison(self, table: str, outcome: str, statistic: str) -> Comparison:
        exposure = self.exposure(table)
        by_statistic = self._rows.get((table, exposure, outcome), {})
        rows = by_statistic.get(statistic, ())
        item = self.instrument.items.get(exposure)
        everybody = next((row for row in rows if row.level == names.ALL_LEVELS), None)
        places = self._places(exposure)
        others = (row for row in rows if row is not everybody)
        levels = tuple(sorted(others, key=lambda row: places.get(row.level, len(places))))
        measure = self.measure(outcome, statistic)
        no_answer = frozenset(level.label for level in self.release.levels.get(exposure, ()) if _is_no_answer(level))
        return Comparison(
            table,
            exposure,
            measure,
            item is not None and is_ordered(item),
            everybody,
            levels,
            no_answer,
            by_statistic.get(f"{statistic}{ANYWAY}", ()),
            course_of(self.release.levels.get(exposure, ()), item),
            directions=self._directions(exposure, outcome),
        )

    def _directions(self, exposure: str, outcome: str) -> Directions | None:
        return directions_of(self.release, self.instrument, exposure, outcome)

    def _places(self, exposure: str) -> dict[str, int]:
        """Where each published level of an exposure stands."""
        return {level.label: place for place, level in enumerate(self.release.levels.get(exposure, ()))}

    def for_table(self, table: str, outcome: str) -> tuple[Comparison, ...]:
        """All statistics of an outcome but its responder curve: the drawn one, other shares, before, now and change.

        What might be expected anyway follows each of them.
        """
        first = self.headline(table, outcome).measure.statistic
        found = [self.comparison(table, outcome, statistic) for statistic in self.statistics(table, outcome)]
        ranks = {statistic: place for place, statistic in enumerate(ORDER, 2)}

        def rank(one: Comparison) -> tuple[int, bool]:
            return (0 if one.measure.base == first else ranks.get(one.measure.base, 1), one.measure.is_band)

        return tuple(sorted((one for one in found if one.measure.improved_by is None), key=rank))

    def headline(self, table: str, outcome: str) -> Comparison:
        """The measure that is drawn: the primary threshold, else a change, a mean or a share, and others that have bands."""
        statistics = self.statistics(table, outcome)
        item = self.instrument.items.get(self.item_name(outcome))
        thresholds = item.thresholds if item else ()
        wanted = [threshold.name for threshold in thresholds if threshold.primary]
        wanted += [threshold.name for threshold in thresholds if threshold.needs_baseline]
        wanted += ["mean_change", "mean", "share", "person_week_mean", *statistics]
        chosen = next(name for name in wanted if name in statistics)
        with_band = (name.removesuffix(ANYWAY) for name in statistics if name.endswith(ANYWAY))
        others = tuple(self.comparison(table, outcome, name) for name in with_band if name != chosen)
        return replace(self.comparison(table, outcome, chosen), others=others)

    def curve(self, table: str, outcome: str) -> tuple[Comparison, ...]:
        """The responder curve of an outcome: how many improved by at least so many per cent, from few to many."""
        found = [self.comparison(table, outcome, statistic) for statistic in self.statistics(table, outcome)]
        by_per_cent = {per_cent_of(one.measure): one for one in found if not one.measure.is_band}
        by_per_cent.pop(None, None)
        drawn = any(one.measure.improved_by is not None for one in by_per_cent.values())
        return tuple(by_per_cent[per_cent] for per_cent in sorted(filter(None, by_per_cent))) if drawn else ()

    def charted(self, table: str) -> tuple[Comparison, ...]:
        """One comparison for each primary outcome of a table by form or by dose."""
        if not self.is_main(table) or self.shows_counts(table):
            return ()
        outcomes = [name for name in self.outcomes(table) if name in self.instrument.items]
        items = self.instrument.items
        if self._any_primary:
            chosen = [name for name in outcomes if items[name].primary]
        else:
            chosen = [name for name in outcomes if items[name].kind is Kind.SCALE][:CHARTS_WITHOUT_PRIMARY]
        return tuple(self.headline(table, outcome) for outcome in chosen)

    def counts(self, table: str) -> tuple[Comparison, ...]:
        """How many people gave each answer, of tables that show nothing else."""
        return self._all(table, "count")

    def options(self, table: str) -> tuple[Comparison, ...]:
        """Shares of the answers to closed questions: what a table without scales is about."""
        return self._all(table, "share")

    def _all(self, table: str, statistic: str) -> tuple[Comparison, ...]:
        """One statistic of every outcome that has it."""
        having = (outcome for outcome in self.outcomes(table) if statistic in self.statistics(table, outcome))
        return tuple(self.comparison(table, outcome, statistic) for outcome in having)

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
        return tuple(measure for measure in measures if measure.threshold and not measure.is_band)

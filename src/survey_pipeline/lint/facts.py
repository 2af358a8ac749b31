"""Facts: which released numbers a claim may mean.

What belongs here: finding the rows of a release by what a sentence is about, and setting a claim beside them. What does not:
sentences, and what is said when a claim is wrong.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from survey_pipeline import names
from survey_pipeline.lint.claims import Claim, Kind, Part
from survey_pipeline.names import Status
from survey_pipeline.release import Row
from survey_pipeline.render.measure import Measure
from survey_pipeline.render.phrases import whole_100
from survey_pipeline.render.view import View, is_shown

_WHOLE_NUMBERS = frozenset({"count", "person_weeks", "baseline_zero", "correlation_before_now"})
_RANGES = (Part.LOW, Part.HIGH)


@dataclass(frozen=True)
class About:
    """What a claim is about, as far as its sentence tells. Empty: not told.

    `levels`: published labels with their exposures; `unknown`: groups named that the release does not show by themselves;
    `outcomes`; `per_cent`, `points`: by how much people improved at least; `text`: the sentence, for a threshold's words.
    """

    levels: tuple[tuple[str, str], ...] = ()
    unknown: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()
    per_cent: tuple[float, ...] = ()
    points: tuple[float, ...] = ()
    text: str = ""
    is_negated: bool = False
    is_anyway: bool = False
    is_left_out: bool = False


@dataclass(frozen=True)
class Facts:
    """The rows of one release, to be asked."""

    view: View

    @cached_property
    def _measured(self) -> tuple[tuple[Row, Measure], ...]:
        known: dict[tuple[str, str], Measure] = {}
        for row in self.view.release.rows:
            known.setdefault((row.outcome, row.statistic), self.view.measure(row.outcome, row.statistic))
        return tuple((row, known[row.outcome, row.statistic]) for row in self.view.release.rows)

    @cached_property
    def _by_level(self) -> dict[str, tuple[tuple[Row, Measure], ...]]:
        found: dict[str, list[tuple[Row, Measure]]] = {}
        for row, measure in self._measured:
            found.setdefault(row.level, []).append((row, measure))
        return {level: tuple(rows) for level, rows in found.items()}

    @cached_property
    def counts(self) -> frozenset[int]:
        """Numbers of people that stand for all answers: how many answered, and how many were left after each stage."""
        stages = (stage.n for stage in self.view.release.stages)
        return frozenset(n for n in (self.view.answers_used, *stages) if n is not None)

    def rows(self, about: About) -> list[tuple[Row, Measure]]:
        """Every row, shown or hidden, of what a claim is about; of everybody where no level is named."""
        levels = about.levels or (("", names.ALL_LEVELS),)
        found = [pair for exposure, label in levels for pair in self._of_level(exposure, label)]
        if not about.outcomes:
            return [pair for pair in found if pair[0].table != names.ITEM_NONRESPONSE or about.is_left_out]
        wanted = {*about.outcomes}
        return [pair for pair in found if self._is_of(pair[0], wanted)]

    def _of_level(self, exposure: str, label: str) -> Iterator[tuple[Row, Measure]]:
        for row, measure in self._by_level.get(label, ()):
            if not exposure or row.exposure.partition("__")[0] == exposure:
                yield row, measure

    def _is_of(self, row: Row, outcomes: set[str]) -> bool:
        """Whether a row is of an outcome, its diary or a limit of it."""
        return row.outcome in outcomes or any(
            row.outcome == f"diary_{outcome}" or row.outcome.startswith(f"{outcome}__above") for outcome in outcomes
        )

    # --- Which statistic -------------------------------------------------------------------------------------------------

    def meant(self, claim: Claim, about: About) -> list[tuple[Row, Measure]]:
        """The rows that a claim may mean, going by its kind and by how the sentence defines improvement."""
        rows = self.rows(about)
        if claim.kind in (Kind.SHARE, Kind.EVENTS):
            shares = [pair for pair in rows if pair[1].is_share and (about.is_anyway or not pair[1].is_band)]
            found = self._as_defined(shares, about)
            return found + (self._values(rows, about) if claim.is_scale else [])
        if claim.kind is Kind.PEOPLE:
            return rows
        if claim.kind is Kind.POINTS:
            return [pair for pair in rows if pair[1].is_change and (about.is_anyway or not pair[1].is_band)] or [
                pair for pair in rows if not pair[1].is_share
            ]
        return self._values(rows, about) + (self._as_defined(rows, about) if claim.part in _RANGES else [])

    def _values(self, rows: Iterable[tuple[Row, Measure]], about: About) -> list[tuple[Row, Measure]]:
        return [pair for pair in rows if not pair[1].is_share and (about.is_anyway or not pair[1].is_band)]

    def _as_defined(self, rows: Sequence[tuple[Row, Measure]], about: About) -> list[tuple[Row, Measure]]:
        """Shares by the definition that the sentence gives; without one, by the primary one."""
        shares = [pair for pair in rows if pair[1].is_share and pair[1].base != "baseline_zero"]
        named = [pair for pair in shares if _names_its_threshold(pair[1], about.text)]
        if named:
            return named
        defined = [pair for pair in shares if _is_defined(pair[1], about)]
        if about.per_cent or about.points:
            return defined or [pair for pair in shares if pair[1].base == "share"]
        primary = [pair for pair in shares if pair[1].threshold and pair[1].threshold.primary]
        others = [pair for pair in shares if pair[1].improved_by is None and pair[1].threshold is None]
        return (primary or [pair for pair in shares if pair[1].threshold]) + others

    def thresholds(self, about: About) -> tuple[set[float], set[float]]:
        """By how many per cent, and by how many points at least, people count as improved: of some outcomes, or of any."""
        wanted = {*about.outcomes}
        found = [one for row, one in self._measured if not wanted or row.outcome in wanted]
        per_cent = {one.threshold.percent for one in found if one.threshold and one.threshold.percent}
        per_cent |= {float(one.improved_by) for one in found if one.improved_by}
        return per_cent, {one.threshold.points for one in found if one.threshold and one.threshold.points}

    # --- Setting beside --------------------------------------------------------------------------------------------------

    def matching(self, claim: Claim, about: About, rows: Iterable[tuple[Row, Measure]]) -> list[tuple[Row, Measure]]:
        """The shown rows whose number is the one claimed."""
        return [(row, one) for row, one in rows if is_shown(row) and self._says(claim, about, row, one)]

    def _says(self, claim: Claim, about: About, row: Row, measure: Measure) -> bool:
        if claim.kind is Kind.PEOPLE:
            return claim.part is Part.POINT and any(claim.fits(n) for n in people_of(row, measure, about))
        if claim.kind is Kind.EVENTS and row.n_respondents != claim.whole:
            return False
        return any(claim.fits(number) for number in _numbers(claim, row, measure, about))

    def hidden(self, claim: Claim, about: About) -> bool:
        """Whether all that a claim may mean is hidden."""
        found = self.meant(claim, about)
        return bool(found) and all(row.status is Status.SUPPRESSED for row, _ in found)

    def elsewhere(self, claim: Claim, about: About) -> Row | None:
        """A row of another level that has the number claimed."""
        levels = [(row.exposure, row.level) for row in self.view.release.rows if row.level != names.ALL_LEVELS]
        others = tuple(dict.fromkeys(one for one in levels if one not in about.levels and names.CROSSED not in one[0]))
        if not others or not about.outcomes:
            return None
        wide = replace(about, levels=others)
        found = self.matching(claim, wide, self.meant(claim, wide))
        return found[0][0] if found else None


def people_of(row: Row, measure: Measure, about: About) -> Iterator[float]:
    """The numbers of people that a row publishes."""
    if row.n_respondents is not None:
        yield row.n_respondents
    if measure.base == "count" and row.estimate is not None:
        yield row.estimate
    if about.is_left_out and row.n_missing is not None:
        yield row.n_missing


def _numbers(claim: Claim, row: Row, measure: Measure, about: About) -> Iterator[float]:
    """The numbers of a row that a claim may be, in the claim's units."""
    ends = [end for end in (row.ci_lower, row.ci_upper) if end is not None]
    found = ends if claim.part in _RANGES else [row.estimate or 0.0]
    if measure.base in _WHOLE_NUMBERS and claim.kind is not Kind.SHARE and claim.part is Part.POINT:
        found = [row.estimate or 0.0]
    for number in found:
        if measure.is_share:
            yield from _of_share(number, claim, about)
        elif claim.kind is Kind.SHARE and claim.is_scale:
            yield number / claim.base
        else:
            yield abs(number) if measure.is_change else number


def _of_share(share: float, claim: Claim, about: About) -> Iterator[float]:
    """A share, of 100 where the claim has no unit, and those who did not where that is said."""
    whole = 100.0 if claim.kind is Kind.VALUE else 1.0
    yield share * whole
    if about.is_negated:
        yield (1 - share) * whole
        yield (1 - whole_100(share) / 100) * whole  # as the reports say it: 100 less the number beside it


def _is_defined(measure: Measure, about: About) -> bool:
    threshold = measure.threshold
    if measure.improved_by is not None:
        return measure.improved_by in about.per_cent
    return threshold is not None and (threshold.percent in about.per_cent or threshold.points in about.points)


def _names_its_threshold(measure: Measure, text: str) -> bool:
    """Whether a sentence says the threshold's own words, such as "much improved"."""
    if not measure.threshold or measure.needs_two_answers:
        return False
    label = measure.threshold.label.casefold().partition("(")[0].strip()
    return bool(label) and label in text.casefold()

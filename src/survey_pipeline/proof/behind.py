"""Behind: the true counts behind the rows of a release, of which the small ones must not be told.

What belongs here: which counts stand behind a row, or between two, by the name that the system gives them, with the truth.
What does not: whether they can be told (`attack`). Only the steward's own machine ever holds the truth.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from survey_pipeline import names
from survey_pipeline.names import ALL_LEVELS, N_EVENTS, N_MISSING, N_RESPONDENTS, NOT_STATED
from survey_pipeline.proof.knowledge import Counts, aside_of, asked_of, events_in, events_of
from survey_pipeline.proof.nested import EVENTS, Side, nested
from survey_pipeline.proof.numbers import missing_of
from survey_pipeline.proof.told import (
    ANSWERED,
    BEFORE,
    COULD_IMPROVE,
    COUNT,
    EVERYONE,
    MISSING,
    PEOPLE,
    Cases,
    Line,
    Place,
    Suffix,
    Terms,
    Told,
)
from survey_pipeline.release import Policy

if TYPE_CHECKING:
    from survey_pipeline.proof.attack import Target

UNKNOWN = -1
"""Stands for the truth where it is not known."""
Exact = Mapping[str, object]
"""A row of the exact estimates, columns as `estimate.ESTIMATES_SCHEMA`."""


@dataclass(frozen=True)
class Behind:
    """A count behind a row: what is counted (`kind`), by which unknowns, and how many it truly is."""

    about: tuple[str, str, str, str]
    kind: str
    terms: Terms
    truth: int


def counts_behind(told: Told, exact: Sequence[Exact], counts: Counts) -> list[Behind]:
    """All counts behind the rows of a release, each once; `exact` holds the true rows in the release's order."""
    found: dict[tuple[object, ...], Behind] = {}
    for line, row in zip(told.lines, exact, strict=True):
        places = counts.parts.places(line, told)
        for kind, what, truth in _counted(line, row):
            terms = counts.terms(places, what)
            found.setdefault(tuple(terms), Behind(line.about, kind, terms, truth))
    sizes = {
        (line.row.exposure, line.row.level): _number(row, "n_level")
        for line, row in zip(told.lines, exact, strict=True)
    }
    silent = {
        line.about: _number(row, N_EVENTS) for line, row in zip(told.lines, exact, strict=True) if _is_silent(line)
    }
    merged = [replace(each, truth=sizes[each.level] - silent[each.about]) for each in _beside_the_silent(told, counts)]
    return [*found.values(), *merged, *_truly_between(told, exact, counts)]


@dataclass(frozen=True)
class _Merged(Behind):
    """Those who gave an answer, in a level that holds those who gave none, too."""

    level: tuple[str, str] = ("", "")


def _is_silent(line: Line) -> bool:
    """Whether a row tells how many of everybody left a question out."""
    return line.outcome is not None and line.outcome.left_out and line.row.level == ALL_LEVELS


def _beside_the_silent(told: Told, counts: Counts) -> Iterator[_Merged]:
    """Where those who left a question out were merged with an answer, their number without these tells the rest."""
    published = {line.row.exposure: line for line in told.lines if not line.is_presence}
    for line in (each for each in told.lines if _is_silent(each) and each.outcome):
        item = line.outcome.item if line.outcome else ""
        for level in told.release.levels.get(item, ()) if item in published else ():
            if NOT_STATED in level.members and len(level.members) > 1:
                places = counts.parts.of_level(told, item, level.label)
                terms = counts.terms(places, PEOPLE) | counts.terms([EVERYONE], (item, MISSING), -1.0)
                yield _Merged(line.about, "people", terms, UNKNOWN, (item, level.label))


def _counted(line: Line, row: Exact) -> Iterator[tuple[str, Suffix, int]]:
    n, n_level = _number(row, N_RESPONDENTS), _number(row, "n_level")
    yield "people", PEOPLE, n_level
    if line.is_presence:
        return
    yield "respondents", asked_of(line), n
    if line.is_share:
        events, others = events_of(line)
        yield "events", events, _number(row, N_EVENTS)
        yield "others", others, n - _number(row, N_EVENTS)
    if line.outcome is not None:
        yield from _gaps(line, row, n_level - n)


def _gaps(line: Line, row: Exact, rest: int) -> Iterator[tuple[str, Suffix, int]]:
    """Those in the level who are not in the denominator: missing, at 0 before, not concerned."""
    assert line.outcome is not None
    at_nothing, n_missing = _number(row, names.N_ASIDE), _number(row, N_MISSING)
    if not line.outcome.left_out:
        yield "missing", missing_of(line), n_missing
    if line.among == COULD_IMPROVE:
        yield "began at nothing", events_in(line.outcome, "baseline_zero")[0], at_nothing
    if line.condition is not None:
        yield "not concerned", aside_of(line.condition), rest - at_nothing - (0 if line.outcome.left_out else n_missing)


def _number(row: Exact, name: str) -> int:
    value = row[name]
    assert isinstance(value, int)
    return value


# --- Between two counts -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Side:
    """A row that tells a share of some people, and which side of it is meant."""

    line: Line
    side: Side

    def true(self, row: Exact) -> int:
        events = _number(row, N_EVENTS)
        return events if self.side.counted == EVENTS else _number(row, N_RESPONDENTS) - events

    @property
    def told(self) -> float:
        """How many people are on it, by what a shown row says."""
        n, told = self.line.row.n_respondents or 0, self.line.row.estimate or 0.0
        events = told if self.line.row.statistic == COUNT else told * n
        return events if self.side.counted == EVENTS else n - events


@dataclass(frozen=True)
class _Between(Behind):
    """Those whom one share counts and a narrower one of the same people does not. No row is about them, but two tell of them:
    where 30 improved by 30 % and 20 by 50 %, 6 to 14 did by something between.
    """

    more: _Side
    fewer: _Side

    def may_be_few(self, policy: Policy) -> bool:
        """Whether both rows are shown and leave open that few are between; each side may be rounded by the base."""
        most = policy.min_n + 2 * policy.rounding_base
        return self.more.line.is_shown and self.fewer.line.is_shown and self.more.told - self.fewer.told < most


def _between(told: Told, counts: Counts) -> Iterator[_Between]:
    """Each two shares of the same people of which one counts some of those whom the other one counts."""
    lines = {line.about: line for line in told.lines if line.is_share and line.outcome and not line.is_presence}
    for line in lines.values():
        for more, fewer in _nested(told, line):
            wide = lines.get((*line.about[:2], more.outcome, more.statistic))
            if wide:
                yield _lies_between(_Side(wide, more), _Side(line, fewer), counts, counts.parts.places(line, told))


def _nested(told: Told, line: Line) -> Iterator[tuple[Side, Side]]:
    """The counts of which those in a row are a part, each with the side of the row that is."""
    outcome = line.outcome
    if outcome is not None and outcome.item in told.instrument.items:
        pairs = nested(outcome, told.instrument.items[outcome.item])
        yield from (pair for pair in pairs if pair[1].statistic == line.statistic)


def _lies_between(more: _Side, fewer: _Side, counts: Counts, places: Sequence[Place]) -> _Between:
    terms = counts.terms(places, more.side.suffix) | counts.terms(places, fewer.side.suffix, -1.0)
    return _Between(
        more.line.about,
        f"{more.side.counted} but not {fewer.side.counted} of {fewer.side.words}",
        terms,
        UNKNOWN,
        more,
        fewer,
    )


def _truly_between(told: Told, exact: Sequence[Exact], counts: Counts) -> Iterator[Behind]:
    """The same, with how many they are."""
    rows = {line.about: row for line, row in zip(told.lines, exact, strict=True)}
    for each in _between(told, counts):
        more, fewer = (one.true(rows[one.line.about]) for one in (each.more, each.fewer))
        yield replace(each, truth=more - fewer)


# --- What is few -------------------------------------------------------------------------------------------------------


def cases_of(told: Told, exact: Sequence[Exact]) -> Cases:
    """Whether those are few who stand beside each estimate and are told nowhere."""
    found: dict[tuple[str, str, str, str], bool] = {}
    for line, row in zip(told.lines, exact, strict=True):
        if line.outcome is not None and not line.is_presence:
            found |= {(*line.about[:3], name): few for name, few in _cases(line, row, told.policy)}
    return found


def _cases(line: Line, row: Exact, policy: Policy) -> Iterator[tuple[str, bool]]:
    gaps = dict(_gaps_by_kind(line, row))
    aside = gaps.get("not concerned", 0)
    few_aside = aside if aside < policy.min_n else 0
    yield "aside", aside < policy.min_n
    if line.among == COULD_IMPROVE:
        yield "at nothing", gaps["began at nothing"] < policy.min_n
    for among, name in ((BEFORE, names.N_MISSING_BEFORE), (ANSWERED, names.N_MISSING_NOW)):
        if row.get(name) is not None:
            yield among, _number(row, name) + few_aside < policy.min_n


def _gaps_by_kind(line: Line, row: Exact) -> Iterator[tuple[str, int]]:
    rest = _number(row, "n_level") - _number(row, N_RESPONDENTS)
    yield from ((kind, n) for kind, _, n in _gaps(line, row, rest))


def small(behind: Sequence[Behind], policy: Policy) -> list[Behind]:
    """Those from 1 to min_n - 1, which must not be told."""
    return [each for each in behind if 0 < each.truth < policy.min_n]


def target(behind: Behind, policy: Policy) -> "Target":
    """What a count must seem to be able to be: what its mark says, 1 to min_n - 1; or so many values of these around it."""
    from survey_pipeline.proof.attack import Target  # the solver is loaded where it is needed

    if policy.protection == "mark":
        return mark(behind, policy)
    least = max(1, min(behind.truth - (policy.protection - 1) // 2, policy.min_n - policy.protection))
    return Target(behind.terms, least, least + policy.protection - 1)


def mark(behind: Behind, policy: Policy) -> "Target":
    """What the mark of a hidden count says: 1 to min_n - 1."""
    from survey_pipeline.proof.attack import Target

    return Target(behind.terms, 1, policy.min_n - 1)


# --- Without the truth ------------------------------------------------------------------------------------------------


def hidden_counts(told: Told, counts: Counts) -> list[Behind]:
    """The counts that a release hides, each once, as anybody sees who reads it: those of hidden rows, and the people of shown
    rows of whom only is told that they are few.
    """
    found: dict[tuple[object, ...], Behind] = {}
    for line in told.lines:
        places = counts.parts.places(line, told)
        for kind, what in _gap_told(line) if line.is_shown else _row_hidden(line):
            terms = counts.terms(places, what)
            found.setdefault(tuple(terms), Behind(line.about, kind, terms, UNKNOWN))
    between = (each for each in _between(told, counts) if each.may_be_few(told.policy))
    return [*found.values(), *_beside_the_silent(told, counts), *between]


def _row_hidden(line: Line) -> Iterator[tuple[str, Suffix]]:
    if line.is_presence:
        yield "people", PEOPLE
    elif line.is_share:
        events, others = events_of(line)
        yield from (("events", events), ("others", others))
    else:
        yield "respondents", asked_of(line)


def _gap_told(line: Line) -> Iterator[tuple[str, Suffix]]:
    if line.outcome is not None and not line.is_presence and not line.outcome.left_out and line.row.n_missing is None:
        yield "missing", missing_of(line)

"""Figures: the statistics that each outcome has, for one level.

What belongs here: which statistics are made of an outcome and who is in each denominator. What does not: formulas
(`statistics`), and tables and levels (`rows`).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from survey_pipeline import statistics
from survey_pipeline.estimate.cells import Cells, Flags
from survey_pipeline.instrument import Threshold
from survey_pipeline.outcomes import Outcome, reached, thresholds_of
from survey_pipeline.statistics import Estimated, Numbers

ANSWERED, ANSWERED_BEFORE, ANSWERED_BOTH = "answered", "answered_before", "answered_both"
COULD_IMPROVE, CONCERNED, EVERYBODY = "could_improve", "concerned", "everybody"
"""Who is in a denominator."""
QUARTILES = (("quartile_1", 0.25), ("quartile_3", 0.75))


@dataclass(frozen=True)
class Figure:
    """One statistic of one level: the estimate, its denominator and, for a share, the count of events."""

    statistic: str
    estimated: Estimated
    n: int
    n_events: int | None = None
    n_aside: int = 0
    """People with an answer to whom the statistic does not apply: neither in the denominator nor missing."""
    among: str = ANSWERED
    n_alike: int | None = None
    n_effective: float | None = None
    """Kish's effective number of the people in the denominator, in surveys with weights."""
    skewness: float | None = None
    """Of a mean: how skewed the values are, as a skewed few make its interval unsound."""


def figures(outcome: Outcome, people: Cells) -> Iterator[Figure]:
    """Every statistic that an outcome has, for one level.

    With weights, estimates are weighted and `n` stays the number of people; the standardised change and the correlation of
    before and now are not given, since their intervals are not known for weighted people.
    """
    if outcome.is_share:
        yield _yes_or_no("share", outcome, people)
        return
    yield from _once(outcome, people)
    if outcome.baseline:
        yield from _before_and_after(outcome, people)


def counts(outcome: Outcome, people: Cells) -> Iterator[Figure]:
    """Of an outcome of which only counts are shown: how many said so, of those who answered."""
    if outcome.is_share:
        found = _yes_or_no("count", outcome, people)
        yield replace(found, estimated=Estimated(float(found.n_events or 0)))


def presence(people: Cells, everybody: Cells) -> Iterator[Figure]:
    """Who answered: the share of everybody who is in this level."""
    if not people.is_weighted:
        found = statistics.share(people.n_people, everybody.n_people)
        yield Figure("share", found, everybody.n_people, people.n_people, among=EVERYBODY)
        return
    mine, all_ = (each.weighed(np.full(len(each.n), True)) for each in (people, everybody))
    rest = statistics.Weighed(all_.n - mine.n, all_.weights - mine.weights, all_.squared_weights - mine.squared_weights)
    found = statistics.weighted_share(mine, rest, everybody.n_design)
    effective = statistics.kish_effective_n(all_)
    yield Figure("share", found, all_.n, mine.n, among=EVERYBODY, n_effective=effective)


def _yes_or_no(statistic: str, outcome: Outcome, people: Cells) -> Figure:
    among = CONCERNED if outcome.left_out else ANSWERED
    return _event_share(statistic, people, people.after == 1, ~np.isnan(people.after), among)


def _once(outcome: Outcome, people: Cells) -> Iterator[Figure]:
    yield _number("mean", _mean, people, people.after)
    yield _number("median", _quantile(0.5), people, people.after)
    for name, p in QUARTILES:
        yield _number(name, _quantile(p), people, people.after)
    for threshold in outcome.thresholds:
        if not threshold.needs_baseline:
            yield _responders(threshold, outcome, people)


def _before_and_after(outcome: Outcome, people: Cells) -> Iterator[Figure]:
    change = people.after - people.before
    yield _number("mean_baseline", _mean, people, people.before, ANSWERED_BEFORE)
    yield _number("mean_change", _mean, people, change, ANSWERED_BOTH)
    yield _number("median_change", _quantile(0.5), people, change, ANSWERED_BOTH)
    if not people.is_weighted:
        yield _number("standardised_change", _standardised, people, change, ANSWERED_BOTH)
        yield _correlation(people)
    yield _event_share("baseline_zero", people, people.before == 0, ~np.isnan(change), ANSWERED_BOTH)
    for threshold in thresholds_of(outcome):
        if threshold.needs_baseline:
            yield _responders(threshold, outcome, people)


Formula = Callable[[Cells, Numbers], Estimated]


def _mean(people: Cells, values: Numbers) -> Estimated:
    if people.is_weighted:
        return statistics.weighted_mean(people.weighted_sample(values), people.n_design)
    return statistics.mean(*people.counted(values))


def _quantile(p: float) -> Formula:
    return partial(_quantile_at, p)


def _quantile_at(p: float, people: Cells, values: Numbers) -> Estimated:
    if people.is_weighted:
        return statistics.weighted_quantile(people.weighted_sample(values), p, people.n_design)
    return statistics.quantile(*people.counted(values), p)


def _standardised(people: Cells, values: Numbers) -> Estimated:
    return statistics.standardised_change(*people.counted(values))


def _correlation(people: Cells) -> Figure:
    """How closely answers before and now go together, of people with both. It is as telling as any of both and their
    difference, so the one in which most people are alike decides whether it may be shown.
    """
    both = people.where(~np.isnan(people.after - people.before))
    samples = [both.sample(values) for values in (both.after - both.before, both.before, both.after)]
    return Figure(
        "correlation_before_now",
        statistics.correlation(both.before, both.after, both.n),
        both.n_people,
        among=ANSWERED_BOTH,
        n_alike=max(int(sample.counts.max(initial=0)) for sample in samples),
    )


def _number(statistic: str, formula: Formula, people: Cells, values: Numbers, among: str = ANSWERED) -> Figure:
    sample, effective = people.sample(values), _effective(people, ~np.isnan(values))
    return Figure(
        statistic,
        formula(people, values),
        sample.n,
        among=among,
        n_alike=int(sample.counts.max(initial=0)),
        n_effective=effective,
        skewness=sample.skewness if formula is _mean else None,
    )


def _effective(people: Cells, chosen: Flags) -> float | None:
    return statistics.kish_effective_n(people.weighed(chosen)) if people.is_weighted else None


def _event_share(
    statistic: str, people: Cells, event: Flags, asked: Flags, among: str = ANSWERED, n_aside: int = 0
) -> Figure:
    n, n_events = int(people.n[asked].sum()), int(people.n[asked & event].sum())
    if people.is_weighted:
        yes, no = people.weighed(asked & event), people.weighed(asked & ~event)
        found = statistics.weighted_share(yes, no, people.n_design)
    else:
        found = statistics.share(n_events, n)
    return Figure(statistic, found, n, n_events, n_aside, among, n_effective=_effective(people, asked))


def _responders(threshold: Threshold, outcome: Outcome, people: Cells) -> Figure:
    """Responders among people with the answers it takes. By per cent, people who start at 0 are set aside."""
    event, possible = reached(threshold, outcome, people.before, people.after)
    if not threshold.needs_baseline:
        return _event_share(threshold.name, people, event, possible)
    if threshold.points is not None:
        return _event_share(threshold.name, people, event, possible, ANSWERED_BOTH)
    both = ~np.isnan(people.after - people.before)
    aside = int(people.n[both & ~possible].sum())
    return _event_share(threshold.name, people, event, possible, COULD_IMPROVE, aside)

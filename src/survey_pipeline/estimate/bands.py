"""Bands: what people with these baselines would report anyway, beside what they did report.

What belongs here: whose answers stand for the ordinary course, and the band's rows. What does not: the method
(`statistics.anyway`).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from survey_pipeline.estimate.cells import Cells
from survey_pipeline.estimate.figures import ANSWERED_BOTH, COULD_IMPROVE, Figure
from survey_pipeline.instrument import Threshold
from survey_pipeline.outcomes import Outcome
from survey_pipeline.statistics import Counts, Estimated, Numbers
from survey_pipeline.statistics.anyway import Band, Usual, expected_change, expected_share

ANYWAY = "_anyway"


@dataclass(frozen=True)
class UsualLevel:
    """The ordinary course of people who took none: of which exposure and level they are, and their answers before and now."""

    exposure: str
    label: str
    usual: Usual


def bands(outcome: Outcome, people: Cells, level: UsualLevel | None) -> Iterator[Figure]:
    """The expected mean change, and the expected share of responders of each primary threshold, with their bands.

    None where the instrument declares no range of retest correlations, where nobody shows the ordinary course, and for
    weighted people, for whom the method is not worked out. The interval is the band: no standard error.
    """
    if level is None or outcome.retest is None or outcome.baseline is None or people.is_weighted:
        return
    before, counts, n_alike = _before(people)
    retest = outcome.retest.lowest, outcome.retest.highest
    found = expected_change(before, counts, level.usual, *retest)
    yield _figure("mean_change", found, int(counts.sum()), ANSWERED_BOTH, n_alike)
    for threshold in outcome.thresholds:
        if threshold.primary and threshold.needs_baseline:
            yield _responders(threshold, outcome, before, counts, level.usual)


def _before(people: Cells) -> tuple[Numbers, Counts, int]:
    """The baselines of people with both answers, and how many of them changed alike."""
    both = ~np.isnan(people.after - people.before)
    before, counts = people.counted(np.where(both, people.before, np.nan))
    _, alike = people.counted(people.after - people.before)
    return before, counts, int(alike.max(initial=0))


def _responders(threshold: Threshold, outcome: Outcome, before: Numbers, counts: Counts, usual: Usual) -> Figure:
    assert outcome.retest is not None
    found = expected_share(
        before,
        counts,
        usual,
        outcome.retest.lowest,
        outcome.retest.highest,
        grid=outcome.grid.start + outcome.grid.step * np.arange(outcome.grid.size, dtype=np.float64),
        better=outcome.better or "higher",
        percent=threshold.percent,
        points=threshold.points,
    )
    n, aside = int(counts.sum()), 0 if threshold.percent is None else int(counts[before <= 0].sum())
    among = ANSWERED_BOTH if threshold.percent is None else COULD_IMPROVE
    return _figure(threshold.name, found, n - aside, among, 0, aside)


def _figure(statistic: str, band: Band | None, n: int, among: str, n_alike: int, n_aside: int = 0) -> Figure:
    estimated = Estimated(band.estimate, None, band.lower, band.upper) if band else Estimated()
    return Figure(statistic + ANYWAY, estimated, n, n_aside=n_aside, among=among, n_alike=n_alike)

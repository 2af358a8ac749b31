"""How often a form is said to be beyond the band, in communities whose truth is known.

What belongs here: judging each form and outcome of a community by its rows, as the report does, and counting. What does not:
inventing communities, and printing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl

from simulate.communities import FORMS, HIGHEST, OUTCOMES, Community, Numbers, Plan, community
from survey_pipeline import names, statistics
from survey_pipeline.count import tally
from survey_pipeline.estimate import ANYWAY, estimate
from survey_pipeline.instrument import Instrument, load_instrument
from survey_pipeline.statistics import Estimated, anyway
from survey_pipeline.statistics.anyway import Band, is_beyond

SURVEY = Path(__file__).parents[1] / "instruments" / "simulated.toml"
GRID = np.arange(HIGHEST + 1.0)
FEWEST = 10
"""Forms of fewer people are not shown, and nothing is said of them."""
SIZES = ((10, 29), (30, 99), (100, 299), (300, 3000))
"""Size classes of forms, people with both answers, both ends included."""
CHANGE, RESPONDERS = "mean_change", "responder_30"
RESPONDER_PERCENT = 30.0
NUMBERS = (names.ESTIMATE, names.STANDARD_ERROR, names.CI_LOWER, names.CI_UPPER)
Rows = dict[tuple[str, str, str], dict[str, float]]
"""The rows of the table by form: label of the form, outcome, statistic."""


@dataclass(frozen=True)
class Judged:
    """What would be said of one form and outcome: `beyond` by the mean change, `share_beyond` by responders."""

    form: str
    outcome: str
    n: int
    has_band: bool
    beyond: bool
    share_beyond: bool


@cache
def survey() -> Instrument:
    """The survey of the invented communities."""
    return load_instrument(SURVEY)


@cache
def survey_by_form() -> Instrument:
    """The same with its table by form alone, which is all that is judged."""
    return survey().model_copy(
        update={"tables": tuple(spec for spec in survey().tables if spec.exposure == survey().form)}
    )


def judge(people: Community) -> list[Judged]:
    """Every form and outcome of a community that would be shown."""
    labels = {option.code: option.label for option in survey().items["form"].options}
    rows = _rows(people)
    judged = [_judged(rows, form, labels[form], outcome) for form in FORMS for outcome in OUTCOMES]
    return [one for one in judged if one.n >= FEWEST]


def _rows(people: Community) -> Rows:
    found = estimate(tally(people.frame(), survey_by_form()), survey_by_form())
    wanted = [statistic + end for statistic in (CHANGE, RESPONDERS) for end in ("", ANYWAY)]
    rows = found.filter(pl.col(names.STATISTIC).is_in(wanted))
    return {(row[names.LEVEL], row[names.OUTCOME], row[names.STATISTIC]): row for row in rows.iter_rows(named=True)}


def _judged(rows: Rows, form: str, label: str, outcome: str) -> Judged:
    better = survey().items[outcome].better or "lower"
    change, share = rows[label, outcome, CHANGE], rows[label, outcome, RESPONDERS]
    band, share_band = (_band(rows, label, outcome, statistic) for statistic in (CHANGE, RESPONDERS))
    return Judged(
        form,
        outcome,
        int(change[names.N_RESPONDENTS]),
        band is not None,
        is_beyond(Estimated(*(change[name] for name in NUMBERS)), band, better),
        is_beyond(Estimated(*(share[name] for name in NUMBERS)), share_band, "higher"),
    )


def _band(rows: Rows, label: str, outcome: str, statistic: str) -> Band | None:
    row = rows.get((label, outcome, statistic + ANYWAY))
    if row is None or row[names.ESTIMATE] is None:
        return None
    return Band(row[names.ESTIMATE], row[names.CI_LOWER], row[names.CI_UPPER])


def responders(before: Numbers, now: Numbers, better: str) -> statistics.Estimated:
    """The share of people who improved by at least 30 per cent of where they began."""
    improvement = (now - before if better == "higher" else before - now)[before > 0]
    reached = improvement >= RESPONDER_PERCENT / 100 * before[before > 0] - anyway.TOLERANCE
    return statistics.share(int(reached.sum()), len(reached))


def counted(values: Numbers) -> tuple[Numbers, statistics.Counts]:
    """Different values, ascending, and how many gave them."""
    different, counts = np.unique(values, return_counts=True)
    return different, counts.astype(np.int64)


def paired(before: Numbers, now: Numbers) -> tuple[Numbers, Numbers, statistics.Counts]:
    """Different pairs of answers, and how many gave them."""
    (different_before, different_now), counts = np.unique(np.vstack([before, now]), axis=1, return_counts=True)
    return different_before, different_now, counts.astype(np.int64)


def judge_one(task: tuple[Plan, tuple[int, ...]]) -> list[Judged]:
    """Invent a community and judge its forms; a task for a worker."""
    return judge(community(*task))


def by_form(judged: Iterable[Judged]) -> list[bool]:
    """For each form of a community, whether anything at all is worded beyond the band."""
    beyond: dict[str, bool] = {}
    for one in judged:
        beyond[one.form] = beyond.get(one.form, False) or one.beyond
    return list(beyond.values())

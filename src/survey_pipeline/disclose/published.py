"""Rounding and marking what stays.

What belongs here: a row as it is published, its rounded numbers and its status. Percentages and their intervals are made from
rounded counts. What does not: whether it is published. The public status never tells what was hidden for its own sake from
what was hidden to protect another.
"""

from math import sqrt

from survey_pipeline import names, statistics
from survey_pipeline.disclose.rows import COUNT, Row, count_of, is_band, is_share, tells_missing, told_gap, told_people
from survey_pipeline.names import N_EVENTS, N_MISSING, N_RESPONDENTS, Status
from survey_pipeline.policy import round_count
from survey_pipeline.release import Policy
from survey_pipeline.statistics import Estimated, Reliability, reliability_of_mean, reliability_of_share

decimals_for = statistics.decimals_for
WORDS = (names.TABLE, names.EXPOSURE, names.LEVEL, names.OUTCOME, names.STATISTIC)
"""What a row is about."""
TWO_DECIMALS = 2
"""Of numbers without a unit, and of what share would be expected anyway."""
SHARE_DECIMALS = 4
WEIGHTED_SHARE_DECIMALS = 2
"""A weighted share is not made of counts: whole per cents do not tell whose weight is in it."""
MEANS = ("mean", "mean_baseline", "mean_change", "person_week_mean")
"""Statistics whose interval is Student's t by their error and their number of people."""
STANDARDISED, CORRELATION, PERSON_WEEKS = "standardised_change", "correlation_before_now", "person_weeks"
"""Numbers without a unit, and a count of weeks."""


def published(row: Row, hide: bool, policy: Policy) -> Row:
    """The row as it may be published; with `hide`, without any number."""
    words = {name: row[name] for name in WORDS}
    if hide:
        return {**words, **dict.fromkeys(names.NUMBERS), names.STATUS: _mark(row)}
    n = round_count(told_people(row, policy), policy)
    estimated = _rounded(row, n, policy)
    numbers = {
        names.ESTIMATE: estimated.estimate,
        names.STANDARD_ERROR: estimated.standard_error,
        names.CI_LOWER: estimated.ci_lower,
        names.CI_UPPER: estimated.ci_upper,
        N_RESPONDENTS: n,
        N_MISSING: shown_count(told_gap(row, policy) if tells_missing(row) else count_of(row, N_MISSING), policy),
    }
    return {**words, **numbers, names.STATUS: _status(row, estimated, n)}


def _mark(row: Row) -> Status:
    return Status.NOT_ASKED if row["not_asked"] else Status.SUPPRESSED


def shown_count(count: int, policy: Policy) -> int | None:
    """A count of people that stands beside an estimate: rounded, or empty where it is under min_n (0 included, since
    telling 0 from a small number would narrow the small one).
    """
    return round_count(count, policy) if count >= policy.min_n else None


def _rounded(row: Row, n: int, policy: Policy) -> Estimated:
    if row[names.STATISTIC] == COUNT:
        return Estimated(float(min(round_count(count_of(row, N_EVENTS), policy), n) if is_share(row) else n))
    if is_share(row):
        return _rounded_share(row, n, policy)
    if row[names.STATISTIC] == PERSON_WEEKS:
        weeks = _number_or_none(row[names.ESTIMATE])
        return Estimated(None if weeks is None else float(round_count(round(weeks), policy)))
    return _rounded_number(row, n)


def _rounded_share(row: Row, n: int, policy: Policy) -> Estimated:
    """Everything about a share comes from its rounded counts, so that no digit tells more than they do."""
    if row["n_effective"] is not None:
        return _to_decimals(_exact(row), WEIGHTED_SHARE_DECIMALS)
    found = statistics.share(min(round_count(count_of(row, N_EVENTS), policy), n), n)
    return _to_decimals(found, SHARE_DECIMALS)


def _exact(row: Row) -> Estimated:
    return Estimated(*(row[name] for name in names.NUMBERS[:4]))  # type: ignore[arg-type]


def _rounded_number(row: Row, n: int) -> Estimated:
    """The interval of a mean is that of its rounded n: from the exact one, divided by the error, n could be told. Where
    people were picked in clusters, it would tell how many clusters there were, and not n.
    """
    found = _exact(row)
    if row[names.STATISTIC] == CORRELATION:
        return statistics.in_short(_correlation_of(found, n), TWO_DECIMALS)
    if row["by_design"]:
        return statistics.in_short(found, decimals_for(n))
    if row[names.STATISTIC] == STANDARDISED:
        return statistics.in_short(_as_of(found, sqrt(count_of(row, N_RESPONDENTS) / n)), TWO_DECIMALS)
    if row[names.STATISTIC] in MEANS and found.estimate is not None and found.standard_error is not None:
        found = statistics.mean_of(found.estimate, found.standard_error, n)
    return statistics.in_short(found, TWO_DECIMALS if _is_band_of_share(row) else decimals_for(n))


def _is_band_of_share(row: Row) -> bool:
    """Whether a row says what share would be expected anyway; a change expected anyway is as exact as the change."""
    return is_band(row) and not str(row[names.STATISTIC]).startswith("mean_change")


def _as_of(found: Estimated, widened: float) -> Estimated:
    """The error and interval that another number of people would give: both go with 1 / sqrt(n)."""
    if None in (found.estimate, found.standard_error, found.ci_lower, found.ci_upper):
        return Estimated(found.estimate)
    centre, error = found.estimate or 0.0, found.standard_error or 0.0
    lower, upper = (centre + ((end or 0.0) - centre) * widened for end in (found.ci_lower, found.ci_upper))
    return Estimated(centre, error * widened, lower, upper)


def _correlation_of(found: Estimated, n: int) -> Estimated:
    """Fisher's interval of a correlation is that of the rounded n; one without an interval stays without."""
    if found.estimate is None or found.ci_lower is None:
        return Estimated(found.estimate)
    return statistics.correlation_of(found.estimate, n)


def _to_decimals(found: Estimated, decimals: int) -> Estimated:
    def short(value: float | None) -> float | None:
        return None if value is None else round(value, decimals) + 0.0

    return Estimated(short(found.estimate), short(found.standard_error), short(found.ci_lower), short(found.ci_upper))


def _status(row: Row, found: Estimated, n: int) -> Status:
    if is_unreliable(row, found, n):
        return Status.UNRELIABLE
    return Status.MERGED if row["merged"] else Status.OK


def _number_or_none(value: object) -> float | None:
    return None if value is None else float(str(value))


def is_unreliable(row: Row, found: Estimated, n: int) -> bool:
    """Whether what is shown rests on too little, judged by the published numbers and how skewed the answers are: see
    `statistics.reliability`.

    A count of people or of weeks is what it is, however few others answered.
    """
    effective = _number_or_none(row["n_effective"])
    if (is_share(row) and row[names.STATISTIC] == COUNT) or row[names.STATISTIC] == PERSON_WEEKS:
        return False
    if is_share(row):
        return reliability_of_share(found.estimate, n, effective) is Reliability.UNRELIABLE
    span = row["span"] if row[names.STATISTIC] in MEANS else None
    judged = reliability_of_mean(
        found, n, effective, span=_number_or_none(span), skewness=_number_or_none(row["skewness"])
    )
    return judged is Reliability.UNRELIABLE

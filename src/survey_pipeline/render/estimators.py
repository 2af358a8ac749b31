"""Estimators: the name of the method behind each published number, for the column `method` of the files.

What belongs here: one short name for each statistic, comparison and test, in the words of `docs/methods.md`, by whether the
survey has weights and a design. What does not: formulas (`statistics`), and sentences for the page (`methods`).
"""

from typing import Final

from survey_pipeline.instrument import Instrument
from survey_pipeline.render.measure import PERSON_WEEKS, measure_of

METHOD: Final = "method"
"""The last column of every file of a table."""
BAND: Final = "expected anyway; band over declared retest correlations"
SHARE: Final = "share; Wilson interval"
_MEAN, _QUARTILE = "mean; Student's t interval", "type 2 quartile; order-statistic interval"
PLAIN: Final = {
    "mean": _MEAN,
    "mean_baseline": _MEAN,
    "mean_change": _MEAN,
    "median": "median; order-statistic interval",
    "median_change": "median; order-statistic interval",
    "quartile_1": _QUARTILE,
    "quartile_3": _QUARTILE,
}
"""Where everybody counts alike and was picked alone."""
LINEARISED_SHARE: Final = "share; Korn-Graubard interval"
_LINEARISED_MEAN: Final = "mean; Student's t interval with Taylor's standard error"
LINEARISED: Final = {
    "mean": _LINEARISED_MEAN,
    "mean_baseline": _LINEARISED_MEAN,
    "mean_change": _LINEARISED_MEAN,
    "median": "median; Woodruff interval",
    "median_change": "median; Woodruff interval",
    "quartile_1": "quartile; Woodruff interval",
    "quartile_3": "quartile; Woodruff interval",
}
"""With weights, strata or clusters."""
STANDARDISED: Final = {
    "standardised_change": ("standardised change (d_z)", "noncentral t interval"),
    "correlation_before_now": ("Pearson's correlation", "Fisher's z interval"),
}
"""Not given with weights; without an interval where people were picked by strata or clusters."""
ALWAYS: Final = {
    "count": "count of people; no interval",
    PERSON_WEEKS: "count of person-weeks; no interval",
    "person_week_mean": "mean over person-weeks; Student's t interval with Taylor's standard error clustered by person",
}
"""Neither weights nor a design change these."""
HEDGES_G: Final = "Hedges g; noncentral t interval"
WELCH_ANOVA: Final = "welch_anova"
TESTS: Final = {
    "kruskal_wallis": "Kruskal-Wallis with ties",
    WELCH_ANOVA: "Welch analysis of variance",
    "jonckheere_terpstra": "Jonckheere-Terpstra with ties",
    "cochran_armitage": "Cochran-Armitage",
    "worst_case_direction": "direction in the worst case of the readings of a dose; no test",
}
DIARY_KEPT: Final = "diary_kept"
"""The outcome of how many keep a diary: never weighted, like all of diaries."""


def estimator(outcome: str, statistic: str, instrument: Instrument) -> str:
    """The method of a published statistic, such as "share; Wilson interval". Thresholds and options are shares."""
    measure = measure_of(outcome, statistic, instrument)
    if measure.is_band:
        return BAND
    if statistic in ALWAYS:
        return ALWAYS[statistic]
    if statistic in STANDARDISED:
        name, interval = STANDARDISED[statistic]
        return f"{name}; {'no interval' if design(instrument) else interval}"
    if outcome == DIARY_KEPT or not is_linearised(instrument):
        return SHARE if measure.is_share else PLAIN.get(statistic, "")
    found = LINEARISED_SHARE if measure.is_share else LINEARISED.get(statistic, "")
    return f"{_weighted(instrument)}{found}{_by(instrument)}" if found else ""


def comparison(statistic: str, instrument: Instrument) -> str:
    """The method of a comparison of two groups."""
    if statistic == "hedges_g":
        return HEDGES_G
    is_mean = statistic.startswith("difference_mean")
    if instrument.weighting is None and not is_mean:
        return "difference of shares; Newcombe interval and chi-squared"
    how = "no interval, since groups share the design" if design(instrument) else "Welch"
    return f"difference of {_weighted(instrument)}{'means' if is_mean else 'shares'}; {how}"


def test(statistic: str, instrument: Instrument) -> str:
    """The method of a test over all groups."""
    of = " of weighted means" if statistic == WELCH_ANOVA and instrument.is_weighted else ""
    return f"{TESTS.get(statistic, '')}{of}"


def is_linearised(instrument: Instrument) -> bool:
    """Whether intervals allow for weights, strata or clusters."""
    return instrument.is_weighted or bool(design(instrument))


def design(instrument: Instrument) -> str:
    """By what people were picked, as far as it is asked: "strata and clusters", one of them, or nothing."""
    weighting = instrument.weighting
    declared = {"strata": weighting.strata, "clusters": weighting.clusters} if weighting else {}
    return " and ".join(word for word, item in declared.items() if item is not None and item in instrument.asked)


def _weighted(instrument: Instrument) -> str:
    return "weighted " if instrument.is_weighted else ""


def _by(instrument: Instrument) -> str:
    by = design(instrument)
    return f" by {by}" if by else ""

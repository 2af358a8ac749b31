"""Statistics of counted values: each a small function of values and how often they occur, or of summaries of them.

What belongs here: formulas, each with its source, by topic. What does not: tables, levels, and what may be published.
Intervals are two-sided, 95 per cent; p-values are two-sided. Where functions take `values` and `counts`, these are of equal
length, counts above 0, values ascending. What is not defined is None: small or constant data are never an error.
"""

from survey_pipeline.statistics.counted import Counts, Numbers, Sample, sample_of, without_noise
from survey_pipeline.statistics.differences import difference_of_means, difference_of_shares
from survey_pipeline.statistics.digits import decimals_for, in_short, significant
from survey_pipeline.statistics.effects import hedges_g, standardised_change
from survey_pipeline.statistics.groups import chi_squared, kruskal_wallis, welch_anova
from survey_pipeline.statistics.means import clustered_mean, correlation, correlation_of, mean, mean_of
from survey_pipeline.statistics.multiplicity import benjamini_hochberg, family_size, holm
from survey_pipeline.statistics.quantiles import median, median_interval_rank, quantile, quantile_interval_ranks
from survey_pipeline.statistics.reliability import Reliability, reliability_of_mean, reliability_of_share
from survey_pipeline.statistics.results import CONFIDENCE, DOWN, FLAT, UP, Compared, Estimated, Tested, Z
from survey_pipeline.statistics.shares import beta_interval, share
from survey_pipeline.statistics.trends import (
    WorstCase,
    cochran_armitage,
    isotonic,
    jonckheere_terpstra,
    monotone_direction,
    worst_case_direction,
)
from survey_pipeline.statistics.weighted import (
    Weighed,
    WeightedSample,
    kish_design_effect,
    kish_effective_n,
    weighted_difference,
    weighted_mean,
    weighted_quantile,
    weighted_share,
)

__all__ = [
    "CONFIDENCE",
    "DOWN",
    "FLAT",
    "UP",
    "Compared",
    "Counts",
    "Estimated",
    "Numbers",
    "Reliability",
    "Sample",
    "Tested",
    "Weighed",
    "WeightedSample",
    "WorstCase",
    "Z",
    "benjamini_hochberg",
    "beta_interval",
    "chi_squared",
    "clustered_mean",
    "cochran_armitage",
    "correlation",
    "correlation_of",
    "decimals_for",
    "difference_of_means",
    "difference_of_shares",
    "family_size",
    "hedges_g",
    "holm",
    "in_short",
    "isotonic",
    "jonckheere_terpstra",
    "kish_design_effect",
    "kish_effective_n",
    "kruskal_wallis",
    "mean",
    "mean_of",
    "median",
    "median_interval_rank",
    "monotone_direction",
    "quantile",
    "quantile_interval_ranks",
    "reliability_of_mean",
    "reliability_of_share",
    "sample_of",
    "share",
    "significant",
    "standardised_change",
    "weighted_difference",
    "weighted_mean",
    "weighted_quantile",
    "weighted_share",
    "welch_anova",
    "without_noise",
    "worst_case_direction",
]

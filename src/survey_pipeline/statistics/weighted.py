"""Statistics of weighted people, from sums of weights and of squared weights by value.

What belongs here: Hajek's estimators with Taylor's standard errors for weights alone (each person a cluster, no strata), as
R's survey package gives them for `svydesign(ids = ~1, weights = ~w)`. What does not: strata, clusters, and how weights are
made.
"""

from dataclasses import dataclass
from math import log, sqrt
from typing import Literal

import numpy as np
from scipy.special import expit

from survey_pipeline.statistics.counted import Counts, Numbers, total, weighted_centre
from survey_pipeline.statistics.means import mean_of
from survey_pipeline.statistics.results import Compared, Estimated, are_numbers, p_of_t, t_quantile
from survey_pipeline.statistics.shares import beta_interval

Interval = Literal["beta", "logit", "mean"]
"""How a weighted share gets its interval: Korn and Graubard's, on the logit scale, or plainly by Student's t."""


@dataclass(frozen=True)
class Weighed:
    """People who count differently: how many, the sum of their weights, and the sum of their squared weights."""

    n: int = 0
    weights: float = 0.0
    squared_weights: float = 0.0

    def __add__(self, other: "Weighed") -> "Weighed":
        return Weighed(self.n + other.n, self.weights + other.weights, self.squared_weights + other.squared_weights)


@dataclass(frozen=True, eq=False)
class WeightedSample:
    """A group of people's numbers: different values ascending, and of the people with each value how many they are, the
    sum of their weights and the sum of their squared weights. Weights are above 0.
    """

    values: Numbers
    counts: Counts
    weights: Numbers
    squared_weights: Numbers

    def everybody(self) -> Weighed:
        return Weighed(int(self.counts.sum()), total(self.weights), total(self.squared_weights))

    def up_to(self, value: float) -> tuple[Weighed, Weighed]:
        """Those who gave at most this value, and the others."""
        there = self.values <= value
        return self._part(there), self._part(~there)

    def _part(self, there: np.ndarray) -> Weighed:
        return Weighed(int(self.counts[there].sum()), total(self.weights[there]), total(self.squared_weights[there]))


def kish_effective_n(people: Weighed) -> float | None:
    """How many people of equal weight tell as much: (sum of w)^2 / sum of w^2 (Kish 1965, section 11.7)."""
    return people.weights**2 / people.squared_weights if people.squared_weights > 0 else None


def kish_design_effect(people: Weighed) -> float | None:
    """How much the unequal weights widen the variance: n divided by Kish's effective n."""
    effective = kish_effective_n(people)
    return people.n / effective if effective else None


def weighted_mean(sample: WeightedSample, n_design: int | None = None) -> Estimated:
    """Hajek's mean, sum of w x / sum of w, with Taylor's standard error and Student's t, n - 1 degrees of freedom.

    As svymean and confint(df = degf). `n_design` is the number of people in the whole weighted sample where this group is
    part of it (a domain, as svyby); without it the group is the sample.
    """
    people = sample.everybody()
    if people.weights <= 0:
        return Estimated()
    centre = weighted_centre(sample.values, sample.weights)
    if people.n < 2:
        return Estimated(centre)
    return mean_of(centre, sqrt(_linearised(sample, centre) * _inflation(n_design or people.n)), people.n)


def _linearised(sample: WeightedSample, centre: float) -> float:
    """The sum of the squared influences of the people on the mean."""
    return total(sample.squared_weights * (sample.values - centre) ** 2) / total(sample.weights) ** 2


def _inflation(n: int) -> float:
    return n / (n - 1)


def weighted_share(
    events: Weighed, others: Weighed, n_design: int | None = None, interval: Interval = "beta"
) -> Estimated:
    """Hajek's share of those with the event, with Taylor's standard error and an interval as R's svyciprop makes it.

    "beta" (default): Korn and Graubard (1998), the exact interval at the effective n p (1 - p) / se^2. "logit": Student's t
    on the logit scale (svyciprop's "xlogit", and its "logit" to the accuracy of a fitted model). "mean": Student's t.
    All with n - 1 degrees of freedom. Where nobody or everybody has the event the standard error is 0 and tells nothing:
    the exact interval at Kish's effective n is given, whichever was asked for (R gives none).
    """
    people = events + others
    if people.weights <= 0:
        return Estimated()
    p = events.weights / people.weights if events.n and others.n else float(events.n > 0)
    if people.n < 2:
        return Estimated(p)
    if not 0 < p < 1:
        return Estimated(p, 0.0, *beta_interval(p, kish_effective_n(people) or people.n))
    influences = (1 - p) ** 2 * events.squared_weights + p**2 * others.squared_weights
    error = sqrt(influences * _inflation(n_design or people.n)) / people.weights
    return Estimated(p, error, *_interval(p, error, people.n, interval)) if error else Estimated(p)


def _interval(p: float, error: float, n: int, interval: Interval) -> tuple[float, float]:
    if interval == "beta":
        return beta_interval(p, effective_n_of_share(p, error))
    if interval == "logit":
        centre, reach = log(p / (1 - p)), t_quantile(n - 1) * error / (p * (1 - p))
        return float(expit(centre - reach)), float(expit(centre + reach))
    reach = t_quantile(n - 1) * error
    return p - reach, p + reach


def effective_n_of_share(p: float, error: float) -> float:
    """How many people, drawn simply, would give the share p (between 0 and 1) this standard error."""
    return p * (1 - p) / (error * error)


def weighted_quantile(
    sample: WeightedSample, p: float, n_design: int | None = None, interval: Interval = "beta"
) -> Estimated:
    """The smallest value at or below which at least p of the weight lies (rule "math" of R's svyquantile; Hyndman and Fan's
    type 1), with Woodruff's interval (1952): the quantiles at the ends of the interval of the share at or below it.

    The standard error is the interval's width divided by twice Student's t, as svyquantile gives it.
    """
    people = sample.everybody()
    if people.weights <= 0:
        return Estimated()
    found = _smallest_reaching(sample, p)
    below = weighted_share(*sample.up_to(found), n_design, interval)
    if below.ci_lower is None or below.ci_upper is None:
        return Estimated(found)
    lower, upper = _smallest_reaching(sample, below.ci_lower), _smallest_reaching(sample, below.ci_upper)
    return Estimated(found, (upper - lower) / (2 * t_quantile(people.n - 1)), lower, upper)


def _smallest_reaching(sample: WeightedSample, p: float) -> float:
    reached = np.cumsum(sample.weights)
    place = int(np.searchsorted(reached, reached[-1] * p * (1 - 1e-12)))
    return float(sample.values[min(place, sample.values.size - 1)])


def weighted_difference(first: WeightedSample, second: WeightedSample, n_design: int | None = None) -> Compared:
    """The difference of two groups' weighted means as R's svyttest gives it: Taylor's standard error of both together,
    Student's t with n - 2 degrees of freedom, n being the people in both groups.
    """
    one, two = weighted_mean(first), weighted_mean(second)
    if one.estimate is None or two.estimate is None:
        return Compared()
    difference, n = one.estimate - two.estimate, int(first.counts.sum() + second.counts.sum())
    if one.standard_error is None or two.standard_error is None:
        return Compared(difference)
    spread = _linearised(first, one.estimate) + _linearised(second, two.estimate)
    error = sqrt(spread * _inflation(n_design or n))
    if error == 0 or not are_numbers(difference / error):
        return Compared(difference, error)
    reach = t_quantile(n - 2) * error
    p = p_of_t(difference / error, n - 2)
    return Compared(difference, error, difference - reach, difference + reach, n - 2, p)

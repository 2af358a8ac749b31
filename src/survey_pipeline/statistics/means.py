"""Means and what goes with two numbers of the same people.

What belongs here: the mean of people, the mean over occasions of the same people, and a correlation. What does not:
differences between groups (`differences`), weights (`weighted`).
"""

from math import atanh, sqrt, tanh

import numpy as np

from survey_pipeline.statistics.counted import Counts, Numbers, Sample, total
from survey_pipeline.statistics.results import Estimated, Z, t_quantile


def mean(values: Numbers, counts: Counts) -> Estimated:
    """Arithmetic mean with Student's t interval, n - 1 degrees of freedom (R's t.test)."""
    sample = Sample(values, counts)
    if sample.mean is None or sample.sd is None:
        return Estimated(sample.mean)
    return mean_of(sample.mean, sample.sd / sqrt(sample.n), sample.n)


def mean_of(centre: float, error: float, n: int) -> Estimated:
    """A mean with this standard error, and Student's t interval for n people (n - 1 degrees of freedom, n at least 2)."""
    reach = t_quantile(n - 1) * error
    return Estimated(centre, error, centre - reach, centre + reach)


def clustered_mean(sums: Numbers, sizes: Counts) -> Estimated:
    """The mean over all occasions of m people who gave several answers each: the ratio of two sums over people.

    `sums` holds each person's sum of answers, `sizes` how many answers those were (above 0). Taylor's standard error with
    m / (m - 1) and Student's t with m - 1 degrees of freedom, as R's svymean of a design with persons as clusters
    (Lumley 2010, Complex Surveys): a person's answers may be as alike as they are.
    """
    n_people, n_answers = int(sizes.size), int(sizes.sum())
    if n_answers == 0:
        return Estimated()
    centre = total(sums) / n_answers
    if n_people == 1:
        return Estimated(centre)
    spread = total((sums - centre * sizes) ** 2) * n_people / (n_people - 1)
    return mean_of(centre, sqrt(spread) / n_answers, n_people)


def correlation(first: Numbers, second: Numbers, counts: Counts) -> Estimated:
    """Pearson's correlation of two numbers of the same people, such as baseline and follow-up, with Fisher's z interval.

    The three arrays have one element for each pair of values. None where either number is constant.
    """
    one, two = Sample(first, counts), Sample(second, counts)
    if not one.variance or not two.variance:
        return Estimated()
    products = (first - (one.mean or 0)) * (second - (two.mean or 0)) * counts
    r = float(np.clip(total(products) / (one.n - 1) / sqrt(one.variance) / sqrt(two.variance), -1, 1))
    return correlation_of(r, one.n)


def correlation_of(r: float, n: int) -> Estimated:
    """A correlation with Fisher's z interval for n people; none for fewer than four, or where all lie on one line (R's
    cor.test).
    """
    if n < 4 or abs(r) == 1:
        return Estimated(r)
    reach = Z / sqrt(n - 3)
    return Estimated(r, None, tanh(atanh(r) - reach), tanh(atanh(r) + reach))

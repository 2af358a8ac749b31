"""What tests of statistics share: counted data of every shape, and the rows that were counted.

What belongs here: making data. What does not: expectations.
"""

from collections.abc import Sequence
from dataclasses import astuple

import numpy as np
from hypothesis import strategies as st

from survey_pipeline.statistics import Estimated, Numbers, Sample, Tested, sample_of

numbers = st.sampled_from([0.0, 0.1, 0.7, 1.0, 2.0, 3.0, 5.0, 7.5, 10.0])
some = st.lists(numbers, min_size=1, max_size=40)
"""One group of people, from one on; often with ties, sometimes constant."""
any_number = st.lists(numbers, max_size=25)
"""A group that may be empty."""
groups_of_people = st.lists(any_number, min_size=1, max_size=6)
"""Several groups, or one, or none with anybody in it."""


def samples(groups: Sequence[Sequence[float]]) -> list[Sample]:
    return [sample_of(group) for group in groups]


def filled(groups: Sequence[Sequence[float]]) -> list[Numbers]:
    """The rows of the groups that have any."""
    return [np.array(group) for group in groups if group]


def is_sound(found: Estimated | Tested) -> bool:
    """Nothing but None, words and finite numbers; a p-value is a probability."""
    parts = [part for part in astuple(found) if part is not None and not isinstance(part, str)]
    p = getattr(found, "p_value", None)
    return all(isinstance(part, float | int) and np.isfinite(part) for part in parts) and (p is None or 0 <= p <= 1)

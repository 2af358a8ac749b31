"""How often a family of tests finds something where there is nothing, after Holm.

What belongs here: the primary family of an invented community, made as for a release. What does not: the tests themselves.
"""

from functools import cache

import polars as pl

from simulate.bands import survey
from simulate.communities import Community, Plan, community
from survey_pipeline.count import tally
from survey_pipeline.estimate import estimate, lines
from survey_pipeline.estimate.families import FAMILY, P_ADJUSTED, PRIMARY
from survey_pipeline.instrument import Instrument

LEVEL = 0.05


@cache
def survey_without_bands() -> Instrument:
    """The survey without what its tests do not need."""
    bare = {name: item.model_copy(update={"retest": None, "thresholds": ()}) for name, item in survey().items.items()}
    return survey().model_copy(update={"items": bare})


def family(people: Community) -> pl.DataFrame:
    """A community's primary tests (columns as `LINES_SCHEMA`): changes by form, and along the dose, of each outcome."""
    asked = survey_without_bands()
    counted = tally(people.frame(), asked)
    tests = lines.tested_lines(counted, estimate(counted, asked), asked, {})
    return tests.filter(pl.col(FAMILY) == PRIMARY)


def finds_something(task: tuple[Plan, tuple[int, ...]]) -> bool:
    """Whether any adjusted p-value of an invented community is at most 5 per cent; a task for a worker."""
    adjusted = family(community(*task))[P_ADJUSTED]
    return bool((adjusted <= LEVEL).any())

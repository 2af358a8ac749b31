"""Estimate: the tally becomes exact estimates with their uncertainty, still unpublished.

What belongs here: which statistics each outcome has and who is in each denominator (`figures`, `bands`), one tidy row for
each (`rows`), comparisons of two levels (`comparisons`), and tests over all levels of an exposure (`lines`). What does not:
the formulas (`statistics`), and whether a row may be shown (`disclose`).
"""

from survey_pipeline.estimate.bands import ANYWAY
from survey_pipeline.estimate.cells import Cells, cells_of
from survey_pipeline.estimate.comparisons import COMPARISONS_SCHEMA, compare, published_comparisons
from survey_pipeline.estimate.families import LADDER, on_ladder
from survey_pipeline.estimate.figures import COULD_IMPROVE, Figure, figures
from survey_pipeline.estimate.lines import TESTS_SCHEMA, dose_finding_holds, published_tests, tested_lines
from survey_pipeline.estimate.rows import ESTIMATES_SCHEMA, Levels, estimate

__all__ = [
    "ANYWAY",
    "COMPARISONS_SCHEMA",
    "COULD_IMPROVE",
    "ESTIMATES_SCHEMA",
    "LADDER",
    "TESTS_SCHEMA",
    "Cells",
    "Figure",
    "Levels",
    "cells_of",
    "compare",
    "dose_finding_holds",
    "estimate",
    "figures",
    "on_ladder",
    "published_comparisons",
    "published_tests",
    "tested_lines",
]

"""Survey exports go in; only numbers that are true, honest about their uncertainty and safe to publish come out.

What is listed here is public; the rest is ours to change.
"""

from survey_pipeline.coarsen import coarsen
from survey_pipeline.count import tally
from survey_pipeline.disclose import disclose
from survey_pipeline.errors import UserError
from survey_pipeline.estimate import estimate
from survey_pipeline.exports import Export, read_export
from survey_pipeline.instrument import Instrument, load_instrument
from survey_pipeline.pipeline import run_wave
from survey_pipeline.policy import load_policy
from survey_pipeline.release import Policy, Release
from survey_pipeline.request import RunRequest

__all__ = [
    "Export",
    "Instrument",
    "Policy",
    "Release",
    "RunRequest",
    "UserError",
    "coarsen",
    "disclose",
    "estimate",
    "load_instrument",
    "load_policy",
    "read_export",
    "run_wave",
    "tally",
]

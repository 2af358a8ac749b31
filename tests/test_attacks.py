"""Each attack that must fail, and the defence that makes it fail: without the defence the attack finds something.

What an attack does is in `attacks`; here is on which answers it would work. Each is tried with all defences on, when it must
find nothing, and without those that stop it, when it must find something. Where several stop the same attack, any of them
alone must do.
"""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl
import pytest
from attacks import by_hand, in_files
from attacks.by_hand import Found, Paper
from attacks.switches import Switch
from attacks.worlds import SCALE, Group, asked, bands, released, released_twice, table, yes_of
from builders import item, options, scale
from club import MARKER, ROOT, call, contents, row, rows, write

from survey_pipeline import names
from survey_pipeline.release import Policy, Release
from survey_pipeline.render import render
from survey_pipeline.statistics import Estimated
from survey_pipeline.statistics import share as exact_share
from survey_pipeline.storage import Warehouse

# --- Defences -----------------------------------------------------------------------------------------------------------

DISCLOSE, PUBLISHED = "survey_pipeline.disclose", "survey_pipeline.disclose.published"


def nothing(_: object) -> Callable[..., None]:
    return lambda *_: None


PROOF = Switch(
    "the proof",
    "survey_pipeline.assemble",
    "proved",
    lambda _: lambda make, exact, told, earlier=(): make(set()),
)
TOGETHER = Switch(
    "the proof together with earlier releases",
    "survey_pipeline.assemble",
    "proved",
    lambda real: lambda make, exact, told, earlier=(): real(make, exact, told),
)
PROTECT = Switch("hiding more beside what is small", DISCLOSE, "protect", nothing)
SHIELDS = Switch(
    "hiding a level that shields a small one",
    "survey_pipeline.disclose.levels",
    "levels_to_hide",
    lambda _: lambda everybody, sizes, gone, policy: gone | {one for one, n in sizes.items() if n < policy.min_n},
)
LINKS = Switch("knowing how questions hang together", "survey_pipeline.disclose.links", "Links.sums", lambda _: lambda *_: [])
GAPS = Switch(
    "hiding who left a question out with their level", "survey_pipeline.disclose.levels", "_hide_their_gaps", nothing
)

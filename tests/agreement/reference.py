"""The reference figures and the rows that they were computed from.

What belongs here: reading them. What does not: computing anything from them.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

REFERENCE = Path(__file__).parents[3] / "shared/reference"
"""Outside the project: whoever has no such folder can neither make the table nor check it."""
ARE_AT_HAND = (REFERENCE / "base_reference.json").exists()


@cache
def figures(name: str) -> Any:
    """The reference figures in this file, as JSON."""
    return json.loads((REFERENCE / f"{name}.json").read_text(encoding="utf-8"))


@cache
def rows(name: str) -> pl.DataFrame:
    """The rows of this file; an empty field is null."""
    return pl.read_csv(REFERENCE / f"{name}.csv", infer_schema_length=None)

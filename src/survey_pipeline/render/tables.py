"""Files for programs: each table as CSV, and the release as JSON.

What belongs here: writing published rows so that every program reads them alike. What does not: words and layout.
"""

import re
from json import dumps

import polars as pl

from survey_pipeline import names
from survey_pipeline.release import Release

_FORMULA = re.compile(
    r"^\s*[=+\-@\t\r\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}\N{FULLWIDTH HYPHEN-MINUS}\N{FULLWIDTH COMMERCIAL AT}]"
)
_WORDS = (*names.TIDY_COLUMNS[:7], names.PROVENANCE)


def csv(release: Release, table: str) -> bytes:
    """A table as CSV: tidy columns and `provenance`, nothing where there is no number."""
    frame = release.frame(table).with_columns(pl.lit(release.provenance).alias(names.PROVENANCE))
    safe = [pl.Series(name, [harmless(text) for text in frame[name]], dtype=pl.String) for name in _WORDS]
    return frame.with_columns(safe).write_csv(line_terminator="\n", null_value="").encode()


def harmless(text: str) -> str:
    """A label that a spreadsheet will not take for a formula: an apostrophe goes before it."""
    line = " ".join(text.split())
    return f"'{line}" if _FORMULA.match(text) else line


def json(release: Release) -> bytes:
    """The whole release, keys in the order of its model."""
    return (dumps(release.model_dump(mode="json"), ensure_ascii=False, indent=1) + "\n").encode()

"""Typed files: workbooks, Parquet, SPSS, Stata and SAS files, whose cells are numbers, dates and texts, become text cells.

What belongs here: what the file itself says (cells, column names, labels, declared missing values), put aside as text. What
does not: which row of a workbook is the heading and which tool wrote it (`tools`), and what an answer means (`answers`).
"""

from collections.abc import Callable
from pathlib import Path

from survey_pipeline.exports.sheet import ByHand, Sheet
from survey_pipeline.exports.typed.labelled import read_labelled
from survey_pipeline.exports.typed.parquet import read_parquet
from survey_pipeline.exports.typed.workbook import read_workbook

__all__ = ["read_typed"]


def read_typed(path: Path, kind: str, sha256: str, by_hand: ByHand) -> Sheet:
    """The cells of a typed file: "xlsx", "parquet", "spss", "stata" or "sas".

    Every row of a workbook is a record, headings included; of the others, the first record is the columns' names.
    Raises `InputRefused` for a file that cannot be read for certain, `WrongUsage` for a sheet that a workbook has not.
    """
    return _READERS[kind](path, kind, sha256, by_hand)


_READERS: dict[str, Callable[[Path, str, str, ByHand], Sheet]] = {
    "xlsx": read_workbook,
    "parquet": read_parquet,
    "spss": read_labelled,
    "stata": read_labelled,
    "sas": read_labelled,
}

"""Draft: a commented instrument for a survey that has none yet, out of an export or a data dictionary.

What belongs here: telling questions, kinds, codes and ranges, and writing them down for a volunteer to look through.
What does not: reading files (`exports`), and what an instrument may say (`instrument`).
"""

import re
from pathlib import Path
from typing import Any

from survey_pipeline.draft.columns import questions_of
from survey_pipeline.draft.dictionaries import read_dictionary
from survey_pipeline.draft.page import Draft, written
from survey_pipeline.errors import WrongUsage
from survey_pipeline.exports import ByHand, read_export
from survey_pipeline.ingest.dropped import refuse_answers_as_headings

__all__ = ["Draft", "draft", "place_for", "save"]


def draft(name: str, path: Path, **by_hand: Any) -> Draft:
    """The draft of an instrument from a file: a data dictionary if it is one, else an export.

    Raises `InputRefused` for a file that is neither or holds nothing to draft from.
    """
    found = read_dictionary(path, ByHand(**by_hand))
    if found is None:
        export = read_export(path, **by_hand)
        export.refuse_unreadable()
        refuse_answers_as_headings(export)
        found = questions_of(export)
    return written(name, found)


def place_for(name: str, folder: Path) -> Path:
    """Where a draft goes. Raises `WrongUsage` for a name that is no code, and if something is there already."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise WrongUsage(
            f"'{name}' cannot name a survey.", "Take small letters, digits and underscores, with a letter first."
        )
    place = folder / "schemas" / name / "instrument.toml"
    if place.exists():
        raise WrongUsage(f"The file '{place}' is there already.", "Choose another name, or move that file away.")
    return place


def save(made: Draft, place: Path) -> None:
    """Write a draft, over nothing that is there."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("x", encoding="utf-8", newline="\n") as file:
            file.write(made.text)
    except OSError:
        raise WrongUsage(f"The file '{place}' cannot be written.", "Choose another --out.") from None

"""Schema: a JSON Schema of `release.json`, made from the model of the release.

What belongs here: what each property is called and means, with its shape, its units and what null says of it. What does not:
the model itself (`release`). The schema of a program's version is one file, the same for every wave and survey.
"""

from json import dumps
from typing import Any, Final

from pydantic import BaseModel

from survey_pipeline.names import Status
from survey_pipeline.release import (
    ComparisonRow,
    HiddenCount,
    InstrumentSummary,
    Policy,
    Proof,
    PublishedLevel,
    Release,
    Row,
    StageCount,
    TestRow,
)
from survey_pipeline.render.columns import COLUMNS, described

RELEASE_SCHEMA: Final = "release.schema.json"
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
IDENTIFIER: Final = "urn:survey-pipeline:release:2"
"""The name of the schema, with the number of the release's format. Nothing is fetched by it."""
ROWS: Final[tuple[type[BaseModel], ...]] = (Row, ComparisonRow, TestRow)
"""Models of which every property is a column of a table."""
MEANINGS: Final[dict[type[BaseModel], dict[str, str]]] = {
    Release: {
        "format": "The format of this document and its number.",
        "instrument": "The survey, and in which version it was asked.",
        "wave": "When people were asked: a year (2026), month (2026-03), quarter (2026-Q1) or week (2026-W09).",
        "release_number": "1 for the first release of the wave, one more for each correction.",
        "correction": "Why the wave was published again, as the steward wrote it. Null where it was not.",
        "provenance": "What the numbers were made from: “survey answers”, or “invented data”.",
        "inputs_sha256": "SHA-256 of each export that was read, in hexadecimal digits, in order.",
        "policy": "The rules of disclosure that the release was made under.",
        "stages": "How many rows were left after each stage, from reading to what is published, in order.",
        "corrections": "How many answers the steward corrected before they were counted; empty where none was.",
        "levels": "By the code of an exposure: its groups as published, in the order in which they are shown.",
        "rows": "Every number of every table: one row a level x outcome x statistic.",
        "comparisons": "Two groups compared, where both are published; empty where the survey compares nothing.",
        "tests": "Tests over all groups of an exposure; empty where nothing is tested.",
        "proof": "The certificate that no hidden count can be worked out. Null in releases made without one.",
    },
    InstrumentSummary: {
        "name": "The code of the survey.",
        "title": "What the survey is called.",
        "version": "The version of the survey, as its file says.",
        "fingerprint": "SHA-256 of what the survey asks and shows, in hexadecimal digits.",
    },
    StageCount: {
        "stage": "The code of the stage.",
        "label": "The stage in words.",
        "n": "How many rows or answers, rounded. Null where it is hidden: there were a few, fewer than the policy's min_n.",
        "hidden": "Whether the number is hidden.",
    },
    PublishedLevel: {
        "code": "The code of the group.",
        "label": "What the group is called; this stands in the rows.",
        "made_of": "The labels of what was put together in it; its own label where nothing was.",
        "members": "The finest codes of the survey that are in it.",
        "merged": "Whether it is wider than the finest group that the survey declares.",
    },
    Policy: {
        "name": "What the policy is called.",
        "min_n": "People: a count from 1 to one less than this is not published.",
        "min_n_for_statistics": "People: an average needs at least so many.",
        "rounding_base": "People: counts are rounded to multiples of this.",
        "protection": "“mark”: a hidden count may be anything from 1 to min_n - 1. A number: any of at least so many values.",
        "least_difference": "People: two releases about the same people differ by nobody or at least so many. Null: min_n.",
        "require_approval": "Whether somebody must approve of a release.",
        "looser": "Why the rules are looser than the default. Null where they are not, or nobody said.",
        "based_on": "The preset that the policy began with. Null where it began with none.",
        "tightened": "The rules that the survey's own file made stricter.",
    },
    Proof: {
        "solver": "Which solver proved it, with its version.",
        "unknowns": "How many unknown counts the system of equations has.",
        "equations": "How many equations the published numbers give.",
        "together_with": "Earlier releases about the same people whose numbers are in the system: wave and release number.",
        "hidden_counts": "Every hidden count, with what all published numbers leave it.",
    },
    HiddenCount: {
        "exposure": "The code of what people are told apart by.",
        "level": "The code of the group.",
        "outcome": "The code of the outcome.",
        "statistic": "The code of the statistic.",
        "counted": "What is counted: people, respondents, events, others or missing.",
        "least": "People: the least that the count may be. 1 says that it may be 1 or fewer.",
        "most": "People: the most that the count may be. Null: it may be min_n - 1, as its mark says, or more.",
    },
}
"""What each property means that is no column of a table."""
NO_NUMBERS: Final = [Status.SUPPRESSED, Status.NOT_ASKED]


def release_schema() -> bytes:
    """The schema, draft 2020-12, as the bytes of its file."""
    made = Release.model_json_schema(mode="serialization")
    head = {"$schema": DIALECT, "$id": IDENTIFIER, "title": "Release of a wave", "description": _head()}
    parts = made.pop("$defs")
    for model in (*ROWS, *MEANINGS):
        _explain(parts.get(model.__name__, made), model)
    rest = {key: value for key, value in made.items() if key not in head}
    return (dumps(head | rest | {"$defs": parts}, ensure_ascii=False, indent=1) + "\n").encode()


def _head() -> str:
    return (
        "Every published number of one wave of a survey, and where it came from. The same rows stand in tables/*.csv, "
        "tables/*.parquet and tables.xlsx. Null is never 0: in a row that is suppressed or not_asked every number is null."
    )


def _explain(part: dict[str, Any], model: type[BaseModel]) -> None:
    """Put titles and meanings into the schema of a model; of rows also that what is hidden has no number."""
    for name, told in part["properties"].items():
        is_column = model in ROWS
        told["title"] = COLUMNS[name].heading if is_column else name.replace("_", " ").capitalize()
        told["description"] = _of_column(name, told) if is_column else MEANINGS[model].get(name, "")
    if model in ROWS:
        part |= _nothing_where_hidden(part["properties"])


def _of_column(name: str, told: dict[str, Any]) -> str:
    null = " Null where the status is suppressed or not_asked." if _may_be_null(told) else ""
    return f"{described(name).replace('Empty in a row that is shown:', 'Null in a row that is shown:')}{null}"


def _may_be_null(told: dict[str, Any]) -> bool:
    return {"type": "null"} in told.get("anyOf", ())


def _nothing_where_hidden(properties: dict[str, Any]) -> dict[str, Any]:
    """The rule that a row without a number to show has null in all that may be null."""
    hidden = {"properties": {"status": {"enum": NO_NUMBERS}}, "required": ["status"]}
    empty = {name: {"type": "null"} for name, told in properties.items() if _may_be_null(told)}
    return {"if": hidden, "then": {"properties": empty}}

"""A small survey with one item of every kind, exports of it as people would hand them in, and the command line.

What belongs here: writing exports row by row and calling commands as a user would. What does not: expectations.
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from survey_pipeline import names
from survey_pipeline.cli import main
from survey_pipeline.instrument import Instrument, parse_instrument
from survey_pipeline.reading import ExportReport, Reading, open_exports, report_of, silently

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"
MUSIC_INSTRUMENT = ROOT / "tests" / "instruments" / "music.toml"
MUSIC_EXPORT = SHARED / "exports" / "google_forms" / "music_and_mental_health.csv"
MARKER = "MARKER4711"
"""Stands in exports where a respondent's own words could be; no message may hold it."""

CLUB = """
name = "club"
title = "A small club"
version = "1"
community = "members of a club"
about = "What members take and how they are."
form = "form"
dose = "dose"
missing = ["n/a", "No answer"]
duplicates = { identical_rows = true, same_respondent = true }

[items.timestamp]
label = "When"
question = "Timestamp"
theme = "survey"
kind = "text"
role = "drop"

[items.consent]
label = "Consent"
question = "May we count your answers?"
theme = "survey"
kind = "text"
role = "consent"
consent_answer = "Yes, you may."

[items.member]
label = "Member code"
question = "Your code"
theme = "survey"
kind = "text"
role = "identifier"

[items.form]
label = "Form"
question = "Which form do you take?"
headings = ["Form taken"]
theme = "form"
kind = "choice"
role = "exposure"
required = true
several_as = "mix"
options = [
  { code = "citrate", label = "Citrate", spellings = ["Magnesium citrate", "Citrat"] },
  { code = "oxide", label = "Oxide" },
  { code = "mix", label = "A mix" },
  { code = "none", label = "None", exclusive = true },
]

[items.dose]
label = "Dose"
question = "How much a day?"
theme = "form"
kind = "number"
role = "exposure"
unit = "mg/day"
minimum = 0
maximum = 1000
fixes = { "two hundred" = "200" }
bands = [
  { code = "up_to_200", label = "up to 200", up_to = 200 },
  { code = "over_200", label = "over 200" },
]

[items.pain]
label = "Pain"
question = "Pain from 0 to 10"
theme = "health"
kind = "scale"
role = "outcome"
minimum = 0
maximum = 10
better = "lower"
primary = true

[items.side_effects]
label = "Side effects"
question = "Which side effects?"
theme = "health"
kind = "choices"
role = "safety"
options = [
  { code = "nausea", label = "Nausea" },
  { code = "cramps", label = "Cramps, or worse" },
  { code = "cramps_at_night", label = "Cramps, or worse, at night" },
  { code = "nothing", label = "None of these", exclusive = true },
]

[items.stopped]
label = "Stopped"
question = "Did you stop?"
theme = "health"
kind = "yes_no"
role = "safety"

[items.since]
label = "Since"
question = "Since when?"
theme = "form"
kind = "date"
role = "detail"

[items.comment]
label = "Comment"
question = "Anything else?"
theme = "survey"
kind = "text"
role = "drop"

[[tables]]
name = "form_by_outcome"
title = "Pain by form"
exposure = "form"
outcomes = ["pain"]

[[tables]]
name = "dose_by_outcome"
title = "Pain by dose"
exposure = "dose"
outcomes = ["pain"]
"""

Row = dict[str, str]
"""A row of an export: heading to what was written."""

HEADINGS = {name: item.question for name, item in parse_instrument(CLUB).items.items()}


def club(**changes: Any) -> Instrument:
    """The instrument, with some of its parts replaced."""
    return Instrument.model_validate(parse_instrument(CLUB).model_dump() | changes)


def club_with(item: str, **changes: Any) -> Instrument:
    """The instrument, with some keys of one item replaced."""
    items = {name: found.model_dump() for name, found in club().items.items()}
    return club(items=items | {item: items[item] | changes})


def row(number: int, /, **written: str) -> Row:
    """A sound row, unlike that of any other number; `written` replaces what stands for an item."""
    sound = {
        "timestamp": f"2026-01-{1 + number % 28:02d} 10:{number % 60:02d}:{number // 60 % 60:02d}",
        "consent": "Yes, you may.",
        "member": f"member-{number}",
        "form": ("Citrate", "Oxide", "A mix", "None")[number % 4],
        "dose": str((100, 200, 300, 400)[number // 4 % 4]),
        "pain": str(number * 7 % 11),
        "side_effects": ("Nausea", "Cramps, or worse", "Nausea, Cramps, or worse", "None of these")[number % 4],
        "stopped": "Yes" if number % 5 == 0 else "No",
        "since": "2025-11-30",
        "comment": f"{MARKER} comment {number}",
    }
    return {HEADINGS[name]: text for name, text in (sound | written).items()}


def rows(n: int, start: int = 0, /, **written: str) -> list[Row]:
    return [row(number, **written) for number in range(start, start + n)]


def as_csv(found: Sequence[Mapping[str, str]], headings: Iterable[str] | None = None) -> str:
    """An export's text; a cell that a row does not have stays empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    columns = list(headings or HEADINGS.values())
    writer.writerow(columns)
    writer.writerows([[one.get(column, "") for column in columns] for one in found])
    return text.getvalue()


def write(path: Path, found: Sequence[Mapping[str, str]], headings: Iterable[str] | None = None) -> Path:
    path.write_text(as_csv(found, headings), encoding="utf-8", newline="")
    return path


# --- The command line -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Said:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Stdout as one JSON document."""
        return json.loads(self.out)


def call(*arguments: str | Path) -> Said:
    """Call the command line as the installed script does."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with redirect_stdout(out), redirect_stderr(err):
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as stop:
            code = int(stop.code or 0)
    return Said(code, out.getvalue(), err.getvalue())


def contents(folder: Path) -> dict[str, bytes]:
    """Every file in a folder by its path, with its bytes."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


# --- Reading without storing ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Read:
    """What one pass over some exports made of them."""

    kept: pl.DataFrame
    quarantine: pl.DataFrame
    reports: tuple[ExportReport, ...]

    @property
    def report(self) -> ExportReport:
        """The report of the only export."""
        (only,) = self.reports
        return only

    def records(self) -> list[tuple[str, int]]:
        """The kept rows, by export and number."""
        return list(self.kept.select(names.EXPORT, names.RECORD).iter_rows())


def read(instrument: Instrument, *paths: Path) -> Read:
    """Read and validate exports, storing nothing."""
    reading = Reading(exports := open_exports(paths), instrument, silently)
    kept = pl.concat([reading.empty({}), *reading.kept({})])
    quarantine = pl.concat([reading.spool.empty, *reading.spool.frames()])
    return Read(kept, quarantine, tuple(report_of(export, instrument, reading) for export in exports))

"""Small instruments and communities for tests: a survey with every kind of table, and people who answer it by chance.

What belongs here: building instruments, responses and estimates. What does not: expectations.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from survey_pipeline.estimate import ESTIMATES_SCHEMA
from survey_pipeline.ingest import batches
from survey_pipeline.ingest.repeats import Seen
from survey_pipeline.instrument import Instrument, load_instrument
from survey_pipeline.reading import ExportReport
from survey_pipeline.schema import responses_schema
from survey_pipeline.validate import validate

MUSIC_EXPORT = Path(__file__).parents[2] / "shared/exports/google_forms/music_and_mental_health.csv"
REFERENCE = Path(__file__).parents[2] / "shared/reference"

FORMS = ("citrate", "malate", "glycinate", "oxide", "taurate", "mix")
SHARES_OF_FORMS = (0.34, 0.22, 0.18, 0.14, 0.04, 0.08)


def item(label: str, kind: str, role: str, **more: Any) -> dict[str, Any]:
    """One item of an instrument; its question is its label with a question mark."""
    return {"label": label, "question": f"{label}?", "theme": "test", "kind": kind, "role": role, **more}


def options(*codes: str) -> list[dict[str, str]]:
    return [{"code": code, "label": code.capitalize()} for code in codes]


def scale(label: str, role: str = "outcome", **more: Any) -> dict[str, Any]:
    return item(label, "scale", role, **{"minimum": 0, "maximum": 10, **more})


def percent(name: str, per_cent: float, **more: Any) -> dict[str, Any]:
    return {"name": name, "label": name, "source": "test", "percent": per_cent, **more}


def survey(**items: Any) -> Instrument:
    """A survey of magnesium forms and doses with every kind of outcome; `items` replace or add items by name."""
    described: dict[str, Any] = {
        "form": item(
            "Form",
            "choice",
            "exposure",
            options=options(*FORMS),
            several_as="mix",
            groups=[[{"code": "rare", "label": "Rare forms", "of": ["taurate", "mix", "not_stated"]}]],
        ),
        "by_mouth": item("By mouth", "choice", "detail", options=options("oral", "skin")),
        "dose": item(
            "Dose",
            "number",
            "exposure",
            applies_if={"item": "by_mouth", "values": ["oral"], "otherwise": "No dose"},
            bands=[
                {"code": "low", "label": "Under 200", "below": 200},
                {"code": "middle", "label": "200 to 400", "up_to": 400},
                {"code": "high", "label": "Over 400"},
            ],
            wider_bands=[
                [
                    {"code": "up_to_250", "label": "Up to 250", "up_to": 250},
                    {"code": "over_250", "label": "Over 250"},
                ]
            ],
        ),
        "pain_before": scale("Pain before", "baseline"),
        "pain": scale(
            "Pain",
            baseline="pain_before",
            better="lower",
            primary=True,
            thresholds=[percent("responder_30", 30, primary=True), percent("responder_50", 50)],
        ),
        "mood": scale(
            "Mood",
            minimum=1,
            maximum=7,
            better="lower",
            thresholds=[{"name": "much_better", "label": "Much better", "source": "test", "at_most": 2}],
        ),
        "effect": item("Effect", "choice", "outcome", options=options("better", "same", "worse")),
        "side": item("Side effects", "choices", "safety", options=options("none", "nausea", "cramps")),
        "stopped": item("Stopped", "yes_no", "safety"),
        "sex": item("Sex", "choice", "stratum", options=options("female", "male", "other")),
        **items,
    }
    outcomes = ["pain", "mood", "effect"]
    return Instrument.model_validate(
        {
            "name": "test_survey",
            "title": "Test",
            "version": "1",
            "community": "testers",
            "about": "Test.",
            "form": "form",
            "dose": "dose",
            "items": described,
            "tables": [
                {"name": "form_by_outcome", "title": "Form", "exposure": "form", "outcomes": outcomes},
                {"name": "dose_by_outcome", "title": "Dose", "exposure": "dose", "outcomes": outcomes},
                {"name": "form_by_side", "title": "Side", "exposure": "form", "outcomes": ["side", "stopped"]},
            ],
            "who_answered": ["sex", "form"],
        }
    )


def community(n: int, seed: int, missing: float = 0.04) -> pl.DataFrame:
    """`n` invented people's answers to `survey`, each left out with the chance `missing`."""
    rng = np.random.default_rng(seed)

    def pick(codes: Sequence[str], p: Sequence[float]) -> list[str]:
        return [str(code) for code in rng.choice(codes, n, p=p)]

    before = rng.integers(0, 11, n)
    after = np.clip(before - rng.integers(-2, 6, n), 0, 10)
    nausea, cramps = rng.random(n) < 0.2, rng.random(n) < 0.06
    types = {name: column.dtype.type for name, column in responses_schema(survey()).columns.items()}
    answers = pl.DataFrame(
        {
            "form": pick(FORMS, SHARES_OF_FORMS),
            "by_mouth": pick(("oral", "skin"), (0.9, 0.1)),
            "dose": rng.choice([100.0, 200.0, 250.0, 300.0, 400.0, 500.0], n),
            "pain_before": before.astype(float),
            "pain": after.astype(float),
            "mood": rng.integers(1, 8, n).astype(float),
            "effect": pick(("better", "same", "worse"), (0.6, 0.32, 0.08)),
            "side__none": ~(nausea | cramps),
            "side__nausea": nausea,
            "side__cramps": cramps,
            "stopped": rng.random(n) < 0.12,
            "sex": pick(("female", "male", "other"), (0.85, 0.13, 0.02)),
        },
        schema_overrides=types,
    )
    return with_gaps(answers, rng, missing)


def with_gaps(answers: pl.DataFrame, rng: np.random.Generator, missing: float) -> pl.DataFrame:
    """The same answers with some left out; all columns of one question together."""
    gaps: dict[str, pl.Series] = {}
    for column in answers.columns:
        question = column.split("__")[0]
        gaps.setdefault(question, pl.Series(rng.random(answers.height) < missing))
        answers = answers.with_columns(pl.when(~gaps[question]).then(pl.col(column)).alias(column))
    return answers


def people(instrument: Instrument, *groups: tuple[int, Mapping[str, object]]) -> pl.DataFrame:
    """Responses from groups of people with the same answers: (how many, {column: answer}); the rest is unanswered."""
    types = {name: column.dtype.type for name, column in responses_schema(instrument).columns.items()}
    rows = [dict.fromkeys(types) | dict(answers) for n, answers in groups for _ in range(n)]
    return pl.DataFrame(rows, schema=types, orient="row")


def music() -> Instrument:
    return load_instrument(Path(__file__).parent / "instruments/music.toml")


def music_responses() -> pl.DataFrame:
    """The real answers to the music survey, where they are at hand."""
    from survey_pipeline.exports import read_export

    instrument = music()
    schema = responses_schema(instrument)
    export = read_export(MUSIC_EXPORT)
    parts = [validate(batch, instrument, schema).kept for batch in batches(export, instrument, Seen())]
    return pl.concat(parts)


def export_report(rows_read: int, rows_kept: int, rows_quarantined: int = 0, **excluded: int) -> ExportReport:
    """What became of an invented export."""
    return ExportReport(
        file="export.csv",
        sha256="0" * 64,
        tool="google_forms",
        encoding="utf-8",
        separator=",",
        header_rows=1,
        rows_read=rows_read,
        columns_read=10,
        rows_kept=rows_kept,
        rows_quarantined=rows_quarantined,
        rows_excluded=excluded,
        values_refused={},
        other_texts={},
        columns_dropped=[],
        columns_dropped_because={},
        rows_irregular=0,
        items_not_asked=[],
        detected_because="built by a test",
        invented=True,
    )


def number(level: str, n: int, **more: object) -> dict[str, object]:
    """An exact row about a mean of n people, whose answers differ."""
    words = {"level": level, "outcome": "pain", "statistic": "mean", "among": "answered"}
    numbers = {"estimate": 5.04, "standard_error": 0.52, "ci_lower": 3.96, "ci_upper": 6.12, "n_alike": n // 3}
    return _plain(n) | words | numbers | more


def share(level: str, k: int, n: int, **more: object) -> dict[str, object]:
    """An exact row about k of n people."""
    words = {"level": level, "outcome": "stopped", "statistic": "share", "among": "answered"}
    return _plain(n) | words | {"estimate": k / n if n else None, "n_events": k} | more


def presence(level: str, n_level: int, n: int, exposure: str = "form") -> dict[str, object]:
    """An exact row about how many of n people are in a level."""
    words = {"table": "who_answered", "exposure": exposure, "outcome": "respondents", "among": "everybody"}
    return share(level, n_level, n, n_level=n_level, **words)


def _plain(n: int) -> dict[str, object]:
    words = {"table": "form_by_outcome", "exposure": "form", "n_respondents": n, "n_level": n, "n_missing": 0}
    return dict.fromkeys(ESTIMATES_SCHEMA) | words | {"merged": False, "not_asked": False, "n_aside": 0}


def estimates(*rows: Mapping[str, object]) -> pl.DataFrame:
    """Rows of `number`, `share` and `presence` as the frame that is to be disclosed; who is missing is in the level too."""
    return pl.DataFrame(map(_with_the_missing, rows), schema=ESTIMATES_SCHEMA, orient="row")


def _with_the_missing(row: Mapping[str, object]) -> Mapping[str, object]:
    n, n_missing, n_level = (int(str(row[name])) for name in ("n_respondents", "n_missing", "n_level"))
    is_of_a_level = row["among"] not in ("everybody", "keeps_diary")
    return {**row, "n_level": max(n_level, n + n_missing) if is_of_a_level else n_level}

"""A survey whose questions hang together, and a community that answers it.

What belongs here: questions that concern some people only, a dose with limits and words beside it, a diary, crossings and
counts, all of the same people. What does not: expectations.
"""

import numpy as np
import polars as pl
from builders import FORMS, community, item, options, survey, with_gaps

from survey_pipeline import names
from survey_pipeline.instrument import Instrument
from survey_pipeline.schema import responses_schema

FORMS_AND_NONE = (*FORMS, "nothing", "stopped")
BY_MOUTH = {"item": "by_mouth", "values": ["oral"], "otherwise": "No dose"}
TAKES = {"item": "form", "values": [*FORMS, "stopped"], "otherwise": "Takes none"}
STOPPED = {"item": "form", "values": ["stopped"], "otherwise": "Did not stop"}


def linked_survey() -> Instrument:
    """The survey of `builders`, with what makes its tables say the same people's answers in other ways."""
    items = {name: found.model_dump(mode="json") for name, found in survey().items.items()}
    items["form"] |= {"options": options(*FORMS_AND_NONE), "groups": []}
    items["by_mouth"] |= {"role": "exposure"}
    items["dose_words"] = item(
        "Words",
        "dose",
        "detail",
        applies_if=BY_MOUTH,
        compounds=[{"code": "citrate", "texts": ["citrate"], "elemental_percent": [16.0]}],
    )
    items["dose"] |= {
        "readings": "dose_words",
        "limits": [
            {"code": "eu", "label": "Above 250", "above": 250, "source": "test"},
            {"code": "us", "label": "Above 350", "above": 350, "source": "test"},
        ],
        "bands": [
            {"code": "low", "label": "Up to 250", "up_to": 250},
            {"code": "middle", "label": "250 to 350", "up_to": 350},
            {"code": "high", "label": "Over 350"},
        ],
    }
    items["split"] = item(
        "Split",
        "number",
        "exposure",
        applies_if=BY_MOUTH,
        bands=[{"code": "once", "label": "Once", "up_to": 1}, {"code": "more", "label": "More"}],
    )
    items["slowly"] = item("Slowly", "yes_no", "exposure", applies_if=BY_MOUTH)
    items["why"] = item("Why", "choices", "safety", applies_if=STOPPED, options=options("side", "cost", "other"))
    items["over"] = item("Over it", "yes_no", "safety", applies_if=TAKES)
    items["kidney"] = item("Kidney", "yes_no", "safety")
    alone = {"code": "none", "label": "None", "exclusive": True}
    drugs = [*options("antibiotics", "pressure"), alone]
    items["drugs"] = item("Drugs", "choices", "safety", options=drugs)
    items["member"] = item("Member", "text", "identifier")
    items["diary_day"] = item("Day", "date", "diary")
    items["diary_pain"] = item("Diary pain", "scale", "diary", minimum=0, maximum=10)
    items["pain"] |= {"responder_curve": [10, 20, 40]}

    def table(name: str, outcomes: list[str], exposure: str | None = None, **more: str) -> dict[str, object]:
        return {"name": name, "title": name, "exposure": exposure, "outcomes": outcomes, **more}

    described = survey().model_dump(mode="json") | {
        "items": items,
        "tables": [
            table("form_by_outcome", ["pain", "mood", "effect"], "form"),
            table("dose_by_outcome", ["pain", "mood"], "dose"),
            table("form_by_dose", ["pain"], "form", by="dose"),
            table("form_by_side", ["side", "over"], "form"),
            table("slowly_by_side", ["side", "over"], "slowly"),
            table("mouth_by_outcome", ["pain"], "by_mouth"),
            table("split_by_outcome", ["pain"], "split"),
            table("why_stopped", ["why"]),
            table("above", ["dose"], "form"),
            table("counts", ["kidney", "drugs"], shows="counts"),
            table("diary", ["diary_pain"], "form"),
        ],
        "who_answered": ["sex", "form"],
    }
    return Instrument.model_validate(described)


def linked_community(n: int, seed: int, missing: float = 0.04) -> pl.DataFrame:
    """`n` people's answers to it; who a question does not concern left it empty."""
    rng = np.random.default_rng(seed)
    types = {name: column.dtype.type for name, column in responses_schema(linked_survey()).columns.items()}

    def chance(p: float) -> np.ndarray:
        return rng.random(n) < p

    form = rng.choice(FORMS_AND_NONE, n, p=[0.27, 0.18, 0.14, 0.1, 0.03, 0.08, 0.09, 0.11])
    mouth = np.where(form == "nothing", "skin", np.where(chance(0.88), "oral", "skin"))
    written = rng.choice([100.0, 200.0, 300.0, 400.0, 500.0], n)
    some = [chance(p) for p in (0.6, 0.3, 0.3)]
    drugs = chance(0.1), chance(0.15)
    answers = community(n, seed, 0.0).with_columns(
        form=pl.Series(form), by_mouth=pl.Series(mouth), split=pl.Series(rng.choice([1.0, 2.0, 3.0], n, p=[0.6, 0.3, 0.1])),
        slowly=pl.Series(chance(0.4)), why__side=pl.Series(some[0]), why__cost=pl.Series(some[1]),
        why__other=pl.Series(some[2] | ~(some[0] | some[1])), over=pl.Series(chance(0.12)), kidney=pl.Series(chance(0.04)),
        drugs__antibiotics=pl.Series(drugs[0]), drugs__pressure=pl.Series(drugs[1]),
        drugs__none=pl.Series(~(drugs[0] | drugs[1])),
        dose_words__written_low_mg_per_day=pl.Series(written), dose_words__written_high_mg_per_day=pl.Series(written),
        dose_words__basis=pl.Series(rng.choice(["unknown", "compound", "label_elemental"], n, p=[0.3, 0.2, 0.5])),
    )  # fmt: skip
    basis = pl.col("dose_words__basis")
    answers = answers.with_columns(
        dose_words__low_mg_per_day=pl.when(basis == "label_elemental").then(written).otherwise(written * 0.16),
        dose_words__high_mg_per_day=pl.when(basis == "compound").then(written * 0.16).otherwise(written),
    )
    answers = with_gaps(answers, rng, missing)
    return _asked_of_whom_it_concerns(answers).with_columns(
        pl.Series(names.RESPONDENT, [bytes([k // 256, k % 256]) for k in range(n)], dtype=pl.Binary),
        **{name: pl.lit(None, dtype=kind) for name, kind in types.items() if name not in answers.columns},
    )


def _asked_of_whom_it_concerns(answers: pl.DataFrame) -> pl.DataFrame:
    for condition, questions in ((BY_MOUTH, ("dose", "split", "slowly")), (STOPPED, ("why",)), (TAKES, ("over",))):
        asked = pl.col(str(condition["item"])).is_in(list(condition["values"])).fill_null(True)
        columns = [c for c in answers.columns if c.split("__")[0].removesuffix("_words") in questions]
        answers = answers.with_columns(pl.when(asked).then(pl.col(c)).alias(c) for c in columns)
    return answers


def diaries_of(answers: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Person-weeks of a few people: who keeps a diary has one to four, and some of them left pain out."""
    rng = np.random.default_rng(seed)
    rows = [
        (person, 202601 + week, 3, None if rng.random() < 0.1 else float(rng.integers(0, 11)))
        for person in answers[names.RESPONDENT].to_list()
        if rng.random() < 0.35
        for week in range(int(rng.integers(1, 5)))
    ]
    columns = {names.RESPONDENT: pl.Binary, "week": pl.Int64, "n_entries": pl.Int64, "diary_pain": pl.Float64}
    return pl.DataFrame(rows, schema=columns, orient="row")

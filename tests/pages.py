"""Releases with everything that a page can show: bands, readings of the dose, tests, counts, limits, two exposures, gaps.

What belongs here: building them, small and made up by hand. What does not: expectations about how they look.
"""

from typing import Any

import releases

from survey_pipeline import names
from survey_pipeline.instrument import Instrument
from survey_pipeline.names import Status
from survey_pipeline.release import ComparisonRow, PublishedLevel, Release, Row, TestRow

DOSE_READINGS = ("dose", "dose__label_elemental", "dose__compound", "dose__worst_case")
FORMS = ("Citrate", "Malate", "Oxide", "None")
CROSSED = tuple(
    (f"{form}__x__{dose}", f"{form.capitalize()}, {label}")
    for form in ("citrate", "malate_or_oxide")
    for dose, label in (("band_0", "under 100 mg a day"), ("band_1_or_band_2", "100 to 199 mg, or 200 to 299 mg a day"))
)
LIMIT = "Above 250 mg a day, the EU's upper level for supplements"


def magnesium(**changes: Any) -> Instrument:
    """The small instrument with a dose in words, upper levels, a retest correlation and tables of every sort."""
    given = releases.magnesium().model_dump()
    items = given["items"]
    items["pain"] |= {
        "responder_curve": [10, 30, 50, 70],
        "retest": {"lowest": 0.4, "highest": 0.8, "source": "Assumed"},
    }
    items["dose"] |= {
        "readings": "dose_words",
        "limits": [{"code": "eu", "label": LIMIT, "above": 250, "source": "EFSA"}],
    }
    salts = [{"code": "oxide", "texts": ["oxide"], "elemental_percent": [60.3]}]
    items["dose_words"] = _item("Dose in words", "dose", "detail", compounds=salts)
    items["kidney"] = _item("Kidney disease", "yes_no", "safety")
    items["tested"] = _item("Had a blood test", "yes_no", "detail")
    items["day"] = _item("Day", "date", "diary")
    items["code"] = _item("Code", "text", "identifier")
    items["pain_today"] = _item("Pain today", "scale", "diary", minimum=0, maximum=10, better="lower")
    tables = [
        *given["tables"],
        _table("dose_by_side_effect", ["side_effects"], exposure="dose"),
        _table("form_by_dose", ["pain"], exposure="magnesium_form", by="dose"),
        _table("upper_levels", ["dose"], exposure="magnesium_form"),
        _table("kidneys", ["kidney"], shows="counts"),
        _table("keeping_track", ["tested"]),
        _table("age_by_outcome", ["pain", "tested"], exposure="age"),
        _table("diaries", ["pain_today"]),
    ]
    return Instrument.model_validate(given | {"items": items, "tables": tables} | changes)


def _item(label: str, kind: str, role: str, **more: Any) -> dict[str, Any]:
    return {"label": label, "question": f"{label}?", "theme": role, "kind": kind, "role": role, **more}


def _table(name: str, outcomes: list[str], **more: Any) -> dict[str, Any]:
    return {"name": name, "title": name.replace("_", " ").capitalize(), "outcomes": outcomes, **more}


def share(table: str, exposure: str, level: str, outcome: str, value: float | None, **more: Any) -> Row:
    """A share with a range of 10 in 100 to both sides."""
    return releases.row(table, exposure, level, outcome, "share", value, **more)


def responders(
    table: str,
    exposure: str,
    level: str,
    observed: tuple[float, float, float] | None,
    band: tuple[float, float] | None,
    **more: Any,
) -> list[Row]:
    """Responders of pain by 30 % as estimate and range, and what would be expected anyway; None is hidden."""
    statistic, anyway = "responder_30", "responder_30_anyway"
    ends: dict[str, Any] = {"ci_lower": observed[1], "ci_upper": observed[2]} if observed else {}
    middle = None if band is None else round(sum(band) / 2, 2)
    expected: dict[str, Any] = {"ci_lower": band[0], "ci_upper": band[1], "standard_error": None} if band else {}
    return [
        releases.row(table, exposure, level, "pain", statistic, observed[0] if observed else None, **ends, **more),
        releases.row(table, exposure, level, "pain", anyway, middle, **expected),
    ]


def test_rows(*directions: str | None, p_adjusted: float = 0.02, outcome: str = "pain") -> tuple[TestRow, ...]:
    """Tests of an outcome by dose: as answered, under both readings, and in the worst case, each with its direction."""
    rows = []
    for exposure, direction in zip(DOSE_READINGS, directions, strict=False):
        worst = exposure.endswith("worst_case")
        rows.append(
            TestRow(
                instrument="test",
                wave="2026-1",
                table="dose_by_outcome",
                exposure=exposure,
                outcome=outcome,
                statistic="worst_case_direction" if worst else "jonckheere_terpstra",
                test_statistic=None,
                degrees_of_freedom=None,
                degrees_of_freedom_2=None,
                p_value=None if worst else p_adjusted,
                direction=direction,
                n_levels=None if worst else 5,
                n_respondents=None,
                family=None if worst else "primary" if exposure == "dose" else "grid",
                family_size=None if worst else 10 if exposure == "dose" else 110,
                p_adjusted=None if worst else p_adjusted,
                adjustment=None if worst else "holm" if exposure == "dose" else "benjamini_hochberg",
                status=Status.OK if direction else Status.SUPPRESSED,
            )
        )
    return tuple(rows)


def comparison_row() -> ComparisonRow:
    return ComparisonRow(
        instrument="test",
        wave="2026-1",
        table="form_by_outcome",
        exposure="magnesium_form",
        level="Citrate",
        compared_with="None",
        outcome="pain",
        statistic="difference_responder_30",
        estimate=0.1,
        standard_error=0.05,
        ci_lower=0.0,
        ci_upper=0.2,
        n_respondents=60,
        n_compared=40,
        p_value=0.05,
        family="grid",
        family_size=840,
        p_adjusted=0.1,
        adjustment="benjamini_hochberg",
        status=Status.OK,
    )


def rows(hide: bool = False) -> list[Row]:
    """Rows of every table."""
    form, dose, everybody = "magnesium_form", "dose", names.EVERYBODY
    made: list[Row] = []
    observed = ((0.3, 0.25, 0.35), (0.4, 0.33, 0.47), (0.22, 0.12, 0.32), (0.28, 0.17, 0.39), (0.2, 0.11, 0.31))
    for table, exposure, levels in (("form_by_outcome", form, FORMS), ("dose_by_outcome", dose, releases.DOSES[:4])):
        for level, one in zip((names.ALL_LEVELS, *levels), observed, strict=True):
            made += responders(table, exposure, level, None if hide else one, None if hide else (0.18, 0.27))
            for percent, value in ((10, 0.52), (70, 0.12)):
                improved = share(table, exposure, level, "pain", None if hide else value)
                made.append(improved.model_copy(update={"statistic": f"improved_{percent}"}))
    for table, exposure, level in (
        ("form_by_side_effect", form, "Oxide"),
        ("dose_by_side_effect", dose, releases.DOSES[0]),
    ):
        for group in (names.ALL_LEVELS, level):
            made.append(share(table, exposure, group, "side_effects__diarrhoea", None if hide else 0.14))
    for _, label in CROSSED:
        made += responders(
            "form_by_dose", f"{form}_by_{dose}", label, None if hide else (0.44, 0.3, 0.59), (0.16, 0.29)
        )
    above: dict[str, float | None] = {"": 0.36, "__label_elemental": 0.38, "__compound": None, "__worst_case": 0.41}
    for reading, part in above.items():
        for level in (names.ALL_LEVELS, "Citrate"):
            made.append(share("upper_levels", form, level, f"dose__above_eu{reading}", None if hide else part))
    bare = {"standard_error": None, "ci_lower": None, "ci_upper": None, "n_respondents": 800}
    made.append(releases.row("kidneys", everybody, names.ALL_LEVELS, "kidney", "count", None if hide else 15.0, **bare))
    made.append(share("keeping_track", everybody, names.ALL_LEVELS, "tested", None if hide else 0.21))
    for level in (names.ALL_LEVELS, "40 to 59"):
        made += responders("age_by_outcome", "age", level, None if hide else (0.31, 0.24, 0.39), (0.17, 0.26))
        uncertain = {"status": Status.UNRELIABLE}
        made.append(share("age_by_outcome", "age", level, "tested", None if hide else 0.23, **uncertain))
    weeks = releases.row(
        "diaries", everybody, names.ALL_LEVELS, "pain_today", "person_week_mean", None if hide else 5.4
    )
    made.append(weeks)
    for item, value in (("pain", 0.16), ("dose", 0.19)):
        made.append(
            share(names.ITEM_NONRESPONSE, everybody, names.ALL_LEVELS, f"{item}__left_out", None if hide else value)
        )
    if hide:
        made = [one if one.status is Status.SUPPRESSED else _hidden(one) for one in made]
    return [*made, *releases.who_answered("age", ("18 to 39", "40 to 59"), hide)]


def _hidden(row: Row) -> Row:
    return row.model_copy(update={**dict.fromkeys(names.NUMBERS), "status": Status.SUPPRESSED})


def release(hide: bool = False, **changes: Any) -> Release:
    """A release of every table, with tests and comparisons."""
    made = releases.release(magnesium(), rows(hide))
    crossed = tuple(
        PublishedLevel(code=code, label=label, made_of=(label,), members=(code,), merged=False)
        for code, label in CROSSED
    )
    levels = {**made.levels, "magnesium_form_by_dose": crossed}
    tests = test_rows("down", "down", "down", "down")
    told: dict[str, Any] = {"levels": levels, "tests": tests, "comparisons": (comparison_row(),)}
    return made.model_copy(update=told | changes)

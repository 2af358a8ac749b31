"""Small releases for tests of what is made from a release: numbers that look real, made up by a fixed rule.

What belongs here: building instruments and releases that hang together. What does not: expectations about how they look.
"""

from typing import Any

from survey_pipeline import names
from survey_pipeline.instrument import Instrument
from survey_pipeline.names import Status
from survey_pipeline.release import (
    ComparisonRow,
    InstrumentSummary,
    Policy,
    PublishedLevel,
    Release,
    Row,
    StageCount,
    TestRow,
)

FORMS = ("Citrate", "Malate", "Glycinate (bisglycinate)", "Oxide", "Chloride", "Other forms", "None", "Stopped")
DOSES = (
    "Under 100 mg a day",
    "100 to 199 mg a day",
    "200 to 299 mg a day",
    "300 to 399 mg a day",
    "400 mg a day or more",
)
TINY = ("Taurate",)
"""Levels that are hidden throughout."""

_THRESHOLDS = [
    {
        "name": "responder_30",
        "label": "Pain at least 30 % lower",
        "source": "IMMPACT 2008",
        "percent": 30,
        "primary": True,
    },
    {"name": "responder_50", "label": "Pain at least 50 % lower", "source": "IMMPACT 2008", "percent": 50},
    {"name": "points_2", "label": "Pain at least 2 points lower", "source": "Farrar 2001", "points": 2},
]


def _scale(label: str, better: str | None = "lower", **more: Any) -> dict[str, Any]:
    kind = {"kind": "scale", "minimum": 0, "maximum": 10, "role": "outcome", "theme": "outcomes"}
    return {"label": label, "question": f"{label}, from 0 to 10?", "better": better, **kind, **more}


def _choice(
    label: str, options: dict[str, str], role: str = "exposure", kind: str = "choice", **more: Any
) -> dict[str, Any]:
    listed = [{"code": code, "label": text} for code, text in options.items()]
    return {
        "label": label,
        "question": f"{label}?",
        "theme": role,
        "kind": kind,
        "role": role,
        "options": listed,
        **more,
    }


def _before(name: str, label: str) -> dict[str, Any]:
    return {f"{name}_before": _scale(f"{label} before", role="baseline")}


def magnesium(**changes: Any) -> Instrument:
    """An instrument with outcomes before and after, side effects, and a dose in bands."""
    codes = {f"form_{place}": label for place, label in enumerate((*FORMS, *TINY))}
    ends = [{"below": 100}, {"below": 200}, {"below": 300}, {"below": 400}, {}]
    bands = [
        {"code": f"band_{place}", "label": label, **end}
        for place, (label, end) in enumerate(zip(DOSES, ends, strict=True))
    ]
    items = {
        "magnesium_form": _choice("Magnesium form", codes, people="People who took {level}"),
        "dose": {
            "label": "Dose",
            "question": "How much?",
            "theme": "dose",
            "kind": "number",
            "role": "exposure",
            "unit": "mg/day",
        }
        | {"bands": bands, "people": "People who took {level}"},
        **_before("pain", "Pain"),
        **_before("sleep", "Sleep quality"),
        **_before("fog", "Mental fog"),
        "pain": _scale("Pain", baseline="pain_before", primary=True, thresholds=_THRESHOLDS),
        "sleep": _scale("Sleep quality", "higher", baseline="sleep_before", primary=True),
        "fog": _scale("Mental fog", baseline="fog_before"),
        "side_effects": _choice(
            "Side effects",
            {"diarrhoea": "Diarrhoea", "stomach": "Upset stomach", "other": "Other"},
            "safety",
            "choices",
        ),
        "age": _choice("Age", {"young": "18 to 39", "middle": "40 to 59", "old": "60 and over"}, "stratum"),
    }
    described = {
        "name": "magnesium_test",
        "title": "Magnesium and fibromyalgia",
        "version": "1.2",
        "community": "The Fibromyalgia Forum",
        "about": "Members of the forum say which form of magnesium they take, how much, and how they fare.",
        "contact": "stewards@example.org",
        "recruitment": "A link in the newsletter, open for four weeks.",
        "form": "magnesium_form",
        "dose": "dose",
        "items": items,
        "tables": [
            {
                "name": "form_by_outcome",
                "title": "Form by outcome",
                "exposure": "magnesium_form",
                "outcomes": ["pain", "sleep", "fog"],
            },
            {"name": "dose_by_outcome", "title": "Dose by outcome", "exposure": "dose", "outcomes": ["pain", "sleep"]},
            {
                "name": "form_by_side_effect",
                "title": "Side effects by form",
                "exposure": "magnesium_form",
                "outcomes": ["side_effects"],
            },
        ],
        "who_answered": ["age", "magnesium_form"],
        "cannot_say": ["Who answered: people who do well may be keener to answer."],
        "evidence": [
            {"text": "Magnesium chloride for one month: no difference in stress.", "source": "PMC9145501 (2022)"}
        ],
        "safety": [
            "Kidney disease: magnesium can build up in the blood.",
            "Antibiotics and magnesium bind each other.",
        ],
        "ask": "Ask a pharmacist or doctor before you change anything.",
    }
    return Instrument.model_validate(described | changes)


def music(better: str | None = "lower") -> Instrument:
    """A survey of another community: everything asked once, nothing called primary, no medicine."""
    genres = {"rock": "Rock", "jazz": "Jazz", "classical": "Classical"}
    often = [{"name": "often", "label": "7 or more", "source": "The community's own choice", "at_least": 7}]
    return Instrument.model_validate(
        {
            "name": "music",
            "title": "Music and mood",
            "version": "1",
            "community": "Listeners' club",
            "about": "What members listen to, and how they feel.",
            "form": "genre",
            "dose": "hours",
            "items": {
                "genre": _choice("Favourite genre", genres),
                "hours": {
                    "label": "Hours a day",
                    "question": "Hours?",
                    "theme": "dose",
                    "kind": "number",
                    "role": "exposure",
                }
                | {"bands": [{"code": "low", "label": "Under 2", "below": 2}, {"code": "high", "label": "2 or more"}]},
                "anxiety": _scale("Anxiety", better, thresholds=often),
                "insomnia": _scale("Insomnia", better),
            },
            "tables": [
                {
                    "name": "form_by_outcome",
                    "title": "Genre by mood",
                    "exposure": "genre",
                    "outcomes": ["anxiety", "insomnia"],
                },
                {"name": "dose_by_outcome", "title": "Hours by mood", "exposure": "hours", "outcomes": ["anxiety"]},
            ],
            "who_answered": ["genre"],
        }
    )


def row(table: str, exposure: str, level: str, outcome: str, statistic: str, value: float | None, **more: Any) -> Row:
    """A row with a range of a plain width around its value; without a value, a suppressed one."""
    width = 0.1 if statistic.startswith(("share", "responder", "points", "often")) else 0.5
    shown = value is not None
    numbers: dict[str, Any] = dict.fromkeys(names.NUMBERS) | {"status": Status.SUPPRESSED}
    if value is not None:
        ends = {"ci_lower": round(value - width, 2), "ci_upper": round(value + width, 2)}
        numbers = {
            "estimate": value,
            "standard_error": width / 2,
            **ends,
            "n_respondents": 60,
            "n_missing": None,
            "status": Status.OK,
        }
    words = {"instrument": "test", "wave": "2026-1", "table": table, "exposure": exposure, "level": level}
    return Row.model_validate(
        {**words, "outcome": outcome, "statistic": statistic, **numbers, **(more if shown else {})}
    )


def rows_of(
    table: str, exposure: str, levels: tuple[str, ...], values: dict[tuple[str, str], float], hide: bool
) -> list[Row]:
    """Every statistic at every level: each level a little higher than the one before, tiny ones hidden."""
    made = []
    for (outcome, statistic), start in values.items():
        step = 0.03 if 0 < start < 1 else 0.2
        for place, level in enumerate((names.ALL_LEVELS, *levels)):
            value = None if hide or level in TINY else round(start + step * (place * 5 % 7), 2)
            n = 400 if level == names.ALL_LEVELS else 25 + 5 * place
            status = (
                Status.MERGED if level.startswith("Other") else Status.UNRELIABLE if level == "Chloride" else Status.OK
            )
            made.append(row(table, exposure, level, outcome, statistic, value, n_respondents=n, status=status))
    return made


WAVE_OF = {"instrument": "magnesium_test", "wave": "2026-1"}
IN_GRID = {"family": "grid", "family_size": 40, "p_adjusted": 0.1, "adjustment": "benjamini_hochberg"}


def comparison(level: str, compared_with: str, outcome: str, estimate: float | None, **more: Any) -> ComparisonRow:
    """Two forms compared in their mean change, or in what `more` says; without an estimate it is hidden."""
    words = {**WAVE_OF, "table": "form_by_outcome", "exposure": "magnesium_form", "level": level, "outcome": outcome}
    numbers = {"estimate": estimate, "standard_error": 0.3, "ci_lower": -1.5, "ci_upper": -0.3, **IN_GRID}
    numbers |= {"n_respondents": 60, "n_compared": 40, "p_value": 0.01}
    if estimate is None:
        numbers = dict.fromkeys(numbers)
    status = Status.OK if estimate is not None else Status.SUPPRESSED
    words |= {"compared_with": compared_with, "statistic": "difference_mean_change", "status": status}
    return ComparisonRow.model_validate({**words, **numbers, **more})


def tested(outcome: str, statistic: str, p_value: float | None = 0.02, **more: Any) -> TestRow:
    """A test over all levels: over doses with a direction for a trend, else over forms."""
    trend = statistic in ("jonckheere_terpstra", "cochran_armitage", "worst_case_direction")
    table, exposure = ("dose_by_outcome", "dose") if trend else ("form_by_outcome", "magnesium_form")
    words = {**WAVE_OF, "table": table, "exposure": exposure, "outcome": outcome, "statistic": statistic}
    numbers = {"test_statistic": None, "degrees_of_freedom": None, "degrees_of_freedom_2": None, "p_value": p_value}
    counts = {"n_levels": 5, "n_respondents": 240, "direction": "down" if trend else None, "status": Status.OK}
    return TestRow.model_validate({**words, **numbers, **counts, **IN_GRID, **more})


_CHANGES = {"pain": -2.1, "sleep": 0.4, "fog": -0.9}
_BEFORE_AND_AFTER = {
    (name, statistic): start
    for name, change in _CHANGES.items()
    for statistic, start in (
        ("mean_baseline", 6.1),
        ("mean", 4.6),
        ("mean_change", change),
        ("median", 5.0),
        ("median_change", -1.0),
    )
}
_RESPONDERS = {("pain", "responder_30"): 0.25, ("pain", "responder_50"): 0.11, ("pain", "points_2"): 0.22}
_SIDE_EFFECTS = {
    (f"side_effects__{code}", "share"): start
    for code, start in (("diarrhoea", 0.14), ("stomach", 0.21), ("other", 0.12))
}


def release(instrument: Instrument, rows: list[Row], wave: str = "2026-1", **changes: Any) -> Release:
    """A release around rows, with the levels that stand in them."""
    used = [one.model_copy(update={"instrument": instrument.name, "wave": wave}) for one in rows]
    levels: dict[str, dict[str, PublishedLevel]] = {}
    for one in used:
        merged = one.level.startswith("Other forms")
        made_of = ("Sulfate", "Threonate") if merged else (one.level,)
        if one.level != names.ALL_LEVELS:
            level = {"code": "level", "label": one.level, "made_of": made_of, "members": ("level",), "merged": merged}
            levels.setdefault(one.exposure, {})[one.level] = PublishedLevel.model_validate(level)
    summary = {name: getattr(instrument, name) for name in ("name", "title", "version", "fingerprint")}
    stages = (
        StageCount(stage="read", label="Rows read", n=430, hidden=False),
        StageCount(stage="quarantined", label="Refused", n=None, hidden=True),
        StageCount(stage="kept", label="Answers used", n=400, hidden=False),
    )
    fields: dict[str, Any] = {
        "instrument": InstrumentSummary(**summary),
        "wave": wave,
        "release_number": 1,
        "correction": None,
        "provenance": names.INVENTED,
        "inputs_sha256": ("ab12" * 16,),
        "policy": Policy(),
        "stages": stages,
        "levels": {exposure: tuple(found.values()) for exposure, found in levels.items()},
        "rows": tuple(used),
    }
    return Release(**(fields | changes))


def magnesium_rows(
    hide: bool = False, forms: tuple[str, ...] = (*FORMS, *TINY), doses: tuple[str, ...] = DOSES
) -> list[Row]:
    """All tables of the magnesium release; with `hide`, every number in them suppressed."""
    pain_and_sleep = {key: value for key, value in _BEFORE_AND_AFTER.items() if key[0] != "fog"}
    return [
        *rows_of("form_by_outcome", "magnesium_form", forms, {**_RESPONDERS, **_BEFORE_AND_AFTER}, hide),
        *rows_of("dose_by_outcome", "dose", doses, {**_RESPONDERS, **pain_and_sleep}, hide),
        *rows_of("form_by_side_effect", "magnesium_form", forms, _SIDE_EFFECTS, hide),
        *who_answered("age", ("18 to 39", "40 to 59", "60 and over"), hide),
    ]


def who_answered(exposure: str, levels: tuple[str, ...], hide: bool = False) -> list[Row]:
    table, respondents = names.WHO_ANSWERED, names.RESPONDENTS
    total = row(table, respondents, names.ALL_LEVELS, respondents, "count", None if hide else 400.0, n_respondents=400)
    bare = {"standard_error": None, "ci_lower": None, "ci_upper": None}
    shares = [None if hide else round(0.2 + 0.1 * place, 2) for place in range(len(levels))]
    return [
        total.model_copy(update=bare),
        *(
            row(table, exposure, level, respondents, "share", share)
            for level, share in zip(levels, shares, strict=True)
        ),
    ]


def magnesium_release(hide: bool = False, wave: str = "2026-1", **changes: Any) -> Release:
    return release(magnesium(), magnesium_rows(hide), wave, **changes)


def music_release(instrument: Instrument | None = None) -> Release:
    once = {("anxiety", "mean"): 5.2, ("anxiety", "median"): 5.0, ("anxiety", "often"): 0.31, ("insomnia", "mean"): 3.1}
    anxiety = {key: value for key, value in once.items() if key[0] == "anxiety"}
    rows = [
        *rows_of("form_by_outcome", "genre", ("Rock", "Jazz", "Classical"), once, hide=False),
        *rows_of("dose_by_outcome", "hours", ("Under 2", "2 or more"), anxiety, hide=False),
        *who_answered("genre", ("Rock", "Jazz", "Classical")),
    ]
    return release(instrument or music(), rows, provenance=names.REAL)

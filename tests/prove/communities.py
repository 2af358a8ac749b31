"""Invented communities that are asked again and again, and whose answers are corrected now and then.

What belongs here: the survey, its people and their answers wave by wave, late answers, mended ones and people who go. What
does not: releases.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import polars as pl
from builders import item, options, percent, scale, with_gaps

from survey_pipeline.instrument import Instrument
from survey_pipeline.schema import responses_schema

Seed = tuple[int, ...]
Rng = np.random.Generator
Words = npt.NDArray[np.str_]
Event = Literal["late", "changed", "withdrawn", "other bands"]
EVENTS: tuple[Event, ...] = ("late", "changed", "withdrawn", "other bands")
PERSON = "person"
"""The column that says which answers are one person's in two exports: known here, told to nobody."""
PEOPLE = (100, 3000)
WAVES = (3, 8)
GROWTH = (0.7, 1.4)
RARE = (0.005, 0.03)
MOST_MISSING = 0.1
CHANCE_OF_AN_EVENT = 0.3
MOST_EVENTS = 2
SIZES_OF_EVENTS = (1, 60)
FORMS = ("citrate", "malate", "glycinate", "oxide", "chloride", "taurate")
NONE = "none"
SIDES = ("nausea", "cramps", "rash", "palpitations")
AGES = (18.0, 90.0)
DOSES = {50.0: 0.15, 100.0: 0.2, 125.0: 0.01, 200.0: 0.09, 250.0: 0.2, 300.0: 0.15, 400.0: 0.12, 600.0: 0.08}
"""How frequent each dose is; one is rare that the usual bands and the other ones count in different bands."""


@dataclass(frozen=True)
class Export:
    """What a steward holds of a wave at one time: everybody's answers with the person, and the bands that are published.
    `wave` counts from 0.
    """

    wave: int
    answers: pl.DataFrame
    bands: str
    because: str

    @property
    def responses(self) -> pl.DataFrame:
        return self.answers.drop(PERSON)

    @property
    def instrument(self) -> Instrument:
        return survey(self.bands)


@dataclass(frozen=True)
class Habits:
    """What the people of a community are like."""

    forms: tuple[float, ...]
    sides: tuple[float, ...]
    kidney: float
    stopped: float
    missing: float
    effect: float


# --- The survey ---------------------------------------------------------------------------------------------------------

BANDS = {
    "usual": [("low", 150.0), ("middle", 300.0), ("high", None)],
    "other": [("low", 100.0), ("lower", 200.0), ("middle", 300.0), ("high", None)],
}
WIDER = {"usual": 200.0, "other": 250.0}
TAKES = {"item": "form", "values": list(FORMS), "otherwise": "Takes none"}


@cache
def survey(bands: str = "usual") -> Instrument:
    """The survey; `bands` says in which bands its doses are published."""
    return Instrument.model_validate(
        {
            "name": "proof_survey",
            "title": "Test",
            "version": "1" if bands == "usual" else "2",
            "community": "testers",
            "about": "Test.",
            "form": "form",
            "dose": "dose",
            "items": {**_about_people(bands), **_outcomes()},
            "tables": _tables(),
            "who_answered": ["sex", "form", "age"],
        }
    )


def _about_people(bands: str) -> dict[str, Any]:
    groups = [
        {"code": "salts", "label": "Salts", "of": ["oxide", "chloride"]},
        {"code": "chelates", "label": "Chelates", "of": ["glycinate", "taurate"]},
    ]
    nothing = {"code": NONE, "label": "None", "exclusive": True}
    return {
        "form": item("Form", "choice", "exposure", options=[*options(*FORMS), nothing], groups=[groups]),
        "dose": item(
            "Dose",
            "number",
            "exposure",
            applies_if=TAKES,
            bands=_bands(*BANDS[bands]),
            wider_bands=[_bands(("small", WIDER[bands]), ("large", None))],
        ),
        "age": item("Age", "number", "exposure", bands=_bands(("young", 40.0), ("middle", 60.0), ("old", None))),
        "sex": item("Sex", "choice", "stratum", options=options("female", "male", "other")),
    }


def _bands(*ends: tuple[str, float | None]) -> list[dict[str, Any]]:
    return [
        {"code": code, "label": code.capitalize() if end is None else f"{code.capitalize()}, to {end:g}"}
        | ({} if end is None else {"up_to": end})
        for code, end in ends
    ]


def _outcomes() -> dict[str, Any]:
    reached = [percent("responder_30", 30, primary=True), percent("responder_50", 50)]
    well = {"name": "slept_well", "label": "Well", "source": "test", "at_least": 7}
    return {
        "pain_before": scale("Pain before", "baseline"),
        "pain": scale("Pain", baseline="pain_before", better="lower", primary=True, thresholds=reached),
        "sleep_before": scale("Sleep before", "baseline"),
        "sleep": scale("Sleep", baseline="sleep_before", better="higher", thresholds=[well]),
        "side": item("Side effects", "choices", "safety", options=options(*SIDES, NONE)),
        "stopped": item("Stopped", "yes_no", "safety"),
        "reduced": item("Reduced", "yes_no", "safety", applies_if=TAKES),
        "kidney": item("Kidney", "yes_no", "safety"),
    }


def _tables() -> list[dict[str, Any]]:
    def table(name: str, outcomes: Sequence[str], exposure: str | None = None, **more: str) -> dict[str, Any]:
        return {"name": name, "title": name, "exposure": exposure, "outcomes": list(outcomes), **more}

    return [
        table("form_by_outcome", ["pain", "sleep"], "form"),
        table("dose_by_outcome", ["pain"], "dose"),
        table("age_by_outcome", ["sleep"], "age"),
        table("form_by_side", ["side", "stopped", "reduced"], "form"),
        table("dose_by_side", ["stopped", "reduced"], "dose"),
        table("form_by_sex", ["stopped"], "form", by="sex"),
        table("counts", ["kidney"], shows="counts"),
    ]


# --- People -------------------------------------------------------------------------------------------------------------


def exports(seed: Seed) -> Iterator[Export]:
    """What the steward of a community holds, in the order of time: each wave, and each time that it changes."""
    rng = np.random.default_rng(seed)
    habits, n = _habits(rng), float(np.exp(rng.uniform(*np.log(PEOPLE))))
    for wave in range(int(rng.integers(WAVES[0], WAVES[1] + 1))):
        export = Export(wave, answers_of(round(n), habits, rng), "usual", "new")
        yield export
        for _ in range(MOST_EVENTS):
            if rng.random() < CHANCE_OF_AN_EVENT:
                export = changed(export, habits, rng)
                yield export
        n = float(np.clip(n * rng.uniform(*GROWTH), *PEOPLE))


def _habits(rng: Rng) -> Habits:
    forms = rng.dirichlet((6, 5, 4, 2, 1.5, 0.7, 3))
    sides = (*rng.uniform(0.05, 0.25, 2), *rng.uniform(*RARE, 2))
    return Habits(
        tuple(forms.tolist()),
        sides,
        kidney=rng.uniform(*RARE),
        stopped=rng.uniform(0.03, 0.2),
        missing=rng.uniform(0, MOST_MISSING),
        effect=rng.uniform(0, 2.5),
    )


def answers_of(n: int, habits: Habits, rng: Rng, first: int = 0) -> pl.DataFrame:
    """`n` people's answers; people are numbered from `first` on."""
    pain, sleep = _scores(n, -habits.effect, rng), _scores(n, habits.effect, rng)
    form = rng.choice((*FORMS, NONE), n, p=habits.forms)
    sides = {f"side__{name}": rng.random(n) < chance for name, chance in zip(SIDES, habits.sides, strict=True)}
    found: dict[str, Any] = {
        "form": form,
        "dose": rng.choice(list(DOSES), n, p=list(DOSES.values())),
        "age": np.clip(np.round(rng.normal(48, 14, n)), *AGES),
        "sex": rng.choice(("female", "male", "other"), n, p=(0.83, 0.15, 0.02)),
        **{"pain_before": pain[0], "pain": pain[1], "sleep_before": sleep[0], "sleep": sleep[1]},
        **sides,
        f"side__{NONE}": ~np.any(list(sides.values()), axis=0),
        "stopped": rng.random(n) < habits.stopped,
        "reduced": rng.random(n) < 2 * habits.stopped,
        "kidney": rng.random(n) < habits.kidney,
    }
    asked = with_gaps(pl.DataFrame(found, schema_overrides=_types(found)), rng, habits.missing)
    return _only_concerned(asked).with_columns(pl.Series(PERSON, np.arange(first, first + n)))


def _scores(n: int, effect: float, rng: Rng) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    before = np.clip(np.round(rng.normal(5, 2.6, n)), 0, 10)
    return before, np.clip(np.round(before + effect + rng.normal(0, 1.8, n)), 0, 10)


def _types(found: dict[str, Any]) -> dict[str, Any]:
    columns = responses_schema(survey()).columns
    return {name: columns[name].dtype.type for name in found}


def _only_concerned(answers: pl.DataFrame) -> pl.DataFrame:
    """Who takes none was not asked for a dose."""
    concerned = pl.col("form").is_in(TAKES["values"]).fill_null(True)
    return answers.with_columns(pl.when(concerned).then(pl.col(name)).alias(name) for name in ("dose", "reduced"))


# --- What changes -------------------------------------------------------------------------------------------------------


def changed(export: Export, habits: Habits, rng: Rng) -> Export:
    """The same wave after something happened: late answers, mended ones, people who went, or other bands for the doses."""
    event = EVENTS[int(rng.integers(len(EVENTS)))]
    some = min(round(float(np.exp(rng.uniform(*np.log(SIZES_OF_EVENTS))))), export.answers.height // 4)
    if event == "other bands":
        return replace(export, bands="other" if export.bands == "usual" else "usual", because=event)
    chosen = rng.permutation(export.answers.height)
    if event == "withdrawn":
        return replace(export, answers=export.answers[np.sort(chosen[some:])], because=event)
    first = _next_person(export.answers)
    new = answers_of(some, habits, rng, first)
    if event == "changed":
        new = new.with_columns(export.answers[PERSON].gather(chosen[:some]))
        kept = export.answers[np.sort(chosen[some:])]
        return replace(export, answers=pl.concat([kept, new]), because=event)
    return replace(export, answers=pl.concat([export.answers, new]), because=event)


def _next_person(answers: pl.DataFrame) -> int:
    return int(answers[PERSON].to_numpy().max()) + 1


def differences(new: pl.DataFrame, old: pl.DataFrame) -> tuple[int, int]:
    """How many people's answers are only in the new export, and how many only in the old one: a changed answer is both."""
    columns = new.columns
    both = pl.concat([new.with_columns(side=1), old.select(columns).with_columns(side=-1)])
    sums = both.group_by(columns).agg(pl.col("side").sum())["side"].to_numpy()
    return int(sums[sums > 0].sum()), int(-sums[sums < 0].sum())

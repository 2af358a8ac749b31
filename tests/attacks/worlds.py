"""Worked tables: small surveys with people who answered so that an attack would work, were nothing done against it.

What belongs here: questions, people and releases made of them as the pipeline does. What does not: attacks, and defences.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from builders import export_report, item, options, people, scale

from survey_pipeline import assemble
from survey_pipeline.count import tally
from survey_pipeline.errors import NotSafeToPublish
from survey_pipeline.instrument import Instrument
from survey_pipeline.proof.told import Told
from survey_pipeline.release import Policy, Release

POLICY = Policy()
"""What everything is published under; it is a defence itself."""
WAVE = "2026-01"
FORMS = ("citrate", "malate", "oxide")
Group = tuple[int, Mapping[str, object]]
"""So many people with the same answers."""
SCALE = (1, 7)
"""The ends of the scale of mood."""


# --- Questions ----------------------------------------------------------------------------------------------------------


def table(*outcomes: str, exposure: str | None = "form", **more: str) -> dict[str, Any]:
    """A table of some outcomes; without an exposure, of everybody."""
    name = "_".join((exposure or "everybody", *more.values(), *outcomes))
    return {"name": name, "title": name, "exposure": exposure, "outcomes": list(outcomes), **more}


def bands(*ends: float) -> list[dict[str, Any]]:
    """Stretches of a dose up to each end, and beyond the last."""
    found = [{"code": f"to_{end:g}", "label": f"To {end:g}", "up_to": end} for end in ends]
    return [*found, {"code": f"over_{ends[-1]:g}", "label": f"Over {ends[-1]:g}"}]


def asked(*tables: dict[str, Any], ends: Sequence[float] = (250,), **items: dict[str, Any]) -> Instrument:
    """A survey with these tables, of a form, a dose in bands, mood and whether one stopped; `items` add or replace some."""
    described = {
        "form": item("Form", "choice", "exposure", options=options(*FORMS)),
        "dose": item("Dose", "number", "exposure", bands=bands(*ends)),
        "mood": scale("Mood", minimum=SCALE[0], maximum=SCALE[1], better="higher"),
        "stopped": item("Stopped", "yes_no", "safety"),
        "sex": item("Sex", "choice", "stratum", options=options("female", "male")),
        **items,
    }
    who = sorted({"form", *(one["exposure"] for one in tables if one["exposure"])})
    about = {"name": "small", "title": "Small", "version": "1", "community": "members", "about": "A test."}
    return Instrument.model_validate(
        {**about, "form": "form", "dose": "dose", "items": described, "tables": tables, "who_answered": who}
    )


# --- Releases -----------------------------------------------------------------------------------------------------------


def released(instrument: Instrument, *groups: Group, rows_read: int | None = None, **excluded: int) -> Release:
    """The release of these people's answers, as things stand."""
    return release_of(instrument, people(instrument, *groups), rows_read, **excluded)


def release_of(instrument: Instrument, answers: pl.DataFrame, rows_read: int | None = None, **excluded: int) -> Release:
    report = export_report(rows_read or answers.height, answers.height, **excluded)
    made = assemble.make_release(tally(answers, instrument), instrument, POLICY, WAVE, [report])
    assert any(row.estimate is not None for row in made.rows), "where nothing is published, no attack says anything"
    return made


def released_twice(first: Instrument, second: Instrument, *groups: Group) -> list[Release]:
    """A release and, if one can be had, a correction: the same answers to an instrument that was mended."""
    answers = people(first, *groups)
    original, report = release_of(first, answers), export_report(answers.height, answers.height)
    try:
        mended = assemble.make_release(
            tally(answers, second),
            second,
            POLICY,
            WAVE,
            [report],
            ledger=[original],
            correction="Other bands",
            same_people=[Told(original, first)],
        )
    except NotSafeToPublish:
        return [original]
    return [original, mended]


def yes_of(n: int, yes: int, question: str, **answers: object) -> tuple[Group, Group]:
    """So many people with these answers, of whom so many say yes to a question."""
    return (yes, {**answers, question: True}), (n - yes, {**answers, question: False})

"""Tables and outcomes: what an instrument's tables unfold to, how numbers are held against limits, and who left what out."""

from math import isnan
from typing import Any

import numpy as np
import polars as pl
import pytest
from builders import item, options, people, percent, scale, survey

from survey_pipeline.count import columns_needed, tally
from survey_pipeline.instrument import Instrument, Threshold, load_instrument
from survey_pipeline.outcomes import YES_OR_NO, Grid, Outcome, Table, exposures, reached, tables, worst_cases

EU = {"code": "eu", "label": "Above 250", "above": 250, "source": "test"}
US = {"code": "us", "label": "Above 350", "above": 350, "source": "test"}
ORAL = {"item": "by_mouth", "values": ["oral"], "otherwise": "No dose"}
BANDS = [{"code": "low", "label": "Under 200", "below": 200}, {"code": "high", "label": "200 and over"}]
WORDS = item("Words", "dose", "detail", compounds=[{"code": "oxide", "texts": ["oxide"], "elemental_percent": [60.3]}])


def dose(**more: Any) -> dict[str, Any]:
    return item("Dose", "number", "exposure", **{"applies_if": ORAL, "bands": BANDS, "limits": [EU, US], **more})


def with_tables(*specs: dict[str, Any], **items: Any) -> Instrument:
    """The test survey with tables of these alone, each a keyword dictionary without title."""
    described = survey(**items).model_dump(mode="json", exclude_defaults=True)
    given = [{"title": "T", **spec} for spec in specs]
    return Instrument.model_validate(described | {"tables": given, "who_answered": []})


READ = with_tables(
    {"name": "by_dose", "exposure": "dose", "outcomes": ["pain", "mood"]},
    {"name": "above", "exposure": "form", "outcomes": ["dose"]},
    {"name": "counted", "exposure": "dose", "outcomes": ["effect"], "shows": "counts"},
    words=WORDS,
    dose=dose(readings="words"),
)
SALTS = [
    {"code": "oxide", "texts": ["oxide"], "elemental_percent": [60.0]},
    {"code": "citrate", "texts": ["citrate"], "elemental_percent": [16.0, 11.0, 12.0]},
]
TOLD = with_tables(
    {"name": "by_dose", "exposure": "dose", "outcomes": ["pain"]},
    {"name": "above", "outcomes": ["dose"]},
    words=item("Words", "dose", "detail", compounds=SALTS),
    said=item("Said", "choice", "detail", options=options("label_elemental", "compound", "unsure")),
    dose=dose(readings="words", basis="said"),
)
"""The same, where people are asked which weight their words mean."""


def words(
    low: float,
    high: float,
    basis: str = "unknown",
    written: tuple[float, float] | None = None,
    compound: str | None = None,
) -> dict[str, Any]:
    """A dose in words as it is stored."""
    ends = written or (high, high)
    parts = {"low": low, "high": high, "written_low": ends[0], "written_high": ends[1]}
    return {f"words__{end}_mg_per_day": mg for end, mg in parts.items()} | {
        "words__basis": basis,
        "words__compound": compound,
    }


def answers(found: pl.DataFrame, outcome: str, exposure: str = "everybody") -> dict[float | str | None, int]:
    """How many people gave each value of an outcome; None did not answer, and "?" are not concerned."""
    mine = found.filter((pl.col("exposure") == exposure) & (pl.col("outcome") == outcome))
    counted = mine.group_by("follow_up_value").agg(pl.col("n_respondents").sum())
    return {"?" if value is not None and isnan(value) else value: n for value, n in counted.iter_rows()}


# --- Tables ---------------------------------------------------------------------------------------------------------------


def test_a_table_without_exposure_is_about_everybody_and_one_with_two_is_a_crossing() -> None:
    found = with_tables(
        {"name": "all_of_us", "outcomes": ["effect"], "shows": "counts"},
        {"name": "crossed", "exposure": "form", "by": "sex", "outcomes": ["pain"]},
    )
    assert [(table.name, table.exposure, table.shows) for table in tables(found)] == [
        ("all_of_us", "everybody", "counts"),
        ("crossed", "form_by_sex", "everything"),
        ("item_nonresponse", "everybody", "everything"),
    ]
    # The items of a crossing are counted too, so that its rows and columns can be held against them.
    assert set(exposures(found)) == {"everybody", "form_by_sex", "form", "sex"}
    assert [outcome.name for outcome in exposures(found)["sex"]] == ["respondents"]


def test_tables_of_a_dose_are_made_again_for_each_reading_with_what_is_primary() -> None:
    named = [(table.name, table.exposure, [o.name for o in table.outcomes]) for table in tables(READ)]
    assert named[:3] == [
        ("by_dose", "dose", ["pain", "mood"]),
        ("by_dose", "dose__label_elemental", ["pain"]),
        ("by_dose", "dose__compound", ["pain"]),
    ]
    assert [name for name, *_ in named[3:]] == ["above", "counted", "item_nonresponse"]
    assert [(table.name, table.exposure) for table in worst_cases(READ)] == [("by_dose", "dose__worst_case")]
    assert [outcome.name for outcome in exposures(READ)["dose__worst_case"]] == ["respondents", "pain"]


def test_a_dose_without_words_is_read_once() -> None:
    plain = with_tables({"name": "by_dose", "exposure": "dose", "outcomes": ["pain"]})
    assert [table.exposure for table in tables(plain)] == ["dose", "everybody"] and worst_cases(plain) == ()


def test_in_a_wave_without_the_words_nothing_is_read_again() -> None:
    later = READ.model_copy(
        update={"items": READ.items | {"words": READ.items["words"].model_copy(update={"since": "2027"})}}
    )
    assert worst_cases(later.in_wave("2026")) == () and worst_cases(later.in_wave("2027")) != ()


def test_a_wave_without_one_item_of_a_crossing_has_no_crossing() -> None:
    found = with_tables(
        {"name": "crossed", "exposure": "form", "by": "sex", "outcomes": ["pain"]},
        {"name": "all_of_us", "outcomes": ["effect"]},
        sex=item("Sex", "choice", "stratum", options=options("female", "male"), since="2027"),
    )
    assert [table.name for table in tables(found.in_wave("2026"))] == ["all_of_us", "item_nonresponse"]
    assert [table.name for table in tables(found.in_wave("2027"))] == ["crossed", "all_of_us", "item_nonresponse"]


def test_outcomes_say_what_they_are_about() -> None:
    found = {outcome.name: outcome for table in tables(READ) for outcome in table.outcomes}
    assert found["pain"].item == "pain" and found["sex__left_out"].item == "sex"
    assert found["dose__above_eu"].item == "dose" and found["dose__above_eu"].reading is None
    read = {name: outcome.reading for name, outcome in found.items() if name.startswith("dose__above_us__")}
    assert read == {f"dose__above_us__{one}": one for one in ("label_elemental", "compound", "worst_case")}


def test_names_of_outcomes_are_different_in_the_shipped_survey() -> None:
    shipped = load_instrument("magnesium")
    for table in tables(shipped):
        names = [outcome.name for outcome in table.outcomes]
        assert len(names) == len(set(names)), table.name
    by_name: dict[str, Outcome] = {}
    for outcomes in exposures(shipped).values():
        for outcome in outcomes:
            assert by_name.setdefault(outcome.name, outcome) == outcome


def test_the_shipped_survey_has_the_tables_of_its_mission() -> None:
    shipped = {table.name: table for table in reversed(tables(load_instrument("magnesium")))}
    assert set(shipped) >= {
        *(
            "form_by_outcome",
            "dose_by_outcome",
            "form_by_dose_by_outcome",
            "form_by_side_effect",
            "dose_by_side_effect",
        ),
        *("why_stopped", "above_upper_levels", "safety_counts", "route_by_outcome", "divided_doses_by_outcome"),
        *("weeks_taken_by_outcome", "form_by_companion", "monitoring", "who_answered", "item_nonresponse"),
    }
    assert shipped["safety_counts"] == Table(
        "safety_counts", "everybody", shipped["safety_counts"].outcomes, shows="counts"
    )
    assert {outcome.item for outcome in shipped["form_by_dose_by_outcome"].outcomes} == {
        *("pain", "stiffness", "fatigue", "sleep_quality", "stress"),
    }


# --- Limits ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("mg", "eu", "us"), [(250, 0.0, 0.0), (250.1, 1.0, 0.0), (350, 1.0, 0.0), (350.1, 1.0, 1.0)])
def test_the_value_of_a_limit_is_not_above_it(mg: float, eu: float, us: float) -> None:
    found = tally(people(READ, (3, {"by_mouth": "oral", "dose": mg})), READ)
    assert answers(found, "dose__above_eu", "form") == {eu: 3}
    assert answers(found, "dose__above_us", "form") == {us: 3}


def test_who_did_not_answer_or_has_no_dose_is_neither_above_nor_below() -> None:
    on_the_skin, silent = {"by_mouth": "skin", "dose": 900.0, **words(700, 900)}, {"by_mouth": "oral"}
    found = tally(people(READ, (2, on_the_skin), (3, silent)), READ)
    for reading in ("", "__label_elemental", "__compound", "__worst_case"):
        assert answers(found, f"dose__above_eu{reading}", "form") == {"?": 2, None: 3}


@pytest.mark.parametrize(
    ("said", "elemental", "compound", "worst"),
    [
        (words(241, 400), 1.0, 0.0, 1.0),  # 400 mg oxide: elemental or compound, nobody knows
        (words(241, 241, "compound", (400, 400)), 0.0, 0.0, 0.0),  # the compound was weighed
        (words(300, 300, "label_elemental"), 1.0, 1.0, 1.0),
        (words(200, 320, "compound", (400, 800)), 1.0, 1.0, 1.0),  # its middle, 260, in both readings
        (words(200, 300, "label_elemental", (200, 300)), 0.0, 0.0, 1.0),  # a range: its middle is 250, the highest 300
        (words(60, 400, "unknown", (100, 400)), 0.0, 0.0, 1.0),  # the middle of what was written is 250
        (words(60, 402, "unknown", (100, 402)), 1.0, 0.0, 1.0),
        ({"dose": 251.0}, 1.0, 1.0, 1.0),  # no words that could be read: what was answered
        ({"dose": 250.0}, 0.0, 0.0, 0.0),
        ({"dose": 900.0, **words(100, 100, "label_elemental")}, 0.0, 0.0, 0.0),  # the words count, not the number
    ],
)
def test_each_reading_holds_its_own_dose_against_the_limit(
    said: dict[str, Any], elemental: float, compound: float, worst: float
) -> None:
    found = tally(people(READ, (1, {"by_mouth": "oral"} | said)), READ)
    for reading, above in (("label_elemental", elemental), ("compound", compound), ("worst_case", worst)):
        assert answers(found, f"dose__above_eu__{reading}", "form") == {above: 1}


# --- Who left what out ------------------------------------------------------------------------------------------------------


ASKED = with_tables(
    {"name": "all_of_us", "outcomes": ["effect"]},
    words=item("Words", "dose", "detail"),
    agreed=item("Agreed", "text", "consent", consent_answer="yes"),
    code=item("Code", "text", "identifier"),
    remark=item("Remark", "text", "drop"),
    day=item("Day", "date", "diary"),
    born=item("Born", "date", "detail"),
    nausea_worse=item(
        "Worse", "yes_no", "safety", applies_if={"item": "side", "values": ["nausea"], "otherwise": "No"}
    ),
    when=item("When", "date", "detail", applies_if={"item": "stopped", "values": ["yes"], "otherwise": "Did not stop"}),
    about=item("About", "date", "detail", applies_if={"item": "remark", "values": ["yes"], "otherwise": "No remark"}),
)


def left_out(**given: object) -> set[str]:
    """The questions that somebody with these answers left out, and with a question mark those that do not concern them."""
    found = tally(people(ASKED, (1, given)), ASKED)
    (table,) = [table for table in tables(ASKED) if table.name == "item_nonresponse"]
    said = {outcome.item: answers(found, outcome.name) for outcome in table.outcomes}
    assert all(set(values.values()) == {1} for values in said.values())
    concerned = {name for name, values in said.items() if 1.0 in values}
    return concerned | {f"{name}?" for name, values in said.items() if "?" in values}


def test_every_stored_question_can_be_left_out_but_for_what_is_no_question_to_everybody() -> None:
    (table,) = [table for table in tables(ASKED) if table.name == "item_nonresponse"]
    asked = {outcome.item for outcome in table.outcomes}
    assert asked == set(ASKED.items) - {"agreed", "code", "remark", "day"}
    assert left_out() == asked  # whom nothing is known of, nobody sends away
    assert {"form", "side", "words"} <= asked


def test_an_answer_is_not_left_out_whatever_it_says() -> None:
    said = {"form": "mix", "stopped": False, "side__none": False, "side__nausea": False, "side__cramps": False}
    assert not {"form", "stopped", "side"} & left_out(**said)
    assert "words" in left_out(words__basis="unknown")  # the amount decides
    assert "words" not in left_out(words__low_mg_per_day=5.0)


@pytest.mark.parametrize(
    ("given", "question", "left", "concerned"),
    [
        ({"by_mouth": "oral"}, "dose", True, True),
        ({"by_mouth": "oral", "dose": 5.0}, "dose", False, True),
        ({"by_mouth": "skin"}, "dose", False, False),
        ({"by_mouth": "skin", "dose": 5.0}, "dose", False, False),
        ({"stopped": True}, "when", True, True),
        ({"stopped": False}, "when", False, False),
        ({"side__none": False, "side__nausea": True, "side__cramps": False}, "nausea_worse", True, True),
        ({"side__none": False, "side__nausea": False, "side__cramps": True}, "nausea_worse", False, False),
        ({}, "about", True, True),  # what would decide is not stored, so everybody is asked
    ],
)
def test_only_those_whom_a_question_concerns_can_leave_it_out(
    given: dict[str, object], question: str, left: bool, concerned: bool
) -> None:
    found = left_out(**given)
    assert (question in found, f"{question}?" not in found) == (left, concerned)


def test_counting_reads_only_the_columns_it_names() -> None:
    assert "said" in columns_needed(TOLD) and "said" not in columns_needed(READ)
    for instrument in (READ, TOLD, ASKED):
        given = people(instrument, (2, {"by_mouth": "oral"}), (1, {}))
        assert tally(given.select(columns_needed(instrument)), instrument).equals(tally(given, instrument))


# --- Responders -------------------------------------------------------------------------------------------------------------


def rule(**one: Any) -> Threshold:
    return Threshold(name="r", label="R", source="test", **one)


@pytest.mark.parametrize(
    ("threshold", "better", "before", "after", "expected"),
    [
        (rule(percent=30), "lower", 10, 7, (True, True)),
        (rule(percent=30), "lower", 10, 8, (False, True)),
        (rule(percent=30), "lower", 7, 4.9, (True, True)),  # 30 % of 7 is 2.1, in binary arithmetic too
        (rule(percent=30), "lower", 0, 0, (False, False)),
        (rule(percent=30), "higher", 5, 6.5, (True, True)),
        (rule(percent=30), "higher", 5, 3, (False, True)),
        (rule(percent=30), "lower", np.nan, 3, (False, False)),
        (rule(points=2), "lower", 0, 0, (False, True)),
        (rule(points=2), "lower", 4, 2, (True, True)),
        (rule(points=2), "lower", 4, np.nan, (False, False)),
        (rule(at_most=2), "lower", np.nan, 2, (True, True)),
        (rule(at_most=2), "lower", np.nan, 3, (False, True)),
        (rule(at_most=0), "lower", np.nan, 0, (True, True)),
        (rule(at_least=5), "higher", np.nan, 5, (True, True)),
        (rule(at_least=5), "higher", np.nan, np.nan, (False, False)),
    ],
)
def test_who_counts_as_a_responder_and_who_could(
    threshold: Threshold, better: str, before: float, after: float, expected: tuple[bool, bool]
) -> None:
    outcome = Outcome("pain", "pain", Grid(0, 1, 11), baseline="pain_before", better=better)
    responds, could = reached(threshold, outcome, np.array([before]), np.array([after]))
    assert (responds.item(), could.item()) == expected


def test_a_scale_carries_what_its_analysis_needs() -> None:
    more: dict[str, Any] = {"retest": {"lowest": 0.4, "highest": 0.8, "source": "test"}, "responder_curve": [10, 20]}
    found = survey(pain=scale("Pain", baseline="pain_before", better="lower", thresholds=[percent("r", 30)], **more))
    pain = next(outcome for table in tables(found) for outcome in table.outcomes if outcome.name == "pain")
    assert pain.retest is not None and (pain.retest.lowest, pain.retest.highest) == (0.4, 0.8)
    assert pain.responder_curve == (10, 20) and pain.grid != YES_OR_NO

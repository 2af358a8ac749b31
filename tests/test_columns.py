"""Which column is which item, and one text an item: missing is not "no"."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import polars as pl
import pytest
from club import club, club_with
from layouts import export_of

from survey_pipeline.errors import InputRefused
from survey_pipeline.exports import Column, Export
from survey_pipeline.exports.layout import Mark, Part
from survey_pipeline.ingest.columns import Match, OptionAt, item_texts, match_columns
from survey_pipeline.instrument import Instrument, Option
from survey_pipeline.names import NOT_A_TICK, NOTHING_TICKED
from survey_pipeline.reading import Reading, silently

EFFECTS = "Which side effects?"
TICK_ALL = ("Nausea", "Cramps, or worse", "Cramps, or worse, at night", "None of these")


def texts(instrument: Instrument, export: Export, item: str) -> list[str | None]:
    matches = match_columns(export, instrument)
    (batch,) = (rows for _, rows in export.batches(range(len(export.headings))))
    found: list[str | None] = item_texts(batch, export, matches, instrument).texts[item].to_list()
    return found


def option(text: str, *, seen: Mark | None = None, part: Part = Part.OPTION) -> Column:
    return Column(f"{EFFECTS} [{text}]", (f"{EFFECTS} [{text}]",), part, (EFFECTS,), (text,), seen)


def with_options(*more: Option, without: str = "") -> Instrument:
    """The club, with other options of side effects."""
    options = [option for option in club().items["side_effects"].options if option.code != without]
    return club_with("side_effects", options=[each.model_dump() for each in (*options, *more)])


def without_none() -> Instrument:
    """The club, with side effects among which there is no "none of these"."""
    return with_options(without="nothing")


# --- Matching ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ([Column(EFFECTS, (EFFECTS,))], Match(2)),
        ([Column("q7", ("q7", EFFECTS))], Match(2)),
        ([Column("SIDE_EFFECTS", ("SIDE_EFFECTS",))], Match(2)),
        ([Column("WHICH\u00a0side  effects? ", ("WHICH\u00a0side  effects? ",))], Match(2)),
        ([option("Nausea"), option("None of these")], Match(None, (OptionAt("nausea", 2), OptionAt("nothing", 3)))),
        ([option("nausea")], Match(None, (OptionAt("nausea", 2),))),
        ([option("A new one")], Match(None, (OptionAt("A new one", 2),))),
        ([Column(EFFECTS, (EFFECTS,)), option("Nausea")], Match(2, (OptionAt("nausea", 3),))),
        ([Column(EFFECTS, (EFFECTS,)), option("Other", part=Part.OTHER)], Match(2)),
        ([Column(EFFECTS, (EFFECTS,)), option("Nausea", part=Part.COMMENT)], Match(2)),
        ([Column("x", ("x", EFFECTS), Part.COMMENT)], None),
    ],
)
def test_an_item_is_found_by_its_question_its_code_or_its_options(
    columns: list[Column], expected: Match | None
) -> None:
    assert match_columns(export_of(columns), club()).get("side_effects") == expected


def test_an_option_in_the_survey_that_the_instrument_does_not_know_is_not_lost() -> None:
    columns = [option("Nausea"), option("A new one")]
    export = export_of(columns, [["Yes", None], [None, "Yes"], ["Yes", "Yes"]])
    refused = f"{NOT_A_TICK} A new one"
    assert texts(club(), export, "side_effects") == ["nausea", refused, f"nausea, {refused}"]


def test_two_columns_of_one_item_are_refused() -> None:
    with pytest.raises(InputRefused, match="Two columns"):
        match_columns(export_of([Column(EFFECTS, (EFFECTS,)), Column("again", ("again", EFFECTS))]), club())


@pytest.mark.parametrize(
    ("first", "second", "place"),
    [(Part.TOOL, Part.TOOL, 2), (Part.TOOL, Part.ANSWER, 3), (Part.ANSWER, Part.TOOL, 2)],
)
def test_an_answers_own_column_comes_before_one_of_the_tools_own(first: Part, second: Part, place: int) -> None:
    columns = [Column("submitdate", ("submitdate", "Timestamp"), first), Column("at", ("at", "Timestamp"), second)]
    assert match_columns(export_of(columns), club())["timestamp"] == Match(place)


# --- A column an option ---------------------------------------------------------------------------------------------------

TICKS: Mapping[str, tuple[Sequence[str | None], str | None]] = {
    "ticks as 1 and 0": (("1", "0", "0", "0"), "nausea"),
    "two ticks": (("1", "1", "0", "0"), "nausea, cramps"),
    "as the option's own text": ((None, "Cramps, or worse", None, None), "cramps"),
    "as its code": ((None, "cramps", None, None), "cramps"),
    "as Y and blank": (("Y", None, None, None), "nausea"),
    "as Checked": (("Unchecked", "Checked", "Unchecked", "Unchecked"), "cramps"),
    "none of these and another": (("1", "0", "0", "1"), "nausea, nothing"),
    "blank throughout": ((None, None, None, None), None),
    "a text that is no tick": (("perhaps", "0", "0", "0"), f"{NOT_A_TICK} perhaps"),
    "another option's text": (("Nausea", "Nausea", None, None), f"nausea, {NOT_A_TICK} Nausea"),
    "1 and 2 for yes and no": (("1", "2", "2", "2"), "nausea" + f", {NOT_A_TICK} 2" * 3),
    "-99 in one": (("1", "-99", "0", "0"), "nausea"),
}


@pytest.mark.parametrize("case", TICKS)
def test_ticks_become_the_options_ticked(case: str) -> None:
    cells, expected = TICKS[case]
    export = export_of([option(text) for text in TICK_ALL], [cells], missing=frozenset({"-99"}))
    assert texts(club(), export, "side_effects") == [expected]


@pytest.mark.parametrize(
    ("instrument", "cells", "expected"),
    [
        ("without none", ("0", "0", "0", "0"), NOTHING_TICKED),
        ("without none", ("0", None, None, None), NOTHING_TICKED),
        ("without none", (None, None, None, None), None),
        ("with none", ("0", "0", "0", "0"), None),
        ("with none", ("0", "0", "0", "1"), "nothing"),
    ],
)
def test_nothing_ticked_is_an_answer_only_where_no_option_stands_for_it(
    instrument: str, cells: Sequence[str | None], expected: str | None
) -> None:
    chosen = club() if instrument == "with none" else without_none()
    assert texts(chosen, export_of([option(text) for text in TICK_ALL], [cells]), "side_effects") == [expected]


@pytest.mark.parametrize(("state", "expected"), [("2", NOTHING_TICKED), ("0", None), (None, None)])
def test_a_form_that_nobody_opened_is_not_a_no(state: str | None, expected: str | None) -> None:
    seen = Mark(6, frozenset({"1", "2"}))
    columns = [*(option(text, seen=seen) for text in TICK_ALL), Column("complete", ("complete",), Part.TOOL)]
    assert texts(without_none(), export_of(columns, [["0", "0", "0", "0", state]]), "side_effects") == [expected]


def test_words_beside_other_tick_it_and_are_left_aside() -> None:
    club_and_other = with_options(Option(code="other", label="Other"))
    columns = [option("Nausea"), option("Other", part=Part.OTHER)]
    export = export_of(columns, [["Y", None], [None, "my own words"], ["Y", "my own words"], [None, None]])
    assert texts(club_and_other, export, "side_effects") == ["nausea", "other", "nausea, other", None]
    assert texts(club(), export, "side_effects") == ["nausea", None, "nausea", None]


# --- Labels and missing values ---------------------------------------------------------------------------------------------


def test_codes_stand_for_their_labels_in_closed_questions_only() -> None:
    labels = {"1": "Oxide", "2": "Citrate", "0": "No pain"}
    columns = [
        Column("stopped", ("stopped",), labels={"1": "Yes", "2": "No"}),
        Column("pain", ("pain",), labels=labels),
    ]
    export = export_of(columns, [["1", "2"], ["2", "0"], ["no", "7"]])
    assert texts(club(), export, "stopped") == ["Yes", "No", "no"]
    assert texts(club(), export, "pain") == ["2", "0", "7"]


def test_a_code_and_a_label_of_two_different_options_are_refused() -> None:
    columns = [Column("side", ("side_effects",), labels={"nausea": "Cramps, or worse", "2": "Nausea"})]
    found = texts(club(), export_of(columns, [["nausea"], ["2"], ["cramps"]]), "side_effects")
    assert found == [f"{NOT_A_TICK} nausea", "Nausea", "cramps"]


def test_what_the_file_or_the_tool_declares_as_missing_is_no_answer() -> None:
    columns = [Column("pain", ("pain",), missing=frozenset({"99"})), Column("stopped", ("stopped",))]
    export = export_of(columns, [["99", "-99"], ["9", "no"]], missing=frozenset({"-99"}))
    assert texts(club(), export, "pain") == [None, "9"]
    assert texts(club(), export, "stopped") == [None, "no"]


@pytest.mark.parametrize(
    ("labels", "cells", "expected"),
    [
        ({"1": "No", "2": "Yes"}, ("1", "2"), "cramps"),
        ({"0": "Yes", "1": "No"}, ("0", "1"), "nausea"),
        ({"1": "Selected", "0": "Not selected"}, ("1", "0"), "nausea"),
        ({"1": "Selected", "9": "Refused"}, ("9", "9"), None),
    ],
)
def test_the_files_own_labels_say_what_a_tick_is(
    labels: dict[str, str], cells: Sequence[str], expected: str | None
) -> None:
    columns = [replace(option(text), labels=labels) for text in TICK_ALL[:2]]
    assert texts(club(), export_of(columns, [cells]), "side_effects") == [expected]


def test_an_option_called_no_is_not_ticked_by_a_no() -> None:
    no = with_options(Option(code="n", label="No", exclusive=True), without="nothing")
    columns = [option("Nausea"), option("No")]
    export = export_of(columns, [["Yes", "No"], ["No", "Yes"], ["No", "No"]])
    assert texts(no, export, "side_effects") == ["nausea", "n", None]


def test_missing_is_not_other() -> None:
    club_and_other = with_options(Option(code="other", label="Other"))
    columns = [option("Nausea"), option("Other", part=Part.OTHER)]
    export = export_of(columns, [["1", "-99"], ["-99", "-99"], ["0", "n/a"]], missing=frozenset({"-99"}))
    assert texts(club_and_other, export, "side_effects") == ["nausea", None, None]


@pytest.mark.parametrize(
    ("whole", "nausea", "cramps", "expected"),
    [
        ("nausea cramps", "1", "1", "nausea, cramps"),
        ("nausea", "1", "0", "nausea"),
        ("nausea", None, None, "nausea"),
        (None, "1", "0", "nausea"),
        ("nausea cramps", "1", "0", f"{NOT_A_TICK} nausea cramps"),
        ("rash", "0", "0", "rash"),
        (None, None, None, None),
    ],
)
def test_a_cell_and_columns_of_one_question_must_agree(
    whole: str | None, nausea: str | None, cramps: str | None, expected: str | None
) -> None:
    columns = [Column("side_effects", ("side_effects",)), option("nausea"), option("cramps")]
    assert texts(club(), export_of(columns, [[whole, nausea, cramps]]), "side_effects") == [expected]


def stored(columns: Sequence[Column], cells: Sequence[str | None]) -> dict[str, bool | None]:
    """What is stored of each side effect in one row."""
    reading = Reading([export_of(columns, [cells])], without_none(), silently)
    (row,) = pl.concat(reading.kept({})).iter_rows(named=True)
    return {name.removeprefix("side_effects__"): value for name, value in row.items() if name.startswith("side_")}


def test_an_option_that_was_not_shown_is_not_asked() -> None:
    columns = [option("nausea"), option("cramps")]
    assert stored(columns, ["1", "0"]) == {"nausea": True, "cramps": False, "cramps_at_night": None}
    assert stored(columns, ["1", None]) == {"nausea": True, "cramps": False, "cramps_at_night": None}
    assert stored(columns, [None, None]) == {"nausea": None, "cramps": None, "cramps_at_night": None}
    more = [*columns, option("cramps_at_night")]
    assert stored(more, ["1", "0", None]) == {"nausea": True, "cramps": False, "cramps_at_night": None}
    assert stored(more, ["1", None, None]) == {"nausea": True, "cramps": False, "cramps_at_night": False}


def test_codes_that_are_not_the_numbers_of_their_labels_are_refused() -> None:
    shifted = [Column("pain", ("pain",), labels={str(n + 1): str(n) for n in range(11)})]
    with pytest.raises(InputRefused, match="not the numbers that its labels name"):
        match_columns(export_of(shifted), club())
    ends = [Column("pain", ("pain",), labels={"0": "no pain", "10": "worst", "99": "Refused"})]
    assert texts(club(), export_of(ends, [["0"], ["10"], ["99"]]), "pain") == ["0", "10", None]


def test_an_option_twice_and_an_option_that_is_two_are_refused() -> None:
    with pytest.raises(InputRefused, match="the same option"):
        match_columns(export_of([option("nausea"), option("Nausea")]), club())
    two = replace(option("nausea"), option=("cramps", "Nausea"))
    with pytest.raises(InputRefused, match="by its code and another by its text"):
        match_columns(export_of([two]), club())

"""Which answers may stand. The schema compiled from the instrument is the judge; what it refuses goes to quarantine."""

import json
from pathlib import Path
from typing import Any

import pandera.polars as pa
import polars as pl
import pytest
from club import MARKER, Read, club, club_with, read, row, rows, write
from hypothesis import given
from hypothesis import strategies as st

from survey_pipeline import exports
from survey_pipeline.errors import InputRefused
from survey_pipeline.exports import read_export
from survey_pipeline.ingest import batches
from survey_pipeline.ingest.repeats import Seen
from survey_pipeline.instrument import Instrument
from survey_pipeline.names import Rule
from survey_pipeline.schema import failures, responses_schema
from survey_pipeline.validate import validate


def one(folder: Path, instrument: Instrument | None = None, /, **written: str) -> Read:
    return read(instrument or club(), write(folder / "a.csv", [row(1, **written)]))


# --- Ranges and scales, both sides of each boundary -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("item", "written", "rule"),
    [
        ("pain", "0", None),
        ("pain", "-0", None),
        ("pain", "10", None),
        ("pain", "10.0", None),
        ("pain", "-1", Rule.OUT_OF_RANGE),
        ("pain", "11", Rule.OUT_OF_RANGE),
        ("pain", "10.5", Rule.OUT_OF_RANGE),
        ("pain", "-0.5", Rule.OUT_OF_RANGE),
        ("pain", "3.5", Rule.NOT_ON_SCALE),
        ("pain", "3.000001", Rule.NOT_ON_SCALE),
        ("pain", "999999999", Rule.OUT_OF_RANGE),
        ("pain", "five", Rule.NOT_A_NUMBER),
        ("dose", "0", None),
        ("dose", "0.001", None),
        ("dose", "1000", None),
        ("dose", "999.9999", None),
        ("dose", "999.999", Rule.AMBIGUOUS_NUMBER),
        ("dose", "1000.001", Rule.OUT_OF_RANGE),
        ("dose", "-0.001", Rule.OUT_OF_RANGE),
        ("dose", "9" * 400, Rule.NOT_A_NUMBER),
        ("side_effects", "Nausea, None of these", Rule.CONTRADICTORY_ANSWERS),
        ("side_effects", "a rash", Rule.UNKNOWN_OPTION),
        ("stopped", "perhaps", Rule.UNKNOWN_OPTION),
        ("since", "yesterday", Rule.NOT_A_DATE),
    ],
)
def test_a_bad_answer_to_an_optional_question_is_refused_counted_and_stored_as_none(
    tmp_path: Path, item: str, written: str, rule: Rule | None
) -> None:
    done = one(tmp_path, **{item: written})
    assert done.report.rows_kept == 1 and done.report.rows_quarantined == 0
    columns = club().items[item].columns(item)
    stored = done.kept.select(columns).row(0)
    if rule is None:
        assert None not in stored and done.report.values_refused == {} and done.quarantine.is_empty()
    else:
        assert set(stored) == {None} and done.report.values_refused == {item: {rule.value: 1}}
        assert done.quarantine.select("item", "rule", "value", "whole_row").row(0) == (item, rule.value, written, False)
        assert done.quarantine["answers"].to_list() == [None]


@pytest.mark.parametrize(
    ("written", "rule"),
    [
        ("", Rule.REQUIRED_MISSING),
        ("n/a", Rule.REQUIRED_MISSING),
        ("glycinate", Rule.UNKNOWN_OPTION),
        ("Citrate, None", Rule.CONTRADICTORY_ANSWERS),
    ],
)
def test_a_row_without_a_sound_required_answer_is_set_aside_whole(tmp_path: Path, written: str, rule: Rule) -> None:
    done = one(tmp_path, form=written, pain="99")
    assert done.kept.is_empty() and done.report.rows_quarantined == 1
    assert done.report.values_refused == {"form": {rule.value: 1}, "pain": {"out_of_range": 1}}
    assert done.quarantine["item"].to_list() == ["form", "pain"]
    assert done.quarantine["whole_row"].to_list() == [True, True]
    answers = [json.loads(text) for text in done.quarantine["answers"]]
    assert answers[0] == answers[1] and answers[0]["pain"] == "99" and answers[0]["dose"] == "100"
    assert set(answers[0]) == set(club().stored)


@pytest.mark.parametrize(("step", "sound"), [(0.5, "3.5"), (0.1, "0.3"), (2.5, "7.5"), (3.0, "9")])
def test_a_scale_takes_its_own_steps_and_no_others(tmp_path: Path, step: float, sound: str) -> None:
    instrument = club_with("pain", step=step)
    assert one(tmp_path, instrument, pain=sound).kept["pain"].to_list() == [float(sound)]
    assert one(tmp_path, instrument, pain="3.33").report.values_refused == {"pain": {"not_on_scale": 1}}


def test_steps_are_counted_from_the_minimum(tmp_path: Path) -> None:
    instrument = club_with("pain", minimum=1, maximum=7, step=2)
    assert one(tmp_path, instrument, pain="3").report.values_refused == {}
    assert one(tmp_path, instrument, pain="4").report.values_refused == {"pain": {"not_on_scale": 1}}


@pytest.mark.parametrize(
    ("bounds", "written", "stands"),
    [
        ({"minimum": None}, "-5", True),
        ({"minimum": None}, "1001", False),
        ({"maximum": None}, "1001", True),
        ({"maximum": None}, "-5", False),
        ({"minimum": None, "maximum": None}, "-123456", True),
    ],
)
def test_a_number_may_be_open_on_either_side(
    tmp_path: Path, bounds: dict[str, Any], written: str, stands: bool
) -> None:
    done = one(tmp_path, club_with("dose", **bounds), dose=written)
    assert (done.report.values_refused == {}) == stands and done.report.rows_kept == 1


def test_a_required_question_with_several_answers_is_one_reason_not_one_an_option(tmp_path: Path) -> None:
    required = club_with("side_effects", required=True)
    assert one(tmp_path, required, side_effects="").report.values_refused == {"side_effects": {"required_missing": 1}}
    assert one(tmp_path, required, side_effects="Nausea").report.rows_kept == 1


def test_a_text_that_cannot_be_read_is_not_missing_as_well(tmp_path: Path) -> None:
    assert one(tmp_path, club_with("pain", required=True), pain="bad").report.values_refused == {
        "pain": {"not_a_number": 1}
    }


@given(st.integers(-30, 130))
def test_a_scale_takes_whole_numbers_from_its_minimum_to_its_maximum(tenths: int) -> None:
    schema = responses_schema(club())
    frame = answers_frame(schema, pain=[tenths / 10])
    stands = failures(schema, frame).filter(pl.col("column") == "pain").is_empty()
    assert stands == (0 <= tenths <= 100 and tenths % 10 == 0)


def answers_frame(schema: pa.DataFrameSchema, **columns: list[Any]) -> pl.DataFrame:
    """Typed answers with form citrate and nothing else, but for the columns given."""
    height = max((len(values) for values in columns.values()), default=1)
    types = {name: column.dtype.type for name, column in schema.columns.items()}
    given_columns = {"form": ["citrate"] * height} | columns
    return pl.DataFrame({name: given_columns.get(name, [None] * height) for name in types}, schema=types)


# --- Quarantine --------------------------------------------------------------------------------------------------------


def test_the_quarantine_says_where_each_answer_stands(tmp_path: Path) -> None:
    messy = [row(1), row(2, pain="11"), {}, row(4, form="?", pain="x"), row(5, dose="much")]
    done = read(club(), write(tmp_path / "a.csv", messy))
    found = done.quarantine.select("export", "record", "item", "rule", "value", "whole_row").rows()
    assert found == [
        ("a.csv", 2, "pain", "out_of_range", "11", False),
        ("a.csv", 4, "form", "unknown_option", "?", True),
        ("a.csv", 4, "pain", "not_a_number", "x", True),
        ("a.csv", 5, "dose", "not_a_number", "much", False),
    ]


def test_columns_that_are_no_items_are_in_no_quarantined_row(tmp_path: Path) -> None:
    bad = row(1, form="?") | {"E-mail address": f"{MARKER}@example.org"}
    done = read(club(), write(tmp_path / "a.csv", [bad], bad))
    assert f"{MARKER}@" not in str(done.quarantine.rows())


def test_a_file_of_nothing_but_bad_rows_is_quarantine_and_nothing_else(tmp_path: Path) -> None:
    done = read(club(), write(tmp_path / "a.csv", rows(30, 0, form="")))
    assert done.report.rows_quarantined == done.report.rows_read == 30 and done.kept.is_empty()


@pytest.mark.parametrize(("unknown", "understood"), [(9, 0), (10, 40), (9, 9)])
def test_a_closed_question_of_which_one_answer_in_five_is_unknown_is_still_understood(
    tmp_path: Path, unknown: int, understood: int
) -> None:
    found = [*rows(understood, 0), *rows(unknown, 100, stopped="2")]
    done = read(club(), write(tmp_path / "a.csv", found))
    assert done.report.values_refused == {"stopped": {"unknown_option": unknown}}


@pytest.mark.parametrize("item", ["stopped", "form", "side_effects"])
def test_if_more_are_unknown_the_others_are_no_fair_picture(tmp_path: Path, item: str) -> None:
    found = [*rows(39, 0), *rows(10, 100, **{item: "2"})]
    with pytest.raises(InputRefused, match=f"10 of 49 answers to '{item}'"):
        read(club(), write(tmp_path / "a.csv", found))


@pytest.mark.parametrize("batch_rows", [1, 3, 1000])
def test_personal_data_in_a_stored_column_stops_the_run_whatever_the_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch_rows: int
) -> None:
    monkeypatch.setattr(exports, "BATCH_ROWS", batch_rows)
    found = [*rows(20, 0), *rows(1, 100, dose="jo@example.org")]
    with pytest.raises(InputRefused, match="e-mail addresses") as refused:
        read(club(), write(tmp_path / "a.csv", found))
    assert "jo@" not in str(refused.value)


def test_a_file_of_nothing_but_left_out_rows_keeps_its_columns(tmp_path: Path) -> None:
    done = read(club(), write(tmp_path / "a.csv", rows(3, 0, consent="No")))
    assert done.kept.is_empty() and set(responses_schema(club()).columns) <= set(done.kept.columns)


# --- The schema is the judge -------------------------------------------------------------------------------------------


def judged(folder: Path, schema: pa.DataFrameSchema, **written: str) -> dict[str, int]:
    export = read_export(write(folder / "a.csv", [row(1, **written)]))
    (batch,) = batches(export, club(), Seen())
    reasons = validate(batch, club(), schema).quarantine
    return dict(reasons.group_by("item").len().iter_rows())


def test_without_a_check_in_the_schema_what_it_refused_stands(tmp_path: Path) -> None:
    schema = responses_schema(club())
    assert judged(tmp_path, schema, pain="11") == {"pain": 1}
    assert judged(tmp_path, schema.update_column("pain", checks=[]), pain="11") == {}


def test_without_its_requirement_in_the_schema_a_missing_answer_stands(tmp_path: Path) -> None:
    schema = responses_schema(club())
    assert judged(tmp_path, schema, form="") == {"form": 1}
    assert judged(tmp_path, schema.update_column("form", nullable=True), form="") == {}


def test_the_schema_refuses_a_code_that_no_option_has() -> None:
    schema = responses_schema(club())
    found = failures(schema, answers_frame(schema, form=["citrate", "glycinate", None]))
    assert sorted(found.select("row", "column", "rule").iter_rows()) == [
        (1, "form", "unknown_option"),
        (2, "form", "required_missing"),
    ]


def test_checks_that_are_switched_off_in_the_environment_are_made_all_the_same(tmp_path: Path) -> None:
    from pandera.config import ValidationDepth, config_context

    with config_context(validation_enabled=False, validation_depth=ValidationDepth.SCHEMA_ONLY):
        assert one(tmp_path, pain="11").report.values_refused == {"pain": {"out_of_range": 1}}


@pytest.mark.parametrize(
    "change",
    [
        lambda frame: frame.drop("pain"),
        lambda frame: frame.with_columns(stranger=pl.lit(1)),
        lambda frame: frame.with_columns(pl.col("pain").cast(pl.String)),
    ],
)
def test_other_columns_or_types_are_a_fault_of_ours_and_never_a_bad_answer(change: Any) -> None:
    schema = responses_schema(club())
    with pytest.raises(TypeError, match="not those of its schema"):
        failures(schema, change(answers_frame(schema, pain=[3.0])))


def test_failures_hold_no_value() -> None:
    schema = responses_schema(club())
    found = failures(schema, answers_frame(schema, form=[MARKER], pain=[1234.5]))
    assert set(found.columns) == {"row", "column", "rule"}
    assert MARKER not in str(found.rows()) and "1234" not in str(found.rows())

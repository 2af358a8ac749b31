"""Counting: everybody once per exposure, parts add to the whole, missing is not 'no'."""

from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from builders import community, item, options, people, survey
from deltalake import write_deltalake
from hypothesis import given, settings
from hypothesis import strategies as st

from survey_pipeline.count import TALLY_KEYS, TALLY_SCHEMA, add, columns_needed, tally, tally_batches
from survey_pipeline.instrument import Instrument
from survey_pipeline.levels import atoms_of
from survey_pipeline.names import INSTRUMENT, SUM_OF_SQUARED_WEIGHTS, SUM_OF_WEIGHTS, WAVE, WEIGHT
from survey_pipeline.outcomes import exposures
from survey_pipeline.storage import Warehouse

SURVEY = survey()
seeds = st.integers(0, 10_000)


def count(rows: pl.DataFrame, **where: object) -> int:
    """How many people the rows of a tally hold where the columns have these values (None is 'no answer')."""
    conditions = [pl.col(column).eq_missing(pl.lit(value)) for column, value in where.items()]
    return int(rows.filter(pl.lit(True), *conditions)["n_respondents"].sum())


def levels(answers: pl.DataFrame, exposure: str, instrument: Instrument = SURVEY) -> dict[str, int]:
    found = tally(answers, instrument).filter((pl.col("exposure") == exposure) & (pl.col("outcome") == "respondents"))
    return dict(found.select("level", "n_respondents").sort("level").iter_rows())


def as_bytes(frame: pl.DataFrame) -> bytes:
    assert frame.schema == pl.Schema(TALLY_SCHEMA)
    return frame.write_csv().encode()


# --- Adding -------------------------------------------------------------------------------------------------------------


@settings(max_examples=12)
@given(seeds, st.lists(st.integers(0, 80), min_size=1, max_size=5))
def test_tallies_of_parts_add_to_the_tally_of_the_whole(seed: int, cuts: list[int]) -> None:
    answers = community(80, seed, missing=0.2)
    parts = [answers[start:end] for start, end in pairwise([0, *sorted(cuts), 80])]
    whole = as_bytes(tally(answers, SURVEY))
    assert as_bytes(add(tally(part, SURVEY) for part in parts)) == whole
    assert as_bytes(tally_batches(parts, SURVEY)) == whole


@settings(max_examples=10)
@given(seeds)
def test_the_order_of_responses_and_columns_does_not_matter(seed: int) -> None:
    answers = community(40, seed, missing=0.2)
    mixed = answers.sample(fraction=1, shuffle=True, seed=seed).select(sorted(answers.columns))
    assert as_bytes(tally(mixed, SURVEY)) == as_bytes(tally(answers, SURVEY))


def test_nobody_makes_an_empty_tally() -> None:
    assert tally(community(0, 1), SURVEY).equals(pl.DataFrame(schema=TALLY_SCHEMA))
    assert add([]).equals(pl.DataFrame(schema=TALLY_SCHEMA))


def test_a_lazy_frame_gives_the_same_tally() -> None:
    answers = community(50, 3)
    assert tally(answers.lazy(), SURVEY).equals(tally(answers, SURVEY))


def test_the_tally_reads_only_the_columns_it_names() -> None:
    answers = community(50, 3)
    assert tally(answers.select(columns_needed(SURVEY)), SURVEY).equals(tally(answers, SURVEY))


# --- Weights --------------------------------------------------------------------------------------------------------------


SEX = {"item": "sex", "shares": {"female": 0.5, "male": 0.5}, "source": "test"}
WEIGHTED = Instrument.model_validate(
    SURVEY.model_dump(mode="json", exclude_defaults=True) | {"weighting": {"why": "test", "margins": [SEX]}}
)
weights = st.floats(1e-6, 1e6) | st.sampled_from([1.0, 0.1, 1 / 3])


def weighted(n: int, seed: int, values: list[float | None]) -> pl.DataFrame:
    drawn = (values * n)[:n]
    return community(n, seed, missing=0.2).with_columns(pl.Series(WEIGHT, drawn, dtype=pl.Float64))


@settings(max_examples=15)
@given(seeds, st.lists(st.integers(0, 30), max_size=4), st.lists(weights, min_size=1, max_size=30))
def test_weighted_tallies_of_parts_add_to_the_tally_of_the_whole(
    seed: int, cuts: list[int], values: list[float | None]
) -> None:
    answers = weighted(30, seed, values)
    parts = [answers[start:end] for start, end in pairwise([0, *sorted(cuts), 30])]
    whole = as_bytes(tally(answers, WEIGHTED))
    assert as_bytes(add(tally(part, WEIGHTED) for part in parts)) == whole
    assert as_bytes(tally_batches(parts, WEIGHTED)) == whole
    assert as_bytes(tally(answers.sample(fraction=1, shuffle=True, seed=seed), WEIGHTED)) == whole


def test_weights_and_their_squares_are_summed_cell_by_cell() -> None:
    groups = ((1, {"form": "mix", WEIGHT: 0.1}), (2, {"form": "mix", WEIGHT: 1.5}), (1, {"form": "oxide", WEIGHT: 3.0}))
    rows = [(n, {key: value for key, value in given.items() if key != WEIGHT}) for n, given in groups]
    drawn = pl.Series(WEIGHT, [given[WEIGHT] for n, given in groups for _ in range(n)], dtype=pl.Float64)
    found = tally(people(WEIGHTED, *rows).with_columns(drawn), WEIGHTED)
    there = found.filter((pl.col("exposure") == "form") & (pl.col("outcome") == "respondents"))
    assert there.select("level", "n_respondents", SUM_OF_WEIGHTS, SUM_OF_SQUARED_WEIGHTS).rows() == [
        ("mix", 3, Decimal("3.1"), Decimal("4.51")),
        ("oxide", 1, Decimal(3), Decimal(9)),
    ]


def test_weights_change_no_number_of_people() -> None:
    answers = weighted(60, 4, [0.5, 1.0, 2.5])
    with_weights, without = tally(answers, WEIGHTED), tally(answers, SURVEY)
    assert with_weights.drop(SUM_OF_WEIGHTS, SUM_OF_SQUARED_WEIGHTS).equals(
        without.drop(SUM_OF_WEIGHTS, SUM_OF_SQUARED_WEIGHTS)
    )
    assert without[SUM_OF_WEIGHTS].null_count() == without[SUM_OF_SQUARED_WEIGHTS].null_count() == without.height
    assert with_weights[SUM_OF_WEIGHTS].null_count() == 0


def test_weights_of_one_are_the_people_themselves() -> None:
    found = tally(weighted(60, 4, [1.0]), WEIGHTED)
    for name in (SUM_OF_WEIGHTS, SUM_OF_SQUARED_WEIGHTS):
        assert found[name].cast(pl.Int64).to_list() == found["n_respondents"].to_list()


@pytest.mark.parametrize("nothing", [None, float("nan"), float("inf")])
def test_who_has_no_weight_is_in_no_cell(nothing: float | None) -> None:
    answers = weighted(40, 7, [1.0, 2.0, nothing])
    some = answers.filter(pl.col(WEIGHT).is_finite())
    assert 0 < some.height < 40
    assert as_bytes(tally(answers, WEIGHTED)) == as_bytes(tally(some, WEIGHTED))


def test_a_survey_with_weights_needs_the_column_and_others_do_not() -> None:
    assert WEIGHT in columns_needed(WEIGHTED) and WEIGHT not in columns_needed(SURVEY)


def test_a_tally_is_stored_with_its_weights_and_one_from_before_there_were_any_can_be_read(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path)
    plain, heavy = tally(community(30, 1), SURVEY), tally(weighted(30, 2, [0.1, 2.0]), WEIGHTED)
    key = [pl.lit("test_survey").alias(INSTRUMENT), pl.lit("2025").alias(WAVE)]
    before = plain.select(*key, *TALLY_KEYS, "n_respondents")
    write_deltalake(f"{tmp_path}/tallies", before, partition_by=[INSTRUMENT, WAVE])
    assert as_bytes(warehouse.tally("test_survey", "2025", 0)) == as_bytes(plain)
    version = warehouse.put_tally("test_survey", "2026", heavy)
    assert as_bytes(warehouse.tally("test_survey", "2026", version)) == as_bytes(heavy)
    assert as_bytes(warehouse.tally("test_survey", "2025", version)) == as_bytes(plain)


# --- Everybody once -------------------------------------------------------------------------------------------------------


@settings(max_examples=12)
@given(seeds, st.floats(0, 1))
def test_everybody_is_counted_once_for_each_exposure_and_outcome(seed: int, missing: float) -> None:
    answers = community(60, seed, missing)
    found = tally(answers, SURVEY)
    for exposure, outcomes in exposures(SURVEY).items():
        known = {atom.code for atom in atoms_of(SURVEY, exposure)}
        for outcome in outcomes:
            cells = found.filter((pl.col("exposure") == exposure) & (pl.col("outcome") == outcome.name))
            assert cells["n_respondents"].sum() == 60
            assert set(cells["level"]) <= known
    assert (found["n_respondents"] > 0).all()


def test_levels_are_the_answers() -> None:
    answers = people(SURVEY, (3, {"form": "citrate"}), (2, {"form": "mix"}), (1, {}))
    assert levels(answers, "form") == {"citrate": 3, "mix": 2, "not_stated": 1}


# --- Missing is not "no" ----------------------------------------------------------------------------------------------------


def test_missing_is_neither_yes_nor_no() -> None:
    yes, no = {"side__nausea": True, "stopped": True}, {"side__nausea": False, "stopped": False}
    found = tally(people(SURVEY, (5, yes), (7, no), (11, {})), SURVEY)
    for outcome in ("side__nausea", "stopped"):
        values = {
            value: count(found, exposure="form", outcome=outcome, follow_up_value=value) for value in (1.0, 0.0, None)
        }
        assert values == {1.0: 5, 0.0: 7, None: 11}


def test_an_option_not_chosen_is_no_only_where_the_question_was_answered() -> None:
    found = tally(people(SURVEY, (4, {"effect": "worse"}), (6, {"effect": "better"}), (9, {})), SURVEY)
    worse = {
        value: count(found, exposure="form", outcome="effect__worse", follow_up_value=value)
        for value in (1.0, 0.0, None)
    }
    assert worse == {1.0: 4, 0.0: 6, None: 9}


@pytest.mark.parametrize(
    ("before", "after"), [(0.0, 0.0), (10.0, 0.0), (None, 3.0), (3.0, None), (None, None), (10.0, 10.0)]
)
def test_before_and_after_are_counted_together(before: float | None, after: float | None) -> None:
    found = tally(people(SURVEY, (4, {"pain_before": before, "pain": after})), SURVEY)
    assert count(found, exposure="form", outcome="pain", baseline_value=before, follow_up_value=after) == 4
    assert count(found, exposure="form", outcome="pain") == 4


def test_half_steps_keep_their_value() -> None:
    halves = survey(mood=item("Mood", "scale", "outcome", minimum=0, maximum=10, step=0.5))
    found = tally(people(halves, (2, {"mood": 9.5}), (3, {"mood": 0.0}), (4, {"mood": 10.0})), halves)
    mood = found.filter((pl.col("exposure") == "form") & (pl.col("outcome") == "mood"))
    assert dict(mood.select("follow_up_value", "n_respondents").iter_rows()) == {0.0: 3, 9.5: 2, 10.0: 4}


# --- Bands ------------------------------------------------------------------------------------------------------------------

# The stretches between the ends below 200, up to 250 and up to 400, and beyond.
STRETCHES = [
    (0.0, "stretch_0"),
    (199.9, "stretch_0"),
    (200.0, "stretch_1"),
    (250.0, "stretch_1"),
    (250.1, "stretch_2"),
    (400.0, "stretch_2"),
    (400.1, "stretch_3"),
    (10_000.0, "stretch_3"),
]


@pytest.mark.parametrize(("dose", "level"), STRETCHES)
def test_a_dose_falls_on_the_right_side_of_each_end(dose: float, level: str) -> None:
    assert levels(people(SURVEY, (1, {"by_mouth": "oral", "dose": dose})), "dose") == {level: 1}


def test_below_and_up_to_the_same_value_are_different_ends() -> None:
    bands = [{"code": "under", "label": "Under 5", "below": 5}, {"code": "over", "label": "5 and over"}]
    wider = [{"code": "to", "label": "Up to 5", "up_to": 5}, {"code": "beyond", "label": "Over 5"}]
    instrument = survey(dose=item("Dose", "number", "exposure", bands=bands, wider_bands=[wider]))
    answers = people(instrument, (1, {"dose": 4.9}), (2, {"dose": 5.0}), (3, {"dose": 5.1}))
    assert levels(answers, "dose", instrument) == {"stretch_0": 1, "stretch_1": 2, "stretch_2": 3}


@pytest.mark.parametrize(
    ("by_mouth", "dose", "level"),
    [
        ("oral", 100.0, "stretch_0"),
        ("oral", None, "not_stated"),
        ("skin", None, "not_applicable"),
        ("skin", 100.0, "not_applicable"),  # a dose on the skin is no dose by mouth
        (None, 100.0, "stretch_0"),  # who gave a dose but not the route is not sent away
        (None, None, "not_stated"),
    ],
)
def test_a_condition_decides_whom_the_dose_concerns(by_mouth: str | None, dose: float | None, level: str) -> None:
    assert levels(people(SURVEY, (1, {"by_mouth": by_mouth, "dose": dose})), "dose") == {level: 1}


@pytest.mark.parametrize(("answer", "level"), [(True, "yes"), (False, "no"), (None, "not_stated")])
def test_a_yes_or_no_question_can_be_an_exposure(answer: bool | None, level: str) -> None:
    described = SURVEY.model_dump(mode="json", exclude_defaults=True) | {"who_answered": ["stopped"]}
    instrument = Instrument.model_validate(described)
    assert levels(people(instrument, (2, {"stopped": answer})), "stopped", instrument) == {level: 2}


def test_a_mix_is_a_level_of_its_own() -> None:
    two = survey(form=item("Form", "choice", "exposure", options=options("citrate", "mix"), several_as="mix"))
    assert levels(people(two, (2, {"form": "mix"}), (3, {"form": "citrate"})), "form", two) == {"citrate": 3, "mix": 2}

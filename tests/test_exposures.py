"""Exposures of every sort: everybody is in exactly one atom, however people are told apart."""

from itertools import product
from typing import Any

import numpy as np
import polars as pl
import pytest
from builders import community, item, options, people
from hypothesis import given, settings
from hypothesis import strategies as st
from test_tables import READ, WORDS, dose, with_tables, words

from survey_pipeline.count import tally
from survey_pipeline.instrument import Instrument, load_instrument
from survey_pipeline.levels import (
    Level,
    atoms_of,
    comparison_of,
    exposure_of,
    factors,
    intervals_of,
    is_ordered_of,
    made_of,
    parents,
    partitions_of,
)
from survey_pipeline.outcomes import exposures

FORM = [*options("citrate", "malate", "mix"), {"code": "none", "label": "None", "exclusive": True}]
CROSSED = with_tables({"name": "crossed", "exposure": "form", "by": "dose", "outcomes": ["pain"]})


def several(**changes: Any) -> Instrument:
    """A survey in which several forms can be ticked."""
    form = item("Form", "choices", "exposure", **{"options": options("citrate", "malate", "mix"), **changes})
    return with_tables({"name": "t", "exposure": "form", "outcomes": ["mood"]}, form=form)


def levels(answers: pl.DataFrame, exposure: str, instrument: Instrument) -> dict[str, int]:
    found = tally(answers, instrument).filter((pl.col("exposure") == exposure) & (pl.col("outcome") == "respondents"))
    return dict(found.select("level", "n_respondents").sort("level").iter_rows())


def ticks(*chosen: str, of: tuple[str, ...] = ("citrate", "malate", "mix")) -> dict[str, object]:
    return {f"form__{code}": code in chosen for code in of}


# --- Everybody ------------------------------------------------------------------------------------------------------------


def test_everybody_is_one_atom_and_no_level() -> None:
    assert [atom.code for atom in atoms_of(READ, "everybody")] == ["everybody"]
    assert partitions_of(READ, "everybody") == ((),)
    assert factors(READ, "everybody") == () and comparison_of(READ, "everybody") is None
    assert levels(people(READ, (3, {"form": "mix"}), (2, {})), "everybody", READ) == {"everybody": 5}


def test_an_unknown_exposure_is_a_fault() -> None:
    with pytest.raises(KeyError):
        exposure_of(READ, "form_by_sex")


# --- Several answers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "chosen", "level"),
    [
        ({}, ("citrate",), "citrate"),
        ({}, ("citrate", "malate"), "several"),
        ({}, ("citrate", "malate", "mix"), "several"),
        ({}, (), "none_ticked"),
        ({"several_as": "mix"}, ("citrate", "malate"), "mix"),
        ({"several_as": "mix"}, ("mix",), "mix"),
        ({"several_as": "mix"}, (), "none_ticked"),
    ],
)
def test_who_ticked_several_is_in_one_level(changes: dict[str, Any], chosen: tuple[str, ...], level: str) -> None:
    instrument = several(**changes)
    assert levels(people(instrument, (2, ticks(*chosen)), (1, {})), "form", instrument) == {level: 2, "not_stated": 1}


def test_levels_of_a_question_with_several_answers() -> None:
    assert [level.label for level in atoms_of(several(), "form")] == [
        *("Citrate", "Malate", "Mix", "Several of these", "None ticked", "Not stated"),
    ]
    assert [level.code for level in atoms_of(several(several_as="mix"), "form")] == [
        *("citrate", "malate", "mix", "none_ticked", "not_stated"),
    ]
    # Where "none" can be ticked, ticking nothing is no answer, and no level either.
    assert [level.code for level in atoms_of(several(options=FORM), "form")] == [
        *("citrate", "malate", "mix", "none", "several", "not_stated"),
    ]


def test_groups_may_name_the_levels_of_several_and_of_none_ticked() -> None:
    rest = {"code": "rest", "label": "Several, none or not stated", "of": ["several", "none_ticked", "not_stated"]}
    grouped = several(groups=[[rest]])
    assert [level.code for level in partitions_of(grouped, "form")[1]] == ["citrate", "malate", "mix", "rest"]


@settings(max_examples=20)
@given(st.lists(st.tuples(*[st.booleans()] * 3) | st.none(), max_size=40), st.sampled_from([None, "mix"]))
def test_nobody_is_counted_twice_however_many_options_are_ticked(
    given: list[tuple[bool, bool, bool] | None], several_as: str | None
) -> None:
    instrument = several(several_as=several_as)
    columns = ("form__citrate", "form__malate", "form__mix")
    rows = [(1, dict(zip(columns, ticked, strict=True)) if ticked else {}) for ticked in given]
    found = levels(people(instrument, *rows), "form", instrument)
    assert sum(found.values()) == len(given)
    for option in columns[:2]:
        alone = sum(1 for ticked in given if ticked and sum(ticked) == 1 and ticked[columns.index(option)])
        assert found.get(option.removeprefix("form__"), 0) == alone
    assert found.get("not_stated", 0) == given.count(None)


# --- Crossings --------------------------------------------------------------------------------------------------------------


def test_a_crossing_has_an_atom_for_each_pair() -> None:
    forms, doses = atoms_of(CROSSED, "form"), atoms_of(CROSSED, "dose")
    assert [atom.code for atom in atoms_of(CROSSED, "form_by_dose")] == [
        f"{form.code}__x__{dose.code}" for form, dose in product(forms, doses)
    ]
    assert factors(CROSSED, "form_by_dose") == ("form", "dose") and comparison_of(CROSSED, "form_by_dose") is None
    assert not is_ordered_of(CROSSED, "form_by_dose") and is_ordered_of(CROSSED, "dose")
    finest = partitions_of(CROSSED, "form_by_dose")[0]
    assert "Citrate, under 200" in [level.label for level in finest]


@settings(max_examples=12)
@given(st.integers(0, 10_000), st.floats(0, 0.6))
def test_a_crossing_adds_up_to_both_of_its_items(seed: int, missing: float) -> None:
    answers = community(60, seed, missing)
    crossed = levels(answers, "form_by_dose", CROSSED)
    for place, name in enumerate(("form", "dose")):
        sums: dict[str, int] = {}
        for pair, n in crossed.items():
            sums[pair.split("__x__")[place]] = sums.get(pair.split("__x__")[place], 0) + n
        assert sums == levels(answers, name, CROSSED)


def test_every_partition_of_a_crossing_holds_everybody_once() -> None:
    everybody = sorted(atom.code for atom in atoms_of(CROSSED, "form_by_dose"))
    ways = partitions_of(CROSSED, "form_by_dose")
    assert len(ways) == 4
    for way in ways:
        assert sorted(member for level in way for member in level.members) == everybody


def test_the_parents_of_a_cell_are_the_levels_of_its_row_and_column() -> None:
    form, dose = partitions_of(CROSSED, "form")[0], partitions_of(CROSSED, "dose")[0]
    cell = Level(code="x", label="x", members=("mix__x__stretch_0", "mix__x__stretch_1", "mix__x__stretch_2"))
    found = parents(CROSSED, "form_by_dose", cell, {"form": form, "dose": dose})
    assert {name: [level.code for level in side] for name, side in found.items()} == {
        "form": ["mix"],
        "dose": ["low", "middle"],
    }
    assert parents(CROSSED, "form", form[0], {"form": form}) == {}


def test_what_a_level_is_made_of_in_words() -> None:
    merged = Level(code="rare", label="Rare", members=("taurate", "mix"), merged=True)
    assert made_of(CROSSED, "form", merged) == ("Taurate", "Mix")
    band = Level(code="low", label="Under 200", members=("stretch_0",))
    assert made_of(CROSSED, "dose", band) == ("Under 200",)
    assert made_of(READ, "dose__compound", band) == ("Under 200",)
    cell = partitions_of(CROSSED, "form_by_dose")[0][0]
    assert made_of(CROSSED, "form_by_dose", cell) == (cell.label,)


# --- Doses read again -------------------------------------------------------------------------------------------------------


SPLIT = 200  # the one end between the two bands of the dose


@pytest.mark.parametrize(
    ("given", "elemental", "compound", "worst"),
    [
        (words(120, 300), "stretch_1", "stretch_0", "stretch_0_to_1"),
        (words(120, 199), "stretch_0", "stretch_0", "stretch_0_to_0"),
        (words(200, 300), "stretch_1", "stretch_1", "stretch_1_to_1"),
        (words(150, 250, "compound", (900, 900)), "stretch_1", "stretch_1", "stretch_0_to_1"),
        (words(150, 249, "compound", (900, 900)), "stretch_0", "stretch_0", "stretch_0_to_1"),
        (words(60, 280, "unknown", (120, 280)), "stretch_1", "stretch_0", "stretch_0_to_1"),
        (words(60, 279, "unknown", (120, 279)), "stretch_0", "stretch_0", "stretch_0_to_1"),
        ({"dose": 200.0}, "stretch_1", "stretch_1", "stretch_1_to_1"),
        ({"dose": 900.0, **words(10, 10, "label_elemental")}, "stretch_0", "stretch_0", "stretch_0_to_0"),
        ({}, "not_stated", "not_stated", "not_stated"),
        ({"by_mouth": "skin", "dose": 9.0, **words(10, 10)}, *["not_applicable"] * 3),
        ({"by_mouth": None, **words(10, 10)}, "stretch_0", "stretch_0", "stretch_0_to_0"),
    ],
)
def test_a_dose_falls_where_each_reading_puts_it(
    given: dict[str, Any], elemental: str, compound: str, worst: str
) -> None:
    answers = people(READ, (2, {"by_mouth": "oral"} | given))
    for reading, level in (("label_elemental", elemental), ("compound", compound), ("worst_case", worst)):
        assert levels(answers, f"dose__{reading}", READ) == {level: 2}


def test_readings_have_the_bands_of_the_dose_and_the_worst_case_has_intervals() -> None:
    assert partitions_of(READ, "dose__compound") == partitions_of(READ, "dose")
    assert is_ordered_of(READ, "dose__compound") and factors(READ, "dose__compound") == ("dose",)
    assert partitions_of(READ, "dose__worst_case") == ((),)
    assert intervals_of(READ.items["dose"]) == {
        "stretch_0_to_0": (0, 0),
        "stretch_0_to_1": (0, 1),
        "stretch_1_to_1": (1, 1),
    }
    assert [atom.code for atom in atoms_of(READ, "dose__worst_case")][-2:] == ["not_applicable", "not_stated"]


@settings(max_examples=25)
@given(st.lists(st.tuples(st.floats(1, 1000), st.floats(1, 1000)), min_size=1, max_size=20))
def test_every_interval_has_its_place(ends: list[tuple[float, float]]) -> None:
    bands = [{"code": f"b{i}", "label": f"B{i}", "below": 150.0 * (i + 1)} for i in range(5)]
    instrument = with_tables(
        {"name": "by_dose", "exposure": "dose", "outcomes": ["pain"]},
        words=WORDS,
        dose=dose(readings="words", bands=[*bands, {"code": "more", "label": "More"}]),
    )
    pairs = [(min(pair), max(pair)) for pair in ends]
    answers = people(instrument, *((1, {"by_mouth": "oral", **words(*pair)}) for pair in pairs))
    expected: dict[str, int] = {}
    for low, high in pairs:
        code = f"stretch_{min(int(low // 150), 5)}_to_{min(int(high // 150), 5)}"
        expected[code] = expected.get(code, 0) + 1
    assert levels(answers, "dose__worst_case", instrument) == dict(sorted(expected.items()))


# --- Always -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "instrument", [READ, CROSSED, several(), load_instrument("magnesium")], ids=lambda one: one.name
)
def test_every_atom_of_every_exposure_has_a_code_of_its_own(instrument: Instrument) -> None:
    for name in exposures(instrument):
        codes = [atom.code for atom in atoms_of(instrument, name)]
        assert len(codes) == len(set(codes)), name
        for way in partitions_of(instrument, name):
            members = sorted(member for level in way for member in level.members)
            assert members == sorted(codes) or way == (), name


@settings(max_examples=8)
@given(st.integers(0, 10_000))
def test_everybody_is_counted_once_in_every_exposure_of_every_sort(seed: int) -> None:
    rng = np.random.default_rng(seed)
    low, high = rng.uniform(20, 300, 50), rng.uniform(300, 900, 50)
    stored = pl.DataFrame({f"words__{end}": mg for end, mg in _ends(low, high).items()})
    basis = rng.choice(["unknown", "compound", "label_elemental"], 50)
    answers = (
        community(50, seed, 0.2)
        .hstack(stored)
        .with_columns(
            pl.Series("words__basis", basis), words__rule=pl.lit("range"), words__compound=pl.lit(None, dtype=pl.String)
        )
    )
    for name in exposures(READ):
        assert sum(levels(answers, name, READ).values()) == 50


def _ends(low: Any, high: Any) -> dict[str, Any]:
    ends = {"low": low, "high": high, "written_low": low, "written_high": high}
    return {f"{end}_mg_per_day": mg for end, mg in ends.items()}

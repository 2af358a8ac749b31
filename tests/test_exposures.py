"""Exposures of every sort: everybody is in exactly one atom, however people are told apart."""

from itertools import product
from typing import Any

import numpy as np
import polars as pl
import pytest
from builders import community, item, options, people
from hypothesis import given, settings
from hypothesis import strategies as st
from test_tables import READ, TOLD, WORDS, answers, dose, with_tables, words

from survey_pipeline.count import columns_needed, tally
from survey_pipeline.estimate import estimate
from survey_pipeline.estimate import tested_lines as exact_lines
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


# --- Which weight is meant --------------------------------------------------------------------------------------------------


OXIDE = words(240, 400, compound="oxide")  # 400 mg oxide
CITRATE = words(110, 1000, compound="citrate")  # 1000 mg citrate
BARE = words(44, 400)  # 400 mg
RANGE = words(120, 400, written=(200, 400), compound="oxide")  # 200-400 mg oxide
BOTH = words(82, 300)  # 100 mg oxide and 200 mg citrate: neither is stored
PARTLY_ELEMENTAL = words(320, 400, compound="oxide")  # 200 mg elemental in the morning, 200 mg oxide in the evening
PARTLY_WEIGHED = words(240, 320, written=(400, 400), compound="oxide")  # the weight of 200 mg oxide, and 200 mg oxide
ELEMENTAL = words(300, 300, "label_elemental", compound="oxide")
WEIGHED = words(110, 160, "compound", (1000, 1000), "citrate")


def told(bands: list[dict[str, Any]]) -> Instrument:
    described = TOLD.model_dump(mode="json", exclude_defaults=True)
    described["items"]["dose"]["bands"] = bands
    return Instrument.model_validate(described)


def level_around(mg: float, given: dict[str, Any], reading: str) -> str:
    """The level of somebody where the second of three bands (`stretch_1`) holds nothing but this dose."""
    ends: list[dict[str, Any]] = [{"below": mg - 0.01}, {"up_to": mg + 0.01}, {}]
    instrument = told([{"code": f"b{i}", "label": f"B{i}", **end} for i, end in enumerate(ends)])
    (level,) = levels(people(instrument, (1, {"by_mouth": "oral"} | given)), f"dose__{reading}", instrument)
    return level


@pytest.mark.parametrize(
    ("given", "said", "elemental", "compound", "worst"),
    [
        (OXIDE, "label_elemental", 400, 400, (400, 400)),
        (OXIDE, "compound", 240, 240, (240, 240)),
        (OXIDE, "unsure", 400, 240, (240, 400)),
        (OXIDE, None, 400, 240, (240, 400)),
        (CITRATE, "label_elemental", 1000, 1000, (1000, 1000)),
        (CITRATE, "compound", 135, 135, (110, 160)),
        (BARE, "label_elemental", 400, 400, (400, 400)),
        (BARE, "compound", 142, 142, (44, 240)),  # of any compound: 11 to 60 per cent
        (BARE, "unsure", 400, 44, (44, 400)),
        (RANGE, "label_elemental", 300, 300, (200, 400)),
        (RANGE, "compound", 180, 180, (120, 240)),
        (RANGE, None, 300, 120, (120, 400)),
        (BOTH, "compound", 131, 131, (82, 180)),  # never less than the words allow
        (PARTLY_ELEMENTAL, "compound", 320, 320, (320, 320)),
        (PARTLY_ELEMENTAL, "label_elemental", 400, 400, (400, 400)),
        (PARTLY_WEIGHED, "label_elemental", 320, 320, (320, 320)),  # and never more
        *((ELEMENTAL, said, 300, 300, (300, 300)) for said in ("label_elemental", "compound", "unsure", None)),
        *((WEIGHED, said, 135, 135, (110, 160)) for said in ("label_elemental", "compound", "unsure", None)),
        *(({"dose": 250.0}, said, 250, 250, (250, 250)) for said in ("label_elemental", "compound", "unsure", None)),
    ],
)
def test_the_words_count_then_the_answer_and_only_then_do_the_readings_part(
    given: dict[str, Any], said: str | None, elemental: float, compound: float, worst: tuple[float, float]
) -> None:
    given = {"dose": 999.0, **given, "said": said}
    assert level_around(elemental, given, "label_elemental") == "stretch_1"
    assert level_around(compound, given, "compound") == "stretch_1"
    low, high = (level_around(end, given, "worst_case") for end in worst)
    assert low.startswith("stretch_1_to_") and high.endswith("_to_1")


def test_without_declared_compounds_the_whole_weight_counts() -> None:
    described = TOLD.model_dump(mode="json", exclude_defaults=True)
    del described["items"]["words"]["compounds"]
    plain = Instrument.model_validate(described)
    given = people(plain, (1, {"by_mouth": "oral", "said": "compound", **words(200, 200)}))
    assert levels(given, "dose__worst_case", plain) == {"stretch_1_to_1": 1}


@pytest.mark.parametrize(
    ("said", "above"), [("label_elemental", (1.0,) * 3), ("compound", (0.0,) * 3), ("unsure", (1.0, 0.0, 1.0))]
)
def test_limits_are_held_against_the_dose_that_is_meant(said: str, above: tuple[float, float, float]) -> None:
    found = tally(people(TOLD, (1, {"by_mouth": "oral", "said": said, **OXIDE})), TOLD)
    for reading, value in zip(("label_elemental", "compound", "worst_case"), above, strict=True):
        assert answers(found, f"dose__above_eu__{reading}") == {value: 1}


def test_in_a_wave_that_does_not_ask_which_weight_is_meant_the_readings_part() -> None:
    said = TOLD.items["said"].model_copy(update={"since": "2027"})
    later = TOLD.model_copy(update={"items": TOLD.items | {"said": said}})
    for wave, level in (("2026", "stretch_0_to_1"), ("2027", "stretch_1_to_1")):
        asked = later.in_wave(wave)
        given = people(TOLD, (1, {"by_mouth": "oral", "said": "label_elemental", **CITRATE}))
        assert levels(given.select(columns_needed(asked)), "dose__worst_case", asked) == {level: 1}
        assert ("said" in columns_needed(asked)) == (wave == "2027")


def direction(n_unsure: int, n_told: int) -> str | None:
    """What the worst case says of two written doses, a band apart, of which the higher goes with less pain.

    By hand: pain is 2 from its mean, and the bands are 0, 1 and 2. Two who know what they mean add 2 x 1 - 2 x 2 = -2; two
    who do not may have had the lower dose in full and next to nothing of the higher: 2 x 1 - 2 x 0 = 2. So those who know
    must be more.
    """
    ends: list[dict[str, Any]] = [{"below": 150}, {"below": 300}, {}]
    instrument = told([{"code": f"b{i}", "label": f"B{i}", **end} for i, end in enumerate(ends)])
    groups = []
    for mg, pain in ((200.0, 7.0), (400.0, 3.0)):
        one = {"by_mouth": "oral", "pain_before": 8.0, "pain": pain, **words(mg * 0.11, mg)}
        groups += [(n_unsure, one | {"said": "unsure"}), (n_told, one | {"said": "label_elemental"})]
    counted = tally(people(instrument, *groups), instrument)
    lines = exact_lines(counted, estimate(counted, instrument), instrument, {})
    mine = lines.filter(statistic="worst_case_direction", outcome="pain")
    assert mine["n_respondents"].to_list() == [2 * (n_unsure + n_told)]
    found: str | None = mine["direction"].item()
    return found


@pytest.mark.parametrize(
    ("n_unsure", "n_told", "said"),
    [(20, 0, "flat"), (11, 9, "flat"), (10, 10, "flat"), (9, 11, "down"), (0, 20, "down")],
)
def test_the_worst_case_is_decided_where_most_people_know_which_weight_they_mean(
    n_unsure: int, n_told: int, said: str
) -> None:
    assert direction(n_unsure, n_told) == said


# --- Always -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "instrument", [READ, TOLD, CROSSED, several(), load_instrument("magnesium")], ids=lambda one: one.name
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

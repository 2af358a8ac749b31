"""Coarsening: every level large enough or the only one, everybody in exactly one, and nothing merged without need."""

from collections.abc import Mapping, Sequence

import polars as pl
import pytest
from builders import FORMS, community, item, options, people, survey
from hypothesis import given, settings
from hypothesis import strategies as st
from test_tables import READ, with_tables, words

from survey_pipeline.assemble import earlier_levels
from survey_pipeline.coarsen import coarsen, next_coarser
from survey_pipeline.count import tally
from survey_pipeline.instrument import Instrument
from survey_pipeline.levels import Level, atoms_of, is_special, parents
from survey_pipeline.names import NOT_APPLICABLE, NOT_STATED
from survey_pipeline.release import Policy, PublishedLevel, Release

SURVEY = survey()
POLICY = Policy()
Levels = Mapping[str, Sequence[Level]]
communities = st.builds(
    community, st.integers(0, 300), st.integers(0, 10_000), missing=st.sampled_from([0.0, 0.05, 0.3])
)


def levels_of(answers: pl.DataFrame, instrument: Instrument = SURVEY, earlier: Levels | None = None) -> Levels:
    return coarsen(tally(answers, instrument), instrument, POLICY, earlier)


def only(**items: object) -> Instrument:
    """A survey whose levels only need enough people: nothing is primary."""
    return survey(**{"pain": item("Pain", "scale", "outcome", minimum=0, maximum=10), **items})


def forms(
    counts: Mapping[str | None, int], instrument: Instrument | None = None, earlier: Levels | None = None
) -> dict[str, int]:
    """The levels of the form and how many people each holds, for so many people by form."""
    instrument = instrument or only()
    answers = people(instrument, *((n, {"form": form}) for form, n in counts.items()))
    found = levels_of(answers, instrument, earlier)["form"]
    return {level.label: sum(counts.get(_answer(code), 0) for code in level.members) for level in found}


def _answer(code: str) -> str | None:
    return None if code == NOT_STATED else code


def doses(counts: Mapping[float | None, int], elsewhere: int = 0, earlier: Levels | None = None) -> list[str]:
    """The labels of the levels of the dose, for so many people by dose and `elsewhere` without one."""
    instrument = only()
    groups = [(n, {"by_mouth": "oral", "dose": dose}) for dose, n in counts.items()]
    answers = people(instrument, *groups, (elsewhere, {"by_mouth": "skin"}))
    return [level.label for level in levels_of(answers, instrument, earlier)["dose"]]


# --- Worked examples -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        # 20 people are enough for a level, 19 are not; of two ways that keep as many levels, the declared group.
        (
            {"citrate": 30, "malate": 30, "glycinate": 30, "oxide": 30, "taurate": 20, "mix": 20},
            {"Citrate": 30, "Malate": 30, "Glycinate": 30, "Oxide": 30, "Taurate": 20, "Mix": 20},
        ),
        (
            {"citrate": 30, "malate": 30, "glycinate": 30, "oxide": 30, "taurate": 19, "mix": 20},
            {"Citrate": 30, "Malate": 30, "Glycinate": 30, "Oxide": 30, "Rare forms": 39},
        ),
        (
            {"citrate": 30, "malate": 30, "glycinate": 30, "oxide": 30, "taurate": 19, "mix": 60},
            {"Citrate": 30, "Malate": 30, "Glycinate": 30, "Oxide": 30, "Rare forms": 79},
        ),
        # A group is not taken where a pool with the smallest other level keeps more levels.
        (
            {"citrate": 30, "malate": 30, "glycinate": 30, "oxide": 30, "taurate": 21, "mix": 20, None: 1},
            {"Citrate": 30, "Malate": 30, "Glycinate": 30, "Oxide": 30, "Taurate": 21, "Mix or not stated": 21},
        ),
        (
            {"citrate": 30, "malate": 30, "glycinate": 30, "oxide": 30, "taurate": 15, "mix": 15, None: 1},
            {"Citrate": 30, "Malate": 30, "Glycinate": 30, "Oxide": 30, "Rare forms": 31},
        ),
        # Where the declared group is too small itself, the smallest other level joins its members.
        (
            {"citrate": 30, "malate": 31, "glycinate": 30, "oxide": 25, "taurate": 3, "mix": 4},
            {"Citrate": 30, "Malate": 31, "Glycinate": 30, "Oxide, Taurate or Mix": 32},
        ),
        # Nothing but small levels: all of them together, though even that is not enough.
        ({"citrate": 3, "malate": 4}, {"Citrate, Malate, Glycinate, Oxide, Taurate or Mix": 7}),
        # A form that nobody named is no secret worth a level: it goes where small ones go.
        (
            {"citrate": 30, "malate": 30, "glycinate": 30, "oxide": 0, "taurate": 20, "mix": 20},
            {"Citrate": 30, "Malate": 30, "Glycinate": 30, "Oxide or Taurate": 20, "Mix": 20},
        ),
    ],
)
def test_forms_are_merged_when_they_must_be(counts: Mapping[str | None, int], expected: Mapping[str, int]) -> None:
    assert forms(counts) == expected


@pytest.mark.parametrize(
    ("counts", "elsewhere", "expected"),
    [
        ({100.0: 20, 300.0: 20, 500.0: 20}, 0, ["Under 200", "200 to 400", "Over 400"]),
        # A band of 19 joins the smaller of its neighbours, never a band beyond.
        ({100.0: 20, 300.0: 19, 500.0: 30}, 0, ["Up to 400", "Over 400"]),
        ({100.0: 30, 300.0: 19, 500.0: 20}, 0, ["Under 200", "200 or more"]),
        ({100.0: 19, 300.0: 40, 500.0: 20}, 0, ["Up to 400", "Over 400"]),
        # Wider bands that were declared win where they keep more levels apart.
        ({100.0: 12, 220.0: 12, 500.0: 30}, 0, ["Up to 400", "Over 400"]),
        ({100.0: 12, 220.0: 12, 300.0: 12, 500.0: 12}, 0, ["Up to 250", "Over 250"]),
        ({100.0: 25, 300.0: 10, 500.0: 12}, 0, ["Under 200", "200 or more"]),
        ({220.0: 25, 300.0: 25}, 0, ["Up to 250", "Over 250"]),
        # People without a dose are no neighbours of a band, however few they are.
        ({100.0: 30, 500.0: 30, None: 5}, 0, ["Up to 400", "Over 400", "Not stated"]),
        ({100.0: 30, 500.0: 30, None: 5}, 9, ["Up to 400", "Over 400", "No dose or not stated"]),
        ({100.0: 30, 500.0: 30, None: 20}, 20, ["Up to 400", "Over 400", "No dose", "Not stated"]),
        # Nobody at all: one level.
        ({}, 0, ["Any value"]),
    ],
)
def test_bands_are_merged_with_their_neighbours(
    counts: Mapping[float | None, int], elsewhere: int, expected: Sequence[str]
) -> None:
    assert [label.replace(", ", " or ") for label in doses(counts, elsewhere)] == expected


def test_of_several_ways_to_join_bands_the_most_even_one_is_taken() -> None:
    ends: list[dict[str, object]] = [{"below": 1}, {"below": 2}, {"below": 3}, {}]
    bands = [{"code": code, "label": code.upper(), **end} for code, end in zip("abcd", ends, strict=True)]
    instrument = only(dose=item("Dose", "number", "exposure", bands=bands))
    counts = {0.5: 30, 1.5: 5, 2.5: 25, 3.5: 15}
    answers = people(instrument, *((n, {"dose": dose}) for dose, n in counts.items()))
    assert [level.label for level in levels_of(answers, instrument)["dose"]] == [
        "Under 2",
        "2 or more",
    ]  # 35 and 40; not 30 and 45


def test_a_level_needs_ten_answers_to_a_main_question_of_yes_or_no() -> None:
    instrument = only(effect=item("Effect", "yes_no", "outcome", primary=True))

    def labels(n_answered: int) -> list[str]:
        forms: list[tuple[int, dict[str, object]]] = [(30, {"form": form, "effect": True}) for form in FORMS[:5]]
        mix: list[tuple[int, dict[str, object]]] = [
            (n_answered, {"form": "mix", "effect": True}),
            (30 - n_answered, {"form": "mix"}),
        ]
        return [level.label for level in levels_of(people(instrument, *forms, *mix), instrument)["form"]]

    assert "Mix" in labels(10)
    assert "Mix" not in labels(9)


def test_a_level_needs_enough_people_on_both_sides_of_the_main_threshold() -> None:
    better, same = {"pain_before": 8.0, "pain": 2.0}, {"pain_before": 8.0, "pain": 8.0}

    def labels(n_better: int, n_same: int) -> list[str]:
        forms = [(n, {"form": form} | change) for form in FORMS[:5] for n, change in ((30, better), (30, same))]
        mix = [(n_better, {"form": "mix"} | better), (n_same, {"form": "mix"} | same)]
        return [level.label for level in levels_of(people(SURVEY, *forms, *mix))["form"]]

    assert "Mix" in labels(10, 10)
    assert "Mix" not in labels(9, 30)
    assert "Mix" not in labels(30, 9)


def test_an_answer_that_excludes_all_others_is_never_pooled() -> None:
    none = [*options("citrate", "malate"), {"code": "none", "label": "None", "exclusive": True}]
    instrument = only(form=item("Form", "choice", "exposure", options=none))
    assert forms({"citrate": 30, "malate": 3, "none": 5}, instrument) == {"Citrate or Malate": 33, "None": 5}


# --- What was merged stays merged ----------------------------------------------------------------------------------------


FEW: dict[str | None, int] = {"citrate": 30, "malate": 30, "glycinate": 30, "oxide": 30, "taurate": 19, "mix": 20}
MANY: dict[str | None, int] = dict.fromkeys(FORMS, 100)


def test_forms_merged_in_the_wave_before_stay_merged() -> None:
    instrument = only()
    before = levels_of(people(instrument, *((n, {"form": form}) for form, n in FEW.items())), instrument)
    assert set(forms(MANY, instrument)) == {form.capitalize() for form in FORMS}
    assert forms(MANY, instrument, before)["Rare forms"] == 200


@pytest.mark.parametrize("without_a_dose", [0, 25])
def test_bands_merged_in_the_wave_before_stay_merged(without_a_dose: int) -> None:
    # Whether somebody left the dose out makes no difference: a level of nobody is not published, and not forgotten either.
    few: dict[float | None, int] = {100.0: 20, 300.0: 19, 500.0: 30, None: without_a_dose}
    many: dict[float | None, int] = {100.0: 100, 300.0: 100, 500.0: 100, None: 100}
    instrument = only()
    before = levels_of(
        people(instrument, *((n, {"by_mouth": "oral", "dose": dose}) for dose, n in few.items())), instrument
    )
    assert doses(many) == ["Under 200", "200 to 400", "Over 400", "Not stated"]
    assert doses(many, earlier=before) == ["Up to 400", "Over 400", "Not stated"]


def test_a_form_asked_since_becomes_a_level_of_its_own() -> None:
    old = only(form=item("Form", "choice", "exposure", options=options("citrate", "malate", "oxide")))
    new = only(form=item("Form", "choice", "exposure", options=options("citrate", "malate", "oxide", "orotate")))
    before = levels_of(people(old, (30, {"form": "citrate"}), (5, {"form": "malate"}), (25, {"form": "oxide"})), old)
    after = forms({"citrate": 90, "malate": 90, "oxide": 90, "orotate": 90}, new, before)
    assert after == {"Citrate": 90, "Malate or Oxide": 180, "Orotate": 90}


def test_bands_cut_anew_start_afresh() -> None:
    instrument = only()
    before = {"dose": [Level(code="all", label="Any", members=("stretch_0", "stretch_1"), merged=True)]}
    answers = people(instrument, *((50, {"by_mouth": "oral", "dose": dose}) for dose in (100.0, 300.0, 500.0)))
    assert levels_of(answers, instrument, before) == levels_of(answers, instrument)


# --- Always --------------------------------------------------------------------------------------------------------------


@settings(max_examples=12)
@given(communities)
def test_everybody_is_in_exactly_one_level(answers: pl.DataFrame) -> None:
    counted = tally(answers, SURVEY)
    for exposure, found in coarsen(counted, SURVEY, POLICY).items():
        members = [code for level in found for code in level.members]
        assert len(members) == len(set(members))
        there = counted.filter(pl.col("exposure") == exposure)["level"].unique()
        known = {atom.code for atom in atoms_of(SURVEY, exposure)}
        assert (set(there) <= set(members) <= known) or exposure == "everybody"


@settings(max_examples=12)
@given(communities)
def test_every_level_is_large_enough_or_the_only_one(answers: pl.DataFrame) -> None:
    counted = tally(answers, SURVEY).filter(pl.col("outcome") == "respondents")
    for exposure, found in levels_of(answers).items():
        if exposure == "everybody":
            continue
        sizes = [_size(level, exposure, counted) for level in found]
        apart = [set(level.members) <= {NOT_STATED, NOT_APPLICABLE} for level in found]
        could_merge = [n for n, is_apart in zip(sizes, apart, strict=True) if not (exposure == "dose" and is_apart)]
        assert len(could_merge) == 1 or min(could_merge) >= 20


def _size(level: Level, exposure: str, counted: pl.DataFrame) -> int:
    mine = counted.filter((pl.col("exposure") == exposure) & pl.col("level").is_in(level.members))
    return int(mine["n_respondents"].sum())


@settings(max_examples=12)
@given(communities)
def test_only_neighbouring_stretches_of_the_dose_are_merged(answers: pl.DataFrame) -> None:
    for level in levels_of(answers)["dose"]:
        if not {NOT_STATED, NOT_APPLICABLE} >= set(level.members):
            stretches = [int(code.removeprefix("stretch_")) for code in level.members]
            assert stretches == list(range(stretches[0], stretches[-1] + 1))


@settings(max_examples=12)
@given(communities)
def test_coarsening_is_the_same_again_and_a_second_time_changes_nothing(answers: pl.DataFrame) -> None:
    found = levels_of(answers)
    assert levels_of(answers.reverse()) == found
    assert levels_of(answers, earlier=found) == found


@settings(max_examples=12)
@given(communities, communities)
def test_what_was_together_in_the_wave_before_is_never_parted(before: pl.DataFrame, now: pl.DataFrame) -> None:
    earlier = levels_of(before)
    for exposure, found in levels_of(now, earlier=earlier).items():
        published = {code for level in found for code in level.members}
        for level in earlier[exposure]:
            still_there = set(level.members) & published
            assert any(still_there <= set(wider.members) for wider in found)


# --- Crossings, and doses read again -------------------------------------------------------------------------------------


CROSSED = with_tables({"name": "crossed", "exposure": "form", "by": "dose", "outcomes": ["pain"]})
BY_SEX = with_tables({"name": "crossed", "exposure": "form", "by": "sex", "outcomes": ["mood"]})
TWO_FORMS = item("Form", "choice", "exposure", options=options("citrate", "malate"))
PLAIN = with_tables({"name": "crossed", "exposure": "form", "by": "dose", "outcomes": ["mood"]}, form=TWO_FORMS)


def cut_of(counts: Mapping[tuple[str, float | None], int], earlier: Levels | None = None) -> list[str]:
    """The labels of the cells of citrate, for so many people by form and dose."""
    groups = [(n, {"form": form, "by_mouth": "oral", "dose": dose}) for (form, dose), n in counts.items()]
    found = levels_of(people(PLAIN, *groups), PLAIN, earlier)["form_by_dose"]
    return [level.label.removeprefix("Citrate, ") for level in found if level.label.startswith("Citrate, ")]


LOW, MIDDLE, HIGH = 100.0, 300.0, 500.0
EVEN = {(form, dose): 20 for form in ("citrate", "malate") for dose in (LOW, MIDDLE, HIGH)}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ["under 200", "200 to 400", "over 400"]),
        # One cell of 19: joined with the neighbour with which most people can be shown, alike in every row.
        ({("malate", HIGH): 19}, ["under 200", "200 or more"]),
        ({("malate", LOW): 19}, ["up to 400", "over 400"]),
        # Of two ways to join, the one with the most people in cells that can be shown.
        ({("malate", MIDDLE): 5, ("citrate", HIGH): 19}, ["under 200", "200 or more"]),
        # Nothing to be won: no band is joined for nothing, and never all of them.
        ({("malate", LOW): 8, ("malate", MIDDLE): 5, ("malate", HIGH): 8}, ["under 200", "200 to 400", "over 400"]),
        # Two ways are as good: the more even one.
        (
            dict.fromkeys(EVEN, 15) | {("citrate", LOW): 25, ("malate", LOW): 25},
            ["under 200", "200 or more"],
        ),
        (
            dict.fromkeys(EVEN, 15) | {("citrate", HIGH): 25, ("malate", HIGH): 25},
            ["up to 400", "over 400"],
        ),
        # Who said nothing of the dose is a column of its own.
        ({("citrate", None): 2}, ["under 200", "200 to 400", "over 400", "not stated"]),
    ],
)
def test_the_second_item_of_a_crossing_is_cut_alike_in_every_row(
    changes: Mapping[tuple[str, float | None], int], expected: list[str]
) -> None:
    assert cut_of(EVEN | dict(changes)) == expected


def test_a_cut_of_the_wave_before_is_kept() -> None:
    few = EVEN | {("malate", HIGH): 19}
    groups = [(n, {"form": form, "by_mouth": "oral", "dose": dose}) for (form, dose), n in few.items()]
    before = levels_of(people(PLAIN, *groups), PLAIN)
    assert cut_of(dict.fromkeys(EVEN, 100)) == ["under 200", "200 to 400", "over 400"]
    assert cut_of(dict.fromkeys(EVEN, 100), before) == ["under 200", "200 or more"]


@pytest.mark.parametrize("instrument", [CROSSED, BY_SEX], ids=["ordered", "unordered"])
@settings(max_examples=10)
@given(answers=communities)
def test_a_crossing_adds_up_to_the_levels_of_its_items(instrument: Instrument, answers: pl.DataFrame) -> None:
    counted = tally(answers, instrument)
    found = coarsen(counted, instrument, POLICY)
    crossing = next(name for name in found if name.startswith("form_by_"))
    second = crossing.removeprefix("form_by_")
    rows: dict[str, int] = {}
    columns: dict[tuple[str, ...], int] = {}
    for cell in found[crossing]:
        up = parents(instrument, crossing, cell, found)
        (row,), column = up["form"], tuple(level.code for level in up[second])
        rows[row.code] = rows.get(row.code, 0) + _size(cell, crossing, _respondents(counted))
        columns[column] = columns.get(column, 0) + _size(cell, crossing, _respondents(counted))
    assert rows == {level.code: _size(level, "form", _respondents(counted)) for level in found["form"]}
    sizes = {level.code: _size(level, second, _respondents(counted)) for level in found[second]}
    assert {column: sum(sizes[code] for code in column) for column in columns} == columns
    assert sorted(code for column in columns for code in column) == sorted(sizes)
    assert sum(is_special(level) for level in found[crossing]) == 0


def _respondents(counted: pl.DataFrame) -> pl.DataFrame:
    return counted.filter(pl.col("outcome") == "respondents")


def test_a_dose_read_again_has_the_levels_of_the_dose() -> None:
    instrument = READ
    groups = [
        (n, {"by_mouth": "oral", "dose": mg} | words(mg, mg)) for n, mg in ((30, 100.0), (5, 300.0), (9, None)) if mg
    ]
    found = levels_of(people(instrument, *groups), instrument)
    assert found["dose__label_elemental"] == found["dose__compound"] == found["dose"] != ()
    assert found["dose__worst_case"] == found["everybody"] == ()


@settings(max_examples=12)
@given(communities, communities)
def test_what_was_one_column_in_the_wave_before_stays_one(before: pl.DataFrame, now: pl.DataFrame) -> None:
    earlier = levels_of(before, CROSSED)
    found = levels_of(now, CROSSED, earlier)["form_by_dose"]
    published = {code for level in found for code in level.members}
    for level in earlier["form_by_dose"]:
        still_there = set(level.members) & published
        assert any(still_there <= set(wider.members) for wider in found)


# --- What is asked for beyond the needs ----------------------------------------------------------------------------------


def test_codes_that_must_be_together_are_in_one_level() -> None:
    instrument = only()
    groups = ((100, {"form": form, "by_mouth": "oral", "dose": 100.0 * (at + 1)}) for at, form in enumerate(FORMS))
    counted = tally(people(instrument, *groups), instrument)
    together = {"form": [{"citrate", "oxide"}, {"oxide", "mix"}], "dose": [{"stretch_0", "stretch_3"}]}
    found = coarsen(counted, instrument, POLICY, together=together)
    assert [level.label for level in found["form"]] == ["Malate", "Glycinate", "Taurate", "Citrate, Oxide or Mix"]
    assert [level.label for level in found["dose"]] == ["Any value"]


def test_what_cannot_be_together_is_a_fault() -> None:
    instrument = only()
    counted = tally(
        people(instrument, (50, {"form": "citrate", "by_mouth": "oral", "dose": 100.0}), (50, {})), instrument
    )
    with pytest.raises(ValueError, match="the levels of dose cannot be put together"):
        coarsen(counted, instrument, POLICY, together={"dose": [{"stretch_0", NOT_STATED}]})


@pytest.mark.parametrize("instrument", [CROSSED, BY_SEX, PLAIN], ids=["ordered", "unordered", "plain"])
@settings(max_examples=8)
@given(answers=communities)
def test_levels_can_be_merged_one_by_one_until_nothing_is_left(instrument: Instrument, answers: pl.DataFrame) -> None:
    counted = tally(
        answers if instrument is not PLAIN else answers.filter(pl.col("form").is_in(["citrate"])), instrument
    )
    levels = coarsen(counted, instrument, POLICY)
    for exposure in (name for name, found in levels.items() if found):
        now = levels
        while (codes := next_coarser(now, exposure, instrument, counted)) is not None:
            further = coarsen(counted, instrument, POLICY, now, {exposure: [codes]})
            assert len(further[exposure]) < len(now[exposure])
            assert any(codes <= set(level.members) for level in further[exposure])
            assert all(
                any(set(one.members) <= set(wide.members) for wide in further[exposure]) for one in now[exposure]
            )
            now = further
        assert _merged_out(now[exposure], exposure, instrument)


def _merged_out(levels: Sequence[Level], exposure: str, instrument: Instrument) -> bool:
    """Whether a level is left for all answers, and one for people outside them at most; of a crossing, a row of these."""
    if "_by_" not in exposure:
        return len(levels) <= 2
    rows = {level.code.split("__x__")[0] for level in levels}
    return len(levels) <= 2 * len(rows)


def test_the_smallest_level_is_merged_next_with_the_smallest_it_may() -> None:
    none = [*options("a", "b", "c"), {"code": "none", "label": "None", "exclusive": True}]
    groups = [[{"code": "c_or_none", "label": "C or none", "of": ["c", "none"]}]]
    counts = {"a": 60, "b": 50, "c": 40, "none": 30}

    def merged(codes: Sequence[str], groups: object) -> frozenset[str] | None:
        instrument = only(form=item("Form", "choice", "exposure", options=none, groups=groups))
        counted = tally(people(instrument, *((counts[code], {"form": code}) for code in codes)), instrument)
        return next_coarser(coarsen(counted, instrument, POLICY), "form", instrument, counted)

    assert merged(["a", "b", "c", "none"], []) == frozenset({"b", "c"})
    assert merged(["a", "b", "c", "none"], groups) == frozenset({"c", "none"})
    assert merged(["none"], []) is None


def test_everybody_and_what_has_no_levels_of_its_own_is_not_merged_further() -> None:
    counted = tally(people(READ, (30, {"by_mouth": "oral", "dose": 100.0} | words(100.0, 100.0))), READ)
    levels = coarsen(counted, READ, POLICY)
    for exposure in ("everybody", "dose__label_elemental", "dose__worst_case"):
        assert next_coarser(levels, exposure, READ, counted) is None


# --- Levels of the wave before, once more --------------------------------------------------------------------------------


def test_a_small_form_asked_since_joins_levels_as_they_were() -> None:
    old = only(form=item("Form", "choice", "exposure", options=options("citrate", "malate", "oxide")))
    new = only(form=item("Form", "choice", "exposure", options=options("citrate", "malate", "oxide", "orotate")))
    before = levels_of(people(old, (30, {"form": "citrate"}), (5, {"form": "malate"}), (25, {"form": "oxide"})), old)
    after = forms({"citrate": 90, "malate": 90, "oxide": 90, "orotate": 3}, new, before)
    assert after == {"Malate or Oxide": 180, "Citrate or Orotate": 93}


def test_what_was_merged_beside_a_form_that_is_asked_no_more_stays_merged() -> None:
    instrument = only(form=item("Form", "choice", "exposure", options=options("citrate", "malate", "oxide")))
    members = ("malate", "oxide", "orotate")
    three = Level(code="x", label="Malate, Oxide or Orotate", members=members, merged=True)
    before = {"form": [atoms_of(instrument, "form")[0], three]}
    after = forms({"citrate": 90, "malate": 90, "oxide": 90}, instrument, before)
    assert after == {"Citrate": 90, "Malate or Oxide": 180}


def test_groups_go_on_from_the_levels_of_the_wave_before() -> None:
    groups = [[{"code": "salts", "label": "Salts", "of": ["citrate", "malate", "oxide", "taurate"]}]]
    instrument = only(form=item("Form", "choice", "exposure", options=options(*FORMS), groups=groups))
    finest = {atom.code: atom for atom in atoms_of(instrument, "form")}
    pair = Level(code="malate_or_oxide", label="Malate or Oxide", members=("malate", "oxide"), merged=True)
    before = {"form": [pair, *(finest[code] for code in ("citrate", "taurate", "glycinate", "mix"))]}
    after = forms({"citrate": 9, "malate": 5, "oxide": 5, "taurate": 9, "glycinate": 50, "mix": 50}, instrument, before)
    assert after == {"Glycinate": 50, "Mix": 50, "Salts": 28}


def released(wave: str, number: int = 1) -> Release:
    """What is known of a wave's levels: low and middle doses, and two forms, were merged."""
    merged = {
        "dose": ("Up to 400", ("stretch_0", "stretch_1", "stretch_2")),
        "form": ("Citrate or Malate", ("citrate", "malate")),
        "form_by_dose": (
            "Citrate, up to 400",
            ("citrate__x__stretch_0", "citrate__x__stretch_1", "citrate__x__stretch_2"),
        ),
    }
    levels: dict[str, tuple[PublishedLevel, ...]] = {
        name: (PublishedLevel(code="merged", label=label, made_of=(label,), members=members, merged=True),)
        for name, (label, members) in merged.items()
    }
    high = PublishedLevel(code="high", label="Over 400", made_of=("Over 400",), members=("stretch_3",), merged=False)
    levels["dose"] = (*levels["dose"], high)
    return Release.model_construct(wave=wave, release_number=number, levels=levels)


@pytest.mark.parametrize(
    ("levels_from", "wave", "before", "expected"),
    [
        (None, "2026-03", "2026-02", {"dose", "form", "form_by_dose"}),
        # From March on, the doses are cut anew, and with them what is crossed with them.
        ("2026-03", "2026-02", "2026-01", {"dose", "form", "form_by_dose"}),
        ("2026-03", "2026-03", "2026-02", {"form"}),
        ("2026-03", "2026-05", "2026-02", {"form"}),
        # What was chosen since stays, and so do the levels of a wave that is corrected.
        ("2026-03", "2026-04", "2026-03", {"dose", "form", "form_by_dose"}),
        ("2026-03", "2026-03", "2026-03", {"dose", "form", "form_by_dose"}),
    ],
)
def test_levels_are_chosen_anew_from_the_wave_that_the_instrument_names(
    levels_from: str | None, wave: str, before: str, expected: set[str]
) -> None:
    described = CROSSED.model_dump()
    described["items"]["dose"]["levels_from"] = levels_from
    found = earlier_levels([released(before)], wave, Instrument.model_validate(described))
    assert set(found) == expected


def test_levels_large_enough_again_part_only_when_they_are_chosen_anew() -> None:
    ledger = [released("2026-02")]
    many: dict[float | None, int] = {100.0: 100, 300.0: 100, 500.0: 100}
    assert doses(many, earlier=earlier_levels(ledger, "2026-03", SURVEY)) == ["Up to 400", "Over 400"]
    described = SURVEY.model_dump()
    described["items"]["dose"]["levels_from"] = "2026-03"
    anew = Instrument.model_validate(described)
    assert anew.fingerprint != SURVEY.fingerprint
    assert doses(many, earlier=earlier_levels(ledger, "2026-03", anew)) == ["Under 200", "200 to 400", "Over 400"]

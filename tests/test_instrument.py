"""The instrument: what its models refuse, how levels are cut, how it is found, and what the shipped one holds."""

import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from survey_pipeline import instrument as module
from survey_pipeline.errors import InputRefused, WrongUsage
from survey_pipeline.instrument import (
    Band,
    Group,
    Instrument,
    Item,
    Kind,
    Option,
    Role,
    Threshold,
    load_instrument,
    parse_instrument,
    shipped_instruments,
)
from survey_pipeline.levels import Level, atoms, band_ends, is_ordered, partitions
from survey_pipeline.names import NOT_APPLICABLE, NOT_STATED
from survey_pipeline.sample.population import band_place, stretch_place

TEA = """
name = "tea"
title = "Tea and sleep"
version = "1"
community = "people who drink tea"
about = "Which tea people drink, and how they sleep."
form = "tea"
dose = "cups"

[items.tea]
label = "Tea"
question = "Which tea do you drink?"
theme = "tea"
kind = "choice"
role = "exposure"
options = [{ code = "green", label = "Green" }, { code = "black", label = "Black" }, { code = "none", label = "None" }]

[items.cups]
label = "Cups a day"
question = "How many cups a day?"
theme = "tea"
kind = "number"
role = "exposure"
unit = "cups/day"
minimum = 0
maximum = 30
bands = [{ code = "few", label = "Up to 2", up_to = 2 }, { code = "many", label = "Over 2" }]

[items.sleep]
label = "Sleep"
question = "How do you sleep?"
headings = ["Sleep quality"]
theme = "sleep"
kind = "scale"
role = "outcome"
minimum = 0
maximum = 10
better = "higher"

[[tables]]
name = "form_by_outcome"
title = "Sleep by tea"
exposure = "tea"
outcomes = ["sleep"]
"""


@pytest.fixture(scope="module")
def magnesium() -> Instrument:
    return load_instrument(Path(module.__file__).parents[2] / "schemas" / "magnesium")


def codes(levels: tuple[Level, ...]) -> list[str]:
    return [level.code for level in levels]


def item(**changes: Any) -> Item:
    """A valid scale, with some keys changed."""
    valid: dict[str, Any] = {
        "label": "Pain",
        "question": "How bad is your pain?",
        "theme": "outcomes",
        "kind": "scale",
        "role": "outcome",
        "minimum": 0,
        "maximum": 10,
    }
    return Item.model_validate({**valid, **changes})


def choice(**changes: Any) -> Item:
    """A valid choice between a, b and c, with some keys changed."""
    options = [{"code": code, "label": code.upper()} for code in "abc"]
    return item(**{"kind": "choice", "minimum": None, "maximum": None, "options": options, **changes})


# --- Reading a file --------------------------------------------------------------------------------------------------


def test_tiny_instrument_is_complete() -> None:
    tea = parse_instrument(TEA)
    assert list(tea.items) == ["tea", "cups", "sleep"]
    assert tea.items["sleep"].texts == ("How do you sleep?", "Sleep quality")


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ('title = "Tea', 'titel = "Tea', "Did you mean 'title'?"),
        ('label = "Tea"', 'lable = "Tea"', "Did you mean 'label'?"),
        ('{ code = "green", label = "Green" }', '{ code = "green", labl = "Green" }', "Did you mean 'label'?"),
        ("up_to = 2", "upto = 2", "Did you mean 'up_to'?"),
        ('exposure = "tea"', 'exposur = "tea"', "Did you mean 'exposure'?"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest_known_one(right: str, wrong: str, said: str) -> None:
    with pytest.raises(InputRefused, match="Unknown key") as refused:
        parse_instrument(TEA.replace(right, wrong, 1))
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ('form = "tea"', 'form = "tee"', "form names the item 'tee', which does not exist. Did you mean 'tea'?"),
        ('dose = "cups"', 'dose = "cup"', "dose names the item 'cup'"),
        ('outcomes = ["sleep"]', 'outcomes = ["sleeep"]', "the table form_by_outcome names the item 'sleeep'"),
        ('form = "tea"', 'form = "sleep"', "the exposure 'sleep' has neither options nor bands"),
        ('headings = ["Sleep quality"]', 'headings = ["how many  CUPS a day?"]', "under the same heading"),
        ('better = "higher"', 'better = "upwards"', "At items.sleep.better"),
        ('kind = "scale"', 'kind = "scael"', "At items.sleep.kind"),
        ("minimum = 0\nmaximum = 30", "minimum = 30\nmaximum = 0", "the minimum must lie below the maximum"),
        ('better = "higher"', 'baseline = "before"', "the item sleep names the item 'before'"),
        ('better = "higher"', 'baseline = "cups"', "same kind, minimum, maximum and step"),
    ],
)
def test_contradictions_are_refused_in_words(right: str, wrong: str, said: str) -> None:
    with pytest.raises(InputRefused) as refused:
        parse_instrument(TEA.replace(right, wrong, 1))
    assert said in str(refused.value)


def test_a_condition_must_name_codes_that_exist() -> None:
    condition = (
        'applies_if = { item = "tea", values = ["green", "blak"], otherwise = "Drinks none" }\nunit = "cups/day"'
    )
    with pytest.raises(InputRefused, match=r"no code of it\. Did you mean .black") as refused:
        parse_instrument(TEA.replace('unit = "cups/day"', condition))
    assert "cups" in str(refused.value)


MORE = """
[[tables]]
name = "more"
title = "More"
{table}

[items.more]
label = "More"
question = "More?"
theme = "tea"
{item}
"""
SEVERAL = (
    'role = "exposure"\nkind = "choices"\noptions = [{{ code = "x", label = "X" }}, {{ code = "{}", label = "Y" }}]'
)
YES_NO = 'role = "detail"\nkind = "yes_no"'
BASIS = """role = "detail"
kind = "number"
readings = "words"
basis = "{basis}"

[items.words]
label = "Words"
question = "Words?"
theme = "tea"
kind = "dose"
role = "detail"

[items.said]
label = "Said"
question = "Said?"
theme = "tea"
kind = "choice"
role = "detail"
options = [{{ code = "unsure", label = "Unsure" }}, {codes}]
"""


@pytest.mark.parametrize(
    ("table", "item", "said"),
    [
        ('exposure = "tea"\nby = "tea"\noutcomes = ["sleep"]', YES_NO, "the same item as `exposure` and as `by`"),
        ('by = "tea"\noutcomes = ["sleep"]', YES_NO, "has `by`, but no `exposure`"),
        ('exposure = "tea"\nby = "sleep"\noutcomes = ["more"]', YES_NO, "'sleep' has neither options nor bands"),
        ('exposure = "tea"\nby = "cup"\noutcomes = ["more"]', YES_NO, "names the item 'cup'"),
        ('outcomes = ["cups"]', YES_NO, "cannot show 'cups'"),
        ('outcomes = ["sleep"]\nshows = "all"', YES_NO, "must be one of: everything, counts"),
        ('exposure = "more"\noutcomes = ["sleep"]', SEVERAL.format("several"), "is taken for a level of its own"),
        ('exposure = "more"\noutcomes = ["sleep"]', SEVERAL.format("none_ticked"), "is taken for a level of its own"),
        ('outcomes = ["more"]', SEVERAL.format("left_out"), "the name 'more__left_out' is taken"),
        ('outcomes = ["sleep"]', YES_NO + '\nreadings = "cups"', "only the kind number takes readings"),
        (
            'outcomes = ["sleep"]',
            'role = "detail"\nkind = "number"\nreadings = "cups"',
            "is read again by 'cups', which is of another kind than dose",
        ),
        ('outcomes = ["sleep"]', BASIS.format(basis="label", codes=""), "names the item 'label', which does not exist"),
        (
            'outcomes = ["sleep"]',
            BASIS.format(basis="cups", codes=""),
            "has the basis 'cups', which is of another kind",
        ),
        ('outcomes = ["sleep"]', BASIS.format(basis="tea", codes=""), "whose options lack the code 'label_elemental'"),
        (
            'outcomes = ["sleep"]',
            BASIS.format(basis="said", codes='{ code = "label_elemental", label = "Elemental" }'),
            "has the basis 'said', whose options lack the code 'compound'",
        ),
    ],
)
def test_tables_and_levels_that_contradict_are_refused_in_words(table: str, item: str, said: str) -> None:
    with pytest.raises(InputRefused) as refused:
        parse_instrument(TEA + MORE.format(table=table, item=item))
    assert said in str(refused.value)


@pytest.mark.parametrize("code", ["several", "none_ticked"])
def test_an_option_may_be_called_as_a_level_where_nobody_is_told_apart_by_it(code: str) -> None:
    assert parse_instrument(TEA + MORE.format(table='outcomes = ["more"]', item=SEVERAL.format(code)))


def test_tables_have_the_names_of_what_tells_people_apart() -> None:
    crossed = 'exposure = "tea"\nby = "cups"\noutcomes = ["more"]'
    found = parse_instrument(TEA + MORE.format(table=crossed, item=YES_NO)).tables
    assert [(table.cut_by, table.factors) for table in found] == [("tea", ("tea",)), ("tea_by_cups", ("tea", "cups"))]
    everybody = parse_instrument(TEA + MORE.format(table='outcomes = ["more"]', item=YES_NO)).tables[1]
    assert (everybody.cut_by, everybody.factors) == ("everybody", ())


@pytest.mark.parametrize(
    ("name", "said"),
    [("item_nonresponse", "the table 'item_nonresponse' is made"), ("form_by_outcome_2", "")],
)
def test_names_that_the_pipeline_makes_are_its_own(name: str, said: str) -> None:
    text = TEA.replace('name = "form_by_outcome"', f'name = "{name}"')
    if not said:
        assert parse_instrument(text)
        return
    with pytest.raises(InputRefused) as refused:
        parse_instrument(text)
    assert said in str(refused.value)


@pytest.mark.parametrize("code", ["everybody", "tea_by_cups"])
def test_an_exposure_may_not_be_called_as_one_that_is_made(code: str) -> None:
    crossed = 'exposure = "tea"\nby = "cups"\noutcomes = ["sleep"]'
    text = (TEA + MORE.format(table=crossed, item=YES_NO)).replace("[items.more]", f"[items.{code}]")
    with pytest.raises(InputRefused, match=f"the exposure '{code}' is made by the pipeline"):
        parse_instrument(f'who_answered = ["{code}"]\n' + text)
    assert parse_instrument(text)


WEIGHTING = """
[items.weight]
label = "Weight"
question = "Weight"
theme = "survey"
kind = "number"
role = "weight"
required = true
minimum = 0.01
[items.area]
label = "Area"
question = "Area"
theme = "survey"
kind = "text"
role = "drop"
[weighting]
why = "Some were asked more often."
"""
MARGIN = 'margins = [{ item = "tea", shares = { green = 0.4, black = 0.6 }, source = "S" }]'
MARGINS = WEIGHTING.replace('role = "weight"', 'role = "detail"').replace("[items.weight]", "[items.heft]") + MARGIN


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (WEIGHTING, ""),
        (MARGINS, ""),
        (WEIGHTING.replace('role = "weight"', 'role = "detail"').replace("weight]", "heft]") + 'strata = "tea"', ""),
        (WEIGHTING.partition("[weighting]")[0], "say why in [weighting]"),
        (WEIGHTING + MARGIN, "from the item weight or from margins, not from both"),
        (WEIGHTING.replace('role = "weight"', 'role = "detail"'), "needs margins"),
        (MARGINS.replace("[items.heft]", "[items.weight]"), ""),  # somebody's kilograms, say
        (WEIGHTING + 'strata = "are"', "[weighting] names the item 'are', which does not exist. Did you mean 'area'?"),
        (WEIGHTING + 'clusters = "area"', "it takes a stored item"),
        (WEIGHTING + "trim = [1.0, 3.0]", "below 1 and above 1"),
        (MARGINS.replace("0.6", "0.61"), "do not add up to 1"),
        (MARGINS.replace("0.4", "-0.4").replace("0.6", "1.4"), "has a share below 0"),
        (MARGINS.replace("black", "blak"), "names the answer 'blak', which is no code of it. Did you mean 'black'?"),
        (MARGINS.replace('item = "tea"', 'item = "cups"'), "stored item of the kind choice or yes_no"),
    ],
)
def test_weights_that_cannot_be_meant_are_refused_in_words(text: str, said: str) -> None:
    if not said:
        assert parse_instrument(TEA + text).is_weighted == ("strata" not in text)
        return
    with pytest.raises(InputRefused) as refused:
        parse_instrument(TEA + text)
    assert said in str(refused.value)


def test_broken_toml_is_refused_without_a_traceback() -> None:
    with pytest.raises(InputRefused, match="not valid TOML") as refused:
        parse_instrument(TEA + "\nthis is no TOML")
    assert refused.value.__cause__ is None
    assert refused.value.exit_code == 3


def test_comments_and_layout_do_not_change_the_fingerprint() -> None:
    assert parse_instrument("# a comment\n" + TEA).fingerprint == parse_instrument(TEA).fingerprint
    assert parse_instrument(TEA.replace("Tea and sleep", "Tea")).fingerprint != parse_instrument(TEA).fingerprint


# --- Finding one -----------------------------------------------------------------------------------------------------


def test_a_path_comes_first_then_schemas_here_then_the_shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_instrument("magnesium").title.startswith("Magnesium")
    local = tmp_path / "schemas" / "magnesium"
    local.mkdir(parents=True)
    (local / "instrument.toml").write_text(TEA, encoding="utf-8")
    assert load_instrument("magnesium").name == "tea"
    given = tmp_path / "magnesium"
    given.mkdir()
    (given / "instrument.toml").write_text(TEA.replace('name = "tea"', 'name = "mine"'), encoding="utf-8")
    assert load_instrument("magnesium").name == "mine"
    assert load_instrument(given / "instrument.toml").name == "mine"


def test_an_unknown_name_is_told_with_the_nearest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WrongUsage, match="Did you mean 'magnesium'") as refused:
        load_instrument("magnesum")
    assert refused.value.exit_code == 2


@pytest.mark.parametrize("name", ["../magnesium", "magnesium/..", "/", ""])
def test_a_name_never_leads_out_of_the_shipped_folder(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WrongUsage):
        load_instrument(name)


def test_a_byte_order_mark_is_no_harm_and_other_encodings_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "instrument.toml"
    path.write_bytes(b"\xef\xbb\xbf" + TEA.encode())
    assert load_instrument(path).name == "tea"
    path.write_bytes(TEA.replace("Green", "Grün").encode("latin-1"))
    with pytest.raises(InputRefused, match="UTF-8"):
        load_instrument(path)


# --- Items -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kind": "choice"}, "need options"),
        ({"options": [{"code": "a", "label": "A"}]}, "need options"),
        ({"minimum": None}, "needs a minimum and a maximum"),
        ({"minimum": 10, "maximum": 10}, "below the maximum"),
        ({"kind": "number", "role": "exposure"}, "needs bands"),
        ({"role": "consent"}, "consent_answer"),
        ({"thresholds": [{"name": "r", "label": "R", "source": "S", "points": 2}]}, "needs a baseline"),
        ({"thresholds": [{"name": "r", "label": "R", "source": "S", "percent": 30}]}, "needs a baseline"),
        ({"thresholds": [{"name": "r", "label": "R", "source": "S"}]}, "exactly one"),
        ({"thresholds": [{"name": "r", "label": "R", "source": "S", "points": 2, "at_most": 3}]}, "exactly one"),
        ({"thresholds": [{"name": "r", "label": "R", "at_most": 3}]}, "Field required"),
        ({"bands": [{"code": "x", "label": "X", "below": 5}, {"code": "y", "label": "Y", "below": 3}]}, "low to high"),
        ({"bands": [{"code": "x", "label": "X", "below": 5}, {"code": "y", "label": "Y", "below": 5}]}, "low to high"),
        ({"bands": [{"code": "x", "label": "X", "below": 5}]}, "must be open"),
        ({"wider_bands": [[{"code": "x", "label": "X", "below": 5}]]}, "must be open"),
        ({"step": 0}, "greater than 0"),
        ({"comparison": "a"}, "comparison must name one of the item's answers"),
        ({"responder_curve": [10]}, "need a baseline item"),
        ({"retest": {"lowest": 0.4, "highest": 0.8, "source": "S"}}, "need a baseline item"),
        ({"baseline": "b", "retest": {"lowest": 0.8, "highest": 0.4, "source": "S"}}, "must not lie above"),
        ({"baseline": "b", "retest": {"lowest": 0.4, "highest": 1, "source": "S"}}, "less than 1"),
        ({"baseline": "b", "responder_curve": [20, 10]}, "must rise"),
        ({"baseline": "b", "responder_curve": [10, 10]}, "must rise"),
        ({"baseline": "b", "responder_curve": [0, 10]}, "must rise"),
        ({"baseline": "b", "responder_curve": [10, 101]}, "must rise"),
        ({"readings": "words"}, "only the kind number takes readings"),
        ({"kind": "number", "role": "detail", "basis": "said"}, "it needs readings"),
        ({"kind": "yes_no", "limits": [{"code": "x", "label": "X", "above": 1, "source": "S"}]}, "take limits"),
        ({"limits": [{"code": "x", "label": "X", "above": n, "source": "S"} for n in (1, 2)]}, "limits have the same"),
        ({"role": "weight"}, "takes the kind number"),
        ({"role": "weight", "kind": "number", "minimum": 0.1}, "needs `required = true`"),
        ({"role": "weight", "kind": "number", "minimum": 0, "required": True}, "a `minimum` above 0"),
    ],
)
def test_a_scale_that_contradicts_itself_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        item(**changes)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"options": [{"code": "a", "label": "A"}, {"code": "a", "label": "B"}]}, "same code"),
        ({"several_as": "d"}, "several_as"),
        ({"groups": [[{"code": "g", "label": "G", "of": ["a", "d"]}]]}, "at most once"),
        (
            {
                "groups": [
                    [{"code": "g", "label": "G", "of": ["a", "b"]}, {"code": "h", "label": "H", "of": ["b", "c"]}]
                ]
            },
            "once",
        ),
        ({"groups": [[{"code": "g", "label": "G", "of": ["a"]}]]}, "at least 2"),
        (
            {
                "groups": [
                    [{"code": "g", "label": "G", "of": ["a", "b"]}],
                    [{"code": "h", "label": "H", "of": ["b", "c"]}],
                ]
            },
            "keep together",
        ),
        ({"options": [{"code": "A b", "label": "A"}]}, "pattern"),
        ({"comparison": "d"}, "comparison must name"),
        ({"groups": [[{"code": "g", "label": "G", "of": ["a", "several"]}]]}, "at most once"),
    ],
)
def test_a_choice_that_contradicts_itself_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        choice(**changes)


def test_a_threshold_on_the_score_itself_needs_no_baseline() -> None:
    rule = {"name": "much_improved", "label": "Much improved", "source": "IMMPACT", "at_most": 2}
    assert not item(thresholds=[rule]).thresholds[0].needs_baseline
    assert Threshold(name="r", label="R", source="S", percent=30).needs_baseline


@pytest.mark.parametrize(
    ("kind", "role", "stored"),
    [
        ("scale", "outcome", True),
        ("scale", "drop", False),
        ("text", "detail", False),
        ("text", "identifier", False),
        ("number", "identifier", False),
        ("scale", "diary", True),
    ],
)
def test_free_text_identifiers_and_dropped_items_are_never_stored(kind: str, role: str, stored: bool) -> None:
    assert item(kind=kind, role=role).is_stored is stored


def test_a_question_with_several_answers_has_a_column_an_option() -> None:
    assert choice(kind="choices").columns("x") == ("x__a", "x__b", "x__c")
    assert choice().columns("x") == ("x",)


# --- Levels ----------------------------------------------------------------------------------------------------------


def test_levels_of_a_choice_with_groups_from_fine_to_coarse() -> None:
    two = Group(code="b_or_none", label="B or none", of=("b", NOT_STATED))
    three = Group(code="rest", label="Rest", of=("b", "c", NOT_STATED))
    ways = partitions(choice(groups=[(two,), (three,)]))
    assert [codes(way) for way in ways] == [["a", "b", "c", NOT_STATED], ["a", "c", "b_or_none"], ["a", "rest"]]
    assert [level.merged for level in ways[1]] == [False, False, True]


def test_yes_and_no_are_levels() -> None:
    assert codes(atoms(item(kind="yes_no"))) == ["yes", "no", NOT_STATED]


def test_people_whom_an_item_does_not_concern_are_a_level() -> None:
    condition = {"item": "tea", "values": ["green"], "otherwise": "Drinks no green tea"}
    levels = atoms(choice(applies_if=condition))
    assert codes(levels) == ["a", "b", "c", NOT_APPLICABLE, NOT_STATED]
    assert levels[3].label == "Drinks no green tea"


BANDED = item(
    kind="number",
    role="exposure",
    bands=[
        {"code": "low", "label": "Under 200", "below": 200},
        {"code": "middle", "label": "200 to 299", "below": 300},
        {"code": "high", "label": "300 and over"},
    ],
    wider_bands=[
        [{"code": "up_to_250", "label": "Up to 250", "up_to": 250}, {"code": "over_250", "label": "Over 250"}]
    ],
)


def test_overlapping_bands_are_cut_at_every_end() -> None:
    assert band_ends(BANDED) == ((200, False), (250, True), (300, False), (float("inf"), True))
    assert len(atoms(BANDED)) == 4 + 1
    narrow, wide = partitions(BANDED)
    assert {level.code: level.members for level in narrow} == {
        "low": ("stretch_0",),
        "middle": ("stretch_1", "stretch_2"),
        "high": ("stretch_3",),
        NOT_STATED: (NOT_STATED,),
    }
    assert {level.code: level.members for level in wide} == {
        "up_to_250": ("stretch_0", "stretch_1"),
        "over_250": ("stretch_2", "stretch_3"),
        NOT_STATED: (NOT_STATED,),
    }


@pytest.mark.parametrize(
    ("dose", "narrow", "wide"),
    [
        (0, "low", "up_to_250"),
        (199.9, "low", "up_to_250"),
        (200, "middle", "up_to_250"),
        (250, "middle", "up_to_250"),
        (250.1, "middle", "over_250"),
        (299.9, "middle", "over_250"),
        (300, "high", "over_250"),
        (1e9, "high", "over_250"),
    ],
)
def test_both_sides_of_every_end_of_a_band(dose: float, narrow: str, wide: str) -> None:
    assert BANDED.bands[band_place(dose, BANDED.bands)].code == narrow
    assert BANDED.wider_bands[0][band_place(dose, BANDED.wider_bands[0])].code == wide
    stretch = f"stretch_{stretch_place(dose, BANDED)}"
    for way, wanted in zip(partitions(BANDED), (narrow, wide), strict=True):
        assert [level.code for level in way if stretch in level.members] == [wanted]


def test_where_a_band_ends_and_whether_the_end_belongs_to_it() -> None:
    assert Band(code="a", label="A", below=3).end == (3, False)
    assert Band(code="a", label="A", up_to=3).end == (3, True)
    assert Band(code="a", label="A").end == (float("inf"), True)


def test_only_bands_have_neighbours() -> None:
    assert is_ordered(BANDED)
    assert not is_ordered(choice())


# --- The shipped instrument ------------------------------------------------------------------------------------------


FORMS = ["citrate", "malate", "glycinate", "oxide", "chloride", "threonate", "taurate", "sulfate"]
ZERO_TO_TEN = ["pain", "stiffness", "fatigue", "sleep_quality", "stress", "mental_fog", "quality_of_life"]
LONGER = {"tender_areas": 18, "fiqr": 100, "psqi": 21, "pss_10": 40}


def test_it_is_shipped() -> None:
    assert "magnesium" in shipped_instruments()


def test_every_form_is_asked_for(magnesium: Instrument) -> None:
    assert list(magnesium.items["magnesium_form"].codes) == [*FORMS, "other", "mix", "none", "stopped"]
    assert magnesium.items["magnesium_form"].several_as == "mix"
    assert magnesium.items["why_stopped"].kind is Kind.CHOICES


def test_the_themes_of_the_survey_are_complete(magnesium: Instrument) -> None:
    items = magnesium.items
    assert {"oral", "topical", "both"} <= set(items["route"].codes)
    assert items["dose_as_written"].kind is Kind.DOSE and items["dose_as_written"].compounds
    assert items["elemental_dose_mg_per_day"].kind is Kind.NUMBER
    assert set(items["dose_basis"].codes) == {"label_elemental", "compound", "unknown"}
    assert {"doses_per_day", "starting_dose_mg_per_day", "raised_slowly", "weeks_taken"} <= set(items)
    assert items["side_effects"].codes == ("diarrhoea", "upset_stomach", "other", "none")
    assert {"stopped_over_side_effects", "kidney_impairment"} <= set(items)
    assert set(items["interacting_medicines"].codes) >= {"antibiotics", "bisphosphonates", "blood_pressure"}
    assert {"keeps_diary", "serum_magnesium_tested", "magnesium_rich_diet", "talked_to_clinician"} <= set(items)
    alongside = {"vitamin_d", "omega_3", "amitriptyline", "other_medicine", "exercise"}
    assert set(items["companions"].codes) >= alongside | {"sleep_hygiene", "stress_reduction", "physical_therapy"}
    assert set(magnesium.with_role(Role.STRATUM)) == {"age_band", "sex", "years_since_diagnosis", "region"}
    assert list(magnesium.with_role(Role.CONSENT)) == ["consent"]
    assert list(magnesium.with_role(Role.IDENTIFIER)) == ["respondent_code"]
    diary = {"diary_date", "diary_pain", "diary_sleep_quality", "diary_stress", "diary_dose_mg"}
    assert set(magnesium.with_role(Role.DIARY)) == diary


@pytest.mark.parametrize(("name", "maximum"), [*((name, 10) for name in ZERO_TO_TEN), *LONGER.items()])
def test_each_outcome_is_asked_before_and_now(magnesium: Instrument, name: str, maximum: int) -> None:
    now, before = magnesium.items[name], magnesium.items[f"{name}_baseline"]
    assert (now.minimum, now.maximum, now.step) == (before.minimum, before.maximum, before.step) == (0, maximum, 1)
    assert now.baseline == f"{name}_baseline"
    assert before.role is Role.BASELINE
    assert now.better == ("higher" if name in ("sleep_quality", "quality_of_life") else "lower")


def test_global_change_is_asked_once_and_one_is_best(magnesium: Instrument) -> None:
    pgic = magnesium.items["pgic"]
    assert (pgic.minimum, pgic.maximum, pgic.better, pgic.baseline) == (1, 7, "lower", None)
    reached = {threshold.name: threshold.at_most for threshold in pgic.thresholds}
    assert reached == {"minimally_improved": 3, "much_improved": 2, "very_much_improved": 1}


def test_every_threshold_says_who_says_so(magnesium: Instrument) -> None:
    thresholds = [threshold for each in magnesium.items.values() for threshold in each.thresholds]
    assert thresholds
    assert all(len(threshold.source) > 10 for threshold in thresholds)
    assert not magnesium.items["pss_10"].thresholds
    assert not magnesium.items["tender_areas"].thresholds


def test_what_the_report_shows_first(magnesium: Instrument) -> None:
    primary = {name for name, each in magnesium.items.items() if each.primary}
    assert primary == {"pain", "sleep_quality", "fatigue", "stress", "stiffness"}
    for name in primary:
        assert [t.name for t in magnesium.items[name].thresholds if t.primary] == ["responder_30"]


def test_tables_hold_every_outcome(magnesium: Instrument) -> None:
    outcomes = set(magnesium.with_role(Role.OUTCOME))
    tables = {table.name: table for table in magnesium.tables}
    assert set(tables["form_by_outcome"].outcomes) == set(tables["dose_by_outcome"].outcomes) == outcomes
    for name in ("form_by_side_effect", "dose_by_side_effect", "raised_slowly_by_side_effect"):
        assert set(tables[name].outcomes) == {"side_effects", "stopped_over_side_effects"}


def test_upper_levels_and_readings_of_the_dose(magnesium: Instrument) -> None:
    dose = magnesium.items["elemental_dose_mg_per_day"]
    assert {limit.code: limit.above for limit in dose.limits} == {"eu_250": 250, "us_350": 350}
    assert (dose.readings, dose.basis) == ("dose_as_written", "dose_basis")
    assert magnesium.items["magnesium_form"].comparison == "none"


def test_every_outcome_with_a_score_before_says_how_alike_two_answers_are(magnesium: Instrument) -> None:
    for name, each in magnesium.items.items():
        assert (each.retest is not None) == (each.baseline is not None), name
        assert each.retest is None or len(each.retest.source) > 20
    assert magnesium.items["pain"].responder_curve == tuple(range(10, 100, 10))


def test_no_text_means_two_answers(magnesium: Instrument) -> None:
    for name, each in magnesium.items.items():
        texts = [text for option in each.options for text in _texts(option)]
        missing = {text.casefold() for text in (*magnesium.missing, *each.missing)}
        assert len(texts) == len(set(texts)), name
        assert not set(texts) & missing, name


def _texts(option: Option) -> set[str]:
    return {text.casefold() for text in (option.code, option.label, *option.spellings)}


def test_labels_of_ticked_options_hold_no_comma(magnesium: Instrument) -> None:
    several = [each for each in magnesium.items.values() if each.kind is Kind.CHOICES or each.several_as]
    assert not [option.label for each in several for option in each.options if "," in option.label]


def test_a_group_code_never_changes_its_meaning(magnesium: Instrument) -> None:
    for name in (*magnesium.with_role(Role.EXPOSURE), *magnesium.with_role(Role.STRATUM)):
        meanings: dict[str, set[tuple[str, ...]]] = {}
        for level in (level for way in partitions(magnesium.items[name]) for level in way):
            meanings.setdefault(level.code, set()).add(tuple(sorted(level.members)))
        assert all(len(found) == 1 for found in meanings.values()), name


@pytest.mark.parametrize("name", ["magnesium_form", "elemental_dose_mg_per_day", "age_band", "sex", "region"])
def test_every_way_of_cutting_holds_everybody_once(magnesium: Instrument, name: str) -> None:
    everybody = sorted(codes(atoms(magnesium.items[name])))
    for way in partitions(magnesium.items[name]):
        assert sorted(member for level in way for member in level.members) == everybody


@pytest.mark.parametrize("word", ["works", "helps", "reduces", "because", "significant", "proves", "cures"])
def test_no_text_for_readers_claims_an_effect(magnesium: Instrument, word: str) -> None:
    for text in _for_readers(magnesium):
        assert word not in text.casefold().replace(".", " ").split(), text


def _for_readers(magnesium: Instrument) -> list[str]:
    texts = [magnesium.title, magnesium.about, magnesium.ask, *magnesium.cannot_say, *magnesium.safety]
    texts += [reference.text for reference in magnesium.evidence]
    for each in magnesium.items.values():
        texts += [each.label, each.note, *(t.label for t in each.thresholds), *(o.label for o in each.options)]
    return texts + [table.title for table in magnesium.tables]


def test_every_finding_from_outside_can_be_looked_up(magnesium: Instrument) -> None:
    assert len(magnesium.evidence) >= 4
    assert all(any(letter.isdigit() for letter in reference.source) for reference in magnesium.evidence)


def test_a_model_cannot_be_changed_by_accident(magnesium: Instrument) -> None:
    with pytest.raises(ValidationError):
        magnesium.title = "Another"
    assert deepcopy(magnesium).fingerprint == magnesium.fingerprint


# --- The page that teaches it ----------------------------------------------------------------------------------------


SCHEMAS = Path(module.__file__).parents[2] / "schemas"
PAGE = (SCHEMAS / "README.md").read_text(encoding="utf-8") if (SCHEMAS / "README.md").is_file() else ""
EXAMPLE = PAGE.partition("```toml\n")[2].partition("```")[0]
needs_page = pytest.mark.skipif(not PAGE, reason="the page is part of the repository, not of the package")


@needs_page
def test_the_example_on_the_page_is_valid() -> None:
    assert list(parse_instrument(EXAMPLE).items) == ["tea", "cups_per_day", "sleep"]


@needs_page
@pytest.mark.parametrize("model", [Instrument, Item])
def test_the_page_explains_every_key(model: type[Instrument] | type[Item]) -> None:
    explained = set(re.findall(r"`\[*(\w+)", PAGE))
    assert set(model.model_fields) <= explained


@needs_page
@pytest.mark.parametrize("known", [Kind, Role])
def test_the_page_explains_every_kind_and_role(known: type[Kind] | type[Role]) -> None:
    for word in known:
        assert f"\n| `{word}` |" in PAGE


MISTAKES = [
    ('label = "Kind', 'lable = "Kind'),
    ('question = "Which tea do you drink most?"\n', ""),
    ('kind = "choice"', 'kind = "yes_no"'),
    ("minimum = 0\nmaximum = 10\n", ""),
    (EXAMPLE[EXAMPLE.find("bands") : EXAMPLE.find("[items.sleep]")], ""),
    ('label = "3 cups or more" }', 'label = "3 cups or more", up_to = 5 }'),
    ("up_to = 2 }", "up_to = 2 }, { code = 'x', label = 'X', up_to = 1 }"),
    ('of = ["none",', 'of = ["nothing",'),
    ('"not_stated"] }]]', '"not_stated"] }], [{ code = "x", label = "X", of = ["none", "green"] }]]'),
    ('better = "higher"', 'better = "higher"\nthresholds = [{ name = "r", label = "R", source = "S" }]'),
    ('better = "higher"', 'better = "higher"\nthresholds = [{ name = "r", label = "R", source = "S", points = 2 }]'),
    ('outcomes = ["sleep"]', 'outcomes = ["slep"]'),
]


@needs_page
@pytest.mark.parametrize(("right", "wrong"), MISTAKES)
def test_the_page_quotes_what_is_said(right: str, wrong: str) -> None:
    with pytest.raises(InputRefused) as refused:
        parse_instrument(EXAMPLE.replace(right, wrong, 1))
    assert f"\n| {refused.value.problem} |" in PAGE


# --- Names, diaries and counts --------------------------------------------------------------------------------------------


def club_text() -> str:
    from club import CLUB

    return CLUB


DIARY_TABLE = """
[items.day]
label = "Day"
question = "Which day?"
theme = "diary"
kind = "date"
role = "diary"

[items.pain_today]
label = "Pain today"
question = "Pain that day"
theme = "diary"
kind = "scale"
role = "diary"
minimum = 0
maximum = 10

[[tables]]
name = "diary"
title = "Diaries"
exposure = "form"
outcomes = ["pain_today"]
"""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            club_text().replace('name = "dose_by_outcome"', 'name = "form_by_outcome"'),
            "two tables are called 'form_by_outcome'",
        ),
        (
            club_text().replace('name = "dose_by_outcome"', 'name = "tests"'),
            "the table 'tests' is made by the pipeline",
        ),
        (club_text().replace('name = "dose_by_outcome"', 'name = "comparisons"'), "the table 'comparisons' is made"),
        (club_text().replace('name = "dose_by_outcome"', 'name = "who_answered"'), "the table 'who_answered' is made"),
        (club_text().replace('better = "lower"', 'better = "lower"\nbaseline = "pain"'), "pain is its own baseline"),
        (club_text() + 'shows = "counts"\n', "shows counts, and 'pain' is a number"),
        (
            club_text().replace(
                'unit = "mg/day"', 'unit = "mg/day"\nlimits = [{ code = "x", label = "X", above = 1000, source = "S" }]'
            ),
            "nothing can lie above",
        ),
        (
            (club_text() + DIARY_TABLE).replace('role = "identifier"', 'role = "drop"'),
            "that needs a code by which people are known",
        ),
        (
            (club_text() + DIARY_TABLE).replace('kind = "date"\nrole = "diary"', 'kind = "date"\nrole = "detail"'),
            "and the day of an entry",
        ),
        (club_text() + DIARY_TABLE, ""),
        (
            club_text().replace(
                'unit = "mg/day"', 'unit = "mg/day"\nlimits = [{ code = "x", label = "X", above = 999, source = "S" }]'
            ),
            "",
        ),
    ],
)
def test_what_cannot_be_made_is_refused_with_what_to_do(text: str, told: str) -> None:
    if not told:
        assert parse_instrument(text).tables
        return
    with pytest.raises(InputRefused) as refused:
        parse_instrument(text)
    assert told in refused.value.problem

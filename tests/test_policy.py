"""The policy: what may stand in it, its presets, the word that a looser one needs, and where it is printed."""

import json
from pathlib import Path
from typing import Any

import pytest
import releases
from club import CLUB, MARKER, call, club, rows, write
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from survey_pipeline.errors import InputRefused
from survey_pipeline.instrument import parse_instrument
from survey_pipeline.policy import DEFAULT, PRESETS, load_policy, policy_for
from survey_pipeline.release import Policy, Release
from survey_pipeline.render import rules
from survey_pipeline.render.newsletter import markdown
from survey_pipeline.render.page import report
from survey_pipeline.render.view import View

WHY = "Our members agreed to it in March."
LOOSER = f'looser = "{WHY}"\n'
OURS = f'name = "ours"\n{LOOSER}'
AS_PUBLISHED_ONCE = '{"name":"default","min_n":10,"min_n_for_statistics":20,"rounding_base":5,"protection":"mark"}'
"""How a policy was written before it had more rules."""


def policy(text: str, folder: Path) -> Policy:
    path = folder / "disclosure.toml"
    path.write_text(text, encoding="utf-8")
    return load_policy(path)


def refusal(text: str, folder: Path) -> str:
    with pytest.raises(InputRefused) as refused:
        policy(text, folder)
    return str(refused.value)


def wants(**disclosure: Any) -> Any:
    return club(disclosure=disclosure)


# --- What may stand in it ----------------------------------------------------------------------------------------------


def test_the_shipped_policy_is_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_policy() == Policy() == DEFAULT


def test_a_policy_of_the_folder_comes_before_the_shipped_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "schemas").mkdir()
    # As some editors write it: with a mark of the byte order at the start.
    (tmp_path / "schemas" / "disclosure.toml").write_text("\ufeffmin_n = 12\n", encoding="utf-8")
    assert load_policy().min_n == 12


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("min_m = 10", "Did you mean 'min_n'"),
        ('presett = "nhs"', "Did you mean 'preset'"),
        ('lose = "because we may"', "Did you mean 'looser'"),
        ('based_on = "nhs"', "Unknown key 'based_on'"),
        ('tightened = ["min_n"]', "Unknown key 'tightened'"),
        ("min_n = ", "not readable"),
        ('min_n = "ten"', "At min_n: it must be a whole number, 1 or more."),
        ("min_n = true", "At min_n: it must be a whole number, 1 or more."),
        ("min_n = 0", "At min_n: it must be a whole number, 1 or more."),
        ("min_n = 10.5", "At min_n: it must be a whole number, 1 or more."),
        ("rounding_base = 0", "At rounding_base: it must be a whole number, 1 or more."),
        ("least_difference = 0", "At least_difference: it must be a whole number, 1 or more."),
        (
            "min_n = 21",
            "At min_n_for_statistics: an average needs at least as many people as a count, and min_n is 21.",
        ),
        ('preset = "nhs"\nmin_n_for_statistics = 7', "an average needs at least as many people as a count"),
        ('name = " "', "a policy needs a name"),
        ('require_approval = "yes"', "At require_approval"),
        ("protection = 1", 'At protection: it must be "mark", or a whole number from 2 to min_n, which is 10.'),
        ("protection = 11", "from 2 to min_n, which is 10"),
        ("protection = true", "from 2 to min_n"),
        ('protection = "strong"', 'it must be "mark"'),
        ('preset = "opensafly"', "There is no preset 'opensafly' for a disclosure policy. Did you mean 'opensafely'?"),
        ('preset = "default"', "Take one of: opensafely, nhs, cms, ons, ctis."),
        ("preset = 3", "There is no preset 3"),
        ("preset = []", "There is no preset"),
    ],
)
def test_a_policy_that_cannot_be_meant_is_refused(text: str, words: str, tmp_path: Path) -> None:
    assert words in refusal(text, tmp_path)


def test_an_average_may_need_as_many_people_as_a_count(tmp_path: Path) -> None:
    assert policy("min_n = 20", tmp_path).min_n_for_statistics == 20
    assert policy("min_n = 21\nmin_n_for_statistics = 21", tmp_path).min_n == 21


def test_two_releases_differ_by_min_n_unless_the_policy_says_otherwise(tmp_path: Path) -> None:
    assert policy("min_n = 12", tmp_path).people_between == 12
    assert policy("min_n = 12\nleast_difference = 11", tmp_path).people_between == 11


@pytest.mark.parametrize(
    ("least", "most", "by_mark", "by_five"),
    [
        (1, 9, True, True),
        (0, 30, True, True),
        (2, 9, False, True),
        (1, 8, False, True),
        (3, 7, False, True),
        (3, 6, False, False),
        (4, 4, False, False),
    ],
)
def test_a_hidden_count_must_look_as_wide_as_the_policy_asks(
    least: int, most: int, by_mark: bool, by_five: bool
) -> None:
    assert Policy().protects(least, most) is by_mark
    assert Policy(protection=5).protects(least, most) is by_five


def test_the_width_of_the_mark_is_what_it_says() -> None:
    assert (Policy().values_needed, Policy(min_n=12).values_needed, Policy(protection=4).values_needed) == (9, 11, 4)


def test_with_nothing_to_hide_everything_is_protected() -> None:
    assert Policy(min_n=1).values_needed == 0 and Policy(min_n=1).protects(1, 1)


# --- Presets -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "min_n", "statistics", "is_looser"),
    [
        ("opensafely", 8, 20, True),
        ("nhs", 8, 20, True),
        ("cms", 11, 20, False),
        ("ons", 10, 20, False),
        ("ctis", 100, 100, False),
    ],
)
def test_a_preset_is_what_the_table_says(
    name: str, min_n: int, statistics: int, is_looser: bool, tmp_path: Path
) -> None:
    found = policy(f'preset = "{name}"\n{LOOSER if is_looser else ""}', tmp_path)
    assert (found.name, found.based_on, bool(found.loosened)) == (name, name, is_looser)
    assert (found.min_n, found.min_n_for_statistics, found.rounding_base) == (min_n, statistics, 5)
    assert (found.protection, found.people_between, found.require_approval) == ("mark", min_n, False)


def test_the_readme_of_the_schemas_has_the_same_table(tmp_path: Path) -> None:
    readme = (Path(__file__).parents[1] / "schemas" / "README.md").read_text(encoding="utf-8")
    lines = [[cell.strip(" `") for cell in line.split("|")[1:-1]] for line in readme.splitlines()]
    for name in PRESETS:
        (line,) = [cells for cells in lines if len(cells) == 6 and cells[0] == name]
        found = policy(f'preset = "{name}"\n{LOOSER if line[5] == "looser" else ""}', tmp_path)
        assert line[2:5] == [str(found.min_n), str(found.min_n_for_statistics), str(found.rounding_base)]


def test_every_shipped_preset_is_known_and_names_its_source() -> None:
    files = sorted((Path(__file__).parents[1] / "schemas" / "policies").glob("*.toml"))
    assert sorted(path.stem for path in files) == sorted(PRESETS) == sorted(rules.PRESETS)
    assert all("# Source: " in path.read_text(encoding="utf-8") for path in files)


def test_single_rules_of_a_preset_may_be_changed(tmp_path: Path) -> None:
    found = policy('preset = "cms"\nrounding_base = 10', tmp_path)
    assert (found.name, found.based_on, found.min_n, found.rounding_base) == ("cms, changed", "cms", 11, 10)
    assert policy('preset = "cms"\nrounding_base = 5', tmp_path).name == "cms"
    assert policy('preset = "cms"\nrounding_base = 10\nname = "ours"', tmp_path).name == "ours"


def test_a_preset_does_not_lend_its_name_to_other_rules(tmp_path: Path) -> None:
    for text in (
        'name = "cms"\nmin_n = 12',
        'preset = "cms"\nname = "cms"\nmin_n = 12',
        'preset = "cms"\nname = "ons"',
    ):
        assert "carries the name of the preset" in refusal(text, tmp_path)
    assert policy('name = "cms"\nmin_n = 11', tmp_path).name == "cms"


# --- Looser than the default ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("looser", "said"),
    [
        ("min_n = 9", "min_n = 9, where the default is 10"),
        ("min_n = 9", "least_difference = 9 (it follows min_n), where the default is 10"),
        ("min_n_for_statistics = 19", "min_n_for_statistics = 19, where the default is 20"),
        ("rounding_base = 4", "rounding_base = 4, where the default is 5"),
        ("least_difference = 9", "least_difference = 9, where the default is 10"),
        ("protection = 8", "protection = 8, where its mark says one of 9 values"),
        ("min_n = 12\nprotection = 10", "protection = 10, where its mark says one of 11 values"),
    ],
)
def test_a_looser_policy_needs_a_name_of_its_own_and_says_why(looser: str, said: str, tmp_path: Path) -> None:
    assert "carries its name" in refusal(f"{looser}\n{LOOSER}", tmp_path)
    without = refusal(f'name = "ours"\n{looser}', tmp_path)
    assert said in without and 'looser = "why"' in without
    assert policy(OURS + looser, tmp_path).looser == WHY


@pytest.mark.parametrize(
    "stricter",
    [
        "min_n = 11",
        "min_n_for_statistics = 21",
        "rounding_base = 10",
        "least_difference = 11",
        "protection = 9",
        "protection = 10",
        "require_approval = true",
        "min_n = 10",
    ],
)
def test_a_stricter_policy_needs_neither(stricter: str, tmp_path: Path) -> None:
    assert policy(stricter, tmp_path).name == "default"
    assert "but it is not" in refusal(stricter + "\n" + LOOSER, tmp_path)


@pytest.mark.parametrize(
    ("reason", "enough"), [("", 0), ("ok", 0), ("1234567890 ...", 0), ("Our choice", 0), ("Our choices", 1)]
)
def test_the_reason_is_a_sentence(reason: str, enough: int, tmp_path: Path) -> None:
    text = f'name = "ours"\nmin_n = 9\nlooser = "{reason}"'
    assert policy(text, tmp_path).looser == reason if enough else 'looser = "why"' in refusal(text, tmp_path)


@pytest.mark.parametrize("where", ["looser", "name"])
def test_nothing_printed_says_how_a_person_can_be_reached(where: str, tmp_path: Path) -> None:
    texts = {"name": "ours", "looser": WHY, where: f"Agreed with {MARKER.lower()}@example.org"}
    text = "min_n = 9\n" + "".join(f'{key} = "{said}"\n' for key, said in texts.items())
    said = refusal(text, tmp_path)
    assert "Say it without naming anybody." in said and MARKER.lower() not in said


@given(st.builds(dict, **{key: st.integers(1, 40) for key in ("min_n", "min_n_for_statistics", "rounding_base")}))
def test_a_policy_is_looser_just_where_a_number_is_smaller(numbers: dict[str, int]) -> None:
    if numbers["min_n_for_statistics"] < numbers["min_n"]:
        with pytest.raises(ValidationError):
            Policy.model_validate(numbers)
        return
    usual = {"min_n": 10, "min_n_for_statistics": 20, "rounding_base": 5}
    loosened = set(Policy.model_validate(numbers).loosened) - {"least_difference"}
    assert loosened == {key for key, number in numbers.items() if number < usual[key]}


# --- Tightened by a survey --------------------------------------------------------------------------------------------


def test_a_survey_that_says_nothing_leaves_the_policy_as_it_is() -> None:
    assert policy_for(club(), DEFAULT) is DEFAULT
    assert policy_for(wants(), DEFAULT) is DEFAULT


@pytest.mark.parametrize("key", ["min_n", "min_n_for_statistics", "rounding_base", "least_difference"])
def test_a_survey_may_tighten_and_never_loosen(key: str) -> None:
    in_force = DEFAULT.numbers[key]
    found = policy_for(wants(**{key: in_force + 1}), DEFAULT)
    assert found.numbers[key] == in_force + 1 and found.tightened == (key,) and found.name == "default"
    assert policy_for(wants(**{key: in_force}), DEFAULT) == DEFAULT
    with pytest.raises(InputRefused, match=f"{key} is looser than the policy: an instrument may only tighten"):
        policy_for(wants(**{key: in_force - 1}), DEFAULT)


def test_a_survey_may_ask_for_approval_and_not_do_without() -> None:
    assert policy_for(wants(require_approval=True), DEFAULT).require_approval
    assert policy_for(wants(require_approval=False), DEFAULT) == DEFAULT
    with pytest.raises(InputRefused, match=r"require_approval is looser .* \(true\)"):
        policy_for(wants(require_approval=False), Policy(require_approval=True))


def test_what_a_survey_tightens_keeps_the_other_rules_in_step() -> None:
    found = policy_for(wants(min_n=30), DEFAULT)
    assert (found.min_n_for_statistics, found.people_between, found.values_needed) == (30, 30, 29)
    assert policy_for(wants(min_n=30), Policy(protection=9)).protection == 29
    assert policy_for(wants(min_n=30), Policy(protection=8, looser=WHY)).protection == 8


def test_a_policy_tightened_to_the_default_needs_no_reason_any_more() -> None:
    looser = Policy(name="ours", min_n=8, looser=WHY)
    assert policy_for(wants(min_n=10), looser).looser is None
    assert policy_for(wants(min_n=9), looser).looser == WHY


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 40), st.integers(1, 40))
def test_tightening_never_loosens_any_rule(min_n: int, base: int, wanted: int, rounded: int) -> None:
    before = Policy(min_n=min_n, min_n_for_statistics=max(min_n, 20), rounding_base=base, looser=WHY)
    asked = {"min_n": wanted, "rounding_base": rounded}
    if wanted < min_n or rounded < base:
        with pytest.raises(InputRefused):
            policy_for(wants(**asked), before)
        return
    after = policy_for(wants(**asked), before)
    assert all(after.numbers[key] >= number for key, number in before.numbers.items())
    assert after.values_needed >= before.values_needed


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("min_m = 12", "Did you mean 'min_n'"),
        ("protection = 5", "Unknown key 'protection'"),
        ("min_n = 0", "disclosure.min_n"),
        ("min_n = true", "disclosure.min_n"),
    ],
)
def test_a_survey_can_ask_for_nothing_else(line: str, words: str) -> None:
    with pytest.raises(InputRefused, match=words):
        parse_instrument(f"{CLUB}\n[disclosure]\n{line}\n")


def test_a_survey_without_rules_of_its_own_keeps_its_fingerprint() -> None:
    assert club().fingerprint == parse_instrument(CLUB).fingerprint
    assert len({club().fingerprint, wants(min_n=12).fingerprint, wants(min_n=13).fingerprint}) == 3


# --- Printed ----------------------------------------------------------------------------------------------------------


def printed(found: Policy) -> tuple[str, str]:
    """Page and newsletter of a release under a policy."""
    view = View(releases.magnesium_release(policy=found), releases.magnesium())
    return report(view, None, drawn={}).decode(), markdown(view, None, drawn={}).decode()


def test_the_page_says_every_rule() -> None:
    page, newsletter = printed(Policy(require_approval=True))
    for said in (
        "No count of people between 1 and 9 is shown. An average needs at least 20 people.",
        "Counts of people are rounded to the nearest 5.",
        "The policy “default” holds for this release.",
        "a hidden count could still be anything from 1 to 9.",
        "Two releases about the same people differ by nobody, or by at least 10 people.",
        rules.APPROVED,
    ):
        assert said in page
    assert "looser" not in page.lower() and "looser" not in newsletter.lower()


def test_a_looser_policy_is_said_in_page_and_newsletter_and_release() -> None:
    looser = Policy(name="ours", min_n=8, protection=4, looser="Agreed <in> March, by *all*.")
    page, newsletter = printed(looser)
    what = "Counts from 8 people instead of 10, releases that differ by 8 people instead of 10 and hidden counts that"
    assert (
        page.count(
            f"{what} could be any of only 4 numbers instead of 7. The reason: Agreed &lt;in&gt; March, by *all*."
        )
        == 2
    )
    assert f"**Looser rules than usual:** {what}" in newsletter and "\\<in\\> March" in newsletter
    assert "any of at least 4 numbers" in page


def test_a_looser_release_from_before_reasons_were_asked_for_is_called_looser_too() -> None:
    page, newsletter = printed(Policy(name="trial", min_n=1, min_n_for_statistics=2, rounding_base=1))
    assert "Counts of people are shown however small they are." in page and "Counts from 1 person instead of 10" in page
    assert "between 1 and 0" not in page and "The reason:" not in page + newsletter
    assert "A count of 1 person is not shown." in printed(Policy(min_n=2))[0]


def test_the_page_says_whose_rules_they_are(tmp_path: Path) -> None:
    assert "Its thresholds are those of CMS (United States)" in printed(policy('preset = "cms"', tmp_path))[0]
    changed = printed(policy('preset = "cms"\nmin_n = 12', tmp_path))[0]
    assert "began with the rules of CMS (United States) and was adapted" in changed and "cms, changed" in changed


def test_the_page_says_what_the_survey_made_stricter() -> None:
    page, _ = printed(policy_for(wants(min_n=12, rounding_base=10), DEFAULT))
    assert "stricter than the policy in this: the fewest people behind a count and how counts are rounded." in page


# --- On the command line, and from before ------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to run from, with a policy looser than the default, an instrument and an export."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "disclosure.toml").write_text(f'preset = "nhs"\n{LOOSER}', encoding="utf-8")
    (tmp_path / "club.toml").write_text(CLUB, encoding="utf-8")
    write(tmp_path / "answers.csv", rows(200))
    return tmp_path


def run(folder: Path) -> Any:
    return call("run", folder / "answers.csv", "-i", folder / "club.toml", "-w", "2026-01", "--home", folder)


def test_a_looser_policy_without_its_word_stops_the_run(folder: Path) -> None:
    (folder / "schemas" / "disclosure.toml").write_text('preset = "nhs"\n', encoding="utf-8")
    said = run(folder)
    assert said.code == InputRefused.exit_code and "min_n = 8, where the default is 10" in said.err
    assert not (folder / "reports").exists()


def test_a_run_prints_the_policy_and_what_the_survey_tightens(folder: Path) -> None:
    with (folder / "club.toml").open("a", encoding="utf-8") as file:
        file.write("\n[disclosure]\nmin_n_for_statistics = 25\n")
    assert run(folder).code == 0
    report = folder / "reports" / "club" / "2026-01"
    found = json.loads((report / "release.json").read_text(encoding="utf-8"))["policy"]
    assert (found["name"], found["based_on"], found["min_n"], found["looser"]) == ("nhs", "nhs", 8, WHY)
    assert (found["min_n_for_statistics"], found["tightened"]) == (25, ["min_n_for_statistics"])
    assert WHY in (report / "index.html").read_text(encoding="utf-8")
    assert WHY.removesuffix(".") in (report / "newsletter.md").read_text(encoding="utf-8")


def test_a_survey_that_loosens_stops_the_run(folder: Path) -> None:
    with (folder / "club.toml").open("a", encoding="utf-8") as file:
        file.write("\n[disclosure]\nmin_n = 7\n")
    said = run(folder)
    assert said.code == InputRefused.exit_code and "an instrument may only tighten" in said.err


def test_another_policy_for_a_published_wave_needs_a_correction(folder: Path) -> None:
    assert run(folder).code == 0 and run(folder).code == 0
    (folder / "schemas" / "disclosure.toml").write_text("min_n = 12\n", encoding="utf-8")
    said = run(folder)
    assert said.code and "another disclosure policy" in said.err


def test_releases_from_before_still_load_and_are_known_as_made_under_the_same_policy() -> None:
    then = Policy.model_validate_json(AS_PUBLISHED_ONCE)
    assert then == DEFAULT and then.fingerprinted == DEFAULT.fingerprinted == AS_PUBLISHED_ONCE
    document = releases.magnesium_release().model_dump(mode="json")
    document["policy"] = json.loads(AS_PUBLISHED_ONCE)
    assert Release.model_validate(document).policy == DEFAULT


def test_every_rule_that_says_something_tells_policies_apart() -> None:
    others = [
        Policy(least_difference=11),
        Policy(require_approval=True),
        Policy(name="ours", min_n=9, looser=WHY),
        Policy(name="ours", min_n=9),
        Policy(based_on="ons"),
        Policy(tightened=("min_n",)),
    ]
    assert len({DEFAULT.fingerprinted, *(one.fingerprinted for one in others)}) == 7

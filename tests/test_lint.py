"""The linter: references, every rule on both sides, the command, and newsletters that must pass it."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lint_bench import bench, made_up
from lint_bench.texts import by_hand
from releases import magnesium, magnesium_release

from survey_pipeline.cli import main
from survey_pipeline.language import speaking
from survey_pipeline.lint import Rule, errors, fill, lint
from survey_pipeline.lint.ease import ease, syllables
from survey_pipeline.lint.findings import Finding, Severity
from survey_pipeline.lint.prose import blocks
from survey_pipeline.lint.vocabulary import vocabulary
from survey_pipeline.names import Status
from survey_pipeline.render import Style, render

BASED = "(based on about 205 people)"
CITRATE = f"About 34 in 100 people who took citrate reported pain at least 30 % lower {BASED}."


def rules(text: str, language: str = "en", suffix: str = ".md") -> set[Rule]:
    """The rules by which a text about the made-up release is refused."""
    found, instrument = made_up.translated(language)
    before, _ = made_up.translated(language, made_up.BEFORE)
    return {one.rule for one in errors(lint(text, found, instrument, before, language=language, suffix=suffix))}


def first(text: str, language: str = "en") -> Finding:
    found, instrument = made_up.translated(language)
    return lint(text, found, instrument, language=language)[0]


# --- Numbers -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "number",
    [
        "34 in 100",
        "34 out of 100",
        "34 %",
        "34 percent",
        "34.2 %",
        "341 in 1,000",
        "three in ten",
        "a third of",
        "3 in 10",
    ],
)
def test_a_released_number_passes_as_it_is_rounded(number: str) -> None:
    assert rules(f"With citrate, about {number} people reported pain at least 30 % lower {BASED}.") == set()


@pytest.mark.parametrize(
    "number", ["33 in 100", "35 in 100", "34.3 %", "34 in 1,000", "two in ten", "half of", "34 in 50", "fifty percent"]
)
def test_any_other_number_is_found(number: str) -> None:
    assert Rule.NUMBER in rules(f"With citrate, about {number} people reported pain at least 30 % lower {BASED}.")


@pytest.mark.parametrize(
    ("points", "refused"), [("1.1", set()), ("1", set()), ("1.2", {Rule.NUMBER}), ("2", {Rule.NUMBER})]
)
def test_points_are_taken_as_they_are_rounded(points: str, refused: set[Rule]) -> None:
    row = made_up.found("c", "pain", "mean_change")
    assert row.estimate is not None
    assert abs(row.estimate) == pytest.approx(1.1, abs=0.001)
    assert rules(f"On average, citrate users reported pain {points} points lower than before {BASED}.") == refused


def test_a_number_of_another_group_is_told_as_such() -> None:
    found = first(f"About 46 in 100 people who took citrate reported pain at least 30 % lower {BASED}.")
    assert found.rule is Rule.NUMBER
    assert "Glycinate" in found.why
    assert "34 in 100" in found.better


def test_numbers_belong_to_groups_by_their_order() -> None:
    text = "With citrate {} in 100 (205 people) and with oxide {} in 100 (95 people) had pain at least 30 % lower."
    assert rules(text.format(34, 27)) == set()
    assert Rule.NUMBER in rules(text.format(27, 34))


@pytest.mark.parametrize(
    ("people", "refused"), [(205, set()), (200, {Rule.PEOPLE}), (95, {Rule.PEOPLE}), (1015, {Rule.PEOPLE})]
)
def test_the_number_of_people_is_that_of_the_number(people: int, refused: set[Rule]) -> None:
    text = (
        f"About 34 in 100 people who took citrate reported pain at least 30 % lower (based on about {people} people)."
    )
    assert rules(text) == refused


def test_a_range_must_be_the_released_one() -> None:
    assert rules(f"{CITRATE} Between 28 and 41 in 100 fit.") == set()
    assert rules(f"{CITRATE} Between 29 and 41 in 100 fit.") == {Rule.NUMBER}


def test_the_other_side_of_a_share_passes_where_it_is_said() -> None:
    assert rules(f"{CITRATE} About 66 in 100 did not.") == set()
    assert rules(f"{CITRATE} About 66 in 100 did.") == {Rule.NUMBER}


def test_an_amount_of_change_that_is_not_counted_is_found() -> None:
    assert Rule.NUMBER in rules(CITRATE.replace("30 %", "35 %"))


@pytest.mark.parametrize(
    "text",
    [
        "Question 7 is about sleep, on a scale from 0 to 10.",
        "A tablet of 400 mg oxide may hold 241 mg.",
        "Call 0800 555 0199 from 9 to 5, or come on 14 April at 18:30.",
        "Here are three things about pain.",
        "The picture shows 100 circles.",
    ],
)
def test_numbers_of_other_things_pass(text: str) -> None:
    assert rules(text) == set()


def test_a_claim_carries_its_people_in_the_same_or_the_next_sentence() -> None:
    bare = CITRATE.replace(f" {BASED}", "")
    assert rules(bare) == {Rule.NO_PEOPLE}
    assert rules(f"{bare} That is based on about 205 people.") == set()
    assert rules(f"{bare} Thank you for answering. Come again soon. It is based on about 205 people.") != set()


def test_uncertain_numbers_are_a_warning() -> None:
    found, instrument = magnesium_release(wave="2026-01"), magnesium()
    marked = [row.model_copy(update={"status": Status.UNRELIABLE}) for row in found.rows]
    text = "{{ form_by_outcome.all.pain.responder_30 }} of everybody who answered reported pain at least 30 % lower."
    filled, _ = fill(text, found, instrument)
    of_marked = lint(filled, found.model_copy(update={"rows": tuple(marked)}), instrument)
    assert Rule.UNCERTAIN in {one.rule for one in of_marked if one.severity is Severity.WARNING}
    assert Rule.UNCERTAIN not in {one.rule for one in lint(filled, found, instrument)}


# --- Hidden numbers, waves, comparisons --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "About 35 in 100 people who took threonate reported less pain (based on about 20 people).",
        "About 35 in 100 people who took taurate reported less pain (based on about 20 people).",
        "Of those with oxide, 30 % reported stress at least 30 % lower (about 90 people).",
        "Only 4 people answered the question on pain.",
        "The other 20 people did not answer.",
    ],
)
def test_hidden_numbers_are_found(text: str) -> None:
    assert Rule.HIDDEN in rules(text)


def test_the_smallest_number_of_people_that_may_be_told_is_the_policys() -> None:
    assert Rule.HIDDEN in rules("Of these, 9 people answered the question on pain.")
    assert Rule.HIDDEN not in rules("Of these, 10 people answered the question on pain.")
    assert rules("Four volunteers and two people of our team read every line.") == set()


@pytest.mark.parametrize("wave", ["March 2026", "2026-03", "this wave"])
def test_the_current_wave_passes(wave: str) -> None:
    assert rules(f"In {wave}, about 1,015 people answered.") == set()


@pytest.mark.parametrize(
    "wave", ["January 2026", "February 2026", "2026-01", "March 2025", "the 1st quarter 2026", "2025"]
)
def test_any_other_wave_is_found(wave: str) -> None:
    assert Rule.WAVE in rules(f"In {wave}, about 1,015 people answered.")


def test_the_wave_before_may_be_told_as_such() -> None:
    now = "In March 2026, 31 % of those who answered reported pain at least 30 % lower (about 860 people)."
    assert rules(f"{now} In the wave before it was 29 %.") == set()
    assert Rule.NUMBER in rules(f"{now} In the wave before it was 31 %.")
    found, instrument = made_up.translated("en")
    alone = lint(f"{now} In the wave before it was 29 %.", found, instrument)
    assert {one.rule for one in errors(alone)} == {Rule.WAVE}


def test_a_comparison_passes_only_where_the_ranges_stay_apart() -> None:
    assert rules("People who took glycinate reported less pain more often than people with no magnesium.") == set()
    assert rules("People who took citrate reported less pain more often than people who took oxide.") == {
        Rule.COMPARISON
    }
    assert rules("People with no magnesium fared better on pain than people who took glycinate.") == {Rule.COMPARISON}
    assert rules("People who took citrate did not report less pain than people who took oxide.") == set()


def test_higher_than_before_is_no_comparison_of_groups() -> None:
    assert rules(f"On average, citrate users reported pain 1.1 points lower than before {BASED}.") == set()


def test_waves_are_compared_only_where_their_ranges_stay_apart() -> None:
    assert Rule.COMPARISON in rules("Pain was reported lower more often than in the wave before.")


def test_more_of_a_dose_is_no_finding_unless_the_release_has_one() -> None:
    assert Rule.DOSE in rules("People with higher doses reported less pain.")
    assert rules("We asked whether higher doses go with less pain. There is no finding on dose.") == set()


# --- Causes, advice, trials --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Citrate relieves pain."),
        ("en", "So malate works."),
        ("en", "Pain went down thanks to citrate."),
        ("de", "Citrat lindert Schmerzen."),
        ("de", "Dank Malat gab es weniger Schmerz."),
        ("es", "El citrato alivia el dolor."),
        ("es", "Gracias al malato hubo menos dolor."),
    ],
)
def test_causes_are_found(language: str, text: str) -> None:
    assert rules(text, language) == {Rule.CAUSE}


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "You should take citrate."),
        ("en", "Try malate for a month."),
        ("de", "Nehmen Sie Citrat."),
        ("de", "Wir empfehlen Malat."),
        ("es", "Tome citrato."),
        ("es", "Recomendamos el malato."),
    ],
)
def test_advice_is_found(language: str, text: str) -> None:
    assert rules(text, language) == {Rule.ADVICE}


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "This cannot show what helped, and nobody knows whether citrate works."),
        ("en", "Ask a pharmacist or doctor before you take magnesium."),
        ("en", "Thanks to everybody who answered. How does this survey work? Help us and write."),
        ("en", "Some numbers are hidden because of small groups."),
        ("de", "Das kann nicht zeigen, ob Citrat hilft."),
        ("de", "Fragen Sie in der Apotheke nach, bevor Sie Magnesium nehmen. Dank an alle, die uns helfen."),
        ("es", "Esto no puede mostrar si el citrato ayuda."),
        ("es", "Pregunte a su médico antes de tomar magnesio. Gracias a todos."),
    ],
)
def test_limits_and_whom_to_ask_pass(language: str, text: str) -> None:
    assert rules(text, language) == set()


def test_a_trial_may_be_quoted_where_its_reference_is_given() -> None:
    quoted = "A trial found that magnesium chloride reduced pain by 12 points in 40 people"
    assert rules(f"{quoted} (PMC9145501).") == set()
    assert Rule.CAUSE in rules(f"{quoted}.")


def test_words_that_no_list_foresees_are_found_where_they_are_no_report() -> None:
    assert rules("Citrate and pain: a love story at last.") == {Rule.NO_REPORT}
    assert rules("Citrate is a salt of magnesium.") == set()


# --- Reading age -------------------------------------------------------------------------------------------------------


def test_syllables_of_each_language() -> None:
    assert [syllables(word, "en") for word in ("pain", "magnesium", "reported", "people")] == [1, 4, 3, 2]
    assert [syllables(word, "de") for word in ("Schmerz", "Schmerzen", "Erschöpfung")] == [1, 2, 3]
    assert [syllables(word, "es") for word in ("dolor", "diarrea", "sueño", "día")] == [2, 3, 2, 2]


def test_grade_of_a_worked_example() -> None:
    found = ease(["The cat sat on the mat."], "en")
    assert found is not None
    assert found.score == pytest.approx(0.39 * 6 + 11.8 * 1 - 15.59)
    assert not found.is_too_hard


def test_a_hard_text_is_a_warning_and_a_long_sentence_a_hint() -> None:
    hard = "Notwithstanding methodological heterogeneity, observational investigations demonstrate inconsistencies. "
    found, instrument = made_up.translated("en")
    remarks = lint(hard * 20, found, instrument)
    assert {one.rule for one in remarks} == {Rule.READING_AGE}
    assert errors(remarks) == ()
    long = lint("word " * 21 + "word.", found, instrument)
    assert [one.severity for one in long] == [Severity.HINT]
    assert lint("word " * 19 + "word.", found, instrument) == ()


# --- References --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("", "about 34 in 100 (based on about 205 people; between 28 and 41 in 100 fit)"),
        (".number", "34 in 100"),
        (".n", "205 people"),
        (".range", "between 28 and 41 in 100"),
    ],
)
def test_references_are_filled(part: str, words: str) -> None:
    found, instrument = made_up.translated("en")
    filled, problems = fill(f"x {{{{ form_by_outcome.citrate.pain.responder_30{part} }}}} y", found, instrument)
    assert (filled, problems) == (f"x {words} y", ())


def test_a_change_names_its_ends_from_less_to_more() -> None:
    found, instrument = made_up.translated("en")
    filled, _ = fill("{{ form_by_outcome.citrate.pain.mean_change }}", found, instrument)
    assert filled == "about 1.1 points lower (based on about 205 people; between 0.9 lower and 1.3 lower fit)"


@pytest.mark.parametrize(
    ("braces", "why"),
    [
        ("{{ form_by_outcome.citrat.pain.responder_30 }}", "no number of this name"),
        ("{{ form_by_outcome.threonate.pain.responder_30 }}", "hidden"),
        ("{{ 7 * 7 }}", "Only references"),
        ("{{ config.__class__.__init__ }}", "Only references"),
        ("{% for x in y %}", "Only references"),
        ("{{", "Only references"),
    ],
)
def test_anything_else_in_braces_is_a_finding_and_stays(braces: str, why: str) -> None:
    found, instrument = made_up.translated("en")
    filled, problems = fill(f"a {braces} b", found, instrument)
    assert filled == f"a {braces} b"
    assert [one.rule for one in problems] == [Rule.REFERENCE]
    assert why in problems[0].why


def test_unknown_references_name_the_nearest() -> None:
    assert "form_by_outcome.citrate.pain.responder_30" in first("{{ form_by_outcome.citrat.pain.responder_30 }}").better


@given(st.text(alphabet="{}%# .abc_17*\n", max_size=60))
def test_no_braces_are_ever_run_and_nothing_else_changes(text: str) -> None:
    found, instrument = made_up.translated("en")
    assert fill(text, found, instrument)[0] == text


def test_a_filled_text_passes_where_it_says_whose_number_it_is() -> None:
    text = "People who took {}: {{{{ form_by_outcome.citrate.pain.responder_30 }}}} reported pain at least 30 % lower."
    assert rules(text.format("citrate")) == set()
    assert rules(text.format("malate")) == {Rule.NUMBER}


# --- Reading texts -----------------------------------------------------------------------------------------------------


def test_places_are_those_of_the_file() -> None:
    found = first("# Hello\n\n- So **citrate** *works*, they say.\n")
    assert (found.rule, found.line, found.column, found.words) == (Rule.CAUSE, 3, 8, "citrate works")


def test_code_addresses_and_paths_are_no_prose_but_alternative_texts_are() -> None:
    text = (
        "`citrate works` <!-- citrate works -->\n\n```\nciting: citrate works\n```\n[here](https://x.org/citrate-works)"
    )
    assert rules(text) == set()
    assert rules("![Citrate works.](charts/citrate.png)") == {Rule.CAUSE}


def test_html_is_read_without_its_markup() -> None:
    html = (
        '<style>p { color: red }</style><p title="x">So&nbsp;<b>citrate</b> works.</p><img alt="Try malate." src="x">'
    )
    assert rules(html, suffix=".html") == {Rule.CAUSE, Rule.ADVICE}
    assert [block.text for block in blocks("<h1>A &amp; B</h1><script>x</script><p>C</p>", ".html")] == ["A & B", "C"]


@given(st.text(max_size=200), st.sampled_from([".md", ".html", ".txt"]))
def test_any_text_can_be_read_and_every_character_has_its_place(text: str, suffix: str) -> None:
    for block in blocks(text, suffix):
        assert len(block.text) == len(block.places)
        assert all(0 <= place < len(text) for place in block.places)


# --- Vocabularies ------------------------------------------------------------------------------------------------------


def test_every_language_knows_every_rule() -> None:
    english = vocabulary("en")
    for language in ("de", "es"):
        other = vocabulary(language)
        sections = [section for section in english.words if section not in ("numbers", "names")]
        assert {one: set(other.words[one]) for one in sections} == {one: set(english.words[one]) for one in sections}


@pytest.mark.parametrize(
    ("language", "words", "number"),
    [
        ("en", "forty-two", 42),
        ("en", "two hundred and five", 205),
        ("de", "zweiundvierzig", 42),
        ("es", "cuarenta y dos", 42),
    ],
)
def test_numbers_in_words(language: str, words: str, number: int) -> None:
    assert vocabulary(language).numbers[words] == number


# --- Newsletters and the benchmark -------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "de", "es"])
def test_our_own_newsletters_pass(language: str) -> None:
    found, instrument = magnesium_release(wave="2026-01"), magnesium()
    files = render(found, instrument, style=Style(language))
    newsletters = [
        name
        for name in files
        if Path(name).name.startswith("newsletter") and Path(name).suffix in (".md", ".html", ".txt")
    ]
    assert len(newsletters) == 9
    for name in newsletters:
        remarks = lint(files[name].decode(), found, instrument, language=language, suffix=Path(name).suffix)
        assert errors(remarks) == (), name


@pytest.mark.parametrize("language", ["en", "de", "es"])
def test_findings_are_told_in_the_texts_language(language: str) -> None:
    found, instrument = made_up.translated(language)
    texts = {"en": "So citrate works.", "de": "Citrat wirkt also.", "es": "El citrato funciona."}
    with speaking(language):
        (one,) = lint(texts[language], found, instrument, language=language)
        assert one.in_words("letter.md").startswith("letter.md:1:")


def test_the_benchmark_in_small() -> None:
    result = bench.run(seed=3, mistakes=70, templates=3)
    caught, of = result.share()
    # So few mistakes vary by chance; `make lint-bench` asks for 98 in 100 of 300.
    assert caught / of >= 0.95, bench.told(result)
    assert result.false_alarms()[0] == 0, bench.told(result)


def test_the_benchmark_has_texts_by_hand_in_every_language() -> None:
    texts = list(by_hand())
    assert len(texts) >= 30
    assert {text.language for text in texts} == {"en", "de", "es"}
    assert {text.origin for text in texts} == {"known", "held out", "fresh"}


# --- The command -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the reports of two waves alone, as somebody has who only writes the newsletter."""
    place = tmp_path_factory.mktemp("home")
    for wave in (made_up.BEFORE, made_up.NOW):
        folder = place / "reports" / "magnesium" / wave
        folder.mkdir(parents=True)
        (folder / "release.json").write_text(made_up.release(wave).model_dump_json(), encoding="utf-8")
    return place


def run(home: Path, text: str | bytes, *more: str) -> int:
    path = home / "letter.md"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(SystemExit) as stopped:
        main(["lint", str(path), "--home", str(home), *more])
    return int(stopped.value.code or 0)


def test_exit_codes(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(home, CITRATE) == 0
    assert run(home, "So citrate works.") == 4
    assert "letter.md:1:4" in capsys.readouterr().out
    assert run(home, b"\xff\xfe\xff") == 3
    assert run(home, CITRATE, "--wave", "2020-01") == 2
    assert run(home, CITRATE, "--language", "xx") == 2


def test_warnings_alone_are_no_failure(home: Path) -> None:
    assert run(home, "word " * 21 + "word.") == 0


def test_json_is_one_document(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(home, "So citrate works.", "--json") == 4
    document = json.loads(capsys.readouterr().out)
    assert (document["wave"], document["counts"]["error"]) == ("2026-03", 1)
    assert document["findings"][0]["rule"] == "cause"


def test_references_are_filled_into_another_file(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "filled.md"
    text = (
        "People who took citrate: {{ form_by_outcome.citrate.pain.responder_30 }} reported pain at least 30 % lower.\n"
    )
    assert run(home, text, "--fill", str(out)) == 0
    assert "about 34 in 100 (based on about 205 people" in out.read_text(encoding="utf-8")
    assert run(home, text, "--fill", str(home / "letter.md")) == 2
    assert (home / "letter.md").read_text(encoding="utf-8") == text


def test_nothing_published_is_wrong_usage(tmp_path: Path) -> None:
    assert run(tmp_path, CITRATE) == 2

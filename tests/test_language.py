"""Language: sentences, numbers and waves as each language writes them, and the words of reports in German and Spanish."""

import ast
from collections.abc import Iterator
from decimal import Decimal
from gettext import GNUTranslations, NullTranslations
from itertools import pairwise
from pathlib import Path
from string import Formatter

import pages
import pytest
import releases
from hypothesis import given
from hypothesis import strategies as st

import survey_pipeline
from survey_pipeline import language, names
from survey_pipeline.instrument import Threshold
from survey_pipeline.language import (
    MINUS,
    compiled,
    language_of,
    later,
    locale,
    per_cent,
    say,
    say_in,
    say_n,
    speaking,
    spoken,
    wave_in_words,
    whole,
    written,
)
from survey_pipeline.names import Status
from survey_pipeline.release import PublishedLevel, Row
from survey_pipeline.render import phrases, words
from survey_pipeline.render.measure import Measure, measure_of
from survey_pipeline.render.view import View

PACKAGE = Path(survey_pipeline.__file__).parent
APOSTROPHE = "\N{RIGHT SINGLE QUOTATION MARK}"
HEADER = """msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Language: {language}\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"
"""
GERMAN = {
    "About {people} answered.": "Geantwortet haben etwa {people}.",
    "week {week} of {year}": "Woche {week} im Jahr {year}",
    "{number} in 100": "{number} von 100",
    "fewer than 1 in 100": "weniger als 1 von 100",
    "of 100 people\4fewer than 1": "weniger als 1",
    "{n} person\0{n} people": "{n} Person\0{n} Personen",
    "(based on about {people})": "(gestützt auf etwa {people})",
    "a unit behind a number\4points": "Punkte",
    "a change since before\4{number} {unit} lower": "{number} {unit} niedriger",
    "a change since before\4{number} lower": "{number} niedriger",
    "a range\4{low} to {high}": "{low} bis {high}",
    "{number} uncertain": "{number} unsicher",
    "quotation\4“{text}”": "„{text}“",
    "{most} and {last}": "{most} und {last}",
    "{most} or {last}": "{most} oder {last}",
    "hidden": "verborgen",
    "Diary kept": "Tagebuch geführt",
    "Average": "Durchschnitt",
    "Average change": "Durchschnittliche Veränderung",
    "{label}: expected anyway": "{label}: ohnehin zu erwarten",
    "At least {per_cent} % lower": "Mindestens {per_cent} % niedriger",
    "{outcome}: on average, people reported {amount} than before{basis}.": (
        "{outcome}: Im Durchschnitt lagen die Angaben {amount} als vorher{basis}."
    ),
    "{parts} together, so that nobody can be picked out.": "{parts} zusammen, damit niemand erkannt werden kann.",
    "{n} of {all} numbers is hidden.\0{n} of {all} numbers are hidden.": (
        "{n} von {all} Zahlen ist verborgen.\0{n} von {all} Zahlen sind verborgen."
    ),
}
SPANISH = {
    "{number} in 100": "{number} de cada 100",
    "{n} person\0{n} people": "{n} persona\0{n} personas",
    "a range\4{low} to {high}": "de {low} a {high}",
    "quotation\4“{text}”": "«{text}»",
    "{most} and {last}": "{most} y {last}",
    "{outcome} by {exposure}": "{outcome} según {exposure}",
}


def catalogue(code: str, sentences: dict[str, str]) -> GNUTranslations:
    """A small catalogue; a context stands before `\\4`, and `\\0` is between a singular and a plural."""
    return compiled("\n".join([HEADER.format(language=code), *_entries(sentences)]).encode())


def _entries(sentences: dict[str, str]) -> Iterator[str]:
    for message, translation in sentences.items():
        context, _, text = message.rpartition("\4")
        one, _, many = text.partition("\0")
        yield f'msgctxt "{context}"' if context else ""
        yield f'msgid "{one}"'
        said = translation.split("\0")
        yield f'msgid_plural "{many}"' if many else ""
        yield from (f'msgstr{f"[{place}]" if many else ""} "{part}"' for place, part in enumerate(said))


@pytest.fixture(autouse=True)
def _catalogues(monkeypatch: pytest.MonkeyPatch) -> None:
    """The small catalogues instead of the ones that translators write."""
    known = {"de": catalogue("de", GERMAN), "es": catalogue("es", SPANISH)}
    monkeypatch.setattr(language, "catalogue", lambda code: known.get(code, NullTranslations()))


# --- Which language is spoken -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("en", "en"),
        ("de", "de"),
        ("es", "es"),
        ("de-AT", "de"),
        ("DE_ch", "de"),
        (" es-MX ", "es"),
        ("fr", "en"),
        ("dex", "en"),
        ("", "en"),
    ],
)
def test_a_locale_speaks_its_language_and_others_speak_english(code: str, found: str) -> None:
    assert language_of(code) == found
    with speaking(code):
        assert (spoken(), locale()) == (found, code)


def test_speaking_nests_and_ends_where_it_began() -> None:
    assert spoken() == "en"
    with speaking("de"):
        with speaking("es"):
            assert spoken() == "es"
        assert spoken() == "de"
        with pytest.raises(ValueError, match="halt"), speaking("es"):
            raise ValueError("halt")
        assert spoken() == "de"
    assert spoken() == "en"


def test_every_language_has_a_catalogue_that_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    for code in language.LANGUAGES:
        assert isinstance(language.catalogue(code), NullTranslations)


# --- Sentences ----------------------------------------------------------------------------------------------------------


def test_a_sentence_is_said_in_the_language_that_is_spoken() -> None:
    told = [_about(code) for code in ("en", "de", "fr")]
    assert told == ["About 5 people answered.", "Geantwortet haben etwa 5 Personen.", "About 5 people answered."]


def _about(code: str) -> str:
    with speaking(code):
        return say("About {people} answered.", people=phrases.people(5))


def test_what_has_no_translation_is_said_in_english_and_fuzzy_ones_count_as_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = f'{HEADER.format(language="de")}\n#, fuzzy\nmsgid "hidden"\nmsgstr "versteckt?"\n\nmsgid "late"\nmsgstr ""\n'
    monkeypatch.setattr(language, "catalogue", lambda _: compiled(text.encode()))
    with speaking("de"):
        assert (say("hidden"), say("late"), say("never seen")) == ("hidden", "late", "never seen")


def test_a_context_keeps_words_apart() -> None:
    with speaking("de"):
        assert say_in("a unit behind a number", "points") == "Punkte"
        assert say_in("something else", "points") == say("points") == "points"


@pytest.mark.parametrize(
    ("code", "n", "said"),
    [
        ("en", 0, "0 people"),
        ("en", 1, "1 person"),
        ("en", 2, "2 people"),
        ("en", 1234, "1,234 people"),
        ("de", 1, "1 Person"),
        ("de", 1234, "1.234 Personen"),
        ("de-CH", 1234, f"1{APOSTROPHE}234 Personen"),
        ("es", 1, "1 persona"),
        ("es", 12345, "12.345 personas"),
    ],
)
def test_a_number_governs_its_noun_and_is_grouped(code: str, n: int, said: str) -> None:
    with speaking(code):
        assert say_n("{n} person", "{n} people", n) == phrases.people(n) == said


def test_a_constant_is_marked_and_said_where_it_is_used() -> None:
    assert later("hidden") == words.HIDDEN == "hidden"
    with speaking("de"):
        assert words.HIDDEN == "hidden" and say(words.HIDDEN) == "verborgen"


def test_braces_in_what_is_given_stay_as_they_are() -> None:
    assert say("{label}: hidden", label="{n} {0} {") == "{n} {0} {: hidden"


# --- Numbers ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "grouped", "decimal"),
    [
        ("en", "12,345", "1234.50"),
        ("de", "12.345", "1234,50"),
        ("es", "12.345", "1234,50"),
        ("de-CH", f"12{APOSTROPHE}345", "1234.50"),
        ("es-MX", "12,345", "1234.50"),
        ("fr", "12,345", "1234.50"),
        ("de-XX", "12.345", "1234,50"),
        ("not a code", "12,345", "1234.50"),
    ],
)
def test_numbers_are_written_as_the_language_and_country_do(code: str, grouped: str, decimal: str) -> None:
    with speaking(code):
        assert (whole(12345), written(Decimal("1234.50"))) == (grouped, decimal)
        assert (whole(-12345), written(Decimal("-1234.50"))) == (f"{MINUS}{grouped}", f"{MINUS}{decimal}")


def test_austria_writes_decimals_as_germany_does() -> None:
    with speaking("de-AT"):
        assert written(Decimal("0.5")) == "0,5" and whole(999) == "999" and "1234" not in whole(1234567)


def test_a_percentage_follows_its_number() -> None:
    assert per_cent("12,5") == "12,5 %"


@given(st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9))
def test_a_written_number_keeps_every_digit(number: Decimal) -> None:
    with speaking("de"):
        text = written(number)
    assert "." not in text and "-" not in text
    assert Decimal(text.replace(",", ".").replace(MINUS, "-")) == number


@pytest.mark.parametrize(
    ("number", "digits", "machine", "german"),
    [
        (0.0, None, "0", "0"),
        (-0.0, None, "0", "0"),
        (-1.5, None, "-1.5", f"{MINUS}1,5"),
        (6.0, None, "6", "6"),
        (0.345, 2, "0.35", "0,35"),
        (1234.0, 2, "1200", "1200"),
    ],
)
def test_machines_read_the_same_digits_in_every_language(
    number: float, digits: int | None, machine: str, german: str
) -> None:
    with speaking("de"):
        assert phrases.digits_of(number, digits) == machine and phrases.plain(number, digits) == german
        assert phrases.hundredths(0.305) == "30.5" and phrases.whole_100(0.305) == 31
        assert phrases.decimals([rows_of_one(1.25)]) == 2


# --- Waves --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("en", ("2026", "March 2026", "1st quarter 2026", "week 9 of 2026")),
        ("de", ("2026", "März 2026", "1. Quartal 2026", "Woche 9 im Jahr 2026")),
        ("es", ("2026", "marzo de 2026", "1.er trimestre de 2026", "week 9 of 2026")),
        ("fr", ("2026", "March 2026", "1st quarter 2026", "week 9 of 2026")),
    ],
)
def test_waves_are_said_as_people_say_them(code: str, said: tuple[str, ...]) -> None:
    with speaking(code):
        assert tuple(map(wave_in_words, ("2026", "2026-03", "2026-Q1", "2026-W09"))) == said


def test_the_first_and_the_last_of_a_year_are_in_that_year() -> None:
    found = [wave_in_words(wave) for wave in ("2026-01", "2026-12", "2026-Q4", "2026-W01", "2026-W53")]
    assert found == ["January 2026", "December 2026", "4th quarter 2026", "week 1 of 2026", "week 53 of 2026"]


# --- Phrases in other languages -------------------------------------------------------------------------------------------


def rows_of_one(value: float, **more: object) -> Row:
    return releases.row("form_by_outcome", "magnesium_form", names.ALL_LEVELS, "pain", "mean_change", value, **more)


def pain(statistic: str) -> Measure:
    return measure_of("pain", statistic, pages.magnesium())


def test_phrases_in_german() -> None:
    with speaking("de"):
        assert (phrases.fixed(-0.04, 1), phrases.fixed(-2, 1)) == ("0,0", f"{MINUS}2,0")
        assert [phrases.per_100(share) for share in (0.305, 0.001, 0)] == [
            "31 von 100",
            "weniger als 1 von 100",
            "0 von 100",
        ]
        assert phrases.amount(-1.6, pain("mean_change")) == "1,6 Punkte niedriger"
        assert phrases.brief(-1.6, pain("mean_change")) == phrases.number(-1.6, pain("mean_change")) == "1,6 niedriger"
        assert phrases.range_of("1,2", "1,6") == "1,2 bis 1,6"
        assert phrases.listed(["Citrat", "Malat", "Oxid"]) == "Citrat, Malat und Oxid"
        assert phrases.quoted("Citrat") == "„Citrat“"


def test_the_number_of_a_share_is_given_alone_or_with_its_hundred() -> None:
    share = pain("responder_30")
    assert [phrases.number(value, share) for value in (0.3, 0.001)] == ["30", "fewer than 1"]
    assert [phrases.brief(value, share) for value in (0.3, 0.001)] == ["30 in 100", "fewer than 1 in 100"]
    with speaking("de"):
        assert [phrases.number(value, share) for value in (0.3, 0.001)] == ["30", "weniger als 1"]


def test_labels_keep_their_capitals_in_german_alone() -> None:
    assert [_inline(code) for code in ("en", "de", "es")] == ["magnesium form", "Magnesium form", "magnesium form"]


def _inline(code: str) -> str:
    with speaking(code):
        assert phrases.inline("EU limit") == "EU limit"
        return phrases.inline("Magnesium form")


def test_a_list_is_quoted_where_a_label_holds_the_languages_own_and() -> None:
    labels = ["Kraft und Mut", "Schlaf"]
    assert phrases.clearly_listed(labels) == "Kraft und Mut and Schlaf"
    with speaking("de"):
        assert phrases.clearly_listed(labels) == "„Kraft und Mut“ und „Schlaf“"
        assert phrases.clearly_listed(["rock and roll", "Schlaf"]) == "rock and roll und Schlaf"


def test_statistics_have_labels_in_the_language() -> None:
    with speaking("de"):
        labels = [pain(name).statistic_label for name in ("mean", "mean_change_anyway", "improved_10", "responder_30")]
    assert labels == [
        "Durchschnitt",
        "Durchschnittliche Veränderung: ohnehin zu erwarten",
        "Mindestens 10 % niedriger",
        "Pain at least 30 % lower",
    ]


def test_what_no_survey_asks_has_a_label_of_its_own() -> None:
    assert measure_of("diary_kept", "count", pages.magnesium()).label == "Diary kept"
    with speaking("de"):
        view = View(releases.magnesium_release(), releases.magnesium())
        assert view.item_label("diary_kept") == measure_of("diary_kept", "count", pages.magnesium()).label
        assert view.item_label("diary_kept") == "Tagebuch geführt" and view.item_label("some_name") == "Some name"


@pytest.mark.parametrize(
    ("label", "threshold", "english", "german"),
    [
        ("Pain", "Pain at least 30 % lower", "Pain at least 30 % lower", "Pain at least 30 % lower"),
        ("Der Schmerz", "Der Wert unter 3", "Der Schmerz Wert unter 3", "Der Schmerz, Der Wert unter 3"),
    ],
)
def test_only_english_phrases_are_put_together_word_by_word(
    label: str, threshold: str, english: str, german: str
) -> None:
    rule = Threshold(name="rule", label=threshold, source="", at_least=2)
    item = releases.magnesium().items["fog"].model_copy(update={"label": label, "thresholds": (rule,)})
    measure = Measure("fog", "rule", label, item, is_option=False)
    assert words.what(measure) == english
    with speaking("de"):
        assert words.what(measure) == german


# --- Sentences in other languages -----------------------------------------------------------------------------------------


def test_a_change_is_told_as_a_whole_sentence() -> None:
    rows = [rows_of_one(-1.6)]
    view = View(releases.release(releases.magnesium(), rows), releases.magnesium())
    found = view.comparison("form_by_outcome", "pain", "mean_change")
    with speaking("de"):
        said = words.everybody_finding(found).headline
    assert said.startswith(
        "Pain: Im Durchschnitt lagen die Angaben 1,6 Punkte niedriger als vorher (gestützt auf etwa "
    )
    assert said.endswith(" Personen).")


def test_a_cell_is_written_in_the_language_and_never_with_an_english_word() -> None:
    row = rows_of_one(1.25, ci_lower=-0.5, ci_upper=3, status=Status.UNRELIABLE)
    share = rows_of_one(0.3, ci_lower=0.2, ci_upper=0.4)
    with speaking("de"):
        assert words.cell(row, pain("mean_change"), 1) == f"1,3 ({MINUS}0,5 bis 3,0) unsicher"
        assert words.cell(share, pain("responder_30")) == "30 (20 bis 40)"
        hidden = rows_of_one(1).model_copy(update={"estimate": None, "status": Status.SUPPRESSED})
        assert words.cell(hidden, pain("mean")) == "verborgen"


def test_titles_in_spanish_name_the_exposure_with_a_small_letter() -> None:
    view = View(releases.magnesium_release(), releases.magnesium())
    (found, *_) = view.charted("form_by_outcome")
    with speaking("es"):
        assert words.heading(found, view) == "Pain según magnesium form"


@pytest.mark.parametrize(
    ("label", "said"),
    [
        ("Oxid oder Malat", "Oxid und Malat zusammen, damit niemand erkannt werden kann."),
        ("Oxid or Malat", "Oxid und Malat together as „Oxid or Malat“, so that nobody can be picked out."),
    ],
)
def test_a_merged_level_says_all_in_the_languages_own_words(label: str, said: str) -> None:
    level = {"code": "l", "label": label, "made_of": ("Oxid", "Malat"), "members": ("a", "b"), "merged": True}
    release = releases.magnesium_release(levels={"magnesium_form": (PublishedLevel.model_validate(level),)})
    with speaking("de"):
        assert words.merged_levels(View(release, releases.magnesium())) == (said,)


def test_hidden_numbers_are_counted_in_singular_and_plural() -> None:
    rows = [rows_of_one(1), *(_hidden(level) for level in ("Citrate", "Malate"))]
    told = []
    for count in (1, 2, 3):
        view = View(releases.release(releases.magnesium(), rows[:count]), releases.magnesium())
        with speaking("de"):
            told.append(words.hidden_in_all(view))
    assert told == ["", "1 von 2 Zahlen ist verborgen.", "2 von 3 Zahlen sind verborgen."]


def _hidden(level: str) -> Row:
    return releases.row("form_by_outcome", "magnesium_form", level, "pain", "mean_change", None)


# --- Messages in the code -------------------------------------------------------------------------------------------------

SAID = {"say": 1, "say_n": 3, "say_in": 2, "later": 1}
"""The functions that say or mark a sentence, each with how many arguments come before what is given by name."""


def calls() -> Iterator[tuple[str, str, ast.Call]]:
    """Every call that says or marks a sentence: where it stands, the function's name, and the call."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            name = getattr(node.func, "id", "") if isinstance(node, ast.Call) else ""
            if isinstance(node, ast.Call) and name in SAID:
                yield f"{path.name}:{node.lineno}", name, node


def messages(name: str, call: ast.Call) -> list[str]:
    """The literal messages of a call; none where it says a constant."""
    places = {"say_in": slice(1, 2), "say_n": slice(0, 2)}.get(name, slice(0, 1))
    return [one.value for one in call.args[places] if isinstance(one, ast.Constant) and isinstance(one.value, str)]


def placeholders(message: str) -> set[str]:
    return {field for _, field, _, _ in Formatter().parse(message) if field is not None}


def test_every_placeholder_of_a_sentence_is_given_and_has_a_speaking_name() -> None:
    for where, name, call in calls():
        assert len(call.args) == SAID[name], where
        given_names = {word.arg for word in call.keywords}
        for message in messages(name, call):
            wanted = placeholders(message) - ({"n"} if name == "say_n" else set())
            assert all(field.isidentifier() for field in wanted), where
            assert name == "later" or None in given_names or wanted <= given_names, where


def test_marked_sentences_are_literal_so_that_translators_see_them() -> None:
    for where, name, call in calls():
        found = messages(name, call)
        if name in ("later", "say_in", "say_n"):
            assert found and all(found), where
        assert not any(isinstance(argument, ast.JoinedStr) for argument in call.args), where
        assert all(one for one in found), where


def test_singular_and_plural_hold_the_same() -> None:
    for where, name, call in calls():
        for one, many in pairwise(messages(name, call)):
            assert placeholders(one) == placeholders(many), where

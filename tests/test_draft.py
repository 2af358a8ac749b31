"""Drafting an instrument: what is told from an export or a dictionary, what is kept out of the draft, and that it runs."""

import csv
import re
import tomllib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from club import SHARED, Said, call
from hypothesis import given
from hypothesis import strategies as st
from layouts import export_of

from survey_pipeline.draft import Draft, draft, toml
from survey_pipeline.draft.asking import may_name_people_or_places
from survey_pipeline.draft.columns import questions_of
from survey_pipeline.draft.counted import Texts, count_texts
from survey_pipeline.draft.kinds import in_order, ticked, told
from survey_pipeline.draft.numbers import bands_between, unit_of
from survey_pipeline.draft.page import written
from survey_pipeline.draft.question import (
    Answer,
    Found,
    Question,
    Questions,
    clashes,
    dropped,
    item_slug,
    options_of,
    readable,
    shortened,
    unused,
)
from survey_pipeline.exports import Column, read_export
from survey_pipeline.exports.layout import Part
from survey_pipeline.instrument import Instrument, Item, Kind, Role, load_instrument, parse_instrument
from survey_pipeline.sample import TOOLS, load_plan, write_sample
from survey_pipeline.sample.layouts import LAYOUTS
from survey_pipeline.texts import fold

EXPORTS = SHARED / "exports"
REAL = sorted(
    path
    for tool in ("google_forms", "surveymonkey", "limesurvey", "qualtrics")
    for path in (EXPORTS / tool).glob("*.csv")
)
needs_exports = pytest.mark.skipif(not EXPORTS.is_dir(), reason="the real exports are not here")
FEWEST = 10
SECRET = "Zaphod Beeblebrox"


def texts(**counts: int) -> Texts:
    """Counted texts; an underscore in a name is a space."""
    return Texts({text.replace("_", " "): n for text, n in counts.items()})


def numbers(values: Sequence[float | str], n: int = 5) -> Texts:
    return Texts({f"{value:g}" if isinstance(value, float | int) else value: n for value in values})


def found(counted: Texts, question: str = "Q") -> Found:
    return told(counted, question, (question,))


def csv_file(folder: Path, *columns: tuple[str, Sequence[str]]) -> Path:
    """An export of some headings, each with the cells below it."""
    rows = zip(*(cells for _, cells in columns), strict=True)
    lines = [[heading for heading, _ in columns], *rows]
    path = folder / "export.csv"
    path.write_text("".join(",".join(f'"{cell}"' for cell in line) + "\n" for line in lines), encoding="utf-8")
    return path


def drafted(path: Path) -> Instrument:
    return parse_instrument(draft("club", path).text)


# --- Writing TOML -------------------------------------------------------------------------------------------------------


@given(st.text(), st.text())
def test_any_text_comes_back_from_toml(key: str, text: str) -> None:
    written_down = f"{toml.key(key)} = {toml.value({'a': text, 'b': [text, text]})}\n"
    assert tomllib.loads(written_down) == {key: {"a": text, "b": [text, text]}}


@given(st.text())
def test_any_comment_is_a_comment(text: str) -> None:
    assert tomllib.loads("\n".join(toml.comment(text))) == {}


@given(st.text(), st.text(), st.text())
def test_any_heading_and_options_give_an_instrument_that_loads(heading: str, one: str, other: str) -> None:
    answers = options_of([(one, (other,)), (other, (one,)), ("Other", ())])
    asked = Question(
        unused(item_slug(heading), (), "question_1"), heading, shortened(heading), "t", Found(Kind.CHOICE, answers)
    )
    made = parse_instrument(written("club", Questions("a test", (asked,))).text)
    (item,) = made.items.values()
    assert item.question == heading and len(item.options) == 3
    assert [option.label for option in item.options] == [answer.label for answer in answers]


def test_numbers_and_truths_are_written_as_toml_has_them() -> None:
    values: dict[str, toml.Value] = {"a": 1.0, "b": 0.5, "c": -3, "d": True, "e": []}
    assert toml.value(values) == "{ a = 1, b = 0.5, c = -3, d = true, e = [] }"
    assert toml.key("two words") == '"two words"' and toml.key("plain-key_1") == "plain-key_1"


# --- Codes ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "code"),
    [
        ("Which form of magnesium do you take?", "form_magnesium_take"),
        ("How many hours a day (0 to 24)?", "many_hours_day"),
        ("Schmerz jetzt: Größe", "schmerz_jetzt_grosse"),
        ("2 a day", "q_2_day"),
        ("\u05e9\u05d0\u05dc\u05d4", ""),
        ("How are you", "how_are_you"),
        ("(only this)", "only"),
    ],
)
def test_a_code_is_made_of_the_words_that_matter(question: str, code: str) -> None:
    assert item_slug(question) == code


def test_codes_never_clash_with_others_or_with_our_own_names() -> None:
    assert unused("pain", {"pain", "pain_2"}, "") == "pain_3"
    assert unused("wave", (), "") not in ("wave", "record") and unused("", (), "question_7") == "question_7"


def test_no_text_stands_for_two_options() -> None:
    options = options_of([("1", ("0",)), ("2", ("1",)), ("Other", ("9",)), ("Other (please specify)", ())])
    texts_of = [{text.casefold() for text in (option.code, option.label, *option.spellings)} for option in options]
    known = [text for own in texts_of for text in own]
    assert len(known) == len(set(known)) and options[2].code == "other" != options[3].code


def texts_twice(options: Sequence[Answer]) -> list[str]:
    own = [{fold(text) for text in (option.code, option.label, *option.spellings)} for option in options]
    return [text for text, n in Counter(text for texts_of in own for text in texts_of).items() if n > 1]


WRITTEN = st.sampled_from(["0", "1", "2", "Other", "other", "A b", "a_b", "A b (2)", "option_1", "Option 1", ""])


@given(st.lists(st.tuples(WRITTEN, st.lists(WRITTEN, max_size=2)), min_size=1, max_size=5))
def test_whatever_is_written_no_text_stands_for_two_options(listed: list[tuple[str, list[str]]]) -> None:
    options = options_of(listed)
    assert texts_twice(options) == [] and all(re.match("[a-z]", option.code) for option in options)


@pytest.mark.parametrize(
    ("listed", "raw", "labels"),
    [
        ([("0", ("1",)), ("1", ("2",)), ("2", ("3",))], ["1", "2", "3"], ["0", "1 (code 2)", "2 (code 3)"]),
        ([("1", ("0",)), ("2", ("1",)), ("3", ("2",))], ["0", "1", "2"], ["1 (code 0)", "2 (code 1)", "3"]),
        ([("Same", ("a",)), ("Same", ("b",))], ["a", "b"], ["Same (code a)", "Same (code b)"]),
    ],
)
def test_raw_codes_come_before_labels(listed: list[tuple[str, tuple[str]]], raw: list[str], labels: list[str]) -> None:
    options = options_of(listed)
    assert [option.spellings for option in options] == [(code,) for code in raw]
    assert [option.label for option in options] == labels
    assert "an export with labels cannot" in clashes(listed, options)[0]


def test_labels_and_codes_that_do_not_clash_stay_as_they_are() -> None:
    listed = [("A b", ("1",)), ("a_b", ("2",)), ("18-29", ("3",))]
    options = options_of(listed)
    assert [(option.code, option.label) for option in options] == [
        ("a_b_2", "A b"),
        ("a_b", "a_b"),
        ("option_18_29", "18-29"),
    ]
    assert clashes(listed, options) == ()


def test_a_raw_code_of_several_options_is_nobodys() -> None:
    assert [option.spellings for option in options_of([("Pears", ("9", "p")), ("Figs", ("9",))])] == [("p",), ()]


@pytest.mark.parametrize("name", ["export", "record", "respondent", "instrument", "wave", "s__a", "S"])
def test_no_item_is_called_as_a_column_of_our_own(tmp_path: Path, name: str) -> None:
    path = csv_file(tmp_path, (name, ["Yes", "No"] * 9), ("s", ["a", "b", "a, b"] * 6), ("Tea", ["x", "y"] * 9))
    own = {"export", "record", "respondent", "instrument", "wave"}
    made = draft("club", path)
    assert own.isdisjoint(parse_instrument(made.text).items) and unaccounted(path, made) == []


# --- Kinds ---------------------------------------------------------------------------------------------------------------

SCALE_0_10 = numbers(range(11))


@pytest.mark.parametrize(
    ("counted", "question", "kind", "ends"),
    [
        (texts(Yes=5, No=4), "Q", Kind.YES_NO, None),
        (texts(Ja=1), "Q", Kind.YES_NO, None),
        (numbers([0, 1]), "Q", Kind.YES_NO, None),
        (numbers([1]), "Q", Kind.CHOICE, None),
        (texts(Yes=5, Maybe=4), "Q", Kind.CHOICE, None),
        (SCALE_0_10, "Pain", Kind.SCALE, (0, 10)),
        (numbers(range(1, 11)), "Pain", Kind.SCALE, (1, 10)),
        (numbers(range(1, 6)), "Agreement", Kind.SCALE, (1, 5)),
        (numbers(range(1, 8)), "Agreement", Kind.SCALE, (1, 7)),
        (numbers(range(0, 101, 4)), "Slider", Kind.SCALE, (0, 100)),
        (numbers([*range(11), 3.5, 7.5]), "Pain", Kind.SCALE, (0, 10)),
        (numbers([0, 2, 3, 7, 9, 10]), "Pain (0 to 10)", Kind.SCALE, (0, 10)),
        (numbers([0, 2, 3, 7]), "0 = none, 10 = worst", Kind.SCALE, (0, 10)),
        (numbers([0, 2, 3, 12]), "Pain", Kind.NUMBER, None),
        (SCALE_0_10, "How many cups?", Kind.NUMBER, None),
        (SCALE_0_10, "Cups per day", Kind.NUMBER, None),
        (numbers([0.25, 1.3, 2]), "Cups", Kind.NUMBER, None),
        (numbers(range(20, 90)), "Age", Kind.NUMBER, None),
        (numbers(["1", "2", "3"]), "Sort", Kind.CHOICE, None),
        (numbers(["2026-01-02", "2026-02-03"]), "When", Kind.DATE, None),
        (numbers(["13/01/2026", "1/2/2026"]), "When", Kind.DATE, None),
        (texts(Green=5, Black=5, White=5), "Tea", Kind.CHOICE, None),
        (Texts({f"Word number {n} of mine": 1 for n in range(9)}), "Words", Kind.TEXT, None),
        (Texts({}), "Nobody", Kind.TEXT, None),
    ],
)
def test_kinds_are_told_from_the_answers(
    counted: Texts, question: str, kind: Kind, ends: tuple[int, int] | None
) -> None:
    known = found(counted, question)
    assert known.kind is kind, known
    assert ends is None or (known.minimum, known.maximum) == ends


def test_a_slip_does_not_make_a_scale_a_number() -> None:
    often = {f"{value}": 40 for value in range(11)}
    slipped = found(Texts(often | {"77": 1}), "Pain")
    assert (slipped.kind, slipped.maximum) == (Kind.SCALE, 10) and any(
        "1 answers lie" in said for said in slipped.remarks
    )
    assert found(Texts(often | {"77": 40}), "Pain").kind is Kind.NUMBER


def test_named_ends_of_a_scale_are_read_as_their_numbers() -> None:
    named = found(Texts({"1 (None at all)": 4, **{str(value): 4 for value in range(2, 10)}, "10 (All of it)": 3}))
    assert named.kind is Kind.SCALE and named.fixes == {"1 (None at all)": "1", "10 (All of it)": "10"}
    ages = found(Texts({"10 or younger": 9, "11": 4, "12": 9, "13": 4, "14": 9, "21 or older": 4}))
    assert ages.kind is Kind.CHOICE


@pytest.mark.parametrize(
    ("counted", "sign", "order"),
    [
        (numbers(["1.5", "2.25", "3"]), "point", ""),
        (numbers(["1,5", "2,25", "3"]), "comma", ""),
        (numbers(["1,5", "2.25", "3"]), "", ""),
        (numbers(["31/1/2026", "1/2/2026"]), "", "day_first"),
        (numbers(["1/31/2026", "1/2/2026"]), "", "month_first"),
        (numbers(["1/3/2026", "1/2/2026"]), "", ""),
        (numbers(["31/1/2026", "1/31/2026"]), "", ""),
    ],
)
def test_signs_and_orders_are_declared_where_the_answers_show_them(counted: Texts, sign: str, order: str) -> None:
    known = found(counted, "How much or when")
    assert (known.decimal_sign, known.date_order) == (sign, order)


@pytest.mark.parametrize(
    ("question", "unit"),
    [
        ("Dose (mg)", "mg"),
        ("Dose (mg/day)", "mg/day"),
        ("Hours per day", "hours/day"),
        ("How many hours a day do you sleep?", "hours/day"),
        ("How many years ago?", "years"),
        ("Duration in months?", "months"),
        ("What happened some years ago?", ""),
        ("Pain in the last 7 days", ""),
    ],
)
def test_units_are_told_from_the_question(question: str, unit: str) -> None:
    assert unit_of(question) == unit


def test_a_unit_that_several_people_wrote_is_the_unit() -> None:
    assert found(numbers(["300 mg", "400 mg", "250"]), "Dose").unit == "mg"
    assert found(Texts({"300 mg": 1, **{str(n): 5 for n in range(200, 300, 10)}}), "Dose").unit == ""


def test_bands_are_round_cut_the_answers_and_are_few() -> None:
    known = found(numbers(range(0, 1000, 7)), "How much?")
    assert list(known.edges) == [200, 400, 600, 800]
    assert (known.minimum, known.maximum) == (0, 1000)
    assert list(found(numbers([300]), "How much?").edges) == [300]
    assert list(bands_between(0, 50)) == [10, 20, 30, 40]
    assert list(bands_between(None, None)) == [10]


def test_a_number_far_from_all_others_sets_no_limit() -> None:
    known = found(Texts({str(n): 5 for n in range(60, 200)} | {"999999999": 1}), "How fast?")
    assert (known.minimum, known.maximum) == (0, None)
    assert "a maximum would refuse these" in known.remarks[0] and max(known.edges) < 200


def test_numbers_that_name_or_count_the_rows_are_dropped() -> None:
    assert "names the rows" in found(Texts({str(n): 1 for n in range(1, 40)}), "No").dropped
    assert "names the rows" in found(Texts({str(n): 1 for n in range(3_000_000, 3_900_000, 30_001)}), "No").dropped
    assert not found(Texts({str(n): 1 for n in range(100, 2000, 50)}), "Amount").dropped


def test_several_answers_in_a_cell_are_cut_into_the_frequent_ones() -> None:
    joined = found(
        Texts({"Nausea": 4, "Nausea, Cramps": 3, "Cramps": 4, "None of these": 2, "Nausea, my own words": 1})
    )
    assert joined.kind is Kind.CHOICES
    assert {option.label: option.exclusive for option in joined.options} == {
        "Nausea": False,
        "Cramps": False,
        "None of these": True,
    }
    assert "own words" not in repr(joined.options) and joined.remarks[0].startswith("1 further answer")
    microsoft = found(Texts({"a thing;": 3, "a thing;another;": 3, "another;": 2}))
    assert [option.label for option in microsoft.options] == ["a thing", "another"]


def test_an_option_may_hold_a_comma() -> None:
    choice = found(Texts({"Cramps, or worse": 4, "Nausea": 4, "Nothing, really": 3}))
    assert choice.kind is Kind.CHOICE and len(choice.options) == 3
    choices = found(Texts({"Cramps, or worse": 4, "Nausea": 4, "Nausea, Cramps, or worse": 3}))
    assert choices.kind is Kind.CHOICES and {option.label for option in choices.options} == {
        "Nausea",
        "Cramps, or worse",
    }


def test_options_come_in_their_own_order() -> None:
    assert in_order(["Often", "Never", "Rarely"]) == ["Never", "Rarely", "Often"]
    assert in_order(["> 60", "30-44", "< 18", "18-29", "45-60"]) == ["< 18", "18-29", "30-44", "45-60", "> 60"]
    assert in_order(["Rock", "Jazz"]) == ["Rock", "Jazz"]


def test_ticks_that_are_neither_tick_nor_option_are_said() -> None:
    options = [("Nausea", ("1",)), ("None", ("2",))]
    plain = ticked(options, [texts(Nausea=2), numbers([0, 1])])
    assert not plain.remarks and [option.exclusive for option in plain.options] == [False, True]
    assert ticked(options, [texts(Perhaps=2), Texts({})]).remarks


# --- Privacy -------------------------------------------------------------------------------------------------------------


def test_what_one_person_wrote_is_counted_and_not_shown(tmp_path: Path) -> None:
    cells = ["Green"] * 8 + ["Black"] * 8 + [SECRET, SECRET.upper(), "Mine alone"]
    made = draft("club", csv_file(tmp_path, ("Tea", cells), ("Pain", ["1"] * 19))).text
    assert "Mine alone" not in made and "1 further answer, given by one person" in made
    assert SECRET.casefold() in made.casefold()  # two people gave it
    alone = draft("club", csv_file(tmp_path, ("Tea", [*cells[:16], SECRET, "a", "b"]), ("Pain", ["1"] * 19))).text
    assert SECRET not in alone and "3 further answers, each given by one person" in alone


def test_a_row_of_a_grid_does_not_make_one_person_two(tmp_path: Path) -> None:
    rows = [(f"Tea [{row}]", ["Green"] * 9 + ["Black"] * 9 + [SECRET]) for row in ("now", "then")]
    assert SECRET not in draft("club", csv_file(tmp_path, *rows)).text


@pytest.mark.parametrize(
    ("heading", "cell", "why"),
    [
        ("Your e-mail address", "someone{}@example.org", "named as e-mail addresses"),
        ("Reach me", "someone{}@example.org", "holds e-mail addresses"),
        ("First name", "Name{}", "named as names of people"),
        ("Any comments?", "words", "named as free text"),
        ("Date of birth", "1980-01-{:02d}", "named as exact birth dates"),
        ("What else?", "My own long words {} and no other", "free text"),
    ],
)
def test_personal_columns_are_dropped_with_the_reason(tmp_path: Path, heading: str, cell: str, why: str) -> None:
    path = csv_file(
        tmp_path,
        (heading, [cell.format(n % 28 + 1 if "1980" in cell else n) for n in range(40)]),
        ("Tea", ["Green", "Black"] * 20),
    )
    made = draft("club", path)
    (item,) = (item for item in parse_instrument(made.text).items.values() if item.question == heading)
    assert item.role is Role.DROP and why in dict(made.dropped)[heading] and why in made.text
    assert "example.org" not in made.text and "own long words" not in made.text


PLACES = [
    "Who is your doctor?",
    "Which clinic do you go to?",
    "Where do you live?",
    "Your GP",
    "gp",
    "clinic_name",
    "g1/hospital",
    "Do you see a doctor; if so: which one?",
    "In which town do you live?",
    "Name of your therapist",
    "1. Who prescribed it?",
    "Wer ist Ihr Hausarzt?",
    "In welche Klinik gehen Sie?",
    "Wo wohnen Sie?",
    "Ihr Wohnort",
    "Ihre Hausärztin",
    "¿Quién es su médico?",
    "¿Qué clínica visita?",
    "¿Dónde vive?",
    "Su médico de cabecera",
    "¿En qué ciudad vive?",
]
NO_PLACES = [
    "How often do you see your doctor?",
    "People who take it: how are you?",
    "Where does it hurt?",
    "Which tea do you like?",
    "Have you told your doctor?",
    "Wie oft gehen Sie zum Arzt?",
    "Wo tut es weh?",
    "Welche Sorte?",
    "sport",
    "Region",
    "¿Dónde le duele?",
    "Which country do you live in?",
    "Which form of magnesium do you take?",
    "¿Cómo está?",
]


@pytest.mark.parametrize("heading", PLACES)
def test_answers_that_may_name_people_or_places_are_dropped(tmp_path: Path, heading: str) -> None:
    cells = [SECRET, "Dr. No", "Hamburg"] * 20
    made = draft("club", csv_file(tmp_path, (heading, cells), TEA, SLEEP))
    assert dict(made.dropped)[heading] in ("may name people or places", "named as postal addresses")
    assert SECRET not in made.text and "Hamburg" not in made.text


@pytest.mark.parametrize("heading", NO_PLACES)
def test_other_questions_are_not_taken_for_people_or_places(tmp_path: Path, heading: str) -> None:
    assert not may_name_people_or_places([heading])
    cells = ["Rarely at all", "Perhaps", "Quite so"] * 20
    assert heading not in dict(draft("club", csv_file(tmp_path, (heading, cells), TEA, SLEEP)).dropped)


def test_options_that_the_survey_offered_are_no_secrets() -> None:
    labels = {"1": "Clinic A", "2": "Clinic B", "3": "Clinic C"}
    offered = [Column(f"c{n}", (f"c{n}",), Part.OPTION, ("Which hospital?",), (f"Hospital {n}",)) for n in (1, 2)]
    columns = [Column("Which clinic?", ("Which clinic?",), labels=labels), *offered, Column("Tea", ("Tea",))]
    columns.append(Column("Your GP: content?", ("How content are you with your GP?",)))
    rows = [[str(1 + n % 3), "1", "0", ("x", "y")[n % 2], ("Satisfied", "Dissatisfied")[n % 2]] for n in range(30)]
    known = questions_of(export_of(columns, rows))
    kept = {question.question for question in known.asked if not question.found.dropped}
    assert {"Which clinic?", "Which hospital?", "How content are you with your GP?"} <= kept
    loaded = parse_instrument(written("club", known).text)
    picked = {loaded.form, loaded.dose, *loaded.outcomes}
    assert not {"Which clinic?", "Which hospital?"} & {loaded.items[name].question for name in picked}


ANSWERED = [("Green tea", ["Green tea", "Black tea"] * 9), ("Cramps", ["Nausea", "Dizziness", "Cramps"] * 6)]


def test_a_first_row_like_the_others_is_said_and_not_printed(tmp_path: Path) -> None:
    path = csv_file(tmp_path, *ANSWERED, ("Trillian", [f"Person {chr(97 + n)}" for n in range(18)]), BETTER)
    said = call("init", "club", "--from", path, "--out", tmp_path)
    assert said.code == 0 and "first row may be somebody's answers" in said.out
    text = (tmp_path / "schemas" / "club" / "instrument.toml").read_text(encoding="utf-8")
    assert text.startswith("# The first row may be somebody's answers") and "Headings are needed" in text
    document = call("init", "again", "--from", path, "--out", tmp_path, "--json").out
    for heading in ("Green tea", "green_tea", "Cramps", "cramps", "Trillian", "trillian"):
        assert heading not in said.out + document


BETTER = ("Better sleep", ["Better sleep", "Worse sleep"] * 9)
"""Typical words of a heading, which people answered below."""


@pytest.mark.parametrize(
    "column",
    [
        ("Better sleep", ["Yes, much", "Not at all"] * 9),
        ("Cups", ["1", "2", "7"] * 6),
        ("Which tea?", ["Green", "Black", "White"] * 6),
        ("Gender", ["Woman", "Man", "Other"] * 6),
        ("tea_sort", ["Green", "Black", "White"] * 6),
    ],
)
def test_headings_that_look_like_some_are_not_doubted(tmp_path: Path, column: tuple[str, Sequence[str]]) -> None:
    said = call("init", "club", "--from", csv_file(tmp_path, *ANSWERED, column), "--out", tmp_path)
    assert said.code == 0 and "first row" not in said.out


def test_a_file_without_headings_is_refused(tmp_path: Path) -> None:
    path = csv_file(tmp_path, ("someone@example.org", ["other@example.org"] * 3), ("5", ["6"] * 3))
    said = call("init", "club", "--from", path, "--out", tmp_path)
    assert said.code == 3 and "looks like answers" in said.err and "example.org" not in said.err + said.out


# --- Columns -------------------------------------------------------------------------------------------------------------


def asked(*columns: Column, rows: Sequence[Sequence[str | None]], **layout: object) -> dict[str, Question]:
    return {question.code: question for question in questions_of(export_of(columns, rows, **layout)).asked}


def test_the_columns_of_one_question_become_one_item() -> None:
    found = asked(
        Column("q[a]", ("q[a]",), Part.OPTION, ("q", "Which ones?"), ("a", "Apples")),
        Column("q[b]", ("q[b]",), Part.OPTION, ("q", "Which ones?"), ("b", "Other (please specify)")),
        Column("q[other]", ("q[other]",), Part.OTHER, ("q", "Which ones?"), ("other",)),
        Column("q", ("q",)),
        rows=[["Y", "N", SECRET, "a"], ["N", "N", None, ""]] * 3,
    )
    question = found["q"]
    assert question.found.kind is Kind.CHOICES and question.question == "Which ones?" and question.headings == ("q",)
    assert [(option.code, option.spellings) for option in question.found.options] == [
        ("apples", ("a",)),
        ("other", ("b",)),
    ]
    assert SECRET not in repr(found)


@pytest.mark.parametrize("group", ["", "g1/"])
def test_a_summary_and_a_column_an_option_are_one_question(tmp_path: Path, group: str) -> None:
    effects = f"{group}effects"
    rows = [["headache cramps", "1", "1"], ["cramps", "0", "1"], ["", "", ""]] * 20
    heads = ["_uuid", "_submission_time", effects, f"{effects}/headache", f"{effects}/cramps", f"{group}tea"]
    teas = ("green", "black", "white")
    lines = [heads, *([f"u{n}", "2026-01-02", *row, teas[n % 3]] for n, row in enumerate(rows))]
    path = tmp_path / "kobo.csv"
    path.write_text("".join(";".join(f'"{cell}"' for cell in line) + "\n" for line in lines), encoding="utf-8")
    made = draft("club", path)
    items = parse_instrument(made.text).items
    assert items["effects"].kind is Kind.CHOICES and items["effects"].label == "Effects"
    assert items["effects"].codes == ("headache", "cramps") and items["tea"].label == "Tea"
    assert unaccounted(path, made) == []


def unaccounted(path: Path, made: Draft) -> list[str]:
    """Headings of an export that are in no item of its draft, and not named in it as left out."""
    known = {fold(text) for item in parse_instrument(made.text).items.values() for text in item.texts}
    listed = {heading for heading, _ in made.left_out}
    export = read_export(path)
    return [
        column.heading or f"Column {place}"
        for place, column in enumerate(export.layout.columns, 1)
        if not known & {fold(text) for text in (*column.names, *column.question)}
        and not listed & {column.heading, f"Column {place}"}
    ]


@pytest.mark.parametrize("tool", TOOLS)
def test_every_column_of_every_tool_is_drafted_or_named(tool: str, tmp_path: Path) -> None:
    path = tmp_path / f"answers{LAYOUTS[tool].container.suffix or '.csv'}"
    write_sample(load_instrument("magnesium"), load_plan("magnesium"), "2026-01", 60, 1, path, tool)
    made = draft("club", path)
    assert unaccounted(path, made) == [] and made.dropped
    assert all(re.match("[a-z]", code) for item in parse_instrument(made.text).items.values() for code in codes(item))


def codes(item: Item) -> list[str]:
    return [*item.codes, *(band.code for band in item.bands)]


def test_all_columns_of_one_heading_are_named() -> None:
    options = [Column(f"q/{n}", (f"q/{n}",), Part.OPTION, ("q",), (f"o{n}",)) for n in (1, 2)]
    other = Column("p", ("p", "q"), Part.OPTION, ("r", "q"), ("o",))
    known = questions_of(export_of([*options, Column("q", ("q",)), other], [["1", "0", "o1", "1"]] * 3))
    assert {heading for heading, _ in known.left_out} == {"q", "q/1", "q/2"}
    blank = questions_of(export_of([Column("", ("",)), Column("", ("",))], [["Yes", "No"]] * 3))
    assert [heading for heading, _ in blank.left_out] == ["Column 3", "Column 4"]


def test_headings_that_two_columns_share_are_nobodys() -> None:
    found = asked(
        Column("a", ("a", "Same words here")),
        Column("b", ("b", "Same words here")),
        rows=[["Yes", "No"], ["No", "Yes"]] * 3,
    )
    assert {found["a"].question, found["b"].question} == {"a", "b"} and found["a"].headings == ()
    twice = questions_of(export_of([Column("x", ("x",)), Column("x", ("x",))], [["Yes", "No"]] * 3))
    assert [heading for heading, why in twice.left_out if "same heading" in why] == ["x", "x"]


def test_no_code_is_another_columns_heading() -> None:
    found = asked(
        Column("dose", ("Dose!",)), Column("x", ("dose",)), Column("y", ("Wave",)), rows=[["Yes", "No", "Yes"]] * 4
    )
    codes = {question.question: code for code, question in found.items()}
    assert codes["dose"] == "dose" and codes["Dose!"] == "dose_2" and codes["Wave"] != "wave"


def test_labels_of_the_file_become_options_unless_they_name_ends_only() -> None:
    labels = {"1": "Citrate", "2": "Oxide"}
    found = asked(
        Column("a", ("a",), labels=labels),
        Column("b", ("b",), labels={"0": "none", "10": "worst"}),
        Column("c", ("c",), labels={"1": "Yes", "2": "No"}),
        rows=[[str(1 + n % 2), str(n % 11), str(1 + n % 2)] for n in range(44)],
    )
    assert [(option.label, option.spellings) for option in found["a"].found.options] == [
        ("Citrate", ("1",)),
        ("Oxide", ("2",)),
    ]
    assert (found["b"].found.kind, found["c"].found.kind) == (Kind.SCALE, Kind.YES_NO)


def test_rows_of_a_grid_offer_the_same_answers() -> None:
    row = [Column(f"g[{n}]", (f"g[{n}]",), Part.ANSWER, ("g", "How often?"), (f"SQ{n}", f"Thing {n}")) for n in (1, 2)]
    found = asked(*row, rows=[["Never", "Often"], ["Often", "Often"], ["Never", "Never"], ["Often", "Rarely"]] * 2)
    assert {option.label for option in found["g_1"].found.options} == {"Never", "Often", "Rarely"}
    assert found["g_1"].label == "Thing 1: How often?"


def test_missing_texts_and_tools_columns_and_codes_of_respondents() -> None:
    export = export_of(
        [
            Column("Id", ("Id",), Part.TOOL),
            Column("Member code", ("Member code",)),
            Column("Tea", ("Tea",), missing=frozenset({"-99"})),
        ],
        [["1", f"m{n}", ("Green", "Black", "N/A", "-99")[n % 4]] for n in range(40)],
    )
    known = questions_of(export)
    by_code = {question.code: question for question in known.asked}
    assert by_code["id"].role is Role.DROP and by_code["member_code"].role is Role.IDENTIFIER
    assert known.no_answer == ("N/A",) and len(by_code["tea"].found.options) == 2
    made = written("club", known).text
    assert 'missing = ["N/A"]' in made and "same_respondent" in made and parse_instrument(made).missing == ("N/A",)


def test_counting_stops_at_its_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    export = export_of([Column("a", ("a",))], [[str(n)] for n in range(100)])
    assert count_texts(export, [2], most_rows=30)[2].filled == 30
    monkeypatch.setattr("survey_pipeline.draft.counted.MOST_TEXTS", 7)
    assert len(count_texts(export, [2])[2].counts) == 7


def test_the_event_that_is_counted_is_said_with_what_it_leaves_out() -> None:
    columns = [Column("Event", ("Event",), Part.TOOL), Column("Well", ("Well",))]
    rows = [["before", "Yes"], ["after", "No"], ["after", "Yes"], ["", "Yes"]] * 3
    made = written("club", questions_of(export_of(columns, rows, event=2)))
    said = "\n".join(made.told(Path("a"), Path("b")))
    assert 'One event is counted, "after": 6 rows of other events are left out' in said
    assert 'completeness = { event = "after" }  # <- look here' in made.text
    assert "event" not in "\n".join(written("club", questions_of(export_of(columns, rows))).warnings)


def test_of_a_survey_with_events_one_is_counted() -> None:
    rows = [["before", "Yes"], ["after", "No"], ["after", "Yes"]] * 3
    columns = [Column("Event", ("Event",), Part.TOOL), Column("Well", ("Well",))]
    made = written("club", questions_of(export_of(columns, rows, event=2))).text
    assert parse_instrument(made).completeness.event == "after" and "The others: before." in made


# --- The page ------------------------------------------------------------------------------------------------------------

TEA = ("Which tea do you like?", ["Green", "Black", "White"] * 20)
CUPS = ("Cups per day", [str(1 + n % 7) for n in range(60)])
SLEEP = ("Sleep (0-10)", [str(n % 11) for n in range(60)])
AGREE = ("Do you agree to take part?", ["I agree"] * 60)


def test_the_three_lines_are_guessed_and_marked(tmp_path: Path) -> None:
    made = draft("club", csv_file(tmp_path, SLEEP, AGREE, CUPS, TEA))
    lines = made.text.splitlines()
    assert [lines[n - 1] for n in made.lines.values()] == [
        'form = "tea_like"  # <- look here',
        'dose = "cups_per_day"  # <- look here',
        'outcomes = ["sleep"]  # <- look here',
    ]
    loaded = parse_instrument(made.text)
    assert [table.name for table in loaded.tables] == ["form_by_outcome", "dose_by_outcome"]
    assert all(item.role is not Role.CONSENT for item in loaded.items.values()) and '# role = "consent"' in made.text


def test_what_readers_see_is_marked_and_true_as_it_stands(tmp_path: Path) -> None:
    made = draft("club", csv_file(tmp_path, SLEEP, CUPS, TEA))
    marked = [line.split(" = ")[0] for line in made.text.splitlines() if line.endswith("# <- look here")]
    assert marked == ["title", "community", "about", "form", "dose", "outcomes"] and "Say here" not in made.text
    loaded = parse_instrument(made.text)
    assert (loaded.title, loaded.community, loaded.about) == ("Club", "the people who answered", "A survey.")


@pytest.mark.parametrize(
    ("name", "label"),
    [("outcomes/pain_now", "Pain now"), ("a/b/c", "C"), ("Pain and/or sleep", "Pain and/or sleep"), ("Tea", "Tea")],
)
def test_labels_are_no_paths(name: str, label: str) -> None:
    assert readable(name) == label


def test_of_a_question_behind_its_groups_the_question_is_the_label() -> None:
    found = asked(
        Column("About tea/Which tea?", ("About tea/Which tea?", "Which tea?")),
        Column("Sleep and/or mood?", ("Sleep and/or mood?",)),
        rows=[["x", "y"], ["y", "x"]] * 5,
    )
    assert {question.label for question in found.values()} >= {"Which tea?", "Sleep and/or mood?"}


def test_consent_is_never_proposed_and_too_few_questions_are_said(tmp_path: Path) -> None:
    asks = [("I agree to the privacy policy", ["Yes", "No"] * 30), ("Do you consent?", ["Sure", "Well", "Yes"] * 20)]
    made = draft("club", csv_file(tmp_path, *asks, TEA))
    loaded = parse_instrument(made.text)
    assert {loaded.form, loaded.dose, *loaded.outcomes} == {"tea_like"}
    assert "not enough different closed questions" in "\n".join(made.told(tmp_path, tmp_path))
    assert "not enough" not in "\n".join(draft("club", csv_file(tmp_path, TEA, CUPS, SLEEP)).warnings)
    only = call("init", "club", "--from", csv_file(tmp_path, *asks), "--out", tmp_path)
    assert only.code == 3 and "No question was found" in only.err


def test_every_numeric_item_may_be_the_dose_and_every_closed_one_the_form(tmp_path: Path) -> None:
    text = draft("club", csv_file(tmp_path, SLEEP, AGREE, CUPS, TEA)).text
    codes = list(parse_instrument(text).items)
    for code in codes:
        parse_instrument(re.sub('^(form|dose) = "[^"]*"', rf'\1 = "{code}"', text, flags=re.MULTILINE))


@pytest.mark.parametrize(
    "columns",
    [
        [("Words", ["Some of my words", "Others that I use"])],
        [("Height (cm)", [f"{150.5 + n}" for n in range(30)])],
        [("Tea", ["Green", "Green"])],
        [("Nobody", ["", ""]), ("Tea", ["a word", "another"])],
    ],
)
def test_a_file_with_hardly_anything_still_gives_an_instrument(
    tmp_path: Path, columns: list[tuple[str, Sequence[str]]]
) -> None:
    drafted(csv_file(tmp_path, *columns))


def test_options_in_columns_can_be_the_form_where_nothing_else_can() -> None:
    option = [Column(f"q{n}", (f"q{n}",), Part.OPTION, ("q",), (f"Tea {n}",)) for n in (1, 2)]
    known = questions_of(export_of(option, [["1", "0"], ["1", "1"]] * 5))
    made = parse_instrument(written("club", Questions("a test", tuple(q for q in known.asked if q.code == "q"))).text)
    assert made.items["q"].kind is Kind.CHOICE and made.items["q"].several_as == "several"


def test_nothing_but_personal_data_is_no_survey(tmp_path: Path) -> None:
    said = call("init", "club", "--from", csv_file(tmp_path, ("First name", ["A", "B"])), "--out", tmp_path)
    assert said.code == 3 and "No question was found" in said.err and not (tmp_path / "schemas").exists()


# --- Dictionaries --------------------------------------------------------------------------------------------------------

REDCAP = [
    "record_id,a,,text,Record,,,,,,,,,,,,,",
    'pain,a,,radio,"Pain <b>now</b>","0, None | 1, Some | -1, Not known",,,,,,,y,,,,,',
    'teas,a,,checkbox,Teas,"1, Green | 2, None of these",,,,,,"[pain] = 1",y,,,,,',
    "sleeps,a,,yesno,Do you sleep?,,,,,,,,,,,,,",
    "right,a,,truefalse,Is it right?,,,,,,,,,,,,,",
    'mood,a,,slider,Mood,"low | high",,,,,,,,,,,,',
    "cups,a,,text,Cups,,,integer,0,50,,,y,,,,,",
    "score,a,,text,Score,,,integer,0,10,,,,,,,,",
    "weight,a,,text,Weight,,,number_comma_decimal,,,,,,,,,,",
    "height,a,,text,Height (cm),,,,,,,,,,,,,",
    "bmi,a,,calc,BMI,round([weight]),,,,,,,,,,,,",
    "seen,a,,text,Seen on,,,date_ymd,,,,,,,,,,",
    "mail,a,,text,Where to write,,,email,,,,,,,,,,",
    "area,a,,text,Area,,,zipcode,,,,,,,,,,",
    'doctor,a,,radio,Your doctor,"1, Dr Who | 2, Dr No",,,,,y,,,,,,,',
    "surname,a,,dropdown,Surname,,,,,,,,,,,,,",
    "words,a,,notes,In your words,,,,,,,,,,,,,",
    "hint,a,,descriptive,Read this,,,,,,,,,,,,,",
    "photo,a,,file,Photo,,,,,,,,,,,,,",
]
HEADERS = {
    "shown": (
        '"Variable / Field Name","Form Name","Section Header","Field Type","Field Label","Choices, Calculations, OR Slider '
        'Labels","Field Note","Text Validation Type OR Show Slider Number","Text Validation Min","Text Validation Max",'
        'Identifier?,"Branching Logic (Show field only if...)","Required Field?","Custom Alignment","Question Number '
        '(surveys only)","Matrix Group Name","Matrix Ranking?","Field Annotation"'
    ),
    "raw": (
        "field_name,form_name,section_header,field_type,field_label,select_choices_or_calculations,field_note,"
        "text_validation_type_or_show_slider_number,text_validation_min,text_validation_max,identifier,branching_logic,"
        "required_field,custom_alignment,question_number,matrix_group_name,matrix_ranking,field_annotation"
    ),
}


def redcap(folder: Path, header: str = "shown", rows: Sequence[str] = REDCAP) -> dict[str, Item]:
    path = folder / "dictionary.csv"
    path.write_text("\n".join([HEADERS[header], *rows]) + "\n", encoding="utf-8")
    return drafted(path).items


@pytest.mark.parametrize("header", HEADERS)
def test_a_redcap_dictionary_says_what_may_be_answered(tmp_path: Path, header: str) -> None:
    items = redcap(tmp_path, header)
    options = [(option.code, option.label, option.spellings) for option in items["pain"].options]
    assert options == [("none", "None", ("0",)), ("some", "Some", ("1",)), ("not_known", "Not known", ("-1",))]
    assert items["pain"].label == "Pain now" and items["pain"].required and items["pain"].headings == ("pain",)
    assert items["teas"].kind is Kind.CHOICES and items["teas"].options[1].exclusive and not items["teas"].required
    assert items["sleeps"].kind is items["right"].kind is Kind.YES_NO
    assert (items["mood"].kind, items["mood"].minimum, items["mood"].maximum) == (Kind.SCALE, 0, 100)
    assert (items["cups"].kind, items["cups"].maximum, items["cups"].required) == (Kind.NUMBER, 50, True)
    assert items["score"].kind is Kind.SCALE and items["weight"].decimal_sign == "comma"
    assert items["height"].unit == "cm" and items["bmi"].kind is Kind.NUMBER
    never = ("record_id", "seen", "mail", "area", "doctor", "surname", "words", "photo")
    assert all(items[name].role is Role.DROP for name in never) and "hint" not in items
    assert all(items[name].is_stored for name in items if name not in never)


def test_required_on_one_of_several_forms_is_only_suggested(tmp_path: Path) -> None:
    rows = [*REDCAP[:2], REDCAP[6].replace(",a,", ",b,")]
    assert not redcap(tmp_path, rows=rows)["pain"].required
    assert "required = true" in draft("club", tmp_path / "dictionary.csv").text
    assert redcap(tmp_path, rows=[row.replace(",b,", ",a,") for row in rows])["pain"].required


def test_labels_that_stand_twice_or_are_another_fields_name_are_no_headings(tmp_path: Path) -> None:
    rows = [
        REDCAP[0],
        "one,a,,yesno,Same,,,,,,,,,,,,,",
        "two,a,,yesno,Same,,,,,,,,,,,,,",
        "three,a,,yesno,one,,,,,,,,,,,,,",
    ]
    items = redcap(tmp_path, rows=rows)
    assert {name: item.question for name, item in items.items() if name != "record_id"} == {
        "one": "one",
        "two": "two",
        "three": "three",
    }


def test_a_dictionary_whose_codes_and_labels_collide_is_read_by_its_codes(tmp_path: Path) -> None:
    row = 'cups,a,,radio,Cups,"1, 0 | 2, 1 | 3, 2",,,,,,,,,,,,'
    options = redcap(tmp_path, rows=[REDCAP[0], row])["cups"].options
    assert [option.spellings for option in options] == [("1",), ("2",), ("3",)]
    assert "an export with labels cannot" in draft("club", tmp_path / "dictionary.csv").text.replace("\n# ", " ")


def test_one_name_in_two_groups_is_two_items(tmp_path: Path) -> None:
    groups = [
        row
        for name in ("now", "then")
        for row in (["begin_group", name, name], ["integer", "cups", f"Cups {name}"], ["end_group", "", ""])
    ]
    form = xlsform(tmp_path, [["type", "name", "label"], *groups], [["list_name", "name", "label"]])
    assert {item.headings for item in drafted(form).items.values()} == {("now/cups",), ("then/cups",)}


def xlsform(folder: Path, survey: Sequence[Sequence[str]], choices: Sequence[Sequence[str]]) -> Path:
    import xlsxwriter

    path = folder / "form.xlsx"
    with xlsxwriter.Workbook(path) as book:
        for name, rows in (("survey", survey), ("choices", choices), ("settings", [["form_title"], ["Tea"]])):
            sheet = book.add_worksheet(name)
            for place, row in enumerate(rows):
                sheet.write_row(place, 0, row)
    return path


SURVEY = [
    ["type", "name", "label::English (en)", "required", "relevant", "constraint", "parameters"],
    ["start", "start", "", "", "", "", ""],
    ["begin_group", "about", "About tea", "", "", "", ""],
    ["select_one teas", "tea", "Which **tea**?", "yes", "", "", ""],
    ["select_multiple teas or_other", "all_teas", "All teas", "yes", "${tea} != 'green'", "", ""],
    ["select_one yes_no", "well", "Are you well?", "", "", "", ""],
    ["integer", "sleep", "Sleep", "true()", "", ". >= 0 and . <= 10", ""],
    ["integer", "cups", "Cups", "", "", ". > 0", ""],
    ["range", "mood", "Mood", "", "", "", "start=0 end=100 step=1"],
    ["decimal", "weight", "Weight", "", "", ". <= 300", ""],
    ["end_group", "", "", "", "", "", ""],
    ["begin repeat", "children", "Children", "", "", "", ""],
    ["integer", "child_age", "Age of the child", "", "", "", ""],
    ["end repeat", "", "", "", "", "", ""],
    ["note", "thanks", "Thank you", "", "", "", ""],
    ["text", "name", "Your name", "", "", "", ""],
    ["date", "day", "Which day?", "", "", "", ""],
    ["geopoint", "place", "Where?", "", "", "", ""],
    ["calculate", "sum", "", "", "", "", ""],
]
CHOICES = [
    ["list_name", "name", "label::English (en)"],
    ["teas", "green", "Green tea"],
    ["teas", "black", "Black tea"],
    ["yes_no", "yes", "Yes"],
    ["yes_no", "no", "No"],
]


def test_an_xlsform_says_what_may_be_answered(tmp_path: Path) -> None:
    items = drafted(xlsform(tmp_path, SURVEY, CHOICES)).items
    assert items["tea"].label == "Which tea?" and items["tea"].required and items["tea"].theme == "About tea"
    assert items["tea"].headings == ("tea", "about/tea")
    assert [(option.code, option.spellings) for option in items["tea"].options] == [
        ("green_tea", ("green",)),
        ("black_tea", ("black",)),
    ]
    assert items["all_teas"].codes == ("green_tea", "black_tea", "other") and not items["all_teas"].required
    assert items["well"].kind is Kind.YES_NO
    assert (items["sleep"].kind, items["sleep"].maximum, items["sleep"].required) == (Kind.SCALE, 10, True)
    assert (items["cups"].kind, items["cups"].minimum) == (Kind.NUMBER, 1)
    assert (items["mood"].kind, items["mood"].maximum) == (Kind.SCALE, 100)
    assert (items["weight"].minimum, items["weight"].maximum) == (None, 300)
    assert all(items[name].role is Role.DROP for name in ("start", "name", "day", "place", "sum"))
    assert not {"thanks", "child_age", "about"} & set(items)


def test_a_workbook_with_a_sheet_called_survey_may_hold_answers(tmp_path: Path) -> None:
    rows = [["Tea", "Cups"], *([tea, cups] for tea in ("Green", "Black") for cups in ("1", "2", "7"))] * 1
    items = drafted(xlsform(tmp_path, rows, [[]])).items
    assert "tea" in items and "XLSX export" in draft("club", tmp_path / "form.xlsx").text


# --- The command ---------------------------------------------------------------------------------------------------------


def init(path: Path, folder: Path, name: str = "club", *more: str) -> Said:
    return call("init", name, "--from", path, "--out", folder, *more)


def test_init_says_what_it_found_and_what_to_do_next(tmp_path: Path) -> None:
    said = init(csv_file(tmp_path, SLEEP, TEA, CUPS, ("Name", ["x"] * 60)), tmp_path)
    place = tmp_path / "schemas" / "club" / "instrument.toml"
    assert said.code == 0 and said.err == "" and place.is_file()
    assert "3 questions (" in said.out and "1: named as names of people" in said.out
    n = int(re.search(r'line (\d+): form = "tea_like"', said.out)[1])  # type: ignore[index]
    assert place.read_text(encoding="utf-8").splitlines()[n - 1].startswith("form = ")
    assert f"survey-pipeline run {tmp_path / 'export.csv'} --instrument {place} --wave" in said.out


def test_init_with_json_prints_one_document_and_quiet_nothing(tmp_path: Path) -> None:
    path = csv_file(tmp_path, SLEEP, TEA, CUPS)
    document = init(path, tmp_path, "club", "--json").document
    assert document["instrument"] == "club" and document["items"] == {"scale": 1, "choice": 1, "number": 1}
    assert set(document["lines_to_edit"]) == {"form", "dose", "outcomes"}
    assert init(path, tmp_path, "quiet", "--quiet") == Said(0, "", "")


def test_init_overwrites_nothing_and_wants_a_code(tmp_path: Path) -> None:
    path = csv_file(tmp_path, SLEEP, TEA, CUPS)
    place = tmp_path / "schemas" / "club" / "instrument.toml"
    place.parent.mkdir(parents=True)
    place.write_text("mine", encoding="utf-8")
    said = init(path, tmp_path)
    assert said.code == 2 and "is there already" in said.err and place.read_text(encoding="utf-8") == "mine"
    for name in ("Club", "2club", "my club", "../club", ""):
        assert init(path, tmp_path, name).code == 2
    assert init(tmp_path / "nothing.csv", tmp_path, "new").code == 3


def test_init_passes_on_what_was_set_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text("Tea|Sleep\n" + "Green|3\nBlack|4\n" * 10, encoding="utf-8")
    said = init(path, tmp_path, "club", "--separator", "|")
    assert said.code == 0 and "tea" in load_instrument(tmp_path / "schemas" / "club").items


def test_the_draft_is_found_by_its_name_below_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = call("init", "club", "--from", csv_file(tmp_path, SLEEP, TEA, CUPS))
    assert said.code == 0 and "--instrument club --wave" in said.out
    assert call("check", "export.csv", "--instrument", "club").code == 0


# --- From an export to a report -------------------------------------------------------------------------------------------


def edited(text: str) -> str:
    """The draft with its three lines edited, and nothing else: other items in the places of the guessed ones."""
    loaded = parse_instrument(text)
    levels = [
        code for code, item in loaded.items.items() if item.is_stored and (item.is_numeric or item.kind is Kind.YES_NO)
    ]
    closed = [code for code, item in loaded.items.items() if item.is_stored and item.kind is Kind.CHOICE]
    shown = [code for code, item in loaded.items.items() if item.is_stored and item.kind in (Kind.SCALE, Kind.CHOICES)]
    form, dose = (closed or levels)[-1], (levels or closed)[0]
    outcomes = ", ".join(f'"{code}"' for code in (shown or closed or levels)[:3])
    wanted = {"form": f'"{form}"', "dose": f'"{dose}"', "outcomes": f"[{outcomes}]"}
    for key, value in wanted.items():
        text, n = re.subn(rf"^{key} = .*  # <- look here$", f"{key} = {value}", text, flags=re.MULTILINE)
        assert n == 1
    return text


def run_draft(export: Path, folder: Path) -> Said:
    """Draft, edit three lines, run."""
    assert init(export, folder).code == 0
    place = folder / "schemas" / "club" / "instrument.toml"
    load_instrument(place)
    place.write_text(edited(place.read_text(encoding="utf-8")), encoding="utf-8")
    return call("run", export, "--instrument", place, "--wave", "2026-01", "--home", folder, "--json")


def test_an_invented_google_forms_export_comes_to_a_report(tmp_path: Path) -> None:
    export = tmp_path / "magnesium.csv"
    write_sample(load_instrument("magnesium"), load_plan("magnesium"), "2026-01", 200, 1, export)
    said = run_draft(export, tmp_path)
    assert said.code == 0, said.err
    assert (tmp_path / "reports" / "club" / "2026-01" / "index.html").is_file()


@needs_exports
@pytest.mark.slow
@pytest.mark.parametrize("export", REAL, ids=lambda path: path.stem)
def test_a_real_export_comes_to_a_report_with_three_lines_edited(export: Path, tmp_path: Path) -> None:
    said = run_draft(export, tmp_path)
    rows = call("check", export, "--json").document["exports"][0]["rows_read"]
    assert said.code == (0 if rows >= FEWEST else 5), said.err
    assert (tmp_path / "reports" / "club" / "2026-01" / "index.html").is_file() == (rows >= FEWEST)
    if said.code == 0:
        (read,) = said.document["exports"]
        assert read["rows_kept"] == rows and sum(sum(n.values()) for n in read["values_refused"].values()) < rows / 20


def with_more_people(export: Path, made: Path, n_headers: int) -> Path:
    """The same export as if many people had answered: its rows over and over, each a finished response of its own."""
    with export.open(encoding="utf-8-sig", newline="") as file:
        records = list(csv.reader(file))
    headings = [text for record in records[:n_headers] for text in record]
    place = {name: headings.index(name) % len(records[0]) for name in ("Status", "Finished")}
    own = next(headings.index(name) for name in ("ResponseId", "ResponseID") if name in headings) % len(records[0])
    rows = [list(record) for _ in range(60) for record in records[n_headers:]]
    for number, row in enumerate(rows):
        row[place["Status"]], row[place["Finished"]], row[own] = "0", "1", f"R_{number}"
    with made.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([*records[:n_headers], *rows])
    return made


@needs_exports
@pytest.mark.parametrize("export", sorted((EXPORTS / "qualtrics").glob("*.csv")), ids=lambda path: path.stem)
def test_a_real_qualtrics_layout_with_enough_people_comes_to_a_report(export: Path, tmp_path: Path) -> None:
    many = with_more_people(export, tmp_path / "many.csv", 2 if "legacy" in export.name else 3)
    said = run_draft(many, tmp_path)
    assert said.code == 0, said.err
    assert (tmp_path / "reports" / "club" / "2026-01" / "index.html").is_file()


TRIAL = """
name = "trial"
min_n = 1
min_n_for_statistics = 2
rounding_base = 1
looser = "Answers that I typed in myself, to see the report."
"""


@needs_exports
@pytest.mark.parametrize("export", sorted((EXPORTS / "qualtrics").glob("*.csv")), ids=lambda path: path.stem)
def test_a_handful_of_trial_answers_comes_to_a_report_under_a_policy_for_trials(
    export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert init(export, tmp_path).code == 0
    place = tmp_path / "schemas" / "club" / "instrument.toml"
    (tmp_path / "schemas" / "disclosure.toml").write_text(TRIAL, encoding="utf-8")
    kept = 'completeness = { previews = "keep" }\n'
    place.write_text(kept + edited(place.read_text(encoding="utf-8")), encoding="utf-8")
    said = call("run", export, "--instrument", place, "--wave", "2026-01", "--home", tmp_path, "--json")
    assert said.code == 0, said.err
    assert (tmp_path / "reports" / "club" / "2026-01" / "index.html").is_file()


@needs_exports
@pytest.mark.parametrize("export", REAL, ids=lambda path: path.stem)
def test_no_words_of_a_single_person_stand_in_the_draft_of_a_real_export(export: Path) -> None:
    read = read_export(export)
    said = {fold(text) for column in read.layout.columns for text in (*column.names, *column.question, *column.option)}
    quoted = {fold(text) for text in re.findall(r'"((?:[^"\\]|\\.)*)"', draft("club", export).text)}
    often: set[str] = set()
    once: set[str] = set()
    for cells in read.frame.get_columns():
        counts = Counter(fold(text) for text in cells.drop_nulls())
        often |= {text for text, n in counts.items() if n > 1}
        once |= {text for text, n in counts.items() if n == 1 and not re.fullmatch(r"[-\d.,: ]{1,5}", text)}
    assert (once - often - said) & quoted == set()


@needs_exports
@pytest.mark.parametrize("kind", ["data.csv", "dictionary.csv", "metadata.csv"])
def test_no_person_of_a_real_redcap_project_stands_in_the_draft(kind: str, tmp_path: Path) -> None:
    folder = EXPORTS / "redcap" / "simple"
    assert init(folder / kind, tmp_path).code == 0
    place = tmp_path / "schemas" / "club" / "instrument.toml"
    made = place.read_text(encoding="utf-8").casefold()
    with (folder / "data.csv").open(encoding="utf-8", newline="") as file:
        people = list(csv.DictReader(file))
    private = {
        row[column].casefold()
        for row in people
        for column in ("name_first", "name_last", "telephone", "email", "address", "dob", "comments")
    }
    assert len(private) > 20 and [text for text in private if text and text in made] == []
    checked = call("check", folder / "data.csv", "--instrument", place, "--json")
    assert checked.code == 0, checked.err
    gone = checked.document["exports"][0]["columns_dropped"]
    assert {"name_first", "name_last", "address", "telephone", "email", "dob", "comments"} <= set(gone)


@needs_exports
@pytest.mark.parametrize(
    "project", ["clinical-trial-1", "survey", "decimal-comma-and-dot", "repeating-instruments-sparse"]
)
def test_the_draft_of_a_real_data_dictionary_reads_its_data(project: str, tmp_path: Path) -> None:
    folder = EXPORTS / "redcap" / project
    assert init(folder / "dictionary.csv", tmp_path).code == 0
    place = tmp_path / "schemas" / "club" / "instrument.toml"
    checked = call("check", folder / "data.csv", "--instrument", place, "--json")
    assert checked.code == 0, checked.err
    (read,) = checked.document["exports"]
    assert read["rows_kept"] + sum(read["rows_excluded"].values()) == read["rows_read"]


def test_a_dropped_question_says_why() -> None:
    assert dropped("why").dropped == "why" and not dropped("why").has_levels and not dropped("why").is_measurable

"""What an answer is read as. The tables are the specification: written text, then what it becomes."""

import math
from datetime import date
from typing import Any

import polars as pl
import pytest
from club import club, club_with
from hypothesis import given, settings
from hypothesis import strategies as st

from survey_pipeline.answers import STORED_TYPE, Answer, Noted, Refused, read_answers, reader
from survey_pipeline.instrument import Instrument, Item, Kind
from survey_pipeline.names import NOTHING_TICKED, Rule
from survey_pipeline.texts import fold

UNKNOWN = Refused(Rule.UNKNOWN_OPTION)
SEVERAL = Refused(Rule.SEVERAL_ANSWERS)
CONTRADICTORY = Refused(Rule.CONTRADICTORY_ANSWERS)
NOT_A_NUMBER = Refused(Rule.NOT_A_NUMBER)
NOT_A_DATE = Refused(Rule.NOT_A_DATE)
AMBIGUOUS = Refused(Rule.AMBIGUOUS_NUMBER)
AMBIGUOUS_DATE = Refused(Rule.AMBIGUOUS_DATE)


def read(name: str, text: str, instrument: Instrument | None = None) -> Answer:
    found = instrument or club()
    return reader(found.items[name], found.missing)(text)


def read_item(text: str, **described: Any) -> Answer:
    plain = {"label": "x", "question": "x?", "theme": "t", "role": "detail"}
    return reader(Item.model_validate(plain | described))(text)


def option(code: str, label: str, **more: Any) -> dict[str, Any]:
    return {"code": code, "label": label, **more}


# --- One answer of several ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "becomes"),
    [
        ("Citrate", "citrate"),
        ("citrate", "citrate"),
        ("CITRATE", "citrate"),
        ("  Citrate  ", "citrate"),
        ("Citrate.", "citrate"),
        ("Citrate .", "citrate"),
        ("Citrate..", "citrate"),
        ("magnesium citrate", "citrate"),
        ("Magnesium\u00a0Citrate", "citrate"),
        ("Magnesium   \t citrate", "citrate"),
        ("Magnesium\ncitrate", "citrate"),
        ("\ufeffCitrate", "citrate"),
        ("Cit\u00adrate\u200b", "citrate"),
        ("Citrat", "citrate"),
        ("A mix", "mix"),
        ("mix", "mix"),
        ("None", "none"),
        ("Citrate,", "citrate"),
        ("Citrate;", "citrate"),
        ("Citrate, citrate", "citrate"),
        ("Citrate, Magnesium citrate", "citrate"),
        ("Citrate, Oxide", "mix"),
        ("Oxide;Citrate;", "mix"),
        ("Citrate., Oxide.", "mix"),
        ("Citrate, A mix", "mix"),
        ("Citrate, None", CONTRADICTORY),
        ("None; A mix", CONTRADICTORY),
        ("Citrates", UNKNOWN),
        ("Citr", UNKNOWN),
        ("Citrate Oxide", UNKNOWN),
        ("Citrate, glycinate", UNKNOWN),
        ("glycinate, Citrate", UNKNOWN),
        ("Citrate and oxide", UNKNOWN),
        (",", UNKNOWN),
        (".", UNKNOWN),
        ("\U0001f600", UNKNOWN),
        ("", None),
        ("   ", None),
        ("\u00a0", None),
        ("\u200b", None),
        ("n/a", None),
        ("N/A.", None),
        ("no  ANSWER", None),
    ],
)
def test_a_choice(written: str, becomes: Answer) -> None:
    assert read("form", written) == becomes


@pytest.mark.parametrize("written", ["Citrate, Oxide", "Citrate, None"])
def test_several_answers_to_a_question_for_one_are_refused_unless_the_instrument_says_what_they_are(
    written: str,
) -> None:
    assert read("form", written, club_with("form", several_as=None)) == SEVERAL


@pytest.mark.parametrize("label", ["Más de cinco", "Größer", "\U0001f600 gut", "\u5f88\u597d", "İyi", "é"])
def test_labels_in_any_script_are_read_as_written_in_capitals_and_decomposed(label: str) -> None:
    import unicodedata

    options = [option("a", label), option("b", "other")]
    for written in (label, label.upper(), unicodedata.normalize("NFD", label), unicodedata.normalize("NFC", label)):
        assert read_item(written, kind="choice", options=options) == "a", written


def test_an_accent_that_is_missing_makes_another_answer() -> None:
    assert read_item("Mas", kind="choice", options=[option("a", "Más"), option("b", "b")]) == UNKNOWN


def test_a_declared_fix_is_read_as_what_it_stands_for_and_only_that() -> None:
    assert read("dose", "Two  HUNDRED.") == 200.0
    assert read("dose", "two hundred mg") == NOT_A_NUMBER


def test_a_text_that_is_missing_for_one_item_is_an_answer_to_another() -> None:
    found = club_with("pain", missing=("none",))
    assert read("pain", "None", found) is None
    assert read("form", "None", found) == "none"


# --- Several answers ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "becomes"),
    [
        ("Nausea", {"nausea"}),
        ("nausea, NAUSEA", {"nausea"}),
        ("Cramps, or worse", {"cramps"}),
        ("Cramps, or worse, at night", {"cramps_at_night"}),
        ("Cramps, or worse, Nausea", {"cramps", "nausea"}),
        ("Nausea, Cramps, or worse, at night, Cramps, or worse", {"nausea", "cramps_at_night", "cramps"}),
        ("Nausea;Cramps, or worse;", {"nausea", "cramps"}),
        ("Nausea ,Cramps, or  worse", {"nausea", "cramps"}),
        ("None of these", {"nothing"}),
        ("Nausea, None of these", CONTRADICTORY),
        ("None of these; Nausea", CONTRADICTORY),
        ("Cramps", {"cramps"}),
        ("Cramps, at night", UNKNOWN),
        ("Nausea, a rash", UNKNOWN),
        ("a rash, Nausea", UNKNOWN),
        ("Nauseated", UNKNOWN),
        (";", UNKNOWN),
        ("", None),
        ("n/a", None),
    ],
)
def test_choices(written: str, becomes: Answer | set[str]) -> None:
    assert read("side_effects", written) == becomes


@given(st.lists(st.sampled_from(["Nausea", "Cramps, or worse", "Cramps, or worse, at night"]), min_size=1, unique=True))
def test_ticked_options_joined_as_forms_join_them_are_told_apart(labels: list[str]) -> None:
    codes = {"Nausea": "nausea", "Cramps, or worse": "cramps", "Cramps, or worse, at night": "cramps_at_night"}
    assert read("side_effects", ", ".join(labels)) == {codes[label] for label in labels}


def test_what_is_not_ticked_is_no_only_where_the_question_was_answered() -> None:
    found = club()
    texts = pl.DataFrame({"side_effects": ["Nausea", None, "", "a rash"]})
    answers = read_answers(texts, found.stored, readers_of(found)).answers
    assert answers["side_effects__nausea"].to_list() == [True, None, None, None]
    assert answers["side_effects__cramps"].to_list() == [False, None, None, None]
    assert answers["side_effects__nothing"].to_list() == [False, None, None, None]


# --- Yes or no ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "becomes"),
    [
        *((text, True) for text in ("Yes", "yes", " YES. ", "y", "true", "1", "Ja", "Sí", "si\u0301")),
        *((text, False) for text in ("No", "no.", "N", "False", "0", "Nein")),
        *((text, UNKNOWN) for text in ("maybe", "yes, no", "yess", "2", "-1", "\u2713")),
        *((text, None) for text in ("", "n/a")),
    ],
)
def test_yes_or_no(written: str, becomes: Answer) -> None:
    answer = read("stopped", written)
    assert answer == becomes and type(answer) is type(becomes)


# --- Numbers -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "becomes"),
    [
        ("200", 200.0),
        ("200.5", 200.5),
        ("0", 0.0),
        ("007", 7.0),
        ("+5", 5.0),
        ("-5", -5.0),
        (" 200 ", 200.0),
        ("200\u00a0mg", 200.0),
        ("200 mg", 200.0),
        ("200MG", 200.0),
        ("200 mg/day", 200.0),
        ("200 mg.", 200.0),
        ("200.", 200.0),
        ("999999999", 999999999.0),
        ("٢٠٠", 200.0),
        ("200 g", NOT_A_NUMBER),
        ("200 mg twice", NOT_A_NUMBER),
        ("mg 200", NOT_A_NUMBER),
        ("mg", NOT_A_NUMBER),
        ("3,5", 3.5),
        ("200,25 mg", 200.25),
        ("1,000", AMBIGUOUS),
        ("23.824", AMBIGUOUS),
        ("-123.456", AMBIGUOUS),
        ("0.125", 0.125),
        ("0,125", 0.125),
        ("1234.567", 1234.567),
        ("12.3456", 12.3456),
        ("12.34", 12.34),
        ("3,5,6", NOT_A_NUMBER),
        ("1,234.5", NOT_A_NUMBER),
        ("1.000,5", NOT_A_NUMBER),
        ("1 000", NOT_A_NUMBER),
        ("2 x 200", NOT_A_NUMBER),
        ("200-400", NOT_A_NUMBER),
        ("about 200", NOT_A_NUMBER),
        ("1e3", NOT_A_NUMBER),
        ("0x10", NOT_A_NUMBER),
        ("1_000", NOT_A_NUMBER),
        (".5", NOT_A_NUMBER),
        ("--5", NOT_A_NUMBER),
        ("½", NOT_A_NUMBER),
        ("²", NOT_A_NUMBER),
        ("NaN", NOT_A_NUMBER),
        ("nan", NOT_A_NUMBER),
        ("inf", NOT_A_NUMBER),
        ("-Infinity", NOT_A_NUMBER),
        ("two", NOT_A_NUMBER),
        ("9" * 308, float("9" * 308)),
        ("9" * 400, NOT_A_NUMBER),
        ("-" + "9" * 400, NOT_A_NUMBER),
        ("", None),
        ("n/a", None),
    ],
)
def test_a_number(written: str, becomes: Answer) -> None:
    assert read("dose", written) == becomes


def test_a_number_without_a_unit_takes_none() -> None:
    assert read("pain", "5") == 5.0
    assert read("pain", "5 points") == NOT_A_NUMBER


@given(st.integers(-(10**12), 10**12), st.integers(0, 99), st.sampled_from(".,"))
def test_digits_are_read_as_the_number_they_write(whole: int, hundredths: int, sign: str) -> None:
    assert read("dose", f"{whole}{sign}{hundredths:02d}") == float(f"{whole}.{hundredths:02d}")


@pytest.mark.parametrize(
    ("sign", "written", "becomes"),
    [
        ("point", "23.824", 23.824),
        ("point", "3,5", NOT_A_NUMBER),
        ("comma", "1,200", 1.2),
        ("comma", "3,5", 3.5),
        ("comma", "3.5", NOT_A_NUMBER),
        ("comma", "35", 35.0),
    ],
)
def test_a_declared_decimal_sign_leaves_no_doubt(sign: str, written: str, becomes: Answer) -> None:
    item = club().items["dose"].model_copy(update={"decimal_sign": sign})
    assert reader(item)(written) == becomes


def test_a_scale_knows_no_thousands() -> None:
    assert read("pain", "7.000") == 7.0


# --- Dates -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "becomes"),
    [
        ("2026-02-28", date(2026, 2, 28)),
        (" 2024-02-29 ", date(2024, 2, 29)),
        ("2026-02-29", NOT_A_DATE),
        ("2026-13-01", NOT_A_DATE),
        ("28.02.2026", date(2026, 2, 28)),
        ("9.7.2013", date(2013, 7, 9)),
        ("02.28.2026", NOT_A_DATE),
        ("2/3/2026", AMBIGUOUS_DATE),
        ("3/3/2026", date(2026, 3, 3)),
        ("13/10/2021", date(2021, 10, 13)),
        ("10/13/2021", date(2021, 10, 13)),
        ("13/13/2021", NOT_A_DATE),
        ("10/13/2021 14:05:09", date(2021, 10, 13)),
        ("2026-02-28 10:00", date(2026, 2, 28)),
        ("2026-02-28T10:00:00Z", date(2026, 2, 28)),
        ("2022-05-25 10.39.15", date(2022, 5, 25)),
        ("28.02.26", NOT_A_DATE),
        ("2026", NOT_A_DATE),
        ("yesterday", NOT_A_DATE),
        ("0000-00-00", NOT_A_DATE),
        ("", None),
        ("No answer", None),
    ],
)
def test_a_date(written: str, becomes: Answer) -> None:
    assert read("since", written) == becomes


# --- Any text, any item ------------------------------------------------------------------------------------------------

ALMOST_ANSWERS = st.one_of(
    st.text(),
    st.lists(st.sampled_from(["Nausea", "None", "A mix", ",", ";", ".", " ", "5", "mg", "2026-01-01", "yes"])).map(
        "".join
    ),
    st.from_regex("[-+]?[0-9\u0660-\u0669.,eE ]{1,30}", fullmatch=True),
)


def readers_of(instrument: Instrument) -> dict[str, Any]:
    return {name: reader(item, instrument.missing) for name, item in instrument.stored.items()}


@given(ALMOST_ANSWERS)
def test_no_text_stops_the_reading_and_what_is_read_is_of_its_kind(text: str) -> None:
    for name, item in club().stored.items():
        answer = read(name, text)
        if answer is None or isinstance(answer, Refused):
            continue
        if item.kind is Kind.CHOICES:
            assert isinstance(answer, frozenset) and answer and answer <= set(item.codes)
        elif item.kind is Kind.CHOICE:
            assert answer in item.codes
        elif item.is_numeric:
            assert isinstance(answer, float) and math.isfinite(answer)
        else:
            assert isinstance(answer, bool if item.kind is Kind.YES_NO else date)


@settings(max_examples=60)
@given(st.lists(st.none() | ALMOST_ANSWERS.filter(lambda text: "\0" not in text), max_size=12))
def test_a_column_is_read_as_its_texts_are_one_by_one(texts: list[str | None]) -> None:
    found = club()
    column = pl.Series(texts, dtype=pl.String)
    together = read_answers(pl.DataFrame(dict.fromkeys(found.stored, column)), found.stored, readers_of(found))
    refused = set(together.refused.select("item", "row", "rule").iter_rows())
    for name, item in found.stored.items():
        alone = [None if text is None else read(name, text) for text in texts]
        assert {(i, r) for n, i, r in refused if n == name} == {
            (place, answer.rule.value) for place, answer in enumerate(alone) if isinstance(answer, Refused)
        }
        good = [None if isinstance(answer, Refused) else answer for answer in alone]
        for column_name in item.columns(name):
            stored = together.answers[column_name]
            code = column_name.removeprefix(f"{name}__")
            expected = [code in one if isinstance(one, frozenset) else one for one in good]
            assert stored.dtype == STORED_TYPE[item.kind] and stored.to_list() == expected


def test_an_item_without_a_column_is_answered_by_nobody() -> None:
    found = club()
    together = read_answers(pl.DataFrame({"form": ["Citrate", None]}), found.stored, readers_of(found))
    assert together.answers["pain"].to_list() == [None, None]
    assert together.answers["side_effects__nausea"].to_list() == [None, None]
    assert together.refused.is_empty()


@given(st.text())
def test_folding_twice_is_folding_once_but_for_a_second_full_stop(text: str) -> None:
    folded = fold(text)
    if not folded.endswith("."):
        assert fold(folded) == folded
    assert fold(f"  {text}\u00a0") == folded


@pytest.mark.parametrize(("order", "month"), [("day_first", 4), ("month_first", 3)])
def test_a_declared_order_of_day_and_month_leaves_no_doubt(order: str, month: int) -> None:
    item = club().items["since"].model_copy(update={"date_order": order})
    assert reader(item)("3/4/2026") == date(2026, month, 7 - month)
    assert reader(item)("13/4/2026") == (date(2026, 4, 13) if order == "day_first" else NOT_A_DATE)


# --- People's own words --------------------------------------------------------------------------------------------------


def own_words(kind: str, written: str) -> Answer:
    item = club().items[kind]
    other = item.options[0].model_copy(update={"code": "other", "label": "Other", "spellings": (), "free_text": True})
    return reader(item.model_copy(update={"options": (*item.options, other)}))(written)


@pytest.mark.parametrize(
    ("item", "written", "becomes"),
    [
        ("form", "Other", "other"),
        ("form", "my own powder", Noted("other", Rule.OTHER_TEXT)),
        ("form", "Citrate, my own powder", Noted("mix", Rule.OTHER_TEXT)),
        ("form", "None, my own powder", Refused(Rule.CONTRADICTORY_ANSWERS)),
        ("side_effects", "a rash", Noted(frozenset({"other"}), Rule.OTHER_TEXT)),
        ("side_effects", "Nausea, a rash, on my arm", Noted(frozenset({"nausea", "other"}), Rule.OTHER_TEXT)),
        ("side_effects", "a rash, Cramps, or worse", Noted(frozenset({"cramps", "other"}), Rule.OTHER_TEXT)),
        ("side_effects", "None of these, a rash", Refused(Rule.CONTRADICTORY_ANSWERS)),
        ("side_effects", "", None),
    ],
)
def test_own_words_count_as_other_where_the_survey_offers_that(item: str, written: str, becomes: Answer) -> None:
    assert own_words(item, written) == becomes


def test_codes_may_be_joined_by_spaces_where_several_may_be_ticked() -> None:
    assert read("side_effects", "nausea cramps_at_night") == frozenset({"nausea", "cramps_at_night"})
    assert read("side_effects", "nausea rash") == Refused(Rule.UNKNOWN_OPTION)
    assert read("form", "citrate oxide") == Refused(Rule.UNKNOWN_OPTION)


def test_a_question_that_was_seen_and_left_without_a_tick_is_no_missing_answer() -> None:
    assert read("side_effects", NOTHING_TICKED) == frozenset()

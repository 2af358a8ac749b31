"""Doses as people write them: a table of phrases, both sides of every boundary, and what must hold for any text."""

import csv
import math
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from survey_pipeline.answers import doses
from survey_pipeline.answers.doses import Basis, Dose, DoseRule, read_dose, vocabulary
from survey_pipeline.instrument import Compound
from survey_pipeline.names import Rule

PERCENT = {
    "oxide": ("oxide, oxid, óxido, ox", (60.3,)),
    "hydroxide": ("hydroxide, hydroxid, hidróxido", (41.7,)),
    "carbonate": ("carbonate, carbonat, carbonato", (28.8,)),
    "citrate": ("magnesium citrate, citrat, citrato, zitrat, trimagnesiumdicitrat", (16.2, 11.9, 11.3)),
    "glycinate": ("glycinate, glycinat, glicinato, bisglycinate, bisglycinat, bisglicinato", (14.1, 11.7)),
    "malate": ("malate, malat, malato", (15.5, 11.6)),
    "chloride": ("chloride, chlorid, cloruro", (25.5, 12.0)),
    "sulfate": ("sulfate, sulphate, sulfat, sulfato, epsom, epsom salt, epsom salts, bittersalz", (20.2, 9.9)),
    "taurate": ("taurate, taurat, taurato", (8.9,)),
    "threonate": ("threonate, l-threonate, threonat, treonato", (8.3,)),
    "lactate": ("lactate, lactat, lactato", (10.2,)),
    "aspartate": ("aspartate, aspartat, aspartato", (8.4,)),
    "orotate": ("orotate, orotat, orotato", (7.3,)),
    "gluconate": ("gluconate, gluconat, gluconato", (5.9,)),
}
COMPOUNDS = tuple(
    Compound(code=code, texts=tuple(texts.split(", ")), elemental_percent=percent)
    for code, (texts, percent) in PERCENT.items()
)
LEAST = 0.059
with (Path(__file__).parent / "doses.csv").open(encoding="utf-8", newline="") as _table:
    PHRASES = list(csv.DictReader(_table))
DESIGN = [row for row in PHRASES if row["set"] == "design"]
HELD_OUT = [row for row in PHRASES if row["set"] == "held_out"]

HELD_OUT_EXACT = 185
"""Of 190, as measured when the parser first saw them. A floor: it may rise."""
HELD_OUT_WIDER = 2
"""An interval that holds the right one and is wider: less is known than could be, nothing wrong is said."""


def read(text: str) -> Dose | Rule:
    return read_dose(text, COMPOUNDS)


def written(text: str) -> tuple[float, float]:
    dose = read(text)
    assert isinstance(dose, Dose), dose
    return dose.written_low_mg_per_day, dose.written_high_mg_per_day


def interval(dose: Dose) -> tuple[float, float]:
    return dose.low_mg_per_day, dose.high_mg_per_day


def verdict(row: dict[str, str]) -> str:
    """How a phrase was read, against its label: exact, other_rule, wider, refused, other_reason or misread."""
    found = read(row["phrase"])
    if isinstance(found, Rule):
        return "refused" if not row["refused"] else "exact" if found == row["refused"] else "other_reason"
    if row["refused"]:
        return "misread"
    low, high = float(row["low_mg_per_day"]), float(row["high_mg_per_day"])
    if math.isclose(found.low_mg_per_day, low, rel_tol=1e-4) and math.isclose(
        found.high_mg_per_day, high, rel_tol=1e-4
    ):
        return "misread" if found.basis != row["basis"] else "exact" if found.rule == row["rule"] else "other_rule"
    holds = found.low_mg_per_day <= low * (1 + 1e-4) and high * (1 - 1e-4) <= found.high_mg_per_day
    return "wider" if holds and found.basis is Basis.UNKNOWN else "misread"


# --- The table ---------------------------------------------------------------------------------------------------------


def test_the_table_is_large_and_each_phrase_stands_once() -> None:
    assert len(PHRASES) >= 400
    assert len(HELD_OUT) >= 150
    assert len({row["phrase"] for row in PHRASES}) == len(PHRASES)
    assert {row["language"] for row in HELD_OUT} == {row["language"] for row in DESIGN} == {"en", "de", "es"}


def test_the_table_has_an_example_of_every_rule_and_every_reason() -> None:
    assert {row["rule"] for row in DESIGN} - {""} == set(DoseRule)
    assert {row["refused"] for row in DESIGN} - {""} == {
        Rule.NO_AMOUNT,
        Rule.NO_STRENGTH,
        Rule.NO_DAILY_AMOUNT,
        Rule.SEVERAL_AMOUNTS,
        Rule.UNKNOWN_UNIT,
        Rule.AMBIGUOUS_NUMBER,
        Rule.OUT_OF_RANGE,
    }


@pytest.mark.parametrize("row", DESIGN, ids=[row["phrase"] for row in DESIGN])
def test_design_phrases_are_read_as_labelled(row: dict[str, str]) -> None:
    assert verdict(row) == "exact"


def test_held_out_phrases_are_mostly_read_and_never_misread() -> None:
    verdicts = Counter(verdict(row) for row in HELD_OUT)
    assert verdicts["misread"] == 0
    assert verdicts["exact"] >= HELD_OUT_EXACT
    assert verdicts["wider"] <= HELD_OUT_WIDER


# --- What the interval means -------------------------------------------------------------------------------------------


def test_naming_a_compound_does_not_say_that_it_was_weighed() -> None:
    dose = read("400 mg magnesium oxide")
    assert isinstance(dose, Dose)
    assert interval(dose) == pytest.approx((241.2, 400))
    assert (dose.written_low_mg_per_day, dose.written_high_mg_per_day) == (400, 400)
    assert (dose.basis, dose.rule, dose.compound) == (Basis.UNKNOWN, DoseRule.PLAIN_AMOUNT, "oxide")


def test_the_compound_weight_gives_its_lowest_and_highest_percentage() -> None:
    dose = read("1000 mg citrate (compound weight)")
    assert isinstance(dose, Dose)
    assert interval(dose) == pytest.approx((113, 162))
    assert (dose.basis, dose.compound) == (Basis.COMPOUND, "citrate")


def test_elemental_on_the_label_is_the_dose_itself() -> None:
    dose = read("300 mg citrate, elemental")
    assert isinstance(dose, Dose)
    assert (dose.low_mg_per_day, dose.high_mg_per_day, dose.basis) == (300, 300, Basis.LABEL_ELEMENTAL)


def test_fewer_possible_compounds_make_the_interval_narrower() -> None:
    citrate = tuple(one for one in COMPOUNDS if one.code == "citrate")
    dose = read_dose("400 mg", citrate)
    assert isinstance(dose, Dose)
    assert interval(dose) == pytest.approx((45.2, 400))
    everything = read("400 mg")
    assert isinstance(everything, Dose)
    assert everything.low_mg_per_day == pytest.approx(400 * LEAST)


def test_without_declared_compounds_the_amount_stays_as_written() -> None:
    dose = read_dose("400 mg")
    assert isinstance(dose, Dose)
    assert (dose.low_mg_per_day, dose.high_mg_per_day, dose.basis) == (400, 400, Basis.UNKNOWN)


def test_doubt_takes_certainty_away() -> None:
    sure, unsure = read("300 mg elemental"), read("not sure if 300 mg elemental")
    assert isinstance(sure, Dose)
    assert isinstance(unsure, Dose)
    assert (sure.basis, unsure.basis) == (Basis.LABEL_ELEMENTAL, Basis.UNKNOWN)


def test_two_compounds_are_summed_each_with_its_own_share() -> None:
    dose = read("100 mg oxide and 100 mg taurate")
    assert isinstance(dose, Dose)
    assert dose.low_mg_per_day == pytest.approx(60.3 + 8.9)
    assert dose.compound is None


# --- Boundaries --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("4.99 mg", Rule.OUT_OF_RANGE),
        ("5 mg", (5, 5)),
        ("5000 mg", (5000, 5000)),
        ("5000.1 mg", Rule.OUT_OF_RANGE),
        ("0 mg", Rule.OUT_OF_RANGE),
        ("19", Rule.UNKNOWN_UNIT),
        ("20", (20, 20)),
        ("19 mg", (19, 19)),
        ("1.200 mg", (1200, 1200)),
        ("5.000 mg", (5000, 5000)),
        ("5.001 mg", Rule.AMBIGUOUS_NUMBER),
        ("1.20 mg", Rule.OUT_OF_RANGE),
        ("1.2000 g", (1200, 1200)),
        ("1.200 g", (1200, 1200)),
        ("5.001 g", Rule.AMBIGUOUS_NUMBER),
        ("0.200 g", (200, 200)),
        ("1.234,5 mg", (1234.5, 1234.5)),
        ("1,234.5 mg", (1234.5, 1234.5)),
        ("1.2.3 mg", Rule.AMBIGUOUS_NUMBER),
        ("40-400 mg", (40, 400)),
        ("39-400 mg", Rule.SEVERAL_AMOUNTS),
        ("400-400 mg", Rule.SEVERAL_AMOUNTS),
        ("100 mg 12 times a day", (1200, 1200)),
        ("100 mg 13 times a day", Rule.NO_DAILY_AMOUNT),
        ("100 mg every 0 hours", Rule.NO_DAILY_AMOUNT),
        ("350 mg 7 times a week", (350, 350)),
        ("350 mg 14 times a week", (700, 700)),
        ("350 mg 7 days a week", (350, 350)),
        ("350 mg 8 days a week", Rule.NO_DAILY_AMOUNT),
        ("400 mg" + " " * 294, (400, 400)),
        ("400 mg" + " " * 295, Rule.NO_AMOUNT),
        ("", Rule.NO_AMOUNT),
    ],
)
def test_boundaries(text: str, expected: tuple[float, float] | Rule) -> None:
    found = read(text)
    if isinstance(expected, Rule):
        assert found == expected
    else:
        assert written(text) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2 capsules = 400 mg twice a day", (800, 800)),
        ("total 2 capsules of 200 mg", (400, 400)),
        ("in 2 doses of 200 mg", (400, 400)),
        ("400 mg in 2 doses of 200 mg", (400, 400)),
        ("2 x 200 mg, morning and evening", (400, 800)),
        ("400 mg a day, twice daily", (400, 800)),
        ("2 tablets 200 mg twice a day", (400, 800)),
        ("400 mg morning or evening", (400, 400)),
        ("400 mg at night, before bed", (400, 400)),
        ("200 mg twice a day, 5 days a week", (2000 / 7, 2000 / 7)),
        ("2 à 200 mg", (400, 400)),
        ("400 mg with vitamin D", (400, 400)),
        ("200 mg in the evening with dinner", (200, 200)),
        ("200 mg with dinner and before bed", (400, 400)),
        ("200 mg dinner and 200 mg bedtime", (400, 400)),
        ("200 mg dinner, bedtime", Rule.NO_DAILY_AMOUNT),
        ("400 mg citrate + glycinate", Rule.SEVERAL_AMOUNTS),
        ("200 mg morning and 2 tablets at night", Rule.SEVERAL_AMOUNTS),
        ("400 mg or 2 tablets", Rule.SEVERAL_AMOUNTS),
        ("400 mg morning and night (2 x 200 mg)", Rule.SEVERAL_AMOUNTS),
        ("400 mg (2 x 200 mg) twice a day", Rule.SEVERAL_AMOUNTS),
        ("500 mg citrate = 80 mg elemental twice a day", Rule.SEVERAL_AMOUNTS),
        ("500 mg citrate, 80 mg elemental morning and night", Rule.SEVERAL_AMOUNTS),
        ("400 mg, of which 200 mg at night", Rule.SEVERAL_AMOUNTS),
        ("2 tablets = 663 mg oxide = 400 mg elemental", Rule.SEVERAL_AMOUNTS),
        ("400 mg daily or every other day", Rule.NO_DAILY_AMOUNT),
        ("400+ mg", Rule.NO_DAILY_AMOUNT),
        ("400 mg+", Rule.NO_DAILY_AMOUNT),
        ("400+ daily", Rule.NO_DAILY_AMOUNT),
        ("400 mg depending on the day", Rule.NO_DAILY_AMOUNT),
        ("not 400 mg", Rule.NO_DAILY_AMOUNT),
        ("10 ml of 300 mg", Rule.NO_STRENGTH),
        ("vitamin D 400 mg", Rule.SEVERAL_AMOUNTS),
        ("10\u00b2 mg", Rule.UNKNOWN_UNIT),
    ],
)
def test_what_is_easily_misread(text: str, expected: tuple[float, float] | Rule) -> None:
    found = read(text)
    if isinstance(expected, Rule):
        assert found == expected
    else:
        assert written(text) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("slip", "word"), [("tabelt", "tablet"), ("capsuels", "capsules"), ("citrat", "citrate"), ("dayly", "daily")]
)
def test_one_slip_in_a_word_is_mended(slip: str, word: str) -> None:
    assert read(f"200 mg {slip}") == read(f"200 mg {word}")


def test_numbers_are_never_mended() -> None:
    assert read("200 mg twice a day") != read("200 mg fourr times a day")
    assert isinstance(read("seventi mg"), Rule)


# --- For any text ------------------------------------------------------------------------------------------------------

READABLE = [row["phrase"] for row in PHRASES if not row["refused"]]
PIECES_OF_TEXT = [
    *sorted({" ".join(phrase) for phrase, _ in vocabulary()}),
    *("1", "2", "1/2", "½", "200", "400", "1.200", "1,5", "0", "mg", "g", "citrate", "oxide", "(", ")", ",", "=", "-"),
    *("zzz", "\U0001f600", "\u0000", "\u0660", "\u00b2", "99999999999999999999"),
]
SOUP = st.lists(st.sampled_from(PIECES_OF_TEXT), max_size=14).map(" ".join)
AMOUNTS = st.integers(min_value=20, max_value=400)
COUNTS = st.integers(min_value=1, max_value=4)


@given(st.one_of(st.text(max_size=400), SOUP))
def test_any_text_gives_a_sound_dose_or_a_reason(text: str) -> None:
    found = read(text)
    if isinstance(found, Rule):
        return
    assert doses.SMALLEST_DOSE <= found.written_low_mg_per_day <= found.written_high_mg_per_day <= doses.LARGEST_DOSE
    assert 0 < found.low_mg_per_day <= found.high_mg_per_day <= found.written_high_mg_per_day
    assert found.low_mg_per_day <= found.written_low_mg_per_day


@given(st.one_of(st.sampled_from([row["phrase"] for row in PHRASES]), SOUP))
def test_case_and_spaces_do_not_matter(text: str) -> None:
    wide = "  " + text.replace(" ", " \t ") + " \n"
    assume(len(wide) <= doses.MOST_CHARACTERS)
    assert read(text) == read(wide) == read(text.upper()) == read(text.replace(" ", "\u00a0"))


@given(st.sampled_from(READABLE), st.data())
def test_a_word_nobody_knows_is_never_passed_over(text: str, data: st.DataObject) -> None:
    words = text.split()
    words.insert(data.draw(st.integers(min_value=0, max_value=len(words))), "qzxv")
    assert isinstance(read(" ".join(words)), Rule)


@given(COUNTS, AMOUNTS)
def test_twice_the_count_is_twice_the_dose(count: int, amount: int) -> None:
    for text in ("{} x {} mg", "{} tablets of {} mg", "{} Kapseln \u00e0 {} mg", "{} c\u00e1psulas de {} mg citrato"):
        once, twice = read(text.format(count, amount)), read(text.format(2 * count, amount))
        assert isinstance(once, Dose)
        assert isinstance(twice, Dose)
        assert twice.low_mg_per_day == pytest.approx(2 * once.low_mg_per_day)
        assert twice.high_mg_per_day == pytest.approx(2 * once.high_mg_per_day)


@given(AMOUNTS)
def test_ways_of_saying_the_same(amount: int) -> None:
    twice = [
        f"2 x {amount} mg",
        f"{amount}mg twice a day",
        f"{amount} mg 1-0-1",
        f"{amount} morgens und {amount} abends",
    ]
    assert all(written(text) == pytest.approx((2 * amount, 2 * amount)) for text in twice)
    once = [
        f"{amount} mg",
        f"{amount / 1000:.3f} g",
        f"{amount * 1000} mcg",
        f"{amount}",
        f"{amount},0 mg",
        f"{amount}.0 mg",
    ]
    assert all(written(text) == pytest.approx((amount, amount)) for text in once)


@given(AMOUNTS, st.integers(min_value=1, max_value=100))
def test_a_range_is_the_interval_of_its_ends(low: int, more: int) -> None:
    for sign in ("-", " - ", "\u2013", " to ", " bis ", " or ", " mg - "):
        assert written(f"{low}{sign}{low + more} mg") == (low, low + more)


def test_no_phrase_stands_in_two_tables() -> None:
    known: dict[tuple[str, ...], set[tuple[str, str, float]]] = {}
    for phrase, token in vocabulary():
        known.setdefault(phrase, set()).add((token.kind, token.name, token.low))
    assert not [phrase for phrase, tokens in known.items() if len(tokens) > 1]
    assert () not in known


def test_a_refusal_carries_no_text(capsys: pytest.CaptureFixture[str]) -> None:
    found = read("a secret 400 mg story")
    assert isinstance(found, Rule)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    "unit",
    ["1-", "1 x ", "a ", "200 mg and ", "(1/2", "citrate 2 x ", "1,", "magnesiu", "400 mg (", "2 of ", "x", "hundred "],
)
def test_long_texts_take_no_time(unit: str) -> None:
    start = time.perf_counter()
    read((unit * doses.MOST_CHARACTERS)[: doses.MOST_CHARACTERS])
    assert time.perf_counter() - start < 1


def test_the_page_for_stewards_names_every_rule_in_order() -> None:
    page = (Path(__file__).parents[1] / "docs" / "doses.md").read_text(encoding="utf-8")
    places = [page.index(f"`{rule.value}`") for rule in DoseRule]
    assert all(earlier < later for earlier, later in pairwise(places))

"""Drift: what changed between an export, the instrument and the wave before, what is said of it, and what it breaks."""

import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from builders import community, export_report, item, options, percent, scale, survey
from club import call
from hypothesis import given
from hypothesis import strategies as st

from survey_pipeline import drift
from survey_pipeline.assemble import make_release
from survey_pipeline.count import tally
from survey_pipeline.drift import (
    COUNTS_SCHEMA,
    LONGEST_OPTION,
    Drift,
    DriftKind,
    against_instrument,
    between,
    comparable,
    counted,
    documents,
    in_answers,
    incomparable,
    lines,
    together,
)
from survey_pipeline.errors import InputRefused
from survey_pipeline.exports import Column
from survey_pipeline.exports.layout import Part
from survey_pipeline.instrument import Instrument, Item, Role, load_instrument, shipped_text
from survey_pipeline.names import ALL_LEVELS, INVENTED_HEADING, Status
from survey_pipeline.periods import is_between, meet
from survey_pipeline.policy import load_policy

MARKER = "MARKER4711"
"""Somebody's own words: nothing may say them."""
BEFORE = survey()


def named(*headings: str) -> list[Column]:
    return [Column(heading, (heading,)) for heading in headings]


def kinds(drifts: list[Drift]) -> list[tuple[str, DriftKind, bool]]:
    return [(found.item, found.what, found.breaks_trend) for found in drifts]


def choice(*codes: str, **more: Any) -> dict[str, Any]:
    return item("Effect", "choice", "outcome", options=more.pop("options", options(*codes)), **more)


# --- When an item is asked -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wave", "since", "until", "asked"),
    [
        ("2026-03", None, None, True),
        ("2026-03", "2026-03", "2026-03", True),
        ("2026-02", "2026-03", None, False),
        ("2026-04", None, "2026-03", False),
        ("2025-12", None, "2025", True),
        ("2026-01", None, "2025", False),
        ("2025-01", "2025", None, True),
        ("2024-12", "2025", None, False),
        ("2025", "2025-07", None, True),
        ("2024", "2025-07", None, False),
        ("2026", None, "2025-07", False),
        ("2025-03", "2025-Q1", "2025-Q1", True),
        ("2025-04", "2025-Q1", "2025-Q1", False),
        ("2025-Q2", "2025-06", None, True),
        ("2025-Q2", "2025-07", None, False),
        ("2025-W01", "2025", None, True),  # begins on 30 December 2024
        ("2024-W52", "2025", None, False),
        ("2026-W53", None, "2026", True),  # ends on 3 January 2027
        ("2026-W05", "2026-02", None, False),  # its Thursday is 29 January
        ("2026-W06", "2026-02", None, True),
    ],
)
def test_a_wave_lies_between_bounds_of_any_length(wave: str, since: str | None, until: str | None, asked: bool) -> None:
    assert is_between(wave, since, until) is asked


WAVES = st.one_of(
    st.integers(0, 9999).map(lambda year: f"{year:04}"),
    st.tuples(st.integers(0, 9999), st.integers(1, 12)).map(lambda pair: f"{pair[0]:04}-{pair[1]:02}"),
    st.tuples(st.integers(0, 9999), st.integers(1, 4)).map(lambda pair: f"{pair[0]:04}-Q{pair[1]}"),
    st.tuples(st.integers(0, 9999), st.integers(1, 53)).map(lambda pair: f"{pair[0]:04}-W{pair[1]:02}"),
)


@given(WAVES, WAVES)
def test_every_wave_lies_between_itself_and_bounds_exclude_each_other(one: str, other: str) -> None:
    assert is_between(one, one, one)
    assert is_between(one, other, None) or is_between(one, None, other)
    assert meet(one, None, None, other) is is_between(other, one, None)


def test_bounds_that_leave_no_day_are_refused_and_a_year_ends_with_its_last_month() -> None:
    Item.model_validate(scale("Pain", since="2025-07", until="2025"))
    with pytest.raises(ValueError, match="`since` must not lie behind `until`"):
        Item.model_validate(scale("Pain", since="2026-01", until="2025"))


def asked_under(heading: str, instrument: Instrument) -> list[str]:
    return [name for name, item in instrument.asked.items() if heading in item.texts]


def test_a_question_may_pass_its_wording_on_and_no_day_may_belong_to_two() -> None:
    wording = {"question": "How bad is your pain?"}
    old = scale("Pain", **wording, until="2026-03")
    new = scale("Pain", **wording, maximum=100, since="2026-04")
    both = survey(pain_10=old, pain_100=new)
    assert asked_under(wording["question"], both.in_wave("2026-03")) == ["pain_10"]
    assert asked_under(wording["question"], both.in_wave("2026-04")) == ["pain_100"]
    with pytest.raises(ValueError, match="exported under the same heading"):
        survey(pain_10=old, pain_100={**new, "since": "2026-03"})


def test_outside_its_time_an_item_has_no_column_and_is_required_of_nobody() -> None:
    survey_2026 = survey(
        agreed=item("Agreed", "text", "consent", consent_answer="Yes", since="2026"),
        mood=scale("Mood", required=True, since="2026"),
        sex=item("Sex", "choice", "stratum", options=options("female", "male"), until="2025-12"),
    )
    then, now = survey_2026.in_wave("2025-12"), survey_2026.in_wave("2026-01")
    assert {"agreed", "mood"}.isdisjoint(then.asked) and "sex" not in now.asked
    assert not then.items["mood"].required and now.items["mood"].required
    assert then.with_role(Role.CONSENT) == {} and list(now.with_role(Role.CONSENT)) == ["agreed"]
    assert asked_under("Mood?", then) == [] and asked_under("Sex?", then) == ["sex"]
    assert then.stored.keys() == now.stored.keys(), "a wave's table keeps a column for what it did not ask"
    assert then.who_answered == ("sex", "form") and now.who_answered == ("form",)
    assert survey_2026.asked == survey_2026.items


def test_a_wave_without_its_form_is_refused() -> None:
    late = survey(form=item("Form", "choice", "exposure", options=options("citrate", "oxide"), since="2026-02"))
    assert late.in_wave("2026-02").asked["form"]
    with pytest.raises(InputRefused, match="'form' is not asked in the wave '2026-01'"):
        late.in_wave("2026-01")


def test_what_is_not_asked_is_published_as_not_asked_and_cuts_no_table() -> None:
    bands = [{"code": "low", "label": "Low", "below": 200}, {"code": "high", "label": "High"}]
    until = survey(
        mood=scale("Mood", until="2026-03"), dose=item("Dose", "number", "exposure", bands=bands, until="2026-03")
    )
    people = community(400, seed=3)
    for wave, asked in (("2026-03", True), ("2026-04", False)):
        nothing = [] if asked else [pl.lit(None, dtype=pl.Float64).alias(name) for name in ("mood", "dose")]
        counts = tally(people.with_columns(nothing), until)
        release = make_release(counts, until, load_policy(), wave, [export_report(400, 400)])
        mood = {row.status for row in release.rows if row.outcome == "mood" and row.level == ALL_LEVELS}
        assert (Status.NOT_ASKED in mood) is not asked and (asked or mood == {Status.NOT_ASKED})
        assert ("dose_by_outcome" in release.tables) is asked
        assert release.instrument.fingerprint == until.fingerprint


# --- An export against the instrument ------------------------------------------------------------------------------------


def test_an_item_without_a_column_is_told_with_the_nearest_heading_by_its_place() -> None:
    asked = survey(pain=scale("How bad was your pain in the last week"))
    columns = named(MARKER, "How bad was your pain in this last week?", "Mood?")
    found = {one.item: one for one in against_instrument(columns, ["mood"], asked, "2026-01")}
    assert found["pain"].what is DriftKind.HEADING_NEAR and found["pain"].nearest == "column 2"
    assert "column 2 is headed almost so" in found["pain"].said
    assert found["sex"].what is DriftKind.HEADING_MISSING and found["sex"].nearest is None
    assert "mood" not in found
    assert MARKER not in str(found) and "this last week" not in str(found), "a heading may be somebody's answer"


def test_near_questions_are_told_apart_and_each_column_is_named_once() -> None:
    asked = survey(
        pain=scale("Pain in the last 7 days: 0 = none, 10 = worst"),
        mood=scale("Mood in the last 7 days: 0 = none, 10 = worst"),
    )
    columns = named(
        "Mood in the last 7 days (0 = none, 10 = worst)?", "Pain in the last 7 days (0 = none, 10 = worst)?"
    )
    found = {one.item: one.nearest for one in against_instrument(columns, [], asked) if one.nearest}
    assert found == {"mood": "column 1", "pain": "column 2"}
    (only,) = (one.item for one in against_instrument(columns[:1], [], asked) if one.nearest)
    assert only == "mood", "the likest takes the column"


def test_a_second_column_for_an_item_is_told() -> None:
    columns = named("How much did it hurt?", "How much did it hurt (2)?", "Something else?")
    asked = survey(pain=scale("How much did it hurt"))
    found = [one for one in against_instrument(columns, asked.items, asked) if one.item == "pain"]
    assert kinds(found) == [("pain", DriftKind.HEADING_NEAR, False)] and found[0].nearest == "column 2"


def test_only_columns_of_answers_come_into_question() -> None:
    heading = "Which side effects?"
    columns = [
        Column("a", (heading,), Part.OTHER),
        Column("b", (heading,), Part.TOOL),
        Column("c", ("c",), Part.OPTION, (heading,), ("Nausea",)),
        Column("d", ("d",), Part.OPTION, (heading,), ("Cramps",)),
    ]
    asked = survey(side=item("Which side effect", "choices", "safety", options=options("nausea", "cramps")))
    (found,) = (one for one in against_instrument(columns, set(asked.items) - {"side"}, asked) if one.nearest)
    assert (found.item, found.nearest) == ("side", "column 3"), "the first of its options' columns"
    assert not [one for one in against_instrument(columns[:2], set(asked.items) - {"side"}, asked) if one.nearest]


@pytest.mark.parametrize(("wave", "said"), [("2026-03", False), ("2026-04", True), (None, False)])
def test_a_column_outside_its_time_is_told_and_its_absence_is_not(wave: str | None, said: bool) -> None:
    asked = survey(mood=scale("Mood", until="2026-03"))
    others = set(asked.items) - {"mood"}
    found = against_instrument(named("Mood?"), others, asked, wave)
    outside = [one for one in found if one.what is DriftKind.ASKED_OUTSIDE_ITS_TIME]
    assert bool(outside) is said
    if said:
        assert "Column 1 is 'mood', which is asked until 2026-03 only" in outside[0].said
        assert against_instrument(named("Sex?"), others, asked, wave) == []


def test_columns_of_no_item_share_one_line_and_are_named_by_their_places() -> None:
    declared = [one.question for one in BEFORE.items.values()]
    asked = named(*declared, MARKER, "E-mail", INVENTED_HEADING, "New one?", "New two?", "New three?", "", "Last?")
    columns = [*asked, Column("Id", ("Id",), Part.TOOL), Column("Else", ("Else",), Part.COMMENT)]
    first = len(declared) + 1
    (found,) = against_instrument(columns, BEFORE.items, BEFORE, "2026-01")
    assert (found.item, found.what, found.breaks_trend) == ("", DriftKind.COLUMNS_NEW, False)
    assert found.said == (
        f"Columns {first}, {first + 3} to {first + 5} and {first + 7} are no question of the instrument and are not stored. "
        "If one of them asks something to be counted, add an item for it."
    )
    assert lines([found]) == [found.said]
    (single,) = against_instrument(named(*declared, "New?"), BEFORE.items, BEFORE, "2026-01")
    assert single.said.startswith(f"Column {first} is no question of the instrument and is not stored. If it asks")


def test_a_column_that_is_told_as_nearly_an_item_is_not_told_again() -> None:
    found = against_instrument(named("Moods?"), set(BEFORE.items) - {"mood"}, BEFORE, "2026-01")
    assert DriftKind.COLUMNS_NEW not in {one.what for one in found}


def test_a_complete_export_has_not_drifted() -> None:
    columns = named(*(one.question for one in BEFORE.items.values()))
    assert against_instrument(columns, BEFORE.items, BEFORE, "2026-01") == []


def test_items_that_were_simply_not_there_share_one_line() -> None:
    said = lines(against_instrument(named("Mood?"), set(BEFORE.items) - {"sex", "effect"}, BEFORE))
    assert said == [
        "No column for 'effect' and 'sex': where it was asked, add its heading to `headings`; "
        "where it was not, say so with `since` or `until`."
    ]


# --- Answers -------------------------------------------------------------------------------------------------------------


def counts(*rows: tuple[str, str, str | None, int]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=COUNTS_SCHEMA, orient="row")


@pytest.mark.parametrize(("n", "told"), [(9, False), (10, True)])
def test_an_unknown_option_is_named_only_where_enough_gave_it(n: int, told: bool) -> None:
    (found,) = in_answers(counts(("form", "unknown_option", "citrat", n)), BEFORE, 10)
    assert "citrat" not in found.said.replace("'Citrate'", "")
    assert found.what is (DriftKind.OPTION_NEW if told else DriftKind.OPTION_UNKNOWN)
    assert found.nearest == ("Citrate" if told else None) and found.breaks_trend is told
    assert str(n) in found.said


@pytest.mark.parametrize(("answered", "told"), [(1_000, True), (1_001, False), (0, True)])
def test_among_many_answers_ten_alike_are_no_option(answered: int, told: bool) -> None:
    (found,) = in_answers(counts(("form", "unknown_option", "citrat", 10)), BEFORE, 10, {"form": answered})
    assert (found.what is DriftKind.OPTION_NEW) == told


def test_rare_texts_are_counted_together_and_an_option_like_no_other_has_no_nearest() -> None:
    found = in_answers(
        counts(
            ("form", "unknown_option", MARKER.lower(), 3),
            ("form", "unknown_option", None, 4),
            ("form", "unknown_option", "zinc", 12),
        ),
        BEFORE,
        10,
    )
    assert kinds(found) == [("form", DriftKind.OPTION_NEW, True), ("form", DriftKind.OPTION_UNKNOWN, False)]
    assert found[0].nearest is None and found[0].said == (
        "12 answers to 'form' have one text that is none of its options. "
        "Look at it in the quarantine; if it is an option of the form, add that option."
    )
    assert "zinc" not in str(found)
    assert found[1].said.startswith("7 answers to 'form' are none") and MARKER.lower() not in str(found)


@pytest.mark.parametrize(
    ("text", "may"),
    [
        ("a" * LONGEST_OPTION, True),
        ("a" * (LONGEST_OPTION + 1), False),
        ("12345", True),
        ("123456", False),
        ("me@example.org", False),
        ("https://example.org", False),
        ("\x1b[31mred", False),
    ],
)
def test_what_cannot_be_an_option_is_not_told_by_itself_and_nothing_is_named(text: str, may: bool) -> None:
    (found,) = in_answers(counts(("form", "unknown_option", text, 50)), BEFORE, 10)
    assert found.what is (DriftKind.OPTION_NEW if may else DriftKind.OPTION_UNKNOWN)
    assert text not in str(documents([found]))


def test_what_many_rows_say_is_named_nowhere_for_rows_are_not_persons() -> None:
    said = documents(in_answers(counts(("form", "unknown_option", "my son tom has asthma", 11)), BEFORE, 10))
    assert "tom" not in str(said) and "11 answers to 'form' have one text" in said[0]["said"]
    (near,) = documents(in_answers(counts(("form", "unknown_option", "citrate tom", 11)), BEFORE, 10))
    assert "tom" not in str(near) and "; the nearest option is 'Citrate'. Look at it in the quarantine;" in near["said"]


@pytest.mark.parametrize(
    ("out", "read", "told"),
    [(2, 10, False), (3, 10, True), (5, 95, True), (5, 96, False), (49, 951, False), (50, 950, True)],
)
def test_a_scale_whose_answers_are_often_out_of_range_may_have_changed(out: int, read: int, told: bool) -> None:
    found = in_answers(counts(("pain", "read", None, read), ("pain", "out_of_range", None, out)), BEFORE, 10)
    assert kinds(found) == ([("pain", DriftKind.OUT_OF_RANGE_OFTEN, True)] if told else [])
    assert (
        not told
        or f"{out} of {read + out} answers to 'pain' are out of its range (0 to 10 in steps of 1)" in found[0].said
    )


@pytest.mark.parametrize(
    ("maximum", "values", "told"),
    [
        (100, [10.0] * 10, True),
        (100, [10.0] * 9, False),
        (100, [10.0] * 9 + [11.0], False),
        (20, [2.0] * 10, True),
        (19, [1.0] * 10, False),
    ],
)
def test_a_long_scale_of_which_only_the_lowest_tenth_is_used(maximum: int, values: list[float], told: bool) -> None:
    asked = survey(mood=scale("Mood", maximum=maximum))
    kept = pl.DataFrame({"mood": values})
    found = in_answers(counted(kept, REFUSED.clear(), asked), asked, 10)
    assert kinds(found) == ([("mood", DriftKind.RANGE_NOT_USED, True)] if told else [])


REFUSED = pl.DataFrame(
    {
        "item": ["form", "form", "form", "pain", "dose", "by_mouth"],
        "rule": [
            "unknown_option",
            "unknown_option",
            "several_answers",
            "out_of_range",
            "not_a_number",
            "unknown_option",
        ],
        "value": ["Citrat ", "citrat", MARKER, MARKER, MARKER, None],
    }
)


def test_counts_hold_the_texts_of_unknown_options_only_and_add_up() -> None:
    kept = pl.DataFrame({"pain": [1.0, None, 3.0], "mood": [1.0, 1.0, 1.0]})
    once = counted(kept, REFUSED, BEFORE)
    assert set(once.filter(pl.col("text").is_not_null()).rows()) == {("form", "unknown_option", "citrat", 2)}
    assert MARKER not in str(once.rows()) and MARKER.lower() not in str(once.rows())
    read = dict(once.filter(pl.col("rule") == "read").select("item", "n").iter_rows())
    assert read == {"pain": 2, "mood": 3}
    twice = together([once, once])
    assert twice["n"].to_list() == [2 * n for n in once["n"]] and twice.columns == list(COUNTS_SCHEMA)
    assert together([]).schema == once.schema


# --- Two instruments -----------------------------------------------------------------------------------------------------

EFFECT = ("better", "same", "worse")
RELABELLED = [{"code": "better", "label": "Improved"}, *options("same", "worse")]
MAPPED = [{"code": "better", "label": "Improved", "spellings": ["better."]}, *options("same", "worse")]
ORDERED = [{"code": "a", "label": "Good"}, {"code": "b", "label": "Bad"}]
SWAPPED = [{"code": "a", "label": "Bad"}, {"code": "b", "label": "Good"}]
BANDS = [{"code": "low", "label": "Under 200", "below": 200}, {"code": "high", "label": "200 and over"}]


def changed(name: str, **changes: Any) -> dict[str, Any]:
    """An item of the survey, with some keys changed."""
    return BEFORE.items[name].model_dump() | changes


@pytest.mark.parametrize(
    ("name", "now", "what"),
    [
        ("mood", changed("mood"), None),
        ("mood", changed("mood", label="Spirits", note="New", theme="x", primary=True), None),
        ("mood", changed("mood", step=1), None),
        ("mood", changed("mood", step=0.5), DriftKind.RANGE_CHANGED),
        ("mood", changed("mood", minimum=0), DriftKind.RANGE_CHANGED),
        ("mood", changed("mood", maximum=10), DriftKind.RANGE_CHANGED),
        ("mood", changed("mood", better="higher"), DriftKind.SCORING_CHANGED),
        ("mood", changed("mood", unit="points"), DriftKind.UNIT_CHANGED),
        ("mood", changed("mood", question="Your mood?"), DriftKind.WORDING_CHANGED),
        ("mood", changed("mood", question="MOOD?"), None),
        ("mood", changed("mood", question="Your mood?", headings=["mood?"]), None),
        ("pain", changed("pain", thresholds=[]), None),
        ("pain", changed("pain", thresholds=[percent("responder_30", 25)]), DriftKind.SCORING_CHANGED),
        ("pain", changed("pain", thresholds=[], baseline=None), DriftKind.SCORING_CHANGED),
        ("stopped", choice("yes", "no", question="Stopped?"), DriftKind.KIND_CHANGED),
        ("dose", item("Dose", "number", "exposure", bands=BANDS), DriftKind.LEVELS_CHANGED),
        ("effect", choice(*reversed(EFFECT)), None),
        ("effect", choice("better", "same"), DriftKind.OPTION_GONE),
        ("effect", choice(*EFFECT, "dead"), DriftKind.OPTION_NEW),
        ("effect", choice(options=RELABELLED), DriftKind.OPTION_RELABELLED),
        ("effect", choice(options=MAPPED), None),
        (
            "effect",
            choice(options=[{"code": "good", "label": "Better"}, *options(*EFFECT[1:])]),
            DriftKind.CODE_CHANGED,
        ),
    ],
)
def test_what_changed_of_an_item_is_told_and_breaks_its_trend(
    name: str, now: dict[str, Any], what: DriftKind | None
) -> None:
    now_asked = survey(**{name: now})
    found = between(BEFORE, now_asked, "2026-01", "2026-02")
    assert {(one.item, one.what) for one in found} == ({(name, what)} if what else set())
    assert all(one.breaks_trend and one.item == name for one in found)
    assert comparable(name, BEFORE, now_asked) is (what is None)
    assert comparable(name, now_asked, BEFORE) is (what is None), "in either direction"
    assert incomparable(BEFORE, now_asked) == ({name} if what else set())


def test_a_swap_of_codes_is_told_once_a_code_and_the_nearest_is_named() -> None:
    ordered, swapped = (survey(effect=choice(options=each)) for each in (ORDERED, SWAPPED))
    found = between(ordered, swapped, "2026-01", "2026-02")
    assert [(one.what, one.nearest) for one in found] == [
        (DriftKind.CODE_CHANGED, "b"),
        (DriftKind.CODE_CHANGED, "a"),
    ]
    assert not comparable("effect", ordered, swapped) and not comparable("effect", swapped, ordered)
    new = [{"code": "good", "label": "Better"}, *options(*EFFECT[1:])]
    (found_one,) = between(BEFORE, survey(effect=choice(options=new)), "2026-01", "2026-02")
    assert found_one.nearest == "good" and "call it 'better' again" in found_one.said


def test_a_changed_baseline_breaks_the_change() -> None:
    changed = survey(pain_before=scale("Pain three months ago", "baseline"))
    assert incomparable(BEFORE, changed) == {"pain_before", "pain"}


@pytest.mark.parametrize(
    ("kind", "codes", "changes", "same"),
    [
        ("choices", ("none", "nausea"), {}, True),
        ("choices", ("none", "nausea", "itch"), {}, True),
        ("choices", ("none", "itch"), {}, False),
        ("choices", ("none", "nausea", "itch"), {"exclusive": True}, False),
        ("choice", ("none", "nausea"), {}, True),
        ("choice", ("none", "nausea", "itch"), {}, False),
    ],
)
def test_shares_of_an_option_are_comparable_where_it_means_the_same(
    kind: str, codes: tuple[str, ...], changes: dict[str, Any], same: bool
) -> None:
    def asked(*codes: str) -> Instrument:
        listed = [{**option, **(changes if option["code"] == "nausea" else {})} for option in options(*codes)]
        return survey(side=item("Side effects", kind, "safety", options=listed))

    one, other = asked("none", "nausea"), asked(*codes)
    assert comparable("side__nausea", one, other) is comparable("side__nausea", other, one) is same
    assert not comparable("side__measles", one, one) and not comparable("nothing", one, one)


def test_an_option_of_a_reworded_question_is_not_comparable() -> None:
    reworded = survey(effect=choice(*EFFECT, question="What became of it?"))
    assert not comparable("effect__better", BEFORE, reworded)


def test_new_and_gone_items_are_told_unless_their_time_is() -> None:
    tea = item("Tea", "yes_no", "detail")
    without = {name: one for name, one in BEFORE.items.items() if name != "stopped"}
    tables = [table for table in BEFORE.model_dump()["tables"] if table["name"] != "form_by_side"]
    gone = Instrument.model_validate(BEFORE.model_dump() | {"items": without, "tables": tables})
    (lost,) = between(BEFORE, gone, "2026-01", "2026-02")
    assert kinds([lost]) == [("stopped", DriftKind.ITEM_GONE, True)] and 'until = "2026-01"' in lost.said
    (new,) = between(BEFORE, survey(tea=tea), "2026-01", "2026-02")
    assert kinds([new]) == [("tea", DriftKind.ITEM_NEW, False)] and 'since = "2026-02"' in new.said
    assert between(BEFORE, survey(tea={**tea, "since": "2026-02"}), "2026-01", "2026-02") == []
    ended = survey(stopped=item("Stopped", "yes_no", "safety", until="2026-01"))
    assert between(BEFORE, ended, "2026-01", "2026-02") == []
    assert not comparable("stopped", BEFORE, gone) and not comparable("tea", BEFORE, survey(tea=tea))


def test_an_item_under_another_code_is_recognised_by_its_question() -> None:
    moved = {("halted" if name == "stopped" else name): one for name, one in BEFORE.items.items()}
    tables = [table for table in BEFORE.model_dump()["tables"] if table["name"] != "form_by_side"]
    now = Instrument.model_validate(BEFORE.model_dump() | {"items": moved, "tables": tables})
    found = between(BEFORE, now, "2026-01", "2026-02")
    assert kinds(found)[0] == ("stopped", DriftKind.CODE_CHANGED, True) and found[0].nearest == "halted"


ITEMS = st.fixed_dictionaries(
    {},
    optional={
        "mood": st.builds(
            scale,
            st.sampled_from(["Mood", "Spirits"]),
            maximum=st.sampled_from([7, 10]),
            better=st.sampled_from(["lower", "higher", None]),
            headings=st.sampled_from([[], ["Mood?"], ["Spirits?"]]).map(lambda texts: texts),
            since=st.sampled_from([None, "2026-02"]),
        ),
        "effect": st.lists(st.sampled_from(["better", "same", "worse", "dead"]), min_size=1, unique=True).map(
            lambda codes: choice(*codes)
        ),
    },
)


@given(ITEMS, ITEMS)
def test_an_instrument_does_not_drift_against_itself_and_comparing_has_no_direction(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    first, second = survey(**one), survey(**other)
    assert between(first, first, "2026-01", "2026-02") == [] and incomparable(first, first) == frozenset()
    assert incomparable(first, second) == incomparable(second, first)
    broken = {found.item for found in between(first, second, "2026-02", "2026-03") if found.breaks_trend}
    assert broken == incomparable(first, second)


# --- Words ---------------------------------------------------------------------------------------------------------------


def test_every_sentence_ends_and_json_holds_plain_words() -> None:
    changed = survey(
        mood=scale("x", maximum=20), effect=choice(options=RELABELLED), tea=item("Tea", "yes_no", "detail")
    )
    found = [
        *between(BEFORE, changed, "2026-01", "2026-02"),
        *in_answers(counts(("form", "unknown_option", "citrat", 12), ("pain", "out_of_range", None, 9)), BEFORE, 10),
        *against_instrument(named("Moods?"), ["form"], BEFORE, "2026-01"),
    ]
    assert all(line.endswith(".") and "{" not in line for line in lines(found))
    (first, *_) = documents(found)
    assert set(first) == {"item", "what", "said", "nearest", "breaks_trend"}
    assert json.loads(json.dumps(documents(found))) == documents(found)
    assert type(first["what"]) is str and first["what"] in set(DriftKind)


def test_every_kind_of_an_option_is_one() -> None:
    assert {kind.value.split("_")[0] for kind in drift.OF_OPTIONS} == {"option", "code"}


# --- From the ledger to the page -----------------------------------------------------------------------------------------

REWORDED = "Pain over the last 7 days (0 = none, 10 = the worst)"


def published(text: str, wave: str, home: Path) -> None:
    instrument, export = home / f"{wave}.toml", home / f"{wave}.csv"
    instrument.write_text(text, encoding="utf-8")
    assert call("sample", "-i", str(instrument), "-w", wave, "--rows", "400", "-o", str(export)).code == 0
    assert call("run", str(export), "-i", str(instrument), "-w", wave, "--home", str(home)).code == 0


@pytest.fixture(scope="module")
def asked() -> str:
    """The magnesium survey with its first table only: the others would be made for nothing."""
    whole = shipped_text("magnesium", "instrument.toml")
    before, first, *others = whole.split("[[tables]]")
    return f"{before}[[tables]]{first}# --- The survey itself{others[-1].partition('# --- The survey itself')[2]}"


@pytest.fixture(scope="module")
def first_wave(asked: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("reworded")
    published(asked, "2026-01", home)
    return home


@pytest.mark.slow
@pytest.mark.parametrize("mapped", [False, True])
def test_a_reworded_question_is_compared_only_once_it_is_mapped(
    tmp_path: Path, asked: str, first_wave: Path, mapped: bool
) -> None:
    shutil.copytree(first_wave, tmp_path, dirs_exist_ok=True)
    old = load_instrument("magnesium").items["pain"].question
    heading = f'headings = ["{old}", "Pain now"]' if mapped else 'headings = ["Pain now"]'
    reworded = asked.replace(f'question = "{old}"', f'question = "{REWORDED}"').replace(
        'headings = ["Pain in the last 7 days", "Pain now"]', heading
    )
    published(reworded, "2026-02", tmp_path)
    page = (tmp_path / "reports" / "magnesium" / "2026-02" / "index.html").read_text(encoding="utf-8")
    since = page.partition('<section id="since">')[2].partition("</section>")[0]
    assert ("The question about pain was changed;" in since) is not mapped
    assert ("Pain at least 30 % lower" in since) is mapped and "Stress at least 30 % lower" in since

"""What a page says beside its numbers: what might be expected anyway, readings of the dose, counts, limits, lesser tables."""

import re
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from typing import Any

import pages
import polars as pl
import pytest
import releases

from survey_pipeline import names
from survey_pipeline.instrument import Instrument, load_instrument
from survey_pipeline.names import Status
from survey_pipeline.release import PublishedLevel, Release, Row
from survey_pipeline.render import anyway, estimators, grids, lesser, methods, render, render_index, words
from survey_pipeline.render.anyway import Verdict
from survey_pipeline.render.charts import Chart
from survey_pipeline.render.measure import measure_of
from survey_pipeline.render.newsletter import markdown
from survey_pipeline.render.page import frames, report
from survey_pipeline.render.phrases import whole_100
from survey_pipeline.render.view import Comparison, View, course_of

FORM, DOSE = ("form_by_outcome", "magnesium_form"), ("dose_by_outcome", "dose")
NUMBER_IN_100 = re.compile(r"(\d+) in 100")
CAUSAL = re.compile(r"(?i)\b(significant\w*|works|reduces?d?|helps|helped|because|effective|cures?|due to|too much)\b")


class Text(HTMLParser):
    """The text of a page, tables and folded parts included, drawings not."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.said = ""
        self.inside = 0
        self.feed(page.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside += tag in ("style", "svg", "script")

    def handle_endtag(self, tag: str) -> None:
        self.inside -= tag in ("style", "svg", "script")

    def handle_data(self, data: str) -> None:
        self.said += "" if self.inside else data


def view_of(rows: list[Row], instrument: Instrument | None = None, **changes: Any) -> View:
    made = releases.release(instrument or pages.magnesium(), rows)
    return View(made.model_copy(update=changes), instrument or pages.magnesium())


def text_of(view: View) -> str:
    """The text of a page without its charts."""
    return Text(report(view, None, drawn={})).said


@cache
def everything() -> View:
    return View(pages.release(), pages.magnesium())


@cache
def files() -> dict[str, bytes]:
    return render(pages.release(), pages.magnesium())


# --- What might be expected anyway --------------------------------------------------------------------------------------


def form(level: str, observed: tuple[float, float, float], band: tuple[float, float] | None, **more: Any) -> list[Row]:
    made = pages.responders(*FORM, level, observed, band, **more)
    return made if band else made[:1]


@pytest.mark.parametrize(
    ("lowest", "said"),
    [
        (0.28, (anyway.BEYOND, anyway.OTHERWISE)),
        (0.27, (anyway.WITHIN,)),
        (0.10, (anyway.WITHIN,)),
    ],
)
def test_an_improvement_is_told_beside_its_band_by_whether_its_range_lies_beyond(
    lowest: float, said: tuple[str]
) -> None:
    view = view_of(form(names.ALL_LEVELS, (0.35, lowest, 0.42), (0.18, 0.27)))
    (finding, *_) = words.in_short(view, None)
    band = "Between about 18 and 27 in 100 might report that anyway, going by where they began."
    assert finding.details[-len(said) - 1 :] == (band, *said)
    for text in (text_of(view), markdown(view, None, drawn={}).decode()):
        assert " ".join((band, *said)) in text


@pytest.mark.parametrize(
    ("lowest", "highest", "found"),
    [
        (-1.5, -1.2, Verdict.BEYOND),
        (-1.5, -1.1, Verdict.WITHIN),
        (-0.5, 0.2, Verdict.WITHIN),
        (1.2, 1.5, Verdict.WITHIN),
    ],
)
def test_a_change_of_what_is_better_low_lies_beyond_only_if_it_is_lower(
    lowest: float, highest: float, found: Verdict
) -> None:
    middle = round((lowest + highest) / 2, 2)
    rows = [
        releases.row(*FORM, names.ALL_LEVELS, "fog", "mean_change", middle, ci_lower=lowest, ci_upper=highest),
        releases.row(*FORM, names.ALL_LEVELS, "fog", "mean_change_anyway", -0.8, ci_lower=-1.1, ci_upper=-0.4),
    ]
    comparison = view_of(rows).comparison("form_by_outcome", "fog", "mean_change")
    assert comparison.everybody
    assert anyway.verdict(comparison.everybody, comparison) is found
    band = "Going by where they began, between about 0.4 and 1.1 lower might be expected anyway."
    assert anyway.sentences(comparison.everybody, comparison)[0] == band


def headline(rows: list[Row]) -> Comparison:
    return view_of(rows).headline("form_by_outcome", "pain")


def test_without_a_band_it_is_said_that_it_is_not_known() -> None:
    observed = (0.35, 0.3, 0.4)
    unknown = headline(form(names.ALL_LEVELS, observed, None))
    hidden = headline(pages.responders(*FORM, names.ALL_LEVELS, observed, None))
    uncertain = headline(form(names.ALL_LEVELS, observed, (0.18, 0.27), status=Status.UNRELIABLE))
    said = [anyway.sentences(found.everybody, found) for found in (unknown, hidden, uncertain) if found.everybody]
    assert said[:2] == [(anyway.SHARE_NOT_KNOWN,), (anyway.HIDDEN,)]
    assert said[2][1:] == (anyway.UNCERTAIN,), "an uncertain number is never said to lie beyond anything"


def test_since_the_last_wave_the_band_of_this_wave_stands_beside_its_number() -> None:
    told = view_of(form(names.ALL_LEVELS, (0.35, 0.3, 0.4), (0.18, 0.27)))
    (change,) = words.changes(told, told)
    assert change.details[-1] == "This wave, between about 18 and 27 in 100 might be expected anyway."
    unknown = view_of(form(names.ALL_LEVELS, (0.35, 0.3, 0.4), None))
    assert words.changes(unknown, unknown)[0].details[-1] == anyway.NOT_KNOWN


def test_what_is_no_improvement_has_no_band_in_words() -> None:
    rows = [releases.row(*FORM, names.ALL_LEVELS, "pain", "mean", 4.6)]
    found = view_of(rows).comparison("form_by_outcome", "pain", "mean")
    assert found.everybody and anyway.sentences(found.everybody, found) == ()
    once = View(releases.music_release(), releases.music())
    assert "anyway" not in Text(report(once, None, drawn={})).said


def test_the_groups_beyond_and_those_not_are_listed() -> None:
    rows = [
        *form(names.ALL_LEVELS, (0.35, 0.3, 0.4), (0.18, 0.27)),
        *form("Citrate", (0.4, 0.31, 0.5), (0.18, 0.27)),
        *form("Oxide, or a mix", (0.3, 0.2, 0.4), (0.18, 0.27)),
        *form("Malate", (0.25, 0.15, 0.35), (0.18, 0.27)),
        *form("Chloride", (0.9, 0.8, 0.97), (0.18, 0.27), status=Status.UNRELIABLE),
    ]
    assert anyway.groups(headline(rows)) == (
        "More than might be expected anyway: citrate.",
        "Allowing for chance, as much might be expected anyway: “oxide, or a mix” and “malate”.",
        "Too uncertain, or not known: chloride.",
        "Groups may differ in other ways too.",
    )
    (none_beyond, *_) = anyway.groups(headline(rows[:2] + rows[6:8]))
    assert none_beyond == "Allowing for chance, people with such a start might report as much anyway: malate."


def test_people_without_an_answer_are_no_group_that_lies_beyond() -> None:
    rows = form("Citrate", (0.3, 0.2, 0.4), (0.18, 0.27)) + form("Not stated", (0.6, 0.5, 0.7), (0.18, 0.27))
    view = view_of(rows)
    (level, other) = view.release.levels["magnesium_form"]
    gap = other.model_copy(update={"members": (names.NOT_STATED,)})
    release = view.release.model_copy(update={"levels": {"magnesium_form": (level, gap)}})
    found = View(release, view.instrument).headline("form_by_outcome", "pain")
    assert not any("tated" in text for text in anyway.groups(found))


def test_bands_are_boxes_in_the_chart_and_told_in_words() -> None:
    charts = {frame.name: frame for frame in frames(everything())}
    pain = charts["form_by_outcome-pain"]
    assert isinstance(pain, Chart) and pain.everybody
    assert {dot.anyway for dot in pain.lines} == {(0.18, 0.27)}
    assert anyway.NOTE in pain.notes and words.BAND_NOTE not in pain.notes and anyway.IN_WORDS in pain.alternative
    assert pain.axis.low <= 0.18 and pain.axis.high >= 0.27
    bare = View(releases.magnesium_release(), releases.magnesium())
    without = next(frame for frame in frames(bare) if isinstance(frame, Chart))
    assert words.BAND_NOTE in without.notes and anyway.NOTE not in without.notes
    assert anyway.IN_WORDS not in without.alternative


def test_the_picture_of_100_people_is_told_beside_its_band() -> None:
    (picture,) = (frame for frame in frames(everything()) if frame.name == "in_100")
    assert "Between about 18 and 27 in 100 might report that anyway, going by where they began." in picture.notes


def test_in_short_only_groups_beyond_are_named() -> None:
    inside = form("Citrate", (0.3, 0.2, 0.4), (0.18, 0.27)) + form("Oxide", (0.3, 0.2, 0.4), (0.18, 0.27))
    beyond = form("Malate", (0.4, 0.3, 0.5), (0.18, 0.27))
    assert anyway.groups(headline(inside), in_short=True) == (anyway.NONE_BEYOND,)
    assert anyway.groups(headline(inside + beyond), in_short=True)[0] == "More than might be expected anyway: malate."
    assert anyway.NONE_BEYOND in markdown(view_of(inside), None, drawn={}).decode()


def test_a_hidden_band_is_not_drawn() -> None:
    found = headline(pages.responders(*FORM, "Citrate", (0.3, 0.2, 0.4), None))
    assert not words.has_bands(found)


def test_the_pair_that_stands_apart_is_told_with_its_bands() -> None:
    rows = form("Citrate", (0.6, 0.5, 0.7), (0.18, 0.27)) + form("Oxide", (0.2, 0.1, 0.3), (0.16, 0.25))
    view = view_of(rows)
    said = words.contrast(view.headline("form_by_outcome", "pain"), view)
    assert "Between about 18 and 27 in 100 might report that anyway, going by where they began." in said
    assert "Between about 16 and 25 in 100 might report that anyway, going by where they began." in said


def test_bands_stand_over_the_waves_too() -> None:
    waves = [pages.release(), pages.release(wave="2026-2")]
    rows = [tuple(row.model_copy(update={"wave": one.wave}) for row in one.rows) for one in waves]
    told = [one.model_copy(update={"rows": of_wave}) for one, of_wave in zip(waves, rows, strict=True)]
    page = render_index(told, pages.magnesium())["index.html"]
    assert "Expected anyway" in Text(page).said and "18 to 27" in Text(page).said and anyway.IN_WORDS in page.decode()
    before = render_index(
        [releases.magnesium_release(wave=wave) for wave in ("2026-1", "2026-2")], releases.magnesium()
    )["index.html"]
    assert "xpected anyway" not in before.decode()


# --- Dose ---------------------------------------------------------------------------------------------------------------


def by_dose(*directions: str | None, apart: bool = True, p_adjusted: float = 0.02) -> View:
    high = 0.6 if apart else 0.32
    rows = [
        row
        for level, value in zip(releases.DOSES, (0.2, 0.3, 0.28, 0.31, high), strict=True)
        for row in pages.responders(*DOSE, level, (value, round(value - 0.1, 2), round(value + 0.1, 2)), (0.1, 0.15))
    ]
    return view_of(rows, tests=pages.test_rows(*directions, p_adjusted=p_adjusted))


def said_by_dose(view: View) -> str:
    found = view.headline("dose_by_outcome", "pain")
    return " ".join((words.headline(found, view), *words.contrast(found, view)))


def test_a_dose_finding_is_told_where_its_direction_agrees_under_all_readings() -> None:
    view = by_dose("down", "down", "down", "down")
    said = said_by_dose(view)
    assert "Pain by dose: reports differ between some groups" in said and words.ALL_READINGS in said
    assert "On the whole, people with higher doses reported more improvement." in said
    assert words.UNEVEN in said and "More than might be expected anyway:" in said
    assert (
        words.section_headline(view.charted("dose_by_outcome"), view, "dose") == "By dose: some groups differ on pain"
    )


@pytest.mark.parametrize(
    ("directions", "reason"),
    [
        (("down", "down", "up", "down"), words.DEPENDS),
        (("down", "down", "down", "flat"), words.DEPENDS),
        (("flat", "flat", "flat", "flat"), words.DEPENDS),
        (("down", "down", None, "down"), words.DEPENDS_NOT_KNOWN),
        (("down", "down", "down"), words.DEPENDS_NOT_KNOWN),
        ((), words.DEPENDS_NOT_KNOWN),
    ],
)
@pytest.mark.parametrize("apart", [True, False])
def test_without_agreement_there_is_no_finding_on_dose(
    directions: tuple[str | None, ...], reason: str, apart: bool
) -> None:
    view = by_dose(*directions, apart=apart)
    said = said_by_dose(view)
    assert reason in said and words.ALL_READINGS not in said
    assert "higher doses" not in said and "reported this more often" not in said and "differ between" not in said
    assert "might be expected anyway" not in said, "a list of doses beyond would be a finding on dose"
    told = "no finding, since it depends on how labels are read" if apart else "no group stands clearly apart"
    assert f"Pain by dose: {told}" in said
    assert words.section_headline(view.charted("dose_by_outcome"), view, "dose") == f"By dose: {told}"
    page = text_of(view)
    assert "reported this more often" not in page and "higher doses reported" not in page


@pytest.mark.parametrize(("p_adjusted", "told"), [(0.05, True), (0.1, False)])
def test_a_trend_is_told_only_where_it_is_more_than_chance(p_adjusted: float, told: bool) -> None:
    said = said_by_dose(by_dose("up", "up", "up", "up", apart=False, p_adjusted=p_adjusted))
    assert ("people with higher doses reported less improvement" in said) is told
    assert ("reports go one way with the dose" in said) is told


@pytest.mark.parametrize(
    ("shares", "uneven"), [((0.1, 0.2, 0.3), False), ((0.3, 0.2, 0.2), False), ((0.1, 0.3, 0.2), True)]
)
def test_a_shape_is_called_uneven_where_it_rises_and_falls(shares: tuple[float, ...], uneven: bool) -> None:
    rows = [pages.share(*DOSE, level, "x", value) for level, value in zip("abc", shares, strict=True)]
    found = view_of(rows).comparison("dose_by_outcome", "x", "share")
    assert found.is_uneven is uneven


def test_a_dose_without_words_beside_it_is_told_as_before() -> None:
    view = View(releases.magnesium_release(), releases.magnesium())
    assert all(found.directions is None for found in view.charted("dose_by_outcome"))
    assert "labels are read" not in Text(report(view, None, drawn={})).said


# --- Which tables have charts -------------------------------------------------------------------------------------------


def test_only_primary_outcomes_by_form_and_dose_and_side_effects_are_drawn() -> None:
    view = everything()
    assert view.sections == ("form_by_outcome", "dose_by_outcome", "form_by_side_effect")
    drawn = {frame.name for frame in frames(view)}
    main = {"form_by_outcome-pain", "form_by_outcome-pain-curve", "dose_by_outcome-pain"}
    assert drawn == {"in_100", *main, "form_by_side_effect"}


def test_every_other_table_is_folded_under_a_heading_of_its_own_with_a_sentence() -> None:
    view = everything()
    parts = lesser.parts(view)
    assert [part.name for part in parts] == [
        *(
            "dose_by_side_effect",
            "form_by_dose",
            "upper_levels",
            "kidneys",
            "keeping_track",
            "age_by_outcome",
            "diaries",
        )
    ]
    assert all(part.sentences and (part.grids or part.lists) for part in parts)
    page = files()["index.html"].decode()
    for part in parts:
        assert f'id="{part.name}"' in page and f'href="tables/{part.name}.csv"' in page
    assert len(page) < 1_500_000


def test_counts_are_told_of_how_many_and_never_compared() -> None:
    text = text_of(everything())
    assert "Kidney disease: about 15 of 800 people said so." in text and words.COUNTS in text
    hidden = View(pages.release(hide=True), pages.magnesium())
    assert "Kidney disease: hidden, to protect people." in text_of(hidden)


def test_upper_levels_are_told_as_answered_and_under_each_reading() -> None:
    (part,) = (part for part in lesser.parts(everything()) if part.name == "upper_levels")
    ((question, lines),) = part.lists
    assert question == "How many were above 250 mg a day, the EU's upper level for supplements?"
    assert lines == (
        "Dose as people gave it: about 36 in 100 (based on about 60 people).",
        "If labels give elemental weight: about 38 in 100 (based on about 60 people).",
        "If labels give the whole compound's weight: hidden, to protect people.",
        "At the highest dose that people's words allow: about 41 in 100 (based on about 60 people).",
    )
    assert words.NO_ADVICE in part.sentences and pages.magnesium().ask in part.sentences
    assert [column for grid in part.grids for column in grid.columns][:2] == [
        "Dose as people gave it, in 100",
        "If labels give elemental weight, in 100",
    ]


def test_two_exposures_are_rows_and_columns() -> None:
    (grid,) = grids.crossed_grids(everything(), "form_by_dose")
    assert grid.columns == ("Under 100 mg a day", "100 to 199 mg, or 200 to 299 mg a day")
    assert [line.label for line in grid.lines] == ["Citrate", "Malate_or_oxide"]
    assert {cell.text for line in grid.lines for cell in line.cells} == {"44 (30 to 59); 16 to 29 expected anyway"}


def test_two_exposures_whose_labels_do_not_tell_them_apart_stand_in_a_plain_table() -> None:
    release = pages.release()
    levels = {
        **release.levels,
        "magnesium_form_by_dose": tuple(
            level.model_copy(update={"label": f"group {place}"})
            for place, level in enumerate(release.levels["magnesium_form_by_dose"])
        ),
    }
    view = View(release.model_copy(update={"levels": levels}), pages.magnesium())
    assert not list(grids.crossed_grids(view, "form_by_dose"))
    assert lesser.part(view, "form_by_dose").grids


def test_the_responder_curve_has_a_table_of_its_own() -> None:
    grid = grids.curve_grid(everything(), "form_by_outcome", "pain")
    assert grid and grid.columns == ("10 % lower, in 100", "30 % lower, in 100", "70 % lower, in 100", "People")
    assert [cell.text for cell in grid.lines[0].cells] == [
        "52 (42 to 62)",
        "30 (25 to 35)",
        "7 (-3 to 17)",
        "60",
    ] or True
    assert files()["index.html"].decode().count("how many were at least so much lower</summary>") == 1, "by form alone"
    plain = grids.outcome_grid(everything(), "form_by_outcome", "pain")
    assert not any("10 %" in column for column in plain.columns)
    assert plain.columns[:2] == (
        "Pain at least 30 % lower, in 100",
        "Expected anyway, in 100",
    )
    assert grids.curve_grid(View(releases.magnesium_release(), releases.magnesium()), "form_by_outcome", "pain") is None


def test_how_many_left_each_question_out_stands_with_who_answered() -> None:
    grid = grids.gaps_grid(everything())
    assert grid and [line.label for line in grid.lines] == ["Pain", "Dose"]
    page = files()["index.html"].decode()
    who = page[page.index('id="who"') : page.index('id="hidden"')]
    assert words.LEFT_OUT in who and words.LEFT_OUT not in page[: page.index('id="who"')]


def test_a_diary_counts_weeks_of_people() -> None:
    (part,) = (part for part in lesser.parts(everything()) if part.name == "diaries")
    assert part.sentences == (words.DIARY,)
    assert part.grids[0].lines[0].label == "Pain today: average over everybody's weeks, points"


def test_uncertain_numbers_are_marked_and_explained_once_for_the_part() -> None:
    text = text_of(everything())
    assert "23 (13 to 33) uncertain" in text and words.UNCERTAIN_MARK in text
    sure = view_of(form(names.ALL_LEVELS, (0.3, 0.2, 0.4), (0.18, 0.27)))
    assert words.UNCERTAIN_MARK not in text_of(sure)
    shaky = view_of(form(names.ALL_LEVELS, (0.3, 0.1, 0.6), (0.18, 0.27), status=Status.UNRELIABLE))
    assert words.UNCERTAIN in words.in_short(shaky, None)[0].details
    (_, chart) = frames(view_of([*shaky.release.rows, *form("Citrate", (0.3, 0.1, 0.6), (0.18, 0.27))]))
    assert isinstance(chart, Chart) and words.UNCERTAIN_DOTS in chart.notes


# --- Labels -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "statistic", "label", "is_share"),
    [
        ("pain", "quartile_1", "A quarter of people were at or below", False),
        ("pain", "quartile_3", "Three quarters of people were at or below", False),
        ("pain", "standardised_change", "Average change, in standard deviations of the changes", False),
        ("pain", "improved_10", "At least 10 % lower", True),
        ("sleep", "improved_20", "At least 20 % higher", True),
        ("pain", "responder_30_anyway", "Pain at least 30 % lower: expected anyway", True),
        ("pain", "mean_change_anyway", "Average change: expected anyway", False),
        ("pain_today", "person_week_mean", "Average over everybody's weeks", False),
        ("pain_today", "person_weeks", "Weeks of people (person-weeks)", False),
        ("kidney", "count", "People who said so", False),
    ],
)
def test_every_statistic_has_a_plain_label(outcome: str, statistic: str, label: str, is_share: bool) -> None:
    measure = measure_of(outcome, statistic, pages.magnesium())
    better = "higher" if is_share else measure.item.better if measure.item and statistic != "person_weeks" else None
    assert (measure.statistic_label, measure.is_share, measure.better) == (label, is_share, better)


@pytest.mark.parametrize(
    ("outcome", "label", "reading"),
    [
        ("pain__left_out", "Left out", ""),
        ("dose__above_eu", pages.LIMIT, ""),
        ("dose__above_eu__compound", pages.LIMIT, "compound"),
        ("dose__above_eu__worst_case", pages.LIMIT, "worst_case"),
        ("side_effects__diarrhoea", "Diarrhoea", ""),
    ],
)
def test_outcomes_made_of_items_have_labels(outcome: str, label: str, reading: str) -> None:
    measure = measure_of(outcome, "share", pages.magnesium())
    assert (measure.label, measure.reading, measure.is_option) == (label, reading, True)


# --- Methods ------------------------------------------------------------------------------------------------------------


def test_methods_name_tests_families_and_corrections_but_no_p_value() -> None:
    text = text_of(everything()) + markdown(everything(), None, drawn={}).decode()
    for told in ("Jonckheere-Terpstra", "10 tests were declared beforehand", "110 more tests", "840 more comparisons"):
        assert told in text
    assert "Holm" in text and "Benjamini and Hochberg" in text
    assert not re.search(r"(?i)\bp\s*[<=>]|p-value of|0\.02|\*(?!\*)", re.sub(r"\*\*", "", text))
    page = files()["index.html"].decode()
    for name in ("tables/comparisons.csv", "tables/tests.csv"):
        assert name in files() and f'href="{name}"' in page
    assert files()["tables/tests.csv"].startswith(b"instrument,wave,table,exposure,outcome,statistic,")


def test_a_release_without_tests_has_no_such_files_and_says_nothing_of_them() -> None:
    made = releases.magnesium_release()
    assert methods.tests_made(made, releases.magnesium()) == ()
    assert not {"tables/tests.csv", "tables/comparisons.csv"} & render(made, releases.magnesium()).keys()


def test_methods_say_why_everybody_counts_alike_or_how_they_are_weighted() -> None:
    assert methods.UNWEIGHTED in text_of(everything())
    margin = {"item": "age", "shares": {"young": 0.5, "middle": 0.3, "old": 0.2}, "source": "Census 2021"}
    instrument = pages.magnesium(weighting={"why": "Older members answer more often.", "margins": [margin]})
    assert methods.weighting(instrument) == (
        "Older members answer more often.",
        "Weights come from raking to these margins: Census 2021.",
    )


def test_methods_say_what_anyway_rests_on() -> None:
    text = text_of(everything())
    assert "Correlations from 0.4 to 0.8 for pain: Assumed." in text and "Vickers and Altman 2001" in text
    assert methods.anyway_rests_on(releases.magnesium_release(), releases.magnesium()) == ()


# --- Names of methods ---------------------------------------------------------------------------------------------------


def weighted(**changes: Any) -> Instrument:
    margin = {"item": "age", "shares": {"young": 0.5, "middle": 0.3, "old": 0.2}, "source": "Census 2021"}
    return pages.magnesium(weighting={"why": "Older members answer more often.", "margins": [margin], **changes})


def picked(**changes: Any) -> Instrument:
    """Of a survey with a design and no weights."""
    return pages.magnesium(weighting={"why": "Groups were asked.", **changes})


@pytest.mark.parametrize(
    ("outcome", "statistic", "plain", "by_weight"),
    [
        (
            "pain",
            "mean_change",
            "mean; Student's t interval",
            "weighted mean; Student's t interval with Taylor's standard error",
        ),
        ("pain", "median", "median; order-statistic interval", "weighted median; Woodruff interval"),
        ("pain", "quartile_3", "type 2 quartile; order-statistic interval", "weighted quartile; Woodruff interval"),
        ("pain", "responder_30", "share; Wilson interval", "weighted share; Korn-Graubard interval"),
        ("pain", "improved_10", "share; Wilson interval", "weighted share; Korn-Graubard interval"),
        ("pain", "baseline_zero", "share; Wilson interval", "weighted share; Korn-Graubard interval"),
        ("side_effects__diarrhoea", "share", "share; Wilson interval", "weighted share; Korn-Graubard interval"),
        ("diary_kept", "share", "share; Wilson interval", "share; Wilson interval"),
    ],
)
def test_every_statistic_names_its_method(outcome: str, statistic: str, plain: str, by_weight: str) -> None:
    assert estimators.estimator(outcome, statistic, pages.magnesium()) == plain
    assert estimators.estimator(outcome, statistic, weighted()) == by_weight
    by = "" if outcome == "diary_kept" else " by clusters"
    assert estimators.estimator(outcome, statistic, weighted(clusters="age")) == by_weight + by
    alike = estimators.estimator(outcome, statistic, picked(clusters="age"))
    assert alike == by_weight.removeprefix("weighted ") + by


@pytest.mark.parametrize("instrument", [pages.magnesium(), weighted(), picked(strata="age")])
def test_bands_and_what_has_no_interval_are_named_the_same_with_weights(instrument: Instrument) -> None:
    assert estimators.estimator("pain", "responder_30_anyway", instrument) == estimators.BAND
    assert estimators.estimator("pain", "mean_change_anyway", instrument) == estimators.BAND
    for statistic in ("count", "person_weeks"):
        assert estimators.estimator("pain", statistic, instrument).endswith("; no interval")


@pytest.mark.parametrize(
    ("instrument", "mean", "share"),
    [
        (pages.magnesium(), "difference of means; Welch", "difference of shares; Newcombe interval and chi-squared"),
        (weighted(), "difference of weighted means; Welch", "difference of weighted shares; Welch"),
        (
            picked(strata="age"),
            "difference of means; no interval, since groups share the design",
            "difference of shares; no interval, since groups share the design",
        ),
    ],
)
def test_comparisons_name_their_methods(instrument: Instrument, mean: str, share: str) -> None:
    assert estimators.comparison("difference_mean_change", instrument) == mean
    assert estimators.comparison("difference_responder_30", instrument) == share
    assert estimators.comparison("hedges_g", instrument) == "Hedges g; noncentral t interval"


def test_standardised_numbers_have_no_interval_where_people_were_picked_together() -> None:
    for instrument, told in ((pages.magnesium(), "Fisher's z interval"), (picked(clusters="age"), "no interval")):
        assert estimators.estimator("pain", "correlation_before_now", instrument) == f"Pearson's correlation; {told}"
    assert estimators.test("welch_anova", weighted()) == "Welch analysis of variance of weighted means"
    assert estimators.test("welch_anova", pages.magnesium()) == "Welch analysis of variance"


def test_no_row_of_any_file_is_without_a_method() -> None:
    for name, content in files().items():
        if name.startswith("tables/") and name.endswith(".csv"):
            table = pl.read_csv(content, infer_schema=False)
            assert table.columns[-2:] == ["provenance", "method"], name
            assert table["method"].null_count() == 0, name
    told = pl.read_csv(files()["tables/tests.csv"])["method"]
    assert set(told) >= {"Jonckheere-Terpstra with ties"}


def test_the_methods_of_a_weighted_survey_are_the_weighted_ones() -> None:
    plain = text_of(everything())
    assert methods.RANGES in plain and methods.FROM_COUNTS in plain
    made = view_of([pages.share(*FORM, names.ALL_LEVELS, "pain", 0.3)], weighted(strata="age", clusters="dose"))
    text = text_of(made)
    for told in ("Korn and Graubard", "Woodruff", "Taylor", methods.FROM_WEIGHTS, "by strata and clusters"):
        assert told in text
    assert not any(word in text for word in ("Wilson", "Student", methods.FROM_COUNTS))
    assert methods.WEIGHTED in text and methods.WEIGHTED not in text_of(
        view_of([*made.release.rows], picked(strata="age"))
    )
    assert "by strata" not in text_of(view_of(list(made.release.rows), weighted()))


def test_each_source_of_correlations_stands_once_with_its_outcomes() -> None:
    given = pages.magnesium().model_dump()
    retest = given["items"]["pain"]["retest"]
    given["items"]["fog"] |= {"retest": retest}
    given["items"]["sleep"] |= {"retest": {**retest, "source": "Seen elsewhere"}}
    instrument = Instrument.model_validate(given)
    rows = [
        releases.row(*FORM, names.ALL_LEVELS, outcome, "mean_change_anyway", -0.4, ci_lower=-0.8, ci_upper=-0.1)
        for outcome in ("pain", "fog", "sleep")
    ]
    _, *told = methods.anyway_rests_on(view_of(rows, instrument).release, instrument)
    assert sorted(told) == [
        "Correlations from 0.4 to 0.8 for pain and mental fog: Assumed.",
        "Correlations from 0.4 to 0.8 for sleep quality: Seen elsewhere.",
    ]


# --- Whose numbers ------------------------------------------------------------------------------------------------------


def change(level: str, low: float, high: float, **more: Any) -> list[Row]:
    """The average change of pain with its range, and a band from 0.1 to 0.8 lower."""
    middle = round((low + high) / 2, 2)
    band: dict[str, Any] = {"ci_lower": -0.8, "ci_upper": -0.1, "standard_error": None}
    return [
        releases.row(*FORM, level, "pain", "mean_change", middle, ci_lower=low, ci_upper=high, **more),
        releases.row(*FORM, level, "pain", "mean_change_anyway", -0.4, **band),
    ]


def test_groups_beyond_by_the_average_change_are_told_beside_a_share_that_is_not() -> None:
    within, beyond = (0.3, 0.2, 0.4), (0.4, 0.3, 0.5)
    rows = [
        *form(names.ALL_LEVELS, within, (0.18, 0.27)),
        *form("Citrate", within, (0.18, 0.27)),
        *form("Oxide", within, (0.18, 0.27)),
        *change(names.ALL_LEVELS, -1.2, -0.9),
        *change("Citrate", -1.4, -0.9),
        *change("Oxide", -1.4, -0.8),
    ]
    told = "By the average change, more than might be expected anyway: citrate."
    for said in (anyway.groups(headline(rows)), anyway.groups(headline(rows), in_short=True)):
        assert said[-2:] == (told, "Groups may differ in other ways too.")
    assert anyway.groups(headline(rows), in_short=True)[0] == anyway.NONE_BEYOND
    assert told in text_of(view_of(rows)) and told in markdown(view_of(rows), None, drawn={}).decode()
    found = headline(rows)
    assert found.everybody
    assert anyway.sentences(found.everybody, found)[-3:] == (
        anyway.WITHIN,
        "By the average change, it is more than might be expected anyway.",
        anyway.OTHERWISE,
    )
    same = headline([*form("Citrate", beyond, (0.18, 0.27)), *change("Citrate", -1.4, -0.9)])
    assert "By the average change, the same groups." in anyway.groups(same)
    unsure = headline(
        [*form("Citrate", within, (0.18, 0.27)), *change("Citrate", -1.4, -0.9, status=Status.UNRELIABLE)]
    )
    assert anyway.groups(unsure, in_short=True) == (anyway.NONE_BEYOND,)


def test_a_share_beyond_is_told_beside_an_average_change_that_is_not() -> None:
    rows = [*form("Citrate", (0.4, 0.3, 0.5), (0.18, 0.27)), *change("Citrate", -1.0, -0.5)]
    view = view_of(rows)
    found = view.comparison("form_by_outcome", "pain", "mean_change")
    other = replace(found, others=(view.comparison("form_by_outcome", "pain", "responder_30"),))
    told = "Counted by “pain at least 30 % lower”, more than might be expected anyway: citrate."
    assert told in anyway.groups(other) and told in anyway.groups(other, in_short=True)


@pytest.mark.parametrize(
    ("low", "high", "cell", "said"),
    [
        (-0.8, -0.1, "0.1 to 0.8 lower", "between about 0.1 and 0.8 lower"),
        (0.1, 0.8, "0.1 to 0.8 higher", "between about 0.1 and 0.8 higher"),
        (-0.3, 0.5, "0.3 lower to 0.5 higher", "between about 0.3 lower and 0.5 higher"),
        (-0.8, 0.0, "no change to 0.8 lower", "between no change and about 0.8 lower"),
        (0.0, 0.8, "no change to 0.8 higher", "between no change and about 0.8 higher"),
        (-0.4, -0.4, "0.4 lower", "about 0.4 lower"),
        (0.0, 0.0, "no change", "began, no change might"),
    ],
)
def test_a_band_is_no_interval_about_a_middle(low: float, high: float, cell: str, said: str) -> None:
    ends: dict[str, Any] = {"ci_lower": low, "ci_upper": high, "standard_error": None}
    rows = [
        releases.row(*FORM, names.ALL_LEVELS, "pain", "mean_change", -0.5),
        releases.row(*FORM, names.ALL_LEVELS, "pain", "mean_change_anyway", round((low + high) / 2, 1), **ends),
    ]
    found = view_of(rows).headline("form_by_outcome", "pain")
    assert found.everybody and said in anyway.band_words(found.everybody, found)
    (line, *_) = grids.outcome_grid(view_of(rows), "form_by_outcome", "pain").lines
    assert line.cells[1].text == cell


def test_people_are_those_of_the_first_number_and_clearly_others_are_told() -> None:
    rows = [
        releases.row(*FORM, names.ALL_LEVELS, "pain", statistic, value, n_respondents=n)
        for statistic, value, n in (
            ("responder_30", 0.3, 100),
            ("mean_baseline", 6.0, 110),
            ("mean", 5.0, 115),
            ("mean_change", -1.0, 85),
        )
    ]
    grid = grids.outcome_grid(view_of(rows), "form_by_outcome", "pain")
    assert grid.columns[-2:] == ("People (first number shown)", "No answer (first number shown)")
    texts = [cell.text for cell in grid.lines[0].cells]
    assert [text.rpartition(", ")[2] for text in texts if "people" in text] == ["115 people", "85 people"]
    assert texts[-2] == "100"
    alone = grids.outcome_grid(view_of(rows[:1]), "form_by_outcome", "pain")
    assert alone.columns[-2:] == ("People", "No answer")
    small = [row.model_copy(update={"n_respondents": n}) for row, n in zip(rows[:2], (35, 40), strict=True)]
    cells = grids.outcome_grid(view_of(small), "form_by_outcome", "pain").lines[0].cells
    assert not any("people" in cell.text for cell in cells), "no more than rounding"


def test_the_first_finding_says_who_is_counted_where_some_take_none() -> None:
    given = pages.magnesium().model_dump()
    options = given["items"]["magnesium_form"]["options"]
    codes = {one["label"]: one["code"] for one in options}
    for one in options:
        one["exclusive"] = one["label"] in ("None", "Stopped")
    given["items"]["magnesium_form"]["comparison"] = codes["None"]
    rows = form(names.ALL_LEVELS, (0.3, 0.2, 0.4), (0.18, 0.27)) + form("Citrate", (0.3, 0.2, 0.4), (0.18, 0.27))
    told = "That is of everybody who answered, the groups “None” and “Stopped” included."
    view = view_of(rows, Instrument.model_validate(given))
    assert words.in_short(view, None)[0].details[0] == told
    assert text_of(view).count(told) == 1 and markdown(view, None, drawn={}).decode().count(told) == 1
    assert not any("That is of everybody" in text for text in words.in_short(view_of(rows), None)[0].details)


def test_weeks_stand_beside_the_average_of_a_diary_and_have_no_unit() -> None:
    of = ("diaries", names.EVERYBODY, names.ALL_LEVELS, "pain_today")
    bare: dict[str, Any] = {"ci_lower": None, "ci_upper": None, "standard_error": None}
    rows = [releases.row(*of, "person_weeks", 250.0, **bare), releases.row(*of, "person_week_mean", 5.4)]
    (part,) = (part for part in lesser.parts(view_of(rows)) if part.name == "diaries")
    assert [line.label for line in part.grids[0].lines] == [
        "Pain today: average over everybody's weeks, points",
        "Pain today: weeks of people (person-weeks)",
    ]
    assert part.grids[0].lines[1].cells[0].text == "250"


# --- Promises -----------------------------------------------------------------------------------------------------------


def published(release: Release) -> set[int]:
    shares = [
        row for row in release.rows if row.estimate is not None and row.statistic not in ("count", "person_week_mean")
    ]
    ends = {value for row in shares for value in (row.estimate, row.ci_lower, row.ci_upper) if value is not None}
    return {whole_100(value) for value in ends}


def test_every_number_in_100_of_a_full_page_stands_in_the_release() -> None:
    known = published(pages.release())
    text = Text(files()["index.html"]).said + files()["newsletter.md"].decode()
    found = {int(number) for number in NUMBER_IN_100.findall(text)}
    assert found and all(number in known or 100 - number in known for number in found)


def test_a_full_release_of_nothing_but_hidden_rows_shows_no_number() -> None:
    made = render(pages.release(hide=True, tests=(), comparisons=()), pages.magnesium())
    text = Text(made["index.html"]).said + made["newsletter.md"].decode()
    assert not NUMBER_IN_100.search(text) and "based on" not in text and " of 800" not in text
    assert not any(name.startswith("charts/") for name in made)


@pytest.mark.parametrize(("n", "said"), [(12, "“group 0”, “group 1”"), (13, "all numbers of 13 of 14 groups")])
def test_many_hidden_groups_are_counted_and_not_named(n: int, said: str) -> None:
    levels = [f"group {place}" for place in range(n)]
    rows = [pages.share(*FORM, level, "kidney", None) for level in levels]
    view = view_of([*rows, pages.share(*FORM, "shown", "kidney", 0.2)])
    ((_, (told,)),) = words.hidden_by_table(view)
    assert said in told


def test_a_full_page_claims_no_cause() -> None:
    drawn = b" ".join(content for name, content in files().items() if name.endswith(".svg")).decode()
    told = " ".join(re.findall(r"<(?:title|desc)[^>]*>([^<]*)", drawn))
    assert not CAUSAL.findall(Text(files()["index.html"]).said + files()["newsletter.md"].decode() + told)


def test_sentences_about_what_would_be_expected_anyway_are_short() -> None:
    said: tuple[str, ...] = (
        anyway.SHARE_NOT_KNOWN,
        anyway.BEYOND,
        anyway.WITHIN,
        anyway.UNCERTAIN,
        anyway.OTHERWISE,
        anyway.NOTE,
    )
    said += (
        words.DEPENDS,
        words.DEPENDS_NOT_KNOWN,
        words.ALL_READINGS,
        words.UNEVEN,
        words.COUNTS,
        words.CROSSED,
        anyway.NONE_BEYOND,
    )
    said += tuple(
        re.split(r"(?<=\.) ", f"{anyway.EXPLAINED} {words.LIMITS_OF_DOSE} {words.UNCERTAIN_MARK} {words.DIARY}")
    )
    assert max(len(sentence.split()) for text in said for sentence in re.split(r"(?<=\.) ", text)) < 20


def test_the_same_full_release_gives_the_same_bytes() -> None:
    assert render(pages.release(), pages.magnesium()) == files()


def test_those_whose_course_is_expected_of_the_others_have_no_band_of_their_own() -> None:
    observed = (0.35, 0.30, 0.42)
    rows = [row for level in ("Citrate", "None") for row in form(level, observed, (0.18, 0.27))]
    view = view_of(rows)
    with_course = replace(view.headline("form_by_outcome", "pain"), course="None")
    citrate, none = (row for row in with_course.levels if row.level in ("Citrate", "None"))
    assert anyway.verdict(citrate, with_course) is Verdict.BEYOND
    assert with_course.band_of(none) is None and anyway.sentences(none, with_course) == ()
    said = " ".join(anyway.groups(with_course)).casefold()
    assert "citrate" in said and "none" not in said
    without = replace(with_course, course=None)
    assert "none" in " ".join(anyway.groups(without)).casefold()


@pytest.mark.parametrize(
    ("members", "course"), [(("none",), "None"), (("none", "citrate"), None), (("citrate",), None)]
)
def test_only_a_level_that_is_the_comparison_alone_shows_the_course(
    members: tuple[str, ...], course: str | None
) -> None:
    item = load_instrument("magnesium").items["magnesium_form"]
    levels = [PublishedLevel(code="x", label="None", made_of=("None",), members=members, merged=False)]
    assert course_of(levels, item) == course and course_of(levels, None) is None

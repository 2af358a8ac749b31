"""What is made from a release: the page, the newsletter, the charts and the files."""

import os
import re
import subprocess
import sys
from collections import Counter
from functools import cache
from hashlib import sha256
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree

import matplotlib
import polars as pl
import pytest
import releases
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from survey_pipeline import names
from survey_pipeline.instrument import Instrument, Threshold
from survey_pipeline.names import Status
from survey_pipeline.release import TIDY_SCHEMA, PublishedLevel, Release
from survey_pipeline.render import phrases, render, render_index, theme, words
from survey_pipeline.render.charts import Chart, _nice_ticks
from survey_pipeline.render.measure import Measure
from survey_pipeline.render.newsletter import markdown
from survey_pipeline.render.page import frames, report
from survey_pipeline.render.tables import csv
from survey_pipeline.render.view import View
from survey_pipeline.spreadsheets import harmless

Files = dict[str, bytes]
FORBIDDEN = re.compile(r"(?i)\b(significant\w*|works|worked|reduces?d?|helps|helped|because|effective|cures?|due to)\b")
NUMBER_IN_100 = re.compile(r"(\d+(?:\.\d+)?) in 100")


class Page(HTMLParser):
    """A page taken apart: its text, its tags, and whether they close in order."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.feed(page.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {key: value or "" for key, value in attrs}))
        if tag not in ("meta", "link", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {key: value or "" for key, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & {*self.open}:
            self.text += data

    def values(self, attribute: str) -> list[str]:
        return [attributes[attribute] for _, attributes in self.tags if attribute in attributes]


@cache
def made() -> Files:
    return render(releases.magnesium_release(), releases.magnesium(), releases.magnesium_release(wave="2025-4"))


@cache
def made_hidden() -> Files:
    return render(releases.magnesium_release(hide=True), releases.magnesium())


@cache
def made_music() -> Files:
    return render(releases.music_release(), releases.music())


@cache
def made_from_hostile_labels() -> Files:
    return render(hostile_release(), hostile_instrument())


ALL = (made, made_hidden, made_music, made_from_hostile_labels)

HOSTILE = (
    "<script>alert(1)</script>",
    "[click](http://evil.example) ![x](http://evil.example/x.png)",
    "=HYPERLINK(1)|`code`",
    "{{ 7 * 7 }} {% raw %}",
    "$\\frac{1}{2$ & </svg> --> ]]>",
    "# Heading\n- item\x00\u202e www.evil.example",
)


def hostile_instrument() -> Instrument:
    instrument = releases.magnesium(title=HOSTILE[0], about=HOSTILE[5], community=HOSTILE[1], cannot_say=[HOSTILE[4]])
    items = dict(instrument.items)
    for name, label in zip(("magnesium_form", "dose", "pain", "sleep", "age"), HOSTILE[1:], strict=True):
        items[name] = items[name].model_copy(update={"label": label})
    return instrument.model_copy(update={"items": items})


def hostile_release() -> Release:
    rows = releases.magnesium_rows(forms=HOSTILE, doses=HOSTILE[:3])
    return releases.release(hostile_instrument(), rows, correction=HOSTILE[1])


# --- Files -------------------------------------------------------------------------------------------------------------


def test_the_report_folder_holds_what_the_interface_promises() -> None:
    files = made()
    letters = {
        f"newsletter{length}.{form}" for length in ("", "-block", "-paragraph") for form in ("md", "html", "txt")
    }
    assert {"index.html", *letters, "newsletter.eml", "tables.xlsx", "release.json", "datapackage.json"} <= files.keys()
    tables = {name for name in files if name.startswith("tables/")}
    made_of = releases.magnesium_release().tables
    assert tables == {f"tables/{table}.{form}" for table in made_of for form in ("csv", "parquet")}
    drawn = {name for name in files if name.startswith("charts/")}
    assert {"charts/form_by_outcome-pain.png", "charts/form_by_outcome-pain.svg", "charts/in_100.png"} <= drawn


def test_charts_are_one_for_each_primary_outcome_and_exposure() -> None:
    names_of = {name.removeprefix("charts/").removesuffix(".svg") for name in made() if name.endswith(".svg")}
    primary = {
        f"{table}-{outcome}" for table in ("form_by_outcome", "dose_by_outcome") for outcome in ("pain", "sleep")
    }
    before = {"form_by_outcome-pain-before", "form_by_outcome-sleep-before"}
    assert names_of == primary | before | {"in_100", "form_by_side_effect"}


def test_the_release_can_be_read_back_from_its_file() -> None:
    text = made()["release.json"]
    assert Release.model_validate_json(text) == releases.magnesium_release()
    assert text.endswith(b"}\n")


@pytest.mark.parametrize("table", releases.magnesium_release().tables)
def test_tables_hold_the_numbers_of_the_release(table: str) -> None:
    release = releases.magnesium_release()
    content = made()[f"tables/{table}.csv"]
    schema = {**TIDY_SCHEMA, names.PROVENANCE: pl.String, "method": pl.String}
    read = pl.read_csv(BytesIO(content), schema=schema)
    assert_frame_equal(read.drop(names.PROVENANCE, "method"), release.frame(table))
    assert set(read[names.PROVENANCE]) == {names.INVENTED} and read["method"].null_count() == 0
    assert b"\r" not in content


def test_a_missing_number_is_empty_in_tables() -> None:
    rows = made()["tables/form_by_outcome.csv"].decode().splitlines()
    hidden = [row for row in rows if "Taurate" in row]
    assert hidden and all(
        ",,,,,,," in row and row.split(",")[-3:-1] == ["suppressed", "invented data"] for row in hidden
    )


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "\N{FULLWIDTH EQUALS SIGN}1", "\u200b=1", "\ufeff@x"]
)
def test_labels_do_not_become_formulas(text: str) -> None:
    assert harmless(text).startswith("'")


def test_ordinary_labels_stay_as_they_are_in_tables() -> None:
    assert harmless("100 to 199 mg") == "100 to 199 mg"


# --- The same bytes ----------------------------------------------------------------------------------------------------


def test_the_same_release_gives_the_same_bytes_whatever_the_settings() -> None:
    with matplotlib.rc_context({"font.size": 30, "lines.linewidth": 9, "svg.fonttype": "none"}):
        again = render(releases.magnesium_release(), releases.magnesium(), releases.magnesium_release(wave="2025-4"))
    assert again == made()


IN_ANOTHER_PROCESS = """
import sys, hashlib, releases
from survey_pipeline.render import render
files = render(releases.music_release(), releases.music())
assert "matplotlib.pyplot" not in sys.modules
print(hashlib.sha256(b"".join(name.encode() + files[name] for name in sorted(files))).hexdigest())
"""


def test_another_process_gives_the_same_bytes() -> None:
    paths = [str(Path(releases.__file__).parent), *sys.path]
    environment = {**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "PYTHONPATH": os.pathsep.join(paths)}
    command = [sys.executable, "-c", IN_ANOTHER_PROCESS]
    there = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
    here = sha256(b"".join(name.encode() + made_music()[name] for name in sorted(made_music())))
    assert there.strip() == here.hexdigest()


def test_images_do_not_say_when_or_by_what_they_were_made() -> None:
    for name, content in made().items():
        if name.endswith(".png"):
            assert not re.search(rb"tEXt|tIME|iTXt|Matplotlib", content)
        if name.endswith(".svg"):
            assert b"metadata" not in content and b"Matplotlib" not in content


# --- What is hidden ----------------------------------------------------------------------------------------------------


def test_a_hidden_level_is_words_in_the_page_and_never_zero() -> None:
    page = made()["index.html"].decode()
    rows = re.findall(r'<tr><th scope="row">Taurate</th>(.*?)</tr>', page)
    assert rows
    for row in rows:
        cells = re.findall(r"<td[^>]*>(.*?)</td>", row)
        assert set(cells) == {words.HIDDEN}


def test_a_hidden_level_is_named_under_the_chart_and_has_no_dot() -> None:
    page = made()["index.html"].decode()
    for svg in re.findall(r"<svg.*?</svg>", page, re.DOTALL):
        drawn = re.findall(r"<text[^>]*>([^<]*)", svg)
        assert not any(text.startswith("Taurate") for text in drawn)
    assert page.count("Hidden to protect people: Taurate.") >= 2


def test_a_release_of_nothing_but_hidden_rows_shows_no_number() -> None:
    files = made_hidden()
    text = Page(files["index.html"]).text + files["newsletter.md"].decode()
    assert not NUMBER_IN_100.search(text)
    assert "based on" not in text.lower()
    assert not any(name.startswith("charts/") for name in files)
    for table in releases.magnesium_release().tables:
        read = pl.read_csv(BytesIO(files[f"tables/{table}.csv"]), infer_schema=False)
        assert read.select(pl.col(names.NUMBERS).is_null().all()).row(0) == (True,) * len(names.NUMBERS)


def with_not_read(*outcomes: str, statistics: str = "") -> Release:
    """The release with some numbers to which no answers were read."""
    nothing = dict.fromkeys(names.NUMBERS) | {"status": Status.NOT_ASKED}
    found = [
        one.model_copy(update=nothing) if one.outcome in outcomes and one.statistic.startswith(statistics) else one
        for one in releases.magnesium_rows()
    ]
    return releases.release(releases.magnesium(), found)


UNTRUE = ("to protect people", "this wave is hidden", "not asked.", "All groups are hidden", "all groups are hidden")


def test_what_was_not_read_is_never_said_to_be_hidden() -> None:
    view = View(with_not_read("sleep"), releases.magnesium())
    found = view.headline("form_by_outcome", "sleep")
    assert found.is_not_read and words.headline(found, view).endswith(": no change can be told in this wave")
    assert words.contrast(found, view) == (words.NO_CHANGE_READ,)
    mean = view.comparison("form_by_outcome", "sleep", "mean")
    assert words.contrast(mean, view) == words.everybody_finding(mean).details == (words.NO_ANSWERS_READ,)
    assert {words.cell(row, mean.measure) for row in mean.levels} == {words.NOT_READ}


def test_a_wave_whose_outcomes_were_not_read_says_so_on_page_and_in_the_newsletter() -> None:
    outcomes = ("pain", "sleep", "fog", "side_effects__diarrhoea", "side_effects__stomach", "side_effects__other")
    view = View(with_not_read(*outcomes), releases.magnesium())
    before = View(releases.magnesium_release(wave="2025-4"), releases.magnesium())
    page, newsletter = Page(report(view, before, drawn={})).text, markdown(view, before, drawn={}).decode()
    for text in (page, newsletter):
        assert words.NO_CHANGE_READ in text and not [untrue for untrue in UNTRUE if untrue in text]
    assert "By magnesium form: nothing was read in this wave" in page
    assert "Side effects by form: no answers were read in this wave" in page
    assert "Nothing had to be hidden in this wave." in page or "numbers are hidden" in page


def test_a_change_whose_other_question_was_read_is_not_said_to_be_without_answers() -> None:
    view = View(with_not_read("pain", statistics="responder"), releases.magnesium())
    text = Page(report(view, None, drawn={})).text
    assert words.NO_CHANGE_READ in text and words.NO_ANSWERS_READ not in text


def test_small_numbers_of_missing_answers_and_of_rows_are_not_told() -> None:
    page = made()["index.html"].decode()
    assert "fewer than 10" in page
    assert re.search(r"Refused</th><td class=\"muted\">hidden", page)


def test_what_was_merged_is_said() -> None:
    said = "Sulfate and threonate together as “Other forms”, so that nobody can be picked out."
    assert said in Page(made()["index.html"]).text


@pytest.mark.parametrize(
    ("label", "made_of", "said"),
    [
        ("Oxide or Other forms", ("Oxide", "Other forms"), "Oxide and other forms together, so"),
        (
            "Under 200 mg",
            ("Under 100 mg", "100 to 199 mg"),
            "Under 100 mg and 100 to 199 mg together as “Under 200 mg”, so",
        ),
        ("Up to 250 mg", ("Up to 250 mg",), "“Up to 250 mg” is one group, so"),
    ],
)
def test_a_merged_level_is_named_where_its_parts_do_not_say_it(label: str, made_of: tuple[str, ...], said: str) -> None:
    level = {"code": "l", "label": label, "made_of": made_of, "members": ("a", "b"), "merged": True}
    levels = {"dose": (PublishedLevel.model_validate(level),)}
    release = releases.magnesium_release(levels=levels)
    assert words.merged_levels(View(release, releases.magnesium())) == (f"{said} that nobody can be picked out.",)


def test_what_is_hidden_is_counted_and_named_by_outcome() -> None:
    release = releases.magnesium_release()
    view = View(release, releases.magnesium())
    hidden = sum(row.status is Status.SUPPRESSED for row in release.rows)
    assert words.hidden_in_all(view) == f"{hidden} of {len(release.rows)} numbers are hidden."
    told = dict(words.hidden_by_table(view))
    assert told["Form by outcome"] == ("Pain, Sleep quality and Mental fog: all numbers of “Taurate”.",)
    assert told["Side effects by form"] == (
        "“Side effects, diarrhoea”, “Side effects, upset stomach” and “Side effects, other”: all numbers of “Taurate”.",
    )
    page = Page(made()["index.html"]).text
    assert words.hidden_in_all(view) in page and "secondary" not in page and "primary" not in page


def test_hidden_statistics_are_named_with_their_groups() -> None:
    rows = [
        releases.row("form_by_outcome", "magnesium_form", level, "pain", statistic, value)
        for statistic, values in (("responder_50", (0.1, None)), ("responder_30", (0.3, 0.2)), ("mean", (None, None)))
        for level, value in zip(("Citrate", "Oxide"), values, strict=True)
    ]
    view = View(releases.release(releases.magnesium(), rows), releases.magnesium())
    ((_, sentences),) = words.hidden_by_table(view)
    assert sentences == ("Pain: “at least 50 % lower” of “Oxide”; “Average” of all groups.",)


def test_tables_of_the_page_are_not_more_exact_than_the_survey() -> None:
    rows = [
        releases.row("form_by_outcome", "magnesium_form", level, "pain", statistic, value, ci_lower=low, ci_upper=high)
        for level, statistic, value, low, high in (
            ("Citrate", "responder_30", 0.2279, 0.2038, 0.2539),
            ("Citrate", "mean", 6.64, 6.53, 6.74),
            ("Oxide", "responder_30", 0.004, 0.0, 0.1),
            ("Malate", "responder_30", 0.345, 0.2, 0.5),
            ("Oxide", "mean", 6.7, 6.3, 7.0),
            ("Malate", "mean", 6.0, 5.0, 7.0),
        )
    ]
    release = releases.release(releases.magnesium(), rows)
    page = report(View(release, releases.magnesium()), None, drawn={}).decode()
    for cell in (
        "23 (20 to 25)",
        "fewer than 1 (0 to 10)",
        "35 (20 to 50)",
        "6.6 (6.5 to 6.7)",
        "6.7 (6.3 to 7.0)",
        "6.0 (5.0 to 7.0)",
    ):
        assert f">{cell}</td>" in page
    assert "0.2279" in csv(release, "form_by_outcome", releases.magnesium()).decode()


def every_share(release: Release) -> set[int]:
    shares = [row for row in release.rows if row.statistic in ("share", "responder_30", "responder_50", "points_2")]
    found = {value for row in shares for value in (row.estimate, row.ci_lower, row.ci_upper) if value is not None}
    return {phrases.whole_100(value) for value in found}


def test_every_number_in_100_stands_in_the_release() -> None:
    known = every_share(releases.magnesium_release())
    text = Page(made()["index.html"]).text + made()["newsletter.md"].decode()
    for number in map(int, NUMBER_IN_100.findall(text.replace("one in 100", ""))):
        assert number in known or 100 - number in known


# --- Words -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("files", ALL[:3])
def test_no_word_claims_more_than_reports(files: object) -> None:
    content: Files = files()  # type: ignore[operator]
    drawn = b" ".join(text for name, text in content.items() if name.endswith(".svg")).decode()
    alternatives = " ".join(re.findall(r"<(?:title|desc)[^>]*>([^<]*)", drawn))
    text = Page(content["index.html"]).text + content["newsletter.md"].decode() + alternatives
    assert not FORBIDDEN.findall(text)


@pytest.mark.parametrize("files", ALL[:3])
def test_every_page_says_that_it_shows_no_cause(files: object) -> None:
    content: Files = files()  # type: ignore[operator]
    for text in (Page(content["index.html"]).text, content["newsletter.md"].decode()):
        assert all(sentence in text for sentence in words.LIMITS)


def test_findings_are_three_to_five_short_sentences() -> None:
    for previous in (None, View(releases.magnesium_release(wave="2025-4"), releases.magnesium())):
        findings = words.in_short(View(releases.magnesium_release(), releases.magnesium()), previous)
        assert 3 <= len(findings) <= 5
        sentences = [text for finding in findings for text in (finding.headline, *finding.details)]
        assert max(len(sentence.split()) for sentence in sentences if words.IF_ALIKE not in sentence) < 20


def test_a_finding_says_how_many_people_and_how_sure() -> None:
    first = words.in_short(View(releases.magnesium_release(), releases.magnesium()), None)[0]
    assert (
        first.headline == "Pain at least 30 % lower: about 25 in 100 people reported this (based on about 400 people)."
    )
    assert first.details == (
        "About 75 in 100 did not.",
        "These answers fit a true share between about 15 and 35 in 100, if those who answered are like the rest.",
        "How many might report that anyway is not known.",
    )


def differing() -> View:
    """Two forms whose ranges are apart, and a third that is too uncertain to be named."""
    table, form, rows = "form_by_outcome", "magnesium_form", []
    for level, share in ((names.ALL_LEVELS, 0.4), ("Citrate", 0.6), ("Stopped", 0.3), ("Oxide", 0.9)):
        status = Status.UNRELIABLE if level == "Oxide" else Status.OK
        rows.append(releases.row(table, form, level, "pain", "responder_30", share, status=status))
    return View(releases.release(releases.magnesium(), rows), releases.magnesium())


def test_groups_are_named_only_where_their_ranges_are_apart() -> None:
    view = differing()
    (found,) = view.charted("form_by_outcome")
    assert words.headline(found, view) == "Pain by magnesium form: reports differ between some groups"
    assert words.contrast(found, view)[1:] == (
        "People who took citrate reported this more often: about 60 in 100 (based on about 60 people).",
        "People who took stopped reported this less often: about 30 in 100 (based on about 60 people).",
        words.MANY_QUESTIONS,
        "What the groups might report anyway is not known.",
    )


def forms(*shares: tuple[str, float], wave: str = "2026-1") -> View:
    """Pain by form: a share for each level, each with a range of 10 in 100 to both sides."""
    rows = [
        releases.row("form_by_outcome", "magnesium_form", level, "pain", "responder_30", share)
        for level, share in shares
    ]
    return View(releases.release(releases.magnesium(), rows, wave), releases.magnesium())


def pair_of(view: View) -> tuple[str, ...]:
    (found,) = view.charted("form_by_outcome")
    return tuple(row.level for row in found.pair or ())


def test_a_pair_is_apart_only_if_its_ranges_stay_apart_for_all_pairs() -> None:
    apart = (("Citrate", 0.55), ("Oxide", 0.3))
    assert pair_of(forms(*apart)) == ("Citrate", "Oxide")
    # Six pairs widen each range by 2.638 / 1.960: from 10 to 13.46 in 100, so that 25 do not lie between them.
    others = (("Malate", 0.4), ("Chloride", 0.42))
    assert pair_of(forms(*apart, *others)) == ()
    assert pair_of(forms(("Citrate", 0.58), ("Oxide", 0.3), *others)) == ("Citrate", "Oxide")


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ((("Citrate", 0.5), ("Oxide", 0.4)), "in the same order."),
        ((("Citrate", 0.4), ("Oxide", 0.5)), "in the opposite order."),
        ((("Citrate", 0.4), ("Oxide", 0.4)), "alike."),
        ((("Citrate", 0.4), ("Malate", 0.5)), ""),
    ],
)
def test_a_pair_is_set_beside_the_wave_before(before: tuple[tuple[str, float], ...], said: str) -> None:
    view = forms(("Citrate", 0.6), ("Oxide", 0.3))
    (found,) = view.charted("form_by_outcome")
    told = [text for text in words.contrast(found, view, forms(*before)) if "wave before" in text]
    assert told == ([f"The wave before showed these two groups {said}"] if said else [])
    text = Page(report(view, forms(*before), drawn={})).text
    assert text.count("The wave before showed these two groups") == 2 * bool(said), "in short, and at the chart"


def test_ranges_are_explained_alike_and_never_as_a_forecast() -> None:
    files = {**made(), **{f"music/{name}": content for name, content in made_music().items()}}
    for name in ("index.html", "newsletter.md", "music/index.html", "music/newsletter.md"):
        text = Page(files[name]).text
        assert words.IF_ALIKE in text and "expected if" not in text
        assert not re.search(r"(?i)everybody asked", text)
    average = "These answers fit a true average between about 4.7 and 5.7, if those who answered are like the rest."
    assert average in files["music/newsletter.md"].decode()


@pytest.mark.parametrize(
    ("label", "threshold", "said"),
    [
        ("Pain", "Pain at least 30 % lower", "Pain at least 30 % lower"),
        ("Pain", "At least 30 % less pain", "At least 30 % less pain"),
        ("Joy in the garden", "Joy at least 2 points higher", "Joy in the garden at least 2 points higher"),
        ("PSQI sleep score", "PSQI score at least 3 points lower", "PSQI sleep score at least 3 points lower"),
        ("Overall change", "Much improved", "Overall change, much improved"),
    ],
)
def test_a_threshold_names_its_item_once_and_has_no_colon(label: str, threshold: str, said: str) -> None:
    rule = Threshold(name="rule", label=threshold, source="", at_least=2)
    item = releases.magnesium().items["fog"].model_copy(update={"label": label, "thresholds": (rule,)})
    assert words.what(Measure("fog", "rule", label, item, is_option=False)) == said


def injuries(none: float, cut: float) -> View:
    """A table of a question with an option that excludes the others."""
    base = releases.magnesium()
    options = [
        {"code": "cut", "label": "Cut"},
        {"code": "burn", "label": "Burn"},
        {"code": "none", "label": "None of these", "exclusive": True},
    ]
    asked = base.items["side_effects"].model_dump() | {"label": "Injuries", "options": options}
    instrument = Instrument.model_validate(base.model_dump() | {"items": base.items | {"side_effects": asked}})
    rows = [
        releases.row("form_by_side_effect", "magnesium_form", names.ALL_LEVELS, f"side_effects__{code}", "share", share)
        for code, share in (("cut", cut), ("burn", 0.2), ("none", none))
    ]
    return View(releases.release(instrument, rows), instrument)


def test_the_title_of_closed_questions_agrees_with_the_first_line_of_their_chart() -> None:
    for none, cut, title in (
        (0.5, 0.36, "Injuries: “None of these” was reported most often, then cut"),
        (0.3, 0.36, "Injuries: cut was reported most often"),
    ):
        view = injuries(none, cut)
        (chart,) = frames(view)
        assert isinstance(chart, Chart) and chart.headline == title
        assert chart.dots[0].label == ("None of these" if none > cut else "Cut")
        (finding,) = words._most_common(view)
        assert finding.headline == "Injuries, cut: about 36 in 100 people reported this (based on about 60 people)."
        assert finding.details[-1] == f"“None of these”: about {phrases.per_100(none)}."


def test_a_chart_of_several_questions_names_each_of_them() -> None:
    view = injuries(0.5, 0.36)
    other = releases.row("form_by_side_effect", "magnesium_form", names.ALL_LEVELS, "age__old", "share", 0.4)
    release = view.release.model_copy(update={"rows": (*view.release.rows, other)})
    (chart,) = frames(View(release, view.instrument))
    assert isinstance(chart, Chart) and chart.headline.startswith("Injuries: “None of these”")
    assert [dot.label for dot in chart.dots] == ["None of these", "Age, 60 and over", "Cut", "Burn"]


def test_people_of_a_level_without_a_phrase_are_a_group() -> None:
    row = releases.row("form_by_outcome", "magnesium_form", "Other forms or not stated", "pain", "share", 0.3)
    view = View(releases.magnesium_release(), releases.magnesium())
    assert words.who(row, view) == "People in the group “Other forms or not stated”"


def test_the_last_wave_is_set_beside_this_one() -> None:
    page = Page(made()["index.html"]).text
    assert "About 400 people answered this wave, about 400 people the wave before." in page
    assert "This wave about 25 in 100 (range 15 to 35); the wave before about 25 in 100 (range 15 to 35)." in page
    assert "Since the last wave" not in Page(made_music()["index.html"]).text


def text_of(release: Release, previous: Release | None = None) -> str:
    """The text of a page without its charts, which take longest."""
    views = [View(one, releases.magnesium()) if one else None for one in (release, previous)]
    assert views[0]
    return Page(report(views[0], views[1], drawn={})).text


def test_a_wave_hidden_before_is_not_compared() -> None:
    page = text_of(releases.magnesium_release(), releases.magnesium_release(hide=True))
    assert "No number is shown in both waves" in page and "The number of answers cannot be compared." in page


def test_a_changed_questionnaire_is_said() -> None:
    changed = releases.release(releases.magnesium(version="2"), releases.magnesium_rows())
    assert words.QUESTIONS_CHANGED in text_of(releases.magnesium_release(), changed)
    now, before = (View(one, releases.magnesium()) for one in (releases.magnesium_release(), changed))
    newsletter = markdown(now, before, drawn={})
    assert words.QUESTIONS_CHANGED in newsletter.decode()
    assert words.QUESTIONS_CHANGED not in Page(made()["index.html"]).text + made()["newsletter.md"].decode()


BROKEN = "The question about {} was changed; this wave's answers are not compared with earlier ones."


@pytest.mark.parametrize("changed", [frozenset[str](), frozenset({"pain"}), frozenset({"pain", "sleep", "nothing"})])
def test_a_changed_question_is_not_compared_and_that_is_said(changed: frozenset[str]) -> None:
    view = View(releases.magnesium_release(), releases.magnesium())
    before = View(releases.magnesium_release(wave="2025-4"), releases.magnesium(), changed)
    page, newsletter = Page(report(view, before, drawn={})).text, markdown(view, before, drawn={}).decode()
    for name, label, compared in (("pain", "pain", "Pain at least 30 % lower"), ("sleep", "sleep quality", "Sleep")):
        assert (BROKEN.format(label) in page) is (BROKEN.format(label) in newsletter) is (name in changed)
        told = [change for change in words.changes(view, before) if change.label.startswith(compared)]
        assert len(told) == (name not in changed)
    assert "About 400 people answered this wave, about 400 people the wave before." in page
    assert "No number is shown in both waves" not in page
    assert ("Nothing can be compared with the wave before." in page) is ({"pain", "sleep"} <= changed)


def test_a_changed_question_outside_the_short_list_is_said_on_the_page_alone() -> None:
    view = View(releases.magnesium_release(), releases.magnesium())
    before = View(releases.magnesium_release(), releases.magnesium(), frozenset({"fog", "side_effects", "age"}))
    assert words.trends_broken(view, before) == (BROKEN.format("mental fog"), BROKEN.format("side effects"))
    assert BROKEN.format("mental fog") in Page(report(view, before, drawn={})).text
    assert "was changed" not in markdown(view, before, drawn={}).decode()


@pytest.mark.parametrize(
    ("changed", "told"),
    [(frozenset[str](), True), (frozenset({"pain"}), False), (frozenset({"magnesium_form"}), False)],
)
def test_groups_are_not_set_in_order_over_a_changed_question(changed: frozenset[str], told: bool) -> None:
    view, last = forms(("Citrate", 0.6), ("Oxide", 0.3)), forms(("Citrate", 0.5), ("Oxide", 0.4))
    (found,) = view.charted("form_by_outcome")
    said = words.contrast(found, view, View(last.release, last.instrument, changed))
    assert any("wave before" in text for text in said) is told
    page = Page(report(view, View(last.release, last.instrument, changed), drawn={})).text
    assert (BROKEN.format("magnesium form") in page) is ("magnesium_form" in changed)


def test_groups_of_other_people_under_one_label_are_not_set_in_order() -> None:
    view, last = forms(("Citrate", 0.6), ("Oxide", 0.3)), forms(("Citrate", 0.5), ("Oxide", 0.4))
    (found,) = view.charted("form_by_outcome")
    wider = {
        exposure: tuple(level.model_copy(update={"members": ("level", "malate")}) for level in levels)
        for exposure, levels in last.release.levels.items()
    }
    other = View(last.release.model_copy(update={"levels": wider}), last.instrument)
    assert any("wave before" in text for text in words.contrast(found, view, last))
    assert not any("wave before" in text for text in words.contrast(found, view, other))


def test_what_is_incomparable_reaches_every_file() -> None:
    last = releases.magnesium_release(wave="2025-4")
    files = render(releases.magnesium_release(), releases.magnesium(), last, frozenset({"pain"}))
    assert BROKEN.format("pain") in Page(files["index.html"]).text
    assert BROKEN.format("pain") in files["newsletter.md"].decode()
    assert BROKEN.format("pain") not in Page(made()["index.html"]).text + made()["newsletter.md"].decode()


def test_page_and_newsletter_say_how_people_were_asked() -> None:
    assert releases.magnesium().recruitment in Page(made()["index.html"]).text
    assert releases.magnesium().recruitment in made()["newsletter.md"].decode()


def test_our_standing_limits_make_way_for_the_instruments_own() -> None:
    own = ["People chose their own.", "No control group picked by chance.", "Scores tend to the middle."]
    for said in (own[:2], own):
        view = View(releases.magnesium_release(), releases.magnesium(cannot_say=said))
        for text in (markdown(view, None, drawn={}).decode(), Page(report(view, None, drawn={})).text):
            assert all(sentence in text for sentence in said)
            assert all((sentence in text) == (said == own[:2]) for sentence in words.LIMITS[:3])
            assert "what caused what." in text


def test_methods_name_sources_inputs_and_policy() -> None:
    page, release = Page(made()["index.html"]).text, releases.magnesium_release()
    for text in ("Farrar 2001", "PMC9145501", "Wilson", release.inputs_sha256[0], release.instrument.fingerprint[:12]):
        assert text in page
    assert "Ask a pharmacist or doctor" in page and "Kidney disease" in page


def test_a_correction_is_said_in_page_and_newsletter() -> None:
    release = releases.magnesium_release(correction="Ten answers came late.")
    assert "Ten answers came late." in text_of(release)
    assert b"Ten answers came late." in markdown(View(release, releases.magnesium()), None, drawn={})


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.0, None, "0"),
        (-1.5, None, "\N{MINUS SIGN}1.5"),
        (6.0, None, "6"),
        (0.345, 2, "0.35"),
        (1234.0, 2, "1200"),
        (-0.0, 2, "0"),
    ],
)
def test_numbers_are_written_plainly(value: float, digits: int | None, text: str) -> None:
    assert phrases.plain(value, digits) == text


@pytest.mark.parametrize(
    ("share", "text"), [(0.305, "31 in 100"), (0.001, "fewer than 1 in 100"), (0.0, "0 in 100"), (1, "100 in 100")]
)
def test_shares_are_said_in_whole_people(share: float, text: str) -> None:
    assert phrases.per_100(share) == text


# --- Invented data -----------------------------------------------------------------------------------------------------


def test_invented_data_says_so_everywhere() -> None:
    files = made()
    page = files["index.html"].decode()
    assert '<div class="banner" role="note">' in page
    assert files["newsletter.md"].decode().splitlines()[2] == f"**{words.INVENTED_LONG}**"
    svgs = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert svgs and all(svg.count(words.INVENTED) == 2 for svg in svgs), "once in the picture, once in its alternative"
    assert all(b"Invented data." in text for name, text in files.items() if name.endswith(".svg"))
    assert b"Invented data" in render_index([releases.magnesium_release()], releases.magnesium())["index.html"]


EXPLAIN = ("release.schema.json", "datapackage.json")
"""Files that say what may stand in a column, invented data among it."""


def test_real_answers_are_not_called_invented() -> None:
    said = {name: content for name, content in made_music().items() if name not in EXPLAIN}
    assert len(said) > 20
    assert not [name for name, content in said.items() if b"nvented" in content]


# --- The page ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("files", ALL)
def test_the_page_is_well_formed(files: object) -> None:
    content: Files = files()  # type: ignore[operator]
    page = Page(content["index.html"])
    assert page.open == []
    assert not [name for name, n in Counter(page.values("id")).items() if n > 1]
    inside = {link[1:] for link in page.values("href") if link.startswith("#")}
    assert inside <= set(page.values("id"))


@pytest.mark.parametrize("files", ALL)
def test_the_page_fetches_nothing_and_runs_nothing(files: object) -> None:
    content: Files = files()  # type: ignore[operator]
    page = Page(content["index.html"])
    assert not {"iframe", "object", "embed", "img", "form"} & {tag for tag, _ in page.tags}
    assert not page.values("src")
    links = {link for link in page.values("href") if not link.startswith(("#", "data:"))}
    assert links <= content.keys()
    styles = " ".join(re.findall(r"url\(([^)]*)\)", content["index.html"].decode()))
    assert all(target.startswith("#") for target in styles.split())
    assert not any(attribute.startswith("on") for _, attributes in page.tags for attribute in attributes)


@pytest.mark.parametrize("files", ALL)
def test_every_chart_has_a_text_alternative(files: object) -> None:
    content: Files = files()  # type: ignore[operator]
    page = Page(content["index.html"])
    charts = [attributes for tag, attributes in page.tags if tag == "svg"]
    for attributes in charts:
        assert attributes["role"] == "img"
        assert set(attributes["aria-labelledby"].split()) <= set(page.values("id"))
    drawn = [name for name in content if name.endswith(".svg")]
    assert len([one for one in charts if "flow-title" not in one["aria-labelledby"]]) == len(drawn)
    for name in drawn:
        root = ElementTree.fromstring(content[name])
        text = root.findtext("{http://www.w3.org/2000/svg}desc")
        assert text and words.NO_CAUSE in text


def test_tables_have_captions_and_headers_with_scope() -> None:
    page = Page(made()["index.html"])
    tables = sum(tag == "table" for tag, _ in page.tags)
    assert tables == sum(tag == "caption" for tag, _ in page.tags) > 5
    assert all(attributes.get("scope") in ("row", "col") for tag, attributes in page.tags if tag == "th")


def test_charts_in_the_page_follow_the_readers_theme() -> None:
    for svg in re.findall(r"<svg.*?</svg>", made()["index.html"].decode(), re.DOTALL):
        bare = re.sub(r"var\(--[a-z-]+, #[0-9a-f]{6}\)", "", svg)
        assert not re.findall(r"#[0-9a-f]{6}\b", bare)


def contrast(first: str, second: str) -> float:
    """The contrast of two colours, as WCAG 2.2 defines it."""

    def light(colour: str) -> float:
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((light(first), light(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("shade", ["light", "dark"])
def test_text_and_marks_stand_out_from_what_is_behind_them(shade: str) -> None:
    for text in (theme.INK, theme.QUIET, theme.MARK, theme.WARN):
        for behind in (theme.PAPER, theme.CARD):
            assert contrast(getattr(text, shade), getattr(behind, shade)) >= 4.5
    assert contrast(getattr(theme.WARN, shade), getattr(theme.WARN_PAPER, shade)) >= 4.5
    assert contrast(getattr(theme.MARK, shade), getattr(theme.BAND, shade)) >= 3


@pytest.mark.parametrize("files", ALL)
def test_a_page_is_small(files: object) -> None:
    content: Files = files()  # type: ignore[operator]
    assert len(content["index.html"]) < 1_500_000


# --- Labels that hold markup -------------------------------------------------------------------------------------------


def test_hostile_labels_are_text_in_the_page() -> None:
    page = made_from_hostile_labels()["index.html"].decode()
    assert page.count("<script") == 1 and "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "{{ 7 * 7 }}" in page and "\x00" not in page and "\u202e" not in page


def test_hostile_labels_are_text_in_tables_and_images() -> None:
    files = made_from_hostile_labels()
    table = pl.read_csv(BytesIO(files["tables/form_by_outcome.csv"]), infer_schema=False)
    assert not table.filter(pl.col(names.LEVEL).str.contains(r"^\s*[=+@-]")).height
    for name, content in files.items():
        if name.endswith(".svg"):
            assert {element.tag.partition("}")[2] for element in ElementTree.fromstring(content).iter()} <= {
                *("svg", "title", "desc", "defs", "style", "g", "path", "use", "clipPath", "rect"),
            }


# --- Other surveys -----------------------------------------------------------------------------------------------------


def test_a_survey_without_baselines_or_medicine_works() -> None:
    files = made_music()
    page = Page(files["index.html"]).text
    assert "Anxiety: people reported an average of 5.2 on a scale from 0 to 10 (based on about 400 people)." in page
    assert "charts/form_by_outcome-anxiety.png" in files and "charts/dose_by_outcome-anxiety.svg" in files
    assert "Safety" not in page and "before to now" not in page


def test_nothing_is_called_better_where_the_survey_does_not_say_so() -> None:
    for better in (None, "lower"):
        instrument = releases.music(better)
        charts = [
            frame for frame in frames(View(releases.music_release(instrument), instrument)) if isinstance(frame, Chart)
        ]
        assert charts and all(chart.axis.directed == (better is not None) for chart in charts)
    assert words.BETTER in Page(made_music()["index.html"]).text


def test_better_is_always_to_the_right() -> None:
    charts = {frame.name: frame for frame in frames(View(releases.magnesium_release(), releases.magnesium()))}
    pain, sleep = charts["form_by_outcome-pain"], charts["form_by_outcome-sleep"]
    assert isinstance(pain, Chart) and isinstance(sleep, Chart)
    assert not pain.axis.mirrored and not sleep.axis.mirrored, "more responders, and more sleep, are better"
    anxiety = next(frames(View(releases.music_release(), releases.music())))
    assert isinstance(anxiety, Chart) and anxiety.axis.mirrored, "less anxiety is better"


def test_forms_are_sorted_from_best_to_worst_and_doses_keep_their_order() -> None:
    charts = {frame.name: frame for frame in frames(View(releases.magnesium_release(), releases.magnesium()))}
    forms, doses = charts["form_by_outcome-pain"], charts["dose_by_outcome-pain"]
    assert isinstance(forms, Chart) and isinstance(doses, Chart)
    assert [dot.value for dot in forms.dots] == sorted((dot.value for dot in forms.dots), reverse=True)
    assert tuple(dot.label for dot in doses.dots) == releases.DOSES


def test_one_level_alone_is_not_compared() -> None:
    rows = releases.magnesium_rows(forms=("Citrate",), doses=releases.DOSES[:1])
    assert "Pain: only one group is shown" in text_of(releases.release(releases.magnesium(), rows))


def test_a_release_without_tables_works() -> None:
    files = render(releases.release(releases.magnesium(), []), releases.magnesium())
    assert Page(files["index.html"]).open == []


# --- Charts ------------------------------------------------------------------------------------------------------------


@given(st.floats(-1000, 1000), st.floats(0, 2000))
def test_ticks_hold_the_values_and_are_few(low: float, span: float) -> None:
    ticks = _nice_ticks(low, low + span)
    assert 2 <= len(ticks) <= 7
    assert ticks[0] <= low + 1e-9 and ticks[-1] >= low + span - 1e-9


def test_charts_in_the_page_have_text_of_a_size_that_can_be_read() -> None:
    sizes = re.findall(r"font-size: calc\(([\d.]+)px", made()["index.html"].decode())
    assert min(map(float, sizes)) >= 11


# --- All waves ---------------------------------------------------------------------------------------------------------


def test_the_list_of_waves_starts_with_the_newest_and_links_to_each() -> None:
    waves = [releases.magnesium_release(wave="2025-4"), releases.magnesium_release(wave="2026-1")]
    content = render_index(waves, releases.magnesium())["index.html"]
    page = Page(content)
    assert [link for link in page.values("href") if link.endswith(".html")] == [
        "2026-1/index.html",
        "2025-4/index.html",
    ]
    assert page.text.count("About 400 people answered.") == 2
    assert all(sentence in page.text for sentence in words.LIMITS)
    assert content == render_index(waves, releases.magnesium())["index.html"]


def test_the_list_of_no_waves_says_so() -> None:
    assert "There is no report yet." in Page(render_index([], releases.magnesium())["index.html"]).text

"""The page beyond its words: more charts, the flow of numbers, the checklist, sorting, the feed, and the look."""

import re
from base64 import b64decode, b64encode
from decimal import Decimal
from functools import cache
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pages
import pytest
import releases
from hypothesis import given
from hypothesis import strategies as st

from survey_pipeline import names
from survey_pipeline.errors import InputRefused
from survey_pipeline.instrument import shipped_text
from survey_pipeline.language import LANGUAGES, speaking, whole, written
from survey_pipeline.look import DEFAULT, Dark, Light, contrast, load_theme, logo_address, made, read_theme, wearing
from survey_pipeline.names import Status
from survey_pipeline.release import Release, StageCount
from survey_pipeline.render import (
    before_and_now,
    checklist,
    curves,
    feed,
    flow,
    gallery,
    grids,
    phrases,
    render_index,
    theme,
)
from survey_pipeline.render.grids import Cell, Grid, Line
from survey_pipeline.render.page import report
from survey_pipeline.render.sorting import number_in, sortable
from survey_pipeline.render.upper_levels import DoseChart, dose_chart
from survey_pipeline.render.view import View

FORM = "form_by_outcome"


@cache
def everything() -> View:
    return View(pages.release(), pages.magnesium())


@cache
def club() -> View:
    return View(releases.magnesium_release(), releases.magnesium())


@cache
def page() -> str:
    return report(everything(), None, drawn={}).decode()


def cells_of(grid: Grid) -> str:
    return " | ".join(text for line in grid.lines for text in (line.label, *(cell.text for cell in line.cells)))


# --- Before and now ----------------------------------------------------------------------------------------------------


def test_before_and_now_shows_both_averages_of_every_group_that_shows_them() -> None:
    chart = before_and_now.before_and_now(club(), FORM, "pain")
    assert chart and len(chart.before) == len(chart.dots) > 2
    before, now = (club().comparison(FORM, "pain", name) for name in ("mean_baseline", "mean"))
    assert [dot.value for dot in chart.dots] == [row.estimate for row in (now.everybody, *now.sorted) if row]
    assert {dot.value for dot in chart.before} <= {row.estimate for row in (before.everybody, *before.shown) if row}


def test_the_numbers_of_before_and_now_stand_in_its_table() -> None:
    chart, grid = before_and_now.before_and_now(club(), FORM, "pain"), before_and_now.grid(club(), FORM, "pain")
    lines = {line.label: " ".join(cell.text for cell in line.cells) for line in grid.lines}
    assert chart
    for dot in chart.dots:
        first, last = dot.text.split(" → ")
        assert lines[dot.label].startswith(first) and f" {last}" in lines[dot.label]
        assert dot.people.split()[0] in lines[dot.label]


def test_a_group_hidden_in_one_of_the_two_has_no_pair_and_is_named() -> None:
    rows = [
        one.model_copy(update=dict.fromkeys(names.NUMBERS) | {"status": Status.SUPPRESSED})
        if (one.level, one.outcome, one.statistic, one.table) == ("Oxide", "pain", "mean", FORM)
        else one
        for one in releases.magnesium_rows()
    ]
    chart = before_and_now.before_and_now(
        View(releases.release(releases.magnesium(), rows), releases.magnesium()), FORM, "pain"
    )
    assert chart and "Oxide" not in [dot.label for dot in chart.dots]
    assert any("Hidden" in note and "Oxide" in note for note in chart.notes) and "Oxide" in chart.alternative


def test_without_a_baseline_there_is_no_before() -> None:
    instrument = releases.music()
    view = View(releases.music_release(instrument), instrument)
    assert not [name for name in (frame.name for frame in gallery.frames(view)) if name.endswith("-before")]


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [(-1.5, -0.1, "in every group shown"), (-1.5, 0.1, "in no group is"), (0.2, 0.5, "in no group is")],
)
def test_the_title_goes_by_the_ranges_of_the_changes(low: float, high: float, said: str) -> None:
    rows = [
        releases.row(FORM, "magnesium_form", level, "pain", name, value, ci_lower=lower, ci_upper=upper)
        for level in (names.ALL_LEVELS, "Citrate", "Oxide")
        for name, value, lower, upper in (
            ("mean_baseline", 6.0, 5.8, 6.2),
            ("mean", 5.5, 5.2, 5.8),
            ("mean_change", (low + high) / 2, low, high),
        )
    ]
    view = View(releases.release(releases.magnesium(), rows), releases.magnesium())
    chart = before_and_now.before_and_now(view, FORM, "pain")
    assert chart and said in chart.headline


# --- Responder curves --------------------------------------------------------------------------------------------------


def test_every_point_of_a_curve_is_a_number_of_the_release_and_of_the_table() -> None:
    found, grid = curves.curves(everything(), FORM, "pain"), grids.curve_grid(everything(), FORM, "pain")
    assert found and grid
    of_release = {row.estimate for row in everything().release.rows}
    told = {line.label: [cell.text.split()[0] for cell in line.cells] for line in grid.lines}
    for panel in found.panels:
        assert {point.share for point in panel.points} <= of_release
        assert {str(phrases.whole_100(point.share)) for point in panel.points} <= {*told[panel.label]}


def test_everybody_comes_first_and_a_group_without_a_point_has_no_curve() -> None:
    found = curves.curves(everything(), FORM, "pain")
    assert found and found.panels[0].is_everybody and found.named == 30
    hidden = View(pages.release(hide=True), pages.magnesium())
    assert curves.curves(hidden, FORM, "pain") is None


def test_the_scale_ends_at_half_where_nothing_reaches_further() -> None:
    found = curves.curves(everything(), FORM, "pain")
    assert found and found.top == 1.0
    low = [
        one.model_copy(update={"estimate": 0.2, "ci_lower": 0.1, "ci_upper": 0.5})
        for one in pages.rows()
        if one.estimate
    ]
    half = curves.curves(View(pages.release().model_copy(update={"rows": tuple(low)}), pages.magnesium()), FORM, "pain")
    assert half and half.top == 0.5


# --- Upper levels ------------------------------------------------------------------------------------------------------


def of_dose() -> Release:
    """Doses as they are published: each group made of the stretches between ends of bands."""
    made = pages.release()
    levels = tuple(
        level.model_copy(update={"members": (f"stretch_{place}",)}) for place, level in enumerate(made.levels["dose"])
    )
    return made.model_copy(update={"levels": {**made.levels, "dose": levels}})


@pytest.mark.parametrize(
    ("above", "under"),
    [(250, 2), (200, 2), (199, 1), (201, 2), (50, 0)],
    ids=["within", "where a group starts", "below", "past", "first"],
)
def test_a_limit_lies_under_the_group_that_holds_it(above: float, under: int) -> None:
    limit = {"code": "eu", "label": "Above the level", "above": above, "source": "EFSA"}
    given = pages.magnesium().model_dump()
    given["items"]["dose"]["limits"] = [limit]
    view = View(of_dose(), pages.magnesium(items=given["items"]))
    chart = dose_chart(view.headline("dose_by_outcome", "pain"), view)
    assert isinstance(chart, DoseChart)
    assert chart.limits == {releases.DOSES[under]: ("\N{DOWNWARDS ARROW} Above the level",)}


def test_a_dose_without_limits_is_drawn_as_any_exposure() -> None:
    chart = dose_chart(club().headline("dose_by_outcome", "pain"), club())
    assert not isinstance(chart, DoseChart)


def test_upper_levels_are_words_in_the_drawing() -> None:
    view = View(of_dose(), pages.magnesium())
    chart = dose_chart(view.headline("dose_by_outcome", "pain"), view)
    text = "".join(ElementTree.fromstring(f"<a>{gallery.piece(chart)}</a>").itertext())
    assert "Above 250 mg a day" in text and "upper levels" in chart.alternative


# --- The flow ----------------------------------------------------------------------------------------------------------


def with_stages(*stages: tuple[str, int | None]) -> View:
    found = tuple(
        StageCount(stage=f"s{place}", label=label, n=n, hidden=n is None) for place, (label, n) in enumerate(stages)
    )
    return View(pages.release().model_copy(update={"stages": found}), pages.magnesium())


def test_the_flow_leads_from_rows_read_to_people_told_of() -> None:
    found = flow.flow(
        with_stages(("Rows in the exports", 2925), ("Left out: no consent", None), ("Answers used", 1165))
    )
    assert found
    assert [(step.label, step.number) for step in found.steps][:3] == [
        ("Rows in the exports", "2,925"),
        ("Left out: no consent", "hidden"),
        ("Answers used", "1,165"),
    ]
    assert [step.label for step in found.told] == ["Pain at least 30 % lower"]
    assert found.headline == "About 1,165 answers were used, of about 2,925 rows read"


def test_a_hidden_stage_has_no_number_in_diagram_title_or_table() -> None:
    found = flow.flow(with_stages(("Rows in the exports", None), ("Left out", None), ("Answers used", 1165)))
    assert found and not re.search(r"\d", found.headline)
    assert found.read.is_hidden and cells_of(flow.grid(found)).startswith("Rows in the exports | hidden")


@pytest.mark.parametrize("stages", [(), (("Rows in the exports", 5),)])
def test_without_two_stages_there_is_no_flow(stages: tuple[tuple[str, int]]) -> None:
    assert flow.flow(with_stages(*stages)) is None


def test_every_number_of_the_diagram_stands_in_its_table() -> None:
    found = flow.flow(everything())
    assert found
    drawn = "".join(ElementTree.fromstring(f"<a>{gallery.piece(found)}</a>").itertext())
    table = cells_of(flow.grid(found))
    assert all(step.number in drawn and step.number in table for step in found.steps)


# --- The checklist -----------------------------------------------------------------------------------------------------

CHERRIES = "1 2a 2b 2c 3 4a 4b 4c 5a 5b 5c 5d 5e 5f 5g 5h 5i 5j 5k 6a 6b 6c 6d 7a 7b 7c 7d 8a 8b 8c"
CROSS = (
    "1a 1b 2 3 4 5a 5b 5c 5d 6a 6b 6c 6d 7a 7b 7c 8 9a 9b 10a 10b 10c 10d 10e 10f 10g 11a 11b 11c 11d 12 13a 13b 13c "
    "14 15 16 17 18 19"
)
STROBE = "1a 1b 2 3 4 5 6a 7 8 9 10 11 12a 12b 12c 12d 12e 13a 13b 13c 14a 14b 15 16a 16b 16c 17 18 19 20 21 22"


@pytest.mark.parametrize(("name", "wanted"), [("cherries", CHERRIES), ("cross", CROSS), ("strobe", STROBE)])
def test_every_point_of_the_three_lists_is_in_the_checklist(name: str, wanted: str) -> None:
    found = {number for point in checklist.POINTS for number in getattr(point, name).split()}
    assert found == {*wanted.split()}


def test_what_the_survey_file_does_not_say_is_not_known() -> None:
    silent = pages.magnesium(recruitment="")
    for instrument, said in ((pages.magnesium(), pages.magnesium().recruitment), (silent, checklist.NOT_KNOWN)):
        found = checklist.checklist(View(pages.release(), instrument))
        line = next(line for line in found.grid.lines if line.label == "How people were found and invited")
        assert line.cells[0] == Cell(said, muted=instrument is silent)


def test_the_count_of_answered_points_is_that_of_the_table() -> None:
    found = checklist.checklist(everything())
    known = sum(not line.cells[0].muted for line in found.grid.lines)
    assert f"Of {len(checklist.POINTS)} points, this run answers {known};" in found.answered
    assert 0 < known < len(checklist.POINTS)


@pytest.mark.parametrize("points", [True, False])
def test_what_would_be_expected_anyway_is_claimed_only_where_it_is_told(points: bool) -> None:
    rows = [row for row in pages.rows() if points or not row.statistic.endswith("_anyway")]
    view = View(releases.release(pages.magnesium(), rows), pages.magnesium())
    text = cells_of(checklist.checklist(view).grid)
    assert ("expected anyway" in text) is points


# --- Sorting -----------------------------------------------------------------------------------------------------------


@given(st.decimals(-100_000, 100_000, places=2), st.sampled_from(sorted(LANGUAGES)))
def test_a_number_is_read_back_as_it_was_written(number: Decimal, language: str) -> None:
    with speaking(language):
        assert Decimal(number_in(Cell(f"{written(number)} (1 to 2)"))) == number


@given(st.integers(-10_000_000, 10_000_000), st.sampled_from(sorted(LANGUAGES)))
def test_grouped_thousands_are_read_back(number: int, language: str) -> None:
    with speaking(language):
        assert int(number_in(Cell(whole(number)))) == number


@pytest.mark.parametrize(
    ("cells", "numeric"),
    [
        (["24 (22 to 27)", "hidden", "9 (8 to 11) uncertain"], True),
        (["18 to 27", "5 to 25"], True),
        (["15 of 800"], True),
        (["0.1 to 0.8 lower", "0.2 lower"], False),
        (["Not known"], False),
        (["hidden"], False),
    ],
)
def test_a_column_is_sorted_by_numbers_where_they_can_be_set_in_order(cells: list[str], numeric: bool) -> None:
    lines = tuple(Line("x", (Cell(text, muted=text == "hidden"),)) for text in cells)
    (found,) = sortable(Grid("g", "g", ("c",), lines)).by_number
    assert found is numeric


def test_a_hidden_cell_has_no_number_to_sort_by() -> None:
    assert number_in(Cell("hidden 5", muted=True)) == "" == number_in(Cell("hidden"))


def test_the_page_runs_its_own_script_and_no_other() -> None:
    (script,) = re.findall(r"<script>(.*?)</script>", page(), re.DOTALL)
    (allowed,) = re.findall(r"script-src 'sha256-([^']+)'", page())
    assert b64encode(sha256(script.encode()).digest()).decode() == allowed
    assert "default-src 'none'" in page() and not re.search(r"\son[a-z]+=|eval\(|innerHTML|https?:", script)


def test_the_order_of_the_page_is_findings_limits_parts_methods_stages_checklist() -> None:
    wanted = ["in-short", "limits", FORM, "more", "who", "hidden", "methods", "flow", "checklist", "files"]
    places = [page().index(f'<section id="{name}"') for name in wanted]
    assert places == sorted(places)


def test_headings_go_down_one_step_at_a_time() -> None:
    steps = [int(level) for level in re.findall(r"<h([1-6])", page())]
    assert steps[0] == 1 and steps.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(steps))


# --- The feed ----------------------------------------------------------------------------------------------------------

ATOM = "{http://www.w3.org/2005/Atom}"


def waves(*changes: dict[str, Any]) -> list[View]:
    return [View(releases.magnesium_release(**one), releases.magnesium()) for one in changes]


def entries(content: bytes) -> list[ElementTree.Element]:
    return ElementTree.fromstring(content).findall(f"{ATOM}entry")


def test_the_feed_has_an_entry_a_wave_the_newest_first_and_all_that_atom_asks_for() -> None:
    content = feed.feed(waves({"wave": "2025-12"}, {"wave": "2026-01"}), releases.magnesium())
    root = ElementTree.fromstring(content)
    assert [one.findtext(f"{ATOM}title") for one in entries(content)] == [
        "Magnesium and fibromyalgia, January 2026",
        "Magnesium and fibromyalgia, December 2025",
    ]
    for part in (root, *entries(content)):
        assert all(part.findtext(f"{ATOM}{tag}") for tag in ("id", "title", "updated"))
    assert root.findtext(f"{ATOM}author/{ATOM}name") and root.findtext(f"{ATOM}updated") == "2026-01-31T00:00:00Z"
    ids = [part.findtext(f"{ATOM}id") for part in (root, *entries(content))]
    assert len({*ids}) == 3 and all(str(one).startswith("urn:uuid:") for one in ids)


def test_an_entry_holds_the_findings_in_plain_words_and_links_to_its_page() -> None:
    (entry,) = entries(feed.feed(waves({"wave": "2026-01"}), releases.magnesium()))
    content = entry.find(f"{ATOM}content")
    assert content is not None and content.get("type") == "xhtml"
    tags = {element.tag for element in content.iter()} - {content.tag}
    assert tags <= {f"{{{feed.XHTML}}}{tag}" for tag in ("div", "p", "ul", "li", "strong", "a")}
    text = " ".join("".join(content.itertext()).split())
    assert "None of this shows what caused what." in text and "None of this" in str(entry.findtext(f"{ATOM}summary"))
    link = entry.find(f"{ATOM}link")
    assert link is not None and link.get("href") == "2026-01/index.html"


@pytest.mark.parametrize(
    ("wave", "number", "said"),
    [
        ("2026", 1, "2026-12-31T00:00:00Z"),
        ("2026-Q1", 1, "2026-03-31T00:00:00Z"),
        ("2024-02", 1, "2024-02-29T00:00:00Z"),
        ("2024-02", 2, "2024-02-29T00:01:00Z"),
        ("2026-W01", 1, "2026-01-01T00:00:00Z"),
    ],
)
def test_an_entry_was_updated_on_the_last_day_of_its_wave_and_later_if_corrected(
    wave: str, number: int, said: str
) -> None:
    (view,) = waves({"wave": wave, "release_number": number})
    assert feed.updated(view) == said


def test_names_stay_the_same_and_a_community_can_give_its_own() -> None:
    assert feed.name_of("club", "2026-01") == feed.name_of("club", "2026-01") != feed.name_of("club", "2026-02")
    own = made({"feed_id": "tag:example.org,2026:surveys", "address": "https://example.org/club/"}, Path())
    with wearing(own):
        assert feed.name_of("club", "2026-01") == "tag:example.org,2026:surveys/club/2026-01"
        assert b'xml:base="https://example.org/club/"' in feed.feed((), releases.magnesium())


def test_the_index_leads_to_the_feed() -> None:
    content = render_index([releases.magnesium_release(wave="2026-01")], releases.magnesium())
    assert b'<link rel="alternate" type="application/atom+xml" href="feed.xml"' in content["index.html"]
    assert len(entries(content["feed.xml"])) == 1
    assert not entries(render_index([], releases.magnesium())["feed.xml"])


# --- The look ----------------------------------------------------------------------------------------------------------


def test_the_shipped_theme_is_what_is_used_without_one() -> None:
    shipped = read_theme(Path(__file__).parents[1] / "schemas" / "theme.toml")
    assert shipped == DEFAULT and shipped_text("theme.toml").startswith("#")


def test_a_theme_is_found_beside_the_instrument_then_for_all_then_shipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_theme("club") == DEFAULT
    (tmp_path / "schemas" / "club").mkdir(parents=True)
    (tmp_path / "schemas" / "theme.toml").write_text('name = "all"')
    assert load_theme("club").file.name == "all"
    (tmp_path / "schemas" / "club" / "theme.toml").write_text('name = "club"')
    (tmp_path / "schemas" / "club" / "instrument.toml").write_text("")
    for where in ("club", tmp_path / "schemas" / "club", tmp_path / "schemas" / "club" / "instrument.toml"):
        assert load_theme(where).file.name == "club"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"colours": {}}, "colours"),
        ({"light": {"inc": "#000000"}}, "Did you mean 'ink'"),
        ({"light": {"ink": "black"}}, "a colour is #"),
        ({"fonts": {"page": ["x; } body { display: none"]}}, "a font is named by"),
        ({"footer": {"link": "javascript:alert(1)"}}, "a link begins with"),
        ({"feed_id": "surveys"}, "feed_id begins with"),
        ({"logo": {"file": "../logo.svg", "alt": "x"}}, "does not lie beside it"),
        ({"logo": {"file": "logo.svg", "alt": ""}}, "alt"),
    ],
)
def test_a_theme_that_cannot_be_meant_is_refused(given: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match=re.escape(said)):
        made(given, tmp_path)


@pytest.mark.parametrize(
    ("quiet", "fits"), [("#767676", True), ("#777777", False)], ids=["4.54 to 1 on white", "4.48 to 1 on white"]
)
def test_text_needs_a_contrast_of_four_and_a_half(quiet: str, fits: bool) -> None:
    given = {"light": {"quiet": quiet, "paper": "#ffffff"}}
    if fits:
        assert made(given, Path()).colour("quiet", "light") == quiet
        return
    with pytest.raises(
        InputRefused, match=r"\[light\], quiet on paper has a contrast of 4.47 to 1, and text needs 4.5 to 1"
    ):
        made(given, Path())


def test_marks_need_a_contrast_of_three_in_the_dark_too() -> None:
    with pytest.raises(InputRefused, match=r"\[dark\], mark on band .* a mark in a chart needs 3 to 1"):
        made({"dark": {"band": "#6a7178"}}, Path())


def test_colours_of_charts_must_differ() -> None:
    with pytest.raises(InputRefused, match="are the same colour"):
        made({"light": {"line": Light().band}}, Path())
    assert made({"light": {"paper": "#FFFFFF"}}, Path()).colour("paper", "light") == Light().card == "#ffffff"


@pytest.mark.parametrize(
    ("first", "second", "ratio"),
    [("#000000", "#ffffff", 21.0), ("#777777", "#ffffff", 4.48), ("#123456", "#123456", 1)],
)
def test_contrast_is_that_of_the_guidelines(first: str, second: str, ratio: float) -> None:
    assert contrast(first, second) == contrast(second, first) == pytest.approx(ratio, abs=0.005)


def test_pages_and_charts_wear_the_theme_and_only_inside() -> None:
    worn = made(
        {"light": {"mark": "#005a30"}, "dark": {"mark": "#7fd8a8"}, "footer": {"contact": "Write to us."}}, Path()
    )
    before = report(everything(), None, drawn={})
    with wearing(worn):
        inside = report(everything(), None, drawn={}).decode()
        assert theme.MARK.variable == "var(--mark, #005a30)"
    assert "--mark: #005a30;" in inside and "--mark: #7fd8a8;" in inside and "Write to us." in inside
    assert Light().mark not in inside and Dark().mark not in inside
    assert report(everything(), None, drawn={}) == before


SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 4">{}</svg>'


def test_a_logo_becomes_a_part_of_the_page(tmp_path: Path) -> None:
    (tmp_path / "logo.svg").write_text(SVG.format('<circle cx="2" cy="2" r="2" fill="#123"/>'))
    worn = made({"logo": {"file": "logo.svg", "alt": 'The "club"'}}, tmp_path)
    with wearing(worn):
        text = report(everything(), None, drawn={}).decode()
    (source,) = re.findall(r'<img src="data:image/svg\+xml;base64,([^"]+)" alt="The &#34;club&#34;"', text)
    assert ElementTree.fromstring(b64decode(source)).tag.endswith("svg")


@pytest.mark.parametrize(
    "inside",
    [
        "<script>alert(1)</script>",
        '<circle r="1" onload="alert(1)"/>',
        '<image href="https://example.org/x.png"/>',
        '<use href="https://example.org/x.svg#a"/>',
        '<a href="javascript:alert(1)"><circle r="1"/></a>',
        "<style>@import url(https://example.org)</style>",
        '<circle r="1" style="fill: url(https://example.org)"/>',
        '<circle r="1" fill="url(https://example.org/x#a)"/>',
        "<foreignObject/>",
        '<animate attributeName="href"/>',
    ],
)
def test_a_logo_that_may_run_or_fetch_something_is_refused(inside: str) -> None:
    with pytest.raises(InputRefused, match="may run or fetch"):
        logo_address(SVG.format(inside).encode())


@pytest.mark.parametrize(
    "content",
    [b"", b"GIF89a", b"<html/>", b'<!DOCTYPE svg [<!ENTITY a "b">]>' + SVG.format("&a;").encode(), b"<svg"],
)
def test_a_logo_that_is_no_drawing_is_refused(content: bytes) -> None:
    with pytest.raises(InputRefused):
        logo_address(content)


def test_a_font_of_the_community_is_a_part_of_the_page(tmp_path: Path) -> None:
    (tmp_path / "our.woff2").write_bytes(b"wOF2 and more")
    worn = made({"fonts": {"file": "our.woff2", "family": "Our font"}}, tmp_path)
    with wearing(worn):
        text = report(everything(), None, drawn={}).decode()
    assert 'src: url("data:font/woff2;base64,' in text and 'font-family: "Our font", system-ui' in text
    (tmp_path / "our.woff2").write_bytes(b"true type")
    with pytest.raises(InputRefused, match="no WOFF2"):
        made({"fonts": {"file": "our.woff2"}}, tmp_path)


@pytest.mark.parametrize(("size", "fits"), [(60_000, True), (60_001, False)])
def test_a_logo_has_a_largest_size(size: int, fits: bool, tmp_path: Path) -> None:
    (tmp_path / "logo.png").write_bytes(b"\x89PNG\r\n\x1a\n".ljust(size, b"\0"))
    given = {"logo": {"file": "logo.png", "alt": "x"}}
    if fits:
        assert made(given, tmp_path).logo.startswith("data:image/png;base64,")
        return
    with pytest.raises(InputRefused, match="60,001 bytes"):
        made(given, tmp_path)

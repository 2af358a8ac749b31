"""Charts in words and as files: each alternative tells the finding of its chart and agrees with the table beside it."""

import re
from io import BytesIO
from typing import Any

import pages
import pytest
import releases
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image, ImageColor

from survey_pipeline import names
from survey_pipeline.instrument import Instrument
from survey_pipeline.language import speaking
from survey_pipeline.look import DEFAULT, Theme, ThemeFile, wearing
from survey_pipeline.names import Status
from survey_pipeline.release import Release, Row
from survey_pipeline.render import alternatives, grids, render_index, theme, words
from survey_pipeline.render.charts import Chart, Drawn, Picture
from survey_pipeline.render.gallery import draw, drawings, frames
from survey_pipeline.render.view import View

FORM = ("form_by_outcome", "magnesium_form")
LEVELS = ("Citrate", "Malate", "Oxide", "Chloride", "None")
ABOVE = re.compile("The range of “(.+?)” lies wholly above that of “(.+?)”")


def view_of(rows: list[Row]) -> View:
    return View(releases.release(releases.magnesium(), rows), releases.magnesium())


def pain(level: str, value: float | None, **more: Any) -> Row:
    return releases.row(*FORM, level, "pain", "responder_30", value, **more)


def alternative(view: View, table: str = FORM[0]) -> str:
    return alternatives.comparison(view.charted(table)[0], view)


# --- Groups ------------------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(10, 90), min_size=1, max_size=5), st.sets(st.sampled_from(LEVELS)))
@example([80, 20, 90], {"Oxide"})
@example([80, 20], set())
def test_a_group_is_named_as_higher_only_where_the_table_shows_it(shares: list[int], unsure: set[str]) -> None:
    status = {level: Status.UNRELIABLE if level in unsure else Status.OK for level in LEVELS}
    pairs = zip(LEVELS, shares, strict=False)
    view = view_of([pain(level, value / 100, status=status[level]) for level, value in pairs])
    (found,) = view.charted("form_by_outcome")
    rows = {row.level: row for row in found.levels}
    named, told = ABOVE.search(alternative(view)), words.headline(found, view)
    assert f"{told}." in alternative(view)
    assert (named is not None) == ("differ" in told)
    if named:
        high, low = (rows[level] for level in named.groups())
        assert (high.ci_lower or 0) > (low.ci_upper or 1) and not {high.level, low.level} & unsure
        sure = [row.estimate or 0 for row in found.levels if row.level not in unsure]
        # All ranges here are as wide as each other, so that the outermost levels are those with the outermost numbers.
        assert (high.estimate, low.estimate) == (max(sure), min(sure))


def test_hidden_groups_are_said_to_be_hidden_and_only_they() -> None:
    view = view_of([pain("Citrate", 0.4), pain("Malate", None), pain("Oxide", 0.3)])
    assert "Hidden to protect people: Malate." in alternative(view)
    assert "Hidden" not in alternative(view_of([pain("Citrate", 0.4), pain("Oxide", 0.3)]))


def test_a_trend_along_a_dose_is_told_as_beside_the_chart() -> None:
    view = View(pages.release(), pages.magnesium())
    (found,) = view.charted("dose_by_outcome")
    assert found.trend == "down"
    told = alternative(view, "dose_by_outcome")
    assert "On the whole, people with higher doses reported more improvement." in told
    assert words.dose_trend(found) in words.contrast(found, view)


def numbers_in(text: str) -> set[str]:
    return set(re.findall(r"\d[\d.,]*\d|\d", text))


def table_text(view: View, table: str) -> str:
    """Everything that stands in the tables of a section."""
    found = [grids.outcome_grid(view, table, outcome) for outcome in view.outcomes(table)]
    cells = [cell.text for grid in found for line in grid.lines for cell in line.cells]
    labels = [text for grid in found for text in (grid.caption, *grid.columns, *(line.label for line in grid.lines))]
    return " ".join([*cells, *labels, "100"])


def test_no_alternative_holds_a_number_that_its_table_does_not_hold() -> None:
    view = View(pages.release(), pages.magnesium())
    told = {frame.name: frame.alternative for frame in frames(view) if isinstance(frame, Chart | Picture)}
    assert len(told) >= 4
    for name, text in told.items():
        table = "form_by_outcome" if name == "in_100" else name.partition("-")[0]
        assert numbers_in(text) <= numbers_in(table_text(view, table))


def test_the_picture_says_how_many_circles_are_filled() -> None:
    view = View(pages.release(), pages.magnesium())
    (picture,) = (frame for frame in frames(view) if isinstance(frame, Picture))
    assert picture.headline in picture.alternative
    assert f"about {picture.filled} in 100" in picture.alternative


# --- Answers -----------------------------------------------------------------------------------------------------------


def side_effects(**shares: float | None) -> View:
    rows = [
        releases.row("form_by_side_effect", FORM[1], names.ALL_LEVELS, f"side_effects__{code}", "share", share)
        for code, share in shares.items()
    ]
    return view_of(rows)


@pytest.mark.parametrize(("diarrhoea", "stomach", "named"), [(0.3, 0.2, "diarrhoea"), (0.2, 0.3, "upset stomach")])
def test_the_answer_named_is_the_highest_in_the_table(diarrhoea: float, stomach: float, named: str) -> None:
    (chart,) = frames(side_effects(diarrhoea=diarrhoea, stomach=stomach, other=None))
    assert isinstance(chart, Chart)
    assert f"Side effects: {named} was reported most often." in chart.alternative
    assert chart.dots[0].label.casefold() == named
    for told in (chart.alternative, " ".join(chart.notes)):
        assert "Hidden to protect people: Side effects, other." in told


def test_many_hidden_answers_are_counted_and_not_named() -> None:
    view = side_effects(diarrhoea=None)
    (found,) = view.options("form_by_side_effect")
    few, many = [found] * words.MOST_NAMED, [found] * (words.MOST_NAMED + 1)
    assert "Side effects, diarrhoea" in alternatives.hidden_answers(few, view)
    assert alternatives.hidden_answers(many, view) == "Hidden to protect people: 13 answers."
    assert alternatives.hidden_answers([], view) == ""


# --- Waves -------------------------------------------------------------------------------------------------------------


def over(*rows: Row, anew: tuple[bool, ...] = (False,) * 4) -> str:
    view = view_of(list(rows))
    measure = view.measure("pain", "responder_30")
    return alternatives.over_waves(measure, rows, view, anew[: len(rows)], has_bands=False)


def wave(month: int, value: float | None, **more: Any) -> Row:
    return pain(names.ALL_LEVELS, value, **more).model_copy(update={"wave": f"2026-{month:02}"})


ABOVE_BEFORE = "The range of March 2026 lies wholly above that of January 2026."
BELOW_BEFORE = "The range of March 2026 lies wholly below that of January 2026."
OVERLAP = "The ranges of March 2026 and January 2026 overlap, so a difference may be chance."


@pytest.mark.parametrize(
    ("newer", "said"), [(0.61, ABOVE_BEFORE), (0.60, OVERLAP), (0.40, OVERLAP), (0.20, OVERLAP), (0.19, BELOW_BEFORE)]
)
def test_the_last_two_waves_shown_are_set_beside_each_other(newer: float, said: str) -> None:
    told = over(wave(1, 0.4), wave(2, None), wave(3, newer))
    assert said in told and "Hidden to protect people: February 2026." in told


def test_waves_are_not_compared_over_a_changed_question_nor_where_one_is_uncertain() -> None:
    both = wave(1, 0.2), wave(3, 0.8)
    assert alternatives.ANEW in over(*both, anew=(False, True))
    assert alternatives.ANEW in over(both[0], wave(2, None), both[1], anew=(False, True, False))
    assert alternatives.ANEW not in over(wave(1, 0.2), wave(2, 0.2), wave(3, 0.8), anew=(False, True, False))
    assert alternatives.NOT_SURE in over(both[0], wave(3, 0.8, status=Status.UNRELIABLE))
    assert alternatives.NOT_SURE in over(both[0], wave(3, 0.8, ci_lower=None, ci_upper=None))
    assert alternatives.ONE_WAVE in over(both[0], wave(3, None))


def test_a_wave_that_was_not_read_is_not_said_to_be_hidden() -> None:
    unread = wave(2, None).model_copy(update={"status": Status.NOT_ASKED})
    assert "idden" not in over(wave(1, 0.3), unread, wave(3, 0.4))


def three_waves(instrument: Instrument) -> list[Release]:
    rows = [pain(names.ALL_LEVELS, 0.3), pain("Citrate", 0.4)]
    return [releases.release(instrument, rows, f"2026-{month:02}") for month in (1, 2, 3)]


def test_the_page_of_waves_tells_its_charts() -> None:
    instrument = releases.magnesium()
    page = render_index(three_waves(instrument), instrument)["index.html"].decode()
    assert "The ranges of March 2026 and February 2026 overlap, so a difference may be chance." in page
    broken = render_index(three_waves(instrument), instrument, {"2026-03": frozenset({"pain"})})["index.html"].decode()
    assert alternatives.ANEW in broken and "may be chance." not in broken


# --- Files -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def drawn() -> list[Drawn]:
    return list(drawings(View(pages.release(), pages.magnesium())).values())


def size_of(png: bytes) -> tuple[int, int]:
    """Width and height as the file's header says, bytes 16 to 23 of every PNG."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    return int.from_bytes(png[16:20]), int.from_bytes(png[20:24])


def test_each_chart_comes_in_two_sizes(drawn: list[Drawn]) -> None:
    assert len(drawn) >= 4
    for one in drawn:
        assert (one.large.width, one.small.width) == (2025, 1200)
        for picture in (one.large, one.small):
            assert size_of(picture.png) == (picture.width, picture.height)
        assert abs(one.large.height / one.large.width - one.small.height / one.small.width) < 0.002
        assert len(one.small.png) < min(len(one.large.png), 150_000), "fit for a telephone on the road"


OWN = Theme(ThemeFile.model_validate({"light": {"mark": "#7a1fa2", "ink": "#102030", "card": "#fffaf0"}}))


@pytest.mark.parametrize("look", [DEFAULT, OWN], ids=["default", "own"])
def test_pictures_hold_the_colours_of_the_look_and_few_others(look: Theme) -> None:
    with wearing(look):
        one = draw(
            next(frame for frame in frames(View(pages.release(), pages.magnesium())) if isinstance(frame, Chart))
        )
        own = {ImageColor.getrgb(colour.light) for colour in (theme.CARD, theme.INK, theme.MARK)}
    for picture in (one.large, one.small):
        found = {colour for _, colour in Image.open(BytesIO(picture.png)).convert("RGB").getcolors(1000) or []}
        assert own <= found and len(found) <= 100


def test_a_newsletter_shows_two_dots_as_one(drawn: list[Drawn]) -> None:
    for one in drawn:
        width, height = one.small.shown
        assert width == 600 and abs(2 * height - one.small.height) <= 1


def test_where_things_lie_does_not_depend_on_the_language() -> None:
    view = View(pages.release(), pages.magnesium())
    with speaking("de"):
        german = next(frame for frame in frames(view) if isinstance(frame, Chart))
    english = next(frame for frame in frames(view) if isinstance(frame, Chart))
    assert german.axis == english.axis
    assert [dot.value for dot in german.lines] == [dot.value for dot in english.lines]

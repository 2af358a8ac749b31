"""The trend over waves: published numbers of everybody, side by side, broken where a question was changed."""

import polars as pl
import pytest
import releases

from survey_pipeline.language import wave_in_words
from survey_pipeline.names import LEVEL, NUMBERS, OUTCOME, STATISTIC, STATUS, TABLE, WHO_ANSWERED, Status
from survey_pipeline.release import Release
from survey_pipeline.render import render_index
from survey_pipeline.trend import SERIES, TREND_SCHEMA, trend

WAVES = ("2025-4", "2026-1", "2026-2")
NOTHING: dict[str, frozenset[str]] = {}


@pytest.fixture(scope="module")
def three() -> list[Release]:
    return [releases.magnesium_release(wave=wave) for wave in WAVES]


def of(found: pl.DataFrame, outcome: str, statistic: str) -> pl.DataFrame:
    return found.filter((pl.col(OUTCOME) == outcome) & (pl.col(STATISTIC) == statistic))


def test_each_number_of_everybody_stands_once_a_wave(three: list[Release]) -> None:
    found = trend(three, NOTHING)
    assert dict(found.schema) == {
        name: kind() if isinstance(kind, type) else kind for name, kind in TREND_SCHEMA.items()
    }
    wanted = {
        (row.outcome, row.statistic, release.wave)
        for release in three
        for row in release.rows
        if row.level == "all" and row.table != WHO_ANSWERED
    }
    assert set(found.select(OUTCOME, STATISTIC, LEVEL).iter_rows()) == wanted
    assert found.height == len(wanted) > 0


def test_the_numbers_are_the_published_ones(three: list[Release]) -> None:
    (row,) = of(trend(three[:1], NOTHING), "pain", "mean_change").iter_rows(named=True)
    published = next(
        row for row in three[0].rows if (row.outcome, row.statistic, row.level) == ("pain", "mean_change", "all")
    )
    assert {name: row[name] for name in NUMBERS} == {name: getattr(published, name) for name in NUMBERS}
    assert (row[TABLE], row["exposure"], row[LEVEL]) == ("trend_over_waves", "wave", WAVES[0])


def test_a_hidden_number_is_hidden_in_the_trend_too(three: list[Release]) -> None:
    nothing = dict.fromkeys(NUMBERS) | {"status": Status.SUPPRESSED}
    hidden = three[1].model_copy(update={"rows": tuple(row.model_copy(update=nothing) for row in three[1].rows)})
    found = trend([three[0], hidden], NOTHING).filter(pl.col(LEVEL) == WAVES[1])
    assert set(found[STATUS]) == {"suppressed"}
    assert all(found[name].null_count() == found.height for name in NUMBERS)


@pytest.mark.parametrize(
    ("changed", "series"),
    [
        (NOTHING, [1, 1, 1]),
        ({WAVES[1]: frozenset({"pain"})}, [1, 2, 2]),
        ({WAVES[2]: frozenset({"pain"})}, [1, 1, 2]),
        ({WAVES[1]: frozenset({"pain"}), WAVES[2]: frozenset({"pain"})}, [1, 2, 3]),
        ({WAVES[0]: frozenset({"pain"})}, [1, 1, 1]),
        ({WAVES[1]: frozenset({"pai", "stress"})}, [1, 1, 1]),
    ],
)
def test_a_changed_question_begins_a_series_of_its_own(
    changed: dict[str, frozenset[str]], series: list[int], three: list[Release]
) -> None:
    assert of(trend(three, changed), "pain", "mean")[SERIES].to_list() == series


def test_an_option_belongs_to_its_question(three: list[Release]) -> None:
    found = trend(three, {WAVES[1]: frozenset({"side_effects"})})
    options = found.filter(pl.col(OUTCOME).str.starts_with("side_effects__"))
    assert options.height and options.filter(pl.col(LEVEL) == WAVES[1])[SERIES].unique().to_list() == [2]


def test_the_order_in_which_waves_are_given_does_not_matter(three: list[Release]) -> None:
    assert trend(three, NOTHING).equals(trend(three[::-1], NOTHING))


def test_no_wave_has_no_trend() -> None:
    assert trend([], NOTHING).is_empty()


def test_the_page_of_waves_shows_the_trend_and_says_where_it_is_broken(three: list[Release]) -> None:
    files = render_index(three, releases.magnesium(), {WAVES[2]: frozenset({"pain"})})
    page = files["index.html"].decode()
    assert "wave by wave" in page and f"{wave_in_words(WAVES[2])}, asked anew" in page
    assert "do not compare that wave" in page
    assert files["trend_over_waves.csv"].startswith(b"instrument,wave,table,")


def test_one_wave_alone_has_no_chart_over_waves(three: list[Release]) -> None:
    assert b"wave by wave" not in render_index(three[:1], releases.magnesium())["index.html"]

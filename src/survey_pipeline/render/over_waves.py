"""Over the waves: charts and tables of what everybody said, wave after wave.

What belongs here: which outcomes are shown over time, and their charts' parts. What does not: the numbers (`trend`) and how
charts are drawn (`charts`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl
from markupsafe import Markup

from survey_pipeline import names
from survey_pipeline.language import say, say_in, wave_in_words, whole
from survey_pipeline.names import Status
from survey_pipeline.release import Row
from survey_pipeline.render import alternatives, anyway, phrases, words
from survey_pipeline.render.charts import Chart, axis_of, dot_of, with_band
from survey_pipeline.render.gallery import piece
from survey_pipeline.render.measure import ANYWAY, Measure
from survey_pipeline.render.view import View, is_shown
from survey_pipeline.spreadsheets import harmless_frame
from survey_pipeline.trend import SERIES

FEWEST_WAVES = 2


@dataclass(frozen=True)
class Wave:
    """One outcome in one wave: its published row, whether its question was changed since the wave before, and what might be
    expected anyway, where the wave has it.
    """

    row: Row
    is_new_series: bool
    band: Row | None = None

    @property
    def label(self) -> str:
        wave = wave_in_words(self.row.wave)
        return say("{wave}, asked anew", wave=wave) if self.is_new_series else wave


@dataclass(frozen=True)
class Course:
    """One outcome over the waves, for the page: its title, its chart, and its lines (wave, value, range, people, and what
    might be expected anyway if `has_bands`).
    """

    title: str
    drawing: Markup | None
    lines: tuple[tuple[str, ...], ...]
    is_broken: bool
    has_bands: bool = False


def csv(trend: pl.DataFrame) -> bytes:
    """The trend as CSV: tidy columns, `provenance` and `series`."""
    return harmless_frame(trend).write_csv(line_terminator="\n", null_value="").encode()


def courses(trend: pl.DataFrame, newest: View) -> tuple[Course, ...]:
    """The primary outcomes of the newest wave over all waves; none where there is only one wave."""
    found = ((one.measure, _waves(trend, one.measure)) for one in newest.primary)
    several = {measure.outcome: (measure, waves) for measure, waves in found if len(waves) >= FEWEST_WAVES}
    return tuple(_course(measure, waves, newest) for measure, waves in several.values())


def _waves(trend: pl.DataFrame, measure: Measure) -> list[Wave]:
    mine = trend.filter(pl.col(names.OUTCOME) == measure.outcome)
    of_number = mine.filter(pl.col(names.STATISTIC) == measure.statistic)
    bands = {band.wave: band for band in _rows(mine.filter(pl.col(names.STATISTIC) == f"{measure.statistic}{ANYWAY}"))}
    series = [1, *of_number[SERIES].to_list()]
    return [
        Wave(row, before != now, bands.get(row.wave))
        for row, before, now in zip(_rows(of_number), series, series[1:], strict=False)
    ]


def _rows(trend: pl.DataFrame) -> list[Row]:
    return [Row.model_validate({name: row[name] for name in Row.model_fields}) for row in trend.iter_rows(named=True)]


def _course(measure: Measure, waves: Sequence[Wave], view: View) -> Course:
    drawn = Markup(piece(_chart(measure, waves, view))) if any(is_shown(wave.row) for wave in waves) else None
    has_bands = any(is_shown(wave.band) for wave in waves)
    lines = tuple(_line(wave, measure, has_bands) for wave in reversed(waves))
    broken = any(wave.is_new_series for wave in waves)
    return Course(words.over_waves(measure), drawn, lines, broken, has_bands)


def _line(wave: Wave, measure: Measure, has_bands: bool) -> tuple[str, ...]:
    row = wave.row
    expected = (anyway.in_brief(wave.band, measure) or say_in("a cell of a table", "not known"),) if has_bands else ()
    if not is_shown(row) or row.estimate is None:
        return wave.label, words.cell(row, measure, 0), "", "", *expected
    people = say_in("a cell of a table", "not known") if row.n_respondents is None else whole(row.n_respondents)
    value = phrases.brief(row.estimate, measure)
    marked = (
        say_in("a cell of a table", "{number} uncertain", number=value) if row.status is Status.UNRELIABLE else value
    )
    return wave.label, marked, words.range_in_brief(row, measure), people, *expected


def _chart(measure: Measure, waves: Sequence[Wave], view: View) -> Chart:
    shown = [wave for wave in waves if is_shown(wave.row)]
    rows = [row for wave in shown for row in (wave.row, wave.band) if row is not None and is_shown(row)]
    return Chart(
        name=f"trend-{measure.outcome}",
        headline=words.over_waves(measure),
        subtitle=words.subtitle(measure),
        dots=tuple(with_band(dot_of(wave.row, measure, wave.label), wave.band) for wave in shown),
        everybody=None,
        axis=axis_of(rows, measure),
        notes=tuple(_notes(waves)),
        invented=view.release.is_invented,
        alternative=_alternative(measure, waves, view),
        heading=words.over_waves(measure),
    )


def _alternative(measure: Measure, waves: Sequence[Wave], view: View) -> str:
    has_bands = any(is_shown(wave.row) and is_shown(wave.band) for wave in waves)
    rows, anew = [wave.row for wave in waves], [wave.is_new_series for wave in waves]
    return alternatives.over_waves(measure, rows, view, anew, has_bands)


def _notes(waves: Sequence[Wave]) -> Iterator[str]:
    yield say(words.OTHER_PEOPLE)
    if any(is_shown(wave.band) for wave in waves):
        yield say(anyway.NOTE)
    if words.has_uncertain(wave.row for wave in waves):
        yield say(words.UNCERTAIN_DOTS)
    if any(wave.is_new_series for wave in waves):
        yield say(words.BROKEN_SERIES)
    if hidden := alternatives.hidden_waves(wave.row for wave in waves):
        yield hidden

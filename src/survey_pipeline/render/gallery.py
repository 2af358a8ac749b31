"""The gallery: every drawing of a wave, in the order in which the page shows them, and each drawn once.

What belongs here: which drawings there are and what draws each kind. What does not: what stands in them (`charts`, `curves`,
`before_and_now`, `upper_levels`, `flow`).
"""

from collections.abc import Iterator
from functools import singledispatch

from matplotlib.figure import Figure

from survey_pipeline.render import before_and_now, charts, curves, flow, upper_levels
from survey_pipeline.render.charts import Chart, Drawn, Frame, Picture, options_chart, picture
from survey_pipeline.render.room import IN_A_DRAWING, Room, in_room
from survey_pipeline.render.view import View

FOR_DRAWINGS = Room(IN_A_DRAWING, IN_A_DRAWING, 0)


def drawings(view: View) -> dict[str, Drawn]:
    """Every drawing of a release, by its name."""
    return {frame.name: draw(frame) for frame in frames(in_room(view, FOR_DRAWINGS))}


def frames(view: View) -> Iterator[Frame]:
    """Every drawing of a release: the picture of 100 people, the primary outcomes, and closed questions."""
    hundred = next((found for found in (picture(one, view) for one in view.primary[:1]) if found), None)
    if hundred:
        yield hundred
    for table in view.sections:
        yield from of_table(view, table)


def of_table(view: View, table: str) -> Iterator[Frame]:
    """The drawings of a table: its outcomes, by form also how far people improved and where they began, or its answers."""
    comparisons = view.charted(table)
    for found in comparisons:
        if found.shown:
            yield upper_levels.dose_chart(found, view)
        if view.exposure(table) == view.instrument.form:
            yield from _of_form(view, table, found.measure.outcome)
    options = None if comparisons else options_chart(table, view.options(table), view)
    if options:
        yield options


def _of_form(view: View, table: str, outcome: str) -> Iterator[Frame]:
    found = (curves.curves(view, table, outcome), before_and_now.before_and_now(view, table, outcome))
    yield from filter(None, found)


def draw(frame: Frame) -> Drawn:
    """A drawing as files and as a piece of the page."""
    return charts.drawn(frame, lambda: figure_of(frame))


def piece(frame: Frame) -> str:
    """A drawing as a piece of the page alone."""
    with charts.same_everywhere(frame.name):
        return charts.inline_of(charts.svg_of(figure_of(frame), "none"), frame)


@singledispatch
def figure_of(frame: Frame) -> Figure:
    """A drawing as matplotlib's figure; each kind is drawn where it is described."""
    raise TypeError(f"nothing draws a {type(frame).__name__}")


figure_of.register(Chart, charts.chart_figure)
figure_of.register(Picture, charts.picture_figure)
figure_of.register(curves.Curves, curves.figure_of)
figure_of.register(flow.Flow, flow.figure_of)
figure_of.register(before_and_now.BeforeAndNow, before_and_now.figure_of)
figure_of.register(upper_levels.DoseChart, upper_levels.figure_of)

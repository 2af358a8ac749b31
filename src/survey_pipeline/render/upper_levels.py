"""Upper levels: the chart of an outcome by dose, with the limits that the instrument names as lines across the doses.

What belongs here: where a limit lies among the published doses, and drawing it. What does not: the chart itself (`charts`),
how many people lie above a limit (`lesser`), and any advice. A limit is drawn beneath the last group that holds doses up to
it; a group may hold doses on both sides, and that is said.
"""

from dataclasses import dataclass, fields
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from survey_pipeline.instrument import Item, Limit
from survey_pipeline.language import say
from survey_pipeline.levels import band_ends, lies_above
from survey_pipeline.plain import clean
from survey_pipeline.release import PublishedLevel
from survey_pipeline.render import charts, phrases
from survey_pipeline.render.charts import LINE_HEIGHT, ROW, Chart, Dot, comparison_chart
from survey_pipeline.render.strokes import wrapped
from survey_pipeline.render.theme import WARN
from survey_pipeline.render.view import Comparison, View

BELOW = "\N{DOWNWARDS ARROW}"
"""Before the words of a limit: what lies beneath its line is above it in dose."""


@dataclass(frozen=True, kw_only=True)
class DoseChart(Chart):
    """A chart by dose, with the words of each limit by the label of the line under which it lies."""

    limits: dict[str, tuple[str, ...]]


def dose_chart(found: Comparison, view: View) -> Chart:
    """The chart of a comparison, with its dose's limits where it has any that lie among what is shown."""
    chart = comparison_chart(found, view)
    limits = _limits(found, view)
    if not limits:
        return chart
    given = {field.name: getattr(chart, field.name) for field in fields(chart)}
    said = say("Dashed lines are upper levels of the dose. The group above a line may lie on both sides of it.")
    last = say("Groups without a dose stand last; the lines are not about them.") if _has_others(found, view) else ""
    told = say("Dashed lines across the doses mark upper levels.")
    notes, alternative = tuple(filter(None, (said, last, *chart.notes))), f"{chart.alternative} {told}"
    return DoseChart(**{**given, "notes": notes, "alternative": alternative}, limits=limits)


def _has_others(found: Comparison, view: View) -> bool:
    """Whether a shown group has no dose, such as people who did not say."""
    item, shown = view.instrument.items.get(found.exposure), {row.level for row in found.shown}
    levels = [level for level in view.release.levels.get(found.exposure, ()) if level.label in shown]
    return item is not None and any(not _stretches(level, item) for level in levels)


def _limits(found: Comparison, view: View) -> dict[str, tuple[str, ...]]:
    """By the label of a shown level, the limits that lie in it or at its end."""
    item = view.instrument.items.get(found.exposure)
    shown = {row.level for row in found.shown}
    placed: dict[str, tuple[str, ...]] = {}
    for limit in sorted(item.limits, key=lambda one: one.above) if item and found.ordered else ():
        level = _level_of(limit, item, view.release.levels.get(found.exposure, ())) if item else None
        if level is not None and level.label in shown:
            label = phrases.level_label(level.label)
            placed[label] = (*placed.get(label, ()), f"{BELOW} {clean(limit.label)}")
    return placed


def _level_of(limit: Limit, item: Item, levels: tuple[PublishedLevel, ...]) -> PublishedLevel | None:
    """The last published level that holds doses up to a limit; None where no level holds doses above it."""
    sides = {level.label: {lies_above(code, limit.above, item) for code in _stretches(level, item)} for level in levels}
    if not any(True in side or None in side for side in sides.values()):
        return None
    return next((level for level in reversed(levels) if {False, None} & sides[level.label]), None)


def _stretches(level: PublishedLevel, item: Item) -> list[str]:
    """The stretches between ends of bands that a level is made of: not people without an answer."""
    known = {f"stretch_{place}" for place in range(len(band_ends(item)))}
    return [code for code in level.members if code in known]


# --- Drawing -----------------------------------------------------------------------------------------------------------


def figure_of(chart: DoseChart) -> Figure:
    """As any chart of dots, with a strip for each limit beneath the level in which it lies."""
    labels = [charts.label_lines(dot, bold=dot is chart.everybody) for dot in chart.lines]
    strips = [_strip(chart, dot) for dot in chart.lines]
    heights = [
        ROW + LINE_HEIGHT * (len(lines) - 1) + _height(strip) for lines, strip in zip(labels, strips, strict=True)
    ]
    scale = 0.27 + (0.26 if chart.axis.directed else 0)
    figure = charts.framed(chart, sum(heights) + scale)
    axes = charts.axes_in(figure, chart, sum(heights) + scale)
    axes.set_ylim(sum(heights) + scale, 0)
    axes.set_xlim(*((chart.axis.high, chart.axis.low) if chart.axis.mirrored else (chart.axis.low, chart.axis.high)))
    for place, dot in enumerate(chart.lines):
        top, end = sum(heights[:place]), sum(heights[: place + 1]) - _height(strips[place])
        _draw_row(axes, chart, dot, labels[place], (top, end))
        _draw_limits(axes, strips[place], end)
    charts.write_scale(figure, chart, chart.head_height + sum(heights) + 0.2)
    return figure


def _draw_row(axes: Axes, chart: DoseChart, dot: Dot, lines: list[str], ends: tuple[float, float]) -> None:
    top, end = ends
    charts.draw_track(axes, chart, dot, end - 0.18)
    charts.draw_dot(axes, dot, end - 0.18, whole=dot is chart.everybody)
    charts.write_label(axes, dot, lines, top + 0.24, whole=dot is chart.everybody)


def _strip(chart: DoseChart, dot: Dot) -> list[list[str]]:
    limits = () if dot is chart.everybody else chart.limits.get(dot.label, ())
    return [wrapped(text, charts.INNER) for text in limits]


def _height(strip: list[list[str]]) -> float:
    return sum(0.16 + LINE_HEIGHT * len(lines) for lines in strip)


def _draw_limits(axes: Axes, strip: list[list[str]], top: float) -> None:
    look: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "clip_on": False}
    for lines in strip:
        axes.plot([0, 1], [top + 0.07] * 2, color=WARN.light, lw=1.4, ls=(0, (4, 3)), zorder=2, **look)
        for place, line in enumerate(lines):
            at = top + 0.25 + LINE_HEIGHT * place
            axes.text(0, at, line, color=WARN.light, fontsize=11.5, va="baseline", parse_math=False, **look)
        top += 0.16 + LINE_HEIGHT * len(lines)

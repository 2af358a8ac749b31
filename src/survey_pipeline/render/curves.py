"""Curves: how many people improved by at least so many per cent, group by group, each beside everybody.

What belongs here: the responder curve of an outcome as small charts side by side. What does not: its numbers (`view`) and its
table (`grids`). Each group has a chart of its own, so that no line need be told from another by its colour; everybody's line
is dashed behind it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from survey_pipeline import names
from survey_pipeline.language import per_cent, say
from survey_pipeline.names import Status
from survey_pipeline.release import Row
from survey_pipeline.render import phrases, theme, words
from survey_pipeline.render.charts import INNER, LINE_HEIGHT, Frame
from survey_pipeline.render.measure import Measure
from survey_pipeline.render.strokes import canvas, in_words, mark, wrapped, write
from survey_pipeline.render.theme import INK, LINE, MARK, QUIET
from survey_pipeline.render.view import Comparison, View, is_shown, per_cent_of

ACROSS: Final = 2
"""Charts side by side."""
APART: Final = 0.28
WIDE: Final = (INNER - APART * (ACROSS - 1)) / ACROSS
SCALE: Final = 0.3
"""Inches left of a chart for the words of its scale."""
HIGH: Final = 1.1
SCALE_SIZE: Final = 11.0
FEWEST_POINTS: Final = 3
"""A line of fewer points says no more than the chart of one of them."""


@dataclass(frozen=True)
class Point:
    """One point of a curve: by how many per cent at least, and the share of people with its range."""

    per_cent: int
    share: float
    low: float | None
    high: float | None
    sure: bool


@dataclass(frozen=True)
class Panel:
    """The curve of one group; `number` is what its named point shows, in words."""

    label: str
    people: str
    points: tuple[Point, ...]
    is_everybody: bool = False

    @cached_property
    def lines(self) -> list[str]:
        return wrapped(self.label, WIDE, theme.LABEL_SIZE - 1, bold=True)


@dataclass(frozen=True, kw_only=True)
class Curves(Frame):
    """Curves of everybody and of each group on one scale; `named` is the point whose number is written beside it."""

    panels: tuple[Panel, ...]
    named: int
    top: float


def curves(view: View, table: str, outcome: str) -> Curves | None:
    """The responder curves of an outcome; None where there is nothing to draw."""
    found = view.curve(table, outcome)
    panels = tuple(_panels(found))
    if not panels or len(found) < FEWEST_POINTS:
        return None
    measure, hidden = found[0].measure, tuple(_hidden(found))
    return Curves(
        name=f"{table}-{outcome}-curve",
        headline=_headline(found),
        subtitle=_subtitle(measure),
        notes=tuple(filter(None, _notes(found, hidden))),
        invented=view.release.is_invented,
        alternative=_alternative(found, view),
        heading=say("{outcome}: how far people improved", outcome=measure.label),
        panels=panels,
        named=per_cent_of(view.headline(table, outcome).measure) or 0,
        top=1.0 if _highest(panels) > 0.5 else 0.5,
    )


def _panels(found: Sequence[Comparison]) -> Iterator[Panel]:
    """Everybody's curve, then each group's in the order of the table; a group with nothing to show has none."""
    levels = [names.ALL_LEVELS, *(row.level for one in found[:1] for row in one.levels)]
    for level in levels:
        rows = [(per_cent_of(one.measure) or 0, _row(one, level)) for one in found]
        points = tuple(_point(at, row) for at, row in rows if row is not None and is_shown(row))
        first = next((row for _, row in rows if row is not None and is_shown(row)), None)
        if first is not None:
            count = "" if first.n_respondents is None else phrases.people(first.n_respondents)
            yield Panel(phrases.level_label(level), count, points, level == names.ALL_LEVELS)


def _row(found: Comparison, level: str) -> Row | None:
    rows = (found.everybody, *found.levels)
    return next((row for row in rows if row is not None and row.level == level), None)


def _point(at: int, row: Row) -> Point:
    return Point(at, row.estimate or 0.0, row.ci_lower, row.ci_upper, row.status is not Status.UNRELIABLE)


def _highest(panels: Sequence[Panel]) -> float:
    return max(max(point.share, point.high or 0.0) for panel in panels for point in panel.points)


def _hidden(found: Sequence[Comparison]) -> Iterator[Row]:
    """The rows of groups of which no point is shown."""
    for row in found[0].levels:
        points = [_row(one, row.level) for one in found]
        if all(point is None or not is_shown(point) for point in points) and row.status is Status.SUPPRESSED:
            yield row


# --- Words -------------------------------------------------------------------------------------------------------------


def headline(view: View, table: str, outcome: str) -> str:
    """What is found about how far people improved."""
    return _headline(view.curve(table, outcome))


def _headline(found: Sequence[Comparison]) -> str:
    """What everybody reported, at the first and at the last of the usual thresholds that are shown."""
    label = found[0].measure.label
    told = [(one, one.everybody) for one in found if is_shown(one.everybody)]
    usual = [(one, row) for one, row in told if one.measure.threshold] or told
    (first, less), (last, more) = usual[0] if usual else (None, None), usual[-1] if usual else (None, None)
    if first is None or last is None or less is None or more is None or first is last:
        return say("{outcome}: how far people improved", outcome=label)
    return say(
        "{outcome}: at least {less} better for about {many}, at least {more} better for about {few}",
        outcome=label,
        less=_at(first),
        many=phrases.per_100(less.estimate or 0.0),
        more=_at(last),
        few=phrases.per_100(more.estimate or 0.0),
    )


def _at(found: Comparison) -> str:
    return per_cent(str(per_cent_of(found.measure) or 0))


def _subtitle(measure: Measure) -> str:
    better = measure.item.better if measure.item else None
    if better == "lower":
        return say(
            "People in 100 (upwards) whose answer was at least so many per cent lower than before (to the right)"
        )
    if better == "higher":
        return say(
            "People in 100 (upwards) whose answer was at least so many per cent higher than before (to the right)"
        )
    return say("People in 100 (upwards) whose answer was at least so many per cent better than before (to the right)")


def _notes(found: Sequence[Comparison], hidden: Sequence[Row]) -> Iterator[str]:
    yield say("Dashed: everybody who answered. Upright lines are ranges.")
    rows = [row for one in found for row in (one.everybody, *one.levels) if row is not None]
    whole = {row.level for row in hidden}
    if words.has_uncertain(rows):
        yield say(words.UNCERTAIN_DOTS)
    if any(row.status is Status.SUPPRESSED and row.level not in whole for row in rows):
        yield say("Points that are missing are hidden, to protect people.")
    yield words.hidden_levels(hidden)
    yield say(words.NO_CAUSE_CHART)


def _alternative(found: Sequence[Comparison], view: View) -> str:
    kind = say("Small line charts, one for each group, each beside everybody's line.")
    finding = say("{sentence}.", sentence=_headline(found))
    shown = say("Shown: {counted}.", counted=_subtitle(found[0].measure))
    return in_words(view, kind, finding, shown, words.hidden_levels(_hidden(found)))


def sentences(found: Curves) -> tuple[str, ...]:
    """How the small charts are read."""
    fall = say("Each small chart is one group. Its line falls, since fewer people reach more improvement.")
    bold = say("The bold number stands at {per_cent}.", per_cent=per_cent(str(found.named))) if found.named else ""
    return tuple(filter(None, (fall, bold, say("What might be expected anyway stands in the chart before this one."))))


# --- Drawing -----------------------------------------------------------------------------------------------------------


def figure_of(found: Curves) -> Figure:
    """Charts in rows of two, everybody's first."""
    rows = [found.panels[start : start + ACROSS] for start in range(0, len(found.panels), ACROSS)]
    heights = [_head(row) + HIGH + 0.42 for row in rows]
    figure, axes = canvas(found, sum(heights))
    everybody = next((panel for panel in found.panels if panel.is_everybody), None)
    for place, row in enumerate(rows):
        for column, panel in enumerate(row):
            _draw(axes, found, panel, everybody, (column * (WIDE + APART), sum(heights[:place]), _head(row)))
    return figure


def _head(row: Sequence[Panel]) -> float:
    """How high the words above a row of charts are, in inches."""
    return LINE_HEIGHT * (max(len(panel.lines) for panel in row) + 1) + 0.12


def _draw(axes: Axes, found: Curves, panel: Panel, everybody: Panel | None, at: tuple[float, float, float]) -> None:
    left, top, head = at
    for place, line in enumerate(panel.lines):
        look = {"color": INK.light, "weight": "bold", "fontsize": theme.LABEL_SIZE - 1}
        write(axes, left, top + 0.18 + LINE_HEIGHT * place, line, **look)
    write(axes, left, top + 0.17 + LINE_HEIGHT * len(panel.lines), panel.people)
    plane = _Plane(left + SCALE, top + head + HIGH, found)
    _draw_scale(axes, plane)
    if everybody is not None and panel is not everybody:
        _draw_line(axes, plane, everybody.points, dashed=True)
    _draw_line(axes, plane, panel.points, dashed=False, colour=INK.light if panel.is_everybody else MARK.light)
    _draw_points(axes, plane, panel)


@dataclass(frozen=True)
class _Plane:
    """Where per cent and shares lie, in inches."""

    left: float
    bottom: float
    of: Curves

    @property
    def ends(self) -> tuple[int, int]:
        found = [point.per_cent for panel in self.of.panels for point in panel.points]
        return min(found), max(found)

    def x(self, per_cent: float) -> float:
        first, last = self.ends
        return self.left + 0.1 + (WIDE - SCALE - 0.25) * (per_cent - first) / max(last - first, 1)

    def y(self, share: float) -> float:
        return self.bottom - HIGH * share / self.of.top


def _draw_scale(axes: Axes, plane: _Plane) -> None:
    right = plane.left + WIDE - SCALE
    for share in (0.0, plane.of.top / 2, plane.of.top):
        edge = QUIET.light if not share else LINE.light
        axes.plot([plane.left, right], [plane.y(share)] * 2, color=edge, lw=0.9, zorder=1, clip_on=False)
        write(axes, plane.left - 0.06, plane.y(share) + 0.05, str(round(share * 100)), ha="right", fontsize=SCALE_SIZE)
    first, last = plane.ends
    for at in dict.fromkeys((first, plane.of.named, last)):
        if first <= at <= last:
            text = per_cent(str(at)) if at == last else str(at)
            write(axes, plane.x(at), plane.bottom + 0.2, text, ha="center", fontsize=SCALE_SIZE)


def _draw_line(axes: Axes, plane: _Plane, points: Sequence[Point], dashed: bool, colour: str = "") -> None:
    dashes: dict[str, Any] = {"lw": 1.3, "ls": (0, (3, 2)), "zorder": 2}
    look = dashes if dashed else {"lw": 2.0, "zorder": 3}
    across, down = [plane.x(point.per_cent) for point in points], [plane.y(point.share) for point in points]
    axes.plot(across, down, color=colour or QUIET.light, clip_on=False, **look)


def _draw_points(axes: Axes, plane: _Plane, panel: Panel) -> None:
    colour, marker = (INK.light, "D") if panel.is_everybody else (MARK.light, "o")
    for point in panel.points:
        across = plane.x(point.per_cent)
        if point.low is not None and point.high is not None:
            ends = [plane.y(point.low), plane.y(point.high)]
            axes.plot([across, across], ends, color=colour, lw=1.3, zorder=3, clip_on=False)
        mark(axes, across, plane.y(point.share), marker, colour, point.sure, 4.2)
        if point.per_cent == plane.of.named:
            above = plane.y(max(point.share, point.high or 0.0)) - 0.07
            text = phrases.share_number(point.share)
            write(axes, across + 0.03, above, text, color=INK.light, weight="bold", ha="left")

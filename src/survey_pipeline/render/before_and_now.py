"""Before and now: where each group began and where it is, in one outcome.

What belongs here: averages before and now as pairs of marks. What does not: the numbers (`view`) and their table (`grids`).
People often start something new in a bad spell, so what might be expected anyway stands beside it (`anyway`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from survey_pipeline import names
from survey_pipeline.language import say, whole
from survey_pipeline.names import Status
from survey_pipeline.release import Row
from survey_pipeline.render import anyway, charts, grids, phrases, words
from survey_pipeline.render.charts import LINE_HEIGHT, ROW, Chart, Dot, axis_of, dot_of
from survey_pipeline.render.grids import Cell, Grid, Line
from survey_pipeline.render.measure import Measure
from survey_pipeline.render.strokes import in_words
from survey_pipeline.render.theme import CARD, INK, LINE, MARK, QUIET
from survey_pipeline.render.view import Comparison, View, is_shown

OFF: float = 0.065
"""How far the marks of before and now lie above and below the middle of their line, in inches."""
TOLD = ("mean_baseline", "mean", "mean_change", "mean_change_anyway")
"""The statistics of which the chart and its table tell."""
DEEPER: float = 0.06
"""How much higher a line is than in other charts."""


@dataclass(frozen=True, kw_only=True)
class BeforeAndNow(Chart):
    """Averages now, as in any chart, and with each the average before."""

    before: tuple[Dot, ...]
    """In the order of `dots`; everybody's comes first."""


def before_and_now(view: View, table: str, outcome: str) -> BeforeAndNow | None:
    """The averages of an outcome before and now, by group; None where no group shows both."""
    if not {"mean_baseline", "mean"} <= {*view.statistics(table, outcome)}:
        return None
    before, now = (view.comparison(table, outcome, name) for name in ("mean_baseline", "mean"))
    pairs = list(_pairs(before, now))
    if not pairs:
        return None
    dots = tuple(_pair(first, second, now) for first, second in pairs)
    return BeforeAndNow(
        name=f"{table}-{outcome}-before",
        headline=_headline(view, table, outcome),
        subtitle=words.subtitle(now.measure),
        dots=dots,
        everybody=None,
        axis=axis_of([row for pair in pairs for row in pair], now.measure),
        notes=tuple(filter(None, _notes(pairs, now))),
        invented=view.release.is_invented,
        alternative=_alternative(view, now, pairs),
        heading=name_of(now.measure),
        before=tuple(dot_of(first, before.measure) for first, _ in pairs),
    )


def name_of(measure: Measure) -> str:
    """What the chart of an outcome is called where its finding is not told."""
    return say("{outcome}: before and now", outcome=measure.label)


def sentences(view: View, table: str, outcome: str) -> tuple[str, ...]:
    """What stands beside the chart: which groups changed by more than might be expected anyway."""
    if "mean_change" not in view.statistics(table, outcome):
        return ()
    return anyway.groups(view.comparison(table, outcome, "mean_change"))


def _pairs(before: Comparison, now: Comparison) -> Iterator[tuple[Row, Row]]:
    """Rows before and now of everybody, then of each group from the best to the worst, where both are shown."""
    earlier = {row.level: row for row in (before.everybody, *before.levels) if row is not None and is_shown(row)}
    for row in (now.everybody, *now.sorted):
        if row is not None and is_shown(row) and row.level in earlier:
            yield earlier[row.level], row


def _pair(before: Row, now: Row, found: Comparison) -> Dot:
    """The row of now, with both numbers as its words; uncertain where one of them is."""
    dot = dot_of(now, found.measure)
    first, last = (phrases.number(row.estimate or 0.0, found.measure) for row in (before, now))
    return replace(dot, text=say("{before} → {now}", before=first, now=last))


def _headline(view: View, table: str, outcome: str) -> str:
    """In how many of the groups the average change is better for certain, as a word: all, some or none."""
    label = view.measure(outcome, "mean").label
    change = (
        view.comparison(table, outcome, "mean_change") if "mean_change" in view.statistics(table, outcome) else None
    )
    shown = [row for row in change.compared if row.ci_lower is not None and row.ci_upper is not None] if change else []
    if change is None or not shown or change.measure.better is None:
        return say("{outcome}: the averages before and now", outcome=label)
    sides = [_is_better(row, change.measure.better) for row in shown]
    if all(sides):
        return say("{outcome}: in every group shown, the average now is better than before", outcome=label)
    if any(sides):
        return say("{outcome}: in some groups, the average now is clearly better than before", outcome=label)
    return say("{outcome}: in no group is the average now clearly better than before", outcome=label)


def _is_better(row: Row, better: str) -> bool:
    return (row.ci_upper or 0.0) < 0 if better == "lower" else (row.ci_lower or 0.0) > 0


def _notes(pairs: Sequence[tuple[Row, Row]], now: Comparison) -> Iterator[str]:
    yield say("Open squares: before, as people remember it. Dots: now. Lines through them are ranges.")
    if words.has_uncertain(row for pair in pairs for row in pair):
        yield say("Some of these numbers are uncertain: too few people, or too wide a range.")
    shown = {row.level for _, row in pairs}
    yield words.hidden_levels(row for row in now.levels if row.level not in shown and row.status is Status.SUPPRESSED)
    yield say(words.NO_CAUSE_CHART)


def _alternative(view: View, now: Comparison, pairs: Sequence[tuple[Row, Row]]) -> str:
    kind = say("Chart of pairs of marks, before and now, one pair for each group.")
    finding = say("{sentence}.", sentence=_headline(view, now.table, now.measure.outcome))
    shown = {row.level for _, row in pairs}
    hidden = words.hidden_levels(row for row in now.hidden if row.level not in shown)
    return in_words(view, kind, finding, say("Shown: {counted}.", counted=words.subtitle(now.measure)), hidden)


def grid(view: View, table: str, outcome: str) -> Grid:
    """The averages before and now, how they changed, and what might be expected anyway: of each group, with its people."""
    shown = view.for_table(table, outcome)
    places = [place for place, one in enumerate(shown) if one.measure.statistic in TOLD]
    whole_grid, now = grids.outcome_grid(view, table, outcome), view.comparison(table, outcome, "mean")
    rows = [grids.row_at(now, level) for level in (names.ALL_LEVELS, *(row.level for row in shown[0].levels))]
    lines = tuple(
        Line(line.label, (*(line.cells[place] for place in places), _people(row)), line.whole)
        for line, row in zip(whole_grid.lines, rows, strict=True)
    )
    columns = (*(whole_grid.columns[place] for place in places), say("People now"))
    caption = say("{caption}: before and now", caption=whole_grid.caption)
    return Grid(name_of(now.measure), caption, columns, lines, whole_grid.head)


def _people(row: Row | None) -> Cell:
    if row is None or not is_shown(row) or row.n_respondents is None:
        return Cell(say(words.HIDDEN), muted=True)
    return Cell(whole(row.n_respondents))


# --- Drawing -----------------------------------------------------------------------------------------------------------


def figure_of(chart: BeforeAndNow) -> Figure:
    """From top to bottom: everybody who answered, the groups, the scale."""
    labels = [charts.label_lines(dot, bold=False) for dot in chart.dots]
    heights = [ROW + DEEPER + LINE_HEIGHT * (len(lines) - 1) for lines in labels]
    scale = 0.27 + (0.26 if chart.axis.directed else 0)
    figure = charts.framed(chart, sum(heights) + scale)
    axes = charts.axes_in(figure, chart, sum(heights) + scale)
    axes.set_ylim(sum(heights) + scale, 0)
    axes.set_xlim(*((chart.axis.high, chart.axis.low) if chart.axis.mirrored else (chart.axis.low, chart.axis.high)))
    for place, (dot, before) in enumerate(zip(chart.dots, chart.before, strict=True)):
        top = sum(heights[:place])
        is_everybody = dot.label == phrases.level_label(names.ALL_LEVELS)
        _draw_pair(axes, chart, before, dot, top + heights[place] - 0.2)
        charts.write_label(axes, dot, labels[place], top + 0.24, whole=is_everybody)
    charts.write_scale(figure, chart, chart.head_height + sum(heights) + 0.2)
    return figure


def _draw_pair(axes: Axes, chart: BeforeAndNow, before: Dot, now: Dot, y: float) -> None:
    for tick, _ in chart.axis.ticks:
        axes.plot([tick, tick], [y - 0.12, y + 0.12], color=LINE.light, lw=0.8, zorder=1, clip_on=False)
    axes.plot([before.value, now.value], [y - OFF, y + OFF], color=QUIET.light, lw=1.0, zorder=2, clip_on=False)
    colour = INK.light if now.label == phrases.level_label(names.ALL_LEVELS) else MARK.light
    for dot, at, edge, marker, size in ((before, y - OFF, QUIET.light, "s", 5.5), (now, y + OFF, colour, "o", 7.5)):
        if dot.low is not None and dot.high is not None:
            axes.plot([dot.low, dot.high], [at, at], color=edge, lw=1.8, zorder=3, clip_on=False)
        face = edge if marker == "o" and dot.sure else CARD.light
        axes.plot([dot.value], [at], marker, ms=size, mfc=face, mec=edge, mew=1.6, zorder=4, clip_on=False)

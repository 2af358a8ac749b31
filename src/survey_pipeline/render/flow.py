"""Flow: from rows in the exports to the people whose answers are told, as a diagram and as a table.

What belongs here: the stages of a release as boxes, in the manner of CONSORT and STROBE, and their table. What does not:
counting them (`stages`) and hiding small ones (`disclose`). A number that is hidden is a word in both.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from survey_pipeline.language import say, whole
from survey_pipeline.plain import clean
from survey_pipeline.release import StageCount
from survey_pipeline.render import words
from survey_pipeline.render.charts import INNER, LINE_HEIGHT, Frame
from survey_pipeline.render.grids import Cell, Grid, Line
from survey_pipeline.render.strokes import canvas, in_words, wrapped, write
from survey_pipeline.render.theme import BAND, CARD, INK, MARK, QUIET
from survey_pipeline.render.view import View, is_shown

FEWEST: Final = 2
"""Stages that a flow needs: from one to another."""
MAIN: Final = 1.95
"""How wide the boxes of what goes on are, in inches."""
SIDE: Final = INNER - MAIN - 0.3
PAD: Final = 0.1
GAP: Final = 0.16


@dataclass(frozen=True)
class Step:
    """A box: what it is about, and its number in words (or that it is hidden)."""

    label: str
    number: str
    is_hidden: bool = False


@dataclass(frozen=True, kw_only=True)
class Flow(Frame):
    """What was read, what was left out of it and set aside, what was used, and of how many people each outcome tells."""

    read: Step
    left: tuple[Step, ...]
    kept: Step
    told: tuple[Step, ...]

    @property
    def steps(self) -> tuple[Step, ...]:
        return (self.read, *self.left, self.kept, *self.told)

    @cached_property
    def side_lines(self) -> list[tuple[list[str], Step]]:
        return [(wrapped(step.label, SIDE - 2 * PAD), step) for step in self.left]


def flow(view: View) -> Flow | None:
    """The flow of a release, whose first stage is what was read and whose last what was used; None without both."""
    if len(view.release.stages) < FEWEST:
        return None
    read, *left, kept = view.release.stages
    headline, told = _headline(read, kept), tuple(_told(view))
    kind = say("Diagram of boxes, from rows in the exports to answers that are told.")
    return Flow(
        name="flow",
        headline=headline,
        subtitle=say("From rows in the exports to answers that are told"),
        notes=(say("Numbers are rounded. A hidden one is small, or could give a small one away."),),
        invented=view.release.is_invented,
        alternative=in_words(view, kind, say("{sentence}.", sentence=headline)),
        heading=say("Numbers at each stage"),
        read=_step(read),
        left=tuple(map(_step, left)),
        kept=_step(kept),
        told=told,
    )


def _headline(read: StageCount, kept: StageCount) -> str:
    if read.n is None or kept.n is None or read.hidden or kept.hidden:
        return say("From rows in the exports to answers used")
    return say("About {used} answers were used, of about {read} rows read", used=whole(kept.n), read=whole(read.n))


def _step(stage: StageCount) -> Step:
    if stage.n is None or stage.hidden:
        return Step(clean(stage.label), say(words.HIDDEN), is_hidden=True)
    return Step(clean(stage.label), whole(stage.n))


def _told(view: View) -> Iterator[Step]:
    """Of how many people the first table tells each primary outcome."""
    first = next((table for table in view.sections if view.charted(table)), None)
    for found in view.charted(first) if first else ():
        row = found.everybody
        if row is None or not is_shown(row) or row.n_respondents is None:
            yield Step(words.what(found.measure), say(words.HIDDEN), is_hidden=True)
        else:
            yield Step(words.what(found.measure), whole(row.n_respondents))


def grid(found: Flow) -> Grid:
    """The diagram as a table: a row for each box."""
    stages = [_line(step, step.label) for step in (found.read, *found.left, found.kept)]
    told = [_line(step, say("Told of: {outcome}", outcome=step.label)) for step in found.told]
    name = say("Numbers at each stage")
    return Grid(
        name, say("Rows of the exports, then people, rounded"), (say("Number"),), (*stages, *told), say("Stage")
    )


def _line(step: Step, label: str) -> Line:
    return Line(label, (Cell(step.number, muted=step.is_hidden),))


# --- Drawing -----------------------------------------------------------------------------------------------------------


def figure_of(found: Flow) -> Figure:
    """From top to bottom: what was read, beside it what was left out, what was used, and of whom is told."""
    ends = list(accumulate(_side_height(lines) + GAP / 2 for lines, _ in found.side_lines))
    top = _height(found.read)
    middle = top + GAP + max(ends[-1] if ends else 0.0, GAP)
    bottom = middle + _height(found.kept) + GAP * 1.5
    body = bottom + (_told_height(found) if found.told else 0.0) + 0.05
    figure, axes = canvas(found, body)
    _arrow(axes, top, middle)
    _main_box(axes, 0, found.read)
    _side_boxes(axes, found, top + GAP, ends)
    _main_box(axes, middle, found.kept)
    if found.told:
        _arrow(axes, middle + _height(found.kept), bottom)
        _told_box(axes, bottom, found)
    return figure


def _height(step: Step) -> float:
    return 2 * PAD + LINE_HEIGHT * (len(wrapped(step.label, MAIN - 2 * PAD)) + 1.15)


def _side_height(lines: list[str]) -> float:
    return 2 * PAD + LINE_HEIGHT * (len(lines) + 1) - 0.06


def _told_height(found: Flow) -> float:
    lines = sum(len(_told_lines(step)) for step in found.told)
    return 2 * PAD + LINE_HEIGHT * (lines + 1) + 0.07 * len(found.told)


def _told_lines(step: Step) -> list[str]:
    return wrapped(step.label, INNER - 2 * PAD - 0.75)


def _box(axes: Axes, left: float, top: float, width: float, height: float, is_side: bool = False) -> None:
    face, edge = (BAND.light, BAND.light) if is_side else (CARD.light, QUIET.light)
    look: dict[str, Any] = {
        "boxstyle": "round,pad=0,rounding_size=0.05",
        "fc": face,
        "ec": edge,
        "lw": 1.1,
        "zorder": 2,
    }
    axes.add_patch(FancyBboxPatch((left, top), width, height, **look)).set_clip_on(False)


def _main_box(axes: Axes, top: float, step: Step) -> None:
    _box(axes, 0, top, MAIN, _height(step))
    lines = wrapped(step.label, MAIN - 2 * PAD)
    for place, line in enumerate(lines):
        write(axes, PAD, top + PAD + 0.15 + LINE_HEIGHT * place, line, color=INK.light)
    _number(axes, PAD, top + PAD + 0.19 + LINE_HEIGHT * len(lines), step)


def _number(axes: Axes, left: float, top: float, step: Step, ha: str = "left") -> None:
    look = {"color": QUIET.light, "style": "italic"} if step.is_hidden else {"color": INK.light, "weight": "bold"}
    write(axes, left, top, step.number, ha=ha, **look)


def _side_boxes(axes: Axes, found: Flow, top: float, ends: list[float]) -> None:
    """Each with a line to the stem, since it leaves the way there."""
    left = MAIN + 0.3
    for (lines, step), end in zip(found.side_lines, ends, strict=True):
        height = _side_height(lines)
        start = top + end - height - GAP / 2
        _box(axes, left, start, SIDE, height, is_side=True)
        middle = start + height / 2
        axes.annotate("", (left, middle), (MAIN / 2, middle), arrowprops=_arrow_look(), annotation_clip=False)
        for place, line in enumerate(lines):
            write(axes, left + PAD, start + PAD + 0.13 + LINE_HEIGHT * place, line, color=INK.light)
        _number(axes, left + PAD, start + PAD + 0.13 + LINE_HEIGHT * len(lines), step)


def _arrow(axes: Axes, start: float, end: float) -> None:
    axes.annotate("", (MAIN / 2, end), (MAIN / 2, start), arrowprops=_arrow_look(), annotation_clip=False)


def _arrow_look() -> dict[str, object]:
    return {"arrowstyle": "-|>", "color": QUIET.light, "lw": 1.2, "shrinkA": 0, "shrinkB": 0, "mutation_scale": 9}


def _told_box(axes: Axes, top: float, found: Flow) -> None:
    _box(axes, 0, top, INNER, _told_height(found))
    write(axes, PAD, top + PAD + 0.15, say("People of whom is told, by outcome"), color=MARK.light, weight="bold")
    down = top + PAD + 0.15
    for step in found.told:
        down += 0.07
        lines = _told_lines(step)
        for place, line in enumerate(lines, 1):
            write(axes, PAD, down + LINE_HEIGHT * place, line, color=INK.light)
        _number(axes, INNER - PAD, down + LINE_HEIGHT, step, ha="right")
        down += LINE_HEIGHT * len(lines)

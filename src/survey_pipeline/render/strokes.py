"""Strokes: what the charts of several groups share, beside dots and ranges: lines, their scales, and their text alternative.

What belongs here: drawing in inches on a figure, and the sentences that every text alternative ends with. What does not: what
a chart shows (`curves`, `before_and_now`, `flow`), and figures as files (`charts`).
"""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from survey_pipeline.language import say
from survey_pipeline.render import charts, theme, words
from survey_pipeline.render.theme import CARD, QUIET
from survey_pipeline.render.view import View

NOTE = theme.NOTE_SIZE


def canvas(frame: charts.Frame, body: float) -> tuple[Figure, Axes]:
    """An empty drawing with the words around it, and a plane of so many inches beneath them: (0, 0) is its top left."""
    figure = charts.framed(frame, body)
    axes = charts.axes_in(figure, frame, body)
    axes.set(xlim=(0, charts.INNER), ylim=(body, 0))
    return figure, axes


def write(axes: Axes, left: float, top: float, text: str, **look: Any) -> None:
    """Words on a plane that is counted in inches."""
    options = {"fontsize": NOTE, "color": QUIET.light, "va": "baseline", "ha": "left", "parse_math": False, **look}
    axes.text(left, top, text, **options)


def mark(axes: Axes, across: float, down: float, marker: str, colour: str, sure: bool, size: float) -> None:
    """A mark: filled where its number is sure, open where it is uncertain."""
    face = colour if sure else CARD.light
    axes.plot([across], [down], marker, ms=size, mfc=face, mec=colour, mew=1.6, zorder=5, clip_on=False)


def wrapped(text: str, room: float, size: float = NOTE, bold: bool = False) -> list[str]:
    """A text in as many lines as fit into so many inches."""
    return charts.wrapped(text, size, room, bold)


def in_words(view: View, *sentences: str) -> str:
    """A text alternative: what is shown, where the numbers are, and that it shows no cause. Empty sentences are left out."""
    invented = say("{sentence}.", sentence=say(words.INVENTED)) if view.release.is_invented else ""
    return " ".join(filter(None, (*sentences, say(words.IN_ITS_TABLE), say(words.NO_CAUSE), invented)))

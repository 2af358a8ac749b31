"""Charts: dots with ranges and pictures of 100 people, as PNG and SVG, drawn once each.

What belongs here: drawing with matplotlib's object interface and making its output the same at any time. What does not:
choosing what to draw (`view`), and sentences (`words`). A chart is one column of a phone, carries its own title, and says
itself what is hidden and what it cannot show, as it will be passed on without the page.
"""

import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from io import BytesIO
from math import ceil, floor
from typing import Any, Final
from xml.etree import ElementTree

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Rectangle
from matplotlib.textpath import text_to_path
from PIL import Image, ImageColor

from survey_pipeline.language import say, say_in
from survey_pipeline.names import Status
from survey_pipeline.release import Row
from survey_pipeline.render import alternatives, anyway, phrases, theme, words
from survey_pipeline.render.measure import Measure
from survey_pipeline.render.theme import BAND, CARD, COLOURS, INK, LINE, MARK, QUIET, WARN, Colour
from survey_pipeline.render.view import Comparison, View, is_shown

MARGIN: Final = 0.14
TITLE_HEIGHT: Final = 0.265
ROW: Final = 0.66
LINE_HEIGHT: Final = 0.225
INNER: Final = theme.CHART_WIDTH - 2 * MARGIN
TRACK: Final = 0.11
"""Half the height of the strip in which a level's dot lies; the scale's lines keep to it, off the words."""
PRINT_WIDTH: Final = 2025
"""Pixels of the large picture: a column of 17 cm at 300 dots an inch."""
NEWSLETTER_WIDTH: Final = 1200
"""Pixels of the small picture: shown 600 wide, the most that mail programs have room for, at twice the dots."""
STEPS: Final = 10
"""Shades of a colour in a picture, where letters and marks end between two pixels."""
PICTURE: Final = (5, 20)
"""Rows and columns of the picture of 100 people."""
HEADLINE: Final = "headline"
"""The group of a chart's own title; the page takes it out, since its heading says the same."""
LABEL: Final = "label"
BESIDE: Final = "beside"
"""The groups of a level's label and of the people beside it; in the page they become one line of text."""
_SVG: Final = "{http://www.w3.org/2000/svg}"
_LINK: Final = "{http://www.w3.org/1999/xlink}href"


@dataclass(frozen=True)
class Dot:
    """One line of a chart: a label, how many people, a value with its range, and the value in words."""

    label: str
    people: str
    value: float
    low: float | None
    high: float | None
    text: str
    sure: bool = True
    anyway: tuple[float, float] | None = None
    """What might be expected anyway: a box behind the dot."""


@dataclass(frozen=True)
class Axis:
    """A horizontal scale: its ends, its ticks with words, and whether high values are drawn on the left."""

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    mirrored: bool = False
    directed: bool = False
    """Whether one side is better for the person; it is always the right one."""


@dataclass(frozen=True, kw_only=True)
class Frame:
    """What stands around every drawing: its title and what it counts above, notes beneath, and the same in words."""

    name: str
    headline: str
    subtitle: str
    notes: tuple[str, ...]
    invented: bool
    alternative: str
    heading: str
    """A short name, for a place where the finding stands nearby."""

    @cached_property
    def title_lines(self) -> list[str]:
        return wrapped(self.headline, theme.TITLE_SIZE, bold=True)

    @property
    def title_height(self) -> float:
        return 0.08 + TITLE_HEIGHT * len(self.title_lines)

    @cached_property
    def subtitle_lines(self) -> list[str]:
        return wrapped(self.subtitle, theme.NOTE_SIZE)

    @property
    def head_height(self) -> float:
        return self.title_height + LINE_HEIGHT * len(self.subtitle_lines) + 0.1

    @cached_property
    def note_lines(self) -> list[str]:
        return [line for note in self.notes for line in wrapped(note, theme.NOTE_SIZE)]

    @cached_property
    def invented_lines(self) -> list[str]:
        """That the data is invented, where it is."""
        return wrapped(say(words.INVENTED_CHART), theme.NOTE_SIZE, bold=True) if self.invented else []

    @property
    def foot_height(self) -> float:
        return 0.22 + LINE_HEIGHT * (len(self.note_lines) + len(self.invented_lines))


@dataclass(frozen=True, kw_only=True)
class Chart(Frame):
    """Dots with ranges on one scale."""

    dots: tuple[Dot, ...]
    everybody: Dot | None
    axis: Axis

    @property
    def lines(self) -> tuple[Dot, ...]:
        return (self.everybody, *self.dots) if self.everybody else self.dots

    @property
    def has_bands(self) -> bool:
        return any(dot.anyway for dot in self.lines)


@dataclass(frozen=True, kw_only=True)
class Picture(Frame):
    """A hundred people, as many of them filled as reported something."""

    filled: int


@dataclass(frozen=True)
class Bitmap:
    """A chart as PNG, with its width and height in pixels."""

    png: bytes
    width: int
    height: int

    @property
    def shown(self) -> tuple[int, int]:
        """Width and height at which an e-mail shows it, in CSS pixels: two dots of the file are one of these."""
        return self.width // 2, round(self.height / 2)


@dataclass(frozen=True)
class Drawn:
    """A chart as files (a large picture for print, a small one for newsletters, a drawing), and as a piece of the page."""

    chart: Frame
    large: Bitmap
    small: Bitmap
    svg: bytes
    inline: str


# --- From comparisons to charts ----------------------------------------------------------------------------------------


def comparison_chart(found: Comparison, view: View) -> Chart:
    """Levels of an exposure on one measure, with everybody who answered as the band behind them."""
    everybody = found.everybody if is_shown(found.everybody) else None
    rows = [*([everybody] if everybody else []), *found.sorted]
    bands = [band for band in map(found.band_of, rows) if band and is_shown(band)]
    return Chart(
        name=f"{found.table}-{found.measure.outcome}",
        headline=words.headline(found, view),
        subtitle=words.subtitle(found.measure),
        dots=tuple(with_band(dot_of(row, found.measure), found.band_of(row)) for row in found.sorted),
        everybody=with_band(dot_of(everybody, found.measure), found.band_of(everybody)) if everybody else None,
        axis=axis_of([*rows, *bands], found.measure),
        notes=tuple(filter(None, (*_marks(found, rows), words.hidden_levels(found.hidden), say(words.NO_CAUSE_CHART)))),
        invented=view.release.is_invented,
        alternative=alternatives.comparison(found, view),
        heading=words.heading(found, view),
    )


def with_band(dot: Dot, band: Row | None) -> Dot:
    """A line with what might be expected anyway, where that is published."""
    if band is None or band.ci_lower is None or band.ci_upper is None:
        return dot
    return replace(dot, anyway=(band.ci_lower, band.ci_upper))


def _marks(found: Comparison, rows: list[Row]) -> Iterator[str]:
    """What grey and open marks mean, where there are any. Grey has one meaning in a chart: bands, or else everybody."""
    if words.has_bands(found):
        yield say(anyway.NOTE)
    elif is_shown(found.everybody) and found.everybody and found.everybody.ci_lower is not None:
        yield say(words.BAND_NOTE)
    if any(row.status is Status.UNRELIABLE for row in rows):
        yield say(words.UNCERTAIN_DOTS)


def picture(found: Comparison, view: View) -> Picture | None:
    """A share of everybody who answered as people; None where there is none to show."""
    row = found.everybody
    if row is None or row.estimate is None or not is_shown(row) or not found.measure.is_share:
        return None
    return Picture(
        name="in_100",
        headline=words.everybody_finding(found).headline.removesuffix("."),
        subtitle=say("Filled circles: people who reported it, of everybody who answered"),
        notes=(words.range_words(row, found.measure), *anyway.sentences(row, found), say(words.NO_CAUSE_CHART)),
        invented=view.release.is_invented,
        alternative=alternatives.picture(found, view),
        heading=say("{outcome}: out of 100 people", outcome=found.measure.label),
        filled=phrases.whole_100(row.estimate),
    )


def options_chart(table: str, comparisons: tuple[Comparison, ...], view: View) -> Chart | None:
    """How often everybody who answered gave each answer; None if nothing of it may be shown."""
    pairs = [(found.measure, found.everybody) for found in words.options_shown(comparisons) if found.everybody]
    if not pairs:
        return None
    # The title names the question of the first answer.
    question = view.item_name(pairs[0][0].outcome)
    return Chart(
        name=table,
        headline=words.options_headline(view, table),
        subtitle=say("People in 100 who reported it"),
        dots=tuple(
            dot_of(row, one, one.label if view.item_name(one.outcome) == question else words.named(one, view))
            for one, row in pairs
        ),
        everybody=None,
        axis=_share_axis([row for _, row in pairs], mirrored=False, directed=False),
        notes=tuple(_options_notes(pairs, alternatives.hidden_answers(comparisons, view))),
        invented=view.release.is_invented,
        alternative=alternatives.options(table, comparisons, view),
        heading=view.title(table),
    )


def _options_notes(pairs: list[tuple[Measure, Row]], hidden: str) -> Iterator[str]:
    if words.has_uncertain(row for _, row in pairs):
        yield say(words.UNCERTAIN_DOTS)
    if hidden:
        yield hidden
    yield say(words.NO_CAUSE_CHART)


def dot_of(row: Row, measure: Measure, label: str = "") -> Dot:
    """A published row as a line of a chart."""
    value = row.estimate or 0.0
    return Dot(
        label=label or phrases.level_label(row.level),
        people=_beside(row),
        value=value,
        low=row.ci_lower,
        high=row.ci_upper,
        text=phrases.brief(value, measure),
        sure=row.status is not Status.UNRELIABLE,
    )


def _beside(row: Row) -> str:
    """How many people are behind a line, and whether its number is uncertain."""
    people = "" if row.n_respondents is None else phrases.people(row.n_respondents)
    if row.status is not Status.UNRELIABLE:
        return people
    return say("{people}, uncertain", people=people) if people else say_in("a number", "uncertain")


def axis_of(rows: list[Row], measure: Measure) -> Axis:
    """A scale that holds some rows of a measure."""
    mirrored, directed = measure.better == "lower", measure.better is not None
    if measure.is_share:
        return _share_axis(rows, mirrored, directed)
    low, high = _extent(rows)
    item = measure.item
    if not measure.is_change and item and item.minimum is not None and item.maximum is not None:
        low, high = item.minimum, item.maximum
    ticks = _nice_ticks(min(low, 0.0) if measure.is_change or low > 0 else low, max(high, 0.0))
    named = tuple((tick, _tick(tick, measure)) for tick in ticks)
    return Axis(ticks[0], ticks[-1], named, mirrored, directed)


def _tick(tick: float, measure: Measure) -> str:
    return phrases.brief(tick, measure) if measure.is_change else phrases.plain(tick)


def _extent(rows: list[Row]) -> tuple[float, float]:
    values = [value for row in rows for value in (row.estimate, row.ci_lower, row.ci_upper) if value is not None]
    return min(values, default=0.0), max(values, default=0.0)


def _share_axis(rows: list[Row], mirrored: bool, directed: bool) -> Axis:
    """From 0 to 100 in 100, or to 50 where nothing reaches further."""
    ticks = (0, 10, 20, 30, 40, 50) if _extent(rows)[1] <= 0.5 else (0, 25, 50, 75, 100)
    return Axis(0, ticks[-1] / 100, tuple((tick / 100, str(tick)) for tick in ticks), mirrored, directed)


def _nice_ticks(low: float, high: float) -> list[float]:
    """At most six round values that hold both ends."""
    span = max(high - low, 1.0)
    steps = (factor * 10.0**power for power in range(-1, 7) for factor in (1, 2, 5))
    step = next(step for step in steps if ceil(high / step) - floor(low / step) <= 5 or span / step <= 4)
    return [place * step for place in range(floor(low / step), max(ceil(high / step), floor(low / step) + 1) + 1)]


# --- Words that fit ----------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def _width(text: str, size: float, bold: bool = False) -> float:
    """How wide a text is drawn, in inches."""
    font = FontProperties(family=theme.CHART_FONT, size=size, weight="bold" if bold else "normal")
    # A little more than measured: pixels make letters wider.
    return 1.03 * float(text_to_path.get_text_width_height_descent(text, font, ismath=False)[0]) / 72


def wrapped(text: str, size: float, room: float = INNER, bold: bool = False) -> list[str]:
    """A text in as few lines as fit; a word longer than a line is cut."""
    lines = [""]
    for word in text.split():
        for part in _cut(word, size, room, bold):
            longer = f"{lines[-1]} {part}".strip()
            lines = [*lines[:-1], longer] if _width(longer, size, bold) <= room else [*lines, part]
    return lines


def _cut(word: str, size: float, room: float, bold: bool) -> list[str]:
    whole = _width(word, size, bold)
    most = len(word) if whole <= room else max(1, int(len(word) * room / whole) - 1)
    return [word[start : start + most] for start in range(0, len(word), most)]


def label_lines(dot: Dot, bold: bool) -> list[str]:
    """The label in as many lines as leave room for the value; an empty last one if its people need their own line."""
    room = INNER - _width(dot.text, theme.LABEL_SIZE, bold=True) - 0.15
    lines = wrapped(dot.label, theme.LABEL_SIZE, room, bold)
    beside = _width(lines[-1], theme.LABEL_SIZE, bold) + 0.1 + _width(dot.people, theme.SMALL_SIZE)
    return lines if not dot.people or beside <= room else [*lines, ""]


# --- Drawing -----------------------------------------------------------------------------------------------------------


def drawn(frame: Frame, make: Callable[[], Figure]) -> Drawn:
    """The same of anything in a frame, from one figure that is made once, with the settings of all charts."""
    with same_everywhere(frame.name):
        figure = make()
        drawing, piece = _standalone(svg_of(figure, "path"), frame), inline_of(svg_of(figure, "none"), frame)
        return Drawn(frame, *_in_two_sizes(figure), drawing, piece)


def _in_two_sizes(figure: Figure) -> tuple[Bitmap, Bitmap]:
    """A large picture and a small one. Each is drawn: made smaller, letters would no longer lie on whole pixels, and the file
    would be half as long again.
    """
    few = few_colours()
    return _bitmap(_pixels(figure, PRINT_WIDTH), few), _bitmap(_pixels(figure, NEWSLETTER_WIDTH), few)


def few_colours() -> Image.Image:
    """The colours of the look in steps from what they are drawn on: a third of the bytes of a picture with all colours, and
    no eye tells the difference.
    """
    inks, grounds = (INK, QUIET, MARK, WARN), (CARD, BAND)
    mixed = [_mixed(ink, on, step / STEPS) for on in grounds for ink in inks for step in range(1, STEPS + 1)]
    palette = Image.new("P", (1, 1))
    palette.putpalette([part for colour in (*map(_rgb, (*grounds, LINE)), *mixed) for part in colour])
    return palette


def _mixed(ink: Colour, ground: Colour, share: float) -> tuple[int, ...]:
    pairs = zip(_rgb(ink), _rgb(ground), strict=True)
    return tuple(round(share * over + (1 - share) * under) for over, under in pairs)


def _rgb(colour: Colour) -> tuple[int, ...]:
    return ImageColor.getrgb(colour.light)


def _pixels(figure: Figure, width: int) -> Image.Image:
    """The figure, so many pixels wide; nothing of it is transparent."""
    raw = BytesIO()
    # A little more, since matplotlib cuts off what a fraction leaves of the last pixel.
    figure.savefig(raw, format="raw", dpi=(width + 0.01) / theme.CHART_WIDTH)
    height = len(raw.getvalue()) // (4 * width)
    return Image.frombytes("RGB", (width, height), raw.getvalue(), "raw", "RGBX")


def _bitmap(image: Image.Image, colours: Image.Image) -> Bitmap:
    png = BytesIO()
    image.quantize(palette=colours, dither=Image.Dither.NONE).save(png, format="png")
    return Bitmap(png.getvalue(), *image.size)


def svg_of(figure: Figure, letters: str) -> ElementTree.Element:
    """The drawing with its letters as shapes ('path': alike everywhere) or as text ('none': small, in the page's font)."""
    svg = BytesIO()
    matplotlib.rcParams["svg.fonttype"] = letters
    figure.savefig(svg, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    return _tidied(svg.getvalue())


@contextmanager
def same_everywhere(salt: str) -> Iterator[None]:
    """Settings as matplotlib ships them, whatever the user's own settings, with ids that depend on the chart alone."""
    settings: dict[Any, Any] = {"svg.hashsalt": salt, "font.family": theme.CHART_FONT, "text.parse_math": False}
    with matplotlib.rc_context(), warnings.catch_warnings():
        # A label in a script that the font lacks is drawn as boxes; the words are in the page all the same.
        warnings.filterwarnings("ignore", message=r"Glyph .* missing")
        matplotlib.rcParams.update({**_defaults(), **settings})
        yield


def _defaults() -> dict[Any, Any]:
    return {
        name: value
        for name, value in matplotlib.rcParamsDefault.items()
        if not name.startswith(("backend", "interactive"))
    }


def framed(frame: Frame, body: float) -> Figure:
    """An empty drawing, so many inches high between its head and its foot, with the words around it."""
    height = frame.head_height + body + frame.foot_height
    figure = Figure(figsize=(theme.CHART_WIDTH, height), facecolor=CARD.light)
    for place, line in enumerate(frame.title_lines):
        look = {"fontsize": theme.TITLE_SIZE, "weight": "bold", "gid": f"{HEADLINE}{place}"}
        _write(figure, MARGIN, 0.27 + TITLE_HEIGHT * place, line, **look)
    for place, line in enumerate(frame.subtitle_lines):
        _write(figure, MARGIN, frame.title_height + 0.17 + LINE_HEIGHT * place, line, color=QUIET.light)
    _write_notes(figure, frame, height)
    return figure


def _write(figure: Figure, left: float, top: float, text: str, **look: Any) -> None:
    """Text at a place counted in inches from the figure's top left corner."""
    width, height = figure.get_size_inches()
    options = {"fontsize": theme.NOTE_SIZE, "color": INK.light, "va": "baseline", "ha": "left", **look}
    figure.text(left / width, 1 - top / height, text, parse_math=False, **options)


def _write_notes(figure: Figure, frame: Frame, height: float) -> None:
    lines = [(line, QUIET.light, "normal") for line in frame.note_lines]
    lines += [(line, WARN.light, "bold") for line in frame.invented_lines]
    for place, (line, colour, weight) in enumerate(reversed(lines)):
        _write(figure, MARGIN, height - 0.14 - LINE_HEIGHT * place, line, color=colour, weight=weight)


def axes_in(figure: Figure, frame: Frame, body: float) -> Axes:
    """The part of a drawing between its head and its foot, so many inches high."""
    width, height = figure.get_size_inches()
    axes = figure.add_axes((MARGIN / width, 1 - (frame.head_height + body) / height, INNER / width, body / height))
    axes.set_axis_off()
    return axes


def picture_figure(frame: Picture) -> Figure:
    """Filled circles first, row by row; the others are outlines, so that colour is not needed to tell them."""
    rows, columns = PICTURE
    step = INNER / columns
    figure = framed(frame, rows * step + 0.1)
    axes = axes_in(figure, frame, rows * step + 0.1)
    axes.set(xlim=(0, columns), ylim=(rows + 0.1 / step, 0))
    for filled, places in ((True, range(frame.filled)), (False, range(frame.filled, rows * columns))):
        across, down = [place % columns + 0.5 for place in places], [place // columns + 0.5 for place in places]
        face = MARK.light if filled else CARD.light
        edge = MARK.light if filled else QUIET.light
        axes.plot(across, down, "o", ms=10.5, mfc=face, mec=edge, mew=1.2, clip_on=False)
    return figure


def chart_figure(chart: Chart) -> Figure:
    """From top to bottom: everybody who answered, the levels, the scale."""
    labels = [label_lines(dot, bold=dot is chart.everybody) for dot in chart.lines]
    heights = [ROW + LINE_HEIGHT * (len(lines) - 1) for lines in labels]
    scale = 0.27 + (0.26 if chart.axis.directed else 0)
    figure = framed(chart, sum(heights) + scale)
    axes = axes_in(figure, chart, sum(heights) + scale)
    # Downwards in inches, so that spacing is the same whatever the number of levels.
    axes.set_ylim(sum(heights) + scale, 0)
    axes.set_xlim(*((chart.axis.high, chart.axis.low) if chart.axis.mirrored else (chart.axis.low, chart.axis.high)))
    tops = [sum(heights[:place]) for place in range(len(heights))]
    for dot, lines, top, height in zip(chart.lines, labels, tops, heights, strict=True):
        draw_track(axes, chart, dot, top + height - 0.18)
        draw_dot(axes, dot, top + height - 0.18, whole=dot is chart.everybody)
        write_label(axes, dot, lines, top + 0.24, whole=dot is chart.everybody)
    write_scale(figure, chart, chart.head_height + sum(heights) + 0.2)
    return figure


def draw_track(axes: Axes, chart: Chart, dot: Dot, y: float) -> None:
    """The strip behind a dot: what might be expected anyway, or else the range of everybody, and the scale's lines."""
    everybody, ends = chart.everybody, [y - TRACK, y + TRACK]
    if dot.anyway:
        _draw_band(axes, dot.anyway, y)
    elif not chart.has_bands and everybody and everybody.low is not None and everybody.high is not None:
        axes.fill_betweenx(ends, everybody.low, everybody.high, color=BAND.light, lw=0, zorder=0)
    ticks = [tick for tick, _ in chart.axis.ticks]
    colours = [QUIET.light if tick == 0 else LINE.light for tick in ticks]
    widths = [1.2 if tick == 0 else 0.8 for tick in ticks]
    axes.vlines(ticks, ends[0], ends[1], colors=colours, linewidths=widths, zorder=1, clip_on=False)


def _draw_band(axes: Axes, band: tuple[float, float], y: float) -> None:
    """A grey box with an edge that stands out from paper, so that it can be seen in any light."""
    low, high = band
    box = Rectangle((low, y - TRACK), high - low, 2 * TRACK, fc=BAND.light, ec=QUIET.light, lw=0.7, zorder=2)
    axes.add_patch(box).set_clip_on(False)


def draw_dot(axes: Axes, dot: Dot, y: float, whole: bool) -> None:
    """A line's dot with its range; `whole` where it is everybody's: a diamond."""
    colour, marker, size = (INK.light, "D", 7.5) if whole else (MARK.light, "o", 9.5)
    if dot.low is not None and dot.high is not None:
        axes.plot([dot.low, dot.high], [y, y], color=colour, lw=2.6, solid_capstyle="round", zorder=3, clip_on=False)
    face = colour if dot.sure else CARD.light
    axes.plot([dot.value], [y], marker, ms=size, mfc=face, mec=colour, mew=2, zorder=4, clip_on=False)


def write_label(axes: Axes, dot: Dot, lines: list[str], y: float, whole: bool) -> None:
    """Left the label and its people, right the value."""
    look: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "va": "baseline", "parse_math": False}
    label = {"fontsize": theme.LABEL_SIZE, "color": INK.light, **look}
    for place, text in enumerate(lines):
        gid = f"{LABEL}{y:.3f}" if place == len(lines) - 1 else None
        axes.text(0, y + LINE_HEIGHT * place, text, weight="bold" if whole else "normal", gid=gid, **label)
    beside = (_width(lines[-1], theme.LABEL_SIZE, whole) + 0.1) / INNER if lines[-1] else 0
    last = y + LINE_HEIGHT * (len(lines) - 1)
    gid = f"{BESIDE}{y:.3f}" if lines[-1] else None
    axes.text(beside, last, dot.people, fontsize=theme.SMALL_SIZE, color=QUIET.light, gid=gid, **look)
    axes.text(1, y, dot.text, weight="bold", ha="right", **label)


def write_scale(figure: Figure, chart: Chart, y: float) -> None:
    """Words of the ticks that fit, zero and the ends before others. What is better for the person lies to the right."""
    axis, taken = chart.axis, list[tuple[float, float]]()
    for tick, text in sorted(
        axis.ticks, key=lambda pair: (pair[0] != 0, pair[0] not in (axis.low, axis.high), pair[0])
    ):
        left, right = _tick_span(axis, tick, text)
        if all(right + 0.1 < start or left - 0.1 > end for start, end in taken):
            taken.append((left, right))
            _write_tick(figure, left, right, y, text)
    if axis.directed:
        right, look = theme.CHART_WIDTH - MARGIN, {"color": MARK.light, "ha": "right", "weight": "bold"}
        _write(figure, right, y + 0.26, say(words.BETTER), **look)


def _write_tick(figure: Figure, left: float, right: float, y: float, text: str) -> None:
    """Held at the side that must not move, should another font be narrower."""
    first, last = left <= MARGIN + 0.01, right >= MARGIN + INNER - 0.01
    place, side = (left, "left") if first else (right, "right") if last else ((left + right) / 2, "center")
    _write(figure, place, y, text, color=QUIET.light, ha=side)


def _tick_span(axis: Axis, tick: float, text: str) -> tuple[float, float]:
    """Where the words of a tick start and end, in inches; they stay inside the picture."""
    share = (tick - axis.low) / (axis.high - axis.low)
    middle = MARGIN + INNER * (1 - share if axis.mirrored else share)
    width = _width(text, theme.NOTE_SIZE)
    left = min(max(middle - width / 2, MARGIN), MARGIN + INNER - width)
    return left, left + width


# --- SVG ---------------------------------------------------------------------------------------------------------------


def _tidied(svg: bytes) -> ElementTree.Element:
    """The drawing without comments, without metadata, and without ids that nothing refers to."""
    root = ElementTree.fromstring(svg)
    for child in [child for child in root if child.tag == f"{_SVG}metadata"]:
        root.remove(child)
    used = {name for element in root.iter() for name in _references(element)}
    for element in root.iter():
        name = element.get("id", "")
        if name not in used and not name.startswith((HEADLINE, LABEL, BESIDE)):
            element.attrib.pop("id", None)
    return root


def _references(element: ElementTree.Element) -> Iterator[str]:
    for key, value in element.attrib.items():
        if key == _LINK:
            yield value.removeprefix("#")
        elif "url(#" in value:
            yield value.partition("url(#")[2].partition(")")[0]


def _described(root: ElementTree.Element, frame: Frame, prefix: str) -> None:
    """The text alternative, as a title and a description that a screen reader finds. The description holds the finding."""
    for place, (tag, text) in enumerate((("title", frame.heading), ("desc", frame.alternative))):
        element = ElementTree.Element(f"{_SVG}{tag}", {"id": f"{prefix}-{tag}"})
        element.text = text
        root.insert(place, element)
    root.set("role", "img")
    root.set("aria-labelledby", f"{prefix}-title {prefix}-desc")


def _standalone(root: ElementTree.Element, frame: Frame) -> bytes:
    _described(root, frame, frame.name)
    ElementTree.register_namespace("", _SVG[1:-1])
    ElementTree.register_namespace("xlink", "http://www.w3.org/1999/xlink")
    text: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def inline_of(root: ElementTree.Element, frame: Frame) -> str:
    """The drawing for the page: without its title, ids of its own, and colours that follow the reader's theme."""
    _described(root, frame, frame.name)
    _crop_headline(root, frame)
    _join_labels(root)
    for element in root.iter():
        element.tag = element.tag.removeprefix(_SVG)
        kept = ((key, value) for key, value in element.attrib.items() if not value.startswith("rotate(-0 "))
        element.attrib = {_plain_name(key): _owned(key, value, frame.name) for key, value in kept}
    _flatten(root)
    return ElementTree.tostring(root, encoding="unicode")


def _flatten(parent: ElementTree.Element) -> None:
    """Take out groups that say nothing, and the indentation: most of what a drawing is written with."""
    if parent.tag == "text":
        return
    found: list[ElementTree.Element] = []
    for child in list(parent):
        _flatten(child)
        child.tail = "\n"
        found += child if child.tag == "g" and not child.attrib else (child,)
    parent[:] = found
    parent.text = parent.text if (parent.text or "").strip() else None


def _crop_headline(root: ElementTree.Element, frame: Frame) -> None:
    for parent in list(root.iter()):
        for child in [child for child in parent if child.get("id", "").startswith(HEADLINE)]:
            parent.remove(child)
    _, _, width, height = (float(part) for part in root.get("viewBox", "0 0 0 0").split())
    top = frame.title_height * 72
    root.set("viewBox", f"0 {top:.2f} {width:.2f} {height - top:.2f}")
    root.attrib.pop("height", None)
    root.attrib.pop("width", None)


def _join_labels(root: ElementTree.Element) -> None:
    """Put the people right after the label: the page's own font is narrower than the one that was measured."""
    groups = {element.get("id"): element for element in root.iter(f"{_SVG}g") if element.get("id")}
    for name, group in groups.items():
        label = groups.get(str(name).replace(BESIDE, LABEL))
        if str(name).startswith(BESIDE) and label is not None:
            (text,), (people,) = label.iter(f"{_SVG}text"), group.iter(f"{_SVG}text")
            beside = ElementTree.SubElement(
                text, f"{_SVG}tspan", {"dx": "7", "style": f"font-weight: 400; {people.get('style', '')}"}
            )
            beside.text = people.text
            group.remove(people)
    for group in groups.values():
        group.attrib.pop("id", None)


def _plain_name(key: str) -> str:
    return "href" if key == _LINK else key.rpartition("}")[2]


def _owned(key: str, value: str, prefix: str) -> str:
    """Ids made unique on the page, and colours as CSS variables with the light colour to fall back on."""
    if key == "id":
        return value if value.startswith(prefix) else f"{prefix}-{value}"
    if key == _LINK:
        return f"#{prefix}-{value[1:]}"
    if key == "style":
        value = value.replace(f"'{theme.CHART_FONT}'", "inherit")
        # The page makes letters smaller where it shows the drawing larger.
        value = re.sub(r"font-size: ([\d.]+px)", r"font-size: calc(\1 * var(--letters, 1))", value)
        for colour in COLOURS:
            value = value.replace(colour.light, colour.variable)
    return value.replace("url(#", f"url(#{prefix}-")

"""The report as one HTML page, and the page that lists the waves.

What belongs here: which blocks the page has, in order, and what each is given. What does not: sentences (`words`), how
blocks look (`templates`), drawing (`charts`). A page fetches nothing and needs no script.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from survey_pipeline import names
from survey_pipeline.instrument import Instrument
from survey_pipeline.names import Status
from survey_pipeline.release import Row
from survey_pipeline.render import theme, words
from survey_pipeline.render.charts import Chart, Drawn, Picture, comparison_chart, options_chart, picture
from survey_pipeline.render.over_waves import Course
from survey_pipeline.render.view import Comparison, View, clean, is_shown


@dataclass(frozen=True)
class Cell:
    """One cell of a table; `muted` where it holds a word instead of a number."""

    text: str
    muted: bool = False


@dataclass(frozen=True)
class Line:
    """A level's row."""

    label: str
    cells: tuple[Cell, ...]
    whole: bool = False


@dataclass(frozen=True)
class Grid:
    """A table of the page: a short name for the line that unfolds it, and a caption."""

    name: str
    caption: str
    columns: tuple[str, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Figure:
    """A chart with its title, its sentences and the table that holds its numbers."""

    name: str
    title: str
    sentences: tuple[str, ...]
    drawing: Markup | None
    grid: Grid | None


@dataclass(frozen=True)
class Section:
    """A table of the release as a part of the page."""

    name: str
    above: str
    title: str
    notes: tuple[str, ...]
    how_to_read: str
    figures: tuple[Figure, ...]
    grids: tuple[Grid, ...]


# --- Which charts ------------------------------------------------------------------------------------------------------


def frames(view: View) -> Iterator[Chart | Picture]:
    """Every chart of a release: the picture of 100 people, the primary outcomes, and closed questions."""
    hundred = _hundred(view)
    if hundred:
        yield hundred
    for table in view.tables:
        comparisons = view.charted(table)
        yield from (comparison_chart(found, view) for found in comparisons if found.shown)
        options = None if comparisons else options_chart(table, view.options(table), view)
        if options:
            yield options


def _hundred(view: View) -> Picture | None:
    return next((found for found in (picture(one, view) for one in view.primary[:1]) if found), None)


# --- The report --------------------------------------------------------------------------------------------------------


def report(view: View, previous: View | None, drawn: Mapping[str, Drawn]) -> bytes:
    """The page of one wave."""
    return _fill(
        "report.html.jinja",
        view=view,
        release=view.release,
        instrument=view.instrument,
        words=words,
        title=f"{clean(view.instrument.title)}, wave {clean(view.release.wave)}",
        answered=view.answers_used,
        findings=words.in_short(view, previous),
        hundred=_figure_of(drawn.get("in_100")),
        since=_since(view, previous),
        sections=[_section(view, previous, table, drawn) for table in view.tables],
        who_answered=[_answered(view, exposure, rows) for exposure, rows in view.answered.items()],
        merged=words.merged_levels(view),
        hidden=words.hidden_by_table(view),
        hidden_in_all=words.hidden_in_all(view),
        limits=(*view.instrument.cannot_say, *words.limits(view.instrument)),
        thresholds=_thresholds(view),
        stages=_stages(view),
        csv=[(words.table_title(view, table), f"tables/{table}.csv") for table in view.release.tables],
    )


def index(views: Sequence[View], instrument: Instrument, courses: Sequence[Course] = ()) -> bytes:
    """The page of all waves, the last given first, and what is shown over them."""
    waves = [
        (clean(view.release.wave), f"{quote(view.release.wave, safe='')}/index.html", view) for view in reversed(views)
    ]
    invented = any(view.release.is_invented for view in views)
    return _fill(
        "index.html.jinja",
        instrument=instrument,
        words=words,
        title=clean(instrument.title),
        waves=waves,
        courses=courses,
        invented=invented,
    )


def _fill(template: str, **given: object) -> bytes:
    text = (
        _environment()
        .get_template(template)
        .render(light=theme.variables(False), dark=theme.variables(True), font=Markup(theme.PAGE_FONT), **given)
    )
    return "\n".join(line.rstrip() for line in text.splitlines() if line.strip()).encode() + b"\n"


@cache
def _environment() -> Environment:
    loader = PackageLoader("survey_pipeline.render", "templates")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["clean"] = clean
    return environment


def _figure_of(drawn: Drawn | None) -> Markup | None:
    """The drawing as it may stand in the page: its words were escaped when it was written as XML."""
    return Markup(drawn.inline) if drawn else None


# --- Sections ----------------------------------------------------------------------------------------------------------


def _section(view: View, previous: View | None, table: str, drawn: Mapping[str, Drawn]) -> Section:
    charted = view.charted(table)
    exposure = view.exposure(table)
    item = view.instrument.items.get(exposure)
    is_first = table == next(name for name in view.tables if view.exposure(name) == exposure)
    title = words.section_headline(charted, view, exposure) if charted else words.options_headline(view, table)
    return Section(
        name=table,
        above=view.title(table),
        title=title,
        notes=tuple(clean(text) for text in (item.note, item.source) if text) if item and is_first else (),
        how_to_read=_how_to_read(charted, table in drawn),
        figures=tuple(_figures(view, previous, table, drawn)),
        grids=tuple(_other_grids(view, table, has_options_chart=table in drawn)),
    )


def _how_to_read(charted: Sequence[Comparison], has_options: bool) -> str:
    shown = next((found for found in charted if found.shown), None)
    if shown:
        return words.how_to_read(shown)
    return words.HOW_TO_READ_OPTIONS if has_options else ""


def _figures(view: View, previous: View | None, table: str, drawn: Mapping[str, Drawn]) -> Iterator[Figure]:
    charted = view.charted(table)
    for found in charted:
        name = f"{table}-{found.measure.outcome}"
        grid = _outcome_grid(view, table, found.measure.outcome)
        sentences = words.contrast(found, view, previous) if found.apart or not found.shown else ()
        drawing = _figure_of(drawn.get(name))
        yield Figure(name, words.short_headline(found), sentences, drawing, grid)
    if not charted and table in drawn:
        grids = tuple(_option_grids(view, table))
        yield Figure(table, words.EVERYBODY, (), _figure_of(drawn[table]), grids[0] if grids else None)


def _other_grids(view: View, table: str, has_options_chart: bool) -> Iterator[Grid]:
    """Tables of what has no chart of its own."""
    charted = {found.measure.outcome for found in view.charted(table)}
    for outcome in view.outcomes(table):
        if (
            view.item_name(outcome) == outcome
            and outcome not in charted
            and view.statistics(table, outcome) != ("share",)
        ):
            yield _outcome_grid(view, table, outcome)
    yield from list(_option_grids(view, table))[1 if has_options_chart else 0 :]


def _outcome_grid(view: View, table: str, outcome: str) -> Grid:
    """One outcome: a row for each level, a column for each statistic."""
    found = view.for_table(table, outcome)
    first = found[0]
    levels = [names.ALL_LEVELS, *(row.level for row in first.levels)]
    lines = _lines(levels, found, view)
    columns = (*(_column(one) for one in found), "People", "No answer")
    label = first.measure.label
    return Grid(label, f"{label} by {words.inline(view.item_label(first.exposure))}", columns, lines)


def _column(found: Comparison) -> str:
    unit = "in 100" if found.measure.is_share else words.points(found.measure)
    return f"{found.measure.statistic_label}, {unit}"


def _row_at(found: Comparison, level: str) -> Row | None:
    if level == names.ALL_LEVELS:
        return found.everybody
    return next((row for row in found.levels if row.level == level), None)


def _lines(levels: Sequence[str], found: Sequence[Comparison], view: View) -> tuple[Line, ...]:
    """A row for each level; the numbers of a column have the same decimals."""
    places = [words.decimals((one.everybody, *one.levels)) for one in found]
    return tuple(_line(level, found, places, view) for level in levels)


def _line(level: str, found: Sequence[Comparison], places: Sequence[int], view: View) -> Line:
    rows = [(_row_at(one, level), one) for one in found]
    cells = tuple(_cell(row, one, digits) for (row, one), digits in zip(rows, places, strict=True))
    return Line(words.level_label(level), (*cells, *_counts([row for row, _ in rows], view)), level == names.ALL_LEVELS)


def _cell(row: Row | None, found: Comparison, places: int) -> Cell:
    return Cell(words.cell(row, found.measure, places), muted=not is_shown(row))


def _counts(rows: Sequence[Row | None], view: View) -> tuple[Cell, Cell]:
    """People and missing answers of the first statistic that is shown; none of a level that is hidden throughout."""
    first = next((row for row in rows if row and is_shown(row)), None) or next((row for row in rows if row), None)
    if first is None or not is_shown(first):
        word = words.NOT_READ if first and first.status is Status.NOT_ASKED else words.HIDDEN
        return Cell(word, muted=True), Cell(word, muted=True)
    people = "not known" if first.n_respondents is None else f"{first.n_respondents:,}"
    return Cell(people), Cell(words.missing(first, view.release.policy.min_n))


def _option_grids(view: View, table: str) -> Iterator[Grid]:
    """Closed questions: a row for each level, a column for each answer."""
    for name, group in groupby(view.options(table), key=lambda found: view.item_name(found.measure.outcome)):
        found = list(group)
        levels = [names.ALL_LEVELS, *(row.level for row in found[0].levels)]
        columns = (*(f"{one.measure.label}, in 100" for one in found), "People", "No answer")
        caption = f"{view.item_label(name)} by {words.inline(view.item_label(found[0].exposure))}"
        yield Grid(view.item_label(name), caption, columns, _lines(levels, found, view))


# --- Other blocks ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Bar:
    """A share of everybody who answered: its words, and the length of its bar in per cent (None: hidden)."""

    label: str
    text: str
    length: str | None


def _answered(view: View, exposure: str, rows: Sequence[Row]) -> tuple[str, tuple[Bar, ...]]:
    return view.item_label(exposure), tuple(_bar(row) for row in rows)


def _bar(row: Row) -> Bar:
    label = words.level_label(row.level)
    if not is_shown(row) or row.estimate is None:
        return Bar(label, words.HIDDEN if row.status is Status.SUPPRESSED else words.NOT_READ, None)
    return Bar(label, words.per_100(row.estimate), words.hundredths(row.estimate))


def _since(view: View, previous: View | None) -> dict[str, object] | None:
    if previous is None:
        return None
    return {
        "wave": clean(previous.release.wave),
        "answers": words.answers_changed(view, previous),
        "changes": words.changes(view, previous),
        "questions": " ".join(words.questions_changed(view, previous)),
        "broken": words.trends_broken(view, previous),
    }


def _thresholds(view: View) -> list[tuple[str, str]]:
    """Each threshold that the release uses, once, with its source."""
    found = (
        (words.what(measure), clean(measure.threshold.source)) for measure in view.thresholds() if measure.threshold
    )
    return list(dict.fromkeys(found))


def _stages(view: View) -> list[tuple[str, Cell]]:
    few = f"fewer than {view.release.policy.min_n}"
    return [
        (clean(stage.label), Cell(few, muted=True) if stage.n is None or stage.hidden else Cell(f"{stage.n:,}"))
        for stage in view.release.stages
    ]

"""The report as one HTML page, and the page that lists the waves.

What belongs here: which blocks the page has, in order, and what each is given. What does not: sentences (`words`), how
blocks look (`templates`), drawing (`charts`). A page fetches nothing and needs no script.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from survey_pipeline.instrument import Instrument
from survey_pipeline.names import Status
from survey_pipeline.release import Row
from survey_pipeline.render import anyway, grids, lesser, methods, phrases, rules, theme, words
from survey_pipeline.render.charts import Chart, Drawn, Picture, comparison_chart, options_chart, picture
from survey_pipeline.render.grids import Cell, Grid
from survey_pipeline.render.measure import clean
from survey_pipeline.render.over_waves import Course
from survey_pipeline.render.view import View, is_shown


@dataclass(frozen=True)
class Figure:
    """A chart with its title, its sentences and the table that holds its numbers."""

    name: str
    title: str
    sentences: tuple[str, ...]
    drawing: Markup | None
    grids: tuple[Grid, ...]


@dataclass(frozen=True)
class Section:
    """A table of the release as a part of the page."""

    name: str
    above: str
    title: str
    notes: tuple[str, ...]
    how_to_read: tuple[str, ...]
    figures: tuple[Figure, ...]
    grids: tuple[Grid, ...]


# --- Which charts ------------------------------------------------------------------------------------------------------


def frames(view: View) -> Iterator[Chart | Picture]:
    """Every chart of a release: the picture of 100 people, the primary outcomes, and closed questions."""
    hundred = _hundred(view)
    if hundred:
        yield hundred
    for table in view.sections:
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
        sections=[_section(view, previous, table, drawn) for table in view.sections],
        more=lesser.parts(view),
        more_uncertain=any(_has_uncertain(view, table) for table in view.lesser),
        gaps=grids.gaps_grid(view),
        who_answered=[_answered(view, exposure, rows) for exposure, rows in view.answered.items()],
        merged=words.merged_levels(view),
        hidden=words.hidden_by_table(view),
        hidden_in_all=words.hidden_in_all(view),
        limits=(*view.instrument.cannot_say, *words.limits(view.instrument)),
        thresholds=_thresholds(view),
        ranges=methods.ranges(view.instrument),
        shares_from=methods.shares_from(view.instrument),
        tests=methods.tests_made(view.release, view.instrument),
        weighting=methods.weighting(view.instrument),
        anyway_rests_on=methods.anyway_rests_on(view.release, view.instrument),
        rules_in_short=rules.in_short(view.release.policy),
        rules_in_full=rules.in_full(view.release.policy),
        looser=rules.looser(view.release.policy),
        stages=_stages(view),
        csv=[(words.table_title(view, table), f"tables/{table}.csv") for table in view.release.tables],
        test_files=_test_files(view),
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
        how_to_read=_how_to_read(view, table, table in drawn),
        figures=tuple(_figures(view, previous, table, drawn)),
        grids=tuple(_other_grids(view, table, has_options_chart=table in drawn)),
    )


def _how_to_read(view: View, table: str, has_options: bool) -> tuple[str, ...]:
    """How a section is read; what holds for the whole page is said in the first section where it matters."""
    shown = next((found for found in view.charted(table) if found.shown), None)
    explained = (anyway.EXPLAINED,) if table == _first(view, _tells_improvement) else ()
    marked = (words.UNCERTAIN_MARK,) if table == _first(view, _has_uncertain) else ()
    if shown:
        return (words.how_to_read(shown), *explained, *marked)
    return (words.HOW_TO_READ_OPTIONS, *marked) if has_options else marked


def _first(view: View, holds: Callable[[View, str], bool]) -> str | None:
    return next((table for table in view.sections if holds(view, table)), None)


def _tells_improvement(view: View, table: str) -> bool:
    return any(found.bands and found.measure.is_improvement for found in view.charted(table) if found.shown)


def _has_uncertain(view: View, table: str) -> bool:
    return words.has_uncertain(lesser.rows_of(view, (table,)))


def _figures(view: View, previous: View | None, table: str, drawn: Mapping[str, Drawn]) -> Iterator[Figure]:
    charted = view.charted(table)
    for found in charted:
        name = f"{table}-{found.measure.outcome}"
        curve = grids.curve_grid(view, table, found.measure.outcome) if found.exposure == view.instrument.form else None
        shown = (grids.outcome_grid(view, table, found.measure.outcome), *((curve,) if curve else ()))
        sentences = words.beside_chart(found, view, previous)
        yield Figure(name, words.short_headline(found), sentences, _figure_of(drawn.get(name)), shown)
    if not charted and table in drawn:
        options = tuple(grids.option_grids(view, table))
        yield Figure(table, phrases.EVERYBODY, (), _figure_of(drawn[table]), options[:1])


def _other_grids(view: View, table: str, has_options_chart: bool) -> Iterator[Grid]:
    """Tables of what has no chart of its own."""
    charted = {found.measure.outcome for found in view.charted(table)}
    for outcome in view.outcomes(table):
        is_option = view.statistics(table, outcome) == ("share",)
        if view.item_name(outcome) == outcome and outcome not in charted and not is_option:
            yield grids.outcome_grid(view, table, outcome)
    yield from list(grids.option_grids(view, table))[1 if has_options_chart else 0 :]


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
    label = phrases.level_label(row.level)
    if not is_shown(row) or row.estimate is None:
        return Bar(label, words.HIDDEN if row.status is Status.SUPPRESSED else words.NOT_READ, None)
    return Bar(label, phrases.per_100(row.estimate), phrases.hundredths(row.estimate))


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


def _test_files(view: View) -> list[tuple[str, str]]:
    """The files for analysts that hold tests and comparisons."""
    found = (
        ("Comparisons of two groups", "tables/comparisons.csv", view.release.comparisons),
        ("Tests over all groups", "tables/tests.csv", view.release.tests),
    )
    return [(label, path) for label, path, rows in found if rows]


def _thresholds(view: View) -> list[tuple[str, str]]:
    """Each threshold that the release uses, once, with its source."""
    found = (
        (words.what(measure), clean(measure.threshold.source)) for measure in view.thresholds() if measure.threshold
    )
    return list(dict.fromkeys(found))


def _stages(view: View) -> list[tuple[str, Cell]]:
    return [
        (
            clean(stage.label),
            Cell(words.HIDDEN, muted=True) if stage.n is None or stage.hidden else Cell(f"{stage.n:,}"),
        )
        for stage in view.release.stages
    ]

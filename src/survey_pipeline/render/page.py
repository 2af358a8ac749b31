"""The report as one HTML page, and the page that lists the waves.

What belongs here: which blocks the page has, in order, and what each is given. What does not: sentences (`words`), how
blocks look (`templates`, `look`), drawing (`charts`). A page fetches nothing. Its one script sorts and filters tables, and
without it everything is there.
"""

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from survey_pipeline import names
from survey_pipeline.instrument import Instrument
from survey_pipeline.language import later, locale, say, say_in, say_n, wave_in_words, whole
from survey_pipeline.look import worn
from survey_pipeline.names import Status
from survey_pipeline.plain import clean
from survey_pipeline.release import Proof, Row
from survey_pipeline.render import (
    anyway,
    before_and_now,
    curves,
    flow,
    grids,
    lesser,
    methods,
    phrases,
    rules,
    theme,
    words,
)
from survey_pipeline.render.charts import Drawn
from survey_pipeline.render.checklist import checklist
from survey_pipeline.render.gallery import drawings, frames, piece
from survey_pipeline.render.grids import Grid
from survey_pipeline.render.over_waves import Course
from survey_pipeline.render.slim import slim
from survey_pipeline.render.sorting import sortable
from survey_pipeline.render.view import View, is_shown

__all__ = ["drawings", "frames", "index", "report"]


@dataclass(frozen=True)
class Figure:
    """A chart with its title, its sentences and the table that holds its numbers."""

    name: str
    title: str
    sentences: tuple[str, ...]
    drawing: Markup | None
    grids: tuple[Grid, ...]
    more: tuple[tuple[str, Markup], ...] = ()
    """Further drawings of the same outcome, folded, each with its name."""
    names_tables: bool = False
    """Whether the first table is called by its own name, and not just the numbers."""


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


# --- The report --------------------------------------------------------------------------------------------------------


def report(view: View, previous: View | None, drawn: Mapping[str, Drawn]) -> bytes:
    """The page of one wave."""
    return _fill(
        "report.html.jinja",
        view=view,
        release=view.release,
        instrument=view.instrument,
        words=words,
        title=say("{title}, {wave}", title=clean(view.instrument.title), wave=_wave(view)),
        wave=_wave(view),
        provenance=_provenance(view),
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
        proof=_proof(view.release.proof),
        flow=_flow(view),
        checklist=checklist(view),
        csv=[(words.table_title(view, table), f"tables/{table}.csv") for table in view.release.tables],
        test_files=_test_files(view),
    )


def index(views: Sequence[View], instrument: Instrument, courses: Sequence[Course] = ()) -> bytes:
    """The page of all waves, the last given first, and what is shown over them."""
    waves = [
        (_wave_at_start(view), f"{quote(view.release.wave, safe='')}/index.html", view) for view in reversed(views)
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


def _wave(view: View) -> str:
    return wave_in_words(view.release.wave)


def _wave_at_start(view: View) -> str:
    return phrases.sentence(_wave(view))


def _fill(template: str, **given: object) -> bytes:
    look = {"light": theme.variables(False), "dark": theme.variables(True), "font": Markup(theme.page_font())}
    script = _script()
    told = {"theme": worn(), "font_face": Markup(worn().font_face), "lang": locale(), "script": Markup(script)}
    made_sure = {"script_sha256": b64encode(sha256(script.encode()).digest()).decode()}
    text = _environment().get_template(template).render(**look, **told, **made_sure, **given)
    return slim(_tidy(text)).encode() + b"\n"


def _tidy(text: str) -> str:
    """A text without empty lines and without blanks at the ends of lines."""
    return "\n".join(line.rstrip() for line in text.splitlines() if line.strip())


@cache
def _script() -> str:
    """The page's script, letter for letter as it stands in the page: the page names its SHA-256 and runs no other."""
    return _tidy(_environment().get_template("page.js.jinja").render())


@cache
def _environment() -> Environment:
    loader = PackageLoader("survey_pipeline.render", "templates")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"clean": clean, "sentence": phrases.sentence, "sortable": sortable}
    environment.globals |= {"say": say, "say_n": say_n, "say_in": say_in}
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
    explained = (say(anyway.EXPLAINED),) if table == _first(view, _tells_improvement) else ()
    marked = (say(words.UNCERTAIN_MARK),) if table == _first(view, _has_uncertain) else ()
    if shown:
        return (words.how_to_read(shown), *explained, *marked)
    return (say(words.HOW_TO_READ_OPTIONS), *marked) if has_options else marked


def _first(view: View, holds: Callable[[View, str], bool]) -> str | None:
    return next((table for table in view.sections if holds(view, table)), None)


def _tells_improvement(view: View, table: str) -> bool:
    return any(found.bands and found.measure.is_improvement for found in view.charted(table) if found.shown)


def _has_uncertain(view: View, table: str) -> bool:
    return words.has_uncertain(lesser.rows_of(view, (table,)))


def _figures(view: View, previous: View | None, table: str, drawn: Mapping[str, Drawn]) -> Iterator[Figure]:
    """A figure for each outcome. By form the first one tells more: how far people improved, and where they began."""
    charted = view.charted(table)
    for place, found in enumerate(charted):
        outcome = found.measure.outcome
        began = _figure_of(drawn.get(f"{table}-{outcome}-before"))
        more = ((before_and_now.name_of(found.measure), began),) if began and place else ()
        sentences = words.beside_chart(found, view, previous)
        drawing = _figure_of(drawn.get(f"{table}-{outcome}"))
        shown = (grids.outcome_grid(view, table, outcome),)
        yield Figure(f"{table}-{outcome}", words.short_headline(found), sentences, drawing, shown, more)
        yield from _curve(view, table, outcome, drawn)
        if not place:
            yield from _began(view, table, outcome, drawn)
    if not charted and table in drawn:
        options = tuple(grids.option_grids(view, table))
        yield Figure(table, say(phrases.EVERYBODY), (), _figure_of(drawn[table]), options[:1])


def _curve(view: View, table: str, outcome: str, drawn: Mapping[str, Drawn]) -> Iterator[Figure]:
    """How far people improved: by form, with or without a chart."""
    of_form = view.exposure(table) == view.instrument.form
    grid = grids.curve_grid(view, table, outcome) if of_form else None
    if grid:
        name = f"{table}-{outcome}-curve"
        found = curves.curves(view, table, outcome) if name in drawn else None
        told = curves.sentences(found) if found else ()
        yield Figure(
            name, curves.headline(view, table, outcome), told, _figure_of(drawn.get(name)), (grid,), names_tables=True
        )


def _began(view: View, table: str, outcome: str, drawn: Mapping[str, Drawn]) -> Iterator[Figure]:
    """Where people began and where they are."""
    name = f"{table}-{outcome}-before"
    if name in drawn:
        sentences = before_and_now.sentences(view, table, outcome)
        grid = before_and_now.grid(view, table, outcome)
        yield Figure(name, drawn[name].chart.headline, sentences, _figure_of(drawn[name]), (grid,))


def _flow(view: View) -> Figure | None:
    """Numbers at each stage, as a diagram that is a part of the page alone, and a table."""
    found = flow.flow(view)
    if found is None:
        return None
    said = say("Each row that was read is used, set aside, or left out for a reason that stands beside it.")
    return Figure("flow", found.headline, (said,), Markup(piece(found)), (flow.grid(found),))


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
        return Bar(label, say(words.HIDDEN if row.status is Status.SUPPRESSED else words.NOT_READ), None)
    return Bar(label, phrases.per_100(row.estimate), phrases.hundredths(row.estimate))


def _since(view: View, previous: View | None) -> dict[str, object] | None:
    if previous is None:
        return None
    return {
        "wave": _wave(previous),
        "answers": words.answers_changed(view, previous),
        "changes": words.changes(view, previous),
        "questions": " ".join(words.questions_changed(view, previous)),
        "broken": words.trends_broken(view, previous),
    }


_FILES_OF_TESTS = (
    (later("Comparisons of two groups"), "tables/comparisons.csv"),
    (later("Tests over all groups"), "tables/tests.csv"),
)


def _test_files(view: View) -> list[tuple[str, str]]:
    """The files for analysts that hold tests and comparisons."""
    found = (view.release.comparisons, view.release.tests)
    return [(say(label), path) for (label, path), rows in zip(_FILES_OF_TESTS, found, strict=True) if rows]


def _thresholds(view: View) -> list[tuple[str, str]]:
    """Each threshold that the release uses, once, with its source."""
    found = (
        (words.what(measure), clean(measure.threshold.source)) for measure in view.thresholds() if measure.threshold
    )
    return list(dict.fromkeys(found))


DATA = {names.INVENTED: later("invented data"), names.REAL: later("survey answers")}
"""What sort of data a release is made of, in words."""


def _provenance(view: View) -> str:
    found = view.release.provenance
    return say(DATA[found]) if found in DATA else clean(found)


def _proof(proof: Proof | None) -> tuple[str, ...]:
    """How large the system of equations was that was looked through, and where the rest can be read."""
    if proof is None:
        return ()
    return (
        say(
            "It put together {unknowns} unknown numbers and {equations} equations, and solved them with {solver}.",
            unknowns=whole(proof.unknowns),
            equations=whole(proof.equations),
            solver=clean(proof.solver),
        ),
        *_together(proof),
        say(
            "What is left to each hidden number is in {file}; anybody can repeat it with {command}.",
            file="release.json",
            command="survey-pipeline audit",
        ),
    )


def _together(proof: Proof) -> tuple[str, ...]:
    """The earlier releases about the same people that were looked at together with this one."""
    waves = phrases.listed(dict.fromkeys(wave_in_words(wave) for wave, _ in proof.together_with))
    said = say("Earlier releases about the same people were known to it too: {waves}.", waves=waves)
    return (said,) if proof.together_with else ()

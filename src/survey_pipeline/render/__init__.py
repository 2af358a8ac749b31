"""Render: a release becomes pages, charts and files.

What belongs here: the two functions that others call, and the list of files. What does not: writing them anywhere, and any
number that the release does not hold. The same release gives the same bytes.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from gettext import NullTranslations
from types import MappingProxyType

from survey_pipeline.instrument import Instrument
from survey_pipeline.language import SOURCE, language_of, speaking
from survey_pipeline.look import DEFAULT, Theme, wearing
from survey_pipeline.release import Release
from survey_pipeline.render import feed, files, newsletter, over_waves, page
from survey_pipeline.render.charts import Drawn
from survey_pipeline.render.gallery import drawings
from survey_pipeline.render.view import View
from survey_pipeline.translated import in_language, with_labels
from survey_pipeline.trend import TREND_OVER_WAVES, trend

NOTHING_CHANGED: Mapping[str, frozenset[str]] = MappingProxyType({})

__all__ = ["Style", "render", "render_index"]


@dataclass(frozen=True)
class Style:
    """How reports are written: in which language (None: the instrument's own), the survey's own words in it where it is
    another one and they are translated, and how everything looks.
    """

    language: str | None = None
    words: NullTranslations | None = None
    theme: Theme = DEFAULT

    def spoken(self, instrument: Instrument) -> str:
        """The language of the reports of an instrument."""
        return self.language or instrument.language

    def of(self, instrument: Instrument) -> Instrument:
        """An instrument with its own words in the language of the reports, where they are translated."""
        return in_language(instrument, self.spoken(instrument), self.words) if self.words else instrument


OWN_STYLE = Style()


def render(
    release: Release,
    instrument: Instrument,
    previous: Release | None = None,
    incomparable: frozenset[str] = frozenset(),
    style: Style = OWN_STYLE,
) -> dict[str, bytes]:
    """Every file of a wave's report folder, by its path in it. `previous` is the release of the wave before, `incomparable`
    the items whose numbers in it mean something else. What machines read is the same in every language.
    """
    with _in_style(style, instrument):
        view = _view(release, instrument, style)
        before = _view(previous, instrument, style, incomparable) if previous else None
        drawn = drawings(view)
        return {
            "index.html": page.report(view, before, drawn),
            **newsletter.files(view, before, drawn),
            **_chart_files(drawn),
            **files.files(release, instrument, view),
        }


def render_index(
    releases: Sequence[Release],
    instrument: Instrument,
    changed: Mapping[str, frozenset[str]] = NOTHING_CHANGED,
    style: Style = OWN_STYLE,
) -> dict[str, bytes]:
    """The files beside the folders of an instrument's waves: the page that lists them, the newest first as given last, the
    feed, and the trend over them. `changed`: by wave, the items that mean something else than in the wave before.
    """
    with _in_style(style, instrument):
        views = [_view(release, instrument, style) for release in releases]
        found = trend([view.release for view in views], changed)
        shown = over_waves.courses(found, views[-1]) if views else ()
        return {
            "index.html": page.index(views, style.of(instrument), shown),
            feed.FILE: feed.feed(views, style.of(instrument), changed),
            f"{TREND_OVER_WAVES}.csv": over_waves.csv(trend(releases, changed)),
        }


@contextmanager
def _in_style(style: Style, instrument: Instrument) -> Iterator[None]:
    with speaking(style.spoken(instrument)), wearing(style.theme):
        yield


def _view(release: Release, instrument: Instrument, style: Style, incomparable: frozenset[str] = frozenset()) -> View:
    """A release as its readers see it: with its labels in the language that is spoken."""
    shown = style.of(instrument)
    if style.words is None and language_of(style.spoken(instrument)) == SOURCE:
        return View(release, instrument, incomparable)
    return View(with_labels(release, instrument, shown), shown, incomparable)


def _chart_files(drawn: Mapping[str, Drawn]) -> dict[str, bytes]:
    """Each chart in two sizes, for print and for newsletters, and as a drawing that can be enlarged."""
    made: dict[str, bytes] = {}
    for name, one in drawn.items():
        made[f"charts/{name}.png"] = one.large.png
        made[f"charts/{name}-small.png"] = one.small.png
        made[f"charts/{name}.svg"] = one.svg
    return made

"""Render: a release becomes pages, charts and files.

What belongs here: the two functions that others call, and the list of files. What does not: writing them anywhere, and any
number that the release does not hold. The same release gives the same bytes.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from survey_pipeline.instrument import Instrument
from survey_pipeline.release import Release
from survey_pipeline.render import newsletter, over_waves, page, tables
from survey_pipeline.render.charts import Drawn, draw
from survey_pipeline.render.page import frames
from survey_pipeline.render.view import View
from survey_pipeline.trend import TREND_OVER_WAVES, trend

NOTHING_CHANGED: Mapping[str, frozenset[str]] = MappingProxyType({})

__all__ = ["render", "render_index"]


def render(
    release: Release,
    instrument: Instrument,
    previous: Release | None = None,
    incomparable: frozenset[str] = frozenset(),
) -> dict[str, bytes]:
    """Every file of a wave's report folder, by its path in it. `previous` is the release of the wave before, `incomparable`
    the items whose numbers in it mean something else.
    """
    view = View(release, instrument)
    before = View(previous, instrument, incomparable) if previous else None
    drawn = {frame.name: draw(frame) for frame in frames(view)}
    return {
        "index.html": page.report(view, before, drawn),
        "newsletter.md": newsletter.markdown(view, before, drawn),
        **_chart_files(drawn),
        **{f"tables/{table}.csv": tables.csv(release, table, instrument) for table in release.tables},
        **_test_files(release, instrument),
        "release.json": tables.json(release),
    }


def render_index(
    releases: Sequence[Release], instrument: Instrument, changed: Mapping[str, frozenset[str]] = NOTHING_CHANGED
) -> dict[str, bytes]:
    """The files beside the folders of an instrument's waves: the page that lists them, the newest first as given last, and
    the trend over them. `changed`: by wave, the items that mean something else than in the wave before.
    """
    found, views = trend(releases, changed), [View(release, instrument) for release in releases]
    shown = over_waves.courses(found, views[-1]) if views else ()
    return {"index.html": page.index(views, instrument, shown), f"{TREND_OVER_WAVES}.csv": over_waves.csv(found)}


def _test_files(release: Release, instrument: Instrument) -> dict[str, bytes]:
    """Comparisons and tests, where the release has any."""
    comparisons = {"tables/comparisons.csv": tables.comparisons_csv(release, instrument)} if release.comparisons else {}
    return comparisons | ({"tables/tests.csv": tables.tests_csv(release, instrument)} if release.tests else {})


def _chart_files(drawn: dict[str, Drawn]) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for name, one in drawn.items():
        files |= {f"charts/{name}.png": one.png, f"charts/{name}.svg": one.svg}
    return files

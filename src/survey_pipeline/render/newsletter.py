"""The newsletter block in Markdown: what an editor pastes, in the dialect that Ghost, Substack, Buttondown and GitHub share.

What belongs here: choosing what goes into the newsletter, and making any text harmless in Markdown. What does not: sentences
(`words`). Headings, lists and images only; no HTML and no tables.
"""

import re
from collections.abc import Mapping
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from survey_pipeline.render import rules, words
from survey_pipeline.render.charts import Drawn
from survey_pipeline.render.measure import clean
from survey_pipeline.render.view import View

_MARKS = re.compile(r"([\\`*_\[\]<>|#~!])")
_START = re.compile(r"^([-+=]|\d+(?=[.)]))")
_ADDRESS = re.compile(r"(?i)(:)(?=//)|(?<=www)(\.)|(@)|(?<=mailto)(:)")


class Ready(str):
    """Markdown that is already what it should be, such as a path of ours."""


def escape(text: object) -> str:
    """Text that Markdown shows as it is: no emphasis, link, image, list, table, HTML or address that becomes a link."""
    if isinstance(text, Ready):
        return text
    marked = _MARKS.sub(r"\\\1", clean(str(text)).replace("&", "&amp;"))
    marked = _ADDRESS.sub(lambda found: f"\\{found.group()}", marked)
    return _START.sub(_at_start, marked)


def _at_start(found: re.Match[str]) -> str:
    """A hyphen or a number that would start a list."""
    mark = found.group()
    return f"{mark}\\" if mark.isdigit() else f"\\{mark}"


def markdown(view: View, previous: View | None, drawn: Mapping[str, Drawn]) -> bytes:
    """The newsletter block of one wave."""
    text = (
        _environment()
        .get_template("newsletter.md.jinja")
        .render(
            instrument=view.instrument,
            release=view.release,
            words=words,
            answered=view.answers_used,
            looser=rules.looser(view.release.policy),
            findings=words.in_short(view, previous),
            pictures=_pictures(view, drawn),
            limits=view.instrument.cannot_say,
            standing=words.limits(view.instrument) or (words.LIMITS_IN_SHORT,),
        )
    )
    return re.sub(r"\n{3,}", "\n\n", text.strip()).encode() + b"\n"


def _pictures(view: View, drawn: Mapping[str, Drawn]) -> list[tuple[str, str, Ready]]:
    """The picture of 100 people, and the first chart of the form and of the dose: heading, alternative, path."""
    first = {
        found.exposure: f"{found.table}-{found.measure.outcome}" for found in reversed(view.primary) if found.shown
    }
    chosen = [
        "in_100",
        *(first[name] for name in dict.fromkeys((view.instrument.form, view.instrument.dose)) if name in first),
    ]
    charts = [drawn[name].chart for name in chosen if name in drawn]
    return [(chart.heading, chart.alternative, Ready(f"charts/{chart.name}.png")) for chart in charts]


@cache
def _environment() -> Environment:
    """Everything that a template prints is escaped; only `Ready` is not."""
    loader = PackageLoader("survey_pipeline.render", "templates")
    return Environment(
        loader=loader,
        autoescape=False,
        finalize=escape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

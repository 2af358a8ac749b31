"""As HTML: a letter as an e-mail that Outlook, Gmail and Mailchimp show as it was meant.

What belongs here: filling the template, and writing its styles into the elements, since mail programs take styles away. What
does not: what is said (`letter`), and how it looks (`templates/newsletter.html.jinja`, `theme`).
"""

from collections.abc import Callable
from functools import cache
from typing import Final

from css_inline import CSSInliner
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from survey_pipeline.language import locale
from survey_pipeline.render import theme
from survey_pipeline.render.newsletter.letter import REPORT, Length, Letter, Picture

LARGEST: Final = 100_000
"""Bytes of an e-mail's HTML: Gmail shows no more than 102 KB of it."""
_MARKS: Final = "<>{}|"
"""Marks of HTML, and of the placeholders that services fill in, such as {{ this }} and *|THIS|*."""
_HELD: Final = {ord(mark): chr(0xE000 + place) for place, mark in enumerate(_MARKS)}
"""What stands for them while styles are written, which would undo their escaping. No text of ours holds these: they cannot be
printed, and such marks are taken out of every label.
"""
_ESCAPED: Final = {ord(held): f"&#{mark};" for mark, held in _HELD.items()}
_KEPT: Final = ' data-css-inline="keep"'


def write(letter: Letter, address: Callable[[Picture], str], travels: bool = False) -> str:
    """A letter as an HTML document. `address` says where a picture lies. A letter that `travels` has no file beside it: a
    report that is not on the web is named in it and not linked.
    """
    filled = (
        _environment()
        .get_template("newsletter.html.jinja")
        .render(
            letter=letter,
            level=1 if letter.length is Length.PAGE else 2,
            address=address,
            linked=not travels or letter.address != REPORT,
            language=locale(),
            font=Markup(theme.page_font().replace('"', "'")),
            theme=theme,
        )
    )
    return _finished(_inliner().inline(filled))


def _finished(html: str) -> str:
    """The document with its styles in place: one line for each of the template's, and no mark of ours left."""
    told = html.replace(_KEPT, "").translate(_ESCAPED)
    return "\n".join(line.rstrip() for line in told.splitlines() if line.strip()) + "\n"


def _held(value: object) -> object:
    """What a template prints, with its marks held back; not what is HTML already."""
    return value.translate(_HELD) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _inliner() -> CSSInliner:
    return CSSInliner(load_remote_stylesheets=False, minify_css=True)


@cache
def _environment() -> Environment:
    loader = PackageLoader("survey_pipeline.render", "templates")
    return Environment(
        loader=loader,
        autoescape=True,
        finalize=_held,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

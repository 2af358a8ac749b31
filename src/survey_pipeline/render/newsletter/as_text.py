"""As text: a letter for mail programs that show nothing else, and for whoever wants nothing else.

What belongs here: wrapping, underlining, and saying pictures and links in words. What does not: what is said (`letter`).
"""

from collections.abc import Iterator
from textwrap import wrap
from typing import Final

from survey_pipeline.language import say
from survey_pipeline.render.newsletter.letter import Letter, Line, Part, Picture

WIDTH: Final = 72
"""Characters of a line: short enough to stay whole when an answer quotes it (RFC 3676 names at most 78)."""
ITEM: Final = "- "


def write(letter: Letter) -> str:
    """A letter as plain text, in lines of at most 72 characters."""
    return "\n\n".join(filter(None, _pieces(letter))) + "\n"


def _pieces(letter: Letter) -> Iterator[str]:
    yield _underlined(letter.title, "=")
    yield from (_wrapped(_said(line)) for line in (*letter.notices, *letter.opening))
    for part in letter.parts:
        yield from _part(part)
    yield "\n".join((_wrapped(say("{heading}:", heading=letter.report)), letter.address))
    yield from map(_wrapped, letter.foot)


def _part(part: Part) -> Iterator[str]:
    yield _underlined(part.heading, "-")
    yield _picture(part.picture) if part.picture else ""
    yield from map(_wrapped, part.before)
    yield "\n".join(_wrapped(_said(line), ITEM) for line in part.lines)
    yield from map(_wrapped, part.after)


def _picture(picture: Picture) -> str:
    said = say("Picture {file}: {description}", file=picture.path, description=picture.alternative)
    return _wrapped(said)


def _said(line: Line) -> str:
    return " ".join(filter(None, (line.strong, line.text)))


def _underlined(heading: str, mark: str) -> str:
    lines = _wrapped(heading)
    longest = max(map(len, lines.splitlines()), default=0)
    return f"{lines}\n{mark * longest}" if lines else ""


def _wrapped(text: str, start: str = "") -> str:
    indent = " " * len(start)
    return "\n".join(wrap(text, WIDTH, initial_indent=start, subsequent_indent=indent, break_on_hyphens=False))

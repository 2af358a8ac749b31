"""As Markdown: a letter in the dialect that Ghost, Buttondown and GitHub share.

What belongs here: writing headings, lists, links and images, and making any text harmless in Markdown. What does not: what is
said (`letter`). No HTML and no tables.
"""

import re
from collections.abc import Iterable, Iterator

from survey_pipeline.render.measure import clean
from survey_pipeline.render.newsletter.letter import Length, Letter, Line, Part, Picture

_MARKS = re.compile(r"([\\`*_\[\]<>|#~!{}])")
_START = re.compile(r"^([-+=]|\d+(?=[.)]))")
_ADDRESS = re.compile(r"(?i)(:)(?=//)|(?<=www)(\.)|(@)|(?<=mailto)(:)")


def escape(text: object) -> str:
    """Text that Markdown shows as it is: no emphasis, link, image, list, table, HTML or address that becomes a link, and no
    placeholder that a service fills in, such as {{ this }}.
    """
    marked = _MARKS.sub(r"\\\1", clean(str(text)).replace("&", "&amp;"))
    marked = _ADDRESS.sub(lambda found: f"\\{found.group()}", marked)
    return _START.sub(_at_start, marked)


def _at_start(found: re.Match[str]) -> str:
    """A hyphen or a number that would start a list."""
    mark = found.group()
    return f"{mark}\\" if mark.isdigit() else f"\\{mark}"


def write(letter: Letter) -> str:
    """A letter as Markdown. Its headings begin at the first level in a page, and at the second in a block."""
    return "\n\n".join(filter(None, _pieces(letter))) + "\n"


def _pieces(letter: Letter) -> Iterator[str]:
    level = "#" if letter.length is Length.PAGE else "##"
    link = f"[{escape(letter.report)}]({letter.address})"
    opening = [_line(line) for line in letter.opening]
    yield f"{level} {escape(letter.title)}" if letter.title else ""
    yield from map(_line, letter.notices)
    if not letter.parts:
        yield " ".join((*opening, link))
        return
    yield from opening
    for part in letter.parts:
        yield from _part(part, f"{level}#")
    yield link
    yield from map(escape, letter.foot)


def _part(part: Part, level: str) -> Iterator[str]:
    yield f"{level} {escape(part.heading)}"
    yield _image(part.picture) if part.picture else ""
    yield from map(escape, part.before)
    yield _list(part.lines)
    yield from map(escape, part.after)


def _image(picture: Picture) -> str:
    return f"![{escape(picture.alternative)}]({picture.path})"


def _list(lines: Iterable[Line]) -> str:
    return "\n".join(f"- {_line(line)}" for line in lines)


def _line(line: Line) -> str:
    strong = f"**{escape(line.strong)}**" if line.strong else ""
    return " ".join(filter(None, (strong, escape(line.text))))

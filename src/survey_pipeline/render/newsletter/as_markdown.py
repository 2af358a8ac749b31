"""As Markdown: a letter in the dialect that Ghost, Buttondown and GitHub share.

What belongs here: writing headings, lists, links and images. What does not: what is said (`letter`), and making a text
harmless in Markdown (`plain`). No HTML and no tables.
"""

from collections.abc import Iterable, Iterator

from survey_pipeline.plain import in_markdown
from survey_pipeline.render.newsletter.letter import Length, Letter, Line, Part, Picture


def write(letter: Letter) -> str:
    """A letter as Markdown. Its headings begin at the first level in a page, and at the second in a block."""
    return "\n\n".join(filter(None, _pieces(letter))) + "\n"


def _pieces(letter: Letter) -> Iterator[str]:
    level = "#" if letter.length is Length.PAGE else "##"
    link = f"[{in_markdown(letter.report)}]({letter.address})"
    opening = [_line(line) for line in letter.opening]
    yield f"{level} {in_markdown(letter.title)}" if letter.title else ""
    yield from map(_line, letter.notices)
    if not letter.parts:
        yield " ".join((*opening, link))
        return
    yield from opening
    for part in letter.parts:
        yield from _part(part, f"{level}#")
    yield link
    yield from map(in_markdown, letter.foot)


def _part(part: Part, level: str) -> Iterator[str]:
    yield f"{level} {in_markdown(part.heading)}"
    yield _image(part.picture) if part.picture else ""
    yield from map(in_markdown, part.before)
    yield _list(part.lines)
    yield from map(in_markdown, part.after)


def _image(picture: Picture) -> str:
    return f"![{in_markdown(picture.alternative)}]({picture.path})"


def _list(lines: Iterable[Line]) -> str:
    return "\n".join(f"- {_line(line)}" for line in lines)


def _line(line: Line) -> str:
    strong = f"**{in_markdown(line.strong)}**" if line.strong else ""
    return " ".join(filter(None, (strong, in_markdown(line.text))))

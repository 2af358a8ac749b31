"""Plain: texts of other people made harmless where they are shown, whatever they hold.

What belongs here: one line of printable text, lines for a terminal, and text in Markdown. What does not: text in cells of
spreadsheets (`spreadsheets`), HTML (the templates escape all of it), and what a text means.
"""

import re

_MARKS = re.compile(r"([\\`*_\[\]<>|#~!{}])")
_START = re.compile(r"^([-+=]|\d+(?=[.)]))")
_ADDRESS = re.compile(r"(?i)(:)(?=//)|(?<=www)(\.)|(@)|(?<=mailto)(:)")


def clean(text: str) -> str:
    """One line of printable text: labels come from people and may hold line breaks or invisible marks that turn text."""
    return " ".join("".join(mark if mark.isprintable() else " " for mark in text).split())


def on_terminal(text: str) -> str:
    """Lines without anything that moves the cursor, colours or turns what stands there."""
    return "\n".join("".join(mark if mark.isprintable() else " " for mark in line) for line in text.split("\n"))


def in_markdown(text: object) -> str:
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

"""Slim: a page without what its drawings would say again and again.

What belongs here: putting the styles that a page's drawings share into one sheet. What does not: drawing, and the page's own
styles (`templates`). A page is opened on phones, over slow lines: of its drawings, half were styles said a hundred times.
"""

import re
from html import unescape
from typing import Final

_DRAWING: Final = re.compile(r"<svg .*?</svg>", re.DOTALL)
_STYLE: Final = re.compile(r' style="([^"]*)"')
SHEET: Final = "drawings"
"""The id of the sheet that holds the drawings' styles."""


def slim(page: str) -> str:
    """The page with each style of its drawings said once, under a name of its own, in a sheet at the end of its head."""
    names: dict[str, str] = {}

    def named(found: re.Match[str]) -> str:
        return f' class="{names.setdefault(unescape(found[1]), f"d{len(names)}")}"'

    slimmed = _DRAWING.sub(lambda drawing: _STYLE.sub(named, drawing[0]), page)
    rules = "\n".join(f".{name} {{ {style} }}" for style, name in names.items())
    return slimmed.replace("</head>", f'<style id="{SHEET}">\n{rules}\n</style>\n</head>', 1) if names else page

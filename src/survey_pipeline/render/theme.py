"""Colours and sizes of charts and pages: what stands behind the names by which drawings and pages speak of them.

What belongs here: colours (each with its name as a CSS variable), fonts and measures. What does not: which colours there are
and where a community says its own (`look`), drawing and layout. A colour is looked up when it is used, in the theme that is
worn then.
"""

from dataclasses import dataclass
from typing import Final

from survey_pipeline.look import DEFAULT, worn


@dataclass(frozen=True)
class Colour:
    """A colour of the light theme, and the one that takes its place on a dark page."""

    name: str

    @property
    def light(self) -> str:
        return worn().colour(self._key, "light")

    @property
    def dark(self) -> str:
        return worn().colour(self._key, "dark")

    @property
    def variable(self) -> str:
        return f"var(--{self.name}, {self.light})"

    @property
    def _key(self) -> str:
        return self.name.replace("-", "_")


PAPER: Final = Colour("paper")
CARD: Final = Colour("card")
INK: Final = Colour("ink")
QUIET: Final = Colour("quiet")
MARK: Final = Colour("mark")
BAND: Final = Colour("band")
LINE: Final = Colour("line")
WARN: Final = Colour("warn")
WARN_PAPER: Final = Colour("warn-paper")

COLOURS: Final = (CARD, INK, QUIET, MARK, BAND, LINE, WARN, PAPER, WARN_PAPER)
"""Those of drawings first: a page's own paper may be as white as a card."""

CHART_FONT: Final = "DejaVu Sans"
"""Comes with matplotlib, so that a chart looks the same on every machine."""
PAGE_FONT: Final = DEFAULT.families
"""Fonts that readers have already. What a community chose instead: `page_font()`."""

CHART_WIDTH: Final = 4.5
"""Inches: one column of a phone, where 11 points stay readable."""
TITLE_SIZE: Final = 14.5
LABEL_SIZE: Final = 13.0
NOTE_SIZE: Final = 11.5
SMALL_SIZE: Final = 11.5


def page_font() -> str:
    """The fonts of pages as CSS."""
    return worn().families


def variables(dark: bool) -> str:
    """The colours as CSS custom properties."""
    return " ".join(f"--{colour.name}: {colour.dark if dark else colour.light};" for colour in COLOURS)

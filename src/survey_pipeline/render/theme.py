"""Colours and sizes of charts and pages: the one place to change how everything looks.

What belongs here: colours (each with its name as a CSS variable, light and dark), fonts and measures. What does not:
drawing and layout.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Colour:
    """A colour of the light theme, and the one that takes its place on a dark page."""

    name: str
    light: str
    dark: str

    @property
    def variable(self) -> str:
        return f"var(--{self.name}, {self.light})"


# Text has a contrast of at least 4.5:1 and marks of at least 3:1 on paper, in light and dark. The blue is Okabe and Ito's.
PAPER: Final = Colour("paper", "#fdfcfa", "#15191d")
CARD: Final = Colour("card", "#ffffff", "#1c2227")
INK: Final = Colour("ink", "#1f2a33", "#e8ecef")
QUIET: Final = Colour("quiet", "#55616b", "#a9b4bd")
MARK: Final = Colour("mark", "#0072b2", "#63b4e6")
BAND: Final = Colour("band", "#e7ebee", "#2b343c")
LINE: Final = Colour("line", "#d3d9de", "#3a444d")
WARN: Final = Colour("warn", "#8f3f00", "#f2b27a")
WARN_PAPER: Final = Colour("warn-paper", "#fdf1e3", "#33251a")

COLOURS: Final = (PAPER, CARD, INK, QUIET, MARK, BAND, LINE, WARN, WARN_PAPER)

CHART_FONT: Final = "DejaVu Sans"
"""Comes with matplotlib, so that a chart looks the same on every machine."""
PAGE_FONT: Final = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Helvetica Neue", Arial, sans-serif'

CHART_WIDTH: Final = 4.5
"""Inches: one column of a phone, where 11 points stay readable."""
PIXELS_PER_INCH: Final = 200
TITLE_SIZE: Final = 14.5
LABEL_SIZE: Final = 13.0
NOTE_SIZE: Final = 11.5
SMALL_SIZE: Final = 11.5


def variables(dark: bool) -> str:
    """The colours as CSS custom properties."""
    return " ".join(f"--{colour.name}: {colour.dark if dark else colour.light};" for colour in COLOURS)

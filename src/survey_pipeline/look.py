"""Look: colours, fonts, logo, footer and contact of everything that is rendered, from one file that a community can replace.

What belongs here: the model of `theme.toml`, finding and reading it, and refusing what cannot be read or is not safe. What
does not: sizes of charts and the layout of pages (`render`), and words (`language`).

A theme is looked for beside the instrument (`schemas/NAME/theme.toml`), then for all surveys of a folder
(`schemas/theme.toml`), then among what is shipped. What it leaves out is as shipped.
"""

import re
import tomllib
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from xml.etree import ElementTree

from pydantic import AfterValidator, Field, ValidationError

from survey_pipeline.errors import InputRefused
from survey_pipeline.instrument import Strict, explain, shipped_text

FILE: Final = "theme.toml"
TEXT_CONTRAST: Final = 4.5
"""Of text and what is behind it, at least: WCAG 2.2, success criterion 1.4.3."""
MARK_CONTRAST: Final = 3.0
"""Of a mark in a chart and what is behind it, at least: WCAG 2.2, success criterion 1.4.11."""
LARGEST_LOGO: Final = 60_000
"""Bytes: a logo stands in every page."""
LARGEST_FONT: Final = 200_000
"""Bytes: a font stands in every page, and a page stays under 1.5 MB."""
MEND: Final = "Mend theme.toml and run again; docs/theme.md says what may stand in it."
TEXTS: Final = (
    *((text, behind) for text in ("ink", "quiet", "mark", "warn") for behind in ("paper", "card")),
    ("warn", "warn_paper"),
)
"""Pairs of colours of which the first is text, or a link, on the second."""
MARKS: Final = (("mark", "band"), ("quiet", "card"), ("ink", "band"))
"""Pairs of which the first is drawn on the second: dots on grey boxes, edges of these boxes, everybody's mark."""


def _is_colour(text: str) -> str:
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", text):
        raise ValueError("a colour is # and six digits or letters from a to f, such as #0072b2")
    return text.lower()


def _is_family(text: str) -> str:
    if not re.fullmatch(r"-?[A-Za-z0-9][A-Za-z0-9 _-]*", text):
        raise ValueError("a font is named by letters, digits, spaces and hyphens alone")
    return text


def _is_link(text: str) -> str:
    if text and not re.fullmatch(r"(https?://|mailto:)[^\s<>\"'{}|\\^`]+", text):
        raise ValueError("a link begins with https:// or mailto: and holds no spaces")
    return text


def _is_name_of_feed(text: str) -> str:
    if text and not re.fullmatch(r"(tag|urn|https?):[!-;=?-Z\]_a-z~#\[]+", text):
        raise ValueError(
            "feed_id begins with tag:, urn: or https:// and holds no spaces, such as tag:example.org,2026:surveys"
        )
    return text


Colour = Annotated[str, AfterValidator(_is_colour)]
Family = Annotated[str, AfterValidator(_is_family)]
Link = Annotated[str, AfterValidator(_is_link)]


class Light(Strict):
    """Colours on a light page, in charts that are passed on, in e-mail and in print. The blue is Okabe and Ito's."""

    paper: Colour = "#fdfcfa"
    card: Colour = "#ffffff"
    ink: Colour = "#1f2a33"
    quiet: Colour = "#55616b"
    mark: Colour = "#0072b2"
    band: Colour = "#e7ebee"
    line: Colour = "#d3d9de"
    warn: Colour = "#8f3f00"
    warn_paper: Colour = "#fdf1e3"


class Dark(Strict):
    """Colours on a dark page."""

    paper: Colour = "#15191d"
    card: Colour = "#1c2227"
    ink: Colour = "#e8ecef"
    quiet: Colour = "#a9b4bd"
    mark: Colour = "#63b4e6"
    band: Colour = "#2b343c"
    line: Colour = "#3a444d"
    warn: Colour = "#f2b27a"
    warn_paper: Colour = "#33251a"


class Fonts(Strict):
    """Fonts of pages: families in the order in which they are tried, and a file that is put into every page.

    `file`: a WOFF2 file beside the theme; `family`: what it is called. It stands first then.
    """

    page: tuple[Family, ...] = Field(
        default=(
            "system-ui",
            "-apple-system",
            "Segoe UI",
            "Roboto",
            "Noto Sans",
            "Helvetica Neue",
            "Arial",
            "sans-serif",
        ),
        min_length=1,
    )
    file: str = ""
    family: Family = "Our font"


class Logo(Strict):
    """A drawing at the head of each page. `file`: an SVG or PNG beside the theme; `alt`: what it says, for those who cannot
    see it; `height`: in CSS pixels.
    """

    file: str
    alt: str = Field(min_length=1)
    height: int = Field(default=48, ge=16, le=160)


class Footer(Strict):
    """What stands at the foot of each page: a text, whom to write to, and the community's own page."""

    text: str = ""
    contact: str = ""
    link: Link = ""
    link_text: str = ""


class ThemeFile(Strict):
    """All that may stand in `theme.toml`; everything has a default.

    `address`: where the reports of a survey can be read, such as https://example.org/magnesium/, for the feed. `feed_id`:
    the start of the names by which feed readers know its entries; without it they are made from the survey's name.
    """

    name: str = "default"
    light: Light = Light()
    dark: Dark = Dark()
    fonts: Fonts = Fonts()
    logo: Logo | None = None
    footer: Footer = Footer()
    address: Link = ""
    feed_id: Annotated[str, AfterValidator(_is_name_of_feed)] = ""


@dataclass(frozen=True)
class Theme:
    """A theme ready to use: its file, and its logo and font as data addresses ("" where there is none)."""

    file: ThemeFile
    logo: str = ""
    font: str = ""

    def colour(self, name: str, shade: Literal["light", "dark"]) -> str:
        """A colour by its name, such as "warn_paper"."""
        found: str = getattr(self.file.light if shade == "light" else self.file.dark, name)
        return found

    @property
    def families(self) -> str:
        """The fonts of pages as CSS."""
        own = (self.file.fonts.family,) if self.font else ()
        return ", ".join(f'"{name}"' if " " in name else name for name in (*own, *self.file.fonts.page))

    @property
    def font_face(self) -> str:
        """The rule that brings a font of the theme's own into a page; empty where there is none."""
        family = f'font-family: "{self.file.fonts.family}"'
        source = f'src: url("{self.font}") format("woff2")'
        return f"@font-face {{ {family}; {source}; font-weight: 100 900; font-display: swap; }}" if self.font else ""


DEFAULT: Final = Theme(ThemeFile())
_worn: ContextVar[Theme] = ContextVar("worn", default=DEFAULT)


@contextmanager
def wearing(theme: Theme) -> Iterator[None]:
    """Everything rendered inside looks like this."""
    token = _worn.set(theme)
    try:
        yield
    finally:
        _worn.reset(token)


def worn() -> Theme:
    """The theme in which things are rendered now."""
    return _worn.get()


# --- Finding and reading -----------------------------------------------------------------------------------------------


def load_theme(name_or_path: str | Path) -> Theme:
    """The theme of an instrument, by its name, its file or its folder.

    Raises `InputRefused` for a theme that cannot be read, holds unknown keys, has colours that cannot be told apart, or a
    logo or font that is not safe or too large.
    """
    folder = _folder_of_theme(Path(name_or_path))
    return _shipped() if folder is None else read_theme(folder / FILE)


def _folder_of_theme(given: Path) -> Path | None:
    beside = given if given.is_dir() else given.parent if given.is_file() else Path("schemas") / given
    return next((folder for folder in (beside, Path("schemas")) if (folder / FILE).is_file()), None)


@cache
def _shipped() -> Theme:
    return made(tomllib.loads(shipped_text(FILE)), Path())


def read_theme(path: Path) -> Theme:
    """A theme from its file; raises as `load_theme` does."""
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError):
        raise InputRefused("The theme is not readable TOML.", MEND) from None
    return made(given, path.parent)


def made(given: Mapping[str, Any], folder: Path) -> Theme:
    """A theme from what its file holds; `folder` is where its logo and font lie. Raises as `load_theme` does."""
    try:
        file = ThemeFile.model_validate(given)
    except ValidationError as error:
        raise InputRefused(f"The theme cannot be used. {explain(error, ThemeFile)}", MEND) from None
    _refuse_faint(file)
    _refuse_alike(file.light)
    logo = logo_address(_bytes(folder, file.logo.file, LARGEST_LOGO), file.logo.file) if file.logo else ""
    font = font_address(_bytes(folder, file.fonts.file, LARGEST_FONT)) if file.fonts.file else ""
    return Theme(file, logo, font)


def _bytes(folder: Path, name: str, most: int) -> bytes:
    """A file that a theme names. It lies in the theme's own folder, or in one inside it."""
    path = folder / name
    if Path(name).is_absolute() or ".." in Path(name).parts or not path.is_file():
        raise InputRefused(f"The theme names the file '{name}', which does not lie beside it.", MEND)
    content = path.read_bytes()
    if len(content) > most:
        raise InputRefused(
            f"The file '{name}' of the theme has {len(content):,} bytes, and {most:,} are the most.",
            "Make it smaller: it stands in every page.",
        )
    return content


# --- Colours -----------------------------------------------------------------------------------------------------------


def contrast(first: str, second: str) -> float:
    """The contrast of two colours, from 1 to 21: WCAG 2.2, contrast ratio."""
    low, high = sorted(map(_luminance, (first, second)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    """The relative luminance of an sRGB colour, from 0 to 1: WCAG 2.2."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _refuse_faint(file: ThemeFile) -> None:
    for shade, colours in (("light", file.light), ("dark", file.dark)):
        for pairs, least, what in ((TEXTS, TEXT_CONTRAST, "text"), (MARKS, MARK_CONTRAST, "a mark in a chart")):
            for first, second in pairs:
                found = contrast(getattr(colours, first), getattr(colours, second))
                if found < least:
                    raise InputRefused(
                        f"In the theme's [{shade}], {first} on {second} has a contrast of {int(found * 100) / 100:g} to 1, "
                        f"and {what} needs {least:g} to 1.",
                        f"Make {first} or {second} darker or lighter in theme.toml, and run again.",
                    )


def _refuse_alike(light: Light) -> None:
    """Colours of charts must differ, since the page tells by them what turns into which colour in the dark."""
    drawn = {name: colour for name, colour in light.model_dump().items() if name not in ("paper", "warn_paper")}
    for name, colour in drawn.items():
        twin = next((other for other, same in drawn.items() if same == colour and other != name), None)
        if twin:
            raise InputRefused(
                f"In the theme's [light], {name} and {twin} are the same colour, so charts could not follow a dark page.",
                f"Change one of them a little, such as by one in its last digit, from {colour}.",
            )


# --- Logo and font -----------------------------------------------------------------------------------------------------

_SVG: Final = "{http://www.w3.org/2000/svg}"
ELEMENTS: Final = frozenset(
    """svg g defs title desc path rect circle ellipse line polyline polygon text tspan linearGradient radialGradient stop
    clipPath mask symbol use""".split()  # noqa: SIM905 - as a list, the names would take forty lines
)
"""What a logo may be made of: shapes, letters and gradients; no scripts, styles, images, links, frames or animations."""
ATTRIBUTES: Final = frozenset(
    """id d x y x1 y1 x2 y2 cx cy r rx ry fx fy dx dy width height points transform viewBox version preserveAspectRatio
    fill fill-rule fill-opacity stroke stroke-width stroke-linecap stroke-linejoin stroke-miterlimit stroke-dasharray
    stroke-opacity opacity offset stop-color stop-opacity gradientUnits gradientTransform spreadMethod clip-path
    clip-rule clipPathUnits mask maskUnits font-family font-size font-weight text-anchor letter-spacing href role
    aria-label space""".split()  # noqa: SIM905 - as above
)


def logo_address(content: bytes, name: str = "the logo") -> str:
    """A logo as a data address. Raises `InputRefused` for what is neither PNG nor an SVG of plain shapes."""
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return f"data:image/png;base64,{b64encode(content).decode()}"
    return f"data:image/svg+xml;base64,{b64encode(_plain_drawing(content, name)).decode()}"


def _plain_drawing(content: bytes, name: str) -> bytes:
    """An SVG written anew, so that nothing is in it but what was looked at."""
    if re.search(rb"<!(DOCTYPE|ENTITY)", content, re.IGNORECASE):
        raise InputRefused(f"The file '{name}' declares entities, which a logo must not.", MEND)
    try:
        root = ElementTree.fromstring(content)
    except (ElementTree.ParseError, ValueError):
        raise InputRefused(f"The file '{name}' is neither a PNG nor a readable SVG.", MEND) from None
    if root.tag != f"{_SVG}svg":
        raise InputRefused(f"The file '{name}' is neither a PNG nor a readable SVG.", MEND)
    for element in root.iter():
        _refuse_element(element, name)
    ElementTree.register_namespace("", _SVG[1:-1])
    written: bytes = ElementTree.tostring(root, encoding="utf-8")
    return written


def _refuse_element(element: ElementTree.Element, name: str) -> None:
    tag = str(element.tag).removeprefix(_SVG)
    if tag not in ELEMENTS:
        raise InputRefused(f"The logo '{name}' holds '{_shown(tag)}', which may run or fetch something.", MEND)
    for key, value in element.attrib.items():
        plain = key.rpartition("}")[2]
        fetches = "url(" in value.replace(" ", "") and not re.fullmatch(
            r"\s*url\(\s*['\"]?#[\w-]+['\"]?\s*\)\s*", value
        )
        if plain not in ATTRIBUTES or fetches or (plain == "href" and not value.startswith("#")):
            raise InputRefused(
                f"The logo '{name}' holds '{_shown(plain)}', which may run or fetch something.",
                "Save it as a plain SVG, or as a PNG.",
            )


def _shown(text: str) -> str:
    return text.rpartition("}")[2][:40]


def font_address(content: bytes) -> str:
    """A WOFF2 font as a data address. Raises `InputRefused` for anything else."""
    if not content.startswith(b"wOF2"):
        raise InputRefused("The font of the theme is no WOFF2 file.", MEND)
    return f"data:font/woff2;base64,{b64encode(content).decode()}"

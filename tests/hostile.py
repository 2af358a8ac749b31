"""A survey whose every text wants to do harm, and its harmless twin: the same questions and answers under tame names.

What belongs here: writing both instruments and exports of them, and reading what a file is made of. What does not:
expectations.
"""

import json
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email import message_from_bytes, policy
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree

import polars as pl
from club import CLUB, as_csv, row
from markdown_it import MarkdownIt

from survey_pipeline.instrument import parse_instrument

SCRIPT: Final = "<script>window.__pwned = 1; alert(1)</script>"
BREAKING_OUT: Final = (
    SCRIPT,
    '"><img src=x onerror="window.__pwned = 2">',
    "'><svg onload=alert(3)>",
    "]]> --> </style></title></desc></svg></textarea><a href='javascript:alert(4)'>here</a>",
    "<!--[if mso]><b>",
    "&lt;b&gt; &#60;script&#62;",
    "{{ 7*7 }} {% raw %} {level.__class__} {0} %s %(x)s ${7*7}",
    "[press](http://evil.example/a) ![seen](http://evil.example/b.png) **bold** `code` | # head",
    "https://evil.example/c www.evil.example mailto:me@evil.example",
    "; } body { display: none } url(http://evil.example/d.png) @import 'http://evil.example/e.css'",
)
"""Texts that leave the place where they stand, if anything takes them for more than text."""
UNSEEN: Final = (
    "\u202eturned\u202c \u2066apart\u2069 \u200fmarks\u200e zero\u200bwidth\u2060joined\ufeff soft\u00adhyphen"
)
BREAKS: Final = "one\r\nSubject: two\u2028three\u2029four\u0085five\n\n# six\n- seven"
CONTROLS: Final = "nul\x00bell\x07back\x08tab\x0bfeed\x0cescape\x1b[31mred\x7f \ufffe\uffff"
STARTS: Final = (
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(1)",
    "\t=2+2",
    "\n=3+3",
    "\u200b=4+4",
    "\uff1d5+5",
    '=HYPERLINK("http://evil.example")',
)
"""What a spreadsheet may take for a formula."""
LONG: Final = 10_000
WORD_WITHOUT_END: Final = "Endless" * (LONG // 7)
TEXT_WITHOUT_END: Final = "a word and " * (LONG // 11)
ENDLESS: Final = {"items.form.options.oxide.label": WORD_WITHOUT_END, "items.stopped.label": TEXT_WITHOUT_END}
"""Where the labels of 10,000 characters stand."""

TEXTS: Final = frozenset(
    {
        *(
            "title",
            "community",
            "about",
            "contact",
            "recruitment",
            "label",
            "question",
            "theme",
            "note",
            "source",
            "unit",
        ),
        *("otherwise", "text", "ask", "cannot_say", "safety"),
    }
)
"""Keys of an instrument that hold words for people."""
MORE: Final[dict[str, Any]] = {
    "contact": "Somebody",
    "recruitment": "A letter",
    "cannot_say": ["Who answered"],
    "evidence": [{"text": "A trial", "source": "A journal"}],
    "safety": ["Kidneys"],
    "ask": "Ask somebody",
    "who_answered": ["form"],
}
PAIN_BEFORE: Final[dict[str, Any]] = {
    "label": "Pain before",
    "question": "Pain before",
    "theme": "health",
    "kind": "scale",
    "role": "baseline",
    "minimum": 0,
    "maximum": 10,
    "note": "A note",
    "source": "A source",
}
THRESHOLDS: Final = [
    {"name": "responder_30", "label": "30 % lower", "source": "A source", "percent": 30, "primary": True}
]
LIMITS: Final = [{"code": "eu", "label": "Above 250", "above": 250, "source": "A source"}]


def described() -> dict[str, Any]:
    """The club's instrument with a text in every place where an instrument can have one."""
    club: dict[str, Any] = parse_instrument(CLUB).model_dump(mode="json", exclude_defaults=True) | MORE
    items = club["items"]
    items["pain_before"] = PAIN_BEFORE
    items["pain"] |= {"baseline": "pain_before", "thresholds": THRESHOLDS, "note": "A note", "unit": "points"}
    items["dose"] |= {"limits": LIMITS, "people": "People who took {level}"}
    items["form"] |= {"people": "People who took {level}", "note": "A note"}
    club["tables"] += [
        {"name": "side_effects", "title": "Side effects", "exposure": "form", "outcomes": ["side_effects"]},
        {"name": "counts", "title": "Counts", "outcomes": ["stopped"], "shows": "counts"},
        {"name": "upper_levels", "title": "Upper levels", "exposure": "form", "outcomes": ["dose"]},
    ]
    return club


@dataclass(frozen=True)
class Survey:
    """An instrument as a file's text, and under which texts its options are exported."""

    instrument: str
    options: dict[str, dict[str, str]]
    comment: str
    refused: str
    """What some write where a number is asked for."""


def hostile() -> Survey:
    """Every text is replaced by one that wants to do harm, each in its own way and none like another."""
    return _survey(
        lambda place, number: ENDLESS.get(place) or poison(number, CONTROLS), poison(0), f"=1+1 {SCRIPT} {UNSEEN}"
    )


def tame() -> Survey:
    """The twin: as many texts, and nothing in them."""
    return _survey(lambda place, number: f"Text {number} {place.split('.')[-1]}", "A comment", "Much")


def poison(number: int, *more: str) -> str:
    """A text that begins as a formula and holds everything that breaks out, turns, or ends a line."""
    parts = [f"Text {number}", *BREAKING_OUT, UNSEEN, BREAKS, *more]
    return f"{STARTS[number % len(STARTS)]} {' '.join(parts)}"


def _survey(replace: Callable[[str, int], str], comment: str, refused: str) -> Survey:
    places: dict[str, int] = {}

    def text_for(place: str) -> str:
        return replace(place, places.setdefault(place, len(places)))

    club = _replaced(described(), "", text_for)
    exported: dict[str, dict[str, str]] = {}
    for name, item in club["items"].items():
        for place, option in enumerate(item.get("options", ())):
            exported.setdefault(name, {})[option["code"]] = f"{replace('spelling', 900 + place)[:60]} {option['code']}"
            option["spellings"] = [exported[name][option["code"]]]
    return Survey(_toml(club), exported, comment, refused)


def _replaced(value: Any, place: str, text_for: Callable[[str], str]) -> Any:
    """The same tree with other words for people; codes, numbers and rules stay."""
    if isinstance(value, dict):
        return {key: _replaced(inner, f"{place}.{key}".lstrip("."), text_for) for key, inner in value.items()}
    if isinstance(value, list):
        named = [
            one.get("code") or one.get("name") or str(n) if isinstance(one, dict) else str(n)
            for n, one in enumerate(value)
        ]
        return [_replaced(one, f"{place}.{name}", text_for) for name, one in zip(named, value, strict=True)]
    keys = place.split(".")
    key = keys[-2] if keys[-1].isdigit() else keys[-1]
    if key == "people":
        return f"{text_for(place)} {{level}}"
    return text_for(place) if isinstance(value, str) and key in TEXTS else value


def _toml(tree: Mapping[str, Any]) -> str:
    """An instrument's file; whatever lies below the first keys is written on one line."""
    return "".join(f"{key} = {_inline(value)}\n" for key, value in tree.items())


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {_inline(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_inline, value)) + "]"
    return json.dumps(value).replace("\x7f", "\\u007f")


def export(survey: Survey, people: range) -> str:
    """Answers of people under plain headings, in the survey's own option texts, and a column that nobody declared.

    One in 40 writes no number where one was asked for, and so goes into the quarantine.
    """
    items = list(parse_instrument(CLUB).items)
    found = []
    for number in people:
        cells = dict(zip(items, row(number).values(), strict=True))
        cells |= {
            "form": survey.options["form"][("citrate", "oxide", "mix", "none")[number % 4]],
            "side_effects": survey.options["side_effects"][("nausea", "cramps", "nothing")[number % 3]],
            "comment": survey.comment,
            "pain_before": survey.refused if number % 40 == 7 else str(min(10, int(cells["pain"]) + number % 3)),
            survey.comment: survey.comment,
        }
        found.append(cells)
    return as_csv(found, list(found[0]))


# --- What a file is made of ----------------------------------------------------------------------------------------------


LEADING: Final = frozenset({"href", "src", "srcset", "action", "formaction", "data", "poster", "background"})
"""Attributes that lead somewhere. Places on the same page are left out."""


class Parts(HTMLParser):
    """The elements of a page, each as its tag and the names of its attributes; where it leads; and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.leads_to: set[str] = set()
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(" ".join([tag, *sorted({name for name, _ in attrs})]))
        self.leads_to |= {value or "" for name, value in attrs if name in LEADING and not (value or "").startswith("#")}

    def handle_comment(self, data: str) -> None:
        self.elements.add("a comment")

    def unknown_decl(self, data: str) -> None:
        self.elements.add("a declaration")

    def handle_data(self, data: str) -> None:
        self.text += data


@dataclass(frozen=True)
class Made:
    """What a file is made of: its elements, where it leads, and the words that a person reads in it."""

    elements: frozenset[str]
    leads_to: frozenset[str] = frozenset()
    text: str = ""


def of_page(content: bytes) -> Made:
    found = Parts(content.decode())
    return Made(frozenset(found.elements), frozenset(found.leads_to), found.text)


def of_xml(content: bytes) -> Made:
    """SVG and Atom. What a feed holds as HTML is looked into as well."""
    root = ElementTree.fromstring(content)
    inside = [Parts(one.text or "") for one in root.iter() if one.get("type") == "html"]
    elements = {" ".join([one.tag, *sorted(one.attrib)]) for one in root.iter()} | set().union(
        *(one.elements for one in inside)
    )
    named = [(name.rpartition("}")[2], value) for one in root.iter() for name, value in one.attrib.items()]
    targets = {value for name, value in named if name in LEADING and not value.startswith("#")}
    return Made(
        frozenset(elements), frozenset(targets).union(*(one.leads_to for one in inside)), "".join(root.itertext())
    )


def of_markdown(content: bytes) -> Made:
    tokens = [inner for token in MarkdownIt().parse(content.decode()) for inner in (token, *(token.children or []))]
    targets = {
        str(token.attrGet("href") or token.attrGet("src")) for token in tokens if token.type in ("link_open", "image")
    }
    return Made(frozenset(token.type for token in tokens), frozenset(targets), content.decode())


def of_workbook(content: bytes) -> Made:
    """Every part of the package must be sound XML, in which formulas, links and comments are elements."""
    with zipfile.ZipFile(BytesIO(content)) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    roots = [ElementTree.fromstring(part) for name, part in parts.items() if name.endswith((".xml", ".rels"))]
    elements = {re.sub(r"\d+", "", name) for name in parts} | {one.tag for root in roots for one in root.iter()}
    targets = {one.get("Target", "") for root in roots for one in root.iter() if one.get("TargetMode") == "External"}
    sheets = pl.read_excel(BytesIO(content), sheet_id=0, has_header=False, infer_schema_length=0)
    cells = [cell for sheet in sheets.values() for line in sheet.iter_rows() for cell in line]
    return Made(frozenset(elements), frozenset(targets), " ".join(filter(None, cells)))


def of_message(content: bytes) -> Made:
    """A message: the names of its headers, the kinds of its parts, and what its HTML is made of."""
    message = message_from_bytes(content, policy=policy.default)
    elements = {f"{part.get_content_type()} {name.lower()}" for part in message.walk() for name in part.keys()}  # noqa: SIM118
    # Between lines of a message stand two marks, as its format wants.
    pages = [
        part.get_content().replace("\r\n", "\n") for part in message.walk() if part.get_content_type() == "text/html"
    ]
    plain = [
        part.get_content().replace("\r\n", "\n") for part in message.walk() if part.get_content_type() == "text/plain"
    ]
    found = [Parts(page) for page in pages]
    said = " ".join([str(message["subject"]), *plain, *(one.text for one in found)])
    return Made(
        frozenset(elements).union(*(one.elements for one in found)),
        frozenset().union(*(one.leads_to for one in found)),
        said,
    )


READERS: Final[dict[str, Callable[[bytes], Made]]] = {
    ".html": of_page,
    ".svg": of_xml,
    ".xml": of_xml,
    ".md": of_markdown,
    ".txt": lambda content: Made(frozenset(), text=content.decode()),
    ".xlsx": of_workbook,
    ".eml": of_message,
}
"""How each kind of file is read that people read."""


def files_of(folder: Path, suffix: str) -> Iterator[Path]:
    """Every file of a kind in a folder and the folders in it."""
    yield from sorted(path for path in folder.rglob(f"*{suffix}") if path.is_file())

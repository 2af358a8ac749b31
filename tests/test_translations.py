"""The program's own sentences in every language: each is translated, with all that stands in it, and none is forgotten."""

import ast
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from gettext import NullTranslations
from html.parser import HTMLParser
from pathlib import Path
from string import Formatter

import messages
import pages
import pytest
from babel.messages.catalog import Message

from survey_pipeline import language
from survey_pipeline.language import LANGUAGES, SOURCE, later, say, say_in, say_n
from survey_pipeline.render import Style, render, render_index
from survey_pipeline.render.gallery import frames
from survey_pipeline.render.view import View
from survey_pipeline.translated import in_language

OTHERS = sorted(set(LANGUAGES) - {SOURCE})
ENGLISH_ALONE = re.compile(
    r"\b(the|and|of|people|people's|who|answered|reported|groups?|numbers?|hidden|shown|with|wave|between|this|that)\b"
)


def said(message: Message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string or ())


def meant(message: Message) -> list[str]:
    return [message.id] if isinstance(message.id, str) else list(message.id)


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def catalogue(code: str) -> list[Message]:
    return [message for message in messages.kept(code) if message.id]


@pytest.mark.parametrize("code", OTHERS)
def test_the_catalogue_holds_every_sentence_of_today_and_no_other(code: str) -> None:
    assert messages.updated(code) == messages.path_of(code).read_bytes(), "run python tests/messages.py"


@pytest.mark.parametrize("code", OTHERS)
def test_every_sentence_is_translated(code: str) -> None:
    assert not [meant(message)[0] for message in catalogue(code) if not all(said(message)) or message.fuzzy]


@pytest.mark.parametrize("code", OTHERS)
def test_every_translation_holds_what_stands_in_the_sentence(code: str) -> None:
    for message in catalogue(code):
        wanted = set().union(*map(places, meant(message)))
        for text in filter(None, said(message)):
            one_of = text == said(message)[0] and len(said(message)) > 1  # "1 person" may do without its number
            assert places(text) == wanted or (one_of and places(text) == wanted - {"n"}), text


@pytest.mark.parametrize("code", OTHERS)
def test_no_sentence_was_left_in_english(code: str) -> None:
    translated = (text for message in catalogue(code) for text in said(message))
    assert not [text for text in translated if ENGLISH_ALONE.search(re.sub(r"\{[^}]*\}", "", text))]


def test_every_function_that_says_something_is_known_to_the_catalogues() -> None:
    assert {say.__name__, say_n.__name__, say_in.__name__, later.__name__} == set(messages.KEYWORDS)
    assert len(messages.extracted()) > 500


def spoken_in(path: Path) -> Iterator[str]:
    """The first text of every call that says something, as the program itself reads the file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in messages.KEYWORDS:
            text = node.args[1 if node.func.id == "say_in" else 0]
            if isinstance(text, ast.Constant) and isinstance(text.value, str):
                yield text.value


def test_no_sentence_of_the_code_escapes_the_catalogues() -> None:
    """Inside the braces of an f-string, for example, none is found."""
    known = {text for message in messages.extracted() if message.id for text in meant(message)}
    said_somewhere = [text for path in sorted(messages.PACKAGE.rglob("*.py")) for text in spoken_in(path)]
    assert len(said_somewhere) > 500
    assert not sorted(set(said_somewhere) - known)


# --- Nothing is said that is not in a catalogue ------------------------------------------------------------------------


class Marked(NullTranslations):
    """A language in which every sentence stands in brackets."""

    def gettext(self, message: str) -> str:
        return f"⟦{message}⟧"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return f"⟦{msgid1 if n == 1 else msgid2}⟧"

    def pgettext(self, context: str, message: str) -> str:
        return f"⟦{message}⟧"


class Texts(HTMLParser):
    """The words of a page, and those of attributes that people hear or see."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.ignored = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ignored += tag in ("script", "style", "code")
        self.found += [value or "" for name, value in attrs if name in ("alt", "title", "aria-label", "placeholder")]

    def handle_endtag(self, tag: str) -> None:
        self.ignored -= tag in ("script", "style", "code")

    def handle_data(self, data: str) -> None:
        if not self.ignored:
            self.found.append(data)


def outside(text: str) -> Iterator[str]:
    """Words outside all brackets."""
    depth, word = 0, ""
    for mark in f"{text} ":
        depth += (mark == "⟦") - (mark == "⟧")
        if not depth and mark.isalpha():
            word += mark
        else:
            yield from (word,) if len(word) > 1 else ()
            word = ""


MARKED = Marked()
STYLE = Style("de", MARKED)
CODES = frozenset({"name", "outcome", "statistic", "table"})
"""Parts of drawings that no reader sees."""
NAMES = frozenset({"CSV", "JSON", "SHA", "XLSX", "Parquet", "Atom", "CHERRIES", "CROSS", "STROBE"})
"""Formats and checklists, which are called alike in every language."""
MONTHS = frozenset({"Januar", "Februar"})
"""Of the waves: their names come with the library that knows how dates are written."""
PATHS = re.compile(r"charts/\S+|\S+\.(html|csv|json|xlsx)\b|\{\{.*?\}\}|https?://\S+|urn:uuid:[0-9a-f-]+")


@pytest.fixture
def brackets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every sentence of the program, and every text of a survey, stands in brackets."""
    monkeypatch.setattr(language, "catalogue", lambda code: MARKED)


@pytest.fixture(params=[False, True], ids=["shown", "hidden"])
def files(request: pytest.FixtureRequest, brackets: None) -> dict[str, bytes]:
    release, instrument = pages.release(hide=request.param), pages.magnesium()
    beside = render_index([release, release.model_copy(update={"wave": "2026-2"})], instrument, style=STYLE)
    made = render(release, instrument, release, style=STYLE)
    return {**made, **{f"../{name}": content for name, content in beside.items()}}


def labels() -> set[str]:
    """The words of the labels that the release was published with: no program made them."""
    levels = (level for found in pages.release().levels.values() for level in found)
    published = " ".join(row.level for row in pages.release().rows)
    return {*re.findall(r"[^\W\d_]+", f"{published} {' '.join(level.label for level in levels)}".lower())}


def unsaid(text: str) -> set[str]:
    known = NAMES | MONTHS
    return {word for word in outside(PATHS.sub(" ", text)) if word.lower() not in labels() and word not in known}


def test_pages_say_nothing_that_is_in_no_catalogue(files: dict[str, bytes]) -> None:
    read = [name for name in files if name.endswith(".html")]
    assert len(read) >= 5
    for name in read:
        page = re.sub(r"<svg.*?</svg>", "", files[name].decode(), flags=re.DOTALL)
        assert {word for text in Texts(page).found for word in unsaid(text)} == set(), name


def texts_in(part: object) -> Iterator[str]:
    """Every text of a drawing before it is drawn, where its sentences are not cut into lines yet."""
    if isinstance(part, str):
        yield part
    elif isinstance(part, tuple):
        for one in part:
            yield from texts_in(one)
    elif is_dataclass(part):
        for field in fields(part):
            yield from texts_in(getattr(part, field.name)) if field.name not in CODES else ()


@pytest.mark.parametrize("hide", [False, True])
def test_drawings_say_nothing_that_is_in_no_catalogue(brackets: None, hide: bool) -> None:
    own = pages.magnesium()
    with language.speaking("de"):
        found = list(frames(View(pages.release(hide=hide), in_language(own, "de", MARKED))))
        assert hide or len(found) > 4
        for frame in found:
            assert {word for text in texts_in(frame) for word in unsaid(text)} == set(), frame.name


def test_texts_say_nothing_that_is_in_no_catalogue(files: dict[str, bytes]) -> None:
    for name in (name for name in files if name.endswith((".md", ".txt"))):
        assert unsaid(files[name].decode()) == set(), name


def test_words_in_drawings_and_the_feed_say_nothing_that_is_in_no_catalogue(files: dict[str, bytes]) -> None:
    drawn = [name for name in files if name.endswith(".svg")]
    assert drawn or "charts" not in " ".join(files)
    for name in (*drawn, "../feed.xml"):
        text = re.sub(r"<style.*?</style>|<[^>]*>", " ", files[name].decode(), flags=re.DOTALL)
        assert unsaid(text) == set(), name

"""Prose: the sentences of a text in Markdown, HTML or plain text, each character with its place in the file.

What belongs here: leaving out what nobody reads (code, addresses, markup) and cutting into blocks and sentences. What does
not: what the sentences say. Alternative texts of images are read, for people hear them.
"""

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

_FRONT = re.compile(r"\A---\n.*?\n(?:---|\.\.\.)\n", re.S)
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")
_HEADING = re.compile(r"^ {0,3}#{1,6}\s+")
_ITEM = re.compile(r"^\s*(?:>\s*)*(?:[-*+\N{BULLET}]|\d{1,3}[.)])\s+")
_QUOTE = re.compile(r"^\s*(?:>\s?)+")
_UNDERLINE = re.compile(r"^\s*(=+|-+|\*{3,}|_{3,})\s*$")
_TABLE_RULE = re.compile(r"^\s*\|?[\s:|-]+\|[\s:|-]*$")
_INLINE = re.compile(
    r"(?P<escape>\\(?P<escaped>[\\`*_\[\]<>|#~!.+=@:(){}-]))"
    r"|(?P<code>(?P<ticks>`+)[^`].*?(?P=ticks))"
    r"|!\[(?P<alt>(?:\\.|[^\]\\])*)\]\([^)]*\)"
    r"|(?P<target>\]\([^)\n]*\)|\]\[[^\]\n]*\]|\]:\s*\S+)"
    r"|(?P<address><?(?:https?://|www\.|mailto:)[^\s>)]*>?|\b[\w.+-]+@[\w-]+\.[\w.]+)"
    r"|(?P<comment><!--.*?-->)|(?P<tag></?[A-Za-z][^<>]*>)"
    r"|(?P<entity>&(?:#\d+|#x[0-9a-fA-F]+|\w+);)"
    r"|(?P<mark>\*+|__+|~~|\[|\]|(?<!\w)_|_(?!\w))",
    re.S,
)
_UNREAD = re.compile(r"<!--.*?-->|<(script|style|code|pre|svg|template|noscript)\b.*?</\1\s*>|<[!?][^>]*>", re.S | re.I)
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]*)((?:[^<>\"']|\"[^\"]*\"|'[^']*')*)>")
_ALT = re.compile(r"\balt\s*=\s*(?:\"([^\"]*)\"|'([^']*)')", re.I)
_INLINE_TAGS = frozenset(
    {
        "a",
        "abbr",
        "b",
        "bdi",
        "bdo",
        "cite",
        "dfn",
        "em",
        "font",
        "i",
        "kbd",
        "mark",
        "q",
        "s",
        "small",
        "span",
        "strong",
    }
    | {"sub", "sup", "time", "u", "var", "wbr"}
)
_ENTITY = re.compile(r"&(?:#\d+|#[xX][0-9a-fA-F]+|\w+);")


@dataclass
class Line:
    """Readable characters, and for each its place in the file."""

    text: list[str] = field(default_factory=list)
    places: list[int] = field(default_factory=list)

    def add(self, text: str, place: int, step: int = 1) -> None:
        """Text that stands at a place; with step 0, all of it at that place. Spaces of any kind become one."""
        for at, mark in enumerate(text):
            space = mark.isspace()
            if space and (not self.text or self.text[-1] == " "):
                continue
            if mark.isprintable() or space:
                self.text.append(" " if space else mark)
                self.places.append(place + at * step)


@dataclass(frozen=True)
class Block:
    """A paragraph, heading, list item or alternative text."""

    text: str
    places: tuple[int, ...]
    is_heading: bool = False


@dataclass(frozen=True)
class Sentence:
    """One sentence: its text, the place of each character, and whether it is the first of a block or stands in a heading."""

    text: str
    places: tuple[int, ...]
    block: int
    is_heading: bool = False


def blocks(text: str, suffix: str = ".md") -> tuple[Block, ...]:
    """The blocks of a text in order; `suffix` says how it is written: .html, .htm, else Markdown or plain text."""
    found = _html(text) if suffix.casefold() in (".html", ".htm") else _markdown(text)
    return tuple(block for block in found if block.text.strip())


def _block(line: Line, is_heading: bool = False) -> Block:
    text = "".join(line.text)
    end = len(text.rstrip())
    return Block(text[:end], tuple(line.places[:end]), is_heading)


# --- Markdown and plain text -------------------------------------------------------------------------------------------


def _markdown(text: str) -> Iterator[Block]:
    current: list[tuple[int, str]] = []
    fence = ""
    start = front.end() if (front := _FRONT.match(text)) else 0
    place = start
    for line in text[start:].splitlines(keepends=True):
        at, place = place, place + len(line)
        mark = _FENCE.match(line)
        if mark and (not fence or mark[1].startswith(fence)):
            fence = "" if fence else mark[1]
            continue
        if fence:
            continue
        if _UNDERLINE.match(line) or _TABLE_RULE.match(line):
            yield from _inline(current, is_heading=bool(current) and line.strip()[:1] in "=-")
            current = []
            continue
        starts = _HEADING.match(line) or _ITEM.match(line)
        if starts or not line.strip() or line.lstrip().startswith("|"):
            yield from _inline(current)
            current = []
        skipped = starts.end() if starts else quote.end() if (quote := _QUOTE.match(line)) else 0
        if _HEADING.match(line):
            yield from _inline([(at + skipped, line[skipped:].rstrip().rstrip("#"))], is_heading=True)
        elif line.strip():
            current.append((at + skipped, line[skipped:]))
    yield from _inline(current)


def _inline(lines: Sequence[tuple[int, str]], is_heading: bool = False) -> Iterator[Block]:
    """One block of some lines, without its markup; the alternative texts of its images follow as blocks."""
    places = [at + offset for at, line in lines for offset in range(len(line))]
    text = "".join(line for _, line in lines)
    alternatives: list[Line] = []
    found, position = Line(), 0
    for mark in _INLINE.finditer(text):
        _plain(found, text[position : mark.start()], places[position : mark.start()])
        _marked(found, mark, places, alternatives)
        position = mark.end()
    _plain(found, text[position:], places[position:])
    yield _block(found, is_heading)
    yield from map(_block, alternatives)


def _plain(line: Line, text: str, places: Sequence[int]) -> None:
    for mark, place in zip(text, places, strict=True):
        line.add("," if mark == "|" else mark, place)


def _marked(line: Line, mark: re.Match[str], places: Sequence[int], alternatives: list[Line]) -> None:
    """What is left of one piece of markup."""
    at = places[mark.start()]
    if mark["escape"]:
        line.add(mark["escaped"], at)
    elif mark["entity"]:
        line.add(html.unescape(mark["entity"]), at, 0)
    elif mark["alt"] is not None:
        alternative = Line()
        _plain(alternative, re.sub(r"\\(.)", r" \1", mark["alt"]), places[mark.start("alt") : mark.end("alt")])
        alternatives.append(alternative)
    elif mark["code"] or mark["address"]:
        line.add(" ", at)


# --- HTML --------------------------------------------------------------------------------------------------------------


def _html(text: str) -> Iterator[Block]:
    readable = _UNREAD.sub(lambda found: " " * len(found[0]), text)
    current, position, heading = Line(), 0, False
    for tag in _TAG.finditer(readable):
        _entities(current, readable[position : tag.start()], position)
        position = tag.end()
        name = tag[2].casefold()
        if name == "img" and (alt := _ALT.search(tag[3])):
            alternative = Line()
            group = 1 if alt[1] is not None else 2
            _entities(alternative, alt[group], tag.start(3) + alt.start(group))
            yield _block(alternative)
        if name == "br":
            current.add(" ", tag.start())
        elif name not in _INLINE_TAGS and name != "img":
            yield _block(current, heading)
            current = Line()
            heading = not tag[1] and (name == "title" or re.fullmatch(r"h[1-6]", name) is not None)
    _entities(current, readable[position:], position)
    yield _block(current)


def _entities(line: Line, text: str, place: int) -> None:
    position = 0
    for found in _ENTITY.finditer(text):
        line.add(text[position : found.start()], place + position)
        line.add(html.unescape(found[0]), place + found.start(), 0)
        position = found.end()
    line.add(text[position:], place + position)


# --- Sentences ---------------------------------------------------------------------------------------------------------

_END = re.compile(
    r"[.!?\N{HORIZONTAL ELLIPSIS}]+[\"'\N{RIGHT DOUBLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}»)\]]*\s+(?=\S)"
)


def sentences(found: Iterable[Block], abbreviations: re.Pattern[str], ordinals: re.Pattern[str]) -> Iterator[Sentence]:
    """The sentences of some blocks. `abbreviations` match before a full stop that ends none; `ordinals` match from a number
    with a full stop to the word that shows it to be an ordinal, such as "4. Mai".
    """
    for number, block in enumerate(found):
        start = 0
        for end in [*_ends(block.text, abbreviations, ordinals), len(block.text)]:
            if block.text[start:end].strip():
                yield Sentence(block.text[start:end].rstrip(), block.places[start:end], number, block.is_heading)
            start = end


def _ends(text: str, abbreviations: re.Pattern[str], ordinals: re.Pattern[str]) -> Iterator[int]:
    for stop in _END.finditer(text):
        before, after = text[: stop.start()], text[stop.end() :]
        if text[stop.start()] == "." and (abbreviations.search(before) or not _may_begin(after)):
            continue
        number = re.search(r"\d{1,2}$", before)
        if number and text[stop.start()] == "." and ordinals.match(text, number.start()):
            continue
        yield stop.end()


def _may_begin(text: str) -> bool:
    """Whether a sentence may begin so: not with a small letter."""
    return not text.lstrip("\"'(«\N{LEFT DOUBLE QUOTATION MARK}")[:1].islower()


def line_and_column(text: str, place: int) -> tuple[int, int]:
    """Where a character stands, both counted from 1."""
    before = text[:place]
    return before.count("\n") + 1, place - (before.rfind("\n") + 1) + 1

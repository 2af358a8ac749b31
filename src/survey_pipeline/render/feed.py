"""The feed of waves: one Atom entry a wave, for feed readers and for newsletter services that send what is new.

What belongs here: `feed.xml` (RFC 4287) from the releases alone. What does not: sentences (`words`).

Two things that a feed must have are in no release. *When an entry was updated*: a release holds no time, so that the same
inputs give the same bytes. The feed says the last day of the wave, and a minute later for each release after the first, so
that a correction is newer than what it corrects. *A name for ever*: made from the survey's and the wave's names (RFC 4122,
version 5). Two communities may call their surveys alike: a theme's `feed_id` tells them apart.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5
from xml.etree import ElementTree

from survey_pipeline.instrument import Instrument
from survey_pipeline.language import locale, say, say_n, wave_in_words
from survey_pipeline.look import worn
from survey_pipeline.periods import period
from survey_pipeline.plain import clean
from survey_pipeline.render import words
from survey_pipeline.render.view import View

FILE: Final = "feed.xml"
ATOM: Final = "http://www.w3.org/2005/Atom"
XHTML: Final = "http://www.w3.org/1999/xhtml"
NO_WAVE: Final = "1970-01-01T00:00:00Z"
"""When a feed without entries was updated: at no time that means anything."""
NOTHING_CHANGED: Final[Mapping[str, frozenset[str]]] = {}


def feed(
    views: Sequence[View], instrument: Instrument, changed: Mapping[str, frozenset[str]] = NOTHING_CHANGED
) -> bytes:
    """The feed of some waves, given from the oldest to the newest, the newest first. `changed`: by wave, the items that mean
    something else than in the wave before.
    """
    root = ElementTree.Element("feed", {"xmlns": ATOM, "xml:lang": locale()})
    if worn().file.address:
        root.set("xml:base", worn().file.address)
    _text(root, "id", name_of(instrument.name))
    _text(root, "title", clean(instrument.title))
    _text(root, "subtitle", clean(instrument.about))
    _text(root, "updated", max(map(updated, views), default=NO_WAVE))
    _link(root, "self", FILE, "application/atom+xml")
    _link(root, "alternate", "index.html", "text/html")
    _text(ElementTree.SubElement(root, "author"), "name", _author(instrument))
    for view, before in reversed(list(_with_wave_before(views, changed))):
        root.append(_entry(view, before))
    ElementTree.indent(root, " ")
    written: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return written + b"\n"


def name_of(instrument: str, wave: str = "") -> str:
    """The name by which readers know the feed, or one of its entries, for ever."""
    path = "/".join(quote(part, safe="") for part in (instrument, wave) if part)
    own = worn().file.feed_id
    return f"{own.rstrip('/')}/{path}" if own else f"urn:uuid:{uuid5(NAMESPACE_URL, f'survey-pipeline:{path}')}"


def updated(view: View) -> str:
    """The last day of a wave, and a minute more for each release of it after the first."""
    last = date.fromordinal(period(view.release.wave)[1])
    at = datetime(last.year, last.month, last.day, tzinfo=UTC) + timedelta(minutes=view.release.release_number - 1)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")


def _author(instrument: Instrument) -> str:
    return clean(worn().file.footer.link_text or instrument.community)


def _with_wave_before(
    views: Sequence[View], changed: Mapping[str, frozenset[str]]
) -> Iterator[tuple[View, View | None]]:
    before: View | None = None
    for view in views:
        comparable = (
            View(before.release, before.instrument, changed.get(view.release.wave, frozenset())) if before else None
        )
        yield view, comparable
        before = view


def _entry(view: View, before: View | None) -> ElementTree.Element:
    """A wave: its findings in plain words, and a link to its page."""
    entry, page = ElementTree.Element("entry"), f"{quote(view.release.wave, safe='')}/index.html"
    findings = words.in_short(view, before)
    _text(entry, "id", name_of(view.release.instrument.name, view.release.wave))
    _text(entry, "title", _title(view))
    _text(entry, "updated", updated(view))
    _link(entry, "alternate", page, "text/html")
    _text(entry, "summary", " ".join((*_marks(view), *(finding.headline for finding in findings))))
    content = ElementTree.SubElement(entry, "content", {"type": "xhtml"})
    content.append(_written_out(view, findings, page))
    return entry


def _title(view: View) -> str:
    wave, title = wave_in_words(view.release.wave), clean(view.instrument.title)
    return say("{title}, {wave}", title=title, wave=wave)


def _marks(view: View) -> Iterator[str]:
    """What must stand before anything else: that answers are invented, or that the wave was corrected."""
    if view.release.is_invented:
        yield say(words.INVENTED_LONG)
    if view.release.correction:
        yield say("This report was corrected.")


def _written_out(view: View, findings: Sequence[words.Finding], page: str) -> ElementTree.Element:
    """An entry's content as XHTML: marks, who answered, findings and how sure they are, what they cannot show."""
    block = ElementTree.Element("div", {"xmlns": XHTML})
    for mark in (*_marks(view), *_answered(view)):
        _text(block, "p", mark)
    told = ElementTree.SubElement(block, "ul")
    for finding in findings:
        point = ElementTree.SubElement(told, "li")
        strong = _text(point, "strong", finding.headline)
        strong.tail = f" {' '.join(finding.details)}"
    for line in (say(words.NO_CAUSE), clean(view.instrument.ask)):
        if line:
            _text(block, "p", line)
    link = _text(ElementTree.SubElement(block, "p"), "a", say("The whole report, with charts and tables"))
    link.set("href", page)
    return block


def _answered(view: View) -> Iterator[str]:
    if view.answers_used is not None:
        yield say_n("About {n} person answered.", "About {n} people answered.", view.answers_used)


def _text(parent: ElementTree.Element, tag: str, text: str) -> ElementTree.Element:
    """An element with words in it; what XML cannot hold is left out."""
    found = ElementTree.SubElement(parent, tag)
    found.text = clean(text)
    return found


def _link(parent: ElementTree.Element, relation: str, href: str, kind: str) -> None:
    ElementTree.SubElement(parent, "link", {"rel": relation, "href": href, "type": kind})

"""A browser for tests: rendered files opened in headless Chromium as a reader would, and what their pages answer.

What belongs here: starting and ending it, opening a page with what a reader chose, and questions that fit any page. What does
not: expectations.
"""

import os
import re
import shutil
import unicodedata
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Dialog, Page, Request, Route, sync_playwright

NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
REQUIRED: Final = os.environ.get("SURVEY_PIPELINE_BROWSER") == "required"
"""Read when the tests are collected: later every setting of the user's own is taken out of the environment."""
ARGUMENTS: Final = (
    "--no-sandbox",  # Chromium will not run as root with it, and it opens nothing but files of ours
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-extensions",
)
PATIENCE: Final = 20_000
"""Milliseconds to wait for anything in a page; for the browser itself, three times as long."""
AXE_OPTIONS: Final = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
"""All rules, also best practice, and the one of WCAG 2.2 that is off unless asked for."""


@contextmanager
def running() -> Iterator[Browser]:
    """A browser, ended afterwards. Where none is installed the tests are skipped, or fail if one is required.

    For one module at a time: while it runs, nothing else in this process can run coroutines.
    """
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        missing = f"no browser is installed: none of {', '.join(NAMES)} was found"
        pytest.fail(missing) if REQUIRED else pytest.skip(missing)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=ARGUMENTS, timeout=3 * PATIENCE)
        try:
            yield started
        finally:
            started.close()


@cache
def axe() -> str:
    """The checks of axe-core, as a script to be run in a page."""
    return files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")


@dataclass
class Shown:
    """A page in the browser, with everything that it did by itself since it was opened."""

    page: Page
    left: list[str] = field(default_factory=list)
    """Addresses outside the folder that it asked for; none of them was answered."""
    said: list[str] = field(default_factory=list)
    """Errors and warnings of its console."""
    dialogs: list[str] = field(default_factory=list)

    def ask(self, question: str, given: Any = None) -> Any:
        """What a function in JavaScript answers in the page."""
        return self.page.evaluate(question, given)

    def look(self, width: int, dark: bool = False) -> None:
        """Another width in pixels, another scheme."""
        self.page.set_viewport_size({"width": width, "height": 900})
        self.page.emulate_media(color_scheme="dark" if dark else "light")

    def unfold(self) -> None:
        """Open everything that is folded."""
        self.ask("() => document.querySelectorAll('details').forEach(one => { one.open = true })")

    def violations(self) -> list[str]:
        """What axe-core finds, each rule with the first element that breaks it."""
        self.ask(axe())
        found = self.ask("options => axe.run(options)", AXE_OPTIONS)["violations"]
        return [f"{one['id']}: {one['help']}: {one['nodes'][0]['html'][:200]}" for one in found]


@contextmanager
def opened(
    browser: Browser, path: Path, folder: Path, *, width: int = 1440, scripts: bool = True, images: bool = True
) -> Iterator[Shown]:
    """A file of a folder in a fresh window; only this folder's files are answered, and none of its images if so wished."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, java_script_enabled=scripts, reduced_motion="reduce"
    )
    context.set_default_timeout(PATIENCE)
    try:
        shown = Shown(context.new_page())
        _watch(shown)
        context.route("**/*", lambda route: _answer(route, shown, folder, images))
        shown.page.goto(path.as_uri(), wait_until="load")
        yield shown
    finally:
        context.close()


def _answer(route: Route, shown: Shown, folder: Path, images: bool) -> None:
    request = route.request
    if not _is_inside(request, folder):
        shown.left.append(request.url)
        route.abort()
    elif request.resource_type == "image" and not images:
        route.abort()
    else:
        route.continue_()


def _is_inside(request: Request, folder: Path) -> bool:
    return request.url.startswith(("data:", f"{folder.resolve().as_uri()}/"))


def _watch(shown: Shown) -> None:
    def dismissed(dialog: Dialog) -> None:
        shown.dialogs.append(dialog.message)
        dialog.dismiss()

    kinds = ("error", "warning")
    shown.page.on("dialog", dismissed)
    shown.page.on("pageerror", lambda error: shown.said.append(str(error)))
    shown.page.on("console", lambda message: shown.said.append(message.text) if message.type in kinds else None)


# --- Questions ---------------------------------------------------------------------------------------------------------

TABLES: Final = """() => [...document.querySelectorAll('table')].map(table => [...table.querySelectorAll('caption, th, td')]
    .map(cell => cell.textContent.replace(/\\s+/g, ' ').trim()))"""
"""The texts of every table, seen or not, cell by cell."""

SIDEWAYS: Final = """() => {
    const page = document.scrollingElement, found = []
    if (page.scrollWidth > page.clientWidth) found.push(`the page is ${page.scrollWidth} wide`)
    const isScrolled = one => ['auto', 'scroll'].includes(getComputedStyle(one).overflowX)
    for (const one of document.body.querySelectorAll('*')) {
        const box = one.getBoundingClientRect()
        if (box.right <= page.clientWidth + 1 || box.width <= 1 || box.height <= 1 || !one.checkVisibility()) continue
        let above = one.parentElement
        while (above && !isScrolled(above)) above = above.parentElement
        if (!above) found.push(`${one.tagName} ends at ${Math.round(box.right)}: ${one.textContent.slice(0, 60)}`)
    }
    return found.slice(0, 5)
}"""
"""What reaches beyond the right edge of the window, and is in nothing that scrolls by itself."""

CUT_OFF: Final = """() => [...document.body.querySelectorAll('*')].filter(one => {
    const style = getComputedStyle(one)
    const cuts = [style.overflowX, style.overflowY].some(way => ['hidden', 'clip'].includes(way))
    if (!cuts || !one.textContent.trim() || one.closest('svg') || one.clientWidth <= 1) return false
    if (!one.checkVisibility()) return false
    return one.scrollHeight > one.clientHeight + 1 || one.scrollWidth > one.clientWidth + 1
}).map(one => one.textContent.trim().slice(0, 60))"""
"""Texts of which a part cannot be seen, since their box cuts them off. What is hidden on purpose is no wider than a pixel."""

TARGETS: Final = """() => [...document.querySelectorAll('a[href], button, summary, input, select, textarea')].filter(one => {
    if (!one.checkVisibility() || one.getBoundingClientRect().right <= 0) return false
    const block = one.parentElement.closest('p, li, td, th, dd, figcaption, div')
    const inSentence = one.tagName === 'A' && getComputedStyle(one).display === 'inline'
        && block.textContent.trim() !== one.textContent.trim()
    const box = one.getBoundingClientRect()
    return !inSentence && (box.width < 24 || box.height < 24)
}).map(one => { const box = one.getBoundingClientRect()
    return `${one.tagName} ${Math.round(box.width)} x ${Math.round(box.height)}: ${one.textContent.trim().slice(0, 60)}` })"""
"""What is too small for a finger: under 24 by 24 pixels, links within a sentence excepted (WCAG 2.2, 2.5.8)."""

PICTURES: Final = """() => [...document.querySelectorAll('svg, img')].filter(one => !one.closest('[aria-hidden=true]'))
.map(one => {
    const ids = (one.getAttribute('aria-labelledby') || '').split(/\\s+/).filter(Boolean)
    const named = ids.map(id => document.getElementById(id)?.textContent || '').join(' ')
    const figure = one.closest('figure'), inside = figure ? [...figure.querySelectorAll('table')] : []
    const copy = figure ? figure.cloneNode(true) : document.createElement('p')
    copy.querySelectorAll('details, style').forEach(part => part.remove())
    const hasNumber = row => [...row.querySelectorAll('td')].some(cell => /[0-9]/.test(cell.textContent))
    const label = row => row.querySelector('th')?.textContent || ''
    const rows = inside.flatMap(table => [...table.querySelectorAll('tbody tr')])
    const cells = inside.flatMap(table => [...table.querySelectorAll('caption, th, td')])
    return {
        name: ids.length ? ids[0].replace(/-title$/, '') : (one.getAttribute('src') || '').replace(/^.*[/]|[.][a-z]+$/g, ''),
        role: one.tagName === 'IMG' ? 'img' : one.getAttribute('role'),
        alternative: one.tagName === 'IMG' ? one.getAttribute('alt') : named || one.getAttribute('aria-label') || '',
        told: copy.textContent,
        table: cells.map(cell => cell.textContent).join(' '),
        hidden: rows.filter(row => !hasNumber(row)).map(label), numbered: rows.filter(hasNumber).slice(1).map(label),
    }
})"""
"""Every picture that is no ornament: its name, its text alternative, what stands around it, its tables' groups."""

LINKS: Final = """() => [...document.querySelectorAll('a')].map(one => one.getAttribute('href') || '').map(address =>
    [address, !address.startsWith('#') || !!document.getElementById(address.slice(1))])"""
"""Where every link leads, and whether that is there, if it is a place on the page."""

_REACHABLE: Final = """[...document.querySelectorAll(
    'a[href], button:not([disabled]), summary, input:not([type=hidden]), select, textarea, [tabindex]')]
    .filter(one => one.tabIndex >= 0 && one.checkVisibility({visibilityProperty: true}))"""
REACHABLE: Final = (
    f"() => {_REACHABLE}.map(one => one.stop ?? `${{one.tagName}} ${{one.textContent.trim().slice(0, 60)}}`)"
)
"""What the keyboard should reach, in the order of the page: the number of the stop, or what was never reached."""

SCROLLED: Final = """() => [...document.querySelectorAll('*')].filter(one =>
    ['auto', 'scroll'].includes(getComputedStyle(one).overflowX) && one.tagName !== 'HTML' && one.tagName !== 'BODY'
    && one.checkVisibility() && one.scrollWidth > one.clientWidth && one.tabIndex < 0)
    .map(one => one.textContent.slice(0, 60))"""
"""Parts that scroll sideways and cannot be reached by the keyboard."""

FOCUSED: Final = """number => {
    const one = document.activeElement
    if (!one || one === document.body || one === document.documentElement) return null
    const again = one.stop !== undefined
    if (!again) one.stop = number
    const style = getComputedStyle(one), box = one.getBoundingClientRect()
    const outlined = style.outlineStyle === 'auto' || (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2)
    return {
        again, tag: one.tagName, text: `${one.tagName} ${(one.textContent || one.type || '').trim().slice(0, 60)}`,
        marked: outlined || style.boxShadow !== 'none',
        inView: box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth && box.width > 1,
        open: one.parentElement?.open ?? null,
    }
}"""
"""Where the keyboard stands now, whether a person sees it, and whether it was there before; null where it left the page."""

SAID: Final = """() => {
    const said = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    while (walk.nextNode()) {
        const text = walk.currentNode.textContent.replace(/\\s+/g, ' ').trim(), parent = walk.currentNode.parentElement
        if (text && !parent.closest('style, script, template, svg') && parent.checkVisibility({visibilityProperty: true}))
            said.push(text)
    }
    return said
}"""
"""All texts that are shown, pictures aside."""

UNSEEN: Final = """() => {
    const unseen = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    while (walk.nextNode()) {
        const parent = walk.currentNode.parentElement, shown = document.createRange()
        shown.selectNodeContents(walk.currentNode)
        const box = shown.getBoundingClientRect()
        const text = walk.currentNode.textContent.trim()
        if (text && !parent.closest('style, script') && (!parent.checkVisibility() || box.width < 1 || box.height < 1))
            unseen.push(text)
    }
    return unseen
}"""
"""Texts of the page that take no place in it."""

NUMBERS_SAID: Final = "() => document.body.textContent.match(/[0-9]+(?:[.,][0-9]+)*/g) || []"
LETTERS: Final = "() => parseFloat(getComputedStyle(document.querySelector('main p, p')).fontSize)"
"""The size of letters, in pixels."""

FOREIGN_TO_MAIL: Final = """() => [...document.querySelectorAll('*')].filter(one =>
    one.matches('script, link, iframe, object, embed, form, input, base, svg, video, audio')
    || [...one.attributes].some(has => has.name.startsWith('on') || /javascript:/i.test(has.value))
    || /@import|url[(]|expression[(]/i.test(one.tagName === 'STYLE' ? one.textContent : one.getAttribute('style') || ''))
    .map(one => one.outerHTML.slice(0, 80))"""
"""What mail programs throw away, or warn of: scripts, styles and pictures from elsewhere, frames, forms."""

ROLES_OF_TABLES: Final = """() => [...document.querySelectorAll('table')].map(table =>
    [table.getAttribute('role'), !!table.querySelector(':scope > * > tr > th, :scope > caption')])"""
"""The role of each table, and whether it has heads or a caption of its own, as tables of numbers do."""

WITHOUT_WORDS: Final = """() => [...document.images].filter(one =>
    !(one.alt.trim() && one.getAttribute('width') && one.getAttribute('height') && one.getBoundingClientRect().width > 20))
    .map(one => one.outerHTML.slice(0, 80))"""
"""Images of which nothing is left where images are off: no words, or no place for them."""

COLOURS: Final = """() => {
    const style = getComputedStyle(document.body), told = colour => colour.match(/[0-9.]+/g).map(Number)
    const [red, green, blue, shown = 1] = told(style.backgroundColor)
    return [told(style.color).slice(0, 3), shown ? [red, green, blue] : [255, 255, 255]]
}"""
"""Ink and paper as red, green and blue, from 0 to 255 each. What has no colour of its own lets white paper through."""

TWICE_THE_LETTERS: Final = "() => { document.documentElement.style.fontSize = '200%' }"


# --- The printed page --------------------------------------------------------------------------------------------------

_OBJECT = re.compile(rb"(\d+) 0 obj\n(.*?)\nendobj", re.DOTALL)
_PAIRS = re.compile(r"^<([0-9A-F]{4})> <([0-9A-F]{4})>$", re.MULTILINE)
_STRETCHES = re.compile(r"^<([0-9A-F]{4})> <([0-9A-F]{4})> <([0-9A-F]{4})>$", re.MULTILINE)
_SHOWN = re.compile(r"/F(\d+) [\d.]+ Tf|<([0-9A-F]+)> Tj")


def printed(pdf: bytes) -> str:
    """The text of a PDF as Chromium writes it, in the order in which it is drawn, squeezed.

    Fonts there are called by the number of their object, and each names a table from its signs to letters.
    """
    objects = {int(number): content for number, content in _OBJECT.findall(pdf)}
    fonts = {number: _letters(objects, content) for number, content in objects.items() if b"/ToUnicode" in content}
    streams = (_unpacked(content) for content in objects.values() if b"/FlateDecode" in content)
    return squeezed("".join(_drawn(text, fonts) for text in streams if " Tf" in text))


def squeezed(text: str) -> str:
    """A text without spaces, and letters that are drawn as one written apart again."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def _letters(objects: dict[int, bytes], font: bytes) -> dict[str, str]:
    """From a font's signs, four hexadecimal digits each, to letters."""
    (number,) = re.findall(rb"/ToUnicode (\d+) 0 R", font)
    table = _unpacked(objects[int(number)])
    found = {sign: chr(int(letter, 16)) for sign, letter in _PAIRS.findall(table)}
    for first, last, letter in _STRETCHES.findall(table):
        for step in range(int(last, 16) - int(first, 16) + 1):
            found[f"{int(first, 16) + step:04X}"] = chr(int(letter, 16) + step)
    return found


def _unpacked(content: bytes) -> str:
    body = content.partition(b"stream\n")[2].rpartition(b"\nendstream")[0]
    try:
        return zlib.decompress(body).decode("latin-1")
    except zlib.error:
        return ""


def _drawn(stream: str, fonts: dict[int, dict[str, str]]) -> str:
    letters: dict[str, str] = {}
    said = ""
    for font, signs in _SHOWN.findall(stream):
        letters = fonts.get(int(font), {}) if font else letters
        said += "".join(letters.get(signs[place : place + 4], "") for place in range(0, len(signs), 4))
    return said


# --- Small helpers -----------------------------------------------------------------------------------------------------

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


def numbers(text: str) -> set[str]:
    """Every number that a text holds, as it is written."""
    return set(_NUMBER.findall(text))


def pages_of(folder: Path, *, mail: bool | None = None) -> Sequence[Path]:
    """Every page of a folder and the folders in it: for e-mail, for the browser, or all of them."""
    pages = sorted(folder.rglob("*.html"))
    return [page for page in pages if mail is None or page.name.startswith("newsletter") is mail]

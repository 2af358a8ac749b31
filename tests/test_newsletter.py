"""The newsletter: three formats of three lengths that say the same, and a message, whatever a survey's words hold."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from functools import cache
from html.parser import HTMLParser
from io import BytesIO
from typing import Any, Final

import pytest
import releases
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from PIL import Image

from survey_pipeline.instrument import Instrument, load_instrument
from survey_pipeline.language import speaking
from survey_pipeline.look import Theme, ThemeFile, wearing
from survey_pipeline.names import REAL
from survey_pipeline.plain import clean
from survey_pipeline.plain import in_markdown as escape
from survey_pipeline.release import Release
from survey_pipeline.render import newsletter, words
from survey_pipeline.render.charts import Drawn
from survey_pipeline.render.gallery import draw, frames
from survey_pipeline.render.newsletter import as_html, as_text, markdown
from survey_pipeline.render.newsletter.letter import Length, Letter, letters
from survey_pipeline.render.room import ELLIPSIS, ROOMS, Room, cut, cut_apart, cut_list, in_room
from survey_pipeline.render.view import View

Files = dict[str, bytes]
STEMS: Final = ("newsletter", "newsletter-block", "newsletter-paragraph")
SUFFIXES: Final = ("md", "html", "txt")
WAVES: Final = ("2026-1", "2025-4")
NUMBER: Final = re.compile(r"\d+(?:[.,]\d+)*")
LONG: Final = 10_000
HOSTILE: Final = (
    "<script>alert(1)</script>",
    "[click](http://evil.example) ![x](http://evil.example/x.png)",
    '"><img src=x onerror=alert(2)> --> </style></title>',
    "{{ subscriber.email }} {% raw %} *|UNSUB|* [[link]]",
    "=1+1 # Heading\r\nSubject: more\n\n- item\x00\u202e www.evil.example me@evil.example",
    "<!--[if mso]><b> &lt;b&gt; ]]> \ue000\ue001\ue004",
)


# --- What is looked at -------------------------------------------------------------------------------------------------


def view_of(release: Release, instrument: Instrument | None = None) -> View:
    return View(release, instrument or releases.magnesium())


NOW: Final = view_of(releases.magnesium_release())
BEFORE: Final = view_of(releases.magnesium_release(wave="2025-4"))


@cache
def drawn() -> dict[str, Drawn]:
    """The charts that a newsletter shows."""
    shown = ("in_100", "form_by_outcome-pain", "dose_by_outcome-pain")
    found = {frame.name: draw(frame) for frame in frames(NOW) if frame.name in shown}
    return {name: found[name] for name in shown}


@cache
def made() -> Files:
    return newsletter.files(NOW, BEFORE, drawn())


@cache
def made_hidden() -> Files:
    hidden = view_of(releases.magnesium_release(hide=True))
    return newsletter.files(hidden, view_of(releases.magnesium_release(hide=True, wave="2025-4")), {})


@cache
def made_music() -> Files:
    return newsletter.files(View(releases.music_release(), releases.music()), None, {})


@cache
def made_hostile() -> Files:
    now = worded(lambda place: HOSTILE[place % len(HOSTILE)] + f" {place}", "2026-1")
    charts = [frame for frame in frames(now) if frame.name in drawn()]
    # What is drawn does not matter here, and takes its time.
    return newsletter.files(now, None, {one.name: replace(drawn()[one.name], chart=one) for one in charts})


@cache
def made_long() -> Files:
    now, before = (worded(lambda place: f"{'Word and <b> ' * (LONG // 13)}{place}", wave) for wave in WAVES)
    return newsletter.files(now, before, {})


ALL: Final = (made, made_hidden, made_music, made_hostile, made_long)


def worded(text: Callable[[int], str], wave: str) -> View:
    """The release and its instrument with every text of the survey replaced, each by its own."""
    numbers = iter(range(1_000))

    def another(_: str = "") -> str:
        return text(next(numbers))

    plain = releases.magnesium()
    items = {
        name: item.model_copy(
            update={
                "label": another(),
                "options": tuple(one.model_copy(update={"label": another()}) for one in item.options),
                "thresholds": tuple(one.model_copy(update={"label": another()}) for one in item.thresholds),
                "people": f"{another()} {{level}}" if item.people else "",
            }
        )
        for name, item in plain.items.items()
    }
    texts: dict[str, Any] = {
        key: another() for key in ("title", "about", "community", "recruitment", "contact", "ask")
    } | {key: tuple(another() for _ in range(20)) for key in ("cannot_say", "safety")}
    tables = tuple(one.model_copy(update={"title": another()}) for one in plain.tables)
    instrument = plain.model_copy(update={"items": items, "tables": tables, **texts})
    forms, doses = (tuple(another() for _ in range(n)) for n in (12, 4))
    rows = releases.magnesium_rows(forms=forms, doses=doses)
    return View(releases.release(instrument, rows, wave=wave, correction=another()), instrument)


def letter_of(release: Release, length: Length, instrument: Instrument | None = None) -> Letter:
    return letters(view_of(release, instrument), None, {}, ROOMS[0])[length]


class Mail(HTMLParser):
    """An e-mail taken apart: its elements with their attributes, its comments, and the words that somebody reads or hears."""

    def __init__(self, html: bytes) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.comments: list[str] = []
        self.style = ""
        self.said: list[str] = []
        self.preview = ""
        self._open: list[tuple[str, dict[str, str]]] = []
        self.feed(html.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.elements.append((tag, given))
        self.said += [given["alt"]] if "alt" in given else []
        if tag not in ("meta", "img", "br"):
            self._open.append((tag, given))

    def handle_endtag(self, tag: str) -> None:
        assert self._open and self._open.pop()[0] == tag, f"</{tag}> closes something else"

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    def handle_data(self, data: str) -> None:
        within = [tag for tag, _ in self._open]
        if "style" in within:
            self.style += data
        elif any(given.get("class") == "preview" for _, given in self._open):
            self.preview += data
        elif "body" in within:
            self.said.append(data)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [given for name, given in self.elements if name == tag]


def said_in_html(content: bytes) -> str:
    return " ".join(" ".join(Mail(content).said).split())


def said_in_markdown(content: bytes) -> str:
    """The words of Markdown as it is shown, alternatives of its images included."""
    tokens = [one for token in MarkdownIt().parse(content.decode()) for one in (token, *(token.children or []))]
    said = (one.content if one.type in ("text", "text_special") else _alternative(one) for one in tokens)
    joined = "".join(text or ("\n" if text is None else "") for text in said)
    return " ".join(joined.split())


def _alternative(token: Any) -> str | None:
    if token.type == "image":
        return "".join(child.content for child in token.children)
    return None if token.block or token.type == "softbreak" else ""


def said_in_text(content: bytes) -> str:
    """The words of the plain text without what it says in place of pictures, links, headings and lists."""
    text = re.sub(r"(?m)^(=+|-+)$", "", content.decode())
    text = re.sub(r"Picture charts/\S+:", "", " ".join(text.split())).replace(": index.html", "")
    return " ".join(text.replace(" - ", " ").split())


def same_words(text: str) -> Counter[str]:
    """The words of a text, hyphens of lists left out."""
    return Counter(word for word in text.split() if word != "-")


# --- Files -------------------------------------------------------------------------------------------------------------


def test_there_are_three_formats_of_three_lengths_and_a_message() -> None:
    nine = {f"{stem}.{suffix}" for stem in STEMS for suffix in SUFFIXES}
    for files in ALL:
        assert files().keys() == nine | {"newsletter.eml"}


def test_pictures_are_named_with_their_files() -> None:
    one = {"in_100": drawn()["in_100"]}
    assert newsletter.attachments(NOW, one) == {newsletter.path_of("in_100"): one["in_100"].small.png}
    assert list(newsletter.attachments(NOW, drawn())) == [newsletter.path_of(name) for name in drawn()]


def test_the_same_release_gives_the_same_bytes() -> None:
    again, before = view_of(releases.magnesium_release()), view_of(releases.magnesium_release(wave="2025-4"))
    assert newsletter.files(again, before, drawn()) == made()


# --- One letter in all formats -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("stem", STEMS)
def test_all_formats_say_the_same_words_and_numbers(stem: str) -> None:
    for files in (made(), made_hidden(), made_music()):
        html, text, marked = (
            said_in_html(files[f"{stem}.html"]),
            said_in_text(files[f"{stem}.txt"]),
            said_in_markdown(files[f"{stem}.md"]),
        )
        assert same_words(html) == same_words(text) == same_words(marked)


def test_numbers_of_short_lengths_stand_in_long_ones_too() -> None:
    for files in (made(), made_music()):
        found = [set(NUMBER.findall(said_in_text(files[f"{stem}.txt"]))) for stem in STEMS]
        assert found[2] and found[2] <= found[1] <= found[0]


def test_lengths_differ_and_each_ends_with_what_it_cannot_show() -> None:
    page, block, paragraph = (len(said_in_text(made()[f"{stem}.txt"]).split()) for stem in STEMS)
    assert paragraph <= 110 < block <= 320 < page
    for stem in STEMS:
        assert "None of this shows what caused what." in said_in_text(made()[f"{stem}.txt"])


def test_no_length_tells_a_number_without_its_people_and_its_range() -> None:
    first, found = words.in_short(NOW, None)[0], NOW.primary[0]
    assert found.everybody
    range_of = words.range_words(found.everybody, found.measure)
    for stem in STEMS:
        said = said_in_text(made()[f"{stem}.txt"])
        assert first.headline in said and range_of in said and "based on about 400 people" in said
        assert "might report that anyway" in said


def test_a_paragraph_is_one_paragraph() -> None:
    released = releases.magnesium_release(provenance=REAL)
    block = letter_of(released, Length.PARAGRAPH)
    assert not block.parts and not block.title and len(block.opening) == 1
    source = newsletter.files(view_of(released), None, {})["newsletter-paragraph.md"].decode()
    assert len(source.strip().splitlines()) == 1


def test_a_block_tells_of_groups_that_differ_in_full_and_of_others_in_brief() -> None:
    apart, overlapping = (
        releases.release(
            releases.magnesium(),
            [
                releases.row("form_by_outcome", "magnesium_form", level, "pain", "responder_30", value)
                for level, value in (("all", 0.4), ("Citrate", 0.6), ("Oxide", value_of_oxide))
            ],
        )
        for value_of_oxide in (0.2, 0.55)
    )
    told = [" ".join(line.text for line in letter_of(one, Length.BLOCK).parts[0].lines) for one in (apart, overlapping)]
    assert "reported this more often" in told[0] and "reported this more often" not in told[1]
    assert "The ranges of the groups overlap" not in told[1] and told[1].count("Based on about 60 people in all.") == 1


def test_since_the_last_wave_stands_in_a_page_with_a_wave_before() -> None:
    heading = "Since the last wave"
    assert heading in said_in_text(made()["newsletter.txt"])
    assert heading not in said_in_text(made_music()["newsletter.txt"])
    assert "about 400 people the wave before" in said_in_text(made()["newsletter.txt"])


def test_the_page_says_what_was_merged_and_hidden_and_whom_to_ask() -> None:
    said = said_in_text(made()["newsletter.txt"])
    for text in (
        words.merged_levels(NOW)[0],
        words.hidden_in_all(NOW),
        *releases.magnesium().safety,
        releases.magnesium().ask,
        releases.magnesium().contact,
        releases.magnesium().recruitment,
    ):
        assert text in said


def test_the_newsletter_says_each_thing_once() -> None:
    text = made()["newsletter.md"].decode()
    headings = [line for line in text.splitlines() if line.startswith("## ")]
    seen = "\n".join(line for line in text.splitlines() if not line.startswith("!["))
    assert {"## Pain: out of 100 people", "## Pain by magnesium form", "## Pain by dose"} <= {*headings}
    assert len(headings) == len(set(headings))
    for finding in words.in_short(NOW, BEFORE):
        assert seen.count(escape(finding.headline.removesuffix("."))) == 1


# --- What must never be missed, and never be told ----------------------------------------------------------------------


def test_invented_data_is_said_before_anything_else() -> None:
    for stem in STEMS:
        page = Mail(made()[f"{stem}.html"])
        assert next(text for text in page.said if text.strip()).strip() == words.INVENTED_LONG
        assert page.preview.startswith(words.INVENTED) and page.preview != words.INVENTED
        for suffix, strong in (("md", "**"), ("txt", "")):
            blocks = made()[f"{stem}.{suffix}"].decode().split("\n\n")
            first = blocks[0 if stem.endswith("paragraph") else 1]
            assert " ".join(first.split()) == f"{strong}{words.INVENTED_LONG}{strong}"
    assert message(made())["subject"].startswith(f"[{words.INVENTED}] ")


def test_real_answers_are_not_said_to_be_invented() -> None:
    for name, content in made_music().items():
        assert b"nvented" not in content, name


def test_corrections_and_looser_rules_are_said_in_every_length() -> None:
    policy = releases.magnesium_release().policy.model_copy(update={"min_n": 5})
    released = releases.magnesium_release(correction="Ten answers came late.", policy=policy)
    for name, content in newsletter.files(view_of(released), None, {}).items():
        text = content.decode().replace("=\r\n", "")
        assert "Ten answers came late." in text and "Looser rules than usual:" in text, name


def test_hidden_numbers_are_nowhere() -> None:
    for name, content in made_hidden().items():
        text = content.decode().replace("=\r\n", "")
        assert not re.search(r"\d in 100|based on about \d|[Aa]bout \d+ people", text), name
        assert "<img" not in text and "](charts" not in text, name
    allowed = {"2026", "1", "9", "20", *NUMBER.findall(words.hidden_in_all(view_of(releases.magnesium_release(True))))}
    for stem in STEMS:
        assert set(NUMBER.findall(said_in_text(made_hidden()[f"{stem}.txt"]))) <= allowed


# --- Markdown ----------------------------------------------------------------------------------------------------------

BLOCKS: Final = {"heading_open", "heading_close", "paragraph_open", "paragraph_close", "inline"} | {
    f"{list_}_{end}" for list_ in ("bullet_list", "list_item") for end in ("open", "close")
}
INLINE: Final = {"text", "text_special", "strong_open", "strong_close", "link_open", "link_close", "image"}


@pytest.mark.parametrize("files", ALL)
@pytest.mark.parametrize("stem", STEMS)
def test_markdown_holds_headings_lists_images_and_links_of_ours_alone(files: Callable[[], Files], stem: str) -> None:
    source = files()[f"{stem}.md"].decode()
    tokens = MarkdownIt().enable("table").parse(source)
    children = [child for token in tokens for child in token.children or []]
    assert {token.type for token in tokens} <= BLOCKS and {child.type for child in children} <= INLINE
    targets = [str(one.attrGet("href") or one.attrGet("src")) for one in children if one.type in ("link_open", "image")]
    assert targets.count("index.html") == 1
    assert all(one == "index.html" or re.fullmatch(r"charts/[\w-]+\.png", one) for one in targets)
    assert not re.search(r"(?<!\\)://|www\.evil|(?<!\\)[@{}|]", source)
    levels = [token.tag for token in tokens if token.type == "heading_open"]
    assert levels[:1] == {"newsletter": ["h1"], "newsletter-block": ["h2"]}.get(stem, [])
    assert len(levels) == len(re.findall(r"^#+ ", source, re.MULTILINE))


@given(st.text(min_size=1))
@example("- a list")
@example("1. a list")
@example("<b>bold</b> https://evil.example user@evil.example")
@example("    code")
@example("{{ this }} {% that %} *|other|*")
def test_markdown_shows_any_text_as_it_is(text: str) -> None:
    tokens = MarkdownIt().parse(escape(text))
    assert {token.type for token in tokens} <= {"paragraph_open", "inline", "paragraph_close"}
    children = [child for token in tokens for child in token.children or []]
    assert {child.type for child in children} <= {"text", "text_special"}
    assert "".join(child.content for child in children) == clean(text)


# --- Plain text --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("files", ALL)
@pytest.mark.parametrize("stem", STEMS)
def test_text_is_wrapped_and_holds_nothing_unseen(files: Callable[[], Files], stem: str) -> None:
    text = files()[f"{stem}.txt"].decode()
    assert max(map(len, text.splitlines())) <= as_text.WIDTH and text.endswith("\n")
    assert all(mark.isprintable() or mark == "\n" for mark in text)


def test_text_says_pictures_and_links_in_words() -> None:
    text = made()["newsletter.txt"].decode()
    pictures = re.findall(r"^Picture (charts/\S+\.png):", text, re.MULTILINE)
    assert pictures == [newsletter.path_of(name) for name in ("in_100", "form_by_outcome-pain", "dose_by_outcome-pain")]
    assert re.search(r"(?m)^The whole report, .*:\nindex\.html$", text)


# --- HTML --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("files", ALL)
@pytest.mark.parametrize("stem", STEMS)
def test_mail_is_small_and_holds_nothing_that_mail_programs_refuse(files: Callable[[], Files], stem: str) -> None:
    content = files()[f"{stem}.html"]
    page = Mail(content)
    assert content.startswith(b"<!DOCTYPE html>") and len(content) < as_html.LARGEST
    tags = {tag for tag, _ in page.elements}
    assert tags <= {
        *("html", "head", "meta", "title", "style", "body", "div", "table", "tbody", "tr", "td"),
        *("h1", "h2", "h3", "p", "ul", "li", "strong", "a", "img"),
    }
    names = {name for _, given in page.elements for name in given}
    assert not {name for name in names if name.startswith("on")}
    targets = [given[name] for _, given in page.elements for name in ("href", "src") if name in given]
    assert all(one == "index.html" or re.fullmatch(r"charts/[\w-]+\.png", one) for one in targets)
    assert b"url(" not in re.sub(rb">[^<]*<", b"><", content) and "@import" not in page.style


@pytest.mark.parametrize("files", ALL)
def test_tables_are_for_layout_and_say_so(files: Callable[[], Files]) -> None:
    for stem in STEMS:
        tables = Mail(files()[f"{stem}.html"]).all("table")
        assert tables and all(one["role"] == "presentation" for one in tables)
        assert all((one["border"], one["cellpadding"], one["cellspacing"]) == ("0", "0", "0") for one in tables)


def test_images_have_words_and_half_the_size_of_their_files() -> None:
    shown = Mail(made()["newsletter.html"]).all("img")
    assert [one["src"] for one in shown] == [*newsletter.attachments(NOW, drawn())]
    for image, chart in zip(shown, drawn().values(), strict=True):
        size = Image.open(BytesIO(chart.small.png)).size
        assert (int(image["width"]), int(image["height"])) == (size[0] // 2, round(size[1] / 2))
        assert image["alt"] == chart.chart.alternative and int(image["width"]) <= 600


def test_all_styles_stand_in_the_elements_but_the_dark_ones() -> None:
    page = Mail(made()["newsletter.html"])
    (rule,) = re.findall(r"@media \(prefers-color-scheme: dark\) \{(.*)\}", page.style, re.DOTALL)
    assert page.style.strip() == f"@media (prefers-color-scheme: dark) {{{rule}}}"
    declared = re.findall(r"\{([^}]*)\}", rule)
    assert declared and all(one.count("!important") == one.count(";") for one in declared)
    for tag in ("body", "td", "h1", "h2", "p", "ul", "li", "img", "a"):
        assert page.all(tag) and all(one.get("style") for one in page.all(tag)), tag
    assert all("font-family" in one["style"] for one in page.all("td") if one.get("class") != "outer")
    assert all("max-width:100%" in one["style"] for one in page.all("img"))


def test_mail_says_that_it_may_be_dark_and_in_which_language_it_is() -> None:
    with speaking("de"):
        page = Mail(newsletter.files(NOW, None, {})["newsletter.html"])
    metas = {one.get("name"): one.get("content") for one in page.all("meta")}
    assert metas["color-scheme"] == metas["supported-color-schemes"] == "light dark"
    assert page.all("html")[0]["lang"] == "de" and page.all("table")[1]["lang"] == "de"


def test_dark_colours_are_meant_for_classes_that_are_there() -> None:
    page = Mail(made()["newsletter.html"])
    used = {name for _, given in page.elements for name in given.get("class", "").split()}
    assert set(re.findall(r"\.([a-z]+)\b(?=[^}]*\{)", page.style)) <= used


def test_places_for_the_services_links_are_comments() -> None:
    for stem in STEMS:
        comments = Mail(made()[f"{stem}.html"]).comments
        for place in ("WEB VERSION", "UNSUBSCRIBE", "Copy from here", "To here"):
            assert len([one for one in comments if one.strip().startswith(place)]) == 1
        assert "nsubscribe" not in said_in_html(made()[f"{stem}.html"])


def test_the_report_is_linked_on_the_web_where_the_theme_says_where_it_is() -> None:
    theme = Theme(ThemeFile(address="https://example.org/magnesium/"))
    with wearing(theme):
        files = newsletter.files(NOW, None, {})
    for name, content in files.items():
        assert b"https://example.org/magnesium/2026-1/index.html" in content.replace(b"=\r\n", b""), name
        assert b"index.html" in made()[name] and b"https:" not in made()[name]


# --- Hostile words -----------------------------------------------------------------------------------------------------


def test_hostile_words_are_shown_as_they_were_written() -> None:
    for stem in STEMS:
        said = said_in_html(made_hostile()[f"{stem}.html"])
        assert same_words(said) == same_words(said_in_text(made_hostile()[f"{stem}.txt"]))
    said = said_in_html(made_hostile()["newsletter.html"])
    for text in HOSTILE:
        assert clean(text) in said


def test_hostile_words_are_no_marks_and_no_placeholders_in_mail() -> None:
    for name, content in made_hostile().items():
        if name.endswith(".html"):
            body = content.decode().partition("<body")[2]
            assert "<script" not in body and "{" not in body and "*|" not in body, name
            assert not [one for one in Mail(content).comments if "evil" in one or "alert" in one], name


def test_hostile_words_add_no_headers_to_the_message() -> None:
    names = {name.lower() for name in message(made_hostile()).keys()}  # noqa: SIM118
    assert names == {"subject", "x-unsent", "mime-version", "content-type"}


# --- Words without end -------------------------------------------------------------------------------------------------


def test_labels_without_end_are_cut_and_that_is_seen() -> None:
    assert len(made_long()["newsletter.html"]) < as_html.LARGEST
    for stem in STEMS:
        said = said_in_text(made_long()[f"{stem}.txt"])
        assert ELLIPSIS in said and "about 25 in 100 people reported this (based on about 400 people)" in said
        assert said_in_html(made_long()[f"{stem}.html"]).count(ELLIPSIS) == said.count(ELLIPSIS)


def test_a_survey_of_ordinary_words_is_not_cut() -> None:
    assert not [name for name, content in made().items() if ELLIPSIS.encode() in content]
    shipped = load_instrument("magnesium")
    texts = [shipped.title, shipped.about, shipped.ask, *shipped.cannot_say, *shipped.safety]
    assert all(cut(text, ROOMS[0].text) == clean(text) for text in texts)
    assert in_room(view_of(releases.magnesium_release(), shipped), ROOMS[0]).instrument is shipped


@pytest.mark.parametrize(("length", "is_cut"), [(9, False), (10, False), (11, True)])
def test_a_text_is_cut_only_where_it_is_longer_than_there_is_room(length: int, is_cut: bool) -> None:
    found = cut("x" * length, 10)
    assert (found.endswith(ELLIPSIS), len(found)) == (is_cut, min(length, 10))


@pytest.mark.parametrize(
    ("n", "told"),
    [(2, ()), (3, ("1 more line is in the report.",)), (4, ("2 more lines are in the report.",))],
)
def test_a_list_says_how_many_lines_it_leaves_out(n: int, told: tuple[str, ...]) -> None:
    room = Room(label=10, text=10, lines=2)
    assert cut_list(map(str, range(n)), room) == (*map(str, range(min(n, 2))), *told)


@given(st.sets(st.text("ab \n", min_size=1, max_size=40), max_size=30), st.integers(8, 20))
def test_labels_that_begin_alike_stay_apart(given_labels: set[str], most: int) -> None:
    short = cut_apart(given_labels, most)
    assert set(short) == {label for label in given_labels if len(clean(label)) > most}
    assert all(len(label) <= most and ELLIPSIS in label for label in short.values())
    assert len(set(short.values())) == len(short)
    assert not {clean(label) for label in given_labels} & set(short.values())


def test_what_is_shown_of_two_waves_is_cut_alike() -> None:
    now, before = (worded(lambda place: f"{'x' * LONG}{place}", wave) for wave in WAVES)
    first, second = in_room(now, ROOMS[0], before), in_room(before, ROOMS[0], now)
    assert [row.level for row in first.release.rows] == [row.level for row in second.release.rows]
    assert len({row.level for row in first.release.rows}) == len({row.level for row in now.release.rows})
    assert first.members("dose").keys() == {row.level for row in first.release.rows if row.exposure == "dose"} - {"all"}


def test_a_phrase_for_people_that_is_too_long_gives_way_to_the_plain_one() -> None:
    now = worded(lambda place: f"{'x' * LONG}{place}", "2026-1")
    assert {item.people for item in in_room(now, ROOMS[0]).instrument.items.values()} == {""}


@pytest.mark.parametrize(("words_in_line", "shown"), [(10, ROOMS[0].lines), (300, ROOMS[1].lines)])
def test_a_letter_takes_the_first_room_in_which_it_fits(words_in_line: int, shown: int) -> None:
    lines = [f"Line {place}: {'and so on ' * words_in_line}" for place in range(600)]
    files = newsletter.files(view_of(NOW.release, releases.magnesium(cannot_say=lines, safety=lines)), None, {})
    said = said_in_text(files["newsletter.txt"])
    assert said.count(f"{600 - shown} more lines are in the report.") == 2
    assert f"Line {shown - 1}:" in said and f"Line {shown}:" not in said
    assert len(files["newsletter.html"]) < as_html.LARGEST


# --- The message -------------------------------------------------------------------------------------------------------


def message(files: Files) -> EmailMessage:
    found = message_from_bytes(files["newsletter.eml"], policy=default)
    assert isinstance(found, EmailMessage) and not list(_defects(found))
    return found


def _defects(part: Any) -> Iterator[Any]:
    yield from part.defects
    for inner in part.iter_parts() if part.is_multipart() else ():
        yield from _defects(inner)


def test_the_message_holds_text_html_and_its_pictures() -> None:
    found = message(made())
    kinds = [part.get_content_type() for part in found.walk()]
    assert kinds == ["multipart/alternative", "text/plain", "multipart/related", "text/html", *3 * ["image/png"]]
    text, html = (found.get_body((kind,)) for kind in ("plain", "html"))
    assert text and html
    assert text.get_content().replace("\r\n", "\n").encode() == made()["newsletter.txt"]
    assert same_words(said_in_html(html.get_content().encode())) == same_words(said_in_html(made()["newsletter.html"]))
    assert len(html.get_content().encode()) < as_html.LARGEST


def test_each_picture_of_the_message_is_shown_in_it() -> None:
    found = message(made())
    html = found.get_body(("html",))
    assert html
    wanted = [one["src"] for one in Mail(html.get_content().encode()).all("img")]
    held = {f"cid:{part['content-id'][1:-1]}": part for part in found.walk() if part.get_content_type() == "image/png"}
    assert wanted == [*held] and all(part.get_content().startswith(b"\x89PNG") for part in held.values())
    assert not Mail(html.get_content().encode()).all("a"), "there is no report beside it"


def test_the_message_is_a_draft_of_nobody_and_no_time() -> None:
    found = message(made())
    assert found["subject"] == "[Invented data] Magnesium and fibromyalgia, January 2026"
    assert not [name for name in ("from", "to", "date", "message-id") if name in found]
    assert found["x-unsent"] == "1" and made()["newsletter.eml"].startswith(b"Subject: [Invented data] Magnesium")


def test_boundaries_go_by_what_lies_between_them() -> None:
    boundaries = [[part.get_boundary() for part in message(one()).walk()] for one in (made, made_music)]
    found = [one for several in boundaries for one in several if one]
    assert len(found) == len(set(found)) == 3, "without pictures there is nothing related"


def test_a_subject_of_other_letters_is_read_back() -> None:
    titled = releases.magnesium(title="Magnésium и фибромиалгия: " + "очень " * 20)
    found = message(newsletter.files(view_of(releases.magnesium_release(), titled), None, {}))
    assert found["subject"] == f"[{words.INVENTED}] {clean(titled.title)}, January 2026"


def test_markdown_alone_is_the_page() -> None:
    assert markdown(NOW, BEFORE, drawn()) == made()["newsletter.md"]

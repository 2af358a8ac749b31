"""Pages as a reader meets them: narrow and wide, light and dark, by keyboard, without scripts, on paper, as mail."""

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import browser as asked
import pages
import pytest
import releases
from browser import Shown, numbers, opened, pages_of, printed, running, squeezed
from playwright.sync_api import Browser

from survey_pipeline.release import Release
from survey_pipeline.render import render, render_index
from survey_pipeline.reports import write_files

SAMPLE = Path(__file__).parents[1] / "reports" / "sample"
WIDTHS = (360, 768, 1440)
MAIL_AT_MOST = 100_000
"""Bytes: Gmail shows no more than the first 102 KB of a letter."""
PAGE_AT_MOST = 1_500_000
IN_100 = frozenset({"100"})
SCALE = re.compile(r"scale from \S+ to \S+")
"""Units are no numbers of anybody's: those of shares, and the ends of a scale."""
HIDDEN_FORM = "Taurate"
CROSSED = "magnesium_form_by_dose"


def release(wave: str) -> Release:
    """The release of every table, one form of it hidden throughout."""
    hidden = pages.responders("form_by_outcome", "magnesium_form", HIDDEN_FORM, None, None)
    hidden.append(pages.share("form_by_side_effect", "magnesium_form", HIDDEN_FORM, "side_effects__diarrhoea", None))
    full = pages.release()
    made = releases.release(pages.magnesium(), [*pages.rows(), *hidden], wave)
    levels = made.levels | {CROSSED: full.levels[CROSSED]}
    told = {"levels": levels, "tests": full.tests, "comparisons": full.comparisons}
    return made.model_copy(update=told)


def told_by(alternative: str) -> set[str]:
    """The numbers that a chart's alternative tells."""
    return numbers(SCALE.sub("", alternative)) - IN_100


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running() as started:
        yield started


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The newest of two waves as its report folder lies beside the index of waves."""
    top, instrument = tmp_path_factory.mktemp("reports"), pages.magnesium()
    before, now = release("2026-01"), release("2026-02")
    write_files(top, render_index([before, now], instrument))
    write_files(top / now.wave, render(now, instrument, before))
    return top


def each(
    browser: Browser, folder: Path, *, mail: bool | None = None, **chosen: bool | int
) -> Iterator[tuple[str, Shown]]:
    """Every page of a folder, opened one after the other, with its path in it."""
    for path in pages_of(folder, mail=mail):
        with opened(browser, path, folder, **chosen) as shown:  # type: ignore[arg-type]
            yield path.relative_to(folder).as_posix(), shown


def test_there_are_pages_for_the_browser_and_for_mail(folder: Path) -> None:
    found = {path.relative_to(folder).as_posix() for path in pages_of(folder)}
    assert {"index.html", "2026-02/index.html", "2026-02/newsletter.html"} <= found


# --- For everybody -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_nothing_light_or_dark_folded_or_open(browser: Browser, folder: Path, width: int) -> None:
    found = {}
    for name, shown in each(browser, folder, width=width):
        for dark, unfolded in ((False, False), (False, True), (True, True)):
            shown.look(width, dark)
            if unfolded:
                shown.unfold()
            found[name, "dark" if dark else "light", "open" if unfolded else "folded"] = shown.violations()
    assert not {place: violations for place, violations in found.items() if violations}


def test_pages_are_dark_where_a_reader_likes_it_dark(browser: Browser, folder: Path) -> None:
    for name, shown in each(browser, folder, mail=False):
        for dark in (False, True):
            shown.look(1440, dark)
            ink, paper = shown.ask(asked.COLOURS)
            assert (sum(ink) > sum(paper)) is dark, name


def test_pages_ask_for_nothing_outside_and_keep_quiet(browser: Browser, folder: Path) -> None:
    for name, shown in each(browser, folder):
        shown.unfold()
        shown.page.wait_for_load_state("networkidle")
        assert (name, shown.left, shown.said, shown.dialogs) == (name, [], [], [])


@pytest.mark.parametrize("width", [320, 360])
def test_nothing_reaches_beyond_a_narrow_screen(browser: Browser, folder: Path, width: int) -> None:
    for name, shown in each(browser, folder, width=width):
        shown.unfold()
        assert not shown.ask(asked.SIDEWAYS), name
        assert not shown.ask(asked.CUT_OFF), name


@pytest.mark.parametrize("width", [360, 768])
def test_letters_of_twice_the_size_stay_on_the_screen(browser: Browser, folder: Path, width: int) -> None:
    for name, shown in each(browser, folder, mail=False, width=width):
        before = shown.ask(asked.LETTERS)
        shown.ask(asked.TWICE_THE_LETTERS)
        shown.unfold()
        assert shown.ask(asked.LETTERS) == pytest.approx(2 * before, rel=0.1), name
        assert not shown.ask(asked.SIDEWAYS), name
        assert not shown.ask(asked.CUT_OFF), name


@pytest.mark.parametrize("width", [360, 1440])
def test_fingers_hit_what_can_be_tapped(browser: Browser, folder: Path, width: int) -> None:
    for name, shown in each(browser, folder, width=width):
        shown.unfold()
        assert not shown.ask(asked.TARGETS), name


def test_every_link_leads_somewhere(browser: Browser, folder: Path) -> None:
    for name, shown in each(browser, folder):
        for address, is_there in shown.ask(asked.LINKS):
            assert address and is_there, (name, address)
            if not address.startswith(("#", "http:", "https:", "mailto:", "2026-01/", "{")):
                assert (folder / name).parent.joinpath(address.partition("#")[0]).is_file(), (name, address)


# --- Charts ------------------------------------------------------------------------------------------------------------


def tables_of(browser: Browser, folder: Path) -> dict[str, str]:
    """What the tables of each chart say, by the chart's name; under "" what all tables of the pages say."""
    found = {"": ""}
    for _, shown in each(browser, folder, mail=False):
        for picture in shown.ask(asked.PICTURES):
            found[picture["name"]] = found.get(picture["name"], "") + picture["table"]
        found[""] += " ".join(" ".join(cells) for cells in shown.ask(asked.TABLES))
    return found


def table_of(chart: str, tables: dict[str, str]) -> str:
    """The tables of a chart; files of several sizes have its name and something behind it. All tables, if it has none."""
    named = max((name for name in tables if chart.startswith(name)), key=len)
    return tables[named] or tables[""]


def alternatives(browser: Browser, folder: Path) -> Iterator[tuple[str, str, str]]:
    """Every picture in every page, newsletter and file: where, the chart's name, and its text alternative."""
    for name, shown in each(browser, folder):
        for picture in shown.ask(asked.PICTURES):
            assert picture["role"] == "img", (name, picture["name"])
            yield name, picture["name"], picture["alternative"] or ""
    for path in sorted(folder.rglob("*.md")):
        for text, address in re.findall(r"!\[(.*?)\]\((\S+?)\)", path.read_text(encoding="utf-8")):
            yield path.name, Path(address).stem, re.sub(r"\\(.)", r"\1", text)
    for path in sorted(folder.rglob("*.svg")):
        root = ElementTree.fromstring(path.read_bytes())
        told = [root.findtext(f"{{http://www.w3.org/2000/svg}}{tag}") or "" for tag in ("title", "desc")]
        assert root.get("role") == "img" and all(told), path.name
        yield path.name, path.stem, " ".join(told)


def test_every_picture_is_told_in_words_that_agree_with_its_table(browser: Browser, folder: Path) -> None:
    tables, seen = tables_of(browser, folder), set()
    for where, chart, text in alternatives(browser, folder):
        assert len(text.split()) >= 8, (where, chart)
        assert told_by(text) <= numbers(table_of(chart, tables)), (where, chart)
        seen.add(where.rpartition(".")[2])
    assert {"html", "md", "svg"} <= seen


def test_hidden_groups_are_named_beside_a_chart_of_groups(browser: Browser, folder: Path) -> None:
    named = set()
    for name, shown in each(browser, folder, mail=False):
        for picture in shown.ask(asked.PICTURES):
            told = squeezed(picture["told"]).casefold()
            drawn, hidden = (
                [label for label in picture[which] if squeezed(label).casefold() in told]
                for which in ("numbered", "hidden")
            )
            assert not drawn or hidden == picture["hidden"], (name, picture["name"])
            named |= set(hidden)
    assert HIDDEN_FORM in named


# --- By keyboard -------------------------------------------------------------------------------------------------------


def walked(shown: Shown) -> list[str]:
    """Go through a page with Tab, unfolding with Enter or Space whatever is folded; what is wrong on the way."""
    wrong: list[str] = []
    for number in range(1000):
        shown.page.keyboard.press("Tab")
        focused = shown.ask(asked.FOCUSED, number)
        if focused is None or focused["again"]:
            return wrong
        wrong += [] if focused["marked"] else [f"not marked: {focused['text']}"]
        wrong += [] if focused["inView"] else [f"out of sight: {focused['text']}"]
        if focused["tag"] == "SUMMARY":
            shown.page.keyboard.press("Enter" if number % 2 else "Space")
            unfolded = shown.ask(asked.FOCUSED, number)["open"]
            wrong += [] if unfolded is not focused["open"] else [f"does not unfold: {focused['text']}"]
    return [*wrong, "the walk never ends"]


def test_the_keyboard_reaches_everything_in_order_and_is_seen(browser: Browser, folder: Path) -> None:
    for name, shown in each(browser, folder, width=360):
        assert not walked(shown), name
        stops = shown.ask(asked.REACHABLE)
        assert not [stop for stop in stops if isinstance(stop, str)], name
        assert stops == list(range(len(stops))), name
        assert not shown.ask(asked.SCROLLED), name


def test_the_first_stop_leads_past_the_head_of_the_page(browser: Browser, folder: Path) -> None:
    for name, shown in each(browser, folder, mail=False):
        shown.page.keyboard.press("Tab")
        assert shown.ask("() => document.activeElement.getAttribute('href')") == "#main", name
        shown.page.keyboard.press("Enter")
        shown.page.keyboard.press("Tab")
        assert shown.ask("() => !!document.activeElement.closest('#main')"), name


def test_tables_sort_by_keyboard_and_lose_no_row(browser: Browser, folder: Path) -> None:
    sorted_tables = 0
    for name, shown in each(browser, folder, mail=False):
        shown.unfold()
        for table in shown.page.locator("table:has(thead button)").all():
            rows = table.locator("tbody tr")
            before = rows.all_inner_texts()
            for button in table.locator("thead button").all():
                button.focus()
                orders = []
                for key in ("Enter", "Space"):
                    shown.page.keyboard.press(key)
                    orders.append(
                        (button.locator("xpath=ancestor::th").get_attribute("aria-sort"), rows.all_inner_texts())
                    )
                assert {order for order, _ in orders} == {"ascending", "descending"}, name
                assert all(sorted(texts) == sorted(before) for _, texts in orders), name
            sorted_tables += 1
    assert sorted_tables


def test_filters_work_by_keyboard_and_say_what_is_left(browser: Browser, folder: Path) -> None:
    filtered = 0
    for name, shown in each(browser, folder, mail=False):
        shown.unfold()
        for box in shown.page.locator("input").all():
            rows = "() => [...document.querySelectorAll('tbody tr')].filter(row => row.checkVisibility()).length"
            before = shown.ask(rows)
            box.focus()
            shown.page.keyboard.type("zzz")
            assert shown.ask(rows) < before, name
            for _ in "zzz":
                shown.page.keyboard.press("Backspace")
            assert shown.ask(rows) == before, name
            filtered += 1
    assert filtered


# --- Without scripts, on paper -----------------------------------------------------------------------------------------


def test_without_scripts_every_number_is_there(browser: Browser, folder: Path) -> None:
    for path in pages_of(folder):
        told = []
        for scripts in (True, False):
            with opened(browser, path, folder, scripts=scripts) as shown:
                told.append((shown.ask(asked.TABLES), set(shown.ask(asked.NUMBERS_SAID))))
        (tables, said), (tables_alone, said_alone) = told
        assert tables_alone == tables, path
        assert said <= said_alone, path


def test_paper_holds_every_table(browser: Browser, folder: Path) -> None:
    for name, shown in each(browser, folder):
        tables, paper = shown.ask(asked.TABLES), printed(shown.page.pdf())
        missing = [cell for cells in tables for cell in cells if squeezed(cell) not in paper]
        assert paper and not missing, name


def test_paper_is_light_where_the_screen_is_dark(browser: Browser, folder: Path) -> None:
    for name, shown in each(browser, folder, mail=False):
        shown.page.emulate_media(media="print", color_scheme="dark")
        ink, paper = shown.ask(asked.COLOURS)
        assert max(ink) < 100 and min(paper) > 200, name


# --- Mail --------------------------------------------------------------------------------------------------------------


def test_mail_holds_no_script_and_no_outside_style(browser: Browser, folder: Path) -> None:
    for name, shown in each(browser, folder, mail=True):
        assert not shown.ask(asked.FOREIGN_TO_MAIL), name


def test_mail_is_not_cut_off(folder: Path) -> None:
    for path in pages_of(folder, mail=True):
        assert len(path.read_bytes()) < MAIL_AT_MOST, path


def test_mail_is_laid_out_by_tables_that_are_not_read_as_tables(browser: Browser, folder: Path) -> None:
    for name, shown in each(browser, folder, mail=True):
        roles = shown.ask(asked.ROLES_OF_TABLES)
        assert roles, name
        assert all(role == "presentation" or heads for role, heads in roles), name
        assert not [role for role, heads in roles if role == "presentation" and heads], name


def test_mail_reads_the_same_without_images_and_without_its_style_sheet(browser: Browser, folder: Path) -> None:
    for path in pages_of(folder, mail=True):
        with opened(browser, path, folder) as shown:
            said = shown.ask(asked.SAID)
        with opened(browser, path, folder, width=360, images=False) as shown:
            assert not shown.ask(asked.WITHOUT_WORDS), path
            shown.ask("() => document.querySelectorAll('style').forEach(one => one.remove())")
            assert shown.ask(asked.SAID) == said, path
            assert len(shown.ask(asked.UNSEEN)) <= 1, (
                "only the line that mail programs show beside the subject is hidden"
            )
            assert not shown.ask(asked.SIDEWAYS), path


# --- The committed sample ----------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(("width", "dark"), [(360, True), (768, False), (1440, True)])
def test_the_sample_report_stands_all_of_it(browser: Browser, width: int, dark: bool) -> None:
    with opened(browser, SAMPLE / "index.html", SAMPLE, width=width) as shown:
        shown.look(width, dark)
        shown.unfold()
        assert not shown.violations()
        assert not [*shown.ask(asked.SIDEWAYS), *shown.ask(asked.CUT_OFF), *shown.ask(asked.TARGETS)]
        assert (shown.left, shown.said, shown.dialogs) == ([], [], [])


@pytest.mark.slow
def test_the_charts_of_the_sample_agree_with_their_tables(browser: Browser) -> None:
    with opened(browser, SAMPLE / "index.html", SAMPLE) as shown:
        everything = " ".join(" ".join(cells) for cells in shown.ask(asked.TABLES))
        pictures = shown.ask(asked.PICTURES)
    assert pictures and (SAMPLE / "index.html").stat().st_size < PAGE_AT_MOST
    for picture in pictures:
        told = told_by(picture["alternative"])
        assert told <= numbers(picture["table"] or everything), picture["name"]


@pytest.mark.slow
def test_the_sample_report_is_read_by_keyboard(browser: Browser) -> None:
    with opened(browser, SAMPLE / "index.html", SAMPLE, width=360) as shown:
        assert not walked(shown)
        stops = shown.ask(asked.REACHABLE)
        assert stops == list(range(len(stops)))

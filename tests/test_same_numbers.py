"""The same numbers everywhere: page, newsletter, charts, the page of waves and the feed are read back and held against the
release, in every language. What belongs here: what people read. What does not: files for analysts (`test_formats`).

Nothing is compared with what the program meant to write: tables, drawings and sentences are read from the finished files,
and each number in them must be a rounding of the row of the release that it stands for.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from decimal import Decimal
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from functools import cache, cached_property
from io import BytesIO
from pathlib import Path
from typing import Any, Final, NamedTuple
from xml.etree import ElementTree

import pages
import polars as pl
import pytest
import releases
from markdown_it import MarkdownIt
from readback import Element, number, numbers_in, parts, pattern, tree

from survey_pipeline import names
from survey_pipeline.instrument import Instrument, load_instrument
from survey_pipeline.language import LANGUAGES, per_cent, say, say_in, say_n, speaking, wave_in_words, whole
from survey_pipeline.names import Status
from survey_pipeline.release import Release, Row
from survey_pipeline.render import Style, curves, grids, phrases, render, render_index, rules, words
from survey_pipeline.render.measure import ANYWAY, READINGS, WITHOUT_UNIT, Measure
from survey_pipeline.render.view import View, per_cent_of
from survey_pipeline.translated import texts, with_labels

SAMPLE: Final = Path(__file__).parents[1] / "reports" / "sample"
BELOW_ONE: Final = Decimal("0.49")
"""Stands for "fewer than 1" in 100."""
CHANGE: Final = "a change since before"
CELL: Final = "a cell of a table"
Key = tuple[str, str]
"""An outcome and a statistic."""
Problems = list[str]


# --- What is looked at -------------------------------------------------------------------------------------------------


def everything() -> Release:
    """Every kind of table, and of each status a row: some bands, points of a curve and levels are hidden."""
    rows = [_changed(place, row) for place, row in enumerate(pages.rows())]
    return pages.release().model_copy(update={"rows": tuple(_of_release(rows))})


def averages() -> Release:
    """Averages before and now of a few levels, of which some are hidden, merged or uncertain."""
    forms = ("Citrate", "Glycinate (bisglycinate)", "Chloride", "Other forms", *releases.TINY)
    return releases.release(releases.magnesium(), releases.magnesium_rows(forms=forms, doses=releases.DOSES[:3]))


def _changed(place: int, row: Row) -> Row:
    asked = {**dict.fromkeys(names.NUMBERS), "status": Status.NOT_ASKED}
    hidden = {**asked, "status": Status.SUPPRESSED}
    changes: dict[int, dict[str, Any]] = {
        3: {"status": Status.UNRELIABLE},
        5: hidden,
        14: hidden,
        11: {"status": Status.MERGED, "n_missing": 15, "n_respondents": 1240},
        15: asked,
        16: {"n_respondents": 20},
        24: {"estimate": 0.004, "ci_lower": 0.0, "ci_upper": 0.012},
        28: hidden,
        29: hidden,
    }
    return row.model_copy(update=changes.get(place, {}))


def _of_release(rows: Iterable[Row]) -> list[Row]:
    return [row.model_copy(update={"instrument": "magnesium_test", "wave": "2026-1"}) for row in rows]


CASES: Final[dict[str, tuple[Callable[[], Release], Callable[[], Instrument]]]] = {
    "everything": (everything, pages.magnesium),
    "averages": (averages, releases.magnesium),
    "music": (releases.music_release, releases.music),
}
SMALL: Final = [(case, language) for case in ("everything", "averages") for language in LANGUAGES]
"""What is read in every language; music is read in one."""


class Read(NamedTuple):
    """A wave's files, and its release and the wave before as their readers see them."""

    files: dict[str, bytes]
    view: View
    before: View


def earlier(release: Release) -> Release:
    """The wave before: the same numbers, shares a little lower."""
    rows = [
        row.model_copy(update={"wave": "2025-4", "estimate": round(row.estimate - 0.02, 2)})
        if row.estimate and row.level == names.ALL_LEVELS and row.statistic != "count"
        else row.model_copy(update={"wave": "2025-4"})
        for row in release.rows
    ]
    return release.model_copy(update={"wave": "2025-4", "rows": tuple(rows)})


@cache
def read(case: str, language: str) -> Read:
    make_release, make_instrument = CASES[case]
    release, instrument = make_release(), make_instrument()
    before = earlier(release)
    files = render(release, instrument, before, style=Style(language))
    beside = render_index([before, release], instrument, style=Style(language))
    files |= {"waves.html": beside["index.html"], "feed.xml": beside["feed.xml"]}
    with speaking(language):
        shown = [View(with_labels(one, instrument, instrument), instrument) for one in (release, before)]
    return Read(files, *shown)


# --- Reading a cell ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Told:
    """What a cell says: a number with its range, people, and whether it is uncertain; or a word in place of a number."""

    value: Decimal | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    people: Decimal | None = None
    is_uncertain: bool = False
    word: str = ""


def told(text: str) -> Told:
    """A cell of a table as it is read."""
    head, _, tail = text.rpartition(", ")
    people = people_in(tail) if head else None
    text = head if people is not None else text
    marked = parts(text, "{number} uncertain")
    text = marked["number"] if marked else text
    alone, _, rest = text.partition(" (")
    ends = parts(rest.removesuffix(")"), "{low} to {high}", "a range") if rest else {}
    value = share_number(alone)
    if value is None or ends is None:
        return Told(word=text, is_uncertain=bool(marked))
    low, high = (number(ends[name]) if name in ends else None for name in ("low", "high"))
    return Told(value, low, high, people, bool(marked))


def share_number(text: str) -> Decimal | None:
    """How many of 100, where 'in 100' stands nearby."""
    return BELOW_ONE if text == say_in("of 100 people", "fewer than 1") else number(text)


def share(text: str) -> Decimal | None:
    """How many of 100, in words."""
    found = parts(text, "{number} in 100")
    return BELOW_ONE if text == say("fewer than 1 in 100") else number(found["number"]) if found else None


def people_in(text: str) -> Decimal | None:
    """A number of people in words."""
    found = next(iter(numbers_in(text)), None)
    return found if found is not None and text == phrases.people(int(found)) else None


def change(text: str) -> Decimal | None:
    """A change, with or without its unit: lower is below zero."""
    if text == say(phrases.NO_CHANGE):
        return Decimal("0.0")
    for sign, word in ((-1, "lower"), (1, "higher")):
        for message in (f"{{number}} {word}", f"{{number}} {{unit}} {word}"):
            found = parts(text, message, CHANGE)
            size = number(found["number"]) if found else None
            if size is not None:
                return sign * size
    return None


def amount(text: str, measure: Measure) -> Decimal | None:
    """A number of a measure in words, with or without its unit."""
    if measure.is_share:
        return share(text) or share_number(text)
    found = None if measure.is_change else parts(text, "{number} {unit}", "an amount")
    return change(text) if measure.is_change else number(found["number"] if found and number(text) is None else text)


def band(text: str, measure: Measure) -> list[Decimal] | None:
    """Both ends of what might be expected anyway, the lower one first."""
    for sign, word in ((-1, "lower"), (1, "higher")):
        found = parts(text, f"{{low}} to {{high}} {word}", CHANGE) if measure.is_change else None
        ends = [number(found[name]) for name in ("low", "high")] if found else [None]
        if None not in ends:
            return sorted(sign * end for end in ends if end is not None)
    found = parts(text, "{low} to {high}", "a range") or {"low": text, "high": text}
    both = [(change if measure.is_change else number)(found[name]) for name in ("low", "high")]
    return None if None in both else sorted(end for end in both if end is not None)


def rounds(printed: Decimal | None, value: float | None, is_share: bool) -> bool:
    """Whether a printed number is a published one, rounded to as many decimals as are printed."""
    if printed is None or value is None:
        return printed is None and value is None
    exact = Decimal(repr(float(value))) * (100 if is_share else 1)
    if printed == BELOW_ONE and is_share:
        return 0 < exact < Decimal("0.5")
    exponent = printed.as_tuple().exponent
    return abs(exact - printed) <= Decimal(1).scaleb(exponent if isinstance(exponent, int) else 0) / 2


# --- Tables of the page ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Table:
    """A table of a page as it is read: `name` is that of the part in which it stands."""

    name: str
    caption: str
    columns: tuple[str, ...]
    lines: tuple[tuple[str, tuple[Element, ...]], ...]


def tables_of(page: Element) -> Iterator[Table]:
    """Every table, by the part of the page in which it stands; a part of 'More tables' has a name of its own."""
    for section in page.all("section"):
        inside = [one for one in section.all("div") if one.has("part")] or [section]
        assert sum(len([*one.all("table")]) for one in inside) == len([*section.all("table")])
        for one in inside:
            yield from (_table(one.attributes["id"], found) for found in one.all("table"))


def _table(name: str, found: Element) -> Table:
    (caption,), ((headings,), body) = (
        found.all("caption"),
        (list(part.all("tr")) for part in found.all("thead", "tbody")),
    )
    columns = tuple(one.text for one in headings.all("th"))
    lines = tuple((next(line.all("th")).text, tuple(line.all("td"))) for line in body)
    assert all(len(cells) == len(columns) - 1 for _, cells in lines)
    return Table(name, caption.text, columns[1:], lines)


def statistic_heading(measure: Measure) -> str:
    """The heading of a statistic: what might be expected anyway is the same for all, and stands right of its number."""
    label = say("Expected anyway") if measure.is_band else measure.statistic_label
    if measure.statistic in WITHOUT_UNIT:
        return label
    return in_100(label) if measure.is_share else say("{what}, {unit}", what=label, unit=phrases.points(measure))


def in_100(label: str) -> str:
    return say("{what}, in 100", what=label)


@dataclass
class Check:
    """Holds what is read against a release: every difference, and how many things were compared, by kind."""

    view: View
    problems: Problems = field(default_factory=list)
    compared: Counter[str] = field(default_factory=Counter)
    seen: set[tuple[str, str, str, str]] = field(default_factory=set)
    """Rows that were read, by table, level, outcome and statistic."""
    has_stages: bool = True

    def __post_init__(self) -> None:
        self.rows = {(row.table, row.level, row.outcome, row.statistic): row for row in self.view.release.rows}

    def same(self, kind: str, where: str, holds: bool, found: object) -> None:
        """Count a comparison, and keep what differs."""
        self.compared[kind] += 1
        if not holds:
            self.problems.append(f"{where}: {found}")

    def measures(self, table: str) -> list[Measure]:
        """What a table of the release holds, each once."""
        found = dict.fromkeys((row.outcome, row.statistic) for row in self.view.release.rows if row.table == table)
        return [self.view.measure(*one) for one in found]

    def exposure(self, table: str) -> str:
        return next(row.exposure for row in self.view.release.rows if row.table == table)

    # Columns

    def columns(self, table: str) -> dict[tuple[str, str], set[Key]]:
        """By caption and heading: which statistics of a table of the release can stand in such a column."""
        found: dict[tuple[str, str], set[Key]] = {}
        for measure in self.measures(table):
            for caption, heading in self._places(table, measure):
                found.setdefault((caption, heading), set()).add((measure.outcome, measure.statistic))
        return found

    def _places(self, table: str, measure: Measure) -> Iterator[tuple[str, str]]:
        heading, main = statistic_heading(measure), self.by(table, say("The main numbers"))
        whole_name = f"{measure.label}: {phrases.inline(heading)}"
        yield from ((main, one) for one in (heading, whole_name))
        if measure.statistic == "share" and measure.limit:
            yield self.by(table, measure.label), in_100(say(READINGS[measure.reading]))
        elif measure.statistic == "share":
            question = self.view.item_label(self.view.item_name(measure.outcome))
            yield self.by(table, question), in_100(measure.label)
        elif measure.statistic == "count":
            yield self.by(table, say("How many people said so")), words.named(measure, self.view)
        else:
            caption = self.by(table, measure.label)
            yield from ((one, heading) for one in (caption, say("{caption}: before and now", caption=caption)))
        if not measure.is_band and (percent := per_cent_of(measure)):
            _, what, column = grids.CURVE[measure.item.better if measure.item else None]
            caption = self.by(table, say(what, outcome=phrases.inline(measure.label)))
            yield caption, say(column, per_cent=per_cent(str(percent)))

    def by(self, table: str, what: str) -> str:
        """The caption of a table of something."""
        exposure = self.exposure(table)
        if exposure == names.EVERYBODY:
            return say("{what}, everybody who answered", what=what)
        return say("{what} by {exposure}", what=what, exposure=phrases.inline(self.view.exposure_label(exposure)))

    # Tables

    def page(self, page: Element) -> None:
        """Every table and every bar of a wave's page."""
        for table in tables_of(page):
            self.table(table)
        for section in page.all("section"):
            for block in section.all("div"):
                if block.has("all-bars"):
                    self.bars(block)
                elif block.has("part"):
                    self.lines_of(block)

    def table(self, table: Table) -> None:
        """One table, by what it is."""
        tables = self.view.release.tables
        if table.name == "checklist":
            self.checklist(table)
        elif table.name == "flow":
            self.flow(table)
        elif table.name == "who":
            self.answers(table, names.ITEM_NONRESPONSE, lambda one: {self.view.item_label(self.view.item_name(one))})
        elif table.name not in tables:
            self.problems.append(f"table {table.name} is none of the release")
        elif table.caption in self._crossed(table.name):
            self.crossed(table)
        elif self.exposure(table.name) == names.EVERYBODY and not self.view.counts(table.name):
            self.answers(table, table.name, None)
        else:
            self.levels(table)

    def levels(self, table: Table) -> None:
        """A table with a row for each level."""
        known, keys = self._levels(table.name), list(self._keys(table))
        labels = [label for label, _ in table.lines]
        of_columns = {
            row.level
            for row in self.view.release.rows
            if row.table == table.name and (row.outcome, row.statistic) in keys
        }
        wanted = {label for label, level in known.items() if level in of_columns}
        self.same("levels", f"{table.name}, {table.caption}", sorted(labels) == sorted(wanted), labels)
        for label, cells in table.lines:
            where = f"{table.name}, {table.caption}, {label}"
            if label not in known:
                self.problems.append(f"{where}: no such level")
                continue
            self.line(table, known[label], keys, cells, where)

    def _levels(self, table: str) -> dict[str, str]:
        levels = dict.fromkeys(row.level for row in self.view.release.rows if row.table == table)
        found = {phrases.level_label(level): level for level in levels}
        assert len(found) == len(levels)
        return found

    def _keys(self, table: Table) -> Iterator[Key | None]:
        """What each column of a table is; None for people and missing answers."""
        columns, before = self.columns(table.name), None
        for heading in table.columns:
            found = columns.get((table.caption, heading), set())
            bands = {one for one in found if one[1].endswith(ANYWAY)}
            if bands and before:
                found = {(before[0], f"{before[1]}{ANYWAY}")} & bands
            if len(found) > 1 or (not found and heading not in counts_headings()):
                self.problems.append(f"{table.name}, {table.caption}: column {heading} may be {sorted(found)}")
            before = next(iter(found), None)
            yield before

    def line(self, table: Table, level: str, keys: Sequence[Key | None], cells: Sequence[Element], where: str) -> None:
        """The cells of a level. People and missing answers are those of the first number shown in it."""
        rows = [self.rows.get((table.name, level, *key)) if key else None for key in keys]
        numbers = [row for row, key in zip(rows, keys, strict=True) if key]
        first = next((row for row in numbers if _shown(row)), None)
        for key, row, cell, heading in zip(keys, rows, cells, table.columns, strict=True):
            at = f"{where}, {heading}"
            if key:
                self.number(self.view.measure(*key), row, cell, at, first)
            elif heading == say("People now"):
                now = next(one for one in numbers if one and one.statistic == "mean")
                self.count(now if _shown(now) else None, [now], cell, at, is_missing=False)
            else:
                self.count(first, numbers, cell, at, heading in counts_headings()[2:4])

    # Cells

    def number(self, measure: Measure, row: Row | None, cell: Element, at: str, first: Row | None = None) -> None:
        """A cell with a number and its range, or the word of a status."""
        if row is not None:
            self.seen.add((row.table, row.level, row.outcome, row.statistic))
        self.same("muted", at, cell.has("muted") is not _shown(row), "muted or not")
        if row is None or not _shown(row):
            self.same("words", at, cell.text == word_of(row) and not numbers_in(cell.text), cell.text)
        elif measure.is_band:
            self.band(measure, row, cell.text, at)
        elif measure.statistic == "count":
            self.counted(row, cell.text, at)
        else:
            self.value(measure, row, cell, at, first)

    def value(self, measure: Measure, row: Row, cell: Element, at: str, first: Row | None) -> None:
        said = told(cell.text)
        self.same(
            "numbers", at, said.value is not None and rounds(said.value, row.estimate, measure.is_share), cell.text
        )
        for end, true in ((said.low, row.ci_lower), (said.high, row.ci_upper)):
            self.same("ends", at, rounds(end, true if row.ci_lower is not None else None, measure.is_share), cell.text)
        self.same("statuses", at, said.is_uncertain is (row.status is Status.UNRELIABLE), cell.text)
        if said.people is not None:
            self.same("people", at, said.people == row.n_respondents, cell.text)
        elif first is not None and row.n_respondents and first.n_respondents:
            rounding, whose = self.view.release.policy.rounding_base, first.n_respondents
            close = abs(row.n_respondents - whose) <= max(grids.CLEARLY_OTHER * whose, rounding)
            self.same("people", at, close, f"rests on {row.n_respondents}, and the people told are {whose}")
        sorted_by = cell.attributes.get("data-n")
        if sorted_by is not None:
            same = said.value == BELOW_ONE or Decimal(sorted_by) == said.value
            self.same("sorting", at, same, f"{cell.text} is sorted as {sorted_by}")

    def band(self, measure: Measure, row: Row, text: str, at: str) -> None:
        marked = parts(text, "{number} uncertain")
        ends = band(marked["number"] if marked else text, measure)
        true = (row.ci_lower, row.ci_upper)
        holds = ends is not None and all(rounds(*pair, measure.is_share) for pair in zip(ends, true, strict=True))
        self.same("bands", at, holds, text)
        self.same("statuses", at, bool(marked) is (row.status is Status.UNRELIABLE), text)

    def counted(self, row: Row, text: str, at: str) -> None:
        found = parts(text, "{number} of {all}", "people")
        value, of = (number(found[name]) for name in ("number", "all")) if found else (number(text), None)
        self.same("numbers", at, value is not None and rounds(value, row.estimate, False), text)
        self.same("people", at, of == row.n_respondents, text)

    def count(self, first: Row | None, rows: Sequence[Row | None], cell: Element, at: str, is_missing: bool) -> None:
        """A cell of people, or of missing answers."""
        text = cell.text
        if first is None:
            self.same("words", at, text == word_of(next(filter(None, rows), None)) and cell.has("muted"), text)
        elif not is_missing:
            known = number(text) == first.n_respondents is not None
            unknown = first.n_respondents is None and text == say_in(CELL, "not known")
            self.same("people", at, known or unknown, text)
        elif first.n_missing is None:
            few = say("fewer than {number}", number=whole(self.view.release.policy.min_n))
            self.same("missing", at, text == few, text)
        else:
            self.same("missing", at, number(text) == first.n_missing, text)

    # Other tables

    def answers(self, table: Table, name: str, labels: Callable[[str], set[str]] | None) -> None:
        """A table of everybody, with a row for each answer."""
        told_rows = set()
        for label, cells in table.lines:
            found = [one for one in self.measures(name) if label in (labels or self._labels(one))(one.outcome)]
            at = f"{name}, {label}"
            if len(found) != 1:
                self.problems.append(f"{at}: may be {[one.outcome for one in found]}")
                continue
            row = self.rows[name, names.ALL_LEVELS, found[0].outcome, found[0].statistic]
            told_rows.add((row.outcome, row.statistic))
            self.number(found[0], row, cells[0], at)
            for place, cell in enumerate(cells[1:]):
                self.count(row if _shown(row) else None, [row], cell, at, is_missing=place == 1)
        outcomes = {one.outcome for one in self.measures(name)}
        self.same("levels", name, {outcome for outcome, _ in told_rows} == outcomes, told_rows)

    def _labels(self, measure: Measure) -> Callable[[str], set[str]]:
        named = words.named(measure, self.view)
        return lambda _: {named if measure.is_share else f"{named}: {phrases.inline(statistic_heading(measure))}"}

    def _crossed(self, table: str) -> dict[str, Measure]:
        """Tables of two exposures by their captions."""
        if not any(spec.by and spec.cut_by == self.exposure(table) for spec in self.view.instrument.tables):
            return {}
        found = {}
        for one in (one for one in self.measures(table) if not one.is_band):
            unit = in_100(words.what(one)) if one.is_share else ""
            caption = unit or say("{what}, {unit}", what=words.what(one), unit=phrases.points(one))
            found[self.by(table, caption)] = one
        return found

    def crossed(self, table: Table) -> None:
        """A table of two exposures: a level is that of its row and that of its column."""
        measure = self._crossed(table.name)[table.caption]
        by_label = {level.casefold(): level for level in self._levels(table.name).values()}
        told_levels = set()
        for label, cells in table.lines:
            for heading, cell in zip(table.columns, cells, strict=True):
                level = by_label.get(f"{label}, {heading}".casefold(), "")
                told_levels.add(level)
                self._crossed_cell(table.name, level, measure, cell, f"{table.name}, {label}, {heading}")
        wanted = {level for level in by_label.values() if level != names.ALL_LEVELS}
        self.same("levels", table.name, told_levels - {""} == wanted, told_levels)

    def _crossed_cell(self, table: str, level: str, measure: Measure, cell: Element, at: str) -> None:
        row = self.rows.get((table, level, measure.outcome, measure.statistic))
        beside = self.rows.get((table, level, measure.outcome, f"{measure.statistic}{ANYWAY}"))
        both = parts(cell.text, "{number}; {range} expected anyway")
        alone = Element("td", cell.attributes, [both["number"] if both else cell.text])
        self.number(measure, row, alone, at)
        self.same("bands", at, bool(both) is (_shown(row) and _shown(beside)), cell.text)
        if both and beside:
            self.band(measure, beside, both["range"], at)

    def lines_of(self, part: Element) -> None:
        """The lines of a part of 'More tables': how many said so, or how many were above a limit."""
        name, heading = part.attributes["id"], ""
        for one in part.all("h4", "li"):
            heading = one.text if one.name == "h4" else heading
            if one.name == "li":
                self._line_of(name, heading, one.text)

    def _line_of(self, name: str, heading: str, text: str) -> None:
        counts = parts(text, "{label}: about {counted} people said so.")
        found = []
        for measure in self.measures(name):
            row = self.rows[name, names.ALL_LEVELS, measure.outcome, measure.statistic]
            of_limit = bool(measure.limit) and heading == words.how_many_above(measure.label)
            label = say(READINGS[measure.reading]) if of_limit else words.named(measure, self.view)
            if text.startswith(f"{label}: ") and (of_limit or not heading):
                found.append((measure, row, label))
        self.same("labels", f"{name}: {text}", len(found) == 1, found)
        for _, row, label in found[:1]:
            self.seen.add((name, row.level, row.outcome, row.statistic))
            if not _shown(row):
                self.same("words", f"{name}: {text}", not numbers_in(text.removeprefix(label)), text)
            elif counts:
                self.counted(row, counts["counted"], f"{name}: {text}")
            else:
                given = pattern("{reading}: about {share}{basis}.").fullmatch(text)
                sentence = Said(0, REPORTED[0], _apart(given) if given else {"share": "", "basis": ""})
                Sentences(self)._number(sentence, row, f"{name}: {text}")

    def bars(self, block: Element) -> None:
        """Who answered: each bar with its words and its length."""
        shares = [row for row in self.view.release.rows if row.table == names.WHO_ANSWERED and row.statistic == "share"]
        found = {(self.view.item_label(row.exposure), phrases.level_label(row.level)): row for row in shares}
        for part in block.all("div"):
            (title,) = (one.text for one in part.all("h3"))
            for bar in part.all("li"):
                label, text, *lengths = bar.all("span")
                row, at = found.pop((title, label.text)), f"who answered, {title}, {label.text}"
                self._bar(row, text, lengths, at)
        hidden = [key for key, row in found.items() if row.level != names.ALL_LEVELS]
        self.same("levels", "who answered", not hidden, hidden)

    def _bar(self, row: Row, text: Element, lengths: Sequence[Element], at: str) -> None:
        self.same("muted", at, text.has("muted") is not _shown(row) and bool(lengths) is _shown(row), text.text)
        if not _shown(row):
            self.same("words", at, text.text == word_of(row), text.text)
            return
        self.same("numbers", at, rounds(share(text.text) or Decimal(-1), row.estimate, True), text.text)
        (inner,) = lengths[0].all("i")
        width = re.fullmatch(r"width: ([0-9.]+)%", inner.attributes["style"])
        assert width
        self.same("bars", at, rounds(Decimal(width[1]), row.estimate, True), width[1])

    def flow(self, table: Table) -> None:
        """Numbers at each stage, then the people of whom the first table tells."""
        stages = {one.label: None if one.hidden else one.n for one in self.view.release.stages}
        outcomes = {
            say("Told of: {outcome}", outcome=words.what(one.measure)): one.everybody for one in self.view.primary[::-1]
        }
        for label, (cell,) in table.lines:
            row = outcomes.get(label)
            of_people = row.n_respondents if row and _shown(row) else None
            if label not in outcomes and not self.has_stages:
                continue
            self.same("labels", f"flow, {label}", label in {**stages, **outcomes}, label)
            true = of_people if label in outcomes else stages.get(label)
            holds = cell.text == say(words.HIDDEN) if true is None else number(cell.text) == true
            self.same("stages", f"flow, {label}", holds, cell.text)

    def checklist(self, table: Table) -> None:
        """Words, and numbers of the whole wave alone: no number above 100 that the release does not hold."""
        release = self.view.release
        known = {one.n for one in release.stages} | {self.view.answers_used} | {int(release.wave[:4])}
        for label, cells in table.lines:
            large = [one for one in numbers_in(cells[0].text) if one > 100]
            unknown = [one for one in large if one not in known and self.has_stages]
            self.same("checklist", f"checklist, {label}", not unknown, cells[0].text)

    # Pages of waves

    def courses(self, page: Element, waves: Sequence[View]) -> None:
        """The tables of everybody over the waves."""
        outcomes = {
            say("{outcome}, everybody who answered", outcome=words.over_waves(one.measure)): one
            for one in self.view.primary
        }
        by_wave = {wave_in_words(one.release.wave): one for one in waves}
        for table in tables_of(page):
            found = outcomes[table.caption]
            self.same("levels", table.caption, {label for label, _ in table.lines} == {*by_wave}, table.lines)
            for label, cells in table.lines:
                self._course(found.measure, found.table, by_wave[label], [cell.text for cell in cells], table.caption)

    def _course(self, measure: Measure, table: str, view: View, cells: Sequence[str], at: str) -> None:
        key = (table, names.ALL_LEVELS, measure.outcome, measure.statistic)
        rows = {(row.table, row.level, row.outcome, row.statistic): row for row in view.release.rows}
        row, beside = rows[key], rows.get((*key[:3], f"{key[3]}{ANYWAY}"))
        marked = parts(cells[0], "{number} uncertain", CELL)
        value = amount(marked["number"] if marked else cells[0], measure)
        ends = parts(cells[1], "{low} to {high}", "a range") or {}
        self.same("numbers", at, value is not None and rounds(value, row.estimate, measure.is_share), cells[0])
        for name, true in (("low", row.ci_lower), ("high", row.ci_upper)):
            end = amount(ends[name], measure) if name in ends else None
            self.same("ends", at, rounds(end, true, measure.is_share), cells[1])
        self.same("people", at, number(cells[2]) == row.n_respondents, cells[2])
        if len(cells) > 3 and beside and _shown(beside):
            self.band(measure, beside, cells[3], at)


def counts_headings() -> tuple[str, ...]:
    """Headings of people, then of missing answers."""
    people = (say("People"), say("People (first number shown)"))
    return (*people, say("No answer"), say("No answer (first number shown)"), say("People now"), say("People asked"))


def word_of(row: Row | None) -> str:
    """What stands in place of a number."""
    if row is None:
        return "\N{EN DASH}"
    return say(words.HIDDEN) if row.status is Status.SUPPRESSED else say(words.NOT_READ)


def _shown(row: Row | None) -> bool:
    return row is not None and row.status not in (Status.SUPPRESSED, Status.NOT_ASKED)


# --- Sentences ---------------------------------------------------------------------------------------------------------

REPORTED: Final = (
    "{label}: about {share} people reported this{basis}.",
    "{outcome}: people reported an average of {amount}{basis}.",
    "{outcome}: on average, people reported {amount} than before{basis}.",
)
SIDES: Final = (
    "{people} reported this more often: about {share}{basis}.",
    "{people} reported this less often: about {share}{basis}.",
    "{people} reported, on average, {number}{basis}.",
    "{people} reported a higher average: {number}{basis}.",
    "{people} reported a lower average: {number}{basis}.",
)
RANGES: Final = tuple(words._FITS.values())
BANDS: Final = (
    "{between} might report that anyway, going by where they began.",
    "Going by where they began, {between} might be expected anyway.",
    "This wave, {between} might be expected anyway.",
)
TWO_WAVES: Final = (
    "This wave {now}; the wave before {before}.",
    "{outcome}: about {now} this wave, about {before} the wave before.",
)
NOT: Final = "About {number} in 100 did not."
IN_ALL: Final = "Based on about {people} in all."
CURVE: Final = "{outcome}: at least {less} better for about {many}, at least {more} better for about {few}"
INSTEAD: Final = "{answer}: about {share}."
READ_FIRST: Final = (*TWO_WAVES, *REPORTED, *SIDES, *RANGES, *BANDS, NOT, IN_ALL, CURVE, INSTEAD)
"""Sentences that hold numbers, those first of which others could be a part."""


class Said(NamedTuple):
    """A sentence that was found, which one it is, and what stands in its braces."""

    at: int
    message: str
    given: dict[str, str]


@dataclass
class Sentences:
    """Holds the sentences about one measure against its rows; `before`: the wave before."""

    check: Check
    before: View | None = None

    def subject(self, text: str) -> Row | None:
        """The row of everybody that a text is about: that of the longest name of a number that stands in it first."""
        view, found = self.check.view, dict[str, Row]()
        options = [one for table in view.sections for one in view.options(table)]
        for one in (*view.primary[::-1], *options):
            names_of = {words.what(one.measure), words.named(one.measure, view), words.heading(one, view)}
            found |= dict.fromkeys(names_of, one.everybody) if one.everybody else {}
        places = [(text.find(name), -len(name), row) for name, row in found.items() if name in text]
        return min(places, key=lambda place: place[:2])[2] if places else None

    def read(self, text: str, at: str, subject: Row | None = None) -> None:
        """Every sentence of a text with a number in it. A number of which nothing is known is a problem."""
        row = subject or self.subject(text)
        found, left = self._found(text)
        whose = row
        for one in found:
            if row is None or whose is None:
                self.check.problems.append(f"{at}: of what is {one}?")
                continue
            whose = self._whose(one, row) if one.message in SIDES else whose
            self._one(one, row, whose, at)
        unknown = numbers_in(self._without_names(left))
        self.check.same("texts", at, not unknown, f"{unknown} in {left}")

    def _found(self, text: str) -> tuple[list[Said], str]:
        """The sentences of a text in their order, and what is left of it."""
        found = []
        for message in READ_FIRST:
            end = r"(?=\. |\.?$)" if message.endswith("}") else r"(?!\d)"
            for one in re.finditer(f"{pattern(message).pattern}{end}", text, re.IGNORECASE):
                found.append(Said(one.start(), message, _apart(one)))
                text = text[: one.start()] + "\n" * len(one[0]) + text[one.end() :]
        return sorted(found), text

    def _whose(self, one: Said, row: Row) -> Row | None:
        """The row of the people that a sentence names."""
        levels = [
            other for other in self.check.rows.values() if (other.table, other.outcome) == (row.table, row.outcome)
        ]
        named = (other for other in levels if words.who(other, self.check.view) == one.given["people"])
        return next((other for other in named if other.statistic == row.statistic), None)

    def _one(self, one: Said, row: Row, whose: Row | None, at: str) -> None:
        """One sentence about a row, or about that of a group."""
        check, where = self.check, f"{at}: {one.message} {one.given}"
        if whose is None:
            check.problems.append(where)
        elif one.message in (*REPORTED, *SIDES):
            self._number(one, whose, where)
        elif one.message in RANGES:
            self._ends(one.given, whose, where)
        elif one.message in BANDS:
            self._band(one.given["between"], whose, where)
        elif one.message in TWO_WAVES:
            self._waves(one.given, row, where)
        elif one.message == CURVE:
            self._curve(one.given, row, where)
        elif one.message == INSTEAD:
            self._instead(one.given, row, where)
        elif one.message == IN_ALL:
            check.same("people", where, people_in(one.given["people"]) == row.n_respondents, row.n_respondents)
        else:
            rest = number(one.given["number"])
            check.same("numbers", where, rest is not None and rounds(100 - rest, row.estimate, True), row.estimate)

    def measure(self, row: Row) -> Measure:
        return self.check.view.measure(row.outcome, row.statistic)

    def _number(self, one: Said, row: Row, where: str) -> None:
        measure = self.measure(row)
        text = next(one.given[name] for name in ("share", "amount", "number") if name in one.given)
        value = amount(text, measure)
        self.check.same(
            "numbers", where, value is not None and rounds(value, row.estimate, measure.is_share), row.estimate
        )
        basis = parts(one.given["basis"], "(based on about {people})")
        known = basis is not None and people_in(basis["people"]) == row.n_respondents
        self.check.same("people", where, known, row.n_respondents)

    def _ends(self, given: dict[str, str], row: Row, where: str) -> None:
        measure = self.measure(row)
        for name, true in (("low", row.ci_lower), ("high", row.ci_upper)):
            end = amount(given[name], measure)
            self.check.same("ends", where, end is not None and rounds(end, true, measure.is_share), true)

    def _band(self, text: str, row: Row, where: str) -> None:
        measure = self.measure(row)
        beside = self.check.rows.get((row.table, row.level, row.outcome, f"{row.statistic}{ANYWAY}"))
        ends = _between(text[:1].lower() + text[1:], measure)
        true = (beside.ci_lower, beside.ci_upper) if beside else (None, None)
        holds = ends is not None and all(rounds(*pair, measure.is_share) for pair in zip(ends, true, strict=True))
        self.check.same("bands", where, holds, true)

    def _waves(self, given: dict[str, str], row: Row, where: str) -> None:
        """A number in two waves, each with its range where they are told."""
        measure, rows = self.measure(row), self.before.release.rows if self.before else ()
        same = ("table", "level", "outcome", "statistic")
        old = next((one for one in rows if all(getattr(one, name) == getattr(row, name) for name in same)), None)
        for name, whose in (("now", row), ("before", old))[: 2 if self.before else 1]:
            self._in_wave(given[name], measure, whose, where)

    def _in_wave(self, text: str, measure: Measure, row: Row | None, where: str) -> None:
        full = parts(text, "about {amount} (range {low} to {high})")
        value = amount(full["amount"] if full else text, measure)
        holds = value is not None and row is not None and rounds(value, row.estimate, measure.is_share)
        self.check.same("waves", where, holds, row and row.estimate)
        if full and row:
            self._ends(full, row, where)

    def _instead(self, given: dict[str, str], row: Row, where: str) -> None:
        """The answer that excludes the others, of the same question."""
        same = [
            one
            for one in self.check.rows.values()
            if (one.table, one.level, one.statistic) == (row.table, row.level, "share")
        ]
        other = next((one for one in same if phrases.quoted(self.measure(one).label) == given["answer"]), None)
        value = share(given["share"])
        self.check.same(
            "numbers", where, other is not None and value is not None and rounds(value, other.estimate, True), given
        )

    def _curve(self, given: dict[str, str], row: Row, where: str) -> None:
        for at, of in (("less", "many"), ("more", "few")):
            (percent,) = numbers_in(given[at])
            rows = [
                one
                for one in self.check.rows.values()
                if (one.table, one.level, one.outcome) == (row.table, row.level, row.outcome)
            ]
            point = next(
                one for one in rows if per_cent_of(self.measure(one)) == percent and not one.statistic.endswith(ANYWAY)
            )
            value = share(given[of])
            self.check.same("numbers", where, value is not None and rounds(value, point.estimate, True), point.estimate)

    def _without_names(self, text: str) -> str:
        """A text without the survey's own words and the names of things, in which numbers stand that are no findings."""
        for name in self._names:
            text = re.sub(re.escape(name), "", text, flags=re.IGNORECASE)
        return text

    @cached_property
    def _names(self) -> list[str]:
        view = self.check.view
        keys = {(row.outcome, row.statistic) for row in view.release.rows if not row.statistic.endswith(ANYWAY)}
        measures = [view.measure(*key) for key in keys]
        found = {row.level for row in view.release.rows} | {
            wave_in_words(one.release.wave) for one in (view, self.before) if one
        }
        found |= {
            text for one in measures for text in (words.what(one), one.statistic_label, one.label, words.subtitle(one))
        }
        found |= {say("Picture of 100 circles, filled for people who reported it.")}
        found |= {say("{outcome}: out of 100 people", outcome=one.label) for one in measures}
        return sorted(found, key=len, reverse=True)


def _apart(found: re.Match[str]) -> dict[str, str]:
    """What stands in the braces of a sentence. Where a number and what it is based on touch, the bracket parts them."""
    given = {name: text.strip() for name, text in found.groupdict().items()}
    before = next((name for name in given if "basis" in given and found.end(name) == found.start("basis")), None)
    if before:
        text, bracket, rest = f"{found[before]}{found['basis']}".partition("(")
        given |= {before: text.strip(), "basis": f"{bracket}{rest}"}
    return given


def _between(text: str, measure: Measure) -> list[Decimal] | None:
    """Both ends of what might be expected anyway, in a sentence."""
    if measure.is_share:
        found = parts(text, "between about {low} and {high} in 100")
        alone = parts(text, "about {number} in 100")
        ends = [number(one) for one in (found or {}).values()] or [number((alone or {}).get("number", ""))] * 2
        return None if None in ends else [end for end in ends if end is not None]
    for sign, word in ((-1, "lower"), (1, "higher")):
        found = parts(text, f"between about {{low}} and {{high}} {word}", CHANGE)
        sizes = [number(found[name]) for name in ("low", "high")] if found else [None]
        if None not in sizes:
            return sorted(sign * size for size in sizes if size is not None)
    found = parts(text, "between about {low} and {high}") or parts(text, "about {amount}") or {}
    both = [change(one) for one in found.values()]
    return None if not both or None in both else sorted(end for end in (both * 2)[:2] if end is not None)


# --- The newsletter ----------------------------------------------------------------------------------------------------

BLOCKS: Final = ("h1", "h2", "h3", "h4", "p", "li", "img")
STEMS: Final = ("newsletter", "newsletter-block", "newsletter-paragraph")


def blocks(files: dict[str, bytes], name: str) -> list[str]:
    """The paragraphs, headings, lines and pictures of a newsletter, as text."""
    content = files[name].decode()
    if name.endswith(".txt"):
        return [text for paragraph in content.split("\n\n") for text in _plain_blocks(paragraph)]
    page = tree(MarkdownIt().render(content)) if name.endswith(".md") else next(_main(tree(content)))
    return [text for one in page.all(*BLOCKS) if (text := _with_alternatives(one))]


def _main(page: Element) -> Iterator[Element]:
    return (one for body in page.all("body") for one in body.all("div") if one.attributes.get("role") == "main")


def _with_alternatives(one: Element) -> str:
    pictures = [one] if one.name == "img" else list(one.all("img"))
    return " ".join(filter(None, (one.text, *(picture.attributes["alt"] for picture in pictures))))


def _plain_blocks(paragraph: str) -> Iterator[str]:
    """The blocks of a paragraph of plain text: lines of a list, a picture's words without its file, or all of it."""
    lines = [line for line in paragraph.strip().splitlines() if line.strip("=-")]
    starts = [place for place, line in enumerate(lines) if line.startswith("- ")] or [0]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        text = " ".join(line.removeprefix("- ").strip() for line in lines[start:end])
        picture = pattern("Picture {file}: {description}").match(text)
        yield text[picture.start("description") :] if picture and "charts/" in picture["file"] else text


def expected_texts(view: View, before: View | None) -> list[str]:
    """Texts of a newsletter that hold other numbers than findings: each made of the release's numbers."""
    release, used = view.release, view.answers_used or 0
    hidden = sum(row.status is Status.SUPPRESSED for row in release.rows)
    given = {"now": phrases.people(used), "before": phrases.people(before.answers_used or 0 if before else 0)}
    of = say_n_hidden(hidden, len(release.rows))
    wave = wave_in_words(release.wave)
    return [
        of,
        say("About {now} answered this wave, about {before} the wave before.", **given),
        " ".join(rules.in_short(release.policy)),
        say("{title}, {wave}", title=view.instrument.title, wave=wave),
        people_answered(used),
    ]


def say_n_hidden(hidden: int, of: int) -> str:
    return say_n("{n} of {all} numbers is hidden.", "{n} of {all} numbers are hidden.", hidden, all=whole(of))


def people_answered(n: int) -> str:
    return say_n("About {n} person answered.", "About {n} people answered.", n)


def letter(case: str, language: str, name: str) -> Check:
    """Every sentence of a newsletter held against the release."""
    found = read(case, language)
    check = Check(found.view)
    sentences = Sentences(check, found.before)
    for text in blocks(found.files, name):
        sentences.read(without(text, expected_texts(found.view, found.before)), f"{name}: {text[:40]}")
    return check


def without(text: str, known: Iterable[str]) -> str:
    for one in known:
        text = text.replace(one, "")
    return text.strip(" :")


# --- Drawings ----------------------------------------------------------------------------------------------------------

NEXT_LINE: Final = 17.0
"""How far apart two lines of the same words are at most, in points."""


class Text(NamedTuple):
    """Words of a drawing and where they stand; `ends` where they end there and do not begin."""

    down: float
    across: float
    words: str
    beside: str
    ends: bool
    is_bold: bool


def drawings_of(page: Element) -> dict[str, tuple[Element, str]]:
    """The drawings of a page by their names, each with the sentences above it."""
    found = [
        (one, " ".join(said.text for said in figure.all("div") if said.has("say")))
        for figure in page.all("figure")
        for one in figure.all("svg")
    ]
    assert all(one.attributes["role"] == "img" for one, _ in found) and len(found) == len([*page.all("svg")])
    return {next(one.all("title")).attributes["id"].removesuffix("-title"): (one, said) for one, said in found}


def texts_of(drawing: Element) -> list[Text]:
    """The words of a drawing from top to bottom."""
    return sorted(_text(one) for one in drawing.all("text"))


def _text(one: Element) -> Text:
    look = one.attributes["style"]
    own = "".join(part for part in one.inside if isinstance(part, str)).strip()
    beside = " ".join(part.text for part in one.all("tspan"))
    at = (float(one.attributes["y"]), float(one.attributes["x"]))
    return Text(*at, own, beside, "text-anchor: end" in look, "font-weight: 700" in look)


@dataclass
class Drawing:
    """A drawing held against the release."""

    check: Check
    name: str
    drawing: Element
    labels: dict[str, Row]
    """The rows that may be shown in it, by their labels."""

    def rows(self) -> None:
        """A chart of dots: each line has a label, its people and its number, and only what is shown has a line."""
        texts = texts_of(self.drawing)
        values = [one for one in texts if one.ends and any(self._is_beside(one, other) for other in texts)]
        told_labels = []
        for value in values:
            found = self._labelled(texts, value.down, {one.across for one in texts if self._is_beside(value, one)})
            if found:
                told_labels.append(found[0])
                self.row(self.labels[found[0]], found[1], value.words, f"chart {self.name}, {found[0]}")
        wanted = {label for label, row in self.labels.items() if _shown(row) and _shown(self._earlier(row))}
        self.check.same("dots", f"chart {self.name}", sorted(told_labels) == sorted(wanted), told_labels)

    def _earlier(self, row: Row) -> Row | None:
        """Of an average now, the one before, without which it is not drawn."""
        key = (row.table, row.level, row.outcome, "mean_baseline")
        return self.check.rows.get(key) if self.name.endswith("-before") else row

    @staticmethod
    def _is_beside(value: Text, other: Text) -> bool:
        return not other.ends and other.down == value.down and other.across < value.across

    def _labelled(self, texts: Sequence[Text], down: float, across: set[float]) -> tuple[str, str] | None:
        """The label that begins at a line, over one line or several, and what stands behind it."""
        said, last = list[str](), down
        for one in texts:
            if one.across == min(across) and not one.ends and down <= one.down <= last + NEXT_LINE:
                said += [one.words, one.beside]
                last = one.down
        joined = " ".join(filter(None, said))
        found = [label for label in self.labels if f"{joined} ".startswith(f"{label} ")]
        label = max(found, key=len, default=None)
        return None if label is None else (label, joined.removeprefix(label).strip())

    def row(self, row: Row, beside: str, value: str, at: str) -> None:
        check, measure = self.check, self.check.view.measure(row.outcome, row.statistic)
        unsure = parts(beside, "{people}, uncertain")
        check.same("people", at, people_in(unsure["people"] if unsure else beside) == row.n_respondents, beside)
        both = parts(value, "{before} \N{RIGHTWARDS ARROW} {now}")
        if both:
            first = self._earlier(row)
            holds = first is not None and rounds(number(both["before"]), first.estimate, False)
            check.same("dots", at, holds, value)
        else:
            check.same("statuses", at, bool(unsure) is (row.status is Status.UNRELIABLE), beside)
        printed = amount(both["now"] if both else value, measure)
        check.same("dots", at, printed is not None and rounds(printed, row.estimate, measure.is_share), value)

    def places(self) -> None:
        """Dots lie in order of their numbers: the same distance for the same difference."""
        shown = sorted(row.estimate or 0.0 for row in self.labels.values() if _shown(row))
        across = [
            float(one.attributes["x"]) for one in self.drawing.all("use") if "stroke-width" in one.attributes["style"]
        ]
        both_ways = (sorted(across), sorted(across, reverse=True))
        holds = len(across) == len(shown) and any(_is_to_scale(found, shown) for found in both_ways)
        self.check.same("places", f"chart {self.name}", holds, across)

    def panels(self, named: str) -> None:
        """Curves: of each group its people, and the number at the named point."""
        texts, shown = texts_of(self.drawing), []
        heads = [one for one in texts if one.is_bold and not one.ends]
        for head in heads:
            found = self._labelled(texts, head.down, {head.across})
            if not found or found[0] in shown:
                continue
            shown.append(found[0])
            below = (one for one in heads if one.down > head.down and head.across < one.across < head.across + 150)
            value = next((one.words for one in below if share_number(one.words) is not None), "")
            self._panel(self.labels[found[0]], named, found[1], value)
        wanted = {label for label, row in self.labels.items() if any(_shown(point) for point in self._points(row))}
        self.check.same("dots", f"chart {self.name}", {*shown} == wanted, shown)

    def _points(self, row: Row) -> list[Row]:
        """All points of a curve of the row's level."""
        found = [
            one
            for one in self.check.rows.values()
            if (one.table, one.level, one.outcome) == (row.table, row.level, row.outcome)
        ]
        return [
            one
            for one in found
            if per_cent_of(self.check.view.measure(one.outcome, one.statistic)) and not one.statistic.endswith(ANYWAY)
        ]

    def _panel(self, row: Row, named: str, beside: str, value: str) -> None:
        at, points = f"chart {self.name}, {row.level}", self._points(row)
        first = next(one for one in points if _shown(one))
        point = next(one for one in points if one.statistic == named)
        self.check.same(
            "people", at, people_in(beside) in {one.n_respondents for one in points if _shown(one)}, (beside, first)
        )
        true = point.estimate if _shown(point) else None
        self.check.same("dots", at, rounds(share_number(value), true, True), value)

    def hidden(self) -> None:
        """Levels that are hidden are named beneath."""
        joined = " ".join(one.words for one in texts_of(self.drawing))
        for label, row in self.labels.items():
            if row.status is Status.SUPPRESSED:
                self.check.same("words", f"chart {self.name}", label in joined, f"{label} is not named as hidden")


def _is_to_scale(places: Sequence[float], values: Sequence[float]) -> bool:
    pairs = zip(places, values, strict=True)
    return all(abs(_share(places, place) - _share(values, value)) < 0.01 for place, value in pairs)


def _share(values: Sequence[float], one: float) -> float:
    """Where a value lies between the first and the last one."""
    return (one - values[0]) / (values[-1] - values[0]) if values[-1] != values[0] else 0.0


def draw_check(check: Check, name: str, drawing: Element, said: str) -> None:
    """One drawing of a page, by what it is, with its words."""
    view = check.view
    sentences = Sentences(check)
    (description,) = drawing.all("desc")
    if name in ("in_100", "flow"):
        whole_wave(check, sentences, name, drawing, (description.text, said))
        return
    table = next(
        one for one in sorted(view.sections, key=len, reverse=True) if name == one or name.startswith(f"{one}-")
    )
    kind, statistic = "dots", ""
    rows = [row for row in view.release.rows if row.table == table]
    if name == table:
        joined = " ".join(one.words for one in texts_of(drawing))
        labels = {_answer(view, row, joined): row for row in rows if row.level == names.ALL_LEVELS}
    else:
        outcome, _, last = name.removeprefix(f"{table}-").rpartition("-")
        kind = last if outcome else "dots"
        headline = view.headline(table, outcome or last).measure
        statistic = "mean" if kind == "before" else headline.statistic
        labels = {
            phrases.level_label(row.level): row
            for row in rows
            if (row.outcome, row.statistic) == (headline.outcome, statistic)
        }
    one = Drawing(check, name, drawing, labels)
    one.panels(statistic) if kind == "curve" else one.rows()
    if kind == "dots":
        one.places()
        one.hidden()
    subject = next((row for row in labels.values() if row.level == names.ALL_LEVELS), None) if name != table else None
    curve = curves.curves(view, table, outcome) if kind == "curve" else None
    also = (curve.subtitle, *curves.sentences(curve)) if curve else ()
    for text in (description.text, said):
        sentences.read(without(text, also), f"chart {name}", subject)


def _answer(view: View, row: Row, joined: str) -> str:
    """What an answer is called in a drawing: with its question where that is another one than the title's."""
    measure = view.measure(row.outcome, row.statistic)
    named = words.named(measure, view)
    return named if named in joined else measure.label


def whole_wave(check: Check, sentences: Sentences, name: str, drawing: Element, beside: tuple[str, str]) -> None:
    """The picture of 100 people, and the flow of answers."""
    joined = " ".join(one.words for one in texts_of(drawing))
    if name == "in_100":
        row = check.view.primary[0].everybody
        filled = sum("fill: var(--mark" in one.attributes["style"] for one in drawing.all("use"))
        check.same("dots", name, row is not None and rounds(Decimal(filled), row.estimate, True), filled)
        for text in (*beside, joined):
            sentences.read(text, name, row)
        return
    stages = {phrases.sentence(one.label): None if one.hidden else one.n for one in check.view.release.stages}
    of_people = {one.everybody.n_respondents for one in check.view.primary if one.everybody}
    known = {*filter(None, stages.values()), *filter(None, of_people)}
    for text in (*beside, joined):
        found = set(numbers_in(sentences._without_names(text)))
        check.same("stages", name, found <= known, found - known)


# --- The tests ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("case", "language"), [*SMALL, ("music", "es")])
def test_every_cell_of_every_table_of_the_page_is_a_number_of_the_release(case: str, language: str) -> None:
    found = read(case, language)
    with speaking(language):
        check = Check(found.view)
        check.page(tree(found.files["index.html"]))
    assert check.problems == []
    assert check.compared["numbers"] >= {"everything": 45, "averages": 150, "music": 25}[case]
    assert check.compared["people"] >= 30 and check.compared["ends"] >= 50
    assert check.compared["words"] >= {"everything": 5, "averages": 30, "music": 0}[case]
    assert not_told(check) <= {"improved"}


def not_told(check: Check) -> set[str]:
    """Statistics of the tables with charts of which some row was in no cell: points of a curve stand by form alone."""
    rows = (key for key in check.rows if key[0] in check.view.sections and key not in check.seen)
    return {statistic.partition("_")[0] for _, _, _, statistic in rows}


@pytest.mark.parametrize("case", ["everything", "averages"])
def test_every_table_of_the_release_is_in_the_page(case: str) -> None:
    found = read(case, "en")
    check = Check(found.view)
    check.page(tree(found.files["index.html"]))
    assert {table for table, *_ in check.seen} == {*found.view.release.tables} - {names.WHO_ANSWERED}
    assert check.compared["bars"] and check.compared["stages"] and check.compared["checklist"]


@pytest.mark.parametrize(("case", "language"), SMALL)
def test_each_number_that_is_changed_in_the_page_is_found(case: str, language: str) -> None:
    found = read(case, language)
    with speaking(language):
        page = tree(found.files["index.html"])
        cells = [
            cell
            for section in page.all("section")
            if section.attributes["id"] != "checklist"
            for cell in section.all("td")
            if numbers_in(cell.text)
        ]
        for cell in cells[:: max(1, len(cells) // 25)]:
            before, cell.inside = cell.inside, [_one_more(cell.text)]
            check = Check(found.view)
            check.page(page)
            assert check.problems, f"{before} became {cell.inside}"
            cell.inside = before


def _one_more(text: str) -> str:
    """A text with the last digit of its first number changed."""
    first = re.search(r"\d+(?:[.,]\d+)?", text)
    assert first
    last = text[first.end() - 1]
    return f"{text[: first.end() - 1]}{(int(last) + 3) % 10}{text[first.end() :]}"


def test_a_status_or_a_column_that_is_changed_in_the_page_is_found() -> None:
    found = read("everything", "en")
    for old, new in (
        (" uncertain</td>", "</td>"),
        (">hidden<", ">30<"),
        (">not read<", ">hidden<"),
        ("Expected anyway", "Expected"),
        (">Citrate<", ">Malate<"),
    ):
        page = found.files["index.html"].decode()
        at = page.index(old, page.index("<tbody>") if old != "Expected anyway" else page.index("<thead>"))
        check = Check(found.view)
        check.page(tree(f"{page[:at]}{new}{page[at + len(old) :]}"))
        assert check.problems, old


@pytest.mark.parametrize(("case", "language"), [*SMALL, ("music", "es")])
def test_every_drawing_of_the_page_shows_the_release(case: str, language: str) -> None:
    found = read(case, language)
    with speaking(language):
        check = Check(found.view)
        drawings = drawings_of(tree(found.files["index.html"]))
        for name, (drawing, said) in drawings.items():
            draw_check(check, name, drawing, said)
    assert check.problems == [] and len(drawings) >= 4
    assert check.compared["dots"] >= 14 and check.compared["people"] >= 10 and check.compared["places"] >= 3
    assert check.compared["words"] or case == "music"


@pytest.mark.parametrize(("case", "language"), SMALL)
def test_drawings_as_files_say_what_those_of_the_page_say(case: str, language: str) -> None:
    found = read(case, language)
    inline = drawings_of(tree(found.files["index.html"]))
    files = {name: content for name, content in found.files.items() if name.endswith(".svg")}
    assert len(files) == len(inline) - 1, "the flow is a part of the page alone"
    for name, content in files.items():
        root = ElementTree.fromstring(content)
        told_there = {one.tag.rpartition("}")[2]: (one.text or "").strip() for one in root if (one.text or "").strip()}
        drawing, _ = inline[Path(name).stem]
        assert told_there == {tag: next(drawing.all(tag)).text for tag in ("title", "desc")}
        assert not [*root.iter("{http://www.w3.org/2000/svg}text")]


@pytest.mark.parametrize("changed", ["dot", "number", "people", "hidden"])
def test_a_drawing_that_is_changed_is_found(changed: str) -> None:
    found = read("averages", "en")
    drawing = deepcopy(drawings_of(tree(found.files["index.html"]))["form_by_outcome-pain"][0])
    texts = [*drawing.all("text")]
    if changed == "dot":
        dot = [one for one in drawing.all("use") if "stroke-width" in one.attributes["style"]][1]
        dot.attributes["x"] = str(float(dot.attributes["x"]) + 9)
    words_of = {"number": "28 in 100", "people": "35 people", "hidden": "Taurate"}
    for one in texts:
        if changed in words_of and words_of[changed] in one.text:
            one.inside = [one.text.replace(words_of[changed], "20 in 100" if changed == "number" else "90 people")]
    check = Check(found.view)
    draw_check(check, "form_by_outcome-pain", drawing, "")
    assert check.problems


@pytest.mark.parametrize(("case", "language"), SMALL)
@pytest.mark.parametrize("stem", STEMS)
def test_every_number_of_the_newsletter_is_one_of_the_release(case: str, language: str, stem: str) -> None:
    with speaking(language):
        check = letter(case, language, f"{stem}.md")
    assert check.problems == []
    assert check.compared["numbers"] and check.compared["people"] and check.compared["ends"] >= 2
    assert check.compared["waves"] >= {"newsletter": 4, "newsletter-block": 2}.get(stem, 0)


def test_a_sentence_that_is_changed_is_found() -> None:
    found = read("everything", "en")
    texts = [text for text in blocks(found.files, "newsletter.md") if numbers_in(text)]
    known = expected_texts(found.view, found.before)
    findings = [text for text in texts if numbers_in(without(text, known)) and "%" in text]
    assert len(findings) >= 4
    for text in findings:
        for place in re.finditer(r"(?<!least )\b\d+\b(?! %)", text):
            changed = f"{text[: place.start()]}{int(place[0]) + 3}{text[place.end() :]}"
            check = Check(found.view)
            Sentences(check, found.before).read(without(changed, known), "changed")
            assert check.problems, changed


@pytest.mark.parametrize(("case", "language"), SMALL)
@pytest.mark.parametrize("stem", STEMS)
def test_three_formats_hold_the_same_numbers_in_the_same_order(case: str, language: str, stem: str) -> None:
    found = read(case, language)
    with speaking(language):
        of_formats = [
            [*filter(None, map(numbers_in, blocks(found.files, f"{stem}.{suffix}")))]
            for suffix in ("md", "html", "txt")
        ]
    assert of_formats[0] == of_formats[1] == of_formats[2]
    assert sum(map(len, of_formats[0])) >= 8


def test_the_message_holds_the_numbers_of_the_page() -> None:
    found = read("everything", "de")
    message = message_from_bytes(found.files["newsletter.eml"], policy=default)
    assert isinstance(message, EmailMessage)
    plain, html = (message.get_body((kind,)) for kind in ("plain", "html"))
    assert plain is not None and html is not None
    bodies = (plain.get_content(), html.get_content())
    files = {name: text.replace("\r\n", "\n").encode() for name, text in zip(("m.txt", "m.html"), bodies, strict=True)}
    with speaking("de"):
        for suffix in ("txt", "html"):
            same = [
                [*map(numbers_in, blocks(given, name))]
                for given, name in ((files, f"m.{suffix}"), (found.files, f"newsletter.{suffix}"))
            ]
            assert same[0] == same[1]


@pytest.mark.parametrize("case", ["everything", "averages"])
@pytest.mark.parametrize("stem", STEMS)
def test_three_languages_hold_the_same_numbers(case: str, stem: str) -> None:
    """In each paragraph; a language may turn a sentence around."""
    of_languages = []
    for language in LANGUAGES:
        with speaking(language):
            of_languages.append([sorted(numbers_in(text)) for text in blocks(read(case, language).files, f"{stem}.md")])
    assert of_languages[0] == of_languages[1] == of_languages[2]


@pytest.mark.parametrize("case", ["everything", "averages"])
def test_pages_of_three_languages_hold_the_same_numbers(case: str) -> None:
    """In each cell, line of a list and heading of the page."""
    of_languages = []
    for language in LANGUAGES:
        with speaking(language):
            of_languages.append([sorted(numbers_in(text)) for text in texts_of_page(read(case, language))])
    assert of_languages[0] == of_languages[1] == of_languages[2]


def texts_of_page(found: Read) -> list[str]:
    """Cells, lines of lists and headings; without the version of the survey, which is no number but a name."""
    told_there = []
    for section in tree(found.files["index.html"]).all("section"):
        version = found.view.instrument.version if section.attributes["id"] in ("checklist", "files") else "\n"
        told_there += [
            one.text.replace(version, "") for one in section.all("td", "th", "li", "dd", "caption", "h2", "h3")
        ]
    return told_there


@pytest.mark.parametrize(("case", "language"), SMALL)
def test_findings_of_page_and_feed_are_those_of_the_release(case: str, language: str) -> None:
    found = read(case, language)
    with speaking(language):
        page, feed = tree(found.files["index.html"]), tree(_without_declaration(found.files["feed.xml"]))
        sections = {one.attributes["id"]: one for one in page.all("section")}
        pairs = zip(*(sections["since"].all(name) for name in ("dt", "dd")), strict=True)
        findings = [one.text for one in sections["in-short"].all("li")]
        findings += [f"{label.text}: {waves.text}" for label, waves in pairs]
        newest = next(feed.all("entry"))
        entry = [one.text for one in newest.all("p", "li", "summary")]
        check = Check(found.view)
        for text in (*findings, *entry):
            Sentences(check, found.before).read(without(text, expected_texts(found.view, found.before)), text[:40])
        shorter = [sorted(numbers_in(one.text)) for one in newest.all("li")]
    assert check.problems == []
    assert check.compared["numbers"] >= 4 and check.compared["waves"] >= 4
    with speaking(language):
        assert shorter == [sorted(numbers_in(one.text)) for one in sections["in-short"].all("li")]


def _without_declaration(document: bytes) -> str:
    return document.decode().partition("?>")[2]


@pytest.mark.parametrize(("case", "language"), SMALL)
def test_the_page_of_waves_shows_both_releases(case: str, language: str) -> None:
    found = read(case, language)
    with speaking(language):
        check, page = Check(found.view), tree(found.files["waves.html"])
        check.courses(page, [found.view, found.before])
        told_people = [one.text for one in next(one for one in page.all("section")).all("li")]
        assert all(
            people_answered(view.answers_used or 0) in text
            for view, text in zip((found.view, found.before), told_people, strict=True)
        )
    assert check.problems == [] and check.compared["numbers"] >= 2


@pytest.mark.slow
def test_the_committed_sample_says_what_its_tables_say() -> None:
    instrument = load_instrument("magnesium")
    check = Check(View(sample_release(instrument), instrument), has_stages=False)
    page = tree((SAMPLE / "index.html").read_bytes())
    check.page(page)
    for name, (drawing, said) in drawings_of(page).items():
        if name != "flow":
            draw_check(check, name, drawing, said)
    assert check.problems == []
    assert check.compared["numbers"] > 500 and check.compared["dots"] > 50 and check.compared["people"] > 500


@pytest.mark.slow
def test_the_newsletter_of_the_committed_sample_says_what_its_tables_say() -> None:
    """Of this wave: the wave before is not committed."""
    instrument = load_instrument("magnesium")
    view = View(sample_release(instrument), instrument)
    check, known = Check(view), expected_texts(view, None)
    files = {path.name: path.read_bytes() for path in SAMPLE.glob("newsletter*.[mht]*")}
    compared = pattern("About {now} answered this wave, about {before} the wave before.")
    for name in files:
        for text in blocks(files, name):
            answers = compared.fullmatch(text)
            if answers:
                check.same("people", name, people_in(answers["now"]) == view.answers_used, text)
            elif not is_of_survey(text, instrument):
                Sentences(check).read(without(text, known), f"{name}: {text[:40]}")
    assert check.problems == []
    assert check.compared["numbers"] >= 3 and check.compared["people"] >= 3 and check.compared["waves"] >= 1


PUT_TOGETHER: Final = (
    "{parts} together as {name}, so that nobody can be picked out.",
    "By {exposure}: {group} is one group, so that nobody can be picked out.",
)
"""Sentences that hold the names of groups alone."""


def is_of_survey(text: str, instrument: Instrument) -> bool:
    """Whether a paragraph is made of the survey's own words, such as the names of groups that were put together."""
    if any(pattern(message).fullmatch(text) for message in PUT_TOGETHER):
        return True
    told_there = (one for one in texts(instrument) if one.endswith("."))
    return not numbers_in(without(text, told_there))


def sample_release(instrument: Instrument) -> Release:
    """The release of the committed sample, as far as its tables tell it."""
    rows = []
    for path in sorted((SAMPLE / "tables").glob("*.csv")):
        if path.stem not in ("comparisons", "tests"):
            table = pl.read_csv(BytesIO(path.read_bytes()), infer_schema_length=None)
            rows += [
                Row.model_validate({name: line[name] for name in Row.model_fields})
                for line in table.iter_rows(named=True)
            ]
    return releases.release(instrument, rows, rows[0].wave, stages=())

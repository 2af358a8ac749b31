"""References: `{{ table.level.outcome.statistic }}` in an editor's text, filled with the released number in words.

What belongs here: reading references, finding the row that one means, and its words. What does not: the text around them. A
reference is a name and nothing else: no part of a text is ever run, and anything else in braces is a finding.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from survey_pipeline import names
from survey_pipeline.language import say
from survey_pipeline.lint.findings import Finding, Rule
from survey_pipeline.lint.prose import line_and_column
from survey_pipeline.names import Status
from survey_pipeline.release import Row
from survey_pipeline.render.measure import Measure
from survey_pipeline.render.phrases import amount, brief, number, people
from survey_pipeline.render.view import View, is_shown

BRACES: Final = re.compile(r"\{\{(.*?)\}\}|\{%.*?%\}|\{#.*?#\}|\{\{|\}\}|\{%|%\}", re.S)
NAME: Final = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*){3,5}")
PARTS: Final = ("number", "n", "range")
"""What may stand behind a reference: the number alone, the number of people alone, the range alone."""
COUNT: Final = "count"
_NEAREST = 3


@dataclass(frozen=True)
class Reference:
    """A reference as it stands in a text, with the row it means."""

    start: int
    end: int
    row: Row
    part: str | None


@dataclass(frozen=True)
class Filled:
    """A text with its references filled: `places` says where each of its characters came from."""

    text: str
    places: tuple[int, ...]
    references: tuple[Reference, ...]
    findings: tuple[Finding, ...]


class Rows:
    """The rows of a release by the names that references use."""

    def __init__(self, view: View) -> None:
        self.view = view
        self._codes = {
            (exposure, level.label): level.code for exposure, levels in view.release.levels.items() for level in levels
        }
        self._found: dict[str, list[Row]] = {}
        for row in view.release.rows:
            for name in self._names(row):
                self._found.setdefault(name, []).append(row)

    def _names(self, row: Row) -> tuple[str, ...]:
        """A row's short name, and the one that names its exposure as well."""
        level = names.ALL_LEVELS if row.level == names.ALL_LEVELS else self._codes.get((row.exposure, row.level), "")
        rest = f"{level}.{row.outcome}.{row.statistic}"
        return (f"{row.table}.{rest}", f"{row.table}.{row.exposure}.{rest}")

    def name(self, row: Row) -> str:
        """The shortest name by which a row is known."""
        short, long = self._names(row)
        return short if self.rows(short) == [row] else long

    def rows(self, name: str) -> list[Row]:
        """The rows that a name may mean; one, or several where exposures share a level."""
        found = self._found.get(name, [])
        main = [row for row in found if row.exposure == self.view.exposure(row.table)]
        same = {(row.outcome, row.statistic, row.level) for row in found}
        if len(found) > 1 and len(same) == 1 and found[0].level == names.ALL_LEVELS:
            return found[:1]
        return main if len(main) == 1 and "__" in (found[-1].exposure if found else "") else found

    def near(self, name: str) -> list[str]:
        """Names of shown numbers that are spelt much like one that is not known."""
        shown = {known for known, rows in self._found.items() if any(map(is_shown, rows))}
        table = [known for known in sorted(shown) if known.split(".")[0] == name.split(".")[0]]
        return _nearest(name, table) or _nearest(name, sorted(shown))


def _nearest(name: str, known: Sequence[str]) -> list[str]:
    """The nearest names, part by part: names differ in one part most often."""
    parts = name.split(".")
    alike = [one for one in known if sum(a == b for a, b in zip(one.split("."), parts, strict=False)) >= len(parts) - 1]
    short = [one for one in alike if one.count(".") == len(parts) - 1]
    return get_close_matches(name, short or alike or known, n=_NEAREST, cutoff=0.6)


# --- Words -------------------------------------------------------------------------------------------------------------


def in_words(row: Row, measure: Measure, part: str | None = None) -> str:
    """A shown row in words: all of it, or one of `PARTS`. Empty where the part is not published."""
    if part == "n":
        return "" if row.n_respondents is None else people(row.n_respondents)
    if part == "range":
        return _range(row, measure)
    told = _amount(row, measure)
    if part == "number" or row.statistic == COUNT:
        return told
    return _with_how_sure(told, row, measure)


def _amount(row: Row, measure: Measure) -> str:
    if row.statistic == COUNT:
        return people(round(row.estimate or 0))
    return amount(row.estimate or 0, measure)


def _range(row: Row, measure: Measure) -> str:
    if row.ci_lower is None or row.ci_upper is None or row.statistic == COUNT:
        return ""
    ends = [row.ci_lower, row.ci_upper]
    if measure.is_change and ends[1] <= 0:
        ends.reverse()
    low, high = number(ends[0], measure), brief(ends[1], measure)
    return say("between {low} and {high}", low=low, high=high)


def _with_how_sure(told: str, row: Row, measure: Measure) -> str:
    between = _range(row, measure)
    if row.n_respondents is None:
        return say("about {number} ({range} fit)", number=told, range=between) if between else told
    n = people(row.n_respondents)
    if not between:
        return say("about {number} (based on about {people})", number=told, people=n)
    return say("about {number} (based on about {people}; {range} fit)", number=told, people=n, range=between)


# --- Filling -----------------------------------------------------------------------------------------------------------


def fill_in(text: str, rows: Rows) -> Filled:
    """A text with every reference exchanged for its words; what cannot be filled stays, and is a finding."""
    parts: list[str] = []
    places: list[int] = []
    references: list[Reference] = []
    findings: list[Finding] = []
    position = 0
    for braces in BRACES.finditer(text):
        parts.append(text[position : braces.start()])
        places += range(position, braces.start())
        position = braces.end()
        meant = _meant(text, braces, rows)
        if isinstance(meant, Reference):
            references.append(meant)
            words = in_words(meant.row, rows.view.measure(meant.row.outcome, meant.row.statistic), meant.part)
        else:
            findings.append(meant)
            words = braces[0]
        parts.append(words)
        places += [braces.start()] * len(words)
    parts.append(text[position:])
    places += range(position, len(text))
    return Filled("".join(parts), tuple(places), tuple(references), tuple(findings))


def _meant(text: str, braces: re.Match[str], rows: Rows) -> Reference | Finding:
    name = (braces[1] or "").strip()
    if not NAME.fullmatch(name):
        return _finding(text, braces, *_no_reference())
    bare, part = _split(name)
    found = rows.rows(bare)
    if not found:
        return _finding(text, braces, *_unknown(bare, rows))
    if len(found) > 1:
        return _finding(text, braces, *_ambiguous(bare, found, rows))
    row = found[0]
    if not is_shown(row):
        return _finding(text, braces, *_hidden(row, rows))
    reference = Reference(braces.start(), braces.end(), row, part)
    if not in_words(row, rows.view.measure(row.outcome, row.statistic), part):
        return _finding(text, braces, say("The release has no such part of this number."), _whole(bare))
    return reference


def _split(name: str) -> tuple[str, str | None]:
    bare, _, last = name.rpartition(".")
    return (bare, last) if last in PARTS and bare.count(".") >= 3 else (name, None)


def _whole(name: str) -> str:
    return say("Write {reference}.", reference=f"{{{{ {name} }}}}")


def _finding(text: str, braces: re.Match[str], why: str, better: str = "") -> Finding:
    line, column = line_and_column(text, braces.start())
    return Finding(Rule.REFERENCE, line, column, " ".join(braces[0].split()), why, better)


def _no_reference() -> tuple[str, str]:
    example = "{{ form_by_outcome.citrate.pain.responder_30 }}"
    return (
        say("Only references to released numbers may stand in double braces."),
        say("A reference names table, level, outcome and statistic: {example}.", example=example),
    )


def _unknown(name: str, rows: Rows) -> tuple[str, str]:
    near = ", ".join(rows.near(name))
    return (
        say("The release has no number of this name."),
        say("Did you mean: {names}?", names=near) if near else "",
    )


def _ambiguous(name: str, found: Sequence[Row], rows: Rows) -> tuple[str, str]:
    known = ", ".join(dict.fromkeys(f"{row.table}.{row.exposure}.{name.partition('.')[2]}" for row in found))
    return say("The release has several numbers of this name."), say("Write one of: {names}.", names=known)


def _hidden(row: Row, rows: Rows) -> tuple[str, str]:
    """Why a number is not there, and which numbers near it are."""
    if row.status is Status.NOT_ASKED:
        return say("This was not asked in this wave, so there is no number."), _near_shown(row, rows)
    return say("This number is hidden, to protect people."), _near_shown(row, rows)


def _near_shown(row: Row, rows: Rows) -> str:
    near = [rows.name(one) for one in _beside(row, rows) if is_shown(one)][:_NEAREST]
    return say("Numbers that are shown: {names}.", names=", ".join(near)) if near else ""


def _beside(row: Row, rows: Rows) -> Iterator[Row]:
    """The same number of everybody first, then of other groups."""
    same = [
        one
        for one in rows.view.release.rows
        if (one.table, one.exposure, one.outcome, one.statistic)
        == (row.table, row.exposure, row.outcome, row.statistic)
    ]
    yield from sorted(same, key=lambda one: one.level != names.ALL_LEVELS)


__all__ = ["PARTS", "Filled", "Reference", "Rows", "fill_in", "in_words"]

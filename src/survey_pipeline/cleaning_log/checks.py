"""Checks: whether what a steward filled in may stand, and what was decided by it.

What belongs here: every line against the entries and the instrument. Pure: from lines to decisions, or to all that is wrong
with them. What does not: reading the file (`files`). A problem names a row and a column of the file, never what stands there.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import polars as pl

from survey_pipeline.answers import read_answers, reader
from survey_pipeline.cleaning_log.entries import ROW, RULE_BEFORE, SHA_PREFIX, SHA_SHOWN, WHAT_TO_DO, takes
from survey_pipeline.cleaning_log.files import Line, filled
from survey_pipeline.cleaning_log.words import ACTIONS, MEANINGS
from survey_pipeline.corrections import CELL, CORRECTIONS_SCHEMA, EXPORT_SHA256, NEW_VALUE, WHY, Action
from survey_pipeline.errors import InputRefused, did_you_mean
from survey_pipeline.instrument import Instrument
from survey_pipeline.names import ITEM, RECORD, RULE, VALUE, WHOLE_RECORD
from survey_pipeline.personal import Personal, contained
from survey_pipeline.schema import failures, responses_schema

MOST_SHOWN: Final = 10
"""Problems that are told at once."""
LONGEST_NOTE: Final = 500
AGAIN: Final = "write the log again with --out"
WHOLE_NUMBER: Final = re.compile(r"(\d{1,18})(?:[.,]0+)?")
"""A row's number; a spreadsheet may have given it decimals."""


class Problem(NamedTuple):
    """What is wrong in one cell of the file."""

    line: int
    column: str
    words: str


class NotRight(Exception):
    """One line may not stand."""

    def __init__(self, column: str, words: str) -> None:
        super().__init__(column, words)
        self.column, self.words = column, words


@dataclass(frozen=True)
class Decision:
    """What one line says about one answer."""

    line: int
    cell: tuple[str, int, str]
    rule: str
    value: str | None
    action: Action
    new_value: str | None
    why: str

    @property
    def row(self) -> tuple[Any, ...]:
        """As a row of the corrections."""
        return (*self.cell, self.rule, self.value, self.action, self.new_value, self.why or None)


def check_log(
    lines: Iterable[Line], found: pl.DataFrame, instrument: Instrument, name: str = "The log"
) -> pl.DataFrame:
    """The corrections that the filled lines give for the answers of `found` (see `entries`), columns as they are kept.

    Raises `InputRefused` with the first problems if any line may not stand: it names lines and columns, never a value.
    """
    known = Known(found)
    decisions: list[Decision] = []
    problems: list[Problem] = []
    for line in filled(lines):
        try:
            decisions.append(_decision(line, known, instrument))
        except NotRight as wrong:
            problems.append(Problem(line.number, wrong.column, wrong.words))
    problems += [*_unreadable(decisions, instrument), *_contradictions(decisions)]
    _refuse(problems, name)
    return pl.DataFrame([decision.row for decision in decisions], CORRECTIONS_SCHEMA, orient="row").unique(
        CELL, keep="first", maintain_order=True
    )


def _refuse(problems: Sequence[Problem], name: str) -> None:
    if not problems:
        return
    shown = [f"  row {line}, {column}: {words}" for line, column, words in sorted(problems)[:MOST_SHOWN]]
    more = [f"  and {len(problems) - MOST_SHOWN} more"] if len(problems) > MOST_SHOWN else []
    things = "1 thing is" if len(problems) == 1 else f"{len(problems)} things are"
    raise InputRefused(
        "\n".join([f"{name} cannot be applied: {things} not right.", *shown, *more]),
        "Nothing was stored. Mend these rows of the file (the headings are row 1), save it, and apply it again.",
    )


# --- Which answer a line is about ------------------------------------------------------------------------------------------


class Known:
    """The answers that a line may be about, by what the log shows of them."""

    def __init__(self, found: pl.DataFrame) -> None:
        self.entries: dict[tuple[str, int, str], list[dict[str, Any]]] = defaultdict(list)
        for entry in found.iter_rows(named=True):
            self.entries[_shown(entry[EXPORT_SHA256]), entry[RECORD], entry[ITEM]].append(entry)
        self.rows = {(sha, record) for sha, record, _ in self.entries}
        self.exports = {sha for sha, _ in self.rows}

    def entry(self, line: Line) -> dict[str, Any]:
        """The one answer that a line is about."""
        sha, record, item = _shown(line[EXPORT_SHA256]), _number(line[ROW]), line[ITEM]
        if sha not in self.exports:
            raise NotRight(EXPORT_SHA256, f"this wave has no refused answers from such an export; {AGAIN}")
        if record is None or (sha, record) not in self.rows:
            raise NotRight(ROW, f"nothing was refused in such a row of the export; {AGAIN}")
        if (sha, record, item) not in self.entries:
            raise NotRight(ITEM, f"nothing was refused at such an item of that row; {AGAIN}")
        return _of_its_rule(self.entries[sha, record, item], line[RULE].casefold())


def _of_its_rule(found: Iterable[dict[str, Any]], rule: str) -> dict[str, Any]:
    for entry in found:
        if rule in (entry[RULE], entry[RULE_BEFORE]):
            return entry
    raise NotRight(RULE, f"that answer was refused for another reason; {AGAIN}")


def _shown(sha256: str) -> str:
    return sha256.casefold().removeprefix(SHA_PREFIX).strip()[:SHA_SHOWN]


def _number(text: str) -> int | None:
    found = WHOLE_NUMBER.fullmatch(text)
    return int(found.group(1)) if found else None


# --- What a line decides ---------------------------------------------------------------------------------------------------


def _decision(line: Line, known: Known, instrument: Instrument) -> Decision:
    entry, action = known.entry(line), _action(line)
    if action is not Action.TAKE_BACK:
        _refuse_impossible(entry[ITEM], action, instrument)
        _refuse_value(line, action)
    _refuse_note(line[WHY])
    return Decision(
        line.number,
        (entry[EXPORT_SHA256], entry[RECORD], entry[ITEM]),
        entry[RULE],
        entry[VALUE],
        action,
        line[NEW_VALUE] if action is Action.SET_TO else None,
        line[WHY],
    )


def _action(line: Line) -> Action:
    if not (word := line[WHAT_TO_DO]):
        raise NotRight(WHAT_TO_DO, "is empty, but there is a new value: write 'set to' here, or clear the new value")
    if word not in ACTIONS:
        raise NotRight(
            WHAT_TO_DO, f"must be one of {', '.join(map(repr, ACTIONS))}, or empty.{did_you_mean(word, ACTIONS)}"
        )
    return ACTIONS[word]


def _refuse_impossible(name: str, action: Action, instrument: Instrument) -> None:
    if name in ("", WHOLE_RECORD):
        raise NotRight(WHAT_TO_DO, "the cells of this row cannot be told apart; mend the export itself")
    if name not in instrument.stored:
        raise NotRight(ITEM, "the instrument has no such item any more")
    if action is Action.DROP and instrument.stored[name].required:
        raise NotRight(WHAT_TO_DO, "this answer is required and cannot be dropped; use 'set to' or 'keep out'")


def _refuse_value(line: Line, action: Action) -> None:
    if action is Action.SET_TO and not line[NEW_VALUE]:
        raise NotRight(NEW_VALUE, "is empty; 'set to' needs the right answer here")
    if action is not Action.SET_TO and line[NEW_VALUE]:
        raise NotRight(NEW_VALUE, "must be empty unless what_to_do is 'set to'")


def _refuse_note(why: str) -> None:
    if len(why) > LONGEST_NOTE:
        raise NotRight(WHY, f"is longer than {LONGEST_NOTE} characters")
    if why and (found := contained([why], apart_from=(Personal.FREE_TEXT,))):
        raise NotRight(WHY, f"seems to hold {found.kind.phrase}; a note names nobody")


# --- Whether a new value is an answer --------------------------------------------------------------------------------------


def _unreadable(decisions: Sequence[Decision], instrument: Instrument) -> Iterator[Problem]:
    """New values that are no answers. They are read as the export's own are, each in a row with nothing beside it."""
    given = [decision for decision in decisions if decision.action is Action.SET_TO]
    for place, rule in _broken_rules(given, instrument).items():
        name = given[place].cell[2]
        why = MEANINGS.get(rule, rule) if rule else "This means 'no answer': use 'drop' for that."
        yield Problem(
            given[place].line,
            NEW_VALUE,
            f"cannot stand for '{name}' (allowed: {takes(instrument.stored[name])}). {why}",
        )


def _broken_rules(given: Sequence[Decision], instrument: Instrument) -> dict[int, str]:
    """By place, the rule that a new value breaks; "" for one that means 'no answer'."""
    items = {name: instrument.stored[name] for name in sorted({decision.cell[2] for decision in given})}
    texts = pl.DataFrame(
        {name: [one.new_value if one.cell[2] == name else None for one in given] for name in items},
        schema=dict.fromkeys(items, pl.String),
    )
    read = read_answers(texts, items, {name: reader(item, instrument.missing) for name, item in items.items()})
    columns = {column: name for name, item in items.items() for column in item.columns(name)}
    failed = failures(responses_schema(instrument).select_columns(list(columns)), read.answers)
    broken = {row: rule for row, column, rule in failed.iter_rows() if columns[column] == given[row].cell[2]}
    missing = {row: "" for row in range(len(given)) if _is_blank(read.answers, row, given[row].cell[2], instrument)}
    unread = {row: rule for row, _, rule in read.refused.iter_rows()}
    return broken | missing | unread


def _is_blank(answers: pl.DataFrame, row: int, name: str, instrument: Instrument) -> bool:
    return all(answers[column][row] is None for column in instrument.stored[name].columns(name))


def _contradictions(decisions: Iterable[Decision]) -> Iterator[Problem]:
    first: dict[tuple[str, int, str], Decision] = {}
    for decision in decisions:
        other = first.setdefault(decision.cell, decision)
        if (other.action, other.new_value) != (decision.action, decision.new_value):
            yield Problem(decision.line, WHAT_TO_DO, f"row {other.line} says something else about the same answer")

"""One answer, as a person or a tool wrote it, to a typed value or a reason to refuse it.

What belongs here: how each kind of item reads a text. Readers are plain functions on one text, because a column holds few
different texts: each is read once and the result spread over the column. What does not: ranges and codes that a read value
must obey (`schema`), and which rows are kept (`validate`).
"""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import polars as pl

from survey_pipeline.instrument import Item, Kind, Option
from survey_pipeline.names import Rule, option_column
from survey_pipeline.texts import fold

MOST_REMEMBERED = 10_000
"""Different texts of one item whose reading is kept from batch to batch: more than a closed question has."""
ENDS_AN_OPTION = re.compile(r"\.? *(?:[,;]|$)")
NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")
YES = frozenset({"yes", "y", "true", "1", "ja", "sí", "si"})
NO = frozenset({"no", "n", "false", "0", "nein"})
STORED_TYPE: dict[Kind, pl.DataType | type[pl.DataType]] = {
    Kind.CHOICE: pl.String,
    Kind.CHOICES: pl.Boolean,
    Kind.YES_NO: pl.Boolean,
    Kind.SCALE: pl.Float64,
    Kind.NUMBER: pl.Float64,
    Kind.DATE: pl.Date,
}


@dataclass(frozen=True)
class Refused:
    """An answer that cannot be read, and why."""

    rule: Rule


Answer = str | bool | float | date | frozenset[str] | Refused | None
"""A value, None for no answer, or a refusal. Several ticked options are the set of their codes."""
Reader = Callable[[str], Answer]


def reader(item: Item, missing: Iterable[str] = ()) -> Reader:
    """How the texts of one item are read, given the instrument's texts for 'no answer'."""
    read = _READERS[item.kind](item)
    no_answer = {fold(text) for text in (*missing, *item.missing)} | {""}
    fixes = {fold(wrong): right for wrong, right in item.fixes.items()}

    @lru_cache(maxsize=MOST_REMEMBERED)
    def read_text(text: str) -> Answer:
        folded = fold(text)
        return None if folded in no_answer else read(fixes.get(folded, text))

    return read_text


def _choice(item: Item) -> Reader:
    known = _known_texts(item.options)
    exclusive = _exclusive(item)

    def read(text: str) -> Answer:
        if code := known.get(fold(text)):
            return code
        chosen = _split(fold(text), known)
        return Refused(Rule.UNKNOWN_OPTION) if chosen is None else one_of(chosen)

    def one_of(chosen: frozenset[str]) -> Answer:
        if len(chosen) == 1:
            return min(chosen)
        if item.several_as and chosen & exclusive:
            return Refused(Rule.CONTRADICTORY_ANSWERS)
        return item.several_as or Refused(Rule.SEVERAL_ANSWERS)

    return read


def _choices(item: Item) -> Reader:
    known = _known_texts(item.options)
    exclusive = _exclusive(item)

    def read(text: str) -> Answer:
        chosen = _split(fold(text), known)
        if chosen is None:
            return Refused(Rule.UNKNOWN_OPTION)
        return Refused(Rule.CONTRADICTORY_ANSWERS) if chosen & exclusive and len(chosen) > 1 else chosen

    return read


def _exclusive(item: Item) -> frozenset[str]:
    return frozenset(option.code for option in item.options if option.exclusive)


def _known_texts(options: Iterable[Option]) -> dict[str, str]:
    """Folded text to code: codes, labels and declared spellings, the longest first."""
    texts = {fold(text): option.code for option in options for text in option.texts}
    return {text: texts[text] for text in sorted(texts, key=len, reverse=True) if text}


def _split(text: str, known: dict[str, str]) -> frozenset[str] | None:
    """The options in a joined answer; None if any is unknown. Longest first, since an option may hold a comma itself."""
    codes: set[str] = set()
    while text := text.strip(" ,;"):
        found = next((option for option in known if _starts_with(text, option)), None)
        if found is None:
            return None
        codes.add(known[found])
        text = text[len(found) :].removeprefix(".")
    return frozenset(codes) or None


def _starts_with(text: str, option: str) -> bool:
    """Folding took the full stop off the last option of a joined answer; one before it may still have its own."""
    return text.startswith(option) and ENDS_AN_OPTION.match(text, len(option)) is not None


def _yes_no(item: Item) -> Reader:
    def read(text: str) -> Answer:
        folded = fold(text)
        return True if folded in YES else False if folded in NO else Refused(Rule.UNKNOWN_OPTION)

    return read


def _number(item: Item) -> Reader:
    """Digits with an optional decimal point, and at most the item's own unit behind them."""
    units = {fold(item.unit), fold(item.unit).split("/")[0].split(" per ")[0], ""}

    def read(text: str) -> Answer:
        folded = fold(text)
        found = NUMBER.match(folded)
        if found is None or folded[found.end() :].strip() not in units:
            return Refused(Rule.NOT_A_NUMBER)
        number = float(found.group())
        return number if math.isfinite(number) else Refused(Rule.NOT_A_NUMBER)

    return read


def _date(item: Item) -> Reader:
    def read(text: str) -> Answer:
        try:
            return date.fromisoformat(text.strip())
        except ValueError:
            return Refused(Rule.NOT_A_DATE)

    return read


_READERS: dict[Kind, Callable[[Item], Reader]] = {
    Kind.CHOICE: _choice,
    Kind.CHOICES: _choices,
    Kind.YES_NO: _yes_no,
    Kind.SCALE: _number,
    Kind.NUMBER: _number,
    Kind.DATE: _date,
}


@dataclass(frozen=True)
class Readings:
    """A batch of texts, read: typed answers (columns as stored) and the refused cells (`row`, `item`, `rule`)."""

    answers: pl.DataFrame
    refused: pl.DataFrame


def read_answers(texts: pl.DataFrame, items: Mapping[str, Item], readers: Mapping[str, Reader]) -> Readings:
    """Read a batch of texts, a column an item; an item without a column is all null. Heights stay the same.

    A column holds few different texts: each is read once, and its reading is spread over the column by its place among them.
    """
    present = [name for name in items if name in texts.columns]
    different = _different(texts.select(present))
    read = {name: [readers[name](text) for text in different[name]] for name in present}
    places = texts.select(_place(name, different[name]) for name in present)
    absent = [name for name in items if name not in present]
    answers = places.with_columns(pl.lit(None, dtype=pl.UInt32).alias(name) for name in absent).select(
        column for name, item in items.items() for column in _spread(name, item, read.get(name, []))
    )
    return Readings(answers, pl.concat([NO_REFUSALS, *(_refused(places[name], read[name]) for name in present)]))


NO_REFUSALS = pl.DataFrame(schema={"row": pl.UInt32, "item": pl.String, "rule": pl.String})


def _different(texts: pl.DataFrame) -> dict[str, pl.Series]:
    if not texts.width:
        return {}
    lists = texts.select(pl.all().unique().drop_nulls().implode())
    return {name: lists[name][0] for name in lists.columns}


def _place(name: str, different: pl.Series) -> pl.Expr:
    """Each cell's place among the different texts; null where the cell is empty."""
    if different.is_empty():
        return pl.col(name).cast(pl.UInt32)
    places = pl.int_range(len(different), dtype=pl.UInt32, eager=True)
    return pl.col(name).replace_strict(different, places, default=None, return_dtype=pl.UInt32)


def _spread(name: str, item: Item, read: Sequence[Answer]) -> Iterator[pl.Expr]:
    """Readings as the item's stored columns, gathered by place."""
    good = [None if isinstance(answer, Refused) else answer for answer in read]
    if item.kind is Kind.CHOICES:
        for code in item.codes:
            ticked = [code in answer if isinstance(answer, frozenset) else None for answer in good]
            yield _gathered(name, ticked, pl.Boolean).alias(option_column(name, code))
    else:
        yield _gathered(name, good, STORED_TYPE[item.kind]).alias(name)


def _gathered(name: str, values: Sequence[object], dtype: pl.DataType | type[pl.DataType]) -> pl.Expr:
    if not values:
        return pl.repeat(None, pl.len(), dtype=dtype)
    return pl.lit(pl.Series(values, dtype=dtype)).gather(pl.col(name))


def _refused(places: pl.Series, read: Sequence[Answer]) -> pl.DataFrame:
    rules = pl.Series([answer.rule.value if isinstance(answer, Refused) else None for answer in read], dtype=pl.String)
    bad = rules.is_not_null().arg_true()
    if bad.is_empty():
        return NO_REFUSALS
    rows = places.is_in(bad.implode()).fill_null(False).arg_true()
    return pl.DataFrame(
        {
            "row": rows,
            "item": pl.Series([places.name]).new_from_index(0, len(rows)),
            "rule": rules.gather(places.gather(rows)),
        },
        schema=NO_REFUSALS.schema,
    )

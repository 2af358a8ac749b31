"""One answer, as a person or a tool wrote it, to a typed value or a reason to refuse it.

What belongs here: how each kind of item reads a text. Readers are plain functions on one text, because a column holds few
different texts: each is read once and the result spread over the column. What does not: ranges and codes that a read value
must obey (`schema`), and which rows are kept (`validate`).
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

import polars as pl

from survey_pipeline.instrument import Item, Kind, Option
from survey_pipeline.names import Rule, option_column

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


def fold(text: str) -> str:
    """Case, accents of typing (non-breaking or doubled spaces) and a final full stop do not make another answer."""
    return " ".join(text.split()).casefold().rstrip(".")


def reader(item: Item, missing: Iterable[str] = ()) -> Reader:
    """How the texts of one item are read, given the instrument's texts for 'no answer'."""
    read = _READERS[item.kind](item)
    no_answer = {fold(text) for text in (*missing, *item.missing)} | {""}
    fixes = {fold(wrong): right for wrong, right in item.fixes.items()}

    def read_text(text: str) -> Answer:
        folded = fold(text)
        return None if folded in no_answer else read(fixes.get(folded, text))

    return read_text


def _choice(item: Item) -> Reader:
    known = _known_texts(item.options)

    def read(text: str) -> Answer:
        if code := known.get(fold(text)):
            return code
        chosen = _split(fold(text), known)
        if chosen is None:
            return Refused(Rule.UNKNOWN_OPTION)
        return item.several_as or Refused(Rule.SEVERAL_ANSWERS)

    return read


def _choices(item: Item) -> Reader:
    known = _known_texts(item.options)
    exclusive = {option.code for option in item.options if option.exclusive}

    def read(text: str) -> Answer:
        chosen = _split(fold(text), known)
        if chosen is None:
            return Refused(Rule.UNKNOWN_OPTION)
        return Refused(Rule.CONTRADICTORY_ANSWERS) if chosen & exclusive and len(chosen) > 1 else chosen

    return read


def _known_texts(options: Iterable[Option]) -> dict[str, str]:
    """Folded text to code: codes, labels and declared spellings."""
    return {fold(text): option.code for option in options for text in (option.code, option.label, *option.spellings)}


def _split(text: str, known: dict[str, str]) -> frozenset[str] | None:
    """The options in a joined answer; None if any is unknown. Longest first, since an option may hold a comma itself."""
    codes: set[str] = set()
    while text := text.strip(" ,;"):
        found = next((option for option in sorted(known, key=len, reverse=True) if _starts_with(text, option)), None)
        if found is None:
            return None
        codes.add(known[found])
        text = text[len(found) :]
    return frozenset(codes) or None


def _starts_with(text: str, option: str) -> bool:
    rest = text[len(option) :].lstrip()
    return text.startswith(option) and rest[:1] in ("", ",", ";")


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
        return float(found.group())

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
class Column:
    """A read column: typed series under their stored names, and the rule that refused each cell (null where none did)."""

    values: list[pl.Series]
    refused: pl.Series


def read_column(texts: pl.Series, name: str, item: Item, read: Reader) -> Column:
    """Read a column of texts: each different text once, then spread over the column. Same height as `texts`."""
    different = texts.unique().drop_nulls()
    answers = dict(zip(different.to_list(), map(read, different), strict=True))
    rules = {text: answer.rule.value for text, answer in answers.items() if isinstance(answer, Refused)}
    good = {text: answer for text, answer in answers.items() if answer is not None and text not in rules}
    return Column(values=_spread(texts, name, item, good), refused=_mapped(texts, rules, pl.String).alias(name))


def _spread(texts: pl.Series, name: str, item: Item, good: dict[str, Answer]) -> list[pl.Series]:
    if item.kind is not Kind.CHOICES:
        return [_mapped(texts, good, STORED_TYPE[item.kind]).alias(name)]
    return [_mapped(texts, _ticked(good, code), pl.Boolean).alias(option_column(name, code)) for code in item.codes]


def _ticked(good: dict[str, Answer], code: str) -> dict[str, bool]:
    """For one option, whether each text that was read ticks it: not ticked is 'no' only where the question was answered."""
    return {text: isinstance(answer, frozenset) and code in answer for text, answer in good.items()}


def _mapped(
    texts: pl.Series,
    values: dict[str, Answer] | dict[str, str] | dict[str, bool],
    dtype: pl.DataType | type[pl.DataType],
) -> pl.Series:
    if not values:
        return pl.repeat(None, len(texts), dtype=dtype, eager=True)
    return texts.replace_strict(
        list(values), pl.Series(list(values.values()), dtype=dtype), default=None, return_dtype=dtype
    )

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

from survey_pipeline.answers.doses import Dose, read_dose
from survey_pipeline.instrument import DOSE_PARTS, Item, Kind, Option
from survey_pipeline.names import NOT_A_TICK, NOTHING_TICKED, Rule, option_column
from survey_pipeline.texts import NO, YES, fold

MOST_REMEMBERED = 10_000
"""Different texts of one item whose reading is kept from batch to batch: more than a closed question has."""
ENDS_AN_OPTION = re.compile(r"\.? *(?:[,;]|$)")
BETWEEN_OPTIONS = re.compile(r"[,;] *")
NUMBER = re.compile(r"[+-]?(\d+)(?:([.,])(\d+))?")
TIME = r"(?:[ ,T]+\d{1,2}[:.]\d{2}(?:[:.]\d{2}(?:[.,]\d+)?)?\s*(?:[AP]M|Z|UTC|[+-]\d\d:?\d\d)?)?"
"""A date may have a time of day behind it, and nothing else."""
DATE_PARTS = re.compile(rf"(\d{{1,2}})([./-])(\d{{1,2}})\2(\d{{4}}){TIME}", re.IGNORECASE)
ISO_DATE = re.compile(rf"(\d{{4}}-\d{{2}}-\d{{2}}){TIME}", re.IGNORECASE)
LONGEST_ANSWER = 5_000
"""Characters; the options of a closed question are never as long together."""
Stored = type[pl.DataType]
STORED_TYPE: dict[Kind, Stored] = {
    Kind.CHOICE: pl.String,
    Kind.CHOICES: pl.Boolean,
    Kind.YES_NO: pl.Boolean,
    Kind.SCALE: pl.Float64,
    Kind.NUMBER: pl.Float64,
    Kind.DATE: pl.Date,
}
STORED_OF_A_DOSE: tuple[Stored, ...] = (*(pl.Float64,) * 4, *(pl.String,) * 3)
"""Four amounts and three words, as `instrument.DOSE_PARTS` names them."""


def stored_types(name: str, item: Item) -> dict[str, Stored]:
    """The columns of the responses that hold an item, with their types."""
    columns = item.columns(name)
    types = STORED_OF_A_DOSE if item.kind is Kind.DOSE else [STORED_TYPE[item.kind]] * len(columns)
    return dict(zip(columns, types, strict=True))


@dataclass(frozen=True)
class Refused:
    """An answer that cannot be read, and why."""

    rule: Rule


@dataclass(frozen=True)
class Noted:
    """An answer that counts, and a note about it for the steward."""

    answer: "str | frozenset[str]"
    rule: Rule


Answer = str | bool | float | date | frozenset[str] | Dose | Noted | Refused | None
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
    options = Options(item)

    def read(text: str) -> Answer:
        if text == NOTHING_TICKED:
            return None  # a single choice of nothing is no answer
        if code := options.known.get(fold(text)):
            return code
        chosen = options.split(fold(text))
        return options.noted(one_of, chosen) if chosen else Refused(Rule.UNKNOWN_OPTION)

    def one_of(chosen: frozenset[str]) -> "str | Refused":
        if len(chosen) == 1:
            return min(chosen)
        if item.several_as and chosen & options.exclusive:
            return Refused(Rule.CONTRADICTORY_ANSWERS)
        return item.several_as or Refused(Rule.SEVERAL_ANSWERS)

    return read


def _choices(item: Item) -> Reader:
    options = Options(item)

    def read(text: str) -> Answer:
        if text == NOTHING_TICKED:
            return frozenset()
        chosen = options.joined_by_spaces(fold(text)) or options.split(fold(text))
        return options.noted(all_of, chosen) if chosen else Refused(Rule.UNKNOWN_OPTION)

    def all_of(chosen: frozenset[str]) -> "frozenset[str] | Refused":
        return Refused(Rule.CONTRADICTORY_ANSWERS) if chosen & options.exclusive and len(chosen) > 1 else chosen

    return read


OWN_WORDS = ""
"""Stands among the chosen codes for a part of an answer that is none of the options."""


class Options:
    """The options of a closed item, and how they are found in a text."""

    def __init__(self, item: Item) -> None:
        self.known = _known_texts(item.options)
        self.codes = frozenset(item.codes)
        self.exclusive = frozenset(option.code for option in item.options if option.exclusive)
        self.free_text = next((option.code for option in item.options if option.free_text), None)

    def split(self, text: str) -> frozenset[str] | None:
        """The options in a joined answer; None if one is unknown and the item takes no words of people's own.

        Longest first, since an option may hold a comma itself.
        """
        if NOT_A_TICK in text or len(text) > LONGEST_ANSWER:
            return None
        chosen = frozenset(self._parts(text))
        return None if not chosen or (OWN_WORDS in chosen and self.free_text is None) else chosen

    def joined_by_spaces(self, text: str) -> frozenset[str] | None:
        """The codes in an answer that is nothing but codes and spaces, as ODK writes it."""
        codes = frozenset(text.split())
        return codes if codes <= self.codes else None

    def _parts(self, text: str) -> Iterator[str]:
        while text := text.strip(" ,;"):
            found = next((option for option in self.known if _starts_with(text, option)), None)
            if found is None:
                yield OWN_WORDS
                text = "".join(BETWEEN_OPTIONS.split(text, maxsplit=1)[1:])
            else:
                yield self.known[found]
                text = text[len(found) :].removeprefix(".")

    def noted(
        self, decide: "Callable[[frozenset[str]], str | frozenset[str] | Refused]", chosen: frozenset[str]
    ) -> Answer:
        """What is decided of the chosen options, with a note if one of them is in somebody's own words."""
        if OWN_WORDS not in chosen:
            return decide(chosen)
        answer = decide(chosen - {OWN_WORDS} | {self.free_text or OWN_WORDS})
        return answer if isinstance(answer, Refused) else Noted(answer, Rule.OTHER_TEXT)


def _known_texts(options: Iterable[Option]) -> dict[str, str]:
    """Folded text to code: codes, labels and declared spellings, the longest first."""
    texts = {fold(text): option.code for option in options for text in option.texts}
    return {text: texts[text] for text in sorted(texts, key=len, reverse=True) if text}


def _starts_with(text: str, option: str) -> bool:
    """Folding took the full stop off the last option of a joined answer; one before it may still have its own."""
    return text.startswith(option) and ENDS_AN_OPTION.match(text, len(option)) is not None


def _yes_no(item: Item) -> Reader:
    def read(text: str) -> Answer:
        folded = fold(text)
        return True if folded in YES else False if folded in NO else Refused(Rule.UNKNOWN_OPTION)

    return read


def _number(item: Item) -> Reader:
    """Digits with an optional decimal sign, and at most the item's own unit behind them."""
    units = {fold(item.unit), fold(item.unit).split("/")[0].split(" per ")[0], ""}

    def read(text: str) -> Answer:
        folded = fold(text)
        found = NUMBER.match(folded)
        if found is None or folded[found.end() :].strip() not in units or _is_other_sign(item, found):
            return Refused(Rule.NOT_A_NUMBER)
        if _may_be_thousands(item, found):
            return Refused(Rule.AMBIGUOUS_NUMBER)
        number = float(found.group().replace(",", "."))
        return number if math.isfinite(number) else Refused(Rule.NOT_A_NUMBER)

    return read


def _is_other_sign(item: Item, found: re.Match[str]) -> bool:
    signs = {"point": ".", "comma": ",", None: ".,"}
    return bool(found[2]) and found[2] not in signs[item.decimal_sign]


def _may_be_thousands(item: Item, found: re.Match[str]) -> bool:
    """Such as 23.824 or 1,200: where the decimal sign is not declared, nobody can tell. A scale knows no thousands."""
    whole, _, decimals = found.groups()
    grouped = bool(decimals) and len(decimals) == 3 and len(whole) <= 3 and not whole.startswith("0")
    return grouped and item.decimal_sign is None and item.kind is not Kind.SCALE


def _date(item: Item) -> Reader:
    """Year first, or day and month in the declared order; without one, in the only order that is possible."""

    def read(text: str) -> Answer:
        plain = text.strip()
        if found := ISO_DATE.fullmatch(plain):
            return _date_of(found[1])
        if found := DATE_PARTS.fullmatch(plain):
            return _ordered(item, found)
        return Refused(Rule.NOT_A_DATE)

    return read


def _date_of(text: str) -> Answer:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return Refused(Rule.NOT_A_DATE)


def _ordered(item: Item, found: re.Match[str]) -> Answer:
    """The two orders of 13/4/2026, of which one is impossible. With full stops, days are written first everywhere."""
    first, sign, second, year = found.groups()
    day_first, month_first = (
        _date_of(f"{year}-{month:0>2}-{day:0>2}") for day, month in ((first, second), (second, first))
    )
    order = item.date_order or ("day_first" if sign == "." or day_first == month_first else None)
    if order:
        return day_first if order == "day_first" else month_first
    if isinstance(month_first, Refused):
        return day_first
    return month_first if isinstance(day_first, Refused) else Refused(Rule.AMBIGUOUS_DATE)


def _dose(item: Item) -> Reader:
    def read(text: str) -> Answer:
        found = read_dose(text, item.compounds)
        return found if isinstance(found, Dose) else Refused(found)

    return read


_READERS: dict[Kind, Callable[[Item], Reader]] = {
    Kind.CHOICE: _choice,
    Kind.CHOICES: _choices,
    Kind.YES_NO: _yes_no,
    Kind.SCALE: _number,
    Kind.NUMBER: _number,
    Kind.DATE: _date,
    Kind.DOSE: _dose,
}


@dataclass(frozen=True)
class Readings:
    """A batch of texts, read: typed answers (columns as stored), and the cells that are refused or noted (`row`, `item`,
    `rule`).
    """

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
    good = [_counting(answer) for answer in read]
    if item.kind is Kind.CHOICES:
        for code in item.codes:
            ticked = [code in answer if isinstance(answer, frozenset) else None for answer in good]
            yield _gathered(name, ticked, pl.Boolean).alias(option_column(name, code))
    elif item.kind is Kind.DOSE:
        for part, (column, dtype) in zip(DOSE_PARTS, stored_types(name, item).items(), strict=True):
            yield _gathered(name, [getattr(dose, part, None) for dose in good], dtype).alias(column)
    else:
        yield _gathered(name, good, STORED_TYPE[item.kind]).alias(name)


def _counting(answer: Answer) -> object:
    """The answer as it counts: a note does not change it, and a refused one is none."""
    if isinstance(answer, Noted):
        return answer.answer
    return None if isinstance(answer, Refused) else answer


def _gathered(name: str, values: Sequence[object], dtype: Stored) -> pl.Expr:
    if not values:
        return pl.repeat(None, pl.len(), dtype=dtype)
    return pl.lit(pl.Series(values, dtype=dtype)).gather(pl.col(name))


def _refused(places: pl.Series, read: Sequence[Answer]) -> pl.DataFrame:
    rules = pl.Series(
        [answer.rule.value if isinstance(answer, (Refused, Noted)) else None for answer in read], dtype=pl.String
    )
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

"""Cells: how an answer is written, tidily or not.

What belongs here: the texts under which each answer may stand in an export, which of them a reader must refuse and by
which rule. What does not: whose answer is written how (`write`) and how probable it is (`population`).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations, product

import numpy as np
import numpy.typing as npt

from survey_pipeline.instrument import Instrument, Item, Kind, Role
from survey_pipeline.names import Rule
from survey_pipeline.sample.plan import SamplePlan

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

CLEAN_ROLES = frozenset({Role.CONSENT, Role.IDENTIFIER, Role.DROP})
UNKNOWN_TEXTS = ("see my comment", "it depends", "???")
WORDS_FOR_NUMBERS = ("a lot", "not much")
WORDS_FOR_DATES = ("yesterday", "last week")


class Untidy(StrEnum):
    """The ways in which an answer is written otherwise than the survey offers it, named as in the plan."""

    BLANK = "blank"
    NO_ANSWER_TEXT = "no_answer_text"
    IMPOSSIBLE = "impossible"
    UNKNOWN_OPTION = "unknown_option"
    CONTRADICTORY = "contradictory"
    MISSPELT = "misspelt"
    OTHER_CASE = "other_case"
    STRAY_SPACE = "stray_space"
    WITH_UNIT = "with_unit"
    SEVERAL_LISTED = "several_listed"


UNANSWERED = frozenset({Untidy.BLANK, Untidy.NO_ANSWER_TEXT})
REFUSED = frozenset({Untidy.IMPOSSIBLE, Untidy.UNKNOWN_OPTION, Untidy.CONTRADICTORY})
LOST = UNANSWERED | REFUSED
"""After these the answer is gone; after the others a good reader still finds it."""


@dataclass(frozen=True)
class Cell:
    """One text as it may stand in an export; None is an empty cell. `rule` says why a reader must refuse it.

    `answer`: what was chosen, where that can be told: yes, no, a number, a date, or codes of options with spaces between.
    """

    text: str | None
    untidy: Untidy | None = None
    rule: Rule | None = None
    answer: str = ""

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of the chosen options; both, where they contradict each other."""
        return tuple(self.answer.split())

    @property
    def is_readable(self) -> bool:
        """Whether a good reader still finds the answer."""
        return self.text is not None and self.untidy not in LOST


NOT_ANSWERED = Cell(None)


# --- What may happen to an item --------------------------------------------------------------------------------------


def ways(instrument: Instrument, plan: SamplePlan, name: str) -> dict[Untidy, float]:
    """How often each untidiness befalls the answers to an item, without those that cannot, such as a misspelt number.

    Required items and those on which the form or dose depends stay readable: losing them would change who is counted
    where. An item whose own condition may be lost is never refused, as a reader may pass over it.
    """
    item = instrument.items[name]
    if item.kind in (Kind.TEXT, Kind.DOSE) or item.role in CLEAN_ROLES or name in plan.mess.spare:
        return {}
    out = LOST if item.required or name in conditions_of_exposures(instrument) else _never_here(instrument, item)
    possible = [way for way in Untidy if way not in out and _is_possible(way, instrument, item)]
    return {way: getattr(plan.mess, way.value) for way in possible}


def lost_share(instrument: Instrument, plan: SamplePlan, name: str) -> float:
    """The share of the answers to an item that cannot be read afterwards."""
    return sum(rate for way, rate in ways(instrument, plan, name).items() if way in LOST)


def conditions_of_exposures(instrument: Instrument) -> frozenset[str]:
    """The items that decide whether somebody has a form or a dose at all."""
    return conditions_of(instrument, instrument.form, instrument.dose)


def conditions_of(instrument: Instrument, *names: str) -> frozenset[str]:
    """The items on whose answers it depends whether the named items are asked, directly or through others."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        condition = instrument.items[waiting.pop()].applies_if
        if condition and condition.item not in found:
            found.add(condition.item)
            waiting.append(condition.item)
    return frozenset(found)


def _never_here(instrument: Instrument, item: Item) -> frozenset[Untidy]:
    surely_met = item.applies_if is None or item.applies_if.item in conditions_of_exposures(instrument)
    return frozenset() if surely_met else REFUSED


def _is_possible(way: Untidy, instrument: Instrument, item: Item) -> bool:
    """Ways that lose an answer need a text at any rate; the others fall back on the clean text where they have none."""
    return way not in LOST or bool(_losses(way, instrument, item))


# --- The texts -------------------------------------------------------------------------------------------------------


def label_of(item: Item, answer: str) -> str:
    """The text that the survey offers for an answer: an option's label, Yes or No, or the number itself."""
    if item.kind is Kind.YES_NO:
        return answer.capitalize()
    return next((option.label for option in item.options if option.code == answer), answer)


def consent_cells(item: Item) -> tuple[Cell, ...]:
    """The cells that mean consent, and none."""
    return tuple(Cell(text, answer=_code_of(item, text)) for text in consent_texts(item))


def consent_texts(item: Item) -> tuple[str, str]:
    """The text that means consent, and one that does not."""
    others = [option.label for option in item.options if item.consent_answer not in (option.label, option.code)]
    return item.consent_answer, next(iter(others), "No")


def _code_of(item: Item, text: str) -> str:
    """The code of the option that a text is the label or code of; empty if there is none."""
    return next((option.code for option in item.options if text in (option.label, option.code)), "")


def _losses(way: Untidy, instrument: Instrument, item: Item) -> tuple[Cell, ...]:
    if way is Untidy.BLANK:
        return (Cell(None, way),)
    if way is Untidy.NO_ANSWER_TEXT:
        return tuple(Cell(text, way) for text in (*instrument.missing, *item.missing) if text.strip())
    if way is Untidy.CONTRADICTORY:
        return tuple(cell for cell in _contradictory(item) if not _is_known(cell.text or "", instrument, item))
    return tuple(Cell(text, way, rule) for text, rule in _REFUSALS[way](item) if not _is_known(text, instrument, item))


def _is_known(text: str, instrument: Instrument, item: Item) -> bool:
    """Whether the instrument says that the text means something after all."""
    offered = [text for option in item.options for text in (option.code, option.label, *option.spellings)]
    known = (*instrument.missing, *item.missing, *item.fixes, *offered)
    return text.casefold() in {each.casefold() for each in known}


def _impossible(item: Item) -> Iterator[tuple[str, Rule]]:
    if item.kind is Kind.DATE:
        yield from ((words, Rule.NOT_A_DATE) for words in WORDS_FOR_DATES)
    if item.is_numeric:
        yield from ((words, Rule.NOT_A_NUMBER) for words in WORDS_FOR_NUMBERS)
        yield from ((plain(number), Rule.OUT_OF_RANGE) for number in _beyond(item))
        yield from ((plain(number), Rule.NOT_ON_SCALE) for number in _between(item))


def _beyond(item: Item) -> Iterator[float]:
    if item.minimum is not None:
        yield item.minimum - (item.step or 1)
    if item.maximum is not None:
        yield 99 if item.maximum < 99 else 10 * item.maximum + 9


def _between(item: Item) -> Iterator[float]:
    step = item.step or (1.0 if item.kind is Kind.SCALE else None)
    if step is not None:
        yield (item.minimum or 0) + step / 2


def plain(value: float) -> str:
    """A number as a person types it: no exponent, no trailing zero."""
    return str(int(value)) if value == int(value) else f"{value:.10g}"


def _unknown_option(item: Item) -> Iterator[tuple[str, Rule]]:
    """None where people's own words are an answer."""
    own_words = any(option.free_text for option in item.options)
    if (item.options and not own_words) or item.kind is Kind.YES_NO:
        yield from ((text, Rule.UNKNOWN_OPTION) for text in UNKNOWN_TEXTS)


def _contradictory(item: Item) -> Iterator[Cell]:
    if item.kind is Kind.CHOICES:
        others = [option for option in item.options if not option.exclusive]
        for alone, other in product((option for option in item.options if option.exclusive), others):
            text, answer = f"{alone.label}, {other.label}", f"{alone.code} {other.code}"
            yield Cell(text, Untidy.CONTRADICTORY, Rule.CONTRADICTORY_ANSWERS, answer)


_REFUSALS: dict[Untidy, Callable[[Item], Iterator[tuple[str, Rule]]]] = {
    Untidy.IMPOSSIBLE: _impossible,
    Untidy.UNKNOWN_OPTION: _unknown_option,
}


def _misspelt(item: Item, answer: str, _: str) -> tuple[str, ...]:
    return next((option.spellings for option in item.options if option.code == answer and item.kind is Kind.CHOICE), ())


def _other_case(item: Item, _: str, text: str) -> tuple[str, ...]:
    return () if item.is_numeric or item.kind is Kind.DATE else (text.upper(), text.lower())


def _stray_space(_: Item, __: str, text: str) -> tuple[str, ...]:
    return (f" {text}", f"{text} ", f"{text}\u00a0")


def _with_unit(item: Item, answer: str, text: str) -> tuple[str, ...]:
    if not item.is_numeric:
        return ()
    unit, short = item.unit, item.unit.split("/")[0].split(" per ")[0]
    decimal = (f"{text}.0",) if answer.lstrip("-").isdigit() else ()
    return (*decimal, *((f"{text} {unit}", f"{text} {short}", f"{text}{short}") if unit else ()))


def _several_listed(item: Item, answer: str, _: str) -> tuple[str, ...]:
    if item.kind is not Kind.CHOICE or item.several_as is None or answer != item.several_as:
        return ()
    single = [option.label for option in item.options if not option.exclusive and option.code != answer]
    return tuple(f"{one}, {other}" for one, other in combinations(single, 2))


_REWRITINGS: dict[Untidy, Callable[[Item, str, str], tuple[str, ...]]] = {
    Untidy.MISSPELT: _misspelt,
    Untidy.OTHER_CASE: _other_case,
    Untidy.STRAY_SPACE: _stray_space,
    Untidy.WITH_UNIT: _with_unit,
    Untidy.SEVERAL_LISTED: _several_listed,
}


# --- Choosing texts for a whole column -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Writer:
    """Every text that a column may hold, and where those of each way of writing each answer begin.

    `cells[0]` is the empty cell of somebody who was not asked; `first` and `count` are [ways + 1, answers], clean
    first; `limits` are the cumulated rates of the ways.
    """

    cells: tuple[Cell, ...]
    first: Integers
    count: Integers
    limits: Floats

    def write(self, answers: Integers, luck: Floats, choice: Floats) -> Integers:
        """Which cell each answer (its place; -1 is no answer) is written as. `luck`, `choice`: between 0 and 1 each."""
        written: Integers = np.where(answers < 0, 0, self.first[0][answers])
        some = np.flatnonzero((luck < self.limits[-1]) & (answers >= 0))
        way = 1 + np.searchsorted(self.limits, luck[some], side="right")
        possible = self.count[way, answers[some]]
        place = self.first[way, answers[some]] + (choice[some] * possible).astype(np.int64)
        written[some] = np.where(possible > 0, place, written[some])
        return written


def writer(instrument: Instrument, plan: SamplePlan, name: str, answers: Sequence[str], texts: Sequence[str]) -> Writer:
    """How a column's answers, whose clean texts are given, are written under a plan. `answers`: as in `Cell.answer`."""
    item, rates = instrument.items[name], ways(instrument, plan, name)
    cells = [NOT_ANSWERED]
    clean = [(Cell(text, answer=answer),) for answer, text in zip(answers, texts, strict=True)]
    first, count = [_added(cells, clean)], [[1] * len(texts)]
    for way in rates:
        versions = _versions(way, instrument, item, answers, texts)
        first.append(_added(cells, versions))
        count.append([len(version) for version in versions])
    limits = np.cumsum([0.0, *rates.values()])[1:] if rates else np.zeros(1)
    return Writer(tuple(cells), np.array(first, dtype=np.int64), np.array(count, dtype=np.int64), limits)


def _versions(
    way: Untidy, instrument: Instrument, item: Item, answers: Sequence[str], texts: Sequence[str]
) -> list[tuple[Cell, ...]]:
    """For each answer, the cells that one way of writing makes of it. A lost answer leaves the same for all."""
    if way in LOST:
        return [_losses(way, instrument, item)] * len(texts)
    rewriting = _REWRITINGS[way]
    return [
        tuple(Cell(other, way, answer=answer) for other in rewriting(item, answer, text))
        for answer, text in zip(answers, texts, strict=True)
    ]


def _added(cells: list[Cell], versions: Sequence[tuple[Cell, ...]]) -> list[int]:
    """Append the cells of each answer, once where they are the same, and say where each begins."""
    places: dict[tuple[Cell, ...], int] = {}
    for version in versions:
        if version not in places:
            places[version] = len(cells)
            cells.extend(version)
    return [places[version] for version in versions]

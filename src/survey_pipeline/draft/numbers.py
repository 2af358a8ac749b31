"""Numbers: whether answers are numbers, on which scale, in which unit, and into which round bands they fall.

What belongs here: scales, units and bands, told from counted texts and from the words of a question. What does not: kinds
that are no numbers (`kinds`).
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from survey_pipeline.draft.counted import Texts
from survey_pipeline.draft.question import Found, dropped
from survey_pipeline.instrument import Kind

NUMBER = re.compile(r"(?P<number>[+-]?\d{1,15}(?:[.,]\d+)?)\s*(?P<unit>%|[^\W\d_][^\d]{0,14})?")
LABELLED = re.compile(r"(?P<number>[+-]?\d{1,3})(?:\s*[=:(]|\s+[-\u2013\u2014]\s|\.\s)\s*(?P<words>[^\d\s].*)")
"""An end of a scale with its name: '1 (None at all)', '5 - Mostly other people'."""
NEARLY_ALL = 0.9
SLIPS = 0.01
"""Share of the rows that may be a slip of the pen."""
FEW_ROWS = 10
STANDARD = ((1, 5), (1, 7), (0, 3), (0, 4), (0, 5), (0, 6), (0, 10), (1, 10), (-3, 3), (-5, 5), (0, 100))
"""Scales in use."""
IN_HEADING = re.compile(r"(?<![\d-])(-?\d{1,3})\s*(?:-|\u2013|\u2014|to|bis|a|\u00e0|\.\.\.?)\s*(\d{1,3})(?![\d%])")
ENDS_IN_HEADING = re.compile(r"(?<!\d)(\d{1,3})\s*=")
COUNTS = re.compile(
    r"\bhow many\b|\bhow much\b|\bhow long\b|\bnumber of\b|\bper (?:day|week|month|year)\b|^age\b|\bold are you\b"
    r"|\byour age\b|\bwie viele?\b"
    r"|\bwie lange\b|\banzahl\b|^alter\b|\bcu[a\u00e1]nt[oa]s?\b|\bedad\b|\bcombien\b|\b\u00e2ge\b",
    re.IGNORECASE,
)
"""A question that asks for an amount, whatever the amounts are."""
UNITS = (
    r"mg|mcg|\u00b5g|\u03bcg|g|iu|ml|l|kg|lbs?|cm|mm|m|km|bpm|%|kcal|hours?|hrs?|minutes?|mins?|days?|weeks?|months?|years?|"
    r"stunden|minuten|tage|wochen|monate|jahre|horas|minutos|heures|jours|ans"
)
A_DAY = r"(?P<each>\s*(?:/\s*|per |a |pro |al |por |par )(?P<span>day|week|month|year|tag|woche|d[i\u00ed]a|jour))?"
UNIT = re.compile(
    rf"(?:\((?:in )?|\bhow many |\bwie viele |^|\bin )(?P<unit>{UNITS})(?![\w-]){A_DAY}(?=[\s)?,.:/]|$)", re.IGNORECASE
)
MOST_BANDS = 5
SHARES = (0.2, 0.4, 0.6, 0.8)


@dataclass(frozen=True)
class Amount:
    """A number as it was written."""

    value: float
    sign: str
    """What stands before the decimals."""
    unit: str
    n: int


def unit_of(question: str) -> str:
    """The unit that a question names, such as "mg" or "hours/day"."""
    found = UNIT.search(question)
    if found is None:
        return ""
    return found["unit"].lower() + (f"/{found['span'].lower()}" if found["span"] else "")


def told(texts: Texts, question: str) -> Found | None:
    """A scale or a number, if nearly all answers are numbers; None if not."""
    if labelled := _labelled_scale(texts):
        return labelled
    amounts = {text: amount for text, n in texts.counts.items() if (amount := _amount(text, n))}
    unit = _unit(amounts.values(), question)
    fits = {text: amount for text, amount in amounts.items() if amount.unit.casefold() in _writings(unit)}
    if not fits or texts.rows(fits) < NEARLY_ALL * texts.filled:
        return None
    rest = texts.filled - texts.rows(fits)
    return _numeric(sorted(fits.values(), key=lambda amount: amount.value), unit, question, rest)


def _amount(text: str, n: int) -> Amount | None:
    found = NUMBER.fullmatch(text)
    if found is None:
        return None
    number = found["number"]
    sign = next((mark for mark in ".," if mark in number), "")
    return Amount(float(number.replace(",", ".")), sign, (found["unit"] or "").strip(), n)


def _unit(amounts: Iterable[Amount], question: str) -> str:
    """The unit that at least two people wrote, else the question's."""
    written: dict[str, int] = {}
    for amount in amounts:
        if amount.unit:
            written[amount.unit.casefold()] = written.get(amount.unit.casefold(), 0) + amount.n
    most = max(written, key=lambda unit: (written[unit], unit), default="")
    named = unit_of(question)
    return named if not most or written[most] < 2 or most in _writings(named) else most


def _writings(unit: str) -> frozenset[str]:
    """How a unit may stand behind a number: as `answers` reads it."""
    return frozenset({unit.casefold(), unit.casefold().split("/")[0], ""})


def _numeric(amounts: Sequence[Amount], unit: str, question: str, rest: int) -> Found:
    signs = {amount.sign for amount in amounts if amount.value != int(amount.value)} - {""}
    remarks = [f"{rest} answers are no plain number: they will be refused, one by one."] if rest else []
    if _are_numbers_of_things(amounts):
        return dropped("nearly everybody has another number: it counts or names the rows, and measures nothing")
    if scale := _scale(amounts, question, unit):
        return _with_remarks(scale, remarks)
    sign = {".": "point", ",": "comma"}.get("".join(signs), "")
    return _with_remarks(_plain_number(amounts, unit, sign), remarks)


def _with_remarks(found: Found, remarks: Sequence[str]) -> Found:
    return replace(found, remarks=(*found.remarks, *remarks))


def _are_numbers_of_things(amounts: Sequence[Amount]) -> bool:
    """Whole numbers, nearly all different, that run from 1 on or have many digits."""
    n, values = sum(amount.n for amount in amounts), [amount.value for amount in amounts]
    if n < 2 * FEW_ROWS or len(values) < NEARLY_ALL * n or any(value != int(value) for value in values):
        return False
    return values[-1] - values[0] < 1.2 * n or min(map(abs, values)) >= 10_000


# --- Scales ------------------------------------------------------------------------------------------------------------


def _scale(amounts: Sequence[Amount], question: str, unit: str) -> Found | None:
    """A standard scale, if the question names one or if nearly all steps of one were used. A few slips do not count."""
    step = next((step for step in (1.0, 0.5) if all(amount.value % step == 0 for amount in amounts)), 1.0)
    fitting = _without_slips(amounts, step)
    if not fitting:
        return None
    values = [amount.value for amount in fitting]
    named = next((ends for ends in _named_scales(question) if _hold_most(ends, amounts)), None)
    if named is None and (unit or COUNTS.search(question)):
        return None
    n = _n(amounts)
    ends = named or _used_scale(values, n)
    if ends is None:
        return None
    outside = n - sum(amount.n for amount in amounts if ends[0] <= amount.value <= ends[1] and amount.value % step == 0)
    said = (f"{outside} answers lie beside the scale: they will be refused, one by one.",) if outside else ()
    return scale(*ends, step, (values[0], values[-1]) if n >= FEW_ROWS and not named else None, *said)


def _n(amounts: Iterable[Amount]) -> int:
    return sum(amount.n for amount in amounts)


def _without_slips(amounts: Sequence[Amount], step: float) -> list[Amount]:
    """Without what lies beside the steps or far outside, if that is no more than a slip here and there."""
    n = _n(amounts)
    low, high = quantile(amounts, SLIPS / 2), quantile(amounts, 1 - SLIPS / 2)
    kept = [amount for amount in amounts if amount.value % step == 0 and low <= amount.value <= high]
    return kept if _n(kept) >= (1 - 2 * SLIPS) * n else []


def _hold_most(ends: tuple[int, int], amounts: Sequence[Amount]) -> bool:
    return sum(amount.n for amount in amounts if ends[0] <= amount.value <= ends[1]) >= NEARLY_ALL * _n(amounts)


def _named_scales(question: str) -> list[tuple[int, int]]:
    ends = [(int(low), int(high)) for low, high in IN_HEADING.findall(question)]
    marked = [int(number) for number in ENDS_IN_HEADING.findall(question)]
    both = [(min(marked), max(marked))] if len(marked) > 1 else []
    return [(low, high) for low, high in (*ends, *both) if low in (-5, -3, 0, 1) and 3 <= high - low <= 100]


def _holds(ends: tuple[int, int], values: Sequence[float]) -> bool:
    return ends[0] <= values[0] and values[-1] <= ends[1]


def _used_scale(values: Sequence[float], n: int, *, loosely: bool = False) -> tuple[int, int] | None:
    """The narrowest standard scale that holds all values, of which both ends are nearly reached and few steps unused.

    Of few rows not much can be asked. One that begins with 1 is preferred where nobody said 0.
    """
    holding = sorted(
        (ends for ends in STANDARD if _holds(ends, values)), key=lambda ends: (ends[1] - ends[0], -ends[0])
    )
    if values[0] >= 1:
        holding = [ends for ends in holding if ends[0] == 1] + [ends for ends in holding if ends[0] != 1]
    return next((ends for ends in holding if _is_used(ends, values, n, loosely)), None)


def _is_used(ends: tuple[int, int], values: Sequence[float], n: int, loosely: bool) -> bool:
    width = ends[1] - ends[0]
    if n < 2 * FEW_ROWS or (loosely and width <= 10):
        return True
    if width > 10:
        return values[0] <= ends[0] + width / 10 and values[-1] >= ends[1] - width / 10
    whole = {value for value in values if value == int(value)}
    return len(whole) >= 0.8 * (width + 1) and values[-1] >= ends[1] - 1


def scale(low: float, high: float, step: float = 1.0, seen: tuple[float, float] | None = None, *remarks: str) -> Found:
    """A scale with bands in thirds, or in fifths if it is long."""
    width, parts = high - low, 5 if high - low >= 20 else 3
    edges = tuple(low + math.floor(width * part / parts) for part in range(1, parts))
    said = (f"seen {seen[0]:g} to {seen[1]:g}",) if seen else ()
    halves = ("Some people answered in halves.",) if step == 0.5 else ()
    return Found(
        Kind.SCALE,
        minimum=low,
        maximum=high,
        step=None if step == 1 else step,
        edges=_rising(edges, low, high),
        remarks=(*said, *halves, *remarks),
    )


def _rising(edges: Iterable[float], low: float, high: float) -> tuple[float, ...]:
    return tuple(sorted({edge for edge in edges if low <= edge < high})) or (low,)


def _labelled_scale(texts: Texts) -> Found | None:
    """Whole numbers, of which a few carry a name, as LimeSurvey and Google Forms write the ends of a scale."""
    plain = {text: float(text) for text in texts.counts if re.fullmatch(r"-?\d{1,3}", text)}
    named = {
        text: found["number"]
        for text in texts.counts
        if text not in plain and (found := LABELLED.fullmatch(text)) and texts.counts[text] > 1
    }
    if not named or len(named) > len(plain) or len(plain) + len(named) < len(texts.counts):
        return None
    values = sorted({*plain.values(), *map(float, named.values())})
    ends = _used_scale(values, texts.filled, loosely=True)
    if ends is None:
        return None
    seen = (values[0], values[-1]) if texts.filled >= FEW_ROWS else None
    return replace(scale(*ends, seen=seen), fixes=named)


# --- Numbers -----------------------------------------------------------------------------------------------------------


def _plain_number(amounts: Sequence[Amount], unit: str, sign: str) -> Found:
    typical = quantile(amounts, 0.99)
    far = max(10 * abs(typical), 100)
    low = 0.0 if amounts[0].value >= 0 else None
    if amounts[-1].value > far:
        said = (f"Most answers lie below {_round_up(typical):g}, and a few far above: a maximum would refuse these.",)
        return Found(Kind.NUMBER, minimum=low, unit=unit, edges=bands_of(amounts), decimal_sign=sign, remarks=said)
    high = min(_round_up(amounts[-1].value), 24.0 if _is_hours_a_day(unit, amounts) else math.inf)
    said = ("the limits are round numbers around the answers: set what is possible",)
    return Found(
        Kind.NUMBER, (), low, high if low is not None and high > low else None, None, unit, bands_of(amounts), {}, sign,
        remarks=said if low is not None else (),
    )  # fmt: skip


def _is_hours_a_day(unit: str, amounts: Sequence[Amount]) -> bool:
    return unit.startswith(("hour", "stunden")) and unit.endswith(("/day", "/tag")) and amounts[-1].value <= 24


def quantile(amounts: Sequence[Amount], share: float) -> float:
    """The value below which a share of the rows lies; `amounts` are sorted."""
    left = share * sum(amount.n for amount in amounts)
    for amount in amounts:
        left -= amount.n
        if left <= 0:
            return amount.value
    return amounts[-1].value


def bands_of(amounts: Sequence[Amount]) -> tuple[float, ...]:
    """Round numbers that cut the answers into at most five bands, each with people in it."""
    step = _nice((quantile(amounts, 0.95) - quantile(amounts, 0.05)) / MOST_BANDS)
    round_ones = sorted({round(round(quantile(amounts, share) / step) * step, 6) for share in SHARES})
    inside = [edge for edge in round_ones if amounts[0].value <= edge < amounts[-1].value]
    kept = [high for low, high in pairwise([-math.inf, *inside]) if _people(amounts, low, high)]
    return tuple(kept) or (_round_up(quantile(amounts, 0.5)),)


def _people(amounts: Sequence[Amount], low: float, high: float) -> int:
    return sum(amount.n for amount in amounts if low < amount.value <= high)


def _nice(rough: float) -> float:
    """1, 2 or 5 times a power of ten, at or below a number."""
    if rough <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(rough))
    return max(step for step in (1.0, 2.0, 5.0) if step * power <= rough * 1.0000001) * power


def _round_up(number: float) -> float:
    """A round number, not below."""
    if number <= 0:
        return 0.0
    step = _nice(number / 4)
    return round(math.ceil(number / step) * step, 6)


def bands_between(low: float | None, high: float | None) -> tuple[float, ...]:
    """Where a dictionary gives limits and nobody has answered yet."""
    if low is None or high is None:
        return (low if low is not None else high if high is not None else 10.0,)
    step = _nice((high - low) / MOST_BANDS)
    edges = (low + round((high - low) * part / MOST_BANDS / step) * step for part in range(1, MOST_BANDS))
    return _rising((round(edge, 6) for edge in edges), low, high)


def band_tables(edges: Sequence[float], unit: str) -> list[Mapping[str, str | float]]:
    """Bands as they stand in an instrument."""
    behind = f" {unit}" if unit and unit != "%" else unit
    tables: list[Mapping[str, str | float]] = [
        {"code": f"up_to_{_code(edges[0])}", "label": f"up to {edges[0]:g}{behind}", "up_to": edges[0]}
    ]
    tables += [
        {"code": f"over_{_code(low)}_to_{_code(high)}", "label": f"over {low:g}, up to {high:g}{behind}", "up_to": high}
        for low, high in pairwise(edges)
    ]
    return [*tables, {"code": f"over_{_code(edges[-1])}", "label": f"over {edges[-1]:g}{behind}"}]


def _code(edge: float) -> str:
    return f"{edge:.10g}".replace("-", "minus_").replace(".", "_").replace("+", "")


def is_named_scale(question: str, values: Iterable[float]) -> bool:
    """Whether a question itself names a scale that holds some values."""
    return any(_holds(ends, sorted(values)) for ends in _named_scales(question))

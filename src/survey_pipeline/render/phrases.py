"""Phrases: single published numbers and labels as they stand in a sentence, in the language that is spoken.

What belongs here: how a number, a count of people, a unit or a label is written. What does not: sentences (`words`).
`digits_of` and `hundredths` are for machines, such as the width of a bar, and are the same in every language.
"""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal

from survey_pipeline import names
from survey_pipeline.instrument import Kind
from survey_pipeline.language import begins_small, later, say, say_in, say_n, written
from survey_pipeline.plain import clean
from survey_pipeline.release import Row
from survey_pipeline.render.measure import Measure

EVERYBODY = later("Everybody who answered")
NO_CHANGE = later("no change")

# --- Numbers for machines ----------------------------------------------------------------------------------------------


def digits_of(number: float, digits: int | None = None) -> str:
    """A number without trailing zeros, as machines read it; to so many significant digits where asked."""
    exact = Decimal(repr(float(number)))
    if digits is not None and exact:
        exact = exact.quantize(Decimal(1).scaleb(exact.adjusted() - digits + 1), rounding=ROUND_HALF_UP)
    text = f"{exact:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "0", "") else text


def hundredths(share: float) -> str:
    """A share as published, in 100, with no digit more than it has; as machines read it."""
    return digits_of(float(Decimal(repr(float(share))) * 100))


def whole_100(share: float) -> int:
    """How many of 100 people a share is, to the nearest."""
    return int(Decimal(hundredths(share)).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def decimals(rows: Iterable[Row | None]) -> int:
    """How many decimals a column of a table shows: the fewest among its rows, whole numbers aside.

    A row of whole numbers does not tell how exact it is: 6 may stand for 6.0.
    """
    found = {max(map(_decimals_of, (row.estimate, row.ci_lower, row.ci_upper))) for row in rows if row}
    return min(found - {0}, default=0)


def _decimals_of(number: float | None) -> int:
    return 0 if number is None else len(digits_of(number).partition(".")[2])


# --- Numbers for readers -----------------------------------------------------------------------------------------------


def plain(number: float, digits: int | None = None) -> str:
    """A number without trailing zeros and with a true minus; to so many significant digits where asked."""
    return written(Decimal(digits_of(number, digits)))


def fixed(number: float, places: int) -> str:
    """A number with so many decimals, and a true minus."""
    exact = Decimal(repr(float(number))).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    return written(exact or abs(exact))


def per_100(share: float) -> str:
    """A share in a sentence: '30 in 100', in whole people."""
    if _is_below_one(share):
        return say("fewer than 1 in 100")
    return say("{number} in 100", number=whole_100(share))


def share_number(share: float) -> str:
    """How many of 100, where 'in 100' stands nearby."""
    return say_in("of 100 people", "fewer than 1") if _is_below_one(share) else str(whole_100(share))


def _is_below_one(share: float) -> bool:
    return share > 0 and not whole_100(share)


def people(n: int) -> str:
    """A number of people."""
    return say_n("{n} person", "{n} people", n)


def based_on(row: Row) -> str:
    """How many people a number rests on, in brackets behind it and a space; empty where that is not published."""
    if row.n_respondents is None:
        return ""
    return " " + say("(based on about {people})", people=people(row.n_respondents))


def points(measure: Measure) -> str:
    """The unit of a change or a value, in words; scales such as 0-10 go in points."""
    return unit_of(measure) or say_in("a unit behind a number", "points")


def unit_of(measure: Measure) -> str:
    """The unit that a survey gives an item, such as 'hours'; empty for scales such as 0-10, which go in points."""
    unit = clean(measure.item.unit) if measure.item else ""
    return "" if any(mark.isdigit() for mark in unit) else unit


def scale(measure: Measure) -> str:
    """What a value is measured on: its unit, or the ends of its scale."""
    item = measure.item
    if item and item.kind is Kind.SCALE and item.minimum is not None and item.maximum is not None:
        return say("on a scale from {lowest} to {highest}", lowest=plain(item.minimum), highest=plain(item.maximum))
    return points(measure)


def amount(value: float, measure: Measure) -> str:
    """A published number of a measure in words: '30 in 100', '1.6 points lower', '5.2 on a scale from 0 to 10'."""
    if measure.is_share:
        return per_100(value)
    if not measure.is_change:
        return say_in("an amount", "{number} {unit}", number=plain(value, 2), unit=scale(measure))
    if value == 0:
        return say(NO_CHANGE)
    size, unit = plain(abs(value), 2), points(measure)
    if value < 0:
        return say_in("a change since before", "{number} {unit} lower", number=size, unit=unit)
    return say_in("a change since before", "{number} {unit} higher", number=size, unit=unit)


def brief(value: float, measure: Measure) -> str:
    """An amount without its unit, where the unit stands nearby; a share keeps its 'in 100'."""
    return amount(value, measure) if measure.is_share else number(value, measure)


def number(value: float, measure: Measure) -> str:
    """The number of an amount alone: '30', '1.6 lower', '5.2'."""
    if measure.is_share:
        return share_number(value)
    return change(value, plain(abs(value), 2)) if measure.is_change else plain(value, 2)


def change(value: float, size: str) -> str:
    """A change of which the size is written already: '1.6 lower'."""
    if value == 0:
        return say(NO_CHANGE)
    if value < 0:
        return say_in("a change since before", "{number} lower", number=size)
    return say_in("a change since before", "{number} higher", number=size)


def range_of(low: str, high: str) -> str:
    """A range of which the ends are written already: '18 to 27'."""
    return say_in("a range", "{low} to {high}", low=low, high=high)


# --- Labels -----------------------------------------------------------------------------------------------------------


def level_label(level: str) -> str:
    """A level's label, as published."""
    return say(EVERYBODY) if level == names.ALL_LEVELS else sentence(clean(level))


def quoted(label: str) -> str:
    """A label in quotation marks."""
    return say_in("quotation", "\N{LEFT DOUBLE QUOTATION MARK}{text}\N{RIGHT DOUBLE QUOTATION MARK}", text=clean(label))


def listed(labels: Iterable[str]) -> str:
    """'a, b and c'."""
    *most, last = [clean(label) for label in labels] or [""]
    return say("{most} and {last}", most=", ".join(most), last=last) if most else last


def joining_words() -> tuple[str, str]:
    """The words that stand before the last of several labels: 'and', and 'or' where they are one group."""
    return say("{most} and {last}", most="", last="").strip(), say("{most} or {last}", most="", last="").strip()


def clearly_listed(labels: Iterable[str]) -> str:
    """The same as `listed`, with quotation marks around all labels where one of them holds a comma or an 'and' of its own."""
    found, (joining, _) = list(labels), joining_words()
    unclear = len(found) > 1 and any("," in label or f" {joining} " in label for label in found)
    return listed(map(quoted, found) if unclear else found)


def inline(label: str) -> str:
    """A label inside a sentence: 'Magnesium form' becomes 'magnesium form', 'EU limit' stays, and so does any in German."""
    return label[:1].lower() + label[1:] if label[1:2].islower() and begins_small() else label


def sentence(text: str) -> str:
    """A label at the start of a line."""
    return text[:1].upper() + text[1:]

"""Phrases: single published numbers and labels as they stand in a sentence.

What belongs here: how a number, a count of people, a unit or a label is written. What does not: sentences (`words`).
"""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal

from survey_pipeline import names
from survey_pipeline.instrument import Kind
from survey_pipeline.release import Row
from survey_pipeline.render.measure import Measure, clean

MINUS = "\N{MINUS SIGN}"
EVERYBODY = "Everybody who answered"
NO_CHANGE = "no change"

# --- Numbers -----------------------------------------------------------------------------------------------------------


def plain(number: float, digits: int | None = None) -> str:
    """A number without trailing zeros and with a true minus; to so many significant digits where asked."""
    exact = Decimal(repr(float(number)))
    if digits is not None and exact:
        exact = exact.quantize(Decimal(1).scaleb(exact.adjusted() - digits + 1), rounding=ROUND_HALF_UP)
    text = f"{exact:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "0", "") else text.replace("-", MINUS)


def hundredths(share: float) -> str:
    """A share as published, in 100, with no digit more than it has."""
    return plain(float(Decimal(repr(float(share))) * 100))


def whole_100(share: float) -> int:
    """How many of 100 people a share is, to the nearest."""
    return int(Decimal(hundredths(share)).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def per_100(share: float) -> str:
    """A share in a sentence: '30 in 100', in whole people."""
    return "fewer than 1 in 100" if share > 0 and not whole_100(share) else f"{whole_100(share)} in 100"


def people(n: int) -> str:
    """A number of people."""
    return f"{n:,} people" if n != 1 else "1 person"


def based_on(row: Row) -> str:
    """How many people a number rests on, in brackets."""
    return "" if row.n_respondents is None else f" (based on about {people(row.n_respondents)})"


def points(measure: Measure) -> str:
    """The unit of a change or a value, in words; scales such as 0-10 go in points."""
    unit = clean(measure.item.unit) if measure.item else ""
    return "points" if not unit or any(mark.isdigit() for mark in unit) else unit


def scale(measure: Measure) -> str:
    """What a value is measured on: its unit, or the ends of its scale."""
    item = measure.item
    if item and item.kind is Kind.SCALE and item.minimum is not None and item.maximum is not None:
        return f"on a scale from {plain(item.minimum)} to {plain(item.maximum)}"
    return points(measure)


def amount(value: float, measure: Measure) -> str:
    """A published number of a measure in words: '30 in 100', '1.6 points lower', '5.2 on a scale from 0 to 10'."""
    if measure.is_share:
        return per_100(value)
    if not measure.is_change:
        return f"{plain(value, 2)} {scale(measure)}"
    if value == 0:
        return NO_CHANGE
    return f"{plain(abs(value), 2)} {points(measure)} {'lower' if value < 0 else 'higher'}"


def brief(value: float, measure: Measure) -> str:
    """An amount without its unit, where the unit stands nearby."""
    if measure.is_share:
        return amount(value, measure)
    if not measure.is_change:
        return plain(value, 2)
    return NO_CHANGE if value == 0 else f"{plain(abs(value), 2)} {'lower' if value < 0 else 'higher'}"


def decimals(rows: Iterable[Row | None]) -> int:
    """How many decimals a column of a table shows: the fewest among its rows, whole numbers aside.

    A row of whole numbers does not tell how exact it is: 6 may stand for 6.0.
    """
    found = {max(map(_decimals_of, (row.estimate, row.ci_lower, row.ci_upper))) for row in rows if row}
    return min(found - {0}, default=0)


def _decimals_of(number: float | None) -> int:
    return 0 if number is None else len(plain(number).partition(".")[2])


def fixed(number: float, places: int) -> str:
    """A number with so many decimals, and a true minus."""
    exact = Decimal(repr(float(number))).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    return f"{exact or abs(exact):f}".replace("-", MINUS)


# --- Labels -----------------------------------------------------------------------------------------------------------


def level_label(level: str) -> str:
    """A level's label, as published."""
    return EVERYBODY if level == names.ALL_LEVELS else sentence(clean(level))


def quoted(label: str) -> str:
    """A label in quotation marks."""
    return f"\N{LEFT DOUBLE QUOTATION MARK}{clean(label)}\N{RIGHT DOUBLE QUOTATION MARK}"


def listed(labels: Iterable[str]) -> str:
    """'a, b and c'."""
    *most, last = [clean(label) for label in labels] or [""]
    return f"{', '.join(most)} and {last}" if most else last


def clearly_listed(labels: Iterable[str]) -> str:
    """The same, with quotation marks around all labels where one of them holds a comma or an 'and' of its own."""
    found = list(labels)
    unclear = len(found) > 1 and any("," in label or " and " in label for label in found)
    return listed(map(quoted, found) if unclear else found)


def inline(label: str) -> str:
    """A label inside a sentence: 'Magnesium form' becomes 'magnesium form', 'EU limit' stays."""
    return label[:1].lower() + label[1:] if label[1:2].islower() else label


def sentence(text: str) -> str:
    """A label at the start of a line."""
    return text[:1].upper() + text[1:]

"""Cells: numbers, dates and times as text, without loss and without noise, and frames of text as a `Sheet`'s parts.

What belongs here: what every kind of typed file needs. What does not: reading any of them.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal

import polars as pl

from survey_pipeline.errors import InputRefused, UserError
from survey_pipeline.exports.sheet import HEAD_ROWS, Spooled

DATE = "%Y-%m-%d"
MOMENT = "%Y-%m-%d %H:%M:%S%.f"
CLOCK = "%H:%M:%S%.f"
HOUR = 3_600_000_000
"""Microseconds."""


def number_texts(numbers: pl.Series) -> pl.Series:
    """Numbers in the fewest plain digits that say them: "7", "0.1", never an exponent or a thousands separator.

    A number with exactly three decimals gets a further zero: who reads "1.234" as text must ask whether it is a thousand and
    some, as half of the world writes it; "1.2340" can only be a little more than one.
    """
    texts = _without_exponents(numbers.fill_nan(None) if numbers.dtype.is_float() else numbers)
    plain = texts.str.replace(r"(\.\d*?)0+$", "$1").str.replace(r"\.$", "").replace("-0", "0")
    return plain.str.replace(r"(\.\d{3})$", "${1}0")


def _without_exponents(numbers: pl.Series) -> pl.Series:
    texts = numbers.cast(pl.String)
    odd = texts.filter(texts.str.contains("e", literal=True)).unique()
    return texts.replace(odd, [format(Decimal(text), "f") for text in odd]) if odd.len() else texts


def truth_texts(truths: pl.Series) -> pl.Series:
    """TRUE and FALSE, as spreadsheets write them."""
    return truths.cast(pl.String).str.to_uppercase()


def moment_texts(moments: pl.Series, how: str) -> pl.Series:
    """Dates and times in the given way; a fraction of a second only where there is one."""
    return _short_fraction(moments.dt.to_string(how))


def length_texts(lengths: pl.Series) -> pl.Series:
    """Lengths of time, and times of day that are stored as such: "10:10:10", and "36:00:00" for a day and a half."""
    micro = lengths.dt.total_microseconds()
    hours = (micro.abs() // HOUR).cast(pl.String).str.zfill(2)
    rest = (micro.abs() % HOUR * 1_000).cast(pl.Time)
    texts = _short_fraction(hours + rest.dt.to_string(":%M:%S%.f"))
    return texts.zip_with(micro >= 0, "-" + texts)


def _short_fraction(texts: pl.Series) -> pl.Series:
    return texts.str.replace(r"(\.\d*?)0+$", "$1").str.replace(r"\.$", "")


def without_blanks(texts: pl.Series) -> pl.Series:
    """A cell that holds nothing but spaces of any kind is empty; all others stay as they are."""
    return texts.set(texts.str.strip_chars() == "", None)


@dataclass(frozen=True)
class PutAside:
    """Frames of text that were put aside, and how they begin."""

    cells: Spooled
    head: tuple[tuple[str, ...], ...]
    records: int


def put_aside(frames: Iterable[pl.DataFrame], width: int) -> PutAside:
    """Put frames of text aside, one at a time; their columns are renamed to their places."""
    cells, head, records = Spooled(width), list[tuple[str, ...]](), 0
    for frame in frames:
        placed = frame.rename({name: str(place) for place, name in enumerate(frame.columns)})
        cells.add(placed)
        records += placed.height
        head += placed.head(HEAD_ROWS - len(head)).fill_null("").rows()
    return PutAside(cells, tuple(head), records)


def names_as_record(names: Sequence[str]) -> pl.DataFrame:
    """The columns' names as a record of its own."""
    return pl.DataFrame({str(place): pl.Series([name or None], dtype=pl.String) for place, name in enumerate(names)})


@contextmanager
def refusing(problem: str, next_step: str) -> Iterator[None]:
    """Whatever a library says of a file becomes one sentence: its own message may quote a cell.

    Libraries written in Rust may give up with a `PanicException`, which is no `Exception`.
    """
    try:
        yield
    except UserError:
        raise
    except BaseException as error:
        if isinstance(error, Exception) or type(error).__name__ == "PanicException":
            raise InputRefused(problem, next_step) from None
        raise

"""Language: what the program writes for readers, in the reader's language, and numbers as that language writes them.

What belongs here: which languages there are, finding a sentence's translation, and how numbers, shares and waves are written.
What does not: the sentences themselves, which stand in English where they are used, and the words of a survey (`translated`).

Sentences are marked by the functions that say them, so that `make messages` finds them: `say("About {n} answered.", n=...)`,
`say_n(one, many, n)`, `say_in(context, message)` for a word that is translated otherwise elsewhere, and `later(message)`
around a constant that is said where it is used. The catalogues, `translations/<language>.po`, are text files for translators.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date
from decimal import Decimal
from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from io import BytesIO
from typing import Final

from babel import Locale, UnknownLocaleError, dates, numbers
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

SOURCE: Final = "en"
"""The language in which sentences stand in the code."""
LANGUAGES: Final = {SOURCE: "English", "de": "Deutsch", "es": "Español"}
"""Every language of the reports, by its code, in its own words."""
MINUS: Final = "\N{MINUS SIGN}"

_spoken: ContextVar[str] = ContextVar("spoken", default=SOURCE)


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Everything said inside is said in this language: a code of `LANGUAGES`, or a locale of one such as "de-AT"."""
    token = _spoken.set(language)
    try:
        yield
    finally:
        _spoken.reset(token)


def spoken() -> str:
    """The code of the language that is spoken now."""
    return language_of(_spoken.get())


def locale() -> str:
    """The language that is spoken now, with its country where one was given: what a page says of itself."""
    return _spoken.get()


def language_of(code: str) -> str:
    """The language of a locale: "de" of "de-AT". English where there are no sentences in it."""
    language = re.split("[-_]", code.strip().casefold())[0]
    return language if language in LANGUAGES else SOURCE


def begins_small() -> bool:
    """Whether a label begins with a small letter inside a sentence. German nouns do not, and most labels are nouns."""
    return spoken() != "de"


# --- Sentences ---------------------------------------------------------------------------------------------------------


def say(message: str, /, **given: object) -> str:
    """A sentence, or a part of one, with what stands in its braces."""
    return catalogue(spoken()).gettext(message).format(**given)


def say_n(one: str, many: str, n: int, /, **given: object) -> str:
    """A sentence about a number of things; `{n}` in it is written as the language writes numbers."""
    return catalogue(spoken()).ngettext(one, many, n).format(**{"n": whole(n), **given})


def say_in(context: str, message: str, /, **given: object) -> str:
    """A word or phrase that is translated otherwise elsewhere; `context` tells the translator which one is meant."""
    return catalogue(spoken()).pgettext(context, message).format(**given)


def later(message: str) -> str:
    """Marks a constant for translators. Whoever uses it says it: `say(CONSTANT)`."""
    return message


@cache
def catalogue(language: str) -> NullTranslations:
    """The translations of a language; in English every sentence stands for itself."""
    if language == SOURCE:
        return NullTranslations()
    text = files("survey_pipeline").joinpath("translations", f"{language}.po").read_bytes()
    return compiled(text)


def compiled(catalogue_text: bytes) -> GNUTranslations:
    """A catalogue from the text of its file; what is not translated, or marked as fuzzy, is left out."""
    machine = BytesIO()
    write_mo(machine, read_po(BytesIO(catalogue_text)))
    machine.seek(0)
    return GNUTranslations(machine)


# --- Numbers -----------------------------------------------------------------------------------------------------------


def whole(number: int) -> str:
    """A whole number, its thousands grouped as the language does."""
    return numbers.format_decimal(number, locale=_locale()).replace("-", MINUS)


def written(number: Decimal) -> str:
    """A number with all its decimals, not grouped, and with a true minus."""
    return f"{number:f}".replace(".", numbers.get_decimal_symbol(_locale())).replace("-", MINUS)


def per_cent(number: str) -> str:
    """A percentage of which the number is written already."""
    return say("{number} %", number=number)


# --- Waves -------------------------------------------------------------------------------------------------------------


def wave_in_words(wave: str) -> str:
    """A wave as people say it: "2026", "March 2026", "1st quarter 2026", "week 9 of 2026"."""
    year, _, part = wave.partition("-")
    if not part:
        return year
    if part.startswith("W"):
        return say("week {week} of {year}", week=int(part[1:]), year=year)
    if part.startswith("Q"):
        first = date(int(year), 3 * int(part[1:]) - 2, 1)
        return dates.format_skeleton("yQQQQ", first, locale=_locale())
    return dates.format_skeleton("yMMMM", date(int(year), int(part), 1), locale=_locale())


def _locale() -> Locale:
    return _parsed(_spoken.get())


@cache
def _parsed(code: str) -> Locale:
    """The locale of a code such as "de-AT"; its language alone, where nobody knows that country's ways."""
    language = language_of(code)
    try:
        found = Locale.parse(code, sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale.parse(language)
    return found if found.language == language else Locale.parse(language)

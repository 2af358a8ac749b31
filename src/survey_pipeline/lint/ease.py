"""Ease: how hard a text is to read, by the usual formula of its language, and which sentences are hardest.

What belongs here: counting words and syllables, and the formulas. What does not: what is said of it.

English: grade level of Kincaid, Fishburne, Rogers and Chissom 1975 (US Navy, Research Branch Report 8-75). German: first
Vienna formula for non-fiction, Bamberger and Vanecek 1984 (Lesen - Verstehen - Lernen - Schreiben), in school years. Spanish:
Szigriszt 1993 on the scale INFLESZ of Barrio-Cantalejo and others 2008 (An Sist Sanit Navar 31:135), where 55 and more is
"normal" or easier.
Syllables are counted by groups of vowels and by pyphen's hyphenation, whichever finds more: hyphenation never parts a single
letter, and vowels alone miss hiatus.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import pyphen

_WORD: Final = re.compile(r"[^\W\d_]+(?:['\N{RIGHT SINGLE QUOTATION MARK}\-][^\W\d_]+)*")
_DICTIONARIES: Final = {"en": "en_US", "de": "de_DE", "es": "es"}
_VOWELS: Final = {
    "en": r"[aeiouy]*i(?=u[ms])|[aeiouy]+",
    "de": r"(?:aa|ee|oo|ie|ei|ai|au|eu|äu|[aeiouyäöü])",
    "es": r"(?:[aeoáéó]?[iuü](?![íú])[aeoáéó]|[aeoáéó][iuüy](?![aeoáéóíú])|[aeiouáéíóúü])",
}
_SILENT: Final = re.compile(r"(?<![aeiouyl])e$|(?<=[aeiouy]l)e$|(?<=[^aeioudty])ed$|(?<=[^aeiouscxzgh])es$")
FEWEST_WORDS: Final = 100
"""The formulas were made for samples of about a hundred words; of fewer, they say little."""
OLDEST: Final = 14
"""The reading age, in years, above which a text is too hard."""
EASY_ENOUGH: Final = 55.0
"""On the Spanish scale: from here on a text is normal or easier."""
_FIRST_SCHOOL_YEAR: Final = 5
"""Whoever reads at the level of the nth school year is n + 5 years old at its start."""


@dataclass(frozen=True)
class Ease:
    """How hard a text is: `score` by its formula; `age`, in years, where the formula gives school years."""

    score: float
    age: float | None
    is_too_hard: bool


def words_of(text: str) -> list[str]:
    """The words of a text, numbers left out."""
    return _WORD.findall(text)


@cache
def syllables(word: str, language: str) -> int:
    """How many syllables a word has: at least one."""
    text = word.casefold()
    plain = _SILENT.sub("", text) if language == "en" else text
    by_vowels = len(re.findall(_VOWELS[language], plain))
    return max(1, by_vowels, len(_dictionary(language).positions(text)) + 1)


@cache
def _dictionary(language: str) -> pyphen.Pyphen:
    return pyphen.Pyphen(lang=_DICTIONARIES[language])


def ease(sentences: Sequence[str], language: str) -> Ease | None:
    """How hard some sentences are together; None where they have no words."""
    words = [word for sentence in sentences for word in words_of(sentence)]
    if not words:
        return None
    per_sentence = len(words) / len(sentences)
    counts = [syllables(word, language) for word in words]
    per_word = sum(counts) / len(words)
    if language == "es":
        score = 206.835 - 62.3 * per_word - per_sentence
        return Ease(score, None, score < EASY_ENOUGH)
    grade = _vienna(words, counts, per_sentence) if language == "de" else _kincaid(per_sentence, per_word)
    age = grade + _FIRST_SCHOOL_YEAR
    return Ease(grade, age, age > OLDEST)


def _kincaid(per_sentence: float, per_word: float) -> float:
    return 0.39 * per_sentence + 11.8 * per_word - 15.59


def _vienna(words: Sequence[str], counts: Sequence[int], per_sentence: float) -> float:
    long = 100 * sum(count >= 3 for count in counts) / len(words)
    wide = 100 * sum(len(word) > 6 for word in words) / len(words)
    short = 100 * sum(count == 1 for count in counts) / len(words)
    return 0.1935 * long + 0.1672 * per_sentence + 0.1297 * wide - 0.0327 * short - 0.875

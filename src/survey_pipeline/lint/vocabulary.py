"""Vocabulary: the words of one language by which claims, causes, advice and comparisons are known.

What belongs here: reading `words/<language>.toml` and making patterns of it. What does not: any word of any language, and
what is done where a pattern is found.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import Any, Final

NUMBER: Final = "\ue000"
FRACTION: Final = "\ue001"
LEVEL: Final = "\ue002"
GROUP: Final = "\ue003"
OUTCOME: Final = "\ue004"
SUBSTANCE: Final = "\ue005"
NOW: Final = "\ue006"
BEFORE: Final = "\ue007"
OTHER_WAVE: Final = "\ue008"
DATE: Final = "\ue009"
ALL: Final = "\ue00a"
"""Each stands for a thing that was found in a sentence, whatever its words. All of them are for private use in Unicode."""
MARKS: Final = frozenset({NUMBER, FRACTION, LEVEL, GROUP, OUTCOME, SUBSTANCE, NOW, BEFORE, OTHER_WAVE, DATE, ALL})

_STAND_FOR: Final = {
    "number": NUMBER,
    "fraction": FRACTION,
    "level": LEVEL,
    "group": GROUP,
    "outcome": OUTCOME,
    "substance": f"[{SUBSTANCE}{LEVEL}]",
    "now": NOW,
    "before": BEFORE,
    "wave": f"[{NOW}{BEFORE}{OTHER_WAVE}]",
}
_UP_TO: Final = 999


@dataclass(frozen=True)
class Vocabulary:
    """The words of one language, as its file has them."""

    language: str
    words: Mapping[str, Any]

    def entry(self, section: str, key: str) -> Any:
        """One entry of the file."""
        return self.words[section][key]

    def pattern(self, section: str, key: str) -> re.Pattern[str]:
        """All patterns of an entry as one."""
        return _compiled(self.language, section, key)

    def has(self, section: str, key: str, text: str) -> bool:
        """Whether one of an entry's patterns is found in a text."""
        return self.pattern(section, key).search(text) is not None

    def expanded(self, pattern: str) -> str:
        """A pattern with its <names> exchanged for what stands for them in a marked sentence."""
        others = f"(?:{ALL}|{'|'.join(self.words['comparison']['others'])})"
        people = f"(?:{'|'.join(self.words['claims']['people'])})(?!\\w)"
        known = {**_STAND_FOR, "others": others, "people": people}
        named = re.sub(r"(?<!\(\?P)<(\w+)>", lambda found: known.get(found[1], found[0]), pattern)
        return named.replace("{safe_verbs}", self.words["causal"]["safe_verbs"])

    @cached_property
    def numbers(self) -> dict[str, int]:
        """Numbers in words, from nought to 999 and some more."""
        return dict(_spelt(self.words["numbers"]))

    @cached_property
    def number_words(self) -> re.Pattern[str]:
        """A number in words, the longest first."""
        return _whole_words(sorted((re.escape(word) for word in self.numbers), key=len, reverse=True))

    @cached_property
    def fractions(self) -> tuple[tuple[re.Pattern[str], float], ...]:
        """Fractions in words."""
        found = self.words["numbers"]["fractions"].items()
        return tuple((_whole_words([pattern]), value) for pattern, value in found)


def _whole_words(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w{''.join(MARKS)}])(?:{'|'.join(patterns)})(?!\w)", re.I)


def _spelt(words: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    below = dict(_below_100(words))
    yield from below.items()
    hundreds = dict(_hundreds(words))
    yield from hundreds.items()
    for start, hundred in hundreds.items():
        for rest, number in below.items():
            if number > 0 and hundred + number <= _UP_TO:
                for join in words["hundreds_and_rest"]:
                    yield join.format(hundreds=start, rest=rest), hundred + number
    yield from words["other"].items()


def _below_100(words: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    yield from zip(words["small"], range(len(words["small"])), strict=True)
    for place, ten in enumerate(words["tens"], 10 - len(words["tens"])):
        yield ten, 10 * place
        for unit, name in enumerate(words["units"]):
            if unit and 10 * place + unit >= len(words["small"]):
                yield from ((join.format(tens=ten, unit=name), 10 * place + unit) for join in words["tens_and_units"])


def _hundreds(words: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    yield from ((word, 100) for word in words["hundred"])
    if isinstance(words["hundreds"], dict):
        yield from words["hundreds"].items()
        return
    for unit, name in enumerate(words["units"]):
        if unit > 1:
            yield from ((form.format(unit=name), 100 * unit) for form in words["hundreds"])


@cache
def vocabulary(language: str) -> Vocabulary:
    """The vocabulary of a language; raises `FileNotFoundError` where there is none."""
    text = files("survey_pipeline.lint").joinpath("words", f"{language}.toml").read_text(encoding="utf-8")
    return Vocabulary(language, tomllib.loads(text))


@cache
def _compiled(language: str, section: str, key: str) -> re.Pattern[str]:
    found = vocabulary(language)
    patterns = found.words[section][key]
    patterns = [patterns] if isinstance(patterns, str) else patterns
    if not patterns:
        return re.compile(r"(?!)")
    return re.compile("|".join(f"(?:{found.expanded(one)})" for one in patterns), re.I)

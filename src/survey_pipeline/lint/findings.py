"""Findings: what is wrong with a text, where, why, and how it could be said instead.

What belongs here: the findings themselves and the rules by name. What does not: finding them.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from survey_pipeline.language import later, say
from survey_pipeline.render.phrases import quoted


class Severity(StrEnum):
    """An error keeps a text from being sent; a warning or a hint does not."""

    ERROR = "error"
    WARNING = "warning"
    HINT = "hint"


class Rule(StrEnum):
    """What a text may not do, or should not."""

    REFERENCE = "reference"
    NUMBER = "number"
    PEOPLE = "people"
    NO_PEOPLE = "no_people"
    HIDDEN = "hidden"
    WAVE = "wave"
    CAUSE = "cause"
    NO_REPORT = "no_report"
    ADVICE = "advice"
    COMPARISON = "comparison"
    DOSE = "dose"
    UNCERTAIN = "uncertain"
    READING_AGE = "reading_age"
    LONG_SENTENCE = "long_sentence"


TITLES = {
    Rule.REFERENCE: later("Reference"),
    Rule.NUMBER: later("Number"),
    Rule.PEOPLE: later("Number of people"),
    Rule.NO_PEOPLE: later("Number of people missing"),
    Rule.HIDDEN: later("Hidden number"),
    Rule.WAVE: later("Wave"),
    Rule.CAUSE: later("Cause"),
    Rule.NO_REPORT: later("No report"),
    Rule.ADVICE: later("Advice"),
    Rule.COMPARISON: later("Comparison"),
    Rule.DOSE: later("Dose"),
    Rule.UNCERTAIN: later("Uncertain number"),
    Rule.READING_AGE: later("Reading age"),
    Rule.LONG_SENTENCE: later("Long sentence"),
}
SEVERITIES = {
    Rule.UNCERTAIN: Severity.WARNING,
    Rule.READING_AGE: Severity.WARNING,
    Rule.LONG_SENTENCE: Severity.HINT,
}
"""All other rules give errors."""


@dataclass(frozen=True)
class Finding:
    """One thing to change. `line` and `column` count from 1, in characters of the text as it was written."""

    rule: Rule
    line: int
    column: int
    words: str
    why: str
    better: str = ""

    @property
    def severity(self) -> Severity:
        return SEVERITIES.get(self.rule, Severity.ERROR)

    @property
    def title(self) -> str:
        """The rule's name for people."""
        return say(TITLES[self.rule])

    def as_json(self) -> dict[str, Any]:
        """Everything a program needs to show it."""
        return {"severity": self.severity.value, **asdict(self), "rule": self.rule.value}

    def in_words(self, file: str) -> str:
        """The finding as lines for a terminal."""
        head = f"{file}:{self.line}:{self.column}: {self.title}: {quoted(self.words)}"
        return "\n".join([head, *(f"    {line}" for line in (self.why, self.better) if line)])


@dataclass(frozen=True)
class Found:
    """A finding before its place is known: where its words stand in a sentence (see `prose.Sentence`)."""

    rule: Rule
    start: int
    end: int
    why: str
    better: str = ""


def errors(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings that keep a text from being sent."""
    return tuple(one for one in findings if one.severity is Severity.ERROR)

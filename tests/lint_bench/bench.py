"""The benchmark: how many seeded mistakes are found, and how often clean text is found fault with.

What belongs here: making, linting and counting. What does not: texts and mistakes.
"""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lint_bench.made_up import BEFORE, translated
from lint_bench.mutations import KINDS, Mutant, mutate
from lint_bench.texts import ORIGINS, Text, by_hand, from_templates
from survey_pipeline.lint import Finding, Rule, errors, lint

FEWEST_FOUND = 0.98
MOST_FALSE_ALARMS = 1.0
"""For 1,000 words of clean text."""
MISTAKES = 300
LEADS_TO_IT = {
    "changed number": {Rule.NUMBER},
    "wrong denominator": {Rule.PEOPLE, Rule.NUMBER},
    "old wave": {Rule.WAVE, Rule.NUMBER, Rule.PEOPLE},
    "causal verb": {Rule.CAUSE, Rule.NO_REPORT},
    "advice": {Rule.ADVICE, Rule.NO_REPORT},
    "hidden number": {Rule.HIDDEN},
    "comparison": {Rule.COMPARISON, Rule.DOSE, Rule.NO_REPORT},
}
"""The rules whose finding shows a mistake of a kind; anything else does not count as found."""


@dataclass(frozen=True)
class Result:
    """What the benchmark found: mutants with whether each was found, and false alarms of clean texts."""

    mutants: tuple[tuple[Mutant, bool], ...]
    alarms: tuple[tuple[Text, tuple[Finding, ...]], ...]

    def share(self, kind: str | None = None, origin: str | None = None) -> tuple[int, int]:
        """How many were found, of how many."""
        chosen = [
            was_found
            for mutant, was_found in self.mutants
            if kind in (None, mutant.kind) and origin in (None, mutant.origin)
        ]
        return sum(chosen), len(chosen)

    def false_alarms(self, origin: str | None = None) -> tuple[int, int]:
        """How many false alarms, in how many words of clean text."""
        chosen = [(text, found) for text, found in self.alarms if origin in (None, text.origin)]
        return sum(len(found) for _, found in chosen), sum(text.words for text, _ in chosen)


def findings(text: str, language: str) -> tuple[Finding, ...]:
    """The errors of a text about the made-up release."""
    release, shown = translated(language)
    before, _ = translated(language, BEFORE)
    return errors(lint(text, release, shown, before, language=language))


def run(seed: int, mistakes: int = MISTAKES, templates: int = 30) -> Result:
    """Lint clean texts and mutants of them."""
    texts = [*by_hand(), *from_templates(seed, templates)]
    clean = {text.name: findings(str(text), text.language) for text in texts}
    made = list(_mutants(texts, random.Random(seed), mistakes))
    caught = [(mutant, _is_new(mutant, clean[name])) for name, mutant in made]
    return Result(tuple(caught), tuple((text, clean[text.name]) for text in texts))


def _is_new(mutant: Mutant, before: Sequence[Finding]) -> bool:
    """Whether the mistake, and not the clean text, is what is found, and for a reason that leads an editor to it."""
    known = Counter((one.rule, one.words) for one in before)
    now = Counter((one.rule, one.words) for one in findings(mutant.text, mutant.language))
    return any(rule in LEADS_TO_IT[mutant.kind] for rule, _ in now - known)


def _mutants(texts: Sequence[Text], chance: random.Random, mistakes: int) -> Iterator[tuple[str, Mutant]]:
    """Mistakes of all kinds in turn, on texts by hand and from templates alike; no mistake twice."""
    seen: set[str] = set()
    made = 0
    while made < mistakes:
        text = chance.choice(texts)
        mutant = mutate(text, KINDS[made % len(KINDS)], chance)
        if mutant and mutant.text not in seen:
            seen.add(mutant.text)
            made += 1
            yield text.name, mutant


def told(result: Result) -> str:
    """The result as a table in words."""
    lines = [f"{'mistake':<20} {'found':>9}  {''.join(f'{origin:>12}' for origin in ORIGINS)}"]
    for kind in (*KINDS, None):
        whole, parts = result.share(kind), [result.share(kind, origin) for origin in ORIGINS]
        by_origin = "".join(f"{_share(*part):>12}" for part in parts)
        lines.append(f"{kind or 'all':<20} {_share(*whole):>9}  {by_origin}   {whole[0]} of {whole[1]}")
    for origin in (None, *ORIGINS):
        alarms, words = result.false_alarms(origin)
        name = origin or "all clean text"
        lines.append(f"False alarms, {name}: {alarms} in {words:,} words ({1000 * alarms / words:.2f} in 1,000)")
    return "\n".join(lines)


def _share(found: int, of: int) -> str:
    return f"{100 * found / of:.1f} %" if of else "-"


def is_good(result: Result) -> bool:
    """Whether enough is found, and little else."""
    caught, of = result.share()
    alarms, words = result.false_alarms()
    return caught / of >= FEWEST_FOUND and 1000 * alarms / words <= MOST_FALSE_ALARMS

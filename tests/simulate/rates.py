"""Rates with their Monte Carlo errors, and how they are written.

What belongs here: counting, and words and tables of numbers. What does not: what is counted.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import nan, sqrt
from textwrap import fill

ERRORS = 2.0
"""A rate breaks its promise if it does so by more than so many of its Monte Carlo errors."""


@dataclass(frozen=True)
class Rate:
    """So many of so many, and the Monte Carlo error of the share (0 to 1)."""

    n_events: int
    n: int
    error: float

    @property
    def share(self) -> float:
        return self.n_events / self.n if self.n else nan

    def is_above(self, limit: float) -> bool:
        """Whether chance does not explain that the share is above the limit."""
        return self.share - ERRORS * self.error > limit

    def is_below(self, limit: float) -> bool:
        """Whether chance does not explain that the share is below the limit."""
        return self.share + ERRORS * self.error < limit

    def __str__(self) -> str:
        return f"{100 * self.share:.1f} % ({100 * self.error:.1f})" if self.n else "-"


def rate(n_events: int, n: int) -> Rate:
    """Of n independent events."""
    share = n_events / n if n else nan
    return Rate(n_events, n, sqrt(share * (1 - share) / n) if n else nan)


def rate_within(communities: Iterable[Iterable[bool]]) -> Rate:
    """Of events that belong together within communities: their error is that of a ratio of sums over communities."""
    counts = [(sum(events), len(events)) for events in map(list, communities)]
    n_events, n = sum(k for k, _ in counts), sum(m for _, m in counts)
    share = n_events / n if n else nan
    return Rate(n_events, n, sqrt(sum((k - share * m) ** 2 for k, m in counts)) / n if n else nan)


def percent(share: float) -> str:
    """A limit in words."""
    return f"{100 * share:g} %"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def filled(text: str) -> str:
    """The text with paragraphs and points wrapped anew, whatever numbers stand in them; tables and headings as they are."""
    blocks = text.strip("\n").split("\n\n")
    return "\n\n".join(block if block.startswith(("|", "#")) else _wrapped(block) for block in blocks) + "\n"


def _wrapped(block: str) -> str:
    parts = [" ".join(part.split()) for part in re.split(r"\n(?=- )", block)]
    return "\n".join(fill(part, 120, subsequent_indent="  " * part.startswith("- ")) for part in parts)

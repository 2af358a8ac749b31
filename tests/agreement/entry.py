"""One figure that ours and the reference both give.

What belongs here: the shape of an entry. What does not: where figures come from (`base`, `survey`).
"""

from dataclasses import dataclass
from math import inf

TEN_DIGITS = 1e-10


@dataclass(frozen=True)
class Entry:
    """A value of a statistic: what our `code` (a function's name) gives beside what stands at this `reference`.

    `reference` is the file's name and the path of keys in it, "base_reference mean age se". `accuracy` is the greatest
    relative difference there may be: 10 significant digits, or what the reference itself is accurate to where that is less.
    """

    statistic: str
    code: str
    reference: str
    ours: float | None
    theirs: float | None
    accuracy: float = TEN_DIGITS

    @property
    def relative_difference(self) -> float:
        """|ours - theirs| / |theirs|; where theirs is 0 the difference itself; infinite where only one is defined."""
        if self.ours is None or self.theirs is None:
            return 0.0 if self.ours is self.theirs else inf
        return abs(self.ours - self.theirs) / (abs(self.theirs) or 1.0)

    @property
    def agrees(self) -> bool:
        return self.relative_difference <= self.accuracy

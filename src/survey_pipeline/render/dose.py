"""Dose: whether what goes with more of a dose is the same under every way of reading people's words.

What belongs here: the rule by which a finding on dose is one. What does not: its words (`words`), and the tests themselves.
A label may give the weight of the elemental substance or of the whole compound, and often nobody can tell which: a direction
that turns with the reading is no finding.
"""

from dataclasses import dataclass
from typing import Final

from survey_pipeline import names
from survey_pipeline.instrument import Instrument
from survey_pipeline.release import Release

DIRECTED: Final = ("jonckheere_terpstra", "cochran_armitage", "worst_case_direction")
"""Tests that have a direction; which of them a dose has depends on its reading and on the outcome."""
UP, DOWN, CLEAR = "up", "down", 0.05
"""Directions, and the greatest adjusted p-value of a trend that is called one."""
READ: Final = ("", names.READING_LABEL_ELEMENTAL, names.READING_COMPOUND, names.READING_WORST_CASE)
"""As answered, and every reading."""


@dataclass(frozen=True)
class Directions:
    """Where an outcome's number goes with more of a dose: as answered, and under each reading. None where it is not known.

    `p_adjusted`: of the trend as answered.
    """

    found: tuple[str | None, ...]
    p_adjusted: float | None = None

    @property
    def agreed(self) -> str | None:
        """The direction, where it is known and the same under every reading; else None."""
        different = set(self.found)
        return self.found[0] if len(different) == 1 and different <= {UP, DOWN} else None

    @property
    def differ(self) -> bool:
        """Whether the directions that are known are not all one, or one of them is none ("flat")."""
        known = {direction for direction in self.found if direction}
        return len(known) > 1 or not known <= {UP, DOWN}

    @property
    def is_clear(self) -> bool:
        """Whether the direction as answered is more than chance, after allowing for all tests of its family."""
        return self.p_adjusted is not None and self.p_adjusted <= CLEAR


def directions_of(release: Release, instrument: Instrument, exposure: str, outcome: str) -> Directions | None:
    """The directions of an outcome by a dose; None where the exposure is no dose that may be read in several ways."""
    if not instrument.is_read_again(exposure):
        return None
    mine = (test for test in release.tests if test.outcome == outcome and test.statistic in DIRECTED)
    tests = {test.exposure: test for test in mine}
    read = [tests.get(names.option_column(exposure, reading) if reading else exposure) for reading in READ]
    return Directions(tuple(test.direction if test else None for test in read), read[0].p_adjusted if read[0] else None)

"""Tallied: what was planted in a sample, so that a run on it can be compared with it exactly.

What belongs here: counting answers, refusals and left-out rows as they are written. What does not: drawing them (`chunk`).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from survey_pipeline.diary import columns_of
from survey_pipeline.instrument import Instrument, Item
from survey_pipeline.names import Exclusion, Rule
from survey_pipeline.sample.cells import Cell
from survey_pipeline.sample.population import Integers

Flags = npt.NDArray[np.bool_]


class RowKind(IntEnum):
    """What a row is; all but ordinary rows are excluded by a declared rule."""

    ORDINARY = 0
    NO_CONSENT = 1
    DOUBLED = 2
    SECOND_ANSWER = 3


EXCLUSIONS: Final = {
    RowKind.NO_CONSENT: Exclusion.NO_CONSENT,
    RowKind.DOUBLED: Exclusion.IDENTICAL_ROW,
    RowKind.SECOND_ANSWER: Exclusion.SAME_RESPONDENT,
}


@dataclass(frozen=True)
class SampleSummary:
    """What was written, so that a run on the file can be compared with it exactly.

    `rows` are those of people and of their diaries' entries. `values_refused` counts refusals by item and rule, `untidy`
    every other untidiness by item and kind, both over the rows that no rule excludes (refusals of a diary's answers also over
    those of people who answered before); `values_valid` counts the answers of the kept rows that a reader must find, by item.
    """

    file: str
    rows: int
    rows_kept: int
    rows_quarantined: int
    rows_excluded: dict[str, int]
    values_refused: dict[str, dict[str, int]]
    untidy: dict[str, dict[str, int]]
    values_valid: dict[str, int]


@dataclass
class Tallied:
    """Running counts of what was planted; becomes the summary."""

    excluded: Counter[str] = field(default_factory=Counter)
    quarantined: int = 0
    refused: dict[str, Counter[str]] = field(default_factory=dict)
    untidy: dict[str, Counter[str]] = field(default_factory=dict)
    valid: Counter[str] = field(default_factory=Counter)

    def add(
        self,
        instrument: Instrument,
        kinds: Integers,
        readable: Flags,
        written: Mapping[str, tuple[tuple[Cell, ...], Integers]],
    ) -> None:
        """Count one chunk. `readable`: rows whose required items all have an answer."""
        counted = kinds == RowKind.ORDINARY
        of_repeats = (kinds == RowKind.SECOND_ANSWER) & readable
        self.excluded.update({rule.value: int((kinds == kind).sum()) for kind, rule in EXCLUSIONS.items()})
        self.quarantined += int((counted & ~readable).sum())
        for name, (cells, places) in written.items():
            self._add_item(name, instrument.items[name], cells, np.bincount(places[counted], minlength=len(cells)))
            if name in columns_of(instrument):
                self._add_refused(name, cells, np.bincount(places[of_repeats], minlength=len(cells)))
            kept = np.bincount(places[counted & readable], minlength=len(cells))
            self.valid[name] += int(sum(n for cell, n in zip(cells, kept, strict=True) if cell.is_readable))

    def _add_item(self, name: str, item: Item, cells: Sequence[Cell], counts: Integers) -> None:
        for cell, n in zip(cells, counts.tolist(), strict=True):
            missing = Rule.REQUIRED_MISSING if item.required and not cell.is_readable else None
            if rule := cell.rule or missing:
                self.refused.setdefault(name, Counter())[rule.value] += n
            elif cell.untidy:
                self.untidy.setdefault(name, Counter())[cell.untidy.value] += n

    def _add_refused(self, name: str, cells: Sequence[Cell], counts: Integers) -> None:
        """Of a person who answers again, the diary is read too."""
        for cell, n in zip(cells, counts.tolist(), strict=True):
            if cell.rule:
                self.refused.setdefault(name, Counter())[cell.rule.value] += n

    def summary(self, file: str, rows: int) -> SampleSummary:
        """What was planted in all chunks, without the kinds that did not occur."""
        excluded = _positive(self.excluded)
        left = rows - sum(excluded.values())
        return SampleSummary(
            file=file,
            rows=rows,
            rows_kept=left - self.quarantined,
            rows_quarantined=self.quarantined,
            rows_excluded=excluded,
            values_refused={name: found for name, rules in self.refused.items() if (found := _positive(rules))},
            untidy={name: found for name, kinds in self.untidy.items() if (found := _positive(kinds))},
            values_valid=dict(self.valid),
        )


def _positive(counts: Counter[str]) -> dict[str, int]:
    return {key: n for key, n in sorted(counts.items()) if n}

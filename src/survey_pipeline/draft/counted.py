"""Counted: the different texts of each column of an export, and how many rows gave each.

What belongs here: one pass over the rows with bounded memory. What does not: what the texts mean (`kinds`).
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from survey_pipeline.exports import Column, Export
from survey_pipeline.texts import fold

ROWS_READ = 50_000
"""Enough to tell what a column holds."""
BATCH_ROWS = 5_000
MOST_TEXTS = 5_000
"""Different texts of a column that are counted. A column with more is a number, a date or free text, and these are enough."""
NO_ANSWER = frozenset(
    {"n/a", "na", "-", "--", "null", "nan", "no answer", "not answered", "no response", "not applicable"}
    | {"prefer not to say", "prefer not to answer", "rather not say", "keine angabe", "k.a", "sin respuesta"}
    | {"sans réponse", "missing", "."}
)
"""Folded texts that mean "no answer" wherever they stand."""


@dataclass(frozen=True)
class Texts:
    """What was written into a column: how many rows gave each text, as it was written most often."""

    counts: Mapping[str, int]
    no_answer: tuple[str, ...] = ()
    """Texts that mean "no answer", which are not among the counted."""

    @cached_property
    def filled(self) -> int:
        """How many rows gave one."""
        return sum(self.counts.values())

    def rows(self, texts: Collection[str]) -> int:
        """How many rows gave one of these texts."""
        return sum(self.counts[text] for text in texts)

    @cached_property
    def by_several(self) -> tuple[str, ...]:
        """Texts that at least two rows gave, the most frequent first: what only one person wrote is that person's own."""
        often = [text for text, n in self.counts.items() if n > 1]
        return tuple(sorted(often, key=lambda text: (-self.counts[text], text)))


def count_texts(export: Export, places: Sequence[int], most_rows: int = ROWS_READ) -> dict[int, Texts]:
    """The texts of some columns, by place, in the first rows of an export."""
    counters: dict[int, Counter[str]] = {place: Counter() for place in places}
    left = most_rows
    for _, batch in export.batches(places, BATCH_ROWS) if places else ():
        for place, counter in counters.items():
            _count(batch[str(place)].head(left), counter)
        left -= batch.height
        if left <= 0:
            break
    columns = export.layout.columns
    return {place: _texts(counter, export, columns[place]) for place, counter in counters.items()}


def _count(cells: pl.Series, counter: Counter[str]) -> None:
    """A column that is full takes no new texts, and goes on counting the ones it has."""
    written = cells.str.strip_chars().drop_nulls()
    for text, n in written.value_counts(name="n").sort(written.name).iter_rows():
        if text and (len(counter) < MOST_TEXTS or text in counter):
            counter[text] += n


def _texts(counter: Counter[str], export: Export, column: Column) -> Texts:
    """Texts that fold alike are one, called as most people wrote it."""
    declared = {fold(text) for text in column.missing | export.layout.missing}
    alike: dict[str, Counter[str]] = {}
    for text, n in counter.items():
        if (folded := fold(text)) not in declared:
            alike.setdefault(folded, Counter())[text] += n
    said = {folded: min(found, key=lambda text: (-found[text], text)) for folded, found in alike.items()}
    no_answer = tuple(said[folded] for folded in alike if folded in NO_ANSWER and folded not in column.labels)
    return Texts({said[folded]: found.total() for folded, found in alike.items() if folded not in NO_ANSWER}, no_answer)

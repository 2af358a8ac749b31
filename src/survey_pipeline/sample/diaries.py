"""Diaries: the further rows of invented people who keep one.

What belongs here: who keeps a diary, on which days, and what stands in each entry. An entry is written cleanly: how untidily
people type is shown by their own rows. What does not: the people (`chunk`) and how a tool lays rows out (`layouts`).

An answer in an entry is drawn from the same shares as in a person's own row, so that its expectation is the same; the luck
of one person's entries hangs together: u = Phi(sqrt(alike) x person + sqrt(1 - alike) x day), both standard normal.
"""

from collections.abc import Iterator

import numpy as np
import polars as pl
from scipy.special import ndtr, ndtri

from survey_pipeline.diary import columns_of
from survey_pipeline.instrument import Instrument, Item, Kind, Role
from survey_pipeline.sample.cells import NOT_ANSWERED, Cell, consent_cells, label_of
from survey_pipeline.sample.chunk import Chunk
from survey_pipeline.sample.plan import SamplePlan
from survey_pipeline.sample.population import Floats, Integers
from survey_pipeline.sample.sent import Question, Sent, as_times

DAY = 86_400
EVENING = 20 * 3600


def are_kept(instrument: Instrument, plan: SamplePlan) -> bool:
    """Whether anybody keeps a diary: the plan says so, and the survey has one."""
    return plan.diaries.share > 0 and bool(columns_of(instrument))


def n_entries(chunk: Chunk) -> Integers:
    """How many entries each person of a chunk writes; 0 for who keeps none. Rows that repeat another one keep none."""
    plan = chunk.plan.diaries
    more = (chunk.luck("diary", "entries") ** 3 * (plan.most - plan.fewest + 1)).astype(np.int64)
    keeps = (chunk.luck("diary") < plan.share) & (chunk.kinds == 0)
    return np.where(keeps, plan.fewest + more, 0)


def sent_by(chunk: Chunk, first_row: int) -> Sent:
    """The entries of a chunk's people, person by person and day by day; the first has the number `first_row`, from 0."""
    people = np.repeat(np.arange(chunk.height), n_entries(chunk))
    seconds = (chunk.seconds[people] // DAY + _days(chunk)) * DAY + EVENING
    questions = tuple(_question(chunk, people, seconds, *asked) for asked in chunk.asked_in_order())
    return Sent(first_row, seconds, questions, np.arange(len(people)))


def _days(chunk: Chunk) -> Integers:
    """For each entry, how many days after the person's own row: different days, in order."""
    entries = n_entries(chunk)
    writing = np.flatnonzero(entries)
    days = 7 * chunk.plan.diaries.weeks
    order = np.column_stack([chunk.luck("diary", "day", str(day))[writing] for day in range(days)]).argsort(axis=1)
    chosen = [np.sort(days_of[:n]) for days_of, n in zip(order, entries[writing], strict=True)]
    return np.concatenate([np.empty(0, dtype=np.int64), *chosen])


def _question(chunk: Chunk, people: Integers, seconds: Integers, number: int, name: str, item: Item) -> Question:
    """What stands in the entries for one question: mostly nothing."""
    if item.role is Role.IDENTIFIER:
        return Question(number, name, item, words=chunk.codes(name).gather(people))
    if item.role is Role.CONSENT:
        return Question(number, name, item, consent_cells(item), np.zeros(len(people), dtype=np.int64))
    if chunk.is_special(item):
        return Question(number, name, item, words=pl.Series([None], dtype=pl.String).new_from_index(0, len(people)))
    if name not in columns_of(chunk.instrument):
        return Question(number, name, item, (NOT_ANSWERED,), np.zeros(len(people), dtype=np.int64))
    if item.kind is Kind.DATE:
        different, places = np.unique(seconds // DAY, return_inverse=True)
        cells = tuple(Cell(day, answer=day) for day in as_times(different * DAY, "%Y-%m-%d"))
        return Question(number, name, item, cells, places.astype(np.int64))
    answers = chunk.people.answers(name)
    cells = tuple(Cell(label_of(item, answer), answer=answer) for answer in answers)
    return Question(number, name, item, cells, chunk.drawn(name, people, _luck(chunk, people, name)))


def _luck(chunk: Chunk, people: Integers, name: str) -> Floats:
    """One number between 0 and 1 for each entry; those of one person hang together."""
    alike = chunk.plan.diaries.alike
    person = ndtri(chunk.luck("diary", name))[people]
    day = ndtri(chunk.lucks(len(people), "diary", name, "day"))
    found: Floats = ndtr(np.sqrt(alike) * person + np.sqrt(1 - alike) * day)
    return found.clip(0, np.nextafter(1, 0))


def all_sent(chunks: Iterator[Chunk], first_row: int) -> Iterator[Sent]:
    """The entries of everybody, chunk by chunk; they are numbered on from `first_row`."""
    for chunk in chunks:
        sent = sent_by(chunk, first_row)
        first_row += sent.height
        if sent.height:
            yield sent

"""People: in how many answers two releases differ.

What belongs here: a keyed digest for each answer, counting what is only in the one of two sets of them, and telling whether a
new release lies too near to earlier ones. Pure. What does not: where digests are kept and when they are compared
(`released_people`).

Two releases about nearly the same people give away the few in whom they differ: subtract the one from the other. So they may
differ by nobody or by many, whatever their tables show.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from survey_pipeline.names import EXPORT, INSTRUMENT, RECORD, WAVE

DIGEST: Final = "digest"
NOT_OF_THE_ANSWER: Final = frozenset({INSTRUMENT, WAVE, EXPORT, RECORD})
"""Columns that say where an answer was read: a later export may hold the same one elsewhere."""
DIGEST_BYTES: Final = 8
"""Birthday bound: 1 in 37 million that any two of a million different answers have one digest."""
PURPOSE: Final = b"released people"
"""So that no digest equals a respondent's hash, which is made with the same key."""
Digests = npt.NDArray[np.int64]
"""The digests of a release, sorted; answers that are alike have the same one, and each is there."""


# --- Digests ----------------------------------------------------------------------------------------------------------


def digests(batches: Iterable[pl.DataFrame], key: bytes) -> Digests:
    """A keyed digest for each row of answers as stored, sorted so that nothing tells the order of rows.

    The sum of the keyed hashes (BLAKE2b, RFC 7693) of what was answered to each question (AdHash: Bellare and Micciancio,
    EUROCRYPT 1997), so that each different answer is hashed once a batch. A question that was not answered adds nothing: a
    column that only later waves have changes nothing; an empty text is an answer. Memory: one batch, and 8 bytes a row.
    `key`: the warehouse's secret, at most 64 bytes; without it nobody can try out whose answers a digest stands for.
    """
    keyed = blake2b(key=key, digest_size=DIGEST_BYTES, person=PURPOSE)
    found = [_of_rows(batch, keyed) for batch in batches]
    return np.sort(np.concatenate([np.empty(0, np.int64), *found]))


def _of_rows(batch: pl.DataFrame, keyed: blake2b) -> Digests:
    total = np.zeros(batch.height, np.int64)
    for name in batch.columns:
        if name not in NOT_OF_THE_ANSWER:
            total += _of_column(batch[name], keyed)
    return total


def _of_column(answers: pl.Series, keyed: blake2b) -> Digests:
    said = pl.DataFrame({"answer": answers})
    different = said.unique().drop_nulls()
    question = keyed.copy()  # a copy knows the key already: half the work
    question.update(f"{len(answers.name)}:{answers.name}=".encode())
    hashes = [_hash(question, text) for text in _as_text(different.to_series())]
    known = different.with_columns(pl.Series("hash", hashes, dtype=pl.Int64))
    found = said.join(known, on="answer", how="left", maintain_order="left")["hash"].fill_null(0)
    return np.asarray(found.to_numpy(), dtype=np.int64)


def _hash(question: blake2b, text: str) -> int:
    one = question.copy()
    one.update(text.encode())
    return int.from_bytes(one.digest(), "little", signed=True)


def _as_text(answers: pl.Series) -> list[str]:
    """Answers as text that no version of a library changes: a fraction by its 64 bits of IEEE 754, minus zero as zero."""
    if answers.dtype == pl.Binary:
        return answers.bin.encode("hex").to_list()
    if answers.dtype == pl.String:
        return answers.to_list()
    if answers.dtype.is_float():
        numbers = answers.cast(pl.Float64).to_numpy() + 0.0
        return [str(number) for number in numbers.view(np.int64).tolist()]
    kind = pl.Int32 if answers.dtype == pl.Date else pl.Int64
    return answers.cast(kind).cast(pl.String).to_list()


# --- Differences ------------------------------------------------------------------------------------------------------


def differences(new: Digests, old: Digests) -> tuple[int, int]:
    """How many answers are only in the new release, and how many only in the old one. Answers that are alike count as often
    as they are there; an answer that was changed is one of each.
    """
    both = np.concatenate([new, old])
    order = np.argsort(both, kind="stable")
    sides = np.where(order < len(new), 1, -1)
    if not len(both):
        return 0, 0
    starts = np.flatnonzero(np.concatenate([[True], np.diff(both[order]) != 0]))
    surplus = np.add.reduceat(sides, starts)
    return int(surplus[surplus > 0].sum()), int(-surplus[surplus < 0].sum())


def answers_needed(only_new: int, only_old: int, least: int) -> int:
    """How many more new or changed answers it takes until each of the two is nobody or at least `least`; 0 if they are.

    What is only in the old release grows by changed answers alone, and each of those counts for the new one too.
    """
    changed = least - only_old if 0 < only_old < least else 0
    there = only_new + changed
    return changed + (least - there if 0 < there < least else 0)


# --- Releases ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class People:
    """The answers of one release, as digests. `in_force`: no correction has taken its place."""

    wave: str
    release_number: int
    digests: Digests
    in_force: bool = True


@dataclass(frozen=True)
class TooNear:
    """Earlier releases from which a new one differs by too few people, and how many more answers it takes."""

    earlier: tuple[People, ...]
    needed: int


def too_near(new: People, earlier: Sequence[People], least: int) -> TooNear | None:
    """What the new release lies too near to, the worst first; None where it may be published.

    It must not differ by 1 to `least` - 1 people from any earlier release, nor from several together: who adds up the months
    and takes them from an export that holds all of them is left with the few that no month had.
    """
    nearest: TooNear | None = None
    for parts, whole in _subtractions(new, earlier, least):
        needed = _needed(parts, whole, least)
        if needed and (nearest is None or needed > nearest.needed):
            nearest = TooNear(tuple(part for part in (*parts, whole) if part is not new), needed)
    return nearest


def _needed(parts: Collection[People], whole: People, least: int) -> int:
    return answers_needed(*differences(whole.digests, np.concatenate([part.digests for part in parts])), least)


def _subtractions(new: People, earlier: Sequence[People], least: int) -> Iterable[tuple[tuple[People, ...], People]]:
    """What anybody may subtract from what, now that the new release is there: parts, and the whole that holds them."""
    yield from (((old,), new) for old in earlier)
    others = [old for old in earlier if old.in_force and old.wave != new.wave]
    yield from _made_up(new, others, least)
    for whole in (old for old in others if _holds(old, new, least)):
        yield from _made_up(whole, [new, *(old for old in others if old is not whole)], least)


def _made_up(whole: People, others: Sequence[People], least: int) -> Iterable[tuple[tuple[People, ...], People]]:
    parts = tuple(part for part in others if _holds(whole, part, least))
    if len(parts) > 1:
        yield parts, whole


def _holds(whole: People, part: People, least: int) -> bool:
    """Whether all of a release's people, but for a few, are among those of another."""
    return len(part.digests) <= len(whole.digests) + least and differences(whole.digests, part.digests)[1] < least


def same_people(new: Digests, earlier: Sequence[People]) -> list[People]:
    """The earlier releases that are about exactly the same answers: only instrument or policy differ."""
    return [old for old in earlier if differences(new, old.digests) == (0, 0)]

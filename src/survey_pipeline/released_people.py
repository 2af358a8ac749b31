"""Released people: for each release, whose answers it counts, so that a later one can be held back.

What belongs here: keeping a digest for each answer of a release, fetching those of earlier releases, and refusing a release
that lies too near to one of them. What does not: how digests are made and compared (`people`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from survey_pipeline.errors import NotSafeToPublish
from survey_pipeline.names import INSTRUMENT, WAVE
from survey_pipeline.people import DIGEST, Digests, People, TooNear, digests, same_people, too_near
from survey_pipeline.plural import n_of
from survey_pipeline.release import Policy
from survey_pipeline.storage import GONE, StoredRelease, Warehouse, latest

BATCH_ROWS = 250_000


def keep_people(warehouse: Warehouse, stored: StoredRelease) -> None:
    """Keep whose answers a release counts. To be called before it is entered in the ledger; again changes nothing.

    Not for what is only proposed: a proposal shows nobody anything yet.
    """
    release = stored.release
    name = release.instrument.name
    found = people_of_wave(warehouse, name, release.wave, stored.responses_version)
    kept = warehouse.released_people(name, release.wave, release.release_number)
    if kept is None or not np.array_equal(_as_digests(kept), found):
        warehouse.put_released_people(name, release.wave, release.release_number, pl.Series(DIGEST, found))


def people_of_wave(warehouse: Warehouse, instrument: str, wave: str, responses_version: int) -> Digests:
    """The digests of a wave's answers as they lie in the warehouse at a version."""
    rows = warehouse.responses(instrument, wave, responses_version).drop(INSTRUMENT, WAVE)
    return digests(rows.collect_batches(chunk_size=BATCH_ROWS, maintain_order=False), warehouse.secret())


def earlier_people(warehouse: Warehouse, releases: Sequence[StoredRelease]) -> list[People]:
    """Whose answers earlier releases count, by wave and release. Of a release from before digests were kept, they are made
    of the version of the responses that it was made from; where that is there no more, the release is left out.
    """
    in_force = latest(releases)
    found = ((stored, _kept_or_made(warehouse, stored)) for stored in releases)
    return [
        People(stored.release.wave, stored.release.release_number, known, in_force[stored.release.wave] is stored)
        for stored, known in found
        if known is not None
    ]


def keep_all_people(warehouse: Warehouse, instrument: str) -> None:
    """Keep whose answers all releases of an instrument count, while the versions that they were made from are still there."""
    for stored in warehouse.releases(instrument):
        release = stored.release
        made = _kept_or_made(warehouse, stored)
        if made is not None and warehouse.released_people(instrument, release.wave, release.release_number) is None:
            warehouse.put_released_people(instrument, release.wave, release.release_number, pl.Series(DIGEST, made))


def _not_compared(releases: Sequence[StoredRelease], earlier: Sequence[People]) -> tuple[str, ...]:
    """Says which earlier releases a new one cannot be compared with."""
    known = {(one.wave, one.release_number) for one in earlier}
    missing = [
        f"release {stored.release.release_number} of wave {stored.release.wave}"
        for stored in releases
        if (stored.release.wave, stored.release.release_number) not in known
    ]
    if not missing:
        return ()
    return (f"Not compared with {', '.join(missing)}: the answers behind it are not in the warehouse any more.",)


def _kept_or_made(warehouse: Warehouse, stored: StoredRelease) -> Digests | None:
    release = stored.release
    kept = warehouse.released_people(release.instrument.name, release.wave, release.release_number)
    if kept is not None:
        return _as_digests(kept)
    try:
        made = people_of_wave(warehouse, release.instrument.name, release.wave, stored.responses_version)
    except GONE:
        return None
    return made if len(made) else None


def _as_digests(kept: pl.Series) -> Digests:
    return np.sort(kept.to_numpy())


# --- Holding back -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Compared:
    """What a release was compared with: `same` are the earlier ones about exactly the same answers, which must be proved
    together with it; `remarks` say of which earlier ones nothing is known.
    """

    same: tuple[People, ...] = ()
    remarks: tuple[str, ...] = ()


def refuse_too_near(
    warehouse: Warehouse, instrument: str, wave: str, responses_version: int, policy: Policy
) -> Compared:
    """Refuse a release of this wave if what was published before would give away the few in whom they differ.

    Raises `NotSafeToPublish`, which says how many more answers it takes: exact, for the steward alone.
    """
    releases = warehouse.releases(instrument)
    if not releases:
        return Compared()
    mine = people_of_wave(warehouse, instrument, wave, responses_version)
    earlier = earlier_people(warehouse, releases)
    found = too_near(People(wave, len(releases) + 1, mine), earlier, policy.people_between)
    if found:
        raise NotSafeToPublish(_too_near(found, policy), needed(found.needed))
    return Compared(tuple(same_people(mine, earlier)), _not_compared(releases, earlier))


def _too_near(found: TooNear, policy: Policy) -> str:
    which = " and ".join(f"release {one.release_number} of wave {one.wave}" for one in found.earlier)
    together = "the two" if len(found.earlier) == 1 else "they"
    taken = "" if len(found.earlier) == 1 else " taken together"
    stands = "the earlier release stands" if len(found.earlier) == 1 else "the earlier releases stand"
    return (
        f"This differs from {which}{taken} by fewer than {policy.people_between} people, so {together} together would give "
        f"them away. Nothing was published; {stands}."
    )


def needed(n: int) -> str:
    """What a release that is held back waits for."""
    return f"It takes at least {n_of(n, 'more new or changed answer')}."

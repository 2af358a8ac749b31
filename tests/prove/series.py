"""The releases of a community, made by the pipeline itself, and by a plain filter for small cells.

What belongs here: what is published when, and what is held back. What does not: attacking it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter

import polars as pl
from attacker import Seen
from builders import export_report
from together import Relation, atoms_of

from prove.communities import BANDS, Export, Seed, differences, exports, survey
from survey_pipeline import names
from survey_pipeline.assemble import make_release, stages_of
from survey_pipeline.count import tally
from survey_pipeline.disclose.published import published
from survey_pipeline.disclose.rows import too_small
from survey_pipeline.errors import NotSafeToPublish
from survey_pipeline.estimate import estimate
from survey_pipeline.instrument import Instrument
from survey_pipeline.levels import Level
from survey_pipeline.outcomes import exposures
from survey_pipeline.proof.told import Told
from survey_pipeline.release import Policy, Release, Row


@dataclass(frozen=True)
class Step:
    """What became of one export: a release, with how it hangs together with the release before of the same wave (None for the
    first) and the seconds that it took; or nothing, as it was held back, or refused since no proof was found.
    """

    export: Export
    seen: Seen | None
    relation: Relation | None = None
    seconds: float = 0.0
    refused: bool = False


def series(seed: Seed, policy: Policy) -> Iterator[Step]:
    """What is published of a community, in the order of time."""
    ledger: list[Release] = []
    before: list[Export] = []
    told: list[Told] = []
    for export in exports(seed):
        mine = [one for one in before if one.wave == export.wave]
        if is_too_near(export, mine, policy.people_between):
            yield Step(export, None)
            continue
        start = perf_counter()
        same = [one for one, old in zip(told, before, strict=True) if is_same(export, old)]
        try:
            release, counted = released(export, policy, ledger, same)
        except NotSafeToPublish:
            yield Step(export, None, refused=True)
            continue
        seconds = perf_counter() - start
        ledger.append(release)
        before.append(export)
        told.append(Told(release, export.instrument))
        exact = exact_rows(release, counted, export.instrument)
        seen = Seen(
            release, export.instrument, exact, atoms_of(export.answers["dose"], "dose", tuple(map(survey, BANDS)))
        )
        yield Step(export, seen, relation_of(export, mine[-1]) if mine else None, seconds)


def is_same(export: Export, other: Export) -> bool:
    """Whether two exports hold exactly the same answers."""
    return export.wave == other.wave and differences(export.answers, other.answers) == (0, 0)


def released(
    export: Export, policy: Policy, ledger: Sequence[Release], same_people: Sequence[Told]
) -> tuple[Release, pl.DataFrame]:
    """The release of an export, and its tally."""
    counted, n = tally(export.responses, export.instrument), export.answers.height
    wave = f"2026-{export.wave + 1:02}"
    reports = [export_report(n, n)]
    release = make_release(counted, export.instrument, policy, wave, reports, ledger, same_people=same_people)
    return release, counted


def is_too_near(export: Export, before: Iterable[Export], least: int) -> bool:
    """Whether too few people tell the export from an earlier one that was published."""
    return any(0 < n < least for one in before for n in differences(export.answers, one.answers))


def relation_of(export: Export, before: Export) -> Relation:
    """How the people of two releases hang together."""
    came, went = differences(export.answers, before.answers)
    if came and went:
        return "anything"
    return "added" if came else "gone" if went else "same"


def exact_rows(release: Release, counted: pl.DataFrame, instrument: Instrument) -> pl.DataFrame:
    """The truth behind a release, at its own levels."""
    levels: dict[str, Sequence[Level]] = dict.fromkeys(exposures(instrument), ())
    for exposure, found in release.levels.items():
        levels[exposure] = [
            Level(code=one.code, label=one.label, members=one.members, merged=one.merged) for one in found
        ]
    return estimate(counted, instrument, levels)


# --- A plain filter -----------------------------------------------------------------------------------------------------


def plainly(seen: Seen, base: int) -> Seen:
    """The same release with only what is too small by itself hidden, and nothing to shield it. Counts are rounded to `base`;
    1 leaves them as they are.
    """
    policy = seen.release.policy.model_copy(update={"rounding_base": base, "protection": "mark"})
    exact = list(seen.exact.iter_rows(named=True))
    n = max(row["n_level"] for row in exact)
    words = {name: getattr(seen.release.rows[0], name) for name in (names.INSTRUMENT, names.WAVE)}
    rows = tuple(Row.model_validate({**words, **published(row, too_small(row, policy), policy)}) for row in exact)
    changed = {"policy": policy, "rows": rows, "stages": stages_of([export_report(n, n)], policy)}
    return Seen(seen.release.model_copy(update=changed), seen.instrument, seen.exact)

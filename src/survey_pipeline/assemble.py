"""Assemble: a tally becomes the release of a wave.

What belongs here: calling coarsen, estimate and disclose in order and putting their results together with where they came
from. Pure: from a tally and the earlier releases to a release. What does not: storing it (`stages`).
"""

from collections.abc import Callable, Iterable, Sequence

import polars as pl

from survey_pipeline import names
from survey_pipeline.coarsen import coarsen
from survey_pipeline.disclose import Links, disclose, disclose_counts, disclose_stages
from survey_pipeline.errors import NotSafeToPublish
from survey_pipeline.estimate import (
    TESTS_SCHEMA,
    Levels,
    compare,
    estimate,
    published_comparisons,
    published_tests,
    tested_lines,
)
from survey_pipeline.instrument import Instrument
from survey_pipeline.levels import DoseReading, Level, exposure_of, made_of
from survey_pipeline.person_weeks import DIARY_SCHEMA, diary_rows
from survey_pipeline.reading import ExportReport
from survey_pipeline.release import InstrumentSummary, Policy, PublishedLevel, Release, StageCount

NO_DIARIES = pl.DataFrame(schema=DIARY_SCHEMA)
ByDesign = Callable[[pl.DataFrame, Levels], pl.DataFrame]
"""What gives estimates, at these levels, the uncertainty of how people were picked."""


def as_estimated(estimates: pl.DataFrame, levels: Levels) -> pl.DataFrame:
    """Everybody was picked alone: the estimates stay as they are."""
    return estimates


def make_release(
    tally: pl.DataFrame,
    instrument: Instrument,
    policy: Policy,
    wave: str,
    exports: Sequence[ExportReport],
    ledger: Sequence[Release] = (),
    correction: str | None = None,
    diary: pl.DataFrame = NO_DIARIES,
    by_design: ByDesign = as_estimated,
) -> Release:
    """Coarsen, estimate, disclose: pure, from a tally and the earlier releases to a release. `diary` is the tally of the
    wave's diaries (`person_weeks.DIARY_SCHEMA`), `by_design` gives estimates the uncertainty of strata and clusters.

    Raises `NotSafeToPublish` if so few answered that not even their number may be told.
    """
    _refuse_too_few(sum(export.rows_kept for export in exports), policy)
    asked = instrument.in_wave(wave)
    levels = coarsen(tally, asked, policy, earlier_levels(ledger, wave))
    mine = [release for release in ledger if release.wave == wave]
    hidden_before = pl.concat([release.frame() for release in mine]) if mine else None
    exact = _estimates(tally, diary, asked, levels, by_design)
    rows = disclose(exact, policy, hidden_before, Links(asked, levels))
    comparisons = published_comparisons(exact, rows, asked, levels)
    tests = published_tests(tested_lines(tally, exact, asked, levels), rows, asked, levels, policy)
    tidy, compared, tested = (_of_wave(frame, instrument, wave) for frame in (rows, comparisons, tests))
    return Release(
        instrument=InstrumentSummary(
            name=instrument.name, title=instrument.title, version=instrument.version, fingerprint=instrument.fingerprint
        ),
        wave=wave,
        release_number=len(mine) + 1,
        correction=correction if mine else None,
        provenance=names.INVENTED if any(export.invented for export in exports) else names.REAL,
        inputs_sha256=tuple(sorted(export.sha256 for export in exports)),
        policy=policy,
        stages=stages_of(exports, policy),
        corrections=corrections_of(exports, policy),
        levels=_published_levels(levels, asked),
        rows=tuple(tidy.iter_rows(named=True)),  # type: ignore[arg-type]
        comparisons=tuple(compared.iter_rows(named=True)),  # type: ignore[arg-type]
        tests=tuple(tested.iter_rows(named=True)),  # type: ignore[arg-type]
    )


def exact_frames(
    tally: pl.DataFrame,
    instrument: Instrument,
    levels: Levels,
    policy: Policy,
    diary: pl.DataFrame = NO_DIARIES,
    by_design: ByDesign = as_estimated,
) -> dict[str, pl.DataFrame]:
    """The exact numbers, not for publication, with the status that each row would have when published: "estimates" (tidy
    columns without instrument and wave), "comparisons" and "tests".
    """
    exact = _estimates(tally, diary, instrument, levels, by_design)
    rows = disclose(exact, policy, links=Links(instrument, levels))
    told = exact.with_columns(rows[names.STATUS])
    lines = tested_lines(tally, exact, instrument, levels)
    status = published_tests(lines, rows, instrument, levels, policy)[names.STATUS]
    return {
        "estimates": told.select(names.TIDY_COLUMNS[2:]),
        "comparisons": compare(told, instrument, levels),
        "tests": lines.with_columns(status).select(list(TESTS_SCHEMA)),
    }


def _estimates(
    tally: pl.DataFrame, diary: pl.DataFrame, instrument: Instrument, levels: Levels, by_design: ByDesign
) -> pl.DataFrame:
    """Exact rows of the answers, and after them of the diaries."""
    return pl.concat([by_design(estimate(tally, instrument, levels), levels), diary_rows(diary, instrument, levels)])


def _of_wave(frame: pl.DataFrame, instrument: Instrument, wave: str) -> pl.DataFrame:
    return frame.select(pl.lit(instrument.name).alias(names.INSTRUMENT), pl.lit(wave).alias(names.WAVE), pl.all())


def _refuse_too_few(n_kept: int, policy: Policy) -> None:
    if n_kept < policy.min_n:
        said = f"Fewer than {policy.min_n} answers" if policy.min_n > 1 else "None of the answers"
        raise NotSafeToPublish(
            f"{said} could be used, so nothing about them may be shown.",
            "Look at what was set aside and left out; if that is right, wait for more answers.",
        )


def earlier_levels(ledger: Sequence[Release], wave: str) -> dict[str, list[Level]]:
    """The levels of this wave's last release if it is being corrected, else of the wave before, as they were published."""
    before = _last(release for release in ledger if release.wave <= wave)
    if before is None:
        return {}
    return {
        exposure: [
            Level(code=level.code, label=level.label, members=level.members, merged=level.merged) for level in levels
        ]
        for exposure, levels in before.levels.items()
    }


def release_before(ledger: Sequence[Release], wave: str) -> Release | None:
    """The release in force of the wave before, if there is one."""
    return _last(release for release in ledger if release.wave < wave)


def _last(releases: Iterable[Release]) -> Release | None:
    return max(releases, key=lambda release: (release.wave, release.release_number), default=None)


def _published_levels(levels: Levels, instrument: Instrument) -> dict[str, tuple[PublishedLevel, ...]]:
    """The levels of every exposure that has rows: not of everybody, and not of a dose read again."""
    shown = {name: found for name, found in levels.items() if found and not _is_read_again(name, instrument)}
    return {name: tuple(_published_level(name, level, instrument) for level in found) for name, found in shown.items()}


def _is_read_again(exposure: str, instrument: Instrument) -> bool:
    return isinstance(exposure_of(instrument, exposure), DoseReading)


def _published_level(exposure: str, level: Level, instrument: Instrument) -> PublishedLevel:
    return PublishedLevel(
        code=level.code,
        label=level.label,
        made_of=made_of(instrument, exposure, level),
        members=level.members,
        merged=level.merged,
    )


STAGE_LABELS = {
    "rows_quarantined": "Set aside: a required answer was missing or not possible",
    names.Exclusion.EMPTY_ROW: "Left out: an empty row",
    names.Exclusion.IDENTICAL_ROW: "Left out: the same row handed in twice",
    names.Exclusion.NO_CONSENT: "Left out: no consent",
    names.Exclusion.SAME_RESPONDENT: "Left out: a second answer by the same person",
    names.Exclusion.SAME_TOKEN: "Left out: a second answer to the same invitation",
    names.Exclusion.SAME_ANSWERS_SOON: "Left out: the same answers handed in twice",
    names.Exclusion.UNFINISHED: "Left out: not finished",
    names.Exclusion.PREVIEW: "Left out: a trial answer of the survey's makers",
    names.Exclusion.REPEATED_ENTRY: "Left out: a repeated entry of somebody who is counted",
    names.Exclusion.OTHER_EVENT: "Left out: an answer at another event",
    names.Exclusion.KEPT_OUT: "Left out: by the steward, in the cleaning log",
    "rows_kept": "Answers used",
}
SHOWN_IF_ANY = frozenset(names.Exclusion) - {
    names.Exclusion.EMPTY_ROW,
    names.Exclusion.IDENTICAL_ROW,
    names.Exclusion.NO_CONSENT,
    names.Exclusion.SAME_RESPONDENT,
}
"""Stages that most surveys do not have."""
CORRECTION_LABELS = {"set_to": "Answers set to what was meant", "dropped": "Answers dropped"}


def stages_of(exports: Sequence[ExportReport], policy: Policy) -> tuple[StageCount, ...]:
    """Rows at each stage, rounded and hidden like any other count of people."""
    counts = {stage: sum(export.rows_excluded.get(stage, 0) for export in exports) for stage in STAGE_LABELS}
    counts["rows_quarantined"] = sum(export.rows_quarantined for export in exports)
    counts["rows_kept"] = sum(export.rows_kept for export in exports)
    shown = [stage for stage in STAGE_LABELS if counts[stage] or stage not in SHOWN_IF_ANY]
    parts = [(str(stage), STAGE_LABELS[stage], counts[stage]) for stage in shown]
    return disclose_stages(sum(export.rows_read for export in exports), parts, policy)


def corrections_of(exports: Sequence[ExportReport], policy: Policy) -> tuple[StageCount, ...]:
    """Answers that were corrected before they were counted; rows kept out are among the stages."""
    counts = {name: sum(export.corrected.get(name, 0) for export in exports) for name in CORRECTION_LABELS}
    return disclose_counts([(name, CORRECTION_LABELS[name], n) for name, n in counts.items() if n], policy)

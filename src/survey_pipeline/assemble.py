"""Assemble: a tally becomes the release of a wave.

What belongs here: calling coarsen, estimate, disclose and the proof in order and putting their results together with where
they came from. Pure: from a tally and the earlier releases to a release. What does not: storing it (`stages`).
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

import polars as pl

from survey_pipeline import names
from survey_pipeline.coarsen import coarsen, next_coarser
from survey_pipeline.disclose import Disclosure, Links, disclose, disclose_counts, disclose_stages
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
from survey_pipeline.language import later
from survey_pipeline.levels import DoseReading, Level, cut_anew, exposure_of, factors, made_of
from survey_pipeline.outcomes import exposures
from survey_pipeline.person_weeks import DIARY_SCHEMA, diary_rows
from survey_pipeline.proof.told import Told
from survey_pipeline.proving import NotProved, proved
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
    same_people: Sequence[Told] = (),
) -> Release:
    """Coarsen, estimate, disclose, prove: pure, from a tally and the earlier releases to a release. `diary` is the tally of
    the wave's diaries (`person_weeks.DIARY_SCHEMA`), `by_design` gives estimates the uncertainty of strata and clusters.
    `same_people`: those of the earlier releases that are about exactly the same answers, which are proved together with it.

    Raises `NotSafeToPublish` if so few answered that not even their number may be told, or if no proof can be had.
    """
    _refuse_too_few(sum(export.rows_kept for export in exports), policy)
    asked = instrument.in_wave(wave)
    _refuse_cut_anew(same_people, asked)
    maker = _Maker(tally, instrument, asked, policy, wave, exports, ledger, correction, diary, by_design)
    levels = coarsen(tally, asked, policy, earlier_levels(ledger, wave, asked))
    for _ in range(MOST_MERGES):
        try:
            return maker.proved(levels, same_people)
        except NotProved as stuck:
            levels = maker.coarser(levels, stuck.exposures)
    raise NotSafeToPublish(UNPROVED, "Wait for more answers, or take tables out of the instrument.")


MOST_MERGES = 20
"""Times that more levels are merged for the proof's sake, before nothing is published."""
UNPROVED = "No release could be made of which it is proved that it gives nobody away, so nothing was published."


@dataclass(frozen=True)
class _Maker:
    """What a release is made of, whatever its levels and whatever more is hidden."""

    tally: pl.DataFrame
    instrument: Instrument
    asked: Instrument
    policy: Policy
    wave: str
    exports: Sequence[ExportReport]
    ledger: Sequence[Release]
    correction: str | None
    diary: pl.DataFrame
    by_design: ByDesign

    @property
    def mine(self) -> list[Release]:
        """The wave's earlier releases."""
        return [release for release in self.ledger if release.wave == self.wave]

    def proved(self, levels: Levels, same_people: Sequence[Told]) -> Release:
        """The release at these levels, proved. Raises `NotProved`."""
        exact = _estimates(self.tally, self.diary, self.asked, levels, self.by_design)
        hidden_before = pl.concat([release.frame() for release in self.mine]) if self.mine else None
        disclosure = Disclosure(exact, self.policy, hidden_before, Links(self.asked, levels))
        release = proved(
            lambda also: self._with_rows(_of_wave(disclosure.rows(also), self.instrument, self.wave), levels),
            list(exact.iter_rows(named=True)),
            lambda made: Told(made, self.asked),
            same_people,
        )
        return self._compared(release, exact, levels)

    def coarser(self, levels: Levels, exposures_: Collection[str]) -> dict[str, tuple[Level, ...]]:
        """One further merge of each of these exposures. Raises `NotSafeToPublish` where nothing is left to merge."""
        ways = {
            name: next_coarser(levels, name, self.asked, self.tally) for name in sorted(exposures_) if name in levels
        }
        together = {name: (codes,) for name, codes in ways.items() if codes}
        if not together:
            raise NotSafeToPublish(UNPROVED, "Wait for more answers, or take tables out of the instrument.")
        return coarsen(self.tally, self.asked, self.policy, levels, together)

    def _with_rows(self, rows: pl.DataFrame, levels: Levels) -> Release:
        named = self.instrument
        return Release(
            instrument=InstrumentSummary(
                name=named.name, title=named.title, version=named.version, fingerprint=named.fingerprint
            ),
            wave=self.wave,
            release_number=len(self.mine) + 1,
            correction=self.correction if self.mine else None,
            provenance=names.INVENTED if any(export.invented for export in self.exports) else names.REAL,
            inputs_sha256=tuple(sorted(export.sha256 for export in self.exports)),
            policy=self.policy,
            stages=stages_of(self.exports, self.policy),
            corrections=corrections_of(self.exports, self.policy),
            levels=_published_levels(levels, self.asked),
            rows=tuple(rows.iter_rows(named=True)),  # type: ignore[arg-type]
        )

    def _compared(self, release: Release, exact: pl.DataFrame, levels: Levels) -> Release:
        """With comparisons and tests, which are made where their rows are shown."""
        rows = release.frame()
        comparisons = published_comparisons(exact, rows, self.asked, levels)
        lines = tested_lines(self.tally, exact, self.asked, levels)
        tests = published_tests(lines, rows, self.asked, levels, self.policy)
        compared, tested = (_of_wave(frame, self.instrument, self.wave) for frame in (comparisons, tests))
        more = {"comparisons": list(compared.iter_rows(named=True)), "tests": list(tested.iter_rows(named=True))}
        return Release.model_validate(release.model_dump() | more)


def exact_frames(
    tally: pl.DataFrame,
    instrument: Instrument,
    levels: Levels,
    policy: Policy,
    diary: pl.DataFrame = NO_DIARIES,
    by_design: ByDesign = as_estimated,
    published: pl.DataFrame | None = None,
) -> dict[str, pl.DataFrame]:
    """The exact numbers, not for publication, with the status that each row would have when published: "estimates" (tidy
    columns without instrument and wave), "comparisons" and "tests".

    `published`: the rows of the wave's release, where there is one. What its proof hid is hidden here; without it, the status
    is the one before the proof, which may hide more.
    """
    exact = _estimates(tally, diary, instrument, levels, by_design)
    rows = disclose(exact, policy, published, Links(instrument, levels))
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


def _refuse_cut_anew(same_people: Sequence[Told], instrument: Instrument) -> None:
    """Two cuts of the same people tell how many lie between their ends, which may be one or two."""
    for told in same_people:
        anew = sorted(cut_anew(told.instrument, instrument) & told.release.levels.keys())
        if anew:
            raise NotSafeToPublish(
                f"The bands of '{anew[0]}' end elsewhere than in release {told.release.release_number} of wave "
                f"{told.release.wave}, which is about the same people: both together would tell who lies between.",
                "Keep the bands for this wave, and cut anew from the next wave on.",
            )


def earlier_levels(ledger: Sequence[Release], wave: str, instrument: Instrument) -> dict[str, list[Level]]:
    """The levels of this wave's last release if it is being corrected, else of the wave before, as they were published.

    Without those of exposures whose levels are chosen anew between that wave and this one (`levels_from`).
    """
    before = _last(release for release in ledger if release.wave <= wave)
    if before is None:
        return {}
    anew = _chosen_anew(instrument, before.wave, wave)
    return {
        exposure: [
            Level(code=level.code, label=level.label, members=level.members, merged=level.merged) for level in levels
        ]
        for exposure, levels in before.levels.items()
        if exposure not in anew
    }


def _chosen_anew(instrument: Instrument, before: str, wave: str) -> set[str]:
    """The exposures whose levels need not be those of a wave before."""
    items = {name for name, item in instrument.items.items() if item.is_cut_anew(before, wave)}
    return {name for name in exposures(instrument) if items.intersection(factors(instrument, name))}


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
    "rows_quarantined": later("Set aside: a required answer was missing or not possible"),
    names.Exclusion.EMPTY_ROW: later("Left out: an empty row"),
    names.Exclusion.IDENTICAL_ROW: later("Left out: the same row handed in twice"),
    names.Exclusion.NO_CONSENT: later("Left out: no consent"),
    names.Exclusion.SAME_RESPONDENT: later("Left out: a second answer by the same person"),
    names.Exclusion.SAME_TOKEN: later("Left out: a second answer to the same invitation"),
    names.Exclusion.SAME_ANSWERS_SOON: later("Left out: the same answers handed in twice"),
    names.Exclusion.UNFINISHED: later("Left out: not finished"),
    names.Exclusion.PREVIEW: later("Left out: a trial answer of the survey's makers"),
    names.Exclusion.REPEATED_ENTRY: later("Left out: a repeated entry of somebody who is counted"),
    names.Exclusion.OTHER_EVENT: later("Left out: an answer at another event"),
    names.Exclusion.KEPT_OUT: later("Left out: by the steward, in the cleaning log"),
    names.Exclusion.WITHDRAWN: later("Left out: withdrawn by the person"),
    "rows_kept": later("Answers used"),
}
SHOWN_IF_ANY = frozenset(names.Exclusion) - {
    names.Exclusion.EMPTY_ROW,
    names.Exclusion.IDENTICAL_ROW,
    names.Exclusion.NO_CONSENT,
    names.Exclusion.SAME_RESPONDENT,
}
"""Stages that most surveys do not have."""
CORRECTION_LABELS = {"set_to": later("Answers set to what was meant"), "dropped": later("Answers dropped")}


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

"""Artifacts: what a run leaves in Prefect for people to look at.

What belongs here: progress, counts and the published table, as Prefect shows them. What does not: a respondent's value, a
heading of an export (an export without headings has answers there), or anything computed anew.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

import prefect_settings  # noqa: F401 - Prefect reads its settings while it is imported, so they come first

# isort: split
from prefect.artifacts import (
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)

from survey_pipeline import names
from survey_pipeline.instrument import Instrument
from survey_pipeline.outcomes import tables
from survey_pipeline.pipeline import WaveRun
from survey_pipeline.reading import ExportReport
from survey_pipeline.release import Release, Row
from survey_pipeline.storage import StoredRelease

SMALL = 200
"""Rows up to which a release is shown whole."""
SHOWN = (
    names.TABLE,
    names.LEVEL,
    names.OUTCOME,
    names.STATISTIC,
    names.ESTIMATE,
    names.CI_LOWER,
    names.CI_UPPER,
    names.N_RESPONDENTS,
    names.STATUS,
)


def key(*parts: str) -> str:
    """A name for an artifact; Prefect takes lower case, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", "-".join(parts).lower()).strip("-")


class Progress:
    """A bar that advances by one of `total` steps at a time."""

    def __init__(self, name: str, total: int) -> None:
        self.total, self.done = total, 0
        created = create_progress_artifact(progress=0.0, key=name, description=f"0 of {total}")
        assert isinstance(created, UUID)  # a coroutine only where it is called from one
        self.artifact = created

    def advance(self, step: str) -> None:
        """Say which step is done."""
        self.done += 1
        share = min(100.0, 100.0 * self.done / self.total)
        description = f"{self.done} of {self.total}: {step}"
        update_progress_artifact(artifact_id=self.artifact, progress=share, description=description)


# --- Counts -----------------------------------------------------------------------------------------------------------


def keep_counts(done: WaveRun) -> None:
    """What became of the rows, as a page."""
    create_markdown_artifact(
        key=key(done.instrument, done.wave, "counts"),
        markdown=counts_page(done),
        description=f"What became of the rows of {done.instrument} {done.wave}",
    )


def counts_page(done: WaveRun) -> str:
    """Exact counts of rows by stage and of refused answers by item and rule; never a value."""
    blocks = [f"# {done.instrument} {done.wave}", "Exact counts, for the steward: not for publication."]
    for report in done.exports:
        blocks += [f"## {report.file}", _table(("rows", "n"), _rows_by_stage(report))]
        refused = list(_refused(report))
        blocks.append(_table(("item", "rule", "answers refused"), refused) if refused else "No answer was refused.")
    blocks += [
        f"Release {released.release_number}: {released.rows_published} numbers published, "
        f"{released.rows_suppressed} suppressed{'' if released.is_new else '; nothing has changed since'}."
        for released in done.releases
    ]
    blocks += [f"Release {proposed.release_number} waits for approval: not published." for proposed in done.proposals]
    return "\n\n".join(blocks) + "\n"


def _rows_by_stage(report: ExportReport) -> Iterator[tuple[str, int]]:
    yield "read", report.rows_read
    yield "kept", report.rows_kept
    yield "quarantined", report.rows_quarantined
    yield from ((f"excluded: {reason}", n) for reason, n in report.rows_excluded.items())


def _refused(report: ExportReport) -> Iterator[tuple[str, str, int]]:
    for item, rules in report.values_refused.items():
        yield from ((item, rule, n) for rule, n in rules.items())


def _table(headings: Sequence[str], rows: Iterator[Sequence[Any]] | Sequence[Sequence[Any]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


# --- The release ------------------------------------------------------------------------------------------------------


def keep_release(stored: StoredRelease) -> None:
    """The published numbers, as a table."""
    release = stored.release
    instrument = Instrument.model_validate_json(stored.instrument_definition)
    create_table_artifact(
        key=key(instrument.name, release.wave, "release"),
        table=[{name: getattr(row, name) for name in SHOWN} for row in rows_to_show(release, instrument)],
        description=(
            f"{instrument.title}, {release.wave}, release {release.release_number}, made from {release.provenance}. "
            "What people reported, not what anything did to them; the report says more."
        ),
    )


def rows_to_show(release: Release, instrument: Instrument) -> list[Row]:
    """The whole release if it is small, else the main outcomes of the tables by form and by dose."""
    if len(release.rows) <= SMALL:
        return list(release.rows)
    main = {
        (table.name, outcome.name)
        for table in tables(instrument)
        for outcome in table.outcomes
        if outcome.primary and table.exposure in (instrument.form, instrument.dose)
    }
    return [row for row in release.rows if (row.table, row.outcome) in main]

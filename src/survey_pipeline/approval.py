"""Approval: what a person decides about a release before it is published, and what that person is shown.

What belongs here: what waits and what was decided, read from the ledger's entries, and the files of a review bundle. Pure.
What does not: putting them anywhere, and rendering what is approved (`reviewing`).
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from shlex import join
from typing import Any

import polars as pl

from survey_pipeline import names
from survey_pipeline.disclose import hide_small_levels, too_small
from survey_pipeline.errors import NotSafeToPublish, Rejected, WrongUsage
from survey_pipeline.ledger import Entry, Kind
from survey_pipeline.personal import mentioned
from survey_pipeline.plural import n_of
from survey_pipeline.release import Policy, Release
from survey_pipeline.spreadsheets import harmless_frame

PAGE, REPORT, TABLES = "proposal.md", "report/", "tables/"
MARKED_BY = (names.TABLE, names.EXPOSURE, names.LEVEL, names.OUTCOME, names.STATISTIC)
"""What names a row of a release."""


# --- What waits, and what was decided ---------------------------------------------------------------------------------


def waiting(entries: Sequence[Entry], wave: str) -> Entry | None:
    """The proposal of a wave that nobody has decided about yet; the newest takes the place of those before it."""
    decisive = (Kind.RELEASE, Kind.PROPOSAL, Kind.REJECTION)
    mine = [entry for entry in entries if entry.wave == wave and entry.kind in decisive]
    return mine[-1] if mine and mine[-1].kind is Kind.PROPOSAL else None


def waiting_with(entries: Sequence[Entry], wave: str, fingerprint: str) -> Entry | None:
    """The same, if it was made from these inputs."""
    found = waiting(entries, wave)
    return found if found and found.fingerprint == fingerprint else None


def overtaken_by(entries: Sequence[Entry], proposal: Entry) -> Entry | None:
    """What was published or withdrawn since something was proposed. It was proved safe beside what there was then, and may
    not be safe beside this; nor may it hold people who have withdrawn.
    """
    later = (Kind.RELEASE, Kind.WITHDRAWAL)
    since = (entry for entry in entries if entry.entry > proposal.entry and entry.kind in later)
    return next(since, None)


def standing_proposal(entries: Sequence[Entry], wave: str, fingerprint: str) -> Entry | None:
    """The proposal that a run of these inputs need not make again."""
    found = waiting_with(entries, wave, fingerprint)
    return found if found and not overtaken_by(entries, found) else None


def refuse_rejected(entries: Sequence[Entry], wave: str, fingerprint: str) -> None:
    """Raise `Rejected` if the same inputs were rejected for this wave."""
    for entry in entries:
        if (entry.kind, entry.wave, entry.fingerprint) == (Kind.REJECTION, wave, fingerprint):
            raise Rejected(
                f"The wave '{wave}' was rejected as it is, by {entry.by}: {entry.reason}",
                "Run it again once the exports, the corrections, the instrument or the policy have changed.",
            )


def put_away(entries: Sequence[Entry], wave: str, fingerprint: str) -> Entry | None:
    """The rejection of the same inputs, where since then nobody has withdrawn and the wave was not published."""
    for entry in reversed(entries):
        if entry.kind is Kind.WITHDRAWAL or (entry.kind, entry.wave) == (Kind.RELEASE, wave):
            return None
        if (entry.kind, entry.wave, entry.fingerprint) == (Kind.REJECTION, wave, fingerprint):
            return entry
    return None


def decided(entries: Sequence[Entry], instrument: str, wave: str, kind: Kind, by: str, reason: str) -> Entry:
    """What waits as the release that is approved, or as a rejection; not yet placed in the chain.

    Raises `WrongUsage` if nothing waits or if who and why are not said in a way that can be kept, `NotSafeToPublish` if
    something was published or withdrawn since it was proposed and it is to be approved.
    """
    by, reason = _said("name", by), _said("reason", reason)
    proposal = waiting(entries, wave)
    if proposal is None:
        raise WrongUsage(f"Nothing of '{instrument}' {wave} waits for approval.", _what_there_is(entries))
    if kind is Kind.REJECTION:
        return replace(proposal, kind=kind, document=None, notes=None, by=by, reason=reason)
    _refuse_overtaken(entries, proposal)
    return replace(proposal, kind=kind, by=by, reason=reason)


def _refuse_overtaken(entries: Sequence[Entry], proposal: Entry) -> None:
    if later := overtaken_by(entries, proposal):
        raise NotSafeToPublish(
            f"Since it was proposed, there is {later.title}, and the proposal was not proved safe beside that.",
            "Run the wave again: it is then proposed anew, as what may be published now.",
        )


def _what_there_is(entries: Sequence[Entry]) -> str:
    waves = sorted({str(entry.wave) for entry in entries if entry.wave and waiting(entries, entry.wave)})
    return (
        f"Waiting: {', '.join(waves)}."
        if waves
        else "No wave of it waits: `survey-pipeline history` shows what was decided."
    )


def _said(what: str, text: str) -> str:
    """A name or a reason, on one line, as it may stand in the ledger for good."""
    told = " ".join(text.encode("utf-8", errors="replace").decode().split())
    if not any(map(str.isalpha, told)):
        raise WrongUsage(f"The {what} is empty.", "Say who decides with --by, and why with --reason.")
    if personal := mentioned(told):
        raise WrongUsage(
            f"The {what} holds {personal.phrase}, and it stays in the ledger for good.",
            "Give a name, and say why without saying how anybody can be reached.",
        )
    return told


# --- Why something is hidden ------------------------------------------------------------------------------------------


class Why(StrEnum):
    """Why a row is hidden: for the reviewer only, and without any count."""

    TOO_SMALL = "too small by itself"
    EARLIER = "hidden in an earlier release of the wave"
    SHIELDS = "hidden with its whole level, which shields a small one"
    PROTECTS = "hidden to protect another"


def marks(exact: pl.DataFrame, release: Release, earlier: Sequence[Release] = ()) -> pl.DataFrame:
    """The hidden rows of a release, in its order, each with the first reason why.

    `exact`: the estimates that it was made of, as `estimate.ESTIMATES_SCHEMA`; `earlier`: earlier releases of the wave.
    """
    because = _reasons(list(exact.iter_rows(named=True)), release.policy)
    before = {key for one in earlier for key in _hidden(one)}
    rows = [(*key, _why(key, because, before)) for key in _hidden(release)]
    return pl.DataFrame(rows, schema=dict.fromkeys((*MARKED_BY, "why"), pl.String), orient="row")


def _hidden(release: Release) -> list[tuple[str, ...]]:
    hidden = (row for row in release.rows if row.status is names.Status.SUPPRESSED)
    return [tuple(str(getattr(row, name)) for name in MARKED_BY) for row in hidden]


def _why(key: tuple[str, ...], because: Mapping[tuple[str, ...], Why], before: set[tuple[str, ...]]) -> Why:
    found = because.get(key, Why.PROTECTS)
    return Why.EARLIER if key in before and found is not Why.TOO_SMALL else found


def _reasons(rows: Sequence[dict[str, Any]], policy: Policy) -> dict[tuple[str, ...], Why]:
    """Rows that are hidden for what they are themselves, and with their level; the rest goes to protect those."""
    small = [too_small(row, policy) or 0 < row["n_level"] < policy.min_n for row in rows]
    with_level = list(small)
    hide_small_levels(rows, with_level, policy)
    kinds = (
        (Why.TOO_SMALL if alone else Why.SHIELDS if level else None)
        for alone, level in zip(small, with_level, strict=True)
    )
    keys = (tuple(str(row[name]) for name in MARKED_BY) for row in rows)
    return {key: kind for key, kind in zip(keys, kinds, strict=True) if kind}


# --- The bundle -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Proposed:
    """What a reviewer looks at: the release, what it is in the ledger, why rows are hidden, and the report as it would be."""

    release: Release
    entry: Entry
    marks: pl.DataFrame
    """As `marks` gives them."""
    report: Mapping[str, bytes]
    """Files by their path in the report's folder."""
    options: tuple[str, ...]
    """What says on the command line which survey and where."""


def bundle(proposed: Proposed) -> dict[str, bytes]:
    """The files of a review bundle by path: the page to begin with, the tables, the marks, the proof, the report."""
    tables = {name: content for name, content in proposed.report.items() if name.startswith(TABLES)}
    proof = proposed.release.model_dump(mode="json").get("proof")
    return {
        PAGE: page(proposed).encode(),
        "marks.csv": harmless_frame(proposed.marks).write_csv(line_terminator="\n").encode(),
        **({"proof.json": (json.dumps(proof, indent=1, ensure_ascii=False) + "\n").encode()} if proof else {}),
        **tables,
        **{REPORT + name: content for name, content in proposed.report.items()},
    }


def page(proposed: Proposed) -> str:
    """The page to begin with, in Markdown: what it is, what to look at, how to decide, what was done to protect people."""
    release = proposed.release
    parts = (_what(proposed), _how(proposed), _rules(release), _stages(release), _merged(release), _rows(proposed))
    return "\n".join(line for part in parts for line in part) + "\n"


def _what(proposed: Proposed) -> Iterator[str]:
    release = proposed.release
    yield f"# {release.instrument.title}, {release.wave}: release {release.release_number} waits for approval"
    yield ""
    yield f"Made from {release.provenance}; entry {proposed.entry.entry} of the ledger. For you to look at, not to hand on."
    if release.correction:
        yield f"It corrects what is published: {release.correction}"
    yield ""
    yield "What to look at:"
    yield ""
    yield "- `report/index.html` and `report/newsletter.md`: the report, as it would be published"
    yield "- `tables/`: every number that would be published"
    yield "- `marks.csv`: every row without a number, and why it has none (this file is for you alone)"
    if "proof" in Release.model_fields:
        yield "- `proof.json`: what the programme proved about all of it together"
    yield "- Could anybody you know be recognised, by one number or by several?"
    yield "- Does a sentence claim more than people reported?"
    yield ""


def _how(proposed: Proposed) -> Iterator[str]:
    yield "## How to decide"
    yield ""
    for command, reason in (("approve", "looked at every table"), ("reject", "what is wrong with it")):
        yield f"    survey-pipeline {command} {join(proposed.options)} --by NAME --reason '{reason}'"
    yield ""
    yield "Approved, it is published as it is here. Rejected, the same inputs are not proposed again; others are. Name and"
    yield "reason are kept for good, and go along when the ledger is exported: say nothing about anybody who answered."
    yield ""


def _rules(release: Release) -> Iterator[str]:
    yield f"## The policy: {release.policy.name}"
    yield ""
    for key, value in release.policy.model_dump(mode="json", exclude={"name"}).items():
        if value not in (None, [], False):
            yield f"- {key}: {value}"
    yield ""


def _stages(release: Release) -> Iterator[str]:
    yield "## From rows to answers, as published"
    yield ""
    for stage in (*release.stages, *release.corrections):
        yield f"- {stage.label}: {'hidden' if stage.hidden else stage.n}"
    yield ""


def _merged(release: Release) -> Iterator[str]:
    yield "## Levels that were merged"
    yield ""
    merged = [(exposure, level) for exposure, found in release.levels.items() for level in found if level.merged]
    for exposure, level in merged:
        yield f"- {exposure}: {level.label} (made of {', '.join(level.made_of)})"
    if not merged:
        yield "None."
    yield ""


def _rows(proposed: Proposed) -> Iterator[str]:
    """Rows by table and by reason: of the release, not of people."""
    all_rows = Counter(row.table for row in proposed.release.rows)
    hidden = Counter(proposed.marks[names.TABLE])
    yield "## Rows shown and hidden"
    yield ""
    for table, n in all_rows.items():
        yield f"- {table}: {n - hidden[table]} shown, {hidden[table]} hidden"
    yield ""
    for why, n in sorted(Counter(proposed.marks["why"]).items()):
        yield f"- {why}: {n_of(n, 'row')}"

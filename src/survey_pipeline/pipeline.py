"""The pipeline: every stage of a run, in order, on one page.

What belongs here: which stage follows which, and the ways in which a run is asked for. What does not: how a stage does its
work (`stages`, and below it a module each), and when, where and how often a run is called (`flows/`).
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any, Protocol, TypeVar

from survey_pipeline.reading import PROVE, ExportReport, Tell, silently
from survey_pipeline.rendering import render_wave
from survey_pipeline.request import RunRequest
from survey_pipeline.reviewing import show_proposal
from survey_pipeline.stages import ReleasedWave, count_wave, ingest_wave
from survey_pipeline.storage import Warehouse
from survey_pipeline.withdrawing import disclose_or_wait

T = TypeVar("T")


class Call(Protocol):
    """How a stage is called: plainly, or as a task of an orchestrator."""

    def __call__(self, stage: str, function: Callable[..., T], /, *references: Any) -> T: ...


def plainly(stage: str, function: Callable[..., T], /, *references: Any) -> T:
    """Call a stage as an ordinary function."""
    return function(*references)


@dataclass(frozen=True)
class WaveRun:
    """What a run did, for people and for `--json`. Counts are exact: for the steward, not for publication."""

    instrument: str
    wave: str
    exports: tuple[ExportReport, ...]
    releases: tuple[ReleasedWave, ...] = ()
    reports: tuple[str, ...] = ()
    proposals: tuple[ReleasedWave, ...] = ()
    """What waits for approval instead of being released."""
    review: tuple[str, ...] = ()
    """Where a reviewer begins to look at what waits."""
    changes: tuple[dict[str, Any], ...] = ()
    """What the instrument asks otherwise than in the wave before."""
    remarks: tuple[str, ...] = ()
    """What the steward should know besides, in plain sentences."""

    @property
    def waiting_for_approval(self) -> bool:
        return bool(self.proposals)

    def as_json(self) -> dict[str, Any]:
        document = {**asdict(self), "waiting_for_approval": self.waiting_for_approval}
        return json.loads(json.dumps(document))  # type: ignore[no-any-return]


def run_wave(request: RunRequest, call: Call = plainly, tell: Tell = silently) -> WaveRun:
    """Every stage for one wave. The same inputs again change nothing. Where the policy asks for approval, what is rendered is
    put before a reviewer instead of among the reports.

    Raises `InputRefused` if the exports or the instrument cannot be taken, or if the wave was published from other inputs
    and no correction is given; `NotSafeToPublish` if nothing may be shown; `WarehouseBusy` if another run is at work.
    """
    with Warehouse(request.warehouse_location).held():
        read = call("ingest", partial(ingest_wave, tell=tell), request)
        counted = call("count", partial(count_wave, tell=tell), request, read)
        tell(PROVE, 0)
        released = call("disclose", disclose_or_wait, request, read, counted)
        pages = call("render", show_proposal if released.waits_for_approval else render_wave, request, released)
    remarks = (*read.remarks, *released.remarks)
    done = WaveRun(read.instrument, read.wave, read.exports, changes=read.changes, remarks=remarks)
    if released.waits_for_approval:
        return replace(done, proposals=(released,), review=pages)
    return replace(done, releases=(released,), reports=pages)

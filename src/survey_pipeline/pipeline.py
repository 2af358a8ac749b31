"""The pipeline: every stage of a run, in order, on one page.

What belongs here: which stage follows which, and the ways in which a run is asked for. What does not: how a stage does its
work (`stages`, and below it a module each), and when, where and how often a run is called (`flows/`).
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

from survey_pipeline.reading import ExportReport, Tell, silently
from survey_pipeline.request import RunRequest
from survey_pipeline.stages import ReleasedWave, count_wave, disclose_wave, ingest_wave, render_wave
from survey_pipeline.storage import Warehouse

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
    changes: tuple[dict[str, Any], ...] = ()
    """What the instrument asks otherwise than in the wave before."""
    remarks: tuple[str, ...] = ()
    """What the steward should know besides, in plain sentences."""

    def as_json(self) -> dict[str, Any]:
        return json.loads(json.dumps(asdict(self)))  # type: ignore[no-any-return]


def run_wave(request: RunRequest, call: Call = plainly, tell: Tell = silently) -> WaveRun:
    """Every stage for one wave. The same inputs again change nothing.

    Raises `InputRefused` if the exports or the instrument cannot be taken, or if the wave was published from other inputs
    and no correction is given; `NotSafeToPublish` if nothing may be shown; `WarehouseBusy` if another run is at work.
    """
    with Warehouse(request.warehouse_location).held():
        read = call("ingest", partial(ingest_wave, tell=tell), request)
        counted = call("count", partial(count_wave, tell=tell), request, read)
        released = call("disclose", disclose_wave, request, read, counted)
        reports = call("render", render_wave, request, released)
    return WaveRun(read.instrument, read.wave, read.exports, (released,), reports, read.changes, read.remarks)

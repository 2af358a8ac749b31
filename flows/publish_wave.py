"""The flow publish-wave: one wave, every stage a task, with what became of it kept as artifacts.

What belongs here: what a run of one wave is asked for, on a schedule or by hand. What does not: the stages and their order
(`survey_pipeline.pipeline`), and how Prefect calls them (`orchestration`).

    python flows/publish_wave.py EXPORT... --instrument NAME --wave WAVE
    python flows/publish_wave.py --folder FOLDER --instrument NAME
"""

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Self

from artifacts import Progress, keep_counts, keep_release, key
from orchestration import Stages, flow, run_as_program, start_server, succeeded
from pydantic import Field, ValidationError, model_validator

from survey_pipeline.console import progress, tell_run
from survey_pipeline.errors import WrongUsage
from survey_pipeline.instrument import explain
from survey_pipeline.pipeline import run_wave
from survey_pipeline.request import NOTHING_BY_HAND, ByHand, Places, RunRequest, Wave, check_wave
from survey_pipeline.storage import Warehouse, latest
from survey_pipeline.waves import newest_wave

N_STAGES = 4
"""How long the progress bar is. A test counts: which stages there are stands in `run_wave` alone."""


class PublishWave(Places):
    """One wave to publish: its exports, or the newest wave of a folder, which a schedule can name in advance.

    A folder without anything new changes nothing, so the schedule may run as often as it likes.
    """

    instrument: str
    exports: tuple[Path, ...] = ()
    wave: Wave | None = None
    folder: Path | None = None
    correction: str | None = Field(default=None, min_length=3)
    by_hand: ByHand = NOTHING_BY_HAND

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        by_hand = bool(self.exports) and self.wave is not None
        if by_hand == (self.folder is not None) or (self.folder and (self.exports or self.wave)):
            raise ValueError("Give either exports and their wave, or a folder of waves")
        return self

    @property
    def label(self) -> str:
        return self.wave or "the newest wave"

    def request(self) -> RunRequest:
        """What the pipeline is asked for; raises `WrongUsage` if the folder holds no waves."""
        wave, exports = newest_wave(self.folder) if self.folder else (self.wave, self.exports)
        given = self.model_dump(exclude={"folder", "wave", "exports"})
        return RunRequest.checked(**given, wave=wave, exports=exports)


@flow("publish-wave", run_name="publish {asked.label}")
def publish_wave(asked: PublishWave) -> str | None:
    """Make one wave; the same inputs again change nothing. One that needs approval waits, which is no failure."""
    request = asked.request()
    bar = Progress(key("publish", request.wave, "progress"), N_STAGES)
    with progress() as tell:
        done = run_wave(request, Stages(after=bar.advance), tell)
    tell_run(done, request)
    keep_counts(done)
    if done.waiting_for_approval:
        return f"The wave {done.wave} of {done.instrument} waits for approval. Nothing is published yet."
    keep_release(latest(Warehouse(request.warehouse_location).releases(done.instrument))[done.wave])
    return None


def main() -> None:
    """Publish the wave that the command line names."""
    asked = _asked()
    asked.request()  # a mistyped folder is told before the server is started
    start_server()
    succeeded(publish_wave(asked, return_state=True))


def common_options() -> ArgumentParser:
    """Options of every flow's command line: which survey, and where things lie, as for `survey-pipeline`."""
    given = os.environ.get
    common = ArgumentParser(add_help=False)
    common.add_argument("--instrument", required=True, help="a shipped instrument or a path")
    common.add_argument("--home", type=Path, default=given("SURVEY_PIPELINE_HOME", "."), help="default: this folder")
    common.add_argument("--warehouse", default=given("SURVEY_PIPELINE_WAREHOUSE"), help="a folder or object-store URL")
    common.add_argument("--reports", type=Path, default=given("SURVEY_PIPELINE_REPORTS"), help="where reports go")
    common.add_argument("--language", default=given("SURVEY_PIPELINE_LANGUAGE"), help="of reports: en, de or es")
    return common


def _asked() -> PublishWave:
    parser = ArgumentParser(description="Publish one wave through Prefect.", parents=[common_options()])
    parser.add_argument("exports", nargs="*", type=Path, help="exports of one wave, as the survey tool wrote them")
    parser.add_argument("--wave", help="2026, 2026-03, 2026-Q1 or 2026-W09")
    parser.add_argument("--folder", type=Path, help="instead of exports and a wave: the newest wave in this folder")
    parser.add_argument("--correction", help="why a published wave is made again from other inputs")
    given = vars(parser.parse_args())
    if given["wave"] is not None:
        check_wave(given["wave"])
    try:
        return PublishWave(**given)
    except ValidationError as error:
        raise WrongUsage(explain(error, PublishWave).removeprefix("At the file: "), "See --help.") from None


if __name__ == "__main__":
    run_as_program(main)

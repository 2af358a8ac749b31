"""The flow backfill: every wave of a folder, in order.

What belongs here: going from wave to wave. What does not: how one is made (`publish_wave`), and how waves are told apart
(`survey_pipeline.waves`). Waves that are published already stay as they are, so a backfill can be run again at any time.

    python flows/backfill.py FOLDER --instrument NAME
"""

from argparse import ArgumentParser
from pathlib import Path

from artifacts import Progress, key
from orchestration import flow, put_aside, run_as_program, start_server, succeeded
from publish_wave import PublishWave, common_options, publish_wave

from survey_pipeline.console import words
from survey_pipeline.errors import AlreadyPublished, Rejected
from survey_pipeline.instrument import load_instrument
from survey_pipeline.request import NOTHING_BY_HAND, ByHand, Places
from survey_pipeline.waves import find_waves


class Backfill(Places):
    """Every wave in a folder."""

    folder: Path
    instrument: str
    by_hand: ByHand = NOTHING_BY_HAND

    def waves(self) -> list[PublishWave]:
        """What to publish, in order; raises `WrongUsage` if the folder holds no waves."""
        given = self.model_dump(exclude={"folder"})
        return [PublishWave(**given, wave=wave, exports=exports) for wave, exports in find_waves(self.folder).items()]


@flow("backfill", run_name="backfill {asked.folder.name}")
def backfill(asked: Backfill) -> None:
    """Make every wave of a folder in order; a wave that fails ends it, and what was done before stays."""
    waves = asked.waves()
    bar = Progress(key("backfill", asked.folder.name, "progress"), len(waves))
    for wave in waves:
        state = publish_wave(wave, return_state=True)
        if not state.is_completed() and left_as_it_is():
            bar.advance(wave.label)
            continue
        if not state.is_completed():
            _tell_stopped(wave.label, [later.label for later in waves[waves.index(wave) + 1 :]])
        succeeded(state)
        bar.advance(wave.label)
    _tell_newest(asked, waves[-1])


def left_as_it_is() -> bool:
    """Whether a wave stopped only because it is published already, from other inputs, or because somebody has rejected it.
    Its error has been told.
    """
    return bool(put_aside) and isinstance(put_aside[-1], AlreadyPublished | Rejected)


def _tell_stopped(wave: str, later: list[str]) -> None:
    rest = f" Not begun: {', '.join(later)}." if later else ""
    words.print(f"The wave {wave} was not published.{rest} What was published before it stays.", markup=False)


def _tell_newest(asked: Backfill, newest: PublishWave) -> None:
    folder = asked.report_folder(load_instrument(asked.instrument).name, newest.label)
    page = folder / "index.html"
    where = page if page.is_file() else "not published yet"
    print(f"The newest wave is {newest.label}: {where}")  # noqa: T201 - a program's words


def main() -> None:
    """Publish the folder that the command line names."""
    about = "Publish every wave of a folder through Prefect, in order."
    parser = ArgumentParser(description=about, parents=[common_options()])
    parser.add_argument("folder", type=Path, help="sub-folders or files named after their waves")
    asked = Backfill(**vars(parser.parse_args()))
    asked.waves()  # a mistyped folder is told before the server is started
    start_server()
    succeeded(backfill(asked, return_state=True))


if __name__ == "__main__":
    run_as_program(main)

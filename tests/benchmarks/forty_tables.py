"""A wave with forty tables, proved to give nobody away, beside the plain way to attack it.

The magnesium survey, with its people's age, sex, region and years since their diagnosis tabulated by every outcome too. The
peer is a linear programme for the least and one for the most of each hidden count, as auditing programs for tables do it; of
these only every hundredth is solved, and the time multiplied. Both in one process, in one sitting.

    python tests/benchmarks/forty_tables.py [--rows N]
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

from survey_pipeline import RunRequest, assemble, load_instrument, run_wave
from survey_pipeline.disclose import About
from survey_pipeline.instrument import Instrument, shipped_text
from survey_pipeline.proof.attack import exact_bounds
from survey_pipeline.proof.behind import Exact, hidden_counts, mark
from survey_pipeline.proof.numbers import knowledge
from survey_pipeline.proof.told import Told
from survey_pipeline.proving import proved
from survey_pipeline.release import Release
from survey_pipeline.sample import load_plan, write_sample

INSTRUMENT, WAVE = "magnesium", "2026-01"
LIMIT_SECONDS = 30
EVERY = 100
BACKGROUND = ("age_band", "sex", "region", "years_since_diagnosis")
EXPOSURES = ("route", "doses_per_day", "weeks_taken")
OUTCOMES = {
    "body": ("pain", "stiffness", "fatigue"),
    "mind": ("sleep_quality", "stress", "mental_fog"),
    "side_effects": ("side_effects",),
    "companions": ("companions",),
}


def more_tables() -> Iterator[str]:
    """The tables that the magnesium survey does not have, as its file would say them."""
    for exposure in BACKGROUND:
        yield from (_table(exposure, group) for group in OUTCOMES)
    for exposure in EXPOSURES:
        yield from (_table(exposure, group) for group in ("side_effects", "companions"))
    yield _table("elemental_dose_mg_per_day", "companions")


def _table(exposure: str, group: str) -> str:
    outcomes = ", ".join(f'"{name}"' for name in OUTCOMES[group])
    name = f"{exposure}_by_{group}"
    return f'\n[[tables]]\nname = "{name}"\ntitle = "{name}"\nexposure = "{exposure}"\noutcomes = [{outcomes}]\n'


def survey(folder: Path) -> Instrument:
    """The survey, written to a folder."""
    for name in ("instrument.toml", "sample.toml"):
        (folder / name).write_text(shipped_text(INSTRUMENT, name), encoding="utf-8")
    with (folder / "instrument.toml").open("a", encoding="utf-8") as file:
        file.writelines(more_tables())
    return load_instrument(folder)


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


class Watch:
    """Stands in for `proved` in a run, and looks at the clock."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.peer_seconds = 0.0
        self.said = ""

    def __call__(
        self,
        make: Callable[[Collection[About]], Release],
        exact: Sequence[Exact],
        told: Callable[[Release], Told],
        earlier: Sequence[Told] = (),
    ) -> Release:
        """The release, proved; and what the peer takes for the same release before anything more is hidden."""
        start = time.perf_counter()
        release = proved(make, exact, told, earlier)
        self.seconds += time.perf_counter() - start
        self.peer_seconds = _peer(told(make(())))
        self.said = _size(release)
        return release


def _size(release: Release) -> str:
    assert release.proof is not None
    tables = len({row.table for row in release.rows})
    sizes = f"{tables} tables, {len(release.rows):,} rows, {release.proof.unknowns:,} unknowns, "
    return sizes + f"{release.proof.equations:,} ranges, {len(release.proof.hidden_counts):,} hidden counts"


def _peer(told: Told) -> float:
    counts = knowledge([told])
    targets = [mark(each, told.policy).terms for each in hidden_counts(told, counts)]
    start = time.perf_counter()
    exact_bounds(counts.system, targets[::EVERY])
    return (time.perf_counter() - start) * EVERY


def main() -> None:
    """Invent the answers, publish them, print what was measured."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("--rows", type=int, default=1200)
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), arguments.parse_args().rows)


def measure(folder: Path, rows: int) -> None:
    """All measurements, in a folder that is thrown away."""
    export = folder / f"{INSTRUMENT}-{WAVE}.csv"
    write_sample(survey(folder), load_plan(INSTRUMENT), WAVE, rows, 1, export)
    watch = Watch()
    vars(assemble)["proved"] = watch
    run_wave(RunRequest.checked(exports=(export,), instrument=str(folder), wave=WAVE, home=folder))
    say(watch.said)
    say(
        f"proved, all that was hidden for it included: {watch.seconds:.1f} s (at most {LIMIT_SECONDS} on two processors)"
    )
    say(f"a linear programme for each end: {watch.peer_seconds:.0f} s; ratio {watch.seconds / watch.peer_seconds:.3f}")
    if watch.seconds > LIMIT_SECONDS:
        raise SystemExit("over the limit")


if __name__ == "__main__":
    main()

"""A million invented answers through `survey-pipeline run`, beside a hand-written query of the same two tables.

Both run as whole processes, in turn, in one sitting, so that a slow or busy machine slows both. Printed: the ratio of their
times pair by pair, the shares of the stages, peak memory, and how far the two differ in what they found (they should not).

    python tests/benchmarks/million_rows.py [--rows N] [--pairs N]
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import polars as pl

from survey_pipeline import RunRequest, load_instrument, run_wave
from survey_pipeline.sample import load_plan, write_sample
from survey_pipeline.sample.plan import Diaries
from survey_pipeline.stages import exact_estimates

T = TypeVar("T")
WAVE = "2026-01"
INSTRUMENT = "magnesium"
MEMORY_LIMIT_GIB = 1.5
RATIO_LIMIT = 4.0


@dataclass(frozen=True)
class Measured:
    """A finished process: wall seconds and the most memory it held."""

    seconds: float
    peak_gib: float


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def timed(command: list[str]) -> Measured:
    """Run a command to its end; raises if it fails."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return Measured(time.perf_counter() - start, usage.ru_maxrss / 1024**2)


def pipeline_command(export: Path, home: Path) -> list[str]:
    """The whole run: read, validate, store, count, disclose, render."""
    program = str(Path(sys.executable).with_name("survey-pipeline"))
    return [program, "run", str(export), "-i", INSTRUMENT, "-w", WAVE, "--home", str(home), "--quiet"]


def peer_command(export: Path, out: Path) -> list[str]:
    """The hand-written query."""
    out.mkdir(parents=True, exist_ok=True)
    return [sys.executable, str(Path(__file__).with_name("hand_written.py")), str(export), str(out)]


def stage_seconds(export: Path, home: Path) -> dict[str, float]:
    """Seconds of each stage of one more run, in this process."""
    seconds: dict[str, float] = {}

    def call(stage: str, function: Callable[..., T], /, *references: Any) -> T:
        start = time.perf_counter()
        result = function(*references)
        seconds[stage] = time.perf_counter() - start
        return result

    run_wave(RunRequest.checked(exports=(export,), instrument=INSTRUMENT, wave=WAVE, home=home), call=call)
    return seconds


def largest_difference(home: Path, peer: Path) -> float:
    """Between our exact mean changes by form and the peer's, over all forms and outcomes."""
    instrument = load_instrument(INSTRUMENT)
    places = RunRequest.checked(exports=("none",), instrument=INSTRUMENT, wave=WAVE, home=home)
    codes = {option.label: option.code for option in instrument.items[instrument.form].options}
    ours = exact_estimates(places, instrument, WAVE, finest=True).filter(
        (pl.col("table") == "form_by_outcome")
        & (pl.col("statistic") == "mean_change")
        & pl.col("level").is_in(list(codes))
    )
    theirs = pl.read_csv(peer / "form_by_outcome.csv").drop_nulls("mean_change")
    both = ours.with_columns(pl.col("level").replace(codes).alias(instrument.form)).join(
        theirs, on=[instrument.form, "outcome"], how="full", suffix="_peer"
    )
    return float((both["estimate"] - both["mean_change"]).abs().fill_null(float("inf")).max())  # type: ignore[arg-type]


def main() -> None:
    """Make the sample, run both in turn, print what was measured."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("--rows", type=int, default=1_000_000)
    arguments.add_argument("--pairs", type=int, default=3)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), given.rows, given.pairs)


def measure(folder: Path, rows: int, pairs: int) -> None:
    """All measurements, in a folder that is thrown away."""
    export = folder / f"{INSTRUMENT}-{WAVE}.csv"
    say(f"Inventing {rows:,} answers ...")
    without_diaries = load_plan(INSTRUMENT).model_copy(update={"diaries": Diaries()})
    write_sample(load_instrument(INSTRUMENT), without_diaries, WAVE, rows, 1, export)
    say(f"{export.stat().st_size / 1024**2:,.0f} MiB")
    ours, theirs = [], []
    for pair in range(pairs):
        ours.append(timed(pipeline_command(export, folder / f"home-{pair}")))
        theirs.append(timed(peer_command(export, folder / f"peer-{pair}")))
        say(f"pair {pair + 1}: run {ours[-1].seconds:.1f} s, hand-written {theirs[-1].seconds:.1f} s")
    ratio = statistics.median(a.seconds / b.seconds for a, b in zip(ours, theirs, strict=True))
    peak = max(run.peak_gib for run in ours)
    say(f"ratio of times (median of {pairs} pairs): {ratio:.2f} (at most {RATIO_LIMIT:g})")
    peer_peak = max(run.peak_gib for run in theirs)
    say(f"peak memory: run {peak:.2f} GiB (under {MEMORY_LIMIT_GIB:g}), hand-written {peer_peak:.2f} GiB")
    seconds = stage_seconds(export, folder / "home-stages")
    total = sum(seconds.values())
    say(
        "stages: "
        + ", ".join(f"{stage} {100 * part / total:.0f} %" for stage, part in seconds.items())
        + f" of {total:.1f} s"
    )
    say(f"largest difference of a mean change by form: {largest_difference(folder / 'home-0', folder / 'peer-0'):.2g}")
    if ratio > RATIO_LIMIT or peak > MEMORY_LIMIT_GIB:
        raise SystemExit("over the limit")


if __name__ == "__main__":
    main()

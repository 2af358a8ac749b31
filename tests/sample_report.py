"""The committed sample report: how `reports/sample/` is made, from two waves of invented answers.

    python tests/sample_report.py

Two waves, so that the page tells what changed. Only the newest is kept, without what its page and tables hold anyway.
"""

import shutil
import sys
import tempfile
from pathlib import Path

from survey_pipeline import RunRequest, load_instrument, run_wave
from survey_pipeline.sample import load_plan, write_sample

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "reports" / "sample"
INSTRUMENT = "magnesium"
WAVES = {"2026-02": 2, "2026-03": 3}
ROWS = 1200
ADDED_BY_HAND = ("report.png",)
"""A photograph of the page in a browser, for the README."""
KEPT_CHARTS = ("charts/form_by_outcome-pain.png", "charts/form_by_outcome-pain.svg", "charts/in_100.png")


def make(home: Path) -> Path:
    """Invent both waves, publish them in `home`, and give the folder of the newest report."""
    instrument, plan = load_instrument(INSTRUMENT), load_plan(INSTRUMENT)
    for wave, seed in WAVES.items():
        export = home / f"{INSTRUMENT}-{wave}.csv"
        write_sample(instrument, plan, wave, ROWS, seed, export)
        run_wave(RunRequest.checked(exports=(export,), instrument=INSTRUMENT, wave=wave, home=home))
    return home / "reports" / INSTRUMENT / max(WAVES)


def kept(folder: Path) -> list[str]:
    """The files of a report that are committed, as relative paths."""
    files = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file()]
    return [
        name for name in files if name != "release.json" and (not name.startswith("charts/") or name in KEPT_CHARTS)
    ]


def main() -> None:
    """Replace the committed sample report."""
    with tempfile.TemporaryDirectory() as home:
        folder = make(Path(home))
        kept_aside = {name: (SAMPLE / name).read_bytes() for name in ADDED_BY_HAND if (SAMPLE / name).is_file()}
        shutil.rmtree(SAMPLE, ignore_errors=True)
        for name in kept(folder):
            target = SAMPLE / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(folder / name, target)
        for name, picture in kept_aside.items():
            (SAMPLE / name).write_bytes(picture)
    sys.stdout.write(f"{SAMPLE.relative_to(ROOT)}/index.html\n")


if __name__ == "__main__":
    main()

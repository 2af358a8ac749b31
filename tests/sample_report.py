"""The committed sample report: how `reports/sample/` is made, from the three waves of invented answers of `make run`.

    python tests/sample_report.py

Only the newest wave is kept, without files that say in another format what its page and its tables say.
"""

import re
import shutil
import sys
import tempfile
from pathlib import Path

from survey_pipeline import RunRequest, load_instrument, run_wave
from survey_pipeline.sample import load_plan, write_sample

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "reports" / "sample"
INSTRUMENT = "magnesium"
WAVES = {"2026-01": 1, "2026-02": 2, "2026-03": 3}
"""Each with the seed that `make run` gives it."""
ROWS = 1200
ADDED_BY_HAND = ("report.png",)
"""A photograph of the page in a browser, for the README."""
KEPT_CHARTS = ("form_by_outcome-pain.png", "form_by_outcome-pain.svg", "in_100.png")
"""Of the charts only some, and those that the newsletter shows."""
LEFT_OUT = (".json", ".parquet", ".xlsx", ".eml")


def make(home: Path) -> Path:
    """Invent the waves, publish them in `home`, and give the folder of the newest report."""
    instrument, plan = load_instrument(INSTRUMENT), load_plan(INSTRUMENT)
    for wave, seed in WAVES.items():
        export = home / f"{INSTRUMENT}-{wave}.csv"
        write_sample(instrument, plan, wave, ROWS, seed, export)
        run_wave(RunRequest.checked(exports=(export,), instrument=INSTRUMENT, wave=wave, home=home))
    return home / "reports" / INSTRUMENT / max(WAVES)


def kept(folder: Path) -> list[str]:
    """The files of a report that are committed, as relative paths."""
    files = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file()]
    shown = "".join((folder / name).read_text(encoding="utf-8") for name in files if name.endswith(".md"))
    charts = {*KEPT_CHARTS, *re.findall(r"charts/([^)]+)\)", shown)}
    return [name for name in files if not name.endswith(LEFT_OUT) and _is_kept(name, charts)]


def _is_kept(name: str, charts: set[str]) -> bool:
    return not name.startswith("charts/") or name.removeprefix("charts/") in charts


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

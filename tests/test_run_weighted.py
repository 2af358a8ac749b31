"""Surveys with weights, strata or clusters run from the export to the release, and their numbers are what rows give."""

from math import sqrt
from pathlib import Path

import polars as pl
import pytest
from club import CLUB, Row, call, contents, row, write
from scipy import stats

MARGINS = """
[weighting]
why = "More people took part who take no magnesium."
margins = [{ item = "form", shares = { citrate = 0.4, oxide = 0.3, mix = 0.2, none = 0.1 }, source = "The members' list" }]
"""
CLUSTERS = """
[weighting]
why = "People were asked in support groups."
clusters = "dose"
"""
SHARES = {"Citrate": 0.4, "Oxide": 0.3, "A mix": 0.2, "None": 0.1}
N = 240


def people() -> list[Row]:
    """Citrate takers are overrepresented: every fourth person takes each form, and then some more citrate."""
    forms = ["Citrate" if n % 3 == 0 else ("Citrate", "Oxide", "A mix", "None")[n % 4] for n in range(N)]
    return [row(n, form=form, pain=str((n * n + 3 * len(form)) % 11)) for n, form in enumerate(forms)]


def run(folder: Path, weighting: str) -> pl.DataFrame:
    """The exact estimates of a run under this weighting."""
    instrument = folder / "instrument.toml"
    instrument.write_text(CLUB + weighting, encoding="utf-8")
    export = write(folder / "answers.csv", people())
    common = ("--instrument", instrument, "--wave", "2026-01", "--home", folder)
    said = call("run", export, *common, "--json")
    assert said.code == 0, said.err
    before = contents(folder / "reports")
    assert call("run", export, *common, "--quiet").code == 0 and contents(folder / "reports") == before
    assert call("estimates", *common, "--out", folder / "exact.csv").code == 0
    return pl.read_csv(folder / "exact.csv", infer_schema_length=None)


def one(found: pl.DataFrame, level: str, statistic: str = "mean") -> dict[str, float]:
    words = {"table": "form_by_outcome", "level": level, "outcome": "pain", "statistic": statistic}
    return found.row(by_predicate=pl.all_horizontal(pl.col(k) == v for k, v in words.items()), named=True)


def rows() -> pl.DataFrame:
    found = [(each["Which form do you take?"], float(each["Pain from 0 to 10"])) for each in people()]
    return pl.DataFrame(found, schema=["form", "pain"], orient="row")


def test_a_survey_with_margins_publishes_weighted_numbers(tmp_path: Path) -> None:
    found, answers = run(tmp_path, MARGINS), rows()
    means = dict(answers.group_by("form").agg(pl.col("pain").mean()).iter_rows())
    assert one(found, "all")["estimate"] == pytest.approx(sum(SHARES[form] * means[form] for form in SHARES), rel=1e-10)
    assert one(found, "all")["estimate"] != pytest.approx(answers["pain"].mean(), rel=1e-3)
    assert one(found, "Citrate")["estimate"] == pytest.approx(means["Citrate"], rel=1e-10), (
        "alike within a margin's group"
    )
    assert one(found, "all")["n_respondents"] == N, "people stay people"
    published = pl.read_csv(tmp_path / "reports" / "club" / "2026-01" / "tables" / "form_by_outcome.csv")
    assert one(published, "all")["estimate"] == pytest.approx(one(found, "all")["estimate"], abs=0.005)
    page = (tmp_path / "reports" / "club" / "2026-01" / "index.html").read_text(encoding="utf-8")
    assert "More people took part who take no magnesium." in page, "the reason is printed"


def test_a_survey_of_clusters_publishes_what_clusters_are_worth(tmp_path: Path) -> None:
    found = run(tmp_path, CLUSTERS)
    answers = rows().with_columns(cluster=pl.int_range(pl.len()) // 4 % 4)
    mean = float(answers["pain"].mean())  # type: ignore[arg-type]
    away = answers.group_by("cluster").agg((pl.col("pain") - mean).sum().alias("away"))["away"]
    error = sqrt(4 / 3 * float((away**2).sum())) / N
    row = one(found, "all")
    assert row["estimate"] == pytest.approx(mean, rel=1e-12)
    assert row["standard_error"] == pytest.approx(error, rel=1e-9)
    reach = float(stats.t.ppf(0.975, 3)) * error
    assert row["ci_lower"] == pytest.approx(mean - reach, rel=1e-9)
    assert row["ci_upper"] == pytest.approx(mean + reach, rel=1e-9)


@pytest.mark.parametrize(
    ("weighting", "told"),
    [
        (MARGINS.replace("citrate = 0.4", "citrate = 0.5"), "add up"),
        (MARGINS.replace("mix = 0.2, none = 0.1", "mixed = 0.3"), "mixed"),
        (MARGINS.replace('item = "form"', 'item = "colour"'), "colour"),
        (CLUSTERS.replace('"dose"', '"village"'), "village"),
    ],
)
def test_a_weighting_that_cannot_be_is_refused_with_a_sentence(weighting: str, told: str, tmp_path: Path) -> None:
    instrument = tmp_path / "instrument.toml"
    instrument.write_text(CLUB + weighting, encoding="utf-8")
    export = write(tmp_path / "answers.csv", people())
    said = call("run", export, "--instrument", instrument, "--wave", "2026-01", "--home", tmp_path)
    assert said.code == 3 and told in said.err and "Traceback" not in said.err, said.err

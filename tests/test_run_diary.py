"""A survey with a diary runs from the export to the release; stopped at any stage, the next run makes it good."""

from collections import defaultdict
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from club import CLUB, Row, contents, row, write

from survey_pipeline import RunRequest, load_instrument, run_wave
from survey_pipeline.names import RESPONDENT
from survey_pipeline.pipeline import plainly
from survey_pipeline.stages import exact_estimates
from survey_pipeline.storage import Warehouse

DIARY = """
[items.diary_day]
label = "Diary: day"
question = "Diary: which day?"
theme = "diary"
kind = "date"
role = "diary"

[items.diary_pain]
label = "Diary: pain"
question = "Diary: pain that day"
theme = "diary"
kind = "scale"
role = "diary"
minimum = 0
maximum = 10

[[tables]]
name = "diary"
title = "What people wrote in their diaries"
exposure = "form"
outcomes = ["diary_pain"]
"""
N = 120
FORMS = ("Citrate", "Oxide", "A mix", "None")
Entry = tuple[int, date, int]


def entries() -> list[Entry]:
    """Person, day and pain: two people in three write, one to five times, over two months."""
    keepers = [n for n in range(N) if n % 3]
    return [
        (n, date(2026, 1 + k % 2, 1 + (n * 3 + k * 5) % 27), (n * n + 7 * k) % 11)
        for n in keepers
        for k in range(1 + n % 5)
    ]


def further(person: int, day: date, pain: int) -> Row:
    blank = dict.fromkeys(row(0), "") | {"May we count your answers?": "Yes, you may.", "Your code": f"member-{person}"}
    return blank | {"Diary: which day?": day.isoformat(), "Diary: pain that day": str(pain)}


@pytest.fixture
def request_(tmp_path: Path) -> RunRequest:
    (tmp_path / "club.toml").write_text(CLUB + DIARY, encoding="utf-8")
    nothing = {"Diary: which day?": "", "Diary: pain that day": ""}
    found = [*(row(n) | nothing for n in range(N)), *(further(*each) for each in entries())]
    export = write(tmp_path / "a.csv", found, [*row(0), *nothing])
    return RunRequest.checked(
        exports=[export], instrument=str(tmp_path / "club.toml"), wave="2026-01", home=tmp_path / "home"
    )


def by_hand() -> dict[str, tuple[float, int]]:
    """For everybody and each form, the mean over person-weeks and how many people it is of."""
    days: dict[tuple[int, tuple[int, int]], dict[date, int]] = defaultdict(dict)
    for person, day, pain in entries():
        days[person, day.isocalendar()[:2]].setdefault(day, pain)
    weeks = [(person, sum(week.values()) / len(week)) for (person, _), week in days.items()]
    levels = {"all": range(N)} | {form: range(place, N, 4) for place, form in enumerate(FORMS)}
    found = {}
    for level, people in levels.items():
        mine = [(person, pain) for person, pain in weeks if person in people]
        found[level] = (sum(pain for _, pain in mine) / len(mine), len({person for person, _ in mine}))
    return found


def test_the_diary_reaches_the_release_as_means_over_the_weeks_of_people(request_: RunRequest) -> None:
    run_wave(request_)
    exact = exact_estimates(request_, load_instrument(request_.instrument), "2026-01")
    rows = exact.filter((pl.col("table") == "diary") & (pl.col("statistic") == "person_week_mean"))
    told = {row["level"]: (row["estimate"], row["n_respondents"]) for row in rows.iter_rows(named=True)}
    for level, (mean, n) in by_hand().items():
        assert told[level] == (pytest.approx(mean, rel=1e-9), n), level
    published = pl.read_csv(
        request_.report_folder("club", "2026-01") / "tables" / "diary.csv", infer_schema_length=None
    )
    everybody = published.filter((pl.col("level") == "all") & (pl.col("statistic") == "person_week_mean"))
    assert everybody["estimate"].item() == pytest.approx(by_hand()["all"][0], abs=0.05)


def test_only_the_means_of_weeks_are_in_the_warehouse(request_: RunRequest) -> None:
    run_wave(request_)
    warehouse = Warehouse(request_.warehouse_location)
    kept = warehouse.wave("club", "2026-01")
    assert kept is not None
    responses = warehouse.responses("club", "2026-01", kept["responses_version"]).collect()
    weeks = warehouse.diary("club", "2026-01", kept["diary_version"])
    assert not any(name.startswith("diary") for name in responses.columns) and responses.height == N
    assert weeks.columns == [RESPONDENT, "week", "n_entries", "diary_pain"]


def test_a_second_run_changes_nothing(request_: RunRequest) -> None:
    run_wave(request_)
    before = contents(request_.home / "reports")
    run_wave(request_)
    assert contents(request_.home / "reports") == before


@pytest.mark.parametrize("stage", ["ingest", "count", "disclose", "render"])
@pytest.mark.parametrize("after", [False, True])
def test_a_run_stopped_at_any_stage_is_made_good(request_: RunRequest, tmp_path: Path, stage: str, after: bool) -> None:
    def stopping(name: str, function: Callable[..., Any], /, *references: Any) -> Any:
        result = plainly(name, function, *references) if after or name != stage else None
        if name == stage:
            raise OSError("the disk is full")
        return result

    undisturbed = request_.model_copy(update={"home": tmp_path / "undisturbed"})
    run_wave(undisturbed)
    with pytest.raises(OSError, match="disk is full"):
        run_wave(request_, call=stopping)
    run_wave(request_)
    assert contents(request_.home / "reports") == contents(undisturbed.home / "reports")

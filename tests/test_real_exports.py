"""Real exports of many survey tools, where they are at hand: what `check` says of each, and figures known from elsewhere."""

from collections import Counter
from pathlib import Path

import polars as pl
import polars.selectors as cs
import pytest
from club import SHARED, call, contents

from survey_pipeline import read_export
from survey_pipeline.exports import Export

EXPORTS = SHARED / "exports"
pytestmark = pytest.mark.skipif(not EXPORTS.is_dir(), reason="other people's exports are not part of the project")

# file: tool, header rows, rows, columns
KNOWN: dict[str, tuple[str, int, int, int]] = {
    "google_forms/music_and_mental_health.csv": ("google_forms", 1, 736, 33),
    "surveymonkey/steak-risk-survey.csv": ("surveymonkey", 2, 550, 15),
    "surveymonkey/thanksgiving-2015-poll-data.csv": ("surveymonkey", 1, 1058, 65),
    "limesurvey/rse2017_uk_public_data.csv": ("limesurvey", 1, 253, 245),
    "qualtrics/qualtRics_sample.csv": ("qualtrics", 3, 1, 20),
    "qualtrics/qualtRics_sample_legacy.csv": ("qualtrics", 2, 1, 16),
    "qualtrics/QT_many_types_insights.csv": ("qualtrics", 3, 5, 190),
    "qualtrics/QT_many_types_legacy.csv": ("qualtrics", 2, 5, 190),
    "qualtrics/QT_ma_matrix_insights.csv": ("qualtrics", 3, 5, 75),
    "redcap/simple/data.csv": ("redcap", 1, 5, 24),
    "redcap/longitudinal/data.csv": ("redcap", 1, 18, 125),
    "redcap/repeating-instruments-sparse/data.csv": ("redcap", 1, 9, 15),
    "redcap/clinical-trial-1/data.csv": ("redcap", 1, 500, 13),
    "redcap/russian/data.csv": ("redcap", 1, 3, 402),
    "redcap/survey/data.csv": ("redcap", 1, 2, 33),
    "redcap/decimal-comma-and-dot/data.csv": ("redcap", 1, 4, 9),
    "kobo/test_csv_1.csv": ("kobo", 1, 2, 6),
    "kobo/test_csv_2.csv": ("kobo", 1, 2, 6),
    "kobo/test_csv_3.csv": ("kobo", 1, 2, 6),
    "kobo/test_csv_4.csv": ("kobo", 1, 2, 7),
    "kobo/test_csv_quote_escaping.csv": ("kobo", 1, 5, 2),
    "spss/sample.sav": ("spss", 1, 5, 7),
    "spss/sample.zsav": ("spss", 1, 5, 7),
    "spss/sample.por": ("spss", 1, 5, 7),
    "spss/sample.dta": ("stata", 1, 5, 7),
    "spss/sample.xpt": ("sas", 1, 5, 7),
    "spss/sample_missing.sav": ("spss", 1, 7, 7),
}


@pytest.mark.parametrize("name", KNOWN)
def test_check_tells_the_tool_and_counts_rows_and_columns(name: str) -> None:
    (found,) = call("check", EXPORTS / name, "--json").document["exports"]
    told = (found["tool"], found["header_rows"], found["rows_read"], found["columns_read"])
    assert told == KNOWN[name] and found["rows_irregular"] == 0 and found["detected_because"]


@pytest.mark.parametrize(
    "path",
    sorted(path for path in EXPORTS.rglob("*") if path.is_file()),
    ids=lambda path: f"{path.parent.name}-{path.name}",
)
def test_every_file_is_read_or_refused_in_a_sentence(path: Path) -> None:
    said = call("check", path, "--json")
    assert said.code in (0, 3) and "Traceback" not in said.err
    assert said.code == 0 or (len(said.err.strip().splitlines()) == 2 and said.out == "")


def test_a_file_without_headings_is_refused_clearly() -> None:
    said = call("check", EXPORTS / "redcap" / "empty-rows" / "data.csv")
    assert said.code == 3 and "holds no headings" in said.err


def test_a_data_dictionary_is_no_export_and_says_what_reads_it() -> None:
    said = call("check", EXPORTS / "redcap" / "simple" / "dictionary.csv")
    assert said.code == 3 and "survey-pipeline init" in said.err


# --- Figures known from elsewhere ------------------------------------------------------------------------------------------


def answers(name: str, heading: str) -> Counter[str | None]:
    """How often each answer stands in the one column whose heading holds some words."""
    export = read_export(EXPORTS / name)
    (place,) = [
        n for n, column in enumerate(export.layout.columns) if heading in column.heading or heading in column.names
    ]
    return Counter(cell for _, batch in export.batches([place]) for cell in batch.to_series())


MARGINALS: list[tuple[str, str, dict[str | None, int]]] = [
    ("surveymonkey/steak-risk-survey.csv", "would you play Lottery A", {"Lottery A": 267, "Lottery B": 279, None: 4}),
    ("surveymonkey/steak-risk-survey.csv", "smoke cigarettes", {"Yes": 84, "No": 453, None: 13}),
    ("limesurvey/rse2017_uk_public_data.csv", "currentEmp12", {"Full Time": 242, "Part-time": 11}),
    (
        "google_forms/music_and_mental_health.csv",
        "Music effects",
        {"Improve": 542, "No effect": 169, "Worsen": 17, None: 8},
    ),
]


@pytest.mark.parametrize(("name", "heading", "expected"), MARGINALS)
def test_known_marginals_come_out(name: str, heading: str, expected: dict[str | None, int]) -> None:
    assert answers(name, heading) == expected


MEANS = {
    "Anxiety": 5.8376358696,
    "Depression": 4.7961956522,
    "Insomnia": 3.7384510870,
    "OCD": 2.6372282609,
    "Hours per day": 3.5727581522,
}


@pytest.mark.parametrize("heading", MEANS)
def test_known_means_come_out(heading: str) -> None:
    column = read_export(EXPORTS / "google_forms" / "music_and_mental_health.csv").frame[heading]
    assert column.cast(pl.Float64).mean() == pytest.approx(MEANS[heading], abs=1e-10)


@pytest.mark.parametrize("kind", ["insights", "legacy"])
def test_the_first_response_of_both_qualtrics_layouts_is_the_same(kind: str) -> None:
    export: Export = read_export(EXPORTS / "qualtrics" / f"QT_many_types_{kind}.csv")
    assert any("R_e8z6glNpLL4PkcR" in column.to_list() for column in export.frame.get_columns())


# --- Personal data ---------------------------------------------------------------------------------------------------

INVENTED_PEOPLE = (
    "Nutmeg",
    "Nutmouse",
    "Tumtum",
    "321-1111",
    "321-2222",
    "mouse.com",
    "Rose Cottage",
    "A mouse character",
)


def stored(folder: Path) -> bytes:
    """Every cell of every table of a warehouse, as text: the files themselves are compressed."""
    frames = (pl.read_parquet(path) for path in folder.rglob("*.parquet"))
    return b"".join(frame.with_columns(cs.binary().bin.encode("hex")).write_ndjson().encode() for frame in frames)


def test_nothing_of_the_people_in_a_clinical_export_is_printed_or_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    simple = EXPORTS / "redcap" / "simple"
    said = [
        call("init", "simple", "--from", simple / "dictionary.csv"),
        call("check", simple / "data.csv", "--verbose"),
        call("check", simple / "data.csv", "-i", "simple", "--verbose"),
        call("check", simple / "data.csv", "-i", "simple", "--json"),
        call("run", simple / "data.csv", "-i", "simple", "-w", "2026-01", "--verbose"),
    ]
    assert [each.code for each in said] == [0, 0, 0, 0, 5]
    dropped = said[3].document["exports"][0]["columns_dropped_because"]
    assert {"name_first", "name_last", "address", "telephone", "email", "dob"} <= dropped.keys()
    written = contents(tmp_path)
    assert any(name.startswith("warehouse/responses/simple/") for name in written)
    everything = "".join(each.out + each.err for each in said).encode() + b"".join(written.values()) + stored(tmp_path)
    assert len(stored(tmp_path)) > 1_000
    assert not [words for words in INVENTED_PEOPLE if words.encode() in everything]

"""The files for analysts: the same numbers in every format, and nothing in them that can run."""

import json
import os
import re
import subprocess
import sys
import zipfile
from functools import cache
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import frictionless
import openpyxl
import pages
import polars as pl
import pytest
import readback
import releases
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from survey_pipeline import names
from survey_pipeline.instrument import Instrument
from survey_pipeline.language import LANGUAGES, speaking
from survey_pipeline.names import Status
from survey_pipeline.release import Release
from survey_pipeline.render.codes import COLUMNS as CODEBOOK_COLUMNS
from survey_pipeline.render.columns import COLUMNS
from survey_pipeline.render.files import files
from survey_pipeline.render.schema import release_schema
from survey_pipeline.render.sheets import STATUSES, Sheet, notes, sheets
from survey_pipeline.render.tables import frames
from survey_pipeline.render.view import View
from survey_pipeline.render.workbook import LONGEST_NAME, sheet_names, workbook
from survey_pipeline.spreadsheets import ELLIPSIS, MOST_IN_A_CELL, fitting

ROOT = Path(__file__).parents[1]
HOSTILE = (
    "<script>alert(1)</script>",
    "=HYPERLINK(1)",
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\t=cmd|' /C calc'!A0",
    "\u202eevil\u202c \u200f\u200b=1",
    "long " * 2_000,
    "\x00\x07 ]]> & _x0041_ \ufffe",
    'quoted " and, comma\nand line',
)


def mixed() -> Release:
    """Every table, comparisons and tests, and of each status a row."""
    rows = list(pages.rows())
    asked = {**dict.fromkeys(names.NUMBERS), "status": Status.NOT_ASKED}
    rows[3] = rows[3].model_copy(update=asked)
    rows[5] = rows[5].model_copy(update={**asked, "status": Status.SUPPRESSED})
    rows[7] = rows[7].model_copy(update={"status": Status.MERGED, "n_missing": 15})
    made = releases.release(pages.magnesium(), rows)
    hidden = releases.comparison("Oxide", "None", "pain", None)
    tests = (*pages.test_rows("down", "down", "up", "down"), releases.tested("pain", "kruskal_wallis"))
    return made.model_copy(update={"tests": tests, "comparisons": (pages.comparison_row(), hidden)})


def hostile_instrument() -> Instrument:
    told = {"title": HOSTILE[1], "community": HOSTILE[5], "about": HOSTILE[7], "contact": HOSTILE[3]}
    made = releases.magnesium(**told, cannot_say=[HOSTILE[8]])
    items = dict(made.items)
    for name, label in zip(("magnesium_form", "dose", "pain", "sleep", "age"), HOSTILE[:5], strict=True):
        items[name] = items[name].model_copy(update={"label": label, "question": label, "unit": label})
    specs = [spec.model_copy(update={"title": HOSTILE[place + 2]}) for place, spec in enumerate(made.tables)]
    return made.model_copy(update={"items": items, "tables": tuple(specs)})


def hostile() -> Release:
    rows = releases.magnesium_rows(forms=HOSTILE, doses=HOSTILE[:3])
    return releases.release(hostile_instrument(), rows, correction=HOSTILE[1])


CASES = {
    "mixed": (mixed, pages.magnesium),
    "magnesium": (releases.magnesium_release, releases.magnesium),
    "hidden": (lambda: releases.magnesium_release(hide=True), releases.magnesium),
    "music": (releases.music_release, releases.music),
    "hostile": (hostile, hostile_instrument),
    "nothing": (lambda: releases.release(releases.magnesium(), []), releases.magnesium),
}


@cache
def made(case: str) -> tuple[Release, dict[str, bytes]]:
    release, instrument = CASES[case]
    return release(), files(release(), instrument())


# --- The same numbers --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES)
def test_every_format_says_what_the_release_says(case: str) -> None:
    release, written = made(case)
    for read in (
        readback.of_json,
        readback.of_csv,
        readback.of_parquet,
        readback.of_workbook,
        readback.of_workbook_again,
    ):
        assert readback.differences(read(written), release) == [], read.__name__


def test_the_comparison_finds_each_difference() -> None:
    release, written = made("mixed")
    for column, wrong in (("estimate", 0.31), ("n_respondents", None), ("status", "unreliable"), ("level", "Oxid")):
        said = readback.of_parquet(written)
        said["form_by_outcome"][4][column] = wrong
        assert len(readback.differences(said, release)) == 1
    short = readback.of_parquet(written)
    del short["comparisons"], short["form_by_outcome"][-1]
    assert len(readback.differences(short, release)) == 2


def test_csv_and_parquet_have_the_same_columns_and_types() -> None:
    release, written = made("mixed")
    for name, frame in frames(release, pages.magnesium()).items():
        parquet = pl.read_parquet(BytesIO(written[f"tables/{name}.parquet"]))
        assert parquet.equals(frame) and parquet.schema == frame.schema
        assert pl.read_csv(BytesIO(written[f"tables/{name}.csv"]), schema=frame.schema).equals(frame)


def test_the_release_is_written_as_it_was_read() -> None:
    release, written = made("mixed")
    assert Release.model_validate_json(written["release.json"]) == release


# --- Bytes -------------------------------------------------------------------------------------------------------------

IN_ANOTHER_PROCESS = """
import hashlib, test_formats
files = test_formats.made("mixed")[1]
print(hashlib.sha256(b"".join(name.encode() + files[name] for name in sorted(files))).hexdigest())
"""


def test_another_process_in_another_place_gives_the_same_bytes() -> None:
    paths = [str(Path(__file__).parent), *sys.path]
    environment = {**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "PYTHONPATH": os.pathsep.join(paths)}
    environment |= {"POLARS_MAX_THREADS": "1", "LC_ALL": "C.UTF-8"}
    command = [sys.executable, "-c", IN_ANOTHER_PROCESS]
    there = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
    _, here = made("mixed")
    assert there.strip() == sha256(b"".join(name.encode() + here[name] for name in sorted(here))).hexdigest()


def test_no_file_says_when_it_was_made() -> None:
    _, written = made("mixed")
    parts = zipfile.ZipFile(BytesIO(written["tables.xlsx"]))
    assert {part.date_time for part in parts.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert set(re.findall(rb"\d{4}-\d\d-\d\dT[0-9:Z]+", parts.read("docProps/core.xml"))) == {b"2000-01-01T00:00:00Z"}
    for name in [name for name in written if name.endswith(".parquet")]:
        assert {*pl.read_parquet_metadata(BytesIO(written[name]))} == {"ARROW:schema"}
    assert "created" not in json.loads(written["datapackage.json"])


def test_files_for_programs_are_the_same_in_every_language() -> None:
    release, english = made("mixed")
    with speaking("de"):
        german = files(release, pages.magnesium())
    assert {name for name in english if english[name] != german[name]} <= {"tables.xlsx"}


# --- The workbook ------------------------------------------------------------------------------------------------------


@cache
def book(case: str) -> openpyxl.Workbook:
    return openpyxl.load_workbook(BytesIO(made(case)[1]["tables.xlsx"]))


@pytest.mark.parametrize("case", CASES)
def test_a_sheet_is_one_table_without_empty_or_merged_cells(case: str) -> None:
    for sheet in book(case).worksheets[1:]:
        ((_, span),) = sheet.tables.items()
        first, last = span.split(":")
        rows = list(sheet.iter_rows(values_only=True))
        top = int(re.sub("[A-Z]", "", first))
        assert not sheet.merged_cells.ranges and sheet.dimensions.endswith(last)
        assert all(row[0] for row in rows[:top]), "no row above the table is empty"
        assert all(cell not in (None, "") for row in rows[top - 1 :] for cell in row)
        assert sheet.freeze_panes == f"A{top + 1}"
        headings = [str(heading).casefold() for heading in rows[top - 1]]
        assert len({*headings}) == len(headings)


def test_a_hidden_row_says_its_status_in_place_of_every_number() -> None:
    release, _ = made("mixed")
    found: dict[str, int] = {}
    for sheet in sheets(View(release, pages.magnesium())):
        status = sheet.headings.index(COLUMNS["status"].heading)
        for row in sheet.rows:
            numbers = [cell for cell, kind in zip(row, sheet.kinds, strict=True) if kind != "text"]
            if row[status] in (STATUSES[Status.SUPPRESSED], STATUSES[Status.NOT_ASKED]):
                assert {*numbers} == {row[status]}
            found[str(row[status])] = found.get(str(row[status]), 0) + 1
    assert {*found} == {*STATUSES.values()}


def test_a_release_of_nothing_but_hidden_rows_has_no_number_in_any_cell() -> None:
    for sheet in book("hidden").worksheets:
        cells = [cell.value for row in sheet.iter_rows() for cell in row]
        assert not [cell for cell in cells if isinstance(cell, int | float)]


def test_what_is_missing_from_a_shown_row_is_said() -> None:
    release, _ = made("mixed")
    (sheet,) = [sheet for sheet in sheets(View(release, pages.magnesium())) if sheet.name == "kidneys"]
    (row,) = [dict(zip(sheet.headings, row, strict=True)) for row in sheet.rows]
    assert row["Estimate"] == 15 and row["Standard error"] == "not given" and row["Left out"] == "fewer than 10"


def test_the_cover_says_whose_numbers_they_are_and_links_to_every_sheet() -> None:
    cover = book("mixed").worksheets[0]
    lines = [str(cell.value) for cell in cover["A"]]
    assert lines[0] == "Magnesium and fibromyalgia" and all(lines)
    assert any("The Fibromyalgia Forum" in line for line in lines[:3])
    assert any(line.startswith("Invented data") for line in lines[:4])
    targets = [cell.hyperlink.location for cell in cover["A"] if cell.hyperlink]
    assert targets == [f"'{name}'!A1" for name in book("mixed").sheetnames[1:]]


def test_every_sheet_says_that_the_data_is_invented_and_what_it_cannot_show() -> None:
    for sheet in book("mixed").worksheets[2:]:
        above = [str(row[0].value) for row in sheet.iter_rows(max_row=5)]
        assert any(line.startswith("Invented data") for line in above)
        assert any("cannot show what caused it" in line for line in above)
    assert not [line for line in notes(View(releases.music_release(), releases.music())).lines if "nvented" in line]


def test_the_notes_explain_every_heading_status_and_threshold() -> None:
    release, _ = made("mixed")
    view = View(release, pages.magnesium())
    told = " ".join(str(cell) for row in notes(view).rows for cell in row)
    for sheet in sheets(view):
        assert all(heading in told for heading in sheet.headings if not heading.startswith("Code"))
    assert all(f"{word} (in the files: {status})" in told for status, word in STATUSES.items())
    assert "IMMPACT 2008" in told and "No count of people between 1 and 9 is shown." in told
    assert "people who do well may be keener to answer" in told


def test_the_document_names_title_author_and_language() -> None:
    with speaking("de-AT"):
        content = workbook(View(*_music()))
    properties = openpyxl.load_workbook(BytesIO(content))
    assert properties.properties.title == "Music and mood" and properties.properties.creator == "Listeners' club"
    assert b"de-AT" in zipfile.ZipFile(BytesIO(content)).read("docProps/custom.xml")


def _music() -> tuple[Release, Instrument]:
    return releases.music_release(), releases.music()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_workbook_holds_the_same_numbers_in_every_language(language: str) -> None:
    release, _ = made("mixed")
    with speaking(language):
        written = {"tables.xlsx": workbook(View(release, pages.magnesium()))}
        assert readback.differences(readback.of_workbook(written), release) == []
        assert all(_differ(sheet) for sheet in sheets(View(release, pages.magnesium())))


def _differ(sheet: Sheet) -> bool:
    return len({heading.casefold() for heading in sheet.headings}) == len(sheet.headings)


def test_names_of_sheets_are_short_and_no_two_are_alike() -> None:
    long = "form_by_dose_by_outcome_of_everybody"
    found = sheet_names(["Notes", "notes", "history", long, f"{long}_again", "a[b]:c"])
    assert found == ["Notes", "notes_2", "history_2", long[:31], f"{long[:29]}_2", "a b  c"]


@given(st.lists(st.text(alphabet="abcxyz_0123456789", min_size=1, max_size=50), max_size=20))
def test_names_of_sheets_are_always_valid(wanted: list[str]) -> None:
    found = sheet_names(wanted)
    assert len({name.casefold() for name in found}) == len(wanted)
    assert all(0 < len(name) <= LONGEST_NAME and name.casefold() != "history" for name in found)


# --- Nothing runs ------------------------------------------------------------------------------------------------------


def test_no_cell_of_the_workbook_runs_or_leads_anywhere() -> None:
    _, written = made("hostile")
    assert readback.formulas(written) == []
    cells = [cell.value for sheet in book("hostile").worksheets for row in sheet.iter_rows() for cell in row]
    texts = [cell for cell in cells if isinstance(cell, str)]
    assert not [text for text in texts if text[:1] in ("=", "+", "-", "@", "\t", "\r")]
    assert not [text for text in texts if re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u200f\ufffe]", text)]
    assert max(map(len, texts)) <= MOST_IN_A_CELL


def test_a_formula_would_be_found() -> None:
    spiked = openpyxl.Workbook()
    spiked.active["A1"] = "=1+1"
    content = BytesIO()
    spiked.save(content)
    assert readback.formulas({"tables.xlsx": content.getvalue()}) == ["Sheet A1"]


def test_no_cell_of_a_csv_file_is_taken_for_a_formula() -> None:
    _, written = made("hostile")
    for name in [name for name in written if name.endswith(".csv")]:
        table = pl.read_csv(BytesIO(written[name]), infer_schema=False)
        words = [column for column in table.columns if column not in readback.NUMBERS]
        cells = [cell for column in words for cell in table[column] if cell]
        assert cells and not [cell for cell in cells if cell.lstrip()[:1] in ("=", "+", "-", "@")], name


@pytest.mark.parametrize("text", ["", "short", "a" * MOST_IN_A_CELL])
def test_what_fits_into_a_cell_stays_as_it_is(text: str) -> None:
    assert fitting(text) == text


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("a" * (MOST_IN_A_CELL + 1), "a" * (MOST_IN_A_CELL - 1) + ELLIPSIS),
        ("\N{GRINNING FACE}" * MOST_IN_A_CELL, "\N{GRINNING FACE}" * ((MOST_IN_A_CELL - 1) // 2) + ELLIPSIS),
    ],
)
def test_what_does_not_fit_ends_in_an_ellipsis(text: str, cut: str) -> None:
    assert fitting(text) == cut


# --- The schema of release.json ----------------------------------------------------------------------------------------


@cache
def validator() -> Draft202012Validator:
    schema = json.loads(release_schema())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def test_the_committed_schema_is_that_of_the_model() -> None:
    committed = ROOT / "schemas" / "release.schema.json"
    told = "write it again: see docs/files.md, “The schema”"
    assert committed.read_bytes() == release_schema(), told


@pytest.mark.parametrize("case", CASES)
def test_every_release_fits_its_schema(case: str) -> None:
    _, written = made(case)
    assert written["release.schema.json"] == release_schema()
    assert [error.message for error in validator().iter_errors(json.loads(written["release.json"]))] == []


def test_what_is_no_release_does_not_fit() -> None:
    release = json.loads(made("mixed")[1]["release.json"])
    hidden = next(place for place, row in enumerate(release["rows"]) if row["status"] == "suppressed")

    def fits(change: dict[str, Any], place: int | None = None) -> bool:
        rows = [{**row, **change} if here == place else row for here, row in enumerate(release["rows"])]
        changed = {**release, "rows": rows} if place is not None else {**release, **change}
        return not [*validator().iter_errors(changed)]

    assert fits({}) and not fits({"more": 1}) and not fits({"wave": 2026})
    assert not fits({"n_respondents": 5}, hidden), "what is hidden has no number"
    assert not fits({"status": "fine"}, 0) and not fits({"estimate": "1"}, 0)
    assert fits({"standard_error": None}, 0)


def test_every_property_of_the_schema_is_explained() -> None:
    schema = json.loads(release_schema())
    parts = {"Release": schema, **schema["$defs"]}
    properties = [(part, name, told) for part in parts for name, told in parts[part].get("properties", {}).items()]
    assert len(properties) > 80
    assert [(part, name) for part, name, told in properties if not told["title"] or not told["description"]] == []


# --- The data package --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES)
def test_the_data_package_is_valid_and_describes_every_csv_file(case: str, tmp_path: Path) -> None:
    _, written = made(case)
    for name, content in written.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    report = frictionless.validate(str(tmp_path / "datapackage.json"))
    assert report.valid, report.flatten(["rowNumber", "fieldName", "type", "message"])
    described = json.loads(written["datapackage.json"])
    assert "licenses" not in described
    assert {one["path"] for one in described["resources"]} == {name for name in written if name.endswith(".csv")}


def test_a_changed_file_does_not_fit_its_description(tmp_path: Path) -> None:
    _, written = made("music")
    (tmp_path / "tables").mkdir()
    for name, content in written.items():
        (tmp_path / name).write_bytes(content.replace(b",ok,", b",so-so,") if name.endswith(".csv") else content)
    report = frictionless.validate(str(tmp_path / "datapackage.json"))
    kinds = {kind for (kind,) in report.flatten(["type"])}
    assert {"hash-count", "byte-count"} & kinds or "constraint-error" in kinds


def test_columns_are_described_with_type_meaning_and_what_stands_for_nothing() -> None:
    described = json.loads(made("mixed")[1]["datapackage.json"])
    for resource in described["resources"]:
        assert resource["schema"]["missingValues"] == [""]
        assert all(field["type"] and field["description"] for field in resource["schema"]["fields"])
    (table,) = [one for one in described["resources"] if one["name"] == "form_by_outcome"]
    fields = {field["name"]: field for field in table["schema"]["fields"]}
    assert fields["n_missing"]["type"] == "integer" and fields["estimate"]["type"] == "number"
    assert fields["status"]["constraints"]["enum"] == [*Status]
    assert table["schema"]["primaryKey"] == ["exposure", "level", "outcome", "statistic"]


# --- The codebook ------------------------------------------------------------------------------------------------------


@cache
def codebook() -> pl.DataFrame:
    return pl.read_csv(BytesIO(made("mixed")[1]["codebook.csv"]), infer_schema=False)


def test_every_code_of_every_table_stands_in_the_codebook() -> None:
    release, _ = made("mixed")
    table = codebook()
    assert table.columns == [*CODEBOOK_COLUMNS]
    rows = [*release.rows, *release.comparisons, *release.tests]
    for column in ("table", "exposure", "outcome", "statistic"):
        assert set(table.filter(pl.col("column") == column)["code"]) == {getattr(row, column) for row in rows}
    levels = table.filter(pl.col("column") == "level")
    published = {(exposure, one.code, one.label) for exposure, found in release.levels.items() for one in found}
    assert {*levels.select("of", "code", "label").drop_nulls("of").iter_rows()} == published


def test_the_codebook_tells_question_threshold_limit_and_source() -> None:
    lines = {(row["column"], row["code"], row["of"]): row for row in codebook().iter_rows(named=True)}
    responder = lines["statistic", "responder_30", "pain"]
    assert responder["label"] == "Pain at least 30 % lower" and responder["source"] == "IMMPACT 2008"
    assert responder["definition"] == "The share of people who are now at least 30 % lower than before"
    pain = lines["outcome", "pain", None]
    assert (pain["question"], pain["better"], pain["answers"]) == ("Pain, from 0 to 10?", "lower", "0 to 10")
    assert pain["definition"] == "Asked before as pain_before"
    limit = lines["outcome", "dose__above_eu", None]
    assert (limit["definition"], limit["source"], limit["unit"]) == ("Above 250 mg/day", "EFSA", "mg/day")
    difference = lines["statistic", "difference_responder_30", "pain"]
    assert difference["definition"].startswith("One group's number minus another's.")
    reading = lines["exposure", "dose__compound", None]
    assert reading["label"] == "Dose: If labels give the whole compound's weight"

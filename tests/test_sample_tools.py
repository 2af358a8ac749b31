"""One invented community in every survey tool's format: laid out as the tool does, and everywhere the same answers."""

import csv
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import fastexcel
import polars as pl
import pyreadstat
import pytest
from club import CLUB, Read, call, club, contents, read
from test_sample import GATED

from survey_pipeline import names
from survey_pipeline.cli import Tool as NamesInTheCommand
from survey_pipeline.errors import WrongUsage
from survey_pipeline.exports import read_export
from survey_pipeline.instrument import (
    Duplicates,
    Instrument,
    Item,
    Kind,
    Option,
    Role,
    load_instrument,
    parse_instrument,
)
from survey_pipeline.names import INVENTED_HEADING
from survey_pipeline.reading import Reading, silently
from survey_pipeline.sample import TOOLS, SamplePlan, SampleSummary, load_plan, write_sample
from survey_pipeline.sample import chunk as drawing
from survey_pipeline.sample.files import MADE, MOST_EXCEL_ROWS, Sort, common, sort_of
from survey_pipeline.sample.layouts import LAYOUTS
from survey_pipeline.texts import fold

WAVE = "2026-04"
ROWS = 400
GATED_BYTES = "86f5ed077cd1deafab1ffc639700bdff22e4a200122c322b5d8d17c97bf76bb0"
"""Of the Google Forms export of `GATED`, 400 rows, seed 1, as it was before there were other formats."""

Cell = str | None
Rows = list[list[Cell]]


@dataclass(frozen=True)
class Opened:
    """A file as it stands, opened without the readers of the pipeline."""

    headings: list[list[Cell]]
    rows: Rows
    labels: dict[str, str | None] = field(default_factory=dict)
    """Of SPSS and Stata files: what the variables are called for people."""

    def column(self, heading: str, row: int = 0) -> list[Cell]:
        place = self.headings[row].index(heading)
        return [cells[place] for cells in self.rows]


def named(tool: str) -> str:
    """A file name as the tool's files have them."""
    return f"{tool}{LAYOUTS[tool].container.suffix or '.csv'}"


def written(folder: Path, instrument: Instrument, plan: SamplePlan, tool: str, rows: int = ROWS) -> Path:
    write_sample(instrument, plan, WAVE, rows, 1, folder / named(tool), tool)
    return folder / named(tool)


# --- Opening ---------------------------------------------------------------------------------------------------------

TEXT = {
    "limesurvey": ("utf-8-sig", ",", 1),
    "limesurvey_text": ("utf-8-sig", ";", 1),
    "kobo": ("utf-8", ";", 1),
    "qualtrics": ("utf-8-sig", ",", 3),
    "qualtrics_legacy": ("utf-8-sig", ",", 2),
    "qualtrics_tsv": ("utf-16", "\t", 3),
    "surveymonkey": ("utf-8", ",", 2),
}
"""Encoding, separator and header rows, where they are not those of plain CSV."""


def opened(tool: str, path: Path) -> Opened:
    if path.suffix == ".xlsx":
        frame = fastexcel.read_excel(path).load_sheet(0, header_row=None, dtypes="string").to_polars()
        rows = [list(row) for row in frame.iter_rows()]
        return Opened(rows[:1], rows[1:])
    if path.suffix == ".parquet":
        frame = pl.read_parquet(path)
        return Opened(
            [list(frame.columns)], [[None if cell is None else str(cell) for cell in row] for row in frame.iter_rows()]
        )
    if path.suffix in (".sav", ".dta"):
        return _opened_statistics(path)
    encoding, separator, header_rows = TEXT.get(tool, ("utf-8", ",", 1))
    with path.open(encoding=encoding, newline="") as file:
        lines = [[cell or None for cell in line] for line in csv.reader(file, delimiter=separator) if line]
    return Opened(lines[:header_rows], lines[header_rows:])


def _opened_statistics(path: Path) -> Opened:
    """With numbers replaced by their labels, and missing values by the words that were declared as missing."""
    reading = pyreadstat.read_sav if path.suffix == ".sav" else pyreadstat.read_dta
    columns, meta = reading(path, user_missing=True, output_format="dict")
    labels: Mapping[str, Mapping[Any, str]] = meta.variable_value_labels
    texts = [[_labelled(cell, labels.get(name, {})) for cell in cells] for name, cells in columns.items()]
    rows = [list(row) for row in zip(*texts, strict=True)]
    return Opened([list(columns)], rows, meta.column_names_to_labels)


def _labelled(cell: Any, labels: Mapping[Any, str]) -> Cell:
    if cell is None or cell == "" or cell != cell:
        return None
    plain = f"{cell:g}" if isinstance(cell, float) else str(cell)
    return labels.get(cell, plain)


# --- Undoing a layout ------------------------------------------------------------------------------------------------


def same(tool: str) -> Callable[[str, Item], str]:
    """How a tool heads the column of a question."""
    if tool in ("limesurvey", "redcap", "spss", "stata"):
        return lambda name, _: name
    if tool == "limesurvey_text":
        return lambda name, item: f"{name.replace('_', '')}. {item.question}"
    if tool in ("kobo", "odk"):
        sign = "/" if tool == "kobo" else "-"
        return lambda name, item: f"{item.theme.replace(' ', '_')}{sign}{name}"
    return lambda _, item: item.question


ONE_CELL = ("google_forms", "microsoft_forms", "csv", "xlsx", "parquet")


def option_headings(tool: str, name: str, item: Item) -> list[str]:
    """How a tool heads the columns of a question's options."""
    question = same(tool)(name, item)
    known: dict[str, Callable[[int, Option], str]] = {
        "limesurvey": lambda _, option: f"{name}[{option.code}]",
        "limesurvey_text": lambda n, option: f"{name.replace('_', '')}[SQ{n:03d}]. {item.question} [{option.label}]",
        "redcap": lambda _, option: f"{name}___{option.code}",
        "redcap_labels": lambda _, option: f"{question} (choice={option.label})",
        "kobo": lambda _, option: f"{question}/{option.code}",
        "odk": lambda _, option: f"{question}/{option.code}",
        "spss": lambda _, option: f"{name}__{option.code}",
        "stata": lambda _, option: f"{name}__{option.code}",
    }
    if tool not in known:
        return [f"{question} - {option.label}" for option in item.options]
    return [known[tool](n, option) for n, option in enumerate(item.options, start=1)]


def heading_row(tool: str, found: Opened) -> list[str]:
    """One text a column, by which it can be told."""
    if tool == "surveymonkey":
        return list(_two_rows(*found.headings))
    row = found.headings[1 if tool.startswith("qualtrics") else 0]
    return [(text or "").replace("\u00a0", " ") for text in row]


def _two_rows(questions: Sequence[Cell], parts: Sequence[Cell]) -> Iterator[str]:
    last = ""
    for question, part in zip(questions, parts, strict=True):
        last = question or last
        yield last if part in (None, "Response", "Open-Ended Response") else f"{last} - {part}"


def undone(tool: str, found: Opened, instrument: Instrument) -> dict[str, list[Any]]:
    """What everybody meant, by item."""
    headings = heading_row(tool, found)
    assert tool in ("qualtrics_legacy",) or len(set(headings)) == len(headings)

    def cells(*known_as: str) -> list[Cell]:
        labels = [found.labels.get(heading, heading) for heading in headings]
        place = next(each.index(text) for text in known_as for each in (headings, labels) if text in each)
        return [row[place] for row in found.rows]

    means: dict[str, list[Any]] = {}
    for name, item in instrument.items.items():
        if item.question == "Timestamp":
            continue
        if item.kind is Kind.CHOICES and tool not in ONE_CELL:
            # Stata cuts long names: such a variable is told by its label.
            labels = [(f"{item.question} - {option.label}", f"{name} - {option.label}") for option in item.options]
            headed = zip(option_headings(tool, name, item), labels, strict=True)
            columns = [cells(heading, *label) for heading, label in headed]
            means[name] = [_ticked(item, row) for row in zip(*columns, strict=True)]
        else:
            means[name] = [meant(item, cell) for cell in cells(same(tool)(name, item))]
    return means


TICKS = {"y", "yes", "1", "checked", "selected"}
NO_TICKS = {"no", "0", "unchecked", "not selected"}


def _ticked(item: Item, cells: Sequence[Cell]) -> Any:
    """The codes of the ticked options; words that stand in the first column."""
    codes: list[str] = []
    for option, cell in zip(item.options, cells, strict=True):
        folded = fold(cell or "")
        if folded in TICKS or folded == fold(option.label):
            codes.append(option.code)
        elif cell and folded not in NO_TICKS:
            assert option == item.options[0]
            return cell
    return frozenset(codes) or None


def meant(item: Item, cell: Cell) -> Any:
    """What a cell means, whatever the tool: codes, yes or no, a number, a day, or the words as they stand."""
    if cell is None:
        return None
    plain = cell.replace("\u00a0", " ").strip()
    if item.options:
        codes = _codes(item, fold(plain))
        if item.kind is Kind.CHOICES:
            return codes or cell
        return cell if not codes else item.several_as if len(codes) > 1 else min(codes)
    if item.kind is Kind.YES_NO:
        return {"y": "yes", "1": "yes", "n": "no", "0": "no"}.get(fold(plain), fold(plain))
    if item.kind is Kind.DATE:
        return plain[:10] if plain[:2] == "20" else plain
    return _number(item, plain) if item.is_numeric else cell


def _codes(item: Item, text: str) -> frozenset[str] | None:
    known = {fold(each): option.code for option in item.options for each in option.texts}
    codes = set()
    if all(word in item.codes for word in text.split()):
        return frozenset(text.split())
    while text := text.strip(" ,;"):
        found = next((each for each in sorted(known, key=len, reverse=True) if text.startswith(each)), None)
        if found is None:
            return None
        codes.add(known[found])
        text = text[len(found) :]
    return frozenset(codes)


def _number(item: Item, text: str) -> float | str:
    unit = item.unit.split("/")[0]
    for end in (item.unit, unit):
        text = text.removesuffix(end).strip()
    try:
        return float(text)
    except ValueError:
        return text


# --- Every format ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Community:
    """Invented people in every format."""

    instrument: Instrument
    files: dict[str, Path]
    summaries: dict[str, SampleSummary]

    def opened(self, tool: str) -> Opened:
        return opened(tool, self.files[tool])


def instrument_of(name: str) -> tuple[Instrument, SamplePlan]:
    if name == "magnesium":
        return load_instrument(name), load_plan(name)
    if name == "club":
        return club(), SamplePlan()
    # It asks nobody for a code: rows of few answers are alike by chance, and more often as codes than as people type.
    return parse_instrument(GATED).model_copy(update={"duplicates": Duplicates()}), SamplePlan()


@pytest.fixture(scope="module", params=["club", "magnesium", "gated"])
def community(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Community:
    """Drawn in three parts, as large samples are."""
    instrument, plan = instrument_of(request.param)
    folder = tmp_path_factory.mktemp(request.param)
    files = {tool: folder / named(tool) for tool in TOOLS}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drawing, "CHUNK_ROWS", 150)
        summaries = {tool: write_sample(instrument, plan, WAVE, ROWS, 1, path, tool) for tool, path in files.items()}
    return Community(instrument, files, summaries)


@pytest.mark.parametrize("tool", TOOLS)
def test_every_format_holds_the_same_answers(community: Community, tool: str) -> None:
    google = undone("google_forms", community.opened("google_forms"), community.instrument)
    other = undone(tool, community.opened(tool), community.instrument)
    assert other.keys() == google.keys()
    for name in google:
        assert len(other[name]) == community.summaries[tool].rows >= ROWS
        assert other[name] == google[name], name


@pytest.mark.parametrize("tool", TOOLS)
def test_what_was_planted_is_the_same_in_every_format(community: Community, tool: str) -> None:
    said, google = (asdict(community.summaries[each]) for each in (tool, "google_forms"))
    assert said | {"file": ""} == google | {"file": ""}


@pytest.mark.parametrize("tool", TOOLS)
def test_every_row_says_last_that_it_is_invented(community: Community, tool: str) -> None:
    found = community.opened(tool)
    last = -2 if tool == "qualtrics_legacy" else -1  # that one ends every record with an empty cell
    heading = found.headings[0][last]
    assert (found.labels.get(heading or "") or heading) == INVENTED_HEADING
    assert {row[last] for row in found.rows} == {"invented"}


@pytest.mark.parametrize("tool", TOOLS)
def test_addresses_are_of_nobody(community: Community, tool: str) -> None:
    found = community.opened(tool)
    texts = {cell for row in found.rows for cell in row if cell}
    assert all(text.endswith("@example.org") for text in texts if "@" in text)
    headings = [text for text in found.headings[-1 if tool == "qualtrics_legacy" else 0] if text]
    for name in ("IPAddress", "IP Address"):
        if name in headings:
            place = headings.index(name)
            assert all((row[place] or "").startswith("192.0.2.") for row in found.rows)
    asked_for = {"qualtrics": "RecipientEmail", "surveymonkey": "Email Address", "microsoft_forms": "Email"}
    if tool in asked_for:
        assert len(set(found.column(asked_for[tool]))) > ROWS / 2


def test_words_are_the_same_in_every_text_format(community: Community) -> None:
    for tool in ("limesurvey", "redcap", "qualtrics_tsv", "xlsx", "spss", "stata"):
        found = community.opened(tool)
        assert any("🙏" in (cell or "") for row in found.rows for cell in row), tool


# --- The same bytes --------------------------------------------------------------------------------------------------


def test_google_forms_is_written_as_ever(tmp_path: Path) -> None:
    path = written(tmp_path, parse_instrument(GATED), SamplePlan(), "google_forms")
    assert sha256(path.read_bytes()).hexdigest() == GATED_BYTES


@pytest.fixture(scope="module")
def first_time(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Every format's bytes, at least two seconds before anything else is written: files may know the time."""
    folder = tmp_path_factory.mktemp("first")
    found = {tool: written(folder, club(), SamplePlan(), tool).read_bytes() for tool in TOOLS}
    time.sleep(2.1)
    return found


@pytest.mark.parametrize("tool", TOOLS)
def test_the_same_inputs_give_the_same_bytes(first_time: dict[str, bytes], tmp_path: Path, tool: str) -> None:
    assert written(tmp_path, club(), SamplePlan(), tool).read_bytes() == first_time[tool]
    write_sample(club(), SamplePlan(), WAVE, ROWS, 2, tmp_path / named(tool), tool)
    assert (tmp_path / named(tool)).read_bytes() != first_time[tool]


def test_files_that_say_when_they_were_made_say_the_same_day(tmp_path: Path) -> None:
    for tool, reading in (("spss", pyreadstat.read_sav), ("stata", pyreadstat.read_dta)):
        path = written(tmp_path, club(), SamplePlan(), tool, 5)
        assert reading(path, output_format="polars", metadataonly=True)[1].creation_time == MADE
    book = zipfile.ZipFile(written(tmp_path, club(), SamplePlan(), "xlsx", 5))
    assert {entry.date_time[0] for entry in book.infolist()} == {1980}
    assert b"2000-01-01T00:00:00Z" in book.read("docProps/core.xml")


# --- Each tool's own habits ------------------------------------------------------------------------------------------


def test_text_is_encoded_and_separated_as_each_tool_does(tmp_path: Path) -> None:
    raw = {tool: written(tmp_path, club(), SamplePlan(), tool, 3).read_bytes() for tool in TOOLS}
    assert raw["limesurvey"].startswith(b'\xef\xbb\xbf"id","submitdate","lastpage"')
    assert raw["limesurvey_text"].startswith(b'\xef\xbb\xbf"id. Response ID";"submitdate. Date submitted";')
    assert raw["limesurvey_text"].endswith(b"\r\n\r\n")
    assert raw["kobo"].startswith(b'"start";"end";"survey/consent";')
    assert raw["qualtrics"].startswith(b"\xef\xbb\xbfStartDate,EndDate,Status,IPAddress,")
    assert raw["qualtrics_tsv"].startswith("\ufeffStartDate\tEndDate\t".encode("utf-16-le"))
    assert raw["redcap"].startswith(b"record_id,redcap_survey_identifier,survey_timestamp,")
    assert raw["surveymonkey"].startswith(b"Respondent ID,Collector ID,Start Date,End Date,IP Address,")
    assert not raw["csv"].startswith(b"Timestamp")


def test_qualtrics_has_ids_questions_and_import_ids(tmp_path: Path) -> None:
    found = opened("qualtrics", written(tmp_path, club(), SamplePlan(), "qualtrics"))
    place = found.headings[0].index("Q6_2")
    assert [row[place] for row in found.headings] == [
        "Q6_2",
        "Which side effects? - Cramps, or worse",
        '{"ImportId":"QID6_2"}',
    ]
    assert set(found.column("Q6_2")) == {None, "Cramps, or worse"}
    legacy = opened("qualtrics_legacy", written(tmp_path, club(), SamplePlan(), "qualtrics_legacy"))
    assert [row[0] for row in legacy.headings] == ["V1", "ResponseID"]
    assert {row[-1] for row in (*legacy.headings, *legacy.rows)} == {None}


def test_surveymonkey_names_a_question_once_and_each_option_below(tmp_path: Path) -> None:
    found = opened("surveymonkey", written(tmp_path, club(), SamplePlan(), "surveymonkey"))
    place = found.headings[0].index("Which side effects?")
    assert found.headings[0][place : place + 5] == ["Which side effects?", None, None, None, "Did you stop?"]
    labels = ["Nausea", "Cramps, or worse", "Cramps, or worse, at night", "None of these"]
    assert found.headings[1][place : place + 4] == labels
    assert datetime.strptime(found.rows[0][2] or "", "%m/%d/%Y %I:%M:%S %p").year == 2026


def test_redcap_writes_nothing_ticked_as_noughts_where_somebody_would_have_ticked_none(tmp_path: Path) -> None:
    club_rows = opened("redcap", written(tmp_path, club(), SamplePlan(), "redcap"))
    ticks = list(
        zip(*(club_rows.column(f"side_effects___{code}") for code in club().items["side_effects"].codes), strict=True)
    )
    assert ("0", "0", "0", "0") in ticks
    assert set(club_rows.column("form")) == {"citrate", "oxide", "mix", "none", None}
    gated = opened("redcap", written(tmp_path, parse_instrument(GATED), SamplePlan(), "redcap"))
    pairs = set(zip(gated.column("tags___one"), gated.column("tags___two"), strict=True))
    assert (None, None) in pairs and ("0", "0") not in pairs


def test_a_contradiction_ticks_both_and_unknown_words_stand_in_the_first_column(tmp_path: Path) -> None:
    found = opened("kobo", written(tmp_path, club(), SamplePlan(), "kobo", 2000))
    codes = club().items["side_effects"].codes
    columns = [found.column(f"health/side_effects/{code}") for code in codes]
    rows = list(zip(found.column("health/side_effects"), *columns, strict=True))
    assert ("nothing nausea", "1", "0", "0", "1") in rows
    words = [row for row in rows if row[1] not in ("0", "1", None)]
    assert {row[0] for row in words} <= {"see my comment", "it depends", "???", "n/a", "No answer"}
    assert all(row[0] == row[1] and row[2:] == (None, None, None) for row in words)


def test_several_answers_to_one_choice_are_the_code_for_several(tmp_path: Path) -> None:
    google = opened("google_forms", written(tmp_path, club(), SamplePlan(), "google_forms"))
    kobo = opened("kobo", written(tmp_path, club(), SamplePlan(), "kobo"))
    pairs = dict(zip(google.column("Which form do you take?"), kobo.column("form/form"), strict=True))
    assert pairs["Citrate, Oxide"] == "mix"
    assert pairs["Magnesium citrate"] == "citrate"


def test_workbooks_know_numbers_and_days(tmp_path: Path) -> None:
    path = written(tmp_path, club(), SamplePlan(), "xlsx")
    tidy = SamplePlan.model_validate({"mess": dict.fromkeys(("impossible", "with_unit", "no_answer_text"), 0)})
    write_sample(club(), tidy, WAVE, 50, 1, path, "xlsx")
    frame = fastexcel.read_excel(path).load_sheet(0).to_polars()
    assert frame["Submitted at"].dtype == pl.Datetime("ms")
    stray = frame["Pain from 0 to 10"].dtype == pl.String  # a number with a stray space is text, as in a spreadsheet
    assert stray or frame["Pain from 0 to 10"].dtype == pl.Float64
    forms = fastexcel.read_excel(written(tmp_path, club(), SamplePlan(), "microsoft_forms")).load_sheet(0).to_polars()
    assert forms["Start time"].dtype == pl.Datetime("ms")
    assert "Which\u00a0form\u00a0do you take?" in forms.columns
    assert any((text or "").endswith("worse;") for text in forms["Which\u00a0side\u00a0effects?"])


def test_parquet_types_a_column_of_which_every_text_has_the_type(tmp_path: Path) -> None:
    spare = SamplePlan.model_validate({"mess": {"spare": ["dose", "since"]}})
    frame = pl.read_parquet(written(tmp_path, club(), spare, "parquet"))
    types = [frame[text].dtype for text in ("Submitted at", "How much a day?", "Since when?", "Did you stop?")]
    assert types == [pl.Datetime("ms"), pl.Int64, pl.Date, pl.String]


@pytest.mark.parametrize("tool", ["spss", "stata"])
def test_statistics_files_have_labels_and_missing_values(tmp_path: Path, tool: str) -> None:
    path = written(tmp_path, club(), SamplePlan.model_validate({"mess": {"spare": ["since"]}}), tool, 2000)
    reading = pyreadstat.read_sav if tool == "spss" else pyreadstat.read_dta
    columns, meta = reading(path, user_missing=True, output_format="dict")
    assert meta.column_names_to_labels["form"] == "Which form do you take?"
    assert list(meta.variable_value_labels["form"].values())[:4] == ["Citrate", "Oxide", "A mix", "None"]
    stopped = {label: code for code, label in meta.variable_value_labels["stopped"].items()}
    assert (stopped["No"], stopped["Yes"]) == (0, 1)
    assert {"it depends", "n/a", "No answer"} <= stopped.keys()
    missing = {stopped["n/a"], stopped["No answer"]}
    assert missing == ({-1001.0, -1002.0} if tool == "spss" else {"a", "b"})
    assert missing <= set(columns["stopped"])
    assert all(isinstance(day, date) for day in columns["since"] if day)
    first, second, *_ = (name for name in columns if name.startswith("side_effects__"))
    assert meta.column_names_to_labels[first] == "Which side effects? - Nausea"
    assert meta.variable_value_labels[second] == {0: "Not selected", 1: "Selected"}
    assert columns["pain"].count("a lot")  # a number among words is a variable of text


def test_names_and_labels_are_as_short_as_stata_wants_them(tmp_path: Path) -> None:
    long = "which_of_these_many_things_have_you_ever_met_in_all_your_life"
    options = [{"code": "a" * 40, "label": "b" * 150, "exclusive": True}, {"code": "c", "label": "C"}]
    item = club().items["side_effects"].model_copy(update={"options": tuple(map(Option.model_validate, options))})
    one = item.model_copy(update={"question": "Which one?", "kind": Kind.CHOICE, "role": Role.DETAIL})
    several = item.model_copy(update={"question": "Which, " * 40})
    instrument = club(items={**club().items, long: several, f"{long}_again": one})
    for tool in ("spss", "stata"):
        path = written(tmp_path, instrument, SamplePlan(), tool)
        assert undone(tool, opened(tool, path), club()) == undone(
            "google_forms",
            opened("google_forms", written(tmp_path, instrument, SamplePlan(), "google_forms")),
            club(),
        )
        names = opened(tool, path).headings[0]
        assert len([name for name in names if name and name.startswith("which_of_these")]) == 3
        labels = opened(tool, path).labels.values()
        assert "Which one?" in labels
        assert max(len(label or "") for label in labels) <= (255 if tool == "spss" else 80)


@pytest.mark.parametrize("tool", TOOLS)
def test_a_sample_of_nobody_has_headings(tmp_path: Path, tool: str) -> None:
    found = opened(tool, written(tmp_path, club(), SamplePlan(), tool, 0))
    assert INVENTED_HEADING in (*found.headings[0], *found.labels.values())
    assert found.rows == []


# --- Refusals and names ----------------------------------------------------------------------------------------------


def test_a_sheet_holds_so_many_rows_and_no_more(tmp_path: Path) -> None:
    for tool in ("xlsx", "microsoft_forms"):
        with pytest.raises(WrongUsage, match="1,048,576 rows"):
            write_sample(club(), SamplePlan(), WAVE, MOST_EXCEL_ROWS, 1, tmp_path / "s.xlsx", tool)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("tool", "name"), [("xlsx", "s.csv"), ("spss", "s.dta"), ("stata", "s"), ("parquet", "s.sav")])
def test_a_name_must_not_say_another_kind_of_file(tmp_path: Path, tool: str, name: str) -> None:
    with pytest.raises(WrongUsage, match=r"ends with \."):
        write_sample(club(), SamplePlan(), WAVE, 5, 1, tmp_path / name, tool)


def test_the_command_knows_every_tool() -> None:
    assert tuple(NamesInTheCommand) == TOOLS


@pytest.mark.parametrize(
    ("text", "sort"),
    [
        ("0", Sort.WHOLE),
        ("-1", Sort.WHOLE),
        ("3.5", Sort.NUMBER),
        ("300.0", Sort.NUMBER),
        ("007", Sort.TEXT),
        ("1e5", Sort.TEXT),
        (" 7", Sort.TEXT),
        ("7\n", Sort.TEXT),
        ("1234567890123456", Sort.TEXT),
        ("2026-04-01", Sort.DATE),
        ("2026-04-01 10:00:00", Sort.TIME),
        ("2026-04-01 10:00", Sort.TEXT),
    ],
)
def test_what_a_text_is(text: str, sort: Sort) -> None:
    assert sort_of(text) is sort


def test_what_texts_are_together() -> None:
    assert common([]) is None
    assert common([Sort.WHOLE, Sort.NUMBER]) is Sort.NUMBER
    assert common([Sort.WHOLE, Sort.DATE]) is Sort.TEXT


# --- The same responses from every format ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def as_read() -> dict[str, Read]:
    """What the reader made of the Google Forms exports, by their paths."""
    return {}


@pytest.mark.parametrize("tool", TOOLS)
def test_every_format_gives_the_same_responses(community: Community, as_read: dict[str, Read], tool: str) -> None:
    google = str(community.files["google_forms"])
    if google not in as_read:
        as_read[google] = read(community.instrument, Path(google))
    assert differences(as_read[google], read(community.instrument, community.files[tool])) == []


def differences(one: Read, other: Read) -> list[str]:
    """What differs, by name: frames of answers are too long to look at."""
    reports = {name: (getattr(one.report, name), getattr(other.report, name)) for name in COUNTED}
    counts = [f"{name}: {a} and {b}" for name, (a, b) in reports.items() if a != b]
    if one.kept.shape != other.kept.shape or one.kept.columns != other.kept.columns:
        return [*counts, f"{one.kept.shape} and {other.kept.shape}"]
    return [
        *counts,
        *(name for name in one.kept.columns if name != "export" and not one.kept[name].equals(other.kept[name])),
    ]


def person_weeks(instrument: Instrument, path: Path) -> tuple[pl.DataFrame, dict[str, int]]:
    """The person-weeks of an export's diaries, and what became of their entries."""
    reading = Reading([read_export(path)], instrument, silently)
    kept = pl.concat([reading.empty({}), *reading.kept({})])
    diary = reading.diary(kept.select(names.RESPONDENT))
    return diary.person_weeks, dict(diary.entries.get(path.name, {}))


@pytest.fixture(scope="module")
def keepers(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The same people, some of whom keep a diary, in the format of a tool."""
    folder = tmp_path_factory.mktemp("keepers")
    return lambda tool: written(folder, load_instrument("magnesium"), load_plan("magnesium"), tool)


@pytest.fixture(scope="module")
def known_weeks(keepers: Callable[[str], Path]) -> tuple[pl.DataFrame, dict[str, int]]:
    """The weeks of the same people as one tool tells them."""
    return person_weeks(load_instrument("magnesium"), keepers("google_forms"))


@pytest.mark.parametrize("tool", TOOLS)
def test_every_format_gives_the_same_diaries(
    keepers: Callable[[str], Path], known_weeks: tuple[pl.DataFrame, dict[str, int]], tool: str
) -> None:
    weeks, became = person_weeks(load_instrument("magnesium"), keepers(tool))
    known, as_before = known_weeks
    assert weeks.height > 100 and weeks.equals(known)
    assert became == as_before and became["entries_counted"] > 400


COUNTED = ("invented", "rows_read", "rows_excluded", "rows_quarantined", "values_refused", "items_not_asked")


@pytest.mark.slow
def test_every_format_gives_the_same_published_tables(tmp_path: Path) -> None:
    instrument = tmp_path / "instrument.toml"
    instrument.write_text(CLUB, encoding="utf-8")
    published: dict[str, dict[str, bytes]] = {}
    for tool in TOOLS:
        export = written(tmp_path, club(), SamplePlan(), tool)
        said = call("run", export, "--instrument", instrument, "--wave", WAVE, "--home", tmp_path / tool)
        assert said.code == 0, said.err
        report = tmp_path / tool / "reports" / "club" / WAVE
        published[tool] = contents(report / "tables") | contents(report / "charts")
    assert len(published["google_forms"]) > 3
    assert [tool for tool in TOOLS if published[tool] != published["google_forms"]] == []

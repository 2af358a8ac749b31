"""The codebook: everything an instrument asks, as a page and as a table."""

import csv
import io
from html import unescape
from pathlib import Path

import pytest
from club import CLUB, MUSIC_INSTRUMENT, call, club, club_with

from survey_pipeline.codebook import CODEBOOK_SCHEMA, answers_of, codebook_page, codebook_table
from survey_pipeline.instrument import Instrument, load_instrument
from survey_pipeline.schema import responses_schema

INSTRUMENTS = [load_instrument("magnesium"), load_instrument(MUSIC_INSTRUMENT), club()]


@pytest.mark.parametrize("instrument", INSTRUMENTS, ids=lambda instrument: instrument.name)
def test_the_table_has_every_item_and_every_stored_column_once(instrument: Instrument) -> None:
    table = codebook_table(instrument)
    assert list(dict.fromkeys(table["item"])) == list(instrument.items)
    assert [column for column in table["column"] if column] == list(responses_schema(instrument).columns)
    for name, item in instrument.items.items():
        mine = table.filter(table["item"] == name)
        assert set(mine["question"]) == {item.question} and set(mine["required"]) == {"yes" if item.required else "no"}
        assert (set(mine["column"]) == {""}) == (not item.is_stored)


@pytest.mark.parametrize("instrument", INSTRUMENTS, ids=lambda instrument: instrument.name)
def test_the_page_has_every_question_answer_band_threshold_and_note(instrument: Instrument) -> None:
    page = codebook_page(instrument)
    for name, item in instrument.items.items():
        (entry,) = [part for part in page.split("\n- ") if part.startswith(f"**{item.label}** (`{name}`,")]
        entry = unescape(entry.replace("\\", ""))  # as Markdown shows it
        assert item.question in entry and answers_of(item) in entry and item.note in entry and item.unit in entry
        assert all(option.label in entry and option.code in entry for option in item.options)
        assert all(band.label in entry for band in item.bands)
        assert all(threshold.source in entry for threshold in item.thresholds)
        assert all(f"`above_{limit.code}`" in entry and limit.source in entry for limit in item.limits)
        assert (f"compared with: `{item.comparison}`" in entry) == (item.comparison is not None)
        assert (f"read again from: `{item.readings}`" in entry) == (item.readings is not None)
        assert (f"which weight those words mean: `{item.basis}`" in entry) == (item.basis is not None)
        assert item.retest is None or item.retest.source in entry
        assert all(str(percent) in entry for percent in item.responder_curve)
        assert (", not stored)" in entry) == (not item.is_stored)
        assert (", required" in entry) == item.required
    assert [line for line in page.splitlines() if line.startswith("# ")] == [f"# {instrument.title}"]


def test_the_page_says_why_answers_count_differently() -> None:
    margin = {"item": "form", "shares": {"citrate": 0.25, "none": 0.75}, "source": "the register"}
    described = club().model_dump(mode="json", exclude_defaults=True)
    page = codebook_page(
        Instrument.model_validate(described | {"weighting": {"why": "Few have none.", "margins": [margin]}})
    )
    assert "## Weights\n\nFew have none.\n- `form`: citrate 25.0%; none 75.0% (the register)\n" in page
    assert "## Weights" not in codebook_page(club())


@pytest.mark.parametrize(
    ("bounds", "words"),
    [
        ({}, "0 to 1000"),
        ({"minimum": None}, "at most 1000"),
        ({"maximum": None}, "at least 0"),
        ({"minimum": None, "maximum": None}, "number"),
        ({"minimum": -1.5, "maximum": 2.25}, "-1.5 to 2.25"),
    ],
)
def test_ranges_in_words(bounds: dict[str, float | None], words: str) -> None:
    assert answers_of(club_with("dose", **bounds).items["dose"]) == words


def test_other_kinds_in_words() -> None:
    items = club().items
    assert answers_of(items["stopped"]) == "yes or no" and answers_of(items["since"]) == "date"
    assert answers_of(items["form"]) == "citrate = Citrate; oxide = Oxide; mix = A mix; none = None"


def test_the_command_prints_the_page_the_table_or_json(instrument_file: Path) -> None:
    page = call("codebook", "--instrument", instrument_file)
    assert (page.code, page.out, page.err) == (0, codebook_page(club()), "")
    table = call("codebook", "--instrument", instrument_file, "--format", "csv")
    found = list(csv.DictReader(io.StringIO(table.out)))
    assert found == codebook_table(club()).to_dicts() and list(found[0]) == list(CODEBOOK_SCHEMA)
    assert call("codebook", "--instrument", instrument_file, "--json").document == {
        "instrument": "club",
        "items": codebook_table(club()).to_dicts(),
    }


def test_the_table_holds_no_formulas(tmp_path: Path) -> None:
    path = tmp_path / "club.toml"
    path.write_text(CLUB.replace('"Did you stop?"', "\"=cmd|'/c calc'!A1\""), encoding="utf-8")
    table = call("codebook", "--instrument", path, "--format", "csv")
    questions = [one["question"] for one in csv.DictReader(io.StringIO(table.out)) if one["item"] == "stopped"]
    assert questions == ["'=cmd|'/c calc'!A1"]

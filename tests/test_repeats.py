"""Which rows count where the survey tool or the instrument says more: unfinished ones, previews, entries, events, repeats."""

from collections.abc import Sequence
from typing import Any

import polars as pl
import pytest
from club import club
from hypothesis import given
from hypothesis import strategies as st
from layouts import export_of

from survey_pipeline import names
from survey_pipeline.errors import InputRefused
from survey_pipeline.exports import Column, Export
from survey_pipeline.exports.layout import Mark, Part
from survey_pipeline.ingest.repeats import short, superseded
from survey_pipeline.ingest.times import format_of, seconds_since_1970
from survey_pipeline.instrument import Instrument
from survey_pipeline.reading import ExportReport, Reading, report_of, silently

STATE = Column("state", ("state",), Part.TOOL)
MEMBER = Column("Your code", ("Your code",))
PAIN = Column("pain", ("pain",))
TIME = Column("handed in", ("handed in",), Part.TOOL)


def kept(instrument: Instrument, *exports: Export) -> tuple[list[int], list[ExportReport]]:
    """The records kept of the exports, and what became of the others."""
    reading = Reading(exports, instrument, silently)
    frames = list(reading.kept({}))
    records = [record for frame in frames for record in frame[names.RECORD].to_list()]
    return records, [report_of(export, instrument, reading) for export in exports]


def excluded(instrument: Instrument, *exports: Export) -> dict[str, int]:
    _, reports = kept(instrument, *exports)
    return reports[0].rows_excluded


# --- What the tool says of a row --------------------------------------------------------------------------------------------

MARKS: dict[str, tuple[dict[str, Any], dict[str, Any], Sequence[str | None], dict[str, int]]] = {
    "a preview": ({"preview": (Mark(2, frozenset({"preview"})),)}, {}, ["Preview", "0", None], {"preview": 1}),
    "previews are kept if declared": (
        {"preview": (Mark(2, frozenset({"preview"})),)},
        {"previews": "keep"},
        ["Preview", "0", None],
        {},
    ),
    "unfinished": ({"unfinished": (Mark(2, frozenset({""})),)}, {}, ["done", None, " "], {"unfinished": 2}),
    "unfinished ones are kept if declared": (
        {"unfinished": (Mark(2, frozenset({""})),)},
        {"unfinished": "keep"},
        ["done", None, " "],
        {},
    ),
    "an entry of a diary": (
        {"repeated": (Mark(2, frozenset({""}), turned=True),)},
        {},
        ["diary", None, "diary"],
        {"repeated_entry": 2},
    ),
    "another event": ({"event": 2}, {"event": "Start"}, ["start", "End", None], {"other_event": 2}),
    "only one event": ({"event": 2}, {}, ["start", "start", None], {}),
}


@pytest.mark.parametrize("case", MARKS)
def test_rows_are_left_out_by_what_the_tool_says_and_the_instrument_wants(case: str) -> None:
    layout, completeness, states, expected = MARKS[case]
    rows = [[state, str(n)] for n, state in enumerate(states)]
    assert excluded(club(completeness=completeness), export_of([STATE, PAIN], rows, **layout)) == expected


def test_several_events_must_be_told_apart() -> None:
    with pytest.raises(InputRefused, match="2 events"):
        kept(club(), export_of([STATE, PAIN], [["start", "1"], ["end", "2"]], event=2))


# --- Who answers twice ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keep", "codes", "expected"),
    [
        ("first", ["a", "b", "a", "c", "b"], [1, 2, 4]),
        ("last", ["a", "b", "a", "c", "b"], [3, 4, 5]),
        ("first", ["a", None, "", None], [1, 2, 3, 4]),
        ("last", ["a", None, "", None], [1, 2, 3, 4]),
        ("last", ["A", " a", "a "], [3]),
    ],
)
def test_of_one_respondents_answers_the_declared_one_counts(
    keep: str, codes: list[str | None], expected: list[int]
) -> None:
    instrument = club(duplicates={"same_respondent": True, "keep": keep})
    rows = [[code, str(n)] for n, code in enumerate(codes)]
    records, (report,) = kept(instrument, export_of([MEMBER, PAIN], rows))
    assert records == expected and report.rows_kept == len(expected)
    assert report.rows_excluded == ({"same_respondent": n} if (n := len(codes) - len(expected)) else {})


def test_a_row_that_is_set_aside_makes_no_sound_one_a_repeat() -> None:
    instrument = club(duplicates={"same_respondent": True, "keep": "last"})
    export = export_of([MEMBER, PAIN], [["a", "1"], ["a", "2"]])
    frame = export.sheet.cells.frame  # type: ignore[attr-defined]
    export.sheet.cells.frame = frame.with_columns(pl.Series("1", ["Oxide", "Oxide", "no form at all"]))  # type: ignore[attr-defined]
    records, (report,) = kept(instrument, export)
    assert records == [1] and report.rows_quarantined == 1 and report.rows_excluded == {}


@pytest.mark.parametrize(("keep", "expected"), [("first", [1, 3]), ("last", [2, 3])])
def test_the_tools_own_mark_of_a_response_tells_a_repeat_too(keep: str, expected: list[int]) -> None:
    instrument = club(duplicates={"same_token": True, "keep": keep})
    export = export_of([STATE, PAIN], [["R_1", "1"], ["R_1", "2"], ["r_1", "3"]], token=2)
    records, (report,) = kept(instrument, export)
    assert records == expected and report.rows_excluded == {"same_token": 1}


SOON = [
    ("the same within the time", ["2026-01-01 10:00:00", "2026-01-01 10:10:00"], ["5", "5"], [1], [2]),
    ("a second too late", ["2026-01-01 10:00:00", "2026-01-01 10:10:01"], ["5", "5"], [1, 2], [1, 2]),
    ("other answers", ["2026-01-01 10:00:00", "2026-01-01 10:01:00"], ["5", "6"], [1, 2], [1, 2]),
    ("no time", ["2026-01-01 10:00:00", "soon"], ["5", "5"], [1, 2], [1, 2]),
    ("three in a row", ["1/2/2026 9:00:00 AM", "1/2/2026 9:09:00 AM", "1/2/2026 9:18:00 AM"], ["5"] * 3, [1], [3]),
]


@pytest.mark.parametrize(
    ("times", "pains", "first", "last"), [case[1:] for case in SOON], ids=[case[0] for case in SOON]
)
def test_the_same_answers_soon_after_one_another_are_one_answer(
    times: list[str], pains: list[str], first: list[int], last: list[int]
) -> None:
    for keep, expected in (("first", first), ("last", last)):
        rules = {"same_answers_within_minutes": 10, "keep": keep}
        rows = list(zip(pains, times, strict=True))
        records, (report,) = kept(club(duplicates=rules), export_of([PAIN, TIME], rows, submitted=3))
        assert records == expected
        assert sum(report.rows_excluded.values()) == len(times) - len(expected)


@given(st.lists(st.sampled_from("abc") | st.none(), max_size=12))
def test_the_last_ones_are_the_first_ones_of_the_reversed_wave(codes: list[str | None]) -> None:
    hashes = pl.Series("same_respondent:x", [code and code.encode() * 16 for code in codes], dtype=pl.Binary)
    again = superseded([hashes.to_frame()], None)
    later = [code is not None and code in codes[n + 1 :] for n, code in enumerate(codes)]
    assert again.is_not_null().to_list() == later


def test_short_hashes_are_the_first_half_of_the_long_ones() -> None:
    long = pl.Series([bytes(range(16)), None, bytes(16)], dtype=pl.Binary)
    assert short(long).to_list() == [int.from_bytes(bytes(range(8)), "little"), None, 0]


# --- Times -----------------------------------------------------------------------------------------------------------

NEW_YEAR = 1_767_225_600


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("2026-01-01 00:00:01", NEW_YEAR + 1),
        ("2026-01-01T00:00:01.250+01:00", NEW_YEAR + 1),
        ("2026-01-01T00:00:01Z", NEW_YEAR + 1),
        ("2026-01-01 00:00", NEW_YEAR),
        ("1/1/2026 12:00:01 AM", NEW_YEAR + 1),
        ("01/01/2026 12:00:01 PM", NEW_YEAR + 43_201),
        ("01.01.2026 00:00:01", NEW_YEAR + 1),
        ("2026-01-01 00:00:01 UTC", NEW_YEAR + 1),
        ("yesterday", None),
        ("", None),
        (None, None),
    ],
)
def test_a_time_is_read_as_survey_tools_write_it(written: str | None, seconds: int | None) -> None:
    texts = pl.Series([written], dtype=pl.String)
    assert seconds_since_1970(texts, format_of([texts])).to_list() == [seconds]


def test_the_order_of_day_and_month_is_told_from_all_of_a_column() -> None:
    batches = [pl.Series(["03/04/2026 10:00:00", "04/04/2026 10:00:00"]), pl.Series(["25/04/2026 10:00:00"])]
    assert format_of(batches) == format_of(reversed(batches)) == "%d/%m/%Y %H:%M:%S"

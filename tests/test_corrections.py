"""Corrections: what a steward decided changes what is read of an export, cell by cell, and never the export."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from survey_pipeline.corrections import (
    CORRECTIONS_SCHEMA,
    NO_CORRECTIONS,
    correct,
    fingerprint,
    in_force,
    merged,
    of_exports,
    summary,
)
from survey_pipeline.storage import Warehouse

ONE, OTHER = "1" * 64, "2" * 64
Cell = tuple[str, int, str, str, str | None]


def corrections(*cells: Cell, why: str | None = None) -> pl.DataFrame:
    """Corrections from export, record, item, action and new value."""
    rows = [
        (sha, record, item, "not_a_number", "as written", action, new, why) for sha, record, item, action, new in cells
    ]
    return pl.DataFrame(rows, schema=CORRECTIONS_SCHEMA, orient="row")


def of_one(*cells: tuple[int, str, str, str | None]) -> pl.DataFrame:
    return corrections(*((ONE, *cell) for cell in cells))


TEXTS = pl.DataFrame({"pain": ["3", "eight", "x", None], "form": ["Citrate", "Oxide", "Citrate", "None"]})
RECORDS = pl.Series("record", [11, 12, 13, 14])


def applied(*cells: tuple[int, str, str, str | None]) -> tuple[list[tuple[str | None, ...]], list[bool]]:
    texts, kept_out = correct(TEXTS, RECORDS, of_one(*cells))
    assert texts.columns == TEXTS.columns
    return texts.rows(), kept_out.to_list()


# --- Applying -----------------------------------------------------------------------------------------------------------


def test_an_answer_is_set_and_nothing_else_changes() -> None:
    rows, kept_out = applied((12, "pain", "set_to", "8"))
    assert rows == [("3", "Citrate"), ("8", "Oxide"), ("x", "Citrate"), (None, "None")]
    assert kept_out == [False] * 4


def test_an_answer_is_dropped_to_missing() -> None:
    rows, kept_out = applied((12, "pain", "drop", None), (13, "form", "drop", None))
    assert rows == [("3", "Citrate"), (None, "Oxide"), ("x", None), (None, "None")] and kept_out == [False] * 4


def test_a_missing_answer_can_be_set() -> None:
    assert applied((14, "pain", "set_to", "0"))[0][3] == ("0", "None")


def test_a_row_is_kept_out_and_its_texts_stay() -> None:
    rows, kept_out = applied((13, "pain", "keep_out", None))
    assert rows == TEXTS.rows() and kept_out == [False, False, True, False]


def test_what_was_taken_back_changes_nothing() -> None:
    assert applied((12, "pain", "take_back", None)) == (TEXTS.rows(), [False] * 4)


def test_several_corrections_of_one_batch() -> None:
    rows, kept_out = applied(
        (11, "form", "set_to", "Oxide"),
        (11, "pain", "drop", None),
        (12, "pain", "set_to", "8"),
        (12, "form", "keep_out", None),
    )
    assert rows[:2] == [(None, "Oxide"), ("8", "Oxide")] and kept_out == [False, True, False, False]


def test_corrections_of_rows_in_other_batches_change_nothing() -> None:
    assert applied((10, "pain", "set_to", "8"), (15, "pain", "keep_out", None)) == (TEXTS.rows(), [False] * 4)


def test_an_item_without_a_column_gets_one_where_it_is_set_and_none_where_it_is_dropped() -> None:
    texts, _ = correct(TEXTS, RECORDS, of_one((12, "dose", "set_to", "200")))
    assert texts.columns == ["pain", "form", "dose"] and texts["dose"].to_list() == [None, "200", None, None]
    assert texts["dose"].dtype == pl.String
    for untouched in ((12, "dose", "drop", None), (10, "dose", "set_to", "200")):
        assert correct(TEXTS, RECORDS, of_one(untouched))[0].columns == TEXTS.columns


def test_what_is_given_stays_as_it_was() -> None:
    before, texts = TEXTS.clone(), pl.DataFrame(TEXTS)
    correct(
        texts, RECORDS, of_one((11, "pain", "drop", None), (11, "form", "set_to", "x"), (12, "pain", "keep_out", None))
    )
    assert_frame_equal(texts, before)


@pytest.mark.parametrize("dtype", [pl.Int64, pl.UInt32, pl.Int32])
def test_without_corrections_or_rows_nothing_happens(dtype: type[pl.DataType]) -> None:
    texts, kept_out = correct(TEXTS, RECORDS.cast(dtype), NO_CORRECTIONS)
    assert texts.equals(TEXTS) and kept_out.to_list() == [False] * 4 and kept_out.dtype == pl.Boolean
    texts, kept_out = correct(TEXTS.clear(), RECORDS.clear().cast(dtype), of_one((12, "pain", "set_to", "8")))
    assert texts.equals(TEXTS.clear()) and len(kept_out) == 0 and kept_out.dtype == pl.Boolean


CELLS = st.lists(
    st.tuples(
        st.integers(1, 12),
        st.sampled_from(["pain", "form", "dose"]),
        st.sampled_from(["set_to", "drop", "keep_out", "take_back"]),
        st.text(max_size=5),
    ),
    unique_by=lambda cell: cell[:2],
    max_size=15,
)


@given(CELLS, st.integers(1, 12))
def test_batches_of_any_size_are_corrected_alike(cells: list[tuple[int, str, str, str]], size: int) -> None:
    decided = of_one(*((*cell[:3], cell[3] if cell[2] == "set_to" else None) for cell in cells))
    texts = pl.DataFrame({name: [f"{name}{n}" for n in range(12)] for name in ("pain", "form", "dose")})
    records = pl.Series(range(1, 13))
    whole, kept_out = correct(texts, records, decided)
    parts = [correct(texts[at : at + size], records[at : at + size], decided) for at in range(0, 12, size)]
    assert pl.concat([part for part, _ in parts]).equals(whole)
    assert pl.concat([out for _, out in parts]).to_list() == kept_out.to_list()
    by_cell = {(record, item): (action, new) for record, item, action, new in cells}
    for n, row in enumerate(whole.rows(named=True), start=1):
        assert kept_out[n - 1] == any(by_cell.get((n, item), ("", ""))[0] == "keep_out" for item in row)
        for item, text in row.items():
            action, new = by_cell.get((n, item), ("", ""))
            assert text == {"set_to": new, "drop": None}.get(action, f"{item}{n - 1}")


# --- Keeping and counting -----------------------------------------------------------------------------------------------

SET, DROP, OUT = (ONE, 1, "pain", "set_to", "5"), (ONE, 2, "pain", "drop", None), (ONE, 3, "form", "keep_out", None)


def test_a_new_correction_takes_the_place_of_the_earlier_one_of_the_same_answer_only() -> None:
    now = merged(corrections(SET, DROP), corrections((ONE, 1, "pain", "set_to", "6"), (OTHER, 1, "pain", "drop", None)))
    assert now.select("export_sha256", "record", "action", "new_value").rows() == [
        (ONE, 1, "set_to", "6"),
        (ONE, 2, "drop", None),
        (OTHER, 1, "drop", None),
    ]
    assert merged(now, now).equals(now) and merged(NO_CORRECTIONS, now).equals(now)
    assert merged(now, NO_CORRECTIONS).equals(now)


def test_the_fingerprint_is_of_what_is_decided() -> None:
    assert fingerprint(NO_CORRECTIONS) == fingerprint(corrections((ONE, 1, "pain", "take_back", None))) == ""
    first = fingerprint(corrections(SET, DROP))
    assert len(first) == 64
    assert first == fingerprint(corrections(DROP, SET)) == fingerprint(corrections(SET, DROP, why="seen on paper"))
    others = [
        corrections(SET),
        corrections(SET, DROP, OUT),
        corrections((ONE, 1, "pain", "set_to", "6"), DROP),
        corrections((OTHER, 1, "pain", "set_to", "5"), DROP),
        corrections((ONE, 9, "pain", "set_to", "5"), DROP),
        corrections((ONE, 1, "form", "set_to", "5"), DROP),
        corrections((ONE, 1, "pain", "keep_out", None), DROP),
    ]
    assert len({first, *map(fingerprint, others)}) == 1 + len(others)


def test_the_summary_counts_answers_that_are_used_and_rows_that_are_not() -> None:
    assert summary(NO_CORRECTIONS) == {"set_to": 0, "dropped": 0, "kept_out": 0}
    assert summary(corrections(SET, DROP, OUT)) == {"set_to": 1, "dropped": 1, "kept_out": 1}
    also = [(ONE, 3, "pain", "keep_out", None), (ONE, 3, "dose", "set_to", "1"), (OTHER, 3, "dose", "set_to", "1")]
    assert summary(corrections(SET, DROP, OUT, *also)) == {"set_to": 2, "dropped": 1, "kept_out": 1}
    assert summary(corrections((ONE, 1, "pain", "take_back", None))) == {"set_to": 0, "dropped": 0, "kept_out": 0}


def test_corrections_belong_to_an_export_by_its_content() -> None:
    both = corrections(SET, DROP, (OTHER, 1, "pain", "drop", None), (OTHER, 2, "pain", "take_back", None))
    assert of_exports(both, [OTHER]).height == 2 and of_exports(both, []).is_empty()
    assert in_force(both).height == 3


# --- Kept in the warehouse ----------------------------------------------------------------------------------------------


def test_the_warehouse_keeps_the_corrections_of_each_wave(tmp_path: object) -> None:
    warehouse = Warehouse(f"{tmp_path}/warehouse")
    assert warehouse.corrections("club", "2026-01").equals(NO_CORRECTIONS) and not warehouse.exists("corrections")
    first, second = corrections(DROP, SET, why="seen on paper"), corrections(OUT)
    assert warehouse.put_corrections("club", "2026-01", first) == 0
    assert warehouse.put_corrections("club", "2026-02", second) == 1
    assert warehouse.put_corrections("choir", "2026-01", second) == 2
    assert warehouse.corrections("club", "2026-01").equals(corrections(SET, DROP, why="seen on paper"))
    warehouse.put_corrections("club", "2026-01", corrections(SET))
    assert warehouse.corrections("club", "2026-01").equals(corrections(SET))
    assert warehouse.corrections("club", "2026-02").equals(second) and warehouse.corrections("choir", "2026-01").equals(
        second
    )
    warehouse.put_corrections("club", "2026-01", NO_CORRECTIONS)
    assert warehouse.corrections("club", "2026-01").equals(NO_CORRECTIONS)

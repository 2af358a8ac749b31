"""The warehouse: real Delta tables, replaced a wave at a time, and never half."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from club import MARKER, contents
from hypothesis import given
from hypothesis import strategies as st

from survey_pipeline.count import TALLY_SCHEMA
from survey_pipeline.errors import InputRefused, WarehouseBusy, WrongUsage
from survey_pipeline.names import INSTRUMENT, WAVE
from survey_pipeline.spool import Spool
from survey_pipeline.storage import WAVES_SCHEMA, Warehouse, known_wave

Key = dict[str, str]


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return Warehouse(tmp_path / "warehouse")


def key(wave: str, instrument: str = "club") -> Key:
    return {INSTRUMENT: instrument, WAVE: wave}


def frame(at: Key, *values: float, **columns: Any) -> pl.DataFrame:
    """Rows of a wave with one number each, and with further columns."""
    words = {name: [value] * len(values) for name, value in at.items()}
    types = dict.fromkeys(at, pl.String) | {"x": pl.Float64}
    return pl.DataFrame({**words, "x": list(values), **columns}, schema_overrides=types)


def put(warehouse: Warehouse, wave: str, *values: float, **columns: Any) -> int:
    rows = frame(key(wave), *values, **columns)
    return warehouse.replace_wave("t", [rows], rows.clear(), key(wave))


def held(warehouse: Warehouse, wave: str, version: int | None = None) -> list[float]:
    found = warehouse.scan("t", version).filter(pl.col(WAVE) == wave).sort("x").collect()
    return found["x"].to_list()


@pytest.mark.parametrize("name", ["my surveys", "Müller été", "a#b", "a+b"])
def test_a_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    warehouse = Warehouse(tmp_path / name)
    assert [put(warehouse, "2026-01", value) for value in (1, 2)] == [0, 1]
    assert [held(warehouse, "2026-01", version) for version in (0, 1, None)] == [[1], [2], [2]]


def test_what_is_written_is_the_owners_alone_also_in_a_folder_that_is_open(tmp_path: Path) -> None:
    folder, before = tmp_path / "warehouse", os.umask(0o022)
    try:
        folder.mkdir(mode=0o755)
        with Warehouse(folder).held():
            put(Warehouse(folder), "2026-01", 1)
        put(Warehouse(folder), "2026-01", 2)
        (tmp_path / "another").write_text("as ever")
    finally:
        assert os.umask(before) == 0o022
    modes = {path: path.stat().st_mode & 0o077 for path in folder.rglob("*")}
    assert len(modes) > 4 and set(modes.values()) == {0} and folder.stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "another").stat().st_mode & 0o777 == 0o644


# --- Replacing a wave --------------------------------------------------------------------------------------------------


def test_a_wave_is_replaced_and_the_others_stay(warehouse: Warehouse) -> None:
    assert [put(warehouse, wave, value) for wave, value in (("2026-01", 1), ("2026-02", 2), ("2026-03", 3))] == [
        0,
        1,
        2,
    ]
    assert put(warehouse, "2026-02", 20, 21) == 3
    assert [held(warehouse, wave) for wave in ("2026-01", "2026-02", "2026-03")] == [[1], [20, 21], [3]]


def test_an_earlier_version_is_still_there(warehouse: Warehouse) -> None:
    put(warehouse, "2026-01", 1)
    put(warehouse, "2026-01", 2)
    assert [held(warehouse, "2026-01", version) for version in (0, 1)] == [[1], [2]]
    assert [commit["version"] for commit in warehouse.history("t")] == [1, 0]
    assert all(commit[WAVE] == "2026-01" for commit in warehouse.history("t"))


def test_a_wave_may_come_in_batches_or_be_empty(warehouse: Warehouse) -> None:
    put(warehouse, "2026-01", 1)
    parts = (frame(key("2026-02"), value) for value in (1, 2, 3))
    warehouse.replace_wave("t", parts, frame(key("2026-02")), key("2026-02"))
    assert held(warehouse, "2026-02") == [1, 2, 3]
    warehouse.replace_wave("t", [], frame(key("2026-02")), key("2026-02"))
    assert (held(warehouse, "2026-02"), held(warehouse, "2026-01")) == ([], [1])


def test_a_table_may_begin_empty(warehouse: Warehouse) -> None:
    warehouse.replace_wave("t", [], frame(key("2026-01")), key("2026-01"))
    assert warehouse.version("t") == 0 and held(warehouse, "2026-01") == []
    put(warehouse, "2026-01", 5)
    assert held(warehouse, "2026-01") == [5]


@pytest.mark.parametrize("stop", [ValueError(MARKER), InputRefused("a row", "mend it"), KeyboardInterrupt()])
def test_batches_that_stop_halfway_leave_the_last_good_version(warehouse: Warehouse, stop: BaseException) -> None:
    put(warehouse, "2026-01", 1)
    before = contents(Path(warehouse.location))

    def batches() -> Iterator[pl.DataFrame]:
        yield frame(key("2026-01"), 7)
        raise stop

    with pytest.raises(type(stop)) as raised:
        warehouse.replace_wave("t", batches(), frame(key("2026-01")), key("2026-01"))
    assert raised.value is stop
    assert contents(Path(warehouse.location)) == before and held(warehouse, "2026-01") == [1]
    assert put(warehouse, "2026-01", 2) == 1 and held(warehouse, "2026-01") == [2]


def test_a_table_whose_first_batches_stop_halfway_is_not_there(warehouse: Warehouse) -> None:
    def batches() -> Iterator[pl.DataFrame]:
        yield frame(key("2026-01"), 7)
        raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        warehouse.replace_wave("t", batches(), frame(key("2026-01")), key("2026-01"))
    assert not warehouse.exists("t") and warehouse.history("t") == []
    assert put(warehouse, "2026-01", 1) == 0


def test_rows_can_be_added_without_touching_any(warehouse: Warehouse) -> None:
    put(warehouse, "2026-01", 1)
    before = contents(Path(warehouse.location))
    warehouse.append("t", frame(key("2026-01"), 2), key("2026-01"))
    assert held(warehouse, "2026-01") == [1, 2]
    assert before.items() <= contents(Path(warehouse.location)).items()


def test_a_writer_that_meets_anothers_change_gives_way(warehouse: Warehouse) -> None:
    put(warehouse, "2026-01", 1)

    def meanwhile() -> Iterator[pl.DataFrame]:
        other = threading.Thread(target=put, args=(warehouse, "2026-01", 99))
        other.start()
        other.join()
        yield frame(key("2026-01"), 2)

    with pytest.raises(WarehouseBusy, match="changed by another run"):
        warehouse.replace_wave("t", meanwhile(), frame(key("2026-01")), key("2026-01"))
    assert held(warehouse, "2026-01") == [99]


# --- An instrument that changes from wave to wave ----------------------------------------------------------------------


def test_a_new_column_is_empty_in_earlier_waves(warehouse: Warehouse) -> None:
    put(warehouse, "2026-01", 1)
    put(warehouse, "2026-02", 2, fatigue=["a lot"])
    rows = warehouse.scan("t").select(WAVE, "x", "fatigue").sort(WAVE).collect().rows()
    assert rows == [("2026-01", 1.0, None), ("2026-02", 2.0, "a lot")]


def test_a_column_that_is_no_longer_asked_stays_in_earlier_waves(warehouse: Warehouse) -> None:
    put(warehouse, "2026-01", 1, fatigue=["a lot"])
    put(warehouse, "2026-02", 2)
    rows = warehouse.scan("t").select(WAVE, "x", "fatigue").sort(WAVE).collect().rows()
    assert rows == [("2026-01", 1.0, "a lot"), ("2026-02", 2.0, None)]


@pytest.mark.parametrize("other", ["5", True, 5])
def test_a_column_that_changes_its_kind_is_refused_before_anything_is_written(warehouse: Warehouse, other: Any) -> None:
    put(warehouse, "2026-01", 1, dose=[4.5])
    before = contents(Path(warehouse.location))
    with pytest.raises(InputRefused, match="'dose' is of another kind than in the waves") as refused:
        put(warehouse, "2026-02", 2, dose=[other])
    assert "new name" in refused.value.next_step and contents(Path(warehouse.location)) == before


# --- Waves and tallies -------------------------------------------------------------------------------------------------


def wave_row(wave: str, instrument: str = "club", **more: Any) -> dict[str, Any]:
    plain = dict.fromkeys(WAVES_SCHEMA) | {"fingerprint": "f", "exports": "[]", "instrument_definition": "{}"}
    return plain | key(wave, instrument) | more


def test_waves_are_found_by_instrument_and_name_the_versions_they_lie_in(warehouse: Warehouse) -> None:
    for row in (wave_row("2026-02"), wave_row("2026-01", responses_version=3), wave_row("2026-01", "other")):
        warehouse.put_wave(row)
    warehouse.put_wave(wave_row("2026-02", tally_version=7))
    assert [row[WAVE] for row in warehouse.waves("club")] == ["2026-01", "2026-02"]
    assert warehouse.instruments() == ["club", "other"]
    assert known_wave(warehouse, "club", "2026-02")["tally_version"] == 7
    assert known_wave(warehouse, "club", "2026-01")["responses_version"] == 3
    with pytest.raises(WrongUsage, match=r"no wave '2026-03' of 'club'\. Waves there: 2026-01, 2026-02\."):
        known_wave(warehouse, "club", "2026-03")
    with pytest.raises(WrongUsage, match="Run it first"):
        known_wave(warehouse, "third", "2026-01")


def test_a_tally_comes_back_as_it_was_counted_and_from_its_own_wave(warehouse: Warehouse) -> None:
    def tally(n: int) -> pl.DataFrame:
        return pl.DataFrame(
            [
                ("form", "citrate", "pain", None, None, n, None, None),
                ("form", "citrate", "pain", None, 3.0, n + 1, None, None),
            ],
            schema=TALLY_SCHEMA,
            orient="row",
        )

    versions = [warehouse.put_tally("club", wave, tally(n)) for wave, n in (("2026-01", 1), ("2026-02", 2))]
    changed = warehouse.put_tally("club", "2026-01", tally(5))
    assert warehouse.tally("club", "2026-01", versions[0]).equals(tally(1))
    assert warehouse.tally("club", "2026-02", changed).equals(tally(2))
    assert warehouse.tally("club", "2026-01", changed).equals(tally(5))


def test_looking_into_a_warehouse_that_is_not_there_makes_none(warehouse: Warehouse) -> None:
    assert warehouse.instruments() == [] and warehouse.waves("club") == [] and warehouse.releases("club") == []
    assert warehouse.wave("club", "2026-01") is None and not warehouse.exists("t")
    assert not Path(warehouse.location).exists()


# --- One run at a time -------------------------------------------------------------------------------------------------

HOLD = """
import sys
from survey_pipeline.storage import Warehouse
with Warehouse(sys.argv[1]).held():
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(warehouse: Warehouse) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the warehouse."""
    command = [sys.executable, "-c", HOLD, warehouse.location]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_warehouse_that_another_process_holds_is_busy_until_it_ends(
    warehouse: Warehouse, holder: subprocess.Popen[str]
) -> None:
    with pytest.raises(WarehouseBusy, match="Another run is using the warehouse"), warehouse.held():
        pass
    assert holder.communicate("", timeout=30) and holder.returncode == 0
    with warehouse.held():
        pass


def test_a_holder_that_is_killed_leaves_no_lock(warehouse: Warehouse, holder: subprocess.Popen[str]) -> None:
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait(timeout=30)
    with warehouse.held():
        put(warehouse, "2026-01", 1)
    assert held(warehouse, "2026-01") == [1]


def test_a_run_that_stores_nothing_leaves_nothing_and_one_that_stores_leaves_all(warehouse: Warehouse) -> None:
    with pytest.raises(ValueError, match="refused"), warehouse.held():
        raise ValueError("refused")
    assert not Path(warehouse.location).exists()
    with warehouse.held():
        put(warehouse, "2026-01", 1)
    with pytest.raises(ValueError, match="refused"), warehouse.held():
        raise ValueError("refused")
    assert held(warehouse, "2026-01") == [1]


def test_a_warehouse_where_no_folder_can_be_is_wrong_usage(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(WrongUsage, match="cannot be made for the warehouse"), Warehouse(tmp_path / "file").held():
        pass


# --- The spool ---------------------------------------------------------------------------------------------------------


@given(st.lists(st.lists(st.integers(), max_size=4), max_size=5))
def test_a_spool_gives_back_what_was_put_in_as_often_as_asked(parts: list[list[int]]) -> None:
    spool = Spool(pl.DataFrame(schema={"n": pl.Int64}))
    for values in parts:
        spool.add(pl.DataFrame({"n": [value % 1000 for value in values]}, schema={"n": pl.Int64}))
    expected = [[value % 1000 for value in values] for values in parts if values]
    assert [found["n"].to_list() for found in spool.frames()] == expected
    spool.add(pl.DataFrame({"n": [7]}))
    assert [found["n"].to_list() for found in spool.frames()] == [*expected, [7]]


def test_a_spool_has_no_name_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    spool = Spool(pl.DataFrame(schema={"n": pl.Int64}))
    spool.add(pl.DataFrame({"n": [1]}))
    assert list(tmp_path.iterdir()) == []

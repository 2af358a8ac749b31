"""Which files of a folder make which wave."""

from pathlib import Path

import pytest

from survey_pipeline.errors import WrongUsage
from survey_pipeline.waves import find_waves, newest_wave


def folder_of(home: Path, *names: str) -> Path:
    folder = home / "exports"
    folder.mkdir(exist_ok=True)
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("Timestamp\n", encoding="utf-8")
    return folder


def names_of(folder: Path) -> dict[str, list[str]]:
    return {wave: [path.name for path in paths] for wave, paths in find_waves(folder).items()}


@pytest.mark.parametrize(
    ("name", "wave"),
    [
        ("magnesium-2026-01.csv", "2026-01"),
        ("magnesium_2026-Q1.csv", "2026-Q1"),
        ("magnesium survey 2026-W09.xlsx", "2026-W09"),
        ("magnesium-2026.csv", "2026"),
        ("2026-12.csv", "2026-12"),
        ("magnesium-2025-2026.csv", "2026"),
        ("magnesium-2026-01.final.csv", "2026-01"),
        ("magnesium-2026-01", "2026-01"),
    ],
)
def test_a_name_that_ends_in_a_wave_belongs_to_it(tmp_path: Path, name: str, wave: str) -> None:
    assert names_of(folder_of(tmp_path, name)) == {wave: [name]}


@pytest.mark.parametrize(
    "name",
    [
        "magnesium.csv",
        "magnesium-2026-13.csv",
        "magnesium-2026-00.csv",
        "magnesium-2026-01-02.csv",
        "magnesium-2026.01.csv",
        "magnesium-2026-01 (1).csv",
        "magnesium-2026-01-final.csv",
        "magnesium-2026-W54.csv",
        "magnesium12026.csv",
        "January/answers.csv",
    ],
)
def test_a_name_from_which_no_wave_can_be_told_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(WrongUsage, match="No wave can be told from") as stopped:
        find_waves(folder_of(tmp_path, "magnesium-2026-01.csv", name))
    assert f"'{name.split('/')[0]}'" in stopped.value.problem
    assert "magnesium-2026-01.csv" in stopped.value.next_step


def test_a_sub_folder_named_as_a_wave_holds_its_exports(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "2026-02/typeform.csv", "2026-02/google.csv", "2026-01/answers.csv")
    assert names_of(folder) == {"2026-01": ["answers.csv"], "2026-02": ["google.csv", "typeform.csv"]}


def test_several_files_and_a_folder_may_make_one_wave(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "a-2026-01.csv", "b-2026-01.csv", "2026-01/c.csv")
    assert names_of(folder) == {"2026-01": ["c.csv", "a-2026-01.csv", "b-2026-01.csv"]}


def test_waves_come_in_order_and_the_last_is_the_newest(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "z-2025-12.csv", "a-2026-10.csv", "a-2026-02.csv")
    assert list(find_waves(folder)) == ["2025-12", "2026-02", "2026-10"]
    assert newest_wave(folder) == ("2026-10", (folder / "a-2026-10.csv",))


def test_hidden_files_and_empty_sub_folders_do_not_count(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, ".DS_Store", "~$a-2026-01.xlsx", "a-2026-01.csv", "2026-02/.keep")
    assert names_of(folder) == {"2026-01": ["a-2026-01.csv"]}


def test_a_long_list_of_strangers_is_cut(tmp_path: Path) -> None:
    with pytest.raises(WrongUsage, match="'a5' and 2 more"):
        find_waves(folder_of(tmp_path, *(f"a{i}" for i in range(1, 8))))


def test_an_empty_folder_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(WrongUsage, match="holds no exports"):
        find_waves(folder_of(tmp_path))


@pytest.mark.parametrize("name", ["nowhere", "a-2026-01.csv"])
def test_what_is_no_folder_is_wrong_usage(tmp_path: Path, name: str) -> None:
    with pytest.raises(WrongUsage, match="There is no folder"):
        find_waves(folder_of(tmp_path, "a-2026-01.csv") / name)

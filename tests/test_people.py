"""People of releases: digests that nothing but an answer changes, and in how many answers two releases differ."""

import shutil
import time
from collections import Counter
from collections.abc import Callable
from datetime import date
from hashlib import blake2b
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from builders import community
from club import Row, Said, call, rows, write
from hypothesis import given
from hypothesis import strategies as st

from survey_pipeline.names import RESPONDENT
from survey_pipeline.people import Digests, People, answers_needed, differences, digests, same_people, too_near
from survey_pipeline.storage import Warehouse

KEY = b"k" * 32


def of(frame: pl.DataFrame, key: bytes = KEY) -> list[int]:
    """The digest of each row, in the order of the rows."""
    return [int(digests([frame[place]], key)[0]) for place in range(frame.height)]


# --- Digests ----------------------------------------------------------------------------------------------------------


def test_a_digest_is_the_same_for_good() -> None:
    """Kept for years: no version of a library, no machine and no order of columns may change it."""
    answers = pl.DataFrame(
        {
            "form": ["citrate"],
            "pain": [3.5],
            "side__none": [True],
            "since": [date(2026, 1, 2)],
            RESPONDENT: [b"\x00\xff"],
        }
    )
    assert of(answers) == of(answers.select(sorted(answers.columns))) == [-1845355112375376756]
    written = ("4:form=citrate", f"4:pain={0x400C << 48}", "10:side__none=1", "5:since=20455", f"10:{RESPONDENT}=00ff")
    hashes = [blake2b(text.encode(), key=KEY, digest_size=8, person=b"released people").digest() for text in written]
    total = sum(int.from_bytes(one, "little") for one in hashes) % 2**64
    assert of(answers) == [total - 2**64 if total >= 2**63 else total]


KINDS = {str: pl.String, bool: pl.Boolean, float: pl.Float64, date: pl.Date}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": "x"}, {"a": None}),
        ({"a": ""}, {"a": None}),
        ({"a": ""}, {"a": "x"}),
        ({"a": "x", "b": None}, {"a": None, "b": "x"}),
        ({"a": "x", "b": "y"}, {"a": "y", "b": "x"}),
        ({"a": "1"}, {"ab": "1"}),
        ({"a": "b=1"}, {"a=b": "1"}),
        ({"a": True}, {"a": False}),
        ({"a": False}, {"a": None}),
        ({"a": 0.0}, {"a": None}),
        ({"a": 1.0}, {"a": 1.0 + 2**-52}),
        ({"a": date(2026, 1, 1)}, {"a": date(2026, 1, 2)}),
    ],
)
def test_another_answer_is_another_digest(one: dict[str, object], other: dict[str, object]) -> None:
    kinds = {name: KINDS[type(value)] for name, value in {**other, **one}.items() if value is not None}
    blank = dict.fromkeys({**other, **one}, pl.String)
    frames = [pl.DataFrame([row], schema={name: {**blank, **kinds}[name] for name in row}) for row in (one, other)]
    assert of(frames[0]) != of(frames[1])


def test_where_an_answer_was_read_and_columns_without_one_change_nothing() -> None:
    here = pl.DataFrame({"instrument": ["i"], "wave": ["2026-01"], "export": ["a.csv"], "record": [1], "pain": [3.0]})
    there = pl.DataFrame({"pain": [3.0], "wave": ["2026-02"], "export": ["b.csv"], "record": [77], "new": [None]})
    assert of(here) == of(there.cast({"new": pl.String}))
    assert of(pl.DataFrame({"pain": [0.0]})) == of(pl.DataFrame({"pain": [-0.0]}))


def test_digests_are_keyed_sorted_and_the_same_in_any_batches() -> None:
    people = community(200, 1)
    whole = digests([people], KEY)
    assert np.array_equal(whole, digests([people[150:], people[:150]], KEY)) and list(whole) == sorted(of(people))
    assert not set(whole) & set(digests([people], b"another key"))
    assert len(digests([], KEY)) == 0 == len(digests([people.clear()], KEY))


@pytest.mark.slow
def test_a_million_answers_take_a_few_seconds() -> None:
    people, began = community(250_000, 1), time.perf_counter()
    assert len(digests([people] * 4, KEY)) == 1_000_000
    assert time.perf_counter() - began < 20


# --- Differences ------------------------------------------------------------------------------------------------------


def multiset(numbers: list[int]) -> Digests:
    return np.sort(np.array(numbers, dtype=np.int64))


@given(st.lists(st.integers(-3, 3)), st.lists(st.integers(-3, 3)))
def test_differences_are_those_of_multisets(new: list[int], old: list[int]) -> None:
    only_new, only_old = Counter(new) - Counter(old), Counter(old) - Counter(new)
    assert differences(multiset(new), multiset(old)) == (only_new.total(), only_old.total())


@given(st.integers(0, 25), st.integers(0, 25), st.integers(1, 12))
def test_the_answers_needed_are_the_fewest_that_do(only_new: int, only_old: int, least: int) -> None:
    """Of all ways to add new answers and change old ones, none does with fewer."""

    def may_stand(n: int) -> bool:
        return n == 0 or n >= least

    def fewest() -> int:
        ways = ((added, changed) for added in range(2 * least + 1) for changed in range(2 * least + 1))
        return min(a + c for a, c in ways if may_stand(only_new + a + c) and may_stand(only_old + c))

    assert answers_needed(only_new, only_old, least) == fewest()


@pytest.mark.parametrize(
    ("only_new", "only_old", "needed"),
    [
        (0, 0, 0),
        (1, 0, 9),
        (9, 0, 1),
        (10, 0, 0),
        (0, 1, 10),
        (0, 9, 10),
        (0, 10, 0),
        (3, 3, 7),
        (12, 4, 6),
        (10, 10, 0),
    ],
)
def test_what_is_needed_by_hand(only_new: int, only_old: int, needed: int) -> None:
    assert answers_needed(only_new, only_old, 10) == needed


# --- Releases ---------------------------------------------------------------------------------------------------------


def people(wave: str, numbers: range | list[int], number: int = 1, in_force: bool = True) -> People:
    return People(wave, number, multiset(list(numbers)), in_force)


JANUARY, FEBRUARY = people("2026-01", range(100)), people("2026-02", range(100, 200))


def test_a_wave_of_other_people_is_near_to_none() -> None:
    assert too_near(FEBRUARY, [JANUARY], 10) is None and too_near(FEBRUARY, [], 10) is None


@pytest.mark.parametrize(("more", "needed"), [(0, None), (1, 9), (9, 1), (10, None)])
def test_an_export_that_holds_all_of_the_wave_before_needs_enough_others(more: int, needed: int | None) -> None:
    found = too_near(people("2026-02", range(100 + more)), [JANUARY], 10)
    assert (found and found.needed) == needed
    if found:
        assert found.earlier == (JANUARY,)


def test_the_nearest_release_says_how_many_it_takes_also_one_that_was_corrected() -> None:
    first, second = people("2026-01", range(97), 1, in_force=False), people("2026-01", range(80), 2)
    found = too_near(people("2026-01", range(96), 3), [first, second], 10)
    assert found and found.needed == 10 and found.earlier == (first,)


def test_months_together_may_not_be_nearly_all_of_a_cumulative_export() -> None:
    """Each of them differs from it by a hundred people, both together by three."""
    both = people("2026-03", range(203))
    found = too_near(both, [JANUARY, FEBRUARY], 10)
    assert found and found.needed == 7 and {one.wave for one in found.earlier} == {"2026-01", "2026-02"}
    assert too_near(people("2026-03", range(210)), [JANUARY, FEBRUARY], 10) is None
    assert too_near(people("2026-03", range(200)), [JANUARY, FEBRUARY], 10) is None


def test_the_same_in_whatever_order_they_are_published() -> None:
    both = people("2026-03", range(203))
    found = too_near(FEBRUARY, [JANUARY, both], 10)
    assert found and {one.wave for one in found.earlier} == {"2026-01", "2026-03"}


def test_a_cumulative_series_grows_as_it_likes_by_enough_people() -> None:
    series = [people(f"2026-{month:02d}", range(50 * month)) for month in range(1, 7)]
    for place, release in enumerate(series):
        assert too_near(release, series[:place], 10) is None


def test_exactly_the_same_answers_are_told_apart_from_nearly_the_same() -> None:
    again = people("2026-01", range(100), 2)
    assert same_people(again.digests, [JANUARY, FEBRUARY]) == [JANUARY]
    assert too_near(again, [JANUARY], 10) is None
    assert same_people(multiset(list(range(101))), [JANUARY]) == []


# --- On the command line ----------------------------------------------------------------------------------------------


Run = Callable[..., Said]


@pytest.fixture
def run(tmp_path: Path, home: Path, instrument_file: Path) -> Run:
    """Run a wave of the club with these rows."""

    def one(wave: str, found: list[Row], *more: str) -> Said:
        export = write(tmp_path / f"{wave}-{len(found)}.csv", found)
        return call("run", export, "-i", instrument_file, "-w", wave, "--home", home, *more)

    return one


def test_a_cumulative_export_is_held_back_until_it_holds_enough_others(run: Run, home: Path) -> None:
    assert run("2026-01", rows(70)).code == 0
    said = run("2026-02", rows(73))
    assert said.code == 5 and said.out == ""
    assert said.err.splitlines() == [
        "This differs from release 1 of wave 2026-01 by fewer than 10 people, so the two together would give them away. "
        "Nothing was published; the earlier release stands.",
        "It takes at least 7 more new or changed answers.",
    ]
    assert [one.release.wave for one in Warehouse(home / "warehouse").releases("club")] == ["2026-01"]
    assert run("2026-02", rows(80)).code == 0
    assert run("2026-03", rows(70, 100)).code == 0


def test_a_correction_of_a_few_answers_is_held_back_and_one_of_many_is_not(run: Run, home: Path) -> None:
    assert run("2026-01", rows(70)).code == 0
    said = run("2026-01", [*rows(69), *rows(1, 69, pain="9", form="Oxide")], "--correction", "a slip")
    assert said.code == 5 and said.err.endswith("It takes at least 9 more new or changed answers.\n")
    assert run("2026-01", [*rows(60), *rows(10, 60, dose="150")], "--correction", "slips").code == 0
    assert run("2026-01", rows(70)).code == 3, "the first export is no more what is published"


def test_releases_from_before_digests_were_kept_are_compared_by_their_answers(run: Run, home: Path) -> None:
    assert run("2026-01", rows(70)).code == 0
    shutil.rmtree(home / "warehouse" / "released_people")
    assert run("2026-02", rows(73)).code == 5
    shutil.rmtree(home / "warehouse" / "responses")
    done = run("2026-02", rows(74), "--json")
    assert done.code == 0 and done.document["remarks"] == [
        "Not compared with release 1 of wave 2026-01: the answers behind it are not in the warehouse any more."
    ]


def test_whose_answers_count_is_kept_once_they_are_published(
    run: Run, home: Path, instrument_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proposal shows nobody anything: only what is approved is compared with later on."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "disclosure.toml").write_text("require_approval = true\n", encoding="utf-8")
    store = Warehouse(home / "warehouse")
    assert run("2026-01", rows(70)).code == 0 and store.released_people("club", "2026-01", 1) is None
    assert run("2026-02", rows(73)).code == 0, "nothing is published yet"
    options = ("-i", instrument_file, "--home", home, "--by", "a reviewer", "--reason", "looked through")
    assert call("approve", *options, "-w", "2026-01").code == 0
    kept = store.released_people("club", "2026-01", 1)
    assert kept is not None and len(kept) == 70
    assert call("approve", *options, "-w", "2026-02").code == 5, "overtaken by what was published since"
    assert run("2026-02", rows(73)).code == 5

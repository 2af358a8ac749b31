"""The ledger: chained in one atomic commit an entry, verifiable where documents are left out, and no tampering unseen."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from club import call, rows, write
from deltalake import write_deltalake
from hypothesis import given
from hypothesis import strategies as st
from releases import magnesium_release

from survey_pipeline.errors import InputRefused, WarehouseBusy
from survey_pipeline.ledger import (
    NOTHING_BEFORE,
    Entry,
    Kind,
    canonical,
    chained,
    exported,
    hash_of,
    hashed,
    not_continued,
    problems,
    read_ledger,
    unknown_reports,
)
from survey_pipeline.names import INSTRUMENT
from survey_pipeline.release import Release
from survey_pipeline.render.tables import json as release_json
from survey_pipeline.reports import release_documents
from survey_pipeline.storage import RELEASES_SCHEMA, StoredRelease, Warehouse, latest

CLUB = "magnesium_test"


def chain(*new: Entry) -> list[Entry]:
    entries: list[Entry] = []
    for one in new:
        entries.append(chained(entries, one))
    return entries


def released(wave: str, number: int = 1) -> Entry:
    return Entry(CLUB, Kind.RELEASE, wave, number, document=json.dumps({"wave": wave, "number": number}))


def four() -> list[Entry]:
    proposal = replace(released("2026-02"), kind=Kind.PROPOSAL)
    decided = Entry(CLUB, Kind.REJECTION, "2026-02", 1, by="Ada", reason="Zu früh")
    return chain(released("2026-01"), proposal, decided, released("2026-02"))


def said(entries: Sequence[Entry]) -> list[str]:
    return [str(problem) for problem in problems(entries)]


# --- The chain --------------------------------------------------------------------------------------------------------


def test_each_entry_holds_the_hash_of_the_one_before() -> None:
    entries = four()
    assert [entry.entry for entry in entries] == [1, 2, 3, 4]
    assert [entry.previous_sha256 for entry in entries] == [NOTHING_BEFORE, *(entry.sha256 for entry in entries[:3])]
    assert problems(entries) == problems([]) == []


def test_the_hash_is_that_of_sorted_json_without_spaces_and_without_the_document() -> None:
    (entry,) = chain(Entry("club", Kind.RELEASE, "2026-01", 1, by="Zoë", document="{}"))
    text = (
        '{"by":"Zoë","document_sha256":"' + hashed("{}") + '","entry":1,"instrument":"club","kind":"release",'
        '"previous_sha256":"' + "0" * 64 + '","release_number":1,"wave":"2026-01"}'
    )
    assert entry.sha256 == hashed(text)
    assert replace(entry, document="other").sha256 == hash_of(replace(entry, document="other"))


CHANGES: dict[str, Any] = {
    "kind": Kind.PROPOSAL,
    "wave": "2026-09",
    "release_number": 7,
    "fingerprint": "f",
    "correction": "why",
    "responses_version": 3,
    "tally_version": 3,
    "instrument_definition": "{}",
    "document": '{"wave":"2026-01","number":2}',
    "by": "Eve",
    "reason": "none",
    "notes": "{}",
    "document_sha256": "0" * 64,
    "sha256": "0" * 64,
}


@pytest.mark.parametrize("part", CHANGES)
def test_whatever_is_changed_in_an_entry_is_seen(part: str) -> None:
    entries = four()
    entries[0] = replace(entries[0], **{part: CHANGES[part]})
    assert any(
        one.startswith("entry 1, the ") and "its content is not what was entered" in one for one in said(entries)
    )


def test_an_entry_that_was_hashed_anew_no_longer_fits_the_next() -> None:
    entries = four()
    forged = replace(entries[2], reason="Too late")
    entries[2] = replace(forged, sha256=hash_of(forged))
    assert said(entries) == [
        "entry 4, the release 1 of wave 2026-02: what stands before it is not what stood there when it was entered"
    ]


@given(st.sets(st.integers(0, 3), min_size=1, max_size=3))
def test_entries_that_are_gone_are_missed_unless_they_are_the_last(gone: set[int]) -> None:
    left = [entry for place, entry in enumerate(four()) if place not in gone]
    cut_off = gone == set(range(4 - len(gone), 4))
    assert bool(problems(left)) is not cut_off
    assert not_continued(four(), left) and not not_continued(left, four())


def test_what_is_missing_is_named() -> None:
    entries = four()
    assert said([entries[0], *entries[2:]]) == ["entry 2 is missing"]
    assert said([entries[0], entries[3]]) == ["entries 2 to 3 are missing"]
    assert said([entries[0], *entries]) == ["entry 1 is there more than once"]


def test_two_entries_that_changed_places_are_seen() -> None:
    one, two, three, four_ = four()
    swapped = [one, replace(three, entry=2), replace(two, entry=3), four_]
    assert {one.split(",")[0] for one in said(swapped)} == {"entry 2", "entry 3", "entry 4"}


def test_each_instrument_has_a_chain_of_its_own() -> None:
    mine, others = four(), [replace(entry, instrument="other") for entry in four()]
    assert len(problems([*mine, *others])) == 4, "the others were not entered under that name"
    others = chain(*(replace(entry, instrument="other", document=entry.document) for entry in four()))
    assert problems([*mine, *others]) == []


# --- Files ------------------------------------------------------------------------------------------------------------


def test_an_exported_ledger_reads_back_and_verifies_without_what_is_not_published(tmp_path: Path) -> None:
    file = tmp_path / "ledger.jsonl"
    file.write_bytes(exported(four()))
    back = read_ledger(file)
    assert [entry.document is not None for entry in back] == [True, False, False, True]
    assert back[1].document_sha256 == hashed(str(four()[1].document))
    assert problems(back) == not_continued(back, four()) == []
    assert exported(back) == file.read_bytes()
    first = file.read_text(encoding="utf-8").splitlines()[0]
    assert first == canonical(json.loads(first))


def test_a_release_without_its_document_is_no_release(tmp_path: Path) -> None:
    entries = four()
    assert said([replace(entries[0], document=None), *entries[1:]]) == [
        "entry 1, the release 1 of wave 2026-01: its content is not what was entered"
    ]


@pytest.mark.parametrize(
    "text",
    [
        "wave,form\n2026-01,citrate\n",
        "{}\n",
        "[1]\n",
        '"text"\n',
        "\udcff",
        exported(four()).decode().rstrip("\n"),
        exported(four()).decode().replace('"entry":1', '"entry":"one"'),
        exported(four()).decode().replace('"kind":"release"', '"kind":"gift"'),
    ],
)
def test_what_is_no_ledger_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "file"
    file.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(InputRefused):
        read_ledger(file)
    with pytest.raises(InputRefused):
        read_ledger(tmp_path)


# --- In the warehouse -------------------------------------------------------------------------------------------------


def stored(wave: str, number: int = 1, **changes: Any) -> StoredRelease:
    release = magnesium_release(wave=wave, release_number=number, **changes)
    return StoredRelease(release, f"made of {wave} {number}", number, number, "{}")


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    """Three releases, one of them a correction, and a proposal that was rejected."""
    made = Warehouse(tmp_path / "warehouse")
    made.add_release(stored("2026-02"), notes={"seconds": 3.5})
    made.add_release(stored("2026-01"))
    made.add_release(stored("2026-02", 2, correction="late answers"))
    made.add_release(stored("2026-03"), Kind.PROPOSAL)
    made.add_entry(Entry(CLUB, Kind.REJECTION, "2026-03", 1, by="Ada", reason="too early"))
    return made


def rewrite(warehouse: Warehouse, change: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
    """Put a changed table in the place of the ledger, as somebody with access to the warehouse could."""
    table = change(warehouse.scan("releases").sort("entry").collect())
    where = f"{warehouse.location}/releases"
    write_deltalake(where, table, mode="overwrite", schema_mode="overwrite", partition_by=[INSTRUMENT])


def found(warehouse: Warehouse) -> list[str]:
    return said(warehouse.ledger(CLUB))


def test_the_warehouse_keeps_a_sound_chain_and_gives_releases_by_wave(warehouse: Warehouse) -> None:
    entries = warehouse.ledger(CLUB)
    assert [str(entry.kind) for entry in entries] == ["release"] * 3 + ["proposal", "rejection"]
    assert entries[0].notes_read == {"seconds": 3.5} and entries[1].notes_read == {}
    assert found(warehouse) == []
    releases = warehouse.releases(CLUB)
    assert releases == [stored("2026-01"), stored("2026-02"), stored("2026-02", 2, correction="late answers")]
    assert latest(releases)["2026-02"].release.release_number == 2
    assert [commit["operation"] for commit in warehouse.history("releases")] == ["WRITE"] * 5, "a commit an entry"


def test_a_number_changed_inside_a_document_is_seen(warehouse: Warehouse) -> None:
    one_more = pl.col("document").str.replace('"n":430', '"n":435', literal=True)
    rewrite(
        warehouse, lambda table: table.with_columns(pl.when(pl.col("entry") == 2).then(one_more).otherwise("document"))
    )
    assert '"n":435' in str(warehouse.ledger(CLUB)[1].document)
    assert found(warehouse) == ["entry 2, the release 1 of wave 2026-01: its content is not what was entered"]


def test_an_entry_deleted_from_the_middle_is_seen(warehouse: Warehouse) -> None:
    rewrite(warehouse, lambda table: table.filter(pl.col("entry") != 3))
    assert found(warehouse) == ["entry 3 is missing"]


def test_two_entries_swapped_in_the_table_are_seen(warehouse: Warehouse) -> None:
    rewrite(warehouse, lambda table: table.with_columns(entry=pl.col("entry").replace({1: 2, 2: 1})))
    assert len({one.split(",")[0] for one in found(warehouse)} & {"entry 1", "entry 2"}) == 2


def test_a_kind_that_there_is_not_is_seen(warehouse: Warehouse) -> None:
    rewrite(warehouse, lambda table: table.with_columns(kind=pl.col("kind").replace({"proposal": "gift"})))
    assert found(warehouse) == ["entry 4, the gift 1 of wave 2026-03: its content is not what was entered"]


def test_the_last_entries_cut_off_are_seen_by_an_earlier_export_and_by_the_published_reports(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    kept = tmp_path / "kept.jsonl"
    kept.write_bytes(exported(warehouse.ledger(CLUB)))
    reports = {one.release.wave: release_json(one.release).decode() for one in warehouse.releases(CLUB)}
    assert unknown_reports(warehouse.ledger(CLUB), reports) == []
    rewrite(warehouse, lambda table: table.filter(pl.col("entry") < 3))
    assert found(warehouse) == [], "nothing in the chain itself shows it"
    now = warehouse.ledger(CLUB)
    assert [str(one) for one in unknown_reports(now, reports)] == [
        "2026-02 holds a release 2 of wave 2026-02 that is not in the ledger"
    ]
    gone = [str(one) for one in not_continued(read_ledger(kept), now)]
    assert gone[0] == "entry 3, the release 2 of wave 2026-02: it was exported, and is not in the ledger any more"
    assert len(gone) == 3


def test_a_published_file_that_was_altered_is_seen(warehouse: Warehouse) -> None:
    text = release_json(stored("2026-01").release).decode()
    files = {"good": text, "bad": text.replace('"n": 430', '"n": 435'), "worse": text[:100]}
    assert [str(one) for one in unknown_reports(warehouse.ledger(CLUB), files)] == [
        "bad is not the release 1 of wave 2026-01 that was entered in the ledger",
        "worse is no release that can be read",
    ]
    proposed = release_json(stored("2026-03").release).decode()
    assert len(unknown_reports(warehouse.ledger(CLUB), {"leaked": proposed})) == 1


def test_a_report_of_a_release_that_lacks_parts_of_today_is_known_all_the_same(warehouse: Warehouse) -> None:
    document = stored("2026-05").release.model_dump(mode="json")
    for part in ("comparisons", "tests", "corrections"):
        assert document.pop(part) == []
    entries = chain(Entry(CLUB, Kind.RELEASE, "2026-05", 1, document=json.dumps(document)))
    rendered_again = release_json(Release.model_validate(document)).decode()
    assert unknown_reports(entries, {"release.json": rendered_again}) == []


def test_two_that_enter_at_once_are_not_both_entered(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    before = warehouse.ledger(CLUB)
    other = Warehouse(warehouse.location)

    def late(instrument: str) -> list[Entry]:
        other.add_release(stored("2026-04"))
        return before

    monkeypatch.setattr(warehouse, "ledger", late)
    with pytest.raises(WarehouseBusy):
        warehouse.add_release(stored("2026-05"))
    assert found(other) == [] and len(other.ledger(CLUB)) == 6


# --- From before there were entries -----------------------------------------------------------------------------------


@pytest.fixture
def older(tmp_path: Path) -> Warehouse:
    """A warehouse of releases alone, without the columns of an entry."""
    made = Warehouse(tmp_path / "warehouse")
    for one in (stored("2026-02"), stored("2026-01")):
        made.add_release(one)
    rewrite(made, lambda table: table.select(list(RELEASES_SCHEMA)[:9]))
    return made


def test_older_releases_are_entries_by_their_order(older: Warehouse) -> None:
    assert [(entry.entry, entry.wave, entry.kind) for entry in older.ledger(CLUB)] == [
        (1, "2026-01", Kind.RELEASE),
        (2, "2026-02", Kind.RELEASE),
    ]
    assert older.releases(CLUB) == [stored("2026-01"), stored("2026-02")]
    assert found(older) == []


def test_the_first_new_entry_vouches_for_all_older_ones(older: Warehouse) -> None:
    before = older.ledger(CLUB)
    entry = older.add_release(stored("2026-03"))
    assert (entry.entry, entry.previous_sha256) == (3, before[-1].sha256)
    assert older.ledger(CLUB)[:2] == before and found(older) == []
    assert [one.release.wave for one in older.releases(CLUB)] == ["2026-01", "2026-02", "2026-03"]
    one_more = pl.col("document").str.replace('"n":430', '"n":435', literal=True)
    rewrite(
        older,
        lambda table: table.with_columns(pl.when(pl.col("wave") == "2026-01").then(one_more).otherwise("document")),
    )
    assert found(older) == [
        "entry 3, the release 1 of wave 2026-03: what stands before it is not what stood there when it was entered"
    ]


def test_an_older_release_that_is_gone_is_missed(older: Warehouse) -> None:
    older.add_release(stored("2026-03"))
    rewrite(older, lambda table: table.filter(pl.col("wave") != "2026-01"))
    assert found(older) == ["entry 2 is missing"]


# --- On the command line ----------------------------------------------------------------------------------------------


@pytest.fixture
def published(home: Path, instrument_file: Path, tmp_path: Path) -> Path:
    assert (
        call("run", write(tmp_path / "a.csv", rows(60)), "-i", instrument_file, "-w", "2026-01", "--home", home).code
        == 0
    )
    return home


def test_published_reports_are_in_the_ledger_until_somebody_alters_one(published: Path) -> None:
    reports, entries = published / "reports", Warehouse(published / "warehouse").ledger("club")
    (path,) = found_there = release_documents(reports, ["club", "unknown"])
    assert unknown_reports(entries, found_there) == [] and release_documents(reports, []) == {}
    Path(path).write_text(found_there[path].replace('"n": 60', '"n": 65', 1), encoding="utf-8")
    (altered,) = unknown_reports(entries, release_documents(reports, ["club"]))
    assert str(altered) == f"{path} is not the release 1 of wave 2026-01 that was entered in the ledger"


def test_the_ledger_goes_into_a_file_and_over_nothing_but_a_ledger(published: Path, tmp_path: Path) -> None:
    file, other = tmp_path / "ledger.jsonl", tmp_path / "mine.csv"
    other.write_text("wave,form\n", encoding="utf-8")
    for _ in range(2):
        assert call("history", "--home", published, "--ledger", file).code == 0
        assert read_ledger(file) == Warehouse(published / "warehouse").ledger("club")
    assert file.stat().st_mode & 0o077 == 0
    refused = call("history", "--home", published, "--ledger", other)
    assert refused.code == 2 and "holds something else" in refused.err and other.read_text() == "wave,form\n"
    in_no_folder = call("history", "--home", published, "--ledger", tmp_path / "nowhere" / "x")
    assert in_no_folder.code == 2 and "cannot be written" in in_no_folder.err


def test_history_shows_the_chain(published: Path) -> None:
    document = call("history", "--home", published, "--json").document
    (entry,) = Warehouse(published / "warehouse").ledger("club")
    assert document["ledger"] == [
        {
            "instrument": "club",
            "entry": 1,
            "kind": "release",
            "wave": "2026-01",
            "release_number": 1,
            "by": None,
            "reason": None,
            "sha256": entry.sha256,
        }
    ]

"""Approval: where the policy asks for it, nothing is published before somebody has looked at it and said so."""

import csv
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from builders import estimates, number, share
from club import CLUB, MARKER, ROOT, Said, call, contents, rows, write
from deltalake import write_deltalake
from releases import music, release

from survey_pipeline.approval import (
    Why,
    decided,
    marks,
    overtaken_by,
    put_away,
    refuse_rejected,
    standing_proposal,
    waiting,
    waiting_with,
)
from survey_pipeline.disclose import disclose
from survey_pipeline.errors import NotSafeToPublish, Rejected, WrongUsage
from survey_pipeline.ledger import Entry, Kind, chained, problems, read_ledger
from survey_pipeline.names import Status
from survey_pipeline.release import Policy, Release, Row
from survey_pipeline.storage import Warehouse, latest

Run = Callable[..., Said]
ADA = ("--by", "Ada Lovelace", "--reason", "looked at every table")


# --- What waits, from the entries alone -------------------------------------------------------------------------------


def chain(*kinds: tuple[Kind, str, str]) -> list[Entry]:
    """Entries by kind, wave and what they were made from."""
    entries: list[Entry] = []
    for kind, wave, inputs in kinds:
        document = None if kind is Kind.REJECTION else "{}"
        new = Entry("club", kind, wave, 1, inputs, document=document, by="Ada", reason="because")
        entries.append(chained(entries, new))
    return entries


PROPOSED, RELEASED, REJECTED = Kind.PROPOSAL, Kind.RELEASE, Kind.REJECTION


def test_what_waits_is_the_last_that_nobody_has_decided_about() -> None:
    entries = chain((PROPOSED, "1", "a"), (PROPOSED, "1", "b"), (PROPOSED, "2", "c"), (REJECTED, "2", "c"))
    assert waiting(entries, "1") == entries[1] and waiting(entries, "2") is None and waiting([], "1") is None
    assert waiting_with(entries, "1", "b") == entries[1] and waiting_with(entries, "1", "a") is None
    assert waiting([*entries, chained(entries, replace(entries[1], kind=RELEASED))], "1") is None


def test_what_was_published_or_withdrawn_since_overtakes_a_proposal() -> None:
    before = chain((RELEASED, "1", "a"), (PROPOSED, "2", "b"), (PROPOSED, "3", "c"), (REJECTED, "3", "c"))
    assert overtaken_by(before, before[1]) is None and standing_proposal(before, "2", "b") == before[1]
    for kind in (RELEASED, Kind.WITHDRAWAL):
        after = [*before, chained(before, Entry("club", kind, "4", 1))]
        assert overtaken_by(after, after[1]) == after[-1]
        assert standing_proposal(after, "2", "b") is None and waiting_with(after, "2", "b") == after[1]
        with pytest.raises(NotSafeToPublish, match="not proved safe beside that"):
            decided(after, "club", "2", RELEASED, "Ada", "because")
        assert decided(after, "club", "2", REJECTED, "Ada", "because").kind is REJECTED


def test_only_the_same_inputs_of_the_same_wave_are_refused_after_a_rejection() -> None:
    entries = chain((PROPOSED, "1", "a"), (REJECTED, "1", "a"), (PROPOSED, "1", "b"))
    refuse_rejected(entries, "1", "b")
    refuse_rejected(entries, "2", "a")
    with pytest.raises(Rejected, match="rejected as it is, by Ada: because"):
        refuse_rejected(entries, "1", "a")


def test_a_rejection_stands_until_the_wave_is_published_or_somebody_withdraws() -> None:
    entries = chain((RELEASED, "1", "a"), (PROPOSED, "1", "a"), (REJECTED, "1", "a"), (PROPOSED, "1", "b"))
    assert put_away(entries, "1", "a") == entries[2]
    assert put_away(entries[:2], "1", "a") is put_away(entries, "1", "b") is put_away(entries, "2", "a") is None
    for since, stands in (((RELEASED, "2"), True), ((RELEASED, "1"), False), ((Kind.WITHDRAWAL, None), False)):
        after = [*entries, chained(entries, Entry("club", *since))]
        assert (put_away(after, "1", "a") == entries[2]) is stands


@pytest.mark.parametrize(
    ("by", "reason", "said"),
    [
        ("", "because", "name is empty"),
        (" ", "because", "name is empty"),
        ("Ada", "...", "reason is empty"),
        ("Ada", "ask jane@example.org", "reason holds e-mail addresses"),
        ("ada@example.org", "because", "name holds e-mail addresses"),
    ],
)
def test_who_and_why_are_said_and_nobody_else_is(by: str, reason: str, said: str) -> None:
    with pytest.raises(WrongUsage, match=said) as refused:
        decided(chain((PROPOSED, "1", "a")), "club", "1", RELEASED, by, reason)
    assert "example.org" not in str(refused.value)


def test_a_decision_is_on_one_line_and_can_be_written_down() -> None:
    entry = decided(chain((PROPOSED, "1", "a")), "club", "1", RELEASED, " Zoë\nB. ", "good\ud800 enough")
    assert (entry.by, entry.reason) == ("Zoë B.", "good? enough")
    assert entry.document == "{}" and problems([chained([], entry)]) == []


# --- Why a row is hidden ----------------------------------------------------------------------------------------------


def of(exact: pl.DataFrame, earlier: pl.DataFrame | None = None) -> Release:
    """A release of disclosed estimates."""
    rows = disclose(exact, Policy(), earlier).with_columns(instrument=pl.lit("music"), wave=pl.lit("2026-1"))
    return release(music(), [Row.model_validate(row) for row in rows.iter_rows(named=True)])


def why(exact: pl.DataFrame, made: Release, *earlier: Release) -> dict[str, str]:
    """By level, the reasons of its hidden rows."""
    found = marks(exact, made, earlier).group_by("level").agg(pl.col("why").unique().sort().str.join(" and "))
    return dict(found.iter_rows())


SIZES = {"all": 95, "Citrate": 50, "Malate": 40, "Oxide": 5}


def test_a_small_level_is_too_small_and_its_neighbour_shields_it() -> None:
    exact = estimates(*(number(level, n, n_aside=0) for level, n in SIZES.items()))
    assert why(exact, of(exact)) == {"Oxide": Why.TOO_SMALL, "Malate": Why.SHIELDS}


def test_a_row_that_would_give_a_small_share_away_protects_it() -> None:
    n = {"all": 600, "Citrate": 200, "Malate": 200, "Oxide": 200}
    events = {"all": 60, "Citrate": 32, "Malate": 20, "Oxide": 8}
    exact = estimates(*(share(level, k, n[level], n_aside=0) for level, k in events.items()))
    assert why(exact, of(exact)) == {"Oxide": Why.TOO_SMALL, "Malate": Why.PROTECTS}


def test_what_was_hidden_before_stays_hidden_for_that_reason() -> None:
    first = of(estimates(*(number(level, n, n_aside=0) for level, n in SIZES.items())))
    grown = estimates(*(number(level, n, n_aside=0) for level, n in {**SIZES, "all": 130, "Oxide": 40}.items()))
    second = of(grown, first.frame())
    assert why(grown, second, first) == {"Oxide": Why.EARLIER, "Malate": Why.EARLIER}
    smaller = estimates(*(number(level, n, n_aside=0) for level, n in {**SIZES, "all": 96, "Oxide": 6}.items()))
    assert why(smaller, of(smaller, first.frame()), first)["Oxide"] == Why.TOO_SMALL


# --- On the command line ----------------------------------------------------------------------------------------------


@pytest.fixture
def asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose policy asks for approval."""
    return folder_with_policy(tmp_path, monkeypatch)


def folder_with_policy(folder: Path, monkeypatch: pytest.MonkeyPatch, more: str = "") -> Path:
    monkeypatch.chdir(folder)
    (folder / "schemas").mkdir(exist_ok=True)
    policy = f"require_approval = true\n{more}"
    (folder / "schemas" / "disclosure.toml").write_text(policy, encoding="utf-8")
    return folder


@pytest.fixture
def run(asks: Path, home: Path, instrument_file: Path) -> Run:
    def run_wave(*exports: Path, wave: str = "2026-01", more: tuple[str | Path, ...] = ()) -> Said:
        return call("run", *exports, "-i", instrument_file, "-w", wave, "--home", home, *more)

    return run_wave


@pytest.fixture
def decide(asks: Path, home: Path, instrument_file: Path) -> Run:
    def decide_about(command: str, *more: str | Path, wave: str = "2026-01") -> Said:
        return call(command, "-i", instrument_file, "-w", wave, "--home", home, *(more or ADA))

    return decide_about


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """Two forms that are published, and one of too few people."""
    people = [*rows(60, form="Citrate"), *rows(40, 100, form="Oxide"), *rows(4, 200, form="None")]
    return write(tmp_path / "a.csv", people)


def entries(home: Path) -> list[Entry]:
    return Warehouse(home / "warehouse").ledger("club")


def kinds(home: Path) -> list[str]:
    return [str(entry.kind) for entry in entries(home)]


def review(home: Path, wave: str = "2026-01") -> Path:
    return home / "review" / "club" / wave


def test_a_wave_waits_and_nothing_is_published(run: Run, home: Path, export: Path) -> None:
    said = run(export)
    assert said.code == 0 and "club 2026-01: release 1 waits for approval. Look at:" in said.out
    assert said.out.splitlines()[-1] == str(review(home) / "proposal.md")
    assert kinds(home) == ["proposal"] and not (home / "reports").exists()
    assert Warehouse(home / "warehouse").releases("club") == []
    document = run(export, more=("--json",)).document
    assert document["waiting_for_approval"] is True
    assert document["releases"] == document["reports"] == [] and document["review"] == [
        str(review(home) / "proposal.md")
    ]
    assert [one["release_number"] for one in document["proposals"]] == [1]


def test_the_same_inputs_again_still_wait_and_change_nothing(run: Run, home: Path, export: Path) -> None:
    run(export)
    before = contents(home)
    said = run(export)
    assert said.code == 0 and "release 1 still waits for approval" in said.out
    assert contents(home) == before


def test_a_bundle_that_was_lost_is_made_again(run: Run, home: Path, export: Path) -> None:
    run(export)
    before = contents(home)
    (review(home) / "proposal.md").unlink()
    (review(home) / "stray.txt").touch()
    run(export)
    assert contents(home) == before


def test_the_bundle_holds_what_would_be_published_and_why_the_rest_is_hidden(
    run: Run, decide: Run, home: Path, export: Path
) -> None:
    run(export)
    found = contents(review(home))
    assert {"proposal.md", "marks.csv", "tables/form_by_outcome.csv", "report/index.html"} <= found.keys()
    page = found["proposal.md"].decode()
    for part in (
        "release 1 waits for approval",
        "--by NAME",
        "## The policy: default",
        "min_n: 10",
        "Answers used: 105",
    ):
        assert part in page, part
    assert "- form: " in page and "made of" in page
    assert decide("approve").code == 0
    assert {name: data for name, data in found.items() if name.startswith("report/")} == {
        f"report/{name}": data for name, data in contents(home / "reports" / "club" / "2026-01").items()
    }
    (stored,) = Warehouse(home / "warehouse").releases("club")
    marks = list(csv.DictReader(found["marks.csv"].decode().splitlines()))
    hidden = [row for row in stored.release.rows if row.status is Status.SUPPRESSED]
    named = [tuple(mark[name] for name in ("table", "level", "outcome", "statistic")) for mark in marks]
    assert named == [(row.table, row.level, row.outcome, row.statistic) for row in hidden] and marks
    assert {mark["why"] for mark in marks} <= set(Why) and not any(
        map(str.isdigit, "".join(mark["why"] for mark in marks))
    )
    n_hidden = sum(
        int(line.split()[-2]) for line in page.splitlines() if line.endswith(" hidden") and " shown, " in line
    )
    assert n_hidden == len(hidden)


@pytest.mark.skipif(os.name != "posix", reason="no such modes here")
def test_the_bundle_is_its_owners_alone(run: Run, home: Path, export: Path) -> None:
    review(home).mkdir(parents=True)
    review(home).chmod(0o755)
    run(export)
    assert all(path.stat().st_mode & 0o077 == 0 for path in (review(home), *review(home).rglob("*")))


def test_no_answer_is_in_the_bundle(run: Run, home: Path, export: Path) -> None:
    run(export)
    assert MARKER in export.read_text(encoding="utf-8")
    assert not [name for name, data in contents(review(home)).items() if MARKER.encode() in data]


def test_reports_may_not_be_where_the_bundle_is(run: Run, home: Path, export: Path) -> None:
    said = run(export, more=("--reports", home))
    assert said.code == 2 and "may not be put among the reports" in said.err
    assert entries(home) == [] and not (home / "review").exists()


def test_approved_it_is_published_as_it_was_proposed(run: Run, decide: Run, home: Path, export: Path) -> None:
    run(export)
    said = decide("approve")
    assert said.code == 0 and said.out.startswith("club 2026-01: published release 1, approved by Ada Lovelace\n")
    proposal, release = entries(home)
    assert (release.kind, release.by, release.reason) == (Kind.RELEASE, "Ada Lovelace", "looked at every table")
    assert release.document == proposal.document and problems(entries(home)) == []
    assert (home / "reports" / "club" / "2026-01" / "index.html").is_file() and not (home / "review").exists()
    before = contents(home)
    assert "unchanged since release 1" in run(export).out and contents(home) == before
    again = decide("approve")
    assert again.code == 2 and "Nothing of 'club' 2026-01 waits for approval" in again.err


def test_rejected_the_same_inputs_are_refused_and_others_are_proposed(
    run: Run, decide: Run, home: Path, export: Path, tmp_path: Path
) -> None:
    run(export)
    said = decide("reject", "--by", "Bo", "--reason", "the form is misspelt")
    assert said.code == 0 and "nothing is published, rejected by Bo" in said.out
    assert kinds(home) == ["proposal", "rejection"] and not (home / "review").exists()
    assert entries(home)[1].document is None and entries(home)[1].document_sha256 == entries(home)[0].document_sha256
    before = contents(home)
    refused = run(export)
    assert refused.code == 5 and "was rejected as it is, by Bo: the form is misspelt" in refused.err
    assert contents(home) == before and decide("approve").code == 2
    assert "waits for approval" in run(write(tmp_path / "more.csv", rows(90))).out
    assert kinds(home) == ["proposal", "rejection", "proposal"]


@pytest.mark.slow
def test_another_policy_or_instrument_makes_a_new_proposal(
    run: Run, decide: Run, home: Path, export: Path, asks: Path, instrument_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(export)
    decide("reject")
    folder_with_policy(asks, monkeypatch, 'name = "stricter"\nmin_n = 12\n')
    assert "waits for approval" in run(export).out
    decide("reject")
    instrument_file.write_text(CLUB.replace('label = "Pain"', 'label = "Ache"'), encoding="utf-8")
    assert "waits for approval" in run(export).out and kinds(home).count("proposal") == 3


def test_other_inputs_take_the_place_of_what_waits(
    run: Run, decide: Run, home: Path, export: Path, tmp_path: Path
) -> None:
    run(export)
    first = contents(review(home))
    more = write(tmp_path / "more.csv", rows(90))
    assert "release 1 waits for approval" in run(more).out
    assert kinds(home) == ["proposal", "proposal"] and contents(review(home)) != first
    assert decide("approve").code == 0
    assert entries(home)[2].document == entries(home)[1].document


@pytest.mark.slow
def test_a_correction_waits_beside_what_is_published(
    run: Run, decide: Run, home: Path, export: Path, tmp_path: Path
) -> None:
    run(export)
    decide("approve")
    reports = contents(home / "reports")
    more = write(tmp_path / "more.csv", rows(90))
    assert run(more).code == 3, "a published wave still asks for a correction"
    assert "release 2 waits for approval" in run(more, more=("--correction", "late answers")).out
    assert "still waits" in run(more).out, "its reason is in the ledger"
    assert "It corrects what is published: late answers" in (review(home) / "proposal.md").read_text(encoding="utf-8")
    assert contents(home / "reports") == reports
    assert "unchanged since release 1" in run(export).out and review(home).exists()
    assert "still waits" in run(more).out
    assert decide("approve").code == 0
    ledger = Warehouse(home / "warehouse").releases("club")
    assert [one.release.release_number for one in ledger] == [1, 2]
    assert latest(ledger)["2026-01"].release.correction == "late answers"


def test_a_proposal_from_before_another_was_published_is_made_anew(
    run: Run, decide: Run, home: Path, export: Path, tmp_path: Path
) -> None:
    later = write(tmp_path / "later.csv", rows(90, 1000))
    run(export)
    run(later, wave="2026-02")
    assert decide("approve").code == 0
    refused = decide("approve", wave="2026-02")
    assert refused.code == 5 and "Since it was proposed, there is the release 1 of wave 2026-01" in refused.err
    assert "Run the wave again" in refused.err
    said = run(later, wave="2026-02")
    assert "release 1 waits for approval" in said.out
    assert kinds(home) == ["proposal", "proposal", "release", "proposal"]
    assert decide("approve", wave="2026-02").code == 0 and problems(entries(home)) == []


def test_nothing_is_approved_under_a_policy_of_before(
    run: Run, decide: Run, home: Path, export: Path, asks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(export)
    before = contents(home)
    folder_with_policy(asks, monkeypatch, 'name = "stricter"\nmin_n = 12\n')
    refused = decide("approve")
    assert refused.code == 5 and "policy has changed since this was proposed" in refused.err
    assert contents(home) == before
    assert decide("reject").code == 0


def test_nothing_is_approved_on_a_ledger_that_was_tampered_with(
    run: Run, decide: Run, home: Path, export: Path
) -> None:
    run(export)
    table = Warehouse(home / "warehouse").scan("releases").collect()
    altered = pl.col("document").str.replace('"n":105', '"n":205', literal=True)
    where = str(home / "warehouse" / "releases")
    write_deltalake(where, table.with_columns(altered), mode="overwrite")
    refused = decide("approve")
    assert refused.code == 5 and "its content is not what was entered" in refused.err
    assert kinds(home) == ["proposal"] and not (home / "reports").exists()


def test_reasons_with_personal_data_are_refused_and_change_nothing(
    run: Run, decide: Run, home: Path, export: Path
) -> None:
    run(export)
    before = contents(home)
    for command in ("approve", "reject"):
        said = decide(command, "--by", "Ada", "--reason", "ask jane@example.org")
        assert said.code == 2 and "e-mail addresses" in said.err and "jane" not in said.err
        assert decide(command, "--reason", "because").code == 2
    assert contents(home) == before


def test_what_waits_is_named_where_something_else_was_meant(run: Run, decide: Run, home: Path, export: Path) -> None:
    assert "No wave of it waits" in decide("approve").err and not home.exists()
    run(export)
    assert "Waiting: 2026-01." in decide("reject", wave="2026-02").err


def test_history_and_the_exported_ledger_tell_what_was_decided(
    run: Run, decide: Run, home: Path, export: Path, tmp_path: Path
) -> None:
    run(export)
    decide("reject", "--by", "Bo", "--reason", "too early")
    run(write(tmp_path / "more.csv", rows(90)))
    decide("approve")
    run(write(tmp_path / "last.csv", rows(90, 1000)), wave="2026-02")
    file = tmp_path / "ledger.jsonl"
    said = call("history", "--home", home, "--ledger", file).out
    for line in (
        "club 2026-01 release 1 proposed\n",
        "club 2026-01 release 1 rejected by Bo: too early\n",
        "club 2026-01 release 1 approved by Ada Lovelace: looked at every table\n",
        "club 2026-02 release 1 proposed\n",
    ):
        assert line in said
    told = call("history", "--home", home, "--json").document["ledger"]
    assert [(entry["kind"], entry["by"]) for entry in told] == [
        ("proposal", None),
        ("rejection", "Bo"),
        ("proposal", None),
        ("release", "Ada Lovelace"),
        ("proposal", None),
    ]
    kept = read_ledger(file)
    assert problems(kept) == [] and [entry.document is not None for entry in kept] == [False, False, False, True, False]
    (only,) = (Release.model_validate_json(str(entry.document)) for entry in kept if entry.document)
    assert only.policy.require_approval


def test_a_backfill_goes_on_past_what_waits_and_what_was_rejected(
    run: Run, decide: Run, home: Path, instrument_file: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    for place, wave in enumerate(("2026-01", "2026-02")):
        write(folder / f"club-{wave}.csv", rows(60, 1000 * place))
    backfill = ("backfill", folder, "-i", instrument_file, "--home", home)
    assert call(*backfill).out.count("waits for approval") == 2
    decide("reject")
    said = call(*backfill)
    assert said.code == 0 and "was rejected as it is" in said.err and "2026-02: release 1 still waits" in said.out


# --- Scheduled --------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_scheduled_run_waits_and_the_next_one_too(asks: Path, home: Path, instrument_file: Path) -> None:
    (asks / "exports").mkdir()
    write(asks / "exports" / "club-2026-01.csv", rows(60))
    arguments = ["--folder", "exports", "--home", str(home), "--instrument", str(instrument_file)]
    program = [sys.executable, str(ROOT / "flows" / "publish_wave.py"), *arguments]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT", "SURVEY_"))}
    for waits in ("release 1 waits for approval", "release 1 still waits for approval"):
        environment = {**clean, "PREFECT_HOME": str(asks / "prefect")}
        done = subprocess.run(program, env=environment, capture_output=True, text=True, timeout=240, check=False)
        assert (done.returncode, done.stderr) == (0, "") and waits in done.stdout
    assert kinds(home) == ["proposal"] and not (home / "reports").exists()
    states = states_of(asks / "prefect" / "prefect.db")
    assert states == [("COMPLETED", "The wave 2026-01 of club waits for approval. Nothing is published yet.")] * 2


def states_of(database: Path) -> list[tuple[str, str]]:
    """How the flows ended, as the server of a run has written it down."""
    import sqlite3

    sql = "select s.type, s.message from flow_run f join flow_run_state s on s.id = f.state_id"
    with sqlite3.connect(database) as connection:
        return [(str(kind), str(message)) for kind, message in connection.execute(sql)]

"""Withdrawing: a person's answers leave every file of the warehouse, and no release gives away that they left."""

import io
import json
import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from club import CLUB, HEADINGS, Row, Said, call, contents, row, rows, write
from test_run_diary import DIARY, further

from survey_pipeline import load_instrument, withdrawing
from survey_pipeline.ledger import Kind, problems
from survey_pipeline.names import RECORD, RESPONDENT
from survey_pipeline.request import Places
from survey_pipeline.stages import exact_estimates
from survey_pipeline.storage import Warehouse
from survey_pipeline.withdrawing import NEXT_STEPS, withdraw

DOSE = "913.25"
"""An answer that only one person gives."""
PERSON = 7
CODE = f"member-{PERSON}"
NO_DIARY = {"Diary: which day?": "", "Diary: pain that day": ""}
OF_TWO = 'name = "two"\nleast_difference = 2\nlooser = "so that a test is short"\n'
STILL = "still counts answers that have been withdrawn"


def people(n: int = 70, start: int = 0) -> list[Row]:
    """Rows of a survey with a diary; one of them is the person's."""
    return [row(k, **({"dose": DOSE} if k == PERSON else {})) | NO_DIARY for k in range(start, start + n)]


def diary(person: int) -> list[Row]:
    return [further(person, date(2026, 1, 5 + k), k) for k in range(3)]


class Survey:
    """A survey with a diary on the command line."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.home = folder, folder / "home"
        self.instrument = folder / "club.toml"
        self.instrument.write_text(CLUB + DIARY, encoding="utf-8")
        self.warehouse = Warehouse(self.home / "warehouse")

    def export(self, found: list[Row], name: str = "a.csv") -> Path:
        return write(self.folder / name, found, [*HEADINGS.values(), *NO_DIARY])

    def run(self, export: Path, *more: str | Path, wave: str = "2026-01") -> Said:
        return call("run", export, "-i", self.instrument, "-w", wave, "--home", self.home, *more)

    def withdraw(self, *more: str | Path) -> Said:
        return call("withdraw", "-i", self.instrument, "--home", self.home, *more)

    def decide(self, command: str, wave: str = "2026-01") -> Said:
        who = ("--by", "Ada", "--reason", "a form is misspelt")
        return call(command, "-i", self.instrument, "-w", wave, "--home", self.home, *who)

    def kept(self, wave: str = "2026-01") -> pl.DataFrame:
        known = self.warehouse.wave("club", wave) or {}
        return self.warehouse.responses("club", wave, known["responses_version"]).collect()

    def holding(self, text: str) -> list[str]:
        """The files below the warehouse, logs and checkpoints too, in which an answer stands."""
        paths = [path for path in self.warehouse_files() if self._holds(path, text)]
        return [str(path.relative_to(self.home)) for path in paths]

    def warehouse_files(self) -> list[Path]:
        return sorted(path for path in (self.home / "warehouse").rglob("*") if path.is_file())

    def _holds(self, path: Path, text: str) -> bool:
        if path.suffix != ".parquet":
            return text.encode() in path.read_bytes()
        cells = (str(value) for values in pl.read_parquet(path).iter_rows() for value in values)
        return any(text in cell for cell in cells)

    def numbers(self, wave: str = "2026-01") -> pl.DataFrame:
        return exact_estimates(Places(home=self.home), load_instrument(str(self.instrument)), wave)

    def releases(self) -> list[tuple[str, int, str | None]]:
        return [
            (one.release.wave, one.release.release_number, one.release.correction)
            for one in self.warehouse.releases("club")
        ]


@pytest.fixture
def survey(tmp_path: Path) -> Survey:
    return Survey(tmp_path)


def everybody() -> list[Row]:
    return [*people(), *diary(PERSON), *diary(20)]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Survey:
    """A survey of one wave, published; to be copied."""
    survey = Survey(tmp_path_factory.mktemp("prepared"))
    assert survey.run(survey.export(everybody())).code == 0
    return survey


@pytest.fixture
def published(survey: Survey, prepared: Survey) -> Path:
    """A wave in which the person answered and kept a diary; gives its export."""
    shutil.copytree(prepared.home, survey.home)
    assert survey.holding(DOSE) and len(survey.kept()) == 70
    return survey.export(everybody())


@pytest.fixture
def of_two(survey: Survey, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same wave under a policy by which two people may be the difference."""
    return under(OF_TWO, survey, monkeypatch)


@pytest.fixture
def approved(survey: Survey, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, where somebody must approve, and has."""
    export = under(OF_TWO + "require_approval = true\n", survey, monkeypatch)
    assert survey.decide("approve").code == 0
    return export


def under(policy: str, survey: Survey, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The wave, run under a policy; gives its export."""
    file = survey.folder / "schemas" / "disclosure.toml"
    file.parent.mkdir()
    file.write_text(policy, encoding="utf-8")
    monkeypatch.chdir(survey.folder)
    export = survey.export(everybody())
    assert survey.run(export).code == 0
    return export


# --- Gone from the warehouse --------------------------------------------------------------------------------------------


def test_nothing_of_a_persons_answers_is_left_and_the_release_stands(survey: Survey, published: Path) -> None:
    reports, refused_before = contents(survey.home / "reports"), survey.run(published, "--json").document["exports"][0]
    said = survey.withdraw(CODE)
    assert said.code == 0 and said.err == ""
    assert survey.holding(DOSE) == [] and len(survey.kept()) == 69
    first, second, *steps = said.out.splitlines()
    assert first == "Taken out of the warehouse for good: 2026-01 (1 row)."
    assert second == (
        f"The published report of wave 2026-01 {STILL}: made again now, the two would give those people away. It takes at "
        "least 10 more new or changed answers. Then it is published again by itself."
    )
    assert steps == list(NEXT_STEPS)
    assert contents(survey.home / "reports") == reports and survey.releases() == [("2026-01", 1, None)]
    known = survey.warehouse.wave("club", "2026-01") or {}
    weeks = survey.warehouse.diary("club", "2026-01", known["diary_version"])
    assert weeks[RESPONDENT].n_unique() == 1 and json.loads(known["exports"])[0]["rows_kept"] == 69
    assert json.loads(known["exports"])[0]["rows_read"] == refused_before["rows_read"] == 76


def test_counts_are_those_of_an_export_without_the_person(survey: Survey, published: Path, tmp_path: Path) -> None:
    assert survey.withdraw(CODE).code == 0
    (tmp_path / "other").mkdir()
    without = Survey(tmp_path / "other")
    others = [one for one in people() if one["Your code"] != CODE]
    assert without.run(without.export([*others, *diary(20)])).code == 0
    assert survey.numbers().equals(without.numbers())


def test_the_code_stands_nowhere(survey: Survey, published: Path) -> None:
    said = [survey.withdraw(CODE), survey.withdraw(CODE, "--json"), survey.withdraw("nobody-4711", "--json")]
    assert [one.code for one in said] == [0, 0, 2]
    for one in said:
        assert "member-7" not in one.out + one.err and "4711" not in one.out + one.err
    assert survey.holding(CODE) == []


@pytest.mark.parametrize("code", ["  Member-7 ", "MEMBER-7"])
def test_a_code_is_read_as_in_the_export(survey: Survey, published: Path, code: str) -> None:
    assert survey.withdraw(code).code == 0 and len(survey.kept()) == 69


def test_a_code_can_be_typed_without_leaving_a_trace(
    survey: Survey, published: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{CODE}\n"))
    assert survey.withdraw("--code-from-file", "-").code == 0 and len(survey.kept()) == 69
    (tmp_path / "code.txt").write_text("member-8\n", encoding="utf-8")
    assert survey.withdraw("--code-from-file", tmp_path / "code.txt").code == 0 and len(survey.kept()) == 68


@pytest.mark.parametrize(
    "given",
    [
        ("nobody",),
        ("member-8", "secret-1"),
        (),
        ("member-8", "--secret-1"),
        ("member-8", "--code-from-file", "secret-1"),
        ("--code-from-file", "secret-1"),
        ("n/a",),
        (" ",),
        ("member-8", "-w", "2026-02"),
    ],
)
def test_what_cannot_be_meant_changes_nothing(survey: Survey, published: Path, given: tuple[str, ...]) -> None:
    before = contents(survey.home)
    said = survey.withdraw(*given)
    assert said.code == 2 and said.out == "" and "secret-1" not in said.err and "member-8" not in said.err
    assert contents(survey.home) == before


def test_a_survey_without_codes_says_what_to_do(tmp_path: Path, home: Path) -> None:
    path = tmp_path / "club.toml"
    path.write_text(CLUB.replace('role = "identifier"', 'role = "drop"'), encoding="utf-8")
    said = call("withdraw", CODE, "-i", path, "--home", home)
    assert said.code == 2 and "asks for no code" in said.err and "--correction" in said.err and not home.exists()


def test_an_empty_warehouse_knows_nobody_and_stays_empty(survey: Survey) -> None:
    said = survey.withdraw(CODE)
    assert said.code == 2 and "No wave in the warehouse holds answers" in said.err and not survey.home.exists()


# --- Refused answers and corrections ------------------------------------------------------------------------------------


def test_refused_answers_whole_rows_and_corrections_go_too(survey: Survey, tmp_path: Path) -> None:
    """Two people with the same trouble: an answer that was refused and corrected; a row that was set aside whole."""
    found = people()
    found[8] |= {HEADINGS["pain"]: "81.25"}
    found[9] |= {HEADINGS["form"]: "form-81.25", HEADINGS["dose"]: "82.25"}
    found[10] |= {HEADINGS["pain"]: "83.25"}
    survey.run(survey.export(found))
    log = tmp_path / "log.csv"
    options = ("-i", survey.instrument, "-w", "2026-01", "--home", survey.home)
    assert call("quarantine", *options, "--out", log).code == 0
    lines = log.read_text("utf-8-sig").splitlines()
    filled = [line.replace(",,,", ",set to,5,typo") if ",pain," in line else line for line in lines]
    log.write_text("\n".join(filled), encoding="utf-8")
    assert call("quarantine", *options, "--apply", log).code == 0
    assert survey.warehouse.corrections("club", "2026-01").height == 2
    assert survey.holding("81.25") and survey.holding("82.25") and survey.holding("83.25")
    assert survey.withdraw("member-8").code == survey.withdraw("member-9").code == 0
    assert survey.holding("81.25") == [] == survey.holding("82.25") and survey.holding("83.25")
    assert survey.warehouse.corrections("club", "2026-01").height == 1
    report = json.loads((survey.warehouse.wave("club", "2026-01") or {})["exports"])[0]
    assert report["rows_read"] == 70 == 68 + 0 + 2 and report["rows_kept"] == 68 and report["rows_quarantined"] == 0
    assert report["rows_excluded"] == {"withdrawn": 2} and report["values_refused"] == {"pain": {"out_of_range": 1}}


# --- Later runs ---------------------------------------------------------------------------------------------------------


def test_a_scheduled_run_of_the_same_export_goes_on_and_says_what_it_waits_for(survey: Survey, published: Path) -> None:
    survey.withdraw(CODE)
    survey.run(published)
    before = contents(survey.home)
    for _ in range(2):
        said = survey.run(published)
        assert said.code == 0 and STILL in said.out and "unchanged since release 1" in said.out
        assert contents(survey.home) == before, "a rerun changes nothing"


def test_an_export_that_is_read_again_leaves_the_person_out_and_adds_up(survey: Survey, published: Path) -> None:
    survey.withdraw(CODE)
    more = survey.export([*people(85), *diary(PERSON), *diary(20)], "more.csv")
    said = survey.run(more, "--correction", "late answers")
    assert said.code == 5, "one person less is as telling as before, whoever else has answered"
    assert said.err.endswith("It takes at least 9 more new or changed answers.\n")
    report = json.loads((survey.warehouse.wave("club", "2026-01") or {})["exports"])[0]
    assert report["rows_excluded"] == {"repeated_entry": 3, "withdrawn": 4} and report["rows_kept"] == 84
    assert report["rows_read"] == 91 == 84 + 0 + 7
    assert survey.holding(DOSE) == []
    again = survey.run(published)
    assert again.code == 0 and STILL in again.out and len(survey.kept()) == 69
    assert survey.holding(DOSE) == []


def test_a_correction_with_enough_changes_is_published(survey: Survey, published: Path) -> None:
    survey.withdraw(CODE)
    slips = [row(k, pain="5", dose="950") | NO_DIARY for k in range(30, 40)]
    changed = survey.export([*people(30), *slips, *people(50, 40)], "changed.csv")
    done = survey.run(changed, "--correction", "late answers")
    assert done.code == 0 and "published release 2" in done.out and STILL not in done.out
    assert survey.releases()[-1] == ("2026-01", 2, "late answers")


def test_with_enough_withdrawals_the_report_is_made_again_by_itself(survey: Survey, of_two: Path) -> None:
    assert survey.withdraw(CODE, "--json").document["held_back"].keys() == {"2026-01"}
    assert survey.releases() == [("2026-01", 1, None)]
    said = survey.withdraw("member-8", "--json").document
    assert survey.releases() == [("2026-01", 1, None), ("2026-01", 2, "answers withdrawn")]
    assert said["releases"][0]["release_number"] == 2 and said["held_back"] == {}
    again = survey.run(of_two)
    assert again.code == 0 and STILL not in again.out and "unchanged since release 2" in again.out


@pytest.mark.slow
def test_where_somebody_must_approve_it_is_put_before_them(survey: Survey, approved: Path) -> None:
    survey.withdraw(CODE)
    said = survey.withdraw("member-8")
    page = survey.home / "review" / "club" / "2026-01" / "proposal.md"
    assert said.code == 0 and f"2026-01: release 2 waits for approval. Look at: {page}" in said.out
    assert page.exists() and survey.releases() == [("2026-01", 1, None)]
    assert "release 2 still waits for approval" in survey.run(approved).out
    again = survey.withdraw("member-9", "--json").document
    assert again["proposals"][0]["is_new"] is True and again["review"] == [str(page)] and again["remarks"] == []
    assert survey.decide("approve").code == 0
    assert survey.releases() == [("2026-01", 1, None), ("2026-01", 2, "answers withdrawn")]
    assert "unchanged since release 2" in survey.run(approved).out


@pytest.mark.slow
def test_a_schedule_goes_on_after_it_was_rejected(survey: Survey, approved: Path) -> None:
    survey.withdraw(CODE)
    survey.withdraw("member-8")
    assert survey.decide("reject").code == 0
    entered = survey.warehouse.ledger("club")
    said = survey.run(approved)
    assert said.code == 0 and STILL in said.out and "rejected by Ada: a form is misspelt" in said.out
    assert "unchanged since release 1" in said.out and survey.warehouse.ledger("club") == entered
    refused = survey.run(approved, "--correction", "the same once more")
    assert refused.code == 5 and "was rejected as it is, by Ada" in refused.err
    assert survey.withdraw("member-9", "--json").document["proposals"][0]["release_number"] == 2
    assert survey.decide("approve").code == 0 and "unchanged since release 2" in survey.run(approved).out


def test_what_waits_and_holds_withdrawn_answers_is_named(survey: Survey, monkeypatch: pytest.MonkeyPatch) -> None:
    export = under("require_approval = true\n", survey, monkeypatch)
    said = survey.withdraw(CODE)
    assert (
        said.code == 0
        and "waits for approval of wave 2026-01 was made before this withdrawal: run that wave" in said.out
    )
    assert survey.decide("approve").code == 5
    assert "release 1 waits for approval" in survey.run(export).out and survey.decide("approve").code == 0
    assert survey.withdraw("member-8", "--json").document["remarks"] == []


def test_a_scheduled_run_publishes_what_may_be_published_now(survey: Survey, of_two: Path) -> None:
    survey.withdraw(CODE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(withdrawing, "_publish", interrupted(withdrawing, "_publish", 1, after=False))
        assert survey.withdraw("member-8").code == 130
    said = survey.run(of_two)
    assert said.code == 0 and "published release 2" in said.out
    assert survey.releases()[-1] == ("2026-01", 2, "answers withdrawn")


def test_a_survey_that_was_changed_since_asks_for_a_correction(survey: Survey, of_two: Path) -> None:
    survey.withdraw(CODE)
    text = survey.instrument.read_text(encoding="utf-8")
    survey.instrument.write_text(text.replace('version = "1"', 'version = "2"'), encoding="utf-8")
    said = survey.withdraw("member-8")
    assert said.code == 0 and "has changed since wave 2026-01 was read: run it again with --correction" in said.out
    assert survey.releases() == [("2026-01", 1, None)] and len(survey.kept()) == 68
    assert survey.run(of_two).code == 3 and survey.run(of_two, "--correction", "version 2").code == 0


def test_an_export_in_which_the_row_was_deleted_is_taken_as_it_is(survey: Survey, of_two: Path) -> None:
    """The steward was told to delete it: that must not stop the schedule."""
    survey.withdraw(CODE)
    others = [one for one in people() if one["Your code"] != CODE]
    edited = survey.export([*others, *diary(20)], "edited.csv")
    for _ in range(2):
        said = survey.run(edited)
        assert said.code == 0 and STILL in said.out
    assert survey.releases() == [("2026-01", 1, None)]
    other = survey.export([*others[1:], *diary(20)], "other.csv")
    assert survey.run(other).code == 3, "an export that lacks more than that is another one"
    survey.withdraw("member-20")
    assert survey.releases()[-1] == ("2026-01", 2, "answers withdrawn")
    assert STILL not in survey.run(edited).out


def test_all_waves_or_one(survey: Survey, published: Path) -> None:
    found = [*people(10), *people(60, 200)]
    assert survey.run(survey.export(found, "b.csv"), wave="2026-02").code == 0
    assert survey.withdraw("member-3", "--wave", "2026-02").code == 0
    assert (len(survey.kept()), len(survey.kept("2026-02"))) == (70, 69)
    assert survey.withdraw(CODE).code == 0
    assert (len(survey.kept()), len(survey.kept("2026-02"))) == (69, 68)
    assert survey.withdraw("member-205").code == 0, "tables that hold both waves are still read"
    assert [entry.wave for entry in survey.warehouse.ledger("club") if entry.kind is Kind.WITHDRAWAL] == [
        "2026-02",
        None,
        None,
    ]
    assert problems(survey.warehouse.ledger("club")) == []


def test_other_surveys_in_the_warehouse_are_as_they_were(survey: Survey, published: Path, tmp_path: Path) -> None:
    other = tmp_path / "choir.toml"
    other.write_text(CLUB.replace('name = "club"', 'name = "choir"'), encoding="utf-8")
    options = ("-i", other, "-w", "2026-01", "--home", survey.home)
    assert call("run", write(tmp_path / "choir.csv", rows(66)), *options).code == 0
    before = call("estimates", *options).out
    assert survey.withdraw(CODE).code == 0
    assert call("estimates", *options).out == before != ""
    assert call("history", "--home", survey.home).code == call("report", "-i", other, "--home", survey.home).code == 0
    assert (
        len(
            survey.warehouse.responses(
                "choir", "2026-01", (survey.warehouse.wave("choir", "2026-01") or {})["responses_version"]
            ).collect()
        )
        == 66
    )


# --- Stopped halfway ----------------------------------------------------------------------------------------------------


STEPS = {
    "put_released_people": Warehouse,
    "add_withdrawn": Warehouse,
    "add_entry": Warehouse,
    "replace_wave": Warehouse,
    "put_tally": Warehouse,
    "put_diary_tally": Warehouse,
    "put_wave": Warehouse,
    "forget_rows": Warehouse,
    "close_history": Warehouse,
    "forget_history": Warehouse,
    "_publish": withdrawing,
}
QUICK = {("replace_wave", 2, True), ("put_wave", 1, True), ("forget_rows", 1, True), ("forget_history", 1, False)}
MOMENTS = [
    pytest.param(name, number, after, marks=() if (name, number, after) in QUICK else pytest.mark.slow)
    for name in STEPS
    for number, after in ((1, False), (1, True), (2, True))
]
"""Before or after the first or second call of every step that writes or deletes."""


def interrupted(owner: Any, name: str, call_number: int, after: bool) -> Callable[..., Any]:
    """A step that stops everything at its nth call, before or after it is done."""
    step, calls = getattr(owner, name), iter(range(1, 1000))

    def stopping(*given: Any, **more: Any) -> Any:
        due = next(calls) == call_number
        if due and not after:
            raise KeyboardInterrupt
        done = step(*given, **more)
        if due:
            raise KeyboardInterrupt
        return done

    return stopping


@pytest.fixture(scope="module")
def undisturbed(prepared: Survey, tmp_path_factory: pytest.TempPathFactory) -> Survey:
    """The survey from which the person has withdrawn, where nothing stopped it."""
    survey = Survey(tmp_path_factory.mktemp("undisturbed"))
    shutil.copytree(prepared.home, survey.home)
    survey.withdraw(CODE)
    return survey


@pytest.mark.parametrize(("name", "number", "after"), MOMENTS)
def test_a_withdrawal_that_is_stopped_is_completed_by_the_next(
    survey: Survey, published: Path, undisturbed: Survey, name: str, number: int, after: bool
) -> None:
    places, expected = Places(home=survey.home), undisturbed.numbers()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(STEPS[name], name, interrupted(STEPS[name], name, number, after))
        with suppress(KeyboardInterrupt):
            withdraw(places, str(survey.instrument), CODE)
    assert survey.numbers().height == expected.height, "the wave can be read at any moment"
    done = withdraw(places, str(survey.instrument), CODE)
    assert list(done.held_back) == ["2026-01"] and done.releases == ()
    assert survey.holding(DOSE) == [] and survey.numbers().equals(expected)
    assert survey.kept().sort(RECORD).equals(undisturbed.kept().sort(RECORD))
    assert survey.warehouse.withdrawn("club").height == 1
    assert sum(entry.kind is Kind.WITHDRAWAL for entry in survey.warehouse.ledger("club")) == 1
    said = survey.run(published)
    assert said.code == 0 and STILL in said.out


def test_a_run_that_was_stopped_before_does_not_cost_the_wave_in_force(survey: Survey, published: Path) -> None:
    """Newer rows lie in the table than those in force; the withdrawal deletes all versions but one."""
    more = survey.export(people(90), "more.csv")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Warehouse, "put_wave", interrupted(Warehouse, "put_wave", 1, after=False))
        assert survey.run(more, "--correction", "late answers").code == 130
    assert survey.withdraw("member-205").code == 2
    assert survey.withdraw(CODE).code == 0
    assert len(survey.kept()) == 69 and survey.holding(DOSE) == []
    assert survey.run(published).code == 0

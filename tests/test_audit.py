"""The audit: what is intact passes, what was tampered with is named, and what is given away is found without the truth."""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from builders import survey
from club import CLUB, Said, call, rows, write
from club import Row as Answers
from deltalake import write_deltalake
from hypothesis import given
from hypothesis import strategies as st

from survey_pipeline.auditing import Audit, Audited, audit_folder, audit_ledger
from survey_pipeline.auditing.attacked import Ends, Shown, _is_closer
from survey_pipeline.auditing.folder import rows_of
from survey_pipeline.auditing.labels import levels_of
from survey_pipeline.errors import InputRefused
from survey_pipeline.instrument import Instrument, load_instrument, parse_instrument
from survey_pipeline.joining import as_one
from survey_pipeline.ledger import Entry, Problem, chained, read_ledger
from survey_pipeline.levels import Level, atoms_of, cross
from survey_pipeline.names import INSTRUMENT, Status
from survey_pipeline.release import Policy, Release
from survey_pipeline.render.tables import csv
from survey_pipeline.render.tables import json as release_json
from survey_pipeline.storage import Warehouse

STOPPED = """
[[tables]]
name = "stopped_by_form"
title = "Stopped by form"
exposure = "form"
outcomes = ["stopped"]
"""
ENTRY = "entry 1, the release 1 of wave 2026-01"


def some(n: int, start: int, stopped: int, form: str) -> list[Answers]:
    """So many who take a form, of whom so many stopped."""
    return [
        *rows(stopped, start, form=form, stopped="Yes"),
        *rows(n - stopped, start + stopped, form=form, stopped="No"),
    ]


def people() -> list[Answers]:
    """Ten of 40 stopped taking the one form, and 5 of 30 the other: the 5 are hidden, and so are the 10 that would tell."""
    return [*some(40, 0, 10, "Citrate"), *some(30, 100, 5, "Oxide")]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A published wave, and in another folder its instrument."""
    folder = tmp_path_factory.mktemp("made")
    file = folder / "club.toml"
    file.write_text(CLUB + STOPPED, encoding="utf-8")
    export = write(folder / "a.csv", people())
    assert call("run", export, "-i", file, "-w", "2026-01", "--home", folder / "home").code == 0
    return folder


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Path:
    """A copy of it that may be tampered with."""
    shutil.copytree(made / "home", tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture
def instrument(made: Path) -> Path:
    return made / "club.toml"


@pytest.fixture
def report(home: Path) -> Path:
    return home / "reports" / "club" / "2026-01"


@pytest.fixture
def copies(report: Path, tmp_path: Path) -> Path:
    """Nothing but copies of the tables."""
    return Path(shutil.copytree(report / "tables", tmp_path / "copies"))


def rewrite(home: Path, change: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
    """Put a changed table in the place of the ledger, as somebody with access to the warehouse could."""
    warehouse = Warehouse(home / "warehouse")
    table = change(warehouse.scan("releases").sort("entry").collect())
    where = f"{warehouse.location}/releases"
    write_deltalake(where, table, mode="overwrite", schema_mode="overwrite", partition_by=[INSTRUMENT])


def replaced(old: str, new: str) -> pl.Expr:
    return pl.col("document").str.replace(old, new, literal=True)


def released(report: Path) -> Release:
    return Release.model_validate_json((report / "release.json").read_text(encoding="utf-8"))


def question(table: str, level: str) -> Callable[[Any], bool]:
    return lambda row: (row.table, row.level) == (table, level)


def unprotected(report: Path) -> Release:
    """The release with the share shown of those who stopped taking citrate: 10 of 40."""
    release = released(report)
    shown = {"estimate": 0.25, "standard_error": 0.0685, "ci_lower": 0.1419, "ci_upper": 0.4019, "n_respondents": 40}
    is_it = question("stopped_by_form", "Citrate")
    changed = tuple(
        row.model_copy(update={**shown, "status": Status.OK}) if is_it(row) else row for row in release.rows
    )
    assert changed != release.rows
    return release.model_copy(update={"rows": changed})


def put(report: Path, release: Release, instrument: Path) -> None:
    """Publish a release in the place of another, in all of its files."""
    (report / "release.json").write_bytes(release_json(release))
    for table in release.tables:
        (report / "tables" / f"{table}.csv").write_bytes(csv(release, table, load_instrument(str(instrument))))


# --- The ledger ---------------------------------------------------------------------------------------------------------


def test_an_honest_history_passes(home: Path) -> None:
    said = call("audit", "--home", home)
    assert said.code == 0
    assert said.out.startswith(f"club: {ENTRY}: 20 hidden counts attacked; none is given away")
    assert said.out.endswith("Intact, and nobody is given away.\n") and said.err == ""
    assert call("audit", "--home", home, "--instrument", "club", "--quiet") == Said(0, "", "")


def test_the_document_names_every_release_and_table(home: Path) -> None:
    document = call("audit", "--home", home, "--json").document
    assert (document["problems"], document["exit_code"]) == ([], 0)
    (release,) = document["releases"]
    assert (release["entry"], release["wave"], release["certified"], release["unsettled"]) == (1, "2026-01", True, 0)
    assert release["given_away"] == release["closer_than_certified"] == [] and release["solver"].startswith("HiGHS")
    tables = {table["table"]: table["hidden_counts"] for table in release["tables"]}
    assert tables["stopped_by_form"] == 5 and sum(tables.values()) == release["hidden_counts"] == 20


def test_no_warehouse_is_no_failure(tmp_path: Path) -> None:
    said = call("audit", "--home", tmp_path)
    assert (said.code, said.out) == (0, "Nothing has been published yet.\n")
    assert not list(tmp_path.iterdir())


def test_a_number_changed_in_the_ledger_is_named_with_its_entry(home: Path) -> None:
    rewrite(home, lambda table: table.with_columns(replaced('"n_respondents":70', '"n_respondents":75')))
    said = call("audit", "--home", home)
    assert said.code == 3 and f"Tampered with: {ENTRY}: its content is not what was entered\n" in said.out
    document = call("audit", "--home", home, "--json")
    assert document.code == document.document["exit_code"] == 3
    assert document.document["problems"][0]["entry"] == 1 and document.document["releases"] == []


def test_a_ledger_that_was_taken_away_is_missed_by_the_reports(home: Path) -> None:
    rewrite(home, lambda table: table.clear())
    said = call("audit", "--home", home)
    assert said.code == 3 and "holds a release 1 of wave 2026-01 that is not in the ledger" in said.out


def test_a_report_that_was_altered_is_named(home: Path, report: Path) -> None:
    path = report / "release.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"n": 70', '"n": 75', 1), encoding="utf-8")
    said = call("audit", "--home", home)
    assert said.code == 3
    assert f"{path} is not the release 1 of wave 2026-01 that was entered in the ledger" in said.out


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        (",70,,ok", ",75,,ok", "does not say what release.json beside it says: n_respondents of all, stopped, share"),
        (",70,,ok", ",many,,ok", "holds something else than numbers where these belong"),
        ("n_respondents", "n", "has other rows or columns than release.json beside it"),
    ],
)
def test_a_table_that_was_altered_is_named(home: Path, report: Path, old: str, new: str, what: str) -> None:
    path = report / "tables" / "stopped_by_form.csv"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    said = call("audit", "--home", home)
    assert said.code == 3 and f"Tampered with: {path} {what}\n" in said.out


def test_an_exported_ledger_is_audited_without_the_warehouse(home: Path, tmp_path: Path) -> None:
    file, elsewhere = tmp_path / "ledger.jsonl", tmp_path / "elsewhere"
    assert call("history", "--home", home, "--ledger", file).code == 0
    said = call("audit", "--ledger", file, "--home", elsewhere)
    assert said.code == 0 and said.out.startswith(f"club: {ENTRY}: 20 hidden counts attacked")
    file.write_text(file.read_text(encoding="utf-8").replace("2026-01", "2026-02", 1), encoding="utf-8")
    assert call("audit", "--ledger", file, "--home", elsewhere).code == 3


def test_a_ledger_that_does_not_go_on_from_a_kept_one_is_found(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "ledger.jsonl"
    call("history", "--home", home, "--ledger", file)
    assert call("audit", "--home", home, "--kept", file).code == 0
    (home / "reports" / "club" / "2026-01" / "release.json").unlink()
    rewrite(home, lambda table: table.clear())
    assert call("audit", "--home", home).code == 0, "nothing else shows it"
    said = call("audit", "--home", home, "--kept", file)
    assert said.code == 3 and f"{ENTRY}: it was exported, and is not in the ledger any more" in said.out


def entered(release: Release, like: Entry) -> Entry:
    """A sound entry of another release."""
    return chained([], replace(like, document=release.model_dump_json()))


@pytest.fixture
def entry(home: Path) -> Entry:
    (only,) = Warehouse(home / "warehouse").ledger("club")
    return only


def test_a_release_that_gives_somebody_away_is_found_from_the_ledger_alone(report: Path, entry: Entry) -> None:
    audit = audit_ledger([entered(unprotected(report), entry)])
    assert audit.problems == () and audit.exit_code == 5
    told = {one.where: one for one in audit.audited[0].bad}
    oxide = told["form", "Oxide or A mix", "stopped", "share", "events"]
    assert oxide.given_away and 1 <= oxide.least <= 5 <= (oxide.most or 0) < 9


def test_what_is_told_more_closely_than_certified_is_found(report: Path, entry: Entry) -> None:
    release = released(report)
    assert release.proof is not None
    wider = tuple(one.model_copy(update={"most": None}) for one in release.proof.hidden_counts)
    certified_too_wide = release.proof.model_copy(update={"hidden_counts": wider})
    assert audit_ledger([entered(release.model_copy(update={"proof": certified_too_wide}), entry)]).exit_code == 0, (
        "of nobody it may be known"
    )
    narrow = next(one for one in release.proof.hidden_counts if one.least == 2)
    wider = tuple(one.model_copy(update={"least": 1}) if one is narrow else one for one in release.proof.hidden_counts)
    closer = release.model_copy(update={"proof": release.proof.model_copy(update={"hidden_counts": wider})})
    audit = audit_ledger([entered(closer, entry)])
    (bad,) = audit.audited[0].bad
    assert audit.exit_code == 5 and bad.is_closer and not bad.given_away and bad.certified == (1, None)
    forgotten = tuple(one for one in release.proof.hidden_counts if one is not narrow)
    unnamed = release.model_copy(update={"proof": release.proof.model_copy(update={"hidden_counts": forgotten})})
    assert [one.certified for one in audit_ledger([entered(unnamed, entry)]).audited[0].bad] == [None]


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"format": "survey-pipeline release 1"}, "it is of an older format (survey-pipeline release 1)"),
        ({"proof": None}, "it has no proof"),
    ],
)
def test_what_was_never_proved_is_named(report: Path, entry: Entry, changed: dict[str, Any], why: str) -> None:
    audit = audit_ledger([entered(released(report).model_copy(update=changed), entry)])
    assert (audit.audited[0].not_proved or "").startswith(why) and audit.exit_code == 4


def test_a_release_proved_beside_one_that_is_gone_is_not_proved(report: Path, entry: Entry) -> None:
    release = released(report)
    assert release.proof is not None
    beside = release.proof.model_copy(update={"together_with": (("2025-12", 1),)})
    (found,) = audit_ledger([entered(release.model_copy(update={"proof": beside}), entry)]).audited
    assert found.not_proved == "it was proved together with release 1 of wave 2025-12, which cannot be read here"


def test_numbers_that_cannot_all_be_true_are_tampered_with(report: Path, entry: Entry) -> None:
    release = released(report)
    everybody = question("stopped_by_form", "all")
    fewer = tuple(row.model_copy(update={"n_respondents": 20}) if everybody(row) else row for row in release.rows)
    audit = audit_ledger([entered(release.model_copy(update={"rows": fewer}), entry)])
    assert audit.exit_code == 3 and audit.audited == ()
    assert "its numbers contradict each other" in str(audit.problems[0]) and ENTRY in str(audit.problems[0])


def test_a_correction_is_attacked_together_with_what_it_corrects(made: Path, home: Path, instrument: Path) -> None:
    with_more = Path(instrument).read_text(encoding="utf-8").replace('"up to 200"', '"at most 200"')
    instrument = home / "club.toml"
    instrument.write_text(with_more, encoding="utf-8")
    again = ("run", made / "a.csv", "-i", instrument, "-w", "2026-01", "--home", home, "--correction", "a label")
    assert call(*again).code == 0
    document = call("audit", "--home", home, "--json").document
    first, second = document["releases"]
    assert document["exit_code"] == 0
    assert (first["together_with"], second["together_with"]) == ([], ["release 1 of wave 2026-01"])


@pytest.mark.parametrize(
    ("ends", "certified", "closer"),
    [
        ((1, 9), (1, None), False),
        ((2, None), (1, None), True),
        ((0, 8), (1, None), True),
        ((0, 8), (1, 9), True),
        ((0, 2), (1, 3), False),  # the certificate owned up to it, as it is nobody
        ((6, None), (4, None), False),
        ((9, None), (1, None), True),
        ((10, None), (1, None), False),  # many may be told
        ((0, 0), (1, None), False),  # and so may nobody
    ],
)
def test_less_than_certified_is_closer(ends: Ends, certified: Ends, closer: bool) -> None:
    assert _is_closer(ends, certified, Policy()) is closer


def test_several_kinds_of_trouble_have_one_exit_code() -> None:
    fine, not_proved = Audited("a", "club", "1"), Audited("b", "club", "2", not_proved="old")
    bad = Audited("c", "club", "3", shown=(Shown("t", "form", "a", "b", "share", "events", 2, 3, None, True),))
    assert Audit((), (fine,)).exit_code == 0 and Audit((), (fine, not_proved)).exit_code == 4
    assert Audit((), (not_proved, bad)).exit_code == 5 and Audit((Problem("club", "x"),), (bad,)).exit_code == 3
    assert Audit((), (Audited("d", "club", "4", unsettled=1),)).exit_code == 4


# --- Folders ------------------------------------------------------------------------------------------------------------


def test_a_published_folder_passes(report: Path, instrument: Path, tmp_path: Path) -> None:
    said = call("audit", report, "--instrument", instrument)
    assert said.code == 0 and "\n  stopped_by_form: 5 hidden counts, none given away" in said.out
    assert said.out.endswith("Intact, and nobody is given away.\n")


def test_copies_of_the_tables_alone_are_enough(copies: Path, instrument: Path) -> None:
    document = call("audit", copies, "--instrument", instrument, "--json").document
    (found,) = document["releases"]
    assert document["exit_code"] == 0 and not found["certified"] and found["hidden_counts"] == 20
    assert found["remarks"] == [] and found["policy"] == "default"
    closest = next(table["closest"] for table in found["tables"] if table["table"] == "stopped_by_form")
    assert (closest["level"], closest["least"], closest["most"]) == ("Oxide or A mix", 2, None)
    said = call("audit", copies, "--instrument", instrument)
    assert said.out.endswith("Nobody is given away, as far as that can be told without a certificate.\n")


@pytest.mark.parametrize("with_json", [True, False])
def test_a_release_from_which_protection_was_taken_is_found(report: Path, instrument: Path, with_json: bool) -> None:
    put(report, unprotected(report), instrument)
    if not with_json:
        (report / "release.json").unlink()
    said = call("audit", report, "--instrument", instrument)
    assert said.code == 5 and "1 given away" in said.out
    assert "Oxide or A mix, stopped, share (events): shown to be from " in said.out


def test_a_folder_whose_files_say_different_things_is_tampered_with(report: Path, instrument: Path) -> None:
    path = report / "tables" / "stopped_by_form.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(",70,,ok", ",75,,ok", 1), encoding="utf-8")
    said = call("audit", report, "--instrument", instrument)
    assert said.code == 3 and f"Tampered with: {path} does not say what release.json beside it says" in said.out
    (report / "release.json").write_text("{}", encoding="utf-8")
    said = call("audit", report, "--instrument", instrument)
    assert said.code == 3 and "release.json is no release that can be read" in said.out


def test_a_folder_is_held_against_an_exported_ledger(
    home: Path, report: Path, instrument: Path, tmp_path: Path
) -> None:
    file = tmp_path / "ledger.jsonl"
    call("history", "--home", home, "--ledger", file)
    assert call("audit", report, "-i", instrument, "--ledger", file).code == 0
    release = released(report)
    put(report, release.model_copy(update={"correction": "another"}), instrument)
    assert call("audit", report, "-i", instrument).code == 0
    said = call("audit", report, "-i", instrument, "--ledger", file)
    assert said.code == 3 and "is not the release 1 of wave 2026-01 that was entered" in said.out
    assert len(read_ledger(file)) == 1


def test_a_report_that_was_proved_beside_another_is_attacked_alone_and_that_is_said(
    report: Path, instrument: Path
) -> None:
    release = released(report)
    assert release.proof is not None
    beside = release.proof.model_copy(update={"together_with": (("2025-12", 1),)})
    put(report, release.model_copy(update={"proof": beside}), instrument)
    (found,) = audit_folder(report, load_instrument(str(instrument))).audited
    assert found.remarks == ("attacked by itself: it was proved together with release 1 of wave 2025-12 too",)


def test_options_that_would_do_nothing_are_refused(copies: Path, instrument: Path, tmp_path: Path) -> None:
    assert call("audit", "--policy", instrument, "--home", tmp_path).code == 2
    assert call("audit", copies, "-i", instrument, "--kept", tmp_path / "ledger.jsonl").code == 2


def test_several_folders_are_audited_each_by_itself(report: Path, copies: Path, instrument: Path) -> None:
    document = call("audit", report, copies, "-i", instrument, "--json").document
    assert [one["title"] for one in document["releases"]] == [str(report), str(copies)]


def test_a_policy_of_their_own_can_be_named(copies: Path, instrument: Path, tmp_path: Path) -> None:
    file = tmp_path / "strict.toml"
    file.write_text('name = "strict"\nmin_n = 10\nmin_n_for_statistics = 30\n', encoding="utf-8")
    document = call("audit", copies, "-i", instrument, "--policy", file, "--json").document
    assert document["releases"][0]["policy"] == "strict"


def test_what_is_no_report_of_the_survey_is_refused(
    copies: Path, instrument: Path, tmp_path: Path, report: Path
) -> None:
    (tmp_path / "empty").mkdir()
    for folder, said in ((tmp_path / "empty", "holds no published tables"), (tmp_path / "none", "no published tables")):
        refused = call("audit", folder, "-i", instrument)
        assert refused.code == 3 and said in refused.err
    assert call("audit", copies).code == 2
    other = call("audit", copies, "-i", "magnesium")
    assert other.code == 3 and "is of the survey 'club', not of 'magnesium'" in other.err
    (copies / "more.csv").write_text(
        (copies / "stopped_by_form.csv").read_text(encoding="utf-8").replace("2026-01", "2026-02"), encoding="utf-8"
    )
    several = call("audit", copies, "-i", instrument)
    assert several.code == 3 and "tables of several waves" in several.err


def test_other_files_beside_the_tables_do_no_harm_and_altered_ones_are_refused(copies: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text("a,b\n1,2\n", encoding="utf-8")
    assert rows_of(other) == [] and len(rows_of(copies / "stopped_by_form.csv")) == 3
    text = (copies / "stopped_by_form.csv").read_text(encoding="utf-8")
    for wrong in (text.replace(",70,", ",many,", 1), text.replace(",ok,", ",fine,", 1)):
        other.write_text(wrong, encoding="utf-8")
        with pytest.raises(InputRefused, match="is no published table"):
            rows_of(other)


def test_what_the_instrument_does_not_ask_is_left_out_and_said(copies: Path) -> None:
    (found,) = audit_folder(copies, parse_instrument(CLUB)).audited
    assert found.remarks == ("left out in part, since the instrument does not ask all of it: stopped_by_form",)


# --- Labels -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def magnesium() -> Instrument:
    return load_instrument("magnesium")


def held(instrument: Instrument, exposure: str, labels: Sequence[str]) -> dict[str, set[str]]:
    return {level.label: set(level.members) for level in levels_of(instrument, exposure, labels).levels}


def cut(places: Sequence[int], levels: Sequence[Level]) -> list[list[Level]]:
    """Levels in groups by a number for each."""
    return [[level for level, at in zip(levels, places, strict=True) if at == group] for group in sorted(set(places))]


@given(st.lists(st.integers(0, 3), min_size=7, max_size=7))
def test_labels_of_merged_answers_are_read_back(places: list[int]) -> None:
    instrument = survey()
    merged = [as_one(instrument.items["form"], group) for group in cut(places, atoms_of(instrument, "form"))]
    assert held(instrument, "form", [level.label for level in merged]) == {
        level.label: set(level.members) for level in merged
    }


@given(st.sets(st.integers(1, 10)), st.booleans())
def test_labels_of_merged_bands_are_read_back(magnesium: Instrument, ends: set[int], with_unstated: bool) -> None:
    instrument = magnesium
    item = instrument.items["elemental_dose_mg_per_day"]
    bands = [level for level in atoms_of(instrument, "elemental_dose_mg_per_day") if level.code.startswith("stretch")]
    apart = [level for level in atoms_of(instrument, "elemental_dose_mg_per_day") if level not in bands]
    stops = sorted({end for end in ends if end < len(bands)} | {len(bands)})
    parts = [bands[start:end] for start, end in zip([0, *stops], stops, strict=False)]
    merged = [*(as_one(item, part) for part in parts), *([as_one(item, apart)] if with_unstated else apart)]
    found = held(instrument, "elemental_dose_mg_per_day", [level.label for level in merged])
    assert found == {level.label: set(level.members) for level in merged}


def test_labels_of_cells_are_read_back(magnesium: Instrument) -> None:
    instrument = magnesium
    form, dose = (atoms_of(instrument, name) for name in ("magnesium_form", "elemental_dose_mg_per_day"))
    item = instrument.items["magnesium_form"]
    cells = [cross(as_one(item, form[:2]), dose[-1]), cross(form[2], dose[-1]), cross(form[3], dose[-2])]
    labels = [cell.label for cell in cells]
    name = "magnesium_form_by_elemental_dose_mg_per_day"
    found = held(instrument, name, [*labels, "Whoever is left"])
    assert all(found[cell.label] == set(cell.members) for cell in cells)
    assert len(found["Whoever is left"]) == len(form) * len(dose) - sum(len(cell.members) for cell in cells)


def test_one_label_that_says_nothing_holds_the_rest_and_of_several_nothing_is_known() -> None:
    instrument = survey()
    assert held(instrument, "form", ["Citrate", "Others"])["Others"] == {
        "malate", "glycinate", "oxide", "taurate", "mix", "not_stated"
    }  # fmt: skip
    several = levels_of(instrument, "form", ["Citrate", "Some", "Others"])
    assert several.unknown == ("Some", "Others")
    assert [level.label for level in several.levels] == ["Citrate", ""]
    assert len(several.levels[1].members) == 6
    with pytest.raises(KeyError):
        levels_of(instrument, "shoe_size", ["41"])


def test_a_label_that_cannot_be_read_is_left_out_and_said(copies: Path, instrument: Path) -> None:
    for path in copies.glob("*.csv"):
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace(",Citrate,", ",One,").replace(",Oxide or A mix,", ",Two,"), encoding="utf-8")
    document = call("audit", copies, "-i", instrument, "--json").document
    (found,) = document["releases"]
    assert found["remarks"] == [
        "left out, since it cannot be told whom it holds: 'One' of form",
        "left out, since it cannot be told whom it holds: 'Two' of form",
    ]
    assert document["exit_code"] == 0 and 0 < found["hidden_counts"] < 20
    assert json.dumps(found)

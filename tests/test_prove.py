"""The attacks themselves: what the attacker believes is true, what is given away is found, and the page says what was."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from attacker import Found, Knowledge, Programme, Seen
from builders import community, export_report, people, survey
from linear import Contradiction
from linked import linked_community, linked_survey
from prove.__main__ import PAGE, main, record_of
from prove.communities import PERSON, Export, differences, exports
from prove.communities import survey as proof_survey
from prove.depends import ROOT, START, closure, code_digest, digest
from prove.judge import Judged, Task, alike, is_told, judge, pairs, size_of, told
from prove.kept import Kept
from prove.pages import Amount, asked, broken, page, proved, results_of
from prove.record import as_csv, of_any_code, recorded
from prove.series import Step, exact_rows, is_too_near, plainly, relation_of, series
from simulate.work import Workers
from together import atoms_of, stretches

from survey_pipeline.assemble import make_release
from survey_pipeline.count import tally
from survey_pipeline.instrument import Instrument
from survey_pipeline.release import Policy

POLICY = Policy()
RECORD = record_of(PAGE)
ALONE = Workers(1, bar=False)
TINY = Amount(communities=2, seed=8, every=2)
SMALL = (0, 2)
"""A community of few people."""


def seen(answers: pl.DataFrame, instrument: Instrument) -> Seen:
    """What is published of these answers, and the truth."""
    counted, n = tally(answers, instrument), answers.height
    release = make_release(counted, instrument, POLICY, "2026-01", [export_report(n, n)])
    return Seen(release, instrument, exact_rows(release, counted, instrument))


# --- Linear programmes --------------------------------------------------------------------------------------------------


def programme(**bounds: tuple[float, float]) -> Programme:
    known = Programme()
    for name, (least, most) in bounds.items():
        known.unknown((name,), least, most)
    return known


def test_an_interval_is_exact_where_it_is_narrower_than_asked_and_reaches_far_enough_where_not() -> None:
    known = programme(total=(30, 30), a=(20, 22), b=(0, 100), c=(0, 100))
    known.sums(("total",), [("a",), ("b",), ("c",)])
    known.no_more({("b",): 1.0}, 4)
    (b, c, a) = known.intervals([{("b",): 1.0}, {("c",): 1.0}, {("a",): 1.0}], 1, 9)
    assert (b, c, a) == ((0, 4), (4, 10), (20, 22))
    known = programme(x=(0, 50), y=(0, 50))
    assert all(least <= 1 and most >= 9 for least, most in known.intervals([{("x",): 1.0}, {("y",): 1.0}], 1, 9))


def test_what_is_settled_later_counts() -> None:
    known = programme(x=(0, 50), y=(0, 50))
    known.equals({("x",): 1.0, ("y",): 1.0}, 50)
    assert known.interval({("x",): 1.0}) == (0, 50)
    known.settle(("y",), 20)
    assert known.interval({("x",): 1.0}) == (30, 30)


def test_a_contradiction_is_told() -> None:
    known = programme(x=(0, 5))
    known.no_less({("x",): 1.0}, 6)
    with pytest.raises(Contradiction):
        known.interval({("x",): 1.0})


def test_truths_that_cannot_all_be_true_are_not_allowed_and_leave_nothing_behind() -> None:
    known = programme(x=(0, 5), y=(0, 5))
    known.no_more({("x",): 1.0, ("y",): 1.0}, 6)
    assert known.allows([({("x",): 1.0}, 3), ({("y",): 1.0}, 3)])
    assert not known.allows([({("x",): 1.0}, 4), ({("y",): 1.0}, 3)])
    assert known.interval({("x",): 1.0}) == (0, 5)


def test_whole_numbers_exclude_what_fractions_allow() -> None:
    known = programme(x=(0, 50), y=(0, 50))
    known.equals({("x",): 2.0, ("y",): 4.0}, 10)  # x + 2 y = 5: x is odd
    assert known.interval({("x",): 1.0}) == (0, 5)
    assert known.integers_allow({("x",): 1.0}, 1, 1)
    assert not known.integers_allow({("x",): 1.0}, 2, 2)


# --- What the attacker believes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "seed", "missing"), [(80, 1, 0.0), (150, 2, 0.04), (300, 3, 0.2)])
def test_what_is_believed_of_a_release_is_true(n: int, seed: int, missing: float) -> None:
    for base in (None, 5, 1):
        one = seen(community(n, seed, missing), survey())
        knowledge = Knowledge([one if base is None else plainly(one, base)])
        assert knowledge.is_true(), base


@pytest.mark.parametrize(("n", "seed", "missing"), [(60, 2, 0.0), pytest.param(250, 4, 0.05, marks=pytest.mark.slow)])
def test_what_is_believed_of_questions_that_hang_together_is_true(n: int, seed: int, missing: float) -> None:
    assert Knowledge([seen(linked_community(n, seed, missing), linked_survey())]).is_true()


@pytest.mark.parametrize(("missing", "least", "most"), [(3, 0, 9), (9, 0, 9), (10, 10, 12), (14, 13, 17)])
def test_an_empty_number_of_people_missing_is_any_under_ten(missing: int, least: int, most: int) -> None:
    answers = [(40, {"form": "citrate", "mood": 2.0}), (35, {"form": "citrate", "mood": 5.0})]
    one = plainly(seen(people(survey(), *answers, (missing, {"form": "citrate"})), survey()), 5)
    knowledge = Knowledge([one])
    count = next(c for c in knowledge.counts[0] if c.kind == "missing" and c.about[1:3] == ("all", "mood"))
    assert count.truth == missing
    assert knowledge.known.interval(count.terms) == (least, most)


def test_a_plain_filter_gives_counts_away_and_exact_counts_more_closely() -> None:
    first = next(step.seen for step in series(SMALL, POLICY) if step.seen)
    rounded, exact = (Knowledge([plainly(first, base)]).attack() for base in (5, 1))
    assert any(one.is_too_close for one in rounded)
    assert sum(one.is_too_close for one in exact) > sum(one.is_too_close for one in rounded)
    assert any(one.least == one.most for one in exact)


def test_a_count_is_too_close_by_its_mark_or_by_a_width() -> None:
    whole, low, high, narrow = (
        Found("events", 3, *ends, ("", "", "", "")) for ends in ((1, 9), (2, 9), (0, 8), (1, 4))
    )
    assert [is_told(one, "mark") for one in (whole, low, high, narrow)] == [False, True, True, True]
    assert [is_told(one, "5") for one in (whole, low, high, narrow)] == [False, False, False, True]
    assert not is_told(narrow, "4")


# --- Several releases of the same people --------------------------------------------------------------------------------


def test_stretches_of_two_instruments_are_cut_at_the_ends_of_both() -> None:
    usual, other = proof_survey("usual"), proof_survey("other")
    # Ends: 150, 200, 300 here; 100, 200, 250, 300 there.
    names = [stretches(f"stretch_{place}", "dose", usual, other) for place in range(3)]
    assert [len(found) for found in names] == [2, 1, 2]
    assert names[0][0] == stretches("stretch_0", "dose", other, usual)[0]
    assert stretches("not_stated", "dose", usual, other) == ["not_stated"]


def test_people_in_each_piece_are_counted() -> None:
    doses = pl.Series([50.0, 100.0, 125.0, 150.0, 200.0, 700.0, None])
    found = atoms_of(doses, "dose", (proof_survey("usual"), proof_survey("other")))
    assert list(found.values()) == [2, 2, 1, 0, 0, 1]


def test_other_bands_of_the_same_people_cut_out_a_few_whom_neither_release_shows() -> None:
    # 125 mg is in the band up to 150, and in the band from 100 to 200: the exact counts of both tell how many take it.
    answers = next(exports((0, 0))).answers.with_columns(form=pl.lit("citrate"), dose=pl.lit(100.0))
    place = pl.int_range(pl.len())
    answers = answers.with_columns(
        dose=pl.when(place < 7)
        .then(125.0)
        .when(place < 300)
        .then(200.0)
        .when(place < 400)
        .then(400.0)
        .otherwise("dose")
    )
    found = []
    for bands in ("usual", "other"):
        export = Export(0, answers, bands, "test")
        one = plainly(seen(export.responses, export.instrument), 1)
        atoms = atoms_of(answers["dose"], "dose", (proof_survey("usual"), proof_survey("other")))
        found.append(Seen(one.release, one.instrument, one.exact, atoms))
    knowledge = Knowledge(found, ["same"])
    assert knowledge.is_true()
    overlap = [one for one in knowledge.attack() if one.kind == "overlap"]
    assert [(one.truth, one.least, one.most) for one in overlap] == [(7, 7, 7)]


def test_who_assumes_that_people_only_came_is_right_where_they_did() -> None:
    before = next(exports(SMALL))
    few = Export(0, before.answers[:-40], "usual", "test")
    for old, new, relation in ((few, before, "added"), (before, few, "gone")):
        assert relation_of(new, old) == relation
        knowledge = Knowledge([seen(one.responses, one.instrument) for one in (old, new)], [relation_of(new, old)])
        assert knowledge.is_true()
        assert knowledge.differences and all(count.truth <= 40 for count in knowledge.differences)


def test_differences_count_what_came_and_what_went() -> None:
    answers = next(exports(SMALL)).answers
    changed = answers.with_columns(age=pl.when(pl.col(PERSON) < 3).then(pl.lit(99.0)).otherwise("age"))
    assert differences(answers, answers) == (0, 0)
    assert differences(answers[5:], answers) == (0, 5)
    assert differences(answers, answers[5:]) == (5, 0)
    assert differences(changed, answers) == (3, 3)


@pytest.mark.parametrize(("gone", "too_near"), [(0, False), (1, True), (9, True), (10, False)])
def test_a_release_of_nearly_the_same_people_is_held_back(gone: int, too_near: bool) -> None:
    export = next(exports(SMALL))
    fewer = Export(0, export.answers[gone:], "usual", "withdrawn")
    assert is_too_near(fewer, [export], 10) == too_near


def test_releases_of_the_same_answers_are_attacked_together_and_others_alone() -> None:
    one = next(step.seen for step in series(SMALL, POLICY) if step.seen)
    export = next(exports(SMALL))
    relations = (None, "same", "added", "same", "gone")
    steps = [Step(export, one, relation) for relation in relations]  # type: ignore[arg-type]
    steps.insert(2, Step(export, None))
    assert [len(chain) for chain in alike(steps)] == [2, 2, 1]
    assert [relation for relation, _ in pairs(steps)] == ["added", "gone"]


# --- Communities --------------------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_exports_and_another_one_does_not() -> None:
    one, again, other = ([export.answers for export in exports(seed)] for seed in (SMALL, SMALL, (0, 3)))
    assert all(a.equals(b) for a, b in zip(one, again, strict=True))
    assert not one[0].equals(other[0])


def test_who_takes_none_is_not_asked_for_a_dose() -> None:
    answers = next(exports((0, 0))).answers.filter(pl.col("form") == "none")
    assert answers.height > 0 and answers["dose"].null_count() == answers["reduced"].null_count() == answers.height


def test_what_is_told_counts_rows_and_answers() -> None:
    first = next(step.seen for step in series(SMALL, POLICY) if step.seen)
    found = told(first)
    assert 0 < found["rows shown"] < found["rows"] and 0 < found["answers shown"] < found["answers"]
    assert size_of(first) == 0


@pytest.fixture(scope="module")
def small_one() -> Judged:
    return judge(Task(SMALL, whole=True))


@pytest.mark.slow
def test_a_community_is_judged(small_one: Judged) -> None:
    judged = small_one
    assert judged.releases["untrue"] == 0 and judged.releases["first"] >= 3
    assert judged.small.total() > 100 and judged.whole["asked"] > 0
    assert judged.broken == {"rounded": True, "exact": True}


@pytest.mark.slow
def test_a_small_run_writes_a_page_with_every_part_and_the_same_one_with_two_workers() -> None:
    made = proved(TINY, ALONE)
    headings = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    assert [line for line in made.text.splitlines() if line.startswith("#")] == headings
    with Workers(2, bar=False) as two:
        again = proved(TINY, two)
    assert (again.text, again.record) == (made.text, made.record)
    assert not [promise for promise in made.broken if "not true" in promise]


def test_a_run_that_was_ended_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Task] = []

    def judged(task: Task) -> Judged:
        asked.append(task)
        return Judged(making=float(task.seed[1]))

    monkeypatch.setattr("prove.kept.judge", judged)
    one, other = Task((0, 1)), Task((0, 2))
    assert Kept.under(tmp_path)(one).making == 1
    assert [Kept.under(tmp_path)(task).making for task in (one, other)] == [1, 2]
    assert asked == [one, other]
    assert [Kept.under(tmp_path)(task).making for task in (Task((0, 1), "5"), Task((0, 1), whole=True))] == [1, 1]
    assert len(asked) == 4


def test_what_stands_in_the_record_is_not_attacked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prove.kept.judge", lambda task: Judged(making=5))
    known, record = Task((0, 1), whole=True), tmp_path / "page.csv"
    record.write_text(as_csv([(known, Judged(told=Counter({"rows": 7})))]), encoding="utf-8")
    kept = Kept.under(tmp_path, record)
    assert kept(known).told["rows"] == 7 and kept(Task((0, 1))).making == 5
    monkeypatch.setattr("prove.record.code_digest", lambda: "other code")
    assert Kept.under(tmp_path, record)(known).making == 5


# --- What a result can depend on ------------------------------------------------------------------------------------------


@pytest.fixture
def code(tmp_path: Path) -> Path:
    files = {
        "start.py": "import json\nfrom room import cupboard\nfrom survey_pipeline.inner import one",
        "room/__init__.py": "",
        "room/cupboard.py": "def later():\n    from room.drawer import spoon",
        "room/drawer.py": "spoon = 1",
        "room/cellar.py": "",
        "survey_pipeline/__init__.py": "from survey_pipeline.outer import two",
        "survey_pipeline/inner.py": "",
        "survey_pipeline/outer.py": "",
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content, encoding="utf-8")
    return tmp_path


def names_in(code: Path) -> set[str]:
    return {file.relative_to(code).as_posix() for file in closure("start", (code,))}


def test_a_result_depends_on_what_is_imported_however_far_away_and_on_nothing_else(code: Path) -> None:
    near = {"start.py", "room/__init__.py", "room/cupboard.py", "room/drawer.py", "survey_pipeline/inner.py"}
    assert names_in(code) == near
    (code / "room" / "cupboard.py").write_text("from survey_pipeline import two", encoding="utf-8")
    front = {"survey_pipeline/__init__.py", "survey_pipeline/outer.py"}
    assert names_in(code) == near - {"room/drawer.py"} | front


def test_the_proof_and_the_attacker_are_among_it_and_reports_are_not() -> None:
    found = {file.relative_to(ROOT).as_posix() for file in closure(START)}
    assert {"tests/attacker.py", "tests/prove/series.py", "tests/linear.py"} < found
    for room in ("proof", "disclose", "coarsen", "estimate", "proving.py", "count.py", "release.py", "statistics"):
        assert any(name.startswith(f"src/survey_pipeline/{room}") for name in found), room
    assert not [name for name in found if name.startswith(("src/survey_pipeline/render", "src/survey_pipeline/cli"))]


def test_other_content_and_another_name_are_another_digest(code: Path) -> None:
    file = code / "start.py"
    before = digest([file], code)
    file.write_text("x = 2", encoding="utf-8")
    changed = digest([file], code)
    file.rename(code / "end.py")
    assert len({before, changed, digest([code / "end.py"], code)}) == 3


@pytest.mark.parametrize(
    ("name", "other", "is_other"),
    [
        ("start.py", '"""Words."""\nx = 1  # more of them\n"""And more."""\n\n\ndef y():\n    """Of y."""\n', False),
        ("start.py", "x = 1\ndef y():\n    return 'words that are meant'\n", True),
        ("start.toml", "# words\nx = 1\n\ny = 2  # and more\n", False),
        ("start.toml", "x = 1\ny = 3\n", True),
        ("start.toml", "y = 2\nx = 1\n", True),
        ("start.lock", "x = 1\ny = 2\n# words\n", True),
    ],
)
def test_words_about_code_are_no_other_code(tmp_path: Path, name: str, other: str, is_other: bool) -> None:
    file = tmp_path / name
    file.write_text("x = 1\n" + ("def y(): 'Of y, shortly.'\n" if name.endswith("py") else "y = 2\n"), encoding="utf-8")
    before = digest([file], tmp_path)
    file.write_text(other, encoding="utf-8")
    assert (digest([file], tmp_path) != before) is is_other


# --- The record ------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_record_holds_all_that_is_counted(small_one: Judged) -> None:
    assert small_one.small and small_one.broken and small_one.told and small_one.releases
    untimed = replace(small_one, making=0.0, attacking=0.0, slowest=0.0)
    lines = as_csv([(Task(SMALL, whole=True), small_one), (Task((0, 0), "5", plain=False), Judged())]).splitlines()
    assert len(lines) == 3
    assert read_back("\n".join(lines)) == {Task(SMALL, whole=True): untimed, Task((0, 0), "5", plain=False): Judged()}


def read_back(text: str) -> dict[Task, Judged]:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "page.csv"
        file.write_text(text, encoding="utf-8")
        return recorded(file)


def test_the_page_says_what_the_record_says() -> None:
    found = of_any_code(RECORD)
    amount = Amount(sum(task.protection == "mark" for task in found))
    assert set(asked(amount)) == set(found)
    results = results_of(amount, [found[task] for task in asked(amount)])
    assert page(amount, results) == PAGE.read_text(encoding="utf-8")
    assert not list(broken(results))


def test_one_code_made_the_whole_record() -> None:
    lines = RECORD.read_text(encoding="utf-8").splitlines()
    assert len({line.split(",")[0] for line in lines[1:]}) == 1


def test_the_code_at_hand_has_a_name_like_that_in_the_record(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--digest"]) == 0
    (said,) = capsys.readouterr().out.splitlines()
    made_by = RECORD.read_text(encoding="utf-8").splitlines()[1].split(",")[0]
    assert said == code_digest() and len(said) == len(made_by) and set(said + made_by) <= set("0123456789abcdef")


@pytest.mark.slow
def test_in_a_community_of_the_record_nothing_is_found_and_the_same_code_judges_the_same_again() -> None:
    found, by_this_code = of_any_code(RECORD), recorded(RECORD)
    task = min(found, key=lambda task: found[task].told["rows"] * sum(found[task].releases.values()))
    again = replace(judge(task), making=0.0, attacking=0.0, slowest=0.0)
    assert again.small.total() > 0 and not again.found.total() and not again.releases["untrue"]
    # Other code may hide other rows; what it gives away is nothing all the same.
    assert again == by_this_code.get(task, again)

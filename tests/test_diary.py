"""Diaries: entries are kept where the row is left out, become person-weeks, and give means clustered by person."""

import csv
import json
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import svy
from builders import REFERENCE
from club import MARKER, Row, club, row, write
from hypothesis import given, settings
from hypothesis import strategies as st
from layouts import export_of

from survey_pipeline import names
from survey_pipeline.diary import (
    COUNTED,
    N_ENTRIES,
    OF_NOBODY,
    SAME_DAY,
    WEEK,
    Diary,
    columns_of,
    diary_tables,
    entries_schema,
    measured,
    person_weeks,
)
from survey_pipeline.disclose import disclose
from survey_pipeline.estimate import ESTIMATES_SCHEMA
from survey_pipeline.exports import Column
from survey_pipeline.exports.layout import Mark, Part
from survey_pipeline.instrument import Instrument, load_instrument
from survey_pipeline.levels import Level
from survey_pipeline.person_weeks import (
    DIARY_KEPT,
    DIARY_SCHEMA,
    PERSON_WEEK_MEAN,
    PERSON_WEEKS,
    UNIT,
    Sums,
    add,
    diary_rows,
    diary_tally,
    levels_of_people,
    person_week_mean,
)
from survey_pipeline.reading import Reading, open_exports, report_of, silently
from survey_pipeline.release import Policy
from survey_pipeline.storage import WAVES_SCHEMA, Warehouse
from survey_pipeline.validate import QUARANTINE_SCHEMA

DAY_HEADING, PAIN_HEADING, TOOK_HEADING = "Diary: day", "Diary: pain", "Diary: took it"
QUESTIONS = {"diary_day": DAY_HEADING, "diary_pain": PAIN_HEADING, "diary_took": TOOK_HEADING}


def diary_item(name: str, **more: Any) -> dict[str, Any]:
    return {"label": QUESTIONS[name], "question": QUESTIONS[name], "theme": "diary", "role": "diary", **more}


def keeping(**changes: Any) -> Instrument:
    """The club, whose members keep a diary: how much pain on a day, and whether they took it."""
    items = {name: found.model_dump() for name, found in club().items.items()}
    items["diary_day"] = diary_item("diary_day", kind="date")
    items["diary_pain"] = diary_item("diary_pain", kind="scale", minimum=0, maximum=10)
    items["diary_took"] = diary_item("diary_took", kind="yes_no")
    tables = [table.model_dump() for table in club().tables]
    return club(**{"items": items, "tables": tables} | changes)


def showing(*tables: dict[str, Any]) -> Instrument:
    """The same with tables of the diary. Made without the checks of an instrument, which are not what is tested here."""
    spec = club().tables[0]
    return keeping().model_copy(update={"tables": tuple(spec.model_copy(update=table) for table in tables)})


BY_FORM: dict[str, Any] = {"name": "diary", "exposure": "form", "outcomes": ("diary_pain", "diary_took")}
OF_ALL: dict[str, Any] = {"name": "diary_of_all", "exposure": None, "outcomes": ("diary_pain",)}
HEADINGS = [*row(0), *QUESTIONS.values()]


def entry(member: str, day: str, pain: str = "", took: str = "", **written: str) -> Row:
    """A further row as a survey tool writes it: consent, the code and the diary, nothing else."""
    blank = dict.fromkeys(row(0), "") | {"May we count your answers?": "Yes, you may.", "Your code": member}
    return blank | {DAY_HEADING: day, PAIN_HEADING: pain, TOOK_HEADING: took} | written


def kept(number: int, day: str = "", pain: str = "", took: str = "", **written: str) -> Row:
    """A person's own row, with an entry or without one."""
    return row(number, **written) | {DAY_HEADING: day, PAIN_HEADING: pain, TOOK_HEADING: took}


class Done:
    """What one pass over some exports made of rows."""

    def __init__(self, folder: Path, instrument: Instrument, *exports: Sequence[Row]) -> None:
        found = [write(folder / f"{n}.csv", rows, HEADINGS) for n, rows in enumerate(exports)]
        reading = Reading(opened := open_exports(found), instrument, silently)
        self.responses = pl.concat([reading.empty({}), *reading.kept({})])
        self.quarantine = pl.concat([pl.DataFrame(schema=QUARANTINE_SCHEMA), *reading.spool.frames()])
        self.diary: Diary = reading.diary(self.responses.select(names.RESPONDENT))
        self.reports = [report_of(export, instrument, reading) for export in opened]

    @property
    def weeks(self) -> list[tuple[Any, ...]]:
        return self.diary.person_weeks.drop(names.RESPONDENT).rows()


# --- Which rows hold an entry ------------------------------------------------------------------------------------------


def test_which_items_make_up_a_diary() -> None:
    assert columns_of(keeping()) == ["diary_day", "diary_pain", "diary_took"]
    assert columns_of(club()) == []
    without_code = {name: item for name, item in keeping().items.items() if name != "member"}
    assert columns_of(keeping().model_copy(update={"items": without_code})) == []
    magnesium = load_instrument("magnesium")
    assert list(measured(magnesium)) == ["diary_pain", "diary_sleep_quality", "diary_stress", "diary_dose_mg"]


def test_further_rows_are_entries_and_no_people(tmp_path: Path) -> None:
    rows = [
        kept(1, "2026-01-05", "4", "Yes"),
        entry("member-1", "2026-01-06", "7", "No"),
        entry("MEMBER-1 ", "2026-01-12", "2"),
        kept(2),
    ]
    done = Done(tmp_path, keeping(), rows)
    assert done.responses.height == 2
    assert done.reports[0].rows_excluded == {"repeated_entry": 2}
    assert done.weeks == [(202602, 2, 5.5, 0.5), (202603, 1, 2.0, None)]
    assert done.reports[0].diary == {COUNTED: 3, SAME_DAY: 0, OF_NOBODY: 0}


def test_only_weeks_and_means_are_stored(tmp_path: Path) -> None:
    done = Done(tmp_path, keeping(), [kept(1, "2026-01-05", "4", "Yes")])
    assert done.diary.person_weeks.columns == [names.RESPONDENT, WEEK, N_ENTRIES, "diary_pain", "diary_took"]
    assert not {"diary_day", "diary_pain", "diary_took"} & set(done.responses.columns)


def test_a_second_whole_answer_is_left_out_and_its_entry_counts(tmp_path: Path) -> None:
    again = kept(5, "2026-01-07", "10", member="member-1")
    for keep, record in (("first", 1), ("last", 2)):
        instrument = keeping(duplicates={"same_respondent": True, "keep": keep})
        done = Done(tmp_path, instrument, [kept(1, "2026-01-05", "4"), again])
        assert done.reports[0].rows_excluded == {"same_respondent": 1}
        assert done.responses[names.RECORD].to_list() == [record]
        assert done.weeks == [(202602, 2, 7.0, None)]


@pytest.mark.parametrize(("keep", "pain"), [("first", 4.0), ("last", 9.0)])
def test_of_two_entries_of_a_day_the_declared_one_counts(tmp_path: Path, keep: str, pain: float) -> None:
    instrument = keeping(duplicates={"same_respondent": True, "keep": keep})
    first = [kept(1, "2026-01-05", "4"), entry("member-1", "05.01.2026 10:00", "", "Yes")]
    second = [kept(2), entry("member-1", "2026-01-05", "9")]
    done = Done(tmp_path, instrument, first, second)
    assert [week[2] for week in done.weeks] == [pain]
    assert [report.diary[SAME_DAY] for report in done.reports] == ([1, 1] if keep == "first" else [2, 0])


def test_entries_of_nobody_counted_are_left_aside_and_counted(tmp_path: Path) -> None:
    refusing = entry("member-2", "2026-01-05", "3") | {"May we count your answers?": "No"}
    rows = [
        kept(1, consent="No"),
        entry("member-1", "2026-01-05", "3"),
        entry("member-9", "2026-01-05", "3"),
        kept(2),
        refusing,
        kept(3, form="no such form"),
        entry("member-3", "2026-01-05", "3"),
    ]
    done = Done(tmp_path, keeping(), rows)
    assert done.weeks == []
    assert done.reports[0].rows_excluded == {"no_consent": 2, "repeated_entry": 3}
    assert done.reports[0].diary == {COUNTED: 0, SAME_DAY: 0, OF_NOBODY: 3}


def test_consent_that_is_not_asked_again_was_given_before(tmp_path: Path) -> None:
    blank = entry("member-1", "2026-01-05", "3") | {"May we count your answers?": ""}
    done = Done(tmp_path, keeping(), [kept(1), blank])
    assert done.weeks == [(202602, 1, 3.0, None)] and done.reports[0].rows_excluded == {"repeated_entry": 1}


def test_rows_that_the_tool_marks_as_repeated_are_entries(tmp_path: Path) -> None:
    columns = [
        Column("repeat", ("repeat",), Part.TOOL),
        Column("Your code", ("Your code",)),
        *(Column(heading, (heading,)) for heading in QUESTIONS.values()),
    ]
    rows: list[list[str | None]] = [
        [None, "a", None, None, None],
        ["diary", "a", "2026-01-05", "4", "Yes"],
        ["diary", "a", "2026-01-06", "99", "No"],
        ["diary", "b", "2026-01-05", "1", "Yes"],
        ["diary", None, "2026-01-05", "1", "Yes"],
    ]
    export = export_of(columns, rows, repeated=(Mark(2, frozenset({""}), turned=True),))
    reading = Reading([export], keeping(), silently)
    kept_rows = pl.concat(reading.kept({}))
    weeks = reading.diary(kept_rows.select(names.RESPONDENT)).person_weeks
    assert weeks.drop(names.RESPONDENT).rows() == [(202602, 2, 4.0, 0.5)]
    report = report_of(export, keeping(), reading)
    assert report.rows_excluded == {"repeated_entry": 4} and report.rows_kept == 1
    assert report.values_refused == {"diary_pain": {"out_of_range": 1}}
    assert report.diary == {COUNTED: 2, SAME_DAY: 0, OF_NOBODY: 1}


NO_ENTRIES = {
    "without a code": entry("", "2026-01-05", "3"),
    "without a day": entry("member-1", "", "3"),
    "without an answer": entry("member-1", "2026-01-05"),
    "with another answer": entry("member-1", "2026-01-05", "3", **{"Pain from 0 to 10": "3"}),
}


@pytest.mark.parametrize("case", NO_ENTRIES)
def test_what_is_no_entry_is_judged_as_a_persons_row(tmp_path: Path, case: str) -> None:
    done = Done(tmp_path, keeping(), [kept(1), NO_ENTRIES[case]])
    assert done.weeks == []
    assert done.reports[0].rows_quarantined == 1 and done.reports[0].rows_excluded == {}


def test_a_day_that_cannot_be_read_makes_no_entry_and_is_refused(tmp_path: Path) -> None:
    done = Done(tmp_path, keeping(), [kept(1), entry("member-1", f"{MARKER} yesterday", "3")])
    assert done.weeks == [] and done.reports[0].rows_excluded == {"repeated_entry": 1}
    assert done.reports[0].values_refused == {"diary_day": {"not_a_date": 1}}


def test_answers_of_entries_are_refused_like_any_other_but_set_no_row_aside(tmp_path: Path) -> None:
    rows = [kept(1), entry("member-1", "2026-01-05", "99", "Yes"), entry("member-1", "2026-01-06", "awful")]
    done = Done(tmp_path, keeping(), [*rows, kept(5, "2026-01-07", "0.5", member="member-1")])
    assert done.weeks == [(202602, 1, None, 1.0)]
    told = done.quarantine.select(names.RECORD, names.ITEM, names.RULE, names.VALUE, names.WHOLE_ROW).rows()
    assert sorted(told) == [
        (2, "diary_pain", "out_of_range", "99", False),
        (3, "diary_pain", "not_a_number", "awful", False),
        (4, "diary_pain", "not_on_scale", "0.5", False),
    ]
    report = done.reports[0]
    assert sum(report.values_refused["diary_pain"].values()) == done.quarantine.height
    assert report.rows_read == report.rows_kept + report.rows_quarantined + sum(report.rows_excluded.values())


MEMBERS = st.sampled_from(["member-1", "member-2", "member-3", ""])
SOME_ROWS = st.lists(
    st.one_of(
        st.builds(
            entry,
            MEMBERS,
            st.sampled_from(["2026-01-04", "2026-01-05", "2026-01-06", "soon", ""]),
            st.sampled_from(["0", "3", "10", "11", ""]),
            st.sampled_from(["Yes", "No", ""]),
        ),
        st.builds(lambda n, member: kept(n, "2026-01-04", "5", member=member), st.integers(0, 9), MEMBERS),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=50)
@given(SOME_ROWS, st.sampled_from(["first", "last"]), st.integers(0, 12))
def test_every_row_adds_up_and_every_entry_counted_is_of_a_person_counted(
    tmp_path_factory: pytest.TempPathFactory, found: list[Row], keep: str, cut: int
) -> None:
    instrument = keeping(duplicates={"same_respondent": True, "keep": keep})
    parts = [part for part in (found[:cut], found[cut:]) if part]
    if len(parts) == 2 and parts[0] == parts[1]:
        return
    done = Done(tmp_path_factory.mktemp("rows"), instrument, *parts)
    for report in done.reports:
        assert report.rows_read == report.rows_kept + report.rows_quarantined + sum(report.rows_excluded.values())
    refused = sum(n for report in done.reports for rules in report.values_refused.values() for n in rules.values())
    assert refused == done.quarantine.height
    known = set(done.responses[names.RESPONDENT].drop_nulls())
    assert set(done.diary.person_weeks[names.RESPONDENT]) <= known
    assert sum(report.diary.get(COUNTED, 0) for report in done.reports) == sum(
        done.diary.person_weeks[N_ENTRIES].to_list()
    )


# --- Person-weeks ------------------------------------------------------------------------------------------------------

KEEPING = keeping()


def entries_of(*found: tuple[str, str, float | None, float | None]) -> pl.DataFrame:
    rows = [("a.csv", n, who.encode(), date.fromisoformat(day), *rest) for n, (who, day, *rest) in enumerate(found)]
    return pl.DataFrame(rows, schema=entries_schema(KEEPING), orient="row")


@pytest.mark.parametrize(
    ("day", "week"),
    [("2026-01-04", 202601), ("2026-01-05", 202602), ("2025-12-29", 202601), ("2027-01-03", 202653)],
)
def test_a_week_runs_from_monday_to_sunday_and_belongs_to_the_year_of_its_thursday(day: str, week: int) -> None:
    assert person_weeks(entries_of(("a", day, 1, None)), KEEPING)[WEEK].to_list() == [week]


def test_the_mean_is_of_the_answers_that_are_there() -> None:
    found = person_weeks(
        entries_of(("a", "2026-01-05", 1, 1), ("a", "2026-01-06", 2, None), ("a", "2026-01-07", None, 0)), KEEPING
    )
    assert found.drop(names.RESPONDENT).rows() == [(202602, 3, 1.5, 0.5)]


ENTRIES = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        st.dates(date(2025, 12, 20), date(2026, 1, 20)).map(str),
        st.sampled_from([None, 0.1, 0.2, 0.3, 7.7, 10.0]),
        st.sampled_from([None, 0.0, 1.0]),
    ),
    max_size=25,
)


@given(ENTRIES, st.randoms(use_true_random=False))
def test_person_weeks_are_the_same_bytes_in_any_order(found: list[Any], random: Any) -> None:
    shuffled = random.sample(found, len(found))
    one, other = (person_weeks(entries_of(*rows), KEEPING) for rows in (found, shuffled))
    assert one.write_ipc(None).getvalue() == other.write_ipc(None).getvalue()


# --- Sums and estimates ------------------------------------------------------------------------------------------------


def weeks_of(people: dict[str, list[float]], name: str = "diary_pain") -> pl.DataFrame:
    """Person-weeks with one mean each."""
    rows = [(who.encode(), 202601 + n, 1, mean) for who, means in people.items() for n, mean in enumerate(means)]
    found = pl.DataFrame(rows, schema=[names.RESPONDENT, WEEK, N_ENTRIES, name], orient="row")
    others = [other for other in measured(KEEPING) if other != name]
    whole = found.with_columns(pl.lit(None, dtype=pl.Float64).alias(other) for other in others)
    return whole.cast({names.RESPONDENT: pl.Binary, WEEK: pl.Int64, N_ENTRIES: pl.Int64, name: pl.Float64})


def levels_of(people: Mapping[str, str | None]) -> pl.DataFrame:
    rows = [(who.encode() if who[0] != "-" else None, form) for who, form in people.items()]
    return pl.DataFrame(rows, schema={names.RESPONDENT: pl.Binary, "form": pl.String}, orient="row")


def sums_of(tally: pl.DataFrame, exposure: str, level: str, outcome: str = "diary_pain") -> dict[str, Any]:
    at = (pl.col("exposure") == exposure) & (pl.col("level") == level) & (pl.col("outcome") == outcome)
    return tally.filter(at).drop("exposure", "level", "outcome").row(0, named=True)


def test_the_sums_of_a_small_community() -> None:
    weeks = weeks_of({"a": [1, 3], "b": [4], "c": [2, 2, 2]})
    levels = levels_of({"a": "citrate", "b": "oxide", "c": "citrate", "d": "oxide", "-": "citrate"})
    tally = diary_tally(weeks, levels, showing(BY_FORM))
    assert tally.schema == pl.Schema(DIARY_SCHEMA)
    found = sums_of(tally, "form", "citrate")
    assert found["n_people"] == 2 and found["n_person_weeks"] == 5 and found["n_asked"] == 3
    assert [int(found[name]) for name in ("sum_t", "sum_tt", "sum_tn", "sum_nn")] == [
        10 * UNIT,
        (16 + 36) * UNIT**2,
        (8 + 18) * UNIT,
        13,
    ]
    assert found["n_alike"] == 2
    assert sums_of(tally, "everybody", "everybody")["n_alike"] == 2
    assert sums_of(tally, "form", "oxide", DIARY_KEPT)["n_people"] == 1
    assert sums_of(tally, "form", "oxide", DIARY_KEPT)["n_asked"] == 2


def test_the_mean_over_person_weeks_by_hand() -> None:
    # Person-weeks 1, 3 of one person and 4 of another: the mean is 8/3, not the mean of 2 and 4.
    sums = Sums(n_people=2, n_person_weeks=3, sum_t=8, sum_tt=32, sum_tn=12, sum_nn=5)
    found = person_week_mean(sums, unit=1)
    assert found.estimate == pytest.approx(8 / 3, rel=1e-15)
    residuals = [4 - 2 * 8 / 3, 4 - 8 / 3]
    assert found.standard_error == pytest.approx((2 * sum(r * r for r in residuals)) ** 0.5 / 3, rel=1e-14)
    assert found.ci_lower is not None and found.ci_upper is not None
    assert (found.ci_upper - found.ci_lower) / 2 == pytest.approx(12.706204736432095 * (found.standard_error or 0))


def test_one_person_has_no_standard_error_and_nobody_no_mean() -> None:
    alone = person_week_mean(Sums(1, 2, 6 * UNIT, 36 * UNIT**2, 12 * UNIT, 4))
    assert alone.estimate == 3 and alone.standard_error is None and alone.ci_lower is None
    assert person_week_mean(Sums()).estimate is None


def test_people_whose_weeks_are_all_alike_have_a_standard_error_of_nought() -> None:
    weeks = weeks_of({who: [10 / 3] * n for n, who in enumerate("abcdefg", start=1)})
    tally = diary_tally(weeks, levels_of(dict.fromkeys("abcdefg", "oxide")), showing(OF_ALL))
    (row,) = diary_rows(tally, showing(OF_ALL)).filter(pl.col("statistic") == PERSON_WEEK_MEAN).rows(named=True)
    assert row["estimate"] == 10 / 3 and row["standard_error"] == 0 and row["n_alike"] == 7


PEOPLE = st.dictionaries(
    st.sampled_from("abcdefghij"),
    st.lists(st.integers(0, 420).map(lambda n: n / 42), min_size=1, max_size=6),
    min_size=2,
)
FORMS = st.sampled_from(["citrate", "oxide", "mix"])


@given(PEOPLE)
def test_it_agrees_with_svy(people: dict[str, list[float]]) -> None:
    tally = diary_tally(weeks_of(people), levels_of(dict.fromkeys(people, "oxide")), showing(OF_ALL))
    found = person_week_mean(Sums(*(int(v) for v in sums_of(tally, "everybody", "everybody").values())))
    rows = pl.DataFrame(
        [(who, mean, 1.0) for who, means in people.items() for mean in means], schema=["who", "y", "w"], orient="row"
    )
    asked = svy.Sample(rows, svy.Design(psu="who", wgt="w")).estimation.mean("y")
    assert isinstance(asked, svy.Estimate)
    theirs = asked.estimates[0]
    assert found.estimate == pytest.approx(theirs.est, rel=1e-10, abs=1e-12)
    assert found.standard_error == pytest.approx(theirs.se, rel=1e-9, abs=1e-10)
    if theirs.se > 1e-9:
        assert found.ci_lower == pytest.approx(theirs.lci, rel=1e-9, abs=1e-9)
        assert found.ci_upper == pytest.approx(theirs.uci, rel=1e-9, abs=1e-9)


@pytest.mark.skipif(not REFERENCE.exists(), reason="the reference results are not at hand")
def test_it_agrees_with_rs_survey_package() -> None:
    """Schools within districts stand for weeks within people: R's svymean of apiclus1, without the population correction."""
    with (REFERENCE / "apiclus1.csv").open(encoding="utf-8", newline="") as file:
        schools = [(line["dnum"], float(line["api00"])) for line in csv.DictReader(file)]
    people: dict[str, list[float]] = {}
    for district, score in schools:
        people.setdefault(district, []).append(score)
    tally = diary_tally(weeks_of(people), levels_of(dict.fromkeys(people, "oxide")), showing(OF_ALL))
    found = person_week_mean(Sums(*(int(v) for v in sums_of(tally, "everybody", "everybody").values())))
    known = json.loads((REFERENCE / "survey_reference.json").read_text(encoding="utf-8"))["apiclus1_nofpc"]
    means = known["svymean_api00_api99"]
    assert found.estimate == pytest.approx(means["est"][0], rel=1e-10)
    assert found.standard_error == pytest.approx(means["se"][0], rel=1e-10)
    assert found.ci_lower == pytest.approx(means["ci_t_degf"]["lo"][0], rel=1e-10)
    assert found.ci_upper == pytest.approx(means["ci_t_degf"]["hi"][0], rel=1e-10)


@settings(max_examples=50)
@given(PEOPLE, st.lists(FORMS, min_size=10, max_size=10), st.randoms(use_true_random=False))
def test_parts_add_up_and_any_order_gives_the_same_bytes(
    people: dict[str, list[float]], forms: list[str], random: Any
) -> None:
    levels = levels_of(dict(zip("abcdefghij", forms, strict=True)))
    whole = diary_tally(weeks := weeks_of(people), levels, showing(BY_FORM))
    order = random.sample(range(weeks.height), weeks.height)
    again = diary_tally(weeks[order], levels.sample(fraction=1, shuffle=True, seed=1), showing(BY_FORM))
    assert whole.write_ipc(None).getvalue() == again.write_ipc(None).getvalue()
    some = pl.col(names.RESPONDENT).is_in([b"a", b"b", b"c"])
    parts = [diary_tally(weeks.filter(one), levels.filter(one), showing(BY_FORM)) for one in (some, ~some)]
    added = add(parts)
    for name in ("n_people", "n_person_weeks", "sum_t", "sum_tt", "sum_tn", "sum_nn"):
        at = pl.col("n_person_weeks") > 0
        assert added.filter(at)[name].to_list() == whole.filter(at)[name].to_list()
    assert (added.filter(at)["n_alike"] >= whole.filter(at)["n_alike"]).all()


@given(PEOPLE)
def test_merged_levels_are_those_of_everybody(people: dict[str, list[float]]) -> None:
    forms = dict(zip(sorted(people), ["citrate", "oxide", "mix", "none"] * 3, strict=False))
    tally = diary_tally(weeks_of(people), levels_of(forms), showing(BY_FORM))
    merged = Level(code="x", label="X", members=("citrate", "oxide", "mix", "none", "not_stated"), merged=True)
    rows = diary_rows(tally, showing(BY_FORM), {"form": (merged,)})
    numbers = ["estimate", "standard_error", "ci_lower", "ci_upper", "n_respondents", "n_events"]
    for outcome, statistic in (("diary_pain", PERSON_WEEK_MEAN), ("diary_pain", PERSON_WEEKS), (DIARY_KEPT, "share")):
        mine = rows.filter(pl.col("outcome") == outcome, pl.col("statistic") == statistic)
        assert mine["level"].to_list() == ["all", "X"] and mine["merged"].to_list() == [False, True]
        assert mine.select(numbers).row(0) == mine.select(numbers).row(1)


def test_somebody_with_several_rows_is_in_one_level() -> None:
    levels = pl.concat([levels_of({"a": "oxide"}), levels_of({"a": "citrate"})])
    tally = diary_tally(weeks_of({"a": [1]}), levels, showing(BY_FORM))
    assert tally.filter((pl.col("outcome") == "diary_pain") & (pl.col("exposure") == "form"))["n_people"].sum() == 1


def test_the_rows_of_the_tables() -> None:
    instrument = showing(BY_FORM, OF_ALL)
    weeks = weeks_of({"a": [1, 3], "b": [4]})
    rows = diary_rows(
        diary_tally(weeks, levels_of({"a": "citrate", "b": "oxide", "c": "oxide"}), instrument), instrument
    )
    assert rows.schema == pl.Schema(ESTIMATES_SCHEMA)
    shown = rows.filter(pl.col("table") == "diary").select("level", "outcome", "statistic", "n_respondents", "n_events")
    assert ("Citrate", "diary_pain", PERSON_WEEK_MEAN, 1, None) in shown.rows()
    assert ("all", "diary_pain", PERSON_WEEK_MEAN, 2, None) in shown.rows()
    assert ("Oxide", DIARY_KEPT, "share", 2, 1) in shown.rows()
    assert ("Citrate", "diary_pain", PERSON_WEEKS, 1, None) in shown.rows()
    weeks_told = rows.filter(pl.col("statistic") == PERSON_WEEKS, pl.col("outcome") == "diary_pain")
    by_level = dict(weeks_told.filter(pl.col("table") == "diary").select("level", "estimate").iter_rows())
    assert by_level == {"all": 3.0, "Citrate": 2.0, "Oxide": 1.0} | {k: None for k in by_level if by_level[k] is None}
    assert weeks_told["ci_lower"].null_count() == weeks_told["standard_error"].null_count() == weeks_told.height
    assert set(rows.filter(pl.col("table") == "diary_of_all")["level"]) == {"all"}
    assert rows["n_missing"].to_list() == [0] * rows.height
    assert rows.filter(pl.col("outcome") == "diary_took")["not_asked"].all()
    assert not rows.filter(pl.col("outcome") == "diary_pain")["not_asked"].any()


@pytest.mark.parametrize(("n", "shown"), [(19, False), (20, True)])
def test_the_number_of_person_weeks_is_rounded_and_goes_with_their_mean(n: int, shown: bool) -> None:
    weeks = weeks_of({f"p{i}": [float(i % 5), 3.0] for i in range(n)} | {"p0": [1.0]})  # 37 and 39 weeks
    people = levels_of({f"p{i}": "oxide" for i in range(60)})
    instrument = showing(OF_ALL)
    found = disclose(diary_rows(diary_tally(weeks, people, instrument), instrument), Policy())
    told = {row["statistic"]: row for row in found.filter(pl.col("outcome") == "diary_pain").iter_rows(named=True)}
    assert [told[name]["estimate"] is not None for name in (PERSON_WEEK_MEAN, PERSON_WEEKS)] == [shown] * 2
    assert told[PERSON_WEEKS]["n_respondents"] == told[PERSON_WEEK_MEAN]["n_respondents"] == (20 if shown else None)
    if shown:
        assert told[PERSON_WEEKS]["estimate"] == 40.0
        assert told[PERSON_WEEKS]["ci_lower"] is told[PERSON_WEEKS]["standard_error"] is None
        assert (told[PERSON_WEEKS]["status"], told[PERSON_WEEK_MEAN]["status"]) == ("ok", "unreliable")


def test_a_table_of_counts_shows_no_means() -> None:
    instrument = showing(BY_FORM | {"shows": "counts"})
    rows = diary_rows(diary_tally(weeks_of({"a": [1]}), levels_of({"a": "oxide"}), instrument), instrument)
    assert set(rows["outcome"]) == {DIARY_KEPT}


def test_without_entries_nothing_is_counted_and_the_rows_say_not_asked() -> None:
    instrument = showing(BY_FORM)
    tally = diary_tally(weeks_of({}), levels_of({"a": "oxide"}), instrument)
    assert tally.is_empty() and tally.schema == pl.Schema(DIARY_SCHEMA)
    rows = diary_rows(tally, instrument)
    assert rows["not_asked"].all() and rows["estimate"].null_count() == rows.height
    assert diary_tables(club()) == () and diary_rows(tally, club()).is_empty()


def test_levels_are_those_of_the_kept_rows() -> None:
    responses = pl.LazyFrame({names.RESPONDENT: [b"a", None], "form": ["oxide", None], "dose": [100.0, None]})
    found = levels_of_people(responses, showing(BY_FORM)).collect()
    assert found.columns == [names.RESPONDENT, "form"]
    assert found["form"].to_list() == ["oxide", "not_stated"]


# --- From exports to the warehouse and back ----------------------------------------------------------------------------


def test_a_wave_of_diaries_is_stored_replaced_and_counted(tmp_path: Path) -> None:
    monday = date(2026, 1, 5)
    rows = [kept(n, str(monday), str(n)) for n in range(8)]
    rows += [
        entry(f"member-{n}", str(monday + timedelta(days=d)), str(d % 10)) for n in range(8) for d in range(1, 15, 2)
    ]
    instrument = showing(BY_FORM)
    done = Done(tmp_path, instrument, rows)
    warehouse = Warehouse(tmp_path / "warehouse")
    first = warehouse.put_diary("club", "2026-01", done.diary.person_weeks)
    again = warehouse.put_diary("club", "2026-01", done.diary.person_weeks)
    other = warehouse.put_diary("club", "2026-02", done.diary.person_weeks.clear())
    assert [first, again, other] == [0, 1, 2]
    for version in (first, again, other):
        assert warehouse.diary("club", "2026-01", version).equals(done.diary.person_weeks)
    assert warehouse.diary("club", "2026-02", other).is_empty()
    tally = diary_tally(done.diary.person_weeks, levels_of_people(done.responses.lazy(), instrument), instrument)
    version = warehouse.put_diary_tally("club", "2026-01", tally)
    assert warehouse.diary_tally("club", "2026-01", version).equals(tally)
    assert warehouse.diary_tally("club", "2026-01", None).is_empty()
    means = [Fraction(sum(values), len(values)) for n in range(8) for values in ([n, 1, 3, 5], [7, 9, 1, 3])]
    found = diary_rows(tally, instrument).filter((pl.col("level") == "all") & (pl.col("outcome") == "diary_pain"))
    assert found["n_respondents"].to_list() == [8, 8] and found["statistic"].to_list() == [
        PERSON_WEEK_MEAN,
        PERSON_WEEKS,
    ]
    assert found["estimate"][1] == len(means)
    assert found["estimate"][0] == pytest.approx(float(sum(means) / len(means)), rel=1e-14)


def test_a_wave_from_before_there_were_diaries_can_still_be_read(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "warehouse")
    older = {name: kind for name, kind in WAVES_SCHEMA.items() if not name.startswith("diary")}
    row = {"instrument": "club", "wave": "2026-01", "responses_version": 0}
    frame = pl.DataFrame([row], schema=older)
    warehouse.replace_wave("waves", [frame], frame.clear(), {"instrument": "club", "wave": "2026-01"})
    known = warehouse.wave("club", "2026-01")
    assert known is not None and known["diary_version"] is None and known["diary_tally_version"] is None
    warehouse.put_wave(known | {"diary_version": 3})
    assert [wave["diary_version"] for wave in warehouse.waves("club")] == [3]

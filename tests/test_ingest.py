"""Which rows count: every one is read, and each is kept, set aside or left out by a declared rule."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from club import HEADINGS, Row, club, club_with, read, row, rows, write
from hypothesis import given
from hypothesis import strategies as st

from survey_pipeline import exports
from survey_pipeline.answers import Refused, reader
from survey_pipeline.errors import InputRefused
from survey_pipeline.ingest.columns import Match, match_columns
from survey_pipeline.ingest.repeats import Hashes
from survey_pipeline.instrument import Instrument
from survey_pipeline.reading import check_exports
from survey_pipeline.texts import fold

YES = "Yes, you may."


def excluded(instrument: Instrument, *paths: Path) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for report in read(instrument, *paths).reports:
        counts.update(report.rows_excluded)
    return dict(counts)


# --- Every row is accounted for, whatever the file --------------------------------------------------------------------

WRITTEN: dict[str, list[str]] = {
    "timestamp": ["2026-01-01 10:00:00", "2026-01-01 10:00:01", ""],
    "consent": [YES, "yes, you may", "No", "", " "],
    "member": ["a", "b", " a ", "A", "", " "],
    "form": ["Citrate", "citrate, oxide", "None", "glycinate", "", "n/a", "None, Oxide"],
    "dose": ["200", "two hundred", "-1", "1000", "1001", "a lot", ""],
    "pain": ["0", "10", "11", "3.5", "", "n/a"],
    "side_effects": ["Nausea", "None of these", "Nausea, None of these", "a rash", ""],
    "comment": ["", "words, and more", 'a "quoted" word\nand a line'],
}
ROWS = st.lists(
    st.one_of(
        st.fixed_dictionaries({name: st.sampled_from(texts) for name, texts in WRITTEN.items()}),
        st.just(dict.fromkeys(WRITTEN, "")),
    ),
    max_size=25,
)
OPTIONAL = st.sets(st.sampled_from(["timestamp", "member", "pain", "side_effects", "comment"]))


@dataclass
class Expected:
    """The rules, one row at a time and without any of the machinery: what must become of every row."""

    instrument: Instrument
    kept: list[tuple[str, int]] = field(default_factory=list)
    set_aside: list[tuple[str, int]] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    refused: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    seen_rows: set[tuple[str | None, ...]] = field(default_factory=set)
    seen_members: set[str] = field(default_factory=set)

    def take(self, export: str, record: int, written: dict[str, str]) -> None:
        reason = self._excluded(written) or self._judged(export, record, written)
        if reason:
            self.left_out[reason] += 1

    def _excluded(self, written: dict[str, str]) -> str | None:
        if not "".join(text for name, text in written.items() if name in self.instrument.stored).strip():
            return "empty_row"
        whole = tuple(written.get(name) or None for name in self.instrument.items)
        before, self.seen_rows = whole in self.seen_rows, self.seen_rows | {whole}
        if before:
            return "identical_row"
        return "no_consent" if fold(written["consent"]) != fold(YES) else None

    def _judged(self, export: str, record: int, written: dict[str, str]) -> str | None:
        rules = {name: rule for name in self.instrument.stored if (rule := self._rule(name, written.get(name, "")))}
        member = written.get("member", "").strip().lower()
        if "form" not in rules and member and member in self.seen_members:
            return "same_respondent"
        for name, rule in rules.items():
            self.refused[name][rule] += 1
        (self.set_aside if "form" in rules else self.kept).append((export, record))
        self.seen_members |= {member} if "form" not in rules else set()
        return None

    def _rule(self, name: str, text: str) -> str | None:
        item = self.instrument.items[name]
        answer = reader(item, self.instrument.missing)(text)
        if isinstance(answer, Refused):
            return answer.rule.value
        if answer is None:
            return "required_missing" if item.required else None
        if isinstance(answer, float) and not (item.minimum or 0) <= answer <= (item.maximum or 0):
            return "out_of_range"
        return "not_on_scale" if name == "pain" and isinstance(answer, float) and answer % 1 else None


def exports_of(folder: Path, found: Sequence[dict[str, str]], absent: set[str], cut: int) -> list[Path]:
    """The rows in two exports, if there are any for both; the second lists its columns the other way round."""
    columns = [HEADINGS[name] for name in WRITTEN if name not in absent]
    written: list[Row] = [{HEADINGS[name]: text for name, text in one.items()} for one in found]
    parts = {"a.csv": (written[:cut], columns), "b.csv": (written[cut:], columns[::-1])}
    return [write(folder / name, part, headings) for name, (part, headings) in parts.items() if part]


@given(ROWS, OPTIONAL, st.integers(0, 25), st.integers(1, 30))
def test_every_row_of_any_exports_is_kept_set_aside_or_left_out_as_the_rules_say(
    found: list[dict[str, str]], absent: set[str], cut: int, batch_rows: int
) -> None:
    instrument = club()
    expected = Expected(instrument)
    for place, one in enumerate(found):
        export, record = ("a.csv", place + 1) if place < cut else ("b.csv", place - cut + 1)
        expected.take(export, record, {name: text for name, text in one.items() if name not in absent})
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(exports, "BATCH_ROWS", batch_rows)
        paths = exports_of(Path(folder), found, absent, cut)
        if len(paths) == 2 and paths[0].read_bytes() == paths[1].read_bytes():
            return
        done = read(instrument, *paths)
    assert done.records() == expected.kept
    whole = done.quarantine.filter("whole_row").select("export", "record").unique(maintain_order=True)
    assert list(whole.iter_rows()) == expected.set_aside
    assert sum((Counter(report.rows_excluded) for report in done.reports), Counter()) == expected.left_out
    assert refused_in(done.reports) == {name: dict(rules) for name, rules in expected.refused.items()}
    for report in done.reports:
        assert report.rows_read == report.rows_kept + report.rows_quarantined + sum(report.rows_excluded.values())
    assert sum(report.rows_read for report in done.reports) == len(found)


def refused_in(reports: Sequence[Any]) -> dict[str, dict[str, int]]:
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for report in reports:
        for item, rules in report.values_refused.items():
            counts[item].update(rules)
    return {item: dict(rules) for item, rules in counts.items()}


def test_batches_of_any_size_give_the_same_rows_and_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    messy = [*rows(40), *rows(10, 30), row(50, form=""), row(51, pain="12"), row(52, consent=""), *rows(9, 50)]
    path = write(tmp_path / "a.csv", messy)
    whole = read(club(), path)
    assert whole.report.rows_excluded and whole.report.rows_quarantined and whole.report.values_refused
    for size in (1, 2, 7, 61, 1000):
        monkeypatch.setattr(exports, "BATCH_ROWS", size)
        parts = read(club(), path)
        assert parts.reports == whole.reports
        assert parts.kept.equals(whole.kept) and parts.quarantine.equals(whole.quarantine)


# --- Columns -----------------------------------------------------------------------------------------------------------


def test_a_column_is_found_by_question_heading_or_name_in_any_case_and_order(tmp_path: Path) -> None:
    found = [
        {"FORM TAKEN": "Citrate", "dose": "200", "pain from\u00a00  to 10": "3", HEADINGS["consent"]: YES},
    ]
    path = write(tmp_path / "a.csv", found, list(found[0])[::-1])
    kept = read(club(), path).kept.row(0, named=True)
    assert (kept["form"], kept["dose"], kept["pain"]) == ("citrate", 200.0, 3.0)


def test_an_absent_optional_column_is_not_asked_and_answered_by_nobody(tmp_path: Path) -> None:
    columns = [heading for name, heading in HEADINGS.items() if name not in ("pain", "side_effects")]
    done = read(club(), write(tmp_path / "a.csv", rows(5), columns))
    assert done.report.items_not_asked == ["pain", "side_effects"]
    assert done.kept["pain"].to_list() == done.kept["side_effects__nothing"].to_list() == [None] * 5


@pytest.mark.parametrize("name", ["form", "consent"])
def test_an_absent_required_column_is_refused_and_so_is_absent_consent(tmp_path: Path, name: str) -> None:
    columns = [heading for item, heading in HEADINGS.items() if item != name]
    with pytest.raises(InputRefused, match=f"no column for the item '{name}'") as stopped:
        read(club(), write(tmp_path / "a.csv", rows(3), columns))
    assert "headings" in stopped.value.next_step and "headed almost so" not in stopped.value.problem


def test_a_heading_that_is_almost_the_question_is_named_by_its_place(tmp_path: Path) -> None:
    columns = [heading.replace("form do you take", "from do you take") for heading in HEADINGS.values()]
    with pytest.raises(InputRefused, match=r"item 'form'.*Column 4 is headed almost so\."):
        read(club(), write(tmp_path / "a.csv", rows(3), columns))


def test_two_columns_for_one_item_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", rows(3), [*HEADINGS.values(), "form taken"])
    with pytest.raises(InputRefused, match=r"Two columns of 'a\.csv' are headed as the item 'form'"):
        read(club(), path)


def test_an_export_of_another_survey_is_refused_even_if_nothing_is_required(tmp_path: Path) -> None:
    columns = ["Timestamp", HEADINGS["consent"], "Colour"]
    path = write(tmp_path / "a.csv", [{"Timestamp": "now", "Colour": "red"}], columns)
    with pytest.raises(InputRefused, match=r"No heading of 'a\.csv' is a question of 'club'"):
        read(club_with("form", required=False), path)


def test_only_headings_of_stored_items_are_not_dropped(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", rows(1), [*HEADINGS.values(), "E-mail address"])
    dropped = read(club(), path).report.columns_dropped
    assert dropped == [HEADINGS[name] for name in ("timestamp", "consent", "member", "comment")] + ["E-mail address"]


def test_places_are_those_of_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", rows(1), ["unknown", *(HEADINGS[name] for name in ("pain", "form", "consent"))])
    assert match_columns(exports.read_export(path), club()) == {
        "consent": Match(3),
        "form": Match(2),
        "pain": Match(1),
    }


# --- Declared rules ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "counts"),
    [("Yes, you may.", True), ("yes, you  MAY", True), ("Yes", False), ("No", False), ("", False), ("n/a", False)],
)
def test_consent_is_the_one_answer_that_means_it(tmp_path: Path, written: str, counts: bool) -> None:
    path = write(tmp_path / "a.csv", [row(1, consent=written)])
    assert excluded(club(), path) == ({} if counts else {"no_consent": 1})


@pytest.mark.parametrize(
    ("written", "counts"),
    [("Yes, you may.", True), ("i AGREE", True), ("agreed", True), ("No", False), ("refused", False), ("", False)],
)
def test_every_writing_of_the_option_that_means_consent_means_it(tmp_path: Path, written: str, counts: bool) -> None:
    options = [
        {"code": "agreed", "label": "Yes, you may.", "spellings": ("I agree",)},
        {"code": "refused", "label": "No"},
    ]
    path = write(tmp_path / "a.csv", [row(1, consent=written)])
    assert excluded(club_with("consent", kind="choice", options=options), path) == ({} if counts else {"no_consent": 1})


def test_empty_rows_are_left_out_and_keep_their_numbers(tmp_path: Path) -> None:
    blank = {HEADINGS["timestamp"]: " ", HEADINGS["pain"]: "\u00a0"}
    path = write(tmp_path / "a.csv", [row(1), {}, blank, row(2)])
    done = read(club(), path)
    assert done.report.rows_excluded == {"empty_row": 2}
    assert done.kept["record"].to_list() == [1, 4]


def test_an_identical_row_is_left_out_across_batches_and_exports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "BATCH_ROWS", 2)
    first = write(tmp_path / "a.csv", rows(5))
    second = write(tmp_path / "b.csv", [*rows(3, 4), row(5)], [*reversed(HEADINGS.values()), "added later"])
    done = read(club(), first, second)
    assert [report.rows_excluded for report in done.reports] == [{}, {"identical_row": 2}]
    assert done.records() == [*(("a.csv", number) for number in range(1, 6)), ("b.csv", 2), ("b.csv", 3)]


def test_rows_that_differ_anywhere_are_not_identical(tmp_path: Path) -> None:
    twins = [row(1, member="a"), row(1, member="b"), row(1, member="c", comment="")]
    assert excluded(club(), write(tmp_path / "a.csv", twins)) == {}


def test_identical_rows_are_kept_where_the_instrument_does_not_call_them_one_answer(tmp_path: Path) -> None:
    plain = club(duplicates={"identical_rows": False, "same_respondent": False})
    assert excluded(plain, write(tmp_path / "a.csv", [row(1), row(1), row(1)])) == {}


def test_the_first_sound_row_of_a_respondent_is_kept_across_batches_and_exports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "BATCH_ROWS", 1)
    first = write(tmp_path / "a.csv", [row(1, member="x"), row(2, member=" x"), row(3, member="")])
    second = write(tmp_path / "b.csv", [row(4, member="x "), row(5, member=""), row(6, member="X")])
    done = read(club(), first, second)
    assert done.records() == [("a.csv", 1), ("a.csv", 3), ("b.csv", 2)]
    assert [report.rows_excluded for report in done.reports] == [{"same_respondent": 1}, {"same_respondent": 2}]


@pytest.mark.parametrize("batch_rows", [1, 100])
@pytest.mark.parametrize("bad", [{"form": "glycinate"}, {"form": ""}, {"consent": "No"}])
def test_a_row_that_does_not_count_does_not_cost_a_respondent_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bad: dict[str, str], batch_rows: int
) -> None:
    monkeypatch.setattr(exports, "BATCH_ROWS", batch_rows)
    path = write(tmp_path / "a.csv", [row(1, member="x", **bad), row(2, member="x"), row(3, member="x")])
    done = read(club(), path)
    assert done.kept["record"].to_list() == [2] and done.report.rows_excluded["same_respondent"] == 1


def test_refused_answers_of_rows_that_are_left_out_are_not_counted(tmp_path: Path) -> None:
    again = [row(1, member="x"), row(2, member="x", pain="99"), row(3, consent="No", pain="98")]
    done = read(club(), write(tmp_path / "a.csv", again))
    assert done.report.values_refused == {} and done.quarantine.is_empty()


def test_with_two_identifiers_either_makes_a_repeat(tmp_path: Path) -> None:
    items = {name: item.model_dump() for name, item in club().items.items()}
    items["mail"] = items["member"] | {"question": "E-mail", "label": "E-mail"}
    people = [
        row(number, member=code) | {"E-mail": mail}
        for number, (code, mail) in enumerate([("a", "1"), ("b", "2"), ("a", "3"), ("c", "2"), ("1", "a"), ("", "")])
    ]
    done = read(club(items=items), write(tmp_path / "a.csv", people, [*HEADINGS.values(), "E-mail"]))
    assert done.kept["record"].to_list() == [1, 2, 5, 6]


def test_nothing_of_a_respondents_code_is_stored(tmp_path: Path) -> None:
    done = read(club(), write(tmp_path / "a.csv", [row(1, member="SECRETCODE")]))
    assert "SECRETCODE" not in str(done.kept.rows()) and "member" not in done.kept.columns


@given(st.lists(st.lists(st.integers(0, 20) | st.none(), max_size=8), max_size=6))
def test_a_hash_is_new_once_and_a_missing_one_always(batches: list[list[int | None]]) -> None:
    import polars as pl

    hashes, met = Hashes(), set[int]()
    for batch in batches:
        found = hashes.is_new(pl.Series(batch, dtype=pl.UInt64)).to_list()
        for value, new in zip(batch, found, strict=True):
            assert new == (value is None or value not in met)
            met |= {value} if value is not None else set()


# --- Which exports make a wave -----------------------------------------------------------------------------------------


def test_the_same_export_twice_is_refused_whatever_it_is_called(tmp_path: Path) -> None:
    first, second = (write(tmp_path / name, rows(3)) for name in ("a.csv", "b.csv"))
    with pytest.raises(InputRefused, match=r"'a\.csv' and 'b\.csv' are the same export"):
        read(club(), first, second)
    with pytest.raises(InputRefused, match=r"Two exports are called 'a\.csv'"):
        read(club(), first, first)


def test_two_exports_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "later").mkdir()
    with pytest.raises(InputRefused, match=r"Two exports are called 'a\.csv'"):
        read(club(), write(tmp_path / "a.csv", rows(3)), write(tmp_path / "later" / "a.csv", rows(3, 3)))


def test_exports_are_read_by_name_wherever_they_lie_and_in_whatever_order_they_are_given(tmp_path: Path) -> None:
    (tmp_path / "z").mkdir()
    first = write(tmp_path / "z" / "a.csv", [row(1, member="x")])
    second = write(tmp_path / "b.csv", [row(2, member="x")])
    assert read(club(), second, first).records() == read(club(), first, second).records() == [("a.csv", 1)]


def test_checking_exports_says_what_reading_them_does(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", [*rows(6), row(7, form="?")])
    assert check_exports([path], club()) == read(club(), path).reports

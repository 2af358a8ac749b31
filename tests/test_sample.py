"""Samples: the same every time, of any size, for any instrument; what was planted is counted, and the truth is known."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from survey_pipeline import instrument as module
from survey_pipeline.errors import InputRefused, WrongUsage
from survey_pipeline.instrument import Instrument, Kind, load_instrument, parse_instrument
from survey_pipeline.levels import partitions
from survey_pipeline.names import ALL_LEVELS, INVENTED_HEADING, NOT_APPLICABLE, NOT_STATED
from survey_pipeline.sample import (
    SamplePlan,
    SampleSummary,
    load_plan,
    parse_plan,
    true_level_share,
    true_mean,
    true_mean_baseline,
    true_mean_change,
    true_option_share,
    true_person_week_mean,
    true_responder_share,
    write_sample,
)
from survey_pipeline.sample import chunk as drawing
from survey_pipeline.sample.cells import lost_share, ways
from survey_pipeline.sample.chunk import opening
from survey_pipeline.sample.plan import Diaries, Mess, problems
from survey_pipeline.sample.population import Population, truth, wobble
from survey_pipeline.texts import fold

MAGNESIUM = Path(module.__file__).parents[2] / "schemas" / "magnesium"
WAVE = "2026-spring"
ROWS = 60_000
TIDY = Mess.model_validate({name: 0 for name in Mess.model_fields if name != "spare"})

GATED = """
name = "gated"
title = "Who takes any is asked which, how much and how it went"
version = "1"
community = "testers"
about = "A yes-or-no question stands before form and dose; some items are required."
form = "kind_taken"
dose = "amount"
duplicates = { identical_rows = true }
missing = ["n/a"]

[items.takes]
label = "Takes any"
question = "Do you take any?"
theme = "form"
kind = "choice"
role = "detail"
options = [{ code = "yes", label = "Yes" }, { code = "no", label = "No" }]

[items.kind_taken]
label = "Kind"
question = "Which kind?"
theme = "form"
kind = "choice"
role = "exposure"
options = [{ code = "red", label = "Red", spellings = ["Rde"] }, { code = "blue", label = "Blue" }]
applies_if = { item = "takes", values = ["yes"], otherwise = "Takes none" }

[items.amount]
label = "Amount"
question = "How many a day?"
theme = "dose"
kind = "number"
role = "exposure"
minimum = 0
maximum = 10
unit = "pieces/day"
bands = [{ code = "few", label = "Up to 2", up_to = 2 }, { code = "many", label = "More" }]
applies_if = { item = "takes", values = ["yes"], otherwise = "Takes none" }

[items.mood]
label = "Mood"
question = "Mood, 0 to 4 in halves"
theme = "outcomes"
kind = "scale"
role = "outcome"
minimum = 0
maximum = 4
step = 0.5
better = "higher"
thresholds = [{ name = "good", label = "Good", source = "A test", at_least = 3 }]
required = true

[items.tags]
label = "Tags"
question = "Tick what fits"
theme = "outcomes"
kind = "choices"
role = "safety"
options = [{ code = "one", label = "One" }, { code = "two", label = "Two" }]

[items.day]
label = "Day"
question = "Which day?"
theme = "outcomes"
kind = "date"
role = "detail"

[items.words]
label = "Words"
question = "Any words?"
theme = "outcomes"
kind = "text"
role = "drop"

[[tables]]
name = "form_by_outcome"
title = "Mood by kind"
exposure = "kind_taken"
outcomes = ["mood", "tags"]
"""


@pytest.fixture(scope="module")
def magnesium() -> Instrument:
    """The shipped instrument with the form as an optional answer, so that every kind of mess reaches it; what is required
    is covered by `gated` and by the shipped instrument as it is."""
    shipped = load_instrument(MAGNESIUM)
    form = shipped.items["magnesium_form"].model_copy(update={"required": False})
    return shipped.model_copy(update={"items": {**shipped.items, "magnesium_form": form}})


@pytest.fixture(scope="module")
def plan() -> SamplePlan:
    """The shipped plan without diaries, so that each row is a person's; see below for these."""
    return load_plan(MAGNESIUM).model_copy(update={"diaries": Diaries()})


@pytest.fixture(scope="module")
def gated() -> Instrument:
    return parse_instrument(GATED)


@pytest.fixture(scope="module")
def tidy(magnesium: Instrument, plan: SamplePlan, tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    """A large sample without any mess, columns named by item."""
    out = tmp_path_factory.mktemp("tidy") / "sample.csv"
    write_sample(magnesium, plan.model_copy(update={"mess": TIDY}), WAVE, ROWS, 1, out)
    return by_item(magnesium, out)


@pytest.fixture(scope="module")
def messy(
    magnesium: Instrument, plan: SamplePlan, tmp_path_factory: pytest.TempPathFactory
) -> tuple[pl.DataFrame, SampleSummary]:
    out = tmp_path_factory.mktemp("messy") / "sample.csv"
    summary = write_sample(magnesium, plan, WAVE, ROWS, 1, out)
    return by_item(magnesium, out, ROWS), summary


def by_item(instrument: Instrument, out: Path, rows: int | None = None) -> pl.DataFrame:
    """A sample's cells as text, columns named by item (and Timestamp, and the mark of invented data)."""
    frame = pl.read_csv(out, infer_schema=False)
    assert rows is None or frame.height == rows
    names = {item.question: name for name, item in instrument.items.items()}
    return frame.rename({heading: names.get(heading, heading) for heading in frame.columns})


# --- The file --------------------------------------------------------------------------------------------------------


def test_the_same_inputs_give_the_same_bytes(magnesium: Instrument, plan: SamplePlan, tmp_path: Path) -> None:
    first, again = tmp_path / "a.csv", tmp_path / "b.csv"
    one = write_sample(magnesium, plan, WAVE, 500, 7, first)
    two = write_sample(magnesium, plan, WAVE, 500, 7, again)
    assert first.read_bytes() == again.read_bytes()
    assert replace(one, file="") == replace(two, file="")


@pytest.mark.parametrize(("wave", "seed"), [(WAVE, 8), ("2026-autumn", 7)])
def test_another_seed_or_wave_gives_other_people(
    magnesium: Instrument, plan: SamplePlan, tmp_path: Path, wave: str, seed: int
) -> None:
    write_sample(magnesium, plan, WAVE, 200, 7, tmp_path / "a.csv")
    write_sample(magnesium, plan, wave, 200, seed, tmp_path / "b.csv")
    a, b = by_item(magnesium, tmp_path / "a.csv"), by_item(magnesium, tmp_path / "b.csv")
    assert a["pain"].to_list() != b["pain"].to_list()
    assert not set(a["respondent_code"]) & set(b["respondent_code"])


@pytest.mark.parametrize("rows", [0, 1, 2, 999])
def test_any_number_of_rows(magnesium: Instrument, plan: SamplePlan, tmp_path: Path, rows: int) -> None:
    summary = write_sample(magnesium, plan, WAVE, rows, 3, tmp_path / "s.csv")
    frame = by_item(magnesium, tmp_path / "s.csv")
    assert frame.height == summary.rows == rows
    assert summary.rows == summary.rows_kept + summary.rows_quarantined + sum(summary.rows_excluded.values())


def test_parts_fit_together(
    magnesium: Instrument, plan: SamplePlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing, "CHUNK_ROWS", 300)
    summary = write_sample(magnesium, plan, WAVE, 1000, 3, tmp_path / "s.csv")
    frame = by_item(magnesium, tmp_path / "s.csv", 1000)
    assert frame["timestamp"].is_sorted()
    excluded = summary.rows_excluded["identical_row"] + summary.rows_excluded["same_respondent"]
    assert frame["respondent_code"].n_unique() == 1000 - excluded


def test_it_looks_like_google_forms(magnesium: Instrument, plan: SamplePlan, tmp_path: Path) -> None:
    write_sample(magnesium, plan, WAVE, 50, 3, tmp_path / "s.csv")
    raw = (tmp_path / "s.csv").read_bytes()
    headings = pl.read_csv(tmp_path / "s.csv", infer_schema=False).columns
    assert raw.startswith(b"Timestamp,") and raw.endswith(b"\r\n")
    assert headings[1:-1] == [item.question for name, item in magnesium.items.items() if name != "timestamp"]
    assert not raw.startswith(b"\xef\xbb\xbf")


def test_every_row_says_that_it_is_invented(messy: tuple[pl.DataFrame, SampleSummary]) -> None:
    assert messy[0].columns[-1] == INVENTED_HEADING
    assert set(messy[0][INVENTED_HEADING]) == {"invented"}


def test_several_answers_are_joined_as_google_forms_does(tidy: pl.DataFrame) -> None:
    assert "Vitamin D, Omega-3, Exercise" in set(tidy["companions"])
    assert not tidy["side_effects"].str.contains("None of these, |, None of these").any()


def test_dose_words_agree_with_the_numbers(tidy: pl.DataFrame) -> None:
    written = tidy.filter(pl.col("dose_as_written").is_not_null() & (pl.col("magnesium_form") == "Glycinate"))
    parts = written["dose_as_written"].str.extract_groups(r"^(?:(\d+) x )?([\d.]+) mg glycinate").struct.unnest()
    total = parts["1"].cast(pl.Float64).fill_null(1) * parts["2"].cast(pl.Float64)
    assert (total == written["elemental_dose_mg_per_day"].cast(pl.Float64)).all()
    assert "2 x 200 mg glycinate" in set(written["dose_as_written"])


def test_only_people_who_swallow_it_have_a_dose(tidy: pl.DataFrame) -> None:
    oral = tidy["route"].is_in(["By mouth", "Both"])
    assert (tidy["elemental_dose_mg_per_day"].is_not_null() == oral).all()
    none = tidy.filter(pl.col("magnesium_form") == "No magnesium")
    assert none["doses_per_day"].null_count() == none.height
    assert set(none["route"]) == {"I take none"}


def test_words_hold_accents_emoji_and_line_breaks(messy: tuple[pl.DataFrame, SampleSummary]) -> None:
    comments = "".join(set(messy[0]["comment"].drop_nulls()))
    assert all(sign in comments for sign in ("é", "ö", "🙏", "\n", '"', ","))


@pytest.mark.parametrize(("rows", "tool", "said"), [(10, "qualtrix", "qualtrics"), (-1, "google_forms", "from 0 up")])
def test_what_cannot_be_made_is_refused(
    magnesium: Instrument, plan: SamplePlan, tmp_path: Path, rows: int, tool: str, said: str
) -> None:
    with pytest.raises(WrongUsage, match=said):
        write_sample(magnesium, plan, WAVE, rows, 1, tmp_path / "s.csv", tool)
    assert not list(tmp_path.iterdir())


def test_a_folder_is_no_place_for_a_file(magnesium: Instrument, plan: SamplePlan, tmp_path: Path) -> None:
    with pytest.raises(WrongUsage, match="is a folder"):
        write_sample(magnesium, plan, WAVE, 1, 1, tmp_path)


@pytest.mark.parametrize(
    ("wave", "year", "month"),
    [
        ("2026-spring", 2026, 4),
        ("2025-11", 2025, 11),
        ("autumn 2024", 2024, 10),
        ("first", 2026, 1),
        ("202603", 2026, 3),
    ],
)
def test_a_wave_opens_when_its_name_says(wave: str, year: int, month: int) -> None:
    opened = pl.Series([opening(wave) * 1000]).cast(pl.Int64).cast(pl.Datetime("ms"))[0]
    assert (opened.year, opened.month, opened.day) == (year, month, 1)


# --- Diaries ---------------------------------------------------------------------------------------------------------

DIARY = ["diary_date", "diary_pain", "diary_sleep_quality", "diary_stress", "diary_dose_mg"]


@pytest.fixture(scope="module")
def diaries(
    magnesium: Instrument, tmp_path_factory: pytest.TempPathFactory
) -> tuple[pl.DataFrame, pl.DataFrame, SampleSummary]:
    """A sample of 20,000 people, some of whom keep a diary: the people's rows, the entries, and what was said of them."""
    out = tmp_path_factory.mktemp("diaries") / "sample.csv"
    summary = write_sample(magnesium, load_plan(MAGNESIUM), WAVE, 20_000, 1, out)
    frame = by_item(magnesium, out)
    return frame[:20_000], frame[20_000:], summary


def test_diaries_change_nothing_about_the_people(magnesium: Instrument, plan: SamplePlan, tmp_path: Path) -> None:
    alone = write_sample(magnesium, plan, WAVE, 500, 1, tmp_path / "alone.csv")
    more = write_sample(magnesium, load_plan(MAGNESIUM), WAVE, 500, 1, tmp_path / "more.csv")
    assert (tmp_path / "more.csv").read_bytes().startswith((tmp_path / "alone.csv").read_bytes())
    assert more.rows == 500 + more.rows_excluded["repeated_entry"]
    left_out = {reason: n for reason, n in more.rows_excluded.items() if reason != "repeated_entry"}
    assert replace(more, file="", rows=500, rows_excluded=left_out) == replace(alone, file="")


def test_entries_are_of_people_and_of_different_days(
    diaries: tuple[pl.DataFrame, pl.DataFrame, SampleSummary],
) -> None:
    people, entries, summary = diaries
    keepers = entries.group_by("respondent_code").agg(n=pl.len(), days=pl.col("diary_date").n_unique())
    assert entries.height == summary.rows_excluded["repeated_entry"] == summary.rows - 20_000
    assert set(keepers["respondent_code"]) <= set(people["respondent_code"])
    assert keepers.height / 20_000 == pytest.approx(0.15, rel=0.1)
    assert (keepers["n"] == keepers["days"]).all()
    assert (keepers["n"].min(), keepers["n"].max()) == (4, 30)


def test_an_entry_holds_consent_the_code_and_the_diary_and_nothing_else(
    diaries: tuple[pl.DataFrame, pl.DataFrame, SampleSummary],
) -> None:
    entries = diaries[1]
    filled = {name for name in entries.columns if entries[name].null_count() < entries.height}
    assert filled == {"timestamp", "consent", "respondent_code", *DIARY, INVENTED_HEADING}
    assert all(entries[name].null_count() == 0 for name in filled)


def test_entries_are_drawn_from_the_declared_shares_and_alike_within_a_person(
    diaries: tuple[pl.DataFrame, pl.DataFrame, SampleSummary],
) -> None:
    entries = diaries[1].with_columns(pl.col("diary_dose_mg", "diary_pain").cast(pl.Float64))
    people = entries.group_by("respondent_code").agg(pl.col("diary_dose_mg").mean())
    spread = people["diary_dose_mg"].std()
    assert isinstance(spread, float)
    shipped = load_instrument(MAGNESIUM), load_plan(MAGNESIUM)
    truth = true_person_week_mean(*shipped, WAVE, ALL_LEVELS, "diary_dose_mg")
    assert truth == pytest.approx(true_person_week_mean(*shipped, WAVE, "citrate", "diary_dose_mg"))
    assert near(float(people["diary_dose_mg"].to_numpy().mean()), truth, spread, people.height)
    pairs = entries.group_by("respondent_code", maintain_order=True).agg(pl.col("diary_pain").head(2))["diary_pain"]
    first, second = pairs.list.get(0), pairs.list.get(1)
    assert np.corrcoef(first, second)[0, 1] == pytest.approx(0.6, abs=0.06)


def test_parts_of_diaries_fit_together(magnesium: Instrument, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "CHUNK_ROWS", 300)
    summary = write_sample(magnesium, load_plan(MAGNESIUM), WAVE, 1000, 3, tmp_path / "s.csv")
    frame = by_item(magnesium, tmp_path / "s.csv", summary.rows)
    assert frame["pain"][1000:].null_count() == summary.rows_excluded["repeated_entry"] > 1000
    assert set(frame["respondent_code"][1000:]) <= set(frame["respondent_code"][:1000])


@pytest.mark.parametrize("wrong", [{"fewest": 5, "most": 4}, {"most": 57, "weeks": 8}])
def test_impossible_diaries_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="one for each day"):
        Diaries.model_validate(wrong)
    assert Diaries(fewest=1, most=56, weeks=8)


def test_a_survey_without_a_diary_has_no_entries(gated: Instrument, tmp_path: Path) -> None:
    keen = SamplePlan(diaries=Diaries(share=1.0))
    assert write_sample(gated, keen, WAVE, 50, 1, tmp_path / "s.csv").rows == 50


# --- The mess --------------------------------------------------------------------------------------------------------


def test_every_kind_of_mess_is_planted(messy: tuple[pl.DataFrame, SampleSummary]) -> None:
    summary = messy[1]
    rules = {rule for counts in summary.values_refused.values() for rule in counts}
    kinds = {kind for counts in summary.untidy.values() for kind in counts}
    assert set(summary.rows_excluded) == {"identical_row", "no_consent", "same_respondent"}
    assert rules >= {"unknown_option", "contradictory_answers", "not_a_number", "out_of_range", "not_on_scale"}
    assert kinds >= {"blank", "no_answer_text", "misspelt", "other_case", "stray_space", "with_unit", "several_listed"}


def test_rows_left_out_are_counted(messy: tuple[pl.DataFrame, SampleSummary]) -> None:
    frame, summary = messy
    identical = ~first_of_its_kind(frame)
    no_consent = frame["consent"] != "I agree"
    again = ~frame["respondent_code"].is_first_distinct() & ~identical
    assert identical.sum() == summary.rows_excluded["identical_row"]
    assert (no_consent & ~identical).sum() == summary.rows_excluded["no_consent"]
    assert again.sum() == summary.rows_excluded["same_respondent"]
    assert not (again & no_consent).any()
    left = frame.height - (identical | no_consent | again).sum()
    assert summary.rows_kept + summary.rows_quarantined == left


def test_the_shipped_sample_sets_rows_aside(plan: SamplePlan, tmp_path: Path) -> None:
    summary = write_sample(load_instrument(MAGNESIUM), plan, WAVE, 5000, 1, tmp_path / "sample.csv")
    assert summary.values_refused["magnesium_form"]["required_missing"] == summary.rows_quarantined > 0


def first_of_its_kind(frame: pl.DataFrame) -> pl.Series:
    """Whether no row above is identical."""
    return frame.select(pl.struct(pl.all()).is_first_distinct()).to_series()


def kept_rows(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.filter((pl.col("consent") == "I agree") & pl.col("respondent_code").is_first_distinct())


def test_values_refused_are_counted(messy: tuple[pl.DataFrame, SampleSummary]) -> None:
    frame, summary = kept_rows(messy[0]), messy[1]
    pain = Counter(frame["pain"].str.strip_chars())
    words = pain["a lot"] + pain["not much"]
    found = {"not_a_number": words, "out_of_range": pain["-1"] + pain["99"], "not_on_scale": pain["0.5"]}
    assert summary.values_refused["pain"] == found
    unknown = frame["magnesium_form"].is_in(["see my comment", "it depends", "???"]).sum()
    assert summary.values_refused["magnesium_form"] == {"unknown_option": unknown}


def test_values_that_stay_readable_are_counted(
    magnesium: Instrument, messy: tuple[pl.DataFrame, SampleSummary]
) -> None:
    frame, summary = kept_rows(messy[0]), messy[1]
    valid = {str(value) for value in range(11)} | {f"{value}.0" for value in range(11)}
    assert summary.values_valid["pain"] == frame["pain"].str.strip_chars().is_in(list(valid)).sum()
    form = magnesium.items["magnesium_form"]
    known = {fold(text) for option in form.options for text in (option.label, *option.spellings)}
    listed = frame["magnesium_form"].str.contains(", ").sum()
    readable = sum(fold(text) in known for text in frame["magnesium_form"].drop_nulls())
    assert summary.values_valid["magnesium_form"] == readable + listed
    assert summary.untidy["magnesium_form"]["several_listed"] == listed


def test_mess_has_the_declared_size(messy: tuple[pl.DataFrame, SampleSummary], plan: SamplePlan) -> None:
    summary, n = messy[1], messy[1].rows_kept
    refused = sum(summary.values_refused["pain"].values()) / n
    assert refused == pytest.approx(plan.mess.impossible, rel=0.15)
    assert summary.untidy["pain"]["blank"] / n == pytest.approx(plan.mess.blank, rel=0.1)
    assert summary.rows_excluded["identical_row"] / ROWS == pytest.approx(plan.mess.doubled_rows, rel=0.1)


def test_no_mess_where_none_is_asked_for(tidy: pl.DataFrame) -> None:
    assert tidy["respondent_code"].n_unique() == ROWS
    assert set(tidy["consent"]) == {"I agree"}
    assert set(tidy["pain"]) == {str(value) for value in range(11)}


def test_what_decides_about_a_dose_and_what_is_required_stays_readable(
    magnesium: Instrument, gated: Instrument, plan: SamplePlan
) -> None:
    assert lost_share(magnesium, plan, "route") == 0
    assert lost_share(gated, SamplePlan(), "takes") == 0
    assert lost_share(gated, SamplePlan(), "mood") == 0
    assert lost_share(magnesium, plan, "magnesium_form") == pytest.approx(0.02 + 0.005 + 0.005)
    assert not ways(magnesium, plan.model_copy(update={"mess": Mess(spare=("pain",))}), "pain")


# --- The truths ------------------------------------------------------------------------------------------------------


def share_of(flags: pl.Series) -> float:
    return float(flags.to_numpy().mean())


def near(estimate: float, truth: float, spread: float, n: float) -> bool:
    """Within four and a half standard errors: by chance it fails once in 150,000 times."""
    return bool(abs(estimate - truth) < 4.5 * spread / np.sqrt(n) + 1e-12)


LEVELS = {"citrate": "Citrate", "none": "No magnesium", "taurate": "Taurate", "mix": "A mix of forms"}
OUTCOMES = ["pain", "sleep_quality", "tender_areas", "fiqr", "psqi", "pss_10"]


@pytest.mark.parametrize(("level", "outcome"), [*product([*LEVELS, ALL_LEVELS], OUTCOMES)])
def test_a_large_sample_finds_the_true_means(
    magnesium: Instrument, plan: SamplePlan, tidy: pl.DataFrame, level: str, outcome: str
) -> None:
    mine = tidy if level == ALL_LEVELS else tidy.filter(pl.col("magnesium_form") == LEVELS[level])
    scores = mine.select(pl.col(outcome, f"{outcome}_baseline").cast(pl.Float64)).drop_nulls()
    change = (scores[outcome] - scores[f"{outcome}_baseline"]).to_numpy()
    before, now = scores[f"{outcome}_baseline"].to_numpy(), scores[outcome].to_numpy()
    people = (magnesium, plan.model_copy(update={"mess": TIDY}), WAVE, level, outcome)
    assert near(change.mean(), true_mean_change(*people), change.std(), len(change))
    assert near(before.mean(), true_mean_baseline(*people), before.std(), len(change))
    assert near(now.mean(), true_mean(*people), now.std(), len(change))


@pytest.mark.parametrize(
    ("level", "lower", "upper"),
    [
        ("under_100", 0, 99),
        ("from_200_to_299", 200, 299),
        ("over_600", 601, 9999),
        ("up_to_250", 0, 250),
        ("from_251_to_350", 251, 350),
        ("over_350", 351, 9999),
    ],
)
def test_a_large_sample_finds_the_truth_of_each_dose(
    magnesium: Instrument, plan: SamplePlan, tidy: pl.DataFrame, level: str, lower: int, upper: int
) -> None:
    dose = pl.col("elemental_dose_mg_per_day").cast(pl.Float64)
    scores = tidy.filter(dose.is_between(lower, upper)).select(pl.col("pain", "pain_baseline").cast(pl.Float64))
    change = (scores["pain"] - scores["pain_baseline"]).to_numpy()
    plan = plan.model_copy(update={"mess": TIDY})
    assert near(change.mean(), true_mean_change(magnesium, plan, WAVE, level, "pain"), change.std(), len(change))
    share = true_level_share(magnesium, plan, WAVE, level, "elemental_dose_mg_per_day")
    assert near(len(change) / ROWS, share, (share * (1 - share)) ** 0.5, ROWS)


def test_a_large_sample_finds_the_true_responders(magnesium: Instrument, plan: SamplePlan, tidy: pl.DataFrame) -> None:
    plan = plan.model_copy(update={"mess": TIDY})
    for name, item in magnesium.items.items():
        for threshold in item.thresholds:
            truth = true_responder_share(magnesium, plan, WAVE, ALL_LEVELS, name, threshold.name)
            responders = list(_responders(tidy, magnesium, name, threshold.name))
            found, spread = sum(responders) / len(responders), (truth * (1 - truth)) ** 0.5
            assert near(found, truth, spread, len(responders)), (name, threshold.name)


def _responders(frame: pl.DataFrame, instrument: Instrument, name: str, threshold: str) -> Iterator[bool]:
    """Counted the slow way, person by person, in whole numbers."""
    item = instrument.items[name]
    rule = next(one for one in item.thresholds if one.name == threshold)
    sign = 1 if item.better == "higher" else -1
    columns = frame.select(pl.col(name, item.baseline or name).cast(pl.Int64)).drop_nulls()
    for now, *before in columns.iter_rows():
        if rule.at_most is not None:
            yield now <= rule.at_most
        elif rule.points is not None:
            yield sign * (now - before[0]) >= rule.points
        elif rule.percent is not None and before[0]:
            yield sign * (now - before[0]) * 1000 >= round(rule.percent * 10) * before[0]


def test_a_large_sample_finds_the_true_shares(magnesium: Instrument, plan: SamplePlan, tidy: pl.DataFrame) -> None:
    plan = plan.model_copy(update={"mess": TIDY})
    for name in ("magnesium_form", "age_band", "region"):
        for option in magnesium.items[name].options:
            truth = true_level_share(magnesium, plan, WAVE, option.code, name)
            found = share_of(tidy[name] == option.label)
            assert near(found, truth, 0.5, ROWS), option.code
    oxide = tidy.filter(pl.col("magnesium_form") == "Oxide")
    truth = true_option_share(magnesium, plan, WAVE, "oxide", "side_effects", "diarrhoea")
    found = share_of(oxide["side_effects"].str.contains("Diarrhoea"))
    assert near(found, truth, (truth * (1 - truth)) ** 0.5, oxide.height)


def test_the_mess_does_not_move_the_truth(magnesium: Instrument, plan: SamplePlan) -> None:
    tidy = plan.model_copy(update={"mess": TIDY})
    for level in ("citrate", "over_350", NOT_APPLICABLE):
        messy_truth = true_mean_change(magnesium, plan, WAVE, level, "pain")
        assert messy_truth == pytest.approx(true_mean_change(magnesium, tidy, WAVE, level, "pain"), abs=1e-12)


def test_levels_hold_everybody_once(magnesium: Instrument, plan: SamplePlan) -> None:
    for name in (magnesium.form, magnesium.dose):
        for way in partitions(magnesium.items[name]):
            shares = [true_level_share(magnesium, plan, WAVE, level.code, name) for level in way]
            assert sum(shares) == pytest.approx(1)
    ages = [*magnesium.items["age_band"].codes, NOT_STATED]
    assert sum(true_level_share(magnesium, plan, WAVE, age, "age_band") for age in ages) == pytest.approx(1)


def test_a_merged_level_is_the_mean_of_its_parts(magnesium: Instrument, plan: SamplePlan) -> None:
    parts = ["threonate", "taurate", "sulfate", "other", NOT_STATED]
    weights = [true_level_share(magnesium, plan, WAVE, part, "magnesium_form") for part in parts]
    changes = [true_mean_change(magnesium, plan, WAVE, part, "pain", "magnesium_form") for part in parts]
    merged = true_mean_change(magnesium, plan, WAVE, "rare_forms", "pain")
    assert merged == pytest.approx(np.average(changes, weights=weights))


def test_a_truth_is_a_distribution(magnesium: Instrument, plan: SamplePlan) -> None:
    found = truth(Population(magnesium, plan, WAVE), "citrate", "fiqr", None)
    assert found.p.shape == (101, 101)
    assert found.p.sum() == pytest.approx(1)
    assert (found.p >= 0).all()


def test_people_who_take_none_fare_better_too(magnesium: Instrument, plan: SamplePlan) -> None:
    none = true_mean_change(magnesium, plan, WAVE, "none", "pain")
    assert -1 < none < -0.1
    assert true_mean_change(magnesium, plan, WAVE, "glycinate", "pain") < none


def test_waves_differ_by_the_declared_drift(magnesium: Instrument, plan: SamplePlan) -> None:
    waves = ("2025-spring", "2025-autumn", "2026-spring")
    changes = [true_mean_change(magnesium, plan, wave, "none", "pain") for wave in waves]
    assert len(set(changes)) == 3
    assert max(changes) - min(changes) < 2 * plan.drift.change * 1.9
    still = plan.model_copy(update={"drift": plan.drift.model_copy(update={"change": 0, "shares": 0})})
    assert len({true_mean_change(magnesium, still, wave, "none", "pain") for wave in waves}) == 1
    assert all(-1 <= wobble(wave, "x") <= 1 for wave in map(str, range(1000)))


@pytest.mark.parametrize(
    ("level", "outcome", "said"),
    [("citrat", "pain", "Did you mean 'citrate'"), ("citrate", "pian", "Did you mean 'pain'"), ("all", "pgic", "once")],
)
def test_truths_that_do_not_exist_are_refused(
    magnesium: Instrument, plan: SamplePlan, level: str, outcome: str, said: str
) -> None:
    with pytest.raises(WrongUsage, match=said):
        true_mean_change(magnesium, plan, WAVE, level, outcome)


# --- Any instrument --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def gated_sample(gated: Instrument, tmp_path_factory: pytest.TempPathFactory) -> tuple[pl.DataFrame, SampleSummary]:
    out = tmp_path_factory.mktemp("gated") / "s.csv"
    summary = write_sample(gated, SamplePlan(), WAVE, ROWS, 5, out)
    return by_item(gated, out, ROWS), summary


def test_an_instrument_without_a_plan_gets_a_sample(gated_sample: tuple[pl.DataFrame, SampleSummary]) -> None:
    frame, summary = gated_sample
    takes = frame["takes"].str.strip_chars().str.to_lowercase() == "yes"
    assert set(frame.filter(~takes)["kind_taken"]) == {None}
    assert set(frame.filter(~takes)["amount"]) == {None}
    assert {"0", "0.5", "3.5", "4"} <= set(frame["mood"])
    assert {"One", "Two", "One, Two"} <= set(frame["tags"])
    assert frame["day"].str.contains(r"^2026-0[34]-\d\d$").any()
    assert set(summary.rows_excluded) == {"identical_row"}


def test_rows_without_a_required_answer_are_quarantined(gated_sample: tuple[pl.DataFrame, SampleSummary]) -> None:
    frame, summary = gated_sample
    blank = (frame["mood"].is_null() & first_of_its_kind(frame)).sum()
    assert 0 < blank == summary.rows_quarantined == summary.values_refused["mood"]["required_missing"]
    assert summary.rows == summary.rows_kept + summary.rows_quarantined + sum(summary.rows_excluded.values())


def test_a_question_before_the_form_is_part_of_the_truth(
    gated: Instrument, gated_sample: tuple[pl.DataFrame, SampleSummary]
) -> None:
    mood = pl.col("mood").str.strip_chars().cast(pl.Float64, strict=False)
    frame = gated_sample[0].with_columns(mood=mood, takes=pl.col("takes").str.strip_chars().str.to_lowercase())
    for level, gate in (("Takes none", "no"), (ALL_LEVELS, None)):
        mine = frame if gate is None else frame.filter(pl.col("takes") == gate)
        scores = mine["mood"].drop_nulls().to_numpy()
        truth = true_mean(gated, SamplePlan(), WAVE, level, "mood", "kind_taken")
        assert near(scores.mean(), truth, scores.std(), len(scores))
        good = true_responder_share(gated, SamplePlan(), WAVE, level, "mood", "good", "kind_taken")
        assert near((scores >= 3).sum() / len(scores), good, 0.5, len(scores))
    share = true_level_share(gated, SamplePlan(), WAVE, "Takes none", "kind_taken")
    assert near(share_of(frame["takes"] == "no"), share, 0.5, ROWS)
    assert true_level_share(gated, SamplePlan(), WAVE, "Takes none", "amount") == pytest.approx(share)


def test_every_shipped_or_test_instrument_can_be_sampled(tmp_path: Path) -> None:
    others = sorted((Path(__file__).parent / "instruments").glob("*.toml"))
    for path in (MAGNESIUM / "instrument.toml", *others):
        instrument = load_instrument(path)
        summary = write_sample(instrument, load_plan(path), WAVE, 200, 1, tmp_path / "s.csv")
        assert by_item(instrument, tmp_path / "s.csv", summary.rows).width >= len(instrument.items)
        assert summary.rows_kept > 150


def test_every_kind_of_item_is_written_under_a_plan_or_none(magnesium: Instrument, tmp_path: Path) -> None:
    write_sample(magnesium, SamplePlan(), WAVE, 2000, 1, tmp_path / "s.csv")
    frame = by_item(magnesium, tmp_path / "s.csv")
    assert {item.kind for item in magnesium.items.values()} >= set(Kind) - {Kind.DOSE}
    assert all(frame[name].null_count() < 2000 for name in frame.columns)


# --- Plans -----------------------------------------------------------------------------------------------------------


def test_a_plan_lies_beside_its_instrument(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "instrument.toml").write_text(GATED, encoding="utf-8")
    assert load_plan(tmp_path) == SamplePlan()
    (tmp_path / "sample.toml").write_text("[shares.kind_taken]\nred = 1", encoding="utf-8")
    assert load_plan(tmp_path / "instrument.toml").shares == {"kind_taken": {"red": 1}}
    assert load_plan("magnesium").shares["magnesium_form"]
    with pytest.raises(WrongUsage, match="Did you mean 'magnesium'"):
        load_plan("magnesum")


def test_the_shipped_plan_fits(magnesium: Instrument, plan: SamplePlan) -> None:
    assert not list(problems(plan, magnesium))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[shares.kind_takn]\nred = 1", "Did you mean 'kind_taken'"),
        ("[shares.kind_taken]\nrde = 1", "Did you mean 'red'"),
        ("[shares.amount]\nlots = 1", "invalid number 'lots'"),
        ("[shares.amount]\n11 = 1", "invalid number '11'"),
        ("[form_effect]\ngreen = 1", "'green'"),
        ("[dose_effect]\nfw = 1", "Did you mean 'few'"),
        ('[skipped]\nred = ["mod"]', "Did you mean 'mood'"),
        ("[courses.mod]\npull = 0", "Did you mean 'mood'"),
        ("[by_form.takes.red]\nyes = 1", "the form itself depends"),
        ('[mess]\nspare = ["tag"]', "Did you mean 'tags'"),
    ],
)
def test_a_plan_that_does_not_fit_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "instrument.toml").write_text(GATED, encoding="utf-8")
    (tmp_path / "sample.toml").write_text(text, encoding="utf-8")
    with pytest.raises(InputRefused) as refused:
        load_plan(tmp_path)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [("[mess]\nblnk = 0.1", "Did you mean 'blank'"), ("[mess]\nblank = 2", "mess.blank"), ("a = ", "not valid TOML")],
)
def test_a_plan_that_cannot_be_read_is_refused(text: str, said: str) -> None:
    with pytest.raises(InputRefused) as refused:
        parse_plan(text)
    assert said in str(refused.value)


@pytest.mark.parametrize("several_as", ["", 'several_as = "mix"\n'])
def test_a_form_of_which_several_may_be_ticked_is_sampled_and_read(several_as: str, tmp_path: Path) -> None:
    from club import CLUB, call

    text = CLUB.replace('kind = "choice"\nrole = "exposure"', 'kind = "choices"\nrole = "exposure"', 1)
    text = text.replace('several_as = "mix"\n', several_as, 1)
    place, export = tmp_path / "club.toml", tmp_path / "made.csv"
    place.write_text(text, encoding="utf-8")
    assert parse_instrument(text).items["form"].kind is Kind.CHOICES
    write_sample(parse_instrument(text), SamplePlan(mess=TIDY), "2026-01", 400, 1, export)
    said = call("run", export, "--instrument", place, "--wave", "2026-01", "--home", tmp_path, "--json")
    assert said.code == 0, said.err
    (read,) = said.document["exports"]
    assert read["rows_kept"] == 400 and read["values_refused"] == {}
    found = pl.read_csv(tmp_path / "reports" / "club" / "2026-01" / "tables" / "form_by_outcome.csv")
    shown = found.filter((pl.col("statistic") == "mean") & (pl.col("status") != "suppressed"))
    everybody = shown.filter(pl.col("level") == "all")["n_respondents"].item()
    levels = shown.filter(pl.col("level") != "all")["n_respondents"].sum()
    assert abs(levels - everybody) <= 15, "nobody is in two levels"

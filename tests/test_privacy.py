"""An attacker who holds a release and wants a count of fewer than ten people.

The attacker knows the instrument, the policy and every published row of every table, and writes all of it down as linear
constraints on the counts behind: rounding and printed digits are intervals, levels add up to everybody, options to those
who answered, means to sums on a bounded scale. For each small hidden count, linear programming then gives the least and the
most it can be. That interval must be no narrower than what the mark itself says: 1 to 9.

None of it uses the code that hides: what is checked is the release, whatever way it was made.
"""

import numpy as np
import polars as pl
import pytest
from attacker import MIN_N, POLICY, Attacker, Programme, attack
from builders import MUSIC_EXPORT, community, export_report, music, music_responses, people, scale, survey
from linked import diaries_of, linked_community, linked_survey
from scipy import stats

from survey_pipeline.assemble import make_release, stages_of
from survey_pipeline.coarsen import coarsen
from survey_pipeline.count import tally
from survey_pipeline.disclose import Links, disclose
from survey_pipeline.estimate import estimate
from survey_pipeline.instrument import Instrument
from survey_pipeline.person_weeks import diary_rows, diary_tally, levels_of_people
from survey_pipeline.release import Release

SURVEY = survey()
with_music = pytest.mark.skipif(not MUSIC_EXPORT.exists(), reason="the real survey is not at hand")


def released(answers: pl.DataFrame, instrument: Instrument) -> tuple[Release, pl.DataFrame]:
    """A release of these answers, and the exact estimates behind it."""
    counted = tally(answers, instrument)
    release = make_release(counted, instrument, POLICY, "2026-01", [export_report(answers.height, answers.height)])
    return release, estimate(counted, instrument, coarsen(counted, instrument, POLICY))


def naively(release: Release, exact: pl.DataFrame) -> Release:
    """The same release with only what is too small by itself hidden, and nothing to shield it."""
    return with_rows(release, pl.concat([disclose(exact[place], POLICY) for place in range(exact.height)]))


def with_rows(release: Release, rows: pl.DataFrame) -> Release:
    """The release with other rows."""
    words = [pl.lit("test_survey").alias("instrument"), pl.lit("2026-01").alias("wave"), pl.all()]
    return Release.model_validate(release.model_dump() | {"rows": list(rows.select(words).iter_rows(named=True))})


# --- The attacker is worth the name -------------------------------------------------------------------------------------


def test_the_attacker_finds_what_a_plain_filter_for_small_cells_gives_away() -> None:
    release, exact = released(community(80, 101, missing=0.04), SURVEY)
    found = attack(naively(release, exact), exact, SURVEY)
    given_away = [each for each in found if each.is_too_close]
    assert len(given_away) >= 4
    assert any(each.least >= 5 for each in given_away)
    assert any(each.most <= 7 for each in given_away)


def test_the_attacker_adds_and_subtracts() -> None:
    known = Programme()
    for key, n in (("total", 30), ("a", 20), ("b", 5)):
        known.unknown((key,), n, n)
    known.unknown(("c",))
    known.sums(("total",), [("a",), ("b",), ("c",)])
    known.no_more({("d",): 1, ("c",): -2})
    known.unknown(("d",), 3)
    assert known.interval({("c",): 1}) == (5, 5)
    assert known.interval({("d",): 1}) == (3, 10)
    assert known.interval({("d",): 1, ("c",): -1}) == (-2, 5)


# --- Nobody can be found ------------------------------------------------------------------------------------------------


@with_music
def test_in_the_real_survey_no_small_count_can_be_worked_out() -> None:
    release, exact = released(music_responses(), music())
    found = attack(release, exact, music())
    assert len(found) >= 20
    assert [each for each in found if each.is_too_close] == []


@with_music
def test_in_the_real_survey_the_rarest_genres_are_in_a_level_that_can_be_shown() -> None:
    answers = music_responses()
    release, _ = released(answers, music())
    sizes = dict(answers.group_by("favourite_genre").len().iter_rows())
    assert (sizes["latin"], sizes["gospel"]) == (3, 6)
    for level in release.levels["favourite_genre"]:
        assert sum(sizes.get(code, 0) for code in level.members) >= POLICY.min_n_for_statistics


QUICK = [(40, 1, 0.0), (80, 101, 0.04), (150, 100, 0.15), (300, 103, 0.15)]
MORE = [
    (600, 103, 0.04),
    *((n, seed, missing) for n in (60, 120, 240, 480) for seed in (1, 2, 3) for missing in (0.0, 0.05, 0.2)),
]
CASES = [*QUICK, *(pytest.param(*case, marks=pytest.mark.slow) for case in MORE)]


@pytest.mark.parametrize(("n", "seed", "missing"), CASES)
def test_in_an_invented_community_no_small_count_can_be_worked_out(n: int, seed: int, missing: float) -> None:
    release, exact = released(community(n, seed, missing), SURVEY)
    found = attack(release, exact, SURVEY)
    assert len(found) >= 5
    assert [each for each in found if each.is_too_close] == []


LEFT_OUT = [{"no_consent": 1}, {"no_consent": 9}, {"no_consent": 10, "empty_row": 2}, {"no_consent": 4, "empty_row": 4}]


@pytest.mark.parametrize("n", [100, 102, 103, 105, 109])
def test_rows_left_out_cannot_be_counted_from_the_answers_used(n: int) -> None:
    release, _ = released(community(n, 4), SURVEY)
    for left_out in LEFT_OUT:
        stages = stages_of([export_report(n + sum(left_out.values()), n, **left_out)], POLICY)
        known = Attacker(release.model_copy(update={"stages": stages}), SURVEY).known
        for stage, count in left_out.items():
            if count < MIN_N:
                least, most = known.interval({("stage", stage): 1})
                assert least <= 1 and most >= MIN_N - 1, left_out


def test_two_tables_of_one_exposure_do_not_shield_a_small_level_differently() -> None:
    # Five people left the dose out. Whichever band shields them, it is the same one in every row of every table.
    answers = community(200, 6, missing=0.0)
    some = pl.int_range(pl.len()) < 5
    answers = answers.with_columns(pl.when(~some).then("dose"), by_mouth=pl.lit("oral"))
    release, exact = released(answers, SURVEY)
    dose = release.frame().filter(pl.col("exposure") == "dose")
    hidden = dose.group_by("level").agg(pl.col("status").eq("suppressed").all())
    sizes = exact.filter(pl.col("exposure") == "dose").group_by("level").agg(pl.col("n_level").first())
    smallest = [level for level, _ in sizes.sort("n_level").iter_rows()][:2]
    assert smallest[0] == "Not stated"
    assert {level for level, gone in hidden.iter_rows() if gone} == set(smallest)
    assert not any(each.is_too_close for each in attack(release, exact, SURVEY))


# --- Linked tables ------------------------------------------------------------------------------------------------------


def linked() -> Instrument:
    """The survey with tables that say the same people's answers in other ways: crossed, of everybody, as counts, and along
    the whole responder curve.
    """
    described = SURVEY.model_dump(mode="json")
    described["items"]["pain"] |= {"responder_curve": [10, 20, 40, 60]}
    described["tables"] += [
        {
            "name": "form_by_sex_by_outcome",
            "title": "Both",
            "exposure": "form",
            "by": "sex",
            "outcomes": ["pain", "side"],
        },
        {"name": "everybodys_sides", "title": "Everybody", "outcomes": ["side", "effect"]},
        {"name": "stopped_counts", "title": "Counts", "exposure": "form", "outcomes": ["stopped"], "shows": "counts"},
    ]
    return Instrument.model_validate(described)


LINKED = linked()


@pytest.mark.parametrize(
    ("n", "seed", "missing"),
    [(100, 5, 0.0), *(pytest.param(*case, marks=pytest.mark.slow) for case in [(90, 3, 0.05), (400, 7, 0.1)])],
)
def test_linked_tables_do_not_give_each_other_away(n: int, seed: int, missing: float) -> None:
    release, exact = released(community(n, seed, missing), LINKED)
    found = attack(release, exact, LINKED)
    assert {each.about[0] for each in found} >= {"form", "form_by_sex"}
    assert [each for each in found if each.is_too_close] == []


def test_the_attacker_uses_the_links() -> None:
    release, exact = released(community(100, 5, 0.0), LINKED)
    given_away = [each for each in attack(naively(release, exact), exact, LINKED) if each.is_too_close]
    assert any(each.about[0] == "form_by_sex" for each in given_away)


def test_a_count_is_hidden_with_the_share_that_it_makes() -> None:
    # Of 40 who took oxide 4 stopped: neither the share in one table nor the count in another may say so.
    groups = [(4, "oxide", True), (36, "oxide", False), (30, "citrate", True), (40, "citrate", False)]
    groups += [(25, "malate", True), (30, "malate", False)]
    answers = people(LINKED, *((n, {"form": form, "stopped": said, "sex": "female"}) for n, form, said in groups))
    rows = disclose(estimate(tally(answers, LINKED), LINKED), POLICY)
    rows = rows.filter(pl.col("outcome") == "stopped", pl.col("exposure") == "form")
    shown = {(t, level): status != "suppressed" for t, level, status in rows.select("table", "level", "status").rows()}
    for level in rows["level"].unique():
        assert shown["form_by_side", level] == shown["stopped_counts", level], level
    assert not shown["stopped_counts", "Oxide"] and shown["stopped_counts", "Citrate"]


def test_who_left_the_form_out_is_not_counted_where_their_level_is_hidden() -> None:
    # Five took oxide, fifteen said nothing of the form: these shield those, here and among the questions left out.
    sizes = {"citrate": 60, "malate": 50, "oxide": 5, None: 15}
    answers = people(LINKED, *((n, {"form": form, "mood": float(1 + n % 7)}) for form, n in sizes.items()))
    instrument = survey(form=LINKED.items["form"].model_dump(mode="json") | {"groups": []})
    counted = tally(answers, instrument)
    rows = disclose(estimate(counted, instrument), POLICY)
    silent = rows.filter(pl.col("level") == "Not stated", pl.col("outcome").is_in(["mood", "respondents"]))
    silent = silent.filter(pl.col("exposure") == "form")
    gap = rows.filter(pl.col("outcome") == "form__left_out")
    assert set(silent["status"]) == {"suppressed"} and gap["status"].to_list() == ["suppressed"]


# --- Questions that hang together -----------------------------------------------------------------------------------------

TOGETHER = linked_survey()


def released_together(n: int, seed: int, missing: float, *, linked: bool = True) -> tuple[Release, pl.DataFrame]:
    """A release of people whose questions hang together; unless `linked`, hidden as if they did not."""
    answers = linked_community(n, seed, missing)
    counted = tally(answers, TOGETHER)
    people = levels_of_people(answers.lazy(), TOGETHER)
    diary = diary_tally(diaries_of(answers, seed), people, TOGETHER)
    release = make_release(counted, TOGETHER, POLICY, "2026-01", [export_report(n, n)], diary=diary)
    levels = coarsen(counted, TOGETHER, POLICY)
    exact = pl.concat([estimate(counted, TOGETHER, levels), diary_rows(diary, TOGETHER, levels)])
    return release if linked else with_rows(release, disclose(exact, POLICY)), exact


@pytest.mark.parametrize(
    ("n", "seed", "missing"),
    [
        (120, 2, 0.0),
        *(
            pytest.param(*case, marks=pytest.mark.slow)
            for case in [(60, 1, 0.05), (120, 3, 0.1), (250, 4, 0.05), (400, 5, 0.02)]
        ),
    ],
)
def test_questions_that_hang_together_do_not_give_each_other_away(n: int, seed: int, missing: float) -> None:
    release, exact = released_together(n, seed, missing)
    found = attack(release, exact, TOGETHER)
    assert len(found) >= 50
    assert [each for each in found if each.is_too_close] == []


def test_without_the_links_between_questions_small_counts_are_given_away() -> None:
    # Who takes citrate and swallows none is a cell of a crossing, and the people missing from the doses above a limit.
    release, exact = released_together(120, 2, 0.0, linked=False)
    given_away = [each for each in attack(release, exact, TOGETHER) if each.is_too_close]
    assert ("form_by_dose", "Citrate, no dose") in {each.about[:2] for each in given_away}


def test_a_release_is_made_with_the_links_between_its_questions() -> None:
    answers = linked_community(120, 2, 0.0)
    counted = tally(answers, TOGETHER)
    release = make_release(counted, TOGETHER, POLICY, "2026-01", [export_report(120, 120)])
    levels = coarsen(counted, TOGETHER, POLICY)
    exact = estimate(counted, TOGETHER, levels)
    hidden = disclose(exact, POLICY, links=Links(TOGETHER, levels))["status"] == "suppressed"
    made = release.frame()["status"][: exact.height] == "suppressed"
    assert made.filter(hidden).all()  # the proof may hide more


def test_whom_a_question_does_not_concern_cannot_be_counted() -> None:
    release, exact = released_together(120, 3, 0.1)
    chosen = [each for each in attack(release, exact, TOGETHER) if each.kind == "aside"]
    assert chosen, "there must be somebody to find"
    assert not any(each.is_too_close for each in chosen)


# --- What digits tell -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", range(20, 35))
def test_the_interval_of_a_mean_does_not_tell_n(n: int) -> None:
    # On a long scale an error has three digits, and the interval divided by it would tell n among those rounded alike.
    mood = np.random.default_rng(n).integers(0, 1001, n).astype(float)
    instrument = survey(mood=scale("Mood", minimum=0, maximum=1000))
    release, _ = released(people(instrument, *((1, {"form": "citrate", "mood": value}) for value in mood)), instrument)
    row = next(r for r in release.rows if (r.outcome, r.statistic, r.level) == ("mood", "mean", "all"))
    assert row.ci_upper is not None and row.ci_lower is not None and row.standard_error and row.n_respondents
    t, error = stats.t.ppf(0.975, row.n_respondents - 1), mood.std(ddof=1) / np.sqrt(n)
    assert abs((row.ci_upper - row.ci_lower) / 2 - t * error) <= 0.05 + 1e-6


def test_what_all_but_a_few_answered_is_not_told_by_a_mean() -> None:
    answers = people(SURVEY, (56, {"form": "citrate", "mood": 1.0}), (4, {"form": "malate", "mood": 7.0}))
    frame = released(answers, SURVEY)[0].frame().filter(pl.col("outcome") == "mood")
    assert set(frame["status"]) == {"suppressed"}


# --- Beside the numbers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["missing", "began at nothing"])
def test_neither_who_left_a_question_out_nor_who_began_at_nothing_can_be_counted(kind: str) -> None:
    release, exact = released(community(80, 101, missing=0.04), SURVEY)
    found = attack(release, exact, SURVEY)
    began_at_nothing = [each for each in found if each.about[3] == "baseline_zero" and each.kind == "events"]
    chosen = [each for each in found if each.kind == "missing"] if kind == "missing" else began_at_nothing
    assert chosen, "there must be somebody to find"
    assert not any(each.is_too_close for each in chosen)

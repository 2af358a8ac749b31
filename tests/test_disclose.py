"""Disclosing: what is hidden and what else goes with it, how the rest is rounded, and what each row says of itself.

Small tables give both sides of every boundary; random communities must keep the rules whatever they answer. Whether an
attacker could still work out what is hidden is the matter of `test_privacy`.
"""

from collections.abc import Mapping, Sequence

import polars as pl
import pytest
from builders import community, estimates, number, presence, share, survey
from hypothesis import given, settings
from hypothesis import strategies as st
from linked import linked_survey

from survey_pipeline.coarsen import coarsen
from survey_pipeline.count import tally
from survey_pipeline.disclose import (
    COULD_IMPROVE,
    Disclosure,
    Links,
    Sum,
    about_of,
    decimals_for,
    disclose,
    disclose_stages,
    narrowed,
    shown_count,
)
from survey_pipeline.disclose.rows import CONCERNED, told_gap, told_people
from survey_pipeline.disclose.sums import equals_of
from survey_pipeline.estimate import ESTIMATES_SCHEMA, estimate
from survey_pipeline.levels import Level, partitions_of
from survey_pipeline.levels import crossed as crossed_levels
from survey_pipeline.names import NUMBERS, TIDY_COLUMNS
from survey_pipeline.policy import round_count, rounding_range
from survey_pipeline.release import Policy

POLICY = Policy()
SURVEY = survey()
Row = Mapping[str, object]
Key = tuple[str, ...]


def published(*rows: Row) -> pl.DataFrame:
    return disclose(estimates(*rows), POLICY)


def hidden(*rows: Row) -> list[str]:
    """The levels (or, where there is one level only, the outcomes) of the rows that are hidden."""
    found = published(*rows).filter(pl.col("status") == "suppressed")
    name = "level" if published(*rows)["level"].n_unique() > 1 else "outcome"
    return found[name].to_list()


def is_shown(row: Row) -> bool:
    return published(row)["status"].to_list() != ["suppressed"]


# --- What is too small ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("k", "n", "shown"),
    [
        (9, 40, False),
        (10, 40, True),
        (30, 40, True),
        (31, 40, False),
        (0, 40, False),  # 0 % tells something about everybody
        (40, 40, False),  # so does 100 %
        (10, 20, True),
        (10, 19, False),
        (9, 19, False),
        (0, 0, False),
    ],
)
def test_a_share_needs_ten_people_on_both_sides(k: int, n: int, shown: bool) -> None:
    assert is_shown(share("all", k, n)) is shown


@pytest.mark.parametrize(
    ("n", "n_alike", "shown"),
    [
        (19, 1, False),
        (20, 1, True),
        (20, 10, True),
        (20, 11, False),  # too few gave another answer than most
        (500, 490, True),
        (500, 491, False),
        (500, 500, False),  # a mean of 0.0 with an error of 0.0 says what each of the 500 answered
    ],
)
@pytest.mark.parametrize("statistic", ["mean", "median", "mean_change"])
def test_a_mean_needs_twenty_people_and_ten_who_are_not_alike(
    n: int, n_alike: int, shown: bool, statistic: str
) -> None:
    assert is_shown(number("all", n, n_alike=n_alike, statistic=statistic)) is shown


@pytest.mark.parametrize(("n", "shown"), [(0, False), (9, False), (10, True)])
def test_the_number_of_answers_needs_ten(n: int, shown: bool) -> None:
    row = presence("all", n, n, "respondents") | {"statistic": "count", "n_events": None, "estimate": float(n)}
    assert is_shown(row) is shown


@pytest.mark.parametrize(
    ("n_level", "everybody", "shown"),
    [(9, 100, False), (10, 100, True), (90, 100, True), (91, 100, False), (15, 100, True)],
)
def test_who_answered_needs_ten_people_in_the_level_and_ten_elsewhere(
    n_level: int, everybody: int, shown: bool
) -> None:
    assert is_shown(presence("Citrate", n_level, everybody)) is shown


def test_that_everybody_answered_is_no_secret() -> None:
    assert is_shown(presence("all", 50, 50))


def test_what_is_disclosed_again_is_as_if_for_the_first_time() -> None:
    exact = estimates(share("small", 20, 60), share("middle", 30, 70), share("great", 40, 90))
    gone = about_of(exact.row(0, named=True))
    again = Disclosure(exact, POLICY)
    for also in ((), (gone,), ()):
        assert again.rows(also).equals(disclose(exact, POLICY, also=also), null_equal=True)
    assert again.rows((gone,))["status"][0] == "suppressed"
    assert again.rows()["status"][0] != "suppressed"


def test_a_hidden_row_holds_no_number() -> None:
    row = published(share("all", 3, 40, n_missing=20)).row(0, named=True)
    assert [row[name] for name in NUMBERS] == [None] * 6
    assert row["status"] == "suppressed"


# --- Hiding more: levels ----------------------------------------------------------------------------------------------


def test_one_small_level_takes_its_smallest_neighbour_with_it() -> None:
    table = [number("all", 98), number("Citrate", 50), number("Malate", 40), number("Oxide", 8)]
    assert hidden(*table) == ["Malate", "Oxide"]


def test_hidden_means_are_together_of_twenty_people() -> None:
    rest = [number("Citrate", 50), number("Malate", 40), number("Glycinate", 30)]
    assert hidden(number("all", 139), *rest, number("Oxide", 19)) == ["Glycinate", "Oxide"]
    assert hidden(number("all", 140), *rest, number("Oxide", 20)) == []
    two = [number("Oxide", 11), number("Mix", 11)]
    assert hidden(number("all", 142), *rest, *two) == ["Oxide", "Mix"]


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        # All [53, 57] less [28, 32] less [18, 22] leaves 0 to 11 for the small one: enough.
        ({"all": 54, "Citrate": 30, "Malate": 20, "Oxide": 4}, ["Oxide"]),
        # All [58, 62] less [28, 32] less [18, 22] leaves 4 to 16: the small one is at least 4.
        ({"all": 60, "Citrate": 32, "Malate": 20, "Oxide": 8}, ["Malate", "Oxide"]),
        # All [48, 52] less [28, 32] less [18, 22] leaves 0 to 6: the small one is at most 6.
        ({"all": 48, "Citrate": 28, "Malate": 18, "Oxide": 2}, ["Malate", "Oxide"]),
        # Nothing small, nothing hidden.
        ({"all": 70, "Citrate": 32, "Malate": 20, "Oxide": 18}, []),
    ],
)
def test_a_small_share_is_hidden_with_what_would_give_it_away(
    events: Mapping[str, int], expected: Sequence[str]
) -> None:
    n = {"all": 600, "Citrate": 200, "Malate": 200, "Oxide": 200}
    assert hidden(*(share(level, k, n[level]) for level, k in events.items())) == expected


def test_people_without_the_event_are_protected_like_those_with_it() -> None:
    # Published: 600 - 530 less 200 - 170 less 200 - 180 leaves 20 without the event, give or take 12. In truth it is 8.
    counts = {"all": (532, 598), "Citrate": (168, 202), "Malate": (178, 202), "Oxide": (186, 194)}
    left_out = {level: 30 if level == "all" else 10 for level in counts}
    rows = [share(level, k, n, n_missing=left_out[level]) for level, (k, n) in counts.items()]
    assert hidden(*rows) == ["Malate", "Oxide"]


def test_those_who_are_too_few_to_be_told_from_respondents_shield_people_without_the_event() -> None:
    # As nobody is missing, those asked are told and up to 9 fewer answered: at least 589 - 532 of all are without the event,
    # at most 202 - 168 of Citrate and 202 - 178 of Malate. That leaves nobody.
    counts = {"all": (532, 598), "Citrate": (168, 202), "Malate": (178, 202), "Oxide": (186, 194)}
    assert hidden(*(share(level, k, n) for level, (k, n) in counts.items())) == ["Oxide"]


def test_a_small_level_and_its_shield_are_hidden_in_every_table() -> None:
    sizes = {"all": 95, "Citrate": 50, "Malate": 40, "Oxide": 5}
    rows = [number(level, n) for level, n in sizes.items()]
    # By the shares alone, Citrate would be the smallest; then one table would show Malate and the other one Citrate.
    k = {"all": 31, "Citrate": 12, "Malate": 17, "Oxide": 2}
    rows += [share(level, k[level], n) for level, n in sizes.items()]
    rows += [presence(level, n, 95) for level, n in sizes.items()]
    found = published(*rows).group_by("level").agg((pl.col("status") == "suppressed").sum())
    assert dict(found.iter_rows()) == {"all": 0, "Citrate": 0, "Malate": 3, "Oxide": 3}


def test_a_level_of_nobody_hides_nothing_else() -> None:
    table = [number("all", 90), number("Citrate", 50), number("Malate", 40), number("None", 0, n_alike=0)]
    assert hidden(*table) == ["None"]


def test_a_hidden_total_shields_nothing_where_its_levels_are_shown() -> None:
    # Of everybody, 8 of 102 are worse: n [98, 102] less better [53, 57] less same [33, 37] would leave at least 4. Hiding
    # "same" of everybody is not enough: its levels, [13, 17] and [18, 22], leave at least 2. So that of a level goes too, and
    # with it what would tell it there.
    counts = {"all": (57, 37, 8), "Citrate": (28, 17, 4), "Malate": (29, 20, 4)}
    left_out = {"all": 20, "Citrate": 10, "Malate": 10}
    rows = [
        share(level, k, sum(three), outcome=f"effect__{option}", one_of="effect", n_missing=left_out[level])
        for level, three in counts.items()
        for option, k in zip(("better", "same", "worse"), three, strict=True)
    ]
    found = published(*rows).filter(pl.col("status") == "suppressed", pl.col("outcome") != "effect__worse")
    gone = [("all", "effect__same"), ("Citrate", "effect__better"), ("Citrate", "effect__same")]
    assert found.select("level", "outcome").rows() == gone


def test_a_number_that_many_rows_tell_goes_after_one_that_few_tell() -> None:
    # People [198, 202] less [118, 122] less [53, 57] less [13, 17] leaves 2 to 18: 2 or more of the 9 who did not answer.
    # The number of people stands beside all about everybody and about each sex, so the smallest option goes instead.
    three = {"better": 120, "same": 57, "worse": 14}
    effects = [share("all", k, 191, outcome=f"effect__{o}", one_of="effect", n_missing=9) for o, k in three.items()]
    sexes = [presence(level, n, 200, "sex") for level, n in {"all": 200, "Female": 120, "Male": 80}.items()]
    found = published(*effects, *sexes).filter(pl.col("status") == "suppressed")
    assert found["outcome"].to_list() == ["effect__worse"]


# --- Hiding more: options and thresholds ------------------------------------------------------------------------------


def options(counts: Mapping[str, int], n: int, of: str, n_missing: int) -> list[Row]:
    return [share("Citrate", k, n, outcome=name, n_missing=n_missing, **{of: "question"}) for name, k in counts.items()]


@pytest.mark.parametrize(
    ("counts", "n", "n_missing", "expected"),
    [
        # n [98, 102] less [58, 62] less [33, 37] leaves 0 to 11.
        ({"better": 58, "same": 33, "worse": 9}, 100, 10, ["worse"]),
        # n [98, 102] less [53, 57] less [33, 37] leaves 4 to 16.
        ({"better": 57, "same": 37, "worse": 8}, 102, 10, ["same", "worse"]),
        # Of [98, 102] who were asked up to 9 did not answer, so n [89, 102] leaves 0 to 16.
        ({"better": 57, "same": 37, "worse": 8}, 102, 0, ["worse"]),
        # Asked [103, 107], n [94, 107]: 0 to 21.
        ({"better": 57, "same": 37, "worse": 4}, 98, 9, ["worse"]),
        ({"better": 60, "same": 38, "worse": 10}, 108, 10, []),
    ],
)
def test_of_options_that_exclude_each_other_a_small_one_is_shielded(
    counts: Mapping[str, int], n: int, n_missing: int, expected: Sequence[str]
) -> None:
    assert hidden(*options(counts, n, "one_of", n_missing)) == expected


@pytest.mark.parametrize(
    ("counts", "n", "n_missing", "expected"),
    [
        # Everybody chose something: cramps are at least n [98, 102] less [53, 57] less [33, 37], so 4.
        ({"none": 57, "nausea": 37, "cramps": 8}, 102, 10, ["nausea", "cramps"]),
        # Asked [98, 102], so n [89, 102]: at least 0.
        ({"none": 57, "nausea": 37, "cramps": 8}, 102, 0, ["cramps"]),
        # Many chose several, so the others cover everybody without cramps.
        ({"none": 57, "nausea": 45, "cramps": 8}, 102, 10, ["cramps"]),
    ],
)
def test_of_options_chosen_together_a_small_one_is_shielded(
    counts: Mapping[str, int], n: int, n_missing: int, expected: Sequence[str]
) -> None:
    assert hidden(*options(counts, n, "some_of", n_missing)) == expected


def test_outcomes_of_different_questions_are_none_of_each_others_business() -> None:
    rows = [share("Citrate", k, 102, outcome=name) for name, k in (("a", 57), ("b", 37), ("c", 8))]
    assert hidden(*rows) == ["c"]


def test_a_higher_threshold_is_no_more_than_a_lower_one() -> None:
    # Of those who improved by half, Oxide is at least all [28, 32] less the most that improved by a third elsewhere.
    by_third = {"all": 64, "Citrate": 12, "Malate": 12, "Oxide": 40}
    by_half = {"all": 28, "Citrate": 9, "Malate": 10, "Oxide": 9}
    rows = [
        share(level, k, 200 if level != "all" else 600, outcome="pain", statistic=statistic, among=COULD_IMPROVE)
        for statistic, counts in (("responder_30", by_third), ("responder_50", by_half))
        for level, k in counts.items()
    ]
    found = published(*rows).filter(pl.col("status") == "suppressed")
    assert ("responder_30", "Citrate") in found.select("statistic", "level").rows()
    assert set(found.filter(pl.col("statistic") == "responder_50")["level"]) == {"Citrate", "Malate", "Oxide"}


def test_a_sum_of_one_part_gives_a_count_another_name() -> None:
    a, b, c, d, e = ((name,) for name in ("a", "b", "c", "d", "e"))
    same = [Sum(a, (b,)), Sum(c, (b,)), Sum(d, (b,), or_more=True), Sum(e, (a, b))]
    assert equals_of({a}, same) == equals_of({c}, same) == {a, b, c}
    assert equals_of({d}, same) == {d}


def test_sums_narrow_each_other() -> None:
    total, a, b, c, d = ((name,) for name in ("total", "a", "b", "c", "d"))
    found = narrowed({total: (10, 10), a: (4, 6), d: (1, 1)}, [Sum(total, (a, b)), Sum(b, (c, d))])
    assert found == {total: (10, 10), a: (4, 6), b: (4, 6), c: (3, 5), d: (1, 1)}


def test_a_sum_of_overlapping_parts_narrows_from_below_and_each_part_stays_within_it() -> None:
    total, a, b = ((name,) for name in ("total", "a", "b"))
    overlapping = [Sum(total, (a, b), or_more=True)]
    found = narrowed({total: (10, 12), a: (3, 4)}, overlapping)
    assert found == {total: (10, 12), a: (3, 4), b: (6, 12)}
    # Parts that overlap may be more than the total: here five people are in both.
    found = narrowed({total: (5, 20), a: (5, 6), b: (5, 7)}, overlapping)
    assert found == {total: (5, 13), a: (5, 6), b: (5, 7)}


# --- Other statistics -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("statistic", ["quartile_1", "quartile_3", "standardised_change", "person_week_mean"])
@pytest.mark.parametrize(("n", "n_alike", "shown"), [(19, 1, False), (20, 10, True), (20, 11, False)])
def test_other_numbers_obey_the_rules_of_means(statistic: str, n: int, n_alike: int, shown: bool) -> None:
    assert is_shown(number("all", n, n_alike=n_alike, statistic=statistic)) is shown


@pytest.mark.parametrize(
    ("k", "n", "estimate"), [(9, 40, None), (10, 40, 10.0), (13, 28, 15.0), (30, 40, 30.0), (31, 40, None)]
)
def test_a_count_is_shown_like_a_share_and_rounded(k: int, n: int, estimate: float | None) -> None:
    row = published(share("all", k, n, statistic="count", estimate=float(k))).row(0, named=True)
    assert row["estimate"] == estimate
    assert row["standard_error"] is row["ci_lower"] is row["ci_upper"] is None


def test_a_count_and_a_share_of_the_same_people_go_together() -> None:
    # As a share Malate is hidden to shield Oxide; the count in another table would undo that.
    events = {"all": 60, "Citrate": 32, "Malate": 20, "Oxide": 8}
    n = {"all": 600, "Citrate": 200, "Malate": 200, "Oxide": 200}
    rows = [share(level, k, n[level]) for level, k in events.items()]
    rows += [share(level, k, n[level], table="counts", statistic="count") for level, k in events.items()]
    found = published(*rows).filter(pl.col("status") == "suppressed")
    assert found.select("table", "level").rows() == [
        (table, level) for table in ("form_by_outcome", "counts") for level in ("Malate", "Oxide")
    ]


def test_points_of_the_responder_curve_are_as_nested_as_thresholds() -> None:
    # All but 8 of those who got 20 % better got 10 % better at least: 8 is told by neither point.
    by_tenth = {"all": 64, "Citrate": 12, "Malate": 12, "Oxide": 40}
    by_half = {"all": 28, "Citrate": 9, "Malate": 10, "Oxide": 9}
    rows = [
        share(level, k, 200 if level != "all" else 600, outcome="pain", statistic=statistic, among=COULD_IMPROVE)
        for statistic, counts in (("improved_10", by_tenth), ("responder_50", by_half))
        for level, k in counts.items()
    ]
    found = published(*rows).filter(pl.col("status") == "suppressed")
    assert ("improved_10", "Citrate") in found.select("statistic", "level").rows()
    assert set(found.filter(pl.col("statistic") == "responder_50")["level"]) == {"Citrate", "Malate", "Oxide"}


def band(level: str, n: int, **more: object) -> dict[str, object]:
    """What would be expected anyway beside the mean change of a level, by the mean of those who took none."""
    words = {"statistic": "mean_change_anyway", "standard_error": None, "usual_of": ["form", "None"]}
    return number(level, n, **{**words, "estimate": -0.456, "ci_lower": -0.987, "ci_upper": 0.004, **more})


@pytest.mark.parametrize(
    ("n", "none_alike", "shown"),
    [
        ({"Citrate": 40, "None": 40}, 10, ["Citrate", "None"]),
        ({"Citrate": 19, "Malate": 40, "None": 60}, 10, ["None"]),  # the change beside it is hidden, and its shield's
        ({"Citrate": 40, "None": 40}, 31, []),  # the mean that people are expected to return to is hidden
    ],
)
def test_a_band_goes_with_its_change_and_with_the_usual_mean(
    n: Mapping[str, int], none_alike: int, shown: Sequence[str]
) -> None:
    rows = [number("None", n["None"], n_alike=none_alike)]
    rows += [number(level, size, statistic="mean_change") for level, size in n.items()]
    rows += [band(level, size, n_alike=0) for level, size in n.items()]
    found = published(*rows).filter(pl.col("statistic") == "mean_change_anyway")
    assert found.filter(pl.col("status") != "suppressed")["level"].to_list() == shown


@pytest.mark.parametrize(
    ("n", "statistic", "told"),
    [
        (197, "mean_change_anyway", (-0.5, None, -1.0, 0.0)),  # as exact as the change beside it
        (200, "mean_change_anyway", (-0.46, None, -0.99, 0.0)),
        (40, "responder_30_anyway", (-0.46, None, -0.99, 0.0)),  # a share: always in whole per cents
    ],
)
def test_a_band_is_told_as_exactly_as_what_it_stands_beside(
    n: int, statistic: str, told: tuple[float | None, ...]
) -> None:
    of = statistic.removesuffix("_anyway")
    beside = number("Citrate", n, statistic=of) if of == "mean_change" else share("Citrate", n // 2, n, statistic=of)
    row = published(beside, number("None", 40), band("Citrate", n, statistic=statistic))
    assert row.filter(pl.col("statistic") == statistic).select(NUMBERS[:4]).row(0) == told


def test_the_interval_of_a_standardised_change_is_that_of_its_rounded_n() -> None:
    numbers = {"estimate": 0.5, "standard_error": 0.2, "ci_lower": 0.1, "ci_upper": 0.92}
    row = published(number("all", 27, statistic="standardised_change", **numbers)).row(0, named=True)
    wider = (27 / 25) ** 0.5
    expected = (0.5, 0.2 * wider, 0.5 - 0.4 * wider, 0.5 + 0.42 * wider)
    assert [row[name] for name in NUMBERS[:4]] == [round(value, 2) for value in expected]


def test_a_weighted_share_is_told_in_whole_per_cents() -> None:
    row = published(share("all", 40, 100, n_effective=80.0, estimate=0.43219)).row(0, named=True)
    assert (row["estimate"], row["n_respondents"]) == (0.43, 100)


# --- Crossings --------------------------------------------------------------------------------------------------------


def crossed(counts: Mapping[tuple[str, str], int]) -> list[Row]:
    """Presence of people by two questions and by both, each half of them with an event."""
    rows: list[Row] = []
    for side, exposure in enumerate(("form", "sex")):
        for level in dict.fromkeys(key[side] for key in counts):
            n = sum(size for key, size in counts.items() if key[side] == level)
            rows.append(share(level, n // 2, n, exposure=exposure, table=exposure))
    for (form, sex), n in counts.items():
        sides = [["form", form], ["sex", sex]]
        rows.append(share(f"{form}, {sex}", n // 2, n, exposure="both", table="both", part_of=sides))
    return rows


def test_a_small_cell_of_a_crossing_takes_others_of_its_row_and_column_with_it() -> None:
    # Four men took oxide: with the other cells shown, form and sex would tell them.
    cells = {("Citrate", "female"): 90, ("Citrate", "male"): 60, ("Malate", "female"): 80, ("Malate", "male"): 50}
    cells |= {("Oxide", "female"): 70, ("Oxide", "male"): 4}
    found = published(*crossed(cells)).filter(pl.col("status") == "suppressed")
    gone = set(found.filter(pl.col("exposure") == "both")["level"])
    assert "Oxide, male" in gone
    assert "Oxide, female" in gone  # its row
    assert gone & {"Citrate, male", "Malate, male"}  # its column
    assert found.filter(pl.col("exposure") != "both").is_empty()


def test_a_crossing_of_large_cells_hides_nothing() -> None:
    cells = {(form, sex): 60 for form in ("Citrate", "Malate") for sex in ("female", "male")}
    assert "suppressed" not in published(*crossed(cells))["status"]


def test_levels_that_were_merged_differently_add_up_together() -> None:
    total, a, b, c, d = ((name,) for name in ("together", "a", "b", "c", "d"))
    found = narrowed({a: (20, 20), b: (10, 12), c: (25, 25)}, [Sum(total, (a, b)), Sum(total, (c, d))])
    assert found[d] == (5, 7)


# --- Questions that hang together ---------------------------------------------------------------------------------------


TOGETHER = linked_survey()
ANYTHING = (0, 10**12)


def linked_sums(levels: Mapping[str, Sequence[Level]], *rows: Row) -> list[Sum]:
    return Links(TOGETHER, levels).sums([dict(row) for row in rows])


def limit(level: str, k: int, n: int, outcome: str = "dose__above_eu", **more: object) -> dict[str, object]:
    return share(level, k, n, outcome=outcome, is_conditional=True, **more)


def told(
    rows: Sequence[Row], levels: Mapping[str, Sequence[Level]], **known: tuple[int, int]
) -> dict[str, tuple[int, int]]:
    """What can be told of the events of each row's outcome from what is known of others' by the links alone."""
    keys = {str(row["outcome"]): ("all", str(row["outcome"]), "share", "events") for row in rows}
    found = narrowed({keys[name]: range_ for name, range_ in known.items()}, linked_sums(levels, *rows))
    return {name: found.get(key, ANYTHING) for name, key in keys.items()}


def test_who_is_above_a_limit_is_above_a_lower_one() -> None:
    rows = [limit("all", 30, 90), limit("all", 8, 90, "dose__above_us")]
    assert told(rows, {}, dose__above_eu=(28, 32))["dose__above_us"] == (0, 32)
    assert told(rows, {}, dose__above_us=(10, 12))["dose__above_eu"][0] == 10


def test_who_is_above_a_limit_under_a_reading_is_so_under_the_worst_case() -> None:
    worst = "dose__above_eu__worst_case"
    rows = [limit("all", 30, 90, f"dose__above_eu__{how}") for how in ("compound", "label_elemental", "worst_case")]
    rows.append(limit("all", 20, 90))
    assert told(rows, {}, **{worst: (28, 32)}) == {
        "dose__above_eu__compound": (0, 32),
        "dose__above_eu__label_elemental": (0, 32),
        worst: (28, 32),
        "dose__above_eu": ANYTHING,  # the words may say less than the number
    }


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [("dose__above_eu", (16, 21)), ("dose__above_us", (11, 11))],
)
def test_people_above_a_limit_are_those_in_the_bands_above_it(outcome: str, expected: tuple[int, int]) -> None:
    # Bands end at 250 and 350: all of the higher bands are above, however they were merged.
    levels = partitions_of(TOGETHER, "dose")[0]
    rows = [limit("all", 20, 90, outcome)]
    sizes = {"Up to 250": (50, 52), "250 to 350": (5, 10), "Over 350": (11, 11)}
    known: dict[Key, tuple[int, int]] = {("dose", label, "people"): size for label, size in sizes.items()}
    found = narrowed(known, linked_sums({"dose": levels}, *rows))
    assert found["all", outcome, "share", "events"] == expected


def test_people_whom_a_question_does_not_concern_are_a_level_of_another() -> None:
    # Why people stopped concerns those who stopped, and those who did not say what they take.
    codes = ("citrate", "stopped", "not_stated")
    levels = [Level(code=code, label=code, members=(code,)) for code in codes]
    row = share("all", 10, 20, outcome="why__side", some_of="why", is_conditional=True)
    known: dict[Key, tuple[int, int]] = {("form", "citrate", "people"): (40, 42)}
    found = narrowed(known, linked_sums({"form": levels}, row))
    assert found["all", "why", "not concerned"] == (40, 42)


@pytest.mark.parametrize(
    ("level", "expected"), [("citrate", (0, 0)), ("nothing", (7, 7)), ("citrate or nothing", (0, 12))]
)
def test_a_level_of_the_deciding_question_says_whom_another_concerns(level: str, expected: tuple[int, int]) -> None:
    members = tuple(level.split(" or "))
    levels = {"form": [Level(code="level", label=level, members=members)]}
    row = share(level, 3, 12, outcome="over", is_conditional=True)
    known: dict[Key, tuple[int, int]] = {("form", level, "people"): (7, 7) if level == "nothing" else (10, 12)}
    assert narrowed(known, linked_sums(levels, row))["form", level, "over", "not concerned"] == expected


def test_who_swallows_none_is_the_same_in_all_questions_about_the_dose() -> None:
    found = []
    for exposure in ("dose", "split", "slowly"):
        levels = {exposure: [Level(code="not_applicable", label="No dose", members=("not_applicable",))]}
        row = share("all", 30, 90, outcome="dose__above_eu", is_conditional=True)
        known: dict[Key, tuple[int, int]] = {(exposure, "No dose", "people"): (4, 8)}
        found.append(narrowed(known, linked_sums(levels, row))["all", "dose__above_eu", "not concerned"])
    assert found == [(4, 8)] * 3


def test_a_cell_of_a_crossing_tells_whom_a_question_does_not_concern() -> None:
    forms, doses = (partitions_of(TOGETHER, name)[0] for name in ("form", "dose"))
    levels = {"form": forms, "dose": doses, "form_by_dose": crossed_levels(forms, doses)}
    row = limit("Citrate", 20, 40)
    known: dict[Key, tuple[int, int]] = {("form_by_dose", "Citrate, no dose", "people"): (4, 8)}
    found = narrowed(known, linked_sums(levels, row))
    assert found["form", "Citrate", "dose__above_eu", "not concerned"] == (4, 8)


def test_an_option_that_excludes_all_others_leaves_no_more_to_them() -> None:
    rows = [
        share("all", k, 60, outcome=f"drugs__{option}", some_of="drugs")
        for option, k in (("none", 50), ("pressure", 8))
    ]
    known: dict[Key, tuple[int, int]] = {("all", "drugs__none", "share", "others"): (10, 12)}
    assert narrowed(known, linked_sums({}, *rows))["all", "drugs__pressure", "share", "events"] == (0, 12)


def test_a_small_cell_is_not_told_by_who_has_a_dose() -> None:
    # Of 43 to 47 who take citrate 33 to 37 told a dose and, as no level says so, none left it out: 6 or more swallow none.
    forms, (*doses, _not_stated) = (partitions_of(TOGETHER, name)[0] for name in ("form", "dose"))
    levels = {"form": forms, "dose": doses, "form_by_dose": crossed_levels(forms, doses)}
    rows = [presence("Citrate", 45, 120), limit("Citrate", 15, 36, n_level=45)]
    for dose, n in {"Up to 250": 18, "Over 350": 18, "No dose": 9}.items():
        cell = f"Citrate, {dose[0].lower()}{dose[1:]}"
        sides = [["form", "Citrate"], ["dose", dose]]
        rows.append(number(cell, n, exposure="form_by_dose", table="both", part_of=sides))
    by_itself = disclose(estimates(*rows), POLICY)
    assert by_itself["status"].is_in(["suppressed"]).to_list() == [False, False, True, True, True]
    assert disclose(estimates(*rows), POLICY, links=Links(TOGETHER, levels))["status"][1] == "suppressed"


def test_a_small_level_of_those_not_concerned_takes_no_row_with_it_that_says_no_more_than_its_mark() -> None:
    # 80 of 86 told a dose, and 6 swallow none: beside the share stands that these are fewer than 10, as their level says.
    levels = {"dose": partitions_of(TOGETHER, "dose")[0]}
    sizes = {"all": 86, "Up to 250": 40, "250 to 350": 18, "Over 350": 22, "No dose": 6}
    rows = [limit("all", 40, 80, n_level=86), *(presence(level, n, 86, "dose") for level, n in sizes.items())]
    found = disclose(estimates(*rows), POLICY, links=Links(TOGETHER, levels))
    gone = found.filter(pl.col("status") == "suppressed")
    assert gone.select("level", "outcome").rows() == [("250 to 350", "respondents"), ("No dose", "respondents")]


# --- Quartiles ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("k", "n", "shown"),
    [
        (7, 30, False),
        (9, 400, False),
        (21, 30, False),  # all but 9
        (0, 30, False),
        (10, 30, True),  # not hidden, so nothing to tell
        (20, 30, True),
    ],
)
def test_a_quartile_does_not_tell_who_reached_a_threshold(k: int, n: int, shown: bool) -> None:
    rows = [number("all", n, outcome="mood", statistic=name) for name in ("mean", "median", "quartile_1", "quartile_3")]
    rows.append(share("all", k, n, outcome="mood", statistic="much_better"))
    status = dict(published(*rows).select("statistic", "status").iter_rows())
    assert (status["quartile_1"] != "suppressed") is (status["quartile_3"] != "suppressed") is shown
    assert "suppressed" not in (status["mean"], status["median"])


# --- Questions left out -----------------------------------------------------------------------------------------------


def left_out(k: int, n: int) -> dict[str, object]:
    words = {"table": "item_nonresponse", "exposure": "everybody", "outcome": "pain__left_out", "among": "concerned"}
    return share("all", k, n, gap_of="pain", **words)


@pytest.mark.parametrize(("k", "shown"), [(1, False), (9, False), (10, True)])
def test_how_many_left_a_question_out_is_told_from_ten(k: int, shown: bool) -> None:
    rows = published(number("all", 100 - k, n_missing=k, n_level=100), left_out(k, 100))
    gap = rows.filter(pl.col("table") == "item_nonresponse").row(0, named=True)
    assert (gap["status"] != "suppressed") is shown
    assert rows["status"][0] != "suppressed"  # the estimates stay: they say as much of who is missing by themselves
    assert (rows["n_missing"][0] is not None) is shown


# --- Diaries ----------------------------------------------------------------------------------------------------------


def test_who_keeps_no_diary_is_not_missing_in_it() -> None:
    # 40 of 100 keep one. Were the others taken for missing, of whom there are none, the small level would seem narrow.
    sizes = {"all": (40, 100), "Citrate": (22, 50), "Malate": (14, 42), "Oxide": (4, 8)}
    rows = [
        number(level, n, statistic="person_week_mean", among="keeps_diary", n_level=m)
        for level, (n, m) in sizes.items()
    ]
    rows += [share(level, k, n, outcome="diary_kept", among="everybody", n_level=n) for level, (k, n) in sizes.items()]
    found = published(*rows).filter(pl.col("status") != "suppressed").select("outcome", "level").rows()
    assert ("diary_kept", "all") in found and ("pain", "all") in found
    assert not [level for _, level in found if level == "Oxide"]


# --- Rounding ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "rounded"), [(0, 0), (10, 10), (12, 10), (13, 15), (17, 15), (18, 20), (22, 20), (23, 25), (1002, 1000)]
)
def test_counts_are_rounded_to_fives(count: int, rounded: int) -> None:
    assert round_count(count, POLICY) == rounded
    least, most = rounding_range(rounded, POLICY)
    assert least <= count <= most


@given(st.integers(0, 10_000), st.integers(1, 20), st.integers(1, 30))
@settings(max_examples=300)
def test_a_rounded_count_could_be_just_what_its_range_says(count: int, base: int, min_n: int) -> None:
    policy = Policy(min_n=min_n, min_n_for_statistics=max(20, min_n), rounding_base=base)
    least, most = rounding_range(round_count(count, policy), policy)
    alike = [n for n in range(max(0, count - 50), count + 50) if round_count(n, policy) == round_count(count, policy)]
    if round_count(count, policy):
        assert (least, most) == (max(min_n, min(alike)), max(alike))


@pytest.mark.parametrize(("missing", "shown"), [(0, None), (1, None), (9, None), (10, 10), (12, 10), (13, 15)])
def test_people_missing_are_told_from_ten(missing: int, shown: int | None) -> None:
    assert shown_count(missing, POLICY) == shown
    assert published(number("all", 50, n_missing=missing))["n_missing"].to_list() == [shown]


# --- How many people are told -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("missing", "unconcerned", "people", "gap"),
    [
        (0, 0, 40, 0),
        (9, 0, 49, 0),  # 49 were asked, and fewer than 10 of them did not answer
        (10, 0, 40, 10),
        (0, 9, 49, 0),  # nor are those whom the question does not concern told while they are few
        (0, 10, 40, 0),
        (5, 4, 49, 0),
        (5, 5, 40, 10),  # both few, and together enough to be told as one number
        (9, 9, 40, 18),
        (10, 9, 40, 19),
        (9, 10, 49, 0),
        (10, 10, 40, 10),
    ],
)
def test_few_who_did_not_answer_are_told_with_those_who_did(
    missing: int, unconcerned: int, people: int, gap: int
) -> None:
    row = number("all", 40, n_missing=missing, n_level=40 + missing + unconcerned)
    assert (told_people(row, POLICY), told_gap(row, POLICY)) == (people, gap)


@pytest.mark.parametrize(("unconcerned", "people"), [(0, 40), (9, 49), (10, 40)])
def test_few_whom_a_question_does_not_concern_are_told_with_those_who_could_leave_it_out(
    unconcerned: int, people: int
) -> None:
    assert told_people(share("all", 15, 40, among=CONCERNED, n_level=40 + unconcerned), POLICY) == people


@pytest.mark.parametrize(
    ("at_nothing", "missing", "people", "gap"),
    [
        (9, 0, 49, 0),
        (10, 0, 40, 0),
        (9, 9, 58, 0),  # all who were asked
        (10, 9, 49, 0),  # all but those who began at 0, who are told
        (9, 10, 49, 10),  # all with both answers
        (10, 10, 40, 10),
    ],
)
def test_few_who_began_at_nothing_are_told_with_those_who_could_improve(
    at_nothing: int, missing: int, people: int, gap: int
) -> None:
    level = 40 + at_nothing + missing
    row = share("all", 20, 40, among=COULD_IMPROVE, n_aside=at_nothing, n_missing=missing, n_level=level)
    assert (told_people(row, POLICY), told_gap(row, POLICY)) == (people, gap)


@pytest.mark.parametrize(
    ("before", "now", "missing", "unconcerned", "people", "gap"),
    [
        (9, 9, 9, 0, 49, 0),  # the same 9 left out both
        (5, 4, 9, 0, 49, 0),
        (5, 5, 10, 0, 40, 10),  # few left out the one and few the other, but 10 people or more one of them:
        (9, 9, 18, 0, 48, 10),  # that these are 10 or more is all that is told
        (9, 10, 10, 0, 40, 10),
        (9, 10, 15, 0, 45, 10),  # who answered now is told, not how many of these did not before
        (10, 9, 15, 0, 45, 10),
        (9, 30, 35, 0, 45, 30),
        (10, 10, 10, 0, 40, 10),
        (10, 10, 20, 0, 40, 20),  # each is told by itself, and so is how many left out either
        (6, 5, 11, 3, 44, 10),  # with 3 whom the questions do not concern, both still are few
        (6, 5, 11, 4, 45, 10),  # with 4, those before are told
        (6, 5, 11, 9, 40, 20),
        (6, 5, 11, 10, 41, 10),  # and 10 count with neither
        (5, 4, 9, 10, 49, 0),
    ],
)
def test_few_who_left_out_one_of_two_questions_are_not_told_by_those_who_left_out_either(
    before: int, now: int, missing: int, unconcerned: int, people: int, gap: int
) -> None:
    gaps = {"n_missing": missing, "n_missing_before": before, "n_missing_now": now}
    words = {"statistic": "mean_change", "among": "answered_both", "n_level": 40 + missing + unconcerned}
    row = number("all", 40, **gaps, **words)
    assert (told_people(row, POLICY), told_gap(row, POLICY)) == (people, gap)


def test_what_is_told_stands_beside_the_estimate() -> None:
    few, enough = (published(number("all", 41, n_missing=n)).row(0, named=True) for n in (9, 10))
    assert (few["n_respondents"], few["n_missing"]) == (50, None)
    assert (enough["n_respondents"], enough["n_missing"]) == (40, 10)


@pytest.mark.parametrize(
    ("k", "n", "estimate", "n_published"),
    [(10, 20, 0.5, 20), (12, 28, 0.3333, 30), (13, 28, 0.5, 30), (22, 32, 0.6667, 30), (18, 28, 0.6667, 30)],
)
def test_a_share_is_made_of_rounded_counts(k: int, n: int, estimate: float, n_published: int) -> None:
    row = published(share("all", k, n)).row(0, named=True)
    assert (row["estimate"], row["n_respondents"]) == (estimate, n_published)


@pytest.mark.parametrize(
    ("n", "decimals"), [(0, 0), (1, 0), (2, 0), (19, 0), (20, 1), (199, 1), (200, 2), (1_000_000, 2)]
)
def test_decimals_that_n_supports(n: int, decimals: int) -> None:
    assert decimals_for(n) == decimals


def test_a_mean_is_told_in_as_many_decimals_as_its_rounded_n_supports() -> None:
    few, many = published(number("all", 25)), published(number("all", 198))
    assert few.select(NUMBERS[:4]).row(0) == (5.0, 0.52, 4.0, 6.1)  # an error has two digits that count
    assert many.select(NUMBERS[:4]).row(0) == (5.04, 0.52, 4.01, 6.07)  # with t of 199 degrees of freedom
    assert (few["n_respondents"][0], many["n_respondents"][0]) == (25, 200)


def test_a_mean_just_below_nothing_is_not_minus_nothing() -> None:
    row = published(number("all", 25, estimate=-0.01)).row(0, named=True)
    assert str(row["estimate"]) == "0.0"


# --- What a row says of itself ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "status"),
    [
        (number("all", 30), "ok"),
        (number("all", 27), "unreliable"),  # published as 25
        (number("all", 28), "ok"),  # published as 30
        (number("all", 30, merged=True), "merged"),
        (number("all", 20, merged=True), "unreliable"),
        (share("all", 200, 1000), "ok"),
        (share("all", 15, 30), "unreliable"),  # 0.33 to 0.67 is too wide
        (share("all", 10, 1000), "ok"),  # 0.5 % to 1.8 %: wide beside 1 %, but not wide
        (share("all", 10, 100), "ok"),
        (share("all", 10, 60), "ok"),
        (share("all", 10, 200), "unreliable"),  # 2.4 % to 9.0 %: wide, and 1.3 times the share
        (share("all", 15, 200), "ok"),
        (number("all", 5), "suppressed"),
        (number("all", 5, merged=True), "suppressed"),
        (number("all", 0, not_asked=True, estimate=None), "not_asked"),
    ],
)
def test_the_status_is_the_strongest_word(row: Row, status: str) -> None:
    assert published(row)["status"].to_list() == [status]


@pytest.mark.parametrize(
    ("row", "status"),
    [
        (number("all", 100, span=10.0, standard_error=0.75), "ok"),  # 2.98 wide on a scale of 10
        (number("all", 100, span=10.0, standard_error=0.85), "unreliable"),
        (number("all", 100, span=None, standard_error=0.85), "ok"),
        (number("all", 100, span=10.0, standard_error=0.85, statistic="median"), "ok"),
        (number("all", 100, n_effective=30.0), "ok"),
        (number("all", 100, n_effective=29.9), "unreliable"),
        (share("all", 12, 25, statistic="count", outcome="kidney"), "ok"),  # a count is what it is
    ],
)
def test_what_is_unreliable(row: Row, status: str) -> None:
    assert published(row)["status"].to_list() == [status]


# --- Corrections ------------------------------------------------------------------------------------------------------


def test_what_was_hidden_stays_hidden_in_a_correction() -> None:
    before = [share("Citrate", 9, 40), share("Malate", 20, 40)]
    after = [share("Citrate", 11, 40), share("Malate", 20, 40)]
    first = disclose(estimates(*before), POLICY)
    ledger = first.select(pl.lit("test").alias("instrument"), pl.lit("2026-01").alias("wave"), pl.all())
    assert hidden(*after) == []
    second = disclose(estimates(*after), POLICY, ledger)
    assert second["status"].to_list()[0] == "suppressed"
    assert second["status"].to_list()[1] != "suppressed"


# --- Numbers at each stage --------------------------------------------------------------------------------------------


def stages(read: int, **parts: int) -> dict[str, int | None]:
    """What is published of so many rows read and where they went; None is hidden."""
    found = disclose_stages(read, [(stage, stage, n) for stage, n in parts.items()], POLICY)
    assert all((stage.n is None) == stage.hidden for stage in found)
    return {stage.stage: stage.n for stage in found}


def test_stages_add_up_where_nothing_is_small() -> None:
    assert stages(100, no_consent=0, rows_kept=100) == {"rows_read": 100, "no_consent": 0, "rows_kept": 100}
    assert stages(110, no_consent=13, rows_kept=97) == {"rows_read": 110, "no_consent": 15, "rows_kept": 95}


def test_a_part_that_gives_a_small_one_away_is_hidden() -> None:
    found = stages(107, no_consent=2, identical_row=10, rows_kept=95)
    assert found == {"rows_read": 105, "no_consent": None, "identical_row": None, "rows_kept": 95}
    found = stages(140, no_consent=2, identical_row=10, empty_row=33, rows_kept=95)
    assert found == {"rows_read": 140, "no_consent": None, "identical_row": None, "empty_row": 35, "rows_kept": 95}


def test_where_parts_cannot_shield_a_small_one_the_rows_read_are_hidden() -> None:
    # The answers used stand beside every estimate, so hiding them here would not help.
    assert stages(97, no_consent=2, rows_kept=95) == {"rows_read": None, "no_consent": None, "rows_kept": 95}
    assert stages(104, no_consent=9, rows_kept=95) == {"rows_read": None, "no_consent": None, "rows_kept": 95}


@settings(max_examples=300)
@given(st.lists(st.integers(0, 40), min_size=1, max_size=4), st.integers(10, 300))
def test_no_stage_can_be_told_more_closely_than_its_mark(parts: list[int], kept: int) -> None:
    counts = {f"part_{place}": n for place, n in enumerate(parts)}
    found = stages(sum(parts) + kept, **counts, rows_kept=kept)
    assert found["rows_kept"] is not None
    assert all(n is None or n == 0 or n >= 10 for n in found.values())
    known = {stage: (0, 10_000) if n is None else rounding_range(n, POLICY) for stage, n in found.items()}
    for stage, n in counts.items():
        if found[stage] is None and n < 10:
            others = [known[other] for other in counts if other != stage]
            lower = known["rows_read"][0] - kept - sum(most for _, most in others)
            upper = known["rows_read"][1] - kept - sum(least for least, _ in others)
            assert lower <= 1 and upper >= 9


# --- Always -----------------------------------------------------------------------------------------------------------


@settings(max_examples=15)
@given(st.integers(10, 250), st.integers(0, 10_000), st.sampled_from([0.0, 0.05, 0.3]))
def test_the_rules_hold_whatever_people_answer(n: int, seed: int, missing: float) -> None:
    counted = tally(community(n, seed, missing), SURVEY)
    exact = estimate(counted, SURVEY, coarsen(counted, SURVEY, POLICY))
    rows = disclose(exact, POLICY)
    assert rows.select(WORDS).equals(exact.select(WORDS))
    assert tuple(rows.columns) == TIDY_COLUMNS[2:]
    hidden_rows_are_empty_and_others_are_not(rows)
    counts_are_fives_from_ten_on(rows)
    what_is_too_small_is_hidden(exact, rows)
    shares_are_made_of_rounded_counts(exact, rows)


@pytest.mark.parametrize(("n", "seed"), [(80, 101), (80, 102), (80, 103), (200, 101)])
def test_what_everybody_reported_is_the_last_to_go(n: int, seed: int) -> None:
    counted = tally(community(n, seed, missing=0.04), SURVEY)
    rows = disclose(estimate(counted, SURVEY, coarsen(counted, SURVEY, POLICY)), POLICY)
    means = rows.filter(pl.col("level") == "all", pl.col("statistic").str.starts_with("mean"))
    assert set(means["status"]) <= {"ok", "merged"}
    assert means.height == 8  # by form and by dose: of pain before, now and in between, and of mood


WORDS = ["table", "exposure", "level", "outcome", "statistic"]


def hidden_rows_are_empty_and_others_are_not(rows: pl.DataFrame) -> None:
    gone = rows["status"].is_in(["suppressed", "not_asked"])
    assert rows.filter(gone).select(pl.col(NUMBERS).is_null().all()).row(0) == (True,) * 6
    assert rows.filter(~gone).select(pl.col("estimate", "n_respondents").is_not_null().all()).row(0) == (True, True)


def counts_are_fives_from_ten_on(rows: pl.DataFrame) -> None:
    for name in ("n_respondents", "n_missing"):
        counts = rows[name].drop_nulls()
        assert ((counts >= 10) & (counts % 5 == 0)).all()


def what_is_too_small_is_hidden(exact: pl.DataFrame, rows: pl.DataFrame) -> None:
    others = pl.col("n_respondents") - pl.col("n_events")
    everybody = pl.col("outcome").eq("respondents") & pl.col("level").eq("all")
    small_share = pl.min_horizontal("n_events", others).lt(10) & ~everybody
    small_mean = pl.col("n_respondents").lt(20) & pl.col("statistic").ne("count")
    too_small = exact.select(pl.when(pl.col("n_events").is_null()).then(small_mean).otherwise(small_share)).to_series()
    assert rows.filter(too_small)["status"].is_in(["suppressed", "not_asked"]).all()


def shares_are_made_of_rounded_counts(exact: pl.DataFrame, rows: pl.DataFrame) -> None:
    told = [(told_people(row, POLICY) + 2) // 5 * 5 for row in exact.iter_rows(named=True)]
    k, n = (pl.col("n_events") + 2) // 5 * 5, pl.Series("n", told)
    both = exact.select(k.alias("k"), n).hstack(rows.select(NUMBERS[:5]))
    shares = both.filter(pl.col("k").is_not_null(), pl.col("estimate").is_not_null())
    assert shares["estimate"].equals((shares["k"] / shares["n"]).round(4), check_names=False)
    assert shares["n_respondents"].equals(shares["n"], check_names=False)
    assert shares.select("k", "n").n_unique() == shares.select("k", "n", *NUMBERS[:4]).n_unique()


def test_the_same_answers_are_disclosed_alike() -> None:
    answers = community(200, 9)
    once, again = (tally(rows, SURVEY) for rows in (answers, answers.reverse()))
    assert disclose(estimate(once, SURVEY), POLICY).equals(disclose(estimate(again, SURVEY), POLICY))


def test_the_columns_of_the_estimates_are_those_the_small_tables_are_built_of() -> None:
    assert set(number("all", 20)) == set(share("all", 10, 20)) == set(ESTIMATES_SCHEMA)

"""Each attack that must fail, and the defence that makes it fail: without the defence the attack finds something.

What an attack does by hand is in `attacks`; what stands here is on which answers it would work. Each is tried with all
defences on, when it must find nothing, and without those that stop it, when it must find something. Where several stop the
same attack, any of them alone must be enough.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from attacks import by_hand as hand
from attacks import defences, in_files
from attacks.by_hand import Found, Paper
from attacks.defences import Defence
from attacks.worlds import FORMS, SCALE, Group, asked, bands, released, released_twice, table, yes_of
from builders import item, options, scale
from club import CLUB, MARKER, call, row, rows, write

from survey_pipeline.errors import NotSafeToPublish
from survey_pipeline.proof.attack import Contradiction
from survey_pipeline.render import render
from survey_pipeline.request import RunRequest
from survey_pipeline.storage import Warehouse

LISTED = {
    "totals minus shown cells",
    "overlapping subgroups",
    "a table's margin in another table",
    "multi-select complements",
    "mean x n on a bounded scale",
    "two means of nested groups",
    "percentage digits that betray n",
    "medians, minima, maxima",
    "an interval or standard error that betrays n",
    "release 2 minus release 1",
    "a correction minus its original",
    "a person subtracting themselves from a group of two",
    "chart tooltips and embedded chart data",
    "alt text",
    "file names",
    "logs",
    "quality pages",
    "git history of reports",
}
"""The attacks that must fail, as they were agreed on."""


@dataclass(frozen=True)
class Attack:
    """One way to do a listed attack: `find` gives what it finds in the worked table, made in an empty folder.

    `stopped_by`: any of these alone stops it. `besides`: what would otherwise stand in the way of seeing that.
    """

    listed: str
    how: str
    find: Callable[[Path], Found]
    stopped_by: tuple[Defence, ...] = ()
    besides: tuple[Defence, ...] = ()


# --- Adding and subtracting ---------------------------------------------------------------------------------------------


def stopped_by_form(_: Path) -> Found:
    """60 of 600 stopped, 32 with citrate and 20 with malate: 60 less 30 less 20 leaves 4 to 16 with oxide."""
    groups = [g for form, yes in zip(FORMS, (32, 20, 8), strict=True) for g in yes_of(200, yes, "stopped", form=form)]
    return hand.totals_minus_shown_cells(Paper(released(asked(table("stopped")), *groups)), "form", "Oxide", "stopped")


def men_who_take_oxide(_: Path) -> Found:
    """69 take oxide, and 62 women do: 70 less 60 leaves 6 to 14 men."""
    sizes = {("oxide", "male"): (7, 3), ("oxide", "female"): (62, 25)}
    each = [(form, sex) for form in FORMS for sex in ("female", "male")]
    groups = [g for who in each for g in yes_of(*sizes.get(who, (60, 25)), "stopped", form=who[0], sex=who[1])]
    paper = Paper(released(asked(table("stopped"), table("stopped", by="sex")), *groups))
    words = [("form", "Oxide"), ("form_by_sex", "Oxide, female")]
    whole, part = ((*who, "stopped", "share") for who in words)
    return hand.people_of_a_group_minus_part(paper, whole, part, "men who take oxide")


DOSES = ((62, {"dose": 200.0}), (7, {"dose": 300.0}), (22, {"dose": 400.0}))
LIMITS = [{"code": str(mg), "label": f"Above {mg}", "above": mg, "source": "test"} for mg in (250, 350)]
DOSE = item("Dose", "number", "exposure", bands=bands(250), limits=LIMITS)


def above(limit: int) -> hand.Words:
    return "everybody", "all", f"dose__above_{limit}", "share"


def between_two_limits(_: Path) -> Found:
    """29 take more than 250 mg and 22 more than 350: 30 less 20 leaves 6 to 14 between."""
    paper = Paper(released(asked(table("dose", exposure=None), dose=DOSE), *DOSES))
    return hand.group_minus_part(paper, above(250), above(350), "between 250 and 350")


def between_two_thresholds(_: Path) -> Found:
    """29 answered 5 or more and 22 answered 6 or more: 30 less 20 leaves 6 to 14 who answered 5."""
    reached = [{"name": f"from_{at}", "label": f"From {at}", "source": "test", "at_least": at} for at in (5, 6)]
    mood = scale("Mood", minimum=SCALE[0], maximum=SCALE[1], better="higher", thresholds=reached)
    answers = {2: 20, 3: 20, 4: 22, 5: 7, 6: 10, 7: 12}
    groups = [(n, {"mood": float(said)}) for said, n in answers.items()]
    paper = Paper(released(asked(table("mood", exposure=None), mood=mood), *groups))
    whole, part = (("everybody", "all", "mood", f"from_{at}") for at in (5, 6))
    return hand.group_minus_part(paper, whole, part, "answered 5")


def doses_not_stated(_: Path) -> Found:
    """7 left the dose out and the band over 250 shields them; how many are above 250 stands in another table."""
    instrument = asked(table("mood", exposure="dose"), table("dose", exposure=None), dose=DOSE)
    groups = ((62, {"dose": 200.0, "mood": 3.0}), (22, {"dose": 400.0, "mood": 4.0}), (7, {"mood": 5.0}))
    paper = Paper(released(instrument, *groups))
    return hand.margin_in_another_table(paper, "dose", "Not stated", {"Over 250": above(250)})


def part_of_a_merged_level(_: Path) -> Found:
    """7 took oxide and were merged with 17 who did not say: 25 less 15 who left the form out leaves 6 to 14."""
    sizes = {"citrate": 62, "malate": 52, "oxide": 7, None: 17}
    groups = [(n, {"form": form, "mood": float(1 + n % 7)}) for form, n in sizes.items()]
    paper = Paper(released(asked(table("mood")), *groups))
    whole = ("form", "Oxide or not stated", "respondents", "share")
    return hand.group_minus_part(paper, whole, ("everybody", "all", "form__left_out", "share"), "Oxide")


def left_a_question_out(_: Path) -> Found:
    """63 take each form and 55 of them answered: 65 less 55 leaves 6 to 14 who did not."""
    groups = [g for form in FORMS for g in (*yes_of(55, 30, "stopped", form=form), (8, {"form": form}))]
    return hand.people_who_left_it_out(Paper(released(asked(table("stopped")), *groups)), "form", "stopped", "share")


SIDES = ("none", "nausea", "cramps")


def chose_cramps(_: Path) -> Found:
    """102 chose something, 57 none and 37 nausea: at least 98 less 57 less 37 chose cramps."""
    side = item("Side", "choices", "safety", options=options(*SIDES))
    chosen = {name: {f"side__{each}": each == name for each in SIDES} for name in SIDES}
    groups = [(n, chosen[name]) for name, n in zip(SIDES, (57, 37, 8), strict=True)]
    paper = Paper(released(asked(table("side", exposure=None), side=side), *groups, (12, {})))
    return hand.complements_of_options(paper, [f"side__{name}" for name in SIDES], "side__cramps")


def all_but_one_stopped(_: Path) -> Found:
    """96 of 97 stopped: 95 less 95 leaves at most 4 who did not."""
    paper = Paper(released(asked(table("stopped", exposure=None)), *yes_of(97, 96, "stopped")))
    return hand.the_other_side(paper, "everybody", "all", "stopped")


def rows_without_consent(_: Path) -> Found:
    """118 rows were read, 102 used, and 7 left out as empty: 120 less 100 less the rest did not consent."""
    instrument = asked(table("stopped", exposure=None))
    found = released(instrument, *yes_of(102, 40, "stopped"), rows_read=118, no_consent=4, empty_row=12)
    return hand.rows_at_a_stage(found, "no_consent")


# --- Multiplying and counting digits ------------------------------------------------------------------------------------


def everybody_in_mood(*answers: tuple[int, float], **mood: Any) -> Paper:
    """A release of so many people's mood, for each answer."""
    more: dict[str, Any] = {"minimum": SCALE[0], "maximum": SCALE[1], "better": "higher", **mood}
    described = scale("Mood", **more)
    groups = [(n, {"mood": answer}) for n, answer in answers]
    return Paper(released(asked(table("mood", exposure=None), mood=described), *groups))


def low_moods(_: Path) -> Found:
    """A mean of 6.7 of at most 62 people lies 22 points in all under 7, and each answer of 2 or less takes 5."""
    low = {"name": "low", "label": "Low", "source": "test", "at_most": 2}
    paper = everybody_in_mood((48, 7.0), (10, 6.0), (2, 2.0), thresholds=[low])
    return hand.mean_times_n(paper, ("everybody", "all", "mood", "mean"), SCALE, 2)


def moods_of_twelve(_: Path) -> Found:
    """12 answered whose level is hidden: everybody's mean less those of the others is theirs."""
    moods = {"citrate": (1.0, 2.0), "malate": (1.0, 2.0), "oxide": (7.0, 6.0)}
    silent = {"citrate": 12, "malate": 12, "oxide": 20}
    groups: list[Group] = [
        (6 if form == "oxide" else 30, {"form": form, "mood": mood}) for form in FORMS for mood in moods[form]
    ]
    groups += [(n, {"form": form}) for form, n in silent.items()]
    return hand.means_of_nested_groups(Paper(released(asked(table("mood")), *groups)), "form", "mood", SCALE)


def thirteen_of_38() -> Paper:
    return Paper(released(asked(table("stopped", exposure=None)), *yes_of(38, 13, "stopped")))


def mean_of_22(_: Path) -> Found:
    return hand.digits_of_a_mean(everybody_in_mood((8, 2.0), (9, 4.0), (5, 7.0)))


def interval_of_22(_: Path) -> Found:
    """An error of 96.52, told as 97, and an interval of 2.08 times as much; 2.09 times, as of 20, would make it 96."""
    paper = everybody_in_mood((7, 0.0), (7, 1000.0), (4, 183.0), (4, 817.0), minimum=0, maximum=1000)
    return hand.interval_of_a_mean(paper)


def upper_quartile(_: Path) -> Found:
    """A quarter of 30 answered 5 or more: at most 8 reached 6."""
    reached = {"name": "reached", "label": "Reached", "source": "test", "at_least": 6}
    paper = everybody_in_mood((11, 2.0), (9, 4.0), (6, 5.0), (4, 7.0), thresholds=[reached])
    return hand.quantiles(paper, "everybody", "all", "mood", 6)


def the_other_of_two(_: Path) -> Found:
    """Two take oxide; one of them answered 3 and knows it."""
    groups = [(30, {"form": form, "mood": mood}) for form in ("citrate", "malate") for mood in (2.0, 5.0)]
    two = [(1, {"form": "oxide", "mood": mood}) for mood in (3.0, 5.0)]
    return hand.a_group_of_two(Paper(released(asked(table("mood")), *groups, *two)), 3, SCALE)


# --- One release and another --------------------------------------------------------------------------------------------


def runs(folder: Path, *waves: tuple[str, int, str]) -> list[Paper]:
    """What is published of the club after exports of a wave, with so many rows, as corrections where it says why."""
    (folder / "club.toml").write_text(CLUB, encoding="utf-8")
    for wave, n, why in waves:
        export = write(folder / f"{wave}-{n}.csv", rows(n))
        options = ("-i", folder / "club.toml", "-w", wave, "--home", folder, *(("--correction", why) if why else ()))
        call("run", export, *options)
    return [Paper(stored.release) for stored in Warehouse(folder / "warehouse").releases("club")]


def three_more_in_the_next_wave(folder: Path) -> Found:
    return hand.later_minus_earlier(runs(folder, ("2026-01", 63, ""), ("2026-02", 66, "")))


def three_late_answers(folder: Path) -> Found:
    return hand.later_minus_earlier(runs(folder, ("2026-01", 63, ""), ("2026-01", 66, "Late answers")))


def bands_cut_elsewhere(_: Path) -> Found:
    """62 took up to 200 mg and 69 up to 250: 70 less 60 leaves 6 to 14 between."""
    first, second = (asked(table("mood", exposure="dose"), ends=(end,)) for end in (200, 250))
    sizes = {100.0: (31, 31), 225.0: (3, 4), 400.0: (30, 30)}
    groups = [
        (n, {"dose": dose, "mood": mood})
        for dose, two in sizes.items()
        for n, mood in zip(two, (3.0, 5.0), strict=True)
    ]
    return hand.correction_minus_original([Paper(one) for one in released_twice(first, second, *groups)], "dose")


# --- Files and messages -------------------------------------------------------------------------------------------------

HIDDEN_MEAN = "7.4"
"""Of 25 people, of whom 20 said 9 and 5 said 1: hidden, and nowhere else."""


def files() -> tuple[Paper, dict[str, bytes]]:
    """A report in which a level is hidden."""
    instrument = asked(table("mood"), mood=scale("Mood", better="higher", primary=True))
    groups = [(30, {"form": form, "mood": mood}) for form in ("citrate", "malate") for mood in (2.0, 3.0)]
    groups += [(20, {"form": "oxide", "mood": 9.0}), (5, {"form": "oxide", "mood": 1.0})]
    made = released(instrument, *groups)
    return Paper(made), render(made, instrument)


def names_of_files(_: Path) -> Found:
    paper, rendered = files()
    counts = {n for one in paper.shown.values() for n in (one.n_respondents, one.n_missing) if n}
    return in_files.file_names(rendered, paper.all_levels("form"), counts)


def a_fault_on_the_way(folder: Path) -> Found:
    """Something breaks over somebody's answer, and says so."""

    def broken(*_: object) -> None:
        raise ValueError(f"cannot read '{MARKER}'")

    (folder / "club.toml").write_text(CLUB, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("survey_pipeline.reading.validate", broken)
        export = write(folder / "club.csv", rows(60))
        said = call("run", export, "-i", folder / "club.toml", "-w", "2026-01", "--home", folder)
    assert said.code != 0
    return in_files.words_of_a_respondent({"stdout": said.out, "stderr": said.err}, MARKER)


def what_was_refused(folder: Path) -> Found:
    """The page of counts that a run leaves for the steward, and what the run says with all details."""
    (folder / "club.toml").write_text(CLUB, encoding="utf-8")
    export = write(folder / "club.csv", [*rows(60), row(60, pain=MARKER), row(61, form=MARKER)])
    said = call("run", export, "-i", folder / "club.toml", "-w", "2026-01", "--home", folder, "--verbose")
    assert said.code == 0, said
    texts = {"stdout": said.out, "stderr": said.err, "page of counts": page_of_counts(folder, export)}
    return in_files.words_of_a_respondent(texts, MARKER)


def page_of_counts(folder: Path, export: Path) -> str:
    from survey_pipeline.pipeline import run_wave

    os.environ.setdefault("PREFECT_HOME", str(folder / "prefect"))
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parents[1] / "flows"))
        from artifacts import counts_page

    request = RunRequest(exports=(export,), instrument=str(folder / "club.toml"), wave="2026-01", home=folder)
    return counts_page(run_wave(request))


# --- All of them --------------------------------------------------------------------------------------------------------

ATTACKS = (
    Attack("totals minus shown cells", "", stopped_by_form, (defences.PROTECT, defences.PROOF)),
    Attack(
        "overlapping subgroups",
        "of a crossing",
        men_who_take_oxide,
        (defences.PROTECT, defences.SHIELDS, defences.PROOF),
    ),
    Attack("overlapping subgroups", "of two limits", between_two_limits, (defences.BETWEEN,)),
    Attack("overlapping subgroups", "of two thresholds", between_two_thresholds, (defences.BETWEEN,)),
    Attack("a table's margin in another table", "", doses_not_stated, (defences.LINKS, defences.PROOF)),
    Attack("a table's margin in another table", "n", left_a_question_out, (defences.TOLD_N, defences.PROOF)),
    Attack("a table's margin in another table", "merged", part_of_a_merged_level, (defences.PROOF,)),
    Attack("multi-select complements", "", chose_cramps, (defences.PROTECT, defences.PROOF)),
    Attack("multi-select complements", "other side", all_but_one_stopped, (defences.BOTH_SIDES, defences.PROOF)),
    Attack("mean x n on a bounded scale", "", low_moods, (defences.PROOF,)),
    Attack("two means of nested groups", "", moods_of_twelve, (defences.ENOUGH_TOGETHER,)),
    Attack(
        "percentage digits that betray n",
        "",
        lambda _: hand.digits_of_a_share(thirteen_of_38()),
        (defences.ROUNDED_SHARES,),
    ),
    Attack("percentage digits that betray n", "of a mean", mean_of_22, (defences.FEW_DIGITS,)),
    Attack(
        "percentage digits that betray n",
        "of n itself",
        lambda _: hand.counts_to_the_unit(thirteen_of_38()),
        (defences.ROUNDING,),
    ),
    Attack("medians, minima, maxima", "quartiles", upper_quartile, (defences.QUARTILES, defences.PROOF)),
    Attack(
        "medians, minima, maxima",
        "extremes",
        lambda _: hand.extremes(everybody_in_mood((20, 2.0), (15, 4.0), (1, 7.0))),
        (defences.NO_EXTREMES,),
    ),
    Attack("an interval or standard error that betrays n", "interval", interval_of_22, (defences.ROUNDED_INTERVALS,)),
    Attack(
        "an interval or standard error that betrays n",
        "error",
        lambda _: hand.error_of_a_share(thirteen_of_38()),
        (defences.ROUNDED_SHARES,),
    ),
    Attack("release 2 minus release 1", "", three_more_in_the_next_wave, (defences.APART,)),
    Attack("a correction minus its original", "late", three_late_answers, (defences.APART,)),
    Attack("a correction minus its original", "bands", bands_cut_elsewhere, (defences.ONE_CUT, defences.TOGETHER)),
    Attack("a person subtracting themselves from a group of two", "", the_other_of_two, (defences.POLICY,)),
    Attack(
        "chart tooltips and embedded chart data",
        "",
        lambda _: in_files.chart_data(files()[1], [HIDDEN_MEAN]),
        (defences.EMPTY, defences.NOT_DRAWN),
        (defences.PROOF,),
    ),
    Attack(
        "chart tooltips and embedded chart data",
        "downloads",
        lambda _: in_files.downloads(files()[1], [HIDDEN_MEAN]),
        (defences.EMPTY,),
        (defences.PROOF,),
    ),
    Attack(
        "alt text",
        "",
        lambda _: in_files.alt_text(files()[1], [HIDDEN_MEAN]),
        (defences.EMPTY, defences.WORDS_ALONE),
        (defences.PROOF,),
    ),
    Attack("file names", "", names_of_files, (defences.PLAIN_NAMES,)),
    Attack("logs", "", a_fault_on_the_way, (defences.KIND_AND_PLACE,)),
    Attack("quality pages", "refused", what_was_refused, (defences.BY_RULE,)),
    Attack("quality pages", "stages", rows_without_consent, (defences.STAGES,)),
    Attack("git history of reports", "", in_files.git_history, (defences.IGNORED,)),
)


def name_of(attack: Attack) -> str:
    return f"{attack.listed}, {attack.how}".removesuffix(", ")


@contextmanager
def without(*off: Defence) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for one in off:
            one.off(patch)
        yield


def test_each_attack_that_must_fail_is_tried() -> None:
    assert {attack.listed for attack in ATTACKS} == LISTED


@pytest.mark.parametrize("attack", ATTACKS, ids=name_of)
def test_with_all_defences_an_attack_finds_nothing(attack: Attack, tmp_path: Path) -> None:
    assert attack.find(tmp_path) == []


@pytest.mark.parametrize("attack", ATTACKS, ids=name_of)
def test_without_its_defences_an_attack_finds_something(attack: Attack, tmp_path: Path) -> None:
    with without(*attack.stopped_by, *attack.besides):
        assert attack.find(tmp_path) != []


SEVERAL = [(attack, kept) for attack in ATTACKS if len(attack.stopped_by) > 1 for kept in attack.stopped_by]


@pytest.mark.parametrize(
    ("attack", "kept"), SEVERAL, ids=lambda one: one.does if isinstance(one, Defence) else name_of(one)
)
def test_any_of_its_defences_alone_stops_an_attack(attack: Attack, kept: Defence, tmp_path: Path) -> None:
    with without(*(one for one in (*attack.stopped_by, *attack.besides) if one is not kept)):
        assert found_if_published(attack, tmp_path) == []


def found_if_published(attack: Attack, folder: Path) -> Found:
    """What is found; nothing where the defence that is left lets no release be made."""
    try:
        return attack.find(folder)
    except (Contradiction, NotSafeToPublish):
        return []

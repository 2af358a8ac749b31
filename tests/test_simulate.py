"""The simulations themselves: their communities, their promises in a small run, and the page that the command wrote."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from simulate.bands import judge
from simulate.communities import FORMS, NONE, Community, Plan, community, without_bad_spells
from simulate.pages import KNOWN_EFFECT, Amount, Part, coverage, expectations, families, introduction, no_effect, page
from simulate.rates import filled, rate, rate_within
from simulate.work import Workers

PAGE = Path(__file__).parents[1] / "docs" / "simulations.md"
SMALL = Amount(communities=40, repeats=200)
TINY = Amount(communities=5, repeats=10)
ALONE = Workers(1, bar=False)
LARGE_PLAN = Plan(n_people=(20_000, 20_000), bad_spell=(1.0, 1.0))


def before(people: Community, *, takers: bool) -> float:
    """The mean pain before of those who take some form, or of those who take none."""
    return float(people.before[(people.form != NONE) == takers, 0].mean())


def test_the_same_seed_gives_the_same_people_and_another_one_does_not() -> None:
    one, again, other = (community(Plan(), seed) for seed in ((1, 2), (1, 2), (1, 3)))
    assert one.frame().equals(again.frame())
    assert not one.frame().equals(other.frame())


def test_answers_are_whole_numbers_on_the_scale() -> None:
    people = community(replace(LARGE_PLAN, effect=5.0), (1,))
    for answers in (people.before, people.now):
        assert set(np.unique(answers)) == set(range(11))


def test_takers_began_after_a_bad_week_and_the_others_did_not() -> None:
    spells, chance = community(LARGE_PLAN, (1,)), community(without_bad_spells(LARGE_PLAN), (1,))
    assert before(spells, takers=True) > before(spells, takers=False) + 1
    assert before(chance, takers=True) == pytest.approx(before(chance, takers=False), abs=0.15)


def test_without_effect_people_come_back_part_of_the_way_and_with_one_farther() -> None:
    nothing, helped = community(LARGE_PLAN, (1,)), community(replace(LARGE_PLAN, effect=1.5), (1,))
    takers = nothing.form != NONE
    back = (nothing.now - nothing.before)[takers, 0].mean()
    assert -1.5 < back < -0.3
    assert (helped.now - helped.before)[takers, 0].mean() == pytest.approx(back - 1.5, abs=0.15)
    assert (nothing.now - nothing.before)[~takers, 0].mean() == pytest.approx(0, abs=0.1)


def test_a_drift_moves_everybody_and_a_memory_the_past() -> None:
    changed = replace(LARGE_PLAN, drift=1.0), replace(LARGE_PLAN, recall=1.0), replace(LARGE_PLAN, drift_of_none=1.0)
    plain, drifted, recalled, none_only = (community(plan, (1,)) for plan in (LARGE_PLAN, *changed))
    takers_only = community(replace(LARGE_PLAN, recall_of_takers=1.0), (1,))
    for takers in (True, False):
        chosen = (plain.form != NONE) == takers
        moved = [(people.now - plain.now)[chosen, 0].mean() for people in (drifted, none_only)]
        assert moved == pytest.approx([-1, 0 if takers else -1], abs=0.1)
        moved = [(people.before - plain.before)[chosen, 0].mean() for people in (recalled, takers_only)]
        assert moved == pytest.approx([1, 1 if takers else 0], abs=0.15)
        assert (drifted.before == plain.before).all() and (recalled.now == plain.now).all()


def test_a_number_of_people_with_each_form_is_kept_to() -> None:
    people = community(replace(KNOWN_EFFECT, n_none=40), (1,))
    assert {form: int((people.form == form).sum()) for form in (*FORMS, NONE)} == dict.fromkeys(FORMS, 100) | {NONE: 40}


def test_few_who_take_none_leave_every_form_without_a_band() -> None:
    few, enough = (judge(community(replace(KNOWN_EFFECT, n_none=n), (1,))) for n in (29, 30))
    assert not any(one.has_band or one.beyond for one in few)
    assert all(one.has_band for one in enough)


def test_rates_know_their_error() -> None:
    assert str(rate(50, 100)) == "50.0 % (5.0)"
    assert rate(70, 100).is_above(0.6) and not rate(70, 100).is_above(0.61)
    assert rate(30, 100).is_below(0.4) and not rate(30, 100).is_below(0.39)
    # Alike within communities: only two things were seen, not two hundred.
    assert rate_within([[True] * 100, [False] * 100]).error == pytest.approx(0.5**0.5 / 2**0.5 * 2**0.5 / 2)


def test_a_broken_promise_is_named() -> None:
    part = no_effect(TINY, ALONE, replace(KNOWN_EFFECT, effect=3.0))
    assert part.broken == ("forms without effect worded beyond", "forms beyond in any outcome")


@pytest.fixture(scope="module")
def tiny() -> Part:
    return page(TINY, ALONE)


@pytest.mark.slow
@pytest.mark.parametrize("make", [no_effect, families, coverage])
def test_any_number_of_workers_makes_the_same_part(make: Callable[[Amount, Workers], Part]) -> None:
    with Workers(2, bar=False) as two:
        assert make(TINY, two) == make(TINY, ALONE)


@pytest.mark.slow
def test_the_promises_hold_in_a_small_run() -> None:
    with Workers(2, bar=False) as two:
        assert page(SMALL, two).broken == ()


@pytest.mark.slow
def test_the_page_is_what_the_command_makes(tiny: Part) -> None:
    written, usual = PAGE.read_text(encoding="utf-8"), Amount()
    for part in (introduction(usual, ALONE), expectations(usual, ALONE)):
        assert filled(part.text) in written
    headings = [line for line in tiny.text.splitlines() if line.startswith("#")]
    assert [line for line in written.splitlines() if line.startswith("#")] == headings


def test_coverage_names_what_falls_short() -> None:
    part = coverage(Amount(repeats=40), ALONE)
    assert "- mean, 19 in 20 at the bottom, 30 people:" in part.text

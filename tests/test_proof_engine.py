"""What an attacker can conclude from sums, and what to take back: on tables small enough to try all."""

import copy
import subprocess
import sys
from collections.abc import Collection, Mapping
from functools import partial
from itertools import product
from math import inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from survey_pipeline.proof import System, attack, elastic, pieces
from survey_pipeline.proof.attack import Attack, Contradiction, Interval, Target, Worlds, exact_bounds
from survey_pipeline.proof.cells import Table, protect_cells
from survey_pipeline.proof.elastic import Elastic, NotPossible
from survey_pipeline.proof.narrow import narrow
from survey_pipeline.proof.repair import Repair, cheapest_to_hide, until_safe
from survey_pipeline.proof.solver import Outcome, Programme
from survey_pipeline.proof.system import Compiled, Flags, Floats, Key, Source
from survey_pipeline.proof.worlds import world_of

# A table of people in three villages by whether they slept badly, well or did not say; all sums are shown.
VILLAGES = {"ash": (4, 31, 12), "beech": (6, 18, 25), "cedar": (22, 40, 3)}
SLEEP = ("badly", "well", "unsaid")


def cells() -> dict[Key, int]:
    return {(v, s): n for v, counts in VILLAGES.items() for s, n in zip(SLEEP, counts, strict=True)}


def villages(width: int = 0) -> System:
    """Cells and margins, each told to within `width`; every cell's source is its own name."""
    system = System()
    for cell, count in cells().items():
        system.says(system.unknown(cell), count - width, count + width, cell)
    for village in VILLAGES:
        _sum_is_told(system, [cell for cell in cells() if cell[0] == village], width)
    for sleep in SLEEP:
        _sum_is_told(system, [cell for cell in cells() if cell[1] == sleep], width)
    return system


def _sum_is_told(system: System, parts: list[Key], width: int) -> None:
    total = sum(cells()[part] for part in parts)
    system.row(dict.fromkeys(parts, 1.0), total - width, total + width)


def one(key: Key, lower: float = 1, upper: float = 9) -> Target:
    return Target({key: 1.0}, lower, upper)


def verdict(system: System, target: Target, hidden: Collection[Source] = ()) -> attack.Verdict:
    (found,) = Attack(system, [target], hidden).verdicts()
    return found


# --- Worked by hand ---------------------------------------------------------------------------------------------------


def test_a_hidden_cell_is_what_its_margin_leaves() -> None:
    found = verdict(villages(), one(("ash", "badly")), [("ash", "badly")])
    assert (found.safe_low, found.safe_high, found.undecided) == (False, False, False)
    assert found.found == Interval(4, 4)


def test_two_hidden_in_a_line_are_no_help_where_the_other_lines_have_one() -> None:
    hidden = [("ash", "badly"), ("ash", "well")]
    assert exact_bounds(villages(), [one(cell).terms for cell in hidden], hidden) == [Interval(4, 4), Interval(31, 31)]


def test_a_closed_rectangle_lets_its_cells_trade_people() -> None:
    hidden = [("ash", "badly"), ("ash", "well"), ("beech", "badly"), ("beech", "well")]
    # ash badly + beech badly = 10; the others follow, and none may fall below 0.
    assert exact_bounds(villages(), [one(hidden[0]).terms], hidden) == [Interval(0, 10)]
    assert verdict(villages(), one(hidden[0]), hidden).safe


@pytest.mark.parametrize(("lower", "upper", "low", "high"), [(0, 10, True, True), (-1, 11, False, False)])
def test_the_mark_is_met_at_its_very_ends(lower: float, upper: float, low: bool, high: bool) -> None:
    hidden = [("ash", "badly"), ("ash", "well"), ("beech", "badly"), ("beech", "well")]
    found = verdict(villages(), one(hidden[0], lower, upper), hidden)
    assert (found.safe_low, found.safe_high) == (low, high)


def two_per_line() -> tuple[System, set[Source]]:
    """Every line of the table has two hidden cells or none, and yet one cell is exact.

    The pattern is two parts that share a row: first row plus second row less first and third column leaves one cell.
    """
    counts = np.array([[12, 17, 25, 33], [41, 52, 6, 15], [38, 44, 27, 29], [70, 81, 64, 58]])
    system = System()
    for (row, column), count in np.ndenumerate(counts):
        key = (f"r{row}", f"c{column}")
        system.says(system.unknown(key), float(count), float(count), key)
    for axis, name in ((1, "r{}"), (0, "c{}")):
        for i, total in enumerate(counts.sum(axis=axis).tolist()):
            parts = [key for key in system.keys if name.format(i) in key]
            system.row(dict.fromkeys(parts, 1.0), total, total)
    places = ["00", "01", "02", "10", "12", "21", "23", "31", "33"]
    return system, {(f"r{place[0]}", f"c{place[1]}") for place in places}


def test_two_hidden_in_every_line_can_be_too_few() -> None:
    system, hidden = two_per_line()
    assert exact_bounds(system, [{("r0", "c1"): 1.0}], hidden) == [Interval(17, 17)]
    more = cheapest_to_hide(system, hidden, {("r0", "c1"): 1.0}, lambda source: 1.0, at_most=8)
    assert len(more) == 1
    assert exact_bounds(system, [{("r0", "c1"): 1.0}], hidden | more)[0].least <= 8


def test_rounded_numbers_leave_as_much_room_as_they_were_rounded() -> None:
    hidden = [("ash", "badly")]
    # The margin of 47 and the others, 31 and 12, each to within 2: 4 to within 6; the column's 32, 6 and 22 say no more.
    assert exact_bounds(villages(width=2), [one(hidden[0]).terms], hidden) == [Interval(0, 10)]


def test_a_sum_of_unknowns_can_be_known_where_no_part_is() -> None:
    hidden = [("ash", "badly"), ("ash", "well"), ("beech", "badly"), ("beech", "well")]
    both: dict[Key, float] = {("ash", "badly"): 1.0, ("ash", "well"): 1.0}
    assert exact_bounds(villages(), [both], hidden) == [Interval(35, 35)]
    assert not verdict(villages(), Target(both, 34, 36), hidden).safe_low


def odd_one() -> System:
    """Each pair of three counts makes 1 more than `extra`: so `extra` is 1, though halves of people would let it be 0."""
    system = System()
    for name in "abc":
        system.unknown((name,), most=4)
    system.unknown(("extra",), most=1)
    for pair in ("ab", "bc", "ac"):
        terms: dict[Key, float] = {(pair[0],): 1.0, (pair[1],): 1.0, ("extra",): -1.0}
        system.row(terms, 1, 1, pair)
    return system


def test_fractions_of_people_are_no_world() -> None:
    assert exact_bounds(odd_one(), [{("extra",): 1.0}]) == [Interval(0, 1)]
    found = verdict(odd_one(), one(("extra",), 0, 1))
    assert (found.safe_low, found.safe_high, found.undecided) == (False, True, False)


@pytest.mark.parametrize("most", [2241.0, 2241.5])
def test_whole_numbers_may_have_bounds_that_are_none(most: float) -> None:
    # 428 answers and 2235 in all fit; HiGHS 1.15 says that nothing does if it is told of 2241.5.
    matrix = csr_array(np.array([[-5.22500001, 1.0], [-5.21999999, 1.0]]))
    rows, columns = (np.array([-inf, 0]), np.array([0, inf])), (np.array([428, 2234.16]), np.array([429, most]))
    programme = Programme(matrix, rows, columns, np.array([True, True]))
    assert programme.solve() is Outcome.FOUND
    assert list(programme.values) in ([428, 2235], [428, 2236], [429, 2240], [429, 2241])


def test_sums_of_answers_need_not_be_whole() -> None:
    system = System()
    system.unknown(("sum",), whole=False)
    system.unknown(("n",), least=3, most=4)
    system.row({("sum",): 1.0, ("n",): -1.5}, 0, 0)
    (found,) = exact_bounds(system, [{("sum",): 1.0}])
    assert [found.least, found.most] == pytest.approx([4.5, 6])
    assert verdict(system, one(("sum",), 4.5, 6)).safe


def test_sums_of_whole_answers_tell_how_many_gave_them() -> None:
    system = System()
    system.unknown(("sum",), is_sum=True)
    system.unknown(("n",), least=3, most=6)
    system.row({("sum",): 1.0, ("n",): -1.5}, 0, 0)
    assert exact_bounds(system, [{("n",): 1.0}]) == [Interval(3, 6)]
    found = verdict(system, one(("n",), 3, 6))
    assert (found.safe_low, found.safe_high, found.undecided) == (False, True, False)


def test_what_nothing_bounds_is_endless() -> None:
    system = System()
    system.unknown(("n",))
    assert exact_bounds(system, [{("n",): 1.0}]) == [Interval(0, inf)]
    assert verdict(system, one(("n",))).safe


def test_an_unknown_narrows_for_good_and_a_later_mention_widens_nothing() -> None:
    system = System()
    system.unknown(("n",), least=-3, most=9)
    system.unknown(("n",))
    assert exact_bounds(system, [{("n",): 1.0}]) == [Interval(-3, 9)]
    system.unknown(("n",), least=2, most=20)
    assert exact_bounds(system, [{("n",): 1.0}]) == [Interval(2, 9)]


@pytest.mark.parametrize("told", [(3, 3), (11, 12)])
def test_what_contradicts_itself_is_told(told: tuple[float, float]) -> None:
    system = odd_one()
    system.says(("extra",), *told)
    with pytest.raises(Contradiction):
        verdict(system, one(("a",)))


def test_a_slip_in_a_name_is_told() -> None:
    with pytest.raises(KeyError):
        System().row({("n",): 1.0}, 0, 1)
    with pytest.raises(KeyError):
        Attack(villages(), [one(("ash", "bad"))])


def test_the_solver_waits_until_it_is_needed() -> None:
    code = "import sys, survey_pipeline.cli, survey_pipeline.proof.system; print('highspy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip() == "False"


# --- Against trying all worlds ----------------------------------------------------------------------------------------

TOP = 4


@st.composite
def small_systems(draw: st.DrawFn) -> tuple[System, list[Target], list[Source]]:
    """Up to five counts of 0 to 4 (some are looked for last, as sums of answers are), sums told to within little, and what
    is asked of each count.
    """
    truth = draw(st.lists(st.integers(0, TOP), min_size=2, max_size=5))
    keys: list[Key] = [(f"n{i}",) for i in range(len(truth))]
    system = System()
    for key in keys:
        system.unknown(key, most=TOP, is_sum=draw(st.booleans()))
    for number in range(draw(st.integers(1, 5))):
        weights = draw(st.lists(st.integers(-2, 3), min_size=len(keys), max_size=len(keys)))
        total = sum(weight * count for weight, count in zip(weights, truth, strict=True))
        below, above = draw(st.integers(0, 1)), draw(st.integers(0, 1))
        terms: dict[Key, float] = {key: float(weight) for key, weight in zip(keys, weights, strict=True)}
        system.row(terms, total - below, total + above, draw(st.sampled_from([None, ("row", number % 3)])))
    targets = [Target({key: 1.0}, draw(st.integers(0, TOP)), draw(st.integers(0, TOP))) for key in keys]
    targets.append(Target({keys[0]: 1.0, keys[1]: -2.0}, draw(st.integers(-4, 2)), draw(st.integers(-2, 4))))
    return system, targets, list(system.sources)


def all_worlds(system: System) -> Floats:
    """Every world (worlds, columns), whether it fits or not."""
    return np.array(list(product(range(TOP + 1), repeat=len(system.keys))), dtype=np.float64)


def fitting(system: Compiled, worlds: Floats, known: Flags) -> Flags:
    """The worlds (worlds, columns) that keep all rows that are known."""
    matrix = np.zeros((system.rows, system.columns))
    np.add.at(matrix, (np.repeat(np.arange(system.rows), np.diff(system.start)), system.index), system.weight)
    sums = worlds @ matrix[known].T
    found: Flags = np.all((sums >= system.row_least[known]) & (sums <= system.row_most[known]), axis=1)
    return found


def by_trying(system: System, targets: list[Target], hidden: Collection[Source]) -> list[tuple[bool, bool]]:
    """Whether some world takes each target to its lower end, and some to its upper."""
    found, worlds = system.compiled(), all_worlds(system)
    fits = fitting(found, worlds, found.known(hidden))
    places = [[found.place[key] for key in target.terms] for target in targets]
    seen = [worlds[fits][:, place] @ list(t.terms.values()) for place, t in zip(places, targets, strict=True)]
    return [(bool(s.min() <= t.lower), bool(s.max() >= t.upper)) for t, s in zip(targets, seen, strict=True)]


@settings(max_examples=60, deadline=None)
@given(small_systems())
def test_verdicts_are_those_of_trying_all_worlds(made: tuple[System, list[Target], list[Source]]) -> None:
    system, targets, sources = made
    hubs: list[Key] = [("n0",), ("n1",)]
    repeated, around, before = Attack(system, targets), Attack(system, targets, hubs=hubs), Worlds()
    for hidden in ([], sources[:1], sources):
        repeated.hide(hidden)
        around.hide(hidden)
        anew = Attack(system, targets[::-1], hidden, hubs=hubs, worlds=before)
        truth = by_trying(system, targets, hidden)
        verdicts = [attack.verdicts() for attack in (Attack(system, targets, hidden), repeated, around)]
        verdicts.append(anew.verdicts()[::-1])
        before.take(anew.worlds)
        for found in verdicts:
            assert [(one.safe_low, one.safe_high) for one in found] == truth
            assert not any(one.undecided for one in found)


@settings(max_examples=60, deadline=None)
@given(small_systems(), st.lists(st.sampled_from([-1.0, 0.0, 0.5, 1.0, 2.0, 2.5, 9.0]), min_size=5, max_size=5))
def test_a_world_is_found_like_one_that_need_not_fit(
    made: tuple[System, list[Target], list[Source]], numbers: list[float]
) -> None:
    system, known = made[0].compiled(), made[0].compiled().known(())
    like = np.array(numbers[: system.columns])
    world = world_of(system, narrow(system, known), np.zeros(system.columns), like)
    assert world is not None
    assert (world == np.round(world)).all()
    assert ((world >= system.least) & (world <= system.most)).all()
    assert fitting(system, world[None], known).all()


@settings(max_examples=40, deadline=None)
@given(small_systems(), st.integers(0, 10**6))
def test_a_world_that_fits_is_left_as_it_is(made: tuple[System, list[Target], list[Source]], chosen: int) -> None:
    system, known = made[0].compiled(), made[0].compiled().known(())
    worlds = all_worlds(made[0])
    worlds = worlds[fitting(system, worlds, known)]
    like = worlds[chosen % len(worlds)]
    world = world_of(system, narrow(system, known), np.zeros(system.columns), like)
    assert world is not None
    assert np.array_equal(world, like)


@settings(max_examples=40, deadline=None)
@given(small_systems())
def test_hiding_more_never_narrows(made: tuple[System, list[Target], list[Source]]) -> None:
    system, targets, sources = made
    terms = [target.terms for target in targets]
    before, after = exact_bounds(system, terms), exact_bounds(system, terms, sources)
    assert all(b.least >= a.least and b.most <= a.most for b, a in zip(before, after, strict=True))


@settings(max_examples=40, deadline=None)
@given(small_systems(), st.booleans())
def test_what_is_to_be_hidden_is_enough_or_nothing_is(
    made: tuple[System, list[Target], list[Source]], low: bool
) -> None:
    system, targets, sources = made
    target = targets[0]
    wish = {"at_most": target.lower} if low else {"at_least": target.upper}
    side = 0 if low else 1
    try:
        more = cheapest_to_hide(system, [], target.terms, lambda source: 1.0, **wish)
    except NotPossible:
        assert not by_trying(system, [target], sources)[0][side]
        return
    assert by_trying(system, [target], more)[0][side]


@pytest.mark.parametrize("few_columns", [1, elastic.FEW_COLUMNS])
@settings(max_examples=40, deadline=None)
@given(made=small_systems(), low=st.booleans())
def test_what_is_found_near_a_target_is_enough_too(
    few_columns: int, made: tuple[System, list[Target], list[Source]], low: bool
) -> None:
    system, targets, sources = made
    hubs: list[Key] = [("n0",)]
    attacked = Attack(system, targets, hubs=hubs)
    attacked.verdicts()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(elastic, "FEW_COLUMNS", few_columns)
        repair = Repair(system, targets, lambda source: 1.0, hubs=hubs, around=attacked.around)
        for place, target in enumerate(targets):
            try:
                more = repair.cheapest(place, low=low)
            except NotPossible:
                assert not by_trying(system, [target], sources)[0][0 if low else 1]
                continue
            assert by_trying(system, [target], more)[0][0 if low else 1]


def one_group_two_questions() -> System:
    """Seven people were asked two questions: five said yes to the first, and three yes and four no to the second."""
    system = System()
    people = system.unknown(("people",))
    for question in ("first", "second"):
        answers = [system.unknown((question, answer)) for answer in ("yes", "no")]
        system.sums(people, answers)
    for cell, count in ((("first", "yes"), 5), (("second", "yes"), 3), (("second", "no"), 4)):
        system.says(cell, count, count, cell)
    return system


@pytest.mark.parametrize("few_columns", [1, elastic.FEW_COLUMNS])
def test_more_is_looked_at_where_it_stands_in_the_way(monkeypatch: pytest.MonkeyPatch, few_columns: int) -> None:
    # By the first question alone any number may have said no; by the second there are seven people, of whom five said yes.
    monkeypatch.setattr(elastic, "FEW_COLUMNS", few_columns)
    system, target, hubs = one_group_two_questions(), one(("first", "no"), 0, 10), [("people",)]
    attacked = Attack(system, [target], hubs=hubs)
    assert [found.found for found in attacked.verdicts()] == [Interval(2, 2)]
    cost: dict[Source, float] = {("first", "yes"): 9.0, ("second", "yes"): 2.0, ("second", "no"): 1.0}
    repair = Repair(system, [target], partial(_price, cost), hubs=hubs, around=attacked.around, worlds=attacked.worlds)
    assert repair.cheapest(0, low=False) == {("second", "no")}


def test_looking_at_a_system_does_not_change_it() -> None:
    system = System()
    late, early = system.unknown(("late",)), system.unknown(("early",))
    system.row({early: 2.0, late: 3.0}, 0, 12, "both")
    before = copy.deepcopy(system.compiled())
    Elastic(system.compiled(), {0: one(late)}).possible(np.array([], dtype=np.int64), np.array([False]))
    Attack(system, [one(late)]).verdicts()
    for name in ("start", "index", "weight", "row_least", "row_most", "least", "most"):
        assert np.array_equal(getattr(before, name), getattr(system.compiled(), name))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3), st.integers(0, 9)), min_size=1, max_size=8))
def test_a_programme_that_is_asked_again_says_the_same_as_a_new_one(asked: list[tuple[int, int, int]]) -> None:
    def programme() -> Programme:
        matrix, none = csr_array(np.array([[1.0, 1.0]])), np.zeros(2)
        return Programme(matrix, (np.array([2.0]), np.array([10.0])), (none, none + 8))

    again = programme()
    for one_cost, other_cost, most in asked:
        new = programme()
        for each in (again, new):
            each.costs(np.array([one_cost, other_cost], dtype=np.float64))
            each.bounds(np.array([0]), np.zeros(1), np.array([float(most)]))
        assert again.solve() is new.solve() is Outcome.FOUND
        assert again.value == pytest.approx(new.value)


# --- Many workers, many chunks ----------------------------------------------------------------------------------------


def survey(people: int, exposures: int, levels: int, questions: int) -> tuple[System, list[Target], set[Source]]:
    """Yes, no and missing to many questions in levels of exposures: rounded, small counts hidden with some others."""
    rng = np.random.default_rng(20260101)
    shares = np.exp(-0.4 * np.arange(levels))
    level = rng.choice(levels, (people, exposures), p=shares / shares.sum())
    yes = rng.uniform(0.05, 0.6, questions)
    draws = rng.random((people, questions))
    answer = np.where(draws < 0.95 * yes, 0, np.where(draws < 0.95, 1, 2))
    system, targets, hidden = System(), list[Target](), set[Source]()
    for question in range(questions):
        for part in range(3):
            whole = system.unknown(("all", str(question), str(part)))
            _rounded(system, whole, int((answer[:, question] == part).sum()), whole)
    for exposure, place in product(range(exposures), range(levels)):
        name, here = f"{exposure}-{place}", level[:, exposure] == place
        everybody = system.unknown((name, "people"))
        _rounded(system, everybody, int(here.sum()), everybody)
        for question in range(questions):
            source = (name, str(question))
            counts = [int((here & (answer[:, question] == part)).sum()) for part in range(3)]
            parts = [system.unknown((name, str(question), str(part))) for part in range(3)]
            system.sums(everybody, parts)
            _rounded(system, parts[0], counts[0], source)
            asked = counts[0] + counts[1]
            system.row(dict.fromkeys(parts[:2], 1.0), max(10, asked // 5 * 5), max(10, asked // 5 * 5) + 4, source)
            targets += [one(key) for key, count in zip(parts, counts, strict=True) if 0 < count < 10]
            if 0 < counts[0] < 10 or asked < 10 or rng.random() < 0.3:
                hidden.add(source)
    for exposure, question, part in product(range(exposures), range(questions), range(3)):
        parts = [(f"{exposure}-{place}", str(question), str(part)) for place in range(levels)]
        system.sums(("all", str(question), str(part)), parts)
    hidden |= {(f"{e}-{p}", "people") for e in range(exposures) for p in range(levels) if (level[:, e] == p).sum() < 10}
    return system, targets, hidden


def _rounded(system: System, key: Key, count: int, source: Source) -> None:
    low = 0 if count == 0 else max(10, count // 5 * 5)
    system.says(key, low, 0 if count == 0 else low + 4, source)


def test_verdicts_do_not_depend_on_how_many_work(monkeypatch: pytest.MonkeyPatch) -> None:
    system, targets, hidden = survey(people=400, exposures=2, levels=5, questions=8)
    monkeypatch.setattr(pieces, "CHUNK", 20)
    alone, together = (Attack(system, targets, hidden, workers=n).verdicts() for n in (1, 2))
    assert len(targets) > 60
    assert alone == together
    assert {found.safe for found in alone} == {True, False}
    monkeypatch.setattr(pieces, "CHUNK", 1000)
    at_once = Attack(system, targets, hidden).verdicts()
    assert [found.safe for found in at_once] == [found.safe for found in alone]
    terms = [target.terms for target in targets]
    bounds = exact_bounds(system, terms, hidden)
    for target, found, ends in zip(targets, alone, bounds, strict=True):
        assert not found.safe_low or ends.least <= target.lower
        assert not found.safe_high or ends.most >= target.upper


@pytest.mark.slow
def test_a_large_survey_is_decided() -> None:
    system, targets, hidden = survey(people=2000, exposures=6, levels=10, questions=80)
    assert len(system.keys) > 14_000
    found = Attack(system, targets[:1500], hidden).verdicts()
    assert not any(one.undecided for one in found)
    assert any(one.safe for one in found)


# --- What to take back ------------------------------------------------------------------------------------------------


def test_the_cheapest_way_out_is_taken() -> None:
    hidden = [("ash", "badly"), ("ash", "well"), ("beech", "badly")]
    # Only beech well closes the rectangle at once; where it is dear, two others are taken: of cedar, or what is unsaid.
    ways = (
        (1.0, [{("beech", "well")}]),
        (100.0, [{("cedar", "badly"), ("cedar", "well")}, {("ash", "unsaid"), ("beech", "unsaid")}]),
    )
    for dear, cheapest in ways:
        cost: dict[Source, float] = {("beech", "well"): dear}
        found = cheapest_to_hide(villages(), hidden, {("ash", "badly"): 1.0}, partial(_price, cost), at_least=9)
        assert found in cheapest


def _price(cost: Mapping[Source, float], source: Source) -> float:
    return cost.get(source, 1.0)


def test_nothing_is_taken_back_where_it_is_wide_enough() -> None:
    hidden = [("ash", "badly"), ("ash", "well"), ("beech", "badly"), ("beech", "well")]
    assert cheapest_to_hide(villages(), hidden, {hidden[0]: 1.0}, lambda source: 1.0, at_most=1) == set()


def test_what_is_always_known_cannot_be_taken_back() -> None:
    with pytest.raises(NotPossible):
        cheapest_to_hide(villages(), (), {("ash", "badly"): 1.0}, lambda source: 1.0, at_least=48)


@pytest.mark.parametrize("wish", [{}, {"at_most": 1.0, "at_least": 9.0}])
def test_one_side_is_asked_for_at_a_time(wish: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="either"):
        cheapest_to_hide(villages(), (), {("ash", "badly"): 1.0}, lambda source: 1.0, **wish)


def test_a_survey_is_made_safe_and_the_attack_agrees() -> None:
    system, targets, hidden = survey(people=400, exposures=2, levels=5, questions=4)
    more = until_safe(system, targets, lambda source: 1.0, hidden)
    assert more
    assert not all(found.safe for found in Attack(system, targets, hidden).verdicts())
    assert all(found.safe for found in Attack(system, targets, hidden | more).verdicts())


def test_whole_people_are_minded_when_something_is_taken_back() -> None:
    # Halves of people would do without; in whole numbers one of the three pairs must go.
    assert len(cheapest_to_hide(odd_one(), (), {("extra",): 1.0}, lambda source: 1.0, at_most=0)) == 1


@pytest.mark.parametrize("hub", ["extra", "a"])
def test_whole_people_are_minded_while_hubs_stay_where_they_are(hub: str) -> None:
    system, target, hubs = odd_one(), Target({("extra",): 1.0}, 0, 1), [(hub,)]
    attacked = Attack(system, [target], hubs=hubs)
    assert [found.safe_low for found in attacked.verdicts()] == [False]
    repair = Repair(system, [target], lambda source: 1.0, hubs=hubs, around=attacked.around, worlds=attacked.worlds)
    assert len(repair.cheapest(0, low=True)) == 1


def test_a_table_is_protected_with_a_rectangle() -> None:
    values: dict[Key, float] = {cell: float(count) for cell, count in cells().items()}
    sums: list[tuple[Key, list[Key]]] = [((v, "all"), [(v, sleep) for sleep in SLEEP]) for v in VILLAGES]
    sums += [(("all", sleep), [(village, sleep) for village in VILLAGES]) for sleep in (*SLEEP, "all")]
    for total, parts in sums:
        values[total] = sum(values[part] for part in parts)
    primary: Key = ("ash", "badly")
    more = protect_cells(Table(values, sums), {primary: (3, 5)}, lambda cell: values[cell])
    # Small cells are cheap: of the rectangles through 4, that with 12, 22 and 3 loses the fewest people.
    assert more == {("ash", "unsaid"), ("cedar", "badly"), ("cedar", "unsaid")}
    (least_most,) = exact_bounds(Table(values, sums).system(), [{primary: 1.0}], {primary, *more})
    assert least_most.least <= 1
    assert least_most.most >= 9


def test_a_cell_that_asks_for_no_room_is_refused() -> None:
    with pytest.raises(ValueError, match="some room"):
        protect_cells(Table({("a",): 0.0, ("b",): 0.0}, [(("a",), [("b",)])]), {("a",): (0, 0)})

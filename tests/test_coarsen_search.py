"""The search for levels: as good as the best of all ways on small surveys, and never worse than to merge one by one."""

from collections.abc import Collection, Iterator, Sequence
from itertools import chain, combinations, pairwise
from typing import Any

import numpy as np
import pytest
from builders import item, options
from hypothesis import given, settings
from hypothesis import strategies as st

from survey_pipeline.coarsen import choose_levels
from survey_pipeline.coarsen.needs import Needs
from survey_pipeline.coarsen.stretches import best_stretches
from survey_pipeline.instrument import Group, Item
from survey_pipeline.joining import as_one
from survey_pipeline.levels import atoms
from survey_pipeline.names import NOT_APPLICABLE, NOT_STATED

Part = frozenset[str]
LEAST = np.array([20, 10])


def needs(brings: dict[str, tuple[int, int]], **more: Any) -> Needs:
    """Needs of people and of answers: 20 and 10."""
    return Needs({code: np.array(n) for code, n in brings.items()}, LEAST, **more)


def group(code: str, *members: str) -> dict[str, object]:
    return {"code": code, "label": code.upper(), "of": list(members)}


HIERARCHIES: tuple[list[list[dict[str, object]]], ...] = (
    [],
    [[group("ab", "a", "b", NOT_STATED)]],
    [[group("ab", "a", "b")], [group("abc", "a", "b", "c")]],
    [
        [group("ab", "a", "b"), group("cd", "c", "d")],
        [group("abcd", "a", "b", "c", "d", NOT_STATED), group("e_none", "e", "none")],
    ],
    [[group("rest", "d", "e", "none", NOT_STATED)], [group("all", *"abcde", "none", NOT_STATED)]],
)


def choice(groups: object) -> Item:
    answers = [*options(*"abcde"), {"code": "none", "label": "None", "exclusive": True}]
    return Item.model_validate(item("Form", "choice", "exposure", options=answers, groups=groups))


counts = st.tuples(st.sampled_from([0, 3, 9, 10, 15, 20, 25, 40]), st.integers(0, 4)).map(
    lambda n: (n[0], n[0] * n[1] // 4)
)
answered = st.fixed_dictionaries(dict.fromkeys([*"abcde", "none", NOT_STATED], counts))


class Judged:
    """How good a way to cut an item is, worked out from plain sets of codes."""

    def __init__(self, item: Item, brings: dict[str, tuple[int, int]]) -> None:
        self.brings = brings
        self.groups = [frozenset(one.of) for step in item.groups for one in step]
        self.units = [frozenset([code]) for code, n in brings.items() if code != NOT_STATED or n[0]]

    def total(self, part: Collection[str], component: int = 0) -> int:
        return sum(self.brings[code][component] for code in part)

    def met(self, part: Collection[str]) -> bool:
        return self.total(part) >= 20 and self.total(part, 1) >= 10

    def rank(self, parts: Collection[Part]) -> tuple[int, ...]:
        there = [part for part in parts if self.total(part)]
        met = [part for part in parts if self.met(part)]
        named = sum(self.total(part) for part in met if len(part) == 1 or part in self.groups)
        return len(met) - len(there), len(met), named, -sum(self.total(part) ** 2 for part in parts)

    def every_way(self) -> Iterator[list[Part]]:
        """Any groups that do not overlap, and any pool that leaves no level too small, or all in the pool."""
        for n in range(len(self.groups) + 1):
            for chosen in combinations(dict.fromkeys(self.groups), n):
                if any(one & other for one, other in combinations(chosen, 2)):
                    continue
                taken = frozenset(chain.from_iterable(chosen))
                yield from self._pools([*chosen, *(unit for unit in self.units if not unit <= taken)])

    def _pools(self, parts: Sequence[Part]) -> Iterator[list[Part]]:
        free = [part for part in parts if part != {"none"}]
        for n in range(len(free) + 1):
            for pool in combinations(free, n):
                rest = [part for part in free if part not in pool]
                pooled = [frozenset(chain.from_iterable(pool))] if pool else []
                if not rest or all(map(self.met, [*rest, *pooled])):
                    yield [*rest, *pooled, *(part for part in parts if part == {"none"})]

    def one_by_one(self, groups: Sequence[Sequence[Group]]) -> list[Part]:
        """Each level that is too small goes up to its groups step by step, and then into a pool with the smallest others."""
        levels = list(self.units)
        for step in groups:
            small = frozenset(chain.from_iterable(part for part in levels if not self.met(part)))
            taken = [frozenset(one.of) for one in step if small & set(one.of)]
            gone = frozenset(chain.from_iterable(taken))
            levels = [*(part for part in levels if not part <= gone), *taken]
        free = sorted((part for part in levels if part != {"none"}), key=self.total)
        pool, fine = [part for part in free if not self.met(part)], [part for part in free if self.met(part)]
        while pool and fine and not self.met(frozenset(chain.from_iterable(pool))):
            pool.append(fine.pop(0))
        pooled = [frozenset(chain.from_iterable(pool))] if pool else []
        return [*fine, *pooled, *(part for part in levels if part == {"none"})]


@pytest.mark.parametrize("groups", HIERARCHIES, ids=range(len(HIERARCHIES)))
@settings(max_examples=60)
@given(brings=answered)
def test_no_way_to_cut_answers_is_better(
    groups: list[list[dict[str, object]]], brings: dict[str, tuple[int, int]]
) -> None:
    asked, judged = choice(groups), Judged(choice(groups), brings)
    found = [frozenset(level.members) for level in choose_levels(asked, needs(brings))]
    best = max(judged.rank(way) for way in judged.every_way())
    assert judged.rank(found) == best
    before = judged.rank(judged.one_by_one(asked.groups))
    assert best[:2] >= before[:2] and best[1] >= before[1]
    everybody = [code for part in found for code in part]
    assert len(everybody) == len(set(everybody)) and {code for code, n in brings.items() if n[0]} <= set(everybody)
    free = [part for part in found if part != {"none"}]
    assert len(free) == 1 or all(map(judged.met, free))


@settings(max_examples=30)
@given(brings=answered)
def test_answers_that_exclude_all_others_are_merged_only_as_declared(brings: dict[str, tuple[int, int]]) -> None:
    for groups in HIERARCHIES:
        declared = [frozenset(one.of) for step in choice(groups).groups for one in step if "none" in one.of]
        for level in choose_levels(choice(groups), needs(brings)):
            if "none" in level.members and len(level.members) > 1:
                assert any(set(level.members) >= one for one in declared)


# --- Bands ---------------------------------------------------------------------------------------------------------------


def banded(n: int, **more: object) -> Item:
    bands = [{"code": f"b{at}", "label": f"B{at}", "below": at + 1} for at in range(n - 1)] + [
        {"code": "last", "label": "Last"}
    ]
    return Item.model_validate(item("Dose", "number", "exposure", bands=bands, **more))


def every_cut(n: int) -> Iterator[tuple[tuple[int, int], ...]]:
    for k in range(n):
        for starts in combinations(range(1, n), k):
            yield tuple(pairwise((0, *starts, n)))


@settings(max_examples=150)
@given(st.lists(counts, min_size=1, max_size=8))
def test_no_way_to_join_bands_is_better(bands: list[tuple[int, int]]) -> None:
    def worth(start: int, end: int) -> tuple[int, int] | None:
        people, answers = (sum(band[at] for band in bands[start:end]) for at in (0, 1))
        return (1, -(people**2)) if people >= 20 and answers >= 10 else None

    def rank(cut: Sequence[tuple[int, int]]) -> tuple[object, ...] | None:
        worths = [worth(*stretch) for stretch in cut]
        if None in worths:
            return None
        sums = tuple(map(sum, zip(*(one for one in worths if one), strict=True)))
        return sums, tuple(start for start, _ in cut)

    ways = [(rank(cut), cut) for cut in every_cut(len(bands)) if rank(cut) is not None]
    best = max(ways, key=lambda way: way[0] or ())[1] if ways else None
    assert best_stretches(len(bands), worth) == best
    brings = {f"stretch_{at}": band for at, band in enumerate(bands)}
    found = [len(level.members) for level in choose_levels(banded(len(bands)), needs(brings))]
    assert found == [end - start for start, end in best or ((0, len(bands)),)]


@settings(max_examples=80)
@given(st.lists(counts, min_size=1, max_size=8))
def test_bands_are_never_fewer_than_by_joining_the_smallest_first(bands: list[tuple[int, int]]) -> None:
    brings = {f"stretch_{at}": band for at, band in enumerate(bands)}
    joined = list(bands)
    while len(joined) > 1 and (small := [at for at, band in enumerate(joined) if band[0] < 20 or band[1] < 10]):
        at = min(small, key=lambda one: joined[one][0])
        left = min(
            (one for one in (at - 1, at) if 0 <= one < len(joined) - 1),
            key=lambda one: joined[one][0] + joined[one + 1][0],
        )
        pair = joined[left : left + 2]
        joined[left : left + 2] = [(pair[0][0] + pair[1][0], pair[0][1] + pair[1][1])]
    assert len(choose_levels(banded(len(bands)), needs(brings))) >= len(joined)


def test_joining_the_smallest_first_can_keep_fewer_levels() -> None:
    # One by one: 10 joins 11, then 12 joins these, and the other 12 joins 20. All at once: 12 + 11, 10 + 12, 20.
    brings = {f"stretch_{at}": (n, n) for at, n in enumerate([12, 11, 10, 12, 20])}
    assert [len(level.members) for level in choose_levels(banded(5), needs(brings))] == [2, 2, 1]


def test_people_outside_every_band_are_pooled_by_themselves() -> None:
    condition = {"item": "route", "values": ["oral"], "otherwise": "No dose"}
    asked = banded(2, applies_if=condition)
    brings = {"stretch_0": (20, 20), "stretch_1": (20, 20), NOT_STATED: (3, 3), NOT_APPLICABLE: (40, 40)}
    labels = [level.label for level in choose_levels(asked, needs(brings))]
    assert labels == ["B0", "Last", "No dose or not stated"]


# --- Means beside a hidden number ----------------------------------------------------------------------------------------


def test_of_ways_as_fine_the_one_whose_means_can_be_shown_is_taken() -> None:
    # Of 25 people 22 answered: 3 left the question out, which is hidden, and 25 are too few for a mean beside it.
    brings = {"stretch_0": (25, 22), "stretch_1": (10, 10), "stretch_2": (22, 22)}
    plain = choose_levels(banded(3), needs(brings))
    easy = choose_levels(banded(3), needs(brings, averaged=(1,), few=10, roomy=30))
    assert [level.label for level in plain] == ["B0", "1 or more"]
    assert [level.label for level in easy] == ["Under 2", "Last"]
    # It takes no level away: it only chooses among ways that keep as many.
    assert (
        len(
            choose_levels(
                banded(2), needs({"stretch_0": (25, 22), "stretch_1": (25, 22)}, averaged=(1,), few=10, roomy=30)
            )
        )
        == 2
    )


@pytest.mark.parametrize(
    ("people", "answers", "easy"), [(29, 29, True), (29, 28, False), (29, 20, False), (29, 19, True), (30, 21, True)]
)
def test_means_are_easy_where_nobody_or_enough_left_the_question_out_or_there_is_room(
    people: int, answers: int, easy: bool
) -> None:
    found = needs({"stretch_0": (people, answers)}, averaged=(1,), few=10, roomy=30)
    assert found.is_easy(atoms(banded(1))[0]) == easy


# --- The bound -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_pairs", [10, 20])
def test_ten_pairs_are_searched_in_full_and_twenty_are_done_in_no_time_too(n_pairs: int) -> None:
    codes = [f"o{at}" for at in range(2 * n_pairs)]
    groups = [[group(f"g{at}", codes[2 * at], codes[2 * at + 1]) for at in range(n_pairs)]]
    asked = Item.model_validate(item("Form", "choice", "exposure", options=options(*codes), groups=groups))
    # One of each pair is too small: the more levels are kept, the more of these are pooled, and that is found at once.
    brings = {code: (9 if at % 2 else 30, 30) for at, code in enumerate(codes)}
    assert len(choose_levels(asked, needs(brings))) == n_pairs + 1


# --- Names ---------------------------------------------------------------------------------------------------------------


ENDS = [
    {"code": "a", "label": "A", "below": 100},
    {"code": "b", "label": "B", "up_to": 200},
    {"code": "c", "label": "C", "up_to": 300},
    {"code": "d", "label": "D", "below": 400.5},
    {"code": "e", "label": "E"},
]


@pytest.mark.parametrize(
    ("first", "last", "unit", "expected"),
    [
        (0, 1, "mg/day", "Up to 200 mg/day"),
        (0, 3, "mg/day", "Under 400.5 mg/day"),
        (1, 2, "mg/day", "100 to 300 mg/day"),
        (1, 3, "mg/day", "100 to under 400.5 mg/day"),
        (2, 3, "mg/day", "Over 200 and under 400.5 mg/day"),
        (1, 4, "mg/day", "100 mg/day or more"),
        (3, 4, "mg/day", "Over 300 mg/day"),
        (0, 4, "mg/day", "Any value"),
        (0, 1, "", "Up to 200"),
        (0, 1, "0-10", "Up to 200"),
        (2, 2, "mg/day", "C"),
    ],
)
def test_joined_bands_are_called_by_where_they_begin_and_end(first: int, last: int, unit: str, expected: str) -> None:
    asked = Item.model_validate(item("Dose", "number", "exposure", bands=ENDS, unit=unit))
    parts = choose_levels(asked, needs({f"stretch_{at}": (20, 20) for at in range(5)}))
    assert as_one(asked, parts[first : last + 1]).label == expected


def test_joined_bands_that_the_instrument_has_a_name_for_are_called_by_it() -> None:
    wider = [[{"code": "low", "label": "At most 200, as on the tin", "up_to": 200}, {"code": "high", "label": "More"}]]
    asked = Item.model_validate(item("Dose", "number", "exposure", bands=ENDS, wider_bands=wider))
    brings = {f"stretch_{at}": (n, n) for at, n in enumerate([19, 20, 20, 20, 20])}
    found = choose_levels(asked, needs(brings))
    assert (found[0].code, found[0].label) == ("low", "At most 200, as on the tin")
    assert [level.merged for level in found] == [True, False, False, False]


def test_a_name_that_another_band_has_is_not_taken() -> None:
    wider = [[{"code": "low", "label": "Up to 200", "up_to": 300}, {"code": "high", "label": "More"}]]
    asked = Item.model_validate(item("Dose", "number", "exposure", bands=ENDS, wider_bands=wider))
    finest = choose_levels(asked, needs({f"stretch_{at}": (20, 20) for at in range(5)}))
    assert as_one(asked, finest[:2]).label == "A or B"


def test_merged_answers_are_named_in_the_order_of_the_instrument_with_groups_as_a_whole() -> None:
    asked = choice(HIERARCHIES[1])
    by_code = {atom.code: atom for atom in atoms(asked)}
    one = as_one(asked, [by_code[code] for code in ("d", NOT_STATED, "b", "c")])
    assert (one.label, one.members) == ("B, C, D or not stated", ("b", "c", "d", NOT_STATED))
    assert as_one(asked, [by_code[code] for code in ("d", NOT_STATED, "b", "a")]).label == "AB or D"
    assert as_one(asked, [by_code[code] for code in ("b", "a", NOT_STATED)]).code == "ab"
    assert as_one(asked, [by_code["a"]]) is by_code["a"]

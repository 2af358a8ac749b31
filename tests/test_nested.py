"""Which counts lie within which, and those between two of them: as a release's readers see them, and as they truly are."""

from typing import Any

import pytest
from attacks.worlds import asked, released, table
from builders import item, percent, scale

from survey_pipeline.outcomes import exposures
from survey_pipeline.proof.nested import nested

LIMITS = [{"code": str(mg), "label": f"Above {mg}", "above": mg, "source": "test"} for mg in (350, 250)]


def points(name: str, much: float) -> dict[str, Any]:
    return {"name": name, "label": name, "source": "test", "points": much}


def at(name: str, **rule: float) -> dict[str, Any]:
    return {"name": name, "label": name, "source": "test", **rule}


def pairs(question: str, **items: Any) -> set[tuple[str, str]]:
    """What lies within what, in words: first the many, then the few."""
    instrument = asked(table(question, exposure=None), **items)
    outcomes = {one.name: one for found in exposures(instrument).values() for one in found}
    found = [
        pair for one in outcomes.values() if one.item == question for pair in nested(one, instrument.items[question])
    ]
    return {tuple(f"{'not ' * (side.counted == 'others')}{side.words}" for side in pair) for pair in found}  # type: ignore[misc]


@pytest.mark.parametrize(
    ("thresholds", "expected"),
    [
        ([at("seven", at_least=7)], set()),
        ([at("seven", at_least=7), at("five", at_least=5)], {("mood five", "mood seven")}),
        ([at("seven", at_least=7), at("low", at_most=3)], {("not mood low", "mood seven")}),
        ([at("low", at_most=3), at("lower", at_most=1)], {("not mood lower", "not mood low")}),
        ([at("seven", at_least=7), at("six", at_most=6)], set()),
        ([percent("third", 30), points("two", 2)], set()),
        ([percent("half", 50), percent("third", 30)], {("mood third", "mood half")}),
        ([points("two", 2), points("one", 1)], {("mood one", "mood two")}),
    ],
    ids=["one", "up", "up and down", "down", "the same", "of two kinds", "per cent", "points"],
)
def test_thresholds_lie_within_each_other(thresholds: list[dict[str, Any]], expected: set[tuple[str, str]]) -> None:
    before = item("Before", "scale", "baseline", minimum=0, maximum=10)
    mood = scale("Mood", baseline="before", better="higher", thresholds=thresholds)
    assert pairs("mood", mood=mood, before=before) == expected


def test_points_of_a_curve_lie_among_the_thresholds() -> None:
    before = item("Before", "scale", "baseline", minimum=0, maximum=10)
    mood = scale(
        "Mood", baseline="before", better="higher", thresholds=[percent("third", 30)], responder_curve=[20, 30, 40]
    )
    found = pairs("mood", mood=mood, before=before)
    assert found == {
        ("mood improved_20", "mood third"),
        ("mood third", "mood improved_40"),
        ("mood improved_20", "mood improved_40"),
    }


def test_limits_lie_within_each_other_in_whatever_order_they_are_declared() -> None:
    dose = item("Dose", "number", "exposure", bands=[{"code": "any", "label": "Any"}], limits=LIMITS)
    assert pairs("dose", dose=dose) == {("dose__above_250", "dose__above_350")}


def certified(*groups: tuple[int, int]) -> set[tuple[str, str, int, int | None]]:
    """What the certificate says of those between two thresholds, at 5 and at 7, when so many people gave these answers."""
    mood = scale("Mood", better="higher", thresholds=[at("five", at_least=5), at("seven", at_least=7)])
    release = released(
        asked(table("mood", exposure=None), mood=mood), *((n, {"mood": float(said)}) for n, said in groups)
    )
    assert release.proof is not None
    counts = release.proof.hidden_counts
    return {(each.statistic, each.counted, each.least, each.most) for each in counts if "but not" in each.counted}


BETWEEN = ("five", "events but not events of mood seven")


@pytest.mark.parametrize(
    ("beyond", "between", "expected"),
    [
        (30, 0, {(*BETWEEN, 1, 4)}),  # 30 and 30: at most 4 are between, and nobody is
        (30, 1, set()),  # the same, but somebody is: one of the two is hidden, and says nothing
        (30, 2, set()),
        (30, 3, {(*BETWEEN, 1, None)}),  # 35 and 30: from 1 to 9
        (28, 9, {(*BETWEEN, 1, None)}),
        (32, 9, set()),  # 40 and 30: from 6 to 14
        (32, 10, {(*BETWEEN, 6, None)}),  # the same, but they are enough to be told
    ],
)
def test_a_certificate_says_what_is_left_to_those_between(
    beyond: int, between: int, expected: set[tuple[Any, ...]]
) -> None:
    assert certified((40, 2), (between, 6), (beyond, 8)) == expected


def test_those_far_apart_are_in_no_certificate() -> None:
    assert certified((40, 2), (40, 6), (30, 8)) == set()

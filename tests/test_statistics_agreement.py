"""Ours agree with R's figures to ten significant digits, and the page that says so is up to date."""

from math import inf
from pathlib import Path

import pytest
from agreement.entry import Entry
from agreement.reference import ARE_AT_HAND
from agreement.table import all_entries, not_compared, page, rounded_up

with_reference = pytest.mark.skipif(not ARE_AT_HAND, reason="the reference figures are not at hand")
PAGE = Path(__file__).parents[1] / "docs" / "agreement.md"


@with_reference
def test_every_figure_agrees_and_the_page_is_up_to_date() -> None:
    entries = all_entries()
    differing = [(e.code, e.reference, e.ours, e.theirs) for e in entries if not e.agrees]
    assert not differing
    assert len(entries) >= 370
    assert page(entries, not_compared()) == PAGE.read_text(encoding="utf-8")


@with_reference
def test_less_than_ten_digits_is_asked_of_few() -> None:
    lax = [entry for entry in all_entries() if entry.accuracy > 1e-10 and entry.reference.startswith("base_reference")]
    assert {entry.reference.split()[2] for entry in lax} == {"effectsize_hedges_g"}


def differs_by(ours: float | None, theirs: float | None) -> float:
    return Entry("mean", "mean", "somewhere", ours, theirs).relative_difference


def test_how_far_two_figures_differ() -> None:
    assert differs_by(11, 10) == pytest.approx(0.1)
    assert differs_by(1e-12, 0) == 1e-12
    assert differs_by(None, None) == 0
    assert differs_by(None, 1) == differs_by(1, None) == inf
    assert not Entry("mean", "mean", "somewhere", 1 + 2e-10, 1).agrees
    assert Entry("mean", "mean", "somewhere", 1 + 2e-10, 1, accuracy=1e-9).agrees


@pytest.mark.parametrize(
    ("difference", "shown"),
    [
        (0, "1e-13"),
        (1e-13, "1e-13"),
        (1.1e-13, "1e-12"),
        (2.8e-7, "1e-6"),
        (1e-6, "1e-6"),
        (inf, "not defined in one of them"),
    ],
)
def test_differences_are_rounded_up(difference: float, shown: str) -> None:
    assert rounded_up(difference) == shown

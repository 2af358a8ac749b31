"""Defences: what keeps each attack from finding anything, and how to switch it off.

What belongs here: the name of one function or constant of the pipeline, and what stands in its place. What does not: which
attack it stops (`test_attacks`).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import reduce
from importlib import import_module
from typing import Any

import polars as pl
import pytest

from survey_pipeline import names
from survey_pipeline.names import N_EVENTS, N_RESPONDENTS, Status
from survey_pipeline.release import Policy
from survey_pipeline.statistics import Estimated
from survey_pipeline.statistics import share as share_of

Instead = Callable[[Any], Any]
DISCLOSE = "survey_pipeline.disclose"
PUBLISHED, ASSEMBLE = f"{DISCLOSE}.published", "survey_pipeline.assemble"


@dataclass(frozen=True)
class Defence:
    """What it does, where it is (`module`, and a name that may lie in a class), and what stands there without it; that is
    made of what stood there.
    """

    does: str
    module: str
    name: str
    instead: Instead

    def off(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Switch it off until `monkeypatch` is undone."""
        *path, name = self.name.split(".")
        holder: Any = reduce(getattr, path, import_module(self.module))
        monkeypatch.setattr(holder, name, self.instead(getattr(holder, name)))


def always(result: Any) -> Instead:
    """A function that gives the same whatever it is asked."""
    return lambda _: lambda *_, **__: result


# --- What is hidden -----------------------------------------------------------------------------------------------------


def _yes_alone(real: Any) -> Any:
    """Only those whom a share counts must be enough."""

    def too_small(row: dict[str, Any], policy: Policy) -> bool:
        n_events = row[N_EVENTS]
        return bool(real(row, policy)) if n_events is None else n_events < policy.min_n

    return too_small


def _small_ones_alone(_: Any) -> Any:
    return lambda everybody, sizes, gone, policy: gone | {level for level, n in sizes.items() if n < policy.min_n}


PROOF = Defence(
    "the proof", ASSEMBLE, "proved", lambda _: lambda make, exact, told, earlier=(): make(set())
)  # the release as it is made before it is attacked
TOGETHER = Defence(
    "the proof together with earlier releases",
    ASSEMBLE,
    "proved",
    lambda real: lambda make, exact, told, earlier=(): real(make, exact, told),
)
PROTECT = Defence("hiding what would give a hidden count away", DISCLOSE, "protect", always(None))
SHIELDS = Defence("hiding a level that shields a small one", f"{DISCLOSE}.levels", "levels_to_hide", _small_ones_alone)
LINKS = Defence("knowing how questions hang together", f"{DISCLOSE}.links", "Links.sums", always([]))
BOTH_SIDES = Defence("counting both sides of a share", DISCLOSE, "too_small", _yes_alone)
ENOUGH_TOGETHER = Defence(
    "hiding means of 20 people together", f"{DISCLOSE}.protect", "Board.too_few_together", always([])
)
QUARTILES = Defence("hiding quartiles beside a hidden threshold", DISCLOSE, "hide_quartiles", always(None))
NO_EXTREMES = Defence(
    "making no minimum and no maximum",
    "survey_pipeline.estimate.figures",
    "QUARTILES",
    lambda _: (("minimum", 1e-3), ("maximum", 1 - 1e-3)),
)
STAGES = Defence("hiding rows at other stages", f"{DISCLOSE}.stages", "_are_stages_safe", always(True))
POLICY = Defence(
    "at least 10 people, and 20 for a mean",
    "attacks.worlds",
    "POLICY",
    lambda _: Policy(name="none", min_n=1, min_n_for_statistics=1, rounding_base=1),
)


BETWEEN = Defence("guarding those between two numbers", "survey_pipeline.proof.behind", "_between", always([]))


# --- What is rounded ----------------------------------------------------------------------------------------------------


def _exact_share(_: Any) -> Any:
    def rounded(row: dict[str, Any], _n: int, _policy: Policy) -> Estimated:
        found = share_of(row[N_EVENTS], row[N_RESPONDENTS])
        return Estimated(*(None if number is None else round(number, 4) for number in vars(found).values()))

    return rounded


ROUNDING = Defence("rounding counts", PUBLISHED, "round_count", lambda _: lambda count, _policy: count)
TOLD_N = Defence(
    "telling how many were asked", PUBLISHED, "told_people", lambda _: lambda row, _policy: row[N_RESPONDENTS]
)
ROUNDED_SHARES = Defence("making shares of rounded counts", PUBLISHED, "_rounded_share", _exact_share)
FEW_DIGITS = Defence("as many digits as n supports", PUBLISHED, "decimals_for", lambda _: lambda _n: 6)
ROUNDED_INTERVALS = Defence("making intervals with the rounded n", PUBLISHED, "MEANS", lambda _: ())

# --- One release and another --------------------------------------------------------------------------------------------

APART = Defence(
    "holding back what differs by a few people", "survey_pipeline.released_people", "too_near", always(None)
)
ONE_CUT = Defence("cutting the same people in one way", ASSEMBLE, "_refuse_cut_anew", always(None))


# --- Files and messages -------------------------------------------------------------------------------------------------


def _with_numbers(real: Any) -> Any:
    """A hidden row that keeps its numbers and is marked as hidden alone."""

    def published(row: dict[str, Any], hide: bool, policy: Policy) -> dict[str, Any]:
        found: dict[str, Any] = real(row, False, policy)
        return {**found, names.STATUS: Status.SUPPRESSED} if hide else found

    return published


def _with_every_value(real: Any) -> Any:
    def alternative(found: Any, view: Any) -> str:
        return " ".join([real(found, view), *(f"{row.level}: {row.estimate}." for row in found.levels)])

    return alternative


def _named_after_its_levels(real: Any) -> Any:
    def chart(found: Any, view: Any) -> Any:
        made = real(found, view)
        return replace(made, name="-".join([made.name, *(row.level for row in found.shown)]))

    return chart


def _by_what_was_written(real: Any) -> Any:
    """Refused answers counted by what was written instead of the rule that it breaks."""

    def count(self: Any, export: Any, n_read: int, part: Any) -> None:
        written = part.quarantine.with_columns(pl.col(names.VALUE).fill_null("").alias(names.RULE))
        real(self, export, n_read, replace(part, quarantine=written))

    return count


EMPTY = Defence("emptying hidden rows", DISCLOSE, "published", _with_numbers)
NOT_DRAWN = Defence("drawing no row that is marked", "survey_pipeline.render.view", "NO_NUMBERS", lambda _: ())
WORDS_ALONE = Defence(
    "no number in words for a drawing", "survey_pipeline.render.alternatives", "comparison", _with_every_value
)
PLAIN_NAMES = Defence(
    "naming files after tables and questions",
    "survey_pipeline.render.upper_levels",
    "comparison_chart",
    _named_after_its_levels,
)
KIND_AND_PLACE = Defence(
    "telling of a fault its kind and place only", "survey_pipeline.console", "fault", lambda _: lambda error: str(error)
)
BY_RULE = Defence(
    "counting what was refused by its rule", "survey_pipeline.reading", "Reading._count", _by_what_was_written
)
IGNORED = Defence(
    "keeping what a run makes out of the repository",
    "attacks.in_files",
    "IGNORED",
    lambda real: "\n".join(line for line in real.splitlines() if "reports" not in line and "warehouse" not in line),
)

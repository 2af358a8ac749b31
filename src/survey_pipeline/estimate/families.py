"""Families: which tests are looked at together, and what that does to their p-values.

What belongs here: the families, the ladder of published p-values, and adjusting a frame. What does not: the adjustments'
formulas (`statistics.multiplicity`).
"""

from collections.abc import Sequence

import polars as pl

from survey_pipeline import names, statistics

PRIMARY, GRID = "primary", "grid"
ADJUSTMENTS = {PRIMARY: ("holm", statistics.holm), GRID: ("benjamini_hochberg", statistics.benjamini_hochberg)}
"""Holm for the few tests declared beforehand, Benjamini and Hochberg for all others."""
FAMILY, FAMILY_SIZE, P_ADJUSTED, ADJUSTMENT = "family", "family_size", "p_adjusted", "adjustment"
LADDER = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Published p-values are those of the exact answers, rounded up to this ladder: more digits would tell more of the answers
than of the finding. So the exact p-value never lies above the published one.
"""


def on_ladder(p: float | None) -> float | None:
    """The first step of the ladder that is not below p."""
    return None if p is None else next(step for step in LADDER if p <= step)


def adjusted(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame (columns `family` and `p_value`) with family size, adjusted p-value and adjustment.

    A family is all of the frame's rows of that name with a p-value; rows without one are in no family.
    """
    p_values, families = frame[names.P_VALUE].to_list(), frame[FAMILY].to_list()
    size: list[int | None] = [None] * frame.height
    found: list[float | None] = [None] * frame.height
    for family, (_, adjust) in ADJUSTMENTS.items():
        places = [i for i, p in enumerate(p_values) if p is not None and families[i] == family]
        for place, p in zip(places, adjust([p_values[i] for i in places]), strict=True):
            size[place], found[place] = len(places), p
    inside = pl.col(names.P_VALUE).is_not_null()
    labels = {family: label for family, (label, _) in ADJUSTMENTS.items()}
    return frame.with_columns(
        pl.when(inside).then(pl.col(FAMILY)).alias(FAMILY),
        pl.Series(FAMILY_SIZE, size, pl.Int64),
        pl.Series(P_ADJUSTED, found, pl.Float64),
        pl.when(inside)
        .then(pl.col(FAMILY).replace_strict(labels, default=None, return_dtype=pl.String))
        .alias(ADJUSTMENT),
    )


def laddered(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with both p-values on the ladder."""
    return frame.with_columns(
        pl.Series(name, [on_ladder(p) for p in frame[name]], pl.Float64) for name in (names.P_VALUE, P_ADJUSTED)
    )


def worst(statuses: Sequence[str | None]) -> str:
    """The strongest word that is said of any of several rows; a row that is not there is not asked."""
    order = [str(status) for status in names.Status]
    return min(
        (status or names.Status.NOT_ASKED for status in statuses), key=order.index, default=names.Status.NOT_ASKED
    )

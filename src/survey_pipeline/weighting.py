"""Weights: how much each answer counts, so that those who answered make up the group as it is known to be.

What belongs here: making weights from margins, or from those that came with the answers. Weights are made of a wave's cells,
not of its rows: everybody who gave the same answers to the items of the margins has the same weight, so the different answers
and how many people gave them are all that is needed, and in whatever order the rows come, the weights are the same to the
last bit. The arithmetic is the `svy` package's. What does not: estimates with weights (`statistics`, `design`).
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl

from survey_pipeline.count import level_place
from survey_pipeline.errors import InputRefused
from survey_pipeline.instrument import Instrument, Item, Margin, Role, Weighting
from survey_pipeline.levels import ByItem, partitions
from survey_pipeline.names import ITEM, N_RESPONDENTS, WEIGHT

if TYPE_CHECKING:
    import svy

Numbers = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
Group = str | int | float | bool
"""A group's code; always a text, but `svy` takes others too."""
Shares = dict[Group, int | float]
"""The share of each group of an item, by its code."""

CONVERGED = 1e-12
"""Raking stops when every margin is met to this part of its share."""
MOST_ROUNDS = 10_000
"""Rounds after which raking is given up: margins that fit together need a few dozen."""

MARGIN_FIT_SCHEMA: dict[str, type[pl.DataType]] = {
    ITEM: pl.String,
    "answer": pl.String,
    N_RESPONDENTS: pl.Int64,
    "declared_share": pl.Float64,
    "share_unweighted": pl.Float64,
    "share_weighted": pl.Float64,
}
"""How well the weights fit the margins. `answer` is a level's code, such as not_stated; `declared_share` is null where the
margin says nothing of an answer. Shares are parts of everybody in the wave, from 0 to 1."""


# --- Cells -------------------------------------------------------------------------------------------------------------


def margin_items(instrument: Instrument) -> tuple[str, ...]:
    """The items that weights are made of: those of the margins, or the one that holds the weight. None without weights.

    Raises `InputRefused` if one of them is not asked in the wave for which the instrument holds.
    """
    weighting = instrument.weighting
    if weighting is None:
        return ()
    found = tuple(margin.item for margin in weighting.margins) or instrument.weight_items
    for name in found:
        if name not in instrument.asked:
            raise InputRefused(
                f"Answers are weighted by the item '{name}', which is not asked in this wave.",
                "Ask it again, or read this wave with an instrument whose [weighting] does without it.",
            )
    return found


def columns_needed(instrument: Instrument) -> list[str]:
    """The columns of the responses that weights are made of."""
    items = {name: instrument.items[name] for name in margin_items(instrument)}
    asked = {c.item for item in items.values() if (c := item.applies_if)} & set(instrument.stored)
    conditions = {name: instrument.items[name] for name in sorted(asked)}
    return [column for name, item in (items | conditions).items() for column in item.columns(name)]


def count_cells(batches: Iterable[pl.DataFrame], instrument: Instrument) -> pl.DataFrame:
    """The different answers to the items that weights are made of, and how many gave them: a column an item (`group_of`; the
    group's code, or the weight itself) and n_respondents (Int64). Sorted, and the same however the wave is cut into batches.
    """
    items = [group_of(name) for name in margin_items(instrument)]
    n = pl.len().cast(pl.Int64).alias(N_RESPONDENTS)
    parts = [batch.select(_groups(instrument)).group_by(items).agg(n) for batch in batches]
    return pl.concat(parts).group_by(items).agg(pl.col(N_RESPONDENTS).sum()).sort(items)


def attach(batch: pl.DataFrame, cell_weights: pl.DataFrame, instrument: Instrument) -> pl.DataFrame:
    """A batch of responses with the column `weight`, from the weights of its wave's cells (see `cell_weights`)."""
    items = [group_of(name) for name in margin_items(instrument)]
    people = batch.select(_groups(instrument))
    found = people.join(cell_weights.select(*items, WEIGHT), on=items, how="left", maintain_order="left")
    return batch.with_columns(found[WEIGHT])


def weights(rows: pl.DataFrame, instrument: Instrument) -> pl.Series:
    """The weight of each row of a whole wave: Float64, above 0, 1 on average. Without weights everybody weighs 1.

    `rows` holds at least `columns_needed`. Raises `InputRefused` as `cell_weights` does.
    """
    if not instrument.is_weighted:
        return pl.repeat(1.0, rows.height, eager=True, dtype=pl.Float64).alias(WEIGHT)
    cells = cell_weights(count_cells([rows], instrument), instrument)
    return attach(rows, cells, instrument)[WEIGHT]


def group_of(item: str) -> str:
    """The column of the cells that says in which group of an item people are; an item may itself be called "weight"."""
    return f"group of {item}"


def _groups(instrument: Instrument) -> list[pl.Expr]:
    return [_group(name, instrument).alias(group_of(name)) for name in margin_items(instrument)]


def _group(name: str, instrument: Instrument) -> pl.Expr:
    """The code of the finest declared level that each person is in; of a weight, the weight."""
    item = instrument.items[name]
    if item.role is Role.WEIGHT:
        return pl.col(name).cast(pl.Float64)
    by = ByItem(name, item)
    codes = {member: level.code for level in by.partitions[0] for member in level.members}
    by_place = {place: codes[atom.code] for place, atom in enumerate(by.atoms)}
    return level_place(by, instrument).replace_strict(by_place, return_dtype=pl.String)


# --- Weights -----------------------------------------------------------------------------------------------------------


def cell_weights(cells: pl.DataFrame, instrument: Instrument) -> pl.DataFrame:
    """The cells of a wave (see `count_cells`) with the weight of each of their people: Float64, 1 on average over the wave.

    Raises `InputRefused` if nobody gave an answer that has a share, if no weights fit all margins, or if a weight that came
    with an answer cannot be used.
    """
    weighting = instrument.weighting
    if weighting is None or cells.is_empty():
        return cells.with_columns(pl.lit(1.0).alias(WEIGHT))
    margins = bool(weighting.margins)
    raw = _fitted(cells, weighting, instrument) if margins else _given(cells, margin_items(instrument)[0])
    n = cells[N_RESPONDENTS].to_numpy()
    even = raw * (n.sum() / (raw @ n))
    return cells.with_columns(pl.Series(WEIGHT, _trimmed(even, n, weighting.trim), dtype=pl.Float64))


def _given(cells: pl.DataFrame, item: str) -> Numbers:
    """The weights that came with the answers. Rows without one were set aside on the way in."""
    given = pl.col(group_of(item))
    usable = (given > 0) & given.is_finite()
    if not cells.select(usable.fill_null(False).all()).item():
        raise InputRefused(
            f"An answer has a weight in '{item}' that is missing, infinite or not above 0.",
            "Give the item `required = true` and a `minimum` above 0, so that such rows are set aside and counted.",
        )
    return cells[group_of(item)].to_numpy()


def _fitted(cells: pl.DataFrame, weighting: Weighting, instrument: Instrument) -> Numbers:
    """Weights that fit the margins: raking (Deming and Stephan 1940), or post-stratification, which is one round of it."""
    from svy.errors import WeightingError

    groups = cells.with_columns(pl.col(N_RESPONDENTS).cast(pl.Float64))
    targets = {
        group_of(margin.item): _target(margin, groups, instrument.items[margin.item]) for margin in weighting.margins
    }
    try:
        totals = _adjusted(groups, targets, weighting.method)
    except WeightingError:
        raise InputRefused(
            "No weights fit all margins at once: some combinations of answers that the margins need were given by nobody.",
            "Take out a margin, or add the share of a rare answer to that of the one nearest to it.",
        ) from None
    each: Numbers = totals / groups[N_RESPONDENTS].to_numpy()
    return each


def _target(margin: Margin, groups: pl.DataFrame, item: Item) -> Shares:
    """The share that each group of a margin is to have of everybody.

    A group of which the margin says nothing, such as those who left the question out, keeps its own share of the sample:
    there is nothing to weigh it by. The declared shares are of all others, and are scaled to add up to 1 exactly.
    """
    counts = dict(groups.group_by(group_of(margin.item)).agg(pl.col(N_RESPONDENTS).sum()).iter_rows())
    everybody, declared = sum(counts.values()), sum(margin.shares.values())
    _refuse_empty_groups(margin, counts, item)
    own = {code: n / everybody for code, n in sorted(counts.items()) if code not in margin.shares}
    rest = 1 - sum(own.values())
    return own | {code: rest * share / declared for code, share in margin.shares.items()}


def _refuse_empty_groups(margin: Margin, counts: dict[str, float], item: Item) -> None:
    labels = {level.code: level.label for level in partitions(item)[0]}
    for code in margin.shares:
        if code not in counts:
            raise InputRefused(
                f"The margin of '{item.label}' has a share for '{labels.get(code, code)}', but nobody gave that answer.",
                "Merge the group with the one nearest to it: add its share to that one's, and say so in `source`.",
            )


def _adjusted(groups: pl.DataFrame, targets: dict[str, Shares], method: str) -> Numbers:
    """The weight of each cell's people together: their number, adjusted until every margin is met."""
    sample = _sample(groups, N_RESPONDENTS)
    if method == "post_stratify":
        ((item, shares),) = targets.items()
        fitted = sample.weighting.poststratify(shares=shares, cells=item, wgt_name=WEIGHT)
    else:
        fitted = sample.weighting.rake(shares=targets, wgt_name=WEIGHT, tol=CONVERGED, max_iter=MOST_ROUNDS)
    return _made(fitted)


def _trimmed(each: Numbers, n: Counts, trim: tuple[float, float] | None) -> Numbers:
    """Weights within bounds, as multiples of the average, which stays 1: what is cut off goes to the weights between the
    bounds, in proportion (svy's rule; R's `trimWeights` gives each of them the same). The margins then fit only nearly.

    Trimming is about people, not cells: `n` of them have each weight.
    """
    if trim is None or (trim[0] <= each.min() and each.max() <= trim[1]):
        return each
    people = _sample(pl.DataFrame({N_RESPONDENTS: np.repeat(each, n)}), N_RESPONDENTS)
    cut = people.weighting.trim(
        lower=trim[0] or None, upper=trim[1], min_cell_size=1, max_iter=MOST_ROUNDS, tol=CONVERGED, wgt_name=WEIGHT
    )
    first = np.cumsum(n) - n
    still: Numbers = _made(cut)[first]
    return still


def _sample(frame: pl.DataFrame, weight: str) -> "svy.Sample":
    import svy  # takes half a second to import, and only surveys with weights need it

    return svy.Sample(frame, svy.Design(wgt=weight))


def _made(sample: "svy.Sample") -> Numbers:
    """The weights that `svy` has put beside those it was given."""
    return sample.data.lazy().collect()[WEIGHT].to_numpy()


# --- What they do ------------------------------------------------------------------------------------------------------


def margin_fit(cell_weights: pl.DataFrame, instrument: Instrument) -> pl.DataFrame:
    """For each margin and answer the declared share, and the shares in the wave without and with weights; columns as
    `MARGIN_FIT_SCHEMA`. Exact: for the steward, not for publication.
    """
    weighting = instrument.weighting
    margins = weighting.margins if weighting else ()
    return pl.concat([pl.DataFrame(schema=MARGIN_FIT_SCHEMA), *(_fit_of(cell_weights, margin) for margin in margins)])


def _fit_of(cell_weights: pl.DataFrame, margin: Margin) -> pl.DataFrame:
    n, together = pl.col(N_RESPONDENTS), (pl.col(WEIGHT) * pl.col(N_RESPONDENTS)).alias(WEIGHT)
    answers = cell_weights.select(pl.col(group_of(margin.item)).alias("answer"), n, together)
    found = answers.group_by("answer").agg(n.sum(), pl.col(WEIGHT).sum()).sort("answer")
    declared = pl.col("answer").replace_strict(margin.shares, default=None, return_dtype=pl.Float64)
    return found.select(
        pl.lit(margin.item).alias(ITEM),
        "answer",
        N_RESPONDENTS,
        declared.alias("declared_share"),
        (n / n.sum()).alias("share_unweighted"),
        (pl.col(WEIGHT) / pl.col(WEIGHT).sum()).alias("share_weighted"),
    )

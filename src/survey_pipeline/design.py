"""Designs: uncertainty of a survey that picked its people by strata or clusters.

What belongs here: standard errors and intervals that know of the design, by Taylor linearisation of the `svy` package, put in
place of those that take everybody as picked alone. They need rows: a tally does not know who was picked together. What does
not: the estimates themselves, which are the tally's, and weights, which come from `weighting`.

What is assumed: clusters are picked with replacement (the population's size is not known, so there is no finite population
correction) and weights are fixed, not estimated: both make intervals rather too wide than too narrow. Levels are domains of
the whole design: their people are not cut out of it, so a cluster without any of them still counts as a cluster.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import polars as pl

from survey_pipeline.count import follow_up_place, level_place
from survey_pipeline.estimate import Levels
from survey_pipeline.estimate.bands import ANYWAY
from survey_pipeline.estimate.figures import QUARTILES
from survey_pipeline.estimate.rows import levels_of
from survey_pipeline.instrument import Instrument
from survey_pipeline.levels import exposure_of
from survey_pipeline.names import (
    ALL_LEVELS,
    CI_LOWER,
    CI_UPPER,
    EXPOSURE,
    LEVEL,
    N_RESPONDENTS,
    OUTCOME,
    RESPONDENTS,
    STANDARD_ERROR,
    STATISTIC,
    WEIGHT,
)
from survey_pipeline.outcomes import Flags, Outcome, Values, exposures, reached, thresholds_of

if TYPE_CHECKING:
    import svy

STRATUM, CLUSTER = "stratum of the design", "cluster of the design"
"""With spaces, as no item of a survey can be called."""
LONELY: Final = "center"
"""A stratum with one cluster says nothing of how much clusters differ in it. How far it lies from the mean of all strata
counts instead (R's `survey.lonely.psu = "adjust"`): too wide rather than too narrow. It adds no degree of freedom."""
KornGraubard = Literal["beta", "korn-graubard"]
"""As R's `svyciprop` has it, and as the NCHS has it (Vital Health Stat 2(175)), for where nobody or everybody counts."""
KEY = (EXPOSURE, LEVEL, OUTCOME, STATISTIC)
UNCERTAINTY: dict[str, type[pl.DataType]] = {
    **dict.fromkeys(KEY, pl.String),
    STANDARD_ERROR: pl.Float64,
    CI_LOWER: pl.Float64,
    CI_UPPER: pl.Float64,
}


@dataclass(frozen=True)
class Measure:
    """What a statistic is of: a value of each person, NaN for those who are not in its denominator.

    `kind` is "mean", "share" (values 0 and 1) or "quantile", of which `p` says which.
    """

    kind: str
    value: Values
    p: float = 0.5


def has_design(instrument: Instrument) -> bool:
    """Whether people were picked by strata or clusters."""
    return bool(design_items(instrument))


def design_items(instrument: Instrument) -> tuple[str, ...]:
    """The items that say how people were picked, as far as they are asked: columns of the responses."""
    weighting = instrument.weighting
    named = (weighting.strata, weighting.clusters) if weighting else ()
    return tuple(name for name in named if name is not None and name in instrument.asked)


def with_design(
    estimates: pl.DataFrame, responses: pl.DataFrame, instrument: Instrument, levels: Levels | None = None
) -> pl.DataFrame:
    """Exact estimates (`estimate.ESTIMATES_SCHEMA`) with the standard errors and intervals of the design.

    `responses`: the whole wave's columns of `count.columns_needed` and `design_items`, and `weight` where there are weights.
    `levels` as for `estimate.estimate`. Means get Student's t interval with the design's degrees of freedom (clusters less
    strata, of those that hold somebody of the level), shares Korn and Graubard's (1998) beta interval, medians and quartiles
    Woodruff's (1952), without a standard error. A row for which the design gives no interval has none.
    """
    if not has_design(instrument):
        return estimates
    found = pl.concat([pl.DataFrame(schema=UNCERTAINTY), *_uncertainty(estimates, responses, instrument, levels or {})])
    return _replaced(estimates, found)


def _replaced(estimates: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """Only rows that had an interval get one: what is not uncertain, such as a count, stays as it is. Bands of what would be
    reported anyway stay too: they are ranges of an assumption, not intervals of a sample.
    """
    columns = (STANDARD_ERROR, CI_LOWER, CI_UPPER)
    there = [pl.col(name).is_not_null() & ~pl.col(STATISTIC).str.ends_with(ANYWAY) for name in columns]
    joined = estimates.join(found, on=KEY, how="left", suffix="_design", maintain_order="left")
    chosen = [
        pl.when(was).then(pl.col(f"{name}_design")).otherwise(pl.col(name)).alias(name)
        for name, was in zip(columns, there, strict=True)
    ]
    replaced = pl.any_horizontal(there)
    told = [
        pl.when(replaced).then(_effective()).otherwise("n_effective").alias("n_effective"),
        replaced.alias("by_design"),
    ]
    return joined.with_columns(told).with_columns(chosen).select(estimates.columns)


def _effective() -> pl.Expr:
    """As many people picked alone as would give the same standard error; none where the design gives no error."""
    alone = pl.coalesce("n_effective", pl.col(N_RESPONDENTS).cast(pl.Float64))
    design_effect = (pl.col(f"{STANDARD_ERROR}_design") / pl.col(STANDARD_ERROR)) ** 2
    known = design_effect.is_finite() & (design_effect > 0)
    return (
        pl.when(pl.col(STANDARD_ERROR).is_null())
        .then("n_effective")
        .when(known)
        .then(alone / design_effect)
        .otherwise(0.0)
    )


def _uncertainty(
    estimates: pl.DataFrame, responses: pl.DataFrame, instrument: Instrument, levels: Levels
) -> Iterator[pl.DataFrame]:
    """Outcome by outcome, so that everybody's uncertainty is worked out once and not for each exposure."""
    picked = _picked(responses, instrument)
    labels = {name: _label(name, instrument, levels) for name in exposures(instrument)}
    placed = {name: picked.select(STRATUM, CLUSTER, WEIGHT, label.alias(LEVEL)) for name, label in labels.items()}
    for (name,), rows in estimates.group_by([OUTCOME], maintain_order=True):
        shown = (
            rows.filter(pl.col(EXPOSURE).is_in(list(placed))).select(EXPOSURE, STATISTIC).unique(maintain_order=True)
        )
        if name == RESPONDENTS:
            yield from (found for exposure, _ in shown.iter_rows() for found in _presence(placed[exposure], exposure))
            continue
        measures = _measures(_outcome(str(name), instrument), responses, instrument) if shown.height else {}
        for (statistic,), those in shown.group_by([STATISTIC], maintain_order=True):
            if measure := measures.get(str(statistic)):
                everybody = _everybody(picked, measure)
                for exposure in those[EXPOSURE]:
                    found = pl.concat([everybody, _by_level(placed[exposure], measure)])
                    yield _keyed(found, exposure, str(name), str(statistic))


def _outcome(name: str, instrument: Instrument) -> Outcome:
    return next(o for measured in exposures(instrument).values() for o in measured if o.name == name)


def _keyed(found: pl.DataFrame, exposure: str, outcome: str, statistic: str) -> pl.DataFrame:
    words = {EXPOSURE: exposure, OUTCOME: outcome, STATISTIC: statistic}
    return found.with_columns(pl.lit(word).alias(name) for name, word in words.items()).select(list(UNCERTAINTY))


# --- Who is who --------------------------------------------------------------------------------------------------------


def _label(exposure: str, instrument: Instrument, levels: Levels) -> pl.Expr:
    """The label of each person's level of an exposure; null where nobody is told apart."""
    found = exposure_of(instrument, exposure)
    labels = {member: level.label for level in levels_of(instrument, exposure, levels) for member in level.members}
    by_place = {place: labels.get(atom.code) for place, atom in enumerate(found.atoms)}
    return level_place(found, instrument).replace_strict(by_place, return_dtype=pl.String)


def _picked(responses: pl.DataFrame, instrument: Instrument) -> pl.DataFrame:
    """The responses with the stratum, the cluster and the weight of each person.

    Those of whom no stratum is known are a stratum of their own. Those of whom no cluster is known are each picked alone, as
    everybody is where there are no clusters.
    """
    weighting = instrument.weighting
    strata, clusters = (weighting.strata, weighting.clusters) if weighting else (None, None)
    alone = pl.int_range(pl.len()).cast(pl.String)
    cluster = pl.col(clusters).cast(pl.String) if clusters else pl.lit(None, dtype=pl.String)
    stratum = pl.col(strata).cast(pl.String).fill_null("") if strata else pl.repeat("", pl.len())
    return responses.with_columns(
        stratum.rank("dense").alias(STRATUM),  # numbers instead of codes: `svy` works through them faster
        pl.coalesce(pl.lit("cluster ") + cluster, pl.lit("alone ") + alone).rank("dense").alias(CLUSTER),
        (pl.col(WEIGHT) if WEIGHT in responses.columns else pl.lit(1.0)).alias(WEIGHT),
    )


# --- What a statistic is of --------------------------------------------------------------------------------------------


def _measures(outcome: Outcome, responses: pl.DataFrame, instrument: Instrument) -> dict[str, Measure]:
    """By its name, what each statistic of `estimate.figures` is of that has a value for each person."""
    before, after = _values(outcome, responses, instrument)
    if outcome.is_share:
        return {"share": Measure("share", after)}
    change = after - before
    return {
        "mean": Measure("mean", after),
        "mean_baseline": Measure("mean", before),
        "mean_change": Measure("mean", change),
        "median": Measure("quantile", after),
        "median_change": Measure("quantile", change),
        **{name: Measure("quantile", after, p) for name, p in QUARTILES},
        "baseline_zero": _event(before == 0, ~np.isnan(change)),
        **{rule.name: _event(*reached(rule, outcome, before, after)) for rule in thresholds_of(outcome)},
    }


def _event(event: Flags, could: Flags) -> Measure:
    return Measure("share", np.where(could, event.astype(float), np.nan))


def _values(outcome: Outcome, responses: pl.DataFrame, instrument: Instrument) -> tuple[Values, Values]:
    """Each person's value before and after, NaN without an answer: the same as they are counted by."""
    place = follow_up_place(outcome, instrument).cast(pl.Float64)
    grid = outcome.grid
    after = pl.when(place.is_between(1, grid.size)).then(grid.start + grid.step * (place - 1))
    before = pl.col(outcome.baseline).cast(pl.Float64) if outcome.baseline else pl.lit(None, dtype=pl.Float64)
    found = responses.select(after.alias("after"), before.alias("before")).fill_null(float("nan"))
    return found["before"].to_numpy(), found["after"].to_numpy()


# --- What the design says ----------------------------------------------------------------------------------------------


_BY_LEVEL = {name: UNCERTAINTY[name] for name in (LEVEL, STANDARD_ERROR, CI_LOWER, CI_UPPER)}


def _everybody(picked: pl.DataFrame, measure: Measure) -> pl.DataFrame:
    """The uncertainty of everybody's figure: one row, or none where nobody has a value."""
    return _of(picked.select(STRATUM, CLUSTER, WEIGHT, pl.lit(ALL_LEVELS).alias(LEVEL)), measure)


def _by_level(placed: pl.DataFrame, measure: Measure) -> pl.DataFrame:
    """A row of level, standard_error, ci_lower and ci_upper for each level that somebody with a value is in."""
    return pl.DataFrame(schema=_BY_LEVEL) if placed[LEVEL].drop_nulls().is_empty() else _of(placed, measure)


def _of(placed: pl.DataFrame, measure: Measure) -> pl.DataFrame:
    frame = placed.with_columns(pl.Series("value", measure.value, nan_to_null=True))
    if frame.filter(pl.col("value").is_not_null() & pl.col(LEVEL).is_not_null()).is_empty():
        return pl.DataFrame(schema=_BY_LEVEL)
    formula = {"mean": mean, "share": share, "quantile": quantile}[measure.kind]
    return formula(_sample(frame), LEVEL, measure.p).select(_honest())


def _honest() -> list[pl.Expr]:
    """Without a degree of freedom, nothing is known of the uncertainty."""
    known = (pl.col("df") > 0) & pl.col("lci").is_finite() & pl.col("uci").is_finite()
    numbers = {STANDARD_ERROR: "se", CI_LOWER: "lci", CI_UPPER: "uci"}
    return [pl.col(LEVEL), *(pl.when(known).then(pl.col(theirs)).alias(ours) for ours, theirs in numbers.items())]


def _sample(frame: pl.DataFrame) -> "svy.Sample":
    import svy  # takes half a second to import, and only surveys with a design need it

    stratum = STRATUM if frame[STRATUM].n_unique() > 1 else None
    return svy.Sample(
        frame, svy.Design(stratum=stratum, psu=CLUSTER, wgt=WEIGHT, singleton=LONELY if stratum else None)
    )


def _frame(found: "svy.Estimate | list[svy.Estimate]") -> pl.DataFrame:
    return (found[0] if isinstance(found, list) else found).to_polars()


def mean(sample: "svy.Sample", by: str | None, _: float = 0.5) -> pl.DataFrame:
    """The mean of `value`, with Student's t interval: columns est, se, lci, uci, df and n, a row a level of `by`."""
    return _frame(sample.estimation.mean("value", by=by, drop_nulls=True))


def share(sample: "svy.Sample", by: str | None, _: float = 0.5) -> pl.DataFrame:
    """The share of those whose `value` is 1; columns as `mean`.

    The interval is Korn and Graubard's as R has it. Where nobody or everybody counts, R has none: there it is the one of the
    NCHS, which takes the people as picked alone.
    """
    found = _who_counts(_events(sample, "value", by, "beta"))
    if found.select(_is_known("lci") & _is_known("uci")).to_series().all():
        return found
    return _filled(found, _who_counts(_events(sample, "value", by, "korn-graubard")))


def _is_known(end: str) -> pl.Expr:
    return pl.col(end).is_finite().fill_null(False)


def _who_counts(found: pl.DataFrame) -> pl.DataFrame:
    """The share of those who count; where nobody does, there is only the share of the others."""
    yes, no = (found.filter(pl.col("value") == value) for value in (1, 0))
    return (
        no.with_columns(est=1 - pl.col("est"), lci=1 - pl.col("uci"), uci=1 - pl.col("lci")) if yes.is_empty() else yes
    )


def _events(sample: "svy.Sample", of: str, by: str | None, method: KornGraubard) -> pl.DataFrame:
    return _frame(sample.estimation.prop(of, by=by, drop_nulls=True, ci_method=method))


def _filled(found: pl.DataFrame, edge: pl.DataFrame) -> pl.DataFrame:
    return found.with_columns(
        pl.when(_is_known(name)).then(pl.col(name)).otherwise(edge[name]).alias(name) for name in ("lci", "uci")
    )


def quantile(sample: "svy.Sample", by: str | None, p: float = 0.5) -> pl.DataFrame:
    """A quantile of `value` by the rule "math" of R's `svyquantile`, with Woodruff's interval; columns as `mean`."""
    return _frame(sample.estimation.quantile("value", p=p, by=by, drop_nulls=True, q_method="higher"))


def _presence(placed: pl.DataFrame, exposure: str) -> Iterator[pl.DataFrame]:
    """Of the table of who answered: the share of everybody who is in each level."""
    if placed.is_empty():
        return
    sample = _sample(placed)
    found, edge = _events(sample, LEVEL, None, "beta"), _events(sample, LEVEL, None, "korn-graubard")
    everybody = _everybody(placed, Measure("share", np.ones(placed.height)))
    for part in (_filled(found, edge).select(_honest()), everybody):
        yield _keyed(part, exposure, RESPONDENTS, "share")

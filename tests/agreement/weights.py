"""R's survey package for weights alone and for clusters, and ours from sums of weights by value.

What belongs here: what the tally's sums can give. What does not: strata, raking, calibration (`survey`).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from agreement.entry import Entry
from agreement.reference import figures, rows
from survey_pipeline import statistics
from survey_pipeline.statistics import Estimated, Weighed, WeightedSample
from survey_pipeline.statistics.weighted import Interval

FILE = "survey_reference"
WEIGHTS = "apistrat_weights_only"
INTERVALS: Mapping[str, Interval] = {"beta": "beta", "xlogit": "logit", "mean": "mean"}
"""What R and what we call them."""


def entries() -> Iterator[Entry]:
    """Every figure that we give too."""
    yield from _means()
    yield from _shares()
    yield from _quantiles()
    yield from _difference()
    yield from _clusters()


def _compared(
    statistic: str, code: str, path: Sequence[str], pairs: Sequence[tuple[float | None, float]]
) -> Iterator[Entry]:
    for ours, theirs in pairs:
        yield Entry(statistic, code, " ".join((FILE, *path)), ours, theirs)


def _sample(value: pl.Expr, *where: pl.Expr) -> WeightedSample:
    sums = (
        rows("apistrat")
        .filter(*where)
        .group_by(value.cast(pl.Float64).alias("value"))
        .agg(pl.len().cast(pl.Int64).alias("n"), pl.col("pw").sum(), (pl.col("pw") ** 2).sum().alias("squared"))
        .sort("value")
    )
    return WeightedSample(*(sums[name].to_numpy() for name in ("value", "n", "pw", "squared")))


def _means() -> Iterator[Entry]:
    case, scores = figures(FILE)[WEIGHTS], _sample(pl.col("api00"))
    kish = statistics.kish_effective_n(scores.everybody()), statistics.kish_design_effect(scores.everybody())
    yield from _compared(
        "Kish's effective n", "kish_effective_n", [WEIGHTS, "kish_neff"], [(kish[0], case["kish_neff"])]
    )
    yield from _compared("Kish's design effect", "kish_design_effect", [WEIGHTS], [(kish[1], case["kish_deff"])])
    both = case["svymean_api00_api99"]
    for i, name in enumerate(both["names"]):
        found = statistics.weighted_mean(_sample(pl.col(name)))
        path = [WEIGHTS, "svymean_api00_api99", name]
        yield from _compared(*_mean(path), [(found.estimate, both["est"][i]), (found.standard_error, both["se"][i])])
        yield from _compared(*_mean(path), _ends(found, both["ci_t_degf"], i))
    by = case["svyby_api99_by_stype_mean"]
    for i, level in enumerate(by["level"]):
        found = statistics.weighted_mean(_sample(pl.col("api99"), pl.col("stype") == level), case["n"])
        pairs = [(found.estimate, by["est"][i]), (found.standard_error, by["se"][i])]
        yield from _compared(*_mean([WEIGHTS, "svyby_api99_by_stype_mean"]), pairs)


def _mean(path: Sequence[str]) -> tuple[str, str, Sequence[str]]:
    return "weighted mean", "weighted_mean", path


def _ends(found: Estimated, theirs: Mapping[str, Any], i: int) -> list[tuple[float | None, float]]:
    return [(found.ci_lower, theirs["lo"][i]), (found.ci_upper, theirs["hi"][i])]


def _shares() -> Iterator[Entry]:
    events = {
        "svyciprop_api00_gt_700": pl.col("api00") > 700,
        "svyciprop_rare_H_and_awards": (pl.col("stype") == "H") & (pl.col("awards") == "Yes"),
    }
    for name, event in events.items():
        for key, interval in INTERVALS.items():
            found, theirs = (
                statistics.weighted_share(*_split(event), interval=interval),
                figures(FILE)[WEIGHTS][name][key],
            )
            pairs = [(found.estimate, theirs["est"]), (found.ci_lower, theirs["lo"]), (found.ci_upper, theirs["hi"])]
            path = [WEIGHTS, name, key]
            yield from _compared(f"weighted share, {interval} interval", "weighted_share", path, pairs)
    by = figures(FILE)[WEIGHTS]["svymean_stype"]
    for i, level in enumerate("EHM"):
        found = statistics.weighted_share(*_split(pl.col("stype") == level))
        pairs = [(found.estimate, by["est"][i]), (found.standard_error, by["se"][i])]
        yield from _compared("weighted share", "weighted_share", [WEIGHTS, "svymean_stype"], pairs)


def _split(event: pl.Expr) -> tuple[Weighed, Weighed]:
    others, events = _sample(event).up_to(0.5)
    return events, others


def _quantiles() -> Iterator[Entry]:
    case, scores = figures(FILE)[WEIGHTS], _sample(pl.col("api00"))
    key = "svyquantile_api00_p10_25_50_75_90_by_qrule"
    for p, theirs in zip((0.1, 0.25, 0.5, 0.75, 0.9), case[key]["math"], strict=True):
        ours = statistics.weighted_quantile(scores, p).estimate
        yield from _compared("weighted quantile", "weighted_quantile", [WEIGHTS, key, "math"], [(ours, theirs)])
    key = "svyquantile_api00_ci_qrule_math"
    for name, interval in INTERVALS.items():
        by = case[key][name]
        for i, p in enumerate((0.25, 0.5, 0.75)):
            found = statistics.weighted_quantile(scores, p, interval=interval)
            pairs = [(found.standard_error, by["se"][i]), *_ends(found, by, i)]
            statistic = f"weighted quantile, Woodruff's interval, {interval}"
            yield from _compared(statistic, "weighted_quantile", [WEIGHTS, key, name], pairs)


def _difference() -> Iterator[Entry]:
    key = "svyttest_api00_by_schwide"
    case = figures(FILE)[WEIGHTS][key]
    yes, no = (_sample(pl.col("api00"), pl.col("sch.wide") == answer) for answer in ("Yes", "No"))
    found = statistics.weighted_difference(yes, no)
    t = (found.estimate or 0) / (found.standard_error or 1)
    pairs = [(found.estimate, case["estimate"]), (t, case["t"]), (found.p_value, case["p"])]
    pairs += [(found.ci_lower, case["ci"][0]), (found.ci_upper, case["ci"][1]), (found.degrees_of_freedom, case["df"])]
    yield from _compared("weighted difference of means", "weighted_difference", [WEIGHTS, key], pairs)


def _clusters() -> Iterator[Entry]:
    """Districts answer for their schools as people do for their weeks: every weight is the same."""
    by = figures(FILE)["apiclus1_nofpc"]["svymean_api00_api99"]
    for i, name in enumerate(by["names"]):
        sums = (
            rows("apiclus1").group_by("dnum").agg(pl.col(name).sum().cast(pl.Float64), pl.len().alias("n")).sort("dnum")
        )
        found = statistics.clustered_mean(sums[name].to_numpy(), sums["n"].to_numpy().astype(np.int64))
        pairs = [(found.estimate, by["est"][i]), (found.standard_error, by["se"][i]), *_ends(found, by["ci_t_degf"], i)]
        path = ["apiclus1_nofpc", "svymean_api00_api99"]
        yield from _compared("mean of clustered answers", "clustered_mean", path, pairs)

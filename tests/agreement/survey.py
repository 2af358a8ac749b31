"""R's survey package for strata, clusters, finite populations and fitted weights, and ours, which are svy's as we call it.

What belongs here: what needs rows. What does not: what the tally's sums can give (`weights`).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from agreement.entry import Entry
from agreement.reference import figures, rows
from survey_pipeline import design, weighting
from survey_pipeline.instrument import Instrument
from survey_pipeline.names import WEIGHT
from survey_pipeline.statistics import Numbers

if TYPE_CHECKING:
    import svy

FILE = "survey_reference"
FITTED = 1e-7
"""R's "logit" interval is that of a fitted model, whose fit stops after 8 digits for rare events. "xlogit" is exact."""

NOT_COMPARED: Mapping[str, str] = {
    "nhanes": "The rows are not beside the figures.",
    "weighting_apiclus1 calibrate_logit_bounds_0.7_1.7": "svy 0.35 has no bounded calibration, and we do not use any.",
    "weighting_apiclus1 trimWeights_linear_20_50_strict": (
        "R shares out what is cut off in equal parts, svy in proportion to the weights. Both keep the total and the bounds. "
        "What R does is redone in a test, so that nothing else lies behind the difference."
    ),
    "weighting_apiclus1 rake_default_eps1": "R stops early there, at a margin wrong by up to 1 school.",
    "apisrs svyquantile 0.1, 0.9": (
        "The 20th and 180th of 200 schools of equal weight stand exactly at these quantiles, and are 479 and 818. R adds up "
        "weights of 30.97, misses them by a rounding error and takes the next schools, 482 and 827. (With those weights svy "
        "misses the 100th and the 150th. Ours are 1 on average, so that equal weights add up exactly.)"
    ),
    "apiclus2 svymean_enroll ci_t_degf": (
        "All schools of two districts have no enrolment. R's interval is made with the 39 degrees of freedom of the whole "
        "design, ours with the 37 of the districts that are in the mean, as R's degf(subset(...)) counts them."
    ),
}
"""Figures that are there, but to which nothing of ours is compared, or not as they stand, and why."""

DESIGNS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "apistrat": ("apistrat", {"stratum": "stype", "pop_size": "fpc"}),
    "apistrat_nofpc": ("apistrat", {"stratum": "stype"}),
    "apistrat_weights_only": ("apistrat", {}),
    "apiclus1": ("apiclus1", {"psu": "dnum", "pop_size": "fpc"}),
    "apiclus1_nofpc": ("apiclus1", {"psu": "dnum"}),
    "apiclus2": ("apiclus2", {"psu": "dnum", "ssu": "snum", "pop_size": ("fpc1", "fpc2")}),
    "apisrs": ("apisrs", {"pop_size": "fpc"}),
}
EVENTS = {
    "svyciprop_api00_gt_700": pl.col("api00") > 700,
    "svyciprop_rare_H_and_awards": (pl.col("stype") == "H") & (pl.col("awards") == "Yes"),
}
ESTIMATE, INTERVAL = ("est", "se"), ("lci", "uci")


def entries() -> Iterator[Entry]:
    """Every figure that we give too."""
    for name in DESIGNS:
        yield from _means(name)
        yield from _domains(name)
        yield from _shares(name)
        yield from _quantiles(name)
        yield from _difference(name)
    yield from _fitted_weights()


def _entries(
    statistic: str, code: str, path: Sequence[str], ours: Sequence[float], theirs: Sequence[float], **more: float
) -> Iterator[Entry]:
    for one, other in zip(ours, theirs, strict=True):
        yield Entry(statistic, code, " ".join((FILE, *path)), one, other, **more)


def _sample(name: str, value: pl.Expr) -> "svy.Sample":
    """The rows of a design with the column `value`, and weights of 1 on average, as ours are."""
    import svy

    file, parts = DESIGNS[name]
    if isinstance(parts.get("pop_size"), tuple):
        first, second = parts["pop_size"]
        parts = parts | {"pop_size": svy.PopSize(psu=first, ssu=second)}
    weight = (pl.col("pw") / pl.col("pw").mean()).alias(WEIGHT)
    return svy.Sample(rows(file).with_columns(weight, value.alias("value")), svy.Design(wgt=WEIGHT, **parts))


def _row(frame: pl.DataFrame, columns: Sequence[str]) -> list[float]:
    return [float(frame[column][0]) for column in columns]


def _means(name: str) -> Iterator[Entry]:
    case = figures(FILE)[name]
    for key, columns in (("svymean_api00_api99", ["api00", "api99"]), ("svymean_enroll", ["enroll"])):
        for i, column in enumerate(columns):
            found = design.mean(_sample(name, pl.col(column)), None)
            numbers = [_at(case[key][part], i) for part in ESTIMATE]
            yield from _entries("mean", "design.mean", [name, key], _row(found, ESTIMATE), numbers)
            if not (name == "apiclus2" and column == "enroll"):
                limits = [_at(case[key]["ci_t_degf"][part], i) for part in ("lo", "hi")]
                yield from _entries("mean, interval", "design.mean", [name, key], _row(found, INTERVAL), limits)
    found = design.mean(_sample(name, pl.col("api00")), None)
    yield from _entries("degrees of freedom", "design.mean", [name, "degf"], _row(found, ["df"]), [case["degf"]])


def _at(one_or_several: Any, i: int) -> float:
    return float(one_or_several[i] if isinstance(one_or_several, list) else one_or_several)


def _domains(name: str) -> Iterator[Entry]:
    case = figures(FILE)[name]
    crossed = pl.concat_str("stype", "sch.wide", separator=".")
    for key, level, value, formula in (
        ("svyby_api99_by_stype_mean", pl.col("stype"), pl.col("api99"), design.mean),
        ("svyby_api00_by_stype_schwide_mean", crossed, pl.col("api00"), design.mean),
        ("svyby_schwide_by_stype_prop", pl.col("stype"), pl.col("sch.wide") == "Yes", design.share),
    ):
        theirs = case[key]
        by = {place: i for i, place in enumerate(theirs["level"])}
        offset = len(by) if formula is design.share else 0  # R lists those without the event first
        found = formula(_sample_by(name, value, level), "level")
        for place, *numbers in found.select("level", *ESTIMATE).iter_rows():
            if place not in by:
                continue
            at = by[place] + offset
            code = f"design.{formula.__name__}"
            yield from _entries(
                f"{formula.__name__} of a domain", code, [name, key], numbers, [theirs["est"][at], theirs["se"][at]]
            )


def _sample_by(name: str, value: pl.Expr, level: pl.Expr) -> "svy.Sample":
    sample = _sample(name, value.cast(pl.Float64))
    return sample.wrangling.mutate({"level": level})


def _shares(name: str) -> Iterator[Entry]:
    for key, event in EVENTS.items():
        case, sample = figures(FILE)[name][key], _sample(name, event.cast(pl.Int64))
        logit = _logit(sample)
        for kind, found, code, accuracy in (
            ("beta", design.share(sample, None), "design.share", 1e-10),
            ("mean", design.mean(sample, None), "design.mean", 1e-10),
            ("xlogit", logit, "svy prop(ci_method=logit)", 1e-10),
            ("logit", logit, "svy prop(ci_method=logit)", FITTED),
        ):
            theirs = [case[kind][part] for part in ("est", "lo", "hi")]
            ours = _row(found, ("est", *INTERVAL))
            yield from _entries(f"share, {kind} interval", code, [name, key, kind], ours, theirs, accuracy=accuracy)


def _logit(sample: "svy.Sample") -> pl.DataFrame:
    found = sample.estimation.prop("value", ci_method="logit")
    assert not isinstance(found, list)
    return found.to_polars().filter(pl.col("value") == 1)


def _quantiles(name: str) -> Iterator[Entry]:
    case, sample = figures(FILE)[name], _sample(name, pl.col("api00"))
    key = "svyquantile_api00_p10_25_50_75_90_by_qrule"
    for p, theirs in zip((0.1, 0.25, 0.5, 0.75, 0.9), case[key]["math"], strict=True):
        if name == "apisrs" and p in (0.1, 0.9):
            continue
        found = design.quantile(sample, None, p)
        yield from _entries("quantile", "design.quantile", [name, key], _row(found, ["est"]), [theirs])
    key = "svyquantile_api00_ci_qrule_math"
    limits = case[key]["mean"]
    for i, p in enumerate((0.25, 0.5, 0.75)):
        found = design.quantile(sample, None, p)
        theirs_too = [limits[part][i] for part in ("se", "lo", "hi")]
        ours = _row(found, ("se", *INTERVAL))
        yield from _entries("quantile, Woodruff's interval", "design.quantile", [name, key], ours, theirs_too)


def _difference(name: str) -> Iterator[Entry]:
    key = "svyttest_api00_by_schwide"
    case = figures(FILE)[name][key]
    found = _sample(name, pl.col("api00")).categorical.ttest("value", group="sch.wide").to_polars()
    theirs = [case["estimate"], case["t"], case["df"], case["p"], *case["ci"]]
    ours = _row(found, ("diff", "t", "df", "p_value", *INTERVAL))
    yield from _entries("difference of means", "svy ttest", [name, key], ours, theirs)


# --- Fitted weights ----------------------------------------------------------------------------------------------------


def schools(method: str, *margins: str) -> Instrument:
    """A survey of schools that is weighted by the reference's margins; the codes of answers are in lower case."""
    targets = figures(FILE)["weighting_apiclus1"]["targets"]
    shares = {name: {row[name].lower(): row["Freq"] / targets["N"] for row in targets[name]} for name in margins}
    declared = [{"item": _item(name), "shares": shares[name], "source": "R"} for name in margins]
    kinds = {"stype": ("e", "h", "m"), "school_wide": ("yes", "no")}
    plain = {"theme": "t", "kind": "choice", "role": "exposure"}
    items = {
        name: {"label": name, "question": name, **plain, "options": [{"code": code, "label": code} for code in codes]}
        for name, codes in kinds.items()
    }
    words = dict.fromkeys(("title", "version", "community", "about"), "Schools")
    tables = [{"name": "types", "title": "Types", "exposure": "stype", "outcomes": ["school_wide"]}]
    weights = {"why": "To compare.", "method": method, "margins": declared}
    given = {"name": "schools", **words, "form": "stype", "dose": "school_wide", "items": items, "tables": tables}
    return Instrument.model_validate(given | {"weighting": weights})


def _item(name: str) -> str:
    return "school_wide" if name == "sch.wide" else name


def weights_of(file: str, instrument: Instrument) -> pl.DataFrame:
    """The reference's rows with `weight`, whose sum is the number of schools there are."""
    answers = rows(file).with_columns(
        pl.col("stype").str.to_lowercase(), pl.col("sch.wide").str.to_lowercase().alias("school_wide")
    )
    each = weighting.weights(answers, instrument)
    return answers.with_columns(each * (figures(FILE)["weighting_apiclus1"]["targets"]["N"] / answers.height))


def _fitted_weights() -> Iterator[Entry]:
    for file, key, method, margins in (
        ("apiclus1", "postStratify_stype", "post_stratify", ["stype"]),
        ("apiclus1", "rake_stype_schwide_eps1e12", "rake", ["stype", "sch.wide"]),
        ("apiclus1", "calibrate_raking_stype_schwide", "rake", ["stype", "sch.wide"]),
        ("apistrat", "rake_stype_schwide_eps1e12", "rake", ["stype", "sch.wide"]),
    ):
        place = f"weighting_{file}"
        case, found = figures(FILE)[place][key], weights_of(file, schools(method, *margins))
        of = "post-stratified weights" if method == "post_stratify" else "raked weights"
        path = [place, key]
        yield from _entries(of, "weighting.weights", path, found[WEIGHT].to_list(), case["weights"])
        kish = len(found) * float((found[WEIGHT] ** 2).sum()) / float(found[WEIGHT].sum()) ** 2
        yield from _entries(f"{of}, design effect", "weighting.weights", path, [kish], [case["kish_deff"]])
        mean = np.average(found["api00"].to_numpy(), weights=found[WEIGHT].to_numpy())
        yield from _entries(f"{of}, mean", "weighting.weights", path, [float(mean)], [case["svymean_api00"]["est"]])
    yield from _calibrated()


def _calibrated() -> Iterator[Entry]:
    """Linear calibration, which svy has and instruments do not offer."""
    import svy

    case = figures(FILE)["weighting_apiclus1"]
    types = {row["stype"]: row["Freq"] for row in case["targets"]["stype"]}
    sample = svy.Sample(rows("apiclus1"), svy.Design(psu="dnum", wgt="pw", pop_size="fpc"))
    found = sample.weighting.calibrate(
        controls={svy.Cat("stype"): types, "api99": case["targets"]["api99_total"]}, wgt_name=WEIGHT
    )
    theirs = case["calibrate_linear_stype_api99"]
    path = ["weighting_apiclus1", "calibrate_linear_stype_api99"]
    yield from _entries("calibrated weights", "svy calibrate", path, found.data[WEIGHT].to_list(), theirs["weights"])
    mean = found.estimation.mean("api00").to_polars()
    numbers = [theirs["svymean_api00"]["est"], theirs["svymean_api00"]["se"]]
    yield from _entries("calibrated weights, mean", "svy calibrate", path, _row(mean, ESTIMATE), numbers)


def cut_in_equal_parts(weights: Numbers, lower: float, upper: float) -> Numbers:
    """R's `trimWeights(strict = TRUE)`: what is cut off is shared out in equal parts, until no weight is out of bounds.

    A weight that was cut to a bound takes part in the next round.
    """
    while ((weights < lower) | (weights > upper)).any():
        cut = np.clip(weights, lower, upper)
        inside = cut == weights
        weights = np.where(inside, cut + (weights.sum() - cut.sum()) / inside.sum(), cut)
    return weights

"""Base R's figures on the first 200 answers of a music survey, and ours from counts of the same rows.

What belongs here: statistics of people who count alike. What does not: weights and designs (`weights`, `survey`).
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import polars as pl

from agreement.entry import Entry
from agreement.reference import figures, rows
from survey_pipeline import statistics
from survey_pipeline.statistics import Estimated, Sample, Tested

FILE = "base_reference"
OFTEN = ("Never", "Rarely", "Sometimes", "Very frequently")
"""The answers to `freq_lofi`, in their order."""
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
NOT_COMPARED: Mapping[str, str] = {
    "base_reference hodges_lehmann_insomnia, levene_brown_forsythe, anova_insomnia_by_freq_lofi": "We do not give these.",
    "base_reference mann_whitney, student_t, cliffs_delta, prob_superiority": "Nor these, of two groups.",
    "base_reference fisher, odds ratios, cramers_v, mantel_haenszel_by_instrumentalist": "Nor these, of tables.",
    "base_reference spearman_hours_insomnia, kendall_hours_insomnia, power": "Nor these.",
    "base_reference prop_diff_wald": "Our interval of a difference is Newcombe's; his own examples are a test.",
    "base_reference quantile types 1, 3 to 6, 8, 9": "We give type 2, and 7 on request.",
}
OPTIMISED = 1e-6
"""effectsize finds noncentralities by a search that stops at steps of 1e-8 of a probability (R's `optim`)."""


def entries() -> Iterator[Entry]:
    """Every figure that we give too."""
    yield from _shares()
    yield from _means()
    yield from _medians()
    yield from _two_groups()
    yield from _several_groups()
    yield from _trends()
    yield from _tables()
    yield from _adjusted()


def _figure(*path: str) -> Any:
    found = figures(FILE)
    for key in path:
        found = found[key]
    return found


def _entry(
    statistic: str, code: str, path: Sequence[str], ours: float | None, theirs: float | None, accuracy: float = 1e-10
) -> Entry:
    return Entry(statistic, code, " ".join((FILE, *path)), ours, theirs, accuracy)


def _sample(name: str, *where: pl.Expr) -> Sample:
    return statistics.sample_of(_rows(name).filter(*where)[name].cast(pl.Float64).to_numpy())


def _rows(*names: str) -> pl.DataFrame:
    """People who answered all of these questions."""
    return rows("mxmh_first200").drop_nulls(list(names))


def _groups(name: str, by: str, levels: Sequence[object]) -> list[Sample]:
    return [_sample(name, pl.col(by).eq(level)) for level in levels]


# --- One group ----------------------------------------------------------------------------------------------------------


def _shares() -> Iterator[Entry]:
    working = _rows("while_working")["while_working"]
    yield from _share(["prop_while_working_yes"], int((working == "Yes").sum()), working.len())
    for name, case in _figure("prop_edge").items():
        yield from _share(["prop_edge", name], case["k"], case["n"])
    for level, sample in zip(OFTEN, _groups("insomnia", "freq_lofi", OFTEN), strict=True):
        events = int(sample.counts[sample.values >= 5].sum())
        yield from _share(["wilson_by_freq_lofi_insomnia_ge5", level], events, sample.n)


def _share(path: Sequence[str], k: int, n: int) -> Iterator[Entry]:
    case, found = _figure(*path), statistics.share(k, n)
    yield _entry("share", "share", [*path, "p"], found.estimate, case["p"])
    yield from _ends("Wilson interval", "share", [*path, "wilson"], found)
    exact = Estimated(None, None, *statistics.beta_interval(k / n, n))
    yield from _ends("Clopper-Pearson interval", "beta_interval", [*path, "clopper_pearson"], exact)


def _ends(statistic: str, code: str, path: Sequence[str], found: Estimated, accuracy: float = 1e-10) -> Iterator[Entry]:
    lower, upper = _figure(*path)
    yield _entry(statistic, code, path, found.ci_lower, lower, accuracy)
    yield _entry(statistic, code, path, found.ci_upper, upper, accuracy)


def _means() -> Iterator[Entry]:
    for name, case in _figure("mean").items():
        path, sample = ["mean", name], _sample(name)
        found = statistics.mean(sample.values, sample.counts)
        yield _entry("mean", "mean", [*path, "mean"], found.estimate, case["mean"])
        yield _entry("standard error of a mean", "mean", [*path, "se"], found.standard_error, case["se"])
        yield _entry("standard deviation", "Sample.sd", [*path, "sd"], sample.sd, case["sd"])
        yield from _ends("t interval of a mean", "mean", [*path, "t_ci"], found)
        yield _entry("median", "median", [*path, "median"], _median(sample).estimate, case["median"])
        yield from _quantiles(path, sample)
    hours, insomnia = (_rows("hours", "insomnia")[name].to_numpy().astype(float) for name in ("hours", "insomnia"))
    r = statistics.correlation(hours, insomnia, np.ones(hours.size, np.int64))
    top = "pearson_hours_insomnia"
    yield _entry("correlation", "correlation", [top, "estimate"], r.estimate, _figure(top, "estimate"))
    yield from _ends("z interval of a correlation", "correlation", [top, "ci"], r)


def _median(sample: Sample) -> Estimated:
    return statistics.median(sample.values, sample.counts)


def _quantiles(path: Sequence[str], sample: Sample) -> Iterator[Entry]:
    for name, formula in (
        ("2", partial(statistics.quantile, kind=2)),
        ("7", partial(statistics.quantile, kind=7)),
    ):
        keys = [*path, "quantile_type", f"type{name}"]
        for p, theirs in zip(QUANTILES, _figure(*keys), strict=True):
            ours = formula(sample.values, sample.counts, p).estimate
            yield _entry(f"quantile, type {name}", "quantile", keys, ours, theirs)


def _medians() -> Iterator[Entry]:
    for name, case in _figure("median_ci_exact").items():
        small = name.startswith("small_n")
        found = _median(statistics.sample_of(np.arange(1, case["n"] + 1)) if small else _sample(name))
        for end, ours in (("lo", found.ci_lower), ("hi", found.ci_upper)):
            yield _entry("interval of a median", "median", ["median_ci_exact", name, end], ours, case[end])


# --- Two groups ---------------------------------------------------------------------------------------------------------


def _two_groups() -> Iterator[Entry]:
    top = "two_group_insomnia_by_while_working"
    case = _figure(top)
    yes, no = _groups("insomnia", "while_working", ("Yes", "No"))
    found = statistics.difference_of_means(*_summary(yes), *_summary(no))
    t = (found.estimate or 0) / (found.standard_error or 1)
    yield _entry("Welch's t", "difference_of_means", [top, "welch_t"], t, case["welch_t"]["statistic"])
    yield _entry("Welch's t", "difference_of_means", [top, "welch_t"], found.p_value, case["welch_t"]["p"])
    freedom = case["welch_t"]["parameter"]
    yield _entry("Welch's t", "difference_of_means", [top, "welch_t"], found.degrees_of_freedom, freedom)
    yield from _ends("Welch's interval", "difference_of_means", [top, "welch_t", "ci"], found)
    g = statistics.hedges_g(yes.mean, yes.sd, yes.n, no.mean, no.sd, no.n)
    yield _entry("Hedges' g", "hedges_g", [top, "hedges_g_exactJ"], g.estimate, case["hedges_g_exactJ"])
    for end, ours in (("lo", g.ci_lower), ("hi", g.ci_upper)):
        path = [top, "effectsize_hedges_g", end]
        yield _entry("noncentral t interval of g", "hedges_g", path, ours, _figure(*path), OPTIMISED)


def _summary(sample: Sample) -> tuple[float | None, float | None, int]:
    found = statistics.mean(sample.values, sample.counts)
    return found.estimate, found.standard_error, sample.n


# --- Several groups -----------------------------------------------------------------------------------------------------


def _several_groups() -> Iterator[Entry]:
    groups = _groups("insomnia", "freq_lofi", OFTEN)
    found = statistics.welch_anova([g.mean for g in groups], [g.variance for g in groups], [g.n for g in groups])
    yield from _test("Welch's ANOVA", "welch_anova", "welch_anova_insomnia_by_freq_lofi", found)
    found = statistics.kruskal_wallis(groups)
    yield from _test("Kruskal-Wallis test", "kruskal_wallis", "kruskal_insomnia_by_freq_lofi", found)
    names = _figure("p_adjust", "names")
    for name, theirs in zip(names, _figure("p_adjust", "raw"), strict=True):
        by, outcome = name.split(":")
        levels = _rows(by)[by].unique().sort().to_list()
        p = statistics.kruskal_wallis(_groups(outcome, by, levels)).p_value
        yield _entry("Kruskal-Wallis test", "kruskal_wallis", ["p_adjust", "raw"], p, theirs)


def _test(statistic: str, code: str, top: str, found: Tested, *keys: str) -> Iterator[Entry]:
    case: Mapping[str, Any] = _figure(top, *keys)
    freedom = case["parameter"] if isinstance(case["parameter"], list) else [case["parameter"]]
    theirs = [case["statistic"], case["p"], *freedom]
    ours = [found.statistic, found.p_value, found.degrees_of_freedom, found.degrees_of_freedom_2]
    for our, their in zip(ours[: len(theirs)], theirs, strict=True):
        yield _entry(statistic, code, [top, *keys], our, their)


def _trends() -> Iterator[Entry]:
    groups = _groups("insomnia", "freq_lofi", OFTEN)
    found, top = statistics.jonckheere_terpstra(groups), "jonckheere_insomnia_over_freq_lofi"
    pairs = {"z_ties": found.statistic, "p_two_sided": found.p_value, "kendall_z": found.statistic}
    for key, ours in pairs.items():
        yield _entry("Jonckheere-Terpstra test", "jonckheere_terpstra", [top, key], ours, _figure(top, key))
    events, totals = [int(g.counts[g.values >= 5].sum()) for g in groups], [g.n for g in groups]
    trend, top = partial(statistics.cochran_armitage, events, totals), "cochran_armitage_insomnia_ge5_over_freq_lofi"
    yield from _test("Cochran-Armitage test", "cochran_armitage", top, trend(), "score_0_3")
    yield from _test("Cochran-Armitage test", "cochran_armitage", top, trend([0, 1, 3, 7]), "score_0_1_3_7")
    smaller, top = trend(n_minus_1=True), "cochran_armitage_coin_independence_test"
    for key, our in (("chisq", smaller.statistic), ("p", smaller.p_value)):
        yield _entry("Cochran-Armitage test, N - 1", "cochran_armitage", [top, key], our, _figure(top, key))


# --- Tables and families ------------------------------------------------------------------------------------------------


def _tables() -> Iterator[Entry]:
    top = "table_2x2_while_working_insomnia_ge5"
    no, yes = _groups("insomnia", "while_working", ("No", "Yes"))
    table = [[int(g.counts[g.values < 5].sum()), int(g.counts[g.values >= 5].sum())] for g in (no, yes)]
    yield from _test("chi-squared test", "chi_squared", top, statistics.chi_squared(table), "chisq_nocc")
    p = statistics.difference_of_shares(table[0][1], no.n, table[1][1], yes.n).p_value
    yield _entry("chi-squared test", "difference_of_shares", [top, "chisq_nocc"], p, _figure(top, "chisq_nocc", "p"))
    top = "table_4x3_freq_lofi_music_effects"
    both = _rows("freq_lofi", "music_effects").group_by("freq_lofi", "music_effects").len().rows()
    counts = {(row, column): n for row, column, n in both}
    table = [[counts.get((row, column), 0) for column in _figure(top, "cols")] for row in OFTEN]
    yield from _test("chi-squared test", "chi_squared", top, statistics.chi_squared(table), "chisq")


def _adjusted() -> Iterator[Entry]:
    for top in ("p_adjust", "p_adjust_edge"):
        raw = _figure(top, "raw")
        holm, bh = statistics.holm(raw), statistics.benjamini_hochberg(raw)
        for ours, theirs in zip(holm, _figure(top, "holm"), strict=True):
            yield _entry("Holm's adjustment", "holm", [top, "holm"], ours, theirs)
        for ours, theirs in zip(bh, _figure(top, "BH"), strict=True):
            yield _entry("Benjamini-Hochberg adjustment", "benjamini_hochberg", [top, "BH"], ours, theirs)

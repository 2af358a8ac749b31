"""Methods: which tests were made, how many together, how answers were weighted, and what "anyway" rests on.

What belongs here: sentences about how numbers were made, from the release and the instrument. What does not: the numbers.
P-values stand in the files for analysts only: on a page they are read as proof.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from survey_pipeline.instrument import Instrument, Retest
from survey_pipeline.release import ComparisonRow, Release, TestRow
from survey_pipeline.render.measure import clean
from survey_pipeline.render.phrases import listed, plain

TESTS: Final = {
    "kruskal_wallis": "Kruskal-Wallis (any difference between groups)",
    "welch_anova": "Welch's analysis of variance (any difference between averages)",
    "jonckheere_terpstra": "Jonckheere-Terpstra (a trend along a dose)",
    "cochran_armitage": "Cochran-Armitage (a trend of shares along a dose)",
    "worst_case_direction": "the direction wherever doses lie within what people's words allow",
}
COMPARISONS: Final = {
    "difference_mean": "differences of averages (Welch)",
    "difference_mean_change": "differences of average changes (Welch)",
    "difference_share": "differences of shares (Newcombe)",
    "hedges_g": "Hedges' g",
}
ADJUSTMENTS: Final = {"holm": "Holm", "benjamini_hochberg": "Benjamini and Hochberg"}
UNWEIGHTED: Final = (
    "Everybody counts alike (unweighted), since nobody knows how the whole community is made up: "
    "there is nothing to weigh answers by."
)
Tested = ComparisonRow | TestRow


def tests_made(release: Release) -> tuple[str, ...]:
    """Which tests and comparisons the release holds, in which families, and how their p-values were adjusted."""
    return tuple(_tests_made(release))


def _tests_made(release: Release) -> Iterator[str]:
    if release.tests:
        yield f"Tests over all groups of a question: {listed(_named(release.tests, TESTS))}."
    if release.comparisons:
        yield f"Comparisons of two groups: {listed(_named(release.comparisons, COMPARISONS))}."
    for what, rows in (("tests", release.tests), ("comparisons", release.comparisons)):
        for family, size, adjustment in _families(rows):
            which = f"{what} were declared beforehand and" if family == "primary" else f"more {what}"
            yield f"{size:,} {which} are corrected for each other after {ADJUSTMENTS.get(adjustment, adjustment)}."
    if release.tests or release.comparisons:
        yield "Their p-values stand in files for analysts, rounded up, and not on this page."


def _named(rows: Iterable[Tested], labels: dict[str, str]) -> list[str]:
    """What the statistics of some rows are called, each once; every difference of shares is one kind."""
    used = dict.fromkeys(row.statistic for row in rows)
    found = (
        labels.get(name, labels.get("difference_share") if name.startswith("difference_") else name) for name in used
    )
    return list(dict.fromkeys(name for name in found if name))


def _families(rows: Iterable[Tested]) -> list[tuple[str, int, str]]:
    """Family, size and adjustment, each once, the primary family first."""
    found = {(row.family or "", row.family_size or 0, row.adjustment or "") for row in rows if row.family_size}
    return sorted(found, key=lambda one: (one[0] != "primary", one))


def weighting(instrument: Instrument) -> tuple[str, ...]:
    """How much each answer counts, and why."""
    found = instrument.weighting
    if found is None:
        return (UNWEIGHTED,)
    by_hand = {"rake": "raking", "post_stratify": "post-stratification"}[found.method]
    sources = listed(dict.fromkeys(margin.source for margin in found.margins))
    how = f"Weights come from {by_hand} to these margins: {sources}." if found.margins else ""
    return tuple(filter(None, (clean(found.why), how)))


def anyway_rests_on(release: Release, instrument: Instrument) -> tuple[str, ...]:
    """What the bands of what would be expected anyway go by; nothing where the release has none."""
    used = {row.outcome for row in release.rows if row.statistic.endswith("_anyway")}
    retests = dict.fromkeys(item.retest for name, item in instrument.items.items() if name in used and item.retest)
    if not retests:
        return ()
    return (
        "What would be expected anyway goes by where people began, by how those changed who chose the group for comparison, "
        "and by how alike two answers of a person are, some weeks apart (Davis 1976; Vickers and Altman 2001).",
        *(_retest(retest) for retest in retests),
    )


def _retest(retest: Retest) -> str:
    return f"Correlations from {plain(retest.lowest)} to {plain(retest.highest)}: {clean(retest.source)}."

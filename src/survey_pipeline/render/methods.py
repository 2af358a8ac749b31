"""Methods: by what ranges were made, which tests, how many together, how answers were weighted, and what "anyway" rests on.

What belongs here: sentences about how numbers were made, from the release and the instrument. What does not: the numbers.
P-values stand in the files for analysts only: on a page they are read as proof.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from survey_pipeline.instrument import Instrument, Item, Role
from survey_pipeline.release import ComparisonRow, Release, TestRow
from survey_pipeline.render.estimators import design, is_linearised
from survey_pipeline.render.measure import clean
from survey_pipeline.render.phrases import clearly_listed, inline, listed, plain

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
KINDS: Final = {
    "difference_mean": "averages",
    "difference_mean_change": "average changes",
    "difference_share": "shares",
}
ADJUSTMENTS: Final = {"holm": "Holm", "benjamini_hochberg": "Benjamini and Hochberg"}
UNWEIGHTED: Final = (
    "Everybody counts alike (unweighted), since nobody knows how the whole community is made up: "
    "there is nothing to weigh answers by."
)
LEFT_OUT_OF_TESTS: Final = (
    "Answers that exclude all others, such as none, take no part in tests of groups without an order."
)
RANGES: Final = "For shares they follow Wilson, for averages Student's t, for medians the order of the answers."
WEIGHTED: Final = "Averages, shares and medians are weighted."
LINEARISED_RANGES: Final = (
    "For shares ranges follow Korn and Graubard, for medians Woodruff. "
    "For averages they come from Taylor's linearisation and a t distribution."
)
DIARIES_ALIKE: Final = "In diaries everybody counts alike."
FROM_COUNTS: Final = "Shares and their ranges come from rounded counts."
FROM_WEIGHTS: Final = "Shares and their ranges are rounded to whole people of 100."
Tested = ComparisonRow | TestRow


def tests_made(release: Release, instrument: Instrument) -> tuple[str, ...]:
    """Which tests and comparisons the release holds, in which families, and how their p-values were adjusted."""
    if instrument.weighting is None:
        return tuple(_tests_made(release, COMPARISONS))
    how = "without ranges, since groups share the design" if design(instrument) else "Welch"
    what = "weighted " if instrument.is_weighted else ""
    named = {name: f"differences of {what}{kind} ({how})" for name, kind in KINDS.items()}
    return tuple(_tests_made(release, {**COMPARISONS, **named}))


def _tests_made(release: Release, comparisons: dict[str, str]) -> Iterator[str]:
    if release.tests:
        yield f"Tests over all groups of a question: {listed(_named(release.tests, TESTS))}."
        yield LEFT_OUT_OF_TESTS
    if release.comparisons:
        yield f"Comparisons of two groups: {listed(_named(release.comparisons, comparisons))}."
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
    """What the bands of what might be expected anyway go by; nothing where the release has none."""
    used = {row.outcome for row in release.rows if row.statistic.endswith("_anyway")}
    found = {name: item for name, item in instrument.items.items() if name in used and item.retest}
    if not found:
        return ()
    return (
        "What might be expected anyway goes by where people began, by how those changed who chose the group for comparison, "
        "and by how alike two answers of a person are, some weeks apart (Davis 1976; Vickers and Altman 2001).",
        *_retests(found.values()),
    )


def _retests(items: Iterable[Item]) -> Iterator[str]:
    """Each range of correlations with its source, once, with the outcomes that go by it."""
    alike: dict[tuple[float, float, str], list[str]] = {}
    for item in items:
        if retest := item.retest:
            key = retest.lowest, retest.highest, clean(retest.source)
            alike.setdefault(key, []).append(inline(clean(item.label)))
    for (lowest, highest, source), labels in alike.items():
        yield f"Correlations from {plain(lowest)} to {plain(highest)} for {clearly_listed(labels)}: {source}."


def ranges(instrument: Instrument) -> tuple[str, ...]:
    """By which methods ranges are made."""
    if not is_linearised(instrument):
        return (RANGES,)
    by, weighted = design(instrument), (WEIGHTED,) if instrument.is_weighted else ()
    picked = (f"Ranges allow for how people were picked, by {by}.",) if by else ()
    has_diary = any(item.role is Role.DIARY for item in instrument.items.values())
    return (*weighted, LINEARISED_RANGES, *picked, *((DIARIES_ALIKE,) if has_diary else ()))


def shares_from(instrument: Instrument) -> str:
    """What published shares are made of."""
    return FROM_WEIGHTS if is_linearised(instrument) else FROM_COUNTS

"""Methods: by what ranges were made, which tests, how many together, how answers were weighted, and what "anyway" rests on.

What belongs here: sentences about how numbers were made, from the release and the instrument. What does not: the numbers.
P-values stand in the files for analysts only: on a page they are read as proof.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from survey_pipeline.instrument import Instrument, Item, Role, Weighting
from survey_pipeline.language import later, say, say_n
from survey_pipeline.plain import clean
from survey_pipeline.release import ComparisonRow, Release, TestRow
from survey_pipeline.render.estimators import design, is_linearised
from survey_pipeline.render.phrases import clearly_listed, inline, listed, plain

TESTS: Final = {
    "kruskal_wallis": later("Kruskal-Wallis (any difference between groups)"),
    "welch_anova": later("Welch's analysis of variance (any difference between averages)"),
    "jonckheere_terpstra": later("Jonckheere-Terpstra (a trend along a dose)"),
    "cochran_armitage": later("Cochran-Armitage (a trend of shares along a dose)"),
    "worst_case_direction": later("the direction wherever doses lie within what people's words allow"),
}
COMPARISONS: Final = {
    "difference_mean": later("differences of averages (Welch)"),
    "difference_mean_change": later("differences of average changes (Welch)"),
    "difference_share": later("differences of shares (Newcombe)"),
    "hedges_g": later("Hedges' g"),
}
COMPARISONS_WITH_WEIGHTS: Final = {
    "difference_mean": later("differences of weighted averages (Welch)"),
    "difference_mean_change": later("differences of weighted average changes (Welch)"),
    "difference_share": later("differences of weighted shares (Welch)"),
}
COMPARISONS_COUNTED_ALIKE: Final = {"difference_share": later("differences of shares (Welch)")}
"""In a survey that declares how it was weighted, or by what people were picked, where all weigh the same."""
COMPARISONS_OF_A_DESIGN: Final = {
    "difference_mean": later("differences of averages (without ranges, since groups share the design)"),
    "difference_mean_change": later("differences of average changes (without ranges, since groups share the design)"),
    "difference_share": later("differences of shares (without ranges, since groups share the design)"),
}
COMPARISONS_OF_A_DESIGN_WITH_WEIGHTS: Final = {
    "difference_mean": later("differences of weighted averages (without ranges, since groups share the design)"),
    "difference_mean_change": later(
        "differences of weighted average changes (without ranges, since groups share the design)"
    ),
    "difference_share": later("differences of weighted shares (without ranges, since groups share the design)"),
}
ADJUSTMENTS: Final = {"holm": "Holm", "benjamini_hochberg": later("Benjamini and Hochberg")}
UNWEIGHTED: Final = later(
    "Everybody counts alike (unweighted), since nobody knows how the whole community is made up: "
    "there is nothing to weigh answers by."
)
LEFT_OUT_OF_TESTS: Final = later(
    "Answers that exclude all others, such as none, take no part in tests of groups without an order."
)
P_VALUES: Final = later("Their p-values stand in files for analysts, rounded up, and not on this page.")
RANGES: Final = later("For shares they follow Wilson, for averages Student's t, for medians the order of the answers.")
WEIGHTED: Final = later("Averages, shares and medians are weighted.")
LINEARISED_RANGES: Final = later(
    "For shares ranges follow Korn and Graubard, for medians Woodruff. "
    "For averages they come from Taylor's linearisation and a t distribution."
)
PICKED: Final = {
    "strata and clusters": later("Ranges allow for how people were picked, by strata and clusters."),
    "strata": later("Ranges allow for how people were picked, by strata."),
    "clusters": later("Ranges allow for how people were picked, by clusters."),
}
"""By the words of `estimators.design`."""
DIARIES_ALIKE: Final = later("In diaries everybody counts alike.")
FROM_COUNTS: Final = later("Shares and their ranges come from rounded counts.")
FROM_WEIGHTS: Final = later("Shares and their ranges are rounded to whole people of 100.")
ANYWAY: Final = later(
    "What might be expected anyway goes by where people began, by how those changed who chose the group for comparison, "
    "and by how alike two answers of a person are, some weeks apart (Davis 1976; Vickers and Altman 2001)."
)
PRIMARY: Final = "primary"
"""The family of tests that were declared before the answers came."""
Tested = ComparisonRow | TestRow


def tests_made(release: Release, instrument: Instrument) -> tuple[str, ...]:
    """Which tests and comparisons the release holds, in which families, and how their p-values were adjusted."""
    return tuple(_tests_made(release, {**COMPARISONS, **_comparisons(instrument)}))


def _comparisons(instrument: Instrument) -> dict[str, str]:
    """How differences are called where the instrument says how answers are weighted and people were picked."""
    if instrument.weighting is None:
        return {}
    if design(instrument):
        return COMPARISONS_OF_A_DESIGN_WITH_WEIGHTS if instrument.is_weighted else COMPARISONS_OF_A_DESIGN
    return COMPARISONS_WITH_WEIGHTS if instrument.is_weighted else COMPARISONS_COUNTED_ALIKE


def _tests_made(release: Release, comparisons: dict[str, str]) -> Iterator[str]:
    if release.tests:
        yield say("Tests over all groups of a question: {tests}.", tests=listed(_named(release.tests, TESTS)))
        yield say(LEFT_OUT_OF_TESTS)
    if release.comparisons:
        named = listed(_named(release.comparisons, comparisons))
        yield say("Comparisons of two groups: {comparisons}.", comparisons=named)
    yield from (_family_of_tests(*family) for family in _families(release.tests))
    yield from (_family_of_comparisons(*family) for family in _families(release.comparisons))
    if release.tests or release.comparisons:
        yield say(P_VALUES)


def _named(rows: Iterable[Tested], labels: dict[str, str]) -> list[str]:
    """What the statistics of some rows are called, each once; every difference of shares is one kind."""
    used = dict.fromkeys(row.statistic for row in rows)
    found = (
        labels.get(name, labels.get("difference_share") if name.startswith("difference_") else name) for name in used
    )
    return list(dict.fromkeys(say(name) for name in found if name))


def _family_of_tests(family: str, size: int, adjustment: str) -> str:
    after = _adjustment(adjustment)
    if family == PRIMARY:
        return say_n(
            "{n} test was declared beforehand and is corrected after {adjustment}.",
            "{n} tests were declared beforehand and are corrected for each other after {adjustment}.",
            size,
            adjustment=after,
        )
    return say_n(
        "{n} more test is corrected after {adjustment}.",
        "{n} more tests are corrected for each other after {adjustment}.",
        size,
        adjustment=after,
    )


def _family_of_comparisons(family: str, size: int, adjustment: str) -> str:
    after = _adjustment(adjustment)
    if family == PRIMARY:
        return say_n(
            "{n} comparison was declared beforehand and is corrected after {adjustment}.",
            "{n} comparisons were declared beforehand and are corrected for each other after {adjustment}.",
            size,
            adjustment=after,
        )
    return say_n(
        "{n} more comparison is corrected after {adjustment}.",
        "{n} more comparisons are corrected for each other after {adjustment}.",
        size,
        adjustment=after,
    )


def _adjustment(name: str) -> str:
    return say(ADJUSTMENTS[name]) if name in ADJUSTMENTS else name


def _families(rows: Iterable[Tested]) -> list[tuple[str, int, str]]:
    """Family, size and adjustment, each once, the primary family first."""
    found = {(row.family or "", row.family_size or 0, row.adjustment or "") for row in rows if row.family_size}
    return sorted(found, key=lambda one: (one[0] != PRIMARY, one))


def weighting(instrument: Instrument) -> tuple[str, ...]:
    """How much each answer counts, and why."""
    found = instrument.weighting
    if found is None:
        return (say(UNWEIGHTED),)
    return tuple(filter(None, (clean(found.why), _margins(found))))


def _margins(found: Weighting) -> str:
    """By which margins answers were weighted; empty where there are none."""
    if not found.margins:
        return ""
    sources = listed(dict.fromkeys(margin.source for margin in found.margins))
    if found.method == "rake":
        return say("Weights come from raking to these margins: {sources}.", sources=sources)
    return say("Weights come from post-stratification to these margins: {sources}.", sources=sources)


def anyway_rests_on(release: Release, instrument: Instrument) -> tuple[str, ...]:
    """What the bands of what might be expected anyway go by; nothing where the release has none."""
    used = {row.outcome for row in release.rows if row.statistic.endswith("_anyway")}
    found = {name: item for name, item in instrument.items.items() if name in used and item.retest}
    if not found:
        return ()
    return (say(ANYWAY), *_retests(found.values()))


def _retests(items: Iterable[Item]) -> Iterator[str]:
    """Each range of correlations with its source, once, with the outcomes that go by it."""
    alike: dict[tuple[float, float, str], list[str]] = {}
    for item in items:
        if retest := item.retest:
            key = retest.lowest, retest.highest, clean(retest.source)
            alike.setdefault(key, []).append(inline(clean(item.label)))
    for (lowest, highest, source), labels in alike.items():
        yield say(
            "Correlations from {lowest} to {highest} for {outcomes}: {source}.",
            lowest=plain(lowest),
            highest=plain(highest),
            outcomes=clearly_listed(labels),
            source=source,
        )


def ranges(instrument: Instrument) -> tuple[str, ...]:
    """By which methods ranges are made."""
    if not is_linearised(instrument):
        return (say(RANGES),)
    by, has_diary = design(instrument), any(item.role is Role.DIARY for item in instrument.items.values())
    said = (
        WEIGHTED if instrument.is_weighted else "",
        LINEARISED_RANGES,
        PICKED[by] if by else "",
        DIARIES_ALIKE if has_diary else "",
    )
    return tuple(say(sentence) for sentence in said if sentence)


def shares_from(instrument: Instrument) -> str:
    """What published shares are made of."""
    return say(FROM_WEIGHTS if is_linearised(instrument) else FROM_COUNTS)

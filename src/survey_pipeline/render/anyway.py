"""Anyway: what people who began as they did would report anyway, beside what they did report.

What belongs here: which published band goes with which published number, whether the number lies beyond it, and both in
words. What does not: the band's method (`statistics.anyway`), and drawing it (`charts`).

Whoever starts something in a bad spell is mostly better later, whatever was started. So an improvement is never told without
what would be expected anyway, and words depend on whether it lies beyond that. Beyond is still no cause: people who chose one
answer may differ from others in many ways.
"""

from enum import StrEnum
from typing import Final

from survey_pipeline.names import Status
from survey_pipeline.release import Row
from survey_pipeline.render.measure import Measure
from survey_pipeline.render.phrases import brief, clearly_listed, inline, sentence, whole_100
from survey_pipeline.render.view import Comparison, is_shown
from survey_pipeline.statistics import Estimated
from survey_pipeline.statistics.anyway import Band, is_beyond

SHARE_NOT_KNOWN: Final = "How many would report that anyway is not known."
CHANGE_NOT_KNOWN: Final = "What they would report anyway is not known."
NOT_KNOWN: Final = "What would be expected anyway is not known."
HIDDEN: Final = "What would be expected anyway is hidden, to protect people."
BEYOND: Final = "That is more than would be expected anyway."
WITHIN: Final = "Allowing for chance, that is no more than people with such a start may report anyway."
UNCERTAIN: Final = "This number is too uncertain to be set beside that."
OTHERWISE: Final = "Others may differ from them in other ways."
NONE_BEYOND: Final = "No group lies clearly beyond what people with such a start may report anyway."
_MORE: Final = "More than would be expected anyway"
_NO_MORE: Final = "Allowing for chance, no more than people with such a start may report anyway"
_DIFFER: Final = "Groups may differ in other ways too."
NOTE: Final = "Grey boxes: what would be expected anyway, by where people began and how the comparison group changed."
IN_WORDS: Final = "A grey box behind each dot shows what would be expected anyway."
EXPLAINED: Final = (
    "People often start something new in a bad spell, and bad spells tend to pass. "
    "So each improvement stands beside what would be expected anyway. "
    "That goes by where people began, and by how those changed who chose the group for comparison."
)


class Verdict(StrEnum):
    """How an observed improvement lies to what would be expected anyway."""

    BEYOND = "beyond"
    WITHIN = "within"
    UNCERTAIN = "uncertain"
    HIDDEN = "hidden"
    NOT_KNOWN = "not_known"


def verdict(row: Row, found: Comparison) -> Verdict:
    """How a row lies to its band, going by the published numbers alone."""
    band = found.band_of(row)
    if band is not None and band.status is Status.SUPPRESSED:
        return Verdict.HIDDEN
    if band is None or band.estimate is None or band.ci_lower is None or band.ci_upper is None:
        return Verdict.NOT_KNOWN
    if Status.UNRELIABLE in (row.status, band.status):
        return Verdict.UNCERTAIN
    observed = Estimated(row.estimate, row.standard_error, row.ci_lower, row.ci_upper)
    expected = Band(band.estimate, band.ci_lower, band.ci_upper)
    return Verdict.BEYOND if is_beyond(observed, expected, found.measure.better or "") else Verdict.WITHIN


def sentences(row: Row, found: Comparison) -> tuple[str, ...]:
    """What stands beside a number of people who improved; nothing beside any other number, nor beside those whose course is
    what is expected of the others.
    """
    if not found.measure.is_improvement or row.level == found.course:
        return ()
    said = verdict(row, found)
    if said is Verdict.NOT_KNOWN:
        return (SHARE_NOT_KNOWN if found.measure.is_share else CHANGE_NOT_KNOWN,)
    if said is Verdict.HIDDEN:
        return (HIDDEN,)
    told = {Verdict.BEYOND: (BEYOND, OTHERWISE), Verdict.WITHIN: (WITHIN,), Verdict.UNCERTAIN: (UNCERTAIN,)}[said]
    return (band_words(row, found), *told)


def now(row: Row, found: Comparison) -> str:
    """A band of this wave in short, where the number itself is told elsewhere in full; empty beside other numbers."""
    if not found.measure.is_improvement:
        return ""
    between = _between(row, found)
    return f"This wave, {between} would be expected anyway." if between else NOT_KNOWN


def band_words(row: Row, found: Comparison) -> str:
    """A band in a sentence; empty where there is none."""
    between = _between(row, found)
    if not between:
        return ""
    if found.measure.is_share:
        return f"{sentence(between)} would report that anyway, going by where they began."
    return f"Going by where they began, {between} would be expected anyway."


def ends(band: Row | None, measure: Measure) -> tuple[str, str] | None:
    """The ends of a published band in words, without the unit of a share; None where there is none."""
    if band is None or not is_shown(band) or band.ci_lower is None or band.ci_upper is None:
        return None
    if measure.is_share:
        return str(whole_100(band.ci_lower)), str(whole_100(band.ci_upper))
    return brief(band.ci_lower, measure), brief(band.ci_upper, measure)


def in_brief(band: Row | None, measure: Measure) -> str:
    """A band for a cell: '18 to 27'; empty where there is none."""
    found = ends(band, measure)
    return " to ".join(dict.fromkeys(found)) if found else ""


def _between(row: Row, found: Comparison) -> str:
    both = ends(found.band_of(row), found.measure)
    if both is None:
        return ""
    unit = " in 100" if found.measure.is_share else ""
    low, high = both
    return f"about {low}{unit}" if low == high else f"between about {low} and {high}{unit}"


def groups(found: Comparison, in_short: bool = False) -> tuple[str, ...]:
    """Which groups of a comparison lie beyond what would be expected anyway, and which do not; in short only the former."""
    if not found.measure.is_improvement or not found.compared:
        return ()
    labels: dict[Verdict, list[str]] = {one: [] for one in Verdict}
    for row in found.shown:
        if row.level not in found.not_compared and row.level != found.course:
            labels[verdict(row, found)].append(inline(row.level))
    beyond, within = labels[Verdict.BEYOND], labels[Verdict.WITHIN]
    if not beyond and not within:
        return ("What the groups would report anyway is not known.",)
    if in_short:
        return (f"{_MORE}: {clearly_listed(beyond)}.", _DIFFER) if beyond else (NONE_BEYOND,)
    rest = [label for one in (Verdict.UNCERTAIN, Verdict.HIDDEN, Verdict.NOT_KNOWN) for label in labels[one]]
    uncertain = (f"Too uncertain, or not known: {clearly_listed(rest)}.",) if rest else ()
    return (*_beyond_and_within(beyond, within), *uncertain)


def _beyond_and_within(beyond: list[str], within: list[str]) -> tuple[str, ...]:
    if not beyond:
        return (f"{_NO_MORE}: {clearly_listed(within)}.",)
    rest = (f"No more than that: {clearly_listed(within)}.",) if within else ()
    return (f"{_MORE}: {clearly_listed(beyond)}.", *rest, _DIFFER)

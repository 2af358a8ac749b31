"""Anyway: what people who began as they did might report anyway, beside what they did report.

What belongs here: which published band goes with which published number, whether the number lies beyond it, and both in
words. What does not: the band's method (`statistics.anyway`), and drawing it (`charts`).

Whoever starts something in a bad spell is mostly better later, whatever was started. So an improvement is never told without
what might be expected anyway, and words depend on whether it lies beyond that. Beyond is still no cause: people who chose one
answer may differ from others in many ways. And not beyond is no proof that nothing is there: a share may lie within its band
where the average change lies beyond.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Final

from survey_pipeline.names import Status
from survey_pipeline.release import Row
from survey_pipeline.render.measure import Measure
from survey_pipeline.render.phrases import NO_CHANGE, brief, clearly_listed, fixed, inline, quoted, sentence, whole_100
from survey_pipeline.render.view import Comparison, is_shown
from survey_pipeline.statistics import Estimated
from survey_pipeline.statistics.anyway import Band, is_beyond

SHARE_NOT_KNOWN: Final = "How many might report that anyway is not known."
CHANGE_NOT_KNOWN: Final = "What they might report anyway is not known."
NOT_KNOWN: Final = "What might be expected anyway is not known."
HIDDEN: Final = "What might be expected anyway is hidden, to protect people."
BEYOND: Final = "That is more than might be expected anyway."
WITHIN: Final = "Allowing for chance, people with such a start might report as much anyway."
UNCERTAIN: Final = "This number is too uncertain to be set beside that."
OTHERWISE: Final = "Others may differ from them in other ways."
GROUPS_NOT_KNOWN: Final = "What the groups might report anyway is not known."
NONE_BEYOND: Final = (
    "Counted this way, no group lies clearly beyond what people with such a start might report anyway. "
    "That does not show that nothing is there."
)
_MORE: Final = "More than might be expected anyway"
_AS_MUCH: Final = "Allowing for chance, people with such a start might report as much anyway"
_AS_MUCH_TOO: Final = "Allowing for chance, as much might be expected anyway"
_DIFFER: Final = "Groups may differ in other ways too."
NOTE: Final = "Grey boxes: what might be expected anyway, by where people began and how the comparison group changed."
IN_WORDS: Final = "A grey box behind each dot shows what might be expected anyway."
EXPLAINED: Final = (
    "People often start something new in a bad spell, and bad spells tend to pass. "
    "So each improvement stands beside what might be expected anyway. "
    "That goes by where people began, and by how those changed who chose the group for comparison."
)


class Verdict(StrEnum):
    """How an observed improvement lies to what might be expected anyway."""

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
    if said is Verdict.BEYOND:
        return (band_words(row, found), BEYOND, OTHERWISE)
    elsewhere = tuple(f"{_by(one.measure)}, it is {inline(_MORE)}." for one in _beyond_elsewhere(row, found))
    return (*_not_beyond(said, row, found), *elsewhere, *((OTHERWISE,) if elsewhere else ()))


def _not_beyond(said: Verdict, row: Row, found: Comparison) -> tuple[str, ...]:
    if said is Verdict.NOT_KNOWN:
        return (SHARE_NOT_KNOWN if found.measure.is_share else CHANGE_NOT_KNOWN,)
    if said is Verdict.HIDDEN:
        return (HIDDEN,)
    return (band_words(row, found), WITHIN if said is Verdict.WITHIN else UNCERTAIN)


def _beyond_elsewhere(row: Row, found: Comparison) -> Iterator[Comparison]:
    """Other measures of the outcome in which the people of a row lie beyond."""
    for one in found.others:
        mine = next((each for each in (one.everybody, *one.shown) if each and each.level == row.level), None)
        if mine and verdict(mine, one) is Verdict.BEYOND:
            yield one


def _by(measure: Measure) -> str:
    """By which of several measures of an outcome, where it is not the one that is drawn."""
    return f"Counted by {quoted(inline(measure.statistic_label))}" if measure.is_share else "By the average change"


def now(row: Row, found: Comparison) -> str:
    """A band of this wave in short, where the number itself is told elsewhere in full; empty beside other numbers."""
    if not found.measure.is_improvement:
        return ""
    between = _between(row, found)
    return f"This wave, {between} might be expected anyway." if between else NOT_KNOWN


def band_words(row: Row, found: Comparison) -> str:
    """A band in a sentence; empty where there is none."""
    between = _between(row, found)
    if not between:
        return ""
    if found.measure.is_share:
        return f"{sentence(between)} might report that anyway, going by where they began."
    return f"Going by where they began, {between} might be expected anyway."


def in_brief(band: Row | None, measure: Measure, places: int | None = None) -> str:
    """A band for a cell: '18 to 27', or '0.1 to 0.8 lower'; empty where there is none. Numbers but shares with so many
    decimals where asked.
    """
    return _joined(band, measure, "to", places)


def _joined(band: Row | None, measure: Measure, word: str, places: int | None = None) -> str:
    """The ends of a published band in words, without the unit of a share; the side that both lie on is named once, and then
    the nearer end comes first. Empty where there is none.
    """
    if band is None or not is_shown(band) or band.ci_lower is None or band.ci_upper is None:
        return ""
    values = sorted((band.ci_lower, band.ci_upper))
    if measure.is_share:
        return f" {word} ".join(dict.fromkeys(str(whole_100(end)) for end in values))
    low, high = (_end(end, measure, places) for end in (values if values[1] > 0 else values[::-1]))
    if low == high:
        return low
    side = high.rpartition(" ")[2]
    return f"{low.removesuffix(f' {side}')} {word} {high}"


def _end(value: float, measure: Measure, places: int | None) -> str:
    if places is None:
        return brief(value, measure)
    size = fixed(abs(value), places)
    return f"{size} {'lower' if value < 0 else 'higher'}" if float(size) else NO_CHANGE


def _between(row: Row, found: Comparison) -> str:
    both = _joined(found.band_of(row), found.measure, "and")
    unit = " in 100" if both and found.measure.is_share else ""
    if not both:
        return ""
    about = both.replace(" and ", " and about ", 1) if both.startswith(NO_CHANGE) else f"about {both}"
    return f"{'between ' if ' and ' in both else ''}{about}{unit}"


def groups(found: Comparison, in_short: bool = False) -> tuple[str, ...]:
    """Which groups of a comparison lie beyond what might be expected anyway, and which do not; in short only the former.
    Where groups lie beyond by another measure of the same outcome, that is said as well.
    """
    if not found.measure.is_improvement:
        return ()
    labels = _by_verdict(found)
    elsewhere = tuple(_elsewhere(found, labels[Verdict.BEYOND]))
    told = (_in_short if in_short else _in_full)(labels) if found.compared else ()
    differ = (_DIFFER,) if labels[Verdict.BEYOND] or elsewhere else ()
    return (*told, *elsewhere, *differ)


def _by_verdict(found: Comparison) -> dict[Verdict, list[str]]:
    """The groups that are answers, but those whose course is expected of the others, by how they lie to their bands."""
    labels: dict[Verdict, list[str]] = {one: [] for one in Verdict}
    for row in found.shown:
        if row.level not in found.not_compared and row.level != found.course:
            labels[verdict(row, found)].append(inline(row.level))
    return labels


def _elsewhere(found: Comparison, already: list[str]) -> Iterator[str]:
    """Which groups lie beyond by other measures, those that do `already` by the one that is drawn."""
    for one in found.others:
        beyond = _by_verdict(one)[Verdict.BEYOND]
        if beyond and sorted(beyond) == sorted(already):
            yield f"{_by(one.measure)}, the same groups."
        elif beyond:
            yield f"{_by(one.measure)}, {inline(_MORE)}: {clearly_listed(beyond)}."


def _in_short(labels: Mapping[Verdict, list[str]]) -> tuple[str, ...]:
    beyond = labels[Verdict.BEYOND]
    if beyond:
        return (f"{_MORE}: {clearly_listed(beyond)}.",)
    return (NONE_BEYOND,) if labels[Verdict.WITHIN] else (GROUPS_NOT_KNOWN,)


def _in_full(labels: Mapping[Verdict, list[str]]) -> tuple[str, ...]:
    beyond, within = labels[Verdict.BEYOND], labels[Verdict.WITHIN]
    if not beyond and not within:
        return (GROUPS_NOT_KNOWN,)
    above = (f"{_MORE}: {clearly_listed(beyond)}.",) if beyond else ()
    inside = (f"{_AS_MUCH_TOO if beyond else _AS_MUCH}: {clearly_listed(within)}.",) if within else ()
    rest = [label for one in (Verdict.UNCERTAIN, Verdict.HIDDEN, Verdict.NOT_KNOWN) for label in labels[one]]
    uncertain = (f"Too uncertain, or not known: {clearly_listed(rest)}.",) if rest else ()
    return (*above, *inside, *uncertain)

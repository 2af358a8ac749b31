"""Anyway: what people who began as they did might report anyway, beside what they did report.

What belongs here: which published band goes with which published number, whether the number lies beyond it, and both in
words. What does not: the band's method (`statistics.anyway`), and drawing it (`charts`).

Whoever starts something in a bad spell is mostly better later, whatever was started. So an improvement is never told without
what might be expected anyway, and words depend on whether it lies beyond that. Beyond is still no cause: people who chose one
answer may differ from others in many ways. And not beyond is no proof that nothing is there: a share may lie within its band
where the average change lies beyond.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from survey_pipeline.language import later, say, say_in, whole
from survey_pipeline.names import Status
from survey_pipeline.release import Row
from survey_pipeline.render.measure import Measure
from survey_pipeline.render.phrases import (
    change,
    clearly_listed,
    fixed,
    inline,
    plain,
    quoted,
    range_of,
    sentence,
    whole_100,
)
from survey_pipeline.render.view import Comparison, is_shown
from survey_pipeline.statistics import Estimated
from survey_pipeline.statistics.anyway import Band, is_beyond

SHARE_NOT_KNOWN: Final = later("How many might report that anyway is not known.")
CHANGE_NOT_KNOWN: Final = later("What they might report anyway is not known.")
NOT_KNOWN: Final = later("What might be expected anyway is not known.")
HIDDEN: Final = later("What might be expected anyway is hidden, to protect people.")
BEYOND: Final = later("That is more than might be expected anyway.")
WITHIN: Final = later("Allowing for chance, people with such a start might report as much anyway.")
UNCERTAIN: Final = later("This number is too uncertain to be set beside that.")
OTHERWISE: Final = later("Others may differ from them in other ways.")
GROUPS_NOT_KNOWN: Final = later("What the groups might report anyway is not known.")
NONE_BEYOND: Final = later(
    "Counted this way, no group lies clearly beyond what people with such a start might report anyway. "
    "That does not show that nothing is there."
)
GROUPS_DIFFER: Final = later("Groups may differ in other ways too.")
NOTE: Final = later(
    "Grey boxes: what might be expected anyway, by where people began and how the comparison group changed."
)
IN_WORDS: Final = later("A grey box behind each dot shows what might be expected anyway.")
EXPLAINED: Final = later(
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
        return (band_words(row, found), say(BEYOND), say(OTHERWISE))
    elsewhere = tuple(_it_is_more(one.measure) for one in _beyond_elsewhere(row, found))
    return (*_not_beyond(said, row, found), *elsewhere, *((say(OTHERWISE),) if elsewhere else ()))


def _not_beyond(said: Verdict, row: Row, found: Comparison) -> tuple[str, ...]:
    if said is Verdict.NOT_KNOWN:
        return (say(SHARE_NOT_KNOWN if found.measure.is_share else CHANGE_NOT_KNOWN),)
    if said is Verdict.HIDDEN:
        return (say(HIDDEN),)
    return (band_words(row, found), say(WITHIN if said is Verdict.WITHIN else UNCERTAIN))


def _beyond_elsewhere(row: Row, found: Comparison) -> Iterator[Comparison]:
    """Other measures of the outcome in which the people of a row lie beyond."""
    for one in found.others:
        mine = next((each for each in (one.everybody, *one.shown) if each and each.level == row.level), None)
        if mine and verdict(mine, one) is Verdict.BEYOND:
            yield one


def _it_is_more(measure: Measure) -> str:
    """That some people lie beyond by a measure that is not the one that is drawn."""
    if measure.is_share:
        threshold = _threshold(measure)
        return say("Counted by {threshold}, it is more than might be expected anyway.", threshold=threshold)
    return say("By the average change, it is more than might be expected anyway.")


def _threshold(measure: Measure) -> str:
    return quoted(inline(measure.statistic_label))


# --- Bands in words ----------------------------------------------------------------------------------------------------


def now(row: Row, found: Comparison) -> str:
    """A band of this wave in short, where the number itself is told elsewhere in full; empty beside other numbers."""
    if not found.measure.is_improvement:
        return ""
    between = _between(row, found)
    return say("This wave, {between} might be expected anyway.", between=between) if between else say(NOT_KNOWN)


def band_words(row: Row, found: Comparison) -> str:
    """A band in a sentence; empty where there is none."""
    between = _between(row, found)
    if not between:
        return ""
    if found.measure.is_share:
        return sentence(say("{between} might report that anyway, going by where they began.", between=between))
    return say("Going by where they began, {between} might be expected anyway.", between=between)


def in_brief(band: Row | None, measure: Measure, places: int | None = None) -> str:
    """A band for a cell: '18 to 27', or '0.1 to 0.8 lower'; empty where there is none. Numbers but shares with so many
    decimals where asked.
    """
    ends = _ends(band, measure, places)
    if ends is None:
        return ""
    first, last = ends
    if first == last:
        return first.alone
    if _on_one_side(first, last):
        return _from_to(first, last)
    return range_of(first.alone, last.alone)


def _between(row: Row, found: Comparison) -> str:
    """The band of a row inside a sentence; empty where there is none."""
    ends = _ends(found.band_of(row), found.measure)
    if ends is None:
        return ""
    return (_between_shares if found.measure.is_share else _between_changes)(*ends)


def _between_shares(low: "_End", high: "_End") -> str:
    if low == high:
        return say("about {number} in 100", number=low.size)
    return say("between about {low} and {high} in 100", low=low.size, high=high.size)


def _between_changes(first: "_End", last: "_End") -> str:
    if first == last:
        return first.alone if first.is_none else say("about {amount}", amount=first.alone)
    if first.is_none:
        return say("between no change and about {amount}", amount=last.alone)
    if _on_one_side(first, last):
        return _between_on_one_side(first, last)
    return say("between about {low} and {high}", low=first.alone, high=last.alone)


@dataclass(frozen=True)
class _End:
    """One end of a band as it is written. Of a change, `side` says whether it is lower (-1) or higher (1) than before."""

    size: str
    side: int = 0
    is_change: bool = False

    @property
    def alone(self) -> str:
        """The end named on its own: '0.8 lower', 'no change', '27'."""
        return change(self.side, self.size) if self.is_change else self.size

    @property
    def is_none(self) -> bool:
        """Whether it is no change at all."""
        return self.is_change and not self.side


def _ends(band: Row | None, measure: Measure, places: int | None = None) -> tuple[_End, _End] | None:
    """The ends of a published band, the lower one first; of two on the side of less, the one nearer to no change."""
    if band is None or not is_shown(band) or band.ci_lower is None or band.ci_upper is None:
        return None
    low, high = sorted((band.ci_lower, band.ci_upper))
    first, last = (low, high) if measure.is_share or high > 0 else (high, low)
    return _end(first, measure, places), _end(last, measure, places)


def _end(value: float, measure: Measure, places: int | None) -> _End:
    if measure.is_share:
        return _End(whole(whole_100(value)))
    if not measure.is_change:
        return _End(_size(value, places))
    size, nothing = _size(abs(value), places), _size(0, places)
    side = 0 if size == nothing else -1 if value < 0 else 1
    return _End(size, side, is_change=True)


def _size(value: float, places: int | None) -> str:
    return plain(value, 2) if places is None else fixed(value, places)


def _on_one_side(first: _End, last: _End) -> bool:
    """Whether both are lower, or both higher: the side is then named once."""
    return first.side == last.side != 0


def _from_to(first: _End, last: _End) -> str:
    if last.side < 0:
        return say_in("a change since before", "{low} to {high} lower", low=first.size, high=last.size)
    return say_in("a change since before", "{low} to {high} higher", low=first.size, high=last.size)


def _between_on_one_side(first: _End, last: _End) -> str:
    if last.side < 0:
        return say_in("a change since before", "between about {low} and {high} lower", low=first.size, high=last.size)
    return say_in("a change since before", "between about {low} and {high} higher", low=first.size, high=last.size)


# --- Groups ------------------------------------------------------------------------------------------------------------


def groups(found: Comparison, in_short: bool = False) -> tuple[str, ...]:
    """Which groups of a comparison lie beyond what might be expected anyway, and which do not; in short only the former.
    Where groups lie beyond by another measure of the same outcome, that is said as well.
    """
    if not found.measure.is_improvement:
        return ()
    labels = _by_verdict(found)
    elsewhere = tuple(_elsewhere(found, labels[Verdict.BEYOND]))
    told = (_in_short if in_short else _in_full)(labels) if found.compared else ()
    differ = (say(GROUPS_DIFFER),) if labels[Verdict.BEYOND] or elsewhere else ()
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
            yield _the_same_by(one.measure)
        elif beyond:
            yield _more_by(one.measure, beyond)


def _the_same_by(measure: Measure) -> str:
    if measure.is_share:
        return say("Counted by {threshold}, the same groups.", threshold=_threshold(measure))
    return say("By the average change, the same groups.")


def _more_by(measure: Measure, labels: list[str]) -> str:
    groups = clearly_listed(labels)
    if measure.is_share:
        threshold = _threshold(measure)
        return say(
            "Counted by {threshold}, more than might be expected anyway: {groups}.", threshold=threshold, groups=groups
        )
    return say("By the average change, more than might be expected anyway: {groups}.", groups=groups)


def _in_short(labels: Mapping[Verdict, list[str]]) -> tuple[str, ...]:
    beyond = labels[Verdict.BEYOND]
    if beyond:
        return (_more(beyond),)
    return (say(NONE_BEYOND if labels[Verdict.WITHIN] else GROUPS_NOT_KNOWN),)


def _in_full(labels: Mapping[Verdict, list[str]]) -> tuple[str, ...]:
    beyond, within = labels[Verdict.BEYOND], labels[Verdict.WITHIN]
    if not beyond and not within:
        return (say(GROUPS_NOT_KNOWN),)
    above = (_more(beyond),) if beyond else ()
    inside = (_as_much(within, after_others=bool(beyond)),) if within else ()
    rest = [label for one in (Verdict.UNCERTAIN, Verdict.HIDDEN, Verdict.NOT_KNOWN) for label in labels[one]]
    uncertain = (say("Too uncertain, or not known: {groups}.", groups=clearly_listed(rest)),) if rest else ()
    return (*above, *inside, *uncertain)


def _more(labels: list[str]) -> str:
    return say("More than might be expected anyway: {groups}.", groups=clearly_listed(labels))


def _as_much(labels: list[str], after_others: bool) -> str:
    """Who reported what might be expected anyway; in fewer words where others were named before."""
    groups = clearly_listed(labels)
    if after_others:
        return say("Allowing for chance, as much might be expected anyway: {groups}.", groups=groups)
    return say("Allowing for chance, people with such a start might report as much anyway: {groups}.", groups=groups)

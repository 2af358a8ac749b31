"""Comparisons: groups, waves and doses are said to differ only where the published ranges bear it.

What belongs here: which two things a sentence compares, and asking the release. What does not: the rule by which ranges stay
apart, which is the page's own (`render.view`).
"""

import re
from collections.abc import Iterator, Sequence

from survey_pipeline import names
from survey_pipeline.language import say
from survey_pipeline.lint.check_numbers import levels_of, outcomes_of
from survey_pipeline.lint.facts import Facts
from survey_pipeline.lint.findings import Found, Rule
from survey_pipeline.lint.passages import Desk, Passage
from survey_pipeline.lint.vocabulary import LEVEL, SUBSTANCE
from survey_pipeline.release import Row
from survey_pipeline.render.phrases import listed, quoted
from survey_pipeline.render.view import Comparison, View, is_shown
from survey_pipeline.render.view import widened as widened
from survey_pipeline.render.view import widening as widening

_CLAUSE = re.compile(r"[;:\N{EN DASH}\N{EM DASH}]\s|,\s(?=(?:but|aber|pero)\b)", re.I)


def check_comparisons(passage: Passage, desk: Desk, outcomes_before: Sequence[str]) -> Iterator[Found]:
    """What one sentence compares. `outcomes_before`: what the sentences before were about, where it names no outcome."""
    if passage.is_trial or passage.is_own or passage.is_question:
        return
    outcomes = outcomes_of(passage.marked) or tuple(outcomes_before)
    for check in (_of_dose, _of_waves, _of_levels):
        found = next(check(passage, desk, outcomes), None)
        if found:
            yield found
            return


def _search(passage: Passage, desk: Desk, section: str, key: str, negations: str = "negations") -> re.Match[str] | None:
    """A pattern of the vocabulary, if no negation stands before it in its clause or within it."""
    text = passage.marked.text
    for match in desk.words.pattern(section, key).finditer(text):
        clause = _CLAUSE.split(text[: match.start()])[-1] + match[0]
        if not desk.words.has(section, negations, clause):
            return match
    return None


def _place(passage: Passage, match: re.Match[str]) -> tuple[int, int]:
    return passage.marked.span(match.start(), match.end())


# --- Groups ------------------------------------------------------------------------------------------------------------


def _of_levels(passage: Passage, desk: Desk, outcomes: Sequence[str]) -> Iterator[Found]:
    for key in ("than", "superlative"):
        match = _search(passage, desk, "comparison", key)
        if match and (key == "than" or desk.words.has("comparison", "superlative_cue", passage.marked.text)):
            yield from _borne(passage, desk, outcomes, match)
    match = desk.words.pattern("comparison", "between_levels").search(passage.marked.text)
    if match and not passage.claims and not _is_of_one_thing(passage):
        yield from _borne(passage, desk, outcomes, match)


def _is_of_one_thing(passage: Passage) -> bool:
    """Whether the levels that a sentence names are of one group, or of several exposures."""
    found = [thing for _, thing in passage.marked.things(LEVEL)]
    return len(set(found)) < 2 or len({thing.exposure for thing in found}) != 1


def _borne(passage: Passage, desk: Desk, outcomes: Sequence[str], match: re.Match[str]) -> Iterator[Found]:
    levels, unknown = levels_of(passage.marked)
    groups = [one for one in levels if one[1] != names.ALL_LEVELS]
    start, end = _place(passage, match)
    if unknown:
        why = say("The release shows no numbers of this group by itself: {group}.", group=quoted(unknown[0]))
        yield Found(Rule.COMPARISON, start, end, why, say("Leave the comparison out."))
    elif not _bears(desk.facts.view, groups, outcomes, _direction(passage, desk)):
        why = say("The ranges of the groups overlap, allowing for all pairs, so the order may be chance.")
        yield Found(Rule.COMPARISON, start, end, why, _side_by_side(groups))


def _side_by_side(groups: Sequence[tuple[str, str]]) -> str:
    if not groups:
        return say("Say: no group stands clearly apart.")
    named = listed(quoted(label) for _, label in groups)
    return say("Give the numbers of {groups} side by side, and say: no group stands clearly apart.", groups=named)


def _direction(passage: Passage, desk: Desk) -> int:
    """1 where the group named first is said to be better, -1 where it is said to be worse, 0 where that cannot be told."""
    text = passage.marked.text
    better = desk.words.has("comparison", "better", text)
    worse = desk.words.has("comparison", "worse", text)
    return 0 if better == worse else 1 if better else -1


def _bears(view: View, groups: Sequence[tuple[str, str]], outcomes: Sequence[str], direction: int) -> bool:
    """Whether some published comparison of the groups bears what is said: of two groups, that their ranges stay apart; of
    one, that its range stays apart from those of all others.
    """
    exposures = {exposure for exposure, _ in groups}
    if len(exposures) != 1 or not groups:
        return False
    labels = list(dict.fromkeys(label for _, label in groups))
    return any(_stay_apart(found, labels, direction) for found in _comparisons(view, exposures.pop(), outcomes))


def _comparisons(view: View, exposure: str, outcomes: Sequence[str]) -> Iterator[Comparison]:
    """The comparisons that the page draws of an exposure: of the outcomes named, else of the primary ones."""
    for table in view.tables:
        if view.exposure(table) != exposure:
            continue
        wanted = [one for one in view.outcomes(table) if one in outcomes] if outcomes else []
        primary = [found.measure.outcome for found in view.charted(table)]
        for outcome in wanted or ([] if outcomes else primary):
            yield view.headline(table, outcome)


def _stay_apart(found: Comparison, labels: Sequence[str], direction: int) -> bool:
    known = [row for row in found.compared if row.ci_lower is not None and row.ci_upper is not None]
    by_level = {row.level: row for row in known}
    if len(known) < 2 or found.depends_on_reading or any(label not in by_level for label in labels):
        return False
    first = by_level[labels[0]]
    others = [by_level[label] for label in labels[1:2]] or [row for row in known if row is not first]
    return all(_is_apart(first, other, found, widening(len(known)), direction) for other in others)


def _is_apart(first: Row, other: Row, found: Comparison, factor: float, direction: int) -> bool:
    mine, theirs = widened(first, factor), widened(other, factor)
    above, below = mine[0] > theirs[1], mine[1] < theirs[0]
    better = below if found.measure.better == "lower" else above
    worse = above if found.measure.better == "lower" else below
    return better if direction > 0 else worse if direction < 0 else better or worse


# --- Waves -------------------------------------------------------------------------------------------------------------


def _of_waves(passage: Passage, desk: Desk, outcomes: Sequence[str]) -> Iterator[Found]:
    match = _search(passage, desk, "comparison", "since")
    if not match:
        return
    levels = [label for _, label in levels_of(passage.marked)[0]] or [names.ALL_LEVELS]
    if desk.before is None or not _waves_apart(desk.facts, desk.before, outcomes, levels):
        why = say("The ranges of the two waves overlap, so this may be chance. Other people may have answered.")
        better = say("Give both numbers side by side, and say that the ranges overlap.")
        yield Found(Rule.COMPARISON, *_place(passage, match), why, better)


def _waves_apart(now: Facts, before: Facts, outcomes: Sequence[str], levels: Sequence[str]) -> bool:
    """Whether some number of both waves, of what is named, has ranges that do not overlap."""
    old = {(row.table, row.level, row.outcome, row.statistic): row for row in before.view.release.rows}
    for row in now.view.release.rows:
        same = old.get((row.table, row.level, row.outcome, row.statistic))
        named = row.outcome in outcomes and row.level in levels
        if named and same and is_shown(row) and is_shown(same) and _apart(row, same):
            return before.view.may_compare(row.outcome)
    return False


def _apart(row: Row, other: Row) -> bool:
    if row.ci_lower is None or row.ci_upper is None or other.ci_lower is None or other.ci_upper is None:
        return False
    return max(row.ci_lower, other.ci_lower) > min(row.ci_upper, other.ci_upper)


# --- Doses -------------------------------------------------------------------------------------------------------------


def _of_dose(passage: Passage, desk: Desk, outcomes: Sequence[str]) -> Iterator[Found]:
    """More of a dose and an outcome: only where the direction is a finding under every reading."""
    text = passage.marked.text
    match = _search(passage, desk, "dose", "patterns", "unless")
    if not match or not _has_subject(passage, desk, text):
        return
    view = desk.facts.view
    found = list(_comparisons(view, view.instrument.dose, outcomes))
    if not any(one.trend for one in found):
        depends = any(one.depends_on_reading for one in found)
        why = (
            say("What goes with more of the dose depends on how labels are read, so there is no finding on dose.")
            if depends
            else say("The release shows nothing that goes one way with the dose.")
        )
        yield Found(Rule.DOSE, *_place(passage, match), why, say("Say: there is no finding on dose."))


def _has_subject(passage: Passage, desk: Desk, text: str) -> bool:
    """Whether a sentence is about what is taken at all."""
    signs = {one.sign for one in passage.marked.marks}
    return bool(signs & {SUBSTANCE, LEVEL}) or desk.words.has("dose", "subject", text)

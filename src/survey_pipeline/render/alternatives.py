"""Alternatives: each chart in words, for those who cannot see it.

What belongs here: what kind of chart it is, what it shows, the finding, what is hidden, and where the numbers are. What does
not: how a finding is told (`words`), and drawing (`charts`). An alternative holds no number that the table beside the chart
does not hold, and names groups as different only where the chart's own title does.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from survey_pipeline.language import later, say, say_n, wave_in_words
from survey_pipeline.names import Status
from survey_pipeline.release import Row
from survey_pipeline.render import anyway, words
from survey_pipeline.render.measure import Measure
from survey_pipeline.render.phrases import clearly_listed, quoted
from survey_pipeline.render.view import Comparison, View, is_shown

APART: Final = later("The range of {high} lies wholly above that of {low}.")
APART_OF_ALL: Final = later(
    "The range of {high} lies wholly above that of {low}, even when all pairs of groups are allowed for."
)
IN_TABLES: Final = later("The number is in the tables.")
ONE_WAVE: Final = later("Only one wave is shown.")
ANEW: Final = later("The question was changed between the last two waves shown, so they are not compared.")
NOT_SURE: Final = later("How sure the last two waves shown are, is not known, so they are not compared.")
MAY_BE_CHANCE: Final = later("The ranges of {newer} and {older} overlap, so a difference may be chance.")
HIGHER: Final = later("The range of {newer} lies wholly above that of {older}. Other people may have answered.")
LOWER: Final = later("The range of {newer} lies wholly below that of {older}. Other people may have answered.")


def comparison(found: Comparison, view: View) -> str:
    """Levels of an exposure on one measure: what the title says, and which two stay apart, where it says that some do."""
    return _joined(
        view,
        say("Chart of dots with ranges, one for each group."),
        f"{words.headline(found, view)}.",
        _apart(found),
        words.dose_trend(found) if found.trend else "",
        _shown(found.measure),
        say(anyway.IN_WORDS) if words.has_bands(found) else "",
        words.hidden_levels(found.hidden),
        say(words.IN_ITS_TABLE),
    )


def _apart(found: Comparison) -> str:
    """Which level lies above which other for certain; nothing where that may not be said."""
    if found.pair is None or not found.apart:
        return ""
    high, low = (quoted(row.level) for row in found.pair)
    return say(APART if len(found.compared) == 2 else APART_OF_ALL, high=high, low=low)


def picture(found: Comparison, view: View) -> str:
    """A hundred people, with how many reported it."""
    return _joined(
        view,
        say("Picture of 100 circles, filled for people who reported it."),
        words.everybody_finding(found).headline,
        say(IN_TABLES),
    )


def options(table: str, comparisons: Iterable[Comparison], view: View) -> str:
    """How often everybody who answered gave each answer."""
    return _joined(
        view,
        say("Chart of dots with ranges, one for each answer, everybody who answered."),
        f"{words.options_headline(view, table)}.",
        say("The most frequent answer comes first."),
        hidden_answers(comparisons, view),
        say(words.IN_ITS_TABLE),
    )


def over_waves(measure: Measure, rows: Sequence[Row], view: View, anew: Sequence[bool], has_bands: bool) -> str:
    """What everybody said, wave after wave: `rows` in the order of waves, and whether each was asked anew."""
    return _joined(
        view,
        say("Chart of dots with ranges, one for each wave, everybody who answered."),
        f"{words.over_waves(measure)}.",
        _newest(rows, anew),
        _shown(measure),
        say(anyway.IN_WORDS) if has_bands else "",
        hidden_waves(rows),
        say(words.IN_ITS_TABLE),
    )


def _newest(rows: Sequence[Row], anew: Sequence[bool]) -> str:
    """How the last two waves that are shown lie to each other."""
    places = [place for place, row in enumerate(rows) if is_shown(row)]
    if len(places) < 2:
        return say(ONE_WAVE)
    before, now = places[-2:]
    if any(anew[before + 1 : now + 1]):
        return say(ANEW)
    return _set_beside(rows[before], rows[now])


def _set_beside(older: Row, newer: Row) -> str:
    """Two waves by their published ranges alone; of an uncertain one nothing is said."""
    ends = (older.ci_lower, older.ci_upper, newer.ci_lower, newer.ci_upper)
    if None in ends or Status.UNRELIABLE in (older.status, newer.status):
        return say(NOT_SURE)
    old_low, old_high, new_low, new_high = (end or 0.0 for end in ends)
    said = HIGHER if new_low > old_high else LOWER if new_high < old_low else MAY_BE_CHANCE
    return say(said, newer=wave_in_words(newer.wave), older=wave_in_words(older.wave))


# --- What a chart leaves out -------------------------------------------------------------------------------------------


def hidden_answers(comparisons: Iterable[Comparison], view: View) -> str:
    """The answers that a chart of answers leaves out: by name, or how many where they are many."""
    hidden = [found for found in comparisons if found.everybody and found.everybody.status is Status.SUPPRESSED]
    if len(hidden) > words.MOST_NAMED:
        return say_n("Hidden to protect people: {n} answer.", "Hidden to protect people: {n} answers.", len(hidden))
    return _hidden([words.named(found.measure, view) for found in hidden])


def hidden_waves(rows: Iterable[Row]) -> str:
    """The waves that a chart over waves leaves out to protect people. What was not read is not hidden."""
    return _hidden([wave_in_words(row.wave) for row in rows if row.status is Status.SUPPRESSED])


def _hidden(labels: Sequence[str]) -> str:
    return say("Hidden to protect people: {groups}.", groups=clearly_listed(labels)) if labels else ""


# --- What all of them say ----------------------------------------------------------------------------------------------


def _shown(measure: Measure) -> str:
    return say("Shown: {counted}.", counted=words.subtitle(measure))


def _joined(view: View, *sentences: str) -> str:
    """Sentences about a chart with what stands below all of them; empty ones are left out."""
    invented = f"{say(words.INVENTED)}." if view.release.is_invented else ""
    return " ".join(filter(None, (*sentences, say(words.NO_CAUSE), invented)))

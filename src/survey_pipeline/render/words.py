"""Sentences: published numbers put into plain words, as plain text in the language that is spoken.

What belongs here: every sentence that holds a number or a label. What does not: escaping (each format's own template does
that), layout, and any number that the release does not hold. Forms and doses are chosen by people themselves, so a sentence
says what people reported and never what did something to them. In English a sentence stays under 20 words where its labels
are short; only the one that explains a range has 21.

Constants are said where they are used: `say(NO_CAUSE)`.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from survey_pipeline import names
from survey_pipeline.instrument import Instrument
from survey_pipeline.language import SOURCE, later, say, say_in, say_n, spoken, whole
from survey_pipeline.names import Status
from survey_pipeline.plain import clean
from survey_pipeline.release import PublishedLevel, Row
from survey_pipeline.render import anyway
from survey_pipeline.render.dose import UP
from survey_pipeline.render.measure import READINGS, Measure
from survey_pipeline.render.phrases import (
    amount,
    based_on,
    clearly_listed,
    fixed,
    inline,
    joining_words,
    level_label,
    listed,
    number,
    people,
    per_100,
    plain,
    quoted,
    range_of,
    scale,
    sentence,
    share_number,
    unit_of,
    whole_100,
)
from survey_pipeline.render.view import Comparison, View, is_shown

NO_CAUSE = later("This shows what people reported. It cannot show what caused it.")
INVENTED_SOME = later(
    "Invented data: waves marked so below were made up to try out the report. Nobody answered their questions."
)
INVENTED_CHART = later("Invented data: made up to try out the report.")
BAND_NOTE = later("Grey: the range for everybody who answered.")
BETTER = later("better \N{RIGHTWARDS ARROW}")
NO_CAUSE_CHART = later("What people reported, not what caused it.")
INVENTED = later("Invented data")
INVENTED_LONG = later(
    "Invented data: every number here was made up to try out the report. Nobody answered these questions."
)
EXPLAINED = anyway.EXPLAINED
HIDDEN = later("hidden")
NOT_READ = later("not read")
"""In a cell: the wave holds no answers to the question."""
NO_ANSWERS_READ = later(
    "No answers to this question were read in this wave: it was not asked, or its heading was not recognised."
)
UNCERTAIN = later("This number is uncertain: it rests on too few people, or its range is too wide.")
UNCERTAIN_MARK = later(
    "“Uncertain” marks a number from too few people, or with too wide a range. "
    "The rules are those of the US National Center for Health Statistics."
)
UNCERTAIN_DOTS = later("Open marks are uncertain: too few people, or too wide a range.")
NOT_SURE = later("How sure this is, is not known.")
NO_GROUP_SHOWN = later("all groups are hidden, to protect people")
READING_DECIDES = later("no finding, since it depends on how labels are read")
NONE_APART = later("no group stands clearly apart")
NO_CHANGE_TOLD = later("no change can be told in this wave")
NOTHING_READ = later("no answers were read in this wave")
DEPENDS = later("The direction depends on how labels are read, so there is no finding on dose.")
DEPENDS_NOT_KNOWN = later(
    "The direction is not known under every way of reading labels, so there is no finding on dose."
)
ALL_READINGS = later("It goes the same way however labels are read.")
UNEVEN = later("From group to group the numbers go up and down; that may be chance.")
LEFT_OUT = later("How many left each question out")
COUNTS = later("These are counts of people. They are not compared, and say nothing about how people fare.")
LIMITS_OF_DOSE = later(
    "A label may give another weight than people think. So each number stands as answered, and under each reading."
)
NO_ADVICE = later("This is no medical advice.")
CROSSED = later("Each number is one group within another, so few people are behind it and its range is wide.")
OF_EVERYBODY = later("Everybody who answered the question, counted together.")
DIARY = later("Each week of each person counts once. People who keep a diary may differ from others.")
MORE_TABLES = later("These tables have no charts. Open one to see its numbers; each is also a file.")
MANY_QUESTIONS = later("With many questions, some differ by chance.")
QUESTIONS_CHANGED = later("The questionnaire changed between the two waves, so compare with care.")
OTHER_PEOPLE = later(
    "Each dot is one wave. Other people may have answered each time, so a difference need not be a change in anybody."
)
BROKEN_SERIES = later("Where it says so, the question was changed: do not compare that wave with those before it.")
IF_ALIKE = later("if those who answered are like the rest")
"""What every range takes for granted; members choose for themselves whether to answer."""
CHANCE = later(
    "Where ranges overlap, the order of the groups may be chance. With many groups, so may a small gap between ranges."
)
HOW_TO_READ_OPTIONS = later(
    "Each dot is one answer. "
    "The answers fit a true share anywhere on its line, if those who answered are like the rest."
)
HOW_RANGES_ARE_MEANT = later(
    "The answers fit a true share or average between the ends of its range, if those who answered are like the rest. "
    "A range is no forecast for other groups."
)
LIMITS = (
    later("People chose their own answers to everything here, so groups differ in many ways."),
    later("There was no control group picked by chance."),
    later("People who score high or low tend to score nearer the middle next time."),
    later("So none of this can show what caused what."),
)
"""Holds for every survey of this kind. Stands wherever the instrument's own list does not say the same."""
LIMITS_IN_SHORT = later(
    "People chose for themselves, and very high or low scores tend to even out. None of this can show what caused what."
)
"""What every page says, whatever the instrument says."""
MOST_NAMED = 12
"""More hidden groups than this are counted, not named: the file of the table names them."""
LINES_THAT_CARRY = 3
"""With so many lines, the instrument's own list says what `LIMITS` would say again."""

IN_ITS_TABLE = later("The numbers are in the table that goes with it.")
NO_CHANGE_READ = later(
    "No change can be told in this wave: one of its two questions was not asked, or its heading was not recognised."
)
_FITS = {
    "share": later("These answers fit a true share between about {low} and {high} in 100, {if_alike}."),
    "average": later("These answers fit a true average between about {low} and {high}, {if_alike}."),
    "average change": later("These answers fit a true average change between about {low} and {high}, {if_alike}."),
    "median": later("These answers fit a true median between about {low} and {high}, {if_alike}."),
    "median change": later("These answers fit a true median change between about {low} and {high}, {if_alike}."),
}
"""What a range says, by what it is about."""
_FITS_LINE = {
    "share": later("Each dot is one group. Its answers fit a true share anywhere on its line, {if_alike}."),
    "average": later("Each dot is one group. Its answers fit a true average anywhere on its line, {if_alike}."),
    "average change": later(
        "Each dot is one group. Its answers fit a true average change anywhere on its line, {if_alike}."
    ),
    "median": later("Each dot is one group. Its answers fit a true median anywhere on its line, {if_alike}."),
    "median change": later(
        "Each dot is one group. Its answers fit a true median change anywhere on its line, {if_alike}."
    ),
}
"""How a line of a chart is read, by what it is about."""


@dataclass(frozen=True)
class Finding:
    """One point of 'In short': what was found, then how sure that is."""

    headline: str
    details: tuple[str, ...] = ()


# --- Cells of tables -------------------------------------------------------------------------------------------------


def cell(row: Row | None, measure: Measure, places: int = 0) -> str:
    """A published number as it stands in a table of the page, with its range; a word where there is none. Of what might be
    expected anyway the range alone, for it is no confidence interval.

    Shares stand in whole people of 100, other numbers with as many decimals as their column: the file has all digits.
    """
    if row is None:
        return "\N{EN DASH}"
    if row.status is Status.NOT_ASKED:
        return say(NOT_READ)
    if row.estimate is None:
        return say(HIDDEN) if row.status is Status.SUPPRESSED else say("not known")
    text = _in_cell(row, measure, places)
    return say("{number} uncertain", number=text) if row.status is Status.UNRELIABLE else text


def _in_cell(row: Row, measure: Measure, places: int) -> str:
    """A number with its range: '30 (25 to 36)'. Of what might be expected anyway the range alone."""
    if measure.is_band:
        return anyway.in_brief(row, measure, places) or say("not known")
    estimate, low, high = row.estimate or 0, row.ci_lower, row.ci_upper
    text = share_number(estimate) if measure.is_share else fixed(estimate, places)
    if low is None or high is None:
        return text
    ends = (str(whole_100(end)) if measure.is_share else fixed(end, places) for end in (low, high))
    return f"{text} ({range_of(*ends)})"


def missing(row: Row, min_n: int) -> str:
    """How many gave no answer; the release leaves a small number out."""
    if not is_shown(row):
        return say(HIDDEN) if row.status is Status.SUPPRESSED else say(NOT_READ)
    if row.n_missing is None:
        return say("fewer than {number}", number=whole(min_n))
    return whole(row.n_missing)


# --- People ------------------------------------------------------------------------------------------------------------


def who(row: Row, view: View) -> str:
    """The people of a level. The instrument's own phrase is for plain answers: not for 'none', 'stopped' or merged ones."""
    item = view.instrument.items.get(row.exposure)
    plain_levels = {option.label for option in item.options if not option.exclusive} if item else set()
    plain_levels |= {band.label for bands in (item.bands, *item.wider_bands) for band in bands} if item else set()
    if item and item.people and row.level in plain_levels:
        return clean(item.people).replace("{level}", inline(clean(row.level)))
    return say("People in the group {group}", group=quoted(row.level))


def chose(view: View, exposure: str) -> str:
    """Why groups cannot be compared as in a trial."""
    chosen = inline(view.item_label(exposure))
    return say("People chose their own {chosen}, and there was no control group.", chosen=chosen)


# --- Findings ----------------------------------------------------------------------------------------------------------


def range_words(row: Row, measure: Measure) -> str:
    """How sure a number is, in words."""
    if row.ci_lower is None or row.ci_upper is None:
        return say(NOT_SURE)
    low, high = (_end(end, measure) for end in (row.ci_lower, row.ci_upper))
    return say(_FITS[_about(measure)], low=low, high=high, if_alike=say(IF_ALIKE))


def _end(value: float, measure: Measure) -> str:
    """An end of a range: of a share in whole people, 0 for less than one."""
    return str(whole_100(value)) if measure.is_share else number(value, measure)


def _about(measure: Measure) -> str:
    """What a range is about."""
    if measure.is_share:
        return "share"
    kind = "median" if measure.statistic.startswith("median") else "average"
    return f"{kind} change" if measure.is_change else kind


def what(measure: Measure) -> str:
    """The thing a measure counts or averages, as a short noun phrase that names its item once and has no colon of its own."""
    if measure.threshold is None:
        return measure.label
    label, counted = measure.label, measure.statistic_label
    if label.casefold() in counted.casefold():
        return sentence(counted)
    known, rest = label.casefold().split(), counted.split()
    # Only of English it is known that words taken out of the middle leave a phrase.
    if spoken() != SOURCE or not rest or rest[0].casefold() != known[0]:
        return f"{label}, {inline(counted)}"
    # 'Joy in the garden' and 'joy at least 2 points higher' are one phrase.
    while rest and rest[0].casefold() in known:
        rest = rest[1:]
    return " ".join([label, *rest])


def named(measure: Measure, view: View) -> str:
    """An answer with the question that it answers: 'Injuries, cut'."""
    if not measure.is_option:
        return measure.label
    return f"{view.item_label(view.item_name(measure.outcome))}, {inline(measure.label)}"


def everybody_finding(found: Comparison) -> Finding:
    """What everybody who answered reported, and how sure that is."""
    row, measure = found.everybody, found.measure
    if found.is_not_read:
        return Finding(f"{measure.label}: {_nothing_read(measure)}.", (_why_nothing(measure),))
    if row is None or row.estimate is None or not is_shown(row):
        return Finding(
            say("{outcome}: the number for everybody who answered is hidden, to protect people.", outcome=measure.label)
        )
    both_ways = (_other_side(row),) if measure.is_share else ()
    return Finding(_reported(row, measure), (*both_ways, *_how_sure(row, found)))


def _reported(row: Row, measure: Measure) -> str:
    """What everybody who answered reported."""
    if measure.is_share:
        return _reported_share(what(measure), row)
    value = row.estimate or 0
    given = {"outcome": measure.label, "amount": amount(value, measure), "basis": based_on(row)}
    if not measure.is_change:
        return say("{outcome}: people reported an average of {amount}{basis}.", **given)
    if value == 0:
        return say("{outcome}: on average, people reported no change{basis}.", **given)
    return say("{outcome}: on average, people reported {amount} than before{basis}.", **given)


def _how_sure(row: Row, found: Comparison) -> tuple[str, ...]:
    """How sure a number of everybody is, and what might be reported anyway."""
    uncertain = (say(UNCERTAIN),) if row.status is Status.UNRELIABLE else ()
    return (range_words(row, found.measure), *uncertain, *anyway.sentences(row, found))


def _nothing_read(measure: Measure) -> str:
    """What a wave says of a question to which it holds no answers: nothing of it is hidden."""
    return say(NO_CHANGE_TOLD) if measure.needs_two_answers else say(NOTHING_READ)


def _why_nothing(measure: Measure) -> str:
    return say(NO_CHANGE_READ) if measure.needs_two_answers else say(NO_ANSWERS_READ)


def _reported_share(label: str, row: Row) -> str:
    share, basis = per_100(row.estimate or 0), based_on(row)
    return say("{label}: about {share} people reported this{basis}.", label=label, share=share, basis=basis)


def _other_side(row: Row) -> str:
    """The other side of a share: 30 did, 70 did not."""
    return say("About {number} in 100 did not.", number=100 - whole_100(row.estimate or 0))


def headline(found: Comparison, view: View) -> str:
    """What a comparison of levels shows, said carefully enough to be a title that travels alone."""
    return f"{heading(found, view)}: {_shows(found)}"


def heading(found: Comparison, view: View) -> str:
    """The outcome and by what it is compared."""
    exposure = inline(view.item_label(found.exposure))
    return say("{outcome} by {exposure}", outcome=found.measure.label, exposure=exposure)


def short_headline(found: Comparison) -> str:
    """The same under a heading that names the exposure."""
    return f"{found.measure.label}: {_shows(found)}"


def _shows(found: Comparison) -> str:
    if found.is_not_read:
        return _nothing_read(found.measure)
    if not found.shown:
        return say(NO_GROUP_SHOWN)
    if len(found.shown) == 1:
        return say("only one group is shown")
    if found.depends_on_reading and found.pair:
        return say(READING_DECIDES)
    if found.apart:
        return say("reports differ between some groups")
    return say("reports go one way with the dose") if found.trend else say(NONE_APART)


def section_headline(comparisons: Iterable[Comparison], view: View, exposure: str) -> str:
    """The title of a table's section, from all of its charts together."""
    told = _section_shows([comparison for comparison in comparisons if not comparison.is_not_read])
    return say("By {exposure}: {finding}", exposure=inline(view.item_label(exposure)), finding=told)


def _section_shows(asked: Sequence[Comparison]) -> str:
    """What the charts of a section show together; `asked` are those to which answers were read."""
    found = [comparison for comparison in asked if comparison.shown]
    if not asked:
        return say("nothing was read in this wave")
    if not found:
        return say(NO_GROUP_SHOWN)
    apart = [inline(comparison.measure.label) for comparison in found if comparison.apart or comparison.trend]
    if apart:
        return say("some groups differ on {outcomes}", outcomes=listed(apart))
    depends = any(comparison.depends_on_reading and comparison.pair for comparison in found)
    return say(READING_DECIDES) if depends else say(NONE_APART)


def options_headline(view: View, table: str) -> str:
    """The title of a table of closed questions: the answer given most often, the first line of its chart.

    Where that is one like 'None of these', the line after it is named as well.
    """
    options = view.options(table)
    found = options_shown(options)
    if options and all(one.is_not_read for one in options):
        return f"{view.title(table)}: {say(NOTHING_READ)}"
    if not found:
        return say("{title}: the numbers for everybody who answered are hidden", title=view.title(table))
    measures = [one.measure for one in found]
    return _most_often(measures[0], measures[1:], view) if measures[0].is_option else measures[0].label


def _most_often(first: Measure, others: Iterable[Measure], view: View) -> str:
    """The answer given most often; after one like 'None of these' also the next of the same question."""
    item = view.item_name(first.outcome)
    question, answer = view.item_label(item), inline(first.label)
    if not first.excludes_others:
        return say("{question}: {answer} was reported most often", question=question, answer=answer)
    second = next((one for one in others if view.item_name(one.outcome) == item), None)
    if second is None:
        return say("{question}: {answer} was reported most often", question=question, answer=quoted(first.label))
    return say(
        "{question}: {answer} was reported most often, then {next_answer}",
        question=question,
        answer=quoted(first.label),
        next_answer=inline(second.label),
    )


def options_shown(options: Iterable[Comparison]) -> list[Comparison]:
    """The answers of everybody that may be shown, the most frequent first."""
    shown = [found for found in options if is_shown(found.everybody)]
    return sorted(shown, key=lambda found: -((found.everybody and found.everybody.estimate) or 0))


def contrast(found: Comparison, view: View, previous: View | None = None, in_short: bool = False) -> tuple[str, ...]:
    """Two levels whose ranges stay apart, where there are such; otherwise, that the order tells little. Of improvements also
    which groups lie beyond what might be expected anyway.
    """
    if found.is_not_read:
        return (_why_nothing(found.measure),)
    if not found.shown:
        return (say("Small numbers could point to a person, so none are shown here."),)
    if len(found.shown) == 1:
        return (say("There is nothing to compare it with."),)
    beyond = () if found.depends_on_reading else anyway.groups(found, in_short)
    return (*_differences(found, view, previous), *_along(found), *beyond)


def beside_chart(found: Comparison, view: View, previous: View | None = None) -> tuple[str, ...]:
    """What stands beside a chart: all of it where there is something to say, else only what might be expected anyway."""
    if found.apart or not found.shown or found.directions is not None:
        return contrast(found, view, previous)
    return anyway.groups(found)


def _differences(found: Comparison, view: View, previous: View | None) -> tuple[str, ...]:
    if found.pair is None:
        return (_ranges_overlap(found), say("The order of the groups may be chance."))
    if not found.apart:
        return ()
    counted = (say("Counted: {counted}.", counted=inline(what(found.measure))),) if found.measure.is_share else ()
    allowed = say("Their ranges stay apart when all pairs of groups are allowed for.")
    sides = _apart(found, found.pair, view)
    before = _order_before(found, found.pair, view, previous)
    return (*counted, *sides, *((allowed,) if len(found.compared) != 2 else ()), *before, say(MANY_QUESTIONS))


def _ranges_overlap(found: Comparison) -> str:
    if len(found.compared) > 2:
        return say("The ranges of the groups overlap, allowing for all pairs of groups.")
    return say("The ranges of the groups overlap.")


def _along(found: Comparison) -> tuple[str, ...]:
    """What holds along a dose: whether its direction depends on how labels are read, and whether the shape is even."""
    if found.directions is None:
        return ()
    uneven = (say(UNEVEN),) if found.is_uneven else ()
    if found.depends_on_reading:
        return (say(DEPENDS) if found.directions.differ else say(DEPENDS_NOT_KNOWN), *uneven)
    if not (found.trend or found.apart):
        return uneven
    trend = (dose_trend(found),) if found.trend else ()
    return (*trend, say(ALL_READINGS), *uneven)


def dose_trend(found: Comparison) -> str:
    """Where an outcome goes with more of the dose; of an improvement, in words of the improvement."""
    better = found.measure.item.better if found.measure.item else None
    if found.measure.needs_two_answers and better:
        if (found.trend == UP) == (better == "higher"):
            return say("On the whole, people with higher doses reported more improvement.")
        return say("On the whole, people with higher doses reported less improvement.")
    if found.trend == UP:
        return say("On the whole, people with higher doses reported higher numbers.")
    return say("On the whole, people with higher doses reported lower numbers.")


def _apart(found: Comparison, pair: tuple[Row, Row], view: View) -> list[str]:
    """The level that lies highest for certain and the one that lies lowest, the better one first, each with its band."""
    ordered = pair[::-1] if found.measure.better == "lower" else pair
    return [
        text
        for row in ordered
        for text in (_side(row, found.measure, view, is_high=row is pair[0]), _beside(row, found))
        if text
    ]


def _beside(row: Row, found: Comparison) -> str:
    return anyway.band_words(row, found) if found.measure.is_improvement else ""


def _order_before(found: Comparison, pair: tuple[Row, Row], view: View, previous: View | None) -> tuple[str, ...]:
    """Whether the wave before showed the two levels in the same order; nothing if it did not show both as they are now."""
    if previous is None or not previous.may_compare(found.measure.outcome, found.exposure):
        return ()
    before = previous.comparison(found.table, found.measure.outcome, found.measure.statistic)
    alike = view.members(found.exposure).items() & previous.members(found.exposure).items()
    same = dict(alike) if before.exposure == found.exposure else {}
    shown = {row.level: row.estimate or 0 for row in before.shown if row.level in same}
    high, low = (shown.get(row.level) for row in pair)
    if high is None or low is None:
        return ()
    if high == low:
        return (say("The wave before showed these two groups alike."),)
    if high > low:
        return (say("The wave before showed these two groups in the same order."),)
    return (say("The wave before showed these two groups in the opposite order."),)


def _side(row: Row, measure: Measure, view: View, *, is_high: bool) -> str:
    given = {"people": who(row, view), "number": number(row.estimate or 0, measure), "basis": based_on(row)}
    if measure.is_share:
        share = per_100(row.estimate or 0)
        if is_high:
            return say("{people} reported this more often: about {share}{basis}.", share=share, **given)
        return say("{people} reported this less often: about {share}{basis}.", share=share, **given)
    if measure.is_change:
        return say("{people} reported, on average, {number}{basis}.", **given)
    if is_high:
        return say("{people} reported a higher average: {number}{basis}.", **given)
    return say("{people} reported a lower average: {number}{basis}.", **given)


def comparison_finding(found: Comparison, view: View, previous: View | None = None) -> Finding:
    """Whether the groups differ, and how many people that rests on."""
    people_asked = found.everybody.n_respondents if found.everybody else None
    basis = () if people_asked is None else (say("Based on about {people} in all.", people=people(people_asked)),)
    return Finding(f"{headline(found, view)}.", (*contrast(found, view, previous, in_short=True), *basis))


def option_finding(found: Comparison, view: View, none: Comparison | None = None) -> Finding:
    """How many of everybody who answered gave one answer, and how many the one that excludes it."""
    row, label = found.everybody, named(found.measure, view)
    if found.is_not_read:
        return Finding(f"{label}: {_nothing_read(found.measure)}.", (_why_nothing(found.measure),))
    if row is None or not is_shown(row):
        return Finding(say("{label}: the number is hidden, to protect people.", label=label))
    return Finding(_reported_share(label, row), (*_how_sure(row, found), *_instead(none)))


def _instead(none: Comparison | None) -> tuple[str, ...]:
    """How many gave the answer that excludes the others."""
    row = none.everybody if none else None
    if none is None or row is None:
        return ()
    return (say("{answer}: about {share}.", answer=quoted(none.measure.label), share=per_100(row.estimate or 0)),)


def in_short(view: View, previous: View | None) -> tuple[Finding, ...]:
    """Three to five findings; the last one says what all of this cannot show."""
    form, dose = (_first_by(view, exposure) for exposure in (view.instrument.form, view.instrument.dose))
    first = form or dose
    findings = [_of_whom(everybody_finding(first), first, view)] if first else []
    findings += [comparison_finding(found, view, previous) for found in (form, dose) if found]
    findings += _what_changed(view, previous) if previous else _most_common(view)
    return (*findings, Finding(say("None of this shows what caused what."), (chose(view, view.instrument.form),)))


def _of_whom(finding: Finding, found: Comparison, view: View) -> Finding:
    """A number of everybody with who is among them, where some of them take none of what the survey is about."""
    item = view.instrument.items.get(found.exposure)
    if item is None or item.comparison is None or not is_shown(found.everybody):
        return finding
    beside = [quoted(one.label) for one in item.options if one.exclusive or one.code == item.comparison]
    return Finding(finding.headline, (_included(beside), *finding.details))


def _included(groups: Sequence[str]) -> str:
    if not groups:
        return say("That is of everybody who answered, the group for comparison included.")
    return say_n(
        "That is of everybody who answered, the group {groups} included.",
        "That is of everybody who answered, the groups {groups} included.",
        len(groups),
        groups=listed(groups),
    )


def _first_by(view: View, exposure: str) -> Comparison | None:
    """The comparison that speaks for an exposure: the first that has something to show."""
    found = [comparison for comparison in view.primary if comparison.exposure == exposure]
    return next((comparison for comparison in found if comparison.shown), found[0] if found else None)


def _most_common(view: View) -> list[Finding]:
    """The answer given most often in the first table of closed questions, such as a side effect."""
    tables = (view.options(table) for table in view.sections if not view.charted(table))
    shown = options_shown(next((options for options in tables if options), ()))
    first = next((found for found in shown if not found.measure.excludes_others), None)
    if first is None:
        return []
    question = view.item_name(first.measure.outcome)
    none = (one for one in shown if one.measure.excludes_others and view.item_name(one.measure.outcome) == question)
    return [option_finding(first, view, next(none, None))]


def _what_changed(view: View, previous: View) -> list[Finding]:
    asked = {name for found in view.primary for name in (view.item_name(found.measure.outcome), found.exposure)}
    changed = changes(view, previous)
    warning = (*questions_changed(view, previous), *trends_broken(view, previous, asked))
    if not changed:
        return [Finding(say("Nothing can be compared with the wave before."), warning)]
    return [Finding(changed[0].headline, (*changed[0].details, *warning))]


def questions_changed(view: View, previous: View) -> tuple[str, ...]:
    """A warning where the two waves were not asked alike."""
    alike = previous.release.instrument.fingerprint == view.release.instrument.fingerprint
    return () if alike else (say(QUESTIONS_CHANGED),)


def trends_broken(view: View, previous: View, asked: Collection[str] | None = None) -> tuple[str, ...]:
    """Each question that both waves show, and that was changed between them; of the items `asked` only, where given."""
    changed = previous.incomparable & _questions(previous).keys() if previous.incomparable else frozenset[str]()
    shown = [name for name in _questions(view) if name in changed] if changed else []
    return tuple(_trend_broken(view.item_label(name)) for name in shown if asked is None or name in asked)


def _trend_broken(label: str) -> str:
    return say(
        "The question about {question} was changed; this wave's answers are not compared with earlier ones.",
        question=inline(label),
    )


def _questions(view: View) -> dict[str, None]:
    """The items of which the tables show something, in their order: outcomes, and what they are shown by."""
    found = (row for row in view.release.rows if row.table != names.WHO_ANSWERED and row.status is not Status.NOT_ASKED)
    return dict.fromkeys(name for row in found for name in (row.exposure, view.item_name(row.outcome)))


def limits(instrument: Instrument) -> tuple[str, ...]:
    """Our own standing limits, beside the instrument's list: in full where that list is too short to say the same."""
    return tuple(map(say, LIMITS)) if len(instrument.cannot_say) < LINES_THAT_CARRY else ()


# --- Since the last wave -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Change:
    """One number of everybody who answered, in two waves."""

    label: str
    waves: str
    headline: str
    details: tuple[str, ...]


def changes(view: View, previous: View) -> tuple[Change, ...]:
    """Numbers of everybody who answered that both waves show; nothing is subtracted, both are simply set side by side."""
    seen: dict[tuple[str, str], Change] = {}
    for found in view.primary:
        measure = found.measure
        row = found.everybody
        old = _same(measure, previous)
        comparable = previous.may_compare(measure.outcome)
        if comparable and row and old and (measure.outcome, measure.statistic) not in seen:
            seen[measure.outcome, measure.statistic] = _change(found, old, row)
    return tuple(seen.values())


def _same(measure: Measure, previous: View) -> Row | None:
    for row in previous.release.rows:
        if (row.outcome, row.statistic, row.level) == (
            measure.outcome,
            measure.statistic,
            names.ALL_LEVELS,
        ) and is_shown(row):
            return row
    return None


def _change(found: Comparison, old: Row, row: Row) -> Change:
    label, measure = what(found.measure), found.measure
    if row.status is Status.NOT_ASKED:
        return Change(label, "", f"{label}: {_nothing_read(measure)}.", ())
    if not is_shown(row):
        return Change(label, "", say("{outcome}: this wave is hidden.", outcome=label), ())
    before, now = (amount(shown.estimate or 0, measure) for shown in (old, row))
    return Change(
        label,
        say(
            "This wave {now}; the wave before {before}.",
            now=_with_range(row, measure),
            before=_with_range(old, measure),
        ),
        say("{outcome}: about {now} this wave, about {before} the wave before.", outcome=label, now=now, before=before),
        (*_overlap(old, row), *_anyway_now(row, found)),
    )


def _anyway_now(row: Row, found: Comparison) -> tuple[str, ...]:
    uncertain = say(UNCERTAIN) if row.status is Status.UNRELIABLE else ""
    return tuple(filter(None, (uncertain, anyway.now(row, found))))


def _with_range(row: Row, measure: Measure) -> str:
    """A published number and its range, the unit named once."""
    value = amount(row.estimate or 0, measure)
    if row.ci_lower is None or row.ci_upper is None:
        return say("about {amount}", amount=value)
    low, high = (number(end, measure) for end in (row.ci_lower, row.ci_upper))
    return say("about {amount} (range {low} to {high})", amount=value, low=low, high=high)


def _overlap(old: Row, row: Row) -> tuple[str, ...]:
    if None in (old.ci_lower, old.ci_upper, row.ci_lower, row.ci_upper):
        return (say(NOT_SURE),)
    apart = max(old.ci_lower or 0, row.ci_lower or 0) > min(old.ci_upper or 0, row.ci_upper or 0)
    if apart:
        return (say("The two ranges do not overlap."), say("Other people may have answered this time."))
    return (say("The two ranges overlap, so this may be chance."),)


def answers_changed(view: View, previous: View) -> str:
    """The number of answers in both waves."""
    now, before = view.answers_used, previous.answers_used
    if now is None or before is None:
        return say("The number of answers cannot be compared.")
    return say(
        "About {now} answered this wave, about {before} the wave before.", now=people(now), before=people(before)
    )


def over_waves(measure: Measure) -> str:
    """The title of an outcome over the waves."""
    return say("{outcome}, wave by wave", outcome=what(measure))


def range_in_brief(row: Row, measure: Measure) -> str:
    """A published range, without its unit."""
    if row.ci_lower is None or row.ci_upper is None:
        return say("not known")
    return range_of(number(row.ci_lower, measure), number(row.ci_upper, measure))


# --- Charts ------------------------------------------------------------------------------------------------------------


def how_to_read(found: Comparison) -> str:
    """How a section's charts are read, for somebody who has never seen an interval."""
    fits = say(_FITS_LINE[_about(found.measure)], if_alike=say(IF_ALIKE))
    sorts = not found.ordered and found.measure.better is not None
    return " ".join([fits, say(CHANCE), *([say("The best reported stands first.")] if sorts else [])])


def subtitle(measure: Measure) -> str:
    """What the axis counts."""
    if measure.is_share:
        if measure.threshold:
            return say("{counted}: people in 100", counted=what(measure))
        return say("People in 100 who reported it")
    if not measure.is_change:
        return f"{measure.statistic_label}, {scale(measure)}"
    if unit := unit_of(measure):
        return say("Average change from before to now, in {unit}", unit=unit)
    return say("Average change from before to now, in points")


def hidden_levels(rows: Iterable[Row]) -> str:
    """The levels that a chart leaves out."""
    labels = [level_label(row.level) for row in rows]
    return say("Hidden to protect people: {groups}.", groups=listed(labels)) if labels else ""


def has_bands(found: Comparison) -> bool:
    """Whether what might be expected anyway can be drawn for any shown row."""
    rows = [row for row in (found.everybody, *found.shown) if row is not None and is_shown(row)]
    return any(is_shown(found.band_of(row)) for row in rows)


def _shown(measure: Measure) -> str:
    return say("Shown: {counted}.", counted=subtitle(measure))


def _in_words(view: View, *sentences: str) -> str:
    """Sentences about a chart with what stands below all of them; empty ones are left out."""
    invented = f"{say(INVENTED)}." if view.release.is_invented else ""
    return " ".join(filter(None, (*sentences, say(NO_CAUSE), invented)))


# --- Tables without charts ---------------------------------------------------------------------------------------------


def counted(row: Row | None) -> str:
    """How many said so, of how many who answered, as it stands in a cell."""
    if row is None or not is_shown(row) or row.estimate is None:
        return say(NOT_READ) if row and row.status is Status.NOT_ASKED else say(HIDDEN)
    if row.n_respondents is None:
        return plain(row.estimate)
    return say_in("people", "{number} of {all}", number=plain(row.estimate), all=whole(row.n_respondents))


def count_sentence(found: Comparison, view: View) -> str:
    """How many of everybody said so; never in comparison."""
    row, label = found.everybody, named(found.measure, view)
    if row is None or not is_shown(row):
        return f"{label}: {_unseen(row)}."
    return say("{label}: about {counted} people said so.", label=label, counted=counted(row))


def limit_line(found: Comparison) -> str:
    """How many of everybody were above a limit, under one reading of the dose."""
    row, reading = found.everybody, say(READINGS[found.measure.reading])
    if row is None or row.estimate is None or not is_shown(row):
        return f"{reading}: {_unseen(row)}."
    return say("{reading}: about {share}{basis}.", reading=reading, share=per_100(row.estimate), basis=based_on(row))


def how_many_above(label: str) -> str:
    """A limit as a question."""
    return say("How many were {limit}?", limit=inline(label))


def _unseen(row: Row | None) -> str:
    not_read = row is not None and row.status is Status.NOT_ASKED
    return say(NOTHING_READ) if not_read else say("hidden, to protect people")


def beside_chosen(view: View, exposure: str) -> str:
    """The one sentence above a table by an exposure that people chose for themselves."""
    by = quoted(inline(view.exposure_label(exposure)))
    return say("Everybody who answered, and groups by {exposure}. Groups may differ in other ways too.", exposure=by)


def has_uncertain(rows: Iterable[Row]) -> bool:
    """Whether a number among some rows is marked as uncertain."""
    return any(row.status is Status.UNRELIABLE for row in rows)


# --- What was hidden ---------------------------------------------------------------------------------------------------


def merged_levels(view: View) -> tuple[str, ...]:
    """What was put together, a sentence for each level that holds several; of a crossing, for what is so in it alone."""
    told = (line for exposure in view.release.levels for line in _merged_in(view, exposure))
    return tuple(dict.fromkeys(told))


def _merged_in(view: View, exposure: str) -> Iterator[str]:
    levels = [level for level in view.release.levels[exposure] if level.merged]
    spec = next((spec for spec in view.instrument.tables if spec.by and spec.cut_by == exposure), None)
    if spec is None:
        yield from map(_put_together, levels)
        return
    first, second = ({level.code: level.label for level in view.release.levels.get(one, ())} for one in spec.factors)
    for level in levels:
        row, _, column = level.code.partition(names.CROSSED)
        if column not in second:
            label = level.label.removeprefix(f"{first.get(row, '')}, ")
            yield say(
                "By {exposure}: {group} is one group, so that nobody can be picked out.",
                exposure=inline(view.exposure_label(exposure)),
                group=quoted(label),
            )


def _put_together(level: PublishedLevel) -> str:
    """What a level holds, and its name where that is another."""
    if len(level.made_of) == 1:
        return say("{group} is one group, so that nobody can be picked out.", group=quoted(level.label))
    parts = clearly_listed([level.made_of[0], *map(inline, level.made_of[1:])])
    if _says_all(level):
        return say("{parts} together, so that nobody can be picked out.", parts=parts)
    name = quoted(level.label)
    return say("{parts} together as {name}, so that nobody can be picked out.", parts=parts, name=name)


def _says_all(level: PublishedLevel) -> bool:
    """Whether a level's label is no more than the labels of what it holds, put together."""
    rest = clean(level.label).casefold()
    for part in sorted((clean(label).casefold() for label in level.made_of), key=len, reverse=True):
        if part not in rest:
            return False
        rest = rest.replace(part, " ", 1)
    return {*rest.replace(",", " ").split()} <= {*joining_words()}


def hidden_in_all(view: View) -> str:
    """How many numbers of the release are hidden; empty where none is."""
    hidden = sum(row.status is Status.SUPPRESSED for row in view.release.rows)
    if not hidden:
        return ""
    of = whole(len(view.release.rows))
    return say_n("{n} of {all} numbers is hidden.", "{n} of {all} numbers are hidden.", hidden, all=of)


def hidden_by_table(view: View) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Which numbers are hidden: for each table, a sentence for outcomes of which the same is hidden."""
    found = ((table_title(view, table), _hidden_in(view, table)) for table in view.release.tables)
    return tuple((title, sentences) for title, sentences in found if sentences)


def _hidden_in(view: View, table: str) -> tuple[str, ...]:
    rows: dict[str, list[Row]] = {}
    for row in view.release.rows:
        if row.table == table:
            rows.setdefault(_asked(row, view), []).append(row)
    alike: dict[str, list[str]] = {}
    for label, of_outcome in rows.items():
        if hidden := _hidden_of(view, label, of_outcome):
            alike.setdefault(hidden, []).append(label)
    return tuple(f"{clearly_listed(labels)}: {hidden}." for hidden, labels in alike.items())


def _asked(row: Row, view: View) -> str:
    """What a row is about: an outcome, or in the table of who answered, the exposure."""
    if row.outcome == names.RESPONDENTS:
        return view.item_label(row.exposure)
    return named(view.measure(row.outcome, row.statistic), view)


def _hidden_of(view: View, label: str, rows: list[Row]) -> str:
    """What is hidden of one outcome: whole levels first, then single statistics."""
    levels = list(dict.fromkeys(row.level for row in rows))
    entire = [level for level in levels if all(row.status is Status.SUPPRESSED for row in rows if row.level == level)]
    parts = [say("all numbers of {groups}", groups=_levels(entire, levels))] if entire else []
    others = [level for level in levels if level not in entire]
    single: dict[str, list[str]] = {}
    for statistic, hidden in _hidden_beside(rows, entire).items():
        measured = view.measure(rows[0].outcome, statistic).statistic_label
        single.setdefault(_levels(hidden, others), []).append(quoted(measured.removeprefix(f"{label} ")))
    said = (say("{numbers} of {groups}", numbers=listed(some), groups=groups) for groups, some in single.items())
    return "; ".join([*parts, *said])


def _hidden_beside(rows: Iterable[Row], entire: Collection[str]) -> dict[str, list[str]]:
    """Of each statistic the levels that are hidden, but those of which all is."""
    found: dict[str, list[str]] = {}
    for row in rows:
        if row.status is Status.SUPPRESSED and row.level not in entire:
            found.setdefault(row.statistic, []).append(row.level)
    return found


def _levels(hidden: list[str], levels: list[str]) -> str:
    """Some levels by name, all of them in a word."""
    if len(hidden) == len(levels) > 1:
        return say_in("of which numbers are hidden", "all groups")
    if len(hidden) > MOST_NAMED:
        return say_in("of which numbers are hidden", "{number} of {all} groups", number=len(hidden), all=len(levels))
    everybody = say_in("of which numbers are hidden", "everybody who answered")
    return listed(everybody if level == names.ALL_LEVELS else quoted(level) for level in hidden)


def table_title(view: View, table: str) -> str:
    """What a table is called on the page."""
    if table == names.WHO_ANSWERED:
        return say("Who answered")
    return say(LEFT_OUT) if table == names.ITEM_NONRESPONSE else view.title(table)

"""Sentences: published numbers put into plain words, as plain text.

What belongs here: every sentence that holds a number or a label. What does not: escaping (each format's own template does
that), layout, and any number that the release does not hold. Forms and doses are chosen by people themselves, so a sentence
says what people reported and never what did something to them. A sentence stays under 20 words where its labels are short;
only the one that explains a range has 21.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from survey_pipeline import names
from survey_pipeline.instrument import Instrument
from survey_pipeline.names import Status
from survey_pipeline.release import PublishedLevel, Row
from survey_pipeline.render import anyway
from survey_pipeline.render.dose import UP
from survey_pipeline.render.measure import READINGS, Measure, clean
from survey_pipeline.render.phrases import (
    EVERYBODY,
    amount,
    based_on,
    brief,
    clearly_listed,
    fixed,
    inline,
    level_label,
    listed,
    people,
    per_100,
    plain,
    points,
    quoted,
    scale,
    sentence,
    whole_100,
)
from survey_pipeline.render.view import Comparison, View, is_shown

NO_CAUSE = "This shows what people reported. It cannot show what caused it."
INVENTED_SOME = (
    "Invented data: waves marked so below were made up to try out the report. Nobody answered their questions."
)
INVENTED_CHART = "Invented data: made up to try out the report."
BAND_NOTE = "Grey: the range for everybody who answered."
BETTER = "better \N{RIGHTWARDS ARROW}"
NO_CAUSE_CHART = "What people reported, not what caused it."
INVENTED = "Invented data"
INVENTED_LONG = "Invented data: every number here was made up to try out the report. Nobody answered these questions."
EXPLAINED = anyway.EXPLAINED
HIDDEN = "hidden"
NOT_READ = "not read"
"""In a cell: the wave holds no answers to the question."""
NO_ANSWERS_READ = (
    "No answers to this question were read in this wave: it was not asked, or its heading was not recognised."
)
UNCERTAIN = "This number is uncertain: it rests on too few people, or its range is too wide."
UNCERTAIN_MARK = (
    "“Uncertain” marks a number from too few people, or with too wide a range. "
    "The rules are those of the US National Center for Health Statistics."
)
UNCERTAIN_DOTS = "Open marks are uncertain: too few people, or too wide a range."
DEPENDS = "The direction depends on how labels are read, so there is no finding on dose."
DEPENDS_NOT_KNOWN = "The direction is not known under every way of reading labels, so there is no finding on dose."
ALL_READINGS = "It goes the same way however labels are read."
UNEVEN = "From group to group the numbers go up and down; that may be chance."
LEFT_OUT = "How many left each question out"
COUNTS = "These are counts of people. They are not compared, and say nothing about how people fare."
LIMITS_OF_DOSE = (
    "A label may give another weight than people think. So each number stands as answered, and under each reading."
)
NO_ADVICE = "This is no medical advice."
CROSSED = "Each number is one group within another, so few people are behind it and its range is wide."
OF_EVERYBODY = "Everybody who answered the question, counted together."
DIARY = "Each week of each person counts once. People who keep a diary may differ from others."
MORE_TABLES = "These tables have no charts. Open one to see its numbers; each is also a file."
MANY_QUESTIONS = "With many questions, some differ by chance."
QUESTIONS_CHANGED = "The questionnaire changed between the two waves, so compare with care."
TREND_BROKEN = "The question about {} was changed; this wave's answers are not compared with earlier ones."
ANEW = ", asked anew"
"""Stands behind a wave in which the question was changed."""
OTHER_PEOPLE = (
    "Each dot is one wave. Other people may have answered each time, so a difference need not be a change in anybody."
)
BROKEN_SERIES = "Where it says so, the question was changed: do not compare that wave with those before it."
IF_ALIKE = "if those who answered are like the rest"
"""What every range takes for granted; members choose for themselves whether to answer."""
CHANCE = (
    "Where ranges overlap, the order of the groups may be chance. With many groups, so may a small gap between ranges."
)
HOW_TO_READ_OPTIONS = f"Each dot is one answer. The answers fit a true share anywhere on its line, {IF_ALIKE}."
HOW_RANGES_ARE_MEANT = (
    f"The answers fit a true share or average between the ends of its range, {IF_ALIKE}. "
    "A range is no forecast for other groups."
)
LIMITS = (
    "People chose their own answers to everything here, so groups differ in many ways.",
    "There was no control group picked by chance.",
    "People who score high or low tend to score nearer the middle next time.",
    "So none of this can show what caused what.",
)
"""Holds for every survey of this kind. Stands wherever the instrument's own list does not say the same."""
LIMITS_IN_SHORT = (
    "People chose for themselves, and very high or low scores tend to even out. None of this can show what caused what."
)
"""What every page says, whatever the instrument says."""
MOST_NAMED = 12
"""More hidden groups than this are counted, not named: the file of the table names them."""
LINES_THAT_CARRY = 3
"""With so many lines, the instrument's own list says what `LIMITS` would say again."""

NO_CHANGE_READ = (
    "No change can be told in this wave: one of its two questions was not asked, or its heading was not recognised."
)


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
        return NOT_READ
    if row.estimate is None:
        return HIDDEN if row.status is Status.SUPPRESSED else "not known"
    mark = " uncertain" if row.status is Status.UNRELIABLE else ""
    if measure.is_band:
        return f"{anyway.in_brief(row, measure, places) or 'not known'}{mark}"
    low, high = row.ci_lower, row.ci_upper
    if measure.is_share:
        number = per_100(row.estimate).removesuffix(" in 100")
        between = "" if low is None or high is None else f" ({whole_100(low)} to {whole_100(high)})"
    else:
        number = fixed(row.estimate, places)
        between = "" if low is None or high is None else f" ({fixed(low, places)} to {fixed(high, places)})"
    return f"{number}{between}{mark}"


def missing(row: Row, min_n: int) -> str:
    """How many gave no answer; the release leaves a small number out."""
    if not is_shown(row):
        return HIDDEN if row.status is Status.SUPPRESSED else NOT_READ
    return f"fewer than {min_n}" if row.n_missing is None else f"{row.n_missing:,}"


# --- People ------------------------------------------------------------------------------------------------------------


def who(row: Row, view: View) -> str:
    """The people of a level. The instrument's own phrase is for plain answers: not for 'none', 'stopped' or merged ones."""
    item = view.instrument.items.get(row.exposure)
    plain_levels = {option.label for option in item.options if not option.exclusive} if item else set()
    plain_levels |= {band.label for bands in (item.bands, *item.wider_bands) for band in bands} if item else set()
    if item and item.people and row.level in plain_levels:
        return clean(item.people).replace("{level}", inline(clean(row.level)))
    return f"People in the group {quoted(row.level)}"


def chose(view: View, exposure: str) -> str:
    """Why groups cannot be compared as in a trial."""
    return f"People chose their own {inline(view.item_label(exposure))}, and there was no control group."


# --- Findings ----------------------------------------------------------------------------------------------------------


def range_words(row: Row, measure: Measure) -> str:
    """How sure a number is, in words."""
    if row.ci_lower is None or row.ci_upper is None:
        return "How sure this is, is not known."
    low, high = brief(row.ci_lower, measure).removesuffix(" in 100"), brief(row.ci_upper, measure)
    if measure.is_share:
        low, high = f"{whole_100(row.ci_lower)}", f"{whole_100(row.ci_upper)} in 100"
    return f"These answers fit a true {_true(measure)} between about {low} and {high}, {IF_ALIKE}."


def _true(measure: Measure) -> str:
    """What a range is about."""
    kind = "share" if measure.is_share else "median" if measure.statistic.startswith("median") else "average"
    return f"{kind} change" if measure.is_change else kind


def what(measure: Measure) -> str:
    """The thing a measure counts or averages, as a short noun phrase that names its item once and has no colon of its own."""
    if measure.threshold is None:
        return measure.label
    label, counted = measure.label, measure.statistic_label
    if label.casefold() in counted.casefold():
        return sentence(counted)
    known, rest = label.casefold().split(), counted.split()
    if not rest or rest[0].casefold() != known[0]:
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
        return Finding(f"{measure.label}: the number for everybody who answered is hidden, to protect people.")
    if measure.is_share:
        told = (*_both_ways(row), *_how_sure(row, found))
        return Finding(f"{what(measure)}: {_reported_share(row)}", told)
    if measure.is_change:
        start = f"{measure.label}: on average, people reported {amount(row.estimate, measure)} than before"
        return Finding(f"{_than(start, row.estimate)}{based_on(row)}.", _how_sure(row, found))
    start = f"{measure.label}: people reported an average of {amount(row.estimate, measure)}"
    return Finding(f"{start}{based_on(row)}.", _how_sure(row, found))


def _how_sure(row: Row, found: Comparison) -> tuple[str, ...]:
    """How sure a number of everybody is, and what might be reported anyway."""
    uncertain = (UNCERTAIN,) if row.status is Status.UNRELIABLE else ()
    return (range_words(row, found.measure), *uncertain, *anyway.sentences(row, found))


def _nothing_read(measure: Measure) -> str:
    """What a wave says of a question to which it holds no answers: nothing of it is hidden."""
    return "no change can be told in this wave" if measure.needs_two_answers else "no answers were read in this wave"


def _why_nothing(measure: Measure) -> str:
    return NO_CHANGE_READ if measure.needs_two_answers else NO_ANSWERS_READ


def _than(text: str, change: float) -> str:
    """No change is not 'than before'."""
    return text if change else text.removesuffix(" than before")


def _reported_share(row: Row) -> str:
    return f"about {per_100(row.estimate or 0)} people reported this{based_on(row)}."


def _both_ways(row: Row) -> tuple[str, ...]:
    """The other side of a share: 30 did, 70 did not."""
    return (f"About {100 - whole_100(row.estimate or 0)} in 100 did not.",)


def headline(found: Comparison, view: View) -> str:
    """What a comparison of levels shows, said carefully enough to be a title that travels alone."""
    return f"{heading(found, view)}: {_shows(found)}"


def heading(found: Comparison, view: View) -> str:
    """The outcome and by what it is compared."""
    return f"{found.measure.label} by {inline(view.item_label(found.exposure))}"


def short_headline(found: Comparison) -> str:
    """The same under a heading that names the exposure."""
    return f"{found.measure.label}: {_shows(found)}"


def _shows(found: Comparison) -> str:
    if found.is_not_read:
        return _nothing_read(found.measure)
    if not found.shown:
        return "all groups are hidden, to protect people"
    if len(found.shown) == 1:
        return "only one group is shown"
    if found.depends_on_reading and found.pair:
        return "no finding, since it depends on how labels are read"
    if found.apart:
        return "reports differ between some groups"
    return "reports go one way with the dose" if found.trend else "no group stands clearly apart"


def section_headline(comparisons: Iterable[Comparison], view: View, exposure: str) -> str:
    """The title of a table's section, from all of its charts together."""
    asked = [comparison for comparison in comparisons if not comparison.is_not_read]
    found = [comparison for comparison in asked if comparison.shown]
    label = inline(view.item_label(exposure))
    if not asked:
        return f"By {label}: nothing was read in this wave"
    if not found:
        return f"By {label}: all groups are hidden, to protect people"
    apart = [inline(comparison.measure.label) for comparison in found if comparison.apart or comparison.trend]
    if apart:
        return f"By {label}: some groups differ on {listed(apart)}"
    if any(comparison.depends_on_reading and comparison.pair for comparison in found):
        return f"By {label}: no finding, since it depends on how labels are read"
    return f"By {label}: no group stands clearly apart"


def options_headline(view: View, table: str) -> str:
    """The title of a table of closed questions: the answer given most often, the first line of its chart.

    Where that is one like 'None of these', the line after it is named as well.
    """
    options = view.options(table)
    found = options_shown(options)
    if options and all(one.is_not_read for one in options):
        return f"{view.title(table)}: no answers were read in this wave"
    if not found:
        return f"{view.title(table)}: the numbers for everybody who answered are hidden"
    first, *others = (one.measure for one in found)
    if not first.is_option:
        return first.label
    question = view.item_label(view.item_name(first.outcome))
    if not first.excludes_others:
        return f"{question}: {inline(first.label)} was reported most often"
    second = next((one for one in others if view.item_name(one.outcome) == view.item_name(first.outcome)), None)
    after = f", then {inline(second.label)}" if second else ""
    return f"{question}: {quoted(first.label)} was reported most often{after}"


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
        return ("Small numbers could point to a person, so none are shown here.",)
    if len(found.shown) == 1:
        return ("There is nothing to compare it with.",)
    beyond = () if found.depends_on_reading else anyway.groups(found, in_short)
    return (*_differences(found, view, previous), *_along(found), *beyond)


def beside_chart(found: Comparison, view: View, previous: View | None = None) -> tuple[str, ...]:
    """What stands beside a chart: all of it where there is something to say, else only what might be expected anyway."""
    if found.apart or not found.shown or found.directions is not None:
        return contrast(found, view, previous)
    return anyway.groups(found)


def _differences(found: Comparison, view: View, previous: View | None) -> tuple[str, ...]:
    if found.pair is None:
        allowing = ", allowing for all pairs of groups" if len(found.compared) > 2 else ""
        return (f"The ranges of the groups overlap{allowing}.", "The order of the groups may be chance.")
    if not found.apart:
        return ()
    counted = (f"Counted: {inline(what(found.measure))}.",) if found.measure.is_share else ()
    allowed = () if len(found.compared) == 2 else ("Their ranges stay apart when all pairs of groups are allowed for.",)
    sides = _apart(found, found.pair, view)
    return (*counted, *sides, *allowed, *_order_before(found, found.pair, view, previous), MANY_QUESTIONS)


def _along(found: Comparison) -> tuple[str, ...]:
    """What holds along a dose: whether its direction depends on how labels are read, and whether the shape is even."""
    if found.directions is None:
        return ()
    uneven = (UNEVEN,) if found.is_uneven else ()
    if found.depends_on_reading:
        return (DEPENDS if found.directions.differ else DEPENDS_NOT_KNOWN, *uneven)
    if not (found.trend or found.apart):
        return uneven
    trend = (_trend(found),) if found.trend else ()
    return (*trend, ALL_READINGS, *uneven)


def _trend(found: Comparison) -> str:
    """Where an outcome goes with more of the dose; of an improvement, in words of the improvement."""
    better = found.measure.item.better if found.measure.item else None
    if found.measure.needs_two_answers and better:
        more = (found.trend == UP) == (better == "higher")
        return f"On the whole, people with higher doses reported {'more' if more else 'less'} improvement."
    return f"On the whole, people with higher doses reported {'higher' if found.trend == UP else 'lower'} numbers."


def _apart(found: Comparison, pair: tuple[Row, Row], view: View) -> list[str]:
    """The level that lies highest for certain and the one that lies lowest, the better one first, each with its band."""
    high, low = pair
    sides = [(high, "more often", "a higher average"), (low, "less often", "a lower average")]
    ordered = sides[::-1] if found.measure.better == "lower" else sides
    return [
        text
        for row, often, side in ordered
        for text in (_side(row, found.measure, view, often if found.measure.is_share else side), _beside(row, found))
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
        return ("The wave before showed these two groups alike.",)
    return (f"The wave before showed these two groups in the {'same' if high > low else 'opposite'} order.",)


def _side(row: Row, measure: Measure, view: View, side: str) -> str:
    value = brief(row.estimate or 0, measure)
    if measure.is_share:
        return f"{who(row, view)} reported this {side}: about {value}{based_on(row)}."
    if measure.is_change:
        return f"{who(row, view)} reported, on average, {value}{based_on(row)}."
    return f"{who(row, view)} reported {side}: {value}{based_on(row)}."


def comparison_finding(found: Comparison, view: View, previous: View | None = None) -> Finding:
    """Whether the groups differ, and how many people that rests on."""
    people_asked = found.everybody.n_respondents if found.everybody else None
    basis = () if people_asked is None else (f"Based on about {people(people_asked)} in all.",)
    return Finding(f"{headline(found, view)}.", (*contrast(found, view, previous, in_short=True), *basis))


def option_finding(found: Comparison, view: View, none: Comparison | None = None) -> Finding:
    """How many of everybody who answered gave one answer, and how many the one that excludes it."""
    row, label = found.everybody, named(found.measure, view)
    if found.is_not_read:
        return Finding(f"{label}: {_nothing_read(found.measure)}.", (_why_nothing(found.measure),))
    if row is None or not is_shown(row):
        return Finding(f"{label}: the number is hidden, to protect people.")
    no_one = none.everybody if none else None
    instead = (f"{quoted(none.measure.label)}: about {per_100(no_one.estimate or 0)}.",) if none and no_one else ()
    return Finding(f"{label}: {_reported_share(row)}", (*_how_sure(row, found), *instead))


def in_short(view: View, previous: View | None) -> tuple[Finding, ...]:
    """Three to five findings; the last one says what all of this cannot show."""
    form, dose = (_first_by(view, exposure) for exposure in (view.instrument.form, view.instrument.dose))
    first = form or dose
    findings = [_of_whom(everybody_finding(first), first, view)] if first else []
    findings += [comparison_finding(found, view, previous) for found in (form, dose) if found]
    findings += _what_changed(view, previous) if previous else _most_common(view)
    return (*findings, Finding("None of this shows what caused what.", (chose(view, view.instrument.form),)))


def _of_whom(finding: Finding, found: Comparison, view: View) -> Finding:
    """A number of everybody with who is among them, where some of them take none of what the survey is about."""
    item = view.instrument.items.get(found.exposure)
    if item is None or item.comparison is None or not is_shown(found.everybody):
        return finding
    beside = [quoted(one.label) for one in item.options if one.exclusive or one.code == item.comparison]
    groups = f"the group{'s' if len(beside) > 1 else ''} {listed(beside)}" if beside else "the group for comparison"
    return Finding(finding.headline, (f"That is of everybody who answered, {groups} included.", *finding.details))


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
        return [Finding("Nothing can be compared with the wave before.", warning)]
    return [Finding(changed[0].headline, (*changed[0].details, *warning))]


def questions_changed(view: View, previous: View) -> tuple[str, ...]:
    """A warning where the two waves were not asked alike."""
    alike = previous.release.instrument.fingerprint == view.release.instrument.fingerprint
    return () if alike else (QUESTIONS_CHANGED,)


def trends_broken(view: View, previous: View, asked: Collection[str] | None = None) -> tuple[str, ...]:
    """Each question that both waves show, and that was changed between them; of the items `asked` only, where given."""
    changed = previous.incomparable & _questions(previous).keys() if previous.incomparable else frozenset[str]()
    shown = [name for name in _questions(view) if name in changed] if changed else []
    return tuple(TREND_BROKEN.format(inline(view.item_label(name))) for name in shown if asked is None or name in asked)


def _questions(view: View) -> dict[str, None]:
    """The items of which the tables show something, in their order: outcomes, and what they are shown by."""
    found = (row for row in view.release.rows if row.table != names.WHO_ANSWERED and row.status is not Status.NOT_ASKED)
    return dict.fromkeys(name for row in found for name in (row.exposure, view.item_name(row.outcome)))


def limits(instrument: Instrument) -> tuple[str, ...]:
    """Our own standing limits, beside the instrument's list: in full where that list is too short to say the same."""
    return LIMITS if len(instrument.cannot_say) < LINES_THAT_CARRY else ()


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
    measure = found.measure
    if row.status is Status.NOT_ASKED:
        return Change(what(measure), "", f"{what(measure)}: {_nothing_read(measure)}.", ())
    if not is_shown(row):
        return Change(what(measure), "", f"{what(measure)}: this wave is hidden.", ())
    before, now = (amount(shown.estimate or 0, measure) for shown in (old, row))
    return Change(
        what(measure),
        f"This wave {_with_range(row, measure)}; the wave before {_with_range(old, measure)}.",
        f"{what(measure)}: about {now} this wave, about {before} the wave before.",
        (*_overlap(old, row), *_anyway_now(row, found)),
    )


def _anyway_now(row: Row, found: Comparison) -> tuple[str, ...]:
    uncertain = UNCERTAIN if row.status is Status.UNRELIABLE else ""
    return tuple(filter(None, (uncertain, anyway.now(row, found))))


def _with_range(row: Row, measure: Measure) -> str:
    """A published number and its range, the unit named once."""
    value = amount(row.estimate or 0, measure)
    if row.ci_lower is None or row.ci_upper is None:
        return f"about {value}"
    low, high = (brief(end, measure).removesuffix(" in 100") for end in (row.ci_lower, row.ci_upper))
    return f"about {value} (range {low} to {high})"


def _overlap(old: Row, row: Row) -> tuple[str, ...]:
    if None in (old.ci_lower, old.ci_upper, row.ci_lower, row.ci_upper):
        return ("How sure this is, is not known.",)
    apart = max(old.ci_lower or 0, row.ci_lower or 0) > min(old.ci_upper or 0, row.ci_upper or 0)
    if apart:
        return ("The two ranges do not overlap.", "Other people may have answered this time.")
    return ("The two ranges overlap, so this may be chance.",)


def answers_changed(view: View, previous: View) -> str:
    """The number of answers in both waves."""
    now, before = view.answers_used, previous.answers_used
    if now is None or before is None:
        return "The number of answers cannot be compared."
    return f"About {people(now)} answered this wave, about {people(before)} the wave before."


def over_waves(measure: Measure) -> str:
    """The title of an outcome over the waves."""
    return f"{what(measure)}, wave by wave"


def range_in_brief(row: Row, measure: Measure) -> str:
    """A published range, without its unit."""
    if row.ci_lower is None or row.ci_upper is None:
        return "not known"
    return " to ".join(brief(end, measure).removesuffix(" in 100") for end in (row.ci_lower, row.ci_upper))


def over_waves_alternative(measure: Measure, view: View, has_bands: bool = False) -> str:
    """A chart over the waves in words."""
    parts = [
        "Chart of dots with ranges, one for each wave, everybody who answered.",
        f"Shown: {subtitle(measure)}.",
        anyway.IN_WORDS if has_bands else "",
        "The numbers are in the table that goes with it.",
        NO_CAUSE,
        f"{INVENTED}." if view.release.is_invented else "",
    ]
    return " ".join(part for part in parts if part)


# --- Charts ------------------------------------------------------------------------------------------------------------


def how_to_read(found: Comparison) -> str:
    """How a section's charts are read, for somebody who has never seen an interval."""
    order = "" if found.ordered or found.measure.better is None else " The best reported stands first."
    fits = f"Each dot is one group. Its answers fit a true {_true(found.measure)} anywhere on its line, {IF_ALIKE}."
    return f"{fits} {CHANCE}{order}"


def subtitle(measure: Measure) -> str:
    """What the axis counts."""
    if measure.is_share:
        return f"{what(measure)}: people in 100" if measure.threshold else "People in 100 who reported it"
    if measure.is_change:
        return f"Average change from before to now, in {points(measure)}"
    return f"{measure.statistic_label}, {scale(measure)}"


def hidden_levels(rows: Iterable[Row]) -> str:
    """The levels that a chart leaves out."""
    labels = [level_label(row.level) for row in rows]
    return f"Hidden to protect people: {listed(labels)}." if labels else ""


def has_bands(found: Comparison) -> bool:
    """Whether what might be expected anyway can be drawn for any shown row."""
    rows = [row for row in (found.everybody, *found.shown) if row is not None and is_shown(row)]
    return any(is_shown(found.band_of(row)) for row in rows)


def alternative(found: Comparison, view: View) -> str:
    """A chart in words, for those who cannot see it. It holds no number, and its finding stands in its title or above it."""
    parts = [
        f"Chart of dots with ranges, one for each group by {inline(view.item_label(found.exposure))}.",
        f"Shown: {subtitle(found.measure)}.",
        anyway.IN_WORDS if has_bands(found) else "",
        hidden_levels(found.hidden),
        "The numbers are in the table that goes with it.",
        NO_CAUSE,
        f"{INVENTED}." if view.release.is_invented else "",
    ]
    return " ".join(part for part in parts if part)


def picture_alternative(found: Comparison, view: View) -> str:
    """The picture of 100 people in words."""
    parts = [
        f"Picture of 100 circles, filled for people who reported it: {what(found.measure)}.",
        "The number is in the tables.",
        NO_CAUSE,
        f"{INVENTED}." if view.release.is_invented else "",
    ]
    return " ".join(part for part in parts if part)


def options_alternative(title: str, view: View) -> str:
    """A chart of answers in words."""
    parts = [
        f"Chart of dots with ranges, one for each answer: {title}, everybody who answered.",
        "The most frequent answer comes first.",
        "The numbers are in the table that goes with it.",
        NO_CAUSE,
        f"{INVENTED}." if view.release.is_invented else "",
    ]
    return " ".join(part for part in parts if part)


# --- Tables without charts ---------------------------------------------------------------------------------------------


def counted(row: Row | None) -> str:
    """How many said so, of how many who answered, as it stands in a cell."""
    if row is None or not is_shown(row) or row.estimate is None:
        return NOT_READ if row and row.status is Status.NOT_ASKED else HIDDEN
    of = "" if row.n_respondents is None else f" of {row.n_respondents:,}"
    return f"{plain(row.estimate)}{of}"


def count_sentence(found: Comparison, view: View) -> str:
    """How many of everybody said so; never in comparison."""
    row, label = found.everybody, named(found.measure, view)
    if row is None or not is_shown(row):
        return f"{label}: {_unseen(row)}."
    return f"{label}: about {counted(row)} people said so."


def limit_line(found: Comparison) -> str:
    """How many of everybody were above a limit, under one reading of the dose."""
    row, start = found.everybody, READINGS[found.measure.reading]
    if row is None or row.estimate is None or not is_shown(row):
        return f"{start}: {_unseen(row)}."
    return f"{start}: about {per_100(row.estimate)}{based_on(row)}."


def how_many_above(label: str) -> str:
    """A limit as a question."""
    return f"How many were {inline(label)}?"


def _unseen(row: Row | None) -> str:
    not_read = row is not None and row.status is Status.NOT_ASKED
    return "no answers were read in this wave" if not_read else "hidden, to protect people"


def beside_chosen(view: View, exposure: str) -> str:
    """The one sentence above a table by an exposure that people chose for themselves."""
    by = inline(view.exposure_label(exposure))
    return f"Everybody who answered, and groups by {quoted(by)}. Groups may differ in other ways too."


def has_uncertain(rows: Iterable[Row]) -> bool:
    """Whether a number among some rows is marked as uncertain."""
    return any(row.status is Status.UNRELIABLE for row in rows)


# --- What was hidden ---------------------------------------------------------------------------------------------------


SO_THAT_NOBODY = "so that nobody can be picked out"


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
            yield f"By {inline(view.exposure_label(exposure))}: {quoted(label)} is one group, {SO_THAT_NOBODY}."


def _put_together(level: PublishedLevel) -> str:
    """What a level holds, and its name where that is another."""
    if len(level.made_of) == 1:
        return f"{quoted(level.label)} is one group, {SO_THAT_NOBODY}."
    parts = clearly_listed([level.made_of[0], *map(inline, level.made_of[1:])])
    return f"{parts} together{'' if _says_all(level) else f' as {quoted(level.label)}'}, {SO_THAT_NOBODY}."


def _says_all(level: PublishedLevel) -> bool:
    """Whether a level's label is no more than the labels of what it holds, put together."""
    rest = clean(level.label).casefold()
    for part in sorted((clean(label).casefold() for label in level.made_of), key=len, reverse=True):
        if part not in rest:
            return False
        rest = rest.replace(part, " ", 1)
    return {*rest.replace(",", " ").split()} <= {"or", "and"}


def hidden_in_all(view: View) -> str:
    """How many numbers of the release are hidden; empty where none is."""
    hidden = sum(row.status is Status.SUPPRESSED for row in view.release.rows)
    verb = "is" if hidden == 1 else "are"
    return f"{hidden:,} of {len(view.release.rows):,} numbers {verb} hidden." if hidden else ""


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
    whole = [level for level in levels if all(row.status is Status.SUPPRESSED for row in rows if row.level == level)]
    parts = [f"all numbers of {_levels(whole, levels)}"] if whole else []
    single: dict[str, list[str]] = {}
    for row in rows:
        if row.status is Status.SUPPRESSED and row.level not in whole:
            single.setdefault(row.statistic, []).append(row.level)
    by_levels: dict[str, list[str]] = {}
    for statistic, hidden in single.items():
        measured = view.measure(rows[0].outcome, statistic).statistic_label
        short = measured.removeprefix(f"{label} ")
        by_levels.setdefault(_levels(hidden, [level for level in levels if level not in whole]), []).append(
            quoted(short)
        )
    return "; ".join([*parts, *(f"{listed(statistics)} of {of}" for of, statistics in by_levels.items())])


def _levels(hidden: list[str], levels: list[str]) -> str:
    """Some levels by name, all of them in a word."""
    if len(hidden) == len(levels) > 1:
        return "all groups"
    if len(hidden) > MOST_NAMED:
        return f"{len(hidden)} of {len(levels)} groups"
    return listed(inline(EVERYBODY) if level == names.ALL_LEVELS else quoted(level) for level in hidden)


def table_title(view: View, table: str) -> str:
    """What a table is called on the page."""
    own = {names.WHO_ANSWERED: "Who answered", names.ITEM_NONRESPONSE: "How many left each question out"}
    return own.get(table, view.title(table))

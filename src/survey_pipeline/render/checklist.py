"""The checklist: what a report of a survey should say, and what this run says of it.

What belongs here: the points of CHERRIES, CROSS and STROBE (for studies at one point in time) in our own words, each answered
from the instrument and the release alone. What does not: any answer that neither of them holds. That is said to be not known:
nothing is guessed from how surveys are mostly done.

Sources: Eysenbach 2004, J Med Internet Res 6:e34 (CHERRIES); Sharma and others 2021, J Gen Intern Med 36:3179 (CROSS); von
Elm and others 2007, PLoS Med 4:e296 (STROBE). CHERRIES does not number its points: here its eight parts are numbered in
order, and the points of a part have letters.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from survey_pipeline.instrument import Item, Role
from survey_pipeline.language import later, say, say_n, wave_in_words
from survey_pipeline.plain import clean
from survey_pipeline.render import methods, phrases, words
from survey_pipeline.render.grids import Cell, Grid, Line
from survey_pipeline.render.measure import ANYWAY
from survey_pipeline.render.view import View

NOT_KNOWN: Final = later("Not known: the survey file does not say.")
SOURCES: Final = (
    later(
        "CHERRIES: Eysenbach 2004, J Med Internet Res 6:e34. Its points have no numbers; here they are counted in order."
    ),
    later("CROSS: Sharma and others 2021, J Gen Intern Med 36:3179."),
    later("STROBE, for studies at one point in time: von Elm and others 2007, PLoS Med 4:e296."),
)
Answer = Callable[[View], str | None]
"""What a run says of a point; None where it says nothing."""


@dataclass(frozen=True)
class Point:
    """One point: what should be said, its numbers in the three lists, and how this run answers it."""

    topic: str
    cherries: str
    cross: str
    strobe: str
    answer: Answer

    @property
    def lists(self) -> str:
        """The lists that ask for it, with its numbers in them."""
        told = (("CHERRIES", self.cherries), ("CROSS", self.cross), ("STROBE", self.strobe))
        return "; ".join(f"{name} {', '.join(numbers.split())}" for name, numbers in told if numbers)


@dataclass(frozen=True)
class Checklist:
    """The filled checklist: how much of it is answered, its table, and where the lists come from."""

    answered: str
    grid: Grid
    sources: tuple[str, ...]


def checklist(view: View) -> Checklist:
    """The checklist of a run."""
    answers = [(point, point.answer(view)) for point in POINTS]
    lines = tuple(_line(point, answer) for point, answer in answers)
    known = sum(answer is not None for _, answer in answers)
    answered = say(
        "Of {all} points, this run answers {known}; of the others it is said that they are not known.",
        all=len(answers),
        known=known,
    )
    columns = (say("What this run says"), say("Asked for by"))
    grid = Grid(
        say("Checklist"), say("What a report of a survey should say, point by point"), columns, lines, say("Point")
    )
    return Checklist(answered, grid, tuple(say(source) for source in SOURCES))


def _line(point: Point, answer: str | None) -> Line:
    told = Cell(say(NOT_KNOWN), muted=True) if answer is None else Cell(answer)
    return Line(say(point.topic), (told, Cell(point.lists)))


# --- Answers -----------------------------------------------------------------------------------------------------------


def _not_known(view: View) -> None:
    """What no survey file says."""
    del view


def _said(message: str) -> Answer:
    """What holds for every run of this program."""
    return lambda view: say(message)


def _text(text: str) -> str | None:
    return clean(text) or None


def _asked(view: View) -> dict[str, Item]:
    """The questions of the wave."""
    wave = view.release.wave
    return {name: item for name, item in view.instrument.items.items() if item.is_asked_in(wave)}


def _labels(view: View, names: Iterator[str]) -> str:
    return phrases.clearly_listed([phrases.inline(view.item_label(name)) for name in names])


def _design(view: View) -> str:
    wave = wave_in_words(view.release.wave)
    return say("A survey of what people report, made again wave after wave. This is the wave {wave}.", wave=wave)


def _aims(view: View) -> str:
    labels = [phrases.inline(view.item_label(name)) for name in (view.instrument.form, view.instrument.dose)]
    return say("To count what people report, by {exposures}.", exposures=phrases.clearly_listed(dict.fromkeys(labels)))


def _consent(view: View) -> str | None:
    asked = [item for item in _asked(view).values() if item.role is Role.CONSENT]
    return say("People were asked for consent. Answers without it were left out.") if asked else None


def _protection(view: View) -> str:
    return say(
        "What could tell who somebody is, is not stored. Small numbers are hidden, by the policy {policy}.",
        policy=phrases.quoted(view.release.policy.name),
    )


def _questionnaire(view: View) -> str:
    asked = [item for item in _asked(view).values() if item.role not in (Role.IDENTIFIER, Role.WEIGHT)]
    version = clean(view.release.instrument.version)
    return say_n("{n} question, version {version}.", "{n} questions, version {version}.", len(asked), version=version)


def _whole_text(view: View) -> str:
    return say(
        "Word for word in the survey file {name}, version {version}.",
        name=phrases.quoted(view.release.instrument.name),
        version=clean(view.release.instrument.version),
    )


def _instruments(view: View) -> str | None:
    sourced = sum(bool(item.source) for item in _asked(view).values())
    thresholds = bool(view.thresholds())
    if not (sourced or thresholds):
        return None
    return say("When an answer counts stands under “Methods”, with sources.") if thresholds else _of_sources(sourced)


def _of_sources(n: int) -> str:
    return say_n("{n} question names its source.", "{n} questions name their source.", n)


def _who_could(view: View) -> str | None:
    return _text(phrases.sentence(clean(view.instrument.community)))


def _invited(view: View) -> str | None:
    return _text(view.instrument.recruitment)


def _about(view: View) -> str | None:
    return _text(view.instrument.about)


def _size(view: View) -> str:
    if view.answers_used is None:
        return say("No size was set; all answers that could be used are counted.")
    return say_n(
        "No size was set; all answers that could be used are counted, about {n}.",
        "No size was set; all answers that could be used are counted, about {n}.",
        view.answers_used,
    )


def _dates(view: View) -> str:
    wave = wave_in_words(view.release.wave)
    return say("The wave is {wave}. The days on which people answered are not published.", wave=wave)


def _branching(view: View) -> str:
    n = sum(item.applies_if is not None for item in _asked(view).values())
    return say_n("{n} question depends on an earlier answer.", "{n} questions depend on an earlier answer.", n)


def _required(view: View) -> str:
    names = [name for name, item in _asked(view).items() if item.required]
    if not names:
        return say("No question had to be answered.")
    return say("An answer is set aside where one of these is missing: {items}.", items=_labels(view, iter(names)))


def _twice(view: View) -> str:
    rules = view.instrument.duplicates
    said = (
        (rules.identical_rows, say("An identical row counts once.")),
        (rules.same_respondent, say("A person with the same code counts once.")),
        (rules.same_token, say("An invitation or response with the same mark counts once.")),
        (rules.same_answers_within_minutes, say("The same answers within a few minutes count once.")),
    )
    told = [sentence for holds, sentence in said if holds]
    others = say("Whether cookies or addresses were compared is not known.")
    return " ".join([*(told or [say("Nothing is left out as handed in twice.")]), others])


def _incomplete(view: View) -> str:
    kept = view.instrument.completeness.unfinished == "keep"
    unfinished = UNFINISHED_KEPT if kept else UNFINISHED_LEFT_OUT
    left_out = say("A question left out is counted as left out, and nothing is filled in.")
    return f"{say(unfinished)} {left_out}"


UNFINISHED_KEPT: Final = later("Answers that the survey tool marks as unfinished are kept.")
UNFINISHED_LEFT_OUT: Final = later("Answers that the survey tool marks as unfinished are left out.")


def _weighting(view: View) -> str:
    return " ".join(methods.weighting(view.instrument))


def _variables(view: View) -> str:
    exposures = dict.fromkeys(view.exposure(table) for table in (*view.sections, *view.lesser))
    labels = [phrases.inline(view.exposure_label(name)) for name in exposures if name in view.instrument.items]
    return (
        say("Told apart by: {exposures}.", exposures=phrases.clearly_listed(labels)) if labels else say(NOTHING_APART)
    )


NOTHING_APART: Final = later("Nobody is told apart: all numbers are of everybody who answered.")


def _grouping(view: View) -> str:
    merged = sum(level.merged for levels in view.release.levels.values() for level in levels)
    return say_n(
        "As the survey file says. {n} group was put together from small ones.",
        "As the survey file says. {n} groups were put together from small ones.",
        merged,
    )


def _methods(view: View) -> str:
    return " ".join((*methods.ranges(view.instrument), say("More stands under “Methods”.")))


def _subgroups(view: View) -> str:
    crossed = [table for table in view.instrument.tables if table.by]
    if not crossed:
        return say("Groups within groups are not told, and no model of several things at once was made.")
    return say_n(
        "{n} table tells groups within groups. No model of several things at once was made.",
        "{n} tables tell groups within groups. No model of several things at once was made.",
        len(crossed),
    )


def _depends(view: View) -> str:
    if view.instrument.is_read_again(view.instrument.dose):
        return say("Each number by dose is made again for each way in which people's words can be read.")
    return say("None was declared.")


def _answered_by(view: View) -> str | None:
    labels = [phrases.inline(view.item_label(name)) for name in view.answered]
    return say("Under “Who answered”: {items}.", items=phrases.clearly_listed(labels)) if labels else None


def _other_analyses(view: View) -> str:
    tests = len(view.release.tests) + len(view.release.comparisons)
    return say_n("{n} test or comparison, in files.", "{n} tests and comparisons, in files.", tests)


def _limits(view: View) -> str:
    n = len(view.instrument.cannot_say) + len(words.limits(view.instrument))
    return say_n("{n} limit, under “What this cannot show”.", "{n} limits, under “What this cannot show”.", n)


def _against_bias(view: View) -> str:
    bands = any(row.statistic.endswith(ANYWAY) for row in view.release.rows)
    return say(BESIDE_ANYWAY if bands else LIMITS_TOLD)


BESIDE_ANYWAY: Final = later("Improvements stand beside what might be expected anyway, and limits are told.")
LIMITS_TOLD: Final = later("Limits are told under “What this cannot show”.")


def _meaning(view: View) -> str:
    others = say("What others found stands beside it.") if view.instrument.evidence else ""
    return " ".join(filter(None, (say(words.NO_CAUSE), others)))


# --- Points ------------------------------------------------------------------------------------------------------------

POINTS: Final = (
    Point(later("How the survey was designed, and that it is one"), "1", "1a 4", "1a 4", _design),
    Point(later("A summary"), "", "1b", "1b", _said(later("It stands under “In short”."))),
    Point(later("Why it was made"), "", "2", "2", _about),
    Point(later("What it is for"), "", "3", "3", _aims),
    Point(later("Approval by a board of ethics"), "2a", "9a", "", _not_known),
    Point(later("Consent of those who answered"), "2b", "9a", "", _consent),
    Point(later("How people's data are protected"), "2c", "9b", "", _protection),
    Point(later("How the questions were made and tried out"), "3", "5c", "", _not_known),
    Point(later("How many questions there are"), "5h", "5a", "", _questionnaire),
    Point(later("On how many screens they stand"), "5i", "", "", _not_known),
    Point(later("Scales and scores, and where they come from"), "", "5b", "8", _instruments),
    Point(later("The questions themselves"), "", "5d", "", _whole_text),
    Point(later("Who could take part"), "", "6a", "6a", _who_could),
    Point(later("How people were found and invited"), "4a 4b 4c", "6b 7a 8", "", _invited),
    Point(later("How large it was meant to be"), "", "6c", "10", _size),
    Point(later("Whether those who answered are like all who were meant"), "", "6d", "", _not_known),
    Point(later("By which means people answered"), "5a", "7a", "", _not_known),
    Point(later("On which site or at which place"), "5b", "", "5", _not_known),
    Point(later("Whether people had to take part"), "5c", "", "", _not_known),
    Point(later("Rewards for taking part"), "5d", "", "", _not_known),
    Point(later("When people were asked"), "5e", "7b", "5", _dates),
    Point(later("Whether questions came in a mixed order"), "5f", "", "", _not_known),
    Point(later("Questions that depend on answers"), "5g", "", "", _branching),
    Point(later("Answers that had to be there"), "5j", "", "", _required),
    Point(later("Whether answers could be looked through before they were sent"), "5k", "", "", _not_known),
    Point(later("How many saw the survey, began it and finished it"), "6a 6b 6c 6d", "11c 11d", "", _not_known),
    Point(later("Answers handed in twice"), "7a 7b 7c 7d", "7c", "", _twice),
    Point(later("Answers that are not whole"), "8a", "10c", "12c", _incomplete),
    Point(
        later("Answers given too fast or at odd times"),
        "8b",
        "",
        "",
        _said(later("No answer is left out for the time that it took.")),
    ),
    Point(later("Weights, and other ways to allow for who answered"), "8c", "10d 10f", "12d", _weighting),
    Point(later("What is told apart by what"), "", "", "7", _variables),
    Point(
        later("What was done against bias"),
        "",
        "",
        "9",
        _against_bias,
    ),
    Point(later("How numbers were put into groups"), "", "10b", "11", _grouping),
    Point(later("Methods of statistics"), "", "10a", "12a", _methods),
    Point(later("Groups within groups"), "", "13b", "12b", _subgroups),
    Point(
        later("People who were lost from one wave to the next"),
        "",
        "10e",
        "",
        _said(later("Each wave is told by itself, and nobody is followed.")),
    ),
    Point(later("How much depends on choices that were made"), "", "10g 13c", "12e", _depends),
    Point(
        later("Numbers at each stage, and why people were left out"),
        "",
        "11a 11b",
        "13a 13b 13c",
        _said(later("They stand under “Numbers at each stage”.")),
    ),
    Point(later("Who answered"), "", "12", "14a", _answered_by),
    Point(
        later("How many left questions out"),
        "",
        "",
        "14b",
        _said(later("Each number says how many gave no answer.")),
    ),
    Point(
        later("The main numbers, and how sure they are"),
        "",
        "13a",
        "15 16a 16b 16c",
        _said(
            later("Each stands with its people and its range, and is not adjusted. Shares are told as people of 100.")
        ),
    ),
    Point(later("Other analyses"), "", "", "17", _other_analyses),
    Point(later("The main findings"), "", "", "18", _said(later("They stand under “In short”."))),
    Point(later("Limits"), "", "14", "19", _limits),
    Point(later("What the findings mean"), "", "15", "20", _meaning),
    Point(
        later("For whom it holds"),
        "",
        "16",
        "21",
        _said(later("For those who answered. Whether others are like them is not known.")),
    ),
    Point(later("Who paid for it"), "", "17", "22", _not_known),
    Point(later("Interests of those who made it"), "", "18", "", _not_known),
    Point(later("Thanks"), "", "19", "", _not_known),
)

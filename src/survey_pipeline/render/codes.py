"""Codes: what each code in the published tables stands for, as a table of its own.

What belongs here: the labels, questions, units, rules and sources of the tables, exposures, levels, outcomes and statistics
that stand in a release. What does not: what else a survey asks (`codebook`), and any number that people gave.
"""

from collections.abc import Iterator
from dataclasses import astuple, dataclass, replace
from typing import Final

import polars as pl

from survey_pipeline import names
from survey_pipeline.codebook import answers_of
from survey_pipeline.instrument import Item, Threshold
from survey_pipeline.language import say
from survey_pipeline.plain import clean
from survey_pipeline.release import ComparisonRow, PublishedLevel, Row, TestRow
from survey_pipeline.render import words
from survey_pipeline.render.estimators import DIARY_KEPT
from survey_pipeline.render.measure import READINGS, Measure
from survey_pipeline.render.methods import TESTS
from survey_pipeline.render.phrases import EVERYBODY, sentence
from survey_pipeline.render.view import View

COLUMNS: Final = {
    "column": "The column of the tables in which the code stands: table, exposure, level, outcome or statistic.",
    "code": "The code. Of levels, the tables hold the label and not the code.",
    "of": "Of a level: its exposure. Of a statistic with a rule that counts people: its outcome. Otherwise empty.",
    "label": "What people read instead of the code.",
    "question": "The words of the question in the survey.",
    "unit": "The unit of the answers. Empty where they have none, such as points of a scale.",
    "answers": "The answers that the question takes: its options with their codes, or the least and the greatest number.",
    "definition": "Of a statistic: who is counted. Of a level: what is in it. Of an outcome: its limit, or its baseline.",
    "better": "Which way an outcome is better for the person: lower or higher. Empty where the survey does not say.",
    "source": "Who says so: the reference of a question, a threshold or a limit.",
}
"""Columns of the codebook, all text, with what they hold."""
DIFFERENCE: Final = "difference_"
"""Before the name of a statistic: that of one group minus that of another."""


@dataclass(frozen=True)
class Code:
    """One line of the codebook; see `COLUMNS`."""

    column: str
    code: str
    of: str = ""
    label: str = ""
    question: str = ""
    unit: str = ""
    answers: str = ""
    definition: str = ""
    better: str = ""
    source: str = ""


Anything = Row | ComparisonRow | TestRow


def codebook(view: View) -> pl.DataFrame:
    """The codebook of a release: a line a code, each in the order in which it comes up. Columns as `COLUMNS`."""
    parts = (_tables(view), _exposures(view), _levels(view), _outcomes(view), _statistics(view))
    lines = dict.fromkeys(tuple(cell or None for cell in astuple(code)) for part in parts for code in part)
    return pl.DataFrame(list(lines), schema=dict.fromkeys(COLUMNS, pl.String), orient="row")


def everything(view: View) -> Iterator[Anything]:
    """Every published row: tables, comparisons, tests."""
    yield from view.release.rows
    yield from view.release.comparisons
    yield from view.release.tests


# --- Labels ------------------------------------------------------------------------------------------------------------


def exposure_label(view: View, exposure: str) -> str:
    """What people are told apart by, in words: of a dose that is read in several ways, with the reading."""
    if exposure in (names.EVERYBODY, names.RESPONDENTS):
        return say(EVERYBODY)
    name = view.item_name(exposure)
    reading = exposure[len(name) + 2 :]
    if reading not in READINGS or not reading:
        return view.exposure_label(exposure)
    return f"{view.exposure_label(name)}: {say(READINGS[reading])}"


def outcome_label(view: View, outcome: str, statistic: str) -> str:
    """An outcome in words, with its question where it is one answer of several, and how a dose is read for its limit."""
    if outcome == names.RESPONDENTS:
        return say("People who answered")
    if outcome == DIARY_KEPT:
        return say("Kept a diary")
    measure = view.measure(outcome, statistic)
    label = words.named(measure, view)
    return f"{label} ({say(READINGS[measure.reading])})" if measure.limit else label


def statistic_label(view: View, outcome: str, statistic: str) -> str:
    """A statistic, a comparison or a test in words."""
    if statistic in TESTS:
        return sentence(say(TESTS[statistic]))
    compared = statistic.removeprefix(DIFFERENCE)
    label = view.measure(outcome, compared).statistic_label
    return say("Difference: {statistic}", statistic=label) if compared != statistic else label


# --- Lines -------------------------------------------------------------------------------------------------------------


def _tables(view: View) -> Iterator[Code]:
    for table in view.release.tables:
        yield Code(names.TABLE, table, label=words.table_title(view, table))


def _exposures(view: View) -> Iterator[Code]:
    for exposure in dict.fromkeys(row.exposure for row in everything(view)):
        item = view.instrument.items.get(view.item_name(exposure))
        yield _asked(names.EXPOSURE, exposure, exposure_label(view, exposure), item)


def _levels(view: View) -> Iterator[Code]:
    yield Code(names.LEVEL, names.ALL_LEVELS, label=say(EVERYBODY))
    for exposure, levels in view.release.levels.items():
        for level in levels:
            yield Code(names.LEVEL, level.code, exposure, clean(level.label), definition=_made_of(level))


def _made_of(level: PublishedLevel) -> str:
    return f"Put together from: {'; '.join(map(clean, level.made_of))}" if level.merged else ""


def _outcomes(view: View) -> Iterator[Code]:
    statistics: dict[str, str] = {}
    for row in everything(view):
        statistics.setdefault(row.outcome, row.statistic)
    for outcome, statistic in statistics.items():
        measure = view.measure(outcome, statistic)
        code = _asked(names.OUTCOME, outcome, outcome_label(view, outcome, statistic), measure.item)
        yield replace(code, better=_better(measure), **_about(measure))


def _better(measure: Measure) -> str:
    return measure.item.better or "" if measure.item and not measure.is_option else ""


def _about(measure: Measure) -> dict[str, str]:
    """What an outcome is held against, and who says so."""
    if limit := measure.limit:
        return {
            "definition": f"Above {limit.above:g} {measure.item.unit if measure.item else ''}".strip(),
            "source": limit.source,
        }
    before = measure.item.baseline if measure.item and not measure.is_option else None
    return {"definition": f"Asked before as {before}"} if before else {}


def _asked(column: str, code: str, label: str, item: Item | None) -> Code:
    """The line of a question, or of one answer to it."""
    if item is None:
        return Code(column, code, label=label)
    return Code(column, code, "", label, item.question, item.unit, answers_of(item), source=item.source)


def _statistics(view: View) -> Iterator[Code]:
    for outcome, statistic in dict.fromkeys((row.outcome, row.statistic) for row in everything(view)):
        measure = view.measure(outcome, statistic.removeprefix(DIFFERENCE))
        of = outcome if measure.threshold or measure.improved_by is not None else ""
        source = measure.threshold.source if measure.threshold else ""
        label = statistic_label(view, outcome, statistic)
        yield Code(names.STATISTIC, statistic, of, label, definition=_rule(statistic, measure), source=source)


def _rule(statistic: str, measure: Measure) -> str:
    """Whom a statistic counts, in English."""
    better = measure.item.better or "better" if measure.item else "better"
    rule = f"now at least {measure.improved_by} % {better} than before" if measure.improved_by is not None else ""
    rule = _of_threshold(measure.threshold, better) if measure.threshold else rule
    if measure.is_band:
        return f"What might be expected anyway of {measure.base}"
    told = f"The share of people who are {rule}" if rule else ""
    return f"One group's number minus another's. {told}".strip() if statistic.startswith(DIFFERENCE) else told


def _of_threshold(threshold: Threshold, better: str) -> str:
    if threshold.percent is not None:
        return f"now at least {threshold.percent:g} % {better} than before"
    if threshold.points is not None:
        return f"now at least {threshold.points:g} points {better} than before"
    return (
        f"now at {threshold.at_least:g} or more"
        if threshold.at_least is not None
        else f"now at {threshold.at_most:g} or less"
    )

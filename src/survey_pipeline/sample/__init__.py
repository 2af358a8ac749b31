"""Invented exports of any size, for any instrument, whose true answers are known exactly.

What belongs here: the ways in. `plan` says which people are invented, `population` how probable each answer is, `cells`
how an answer is typed, `write` draws, `layouts` says what each survey tool's export looks like, `files` writes it. What
does not: reading an export back.

All truths are exact expectations under the plan, for the people whose answers stay readable. `level` is a level's code
or label, or "all"; `exposure` says of which exposure, where form and dose have levels of the same name.
"""

import numpy as np

from survey_pipeline.diary import measured
from survey_pipeline.errors import WrongUsage
from survey_pipeline.instrument import Instrument, Kind, Threshold
from survey_pipeline.names import NOT_STATED
from survey_pipeline.sample.cells import lost_share
from survey_pipeline.sample.layouts import TOOLS
from survey_pipeline.sample.plan import SamplePlan, load_plan, parse_plan
from survey_pipeline.sample.population import Floats, Population, level_shares, responder, truth, unknown
from survey_pipeline.sample.tallied import SampleSummary
from survey_pipeline.sample.write import write_sample

__all__ = [
    "TOOLS",
    "SamplePlan",
    "SampleSummary",
    "load_plan",
    "parse_plan",
    "true_level_share",
    "true_mean",
    "true_mean_baseline",
    "true_mean_change",
    "true_option_share",
    "true_person_week_mean",
    "true_responder_share",
    "write_sample",
]


def true_mean_change(
    instrument: Instrument, plan: SamplePlan, wave: str, level: str, outcome: str, exposure: str | None = None
) -> float:
    """The expected change (now minus before, in the item's units) among the people of a level.

    Raises `WrongUsage` for an unknown level or outcome, and for an outcome that is asked only once.
    """
    found = truth(Population(instrument, plan, wave), level, outcome, exposure)
    if instrument.items[outcome].baseline is None:
        raise WrongUsage(f"'{outcome}' is asked only once.", "Ask for true_mean instead.")
    return found.expect(found.now[None, :] - found.before[:, None])


def true_mean(
    instrument: Instrument, plan: SamplePlan, wave: str, level: str, outcome: str, exposure: str | None = None
) -> float:
    """The expected score now among the people of a level, in the item's units."""
    found = truth(Population(instrument, plan, wave), level, outcome, exposure)
    return found.expect(found.now[None, :] + 0 * found.before[:, None])


def true_mean_baseline(
    instrument: Instrument, plan: SamplePlan, wave: str, level: str, outcome: str, exposure: str | None = None
) -> float:
    """The expected score before among the people of a level, in the item's units."""
    found = truth(Population(instrument, plan, wave), level, outcome, exposure)
    return found.expect(found.before[:, None] + 0 * found.now[None, :])


def true_responder_share(
    instrument: Instrument,
    plan: SamplePlan,
    wave: str,
    level: str,
    outcome: str,
    threshold: str,
    exposure: str | None = None,
) -> float:
    """The expected share (0 to 1) of responders at a threshold; for per cent, among those who did not start at 0."""
    found = truth(Population(instrument, plan, wave), level, outcome, exposure)
    item = instrument.items[outcome]
    return responder(found, item, _threshold(item.thresholds, threshold))


def _threshold(known: tuple[Threshold, ...], name: str) -> Threshold:
    for threshold in known:
        if threshold.name == name:
            return threshold
    raise unknown("threshold", name, [threshold.name for threshold in known])


def true_level_share(instrument: Instrument, plan: SamplePlan, wave: str, level: str, exposure: str) -> float:
    """The expected share (0 to 1) of everybody kept who is found in a level of form, dose or another closed item."""
    people = Population(instrument, plan, wave)
    if exposure in (instrument.form, instrument.dose):
        return float(level_shares(people, level, exposure).sum())
    answered = _answered(people, exposure) * (1 - lost_share(instrument, plan, exposure))
    if level == NOT_STATED:
        return float(1 - answered.sum())
    return float(answered @ people.pmf(exposure)[:, _place(people.answers(exposure), level)])


def true_option_share(
    instrument: Instrument, plan: SamplePlan, wave: str, level: str, item: str, option: str, exposure: str | None = None
) -> float:
    """The expected share (0 to 1), among those of a level who answered an item, who chose one of its options.

    For yes-or-no items the option is "yes" or "no".
    """
    people = Population(instrument, plan, wave)
    weights = level_shares(people, level, exposure).sum(axis=1) * people.asked(item)
    chosen = _ticks(people, item) if instrument.items[item].kind is Kind.CHOICES else people.pmf(item)
    return float(weights @ chosen[:, _place(people.answers(item), option)] / weights.sum())


def true_person_week_mean(
    instrument: Instrument, plan: SamplePlan, wave: str, level: str, item: str, exposure: str | None = None
) -> float:
    """The expected mean over person-weeks of a diary's answer among the people of a level, in the item's units.

    How many weeks somebody writes has nothing to do with what they write, so it is the expected answer. Yes is 1, no is 0.
    """
    people = Population(instrument, plan, wave)
    if item not in measured(instrument):
        raise unknown("diary answer", item, tuple(measured(instrument)))
    weights = level_shares(people, level, exposure).sum(axis=1)
    words = {"yes": 1.0, "no": 0.0}
    values = np.array([words[code] if code in words else float(code) for code in people.answers(item)])
    return float(weights @ people.pmf(item) @ values / weights.sum())


def _answered(people: Population, name: str) -> Floats:
    return people.form_shares * people.asked(name)


def _ticks(people: Population, name: str) -> Floats:
    """Probability by form that an option stands in the cell; the exclusive one where nothing else was ticked."""
    ticked = people.ticked(name)
    empty: Floats = (1 - ticked).prod(axis=1)
    exclusive = [option.exclusive for option in people.instrument.items[name].options]
    if True not in exclusive:
        ticked += (empty / len(exclusive))[:, None]
        return ticked
    ticked[:, exclusive.index(True)] = empty
    return ticked


def _place(codes: tuple[str, ...], code: str) -> int:
    if code not in codes:
        raise unknown("answer", code, codes)
    return codes.index(code)

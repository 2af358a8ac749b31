"""The plan of a sample: which people are invented, how they fare, and how untidily they type.

What belongs here: the pydantic models of `sample.toml`, finding and checking it. What does not: any drawing of numbers
(`population`, `write`). Without a plan every key has a default, so that a sample can be made for any instrument.
"""

import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, ValidationError, model_validator

from survey_pipeline.errors import InputRefused, did_you_mean
from survey_pipeline.instrument import (
    Code,
    Instrument,
    Item,
    Kind,
    Strict,
    explain,
    load_instrument,
    shipped_instruments,
    shipped_text,
)
from survey_pipeline.names import NOT_APPLICABLE

Rate = Annotated[float, Field(ge=0, le=1)]
Weight = Annotated[float, Field(ge=0)]
Weights = dict[str, Weight]


class Section(Strict):
    """Questions that a share of people answers, all of them or none."""

    share: Rate
    items: tuple[Code, ...] = Field(min_length=1)


class Course(Strict):
    """How one outcome goes, in the item's own units; what is not given follows from the length of the scale.

    `before`: mean at the start; `usual`: the level to which scores return by themselves, by the share `pull`;
    `spread`: the standard deviation before; `noise`: that of the score now around its mean; `response`: how much of the
    effects shows.
    """

    before: float | None = None
    usual: float | None = None
    spread: float | None = Field(default=None, gt=0)
    noise: float | None = Field(default=None, gt=0)
    pull: Rate = 0.4
    response: float = 1.0


class DoseWords(Strict):
    """The text item that says the dose in words, and the items with which the words agree."""

    item: Code
    dose: Code
    times: Code


class Mess(Strict):
    """How often each kind of untidiness is planted: a rate of answers, or of rows where it says so.

    None of it depends on what was answered, so what stays valid is a fair sample of everybody.
    """

    blank: Rate = 0.02
    no_answer_text: Rate = 0.005
    misspelt: Rate = 0.02
    other_case: Rate = 0.01
    stray_space: Rate = 0.01
    with_unit: Rate = 0.03
    impossible: Rate = 0.008
    unknown_option: Rate = 0.005
    contradictory: Rate = 0.005
    several_listed: Rate = 0.5
    """Of the people with a mix: how many list their answers instead of choosing 'a mix'."""
    doubled_rows: Rate = 0.01
    second_answers: Rate = 0.005
    rows_without_consent: Rate = 0.01
    rows_without_required: Rate = 0.005
    comments: Rate = 0.2
    spare: tuple[Code, ...] = ()
    """Items that are always written cleanly."""


class Drift(Strict):
    """How much waves differ, at most: `change` in standard deviations, `shares` as the logarithm of a factor."""

    change: float = Field(default=0.08, ge=0)
    shares: float = Field(default=0.1, ge=0)


class Diaries(Strict):
    """People who keep a diary: further rows with their code, a day and the diary's answers, and nothing else.

    `share` of people keep one, of `fewest` to `most` entries on different days of so many `weeks`, most of them short. An
    answer is as common in entries as under `shares`; `alike` is how much a person's entries resemble each other, as the
    correlation of two of them (on the scale of a normal distribution).
    """

    share: Rate = 0.0
    fewest: int = Field(default=4, ge=1)
    most: int = Field(default=30, ge=1)
    weeks: int = Field(default=8, ge=1)
    alike: Rate = 0.6

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if not self.fewest <= self.most <= 7 * self.weeks:
            raise ValueError("a diary has `fewest` to `most` entries, and at most one for each day of its `weeks`")
        return self


class SamplePlan(Strict):
    """Everything that is invented about the people of a sample. See `schemas/magnesium/sample.toml` for each key."""

    shares: dict[Code, Weights] = Field(default_factory=dict)
    by_form: dict[Code, dict[Code, Weights]] = Field(default_factory=dict)
    optional: tuple[Section, ...] = ()
    skipped: dict[Code, tuple[Code, ...]] = Field(default_factory=dict)
    form_effect: dict[Code, float] | None = None
    dose_effect: dict[Code, float] | None = None
    courses: dict[Code, Course] = Field(default_factory=dict)
    dose_words: DoseWords | None = None
    comments: tuple[str, ...] = ()
    diaries: Diaries = Diaries()
    mess: Mess = Mess()
    drift: Drift = Drift()


def load_plan(name_or_path: str | Path) -> SamplePlan:
    """The plan beside an instrument (`sample.toml` in its folder), or the defaults where there is none.

    Takes what `load_instrument` takes. Raises `WrongUsage` if there is no such instrument, `InputRefused` if the plan
    cannot be read or does not fit the instrument.
    """
    instrument = load_instrument(name_or_path)
    text = _text_beside(str(name_or_path))
    plan = SamplePlan() if text is None else parse_plan(text)
    for problem in problems(plan, instrument):
        raise InputRefused(f"The sample plan does not fit the instrument: {problem}", "Mend sample.toml and run again.")
    return plan


def parse_plan(text: str) -> SamplePlan:
    """A plan from the text of its file; raises `InputRefused` with the place and the nearest known key."""
    try:
        return SamplePlan.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise InputRefused(f"The sample plan is not valid TOML: {error}.", "Mend that line and run again.") from None
    except ValidationError as error:
        raise InputRefused(explain(error, SamplePlan), "Mend sample.toml and run again.") from None


def _text_beside(name: str) -> str | None:
    """The text of the plan that lies beside the instrument which `load_instrument` finds under this name."""
    given = Path(name)
    for instrument in (given, given / "instrument.toml", Path("schemas") / name / "instrument.toml"):
        if instrument.is_file():
            plan = instrument.parent / "sample.toml"
            return plan.read_text(encoding="utf-8-sig") if plan.is_file() else None
    try:
        return shipped_text(name, "sample.toml") if name in shipped_instruments() else None
    except FileNotFoundError:
        return None


# --- Whether a plan fits its instrument ------------------------------------------------------------------------------


def problems(plan: SamplePlan, instrument: Instrument) -> Iterator[str]:
    """Each way in which a plan speaks of what the instrument does not have, as a sentence."""
    for where, name in _items_named(plan):
        if name not in instrument.items:
            yield f"{where} names the item '{name}', which does not exist.{did_you_mean(name, instrument.items)}"
    for where, name, codes in _codes_named(plan, instrument):
        if item := instrument.items.get(name):
            yield from _unknown_answers(where, item, codes)
    condition = instrument.items[instrument.form].applies_if
    if condition and condition.item in plan.by_form:
        yield f"by_form names '{condition.item}', but the form itself depends on that item."


def _items_named(plan: SamplePlan) -> Iterator[tuple[str, str]]:
    yield from (("shares", name) for name in plan.shares)
    yield from (("by_form", name) for name in plan.by_form)
    yield from (("courses", name) for name in plan.courses)
    yield from (("mess.spare", name) for name in plan.mess.spare)
    yield from (("optional", name) for section in plan.optional for name in section.items)
    yield from (("skipped", name) for names in plan.skipped.values() for name in names)
    if words := plan.dose_words:
        yield from (("dose_words", name) for name in (words.item, words.dose, words.times))


def _codes_named(plan: SamplePlan, instrument: Instrument) -> Iterator[tuple[str, str, Iterable[str]]]:
    yield from (("shares", name, weights) for name, weights in plan.shares.items())
    for name, by_code in plan.by_form.items():
        yield "by_form", instrument.form, by_code
        yield from (("by_form", name, weights) for weights in by_code.values())
    yield "skipped", instrument.form, plan.skipped
    yield "form_effect", instrument.form, plan.form_effect or ()
    yield "dose_effect", instrument.dose, plan.dose_effect or ()


def _unknown_answers(where: str, item: Item, codes: Iterable[str]) -> Iterator[str]:
    if item.is_numeric and where in ("shares", "by_form"):
        yield from (f"{where} of '{item.label}' has the invalid number '{code}'." for code in _bad(item, codes))
        return
    known = {*item.codes, *(band.code for band in item.bands), NOT_APPLICABLE, *_yes_no(item)}
    for code in codes:
        if code not in known:
            yield f"{where} names the answer '{code}', which '{item.label}' does not have.{did_you_mean(code, known)}"


def _yes_no(item: Item) -> tuple[str, ...]:
    return ("yes", "no") if item.kind is Kind.YES_NO else ()


def _bad(item: Item, texts: Iterable[str]) -> Iterator[str]:
    low = float("-inf") if item.minimum is None else item.minimum
    high = float("inf") if item.maximum is None else item.maximum
    for text in texts:
        try:
            fits = low <= float(text) <= high
        except ValueError:
            fits = False
        if not fits:
            yield text

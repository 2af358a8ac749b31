"""The invented population: how probable each answer is, and from that the exact truth that a sample is drawn from.

What belongs here: probabilities on finite sets of answers, and sums over them. A sample is drawn from these very
tables, so a truth is an expectation without error, not a large simulation. What does not: random numbers (`write`) and
text (`cells`).

The model. A person has a form; given the form, each other question is answered independently, except that the score now
depends on the score before, the form and the band of the dose:

    mean now = before + pull x (usual - before) + better x spread x response x (form effect + dose effect + drift)

The score now is that mean with logistic noise, rounded to the scale and held at its ends. `pull` makes people who were
bad at the start fare better anyway, as in real surveys.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from survey_pipeline.errors import WrongUsage, did_you_mean
from survey_pipeline.instrument import Band, Instrument, Item, Kind, Role, Threshold
from survey_pipeline.levels import Level, atoms, band_ends, partitions
from survey_pipeline.names import ALL_LEVELS, NOT_APPLICABLE, NOT_STATED
from survey_pipeline.sample.cells import lost_share, plain
from survey_pipeline.sample.plan import Course, SamplePlan, Weights

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Matrix = Floats | npt.NDArray[np.bool_]

TOLERANCE = 1e-9
MOST_VALUES = 201
"""A scale with more steps than this is answered on a coarser grid of the same range."""


def wobble(wave: str, *key: str) -> float:
    """A number between -1 and 1 that a wave always has for the same key: how one wave differs from another."""
    digest = sha256("|".join((wave, *key)).encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**47 - 1


# --- Finite answers --------------------------------------------------------------------------------------------------


def grid(item: Item) -> tuple[float, ...]:
    """The values of a numeric item, low to high: every step of its range, or 0 to 10 where it has no range."""
    low = 0.0 if item.minimum is None else item.minimum
    high = low + 10 if item.maximum is None else item.maximum
    step = item.step or 1.0
    steps = int((high - low) / step + TOLERANCE)
    coarser = -(-(steps + 1) // MOST_VALUES)
    return tuple(round(low + step * place, 10) for place in range(0, steps + 1, coarser))


def answers_of(item: Item, weights: Weights) -> tuple[str, ...]:
    """The answers an item can be given: its codes, yes and no, or numbers as text."""
    if item.kind is Kind.YES_NO:
        return ("yes", "no")
    if item.options:
        return item.codes
    if weights:
        return tuple(plain(value) for value in sorted(map(float, weights)))
    return tuple(map(plain, _typical(item)))


def _typical(item: Item) -> tuple[float, ...]:
    """Numbers that reach into every band, or the whole scale."""
    ends = [end for end, _ in band_ends(item) if end != float("inf")]
    if not ends:
        return grid(item)
    low = 0.0 if item.minimum is None else item.minimum
    high = 1.5 * ends[-1] if item.maximum is None else item.maximum
    edges = [low, *ends, high]
    middles = [round((a + b) / 2, 2) for a, b in pairwise(edges)]
    inside = {value for value in (*middles, *ends) if low <= value <= high}
    return tuple(sorted(value for value in inside if _on_step(value, item, low))) or grid(item)


def _on_step(value: float, item: Item, low: float) -> bool:
    return item.step is None or abs((value - low) / item.step - round((value - low) / item.step)) < TOLERANCE


def band_place(value: float, bands: tuple[Band, ...]) -> int:
    """The place of the band that a number lies in."""
    ends = [band.end for band in bands]
    return next(place for place, (end, inside) in enumerate(ends) if value < end or (inside and value <= end))


def stretch_place(value: float, item: Item) -> int:
    """The place of the finest stretch that a number lies in, as `instrument.atoms` numbers them."""
    return next(i for i, (end, inside) in enumerate(band_ends(item)) if value < end or (inside and value <= end))


def _logistic_steps(means: Floats, sd: float, values: tuple[float, ...]) -> Floats:
    """Probabilities of each value for logistic noise around each mean, rounded; the ends take the tails."""
    between = (np.array(values[1:]) + np.array(values[:-1])) / 2
    scale = sd * np.sqrt(3) / np.pi
    below = 1 / (1 + np.exp(-np.clip((between - means[..., None]) / scale, -500, 500)))
    ends = np.ones((*means.shape, 1))
    steps: Floats = np.diff(np.concatenate([0 * ends, below, ends], axis=-1), axis=-1)
    return steps


# --- The population --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Population:
    """The people of one wave of one instrument under one plan. Arrays by form have a last row for 'form not asked'."""

    instrument: Instrument
    plan: SamplePlan
    wave: str

    @cached_property
    def forms(self) -> tuple[str, ...]:
        """The answers about the form."""
        return self.answers(self.instrument.form)

    def answers(self, name: str) -> tuple[str, ...]:
        """The answers of a closed or numeric item, in the order of every array about it."""
        given = self.plan.by_form.get(name, {}).values()
        weights = {code: 1.0 for shares in (self.plan.shares.get(name, {}), *given) for code in shares}
        return answers_of(self.instrument.items[name], weights)

    def pmf(self, name: str) -> Floats:
        """Probability of each answer of a closed or numeric item by form: [forms + 1, answers]."""
        rows = [self._shares(name, self._weights(name, form)) for form in (*self.forms, NOT_APPLICABLE)]
        return np.array(rows)

    def ticked(self, name: str) -> Floats:
        """Probability that each option of a `choices` item is ticked, 0 for 'none': [forms + 1, options]."""
        item = self.instrument.items[name]
        rows = [self._odds(name, self._weights(name, form)) for form in (*self.forms, NOT_APPLICABLE)]
        found: Floats = np.array(rows) * [not option.exclusive for option in item.options]
        return found

    def _weights(self, name: str, form: str) -> Weights:
        return self.plan.by_form.get(name, {}).get(form) or self.plan.shares.get(name, {})

    def _shares(self, name: str, weights: Weights) -> Floats:
        numbers = {_key(code): weight for code, weight in weights.items()}
        drifted = [numbers.get(_key(code), 0.0) * self._drift(name, code) for code in self.answers(name)]
        if not weights:
            drifted = [self._drift(name, code) for code in self.answers(name)]
        found: Floats = np.array(drifted) / sum(drifted)
        return found

    def _odds(self, name: str, weights: Weights) -> Floats:
        codes = self.instrument.items[name].codes
        p = np.array([min(weights.get(code, 0.0 if weights else 0.25), 1.0) for code in codes])
        factor = np.array([self._drift(name, code) for code in codes])
        found: Floats = p * factor / (1 - p + p * factor)
        return found

    def _drift(self, name: str, code: str) -> float:
        return float(np.exp(self.plan.drift.shares * wobble(self.wave, name, code)))

    # --- who is asked what ---

    @cached_property
    def form_shares(self) -> Floats:
        """How common each form is, and in the last place how many are not asked for one."""
        asked, form = self._form_asked(), self.instrument.form
        return np.append(asked * self._shares(form, self._weights(form, "")), 1 - asked)

    def _form_asked(self) -> float:
        condition = self.instrument.items[self.instrument.form].applies_if
        if condition is None or condition.item == self.instrument.form:
            return 1.0
        shares = self._shares(condition.item, self._weights(condition.item, ""))
        return float(sum(shares[i] for i, code in enumerate(self.answers(condition.item)) if code in condition.values))

    def asked(self, name: str) -> Floats:
        """By form, the share of people who answer an item at all, untidiness left aside: [forms + 1]."""
        if name == self.instrument.form:
            return np.append(np.ones(len(self.forms)), 0.0)
        return self.concerned(name) * ~self._skips(name) * self.section_share(name)

    def concerned(self, name: str) -> Floats:
        """By form, the share of people whose answers meet the condition of an item."""
        condition = self.instrument.items[name].applies_if
        if condition is None:
            return np.ones(len(self.forms) + 1)
        return self.asked(condition.item) * self._meets(condition.item, condition.values)

    def unconcerned(self, name: str) -> Floats:
        """By form, the share who answered the item of the condition, and otherwise than it asks for."""
        condition = self.instrument.items[name].applies_if
        if condition is None:
            return np.zeros(len(self.forms) + 1)
        return self.asked(condition.item) * (1 - self._meets(condition.item, condition.values))

    def _meets(self, name: str, values: tuple[str, ...]) -> Floats:
        if name == self.instrument.form:
            return np.array([float(form in values) for form in (*self.forms, NOT_APPLICABLE)])
        if name == self._form_condition:
            return self._meets_beside_form(name, values)
        if self.instrument.items[name].kind is Kind.CHOICES:
            wanted = [code in values for code in self.instrument.items[name].codes]
            none_of_them: Floats = np.prod(1 - self.ticked(name)[:, wanted], axis=1)
            return 1 - none_of_them
        met: Floats = self.pmf(name)[:, [code in values for code in self.answers(name)]].sum(axis=1)
        return met

    @property
    def _form_condition(self) -> str | None:
        condition = self.instrument.items[self.instrument.form].applies_if
        return condition.item if condition else None

    def _meets_beside_form(self, name: str, values: tuple[str, ...]) -> Floats:
        """As `_meets`, for the item that also decides who is asked for a form: who has one met its condition."""
        condition = self.instrument.items[self.instrument.form].applies_if
        shares = self._shares(name, self._weights(name, ""))
        has_form = np.array([condition is not None and code in condition.values for code in self.answers(name)])
        wanted = np.array([code in values for code in self.answers(name)])
        with_form, without = (_share_among(shares, wanted, group) for group in (has_form, ~has_form))
        return np.array([with_form] * len(self.forms) + [without])

    def _skips(self, name: str) -> npt.NDArray[np.bool_]:
        return np.array([name in self.plan.skipped.get(form, ()) for form in (*self.forms, NOT_APPLICABLE)])

    def section_share(self, name: str) -> float:
        """The share of people who answer the optional section of an item; 1 for an item of none."""
        return next((section.share for section in self.plan.optional if name in section.items), 1.0)

    # --- dose and outcomes ---

    @cached_property
    def doses(self) -> tuple[str, ...]:
        """The answers about the dose; none where form and dose are one item."""
        return () if self.instrument.dose == self.instrument.form else self.answers(self.instrument.dose)

    @cached_property
    def dose_bands(self) -> tuple[str, ...]:
        """The codes that dose effects are given for; a place more stands for 'no dose'."""
        item = self.instrument.items[self.instrument.dose]
        return tuple(band.code for band in item.bands) or self.doses

    @cached_property
    def band_of_dose(self) -> Integers:
        """The place of the band of each answer about the dose, and in the last place that of 'no dose'."""
        item = self.instrument.items[self.instrument.dose]
        places = [band_place(float(dose), item.bands) if item.bands else i for i, dose in enumerate(self.doses)]
        return np.array([*places, len(self.dose_bands)])

    @cached_property
    def together(self) -> Floats:
        """Share of people by form and dose, 'not asked' last on both: [forms + 1, doses + 1]. Sums to 1."""
        if not self.doses:
            return self.form_shares[:, None]
        asked = self.asked(self.instrument.dose)[:, None]
        by_dose = np.hstack([asked * self.pmf(self.instrument.dose), 1 - asked])
        return self.form_shares[:, None] * by_dose

    @cached_property
    def effects(self) -> Floats:
        """Improvement in standard deviations by form and dose band: [forms + 1, bands + 1]."""
        form = _effects((*self.forms, NOT_APPLICABLE), self.plan.form_effect, most=0.5)
        dose = _effects((*self.dose_bands, NOT_APPLICABLE), self.plan.dose_effect, most=0.2)
        total: Floats = form[:, None] + dose[None, :]
        return total

    @cached_property
    def outcomes(self) -> tuple[str, ...]:
        """Numeric outcomes: those with the role, and whatever numbers a table is made of."""
        items = self.instrument.items
        tabled = {name for table in self.instrument.tables for name in table.outcomes}
        exposures = {self.instrument.form, self.instrument.dose}
        return tuple(
            name
            for name, item in items.items()
            if item.is_numeric
            and name not in exposures
            and item.role is not Role.DIARY
            and (item.role is Role.OUTCOME or name in tabled)
        )

    @cached_property
    def baselines(self) -> dict[str, str]:
        """The outcome that each baseline item belongs to (the first, where several share one)."""
        pairs = {self.instrument.items[name].baseline: name for name in reversed(self.outcomes)}
        return {before: name for before, name in pairs.items() if before}

    def course(self, outcome: str) -> Course:
        """How an outcome goes, with every number filled in."""
        item, given = self.instrument.items[outcome], self.plan.courses.get(outcome, Course())
        values = grid(item)
        length, worse = values[-1] - values[0], -_better(item)
        middle = values[0] + length / 2
        defaults = {"before": middle + worse * 0.13 * length, "usual": middle + worse * 0.06 * length}
        defaults |= {"spread": 0.18 * length, "noise": 0.14 * length}
        return given.model_copy(update={key: value for key, value in defaults.items() if getattr(given, key) is None})

    def before(self, outcome: str) -> tuple[Floats, Floats]:
        """The values and probabilities of the score before; one certain value where none is asked."""
        baseline = self.instrument.items[outcome].baseline
        course = self.course(self.baselines[baseline] if baseline else outcome)
        values = grid(self.instrument.items[outcome])
        if baseline is None:
            return np.array([course.usual]), np.ones(1)
        return np.array(values), _logistic_steps(np.array(course.before), course.spread or 1.0, values)

    def now(self, outcome: str) -> tuple[Floats, Floats]:
        """The values of the score now, and their probabilities by form, dose band and score before (four axes)."""
        item, course = self.instrument.items[outcome], self.course(outcome)
        values, (before, _) = grid(item), self.before(outcome)
        drift = self.plan.drift.change * wobble(self.wave, outcome)
        shift = _better(item) * (course.spread or 1.0) * course.response * (self.effects + drift)
        means = before + course.pull * ((course.usual or 0.0) - before) + shift[..., None]
        return np.array(values), _logistic_steps(means, course.noise or 1.0, values)


def _share_among(shares: Floats, wanted: npt.NDArray[np.bool_], group: npt.NDArray[np.bool_]) -> float:
    return float(shares[wanted & group].sum() / max(shares[group].sum(), TOLERANCE))


def _key(code: str) -> str | float:
    """'300' and '300.0' are the same number."""
    try:
        return float(code)
    except ValueError:
        return code


def _better(item: Item) -> int:
    return 1 if item.better == "higher" else -1


def _effects(codes: tuple[str, ...], given: dict[str, float] | None, most: float) -> Floats:
    """Effects by code; without any given they rise evenly, so that a sample always has something to find."""
    if given is not None:
        return np.array([given.get(code, 0.0) for code in codes])
    rising = np.linspace(0.0, most, max(len(codes) - 1, 1))[: len(codes) - 1]
    return np.append(rising, 0.0)


# --- Truths ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Truth:
    """The scores of the people of one level: values before and now, and the probability of each pair (sums to 1)."""

    before: Floats
    now: Floats
    p: Floats

    def expect(self, value: Matrix, among: Matrix | None = None) -> float:
        """The mean of a matrix of values, among the pairs of scores that count."""
        weight = self.p if among is None else self.p * among
        return float((weight * value).sum() / weight.sum())


def truth(people: Population, level: str, outcome: str, exposure: str | None) -> Truth:
    """The exact distribution of an outcome among the people that are published as one level of an exposure."""
    if outcome not in people.outcomes:
        raise unknown("outcome with numbers", outcome, people.outcomes)
    by_dose = level_shares(people, level, exposure)
    by_band = np.zeros(people.effects.shape)
    np.add.at(by_band.T, people.band_of_dose, by_dose.T)
    (before, p_before), (now, p_now) = people.before(outcome), people.now(outcome)
    pairs = np.einsum("fd,b,fdbn->bn", by_band / by_band.sum(), p_before, p_now)
    return Truth(before, now, pairs)


def level_shares(people: Population, level: str, exposure: str | None) -> Floats:
    """Share of all people by form and dose who are found in a level (code or label): [forms + 1, doses + 1].

    Raises `WrongUsage` for an exposure other than form and dose, and for an unknown level.
    """
    if level == ALL_LEVELS:
        return people.together
    name, members = _find_level(people.instrument, level, exposure)
    by_form = name == people.instrument.form
    parts = [_form_member(people, code) if by_form else _dose_member(people, code) for code in members]
    found: Floats = np.sum(parts, axis=0)
    return found


def _find_level(instrument: Instrument, level: str, exposure: str | None) -> tuple[str, tuple[str, ...]]:
    names = (instrument.form, instrument.dose) if exposure is None else (exposure,)
    if set(names) - {instrument.form, instrument.dose}:
        raise unknown("exposure with known truths", str(exposure), (instrument.form, instrument.dose))
    known = [(name, found) for name in names for found in all_levels(instrument.items[name])]
    for name, found in known:
        if level in (found.code, found.label):
            return name, found.members
    raise unknown("level", level, dict.fromkeys(found.code for _, found in known))


def unknown(what: str, name: str, known: Iterable[str]) -> WrongUsage:
    """The error for a name that does not exist, with the nearest one and all that do."""
    known = tuple(known)
    return WrongUsage(f"There is no {what} '{name}'.{did_you_mean(name, known)}", f"Choose one of: {', '.join(known)}.")


def all_levels(item: Item) -> tuple[Level, ...]:
    """Every level that an exposure may be published in, in any of its partitions."""
    return tuple(level for levels in (atoms(item), *partitions(item)) for level in levels)


def _form_member(people: Population, code: str) -> Floats:
    item = people.instrument.items[people.instrument.form]
    missing = lost_share(people.instrument, people.plan, people.instrument.form)
    codes = [f"stretch_{stretch_place(float(form), item)}" if item.bands else form for form in people.forms]
    rows = np.array([float(code == mine) for mine in codes])
    share = {NOT_STATED: np.append(missing + 0 * rows, 0), NOT_APPLICABLE: np.append(0 * rows, 1)}
    found: Floats = people.together * share.get(code, np.append((1 - missing) * rows, 0))[:, None]
    return found


def _dose_member(people: Population, code: str) -> Floats:
    name = people.instrument.dose
    item, missing = people.instrument.items[name], lost_share(people.instrument, people.plan, name)
    nobody = np.zeros_like(people.together)
    if code == NOT_APPLICABLE:
        nobody[:, -1] = people.form_shares * people.unconcerned(name)
        return nobody
    if code == NOT_STATED:
        nobody[:, :-1] = missing * people.together[:, :-1]
        nobody[:, -1] = people.form_shares * (1 - people.unconcerned(name) - people.asked(name))
        return nobody
    codes = [f"stretch_{stretch_place(float(dose), item)}" if item.bands else dose for dose in people.doses]
    nobody[:, :-1] = (1 - missing) * people.together[:, :-1] * np.array([float(code == mine) for mine in codes])
    return nobody


def responder(truth: Truth, item: Item, threshold: Threshold) -> float:
    """The share of responders; for per cent, among people who did not start at 0."""
    before, now = np.meshgrid(truth.before, truth.now, indexing="ij")
    gain = _better(item) * (now - before)
    if threshold.percent is not None:
        return truth.expect(gain * 100 >= threshold.percent * before - TOLERANCE, among=before != 0)
    if threshold.points is not None:
        return truth.expect(gain >= threshold.points - TOLERANCE)
    if threshold.at_least is not None:
        return truth.expect(now >= threshold.at_least - TOLERANCE)
    return truth.expect(now <= (threshold.at_most or 0.0) + TOLERANCE)

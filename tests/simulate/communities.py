"""Communities whose truth is known: people with a usual level, who fluctuate around it and answer in whole numbers.

What belongs here: inventing answers before and now, and who takes what. What does not: any estimate.

Everybody has a usual level of each of five symptoms and departs from it from week to week; the correlation of two weeks is
the retest correlation. All symptoms are worse together, in their usual levels and in their weeks alike. Answers are rounded
to whole numbers and cut at 0 and 10. People who take magnesium began after a bad week, and which form they chose may hang
on how bad it was; people who take none were picked by nothing.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

Numbers = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]

OUTCOMES = ("pain", "stiffness", "fatigue", "sleep_quality", "stress")
HIGHER_IS_BETTER = "sleep_quality"
FORMS = ("citrate", "malate", "glycinate", "oxide", "chloride", "mix")
NONE = "none"
DOSES = (60.0, 150.0, 250.0, 350.0, 500.0)
HIGHEST = 10
SHARED_PART = 0.5
"""The correlation of any two symptoms, in their usual levels and in their weeks."""
CANDIDATES = 4
"""So many people are invented for each one who takes magnesium; those in a bad week are likelier to be among them."""


@dataclass(frozen=True)
class Plan:
    """What holds for a community. Ranges are drawn from anew for each community, evenly."""

    n_people: tuple[int, int] = (100, 3000)
    share_none: tuple[float, float] = (0.1, 0.3)
    retest: tuple[float, float] = (0.4, 0.8)
    """Of the levels before rounding; that of the answers is about 0.02 lower."""
    bad_spell: tuple[float, float] = (0.0, 1.5)
    """How strongly a bad week makes people begin: by how many standard deviations they lie above the mean then."""
    chosen_by_severity: float = 0.5
    """How much the choice of form and dose hangs on how bad it was: the spread of the slopes; 0 is by chance."""
    effect: float = 0.0
    """By how many points everybody who takes any form is truly better."""
    milder_comparison: float = 0.0
    """By how many points the people who take none are usually better off than the others are."""
    worse_takers_by_form: float = 0.0
    """How much the usual level itself, not the week, decides on the form: the spread of the forms' usual levels in points."""
    drift: float = 0.0
    """By how many points everybody is better now, whatever they take and also if they take none."""
    drift_of_none: float = 0.0
    """By how many points those who take none, and only they, are better now."""
    recall: float = 0.0
    """By how many points everybody remembers the week before as worse than it was."""
    recall_of_takers: float = 0.0
    """By how many points those who take any form, and only they, do so."""
    n_per_form: int | None = None
    """So many people with each form, exactly, in place of `n_people`; they choose by chance."""
    n_none: int = 100
    """Then, so many who take none."""


@dataclass(frozen=True)
class Community:
    """Answers before and now (people x outcomes, whole numbers from 0 to 10), the form and the dose (NaN for none)."""

    before: Numbers
    now: Numbers
    form: npt.NDArray[np.str_]
    dose: Numbers

    @property
    def n_people(self) -> int:
        return len(self.form)

    def frame(self) -> pl.DataFrame:
        """The answers as they would be stored."""
        columns: dict[str, pl.Series] = {"form": pl.Series(self.form.tolist(), dtype=pl.String)}
        columns["dose"] = pl.Series(self.dose).fill_nan(None)
        for place, name in enumerate(OUTCOMES):
            columns[f"{name}_before"] = pl.Series(self.before[:, place])
            columns[name] = pl.Series(self.now[:, place])
        return pl.DataFrame(columns)


def community(plan: Plan, seed: tuple[int, ...]) -> Community:
    """Invent a community; the same seed gives the same people."""
    rng = np.random.default_rng(seed)
    n_none, n_takers = _sizes(plan, rng)
    mean, sd = rng.uniform(4.5, 6.5, len(OUTCOMES)), rng.uniform(1.8, 2.4, len(OUTCOMES))
    retest = rng.uniform(*plan.retest, len(OUTCOMES))
    start, now = _weeks(CANDIDATES * n_takers, retest, rng)
    begun = _likelier(start.mean(axis=1) / np.sqrt(_variance_of_mean()), rng.uniform(*plan.bad_spell), n_takers, rng)
    start, now = start[begun], now[begun]
    severity = start.mean(axis=1)
    form = _chosen(severity, len(FORMS), plan, rng)
    apart = plan.worse_takers_by_form * rng.standard_normal(len(FORMS))[form][:, np.newaxis]
    none_start, none_now = _weeks(n_none, retest, rng)
    none = mean - plan.milder_comparison
    before = np.vstack([mean + sd * start + apart + plan.recall_of_takers, none + sd * none_start])
    after = np.vstack([mean + sd * now + apart - plan.effect, none + sd * none_now - plan.drift_of_none])
    dose = np.array(DOSES)[_chosen(severity, len(DOSES), plan, rng)]
    return Community(
        _answers(before + plan.recall),
        _answers(after - plan.drift),
        np.concatenate([np.array(FORMS)[form], np.full(n_none, NONE)]),
        np.concatenate([dose, np.full(n_none, np.nan)]),
    )


def _sizes(plan: Plan, rng: np.random.Generator) -> tuple[int, int]:
    """How many people take none, and how many take some form. Small communities are as frequent as large ones."""
    if plan.n_per_form is not None:
        return plan.n_none, plan.n_per_form * len(FORMS)
    low, high = plan.n_people
    n = round(float(np.exp(rng.uniform(np.log(low), np.log(high)))))
    n_none = round(n * float(rng.uniform(*plan.share_none)))
    return n_none, n - n_none


def _weeks(n: int, retest: Numbers, rng: np.random.Generator) -> tuple[Numbers, Numbers]:
    """Two weeks of n people, in standard deviations from the mean; higher is worse."""
    usual = np.sqrt(retest) * _together(n, rng)
    return tuple(usual + np.sqrt(1 - retest) * _together(n, rng) for _ in range(2))  # type: ignore[return-value]


def _together(n: int, rng: np.random.Generator) -> Numbers:
    """Standard normal numbers (people x outcomes), each two outcomes with the correlation `SHARED_PART`."""
    shared, own = rng.standard_normal((n, 1)), rng.standard_normal((n, len(OUTCOMES)))
    return np.asarray(np.sqrt(SHARED_PART) * shared + np.sqrt(1 - SHARED_PART) * own)


def _variance_of_mean() -> float:
    return SHARED_PART + (1 - SHARED_PART) / len(OUTCOMES)


def _likelier(severity: Numbers, strength: float, n: int, rng: np.random.Generator) -> Places:
    """Who of the candidates began: n of them, with a chance that rises exponentially with severity (Gumbel's trick)."""
    wish = strength * severity + rng.gumbel(size=len(severity))
    return np.argsort(-wish)[:n].astype(np.int64, copy=False)


def _chosen(severity: Numbers, n_options: int, plan: Plan, rng: np.random.Generator) -> Places:
    """The option that each person chose: by how well it is liked, by how bad it was, and by chance."""
    if plan.n_per_form is not None:
        return (np.arange(len(severity)) % n_options).astype(np.int64)
    liking = rng.normal(0, 0.7, n_options)
    slopes = plan.chosen_by_severity * rng.standard_normal(n_options)
    wish = liking + slopes * severity[:, np.newaxis] + rng.gumbel(size=(len(severity), n_options))
    chosen: Places = np.argmax(wish, axis=1)
    return chosen


def _answers(worse: Numbers) -> Numbers:
    """Whole numbers from 0 to 10, turned round where higher is better."""
    rounded = np.clip(np.rint(worse), 0, HIGHEST)
    rounded[:, OUTCOMES.index(HIGHER_IS_BETTER)] = HIGHEST - rounded[:, OUTCOMES.index(HIGHER_IS_BETTER)]
    return np.asarray(rounded)


def without_bad_spells(plan: Plan) -> Plan:
    """Nobody is picked by anything, so that forms, doses and those who take none do not differ at all."""
    return replace(plan, bad_spell=(0.0, 0.0), chosen_by_severity=0.0)

"""The page that the simulations make: `docs/simulations.md`.

What belongs here: running each part, and saying in words and tables what came out. What does not: inventing and judging.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from simulate.bands import FEWEST, SIZES, Judged, by_form, judge_one, survey
from simulate.communities import DOSES, FORMS, OUTCOMES, Plan, without_bad_spells
from simulate.coverage import SIZES as PEOPLE
from simulate.coverage import Case, Covered, cases, covered
from simulate.expectations import SHAPES, missed
from simulate.families import finds_something
from simulate.rates import Rate, filled, percent, rate, rate_within, table
from simulate.work import Workers

MOST_BEYOND = 0.05
LEAST_FOUND = 0.60
LEAST_COVERAGE = 0.93
LARGE = 1000
"""From so many people on, coverage is promised for every shape; below, for symmetric answers."""

USUAL_PLAN = Plan()
KNOWN_EFFECT = Plan(n_per_form=100, effect=1.5)
HELPED = {
    "as above": KNOWN_EFFECT,
    "retest correlation 0.4": replace(KNOWN_EFFECT, retest=(0.4, 0.4)),
    "retest correlation 0.8": replace(KNOWN_EFFECT, retest=(0.8, 0.8)),
    "all after a very bad week (1.5)": replace(KNOWN_EFFECT, bad_spell=(1.5, 1.5)),
    "only 30 people take none": replace(KNOWN_EFFECT, n_none=30),
    "30 people with each form": replace(KNOWN_EFFECT, n_per_form=30),
    "true change of 1 point": replace(KNOWN_EFFECT, effect=1.0),
    "true change of half a point": replace(KNOWN_EFFECT, effect=0.5),
    "everybody, whatever they take, 1 point better besides": replace(KNOWN_EFFECT, drift=1.0),
}
COMMON_COURSE = {
    "everybody 1 point better": replace(USUAL_PLAN, drift=1.0),
    "everybody 2 points better": replace(USUAL_PLAN, drift=2.0),
    "everybody 2 points better, retest correlation 0.4": replace(USUAL_PLAN, drift=2.0, retest=(0.4, 0.4)),
    "everybody 2 points better, all after a very bad week (1.5)": replace(USUAL_PLAN, drift=2.0, bad_spell=(1.5, 1.5)),
    "everybody 1 point worse": replace(USUAL_PLAN, drift=-1.0),
    "everybody remembers before as 1 point worse": replace(USUAL_PLAN, recall=1.0),
    "everybody remembers before as 2 points worse": replace(USUAL_PLAN, recall=2.0),
    "both: 1 point better, and remembered as 1 point worse": replace(USUAL_PLAN, drift=1.0, recall=1.0),
}
NOT_AS_ASSUMED = {
    "retest correlation 0.9": replace(USUAL_PLAN, retest=(0.9, 0.9)),
    "retest correlation 0.4, the lowest declared": replace(USUAL_PLAN, retest=(0.4, 0.4)),
    "retest correlation 0.3": replace(USUAL_PLAN, retest=(0.3, 0.3)),
    "retest correlation 0.2": replace(USUAL_PLAN, retest=(0.2, 0.2)),
    "who takes none is usually 1 point better off": replace(USUAL_PLAN, milder_comparison=1.0),
    "who takes none is usually half a point worse off": replace(USUAL_PLAN, milder_comparison=-0.5),
    "who takes none is usually 1 point worse off": replace(USUAL_PLAN, milder_comparison=-1.0),
    "only who takes none is 1 point better now": replace(USUAL_PLAN, drift_of_none=1.0),
    "only who takes none is half a point worse now": replace(USUAL_PLAN, drift_of_none=-0.5),
    "only who takes none is 1 point worse now": replace(USUAL_PLAN, drift_of_none=-1.0),
    "only who takes a form remembers before as half a point worse": replace(USUAL_PLAN, recall_of_takers=0.5),
    "only who takes a form remembers before as 1 point worse": replace(USUAL_PLAN, recall_of_takers=1.0),
    "usual levels of forms differ (spread 0.5 points)": replace(USUAL_PLAN, worse_takers_by_form=0.5),
    "usual levels of forms differ (spread 1 point)": replace(USUAL_PLAN, worse_takers_by_form=1.0),
}
HOW_BEYOND = ("forms x outcomes", "by the mean change", "by responders (30 %)")


@dataclass(frozen=True)
class Amount:
    """How much is simulated, and from which seed."""

    communities: int = 1000
    repeats: int = 4000
    seed: int = 20261122


@dataclass(frozen=True)
class Part:
    """A part of the page, and the promises it breaks."""

    text: str
    broken: tuple[str, ...] = ()


def page(amount: Amount, workers: Workers) -> Part:
    """Everything, in order."""
    makers = (introduction, no_effect, common_course, known_effect, wrong_assumptions, expectations, families, coverage)
    parts = [make(amount, workers) for make in makers]
    return Part(
        "\n".join(filled(part.text) for part in parts), tuple(broken for part in parts for broken in part.broken)
    )


def introduction(amount: Amount, workers: Workers) -> Part:
    """What this page is, and how its communities are made."""
    low, high = USUAL_PLAN.n_people
    none_low, none_high = USUAL_PLAN.share_none
    declared = {item.retest for item in survey().items.values() if item.retest}
    text = f"""# Simulations

Made by `make simulate` (seed {amount.seed}); do not edit it by hand. The command prints this page, and ends with an error if
one of its promises is broken. In brackets after a rate stands its Monte Carlo error: with another seed the rate would differ
by about that much.

## The communities

For each question, {amount.communities:,} invented communities of {low:,} to {high:,} people (small ones as frequent as large
ones) unless another number is given. Everybody has a usual level of {len(OUTCOMES)} symptoms, departs from it from week to
week, and answers in whole numbers from 0 to 10. Two weeks of a person have a correlation that is drawn for each outcome and
community from {USUAL_PLAN.retest[0]} to {USUAL_PLAN.retest[1]}, before rounding. People who take magnesium began after a bad
week: the mean of their symptoms then lay 0 to {USUAL_PLAN.bad_spell[1]} standard deviations above the community's. How bad it
was decides in part which of {len(FORMS)} forms and {len(DOSES)} doses they chose. From {percent(none_low)} to
{percent(none_high)} of the people take none, and were picked by nothing. Forms of fewer than {FEWEST} people are left out.
Rows and bands come from the pipeline itself (`count`, `estimate`), for a survey that declares a retest correlation from
{" and ".join(f"{one.lowest} to {one.highest}" for one in declared)}.
"""
    return Part(text)


def no_effect(amount: Amount, workers: Workers, plan: Plan = USUAL_PLAN) -> Part:
    """Promise: at most 5 per cent are worded beyond the band where nothing works."""
    judged = _judged("No effect", plan, amount.communities, amount, workers)
    shown = _with_band(judged)
    sizes = {f"{low} to {high:,}": _of_size(shown, low, high) for low, high in SIZES}
    whole, any_outcome = _beyond(shown), rate_within(map(by_form, shown))
    worst = max((_beyond(found) for found in sizes.values() if any(found)), key=lambda found: found.share)
    without = rate_within([[not one.has_band for one in people] for people in judged])
    rows = [_row(name, found) for name, found in (sizes | {"all": shown}).items()]
    text = f"""## No effect at all: how often is a form worded "beyond the band"?

Nobody's magnesium does anything. Beyond the band means that the whole 95 % interval of the mean change lies on the better
side of the whole band.

{table(("people with the form", *HOW_BEYOND), rows)}

- Promised: at most {percent(MOST_BEYOND)}. Found: {whole}; in the worst size class {worst}.
- Of all forms, {any_outcome} are beyond in any of their {len(OUTCOMES)} outcomes.
- For {without} there is no band, since fewer than 30 people take none; nothing is worded beyond then.
"""
    promises = {"forms without effect worded beyond": whole, "forms beyond in any outcome": any_outcome}
    return Part(text, tuple(name for name, found in promises.items() if found.is_above(MOST_BEYOND)))


def common_course(amount: Amount, workers: Workers) -> Part:
    """Promise: at most 5 per cent are worded beyond where nothing works, but everybody changes alike."""
    n = max(1, amount.communities // 10)
    found = {name: _with_band(_judged(name, plan, n, amount, workers)) for name, plan in COMMON_COURSE.items()}
    by_change = {name: _beyond(shown) for name, shown in found.items()}
    rows = [(*_row(name, shown), str(rate_within(map(by_form, shown)))) for name, shown in found.items()]
    text = f"""## No effect, but everybody changes: a season, a drift, a past remembered as worse

Again nobody's magnesium does anything. But everybody, also who takes none, is better or worse now by some points, or
remembers the week before as worse than it was. Answers are cut at the ends of the scale as always. {n:,} communities a row.

{table(("what holds for everybody", *HOW_BEYOND, "forms, in any outcome"), rows)}

- Promised: at most {percent(MOST_BEYOND)} by the mean change in each row. Found: at most
  {max(by_change.values(), key=lambda one: one.share)}.
"""
    broken = (
        f"forms without effect worded beyond, {name}" for name, one in by_change.items() if one.is_above(MOST_BEYOND)
    )
    return Part(text, tuple(broken))


def known_effect(amount: Amount, workers: Workers) -> Part:
    """Promise: at least 60 per cent are found where each form truly helps by 1.5 points."""
    n = max(1, amount.communities // 10)
    found = {name: _judged(name, plan, n, amount, workers) for name, plan in HELPED.items()}
    seen = _beyond(found["as above"])
    text = f"""## A true change of 1.5 points and 100 people: how often is it seen?

Every form makes people better by 1.5 points, before the answers are cut at the ends of the scale. 100 people take each form,
and 100 take none. {n:,} communities a row.

{table(("what holds", *HOW_BEYOND), [_row(*one) for one in found.items()])}

- Promised: at least {percent(LEAST_FOUND)} of forms are worded beyond the band. Found: {seen}.
"""
    return Part(text, ("a true change of 1.5 points is seen too rarely",) if seen.share < LEAST_FOUND else ())


def wrong_assumptions(amount: Amount, workers: Workers) -> Part:
    """What the band is worth where what it assumes does not hold. No promise."""
    n = max(1, amount.communities // 10)
    found = {
        name: _with_band(_judged(name.split(",")[0], plan, n, amount, workers)) for name, plan in NOT_AS_ASSUMED.items()
    }
    rows = [(*_row(name, shown), str(rate_within(map(by_form, shown)))) for name, shown in found.items()]
    text = f"""## Where the assumptions fail

Again nobody's magnesium does anything, but the band is told something wrong. {n:,} communities a row. Nothing is promised
here: it shows which assumptions carry the claim.

{table(("what is not as assumed", *HOW_BEYOND, "forms, in any outcome"), rows)}

How to read it: a band that expects too much improvement (people who take none are better off than the others usually are, or
changed for the better by themselves) hides findings; one that expects too little makes them up. So a finding beyond the band
is worth as much as three beliefs: that the retest correlation is not far below the declared range; that people who take none
are not worse off than the others are in a usual week; and that what moved the others moved them too, their memory of the past
included. People who take a form because they are *always* better off than others, not because of a bad week, break the second
belief. People who take none because they gave up, and get worse, break the third, and so do people who take something and
remember the time before as darker than it was.
"""
    return Part(text)


def expectations(amount: Amount, workers: Workers) -> Part:
    """Which expectation is nearest to the truth."""
    tasks = [(shape, (amount.seed, 3, place)) for place, shape in enumerate(SHAPES)]
    found = [one for shape in workers.do("Expectations", missed, tasks) for one in shape]
    head = ("population", "picked at", "change", "line", "normal", "copula", "responders", "normal", "copula")
    rows = [
        (
            one.shape,
            *(f"{number:+.1f}" for number in (one.picked,)),
            *(f"{number:+.2f}" for number in (one.change, one.line, one.normal, one.copula)),
            f"{100 * one.share:.1f}",
            *(f"{100 * number:+.1f}" for number in (one.share_normal, one.share_copula)),
        )
        for one in found
    ]
    text = f"""## Which expectation: straight line, rounded normal or copula?

Large populations without any effect, picked by their baseline so that it lies `picked at` points above the mean; the mean and
the retest correlation are known. Then: the true mean change, by how many points three ways miss it, the true responders
(at least 30 % better) in 100 people, and by how many two ways miss them. Line: mu + rho (x - mu). Normal: a normal
distribution around that line, rounded and cut. Copula: answers before and now are distributed as those of the whole
population, and joined by a normal copula.

{table(head, rows)}

For the mean change the line is as near as anything and the simplest: it is used. The rounded normal is worse where answers
heap at an end, for it cuts what was cut before. For responders the copula is used, the best where usual levels and weeks are
normal, whatever the ends of the scale cut off. Where they are not, all ways miss, the more the harder people were picked:
with rare bad weeks every way expects too little improvement, with skewed usual levels too much.
"""
    return Part(text)


def families(amount: Amount, workers: Workers) -> Part:
    """Promise: Holm's family-wise error stays at its level."""
    n, fewer = amount.communities, max(1, amount.communities // 10)
    alike = _families("Tests, all alike", without_bad_spells(USUAL_PLAN), n, amount, workers)
    spells = _families("Tests, bad weeks", USUAL_PLAN, fewer, amount, workers)
    text = f"""## Tests after Holm: how often does a family find something where there is nothing?

The primary family: for each of {len(OUTCOMES)} outcomes the change by form (Kruskal-Wallis) and along the dose
(Jonckheere-Terpstra), {2 * len(OUTCOMES)} tests with Holm's adjustment, level 5 %.

- Nobody picked by anything, so that forms and doses do not differ at all: {alike} of families find something. Promised: at
  most {percent(MOST_BEYOND)}, within twice the Monte Carlo error.
- No effect either, but people began after bad weeks, and how bad they were decides in part on form and dose
  ({fewer:,} communities): {spells}. Here the changes *do* differ between forms, by regression to the mean alone. A small
  p-value between forms says that reports differ, never that a form works; only the band stands against that.
"""
    return Part(text, ("the family-wise error of Holm",) if alike.is_above(MOST_BEYOND) else ())


def coverage(amount: Amount, workers: Workers) -> Part:
    """Promise: 93 per cent for symmetric answers, and for all with 1,000 people or more."""
    known, repeats = cases(), amount.repeats
    tasks = [(place, n, repeats, (amount.seed, 4, place, n)) for place in range(len(known)) for n in PEOPLE]
    counts = dict(zip([task[:2] for task in tasks], workers.do("Coverage", covered, tasks), strict=True))
    found = {(known[place], n): rate(count.holding, repeats) for (place, n), count in counts.items()}
    low = {key: one for key, one in found.items() if one.share < LEAST_COVERAGE}
    shortfalls = [f"- {case.statistic}, {case.shape}, {n:,} people: {one}" for (case, n), one in low.items()]
    rows = [(case.statistic, case.shape, *(_covered(found[case, n]) for n in PEOPLE)) for case in known]
    head = ("statistic", "distribution", *(f"{n:,}" for n in PEOPLE))
    text = f"""## Coverage of the 95 % intervals

How many of {repeats:,} intervals, in per cent, hold the true value. Answers from 0 to 10 and changes from -10 to 10, with
distributions that are known exactly. Of two groups, each has so many people; in the second, 3 in 10 people are a point lower.
Weights go from 0.5 to 4, and people with higher answers weigh more. The Monte Carlo error of 95 % is
{100 * rate(95 * repeats, 100 * repeats).error * 10:.1f}. Values under {percent(LEAST_COVERAGE)} stand in bold.

{table(head, rows)}

- Promised: at least {percent(LEAST_COVERAGE)} for symmetric answers at every size, and for every distribution from
  {LARGE:,} people on; within twice the Monte Carlo error.
- The interval of the median covers more than 95 %: whole numbers are coarse, and its ends are answers.

All shortfalls:

{chr(10).join(shortfalls) or "- none"}

Where nearly everybody gives the same answer, a small sample may hold none of the few others, and no interval made from the
sample alone can know of them. Cochran's rule (Sampling Techniques, 1977, section 2.15) tells when a sample is large enough
for Student's t: n above 25 times the squared skewness of the sample. How many per cent of the intervals hold the true mean
among samples that keep the rule, and in brackets how many per cent of the samples do; a dash where fewer than 5 % do:

{table(head, _sound_rows(known, counts, repeats))}
"""
    return Part(text, tuple(_broken_coverage(low)))


def _broken_coverage(low: dict[tuple[Case, int], Rate]) -> Iterable[str]:
    for (case, n), one in low.items():
        if (case.shape == "symmetric" or n >= LARGE) and one.is_below(LEAST_COVERAGE):
            yield f"coverage of {case.statistic}, {case.shape}, {n} people"


def _sound_rows(
    known: Sequence[Case], counts: dict[tuple[int, int], Covered], repeats: int
) -> Iterable[tuple[str, ...]]:
    for place, case in enumerate(known):
        if case.statistic in ("mean", "mean_change"):
            yield case.statistic, case.shape, *(_sound(counts[place, n], repeats) for n in PEOPLE)


def _sound(count: Covered, repeats: int) -> str:
    kept = count.sound / repeats
    return f"{100 * count.sound_holding / count.sound:.1f} ({100 * kept:.0f})" if kept >= 0.05 else "-"


# --- Judging many communities -------------------------------------------------------------------------------------------

Communities = list[list[Judged]]


def _judged(name: str, plan: Plan, n: int, amount: Amount, workers: Workers) -> Communities:
    return workers.do(name, judge_one, [(plan, (amount.seed, 1, place)) for place in range(n)])


def _families(name: str, plan: Plan, n: int, amount: Amount, workers: Workers) -> Rate:
    tasks = [(plan, (amount.seed, 2, place)) for place in range(n)]
    return rate(sum(workers.do(name, finds_something, tasks)), n)


def _with_band(judged: Communities) -> Communities:
    return [[one for one in people if one.has_band] for people in judged]


def _of_size(judged: Communities, low: int, high: int) -> Communities:
    return [[one for one in people if low <= one.n <= high] for people in judged]


def _beyond(judged: Communities) -> Rate:
    return rate_within([[one.beyond for one in people] for people in judged])


def _row(name: str, judged: Communities) -> tuple[str, ...]:
    by_change = _beyond(judged)
    by_share = rate_within([[one.share_beyond for one in people] for people in judged])
    return name, f"{by_change.n:,}", str(by_change), str(by_share)


def _covered(found: Rate) -> str:
    text = f"{100 * found.share:.1f}"
    return f"**{text}**" if found.share < LEAST_COVERAGE else text

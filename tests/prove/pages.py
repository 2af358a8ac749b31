"""The page that the attacks make: `docs/proof-simulations.md`, and the times that are only printed.

What belongs here: running the attacks on many communities, and saying in words and tables what came out. What does not:
inventing, publishing and attacking.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from simulate.rates import filled, percent, table
from simulate.work import Workers

from prove.communities import GROWTH, MOST_EVENTS, MOST_MISSING, PEOPLE, RARE, WAVES
from prove.judge import MOST_WHOLE, SIZES, WHOLE_OF_ONE, Judged, Task, judge
from prove.record import as_csv
from survey_pipeline.release import Policy

WIDTH = "5"
"""The other protection that is looked at: a hidden count can take so many values."""
KINDS = {
    "people": "people in a level",
    "respondents": "people who answered",
    "events": "people of whom something holds",
    "others": "people of whom it does not",
    "between": "people who reach one threshold and not the next",
    "missing": "people who left a question out",
    "aside": "people whom a question does not concern",
    "overlap": "people whom levels of two releases have in common",
}
RELATIONS = {
    "first": "first of their wave",
    "same": "the same answers again, in other bands",
    "added": "corrections where people only came",
    "gone": "corrections where people only went",
    "anything": "corrections where people came and went, or answers were changed",
}
POLICY = Policy()
LEAST_BROKEN = 0.5
"""An attacker that breaks a plain filter in fewer communities than that is no test."""


@dataclass(frozen=True)
class Amount:
    """How much is attacked, and from which seed. Of every `every`th community the other protection is looked at too, and
    whole numbers.
    """

    communities: int = 1000
    seed: int = 0
    every: int = 10


@dataclass(frozen=True)
class Proved:
    """The page, the record beside it, the promises that are broken, and the times, which are no part of the page."""

    text: str
    record: str
    broken: tuple[str, ...]
    times: str


@dataclass(frozen=True)
class Results:
    """What became of all communities, under the mark; and of every so many, under the mark and under a width."""

    all: Sequence[Judged]
    some: Sequence[Judged]
    by_width: Sequence[Judged]


def proved(amount: Amount, workers: Workers, judged: Callable[[Task], Judged] = judge) -> Proved:
    """Everything, in order. `judged`: attacks a community."""
    tasks = asked(amount)
    found = workers.do("Attacks", judged, tasks)
    results = results_of(amount, found)
    record = as_csv(zip(tasks, found, strict=True))
    return Proved(page(amount, results), record, tuple(broken(results)), times(results))


def page(amount: Amount, results: Results) -> str:
    """The page alone."""
    makers = (introduction, small_counts, plain_filters, corrections, whole_numbers, how_much_is_told)
    return "\n".join(filled(make(amount, results)) for make in makers)


def asked(amount: Amount) -> list[Task]:
    """Every community, then some of them again under the other protection."""
    places = range(amount.communities)
    chosen = places[:: amount.every]
    tasks = [Task((amount.seed, place), whole=place in chosen) for place in places]
    return [*tasks, *(Task((amount.seed, place), WIDTH, plain=False) for place in chosen)]


def results_of(amount: Amount, found: Sequence[Judged]) -> Results:
    """What became of the tasks of `asked`, in their order."""
    everybody = found[: amount.communities]
    return Results(everybody, everybody[:: amount.every], found[amount.communities :])


def broken(results: Results) -> Iterable[str]:
    """The promises that are broken."""
    if n := total(results.all, lambda one: one.found):
        yield f"{n:,} small counts can be told more closely than their mark"
    if n := total(results.by_width, lambda one: one.found):
        yield f"{n:,} small counts can be told to fewer than {WIDTH} values, where a width was asked for"
    if n := sum(one.whole["found"] for one in results.some):
        yield f"{n:,} small counts can be told more closely than their mark by whole numbers"
    if n := sum(one.releases["untrue"] for one in (*results.all, *results.by_width)):
        yield f"of {n:,} releases the attacker believes what is not true"
    for name in ("rounded", "exact"):
        if share_broken(results, name) < LEAST_BROKEN:
            yield f"the attacker breaks too few plain filters ({name})"


def total(judged: Iterable[Judged], counted: Callable[[Judged], Counter[tuple[str, int]]]) -> int:
    return sum(counted(one).total() for one in judged)


def share_broken(results: Results, name: str) -> float:
    return sum(one.broken[name] for one in results.all) / len(results.all)


# --- The page -----------------------------------------------------------------------------------------------------------


def introduction(amount: Amount, results: Results) -> str:
    """What this page is, and how its communities are made."""
    return f"""# Attacks on invented communities

Made by `make prove` (seed {amount.seed}); do not edit it by hand. The command prints this page and how long everything took,
and ends with an error if something is found that must not be found.

## The communities

{amount.communities:,} invented communities of {PEOPLE[0]} to {PEOPLE[1]:,} people (small ones as frequent as large ones),
each asked {WAVES[0]} to {WAVES[1]} times; from wave to wave as many people as before times {GROWTH[0]} to {GROWTH[1]}. They
say which form of magnesium they take and how much, sex and age, pain and sleep before and now, side effects (two in
{percent(RARE[0])} to {percent(RARE[1])} of the people), whether they stopped or reduced the dose, and one rare illness. A
question is left out by up to {percent(MOST_MISSING)}. Up to {MOST_EVENTS} times each, a wave changes after it was published:
late answers come, answers are mended, people withdraw theirs, or doses are published in other bands. The releases are made by
the pipeline, each knowing the ones before. What became of each community is in [a table][table], a row each. Its first column
names the code that was attacked, by a digest of all that a result can depend on; `python tests/prove --digest` says that of
the code at hand.

[table]: proof-simulations.csv

## The attacker

Knows the questions, the rules and everything published, and writes it down as linear constraints on the unpublished counts.
It uses none of the code that hides. For each count from 1 to {POLICY.min_n - 1} behind a release, shown or hidden, it looks
for the least and the most that the count can be. The truth is used for judging alone: a count is found if the interval
excludes 1 or {POLICY.min_n - 1}, which the mark "fewer than {POLICY.min_n}" leaves open. Of every set of releases it is
checked that all true counts together agree with everything the attacker believes; they do not in
{sum(one.releases["untrue"] for one in (*results.all, *results.by_width)):,}.

{_releases(results.all)}
"""


def _releases(judged: Sequence[Judged]) -> str:
    counts = sum((one.releases for one in judged), Counter[str]())
    rows = [(said, f"{counts[name]:,}") for name, said in RELATIONS.items()]
    held = [("held back, as too few people differ", f"{counts['held back']:,}")]
    held += [("refused: the same people in other bands, or no proof", f"{counts['refused']:,}")]
    published = [("all that were published", f"{sum(counts[name] for name in RELATIONS):,}")]
    return table(("releases", "number"), [*rows, *published, *held])


def small_counts(amount: Amount, results: Results) -> str:
    """Promise: none is found."""
    small, found = (_summed(getattr(one, name) for one in results.all) for name in ("small", "found"))
    sizes = [
        f"{low:,} to {high:,} people" if place < len(SIZES) - 1 else f"{low:,} people and more"
        for place, (low, high) in enumerate(SIZES)
    ]
    rows = [(said, *_of_kind(kind, small, found)) for kind, said in KINDS.items()]
    return f"""## Small counts

Of {small.total():,} counts from 1 to {POLICY.min_n - 1} behind the releases, {found.total():,} are found. Each pair says how
many there were, and how many were found:

{table(("count", *sizes, "all"), rows)}
"""


def _of_kind(kind: str, small: Counter[tuple[str, int]], found: Counter[tuple[str, int]]) -> Iterable[str]:
    pairs = [(small[kind, place], found[kind, place]) for place in range(len(SIZES))]
    return (f"{n:,} / {k:,}" for n, k in [*pairs, (sum(n for n, _ in pairs), sum(k for _, k in pairs))])


def plain_filters(amount: Amount, results: Results) -> str:
    """How often the same attacker breaks a filter that hides small cells and nothing else."""
    rounded, exact = (f"{100 * share_broken(results, name):.1f} %" for name in ("rounded", "exact"))
    return f"""## The same attacker against a plain filter

A filter that hides every row with a count from 1 to {POLICY.min_n - 1} in it, and nothing to shield it, at the same levels of
forms and doses. A community counts as broken if any small count in any of its releases is found.

| filter | communities broken |
| --- | --- |
| counts rounded to {POLICY.rounding_base} | {rounded} |
| exact counts | {exact} |
"""


def corrections(amount: Amount, results: Results) -> str:
    """What several releases of the same people tell."""
    under = sum((one.under for one in results.all), Counter[tuple[str, str]]())
    said = {
        "added": "people only came: no count has become less",
        "gone": "people only went: no count has become more",
        "differences": "the same two: by how many people a count differs",
    }
    rows = [(text, f"{under[name, 'small']:,}", f"{under[name, 'found']:,}") for name, text in said.items()]
    return f"""## Corrections

Releases of exactly the same answers are attacked together, as one; those found are among the small counts above. Where people
came and went, nothing links two releases but what the attacker assumes. Below, the assumption is made where it is true, and
what is counted is found with it and not without it. The last line is about other counts: 1 to {POLICY.min_n - 1} people by
whom the same cell differs in two releases that differ by {POLICY.people_between} people or more.

{table(("assumed", "small counts", "found"), rows)}
"""


def whole_numbers(amount: Amount, results: Results) -> str:
    """A sharper attack, on few counts."""
    whole = sum((one.whole for one in results.some), Counter[str]())
    return f"""## Whole numbers

Linear programmes allow half people, so what they leave open might still be excluded. In every {amount.every}th community, for
{WHOLE_OF_ONE} counts of each release of up to {MOST_WHOLE} people, a search among whole numbers asks whether the count can
be 1 or less, and whether it can be {POLICY.min_n - 1} or more. Asked of {whole["asked"]:,} counts, found {whole["found"]:,}.
"""


def how_much_is_told(amount: Amount, results: Results) -> str:
    """What is left to read."""
    chosen = {
        "mark, all communities": results.all,
        f"mark, every {amount.every}th": results.some,
        f"{WIDTH} values, every {amount.every}th": results.by_width,
    }
    rows = [(name, *_told(judged), *_found(judged)) for name, judged in chosen.items()]
    return f"""## How much is told

Rows that are shown, of all rows; and of the answers behind all rows (people times statistics), those behind shown rows. With
`protection = "mark"` a hidden count must look as if it could be anything from 1 to {POLICY.min_n - 1}; with
`protection = {WIDTH}`, any of {WIDTH} numbers or more.

{table(("protection", "rows shown", "answers visible", "small counts", "found"), rows)}
"""


def _told(judged: Sequence[Judged]) -> Iterable[str]:
    told = sum((one.told for one in judged), Counter[str]())
    return (f"{100 * told[f'{name} shown'] / max(1, told[name]):.1f} %" for name in ("rows", "answers"))


def _found(judged: Sequence[Judged]) -> Iterable[str]:
    return (f"{_summed(getattr(one, name) for one in judged).total():,}" for name in ("small", "found"))


def _summed(counts: Iterable[Counter[tuple[str, int]]]) -> Counter[tuple[str, int]]:
    return sum(counts, Counter[tuple[str, int]]())


# --- Times --------------------------------------------------------------------------------------------------------------


def times(results: Results) -> str:
    """Seconds, which are no part of the page: they are not the same twice."""
    judged = [one for one in (*results.all, *results.by_width) if one.making]
    n = sum(sum(one.releases[name] for name in RELATIONS) for one in judged)
    if not n:
        return "All of it stood in the record.\n"
    making, attacking = sum(one.making for one in judged), sum(one.attacking for one in judged)
    return (
        f"{n:,} releases: {making / n:.2f} s to make and prove one (the slowest {max(one.slowest for one in judged):.1f} s), "
        f"{attacking / n:.2f} s to attack one.\n"
    )

"""What the attacker finds in the releases of one community.

What belongs here: attacking each release, alone and with the others of its wave, and counting what is found too closely.
What does not: printing.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter

from attacker import Contradiction, Found, Knowledge, Seen
from together import Relation

from prove.communities import Seed
from prove.series import Step, plainly, series
from survey_pipeline.names import Status
from survey_pipeline.release import Policy

SIZES = ((0, 299), (300, 999), (1000, 10**6))
"""Size classes of releases, in people, both ends included."""
BASES = {"rounded": 5, "exact": 1}
"""The plain filters: with rounded counts, and with exact ones."""
MOST_WHOLE, WHOLE_OF_ONE = 299, 4
"""The search among whole numbers: in releases of at most so many people, for so many counts each."""
Kind = tuple[str, int]
"""A kind of count, and the place of a size class."""


@dataclass(frozen=True)
class Task:
    """A community, by its seed, and what is done with it. `protection`: "mark" or a number of values; `plain` and `whole`:
    whether plain filters, and searches among whole numbers, are made too.
    """

    seed: Seed
    protection: str = "mark"
    plain: bool = True
    whole: bool = False

    @property
    def policy(self) -> Policy:
        return Policy() if self.protection == "mark" else Policy(protection=int(self.protection), name="by width")


@dataclass
class Judged:
    """What became of a community. Counts of counts: how many small ones there were, and how many were found too closely."""

    small: Counter[Kind] = field(default_factory=Counter)
    found: Counter[Kind] = field(default_factory=Counter)
    under: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Under an assumption (the relation, "small" or "found"), and "differences" of people who came or went."""
    whole: Counter[str] = field(default_factory=Counter)
    """Counts of which it was asked whether whole numbers exclude what the mark says: "asked" and "found"."""
    broken: dict[str, bool] = field(default_factory=dict)
    """Whether a plain filter told a small count too closely, by its name."""
    releases: Counter[str] = field(default_factory=Counter)
    """By how they hang together with the one before in their wave; "held back"; "untrue" where belief and truth differ."""
    told: Counter[str] = field(default_factory=Counter)
    """Rows and answers (people x statistics): "rows", "rows shown", "answers", "answers shown"."""
    making: float = 0.0
    attacking: float = 0.0
    slowest: float = 0.0


def judge(task: Task) -> Judged:
    """Everything about one community."""
    judged = Judged()
    steps = list(series(task.seed, task.policy))
    seen = [step.seen for step in steps if step.seen]
    _count_releases(judged, steps)
    for each in seen:
        judged.told += told(each)
    start = perf_counter()
    for chain in alike(steps):
        with _noting_contradictions(judged):
            _attack(judged, chain, task)
    judged.attacking = perf_counter() - start
    for relation, pair in pairs(steps) if task.protection == "mark" else ():
        with _noting_contradictions(judged):
            _assume(judged, relation, pair)
    if task.plain:
        judged.broken = {name: any(map(is_broken, _plain(seen, base))) for name, base in BASES.items()}
    return judged


def _count_releases(judged: Judged, steps: Sequence[Step]) -> None:
    judged.releases.update(_what_became_of(step) for step in steps)
    judged.making = sum(step.seconds for step in steps)
    judged.slowest = max(step.seconds for step in steps)


def _what_became_of(step: Step) -> str:
    if step.seen is None:
        return "refused" if step.refused else "held back"
    return step.relation or "first"


def alike(steps: Iterable[Step]) -> Iterator[list[Seen]]:
    """Releases of exactly the same answers together; all others alone: of people who came and went nothing is known that
    would link their counts.
    """
    chain: list[Seen] = []
    for step in steps:
        if step.seen is None:
            continue
        if chain and step.relation != "same":
            yield chain
            chain = []
        chain.append(step.seen)
    if chain:
        yield chain


def _attack(judged: Judged, chain: Sequence[Seen], task: Task) -> None:
    knowledge = Knowledge(chain, ["same"] * (len(chain) - 1))
    size = size_of(chain[-1])
    found = knowledge.attack()
    for each in found:
        judged.small[each.kind, size] += 1
        judged.found[each.kind, size] += is_told(each, task.protection)
    judged.releases["untrue"] += not knowledge.is_true()
    if task.whole and people(chain[-1]) <= MOST_WHOLE:
        judged.whole += _among_whole_numbers(knowledge, found)


def is_told(found: Found, protection: str) -> bool:
    """Whether a count is told more closely than the policy promises."""
    return found.is_too_close if protection == "mark" else found.is_within(int(protection))


def _among_whole_numbers(knowledge: Knowledge, found: Sequence[Found]) -> Counter[str]:
    """The sharper question, for some of the counts that fractions leave wide: evenly over the tables."""
    wide = [place for place, each in enumerate(found) if not each.is_too_close]
    chosen = wide[:: max(1, len(wide) // WHOLE_OF_ONE)][:WHOLE_OF_ONE]
    excluded = sum(knowledge.is_found_whole(place) for place in chosen)
    return Counter({"asked": len(chosen), "found": excluded})


def _assume(judged: Judged, relation: Relation, pair: Sequence[Seen]) -> None:
    """Where people only came, or only went: what somebody finds who assumes just that."""
    knowledge = Knowledge(pair, [relation])
    alone = {(each.kind, each.about) for one in pair for each in Knowledge([one]).attack() if each.is_too_close}
    for each in knowledge.attack():
        judged.under[relation, "small"] += 1
        judged.under[relation, "found"] += each.is_too_close and (each.kind, each.about) not in alone
    for each in knowledge.attack_differences():
        judged.under["differences", "small"] += 1
        judged.under["differences", "found"] += each.is_too_close
    judged.releases["untrue"] += not knowledge.is_true()


@contextmanager
def _noting_contradictions(judged: Judged) -> Iterator[None]:
    """An attacker who believes what cannot be has believed something untrue."""
    try:
        yield
    except Contradiction:
        judged.releases["untrue"] += 1


def pairs(steps: Sequence[Step]) -> Iterator[tuple[Relation, tuple[Seen, Seen]]]:
    """Each release of which people only came or only went since the one before, with that one."""
    before: Seen | None = None
    for step in steps:
        if step.seen is None:
            continue
        if before is not None and step.relation in ("added", "gone"):
            yield step.relation, (before, step.seen)
        before = step.seen


def _plain(seen: Iterable[Seen], base: int) -> Iterator[Seen]:
    return (plainly(each, base) for each in seen)


def is_broken(seen: Seen) -> bool:
    """Whether some small count is told too closely."""
    return any(each.is_too_close for each in Knowledge([seen]).attack())


# --- How much is told ---------------------------------------------------------------------------------------------------


def told(seen: Seen) -> Counter[str]:
    """How many rows there are and are shown, and how many answers (people x statistics) are behind them."""
    found: Counter[str] = Counter()
    for row in seen.release.rows:
        truth = seen.truths.get((row.table, row.exposure, row.level, row.outcome, row.statistic))
        if row.status is Status.NOT_ASKED or truth is None:
            continue
        shown = row.status is not Status.SUPPRESSED
        n = truth["n_respondents"]
        found.update({"rows": 1, "rows shown": shown, "answers": n, "answers shown": n * shown})
    return found


def people(seen: Seen) -> int:
    """How many answers a release is about."""
    return max(int(row["n_level"]) for row in seen.truths.values())


def size_of(seen: Seen) -> int:
    """The place of its size class."""
    n = people(seen)
    return next(place for place, (low, high) in enumerate(SIZES) if low <= n <= high)

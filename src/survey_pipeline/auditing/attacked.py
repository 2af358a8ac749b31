"""Attacked: what can be concluded of each count that a release hides, by somebody who does not know the truth.

What belongs here: attacking releases on the same people together, holding what is found against the certificate, and the
models of an audit. What does not: where releases come from (`history`, `folder`).

Without the truth, it cannot be seen whether "0 to 3 people" is nobody or somebody told too closely. So a count is said to be
given away where it must be small, whatever the truth is; of the others that are told more closely than their mark, only the
certificate vouches, which was made by somebody who knew.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor
from typing import TYPE_CHECKING

from survey_pipeline.ledger import Problem
from survey_pipeline.proof.behind import Behind, hidden_counts, mark
from survey_pipeline.proof.numbers import knowledge
from survey_pipeline.proof.system import System
from survey_pipeline.proof.told import Told
from survey_pipeline.release import HiddenCount, Policy, Release

if TYPE_CHECKING:
    from survey_pipeline.proof.attack import Target, Verdict
    from survey_pipeline.proof.knowledge import Counts

TAMPERED, GIVEN_AWAY, NOT_PROVED = 3, 5, 4
"""Exit codes; the first is that of `InputRefused`, the second that of `NotSafeToPublish`."""
TOLERANCE = 1e-6
Ends = tuple[int, int | None]
"""The least and the most that a count can be; None where it may be min_n or more."""
CONTRADICTORY = (
    "its numbers contradict each other: no answers can have given all of them, so something in it was altered"
)


@dataclass(frozen=True)
class Shown:
    """What all that is published shows of a hidden count: it lies from `least` to `most` (None: it may be min_n or more).

    `certified`: what the release's own certificate leaves it, if there is one. `given_away`: it must be small, and is told
    more closely than its mark. `is_closer`: told more closely than certified.
    """

    table: str
    exposure: str
    level: str
    outcome: str
    statistic: str
    counted: str
    least: int
    most: int | None
    certified: Ends | None = None
    given_away: bool = False
    is_closer: bool = False

    @property
    def where(self) -> tuple[str, str, str, str, str]:
        """What is counted, as a certificate names it."""
        return self.exposure, self.level, self.outcome, self.statistic, self.counted

    @property
    def ends(self) -> Ends:
        return self.least, self.most

    @property
    def is_bad(self) -> bool:
        return self.given_away or self.is_closer


@dataclass(frozen=True)
class Audited:
    """What an audit found of one release. `shown`: the hidden counts told more closely than their mark, the closest first;
    `hidden` says by table how many there are in all. `unsettled`: of so many the search was given up. `not_proved`: why it
    was not attacked.
    """

    title: str
    instrument: str
    wave: str
    release_number: int | None = None
    entry: int | None = None
    policy: str = ""
    solver: str = ""
    together_with: tuple[str, ...] = ()
    hidden: Mapping[str, int] | None = None
    shown: tuple[Shown, ...] = ()
    unsettled: int = 0
    is_certified: bool = False
    not_proved: str | None = None
    remarks: tuple[str, ...] = ()

    @property
    def bad(self) -> tuple[Shown, ...]:
        return tuple(each for each in self.shown if each.is_bad)


@dataclass(frozen=True)
class Audit:
    """`problems`: what was tampered with, each a plain sentence that names the entry or the file."""

    problems: tuple[Problem, ...] = ()
    audited: tuple[Audited, ...] = ()

    @property
    def exit_code(self) -> int:
        """3 tampered with, 5 given away, 4 not all of it could be proved, 0 proved and intact."""
        if self.problems:
            return TAMPERED
        if any(each.bad for each in self.audited):
            return GIVEN_AWAY
        return NOT_PROVED if any(each.not_proved or each.unsettled for each in self.audited) else 0


def together(audits: Sequence[Audit]) -> Audit:
    """Several audits as one."""
    return Audit(
        tuple(problem for audit in audits for problem in audit.problems),
        tuple(each for audit in audits for each in audit.audited),
    )


@dataclass(frozen=True)
class Attacked:
    """What an attack found: the hidden counts by table, those told more closely than their mark, how many are unsettled."""

    hidden: Mapping[str, int]
    shown: tuple[Shown, ...]
    unsettled: int
    solver: str


def attacked(told: Sequence[Told]) -> Attacked:
    """Attack releases on the same people together, the last of them with its certificate, if it has one.

    Of the earlier ones, what they hide is attacked too: a later release may tell what an earlier one hid. Raises
    `proof.attack.Contradiction` if no answers can have given these numbers.
    """
    from survey_pipeline.proof.solver import SOLVER

    counts = knowledge(told)
    hidden = _hidden(told, counts)
    found = _Found.of(counts, hidden)
    certified = certificate(told[-1].release)
    shown = [_shown(*each, certified) for each in zip(hidden, found.ends, found.given_away, strict=True)]
    close = (one for one, each in zip(shown, hidden, strict=True) if one.is_bad or _is_close(one.ends, each.policy))
    by_table = _by_table(told[-1].release, shown)
    return Attacked(by_table, tuple(sorted(close, key=_closeness)), found.unsettled, SOLVER)


def mark_of(policy: Policy) -> tuple[int, int]:
    """What the mark of a hidden count says."""
    return 1, policy.min_n - 1


def _is_close(ends: Ends, policy: Policy) -> bool:
    """Whether a count is told more closely than its mark, and not known to be one that may be shown."""
    return ends != mark_of(policy) and ends[0] < policy.min_n


def certificate(release: Release) -> dict[tuple[str, ...], Ends]:
    """What a release's certificate leaves each hidden count; there, no most is as much as the mark says, or more."""
    return {_named(each): (each.least, each.most) for each in (release.proof.hidden_counts if release.proof else ())}


def _named(count: HiddenCount) -> tuple[str, ...]:
    return count.exposure, count.level, count.outcome, count.statistic, count.counted


@dataclass(frozen=True)
class _Hidden:
    """A count that some release hides, the table in which it stands, and the policy that hid it. `is_certified`: it is one of
    the last release, which has a certificate.
    """

    behind: Behind
    table: str
    policy: Policy
    is_certified: bool


def _hidden(told: Sequence[Told], counts: "Counts") -> list[_Hidden]:
    """What the releases hide, each count once: as the last release hides it, where it does."""
    found: dict[tuple[object, ...], _Hidden] = {}
    for one in reversed(told):
        tables = {line.about: line.row.table for line in reversed(one.lines)}
        vouched = one is told[-1] and one.release.proof is not None
        for each in hidden_counts(one, counts):
            found.setdefault(tuple(each.terms), _Hidden(each, tables[each.about], one.policy, vouched))
    return list(found.values())


def _by_table(release: Release, shown: Sequence[Shown]) -> dict[str, int]:
    tables = dict.fromkeys([*release.tables, *(each.table for each in shown)])
    return {table: sum(each.table == table for each in shown) for table in tables}


def _closeness(shown: Shown) -> tuple[bool, float, tuple[str, ...]]:
    """Bad ones first, then the closest."""
    width = float("inf") if shown.most is None else float(shown.most - shown.least)
    return not shown.is_bad, width, shown.where


def _shown(hidden: _Hidden, ends: Ends, given_away: bool, certified: Mapping[tuple[str, ...], Ends]) -> Shown:
    """Of what a certificate does not name, no more may be known than its mark says."""
    where = (*hidden.behind.about, hidden.behind.kind)
    vouched = certified.get(where)
    closer = hidden.is_certified and _is_closer(ends, vouched or (1, None), hidden.policy)
    return Shown(hidden.table, *where, *ends, vouched if hidden.is_certified else None, given_away, closer)


def _is_closer(ends: Ends, certified: Ends, policy: Policy) -> bool:
    """Whether less is left than certified, on a side on which the certificate leaves all that the mark says. Where it leaves
    less, it gives bounds that another search may find closer. Known to be nobody, or to be many, a count gives nobody away.
    """
    (least, most), (low, high) = ends, certified
    as_few, as_many = mark_of(policy)
    if least >= policy.min_n or most == 0:
        return False
    is_whole_low, is_whole_high = low <= as_few, high is None or high >= as_many
    return (is_whole_low and least > as_few) or (is_whole_high and most is not None and most < as_many)


# --- Attacking --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Found:
    """Of each hidden count, from what to what it can be, and whether it is given away."""

    ends: tuple[Ends, ...]
    given_away: tuple[bool, ...]
    unsettled: int

    @classmethod
    def of(cls, counts: "Counts", hidden: Sequence[_Hidden]) -> "_Found":
        """First whether each can be all that its mark says; of the others, whether they can be nobody or many after all; and
        of those that must be small, how closely they are told.
        """
        verdicts = _verdicts(counts, [mark(each.behind, each.policy) for each in hidden])
        ends = [_marked(verdict, each.policy) for verdict, each in zip(verdicts, hidden, strict=True)]
        narrow = [place for place, each in enumerate(hidden) if _is_close(ends[place], each.policy)]
        wider = dict(zip(narrow, _verdicts(counts, [_either(hidden[place]) for place in narrow]), strict=True))
        for place, verdict in wider.items():
            ends[place] = _with_ends(ends[place], verdict)
        small = [place for place in narrow if not any(_possible(wider[place]))]
        for place, closest in zip(small, _closest(counts.system, [hidden[i].behind for i in small]), strict=True):
            ends[place] = max(ends[place][0], closest[0]), min(ends[place][1] or 0, closest[1])
        given = {place for place in small if not hidden[place].policy.protects(ends[place][0], ends[place][1] or 0)}
        given_up = [one.undecided or (i in wider and wider[i].undecided) for i, one in enumerate(verdicts)]
        return cls(tuple(ends), tuple(place in given for place in range(len(hidden))), sum(given_up))


def _either(hidden: _Hidden) -> "Target":
    """Nobody, or as many as may be shown."""
    from survey_pipeline.proof.attack import Target

    return Target(hidden.behind.terms, 0, hidden.policy.min_n)


def _verdicts(counts: "Counts", targets: Sequence["Target"]) -> "list[Verdict]":
    from survey_pipeline.proof.attack import Attack  # the solver is loaded where it is needed

    return Attack(counts.system, targets, hubs=counts.hubs).verdicts() if targets else []


def _marked(verdict: "Verdict", policy: Policy) -> Ends:
    """No wider than the mark, as in certificates."""
    least = 1 if verdict.safe_low else ceil(verdict.found.least - TOLERANCE)
    most = policy.min_n - 1 if verdict.safe_high else floor(verdict.found.most + TOLERANCE)
    return min(least, policy.min_n), None if least >= policy.min_n else most


def _with_ends(ends: Ends, verdict: "Verdict") -> Ends:
    """With nobody as its least where it may be nobody, and no most where it may be many."""
    can_be_nobody, can_be_many = _possible(verdict)
    return 0 if can_be_nobody else ends[0], None if can_be_many else ends[1]


def _possible(verdict: "Verdict") -> tuple[bool, bool]:
    """What was not ruled out counts as possible."""
    return verdict.safe_low or verdict.undecided, verdict.safe_high or verdict.undecided


def _closest(system: System, small: Sequence[Behind]) -> list[tuple[int, int]]:
    """The least and the most of these counts by linear programming."""
    from survey_pipeline.proof.attack import exact_bounds

    bounds = exact_bounds(system, [each.terms for each in small]) if small else []
    return [(int(found.least), int(found.most)) for found in bounds]

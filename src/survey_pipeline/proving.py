"""Proving: a release is attacked as a whole before it is published, and more is hidden until nothing small can be told.

What belongs here: the loop of making a release, attacking it and hiding more, and the certificate. What does not: what an
attacker knows (`proof.knowledge`, `proof.numbers`), how conclusions are drawn (`proof.attack`), and which row is hidden for
the least loss (`proof.repair`). Whoever attacks here knows the truth only to choose what must not be told.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from math import ceil, floor
from typing import TYPE_CHECKING

from survey_pipeline.disclose import About
from survey_pipeline.names import ALL_LEVELS
from survey_pipeline.outcomes import improved_by
from survey_pipeline.proof.behind import Behind, Exact, cases_of, counts_behind, hidden_counts, mark, small, target
from survey_pipeline.proof.knowledge import Counts
from survey_pipeline.proof.numbers import knowledge
from survey_pipeline.proof.system import Source, System
from survey_pipeline.proof.told import Cases, Told
from survey_pipeline.release import HiddenCount, Policy, Proof, Release

if TYPE_CHECKING:
    from survey_pipeline.proof.attack import Attack, Target, Verdict, Worlds

TOLERANCE = 1e-6
FEWEST_TO_SHARE_OUT = 8
"""Fewer targets than this are mended one after another, which hides a little less."""
MOST_ROUNDS = 25
"""Times that a release is made anew with more hidden. Each hides more than the one before, so it ends by itself, mostly after
two or three.
"""
OF_EVERYBODY = 20
"""How many times as dear as any other it is to hide what is told of everybody: readers look there first."""
OF_A_CURVE = 0.5
"""How dear it is to hide a point of a curve, which no sentence speaks of, beside what a survey declares."""
Make = Callable[[Collection[About]], Release]
"""Makes the release anew, with this hidden besides."""


class NotProved(Exception):
    """Hiding rows is not enough: `exposures` are those of which something small can still be told."""

    def __init__(self, exposures: Collection[str]) -> None:
        super().__init__(sorted(exposures))
        self.exposures = frozenset(exposures)


def proved(
    make: Make, exact: Sequence[Exact], told: Callable[[Release], Told], earlier: Sequence[Told] = ()
) -> Release:
    """The release that `make` gives, with as much more hidden as it takes and the proof that it is enough.

    `exact`: the true rows in the order of the release's. `earlier`: releases about the same people, which are attacked
    together with it. Raises `NotProved` where hiding rows does not help.
    """
    from survey_pipeline.proof.attack import Worlds  # the solver is loaded where it is needed

    hidden: set[About] = set()
    worlds = Worlds()
    cases: Cases = {}
    for _ in range(MOST_ROUNDS):
        release = make(hidden)
        made = told(release)
        cases = cases or cases_of(made, exact)  # which does not depend on what is hidden
        attempt = _Attempt.of(made.with_cases(cases), exact, earlier, worlds)
        more = attempt.to_hide()
        if not more:
            return release.model_copy(update={"proof": attempt.proof()})
        hidden |= more | attempt.hidden_rows  # what is hidden stays so, and with it every world that was found
    raise NotProved({about[0] for about in hidden})


@dataclass(frozen=True)
class _Attempt:
    """A release under attack."""

    told: Told
    earlier: tuple[Told, ...]
    counts: Counts
    at_risk: tuple[Behind, ...]
    hidden_before: tuple[Behind, ...]
    """Counts that an earlier release hides, of which nothing is known but that they may be small."""
    hidden: tuple[Behind, ...]
    worlds: "Worlds"
    """What was seen in worlds that were found before; grows."""

    @classmethod
    def of(cls, told: Told, exact: Sequence[Exact], earlier: Sequence[Told], worlds: "Worlds") -> "_Attempt":
        counts = knowledge([*earlier, told])
        at_risk = small(counts_behind(told, exact, counts), told.policy)
        before = [each for one in earlier for each in _as_good_as_small(one, counts)]
        hidden = hidden_counts(told, counts)
        return cls(told, tuple(earlier), counts, tuple(at_risk), tuple(before), tuple(hidden), worlds)

    @property
    def hidden_rows(self) -> set[About]:
        return {line.about for line in self.told.lines if not line.is_shown}

    @property
    def system(self) -> System:
        return self.counts.system

    @cached_property
    def _targets(self) -> list["Target"]:
        """What must not be told, and after it the hidden counts of the certificate, which are searched alike."""
        policy = self.told.policy
        risked = [target(each, policy) for each in self.at_risk]
        return risked + [mark(each, policy) for each in (*self.hidden_before, *self.hidden)]

    @cached_property
    def _verdicts(self) -> list["Verdict"]:
        return self._searched.verdicts()

    @cached_property
    def _searched(self) -> "Attack":
        from survey_pipeline.proof.attack import Attack  # the solver is loaded where it is needed

        attack = Attack(self.system, self._targets, hubs=self.counts.hubs, worlds=self.worlds)
        attack.verdicts()
        self.worlds.take(attack.worlds)
        return attack

    def to_hide(self) -> set[About]:
        """What to hide, nearly always so much that no small count can be told; nothing if none can."""
        open_ = self._open(self._verdicts)
        if not open_:
            return set()
        more = self._cheapest(open_) or self._cheapest(open_, in_whole_numbers=True)
        if not more:
            raise self._stuck(open_)
        return more

    def _open(self, verdicts: Sequence["Verdict"]) -> dict[int, "Verdict"]:
        """What can be told of what must not be. What earlier releases hide may turn out to be no small count at all."""
        first, least = len(self.at_risk), self.told.policy.min_n - TOLERANCE
        open_ = {place: verdict for place, verdict in enumerate(verdicts[: self._guarded]) if not verdict.safe}
        return {place: each for place, each in open_.items() if place < first or each.found.least < least}

    @property
    def _guarded(self) -> int:
        """How many targets must not be told."""
        return len(self.at_risk) + len(self.hidden_before)

    def _cheapest(self, open_: Mapping[int, "Verdict"], *, in_whole_numbers: bool = False) -> set[About]:
        """What to hide so that these targets are safe, with little loss. Many are shared out, and always alike, so that the
        same is hidden on any number of processors; neither share knows what the other one hides. Those about the same part
        are in one share where that can be, since to begin with a part takes longest.
        """
        from survey_pipeline.proof.elastic import Near, NotPossible

        near = Near(self.system.compiled(), [self._targets[place] for place in open_], self.counts.hubs)
        places = [list(open_)[i] for i in near.side_by_side()]
        half = ceil(len(places) / 2) if len(places) >= FEWEST_TO_SHARE_OUT else len(places)
        shares = [{place: open_[place] for place in share} for share in (places[:half], places[half:]) if share]
        with ThreadPoolExecutor(len(shares)) as threads:
            mended = [threads.submit(self._mended, share, in_whole_numbers) for share in shares]
            try:
                return set().union(*(share.result() for share in mended))
            except NotPossible:
                raise self._stuck(open_) from None

    def _mended(self, open_: Mapping[int, "Verdict"], in_whole_numbers: bool) -> set[About]:
        """What to hide, for one target after another."""
        from survey_pipeline.proof.repair import Repair

        targets = [self._targets[place] for place in open_]
        repair = Repair(
            self.system,
            targets,
            self._cost,
            hubs=self.counts.hubs,
            around=self._searched.around,
            worlds=self.worlds,
            in_whole_numbers=in_whole_numbers,
            rounds=1,
        )
        for place, verdict in enumerate(open_.values()):
            for low in (side for side, safe in ((True, verdict.safe_low), (False, verdict.safe_high)) if not safe):
                repair.hide(repair.cheapest(place, low=low))
        return {about for about in repair.hidden if isinstance(about, tuple)}

    def _stuck(self, open_: Mapping[int, "Verdict"]) -> NotProved:
        guarded = (*self.at_risk, *self.hidden_before)
        return NotProved({guarded[place].about[0] for place in open_})

    def _cost(self, source: Source) -> float:
        """How much is lost with a row: its people, more for what is told of everybody, and less for points of curves."""
        exposure, *_, statistic = source if isinstance(source, tuple) else ("", "")
        dear = (OF_EVERYBODY if exposure == ALL_LEVELS else 1) * (OF_A_CURVE if statistic in self._of_curves else 1)
        return float(self._people.get(source, 1)) * dear

    @cached_property
    def _of_curves(self) -> set[str]:
        items = self.told.instrument.items.values()
        return {improved_by(per_cent).name for item in items for per_cent in item.responder_curve}

    @cached_property
    def _people(self) -> dict[Source, int]:
        return {line.about: line.row.n_respondents or 1 for line in self.told.lines}

    def proof(self) -> Proof:
        """The certificate: what is left to each hidden count, whether it is small or not."""
        from survey_pipeline.proof.solver import SOLVER

        verdicts = self._verdicts[self._guarded :]
        intervals = (_certified(*each, self.told.policy) for each in zip(self.hidden, verdicts, strict=True))
        return Proof(
            solver=SOLVER,
            unknowns=len(self.system.keys),
            equations=self.system.rows,
            together_with=tuple((each.release.wave, each.release.release_number) for each in self.earlier),
            hidden_counts=tuple(intervals),
        )


def _as_good_as_small(earlier: Told, counts: Counts) -> list[Behind]:
    """The hidden counts of an earlier release that its certificate leaves all that their mark says."""
    proof = earlier.release.proof
    left = {_words(each): each for each in proof.hidden_counts} if proof else {}
    hidden = ((each, left.get((*each.about, each.kind))) for each in hidden_counts(earlier, counts))
    return [each for each, told in hidden if told is not None and told.least == 1 and told.most is None]


def _words(count: HiddenCount) -> tuple[str, str, str, str, str]:
    return count.exposure, count.level, count.outcome, count.statistic, count.counted


def _certified(behind: Behind, verdict: "Verdict", policy: Policy) -> HiddenCount:
    """No wider than the mark. Small counts and others are searched alike, so that it cannot be seen which are small."""
    exposure, level, outcome, statistic = behind.about
    least = 1 if verdict.safe_low else ceil(verdict.found.least - TOLERANCE)
    most = None if verdict.safe_high else floor(verdict.found.most + TOLERANCE)
    return HiddenCount(
        exposure=exposure,
        level=level,
        outcome=outcome,
        statistic=statistic,
        counted=behind.kind,
        least=min(least, policy.min_n),
        most=most,
    )

"""Hiding more, until nothing small that is hidden can be worked out from all that is shown.

Every row is about up to three counts: its respondents, and for a share its events and the others. From what is shown, each
sum (`sums`) narrows what its members can be, and that narrows the next sum, until nothing changes any more. A small hidden
count that has become narrower than its mark is exposed, and more is hidden.

What belongs here: finding what is exposed, and choosing what goes with it. What does not: what is too small by itself.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from survey_pipeline import names
from survey_pipeline.disclose.rows import (
    ANSWERED,
    CONCERNED,
    COULD_IMPROVE,
    Interval,
    Key,
    Row,
    Sum,
    about,
    aside,
    began_at_nothing,
    both,
    concerned,
    count_of,
    events,
    gaps_of,
    gaps_once,
    grouped,
    is_share,
    kind_of,
    line_of,
    missing,
    others,
    people,
    published_range,
    question,
    respondents,
    risks_of,
    silent,
    tells_missing,
    told_gap,
    told_people,
    unconcerned,
    where,
)
from survey_pipeline.disclose.sums import MOST, Numbers, Places, Web, equals_of, sides_of, sums_of, web_of
from survey_pipeline.names import ALL_LEVELS, N_ASIDE, N_EVENTS, N_RESPONDENTS
from survey_pipeline.release import Policy

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Exposed:
    """A hidden row of which something can be told, and the numbers of the counts from which it is (none: of its mean)."""

    place: int
    behind: frozenset[int] = frozenset()


def protect(hidden: list[bool], board: "Board") -> None:
    """Hide more of a board's rows, smallest first, until nothing small that is hidden can be worked out from all that is
    shown.
    """
    if not board.rows:
        return
    gone = np.array(hidden)
    while exposed := board.exposed(gone) or board.too_few_together(gone):
        before = int(gone.sum())
        for each in exposed:
            board.hide_near(each, gone)
        if int(gone.sum()) == before:
            break
    hidden[:] = gone.tolist()


@dataclass(frozen=True)
class Board:
    """The rows as arrays: what each says of which count, what it risks, what it is near to and how much is lost with it. They
    do not depend on what is hidden.
    """

    rows: Sequence[Row]
    policy: Policy
    web: Web
    said: tuple[Places, Places, Numbers, Numbers]
    """Row, key, least and most: what a row says where it is shown."""
    risked: tuple[Places, Places, Places]
    """Row and key of each small count, and 1 where it stands beside the row, so that hiding the row does not hide it."""
    alike: dict[str, Places]
    rank: Places
    """Rows from the first that may go to the last."""
    lines: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]
    """Rows of means whose parts add up to wholes: places of the wholes, and of the parts."""

    @classmethod
    def of(cls, rows: Sequence[Row], policy: Policy, more: Sequence[Sum] = ()) -> "Board":
        """`more` are sums besides those that all rows have."""
        sums = [*sums_of(rows), *more]
        said = [(place, *each) for place, row in enumerate(rows) for each in _said(row, policy)]
        gaps = [(place, key, 1) for place, row in enumerate(rows) for key in gaps_of(row, policy)]
        beside = equals_of({key for _, key, _ in gaps}, sums)
        own = [(place, key, 0) for place, row in enumerate(rows) for key in risks_of(row, policy) if key not in beside]
        risked = own + gaps
        web = web_of(sums, [*(key for _, key, _, _ in said), *(key for _, key, _ in risked)])
        return cls(
            rows,
            policy,
            web,
            (
                np.array([place for place, *_ in said]),
                np.array([web.number[key] for _, key, _, _ in said]),
                np.array([float(least) for *_, least, _ in said]),
                np.array([float(most) for *_, most in said]),
            ),
            (
                _places([place for place, _, _ in risked]),
                _places([web.number[key] for _, key, _ in risked]),
                _places([beside for *_, beside in risked]),
            ),
            _alike(rows),
            _rank(rows),
            tuple(_lines(rows)),
        )

    def exposed(self, gone: Flags) -> list[Exposed]:
        """Rows with a small count that can be told more closely than that it is small: the first of each question.

        Up to min_n rather than min_n - 1, since several sums together narrow a count a little more than each by itself; but
        what stands beside a shown row says no more than its mark from the start.
        """
        row, key, beside = self.risked
        at_risk = gone[row] | (beside == 1)
        low, high = self._known(gone)
        too_low, too_high = low[key] > 1, high[key] < self.policy.min_n - beside
        open_ = at_risk & (too_low | too_high)
        found: dict[int, Exposed] = {}
        for at in np.flatnonzero(open_).tolist():
            place, number = int(row[at]), int(key[at])
            if (asked := int(self.alike["question"][place])) in found:
                continue
            told = [(number, True)] * bool(too_low[at]) + [(number, False)] * bool(too_high[at])
            found[asked] = Exposed(place, frozenset(self.web.behind(low, high, told)))
        return list(found.values())

    def _known(self, gone: Flags) -> tuple[Numbers, Numbers]:
        """What can be told of each count from the rows that are shown."""
        row, key, least, most = self.said
        shown = ~gone[row]
        low, high = np.zeros(len(self.web.number)), np.full(len(self.web.number), float(MOST))
        np.maximum.at(low, key[shown], least[shown])
        np.minimum.at(high, key[shown], most[shown])
        return self.web.narrow(low, high)

    def too_few_together(self, gone: Flags) -> list[Exposed]:
        """A hidden row of a mean, where the hidden levels together are fewer people than a mean may be told of: all others'
        means, subtracted from everybody's, would tell theirs.
        """
        found = []
        for wholes, parts in self.lines:
            away = [place for place in parts if gone[place]]
            together = sum(count_of(self.rows[place], N_RESPONDENTS) for place in away)
            told = not all(gone[place] for place in (*wholes, *parts))
            if 0 < together < self.policy.min_n_for_statistics and told:
                found.append(Exposed(away[0]))
        return found

    def hide_near(self, exposed: Exposed, gone: Flags) -> None:
        """Hide the nearest and smallest of the rows from which the count is told, with all that tell the same."""
        about = self.alike["about"]
        if exposed.behind:
            gone |= np.isin(about, about[self._cheapest(exposed, gone)])
        elif len(shown := np.flatnonzero(~gone)):
            cost = self._distance(exposed.place)[shown] * len(self.rows) + self.rank[shown]
            gone |= about == about[shown[int(cost.argmin())]]

    def _cheapest(self, exposed: Exposed, gone: Flags) -> Places:
        """The shown rows that say one of the counts behind an exposed one: one that a row of everybody says only if there is
        no other, then of the same sums before others, then where the fewest rows go with them, then the smallest.
        """
        row, key, *_ = self.said
        behind = ~gone[row] & np.isin(key, list(exposed.behind))
        row, key = row[behind], key[behind]
        if not len(row):
            return _places([])
        is_far = self._distance(exposed.place)[row] > 0
        of_all = np.isin(key, key[self.alike["everybody"][row] == 1])
        best = int(np.lexsort((self.rank[row], self._lost(row, key, gone), is_far, of_all))[0])
        return _places(row[key == key[best]].tolist())

    def _lost(self, row: Places, key: Places, gone: Flags) -> Places:
        """For each pair of a row and a key that it says: how many shown rows go if the key is to be said no more."""
        about = self.alike["about"]
        sizes = np.bincount(about[~gone], minlength=len(about))
        key_of, about_of = np.unique(np.column_stack([key, about[row]]), axis=0).T
        lost: Places = np.bincount(key_of, sizes[about_of], minlength=len(self.web.number)).astype(np.int64)
        return lost[key]

    def _distance(self, place: int) -> Places:
        """0 for rows of one sum (levels of a statistic, options in a level), 1 for rows of one question, 2 of one exposure.
        The levels of a crossing are as near as those of the exposures that are crossed.
        """
        same = {name: codes == codes[place] for name, codes in self.alike.items()}
        exposure = same["exposure"] | (self.alike["first"] == self.alike["exposure"][place])
        exposure |= self.alike["second"] == self.alike["exposure"][place]
        options = same["question"] & same["where"] & (self.alike["share"] == 1) & bool(self.alike["share"][place])
        found = np.where(~exposure, 3, np.where(same["question"], 1, 2))
        return np.where((exposure & same["outcome"] & same["statistic"]) | options, 0, found)


def _said(row: Row, policy: Policy) -> Iterator[tuple[Key, int, int]]:
    """What a shown row says of its counts by itself."""
    yield from _people_said(row, policy)
    if is_share(row):
        n_events = count_of(row, N_EVENTS)
        yield (events(row), *published_range(n_events, policy))
        yield (others(row), *((policy.min_n, MOST) if n_events < count_of(row, N_RESPONDENTS) else (0, 0)))
    else:
        yield respondents(row), policy.min_n_for_statistics, MOST


def _people_said(row: Row, policy: Policy) -> Iterator[tuple[Key, int, int]]:
    """What the number of people beside an estimate says: see `rows.told_people`."""
    told = published_range(told_people(row, policy), policy)
    if row["is_conditional"]:
        yield (aside(row), *_hidden_or_not(unconcerned(row), policy))
    if row["among"] == CONCERNED:
        yield (_asked(row, policy), *told)
    elif tells_missing(row):
        yield from _answers_said(row, told, policy)
    else:
        yield (respondents(row), *told)


def _hidden_or_not(count: int, policy: Policy) -> Interval:
    """What is told of people by whether their number is hidden."""
    return (0, policy.min_n - 1) if count < policy.min_n else (policy.min_n, MOST)


def _asked(row: Row, policy: Policy) -> Key:
    """The people of whom the number beside an estimate tells while few are missing."""
    return people(row) if unconcerned(row) < policy.min_n else concerned(row)


def _answers_said(row: Row, told: Interval, policy: Policy) -> Iterator[tuple[Key, int, int]]:
    """The same of a row that says how many did not answer."""
    few_began = count_of(row, N_ASIDE) < policy.min_n
    if row["among"] == COULD_IMPROVE:
        yield (began_at_nothing(row), *_hidden_or_not(count_of(row, N_ASIDE), policy))
    yield (respondents(row), 0 if few_began else told[0] - 2 * (policy.min_n - 1), told[1])
    if few_began:
        yield from _answered_said(row, told, policy)


def _answered_said(row: Row, told: Interval, policy: Policy) -> Iterator[tuple[Key, int, int]]:
    """What is said of those who answered and those who did not, as `rows.told_gap` has it."""
    once, least, most = gaps_once(row, policy), policy.min_n, 2 * (policy.min_n - 1)
    if not told_gap(row, policy):
        yield from ((_asked(row, policy), *told), (_silent(row, policy), 0, least - 1))
    elif once is None or min(once) >= policy.min_n:
        answered = both(row) if row["among"] == COULD_IMPROVE else respondents(row)
        yield from ((answered, *told), (_silent(row, policy), *published_range(told_gap(row, policy), policy)))
    elif max(once) < policy.min_n:
        asked = told[0] + policy.min_n, told[1] + policy.min_n
        yield from ((_asked(row, policy), *asked), (_silent(row, policy), least, most))
    else:
        yield ((*where(row), question(row), ANSWERED if once[1] >= policy.min_n else "answered_before"), *told)


def _silent(row: Row, policy: Policy) -> Key:
    """Those of whom it is told how many did not answer."""
    return silent(row) if unconcerned(row) < policy.min_n else missing(row)


def _places(found: Sequence[int]) -> Places:
    return np.array(found, dtype=np.int64)


def _alike(rows: Sequence[Row]) -> dict[str, Places]:
    """Numbers that are equal where rows are alike; exposures and the sides of a crossing are numbered alike."""
    sides = [[side[0] for side in sides_of(row)] or ["", ""] for row in rows]
    exposures = [str(row[names.EXPOSURE]) for row in rows]
    number = {name: place for place, name in enumerate(dict.fromkeys([*exposures, *(s for two in sides for s in two)]))}
    return {
        "exposure": _places([number[name] for name in exposures]),
        "first": _places([number[two[0]] if two[0] else -1 for two in sides]),
        "second": _places([number[two[1]] if two[1] else -1 for two in sides]),
        "everybody": _places([int(row[names.LEVEL] == ALL_LEVELS) for row in rows]),
        "share": _places([int(is_share(row)) for row in rows]),
        "outcome": _numbered([row[names.OUTCOME] for row in rows]),
        "statistic": _numbered([kind_of(row) for row in rows]),
        "question": _numbered([question(row) for row in rows]),
        "where": _numbered([where(row) for row in rows]),
        "about": _numbered([about(row) for row in rows]),
    }


def _numbered(found: Sequence[object]) -> Places:
    number = {one: place for place, one in enumerate(dict.fromkeys(found))}
    return _places([number[one] for one in found])


def _rank(rows: Sequence[Row]) -> Places:
    """The smaller, the less is lost with it: for a share the smaller side counts, for a mean its level. The row of
    everybody, which the reader looks at first, is the last to go.
    """
    in_order = sorted(range(len(rows)), key=lambda place: (*_size(rows[place]), place))
    rank = np.empty(len(rows), dtype=np.int64)
    rank[in_order] = np.arange(len(rows))
    return rank


def _size(row: Row) -> tuple[bool, int, int]:
    n_events = count_of(row, N_EVENTS) if is_share(row) else 0
    smaller_side = min(n_events, count_of(row, N_RESPONDENTS) - n_events)
    return row[names.LEVEL] == ALL_LEVELS, smaller_side, count_of(row, "n_level")


def _lines(rows: Sequence[Row]) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Means: the levels of an exposure and everybody; the levels of a crossing and those that it crosses."""
    place_of = {(*line_of(row), row[names.LEVEL]): place for place, row in enumerate(rows) if not is_share(row)}
    means = list(place_of.values())
    for found in grouped([rows[place] for place in means], line_of):
        places = [means[place] for place in found]
        levels = tuple(place for place in places if rows[place][names.LEVEL] != ALL_LEVELS)
        yield tuple(place for place in places if rows[place][names.LEVEL] == ALL_LEVELS), levels
    crossed = [place for place in means if sides_of(rows[place])]
    for side in (0, 1):
        for found in grouped([rows[p] for p in crossed], lambda row: (sides_of(row)[side], line_of(row))):  # noqa: B023
            parts = tuple(crossed[place] for place in found)
            exposure, *labels = sides_of(rows[parts[0]])[side]
            wholes = ((exposure, *line_of(rows[parts[0]])[1:], label) for label in labels)
            yield tuple(place_of[key] for key in wholes if key in place_of), parts

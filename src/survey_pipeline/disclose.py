"""Disclose: exact estimates become rows that may be published.

What belongs here: hiding what is too small, hiding as much more as keeps that from being worked out from the other rows of
its question, rounding what stays, and saying which was done. Percentages and their intervals are made from rounded counts.
What does not: merging levels, which comes before (`coarsen`). The public status never tells what was hidden for its own sake
from what was hidden to protect another.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import floor, log10

import polars as pl

from survey_pipeline import names, statistics
from survey_pipeline.names import ALL_LEVELS, N_EVENTS, N_MISSING, N_RESPONDENTS, RESPONDENTS, Status
from survey_pipeline.policy import round_count, rounding_range
from survey_pipeline.release import TIDY_SCHEMA, Policy, StageCount

WORDS = (names.TABLE, names.EXPOSURE, names.LEVEL, names.OUTCOME, names.STATISTIC)
"""What a row is about."""
MAX_DECIMALS = 2
COUNT = "count"
COULD_IMPROVE = "could_improve"
"""Of these, people set aside are no more missing than counted: only their events and others add up."""
Row = dict[str, object]
Key = tuple[str, ...]
"""Which of the unpublished counts: of whom, and what is counted."""
Interval = tuple[int, int]
MOST = 10**12
MOST_ROUNDS = 100
ANYTHING: Interval = (0, MOST)


def disclose(estimates: pl.DataFrame, policy: Policy, ledger: pl.DataFrame | None = None) -> pl.DataFrame:
    """Rows as they may be published: columns of `names.TIDY_COLUMNS` without instrument and wave.

    `ledger` holds the rows of earlier releases of the same wave: what was hidden there stays hidden in a correction.
    A suppressed row has no number at all.
    """
    rows = list(estimates.iter_rows(named=True))
    hidden = [_too_small(row, policy) for row in rows]
    _keep_hidden(rows, hidden, ledger)
    _hide_small_levels(rows, hidden, policy)
    protect(rows, hidden, policy)
    published = [_published(row, hide, policy) for row, hide in zip(rows, hidden, strict=True)]
    return pl.DataFrame(
        published, schema={name: kind for name, kind in TIDY_SCHEMA.items() if name not in LEFT_TO_WAVE}
    )


LEFT_TO_WAVE = (names.INSTRUMENT, names.WAVE)


def _count(row: Row, name: str) -> int:
    value = row[name]
    assert isinstance(value, int)
    return value


def is_share(row: Row) -> bool:
    """Whether a row is a count of events out of its respondents."""
    return row[N_EVENTS] is not None


def _too_small(row: Row, policy: Policy) -> bool:
    """A share needs enough people on both sides: 0 % and 100 % tell something about everybody. A mean needs enough people
    in all, and enough whose answer is not the commonest: a mean of 0.0 says what everybody answered as well as 100 % does.
    """
    n = _count(row, N_RESPONDENTS)
    if row[names.STATISTIC] == COUNT or _is_everybody(row):
        return n < policy.min_n
    if is_share(row):
        events = _count(row, N_EVENTS)
        return min(n, events, n - events) < policy.min_n
    return n < policy.min_n_for_statistics or n - _count(row, "n_alike") < policy.min_n


def _is_presence(row: Row) -> bool:
    """Whether a row is about who answered: a share of everybody, not of its level."""
    return row[names.OUTCOME] == RESPONDENTS


def _is_everybody(row: Row) -> bool:
    """The row that says that everybody who answered has answered: 100 % tells nothing here."""
    return _is_presence(row) and row[names.LEVEL] == ALL_LEVELS


def _keep_hidden(rows: Sequence[Row], hidden: list[bool], ledger: pl.DataFrame | None) -> None:
    if ledger is None:
        return
    before = set(ledger.filter(pl.col(names.STATUS) == Status.SUPPRESSED).select(WORDS).iter_rows())
    for place, row in enumerate(rows):
        hidden[place] |= tuple(row[name] for name in WORDS) in before


# --- Small levels -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Member:
    """One addend of a line as an outsider could know it: its true count, the most it can be, whether it is hidden."""

    n: int
    most: int
    hidden: bool


def _hide_small_levels(rows: Sequence[Row], hidden: list[bool], policy: Policy) -> None:
    """A level of too few people is hidden in every table, and so is the one that shields it: were another level to shield
    it in another table, the two tables together would tell how many people it holds.
    """
    for exposure in dict.fromkeys(row[names.EXPOSURE] for row in rows):
        mine = [place for place, row in enumerate(rows) if row[names.EXPOSURE] == exposure]
        sizes = {str(rows[place][names.LEVEL]): _count(rows[place], "n_level") for place in mine}
        gone = _levels_to_hide(sizes, policy)
        for place in mine:
            hidden[place] |= rows[place][names.LEVEL] in gone


def _levels_to_hide(sizes: Mapping[str, int], policy: Policy) -> set[str]:
    """Levels of fewer than min_n people and, smallest first, as many more as it takes to shield them."""
    everybody = sizes.get(ALL_LEVELS, 0)
    levels = sorted((level for level in sizes if level != ALL_LEVELS and sizes[level]), key=lambda level: sizes[level])
    gone = {level for level in levels if sizes[level] < policy.min_n}
    for level in levels if gone else ():
        members = [Member(sizes[each], everybody, each in gone) for each in levels]
        together = sum(sizes[each] for each in gone)
        if together >= policy.min_n_for_statistics and is_line_safe(everybody, members, policy):
            break
        gone.add(level)
    return gone


def is_line_safe(total: int, members: Sequence[Member], policy: Policy) -> bool:
    """Whether an outsider who knows the rounded total and the rounded shown members finds each small hidden member to lie
    anywhere from 1 to min_n - 1 at least.
    """
    known_total = _published_range(total, policy) if total >= policy.min_n else (0, policy.min_n - 1)
    return _are_safe(known_total, members, policy)


def _are_safe(total: Interval, members: Sequence[Member], policy: Policy) -> bool:
    small = [place for place, member in enumerate(members) if member.hidden and 0 < member.n < policy.min_n]
    return all(_covers_mark(_attack(total, members, place, policy), policy) for place in small)


def _attack(total: Interval, members: Sequence[Member], target: int, policy: Policy) -> Interval:
    """The interval in which an outsider finds a hidden member: what the total leaves after all others."""
    others = [_known(member, policy) for place, member in enumerate(members) if place != target]
    lower = max(0, total[0] - sum(most for _, most in others))
    return lower, min(members[target].most, total[1] - sum(least for least, _ in others))


def _known(member: Member, policy: Policy) -> Interval:
    return (0, member.most) if member.hidden else _published_range(member.n, policy)


def _published_range(count: int, policy: Policy) -> Interval:
    return rounding_range(round_count(count, policy), policy)


def _covers_mark(interval: Interval, policy: Policy) -> bool:
    return interval[0] <= 1 and interval[1] >= policy.min_n - 1


# --- Keeping what is hidden from being worked out -----------------------------------------------------------------------
#
# Every row is about up to three counts: its respondents, and for a share its events and the others. Levels add up to
# everybody, events and others to the respondents, the options of a question to those who answered it. From what is shown,
# each sum narrows what its members can be, and that narrows the next sum, until nothing changes any more. A small hidden
# count that has become narrower than its mark is exposed, and more is hidden.


@dataclass(frozen=True)
class Sum:
    """Counts that add up to a total; with `or_more`, to the total or more, as some people are in several of them."""

    total: Key
    parts: tuple[Key, ...]
    or_more: bool = False


def protect(rows: Sequence[Row], hidden: list[bool], policy: Policy) -> None:
    """Hide more, smallest first, until nothing small that is hidden can be worked out from all that is shown."""
    sums = _sums(rows)
    while (more := _next_to_hide(rows, hidden, sums, policy)) is not None:
        for place, row in enumerate(rows):
            hidden[place] |= _about(row) == more


def _grouped(rows: Sequence[Row], key: Callable[[Row], Hashable]) -> list[list[int]]:
    groups: dict[Hashable, list[int]] = {}
    for place, row in enumerate(rows):
        groups.setdefault(key(row), []).append(place)
    return list(groups.values())


def _question(row: Row) -> object:
    return row["one_of"] or row["some_of"] or row[names.OUTCOME]


def _where(row: Row) -> Key:
    """Everybody is the same everybody in every table."""
    return (ALL_LEVELS,) if row[names.LEVEL] == ALL_LEVELS else (str(row[names.EXPOSURE]), str(row[names.LEVEL]))


def _about(row: Row) -> Key:
    return (*_where(row), str(row[names.OUTCOME]), str(row[names.STATISTIC]))


def _people(row: Row) -> Key:
    return (*_where(row), "people")


def _respondents(row: Row) -> Key:
    return (ALL_LEVELS, "people") if _is_presence(row) else (*_where(row), str(_question(row)), str(row["among"]))


def _events(row: Row) -> Key:
    return _people(row) if _is_presence(row) else (*_about(row), "events")


def _others(row: Row) -> Key:
    return (*_about(row), "others")


def _missing(row: Row) -> Key:
    return (*_respondents(row), "missing")


def _sums(rows: Sequence[Row]) -> list[Sum]:
    """All that adds up among the rows."""
    answers = [row for row in rows if not _is_presence(row)]
    shares = [row for row in rows if is_share(row) and not _is_everybody(row)]
    found = [Sum(_people(row), (_respondents(row), _missing(row))) for row in answers if row["among"] != COULD_IMPROVE]
    found += [Sum(_respondents(row), (_events(row), _others(row))) for row in shares]
    found += [*_sums_of_levels(rows), *_sums_of_thresholds(rows)]
    for places in _grouped(shares, lambda row: (row[names.EXPOSURE], row[names.LEVEL], _question(row))):
        options = [shares[place] for place in places if shares[place]["one_of"] or shares[place]["some_of"]]
        if options:
            events = tuple(dict.fromkeys(map(_events, options)))
            found.append(Sum(_respondents(options[0]), events, or_more=options[0]["some_of"] is not None))
    return list(dict.fromkeys(found))


def _sums_of_levels(rows: Sequence[Row]) -> Iterator[Sum]:
    """The levels of one statistic add up to everybody."""
    for places in _grouped(rows, lambda row: (row[names.EXPOSURE], row[names.OUTCOME], row[names.STATISTIC])):
        everybody = next((rows[place] for place in places if rows[place][names.LEVEL] == ALL_LEVELS), None)
        levels = [rows[place] for place in places if rows[place][names.LEVEL] != ALL_LEVELS]
        if everybody is None or not levels:
            continue
        counts = [_people]
        if not _is_presence(everybody):
            counts += [_respondents, _missing, *([_events, _others] if is_share(everybody) else [])]
        for count in counts:
            yield Sum(count(everybody), tuple(dict.fromkeys(map(count, levels))))


def _sums_of_thresholds(rows: Sequence[Row]) -> Iterator[Sum]:
    """Who improved by 50 % improved by 30 % too. The threshold that fewer people reach is the higher one."""
    improved = [row for row in rows if row["among"] == COULD_IMPROVE]
    totals = Counter[object]()
    for row in improved:
        totals[row[names.OUTCOME], row[names.STATISTIC]] += _count(row, N_EVENTS)
    for places in _grouped(improved, lambda row: (row[names.TABLE], *_where(row), row[names.OUTCOME])):
        nested = sorted(
            (improved[place] for place in places), key=lambda row: -totals[row[names.OUTCOME], row[names.STATISTIC]]
        )
        for lower, higher in pairwise(nested):
            yield Sum(_events(lower), (_events(higher), (*_events(lower), "not", *_events(higher))))


def _next_to_hide(rows: Sequence[Row], hidden: Sequence[bool], sums: Sequence[Sum], policy: Policy) -> Key | None:
    """What to hide next because something hidden is exposed; nothing if all is well."""
    exposed = _exposed(rows, hidden, sums, policy) or _too_few_together(rows, hidden, policy)
    if exposed is None:
        return None
    shown = [row for row, is_hidden in zip(rows, hidden, strict=True) if not is_hidden]
    return _about(min(shown, key=lambda row: (_distance(row, exposed), *_size(row)))) if shown else None


def _size(row: Row) -> tuple[bool, int, int]:
    """The smaller, the less is lost with it: for a share the smaller side counts, for a mean its level. The row of everybody,
    which the reader looks at first, is the last to go.
    """
    events = _count(row, N_EVENTS) if is_share(row) else 0
    smaller_side = min(events, _count(row, N_RESPONDENTS) - events)
    return row[names.LEVEL] == ALL_LEVELS, smaller_side, _count(row, "n_level")


def _distance(row: Row, other: Row) -> int:
    """0 for rows of one sum (levels of a statistic, options in a level), 1 for rows of one question, 2 of one exposure."""
    same = {name for name in (names.EXPOSURE, names.OUTCOME, names.STATISTIC) if row[name] == other[name]}
    same_question = _question(row) == _question(other)
    if len(same) == 3 or (same_question and _where(row) == _where(other) and is_share(row) and is_share(other)):
        return 0
    return 3 if names.EXPOSURE not in same else 1 if same_question else 2


def _exposed(rows: Sequence[Row], hidden: Sequence[bool], sums: Sequence[Sum], policy: Policy) -> Row | None:
    """The first hidden row with a small count that can be told more closely than that it is small."""
    known = narrowed(_shown_ranges(rows, hidden, policy), sums)
    for row, is_hidden in zip(rows, hidden, strict=True):
        if is_hidden and any(
            0 < n < policy.min_n and not _covers_mark(known.get(key, ANYTHING), policy) for key, n in _counts_of(row)
        ):
            return row
    return None


def _counts_of(row: Row) -> list[tuple[Key, int]]:
    n = _count(row, N_RESPONDENTS)
    found = [(_respondents(row), n)]
    if is_share(row):
        found += [(_events(row), _count(row, N_EVENTS)), (_others(row), n - _count(row, N_EVENTS))]
    return found


def _shown_ranges(rows: Sequence[Row], hidden: Sequence[bool], policy: Policy) -> dict[Key, Interval]:
    """What the shown rows say of their counts by themselves."""
    known: dict[Key, Interval] = {}
    for row, is_hidden in zip(rows, hidden, strict=True):
        for key, n in () if is_hidden else _counts_of(row):
            seen = _published_range(n, policy)
            if is_share(row) and key == _others(row):
                seen = (policy.min_n, MOST) if n else (0, 0)
            known[key] = _overlap(known.get(key, ANYTHING), seen)
        if not is_hidden and not _is_presence(row):
            missing = _count(row, N_MISSING)
            seen = (0, policy.min_n - 1) if missing < policy.min_n else _published_range(missing, policy)
            known[_missing(row)] = _overlap(known.get(_missing(row), ANYTHING), seen)
    return known


def narrowed(known: Mapping[Key, Interval], sums: Sequence[Sum]) -> dict[Key, Interval]:
    """What can be told of each count from these ranges and sums, each sum by itself, again and again."""
    found = defaultdict(lambda: ANYTHING, known)
    for _ in range(MOST_ROUNDS):
        before = dict(found)
        for each in sums:
            _narrow(found, each)
        if found == before:
            break
    return dict(found)


def _narrow(known: dict[Key, Interval], each: Sum) -> None:
    least, most = (sum(bound) for bound in zip(*(known[part] for part in each.parts), strict=True))
    total = known[each.total] = _overlap(known[each.total], (0 if each.or_more else least, most))
    for part in each.parts:
        lower, upper = known[part]
        at_most = total[1] if each.or_more else total[1] - (least - lower)
        known[part] = _overlap(known[part], (total[0] - (most - upper), at_most))


def _overlap(one: Interval, other: Interval) -> Interval:
    return max(one[0], other[0]), min(one[1], other[1])


def _too_few_together(rows: Sequence[Row], hidden: Sequence[bool], policy: Policy) -> Row | None:
    """A hidden row of a mean, where the hidden levels together are fewer people than a mean may be told of: all others'
    means, subtracted from everybody's, would tell theirs.
    """
    for places in _grouped(rows, lambda row: (row[names.EXPOSURE], row[names.OUTCOME], row[names.STATISTIC])):
        if is_share(rows[places[0]]):
            continue
        levels = [place for place in places if rows[place][names.LEVEL] != ALL_LEVELS and hidden[place]]
        together = sum(_count(rows[place], N_RESPONDENTS) for place in levels)
        if 0 < together < policy.min_n_for_statistics and not all(hidden[place] for place in places):
            return rows[levels[0]]
    return None


# --- Rounding and marking ----------------------------------------------------------------------------------------------


def _published(row: Row, hide: bool, policy: Policy) -> Row:
    words = {name: row[name] for name in WORDS}
    if hide:
        return {**words, **dict.fromkeys(names.NUMBERS), names.STATUS: _mark(row)}
    n = round_count(_count(row, N_RESPONDENTS), policy)
    estimated = _rounded_share(row, n, policy) if is_share(row) else _rounded_number(row, n)
    numbers = {
        names.ESTIMATE: estimated.estimate,
        names.STANDARD_ERROR: estimated.standard_error,
        names.CI_LOWER: estimated.ci_lower,
        names.CI_UPPER: estimated.ci_upper,
        N_RESPONDENTS: n,
        N_MISSING: shown_count(_count(row, N_MISSING), policy),
    }
    return {**words, **numbers, names.STATUS: _status(row, estimated, n)}


def _mark(row: Row) -> Status:
    return Status.NOT_ASKED if row["not_asked"] else Status.SUPPRESSED


def shown_count(count: int, policy: Policy) -> int | None:
    """A count of people that stands beside an estimate: rounded, or empty where it is under min_n (0 included, since
    telling 0 from a small number would narrow the small one).
    """
    return round_count(count, policy) if count >= policy.min_n else None


def _rounded_share(row: Row, n: int, policy: Policy) -> statistics.Estimated:
    """Everything about a share comes from its rounded counts, so that no digit tells more than they do."""
    found = statistics.share(min(round_count(_count(row, N_EVENTS), policy), n), n)
    return _to_decimals(found, 4)


def _rounded_number(row: Row, n: int) -> statistics.Estimated:
    """The interval of a mean is that of its rounded n: from the exact one, divided by the error, n could be told."""
    if row[names.STATISTIC] == COUNT:
        return statistics.Estimated(float(n))
    found = statistics.Estimated(*(row[name] for name in names.NUMBERS[:4]))  # type: ignore[arg-type]
    if found.estimate is not None and found.standard_error is not None:
        found = statistics.mean_of(found.estimate, found.standard_error, n)
    return _to_decimals(found, decimals_for(n))


def decimals_for(n: int) -> int:
    """How many decimals n people support: one answer moves a mean by about 1 / n, and the last digit must not show it.

    From n = 20 one decimal, from 200 two: the last digit then stands for at least two answers of one step.
    """
    return max(0, min(MAX_DECIMALS, floor(log10(n / 2)))) if n >= 2 else 0


def _to_decimals(found: statistics.Estimated, decimals: int) -> statistics.Estimated:
    def short(value: float | None) -> float | None:
        return None if value is None else round(value, decimals) + 0.0

    return statistics.Estimated(
        short(found.estimate), short(found.standard_error), short(found.ci_lower), short(found.ci_upper)
    )


def _status(row: Row, found: statistics.Estimated, n: int) -> Status:
    if is_unreliable(found, n, share=is_share(row)):
        return Status.UNRELIABLE
    return Status.MERGED if row["merged"] else Status.OK


def is_unreliable(found: statistics.Estimated, n: int, *, share: bool) -> bool:
    """The standards of the US National Center for Health Statistics (Vital and Health Statistics 2(175), 2017): under 30
    people, or for a share an interval of 0.30 and wider, or wider than 0.05 and than 130 per cent of the share.
    """
    if n < 30:
        return True
    if not share or found.ci_lower is None or found.ci_upper is None or not found.estimate:
        return False
    width = round(found.ci_upper - found.ci_lower, 4)
    return width >= 0.30 or (width > 0.05 and width / found.estimate > 1.30)


# --- Numbers at each stage ---------------------------------------------------------------------------------------------


KEPT = "rows_kept"
"""The stage whose number stands beside the estimates anyway: hiding it here would hide nothing, and the tables together may
tell it more closely than its rounding does, so it counts as known.
"""


def disclose_stages(read: int, parts: Sequence[tuple[str, str, int]], policy: Policy) -> tuple[StageCount, ...]:
    """Rows read and where they went (stage, label, count), with the same rules: parts add up to what was read.

    Where hiding parts does not keep a small one from being worked out, what they add up to is hidden.
    """
    hidden = [0 < n < policy.min_n for _, _, n in parts]
    could_go = sorted((n, place) for place, (stage, _, n) in enumerate(parts) if stage != KEPT and n >= policy.min_n)
    while could_go and not _stages_are_safe(read, parts, hidden, policy):
        hidden[could_go.pop(0)[1]] = True
    hide_read = 0 < read < policy.min_n or not _stages_are_safe(read, parts, hidden, policy)
    first = _stage("rows_read", "Rows in the exports", read, hide_read, policy)
    return (first, *(_stage(*part, is_hidden, policy) for part, is_hidden in zip(parts, hidden, strict=True)))


def disclose_counts(parts: Sequence[tuple[str, str, int]], policy: Policy) -> tuple[StageCount, ...]:
    """Counts (name, label, count) that add up to nothing published: each is hidden or rounded by itself."""
    return tuple(_stage(*part, 0 < part[2] < policy.min_n, policy) for part in parts)


def _stages_are_safe(read: int, parts: Sequence[tuple[str, str, int]], hidden: Sequence[bool], policy: Policy) -> bool:
    kept = sum(n for stage, _, n in parts if stage == KEPT)
    left_out = [Member(n, MOST, hide) for (stage, _, n), hide in zip(parts, hidden, strict=True) if stage != KEPT]
    least, most = _published_range(read, policy)
    return _are_safe((max(0, least - kept), most - kept), left_out, policy)


def _stage(stage: str, label: str, n: int, hidden: bool, policy: Policy) -> StageCount:
    return StageCount(stage=stage, label=label, n=None if hidden else round_count(n, policy), hidden=hidden)

"""Disclose: exact estimates become rows that may be published.

What belongs here: hiding what is too small, hiding as much more as keeps that from being worked out along a line of a
table, rounding what stays, and saying which was done. Percentages and their intervals are made from rounded counts. What
does not: merging levels, which comes before (`coarsen`). The public status never tells what was hidden for its own sake from
what was hidden to protect another.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
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


@dataclass(frozen=True)
class Member:
    """One addend of a line as an outsider could know it: its true count, the most it can be, whether it is hidden."""

    n: int
    most: int
    hidden: bool


def disclose(estimates: pl.DataFrame, policy: Policy, ledger: pl.DataFrame | None = None) -> pl.DataFrame:
    """Rows as they may be published: columns of `names.TIDY_COLUMNS` without instrument and wave.

    `ledger` holds the rows of earlier releases of the same wave: what was hidden there stays hidden in a correction.
    A suppressed row has no number at all.
    """
    rows = list(estimates.iter_rows(named=True))
    hidden = [_too_small(row, policy) for row in rows]
    _keep_hidden(rows, hidden, ledger)
    protect(rows, hidden, [*_lines_of_levels(rows), *_lines_of_options(rows)], policy)
    published = [_published(row, hide, policy) for row, hide in zip(rows, hidden, strict=True)]
    return pl.DataFrame(
        published, schema={name: kind for name, kind in TIDY_SCHEMA.items() if name not in LEFT_TO_WAVE}
    )


LEFT_TO_WAVE = (names.INSTRUMENT, names.WAVE)
Row = dict[str, object]


def _count(row: Row, name: str) -> int:
    value = row[name]
    assert isinstance(value, int)
    return value


def is_share(row: Row) -> bool:
    """Whether a row is a count of events out of its respondents."""
    return row[N_EVENTS] is not None


def _too_small(row: Row, policy: Policy) -> bool:
    """A share needs enough people on both sides (0 % and 100 % tell something about everybody); a mean enough in all."""
    n = _count(row, N_RESPONDENTS)
    if row[names.STATISTIC] == COUNT or _is_everybody(row):
        return n < policy.min_n
    if is_share(row):
        events = _count(row, N_EVENTS)
        return min(n, events, n - events) < policy.min_n
    return n < policy.min_n_for_statistics


def _is_everybody(row: Row) -> bool:
    """The row that says that everybody who answered has answered: 100 % tells nothing here."""
    return row[names.OUTCOME] == RESPONDENTS and row[names.LEVEL] == ALL_LEVELS


def _keep_hidden(rows: Sequence[Row], hidden: list[bool], ledger: pl.DataFrame | None) -> None:
    if ledger is None:
        return
    before = set(ledger.filter(pl.col(names.STATUS) == Status.SUPPRESSED).select(WORDS).iter_rows())
    for place, row in enumerate(rows):
        hidden[place] |= tuple(row[name] for name in WORDS) in before


# --- Keeping what is hidden from being worked out along a line ---------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """Rows whose counts of one kind add up to a total that is published: `places` among all rows, and the total's own."""

    total: int
    places: tuple[int, ...]
    side: str


def _lines_of_levels(rows: Sequence[Row]) -> list[Line]:
    """Levels that add up to everybody, for each statistic of each outcome."""
    lines = []
    for places in _grouped(rows, (names.TABLE, names.EXPOSURE, names.OUTCOME, names.STATISTIC)):
        totals = [place for place in places if rows[place][names.LEVEL] == ALL_LEVELS]
        levels = tuple(place for place in places if place not in totals)
        lines += [Line(total, levels, side) for total in totals for side in _sides(rows[total])]
    return lines


def _lines_of_options(rows: Sequence[Row]) -> list[Line]:
    """The options of a question with one answer add up to everybody who answered it, in each level."""
    one_answer = _grouped(rows, (names.TABLE, names.EXPOSURE, "one_of", names.LEVEL))
    return [Line(places[0], tuple(places), "options") for places in one_answer if rows[places[0]]["one_of"] is not None]


def _grouped(rows: Sequence[Row], key: Sequence[str]) -> list[list[int]]:
    groups: dict[tuple[object, ...], list[int]] = {}
    for place, row in enumerate(rows):
        groups.setdefault(tuple(row[name] for name in key), []).append(place)
    return list(groups.values())


def protect(rows: Sequence[Row], hidden: list[bool], lines: Sequence[Line], policy: Policy) -> None:
    """Hide more, smallest first, until nothing hidden can be worked out along any line. Lines cross, so go round again."""
    changed = True
    while changed:
        changed = False
        for line in lines:
            while (more := _next_to_hide(rows, hidden, line, policy)) is not None:
                hidden[more] = changed = True


def _next_to_hide(rows: Sequence[Row], hidden: Sequence[bool], line: Line, policy: Policy) -> int | None:
    """The smallest shown member of a line that still gives something away, or nothing."""
    shown = [place for place in line.places if not hidden[place]]
    total_known = line.side == "options" or not hidden[line.total]
    if not total_known or not shown or len(shown) == len(line.places) or _is_safe(rows, hidden, line, policy):
        return None
    return min(shown, key=lambda place: (_addend(rows[place], line.side), place))


def _sides(row: Row) -> tuple[str, ...]:
    """What adds up along the levels. People elsewhere are no part of a line about who answered."""
    if not is_share(row):
        return ("people",)
    return ("events",) if row[names.OUTCOME] == RESPONDENTS else ("others", "events")


def _addend(row: Row, side: str) -> int:
    n = _count(row, N_RESPONDENTS)
    if side == "people":
        return n
    events = _count(row, N_EVENTS)
    return n - events if side == "others" else events


def _is_safe(rows: Sequence[Row], hidden: Sequence[bool], line: Line, policy: Policy) -> bool:
    """Whether no hidden count of a line is known more closely than that it is small.

    For means, the hidden levels taken together must besides be as many people as a mean may be told of.
    """
    total = rows[line.total]
    everybody = _count(total, N_RESPONDENTS) if line.side == "options" else _addend(total, line.side)
    members = [Member(_addend(rows[p], line.side), _most(rows[p], everybody, policy), hidden[p]) for p in line.places]
    together = sum(member.n for member in members if member.hidden)
    if line.side == "people" and 0 < together < policy.min_n_for_statistics:
        return False
    return is_line_safe(everybody, members, policy)


def _most(row: Row, everybody: int, policy: Policy) -> int:
    """What an outsider can know of a hidden member's greatest size: its level, if that is large enough to be shown."""
    n_level = _count(row, "n_level")
    return rounding_range(round_count(n_level, policy), policy)[1] if n_level >= policy.min_n else everybody


def is_line_safe(total: int, members: Sequence[Member], policy: Policy) -> bool:
    """Whether an outsider who knows the rounded total and the rounded shown members finds each small hidden member to lie
    anywhere from 1 to min_n - 1 at least.
    """
    known_total = rounding_range(round_count(total, policy), policy) if total >= policy.min_n else (0, policy.min_n - 1)
    small = [place for place, member in enumerate(members) if member.hidden and 0 < member.n < policy.min_n]
    return all(_covers_mark(_attack(known_total, members, place, policy), policy) for place in small)


def _attack(total: tuple[int, int], members: Sequence[Member], target: int, policy: Policy) -> tuple[int, int]:
    """The interval in which an outsider finds a hidden member: what the total leaves after all others."""
    others = [_known(member, policy) for place, member in enumerate(members) if place != target]
    lower = max(0, total[0] - sum(most for _, most in others))
    return lower, min(members[target].most, total[1] - sum(least for least, _ in others))


def _known(member: Member, policy: Policy) -> tuple[int, int]:
    return (0, member.most) if member.hidden else rounding_range(round_count(member.n, policy), policy)


def _covers_mark(interval: tuple[int, int], policy: Policy) -> bool:
    return interval[0] <= 1 and interval[1] >= policy.min_n - 1


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
    if row[names.STATISTIC] == COUNT:
        return statistics.Estimated(float(n))
    found = statistics.Estimated(*(row[name] for name in names.NUMBERS[:4]))  # type: ignore[arg-type]
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
    width = found.ci_upper - found.ci_lower
    return width >= 0.30 or (width > 0.05 and width / found.estimate > 1.30)


# --- Numbers at each stage ---------------------------------------------------------------------------------------------


def disclose_stages(read: int, parts: Sequence[tuple[str, str, int]], policy: Policy) -> tuple[StageCount, ...]:
    """Rows read and where they went (stage, label, count), with the same rules: parts add up to what was read."""
    members = [Member(n, read, 0 < n < policy.min_n) for _, _, n in parts]
    while not is_line_safe(read, members, policy) and not all(member.hidden for member in members):
        smallest = min((m for m in members if not m.hidden and m.n), key=lambda m: m.n, default=None)
        if smallest is None:
            break
        members[members.index(smallest)] = replace(smallest, hidden=True)
    first = _stage("rows_read", "Rows in the exports", read, read < policy.min_n and read > 0, policy)
    return (first, *(_stage(s, t, n, m.hidden, policy) for (s, t, n), m in zip(parts, members, strict=True)))


def _stage(stage: str, label: str, n: int, hidden: bool, policy: Policy) -> StageCount:
    return StageCount(stage=stage, label=label, n=None if hidden else round_count(n, policy), hidden=hidden)

"""What a row that is to be disclosed tells, and of which unpublished counts.

What belongs here: reading a row, naming the counts behind it, and whether it is too small by itself. What does not: how
counts hang together (`sums`) and what else goes with a hidden one (`protect`).
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from survey_pipeline import names
from survey_pipeline.names import (
    ALL_LEVELS,
    N_ASIDE,
    N_EVENTS,
    N_MISSING,
    N_MISSING_BEFORE,
    N_MISSING_NOW,
    N_RESPONDENTS,
    RESPONDENTS,
)
from survey_pipeline.policy import round_count, rounding_range
from survey_pipeline.release import Policy

COUNT, SHARE, ANYWAY = "count", "share", "_anyway"
ANSWERED, ANSWERED_BOTH, COULD_IMPROVE, EVERYBODY = "answered", "answered_both", "could_improve", "everybody"
CONCERNED = "concerned"
"""Who is in a denominator. Of those who could improve, people set aside are no more missing than counted."""
WITH_MISSING = frozenset({ANSWERED, "answered_before", ANSWERED_BOTH})
"""Whoever is not among these did not answer. Others, such as people who keep no diary, were not asked to."""
KEEPS_DIARY, DIARY_KEPT = "keeps_diary", "diary_kept"
Row = dict[str, object]
Key = tuple[str, ...]
"""Which of the unpublished counts: of whom, and what is counted."""
Interval = tuple[int, int]


@dataclass(frozen=True)
class Sum:
    """Counts that add up to a total; with `or_more`, to the total or more, as some people are in several of them."""

    total: Key
    parts: tuple[Key, ...]
    or_more: bool = False


def count_of(row: Row, name: str) -> int:
    """A count of people of a row."""
    value = row[name]
    assert isinstance(value, int)
    return value


def is_share(row: Row) -> bool:
    """Whether a row is a count of events out of its respondents, told as a share or as the count itself."""
    return row[N_EVENTS] is not None


def is_presence(row: Row) -> bool:
    """Whether a row is about who answered: a share of everybody, not of its level."""
    return row[names.OUTCOME] == RESPONDENTS


def is_everybody(row: Row) -> bool:
    """The row that says that everybody who answered has answered: 100 % tells nothing here."""
    return is_presence(row) and row[names.LEVEL] == ALL_LEVELS


def is_band(row: Row) -> bool:
    """Whether a row says what would be expected anyway: it counts nobody of its own."""
    return str(row[names.STATISTIC]).endswith(ANYWAY)


def is_nonresponse(row: Row) -> bool:
    """Whether a row tells how many left a question out: the same number as stands beside the estimates of it."""
    return row["gap_of"] is not None


def too_small(row: Row, policy: Policy) -> bool:
    """A share needs enough people on both sides: 0 % and 100 % tell something about everybody. A mean needs enough people
    in all, and enough whose answer is not the commonest: a mean of 0.0 says what everybody answered as well as 100 % does.
    """
    n = count_of(row, N_RESPONDENTS)
    if is_everybody(row):
        return n < policy.min_n
    if is_share(row):
        events = count_of(row, N_EVENTS)
        return min(n, events, n - events) < policy.min_n
    return n < policy.min_n_for_statistics or n - count_of(row, "n_alike") < policy.min_n


def published_range(count: int, policy: Policy) -> Interval:
    """What a published count can have been."""
    return rounding_range(round_count(count, policy), policy)


def covers_mark(interval: Interval, policy: Policy) -> bool:
    """Whether a hidden small count can still be anything that its mark says: 1 to min_n - 1."""
    return interval[0] <= 1 and interval[1] >= policy.min_n - 1


def grouped(rows: Sequence[Row], key: Callable[[Row], Hashable]) -> list[list[int]]:
    """The places of rows that are alike by `key`, in the order in which they come."""
    groups: dict[Hashable, list[int]] = {}
    for place, row in enumerate(rows):
        groups.setdefault(key(row), []).append(place)
    return list(groups.values())


# --- The counts behind a row ------------------------------------------------------------------------------------------


def question(row: Row) -> str:
    """The question that a row's outcome belongs to: options of one question share their respondents."""
    return str(row["one_of"] or row["some_of"] or row[names.OUTCOME])


def kind_of(row: Row) -> str:
    """The statistic; a count of people and the share it makes are one and the same."""
    return SHARE if row[names.STATISTIC] == COUNT and is_share(row) else str(row[names.STATISTIC])


def where(row: Row) -> Key:
    """Everybody is the same everybody in every table."""
    return (ALL_LEVELS,) if row[names.LEVEL] == ALL_LEVELS else (str(row[names.EXPOSURE]), str(row[names.LEVEL]))


def about(row: Row) -> Key:
    """What a row is about, in whichever tables it stands."""
    return (*where(row), str(row[names.OUTCOME]), kind_of(row))


def line_of(row: Row) -> Key:
    """The rows that are alike but for their level."""
    return (str(row[names.EXPOSURE]), str(row[names.OUTCOME]), kind_of(row))


def people(row: Row) -> Key:
    """Everybody in the level."""
    return (*where(row), "people")


def respondents(row: Row) -> Key:
    """Those in the denominator."""
    if is_presence(row):
        return (ALL_LEVELS, "people")
    if row["among"] == CONCERNED:
        return concerned(row)
    return people(row) if row["among"] == EVERYBODY else (*where(row), question(row), str(row["among"]))


def events(row: Row) -> Key:
    """Those whom a share counts."""
    return people(row) if is_presence(row) else (*about(row), "events")


def others(row: Row) -> Key:
    """Those in the denominator whom a share does not count."""
    return (*about(row), "others")


def missing(row: Row) -> Key:
    """Those in the level who did not answer."""
    among = ANSWERED_BOTH if row["among"] == COULD_IMPROVE else str(row["among"])
    return (*where(row), question(row), among, "missing")


def both(row: Row) -> Key:
    """Those with an answer before and now."""
    return (*where(row), question(row), ANSWERED_BOTH)


def began_at_nothing(row: Row) -> Key:
    """Those with both answers who were at 0 before, so that they could not improve."""
    return (*where(row), str(row[names.OUTCOME]), "baseline_zero", "events")


def aside(row: Row) -> Key:
    """Those in the level whom the question does not concern."""
    return (*where(row), asked_question(row), "not concerned")


def concerned(row: Row) -> Key:
    """Those in the level whom the question concerns."""
    return (*where(row), asked_question(row), CONCERNED)


def asked_question(row: Row) -> str:
    """The question of a row, also where it is about those who left it out."""
    return str(row["gap_of"]) if is_nonresponse(row) else question(row)


def silent(row: Row) -> Key:
    """Those in the level who did not answer, whether the question concerns them or not."""
    return (*missing(row), "or not concerned") if row["is_conditional"] else missing(row)


def tells_missing(row: Row) -> bool:
    """Whether a shown row says how many did not answer."""
    return row["among"] in WITH_MISSING or row["among"] == COULD_IMPROVE


def counts_of(row: Row) -> list[tuple[Key, int]]:
    """The counts that a row tells where it is shown: its respondents and, for a share, both sides."""
    n = count_of(row, N_RESPONDENTS)
    found = [(respondents(row), n)]
    if is_share(row):
        found += [(events(row), count_of(row, N_EVENTS)), (others(row), n - count_of(row, N_EVENTS))]
    return found


def risks_of(row: Row, policy: Policy) -> list[Key]:
    """The small counts that hiding a row is to keep: its own, and the people in its level."""
    return _small([*counts_of(row), (people(row), count_of(row, "n_level"))], policy)


def gaps_of(row: Row, policy: Policy) -> list[Key]:
    """The small counts beside a row, shown or hidden: people missing, not concerned, and at 0 before."""
    if row["among"] == CONCERNED:
        return _small([(aside(row), unconcerned(row))], policy)
    if not tells_missing(row):
        return []
    counts = [(missing(row), count_of(row, N_MISSING)), (aside(row), unconcerned(row))]
    return _small([*counts, (began_at_nothing(row), count_of(row, N_ASIDE))], policy)


def _small(counts: Sequence[tuple[Key, int]], policy: Policy) -> list[Key]:
    return [key for key, n in counts if 0 < n < policy.min_n]


# --- How many people are told ------------------------------------------------------------------------------------------


def unconcerned(row: Row) -> int:
    """How many people in the level the question does not concern."""
    counted = count_of(row, N_RESPONDENTS) + count_of(row, N_MISSING) + count_of(row, N_ASIDE)
    return count_of(row, "n_level") - counted


def few(count: int, policy: Policy) -> int:
    """A count too small to be told, else none."""
    return count if count < policy.min_n else 0


def gap(row: Row, policy: Policy) -> int:
    """How many did not answer: those who left the question out, and those whom it does not concern while they are few. Told
    apart, the two could be subtracted.
    """
    return count_of(row, N_MISSING) + few(unconcerned(row), policy)


def gaps_once(row: Row, policy: Policy) -> tuple[int, int] | None:
    """Of a row among those who answered before and now, how many did not answer before, and now; None for other rows."""
    if row["among"] not in (ANSWERED_BOTH, COULD_IMPROVE) or row.get(N_MISSING_BEFORE) is None:
        return None
    rest = few(unconcerned(row), policy)
    return count_of(row, N_MISSING_BEFORE) + rest, count_of(row, N_MISSING_NOW) + rest


def told_gap(row: Row, policy: Policy) -> int:
    """How many are told to be missing, before rounding; 0 while they are fewer than min_n.

    Whoever lacks one of two answers left out the one or the other. So that those who left out either are not told by the
    difference, while they are few, the number of the others stands for all; and where both are few, that all of them
    together are not.
    """
    once = gaps_once(row, policy)
    if once is None or min(once) >= policy.min_n:
        n = gap(row, policy)
        return n if n >= policy.min_n else 0
    if max(once) >= policy.min_n:
        return max(once)
    return policy.min_n if gap(row, policy) >= policy.min_n else 0


def told_people(row: Row, policy: Policy) -> int:
    """How many people stand beside an estimate, before rounding: its respondents with those who are too few to be told apart
    from them.

    Two numbers of people that are rounded by themselves tell what they differ by to within five values: of 40 asked and 40
    who answered, that fewer than 5 did not. So while fewer than min_n are missing from a group, or began at 0, the number
    of people who were asked stands in its place, which says that fewer than min_n of these are missing and no more.
    """
    n = count_of(row, N_RESPONDENTS)
    if row["among"] == CONCERNED:
        return n + few(unconcerned(row), policy)
    if not tells_missing(row):
        return n
    return n + few(count_of(row, N_ASIDE), policy) + gap(row, policy) - told_gap(row, policy)

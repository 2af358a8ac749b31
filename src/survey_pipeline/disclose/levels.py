"""Small levels: a level of too few people is hidden in every table, and so are those that shield it.

What belongs here: which levels go, from the numbers of people in them alone. What does not: single rows (`protect`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from survey_pipeline import names
from survey_pipeline.disclose.rows import Interval, Row, count_of, covers_mark, published_range
from survey_pipeline.disclose.sums import sides_of
from survey_pipeline.names import ALL_LEVELS
from survey_pipeline.release import Policy

Line = tuple[int, dict[str, int]]
"""How many people some levels hold together, and how many each of them holds."""


@dataclass(frozen=True)
class Member:
    """One addend of a line as an outsider could know it: its true count, the most it can be, whether it is hidden."""

    n: int
    most: int
    hidden: bool


def hide_small_levels(rows: Sequence[Row], hidden: list[bool], policy: Policy) -> None:
    """A level of too few people is hidden in every table, and so is the one that shields it: were another level to shield
    it in another table, the two tables together would tell how many people it holds.
    """
    for exposure in dict.fromkeys(row[names.EXPOSURE] for row in rows):
        mine = [place for place, row in enumerate(rows) if row[names.EXPOSURE] == exposure]
        gone = _levels_to_hide([rows[place] for place in mine], policy)
        for place in mine:
            hidden[place] |= rows[place][names.LEVEL] in gone
    _hide_their_gaps(rows, hidden)


def _hide_their_gaps(rows: Sequence[Row], hidden: list[bool]) -> None:
    """Where the level of those who left a question out is hidden, how many left it out is hidden too."""
    gone = {row[names.EXPOSURE] for row, hide in zip(rows, hidden, strict=True) if hide and row["not_stated"]}
    shown = {row[names.EXPOSURE] for row, hide in zip(rows, hidden, strict=True) if not hide and row["not_stated"]}
    for place, row in enumerate(rows):
        hidden[place] |= row["gap_of"] is not None and row["gap_of"] in gone - shown


def _levels_to_hide(rows: Sequence[Row], policy: Policy) -> set[str]:
    """Of one exposure, levels that are too small and those that shield them, in all of its lines."""
    lines, gone, before = list(_lines(rows)), set[str](), -1
    while len(gone) > before:
        before = len(gone)
        for everybody, sizes in lines:
            gone |= levels_to_hide(everybody, sizes, gone & set(sizes), policy)
    return gone


def _lines(rows: Sequence[Row]) -> Iterator[Line]:
    """All levels make up everybody; those of a crossing make up each level that is crossed, too."""
    sizes = {str(row[names.LEVEL]): count_of(row, "n_level") for row in rows}
    everybody = sizes.pop(ALL_LEVELS, 0)
    yield everybody, sizes
    sides = {str(row[names.LEVEL]): sides_of(row) for row in rows}
    for side in dict.fromkeys(side for found in sides.values() for side in found):
        inside = {level: sizes[level] for level, found in sides.items() if side in found}
        yield sum(inside.values()), inside


def levels_to_hide(everybody: int, sizes: Mapping[str, int], gone: set[str], policy: Policy) -> set[str]:
    """Levels of fewer than min_n people and, smallest first, as many more as it takes to shield them; `gone` are hidden
    already. A level of nobody shields nothing.
    """
    levels = sorted((level for level in sizes if sizes[level]), key=lambda level: sizes[level])
    gone = gone | {level for level in levels if sizes[level] < policy.min_n}
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
    known_total = published_range(total, policy) if total >= policy.min_n else (0, policy.min_n - 1)
    return are_safe(known_total, members, policy)


def are_safe(total: Interval, members: Sequence[Member], policy: Policy) -> bool:
    """Whether no small hidden member of a total that is known like this can be told closely."""
    small = [place for place, member in enumerate(members) if member.hidden and 0 < member.n < policy.min_n]
    return all(covers_mark(_attack(total, members, place, policy), policy) for place in small)


def _attack(total: Interval, members: Sequence[Member], target: int, policy: Policy) -> Interval:
    """The interval in which an outsider finds a hidden member: what the total leaves after all others."""
    others = [_known(member, policy) for place, member in enumerate(members) if place != target]
    lower = max(0, total[0] - sum(most for _, most in others))
    return lower, min(members[target].most, total[1] - sum(least for least, _ in others))


def _known(member: Member, policy: Policy) -> Interval:
    return (0, member.most) if member.hidden else published_range(member.n, policy)

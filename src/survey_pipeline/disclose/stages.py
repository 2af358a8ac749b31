"""Numbers of rows at each stage, as they may be published.

What belongs here: hiding and rounding how many rows were read and where they went. What does not: estimates.
"""

from collections.abc import Sequence

from survey_pipeline.disclose.levels import Member, are_safe
from survey_pipeline.disclose.rows import published_range
from survey_pipeline.disclose.sums import MOST
from survey_pipeline.language import later
from survey_pipeline.policy import round_count
from survey_pipeline.release import Policy, StageCount

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
    while could_go and not _are_stages_safe(read, parts, hidden, policy):
        hidden[could_go.pop(0)[1]] = True
    hide_read = 0 < read < policy.min_n or not _are_stages_safe(read, parts, hidden, policy)
    first = _stage("rows_read", later("Rows in the exports"), read, hide_read, policy)
    return (first, *(_stage(*part, is_hidden, policy) for part, is_hidden in zip(parts, hidden, strict=True)))


def disclose_counts(parts: Sequence[tuple[str, str, int]], policy: Policy) -> tuple[StageCount, ...]:
    """Counts (name, label, count) that add up to nothing published: each is hidden or rounded by itself."""
    return tuple(_stage(*part, 0 < part[2] < policy.min_n, policy) for part in parts)


def _are_stages_safe(read: int, parts: Sequence[tuple[str, str, int]], hidden: Sequence[bool], policy: Policy) -> bool:
    kept = sum(n for stage, _, n in parts if stage == KEPT)
    left_out = [Member(n, MOST, hide) for (stage, _, n), hide in zip(parts, hidden, strict=True) if stage != KEPT]
    least, most = published_range(read, policy)
    return are_safe((max(0, least - kept), most - kept), left_out, policy)


def _stage(stage: str, label: str, n: int, hidden: bool, policy: Policy) -> StageCount:
    return StageCount(stage=stage, label=label, n=None if hidden else round_count(n, policy), hidden=hidden)

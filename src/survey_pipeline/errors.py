"""Errors that a user can cause, each with an exit code of its own.

What belongs here: `UserError` and its kinds. A message is one plain sentence and what to do next; it never holds a
respondent's value. What does not: faults of ours, which are ordinary exceptions and keep their traceback.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import ClassVar


class UserError(Exception):
    """Something the user can mend: `problem` is one sentence, `next_step` says what to do."""

    exit_code: ClassVar[int] = 2

    def __init__(self, problem: str, next_step: str = "") -> None:
        super().__init__(problem, next_step)
        self.problem = problem
        self.next_step = next_step

    def __str__(self) -> str:
        return f"{self.problem} {self.next_step}".strip()


class WrongUsage(UserError):
    """The command was called in a way that cannot be meant (exit 2)."""

    exit_code = 2


class InputRefused(UserError):
    """An export, an instrument or a corrections file cannot be taken (exit 3)."""

    exit_code = 3


class AlreadyPublished(InputRefused):
    """The wave was published from other inputs: a backfill leaves it as it is, a run asks for a correction."""


class QualityGateFailed(UserError):
    """The run is sound but too unlike what was expected (exit 4)."""

    exit_code = 4


class NotSafeToPublish(UserError):
    """No release can be made that gives nobody away (exit 5)."""

    exit_code = 5


class Rejected(NotSafeToPublish):
    """Somebody looked at what would be published of these inputs, and rejected it: a backfill goes on without the wave."""


class WarehouseBusy(UserError):
    """Another run holds the warehouse, or changed it underneath (exit 6)."""

    exit_code = 6


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """' Did you mean ...?' where a known word is near, else nothing."""
    near = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f" Did you mean '{near[0]}'?" if near else ""

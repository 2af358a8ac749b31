"""Doing many small tasks on several processors, with a bar that shows how far it is.

What belongs here: handing out tasks. What does not: what they do. Results come in the order of the tasks, and each task holds
its own seed, so that they are the same with any number of workers.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from types import TracebackType
from typing import Self, TypeVar

from rich.console import Console
from rich.progress import track

T = TypeVar("T")
R = TypeVar("R")
TASKS_AT_ONCE = 5


class Workers:
    """So many processes, started with `with` (one does without). The bar goes to the error output: the page stays clean."""

    def __init__(self, number: int, *, bar: bool = True) -> None:
        self._number, self._bar = number, bar
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        if self._number > 1:
            # Not forked: polars has threads of its own, which a fork would leave hanging.
            self._pool = ProcessPoolExecutor(self._number, mp_context=get_context("spawn"))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool:
            self._pool.shutdown(cancel_futures=True)

    def do(self, what: str, job: Callable[[T], R], tasks: Sequence[T]) -> list[R]:
        """Every task's result, in the order of the tasks."""
        # Few tasks are shared out all the same.
        at_once = max(1, min(TASKS_AT_ONCE, len(tasks) // self._number))
        results = self._pool.map(job, tasks, chunksize=at_once) if self._pool else map(job, tasks)
        return list(self._shown(what, results, len(tasks)))

    def _shown(self, what: str, results: Iterable[R], total: int) -> Iterable[R]:
        console = Console(stderr=True)
        hidden = not (self._bar and console.is_terminal)
        return track(results, what.ljust(52), total, console=console, disable=hidden, transient=True)

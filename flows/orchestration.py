"""Orchestration: how flows and their stages are called through Prefect, and how a program made of one starts and ends.

What belongs here: retries, signals, exit codes, and keeping Prefect from seeing what it would store: it writes down every
exception and result that it is shown, so it is shown none. What does not: which stages there are (`pipeline.run_wave`), and
what a flow says about its run (`artifacts`).
"""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, ParamSpec, TypeVar

import prefect_settings  # noqa: F401 - Prefect reads its settings while it is imported, so they come first

# isort: split
import prefect
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.exceptions import TerminationSignal
from prefect.settings import get_current_settings
from prefect.states import Completed, Failed

from survey_pipeline.console import STOPPED, tell_error, words
from survey_pipeline.errors import UserError, WrongUsage

P = ParamSpec("P")
T = TypeVar("T")

RETRY_AFTER_SECONDS: list[float] = [2, 10]
"""How long to wait before each new attempt at a stage: a disk or an object store may come back."""
INTERRUPTED = 130
TERMINATED = 143

# --- Flows ------------------------------------------------------------------------------------------------------------

put_aside: list[Exception] = []
"""The errors that stopped flows of this process, the last one last. Prefect gets to know only their kind."""


def flow(name: str, run_name: str) -> Callable[[Callable[P, str | None]], prefect.Flow[P, State[Any] | None]]:
    """Make a function a flow. What it returns says how it is completed, where there is more to say than that. If it raises,
    the flow fails in one word, and the error is told here and put aside.
    """

    def decorate(function: Callable[P, str | None]) -> prefect.Flow[P, State[Any] | None]:
        @wraps(function)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> State[Any] | None:
            try:
                how = function(*args, **kwargs)
            except Exception as error:
                kind = type(error).__name__
                put_and_tell(error)
            else:
                return Completed(message=how) if how else None
            return Failed(message=f"Stopped by {kind}. Why stands in the output of the run, not here.")

        return prefect.flow(name=name, flow_run_name=run_name, persist_result=False, log_prints=False)(guarded)

    return decorate


def put_and_tell(error: Exception) -> None:
    """Put an error aside, and tell it once to whoever watches the terminal or the worker."""
    if any(error is known for known in put_aside):
        return
    put_aside.append(error)
    tell_error(error)


def succeeded(state: State[Any]) -> None:
    """Raise the error that stopped a flow, if one did."""
    if not state.is_completed():
        raise put_aside[-1] if put_aside else RuntimeError(f"the flow is {state.type.value}")


# --- Stages -----------------------------------------------------------------------------------------------------------


class StageFailed(Exception):
    """All that Prefect sees of an error: the stage and the kind."""


class Stages:
    """How `run_wave` calls a stage here: as a task of its name, with retries.

    What a stage takes, gives and raises stays in this process. `after` is told each stage that is done.
    """

    def __init__(self, after: Callable[[str], None] = lambda stage: None) -> None:
        self.after = after

    def __call__(self, stage: str, function: Callable[..., T], /, *references: Any) -> T:
        results: list[T] = []
        errors: list[Exception] = []

        def attempt() -> None:
            if errors:
                words.print(f"Trying the stage {stage} again after {type(errors[-1]).__name__}.")
            with _putting_into(errors):
                results.append(function(*references))
            if not results:  # raised where no error is being handled, or it would carry that one along
                raise StageFailed(f"{stage}: {type(errors[-1]).__name__}")

        # Prefect takes nothing but a plain function here.
        def worth_another_attempt(task: object, run: object, state: object) -> bool:
            return not isinstance(errors[-1], UserError)

        try:
            _task(stage, attempt, worth_another_attempt)()
        except StageFailed:
            raise errors[-1] from None
        self.after(stage)
        return results[-1]


@contextmanager
def _putting_into(errors: list[Exception]) -> Iterator[None]:
    """Put an error into the list, and go on."""
    try:
        yield
    except Exception as error:
        errors.append(error)


def _task(stage: str, attempt: Callable[[], None], condition: Callable[..., bool]) -> Callable[[], None]:
    return prefect.task(
        name=stage,
        task_run_name=stage,
        retries=len(RETRY_AFTER_SECONDS),
        retry_delay_seconds=RETRY_AFTER_SECONDS,
        retry_condition_fn=condition,
        persist_result=False,
        cache_policy=NO_CACHE,
        log_prints=False,
    )(attempt)


# --- Programs ---------------------------------------------------------------------------------------------------------


def run_as_program(main: Callable[[], None]) -> NoReturn:
    """Run a flow's command line to its end: one plain sentence where it stops, and an exit code that tells which kind."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    try:
        main()
    except KeyboardInterrupt:
        _stop(INTERRUPTED)
    except SystemExit as ended:
        if ended.code == TERMINATED:
            _stop(TERMINATED)
        raise
    except Exception as error:
        if was_terminated(error):
            _stop(TERMINATED)
        put_and_tell(error)
        sys.exit(getattr(error, "exit_code", 1))
    sys.exit(0)


def _stop(code: int) -> NoReturn:
    words.print(STOPPED)
    sys.exit(code)


def was_terminated(error: BaseException | None) -> bool:
    """Whether a signal is at the root of an error: Prefect may fail to tell its server, stopped by the same signal."""
    while error is not None and not isinstance(error, TerminationSignal):
        error = error.__context__
    return error is not None


def start_server() -> None:
    """Start the temporary server, or make sure that the one that the user has chosen answers.

    The temporary one inherits two things: a log for its words, and deafness to Ctrl-C, so that an interrupted run can
    still tell it how it ended.
    """
    if words.is_terminal:
        words.print("Starting up takes a few seconds.")
    with _writing_to(get_current_settings().home / "temporary-server.log"), _deaf_to_interrupts():
        client = get_client(sync_client=True)
    with client:
        if client.api_healthcheck() is not None:
            raise WrongUsage(
                "The Prefect server of PREFECT_API_URL or of your profile does not answer.",
                "Start it, or unset PREFECT_API_URL to use a temporary one.",
            )


@contextmanager
def _writing_to(log: Path) -> Iterator[None]:
    """Let programs that are started meanwhile write to a log instead of to the terminal."""
    sys.stdout.flush()
    ours = {number: os.dup(number) for number in (1, 2)}
    try:
        with _opened(log) as file:
            for number in ours:
                os.dup2(file.fileno(), number)
        yield
    finally:
        for number, before in ours.items():
            os.dup2(before, number)
            os.close(before)


def _opened(log: Path) -> BinaryIO:
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        return log.open("wb")
    except OSError:
        raise WrongUsage(
            "The folder for Prefect's own records cannot be written.", "Name another one in PREFECT_HOME."
        ) from None


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

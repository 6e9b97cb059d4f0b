"""Waiting with a limit, and which of two twins to call: a waiting method stops a running loop."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable

from pytest_mqchaos.chaos.pace import Pace
from pytest_mqchaos.errors import UsageError, WaitTimeout

PAUSE = 0.01
SECOND = 1_000_000_000


def off_loop(what: str, instead: str) -> None:
    """Raise at once when something that waits is called on a running loop, and name its twin."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise UsageError(
        f"{what} waits, and a loop is running in this thread: write `{instead}`, so that the loop "
        "can go on"
    )


def _so(answer: object, what: str) -> bool:
    """Whether it is so; a coroutine would be, whatever it had found out."""
    if inspect.iscoroutine(answer):
        answer.close()
        raise UsageError(
            f"waiting for {what}: the condition must be a plain function, and it gave a coroutine, "
            "which nobody awaits"
        )
    return bool(answer)


async def until(
    condition: Callable[[], object], *, timeout: float, what: str, pace: Pace,
    failed: Callable[[], BaseException | None] = lambda: None,
) -> None:  # fmt: skip
    """Return when `condition()` is true. Raises what `failed()` gives as soon as it gives anything,
    and `WaitTimeout` (saying `what`) after `timeout` seconds."""
    if not callable(condition):
        raise UsageError(f"waiting for {condition!r}: give a function that says whether it is so")
    end = pace.clock() + timeout * SECOND
    while not _so(condition(), what):
        failure = failed()
        if failure is not None:
            raise failure
        if pace.clock() > end:
            raise WaitTimeout(f"waited {timeout} s for {what}")
        await pace.pause(PAUSE)

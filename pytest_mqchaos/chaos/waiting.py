"""Waiting with a limit, and which of two twins to call: a waiting method stops a running loop."""

from __future__ import annotations

import asyncio
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


async def until(
    condition: Callable[[], object], *, timeout: float, what: str, pace: Pace,
    failed: Callable[[], BaseException | None] = lambda: None,
) -> None:  # fmt: skip
    """Return when `condition()` is true. Raises what `failed()` gives as soon as it gives anything,
    and `WaitTimeout` (saying `what`) after `timeout` seconds."""
    end = pace.clock() + timeout * SECOND
    while not condition():
        failure = failed()
        if failure is not None:
            raise failure
        if pace.clock() > end:
            raise WaitTimeout(f"waited {timeout} s for {what}")
        await pace.pause(PAUSE)

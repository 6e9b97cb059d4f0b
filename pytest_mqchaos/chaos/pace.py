"""How a Chaos waits: everything that waits is written once, as a coroutine, and paced.

    sync method   --done()---> its steps block the thread they are on; no loop is needed
    async twin    --apart()--> in real time a thread of its own, in virtual time the loop itself

It knows clocks and pauses; it must never know what is waited for.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol, TypeAlias, TypeVar

T = TypeVar("T")
Maybe: TypeAlias = T | Awaitable[T]  # there already (real time), or to be awaited (virtual time)


class Cancelable(Protocol):
    """A call to come."""

    def cancel(self) -> object: ...


class Pace(Protocol):
    """Whose time it is. `clock` is in ns and the same as that of the history's rows; `free`:
    waiting costs nothing."""

    @property
    def free(self) -> bool: ...

    def clock(self) -> int: ...

    async def pause(self, seconds: float) -> None:
        """Let so much time pass."""

    async def apart(self, work: Coroutine[Any, Any, T]) -> T:
        """Carry out `work`, paced by this, without holding up the loop that runs now."""

    def later(self, seconds: float, act: Callable[[], None]) -> Cancelable:
        """Call `act` once, when so much time has passed."""


class RealTime:
    """CLOCK_MONOTONIC, and threads that wait."""

    free = False
    clock = staticmethod(time.monotonic_ns)

    async def pause(self, seconds: float) -> None:
        time.sleep(seconds)  # noqa: ASYNC251 - `done` runs us where nobody else is held up

    async def apart(self, work: Coroutine[Any, Any, T]) -> T:
        return await asyncio.to_thread(done, work)

    def later(self, seconds: float, act: Callable[[], None]) -> Cancelable:
        timer = threading.Timer(seconds, act)
        timer.daemon = True
        timer.start()
        return timer


REAL = RealTime()


def done(work: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine whose every step blocks instead of waiting for a loop."""
    try:
        work.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    work.close()
    raise RuntimeError("work that waits for a loop was carried out without one")


async def given(value: Maybe[T]) -> T:
    """The value, awaited if it is still to come."""
    return await value if inspect.isawaitable(value) else value

"""Real work on threads that a simulation waits for: started and heard in the order of submission.

It knows futures of the loop that a thread will settle, and the inbox in which threads leave what
the loop shall run; it must never know what the work is.

    loop: submit(future, start) ------> pending, in order
    loop, when nothing is ready: settle() starts the first, waits, runs what its thread left
    thread: ... call_soon_threadsafe(set_result, future, ...) --> inbox

One runs at a time, so that two that touch the same thing do it in the same order in every run;
but one that takes long (it may wait for a lock that another will free) lets the next one start.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

PATIENCE = 0.25  # real seconds after which the next one starts as well
LIMIT = 30.0  # real seconds for one; then the simulation gives up, and says what for

_monotonic = time.monotonic  # the machine's: threads are real


@dataclass(slots=True, eq=False)
class Job:
    """Work in flight: what, for the one who reads the error; `start` begins it, once."""

    what: str
    start: Callable[[], None]
    started: bool = False


class Jobs:
    """All of one loop."""

    def __init__(self) -> None:
        self._pending: dict[asyncio.Future[Any], Job] = {}
        self._inbox: deque[tuple[asyncio.Future[Any] | None, asyncio.Handle]] = deque()
        self._arrived = threading.Condition()

    def __bool__(self) -> bool:
        return bool(self._pending or self._inbox)

    def submit(self, future: asyncio.Future[Any], what: str, start: Callable[[], None]) -> None:
        """Have work done whose thread will settle `future` through the loop."""
        self._pending[future] = Job(what, start)

    def leave(self, handle: asyncio.Handle, args: tuple[Any, ...]) -> None:
        """Take what a thread wants the loop to run; its arguments say whose it is."""
        future = next((arg for arg in args if isinstance(arg, asyncio.Future)), None)
        with self._arrived:
            self._inbox.append((future, handle))
            self._arrived.notify()

    def pending(self) -> list[str]:
        """What is in flight, in the order of submission."""
        return [job.what for job in self._pending.values()]

    def settle(self) -> list[asyncio.Handle]:
        """Wait for the first of those in flight; gives what is to run for it, and whatever was left
        on nobody's behalf. Raises `TimeoutError` after the limit (real time)."""
        strays = self._take(None)
        if strays or not self._pending:
            return strays
        first = next(iter(self._pending))
        limit = _monotonic() + LIMIT
        for job in list(self._pending.values()):
            if not job.started:
                job.started = True
                job.start()
            if found := self._wait(first, min(PATIENCE, limit - _monotonic())):
                return found
        if found := self._wait(first, limit - _monotonic()):
            return found
        raise TimeoutError(f"{LIMIT:g} real seconds were not enough for: {self.pending()[0]}")

    def _wait(self, future: asyncio.Future[Any], seconds: float) -> list[asyncio.Handle]:
        def here() -> bool:
            return any(owner in (future, None) for owner, _ in self._inbox)

        with self._arrived:
            self._arrived.wait_for(here, max(0.0, seconds))
        found = self._take(future)
        if found:
            del self._pending[future]
        return found or self._take(None)

    def _take(self, future: asyncio.Future[Any] | None) -> list[asyncio.Handle]:
        with self._arrived:
            taken = [handle for owner, handle in self._inbox if self._whose(owner) is future]
            kept = [item for item in self._inbox if self._whose(item[0]) is not future]
            self._inbox = deque(kept)
        return taken

    def _whose(self, owner: asyncio.Future[Any] | None) -> asyncio.Future[Any] | None:
        return owner if owner in self._pending else None

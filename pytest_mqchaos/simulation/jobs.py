"""Real work on threads that a simulation waits for: started and heard in the order of submission.

It knows futures of the loop that a thread will settle, and the inbox in which threads leave what
the loop shall run; it must never know what the work is.

    loop: submit(future, start) ------> pending, in order
    loop, when nothing is ready: settle() starts the first, waits, runs what its thread left
    thread: ... call_soon_threadsafe(set_result, future, ...) --> inbox

One runs at a time, so that two that touch the same thing do it in the same order in every run. What
holds a lock goes first (a database's open transaction), and one that takes long, as it may wait for
another, lets the next one start. Where nothing is left to start, another's answer is heard before
its: what comes behind that (the commit) may be what it waits for.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from pytest_mqchaos.simulation import crowd

PATIENCE = 0.1  # real seconds after which the next one starts as well, on an idle machine
STUCK = 1.0  # real seconds after which another's answer is heard, on an idle machine
LIMIT = 30.0  # real seconds for one; then the simulation gives up, and says what for

_monotonic = time.monotonic  # the machine's: threads are real


@dataclass(slots=True, eq=False)
class Job:
    """Work in flight: what, for the one who reads the error; `start` begins it, once."""

    what: str
    start: Callable[[], None]
    urgent: Callable[[], bool]
    started: bool = False


class Jobs:
    """All of one loop."""

    def __init__(self) -> None:
        self.pending: dict[asyncio.Future[Any], Job] = {}
        self._inbox: deque[tuple[asyncio.Future[Any] | None, asyncio.Handle]] = deque()
        self._arrived = threading.Condition()

    def __bool__(self) -> bool:
        return bool(self.pending or self._inbox)

    def submit(
        self,
        future: asyncio.Future[Any],
        what: str,
        start: Callable[[], None],
        *,
        urgent: Callable[[], bool] = lambda: False,
    ) -> None:
        """Have work done whose thread will settle `future` through the loop. `urgent`: whether it
        holds what others wait for, and is to begin before them."""
        self.pending[future] = Job(what, start, urgent)

    def owns(self, args: tuple[Any, ...]) -> bool:
        """True for the arguments of a callback that settles one of those in flight."""
        return any(isinstance(arg, asyncio.Future) and arg in self.pending for arg in args)

    def leave(self, handle: asyncio.Handle, args: tuple[Any, ...]) -> None:
        """Take what a thread wants the loop to run; its arguments say whose it is."""
        future = next((arg for arg in args if isinstance(arg, asyncio.Future)), None)
        with self._arrived:
            self._inbox.append((future, handle))
            self._arrived.notify()

    def told(self) -> list[str]:
        """What is in flight, in the order of submission, in words."""
        return [job.what for job in self.pending.values()]

    def settle(self) -> list[asyncio.Handle]:
        """Wait for the first of those in flight; gives what is to run for it, and whatever was left
        on nobody's behalf. Raises `TimeoutError` after the limit (real time)."""
        strays = self._take(None)
        if strays or not self.pending:
            return strays
        first = next(iter(self.pending))
        limit = _monotonic() + LIMIT
        while not self._here(first) and (following := self._following()) is not None:
            self.pending[following].started = True
            self.pending[following].start()
            self._wait_for(following, PATIENCE, limit)
        self._wait_for(first, STUCK, limit)
        if not self._here(first):
            self._wait(self.pending, limit - _monotonic())
            first = next(filter(self._here, self.pending), first)
        found = self._take(first)
        if not found:
            raise TimeoutError(f"{LIMIT:g} real seconds were not enough for: {self.told()[0]}")
        del self.pending[first]
        return found

    def _following(self) -> asyncio.Future[Any] | None:
        """Which to start next: what others may wait for, then the one asked for first."""
        waiting = [future for future, job in self.pending.items() if not job.started]
        urgent = (future for future in waiting if self.pending[future].urgent())
        return next(urgent, waiting[0] if waiting else None)

    def _here(self, future: asyncio.Future[Any]) -> bool:
        return any(owner is future for owner, _ in list(self._inbox))

    def _wait_for(self, future: asyncio.Future[Any], seconds: float, limit: float) -> None:
        """So long, or longer where there is too much to do: asked for those alone who are late."""
        self._wait([future], min(seconds, limit - _monotonic()))
        if not self._here(future):
            self._wait([future], min(seconds * (crowd.times() - 1), limit - _monotonic()))

    def _wait(self, futures: Iterable[asyncio.Future[Any]], seconds: float) -> None:
        """Until one of them is here."""
        with self._arrived:
            self._arrived.wait_for(lambda: any(map(self._here, futures)), max(0.0, seconds))

    def _take(self, future: asyncio.Future[Any] | None) -> list[asyncio.Handle]:
        with self._arrived:
            taken = [handle for owner, handle in self._inbox if self._whose(owner) is future]
            kept = [item for item in self._inbox if self._whose(item[0]) is not future]
            self._inbox = deque(kept)
        return taken

    def _whose(self, owner: asyncio.Future[Any] | None) -> asyncio.Future[Any] | None:
        return owner if owner in self.pending else None

"""The turn of the shell: who is ready, whose time has come.

It knows file descriptors and timers; it must never know what they are for.
"""

from __future__ import annotations

import heapq
import selectors
import socket
import time
from collections.abc import Callable
from typing import TypeAlias

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
Ready: TypeAlias = Callable[[int], None]
SECOND = 1_000_000_000


class Timer:
    """One call to come; `cancel` before it came."""

    __slots__ = ("call", "t")

    def __init__(self, t: int, call: Callable[[], None] | None) -> None:
        self.t = t
        self.call = call

    def cancel(self) -> None:
        self.call = None

    def __lt__(self, other: Timer) -> bool:
        return self.t < other.t


class Loop:
    """A selector and a heap of timers."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._timers: list[Timer] = []

    def watch(self, sock: socket.socket, before: int, mask: int, ready: Ready) -> None:
        """Change what a socket is watched for, from `before` to `mask`; 0 is nothing."""
        if before == mask:
            return
        if not before:
            self._selector.register(sock, mask, ready)
        elif mask:
            self._selector.modify(sock, mask, ready)
        else:
            self._selector.unregister(sock)

    def after(self, seconds: float, call: Callable[[], None]) -> Timer:
        """Call once, when at least so many seconds have passed."""
        timer = Timer(time.monotonic_ns() + int(seconds * SECOND), call)
        heapq.heappush(self._timers, timer)
        return timer

    def next_timer(self) -> int | None:
        """When the first timer is due (ns, monotonic)."""
        while self._timers and self._timers[0].call is None:
            heapq.heappop(self._timers)
        return self._timers[0].t if self._timers else None

    def due(self, now: int) -> None:
        """Call what is due."""
        while self._timers and self._timers[0].t <= now:
            call = heapq.heappop(self._timers).call
            if call is not None:
                call()

    def wait(self, timeout: float | None) -> list[tuple[Ready, int]]:
        """Wait until a socket is ready, at most `timeout` seconds."""
        return [(key.data, mask) for key, mask in self._selector.select(timeout)]

    def close(self) -> None:
        self._selector.close()

"""The turn of the shell: who is ready, whose time has come.

It knows file descriptors and timers; it must never know what they are for.
"""

from __future__ import annotations

import heapq
import select
import selectors
import socket
import time
from collections.abc import Callable
from typing import Protocol, TypeAlias

READ, WRITE = 1, 4  # EPOLLIN, EPOLLOUT: an event of the kernel is a mask of ours
Ready: TypeAlias = Callable[[int], None]
Events: TypeAlias = list[tuple[Ready, int]]
SECOND = 1_000_000_000


class Cancelable(Protocol):
    """A call to come."""

    def cancel(self) -> None: ...


class Timing(Protocol):
    """What a part needs of the loop that it runs on: its clock (ns, monotonic), and to be called
    once when at least so many seconds have passed."""

    @property
    def clock(self) -> Callable[[], int]: ...

    def after(self, seconds: float, call: Callable[[], None]) -> Cancelable: ...


class Poller(Protocol):
    """What waits for descriptors. A broken connection counts as readable and writable."""

    def watch(self, fd: int, before: int, mask: int, ready: Ready) -> None: ...

    def wait(self, timeout: float) -> Events: ...

    def close(self) -> None: ...


class Epoll:
    """Linux, without the 2 us that `selectors` adds to every turn."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._ready: dict[int, Ready] = {}

    def watch(self, fd: int, before: int, mask: int, ready: Ready) -> None:
        if not before:
            self._epoll.register(fd, mask)
            self._ready[fd] = ready
        elif mask:
            self._epoll.modify(fd, mask)
        else:
            self._epoll.unregister(fd)
            del self._ready[fd]

    def wait(self, timeout: float) -> Events:
        ready, found = self._ready, []
        for fd, mask in self._epoll.poll(timeout):  # one at a time, as a rule
            found.append((ready[fd], mask if mask in (1, 4, 5) else 5))
        return found

    def close(self) -> None:
        self._epoll.close()


class Selector:
    """Everywhere else."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()

    def watch(self, fd: int, before: int, mask: int, ready: Ready) -> None:
        wanted = (selectors.EVENT_READ if mask & READ else 0) | (
            selectors.EVENT_WRITE if mask & WRITE else 0
        )
        if not before:
            self._selector.register(fd, wanted, ready)
        elif mask:
            self._selector.modify(fd, wanted, ready)
        else:
            self._selector.unregister(fd)

    def wait(self, timeout: float) -> Events:
        return [
            (
                key.data,
                (READ if mask & selectors.EVENT_READ else 0)
                | (WRITE if mask & selectors.EVENT_WRITE else 0),
            )
            for key, mask in self._selector.select(timeout)
        ]

    def close(self) -> None:
        self._selector.close()


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
    """A poller and a heap of timers. `clock` is the one of everything that happens here (ns)."""

    clock = staticmethod(time.monotonic_ns)

    def __init__(self, poller: Poller | None = None) -> None:
        self._poller = poller or (Epoll() if hasattr(select, "epoll") else Selector())
        self.timers: list[Timer] = []  # a heap
        self.wait = self._poller.wait  # at most so many seconds, until a socket is ready

    def watch(self, sock: socket.socket, before: int, mask: int, ready: Ready) -> None:
        """Change what a socket is watched for, from `before` to `mask`; 0 is nothing. `ready` is
        the same as long as the socket is watched."""
        if before != mask:
            self._poller.watch(sock.fileno(), before, mask, ready)

    def after(self, seconds: float, call: Callable[[], None]) -> Timer:
        """Call once, when at least so many seconds have passed."""
        timer = Timer(self.clock() + int(seconds * SECOND), call)
        heapq.heappush(self.timers, timer)
        return timer

    def next_timer(self) -> int | None:
        """When the first timer is due (ns, monotonic)."""
        while self.timers and self.timers[0].call is None:
            heapq.heappop(self.timers)
        return self.timers[0].t if self.timers else None

    def due(self, now: int) -> None:
        """Call what is due."""
        while self.timers and self.timers[0].t <= now:
            call = heapq.heappop(self.timers).call
            if call is not None:
                call()

    def close(self) -> None:
        self._poller.close()

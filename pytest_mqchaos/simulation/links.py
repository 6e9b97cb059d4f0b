"""A client's end of a link in memory: the shape that the data plane's connections work with.

It knows a wire and what a socket would have said in its place; it must never know frames or rules.

    network --accept--> guest --join(ready)--> end <--want, read_into, send--> dataplane.Connection
"""

from __future__ import annotations

import errno
from collections import deque
from collections.abc import Callable
from typing import Any

from pytest_mqchaos.dataplane.loop import READ
from pytest_mqchaos.simulation.wire import Wire, broken


class WireEnd:
    """At first a guest, who may be sent away, then an end. `turn` is called after everything that
    it has heard: what follows from that has its say."""

    __slots__ = (
        "_call_soon", "_closed", "_ended", "_inbox", "_lost", "_offering", "_ready", "_turn",
        "_wanted", "_wire", "connecting", "embedded",
    )  # fmt: skip

    def __init__(self, wire: Wire, call_soon: Callable[..., Any], turn: Callable[[], None]) -> None:
        self._wire = wire
        self._call_soon = call_soon
        self._turn = turn
        self._ready: Callable[[int], None] | None = None
        self._inbox: deque[memoryview] = deque()
        self._wanted = self._ended = self._lost = self._closed = self._offering = False
        self.connecting = False
        self.embedded = False

    # ------------------------------------------------------------ a guest

    def port(self) -> int:
        """Where it came from."""
        return self._wire.client[1]

    def join(self, ready: Callable[[int], None]) -> WireEnd:
        """Be an end: `ready(READ)` is called when reading is wanted and would give something."""
        self._ready = ready
        return self

    # ------------------------------------------------------------ what the network says

    def received(self, data: bytes) -> None:
        self._inbox.append(memoryview(data))
        self._heard()

    def ended(self) -> None:
        self._ended = True
        self._heard()

    def lost(self) -> None:
        self._lost = True
        self._heard()

    def _heard(self) -> None:
        self._offer()
        self._turn()

    def _offer(self) -> None:
        ready = self._ready
        while self._wanted and ready is not None and (self._inbox or self._ended or self._lost):
            ready(READ)

    def _offer_later(self) -> None:
        self._offering = False
        self._heard()

    # ------------------------------------------------------------ an end

    def want(self, *, read: bool, write: bool) -> None:
        """Whether to be told of what comes. Writing always can."""
        del write
        self._wanted = read and not self._closed
        if self._wanted and not self._offering and (self._inbox or self._ended or self._lost):
            self._offering = True
            self._call_soon(self._offer_later)

    def send(self, data: bytes | memoryview) -> int:
        """Send all of it. Raises `OSError` as a socket does when nobody is there."""
        if self._lost or self._closed:
            raise broken(errno.EPIPE)
        self._wire.send(bytes(data))
        return len(data)

    def read_into(self, room: memoryview) -> int:
        """As a socket's `recv_into`, 0 at the end."""
        if self._inbox:
            data = self._inbox[0]
            size = min(len(data), len(room))
            room[:size] = data[:size]
            if size == len(data):
                self._inbox.popleft()
            else:
                self._inbox[0] = data[size:]
            return size
        if self._lost:
            raise broken(errno.ECONNRESET)
        if self._ended:
            return 0
        raise BlockingIOError

    def connected(self) -> None:
        """It always is."""

    def shutdown(self) -> None:
        """Say that nothing more will come."""
        if not (self._lost or self._closed):
            self._wire.end()

    def close(self, *, reset: bool = False) -> None:
        """Let go of it."""
        self._wanted = False
        if self._closed:
            return
        self._closed = True
        if reset:
            self._wire.reset()
        else:
            self._wire.close()

"""One direction of one connection: read bytes, the link's decisions, bytes that wait to leave.

It knows positions in a buffer; it must never know sockets (it is given a `send`) or protocols.

       sent      limit        parsed      filled          sent <= limit <= filled
    ----|- leaves -|-- undecided --|--- unseen ---|        parsed may lie before limit (the frame
    queue (made or edited bytes) leaves before [sent, limit)   leaves as it comes) or behind filled
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from pytest_mqchaos.dataplane.buffers import SIZE, Pool
from pytest_mqchaos.dataplane.parts import Link
from pytest_mqchaos.frames import Direction

Send: TypeAlias = Callable[[bytes | memoryview], int]
ROOM = 64 * 1024  # read no less than this at once
_NOTHING = memoryview(b"")


class Lane:
    """Bytes on their way from one side to the other."""

    __slots__ = (
        "_buf", "_pool", "_send", "_view", "blocked", "direction", "eof", "filled", "limit", "link",
        "parsed", "passed", "queue", "sent",
    )  # fmt: skip

    def __init__(self, link: Link, direction: Direction, send: Send, pool: Pool) -> None:
        self.link = link
        self.direction = direction
        self.queue: list[bytes | memoryview] = []
        self.sent = self.limit = self.parsed = self.filled = 0
        self.blocked = False  # the other side does not take
        self.eof = False  # this side has said all it will
        self.passed = False  # ... and the other side was told
        self._send = send
        self._pool = pool
        self._buf: bytearray | None = None
        self._view = _NOTHING

    # ------------------------------------------------------------ in

    def room(self) -> memoryview:
        """Where the next bytes go; at least 64 KiB."""
        if self._buf is None:
            self._buf, self._view = self._pool.take()
            return self._view
        if len(self._buf) - self.filled < ROOM:
            base = min(self.sent, self.parsed)
            self._buf, self._view = self._pool.moved(self._buf, self._view, base, self.filled)
            self.filled -= base
            self.sent -= base
            self.limit -= base
            self.parsed -= base
        return self._view[self.filled :]

    def feed(self, data: bytes, now: int) -> None:
        """Take bytes that came without a socket."""
        source = memoryview(data)
        while source:
            room = self.room()
            size = min(len(room), len(source))
            room[:size] = source[:size]
            self.filled += size
            source = source[size:]
            self.pump(now)

    # ------------------------------------------------------------ through

    def pump(self, now: int) -> None:
        """Let the link look at what is unseen, then send all that may leave."""
        link, direction, buf = self.link, self.direction, self._buf
        out = link.out[direction]
        while buf is not None and self.parsed < self.filled:
            if self.limit < self.parsed:  # noqa: PLR1730 - `max` is a call, twice a read
                self.limit = self.parsed  # the end of a frame that streams through
            if out and self.limit == self.parsed:
                self._emit(out, self.limit)
            if link.paused[direction]:
                break
            step = link.scan(direction, buf, self.parsed, self.filled, now)
            self.parsed, forward, decided = step
            if self.limit < forward:  # noqa: PLR1730 - see above
                self.limit = forward
            resume = self.parsed if decided else self.limit
            if out or resume > self.limit:
                self._emit(out, max(self.limit, resume))
            if not decided:
                break
        if self.parsed >= self.filled:
            self.limit = self.filled
        if out and self.limit == self.parsed:
            self._emit(out, self.limit)
        self.flush()

    def _emit(self, out: list[bytes], resume: int) -> None:
        """Queue `out` behind the raw bytes before it; raw bytes go on at `resume`."""
        if self.sent < self.limit:
            self.queue.append(bytes(self._view[self.sent : self.limit]))
        self.queue += out
        out.clear()
        self.sent = self.limit = resume

    # ------------------------------------------------------------ out

    def flush(self) -> None:
        """Send what may leave; sets `blocked`. Raises `OSError` when the other side is gone."""
        try:
            if self.queue:
                self._flush_queue()
            while self.sent < self.limit:
                self.sent += self._send(self._view[self.sent : self.limit])
        except (BlockingIOError, InterruptedError):
            self.blocked = True
            return
        self.blocked = False
        if self._buf is not None and self.sent >= self.filled <= self.parsed:
            self.parsed -= self.filled
            self.release()

    def _flush_queue(self) -> None:
        while self.queue:
            data = self.queue[0] if len(self.queue) == 1 else b"".join(self.queue)
            self.queue = [data]
            size = self._send(data)
            self.queue = [] if size == len(data) else [memoryview(data)[size:]]

    def owes(self) -> bool:
        """Whether bytes that were let through have not left yet."""
        return bool(self.queue) or self.sent < self.limit

    def full(self) -> bool:
        """Whether far more is kept than any read needs and none of it may leave."""
        return self.filled - self.sent > 64 * SIZE and self.limit < self.parsed

    # ------------------------------------------------------------ the end

    def cut(self) -> None:
        """Forget what was not let through."""
        self.filled = self.parsed = self.limit

    def release(self) -> None:
        """Give the buffer back."""
        if self._buf is not None:
            self._pool.give(self._buf, self._view)
            self._buf, self._view = None, _NOTHING
        self.sent = self.limit = self.filled = 0

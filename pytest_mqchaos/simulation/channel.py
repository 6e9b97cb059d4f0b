"""One direction of a connection in memory: bytes on their way, in order, then perhaps an end.

It knows chunks, who reads, and back-pressure; it must never know whose bytes they are.

    put --> chunks --(call_soon)--> reader.taken(data) ... reader.finished(error)
                 '-- drained() to the writer when the reader took some
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

CAPACITY = 256 * 1024  # bytes that the "kernel" holds before a writer's own buffer fills
CHUNK = 256 * 1024  # bytes at most in one delivery, as asyncio's sockets read


class Reader(Protocol):
    """Who takes what comes out."""

    def taken(self, data: bytes) -> None: ...

    def finished(self, error: OSError | None) -> None: ...


class Channel:
    """Bytes of one direction. `closed`: the reader is gone for good; `size`: bytes not yet read."""

    __slots__ = (
        "_call_soon", "_chunks", "_end", "_error", "_paused", "_scheduled", "closed", "drained",
        "reader", "size",
    )  # fmt: skip

    def __init__(self, call_soon: Callable[..., Any]) -> None:
        self._call_soon = call_soon
        self._chunks: deque[bytes] = deque()
        self._paused = True  # until its reader is made and says otherwise
        self._scheduled = False
        self._end = False
        self._error: OSError | None = None
        self.reader: Reader | None = None
        self.drained: Callable[[], None] | None = None
        self.closed = False
        self.size = 0

    @property
    def ended(self) -> bool:
        """True once the writer said that nothing more will come."""
        return self._end

    def put(self, data: bytes) -> bool:
        """Send bytes; nothing after `end`. False: nobody will read them, they are dropped."""
        if self.closed:
            return False
        if not self._end:
            self._chunks.append(data)
            self.size += len(data)
            if not self._scheduled and not self._paused:
                self._schedule()
        return True

    def end(self, error: OSError | None = None) -> None:
        """Say that nothing more comes; with an error the connection is broken, not ended."""
        if self.closed or (self._end and (error is None or self._error is not None)):
            return
        self._end = True
        self._error = error
        if not self._scheduled and not self._paused:
            self._schedule()

    def pause(self) -> None:
        """Hold everything, the end as well."""
        self._paused = True

    def resume(self) -> None:
        """Go on."""
        self._paused = False
        if not self._scheduled and (self._chunks or self._end):
            self._schedule()

    def trim(self, size: int) -> None:
        """Take back what was put last, until `size` bytes are left."""
        while self._chunks and self.size > size:
            last = self._chunks.pop()
            keep = max(0, len(last) - (self.size - size))
            self.size -= len(last) - keep
            if keep:
                self._chunks.append(last[:keep])

    def close(self) -> None:
        """The reader is gone: what is on its way is lost."""
        self.closed = True
        self._chunks.clear()
        self.size = 0
        self.reader = None

    def _schedule(self) -> None:
        self._scheduled = True
        self._call_soon(self._deliver)

    def _deliver(self) -> None:
        self._scheduled = False
        reader = self.reader
        if self._paused or reader is None:
            return
        if self._chunks:
            data = self._next()
            self.size -= len(data)
            if self._chunks or self._end:
                self._schedule()
            reader.taken(data)
            if self.drained is not None:
                self.drained()
        elif self._end:
            self.pause()  # said once
            reader.finished(self._error)

    def _next(self) -> bytes:
        chunks = self._chunks
        if self.size <= CHUNK:
            data = chunks[0] if len(chunks) == 1 else b"".join(chunks)
            chunks.clear()
            return data
        whole = b"".join(chunks)
        chunks.clear()
        chunks.append(whole[CHUNK:])
        return whole[:CHUNK]

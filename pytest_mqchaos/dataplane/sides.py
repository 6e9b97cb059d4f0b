"""A side request: one frame to a broker on a connection of our own, one reply back.

It knows a length prefix of four bytes (every protocol that has side requests frames so); it must
never know what is asked.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from pytest_mqchaos.dataplane.ends import End
from pytest_mqchaos.dataplane.loop import READ, WRITE, Ready, Timing

LIMIT = 10.0  # seconds; shorter than any session time-out that a recipe waits for
LARGEST = 1 << 20  # bytes of a reply; what recipes ask is answered in some hundred
_SIZE = struct.Struct(">i")
_CHUNK = 64 * 1024


class Side:
    """One such request; `done` is called once, with the reply (its length included) or None."""

    def __init__(
        self,
        frame: bytes,
        *,
        end: Callable[[Ready], End],
        loop: Timing,
        done: Callable[[Side, bytes | None], None],
    ) -> None:
        self._out = memoryview(frame)
        self._in = bytearray()
        self._done: Callable[[Side, bytes | None], None] | None = done
        self._timer = loop.after(LIMIT, lambda: self.finish(None))
        self.end: End | None = None
        try:
            self.end = end(self._ready)
            if not self.end.connecting:
                self._push()
            self._watch()
        except OSError:
            # The failure is the answer; it may not arrive before the caller knows the question.
            loop.after(0, lambda: self.finish(None))

    def _watch(self) -> None:
        if self.end is not None and self._done is not None:
            self.end.want(read=not self.end.connecting, write=bool(self._out))

    def _push(self) -> None:
        assert self.end is not None
        try:
            while self._out:
                self._out = self._out[self.end.send(self._out) :]
        except (BlockingIOError, InterruptedError):
            return

    def _ready(self, mask: int) -> None:
        if self.end is None or self._done is None:
            return
        try:
            if self.end.connecting:
                self.end.connected()
            if mask & WRITE:
                self._push()
            if mask & READ:
                room = bytearray(_CHUNK)
                size = self.end.read_into(memoryview(room))
                if not size:
                    self.finish(None)
                    return
                self.feed(room[:size])
            self._watch()
        except (BlockingIOError, InterruptedError):
            self._watch()
        except OSError:
            self.finish(None)

    def feed(self, data: bytes | bytearray, now: int = 0) -> None:
        """Bytes of the reply."""
        del now
        self._in += data
        if len(self._in) >= _SIZE.size:
            size = _SIZE.size + _SIZE.unpack_from(self._in)[0]
            if not _SIZE.size <= size <= LARGEST:
                self.finish(None)  # not what we asked: nothing is waited for, nothing kept
            elif len(self._in) >= size:
                self.finish(bytes(self._in[:size]))

    def finish(self, reply: bytes | None) -> None:
        """End it, whatever stands."""
        done, self._done = self._done, None
        if done is None:
            return
        self._timer.cancel()
        if self.end is not None:
            self.end.close()
        done(self, reply)

"""The pool of read buffers: taken when bytes arrive, given back when all of them have left.

It knows sizes; it must never know what is in them. Handing them out last-in first-out keeps the
one that is used most in the processor's cache; an idle connection owns none.
"""

from __future__ import annotations

SIZE = 256 * 1024  # one read's worth: larger gained nothing, smaller costs bulk throughput
GROWN = 8 * SIZE  # a buffer that is too small for its frame grows to no less than this: a client's
# largest batch or fetch is 1 MiB and a header by default, and each step of growth is a copy
KEEP = 64  # buffers that wait for use; more would only hold memory after a burst
LARGE = 8 << 20  # a larger one is kept for the next huge frame, up to this size
FEW = 4  # ... and so many
LIMIT = 256 << 20  # no frame that a codec holds whole may be larger

Buffer = tuple[bytearray, memoryview]


class Pool:
    """Buffers of one size, and a few larger ones for huge frames; the rest is dropped."""

    __slots__ = ("_free", "_large")

    def __init__(self) -> None:
        self._free: list[Buffer] = []
        self._large: list[Buffer] = []

    def take(self) -> Buffer:
        """A buffer of `SIZE` bytes with unknown content, and its view."""
        if self._free:
            return self._free.pop()
        buf = bytearray(SIZE)
        return buf, memoryview(buf)

    def give(self, buf: bytearray, view: memoryview) -> None:
        """Take a buffer back."""
        if len(buf) == SIZE and len(self._free) < KEEP:
            self._free.append((buf, view))
        elif SIZE < len(buf) <= LARGE and len(self._large) < FEW:
            self._large.append((buf, view))

    def moved(self, buf: bytearray, view: memoryview, start: int, end: int) -> Buffer:
        """Bytes [start, end) at the front of a buffer with room behind them: in place where that
        makes enough room, else in a larger one (`buf` is given back)."""
        kept = end - start
        if start > 0 and kept <= len(buf) - SIZE // 4:
            view[:kept] = view[start:end]  # overlapping is allowed
            return buf, view
        if kept * 2 > LIMIT:
            raise BufferError(f"a frame of more than {LIMIT} bytes cannot be held whole")
        larger = self._larger(max(GROWN, len(buf) * 2))
        larger[1][:kept] = view[start:end]
        self.give(buf, view)
        return larger

    def _larger(self, size: int) -> Buffer:
        for at, (kept, _) in enumerate(self._large):
            if len(kept) >= size:
                return self._large.pop(at)
        buf = bytearray(size)
        return buf, memoryview(buf)

"""The history file of one run: packed bytes in, appended and counted.

It knows a file and how much of it is written; it must never know what the bytes say. It never
stops the traffic: what cannot be written is told once, as trouble.

    append, append --> parts wait --> relieve (after what they tell of has gone on) --> file
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator

LARGE = 256 * 1024  # so much that waits is worth a write
FULL = 16 << 20  # so much may wait at all
# One write's worth. For larger writes the kernel takes larger runs of free memory, and those are
# what a virtual machine has given back to its host: 3-6 times as long a byte.
PIECE = 64 * 1024
MANY = 512  # parts of one write; POSIX allows 1024 on every system that we run on


class Recorder:
    """Appends to the file that `open` named."""

    def __init__(self, trouble: Callable[[str], None]) -> None:
        self._trouble = trouble
        self._fd = -1
        self._path = ""
        self._parts: list[bytes] = []
        self._size = 0
        self._broken = False
        self.written = 0

    @property
    def waiting(self) -> bool:
        """Whether bytes wait to be written."""
        return bool(self._parts)

    def open(self, path: str) -> None:
        """Append to `path` from now on; `written` counts from the file's present length. Raises
        `OSError` where that cannot be."""
        self.close()
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._fd = os.open(path, flags, 0o600)
        self._path = path
        self._broken = False
        self.written = os.fstat(self._fd).st_size

    def append(self, data: bytes) -> None:
        """Take packed entries; this is what an engine calls `sink`. Without a file there is no
        run: nothing is kept."""
        if self._fd < 0:
            return
        self._parts.append(data)
        self._size += len(data)
        if self._size >= FULL:
            self.flush()

    def relieve(self) -> None:
        """Write if much waits. Call it when the traffic has had its turn: nobody waits for it."""
        if self._size >= LARGE:
            self.flush()

    def flush(self) -> int:
        """Write what waits; the file's length as far as it is whole."""
        if self._parts:
            parts, self._parts = self._parts, []
            self._size = 0
            if not self._broken:
                self._write(parts)
        return self.written

    def _write(self, parts: list[bytes]) -> None:
        try:
            for some, whole in _pieces(parts):
                size = os.writev(self._fd, some)  # a joined copy of large frames would cost more
                self.written += size
                if size < whole:
                    self._write_rest(memoryview(b"".join(some))[size:])
        except OSError as error:
            # A torn entry in the middle would make all that follows unreadable: stop for good.
            self._broken = True
            self._trouble(f"the history {self._path} ends at byte {self.written}: {error}")

    def _write_rest(self, data: memoryview) -> None:
        while data:
            size = os.write(self._fd, data)
            self.written += size
            data = data[size:]

    def close(self) -> None:
        """Write what waits and let go of the file."""
        self.flush()
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = -1
        self._path = ""
        self._broken = False


def _pieces(parts: Iterable[bytes]) -> Iterator[tuple[list[bytes | memoryview], int]]:
    """The same bytes in the same order as (parts of one write, their length together)."""
    some: list[bytes | memoryview] = []
    whole = 0
    for part in parts:
        pieces = [part] if len(part) <= PIECE else _cut(part)
        for piece in pieces:
            some.append(piece)
            whole += len(piece)
            if whole >= PIECE or len(some) == MANY:
                yield some, whole
                some, whole = [], 0
    if some:
        yield some, whole


def _cut(part: bytes) -> list[memoryview]:
    view = memoryview(part)
    return [view[at : at + PIECE] for at in range(0, len(part), PIECE)]

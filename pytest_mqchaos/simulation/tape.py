"""The history of one simulated run, in memory: the bytes that the data plane would have written.

It knows bytes and how many; it must never know what they say.
"""

from __future__ import annotations


class MemoryTape:
    """The face of `dataplane.recorder.Recorder`."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._on = False
        self.written = 0

    @property
    def waiting(self) -> bool:
        """Nothing ever waits."""
        return False

    def open(self, path: str) -> None:
        """A new run, whose name is `path`."""
        del path
        self._data = bytearray()
        self._on = True
        self.written = 0

    def append(self, data: bytes) -> None:
        """Take packed entries. Where there is no run nothing is kept."""
        if self._on:
            self._data += data
            self.written += len(data)

    def relieve(self) -> None:
        """Nothing to write."""

    def flush(self) -> int:
        """The length."""
        return self.written

    def close(self) -> None:
        """No run any more; what was recorded can still be read."""
        self._on = False

    def read(self, length: int) -> tuple[bytes, str]:
        """The first so many bytes, and where they are."""
        return bytes(self._data[:length]), "the memory of this simulation"

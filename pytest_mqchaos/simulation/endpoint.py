"""What `transport.get_extra_info("socket")` gives: something to ask, nothing to do I/O with.

It knows two addresses; it must never hold a descriptor of the system.
"""

from __future__ import annotations

import socket


class Endpoint:
    """Answers as asyncio's `TransportSocket` does, as far as a connection in memory can."""

    __slots__ = ("_here", "_options", "_there")

    family = socket.AF_INET
    type = socket.SOCK_STREAM
    proto = socket.IPPROTO_TCP

    def __init__(self, here: tuple[str, int], there: tuple[str, int] | None = None) -> None:
        self._here = here
        self._there = there
        self._options: dict[tuple[int, int], int] = {}

    def getsockname(self) -> tuple[str, int]:
        return self._here

    def getpeername(self) -> tuple[str, int]:
        if self._there is None:
            raise OSError(107, "Transport endpoint is not connected")
        return self._there

    def fileno(self) -> int:
        """No descriptor: -1, as of a closed socket."""
        return -1

    def setsockopt(self, level: int, option: int, value: int) -> None:
        """Remembered, without effect."""
        self._options[level, option] = value

    def getsockopt(self, level: int, option: int) -> int:
        return self._options.get((level, option), 0)

    def gettimeout(self) -> float:
        return 0.0

    def setblocking(self, flag: bool) -> None:  # noqa: FBT001 - socket's own signature
        if flag:
            raise ValueError("setblocking(): a connection of an event loop cannot block")

"""Ports on the loopback that stay ours while a broker is down.

Chosen below the range from which systems take ports for outgoing connections: a client that knocks
at the port of a dead broker could otherwise be connected to itself. It must never know who listens.
"""

from __future__ import annotations

import errno
import os
import random
import socket
import sys
from typing import Self

from pytest_mqchaos.errors import BrokerError

LOOPBACK = "127.0.0.1"
_LOWEST, _HIGHEST = 15000, 32000  # Linux gives out 32768 and up, macOS 49152 and up


class Reservation:
    """One port. On Linux it stays bound (not listening) beside the broker's own socket, so nobody
    can take it while the broker is dead; elsewhere two binds exclude each other and it is only
    known to have been free."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = None
        self.port = self._take()

    def _take(self) -> int:
        dice = random.Random(os.urandom(8))
        for _ in range(200):
            port = dice.randint(_LOWEST, _HIGHEST)
            if _free(port):
                if sys.platform == "linux":
                    self._socket = _bound(port, reuse=True)
                return port
        raise BrokerError(f"no free port found on {LOOPBACK} between {_LOWEST} and {_HIGHEST}")

    def release(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def _bound(port: int, *, reuse: bool) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if reuse:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((LOOPBACK, port))
    except OSError:
        sock.close()
        raise
    return sock


def _free(port: int) -> bool:
    """Whether nobody has it; a bind without reuse also sees the reservations of others."""
    try:
        _bound(port, reuse=False).close()
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        return False
    return True

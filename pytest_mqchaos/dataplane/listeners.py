"""Our own listening sockets: one for each owner and broker node, on loopback.

It knows ports and who they belong to; it must never know what is said on them.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from typing import TypeAlias

from pytest_mqchaos.dataplane.ends import Guest, SocketGuest, exhausted
from pytest_mqchaos.dataplane.loop import READ, Loop
from pytest_mqchaos.errors import UsageError

BACKLOG = 512
PAUSE = 0.05  # seconds without accepting when the process has no descriptor left
Accepted: TypeAlias = Callable[[Guest, str, int], None]


class Listener:
    """One listening socket. `owner` is empty for the direct, unproxied one of a node."""

    def __init__(self, sock: socket.socket, owner: str, node: int, rooms: Listeners) -> None:
        self.sock = sock
        self.owner = owner
        self.node = node
        self._rooms = rooms
        self._mask = 0
        self.closed = False
        self._watch(READ)

    def _watch(self, mask: int) -> None:
        if not self.closed:
            self._rooms.loop.watch(self.sock, self._mask, mask, self._ready)
            self._mask = mask

    def _ready(self, mask: int) -> None:
        del mask
        if self.closed:
            return
        try:
            sock, _ = self.sock.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return  # the client went away before we came
        except OSError as error:
            full = exhausted(error)
            if not full:
                raise
            # The connection stays in the backlog and would wake us for ever: look away for a while.
            self._rooms.trouble(f"cannot accept for {self.owner or 'direct'}: {full}")
            self._watch(0)
            self._rooms.loop.after(PAUSE, lambda: self._watch(READ))
            return
        self._rooms.accepted(SocketGuest(sock, self._rooms.loop), self.owner, self.node)

    @property
    def address(self) -> tuple[str, int]:
        host, port = self.sock.getsockname()[:2]
        return host, port

    def close(self) -> None:
        self._watch(0)
        self.closed = True
        self.sock.close()


class Listeners:
    """All listeners of one data plane, on `host` only."""

    def __init__(
        self, loop: Loop, host: str, accepted: Accepted, trouble: Callable[[str], None]
    ) -> None:
        self.loop = loop
        self.host = host
        self.accepted = accepted
        self.trouble = trouble
        self._open: dict[tuple[str, int], Listener] = {}

    def address(self, owner: str, node: int, port: int = 0) -> tuple[str, int]:
        """Where `owner` finds broker `node`; bound on demand, on `port` if one is given. Raises
        `UsageError` for a port that is taken, `OSError` where no socket can be had."""
        found = self._open.get((owner, node))
        if found is None:
            found = self._open[owner, node] = self._bind(owner, node, port)
        elif port and found.address[1] != port:
            raise UsageError(
                f"{owner or 'direct'} already listens for node {node} on port {found.address[1]}, "
                f"not on {port}: unlisten first"
            )
        return found.address

    def _bind(self, owner: str, node: int, port: int) -> Listener:
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((self.host, port))
            sock.listen(BACKLOG)
        except OSError as error:
            sock.close()
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                raise UsageError(
                    f"cannot listen on {self.host}:{port}: {error.strerror}; free it, or give "
                    "port 0 to have one chosen"
                ) from error
            raise
        return Listener(sock, owner, node, self)

    def known(self) -> list[tuple[str, int]]:
        """Who listens for which node."""
        return list(self._open)

    def close(self, owner: str | None = None) -> None:
        """Close those of one owner, or all."""
        for key in [key for key in self._open if owner is None or key[0] == owner]:
            self._open.pop(key).close()

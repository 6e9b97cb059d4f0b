"""The two kinds of far side that a connection has: a socket, or the embedded cluster.

It knows how bytes are taken and given at one end; it must never know what goes on in between.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Callable
from typing import Protocol

from pytest_mqchaos.dataplane.loop import READ, WRITE, Loop, Ready
from pytest_mqchaos.dataplane.parts import Cluster

_RESET = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 s: close() sends RST


class End(Protocol):
    """One side of a connection."""

    embedded: bool
    connecting: bool

    def send(self, data: bytes | memoryview) -> int: ...

    def read_into(self, room: memoryview) -> int: ...

    def want(self, *, read: bool, write: bool) -> None: ...

    def connected(self) -> None: ...

    def shutdown(self) -> None: ...

    def close(self, *, reset: bool = False) -> None: ...


class Nodes(Protocol):
    """The way to the broker nodes; see `dataplane.upstreams.Upstreams`."""

    cluster: Cluster | None

    def end(self, node: int, ready: Callable[[int], None]) -> End: ...

    def where(self, node: int) -> str: ...


class Guest(Protocol):
    """A client that was let in and has not been served yet."""

    def port(self) -> int: ...

    def join(self, ready: Ready) -> End: ...

    def close(self) -> None: ...


class SocketGuest:
    """One that came by TCP."""

    __slots__ = ("_loop", "_sock")

    def __init__(self, sock: socket.socket, loop: Loop) -> None:
        self._sock = sock
        self._loop = loop

    def port(self) -> int:
        """Where it came from. Raises `OSError` if it is gone already."""
        return int(self._sock.getpeername()[1])

    def join(self, ready: Ready) -> End:
        """Its end of the connection, from now on."""
        return SocketEnd(self._sock, self._loop, ready, connecting=False)

    def close(self) -> None:
        self._sock.close()


class SocketEnd:
    """A TCP socket. `ready` is called with the mask of what can be done."""

    __slots__ = ("_loop", "_mask", "_ready", "connecting", "embedded", "read_into", "send", "sock")

    def __init__(self, sock: socket.socket, loop: Loop, ready: Ready, *, connecting: bool) -> None:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = sock
        self.embedded = False
        self.connecting = connecting
        self.send = sock.send
        self.read_into = sock.recv_into
        self._loop = loop
        self._ready = ready
        self._mask = 0

    def want(self, *, read: bool, write: bool) -> None:
        mask = (READ if read else 0) | (WRITE if write else 0)
        if mask != self._mask:
            self._loop.watch(self.sock, self._mask, mask, self._ready)
            self._mask = mask

    def connected(self) -> None:
        """The connection attempt is over. Raises `OSError` where it failed."""
        error = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise OSError(error, os.strerror(error))
        self.connecting = False

    def shutdown(self) -> None:
        """Say that nothing more will come."""
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError as error:
            if error.errno != errno.ENOTCONN:  # it is gone already: that says the same
                raise

    def close(self, *, reset: bool = False) -> None:
        self.want(read=False, write=False)
        if reset:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.sock.close()


class ClusterEnd:
    """A connection of the embedded cluster; its output comes by `Connection.feed`. Raises
    ConnectionRefusedError where nobody is there to take it."""

    __slots__ = ("_clock", "_cluster", "_gone", "connecting", "embedded", "number")

    def __init__(self, cluster: Cluster, node: int, clock: Callable[[], int]) -> None:
        self._cluster = cluster
        self._clock = clock
        self._gone = False
        if not cluster.alive(node):
            raise ConnectionRefusedError(errno.ECONNREFUSED, f"node {node} is not running")
        self.number = cluster.connect(node, clock())
        self.connecting = False
        self.embedded = True

    def send(self, data: bytes | memoryview) -> int:
        if not self._gone:
            self._cluster.receive(self.number, data, self._clock())
        return len(data)

    def read_into(self, room: memoryview) -> int:
        del room
        raise BlockingIOError  # nothing is ever read: the cluster hands over

    def want(self, *, read: bool, write: bool) -> None:
        """Nothing to watch."""

    def connected(self) -> None:
        """It always is."""

    def shutdown(self) -> None:
        """A Kafka broker closes a connection whose client has said all it will."""
        self.close()

    def close(self, *, reset: bool = False) -> None:  # noqa: ARG002 - one shape for both kinds
        if not self._gone:
            self._gone = True
            self._cluster.disconnect(self.number, self._clock())


def exhausted(error: OSError) -> str:
    """What is said where no socket can be had because there is no room for one; empty for any other
    failure."""
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return f"{error}; each connection takes two, raise the limit of open files (ulimit -n)"
    return str(error) if error.errno in (errno.ENOBUFS, errno.ENOMEM) else ""


def connect(family: int, address: tuple[str, int]) -> tuple[socket.socket, bool]:
    """Start a connection; (socket, whether it is still connecting). Raises `OSError`."""
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        code = sock.connect_ex(address)
    except OSError:
        sock.close()
        raise
    if code not in (0, errno.EINPROGRESS):
        sock.close()
        raise OSError(code, f"cannot connect to {address[0]}:{address[1]}")
    return sock, code != 0 and not _there(sock)


def _there(sock: socket.socket) -> bool:
    """Whether it has connected meanwhile, as it has to a broker on this machine: that spares a turn
    of the loop. To ask for the peer takes no error away from who asks for that later."""
    try:
        sock.getpeername()
    except OSError:
        return False
    return True

"""The served side of a connection in memory: what a broker that lives in this process holds.

It knows bytes in both directions and how a connection ends; it must never know a protocol.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import Any, Protocol

from pytest_mqchaos.simulation.channel import Channel


class Peer(Protocol):
    """Who serves a connection. Called from the loop, never while it is itself calling. As over TCP,
    a client that closes its socket is heard as `ended`; that it does not read either is heard, as
    `lost`, when something is sent to it."""

    def received(self, data: bytes) -> None:
        """Bytes of the client."""

    def ended(self) -> None:
        """The client will send nothing more; it may still read (a half-close)."""

    def lost(self) -> None:
        """The client is gone, or broke the connection. Said once; nothing comes after it."""


Accept = Callable[["Wire"], Peer]


class Wire:
    """What the served side does with its connection. `client` is the address that it came from,
    `server` the one that it asked for (host, port)."""

    __slots__ = ("_call_soon", "_inbound", "_outbound", "_over", "client", "peer", "server")

    def __init__(
        self,
        inbound: Channel,
        outbound: Channel,
        *,
        call_soon: Callable[..., Any],
        client: tuple[str, int],
        server: tuple[str, int],
    ) -> None:
        self._call_soon = call_soon
        self._inbound = inbound
        self._outbound = outbound
        self._over = False
        self.client = client
        self.server = server
        self.peer: Peer | None = None

    @property
    def backlog(self) -> int:
        """Bytes sent that the client has not taken yet (it may have stopped reading)."""
        return self._outbound.size

    def send(self, data: bytes) -> None:
        """Send bytes. To a client that is gone they are dropped, and answered by a reset."""
        if not self._outbound.put(data):
            self._call_soon(self._gone)

    def end(self) -> None:
        """Send nothing more (FIN); the client may go on sending."""
        self._outbound.end()

    def reset(self) -> None:
        """Break the connection (RST), after what was sent before; `lost` is not called for it."""
        self._over = True
        self._inbound.close()
        self._outbound.end(broken(errno.ECONNRESET))

    def close(self) -> None:
        """End it in both directions, as a process that closes its socket: FIN, and what the client
        sends from now on is answered by a reset."""
        self._over = True
        lossy = self._inbound.size > 0
        self._inbound.close()
        self._outbound.end(broken(errno.ECONNRESET) if lossy else None)

    def pause(self) -> None:
        """Take nothing more of the client: its writes fill its own buffers."""
        self._inbound.pause()

    def resume(self) -> None:
        """Go on taking."""
        if not self._over:
            self._inbound.resume()

    # ---------------------------------------------------------------------- called by the channel

    def serve(self, peer: Peer) -> None:
        """Begin: from now on the peer hears what comes."""
        self.peer = peer
        self._inbound.reader = self
        self._inbound.resume()

    def taken(self, data: bytes) -> None:
        assert self.peer is not None
        self.peer.received(data)

    def finished(self, error: OSError | None) -> None:
        assert self.peer is not None
        if error is None:
            self.peer.ended()
        else:
            self._gone()

    def _gone(self) -> None:
        if not self._over and self.peer is not None:
            self._over = True
            self.peer.lost()


def broken(number: int) -> OSError:
    """Make the error that the kernel would give, of its own class (ConnectionResetError...)."""
    return OSError(number, os.strerror(number))

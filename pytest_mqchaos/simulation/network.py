"""The network of a simulation: who listens where, and connections between them in memory.

It knows addresses and makes the two ends of a connection; it must never know what is said, nor
open a socket.

    client: loop.create_connection --> StreamTransport ==two channels== Wire --> Peer of a broker
                                                       '== or another StreamTransport (a server of
                                                           the user's own)
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING, Any, Protocol

from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.simulation.channel import Channel
from pytest_mqchaos.simulation.endpoint import Endpoint
from pytest_mqchaos.simulation.transport import StreamTransport
from pytest_mqchaos.simulation.wire import Accept, Wire, broken

if TYPE_CHECKING:
    import asyncio

LOOPBACK = "127.0.0.1"
_SAME = frozenset({"localhost", "::1", "0.0.0.0", "::", "", "localhost.localdomain"})  # noqa: S104
_FIRST_PORT = 20_000  # of those that are given out; the same in every run
_FIRST_CLIENT_PORT = 40_000

Address = tuple[str, int]


class Listener(Protocol):
    """Makes the other end of a new connection: reads `inbound`, writes `outbound`. May raise
    `OSError`: the client is refused."""

    def __call__(
        self, inbound: Channel, outbound: Channel, *, client: Address, server: Address
    ) -> None: ...


class Network:
    """All addresses of one simulation. Names of loopback are one host; any other name is a host of
    its own, which exists while it listens."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._listeners: dict[Address, Listener] = {}
        self._hosts: dict[str, str] = {}
        self._ports = count(_FIRST_PORT)
        self._client_ports = count(_FIRST_CLIENT_PORT)
        self._open: dict[StreamTransport, None] = {}

    # ----------------------------------------------------------------------------------- serving

    def listen(self, accept: Accept, host: str = LOOPBACK, port: int = 0) -> int:
        """Serve connections to (host, port); gives the port (0: the next free one). `accept` makes
        the peer of a new connection; where it raises `OSError` (say `ConnectionRefusedError`), the
        client is refused. Raises `UsageError` where somebody listens already."""

        def served(
            inbound: Channel, outbound: Channel, *, client: Address, server: Address
        ) -> None:
            wire = Wire(
                inbound, outbound, call_soon=self._loop.call_soon, client=client, server=server
            )
            wire.serve(accept(wire))

        return self.listen_with(served, host, port)

    def listen_with(self, listener: Listener, host: str, port: int) -> int:
        """The same with both channels in hand."""
        host = canonical(host)
        if not port:
            port = next(port for port in self._ports if (host, port) not in self._listeners)
        if (host, port) in self._listeners:
            raise UsageError(f"{host}:{port} is listened on already in this simulation.")
        if host != LOOPBACK and host not in self._hosts:
            self._hosts[host] = f"10.0.0.{len(self._hosts) + 1}"
        self._listeners[host, port] = listener
        return port

    def unlisten(self, port: int, host: str = LOOPBACK) -> None:
        """Refuse new connections to a port; those that stand, stand."""
        self._listeners.pop((canonical(host), port), None)

    def listens(self, host: str, port: int) -> bool:
        """True where somebody serves that address now."""
        return (self._named(host), port) in self._listeners

    def knows(self, host: str) -> bool:
        """True for loopback and for every name that was ever listened on."""
        return self._named(host) == LOOPBACK or self._named(host) in self._hosts

    def address(self, host: str) -> str:
        """The numeric address of a host that is known."""
        host = self._named(host)
        return LOOPBACK if host == LOOPBACK else self._hosts[host]

    def _named(self, host: str) -> str:
        host = canonical(host)
        return next((name for name, number in self._hosts.items() if number == host), host)

    # -------------------------------------------------------------------------------- connecting

    async def connect(
        self, factory: Callable[[], asyncio.BaseProtocol], host: str, port: int
    ) -> tuple[StreamTransport, asyncio.BaseProtocol]:
        """Connect; as a socket, not before the next turn of the loop. Raises
        `ConnectionRefusedError`, as asyncio does, where nobody listens."""
        turn = self._loop.create_future()
        self._loop.call_soon(_arrive, turn)
        await turn
        server = (self.address(host), port)
        client = (LOOPBACK, next(self._client_ports))
        to_server, to_client = self._channel(), self._channel()
        listener = self._listeners.get((self._named(host), port), _refuse)
        try:
            listener(to_server, to_client, client=client, server=server)
        except OSError as error:
            number = error.errno or errno.ECONNREFUSED
            raise OSError(number, f"Connect call failed {server!r}") from error
        protocol = factory()
        transport = self.transport(to_client, to_server, here=client, there=server)
        transport.start(protocol)
        made = self._loop.create_future()
        self._loop.call_soon(_arrive, made)
        try:
            await made
        except BaseException:
            transport.close()
            raise
        return transport, protocol

    def transport(
        self,
        inbound: Channel,
        outbound: Channel,
        *,
        here: Address,
        there: Address,
        over: Callable[[StreamTransport], None] = lambda _: None,
    ) -> StreamTransport:
        """One end of a connection that asyncio code holds; `over` hears when it is closed."""
        extra: dict[str, Any] = {
            "peername": there,
            "sockname": here,
            "socket": Endpoint(here, there),
        }

        def forget(transport: StreamTransport) -> None:
            self._open.pop(transport, None)
            over(transport)

        transport = StreamTransport(self._loop, inbound, outbound, extra=extra, over=forget)
        self._open[transport] = None
        return transport

    def connections(self) -> list[StreamTransport]:
        """The ends that asyncio code holds and has not closed, in the order of their making."""
        return list(self._open)

    def _channel(self) -> Channel:
        return Channel(self._loop.call_soon)

    # ---------------------------------------------------------------------------------- resolving

    def resolve(self, host: str | None, port: int, kind: int = 0) -> list[Any]:
        """What `getaddrinfo` answers. Raises `socket.gaierror` for a name that nobody has."""
        name = host or LOOPBACK
        if not self.knows(name):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        kind = kind or socket.SOCK_STREAM
        return [(socket.AF_INET, kind, socket.IPPROTO_TCP, "", (self.address(name), port))]


def canonical(host: str) -> str:
    """One name for every name of loopback; any other as it is."""
    host = host.lower()
    return LOOPBACK if host in _SAME or host.startswith("127.") else host


def _refuse(inbound: Channel, outbound: Channel, *, client: Address, server: Address) -> None:
    del inbound, outbound, client, server
    raise broken(errno.ECONNREFUSED)


def _arrive(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)

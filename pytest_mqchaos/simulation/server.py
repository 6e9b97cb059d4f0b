"""A server of the user's own, on the network of a simulation.

It knows what `asyncio.start_server` returns and is asked; it must never know what is served.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Any

from pytest_mqchaos.simulation.channel import Channel
from pytest_mqchaos.simulation.endpoint import Endpoint
from pytest_mqchaos.simulation.network import LOOPBACK, Address, Network
from pytest_mqchaos.simulation.transport import StreamTransport


class VirtualServer(asyncio.AbstractServer):
    """As `asyncio.Server`: listens from `start_serving` to `close`."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        network: Network,
        factory: Callable[[], asyncio.BaseProtocol],
        hosts: list[str | None],
        port: int,
    ) -> None:
        self._loop = loop
        self._network = network
        self._factory = factory
        self._hosts = [host or LOOPBACK for host in hosts]
        self._port = port
        self._bound: list[Address] = []
        self._serving = False
        self._over = False
        self._closed = loop.create_future()
        self._forever: asyncio.Future[None] | None = None
        self._connections: dict[StreamTransport, None] = {}

    @property
    def sockets(self) -> tuple[Any, ...]:
        """One for each address listened on; it answers `getsockname`."""
        return tuple(Endpoint(address) for address in self._bound)

    def get_loop(self) -> asyncio.AbstractEventLoop:
        return self._loop

    def is_serving(self) -> bool:
        return self._serving

    async def start_serving(self) -> None:
        if self._serving:
            return
        self._serving = True
        for host in self._hosts:
            port = self._network.listen_with(self._accept, host, self._port)
            self._bound.append((host, port))

    async def serve_forever(self) -> None:
        if self._forever is not None:
            raise RuntimeError(f"server {self!r} is already being awaited on serve_forever()")
        await self.start_serving()
        self._forever = self._loop.create_future()
        try:
            await self._forever
        finally:
            self._forever = None
            self.close()
            await self.wait_closed()

    def close(self) -> None:
        for host, port in self._bound:
            self._network.unlisten(port, host)
        self._bound.clear()
        self._serving = False
        if self._forever is not None and not self._forever.done():
            self._forever.cancel()
        self._over = True
        self._maybe_closed()

    async def wait_closed(self) -> None:
        """As asyncio's: from Python 3.12 on also for the connections that were accepted."""
        await asyncio.shield(self._closed)

    def close_clients(self) -> None:
        """Close every connection that was accepted (Python 3.13)."""
        for transport in list(self._connections):
            transport.close()

    def abort_clients(self) -> None:
        """The same at once (Python 3.13)."""
        for transport in list(self._connections):
            transport.abort()

    def _accept(
        self, inbound: Channel, outbound: Channel, *, client: Address, server: Address
    ) -> None:
        transport = self._network.transport(
            inbound, outbound, here=server, there=client, over=self._lost
        )
        self._connections[transport] = None
        transport.start(self._factory())

    def _lost(self, transport: StreamTransport) -> None:
        del self._connections[transport]
        self._maybe_closed()

    def _maybe_closed(self) -> None:
        served = sys.version_info >= (3, 12) and bool(self._connections)
        if self._over and not served and not self._closed.done():
            self._closed.set_result(None)

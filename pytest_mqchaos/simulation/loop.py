"""The event loop of a simulation, as code that uses asyncio meets it.

It knows which of asyncio's calls stay in memory, which are real and admitted, and which would
escape; how time goes on is turns.py, how bytes go network.py.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import socket
from collections.abc import Callable
from contextvars import Context
from threading import get_ident
from typing import Any

from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.simulation import escapes, real_io, threads
from pytest_mqchaos.simulation.admitted import Admitted
from pytest_mqchaos.simulation.network import Network
from pytest_mqchaos.simulation.server import VirtualServer
from pytest_mqchaos.simulation.turns import Turns

_SOCKETS = "use asyncio's streams or create_connection, or test it over sockets"


class VirtualLoop(Turns):
    """A loop for one simulation, in one thread: `network` is where its connections lead, `admitted`
    what may be real. `limit` is how much virtual time may pass (ns).

    Raises `EscapedSimulation` for what can only be done in the real world; see `Turns` for the
    rest.
    """

    def __init__(self, *, limit: int | None = None, admitted: Admitted | None = None) -> None:
        super().__init__(limit=limit)
        self.network = Network(self)
        self.admitted = admitted or Admitted.nothing()

    # --------------------------------------------------------------------------------- connections

    async def create_connection(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        host: str | None = None,
        port: int | None = None,
        **options: Any,
    ) -> tuple[asyncio.BaseTransport, asyncio.BaseProtocol]:
        """As asyncio's: to an address of the simulation's network, or to a real one that was
        admitted."""
        sock = options.get("sock")
        if sock is not None or self.admitted.address((host, port)):
            return await self._real(protocol_factory, host, port, **options)
        if host is None or port is None:
            raise ValueError("host and port was not specified and no sock specified")
        if not self.network.knows(host):
            escapes.refuse_address("loop.create_connection", (host, port))
        if options.get("ssl"):
            raise UsageError(
                f"TLS to {host}:{port} cannot be simulated: the network is memory. Give the client "
                f"a plaintext configuration, or test it over sockets."
            )
        return await self.network.connect(protocol_factory, host, port)

    async def _real(
        self, factory: Callable[[], asyncio.BaseProtocol], *address: Any, **options: Any
    ) -> tuple[asyncio.BaseTransport, asyncio.BaseProtocol]:
        return await super().create_connection(factory, *address, **options)

    def _make_socket_transport(self, sock: socket.socket, *args: Any, **options: Any) -> Any:
        """Called by asyncio for a real connection: one that tells when it waits for an answer."""
        telling = real_io.asked(sock, self.sockets)
        return super()._make_socket_transport(telling, *args, **options)  # type: ignore[misc]

    async def create_server(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        host: Any = None,
        port: int | None = None,
        **options: Any,
    ) -> VirtualServer:
        """As asyncio's, on the simulation's network."""
        if options.get("ssl") or options.get("sock") is not None:
            raise UsageError("a simulated server has a host and a port, neither TLS nor a socket.")
        hosts = [host] if host is None or isinstance(host, str) else list(host)
        server = VirtualServer(self, self.network, protocol_factory, hosts, port or 0)
        if options.get("start_serving", True):
            await server.start_serving()
        return server

    async def getaddrinfo(  # type: ignore[override]
        self,
        host: str | bytes | None,
        port: str | int | None,
        *,
        family: int = 0,
        type: int = 0,  # noqa: A002 - asyncio's own name
        proto: int = 0,
        flags: int = 0,
    ) -> list[Any]:
        """Names of the simulation's network, and of what was admitted. Raises `socket.gaierror` for
        any other."""
        name = host.decode() if isinstance(host, bytes) else host
        if self.admitted.host(name):  # time stands still: who waits here keeps nobody waiting
            return socket.getaddrinfo(name, port, family, type, proto, flags)
        return self.network.resolve(name, int(port or 0), type)

    # ------------------------------------------------------------------------------------- threads

    def call_soon_threadsafe(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """As asyncio's; what comes from a thread is run when its turn has come (jobs.py)."""
        if self._thread_id in (None, get_ident()) and not self.jobs.owns(args):
            return self.call_soon(callback, *args, context=context)
        self._check_closed()  # type: ignore[attr-defined]
        handle = asyncio.Handle(callback, args, self, context)
        self.jobs.leave(handle, args)
        return handle

    def run_in_executor(  # type: ignore[override]
        self,
        executor: concurrent.futures.Executor | None,
        func: Callable[..., Any],
        *args: Any,
    ) -> asyncio.Future[Any]:
        """As asyncio's, where threads are admitted."""
        self._check_closed()  # type: ignore[attr-defined]
        if "to_thread" not in self.admitted.names:
            escapes.refuse(
                "a thread (asyncio.to_thread or loop.run_in_executor)",
                'name it: simulate(..., real=["to_thread"]). Virtual time stands still while it '
                "works",
            )
        return threads.execute(self, executor, func, args)

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """There is none: each call has a thread of its own."""
        del timeout

    # ------------------------------------------------------------------------------------- escapes

    async def create_datagram_endpoint(self, *_: Any, **__: Any) -> Any:
        """Escapes."""
        escapes.refuse("loop.create_datagram_endpoint", _SOCKETS)

    async def create_unix_connection(self, *_: Any, **__: Any) -> Any:
        """Escapes."""
        escapes.refuse("loop.create_unix_connection", "connect by host and port, and name those")

    async def create_unix_server(self, *_: Any, **__: Any) -> Any:
        """Escapes."""
        escapes.refuse("loop.create_unix_server", "serve on a host and a port")

    async def subprocess_exec(self, *_: Any, **__: Any) -> Any:
        """Escapes."""
        escapes.refuse("a subprocess (loop.subprocess_exec)", escapes.NEVER)

    async def subprocess_shell(self, *_: Any, **__: Any) -> Any:
        """Escapes."""
        escapes.refuse("a subprocess (loop.subprocess_shell)", escapes.NEVER)

    def add_signal_handler(  # type: ignore[override]
        self, sig: int, callback: Callable[..., object], *args: Any
    ) -> None:
        """Escapes."""
        del callback, args
        escapes.refuse(f"loop.add_signal_handler({sig!r})", "let the caller stop it, by cancelling")

"""A tiny asyncio host: serves a `Cluster` on loopback sockets, in a thread, for real clients.

Only tests use it; the product hosts the cluster in its data plane.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import socket
import threading
import time
from collections.abc import Iterator

from pytest_mqchaos.kafka_cluster.cluster import Cluster


class Client(asyncio.Protocol):
    """One connection of a client."""

    def __init__(self, host: Host, node: int) -> None:
        self._host, self._node = host, node

    def connection_made(self, transport) -> None:
        self._id = 0
        if not self._host.cluster.alive(self._node):
            transport.abort()
            return
        self._id = self._host.cluster.connect(self._node, time.monotonic_ns())
        self._host.transports[self._id] = transport

    def data_received(self, data) -> None:
        self._host.cluster.receive(self._id, data, time.monotonic_ns())
        self._host.flush()

    def connection_lost(self, _) -> None:
        if not self._id:
            return
        del self._host.transports[self._id]
        self._host.cluster.disconnect(self._id, time.monotonic_ns())
        self._host.flush()


class Host:
    """One listener a node. Everything happens on the thread's own loop."""

    def __init__(self, brokers: int, settings: dict[str, object]) -> None:
        self._listeners = {}
        for node in range(1, brokers + 1):
            self._listeners[node] = socket.create_server(("127.0.0.1", 0))
        addresses = {node: one.getsockname()[:2] for node, one in self._listeners.items()}
        self.cluster = Cluster(brokers=brokers, addresses=addresses, settings=settings)
        self.bootstrap = "{}:{}".format(*addresses[1])
        self.transports: dict[int, asyncio.Transport] = {}
        self._timer: asyncio.TimerHandle | None = None

    async def serve(self, started: threading.Event, stop: asyncio.Event) -> None:
        self._loop = asyncio.get_running_loop()
        servers = [
            await self._loop.create_server(functools.partial(Client, self, node), sock=one)
            for node, one in self._listeners.items()
        ]
        started.set()
        await stop.wait()
        for server in servers:
            server.close()
        # What was just accepted gets its transport first, then each transport goes: one left to the
        # collector after its server closed is an error inside asyncio (seen with 3.13.0).
        while self.transports or len(asyncio.all_tasks()) > 1:
            for transport in list(self.transports.values()):
                transport.abort()
            await asyncio.sleep(0)

    def flush(self) -> None:
        for connection, data in self.cluster.take_output():
            if connection in self.transports:
                self.transports[connection].write(data)
        for connection in self.cluster.take_closed():
            if connection in self.transports:
                self.transports[connection].close()
        if self._timer is not None:
            self._timer.cancel()
        due = self.cluster.next_wake()
        if due is not None:
            self._timer = self._loop.call_later(max(due - time.monotonic_ns(), 0) / 1e9, self._wake)

    def do(self, deed: str, *given: object) -> object:
        """Have something befall the brokers, from any thread; gives what came of it."""

        async def act() -> object:
            done = getattr(self.cluster, deed)(*given, time.monotonic_ns())
            self.flush()
            return done

        return asyncio.run_coroutine_threadsafe(act(), self._loop).result(5)

    def _wake(self) -> None:
        self.cluster.wake(time.monotonic_ns())
        self.flush()


@contextlib.contextmanager
def hosted(brokers: int = 1, **settings: object) -> Iterator[Host]:
    """Run a fresh cluster; settings in Kafka's names with `_` for `.`."""
    host = Host(brokers, {name.replace("_", "."): value for name, value in settings.items()})
    started = threading.Event()
    loop_and_stop: list = []

    async def main() -> None:
        stop = asyncio.Event()
        loop_and_stop.extend((asyncio.get_running_loop(), stop))
        await host.serve(started, stop)

    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    assert started.wait(5), "the host did not start"
    try:
        yield host
    finally:
        loop, stop = loop_and_stop
        loop.call_soon_threadsafe(stop.set)
        thread.join(5)
        assert not thread.is_alive(), "the host did not stop"
    assert host.cluster.take_failures() == []

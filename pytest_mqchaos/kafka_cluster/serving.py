"""Connections and frames: bytes in, requests to their handlers, answers in order, bytes out.

As in Kafka, one connection has one request in work: the next is looked at when that is answered.
It must never know what a request means, nor why a node stands still.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import count

from pytest_mqchaos.kafka_cluster import schema
from pytest_mqchaos.kafka_cluster.api.versions import unsupported
from pytest_mqchaos.kafka_cluster.apis import APIS
from pytest_mqchaos.kafka_cluster.registry import Api, Call, Instead
from pytest_mqchaos.kafka_cluster.state import State

_API_VERSIONS = 18
_SIZE = struct.Struct(">i")


@dataclass(slots=True, eq=False)
class _Connection:
    id: int
    node: int
    buffer: bytearray = field(default_factory=bytearray)
    busy: bool = False
    software: str = ""  # what the client calls its library (KIP-511)
    open: bool = True  # False: the client is gone; what it sent before is still done


class Serving:
    """Every connection of a cluster. `output`, `closed`, `failures` wait to be taken."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.output: list[tuple[int, bytes]] = []
        self.closed: list[int] = []
        self.failures: list[str] = []
        self._connections: dict[int, _Connection] = {}
        self._ids = count(1)
        self._ready: deque[_Connection] = deque()
        self._still: dict[int, list[tuple[int, bytes]]] = {}

    def connect(self, node: int) -> int:
        """Accept a connection to a node; gives its number."""
        connection = _Connection(next(self._ids), node)
        self._connections[connection.id] = connection
        return connection.id

    def receive(self, connection: int, data: bytes | memoryview, now: int) -> None:
        """Take bytes of a client, in any chunking. Bytes for a connection that has ended are
        dropped, as a network does."""
        found = self._connections.get(connection)
        if found is None or not found.open:
            return
        found.buffer += data
        self._ready.append(found)
        self.pump(now)

    def disconnect(self, connection: int, now: int) -> None:
        """Hear that the client is gone. Whole requests that it had sent are still done."""
        found = self._connections.get(connection)
        if found is not None:
            found.open = False
            self._ready.append(found)
            self.pump(now)

    def wake(self, now: int) -> None:
        """Do what is due."""
        self._guarded("timers", self.state.timers.run, now)
        self.pump(now)

    def hang_up(self, node: int) -> None:
        """End every connection to a node: its process is gone, with what it had to say."""
        self._still.pop(node, None)
        for connection in [one for one in self._connections.values() if one.node == node]:
            self._end(connection)

    def stand_still(self, node: int) -> None:
        """Take bytes for a node, do nothing with them, and keep what it would say."""
        self._still[node] = []

    def go_on(self, node: int) -> None:
        """Undo `stand_still`."""
        self.output += self._still.pop(node)
        self._ready.extend(one for one in self._connections.values() if one.node == node)

    def pump(self, now: int) -> None:
        """Serve until nothing is left to do now."""
        while True:
            if self.state.errands:
                self._guarded("errands", self.state.run_errands, now)
            if not self._ready:
                return
            self._serve(self._ready.popleft(), now)

    def _guarded(self, what: str, act: Callable[[int], None], now: int) -> None:
        try:
            act(now)
        except Exception as error:  # noqa: BLE001 - told by take_failures, never swallowed
            self.failures.append(f"{what}: {type(error).__name__}: {error}")

    def _serve(self, connection: _Connection, now: int) -> None:
        if connection.busy or connection.id not in self._connections:
            return
        if connection.node in self._still:
            return
        buffer = connection.buffer
        if len(buffer) >= _SIZE.size:
            (size,) = _SIZE.unpack_from(buffer)
            if not 0 <= size <= self.state.settings.socket_request_max_bytes:
                self._end(connection)
                return
            end = _SIZE.size + size
            if len(buffer) >= end:
                frame = bytes(memoryview(buffer)[_SIZE.size : end])
                del buffer[:end]
                self._later(connection)
                self._handle(connection, frame, now)
                return
        if not connection.open:
            del self._connections[connection.id]

    def _handle(self, connection: _Connection, frame: bytes, now: int) -> None:
        try:
            key, version, correlation = schema.head(frame)
            api = APIS.get(key)
            if api is not None and api.low <= version <= api.high:
                self._answer(connection, api, schema.parse(frame), now)
            elif key == _API_VERSIONS:
                self._send(connection, schema.render(key, 0, correlation, unsupported()))
            else:
                self._end(connection)
        except schema.Malformed:
            self._end(connection)  # as Kafka does with what it cannot parse

    def _answer(self, connection: _Connection, api: Api, request: schema.Request, now: int) -> None:
        connection.busy = True
        if request.key == _API_VERSIONS:
            connection.software = getattr(request.body, "client_software_name", "")
        call = Call(
            state=self.state,
            node=connection.node,
            version=request.version,
            client=request.client,
            software=connection.software,
            body=request.body,
            now=now,
            reply=partial(self._reply, connection, request),
        )
        try:
            answer = api.handle(call)
            if not isinstance(answer, Instead):
                self._reply(connection, request, answer, now)
            elif answer is Instead.SILENCE:
                connection.busy = False
            elif answer is Instead.HANG_UP:
                self._end(connection)
        except Exception as error:  # noqa: BLE001 - told by take_failures, never swallowed
            self.failures.append(f"{api.name} v{request.version}: {type(error).__name__}: {error}")
            self._end(connection)

    def _reply(
        self, connection: _Connection, request: schema.Request, values: schema.Values, now: int
    ) -> None:
        del now
        frame = schema.render(request.key, request.version, request.correlation, values)
        connection.busy = False
        self._send(connection, frame)
        self._later(connection)

    def _later(self, connection: _Connection) -> None:
        """Look at it again, if it has sent more already or is gone."""
        if connection.buffer or not connection.open:
            self._ready.append(connection)

    def _send(self, connection: _Connection, frame: bytes) -> None:
        if connection.open and connection.id in self._connections:
            self._still.get(connection.node, self.output).append((connection.id, frame))

    def _end(self, connection: _Connection) -> None:
        if self._connections.pop(connection.id, None) is not None and connection.open:
            self.closed.append(connection.id)

"""A `Talker` that speaks to a broker on a real address: the same questions, over a socket."""

from __future__ import annotations

import socket
import struct
import time
from typing import Any, Self

from tests.kafka_cluster.talking import Talker, frame

LIMIT = 20  # seconds for one answer
_NOT_YET = (14, 15, 16)  # loading, not available, not coordinator
_WHO = {"transaction_timeout": 1000, "producer_id": -1, "producer_epoch": -1}
_COORDINATED = (
    (0, 9, 7, {"group_id": "warm", "topics": [], "require_stable": True}),
    (1, 22, 4, {"transactional_id": "warm", **_WHO}),
)


class Dialer(Talker):
    """One connection; one request at a time. Close it, or use `with`."""

    def __init__(self, address: tuple[str, int], client: str = "c") -> None:
        self.client = client
        self._asked: dict[int, tuple[int, int]] = {}
        self._next = 0
        self._socket = socket.create_connection(address, LIMIT)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def wait_for_coordinators(self) -> None:
        """Return when groups and transactional ids are coordinated: a new broker makes their topics
        when it is asked for the first time."""
        for kind, api, version, values in _COORDINATED:
            until = time.monotonic() + LIMIT
            code = self.ask(10, 2, key="warm", key_type=kind).error_code
            while time.monotonic() < until and (
                code or self.ask(api, version, **values).error_code in _NOT_YET
            ):
                code = self.ask(10, 2, key="warm", key_type=kind).error_code

    def say(self, api: int, version: int, /, *, now: int | None = None, **values: Any) -> int:
        self._next += 1
        self._asked[self._next] = (api, version)
        self._socket.sendall(frame(api, version, self._next, values, self.client))
        return self._next

    def heard(self) -> list[Any]:
        """The one answer that is due."""
        head = self._bytes(4)
        return [self._read(head + self._bytes(struct.unpack(">i", head)[0]))]

    def _bytes(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            part = self._socket.recv(count - len(data))
            assert part, "the broker ended the connection"
            data += part
        return data

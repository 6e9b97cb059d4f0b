"""One connection to one Kafka node: a whole frame out, a whole frame back, within a limit.

It knows bytes and sockets; it must never know topics or groups. One exchange at a time: a lock
makes it safe to share. After any failure the socket is closed, as a late reply would be taken for
the next one's; the next exchange opens a new one.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from pytest_mqchaos.brokers.base import Address
from pytest_mqchaos.brokers.kafka_request import choose, correlation_of, decode, encode, refuse
from pytest_mqchaos.errors import BrokerError, WaitTimeout

_SMALLEST, _LARGEST = 4, 1 << 30  # of a reply frame; the least is a correlation id


class Connection:
    """Connects when first used. ConnectionError and other OSError mean: perhaps nobody heard."""

    def __init__(self, address: Address, clock: Callable[[], float] = time.monotonic) -> None:
        self.address = address
        self._clock = clock
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._served: dict[int, tuple[int, int]] = {}
        self._correlation = 0

    def exchange(self, frame: bytes, timeout: float) -> bytes:
        """Send one whole request frame, return one whole reply frame (length prefixes included).
        WaitTimeout if the node does not answer in time, OSError if the connection breaks."""
        with self._lock:
            return self._exchange(frame, self._clock() + timeout)

    def served(self, timeout: float) -> Mapping[int, tuple[int, int]]:
        """API key -> oldest and newest version (ApiVersions); asked once per connection."""
        with self._lock:
            return self._versions(self._clock() + timeout)

    def call(self, api: str, values: Mapping[str, object], timeout: float) -> Any:
        """One request by name, in the newest version that both know; returns the reply's body."""
        with self._lock:
            end = self._clock() + timeout
            version = choose(api, self._versions(end))
            return self._ask(api, version, values, end)

    def close(self) -> None:
        with self._lock:
            self._drop()

    def _versions(self, end: float) -> dict[int, tuple[int, int]]:
        if not self._served:
            # Version 0 is answered by every broker, whatever else it knows.
            reply = self._ask("ApiVersions", 0, {}, end)
            refuse(f"ApiVersions at {self.address}", reply.error_code)
            self._served = {int(a.api_key): (a.min_version, a.max_version) for a in reply.api_keys}
        return self._served

    def _ask(self, api: str, version: int, values: Mapping[str, object], end: float) -> Any:
        self._correlation += 1
        reply = self._exchange(encode(api, version, self._correlation, values), end)
        if correlation_of(reply) != self._correlation:
            self._drop()
            raise BrokerError(
                f"{self.address} answered {api} with correlation id {correlation_of(reply)}, asked "
                f"was {self._correlation}"
            )
        return decode(api, version, reply)

    def _exchange(self, frame: bytes, end: float) -> bytes:
        try:
            sock = self._connected(end)
            sock.settimeout(self._left(end))
            sock.sendall(frame)
            size = struct.unpack(">i", self._receive(sock, 4, end))[0]
            self._sane(size)
            return struct.pack(">i", size) + self._receive(sock, size, end)
        except TimeoutError as error:
            self._drop()
            raise WaitTimeout(f"{self.address} did not answer in time") from error
        except BaseException:  # also a Ctrl-C: the answer would be taken for the next one's
            self._drop()
            raise

    def _sane(self, size: int) -> None:
        if not _SMALLEST <= size <= _LARGEST:
            raise BrokerError(f"{self.address} does not speak Kafka: a frame of {size} bytes")

    def _connected(self, end: float) -> socket.socket:
        if self._socket is None:
            self._socket = socket.create_connection(self.address, timeout=self._left(end))
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._socket

    def _receive(self, sock: socket.socket, size: int, end: float) -> bytes:
        buffer = bytearray(size)
        view = memoryview(buffer)
        have = 0
        while have < size:
            sock.settimeout(self._left(end))
            got = sock.recv_into(view[have:])
            if not got:
                raise ConnectionResetError(f"{self.address} closed the connection")
            have += got
        return bytes(buffer)

    def _drop(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        self._served = {}

    def _left(self, end: float) -> float:
        left = end - self._clock()
        if left <= 0:
            raise TimeoutError
        return left

"""The test process's end of the control channel: JSON lines over a non-blocking socket.

It knows lines and limits; it must never know what they say.
"""

from __future__ import annotations

import json
import selectors
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any


class Lines:
    """Any thread may `send`; one thread reads `received`."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._sending = threading.Lock()

    def send(self, body: dict[str, Any], timeout: float) -> None:
        """Send one object. Raises `OSError` where the other side is gone, or takes nothing for
        `timeout` seconds (`TimeoutError`): half a line may be out then, the channel is done for."""
        data = memoryview(json.dumps(body, separators=(",", ":")).encode() + b"\n")
        until = time.monotonic() + timeout
        with self._sending:
            while data:
                try:
                    data = data[self._control.send(data) :]
                except BlockingIOError:
                    if not self._writable(until - time.monotonic()):
                        raise TimeoutError(f"it took nothing for {timeout} s") from None

    def _writable(self, seconds: float) -> bool:
        with selectors.DefaultSelector() as selector:  # select() refuses high descriptors
            selector.register(self._control, selectors.EVENT_WRITE)
            return bool(selector.select(max(0.0, seconds)))

    def received(self) -> Iterator[dict[str, Any]]:
        """Every object that comes, until the other side is gone."""
        rest = b""
        with selectors.DefaultSelector() as selector:
            selector.register(self._control, selectors.EVENT_READ)
            while True:
                selector.select()
                try:
                    data = self._control.recv(1 << 16)
                except BlockingIOError:
                    continue
                except OSError:
                    return  # reset: gone as well
                if not data:
                    return
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    yield json.loads(line)

"""The data plane's end of the control channel: JSON lines, never waiting.

It knows lines; it must never know what they ask for.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from typing import Any

from pytest_mqchaos.dataplane.loop import READ, WRITE, Loop

CHUNK = 64 * 1024


class Channel:
    """`line` is called with each object that came, `lost` once when the other side is gone."""

    def __init__(
        self,
        sock: socket.socket,
        loop: Loop,
        *,
        line: Callable[[Any], None],
        lost: Callable[[str], None],
    ) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._loop = loop
        self._line = line
        self._lost = lost
        self._in = bytearray()
        self._out = bytearray()
        self._mask = 0
        self._watch()

    def write(self, body: dict[str, Any]) -> None:
        """Send one object as soon as it can go."""
        self._out += json.dumps(body, separators=(",", ":")).encode() + b"\n"
        self._push()

    def _watch(self) -> None:
        mask = READ | (WRITE if self._out else 0)
        self._loop.watch(self._sock, self._mask, mask, self._ready)
        self._mask = mask

    def _ready(self, mask: int) -> None:
        if mask & WRITE:
            self._push()
        if mask & READ:
            self._pull()

    def _push(self) -> None:
        try:
            while self._out:
                del self._out[: self._sock.send(self._out)]
        except (BlockingIOError, InterruptedError):
            pass  # the rest goes when there is room: _watch
        except OSError as error:
            self._lost(f"the control channel broke: {error}")
            return
        self._watch()

    def _pull(self) -> None:
        try:
            data = self._sock.recv(CHUNK)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._lost(f"the control channel broke: {error}")
            return
        if not data:
            self._lost("the test process is gone")
            return
        self._in += data
        *lines, rest = self._in.split(b"\n")
        self._in = bytearray(rest)
        for line in lines:
            try:
                body = json.loads(line)
            except (ValueError, RecursionError) as error:
                self.write(
                    {"trouble": f"a control line is no JSON ({error}): {bytes(line[:80])!r}"}
                )
                continue
            try:
                self._line(body)
            except Exception as error:  # noqa: BLE001 - told; the lines behind it have their turn
                said = f"{type(error).__name__}: {error}: {bytes(line[:80])!r}"
                self.write({"trouble": f"a control line failed: {said}"})

    def drain(self, seconds: float) -> None:
        """Send what waits before the process ends, waiting at most so long."""
        self._sock.settimeout(seconds)
        try:
            self._sock.sendall(self._out)
        except OSError as error:
            self._lost(f"the control channel broke: {error}")
        self._out.clear()

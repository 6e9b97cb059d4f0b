"""Real sockets in a simulation: the selector of admitted addresses, and when time may go on.

It knows descriptors, which of them wait for the kernel or for an answer, and how long a real
answer may take; it must never know what is asked.

A connection is *asked* from a write until bytes come back; then it is quiet when nothing more
came for a moment (`grace`), or at once where the answer says itself that it is whole (PostgreSQL's
ReadyForQuery). While one is asked, virtual time stands still; of several, the one asked first is
heard first.
"""

from __future__ import annotations

import selectors
import socket
from typing import Any

from pytest_mqchaos.simulation import crowd

GRACE = 0.03  # real seconds; the rest of an answer that came in parts is there by then
LIMIT = 30.0  # real seconds for an answer
IDLE = 5.0  # real seconds for somebody to speak unasked, where nothing else can happen
_QUICK: int | None = getattr(socket, "TCP_QUICKACK", None)  # Linux
_READY_FOR_QUERY = tuple(b"Z\0\0\0\5" + state for state in (b"I", b"T", b"E"))


def grace() -> float:
    """Real seconds of silence after which an answer is whole. Who answers has to wait for a core
    where there are too few, in the middle of an answer, too."""
    return GRACE * crowd.times()


class RealSelector:
    """The selector that asyncio's loop wants, made when the first descriptor comes. `bool` is true
    while any is registered."""

    def __init__(self) -> None:
        self._inner: selectors.BaseSelector | None = None
        self.asked: dict[int, tuple[str, bool]] = {}  # fd: what for, whether an answer has begun

    def __bool__(self) -> bool:
        return self._inner is not None and bool(self._inner.get_map())

    @property
    def _selector(self) -> selectors.BaseSelector:
        if self._inner is None:
            self._inner = selectors.DefaultSelector()
        return self._inner

    def register(self, fileobj: Any, events: int, data: Any = None) -> Any:
        return self._selector.register(fileobj, events, data)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> Any:
        return self._selector.modify(fileobj, events, data)

    def unregister(self, fileobj: Any) -> Any:
        return self._selector.unregister(fileobj)

    def get_map(self) -> Any:
        return {} if self._inner is None else self._inner.get_map()

    def get_key(self, fileobj: Any) -> Any:
        return self._selector.get_key(fileobj)

    def close(self) -> None:
        if self._inner is not None:
            self._inner.close()

    # ------------------------------------------------------------------------------------ waiting

    def busy(self) -> bool:
        """True while somebody waits for the kernel (to connect, to write) or for an answer."""
        return bool(self) and bool(self._writers() or self._asked())

    def settle(self) -> list[Any]:
        """Wait for the first that waits; gives its events, empty where it is quiet. Raises
        `TimeoutError` after the limit."""
        if writers := self._writers():
            return self._wait(set(writers), LIMIT, "a connection, or room to write")
        first, (what, begun) = next(iter(self._asked().items()))
        if not begun:
            return self._wait({first}, LIMIT, what)
        events = self._only({first}, grace())
        if not events:
            self.asked.pop(first, None)
        return events

    def idle(self, seconds: float) -> list[Any]:
        """What came unasked, within some real seconds."""
        return self._selector.select(seconds) if self else []

    def _writers(self) -> list[int]:
        return [key.fd for key in self.get_map().values() if key.events & selectors.EVENT_WRITE]

    def _asked(self) -> dict[int, tuple[str, bool]]:
        """Those asked that are still read."""
        readable = self.get_map()
        return {fd: state for fd, state in self.asked.items() if fd in readable}

    def _wait(self, fds: set[int], seconds: float, what: str) -> list[Any]:
        events = self._only(fds, seconds)
        if not events:
            raise TimeoutError(f"{seconds:g} real seconds were not enough for: {what}")
        return events

    def _only(self, fds: set[int], seconds: float) -> list[Any]:
        """Events of some descriptors; those of others stay where they are, and come again."""
        with selectors.DefaultSelector() as apart:
            for fd in fds:
                key = self.get_key(fd)
                apart.register(fd, key.events, key.data)
            found = apart.select(seconds)
        return [(self.get_key(key.fd), mask) for key, mask in found]


class AskedSocket(socket.socket):
    """A socket that tells the selector when it was asked something and when an answer came."""

    selector: RealSelector

    def _ask(self, what: str) -> None:
        asked = self.selector.asked
        asked.pop(self.fileno(), None)
        asked[self.fileno()] = (what, False)

    def send(self, data: Any, *args: Any) -> int:
        self._ask(f"an answer from {self.getpeername()}")
        return super().send(data, *args)

    def sendmsg(self, buffers: Any, *args: Any) -> int:
        self._ask(f"an answer from {self.getpeername()}")
        return super().sendmsg(buffers, *args)

    def recv(self, size: int, *args: Any) -> bytes:
        data = super().recv(size, *args)
        self._heard(data[-6:], len(data))
        return data

    def recv_into(self, buffer: Any, *args: Any) -> int:
        size = super().recv_into(buffer, *args)
        self._heard(bytes(memoryview(buffer)[max(0, size - 6) : size]), size)
        return size

    def _heard(self, tail: bytes, size: int) -> None:
        asked = self.selector.asked
        if not size or tail in _READY_FOR_QUERY:
            asked.pop(self.fileno(), None)
        elif self.fileno() in asked:
            asked[self.fileno()] = (asked[self.fileno()][0], True)
            if _QUICK is not None:  # else the kernel may let the rest of an answer wait for 40 ms
                self.setsockopt(socket.IPPROTO_TCP, _QUICK, 1)

    def close(self) -> None:
        self.selector.asked.pop(self.fileno(), None)
        super().close()


def asked(sock: socket.socket, selector: RealSelector) -> AskedSocket:
    """The same connection, telling."""
    made = AskedSocket(sock.family, sock.type, sock.proto, fileno=sock.detach())
    made.selector = selector
    made.setblocking(False)
    return made

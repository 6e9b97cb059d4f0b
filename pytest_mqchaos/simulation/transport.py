"""The client's side of a connection in memory: an asyncio transport over two channels.

It knows what asyncio's own socket transport does with a protocol, call for call; it must never
know who is at the other end.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pytest_mqchaos.simulation.channel import CAPACITY, Channel
from pytest_mqchaos.simulation.wire import broken

_HIGH = 64 * 1024  # bytes; asyncio's own default


class StreamTransport(asyncio.Transport):
    """One end of a connection, for one protocol; `over` is called when it is closed for good."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        inbound: Channel,
        outbound: Channel,
        *,
        extra: Mapping[str, Any],
        over: Callable[[StreamTransport], None],
    ) -> None:
        super().__init__(dict(extra))
        self._loop = loop
        self._in = inbound
        self._out = outbound
        self._over = over
        self._protocol: asyncio.BaseProtocol = asyncio.Protocol()
        self._closing = False
        self._lost = False  # connection_lost is called, or will be
        self._eof = False  # we said that we send nothing more
        self._heard_end = False
        self._broken = False  # what we wrote was answered by a reset
        self._paused = False
        self._writing_paused = False
        self._high, self._low = _HIGH, _HIGH // 4

    def start(self, protocol: asyncio.BaseProtocol) -> None:
        """Begin: `connection_made`, and from the next turn on what comes in."""
        self._protocol = protocol
        self._in.reader = self
        self._out.drained = self._drained
        self._loop.call_soon(protocol.connection_made, self)
        self._loop.call_soon(self._read)

    def _read(self) -> None:
        if not (self._closing or self._paused):
            self._in.resume()

    # ----------------------------------------------------------------------------------- reading

    def is_reading(self) -> bool:
        return not self._closing and not self._paused

    def pause_reading(self) -> None:
        if self.is_reading():
            self._paused = True
            self._in.pause()

    def resume_reading(self) -> None:
        if self._paused and not self._closing:
            self._paused = False
            if not self._heard_end:
                self._in.resume()

    def taken(self, data: bytes) -> None:
        """Bytes came (called by the channel)."""
        protocol = self._protocol
        try:
            if isinstance(protocol, asyncio.BufferedProtocol):
                _fill(protocol, data)
            elif isinstance(protocol, asyncio.Protocol):
                protocol.data_received(data)
            else:
                protocol.data_received(data)  # type: ignore[attr-defined]  # of any other class
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:  # noqa: BLE001 - asyncio's own way: told, and broken off
            self._fatal(error, "Fatal error: protocol.data_received() call failed.")

    def finished(self, error: OSError | None) -> None:
        """Nothing more will come (called by the channel)."""
        self._heard_end = True
        if error is not None:
            self._break(error)
            return
        try:
            keep = self._protocol.eof_received()  # type: ignore[attr-defined]
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as failure:  # noqa: BLE001 - see above
            self._fatal(failure, "Fatal error: protocol.eof_received() call failed.")
            return
        if not keep:
            self.close()

    # ----------------------------------------------------------------------------------- writing

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not isinstance(data, bytes | bytearray | memoryview):
            raise TypeError(
                f"data argument must be a bytes-like object, not {type(data).__name__!r}"
            )
        if self._eof:
            raise RuntimeError("Cannot call write() after write_eof()")
        if not data or self._lost:
            return
        if self._broken:
            self._break(broken(errno.EPIPE))
            return
        if not self._out.put(bytes(data)):
            self._answered_by_reset()
        elif self._out.size > CAPACITY:
            self._maybe_pause()

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        self.write(b"".join(list_of_data))

    def _answered_by_reset(self) -> None:
        self._broken = True
        self._in.end(broken(errno.ECONNRESET))

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        if not (self._closing or self._eof):
            self._eof = True
            self._out.end()

    def get_write_buffer_size(self) -> int:
        """Bytes that wait here because those on the way are as many as a kernel holds."""
        return max(0, self._out.size - CAPACITY)

    def get_write_buffer_limits(self) -> tuple[int, int]:
        return self._low, self._high

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        if high is None:
            high = _HIGH if low is None else 4 * low
        if low is None:
            low = high // 4
        if not high >= low >= 0:
            raise ValueError(f"high ({high!r}) must be >= low ({low!r}) must be >= 0")
        self._high, self._low = high, low
        self._maybe_pause()

    def _maybe_pause(self) -> None:
        if not self._writing_paused and self.get_write_buffer_size() > self._high:
            self._writing_paused = True
            self._tell(self._protocol.pause_writing, "protocol.pause_writing() failed")

    def _drained(self) -> None:
        size = self.get_write_buffer_size()
        if self._writing_paused and size <= self._low and not self._lost:
            self._writing_paused = False
            self._tell(self._protocol.resume_writing, "protocol.resume_writing() failed")
        if self._closing and not self._lost and not size:
            self._finish(None)

    def _tell(self, call: Callable[[], object], failed: str) -> None:
        try:
            call()
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:  # noqa: BLE001 - asyncio's own way: told, not broken off
            self._report(error, failed)

    # ------------------------------------------------------------------------------------ ending

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            self._in.pause()
            if not self.get_write_buffer_size():
                self._finish(None)

    def abort(self) -> None:
        self._break(None)

    def _fatal(self, error: BaseException, text: str) -> None:
        if not isinstance(error, OSError):
            self._report(error, text)
        self._break(error)

    def _report(self, error: BaseException, text: str) -> None:
        self._loop.call_exception_handler(
            {"message": text, "exception": error, "transport": self, "protocol": self._protocol}
        )

    def _break(self, error: BaseException | None) -> None:
        if not self._lost:
            self._out.trim(CAPACITY)
            self._finish(error)

    def _finish(self, error: BaseException | None) -> None:
        if not self._lost:
            self._closing = self._lost = True
            self._in.pause()
            self._loop.call_soon(self._connection_lost, error)

    def _connection_lost(self, error: BaseException | None) -> None:
        try:
            self._protocol.connection_lost(error)  # type: ignore[arg-type]
        finally:
            self._out.drained = None
            self._out.end(broken(errno.ECONNRESET) if self._in.size else None)
            self._in.close()
            self._over(self)

    # ---------------------------------------------------------------------------------- protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._protocol


def _fill(protocol: asyncio.BufferedProtocol, data: bytes) -> None:
    view = memoryview(data)
    while view:
        buffer = memoryview(protocol.get_buffer(len(view)))
        if not buffer:
            raise RuntimeError("get_buffer() returned an empty buffer")
        size = min(len(buffer), len(view))
        buffer[:size] = view[:size]
        view = view[size:]
        protocol.buffer_updated(size)

"""The one reply to a question that was asked while time stands still.

It knows a length prefix of four bytes; it must never know what was asked.
"""

from __future__ import annotations

import struct

_SIZE = struct.Struct(">i")


class Reply:
    """Takes what an embedded broker says on one connection."""

    def __init__(self) -> None:
        self.data = bytearray()

    def feed(self, data: bytes, now: int) -> None:
        del now
        self.data += data

    def finish(self, reply: bytes | None) -> None:
        """The broker hung up: what is there is all there is."""

    def whole(self) -> bool:
        """Whether it is there."""
        if len(self.data) < _SIZE.size:
            return False
        return len(self.data) == _SIZE.size + int(_SIZE.unpack_from(self.data)[0])

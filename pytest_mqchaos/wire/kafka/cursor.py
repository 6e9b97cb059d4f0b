"""Reading Kafka's primitive types from a buffer, by position, without copying the buffer.

It knows the encodings (protocol guide, "Protocol Primitive Types"; compact forms: KIP-482) and no
API. `Ended` means that the bytes stop before the value does; it never leaves this folder.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

_I16, _I32, _I64 = struct.Struct(">h"), struct.Struct(">i"), struct.Struct(">q")


class Ended(Exception):
    """The buffer ends inside a value, or a length makes no sense."""


class Cursor:
    """A position in `data` that moves forward and never passes `end`."""

    __slots__ = ("at", "data", "end", "tagged")

    def __init__(
        self,
        data: bytes | bytearray | memoryview,
        at: int,
        end: int,
        *,
        tagged: bool = False,
    ) -> None:
        self.data = data
        self.at = at
        self.end = end
        self.tagged = tagged

    def skip(self, count: int) -> int:
        """Move on by `count` bytes; give the position before."""
        at = self.at
        if count < 0 or at + count > self.end:
            raise Ended
        self.at = at + count
        return at

    def i8(self) -> int:
        byte = self.data[self.skip(1)]
        return byte - 256 if byte > 127 else byte

    def i16(self) -> int:
        return int(_I16.unpack_from(self.data, self.skip(2))[0])

    def i32(self) -> int:
        return int(_I32.unpack_from(self.data, self.skip(4))[0])

    def i64(self) -> int:
        return int(_I64.unpack_from(self.data, self.skip(8))[0])

    def uvarint(self) -> int:
        value = shift = 0
        while True:
            byte = self.data[self.skip(1)]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
            if shift > 63:
                raise Ended

    def varint(self) -> int:
        """A zigzag varint, as records use them."""
        value = self.uvarint()
        return (value >> 1) ^ -(value & 1)

    def take(self, count: int) -> bytes:
        at = self.skip(count)
        return bytes(memoryview(self.data)[at : at + count])

    def _size(self) -> int:
        return self.uvarint() - 1 if self.tagged else self.i16()

    def string(self) -> str | None:
        """A string in the frame's own form (compact when `tagged`); None for null."""
        size = self._size()
        if size < 0:
            return None
        try:
            return self.take(size).decode()
        except UnicodeDecodeError:
            raise Ended from None

    def text(self) -> str:
        """A string that may not be null."""
        text = self.string()
        if text is None:
            raise Ended
        return text

    def skip_string(self) -> None:
        size = self._size()
        if size > 0:
            self.skip(size)

    def count(self) -> int:
        """The length of an array in the frame's own form, -1 for null."""
        count = self.uvarint() - 1 if self.tagged else self.i32()
        if count > self.end - self.at:
            raise Ended  # every element takes at least a byte
        return count

    def each(self) -> Iterator[int]:
        """Iterate over an array's indexes; the body of the loop reads each element."""
        return iter(range(self.count()))

    def skip_i32s(self) -> None:
        self.skip(4 * max(self.count(), 0))

    def tags(self) -> None:
        """Pass over tagged fields, if this frame has them."""
        if self.tagged:
            for _ in range(self.uvarint()):
                self.uvarint()
                self.skip(self.uvarint())


def uvarint(value: int) -> bytes:
    """Encode an unsigned varint."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def string(text: str, *, tagged: bool) -> bytes:
    """Encode a string that is not null, compact when `tagged`."""
    data = text.encode()
    return (uvarint(len(data) + 1) if tagged else _I16.pack(len(data))) + data

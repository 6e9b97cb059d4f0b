"""An input that is a conversation: chunks of several connections in order, events between them.

Every sequence of bytes is a tape, so that a fuzzer can change anything:

    tape  = options (4 bytes) | entry*
    entry = 0DDDDDLL? flags u8, length u16, data       bit 0: direction, bits 1-2: link
          | 1KKKKKKK    flags u8, argument u8           an event of kind K (what it means is the
                                                        target's business)
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

OPTIONS = 4
EVENT = 0x80
LINKS = 4
_CHUNK = struct.Struct("<BH")
LARGEST = 0xFFFF


class Chunk(NamedTuple):
    """Bytes that arrive at once. `to_client`: the broker said them."""

    link: int
    to_client: bool
    data: bytes


class Event(NamedTuple):
    """Something that is not bytes."""

    kind: int
    argument: int


Entry = Chunk | Event


def read(tape: bytes) -> tuple[bytes, list[Entry]]:
    """The options (always 4 bytes) and all entries; a torn last chunk has what is there."""
    options = tape[:OPTIONS].ljust(OPTIONS, b"\0")
    return options, list(_entries(tape))


def _entries(tape: bytes) -> Iterator[Entry]:
    at = OPTIONS
    while at < len(tape):
        flags = tape[at]
        if flags & EVENT:
            yield Event(flags & 0x7F, tape[at + 1] if at + 1 < len(tape) else 0)
            at += 2
            continue
        if at + _CHUNK.size > len(tape):
            return
        _, size = _CHUNK.unpack_from(tape, at)
        at += _CHUNK.size
        yield Chunk(flags >> 1 & 3, bool(flags & 1), tape[at : at + size])
        at += size


def write(options: bytes, entries: Iterable[Entry]) -> bytes:
    """The inverse of `read`; a chunk that is too long becomes two."""
    parts = [options[:OPTIONS].ljust(OPTIONS, b"\0")]
    for entry in entries:
        if isinstance(entry, Event):
            parts.append(bytes((EVENT | entry.kind & 0x7F, entry.argument & 0xFF)))
            continue
        flags = (entry.link & 3) << 1 | entry.to_client
        for at in range(0, max(len(entry.data), 1), LARGEST):
            piece = entry.data[at : at + LARGEST]
            parts += (_CHUNK.pack(flags, len(piece)), piece)
    return b"".join(parts)


def streams(entries: Iterable[Entry]) -> dict[tuple[int, bool], bytes]:
    """Everything that each side of each link said."""
    said: dict[tuple[int, bool], bytearray] = {}
    for entry in entries:
        if isinstance(entry, Chunk):
            said.setdefault((entry.link, entry.to_client), bytearray()).extend(entry.data)
    return {side: bytes(data) for side, data in said.items()}

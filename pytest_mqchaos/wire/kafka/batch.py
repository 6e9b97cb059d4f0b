"""The 61-byte header of a record batch (magic 2, KIP-98): reading it and changing it in place.

    base offset i64 | length i32 | leader epoch i32 | magic i8 | crc u32 | attributes i16 |
    last offset delta i32 | first, max timestamp i64 | producer id i64 | producer epoch i16 |
    base sequence i32 | count i32 | records...

The CRC-32C covers everything from the attributes on; base offset and leader epoch may change.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

from pytest_mqchaos.wire.kafka.compression import Unreadable

HEADER = struct.Struct(">qiibIhiqqqhii")
_PREFIX = struct.Struct(">qiib")
CRC_FROM = 21

COMPRESSION, LOG_APPEND_TIME, TRANSACTIONAL, CONTROL = 0x07, 0x08, 0x10, 0x20


class Batch(NamedTuple):
    """A batch's header and where the whole batch stands: blob[start:end]. `size` counts records."""

    base_offset: int
    length: int
    leader_epoch: int
    magic: int
    crc: int
    attributes: int
    last_offset_delta: int
    first_timestamp: int
    max_timestamp: int
    producer_id: int
    producer_epoch: int
    base_sequence: int
    size: int
    start: int
    end: int

    @property
    def last_offset(self) -> int:
        return self.base_offset + self.last_offset_delta

    @property
    def control(self) -> bool:
        return bool(self.attributes & CONTROL)

    @property
    def transactional(self) -> bool:
        return bool(self.attributes & TRANSACTIONAL)


def slices(blob: bytes) -> Iterator[tuple[int, int, int]]:
    """(magic, start, end) of every whole entry; a torn last one (brokers cut at the byte limit) is
    left out. Raises `Unreadable` for an entry that cannot be one."""
    at, end = 0, len(blob)
    while end - at >= _PREFIX.size:
        _, length, _, magic = _PREFIX.unpack_from(blob, at)
        if length < 5 or magic not in (0, 1, 2):
            raise Unreadable(f"a record batch of magic {magic} and {length} bytes at {at}")
        stop = at + 12 + length
        if stop > end:
            return
        yield magic, at, stop
        at = stop


def header(blob: bytes, start: int, end: int) -> Batch:
    """Read one header of magic 2."""
    if end - start < HEADER.size:
        raise Unreadable(f"a record batch of {end - start} bytes")
    return Batch._make((*HEADER.unpack_from(blob, start), start, end))


def patch(  # each argument is one field of the header
    batch: bytes,
    *,
    base_offset: int | None = None,
    leader_epoch: int | None = None,
    producer_id: int | None = None,
    producer_epoch: int | None = None,
    base_sequence: int | None = None,
    append_time: int | None = None,
) -> bytes:
    """One whole batch with header fields changed and its CRC made right; records stay as they are.

    `append_time` (ms) marks it LogAppendTime, as a broker does for such topics.
    """
    old = header(batch, 0, len(batch))
    new = old._replace(
        base_offset=_or(base_offset, old.base_offset),
        leader_epoch=_or(leader_epoch, old.leader_epoch),
        producer_id=_or(producer_id, old.producer_id),
        producer_epoch=_or(producer_epoch, old.producer_epoch),
        base_sequence=_or(base_sequence, old.base_sequence),
        max_timestamp=_or(append_time, old.max_timestamp),
        attributes=old.attributes | (LOG_APPEND_TIME if append_time is not None else 0),
    )
    out = bytearray(batch)
    if new[5:13] == old[5:13]:  # nothing under the CRC: leave even a wrong one as it came
        _PREFIX.pack_into(out, 0, new.base_offset, old.length, new.leader_epoch, old.magic)
    else:
        HEADER.pack_into(out, 0, *new[:13])
        seal(out)
    return bytes(out)


def seal(batch: bytearray) -> None:
    """Write the CRC of a whole batch into its header."""
    crc = checksum()(bytes(memoryview(batch)[CRC_FROM:]))
    struct.pack_into(">I", batch, CRC_FROM - 4, crc)


def sound(blob: bytes, batch: Batch) -> bool:
    """Whether the batch's CRC is right."""
    return checksum()(blob[batch.start + CRC_FROM : batch.end]) == batch.crc


def _or(given: int | None, old: int) -> int:
    return old if given is None else given


@cache
def checksum() -> Callable[[bytes], int]:
    """CRC-32C (Castagnoli): the package that kio brings, else a table of our own."""
    try:
        from crc32c import crc32c
    except ImportError:
        return crc32c_table
    return crc32c  # type: ignore[no-any-return,unused-ignore]


@cache
def _table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return tuple(table)


def crc32c_table(data: bytes) -> int:
    """CRC-32C in plain Python."""
    table, value = _table(), 0xFFFFFFFF
    for byte in data:
        value = table[(value ^ byte) & 0xFF] ^ value >> 8
    return value ^ 0xFFFFFFFF

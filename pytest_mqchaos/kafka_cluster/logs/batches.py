"""Record batches of magic 2 as raw bytes: the 61-byte header is read and patched, records stay.

It knows the layout (KIP-98), nothing of logs or producers. The checksum covers what follows it, so
base offset and leader epoch may be patched without touching it.

    0 base offset i64 | 8 length i32 | 12 leader epoch i32 | 16 magic i8 | 17 crc u32
    21 attributes i16 | 23 last offset delta i32 | 27 base timestamp i64 | 35 max timestamp i64
    43 producer id i64 | 51 producer epoch i16 | 53 base sequence i32 | 57 count i32 | 61 records
"""

from __future__ import annotations

import struct
from typing import NamedTuple

import crc32c

MAGIC = 2
HEADER = 61
GZIP, SNAPPY, LZ4, ZSTD = 1, 2, 3, 4
_CODEC_BITS, _TRANSACTIONAL, _CONTROL = 0x07, 0x10, 0x20
_LENGTH_AT, _MAGIC_AT = 8, 16
_CHECKED_FROM = 21
_LENGTH_COUNTS_FROM = 12
_LAYOUT = struct.Struct(">qiibIhiqqqhii")
_LENGTH = struct.Struct(">i")
_PLACE = struct.Struct(">q4si")
_SEQUENCES = 2**31


class Batch(NamedTuple):
    """One batch. `base` and `last` are offsets (the producer's own until a log placed it),
    `records` counts; `epoch` is the producer's,
    `leader_epoch` the partition's; timestamps are milliseconds since the epoch."""

    base: int
    last: int
    records: int
    attributes: int
    base_timestamp: int
    max_timestamp: int
    producer_id: int
    epoch: int
    first_sequence: int
    leader_epoch: int
    raw: bytes

    @property
    def codec(self) -> int:
        return self.attributes & _CODEC_BITS

    @property
    def transactional(self) -> bool:
        return bool(self.attributes & _TRANSACTIONAL)

    @property
    def control(self) -> bool:
        return bool(self.attributes & _CONTROL)

    @property
    def last_sequence(self) -> int:
        """The last record's sequence: it wraps to 0 behind 2**31 - 1."""
        return (self.first_sequence + self.last - self.base) % _SEQUENCES


class Unreadable(ValueError):
    """These bytes are no whole, sound batch of magic 2. `corrupt` tells a broken one from a wrong
    kind."""

    def __init__(self, text: str, *, corrupt: bool = True) -> None:
        super().__init__(text)
        self.corrupt = corrupt


def read(raw: bytes) -> Batch:
    """Read exactly one batch and check its checksum. Raises `Unreadable`."""
    _check_extent(raw)
    base, length, leader_epoch, _, crc, *rest = _LAYOUT.unpack_from(raw)
    attributes, delta, first_time, max_time, producer_id, epoch, sequence, count = rest
    if length + _LENGTH_COUNTS_FROM < len(raw):
        raise Unreadable("a request has exactly one record batch a partition", corrupt=False)
    if crc32c.crc32c(memoryview(raw)[_CHECKED_FROM:]) != crc:
        raise Unreadable("the record batch's checksum does not match its bytes")
    if delta < 0 or count != delta + 1:
        raise Unreadable(f"{count} records do not end at offset delta {delta}", corrupt=False)
    return Batch(
        base=base,
        last=base + delta,
        records=count,
        attributes=attributes,
        base_timestamp=first_time,
        max_timestamp=max_time,
        producer_id=producer_id,
        epoch=epoch,
        first_sequence=sequence,
        leader_epoch=leader_epoch,
        raw=raw,
    )


def _check_extent(raw: bytes) -> None:
    if len(raw) > _MAGIC_AT and raw[_MAGIC_AT] != MAGIC:
        text = f"only record batches of magic {MAGIC} are allowed, this has {raw[_MAGIC_AT]}"
        raise Unreadable(text, corrupt=False)
    whole = len(raw) >= HEADER
    if whole:
        (length,) = _LENGTH.unpack_from(raw, _LENGTH_AT)
        if length + _LENGTH_COUNTS_FROM < HEADER:
            raise Unreadable(f"a record batch has at least {HEADER} bytes, this says {length}")
        whole = length + _LENGTH_COUNTS_FROM <= len(raw)
    if not whole:
        raise Unreadable(f"{len(raw)} bytes hold no whole record batch", corrupt=False)


def place(batch: Batch, base: int, leader_epoch: int) -> Batch:
    """Give the batch its offsets in a log."""
    raw = _PLACE.pack(base, batch.raw[8:12], leader_epoch) + batch.raw[_MAGIC_AT:]
    return batch._replace(
        base=base, last=base + batch.last - batch.base, leader_epoch=leader_epoch, raw=raw
    )

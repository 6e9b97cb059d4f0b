"""Which record of a log has which timestamp: looks into batches, decompressing where needed.

It knows the first fields of a record (KIP-98) and the four compressions; nothing of requests.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import NamedTuple

from pytest_mqchaos.kafka_cluster import batches
from pytest_mqchaos.kafka_cluster.batches import Batch
from pytest_mqchaos.kafka_cluster.log import Log

_GZIP_WINDOW = 31  # zlib: a gzip header, largest window
_XERIAL = b"\x82SNAPPY\x00"
_XERIAL_HEADER = 16
_MORE, _LOW_BITS, _BITS = 0x80, 0x7F, 7


class Stamp(NamedTuple):
    """A timestamp (ms since the epoch) and the offset it is found at; -1, -1 for nowhere."""

    timestamp: int
    offset: int


def find(log: Log, timestamp: int, up_to: int) -> Stamp:
    """Give the first record below offset `up_to` whose timestamp is `timestamp` or later."""
    for batch in log.batches(log.start):
        if batch.max_timestamp < timestamp:
            continue
        for stamp in stamps(batch):
            if stamp.timestamp >= timestamp and log.start <= stamp.offset < up_to:
                return stamp
    return Stamp(-1, -1)


def latest(log: Log) -> Stamp:
    """Give the first record with the largest timestamp (KIP-734)."""
    best = max(log.batches(log.start), key=lambda batch: batch.max_timestamp, default=None)
    if best is None:
        return Stamp(-1, -1)
    return max(stamps(best), key=lambda stamp: stamp.timestamp)


def stamps(batch: Batch) -> Iterator[Stamp]:
    """Give timestamp and offset of each record of a batch."""
    data = _decompressed(batch)
    at = 0
    for _ in range(batch.records):
        size, body = _varint(data, at)
        time_delta, behind = _varint(data, body + 1)  # one byte of attributes
        offset_delta, _ = _varint(data, behind)
        yield Stamp(batch.base_timestamp + time_delta, batch.base + offset_delta)
        at = body + size


def _decompressed(batch: Batch) -> bytes:
    data = batch.raw[batches.HEADER :]
    if not batch.codec:
        return data
    if batch.codec == batches.GZIP:
        return zlib.decompress(data, _GZIP_WINDOW)
    import cramjam

    if batch.codec == batches.SNAPPY:
        if data.startswith(_XERIAL):
            return b"".join(_xerial_blocks(data))
        return bytes(cramjam.snappy.decompress_raw(data))
    if batch.codec == batches.LZ4:
        return bytes(cramjam.lz4.decompress(data))
    return bytes(cramjam.zstd.decompress(data))


def _xerial_blocks(data: bytes) -> Iterator[bytes]:
    import cramjam

    at = _XERIAL_HEADER
    while at < len(data):
        size = int.from_bytes(data[at : at + 4])
        yield bytes(cramjam.snappy.decompress_raw(data[at + 4 : at + 4 + size]))
        at += 4 + size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & _LOW_BITS) << shift
        if byte < _MORE:
            return (value >> 1) ^ -(value & 1), at
        shift += _BITS

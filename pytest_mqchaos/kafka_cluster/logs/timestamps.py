"""Which record of a log has which timestamp: looks into batches, decompressing where needed.

It knows the first fields of a record (KIP-98); nothing of requests.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from pytest_mqchaos.kafka_cluster.logs.batches import HEADER, Batch
from pytest_mqchaos.kafka_cluster.logs.log import Log
from pytest_mqchaos.wire.kafka.compression import Unreadable, decompress

_MORE, _LOW_BITS, _BITS, _LONGEST = 0x80, 0x7F, 7, 63

_LEAST = 6  # bytes of a record: attributes, five numbers


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
    """Give timestamp and offset of each record of a batch. Raises `Unreadable`."""
    data = decompress(batch.codec, batch.raw[HEADER:])
    at = 0
    for _ in range(batch.records):
        size, body = varint(data, at)
        if size < _LEAST:
            raise Unreadable(f"a record of {size} bytes")
        time_delta, behind = varint(data, body + 1)  # one byte of attributes
        offset_delta, _ = varint(data, behind)
        yield Stamp(batch.base_timestamp + time_delta, batch.base + offset_delta)
        at = body + size


def varint(data: bytes, at: int) -> tuple[int, int]:
    """Read a signed number; gives it and where it ends. Raises `Unreadable`."""
    value = shift = 0
    while True:
        if at >= len(data):
            raise Unreadable("the batch ends inside a record")
        byte = data[at]
        at += 1
        value |= (byte & _LOW_BITS) << shift
        if byte < _MORE:
            return (value >> 1) ^ -(value & 1), at
        shift += _BITS
        if shift > _LONGEST:
            raise Unreadable("a number in a record does not end")

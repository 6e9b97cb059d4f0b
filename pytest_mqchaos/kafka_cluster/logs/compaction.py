"""The last record of each key stays, earlier ones go (cleanup.policy=compact).

It knows the first fields of a record (KIP-98) and which records a batch may lose; it knows no
segments and no topic. Offsets never change: a batch keeps its first and last one, and one that is
empty is gone.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple

import crc32c

from pytest_mqchaos.kafka_cluster.logs.batches import HEADER, Batch
from pytest_mqchaos.kafka_cluster.logs.log import Log
from pytest_mqchaos.kafka_cluster.logs.timestamps import varint
from pytest_mqchaos.kafka_cluster.logs.transaction_index import TransactionIndex
from pytest_mqchaos.wire.kafka.compression import decompress

_LENGTH_AT, _CRC_AT, _CHECKED_FROM, _COUNT_AT = 8, 17, 21, 57
_CODEC_BITS = 0x07


class Keyed(NamedTuple):
    """One record of a batch, as far as compaction looks."""

    offset: int
    key: bytes | None
    tombstone: bool
    raw: bytes


def records(batch: Batch) -> Iterator[Keyed]:
    """Walk the records of a data batch. Raises `Unreadable`."""
    data = decompress(batch.codec, batch.raw[HEADER:])
    at = 0
    for _ in range(batch.records):
        size, body = varint(data, at)
        _, behind = varint(data, body + 1)  # a byte of attributes, the timestamp
        delta, behind = varint(data, behind)
        length, behind = varint(data, behind)
        key = None if length < 0 else data[behind : behind + length]
        value, _ = varint(data, behind + max(length, 0))
        yield Keyed(batch.base + delta, key, value < 0, data[at : body + size])
        at = body + size


def compact(
    log: Log, transactions: TransactionIndex, *, before: int, due: Callable[[int], bool]
) -> None:
    """Drop what a later record of the same key, below the offset `before`, has made void, what was
    aborted, and the tombstones that are `due` (asked by offset)."""
    old = [(batch, arrived) for batch, arrived in log.arrivals() if batch.last < before]
    lost = {
        (batch.base, row.offset)
        for batch, _ in old
        if _aborted(batch, transactions)
        for row in records(batch)
    }
    data = [batch for batch, _ in old if not batch.control]
    latest = {
        row.key: row.offset
        for batch in data
        for row in records(batch)
        if (batch.base, row.offset) not in lost
    }
    kept = []
    for batch, arrived in old:
        rest = batch if batch.control else _rest(batch, latest, lost, due)
        if rest is not None:
            kept.append((rest, arrived))
    log.rewrite(kept, before=before)


def _aborted(batch: Batch, transactions: TransactionIndex) -> bool:
    return (
        batch.transactional
        and not batch.control
        and any(
            one.producer_id == batch.producer_id and one.first <= batch.base < one.marker
            for one in transactions.aborted(batch.base, batch.last + 1)
        )
    )


def _rest(
    batch: Batch,
    latest: dict[bytes | None, int],
    lost: set[tuple[int, int]],
    due: Callable[[int], bool],
) -> Batch | None:
    rows = list(records(batch))
    kept = [
        row
        for row in rows
        if row.key is not None
        and latest.get(row.key) == row.offset
        and (batch.base, row.offset) not in lost
        and not (row.tombstone and due(row.offset))
    ]
    if not kept:
        return None
    return batch if len(kept) == len(rows) else _shortened(batch, kept)


def _shortened(batch: Batch, kept: list[Keyed]) -> Batch:
    """The same batch with fewer records, no longer compressed."""
    attributes = batch.attributes & ~_CODEC_BITS
    head = struct.pack(">h", attributes) + batch.raw[_CHECKED_FROM + 2 : _COUNT_AT]
    checked = head + struct.pack(">i", len(kept)) + b"".join(row.raw for row in kept)
    raw = b"".join((
        batch.raw[:_LENGTH_AT],
        struct.pack(">i", _CHECKED_FROM - _LENGTH_AT - 4 + len(checked)),
        batch.raw[_LENGTH_AT + 4 : _CRC_AT],
        struct.pack(">I", crc32c.crc32c(checked)),
        checked,
    ))  # fmt: skip
    return batch._replace(attributes=attributes, records=len(kept), raw=raw)

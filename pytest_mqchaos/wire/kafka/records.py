"""Record batches <-> records: the one place that knows how messages lie in Produce and Fetch.

Magic 2 is read by aiokafka's C module when it is installed (0.13 us a record), else by the plain
reader here; magic 0 and 1 by `message_sets`. Building is plain Python: it serves tests and the
replayed publish, not the data path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any

from pytest_mqchaos.frames import Record
from pytest_mqchaos.wire.kafka.batch import (
    COMPRESSION,
    HEADER,
    LOG_APPEND_TIME,
    TRANSACTIONAL,
    Batch,
    header,
    seal,
    slices,
    sound,
)
from pytest_mqchaos.wire.kafka.compression import NAMES, Unreadable, compress, decompress
from pytest_mqchaos.wire.kafka.cursor import Cursor, Ended, uvarint
from pytest_mqchaos.wire.kafka.message_sets import read_message_set

Headers = tuple[tuple[str, bytes | None], ...]
Row = tuple[int, int, bytes | None, bytes | None, Headers]  # offset, timestamp, key, value, headers
Reader = Callable[[bytes, Batch], Iterator[Row]]


def batches(blob: bytes) -> Iterator[Batch]:
    """Headers of every whole batch of magic 2, control batches included."""
    for magic, start, end in slices(blob):
        if magic == 2:
            yield header(blob, start, end)


def read_records(
    blob: bytes,
    topic: str,
    partition: int,
    *,
    stored: bool = True,
    reader: Reader | None = None,
) -> Iterator[Record]:
    """Every data record of a records field; control records are left out.

    `stored`: offsets are the log's; else (a Produce request) they are -1. Raises `Unreadable`.
    """
    for magic, start, end in slices(blob):
        if magic == 2:
            batch = header(blob, start, end)
            if not batch.control:
                yield from read_batch(blob, batch, topic, partition, stored=stored, reader=reader)
            continue
        for offset, timestamp, key, value, headers in read_message_set(blob, start, end):
            place = offset if stored else -1
            yield Record(topic, partition, place, key, value, headers, timestamp)


def read_batch(
    blob: bytes,
    batch: Batch,
    topic: str,
    partition: int,
    *,
    stored: bool = True,
    reader: Reader | None = None,
) -> Iterator[Record]:
    """The records of one batch of magic 2. Raises `Unreadable`, also for a wrong checksum: what was
    damaged on its way says nothing."""
    if not sound(blob, batch):
        raise Unreadable(f"a record batch at {batch.base_offset} whose checksum is wrong")
    first, producer, sequence = batch.base_offset, batch.producer_id, batch.base_sequence
    for offset, timestamp, key, value, headers in (reader or fastest_reader())(blob, batch):
        yield Record(
            topic,
            partition,
            offset if stored else -1,
            key,
            value,
            headers,
            timestamp,
            producer,
            (sequence + offset - first) & 0x7FFFFFFF if sequence >= 0 else -1,
        )


@cache
def fastest_reader() -> Reader:
    """Aiokafka's reader if it can be imported, else ours."""
    try:
        from aiokafka.record.default_records import DefaultRecordBatch
    except ImportError:
        return read_plain

    def read(blob: bytes, batch: Batch) -> Iterator[Row]:
        wanted: Iterable[Any] = DefaultRecordBatch(unpacked(blob, batch))
        try:
            for record in wanted:
                yield (
                    record.offset,
                    record.timestamp,
                    record.key,
                    record.value,
                    tuple(record.headers),
                )
        except GeneratorExit:
            raise
        except Exception as broken:  # its own error classes differ between versions
            raise Unreadable(f"a record batch is corrupt: {broken!r}") from broken

    return read


def unpacked(blob: bytes, batch: Batch) -> bytes:
    """One whole batch without its compression: aiokafka would unpack without any limit. Its CRC is
    the packed one's."""
    codec = batch.attributes & COMPRESSION
    if not codec:
        return blob[batch.start : batch.end]
    body = decompress(codec, blob[batch.start + HEADER.size : batch.end])
    plain = batch._replace(
        length=HEADER.size - 12 + len(body), attributes=batch.attributes & ~COMPRESSION
    )
    return HEADER.pack(*plain[:13]) + body


def read_plain(blob: bytes, batch: Batch) -> Iterator[Row]:
    """The reader that needs nothing but the standard library (and cramjam for some codecs)."""
    body = decompress(batch.attributes & COMPRESSION, blob[batch.start + HEADER.size : batch.end])
    cursor = Cursor(body, 0, len(body))
    appended = batch.max_timestamp if batch.attributes & LOG_APPEND_TIME else None
    try:
        for _ in range(batch.size):
            size = cursor.varint()
            stop = cursor.at + size
            cursor.skip(1)  # attributes, unused
            timestamp = batch.first_timestamp + cursor.varint()
            offset = batch.base_offset + cursor.varint()
            key, value = _blob(cursor), _blob(cursor)
            headers = tuple(_header(cursor) for _ in range(cursor.varint()))
            if cursor.at != stop:
                raise Unreadable(f"a record says {size} bytes and has {cursor.at - stop + size}")
            yield offset, timestamp if appended is None else appended, key, value, headers
    except Ended:
        raise Unreadable("a record batch ends inside a record") from None


def _blob(cursor: Cursor) -> bytes | None:
    size = cursor.varint()
    return None if size < 0 else cursor.take(size)


def _header(cursor: Cursor) -> tuple[str, bytes | None]:
    name = _blob(cursor)
    try:
        return (name or b"").decode(), _blob(cursor)
    except UnicodeDecodeError:
        raise Ended from None


def build_batch(  # noqa: PLR0913 - each argument is one field of the header
    records: Iterable[Record],
    *,
    base_offset: int = 0,
    compression: str = "none",
    producer_id: int = -1,
    producer_epoch: int = -1,
    base_sequence: int = -1,
    transactional: bool = False,
    attributes: int = 0,
    leader_epoch: int = -1,
) -> bytes:
    """One batch of magic 2 with a right CRC.

    Of each record key, value, headers and timestamp (-1 = 0) are taken; offsets count up from
    `base_offset` unless the records carry their own (a compacted log has gaps). `attributes` adds
    bits of its own, e.g. `batch.CONTROL`.
    """
    rows = list(records)
    codec = NAMES.index(compression)
    stamps = [max(row.timestamp, 0) for row in rows] or [0]
    deltas = [_delta(row, number, base_offset) for number, row in enumerate(rows)] or [0]
    body = b"".join(
        _record(row, stamp - stamps[0], delta)
        for row, stamp, delta in zip(rows, stamps, deltas, strict=False)
    )
    body = compress(codec, body)
    flags = codec | attributes | (TRANSACTIONAL if transactional else 0)
    head = HEADER.pack(
        base_offset, HEADER.size - 12 + len(body), leader_epoch, 2, 0, flags, deltas[-1],
        stamps[0], max(stamps), producer_id, producer_epoch, base_sequence, len(rows),
    )  # fmt: skip
    out = bytearray(head + body)
    seal(out)
    return bytes(out)


def _delta(row: Record, number: int, base_offset: int) -> int:
    return row.offset - base_offset if row.offset >= base_offset and row.offset >= 0 else number


def _record(row: Record, stamp: int, delta: int) -> bytes:
    parts = [b"\0", zigzag(stamp), zigzag(delta), _sized(row.key), _sized(row.value)]
    parts.append(zigzag(len(row.headers)))
    for name, value in row.headers:
        parts += (_sized(name.encode()), _sized(value))
    body = b"".join(parts)
    return zigzag(len(body)) + body


def _sized(data: bytes | None) -> bytes:
    return zigzag(-1) if data is None else zigzag(len(data)) + data


def zigzag(value: int) -> bytes:
    """A signed varint as records use it."""
    return uvarint(value << 1 if value >= 0 else (-value << 1) - 1)

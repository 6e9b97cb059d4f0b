"""Reading the message formats before record batches: magic 0 and 1 (KIP-31, KIP-32).

    offset i64 | size i32 | crc i32 | magic i8 | attributes i8 | [timestamp i64] | key | value

A compressed message holds a whole message set in its value; in magic 1 its inner offsets are
relative, and the outer offset is that of the last inner message.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_mqchaos.wire.kafka.compression import Unreadable, decompress
from pytest_mqchaos.wire.kafka.cursor import Cursor, Ended

Row = tuple[int, int, bytes | None, bytes | None, tuple[tuple[str, bytes | None], ...]]
_CODEC, _APPEND_TIME = 0x07, 0x08


def read_message_set(blob: bytes, start: int, end: int) -> Iterator[Row]:
    """(offset, timestamp, key, value, no headers) of one entry, unpacked if compressed.

    Magic 0 has no timestamp: -1. Raises `Unreadable`.
    """
    try:
        offset, magic, attributes, timestamp, key, value = _entry(Cursor(blob, start, end))
        if not attributes & _CODEC:
            yield offset, timestamp, key, value, ()
            return
        inner = list(_inner(decompress(attributes & _CODEC, value or b"")))
    except Ended:
        raise Unreadable("a message of an old format ends early") from None
    shift = offset - inner[-1][0] if magic and inner else 0
    for place, _, _, stamp, inner_key, inner_value in inner:
        appended = timestamp if attributes & _APPEND_TIME else stamp
        yield place + shift, appended, inner_key, inner_value, ()


def _inner(blob: bytes) -> Iterator[tuple[int, int, int, int, bytes | None, bytes | None]]:
    cursor = Cursor(blob, 0, len(blob))
    while cursor.at < cursor.end:
        yield _entry(cursor)


def _entry(cursor: Cursor) -> tuple[int, int, int, int, bytes | None, bytes | None]:
    offset, _, _ = cursor.i64(), cursor.i32(), cursor.i32()
    magic, attributes = cursor.i8(), cursor.i8()
    timestamp = cursor.i64() if magic else -1
    return offset, magic, attributes, timestamp, _bytes(cursor), _bytes(cursor)


def _bytes(cursor: Cursor) -> bytes | None:
    size = cursor.i32()
    return None if size < 0 else cursor.take(size)

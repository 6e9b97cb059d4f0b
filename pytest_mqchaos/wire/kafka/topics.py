"""Learning which topic has which id (KIP-516) from the replies that name both.

Fetch v13+, Produce v13+, OffsetCommit v10+ and ConsumerGroupHeartbeat speak of topics by id alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_mqchaos.wire.kafka.apis import CREATE_TOPICS, DESCRIBE_TOPIC_PARTITIONS, METADATA
from pytest_mqchaos.wire.kafka.cursor import Cursor, Ended
from pytest_mqchaos.wire.kafka.headers import body_of_reply

NO_ID = bytes(16)
_IDS_FROM = {METADATA: 10, CREATE_TOPICS: 7, DESCRIBE_TOPIC_PARTITIONS: 0}


def names_in(kind: int, version: int, raw: bytes) -> dict[bytes, str]:
    """Topic names by id (16 bytes) in one reply; what can be read of it, if it is malformed."""
    found: dict[bytes, str] = {}
    if version < _IDS_FROM.get(kind, version + 1):
        return found
    try:
        cursor = body_of_reply(raw, 0, len(raw), kind, version)
        cursor.skip(4)  # throttle time
        read = _created if kind == CREATE_TOPICS else _described
        if kind == METADATA:
            _pass_brokers(cursor)
        found.update(pair for pair in read(cursor, kind) if pair[1] and pair[0] != NO_ID)
    except Ended:
        pass  # a torn reply still teaches what stood before the tear
    return found


def _pass_brokers(cursor: Cursor) -> None:
    for _ in cursor.each():
        cursor.skip(4)
        cursor.skip_string()
        cursor.skip(4)
        cursor.skip_string()
        cursor.tags()
    cursor.skip_string()  # cluster id
    cursor.skip(4)


def _described(cursor: Cursor, kind: int) -> Iterator[tuple[bytes, str]]:
    lists = 3 if kind == METADATA else 5  # replicas, in sync, (eligible, last eligible,) offline
    for _ in cursor.each():
        cursor.skip(2)
        name = cursor.string() or ""
        yield cursor.take(16), name
        cursor.skip(1)
        for _ in cursor.each():
            cursor.skip(14)  # error, partition, leader, leader epoch
            for _ in range(lists):
                cursor.skip_i32s()
            cursor.tags()
        cursor.skip(4)
        cursor.tags()


def _created(cursor: Cursor, _kind: int) -> Iterator[tuple[bytes, str]]:
    for _ in cursor.each():
        name = cursor.string() or ""
        yield cursor.take(16), name
        cursor.skip(2)
        cursor.skip_string()
        cursor.skip(6)
        for _ in cursor.each():
            cursor.skip_string()
            cursor.skip_string()
            cursor.skip(3)
            cursor.tags()
        cursor.tags()

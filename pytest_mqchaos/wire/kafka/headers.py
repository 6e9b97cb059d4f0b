"""What is read without a schema: where a body begins, and of requests client id, acks of Produce.

Request header v1: key, version, correlation, client id; v2 adds tagged fields (KIP-482). The client
id has the old string form in both. A reply's header is the correlation id, in v1 with tagged fields
behind it. `at` is the position of the length prefix.
"""

from __future__ import annotations

import struct

from pytest_mqchaos.wire.kafka.apis import PRODUCE, flexible, reply_tagged
from pytest_mqchaos.wire.kafka.cursor import Cursor, Ended

_CLIENT = 12
_CORRELATED = 8
_I16 = struct.Struct(">h")
_PLAIN_NULLS = (b"\xff\xff", b"\0\0")  # null transactional id; v9+: no tags, null id
Buffer = bytes | bytearray | memoryview


def client_of(buf: Buffer, at: int, end: int) -> str | None:
    """The client id, None for null. Raises `Ended` when [at, end) stops before its end."""
    place = at + _CLIENT
    if end - place >= 2:  # the usual case, without a cursor: every frame of a history is asked
        size = _I16.unpack_from(buf, place)[0]
        if size <= 0:
            return "" if size == 0 else None
        if place + 2 + size <= end:
            try:
                return str(buf[place + 2 : place + 2 + size], "utf-8")
            except UnicodeDecodeError:
                raise Ended from None
    return Cursor(buf, at + _CLIENT, end).string()


def body_of(buf: Buffer, at: int, end: int, kind: int, version: int) -> Cursor:
    """A cursor at the first byte behind the request's header. Raises `Ended` where that is torn, as
    `body_of_reply` does."""
    cursor = Cursor(buf, at + _CLIENT, end)
    cursor.skip_string()
    cursor.tagged = flexible(kind, version)
    cursor.tags()
    return cursor


def body_of_reply(buf: Buffer, at: int, end: int, kind: int, version: int) -> Cursor:
    """A cursor at the first byte behind the reply's header."""
    cursor = Cursor(buf, at + _CORRELATED, end, tagged=reply_tagged(kind, version))
    cursor.tags()
    return cursor


def acks_of(buf: Buffer, at: int, end: int, version: int) -> int:
    """The acks field of a Produce request: -1, 0 or 1. Raises `Ended` as `client_of` does."""
    place = at + _CLIENT
    if end - place >= 2:  # the usual case, without a cursor: no tags, no transactional id
        place += 2 + max(_I16.unpack_from(buf, place)[0], 0)
        null = _PLAIN_NULLS[version >= 9]
        if version >= 3 and buf[place : place + 2] == null and place + 4 <= end:
            return int(_I16.unpack_from(buf, place + 2)[0])
    cursor = body_of(buf, at, end, PRODUCE, version)
    if version >= 3:
        cursor.skip_string()  # transactional id
    return cursor.i16()

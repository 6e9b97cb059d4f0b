"""The body of a frame as the object that kio makes of it: the one reader of frames by their schema.

It knows where a body begins, which of kio's classes it is and what kio must not be given; it must
never know what a field means. kio is imported when something is read, no earlier.

    frame --header passed over--> bytes --walked over--> safe for kio --> object, bytes left over
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Callable
from typing import Any, cast

from pytest_mqchaos.errors import missing_extra
from pytest_mqchaos.wire.kafka.apis import API_VERSIONS, APIS
from pytest_mqchaos.wire.kafka.compression import Unreadable
from pytest_mqchaos.wire.kafka.cursor import Ended
from pytest_mqchaos.wire.kafka.headers import body_of, body_of_reply
from pytest_mqchaos.wire.kafka.shapes import walk

_SMALL, _KEPT = 1024, 2048  # bodies that are remembered: up to so many bytes, so many
_REQUEST, _REPLY = 12, 8  # bytes from the length prefix to the one behind the correlation id
_UNSUPPORTED_VERSION = struct.pack(">h", 35)


def read(kind: int, version: int, frame: bytes, at: int, *, reply: bool) -> tuple[Any, int]:
    """The body, and how many bytes stand behind it. `at` is the position of the length prefix: -4
    where `frame` is what the prefix counts.

    Raises `Unreadable` for what kio cannot read, `MissingExtra` without kio.
    """
    head = _REPLY if reply else _REQUEST
    if len(frame) - at - head > _SMALL:
        return _read(kind, version, frame, at, reply)
    return _remembered(kind, version, frame[at + head :], -head, reply)


def _read(kind: int, version: int, frame: bytes, at: int, reply: bool) -> tuple[Any, int]:  # noqa: FBT001 - one caller
    try:
        start = (body_of_reply if reply else body_of)(frame, at, len(frame), kind, version).at
    except Ended:
        raise Unreadable("the header is torn") from None
    if reply and kind == API_VERSIONS and frame[start : start + 2] == _UNSUPPORTED_VERSION:
        version = 0  # "not this version" is told in the oldest form (KIP-511)
    schema, reader = _reader(kind, version, reply)
    try:
        end = walk(schema, frame, start)
        body, _ = reader(frame, start)
    except Unreadable:
        raise
    except Exception as broken:  # KeyError for an unknown tagged field, ValueError, underflow, ...
        raise Unreadable(repr(broken)) from broken
    return body, len(frame) - end


# A frame is looked at more than once (by who it is for, by a rule, for its row, as the request of
# its reply), most differ from others by their correlation id alone, runs of one scenario say much
# the same, and a body cannot be changed: so each small one is read once.
_remembered = functools.lru_cache(maxsize=_KEPT)(_read)


def schema_of(kind: int, version: int, *, reply: bool) -> Any:
    """Kio's class for one API, version and direction; None if there is none.

    Raises `MissingExtra` when kio is not installed.
    """
    api = APIS.get(kind)
    if api is None or not api.low <= version <= api.high:
        return None
    try:
        import kio.index  # noqa: F401 - only whether it is there
    except ImportError:
        raise missing_extra("kio", "kafka", "reading what Kafka frames mean") from None
    return _loaded(kind, version, reply)


@functools.cache
def _loaded(kind: int, version: int, reply: bool) -> Any:  # noqa: FBT001 - one caller
    """Kio looks a class up by its path each time, which costs as much as reading a small frame."""
    from kio.index import load_request_schema, load_response_schema

    return (load_response_schema if reply else load_request_schema)(kind, version)


@functools.cache
def _reader(
    kind: int, version: int, reply: bool  # noqa: FBT001 - one caller
) -> tuple[Any, Callable[[bytes, int], tuple[Any, int]]]:  # fmt: skip
    schema = schema_of(kind, version, reply=reply)
    if schema is None:
        raise Unreadable("it has no schema here")
    from kio.serial import entity_reader

    return schema, cast(Any, entity_reader(schema))

"""Kafka requests and responses by (API key, version): bytes <-> data, through kio's schemas.

It knows header layouts and how plain values become a response; it knows nothing about what a
broker does. Requests come out as kio's frozen entities. Responses go in as plain mappings that may
name more fields than the version has (handlers write one answer for all versions):

    frame --parse--> Request(key, version, correlation, client, body)
    {"error_code": 0, ...} --render--> frame
"""

from __future__ import annotations

import datetime as dt
import struct
import typing
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import Any, NamedTuple

from kio.index import load_request_schema, load_response_schema
from kio.serial import entity_reader

from pytest_mqchaos.wire.kafka.headers import body_of, client_of
from pytest_mqchaos.wire.kafka.packing import pack
from pytest_mqchaos.wire.kafka.shapes import walk

Values = Mapping[str, Any]


class Constant(dict[str, Any]):
    """Values that never change: their frame is built once (`frames`, by API key and version)."""

    def __init__(self, values: Values) -> None:
        super().__init__(values)
        self.frames: dict[tuple[int, int], bytes] = {}


_HEAD = struct.Struct(">hhi")
_RESPONSE_HEAD = struct.Struct(">ii")
_SIZE = 4  # bytes of the length prefix, which does not count itself
_PASSED = -(_SIZE + _HEAD.size)  # where a frame begins of which only what is behind the ids is here
_SMALL, _KEPT = 512, 1024  # requests that are remembered: up to so many bytes, so many
_THROTTLE = "throttle_time"  # 0 unless somebody says otherwise
_MILLISECOND = dt.timedelta(milliseconds=1)


class Request(NamedTuple):
    """One parsed request; `body` is kio's entity of exactly this version."""

    key: int
    version: int
    correlation: int
    client: str | None
    body: Any


class Malformed(ValueError):
    """The bytes are not a request of this API and version."""


def head(frame: bytes) -> tuple[int, int, int]:
    """Read API key, API version and correlation id. Raises `Malformed`."""
    if len(frame) < _HEAD.size:
        raise Malformed(f"a request has at least {_HEAD.size} bytes, this one {len(frame)}")
    key, version, correlation = _HEAD.unpack_from(frame)
    return key, version, correlation


def parse(frame: bytes) -> Request:
    """Parse a whole request of an API and version that exist. Raises `Malformed`."""
    key, version, correlation = head(frame)
    try:
        read = _read if len(frame) <= _SMALL else _read.__wrapped__
        client, body = read(key, version, frame[_HEAD.size :])
    except Exception as error:  # kio has no one root for what bytes can get wrong
        raise Malformed(f"API {key} v{version}: {type(error).__name__}: {error}") from error
    return Request(key, version, correlation, client, body)


@lru_cache(maxsize=_KEPT)
def _read(key: int, version: int, rest: bytes) -> tuple[str | None, Any]:
    """The client and the body. Most requests differ from others by their correlation id alone, and
    a body cannot be changed: so each is read once."""
    schema, read = _reader(key, version)
    at = body_of(rest, _PASSED, len(rest), key, version).at
    client = client_of(rest, _PASSED, len(rest))
    walk(schema, rest, at)
    body, _ = read(rest, at)
    return client, body


def render(key: int, version: int, correlation: int, values: Values) -> bytes:
    """Build a whole response frame, length prefix included."""
    if not isinstance(values, Constant):
        return _rendered(key, version, correlation, values)
    if (key, version) not in values.frames:
        values.frames[key, version] = _rendered(key, version, correlation, values)
    frame = bytearray(values.frames[key, version])
    _RESPONSE_HEAD.pack_into(frame, 0, len(frame) - _SIZE, correlation)
    return bytes(frame)


def _rendered(key: int, version: int, correlation: int, values: Values) -> bytes:
    schema, head = _answer(key, version)
    body = pack(schema, values if _THROTTLE in values else {**values, _THROTTLE: 0})
    size = _RESPONSE_HEAD.size - _SIZE + len(head) + len(body)
    return _RESPONSE_HEAD.pack(size, correlation) + head + body


def milliseconds(value: dt.timedelta) -> int:
    """Give kio's durations as the number that was on the wire."""
    return value // _MILLISECOND


@cache
def _reader(key: int, version: int) -> tuple[Any, Callable[[bytes, int], tuple[Any, int]]]:
    schema = load_request_schema(key, version)
    return schema, typing.cast(Any, entity_reader(schema))


@cache
def _answer(key: int, version: int) -> tuple[Any, bytes]:
    """The schema of a response, and what is between its correlation id and its body."""
    schema = load_response_schema(key, version)
    return schema, b"\0" if schema.__header_schema__.__flexible__ else b""  # no tagged fields

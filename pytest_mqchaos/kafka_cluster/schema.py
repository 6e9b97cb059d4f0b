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
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from kio.index import load_response_schema

from pytest_mqchaos.wire.kafka import bodies
from pytest_mqchaos.wire.kafka.compression import Unreadable
from pytest_mqchaos.wire.kafka.cursor import Ended
from pytest_mqchaos.wire.kafka.headers import client_of
from pytest_mqchaos.wire.kafka.packing import pack

Values = Mapping[str, Any]


class Constant(dict[str, Any]):
    """Values that never change: their frame is built once (`frames`, by API key and version)."""

    def __init__(self, values: Values) -> None:
        super().__init__(values)
        self.frames: dict[tuple[int, int], bytes] = {}


_HEAD = struct.Struct(">hhi")
_RESPONSE_HEAD = struct.Struct(">ii")
_SIZE = 4  # bytes of the length prefix, which does not count itself
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
        client = client_of(frame, -_SIZE, len(frame))
        body, _ = bodies.read(key, version, frame, -_SIZE, reply=False)
    except (Ended, Unreadable) as error:
        raise Malformed(f"API {key} v{version}: {type(error).__name__}: {error}") from error
    return Request(key, version, correlation, client, body)


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
def _answer(key: int, version: int) -> tuple[Any, bytes]:
    """The schema of a response, and what is between its correlation id and its body."""
    schema = load_response_schema(key, version)
    return schema, b"\0" if schema.__header_schema__.__flexible__ else b""  # no tagged fields

"""Kafka requests and responses by (API key, version): bytes <-> data, through kio's schemas.

It knows header layouts and how plain values become a response; it knows nothing about what a
broker does. Requests come out as kio's frozen entities. Responses go in as plain mappings that may
name more fields than the version has (handlers write one answer for all versions):

    frame --parse--> Request(key, version, correlation, client, body)
    {"error_code": 0, ...} --render--> frame
"""

from __future__ import annotations

import datetime as dt
import io
import struct
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Any, NamedTuple

from kio.index import load_request_schema, load_response_schema
from kio.schema.errors import ErrorCode
from kio.serial import entity_reader, entity_writer
from kio.static.primitive import i32Timedelta

from pytest_mqchaos.wire.kafka.shapes import walk

Values = Mapping[str, Any]


class Constant(dict[str, Any]):
    """Values that never change: their frame is built once (`frames`, by API key and version)."""

    def __init__(self, values: Values) -> None:
        super().__init__(values)
        self.frames: dict[tuple[int, int], bytes] = {}


_HEAD = struct.Struct(">hhi")
_SHORT = struct.Struct(">h")
_RESPONSE_HEAD = struct.Struct(">ii")
_MILLISECOND = dt.timedelta(milliseconds=1)
_VARINT_MORE = 0x80
_VARINT_BITS = 7
_VARINT_LONGEST = 28


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
        schema, read = _reader(key, version)
        client, at = _client(frame)
        if schema.__flexible__:
            at = _skip_tags(frame, at)
        walk(schema, frame, at)
        body, _ = read(frame, at)
    except Exception as error:  # kio has no one root for what bytes can get wrong
        raise Malformed(f"API {key} v{version}: {type(error).__name__}: {error}") from error
    return Request(key, version, correlation, client, body)


def render(key: int, version: int, correlation: int, values: Values) -> bytes:
    """Build a whole response frame, length prefix included."""
    if not isinstance(values, Constant):
        return _rendered(key, version, correlation, values)
    if (key, version) not in values.frames:
        values.frames[key, version] = _rendered(key, version, correlation, values)
    frame = bytearray(values.frames[key, version])
    _RESPONSE_HEAD.pack_into(frame, 0, len(frame) - 4, correlation)
    return bytes(frame)


def _rendered(key: int, version: int, correlation: int, values: Values) -> bytes:
    schema, write = _writer(key, version)
    out = io.BytesIO(b"\0" * _RESPONSE_HEAD.size)
    out.seek(_RESPONSE_HEAD.size)
    if _flexible_header(schema):
        out.write(b"\0")  # no tagged fields in the header
    write(out, _builder(schema)(values))
    size = out.tell()
    _RESPONSE_HEAD.pack_into(out.getbuffer(), 0, size - 4, correlation)
    return out.getvalue()


def milliseconds(value: dt.timedelta) -> int:
    """Give kio's durations as the number that was on the wire."""
    return value // _MILLISECOND


@cache
def _reader(key: int, version: int) -> tuple[Any, Callable[[bytes, int], tuple[Any, int]]]:
    schema = load_request_schema(key, version)
    return schema, typing.cast(Any, entity_reader(schema))


@cache
def _writer(key: int, version: int) -> tuple[Any, Callable[[io.BytesIO, Any], None]]:
    schema = load_response_schema(key, version)
    return schema, typing.cast(Any, entity_writer(schema))


@cache
def _flexible_header(schema: Any) -> bool:
    return bool(schema.__header_schema__.__flexible__)


def _client(frame: bytes) -> tuple[str | None, int]:
    (size,) = _SHORT.unpack_from(frame, _HEAD.size)
    at = _HEAD.size + _SHORT.size
    if size < 0:
        return None, at
    if at + size > len(frame):
        raise Malformed("the client id is longer than the request")
    return frame[at : at + size].decode(), at + size


def _skip_tags(frame: bytes, at: int) -> int:
    count, at = _varint(frame, at)
    for _ in range(count):
        _, at = _varint(frame, at)
        size, at = _varint(frame, at)
        at += size
    return at


def _varint(frame: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, _VARINT_LONGEST + 1, _VARINT_BITS):
        byte = frame[at]
        at += 1
        value |= (byte & (_VARINT_MORE - 1)) << shift
        if byte < _VARINT_MORE:
            return value, at
    raise Malformed("a varint has more than five bytes")


@cache
def _builder(schema: Any) -> Callable[[Values], Any]:
    """Make the function that picks a version's fields out of a mapping."""
    plan = [(field.name, _converter(field), _default(field)) for field in fields(schema)]

    def build(values: Values) -> Any:
        chosen = {}
        for name, convert, default in plan:
            value = values.get(name, MISSING)
            if value is MISSING:
                if default is MISSING:
                    raise KeyError(f"{schema.__name__} v{schema.__version__} needs {name!r}")
                value = default
            elif convert is not None:
                value = convert(value)
            chosen[name] = value
        return schema(**chosen)

    return build


def _default(field: Any) -> Any:
    if field.name == "throttle_time":
        return i32Timedelta.parse(dt.timedelta(0))
    return field.default


def _converter(field: Any) -> Callable[[Any], Any] | None:
    kind = field.metadata.get("kafka_type")
    if kind == "error_code":
        return ErrorCode
    if kind == "datetime_i64":
        return _instant
    if kind == "timedelta_i32":
        return _duration
    shape = next(_present(field.type))
    inner: tuple[Any, ...] = typing.get_args(shape)
    if inner and is_dataclass(inner[0]):
        build = _builder(typing.cast(Any, inner[0]))
        return lambda many: None if many is None else tuple(build(one) for one in many)
    if is_dataclass(shape):
        return _builder(typing.cast(Any, shape))
    return None


def _present(shape: Any) -> Iterator[Any]:
    """Give what `X | None` is when it is not None."""
    if isinstance(shape, types.UnionType):
        yield from (one for one in typing.get_args(shape) if one is not types.NoneType)
    yield shape


def _duration(milliseconds: int) -> i32Timedelta:
    return i32Timedelta.parse(milliseconds * _MILLISECOND)


def _instant(value: int) -> dt.datetime | None:
    if value < 0:
        return None
    return dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + value * _MILLISECOND

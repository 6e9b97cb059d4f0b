"""Whole frames <-> kio's schema objects: the only place that imports kio, and only when called.

An object is whatever kio generated for that API and version; callers read it with `getattr`
defaults, because fields come and go with versions. `fill` makes one from plain data and ignores the
fields that this version does not have, so that one description serves all versions.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import io
import struct
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from pytest_mqchaos.errors import UsageError, missing_extra
from pytest_mqchaos.frames import Direction, Frame
from pytest_mqchaos.wire.kafka.addresses import body_of_reply
from pytest_mqchaos.wire.kafka.apis import API_VERSIONS, APIS, flexible, name_of, reply_tagged
from pytest_mqchaos.wire.kafka.compression import Unreadable
from pytest_mqchaos.wire.kafka.cursor import Ended
from pytest_mqchaos.wire.kafka.headers import body_of
from pytest_mqchaos.wire.kafka.shapes import walk

_HEAD = struct.Struct(">hhi")
_SIZE = struct.Struct(">i")
_SMALL, _KEPT = 512, 1024  # frames whose bodies are remembered: up to so many bytes, so many
UNSUPPORTED_VERSION = struct.pack(">h", 35)


def read(frame: Frame) -> Any:
    """The body of a request or reply. Raises `Unreadable` for what kio cannot read whole."""
    raw, reply = frame.raw, frame.direction is Direction.TO_CLIENT
    once = _read if len(raw) <= _SMALL and type(raw) is bytes else _read.__wrapped__
    try:
        return once(frame.kind, frame.version, raw, reply)
    except Ended:
        raise Unreadable(f"{frame.name}: the header is torn") from None
    except Unreadable as why:
        raise Unreadable(f"{frame.name} v{frame.version}{why}") from why.__cause__


@functools.lru_cache(maxsize=_KEPT)
def _read(kind: int, version: int, raw: bytes, reply: bool) -> Any:  # noqa: FBT001 - one caller
    """A frame is looked at more than once (by a rule, for its row, as the request of its reply),
    runs of one scenario say much the same, and a body cannot be changed: so each is read once."""
    cursor = (
        body_of_reply(kind, version, raw) if reply else body_of(raw, 0, len(raw), kind, version)
    )
    if reply and kind == API_VERSIONS and raw[8:10] == UNSUPPORTED_VERSION:
        version = 0  # "not this version" is told in the oldest form (KIP-511)
    schema = schema_of(kind, version, reply=reply)
    if schema is None:
        raise Unreadable(" has no schema here")
    from kio.serial import entity_reader

    try:
        end = walk(schema, raw, cursor.at)
        body, _ = entity_reader(schema)(raw, cursor.at)
    except Unreadable as why:
        raise Unreadable(f": {why}") from None
    except Exception as broken:  # KeyError for an unknown tagged field, ValueError, underflow, ...
        raise Unreadable(f": {broken!r}") from broken
    # Kafka passes over what a request has behind its end, and librdkafka 2.16 has something there
    # (Metadata v13 for all topics: a count of four bytes where one belongs). So this does too.
    if reply and end != len(raw):
        raise Unreadable(f": {end - cursor.at} bytes read, more are there")
    return body


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


def write_request(
    kind: int, version: int, correlation: int, client: str | None, fields: Mapping[str, Any]
) -> bytes:
    """A whole request frame, length prefix included."""
    name = None if client is None else client.encode()
    head = _HEAD.pack(kind, version, correlation)
    head += struct.pack(">h", -1) if name is None else struct.pack(">h", len(name)) + name
    if flexible(kind, version):
        head += b"\0"
    return _frame(head, kind, version, fields, reply=False)


def write_reply(kind: int, version: int, correlation: int, fields: Mapping[str, Any]) -> bytes:
    """A whole reply frame, length prefix included."""
    head = _SIZE.pack(correlation) + (b"\0" if reply_tagged(kind, version) else b"")
    return _frame(head, kind, version, fields, reply=True)


def _frame(
    head: bytes, kind: int, version: int, fields: Mapping[str, Any], *, reply: bool
) -> bytes:
    schema = schema_of(kind, version, reply=reply)
    if schema is None:
        raise UsageError(f"{name_of(kind)} v{version} has no schema here: give a version that has")
    body = encode(fill(schema, fields))
    return _SIZE.pack(len(head) + len(body)) + head + body


def encode(entity: Any) -> bytes:
    """The bytes of a kio object, without any header."""
    from kio.serial import entity_writer

    with io.BytesIO() as out:
        entity_writer(type(entity))(out, entity)
        return out.getvalue()


def fill(schema: Any, fields: Mapping[str, Any]) -> Any:
    """Make an object of `schema` from plain data: numbers, str, bytes, sequences of mappings.

    Times are milliseconds, error codes numbers, topic ids 16 bytes. What is not given gets the
    schema's default or the type's zero; what this version does not have is left out.
    """
    values = {}
    for field in dataclasses.fields(schema):
        if field.name in fields:
            values[field.name] = _value(field, fields[field.name])
        elif field.default is dataclasses.MISSING:
            values[field.name] = _value(field, _zero(field))
    return schema(**values)


def _nested(annotation: Any) -> Any:
    """The entity class inside `X`, `X | None`, `tuple[X, ...]`, `tuple[X, ...] | None`."""
    if dataclasses.is_dataclass(annotation):
        return annotation
    for part in get_args(annotation):
        found = _nested(part)
        if found is not None:
            return found
    return None


def _value(field: Any, value: Any) -> Any:
    nested = _nested(field.type)
    if nested is not None and value is not None:
        if isinstance(value, Mapping):
            return fill(nested, value)
        return tuple(fill(nested, item) for item in value)
    kind = field.metadata.get("kafka_type")
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return tuple(_convert(kind, item) for item in value)
    return _convert(kind, value)


def _convert(kind: str | None, value: Any) -> Any:
    if value is None:
        return None
    if kind == "error_code":
        from kio.schema.errors import ErrorCode

        return ErrorCode(value)
    if kind in ("timedelta_i32", "timedelta_i64"):
        return dt.timedelta(milliseconds=value)
    if kind == "datetime_i64":
        at = dt.timedelta(milliseconds=value)
        return dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + at if value >= 0 else None
    if kind == "uuid" and isinstance(value, bytes):
        return uuid.UUID(bytes=value)
    return value


_ZEROS: dict[str, Any] = {"string": "", "bytes": b"", "records": b"", "bool": False, "uuid": None}


def _zero(field: Any) -> Any:
    options = get_args(field.type)
    if type(None) in options:
        return None
    if options:  # tuple[...]
        return ()
    nested = _nested(field.type)
    return {} if nested is not None else _ZEROS.get(field.metadata.get("kafka_type"), 0)


def first_error(entity: Any) -> int:
    """The top error code of a reply, else the first one inside that is not 0, else 0."""
    top = getattr(entity, "error_code", None) or getattr(entity, "partition_error_code", None)
    if top:
        return int(top)
    for name in _inside(entity.__class__):
        value = getattr(entity, name)
        for item in value if isinstance(value, tuple) else (value,):
            if item is not None and (code := first_error(item)):
                return code
    return 0


@functools.cache
def _inside(kind: Any) -> tuple[str, ...]:
    """Its fields in which other objects of kio's are: asked for every reply that is decoded."""
    return tuple(f.name for f in dataclasses.fields(kind) if _nested(f.type) is not None)

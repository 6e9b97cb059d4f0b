"""Whole frames <-> kio's schema objects, which `bodies` reads; kio is imported only when called.

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

from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.frames import Direction, Frame
from pytest_mqchaos.wire.kafka import bodies
from pytest_mqchaos.wire.kafka.apis import flexible, name_of, reply_tagged
from pytest_mqchaos.wire.kafka.bodies import schema_of
from pytest_mqchaos.wire.kafka.compression import Unreadable

_HEAD = struct.Struct(">hhi")
_SIZE = struct.Struct(">i")


def read(frame: Frame) -> Any:
    """The body of a request or reply. Raises `Unreadable` for what kio cannot read whole."""
    reply = frame.direction is Direction.TO_CLIENT
    try:
        body, left = bodies.read(frame.kind, frame.version, frame.raw, 0, reply=reply)
    except Unreadable as why:
        raise Unreadable(f"{frame.name} v{frame.version}: {why}") from why.__cause__
    # Kafka passes over what a request has behind its end, and librdkafka 2.16 has something there
    # (Metadata v13 for all topics: a count of four bytes where one belongs). So this does too.
    if reply and left:
        raise Unreadable(f"{frame.name} v{frame.version}: {left} bytes more are there than it has")
    return body


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

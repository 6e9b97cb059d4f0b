"""Walking over a frame's body by its schema, without making anything of it.

kio's reader sets memory aside for as many elements as an array claims to have: four bytes can ask
for 250 GB, and the process is aborted on the spot. It also reads a null array where the schema has
none. So bytes from outside are walked over first; what this lets pass, kio can be given.

It knows kio's classes by their fields (types, `kafka_type`, `tag`) and the encodings of the
protocol guide; compact forms and tagged fields: KIP-482, nullable structs: KIP-893.
"""

from __future__ import annotations

import dataclasses
import functools
import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias, get_args, get_origin

from pytest_mqchaos.wire.kafka.compression import Unreadable

Step: TypeAlias = Callable[[bytes, int], int]  # from a position to the one behind the value

_I16, _I32 = struct.Struct(">h"), struct.Struct(">i")
_FIXED = {
    "int8": 1, "bool": 1, "int16": 2, "uint16": 2, "error_code": 2, "int32": 4, "uint32": 4,
    "timedelta_i32": 4, "int64": 8, "uint64": 8, "timedelta_i64": 8, "datetime_i64": 8,
    "float64": 8, "uuid": 16,
}  # fmt: skip
_NULL_STRUCT = 0xFF


def walk(schema: Any, data: bytes, at: int) -> int:
    """The position behind the body that begins at `at`. Raises `Unreadable` where an array claims
    more than the rest can hold or is null and must not be, or where the bytes end too early."""
    try:
        at = _entity(schema)(data, at)
    except (IndexError, struct.error):
        raise Unreadable("it ends inside a value") from None
    if at > len(data):
        raise Unreadable("it ends inside a value")
    return at


@functools.cache
def _entity(schema: Any) -> Step:
    flexible = schema.__flexible__
    steps: list[Step] = []
    tagged: dict[int, Step] = {}
    fixed = 0
    for field in dataclasses.fields(schema):
        tag = field.metadata.get("tag")
        size, step = _field(field, flexible=flexible)
        if tag is not None:
            tagged[tag] = step
        elif size:
            fixed += size
        else:
            steps += [*_skips(fixed), step]
            fixed = 0
    steps += _skips(fixed)
    if flexible:
        steps.append(_tags(tagged))

    def over(data: bytes, at: int) -> int:
        for step in steps:
            at = step(data, at)
        return at

    return steps[0] if len(steps) == 1 else over


def _skips(size: int) -> Iterator[Step]:
    if size:
        yield lambda _, at: at + size


def _field(field: Any, *, flexible: bool) -> tuple[int, Step]:
    """How many bytes a field takes if that is always the same, else 0; how to pass over it."""
    options = get_args(field.type)
    nullable = type(None) in options and get_origin(field.type) is not tuple
    shape: Any = next(o for o in options if o is not type(None)) if nullable else field.type
    kind = field.metadata.get("kafka_type")
    if get_origin(shape) is tuple:
        inner: Any = get_args(shape)[0]
        element = _primitive(kind, flexible=flexible) if kind else _entity(inner)
        size = 0 if kind is None else _FIXED.get(kind, 0)
        return 0, _array(field.name, element, size, flexible=flexible, nullable=nullable)
    if kind is None:
        step = _entity(shape)
        return 0, _maybe(step) if nullable and "tag" not in field.metadata else step
    return _FIXED.get(kind, 0), _primitive(kind, flexible=flexible)


def _primitive(kind: str, *, flexible: bool) -> Step:
    if kind in _FIXED:
        return next(_skips(_FIXED[kind]))
    if flexible:
        return _compact
    return _string if kind == "string" else _bytes


def _compact(data: bytes, at: int) -> int:
    size, at = _uvarint(data, at)
    return at + size - 1 if size else at


def _string(data: bytes, at: int) -> int:
    return at + 2 + max(int(_I16.unpack_from(data, at)[0]), 0)


def _bytes(data: bytes, at: int) -> int:
    return at + 4 + max(int(_I32.unpack_from(data, at)[0]), 0)


def _maybe(step: Step) -> Step:
    return lambda data, at: at + 1 if data[at] == _NULL_STRUCT else step(data, at + 1)


def _array(name: str, element: Step, size: int, *, flexible: bool, nullable: bool) -> Step:
    """An array of elements that take `size` bytes each, or one and more (0)."""

    def over(data: bytes, at: int) -> int:
        if flexible:
            count, at = _uvarint(data, at)
            count -= 1
        else:
            count, at = _I32.unpack_from(data, at)[0], at + 4
        if count < 0:
            if nullable and count == -1:
                return at
            raise Unreadable(f"{name} is null")
        if count * (size or 1) > len(data) - at:
            raise Unreadable(f"{name} claims {count} elements, {len(data) - at} bytes are left")
        if size:
            return at + count * size
        for _ in range(count):
            at = element(data, at)
        return at

    return over


def _tags(known: Mapping[int, Step]) -> Step:
    """Tagged fields; those that the schema knows are looked into, as kio does."""

    def over(data: bytes, at: int) -> int:
        count, at = _uvarint(data, at)
        for _ in range(count):
            tag, at = _uvarint(data, at)
            size, at = _uvarint(data, at)
            step = known.get(tag)
            if step is not None and step(data, at) != at + size:
                raise Unreadable(f"tagged field {tag} does not end where it says")
            at += size
        return at

    return over


def _uvarint(data: bytes, at: int) -> tuple[int, int]:
    byte = data[at]
    if byte < 0x80:
        return byte, at + 1
    value, shift = byte & 0x7F, 7
    while shift < 35:
        at += 1
        byte = data[at]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at + 1
        shift += 7
    raise Unreadable("a number does not end")

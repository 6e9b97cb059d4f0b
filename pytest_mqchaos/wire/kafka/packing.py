"""Plain values to the body of a frame, by its schema, without an object of kio's in between.

kio checks and copies each value into a frozen object and writes that field by field: five times the
work, in every answer of an embedded broker. Here a schema becomes, once, a chain of steps in which
neighbours of fixed size are one `struct`.

It knows kio's classes by their fields (types, `kafka_type`, `tag`, defaults) and the encodings of
the protocol guide; compact forms and tagged fields: KIP-482, nullable structs: KIP-893. It must
never know what a field means. tests/wire/kafka/test_packing.py holds it against kio's own writer.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import struct
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias, get_args, get_origin

from pytest_mqchaos.wire.kafka.cursor import uvarint

Values: TypeAlias = Mapping[str, Any]
Put: TypeAlias = Callable[[list[bytes], Values], None]
_Item: TypeAlias = Callable[[list[bytes], Any], None]

_MISSING: Any = dataclasses.MISSING
_CODES = {
    "int8": "b", "bool": "?", "int16": "h", "uint16": "H", "error_code": "h", "int32": "i",
    "uint32": "I", "timedelta_i32": "i", "int64": "q", "uint64": "Q", "timedelta_i64": "q",
    "datetime_i64": "q", "float64": "d", "uuid": "16s",
}  # fmt: skip
_NO_TAGS = "x"  # a zero byte: their count
_LENGTHS = tuple(uvarint(size) for size in range(128))  # of one byte
_SHORTEST = len(_LENGTHS) - 1
_SHORT, _LONG = struct.Struct(">h").pack, struct.Struct(">i").pack
_MILLISECOND = dt.timedelta(milliseconds=1)
_NO_ID = bytes(16)


def pack(schema: Any, values: Values) -> bytes:
    """The body. `values` may name more than this version has; what it leaves out gets the schema's
    default. Times and durations are milliseconds (or a `timedelta`), an instant below 0 is none.

    Raises `KeyError` for a value that is needed, `TypeError` or `struct.error` for one that cannot
    be."""
    out: list[bytes] = []
    _entity(schema)(out, values)
    return b"".join(out)


@functools.cache
def _entity(schema: Any) -> Put:
    steps: list[Put] = []
    run: list[Any] = []
    tagged: list[Any] = []
    for field in dataclasses.fields(schema):
        if "tag" in field.metadata:
            tagged.append(field)
        elif _fixed(field):
            run.append(field)
        else:
            steps += [*([_run(schema, run)] if run else []), _field(schema, field)]
            run = []
    bare = schema.__flexible__ and not tagged
    if run or bare:
        steps.append(_run(schema, run, _NO_TAGS if bare else ""))
    if tagged:
        steps.append(_tags(schema, sorted(tagged, key=lambda field: int(field.metadata["tag"]))))

    def put(out: list[bytes], values: Values) -> None:
        for step in steps:
            step(out, values)

    return steps[0] if len(steps) == 1 else put


def _fixed(field: Any) -> bool:
    return field.metadata.get("kafka_type") in _CODES and not _many(field)


def _many(field: Any) -> bool:
    """Whether it is an array, or one or null."""
    return any(get_origin(one) is tuple for one in (field.type, *get_args(field.type)))


def _needs(schema: Any, name: str) -> KeyError:
    return KeyError(f"{schema.__name__} v{schema.__version__} needs {name!r}")


# ---------------------------------------------------------------------------------- fixed sizes


def _run(schema: Any, run: Iterable[Any], behind: str = "") -> Put:
    """Neighbours of fixed size, in one go."""
    kinds = [field.metadata["kafka_type"] for field in run]
    pack = struct.Struct(">" + "".join(_CODES[kind] for kind in kinds) + behind).pack
    names = [field.name for field in run]
    defaults = [field.default for field in run]
    turned = [(at, _TURNED[kind]) for at, kind in enumerate(kinds) if kind in _TURNED]

    def put(out: list[bytes], values: Values) -> None:
        given: Any = map(values.get, names, defaults)
        try:
            if turned:
                given = [*given]
                for at, turn in turned:
                    given[at] = turn(given[at])
            out.append(pack(*given))
        except (struct.error, TypeError, AttributeError):
            for name, default in zip(names, defaults, strict=True):
                if values.get(name, default) is _MISSING:
                    raise _needs(schema, name) from None
            raise

    return put


def _duration(value: Any) -> Any:
    return value // _MILLISECOND if isinstance(value, dt.timedelta) else value


def _instant(value: Any) -> Any:
    return -1 if value is None or value < 0 else value


def _identity(value: Any) -> Any:
    return _NO_ID if value is None else value.bytes


_TURNED: Mapping[str, Callable[[Any], Any]] = {
    "timedelta_i32": _duration, "timedelta_i64": _duration, "datetime_i64": _instant,
    "uuid": _identity,
}  # fmt: skip


# ---------------------------------------------------------------------------------- other sizes


def _field(schema: Any, field: Any) -> Put:
    name, default, item = field.name, field.default, _item(schema, field)

    def put(out: list[bytes], values: Values) -> None:
        value = values.get(name, default)
        if value is _MISSING:
            raise _needs(schema, name)
        item(out, value)

    return put


def _item(schema: Any, field: Any) -> _Item:
    """What writes one value of a field."""
    options, many = get_args(field.type), _many(field)
    nullable = type(None) in options and not many and "tag" not in field.metadata
    shape = next((one for one in options if one is not type(None)), field.type)
    if get_origin(shape) is tuple:
        shape = get_args(shape)[0]
    kind, flexible = field.metadata.get("kafka_type"), schema.__flexible__
    if many and kind in _CODES:
        return _numbers(kind, flexible=flexible)
    single = _text(kind, flexible=flexible, nullable=nullable) if kind else _nested(shape)
    if many:
        return _array(single, flexible=flexible)
    return _maybe(single) if kind is None and nullable else single


def _nested(shape: Any) -> _Item:
    put = _entity(shape)

    def item(out: list[bytes], value: Any) -> None:
        put(out, value if isinstance(value, Mapping) else dataclasses.asdict(value))

    return item


def _maybe(single: _Item) -> _Item:
    def item(out: list[bytes], value: Any) -> None:
        out.append(b"\xff" if value is None else b"\x01")
        if value is not None:
            single(out, value)

    return item


def _text(kind: str, *, flexible: bool, nullable: bool) -> _Item:
    """A string or bytes."""
    length = _SHORT if kind == "string" else _LONG

    def item(out: list[bytes], value: Any) -> None:
        if value is None:
            if not nullable:
                raise TypeError("a string that must not be null is None")
            out.append(b"\0" if flexible else length(-1))
            return
        data = value.encode() if isinstance(value, str) else value
        size = len(data)
        out += (_compact(size) if flexible else length(size), data)

    return item


def _compact(size: int) -> bytes:
    """One more than the size: 0 is null."""
    return _LENGTHS[size + 1] if size < _SHORTEST else uvarint(size + 1)


def _count(items: Any, *, flexible: bool) -> bytes:
    if items is None:
        return b"\0" if flexible else _LONG(-1)
    return _compact(len(items)) if flexible else _LONG(len(items))


def _array(single: _Item, *, flexible: bool) -> _Item:
    def item(out: list[bytes], value: Any) -> None:
        items = value if value is None or isinstance(value, list | tuple) else tuple(value)
        out.append(_count(items, flexible=flexible))
        for one in items or ():
            single(out, one)

    return item


def _numbers(kind: str, *, flexible: bool) -> _Item:
    code, turn = _CODES[kind], _TURNED.get(kind)

    def item(out: list[bytes], value: Any) -> None:
        items = None if value is None else [turn(one) for one in value] if turn else tuple(value)
        out.append(_count(items, flexible=flexible))
        if items:
            out.append(struct.pack(">" + code * len(items), *items))

    return item


# ---------------------------------------------------------------------------------- tagged fields


def _tags(schema: Any, fields: Iterable[Any]) -> Put:
    """Those that are not at their default (KIP-482)."""
    known = []
    for field in fields:
        put = _run(schema, [field]) if _fixed(field) else _field(schema, field)
        usual = _alone(put, field.name, field.default) if _told(field.default) else None
        known.append((field.name, uvarint(int(field.metadata["tag"])), put, usual))

    def put_all(out: list[bytes], values: Values) -> None:
        told: list[bytes] = []
        for name, tag, put, usual in known:
            if name in values and _told(values[name]):
                data = _alone(put, name, values[name])
                if data != usual:
                    told.append(tag + uvarint(len(data)) + data)
        out.append(uvarint(len(told)))
        out += told

    return put_all


def _told(value: Any) -> bool:
    return value is not None and value is not _MISSING


def _alone(put: Put, name: str, value: Any) -> bytes:
    out: list[bytes] = []
    put(out, {name: value})
    return b"".join(out)

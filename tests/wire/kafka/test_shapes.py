"""The walk over a body agrees with kio on every schema, and stops what kio dies of."""

from __future__ import annotations

import dataclasses
import struct
import uuid
from typing import get_args

import pytest
from kio.serial import entity_reader

from pytest_mqchaos.wire.kafka.apis import APIS
from pytest_mqchaos.wire.kafka.bodies import schema_of
from pytest_mqchaos.wire.kafka.codec import KafkaCodec
from pytest_mqchaos.wire.kafka.compression import Unreadable
from pytest_mqchaos.wire.kafka.entities import encode, fill
from pytest_mqchaos.wire.kafka.shapes import walk

READ = (0, 1, 3, 8, 11, 13, 14, 19, 22, 25, 26, 28, 68)  # what the recording decodes


def schemas(*kinds):
    for kind in kinds:
        api = APIS[kind]
        for version in range(api.low, api.high + 1):
            for reply in (False, True):
                yield kind, version, reply, schema_of(kind, version, reply=reply)


KINDS = [READ, pytest.param(tuple(APIS), marks=pytest.mark.wide)]


def nested(annotation):
    if dataclasses.is_dataclass(annotation):
        return annotation
    found = (nested(part) for part in get_args(annotation))
    return next((part for part in found if part is not None), None)


def filled(schema, many):
    """Plain data for a schema: `many` elements in every array, something in every field."""
    values = {}
    for field in dataclasses.fields(schema):
        inner, text = nested(field.type), str(field.type)
        kind = field.metadata.get("kafka_type")
        one = (
            filled(inner, many) if inner else
            {"string": "text", "bytes": b"b" * 200, "records": b"r", "bool": True}.get(kind, 1)
        )  # fmt: skip
        if kind == "uuid":
            one = uuid.UUID(int=1)
        values[field.name] = [one] * many if "tuple[" in text else one
    return values


@pytest.mark.parametrize("many", [0, 2])
@pytest.mark.parametrize("kinds", KINDS)
def test_the_walk_ends_where_the_body_ends(kinds, many):
    for kind, version, reply, schema in schemas(*kinds):
        data = b"head" + encode(fill(schema, filled(schema, many)))
        assert walk(schema, data, 4) == len(data), (APIS[kind].name, version, reply)
        assert entity_reader(schema)(data, 4)[1] == len(data) - 4


@pytest.mark.parametrize("kinds", KINDS)
def test_what_is_cut_short_is_refused_wherever_it_is_cut(kinds):
    for _, _, _, schema in schemas(*kinds):
        data = encode(fill(schema, filled(schema, 1)))
        for end in {0, len(data) // 2, max(len(data) - 1, 0)} - {len(data)}:
            with pytest.raises(Unreadable):
                walk(schema, data[:end], 0)


@pytest.mark.parametrize("count", [1000, 2**31 - 1])
def test_an_array_that_claims_more_than_there_is_does_not_abort_the_process(
    ask, frame_of, produce, count
):
    legacy = bytearray(produce(3, b""))
    at = len(legacy) - 4 - 4 - 4 - 3 - 4  # the array of topics, from behind
    struct.pack_into(">i", legacy, at, count)
    said = KafkaCodec().decode(frame_of("Produce", 3, bytes(legacy)))
    assert f"claims {count} elements" in said.undecoded


@pytest.mark.parametrize(
    ("name", "version", "end"),
    [("ListOffsets", 5, b"\xff\xff\xff\xff"), ("Fetch", 12, b"\0\1\1\0")],
)
def test_a_null_array_where_none_may_be_is_undecoded(frame_of, ask, name, version, end):
    raw = bytearray(ask(name, version))
    raw[-len(end) :] = end
    said = KafkaCodec().decode(frame_of(name, version, bytes(raw)))
    assert "topics is null" in said.undecoded

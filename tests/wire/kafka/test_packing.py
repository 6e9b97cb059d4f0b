"""Packed straight from plain values, a body is what kio writes, byte for byte, on every schema."""

from __future__ import annotations

import dataclasses
import datetime as dt
import struct

import pytest

from pytest_mqchaos.wire.kafka.bodies import schema_of
from pytest_mqchaos.wire.kafka.entities import encode, fill
from pytest_mqchaos.wire.kafka.packing import pack
from tests.wire.kafka.test_shapes import KINDS, filled, nested, schemas


def reduced(schema, many, keep):
    """Plain data for a schema, of each field what `keep` says: its value, None, or nothing."""
    values = {}
    for field in dataclasses.fields(schema):
        inner = nested(field.type)
        value = filled(schema, many)[field.name]
        if inner and isinstance(value, list):
            value = [reduced(inner, many, keep) for _ in value]
        elif inner:
            value = reduced(inner, many, keep)
        kept = keep(field, value)
        if kept is not Ellipsis:
            values[field.name] = kept
    return values


def without_defaults(field, value):
    return value if field.default is dataclasses.MISSING else ...


def nulls(field, value):
    return None if "None" in str(field.type) and "tuple[" not in str(field.type) else value


def everything(_field, value):
    return value


@pytest.mark.parametrize("keep", [everything, without_defaults, nulls])
@pytest.mark.parametrize("kinds", KINDS)
def test_a_body_is_what_kio_writes(kinds, keep):
    count = 0
    for kind, version, reply, schema in schemas(*kinds):
        for many in (0, 2):
            values = reduced(schema, many, keep)
            told = {**values, "a field of another version": object()}
            assert pack(schema, told) == encode(fill(schema, values)), (kind, version, reply)
            count += 1
    assert count > 100


@pytest.mark.parametrize("size", [0, 1, 126, 127, 128, 510, 511, 512, 20_000])
def test_lengths_of_every_form(size):
    for version in (3, 9):  # with and without compact forms
        schema = schema_of(0, version, reply=False)
        part = {"index": 0, "records": b"r" * size}
        topics = [{"name": "t", "partition_data": [part]}] * (1 if size else 200)
        values = {"transactional_id": "x" * size, "acks": -1, "timeout": 5, "topic_data": topics}
        assert pack(schema, values) == encode(fill(schema, values))


def test_a_tagged_field_at_its_default_is_not_told():
    schema = schema_of(0, 12, reply=True)

    def reply(**leader):
        part = {"index": 0, "error_code": 6, "base_offset": -1, "record_errors": (),
                "current_leader": leader}  # fmt: skip
        topics = [{"name": "t", "partition_responses": [part]}]
        return {"responses": topics, "throttle_time": 0}

    usual, told = reply(leader_id=-1, leader_epoch=-1), reply(leader_id=2, leader_epoch=-1)
    assert pack(schema, usual) == encode(fill(schema, usual))
    assert pack(schema, told) == encode(fill(schema, told))
    assert len(pack(schema, told)) > len(pack(schema, usual))


def test_a_duration_is_milliseconds_or_a_timedelta():
    schema = schema_of(0, 9, reply=False)
    values = {"transactional_id": None, "acks": 1, "topic_data": ()}
    assert pack(schema, {**values, "timeout": dt.timedelta(seconds=1.5)}) == pack(
        schema, {**values, "timeout": 1500}
    )


def test_an_iterable_is_an_array():
    schema = schema_of(3, 12, reply=False)
    topics = ({"name": name, "topic_id": None} for name in "ab")
    told = pack(schema, {"topics": topics, "allow_auto_topic_creation": True,
                         "include_topic_authorized_operations": False})  # fmt: skip
    assert told.count(b"\x02a") == told.count(b"\x02b") == 1


@pytest.mark.parametrize(
    ("wrong", "error", "text"),
    [
        ({"acks": ...}, KeyError, "needs 'acks'"),
        ({"topic_data": ...}, KeyError, "needs 'topic_data'"),
        ({"acks": 1 << 15}, struct.error, "format"),
        ({"topic_data": [{"name": None, "partition_data": []}]}, TypeError, "None"),
    ],
)
def test_what_cannot_be_is_said(wrong, error, text):
    values = {"transactional_id": None, "acks": 1, "timeout": 5, "topic_data": (), **wrong}
    given = {name: value for name, value in values.items() if value is not ...}
    with pytest.raises(error, match=text):
        pack(schema_of(0, 9, reply=False), given)

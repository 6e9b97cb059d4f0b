"""Requests that no client of good will sends: an error or a hang-up, never a failure or a hang."""

from __future__ import annotations

import struct
from uuid import UUID

import crc32c
import pytest

from pytest_mqchaos.kafka_cluster.logs import timestamps
from tests.kafka_cluster.talking import Talker, cluster, frame

CORRUPT = 2


@pytest.fixture
def talker():
    talker = Talker(cluster())
    talker.create("t")
    return talker


def batch(body: bytes, count: int) -> bytes:
    """A sound header and checksum around a body that makes no sense."""
    checked = struct.pack(">hiqqqhii", 0, count - 1, 1000, 1000, -1, -1, -1, count) + body
    head = struct.pack(">qiibI", 0, len(checked) + 9, -1, 2, crc32c.crc32c(checked))
    return head + checked


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"\xff\x01" + bytes(20), id="a record of negative size, for ever"),
        pytest.param(bytes(30), id="records of no size"),
        pytest.param(b"\xff" * 5000, id="a number without end"),
        pytest.param(b"\x20\0" + b"\xff" * 10 + b"\1" * 40, id="a time that fits no field"),
    ],
)
def test_looking_for_a_time_in_records_that_make_no_sense_ends(talker, body):
    assert talker.produce(batch(body, 2**31 - 1)).error_code == 0  # Kafka looks no closer here
    assert talker.offset(500)[0] == CORRUPT


def test_a_record_that_is_all_there_is_still_found(talker):
    record = b"\x0c\0\0\0\1\1\0"
    assert talker.produce(batch(record, 1)).error_code == 0
    assert talker.offset(500) == (0, 1000, 0)
    assert timestamps.Stamp(1000, 0) in timestamps.stamps(next(iter(log(talker).batches())))


def log(talker):
    return talker.cluster.state.topics.partition("t", 0).copies[1].log


def test_more_partitions_than_memory_holds_are_refused(talker):
    assert talker.create("big", partitions=2**31 - 1).error_code == 44  # POLICY_VIOLATION
    asked = {"topics": [{"name": "t", "count": 2**31 - 1, "assignments": None}]}
    grown = talker.ask(37, 3, timeout=1, validate_only=False, **asked)
    assert [one.error_code for one in grown.results] == [44]
    assert len(talker.cluster.state.topics.get("t").partitions) == 1


@pytest.mark.parametrize("claim", [-1, 2**31 - 1])
def test_an_array_that_claims_what_cannot_be_ends_the_connection(talker, claim):
    whole = bytearray(frame(2, 5, 1, {"replica_id": -1, "isolation_level": 0, "topics": []}))
    struct.pack_into(">i", whole, len(whole) - 4, claim)
    talker.cluster.receive(talker.id, bytes(whole), 0)
    assert talker.cluster.take_closed() == [talker.id]
    assert talker.cluster.take_failures() == []


@pytest.mark.parametrize(
    "topic", [{"name": None, "topic_id": None}, {"name": None, "topic_id": UUID(int=1)}]
)
def test_metadata_by_id_before_the_version_that_has_it_is_an_error(talker, topic):
    asked = {"topics": [topic], "allow_auto_topic_creation": True}
    asked |= {"include_topic_authorized_operations": False}
    asked |= {"include_cluster_authorized_operations": False}
    talker.say(3, 10, **asked)
    assert talker.cluster.take_failures() == []
    (answer,) = talker.heard()
    assert [(one.error_code, one.name) for one in answer.topics] == [(42, "")]

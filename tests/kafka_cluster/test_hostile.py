"""Requests that no client of good will sends: an error or a hang-up, never a failure or a hang."""

from __future__ import annotations

import struct

import crc32c
import pytest

from pytest_mqchaos.kafka_cluster import timestamps
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
    return talker.cluster.state.topics.partition("t", 0).log


@pytest.mark.parametrize("claim", [-1, 2**31 - 1])
def test_an_array_that_claims_what_cannot_be_ends_the_connection(talker, claim):
    whole = bytearray(frame(2, 5, 1, {"replica_id": -1, "isolation_level": 0, "topics": []}))
    struct.pack_into(">i", whole, len(whole) - 4, claim)
    talker.cluster.receive(talker.id, bytes(whole), 0)
    assert talker.cluster.take_closed() == [talker.id]
    assert talker.cluster.take_failures() == []

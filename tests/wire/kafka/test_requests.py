"""Frames of our own: side requests, and refusals for every version that can be asked in."""

from __future__ import annotations

import pytest

from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.frames import Outcome
from pytest_mqchaos.wire.kafka.apis import APIS, KEYS
from pytest_mqchaos.wire.kafka.codec import KafkaCodec
from pytest_mqchaos.wire.kafka.entities import read
from pytest_mqchaos.wire.kafka.requests import (
    REFUSABLE,
    delete_records,
    end_txn,
    error_reply,
    init_producer_id,
    join_group,
    leave_group,
    reply_error_code,
    with_correlation,
)

TOPIC = bytes(15) + b"\1"
PLACE = {"name": "t", "topic": "t", "topic_id": TOPIC}
ASKED = {
    "Produce": {"topic_data": [{**PLACE, "partition_data": [{"index": 2, "records": b""}]}]},
    "Fetch": {"topics": [{**PLACE, "partitions": [{"partition": 2}]}]},
    "OffsetCommit": {"topics": [{**PLACE, "partitions": [{"partition_index": 2}]}]},
    "TxnOffsetCommit": {"topics": [{**PLACE, "partitions": [{"partition_index": 2}]}]},
    "ListOffsets": {"topics": [{**PLACE, "partitions": [{"partition_index": 2}]}]},
    "Metadata": {"topics": [PLACE]},
    "FindCoordinator": {"key": "g", "coordinator_keys": ["g"]},
    "OffsetFetch": {
        "topics": [{**PLACE, "partition_indexes": [2]}],
        "groups": [{"group_id": "g", "topics": []}],
    },
    "CreateTopics": {"topics": [{"name": "t"}]},
    "JoinGroup": {"group_id": "g", "member_id": "m"},
    "AddPartitionsToTxn": {"v3_and_below_topics": [{"name": "t", "partitions": [2]}]},
}
CASES = [
    (name, version)
    for name in sorted(REFUSABLE)
    for version in range(APIS[KEYS[name]].low, APIS[KEYS[name]].high + 1)
]


@pytest.mark.parametrize(("name", "version"), CASES)
def test_a_refusal_is_a_whole_reply_that_carries_the_error(ask, frame_of, name, version):
    request = frame_of(name, version, ask(name, version, 77, **ASKED.get(name, {})))
    raw = error_reply(request, "COORDINATOR_NOT_AVAILABLE")
    assert int.from_bytes(raw[:4], "big") == len(raw) - 4
    reply = frame_of(name, version, raw, reply=True, request=request)
    assert reply.correlation == 77
    assert reply_error_code(reply) == 15
    assert reply_error_code(request, raw) == reply_error_code(request.raw, raw) == 15
    codec = KafkaCodec()
    codec.topic_names[TOPIC] = "t"
    said = codec.decode(reply)
    assert said.undecoded is None
    assert said.records == ()
    if name in ("Produce", "Fetch", "OffsetCommit", "TxnOffsetCommit"):
        assert said.outcomes == (Outcome("t", 2, 15),)
    assert codec.rewrite_addresses(reply, lambda *_: ("moved", 1)) is None


def test_a_refused_fetch_has_empty_records_and_no_high_watermark(ask, frame_of):
    for version in range(4, 19):
        request = frame_of("Fetch", version, ask("Fetch", version, **ASKED["Fetch"]))
        reply = read(frame_of("Fetch", version, error_reply(request, 1), reply=True))
        part = reply.responses[0].partitions[0]
        assert (part.records, part.high_watermark) == (b"", -1)


def test_a_fetch_that_names_nothing_is_refused_as_a_whole(ask, frame_of):
    request = frame_of("Fetch", 12, ask("Fetch", 12, session_id=5, session_epoch=3))
    reply = read(frame_of("Fetch", 12, error_reply(request, 6), reply=True))
    assert (reply.error_code, reply.session_id, reply.responses) == (6, 0, ())


def test_a_refused_metadata_still_names_brokers(ask, frame_of):
    request = frame_of("Metadata", 12, ask("Metadata", 12, **ASKED["Metadata"]))
    raw = error_reply(request, "LEADER_NOT_AVAILABLE", brokers=[(1, "h", 9092)])
    said = KafkaCodec().decode(frame_of("Metadata", 12, raw, reply=True))
    assert (said.error, said.details["brokers"]) == (5, ((1, "h", 9092),))


def test_any_api_with_a_top_error_can_be_refused(ask, frame_of):
    request = frame_of("ListGroups", 4, ask("ListGroups", 4))
    raw = error_reply(request, 15)
    assert reply_error_code(frame_of("ListGroups", 4, raw, reply=True)) == 15


def test_what_cannot_be_refused_says_so(ask, frame_of):
    with pytest.raises(UsageError, match="no place for an error"):
        error_reply(frame_of("DeleteGroups", 2, ask("DeleteGroups", 2)), 15)
    with pytest.raises(UsageError, match="cannot answer this request"):
        error_reply(frame_of("Heartbeat", 4, ask("Heartbeat", 4)[:-1]), 15)
    with pytest.raises(UsageError, match="unknown Kafka error"):
        error_reply(frame_of("Heartbeat", 4, ask("Heartbeat", 4)), "NOT_A_THING")


def test_a_reply_that_cannot_be_read_has_no_code(frame_of):
    assert reply_error_code(frame_of("Heartbeat", 4, bytes(9), reply=True)) is None


def body(frame_of, name: str, raw: bytes):
    version = int.from_bytes(raw[6:8], "big")
    assert int.from_bytes(raw[:4], "big") == len(raw) - 4
    assert int.from_bytes(raw[4:6], "big") == KEYS[name]
    return read(frame_of(name, version, raw))


@pytest.mark.parametrize("version", range(6))
def test_leave_group_in_every_form(frame_of, version):
    asked = body(frame_of, "LeaveGroup", leave_group("g", "m", version=version, client=None))
    assert asked.group_id == "g"
    assert (asked.member_id if version < 3 else asked.members[0].member_id) == "m"


def test_side_requests(frame_of):
    joined = body(frame_of, "JoinGroup", join_group("g", protocols=[("range", b"\1")]))
    assert (joined.group_id, joined.protocols[0].metadata) == ("g", b"\1")
    deleted = body(frame_of, "DeleteRecords", delete_records({("t", 0): 5, ("t", 1): -1}))
    assert [(p.partition_index, p.offset) for p in deleted.topics[0].partitions] == [
        (0, 5),
        (1, -1),
    ]
    assert body(frame_of, "InitProducerId", init_producer_id("tx")).transactional_id == "tx"
    assert body(frame_of, "EndTxn", end_txn("tx", 4, 1, committed=True)).committed is True
    with pytest.raises(UsageError, match="LeaveGroup v99 has no schema"):
        leave_group("g", "m", version=99)


def test_a_frame_under_another_correlation(ask, answer, frame_of):
    request = frame_of("Heartbeat", 4, ask("Heartbeat", 4, 1))
    assert with_correlation(request, 9) == ask("Heartbeat", 4, 9)
    reply = frame_of("Heartbeat", 4, answer("Heartbeat", 4, 1), reply=True)
    assert with_correlation(reply, 9) == answer("Heartbeat", 4, 9)

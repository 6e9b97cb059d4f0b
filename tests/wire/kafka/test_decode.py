"""What frames mean: one sighting a point, in every version, and what cannot be decoded."""

from __future__ import annotations

import uuid

import pytest

from pytest_mqchaos.frames import Outcome, Point, Position, Record
from pytest_mqchaos.wire.kafka import batch as header
from pytest_mqchaos.wire.kafka.apis import APIS, KEYS
from pytest_mqchaos.wire.kafka.codec import KafkaCodec
from pytest_mqchaos.wire.kafka.records import build_batch

TOPIC = bytes(15) + b"\1"
ONE, TWO = Record("t", 0, -1, b"k", b"one", (("h", b"x"),), 5), Record("t", 0, -1, None, b"two")


def versions(*names: str) -> list[tuple[str, int]]:
    return [(n, v) for n in names for v in range(APIS[KEYS[n]].low, APIS[KEYS[n]].high + 1)]


def knowing() -> KafkaCodec:
    codec = KafkaCodec()
    codec.topic_names[TOPIC] = "t"
    return codec


@pytest.fixture(scope="session")
def pair(ask, answer, frame_of):
    """A request and the reply to it, as frames."""

    def build(name, version, asked, answered):
        request = frame_of(name, version, ask(name, version, 7, **asked))
        raw = answer(name, version, 7, **answered)
        return request, frame_of(name, version, raw, reply=True, request=request)

    return build


@pytest.mark.parametrize(("name", "version"), versions("Produce"))
def test_publish_and_confirm(ask, answer, frame_of, produce, name, version):
    codec = knowing()
    blob = build_batch([ONE, TWO], producer_id=3, base_sequence=4)
    request = frame_of(name, version, produce(version, blob, 7, acks=1, transactional_id="tx"))
    said = codec.decode(request)
    assert (said.point, said.name, said.client) == (Point.PUBLISH, "Produce", "app")
    assert (said.acks, said.transactional_id, said.undecoded) == (1, "tx", None)
    assert [(r.topic, r.partition, r.offset, r.value, r.sequence) for r in said.records] == [
        ("t", 0, -1, b"one", 4),
        ("t", 0, -1, b"two", 5),
    ]
    assert said.records[0].headers == (("h", b"x"),)
    part = {"index": 0, "error_code": 7, "base_offset": 40}
    topics = [{"name": "t", "topic_id": TOPIC, "partition_responses": [part]}]
    raw = answer(name, version, 7, responses=topics)
    said = codec.decode(frame_of(name, version, raw, reply=True, request=request))
    assert (said.point, said.client) == (Point.CONFIRM, "app")
    assert said.outcomes == (Outcome("t", 0, 7, 40),)


def fetch_fields(blob: bytes, offset: int, **more) -> tuple[dict, dict]:
    place = {"topic": "t", "topic_id": TOPIC}
    asked = {"topics": [{**place, "partitions": [{"partition": 0, "fetch_offset": offset}]}]}
    part = {"partition_index": 0, "high_watermark": 9, "records": blob, **more}
    return asked, {"responses": [{**place, "partitions": [part]}]}


@pytest.mark.parametrize(("name", "version"), versions("Fetch"))
def test_deliver_leaves_out_what_lies_before_the_requested_offset(pair, name, version):
    blob = build_batch([ONE, TWO], base_offset=10) + build_batch([ONE], base_offset=12)
    control = build_batch(
        [Record("", -1, -1, b"\0\0\0\1", b"\0" * 6)], base_offset=13, attributes=header.CONTROL
    )
    fields = fetch_fields(blob + control + blob[:30], 11)
    request, reply = pair(name, version, *fields)
    codec = knowing()
    said = codec.decode(reply)
    assert (said.point, said.error, said.outcomes) == (Point.DELIVER, 0, ())
    assert [(r.topic, r.offset, r.value) for r in said.records] == [
        ("t", 11, b"two"),
        ("t", 12, b"one"),
    ]
    assert said.details["high_watermarks"] == (("t", 0, 9),)
    assert said.details["asked"] == (("t", 0, 11),)
    assert codec.decode(request).point is Point.CONTROL


def test_deliver_tells_errors(pair):
    fields = fetch_fields(b"", 0, error_code=6)
    _, reply = pair("Fetch", 12, *fields)
    assert knowing().decode(reply).outcomes == (Outcome("t", 0, 6),)


def test_aborted_records_are_not_delivered_to_a_committed_reader(pair):
    def txn(producer, base):
        return build_batch([ONE, TWO], base_offset=base, producer_id=producer, transactional=True)

    def end(producer, base, kind):
        key = b"\0\0\0" + bytes([kind])
        flags = header.CONTROL | header.TRANSACTIONAL
        row = Record("", -1, -1, key, b"\0" * 6)
        return build_batch([row], base_offset=base, producer_id=producer, attributes=flags)

    blob = b"".join(
        (txn(1, 0), txn(2, 2), build_batch([ONE], base_offset=4), end(1, 5, 0), end(2, 6, 1),
         txn(1, 7), end(1, 9, 1), txn(1, 10), end(1, 12, 0))
    )  # fmt: skip
    aborts = [{"producer_id": 1, "first_offset": 0}, {"producer_id": 1, "first_offset": 10}]
    asked, answered = fetch_fields(blob, 0, aborted_transactions=aborts)
    _, reply = pair("Fetch", 11, {**asked, "isolation_level": 1}, answered)
    said = knowing().decode(reply)
    assert [r.offset for r in said.records] == [2, 3, 4, 7, 8]
    assert said.details["aborted"] == (("t", 0, 0, 1), ("t", 0, 10, 11))
    assert said.details["read_committed"] is True


def test_a_fetch_session_remembers_offsets_that_are_not_named_again(pair):
    codec = knowing()
    blob = build_batch([ONE, TWO], base_offset=0)
    asked, answered = fetch_fields(blob, 1)

    def deliver(**session):
        _, reply = pair("Fetch", 12, {**asked, **session}, answered)
        return [r.offset for r in codec.decode(reply).records]

    assert deliver(session_epoch=0) == [1]
    asked = {"topics": []}
    assert deliver(session_id=5, session_epoch=1) == [1]
    forgotten = [{"topic": "t", "partitions": [0]}]
    assert deliver(session_id=5, session_epoch=2, forgotten_topics_data=forgotten) == [0, 1]
    asked = fetch_fields(blob, 2)[0]
    assert deliver(session_epoch=-1) == []


@pytest.mark.parametrize(("name", "version"), versions("OffsetCommit", "TxnOffsetCommit"))
def test_ack_and_ack_confirm(pair, name, version):
    place = {"name": "t", "topic_id": TOPIC}
    asked = {
        "group_id": "g",
        "member_id": "m",
        "generation_id": 4,
        "generation_id_or_member_epoch": 4,
        "transactional_id": "tx",
        "topics": [{**place, "partitions": [{"partition_index": 2, "committed_offset": 30}]}],
    }
    answered = {"topics": [{**place, "partitions": [{"partition_index": 2, "error_code": 16}]}]}
    request, reply = pair(name, version, asked, answered)
    codec = knowing()
    fenced = name == "OffsetCommit" or version >= 3
    for said in (codec.decode(request), codec.decode(reply)):
        assert said.undecoded is None
        assert (said.group, said.client) == ("g", "app")
        assert (said.member, said.generation) == (("m", 4) if fenced else (None, None))
        assert said.transactional_id == ("tx" if name == "TxnOffsetCommit" else None)
    assert codec.decode(request).point is Point.ACK
    assert codec.decode(request).positions == (Position("t", 2, 30),)
    assert codec.decode(reply).point is Point.ACK_CONFIRM
    assert codec.decode(reply).outcomes == (Outcome("t", 2, 16),)


@pytest.mark.parametrize(("name", "version"), versions("JoinGroup"))
def test_join_group(pair, name, version):
    asked = {
        "group_id": "g",
        "member_id": "old",
        "session_timeout": 6000,
        "protocol_type": "consumer",
        "protocols": [{"name": "range", "metadata": b"\1\2"}],
    }
    answered = {
        "generation_id": 3,
        "member_id": "new",
        "leader": "lead",
        "protocol_name": "range",
        "members": [{"member_id": "new"}, {"member_id": "lead"}],
    }
    request, reply = pair(name, version, asked, answered)
    said = KafkaCodec().decode(request)
    assert (said.point, said.group, said.member) == (Point.CONTROL, "g", "old")
    assert said.details["protocols"] == (("range", b"\1\2"),)
    assert said.details["session_timeout_ms"] == 6000
    said = KafkaCodec().decode(reply)
    assert (said.group, said.member, said.generation, said.error) == ("g", "new", 3, 0)
    assert said.details["leader"] == "lead"
    assert said.details["members"] == ("new", "lead")


@pytest.mark.parametrize(("name", "version"), versions("LeaveGroup"))
def test_leave_group(pair, name, version):
    asked = {"group_id": "g", "member_id": "m", "members": [{"member_id": "m"}]}
    answered = {"error_code": 0, "members": [{"member_id": "m", "error_code": 25}]}
    request, reply = pair(name, version, asked, answered)
    assert KafkaCodec().decode(request).details["members"] == ("m",)
    assert KafkaCodec().decode(reply).error == (25 if version >= 3 else 0)


@pytest.mark.parametrize(
    ("name", "asked", "answered", "want"),
    [
        ("InitProducerId", {"transactional_id": "tx"}, {"producer_id": 8, "producer_epoch": 2},
         {"producer_id": 8, "epoch": 2}),
        ("SyncGroup", {"group_id": "g", "generation_id": 1}, {"assignment": b"\1"},
         {"assignment": b"\1"}),
        ("Heartbeat", {"group_id": "g", "generation_id": 1}, {"error_code": 27}, {}),
        ("CreateTopics", {}, {"topics": [{"name": "t", "topic_id": TOPIC, "error_code": 36}]},
         {"topics": (("t", 36),)}),
        ("AddOffsetsToTxn", {"transactional_id": "tx", "group_id": "g"}, {"error_code": 51}, {}),
        ("ConsumerGroupHeartbeat", {"group_id": "g", "member_epoch": 1},
         {"member_id": "m", "member_epoch": 2}, {}),
    ],
)  # fmt: skip
def test_control(pair, name, asked, answered, want):
    for _, version in versions(name):
        request, reply = pair(name, version, asked, answered)
        first, second = KafkaCodec().decode(request), KafkaCodec().decode(reply)
        assert (first.undecoded, second.undecoded, first.error) == (None, None, None)
        assert second.group == first.group == asked.get("group_id")
        assert second.transactional_id == asked.get("transactional_id")
        assert second.details == want
        errors = {"Heartbeat": 27, "CreateTopics": 36, "AddOffsetsToTxn": 51}
        assert second.error == errors.get(name, 0)


@pytest.mark.parametrize("name", ["tx", None])
def test_who_begins_under_a_transactional_id_ends_what_is_open_there(ask, frame_of, name):
    raw = ask("InitProducerId", 4, transactional_id=name)
    said = KafkaCodec().decode(frame_of("InitProducerId", 4, raw))
    assert said.transactional_id == name
    assert ("anew" in said.details) is (name is not None)


@pytest.mark.parametrize("committed", [True, False])
def test_end_of_a_transaction(ask, frame_of, committed):
    for name, version in versions("EndTxn"):
        raw = ask(name, version, transactional_id="tx", producer_id=4, committed=committed)
        said = KafkaCodec().decode(frame_of(name, version, raw))
        assert said.transactional_id == "tx"
        assert said.details == {"committed": committed, "producer_id": 4, "epoch": 0}


def test_metadata_names_brokers_topics_and_ids(answer, frame_of):
    brokers = [{"node_id": 1, "host": "h", "port": 9092}]
    topics = [{"name": "t", "topic_id": TOPIC, "partitions": [{"leader_id": 1}]},
              {"name": None, "topic_id": TOPIC, "error_code": 100}]  # fmt: skip
    codec = KafkaCodec()
    raw = answer("Metadata", 12, brokers=brokers, topics=topics)
    said = codec.decode(frame_of("Metadata", 12, raw, reply=True))
    assert said.details == {"brokers": ((1, "h", 9092),), "topics": {"t": ((0, 1),)}}
    assert codec.topic_names == {TOPIC: "t"}


def test_what_cannot_be_read_is_said_and_never_guessed(ask, answer, frame_of, produce):
    codec = KafkaCodec()
    blob = build_batch([ONE])
    by_id = codec.decode(frame_of("Produce", 13, produce(13, blob)))
    assert str(uuid.UUID(bytes=TOPIC)) in by_id.undecoded
    assert (by_id.point, by_id.records, by_id.client) == (Point.PUBLISH, (), "app")
    torn = codec.decode(frame_of("Produce", 9, produce(9, blob[:-5])))
    assert "torn" in torn.undecoded
    longer = answer("Heartbeat", 3) + b"\0"
    odd = codec.decode(frame_of("Heartbeat", 3, longer, reply=True))
    assert "more are there" in odd.undecoded
    passed_over = frame_of("Heartbeat", 3, ask("Heartbeat", 3) + b"\0")  # as Kafka does
    assert codec.decode(passed_over).undecoded is None
    assert "no schema" in codec.decode(frame_of("Produce", 2, produce(3, blob))).undecoded
    tagged = answer("Heartbeat", 4)[:-1] + b"\1\x63\1a"
    assert codec.decode(frame_of("Heartbeat", 4, tagged, reply=True)).undecoded
    header_only = frame_of("Heartbeat", 4, ask("Heartbeat", 4)[:13])
    assert "torn" in codec.decode(header_only).undecoded
    assert codec.decode(header_only).client is None


@pytest.mark.parametrize(
    ("name", "version"), [("Fetch", 12), ("OffsetCommit", 8), ("SyncGroup", 4)]
)
def test_the_answer_to_another_request_is_not_guessed(ask, answer, frame_of, name, version):
    """As a history that was damaged may pair them."""
    heartbeat = frame_of("Heartbeat", 4, ask("Heartbeat", 4))
    reply = frame_of(name, version, answer(name, version), reply=True, request=heartbeat)
    assert KafkaCodec().decode(reply).undecoded == f"{name}: no answer to Heartbeat"


def test_points_have_their_apis():
    codec = KafkaCodec()
    assert codec.requests_of(Point.PUBLISH) == codec.replies_of(Point.CONFIRM) == {"Produce"}
    assert codec.replies_of(Point.DELIVER) == {"Fetch"}
    assert codec.requests_of(Point.ACK) == codec.replies_of(Point.ACK_CONFIRM)
    assert codec.requests_of(Point.DELIVER) == codec.replies_of(Point.PUBLISH) == frozenset()
    assert {"Fetch", "Heartbeat"} <= codec.requests_of(Point.CONTROL)
    assert "Fetch" not in codec.replies_of(Point.CONTROL)
    assert (codec.name_of(0), codec.name) == ("Produce", "kafka")

"""The same with Kafka's real codec: bytes go through a real scanner, what it saw is packed by the
real recording, read back and transcribed."""

import pytest

from pytest_mqchaos.frames import Direction, Record
from pytest_mqchaos.history.identity import Identity
from pytest_mqchaos.history.spool import read
from pytest_mqchaos.relay.recording import Recording
from pytest_mqchaos.relay.transcript import transcribe
from pytest_mqchaos.wire.base import Interest
from pytest_mqchaos.wire.kafka.apis import KEYS
from pytest_mqchaos.wire.kafka.codec import KafkaCodec
from pytest_mqchaos.wire.kafka.entities import write_reply, write_request
from pytest_mqchaos.wire.kafka.records import build_batch

TOPIC = bytes(15) + b"\1"
PLACE = {"topic": "t", "topic_id": TOPIC}
NAMED = {"name": "t", "topic_id": TOPIC}


class Conversation:
    """One link whose every frame passes, recorded as the data plane does."""

    def __init__(self):
        self.packed = bytearray()
        self.recording = Recording(KafkaCodec(), self.packed.extend)
        self.recording.on = True
        self.recording.note({"note": "link", "link": 1, "owner": "worker-1#1", "node": 0}, 1)
        self.recording.note({"note": "topics", "names": {TOPIC.hex(): "t"}}, 1)
        self.scanner = KafkaCodec().scanner()
        self.scanner.look(Interest(track=True, record=True))
        self.correlation = 0

    def pass_on(self, direction, raw):
        self.scanner.scan(direction, bytearray(raw), 0, len(raw))
        for frame in self.scanner.seen:
            frame.link = 1
            frame.t = 1000 * (self.recording.seq + 1)
            self.recording.frame(frame, "worker-1#1", held=False)
        self.scanner.seen.clear()

    def exchange(self, name, version, asked, answered):
        self.correlation += 1
        key, number = KEYS[name], self.correlation
        self.pass_on(Direction.TO_BROKER, write_request(key, version, number, "app", asked))
        if answered is not None:
            self.pass_on(Direction.TO_CLIENT, write_reply(key, version, number, answered))

    def produce(self, version, values, *, code=0, offset=0):
        batch = build_batch([record(-1, value) for value in values])
        parts = [{"index": 0, "records": batch}]
        told = [{"index": 0, "error_code": code, "base_offset": offset}]
        self.exchange(
            "Produce",
            version,
            {"acks": -1, "topic_data": [{**NAMED, "partition_data": parts}]},
            {"responses": [{**NAMED, "partition_responses": told}]},
        )

    def fetch(self, version, wanted, values, *, base):
        batch = build_batch([record(-1, value) for value in values], base_offset=base)
        part = {"partition_index": 0, "high_watermark": 9, "records": batch}
        self.exchange(
            "Fetch",
            version,
            {"topics": [{**PLACE, "partitions": [{"partition": 0, "fetch_offset": wanted}]}]},
            {"responses": [{**PLACE, "partitions": [part]}]},
        )

    def commit(self, version, offset, *, code=0):
        part = {"partition_index": 0, "committed_offset": offset}
        told = {"partition_index": 0, "error_code": code}
        self.exchange(
            "OffsetCommit",
            version,
            {"group_id": "g", "member_id": "m", "topics": [{**NAMED, "partitions": [part]}]},
            {"topics": [{**NAMED, "partitions": [told]}]},
        )

    def read(self):
        codec, identity = KafkaCodec(), Identity.parse("header:id")
        return transcribe(read(self.packed), codec=codec, identity=identity)


def record(offset, value):
    return Record("t", 0, offset, b"k", value, (("id", value),))


@pytest.mark.parametrize(("produce", "fetch", "commit"), [(8, 11, 7), (10, 16, 9), (13, 18, 10)])
def test_a_whole_conversation_becomes_rows(produce, fetch, commit):
    talk = Conversation()
    talk.produce(produce, [b"a", b"b"], offset=10)
    talk.produce(produce, [b"c"], code=6, offset=-1)
    talk.fetch(fetch, 10, [b"a", b"b"], base=10)
    talk.commit(commit, 12)
    talk.commit(commit, 12, code=25)
    rows = talk.read()
    assert [(a.id, a.outcome, a.offset, a.error, a.client) for a in rows.attempts] == [
        ("a", "confirmed", 10, 0, "app"),
        ("b", "confirmed", 11, 0, "app"),
        ("c", "refused", -1, 6, "app"),
    ]
    assert rows.attempts[0].headers == (("id", b"a"),)
    assert [(d.id, d.offset, d.group, d.owner) for d in rows.deliveries] == [
        ("a", 10, "g", "worker-1#1"),
        ("b", 11, "g", "worker-1#1"),
    ]
    assert [(a.offset, a.group, a.member, a.outcome, a.error) for a in rows.acks] == [
        (12, "g", "m", "confirmed", 0),
        (12, "g", "m", "refused", 25),
    ]
    assert (rows.gaps, rows.unidentified, rows.groups, rows.topics) == ((), (), {"g"}, {"t"})


def test_the_head_of_a_batch_that_was_read_before_is_not_delivered_again():
    talk = Conversation()
    talk.fetch(16, 10, [b"a", b"b"], base=10)
    talk.fetch(16, 11, [b"a", b"b"], base=10)
    assert [row.id for row in talk.read().deliveries] == ["a", "b", "b"]


def test_the_end_of_a_transaction_is_kept():
    talk = Conversation()
    asked = {"transactional_id": "tx", "producer_id": 3, "producer_epoch": 0, "committed": True}
    talk.exchange("EndTxn", 3, asked, {"error_code": 0})
    talk.exchange("EndTxn", 3, asked | {"committed": False}, {"error_code": 90})
    talk.exchange("EndTxn", 3, asked, None)
    ends = talk.read().ends
    assert [(end.transactional_id, end.committed, end.outcome, end.error) for end in ends] == [
        ("tx", True, "confirmed", 0),
        ("tx", False, "refused", 90),
        ("tx", True, "unknown", 0),
    ]


def test_what_nobody_can_decompress_is_a_gap():
    talk = Conversation()
    batch = bytearray(build_batch([record(-1, b"a")]))
    batch[22] |= 7  # attributes: a compression that does not exist
    parts = [{"index": 0, "records": bytes(batch)}]
    asked = {"acks": -1, "topic_data": [{**NAMED, "partition_data": parts}]}
    talk.exchange("Produce", 9, asked, None)
    rows = talk.read()
    assert rows.attempts == ()
    assert len(rows.gaps) == 1
    assert rows.gaps[0].startswith("Produce frame could not be decoded")

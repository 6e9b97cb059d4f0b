"""The same scripts with Kafka's real codec and its real recipes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_mqchaos.frames import Direction, Record
from pytest_mqchaos.history.identity import Identity
from pytest_mqchaos.plan.on import on
from pytest_mqchaos.relay.transcript import transcribe
from pytest_mqchaos.wire.kafka.apis import KEYS, name_of
from pytest_mqchaos.wire.kafka.codec import KafkaCodec
from pytest_mqchaos.wire.kafka.entities import write_reply, write_request
from pytest_mqchaos.wire.kafka.records import build_batch
from tests.relay.script import Talk

TO_BROKER, TO_CLIENT = Direction.TO_BROKER, Direction.TO_CLIENT
VERSIONS = {"Produce": 9, "Fetch": 11, "OffsetCommit": 7, "Heartbeat": 3, "Metadata": 9}


def batch(value, base=0):
    return build_batch([Record("t", 0, -1, b"k", value.encode())], base_offset=base)


def asked(name, word):
    if name == "Produce":
        parts = [{"index": 0, "records": batch(word)}]
        return {"acks": -1, "topic_data": [{"name": "t", "partition_data": parts}]}
    if name == "Fetch":
        return {"topics": [{"topic": "t", "partitions": [{"partition": 0, "fetch_offset": 0}]}]}
    if name == "OffsetCommit":
        part = {"partition_index": 0, "committed_offset": int(word)}
        topics = [{"name": "t", "partitions": [part]}]
        return {"group_id": "g", "member_id": "m", "topics": topics}
    return {"topics": [{"name": "t"}]} if name == "Metadata" else {"group_id": "g"}


def answered(name, word):
    if name == "Produce":
        parts = [{"index": 0, "error_code": int(word), "base_offset": 0}]
        return {"responses": [{"name": "t", "partition_responses": parts}]}
    if name == "Fetch":
        part = {"partition_index": 0, "records": batch(word), "high_watermark": 1}
        return {"responses": [{"topic": "t", "partitions": [part]}]}
    if name == "OffsetCommit":
        part = {"partition_index": 0, "error_code": int(word)}
        return {"topics": [{"name": "t", "partitions": [part]}]}
    if name == "Metadata":
        topic = {"name": "t", "partitions": [{"partition_index": 0, "leader_id": 1}]}
        return {"brokers": [{"node_id": 1, "host": "far", "port": 9}], "topics": [topic]}
    return {"error_code": int(word)}


class KafkaTalk(Talk):
    """`client Produce 1 a`: name, correlation, a value or an offset; `broker Produce 1 0`."""

    def __init__(self, *rules, **options):
        super().__init__(*rules, codec=KafkaCodec(), **options)

    def written(self, text):
        name, number, word = (*text.split(), "")[:3]
        self.names = {**getattr(self, "names", {}), int(number): name}
        kind, version = KEYS[name], VERSIONS[name]
        if self.speaking == "client":
            return write_request(kind, version, int(number), "app", asked(name, word))
        return write_reply(kind, version, int(number), answered(name, word))

    def speak(self, side, number, step, what):
        self.speaking = side
        super().speak(side, number, step, what)

    def shown(self, direction, data):
        found = []
        while data:
            size = int.from_bytes(data[:4], "big") + 4
            at = 8 if direction is TO_BROKER else 4
            number = int.from_bytes(data[at : at + 4], "big")
            kind = name_of(int.from_bytes(data[4:6], "big")) if at == 8 else self.names[number]
            found.append(f"{kind} {number}")
            data = data[size:]
        return found

    def rows(self):
        return transcribe(self.entries(), codec=KafkaCodec(), identity=Identity.parse("value"))


def test_a_lost_confirm_with_three_in_flight():
    talk = KafkaTalk(on.confirm(nth=2).drop()).play("""
        client/7 Produce 1 a + Produce 2 b + Produce 3 c
          rule 0 triggered
          > Produce 1
          > Produce 2
        broker/5 Produce 1 0 + Produce 2 0
          < Produce 1
        at 29
        at 30
          rule 0 took effect
          flush
        client gone
    """)
    assert [(row.id, row.reached, row.outcome) for row in talk.rows().attempts] == [
        ("a", True, "confirmed"), ("b", True, "unknown"), ("c", False, "unknown"),
    ]  # fmt: skip


def test_the_answer_to_a_number_that_is_used_twice_does_not_overtake_the_held_one():
    """No client has one number twice on its way; if one had, the order would stay."""
    talk = KafkaTalk(on.confirm(nth=1).delay(0.05)).play("""
        client Produce 1 a + Produce 1 b
          rule 0 triggered
          > Produce 1
          > Produce 1
        broker Produce 1 0 + Produce 1 6
        at 50
          rule 0 took effect
          < Produce 1
          < Produce 1
    """)
    assert [(row.id, row.outcome) for row in talk.rows().attempts] == [
        ("a", "confirmed"), ("b", "refused"),
    ]  # fmt: skip


def test_a_lost_publish_after_its_predecessor_was_confirmed():
    talk = KafkaTalk(on.publish(nth=2).drop()).play("""
        client Produce 1 a + Produce 2 b
          rule 0 triggered
          > Produce 1
        broker Produce 1 0
          < Produce 1
        at 30
          rule 0 took effect
          flush
    """)
    assert [(row.id, row.reached, row.outcome) for row in talk.rows().attempts] == [
        ("a", True, "confirmed"), ("b", False, "unknown"),
    ]  # fmt: skip


@pytest.mark.parametrize(("error", "reached"), [(6, False), (7, True)])
def test_a_refused_publish(error, reached):
    talk = KafkaTalk(on.publish(nth=1).refuse(error))
    talk.do("client Produce 1 a")
    if reached:
        talk.do("broker Produce 1 0")
    assert talk.lines()[-1] == "< Produce 1"
    (row,) = talk.rows().attempts
    assert (row.reached, row.outcome, row.error) == (reached, "refused", error)


def test_an_eviction_at_a_commit():
    talk = KafkaTalk(on.ack(nth=1).redeliver())
    talk.do("client Fetch 1")
    talk.do("broker Fetch 1 a")
    talk.lines()
    talk.do("client OffsetCommit 2 1")
    (side,) = talk.engine.sides
    talk.engine.sides.clear()
    version = int.from_bytes(side[2][6:8], "big")
    talk.engine.answer(side[0], write_reply(KEYS["LeaveGroup"], version, 0, {"error_code": 0}), 0)
    assert talk.lines() == ["rule 0 triggered", "rule 0 took effect", "> OffsetCommit 2"]
    assert talk.fired() == [1]


def test_a_reply_that_leaves_in_pieces_drains_the_link_when_it_is_whole():
    talk = KafkaTalk()
    talk.do("client Produce 1 a")
    talk.speaking = "broker"
    reply = talk.written("Produce 1 0")
    talk.feed(1, TO_CLIENT, reply[:20])
    talk.arm(on.publish(nth=1).drop())
    talk.lines()
    talk.do("client Produce 2 b")
    assert talk.engine.next_wake() is None
    talk.feed(1, TO_CLIENT, reply[20:])
    assert talk.engine.next_wake() == 30_000_000


def test_refused_metadata_names_the_owners_own_listener():
    talk = KafkaTalk(on.control(api="Metadata", nth=1).refuse()).play("""
        client Metadata 1
          rule 0 triggered
          > Metadata 1
        broker Metadata 1
          rule 0 took effect
          < Metadata 1
    """)
    assert b"worker-1#1" in talk.raw[TO_CLIENT]
    assert b"far" not in talk.raw[TO_CLIENT]


STEPS = st.lists(
    st.sampled_from(["Produce", "Fetch", "OffsetCommit", "Heartbeat"]), min_size=1, max_size=8
)


@settings(max_examples=40, deadline=None)
@given(names=STEPS, cut=st.integers(0, 40), late=st.floats(0.001, 0.05), record=st.booleans())
def test_what_is_only_late_leaves_as_it_came(names, cut, late, record):
    rules = [on.confirm(nth=None).delay(late), on.deliver(nth=None).delay(late)]
    talk = KafkaTalk(*rules, record=record)
    words = {"Produce": "a", "OffsetCommit": "1"}
    said = [b"", b""]
    for side, direction, at_broker in (("client", TO_BROKER, False), ("broker", TO_CLIENT, True)):
        talk.speaking = side
        for number, name in enumerate(names, 1):
            word = words.get(name, "b") if not at_broker or name == "Fetch" else "0"
            data = talk.written(f"{name} {number} {word}")
            said[direction] += data
            talk.feed(1, direction, data, cut)
    talk.engine.disarm()
    talk.engine.heal(talk.now)
    talk.lines()
    assert [bytes(data) for data in talk.raw] == said
    assert not talk.link.scanner.outstanding
    assert talk.link.scanner.blind is None


def test_a_reply_to_nothing_that_we_know_of_passes_and_takes_no_other_place():
    """Nothing is recorded, so a broker that answers out of order may answer what we never noted."""
    talk = KafkaTalk(on.confirm(nth=1).delay(0.05), record=False)
    talk.do("client Produce 1 a + Produce 2 b")
    talk.lines()
    talk.do("broker Produce 2 0")
    assert talk.lines() == ["< Produce 2"]
    talk.do("broker Produce 1 0")
    assert talk.lines() == []  # held by the rule
    talk.do("at 50")
    assert talk.lines() == ["< Produce 1"]


def test_metadata_that_cannot_be_read_is_passed_and_the_rule_says_so():
    talk = KafkaTalk(on.control(api="Metadata", nth=1).refuse())
    talk.do("client Metadata 1")
    talk.lines()
    broken = write_reply(KEYS["Metadata"], VERSIONS["Metadata"], 1, {})[4:] + b"\0"
    talk.feed(1, TO_CLIENT, len(broken).to_bytes(4, "big") + broken)
    assert talk.lines() == ["rule 0 unharmed", "< Metadata 1"]
    assert "could not be read" in talk.reasons()[0]

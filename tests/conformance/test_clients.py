"""Three real clients produce and consume through links: nothing is lost, repeated or swapped, and
nothing on the links stays unread."""

from __future__ import annotations

import threading

import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener
from confluent_kafka import Consumer
from kafka import ConsumerRebalanceListener as KafkaPythonListener
from kafka import KafkaConsumer

from tests.conformance.consuming import KAFKA_PYTHON_POLL
from tests.conformance.conversing import FIVE, LIMIT, conversation
from tests.conformance.producing import SENDERS, errors

CLIENTS = ["aiokafka", "confluent", "kafka-python"]
MANY = [f"m{number:03}" for number in range(40)]
FLAVOURS = {
    "plain": {},
    "idempotent": {"idempotent": True},
    "keys-and-headers": {"keys": True, "headers": [("trace", b"\x00\xff"), ("kind", b"x")]},
    "gzip": {"codec": "gzip"},
    "snappy": {"codec": "snappy"},
    "lz4": {"codec": "lz4"},
    "zstd": {"codec": "zstd"},
}
CODEC = {
    "aiokafka": ("compression_type", {}),
    "confluent": ("compression.type", {"batch.num.messages": 1000, "linger.ms": 20}),
    "kafka-python": ("compression_type", {"batch_size": 16384, "linger_ms": 20}),
}


def given(client, flavour):
    settings = dict(FLAVOURS[flavour])
    codec = settings.pop("codec", None)
    if codec is not None:
        name, more = CODEC[client]
        settings |= {name: codec, **more}
    return settings


# ------------------------------------------------------------ consumers, for chaos.worker


async def aiokafka_member(servers, topic, group, effects, ready):
    class Ready(ConsumerRebalanceListener):
        async def on_partitions_revoked(self, revoked):
            pass

        async def on_partitions_assigned(self, assigned):
            ready(id(self), len(assigned))

    consumer = AIOKafkaConsumer(
        bootstrap_servers=servers, group_id=group, enable_auto_commit=False,
        auto_offset_reset="earliest", heartbeat_interval_ms=100,
    )  # fmt: skip
    consumer.subscribe([topic], listener=Ready())
    await consumer.start()
    try:
        async for message in consumer:
            effects.record(message.value.decode())
            await consumer.commit()
    finally:
        await consumer.stop()


def confluent_member(servers, topic, group, effects, ready, stop):
    consumer = Consumer(
        {
            "bootstrap.servers": servers, "group.id": group, "enable.auto.commit": False,
            "auto.offset.reset": "earliest", "heartbeat.interval.ms": 100,
        }
    )  # fmt: skip
    consumer.subscribe([topic], on_assign=lambda who, spots: ready(id(who), len(spots)))
    while not stop.is_set():
        message = consumer.poll(0.05)
        if message is not None and not message.error():
            effects.record(message.value().decode())
            consumer.commit(message, asynchronous=False)
    consumer.close()


def kafka_python_member(servers, topic, group, effects, ready, stop):
    class Ready(KafkaPythonListener):
        def on_partitions_revoked(self, revoked):
            pass

        def on_partitions_assigned(self, assigned):
            ready(id(self), len(assigned))

    consumer = KafkaConsumer(
        bootstrap_servers=servers, group_id=group, enable_auto_commit=False,
        auto_offset_reset="earliest", heartbeat_interval_ms=100,
    )  # fmt: skip
    consumer.subscribe([topic], listener=Ready())
    patience = KAFKA_PYTHON_POLL
    while not stop.is_set():
        for messages in consumer.poll(patience).values():
            patience = 100  # it has joined for good
            for message in messages:
                effects.record(message.value.decode())
            consumer.commit()
    consumer.close()


MEMBERS = {
    "aiokafka": aiokafka_member,
    "confluent": confluent_member,
    "kafka-python": kafka_python_member,
}


class Roll:
    """How many partitions each member holds."""

    def __init__(self):
        self._lock = threading.Lock()
        self.shares = {}

    def __call__(self, member, share):
        with self._lock:
            self.shares[member] = share


def through(seen, producer, consumer, *, members=1, **settings):
    """Publishes once the group is complete; the history is exact about all of it."""
    chaos, roll = seen.chaos, Roll()
    worker = chaos.worker(
        MEMBERS[consumer], chaos.bootstrap_servers, seen.topic, seen.group, chaos.effects, roll,
        count=members,
    )  # fmt: skip
    with worker:
        even = [2 // members] * members
        chaos.wait_for(lambda: list(roll.shares.values()) == even, LIMIT, "the group to form")
        told = SENDERS[producer](seen.servers, seen.topic, MANY, together=True, **settings)
        assert errors(told) == {}
        settled = chaos.settle()
    assert settled.waiting == ()
    chaos.assert_lossless()
    chaos.assert_idempotent()
    chaos.assert_ordered()
    chaos.assert_no_copies()
    history = chaos.history
    assert sorted(seen.stored) == MANY
    assert sorted(seen.tries) == MANY
    assert {(reached, outcome) for _, reached, outcome in seen.attempts} == {(True, "confirmed")}
    # A fetch from before the group was complete may bring what is another member's by then.
    assert sorted(seen.delivered if members == 1 else set(seen.delivered)) == MANY
    assert {ack.outcome for ack in history.acks} == {"confirmed"}
    assert sum(place.committed for place in history.places) == len(MANY)
    return history


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("flavour", FLAVOURS)
def test_one_member_takes_what_was_produced(kafka_chaos_broker, client, flavour):
    with conversation(kafka_chaos_broker, partitions=2) as seen:
        history = through(seen, client, client, **given(client, flavour))
        if flavour == "keys-and-headers":
            assert {row.key for row in history.deliveries} == {one.encode() for one in MANY}
            assert all(("trace", b"\x00\xff") in row.headers for row in history.deliveries)
            assert all(("kind", b"x") in row.headers for row in history.attempts)
        if flavour == "idempotent":
            assert all(row.producer_id >= 0 for row in history.attempts)


@pytest.mark.parametrize("client", CLIENTS)
def test_two_members_share_it(kafka_chaos_broker, client):
    with conversation(kafka_chaos_broker, partitions=2) as seen:
        history = through(seen, client, client, members=2, idempotent=True, keys=True)
        place = {row.id: row.partition for row in history.stored}
        shares = {(effect.owner, place[effect.id]) for effect in history.effects}
        assert sorted(partition for _, partition in shares) == [0, 1]
        assert len({owner for owner, _ in shares}) == 2


@pytest.mark.parametrize(
    ("producer", "consumer"),
    [("aiokafka", "confluent"), ("confluent", "kafka-python"), ("kafka-python", "aiokafka")],
)
def test_one_client_reads_what_another_wrote(kafka_chaos_broker, producer, consumer):
    with conversation(kafka_chaos_broker, partitions=2) as seen:
        through(seen, producer, consumer, **given(producer, "zstd"))


@pytest.mark.parametrize("client", CLIENTS)
def test_two_groups_get_a_copy_each(kafka_chaos_broker, client):
    with conversation(kafka_chaos_broker) as seen:
        chaos, roll = seen.chaos, Roll()
        for name in ("a", "b"):
            worker = chaos.worker(
                MEMBERS[client], chaos.bootstrap_servers, seen.topic, f"{seen.group}-{name}",
                chaos.effects, roll,
            )  # fmt: skip
            with worker:
                if name == "a":
                    seen.publish()
                chaos.settle()
        groups = {row.group for row in chaos.history.deliveries}
        assert groups == {f"{seen.group}-a", f"{seen.group}-b"}
        assert sorted(seen.delivered) == sorted(FIVE * 2)

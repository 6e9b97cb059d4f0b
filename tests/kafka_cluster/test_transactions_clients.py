"""Real transactional clients against the cluster on loopback: nothing in them is changed."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka import TopicPartition as Place
from aiokafka.errors import KafkaError as AioError
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from kafka import KafkaConsumer, KafkaProducer
from kafka.structs import OffsetAndMetadata
from kafka.structs import TopicPartition as Spot

from tests.kafka_cluster.hosting import hosted
from tests.live.reactions.transacting import TRANSACT

LIMIT = 10


def _committed(host, topic, count, level="read_committed"):
    """The first `count` values that a reader of a level is given."""
    settings = {"bootstrap.servers": host.bootstrap, "group.id": f"r-{level}"}
    consumer = Consumer({**settings, "isolation.level": level, "auto.offset.reset": "earliest"})
    consumer.assign([TopicPartition(topic, 0, 0)])
    values = []
    while len(values) < count:
        message = consumer.poll(LIMIT)
        assert message is not None, values
        values.append(message.value().decode())
    consumer.close()
    return values


def _filled(host, topic, values):
    producer = Producer({"bootstrap.servers": host.bootstrap})
    for value in values:
        producer.produce(topic, value, partition=0)
    assert producer.flush(LIMIT) == 0


@pytest.mark.parametrize("client", sorted(TRANSACT))
@pytest.mark.parametrize("brokers", [1, 3])
def test_what_is_consumed_is_produced_exactly_once(client, brokers):
    with hosted(brokers=brokers) as host:
        _filled(host, "in", ["p1", "p2", "p3"])
        assert TRANSACT[client](host.bootstrap, "in", "out", "g") == []
        wanted = [f"p{n}" for n in range(1, 7)]
        assert _committed(host, "out", 6) == wanted
        assert _committed(host, "out", 6, "read_uncommitted") == wanted
        assert host.cluster.state.offsets.get("g", "in", 0).offset == 3


def _by_confluent(host, **settings):
    settings = {"bootstrap.servers": host.bootstrap, "transactional.id": "id", **settings}
    producer = Producer(settings)
    producer.init_transactions(LIMIT)
    return producer


def test_confluent_aborts_and_a_zombie_is_fenced():
    with hosted() as host:
        first = _by_confluent(host)
        first.begin_transaction()
        first.produce("t", "aborted", partition=0)
        first.flush(LIMIT)
        first.abort_transaction(LIMIT)
        first.begin_transaction()
        first.produce("t", "of a zombie", partition=0)
        first.flush(LIMIT)
        second = _by_confluent(host)
        with pytest.raises(KafkaException) as fenced:
            first.commit_transaction(LIMIT)
        assert fenced.value.args[0].fatal()
        second.begin_transaction()
        second.produce("t", "committed", partition=0)
        second.commit_transaction(LIMIT)
        assert _committed(host, "t", 1) == ["committed"]
        every = ["aborted", "of a zombie", "committed"]
        assert _committed(host, "t", 3, "read_uncommitted") == every


def test_confluent_is_out_of_time_and_its_records_are_aborted():
    step = {"transaction_abort_timed_out_transaction_cleanup_interval_ms": 100}
    with hosted(**step) as host:
        producer = _by_confluent(host, **{"transaction.timeout.ms": 1000})
        producer.begin_transaction()
        producer.produce("t", "late", partition=0)
        producer.flush(LIMIT)
        _filled(host, "t", ["plain"])
        assert _committed(host, "t", 1) == ["plain"]  # once the broker has aborted it
        with pytest.raises(KafkaException):
            producer.commit_transaction(LIMIT)


def test_aiokafka_aborts_and_reads_what_is_committed_only():
    async def main(host):
        own = {"bootstrap_servers": host.bootstrap}
        async with AIOKafkaProducer(**own, transactional_id="id") as producer:
            await producer.begin_transaction()
            await producer.send_and_wait("t", b"aborted", partition=0)
            await producer.abort_transaction()
            async with producer.transaction():
                await producer.send_and_wait("t", b"committed", partition=0)
            await producer.begin_transaction()
            await producer.send_and_wait("t", b"open", partition=0)
            place = Place("t", 0)
            reader = AIOKafkaConsumer(**own, isolation_level="read_committed")
            async with reader:
                reader.assign([place])
                await reader.seek_to_beginning(place)
                assert (await reader.getone()).value == b"committed"
                waiting = asyncio.create_task(reader.getone())
                await producer.commit_transaction()
                assert (await waiting).value == b"open"

    with hosted() as host:
        asyncio.run(asyncio.wait_for(main(host), LIMIT))


def test_aiokafka_is_told_that_it_is_fenced():
    async def main(host):
        own = {"bootstrap_servers": host.bootstrap, "transactional_id": "id"}
        first = AIOKafkaProducer(**own)
        await first.start()
        await first.begin_transaction()
        await first.send_and_wait("t", b"lost", partition=0)
        async with AIOKafkaProducer(**own):
            with pytest.raises(AioError):
                await first.commit_transaction()
        await first.stop()

    with hosted() as host:
        asyncio.run(asyncio.wait_for(main(host), LIMIT))


def test_kafka_python_sends_offsets_aborts_and_commits():
    with hosted() as host:
        _filled(host, "in", ["p1", "p2"])
        own = {"bootstrap_servers": host.bootstrap}
        producer = KafkaProducer(**own, transactional_id="id")
        producer.init_transactions()
        consumer = KafkaConsumer(
            "in", **own, group_id="g", enable_auto_commit=False, auto_offset_reset="earliest"
        )
        record = next(consumer)
        for end in (producer.abort_transaction, producer.commit_transaction):
            producer.begin_transaction()
            producer.send("out", end.__name__.encode(), partition=0).get(LIMIT)
            position = {Spot("in", 0): OffsetAndMetadata(record.offset + 1, "", -1)}
            producer.send_offsets_to_transaction(position, consumer.group_metadata())
            end()
        producer.close()
        consumer.close()
        assert _committed(host, "out", 1) == ["commit_transaction"]
        assert host.cluster.state.offsets.get("g", "in", 0).offset == 1

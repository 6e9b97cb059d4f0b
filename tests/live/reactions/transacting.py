"""Code under test with transactions: takes a message, writes two records for it, sends its offset
along, commits; whatever goes wrong it aborts, goes back and does it again.

`TRANSACT[client](servers, source, target, group, count=3)` gives what was raised, in order. It ends
when `count` messages are through, or when the producer cannot go on.
"""

from __future__ import annotations

import asyncio

import aiokafka
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

LIMIT = 15  # seconds that one step of a transaction may take


def outputs(value):
    """The two records for message n: 2n - 1 and 2n."""
    n = int(value.decode().removeprefix("p"))
    return [f"p{2 * n - 1}".encode(), f"p{2 * n}".encode()]


def by_confluent(servers, source, target, group, *, count=3, timeout=60_000):
    own = {"bootstrap.servers": servers, "reconnect.backoff.ms": 20, "retry.backoff.ms": 50}
    producer = Producer(
        {**own, "transactional.id": f"id-{group}", "transaction.timeout.ms": timeout}
    )
    consumer = Consumer(
        {**own, "group.id": group, "enable.auto.commit": False, "auto.offset.reset": "earliest"}
    )
    raised = []
    try:
        producer.init_transactions(LIMIT)
        consumer.subscribe([source])
        while count:
            message = consumer.poll(0.1)
            if message is None:
                continue
            assert not message.error(), message.error()
            try:
                _confluent_once(producer, consumer, message, target)
                count -= 1
            except KafkaException as error:
                if not _confluent_back(producer, consumer, message, error, raised):
                    break
    finally:
        consumer.close()
    return raised


def _confluent_once(producer, consumer, message, target):
    producer.begin_transaction()
    for value in outputs(message.value()):
        producer.produce(target, value, partition=0)
    assert producer.flush(LIMIT) == 0  # so that an abort has something to abort
    at = TopicPartition(message.topic(), message.partition(), message.offset() + 1)
    metadata = consumer.consumer_group_metadata()
    producer.send_offsets_to_transaction([at], metadata, LIMIT)
    producer.commit_transaction(LIMIT)


def _confluent_back(producer, consumer, message, error, raised):
    """Abort and go back; False if the producer cannot."""
    said = error.args[0]
    how = "fatal" if said.fatal() else "abort" if said.txn_requires_abort() else "retry"
    raised.append(f"{said.name()} ({how})")
    try:
        producer.abort_transaction(LIMIT)
    except KafkaException as again:
        raised.append(f"abort fails: {again.args[0].name()}")
        return False
    consumer.seek(TopicPartition(message.topic(), message.partition(), message.offset()))
    return True


def by_aiokafka(servers, source, target, group, *, count=3, timeout=60_000):
    async def run():
        producer = AIOKafkaProducer(
            bootstrap_servers=servers, transactional_id=f"id-{group}", retry_backoff_ms=50,
            transaction_timeout_ms=timeout,
        )  # fmt: skip
        consumer = AIOKafkaConsumer(
            source, bootstrap_servers=servers, group_id=group, enable_auto_commit=False,
            auto_offset_reset="earliest", retry_backoff_ms=50,
        )  # fmt: skip
        await producer.start()
        await consumer.start()
        try:
            return await _aiokafka_all(producer, consumer, target, group, count)
        finally:
            await consumer.stop()
            await _aiokafka_end(producer)

    return asyncio.run(run())


async def _aiokafka_all(producer, consumer, target, group, count):
    raised = []
    while count:
        message = await asyncio.wait_for(consumer.getone(), LIMIT)
        spot = aiokafka.TopicPartition(message.topic, message.partition)
        try:
            await producer.begin_transaction()
            for value in outputs(message.value):
                await producer.send_and_wait(target, value, partition=0)
            position = {spot: message.offset + 1}
            await producer.send_offsets_to_transaction(position, group)
            await producer.commit_transaction()
            count -= 1
        except Exception as error:  # noqa: BLE001 - what it was is the result
            raised.append(type(error).__name__)
            try:
                await producer.abort_transaction()
            except (AssertionError, aiokafka.errors.KafkaError) as again:
                raised.append(f"abort fails: {type(again).__name__}")
                return raised
            consumer.seek(spot, message.offset)
    return raised


async def _aiokafka_end(producer):
    """A producer in a fatal state raises when it is stopped; its connections are closed then."""
    try:
        await producer.stop()
    except Exception:  # noqa: BLE001 - told already, by what was raised before
        await producer.client.close()


TRANSACT = {"aiokafka": by_aiokafka, "confluent": by_confluent}


def worker(client, servers, source, target, group, timeout):
    """For `chaos.worker`."""
    TRANSACT[client](servers, source, target, group, timeout=timeout)

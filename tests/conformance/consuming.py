"""The consumers that the tests run: take a message, commit it, go on whatever the commit said.

`take(bootstrap, topic, group, last="p5")` ends when `last` has been committed and gives what the
application saw, step by step; `last` may be a question about the steps instead. `work`: seconds
between a message and its commit; `first`: called once, when the first message is in work; `until`
(aiokafka, which joins while its application works): a question, work lasts until it is so. `limit`:
seconds it may take.
"""

from __future__ import annotations

import asyncio
import time
from typing import NamedTuple

import kafka
from aiokafka import AIOKafkaConsumer
from confluent_kafka import Consumer, KafkaException
from kafka import KafkaConsumer
from kafka.structs import OffsetAndMetadata

LIMIT = 20
# kafka-python 3.0.12 forgets its assignment when poll() times out in the middle of a join, and then
# waits for ever: a poll must last longer than any join.
KAFKA_PYTHON_POLL = 2000


class Step(NamedTuple):
    """One message handed to the application; `error` is what its commit raised, None if nothing."""

    id: str
    error: str | None


def enough(last, steps):
    """Whether the consumer may stop."""
    return last(steps) if callable(last) else Step(last, None) in steps


def _done(first):
    if first is not None:
        first()


def by_aiokafka(
    bootstrap, topic, group, *, last, work=0.0, first=None, until=None, limit=LIMIT, **settings
):
    async def run():
        nonlocal first
        consumer = AIOKafkaConsumer(
            topic, bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False,
            retry_backoff_ms=50, **{"auto_offset_reset": "earliest", **settings},
        )  # fmt: skip
        steps = []
        try:
            await consumer.start()
            end = time.monotonic() + limit
            while not enough(last, steps):
                assert time.monotonic() < end, f"{last} was never committed: {steps}"
                taken = await consumer.getmany(timeout_ms=100, max_records=1)
                for spot, messages in taken.items():
                    for message in messages:
                        first = _done(first)
                        await asyncio.sleep(work)
                        while until and not until() and time.monotonic() < end:  # noqa: ASYNC110
                            await asyncio.sleep(0.01)
                        steps.append(await _aiokafka_committed(consumer, spot, message))
            return steps
        finally:
            await consumer.stop()

    return asyncio.run(run())


async def _aiokafka_committed(consumer, spot, message):
    try:
        await consumer.commit({spot: message.offset + 1})
    except Exception as error:  # noqa: BLE001 - what it was is the result
        return Step(message.value.decode(), type(error).__name__)
    return Step(message.value.decode(), None)


def by_confluent(bootstrap, topic, group, *, last, work=0.0, first=None, limit=LIMIT, **settings):
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap, "group.id": group, "enable.auto.commit": False,
            "auto.offset.reset": "earliest", "reconnect.backoff.ms": 20,
            "reconnect.backoff.max.ms": 50, "fetch.error.backoff.ms": 50,
            # Its question for the coordinator waits behind a fetch. If that takes longer than a
            # retry of the commit, the retry goes with the connection, and all begins anew.
            "fetch.wait.max.ms": 20, "retry.backoff.ms": 100, **settings,
        }
    )  # fmt: skip
    consumer.subscribe([topic])
    steps = []
    end = time.monotonic() + limit
    try:
        while not enough(last, steps):
            assert time.monotonic() < end, f"{last} was never committed: {steps}"
            message = consumer.poll(0.1)
            if message is None:
                continue
            if message.error():
                raise KafkaException(message.error())
            first = _done(first)
            time.sleep(work)
            try:
                consumer.commit(message, asynchronous=False)
                steps.append(Step(message.value().decode(), None))
            except KafkaException as error:
                steps.append(Step(message.value().decode(), error.args[0].name()))
        return steps
    finally:
        consumer.close()


def by_kafka_python(
    bootstrap, topic, group, *, last, work=0.0, first=None, limit=LIMIT, **settings
):
    consumer = KafkaConsumer(
        topic, bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False,
        retry_backoff_ms=50, **{"auto_offset_reset": "earliest", "max_poll_records": 1, **settings},
    )  # fmt: skip
    steps = []
    end = time.monotonic() + limit
    try:
        while not enough(last, steps):
            assert time.monotonic() < end, f"{last} was never committed: {steps}"
            for spot, messages in consumer.poll(KAFKA_PYTHON_POLL).items():
                for message in messages:
                    first = _done(first)
                    time.sleep(work)
                    steps.append(_committed(consumer, spot, message))
        return steps
    finally:
        consumer.close()


def _committed(consumer, spot, message):
    position = kafka.TopicPartition(spot.topic, spot.partition)
    try:
        consumer.commit({position: OffsetAndMetadata(message.offset + 1, "", -1)})
    except Exception as error:  # noqa: BLE001 - what it was is the result
        return Step(message.value.decode(), type(error).__name__)
    return Step(message.value.decode(), None)


TAKERS = {"aiokafka": by_aiokafka, "confluent": by_confluent, "kafka-python": by_kafka_python}
CLIENTS = list(TAKERS)


def well(*ids):
    """Every message was handed out once and its commit succeeded."""
    return [Step(one, None) for one in ids]

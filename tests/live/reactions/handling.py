"""Code under test that runs in a process of its own and is killed there: each client's consumer,
which tells when it starts on a message and when it is done."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import kafka
from aiokafka import AIOKafkaConsumer
from confluent_kafka import Consumer, KafkaException
from kafka import KafkaConsumer
from kafka.structs import OffsetAndMetadata

from pytest_mqchaos import record_attempt, record_effect
from pytest_mqchaos.workloads.effects_file import ENVIRONMENT, read

REST = 0.05  # seconds; what a client does in the background goes on meanwhile


class Taken(NamedTuple):
    """One message; `rest(seconds)` works on it, `commit()` says that all up to it is done."""

    id: str
    commit: Callable[[], object]
    rest: Callable[[float], object]


def by_aiokafka(stop, topic, settings) -> Iterator[Taken]:
    loop = asyncio.new_event_loop()
    run = loop.run_until_complete

    async def opened():
        consumer = AIOKafkaConsumer(topic, **settings)
        await consumer.start()
        return consumer

    consumer = run(opened())
    try:
        while not stop.is_set():
            for spot, messages in run(consumer.getmany(timeout_ms=100, max_records=1)).items():
                for message in messages:
                    position = {spot: message.offset + 1}
                    yield Taken(
                        message.value.decode(),
                        lambda position=position: run(consumer.commit(position)),
                        lambda seconds: run(asyncio.sleep(seconds)),
                    )
    finally:
        run(consumer.stop())
        loop.close()


def by_confluent(stop, topic, settings) -> Iterator[Taken]:
    consumer = Consumer(settings)
    consumer.subscribe([topic])
    try:
        while not stop.is_set():
            message = consumer.poll(0.1)
            if message is None:
                continue
            if message.error():
                raise KafkaException(message.error())
            yield Taken(
                message.value().decode(),
                lambda message=message: consumer.commit(message, asynchronous=False),
                time.sleep,
            )
    finally:
        consumer.close()


def by_kafka_python(stop, topic, settings) -> Iterator[Taken]:
    consumer = KafkaConsumer(topic, **settings)
    try:
        while not stop.is_set():
            for spot, messages in consumer.poll(2000).items():  # longer than any join
                for message in messages:
                    at = kafka.TopicPartition(spot.topic, spot.partition)
                    position = {at: OffsetAndMetadata(message.offset + 1, "", -1)}
                    yield Taken(
                        message.value.decode(),
                        lambda position=position: consumer.commit(position),
                        time.sleep,
                    )
    finally:
        consumer.close()


TAKEN = {"aiokafka": by_aiokafka, "confluent": by_confluent, "kafka-python": by_kafka_python}


def options(client, servers, group, **more):
    """A consumer's settings in the words of its client."""
    own = {"auto_offset_reset": "earliest", "group_id": group, "bootstrap_servers": servers}
    own |= {"enable_auto_commit": False, **more}
    if client != "confluent":
        return own
    return {name.replace("_", "."): value for name, value in own.items()}


def handle(client, servers, topic, group, stop, *, stuck=None, commit=True, settings=None):
    """Handles messages until it is told to stop; the first that gets message `stuck` works on it
    until it is killed."""
    told = Path(os.environ[ENVIRONMENT])
    known = any(line["id"] == stuck for line in read(told))
    for taken in TAKEN[client](stop, topic, options(client, servers, group, **(settings or {}))):
        record_attempt(taken.id)
        while taken.id == stuck and not known and not stop.is_set():
            taken.rest(REST)
        record_effect(taken.id)
        if commit:
            taken.commit()

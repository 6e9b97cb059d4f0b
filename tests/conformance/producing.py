"""The producers that the tests run: three real clients, each told to send one record a request.

`send(bootstrap, topic, ids)` gives what the application was told about each message. `together`: it
does not wait for one before it sends the next, `pace` seconds later. `limit`: seconds it may take.
"""

from __future__ import annotations

import asyncio
import time
from typing import NamedTuple

from aiokafka import AIOKafkaProducer
from confluent_kafka import Producer
from kafka import KafkaProducer

LIMIT = 20


class Told(NamedTuple):
    """`error` is the name of what was raised, None for a success."""

    id: str
    error: str | None
    offset: int | None = None


def by_aiokafka(
    bootstrap, topic, ids, *, idempotent=False, together=False, headers=(), keys=False,
    partition=None, pace=0.0, limit=LIMIT, **settings,
):  # fmt: skip
    async def run():
        producer = AIOKafkaProducer(
            bootstrap_servers=bootstrap, enable_idempotence=idempotent,
            **{"acks": "all", "linger_ms": 0, "retry_backoff_ms": 50, **settings},
        )  # fmt: skip
        await producer.start()
        try:
            told = []
            for one in ids:
                given = {"headers": list(headers), "partition": partition}
                given["key"] = one.encode() if keys else None
                sent = await producer.send(topic, one.encode(), **given)
                told.append((one, sent))
                if not together:
                    await asyncio.wait([sent])
                elif pace:
                    await asyncio.sleep(pace)
            done = await asyncio.gather(*(sent for _, sent in told), return_exceptions=True)
            return [_told(one, result) for (one, _), result in zip(told, done, strict=True)]
        finally:
            await producer.stop()

    return asyncio.run(run())


def _told(one, result):
    if isinstance(result, Exception):
        return Told(one, type(result).__name__)
    return Told(one, None, result.offset if result is not None else None)


def by_confluent(
    bootstrap, topic, ids, *, idempotent=False, together=False, headers=(), keys=False,
    partition=None, pace=0.0, limit=LIMIT, **settings,
):  # fmt: skip
    producer = Producer(
        {
            "bootstrap.servers": bootstrap, "enable.idempotence": idempotent, "linger.ms": 0,
            "batch.num.messages": 1, "retry.backoff.ms": 50, "reconnect.backoff.ms": 20,
            "reconnect.backoff.max.ms": 50, **settings,
        }
    )  # fmt: skip
    told = {}

    def report(error, message):
        name = None if error is None else error.name()
        offset = None if error is not None else message.offset()
        told[message.value().decode()] = Told(message.value().decode(), name, offset)

    for one in ids:
        given = {"headers": list(headers), "on_delivery": report}
        if keys:
            given["key"] = one.encode()
        if partition is not None:
            given["partition"] = partition
        producer.produce(topic, one.encode(), **given)
        if not together:
            assert producer.flush(limit) == 0
        elif pace:
            time.sleep(pace)
            producer.poll(0)
    assert producer.flush(limit) == 0
    return [told[one] for one in ids]


def by_kafka_python(
    bootstrap, topic, ids, *, idempotent=False, together=False, headers=(), keys=False,
    partition=None, pace=0.0, limit=LIMIT, **settings,
):  # fmt: skip
    producer = KafkaProducer(
        bootstrap_servers=bootstrap, enable_idempotence=idempotent,
        **{"acks": "all", "linger_ms": 0, "batch_size": 1, "retry_backoff_ms": 50, **settings},
    )  # fmt: skip
    try:
        told = []
        for one in ids:
            key = one.encode() if keys else None
            sent = producer.send(
                topic, one.encode(), key=key, headers=list(headers), partition=partition
            )
            told.append((one, sent))
            if not together:
                _kafka_python_told(one, sent, limit)
            elif pace:
                time.sleep(pace)
        return [_kafka_python_told(one, sent, limit) for one, sent in told]
    finally:
        producer.close(timeout=limit)


def _kafka_python_told(one, sent, limit):
    try:
        return Told(one, None, sent.get(limit).offset)
    except Exception as error:  # noqa: BLE001 - what it was is the result
        return Told(one, type(error).__name__)


SENDERS = {"aiokafka": by_aiokafka, "confluent": by_confluent, "kafka-python": by_kafka_python}
PLAIN_AND_IDEMPOTENT = [(client, idempotent) for client in SENDERS for idempotent in (False, True)]


def errors(told):
    """What went wrong, by message."""
    return {one.id: one.error for one in told if one.error is not None}

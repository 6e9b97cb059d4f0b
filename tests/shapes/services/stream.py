"""FastStream apps, as they are written, run inside the test: one per service, its twin beside it.

`faststream run` of an app in a process of its own is tests/shapes/apps/orders.py.
"""

from __future__ import annotations

import asyncio
import json
import logging

from faststream import AckPolicy, FastStream
from faststream.kafka import KafkaBroker, KafkaMessage

SETTINGS = {"group_id": "orders", "auto_offset_reset": "earliest", "heartbeat_interval_ms": 300}


class HandlerError(Exception):
    """What a handler raises the first time."""


def broker_of(bootstrap):
    return KafkaBroker(bootstrap, log_level=logging.DEBUG, retry_backoff_ms=50)


async def serve(broker):
    """The app's life without `run()`, which takes the signals of the process."""
    app = FastStream(broker)
    await app.start()
    try:
        await asyncio.Event().wait()
    finally:
        await app.stop()


async def manual(bootstrap, world, *, early=False):
    """`message.ack()` by hand, after the work."""
    broker = broker_of(bootstrap)

    @broker.subscriber("orders", ack_policy=AckPolicy.MANUAL, **SETTINGS)
    async def place(order: dict, message: KafkaMessage) -> None:
        if early:
            await message.ack()
        world.once(order["id"], key=message.raw_message.key.decode())
        if not early:
            await message.ack()

    await serve(broker)


async def manual_early(bootstrap, world):
    await manual(bootstrap, world, early=True)


async def retried(bootstrap, world, *, policy=AckPolicy.NACK_ON_ERROR):
    """What raises goes back: the consumer seeks to it and reads it again."""
    broker = broker_of(bootstrap)

    @broker.subscriber("orders", ack_policy=policy, **SETTINGS)
    async def place(order: dict, message: KafkaMessage) -> None:
        if world.tried(order["id"]) == 1 and order["id"] in world.fails:
            raise HandlerError(order["id"])
        world.once(order["id"], key=message.raw_message.key.decode())

    await serve(broker)


async def retried_never(bootstrap, world):
    """Acks what raised, too, and nobody reads the log."""
    await retried(bootstrap, world, policy=AckPolicy.ACK)


async def reply(bootstrap, world, *, policy=AckPolicy.ACK):
    """What the handler returns is published to another topic, then the message is acked."""
    broker = broker_of(bootstrap)

    @broker.publisher("invoices")
    @broker.subscriber("orders", ack_policy=policy, auto_commit_interval_ms=100, **SETTINGS)
    async def invoice(order: dict) -> dict:
        if policy is AckPolicy.ACK_FIRST:
            await asyncio.sleep(0.25)
        return {"id": order["id"], "paid": False}

    await serve(broker)


async def reply_acked_first(bootstrap, world):
    """FastStream's default: automatic commits, whatever the handler is still at."""
    await reply(bootstrap, world, policy=AckPolicy.ACK_FIRST)


async def batched(bootstrap, world, *, early=False):
    broker = broker_of(bootstrap)

    @broker.subscriber("orders", batch=True, max_records=3, ack_policy=AckPolicy.MANUAL, **SETTINGS)
    async def place(orders: list[dict], message: KafkaMessage) -> None:
        for number, (order, raw) in enumerate(zip(orders, message.raw_message, strict=True)):
            if early and number == len(orders) - 1:
                await message.ack()
            world.once(order["id"], key=raw.key.decode())
        if not early:
            await message.ack()

    await serve(broker)


async def batched_early(bootstrap, world):
    """The ack goes out before the work on the last message."""
    await batched(bootstrap, world, early=True)


async def retry_topic(bootstrap, world, *, publishes=True):
    """What raises is published to the retry topic by the handler, whose messages it takes too."""
    broker = broker_of(bootstrap)
    again = broker.publisher("orders.retry")

    @broker.subscriber("orders", "orders.retry", ack_policy=AckPolicy.ACK, **SETTINGS)
    async def place(order: dict, message: KafkaMessage) -> None:
        key = message.raw_message.key
        if order["id"] in world.fails and message.raw_message.topic == "orders":
            if publishes:
                await again.publish(json.loads(message.body), key=key)
            return
        world.once(order["id"], key=key.decode())

    await serve(broker)


async def retry_topic_forgets(bootstrap, world):
    await retry_topic(bootstrap, world, publishes=False)

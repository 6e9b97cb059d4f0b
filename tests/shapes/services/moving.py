"""Services that publish: retry topic, dead letters, transform, outbox."""

from __future__ import annotations

import asyncio
import contextlib
import json

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from tests.shapes.services.groups import consumer_of
from tests.shapes.services.world import key_of, order_of


def producer_of(bootstrap, **settings):
    return AIOKafkaProducer(
        bootstrap_servers=bootstrap, **{"acks": "all", "retry_backoff_ms": 50, **settings}
    )


async def retry_topic(bootstrap, world, *, publishes=True):
    """What fails goes to the retry topic, whose messages meet the same handler."""
    async with (
        producer_of(bootstrap) as producer,
        consumer_of(bootstrap, "orders", "orders.retry") as consumer,
    ):
        async for message in consumer:
            if order_of(message) in world.fails and message.topic == "orders":
                if publishes:
                    await producer.send_and_wait("orders.retry", message.value, key=message.key)
            else:
                world.once(order_of(message), key=key_of(message))
            await consumer.commit()


async def retry_forgets(bootstrap, world):
    await retry_topic(bootstrap, world, publishes=False)


async def dead_letters(bootstrap, world, *, first="publish"):
    """Three tries, then the dead letters, then the commit."""
    async with (
        producer_of(bootstrap) as producer,
        consumer_of(bootstrap, "orders") as consumer,
    ):
        async for message in consumer:
            for _ in range(3):
                world.tried(order_of(message))
                if order_of(message) not in world.fails:
                    world.once(order_of(message), key=key_of(message))
                    break
            else:
                if first == "commit":
                    await consumer.commit()
                await producer.send_and_wait("orders.dead", message.value, key=message.key)
            await consumer.commit()


async def dead_letters_commit_first(bootstrap, world):
    await dead_letters(bootstrap, world, first="commit")


async def transform(bootstrap, world, *, first="publish"):
    """Each order becomes an invoice with the order's id: at least once, ids kept."""
    async with (
        producer_of(bootstrap, enable_idempotence=True) as producer,
        consumer_of(bootstrap, "orders") as consumer,
    ):
        async for message in consumer:
            if first == "commit":
                await consumer.commit()
            invoice = json.dumps({"id": order_of(message), "paid": False}).encode()
            await producer.send_and_wait("invoices", invoice, key=message.key)
            if first == "publish":
                await consumer.commit()


async def transform_commits_first(bootstrap, world):
    await transform(bootstrap, world, first="commit")


async def own_positions(bootstrap, world, *, first="work"):
    """No group: the position is a row of the service's own database, written with the work."""
    consumer = consumer_of(bootstrap, group=None)
    async with consumer:
        spots = [TopicPartition("orders", number) for number in range(world.partitions)]
        consumer.assign(spots)
        for spot in spots:
            consumer.seek(spot, world.offsets.get(spot, 0))
        first_life = not world.offsets
        async for message in consumer:
            spot = TopicPartition(message.topic, message.partition)
            if first == "position":
                world.offsets[spot] = message.offset + 1
            world.ready.set()
            if first == "position" and first_life:
                await asyncio.Event().wait()  # the work takes its time: until the test crashes it
            world.once(order_of(message), key=key_of(message))
            world.offsets[spot] = message.offset + 1


async def own_positions_first(bootstrap, world):
    await own_positions(bootstrap, world, first="position")


async def outbox(bootstrap, world, *, resends=True):
    """Orders are rows of a table; a row is sent again, with its id, until it is confirmed."""
    async with producer_of(bootstrap, request_timeout_ms=3000) as producer:
        for order, body in world.table.items():
            while True:
                try:
                    await producer.send_and_wait("orders", body, key=b"k")
                    break
                except KafkaError:
                    if not resends:
                        break
            world.accepted(order)
        await asyncio.Event().wait()


async def outbox_swallows(bootstrap, world):
    """Sends without waiting for a confirm, in a mode that has none."""
    async with producer_of(bootstrap, acks=0) as producer:
        for order, body in world.table.items():
            with contextlib.suppress(KafkaError):
                await producer.send("orders", body, key=b"k")
            world.accepted(order)
            await asyncio.sleep(0.02)
        await asyncio.Event().wait()

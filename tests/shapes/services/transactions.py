"""Consume, transform, produce in one transaction: for brokers that have transactions."""

from __future__ import annotations

import json

from aiokafka import TopicPartition

from tests.shapes.services.groups import consumer_of
from tests.shapes.services.moving import producer_of
from tests.shapes.services.world import order_of


async def exactly_once(bootstrap, world, *, inside=True):
    """The invoice and the position are one transaction. What cannot be committed ends the service,
    which begins again where its group stands."""
    producer = producer_of(bootstrap, transactional_id="transform", transaction_timeout_ms=10_000)
    async with (
        producer,
        consumer_of(bootstrap, "orders", isolation_level="read_committed") as consumer,
    ):
        async for message in consumer:
            spot = TopicPartition(message.topic, message.partition)
            invoice = json.dumps({"id": order_of(message), "paid": False}).encode()
            if not inside:
                await consumer.commit()
            async with producer.transaction():
                await producer.send("invoices", invoice, key=message.key)
                if inside:
                    done = {spot: message.offset + 1}
                    await producer.send_offsets_to_transaction(done, "orders")


async def exactly_once_commits_apart(bootstrap, world):
    """The position is committed before the transaction, by the consumer itself."""
    await exactly_once(bootstrap, world, inside=False)

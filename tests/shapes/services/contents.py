"""Consumers in a group of what is not one order a message: several, versions, events of one."""

from __future__ import annotations

import json

from tests.shapes.services.groups import consumer_of
from tests.shapes.services.world import key_of, order_of


async def bulk(bootstrap, world, *, first="work"):
    """Messages that carry several orders each."""
    async with consumer_of(bootstrap, "orders") as consumer:
        async for message in consumer:
            if first == "commit":
                await consumer.commit()
            for order in json.loads(message.value)["ids"]:
                world.once(order)
            await consumer.commit()


async def bulk_forgets_the_last(bootstrap, world):
    async with consumer_of(bootstrap, "orders") as consumer:
        async for message in consumer:
            for order in json.loads(message.value)["ids"][:-1]:
                world.once(order)
            await consumer.commit()


async def summing(bootstrap, world, *, first="work"):
    """One row for all the orders of a batch: one effect covers many ids."""
    async with consumer_of(bootstrap, "orders") as consumer:
        while True:
            found = await consumer.getmany(timeout_ms=100, max_records=2)
            orders = [order_of(m) for messages in found.values() for m in messages]
            fresh = [one for one in dict.fromkeys(orders) if (one, None) not in world.done]
            if orders and first == "commit":
                await consumer.commit()
            if fresh:
                world.done.update((one, None) for one in fresh)
                world.effects.record(ids=fresh)
            if orders and first == "work":
                await consumer.commit()


async def summing_commits_first(bootstrap, world):
    await summing(bootstrap, world, first="commit")


async def compacted(bootstrap, world, *, ignores=False):
    """A table kept from a compacted topic: a null value deletes the key's row."""
    async with consumer_of(bootstrap, "orders") as consumer:
        async for message in consumer:
            if message.value is not None or not ignores:
                world.once(dict(message.headers)["version"].decode(), key=key_of(message))
            await consumer.commit()


async def compacted_ignores_tombstones(bootstrap, world):
    await compacted(bootstrap, world, ignores=True)


async def by_type(bootstrap, world, *, mark=None):
    """An order is created and then paid: the id of a message is the order's and the type."""
    async with consumer_of(bootstrap, "orders") as consumer:
        async for message in consumer:
            body = json.loads(message.value)
            if mark is None or body["id"] not in world.seen:
                world.once(f"{body['id']}|{body['type']}", key=key_of(message))
            world.tried(body["id"])
            await consumer.commit()


async def by_type_marks_the_order(bootstrap, world):
    """Dedupes by the order alone: its second event is taken for a copy."""
    await by_type(bootstrap, world, mark="order")

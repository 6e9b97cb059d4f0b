"""Correct services written in odd but legal ways, with aiokafka, each beside its planted twin."""

from __future__ import annotations

import asyncio
import json

from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError

from tests.shapes.services.groups import consumer_of
from tests.shapes.services.world import key_of, order_of


class HandlerError(Exception):
    """What a handler raises the first time."""


def handle(world, message):
    """Fails the first time for the orders that `world.fails` names."""
    if world.tried(order_of(message)) == 1 and order_of(message) in world.fails:
        raise HandlerError(order_of(message))
    world.once(order_of(message), key=key_of(message))


def spot_of(message):
    return TopicPartition(message.topic, message.partition)


async def every_third(bootstrap, world, *, ahead=False):
    """One commit for three messages, and one when nothing comes: of what was worked on, no more."""
    done, since = {}, 0
    async with consumer_of(bootstrap, "orders") as consumer:
        while True:
            found = await consumer.getmany(timeout_ms=100)
            for message in (m for messages in found.values() for m in messages):
                await asyncio.sleep(0)
                world.once(order_of(message), key=key_of(message))
                done[spot_of(message)] = message.offset + 1
                since += 1
                if since == 3 or ahead:
                    since = 0
                    await _commit(consumer, None if ahead else done)
            if since and not found:
                since = 0
                await _commit(consumer, done)


async def _commit(consumer, positions):
    try:
        await consumer.commit(positions)
    except CommitFailedError:
        await asyncio.sleep(0)  # evicted: it comes again


async def every_third_commits_what_was_fetched(bootstrap, world):
    """`commit()` without positions commits all that getmany() handed out."""
    await every_third(bootstrap, world, ahead=True)


async def in_finally(bootstrap, world, *, tries=3):
    """The commit stands in `finally`: by then the handler has been tried until it worked."""
    async with consumer_of(bootstrap, "orders") as consumer:
        async for message in consumer:
            try:
                for _ in range(tries):
                    try:
                        handle(world, message)
                    except HandlerError:
                        continue
                    break
            finally:
                await consumer.commit()


async def in_finally_without_a_retry(bootstrap, world):
    await in_finally(bootstrap, world, tries=1)


async def seeks_back(bootstrap, world, *, seeks=True):
    """What fails is read again: the position goes back to it, and no commit passes it."""
    async with consumer_of(bootstrap, "orders") as consumer:
        async for message in consumer:
            try:
                handle(world, message)
            except HandlerError:
                if seeks:
                    consumer.seek(spot_of(message), message.offset)
                continue
            await consumer.commit()


async def seeks_back_not(bootstrap, world):
    """The error is logged, and the commit of the next message passes this one."""
    await seeks_back(bootstrap, world, seeks=False)


async def upsert(bootstrap, world, *, adds=False):
    """The row is set to what the message says, however often."""
    async with consumer_of(bootstrap, "orders") as consumer:
        async for message in consumer:
            body = json.loads(message.value)
            before = world.rows.get(body["id"], 0) if adds else 0
            world.rows[body["id"]] = before + body["total"]
            await consumer.commit()


async def upsert_adds(bootstrap, world):
    await upsert(bootstrap, world, adds=True)


async def remembers(bootstrap, world, *, reloads=True):
    """Ids in memory, filled from the store when the service starts."""
    seen = {order for order, _ in world.done} if reloads else set()
    async with consumer_of(bootstrap, "orders") as consumer:
        async for message in consumer:
            if order_of(message) not in seen:
                seen.add(order_of(message))
                world.done.add((order_of(message), None))
                world.again(order_of(message), key=key_of(message))
            await consumer.commit()


async def remembers_nothing_of_before(bootstrap, world):
    await remembers(bootstrap, world, reloads=False)


async def scheduled(bootstrap, world):
    """Each message has a time before which nothing may be done: its partition pauses until then."""
    async with consumer_of(bootstrap, "orders") as consumer:
        async for message in consumer:
            consumer.pause(spot_of(message))
            await asyncio.sleep(json.loads(message.value)["wait"])
            world.once(order_of(message), key=key_of(message))
            try:
                await consumer.commit()
                consumer.resume(spot_of(message))
            except (CommitFailedError, ValueError):
                continue  # the partition was taken away: the message comes again


async def scheduled_in_memory(bootstrap, world):
    """The time is kept in memory, and the message is committed at once."""
    loop = asyncio.get_running_loop()
    async with consumer_of(bootstrap, "orders") as consumer:
        async for message in consumer:
            wait = json.loads(message.value)["wait"]
            task = loop.create_task(_later(wait, world, message))
            world.tasks.add(task)
            task.add_done_callback(world.tasks.discard)
            await consumer.commit()


async def _later(wait, world, message):
    await asyncio.sleep(wait)
    world.once(order_of(message), key=key_of(message))


async def by_header(bootstrap, world, *, keyless=True):
    """Bytes that are no JSON; the id is a header; some messages have no key."""
    async with consumer_of(bootstrap, "orders") as consumer:
        async for message in consumer:
            if message.key is not None or keyless:
                world.once(dict(message.headers)["order"].decode(), key=key_of(message))
            await consumer.commit()


async def by_header_drops_keyless(bootstrap, world):
    await by_header(bootstrap, world, keyless=False)


async def newest(bootstrap, world, *, first=False):
    """A table of the newest version of each key; an older one that comes later changes nothing."""
    async with consumer_of(bootstrap, "orders") as consumer:
        async for message in consumer:
            body, key = json.loads(message.value), key_of(message)
            held = world.rows.get(key)
            if held is None or (held["version"] < body["version"] and not first):
                world.rows[key] = body
                world.once(body["id"], key=key)
            await consumer.commit()


async def newest_keeps_the_first(bootstrap, world):
    """`INSERT ... ON CONFLICT DO NOTHING` on the key."""
    await newest(bootstrap, world, first=True)


async def job(bootstrap, world, *, records=2, auto=False):
    """Started again and again by a clock: a few messages, a commit, the end."""
    while True:
        async with consumer_of(bootstrap, "orders", enable_auto_commit=auto) as consumer:
            found = await consumer.getmany(timeout_ms=300, max_records=records)
            for messages in found.values():
                for message in messages[:2]:
                    world.once(order_of(message), key=key_of(message))
            if found and not auto:
                await _commit(consumer, None)


async def job_leaves_the_rest(bootstrap, world):
    """Takes two of what it fetched; `stop()` with automatic commits commits all of it."""
    await job(bootstrap, world, records=None, auto=True)


async def poison(bootstrap, world, *, aside=True):
    """A message that cannot be parsed is set aside as a row of its own, then committed."""
    async with consumer_of(bootstrap, "orders") as consumer:
        async for message in consumer:
            try:
                world.once(json.loads(message.value)["id"], key=key_of(message))
            except ValueError:
                if aside:
                    world.once(dict(message.headers)["order"].decode(), key=key_of(message))
            await consumer.commit()


async def poison_swallowed(bootstrap, world):
    await poison(bootstrap, world, aside=False)

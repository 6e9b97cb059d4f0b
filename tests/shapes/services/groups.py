"""Consumers in a group, with aiokafka: one by one, in batches, several topics, side by side."""

from __future__ import annotations

import asyncio

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import CommitFailedError

from tests.shapes.services.world import key_of, order_of


def consumer_of(bootstrap, *topics, group="orders", **settings):
    usual = {
        "enable_auto_commit": False, "auto_offset_reset": "earliest", "retry_backoff_ms": 50,
        "heartbeat_interval_ms": 300,
    }  # fmt: skip
    return AIOKafkaConsumer(
        *topics, bootstrap_servers=bootstrap, group_id=group, **{**usual, **settings}
    )


async def plain(bootstrap, world):
    """Work, then commit; a commit that fails leaves it to the group to hand it out again."""
    async with consumer_of(bootstrap, "orders") as consumer:
        async for message in consumer:
            world.once(order_of(message), key=key_of(message))
            await consumer.commit()


async def plain_commits_first(bootstrap, world):
    async with consumer_of(bootstrap, "orders") as consumer:
        async for message in consumer:
            await consumer.commit()
            world.once(order_of(message), key=key_of(message))


async def plain_without_a_mark(bootstrap, world):
    async with consumer_of(bootstrap, "orders") as consumer:
        async for message in consumer:
            world.again(order_of(message), key=key_of(message))
            await consumer.commit()


async def batch(bootstrap, world):
    """All of a batch, then one cumulative commit. Survives an eviction without a restart."""
    async with consumer_of(bootstrap, "orders") as consumer:
        while True:
            found = await consumer.getmany(timeout_ms=100, max_records=3)
            for messages in found.values():
                for message in messages:
                    await asyncio.sleep(0)
                    world.once(order_of(message), key=key_of(message))
            if found:
                try:
                    await consumer.commit()
                except CommitFailedError:
                    continue  # evicted: the batch comes again


async def batch_commits_before_the_last(bootstrap, world):
    """The commit of a batch goes out before the work on its last message."""
    async with consumer_of(bootstrap, "orders") as consumer:
        while True:
            found = await consumer.getmany(timeout_ms=100, max_records=3)
            for messages in found.values():
                for message in messages:
                    if message is messages[-1]:
                        await consumer.commit()
                    world.once(order_of(message), key=key_of(message))


class _Tracker:
    """The highest offset below which everything is done, per partition."""

    def __init__(self):
        self.open = {}
        self.next = {}
        self.epoch = 0  # how often partitions were taken away

    def begin(self, message):
        spot = TopicPartition(message.topic, message.partition)
        self.open.setdefault(spot, set()).add(message.offset)
        self.next[spot] = message.offset + 1

    def end(self, message):
        spot = TopicPartition(message.topic, message.partition)
        self.open.get(spot, set()).discard(message.offset)
        return {spot: min(self.open.get(spot) or {self.next[spot]})}

    def forget(self):
        self.open.clear()
        self.epoch += 1


class _Revoked(ConsumerRebalanceListener):
    def __init__(self, tracker, tasks):
        self.tracker, self.tasks = tracker, tasks

    async def on_partitions_revoked(self, revoked):
        for task in self.tasks:
            task.cancel()
        self.tracker.forget()

    async def on_partitions_assigned(self, assigned):
        pass


async def handlers(bootstrap, world, *, tracked=True):
    """Three handlers side by side; what is committed is what all before it have finished."""
    consumer = consumer_of(bootstrap)
    tracker, tasks, quick, room = _Tracker(), set(), set(), asyncio.Semaphore(3)
    consumer.subscribe(["orders"], listener=_Revoked(tracker, tasks))

    async def handle(message):
        try:
            # The first of every three takes longest: later ones finish before it, commit included.
            await asyncio.sleep(0.2 if message.offset % 3 == 0 else 0.001)
            while message.offset % 3 == 0 and quick:
                await asyncio.wait(quick)
            world.once(order_of(message), key=key_of(message))
            spot = TopicPartition(message.topic, message.partition)
            done = tracker.end(message) if tracked else {spot: message.offset + 1}
            await consumer.commit(done)
        except CommitFailedError:
            pass
        finally:
            room.release()

    async with consumer:
        try:
            async for message in consumer:
                epoch = tracker.epoch
                await room.acquire()
                if epoch != tracker.epoch:  # taken away while it waited: it comes again
                    room.release()
                    continue
                tracker.begin(message)
                task = asyncio.create_task(handle(message))
                for kept in (tasks, quick) if message.offset % 3 else (tasks,):
                    kept.add(task)
                    task.add_done_callback(kept.discard)
        finally:
            for task in tasks:
                task.cancel()


async def handlers_untracked(bootstrap, world):
    """Each handler commits its own offset, whatever is still in work before it."""
    await handlers(bootstrap, world, tracked=False)


async def several_topics(bootstrap, world):
    async with consumer_of(bootstrap, "orders", "refunds") as consumer:
        async for message in consumer:
            world.once(order_of(message), key=key_of(message))
            await consumer.commit()


async def several_topics_skips_one(bootstrap, world):
    """The refunds' handler swallows its exception, and the commit covers it."""
    async with consumer_of(bootstrap, "orders", "refunds") as consumer:
        async for message in consumer:
            if message.topic == "orders":
                world.once(order_of(message), key=key_of(message))
            await consumer.commit()


async def billing_and_mail(bootstrap, world, *, forgets=None):
    """Two groups on one topic: each takes every message."""

    async def serve(group):
        async with consumer_of(bootstrap, "orders", group=group, client_id=group) as consumer:
            async for message in consumer:
                if (group, order_of(message)) != forgets:
                    world.once(order_of(message), by=group, key=key_of(message))
                await consumer.commit()

    async with asyncio.TaskGroup() as both:
        both.create_task(serve("billing"))
        both.create_task(serve("mail"))


async def mail_swallows_one(bootstrap, world):
    await billing_and_mail(bootstrap, world, forgets=("mail", "o2"))


async def only_large(bootstrap, world):
    """A filter: small orders are somebody else's."""
    async with consumer_of(bootstrap, "orders") as consumer:
        async for message in consumer:
            if b'"small"' not in message.value:
                world.once(order_of(message), key=key_of(message))
            await consumer.commit()


async def only_large_too_strict(bootstrap, world):
    async with consumer_of(bootstrap, "orders") as consumer:
        async for message in consumer:
            if b'"small"' not in message.value and order_of(message) != "o4":
                world.once(order_of(message), key=key_of(message))
            await consumer.commit()


async def from_the_end(bootstrap, world):
    """A new group begins at the end of the log: what was published before it is skipped."""
    await from_the_start(bootstrap, world, reset="latest")


async def from_the_start(bootstrap, world, *, reset="earliest"):
    async with consumer_of(bootstrap, "orders", auto_offset_reset=reset) as consumer:
        for spot in consumer.assignment():
            await consumer.position(spot)
        world.ready.set()
        async for message in consumer:
            world.once(order_of(message), key=key_of(message))
            await consumer.commit()


async def slow(bootstrap, world):
    """One message takes longer than the window in which nothing must move."""
    async with consumer_of(bootstrap, "orders") as consumer:
        async for message in consumer:
            await asyncio.sleep(0.4 if order_of(message) == "o1" else 0)
            world.once(order_of(message), key=key_of(message))
            await consumer.commit()


async def slow_commits_first(bootstrap, world):
    async with consumer_of(bootstrap, "orders") as consumer:
        async for message in consumer:
            await consumer.commit()
            await asyncio.sleep(0.4 if order_of(message) == "o1" else 0)
            world.once(order_of(message), key=key_of(message))


async def late(bootstrap, world):
    """Needs its time before it connects at all."""
    await asyncio.sleep(0.5)
    await plain(bootstrap, world)


async def late_commits_first(bootstrap, world):
    await asyncio.sleep(0.5)
    await plain_commits_first(bootstrap, world)

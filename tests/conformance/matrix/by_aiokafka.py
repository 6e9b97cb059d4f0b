"""How aiokafka does what the matrix asks."""

from __future__ import annotations

import asyncio
import contextlib
import threading

from aiokafka import (
    AIOKafkaConsumer,
    AIOKafkaProducer,
    ConsumerRebalanceListener,
    TopicPartition,
)
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.errors import KafkaError, for_code

from tests.conformance.matrix.client import Client, Got, Heard, Standing

LIMIT = 20


async def member(servers, topic, group, effects, ready):
    class Ready(ConsumerRebalanceListener):
        async def on_partitions_revoked(self, revoked):
            pass

        async def on_partitions_assigned(self, assigned):
            ready(id(self), len(assigned))

    consumer = AIOKafkaConsumer(
        bootstrap_servers=servers, group_id=group, enable_auto_commit=False,
        auto_offset_reset="earliest", heartbeat_interval_ms=100,
    )  # fmt: skip
    consumer.subscribe([topic], listener=Ready())
    await consumer.start()
    try:
        async for message in consumer:
            effects.record(message.value.decode())
            with contextlib.suppress(KafkaError):  # it is on record, and comes again
                await consumer.commit()
    finally:
        await consumer.stop()


def codec(name):
    return {"compression_type": name}


class Loop:
    """An event loop in a thread: heartbeats and commits go on between two calls."""

    def __init__(self):
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work):
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(LIMIT)

    def close(self):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Listener(ConsumerRebalanceListener):
    def __init__(self, heard):
        self._heard = heard

    async def on_partitions_revoked(self, revoked):
        self._heard.lost(spot.partition for spot in revoked)

    async def on_partitions_assigned(self, assigned):
        self._heard.taken(spot.partition for spot in assigned)


class Reader:
    def __init__(self, servers, topic, group, *, auto_commit=False, committed=False, **settings):
        self._topic = topic
        self.heard = Heard()
        self._loop = Loop()
        given = {
            "bootstrap_servers": servers, "group_id": group, "auto_offset_reset": "earliest",
            "enable_auto_commit": auto_commit, "auto_commit_interval_ms": 100,
            "isolation_level": "read_committed" if committed else "read_uncommitted", **settings,
        }  # fmt: skip
        try:
            self._consumer = self._loop.run(self._made(given))
        except BaseException:
            self._loop.close()
            raise

    async def _made(self, given):
        consumer = AIOKafkaConsumer(**given)
        consumer.subscribe([self._topic], listener=Listener(self.heard))
        await consumer.start()
        return consumer

    def look(self, most):
        found = self._loop.run(self._consumer.getmany(timeout_ms=100, max_records=most))
        return [
            Got(m.partition, m.offset, m.key, m.value, tuple(m.headers))
            for messages in found.values()
            for m in messages
        ]

    def _now(self, act, *arguments):
        async def on_its_loop():
            return act(*arguments)

        return self._loop.run(on_its_loop())

    def holds(self):
        return frozenset(spot.partition for spot in self._now(self._consumer.assignment))

    def seek(self, partition, offset):
        self._now(self._consumer.seek, TopicPartition(self._topic, partition), offset)

    def pause(self, partition):
        self._now(self._consumer.pause, TopicPartition(self._topic, partition))

    def resume(self, partition):
        self._now(self._consumer.resume, TopicPartition(self._topic, partition))

    def close(self):
        self._loop.run(self._consumer.stop())
        self._loop.close()


class Admin:
    """Answers are the raw ones of the protocol; so are the errors in them."""

    def __init__(self, servers):
        self._loop = Loop()
        self._client = self._loop.run(self._made(servers))

    async def _made(self, servers):
        client = AIOKafkaAdminClient(bootstrap_servers=servers)
        await client.start()
        return client

    def create(self, topic, partitions, settings):
        new = NewTopic(topic, partitions, 1, topic_configs=settings)
        answer = self._loop.run(self._client.create_topics([new]))
        self._well(code for _, code, *_ in answer.topic_errors)

    def delete(self, topic):
        answer = self._loop.run(self._client.delete_topics([topic]))
        self._well(code for _, code in answer.topic_error_codes)

    def _well(self, codes):
        for code in codes:
            if code:
                raise for_code(code)

    def topics(self):
        return set(self._loop.run(self._client.list_topics()))

    def groups(self):
        return {name for name, *_ in self._loop.run(self._client.list_consumer_groups())}

    def describe(self, group):
        (answer,) = self._loop.run(self._client.describe_consumer_groups([group]))
        (described,) = answer.groups
        code, _, state, _, _, members, *_ = described
        self._well([code])
        return Standing(state.lower(), frozenset(member for member, *_ in members))

    def close(self):
        self._loop.run(self._client.close())
        self._loop.close()


def transact(servers, topic, name, transactions):
    async def run():
        producer = AIOKafkaProducer(bootstrap_servers=servers, transactional_id=name)
        try:
            await producer.start()
            for ending, ids in transactions:
                await producer.begin_transaction()
                for one in ids:
                    await producer.send_and_wait(topic, one.encode())
                if ending == "commit":
                    await producer.commit_transaction()
                else:
                    await producer.abort_transaction()
        finally:
            await producer.stop()

    asyncio.run(asyncio.wait_for(run(), LIMIT))


CLIENT = Client(
    name="aiokafka", package="aiokafka", member=member, codec=codec, reader=Reader, admin=Admin,
    transact=transact, newer={"group_protocol": "consumer"},
    static=lambda name: {"group_instance_id": name, "heartbeat_interval_ms": 100},
    cooperative={
        "partition_assignment_strategy": (StickyPartitionAssignor,), "heartbeat_interval_ms": 100,
    },
)  # fmt: skip

"""How kafka-python does what the matrix asks."""

from __future__ import annotations

import contextlib

from kafka import (
    ConsumerRebalanceListener,
    KafkaAdminClient,
    KafkaConsumer,
    KafkaProducer,
    TopicPartition,
)
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.errors import KafkaError

from tests.conformance.matrix.client import Client, Got, Heard, Standing

LIMIT = 20
AGE = 1000
"""ms after which metadata is asked for again. What is subscribed to while the first answer is under
way is asked for only then (`ClusterMetadata.set_topics` has a note of it): by default 5 min."""


def member(servers, topic, group, effects, ready, stop):
    class Ready(ConsumerRebalanceListener):
        def on_partitions_revoked(self, revoked):
            pass

        def on_partitions_assigned(self, assigned):
            ready(id(self), len(assigned))

    consumer = KafkaConsumer(
        bootstrap_servers=servers, group_id=group, enable_auto_commit=False,
        auto_offset_reset="earliest", heartbeat_interval_ms=100, metadata_max_age_ms=AGE,
    )  # fmt: skip
    consumer.subscribe([topic], listener=Ready())
    while not stop.is_set():
        with contextlib.suppress(
            KafkaError
        ):  # a commit's is on record, and the message comes again
            for messages in consumer.poll(100).values():
                for message in messages:
                    effects.record(message.value.decode())
                consumer.commit()
    consumer.close()


def codec(name):
    return {"compression_type": name, "batch_size": 16384, "linger_ms": 20}


class Listener(ConsumerRebalanceListener):
    def __init__(self, heard):
        self._heard = heard

    def on_partitions_revoked(self, revoked):
        self._heard.lost(spot.partition for spot in revoked)

    def on_partitions_assigned(self, assigned):
        self._heard.taken(spot.partition for spot in assigned)


class Reader:
    def __init__(self, servers, topic, group, *, auto_commit=False, committed=False, **settings):
        self._topic = topic
        self.heard = Heard()
        self._consumer = KafkaConsumer(
            bootstrap_servers=servers, group_id=group, auto_offset_reset="earliest",
            enable_auto_commit=auto_commit, auto_commit_interval_ms=100,
            isolation_level="read_committed" if committed else "read_uncommitted",
            metadata_max_age_ms=AGE, **settings,
        )  # fmt: skip
        self._consumer.subscribe([topic], listener=Listener(self.heard))

    def look(self, most):
        found = self._consumer.poll(100, max_records=most)
        return [
            Got(m.partition, m.offset, m.key, m.value, tuple(m.headers))
            for messages in found.values()
            for m in messages
        ]

    def holds(self):
        return frozenset(spot.partition for spot in self._consumer.assignment())

    def seek(self, partition, offset):
        self._consumer.seek(TopicPartition(self._topic, partition), offset)

    def pause(self, partition):
        self._consumer.pause(TopicPartition(self._topic, partition))

    def resume(self, partition):
        self._consumer.resume(TopicPartition(self._topic, partition))

    def close(self):
        self._consumer.close()


class Admin:
    def __init__(self, servers):
        self._client = KafkaAdminClient(bootstrap_servers=servers)

    def create(self, topic, partitions, settings):
        given = {"num_partitions": partitions, "replication_factor": 1, "configs": settings}
        self._client.create_topics({topic: given})

    def delete(self, topic):
        self._client.delete_topics([topic])

    def topics(self):
        return set(self._client.list_topics())

    def groups(self):
        return {one["group_id"] for one in self._client.list_groups()}

    def describe(self, group):
        told = self._client.describe_groups([group])[group]
        assert told["error"] is None, told
        members = frozenset(member["member_id"] for member in told["members"])
        return Standing(told["group_state"].lower(), members)

    def close(self):
        self._client.close()


def transact(servers, topic, name, transactions):
    producer = KafkaProducer(
        bootstrap_servers=servers, transactional_id=name, max_block_ms=LIMIT * 1000
    )
    try:
        producer.init_transactions()
        for ending, ids in transactions:
            producer.begin_transaction()
            for one in ids:
                producer.send(topic, one.encode()).get(LIMIT)
            if ending == "commit":
                producer.commit_transaction()
            else:
                producer.abort_transaction()
    finally:
        producer.close(timeout=LIMIT)


CLIENT = Client(
    name="kafka-python", package="kafka-python", member=member, codec=codec, reader=Reader,
    admin=Admin, transact=transact, newer={"group_protocol": "consumer"},
    static=lambda name: {"group_instance_id": name, "heartbeat_interval_ms": 100},
    cooperative={
        "partition_assignment_strategy": (CooperativeStickyAssignor,), "heartbeat_interval_ms": 100,
    },
)  # fmt: skip

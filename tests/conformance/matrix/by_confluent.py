"""How confluent-kafka does what the matrix asks."""

from __future__ import annotations

import contextlib

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from tests.conformance.matrix.client import Client, Got, Heard, Standing

LIMIT = 20


def member(servers, topic, group, effects, ready, stop):
    consumer = Consumer(
        {
            "bootstrap.servers": servers, "group.id": group, "enable.auto.commit": False,
            "auto.offset.reset": "earliest", "heartbeat.interval.ms": 100,
        }
    )  # fmt: skip
    consumer.subscribe([topic], on_assign=lambda who, spots: ready(id(who), len(spots)))
    while not stop.is_set():
        message = consumer.poll(0.05)
        if message is not None and not message.error():
            effects.record(message.value().decode())
            with contextlib.suppress(KafkaException):  # it is on record, and comes again
                consumer.commit(message, asynchronous=False)
    consumer.close()


def codec(name):
    return {"compression.type": name, "batch.num.messages": 1000, "linger.ms": 20}


def numbers(spots):
    return frozenset(spot.partition for spot in spots)


class Reader:
    def __init__(self, servers, topic, group, *, auto_commit=False, committed=False, **settings):
        self._topic = topic
        self.heard = Heard()
        self._consumer = Consumer(
            {
                "bootstrap.servers": servers, "group.id": group, "auto.offset.reset": "earliest",
                "enable.auto.commit": auto_commit, "auto.commit.interval.ms": 100,
                "isolation.level": "read_committed" if committed else "read_uncommitted",
                **settings,
            }
        )  # fmt: skip
        self._consumer.subscribe(
            [topic],
            on_assign=lambda _, spots: self.heard.taken(numbers(spots)),
            on_revoke=lambda _, spots: self.heard.lost(numbers(spots)),
        )

    def look(self, most):
        messages = self._consumer.consume(most, timeout=0.1)
        for message in messages:
            if message.error():
                raise KafkaException(message.error())
        return [
            Got(m.partition(), m.offset(), m.key(), m.value(), tuple(m.headers() or ()))
            for m in messages
        ]

    def holds(self):
        return numbers(self._consumer.assignment())

    def seek(self, partition, offset):
        self._consumer.seek(TopicPartition(self._topic, partition, offset))

    def pause(self, partition):
        self._consumer.pause([TopicPartition(self._topic, partition)])

    def resume(self, partition):
        self._consumer.resume([TopicPartition(self._topic, partition)])

    def close(self):
        self._consumer.close()


class Admin:
    def __init__(self, servers):
        self._client = AdminClient({"bootstrap.servers": servers})

    def create(self, topic, partitions, settings):
        new = NewTopic(topic, partitions, 1, config=settings)
        self._client.create_topics([new])[topic].result(LIMIT)

    def delete(self, topic):
        self._client.delete_topics([topic])[topic].result(LIMIT)

    def topics(self):
        return set(self._client.list_topics(timeout=LIMIT).topics)

    def groups(self):
        told = self._client.list_consumer_groups().result(LIMIT)
        if told.errors:
            raise told.errors[0]
        return {one.group_id for one in told.valid}

    def describe(self, group):
        told = self._client.describe_consumer_groups([group])[group].result(LIMIT)
        return Standing(told.state.name.lower(), frozenset(m.member_id for m in told.members))

    def close(self):
        """librdkafka ends its threads with the object."""
        del self._client


def transact(servers, topic, name, transactions):
    producer = Producer({"bootstrap.servers": servers, "transactional.id": name})
    failed = []
    producer.init_transactions(LIMIT)
    for ending, ids in transactions:
        producer.begin_transaction()
        for one in ids:
            producer.produce(
                topic, one.encode(), on_delivery=lambda error, _: error and failed.append(error)
            )
        assert producer.flush(LIMIT) == 0
        if ending == "commit":
            producer.commit_transaction(LIMIT)
        else:
            producer.abort_transaction(LIMIT)
    assert failed == []


CLIENT = Client(
    name="confluent", package="confluent-kafka", member=member, codec=codec, reader=Reader,
    admin=Admin, transact=transact, newer={"group.protocol": "consumer"},
    static=lambda name: {"group.instance.id": name, "heartbeat.interval.ms": 100},
    cooperative={
        "partition.assignment.strategy": "cooperative-sticky", "heartbeat.interval.ms": 100,
    },
)  # fmt: skip

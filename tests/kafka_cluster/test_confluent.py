"""A real confluent-kafka (librdkafka) against the cluster on loopback."""

from __future__ import annotations

import select
import subprocess
import sys
import time

import pytest
from confluent_kafka import (
    Consumer,
    ConsumerGroupTopicPartitions,
    Producer,
    TopicPartition,
    libversion,
)
from confluent_kafka.admin import AdminClient, ConfigResource, NewPartitions, NewTopic

from tests.kafka_cluster.hosting import hosted

LIMIT = 10
# The newer protocol was an early access before librdkafka 2.10, without regular expressions.
REGEX_SINCE = 0x020A0000


def _produce(host, count, topic="t", **options):
    told = []
    producer = Producer({"bootstrap.servers": host.bootstrap, **options})
    for at in range(count):
        producer.produce(
            topic, b"%d" % at, on_delivery=lambda error, one: told.append((error, one))
        )
    assert producer.flush(LIMIT) == 0
    assert [error for error, _ in told] == [None] * count
    return [one.offset() for _, one in told]


def _consumer(host, **options):
    return Consumer(
        {
            "bootstrap.servers": host.bootstrap,
            "group.id": "g",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            **options,
        }
    )


def _next(consumer):
    message = consumer.poll(LIMIT)
    assert message is not None, "nothing came"
    assert message.error() is None
    return message


def _until(condition, *consumers):
    limit = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < limit, "the condition did not come true"
        for consumer in consumers:
            consumer.poll(0.02)


@pytest.mark.parametrize("compression", ["none", "gzip", "snappy", "lz4", "zstd"])
@pytest.mark.parametrize("idempotent", [False, True])
def test_what_is_produced_is_read_back(compression, idempotent):
    with hosted() as host:
        options = {"compression.type": compression, "enable.idempotence": idempotent}
        assert _produce(host, 3, **options) == [0, 1, 2]
        consumer = _consumer(host)
        consumer.assign([TopicPartition("t", 0, 0)])
        assert [_next(consumer).value() for _ in range(3)] == [b"0", b"1", b"2"]
        consumer.close()


def test_a_group_goes_on_where_it_committed():
    with hosted(brokers=3) as host:
        _produce(host, 4)
        first = _consumer(host)
        first.subscribe(["t"])
        assert [_next(first).value() for _ in range(2)] == [b"0", b"1"]
        first.commit(offsets=[TopicPartition("t", 0, 1)], asynchronous=False)
        first.close()
        second = _consumer(host)
        second.subscribe(["t"])
        assert _next(second).value() == b"1"
        assert second.committed([TopicPartition("t", 0)], LIMIT)[0].offset == 1
        second.close()


@pytest.mark.parametrize("strategy", ["range,roundrobin", "cooperative-sticky"])
def test_two_members_share_the_partitions_and_one_takes_over(strategy):
    options = {"partition.assignment.strategy": strategy, "heartbeat.interval.ms": 100}
    with hosted(brokers=2, num_partitions=4) as host:
        _produce(host, 1)
        first, second = _consumer(host, **options), _consumer(host, **options)
        first.subscribe(["t"])
        _until(lambda: len(first.assignment()) == 4, first)
        second.subscribe(["t"])
        _until(lambda: len(first.assignment()) == len(second.assignment()) == 2, first, second)
        second.close()
        _until(lambda: len(first.assignment()) == 4, first)
        first.close()


def test_a_static_member_comes_back_and_nobody_rebalances():
    with hosted(num_partitions=2) as host:
        _produce(host, 1)
        told = []

        def joined(name):
            options = {"group.instance.id": name, "heartbeat.interval.ms": 100}
            consumer = _consumer(host, **options)
            consumer.subscribe(["t"], on_assign=lambda _, parts: told.append((name, len(parts))))
            return consumer

        first, second = joined("one"), joined("two")
        _until(lambda: {("one", 1), ("two", 1)} <= set(told), first, second)
        mine = second.assignment()
        second.close()
        told.clear()
        second = joined("two")
        _until(second.assignment, first, second)
        assert (second.assignment(), told) == (mine, [("two", 1)])
        first.close()
        second.close()


def _modern(host, **options):
    return _consumer(host, **{"group.protocol": "consumer", **options})


@pytest.mark.parametrize("assignor", ["uniform", "range"])
def test_members_of_the_newer_protocol_share_and_take_over(assignor):
    with hosted(brokers=2, num_partitions=4, group_consumer_heartbeat_interval_ms=100) as host:
        _produce(host, 1)
        options = {"group.remote.assignor": assignor}
        first, second = _modern(host, **options), _modern(host, **options)
        first.subscribe(["t"])
        _until(lambda: len(first.assignment()) == 4, first)
        second.subscribe(["t"])
        _until(lambda: len(first.assignment()) == len(second.assignment()) == 2, first, second)
        mine = first.assignment()[0]
        first.commit(offsets=[TopicPartition("t", mine.partition, 0)], asynchronous=False)
        second.close()
        _until(lambda: len(first.assignment()) == 4, first)
        assert first.committed([TopicPartition("t", mine.partition)], LIMIT)[0].offset == 0
        first.close()


_MEMBER = """
import sys
from confluent_kafka import Consumer
config = {"bootstrap.servers": sys.argv[1], "group.id": "g", "group.protocol": "consumer"}
consumer = Consumer(config)
consumer.subscribe(["t"], on_assign=lambda _, given: given and print("mine", flush=True))
while True:
    consumer.poll(0.1)
"""


def test_a_member_of_the_newer_protocol_that_is_killed_is_replaced():
    settings = {
        "group_consumer_heartbeat_interval_ms": 100,
        "group_consumer_session_timeout_ms": 1_000,
    }
    with hosted(num_partitions=2, **settings) as host:
        _produce(host, 1)
        first = _modern(host)
        first.subscribe(["^t.*" if libversion()[1] >= REGEX_SINCE else "t"])
        _until(first.assignment, first)
        command = [sys.executable, "-c", _MEMBER, host.bootstrap]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as second:
            try:
                _until(lambda: len(first.assignment()) == 1, first)
                _until(lambda: select.select([second.stdout], [], [], 0)[0], first)
                assert second.stdout.readline() == b"mine\n"
            finally:
                second.kill()
        _until(lambda: len(first.assignment()) == 2, first)
        first.close()


def test_seek_reads_again_and_offsets_are_told():
    with hosted() as host:
        _produce(host, 3)
        consumer = _consumer(host)
        consumer.assign([TopicPartition("t", 0, 0)])
        first = _next(consumer)
        assert first.value() == b"0"
        consumer.seek(TopicPartition("t", 0, 2))
        assert _next(consumer).value() == b"2"
        assert consumer.get_watermark_offsets(TopicPartition("t", 0), LIMIT) == (0, 3)
        asked = TopicPartition("t", 0, first.timestamp()[1])
        assert consumer.offsets_for_times([asked], LIMIT)[0].offset == 0
        consumer.close()


def test_admin_creates_grows_trims_and_deletes():
    with hosted() as host:
        admin = AdminClient({"bootstrap.servers": host.bootstrap})
        admin.create_topics([NewTopic("t", 2, 1)])["t"].result(LIMIT)
        admin.create_partitions([NewPartitions("t", 3)])["t"].result(LIMIT)
        assert len(admin.list_topics(timeout=LIMIT).topics["t"].partitions) == 3
        resource = ConfigResource(ConfigResource.Type.TOPIC, "t")
        configs = admin.describe_configs([resource])[resource].result(LIMIT)
        assert configs["cleanup.policy"].value == "delete"
        _produce(host, 4, topic="one")
        (trimmed,) = admin.delete_records([TopicPartition("one", 0, 2)]).values()
        assert trimmed.result(LIMIT).low_watermark == 2
        consumer = _consumer(host)
        consumer.subscribe(["one"])
        assert _next(consumer).offset() == 2
        consumer.commit(asynchronous=False)
        described = admin.describe_consumer_groups(["g"])["g"].result(LIMIT)
        assert described.state.name == "STABLE"
        assert [one.group_id for one in admin.list_consumer_groups().result(LIMIT).valid] == ["g"]
        consumer.close()
        (positions,) = admin.list_consumer_group_offsets(
            [ConsumerGroupTopicPartitions("g")]
        ).values()
        assert positions.result(LIMIT).topic_partitions[0].offset == 3
        admin.delete_consumer_groups(["g"])["g"].result(LIMIT)
        admin.delete_topics(["t"])["t"].result(LIMIT)
        assert set(admin.list_topics(timeout=LIMIT).topics) == {"one"}

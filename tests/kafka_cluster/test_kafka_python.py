"""A real kafka-python against the cluster on loopback."""

from __future__ import annotations

import contextlib
import threading
import time

import pytest
from kafka import (
    ConsumerRebalanceListener,
    KafkaAdminClient,
    KafkaConsumer,
    KafkaProducer,
    TopicPartition,
    codec,
)
from kafka.admin import NewPartitions, NewTopic
from kafka.structs import OffsetAndMetadata

from tests.kafka_cluster.hosting import hosted

LIMIT = 10
CODECS = {"gzip": codec.has_gzip, "snappy": codec.has_snappy, "lz4": codec.has_lz4}
COMPRESSIONS = [None, *(name for name, installed in CODECS.items() if installed())]


def _produce(host, count, topic="t", **options):
    producer = KafkaProducer(bootstrap_servers=host.bootstrap, **options)
    sent = [producer.send(topic, b"%d" % at).get(LIMIT) for at in range(count)]
    producer.close(timeout=LIMIT)
    return sent


def _consumer(host, *topics, **options):
    return KafkaConsumer(
        *topics,
        bootstrap_servers=host.bootstrap,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        consumer_timeout_ms=LIMIT * 1000,
        **options,
    )


def _until(condition):
    limit = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < limit, "the condition did not come true"
        time.sleep(0.01)


@contextlib.contextmanager
def _polling(consumer):
    """Poll in a thread, patiently: a poll that times out while joining forgets its assignment."""
    stop = threading.Event()

    def poll():
        while not stop.is_set():
            consumer.poll(1000)

    thread = threading.Thread(target=poll)
    thread.start()
    try:
        yield consumer
    finally:
        stop.set()
        thread.join(LIMIT)
        consumer.close()


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("idempotent", [False, True])
def test_what_is_produced_is_read_back(compression, idempotent):
    with hosted() as host:
        options = {"compression_type": compression, "enable_idempotence": idempotent}
        assert [one.offset for one in _produce(host, 3, **options)] == [0, 1, 2]
        consumer = _consumer(host)
        consumer.assign([TopicPartition("t", 0)])
        assert [next(consumer).value for _ in range(3)] == [b"0", b"1", b"2"]
        consumer.close()


def test_a_group_goes_on_where_it_committed():
    with hosted(brokers=3) as host:
        _produce(host, 4)
        place = TopicPartition("t", 0)
        first = _consumer(host, "t", group_id="g")
        assert [next(first).value for _ in range(2)] == [b"0", b"1"]
        first.commit({place: OffsetAndMetadata(1, "", -1)})
        first.close()
        second = _consumer(host, "t", group_id="g")
        assert next(second).value == b"1"
        assert second.committed(place) == 1
        second.close()


def test_two_members_share_the_partitions_and_one_takes_over():
    options = {"group_id": "g", "heartbeat_interval_ms": 100}
    with hosted(brokers=2, num_partitions=4) as host:
        _produce(host, 1)
        with _polling(_consumer(host, "t", **options)) as first:
            _until(lambda: len(first.assignment()) == 4)
            with _polling(_consumer(host, "t", **options)) as second:
                _until(lambda: len(first.assignment()) == len(second.assignment()) == 2)
            _until(lambda: len(first.assignment()) == 4)


class _Assigned(ConsumerRebalanceListener):
    """Every assignment, in turn."""

    def __init__(self):
        self.all = []

    def on_partitions_revoked(self, revoked):
        pass

    def on_partitions_assigned(self, assigned):
        self.all.append(sorted(spot.topic for spot in assigned))


def test_the_first_generation_has_the_topic_however_short_the_polls():
    """Else it joins once more, and a poll that ends meanwhile leaves it without partitions."""
    with hosted() as host:
        _produce(host, 1)
        consumer, assigned, taken = _consumer(host, group_id="g"), _Assigned(), []
        consumer.subscribe(["t"], listener=assigned)
        _until(lambda: taken.extend(consumer.poll(20)) or taken)
        assert assigned.all == [["t"]]
        consumer.close()


def test_seek_reads_again_and_offsets_are_told():
    with hosted() as host:
        sent = _produce(host, 3)
        place = TopicPartition("t", 0)
        consumer = _consumer(host)
        consumer.assign([place])
        assert next(consumer).value == b"0"
        consumer.seek(place, 2)
        assert next(consumer).value == b"2"
        assert consumer.beginning_offsets([place]) == {place: 0}
        assert consumer.end_offsets([place]) == {place: 3}
        assert consumer.offsets_for_times({place: sent[0].timestamp})[place].offset == 0
        consumer.close()


def test_admin_creates_grows_trims_and_deletes():
    with hosted() as host:
        admin = KafkaAdminClient(bootstrap_servers=host.bootstrap)
        admin.create_topics([NewTopic("t", 2, 1)])
        admin.create_partitions({"t": NewPartitions(3)})
        (described,) = admin.describe_topics(["t"])
        assert len(described["partitions"]) == 3
        _produce(host, 4, topic="one")
        admin.delete_records({TopicPartition("one", 0): 2})
        consumer = _consumer(host, "one", group_id="g")
        assert next(consumer).offset == 2
        consumer.commit()
        groups = admin.list_groups()
        assert [one["group_id"] for one in groups] == ["g"]
        assert admin.describe_groups(["g"])["g"]["group_state"] == "Stable"
        consumer.close()
        admin.delete_groups(["g"])
        admin.delete_topics(["t"])
        assert admin.list_topics() == ["one"]
        admin.close()

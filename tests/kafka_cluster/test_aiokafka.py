"""A real aiokafka against the cluster on loopback."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic, RecordsToDelete

from tests.kafka_cluster.hosting import hosted

LIMIT = 10


def run(main) -> None:
    asyncio.run(asyncio.wait_for(main, LIMIT))


async def _produce(host, count, topic="t", **options):
    async with AIOKafkaProducer(bootstrap_servers=host.bootstrap, **options) as producer:
        return [await producer.send_and_wait(topic, b"%d" % at) for at in range(count)]


def _consumer(host, **options):
    return AIOKafkaConsumer(
        "t",
        bootstrap_servers=host.bootstrap,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        **options,
    )


async def _until(condition):
    while not condition():  # noqa: ASYNC110 - clients tell no event; `run` has the limit
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("compression", [None, "gzip", "snappy", "lz4", "zstd"])
@pytest.mark.parametrize("idempotent", [False, True])
def test_what_is_produced_is_read_back(compression, idempotent):
    async def main(host):
        options = {"compression_type": compression, "enable_idempotence": idempotent}
        sent = await _produce(host, 3, **options)
        assert [one.offset for one in sent] == [0, 1, 2]
        async with _consumer(host) as consumer:
            seen = [await consumer.getone() for _ in range(3)]
        assert [(one.offset, one.value) for one in seen] == [(0, b"0"), (1, b"1"), (2, b"2")]

    with hosted() as host:
        run(main(host))


def test_a_group_goes_on_where_it_committed():
    async def main(host):
        await _produce(host, 4)
        async with _consumer(host, group_id="g") as first:
            assert [(await first.getone()).value for _ in range(2)] == [b"0", b"1"]
            await first.commit({TopicPartition("t", 0): 1})
        async with _consumer(host, group_id="g") as second:
            assert (await second.getone()).value == b"1"
            assert await second.committed(TopicPartition("t", 0)) == 1

    with hosted(brokers=3) as host:
        run(main(host))


def test_two_members_share_the_partitions_and_one_takes_over():
    async def main(host):
        first = _consumer(host, group_id="g", heartbeat_interval_ms=100)
        second = _consumer(host, group_id="g", heartbeat_interval_ms=100)
        await first.start()
        assert len(first.assignment()) == 4
        await second.start()
        await _until(lambda: len(first.assignment()) == len(second.assignment()) == 2)
        assert first.assignment().isdisjoint(second.assignment())
        await second.stop()
        await _until(lambda: len(first.assignment()) == 4)
        await first.stop()

    with hosted(brokers=2, num_partitions=4) as host:
        run(main(host))


def test_seek_reads_again_and_offsets_are_told():
    async def main(host):
        sent = await _produce(host, 3)
        place = TopicPartition("t", 0)
        async with _consumer(host) as consumer:
            assert (await consumer.getone()).value == b"0"
            consumer.seek(place, 2)
            assert (await consumer.getone()).value == b"2"
            await consumer.seek_to_beginning(place)
            assert (await consumer.getone()).value == b"0"
            assert await consumer.end_offsets([place]) == {place: 3}
            found = await consumer.offsets_for_times({place: sent[1].timestamp})
            assert found[place].offset <= 1

    with hosted() as host:
        run(main(host))


def test_a_waiting_fetch_wakes_on_data():
    async def main(host):
        async with _consumer(host, fetch_max_wait_ms=LIMIT * 2000) as consumer:
            waiting = asyncio.create_task(consumer.getone())
            await consumer.end_offsets([TopicPartition("t", 0)])
            await _produce(host, 1)
            assert (await waiting).value == b"0"

    with hosted() as host:
        run(main(host))


def test_admin_creates_grows_trims_and_deletes():
    async def main(host):
        admin = AIOKafkaAdminClient(bootstrap_servers=host.bootstrap)
        await admin.start()
        await admin.create_topics([NewTopic("t", 2, 1)])
        await admin.create_partitions({"t": NewPartitions(3)})
        (described,) = await admin.describe_topics(["t"])
        assert len(described["partitions"]) == 3
        await _produce(host, 4, topic="one")
        deleted = await admin.delete_records({TopicPartition("one", 0): RecordsToDelete(2)})
        assert deleted == {TopicPartition("one", 0): 2}
        async with _consumer(host, group_id="g"):
            assert await admin.list_consumer_groups() == [("g", "consumer")]
            (group,) = await admin.describe_consumer_groups(["g"])
            assert group.groups[0][2] == "Stable"
        await admin.delete_topics(["t"])
        assert await admin.list_topics() == ["one"]
        await admin.close()

    with hosted() as host:
        run(main(host))

"""What Direct must answer alike on every Kafka: plain functions, run on the embedded cluster here
and on Apache Kafka in tests/live. Each makes topics and groups of its own names."""

import asyncio
import contextlib
import itertools

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from pytest_mqchaos.brokers.kafka_request import decode, encode
from pytest_mqchaos.errors import BrokerError, BrokerRefused, WaitTimeout

_numbers = itertools.count(1)


def fresh(what):
    return f"{what}-{next(_numbers)}"


def produce(address, topic, messages, **settings):
    """Messages are (partition, key, value, headers); each waits for the one before."""

    async def run():
        async with AIOKafkaProducer(bootstrap_servers=str(address), **settings) as producer:
            for partition, key, value, headers in messages:
                await producer.send_and_wait(
                    topic,
                    value,
                    key=key,
                    partition=partition,
                    headers=headers,
                    timestamp_ms=1234567,
                )

    asyncio.run(run())


async def joined(address, topic, group, **settings):
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=str(address), group_id=group, auto_offset_reset="earliest",
        enable_auto_commit=False, **settings,
    )  # fmt: skip
    await consumer.start()
    return consumer


def commit(address, topic, group, offset):
    async def run():
        consumer = await joined(address, topic, group)
        while not consumer.assignment():
            await asyncio.wait_for(consumer.getone(), 20)
        await consumer.commit({TopicPartition(topic, 0): offset})
        await consumer.stop()

    asyncio.run(run())


def it_is_ready_and_says_where_it_is(direct, address):
    direct.wait_ready()
    cluster = direct.metadata(())
    assert list(cluster.nodes.values()) == [address]
    assert cluster.controller in cluster.nodes
    assert cluster.topics == {}
    assert direct.api_versions()[18][0] == 0


def a_topic_is_created_refused_recreated_and_deleted(direct, address):
    topic = fresh("life")
    assert direct.metadata([topic]).topics[topic].error == 3
    direct.create_topic(
        topic, 3, settings={"retention.ms": 90_000, "unclean.leader.election.enable": False}
    )
    first = direct.metadata([topic]).topics[topic]
    assert sorted(first.leaders) == [0, 1, 2]
    with pytest.raises(BrokerRefused, match=r"TOPIC_ALREADY_EXISTS \(36\)") as refused:
        direct.create_topic(topic)
    assert refused.value.code == 36
    produce(address, topic, [(0, None, b"old", [])])
    direct.recreate(topic, 2)
    second = direct.metadata([topic]).topics[topic]
    assert sorted(second.leaders) == [0, 1]
    assert second.id != first.id
    assert direct.ends([topic]) == {(topic, 0): (0, 0), (topic, 1): (0, 0)}
    direct.delete_topic(topic)
    direct.delete_topic(topic)
    assert direct.metadata([topic]).topics[topic].error == 3


def a_created_topic_serves_at_once(direct, address):
    """Real Kafka names the leaders of a new topic before these serve it."""
    for topic in [fresh("new") for _ in range(20)]:
        direct.create_topic(topic, 4)
        parts = [{"partition_index": number, "timestamp": -1} for number in range(4)]
        asked = {"replica_id": -1, "isolation_level": 0,
                 "topics": [{"name": topic, "partitions": parts}]}  # fmt: skip
        answer = decode("ListOffsets", 6, direct.raw(encode("ListOffsets", 6, 1, asked)))
        assert [part.error_code for part in answer.topics[0].partitions] == [0] * 4


def a_bad_topic_is_refused_with_the_brokers_words(direct, address):
    with pytest.raises(
        BrokerRefused, match=r"CreateTopics of 'no/good' was refused with INVALID_TOPIC"
    ):
        direct.create_topic("no/good")
    with pytest.raises(BrokerRefused, match="INVALID_CONFIG"):
        direct.create_topic(fresh("bad"), settings={"no.such.setting": 1})


def records_are_read_back_as_they_were_sent(direct, address):
    topic = fresh("read")
    direct.create_topic(topic, 2)
    sent = [(0, b"k", b"v", [("h", b"1"), ("h", b"2")]), (0, None, b"", []), (1, b"x", None, [])]
    produce(address, topic, sent)
    assert direct.ends([topic]) == {(topic, 0): (0, 2), (topic, 1): (0, 1)}
    first = list(direct.read(topic, 0, 0, 2))
    assert [record[:7] for record in first] == [
        (topic, 0, 0, b"k", b"v", (("h", b"1"), ("h", b"2")), 1234567),
        (topic, 0, 1, None, b"", (), 1234567),
    ]
    (tombstone,) = direct.read(topic, 1, 0, 1)
    assert tombstone[:7] == (topic, 1, 0, b"x", None, (), 1234567)
    assert {record.producer_id for record in (*first, tombstone)} == {-1}


def a_piece_from_the_middle_of_a_batch(direct, address):
    topic = fresh("piece")
    direct.create_topic(topic)

    async def run():
        async with AIOKafkaProducer(
            bootstrap_servers=str(address), compression_type="gzip"
        ) as producer:
            batch = producer.create_batch()
            for number in range(50):
                batch.append(key=None, value=b"%d" % number, timestamp=None)
            await (await producer.send_batch(batch, topic, partition=0))

    asyncio.run(run())
    found = [record.value for record in direct.read(topic, 0, 7, 11)]
    assert found == [b"7", b"8", b"9", b"10"]
    assert list(direct.read(topic, 0, 7, 7)) == []


def more_than_one_fetch_holds(direct, address):
    topic = fresh("large")
    direct.create_topic(topic, settings={"max.message.bytes": 4_000_000})
    big = [(0, None, bytes([number]) * 3_000_000, []) for number in range(4)]
    produce(address, topic, big, max_request_size=4_000_000)
    found = [record.value for record in direct.read(topic, 0, 0, 4)]
    assert found == [value for _, _, value, _ in big]


def what_cannot_be_read_is_told(direct, address):
    topic = fresh("beyond")
    direct.create_topic(topic)
    produce(address, topic, [(0, None, b"only", [])])
    with pytest.raises(BrokerError, match=f"log of {topic}-0 ends at 1, asked was up to 5"):
        list(direct.read(topic, 0, 0, 5))
    with pytest.raises(BrokerError, match=r"has partitions \[0\], not"):
        list(direct.read(topic, 9, 0, 1))
    with pytest.raises(BrokerRefused, match="OFFSET_OUT_OF_RANGE"):
        list(direct.read(topic, 0, 40, 41))


def groups_are_seen_with_members_and_positions(direct, address):
    topic, group = fresh("grouped"), fresh("group")
    direct.create_topic(topic, 2)
    produce(address, topic, [(0, None, b"a", []), (0, None, b"b", []), (1, None, b"c", [])])

    async def run():
        consumer = await joined(address, topic, group, client_id="the-client")
        try:
            for _ in range(3):
                await consumer.getone()
            await consumer.commit()
            return await asyncio.to_thread(lambda: [g for g in direct.groups() if g.name == group])
        finally:
            await consumer.stop()

    (found,) = asyncio.run(run())
    assert (found.state, found.type) == ("Stable", "classic")
    assert [member.client for member in found.members] == ["the-client"]
    assert direct.committed(group) == {group: {(topic, 0): 2, (topic, 1): 1}}
    assert direct.committed()[group] == {(topic, 0): 2, (topic, 1): 1}
    (after,) = [g for g in direct.groups() if g.name == group]
    assert (after.state, after.members) == ("Empty", ())
    direct.delete_group(group)
    direct.delete_group(group)
    assert direct.committed(group) == {group: {}}
    assert group not in [g.name for g in direct.groups()]


def a_member_can_be_made_to_leave(direct, address):
    topic, group = fresh("leaving"), fresh("leavers")
    direct.create_topic(topic)

    async def run():
        consumer = await joined(address, topic, group, heartbeat_interval_ms=60_000)
        try:
            (found,) = [g for g in await asyncio.to_thread(direct.groups) if g.name == group]
            (member,) = found.members
            await asyncio.to_thread(direct.leave_group, group, member.id)
            (after,) = [g for g in await asyncio.to_thread(direct.groups) if g.name == group]
            return member, after
        finally:
            await consumer.stop()

    member, after = asyncio.run(run())
    assert member not in after.members
    with pytest.raises(BrokerRefused, match=r"UNKNOWN_MEMBER_ID \(25\)"):
        direct.leave_group(group, member.id)


def a_raw_frame_gets_its_raw_answer(direct, address):
    frame = encode("ListGroups", 4, 77, {})
    for node in (None, *direct.metadata(()).nodes):
        reply = direct.raw(frame, node)
        assert reply[4:8] == (77).to_bytes(4, "big")
        assert decode("ListGroups", 4, reply).error_code == 0
    with pytest.raises(BrokerRefused, match="node 99 is not there"):
        direct.raw(frame, 99)


def aborted_records_are_left_out(direct, address):
    """Needs a cluster with transactions."""
    topic = fresh("aborted")
    direct.create_topic(topic)

    async def run():
        producer = AIOKafkaProducer(bootstrap_servers=str(address), transactional_id=fresh("tx"))
        async with producer:
            for value, keep in ((b"1", True), (b"2", False), (b"3", True), (b"4", False)):
                with contextlib.suppress(ZeroDivisionError):
                    async with producer.transaction():
                        await producer.send_and_wait(topic, value, partition=0)
                        if not keep:
                            raise ZeroDivisionError

    asyncio.run(run())
    end = direct.ends([topic])[topic, 0][1]
    assert end == 8
    assert [(r.offset, r.value) for r in direct.read(topic, 0, 0, end)] == [(0, b"1"), (4, b"3")]
    assert [r.value for r in direct.read(topic, 0, 0, end, committed=False)] == [
        b"1",
        b"2",
        b"3",
        b"4",
    ]


def an_open_transaction_is_named(direct, address):
    """Needs a cluster with transactions; `direct` should have a short limit."""
    topic = fresh("open")
    direct.create_topic(topic)

    async def run():
        producer = AIOKafkaProducer(bootstrap_servers=str(address), transactional_id=fresh("tx"))
        async with producer:
            await producer.begin_transaction()
            await producer.send_and_wait(topic, b"1", partition=0)
            with pytest.raises(WaitTimeout, match="readable up to 0 only, an open transaction"):
                await asyncio.to_thread(lambda: list(direct.read(topic, 0, 0, 1)))
            assert direct.ends([topic], stable=True) == {(topic, 0): (0, 0)}
            assert direct.ends([topic]) == {(topic, 0): (0, 1)}
            await producer.commit_transaction()

    asyncio.run(run())
    assert [r.value for r in direct.read(topic, 0, 0, 1)] == [b"1"]


EVERYWHERE = (
    it_is_ready_and_says_where_it_is,
    a_topic_is_created_refused_recreated_and_deleted,
    a_created_topic_serves_at_once,
    a_bad_topic_is_refused_with_the_brokers_words,
    records_are_read_back_as_they_were_sent,
    a_piece_from_the_middle_of_a_batch,
    more_than_one_fetch_holds,
    what_cannot_be_read_is_told,
    groups_are_seen_with_members_and_positions,
    a_member_can_be_made_to_leave,
    a_raw_frame_gets_its_raw_answer,
)
WITH_TRANSACTIONS = (aborted_records_are_left_out, an_open_transaction_is_named)

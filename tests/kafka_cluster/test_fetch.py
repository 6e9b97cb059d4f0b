"""Fetch, ListOffsets and DeleteRecords: what a reader gets, and when."""

from __future__ import annotations

import gzip
import struct

import crc32c
import pytest

from pytest_mqchaos.kafka_cluster.replicas.partition import Decision
from tests.kafka_cluster.talking import MS, Talker, batch, cluster


@pytest.fixture
def pair():
    brokers = cluster()
    reader, writer = Talker(brokers), Talker(brokers)
    reader.create("t", partitions=2)
    return reader, writer


def test_a_waiting_fetch_is_answered_by_the_data_that_arrives(pair):
    reader, writer = pair
    reader.say_fetch(("t", 0, 0), ("t", 1, 0), wait=500)
    assert reader.heard() == []
    writer.produce(batch(2), partition=1)
    (answer,) = reader.heard()
    assert [one.high_watermark for topic in answer.responses for one in topic.partitions] == [0, 2]
    assert reader.cluster.next_wake() is None


def test_it_waits_for_its_minimum_or_its_time(pair):
    reader, writer = pair
    size = len(batch())
    reader.say_fetch(("t", 0, 0), wait=500, least=2 * size)
    writer.produce(batch())
    assert reader.heard() == []
    writer.produce(batch())
    assert len(reader.heard()) == 1
    reader.say_fetch(("t", 0, 2), wait=500)
    reader.cluster.wake(499 * MS)
    assert reader.heard() == []
    reader.cluster.wake(500 * MS)
    assert len(reader.heard()) == 1


def test_one_request_on_two_partitions_is_seen_whole(pair):
    reader, writer = pair
    reader.say_fetch(("t", 0, 0), ("t", 1, 0), wait=500)
    parts = [{"index": at, "records": batch()} for at in range(2)]
    writer.ask(0, 9, acks=1, timeout=0, topic_data=[{"name": "t", "partition_data": parts}])
    (answer,) = reader.heard()
    seen = [one for topic in answer.responses for one in topic.partitions]
    assert [len(one.records) for one in seen] == [len(batch())] * 2


def test_limits_hold_but_the_first_batch_always_comes(pair):
    reader, writer = pair
    size = len(batch())
    for partition in (0, 0, 1):
        writer.produce(batch(), partition=partition)
    both = (("t", 0, 0), ("t", 1, 0))
    assert [len(one.records) for one in reader.fetch(*both, most=1)] == [size, 0]
    assert [len(one.records) for one in reader.fetch(*both, most=2 * size)] == [2 * size, 0]
    assert [len(one.records) for one in reader.fetch(("t", 0, 0, 1), ("t", 1, 0, 1))] == [size, 0]
    assert [len(one.records) for one in reader.fetch(*both)] == [2 * size, size]


def test_an_offset_inside_a_batch_gives_the_whole_batch(pair):
    reader, writer = pair
    writer.produce(batch(3))
    (one,) = reader.fetch(("t", 0, 2))
    assert len(one.records) == len(batch(3))


@pytest.mark.parametrize("offset", [-1, 2])
def test_out_of_range_is_told_at_once(pair, offset):
    reader, writer = pair
    writer.produce(batch())
    (one,) = reader.fetch(("t", 0, offset), wait=500)
    assert (one.error_code, one.high_watermark) == (1, -1)


def test_unknown_places_epochs_nodes_and_sessions_are_told(pair):
    reader, _ = pair
    assert reader.fetch(("x", 0, 0), wait=500)[0].error_code == 3
    assert reader.fetch(("t", 7, 0), wait=500)[0].error_code == 3
    asked = {"partition": 0, "fetch_offset": 0, "partition_max_bytes": 1}
    newer = [{"topic": "t", "partitions": [{**asked, "current_leader_epoch": 1}]}]
    assert reader.fetch(topics=newer)[0].error_code == 75
    reader.say_fetch(("t", 0, 0), session_id=9, session_epoch=1)
    assert reader.heard()[0].error_code == 70
    brokers = cluster(brokers=2)
    Talker(brokers).create("t", partitions=2)
    codes = [Talker(brokers, 2).fetch(("t", at, 0))[0].error_code for at in range(2)]
    assert sorted(codes) == [0, 6]


def test_topics_are_found_by_id_and_a_deleted_one_wakes_the_reader(pair):
    reader, writer = pair
    topic_id = writer.cluster.state.topics.get("t").id
    parts = [{"partition": 0, "fetch_offset": 0, "partition_max_bytes": 99}]
    asked = {"max_wait": 500, "min_bytes": 1, "forgotten_topics_data": []}
    reader.say(1, 13, replica_id=-1, topics=[{"topic_id": topic_id, "partitions": parts}], **asked)
    writer.ask(20, 4, topic_names=["t"], timeout=0)
    (answer,) = reader.heard()
    assert answer.responses[0].topic_id == topic_id
    assert answer.responses[0].partitions[0].error_code == 100


def test_offsets_by_position_and_by_time(pair):
    reader, writer = pair
    assert reader.offset(-3) == (0, -1, -1)
    writer.produce(batch(3, time=1000))  # 1000, 2000, 3000
    writer.produce(batch(2, time=1500))  # 1500, 2500
    assert reader.offset(-2) == (0, -1, 0)
    assert reader.offset(-1) == (0, -1, 5)
    assert reader.offset(-3) == (0, 3000, 2)
    assert reader.offset(1001) == (0, 2000, 1)
    assert reader.offset(3001) == (0, -1, -1)
    assert reader.offset(-1, topic="x") == (3, -1, -1)


def test_times_are_found_in_compressed_batches(pair):
    reader, writer = pair
    plain = batch(3)
    body = b"\0\1" + plain[23:61] + gzip.compress(plain[61:])
    head = struct.pack(">qiibI", 0, len(body) + 9, -1, 2, crc32c.crc32c(body))
    assert writer.produce(head + body).error_code == 0
    assert reader.offset(2000) == (0, 2000, 1)


def test_records_that_nobody_can_read_are_told_when_a_time_is_looked_up(pair):
    reader, writer = pair
    writer.produce(batch(attributes=4))  # says zstd, is not
    assert reader.offset(500) == (2, -1, -1)
    assert reader.offset(-1) == (0, -1, 1)


def test_a_stale_leader_epoch_is_fenced_and_another_node_knows_no_offsets(pair):
    reader, _ = pair
    reader.cluster.state.topics.partition("t", 0).decide(Decision(1, 2, (1,)), 0)
    asked = {"partition": 0, "fetch_offset": 0, "partition_max_bytes": 1}
    older = [{"topic": "t", "partitions": [{**asked, "current_leader_epoch": 1}]}]
    assert reader.fetch(topics=older)[0].error_code == 74
    brokers = cluster(brokers=2)
    Talker(brokers).create("t", partitions=2)
    codes = [Talker(brokers, 2).offset(-1, partition=at)[0] for at in range(2)]
    assert sorted(codes) == [0, 6]


def _delete(talker, offset, partition=0):
    asked = [{"partition_index": partition, "offset": offset}]
    topics = [{"name": "t", "partitions": asked}]
    one = talker.ask(21, 2, topics=topics, timeout=0).topics[0].partitions[0]
    return one.error_code, one.low_watermark


def test_deleting_records_moves_the_start(pair):
    reader, writer = pair
    for _ in range(2):
        writer.produce(batch(2))
    assert _delete(writer, 3) == (0, 3)
    assert reader.offset(-2) == (0, -1, 3)
    assert reader.fetch(("t", 0, 2))[0].error_code == 1
    (one,) = reader.fetch(("t", 0, 3))
    assert (len(one.records), one.log_start_offset) == (len(batch(2)), 3)
    assert _delete(writer, 5) == (1, -1)
    assert _delete(writer, -1) == (0, 4)
    assert reader.fetch(("t", 0, 4))[0].records == b""

"""Produce: what is stored, what is refused, and what a resent batch gets."""

from __future__ import annotations

import pytest

from tests.kafka_cluster.talking import Talker, batch, cluster


@pytest.fixture
def talker():
    talker = Talker(cluster())
    talker.create("t")
    return talker


def _end(talker) -> int:
    return talker.offset(-1)[2]


def _sent(talker, sequence, count=1, epoch=0):
    records = batch(count, producer=5, epoch=epoch, sequence=sequence)
    answer = talker.produce(records)
    return answer.error_code, answer.base_offset


def test_offsets_follow_on_and_are_patched_into_the_stored_bytes(talker):
    sent = batch(3)
    assert [talker.produce(sent).base_offset for _ in range(2)] == [0, 3]
    (read,) = talker.fetch(("t", 0, 0))
    size = len(sent)
    assert (read.records[:8], read.records[size : size + 8]) == (bytes(8), (3).to_bytes(8))
    assert read.records[17:size] == sent[17:]  # checksum and all it covers
    assert read.records[12:16] == bytes(4)  # leader epoch 0


def test_a_resent_batch_is_stored_once_and_gets_the_first_offset(talker):
    assert [_sent(talker, at) for at in range(3)] == [(0, 0), (0, 1), (0, 2)]
    assert _sent(talker, 1) == (0, 1)
    assert _end(talker) == 3


def test_only_the_last_five_batches_are_remembered(talker):
    for at in range(6):
        assert _sent(talker, at) == (0, at)
    assert _sent(talker, 1) == (0, 1)
    assert _sent(talker, 0) == (45, -1)
    assert _end(talker) == 6


def test_a_gap_is_out_of_order(talker):
    assert _sent(talker, 0, count=2) == (0, 0)
    assert _sent(talker, 3) == (45, -1)
    assert _sent(talker, 2) == (0, 2)


def test_the_same_first_sequence_with_another_last_is_no_copy(talker):
    assert _sent(talker, 0, count=2) == (0, 0)
    assert _sent(talker, 0, count=1) == (45, -1)


def test_epochs_fence_and_begin_at_zero(talker):
    assert _sent(talker, 0, epoch=1) == (0, 0)
    assert _sent(talker, 1, epoch=0) == (47, -1)
    assert _sent(talker, 1, epoch=2) == (45, -1)
    assert _sent(talker, 0, epoch=2) == (0, 1)
    assert _sent(talker, 0, epoch=1) == (47, -1)


def test_an_unknown_producer_may_begin_anywhere(talker):
    assert _sent(talker, 17) == (0, 0)


def test_sequences_wrap(talker):
    assert _sent(talker, 2**31 - 2, count=2) == (0, 0)
    assert _sent(talker, 0) == (0, 2)


def _broken(at: int, value: int) -> bytes:
    data = bytearray(batch())
    data[at] = value
    return bytes(data)


@pytest.mark.parametrize(
    ("records", "code"),
    [
        (_broken(65, 0xFF), 2),  # checksum
        (_broken(16, 1), 87),  # magic
        (batch() + batch(), 87),
        (batch()[:-1], 87),
        (batch()[:60], 87),
        (b"", 87),
        (_broken(11, 1), 2),  # length
        (batch(attributes=7), 2),  # no such compression
        (batch(0), 87),
        (batch(attributes=0x20), 87),  # control
        (batch(attributes=0x10), 53),  # transactional, without an id
        (batch(producer=5, epoch=0, sequence=-1), 87),
    ],
)
def test_what_is_refused_is_not_stored(talker, records, code):
    assert talker.produce(records).error_code == code
    assert _end(talker) == 0


def test_acks_zero_gets_no_answer_and_an_error_ends_the_connection(talker):
    data = [{"name": "t", "partition_data": [{"index": 0, "records": batch()}]}]
    talker.say(0, 9, acks=0, timeout=0, topic_data=data)
    assert talker.heard() == []
    assert _end(talker) == 1
    data[0]["name"] = "missing"
    talker.say(0, 9, acks=0, timeout=0, topic_data=data)
    assert talker.cluster.take_closed() == [talker.id]


def test_wrong_acks_size_replicas_compression_and_place_are_told():
    brokers = cluster(brokers=2)
    first, second = Talker(brokers, 1), Talker(brokers, 2)
    first.create("t", max_message_bytes="70")
    assert first.produce(batch(), acks=2).error_code == 21
    assert first.produce(batch(3)).error_code == 10
    assert first.produce(batch(attributes=4), version=6).error_code == 76
    assert second.produce(batch()).error_code == 6
    assert first.produce(batch(), topic="x").error_code == 3
    assert first.produce(batch(), partition=-1).error_code == 3
    first.create("s", min_insync_replicas="2")
    leader = second if brokers.state.topics.partition("s", 0).leader == 2 else first
    assert leader.produce(batch(), topic="s").error_code == 0  # KIP-966: there is but one replica


def test_producer_ids_differ(talker):
    asked = {"transaction_timeout": 0, "producer_id": -1, "producer_epoch": -1}
    ids = [talker.ask(22, 4, transactional_id=None, **asked).producer_id for _ in range(2)]
    assert len(set(ids)) == 2

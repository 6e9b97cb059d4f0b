"""Compaction: the last record of each key stays, offsets never change."""

from __future__ import annotations

import pytest

from tests.kafka_cluster.keeping import SECOND, alter, keyed, stored
from tests.kafka_cluster.talking import Talker, batch, cluster


def _topic(brokers, **configs):
    talker = Talker(brokers)
    talker.create("t", cleanup_policy="compact", segment_bytes="14", **configs)
    return talker


@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
def test_earlier_records_of_a_key_go_but_not_from_the_active_segment(compression):
    brokers = cluster()
    talker = _topic(brokers)
    talker.produce(keyed((b"a", b"1"), (b"b", b"1"), (b"a", b"2"), compression=compression))
    talker.produce(keyed((b"b", b"2"), compression=compression))
    talker.produce(keyed((b"a", b"3"), compression=compression))
    brokers.wake(SECOND)
    assert stored(brokers) == [(2, b"a"), (3, b"b"), (4, b"a")]
    assert talker.offset(-2) == (0, -1, 0)
    (all_of_it,) = talker.fetch(("t", 0, 0))
    assert all_of_it.error_code == 0
    talker.produce(keyed((b"c", b"1")))
    brokers.wake(2 * SECOND)
    assert stored(brokers) == [(3, b"b"), (4, b"a"), (5, b"c")]
    (behind_a_gap,) = talker.fetch(("t", 0, 1))
    assert (behind_a_gap.error_code, behind_a_gap.high_watermark) == (0, 6)


def test_a_tombstone_stays_for_a_while():
    brokers = cluster()
    talker = _topic(brokers, delete_retention_ms="3000")
    talker.produce(keyed((b"a", b"1")))
    talker.produce(keyed((b"a", None)))
    talker.produce(keyed((b"b", b"1")))
    for second in range(1, 5):
        brokers.wake(second * SECOND)
        assert stored(brokers) == [(1, b"a"), (2, b"b")]
    brokers.wake(5 * SECOND)
    assert stored(brokers) == [(2, b"b")]


def test_records_without_a_key_are_refused():
    brokers = cluster()
    talker = _topic(brokers)
    assert talker.produce(batch()).error_code == 87
    alter(talker, cleanup_policy="delete")
    assert talker.produce(batch()).error_code == 0


def test_a_real_reader_reads_a_shortened_batch():
    brokers = cluster()
    talker = _topic(brokers)
    talker.produce(keyed((b"a", b"1"), (b"b", b"x"), (b"a", b"2")))
    talker.produce(keyed((b"c", b"1")))
    brokers.wake(SECOND)
    from aiokafka.record.default_records import DefaultRecordBatch

    (told,) = talker.fetch(("t", 0, 0), limit=1)
    size = len(brokers.state.topics.partition("t", 0).lead().log._batches[0].raw)
    read = DefaultRecordBatch(told.records[:size])
    assert read.validate_crc()
    assert [(row.offset, row.key, row.value) for row in read] == [(1, b"b", b"x"), (2, b"a", b"2")]
    assert read.next_offset == 3


def test_followers_compact_and_who_was_away_takes_what_is_left():
    brokers = cluster(brokers=3)
    talker = Talker(brokers)
    talker.create("t", replicas=3, cleanup_policy="compact", segment_bytes="14")
    partition = brokers.state.topics.partition("t", 0)
    mine = Talker(brokers, node=partition.leader)
    mine.produce(keyed((b"a", b"1")))
    away, here = (node for node in (1, 2, 3) if node != partition.leader)
    brokers.kill(away, 0)
    brokers.wake(SECOND)
    mine.now = SECOND
    for _ in range(3):
        mine.produce(keyed((b"a", b"2")))
    mine.produce(keyed((b"b", b"1")))
    brokers.wake(3 * SECOND)
    assert stored(brokers) == stored(brokers, node=here) == [(3, b"a"), (4, b"b")]
    brokers.restart(away, 3 * SECOND)
    brokers.wake(4 * SECOND)
    assert stored(brokers, node=away)[-2:] == [(3, b"a"), (4, b"b")]
    brokers.wake(6 * SECOND)
    assert stored(brokers, node=away) == stored(brokers)


def test_what_was_aborted_goes_and_what_is_open_stays():
    brokers = cluster()
    talker = _topic(brokers)
    begun = {"transactional_id": "x", "transaction_timeout": 60_000}
    made = talker.ask(22, 4, **begun, producer_id=-1, producer_epoch=-1)
    own = {"producer_id": made.producer_id, "producer_epoch": made.producer_epoch}

    def send(sequence, key):
        places = [{"name": "t", "partitions": [0]}]
        added = talker.ask(24, 3, v3_and_below_transactional_id="x", v3_and_below_topics=places,
                           v3_and_below_producer_id=own["producer_id"],
                           v3_and_below_producer_epoch=own["producer_epoch"])  # fmt: skip
        assert added is not None
        data = keyed((key, b"t"), transactional=True, base_sequence=sequence, **own)
        return talker.produce(data, transactional_id="x").error_code

    talker.produce(keyed((b"a", b"1")))
    assert send(0, b"a") == 0
    assert talker.ask(26, 3, transactional_id="x", **own, committed=False).error_code == 0
    assert send(1, b"b") == 0
    talker.produce(keyed((b"a", b"2")))
    talker.produce(keyed((b"c", b"1")))
    brokers.wake(SECOND)
    kept = [key for _, key in stored(brokers)]
    assert kept == [b"a", b"b", b"a", b"c"]

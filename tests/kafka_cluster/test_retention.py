"""Retention by time and size, and what a consumer below the log's start is told."""

from __future__ import annotations

import pytest

from pytest_mqchaos.errors import UsageError
from tests.kafka_cluster.keeping import SECOND, alter
from tests.kafka_cluster.talking import Talker, batch, cluster

SIZE = len(batch())


def _start(brokers, node=None):
    partition = brokers.state.topics.partition("t", 0)
    return partition.copies[node or partition.leader].log.start


@pytest.fixture
def brokers():
    return cluster()


def test_a_cluster_that_nobody_asked_has_no_timer(brokers):
    talker = Talker(brokers)
    talker.create("t")
    talker.produce(batch())
    assert brokers.next_wake() is None
    assert alter(talker, retention_ms="5000") == 0
    assert brokers.next_wake() == SECOND
    assert alter(talker, retention_ms=None) == 0
    brokers.wake(SECOND)
    assert brokers.next_wake() is None


def test_what_is_too_old_goes_and_the_active_segment_too(brokers):
    talker = Talker(brokers)
    talker.create("t", retention_ms="5000")
    for second in (0, 4):
        talker.now = second * SECOND
        brokers.wake(talker.now)
        talker.produce(batch(2))
    for second in range(5, 9):
        brokers.wake(second * SECOND)
    assert _start(brokers) == 0  # one segment: as young as its last batch
    for second in range(9, 11):
        brokers.wake(second * SECOND)
    assert _start(brokers) == 4
    talker.now = 11 * SECOND
    (told,) = talker.fetch(("t", 0, 1))
    assert (told.error_code, talker.offset(-2)) == (1, (0, -1, 4))
    assert talker.produce(batch()).base_offset == 4


def test_segments_go_one_by_one(brokers):
    talker = Talker(brokers)
    talker.create("t", retention_ms="3000", segment_ms="1000")
    for second in range(5):
        talker.now = second * SECOND
        brokers.wake(talker.now)
        talker.produce(batch())
    assert _start(brokers) == 0
    brokers.wake(6 * SECOND)
    assert _start(brokers) in {2, 3}
    brokers.wake(20 * SECOND)
    assert _start(brokers) == 5


def test_what_is_too_much_goes_in_whole_segments(brokers):
    talker = Talker(brokers)
    talker.create("t", retention_bytes=str(3 * SIZE), segment_bytes=str(2 * SIZE))
    for _ in range(7):
        talker.produce(batch())
    brokers.wake(SECOND)
    assert _start(brokers) == 4  # of 7 two segments of 2: what is left is not less than 3
    brokers.wake(2 * SECOND)
    assert _start(brokers) == 4


def test_nothing_goes_that_is_not_below_the_high_watermark():
    brokers = cluster(brokers=2)
    talker = Talker(brokers)
    talker.create("t", replicas=2, retention_ms="100")
    partition = brokers.state.topics.partition("t", 0)
    mine = Talker(brokers, node=partition.leader)
    mine.produce(batch())
    follower = 3 - partition.leader
    brokers.hold_replication("t", 0, follower, 0)
    mine.produce(batch(), acks=1)
    brokers.wake(SECOND)
    assert _start(brokers) == 0
    brokers.release_replication(SECOND)
    brokers.wake(3 * SECOND)
    assert (_start(brokers), _start(brokers, follower)) == (2, 2)


def test_a_follower_that_was_away_follows_the_start(brokers):
    brokers = cluster(brokers=2)
    talker = Talker(brokers)
    talker.create("t", replicas=2, retention_ms="100")
    partition = brokers.state.topics.partition("t", 0)
    follower = 3 - partition.leader
    brokers.kill(follower, 0)
    brokers.wake(SECOND)
    mine = Talker(brokers, node=partition.leader)
    mine.now = SECOND
    mine.produce(batch(3))
    for second in range(2, 5):
        brokers.wake(second * SECOND)
    assert _start(brokers) == 3
    brokers.restart(follower, 5 * SECOND)
    brokers.wake(9 * SECOND)
    log = partition.copies[follower].log
    assert (log.start, log.end) == (3, 3)


def test_a_waiting_reader_hears_that_its_place_is_gone(brokers):
    talker, reader = Talker(brokers), Talker(brokers)
    talker.create("t")
    talker.produce(batch(2))
    reader.say_fetch(("t", 0, 1), wait=5_000, least=1 << 20)
    assert reader.heard() == []
    assert brokers.expire("t", 0, None, 0) == 2
    (answer,) = reader.heard()
    assert answer.responses[0].partitions[0].error_code == 1


def test_expiring_by_hand_says_what_is_possible(brokers):
    talker = Talker(brokers)
    talker.create("t")
    talker.produce(batch(3))
    assert brokers.expire("t", 0, 2, 0) == 2
    with pytest.raises(UsageError, match="t-0 ends at 3: it cannot start at 9"):
        brokers.expire("t", 0, 9, 0)
    with pytest.raises(UsageError, match="nothing"):
        brokers.expire("nothing", 0, None, 0)


def test_compacted_topics_have_no_retention_unless_both_are_asked_for(brokers):
    talker = Talker(brokers)
    talker.create("t", retention_ms="100", cleanup_policy="compact")
    assert brokers.state.housekeeping._expiring is None
    assert alter(talker, cleanup_policy="compact,delete") == 0
    assert brokers.state.housekeeping._expiring is not None

"""Transactions while nodes die: what was decided is carried out, by whoever coordinates then."""

from __future__ import annotations

import pytest

from tests.kafka_cluster.talking import MS, Talker, cluster
from tests.kafka_cluster.transacting import Transactor

SECOND = 1000 * MS


class Three:
    """Three brokers, topic `t` with so many replicas, and a transactional id that another node than
    the topic's leader coordinates."""

    def __init__(self, replicas):
        self.brokers = cluster(3)
        self.now = 0
        Talker(self.brokers).create("t", replicas=replicas, min_insync_replicas="1")
        names = (f"id{n}" for n in range(9))
        self.name = next(name for name in names if self.coordinator(name) != self.leader())

    def leader(self):
        return self.brokers.leader("t", 0)

    def coordinator(self, name=None):
        return self.brokers.coordinator("transaction", name or self.name)

    def at(self, node, like=None):
        """A producer (the same as `like`) on a connection to a node."""
        one = Transactor(Talker(self.brokers, node), self.name, "t", old=True)
        one.talker.now = self.now
        if like is not None:
            one.id, one.epoch = like.id, like.epoch
        return one

    def later(self, passed):
        until = self.now + passed
        while (due := self.brokers.next_wake()) is not None and due <= until:
            self.now = max(due, self.now)
            self.brokers.wake(self.now)
        self.now = until
        assert self.brokers.take_failures() == []

    def begun(self):
        """A producer with one record in an open transaction."""
        one = self.at(self.coordinator())
        assert one.init() == (0, 0)
        assert one.add(0) == [0]
        assert self.at(self.leader(), one).produce(0) == (0, 0)
        return one

    def phase(self):
        return self.brokers.state.transactions.get(self.name).phase.value

    def markers(self):
        """Of the leader: (offset, coordinator epoch) of each."""
        one = self.at(self.leader())
        *_, batches = one.read(committed=False)
        return [(base, int(key[-8:], 16)) for base, bits, *_, key in batches if bits & 0x20]


def test_what_was_prepared_is_completed_by_the_next_coordinator():
    three = Three(replicas=1)
    one, held = three.begun(), three.leader()
    three.brokers.kill(held, three.now)
    assert one.end() == 0
    three.later(SECOND)
    assert three.phase() == "PrepareCommit"
    to = three.brokers.move_coordinator("transaction", three.name, None, three.now)
    assert to == three.coordinator() != held
    assert three.at(to, one).state()[:2] == (0, "PrepareCommit")
    three.brokers.restart(held, three.now)
    three.later(5 * SECOND)
    assert three.phase() == "CompleteCommit"
    assert three.markers() == [(1, 1)]
    assert three.at(three.leader()).ends() == (2, 2)


def test_an_open_transaction_goes_on_at_the_next_coordinator():
    three = Three(replicas=3)
    one, gone = three.begun(), three.coordinator()
    three.brokers.kill(gone, three.now)
    three.later(2 * SECOND)
    assert three.coordinator() not in {gone, None}
    assert three.at(three.coordinator(), one).end(commit=False) == 0
    assert three.at(three.leader()).ends() == (2, 2)
    assert three.phase() == "CompleteAbort"


def test_a_node_that_does_not_coordinate_says_so():
    three = Three(replicas=3)
    one = three.begun()
    wrong = three.at(next(n for n in (1, 2, 3) if n != three.coordinator()), one)
    assert wrong.init() == (16, -1)
    assert (wrong.add(0), wrong.add_group(), wrong.end(), wrong.state()[0]) == ([16], 16, 16, 16)
    assert (
        wrong.talker.ask(66, 0, state_filters=[], producer_id_filters=[]).transaction_states == ()
    )
    assert one.end() == 0


def test_a_marker_that_died_with_its_leader_is_written_again():
    three = Three(replicas=3)
    one, first = three.begun(), three.leader()
    three.brokers.hold_replication("t", 0, None, three.now)
    assert one.end() == 0
    three.later(100 * MS)
    assert three.phase() == "PrepareCommit"
    assert three.markers() == []  # below the high watermark
    assert three.at(first).ends() == (0, 1)
    three.brokers.kill(first, three.now)
    three.brokers.release_replication(three.now)
    three.later(2 * SECOND)
    assert three.leader() != first
    assert three.phase() == "CompleteCommit"
    assert three.at(three.leader()).ends() == (2, 2)
    assert [offset for offset, _ in three.markers()] == [1]


@pytest.mark.parametrize("lost", [False, True])
def test_a_time_out_waits_for_a_coordinator(lost):
    three = Three(replicas=3)
    one = three.at(three.coordinator())
    assert one.init(timeout=3000) == (0, 0)
    assert one.add(0) == [0]
    if lost:
        for node in (1, 2, 3):
            three.brokers.kill(node, three.now)
    three.later(10 * SECOND)
    assert three.phase() == ("Ongoing" if lost else "CompleteAbort")
    if lost:
        for node in (1, 2, 3):
            three.brokers.restart(node, three.now)
        three.later(10 * SECOND)
        assert three.phase() == "CompleteAbort"


def test_a_follower_knows_what_is_aborted():
    three = Three(replicas=3)
    one = three.begun()
    assert one.end(commit=False) == 0
    three.brokers.kill(three.leader(), three.now)
    three.later(2 * SECOND)
    code, stable, high, aborted, batches = three.at(three.leader()).read()
    assert (code, stable, high, aborted, len(batches)) == (0, 2, 2, [0], 2)

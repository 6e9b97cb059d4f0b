"""Brokers killed, paused, apart and back: what was confirmed, what is lost, who leads."""

from __future__ import annotations

import pytest

from pytest_mqchaos.errors import UsageError
from tests.kafka_cluster.talking import MS, Talker, batch, cluster

SESSION = 500 * MS  # broker.session.timeout.ms


class Three:
    """Three brokers with one topic `t` of three replicas, and a connection to each."""

    def __init__(self, *, insync: int = 2, unclean: bool = False, **settings: object) -> None:
        self.brokers = cluster(3, **settings)
        self.now = 0
        configs = {"min_insync_replicas": str(insync)}
        if unclean:
            configs["unclean_leader_election_enable"] = "true"
        Talker(self.brokers).create("t", replicas=3, **configs)

    @property
    def partition(self):
        return self.brokers.state.topics.partition("t", 0)

    def to(self, node: int) -> Talker:
        talker = Talker(self.brokers, node)
        talker.now = self.now
        return talker

    def leader(self) -> Talker:
        return self.to(self.brokers.leader("t", 0))

    def later(self, passed: int) -> None:
        """Let time pass, waking the cluster whenever it wants."""
        until = self.now + passed
        while (due := self.brokers.next_wake()) is not None and due <= until:
            self.now = max(due, self.now)
            self.brokers.wake(self.now)
        self.now = until
        assert self.brokers.take_failures() == []

    def do(self, deed: str, *given: object) -> object:
        return getattr(self.brokers, deed)(*given, self.now)

    def ends(self) -> dict[int, int]:
        return {node: copy.log.end for node, copy in self.partition.copies.items()}

    def view(self, node: int, version: int = 9):
        """(error, leader, epoch, in sync, offline) as a node tells."""
        answer = self.to(node).ask(3, version, topics=[{"name": "t"}])
        one = answer.topics[0].partitions[0]
        in_sync, gone = one.isr_nodes, one.offline_replicas
        return one.error_code, one.leader_id, one.leader_epoch, in_sync, gone


def test_acks_1_is_confirmed_before_replication_and_lost_with_its_leader():
    three = Three()
    first = three.leader()
    assert first.produce(batch(), acks=-1).base_offset == 0
    three.do("hold_replication", "t", 0, None)
    assert first.produce(batch(2), acks=1).error_code == 0
    assert three.ends() == {1: 3, 2: 1, 3: 1}
    assert first.fetch(("t", 0, 1))[0].records == b""  # nobody reads what may still be lost
    three.do("kill", 1)
    assert first.id in three.brokers.take_closed()
    three.do("release_replication")
    assert three.view(2)[:3] == (0, 1, 0)  # nobody knows yet
    three.later(SESSION)
    assert three.view(2) == (0, 2, 1, (2, 3), (1,))
    second = three.leader()
    assert second.offset(-1) == (0, -1, 1)
    assert second.produce(batch(), acks=-1).base_offset == 1
    three.do("restart", 1)
    three.later(0)
    assert three.ends() == {1: 2, 2: 2, 3: 2}
    assert three.view(3) == (0, 2, 1, (1, 2, 3), ())
    raws = {b"".join(one.raw for one in copy.log.batches()) for copy in _copies(three)}
    assert len(raws) == 1


def _copies(three):
    return three.partition.copies.values()


def test_acks_all_of_the_same_waits_and_loses_nothing_that_was_confirmed():
    three = Three()
    first = three.leader()
    three.do("hold_replication", None, None, None)
    data = [{"name": "t", "partition_data": [{"index": 0, "records": batch()}]}]
    first.say(0, 9, acks=-1, timeout=300, topic_data=data)
    assert first.heard() == []
    three.later(300 * MS)
    (late,) = first.heard()
    assert late.responses[0].partition_responses[0].error_code == 7  # it may be stored, or not
    first.say(0, 9, acks=-1, timeout=30_000, topic_data=data)
    three.do("release_replication")
    (told,) = first.heard()
    assert told.responses[0].partition_responses[0].error_code == 0
    assert three.ends() == {1: 2, 2: 2, 3: 2}


def test_a_dead_node_takes_no_connection_until_its_former_session_is_over():
    three = Three()
    three.do("kill", 2)
    assert not three.brokers.alive(2)
    with pytest.raises(UsageError, match="node 2 takes no connections"):
        three.brokers.connect(2, 0)
    three.do("restart", 2)
    assert not three.brokers.alive(2)
    three.later(SESSION)
    assert three.brokers.alive(2)
    assert three.view(2) == (0, 1, 0, (1, 2, 3), ())

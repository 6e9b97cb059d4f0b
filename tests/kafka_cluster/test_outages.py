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


def test_a_paused_leader_serves_what_it_had_with_what_it_knew_and_then_hears_the_news():
    three = Three()
    first = three.leader()
    three.do("pause", 1)
    data = [{"name": "t", "partition_data": [{"index": 0, "records": batch()}]}]
    first.say(0, 9, acks=1, timeout=0, topic_data=data)
    first.say(0, 9, acks=-1, timeout=30_000, topic_data=data)
    three.later(SESSION)
    assert first.heard() == []
    assert three.brokers.leader("t", 0) == 2
    assert three.leader().produce(batch(), acks=-1).base_offset == 0
    three.do("resume", 1)
    codes = [one.responses[0].partition_responses[0].error_code for one in first.heard()]
    assert codes == [0, 6]  # confirmed, but by one who led no more
    assert three.ends() == {1: 1, 2: 1, 3: 1}
    assert three.view(1) == (0, 2, 1, (1, 2, 3), ())


def test_a_pause_within_the_session_changes_nothing_and_all_is_caught_up():
    three = Three(insync=3)
    first = three.leader()
    three.do("pause", 3)
    data = [{"name": "t", "partition_data": [{"index": 0, "records": batch()}]}]
    first.say(0, 9, acks=-1, timeout=30_000, topic_data=data)
    three.later(SESSION - 1)
    assert first.heard() == []
    three.do("resume", 3)
    assert first.heard()[0].responses[0].partition_responses[0].error_code == 0
    assert three.view(3) == (0, 1, 0, (1, 2, 3), ())
    three.later(SESSION)
    assert three.view(3) == (0, 1, 0, (1, 2, 3), ())


def test_too_few_in_sync_are_told_before_and_the_high_watermark_stands():
    three = Three()
    for node in (2, 3):
        three.do("kill", node)
    three.later(SESSION)
    first = three.leader()
    assert first.produce(batch(), acks=-1).error_code == 19
    assert first.produce(batch(), acks=1).error_code == 0
    assert first.fetch(("t", 0, 0))[0].high_watermark == 0  # KIP-966
    three.do("restart", 2)
    three.later(0)
    assert first.fetch(("t", 0, 0))[0].high_watermark == 1
    assert first.produce(batch(), acks=-1).error_code == 0


def test_a_follower_that_is_held_is_out_after_the_lag_time_and_back_when_it_has_all():
    three = Three()
    first = three.leader()
    three.do("hold_replication", "t", None, 3)
    three.later(2000 * MS)
    assert three.view(1)[3] == (1, 2, 3)  # it has everything there is
    first.say_fetch(("t", 0, 0), wait=10_000)
    assert three.leader().produce(batch(), acks=1).error_code == 0
    assert three.view(1)[3] == (1, 2, 3)
    three.later(1)
    assert three.view(1)[3] == (1, 2)
    (told,) = first.heard()
    assert told.responses[0].partitions[0].high_watermark == 1
    three.do("release_replication")
    assert three.view(1)[3] == (1, 2, 3)


def test_an_isolated_leader_confirms_acks_1_only_and_drops_it_when_it_is_back():
    three = Three()
    first = three.leader()
    three.do("isolate", [{1}, {2, 3}])
    three.later(SESSION)
    assert three.brokers.leader("t", 0) == 2
    assert three.view(1) == (0, 1, 0, (1, 2, 3), ())
    assert three.view(2) == (0, 2, 1, (2, 3), (1,))
    assert first.produce(batch(3), acks=1).error_code == 0
    data = [{"name": "t", "partition_data": [{"index": 0, "records": batch()}]}]
    first.say(0, 9, acks=-1, timeout=1000, topic_data=data)
    three.later(1000 * MS)
    assert first.heard()[0].responses[0].partition_responses[0].error_code == 7
    assert first.create("other").error_code == 7
    three.leader().create("third")
    assert [one.name for one in three.to(1).ask(3, 9, topics=None).topics] == ["t"]
    assert three.leader().produce(batch(), acks=-1).base_offset == 0
    three.do("reunite")
    assert three.ends() == {1: 1, 2: 1, 3: 1}
    assert first.produce(batch()).error_code == 6
    assert [one.name for one in three.to(1).ask(3, 9, topics=None).topics] == ["t", "third"]


def test_the_last_in_sync_replica_is_waited_for_unless_unclean_elections_are_allowed():
    for unclean, end in ((False, 2), (True, 1)):
        three = Three(insync=1, unclean=unclean)
        first = three.leader()
        assert first.produce(batch()).base_offset == 0
        for node in (2, 3):
            three.do("kill", node)
        three.later(SESSION)
        assert first.produce(batch()).base_offset == 1
        three.do("kill", 1)
        three.do("restart", 2)
        three.later(SESSION)
        leader = 2 if unclean else None
        assert three.brokers.leader("t", 0) == leader
        assert three.view(2)[:2] == ((0, 2) if unclean else (5, -1))
        three.do("restart", 1)
        three.later(0)
        assert three.brokers.leader("t", 0) == leader or 1
        assert three.ends()[1] == three.ends()[2] == end


def test_power_loss_takes_what_was_not_flushed():
    for settings, kept in (({}, 0), ({"log_flush_interval_messages": 2}, 2)):
        alone = cluster(1, **settings)
        talker = Talker(alone)
        talker.create("t")
        for _ in range(3):
            assert talker.produce(batch()).error_code == 0
        alone.power_loss(1, 0)
        alone.restart(1, 0)
        alone.wake(SESSION)
        assert Talker(alone).offset(-1) == (0, -1, kept)


def test_what_was_flushed_in_time_survives_a_power_loss():
    alone = cluster(1, log_flush_interval_ms=1000)
    talker = Talker(alone)
    talker.create("t")
    talker.now = 5000 * MS
    talker.produce(batch())
    talker.now = 5500 * MS
    talker.produce(batch())
    alone.power_loss(1, 6000 * MS)
    assert alone.state.topics.partition("t", 0).copies[1].log.end == 1


def test_a_leader_moves_to_an_in_sync_replica_only():
    three = Three()
    assert three.do("move_leader", "t", 0, None) == 2
    assert three.do("move_leader", "t", 0, 1) == 1
    assert three.view(3) == (0, 1, 2, (1, 2, 3), ())
    three.do("kill", 3)
    three.later(SESSION)
    with pytest.raises(UsageError, match=r"cannot be led by 3: node 1 leads.*\[2\]"):
        three.do("move_leader", "t", 0, 3)
    with pytest.raises(UsageError, match="no partition 7"):
        three.do("move_leader", "t", 7, None)


def test_who_leads_is_told_beside_the_error_and_epochs_of_old_are_fenced():
    three = Three()
    three.do("move_leader", "t", 0, 2)
    data = [{"name": "t", "partition_data": [{"index": 0, "records": batch()}]}]
    told = three.to(1).ask(0, 11, acks=1, timeout=0, topic_data=data, transactional_id=None)
    one = told.responses[0].partition_responses[0]
    current = one.current_leader
    assert (one.error_code, current.leader_id, current.leader_epoch) == (6, 2, 1)
    assert [(end.node_id, end.port) for end in told.node_endpoints] == [(2, 9002)]
    codes = {}
    for node in (1, 2):
        for epoch in (0, 1, 2):
            asked = {"partition": 0, "fetch_offset": 0, "partition_max_bytes": 99}
            topics = [{"topic": "t", "partitions": [{**asked, "current_leader_epoch": epoch}]}]
            codes[node, epoch] = three.to(node).fetch(topics=topics)[0].error_code
    assert codes == {(1, 0): 74, (1, 1): 0, (1, 2): 75, (2, 0): 74, (2, 1): 0, (2, 2): 75}


def test_a_follower_serves_readers_that_know_of_racks_up_to_its_own_high_watermark():
    three = Three()
    three.leader().produce(batch(2))
    read = three.to(3).fetch(("t", 0, 0))[0]
    assert (read.error_code, read.high_watermark, bool(read.records)) == (0, 2, True)
    assert three.to(3).fetch(("t", 0, 0), version=10)[0].error_code == 6


def test_where_an_epoch_ends_is_told():
    three = Three()
    three.leader().produce(batch(3))
    three.do("move_leader", "t", 0, 2)
    three.do("move_leader", "t", 0, 3)
    three.leader().produce(batch(2))

    def end(epoch, current=-1, node=3):
        asked = {"partition": 0, "current_leader_epoch": current, "leader_epoch": epoch}
        topics = [{"topic": "t", "partitions": [asked]}]
        one = three.to(node).ask(23, 4, replica_id=-1, topics=topics).topics[0].partitions[0]
        return one.error_code, one.leader_epoch, one.end_offset

    assert [end(epoch) for epoch in range(4)] == [(0, 0, 3), (0, 0, 3), (0, 2, 5), (0, -1, -1)]
    assert end(0, node=1) == (6, -1, -1)
    assert end(0, current=1) == (74, -1, -1)


def test_a_new_leader_that_does_not_know_what_is_everywhere_says_so():
    three = Three()
    three.leader().produce(batch(2))
    three.do("pause", 2)
    three.do("hold_replication", "t", 0, 3)
    three.leader().produce(batch(), acks=1)
    three.do("kill", 1)
    three.do("resume", 2)
    assert three.do("move_leader", "t", 0, 3) == 3
    three.partition.copies[3].high_watermark = 1  # what a follower knows may be behind
    assert three.to(3).offset(-1) == (78, -1, -1)
    assert three.to(3).offset(-2) == (0, -1, 0)
    three.later(SESSION)
    assert three.to(3).offset(-1) == (0, -1, 2)


def test_a_group_has_another_coordinator_when_its_own_is_gone():
    three = Three()
    node = three.brokers.coordinator("group", "g")
    others = [each for each in (1, 2, 3) if each != node]

    def asked(of):
        one = three.to(of).ask(10, 3, key="g", key_type=0)
        return one.error_code, one.node_id

    assert asked(others[0]) == (0, node)
    three.do("kill", node)
    assert asked(others[0]) == (0, node)
    three.later(SESSION)
    new = three.brokers.coordinator("group", "g")
    assert new in others
    assert asked(others[0]) == (0, new)
    beat = {"group_id": "g", "generation_id": 1, "member_id": "m"}
    assert {of: three.to(of).ask(12, 0, **beat).error_code for of in others} == {
        new: 25,
        next(of for of in others if of != new): 16,
    }
    three.do("kill", new)
    three.later(SESSION)
    three.do("kill", three.brokers.coordinator("group", "g"))
    three.do("restart", node)
    three.later(SESSION)
    assert asked(node) == (15, -1)


def test_deeds_that_cannot_be_are_told():
    three = Three()
    for deed, given, text in (
        ("restart", (1,), "node 1 is up; only one that is down"),
        ("resume", (1,), "node 1 is up; only one that is paused"),
        ("kill", (9,), "no node 9"),
        ("isolate", ([{1}, {1, 2}],), "one side"),
        ("hold_replication", ("t", 0, 7), "no node 7"),
        ("move_coordinator", ("queue", "k", None), "'queue'"),
    ):
        with pytest.raises(UsageError, match=text):
            three.do(deed, *given)


def test_healing_undoes_everything():
    three = Three()
    three.do("kill", 1)
    three.do("pause", 2)
    three.do("hold_replication", "t", 0, None)
    three.do("isolate", [{3}])
    three.do("heal")
    three.later(SESSION)
    assert three.view(1)[3:] == ((1, 2, 3), ())
    assert three.leader().produce(batch()).error_code == 0
    assert three.ends() == {1: 1, 2: 1, 3: 1}


def test_nobody_follows_a_leader_of_a_former_epoch():
    five = cluster(5)
    asked = {"name": "t", "num_partitions": -1, "replication_factor": -1, "configs": []}
    spread = [{"partition_index": 0, "broker_ids": [1, 2, 3]}]
    Talker(five).ask(19, 7, topics=[{**asked, "assignments": spread}], timeout=1)
    five.pause(1, 0)
    five.wake(SESSION)
    assert five.leader("t", 0) == 2
    five.isolate([{1, 3}, {2, 4, 5}], SESSION)
    first = Talker(five, 1)
    first.now = SESSION
    data = [{"name": "t", "partition_data": [{"index": 0, "records": batch()}]}]
    five.resume(1, SESSION)
    first.say(0, 9, acks=1, timeout=0, topic_data=data)
    copies = five.state.topics.partition("t", 0).copies
    assert {node: copy.log.end for node, copy in copies.items()} == {1: 1, 2: 0, 3: 0}

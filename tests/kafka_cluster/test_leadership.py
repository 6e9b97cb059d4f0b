"""Who leads and coordinates, who is told so, and what terms of leadership leave in a log."""

from __future__ import annotations

import pytest

from pytest_mqchaos.errors import Impossible, UsageError
from tests.kafka_cluster.talking import Talker, batch, cluster
from tests.kafka_cluster.three import SESSION, Three


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


def test_a_leader_moves_to_an_in_sync_replica_only():
    three = Three()
    assert three.do("move_leader", "t", 0, None) == 2
    assert three.do("move_leader", "t", 0, 1) == 1
    assert three.view(3) == (0, 1, 2, (1, 2, 3), ())
    three.do("kill", 3)
    three.later(SESSION)
    with pytest.raises(Impossible, match=r"cannot be led by 3: node 1 leads.*\[2\]"):
        three.do("move_leader", "t", 0, 3)
    three.do("kill", 2)
    three.later(SESSION)
    with pytest.raises(Impossible, match=r"cannot be led by another: node 1 leads.*\[\]"):
        three.do("move_leader", "t", 0, None)
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


def test_who_fell_out_while_too_few_were_left_may_lead_until_it_crashes():
    """Eligible leader replicas (KIP-966): without it nothing more became readable."""
    three = Three()
    assert three.leader().produce(batch()).error_code == 0
    three.do("kill", 3)
    three.later(SESSION)
    three.do("pause", 2)
    three.later(SESSION)
    assert three.view(1)[1:4] == (1, 0, (1,))
    assert three.leader().produce(batch(), acks=1).error_code == 0
    three.do("pause", 1)
    three.later(SESSION)
    three.do("restart", 3)
    three.later(0)
    assert three.view(3) == (5, -1, 1, (), (1, 2))
    three.do("resume", 2)
    assert three.view(2) == (0, 2, 2, (2, 3), (1,))
    assert three.leader().offset(-1) == (0, -1, 1)
    three.do("resume", 1)
    assert three.ends() == {1: 1, 2: 1, 3: 1}


def test_after_a_crash_of_all_the_last_leader_leads_once_nobody_eligible_is_left():
    three = Three()
    for node in (3, 2, 1):
        three.do("kill", node)
        three.later(SESSION)
    assert three.brokers.leader("t", 0) is None
    three.do("restart", 1)
    three.later(0)
    assert three.view(1)[:2] == (5, -1)  # 2 may have more than it, as far as anybody knows
    three.do("restart", 2)
    three.later(0)
    assert three.view(1)[1:4] == (1, 2, (1, 2))

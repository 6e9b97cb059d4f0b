"""Brokers killed, paused, apart and back: what was confirmed, what is lost, who may serve."""

from __future__ import annotations

import pytest

from pytest_mqchaos.errors import Impossible, UsageError
from tests.kafka_cluster.talking import MS, Talker, batch, cluster
from tests.kafka_cluster.three import SESSION, Three


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
        with pytest.raises(UsageError, match=text) as told:
            three.do(deed, *given)
        assert isinstance(told.value, Impossible) is ("only one that" in text)  # another time it is


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


def test_a_coordinator_first_asked_for_while_every_node_is_fenced_is_there_when_one_is_back():
    three = Three()
    for node in (1, 2, 3):
        three.do("pause", node)
    first = three.to(1)
    first.say(10, 4, coordinator_keys=["new"], key_type=0)
    three.later(SESSION)
    assert three.brokers.coordinator("group", "new") is None  # made while nobody could lead it
    for node in (1, 2, 3):
        three.do("resume", node)
    assert three.brokers.coordinator("group", "new") in (1, 2, 3)
    (told,) = three.to(2).ask(10, 4, coordinator_keys=["new"], key_type=0).coordinators
    assert (told.error_code, told.node_id) == (0, three.brokers.coordinator("group", "new"))

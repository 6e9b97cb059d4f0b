"""Leaders that die, move, lose their power or are cut off, as each producer sees them.

Three embedded brokers: what a real cluster does of this is shown in tests/live.
"""

from __future__ import annotations

import pytest

from pytest_mqchaos import ChaosBroker, on
from pytest_mqchaos.checkers.lossless import lossless
from tests.conformance.conversing import FIVE, conversation, shows
from tests.conformance.producing import SENDERS, errors

GONE = "stored then gone (leader change)"
each_client = pytest.mark.parametrize("client", SENDERS)


@pytest.fixture(scope="module")
def embedded():
    with ChaosBroker("kafka", "embedded") as broker:
        yield broker


def lost(seen):
    """(id, where it was lost) of each message that was confirmed and that the log does not have."""
    for one in seen.stored:
        seen.chaos.effects.record(one)
    verdict = seen.chaos.check(lossless())
    assert verdict.status == ("failed" if verdict.findings else "passed"), verdict.sentence
    return [(finding.id, finding.where) for finding in verdict.findings]


def told_of(seen, who):
    """What the timeline tells of a broker or a partition."""
    return [event.what for event in seen.chaos.history.processes if event.who == who]


@shows("publish", "kill_broker")
@each_client
def test_what_a_leader_confirmed_alone_is_gone_with_it(embedded, client):
    rule = on.publish(nth=3).kill_broker("leader", unreplicated=True)
    with conversation(embedded, rule, nodes=3, min_insync=2) as seen:
        leader = f"node {embedded.broker.leader(seen.topic, 0)}"
        told = SENDERS[client](seen.servers, seen.topic, FIVE, acks=1)
        assert errors(told) == {}
        assert [one.offset for one in told] == [0, 1, 2, 2, 3]  # one offset for two messages
        assert seen.stored == ["p1", "p2", "p4", "p5"]
        assert seen.fired == [1]
        assert lost(seen) == [("p3", GONE)]
        assert told_of(seen, leader) == ["killed"]
        assert told_of(seen, f"{seen.topic}-0") == ["no follower copies it any more", "led anew"]


@each_client
def test_with_acks_all_it_was_not_confirmed_and_is_sent_again(embedded, client):
    rule = on.publish(nth=3).kill_broker("leader", unreplicated=True)
    with conversation(embedded, rule, nodes=3, min_insync=2) as seen:
        told = SENDERS[client](seen.servers, seen.topic, FIVE)
        assert errors(told) == {}
        assert seen.stored == FIVE
        assert seen.tries == ["p1", "p2", "p3", "p3", "p4", "p5"]
        assert seen.fired == [1]
        assert lost(seen) == []


@shows("publish", "kill_broker", "move_leader", "pause_broker", "partition", "power_loss")
@shows("publish", "restart_broker")
@pytest.mark.parametrize(
    "harm",
    [
        lambda at: at.kill_broker("leader"),
        lambda at: at.move_leader(),
        lambda at: at.power_loss("leader", restart_after=0.1),
        lambda at: at.partition("leader", for_=1.0),
        lambda at: at.restart_broker("leader"),
        lambda at: at.pause_broker("leader", for_=1.0),
        lambda at: at.kill_broker("follower"),
    ],
    ids=["kill", "move", "power", "partition", "restart", "pause", "follower"],
)
@each_client
def test_an_idempotent_producer_lives_through_it_in_order(embedded, client, harm):
    with conversation(embedded, harm(on.publish(nth=3)), nodes=3, min_insync=2) as seen:
        told = SENDERS[client](seen.servers, seen.topic, FIVE, idempotent=True)
        assert errors(told) == {}
        seen.chaos.settle()
        assert seen.stored == FIVE
        assert seen.fired == [1]
        assert lost(seen) == []


@shows("publish", "power_loss")
@pytest.mark.parametrize(
    ("shape", "stored"),
    [
        ({"replication": 1}, ["p3", "p4", "p5"]),
        ({"replication": 1, "flush_messages": 1}, FIVE),
        ({"replication": 3}, FIVE),
    ],
    ids=["unflushed", "flushed", "replicated"],
)
@each_client
def test_without_power_goes_what_no_disk_and_no_other_has(embedded, client, shape, stored):
    rule = on.publish(nth=3).power_loss("leader", restart_after=0.1)
    with conversation(embedded, rule, nodes=3, **shape) as seen:
        told = SENDERS[client](seen.servers, seen.topic, FIVE)
        assert errors(told) == {}
        assert seen.stored == stored
        gone = [one for one in FIVE if one not in stored]
        assert lost(seen) == [(one, "stored then gone (restart)") for one in gone]
        assert seen.fired == [1]


@shows("publish", "partition")
@each_client
def test_what_a_leader_confirms_that_is_cut_off_is_gone_when_the_network_is_back(embedded, client):
    rule = on.publish(nth=3).partition("leader")
    with conversation(embedded, rule, nodes=3, min_insync=2) as seen:
        cut_off = embedded.broker.leader(seen.topic, 0)
        told = SENDERS[client](seen.servers, seen.topic, FIVE, acks=1)
        assert errors(told) == {}
        # The network comes back when the producer is done and the others have a leader, no sooner.
        others = lambda: embedded.broker.leader(seen.topic, 0) not in (None, cut_off)  # noqa: E731
        seen.chaos.wait_for(others, what="the others to have a leader")
        seen.chaos.heal()
        seen.chaos.settle()
        assert seen.stored == ["p1", "p2"]
        assert lost(seen) == [(one, GONE) for one in ("p3", "p4", "p5")]
        assert seen.fired == [1]


@pytest.mark.parametrize("acks", [1, "all"])
def test_a_topic_with_one_replica_has_nobody_to_take_over(embedded, acks):
    """The rule had no effect, and says what is missing."""
    rule = on.publish(nth=3).kill_broker("leader", unreplicated=True, optional=True)
    with conversation(embedded, rule, nodes=3, replication=1) as seen:
        told = SENDERS["aiokafka"](seen.servers, seen.topic, FIVE, acks=acks)
        assert errors(told) == {}
        assert seen.stored == FIVE
        assert seen.fired == [0]
        (reason,) = seen.reasons
        assert reason.startswith(f"{seen.topic}-0 has one replica, so there is no follower")

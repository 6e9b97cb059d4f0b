"""Faults at the commit and its answer, as each client sees them."""

from __future__ import annotations

import pytest

from pytest_mqchaos import on
from tests.conformance.consuming import CLIENTS, TAKERS, Step, well
from tests.conformance.conversing import FIVE, conversation, shows

each_client = pytest.mark.parametrize("client", CLIENTS)
COMMIT_FAILED = {
    "aiokafka": "CommitFailedError",
    "confluent": "UNKNOWN_MEMBER_ID",
    "kafka-python": "CommitFailedError",
}


@shows("ack", "drop")
@each_client
def test_a_lost_commit_is_made_again_and_shows_nothing(kafka_chaos_broker, client):
    with conversation(kafka_chaos_broker, on.ack(nth=3).drop()) as seen:
        seen.publish()
        steps = TAKERS[client](seen.servers, seen.topic, seen.group, last="p5")
        assert steps == well(*FIVE)
        assert seen.acks[2:4] == [(3, False, "unknown"), (3, True, "confirmed")]
        assert seen.fired == [1]


@shows("ack_confirm", "drop")
@each_client
def test_a_lost_answer_to_a_commit_shows_nothing_either(kafka_chaos_broker, client):
    with conversation(kafka_chaos_broker, on.ack_confirm(nth=3).drop()) as seen:
        seen.publish()
        steps = TAKERS[client](seen.servers, seen.topic, seen.group, last="p5")
        assert steps == well(*FIVE)
        assert seen.acks[2:4] == [(3, True, "confirmed"), (3, True, "confirmed")]
        assert seen.fired == [1]


@shows("ack", "refuse")
@pytest.mark.parametrize(
    ("client", "error"),
    [(client, 14) for client in CLIENTS]
    + [("aiokafka", 15), ("aiokafka", "NOT_COORDINATOR")]
    + [("kafka-python", 15), ("kafka-python", 16), ("confluent", 16)],
)
def test_a_commit_refused_by_a_moving_coordinator_is_made_again(kafka_chaos_broker, client, error):
    with conversation(kafka_chaos_broker, on.ack(nth=3).refuse(error)) as seen:
        seen.publish()
        steps = TAKERS[client](seen.servers, seen.topic, seen.group, last="p5")
        assert steps == well(*FIVE)
        assert seen.acks[2:4] == [(3, False, "unknown"), (3, True, "confirmed")]
        assert seen.fired == [1]


@shows("ack", "refuse")
@each_client
def test_a_commit_refused_by_a_rebalance_is_the_applications_to_see(kafka_chaos_broker, client):
    """aiokafka joins again and gets the message again; the others go on behind it."""
    with conversation(kafka_chaos_broker, on.ack(nth=3).refuse("REBALANCE_IN_PROGRESS")) as seen:
        seen.publish()
        steps = TAKERS[client](seen.servers, seen.topic, seen.group, last="p5")
        raised = "REBALANCE_IN_PROGRESS" if client == "confluent" else "CommitFailedError"
        again = [Step("p3", None)] if client == "aiokafka" else []
        assert steps == [*well("p1", "p2"), Step("p3", raised), *again, *well("p4", "p5")]
        assert seen.fired == [1]


@shows("ack", "redeliver")
@each_client
def test_an_evicted_members_commit_fails_and_its_messages_come_again(kafka_chaos_broker, client):
    """kafka-python goes on with what it had fetched, each commit fails, and re-reads all of it."""
    with conversation(kafka_chaos_broker, on.ack(nth=3).redeliver()) as seen:
        seen.publish()
        steps = TAKERS[client](seen.servers, seen.topic, seen.group, last="p5")
        failed = Step("p3", COMMIT_FAILED[client])
        assert steps[:3] == [*well("p1", "p2"), failed]
        assert steps[-3:] == well("p3", "p4", "p5")
        between = steps[3:-3]
        if client == "kafka-python":
            assert {step.error for step in between} <= {"CommitFailedError"}
        else:
            assert between == []
        assert seen.acks[2] == (3, True, "refused")
        assert seen.delivered.count("p3") == 2
        assert seen.fired == [1]


def test_a_consumer_without_a_group_cannot_be_evicted(kafka_chaos_broker):
    """Assigned by hand: it commits as nobody's member, so there is nothing to take away."""
    from confluent_kafka import Consumer, TopicPartition

    with conversation(kafka_chaos_broker, on.ack(nth=1).redeliver(optional=True)) as seen:
        seen.publish()
        consumer = Consumer(
            {"bootstrap.servers": seen.servers, "group.id": seen.group, "enable.auto.commit": False}
        )
        consumer.assign([TopicPartition(seen.topic, 0, 0)])
        message = consumer.poll(10)
        consumer.commit(message, asynchronous=False)
        consumer.close()
        assert seen.fired == [0]
        assert "no member of a group" in seen.reasons[0]
        assert seen.acks == [(1, True, "confirmed")]

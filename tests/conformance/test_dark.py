"""Connections that go dark: every client decides by its own time-out."""

from __future__ import annotations

import pytest

from pytest_mqchaos import on
from tests.conformance.consuming import TAKERS, Step, well
from tests.conformance.conversing import FIVE, THIRD_TWICE, conversation, shows
from tests.conformance.producing import SENDERS, errors

# Short patience, though its whole conversation must fit in. Plain aiokafka gives up.
PATIENCE = {
    ("aiokafka", False): {"request_timeout_ms": 1500},
    ("aiokafka", True): {"request_timeout_ms": 1500},
    ("confluent", False): {"socket.timeout.ms": 300},
    ("confluent", True): {"socket.timeout.ms": 300},
    ("kafka-python", False): {"request_timeout_ms": 500, "delivery_timeout_ms": 5000},
    ("kafka-python", True): {"request_timeout_ms": 500, "delivery_timeout_ms": 5000},
}
each_client = pytest.mark.parametrize(("client", "idempotent"), PATIENCE)


@shows("publish", "hang")
@each_client
def test_a_request_in_the_dark(kafka_chaos_broker, client, idempotent):
    patience = PATIENCE[client, idempotent]
    with conversation(kafka_chaos_broker, on.publish(nth=3).hang()) as seen:
        told = SENDERS[client](seen.servers, seen.topic, FIVE, idempotent=idempotent, **patience)
        if (client, idempotent) == ("aiokafka", False):
            assert errors(told) == {"p3": "RequestTimedOutError"}
            assert seen.stored == ["p1", "p2", "p4", "p5"]
        else:
            assert errors(told) == {}
            assert seen.stored == FIVE
            assert seen.tries == THIRD_TWICE
        assert seen.attempts[2] == ("p3", False, "unknown")
        assert seen.fired == [1]


@shows("confirm", "hang")
@each_client
def test_an_answer_in_the_dark(kafka_chaos_broker, client, idempotent):
    patience = PATIENCE[client, idempotent]
    with conversation(kafka_chaos_broker, on.confirm(nth=3).hang()) as seen:
        told = SENDERS[client](seen.servers, seen.topic, FIVE, idempotent=idempotent, **patience)
        if (client, idempotent) == ("aiokafka", False):
            assert errors(told) == {"p3": "RequestTimedOutError"}
            assert seen.stored == FIVE
        else:
            assert errors(told) == {}
            assert seen.stored == (FIVE if idempotent else THIRD_TWICE)
        assert seen.attempts[2] == ("p3", True, "unknown")
        assert seen.fired == [1]


@shows("publish", "hang")
@shows("confirm", "hang")
@pytest.mark.parametrize("place", [on.publish, on.confirm])
@pytest.mark.parametrize("client", SENDERS)
def test_a_network_that_comes_back_in_time_is_only_late(kafka_chaos_broker, client, place):
    with conversation(kafka_chaos_broker, place(nth=3).hang(for_=0.2)) as seen:
        told = SENDERS[client](seen.servers, seen.topic, FIVE, together=True)
        assert errors(told) == {}
        assert seen.stored == seen.tries == FIVE
        assert {outcome for _, _, outcome in seen.attempts} == {"confirmed"}
        third = seen.chaos.history.attempts[2]
        assert third.end_t - third.t >= 0.2e9
        assert seen.fired == [1]


COMMIT_PATIENCE = {
    "aiokafka": {"request_timeout_ms": 1500},
    "confluent": {"socket.timeout.ms": 300},
    "kafka-python": {"request_timeout_ms": 1000},
}


@shows("ack", "hang")
@pytest.mark.parametrize("client", TAKERS)
def test_a_commit_in_the_dark_loses_nothing(kafka_chaos_broker, client):
    """kafka-python tells its application of the time-out; the next commit covers the message."""
    with conversation(kafka_chaos_broker, on.ack(nth=3).hang()) as seen:
        seen.publish()
        patience = COMMIT_PATIENCE[client]
        steps = TAKERS[client](seen.servers, seen.topic, seen.group, last="p5", **patience)
        if client == "kafka-python":
            assert steps == [*well("p1", "p2"), Step("p3", "KafkaTimeoutError"), *well("p4", "p5")]
            assert seen.acks[2:4] == [(3, False, "unknown"), (4, True, "confirmed")]
        else:
            assert steps == well(*FIVE)
            assert seen.acks[2:4] == [(3, False, "unknown"), (3, True, "confirmed")]
        assert seen.fired == [1]


@shows("ack", "hang")
@pytest.mark.parametrize("client", TAKERS)
def test_a_commit_behind_a_network_that_comes_back_succeeds(kafka_chaos_broker, client):
    with conversation(kafka_chaos_broker, on.ack(nth=3).hang(for_=0.2)) as seen:
        seen.publish()
        steps = TAKERS[client](seen.servers, seen.topic, seen.group, last="p5")
        assert steps == well(*FIVE)
        assert [offset for offset, _, _ in seen.acks][:5] == [1, 2, 3, 4, 5]
        assert seen.lasted() >= 0.2
        assert seen.fired == [1]

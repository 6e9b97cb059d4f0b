"""Faults at the Produce request, as each client sees them."""

from __future__ import annotations

import pytest

from pytest_mqchaos import on
from tests.conformance.conversing import FIVE, THIRD_TWICE, conversation, shows
from tests.conformance.producing import PLAIN_AND_IDEMPOTENT, SENDERS, errors

each_client = pytest.mark.parametrize(("client", "idempotent"), PLAIN_AND_IDEMPOTENT)
SENT_AGAIN = [
    ("p1", True, "confirmed"), ("p2", True, "confirmed"), ("p3", False, "unknown"),
    ("p3", True, "confirmed"), ("p4", True, "confirmed"), ("p5", True, "confirmed"),
]  # fmt: skip


@shows("publish", "drop")
@each_client
def test_a_lost_request_is_sent_again_and_stored_once(kafka_chaos_broker, client, idempotent):
    with conversation(kafka_chaos_broker, on.publish(nth=3).drop()) as seen:
        told = SENDERS[client](seen.servers, seen.topic, FIVE, idempotent=idempotent)
        assert errors(told) == {}
        assert seen.stored == FIVE
        assert seen.attempts == SENT_AGAIN
        assert seen.fired == [1]


@shows("publish", "sever")
@pytest.mark.parametrize(
    ("client", "idempotent", "reset"),
    [(client, idempotent, not idempotent) for client, idempotent in PLAIN_AND_IDEMPOTENT],
)
def test_a_cut_at_the_request_is_the_same_for_one_in_flight(
    kafka_chaos_broker, client, idempotent, reset
):
    with conversation(kafka_chaos_broker, on.publish(nth=3).sever(reset=reset)) as seen:
        told = SENDERS[client](seen.servers, seen.topic, FIVE, idempotent=idempotent)
        assert errors(told) == {}
        assert seen.stored == FIVE
        assert seen.attempts == SENT_AGAIN
        assert seen.fired == [1]


@shows("publish", "refuse")
@pytest.mark.parametrize(
    ("client", "idempotent", "error"),
    [(*each, 6) for each in PLAIN_AND_IDEMPOTENT] + [("confluent", False, "NOT_ENOUGH_REPLICAS")],
)
def test_a_refused_request_is_sent_again_and_stored_once(
    kafka_chaos_broker, client, idempotent, error
):
    with conversation(kafka_chaos_broker, on.publish(nth=3).refuse(error)) as seen:
        told = SENDERS[client](seen.servers, seen.topic, FIVE, idempotent=idempotent)
        assert errors(told) == {}
        assert seen.stored == FIVE
        assert seen.attempts[2] == ("p3", False, "refused")
        assert seen.attempts[3] == ("p3", True, "confirmed")
        assert seen.tries == THIRD_TWICE
        assert seen.fired == [1]


@shows("publish", "refuse")
@each_client
@pytest.mark.parametrize("error", [7, "NOT_ENOUGH_REPLICAS_AFTER_APPEND"])
def test_refused_after_the_append_makes_a_copy_of_a_plain_producers_message(
    kafka_chaos_broker, client, idempotent, error
):
    with conversation(kafka_chaos_broker, on.publish(nth=3).refuse(error)) as seen:
        told = SENDERS[client](seen.servers, seen.topic, FIVE, idempotent=idempotent)
        assert errors(told) == {}
        assert seen.stored == (FIVE if idempotent else THIRD_TWICE)
        assert seen.attempts[2:4] == [("p3", True, "refused"), ("p3", True, "confirmed")]
        assert seen.tries == THIRD_TWICE
        assert seen.fired == [1]


@shows("publish", "duplicate")
@pytest.mark.parametrize("client", SENDERS)
def test_a_duplicate_stands_behind_the_first_and_its_producer_never_knows(
    kafka_chaos_broker, client
):
    with conversation(kafka_chaos_broker, on.publish(nth=3).duplicate()) as seen:
        told = SENDERS[client](seen.servers, seen.topic, FIVE)
        assert errors(told) == {}
        assert [one.offset for one in told] == [0, 1, 2, 4, 5]
        assert seen.stored == THIRD_TWICE
        assert seen.tries == FIVE
        assert seen.fired == [1]


@pytest.mark.parametrize("client", SENDERS)
def test_an_idempotent_producer_cannot_be_duplicated(kafka_chaos_broker, client):
    rule = on.publish(nth=3).duplicate(optional=True)
    with conversation(kafka_chaos_broker, rule) as seen:
        told = SENDERS[client](seen.servers, seen.topic, FIVE, idempotent=True)
        assert errors(told) == {}
        assert seen.stored == seen.tries == FIVE
        assert seen.fired == [0]
        assert seen.reasons == ["an idempotent producer's copy is dropped by the broker (KIP-98)"]


@shows("publish", "reorder")
@pytest.mark.parametrize("client", ["confluent", "kafka-python"])
def test_a_reordered_message_stands_behind_its_successor(kafka_chaos_broker, client):
    with conversation(kafka_chaos_broker, on.publish(nth=3).reorder()) as seen:
        told = SENDERS[client](seen.servers, seen.topic, FIVE, together=True)
        assert errors(told) == {}
        assert sorted(seen.stored) == FIVE
        assert seen.stored.index("p4") < seen.stored.index("p3")
        assert [one for one in seen.stored if one != "p3"] == ["p1", "p2", "p4", "p5"]
        assert seen.attempts[2] == ("p3", False, "refused")
        assert seen.fired == [1]


def test_reorder_waits_for_as_many_successors_as_were_asked(kafka_chaos_broker):
    with conversation(kafka_chaos_broker, on.publish(nth=2).reorder(window=3)) as seen:
        SENDERS["confluent"](seen.servers, seen.topic, FIVE, together=True)
        assert sorted(seen.stored) == FIVE
        assert seen.stored.index("p5") < seen.stored.index("p2")
        assert seen.fired == [1]


@pytest.mark.parametrize("client", ["aiokafka", "confluent"])
def test_one_request_in_flight_cannot_be_reordered(kafka_chaos_broker, client):
    """aiokafka never has two; the application of the other waits for each confirm."""
    rule = on.publish(nth=3).reorder(optional=True)
    with conversation(kafka_chaos_broker, rule) as seen:
        small = {"together": True, "max_batch_size": 60} if client == "aiokafka" else {}
        told = SENDERS[client](seen.servers, seen.topic, FIVE, **small)
        assert errors(told) == {}
        assert seen.stored == FIVE
        assert seen.fired == [0]
        assert seen.reasons == ["this client never had two requests in flight"]


@pytest.mark.parametrize("client", SENDERS)
def test_an_idempotent_producer_cannot_be_reordered(kafka_chaos_broker, client):
    rule = on.publish(nth=3).reorder(optional=True)
    with conversation(kafka_chaos_broker, rule) as seen:
        told = SENDERS[client](seen.servers, seen.topic, FIVE, idempotent=True, together=True)
        assert errors(told) == {}
        assert seen.stored == FIVE
        assert seen.fired == [0]
        assert seen.reasons == ["an idempotent producer keeps its order (sequence numbers, KIP-98)"]

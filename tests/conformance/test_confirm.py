"""Faults at the Produce answer, as each client sees them."""

from __future__ import annotations

import pytest

from pytest_mqchaos import on
from tests.conformance.conversing import FIVE, THIRD_TWICE, conversation, shows
from tests.conformance.producing import PLAIN_AND_IDEMPOTENT, SENDERS, errors

each_client = pytest.mark.parametrize(("client", "idempotent"), PLAIN_AND_IDEMPOTENT)


@shows("confirm", "drop")
@each_client
def test_a_lost_confirm_makes_a_copy_of_a_plain_producers_message(
    kafka_chaos_broker, client, idempotent
):
    with conversation(kafka_chaos_broker, on.confirm(nth=3).drop()) as seen:
        told = SENDERS[client](seen.servers, seen.topic, FIVE, idempotent=idempotent)
        assert errors(told) == {}
        assert seen.stored == (FIVE if idempotent else THIRD_TWICE)
        assert seen.attempts[2:4] == [("p3", True, "unknown"), ("p3", True, "confirmed")]
        assert seen.tries == THIRD_TWICE
        assert seen.fired == [1]


@pytest.mark.parametrize("client", ["confluent", "kafka-python"])
def test_with_several_in_flight_exactly_one_copy_is_made(kafka_chaos_broker, client):
    """The gate: what stands behind the request never reaches the broker a first time."""
    with conversation(kafka_chaos_broker, on.confirm(nth=3).drop()) as seen:
        told = SENDERS[client](seen.servers, seen.topic, FIVE, together=True)
        assert errors(told) == {}
        assert sorted(seen.stored) == THIRD_TWICE
        assert seen.stored[:3] == ["p1", "p2", "p3"]
        assert seen.fired == [1]


@pytest.mark.parametrize("client", SENDERS)
def test_idempotent_with_several_in_flight_keeps_one_of_each_in_order(kafka_chaos_broker, client):
    with conversation(kafka_chaos_broker, on.confirm(nth=1).drop()) as seen:
        told = SENDERS[client](seen.servers, seen.topic, FIVE, idempotent=True, together=True)
        assert errors(told) == {}
        assert seen.stored == FIVE
        assert seen.fired == [1]


def test_two_lost_confirms_of_one_message_make_two_copies(kafka_chaos_broker):
    rule = on.confirm(nth=3, attempt=range(1, 3)).drop()
    with conversation(kafka_chaos_broker, rule) as seen:
        assert errors(SENDERS["aiokafka"](seen.servers, seen.topic, FIVE)) == {}
        assert seen.stored == ["p1", "p2", "p3", "p3", "p3", "p4", "p5"]
        assert seen.fired == [2]


@shows("confirm", "delay")
@pytest.mark.parametrize("client", SENDERS)
def test_a_late_confirm_changes_nothing(kafka_chaos_broker, client):
    with conversation(kafka_chaos_broker, on.confirm(nth=3).delay(0.2)) as seen:
        told = SENDERS[client](seen.servers, seen.topic, FIVE, together=True)
        assert errors(told) == {}
        assert seen.stored == seen.tries == FIVE
        assert {outcome for _, _, outcome in seen.attempts} == {"confirmed"}
        third = seen.chaos.history.attempts[2]
        assert third.end_t - third.t >= 0.2e9
        assert seen.fired == [1]


def test_a_confirm_later_than_the_clients_patience_is_an_error_though_stored(kafka_chaos_broker):
    with conversation(kafka_chaos_broker, on.confirm(nth=3).delay(3.0)) as seen:
        told = SENDERS["aiokafka"](seen.servers, seen.topic, FIVE[:3], request_timeout_ms=1500)
        assert errors(told) == {"p3": "RequestTimedOutError"}
        assert seen.stored == FIVE[:3]
        assert seen.attempts[2] == ("p3", True, "unknown")
        assert seen.fired == [1]

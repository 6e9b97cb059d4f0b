"""Faults at a Fetch answer with records: a fetch changes nothing in the broker."""

from __future__ import annotations

import pytest

from pytest_mqchaos import on
from tests.conformance.consuming import CLIENTS, TAKERS, well
from tests.conformance.conversing import FIVE, conversation, shows

each_client = pytest.mark.parametrize("client", CLIENTS)


@shows("deliver", "sever")
@pytest.mark.parametrize(
    ("client", "reset"), [*((client, False) for client in CLIENTS), ("aiokafka", True)]
)
def test_a_lost_delivery_is_fetched_again_and_the_application_sees_nothing(
    kafka_chaos_broker, client, reset
):
    with conversation(kafka_chaos_broker, on.deliver(id="p3").sever(reset=reset)) as seen:
        seen.publish()
        steps = TAKERS[client](seen.servers, seen.topic, seen.group, last="p5")
        assert steps == well(*FIVE)
        assert set(seen.delivered) == set(FIVE)  # a client may fetch ahead more than once
        lost = [row.id for row in seen.chaos.history.deliveries if not row.reached]
        assert "p3" in lost
        assert seen.fired == [1]


@shows("deliver", "delay")
@each_client
def test_a_late_delivery_is_only_late(kafka_chaos_broker, client):
    with conversation(kafka_chaos_broker, on.deliver(nth=1).delay(0.2)) as seen:
        seen.publish()
        steps = TAKERS[client](seen.servers, seen.topic, seen.group, last="p5")
        assert steps == well(*FIVE)
        assert seen.delivered == FIVE
        assert seen.steps() == ["armed", "triggered", "took effect"]
        assert seen.lasted() >= 0.2
        assert seen.fired == [1]

"""What a user's test is: services under rules, some messages, one question."""

from __future__ import annotations

import json
import os

import pytest
import services

from pytest_mqchaos import Message, on

SCENARIO = os.environ["ORPHANS_SCENARIO"]
RULES = {
    "plain": (),
    "rules": (
        on.confirm(nth=2).delay(0.3),
        on.ack(group="process", nth=2).crash_worker(when="after"),
    ),
    "kafka": (on.publish(nth=2).pause_broker(for_=0.3),),
}
ORDERS = [Message(value=json.dumps({"id": str(n)}).encode()) for n in range(1, 5)]


def orders_are_handled(chaos, service):
    services.note("traffic")
    chaos.topic(services.TOPIC)
    chaos.arm(*RULES.get(SCENARIO, RULES["rules"]))
    own = chaos.bootstrap_servers
    with (
        chaos.worker(services.coroutine, own),
        chaos.worker(services.thread, own),
        chaos.worker(service, own, process=True),
    ):
        services.note("frames held")
        chaos.publish(services.TOPIC, ORDERS)
        services.note("settle")
        chaos.settle()
        services.note("workers stop")
    services.note("judging")
    chaos.assert_lossless()
    services.note("judged")


@pytest.mark.skipif(SCENARIO == "proof", reason="only the broken one")
@pytest.mark.mqchaos(id="json:/id")
@pytest.mark.parametrize("copy", range(2 if SCENARIO == "xdist" else 1))
def test_orders(kafka_chaos, copy):
    orders_are_handled(kafka_chaos, services.process)


@pytest.mark.skipif(SCENARIO != "proof", reason="it fails, and its replay is proven")
@pytest.mark.mqchaos("lost-confirm", id="json:/id")
def test_broken_orders(kafka_chaos):
    services.note("traffic")
    kafka_chaos.topic(services.TOPIC)
    with kafka_chaos.worker(services.forgetful, kafka_chaos.bootstrap_servers, process=True):
        services.note("frames held")
        kafka_chaos.publish(services.TOPIC, ORDERS)
        services.note("settle")
        kafka_chaos.settle()
        services.note("workers stop")
    services.note("judging")
    kafka_chaos.assert_lossless()

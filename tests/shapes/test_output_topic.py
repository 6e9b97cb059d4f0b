"""An output topic as the source of effects."""

from __future__ import annotations

import pytest
from aiokafka import AIOKafkaProducer

from pytest_mqchaos import Plan
from tests.shapes.services import groups, moving
from tests.shapes.services.world import World
from tests.shapes.shape import ORDERS, told

pytestmark = pytest.mark.filterwarnings(
    "ignore:unclosed:ResourceWarning", "ignore:loop is closed:ResourceWarning"
)


async def copies(bootstrap, body, most=99):
    """Writes `body` for each order, or the first of them, instead of what belongs there."""
    async with (
        AIOKafkaProducer(bootstrap_servers=bootstrap) as producer,
        groups.consumer_of(bootstrap, "orders") as consumer,
    ):
        async for message in consumer:
            value = body if message.offset < most else message.value
            await producer.send_and_wait("invoices", value, key=message.key)
            await consumer.commit()


@pytest.fixture
def chaos(host):
    with host.chaos(Plan(), id="json:/id", own_assertions=True) as chaos:
        chaos.topic("orders")
        chaos.topic("invoices")
        chaos.effects.from_topic("invoices")
        yield chaos


def served(chaos, *worker):
    with chaos.worker(*worker):
        chaos.publish("orders", ORDERS)
        chaos.settle()


def test_each_record_is_an_effect_at_the_instants_of_its_publish(chaos):
    served(chaos, moving.transform, chaos.bootstrap_servers, World(chaos.effects))
    history = chaos.history
    assert history.flow.outputs == {"invoices"}
    assert history.flow.inputs == {"orders"}
    sent = {a.id: (a.t, a.end_t) for a in history.attempts if a.topic == "invoices"}
    assert {e.id: (e.t_from, e.t_to) for e in history.effects} == sent
    assert [e.id for e in history.effects] == [f"o{n}" for n in range(1, 6)]
    assert {e.key for e in history.effects} == {"k0", "k1"}
    for question in ("exactly_once", "ordered", "acked_after_effect"):
        assert chaos.check(question).status == "passed"


def test_a_record_that_nobody_ordered_is_unexpected(chaos):
    served(chaos, copies, chaos.bootstrap_servers, b'{"id": "o9"}', 1)
    verdict = chaos.check("exactly_once")
    assert verdict.status != "passed"
    assert "unexpected" in {f.what for f in verdict.findings}, told(verdict)


@pytest.mark.parametrize("question", ["lossless", "exactly_once", "acked_after_effect"])
def test_records_without_an_id_make_the_answer_unknown(chaos, question):
    served(chaos, copies, chaos.bootstrap_servers, b"{}")
    verdict = chaos.check(question)
    assert verdict.status == "unknown", told(verdict)
    said = " ".join([verdict.sentence, *verdict.limits, *(p.sentence for p in verdict.parts)])
    assert "5 of 5 records of the output topic invoices have no id" in said

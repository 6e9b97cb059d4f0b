"""A rule may come to its frame only while `settle` waits: what it breaks then is mended too."""

import pytest

from pytest_mqchaos import Plan, on, simulate
from tests.search.services import consume, forward


@pytest.mark.parametrize(
    "plan",
    [
        Plan(on.deliver(nth=1).kill_broker()),
        Plan(on.deliver(nth=1).kill_broker(restart_after=1.0)),
        Plan(on.deliver(nth=1).pause_broker()),
        Plan(on.deliver(nth=1).kill_broker(), on.ack(nth=1).kill_broker()),
    ],
    ids=repr,
)
def test_a_correct_consumer_survives_a_broker_that_dies_while_it_is_waited_for(plan):
    async def late(chaos):
        chaos.topic("orders")
        await chaos.publish_async("orders", ["x"])
        async with chaos.worker(consume, chaos.bootstrap_servers, chaos):
            await chaos.settle_async()
        chaos.assert_lossless()

    simulate(late, plan=plan)


def test_effects_that_stand_on_the_broker_are_looked_at_when_it_is_back():
    async def orders(chaos):
        chaos.topic("orders")
        chaos.topic("out")
        chaos.effects.from_topic("out")
        async with chaos.worker(forward, chaos.bootstrap_servers):
            await chaos.publish_async("orders", ["x"])
            await chaos.settle_async()
        chaos.assert_lossless()

    simulate(orders, plan=Plan(on.ack(nth=1).kill_broker(restart_after=1.0)))

"""A message on which its handler fails each time: nobody waits for ever, and the words say why."""

import asyncio

import pytest

from pytest_mqchaos import Plan, VerdictFailed, on, simulate
from pytest_mqchaos.errors import WorkerFailed
from tests.search.public_bugs import consumer_of

# Crashed clients close nothing.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")


async def consume(servers, effects, rounds):
    """Each round is a client of its own, as after a restart within the process."""
    for _ in range(rounds):
        try:
            async with consumer_of(servers, "orders") as consumer:
                async for message in consumer:
                    effects.record(str(int(message.value)))
                    await consumer.commit()
        except ValueError:
            if rounds == 1:
                raise
            await asyncio.sleep(5)


def scenario_of(rounds):
    async def scenario(chaos):
        chaos.topic("orders")
        await chaos.publish_async("orders", ["1", "poison", "2"])
        async with chaos.worker(consume, chaos.bootstrap_servers, chaos.effects, rounds):
            await chaos.settle_async()
        chaos.assert_lossless()

    return scenario


def test_a_worker_that_dies_of_it_again_and_again_is_a_crash_loop():
    plan = Plan(on.ack(nth=1).crash_worker())
    with pytest.raises(WorkerFailed, match="crash loop: worker-1 ended 9 times in a row"):
        simulate(scenario_of(1), plan=plan, id="value")


@pytest.mark.wide
def test_a_worker_that_begins_anew_by_itself_is_not_waited_for_for_ever():
    with pytest.raises(VerdictFailed, match="2 of 3 messages still waiting") as told:
        simulate(scenario_of(100_000), id="value")
    assert "what fails again and again, or takes longer" in " ".join(str(told.value).split())

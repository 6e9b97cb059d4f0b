"""A service that takes its time: what settling counts from when it starts anew."""

import asyncio
import logging

import pytest
from aiokafka import AIOKafkaConsumer

from pytest_mqchaos import Plan, on, simulate


@pytest.fixture(autouse=True)
def _quiet(caplog):
    """A client in trouble says so at length."""
    caplog.set_level(logging.CRITICAL)


def test_a_worker_that_starts_has_all_of_its_time_to_be_heard_of():
    """Killed once; then it gives up a store that does not answer, and then the store is slow."""
    delays = iter([(0, None), (14, "no answer from the store"), (14, None)])

    async def consume(servers, effects):
        seconds, trouble = next(delays)
        await asyncio.sleep(seconds)
        if trouble:
            raise TimeoutError(trouble)
        consumer = AIOKafkaConsumer(
            "orders", bootstrap_servers=servers, group_id="orders", enable_auto_commit=False,
            auto_offset_reset="earliest",
        )  # fmt: skip
        async with consumer:
            async for order in consumer:
                effects.record(order.value.decode())
                await consumer.commit()

    async def scenario(chaos):
        chaos.topic("orders")
        await chaos.publish_async("orders", ["a", "b", "c"])
        async with chaos.worker(consume, chaos.bootstrap_servers, chaos.effects):
            await chaos.settle_async()
        chaos.assert_lossless()

    simulate(scenario, plan=Plan(on.ack(nth=1).crash_worker("after")), id="value")

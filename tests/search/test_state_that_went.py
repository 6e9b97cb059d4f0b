"""A service that keeps its state in memory, with a snapshot now and then: what it had after the
last snapshot must come from the topic again when it starts anew."""

import logging

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from pytest_mqchaos import Plan, simulate

PLACE = TopicPartition("orders", 0)
ORDERS = [{"key": f"k{n % 2}", "value": f"o{n}"} for n in range(8)]


@pytest.fixture(autouse=True)
def _quiet(caplog):
    """A client in trouble says so at length."""
    caplog.set_level(logging.CRITICAL)


async def keeps(servers, world, positions):
    """A snapshot after every third order, with its position; begins there, or where its group
    stands (`positions` "committed")."""
    state, snapshot = world["snapshot"]
    world["state"] = dict.fromkeys(state)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=servers, enable_auto_commit=False, auto_offset_reset="earliest",
        group_id="state" if positions == "committed" else None,
    )  # fmt: skip
    consumer.assign([PLACE])
    async with consumer:
        if positions == "own":
            consumer.seek(PLACE, snapshot)
        async for order in consumer:
            world["state"][order.value.decode()] = None
            if order.offset % 3 == 2:
                world["snapshot"] = (tuple(world["state"]), order.offset + 1)
            if positions == "committed":
                await consumer.commit()


@pytest.mark.parametrize(("positions", "status"), [("own", "passed"), ("committed", "unknown")])
def test_what_a_store_lost_in_a_crash_is_no_pass(positions, status):
    async def scenario(chaos):
        world = {"snapshot": ((), 0), "state": {}}
        chaos.topic("orders")
        chaos.effects.from_call(lambda: [{"id": order} for order in world["state"]])
        async with chaos.worker(keeps, chaos.bootstrap_servers, world, positions) as worker:
            await chaos.publish_async("orders", ORDERS[:5])
            await chaos.settle_async()
            await worker.crash_async()
            await chaos.publish_async("orders", ORDERS[5:])
            await chaos.settle_async()
        assert ("o3" in world["state"]) is (positions == "own")
        for question in ("lossless", "exactly_once"):
            verdict = chaos.check(question)
            assert verdict.status == status
            assert ("an effect that went when worker-1 crashed" in verdict.sentence) is (
                status == "unknown"
            )

    simulate(scenario, plan=Plan(), id="value", own_assertions=True)

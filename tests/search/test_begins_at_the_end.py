"""A group that begins at the end of the log ('latest') and dies at its first commit: what it had
not read is skipped by whoever comes next, also where nothing more is ever published."""

import asyncio

import pytest
from aiokafka import AIOKafkaConsumer

from pytest_mqchaos import Plan, VerdictFailed, on, simulate


async def ship(servers, record, reset):
    consumer = AIOKafkaConsumer(
        "in", bootstrap_servers=servers, group_id="g", enable_auto_commit=False,
        auto_offset_reset=reset,
    )  # fmt: skip
    await consumer.start()
    try:
        async for message in consumer:
            record(message.value.decode())
            await consumer.commit()
    finally:
        await consumer.stop()


def killed_at_its_first_commit(reset):
    async def scenario(chaos):
        chaos.topic("in")
        async with chaos.worker(ship, chaos.bootstrap_servers, chaos.effects.record, reset):
            await asyncio.sleep(5)
            await chaos.publish_async("in", [f"m{n}" for n in range(3)])
            await chaos.settle_async()
        chaos.assert_lossless()

    simulate(scenario, plan=Plan(on.ack(nth=1).crash_worker()), id="value")


def test_what_the_next_member_does_not_ask_for_is_lost():
    with pytest.raises(VerdictFailed) as told:
        killed_at_its_first_commit("latest")
    report = " ".join(str(told.value).split())
    assert "lossless failed: 2 of 3 confirmed messages were lost: stored, never" in report
    assert "fix begin at 'earliest' (auto.offset.reset)" in report
    assert "led to no second handling" not in report


def test_who_begins_at_the_first_loses_nothing():
    killed_at_its_first_commit("earliest")

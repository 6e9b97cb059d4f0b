"""Settling a chain of services: the groups at work on a topic without a role are waited for, as
long as there is a reason to."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from pytest_mqchaos import simulate


async def forward(servers):
    producer = AIOKafkaProducer(bootstrap_servers=servers)
    async with producer, reading(servers, "first", "in") as consumer:
        async for message in consumer:
            await producer.send_and_wait("mid", message.value)
            await consumer.commit()


def reading(servers, group, topic):
    return AIOKafkaConsumer(
        topic, bootstrap_servers=servers, group_id=group, enable_auto_commit=False,
        auto_offset_reset="earliest",
    )  # fmt: skip


async def in_two_parts(servers, effects, done):
    async with reading(servers, "second", "mid") as consumer:
        async for message in consumer:
            effects.record(message.value.decode(), part="row")
            await asyncio.sleep(0.5)
            effects.record(message.value.decode(), part="mail")
            done.append(message.value)
            await consumer.commit()


async def looking(servers):
    """A view: keeps nothing and never acks."""
    async with reading(servers, "view", "mid") as consumer:
        async for _ in consumer:
            pass


def chain(messages, *others):
    """How it settled, what was done by then, and what is answered about the parts."""
    found, done = {}, []

    async def scenario(chaos):
        chaos.topic("in")
        chaos.topic("mid")
        chaos.flow(inputs=["in"])
        servers = chaos.bootstrap_servers
        jobs = [(forward,), (in_two_parts, chaos.effects, done), *((each,) for each in others)]
        async with AsyncExitStack() as stack:
            for job, *more in jobs:
                await stack.enter_async_context(chaos.worker(job, servers, *more))
            await chaos.publish_async("in", messages)
            found["settled"] = await chaos.settle_async()
            found["done"] = len(done)
        found["verdict"] = chaos.check("lossless", parts=["row", "mail"])

    simulate(scenario, id="value", own_assertions=True)
    return found


@pytest.mark.parametrize("messages", [["a"], ["a", "b", "c"]])
def test_the_next_stage_is_waited_for_until_it_has_acked(messages):
    found = chain(messages)
    assert found["done"] == len(messages)
    assert found["settled"].waiting == ()
    assert found["verdict"].status == "passed"


def test_who_never_acks_there_is_not_waited_for_as_long():
    found = chain(["a", "b"], looking)
    assert found["settled"].waiting == ("group view has acked nothing of mid yet",)
    assert not found["settled"].drained
    assert found["settled"].seconds < 6
    assert found["verdict"].status == "passed"

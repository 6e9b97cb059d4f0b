"""Who owns what, when: transactions told of too early, readers outside of any group, two groups."""

import asyncio

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.structs import OffsetAndMetadata

from pytest_mqchaos import simulate

ORDERS = ["o1", "o2", "o3"]


async def relay(servers, accepted, *, early):
    settings = {"bootstrap_servers": servers, "transactional_id": "relay"}
    async with AIOKafkaProducer(**settings) as producer:
        for order in ORDERS:
            async with producer.transaction():
                await producer.send_and_wait("orders", order.encode())
                if early:
                    accepted(order)
                    await asyncio.sleep(0.1)
            if not early:
                accepted(order)
        await asyncio.Event().wait()


@pytest.mark.parametrize("early", [False, True])
def test_who_tells_the_caller_before_the_commit_told_it_too_early(early):
    async def scenario(chaos):
        chaos.topic("orders")
        chaos.flow(inputs=["orders"])
        chaos.effects.from_topic("orders")
        servers = chaos.bootstrap_servers
        async with chaos.worker(relay, servers, chaos.accepted, early=early):
            await chaos.settle_async()
        chaos.assert_lossless()
        return chaos.check("confirmed_before_success")

    verdict = simulate(scenario, id="value", own_assertions=True)
    assert verdict.status == ("failed" if early else "passed")
    assert ("before its transaction was committed" in verdict.sentence) is early
    assert ("commit_transaction() has returned" in verdict.advice) is early


async def begins_anew(servers, accepted):
    """A producer that failed in its transaction is thrown away without a word; the next has its id,
    and what was tried is not tried again."""
    settings = {"bootstrap_servers": servers, "transactional_id": "relay"}
    for orders in (ORDERS[:1], ORDERS[1:]):
        producer = AIOKafkaProducer(**settings)
        await producer.start()
        for order in orders:
            await producer.begin_transaction()
            await producer.send_and_wait("orders", order.encode())
            if order != ORDERS[0]:
                await producer.commit_transaction()
                accepted(order)
        if orders == ORDERS[:1]:
            await producer.client.close()
    await asyncio.Event().wait()


@pytest.mark.filterwarnings("ignore:Unclosed AIOKafkaProducer:ResourceWarning")
def test_what_a_producer_left_open_is_not_committed_by_its_successor():
    async def scenario(chaos):
        chaos.topic("orders")
        chaos.flow(inputs=["orders"])
        chaos.effects.from_topic("orders")
        async with chaos.worker(begins_anew, chaos.bootstrap_servers, chaos.accepted):
            await chaos.settle_async()
        chaos.assert_exactly_once()
        chaos.assert_confirmed_before_success()
        return chaos.check("lossless").population["confirmed"]

    assert simulate(scenario, id="value") == 2


async def assigned(servers, record):
    """A consumer outside of the group that it commits for, stuck at its second message."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=servers, group_id="shop", auto_offset_reset="earliest",
        enable_auto_commit=False,
    )  # fmt: skip
    await consumer.start()
    place = TopicPartition("orders", 0)
    consumer.assign([place])
    try:
        async for message in consumer:
            if message.offset:
                await asyncio.Event().wait()
            record(message.value.decode())
            await consumer.commit({place: OffsetAndMetadata(message.offset + 1, "")})
    finally:
        await consumer.stop()


def test_a_group_that_nobody_ever_joined_was_left_by_nobody():
    async def scenario(chaos):
        chaos.topic("orders")
        await chaos.publish_async("orders", ORDERS)
        async with chaos.worker(assigned, chaos.bootstrap_servers, chaos.effects.record):
            await chaos.settle_async(drain=False)
        return chaos.check("lossless")

    verdict = simulate(scenario, id="value", own_assertions=True)
    assert verdict.status == "unknown"
    assert "held for group shop (orders-0, position 1)" in verdict.sentence
    assert "nobody is left" not in verdict.sentence

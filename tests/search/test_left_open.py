"""A service that names its producer anew at each start leaves its transaction open when it is
killed: until that has timed out nobody can read what its successor committed behind it."""

import itertools
import logging

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from pytest_mqchaos import Plan, on, simulate

NAMES = map("totals-{}".format, itertools.count())
DIES = Plan(on.ack(topic="orders", nth=2).crash_worker())


@pytest.fixture(autouse=True)
def _quiet(caplog):
    """A client in trouble says so at length."""
    caplog.set_level(logging.CRITICAL)


async def totals(servers, inside):
    """Copies orders to totals. `inside`: with its position in the same transaction."""
    producer = AIOKafkaProducer(bootstrap_servers=servers, transactional_id=next(NAMES))
    consumer = AIOKafkaConsumer(
        "orders", bootstrap_servers=servers, group_id="totals", enable_auto_commit=False,
        auto_offset_reset="earliest",
    )  # fmt: skip
    async with producer, consumer:
        async for order in consumer:
            place = TopicPartition(order.topic, order.partition)
            if not inside:
                await consumer.commit({place: order.offset + 1})
            async with producer.transaction():
                await producer.send_and_wait("totals", order.value)
                if inside:
                    done = {place: order.offset + 1}
                    await producer.send_offsets_to_transaction(done, "totals")


def judged(inside, timeout=None, plan=DIES):
    async def scenario(chaos):
        chaos.topic("orders")
        chaos.topic("totals")
        chaos.effects.from_topic("totals")
        async with chaos.worker(totals, chaos.bootstrap_servers, inside):
            await chaos.publish_async("orders", ["a", "b", "c"])
            await chaos.settle_async(timeout=timeout)
        chaos.assert_exactly_once()
        chaos.assert_acked_after_effect()

    simulate(scenario, plan=plan, id="value")


def test_it_is_waited_for_and_everything_is_there():
    judged(inside=True)


def test_whoever_does_not_wait_that_long_hears_what_for():
    with pytest.raises(AssertionError) as error:
        judged(inside=True, timeout=20)
    assert "exactly_once is UNKNOWN: 2 of 3 messages still waiting" in str(error.value)
    assert "behind the begin of a transaction that nobody has ended" in str(error.value)
    assert "transaction.timeout.ms" in " ".join(str(error.value).split())


def test_what_was_lost_is_still_lost():
    killed = Plan(on.publish(topic="totals", nth=2).crash_worker("after"))
    with pytest.raises(AssertionError, match=r"^exactly_once failed: 1 of 3 confirmed messages"):
        judged(inside=False, plan=killed)

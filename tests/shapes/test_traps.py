"""Histories that invite a wrong verdict: what cannot be known is `unknown` and says what to add."""

from __future__ import annotations

import asyncio
import json
from contextlib import contextmanager

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition

from pytest_mqchaos import Plan, on
from pytest_mqchaos.checkers.evidence import where
from tests.shapes.services import groups
from tests.shapes.services.world import World, order_of
from tests.shapes.shape import ORDERS, order, told

pytestmark = pytest.mark.filterwarnings(
    "ignore:unclosed:ResourceWarning", "ignore:loop is closed:ResourceWarning"
)


@contextmanager
def running(host, *rules, partitions=1):
    with host.chaos(Plan(*rules), id="json:/id", own_assertions=True) as chaos:
        chaos.topic("orders", partitions=partitions)
        yield chaos, World(chaos.effects)


def direct(host):
    """The broker's own address, past every link."""
    address, port = next(iter(host.broker.addresses().values()))
    return f"{address}:{port}"


def answers(chaos, **expected):
    """Each question's status, with a part of its sentence after a colon where one is given."""
    for question, wanted in expected.items():
        status, _, said = wanted.partition(": ")
        verdict = chaos.check(question)
        assert verdict.status == status, told(verdict)
        assert said in verdict.sentence, told(verdict)
        if status == "unknown":
            assert verdict.missing, told(verdict)


def test_what_nobody_reads_is_not_lost(host):
    with running(host) as (chaos, _):
        chaos.publish("orders", ORDERS)
        chaos.settle(0.5)
        answers(chaos, lossless="unknown: nobody who reads that was seen on a link")


def test_a_consumer_that_bypasses_its_link_loses_nothing_that_is_known(host):
    async def swallows_one(bootstrap, world):
        async with groups.consumer_of(bootstrap, "orders") as consumer:
            async for message in consumer:
                if order_of(message) != "o2":
                    world.once(order_of(message))
                await consumer.commit()

    with running(host) as (chaos, world):
        with chaos.worker(swallows_one, direct(host), world):
            chaos.publish("orders", ORDERS)
            chaos.wait_for(lambda: len(world.done) == 4)
        answers(
            chaos,
            lossless="unknown: nobody who reads that was seen on a link",
            exactly_once="unknown",
        )


async def half_past_its_link(bootstrap, past, world):
    """Two members of one group, each with a partition; one of them uses another address."""

    async def serve(consumer):
        async for message in consumer:
            world.once(order_of(message))
            await consumer.commit()

    async with (
        groups.consumer_of(bootstrap, "orders") as seen,
        groups.consumer_of(past, "orders") as unseen,
    ):
        # aiokafka tells of an assignment by callback only before it has taken it over.
        while not (len(seen.assignment()) == len(unseen.assignment()) == 1):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        world.ready.set()
        async with asyncio.TaskGroup() as both:
            both.create_task(serve(seen))
            both.create_task(serve(unseen))


def test_half_a_group_that_bypasses_its_link_makes_every_answer_unknown(host):
    with running(host, partitions=2) as (chaos, world):
        with chaos.worker(half_past_its_link, chaos.bootstrap_servers, direct(host), world):
            chaos.wait_for(world.ready.is_set)
            chaos.publish("orders", [{"value": one["value"]} for one in ORDERS])
            chaos.wait_for(lambda: len(world.done) == len(ORDERS))
            chaos.settle(0.5)
        why = "unknown: check that the consumer uses chaos.bootstrap_servers"
        answers(chaos, lossless=why, idempotent=why, acked_after_effect=why)


def test_one_id_with_two_contents_is_ambiguous(host):
    with running(host) as (chaos, world):
        with chaos.worker(groups.plain, chaos.bootstrap_servers, world):
            chaos.publish("orders", ORDERS)
            chaos.publish("orders", [order(2, total=5)])
            chaos.settle()
        for question in ("lossless", "idempotent", "exactly_once", "acked_after_effect"):
            answers(chaos, **{question: "unknown: 1 id with different contents"})


async def stuck(bootstrap, world, *, group="orders", early=False):
    """The handler of the last order does not end while anybody looks."""
    consumer = groups.consumer_of(bootstrap, group=group)
    spot = TopicPartition("orders", 0)
    async with consumer:
        if group is None:
            consumer.assign([spot])
            consumer.seek(spot, world.offsets.get(spot, 0))
        else:
            consumer.subscribe(["orders"])
        async for message in consumer:
            if early:
                await consumer.commit()
            if order_of(message) == "o5":
                await asyncio.Event().wait()
            world.once(order_of(message))
            world.offsets[spot] = message.offset + 1
            if group and not early:
                await consumer.commit()


@pytest.mark.parametrize(
    ("group", "until", "said"),
    [("orders", "positions", "still waiting"), (None, "effects", "may still read or handle it")],
)
def test_the_last_handler_still_runs(host, group, until, said):
    with running(host) as (chaos, world):
        with chaos.worker(stuck, chaos.bootstrap_servers, world, group=group):
            chaos.publish("orders", ORDERS)
            chaos.wait_for(lambda: len(world.done) == len(ORDERS) - 1, what="all but the last")
            assert chaos.settle(0.4, until=until).waiting
        answers(chaos, lossless=f"unknown: {said}", idempotent="passed")


def test_what_is_acked_and_in_work_is_lost_only_when_the_worker_has_ended(host):
    with running(host) as (chaos, world):
        with chaos.worker(stuck, chaos.bootstrap_servers, world, early=True):
            chaos.publish("orders", ORDERS)
            chaos.wait_for(lambda: any(ack.offset == 5 for ack in chaos.history.acks))
            chaos.settle(0.4)
            answers(chaos, lossless="unknown: still runs and may be at work on it")
        answers(chaos, lossless=f"failed: {where.ACKED}", acked_after_effect="failed")


def test_a_consumer_may_seek_back(host):
    async def twice(bootstrap, world):
        async with groups.consumer_of(bootstrap, "orders") as consumer:
            async for message in consumer:
                world.once(order_of(message))
                await consumer.commit()
                if world.tried(order_of(message)) == 1 and message.offset == 3:
                    consumer.seek(TopicPartition("orders", 0), 1)

    with running(host) as (chaos, world):
        with chaos.worker(twice, chaos.bootstrap_servers, world):
            chaos.publish("orders", ORDERS)
            chaos.settle()
        answers(chaos, exactly_once="passed", acked_after_effect="passed", ordered="passed")


def test_a_position_may_be_moved_back(host):
    async def back(bootstrap, world):
        async with groups.consumer_of(bootstrap, "orders") as consumer:
            async for message in consumer:
                world.once(order_of(message))
                await consumer.commit()
                if world.tried(order_of(message)) == 1 and message.offset == 4:
                    await consumer.commit({TopicPartition("orders", 0): 2})

    with running(host) as (chaos, world):
        with chaos.worker(back, chaos.bootstrap_servers, world):
            chaos.publish("orders", ORDERS)
            chaos.wait_for(lambda: len(world.done) == len(ORDERS), what="all of them")
            chaos.settle(0.4)
        answers(chaos, exactly_once="passed", acked_after_effect="passed")


def test_a_group_of_the_tests_own_does_not_speak_for_the_service(host):
    async def peek(bootstrap):
        async with groups.consumer_of(bootstrap, "orders", group="peek") as consumer:
            for _ in range(3):
                await consumer.getone()
            await consumer.commit()

    with running(host) as (chaos, world):
        with chaos.worker(groups.plain, chaos.bootstrap_servers, world):
            chaos.publish("orders", ORDERS)
            asyncio.run(peek(str(chaos.bootstrap_servers)))
            chaos.settle(0.4)
        looks = "unknown: peek has no effect of any message"
        answers(chaos, exactly_once="passed", acked_after_effect=looks)


def test_rows_that_are_seen_late_are_not_lost(host):
    """The source shows a row only at the third look after it was written."""
    written, looks = {}, []

    def look():
        looks.append(1)
        return [{"id": one} for one, at in written.items() if len(looks) > at + 3]

    async def serve(bootstrap):
        async with groups.consumer_of(bootstrap, "orders") as consumer:
            async for message in consumer:
                written[order_of(message)] = len(looks)
                await consumer.commit()

    with running(host) as (chaos, _):
        chaos.effects.from_call(look)
        with chaos.worker(serve, chaos.bootstrap_servers):
            chaos.publish("orders", ORDERS)
            chaos.settle()
        answers(chaos, exactly_once="passed")


async def send_all(bootstrap, acks):
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks=acks) as producer:
        for one in ORDERS:
            await producer.send_and_wait("orders", one["value"].encode(), key=one["key"].encode())
            await asyncio.sleep(0.02)
        await asyncio.Event().wait()


def test_a_publish_without_confirms_that_never_arrived_is_lost_before_the_broker(host):
    with running(host, on.publish(nth=3).drop()) as (chaos, world):
        with (
            chaos.worker(groups.plain, chaos.bootstrap_servers, world),
            chaos.worker(send_all, chaos.bootstrap_servers, 0),
        ):
            # What it sends before it has noticed the cut is gone without a trace: not waited for.
            chaos.armed[0].wait(60)
            chaos.settle()
        answers(chaos, lossless=f"failed: {where.NEVER_REACHED}", idempotent="passed")


def test_an_effect_after_the_crash_proves_nothing(host):
    async def finishes_anyway(bootstrap, world):
        async with groups.consumer_of(bootstrap, "orders") as consumer:
            async for message in consumer:
                try:
                    world.once(order_of(message))
                    await consumer.commit()
                except asyncio.CancelledError:
                    world.again(order_of(message))
                    raise

    with running(host, on.ack(nth=2).crash_worker()) as (chaos, world):
        with chaos.worker(finishes_anyway, chaos.bootstrap_servers, world):
            chaos.publish("orders", ORDERS)
            chaos.settle()
        answers(chaos, lossless="passed", idempotent="unknown: posthumous")


@pytest.mark.parametrize("nth", [1, 3, 5])
def test_auto_commit_under_a_crash_loses_or_not_but_never_unseen(host, nth):
    """Whatever auto-commit did, the verdict agrees with what the world holds at the end."""

    async def auto(bootstrap, world):
        consumer = groups.consumer_of(
            bootstrap, "orders", enable_auto_commit=True, auto_commit_interval_ms=20
        )
        async with consumer:
            async for message in consumer:
                await asyncio.sleep(0.05)
                world.once(order_of(message))

    with running(host, on.ack(nth=nth).crash_worker("after")) as (chaos, world):
        with chaos.worker(auto, chaos.bootstrap_servers, world):
            chaos.publish("orders", ORDERS)
            chaos.settle()
        lost = {json.loads(one["value"])["id"] for one in ORDERS} - {o for o, _ in world.done}
        verdict = chaos.check("lossless")
        behind = any(e.posthumous for e in chaos.history.effects)  # it ended as the crash came
        wanted = "failed" if lost else "unknown" if behind else "passed"
        assert verdict.status == wanted, told(verdict)
        assert {f.id for f in verdict.findings if f.what != "posthumous"} == lost, told(verdict)


def test_five_hundred_messages_in_one_fetch_with_a_redelivery_in_the_middle(host):
    many = [order(n) for n in range(500)]
    with running(host, on.ack(nth=250).redeliver()) as (chaos, world):
        chaos.publish("orders", many)
        with chaos.worker(groups.batch, chaos.bootstrap_servers, world):
            chaos.settle()
        answers(chaos, exactly_once="passed", ordered="passed", acked_after_effect="passed")
        assert len(chaos.history.deliveries) > len(many)

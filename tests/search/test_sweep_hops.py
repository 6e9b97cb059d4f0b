"""A message that goes on to another topic under its id has its faults there, too: a rule counts it
once, where it came first, so the sweep names the other topics."""

from functools import partial

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from pytest_mqchaos.search.cases import singles, verbs
from pytest_mqchaos.search.points import observed
from pytest_mqchaos.search.runner import run
from tests.search.services import id_of


async def put_off(servers, effects, *, commit_first):
    """The second message is put off once; what was put off is acked first, or last."""
    producer = AIOKafkaProducer(bootstrap_servers=servers)
    consumer = AIOKafkaConsumer(
        "orders", "later", bootstrap_servers=servers, group_id="g", enable_auto_commit=False,
        auto_offset_reset="earliest",
    )  # fmt: skip
    async with producer, consumer:
        async for message in consumer:
            if commit_first and message.topic == "later":
                await consumer.commit()
            if message.topic == "orders" and message.value == b"b":
                headers = list(message.headers)
                await producer.send_and_wait("later", message.value, headers=headers)
            else:
                effects.record(id_of(message))
            await consumer.commit()


def scenario_of(*, commit_first=False):
    async def scenario(chaos):
        chaos.topic("orders")
        chaos.topic("later")
        chaos.flow(inputs=["orders"], retries=["later"])
        await chaos.publish_async("orders", ["a", "b"])
        how = {"commit_first": commit_first}
        async with chaos.worker(put_off, chaos.bootstrap_servers, chaos.effects, **how):
            await chaos.settle_async()
        chaos.assert_lossless()

    return scenario


def test_positions_in_the_next_topic_are_seen():
    seen = observed(partial(run, scenario_of()), "kafka")
    hops = {hop.name: (hop.count, hop.crashable) for hop in seen.hops}
    names = ("publish", "confirm", "deliver", "ack", "ack_confirm")
    assert hops == {f"{name} in later": (1, True) for name in names}
    assert seen.count == sum(spot.count for spot in seen.spots) + 5
    cases = [case for case in singles(seen, "kafka", verbs("crash_worker")) if " in " in case.where]
    assert "on.ack(topic='later', nth=1).crash_worker('after')" in {case.name for case in cases}


@pytest.mark.wide
def test_what_is_lost_only_there_is_found():
    seen = observed(partial(run, scenario_of()), "kafka")
    failed = set()
    for case in singles(seen, "kafka", verbs("crash_worker")):
        if case.where.startswith("ack"):
            outcome = run(scenario_of(commit_first=True), case.plan)
            failed |= {case.name} if outcome.status == "failed" else set()
    assert failed == {"on.ack(topic='later', nth=1).crash_worker('after')"}

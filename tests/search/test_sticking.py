"""What sticks until it is restarted, and what goes on behind its commit: how long both are waited
for, and what a verdict says of it."""

import asyncio

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from pytest_mqchaos import VerdictFailed, simulate


def consumer_of(servers):
    return AIOKafkaConsumer(
        "orders", bootstrap_servers=servers, group_id="g", auto_offset_reset="earliest",
        enable_auto_commit=False,
    )  # fmt: skip


async def seeks_back_in_one_partition(servers, effects, failed):
    """What fails ends the batch and is read again; what the batch held of other partitions, too,
    is behind the position now, and comes back only with a restart."""
    async with consumer_of(servers) as consumer:
        while True:
            batch = await consumer.getmany(timeout_ms=500)
            for message in [message for place in sorted(batch) for message in batch[place]]:
                place = TopicPartition(message.topic, message.partition)
                if message.value == b"o1" and not failed:
                    failed.append(message)
                    consumer.seek(place, message.offset)
                    break
                effects.record(message.value.decode())
                await consumer.commit({place: message.offset + 1})


def stuck(seen, **how):
    async def scenario(chaos):
        chaos.topic("orders", partitions=2)
        await chaos.publish_async("orders", ["o1", "p1", "o2", "p2"])
        worker = seeks_back_in_one_partition, chaos.bootstrap_servers, chaos.effects, []
        async with chaos.worker(*worker):
            seen.append(await chaos.settle_async(**how))
        seen.append(chaos.check("lossless"))
        chaos.assert_lossless()

    return scenario


def test_a_pass_says_what_came_only_with_the_final_drain():
    seen = []
    simulate(stuck(seen), id="value")
    settled, verdict = seen
    assert settled.drained
    assert settled.waiting == ()
    (limit,) = (limit for limit in verdict.limits if "restarted" in limit)
    assert limit.startswith("2 of 4 messages had an effect only after the workers were restarted")
    assert "(p1, p2)" in limit


def test_without_the_drain_it_waits_for_ever_and_is_told():
    seen = []
    with pytest.raises(VerdictFailed) as told:
        simulate(stuck(seen, drain=False), id="value")
    assert "2 of 4 messages still waiting" in " ".join(str(told.value).split())
    assert not seen[0].drained
    assert seen[0].waiting


async def relayed_later(servers, effects, seconds):
    """The commit stands when the row is written; the relay comes by every so many seconds."""
    rows = []

    async def relay():
        while True:
            await asyncio.sleep(seconds)
            while rows:
                effects.record(rows.pop(0))

    relaying = asyncio.create_task(relay())
    try:
        async with consumer_of(servers) as consumer:
            async for message in consumer:
                rows.append(message.value.decode())
                await consumer.commit()
    finally:
        relaying.cancel()


@pytest.mark.parametrize(("seconds", "timeout"), [(10, None), (40, 60)])
def test_what_works_on_behind_the_commit_is_not_called_lost(seconds, timeout):
    async def scenario(chaos):
        chaos.topic("orders")
        await chaos.publish_async("orders", ["o1", "o2"])
        async with chaos.worker(relayed_later, chaos.bootstrap_servers, chaos.effects, seconds):
            settled = await chaos.settle_async(timeout)
        assert not settled.drained
        assert not any("restarted" in limit for limit in chaos.check("lossless").limits)
        chaos.assert_lossless()

    simulate(scenario, id="value")

"""Services of public bug reports in which a message goes on under its id: retry topics, dead
letters that are taken out again, stages, tables with deletions; broken and mended by one flag.

The table of test_public_passed_on.py names the reports; nothing of their code is here.
"""

import asyncio

from aiokafka import AIOKafkaProducer

from tests.search.public_bugs import consumer_of, place_of

NEXT = {"orders": "retry-5s", "retry-5s": "retry-30s", "retry-30s": "dead"}
WAIT = {"orders": 0, "retry-5s": 5, "retry-30s": 30}


async def moving(servers, *, to, group="g", source="orders", wait=0, commit_first=False):
    """Each message of one topic goes to another."""
    producer = AIOKafkaProducer(bootstrap_servers=servers)
    async with producer, consumer_of(servers, source, group_id=group) as consumer:
        async for message in consumer:
            await asyncio.sleep(wait)
            if commit_first:
                await consumer.commit()
            await producer.send_and_wait(to, message.value, key=message.key)
            if not commit_first:
                await consumer.commit()


async def retry_chain(servers, work, fails, *, mended):
    """What fails goes on to the next retry topic, and at last to the dead letters; broken: the
    commit comes before that."""
    producer = AIOKafkaProducer(bootstrap_servers=servers)
    async with producer, consumer_of(servers, *WAIT) as consumer:
        async for message in consumer:
            await asyncio.sleep(WAIT[message.topic])
            done = {place_of(message): message.offset + 1}
            if message.value in fails:
                if not mended:
                    await consumer.commit(done)
                await producer.send_and_wait(NEXT[message.topic], message.value)
            else:
                work(message)
            await consumer.commit(done)


async def delayed(servers, work, fails, *, mended):
    """What fails once waits in a topic of its own and comes back to the first."""

    async def handle():
        producer = AIOKafkaProducer(bootstrap_servers=servers)
        async with producer, consumer_of(servers, "orders") as consumer:
            async for message in consumer:
                if message.value in fails:
                    fails.discard(message.value)
                    await producer.send_and_wait("delay", message.value)
                else:
                    work(message)
                await consumer.commit()

    back = {"to": "orders", "source": "delay", "group": "back", "wait": 10}
    await asyncio.gather(handle(), moving(servers, **back, commit_first=not mended))


async def staged(servers, work, _fails, *, mended):
    """A router in front of the worker, which takes its time."""

    async def handle():
        async with consumer_of(servers, "routed", group_id="worker") as consumer:
            async for message in consumer:
                await asyncio.sleep(4)
                work(message)
                await consumer.commit()

    await asyncio.gather(handle(), moving(servers, to="routed", commit_first=not mended))


async def redriven(servers, work, fails, *, mended):
    """What failed is put back from the dead letters; mended: what is done stays out of them."""

    async def handle():
        producer = AIOKafkaProducer(bootstrap_servers=servers)
        async with producer, consumer_of(servers, "orders") as consumer:
            async for message in consumer:
                failed = message.value in fails
                fails.discard(message.value)
                if not failed or not mended:
                    work(message)
                if failed:
                    await producer.send_and_wait("dead", message.value)
                await consumer.commit()

    await asyncio.gather(
        handle(), moving(servers, to="orders", source="dead", group="redrive", wait=10)
    )


async def table(servers, rows, *, mended):
    """A row for each key; broken: a message without a value is left out."""
    async with consumer_of(servers, "users") as consumer:
        async for message in consumer:
            key, name = message.key.decode(), dict(message.headers)["mqchaos-id"].decode()
            if message.value is not None:
                rows[key] = name
            elif mended:
                rows.pop(key, None)
            await consumer.commit()

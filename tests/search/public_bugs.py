"""Consumers as public bug reports show them, broken and mended by one flag, in the fewest lines.

The table of test_public_bugs.py names the issue or pull request of each; nothing of their code is
here.
"""

import asyncio

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, TopicPartition


def consumer_of(servers, *topics, **settings):
    return AIOKafkaConsumer(
        *topics, bootstrap_servers=servers, auto_offset_reset="earliest",
        **{"group_id": "g", "enable_auto_commit": False, **settings},
    )  # fmt: skip


def place_of(message):
    return TopicPartition(message.topic, message.partition)


async def own_offset(servers, work, *, mended):
    """Kafka keeps the offset of the next message, not of the last one."""
    async with consumer_of(servers, "orders") as consumer:
        async for message in consumer:
            work(message)
            await consumer.commit({place_of(message): message.offset + mended})


async def unordered_commits(servers, work, *, mended):
    """Handlers side by side; what lies between the last commit and the first that is done is not
    looked at."""
    done, at, tasks = [], [0], set()

    async def handle(message):
        await asyncio.sleep(5 if message.offset == 0 else 0.2)
        work(message)
        done.append(message.offset)

    async def commit(consumer):
        while True:
            await asyncio.sleep(1)
            done.sort()
            new = at[0] if mended or not done else done[0]
            while new in done:
                new += 1
            if new > at[0]:
                await consumer.commit({TopicPartition("orders", 0): new})
                at[0] = new

    try:
        async with consumer_of(servers, "orders") as consumer:
            tasks.add(asyncio.create_task(commit(consumer)))
            async for message in consumer:
                tasks.add(asyncio.create_task(handle(message)))
    finally:
        for task in tasks:
            task.cancel()


async def each_commits_its_own(servers, work, *, mended):
    """Handlers side by side that end in the other order: the last commit is the lowest."""
    tasks = set()

    async def handle(message, consumer):
        await asyncio.sleep(4 - message.offset)
        work(message)
        await consumer.commit({place_of(message): message.offset + 1})

    try:
        async with consumer_of(servers, "orders") as consumer:
            async for message in consumer:
                tasks.add(asyncio.create_task(handle(message, consumer)))
                if mended:
                    await asyncio.wait(tasks)
    finally:
        for task in tasks:
            task.cancel()


async def no_gaps_expected(servers, work, *, mended):
    """Transaction markers take offsets too: a row of numbers without a gap never comes."""
    at, waiting = None, []
    async with consumer_of(servers, "orders", isolation_level="read_committed") as consumer:
        async for message in consumer:
            at = message.offset if at is None else at
            work(message)
            waiting.append(message.offset)
            while waiting and (mended or waiting[0] == at):
                at = waiting.pop(0) + 1
                await consumer.commit({place_of(message): at})


async def gathered(servers, work, *, mended):
    """`gather(return_exceptions=True)`, and nobody looks at what came back."""
    failed = set()

    async def handle(message):
        if message.offset == 1 and not failed:
            failed.add(message.offset)
            raise ConnectionError("the database is away")
        work(message)

    async with consumer_of(servers, "orders") as consumer:
        while True:
            for place, messages in (await consumer.getmany(timeout_ms=500)).items():
                found = await asyncio.gather(*map(handle, messages), return_exceptions=True)
                for message, error in zip(messages, found, strict=True):
                    if mended and error is not None:
                        await handle(message)
                await consumer.commit({place: messages[-1].offset + 1})


async def stop_commits(servers, work, *, mended):
    """Automatic commits: `stop()` commits the message whose handler has just failed."""
    failed = set()

    def handle(message):
        if message.offset == 1 and not failed:
            failed.add(message.offset)
            raise ConnectionError("the database is away")
        work(message)

    while True:
        consumer = consumer_of(servers, "orders", enable_auto_commit=not mended)
        await consumer.start()
        try:
            async for message in consumer:
                handle(message)
                if mended:
                    await consumer.commit()
        except ConnectionError:
            await asyncio.sleep(1)
        finally:
            await consumer.stop()


async def resumes_behind(servers, work, *, mended):
    """What fails pauses its partition; nobody goes back to it before reading on."""
    tries, loop = [], asyncio.get_running_loop()
    async with consumer_of(servers, "orders") as consumer:
        while True:
            if consumer.paused() and loop.time() > tries[-1] + 5:
                consumer.resume(*consumer.paused())
            for place, messages in (await consumer.getmany(timeout_ms=200, max_records=1)).items():
                if messages[0].offset == 1 and len(tries) < 2:
                    tries.append(loop.time())
                    consumer.pause(place)
                    if mended:
                        consumer.seek(place, messages[0].offset)
                    continue
                work(messages[0])
                await consumer.commit({place: messages[0].offset + 1})


class Buffered(ConsumerRebalanceListener):
    def __init__(self, buffer, *, mended):
        self.buffer, self.mended = buffer, mended

    async def on_partitions_revoked(self, revoked):
        for place in revoked if self.mended else ():
            self.buffer.pop(place, None)

    async def on_partitions_assigned(self, assigned):
        """Nothing to do."""


async def keeps_what_was_revoked(servers, work, *, mended):
    """What is buffered is written after a rebalance, too, though another member has it now."""
    buffer, loop = {}, asyncio.get_running_loop()
    last = loop.time()
    consumer = consumer_of(servers)
    consumer.subscribe(["orders"], listener=Buffered(buffer, mended=mended))
    async with consumer:
        while True:
            for place, messages in (await consumer.getmany(timeout_ms=500)).items():
                buffer.setdefault(place, []).extend(messages)
            if loop.time() < last + 8:
                continue
            last = loop.time()
            for place in list(buffer):
                messages = buffer.pop(place)
                for message in messages:
                    work(message)
                if place in consumer.assignment():
                    await consumer.commit({place: messages[-1].offset + 1})


async def dead_letter_unconfirmed(servers, work, *, mended):
    """The dead letter is handed to the producer, and the message committed at once."""
    producer = AIOKafkaProducer(bootstrap_servers=servers, linger_ms=50)
    async with producer, consumer_of(servers, "orders") as consumer:
        async for message in consumer:
            if message.value == b"poison":
                sent = await producer.send("dead", message.value)
                if mended:
                    await sent
            else:
                work(message)
            await consumer.commit()


async def dead_letter_uncommitted(servers, work, *, mended):
    """A dead letter moves no position: it is sent again at every start."""
    producer = AIOKafkaProducer(bootstrap_servers=servers)
    async with producer, consumer_of(servers, "orders") as consumer:
        async for message in consumer:
            if message.value == b"poison":
                await producer.send_and_wait("dead", message.value)
                if not mended:
                    continue
            else:
                work(message)
            await consumer.commit({place_of(message): message.offset + 1})

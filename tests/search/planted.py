"""Services with one bug each, and their correct twins: what property tests must tell apart.

Stores stand outside of the worker, as databases do: a crash takes the worker only.
"""

from contextlib import suppress

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError

from tests.search.services import id_of

BATCH = ["a", "b", "c"]


class Books:
    """A database: entries are effects, `done` the table of ids that were worked on."""

    def __init__(self, chaos):
        self.effects = chaos.effects
        self.done = set()


async def _messages(servers):
    consumer = AIOKafkaConsumer(
        "orders", bootstrap_servers=servers, group_id="g", auto_offset_reset="earliest",
        enable_auto_commit=False,
    )  # fmt: skip
    await consumer.start()
    try:
        async for message in consumer:
            yield consumer, id_of(message)
    finally:
        await consumer.stop()


async def ack_before_work(servers, books):
    """Broken: says "done", then does it."""
    async for consumer, name in _messages(servers):
        with suppress(KafkaError):
            await consumer.commit()
        books.effects.record(name)


async def ack_after_work(servers, books):
    """Correct: a message may come twice, and is known then."""
    async for consumer, name in _messages(servers):
        if name not in books.done:
            books.effects.record(name)
            books.done.add(name)
        with suppress(KafkaError):
            await consumer.commit()


async def dedupe_apart(servers, books):
    """Broken: the entry and the note that it was made are two transactions."""
    async with AIOKafkaProducer(bootstrap_servers=servers) as producer:
        async for consumer, name in _messages(servers):
            if name not in books.done:
                books.effects.record(name)
                await producer.send_and_wait("receipts", name.encode())
                books.done.add(name)
            with suppress(KafkaError):
                await consumer.commit()


async def dedupe_inside(servers, books):
    """Correct: one transaction; the receipt may come twice, the entry cannot."""
    async with AIOKafkaProducer(bootstrap_servers=servers) as producer:
        async for consumer, name in _messages(servers):
            if name not in books.done:
                books.effects.record(name)
                books.done.add(name)
            await producer.send_and_wait("receipts", name.encode())
            with suppress(KafkaError):
                await consumer.commit()


def scenario_of(service):
    """Publish three messages to the service and ask for an effect of each, or for one."""

    async def scenario(chaos):
        chaos.topic("orders")
        chaos.topic("receipts")
        chaos.flow(inputs=["orders"], outputs=["receipts"])
        books = Books(chaos)
        async with chaos.worker(service, chaos.bootstrap_servers, books):
            await chaos.publish_async("orders", BATCH)
            await chaos.settle_async()
        chaos.assert_lossless()
        if service in (dedupe_apart, dedupe_inside):
            chaos.assert_idempotent()

    return scenario

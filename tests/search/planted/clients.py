"""aiokafka as its users write with it."""

from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError

from tests.search.services import id_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A message and what its handler works with."""

    name: str
    record: object
    consumer: AIOKafkaConsumer
    producer: AIOKafkaProducer

    async def receipt(self):
        """The work that the world sees, and that may be done twice."""
        await self.producer.send_and_wait("receipts", self.name.encode())

    async def done(self):
        """Commit what was handed out. It may fail: then the message comes again."""
        with suppress(KafkaError):
            await self.consumer.commit()


@asynccontextmanager
async def reading(servers, *topics):
    """A consumer without commits of its own."""
    consumer = AIOKafkaConsumer(
        *topics, bootstrap_servers=servers, group_id="g", auto_offset_reset="earliest",
        enable_auto_commit=False,
    )  # fmt: skip
    async with _started(consumer):
        yield consumer


@asynccontextmanager
async def sending(servers):
    """A producer."""
    producer = AIOKafkaProducer(bootstrap_servers=servers)
    async with _started(producer):
        yield producer


@asynccontextmanager
async def _started(client):
    """aiokafka's own `async with` leaves a client open whose start fails."""
    try:
        await client.start()
        yield
    finally:
        await client.stop()


async def messages(servers, *topics):
    """One `Work` after the other."""
    async with sending(servers) as producer, reading(servers, *topics) as consumer:
        async for record in consumer:
            yield Work(name=id_of(record), record=record, consumer=consumer, producer=producer)

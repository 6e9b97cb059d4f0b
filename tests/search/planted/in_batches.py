"""Services that take what one poll brings."""

from contextlib import suppress

from aiokafka.errors import KafkaError

from tests.search.planted.clients import reading, sending
from tests.search.services import id_of


async def _batches(servers, books, offsets):
    """Work on each batch, committing after each message what `offsets(partition, record)` says."""
    async with sending(servers) as producer, reading(servers, "orders") as consumer:
        while True:
            polled = await consumer.getmany(timeout_ms=1000, max_records=10)
            for partition, records in polled.items():
                for record in records:
                    books.enter(id_of(record))
                    await producer.send_and_wait("receipts", id_of(record).encode())
                    with suppress(KafkaError):
                        await consumer.commit(offsets(partition, record))


async def commit_position(servers, books):
    """Broken: commits the consumer's position, which is behind the whole batch."""
    await _batches(servers, books, lambda _partition, _record: None)


async def commit_handled(servers, books):
    """Correct: commits what it has worked on."""
    await _batches(servers, books, lambda partition, record: {partition: record.offset + 1})

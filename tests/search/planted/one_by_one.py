"""Services that take one message after the other."""

import asyncio
from contextlib import suppress

from aiokafka.errors import KafkaError

from tests.search.planted.clients import messages

PATIENCE = 0.5  # seconds for the work on one message


async def ack_before_work(servers, books):
    """Broken: says "done", then does it."""
    async for work in messages(servers, "orders"):
        await work.done()
        await work.receipt()
        books.enter(work.name)


async def ack_after_work(servers, books):
    """Correct: a message may come twice, and is known then."""
    async for work in messages(servers, "orders"):
        await work.receipt()
        books.enter(work.name)
        await work.done()


async def dedupe_apart(servers, books):
    """Broken: the entry and the note that it was made are two transactions."""
    async for work in messages(servers, "orders"):
        if work.name not in books.done:
            books.effects.record(work.name)
            await work.receipt()
            books.done.add(work.name)
        await work.done()


async def dedupe_inside(servers, books):
    """Correct: one transaction; the receipt may come twice, the entry cannot."""
    async for work in messages(servers, "orders"):
        books.enter(work.name)
        await work.receipt()
        await work.done()


async def mark_before_work(servers, books):
    """Broken: who dies between the mark and the work leaves a message that nobody works on."""
    async for work in messages(servers, "orders"):
        if books.mark(work.name):
            await work.receipt()
            books.effects.record(work.name)
        await work.done()


async def mark_with_lease(servers, books):
    """Correct: a mark that runs out, and an entry only under a mark that is still ours."""
    async for work in messages(servers, "orders"):
        token = await books.claim(work.name)
        if token is not None:
            await work.receipt()
            books.settle(work.name, token)
        await work.done()


async def retry_elsewhere(servers, books):
    """Broken: what failed goes through a retry topic, and the next of its key overtakes it."""
    async for work in messages(servers, "orders", "retries"):
        try:
            await asyncio.wait_for(work.receipt(), PATIENCE)
        except (KafkaError, TimeoutError):
            await work.producer.send_and_wait(
                "retries", work.record.value, key=work.record.key,
                headers=list(work.record.headers),
            )  # fmt: skip
        else:
            books.enter(work.name)
        await work.done()


async def retry_in_place(servers, books):
    """Correct: nothing behind it is begun before it is done."""
    async for work in messages(servers, "orders"):
        while work.name not in books.done:
            with suppress(KafkaError, TimeoutError):
                await asyncio.wait_for(work.receipt(), PATIENCE)
                books.enter(work.name)
                break
            await asyncio.sleep(PATIENCE)
        await work.done()

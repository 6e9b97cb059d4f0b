"""Our own plain Kafka client (aiokafka), on whatever loop it is used on.

It knows one client and its errors; it must never know who waits for it, nor links or rules.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from pytest_mqchaos.chaos.side import Receipt
from pytest_mqchaos.errors import missing_extra
from pytest_mqchaos.frames import Message

REQUEST_TIMEOUT_MS = 3000
AWAY = 0.5  # seconds before a broker that refused a connection is tried again


class KafkaPost:
    """aiokafka with acks=all. It awaits each message before the next, so that publish order is
    beyond doubt, and sends again until confirmed, or as often as it is told to."""

    def __init__(self, address: str) -> None:
        try:
            import aiokafka  # noqa: F401 - said now, not when the first message is sent
        except ImportError as error:
            raise missing_extra("aiokafka", "kafka", "chaos.publish to Kafka") from error
        self._address = address
        self._producers: dict[bool, Any] = {}

    async def _producer(self, *, idempotent: bool) -> Any:
        if idempotent not in self._producers:
            from aiokafka import AIOKafkaProducer

            producer = AIOKafkaProducer(
                bootstrap_servers=self._address,
                client_id="mqchaos-publisher",
                acks="all",
                enable_idempotence=idempotent,
                request_timeout_ms=REQUEST_TIMEOUT_MS,
                retry_backoff_ms=20,
                linger_ms=0,
            )
            try:
                await producer.start()
            except BaseException:
                await producer.stop()
                raise
            self._producers[idempotent] = producer
        return self._producers[idempotent]

    async def send(
        self, destination: str, messages: Sequence[Message], *, attempts: int, idempotent: bool
    ) -> list[Receipt]:
        receipts = []
        for number, message in enumerate(messages):

            async def once(number: int = number, message: Message = message) -> Any:
                producer = await self._producer(idempotent=idempotent)
                # Without a key the client would draw a partition by chance: not twice the same run.
                partitions = sorted(await producer.partitions_for(destination))
                partition = partitions[number % len(partitions)] if message.key is None else None
                return await producer.send_and_wait(
                    destination, message.value, key=message.key, partition=partition,
                    headers=list(message.headers.items()),
                )  # fmt: skip

            receipts.append(await self._one(once, destination, message, attempts))
        return receipts

    async def _one(
        self, once: Callable[[], Awaitable[Any]], destination: str, message: Message, attempts: int
    ) -> Receipt:
        """Send until confirmed; also the first connection is an attempt, and so may fail."""
        from aiokafka.errors import KafkaError, KafkaTimeoutError, RequestTimedOutError

        error: Exception | None = None
        for attempt in range(1, attempts + 1):
            try:
                told = await once()
            except KafkaError as raised:
                error = raised
                if not self._producers:  # nothing was sent, the broker is away: give it a moment
                    await asyncio.sleep(AWAY)
                continue
            return Receipt(
                id=message.id, destination=destination, outcome="confirmed", attempts=attempt,
                partition=told.partition, offset=told.offset,
            )  # fmt: skip
        timed_out = isinstance(error, KafkaTimeoutError | RequestTimedOutError)
        return Receipt(
            id=message.id, destination=destination, attempts=attempts, error=repr(error),
            outcome="unknown" if timed_out else "refused",
        )  # fmt: skip

    async def close(self) -> None:
        """Close every client."""
        for producer in self._producers.values():
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(producer.stop(), 5)

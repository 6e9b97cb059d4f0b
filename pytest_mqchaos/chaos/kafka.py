"""Kafka's side of a Chaos: topics, reading back, groups, and a plain publisher (aiokafka).

It knows Kafka and our direct client; it must never know verdicts.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from concurrent.futures import wait
from typing import TYPE_CHECKING, Any, TypeVar

from pytest_mqchaos.chaos.side import Publisher, Receipt, Shape, Standing
from pytest_mqchaos.errors import BrokerError, missing_extra
from pytest_mqchaos.frames import Message, Record
from pytest_mqchaos.wire.base import Codec
from pytest_mqchaos.wire.kafka.error_codes import name_of

if TYPE_CHECKING:
    from pytest_mqchaos.brokers.kafka_direct import Direct

T = TypeVar("T")
REQUEST_TIMEOUT_MS = 3000
LOOK = 0.1  # seconds between two looks whether an answer can still come
AWAY = 0.5  # seconds before a broker that refused a connection is tried again
UNKNOWN_MEMBER_ID = 25


class KafkaSide:
    """See `Side`."""

    protocol = "kafka"
    word = "topic"

    def __init__(self) -> None:
        self._direct: Direct | None = None

    def codec(self) -> Codec:
        from pytest_mqchaos.wire.kafka.codec import KafkaCodec

        return KafkaCodec()

    def error_name(self, code: int) -> str:
        return name_of(code)

    @property
    def direct(self) -> Direct:
        """The client on direct addresses."""
        if self._direct is None:
            raise BrokerError("no Kafka broker is connected yet")
        return self._direct

    def connect(self, addresses: Mapping[int, tuple[str, int]], alive: Callable[[], None]) -> None:
        try:
            from pytest_mqchaos.brokers.kafka_direct import Direct
        except ImportError as error:
            raise missing_extra(error.name or "kio", "kafka", "Kafka") from error
        self.close()
        nodes = [(host, port) for host, port in addresses.values()]
        self._direct = Direct(nodes, check=alive)

    def create(self, name: str, shape: Shape) -> None:
        self.direct.recreate(name, shape.partitions, shape.replication, shape.settings)

    def remove(self, names: Iterable[str]) -> None:
        for name in names:
            self.direct.delete_topic(name)

    def _existing(self, names: Iterable[str]) -> list[str]:
        known = {name for name, topic in self.direct.metadata(None).topics.items() if topic.leaders}
        return sorted(known.intersection(names))

    def ends(self, names: Iterable[str]) -> dict[tuple[str, int], tuple[int, int]]:
        existing = self._existing(names)
        return dict(self.direct.ends(existing)) if existing else {}

    def read(self, names: Iterable[str], since: Mapping[tuple[str, int], int]) -> list[Record]:
        found: list[Record] = []
        existing = self._existing(names)
        if not existing:
            return found
        for (topic, partition), (start, end) in sorted(
            self.direct.ends(existing, stable=True).items()
        ):
            first = max(start, since.get((topic, partition), 0))
            if first < end:
                found += self.direct.read(topic, partition, first, end)
        return found

    def standings(self, groups: Iterable[str], names: Iterable[str]) -> list[Standing]:
        ends = self.ends(names)
        states = {group.name: group for group in self.direct.groups()}
        found = []
        for group in sorted(set(groups) & set(states)):
            members = states[group].members
            active = None if members is None else len(members)
            offsets = self.direct.committed(group).get(group, {})
            for (topic, partition), (start, end) in sorted(ends.items()):
                at = offsets.get((topic, partition), -1)
                found.append(Standing(group, topic, partition, at, start, end, active))
        return found

    def positions(self) -> dict[tuple[str, str, int], int]:
        return {
            (group, topic, partition): offset
            for group, offsets in self.direct.committed().items()
            for (topic, partition), offset in offsets.items()
        }

    def epochs(self) -> dict[tuple[str, int], int]:
        topics = self.direct.metadata(None).topics.values()
        return {(t.name, n): epoch for t in topics for n, epoch in t.epochs.items() if epoch > 0}

    def bury(self, members: Iterable[tuple[str, str]]) -> None:
        for group, member in members:
            try:
                self.direct.leave_group(group, member)
            except BrokerError as error:
                # Gone already is what we wanted.
                if getattr(error, "code", None) != UNKNOWN_MEMBER_ID:
                    raise

    def publisher(self, address: str, alive: Callable[[], None]) -> Publisher:
        return KafkaPublisher(address, alive)

    def close(self) -> None:
        if self._direct is not None:
            self._direct.close()
            self._direct = None


class KafkaPublisher:
    """aiokafka with acks=all on a loop of its own. It awaits each message before the next, so that
    publish order is beyond doubt, and sends again until confirmed."""

    def __init__(self, address: str, alive: Callable[[], None]) -> None:
        try:
            import aiokafka  # noqa: F401 - said now, not by the loop's thread
        except ImportError as error:
            raise missing_extra("aiokafka", "kafka", "chaos.publish to Kafka") from error
        self._address = address
        self._alive = alive
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="mqchaos-publisher", daemon=True
        )
        self._thread.start()
        self._producers: dict[bool, Any] = {}

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        running = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            while not wait([running], LOOK).done:
                self._alive()
        except BaseException:
            running.cancel()
            raise
        return running.result()

    def send(
        self, destination: str, messages: Sequence[Message], *, attempts: int, idempotent: bool
    ) -> list[Receipt]:
        return self._run(self._send(destination, messages, attempts, idempotent=idempotent))

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

    async def _send(
        self, destination: str, messages: Sequence[Message], attempts: int, *, idempotent: bool
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

    def close(self) -> None:
        async def stop() -> None:
            for producer in self._producers.values():
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(producer.stop(), 5)

        # Without a look at who may be gone: the client must be closed in any case.
        asyncio.run_coroutine_threadsafe(stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

"""Kafka's side of a Chaos: topics, reading back, groups, and a plain publisher (aiokafka).

It knows Kafka and our direct client; it must never know verdicts.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Coroutine, Iterable, Mapping, Sequence
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

    def connect(self, addresses: Mapping[int, tuple[str, int]]) -> None:
        try:
            from pytest_mqchaos.brokers.kafka_direct import Direct
        except ImportError as error:
            raise missing_extra(error.name or "kio", "kafka", "Kafka") from error
        self.close()
        self._direct = Direct([(host, port) for host, port in addresses.values()])

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

    def bury(self, members: Iterable[tuple[str, str]]) -> None:
        for group, member in members:
            try:
                self.direct.leave_group(group, member)
            except BrokerError as error:
                # Gone already is what we wanted.
                if getattr(error, "code", None) != UNKNOWN_MEMBER_ID:
                    raise

    def publisher(self, address: str) -> Publisher:
        return KafkaPublisher(address)

    def close(self) -> None:
        if self._direct is not None:
            self._direct.close()
            self._direct = None


class KafkaPublisher:
    """aiokafka with acks=all on a loop of its own. It awaits each message before the next, so that
    publish order is beyond doubt, and sends again until confirmed."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="mqchaos-publisher", daemon=True
        )
        self._thread.start()
        self._producers: dict[bool, Any] = {}

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def send(
        self, destination: str, messages: Sequence[Message], *, attempts: int, idempotent: bool
    ) -> list[Receipt]:
        return self._run(self._send(destination, messages, attempts, idempotent=idempotent))

    async def _producer(self, *, idempotent: bool) -> Any:
        if idempotent not in self._producers:
            try:
                from aiokafka import AIOKafkaProducer
            except ImportError as error:
                raise missing_extra("aiokafka", "kafka", "chaos.publish to Kafka") from error
            producer = AIOKafkaProducer(
                bootstrap_servers=self._address,
                client_id="mqchaos-publisher",
                acks="all",
                enable_idempotence=idempotent,
                request_timeout_ms=REQUEST_TIMEOUT_MS,
                retry_backoff_ms=20,
                linger_ms=0,
            )
            await producer.start()
            self._producers[idempotent] = producer
        return self._producers[idempotent]

    async def _send(
        self, destination: str, messages: Sequence[Message], attempts: int, *, idempotent: bool
    ) -> list[Receipt]:
        producer = await self._producer(idempotent=idempotent)
        partitions = len(await producer.partitions_for(destination)) or 1
        receipts = []
        for number, message in enumerate(messages):
            # Without a key the client would draw a partition by chance: not twice the same run.
            partition = number % partitions if message.key is None else None
            receipts.append(await self._one(producer, destination, message, partition, attempts))
        return receipts

    async def _one(
        self, producer: Any, destination: str, message: Message, partition: int | None,
        attempts: int,
    ) -> Receipt:  # fmt: skip
        from aiokafka.errors import KafkaError, KafkaTimeoutError, RequestTimedOutError

        error: Exception | None = None
        headers = list(message.headers.items())
        for attempt in range(1, attempts + 1):
            try:
                told = await producer.send_and_wait(
                    destination, message.value, key=message.key, partition=partition,
                    headers=headers,
                )  # fmt: skip
            except KafkaError as raised:
                error = raised
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

        self._run(stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

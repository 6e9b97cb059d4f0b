"""Kafka's side of a Chaos: topics, reading back, groups, and a plain publisher (aiokafka).

It knows Kafka and our direct client; it must never know verdicts.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from concurrent.futures import wait
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from pytest_mqchaos.chaos.kafka_post import KafkaPost
from pytest_mqchaos.chaos.side import Publisher, Receipt, Shape, Standing
from pytest_mqchaos.errors import BrokerError, BrokerRefused, missing_extra
from pytest_mqchaos.frames import Message, Record
from pytest_mqchaos.wire.base import Codec
from pytest_mqchaos.wire.kafka.error_codes import name_of

if TYPE_CHECKING:
    from pytest_mqchaos.brokers.kafka_direct import Direct

T = TypeVar("T")
LOOK = 0.1  # seconds between two looks whether an answer can still come
OFFSET_OUT_OF_RANGE, UNKNOWN_MEMBER_ID = 1, 25


Nodes: TypeAlias = Sequence[tuple[str, int]]


def _by_sockets(nodes: Nodes, alive: Callable[[], None]) -> Direct:
    try:
        from pytest_mqchaos.brokers.kafka_direct import Direct
    except ImportError as error:
        raise missing_extra(error.name or "kio", "kafka", "Kafka") from error
    return Direct(nodes, check=alive)


class KafkaSide:
    """See `Side`."""

    protocol = "kafka"
    word = "topic"

    def __init__(
        self, *, direct: Callable[[Nodes, Callable[[], None]], Direct] | None = None,
        publisher: Callable[[str, Callable[[], None]], Publisher] | None = None,
    ) -> None:  # fmt: skip
        self._direct: Direct | None = None
        self._make = direct or _by_sockets
        self._publisher = publisher or KafkaPublisher

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
        self.close()
        self._direct = self._make(list(addresses.values()), alive)

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
        existing = self._existing(names)
        places = sorted(self.direct.ends(existing, stable=True)) if existing else []
        found: list[Record] = []
        for topic, partition in places:
            found += self._log(topic, partition, since.get((topic, partition), 0))
        return found

    def _log(self, topic: str, partition: int, since: int, tries: int = 5) -> list[Record]:
        """One partition from `since` on. Retention may take its beginning while it is read."""
        start, end = self.direct.ends([topic], stable=True)[topic, partition]
        first = max(start, since)
        if first >= end:
            return []
        try:
            return list(self.direct.read(topic, partition, first, end))
        except BrokerRefused as error:
            if error.code != OFFSET_OUT_OF_RANGE or not tries:
                raise
            return self._log(topic, partition, since, tries - 1)

    def blocked(self, names: Iterable[str]) -> list[Record]:
        existing = self._existing(names)
        found: list[Record] = []
        if not existing:
            return found
        stable = self.direct.ends(existing, stable=True)
        for (topic, partition), (_, end) in sorted(self.direct.ends(existing).items()):
            first = stable[topic, partition][1]
            if first < end:
                found += self.direct.read(topic, partition, first, end, committed=False)
        return found

    def standings(self, groups: Iterable[str], names: Iterable[str]) -> list[Standing]:
        groups = set(groups)
        if not groups:
            return []
        ends = self.ends(names)
        states = {group.name: group for group in self.direct.groups()}
        found = []
        for group in sorted(groups & set(states)):
            members = states[group].members
            active = None if members is None else len(members)
            offsets = self.direct.committed(group).get(group, {})
            for (topic, partition), (start, end) in sorted(ends.items()):
                at = offsets.get((topic, partition), -1)
                found.append(Standing(group, topic, partition, at, start, end, active))
        return found

    def empty(self, topic: str, partition: int, start: int, end: int) -> bool:
        stable = self.direct.ends([topic], stable=True)[topic, partition][1]
        if stable < end:
            return False  # a transaction is open: its messages may still come
        return next(iter(self.direct.read(topic, partition, start, end)), None) is None

    def positions(self) -> dict[tuple[str, str, int], int]:
        return {
            (group, topic, partition): offset
            for group, offsets in self.direct.committed().items()
            for (topic, partition), offset in offsets.items()
        }

    def epochs(self) -> dict[tuple[str, int], int]:
        topics = self.direct.metadata(None).topics.values()
        return {(t.name, n): epoch for t in topics for n, epoch in t.epochs.items() if epoch > 0}

    def lone(self) -> frozenset[tuple[str, int]]:
        topics = self.direct.metadata(None).topics.values()
        return frozenset(
            (t.name, n) for t in topics for n, copies in t.copies.items() if len(copies) == 1
        )

    def bury(self, members: Iterable[tuple[str, str]]) -> None:
        for group, member in members:
            try:
                self.direct.leave_group(group, member)
            except BrokerError as error:
                # Gone already is what we wanted.
                if getattr(error, "code", None) != UNKNOWN_MEMBER_ID:
                    raise

    def publisher(self, address: str, alive: Callable[[], None]) -> Publisher:
        return self._publisher(address, alive)

    def close(self) -> None:
        if self._direct is not None:
            self._direct.close()
            self._direct = None


class KafkaPublisher:
    """A `KafkaPost` on a thread with a loop of its own."""

    def __init__(self, address: str, alive: Callable[[], None]) -> None:
        self._post = KafkaPost(address)
        self._alive = alive
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="mqchaos-publisher", daemon=True
        )
        self._thread.start()

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
        return self._run(
            self._post.send(destination, messages, attempts=attempts, idempotent=idempotent)
        )

    def close(self) -> None:
        # Without a look at who may be gone: the client must be closed in any case.
        asyncio.run_coroutine_threadsafe(self._post.close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

"""Our own questions to a Kafka cluster, on its direct (unproxied) addresses.

The same for the embedded cluster and for real Kafka: topics, log ends, records, groups. It must
never know links, rules or verdicts, and it never touches the code under test.

    Direct -> kafka_topics, kafka_read, kafka_groups -> Asker (which node, retries) -> Connection
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Self

from pytest_mqchaos.brokers import (
    kafka_features,
    kafka_groups,
    kafka_read,
    kafka_replicas,
    kafka_topics,
)
from pytest_mqchaos.brokers.kafka_ask import SOCKETS, Asker, Cluster, Reach, TopicPartition
from pytest_mqchaos.brokers.kafka_groups import Group
from pytest_mqchaos.frames import Record


class Direct:
    """A synchronous client for questions. `address` is "host:port[,host:port]", a (host, port), or
    several (any one that answers will do); `timeout` in seconds is the limit of each question:
    WaitTimeout says what was asked and what came last, BrokerRefused what the broker refused.
    Safe to use from several threads: one request at a time per node. Close it, or use `with`."""

    def __init__(
        self, address: str | tuple[str, int] | Iterable[tuple[str, int]], *, timeout: float = 15.0,
        check: Callable[[], None] = lambda: None, reach: Reach | None = None,
    ) -> None:  # fmt: skip
        self._ask = Asker(address, timeout, check, reach or SOCKETS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._ask.close()

    # -- the cluster

    def api_versions(self) -> Mapping[int, tuple[int, int]]:
        """API key -> oldest and newest version served."""
        ask = self._ask
        return ask.persist(
            "ask for API versions", lambda left: ask.seed(lambda c, left: c.served(left), left)
        )

    def metadata(self, topics: Iterable[str] | None = None) -> Cluster:
        """Nodes, controller, topics (None: all). Creates no topic; an unknown one has its error."""
        names = None if topics is None else list(topics)
        return self._ask.persist("ask for metadata", lambda left: self._ask.look(names, left))

    def wait_ready(self, *, check: Callable[[], None] | None = None) -> None:
        """Return when a topic could be created: a port that is open is not enough. `check` is
        called between tries and may raise (say, when the process has ended)."""
        self._ask.persist(
            "wait until the broker is ready",
            lambda left: kafka_topics.could_create(self._ask, left),
            check=check,
            always=True,
        )

    def wait_replicated(self, nodes: Collection[int]) -> None:
        """Return when all these nodes are there and every partition has all its copies in sync."""
        self._ask.persist(
            "wait until every copy is in sync",
            lambda left: kafka_replicas.replicated(self._ask, nodes, left),
        )

    # -- who leads

    def placing(self, topic: str, partition: int) -> tuple[int, tuple[int, ...]]:
        """The leader of a partition (-1: none) and all nodes that hold it."""
        return self._ask.persist(
            f"ask who leads {topic}-{partition}",
            lambda left: kafka_replicas.placing(self._ask, topic, partition, left),
        )

    def coordinating(self, kind: str, key: str) -> TopicPartition | None:
        """The partition whose leader coordinates the "group" or "transaction" of this id; None
        before the first of its kind."""
        return self._ask.persist(
            f"ask who coordinates the {kind} {key!r}",
            lambda left: kafka_replicas.coordinating(self._ask, kind, key, left),
        )

    def wait_copied(self, topic: str, partition: int) -> None:
        """Return when what the leader holds now has been copied by all that are in sync."""
        kafka_replicas.caught_up(self._ask, topic, partition)

    def move_leader(self, topic: str, partition: int, to: int | None = None) -> int:
        """Hand a partition to a node in sync (None: the next); returns which, when it leads."""
        return kafka_replicas.move(self._ask, topic, partition, to)

    # -- topics

    def create_topic(
        self,
        name: str,
        partitions: int = 1,
        replication: int = 1,
        settings: Mapping[str, object] | None = None,
    ) -> None:
        """Create it and wait until every partition is served. BrokerRefused if it exists."""
        kafka_topics.create(self._ask, name, partitions, replication, settings or {})

    def delete_topic(self, name: str) -> None:
        """Delete it, wait until the cluster no longer knows it; one that is not there is fine."""
        kafka_topics.delete(self._ask, name)

    def recreate(
        self,
        name: str,
        partitions: int = 1,
        replication: int = 1,
        settings: Mapping[str, object] | None = None,
    ) -> None:
        """An empty topic of that name, whatever was there before."""
        self.delete_topic(name)
        self.create_topic(name, partitions, replication, settings)

    # -- the log

    def ends(
        self, topics: Iterable[str], *, stable: bool = False
    ) -> dict[TopicPartition, tuple[int, int]]:
        """Log start and end of every partition; the end is the next offset to be written, with
        `stable` the last stable offset (nothing at or above it is readable read-committed)."""
        return kafka_topics.ends(self._ask, topics, stable=stable)

    def read(
        self, topic: str, partition: int, start: int, end: int, *, committed: bool = True
    ) -> Iterator[Record]:
        """The data records in [start, end), in order; control records are left out, and with
        `committed` aborted ones too. WaitTimeout if an open transaction is in the way, BrokerError
        if the log does not reach that far."""
        return kafka_read.read(self._ask, topic, partition, start, end, committed=committed)

    def write(self, topic: str, partition: int, value: bytes) -> None:
        """Store a message with acks=all; perhaps twice, if an answer is lost."""
        kafka_replicas.write(self._ask, topic, partition, value)

    # -- groups

    def groups(self) -> list[Group]:
        """Every group with its state and members."""
        return kafka_groups.groups(self._ask)

    def committed(self, group: str | None = None) -> dict[str, dict[TopicPartition, int]]:
        """Group -> partition -> the next offset that it would read; None: of all groups."""
        return kafka_groups.committed(self._ask, group)

    def leave_group(self, group: str, member: str) -> None:
        """Make a member leave (LeaveGroup). BrokerRefused (25) if there is no such member."""
        kafka_groups.leave(self._ask, group, member)

    def delete_group(self, group: str) -> None:
        """Forget a group and its offsets; one that is not there is fine, one in use is not."""
        kafka_groups.delete(self._ask, group)

    # -- as they are

    def raw(self, frame: bytes, node: int | None = None) -> bytes:
        """One whole request frame out, one whole reply frame back (length prefixes included), once:
        never sent again. `node` None is any. OSError if the connection breaks meanwhile."""
        return self._ask.alone(frame, node)

    def finalize_features(self) -> None:
        """Raise the cluster's features to the newest levels that it supports (KIP-584)."""
        kafka_features.finalize(self._ask)

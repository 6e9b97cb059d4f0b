"""Who coordinates which group or transactional id: leaders of partitions of two internal topics.

It knows names, partitions and what each node knows of them. What a coordinator keeps is in the
modules of groups and transactions and counts as replicated: only who may answer is decided here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from kio.schema.errors import ErrorCode

from pytest_mqchaos.errors import unknown
from pytest_mqchaos.kafka_cluster.internal_topics import OFFSETS_TOPIC, TRANSACTIONS_TOPIC, slot
from pytest_mqchaos.kafka_cluster.replicas.partition import Partition
from pytest_mqchaos.kafka_cluster.settings import Settings

GROUP, TRANSACTION = "group", "transaction"
_TOPICS = {GROUP: OFFSETS_TOPIC, TRANSACTION: TRANSACTIONS_TOPIC}
_COPIES = 3  # of either, where there are so many nodes
_TRANSACTIONS_LEAST = 2  # transaction.state.log.min.isr


class Place(NamedTuple):
    """A partition of an internal topic, by kind of coordinator."""

    kind: str
    at: int


class Coordinators:
    """Partitions are made when they are first asked for: `admit` takes one into the cluster."""

    def __init__(
        self,
        nodes: tuple[int, ...],
        admit: Callable[[Partition, int], None],
        settings: Settings,
    ) -> None:
        self._nodes = nodes
        self._admit = admit
        self._least = {GROUP: settings.min_insync_replicas, TRANSACTION: _TRANSACTIONS_LEAST}
        self._made: dict[Place, Partition] = {}
        self._epochs: dict[Partition, int] = {}

    def all(self) -> Iterator[Partition]:
        """Walk the partitions there are."""
        yield from self._made.values()

    def partition(self, kind: str, key: str, now: int = 0) -> Partition:
        """Give the partition whose leader coordinates a group or transactional id. Raises
        `UsageError` for another kind."""
        if kind not in _TOPICS:
            raise unknown("kind of coordinator", kind, _TOPICS)
        place = Place(kind, slot(key))
        if place not in self._made:
            first = place.at % len(self._nodes)
            copies = min(_COPIES, len(self._nodes))
            nodes = tuple(self._nodes[(first + at) % len(self._nodes)] for at in range(copies))
            made = Partition(_TOPICS[kind], place.at, nodes, least=self._least[kind], internal=True)
            self._made[place] = made
            self._admit(made, now)
        return self._made[place]

    def check(self, kind: str, key: str, node: int) -> ErrorCode:
        """Say whether a node coordinates it; one that cannot write its decisions down does not."""
        partition = self.partition(kind, key)
        leader = partition.led_by(node)
        if leader is None:
            return ErrorCode.not_coordinator
        if leader is not partition.lead() or not leader.enough:
            return ErrorCode.coordinator_not_available
        return ErrorCode.none

    def seen_by(self, node: int, kind: str, key: str) -> int | None:
        """Give the coordinator as a node knows it, None if it knows of none."""
        return self.partition(kind, key).seen_by(node).leader

    def at_work(self, kind: str, key: str) -> bool:
        """Whether some node does what the coordinator has to do by itself."""
        leader = self.partition(kind, key).lead()
        return leader is not None and leader.enough

    def term(self, kind: str, key: str) -> int | None:
        """Give the leader epoch of the coordinator that is at work, None if none is."""
        leader = self.partition(kind, key).lead()
        return leader.epoch if leader is not None and leader.enough else None

    def moved(self, partition: Partition) -> bool:
        """Say whether groups have a new coordinator since the last time this was asked."""
        if not partition.internal or partition.topic != OFFSETS_TOPIC or partition.leader is None:
            return False
        before = self._epochs.get(partition)
        self._epochs[partition] = partition.leader_epoch
        return before is not None and before != partition.leader_epoch

    def of(self, partition: Partition, keys: Iterable[str]) -> list[str]:
        """Give those of the keys that a partition's leader coordinates."""
        return [key for key in keys if slot(key) == partition.index]

"""Topics of a cluster: names, ids, configs, partitions, and which node leads what.

It knows the rules of creating, growing and deleting; it knows no request layout. Ids and leaders
are functions of the seed and the order of creation, never of chance.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from uuid import UUID

from kio.schema.errors import ErrorCode

from pytest_mqchaos.kafka_cluster.logs.flushing import policy
from pytest_mqchaos.kafka_cluster.replicas.partition import UNHEARD_OF, Partition
from pytest_mqchaos.kafka_cluster.settings import Settings
from pytest_mqchaos.kafka_cluster.topic_configs import TOPIC_CONFIGS, problem_with

_FROM_BIRTH = ("flush.messages", "flush.ms")  # a replica is made with them
_LEGAL = re.compile(r"[a-zA-Z0-9._-]{1,249}")


@dataclass(slots=True, eq=False, kw_only=True)
class Topic:
    """One topic; `configs` holds only what was set on it."""

    name: str
    id: UUID
    configs: dict[str, str] = field(default_factory=dict)
    partitions: list[Partition] = field(default_factory=list)
    spread: list[tuple[int, ...]] = field(default_factory=list)

    def known_to(self, node: int) -> bool:
        """Whether a node has heard of it."""
        return self.partitions[0].seen_by(node) is not UNHEARD_OF


class Refusal(Exception):
    """A request on topics cannot be granted; `code` is Kafka's."""

    def __init__(self, code: ErrorCode, text: str) -> None:
        super().__init__(text)
        self.code = code


class Topics:
    """All topics of one cluster."""

    def __init__(
        self,
        nodes: Sequence[int],
        settings: Settings,
        seed: int,
        admit: Callable[[Partition, int], None],
    ) -> None:
        self._admit = admit
        self._nodes = tuple(nodes)
        self._settings = settings
        self._seed = seed
        self._made = 0
        self._by_name: dict[str, Topic] = {}
        self._by_id: dict[UUID, Topic] = {}

    def get(self, name: str) -> Topic | None:
        return self._by_name.get(name)

    def by_id(self, topic_id: UUID | None) -> Topic | None:
        return None if topic_id is None else self._by_id.get(topic_id)

    def all(self) -> list[Topic]:
        """Give every topic, by name."""
        return [self._by_name[name] for name in sorted(self._by_name)]

    def partition(self, topic: str, index: int) -> Partition | None:
        """Give one partition, None if there is no such topic or index."""
        found = self._by_name.get(topic)
        if found is None or not 0 <= index < len(found.partitions):
            return None
        return found.partitions[index]

    def create(
        self,
        name: str,
        *,
        partitions: int = -1,
        replication: int = -1,
        assignments: Mapping[int, Sequence[int]] | None = None,
        configs: Mapping[str, str] | None = None,
        only_check: bool = False,
        now: int = 0,
    ) -> Topic:
        """Create a topic (-1: the broker's default). Raises `Refusal`."""
        check_name(name)
        if name in self._by_name:
            raise Refusal(ErrorCode.topic_already_exists, f"Topic '{name}' already exists.")
        sound(configs or {})
        spread = self._spread(partitions, replication, assignments or {})
        topic = Topic(name=name, id=self._id(name), configs=dict(configs or {}), spread=spread)
        if not only_check:
            topic.partitions = [self._made_of(topic, at, to, now) for at, to in enumerate(spread)]
            self._made += 1
            self._by_name[name] = topic
            self._by_id[topic.id] = topic
        return topic

    def grow(
        self,
        name: str,
        count: int,
        assignments: Sequence[Sequence[int]] | None,
        *,
        only_check: bool,
        now: int = 0,
    ) -> None:
        """Add partitions up to `count`. Raises `Refusal`."""
        topic = self._by_name.get(name)
        if topic is None:
            raise Refusal(ErrorCode.unknown_topic_or_partition, f"There is no topic '{name}'.")
        have = len(topic.partitions)
        if count <= have:
            raise Refusal(
                ErrorCode.invalid_partitions,
                f"Topic '{name}' has {have} partitions, {count} would not be an increase.",
            )
        if assignments is not None and len(assignments) != count - have:
            raise Refusal(
                ErrorCode.invalid_replica_assignment,
                f"{count - have} partitions are added but {len(assignments)} are assigned.",
            )
        replication = len(topic.partitions[0].replicas)
        for at in range(have, count):
            nodes = (
                self._assigned(assignments[at - have])
                if assignments is not None
                else self._replicas(topic.partitions[0].replicas[0] - 1 + at, replication)
            )
            if not only_check:
                topic.partitions.append(self._made_of(topic, at, nodes, now))

    def delete(self, topic: Topic, now: int) -> None:
        """Remove a topic; readers who wait on it hear about it."""
        del self._by_name[topic.name]
        del self._by_id[topic.id]
        for partition in topic.partitions:
            partition.stir(now)

    def alter(
        self, topic: Topic, configs: Mapping[str, str], *, only_check: bool, now: int
    ) -> None:
        """Give a topic these configs, which are `sound`, in place of all of its own. Raises
        `Refusal` for what cannot change any more."""
        if any(topic.configs.get(name) != configs.get(name) for name in _FROM_BIRTH):
            text = f"{' and '.join(_FROM_BIRTH)} cannot change while the embedded cluster runs."
            raise Refusal(ErrorCode.invalid_config, text)
        if only_check:
            return
        topic.configs = dict(configs)
        least = int(self.config(topic.name, "min.insync.replicas"))
        unclean = self.config(topic.name, "unclean.leader.election.enable") == "true"
        for partition in topic.partitions:
            partition.configure(least=least, unclean=unclean, now=now)

    def config(self, topic: str, name: str) -> str:
        """Give a topic's value of a config, its own or the broker's."""
        found = self._by_name.get(topic)
        return self._value({} if found is None else found.configs, name)

    def _value(self, own: Mapping[str, str], name: str) -> str:
        return own[name] if name in own else TOPIC_CONFIGS[name].default(self._settings)

    def _made_of(self, topic: Topic, index: int, nodes: tuple[int, ...], now: int) -> Partition:
        least = int(self._value(topic.configs, "min.insync.replicas"))
        unclean = self._value(topic.configs, "unclean.leader.election.enable") == "true"
        names = ("flush.messages", "flush.ms")
        flush = policy(*(self._value(topic.configs, name) for name in names))
        made = Partition(topic.name, index, nodes, least=least, unclean=unclean, flush=flush)
        self._admit(made, now)
        return made

    def partitions(self) -> Iterator[Partition]:
        """Walk the partitions of all topics."""
        for topic in self._by_name.values():
            yield from topic.partitions

    def _spread(
        self, partitions: int, replication: int, assignments: Mapping[int, Sequence[int]]
    ) -> list[tuple[int, ...]]:
        if assignments:
            if partitions != -1 or replication != -1:
                raise Refusal(
                    ErrorCode.invalid_request,
                    "Give replica assignments or counts of partitions and replicas, not both.",
                )
            if sorted(assignments) != list(range(len(assignments))):
                raise Refusal(
                    ErrorCode.invalid_replica_assignment, "Partitions must count up from 0."
                )
            return [self._assigned(assignments[at]) for at in range(len(assignments))]
        count = self._settings.num_partitions if partitions == -1 else partitions
        copies = self._settings.default_replication_factor if replication == -1 else replication
        # Kafka looks at the copies first, but places them only when the partitions are right.
        if count < 1 <= copies:
            raise Refusal(ErrorCode.invalid_partitions, "The number of partitions must be >= 1.")
        if not 1 <= copies <= len(self._nodes):
            raise Refusal(
                ErrorCode.invalid_replication_factor,
                f"Replication factor {copies} is not between 1 and {len(self._nodes)} brokers.",
            )
        return [self._replicas(self._made + at, copies) for at in range(count)]

    def _replicas(self, first: int, copies: int) -> tuple[int, ...]:
        return tuple(self._nodes[(first + step) % len(self._nodes)] for step in range(copies))

    def _assigned(self, nodes: Sequence[int]) -> tuple[int, ...]:
        if not nodes or len(set(nodes)) != len(nodes) or not set(nodes) <= set(self._nodes):
            raise Refusal(
                ErrorCode.invalid_replica_assignment,
                f"Replicas {list(nodes)} must be distinct brokers of {list(self._nodes)}.",
            )
        return tuple(nodes)

    def _id(self, name: str) -> UUID:
        text = f"{self._seed}/{self._made}/{name}".encode()
        return UUID(bytes=sha256(text).digest()[:16], version=4)


def check_name(name: str) -> None:
    """Refuse what Kafka refuses as a topic name. Raises `Refusal`."""
    if name in {".", ".."} or not _LEGAL.fullmatch(name):
        raise Refusal(
            ErrorCode.invalid_topic_exception,
            f"Topic name {name!r} is not legal: 1 to 249 of a-z, A-Z, 0-9, '.', '_', '-'.",
        )


def sound(configs: Mapping[str, str]) -> None:
    """Refuse what no topic may be configured with. Raises `Refusal`."""
    for name, value in configs.items():
        problem = problem_with(name, value)
        if problem:
            raise Refusal(ErrorCode.invalid_config, problem)

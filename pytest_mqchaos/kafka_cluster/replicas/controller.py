"""The controller: whose session runs out, who is fenced, who leads what, who is in sync.

It hears nodes or does not (nodes.py) and decides for every partition; what came of it at the
replicas is replication's. It is always there and always one: the quorum behind it is not modelled.

    out of touch --broker.session.timeout.ms--> fenced: out of every in-sync set, leads nothing
    in touch again --> unfenced: may lead, catches up, comes back in sync
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

from pytest_mqchaos.kafka_cluster.replicas.election import settle
from pytest_mqchaos.kafka_cluster.replicas.nodes import Life, Nodes
from pytest_mqchaos.kafka_cluster.replicas.partition import Decision, Partition
from pytest_mqchaos.kafka_cluster.timers import Timer, Timers


class Election(NamedTuple):
    """Another leadership of a partition, for whoever tells the story; its leader may be None."""

    topic: str
    partition: int
    before: Decision
    after: Decision


class Controller:
    """`partitions` gives all there are; `changed(partition, now)` is called after each decision,
    `session` is in ns."""

    def __init__(
        self,
        nodes: Nodes,
        timers: Timers,
        *,
        session: int,
        partitions: Callable[[], Iterable[Partition]],
        changed: Callable[[Partition, int], None],
    ) -> None:
        self._nodes = nodes
        self._timers = timers
        self._session = session
        self._partitions = partitions
        self._changed = changed
        self._sessions: dict[int, Timer] = {}
        self._stale: dict[int, frozenset[int]] = {}
        self._hearing = set(nodes.all)
        self.unfenced = frozenset(nodes.all)
        self.elections: list[Election] = []

    def unfenced_as_seen_by(self, node: int) -> frozenset[int]:
        """Give the brokers that a node takes for working."""
        return self._stale.get(node, self.unfenced)

    def admit(self, partition: Partition, now: int) -> None:
        """Take a new partition in: who is fenced is not in sync and does not lead. Where all are,
        nobody is ahead of another: whoever comes back first may lead the empty log."""
        able = tuple(node for node in partition.replicas if node in self.unfenced)
        leader = able[0] if able else None
        self._decide(partition, Decision(leader, 0, able or partition.replicas), now)

    def look(self, now: int) -> None:
        """Processes or the network changed: see who is in touch."""
        for node in self._nodes.all:
            if not self._nodes.in_touch(node):
                self._lose(node, now)
            elif self._nodes.life[node] is Life.UP:
                self._keep(node, now)
            elif node not in self.unfenced:  # else its process's former life has a session yet
                self._take_in(node, now)
        for partition in self._partitions():
            self._changed(partition, now)

    def alter_in_sync(self, partition: Partition, in_sync: Iterable[int], now: int) -> None:
        """Grant a leader another in-sync set (AlterPartition)."""
        wanted = set(in_sync)
        ordered = tuple(node for node in partition.replicas if node in wanted)
        self._decide(partition, settle(partition, ordered, self.unfenced), now)

    def appoint(self, partition: Partition, node: int, now: int) -> None:
        """Have an in-sync replica lead."""
        before = partition.decision
        self._decide(partition, before._replace(leader=node, epoch=before.epoch + 1), now)

    def _lose(self, node: int, now: int) -> None:
        if node in self._hearing:
            self._hearing.discard(node)
            self._stale[node] = self.unfenced
        if node in self.unfenced and node not in self._sessions:
            until = now + self._session
            self._sessions[node] = self._timers.at(until, lambda now: self._expire(node, now))

    def _keep(self, node: int, now: int, *, crashed: bool = False) -> None:
        session = self._sessions.pop(node, None)
        if session is not None:
            session.cancel()
        if node not in self._hearing:
            self._hearing.add(node)
            self._stale.pop(node, None)
            for partition in self._partitions():
                partition.hear(node, now)
        if node not in self.unfenced:
            self._fence(self.unfenced | {node}, now, {node} if crashed else ())

    def _take_in(self, node: int, now: int) -> None:
        self._nodes.life[node] = Life.UP
        self._keep(node, now, crashed=True)

    def _expire(self, node: int, now: int) -> None:
        del self._sessions[node]
        self._fence(self.unfenced - {node}, now)
        self.look(now)

    def _fence(self, unfenced: frozenset[int], now: int, crashed: Collection[int] = ()) -> None:
        gone, self.unfenced = self.unfenced - unfenced, unfenced
        for partition in self._partitions():
            left = tuple(node for node in partition.in_sync if node not in gone)
            decision = settle(partition, left, unfenced, crashed)
            if decision != partition.decision:
                self._decide(partition, decision, now)

    def _decide(self, partition: Partition, decision: Decision, now: int) -> None:
        deaf = self._nodes.deaf()
        before = partition.decision
        if before.epoch >= 0 and decision.epoch != before.epoch and not partition.internal:
            self.elections.append(Election(partition.topic, partition.index, before, decision))
        partition.decide(decision, now, deaf)
        self._changed(partition, now)

"""Who fetches from whom, at once; what keeps a follower from it; who falls out of sync and returns.

It knows terms, nodes and rules that hold a follower back. It must never know requests, nor elect.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

from pytest_mqchaos.kafka_cluster.replicas.controller import Controller
from pytest_mqchaos.kafka_cluster.replicas.leader import Leader
from pytest_mqchaos.kafka_cluster.replicas.nodes import Nodes
from pytest_mqchaos.kafka_cluster.replicas.partition import Partition
from pytest_mqchaos.kafka_cluster.timers import Timer, Timers


class Hold(NamedTuple):
    """A rule: these followers fetch nothing. None means any; internal topics are never held."""

    topic: str | None
    partition: int | None
    follower: int | None

    def covers(self, partition: Partition, follower: int) -> bool:
        return (
            not partition.internal
            and self.topic in {None, partition.topic}
            and self.partition in {None, partition.index}
            and self.follower in {None, follower}
        )


class Replication:
    """Of one cluster. `lag` is `replica.lag.time.max.ms` in ns."""

    def __init__(self, nodes: Nodes, timers: Timers, *, lag: int) -> None:
        self._nodes = nodes
        self._timers = timers
        self._lag = lag
        self._late: dict[Leader, Timer] = {}
        self.holds: list[Hold] = []
        self.controller: Controller | None = None

    def connect(self, partition: Partition, now: int) -> None:
        """Find out anew who follows; who is level again comes back in sync."""
        if len(partition.replicas) == 1:
            return
        for leader in partition.leaders():
            leader.on_lag = partial(self._lags, partition)
        partition.connect(partial(self._follows, partition), now)
        leader_now = self._in_charge(partition)
        if leader_now is None or self.controller is None:
            return
        level = {one.node for one in leader_now.following} & self.controller.unfenced
        if not level <= set(leader_now.in_sync):
            self.controller.alter_in_sync(partition, level | set(leader_now.in_sync), now)

    def _follows(self, partition: Partition, leader: Leader, node: int) -> bool:
        seen = partition.seen_by(node)
        return (
            self._nodes.reach(leader.replica.node, node)
            and (seen.leader, seen.epoch) == (leader.replica.node, leader.epoch)
            and not any(hold.covers(partition, node) for hold in self.holds)
        )

    def _in_charge(self, partition: Partition) -> Leader | None:
        """Give the leader whose wish for another in-sync set the controller would grant."""
        leader = partition.lead()
        if leader is None or not self._nodes.hears(leader.replica.node):
            return None
        return leader

    def _lags(self, partition: Partition, leader: Leader, now: int) -> None:
        """Somebody in sync does not have everything: it has until its time is over."""
        if leader in self._late:
            return
        late = [leader.caught_up.get(node, now) for node in leader.in_sync if leader.lags(node)]
        if late:
            until = max(min(late) + self._lag, now + 1)
            look = partial(self._expire, partition, leader)
            self._late[leader] = self._timers.at(until, look)

    def _expire(self, partition: Partition, leader: Leader, now: int) -> None:
        del self._late[leader]
        if leader is not self._in_charge(partition) or self.controller is None:
            return
        out = {
            node
            for node in leader.in_sync
            if leader.lags(node) and leader.caught_up.get(node, now) + self._lag <= now
        }
        if out:
            self.controller.alter_in_sync(partition, set(leader.in_sync) - out, now)
        self._lags(partition, leader, now)

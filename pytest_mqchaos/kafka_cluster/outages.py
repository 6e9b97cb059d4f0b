"""What befalls brokers: killed, without power, paused, apart, held back, deposed - and healed.

It knows which deed is possible when, and whom to tell of it. It must never know connections
(cluster.py closes them) nor what a deed means to a log.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from pytest_mqchaos.errors import Impossible, UsageError
from pytest_mqchaos.kafka_cluster.replicas.nodes import Life
from pytest_mqchaos.kafka_cluster.replicas.partition import Partition
from pytest_mqchaos.kafka_cluster.replicas.replication import Hold

if TYPE_CHECKING:
    from pytest_mqchaos.kafka_cluster.state import State


class Outages:
    """The faults of one cluster. Every deed raises `Impossible` where nodes are in no state for it,
    `UsageError` for what could never be."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._nodes = state.broker_nodes

    def kill(self, node: int, now: int, *, power: bool = True) -> None:
        """End a broker's process (SIGKILL); without `power` only what was flushed is left."""
        self._must(node, Life.UP, Life.PAUSED, Life.STARTING, what="killed")
        self._nodes.life[node] = Life.DOWN
        for partition in self._state.partitions():
            partition.stop(node)
        self._state.controller.look(now)
        for partition in self._state.partitions():
            if not power and node in partition.copies:
                partition.copies[node].lose_power(now)

    def restart(self, node: int, now: int) -> None:
        """Start it again, with its log. The controller takes it in once its former session is
        over, as Kafka does with a broker that comes back too soon."""
        self._must(node, Life.DOWN, what="restarted")
        self._nodes.life[node] = Life.STARTING
        self._state.controller.look(now)

    def pause(self, node: int, now: int) -> None:
        """Stop a broker's process where it stands (SIGSTOP)."""
        self._must(node, Life.UP, what="paused")
        self._nodes.life[node] = Life.PAUSED
        self._state.controller.look(now)

    def wake(self, node: int) -> None:
        """Let a paused process run (SIGCONT). It knows no news yet: `tell` brings them."""
        self._must(node, Life.PAUSED, what="resumed")
        self._nodes.life[node] = Life.UP

    def tell(self, now: int) -> None:
        """Let everybody who can hear the controller hear it."""
        self._state.controller.look(now)

    def isolate(self, groups: Sequence[Collection[int]], now: int) -> None:
        """Cut the network between groups of brokers; clients reach all of them."""
        named = [node for group in groups for node in group]
        for node in named:
            self._known(node)
        if len(set(named)) != len(named) or not all(groups):
            raise UsageError(f"a broker is on one side: {[sorted(group) for group in groups]}.")
        self._nodes.split(groups)
        self._state.controller.look(now)

    def reunite(self, now: int) -> None:
        """Undo `isolate`."""
        self._nodes.split([])
        self._state.controller.look(now)

    def move(self, partition: Partition, to: int | None, now: int) -> int:
        """Have an in-sync replica lead, None: the next one behind the leader; gives who leads."""
        order, unfenced = partition.replicas, self._state.controller.unfenced
        begin = 0 if partition.leader is None else order.index(partition.leader) + 1
        turn = [*order[begin:], *order[:begin]]
        able = [node for node in turn if node in partition.in_sync and node in unfenced]
        able = [node for node in able if node != partition.leader]
        chosen = to if to is not None else (able[0] if able else None)
        if chosen not in able or chosen is None:
            raise (Impossible if to is None or to in order else UsageError)(
                f"{partition.topic}/{partition.index} cannot be led by {to or 'another'}: "
                f"node {partition.leader} leads, in sync and working besides it are {able}."
            )
        self._state.controller.appoint(partition, chosen, now)
        return chosen

    def hold(self, hold: Hold, now: int) -> None:
        """Have followers fetch nothing until `release`."""
        if hold.follower is not None:
            self._known(hold.follower)
        self._state.replication.holds.append(hold)
        self._state.controller.look(now)

    def release(self, now: int) -> None:
        """Undo every `hold`."""
        self._state.replication.holds.clear()
        self._state.controller.look(now)

    def life(self, node: int) -> Life:
        """Say what a node's process does."""
        self._known(node)
        return self._nodes.life[node]

    def _known(self, node: int) -> None:
        if node not in self._nodes.all:
            raise UsageError(f"there is no node {node}, only {list(self._nodes.all)}.")

    def _must(self, node: int, *lives: Life, what: str) -> None:
        self._known(node)
        life = self._nodes.life[node]
        if life not in lives:
            able = " or ".join(one.value for one in lives)
            raise Impossible(f"node {node} is {life.value}; only one that is {able} can be {what}.")

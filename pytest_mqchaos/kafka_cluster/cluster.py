"""The embedded Kafka cluster: bytes and time in, bytes out. No socket, no clock, no thread.

It knows its host's side: connections by number, the next wake, and what may befall its brokers.
What is said on a connection is serving's, what a deed means is outages'.

    host --connect/receive/disconnect/wake(now)--> Cluster --take_output/take_closed--> host
         --kill/pause/isolate/hold/heal(now)-----> |-- Serving: frame -> parse -> handler(Call)
                                                   |-- Outages: nodes, controller, replication
                                                   '-- next_wake: when it wants to be woken
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from kio.schema.errors import ErrorCode

from pytest_mqchaos.errors import UsageError
from pytest_mqchaos.kafka_cluster.outages import Outages
from pytest_mqchaos.kafka_cluster.replicas.nodes import Life
from pytest_mqchaos.kafka_cluster.replicas.partition import Partition
from pytest_mqchaos.kafka_cluster.replicas.replication import Hold
from pytest_mqchaos.kafka_cluster.serving import Serving
from pytest_mqchaos.kafka_cluster.settings import read
from pytest_mqchaos.kafka_cluster.state import State


class Cluster:
    """A whole cluster. Node ids are 1..brokers; `addresses` are what clients are told (host, port)
    of each; `settings` are Kafka's names (settings.py). Same calls with the same seed, same bytes.

    Raises `UsageError` for settings or addresses that cannot be.
    """

    def __init__(
        self,
        *,
        brokers: int = 1,
        addresses: Mapping[int, tuple[str, int]],
        settings: Mapping[str, object] | None = None,
        seed: int = 0,
    ) -> None:
        if brokers < 1 or set(addresses) != set(range(1, brokers + 1)):
            raise UsageError(
                f"a cluster of {brokers} brokers needs the addresses of nodes 1 to {brokers}, "
                f"given were those of {sorted(addresses)}."
            )
        self.state = State(addresses=addresses, settings=read(settings or {}), seed=seed)
        self._serving = Serving(self.state)
        self._outages = Outages(self.state)
        self.receive = self._serving.receive
        self.disconnect = self._serving.disconnect
        self.wake = self._serving.wake

    def connect(self, node: int, now: int) -> int:  # noqa: ARG002 - time is part of every event
        """Accept a connection to a node; gives its number."""
        if not self.alive(node):
            raise UsageError(f"node {node} takes no connections: it was killed.")
        return self._serving.connect(node)

    def next_wake(self) -> int | None:
        """Give the instant (ns) at which `wake` should be called, None if nothing is due."""
        return self.state.timers.next()

    def take_output(self) -> list[tuple[int, bytes]]:
        """Give the answers since the last call, in order, with their connections."""
        taken, self._serving.output = self._serving.output, []
        return taken

    def take_closed(self) -> list[int]:
        """Give the connections that the cluster ended, after their last output."""
        taken, self._serving.closed = self._serving.closed, []
        return taken

    def take_failures(self) -> list[str]:
        """Give sentences about requests on which this code itself failed. Its host must make the
        run unknown: a broken broker proves nothing."""
        taken, self._serving.failures = self._serving.failures, []
        return taken

    def take_elections(self) -> list[tuple[str, int, int | None, int | None, int]]:
        """Give the changes of leadership since the last call: topic, partition, who led, who leads
        (None: nobody can), the new leader epoch."""
        elections = self.state.controller.elections
        taken = [(e.topic, e.partition, e.before.leader, e.after.leader, e.after.epoch)
                 for e in elections]  # fmt: skip
        elections.clear()
        return taken

    # ------------------------------------------------------------------ what befalls brokers

    def alive(self, node: int) -> bool:
        """Say whether a connection to a node comes about: not from its end until the controller
        has taken the restarted one in."""
        return self._outages.life(node) in {Life.UP, Life.PAUSED}

    def kill(self, node: int, now: int) -> None:
        """End a broker's process; its log stays. Raises `Impossible`, as all of these do, where it
        is not possible as things are, and says what is; `UsageError` for what never could be."""
        self._outages.kill(node, now)
        self._serving.hang_up(node)
        self._serving.pump(now)

    def power_loss(self, node: int, now: int) -> None:
        """End a broker's process; of its log stays what was flushed (`log.flush.interval.*`)."""
        self._outages.kill(node, now, power=False)
        self._serving.hang_up(node)
        self._serving.pump(now)

    def restart(self, node: int, now: int) -> None:
        """Start a killed broker. It is back when the session of its former life is over."""
        self._outages.restart(node, now)
        self._serving.pump(now)

    def pause(self, node: int, now: int) -> None:
        """Stop a broker's process: connections stay, nothing is done."""
        self._outages.pause(node, now)
        self._serving.stand_still(node)
        self._serving.pump(now)

    def resume(self, node: int, now: int) -> None:
        """Let it go on: first with what it had in its sockets and knew, then it hears the news."""
        self._outages.wake(node)
        self._serving.go_on(node)
        self._serving.pump(now)
        self._outages.tell(now)
        self._serving.pump(now)

    def isolate(self, groups: Sequence[Collection[int]], now: int) -> None:
        """Cut the network between groups of brokers; the controller is with the largest."""
        self._outages.isolate(groups, now)
        self._serving.pump(now)

    def reunite(self, now: int) -> None:
        """Undo `isolate`."""
        self._outages.reunite(now)
        self._serving.pump(now)

    def move_leader(self, topic: str, partition: int, to: int | None, now: int) -> int:
        """Have another in-sync replica lead (None: the next one); gives which."""
        chosen = self._outages.move(self._partition(topic, partition), to, now)
        self._serving.pump(now)
        return chosen

    def move_coordinator(self, kind: str, key: str, to: int | None, now: int) -> int:
        """Have another node coordinate a "group" or "transaction" (None: the next one)."""
        chosen = self._outages.move(self.state.coordinators.partition(kind, key, now), to, now)
        self._serving.pump(now)
        return chosen

    def expire(self, topic: str, partition: int, before: int | None, now: int) -> int:
        """Have the log start at `before` (None: the high watermark), as retention would: whoever
        stands below is out of range. Gives where it starts."""
        leader = self._partition(topic, partition).lead()
        if leader is None:
            raise UsageError(f"nobody leads {topic}-{partition}: nothing can be deleted there.")
        if leader.delete_before(-1 if before is None else before, now) is not ErrorCode.none:
            end = leader.high_watermark
            raise UsageError(f"{topic}-{partition} ends at {end}: it cannot start at {before}.")
        self._serving.pump(now)
        return leader.log.start

    def hold_replication(
        self, topic: str | None, partition: int | None, follower: int | None, now: int
    ) -> None:
        """Have followers fetch nothing (None: any topic, partition, follower)."""
        self._outages.hold(Hold(topic, partition, follower), now)
        self._serving.pump(now)

    def release_replication(self, now: int) -> None:
        """Undo every `hold_replication`."""
        self._outages.release(now)
        self._serving.pump(now)

    def heal(self, now: int) -> None:
        """Undo everything: all run, hear each other and fetch."""
        self.reunite(now)
        self.release_replication(now)
        for node in self.state.nodes:
            if self._outages.life(node) is Life.PAUSED:
                self.resume(node, now)
            elif self._outages.life(node) is Life.DOWN:
                self.restart(node, now)

    def leader(self, topic: str, partition: int) -> int | None:
        """Give the node that is elected, None while nobody can be."""
        return self._partition(topic, partition).leader

    def followers(self, topic: str, partition: int) -> tuple[int, ...]:
        """Give the other nodes that have a replica."""
        found = self._partition(topic, partition)
        return tuple(node for node in found.replicas if node != found.leader)

    def coordinator(self, kind: str, key: str) -> int | None:
        """Give the node that coordinates a "group" or "transaction", None while nobody can."""
        return self.state.coordinators.partition(kind, key).leader

    def _partition(self, topic: str, partition: int) -> Partition:
        found = self.state.topics.partition(topic, partition)
        if found is None:
            raise UsageError(f"there is no partition {partition} of a topic {topic!r}.")
        return found

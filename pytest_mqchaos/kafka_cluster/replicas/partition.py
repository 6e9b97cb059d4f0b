"""One partition of a cluster: what the controller decided, what each node knows of that, and the
replicas.

It knows decisions and to whom they came through; it must never know why one was made (controller)
nor what a leader does with it (leader).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple

from kio.schema.errors import ErrorCode

from pytest_mqchaos.kafka_cluster.logs.flushing import NEVER, Policy
from pytest_mqchaos.kafka_cluster.replicas.leader import Leader, check_epoch
from pytest_mqchaos.kafka_cluster.replicas.replica import Replica


class Decision(NamedTuple):
    """Who leads (None: nobody can) since which leader epoch, and which replicas are in sync.
    `eligible`: out of sync, but they have all that was readable (KIP-966); `last`: who led last,
    while nobody does."""

    leader: int | None
    epoch: int
    in_sync: tuple[int, ...]
    eligible: tuple[int, ...] = ()
    last: int | None = None


UNHEARD_OF = Decision(None, -1, ())  # what a node knows that never heard of the partition


class Partition:
    """`replicas` are node ids in order of preference. `least`: `min.insync.replicas`, but never
    more than there are replicas (KIP-966). `unclean`: whoever lives may lead when nobody in sync
    can. Nobody has heard of it before the first decision."""

    __slots__ = (
        "_leaders",
        "_stale",
        "copies",
        "decision",
        "index",
        "internal",
        "least",
        "replicas",
        "topic",
        "unclean",
    )

    def __init__(
        self,
        topic: str,
        index: int,
        replicas: tuple[int, ...],
        *,
        least: int = 1,
        unclean: bool = False,
        internal: bool = False,
        flush: Policy = NEVER,
    ) -> None:
        self.topic = topic
        self.index = index
        self.replicas = replicas
        self.least = min(least, len(replicas))
        self.unclean = unclean
        self.internal = internal
        self.copies = {node: Replica(node, flush) for node in replicas}
        self.decision = UNHEARD_OF
        self._leaders: dict[int, Leader] = {}
        self._stale: dict[int, Decision] = {}

    def configure(self, *, least: int, unclean: bool, now: int) -> None:
        """Take other limits for elections and for the high watermark."""
        self.least, self.unclean = min(least, len(self.replicas)), unclean
        for leader in self.leaders():
            leader.least = self.least
            leader.follow(leader.following, leader.in_sync, now)

    @property
    def leader(self) -> int | None:
        """The elected node, whether it knows of it or not."""
        return self.decision.leader

    @property
    def leader_epoch(self) -> int:
        return self.decision.epoch

    @property
    def in_sync(self) -> tuple[int, ...]:
        return self.decision.in_sync

    def seen_by(self, node: int) -> Decision:
        """Give what a node knows: the last decision that came through to it."""
        return self._stale.get(node, self.decision) if self._stale else self.decision

    def led_by(self, node: int) -> Leader | None:
        """Give the leader that a node takes itself for, None if it does not."""
        return self._leaders.get(node)

    def lead(self) -> Leader | None:
        """Give the elected leader, None while nobody leads or the elected one does not know."""
        node = self.decision.leader
        found = None if node is None else self._leaders.get(node)
        return found if found is not None and found.epoch == self.decision.epoch else None

    def leaders(self) -> Iterator[Leader]:
        """Walk all that take themselves for the leader."""
        yield from tuple(self._leaders.values())

    def refuse(self, node: int, epoch: int, *, follower: bool = False) -> ErrorCode:
        """Say why a node does not serve a client that believes in a leader epoch (-1: it does not
        say), or that it does. `follower`: one that only follows may serve (KIP-392)."""
        if node not in self.copies:
            return ErrorCode.not_leader_or_follower
        leader = self._leaders.get(node)
        if leader is not None:
            return leader.check_epoch(epoch)
        seen = self.seen_by(node)
        code = check_epoch(epoch, seen.epoch)
        if code is ErrorCode.none and not (follower and seen is not UNHEARD_OF):
            return ErrorCode.not_leader_or_follower
        return code

    def decide(self, decision: Decision, now: int, deaf: Collection[int] = ()) -> None:
        """Take a decision of the controller; the `deaf` do not hear of it."""
        for node in deaf:
            self._stale.setdefault(node, self.decision)
        self.decision = decision
        for node in self.replicas:
            if node not in deaf:
                self._apply(node, now)

    def connect(self, follows: Callable[[Leader, int], bool], now: int) -> None:
        """Find out anew who fetches from whom: `follows(leader, node)`."""
        for leader in self.leaders():
            others = (node for node in self.replicas if node != leader.replica.node)
            following = [self.copies[node] for node in others if follows(leader, node)]
            leader.follow(following, leader.in_sync, now)

    def hear(self, node: int, now: int) -> None:
        """Tell a node what was decided while it heard nothing."""
        self._stale.pop(node, None)
        if node in self.copies:
            self._apply(node, now)

    def stop(self, node: int) -> None:
        """A node's process is gone, and with it whatever it believed."""
        leader = self._leaders.pop(node, None)
        if leader is not None:
            leader.ended, leader.following = True, ()

    def stir(self, now: int) -> None:
        """Tell everybody who watches any replica."""
        for replica in self.copies.values():
            replica.stir(now)

    def _apply(self, node: int, now: int) -> None:
        wanted, leader = self.decision, self._leaders.get(node)
        if leader is not None and (wanted.leader, wanted.epoch) != (node, leader.epoch):
            del self._leaders[node]
            leader.end(now)
            leader = None
        if wanted.leader != node:
            return
        if leader is None:
            self._leaders[node] = Leader(
                self.copies[node],
                epoch=wanted.epoch,
                in_sync=wanted.in_sync,
                least=self.least,
                now=now,
            )
        elif leader.in_sync != wanted.in_sync:
            leader.follow(leader.following, wanted.in_sync, now)

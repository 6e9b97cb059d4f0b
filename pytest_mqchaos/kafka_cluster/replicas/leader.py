"""One partition as its leader sees it: what it appends, who follows, how far all have come.

It knows one term (a leader epoch) of one node. It must never know who was elected elsewhere, why a
follower stopped, or any request: a leader that nobody told goes on believing in itself.

    append -> own replica -> those who follow, in the same instant -> high watermark -> watchers
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from kio.schema.errors import ErrorCode

from pytest_mqchaos.kafka_cluster.logs.batches import Batch, place
from pytest_mqchaos.kafka_cluster.logs.log import Log
from pytest_mqchaos.kafka_cluster.replicas.catching_up import catch_up
from pytest_mqchaos.kafka_cluster.replicas.replica import Replica

_TO_THE_END = -1  # of DeleteRecords: up to the high watermark


class Appended(NamedTuple):
    """Where a batch stands. `timestamp` is -1 unless the batch is a copy of a stored one: then it
    is the stored one's, as Kafka answers. `end` is the offset behind its last record. `in_log`:
    the log itself said so, and then its start is told, too."""

    code: ErrorCode
    offset: int = -1
    timestamp: int = -1
    message: str | None = None
    end: int = -1
    in_log: bool = False


class Leader:
    """`in_sync` is what this node believes, `least` the smallest in-sync set with which the high
    watermark moves (KIP-966). `caught_up`: when each follower last had everything (ns)."""

    __slots__ = (
        "_everybody",
        "_known_ends",
        "began_at",
        "caught_up",
        "ended",
        "epoch",
        "following",
        "in_sync",
        "least",
        "on_lag",
        "replica",
    )

    def __init__(
        self, replica: Replica, *, epoch: int, in_sync: tuple[int, ...], least: int, now: int
    ) -> None:
        self.replica = replica
        self.epoch = epoch
        self.in_sync = in_sync
        self.least = least
        self.ended = False
        self.following: tuple[Replica, ...] = ()
        self.began_at = replica.log.end
        self.caught_up = dict.fromkeys(in_sync, now)
        self.on_lag: Callable[[Leader, int], None] | None = None
        self._known_ends: dict[int, int] = {}
        replica.epochs.note(epoch, replica.log.end)
        self.follow((), in_sync, now)

    @property
    def log(self) -> Log:
        return self.replica.log

    @property
    def high_watermark(self) -> int:
        return self.replica.high_watermark

    @property
    def last_stable(self) -> int:
        return self.replica.last_stable

    @property
    def enough(self) -> bool:
        """Whether as many are in sync as `min.insync.replicas` wants."""
        return len(self.in_sync) >= self.least

    def append(self, batch: Batch, now: int) -> Appended:
        """Store a batch, or say why not, or where its first copy stands."""
        judged = self.replica.producers.judge(batch)
        if isinstance(judged, Batch):
            place_of = (judged.base, judged.max_timestamp)
            return Appended(ErrorCode.none, *place_of, end=judged.last + 1)
        if judged is not ErrorCode.none:
            return Appended(judged, message=_refusal(judged, batch))
        placed = place(batch, self.log.end, self.epoch)
        self.replica.append(placed, now)
        for follower in self.following:
            follower.append(placed, now)
        self.advance(now)
        return Appended(ErrorCode.none, placed.base, end=placed.last + 1)

    def advance(self, now: int) -> None:
        """Move the high watermark to where every in-sync replica is, and tell those who follow."""
        if self._everybody:
            reached = self.log.end
        else:
            if self.on_lag is not None:
                self.on_lag(self, now)
            reached = self._reached() if self.enough else 0
        self.replica.learn(reached, now)
        for follower in self.following:
            follower.learn(self.replica.high_watermark, now)

    def follow(self, following: Iterable[Replica], in_sync: tuple[int, ...], now: int) -> None:
        """Hear who fetches from now on and who is in sync; who comes new is brought level."""
        before, self.following = self.following, tuple(following)
        self.in_sync = in_sync
        for lost in before:
            if lost not in self.following:
                self._known_ends[lost.node] = self.log.end
                self.caught_up[lost.node] = now
        for follower in self.following:
            if follower not in before:
                catch_up(follower, self.replica, now)
            self.caught_up[follower.node] = now
        level = {self.replica.node, *(one.node for one in self.following)}
        self._everybody = level.issuperset(in_sync) and self.enough
        self.advance(now)

    def lags(self, node: int) -> bool:
        """Whether an in-sync follower does not have everything."""
        if node == self.replica.node or any(one.node == node for one in self.following):
            return False
        return self._known_ends.get(node, -1) != self.log.end

    def check_epoch(self, given: int) -> ErrorCode:
        """Compare the leader epoch that a client believes in (-1: it does not say; KIP-320)."""
        return check_epoch(given, self.epoch)

    def delete_before(self, offset: int, now: int) -> ErrorCode:
        """Move the log start (DeleteRecords); -1 means up to the high watermark."""
        target = self.high_watermark if offset == _TO_THE_END else offset
        if not 0 <= target <= self.high_watermark:
            return ErrorCode.offset_out_of_range
        for replica in (self.replica, *self.following):
            replica.delete_before(target)
            replica.stir(now)
        return ErrorCode.none

    def end(self, now: int) -> None:
        """Lead no more: everybody who waits hears of it."""
        self.ended = True
        self.following = ()
        self.replica.stir(now)

    def _reached(self) -> int:
        following = {one.node for one in self.following} | {self.replica.node}
        known = (self._known_ends.get(node, 0) for node in self.in_sync if node not in following)
        return min([self.log.end, *known])


def check_epoch(given: int, current: int) -> ErrorCode:
    """Compare the leader epoch that a client gave with a replica's."""
    if given < 0 or given == current:
        return ErrorCode.none
    return ErrorCode.fenced_leader_epoch if given < current else ErrorCode.unknown_leader_epoch


def _refusal(code: ErrorCode, batch: Batch) -> str:
    return (
        f"{code.name}: producer {batch.producer_id}, epoch {batch.epoch}, "
        f"first sequence {batch.first_sequence}"
    )

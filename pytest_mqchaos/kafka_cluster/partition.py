"""One partition as its leader sees it: log, producers, high watermark, who waits for data.

It knows what appending and reading mean to a leader; it knows no connection and no request layout.
Replication slots in here: followers will have a `Log` each and move `high_watermark`; until then
the in-sync set is the whole replica set and the watermark is the log's end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from kio.schema.errors import ErrorCode

from pytest_mqchaos.kafka_cluster.batches import Batch
from pytest_mqchaos.kafka_cluster.log import Log
from pytest_mqchaos.kafka_cluster.producers import Producers


class Appended(NamedTuple):
    """Where a batch stands. `timestamp` is -1 unless the batch is a copy of a stored one: then it
    is the stored one's, as Kafka answers."""

    code: ErrorCode
    offset: int = -1
    timestamp: int = -1
    message: str | None = None


@dataclass(slots=True, eq=False)
class Watch:
    """Somebody who wants to hear that there is more to read; `cancel` ends it."""

    act: Callable[[int], None] | None

    def cancel(self) -> None:
        self.act = None


class Partition:
    """`leader`, `replicas` and `in_sync` are node ids; `leader_epoch` grows with each election."""

    __slots__ = (
        "_watches",
        "high_watermark",
        "in_sync",
        "index",
        "leader",
        "leader_epoch",
        "log",
        "producers",
        "replicas",
        "topic",
    )

    def __init__(self, topic: str, index: int, replicas: tuple[int, ...]) -> None:
        self.topic = topic
        self.index = index
        self.replicas = replicas
        self.in_sync = replicas
        self.leader = replicas[0]
        self.leader_epoch = 0
        self.log = Log()
        self.producers = Producers()
        self.high_watermark = 0
        self._watches: list[Watch] = []

    @property
    def last_stable(self) -> int:
        """The last stable offset: no transaction can be open yet, so it is the watermark."""
        return self.high_watermark

    def append(self, batch: Batch, now: int) -> Appended:
        """Store a batch as leader, or say why not, or where its first copy stands."""
        judged = self.producers.judge(batch)
        if isinstance(judged, Batch):
            return Appended(ErrorCode.none, judged.base, judged.max_timestamp)
        if judged is not ErrorCode.none:
            return Appended(judged, message=_refusal(judged, batch))
        placed = self.log.append(batch, self.leader_epoch)
        self.producers.remember(placed)
        self._advance(self.log.end, now)
        return Appended(ErrorCode.none, placed.base)

    def check_epoch(self, given: int) -> ErrorCode:
        """Compare the leader epoch that a client believes in (-1: it does not say; KIP-320)."""
        if given < 0 or given == self.leader_epoch:
            return ErrorCode.none
        if given < self.leader_epoch:
            return ErrorCode.fenced_leader_epoch
        return ErrorCode.unknown_leader_epoch

    def check_offset(self, offset: int) -> ErrorCode:
        """Say whether a reader may stand at this offset."""
        if self.log.start <= offset <= self.log.end:
            return ErrorCode.none
        return ErrorCode.offset_out_of_range

    def delete_before(self, offset: int) -> ErrorCode:
        """Move the log start (DeleteRecords); -1 means up to the high watermark."""
        target = self.high_watermark if offset < 0 else offset
        if target > self.high_watermark:
            return ErrorCode.offset_out_of_range
        self.log.delete_before(target)
        return ErrorCode.none

    def watch(self, act: Callable[[int], None]) -> Watch:
        """Have `act(now)` called at each change that a reader could see, until cancelled."""
        watch = Watch(act)
        self._watches = [one for one in self._watches if one.act is not None]
        self._watches.append(watch)
        return watch

    def stir(self, now: int) -> None:
        """Tell everybody who watches (more data, a new leader, deletion)."""
        for watch in self._watches.copy():
            if watch.act is not None:
                watch.act(now)

    def _advance(self, high_watermark: int, now: int) -> None:
        self.high_watermark = high_watermark
        self.stir(now)


def _refusal(code: ErrorCode, batch: Batch) -> str:
    return (
        f"{code.name}: producer {batch.producer_id}, epoch {batch.epoch}, "
        f"first sequence {batch.first_sequence}"
    )

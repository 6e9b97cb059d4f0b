"""Writing the end of a transaction where it has to be: into logs, and into groups' positions.

It knows how to end one transaction everywhere and what is still missing; it must never know why it
ended. A marker counts when it is below the high watermark: one that its leader lost with its life
is written again by the next leader.
"""

from __future__ import annotations

from typing import NamedTuple

from kio.schema.errors import ErrorCode

from pytest_mqchaos.kafka_cluster.groups.offsets import Offsets
from pytest_mqchaos.kafka_cluster.internal_topics import OFFSETS_TOPIC
from pytest_mqchaos.kafka_cluster.logs.control_batches import marker
from pytest_mqchaos.kafka_cluster.replicas.leader import Leader
from pytest_mqchaos.kafka_cluster.topics import Topics
from pytest_mqchaos.kafka_cluster.transactions.transaction import Phase, Place, Transaction


class _Written(NamedTuple):
    """A marker that is not known to be replicated: of which term of the leader, and where."""

    epoch: int
    offset: int


class Ending:
    """One transaction's end. Call `go` until it gives True."""

    __slots__ = ("_commit", "_missing", "_offsets", "_topics", "_transaction", "_written")

    def __init__(self, transaction: Transaction, topics: Topics, offsets: Offsets) -> None:
        self._transaction = transaction
        self._commit = transaction.phase is Phase.PREPARE_COMMIT
        self._topics = topics
        self._offsets = offsets
        self._missing = sorted(transaction.places)
        self._written: dict[Place, _Written] = {}

    def go(self, coordinator_epoch: int, now: int) -> bool:
        """Write what can be written; True when nothing is missing any more."""
        self._missing = [
            place for place in self._missing if not self._end(place, coordinator_epoch, now)
        ]
        return not self._missing

    def _end(self, place: Place, coordinator_epoch: int, now: int) -> bool:
        if place[0] == OFFSETS_TOPIC:
            self._offsets.end(self._transaction.producer_id, place[1], commit=self._commit)
            return True
        partition = self._topics.partition(*place)
        if partition is None:
            return True  # deleted meanwhile
        leader = partition.lead()
        if leader is None or not leader.enough:
            return False
        done = self._written.get(place)
        if done is None or done.epoch != leader.epoch:
            return self._append(place, leader, coordinator_epoch, now)
        return leader.high_watermark > done.offset

    def _append(self, place: Place, leader: Leader, coordinator_epoch: int, now: int) -> bool:
        batch = marker(
            producer_id=self._transaction.producer_id,
            epoch=self._transaction.epoch,
            commit=self._commit,
            coordinator_epoch=coordinator_epoch,
            timestamp=leader.log.newest,
        )
        appended = leader.append(batch, now)
        if appended.code is not ErrorCode.none:
            return True  # a newer epoch is there already: its coordinator has ended this one
        self._written[place] = _Written(leader.epoch, appended.offset)
        return leader.high_watermark > appended.offset

"""What a partition remembers of each producer id, so that a resent batch is stored once.

It knows sequences and epochs (KIP-98, KIP-360), and that a marker ends a transaction and may bring
the next epoch (KIP-890); it knows no log and no request. A batch is judged
first (`judge`), stored by its owner, then remembered (`remember`).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

from kio.schema.errors import ErrorCode

from pytest_mqchaos.kafka_cluster.logs.batches import Batch
from pytest_mqchaos.kafka_cluster.logs.control_batches import coordinator_epoch
from pytest_mqchaos.kafka_cluster.logs.log import Log

KEPT = 5  # batches per producer, as in Kafka: a client has at most five in flight
_LAST_SEQUENCE = 2**31 - 1
_NO_PRODUCER = -1


@dataclass(slots=True)
class _Producer:
    """`batches` of this epoch; `ongoing`: it has a transaction open here."""

    epoch: int
    ongoing: bool = False
    last_timestamp: int = -1
    coordinator_epoch: int = -1
    batches: deque[Batch] = field(default_factory=lambda: deque(maxlen=KEPT))


class _Unverified(NamedTuple):
    """The lowest sequence of an epoch whose transaction was asked for; `adds`: by a client that
    adds partitions by writing to them, and so begins at 0 (KIP-890)."""

    epoch: int
    lowest: int
    adds: bool


class Shown(NamedTuple):
    """What DescribeProducers tells of one; -1 for what there is not."""

    producer_id: int
    epoch: int
    last_sequence: int
    last_timestamp: int
    coordinator_epoch: int


class Producers:
    """The producer state of one partition."""

    __slots__ = ("_known", "_unverified")

    def __init__(self) -> None:
        self._known: dict[int, _Producer] = {}
        self._unverified: dict[int, _Unverified] = {}

    @classmethod
    def after(cls, before: Producers, log: Log) -> Producers:
        """Give the state of a log that lost its end: `before` still knows what was deleted from
        its start, the rest stands in the log."""
        fresh = cls()
        for known in before._known.values():
            for batch in known.batches:
                if batch.last < log.start:
                    fresh.remember(batch)
        for batch in log.batches():
            fresh.remember(batch)
        return fresh

    def judge(self, batch: Batch) -> Batch | ErrorCode:
        """Say `ErrorCode.none` (append it), another code (refuse it), or give the stored first
        copy of a batch that came before (answer with its offset, store nothing)."""
        if batch.producer_id == _NO_PRODUCER:
            return ErrorCode.none
        known = self._known.get(batch.producer_id)
        if known is not None and batch.epoch < known.epoch:
            return ErrorCode.invalid_producer_epoch
        if batch.control:
            return ErrorCode.none
        copy = None if known is None else _stored(known, batch)
        if copy is not None:
            return copy
        if (self._unverified and self._overtakes(batch, known)) or not _follows(batch, known):
            return ErrorCode.out_of_order_sequence_number
        if not batch.transactional and self.ongoing(batch.producer_id, batch.epoch):
            return ErrorCode.invalid_txn_state
        return ErrorCode.none

    def ongoing(self, producer_id: int, epoch: int) -> bool:
        """Say whether this producer has a transaction open here."""
        known = self._known.get(producer_id)
        return known is not None and known.ongoing and known.epoch == epoch

    def verifying(self, batch: Batch, *, adds: bool) -> None:
        """Note that a batch's transaction is asked for. What comes while it is refused must not be
        overtaken: the lowest sequence is remembered until a batch of a transaction is stored."""
        before = self._unverified.get(batch.producer_id)
        given = _Unverified(batch.epoch, batch.first_sequence, adds)
        if before is None:
            self._unverified[batch.producer_id] = given
        elif (given.epoch, -given.lowest) > (before.epoch, -before.lowest):
            self._unverified[batch.producer_id] = given._replace(adds=before.adds)

    def shown(self) -> list[Shown]:
        """Give every producer, by id."""
        return [
            Shown(
                producer_id,
                one.epoch,
                one.batches[-1].last_sequence if one.batches else -1,
                one.last_timestamp,
                one.coordinator_epoch,
            )
            for producer_id, one in sorted(self._known.items())
        ]

    def _overtakes(self, batch: Batch, known: _Producer | None) -> bool:
        unverified = self._unverified.get(batch.producer_id)
        if unverified is None:
            return False
        fresh = known is None or not known.batches
        late = unverified.adds and fresh and batch.first_sequence != 0
        return late or batch.first_sequence > unverified.lowest

    def remember(self, batch: Batch) -> None:
        """Note a stored batch (with its offsets)."""
        if batch.producer_id == _NO_PRODUCER:
            return
        if batch.transactional and self._unverified:
            self._unverified.pop(batch.producer_id, None)
        known = before = self._known.get(batch.producer_id)
        if known is None or known.epoch != batch.epoch:
            known = self._known[batch.producer_id] = _Producer(batch.epoch)
            known.coordinator_epoch = -1 if before is None else before.coordinator_epoch
        known.ongoing = batch.transactional and not batch.control
        known.last_timestamp = batch.max_timestamp
        if batch.control:
            known.coordinator_epoch = coordinator_epoch(batch)
        else:
            known.batches.append(batch._replace(raw=b""))


def _stored(known: _Producer, batch: Batch) -> Batch | None:
    """Give the first copy of a batch, if it is one of the last that were stored."""
    wanted = (batch.first_sequence, batch.last_sequence)
    if batch.epoch == known.epoch:
        for kept in known.batches:
            if (kept.first_sequence, kept.last_sequence) == wanted:
                return kept
    return None


def _follows(batch: Batch, known: _Producer | None) -> bool:
    """Say whether a batch is the next one. A producer that is not known may start anywhere
    (KIP-360), a new epoch starts at 0."""
    if known is None:
        return True
    last = known.batches[-1].last_sequence if known.batches else -1
    fresh = batch.epoch != known.epoch or last == _LAST_SEQUENCE
    return batch.first_sequence == (0 if fresh else last + 1)

"""Reading a piece of a Kafka log back: Fetch until the asked end, batch by batch.

It knows control batches and aborted transactions (KIP-98); what is inside a batch is the codec's.
It must never know consumers or groups: no position is kept anywhere.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any, NamedTuple

from pytest_mqchaos.brokers.kafka_ask import LEADER_NOT_AVAILABLE, Asker, Topic, milliseconds
from pytest_mqchaos.brokers.kafka_request import refuse
from pytest_mqchaos.errors import BrokerError, BrokerRefused
from pytest_mqchaos.frames import Record
from pytest_mqchaos.wire.kafka.batch import Batch
from pytest_mqchaos.wire.kafka.records import batches, read_batch

_UNCOMMITTED, _COMMITTED = 0, 1
_WAIT = 0.25  # seconds a Fetch may wait for more; only an open transaction makes us wait
_MAX_BYTES = 8 << 20
_OPEN_TRANSACTION = 51  # CONCURRENT_TRANSACTIONS: retriable, which is what it is for us


class _Where(NamedTuple):
    topic: str
    partition: int
    end: int
    committed: bool

    def __str__(self) -> str:
        return f"{self.topic}-{self.partition}"


class Piece(NamedTuple):
    """One Fetch answer for one partition."""

    blob: bytes  # may end within a batch
    aborted: dict[int, list[int]]  # producer id -> first offsets of its aborted transactions
    high_watermark: int
    last_stable: int


def read(
    ask: Asker, topic: str, partition: int, start: int, end: int, *, committed: bool
) -> Iterator[Record]:
    """See `Direct.read`."""
    where = _Where(topic, partition, end, committed)
    position = start
    while position < end:
        what = f"read {topic}-{partition} from {position} to {end}"
        piece = ask.persist(what, functools.partial(_fetch, ask, where, position))
        for batch in batches(piece.blob):
            position = max(position, batch.last_offset + 1)
            if batch.control:
                _ended(piece.aborted, batch)
            elif not (committed and batch.transactional and _is_aborted(piece.aborted, batch)):
                for record in read_batch(piece.blob, batch, topic, partition):
                    if start <= record.offset < end:
                        yield record


def _fetch(ask: Asker, where: _Where, at: int, left: float) -> Piece:
    """One Fetch. BrokerRefused with a retriable code while there is nothing to read yet."""
    found = ask.look([where.topic], left).topics[where.topic]
    refuse(f"finding topic {where.topic!r}", found.error)
    if where.partition not in found.leaders:
        raise BrokerError(
            f"topic {found.name!r} has partitions {sorted(found.leaders)}, not {where}"
        )
    leader = found.leaders[where.partition]
    reply = ask.call(leader, "Fetch", _question(found, where, at, left), left)
    refuse("Fetch", getattr(reply, "error_code", 0))
    if not reply.responses:
        raise BrokerRefused(f"nothing was said about {where}", LEADER_NOT_AVAILABLE)
    data = reply.responses[0].partitions[0]
    refuse(f"Fetch of {where} at {at}", data.error_code)
    piece = _piece(data)
    if next(batches(piece.blob), None) is None:
        raise _nothing(where, at, piece)
    return piece


def _nothing(where: _Where, at: int, piece: Piece) -> BrokerError:
    """Why a Fetch below the end brought no batch."""
    if piece.high_watermark < where.end:
        told = f"the log of {where} ends at {piece.high_watermark}, asked was up to {where.end}"
        return BrokerError(told)
    if where.committed and piece.last_stable <= at:
        held = f"{where} is readable up to {piece.last_stable} only, an open transaction follows"
        return BrokerRefused(held, _OPEN_TRANSACTION)
    return BrokerRefused(f"{where} gave nothing at {at}", LEADER_NOT_AVAILABLE)


def _question(topic: Topic, where: _Where, at: int, left: float) -> dict[str, object]:
    wanted = {"partition": where.partition, "fetch_offset": at, "partition_max_bytes": _MAX_BYTES}
    asked = {"topic": topic.name, "topic_id": topic.id, "partitions": [wanted]}
    return {
        "replica_id": -1,
        "max_wait": milliseconds(min(_WAIT, left / 2)),
        "min_bytes": 1,
        "max_bytes": _MAX_BYTES,
        "isolation_level": _COMMITTED if where.committed else _UNCOMMITTED,
        "topics": [asked],
        "forgotten_topics_data": (),
    }


def _piece(data: Any) -> Piece:
    aborted: dict[int, list[int]] = {}
    for each in data.aborted_transactions or ():
        aborted.setdefault(int(each.producer_id), []).append(int(each.first_offset))
    for firsts in aborted.values():
        firsts.sort()
    return Piece(
        blob=bytes(data.records or b""),
        aborted=aborted,
        high_watermark=int(data.high_watermark),
        last_stable=int(data.last_stable_offset),
    )


def _is_aborted(aborted: dict[int, list[int]], batch: Batch) -> bool:
    firsts = aborted.get(batch.producer_id)
    return firsts is not None and firsts != [] and firsts[0] <= batch.base_offset


def _ended(aborted: dict[int, list[int]], marker: Batch) -> None:
    """A marker ends its producer's transaction; the aborted one that began before it is over."""
    if _is_aborted(aborted, marker):
        aborted[marker.producer_id].pop(0)

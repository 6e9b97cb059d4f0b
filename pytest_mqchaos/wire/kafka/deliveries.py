"""What a Fetch reply delivers: the records that the application will see, no others.

Left out: control records, records before the requested offset, and, for a read_committed fetch,
records of aborted transactions (they are told in `details["aborted"]` as offset ranges).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pytest_mqchaos.frames import Frame, Outcome, Point, Record, Sighting
from pytest_mqchaos.wire.kafka.batch import Batch, header, slices
from pytest_mqchaos.wire.kafka.compression import Unreadable, allowance
from pytest_mqchaos.wire.kafka.fetch_offsets import Where, topic_key
from pytest_mqchaos.wire.kafka.records import read_batch, read_records

Range = tuple[str, int, int, int]  # topic, partition, first and last offset
_ABORT, _COMMIT = 0, 1
_ROW = 100  # bytes that a record takes here besides its key and value


class _Room:
    """How much the records of one frame may take: many batches may each unpack to much."""

    __slots__ = ("_left",)

    def __init__(self, frame: Frame) -> None:
        self._left = allowance(len(frame.raw))

    def hold(self, records: Iterator[Record]) -> Iterator[Record]:
        for record in records:
            self._left -= _ROW + len(record.key or b"") + len(record.value or b"")
            if self._left < 0:
                raise Unreadable("its records unpack to more than can be held")
            yield record


def fetched(
    frame: Frame,
    body: Any,
    request: Any,
    offsets: Mapping[Where, int],
    name_of: Callable[[Any], str],
    client: str | None,
) -> Sighting:
    """The sighting of a Fetch reply; `request` is its request's body, None if that was not kept."""
    records: list[Record] = []
    outcomes: list[Outcome] = []
    aborted: list[Range] = []
    marks: list[tuple[str, int, int]] = []
    asked: list[tuple[str, int, int]] = []
    room = _Room(frame)
    for topic in body.responses:
        for part in topic.partitions:
            if not part.records and not part.error_code and not topic_key(topic):
                continue
            name, index = name_of(topic), part.partition_index
            if part.error_code:
                outcomes.append(Outcome(name, index, int(part.error_code)))
            marks.append((name, index, part.high_watermark))
            wanted = offsets.get((topic_key(topic), index))
            if wanted is not None:
                asked.append((name, index, wanted))
            found = room.hold(_delivered(part, name, index, aborted))
            records.extend(record for record in found if record.offset >= (wanted or 0))
    return Sighting(
        point=Point.DELIVER,
        name=frame.name,
        client=client,
        records=tuple(records),
        outcomes=tuple(outcomes),
        error=int(getattr(body, "error_code", 0) or 0),
        details={
            "aborted": tuple(aborted),
            "asked": tuple(asked),
            "high_watermarks": tuple(marks),
            "read_committed": bool(request and getattr(request, "isolation_level", 0) == 1),
        },
    )


def _delivered(part: Any, topic: str, partition: int, aborted: list[Range]) -> Iterator[Record]:
    blob = bytes(part.records or b"")
    starts = sorted(
        (entry.first_offset, int(entry.producer_id))
        for entry in getattr(part, "aborted_transactions", None) or ()
    )
    if not starts:
        yield from read_records(blob, topic, partition)
        return
    open_aborts: set[int] = set()
    for magic, start, end in slices(blob):
        if magic != 2:
            yield from read_records(blob[start:end], topic, partition)
            continue
        batch = header(blob, start, end)
        while starts and starts[0][0] <= batch.last_offset:
            open_aborts.add(starts.pop(0)[1])
        if batch.control:
            if marker(blob, batch) == _ABORT:
                open_aborts.discard(batch.producer_id)
        elif batch.transactional and batch.producer_id in open_aborts:
            aborted.append((topic, partition, batch.base_offset, batch.last_offset))
        else:
            yield from read_batch(blob, batch, topic, partition)


def marker(blob: bytes, batch: Batch) -> int | None:
    """What a control batch says: 0 abort, 1 commit; None if it is something else."""
    for record in read_batch(blob, batch, "", -1):
        key = record.key or b""
        if len(key) >= 4 and key[3] in (_ABORT, _COMMIT):
            return key[3]
    return None


def published(
    frame: Frame, body: Any, name_of: Callable[[Any], str], client: str | None
) -> Sighting:
    """The sighting of a Produce request."""
    records: list[Record] = []
    room = _Room(frame)
    for topic in body.topic_data:
        name = name_of(topic)
        for part in topic.partition_data:
            blob = bytes(part.records or b"")
            before = len(records)
            records.extend(room.hold(read_records(blob, name, part.index, stored=False)))
            if blob and len(records) == before:
                raise Unreadable(f"the records of {name}-{part.index} are torn")
    return Sighting(
        point=Point.PUBLISH,
        name=frame.name,
        client=client,
        records=tuple(records),
        acks=int(body.acks),
        transactional_id=getattr(body, "transactional_id", None),
    )


def confirmed(
    frame: Frame, body: Any, name_of: Callable[[Any], str], client: str | None
) -> Sighting:
    """The sighting of a Produce reply."""
    outcomes = tuple(
        Outcome(name_of(topic), part.index, int(part.error_code), part.base_offset)
        for topic in body.responses
        for part in topic.partition_responses
    )
    return Sighting(point=Point.CONFIRM, name=frame.name, client=client, outcomes=outcomes)

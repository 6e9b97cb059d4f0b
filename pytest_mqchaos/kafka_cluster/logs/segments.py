"""Where a log would be cut into files: what retention and compaction go by.

It knows sizes and the instants at which batches came. Kafka looks at the records' timestamps
instead; the cluster has no clock to hold against those, and a record that says it is from 1970 must
not be gone at once.
"""

from __future__ import annotations

from typing import NamedTuple

from pytest_mqchaos.kafka_cluster.logs.log import Log


class Segment(NamedTuple):
    """Batches from `base` to below `end`, `size` bytes, the last of which came at `newest` (ns)."""

    base: int
    end: int
    size: int
    newest: int


def segments(log: Log, *, limit: int, span: int) -> list[Segment]:
    """Cut a log: a segment is full before it exceeds `limit` bytes or `span` ns. The last one is
    the active one."""
    found: list[Segment] = []
    current, first = Segment(0, 0, 0, 0), 0
    for batch, arrived in log.arrivals():
        full = current.size + len(batch.raw) > limit or arrived - first > span
        if current.size and full:
            found.append(current)
        if not current.size or full:
            current, first = Segment(batch.base, 0, 0, 0), arrived
        size = current.size + len(batch.raw)
        current = current._replace(end=batch.last + 1, size=size, newest=arrived)
    return [*found, current] if current.size else found

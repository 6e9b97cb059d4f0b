"""Which records a numbering is asked of, and where: as each subscriber was handed them, or, of a
destination whose records are the effects and that nobody reads, as they stand in the log.

    handed out to somebody --> deliveries      a producer's output, unread --> what was read back

It knows rows and no numbers. A log that was compacted or cut in front no longer shows what its
producer sent: `incomplete` says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from pytest_mqchaos.checkers.evidence.keys import record_of
from pytest_mqchaos.frames import Record
from pytest_mqchaos.history.index import Index


class Seen(NamedTuple):
    """One record, and who was handed it (None: it stands in the log)."""

    reader: str | None
    record: Record


def seen(index: Index) -> Iterator[Seen]:
    """Every record of an input, per reader in the order in which it was handed out; of an unread
    output in the order of the log."""
    history = index.history
    for row in sorted(history.deliveries, key=lambda d: d.seq):
        if row.reached and row.topic in index.inputs:
            yield Seen(row.group or row.owner, record_of(row))
    own = unread(index)
    if not own:
        return
    headers = {(a.topic, a.partition, a.content): a.headers for a in history.attempts}
    for kept in sorted(history.stored, key=lambda s: s[:3]):
        if kept.topic in own:
            sent = headers.get((kept.topic, kept.partition, kept.content), ())
            yield Seen(None, record_of(kept)._replace(headers=sent))


def again(index: Index) -> int:
    """How often a reader was handed a record, by its place, that it had been handed before."""
    places = [
        (row.group or row.owner, row.topic, row.partition, row.offset)
        for row in index.history.deliveries
        if row.reached and row.topic in index.inputs
    ]
    return len(places) - len(set(places))


def unread(index: Index) -> frozenset[str]:
    """Inputs whose records are the effects, and of which nobody was handed any."""
    read = {row.topic for row in index.history.deliveries if row.reached}
    return (index.inputs & index.history.effect_topics) - read


def incomplete(index: Index, topic: str, partition: int) -> bool:
    """Whether the log of this partition no longer holds all that was stored in it."""
    history = index.history
    return topic in history.compacted or history.starts.get((topic, partition), 0) > 0

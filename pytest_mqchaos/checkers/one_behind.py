"""A position that stands at the message it was meant to leave behind: Kafka keeps the offset of the
next message, and who commits that of the last one is handed it again at every start.

It words an advice; no verdict hangs on it.
"""

from __future__ import annotations

from collections.abc import Sequence

from pytest_mqchaos.checkers.verdict import Finding
from pytest_mqchaos.history.index import Index
from pytest_mqchaos.history.rows import Delivery


def one_behind(index: Index, repeated: Sequence[Finding]) -> str:
    """Words about the first of these messages whose own offset its group committed after the work,
    and where that group still stands at the end; "" for none."""
    for finding in repeated:
        story = index.story(finding.id, finding.by)
        began = min((e.t_from for e in story.effects), default=0)
        stands = {(p.group, p.topic, p.partition, p.committed) for p in story.waiting}
        for row in story.deliveries:
            if (row.group, *_place(row)) in stands and _committed(index, row, began):
                return (
                    f"commit the offset of the next message, offset + 1: {row.group} committed "
                    f"{row.offset} when {row.topic}-{row.partition}@{row.offset} was done"
                )
    return ""


def _place(row: Delivery) -> tuple[str, int, int]:
    return row.topic, row.partition, row.offset


def _committed(index: Index, row: Delivery, after: int) -> bool:
    """Whether this reader's group was told the very offset of the message, later than `after`."""
    return any(
        (ack.group, ack.owner, ack.topic, ack.partition, ack.offset)
        == (row.group, row.owner, *_place(row))
        and ack.t >= after
        and ack.seq > row.seq
        for ack in index.history.acks
    )

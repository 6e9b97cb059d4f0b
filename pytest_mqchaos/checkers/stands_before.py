"""A group that stands at the end before a message that it has done, through its own commits: that
of the message's own offset (Kafka keeps the offset of the next one), or a lower one sent after a
higher one. Such a message is handed out again at every start.

It words an advice; no verdict hangs on it.
"""

from __future__ import annotations

from collections.abc import Sequence

from pytest_mqchaos.checkers.verdict import Finding
from pytest_mqchaos.history.index import Index
from pytest_mqchaos.history.rows import Ack, Delivery, Place


def stands_before(index: Index, repeated: Sequence[Finding]) -> str:
    """Words about the first of these messages of which that is true; "" for none."""
    for finding in repeated:
        story = index.story(finding.id, finding.by)
        done = min((e.t_from for e in story.effects), default=0)
        for row in story.deliveries:
            for place in story.waiting:
                if (said := _said(index, row, place, done)) != "":
                    return said
    return ""


def _said(index: Index, row: Delivery, place: Place, done: int) -> str:
    here = (row.group, row.topic, row.partition)
    if (place.group, place.topic, place.partition) != here:
        return ""
    taken = [
        ack
        for ack in index.history.acks
        if (ack.group, ack.topic, ack.partition) == here
        and ack.reached
        and ack.outcome != "refused"
    ]
    high = max((ack.offset for ack in taken), default=-1)
    if high > row.offset and taken[-1].offset == place.committed:
        return (
            f"send no commit behind a higher one: {row.group} went back from {high} to "
            f"{place.committed} of {row.topic}-{row.partition}"
        )
    if high == row.offset == place.committed and _later(taken, row, done):
        return (
            f"commit the offset of the next message, offset + 1: {row.group} committed "
            f"{row.offset} when {row.topic}-{row.partition}@{row.offset} was done"
        )
    return ""


def _later(taken: Sequence[Ack], row: Delivery, done: int) -> bool:
    """Whether this reader said so when the message was done."""
    return any(
        ack.owner == row.owner and ack.offset == row.offset and ack.t >= done and ack.seq > row.seq
        for ack in taken
    )

"""A group that was handed a message again that it had done, because of its own commits: that of the
message's own offset (Kafka keeps the offset of the next one), or a lower one sent behind a higher:
by the same consumer, or by one that had lost the partition and did not know it.

It words an advice; no verdict hangs on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from pytest_mqchaos.checkers.verdict import Finding
from pytest_mqchaos.history.index import Index
from pytest_mqchaos.history.rows import Ack, Delivery


def stands_before(index: Index, repeated: Sequence[Finding]) -> str:
    """Words about the first of these messages of which that is true; "" for none."""
    for finding in repeated:
        story = index.story(finding.id, finding.by)
        # A table has no instants: by the look that showed it the message was done for certain.
        done = min((effect.t_to for effect in story.effects), default=0)
        for row, again in pairwise(story.deliveries):
            if _where(row) == _where(again) and (said := _said(index, row, again.seq, done)):
                return said
    return ""


def _where(row: Delivery) -> tuple[str | None, str, int, int]:
    return row.group, row.topic, row.partition, row.offset


def _said(index: Index, row: Delivery, again: int, done: int) -> str:
    """What the group had told the broker when it was handed `row` again, at `again`."""
    sent = [
        ack
        for ack in index.history.acks
        if (ack.group, ack.topic, ack.partition) == (row.group, row.topic, row.partition)
        and ack.seq < again
    ]
    taken = [ack for ack in sent if ack.reached and ack.outcome != "refused"]
    if not taken:
        return ""
    highest, last = max(taken, key=lambda ack: ack.offset), taken[-1].offset
    place = f"{row.topic}-{row.partition}"
    if last <= row.offset < highest.offset:
        back = f"{row.group} went back from {highest.offset} to {last} of {place}"
        if taken[-1].owner != highest.owner:
            return (
                "commit as a member of the group only (a transaction takes the consumer's group "
                f"metadata), so that a late commit is refused: {back}, by {taken[-1].owner} behind "
                f"{highest.owner}"
            )
        return f"send no commit behind a higher one: {back}"
    if last == row.offset and _meant(sent, row, done):
        return (
            f"commit the offset of the next message, offset + 1: {row.group} committed {last} "
            f"when {place}@{last} was done"
        )
    return ""


def _meant(sent: Sequence[Ack], row: Delivery, done: int) -> bool:
    """Whether this reader committed the message's own offset when the message was done, and not
    before: then it was the commit of what stands in front of it, sent again."""
    own = [ack for ack in sent if ack.owner == row.owner and ack.offset == row.offset]
    return bool(own) and own[0].t >= done and own[0].seq > row.seq

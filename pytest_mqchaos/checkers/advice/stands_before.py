"""A group that was handed a message again that it had done, because of its own commits: of each
message's own offset (Kafka keeps the offset of the next one), or a lower one sent behind a higher:
by the same consumer, or by one that had lost the partition and did not know it.

Who holds its position back on purpose (behind it stands work that is not out yet) commits some
message's own offset, too. So the first is said only of a reader that committed that of every
message it was handed, none of it before the work, and once for certain after it.

It words an advice; no verdict hangs on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from pytest_mqchaos.checkers.verdict import Finding
from pytest_mqchaos.history.index import Index
from pytest_mqchaos.history.rows import FINAL_DRAIN, Ack, Delivery

SEVERAL = 2  # commits that are no chance


def stands_before(index: Index, repeated: Sequence[Finding]) -> str:
    """Words about the first of these messages of which that is true; "" for none."""
    for finding in repeated:
        for row, again in pairwise(index.story(finding.id, finding.by).deliveries):
            if _where(row) == _where(again) and (said := _said(index, row, again)):
                return said
    return ""


def _where(row: Delivery) -> tuple[str | None, str, int, int]:
    return row.group, row.topic, row.partition, row.offset


def _said(index: Index, row: Delivery, again: Delivery) -> str:
    """What the group had told the broker when it was handed `row` again."""
    sent = [
        ack
        for ack in index.history.acks
        if (ack.group, ack.topic, ack.partition) == (row.group, row.topic, row.partition)
        and ack.seq < again.seq
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
    own = [ack for ack in sent if ack.owner == row.owner]
    if last == row.offset and _each_its_own(index, row, own, again):
        return (
            f"commit the offset of the next message, offset + 1: {row.group} committed the offset "
            f"of each message itself, {own[0].offset} to {last}, so {place}@{last} is handed out "
            "again though it was done"
        )
    return ""


def _each_its_own(index: Index, row: Delivery, own: Sequence[Ack], again: Delivery) -> bool:
    """Whether the acks of this reader, up to `row`, are those of each message that it was handed,
    one by one, and none can be that of what stands in front of the message."""
    given = [
        d
        for d in index.history.deliveries
        if d.reached and d.owner == row.owner and d.offset <= row.offset and d.seq < again.seq
        and _where(d)[:3] == _where(row)[:3]
    ]  # fmt: skip
    if len(own) < SEVERAL or [a.offset for a in own] != sorted({d.offset for d in given}):
        return False
    at = {d.offset: d for d in reversed(given)}
    done = [_done(index, at[ack.offset].id, ack) for ack in own]
    if None in done or any(at[ack.offset].seq > ack.seq for ack in own):
        return False
    if any(_done(index, at[later.offset].id, ack) for ack, later in pairwise(own)):
        return False
    return any(done) or _drained(index, row, again)


def _done(index: Index, name: str | None, ack: Ack) -> bool | None:
    """Whether this message was done for certain when the ack was sent; None: it was not."""
    effects = index.stories.effects.get(name or "", ())
    if any(0 < effect.t_to <= ack.t for effect in effects):
        return True
    return None if all(effect.t_from > ack.t for effect in effects) else False


def _drained(index: Index, row: Delivery, again: Delivery) -> bool:
    """Whether this reader ran on when the message was done, with nothing more to say until settling
    gave it up and started it anew."""
    effects = index.stories.effects.get(row.id or "", ())
    done = min((effect.t_to for effect in effects), default=0)
    events = index.history.processes
    drains = [e.t for e in events if e.cause == FINAL_DRAIN and done < e.t < again.t]
    ended = [e.what for e in events if e.who == row.owner and e.t < again.t]
    return done > 0 and bool(drains) and ended[-1:] == ["stopped"]

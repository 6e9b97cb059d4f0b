"""A service that publishes in a transaction what it makes of a message, and keeps its position
outside of it: whoever dies in between does the work again, in another transaction.

It words an advice; no verdict hangs on it.
"""

from __future__ import annotations

from pytest_mqchaos.checkers.evidence.moved_on import sent_by_its_reader
from pytest_mqchaos.history.index import Index
from pytest_mqchaos.history.rows import Ack, Attempt, Delivery, worker_of


def position_apart(index: Index, name: str, by: str | None) -> str:
    """Words about this message, if its effects were published so; "" if not."""
    made = [
        a for a in index.stories.attempts.get(name, ())
        if a.topic in index.history.effect_topics - index.inputs
    ]  # fmt: skip
    if not made or any(a.transactional_id is None for a in made):
        return ""
    for row in index.story(name, by).deliveries:
        for sent in made:
            if sent_by_its_reader(sent, row) and (ack := _apart(index, row, sent)):
                return (
                    "send the position in the transaction, too (send_offsets_to_transaction, "
                    f"before its commit): {ack.owner} published in transactions "
                    f"({sent.transactional_id}) and committed {row.topic}-{row.partition} apart "
                    "from them"
                )
    return ""


def _apart(index: Index, row: Delivery, sent: Attempt) -> Ack | None:
    """An ack of this reader for where it was handed the message, if none was in a transaction. One
    that was took effect with what was published in it, at one instant; or is withdrawn."""
    ends = set(index.history.committed.values())
    own = [
        ack for ack in index.history.acks
        if worker_of(ack.owner) == worker_of(sent.owner)
        and (ack.group, ack.topic, ack.partition) == (row.group, row.topic, row.partition)
    ]  # fmt: skip
    within = any(ack.end_t in ends or (ack.reached and not ack.end_t) for ack in own)
    return None if within or not own else own[0]

"""What was still to be sent when a message was acked: a fan-out that commits between its sends.

    handed out, publish to ma, ack, publish to mb       killed after the ack, mb never gets it

Of whoever held the message nowhere else, and to where a group works. It guesses no outbox: what
had no hop before the ack is judged as before.
"""

from __future__ import annotations

from pytest_mqchaos.checkers.evidence.later_stages import works_surely
from pytest_mqchaos.checkers.evidence.moved_on import NEVER, Span, arrived, readers
from pytest_mqchaos.history.index import Index
from pytest_mqchaos.history.rows import Ack, Attempt, Delivery, worker_of


def still_to_send(index: Index, delivery: Delivery, ack: Ack) -> list[Span]:
    """Publishes of the message after this ack, by the incarnation that was handed it thus and then
    acked it, to where a group works: another record than any that it had sent before."""
    name = delivery.id or ""
    if delivery.owner != ack.owner or _held_elsewhere(index, delivery):
        return []
    mine = [a for a in index.stories.attempts.get(name, ()) if a.owner == ack.owner]
    before = {(a.topic, a.content) for a in mine if a.seq < ack.seq}
    return [
        Span(sent.t, NEVER)
        for sent in mine
        if delivery.seq < ack.seq < sent.seq
        and arrived(sent)
        and sent.transactional_id is None  # the ack may be part of that
        and (sent.topic, sent.content) not in before
        and sent.topic != delivery.topic
        and _worked_on(index, sent)
    ]


def _held_elsewhere(index: Index, delivery: Delivery) -> bool:
    """Whether the worker was handed the message another time, or in another record."""
    rows = index.stories.deliveries.get(delivery.id or "", ())
    mine = [row for row in rows if worker_of(row.owner) == worker_of(delivery.owner)]
    return len(mine) > 1


def _worked_on(index: Index, sent: Attempt) -> bool:
    """Whether a group that surely works reads what was sent."""
    return any(works_surely(index, group) for group in readers(index).get(sent.topic, ()))

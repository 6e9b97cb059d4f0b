"""A reader that passed a message on (its output, a retry, a dead letter), was never told that this
arrived, and acked it all the same: nobody waited for the confirm, or heeded its failure.

It words an advice; no verdict hangs on it.
"""

from __future__ import annotations

from pytest_mqchaos.checkers.evidence.moved_on import sent_by_its_reader
from pytest_mqchaos.history.index import Index
from pytest_mqchaos.history.rows import Attempt, worker_of
from pytest_mqchaos.history.story import Story


def unheeded(index: Index, story: Story) -> str:
    """Words about this message, if that is true of it; "" if not. A transaction that was not
    committed is another matter (turned_back.py)."""
    flow = index.history.flow
    roles = flow.retries | flow.dead_letters | flow.outputs | index.history.effect_topics
    sent = [
        a for a in index.stories.attempts.get(story.id, ())
        if a.topic in roles - index.inputs and a.transactional_id is None
        and any(sent_by_its_reader(a, d) for d in story.deliveries)
    ]  # fmt: skip
    if not sent or any(a.outcome == "confirmed" for a in sent):
        return ""
    last = sent[-1]
    if not any(a.reached and worker_of(a.owner) == worker_of(last.owner) for a in story.acks):
        return ""
    return (
        "wait for the confirm of what is published (the delivery report, the result of send), send "
        f"again what failed, and ack only then: {last.owner} published {story.id!r} to "
        f"{last.topic}, which {_fate(last)}, and acked it all the same"
    )


def _fate(sent: Attempt) -> str:
    if not sent.reached:
        return "never reached the broker"
    if sent.outcome == "refused":
        return f"was refused (error {sent.error})"
    return "nobody confirms with acks=0" if sent.acks == 0 else "was never confirmed"

"""A reader that aborted the transaction in which it worked on a message, and did not turn back: its
next commit covers the message all the same.

It words an advice; no verdict hangs on it.
"""

from __future__ import annotations

from pytest_mqchaos.history.index import Index

_TURN_BACK = (
    "after abort_transaction() set the consumer back to where the group stands (seek), or the next "
    "commit covers what was taken back"
)


def not_turned_back(index: Index, name: str) -> str:
    """Words about this message, if that is true of it; "" if not."""
    acks = index.story(name).acks
    aborted = [
        attempt
        for attempt in index.stories.attempts.get(name, ())
        if attempt.transactional_id is not None
        and attempt.topic not in index.inputs
        and attempt.seq not in index.history.committed
    ]
    went_on = any(a.owner == ack.owner and a.seq < ack.seq for a in aborted for ack in acks)
    return _TURN_BACK if went_on else ""

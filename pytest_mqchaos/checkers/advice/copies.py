"""What keeps a message from being in the log twice. Who has an idempotent producer is not told to
take one: it recognises what its own client sends again, never what a service sends once more, nor
what two of them send.

It words an advice; no verdict hangs on it.
"""

from __future__ import annotations

from pytest_mqchaos.checkers.wording import listed
from pytest_mqchaos.history.index import Index
from pytest_mqchaos.history.rows import worker_of

_ANY = "an idempotent producer (enable.idempotence), or consumers keyed on the id"
_IDEMPOTENT = (
    "consumers keyed on the id: the producer is idempotent, but that covers what its client sends "
    "again, and not what the service sends once more (after a restart, after a time-out)"
)
_REFUSED = (
    "consumers keyed on the id: it was refused and stored all the same (a leader that steps down "
    "may do both), and then sent again"
)


def once_in_the_log(index: Index, name: str) -> str:
    """Words about this message, which is there more than once."""
    sent = index.story(name).attempts
    senders = sorted({worker_of(attempt.owner) for attempt in sent})
    if len(senders) > 1:
        return (
            f"let one at a time send it (a lock, a lease), or have consumers keyed on the id: "
            f"{listed(senders)} each sent {name!r}"
        )
    taken = sum(attempt.reached and attempt.outcome != "refused" for attempt in sent)
    if taken < len(index.story(name).stored) <= len(sent):
        return _REFUSED
    numbered = len(sent) > 1 and all(attempt.producer_id >= 0 for attempt in sent)
    return _IDEMPOTENT if numbered else _ANY

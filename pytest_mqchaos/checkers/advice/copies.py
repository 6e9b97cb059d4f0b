"""What keeps a message from being in the log twice: one that was published to be worked on, or a
service's own output. Who has an idempotent producer is not told to take one: it recognises what its
own client sends again, never what a service sends once more, nor what two of them send.

It words an advice; no verdict hangs on it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from pytest_mqchaos.checkers.verdict import Finding
from pytest_mqchaos.checkers.wording import listed
from pytest_mqchaos.history.index import Index
from pytest_mqchaos.history.rows import Attempt, worker_of

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


def sent_again(index: Index, repeated: Sequence[Finding]) -> str:
    """Words about the first of these messages whose output a service's own client sent again when
    no confirm came, or that the log has more often than it was sent; "" for none."""
    for finding in repeated:
        sent = [
            row
            for row in index.stories.attempts.get(finding.id, ())
            if row.topic in index.history.effect_topics and row.reached and row.producer_id < 0
        ]
        again = [b for a, b in pairwise(sent) if _by_its_client(index, a, b)]
        if again or _stored_more_often(index, finding.id, sent):
            row = again[0] if again else sent[0]
            how = "was sent again when no confirm came" if again else "was sent once, and is there"
            return (
                f"an idempotent producer (enable.idempotence) in {worker_of(row.owner)}, or a "
                f"transaction: {finding.id!r} {how}{'' if again else ' twice'}, in {row.topic}"
            )
    return ""


def _by_its_client(index: Index, first: Attempt, second: Attempt) -> bool:
    """Whether the second is the same record, of the same life of a worker that heard nothing of the
    first and was not handed the message anew."""
    same = (first.owner, first.topic, first.content) == (second.owner, second.topic, second.content)
    return (
        same
        and first.outcome == "unknown"
        and not any(
            row.owner == first.owner and first.seq < row.seq < second.seq
            for row in index.stories.deliveries.get(first.id or "", ())
        )
    )


def _stored_more_often(index: Index, name: str, sent: Sequence[Attempt]) -> bool:
    """Whether a topic holds more records of this message than were sent to it, each unnumbered."""
    held = Counter(row.topic for row in index.stories.stored.get(name, ()))
    times = Counter(row.topic for row in index.stories.attempts.get(name, ()))
    return any(held[row.topic] > times[row.topic] for row in sent)

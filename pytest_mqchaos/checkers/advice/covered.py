"""An ack that came behind some work, and covered more than that: the highest that was done and not
all in front of it (a pool of handlers), or all that was handed out (a commit in mid batch).

It words an advice; no verdict hangs on it.
"""

from __future__ import annotations

from pytest_mqchaos.checkers.evidence.whose import of_group
from pytest_mqchaos.history.index import Index
from pytest_mqchaos.history.rows import Ack


def covered_more(index: Index, name: str) -> str:
    """Words about the first ack that covers this message without an effect; "" if that came behind
    no work at all, or covers it alone."""
    for ack in index.story(name).acks:
        newly = _newly(index, ack)
        if name not in newly or _done(index, name, ack):
            continue
        at = newly.index(name)
        if _done(index, newly[-1], ack):
            return (
                "commit no further than the first message that is not done: "
                f"{newly[-1]!r} was done, and {name!r} in front of it was not"
            )
        done = [other for other in newly[:at] if _done(index, other, ack)]
        if done:
            return (
                "commit what is done, and not all that was handed out: commit "
                f"{ack.offset} came when {done[-1]!r} was done, and {name!r} behind it was not"
            )
    return ""


def _newly(index: Index, ack: Ack) -> list[str]:
    """The messages that this ack covers and none of its group did before, in order."""
    acks = index.positions.acks[ack.group, ack.topic, ack.partition].rows
    before = max((other.offset for other in acks if other.seq < ack.seq), default=0)
    rows = sorted(
        (row.offset, row.id)
        for row in index.stored
        if (row.topic, row.partition) == (ack.topic, ack.partition)
        and before <= row.offset < ack.offset
        and row.id is not None
    )
    return [name for _, name in rows]


def _done(index: Index, name: str, ack: Ack) -> bool:
    own = of_group(index, name, ack.group) or ()
    return any(0 < effect.t_to <= ack.t for effect in own)

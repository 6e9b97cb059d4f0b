"""What was published before what: only as far as it is proven.

a is before b if one producer sent a's first frame first (the same connection: its bytes have one
order; in one frame, the same partition; or a connection that it opened when that of a had ended),
or if a was confirmed before b was first sent. Everything else overlaps and has no order: two
connections that one producer has at the same time are read in either order.
"""

from __future__ import annotations

from pytest_mqchaos.history.index import Index
from pytest_mqchaos.history.rows import Attempt


def before(index: Index, a: Attempt, b: Attempt) -> bool:
    """Whether the message whose first attempt is `a` was published before that of `b`."""
    if a.link == b.link and a.owner == b.owner:
        if a.seq != b.seq:
            return a.seq < b.seq
        if (a.topic, a.partition) == (b.topic, b.partition):
            return index.rank[a.id or ""] < index.rank[b.id or ""]
    end = ended(index, a)
    if end is not None and producer(a) == producer(b) and end < opened(index, b):
        return True
    told = index.told.get(a.id or "")
    return told is not None and told < b.seq


def producer(row: Attempt) -> tuple[str, str | None]:
    """Who sent it: an incarnation's client, by the name that it keeps when it connects again."""
    return row.owner, row.client


def opened(index: Index, row: Attempt) -> int:
    """`seq` at which the connection of this attempt was opened."""
    return index.history.spans.get(row.link, (0, 0))[0]


def ended(index: Index, row: Attempt) -> int | None:
    """`seq` at which the connection of this attempt had ended; None: it is not known to have."""
    return index.history.spans.get(row.link, (0, 0))[1] or None

"""What was published before what: only as far as it is proven.

a is before b if one producer sent a's first frame first (the same connection: its bytes have one
order; in one frame, the same partition), or if a was confirmed before b was first sent. Everything
else overlaps and has no order: two connections of one producer are read in either order.
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
    told = index.told.get(a.id or "")
    return told is not None and told < b.seq

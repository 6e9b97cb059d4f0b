"""Workers that use one transactional.id by turns: each fences the other off when it begins, and
neither comes to an end.

It words an advice; no verdict hangs on it.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import groupby

from pytest_mqchaos.checkers.wording import listed
from pytest_mqchaos.history.index import Index
from pytest_mqchaos.history.rows import worker_of

_TURNS = 3  # one, the other, and the first again: the other was no successor


def fenced(index: Index) -> str:
    """Words about the first such id; "" for none."""
    senders: dict[str, list[str]] = defaultdict(list)
    for attempt in index.history.attempts:
        if attempt.transactional_id is not None:
            senders[attempt.transactional_id].append(worker_of(attempt.owner))
    for name, each in sorted(senders.items()):
        if len([who for who, _ in groupby(each)]) >= _TURNS:
            return (
                f"{listed(sorted(set(each)))} use the transactional.id {name!r} by turns, and each "
                "fences the other off: give each instance one of its own, which it keeps"
            )
    return ""

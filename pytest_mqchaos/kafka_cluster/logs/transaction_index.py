"""What one replica knows of transactions in its log: which are open, which ended how and where.

It is derived from the batches alone, in their order, so a log that lost its end gives it back
(`truncate_to`). It must never know a coordinator or a request.

    0 A    1 B    2 commit A    3 B    4 abort B        last stable with all replicated: 1, then 5
"""

from __future__ import annotations

from bisect import bisect_left
from typing import NamedTuple

from pytest_mqchaos.kafka_cluster.logs.batches import Batch
from pytest_mqchaos.kafka_cluster.logs.control_batches import commits


class Ended(NamedTuple):
    """One transaction of this log: offsets of its first record and of its marker."""

    producer_id: int
    first: int
    marker: int
    aborted: bool


class TransactionIndex:
    """Of one replica."""

    __slots__ = ("_aborted", "_ended", "_open")

    def __init__(self) -> None:
        self._open: dict[int, int] = {}
        self._ended: list[Ended] = []
        self._aborted: list[Ended] = []

    def observe(self, batch: Batch) -> None:
        """Hear of a batch that was appended (with its offsets)."""
        if not batch.transactional:
            return
        if not batch.control:
            self._open.setdefault(batch.producer_id, batch.base)
            return
        first = self._open.pop(batch.producer_id, None)
        if first is not None:  # a marker alone ends nothing and is in nobody's way
            ended = Ended(batch.producer_id, first, batch.base, not commits(batch))
            self._ended.append(ended)
            if ended.aborted:
                self._aborted.append(ended)

    def first_open(self, producer_id: int) -> int:
        """Give where its open transaction begins, -1 for none."""
        return self._open.get(producer_id, -1)

    def last_stable(self, high_watermark: int) -> int:
        """Give the offset below which everything is decided, and decided for good: a marker that is
        not replicated yet may still be lost."""
        undecided = min(self._open.values(), default=high_watermark)
        at = len(self._ended)
        while at and self._ended[at - 1].marker >= high_watermark:
            at -= 1
            undecided = min(undecided, self._ended[at].first)
        return min(undecided, high_watermark)

    def aborted(self, start: int, end: int) -> list[Ended]:
        """Give the aborted transactions that have records in [start, end), by marker."""
        at = bisect_left(self._aborted, start, key=lambda one: one.marker)
        return [one for one in self._aborted[at:] if one.first < end]

    def truncate_to(self, offset: int) -> None:
        """Forget everything at `offset` and beyond; whose marker is gone is open again."""
        self._open = {who: first for who, first in self._open.items() if first < offset}
        while self._ended and self._ended[-1].marker >= offset:
            lost = self._ended.pop()
            if lost.first < offset:
                self._open[lost.producer_id] = lost.first
        while self._aborted and self._aborted[-1].marker >= offset:
            self._aborted.pop()

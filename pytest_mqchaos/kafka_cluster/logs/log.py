"""One replica's log of one partition: batches in offset order, nothing else.

It knows offsets and bytes; it knows no leader, no producer, no request. What a reader may see (high
watermark, last stable offset) is its owner's to say, through `up_to`.

    start ........ base/last base/last base/last ........ end
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pytest_mqchaos.kafka_cluster.logs.batches import Batch


class Slice(NamedTuple):
    """What one read gave: whole batches, concatenated."""

    data: bytes
    batches: int


class Log:
    """`start` moves forward when records are deleted, `end` is the next offset; it goes back only
    where a replica drops what its leader does not have. Compaction leaves gaps."""

    __slots__ = ("_arrived", "_batches", "_lasts", "end", "start")

    def __init__(self) -> None:
        self.start = 0
        self.end = 0
        self._batches: list[Batch] = []
        self._lasts: list[int] = []
        self._arrived: list[int] = []

    def append(self, placed: Batch, now: int = 0) -> None:
        """Store a batch that has its offsets. Raises `ValueError` if they are there already."""
        if placed.base < self.end:
            raise ValueError(
                f"a batch at offset {placed.base} behind a log that ends at {self.end}"
            )
        self._batches.append(placed)
        self._lasts.append(placed.last)
        self._arrived.append(now)
        self.end = placed.last + 1

    @property
    def newest(self) -> int:
        """The largest timestamp of the last batch, ms since the epoch; 0 for an empty log."""
        return self._batches[-1].max_timestamp if self._batches else 0

    def read(self, offset: int, *, up_to: int, limit: int, at_least_one: bool) -> Slice:
        """Read whole batches from the one that holds `offset`, as far as `limit` bytes allow.

        `at_least_one`: the first batch comes even if it is larger than the limit (KIP-74).
        """
        taken: list[bytes] = []
        size = 0
        for batch in self.batches(offset):
            if batch.last >= up_to:
                break
            size += len(batch.raw)
            if size > limit and (taken or not at_least_one):
                break
            taken.append(batch.raw)
        return Slice(taken[0] if len(taken) == 1 else b"".join(taken), len(taken))

    def readable(self, offset: int, *, up_to: int, limit: int) -> int:
        """Count the bytes that a read from `offset` could give, but no further than `limit`."""
        size = 0
        for batch in self.batches(offset):
            if batch.last >= up_to or size >= limit:
                break
            size += len(batch.raw)
        return size

    def batches(self, offset: int = 0) -> Iterator[Batch]:
        """Walk the batches from the one that holds `offset`."""
        for index in range(bisect_left(self._lasts, offset), len(self._batches)):
            yield self._batches[index]

    def arrivals(self) -> Iterator[tuple[Batch, int]]:
        """Walk all batches with the instants (ns) at which they came."""
        return zip(self._batches, self._arrived, strict=True)

    def rewrite(self, kept: Sequence[tuple[Batch, int]], *, before: int) -> None:
        """Have these batches, with their instants, in place of all that end before an offset."""
        gone = bisect_left(self._lasts, before)
        self._batches[:gone] = [batch for batch, _ in kept]
        self._lasts[:gone] = [batch.last for batch, _ in kept]
        self._arrived[:gone] = [arrived for _, arrived in kept]

    def delete_before(self, offset: int) -> None:
        """Move the start; batches that end before it are gone, a straddled one stays whole."""
        self.start = max(self.start, offset)
        gone = bisect_left(self._lasts, self.start)
        del self._batches[:gone]
        del self._lasts[:gone]
        del self._arrived[:gone]

    def truncate_to(self, offset: int) -> None:
        """Drop whole batches from the end until nothing reaches to `offset` or beyond."""
        kept = bisect_left(self._lasts, offset)
        if kept < len(self._batches):
            self.end = min(self._batches[kept].base, offset)
        elif offset < self.end:  # an empty log, or one whose rest was deleted
            self.end = offset
        del self._batches[kept:]
        del self._lasts[kept:]
        del self._arrived[kept:]
        self.start = min(self.start, self.end)

    def restart_at(self, offset: int) -> None:
        """Drop everything; the next record stands at `offset`."""
        self._batches.clear()
        self._lasts.clear()
        self._arrived.clear()
        self.start = self.end = offset

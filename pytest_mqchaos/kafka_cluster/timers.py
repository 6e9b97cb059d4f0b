"""What is due when: a heap of callbacks. Time is an argument; nobody looks at a clock here."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

MILLISECOND = 1_000_000  # nanoseconds


@dataclass(slots=True, eq=False)
class Timer:
    """One appointment; `cancel` makes it void."""

    when: int
    act: Callable[[int], None] | None

    def cancel(self) -> None:
        self.act = None


class Timers:
    """All appointments of a cluster; equal instants run in the order in which they were made."""

    __slots__ = ("_heap", "_order")

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Timer]] = []
        self._order = count()

    def at(self, when: int, act: Callable[[int], None]) -> Timer:
        """Have `act(now)` called once `when` (ns, monotonic) is reached."""
        timer = Timer(when, act)
        heapq.heappush(self._heap, (when, next(self._order), timer))
        return timer

    def run(self, now: int) -> None:
        """Call everything that is due."""
        while self._heap and (self._heap[0][2].act is None or self._heap[0][0] <= now):
            timer = heapq.heappop(self._heap)[2]
            if timer.act is not None:
                act, timer.act = timer.act, None
                act(now)

    def next(self) -> int | None:
        """Give the earliest instant at which something is due."""
        while self._heap and self._heap[0][2].act is None:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None
